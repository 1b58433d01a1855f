
/*
 * Copyright (C) the nginx-ux authors
 *
 * uxctl calc: sample ratio, and conversions as labels.
 */

#include "uxctl_calc.h"

#include <math.h>
#include <string.h>

#include "../ux_split.h"


#define UXCTL_SPLIT_ARMS    4096
#define UXCTL_SPLIT_LABELS  1000000


static void uxctl_split_conversions(uxctl_calc_t *calc);
static double uxctl_split_share(double lift, double share_a, double share_b,
    double unbounded);
static void uxctl_split_path(uxctl_calc_t *calc);
static double *uxctl_split_path_shares(uxctl_calc_t *calc, unsigned n);
static void uxctl_split_walk(const uint64_t *labels, const double *shares,
    unsigned n, double concentration, double *log_e);
static void uxctl_split_chi_square(uxctl_calc_t *calc);
static void uxctl_split_sequential(uxctl_calc_t *calc);
static void uxctl_split_batches(uxctl_calc_t *calc);
static double *uxctl_split_prior(uxctl_calc_t *calc, const double *shares,
    unsigned *n);
static void uxctl_split_batch(uxctl_calc_t *calc, const ux_json_t *batch,
    uint64_t *counts, unsigned n);
static void uxctl_split_total(uxctl_calc_t *calc, const uint64_t *counts,
    unsigned n);
static void uxctl_split_put_minimum(uxctl_calc_t *calc, const double *log_e,
    unsigned n);


const uxctl_calc_kind_t  uxctl_calc_split_kinds[] = {

    { "conversion_split_sequential", uxctl_split_conversions,
      "conversions_a, conversions_b, share_a, share_b, concentration, alpha" },

    { "conversion_split_path", uxctl_split_path,
      "labels: [0 of A or 1 of B, ...], share_b, concentration" },

    { "conversion_split_path_varying", uxctl_split_path,
      "labels: [0 or 1, ...], share_b: [one for each, ...], concentration" },

    { "srm_chi2", uxctl_split_chi_square,
      "visitors: [...], weights: [...]" },

    { "srm_sequential", uxctl_split_sequential,
      "visitors: [...], probs: [...], concentration" },

    { "srm_sequential_path", uxctl_split_batches,
      "batches: [[...], ...], probs: [...], dirichlet: [...] or"
      " concentration" },

    { NULL, NULL, NULL }
};


static void
uxctl_split_conversions(uxctl_calc_t *calc)
{
    double         log_bf, concentration, alpha;
    ux_stratum_t   split;
    ux_interval_t  lift;

    memset(&split, 0, sizeof(split));

    split.a.converters = uxctl_calc_count(calc, calc->in, "conversions_a");
    split.b.converters = uxctl_calc_count(calc, calc->in, "conversions_b");
    split.share_a = uxctl_calc_number(calc, calc->in, "share_a", 0, INFINITY);
    split.share_b = uxctl_calc_number(calc, calc->in, "share_b", 0, INFINITY);
    concentration = uxctl_calc_number(calc, calc->in, "concentration", 0,
                                      INFINITY);
    alpha = uxctl_calc_alpha(calc);

    if (calc->rejected) {
        return;
    }

    log_bf = ux_split_conversions(&split, 1, concentration);
    lift = ux_split_lift(&split, 1, concentration, alpha);

    uxctl_calc_status(calc, split.a.converters > 0 || split.b.converters > 0
                            ? UX_STATS_OK : UX_STATS_INSUFFICIENT);
    uxctl_calc_put(calc, "log_bf", log_bf);
    uxctl_calc_put(calc, "p", ux_sequence_p(log_bf));
    uxctl_calc_put(calc, "share_lo",
                   uxctl_split_share(lift.lo, split.share_a, split.share_b,
                                     0));
    uxctl_calc_put(calc, "share_hi",
                   uxctl_split_share(lift.hi, split.share_a, split.share_b,
                                     1));
    uxctl_calc_put(calc, "uplift_estimate",
                   ux_stats_lift((double) split.a.converters / split.share_a,
                                 (double) split.b.converters
                                 / split.share_b));
    uxctl_calc_put_bounds(calc, "uplift_lo", "uplift_hi", lift);
}


/* Of B among conversions, as ux_split_lift() defines it. */
static double
uxctl_split_share(double lift, double share_a, double share_b,
    double unbounded)
{
    double  weight;

    if (isnan(lift)) {
        return unbounded;
    }

    weight = share_b * (1 + lift);

    return weight / (share_a + weight);
}


