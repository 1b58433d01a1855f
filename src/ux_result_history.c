
/*
 * Copyright (C) the nginx-ux authors
 *
 * What a report would say of each variant's metrics at the end of an hour,
 * put into the zone's history, whether or not anybody asks.
 *
 * A point is what is there soon after its hour has ended, or there is none:
 * what was missed is not made up for.
 */

#include "ux_result.h"
#include "ux_json.h"

#include <math.h>
#include <string.h>


#define UX_HOUR_MS  3600000u


static ux_status_t ux_result_history_of(ux_result_t *result,
    const ux_experiment_t *experiment, uint32_t hour);
static bool ux_result_history_wanted(const ux_result_t *result,
    uint32_t hour);
static void ux_result_history_put_locked(const ux_result_t *result,
    uint32_t hour);
static bool ux_result_history_there(const ux_result_t *result,
    uint32_t hour);
static bool ux_result_history_again(const ux_result_t *result,
    unsigned metric);
static void ux_result_history_figures(const ux_result_t *result,
    unsigned variant, unsigned metric, float *figures);
static float ux_result_history_float(double value);


uint32_t
ux_result_history_hour(uint64_t now_ms)
{
    return now_ms % UX_HOUR_MS < UX_HISTORY_GRACE * 1000u
           ? (uint32_t) (now_ms / UX_HOUR_MS) : 0;
}


ux_status_t
ux_result_history(ux_store_t *store, unsigned experiment, uint64_t now_ms)
{
    uint32_t      hour;
    ux_result_t  *result;
    ux_status_t   rc;

    hour = ux_result_history_hour(now_ms);

    if (hour == 0 || experiment >= store->model->nexperiments) {
        return UX_OK;
    }

    result = ux_json_alloc(sizeof(ux_result_t));

    if (result == NULL) {
        return UX_ERROR;
    }

    rc = ux_result_init(result, store, now_ms);

    if (rc == UX_OK) {
        rc = ux_result_history_of(result,
                                  &store->model->experiments[experiment],
                                  hour);
        ux_result_free(result);
    }

    ux_json_free(result);

    return rc;
}


static ux_status_t
ux_result_history_of(ux_result_t *result, const ux_experiment_t *experiment,
    uint32_t hour)
{
    uint16_t  ordinal;
    uint32_t  entry;

    entry = ux_result_tree_find(&result->tree, experiment->name,
                                experiment->version);

    if (entry == UX_RESULT_END) {
        return UX_OK;
    }

    ordinal = result->tree.entries[entry].ordinal;

    if (ux_history_taken(&result->store->history, ordinal, hour)) {
        return UX_OK;
    }

    ux_result_gather(result, experiment);

    if (!ux_result_history_wanted(result, hour)) {
        return UX_OK;
    }

    if (ux_store_evidence_lock(result->store) != UX_OK) {
        return UX_BUSY;
    }

    ux_result_history_put_locked(result, hour);
    ux_history_set_taken(&result->store->history, ordinal, hour);

    ux_store_evidence_unlock(result->store);

    return UX_OK;
}


static bool
ux_result_history_wanted(const ux_result_t *result, uint32_t hour)
{
    uint64_t  ended_ms;

    if (result->experiment.entry == UX_RESULT_END
        || result->experiment.visitors == 0)
    {
        return false;
    }

    ended_ms = ux_result_ended_ms(result);

    return ended_ms == 0 || ended_ms / UX_HOUR_MS + 1 >= hour;
}


static void
ux_result_history_put_locked(const ux_result_t *result, uint32_t hour)
{
    bool                        there;
    unsigned                    v, m, days;
    ux_history_t               *history;
    ux_history_point_t          point;
    ux_history_sweep_t          sweep;
    const ux_result_variant_t  *variant;

    history = &result->store->history;
    there = ux_result_history_there(result, hour);
    days = hour % 24 == 0 ? UX_HISTORY_RINGS : UX_HISTORY_DAY;

    ux_history_begin(&sweep, history, result->store->registry, hour);

    for (v = 0; v < result->experiment.nvariants; v++) {
        variant = &result->experiment.variants[v];

        for (m = 0; m < result->experiment.model->nmetrics; m++) {

            if (variant->entry == UX_RESULT_END || variant->removed
                || ux_result_history_again(result, m)
                || !ux_result_history_metric(
                       result, &result->experiment.model->metrics[m],
                       &point))
            {
                continue;
            }

            point.hour = hour;
            point.variant = variant->ordinal;
            point.epoch = result->experiment.since_ordinal;
            point.visitors = ux_result_visitors(variant->sum.cells);
            ux_result_history_figures(result, v, m, point.figures);

            for (point.ring = 0; point.ring < days; point.ring++) {

                if (!there
                    || ux_history_find(history, ux_history_key(&point))
                       == UX_HISTORY_NONE)
                {
                    (void) ux_history_put_locked(&sweep, &point);
                }
            }
        }
    }
}


