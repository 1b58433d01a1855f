
/*
 * Copyright (C) the nginx-ux authors
 *
 * Exact sequential tests of how labels split (Lindon and Malek, arXiv
 * 2011.03567): visitors over arms (sample-ratio mismatch), first conversions
 * over two arms.  A Dirichlet prior of the given concentration around the
 * shares; e-processes from the first label on.
 */

#ifndef UX_SPLIT_H
#define UX_SPLIT_H


#include "ux_sequence.h"


#define UX_SPLIT_CONVERSIONS  100.0    /* concentration for conversions, */
#define UX_SPLIT_VISITORS     1000.0   /*   and for sample ratio */
#define UX_SPLIT_SRM_P        0.001    /* alarm below */


/*
 * log Bayes factor ln G(k) - ln G(k + S) + sum [ln G(k r_i + s_i)
 * - ln G(k r_i)] - sum s_i ln r_i of n counts s_i against shares r_i (any
 * positive multiple of them).  A count where the share is 0: +INFINITY; all
 * shares 0, negative or not finite: NaN.  Right to 1e-6 at 10^12 counts.
 */
double ux_split_log_bf(const uint64_t *counts, const double *shares,
    unsigned n, double concentration);

/*
 * The same with the prior's own pseudo-counts instead of k r_i: above 0 where
 * the share is, else NaN.
 */
double ux_split_log_bf_prior(const uint64_t *counts, const double *shares,
    const double *prior, unsigned n);

/*
 * What one more label i adds: ln[(prior_i + s_i) / (sum prior + S) / r_i],
 * shares summing to 1.
 */
double ux_split_step(const uint64_t *counts, const double *shares,
    const double *prior, unsigned n, unsigned label);


/*
 * First conversions (converters) of two arms against the shares of the epoch
 * they were exposed in: sum of the epochs' log Bayes factors.  Each epoch
 * learns by itself, so that conversions may come to any epoch at any time and
 * every partial product is still a martingale (a factor depends on labels of
 * its own epoch only).  Epochs where either share is 0 are left out.
 */
double ux_split_conversions(const ux_stratum_t *epochs, unsigned n,
    double concentration);

/*
 * Confidence sequence of the lift at the level: all u whose share
 * r_B (1 + u) / (r_A + r_B (1 + u)) is not rejected.  Bisections in ln(1 + u),
 * narrowed by Newton's method.  lo = -1 and hi = NaN where there is no bound;
 * NaN both where no lift is left (epochs that contradict each other) or
 * nothing is defined.
 */
ux_interval_t ux_split_lift(const ux_stratum_t *epochs, unsigned n,
    double concentration, double level);

/*
 * Pearson's chi-square of counts against shares, df = shares above 0 less 1;
 * returns p.  *statistic, *df may be NULL.  Counts in a zero share: p 0,
 * statistic INFINITY; no counts: p 1.  NaN as above.
 */
double ux_split_chi_square(const uint64_t *counts, const double *shares,
    unsigned n, double *statistic, unsigned *df);


#endif
