
/*
 * Copyright (C) the nginx-ux authors
 *
 * The journey of a variant's visitors in the report, and what the stage
 * `support` says of it: how often they had to ask.
 *
 * A block of moves begins with each change of the stages, the events have been
 * counted all along.  So a stage has at least the visitors that any one of its
 * events has, at most those of all together.
 */

#include "ux_journey.h"
#include "ux_report_private.h"
#include "ux_timing.h"


/* The stage that is taken for contacts. */
#define UX_REPORT_SUPPORT  "support"


typedef struct {
    const ux_result_t          *view;
    const ux_result_variant_t  *variant;
    uint32_t                    block;         /* first cell, 0: none */
    uint64_t                    visitors;      /* of the variant */
} ux_report_journey_t;


static void ux_report_put_stage(ux_json_t *stages,
    const ux_report_journey_t *of, unsigned stage);
static void ux_report_put_moves(ux_json_t *journey, const char *name,
    const ux_report_journey_t *of, bool after);
static void ux_report_put_contact(ux_json_t *variant,
    const ux_report_journey_t *of);
static void ux_report_put_share(ux_json_t *object, const char *name,
    uint64_t x, uint64_t n);
static uint64_t ux_report_stage_events(const ux_report_journey_t *of,
    unsigned stage);
static uint64_t ux_report_stage_visitors(const ux_report_journey_t *of,
    unsigned stage);
static uint64_t ux_report_move(const ux_report_journey_t *of, bool after,
    unsigned row, unsigned stage);
static uint64_t ux_report_journey_cell(const ux_report_journey_t *of,
    uint32_t at);


void
ux_report_put_journey(ux_json_t *variant, const ux_result_t *view,
    const ux_result_variant_t *of)
{
    unsigned              i;
    ux_json_t            *object, *stages;
    const ux_model_t     *model;
    ux_report_journey_t   journey;

    model = view->model;

    journey.view = view;
    journey.variant = of;
    journey.visitors = ux_result_visitors(of->sum.cells);
    journey.block = 0;

    if (model->nstages > 0) {
        journey.block = ux_result_timings(view, of, UX_TIMINGS_JOURNEY,
                                          ux_journey_hash(model),
                                          ux_journey_cells(model->nstages));
    }

    object = ux_json_object(variant, "journey");
    stages = ux_json_object(object, "stages");

    for (i = 0; i < model->nstages; i++) {
        ux_report_put_stage(stages, &journey, i);
    }

    ux_report_put_moves(object, "before_purchase", &journey, false);
    ux_report_put_moves(object, "after_purchase", &journey, true);

    ux_report_put_contact(variant, &journey);
}


static void
ux_report_put_stage(ux_json_t *stages, const ux_report_journey_t *of,
    unsigned stage)
{
    uint64_t          x;
    ux_json_t        *object;
    ux_report_key_t   key;

    object = ux_json_object(stages,
                 ux_report_key(&key, of->view->model->stages[stage].name));

    x = ux_report_stage_visitors(of, stage);

    ux_report_put_count(object, "visitors", x);
    ux_report_put_rate(object, "rate", x, of->visitors);
    ux_report_put_interval(object, "rate_ci", x, of->visitors);
    ux_report_put_count(object, "events", ux_report_stage_events(of, stage));
    ux_report_put_count(object, "repeats",
                        ux_report_move(of, false, stage + 1, stage)
                        + ux_report_move(of, true, stage + 1, stage));
}


static void
ux_report_put_moves(ux_json_t *journey, const char *name,
    const ux_report_journey_t *of, bool after)
{
    unsigned           row, i;
    ux_json_t         *matrix, *object;
    ux_report_key_t    key;
    const ux_model_t  *model;

    model = of->view->model;
    matrix = ux_json_object(journey, name);

    for (row = 0; row <= model->nstages; row++) {
        object = ux_json_object(matrix, row == 0 ? UX_STAGE_START
                     : ux_report_key(&key, model->stages[row - 1].name));

        for (i = 0; i < model->nstages; i++) {
            ux_report_put_count(object,
                                ux_report_key(&key, model->stages[i].name),
                                ux_report_move(of, after, row, i));
        }
    }
}


/* Null without that stage. */
static void
ux_report_put_contact(ux_json_t *variant, const ux_report_journey_t *of)
{
    uint64_t           events, x, orders;
    unsigned           i;
    ux_json_t         *contact;
    const ux_model_t  *model;

    static const ux_str_t  support = ux_str(UX_REPORT_SUPPORT);

    model = of->view->model;

    for (i = 0; i < model->nstages; i++) {
        if (ux_str_equal(model->stages[i].name, support)) {
            break;
        }
    }

    if (i == model->nstages) {
        ux_json_null(variant, "contact");
        return;
    }

    contact = ux_json_object(variant, "contact");

    events = ux_report_stage_events(of, i);
    x = ux_report_stage_visitors(of, i);
    orders = ux_result_event_count(of->view, of->variant->sum.cells,
                                   UX_EVENT_PURCHASE);

    ux_report_put_count(contact, "events", events);
    ux_report_put_count(contact, "visitors", x);
    ux_report_put_share(contact, "per_visitor", events, of->visitors);
    ux_report_put_rate(contact, "visitor_rate", x, of->visitors);
    ux_report_put_interval(contact, "visitor_rate_ci", x, of->visitors);
    ux_report_put_share(contact, "per_order", events, orders);
}


/* As a rate, but x may be more than n. */
static void
ux_report_put_share(ux_json_t *object, const char *name, uint64_t x,
    uint64_t n)
{
    if (n == 0) {
        ux_json_null(object, name);

    } else {
        ux_json_number(object, name, (double) x / (double) n);
    }
}


/* Accepted events of the stage, of visitors counted. */
static uint64_t
ux_report_stage_events(const ux_report_journey_t *of, unsigned stage)
{
    uint64_t  events, mask;

    events = 0;

    for (mask = of->view->model->stages[stage].events; mask != 0;
         mask &= mask - 1)
    {
        events += ux_result_event_count(of->view, of->variant->sum.cells,
                                        (uint8_t) __builtin_ctzll(mask));
    }

    return events;
}


static uint64_t
ux_report_stage_visitors(const ux_report_journey_t *of, unsigned stage)
{
    uint64_t  x, some, least, most, mask;

    least = 0;
    most = 0;

    for (mask = of->view->model->stages[stage].events; mask != 0;
         mask &= mask - 1)
    {
        some = ux_result_event_visitors(of->view, of->variant->sum.cells,
                                        (uint8_t) __builtin_ctzll(mask));
        least = some > least ? some : least;
        most += some;
    }

    x = ux_clamp(ux_report_journey_cell(of, stage), least, most);

    return x < of->visitors ? x : of->visitors;
}


static uint64_t
ux_report_move(const ux_report_journey_t *of, bool after, unsigned row,
    unsigned stage)
{
    return ux_report_journey_cell(of, UX_JOURNEY_MOVE(of->view->model->nstages,
                                                      after, row, stage));
}


static uint64_t
ux_report_journey_cell(const ux_report_journey_t *of, uint32_t at)
{
    if (of->block == 0) {
        return 0;
    }

    return ux_result_count(ux_counter_read(&of->view->store->counter,
                                           of->block + at));
}
