
/*
 * Copyright (C) the nginx-ux authors
 *
 * Special functions.  Both tails are always worked out as tails: 1 - cdf has
 * no digits left where they matter.  Inverses go through logarithms, in which
 * a tail is close to a parabola and Newton's method needs a few steps only.
 *
 * The incomplete beta is TOMS 708 (DiDonato and Morris 1992) as libnifticdf
 * has it: 2e-14 relative up to 10^6 on both sides, 5e-12 up to 10^9, 2e-10 up
 * to 10^12.  Of that library only bratio() is called: its inverses give eight
 * digits and may end the process.
 */

#include "ux_special.h"

#include <math.h>
#include <nifti/nifticdf.h>


#define UX_SPECIAL_PI         3.141592653589793
#define UX_SPECIAL_SQRT2      1.4142135623730951
#define UX_SPECIAL_SQRT_2_PI  2.5066282746310002   /* sqrt(2 pi) */

#define UX_SPECIAL_HALF_LOG   0.91893853320467274  /* ln(2 pi) / 2 */

#define UX_SPECIAL_STEPS      60       /* of Newton's method; 4 to 8 do */


static double ux_special_normal_middle(double mass);
static double ux_special_normal_upper(double q);
static double ux_special_normal_density(double z);
static double ux_special_t_log(double t, double df, double *slope);
static void ux_special_t_both(double t, double df, double *outside,
    double *inside);
static double ux_special_t_density(double t, double df);
static double ux_special_chi_square_sum(double half, double first,
    double last);


double
ux_special_normal_tail(double z)
{
    return 0.5 * erfc(z / UX_SPECIAL_SQRT2);
}


double
ux_special_normal_quantile(double q)
{
    if (!(q > 0 && q < 1)) {
        return NAN;
    }

    if (q > 0.25 && q < 0.75) {
        return ux_special_normal_middle(0.5 - q);
    }

    return q < 0.5 ? ux_special_normal_upper(q)
                   : -ux_special_normal_upper(1 - q);
}


/*
 * z with P(0 < Z < z) = mass.  Near the median the tail says nothing about a
 * small z; erf does.
 */
static double
ux_special_normal_middle(double mass)
{
    int     i;
    double  z;

    z = mass * UX_SPECIAL_SQRT_2_PI;

    for (i = 0; i < 6; i++) {
        z -= (0.5 * erf(z / UX_SPECIAL_SQRT2) - mass)
             / ux_special_normal_density(z);
    }

    return z;
}


/*
 * The start is Abramowitz and Stegun 26.2.23, off by 4.5e-4 at most.  A step
 * follows the tail's second-order expansion in the logarithm, ln Q(z + s) =
 * ln Q(z) - h s - h (h - z) s^2 / 2 with the hazard h.
 */
static double
ux_special_normal_upper(double q)
{
    int     i;
    double  t, z, tail, hazard, step;

    t = sqrt(-2 * log(q));

    z = t - (2.515517 + t * (0.802853 + t * 0.010328))
            / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));

    for (i = 0; i < 3; i++) {
        tail = ux_special_normal_tail(z);
        hazard = ux_special_normal_density(z) / tail;
        step = log(tail / q) / hazard;

        z += step / (1 + (hazard - z) * step / 2);
    }

    return z;
}


static double
ux_special_normal_density(double z)
{
    return exp(-z * z / 2) / UX_SPECIAL_SQRT_2_PI;
}


double
ux_special_t_tails(double t, double df)
{
    double  outside, inside;

    ux_special_t_both(t, df, &outside, &inside);

    return outside;
}


/*
 * ln P falls with ln t ever more steeply, so Newton's method in logarithms
 * comes down from above without passing the root; the bracket is for steps
 * that start below it.
 */
double
ux_special_t_quantile(double alpha, double df)
{
    int     i;
    double  lo, hi, t, last, excess, slope;

    if (!(alpha > 0 && alpha < 1) || !(df > 0) || isinf(df)) {
        return NAN;
    }

    lo = 0;
    hi = INFINITY;
    t = ux_special_normal_quantile(alpha / 2);

    for (i = 0; i < UX_SPECIAL_STEPS; i++) {
        excess = ux_special_t_log(t, df, &slope) - log(alpha);

        if (excess > 0) {
            lo = t;

        } else {
            hi = t;
        }

        last = t;
        t *= exp(excess / slope);

        if (!(t >= lo && t <= hi) || isinf(t)) {
            t = isinf(hi) ? 2 * last : lo + (hi - lo) / 2;
        }

        if (fabs(t - last) <= 1e-13 * t) {
            break;
        }
    }

    return t;
}


