
/*
 * Copyright (C) the nginx-ux authors
 *
 * The rules that hold between the parts of one zone's configuration.  Each
 * part has been checked by itself before.
 */

#include "ux_model.h"

#include <stdio.h>
#include <string.h>


static ux_status_t ux_model_check_experiment(const ux_model_t *model,
    unsigned n, ux_error_t *error);
static bool ux_model_overlap(const ux_experiment_t *a,
    const ux_experiment_t *b);
static ux_status_t ux_model_check_funnel(const ux_model_t *model, unsigned n,
    ux_error_t *error);
static ux_status_t ux_model_check_steps(const ux_model_t *model,
    const ux_funnel_t *funnel, ux_error_t *error);
static ux_status_t ux_model_check_stage(const ux_model_t *model, unsigned n,
    ux_error_t *error);
static ux_status_t ux_model_check_room(const ux_model_t *model, int *funnel,
    ux_error_t *error);


static const ux_str_t  ux_model_builtin[UX_EVENT_BUILTIN] = {
    [UX_EVENT_VIEW_ITEM] = ux_str("view_item"),
    [UX_EVENT_ADD_TO_CART] = ux_str("add_to_cart"),
    [UX_EVENT_BEGIN_CHECKOUT] = ux_str("begin_checkout"),
    [UX_EVENT_ADD_SHIPPING_INFO] = ux_str("add_shipping_info"),
    [UX_EVENT_ADD_PAYMENT_INFO] = ux_str("add_payment_info"),
    [UX_EVENT_PURCHASE] = ux_str("purchase"),
    [UX_EVENT_REFUND] = ux_str("refund")
};


void
ux_model_init(ux_model_t *model, ux_str_t zone, unsigned currency)
{
    memset(model, 0, sizeof(*model));

    model->zone = zone;
    model->currency = currency;

    memcpy(model->events, ux_model_builtin, sizeof(ux_model_builtin));
    model->nevents = UX_EVENT_BUILTIN;

    model->totals[0].event = UX_METRIC_REVENUE;
    model->totals[0].type = UX_METRIC_MEAN;
    model->ntotals = 1;
}


bool
ux_stage_name_check(ux_str_t name)
{
    static const ux_str_t  start = ux_str(UX_STAGE_START);

    return ux_name_check(name) && !ux_str_equal(name, start);
}


int
ux_model_event_find(const ux_model_t *model, ux_str_t name)
{
    unsigned  i;

    for (i = 0; i < model->nevents; i++) {
        if (ux_str_equal(model->events[i], name)) {
            return (int) i;
        }
    }

    return -1;
}


ux_status_t
ux_model_event_add(ux_model_t *model, ux_str_t name, uint8_t *index)
{
    int  found;

    found = ux_model_event_find(model, name);

    if (found < 0) {

        if (model->nevents >= UX_EVENTS_MAX) {
            return UX_FULL;
        }

        found = (int) model->nevents++;
        model->events[found] = name;
    }

    *index = (uint8_t) found;

    return UX_OK;
}


ux_status_t
ux_model_segment_add(ux_model_t *model, ux_str_t name)
{
    unsigned       i;
    ux_str_t       other = ux_str("other");
    ux_segment_t  *segment;

    for (i = 0; i < model->nsegments; i++) {
        if (ux_str_equal(model->segments[i].name, name)) {
            return UX_DECLINED;
        }
    }

    if (model->nsegments == UX_SEGMENTS_MAX
        || model->nvalues == UX_SEGMENT_VALUES)
    {
        return UX_FULL;
    }

    segment = &model->segments[model->nsegments++];

    segment->name = name;
    segment->slot = UX_SLOT_NONE;
    segment->first = (uint8_t) model->nvalues;
    segment->nvalues = 1;

    model->values[model->nvalues].name = other;
    model->values[model->nvalues].ordinal = UX_SLOT_NONE;
    model->nvalues++;

    return UX_OK;
}


ux_status_t
ux_model_value_add(ux_model_t *model, ux_str_t name)
{
    unsigned       i;
    ux_segment_t  *segment;

    segment = &model->segments[model->nsegments - 1];

    for (i = 0; i < segment->nvalues; i++) {
        if (ux_str_equal(model->values[segment->first + i].name, name)) {
            return i == 0 ? UX_OK : UX_DECLINED;
        }
    }

    if (model->nvalues == UX_SEGMENT_VALUES) {
        return UX_FULL;
    }

    model->values[model->nvalues].name = name;
    model->values[model->nvalues].ordinal = UX_SLOT_NONE;
    model->nvalues++;
    segment->nvalues++;

    return UX_OK;
}


ux_status_t
ux_model_check(const ux_model_t *model, int *experiment, int *funnel,
    ux_error_t *error)
{
    unsigned  i;

    *experiment = -1;
    *funnel = -1;

    for (i = 0; i < model->nexperiments; i++) {
        if (ux_model_check_experiment(model, i, error) != UX_OK) {
            *experiment = (int) i;
            return UX_ERROR;
        }
    }

    for (i = 0; i < model->nfunnels; i++) {
        if (ux_model_check_funnel(model, i, error) != UX_OK) {
            *funnel = (int) i;
            return UX_ERROR;
        }
    }

    for (i = 0; i < model->nstages; i++) {
        if (ux_model_check_stage(model, i, error) != UX_OK) {
            return UX_ERROR;
        }
    }

    return ux_model_check_room(model, funnel, error);
}


