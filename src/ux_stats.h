
/*
 * Copyright (C) the nginx-ux authors
 *
 * Statistics: plain numbers in, plain numbers out.
 */

#ifndef UX_STATS_H
#define UX_STATS_H


#include "ux_base.h"


typedef struct {
    double  lo;
    double  hi;
} ux_interval_t;


/*
 * Wilson score interval of a proportion x/n (Wilson 1927; Brown, Cai,
 * DasGupta 2001) at the two-sided confidence whose normal quantile is z.
 * n = 0: [0, 1]; x = 0: lo exactly 0; x = n: hi exactly 1.  x > n: NaN both.
 */
ux_interval_t ux_stats_wilson(uint64_t x, uint64_t n, double z);

/* Normal quantile of the two-sided 95 %, to 17 digits. */
#define UX_STATS_Z95  1.9599639845400542

/*
 * Mean and sample variance (n - 1) from exact sums; the numerator
 * n*Q - S^2 is evaluated in 128-bit integers.  NaN where undefined: mean for
 * n = 0, variance for n < 2 or when Q * n < S^2.
 */
double ux_stats_mean(uint64_t n, int64_t sum);
double ux_stats_variance(uint64_t n, int64_t sum, ux_u128_t sum_of_squares);


#endif
