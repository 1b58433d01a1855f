
/*
 * Copyright (C) the nginx-ux authors
 *
 * Statistics that the report prints beside the counts.  What could lose
 * digits by cancellation is done in integers or in a form that does not
 * subtract.
 */

#include "ux_stats.h"

#include <math.h>


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
    uint64_t   magnitude;
    ux_u128_t  left, right;

    if (n < 2 || __builtin_mul_overflow(sum_of_squares, (ux_u128_t) n,
                                        &left))
    {
        return NAN;
    }

    magnitude = sum < 0 ? 0 - (uint64_t) sum : (uint64_t) sum;
    right = (ux_u128_t) magnitude * magnitude;

    if (left < right) {
        return NAN;
    }

    return (double) (left - right) / ((double) n * (double) (n - 1));
}
