
/*
 * Copyright (C) the nginx-ux authors
 *
 * uxctl calc: sizes of tests, times and histograms.
 */

#include "uxctl_calc.h"

#include <math.h>

#include "../ux_histogram.h"
#include "../ux_power.h"
#include "../ux_survival.h"


#define UXCTL_SIZE_ROWS      1000000
#define UXCTL_SIZE_BITS_MAX  16


static void uxctl_size_proportions(uxctl_calc_t *calc);
static void uxctl_size_mean(uxctl_calc_t *calc);
static void uxctl_size_mde(uxctl_calc_t *calc);
static void uxctl_size_power(uxctl_calc_t *calc);
static void uxctl_size_put_ceil(uxctl_calc_t *calc, const char *name,
    double n);
static void uxctl_size_ranks(uxctl_calc_t *calc);
static void uxctl_size_histogram(uxctl_calc_t *calc);
static void uxctl_size_survival(uxctl_calc_t *calc);
static ux_survival_t *uxctl_size_rows(uxctl_calc_t *calc, unsigned *n);
static void uxctl_size_put_rows(uxctl_calc_t *calc,
    const ux_survival_t *rows, unsigned n);


const uxctl_calc_kind_t  uxctl_calc_size_kinds[] = {

    { "sample_size_two_proportions", uxctl_size_proportions,
      "p1, p2, alpha, power" },

    { "sample_size_mean", uxctl_size_mean, "delta, variance, alpha, power" },

    { "mde_proportion", uxctl_size_mde, "baseline, n_per_arm, alpha, power" },

    { "power_two_proportions", uxctl_size_power, "p1, p2, n_per_arm, alpha" },

    { "quantile_ci_ranks", uxctl_size_ranks, "n, quantile, alpha" },

    { "log_linear_histogram", uxctl_size_histogram,
      "sub_bucket_bits, max_value" },

    { "kaplan_meier", uxctl_size_survival,
      "rows: [{t, events, censored}, ...], alpha" },

    { NULL, NULL, NULL }
};


static void
uxctl_size_proportions(uxctl_calc_t *calc)
{
    double  p1, p2, n, alpha, power;

    p1 = uxctl_calc_number(calc, calc->in, "p1", 0, 1);
    p2 = uxctl_calc_number(calc, calc->in, "p2", 0, 1);
    power = uxctl_calc_number(calc, calc->in, "power", 0, 1);
    alpha = uxctl_calc_alpha(calc);

    if (!calc->rejected && p1 == p2) {
        uxctl_calc_reject(calc, "field \"p2\" is \"p1\": expected an effect"
                          " other than 0");
    }

    if (calc->rejected) {
        return;
    }

    n = ux_power_proportions(p1, p2, alpha, power);

    uxctl_calc_status(calc, UX_STATS_OK);
    uxctl_calc_put(calc, "n_pooled_null", n);
    uxctl_calc_put(calc, "n_unpooled",
                   ux_power_proportions_unpooled(p1, p2, alpha, power));
    uxctl_size_put_ceil(calc, "ceil_pooled", n);
}


static void
uxctl_size_mean(uxctl_calc_t *calc)
{
    double  n, delta, variance, alpha, power;

    delta = uxctl_calc_number(calc, calc->in, "delta", -INFINITY, INFINITY);
    variance = uxctl_calc_number(calc, calc->in, "variance", 0, INFINITY);
    power = uxctl_calc_number(calc, calc->in, "power", 0, 1);
    alpha = uxctl_calc_alpha(calc);

    if (delta == 0) {
        uxctl_calc_reject(calc, "field \"delta\" is 0: expected an effect"
                          " other than 0");
    }

    if (calc->rejected) {
        return;
    }

    n = ux_power_means(delta, variance, alpha, power);

    uxctl_calc_status(calc, UX_STATS_OK);
    uxctl_calc_put(calc, "n_per_arm", n);
    uxctl_calc_put(calc, "n_total", 2 * n);
    uxctl_size_put_ceil(calc, "ceil_per_arm", n);
}


static void
uxctl_size_mde(uxctl_calc_t *calc)
{
    double  mde, n, baseline, alpha, power;

    baseline = uxctl_calc_number(calc, calc->in, "baseline", 0, 1);
    n = uxctl_calc_number(calc, calc->in, "n_per_arm", 0, INFINITY);
    power = uxctl_calc_number(calc, calc->in, "power", 0, 1);
    alpha = uxctl_calc_alpha(calc);

    if (calc->rejected) {
        return;
    }

    mde = ux_power_mde(baseline, n, alpha, power);

    uxctl_calc_status(calc, UX_STATS_OK);
    uxctl_calc_put(calc, "mde_abs_unpooled", mde);
    uxctl_calc_put(calc, "mde_rel_unpooled", mde / baseline);
}


static void
uxctl_size_power(uxctl_calc_t *calc)
{
    double  p1, p2, n, alpha;

    p1 = uxctl_calc_number(calc, calc->in, "p1", 0, 1);
    p2 = uxctl_calc_number(calc, calc->in, "p2", 0, 1);
    n = uxctl_calc_number(calc, calc->in, "n_per_arm", 0, INFINITY);
    alpha = uxctl_calc_alpha(calc);

    if (calc->rejected) {
        return;
    }

    uxctl_calc_status(calc, UX_STATS_OK);
    uxctl_calc_put(calc, "power", ux_power_of(p1, p2, n, alpha));
}


