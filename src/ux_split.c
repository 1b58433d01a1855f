
/*
 * Copyright (C) the nginx-ux authors
 *
 * The log Bayes factor is the difference of log gammas as large as the counts
 * times their logarithm: at 10^12 counts no digit behind the point is left.
 * So Stirling's series, ln G(x) = (x - 1/2) ln x - x + ln(2 pi)/2 + c(x), is
 * put in, and what cancels is taken out by hand.  With the prior k_i, K = sum
 * k_i, S = sum s_i, N = K + S and m labels of share r_i above 0,
 *
 *   d_i = (k_i + s_i) / (N r_i) - 1        how far i is from its share
 *   o_i = ln(r_i K / k_i)                  0 for a prior around the shares
 *
 *   log BF = N sum r_i [(1 + d_i) ln(1 + d_i) - d_i]
 *            - sum ln(1 + d_i) / 2 - (m - 1) ln(1 + S/K) / 2
 *            + sum (k_i - 1/2) o_i
 *            + sum [c(k_i + s_i) - c(k_i)] - [c(K + S) - c(K)]
 *
 * The first sum has no negative term, and as sum r_i d_i = 0 a rounding of a
 * share or of d_i is only felt in proportion to d_i.
 *
 * Cost: a logarithm a label and one for all, and two divisions for each c().
 * A count of 0 costs nothing: its logarithm is known.
 */

#include "ux_split.h"
#include "ux_special.h"

#include <math.h>


/* The labels that have a share. */
typedef struct {
    unsigned       labels;
    bool           impossible;     /* counts where the share is 0 */
    double         share;          /* sums: shares may be any multiples */
    double         prior;
    double         count;
    double         concentration;  /* of a prior around the shares; 0: given */
    const double  *given;
} ux_split_prior_t;


static double ux_split_factor(const uint64_t *counts, const double *shares,
    unsigned n, ux_split_prior_t *prior);
static bool ux_split_add_up(const uint64_t *counts, const double *shares,
    unsigned n, ux_split_prior_t *prior);
static double ux_split_prior_of(const ux_split_prior_t *prior,
    const double *shares, unsigned label);
static double ux_split_term(const ux_split_prior_t *prior, double share,
    double pseudo, double count, double growth);
static double ux_split_distance(const uint64_t *counts, const double *shares,
    unsigned n, const ux_split_prior_t *sums);


double
ux_split_log_bf(const uint64_t *counts, const double *shares, unsigned n,
    double concentration)
{
    ux_split_prior_t  prior;

    if (!(concentration > 0 && isfinite(concentration))) {
        return NAN;
    }

    prior.concentration = concentration;
    prior.given = NULL;

    return ux_split_factor(counts, shares, n, &prior);
}


double
ux_split_log_bf_prior(const uint64_t *counts, const double *shares,
    const double *prior, unsigned n)
{
    ux_split_prior_t  given;

    given.concentration = 0;
    given.given = prior;

    return ux_split_factor(counts, shares, n, &given);
}


static double
ux_split_factor(const uint64_t *counts, const double *shares, unsigned n,
    ux_split_prior_t *prior)
{
    double    growth, pseudo, value;
    unsigned  i;

    if (!ux_split_add_up(counts, shares, n, prior)) {
        return NAN;
    }

    if (prior->impossible) {
        return INFINITY;
    }

    if (prior->count == 0) {
        return 0;
    }

    growth = log1p(prior->count / prior->prior);

    value = growth / 2 + ux_special_stirling(prior->prior)
            - ux_special_stirling(prior->prior + prior->count);

    for (i = 0; i < n; i++) {
        if (shares[i] == 0) {
            continue;
        }

        pseudo = ux_split_prior_of(prior, shares, i);
        value += ux_split_term(prior, shares[i] / prior->share, pseudo,
                               (double) counts[i], growth);
    }

    return value;
}


static bool
ux_split_add_up(const uint64_t *counts, const double *shares, unsigned n,
    ux_split_prior_t *prior)
{
    unsigned  i;

    prior->labels = 0;
    prior->impossible = false;
    prior->share = 0;
    prior->prior = prior->concentration;
    prior->count = 0;

    for (i = 0; i < n; i++) {
        if (!(shares[i] >= 0)) {
            return false;
        }

        if (shares[i] == 0) {
            prior->impossible |= counts[i] > 0;
            continue;
        }

        if (prior->given != NULL) {
            if (!(prior->given[i] > 0)) {
                return false;
            }

            prior->prior += prior->given[i];
        }

        prior->labels++;
        prior->share += shares[i];
        prior->count += (double) counts[i];
    }

    return prior->labels > 0 && isfinite(prior->share)
           && isfinite(prior->prior);
}


static double
ux_split_prior_of(const ux_split_prior_t *prior, const double *shares,
    unsigned label)
{
    if (prior->given != NULL) {
        return prior->given[label];
    }

    return prior->concentration * (shares[label] / prior->share);
}


/* growth = ln(1 + S/K).  Without a count ln(1 + d) = -growth - o. */
static double
ux_split_term(const ux_split_prior_t *prior, double share, double pseudo,
    double count, double growth)
{
    double  total, offset, away, ratio, value;

    total = prior->prior + prior->count;
    offset = 0;

    if (prior->given != NULL) {
        offset = log(share * prior->prior / pseudo);
    }

    away = (pseudo - share * prior->prior + count - share * prior->count)
           / (share * total);
    ratio = count > 0 ? log1p(away) : -growth - offset;

    value = total * share * ((1 + away) * ratio - away)
            - (ratio + growth) / 2 + (pseudo - 0.5) * offset;

    if (count > 0) {
        value += ux_special_stirling(pseudo + count)
                 - ux_special_stirling(pseudo);
    }

    return value;
}


double
ux_split_step(const uint64_t *counts, const double *shares,
    const double *prior, unsigned n, unsigned label)
{
    ux_split_prior_t  given;

    given.concentration = 0;
    given.given = prior;

    if (label >= n || !ux_split_add_up(counts, shares, n, &given)) {
        return NAN;
    }

    if (shares[label] == 0) {
        return INFINITY;
    }

    return log((prior[label] + (double) counts[label])
               / (given.prior + given.count) / (shares[label] / given.share));
}


double
ux_split_chi_square(const uint64_t *counts, const double *shares, unsigned n,
    double *statistic, unsigned *df)
{
    double            value, p;
    unsigned          freedom;
    ux_split_prior_t  sums;

    sums.concentration = 1;
    sums.given = NULL;

    value = NAN;
    freedom = 0;
    p = NAN;

    if (ux_split_add_up(counts, shares, n, &sums)) {
        value = ux_split_distance(counts, shares, n, &sums);
        freedom = sums.labels - 1;
        p = isinf(value) ? 0 : 1;
    }

    if (value > 0 && p > 0 && freedom > 0) {
        p = ux_special_chi_square_tail(value, freedom);
    }

    if (statistic != NULL) {
        *statistic = value;
    }

    if (df != NULL) {
        *df = freedom;
    }

    return p;
}


static double
ux_split_distance(const uint64_t *counts, const double *shares, unsigned n,
    const ux_split_prior_t *sums)
{
    double    value, expected, away;
    unsigned  i;

    if (sums->impossible) {
        return INFINITY;
    }

    value = 0;

    for (i = 0; i < n && sums->count > 0; i++) {
        if (shares[i] > 0) {
            expected = sums->count * (shares[i] / sums->share);
            away = (double) counts[i] - expected;
            value += away * away / expected;
        }
    }

    return value;
}