static void
uxctl_split_path(uxctl_calc_t *calc)
{
    double    *log_e, *shares, concentration;
    uint64_t  *labels;
    unsigned   i, n;

    n = 0;
    labels = uxctl_calc_counts(calc, "labels", UXCTL_SPLIT_LABELS, &n);
    shares = uxctl_split_path_shares(calc, n);
    concentration = uxctl_calc_number(calc, calc->in, "concentration", 0,
                                      INFINITY);

    for (i = 0; i < n && !calc->rejected; i++) {

        if (labels[i] > 1) {
            uxctl_calc_reject(calc, "field \"labels\" is not valid at element"
                              " %u: expected 0 or 1", i + 1);

        } else if (!(shares[i] > 0 && shares[i] < 1)) {
            uxctl_calc_reject(calc, "field \"share_b\" is not valid at element"
                              " %u: expected a number above 0 and below 1",
                              i + 1);
        }
    }

    if (calc->rejected) {
        return;
    }

    log_e = apr_palloc(calc->pool, n * sizeof(double));
    uxctl_split_walk(labels, shares, n, concentration, log_e);

    uxctl_calc_status(calc, UX_STATS_OK);
    uxctl_calc_put_list(calc, "log_e", log_e, n);
    uxctl_split_put_minimum(calc, log_e, n);
}


/* One for all labels, or one for each. */
static double *
uxctl_split_path_shares(uxctl_calc_t *calc, unsigned n)
{
    double     *shares, share;
    ux_str_t    name = ux_str("share_b");
    unsigned    i;

    if (ux_json_type(ux_json_get(calc->in, name)) == UX_JSON_ARRAY) {
        return uxctl_calc_numbers(calc, "share_b", UXCTL_SPLIT_LABELS, &n);
    }

    share = uxctl_calc_number(calc, calc->in, "share_b", 0, 1);
    shares = apr_palloc(calc->pool, (n + 1) * sizeof(double));

    for (i = 0; i < n; i++) {
        shares[i] = share;
    }

    return shares;
}


static void
uxctl_split_walk(const uint64_t *labels, const double *shares, unsigned n,
    double concentration, double *log_e)
{
    double    share[2], prior[2], sum;
    uint64_t  counts[2];
    unsigned  i;

    counts[0] = 0;
    counts[1] = 0;
    sum = 0;

    for (i = 0; i < n; i++) {
        share[0] = 1 - shares[i];
        share[1] = shares[i];
        prior[0] = concentration * share[0];
        prior[1] = concentration * share[1];

        sum += ux_split_step(counts, share, prior, 2, (unsigned) labels[i]);
        log_e[i] = sum;

        counts[labels[i]]++;
    }
}


static void
uxctl_split_chi_square(uxctl_calc_t *calc)
{
    double     p, *weights, statistic;
    uint64_t  *visitors;
    unsigned   n, df;
    ux_str_t   impossible = ux_str("impossible");

    n = 0;
    visitors = uxctl_calc_counts(calc, "visitors", UXCTL_SPLIT_ARMS, &n);
    weights = uxctl_calc_numbers(calc, "weights", UXCTL_SPLIT_ARMS, &n);

    uxctl_split_total(calc, visitors, n);
    uxctl_calc_shares(calc, "weights", weights, n);

    if (calc->rejected) {
        return;
    }

    p = ux_split_chi_square(visitors, weights, n, &statistic, &df);

    if (isinf(statistic)) {
        ux_json_string(calc->out, "status", impossible);

    } else {
        uxctl_calc_status(calc, UX_STATS_OK);
    }

    uxctl_calc_put(calc, "chi2", statistic);
    ux_json_int(calc->out, "df", df);
    uxctl_calc_put(calc, "p", p);
}


static void
uxctl_split_sequential(uxctl_calc_t *calc)
{
    double     log_bf, *shares, concentration;
    uint64_t  *visitors;
    unsigned   n;

    n = 0;
    visitors = uxctl_calc_counts(calc, "visitors", UXCTL_SPLIT_ARMS, &n);
    shares = uxctl_calc_numbers(calc, "probs", UXCTL_SPLIT_ARMS, &n);
    concentration = uxctl_calc_number(calc, calc->in, "concentration", 0,
                                      INFINITY);

    uxctl_split_total(calc, visitors, n);
    uxctl_calc_shares(calc, "probs", shares, n);

    if (calc->rejected) {
        return;
    }

    log_bf = ux_split_log_bf(visitors, shares, n, concentration);

    uxctl_calc_status(calc, UX_STATS_OK);
    uxctl_calc_put(calc, "log_bf", log_bf);
    uxctl_calc_put(calc, "p", ux_sequence_p(log_bf));
}


