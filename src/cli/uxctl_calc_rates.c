
/*
 * Copyright (C) the nginx-ux authors
 *
 * uxctl calc: conversion rates, and looks at the confidence sequence.
 */

#include "uxctl_calc.h"

#include <math.h>
#include <string.h>


#define UXCTL_RATES_EPOCHS  4096


static void uxctl_rates_wilson(uxctl_calc_t *calc);
static void uxctl_rates_difference(uxctl_calc_t *calc);
static void uxctl_rates_lift(uxctl_calc_t *calc);
static void uxctl_rates_asymptotic(uxctl_calc_t *calc);
static void uxctl_rates_sequential(uxctl_calc_t *calc);
static ux_stats_status_e uxctl_rates_status(uxctl_calc_rate_t a,
    uxctl_calc_rate_t b);
static void uxctl_rates_stratified(uxctl_calc_t *calc);
static ux_stratum_t uxctl_rates_stratum(uxctl_calc_t *calc,
    const ux_json_t *node);
static void uxctl_rates_funnel(uxctl_calc_t *calc);
static uint64_t *uxctl_rates_steps(uxctl_calc_t *calc, unsigned *n);
static void uxctl_rates_reject(uxctl_calc_t *calc);


const uxctl_calc_kind_t  uxctl_calc_rate_kinds[] = {

    { "wilson_ci", uxctl_rates_wilson, "conversions, visitors, confidence" },

    { "two_proportion_diff", uxctl_rates_difference, "a: A, b: B, alpha" },

    { "relative_uplift_proportion", uxctl_rates_lift, "a: A, b: B, alpha" },

    { "asymptotic_cs", uxctl_rates_asymptotic,
      "estimate, se, n_total, n_star, alpha" },

    { "uplift_fieller_sequential", uxctl_rates_sequential,
      "a: A, b: B, n_star, alpha" },

    { "stratified_sequential", uxctl_rates_stratified,
      "epochs: [{a: A, b: B}, ...], n_star, alpha" },

    { "funnel_counts", uxctl_rates_funnel, "steps: [visitors, ...]" },

    { "reject_input", uxctl_rates_reject,
      "any of the fields of the others: is it possible?" },

    { NULL, NULL, NULL }
};


static void
uxctl_rates_wilson(uxctl_calc_t *calc)
{
    double             alpha;
    ux_interval_t      ci;
    uxctl_calc_rate_t  rate;

    rate = uxctl_calc_rate(calc, calc->in);
    alpha = uxctl_calc_alpha(calc);

    if (calc->rejected) {
        return;
    }

    ci = ux_stats_wilson(rate.x, rate.n, uxctl_calc_z(alpha));

    uxctl_calc_status(calc, rate.n > 0 ? UX_STATS_OK : UX_STATS_INSUFFICIENT);
    uxctl_calc_put(calc, "rate", rate.estimate.mean);
    uxctl_calc_put_bounds(calc, "lo", "hi", ci);
    uxctl_calc_put(calc, "half_width", (ci.hi - ci.lo) / 2);
}


static void
uxctl_rates_difference(uxctl_calc_t *calc)
{
    double             alpha;
    ux_fixed_t         fixed;
    uxctl_calc_rate_t  a, b;

    a = uxctl_calc_arm(calc, calc->in, "a");
    b = uxctl_calc_arm(calc, calc->in, "b");
    alpha = uxctl_calc_alpha(calc);

    if (calc->rejected) {
        return;
    }

    fixed = ux_stats_two_proportions(a.x, a.n, b.x, b.n, alpha);

    uxctl_calc_status(calc, fixed.status);
    uxctl_calc_put(calc, "rate_a", a.estimate.mean);
    uxctl_calc_put(calc, "rate_b", b.estimate.mean);
    uxctl_calc_put(calc, "diff", fixed.difference);
    uxctl_calc_put(calc, "se_unpooled",
                   sqrt(a.estimate.error + b.estimate.error));
    uxctl_calc_put(calc, "z_pooled", fixed.statistic);
    uxctl_calc_put(calc, "p_pooled", fixed.p);
    uxctl_calc_put_bounds(calc, "newcombe_lo", "newcombe_hi", fixed.ci);
}


