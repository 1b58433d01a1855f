
/*
 * Copyright (C) the nginx-ux authors
 *
 * Every variant against the control, metric by metric, and what may be
 * concluded from all of them together.
 *
 * Goals are one family (Holm on running minima), secondary metrics another
 * (e-BH on the evidence as it is), a guardrail stands for itself: it is there
 * to warn.  Intervals have the level alpha over the size of the family.
 */

#include "ux_result.h"
#include "ux_multiple.h"

#include <math.h>
#include <string.h>


static void ux_result_compare_all(ux_result_t *result);
static void ux_result_compare_one(ux_result_t *result, unsigned variant,
    unsigned metric);
static void ux_result_levels(ux_result_t *result);
static bool ux_result_compare_look(ux_result_t *result, unsigned n,
    const ux_analysis_t *analysis, const ux_metric_t *metric,
    ux_result_comparison_t *comparison);
static void ux_result_mark(ux_result_t *result, unsigned n);
static unsigned ux_result_family(const ux_result_t *result, ux_role_e role);
static bool ux_result_member(const ux_result_t *result, unsigned variant,
    unsigned metric);
static void ux_result_adjust(ux_result_t *result, ux_role_e role);
static void ux_result_significance(ux_result_t *result);
static ux_guard_e ux_result_guard(const ux_metric_t *metric,
    const ux_interval_t *lift);
static void ux_result_assigned(ux_result_t *result);
static const ux_metric_t *ux_result_goal(const ux_result_t *result);
static ux_posterior_t ux_result_posterior(const ux_result_t *result,
    const ux_comparison_t *now, unsigned epochs);
static ux_result_comparison_t *ux_result_at(const ux_result_t *result,
    unsigned variant, unsigned metric);


void
ux_result_compare(ux_result_t *result)
{
    size_t                   n;
    ux_result_experiment_t  *experiment;

    experiment = &result->experiment;
    n = (size_t) experiment->nvariants * experiment->model->nmetrics;

    if (experiment->entry == UX_RESULT_END || n == 0 || n > result->room) {
        return;
    }

    experiment->comparisons = result->comparisons;
    memset(experiment->comparisons, 0, n * sizeof(ux_result_comparison_t));

    experiment->kept = !experiment->past
                       && ux_store_evidence_lock(result->store) == UX_OK;

    ux_result_evidence_load(result);
    ux_result_compare_all(result);

    if (experiment->kept) {
        ux_result_evidence_store_locked(result);
        ux_store_evidence_unlock(result->store);
    }

    if (!result->brief) {
        ux_result_assigned(result);
    }
}


/* Looks first: what they add to a family belongs to it at once. */
static void
ux_result_compare_all(ux_result_t *result)
{
    unsigned                       v, m;
    const ux_result_experiment_t  *experiment;

    experiment = &result->experiment;

    for (v = 1; v < experiment->nvariants; v++) {

        for (m = 0; m < experiment->model->nmetrics; m++) {
            ux_result_compare_one(result, v, m);
        }
    }

    ux_result_levels(result);
    ux_result_adjust(result, UX_ROLE_GOAL);
    ux_result_adjust(result, UX_ROLE_SECONDARY);
    ux_result_significance(result);
}


static void
ux_result_compare_one(ux_result_t *result, unsigned variant, unsigned metric)
{
    unsigned                 n;
    ux_analysis_t            analysis;
    const ux_metric_t       *of;
    ux_result_comparison_t  *comparison;
    const ux_experiment_t   *model;

    model = result->experiment.model;
    of = &model->metrics[metric];
    comparison = ux_result_at(result, variant, metric);

    analysis.alpha = model->alpha;
    analysis.planned = model->planned;
    analysis.level = model->alpha;

    n = ux_result_strata(result, variant, of, false);

    comparison->now = ux_compare(result->strata, n, result->used,
                                 of->type == UX_METRIC_CONVERSION,
                                 &analysis);
    comparison->better = of->lower_is_better
                         ? comparison->now.pooled.difference < 0
                         : comparison->now.pooled.difference > 0;
    comparison->p_adjusted = NAN;

    comparison->changed = ux_result_compare_look(result, n, &analysis, of,
                                                 comparison);

    if (of->role == UX_ROLE_GOAL) {
        ux_result_mark(result, n);
    }
}


/* Intervals at alpha over the size of the family. */
static void
ux_result_levels(ux_result_t *result)
{
    unsigned                 v, m, families[3], family;
    ux_analysis_t            analysis;
    const ux_experiment_t   *model;
    ux_result_comparison_t  *comparison;

    model = result->experiment.model;

    families[UX_ROLE_GOAL] = ux_result_family(result, UX_ROLE_GOAL);
    families[UX_ROLE_SECONDARY] = ux_result_family(result, UX_ROLE_SECONDARY);
    families[UX_ROLE_GUARDRAIL] = 1;

    analysis.alpha = model->alpha;
    analysis.planned = model->planned;

    for (v = 1; v < result->experiment.nvariants; v++) {

        for (m = 0; m < model->nmetrics; m++) {
            comparison = ux_result_at(result, v, m);
            family = families[model->metrics[m].role];

            comparison->level = model->alpha / (family > 0 ? family : 1);
            analysis.level = comparison->level;

            ux_compare_intervals(&comparison->now, &analysis);
        }
    }
}