static void
uxctl_split_batches(uxctl_calc_t *calc)
{
    double     *shares, *prior, *log_bf;
    uint64_t   *counts;
    unsigned    i, n, nbatches;
    ux_json_t  *batches, *batch;

    n = 0;
    nbatches = uxctl_calc_list(calc, "batches", UXCTL_SPLIT_LABELS, &batches);
    shares = uxctl_calc_numbers(calc, "probs", UXCTL_SPLIT_ARMS, &n);
    uxctl_calc_shares(calc, "probs", shares, n);
    prior = uxctl_split_prior(calc, shares, &n);

    counts = apr_pcalloc(calc->pool, (n + 1) * sizeof(uint64_t));
    log_bf = apr_palloc(calc->pool, (nbatches + 1) * sizeof(double));
    batch = ux_json_first(batches);

    for (i = 0; i < nbatches && !calc->rejected; i++) {
        uxctl_split_batch(calc, batch, counts, n);
        uxctl_split_total(calc, counts, n);
        log_bf[i] = ux_split_log_bf_prior(counts, shares, prior, n);
        batch = ux_json_next(batch);
    }

    if (calc->rejected) {
        return;
    }

    uxctl_calc_status(calc, UX_STATS_OK);
    uxctl_calc_put_list(calc, "log_bf", log_bf, nbatches);
    uxctl_split_put_minimum(calc, log_bf, nbatches);
}


/* `dirichlet`, or `concentration` spread by the shares. */
static double *
uxctl_split_prior(uxctl_calc_t *calc, const double *shares, unsigned *n)
{
    double    *prior, concentration, sum;
    ux_str_t   name = ux_str("concentration");
    unsigned   i;

    if (ux_json_get(calc->in, name) == NULL) {
        prior = uxctl_calc_numbers(calc, "dirichlet", UXCTL_SPLIT_ARMS, n);

        for (i = 0; i < *n && !calc->rejected; i++) {

            if (!(prior[i] > 0)) {
                uxctl_calc_reject(calc, "field \"dirichlet\" is not valid at"
                                  " element %u: expected a number above 0",
                                  i + 1);
            }
        }

        return prior;
    }

    concentration = uxctl_calc_number(calc, calc->in, "concentration", 0,
                                      INFINITY);
    prior = apr_palloc(calc->pool, (*n + 1) * sizeof(double));
    sum = 0;

    for (i = 0; i < *n; i++) {
        sum += shares[i];
    }

    for (i = 0; i < *n; i++) {
        prior[i] = concentration * shares[i] / sum;
    }

    return prior;
}


static void
uxctl_split_batch(uxctl_calc_t *calc, const ux_json_t *batch,
    uint64_t *counts, unsigned n)
{
    uint64_t    count;
    unsigned    i;
    ux_json_t  *node;

    node = ux_json_type(batch) == UX_JSON_ARRAY ? ux_json_first(batch) : NULL;

    for (i = 0; i < n && node != NULL && !calc->rejected; i++) {
        count = uxctl_calc_as_count(calc, node, "batches");
        node = ux_json_next(node);

        if (__builtin_add_overflow(counts[i], count, &counts[i])) {
            uxctl_calc_reject(calc, "field \"batches\" is not valid: expected"
                              " a sum of at most 18446744073709551615");
        }
    }

    if (i < n || node != NULL) {
        uxctl_calc_reject(calc, "field \"batches\" is not valid: expected"
                          " lists of %u counts, as many as \"probs\"", n);
    }
}


static void
uxctl_split_total(uxctl_calc_t *calc, const uint64_t *counts, unsigned n)
{
    uint64_t  total;
    unsigned  i;

    total = 0;

    for (i = 0; i < n && !calc->rejected; i++) {

        if (__builtin_add_overflow(total, counts[i], &total)) {
            uxctl_calc_reject(calc, "the counts are not valid: expected at"
                              " most 18446744073709551615 in all");
        }
    }
}


static void
uxctl_split_put_minimum(uxctl_calc_t *calc, const double *log_e, unsigned n)
{
    double    *p, least;
    unsigned   i;

    p = apr_palloc(calc->pool, n * sizeof(double));
    least = 1;

    for (i = 0; i < n; i++) {
        least = fmin(least, ux_sequence_p(log_e[i]));
        p[i] = least;
    }

    uxctl_calc_put_list(calc, "p_running_min", p, n);
}
