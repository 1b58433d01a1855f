
/*
 * Copyright (C) the nginx-ux authors
 *
 * Segments in the report: of each variant what its values counted, and for the
 * experiment whether a variant does better with some of them than with others.
 *
 * Nothing here decides anything: every figure that compares says so.
 */

#include "ux_report_private.h"

#include <math.h>


static void ux_report_put_value(ux_json_t *segment, ux_result_t *view,
    unsigned variant, unsigned value);
static const ux_result_variant_t *ux_report_value_control(ux_result_t *view,
    unsigned variant, unsigned value);
static unsigned ux_report_value_at(const ux_segment_t *segment, unsigned n);
static void ux_report_put_effects(ux_json_t *object, ux_result_t *view,
    const ux_segment_t *segment, unsigned metric);
static ux_result_heterogeneity_t ux_report_effects(ux_result_t *view,
    const ux_segment_t *segment, unsigned variant, unsigned metric);


void
ux_report_put_segments(ux_json_t *variant, ux_result_t *view, unsigned number)
{
    unsigned             i, n;
    ux_json_t           *segments, *object;
    ux_report_key_t      key;
    const ux_segment_t  *segment;

    segments = ux_json_object(variant, "segments");

    for (i = 0; i < view->model->nsegments; i++) {
        segment = &view->model->segments[i];
        object = ux_json_object(segments, ux_report_key(&key, segment->name));

        for (n = 0; n < segment->nvalues; n++) {
            ux_report_put_value(object, view, number,
                                ux_report_value_at(segment, n));
        }
    }
}


/* In the order they were given; "other" last. */
static unsigned
ux_report_value_at(const ux_segment_t *segment, unsigned n)
{
    return segment->first + (n + 1) % segment->nvalues;
}


static void
ux_report_put_value(ux_json_t *segment, ux_result_t *view, unsigned variant,
    unsigned value)
{
    ux_json_t        *object;
    ux_report_of_t    of;
    ux_report_key_t   key;

    ux_result_segment(view, variant, value, &view->segments[0]);

    of.figures = &view->segments[0];
    of.variant = variant;
    of.segment = true;
    of.detail = false;
    of.control = ux_report_value_control(view, variant, value);

    object = ux_json_object(segment,
                            ux_report_key(&key,
                                          view->model->values[value].name));

    ux_report_put_count(object, "assigned",
                ux_result_count(of.figures->sum.cells[UX_ARM_ASSIGNED]));
    ux_report_put_count(object, "visitors",
                        ux_result_visitors(of.figures->sum.cells));

    ux_report_put_metrics(object, view, &of);
    ux_report_put_funnels(object, view, &of);
    ux_report_put_sessions(object, &of.figures->sum);
}


/* NULL: the variant is the control, or there is none. */
static const ux_result_variant_t *
ux_report_value_control(ux_result_t *view, unsigned variant, unsigned value)
{
    if (variant == 0 || !view->experiment.variants[0].control) {
        return NULL;
    }

    ux_result_segment(view, 0, value, &view->segments[1]);

    return &view->segments[1];
}


void
ux_report_put_value_versus(ux_json_t *object, const ux_result_t *view,
    const ux_report_of_t *of, unsigned metric)
{
    ux_str_t            status;
    ux_json_t          *versus;
    ux_result_versus_t  found;

    if (of->control == NULL) {
        ux_json_null(object, "vs_control");
        return;
    }

    found = ux_result_segment_versus(view, of->figures, of->control,
                                &view->experiment.model->metrics[metric]);
    status = ux_report_text(found.status == UX_STATS_REJECT
                            ? "mixed_weights"
                            : ux_stats_status_name(found.status));

    versus = ux_json_object(object, "vs_control");

    ux_json_string(versus, "status", status);
    ux_json_number(versus, "difference", found.difference);
    ux_json_interval(versus, "difference_ci", found.difference_ci.lo,
                     found.difference_ci.hi);
    ux_json_number(versus, "lift", found.lift);
    ux_json_interval(versus, "lift_ci", found.lift_ci.lo, found.lift_ci.hi);
    ux_json_number(versus, "ci_level", 0.95);
    ux_json_bool(versus, "exploratory", true);
    ux_json_bool(versus, "peeking_safe", false);
}


void
ux_report_put_heterogeneity(ux_json_t *experiment, ux_result_t *view)
{
    unsigned             i, m;
    ux_json_t           *segments, *segment, *object;
    ux_report_key_t      key;
    const ux_segment_t  *of;

    segments = ux_json_object(experiment, "segments");

    for (i = 0; i < view->model->nsegments; i++) {
        of = &view->model->segments[i];
        segment = ux_json_object(segments, ux_report_key(&key, of->name));

        for (m = 0; m < view->experiment.model->nmetrics; m++) {
            object = ux_report_metric_object(segment, view->model,
                                      &view->experiment.model->metrics[m]);
            ux_report_put_effects(object, view, of, m);
        }
    }
}


/* Of every variant but the control. */
static void
ux_report_put_effects(ux_json_t *object, ux_result_t *view,
    const ux_segment_t *segment, unsigned metric)
{
    unsigned                    v;
    ux_json_t                  *effect;
    ux_report_key_t             key;
    ux_result_heterogeneity_t   found;

    for (v = 1; v < view->experiment.nvariants; v++) {
        found = ux_report_effects(view, segment, v, metric);

        effect = ux_json_object(object,
                     ux_report_key(&key, view->experiment.variants[v].name));

        ux_json_number(effect, "heterogeneity_p", found.p);
        ux_json_number(effect, "q", found.q);
        ux_json_int(effect, "values", found.values);
        ux_json_bool(effect, "exploratory", true);
        ux_json_bool(effect, "peeking_safe", false);
    }
}


static ux_result_heterogeneity_t
ux_report_effects(ux_result_t *view, const ux_segment_t *segment,
    unsigned variant, unsigned metric)
{
    unsigned                    i;
    ux_result_versus_t          found[UX_SEGMENT_VALUES];
    const ux_result_variant_t  *control;

    for (i = 0; i < segment->nvalues; i++) {
        ux_result_segment(view, variant, segment->first + i,
                          &view->segments[0]);
        control = ux_report_value_control(view, variant, segment->first + i);

        found[i].error = NAN;

        if (control != NULL) {
            found[i] = ux_result_segment_versus(view, &view->segments[0],
                                control,
                                &view->experiment.model->metrics[metric]);
        }
    }

    return ux_result_heterogeneity(found, segment->nvalues);
}
