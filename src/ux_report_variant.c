
/*
 * Copyright (C) the nginx-ux authors
 *
 * A variant in the report: visitors, metrics and requests.
 *
 * The denominator of everything is the confirmed visitors.  Counters are
 * folded numerators first, so x <= n holds while they move; what a crossover
 * being taken out may still show for a moment is cut off at n.
 */

#include "ux_report_private.h"

#include <math.h>
#include <stdio.h>


static void ux_report_put_in_window(ux_json_t *object,
    const ux_report_view_t *view, const ux_report_sum_t *sum,
    uint64_t visitors);
static void ux_report_put_metrics(ux_json_t *variant,
    const ux_report_view_t *view, const ux_report_sum_t *sum);
static ux_json_t *ux_report_metric_object(ux_json_t *metrics,
    const ux_model_t *model, const ux_metric_t *metric);
static void ux_report_put_conversion(ux_json_t *object,
    const ux_report_view_t *view, const ux_report_sum_t *sum,
    const ux_metric_t *metric);
static void ux_report_put_total(ux_json_t *object,
    const ux_report_view_t *view, const ux_report_sum_t *sum,
    const ux_metric_t *metric);
static void ux_report_put_ratio(ux_json_t *object,
    const ux_report_view_t *view, const ux_report_sum_t *sum,
    const ux_metric_t *metric);
static void ux_report_put_cap(ux_json_t *object,
    const ux_report_view_t *view);
static int64_t ux_report_total(const ux_report_view_t *view,
    const ux_report_sum_t *sum, const ux_metric_t *metric,
    ux_u128_t *squares);
static uint8_t ux_report_total_slot(const ux_model_t *model,
    const ux_metric_t *metric);
static uint64_t ux_report_scale(const ux_report_view_t *view);
static double ux_report_share(const ux_report_view_t *view,
    const ux_report_variant_t *variant);


static const char *const  ux_report_types[] = {
    [UX_METRIC_CONVERSION] = "conversion",
    [UX_METRIC_MEAN] = "mean",
    [UX_METRIC_COUNT] = "count",
    [UX_METRIC_RATIO] = "ratio"
};

static const char *const  ux_report_roles[] = {
    [UX_ROLE_GOAL] = "goal",
    [UX_ROLE_SECONDARY] = "secondary",
    [UX_ROLE_GUARDRAIL] = "guardrail"
};


void
ux_report_put_variant(ux_json_t *variants, const ux_report_view_t *view,
    const ux_report_variant_t *variant)
{
    uint64_t                assigned, visitors;
    ux_json_t              *object;
    ux_report_key_t         key;
    const ux_report_sum_t  *sum;

    sum = &variant->sum;

    assigned = ux_report_count(sum->cells[UX_ARM_ASSIGNED]);
    visitors = ux_report_visitors(sum->cells);

    object = ux_json_object(variants, ux_report_key(&key, variant->name));

    ux_json_bool(object, "control", variant->control);
    ux_json_bool(object, "removed", variant->removed);
    ux_json_number(object, "weight", variant->weight);
    ux_json_number(object, "share", ux_report_share(view, variant));
    ux_report_put_count(object, "assigned", assigned);
    ux_report_put_count(object, "visitors", visitors);
    ux_report_put_rate(object, "confirmed_share", visitors, assigned);
    ux_report_put_in_window(object, view, sum, visitors);

    ux_report_put_metrics(object, view, sum);
    ux_report_put_funnels(object, view, sum);
    (void) ux_json_object(object, "segments");
    ux_report_put_http(object, sum->cells + UX_ARM_HTTP);
}