/* One that cannot be kept is none: the next p would be the larger one. */
static bool
ux_result_compare_look(ux_result_t *result, unsigned n,
    const ux_analysis_t *analysis, const ux_metric_t *metric,
    ux_result_comparison_t *comparison)
{
    ux_fixed_t              fixed, *frozen;
    const ux_comparison_t  *now;

    if (!result->experiment.kept || comparison->entry == UX_RESULT_END) {
        return false;
    }

    now = &comparison->now;
    frozen = NULL;

    if (comparison->evidence.fixed_visitors == 0
        && now->pooled.visitors_a + now->pooled.visitors_b
           >= analysis->planned)
    {
        fixed = metric->type == UX_METRIC_RATIO
                ? ux_stats_normal(now->pooled.difference, now->pooled.error,
                                  analysis->alpha)
                : ux_compare_fixed(result->strata, n, now, analysis->alpha);
        frozen = &fixed;
    }

    return ux_evidence_look(&comparison->evidence, now,
                            ux_result_quiet(result), analysis, frozen,
                            result->now_ms);
}


/* Epochs that a goal's estimate is made of. */
static void
ux_result_mark(ux_result_t *result, unsigned n)
{
    unsigned  i;

    for (i = 0; i < n; i++) {

        if (result->used[i]) {
            result->tree.links[result->epochs[i]].used = true;
        }
    }
}


static unsigned
ux_result_family(const ux_result_t *result, ux_role_e role)
{
    unsigned                       n, v, m;
    const ux_result_experiment_t  *experiment;

    experiment = &result->experiment;
    n = 0;

    for (v = 1; v < experiment->nvariants; v++) {

        for (m = 0; m < experiment->model->nmetrics; m++) {
            n += experiment->model->metrics[m].role == role
                 && ux_result_member(result, v, m);
        }
    }

    return n;
}


/*
 * One that takes visitors, or that was ever compared; of what is past only
 * what it was analysed by, not all that was counted.
 */
static bool
ux_result_member(const ux_result_t *result, unsigned variant,
    unsigned metric)
{
    const ux_result_comparison_t  *comparison;

    comparison = ux_result_at(result, variant, metric);

    if (result->experiment.past && comparison->entry == UX_RESULT_END) {
        return false;
    }

    return ux_result_compared(result, variant)
           || comparison->evidence.looked_ms != 0;
}


static void
ux_result_adjust(ux_result_t *result, ux_role_e role)
{
    double                        *values, *adjusted;
    unsigned                       n, v, m;
    ux_status_t                    status;
    ux_result_comparison_t        *comparison;
    const ux_result_experiment_t  *experiment;

    experiment = &result->experiment;
    values = result->values;
    adjusted = result->values + result->room;
    n = 0;

    for (v = 1; v < experiment->nvariants; v++) {

        for (m = 0; m < experiment->model->nmetrics; m++) {
            comparison = ux_result_at(result, v, m);

            if (experiment->model->metrics[m].role == role
                && ux_result_member(result, v, m))
            {
                values[n++] = role == UX_ROLE_GOAL
                              ? ux_evidence_p(&comparison->evidence)
                              : comparison->now.log_e;
            }
        }
    }

    status = role == UX_ROLE_GOAL ? ux_multiple_holm(values, n, adjusted)
                                  : ux_multiple_e_bh(values, n, adjusted);

    if (status != UX_OK) {
        return;
    }

    n = 0;

    for (v = 1; v < experiment->nvariants; v++) {

        for (m = 0; m < experiment->model->nmetrics; m++) {

            if (experiment->model->metrics[m].role == role
                && ux_result_member(result, v, m))
            {
                ux_result_at(result, v, m)->p_adjusted = adjusted[n++];
            }
        }
    }
}


static void
ux_result_significance(ux_result_t *result)
{
    bool                           quiet, runtime;
    unsigned                       v, m;
    const ux_metric_t             *metric;
    ux_result_comparison_t        *comparison;
    const ux_result_experiment_t  *experiment;

    experiment = &result->experiment;
    quiet = ux_result_quiet(result);
    runtime = ux_result_runtime_met(result);

    for (v = 1; v < experiment->nvariants; v++) {

        for (m = 0; m < experiment->model->nmetrics; m++) {
            metric = &experiment->model->metrics[m];
            comparison = ux_result_at(result, v, m);

            if (metric->role == UX_ROLE_GUARDRAIL) {
                comparison->p_adjusted =
                    ux_evidence_p(&comparison->evidence);
                comparison->guard = ux_result_guard(metric,
                                                &comparison->now.lift_ci);
            }

            comparison->significant =
                ux_evidence_significant(&comparison->evidence,
                                        &comparison->now,
                                        comparison->p_adjusted, quiet,
                                        runtime, experiment->model->alpha);

            if (comparison->significant && experiment->kept
                && comparison->evidence.significant_ms == 0)
            {
                comparison->evidence.significant_ms = result->now_ms;
                comparison->changed = true;
            }
        }
    }
}


