
/*
 * Copyright (C) the nginx-ux authors
 *
 * uxctl calc: means, variances and ratios from exact sums.
 *
 * The core takes sums in minor units, whole numbers.  Here they come as
 * decimals, and become whole by a power of ten that all of them share.  Where
 * that many digits do not fit in 128 bits, the last ones are rounded away:
 * far behind those that a result has.
 */

#include "uxctl_calc.h"

#include "uxctl_decimal.h"

#include <math.h>
#include <string.h>


/* As read. */
typedef struct {
    uint64_t         n;
    uxctl_decimal_t  sum;
    uxctl_decimal_t  squares;
} uxctl_sums_t;

/* Two sums of the same visitors, and of their products. */
typedef struct {
    uxctl_sums_t     num;
    uxctl_sums_t     den;
    uxctl_decimal_t  products;
} uxctl_products_t;

/* Whole, in units of 10^-scale. */
typedef struct {
    int              num_scale;
    int              den_scale;
    int64_t          num_sum;
    int64_t          den_sum;
    ux_u128_t        products;     /* magnitude */
    uxctl_moments_t  num;
    uxctl_moments_t  den;
} uxctl_covaried_t;


static void uxctl_sums_read(uxctl_calc_t *calc, const char *arm,
    uxctl_sums_t *sums);
static uxctl_decimal_t uxctl_sums_decimal(uxctl_calc_t *calc,
    const ux_json_t *from, const char *name);
static int uxctl_sums_scale(const uxctl_sums_t *sums);
static int uxctl_sums_fit(uxctl_calc_t *calc, const char *arm,
    const uxctl_sums_t *sums, int scale, uxctl_moments_t *moments);
static ux_status_t uxctl_sums_moments(const uxctl_sums_t *sums, int scale,
    uxctl_moments_t *moments);
static bool uxctl_sums_signed(const uxctl_decimal_t *decimal, int scale,
    uxctl_i128_t *value);
static uxctl_calc_sample_t uxctl_sums_sample(const uxctl_sums_t *sums,
    const uxctl_moments_t *moments, const uxctl_moments_t *origin,
    int scale);
static bool uxctl_sums_products(uxctl_calc_t *calc,
    const uxctl_products_t *in, uxctl_covaried_t *out);
static ux_status_t uxctl_sums_covary(const uxctl_products_t *in,
    uxctl_covaried_t *out);
static double uxctl_sums_covariance(const uxctl_products_t *in,
    const uxctl_covaried_t *whole);



uxctl_calc_pair_t
uxctl_calc_pair(uxctl_calc_t *calc)
{
    int                scale, scale_a, scale_b;
    uxctl_sums_t       sums_a, sums_b;
    uxctl_moments_t    a, b;
    uxctl_calc_pair_t  pair;

    memset(&pair, 0, sizeof(pair));

    uxctl_sums_read(calc, "a", &sums_a);
    uxctl_sums_read(calc, "b", &sums_b);

    if (calc->rejected) {
        return pair;
    }

    scale_a = uxctl_sums_scale(&sums_a);
    scale_b = uxctl_sums_scale(&sums_b);
    scale = scale_a > scale_b ? scale_a : scale_b;

    scale_a = uxctl_sums_fit(calc, "a", &sums_a, scale, &a);
    scale_b = uxctl_sums_fit(calc, "b", &sums_b, scale, &b);

    if (calc->rejected) {
        return pair;
    }

    pair.a = uxctl_sums_sample(&sums_a, &a, &a, scale_a);
    pair.b = uxctl_sums_sample(&sums_b, &b, &a, scale_b);

    /* Of different units there is no origin: they are far apart anyway. */

    if (scale_a != scale_b) {
        pair.a.estimate.mean = pair.a.mean;
        pair.b.estimate.mean = pair.b.mean;
    }

    return pair;
}


