
/*
 * Copyright (C) the nginx-ux authors
 *
 * Bayesian panel: coherent for decisions, not protected against peeking.
 * Beta functions come from libnifticdf: one thread.
 */

#ifndef UX_POSTERIOR_H
#define UX_POSTERIOR_H


#include "ux_stats.h"


typedef struct {
    double  alpha;
    double  beta;
} ux_beta_t;

typedef struct {
    double  better;                /* P(B > A) */
    double  worse;                 /* P(A > B), from its own integral */
    double  loss_a;                /* E[(B - A)+]: expected loss of choosing
                                      A */
    double  loss_b;                /* E[(A - B)+] */
} ux_posterior_t;

/* Beta(prior + conversions, prior + the others). */
ux_beta_t ux_posterior_beta(uint64_t x, uint64_t n, ux_beta_t prior);

/*
 * Two Beta posteriors, by the trapezoidal rule over the incomplete beta; tails
 * by F or 1 - F of one call, so that small ones keep their digits; below about
 * 1e-150 they may be 0.  Relative errors up to 10^9 visitors are 3e-9, or
 * 1e-10 if `precise`, of probabilities at 10^12 1e-9; losses deep in a tail of
 * very many visitors are differences and have 7 digits.  Some 10 us, half as
 * much again if precise.  NaN all for parameters below UX_POSTERIOR_LEAST.
 */
#define UX_POSTERIOR_LEAST  0.001

ux_posterior_t ux_posterior_two(ux_beta_t a, ux_beta_t b, bool precise);

/* Normal posterior of a difference under a flat prior; error is se^2. */
ux_posterior_t ux_posterior_normal(double difference, double error);

/*
 * Of n <= UX_POSTERIOR_ARMS arms: best[i] = P(i is best), loss[i] = E[max of
 * all - i].  UX_FULL for more, UX_ERROR and NaN all for parameters not above
 * 0.  Errors relative to the largest are as above; two equal arms take 60 us,
 * four 160 us.
 */
#define UX_POSTERIOR_ARMS  16

ux_status_t ux_posterior_many(const ux_beta_t *arms, unsigned n,
    bool precise, double *best, double *loss);


#endif
