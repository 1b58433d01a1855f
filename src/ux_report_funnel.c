
/*
 * Copyright (C) the nginx-ux authors
 *
 * Funnels of a variant in the report: steps, and carts by cohorts.
 *
 * A cart counts as abandoned when its whole bucket is older than the window;
 * until then it is open, or purchased.  Everything printed is derived in one
 * direction, from the parts to the sums, so that
 *
 *     created = open + purchased + abandoned
 *     abandoned = sum of abandoned_after
 *     settled = abandoned + purchased of settled buckets
 *
 * hold in the output whatever the counters do while they are read.
 */

#include "ux_funnel.h"
#include "ux_report_private.h"
#include "ux_timing.h"

#include <string.h>


/* A funnel of a variant, or of a value in it. */
typedef struct {
    ux_result_t           *view;
    const ux_report_of_t  *of;
    const ux_funnel_t     *funnel;
    uint32_t               timings;    /* its block, 0: none */
} ux_report_funnel_t;


typedef struct {
    uint64_t  carried_in;
    uint64_t  without_cart;
    uint64_t  open;
    uint64_t  purchased;
    uint64_t  abandoned;
    uint64_t  recovered;
    uint64_t  settled;
    uint64_t  after[UX_RESULT_ALIVE];  /* abandoned, by furthest step */
} ux_report_cohorts_t;


static void ux_report_put_funnel(ux_json_t *funnels, ux_result_t *view,
    const ux_report_of_t *whose, const ux_funnel_t *funnel);
static void ux_report_put_step(ux_json_t *steps,
    const ux_report_funnel_t *of, unsigned number, const ux_step_t *previous);
static void ux_report_put_task(ux_json_t *funnel,
    const ux_report_funnel_t *of);
static void ux_report_put_seconds(ux_json_t *object,
    const ux_report_funnel_t *of, uint64_t events, uint32_t at);
static uint64_t ux_report_block_count(const ux_report_funnel_t *of,
    uint32_t at);
static void ux_report_put_back(ux_json_t *object,
    const ux_report_funnel_t *of, unsigned number);
static void ux_report_put_step_comparison(ux_json_t *object,
    ux_result_t *view, const ux_report_of_t *of, const ux_step_t *step);
static uint64_t ux_report_step_cell(const ux_result_sum_t *sum,
    unsigned first, const ux_step_t *step);
static void ux_report_cohorts(const ux_funnel_t *funnel,
    const ux_result_cart_t *cart, ux_report_cohorts_t *cohorts);
static unsigned ux_report_cart_first(const ux_funnel_t *funnel);
static unsigned ux_report_cart_last(const ux_funnel_t *funnel);
static uint64_t ux_report_less(uint64_t total, uint64_t part);
static void ux_report_put_loss(ux_json_t *object,
    const ux_result_t *view, const ux_funnel_t *funnel,
    const ux_report_cohorts_t *cohorts);
static void ux_report_put_carts(ux_json_t *object,
    const ux_result_t *view, const ux_funnel_t *funnel,
    const ux_report_cohorts_t *cohorts);
static ux_str_t ux_report_cart_step(const ux_result_t *view,
    const ux_funnel_t *funnel, unsigned k);


static const ux_result_cart_t  ux_report_no_carts;


void
ux_report_put_funnels(ux_json_t *object, ux_result_t *view,
    const ux_report_of_t *of)
{
    unsigned    i;
    ux_json_t  *funnels;

    funnels = ux_json_object(object, "funnels");

    for (i = 0; i < view->model->nfunnels; i++) {
        ux_report_put_funnel(funnels, view, of,
                             &view->model->funnels[i]);
    }
}