static void
uxctl_sums_read(uxctl_calc_t *calc, const char *arm, uxctl_sums_t *sums)
{
    ux_json_t  *node;

    node = uxctl_calc_object(calc, calc->in, arm);

    calc->within = arm;

    sums->n = uxctl_calc_count(calc, node, "n");
    sums->sum = uxctl_sums_decimal(calc, node, "sum");
    sums->squares = uxctl_sums_decimal(calc, node, "sum_sq");

    if (sums->squares.negative) {
        uxctl_calc_reject(calc, "field \"%s.sum_sq\" is negative: expected at"
                          " least 0", arm);
    }

    calc->within = "";
}


static uxctl_decimal_t
uxctl_sums_decimal(uxctl_calc_t *calc, const ux_json_t *from,
    const char *name)
{
    ux_json_t        *node;
    uxctl_decimal_t   decimal;

    memset(&decimal, 0, sizeof(decimal));

    node = uxctl_calc_member(calc, from, name, "a decimal number");

    if (!calc->rejected
        && !uxctl_decimal_parse(ux_json_word(node), &decimal))
    {
        uxctl_calc_mistyped(calc, node, name, "a number of at most 37"
                            " digits");
    }

    return decimal;
}


/* The one that leaves no digit of either out. */
static int
uxctl_sums_scale(const uxctl_sums_t *sums)
{
    int  half;

    half = (sums->squares.scale + (sums->squares.scale > 0)) / 2;

    return sums->sum.scale > half ? sums->sum.scale : half;
}


/* The largest scale from this one down at which the sums fit. */
static int
uxctl_sums_fit(uxctl_calc_t *calc, const char *arm, const uxctl_sums_t *sums,
    int scale, uxctl_moments_t *moments)
{
    ux_status_t  rc;

    do {
        rc = uxctl_sums_moments(sums, scale, moments);
        scale -= rc == UX_FULL;
    } while (rc == UX_FULL && scale >= -UXCTL_DECIMAL_SCALE);

    if (rc != UX_OK) {
        uxctl_calc_reject(calc, "field \"%s.sum_sq\" is not possible:"
                          " expected at least sum^2 / n", arm);
    }

    return scale;
}


static ux_status_t
uxctl_sums_moments(const uxctl_sums_t *sums, int scale,
    uxctl_moments_t *moments)
{
    ux_u128_t     squares;
    uxctl_i128_t  sum;

    if (!uxctl_sums_signed(&sums->sum, scale, &sum)
        || !uxctl_decimal_at(&sums->squares, 2 * scale, &squares))
    {
        return UX_FULL;
    }

    return uxctl_decimal_moments(sums->n, sum, squares, moments);
}


static bool
uxctl_sums_signed(const uxctl_decimal_t *decimal, int scale,
    uxctl_i128_t *value)
{
    ux_u128_t  magnitude;

    if (!uxctl_decimal_at(decimal, scale, &magnitude)) {
        return false;
    }

    *value = (uxctl_i128_t) magnitude;

    if (decimal->negative) {
        *value = -*value;
    }

    return true;
}


static uxctl_calc_sample_t
uxctl_sums_sample(const uxctl_sums_t *sums, const uxctl_moments_t *moments,
    const uxctl_moments_t *origin, int scale)
{
    double               mean, variance;
    uint64_t             n;
    uxctl_calc_sample_t  sample;

    n = sums->n;
    mean = ux_stats_mean(n, moments->sum);
    variance = ux_stats_variance(n, moments->sum, moments->squares);

    sample.n = n;
    sample.mean = uxctl_decimal_double((double) moments->centre + mean,
                                       scale);
    sample.variance = uxctl_decimal_double(variance, 2 * scale);

    mean += (double) (moments->centre - origin->centre);
    sample.estimate.mean = uxctl_decimal_double(mean, scale);
    sample.estimate.error = sample.variance / (double) n;

    return sample;
}


