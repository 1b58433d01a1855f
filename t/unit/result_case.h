
/*
 * Copyright (C) the nginx-ux authors
 *
 * What the tests of ux_result share: a real zone with one experiment, bound;
 * counters set by hand, looks at it, and its report.
 */

#ifndef RESULT_CASE_H
#define RESULT_CASE_H


#include "ux_result.h"
#include "report_lookup.h"
#include "store_case.h"


#define ZONE     (2 * MIB)
#define START    1769774400000ull       /* 2026-01-30T12:00:00Z */
#define MINUTE   60000ull
#define HOUR     (60 * MINUTE)
#define DAY      (24 * HOUR)

#define E        "/zones/shop/experiments/exp_0"
#define A        E "/variants/control"
#define B        E "/variants/one_page"
#define GOAL     B "/metrics/purchase/vs_control"

#define SIGNUP   UX_EVENT_BUILTIN       /* counted, see worker_make(), */
#define RATIO    UX_EVENT_VIEW_ITEM     /*   and a value by event */


FIXTURE void begin(void);
FIXTURE void end(void);
FIXTURE worker_t *design(void);
FIXTURE void bind_again(void);
FIXTURE void variant_add(const char *name, double weight);
FIXTURE void metric_add(uint8_t event, ux_metric_type_e type,
    ux_role_e role);
FIXTURE uint32_t arm(unsigned variant);
FIXTURE void add(unsigned variant, unsigned cell, int64_t delta);
FIXTURE void visit(unsigned variant, int64_t visitors, int64_t converters);
FIXTURE void convert(unsigned variant, uint8_t event, int64_t n);
FIXTURE void pay(unsigned variant, unsigned total, int64_t amount, int64_t n);
FIXTURE void pay_events(unsigned variant, unsigned total, int64_t amount,
    int64_t events, int64_t n);
FIXTURE void limbs(unsigned variant, unsigned cell, int64_t value);
FIXTURE void look(void);
FIXTURE const ux_result_comparison_t *pair(unsigned variant, unsigned metric);
FIXTURE double p_value(unsigned variant, unsigned metric);
FIXTURE ux_verdict_e verdict(void);
FIXTURE bool close_to(double value, double expected);


static void              *mem;
static worker_t          *w;
static ux_experiment_t   *e;             /* of w */
static ux_result_t        result;
static bool               looked;
static uint64_t           now;           /* of binding and looking */
static ux_report_zone_t   zone;


/*
 * Two variants, purchase by 10,000 visitors of the pair and not before a day;
 * now is two days later.
 */
FIXTURE void
begin(void)
{
    mem = zone_make(ZONE);
    w = design();
    e = &w->experiments[0];

    if (ux_store_join(&w->store) != UX_OK) {
        printf("Bail out! no process\n");
        exit(1);
    }

    now = START;
    bind_again();
    now = START + 2 * DAY;

    zone.store = &w->store;
    report.now_ms = now;
    report.nzones = 1;
    report.zones = &zone;
}


FIXTURE void
end(void)
{
    if (looked) {
        ux_result_free(&result);
        looked = false;
    }

    worker_free(w);
    (void) munmap(mem, ZONE);
}


/* A process with its configuration, not bound. */
FIXTURE worker_t *
design(void)
{
    worker_t         *made;
    ux_experiment_t  *of;

    made = worker_make(mem, ZONE, 1);

    made->model.totals[2].event = RATIO;
    made->model.totals[2].type = UX_METRIC_RATIO;
    made->model.ntotals = 3;

    of = &made->experiments[0];
    of->alpha = 0.05;
    of->planned = 10000;
    of->min_runtime_s = 86400;
    of->serve = -1;
    of->metrics[0].event = UX_EVENT_PURCHASE;
    of->nmetrics = 1;

    return made;
}


FIXTURE void
bind_again(void)
{
    if (ux_store_bind(&w->store, &w->model, w->arms, w->bindings, now)
        != UX_OK)
    {
        printf("Bail out! not bound\n");
        exit(1);
    }
}


