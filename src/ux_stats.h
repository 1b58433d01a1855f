
/*
 * Copyright (C) the nginx-ux authors
 *
 * Statistics of one look at a planned end, and what the others are made of:
 * plain numbers in, plain numbers out.  NaN is what is undefined.
 */

#ifndef UX_STATS_H
#define UX_STATS_H


#include "ux_base.h"


typedef struct {
    double  lo;
    double  hi;
} ux_interval_t;


/* What can be said of two arms. */
typedef enum {
    UX_STATS_OK = 0,
    UX_STATS_INSUFFICIENT,         /* nobody, one visitor, no conversions */
    UX_STATS_BASELINE_ZERO,        /* the control's mean is 0: no lift */
    UX_STATS_ZERO_VARIANCE,
    UX_STATS_REJECT                /* impossible numbers */
} ux_stats_status_e;

/* As in the JSON: "ok", "insufficient_data" and so on. */
const char *ux_stats_status_name(ux_stats_status_e status);


/* Normal quantile of the two-sided 95 %, to 17 digits. */
#define UX_STATS_Z95  1.9599639845400542


/*
 * Wilson score interval of a proportion x/n (Wilson 1927; Brown, Cai,
 * DasGupta 2001) at the two-sided confidence whose normal quantile is z.
 * n = 0: [0, 1]; x = 0: lo exactly 0; x = n: hi exactly 1.  x > n: NaN both.
 */
ux_interval_t ux_stats_wilson(uint64_t x, uint64_t n, double z);

/*
 * Mean and sample variance (n - 1) from exact sums; the numerator
 * n*Q - S^2 is evaluated in 128-bit integers.  NaN where undefined: mean for
 * n = 0, variance for n < 2 or when Q * n < S^2.
 */
double ux_stats_mean(uint64_t n, int64_t sum);
double ux_stats_variance(uint64_t n, int64_t sum, ux_u128_t sum_of_squares);

/*
 * Sample covariance (n - 1) of two per-visitor sums: (n*P - S*R) / (n(n-1)),
 * exact in integers, may be negative.  NaN for n < 2.
 */
double ux_stats_covariance(uint64_t n, int64_t sum, int64_t other,
    ux_u128_t products);

/*
 * S_B / n_B - S_A / n_A, exact in integers up to the last division: what two
 * means far from 0 differ by.  NaN for n = 0.
 */
double ux_stats_mean_difference(uint64_t n_a, int64_t sum_a, uint64_t n_b,
    int64_t sum_b);


/* A metric in one arm: its estimate and the variance of that estimate. */
typedef struct {
    double  mean;
    double  error;                 /* e = s^2 / n; NaN: undefined */
} ux_estimate_t;

/* p = x/n and p (1 - p) / n; NaN both for n = 0 or x > n. */
ux_estimate_t ux_stats_proportion(uint64_t x, uint64_t n);

/*
 * Of a ratio of sums y/z over visitors, by the delta method:
 * r = S_y / S_z,
 * var r = [s_y^2 + r^2 s_z^2 - 2 r s_yz] / (n zbar^2)
 * (Deng, Knoblich, Lu, KDD 2018).  variance_* and covariance as above.
 * NaN both where zbar is 0 or n < 2.
 */
ux_estimate_t ux_stats_ratio(uint64_t n, double sum_y, double sum_z,
    double variance_y, double variance_z, double covariance);


/* Two arms at a fixed horizon: valid once, at the planned end. */
typedef struct {
    ux_stats_status_e  status;
    double             difference; /* B - A */
    double             statistic;  /* z or t */
    double             df;         /* of t; NaN for z */
    double             p;          /* two-sided */
    ux_interval_t      ci;         /* of the difference */
} ux_fixed_t;

/*
 * Two proportions: pooled z test, p = erfc(|z| / sqrt 2), and Newcombe's
 * hybrid score interval (Newcombe 1998, method 10).  No conversions at all,
 * or nothing but: INSUFFICIENT (difference 0, p 1, the interval stands); an
 * arm of nobody: INSUFFICIENT and NaN all.  x > n: REJECT.  An alpha outside
 * (0, 1) is REJECT here and below.
 */
ux_fixed_t ux_stats_two_proportions(uint64_t x_a, uint64_t n_a, uint64_t x_b,
    uint64_t n_b, double alpha);

/*
 * Welch's t test of two means with Satterthwaite's degrees of freedom (Welch
 * 1947).  Both variances 0: ZERO_VARIANCE; n < 2: INSUFFICIENT; an error that
 * is undefined or below 0 though n >= 2: REJECT.  Of one thread: see
 * ux_special.h.
 *
 * Only the difference of the means counts: means far from 0 are better given
 * as 0 and ux_stats_mean_difference().
 */
ux_fixed_t ux_stats_welch(uint64_t n_a, ux_estimate_t a, uint64_t n_b,
    ux_estimate_t b, double alpha);

/*
 * Normal test and interval d +- z se, of stratified estimates.  NaN for
 * either: INSUFFICIENT; error 0: ZERO_VARIANCE; below 0: REJECT.
 */
ux_fixed_t ux_stats_normal(double difference, double error, double alpha);

/*
 * Fieller's interval of the lift m_B / m_A - 1 at the critical value z
 * (Fieller 1954): g = z^2 e_A / m_A^2,
 * [R +- (z / m_A) sqrt(e_B (1 - g) + R^2 e_A)] / (1 - g) - 1.
 * NaN both where unbounded (g >= 1) or undefined; *g as well, may be NULL.
 */
ux_interval_t ux_stats_fieller(ux_estimate_t a, ux_estimate_t b, double z,
    double *g);

/* m_B / m_A - 1; NaN for m_A = 0. */
double ux_stats_lift(double a, double b);


#endif