static void
uxctl_size_put_ceil(uxctl_calc_t *calc, const char *name, double n)
{
    /* Beyond, a double has no digits of one anyway. */

    if (n < 9e15) {
        ux_json_int(calc->out, name, (int64_t) ceil(n));

    } else {
        uxctl_calc_put(calc, name, n);
    }
}


static void
uxctl_size_ranks(uxctl_calc_t *calc)
{
    double      quantile, alpha;
    uint64_t    n;
    ux_ranks_t  ranks;

    n = uxctl_calc_count(calc, calc->in, "n");
    quantile = uxctl_calc_number(calc, calc->in, "quantile", 0, 1);
    alpha = uxctl_calc_alpha(calc);

    if (calc->rejected) {
        return;
    }

    if (n == 0) {
        uxctl_calc_status(calc, UX_STATS_INSUFFICIENT);
        uxctl_calc_put(calc, "rank_lo", NAN);
        uxctl_calc_put(calc, "rank_hi", NAN);
        return;
    }

    ranks = ux_survival_ranks(n, quantile, uxctl_calc_z(alpha));

    uxctl_calc_status(calc, UX_STATS_OK);
    ux_json_wide(calc->out, "rank_lo", ranks.lo);
    ux_json_wide(calc->out, "rank_hi", ranks.hi);
    ux_json_bool(calc->out, "unbounded_lo", ranks.unbounded_lo);
    ux_json_bool(calc->out, "unbounded_hi", ranks.unbounded_hi);
}


/* A value is told by the middle of its bucket: half a width off at most. */
static void
uxctl_size_histogram(uxctl_calc_t *calc)
{
    double    width;
    uint64_t  bits, max_value;
    uint32_t  bucket;

    bits = uxctl_calc_count(calc, calc->in, "sub_bucket_bits");
    max_value = uxctl_calc_count(calc, calc->in, "max_value");

    if (bits > UXCTL_SIZE_BITS_MAX) {
        uxctl_calc_reject(calc, "field \"sub_bucket_bits\" is %llu: expected"
                          " a whole number from 0 to %d",
                          (unsigned long long) bits, UXCTL_SIZE_BITS_MAX);
    }

    if (calc->rejected) {
        return;
    }

    /* The first bucket of more than one value is the widest for its size. */

    bucket = ux_histogram_index((unsigned) bits, (uint64_t) 2 << bits);
    width = (double) ux_histogram_width((unsigned) bits, bucket)
            / (double) ux_histogram_lowest((unsigned) bits, bucket);

    uxctl_calc_status(calc, UX_STATS_OK);
    ux_json_int(calc->out, "counters",
                ux_histogram_size((unsigned) bits, max_value));
    uxctl_calc_put(calc, "max_rel_width", width);
    uxctl_calc_put(calc, "max_rel_error_bound", width / 2);
}


static void
uxctl_size_survival(uxctl_calc_t *calc)
{
    double          alpha, median;
    unsigned        n;
    ux_survival_t  *rows;

    rows = uxctl_size_rows(calc, &n);
    alpha = uxctl_calc_alpha(calc);

    if (calc->rejected) {
        return;
    }

    if (ux_survival_estimate(rows, n, uxctl_calc_z(alpha), &median)
        != UX_OK)
    {
        uxctl_calc_reject(calc, "field \"rows\" is not valid: expected times"
                          " that rise");
        return;
    }

    uxctl_calc_status(calc, UX_STATS_OK);
    uxctl_size_put_rows(calc, rows, n);
    uxctl_calc_put(calc, "median", median);
}


static ux_survival_t *
uxctl_size_rows(uxctl_calc_t *calc, unsigned *n)
{
    uint64_t        total;
    unsigned        i;
    ux_json_t      *list, *node;
    ux_survival_t  *rows;

    *n = uxctl_calc_list(calc, "rows", UXCTL_SIZE_ROWS, &list);
    rows = apr_pcalloc(calc->pool, (*n + 1) * sizeof(ux_survival_t));
    node = ux_json_first(list);
    total = 0;

    calc->within = "rows";

    for (i = 0; i < *n && !calc->rejected; i++) {
        rows[i].t = uxctl_calc_number(calc, node, "t", -INFINITY, INFINITY);
        rows[i].events = uxctl_calc_count(calc, node, "events");
        rows[i].censored = uxctl_calc_count(calc, node, "censored");
        node = ux_json_next(node);

        if (__builtin_add_overflow(total, rows[i].events, &total)
            || __builtin_add_overflow(total, rows[i].censored, &total))
        {
            uxctl_calc_reject(calc, "field \"rows\" is not valid: expected at"
                              " most 18446744073709551615 in all");
        }
    }

    calc->within = "";

    return rows;
}


static void
uxctl_size_put_rows(uxctl_calc_t *calc, const ux_survival_t *rows,
    unsigned n)
{
    unsigned    i;
    ux_json_t  *at_risk, *survival, *error, *lo, *hi;

    at_risk = ux_json_array(calc->out, "at_risk");
    survival = ux_json_array(calc->out, "survival");
    error = ux_json_array(calc->out, "se");
    lo = ux_json_array(calc->out, "lo");
    hi = ux_json_array(calc->out, "hi");

    for (i = 0; i < n; i++) {
        ux_json_wide(at_risk, NULL, rows[i].at_risk);
        ux_json_number(survival, NULL, rows[i].survival);
        ux_json_number(error, NULL, rows[i].error);
        ux_json_number(lo, NULL, rows[i].ci.lo);
        ux_json_number(hi, NULL, rows[i].ci.hi);
    }
}
