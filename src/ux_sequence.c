
/*
 * Copyright (C) the nginx-ux authors
 *
 * The normal-mixture confidence sequence.  q = total * rho^2 says how far the
 * experiment is: 1 is about where the sequence is tightest.  Everything is
 * kept as a logarithm: an e-value leaves the range of a double at 38 standard
 * errors.
 */

#include "ux_sequence.h"

#include <math.h>


static bool ux_stratum_is_in(const ux_stratum_t *stratum);
static double ux_stratum_weight(const ux_stratum_t *stratum);
static void ux_pooled_add(ux_estimate_t *pooled, const ux_estimate_t *estimate,
    double weight);


double
ux_sequence_rho2(double alpha, double n_star)
{
    double  reach;

    if (!(alpha > 0 && alpha < 1) || !(n_star > 0)) {
        return NAN;
    }

    reach = -2 * log(alpha);

    return (reach + log1p(reach)) / n_star;
}


double
ux_sequence_z(double total, double rho2, double level)
{
    double  q;

    q = total * rho2;

    if (!(q >= 0) || !(level > 0 && level < 1)) {
        return NAN;
    }

    return sqrt(2 * (1 + 1 / q) * (log1p(q) / 2 - log(level)));
}


double
ux_sequence_log_e(double difference, double error, double total, double rho2)
{
    double  q;

    q = total * rho2;

    if (!(q >= 0) || !(error > 0)) {
        return NAN;
    }

    return (q / (1 + q) * (difference * difference / error) - log1p(q)) / 2;
}


double
ux_sequence_p(double log_e)
{
    return log_e <= 0 ? 1 : exp(-log_e);
}


ux_pooled_t
ux_sequence_stratify(const ux_stratum_t *strata, unsigned n, bool *used)
{
    bool         in;
    double       all, weight;
    unsigned     i;
    ux_pooled_t  pooled;

    pooled = (ux_pooled_t) { 0 };
    all = 0;

    for (i = 0; i < n; i++) {
        in = ux_stratum_is_in(&strata[i]);

        if (used != NULL) {
            used[i] = in;
        }

        if (in) {
            all += ux_stratum_weight(&strata[i]);
            pooled.used++;
            pooled.visitors_a += strata[i].a.visitors;
            pooled.visitors_b += strata[i].b.visitors;
            pooled.converters_a += strata[i].a.converters;
            pooled.converters_b += strata[i].b.converters;
        }
    }

    if (pooled.used == 0) {
        pooled.a = (ux_estimate_t) { NAN, NAN };
        pooled.b = pooled.a;
    }

    for (i = 0; i < n; i++) {
        if (ux_stratum_is_in(&strata[i])) {
            weight = ux_stratum_weight(&strata[i]) / all;
            ux_pooled_add(&pooled.a, &strata[i].a.estimate, weight);
            ux_pooled_add(&pooled.b, &strata[i].b.estimate, weight);
        }
    }

    pooled.difference = pooled.b.mean - pooled.a.mean;
    pooled.error = pooled.a.error + pooled.b.error;

    return pooled;
}


static bool
ux_stratum_is_in(const ux_stratum_t *stratum)
{
    return stratum->a.visitors >= UX_STRATUM_VISITORS_MIN
           && stratum->b.visitors >= UX_STRATUM_VISITORS_MIN
           && isfinite(stratum->a.estimate.mean)
           && isfinite(stratum->a.estimate.error)
           && isfinite(stratum->b.estimate.mean)
           && isfinite(stratum->b.estimate.error);
}


/* n_a n_b / (n_a + n_b), without a product that could be too large. */
static double
ux_stratum_weight(const ux_stratum_t *stratum)
{
    return 1 / (1 / (double) stratum->a.visitors
                + 1 / (double) stratum->b.visitors);
}


static void
ux_pooled_add(ux_estimate_t *pooled, const ux_estimate_t *estimate,
    double weight)
{
    pooled->mean += weight * estimate->mean;
    pooled->error += weight * weight * estimate->error;
}
