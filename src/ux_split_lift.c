
/*
 * Copyright (C) the nginx-ux authors
 *
 * The split of first conversions over two arms, epoch by epoch, and the lifts
 * it leaves possible.  In v = ln(1 + u) what an epoch says against the lift u
 * is its log Bayes factor - b v + (a + b) ln(r_A + r_B e^v), its share of B
 * being r_B e^v / (r_A + r_B e^v): convex, so that the sum over the epochs has
 * one lowest point and an edge at either side of it.
 */

#include "ux_split.h"

#include <math.h>


/* e^700 is a lift no count can bound. */
#define UX_LIFT_LOG_MAX      700.0
#define UX_LIFT_BISECTIONS   70


typedef struct {
    const ux_stratum_t  *epochs;
    unsigned             n;
    double               log_e;    /* at a lift of 0 */
    double               labels_a;
    double               labels_b;
} ux_split_lift_t;


static double ux_split_lift_least(const ux_split_lift_t *lift);
static double ux_split_lift_edge(const ux_split_lift_t *lift, double inside,
    double step, double limit);
static double ux_split_lift_log_e(const ux_split_lift_t *lift, double v);
static double ux_split_lift_slope(const ux_split_lift_t *lift, double v);
static bool ux_split_is_in(const ux_stratum_t *epoch);
static double ux_split_labels(const ux_stratum_t *epoch);


double
ux_split_conversions(const ux_stratum_t *epochs, unsigned n,
    double concentration)
{
    double    value;
    unsigned  i;

    value = 0;

    for (i = 0; i < n; i++) {
        if (ux_split_is_in(&epochs[i])) {
            value += ux_split_log_bf(
                         (const uint64_t[2]) { epochs[i].a.converters,
                                               epochs[i].b.converters },
                         (const double[2]) { epochs[i].share_a,
                                             epochs[i].share_b },
                         2, concentration);
        }
    }

    return value;
}


ux_interval_t
ux_split_lift(const ux_stratum_t *epochs, unsigned n, double concentration,
    double level)
{
    double           inside, limit, v;
    unsigned         i;
    ux_interval_t    ci;
    ux_split_lift_t  lift;

    ci.lo = NAN;
    ci.hi = NAN;

    lift = (ux_split_lift_t) { epochs, n, 0, 0, 0 };
    lift.log_e = ux_split_conversions(epochs, n, concentration);

    for (i = 0; i < n; i++) {
        if (ux_split_is_in(&epochs[i])) {
            lift.labels_a += (double) epochs[i].a.converters;
            lift.labels_b += (double) epochs[i].b.converters;
        }
    }

    limit = level > 0 && level < 1 ? -log(level) : NAN;
    inside = ux_split_lift_least(&lift);

    if (!(ux_split_lift_log_e(&lift, inside) < limit)) {
        return ci;
    }

    ci.lo = lift.labels_b > 0
            ? expm1(ux_split_lift_edge(&lift, inside, -1, limit)) : -1;

    if (lift.labels_a > 0) {
        v = ux_split_lift_edge(&lift, inside, 1, limit);
        ci.hi = v < UX_LIFT_LOG_MAX ? expm1(v) : NAN;
    }

    return ci;
}


static double
ux_split_lift_least(const ux_split_lift_t *lift)
{
    double    lo, hi, mid;
    unsigned  i;

    lo = -UX_LIFT_LOG_MAX;
    hi = UX_LIFT_LOG_MAX;

    for (i = 0; i < UX_LIFT_BISECTIONS; i++) {
        mid = (lo + hi) / 2;

        if (ux_split_lift_slope(lift, mid) < 0) {
            lo = mid;

        } else {
            hi = mid;
        }
    }

    return hi;
}


/* The point beyond `inside`, to the side of `step`, where log-e = limit. */
static double
ux_split_lift_edge(const ux_split_lift_t *lift, double inside, double step,
    double limit)
{
    double    outside, mid;
    unsigned  i;

    outside = inside + step;

    while (ux_split_lift_log_e(lift, outside) < limit
           && fabs(outside) < UX_LIFT_LOG_MAX)
    {
        inside = outside;
        step *= 2;
        outside += step;
    }

    for (i = 0; i < UX_LIFT_BISECTIONS; i++) {
        mid = (inside + outside) / 2;

        if (ux_split_lift_log_e(lift, mid) < limit) {
            inside = mid;

        } else {
            outside = mid;
        }
    }

    return outside;
}


static double
ux_split_lift_log_e(const ux_split_lift_t *lift, double v)
{
    double               share_a, share_b, value;
    unsigned             i;
    const ux_stratum_t  *epoch;

    value = lift->log_e - lift->labels_b * v;

    for (i = 0; i < lift->n; i++) {
        epoch = &lift->epochs[i];

        if (!ux_split_is_in(epoch)) {
            continue;
        }

        share_a = epoch->share_a / (epoch->share_a + epoch->share_b);
        share_b = epoch->share_b / (epoch->share_a + epoch->share_b);

        /* far below, expm1 would leave share_a the digits of 1 */

        value += ux_split_labels(epoch)
                 * (v > -1 ? log1p(share_b * expm1(v))
                           : log(share_a + share_b * exp(v)));
    }

    return value;
}


static double
ux_split_lift_slope(const ux_split_lift_t *lift, double v)
{
    double               value;
    unsigned             i;
    const ux_stratum_t  *epoch;

    value = -lift->labels_b;

    for (i = 0; i < lift->n; i++) {
        epoch = &lift->epochs[i];

        if (ux_split_is_in(epoch)) {
            value += ux_split_labels(epoch)
                     / (1 + epoch->share_a / epoch->share_b * exp(-v));
        }
    }

    return value;
}


/* Undefined shares are in, for the result to be undefined. */
static bool
ux_split_is_in(const ux_stratum_t *epoch)
{
    return epoch->share_a != 0 && epoch->share_b != 0;
}


static double
ux_split_labels(const ux_stratum_t *epoch)
{
    return (double) epoch->a.converters + (double) epoch->b.converters;
}