static void
ux_report_put_funnel(ux_json_t *funnels, ux_result_t *view,
    const ux_report_of_t *whose, const ux_funnel_t *funnel)
{
    unsigned                 i;
    ux_json_t               *object, *steps;
    const ux_step_t         *previous;
    ux_report_key_t          key;
    ux_report_funnel_t       of;
    ux_report_cohorts_t      cohorts;
    const ux_result_sum_t   *sum;
    const ux_result_cart_t  *cart;

    sum = &whose->figures->sum;

    of.view = view;
    of.of = whose;
    of.funnel = funnel;
    of.timings = whose->segment ? 0
                 : ux_result_timings(view, whose->figures,
                                     (uint16_t) (UX_TIMINGS_FUNNEL
                                                 + funnel->slot),
                                     ux_funnel_hash(view->model, funnel),
                                     UX_TIMINGS_FUNNEL_CELLS(funnel->nsteps));

    object = ux_json_object(funnels, ux_report_key(&key, funnel->name));
    steps = ux_json_array(object, "steps");
    previous = NULL;

    for (i = 0; i < funnel->nsteps; i++) {
        ux_report_put_step(steps, &of, i, previous);

        if (!funnel->steps[i].optional) {
            previous = &funnel->steps[i];
        }
    }

    ux_report_put_task(object, &of);

    if (funnel->cart_event == UX_SLOT_NONE) {
        ux_report_put_nulls(object, "biggest_loss carts");
        return;
    }

    cart = funnel->cart < UX_CARTS_MAX ? &sum->carts[funnel->cart]
                                       : &ux_report_no_carts;

    ux_report_cohorts(funnel, cart, &cohorts);
    ux_report_put_loss(object, view, funnel, &cohorts);
    ux_report_put_carts(object, view, funnel, &cohorts);
}


/*
 * previous is the last required step before, or NULL.  Visitors who did that
 * one before the exposure are not among its visitors_in_order but may be
 * among this one's: the rate ends at 1.
 */
static void
ux_report_put_step(ux_json_t *steps, const ux_report_funnel_t *of,
    unsigned number, const ux_step_t *previous)
{
    ux_str_t                none = ux_str("");
    uint64_t                n, x, events, in_order, before;
    ux_json_t              *object;
    ux_result_t            *view;
    const ux_step_t        *step;
    const ux_result_sum_t  *sum;

    view = of->view;
    step = &of->funnel->steps[number];
    sum = &of->of->figures->sum;

    n = ux_result_visitors(sum->cells);
    x = ux_result_event_visitors(view, sum->cells, step->event);
    events = ux_result_event_count(view, sum->cells, step->event);
    in_order = ux_report_step_cell(sum, UX_ARM_STEP_IN_ORDER, step);

    object = ux_json_append(steps);

    ux_json_string(object, "event", step->event < view->model->nevents
                                    ? view->model->events[step->event]
                                    : none);
    ux_json_bool(object, "optional", step->optional);
    ux_report_put_count(object, "visitors", x);
    ux_report_put_count(object, "visitors_before_exposure",
                        ux_report_step_cell(sum, UX_ARM_STEP_BEFORE, step));
    ux_report_put_count(object, "events", events);
    ux_report_put_rate(object, "rate", x, n);
    ux_report_put_interval(object, "rate_ci", x, n);
    ux_report_put_count(object, "visitors_in_order", in_order);

    if (previous != NULL) {
        before = ux_report_step_cell(sum, UX_ARM_STEP_IN_ORDER, previous);

        /* some had done the one before the exposure: no share of these */

        ux_report_put_rate(object, "rate_from_previous", in_order,
                           in_order <= before ? before : 0);

    } else {
        ux_json_null(object, "rate_from_previous");
    }

    ux_report_put_step_comparison(object, view, of->of, step);

    ux_report_put_seconds(object, of, events, UX_TIMINGS_STEP(number));
    ux_report_put_back(object, of, number);
}


/* Of those who finished it, beside how many do. */
static void
ux_report_put_task(ux_json_t *funnel, const ux_report_funnel_t *of)
{
    uint64_t                events, started, completed, succeeded;
    unsigned                i;
    ux_json_t              *task;
    const ux_step_t        *step, *first, *last;
    const ux_result_sum_t  *sum;

    sum = &of->of->figures->sum;
    first = NULL;
    last = NULL;

    for (i = 0; i < of->funnel->nsteps; i++) {
        step = &of->funnel->steps[i];

        if (!step->optional) {
            first = first == NULL ? step : first;
            last = step;
        }
    }

    task = ux_json_object(funnel, "task");

    started = first == NULL ? 0
              : ux_report_step_cell(sum, UX_ARM_STEP_IN_ORDER, first);
    completed = last == NULL ? 0
                : ux_report_step_cell(sum, UX_ARM_STEP_IN_ORDER, last);

    ux_report_put_count(task, "started", started);
    ux_report_put_count(task, "completed", completed);

    /* who had begun before the exposure is no part of the rate */

    if (of->of->segment) {
        ux_report_put_nulls(task, "succeeded success_rate success_ci");

    } else {
        succeeded = ux_report_block_count(of,
                                      UX_TIMINGS_SUCCESS(of->funnel->nsteps));
        succeeded = succeeded < started ? succeeded : started;

        ux_report_put_count(task, "succeeded", succeeded);
        ux_report_put_rate(task, "success_rate", succeeded, started);
        ux_report_put_interval(task, "success_ci", succeeded, started);
    }

    events = last == NULL ? 0
             : ux_result_event_count(of->view, sum->cells, last->event);

    ux_report_put_seconds(task, of, events,
                          UX_TIMINGS_TASK(of->funnel->nsteps));
}