/* Bound by the caller, as is a metric. */
FIXTURE void
variant_add(const char *name, double weight)
{
    e->variants[e->nvariants].name = str(name);
    e->variants[e->nvariants].weight = weight;
    e->nvariants++;
}


FIXTURE void
metric_add(uint8_t event, ux_metric_type_e type, ux_role_e role)
{
    ux_metric_t  *metric;

    metric = &e->metrics[e->nmetrics++];

    memset(metric, 0, sizeof(ux_metric_t));
    metric->event = event;
    metric->type = type;
    metric->role = role;
    metric->margin = 0.01;
}


/* The first cell of the variant's arm in the newest epoch. */
FIXTURE uint32_t
arm(unsigned variant)
{
    return w->arms[w->bindings[0].arms[variant]].base;
}


FIXTURE void
add(unsigned variant, unsigned cell, int64_t delta)
{
    ux_counter_add(&w->store.counter, arm(variant) + cell, delta);
}


/* So many more, confirmed, of whom so many purchased once. */
FIXTURE void
visit(unsigned variant, int64_t visitors, int64_t converters)
{
    add(variant, UX_ARM_ASSIGNED, visitors);
    add(variant, UX_ARM_VISITORS, visitors);
    convert(variant, UX_EVENT_PURCHASE, converters);
}


FIXTURE void
convert(unsigned variant, uint8_t event, int64_t n)
{
    add(variant, UX_ARM_EVENT_VISITORS + w->model.event_slots[event], n);
    add(variant, UX_ARM_EVENT_COUNT + w->model.event_slots[event], n);
}


/* n visitors with such a sum of one event each, in minor units. */
FIXTURE void
pay(unsigned variant, unsigned total, int64_t amount, int64_t n)
{
    pay_events(variant, total, amount, 1, n);
}


/* Of so many events each; only a ratio wants to know how many. */
FIXTURE void
pay_events(unsigned variant, unsigned total, int64_t amount, int64_t events,
    int64_t n)
{
    unsigned           cell;
    const ux_total_t  *of;

    of = &w->model.totals[total];
    cell = UX_ARM_TOTALS + (unsigned) of->slot * UX_TOTAL_CELLS;

    add(variant, cell + UX_TOTAL_SUM, amount * n);
    limbs(variant, cell + UX_TOTAL_SQ_LO, amount * amount * n);

    if (of->type == UX_METRIC_RATIO) {
        add(variant, cell + UX_TOTAL_COUNT, events * n);
        add(variant, cell + UX_TOTAL_COUNT_SQ, events * events * n);
        limbs(variant, cell + UX_TOTAL_PRODUCT_LO, amount * events * n);
    }
}


FIXTURE void
limbs(unsigned variant, unsigned cell, int64_t value)
{
    add(variant, cell, value & 0xffffffff);
    add(variant, cell + 1, value >> 32);
}


FIXTURE void
look(void)
{
    if (looked) {
        ux_result_free(&result);
    }

    looked = ux_result_init(&result, &w->store, now) == UX_OK;

    if (!looked) {
        printf("Bail out! no memory\n");
        exit(1);
    }

    ux_result_gather(&result, e);
    report.now_ms = now;
}


FIXTURE const ux_result_comparison_t *
pair(unsigned variant, unsigned metric)
{
    return ux_result_comparison(&result, variant, metric);
}


FIXTURE double
p_value(unsigned variant, unsigned metric)
{
    return ux_evidence_p(&pair(variant, metric)->evidence);
}


/* Of a look now. */
FIXTURE ux_verdict_e
verdict(void)
{
    look();

    return result.experiment.verdict;
}


/* To nine digits; NaN is close to NaN. */
FIXTURE bool
close_to(double value, double expected)
{
    if ((isnan(value) && isnan(expected))
        || fabs(value - expected) <= 1e-9 * fabs(expected))
    {
        return true;
    }

    printf("# %.17g, not %.17g\n", value, expected);

    return false;
}


#endif
