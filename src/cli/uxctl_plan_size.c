
/*
 * Copyright (C) the nginx-ux authors
 *
 * uxctl plan: sizes by the core's formulas, and effects by bisection where it
 * has none.
 *
 * Each variant is compared with the control; alpha is shared out over these
 * comparisons (Bonferroni), which holds for Holm's procedure too.
 */

#include "uxctl_plan.h"

#include <math.h>

#include "../ux_power.h"


#define UXCTL_PLAN_BISECTIONS  200
#define UXCTL_PLAN_SMALLEST    1e-9    /* relative effect */


static void uxctl_plan_days(const uxctl_plan_t *plan, double n,
    uxctl_plan_size_t *size);
static double uxctl_plan_needs(const uxctl_plan_t *plan, double alpha,
    double effect, bool sequential);
static double uxctl_plan_effect(const uxctl_plan_t *plan, double alpha,
    bool sequential);


void
uxctl_plan_size(const uxctl_plan_t *plan, uxctl_plan_result_t *result)
{
    double  alpha;

    alpha = plan->alpha / (plan->variants - 1);

    result->alpha = alpha;

    uxctl_plan_days(plan, uxctl_plan_needs(plan, alpha, plan->effect, false),
                    &result->fixed);
    uxctl_plan_days(plan, uxctl_plan_needs(plan, alpha, plan->effect, true),
                    &result->sequential);

    result->fixed.effect = uxctl_plan_effect(plan, alpha, false);
    result->sequential.effect = uxctl_plan_effect(plan, alpha, true);
}


/* NaN stays NaN. */
static void
uxctl_plan_days(const uxctl_plan_t *plan, double n, uxctl_plan_size_t *size)
{
    size->per_variant = ceil(n);
    size->visitors = size->per_variant * plan->variants;
    size->days = ceil(size->visitors / plan->traffic);
}


static double
uxctl_plan_needs(const uxctl_plan_t *plan, double alpha, double effect,
    bool sequential)
{
    double  from, to;

    from = plan->baseline;
    to = from * (1 + effect);

    if (isnan(effect)) {
        return NAN;
    }

    if (isnan(plan->variance)) {
        return sequential
               ? ux_power_sequential(from, to, alpha, plan->power,
                                     plan->planned)
               : ux_power_proportions(from, to, alpha, plan->power);
    }

    return sequential
           ? ux_power_sequential_means(to - from, plan->variance, alpha,
                                       plan->power, plan->planned)
           : ux_power_means(to - from, plan->variance, alpha, plan->power);
}


/* The smallest rise that `days` of `traffic` find; NaN if no rise is found. */
static double
uxctl_plan_effect(const uxctl_plan_t *plan, double alpha, bool sequential)
{
    double    n, lo, hi, middle;
    unsigned  i;

    n = plan->traffic * plan->days / plan->variants;

    if (isnan(n)) {
        return NAN;
    }

    if (isnan(plan->variance) && !sequential) {
        return ux_power_mde(plan->baseline, n, alpha, plan->power)
               / plan->baseline;
    }

    lo = UXCTL_PLAN_SMALLEST;
    hi = isnan(plan->variance) ? (1 - plan->baseline) / plan->baseline
                                 * (1 - UXCTL_PLAN_SMALLEST)
                               : 1 / UXCTL_PLAN_SMALLEST;

    if (!(uxctl_plan_needs(plan, alpha, hi, sequential) <= n)) {
        return NAN;
    }

    /* Of logarithms: effects are of any size. */

    for (i = 0; i < UXCTL_PLAN_BISECTIONS; i++) {
        middle = sqrt(lo) * sqrt(hi);

        if (uxctl_plan_needs(plan, alpha, middle, sequential) <= n) {
            hi = middle;

        } else {
            lo = middle;
        }
    }

    return hi;
}