static void
uxctl_rates_lift(uxctl_calc_t *calc)
{
    double             g, alpha;
    ux_interval_t      ci;
    uxctl_calc_rate_t  a, b;

    a = uxctl_calc_arm(calc, calc->in, "a");
    b = uxctl_calc_arm(calc, calc->in, "b");
    alpha = uxctl_calc_alpha(calc);

    if (calc->rejected) {
        return;
    }

    ci = ux_stats_fieller(a.estimate, b.estimate, uxctl_calc_z(alpha), &g);

    uxctl_calc_status(calc, uxctl_rates_status(a, b));
    uxctl_calc_put(calc, "uplift",
                   ux_stats_lift(a.estimate.mean, b.estimate.mean));
    uxctl_calc_put(calc, "fieller_g", g);
    uxctl_calc_put_bounds(calc, "fieller_lo", "fieller_hi", ci);
}


static void
uxctl_rates_asymptotic(uxctl_calc_t *calc)
{
    double             se, rho2, z, log_e, alpha, total, n_star, estimate;
    ux_interval_t      ci;
    ux_stats_status_e  status;

    estimate = uxctl_calc_number(calc, calc->in, "estimate", -INFINITY,
                                 INFINITY);
    se = uxctl_calc_number(calc, calc->in, "se", -INFINITY, INFINITY);
    total = (double) uxctl_calc_count(calc, calc->in, "n_total");
    n_star = uxctl_calc_number(calc, calc->in, "n_star", 0, INFINITY);
    alpha = uxctl_calc_alpha(calc);

    if (!calc->rejected && se < 0) {
        uxctl_calc_reject(calc, "field \"se\" is negative: expected a number"
                          " from 0");
    }

    if (calc->rejected) {
        return;
    }

    status = UX_STATS_OK;

    if (total == 0) {
        status = UX_STATS_INSUFFICIENT;

    } else if (se == 0) {
        status = UX_STATS_ZERO_VARIANCE;
    }

    rho2 = ux_sequence_rho2(alpha, n_star);
    z = ux_sequence_z(total, rho2, alpha);
    log_e = ux_sequence_log_e(estimate, se * se, total, rho2);

    if (status != UX_STATS_OK) {
        z = NAN;
        log_e = NAN;
    }

    ci.lo = estimate - z * se;
    ci.hi = estimate + z * se;

    uxctl_calc_status(calc, status);
    uxctl_calc_put(calc, "rho", sqrt(rho2));
    uxctl_calc_put(calc, "z_critical", z);
    uxctl_calc_put(calc, "half_width", z * se);
    uxctl_calc_put_bounds(calc, "lo", "hi", ci);
    uxctl_calc_put(calc, "log_e", log_e);
    uxctl_calc_put(calc, "p", ux_sequence_p(log_e));
}


static void
uxctl_rates_sequential(uxctl_calc_t *calc)
{
    uxctl_calc_rate_t        a, b;
    uxctl_calc_sequential_t  look;

    a = uxctl_calc_arm(calc, calc->in, "a");
    b = uxctl_calc_arm(calc, calc->in, "b");
    look.n_star = uxctl_calc_number(calc, calc->in, "n_star", 0, INFINITY);
    look.alpha = uxctl_calc_alpha(calc);

    if (calc->rejected) {
        return;
    }

    look.status = uxctl_rates_status(a, b);
    look.a = a.estimate;
    look.b = b.estimate;
    look.difference = b.estimate.mean - a.estimate.mean;
    look.total = (double) a.n + (double) b.n;

    uxctl_calc_put_sequential(calc, &look);
}


