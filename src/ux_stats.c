
/*
 * Copyright (C) the nginx-ux authors
 *
 * Statistics that the report prints beside the counts.  What could lose
 * digits by cancellation is done in integers or in a form that does not
 * subtract.
 */

#include "ux_stats.h"
#include "ux_special.h"

#include <math.h>


static uint64_t ux_stats_magnitude(int64_t sum);
static ux_u128_t ux_stats_product(int64_t sum, uint64_t factor);
static double ux_stats_subtract(ux_u128_t left, ux_u128_t right);
static bool ux_stats_alpha(double alpha);
static ux_fixed_t ux_stats_undefined(ux_stats_status_e status);
static double ux_stats_pooled_error(uint64_t x_a, uint64_t n_a, uint64_t x_b,
    uint64_t n_b);
static ux_interval_t ux_stats_wilson_reach(uint64_t x, uint64_t n, double z);


const char *
ux_stats_status_name(ux_stats_status_e status)
{
    switch (status) {

    case UX_STATS_OK:
        return "ok";

    case UX_STATS_INSUFFICIENT:
        return "insufficient_data";

    case UX_STATS_BASELINE_ZERO:
        return "baseline_zero";

    case UX_STATS_ZERO_VARIANCE:
        return "zero_variance";

    case UX_STATS_REJECT:
        break;
    }

    return "reject";
}


/*
 * lo = (a - b) / (n + z^2) and hi = (a + b) / (n + z^2), where
 * a^2 - b^2 = x^2 (n + z^2) / n: so lo is written without the difference,
 * which has no digits left for one conversion in 10^12.
 */
ux_interval_t
ux_stats_wilson(uint64_t x, uint64_t n, double z)
{
    double         count, total, a, b;
    ux_interval_t  interval;

    if (x > n || !isfinite(z)) {
        interval.lo = NAN;
        interval.hi = NAN;
        return interval;
    }

    interval.lo = 0;
    interval.hi = 1;

    if (n == 0) {
        return interval;
    }

    count = (double) x;
    total = (double) n;

    a = count + z * z / 2;
    b = fabs(z) * sqrt(count * ((double) (n - x) / total) + z * z / 4);

    if (x > 0) {
        interval.lo = count * (count / total) / (a + b);
    }

    if (x < n) {
        interval.hi = (a + b) / (total + z * z);
    }

    return interval;
}


double
ux_stats_mean(uint64_t n, int64_t sum)
{
    if (n == 0) {
        return NAN;
    }

    return (double) sum / (double) n;
}


double
ux_stats_variance(uint64_t n, int64_t sum, ux_u128_t sum_of_squares)
{
    ux_u128_t  left, right;

    if (n < 2 || __builtin_mul_overflow(sum_of_squares, (ux_u128_t) n,
                                        &left))
    {
        return NAN;
    }

    right = ux_stats_product(sum, ux_stats_magnitude(sum));

    if (left < right) {
        return NAN;
    }

    return (double) (left - right) / ((double) n * (double) (n - 1));
}


double
ux_stats_covariance(uint64_t n, int64_t sum, int64_t other,
    ux_u128_t products)
{
    ux_u128_t  left, right;

    if (n < 2 || __builtin_mul_overflow(products, (ux_u128_t) n, &left)) {
        return NAN;
    }

    right = ux_stats_product(sum, ux_stats_magnitude(other));

    if ((sum < 0) == (other < 0)) {
        return ux_stats_subtract(left, right)
               / ((double) n * (double) (n - 1));
    }

    return ((double) left + (double) right)
           / ((double) n * (double) (n - 1));
}


double
ux_stats_mean_difference(uint64_t n_a, int64_t sum_a, uint64_t n_b,
    int64_t sum_b)
{
    double     numerator;
    ux_u128_t  a, b;

    if (n_a == 0 || n_b == 0) {
        return NAN;
    }

    a = ux_stats_product(sum_a, n_b);
    b = ux_stats_product(sum_b, n_a);

    if ((sum_a < 0) == (sum_b < 0)) {
        numerator = sum_a < 0 ? ux_stats_subtract(a, b)
                              : ux_stats_subtract(b, a);

    } else {
        numerator = (double) a + (double) b;
        numerator = sum_b < 0 ? -numerator : numerator;
    }

    return numerator / (double) n_a / (double) n_b;
}


