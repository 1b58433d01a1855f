
/*
 * Copyright (C) the nginx-ux authors
 *
 * A variant against the control: the figures that may be looked at as often
 * as one likes, and beside them, marked, those that may not.
 */

#include "ux_report_private.h"

#include <math.h>


static void ux_report_put_difference(ux_json_t *object,
    const ux_result_comparison_t *comparison);
static void ux_report_put_evidence(ux_json_t *object,
    const ux_result_comparison_t *comparison);
static void ux_report_put_exact(ux_json_t *object,
    const ux_result_comparison_t *comparison, bool quiet);
static void ux_report_put_bayesian(ux_json_t *object,
    const ux_result_comparison_t *comparison, bool lower_is_better);
static void ux_report_put_fixed(ux_json_t *object,
    const ux_result_comparison_t *comparison);


static const char *const  ux_report_guards[] = {
    [UX_GUARD_NONE] = "unclear",
    [UX_GUARD_OK] = "ok",
    [UX_GUARD_UNCLEAR] = "unclear",
    [UX_GUARD_HARMED] = "harmed"
};


void
ux_report_put_comparison(ux_json_t *object, ux_result_t *view,
    const ux_report_of_t *of, unsigned metric)
{
    ux_str_t                       guard;
    const ux_result_comparison_t  *comparison;

    comparison = of->segment ? NULL
                 : ux_result_comparison(view, of->variant, metric);

    if (view->experiment.model->metrics[metric].role == UX_ROLE_GUARDRAIL) {

        if (comparison != NULL) {
            guard = ux_report_word(ux_report_guards, 4, comparison->guard);
            ux_json_string(object, "guardrail", guard);

        } else {
            ux_json_null(object, "guardrail");
        }
    }

    ux_report_put_versus(object, view, of, metric);
}


void
ux_report_put_versus(ux_json_t *object, ux_result_t *view,
    const ux_report_of_t *of, unsigned metric)
{
    ux_json_t                     *versus;
    const ux_metric_t             *which;
    const ux_result_comparison_t  *comparison;

    if (metric >= view->experiment.model->nmetrics) {
        ux_json_null(object, "vs_control");
        return;
    }

    if (of->segment) {
        ux_report_put_value_versus(object, view, of, metric);
        return;
    }

    comparison = of->detail
                 ? ux_result_detail(view, of->variant, metric)
                 : ux_result_comparison(view, of->variant, metric);

    if (comparison == NULL) {
        ux_json_null(object, "vs_control");
        return;
    }

    which = &view->experiment.model->metrics[metric];
    versus = ux_json_object(object, "vs_control");

    ux_report_put_difference(versus, comparison);
    ux_report_put_evidence(versus, comparison);

    if (of->detail) {
        ux_report_put_exact(versus, comparison, ux_result_quiet(view));
        ux_report_put_bayesian(versus, comparison, which->lower_is_better);
    }

    ux_report_put_fixed(versus, comparison);
}


static void
ux_report_put_difference(ux_json_t *object,
    const ux_result_comparison_t *comparison)
{
    const ux_comparison_t  *now;

    now = &comparison->now;

    ux_json_string(object, "status",
                   ux_report_text(ux_stats_status_name(now->status)));
    ux_json_number(object, "difference", now->pooled.difference);
    ux_json_interval(object, "difference_ci", now->difference_ci.lo,
                     now->difference_ci.hi);
    ux_json_number(object, "lift", now->lift);
    ux_json_interval(object, "lift_ci", now->lift_ci.lo, now->lift_ci.hi);
    ux_json_number(object, "ci_level", 1 - comparison->level);
}


static void
ux_report_put_evidence(ux_json_t *object,
    const ux_result_comparison_t *comparison)
{
    const ux_evidence_t  *evidence;
    const ux_comparison_t  *now;

    now = &comparison->now;
    evidence = &comparison->evidence;

    ux_json_number(object, "p_value", ux_evidence_p(evidence));
    ux_json_number(object, "p_now", now->p_now);
    ux_json_number(object, "p_adjusted", comparison->p_adjusted);
    ux_json_bool(object, "significant", comparison->significant);
    ux_json_time(object, "significant_at",
                 comparison->significant ? evidence->significant_ms : 0);
    ux_json_number(object, "rate_adjusted", now->pooled.b.mean);
    ux_json_number(object, "control_rate_adjusted", now->pooled.a.mean);
    ux_report_put_count(object, "visitors",
                        now->pooled.visitors_a + now->pooled.visitors_b);
}


/*
 * Of conversions only; it takes for granted that the weights hold.  The
 * interval may have no upper end: [lo, null].
 */
static void
ux_report_put_exact(ux_json_t *object,
    const ux_result_comparison_t *comparison, bool quiet)
{
    ux_json_t  *exact, *interval;

    if (!comparison->now.conversion) {
        ux_json_null(object, "exact");
        return;
    }

    exact = ux_json_object(object, "exact");

    if (!quiet) {
        ux_report_put_nulls(exact, "p_value lift_ci");
        return;
    }

    ux_json_number(exact, "p_value",
                   comparison->entry != UX_RESULT_END
                   ? ux_evidence_exact_p(&comparison->evidence) : NAN);

    if (isnan(comparison->exact_lift.lo)) {
        ux_json_null(exact, "lift_ci");
        return;
    }

    interval = ux_json_array(exact, "lift_ci");
    ux_json_number(interval, NULL, comparison->exact_lift.lo);
    ux_json_number(interval, NULL, comparison->exact_lift.hi);
}


/* Better and loss are said in the metric's better direction. */
static void
ux_report_put_bayesian(ux_json_t *object,
    const ux_result_comparison_t *comparison, bool lower_is_better)
{
    ux_json_t             *bayesian;
    const ux_posterior_t  *posterior;

    posterior = &comparison->posterior;

    ux_json_number(object, "probability_better",
                   lower_is_better ? posterior->worse : posterior->better);
    ux_json_number(object, "expected_loss",
                   lower_is_better ? posterior->loss_a : posterior->loss_b);

    bayesian = ux_json_object(object, "bayesian");
    ux_json_bool(bayesian, "peeking_safe", false);
}


/* Computed once, when the pair reached its planned size; null before. */
static void
ux_report_put_fixed(ux_json_t *object,
    const ux_result_comparison_t *comparison)
{
    bool                  valid;
    ux_json_t            *fixed;
    const ux_evidence_t  *evidence;

    evidence = &comparison->evidence;
    valid = evidence->fixed_visitors != 0;

    fixed = ux_json_object(object, "fixed_horizon");

    ux_json_number(fixed, "p_value", valid ? evidence->fixed_p : NAN);
    ux_json_interval(fixed, "difference_ci",
                     valid ? evidence->fixed_lo : NAN, evidence->fixed_hi);
    ux_json_bool(fixed, "valid", valid);
    ux_json_bool(fixed, "peeking_safe", false);
}