static ux_stats_status_e
uxctl_rates_status(uxctl_calc_rate_t a, uxctl_calc_rate_t b)
{
    if (a.n == 0 || b.n == 0 || (a.x == 0 && b.x == 0)) {
        return UX_STATS_INSUFFICIENT;
    }

    if (a.x == 0) {
        return UX_STATS_BASELINE_ZERO;
    }

    if (a.estimate.error == 0 && b.estimate.error == 0) {
        return UX_STATS_ZERO_VARIANCE;
    }

    return UX_STATS_OK;
}


void
uxctl_calc_put_sequential(uxctl_calc_t *calc,
    const uxctl_calc_sequential_t *look)
{
    double         g, rho2, z, log_e, error;
    ux_interval_t  ci, lift;

    error = look->a.error + look->b.error;

    rho2 = ux_sequence_rho2(look->alpha, look->n_star);
    z = ux_sequence_z(look->total, rho2, look->alpha);
    log_e = ux_sequence_log_e(look->difference, error, look->total, rho2);

    if (!(error > 0)) {
        z = NAN;
    }

    ci.lo = look->difference - z * sqrt(error);
    ci.hi = look->difference + z * sqrt(error);
    lift = ux_stats_fieller(look->a, look->b, z, &g);

    uxctl_calc_status(calc, look->status);
    uxctl_calc_put(calc, "z_critical", z);
    uxctl_calc_put(calc, "diff", look->difference);
    uxctl_calc_put_bounds(calc, "diff_lo", "diff_hi", ci);
    uxctl_calc_put(calc, "log_e", log_e);
    uxctl_calc_put(calc, "p", ux_sequence_p(log_e));
    uxctl_calc_put(calc, "uplift",
                   ux_stats_lift(look->a.mean, look->b.mean));
    uxctl_calc_put(calc, "fieller_g", g);
    uxctl_calc_put_bounds(calc, "uplift_lo", "uplift_hi", lift);
}


static void
uxctl_rates_stratified(uxctl_calc_t *calc)
{
    bool                     *used;
    unsigned                  i, n;
    ux_json_t                *list, *node;
    ux_pooled_t               pooled;
    ux_stratum_t             *strata;
    uxctl_calc_sequential_t   look;

    n = uxctl_calc_list(calc, "epochs", UXCTL_RATES_EPOCHS, &list);
    look.n_star = uxctl_calc_number(calc, calc->in, "n_star", 0, INFINITY);
    look.alpha = uxctl_calc_alpha(calc);

    strata = apr_palloc(calc->pool, (n + 1) * sizeof(ux_stratum_t));
    used = apr_palloc(calc->pool, (n + 1) * sizeof(bool));
    node = ux_json_first(list);

    for (i = 0; i < n; i++) {
        strata[i] = uxctl_rates_stratum(calc, node);
        node = ux_json_next(node);
    }

    if (calc->rejected) {
        return;
    }

    pooled = ux_sequence_stratify(strata, n, used);

    look.status = UX_STATS_OK;

    if (pooled.used == 0 || (pooled.a.mean == 0 && pooled.b.mean == 0)) {
        look.status = UX_STATS_INSUFFICIENT;

    } else if (pooled.a.mean == 0) {
        look.status = UX_STATS_BASELINE_ZERO;

    } else if (pooled.error == 0) {
        look.status = UX_STATS_ZERO_VARIANCE;
    }

    look.a = pooled.a;
    look.b = pooled.b;
    look.difference = pooled.difference;
    look.total = (double) pooled.visitors_a + (double) pooled.visitors_b;

    uxctl_calc_put_sequential(calc, &look);
    list = ux_json_array(calc->out, "epochs_used");

    for (i = 0; i < n; i++) {

        if (used[i]) {
            ux_json_int(list, NULL, i + 1);
        }
    }
}