static uint64_t
ux_stats_magnitude(int64_t sum)
{
    return sum < 0 ? 0 - (uint64_t) sum : (uint64_t) sum;
}


/* |sum| * factor: no two 64-bit numbers leave 128 bits. */
static ux_u128_t
ux_stats_product(int64_t sum, uint64_t factor)
{
    return (ux_u128_t) ux_stats_magnitude(sum) * factor;
}


static double
ux_stats_subtract(ux_u128_t left, ux_u128_t right)
{
    return left >= right ? (double) (left - right)
                         : -(double) (right - left);
}


ux_estimate_t
ux_stats_proportion(uint64_t x, uint64_t n)
{
    ux_estimate_t  estimate;

    if (n == 0 || x > n) {
        estimate.mean = NAN;
        estimate.error = NAN;
        return estimate;
    }

    estimate.mean = (double) x / (double) n;
    estimate.error = estimate.mean * ((double) (n - x) / (double) n)
                     / (double) n;

    return estimate;
}


/*
 * The three terms of the variance may cancel down to rounding noise, which is
 * 0; further below 0 no three sums of the same visitors can get.
 */
ux_estimate_t
ux_stats_ratio(uint64_t n, double sum_y, double sum_z, double variance_y,
    double variance_z, double covariance)
{
    double         mean, squares, variance;
    ux_estimate_t  estimate;

    estimate.mean = NAN;
    estimate.error = NAN;

    if (n < 2 || sum_z == 0) {
        return estimate;
    }

    estimate.mean = sum_y / sum_z;
    mean = sum_z / (double) n;

    squares = variance_y + estimate.mean * estimate.mean * variance_z;
    variance = squares - 2 * estimate.mean * covariance;

    if (!(variance >= -1e-9 * squares)) {
        estimate.mean = NAN;
        return estimate;
    }

    if (variance < 0) {
        variance = 0;
    }

    estimate.error = variance / (mean * mean) / (double) n;

    return estimate;
}


ux_fixed_t
ux_stats_two_proportions(uint64_t x_a, uint64_t n_a, uint64_t x_b,
    uint64_t n_b, double alpha)
{
    double         z;
    ux_fixed_t     fixed;
    ux_interval_t  a, b;

    if (x_a > n_a || x_b > n_b || !ux_stats_alpha(alpha)) {
        return ux_stats_undefined(UX_STATS_REJECT);
    }

    fixed = ux_stats_undefined(UX_STATS_INSUFFICIENT);

    if (n_a == 0 || n_b == 0) {
        return fixed;
    }

    fixed.difference = ux_stats_subtract((ux_u128_t) x_b * n_a,
                                         (ux_u128_t) x_a * n_b)
                       / (double) n_a / (double) n_b;

    if ((x_a > 0 || x_b > 0) && (x_a < n_a || x_b < n_b)) {
        fixed.status = UX_STATS_OK;
        fixed.statistic = fixed.difference
                          / ux_stats_pooled_error(x_a, n_a, x_b, n_b);
        fixed.p = 2 * ux_special_normal_tail(fabs(fixed.statistic));

    } else {
        fixed.statistic = 0;
        fixed.p = 1;
    }

    z = ux_special_normal_quantile(alpha / 2);
    a = ux_stats_wilson_reach(x_a, n_a, z);
    b = ux_stats_wilson_reach(x_b, n_b, z);

    fixed.ci.lo = fixed.difference - hypot(b.lo, a.hi);
    fixed.ci.hi = fixed.difference + hypot(b.hi, a.lo);

    return fixed;
}


/* Standard error of the difference if both arms were of one rate. */
static double
ux_stats_pooled_error(uint64_t x_a, uint64_t n_a, uint64_t x_b, uint64_t n_b)
{
    double  total, converted, others;

    total = (double) n_a + (double) n_b;
    converted = (double) x_a + (double) x_b;
    others = (double) (n_a - x_a) + (double) (n_b - x_b);

    return sqrt((converted / total) * (others / total)
                * (1 / (double) n_a + 1 / (double) n_b));
}


/*
 * How far the Wilson interval reaches below and above x/n.  Taken as the
 * difference of two rates it would have few digits at many visitors.
 */