/* Against those before it: the second of a pair is the offender. */
static ux_status_t
ux_model_check_experiment(const ux_model_t *model, unsigned n,
    ux_error_t *error)
{
    unsigned  i;

    const ux_experiment_t  *a, *b;

    b = &model->experiments[n];

    for (i = 0; i < n; i++) {
        a = &model->experiments[i];

        if (ux_str_equal(a->name, b->name)) {
            snprintf(error->message, sizeof(error->message),
                     "experiment \"%.*s\" is given twice: expected different"
                     " names", ux_word(b->name));
            return UX_ERROR;
        }

        if (ux_model_overlap(a, b)) {
            snprintf(error->message, sizeof(error->message),
                     "range %g-%g%% of experiment \"%.*s\" overlaps %g-%g%% of"
                     " \"%.*s\" in layer \"%.*s\"",
                     b->layer_lo * 100, b->layer_hi * 100, ux_word(b->name),
                     a->layer_lo * 100, a->layer_hi * 100, ux_word(a->name),
                     ux_word(b->layer));
            return UX_ERROR;
        }
    }

    return UX_OK;
}


/* Ranges are half-open: 0-50% and 50-100% are disjoint. */
static bool
ux_model_overlap(const ux_experiment_t *a, const ux_experiment_t *b)
{
    return a->layer.len > 0
           && ux_str_equal(a->layer, b->layer)
           && a->layer_lo < b->layer_hi
           && b->layer_lo < a->layer_hi;
}


static ux_status_t
ux_model_check_funnel(const ux_model_t *model, unsigned n, ux_error_t *error)
{
    unsigned  i;

    const ux_funnel_t  *funnel = &model->funnels[n];

    for (i = 0; i < n; i++) {
        if (ux_str_equal(model->funnels[i].name, funnel->name)) {
            snprintf(error->message, sizeof(error->message),
                     "funnel \"%.*s\" is given twice: expected different"
                     " names", ux_word(funnel->name));
            return UX_ERROR;
        }
    }

    return ux_model_check_steps(model, funnel, error);
}


static ux_status_t
ux_model_check_steps(const ux_model_t *model, const ux_funnel_t *funnel,
    ux_error_t *error)
{
    uint64_t  seen, bit;
    unsigned  i;

    _Static_assert(UX_EVENTS_MAX <= 64, "events of a funnel fit in a mask");

    seen = 0;

    for (i = 0; i < funnel->nsteps; i++) {
        bit = (uint64_t) 1 << (funnel->steps[i].event % 64);

        if (seen & bit) {
            snprintf(error->message, sizeof(error->message),
                     "step \"%.*s\" is given twice in funnel \"%.*s\":"
                     " expected each event once",
                     ux_word(model->events[funnel->steps[i].event % 64]),
                     ux_word(funnel->name));
            return UX_ERROR;
        }

        seen |= bit;
    }

    return UX_OK;
}


/* Against those before it. */
static ux_status_t
ux_model_check_stage(const ux_model_t *model, unsigned n, ux_error_t *error)
{
    uint64_t  both;
    unsigned  i;

    const ux_stage_t  *a, *b;

    b = &model->stages[n];

    for (i = 0; i < n; i++) {
        a = &model->stages[i];
        both = a->events & b->events;

        if (ux_str_equal(a->name, b->name)) {
            snprintf(error->message, sizeof(error->message),
                     "stage \"%.*s\" is given twice: expected different"
                     " names", ux_word(b->name));
            return UX_ERROR;
        }

        if (both != 0) {
            snprintf(error->message, sizeof(error->message),
                     "event \"%.*s\" of stage \"%.*s\" is of stage"
                     " \"%.*s\" already: expected each event in one stage",
                     ux_word(model->events[__builtin_ctzll(both)]),
                     ux_word(b->name), ux_word(a->name));
            return UX_ERROR;
        }
    }

    return UX_OK;
}


/* *funnel becomes the one that passes a bound. */
static ux_status_t
ux_model_check_room(const ux_model_t *model, int *funnel, ux_error_t *error)
{
    int       step_at, cart_at;
    unsigned  i, steps, carts;

    steps = 0;
    carts = 0;
    step_at = -1;
    cart_at = -1;

    for (i = 0; i < model->nfunnels; i++) {
        steps += model->funnels[i].nsteps;
        carts += (model->funnels[i].cart_event != UX_SLOT_NONE);

        if (steps > UX_STEPS_MAX && step_at < 0) {
            step_at = (int) i;
        }

        if (carts > UX_CARTS_MAX && cart_at < 0) {
            cart_at = (int) i;
        }
    }

    if (step_at >= 0) {
        *funnel = step_at;
        snprintf(error->message, sizeof(error->message),
                 "the funnels of zone \"%.*s\" have %u steps in all: expected"
                 " at most %d", ux_word(model->zone), steps, UX_STEPS_MAX);
        return UX_ERROR;
    }

    if (cart_at >= 0) {
        *funnel = cart_at;
        snprintf(error->message, sizeof(error->message),
                 "zone \"%.*s\" has %u funnels with a cart: expected at most"
                 " %d", ux_word(model->zone), carts, UX_CARTS_MAX);
        return UX_ERROR;
    }

    return UX_OK;
}