static ux_stratum_t
uxctl_rates_stratum(uxctl_calc_t *calc, const ux_json_t *node)
{
    ux_stratum_t       stratum;
    uxctl_calc_rate_t  a, b;

    a = uxctl_calc_arm(calc, node, "a");
    b = uxctl_calc_arm(calc, node, "b");

    memset(&stratum, 0, sizeof(stratum));

    stratum.a.visitors = a.n;
    stratum.a.estimate = a.estimate;
    stratum.b.visitors = b.n;
    stratum.b.estimate = b.estimate;

    return stratum;
}


static void
uxctl_rates_funnel(uxctl_calc_t *calc)
{
    double    *rates;
    uint64_t  *steps;
    unsigned   i, n;

    steps = uxctl_rates_steps(calc, &n);

    if (calc->rejected) {
        return;
    }

    rates = apr_palloc(calc->pool, n * sizeof(double));

    for (i = 1; i < n; i++) {
        rates[i] = ux_stats_proportion(steps[i], steps[i - 1]).mean;
    }

    uxctl_calc_status(calc, steps[0] > 0 ? UX_STATS_OK
                                         : UX_STATS_INSUFFICIENT);
    uxctl_calc_put(calc, "overall",
                   ux_stats_proportion(steps[n - 1], steps[0]).mean);
    uxctl_calc_put_list(calc, "rate_from_previous", rates + 1, n - 1);

    for (i = 1; i < n; i++) {
        rates[i] = 1 - rates[i];
    }

    uxctl_calc_put_list(calc, "abandonment", rates + 1, n - 1);
}


/* Each may be reached by those of the one before only. */
static uint64_t *
uxctl_rates_steps(uxctl_calc_t *calc, unsigned *n)
{
    uint64_t  *steps;
    unsigned   i;

    *n = 0;
    steps = uxctl_calc_counts(calc, "steps", UXCTL_RATES_EPOCHS, n);

    for (i = 1; i < *n; i++) {

        if (steps[i] > steps[i - 1]) {
            uxctl_calc_reject(calc, "field \"steps\" rises at element %u:"
                              " expected at most as many as in the step"
                              " before", i + 1);
        }
    }

    return steps;
}


/* Whatever another kind would read first of such a line. */
static void
uxctl_rates_reject(uxctl_calc_t *calc)
{
    double     *weights;
    unsigned    n;
    ux_str_t    a = ux_str("a"), sum = ux_str("sum"), p = ux_str("p"),
                steps = ux_str("steps"), shares = ux_str("weights"),
                alpha = ux_str("alpha"), confidence = ux_str("confidence");
    ux_json_t  *arm;

    n = 0;
    arm = ux_json_get(calc->in, a);

    if (ux_json_get(arm, sum) != NULL) {
        (void) uxctl_calc_pair(calc);

    } else if (arm != NULL) {
        (void) uxctl_calc_arm(calc, calc->in, "a");
        (void) uxctl_calc_arm(calc, calc->in, "b");

    } else if (ux_json_get(calc->in, steps) != NULL) {
        (void) uxctl_rates_steps(calc, &n);

    } else if (ux_json_get(calc->in, shares) != NULL) {
        weights = uxctl_calc_numbers(calc, "weights", UXCTL_RATES_EPOCHS, &n);
        (void) uxctl_calc_counts(calc, "visitors", UXCTL_RATES_EPOCHS, &n);
        uxctl_calc_shares(calc, "weights", weights, n);

    } else if (ux_json_get(calc->in, p) != NULL) {
        (void) uxctl_calc_probabilities(calc, "p", &n);

    } else {
        (void) uxctl_calc_rate(calc, calc->in);
    }

    if (ux_json_get(calc->in, alpha) != NULL
        || ux_json_get(calc->in, confidence) != NULL)
    {
        (void) uxctl_calc_alpha(calc);
    }

    uxctl_calc_status(calc, UX_STATS_OK);
}
