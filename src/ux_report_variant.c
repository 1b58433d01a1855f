
/*
 * Copyright (C) the nginx-ux authors
 *
 * A variant in the report: visitors and metrics.
 */

#include "ux_report_private.h"
#include "ux_survey.h"

#include <math.h>
#include <stdio.h>


static void ux_report_put_in_window(ux_json_t *object,
    const ux_result_t *view, const ux_result_sum_t *sum,
    uint64_t visitors);
static void ux_report_put_conversion(ux_json_t *object,
    const ux_result_t *view, const ux_result_sum_t *sum,
    const ux_metric_t *metric);
static void ux_report_put_total(ux_json_t *object,
    const ux_result_t *view, const ux_result_sum_t *sum,
    const ux_metric_t *metric);
static void ux_report_put_ratio(ux_json_t *object,
    const ux_result_t *view, const ux_result_sum_t *sum,
    const ux_metric_t *metric);
static void ux_report_put_mean_interval(ux_json_t *object, const char *name,
    const ux_sample_t *sample);
static void ux_report_put_currency(ux_json_t *object,
    const ux_result_t *view, const ux_metric_t *metric);
static void ux_report_put_cap(ux_json_t *object, const ux_result_t *view,
    const ux_metric_t *metric);
static double ux_report_share(const ux_result_t *view,
    const ux_result_variant_t *variant);


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
ux_report_put_variant(ux_json_t *variants, ux_result_t *view,
    unsigned number, unsigned parts)
{
    uint64_t                    assigned, visitors;
    ux_json_t                  *object;
    ux_report_of_t              of;
    ux_report_key_t             key;
    const ux_result_sum_t      *sum;
    const ux_result_variant_t  *variant;

    variant = &view->experiment.variants[number];
    sum = &variant->sum;

    assigned = ux_result_count(sum->cells[UX_ARM_ASSIGNED]);
    visitors = ux_result_visitors(sum->cells);

    object = ux_json_object(variants, ux_report_key(&key, variant->name));

    ux_json_bool(object, "control", variant->control);
    ux_json_bool(object, "removed", variant->removed);
    ux_json_number(object, "weight", variant->weight);
    ux_json_number(object, "share", ux_report_share(view, variant));
    ux_report_put_count(object, "assigned", assigned);
    ux_report_put_count(object, "visitors", visitors);
    ux_report_put_rate(object, "confirmed_share", visitors, assigned);
    ux_report_put_in_window(object, view, sum, visitors);

    of.figures = variant;
    of.variant = number;
    of.segment = false;
    of.detail = (parts & UX_REPORT_DETAIL) != 0;
    of.control = NULL;

    ux_report_put_metrics(object, view, &of);

    if (parts & UX_REPORT_CONDUCT) {
        ux_report_put_funnels(object, view, &of);
        ux_report_put_journey(object, view, variant);
        ux_report_put_money(object, view, sum);
    }

    if (parts & UX_REPORT_SEGMENTS) {
        ux_report_put_segments(object, view, number);
    }

    if (!(parts & UX_REPORT_CONDUCT)) {
        return;
    }

    ux_report_put_sessions(object, sum);
    ux_report_put_surveys(object, view, variant, visitors);
    ux_report_put_http(object, view, variant);
    ux_report_put_vitals(object, view, variant);
}


/* Without a window it never closes; what is over knows none. */
static void
ux_report_put_in_window(ux_json_t *object, const ux_result_t *view,
    const ux_result_sum_t *sum, uint64_t visitors)
{
    uint64_t                       n;
    const ux_result_experiment_t  *experiment;

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
ux_report_put_metrics(ux_json_t *object, ux_result_t *view,
    const ux_report_of_t *of)
{
    unsigned                i;
    ux_str_t                type, role, better;
    ux_json_t              *metrics;
    const ux_metric_t      *metric;
    const ux_result_sum_t  *sum;

    static const char *const  betters[] = { "higher", "lower" };

    sum = &of->figures->sum;
    metrics = ux_json_object(object, "metrics");

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

        ux_report_put_comparison(object, view, of, i);
    }
}


