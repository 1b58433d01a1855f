
/*
 * Copyright (C) the nginx-ux authors
 *
 * Special functions: forward ones only, from libm and libnifticdf (the only
 * user of nifticdf.h).  libnifticdf keeps static temporaries: callers of the
 * functions marked (beta) must be of one thread.
 */

#ifndef UX_SPECIAL_H
#define UX_SPECIAL_H


#include "ux_base.h"


/* P(Z > z) of the standard normal, full relative precision in the tail. */
double ux_special_normal_tail(double z);

/*
 * z with P(Z > z) = q, 0 < q < 1, to double precision; NaN outside.  For
 * q < 0.5 z is positive.
 */
double ux_special_normal_quantile(double q);

/* P(|T| > |t|) of Student's t with df > 0 degrees of freedom (beta). */
double ux_special_t_tails(double t, double df);

/* t with P(|T| > t) = alpha, by bisection and Newton on the above (beta). */
double ux_special_t_quantile(double alpha, double df);

/*
 * Regularised incomplete beta I_x(a, b) and its complement, each with its own
 * precision; y = 1 - x is given by the caller, who knows it exactly (beta).
 * NaN both outside a, b > 0, 0 <= x <= 1.
 */
void ux_special_beta(double a, double b, double x, double y, double *lower,
    double *upper);

/* P(X > x) of chi-square with df degrees of freedom: finite sums of libm. */
double ux_special_chi_square_tail(double x, unsigned df);

/*
 * ln G(x) - [(x - 1/2) ln x - x + ln(2 pi) / 2] for x > 0: what Stirling's
 * formula leaves.
 */
double ux_special_stirling(double x);


#endif