static ux_interval_t
ux_stats_wilson_reach(uint64_t x, uint64_t n, double z)
{
    double         count, others, total, shift, half;
    ux_interval_t  reach;

    count = (double) x;
    others = (double) (n - x);
    total = (double) n;

    shift = z * z * ((count - others) / total) / 2;
    half = z * sqrt(count * (others / total) + z * z / 4);

    reach.lo = x == 0 ? 0 : (half + shift) / (total + z * z);
    reach.hi = x == n ? 0 : (half - shift) / (total + z * z);

    return reach;
}


ux_fixed_t
ux_stats_welch(uint64_t n_a, ux_estimate_t a, uint64_t n_b, ux_estimate_t b,
    double alpha)
{
    double      error, share, reach;
    ux_fixed_t  fixed;

    if (!ux_stats_alpha(alpha)) {
        return ux_stats_undefined(UX_STATS_REJECT);
    }

    if (n_a < 2 || n_b < 2) {
        return ux_stats_undefined(UX_STATS_INSUFFICIENT);
    }

    error = a.error + b.error;

    if (!(a.error >= 0 && b.error >= 0 && isfinite(error)
          && isfinite(b.mean - a.mean)))
    {
        return ux_stats_undefined(UX_STATS_REJECT);
    }

    fixed = ux_stats_undefined(UX_STATS_ZERO_VARIANCE);
    fixed.difference = b.mean - a.mean;

    if (error == 0) {
        return fixed;
    }

    /* in shares of the whole, as e^2 may be beyond the range of a double */

    share = a.error / error;

    fixed.status = UX_STATS_OK;
    fixed.df = 1 / (share * share / (double) (n_a - 1)
                    + (1 - share) * (1 - share) / (double) (n_b - 1));
    fixed.statistic = fixed.difference / sqrt(error);
    fixed.p = ux_special_t_tails(fixed.statistic, fixed.df);

    reach = ux_special_t_quantile(alpha, fixed.df) * sqrt(error);
    fixed.ci.lo = fixed.difference - reach;
    fixed.ci.hi = fixed.difference + reach;

    return fixed;
}


ux_fixed_t
ux_stats_normal(double difference, double error, double alpha)
{
    double      reach;
    ux_fixed_t  fixed;

    if (error < 0 || isinf(error) || isinf(difference)
        || !ux_stats_alpha(alpha))
    {
        return ux_stats_undefined(UX_STATS_REJECT);
    }

    fixed = ux_stats_undefined(UX_STATS_INSUFFICIENT);

    if (isnan(difference) || isnan(error)) {
        return fixed;
    }

    fixed.difference = difference;

    if (error == 0) {
        fixed.status = UX_STATS_ZERO_VARIANCE;
        return fixed;
    }

    fixed.status = UX_STATS_OK;
    fixed.statistic = difference / sqrt(error);
    fixed.p = 2 * ux_special_normal_tail(fabs(fixed.statistic));

    reach = ux_special_normal_quantile(alpha / 2) * sqrt(error);
    fixed.ci.lo = difference - reach;
    fixed.ci.hi = difference + reach;

    return fixed;
}


static bool
ux_stats_alpha(double alpha)
{
    return alpha > 0 && alpha < 1;
}


static ux_fixed_t
ux_stats_undefined(ux_stats_status_e status)
{
    ux_fixed_t  fixed;

    fixed.status = status;
    fixed.difference = NAN;
    fixed.statistic = NAN;
    fixed.df = NAN;
    fixed.p = NAN;
    fixed.ci.lo = NAN;
    fixed.ci.hi = NAN;

    return fixed;
}


/*
 * R - 1 is taken as the lift: R itself has lost its last digits where the
 * bounds are close to 0.
 */
ux_interval_t
ux_stats_fieller(ux_estimate_t a, ux_estimate_t b, double z, double *g)
{
    double         ratio, centre, reach, share;
    ux_interval_t  interval;

    interval.lo = NAN;
    interval.hi = NAN;

    ratio = b.mean / a.mean;
    share = a.mean == 0 ? NAN : z * (a.error / a.mean) * (z / a.mean);

    if (g != NULL) {
        *g = share;
    }

    if (!(share < 1)) {
        return interval;
    }

    centre = ux_stats_lift(a.mean, b.mean) + share;
    reach = fabs(z / a.mean)
            * sqrt(b.error * (1 - share) + ratio * ratio * a.error);

    interval.lo = (centre - reach) / (1 - share);
    interval.hi = (centre + reach) / (1 - share);

    return interval;
}


double
ux_stats_lift(double a, double b)
{
    return a == 0 ? NAN : (b - a) / a;
}