/* Without a window it never closes; what is over knows none. */
static void
ux_report_put_in_window(ux_json_t *object, const ux_report_view_t *view,
    const ux_report_sum_t *sum, uint64_t visitors)
{
    uint64_t                       n;
    const ux_report_experiment_t  *experiment;

    experiment = &view->experiment;

    if (experiment->model == NULL || experiment->past) {
        ux_json_null(object, "visitors_in_window");
        return;
    }

    n = (experiment->model->window_ms == 0) ? visitors : sum->in_window;

    ux_report_put_count(object, "visitors_in_window",
                        n < visitors ? n : visitors);
}


void
ux_report_put_http(ux_json_t *parent, const uint64_t *cells)
{
    unsigned    i;
    ux_json_t  *http, *status, *seconds;

    static const struct {
        unsigned     cell;
        const char  *name;
    }  classes[] = {
        { UX_HTTP_1XX, "1xx" },
        { UX_HTTP_2XX, "2xx" },
        { UX_HTTP_3XX, "3xx" },
        { UX_HTTP_4XX, "4xx" },
        { UX_HTTP_5XX, "5xx" },
        { UX_HTTP_CLIENT_ABORT, "client_abort" }
    };

    http = ux_json_object(parent, "http");

    ux_report_put_count(http, "requests",
                        ux_report_count(cells[UX_HTTP_REQUESTS]));

    status = ux_json_object(http, "status");

    for (i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        ux_report_put_count(status, classes[i].name,
                            ux_report_count(cells[classes[i].cell]));
    }

    ux_report_put_count(http, "error_visitors",
                        ux_report_count(cells[UX_HTTP_ERROR_VISITORS]));

    seconds = ux_json_object(http, "seconds");
    ux_report_put_nulls(seconds, "p50 p75 p95 p99");
}


uint64_t
ux_report_visitors(const uint64_t *cells)
{
    return ux_report_count(cells[UX_ARM_VISITORS]);
}


uint64_t
ux_report_event_visitors(const ux_report_view_t *view,
    const uint64_t *cells, uint8_t event)
{
    uint8_t   slot;
    uint64_t  x, n;

    slot = event < UX_EVENTS_MAX ? view->model->event_slots[event]
                                 : UX_SLOT_NONE;

    if (slot >= UX_EVENTS_MAX) {
        return 0;
    }

    x = ux_report_count(cells[UX_ARM_EVENT_VISITORS + slot]);
    n = ux_report_visitors(cells);

    return x < n ? x : n;
}


uint64_t
ux_report_event_count(const ux_report_view_t *view,
    const uint64_t *cells, uint8_t event)
{
    uint8_t  slot;

    slot = event < UX_EVENTS_MAX ? view->model->event_slots[event]
                                 : UX_SLOT_NONE;

    if (slot >= UX_EVENTS_MAX) {
        return 0;
    }

    return ux_report_count(cells[UX_ARM_EVENT_COUNT + slot]);
}


uint8_t
ux_report_metric_event(const ux_metric_t *metric)
{
    return metric->event == UX_METRIC_REVENUE ? UX_EVENT_PURCHASE
                                              : metric->event;
}


ux_str_t
ux_report_metric_name(const ux_model_t *model, const ux_metric_t *metric)
{
    ux_str_t  revenue = ux_str("revenue"), none = ux_str("");

    if (metric->event == UX_METRIC_REVENUE) {
        return revenue;
    }

    return metric->event < model->nevents ? model->events[metric->event]
                                          : none;
}