/* A process that began with it may be dead, or have been restored from. */
static bool
ux_result_history_there(const ux_result_t *result, uint32_t hour)
{
    unsigned  v;
    uint16_t  ordinals[UX_VARIANTS_MAX];

    for (v = 0; v < UX_VARIANTS_MAX && v < result->experiment.nvariants; v++) {
        ordinals[v] = result->experiment.variants[v].ordinal;
    }

    return ux_history_any(&result->store->history, hour, ordinals, v);
}


/* The same of another role. */
static bool
ux_result_history_again(const ux_result_t *result, unsigned metric)
{
    unsigned            m;
    const ux_metric_t  *metrics;

    metrics = result->experiment.model->metrics;

    for (m = 0; m < metric; m++) {
        if (metrics[m].event == metrics[metric].event
            && metrics[m].type == metrics[metric].type)
        {
            return true;
        }
    }

    return false;
}


bool
ux_result_history_metric(const ux_result_t *result, const ux_metric_t *metric,
    ux_history_point_t *point)
{
    const ux_model_t  *model;

    model = result->model;

    point->type = (uint8_t) metric->type;
    point->event = UX_HISTORY_REVENUE;

    if (metric->event == UX_METRIC_REVENUE) {
        return true;
    }

    if (metric->event < model->nevents) {
        point->event = model->event_slots[metric->event];
    }

    return point->event < UX_EVENTS_MAX;
}


/* As ux_report_variant.c and ux_report_compare.c print them. */
static void
ux_result_history_figures(const ux_result_t *result, unsigned variant,
    unsigned metric, float *figures)
{
    double                         half, values[UX_HISTORY_FIGURES];
    uint64_t                       x, n;
    unsigned                       i;
    ux_sample_t                    sample;
    ux_interval_t                  interval;
    const uint64_t                *cells;
    const ux_metric_t             *which;
    const ux_result_comparison_t  *comparison;

    which = &result->experiment.model->metrics[metric];
    cells = result->experiment.variants[variant].sum.cells;
    comparison = ux_result_comparison(result, variant, metric);
    n = ux_result_visitors(cells);

    for (i = 0; i < UX_HISTORY_FIGURES; i++) {
        values[i] = NAN;
    }

    if (which->type != UX_METRIC_CONVERSION) {
        sample = ux_result_sample(result, cells, which, n);
        half = UX_STATS_Z95 * sqrt(sample.estimate.error);

        values[UX_HISTORY_VALUE] = sample.estimate.mean;
        values[UX_HISTORY_LOW] = sample.estimate.mean - half;
        values[UX_HISTORY_HIGH] = sample.estimate.mean + half;

    } else if (n != 0) {
        x = ux_result_event_visitors(result, cells,
                                     ux_result_metric_event(which));
        x = x < n ? x : n;
        interval = ux_stats_wilson(x, n, UX_STATS_Z95);

        values[UX_HISTORY_VALUE] = (double) x / (double) n;
        values[UX_HISTORY_LOW] = interval.lo;
        values[UX_HISTORY_HIGH] = interval.hi;
    }

    if (comparison != NULL) {
        values[UX_HISTORY_LIFT] = comparison->now.lift;
        values[UX_HISTORY_LIFT_LOW] = comparison->now.lift_ci.lo;
        values[UX_HISTORY_LIFT_HIGH] = comparison->now.lift_ci.hi;
    }

    for (i = 0; i < UX_HISTORY_FIGURES; i++) {
        figures[i] = ux_result_history_float(values[i]);
    }
}


/* What is unbounded, or too large, is not shown. */
static float
ux_result_history_float(double value)
{
    return fabs(value) < 1e38 ? (float) value : NAN;
}