/*
 * ln P(|T| > t), near P = 1 from the mass inside, which keeps its digits
 * there.  *slope is -d ln P / d ln t.
 */
static double
ux_special_t_log(double t, double df, double *slope)
{
    double  outside, inside;

    ux_special_t_both(t, df, &outside, &inside);

    *slope = 2 * t * ux_special_t_density(t, df) / outside;

    return inside < 0.5 ? log1p(-inside) : log(outside);
}


/*
 * P(|T| > |t|) = I_x(df/2, 1/2) at x = df / (df + t^2), and its complement
 * (Abramowitz and Stegun 26.7.1, 26.5.27).
 */
static void
ux_special_t_both(double t, double df, double *outside, double *inside)
{
    double  ratio, square;

    ratio = t / sqrt(df);
    square = ratio * ratio;

    if (square <= 1) {
        ux_special_beta(df / 2, 0.5, 1 / (1 + square), square / (1 + square),
                        outside, inside);
        return;
    }

    square = 1 / square;

    ux_special_beta(df / 2, 0.5, square / (1 + square), 1 / (1 + square),
                    outside, inside);
}


/* For a large x, lgamma(x + 1/2) - lgamma(x) has no digits left. */
static double
ux_special_t_density(double t, double df)
{
    int     sign;
    double  ratio;

    if (df > 1e5) {
        ratio = log(df / 2) / 2 - 1 / (4 * df);

    } else {
        ratio = lgamma_r((df + 1) / 2, &sign) - lgamma_r(df / 2, &sign);
    }

    return exp(ratio - (df + 1) / 2 * log1p(t / df * t))
           / sqrt(df * UX_SPECIAL_PI);
}


void
ux_special_beta(double a, double b, double x, double y, double *lower,
    double *upper)
{
    int  error;

    *lower = NAN;
    *upper = NAN;

    if (!(a > 0 && b > 0 && x >= 0 && x <= 1 && y >= 0 && y <= 1)
        || isinf(a) || isinf(b))
    {
        return;
    }

    bratio(&a, &b, &x, &y, lower, upper, &error);

    if (error != 0) {
        *lower = NAN;
        *upper = NAN;
    }
}


/*
 * Abramowitz and Stegun 26.4.4 and 26.4.5: with h = x / 2 the tail is the sum
 * of exp(-h) h^c / gamma(c + 1) over c = 0, 1 .. df/2 - 1 for an even df, and
 * over c = 1/2, 3/2 .. df/2 - 1 beside erfc(sqrt h) for an odd one.
 */
double
ux_special_chi_square_tail(double x, unsigned df)
{
    double  half, last, tail;

    if (!(x >= 0)) {
        return NAN;
    }

    if (x == 0 || df == 0) {
        return 1;
    }

    if (isinf(x)) {
        return 0;
    }

    half = x / 2;
    last = (double) df / 2 - 1;
    tail = 0;

    if (df % 2) {
        tail = erfc(sqrt(half));
    }

    if (df > 1) {
        tail += ux_special_chi_square_sum(half, df % 2 ? 0.5 : 0, last);
    }

    return fmin(tail, 1);
}


/*
 * From the largest term outwards: the first may be below what a double can
 * hold while the sum is not.
 */
static double
ux_special_chi_square_sum(double half, double first, double last)
{
    int     sign;
    double  c, sum, peak, term, largest;

    peak = first + floor(fmin(half, last - first));

    largest = exp(peak * log(half) - half - lgamma_r(peak + 1, &sign));

    sum = largest;
    term = largest;

    for (c = peak; c > first && term > sum * 1e-18; c--) {
        term *= c / half;
        sum += term;
    }

    term = largest;

    for (c = peak + 1; c <= last && term > sum * 1e-18; c++) {
        term *= half / c;
        sum += term;
    }

    return sum;
}


/* Abramowitz and Stegun 6.1.41; from 16 on the next term is below 1e-16. */
double
ux_special_stirling(double x)
{
    int     sign;
    double  square;

    if (x < 16) {
        return lgamma_r(x, &sign) - (x - 0.5) * log(x) + x
               - UX_SPECIAL_HALF_LOG;
    }

    square = 1 / (x * x);

    return (1 / 12.0 - square * (1 / 360.0 - square * (1 / 1260.0
            - square * (1 / 1680.0 - square * (1 / 1188.0
            - square * (691 / 360360.0)))))) / x;
}