uxctl_calc_ratio_t
uxctl_calc_ratio(uxctl_calc_t *calc, const char *arm)
{
    ux_json_t            *node;
    uxctl_products_t      in;
    uxctl_covaried_t      whole;
    uxctl_calc_ratio_t    ratio;
    uxctl_calc_sample_t   num, den;

    memset(&ratio, 0, sizeof(ratio));

    node = uxctl_calc_object(calc, calc->in, arm);

    calc->within = arm;

    in.num.n = uxctl_calc_count(calc, node, "n");
    in.num.sum = uxctl_sums_decimal(calc, node, "sum_num");
    in.num.squares = uxctl_sums_decimal(calc, node, "sum_num_sq");
    in.den.n = in.num.n;
    in.den.sum = uxctl_sums_decimal(calc, node, "sum_den");
    in.den.squares = uxctl_sums_decimal(calc, node, "sum_den_sq");
    in.products = uxctl_sums_decimal(calc, node, "sum_num_den");

    calc->within = "";

    if (!uxctl_sums_products(calc, &in, &whole)) {
        return ratio;
    }

    num = uxctl_sums_sample(&in.num, &whole.num, &whole.num, whole.num_scale);
    den = uxctl_sums_sample(&in.den, &whole.den, &whole.den, whole.den_scale);

    ratio.n = in.num.n;
    ratio.estimate = ux_stats_ratio(ratio.n,
                                    uxctl_decimal_double(
                                        (double) whole.num_sum,
                                        whole.num_scale),
                                    uxctl_decimal_double(
                                        (double) whole.den_sum,
                                        whole.den_scale),
                                    num.variance, den.variance,
                                    uxctl_sums_covariance(&in, &whole));

    return ratio;
}


static bool
uxctl_sums_products(uxctl_calc_t *calc, const uxctl_products_t *in,
    uxctl_covaried_t *out)
{
    int          more;
    ux_status_t  rc;

    if (calc->rejected) {
        return false;
    }

    out->num_scale = uxctl_sums_scale(&in->num);
    out->den_scale = uxctl_sums_scale(&in->den);

    more = in->products.scale - out->num_scale - out->den_scale;
    out->num_scale += more > 0 ? more : 0;

    do {
        rc = uxctl_sums_covary(in, out);
        out->num_scale -= rc == UX_FULL;
        out->den_scale -= rc == UX_FULL;
    } while (rc == UX_FULL && out->num_scale >= -UXCTL_DECIMAL_SCALE);

    if (rc != UX_OK || in->num.squares.negative || in->den.squares.negative) {
        uxctl_calc_reject(calc, "the sums of squares are not possible:"
                          " expected at least sum^2 / n");
        return false;
    }

    return true;
}


static ux_status_t
uxctl_sums_covary(const uxctl_products_t *in, uxctl_covaried_t *out)
{
    ux_u128_t     product;
    ux_status_t   rc;
    uxctl_i128_t  num, den;

    rc = uxctl_sums_moments(&in->num, out->num_scale, &out->num);

    if (rc == UX_OK) {
        rc = uxctl_sums_moments(&in->den, out->den_scale, &out->den);
    }

    if (rc != UX_OK) {
        return rc;
    }

    if (!uxctl_sums_signed(&in->num.sum, out->num_scale, &num)
        || !uxctl_sums_signed(&in->den.sum, out->den_scale, &den)
        || !uxctl_decimal_at(&in->products, out->num_scale + out->den_scale,
                             &out->products)
        || __builtin_mul_overflow(out->products, (ux_u128_t) in->num.n,
                                  &product)
        || num > INT64_MAX || num < -INT64_MAX || den > INT64_MAX
        || den < -INT64_MAX || product >> 126 != 0)
    {
        return UX_FULL;
    }

    out->num_sum = (int64_t) num;
    out->den_sum = (int64_t) den;

    return UX_OK;
}


/* The core knows no negative products: cov(y, z) = -cov(-y, z). */
static double
uxctl_sums_covariance(const uxctl_products_t *in,
    const uxctl_covaried_t *whole)
{
    double   covariance;
    int64_t  sum;

    sum = in->products.negative ? -whole->num_sum : whole->num_sum;
    covariance = ux_stats_covariance(in->num.n, sum, whole->den_sum,
                                     whole->products);

    return uxctl_decimal_double(in->products.negative ? -covariance
                                                      : covariance,
                                whole->num_scale + whole->den_scale);
}