static void
ux_report_put_metrics(ux_json_t *variant, const ux_report_view_t *view,
    const ux_report_sum_t *sum)
{
    unsigned            i;
    ux_str_t            type, role, better;
    ux_json_t          *metrics, *object;
    const ux_metric_t  *metric;

    static const char *const  betters[] = { "higher", "lower" };

    metrics = ux_json_object(variant, "metrics");

    for (i = 0; i < view->experiment.model->nmetrics; i++) {
        metric = &view->experiment.model->metrics[i];
        object = ux_report_metric_object(metrics, view->model, metric);

        type = ux_report_word(ux_report_types, 4, metric->type);
        role = ux_report_word(ux_report_roles, 3, metric->role);
        better = ux_report_word(betters, 2, metric->lower_is_better);

        ux_json_string(object, "type", type);
        ux_json_string(object, "role", role);
        ux_json_string(object, "better", better);

        if (metric->type == UX_METRIC_CONVERSION) {
            ux_report_put_conversion(object, view, sum, metric);

        } else if (metric->type == UX_METRIC_RATIO) {
            ux_report_put_ratio(object, view, sum, metric);

        } else {
            ux_report_put_total(object, view, sum, metric);
        }

        if (metric->role == UX_ROLE_GUARDRAIL) {
            ux_json_null(object, "guardrail");
        }

        ux_json_null(object, "vs_control");
    }
}


/*
 * Named like its event; a second metric of the same event is told apart by
 * its type, as in "survey:count", and one more of that type is not shown.
 */
static ux_json_t *
ux_report_metric_object(ux_json_t *metrics, const ux_model_t *model,
    const ux_metric_t *metric)
{
    int              len;
    char             text[UX_NAME_MAX + 16];
    ux_str_t         name, type;
    ux_report_key_t  key;

    name = ux_report_metric_name(model, metric);
    (void) ux_report_key(&key, name);

    if (name.len == 0) {
        return NULL;
    }

    if (ux_json_get(metrics, name) == NULL) {
        return ux_json_object(metrics, key.text);
    }

    type = ux_report_word(ux_report_types, 4, metric->type);
    len = snprintf(text, sizeof(text), "%s:%s", key.text, type.data);

    name.data = text;
    name.len = (size_t) len;

    if (ux_json_get(metrics, name) != NULL) {
        return NULL;
    }

    return ux_json_object(metrics, text);
}


static void
ux_report_put_conversion(ux_json_t *object, const ux_report_view_t *view,
    const ux_report_sum_t *sum, const ux_metric_t *metric)
{
    uint8_t   event;
    uint64_t  x, n;

    event = ux_report_metric_event(metric);
    x = ux_report_event_visitors(view, sum->cells, event);
    n = ux_report_visitors(sum->cells);

    ux_report_put_count(object, "visitors", x);
    ux_report_put_count(object, "events",
                        ux_report_event_count(view, sum->cells, event));
    ux_report_put_rate(object, "rate", x, n);
    ux_report_put_interval(object, "rate_ci", x, n);
}


/* A sum per visitor: money (mean) or events (count). */
static void
ux_report_put_total(ux_json_t *object, const ux_report_view_t *view,
    const ux_report_sum_t *sum, const ux_metric_t *metric)
{
    uint8_t    event;
    double     variance;
    int64_t    total;
    uint64_t   n, scale;
    ux_u128_t  squares;

    total = ux_report_total(view, sum, metric, &squares);
    n = ux_report_visitors(sum->cells);
    event = ux_report_metric_event(metric);
    scale = 1;

    if (metric->type == UX_METRIC_MEAN) {
        scale = ux_report_scale(view);

        ux_json_string(object, "currency",
                       ux_currency_code(view->model->currency));
        ux_json_money(object, "sum", total, view->exponent);
        ux_report_put_cap(object, view);

    } else {
        ux_json_int(object, "sum", total);
    }

    variance = ux_stats_variance(n, total, squares);

    /* Scaled inside, for one rounding. */

    ux_json_number(object, "mean", ux_stats_mean(n * scale, total));
    ux_json_number(object, "variance",
                   variance / ((double) scale * (double) scale));
    ux_report_put_count(object, "visitors",
                        ux_report_event_visitors(view, sum->cells, event));
    ux_report_put_count(object, "events",
                        ux_report_event_count(view, sum->cells, event));
}