/* Worse by the margin for sure, not so bad for sure, or neither. */
static ux_guard_e
ux_result_guard(const ux_metric_t *metric, const ux_interval_t *lift)
{
    double  best, worst;

    best = metric->lower_is_better ? -lift->lo : lift->hi;
    worst = metric->lower_is_better ? -lift->hi : lift->lo;

    if (best < -metric->margin) {
        return UX_GUARD_HARMED;
    }

    return worst > -metric->margin ? UX_GUARD_OK : UX_GUARD_UNCLEAR;
}


/* The first goal over all assigned: no running minimum, as they are. */
static void
ux_result_assigned(ux_result_t *result)
{
    unsigned                 v, n;
    ux_analysis_t            analysis;
    ux_comparison_t          now;
    const ux_metric_t       *goal;
    ux_result_variant_t     *variant;
    const ux_experiment_t   *model;

    model = result->experiment.model;
    goal = ux_result_goal(result);

    if (goal == NULL) {
        return;
    }

    analysis.alpha = model->alpha;
    analysis.planned = model->planned;
    analysis.level = analysis.alpha;

    for (v = 0; v < result->experiment.nvariants; v++) {
        variant = &result->experiment.variants[v];

        variant->assigned_mean =
            ux_result_sample(result, variant->sum.cells, goal,
                ux_result_count(variant->sum.cells[UX_ARM_ASSIGNED])
            ).estimate.mean;

        if (v > 0) {
            n = ux_result_strata(result, v, goal, true);
            now = ux_compare_look(result->strata, n,
                                  goal->type == UX_METRIC_CONVERSION,
                                  &analysis);
            variant->assigned_difference = now.pooled.difference;
            variant->assigned_p = now.p_now;
            variant->assigned_adjusted = now.pooled.b.mean;
            variant->assigned_control = now.pooled.a.mean;
        }
    }
}


static const ux_metric_t *
ux_result_goal(const ux_result_t *result)
{
    unsigned                i;
    const ux_experiment_t  *model;

    model = result->experiment.model;

    for (i = 0; i < model->nmetrics; i++) {

        if (model->metrics[i].role == UX_ROLE_GOAL) {
            return &model->metrics[i];
        }
    }

    return NULL;
}


const ux_result_comparison_t *
ux_result_detail(ux_result_t *result, unsigned variant, unsigned metric)
{
    unsigned                 n;
    ux_result_comparison_t  *comparison;

    if (variant == 0 || result->experiment.comparisons == NULL) {
        return NULL;
    }

    comparison = ux_result_at(result, variant, metric);

    if (comparison->detailed) {
        return comparison;
    }

    n = ux_result_strata(result, variant,
                         &result->experiment.model->metrics[metric], false);

    comparison->detailed = true;
    comparison->exact_lift.lo = NAN;
    comparison->exact_lift.hi = NAN;

    if (comparison->now.conversion) {
        comparison->exact_lift = ux_split_lift(result->strata, n,
                                               UX_SPLIT_CONVERSIONS,
                                               comparison->level);
    }

    comparison->posterior = ux_result_posterior(result, &comparison->now, n);

    return comparison;
}


/* Beta posteriors where one epoch makes the estimate, else normal. */
static ux_posterior_t
ux_result_posterior(const ux_result_t *result, const ux_comparison_t *now,
    unsigned epochs)
{
    ux_beta_t           a, b;
    const ux_pooled_t  *pooled;

    static const ux_beta_t       prior = { 1, 1 };
    static const ux_posterior_t  none = { NAN, NAN, NAN, NAN };

    pooled = &now->pooled;

    if (!now->conversion || epochs != 1 || pooled->used != 1) {

        /* A normal one needs the gate, as the sequence does. */

        return now->gate && pooled->error > 0
               ? ux_posterior_normal(pooled->difference, pooled->error)
               : none;
    }

    a = ux_posterior_beta(pooled->converters_a, pooled->visitors_a, prior);
    b = ux_posterior_beta(pooled->converters_b, pooled->visitors_b, prior);

    return ux_posterior_kept(result->posteriors, a, b);
}


const ux_result_comparison_t *
ux_result_comparison(const ux_result_t *result, unsigned variant,
    unsigned metric)
{
    if (variant == 0 || result->experiment.comparisons == NULL) {
        return NULL;
    }

    return ux_result_at(result, variant, metric);
}


static ux_result_comparison_t *
ux_result_at(const ux_result_t *result, unsigned variant, unsigned metric)
{
    return &result->experiment.comparisons[
               variant * result->experiment.model->nmetrics + metric];
}