/*
 * at: where the histogram is in the funnel's block; where there were no
 * events, nothing is in it, and it is not read.
 */
static void
ux_report_put_seconds(ux_json_t *object, const ux_report_funnel_t *of,
    uint64_t events, uint32_t at)
{
    ux_json_t    *seconds;
    ux_timing_t   timing;

    ux_timing_read(&of->view->store->counter,
                   of->timings != 0 && events != 0 ? of->timings + at : 0,
                   &timing);

    seconds = ux_json_object(object, "seconds");

    ux_json_number(seconds, "p50", ux_timing_seconds(&timing, 0.5));
    ux_json_number(seconds, "p75", ux_timing_seconds(&timing, 0.75));
    ux_json_number(seconds, "p90", ux_timing_seconds(&timing, 0.9));
}


/* How often visitors came back to the step from one behind it. */
static void
ux_report_put_back(ux_json_t *object, const ux_report_funnel_t *of,
    unsigned number)
{
    if (of->of->segment) {
        ux_json_null(object, "backtracks");
        return;
    }

    ux_report_put_count(object, "backtracks",
                        ux_report_block_count(of,
                                          UX_TIMINGS_BACK(of->funnel->nsteps)
                                          + number));
}


/* A cell of the funnel's block that is a count. */
static uint64_t
ux_report_block_count(const ux_report_funnel_t *of, uint32_t at)
{
    return of->timings == 0 ? 0
           : ux_result_count(ux_counter_read(&of->view->store->counter,
                                             of->timings + at));
}


/* That of the metric which is the step's conversion, if there is one. */
static void
ux_report_put_step_comparison(ux_json_t *object, ux_result_t *view,
    const ux_report_of_t *of, const ux_step_t *step)
{
    unsigned                i;
    const ux_experiment_t  *model;

    model = view->experiment.model;

    for (i = 0; i < model->nmetrics; i++) {

        if (model->metrics[i].event == step->event
            && model->metrics[i].type == UX_METRIC_CONVERSION)
        {
            break;
        }
    }

    ux_report_put_versus(object, view, of, i);
}


/* Visitors at a step, at most all of them. */
static uint64_t
ux_report_step_cell(const ux_result_sum_t *sum, unsigned first,
    const ux_step_t *step)
{
    uint64_t  x, n;

    if (step->slot >= UX_STEPS_MAX) {
        return 0;
    }

    x = ux_result_count(sum->cells[first + step->slot]);
    n = ux_result_visitors(sum->cells);

    return x < n ? x : n;
}


/*
 * Furthest steps that the funnel does not have (any more), or that no
 * abandoned cart is told to have reached, are told as the nearest that one
 * is, so that no cart is missing from the sum.
 */
static void
ux_report_cohorts(const ux_funnel_t *funnel, const ux_result_cart_t *cart,
    ux_report_cohorts_t *cohorts)
{
    uint64_t  total, open, purchased, pending;
    unsigned  k, at, first, last;

    memset(cohorts, 0, sizeof(ux_report_cohorts_t));

    first = ux_report_cart_first(funnel);
    last = ux_report_cart_last(funnel);

    for (k = 0; k < UX_RESULT_ALIVE; k++) {
        total = ux_result_count(cart->alive[k]);
        open = ux_result_count(cart->unsettled_alive[k]);

        at = k < first ? first : k;
        at = at > last ? last : at;

        cohorts->open += open;
        cohorts->after[at] += ux_report_less(total, open);
        cohorts->abandoned += ux_report_less(total, open);
    }

    cohorts->carried_in = ux_result_count(cart->carried_in);
    cohorts->without_cart = ux_result_count(cart->without_cart);

    purchased = ux_result_count(cart->purchased);
    pending = ux_result_count(cart->unsettled_purchased);

    cohorts->purchased = purchased;
    cohorts->settled = cohorts->abandoned
                       + ux_report_less(purchased, pending);

    cohorts->recovered = ux_report_less(
        ux_result_count(cart->recovered),
        ux_result_count(cart->unsettled_recovered));

    if (cohorts->recovered > cohorts->abandoned) {
        cohorts->recovered = cohorts->abandoned;
    }
}