/* Value per event, not per visitor. */
static void
ux_report_put_ratio(ux_json_t *object, const ux_report_view_t *view,
    const ux_report_sum_t *sum, const ux_metric_t *metric)
{
    uint8_t    event;
    int64_t    total;
    uint64_t   events;
    ux_u128_t  squares;

    total = ux_report_total(view, sum, metric, &squares);
    event = ux_report_metric_event(metric);
    events = ux_report_event_count(view, sum->cells, event);

    ux_json_string(object, "currency",
                   ux_currency_code(view->model->currency));
    ux_json_money(object, "sum", total, view->exponent);
    ux_report_put_count(object, "visitors",
                        ux_report_event_visitors(view, sum->cells, event));
    ux_report_put_count(object, "events", events);
    ux_json_number(object, "ratio",
                   ux_stats_mean(events * ux_report_scale(view), total));
}


/* What a visitor's total was cut off at before it was added. */
static void
ux_report_put_cap(ux_json_t *object, const ux_report_view_t *view)
{
    int64_t  cap;

    cap = view->experiment.model->cap;

    if (cap > 0) {
        ux_json_money(object, "cap", cap, view->exponent);

    } else {
        ux_json_null(object, "cap");
    }
}


/* Limbs as in ux_counter.h; a negative sum of squares is a race: 0. */
static int64_t
ux_report_total(const ux_report_view_t *view, const ux_report_sum_t *sum,
    const ux_metric_t *metric, ux_u128_t *squares)
{
    uint8_t          slot;
    const uint64_t  *cells;

    *squares = 0;
    slot = ux_report_total_slot(view->model, metric);

    if (slot >= UX_TOTALS_MAX) {
        return 0;
    }

    cells = sum->cells + UX_ARM_TOTALS + slot * UX_TOTAL_CELLS;

    *squares = ((ux_u128_t) (int64_t) cells[UX_TOTAL_SQ_HI] << 64)
               + ((ux_u128_t) cells[UX_TOTAL_SQ_MID] << 32)
               + cells[UX_TOTAL_SQ_LO];

    if (*squares >> 127 != 0) {
        *squares = 0;
    }

    return (int64_t) cells[UX_TOTAL_SUM];
}


/*
 * Where the metric's sum is: a total of the same event and type, else one
 * that adds the same thing (a mean and a ratio both add values).
 */
static uint8_t
ux_report_total_slot(const ux_model_t *model, const ux_metric_t *metric)
{
    uint8_t            slot;
    unsigned           i;
    const ux_total_t  *total;

    if (metric->event == UX_METRIC_REVENUE) {
        return 0;
    }

    slot = UX_SLOT_NONE;

    for (i = 0; i < model->ntotals; i++) {
        total = &model->totals[i];

        if (total->event != metric->event
            || (total->type == UX_METRIC_COUNT)
               != (metric->type == UX_METRIC_COUNT))
        {
            continue;
        }

        slot = total->slot;

        if (total->type == metric->type) {
            break;
        }
    }

    return slot;
}


/* Minor units of a major one. */
static uint64_t
ux_report_scale(const ux_report_view_t *view)
{
    uint64_t  scale;
    unsigned  i;

    scale = 1;

    for (i = 0; i < view->exponent; i++) {
        scale *= 10;
    }

    return scale;
}


ux_str_t
ux_report_word(const char *const *words, unsigned n, unsigned i)
{
    ux_str_t     word;
    const char  *p;

    word.data = i < n ? words[i] : "";
    word.len = 0;

    for (p = word.data; *p != '\0'; p++) {
        word.len++;
    }

    return word;
}


/* Of the weights; NaN, and so null, when all are 0. */
static double
ux_report_share(const ux_report_view_t *view,
    const ux_report_variant_t *variant)
{
    double                         sum;
    unsigned                       i;
    const ux_report_experiment_t  *experiment;

    experiment = &view->experiment;
    sum = 0;

    for (i = 0; i < experiment->nvariants; i++) {
        sum += experiment->variants[i].weight;
    }

    return sum > 0 ? variant->weight / sum : NAN;
}