ux_json_t *
ux_report_metric_object(ux_json_t *metrics, const ux_model_t *model,
    const ux_metric_t *metric)
{
    int              len;
    char             text[UX_NAME_MAX + 16];
    ux_str_t         name, type;
    ux_report_key_t  key;

    name = ux_result_metric_name(model, metric);
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
ux_report_put_conversion(ux_json_t *object, const ux_result_t *view,
    const ux_result_sum_t *sum, const ux_metric_t *metric)
{
    uint8_t   event;
    uint64_t  x, n;

    event = ux_result_metric_event(metric);
    x = ux_result_event_visitors(view, sum->cells, event);
    n = ux_result_visitors(sum->cells);

    ux_report_put_count(object, "visitors", x);
    ux_report_put_count(object, "events",
                        ux_result_event_count(view, sum->cells, event));
    ux_report_put_rate(object, "rate", x, n);
    ux_report_put_interval(object, "rate_ci", x, n);
}


/* A sum per visitor: money (mean) or events (count). */
static void
ux_report_put_total(ux_json_t *object, const ux_result_t *view,
    const ux_result_sum_t *sum, const ux_metric_t *metric)
{
    uint8_t      event;
    int64_t      total;
    uint64_t     n;
    ux_u128_t    squares;
    ux_sample_t  sample;

    total = ux_result_total(view, sum->cells, metric, &squares);
    n = ux_result_visitors(sum->cells);
    sample = ux_result_sample(view, sum->cells, metric, n);
    event = ux_result_metric_event(metric);

    if (metric->type == UX_METRIC_MEAN) {
        ux_report_put_currency(object, view, metric);
        ux_json_money(object, "sum", total, view->exponent);
        ux_report_put_cap(object, view, metric);

    } else {
        ux_json_int(object, "sum", total);
    }

    ux_json_number(object, "mean", sample.estimate.mean);
    ux_report_put_mean_interval(object, "mean_ci", &sample);
    ux_json_number(object, "variance",
                   ux_result_variance(view, sum->cells, metric));
    ux_report_put_count(object, "visitors",
                        ux_result_event_visitors(view, sum->cells, event));
    ux_report_put_count(object, "events",
                        ux_result_event_count(view, sum->cells, event));
}


/* Value per event, not per visitor. */
static void
ux_report_put_ratio(ux_json_t *object, const ux_result_t *view,
    const ux_result_sum_t *sum, const ux_metric_t *metric)
{
    uint8_t      event;
    int64_t      total;
    ux_u128_t    squares;
    ux_sample_t  sample;

    total = ux_result_total(view, sum->cells, metric, &squares);
    sample = ux_result_sample(view, sum->cells, metric,
                              ux_result_visitors(sum->cells));
    event = ux_result_metric_event(metric);

    ux_report_put_currency(object, view, metric);
    ux_json_money(object, "sum", total, view->exponent);
    ux_report_put_count(object, "visitors",
                        ux_result_event_visitors(view, sum->cells, event));
    ux_report_put_count(object, "events",
                        ux_result_event_count(view, sum->cells, event));
    ux_json_number(object, "ratio", sample.estimate.mean);
    ux_report_put_mean_interval(object, "ratio_ci", &sample);
}


/* Normal, 95 %, of one look: as descriptive as a rate's. */
static void
ux_report_put_mean_interval(ux_json_t *object, const char *name,
    const ux_sample_t *sample)
{
    double  half;

    half = UX_STATS_Z95 * sqrt(sample->estimate.error);

    ux_json_interval(object, name, sample->estimate.mean - half,
                     sample->estimate.mean + half);
}


/* An answer of a survey has none: it is a number. */
static void
ux_report_put_currency(ux_json_t *object, const ux_result_t *view,
    const ux_metric_t *metric)
{
    if (ux_survey_of(view->model, metric->event) == UX_SURVEYS) {
        ux_json_string(object, "currency",
                       ux_currency_code(view->model->currency));

    } else {
        ux_json_null(object, "currency");
    }
}


/* What a visitor's total was cut off at before it was added. */
static void
ux_report_put_cap(ux_json_t *object, const ux_result_t *view,
    const ux_metric_t *metric)
{
    int64_t  cap;

    cap = view->experiment.model->cap;

    if (cap > 0 && ux_survey_of(view->model, metric->event) == UX_SURVEYS) {
        ux_json_money(object, "cap", cap, view->exponent);

    } else {
        ux_json_null(object, "cap");
    }
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
ux_report_share(const ux_result_t *view,
    const ux_result_variant_t *variant)
{
    double                         sum;
    unsigned                       i;
    const ux_result_experiment_t  *experiment;

    experiment = &view->experiment;
    sum = 0;

    for (i = 0; i < experiment->nvariants; i++) {
        sum += experiment->variants[i].weight;
    }

    return sum > 0 ? variant->weight / sum : NAN;
}