/* The k of a new cart: that of the cart event, 0 when it is no step. */
static unsigned
ux_report_cart_first(const ux_funnel_t *funnel)
{
    unsigned  i;

    for (i = 0; i < funnel->nsteps; i++) {

        if (funnel->steps[i].event == funnel->cart_event) {
            return i + 1;
        }
    }

    return 0;
}


/* The k of the last step before the purchase: bought is not abandoned. */
static unsigned
ux_report_cart_last(const ux_funnel_t *funnel)
{
    unsigned  i, first;

    first = ux_report_cart_first(funnel);

    for (i = 0; i < funnel->nsteps; i++) {

        if (funnel->steps[i].event == UX_EVENT_PURCHASE) {
            break;
        }
    }

    return i > first ? i : first;
}


static uint64_t
ux_report_less(uint64_t total, uint64_t part)
{
    return total > part ? total - part : 0;
}


/* Where most carts were left; the earlier step of two equals. */
static void
ux_report_put_loss(ux_json_t *object, const ux_result_t *view,
    const ux_funnel_t *funnel, const ux_report_cohorts_t *cohorts)
{
    unsigned    k, most;
    ux_json_t  *loss;

    most = 0;

    for (k = 1; k <= ux_report_cart_last(funnel); k++) {

        if (cohorts->after[k] > cohorts->after[most]) {
            most = k;
        }
    }

    if (cohorts->after[most] == 0) {
        ux_json_null(object, "biggest_loss");
        return;
    }

    loss = ux_json_object(object, "biggest_loss");

    ux_json_string(loss, "after", ux_report_cart_step(view, funnel, most));
    ux_report_put_count(loss, "carts", cohorts->after[most]);
}


static void
ux_report_put_carts(ux_json_t *object, const ux_result_t *view,
    const ux_funnel_t *funnel, const ux_report_cohorts_t *cohorts)
{
    unsigned         k;
    ux_json_t       *carts, *after;
    ux_report_key_t  key;

    carts = ux_json_object(object, "carts");

    ux_report_put_count(carts, "created", cohorts->open
                                          + cohorts->purchased
                                          + cohorts->abandoned);
    ux_report_put_count(carts, "carried_in", cohorts->carried_in);
    ux_report_put_count(carts, "open", cohorts->open);
    ux_report_put_count(carts, "purchased", cohorts->purchased);
    ux_report_put_count(carts, "abandoned", cohorts->abandoned);
    ux_report_put_count(carts, "recovered", cohorts->recovered);
    ux_report_put_count(carts, "settled", cohorts->settled);
    ux_report_put_rate(carts, "abandonment_rate", cohorts->abandoned,
                       cohorts->settled);
    ux_report_put_interval(carts, "abandonment_ci", cohorts->abandoned,
                           cohorts->settled);
    ux_report_put_count(carts, "purchases_without_cart",
                        cohorts->without_cart);

    after = ux_json_object(carts, "abandoned_after");

    for (k = ux_report_cart_first(funnel); k <= ux_report_cart_last(funnel);
         k++)
    {
        ux_report_put_count(after,
            ux_report_key(&key, ux_report_cart_step(view, funnel, k)),
            cohorts->after[k]);
    }
}


/* The event of a cart's furthest step. */
static ux_str_t
ux_report_cart_step(const ux_result_t *view, const ux_funnel_t *funnel,
    unsigned k)
{
    uint8_t   event;
    ux_str_t  none = ux_str("");

    event = k == 0 ? funnel->cart_event : funnel->steps[k - 1].event;

    return event < view->model->nevents ? view->model->events[event] : none;
}
