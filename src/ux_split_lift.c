
/*
 * Copyright (C) the nginx-ux authors
 *
 * The split of first conversions over two arms, epoch by epoch, and the lifts
 * it leaves possible.  In v = ln(1 + u) what an epoch says against the lift u
 * is its log Bayes factor - b v + (a + b) ln(r_A + r_B e^v), its share of B
 * being r_B e^v / (r_A + r_B e^v): convex, so that the sum over the epochs has
 * one lowest point and an edge at either side of it.
 *
 * Each of the three is bisected to the last digit.  Most midpoints are far
 * from where it is: Newton's method finds that in a few steps, and a distance
 * at which rounding cannot matter any more is tried on both sides.  Beyond it
 * nothing is worked out; within it every midpoint is, so that the result is
 * the bisection's, bit for bit, whatever Newton's method did.
 */

#include "ux_split.h"

#include <float.h>
#include <math.h>


/* e^700 is a lift no count can bound. */
#define UX_LIFT_LOG_MAX      700.0
#define UX_LIFT_BISECTIONS   70

#define UX_LIFT_STEPS        12        /* of Newton's method; 4 do */
#define UX_LIFT_STEP_LAST    1e-8


typedef struct {
    const ux_stratum_t  *epochs;
    unsigned             n;
    double               log_e;    /* at a lift of 0 */
    double               labels_a;
    double               labels_b;
} ux_split_lift_t;


typedef double (*ux_split_lift_pt)(const ux_split_lift_t *lift, double v);


/* Where a value that grows with v, or with -v, comes to a limit. */
typedef struct {
    const ux_split_lift_t  *lift;
    ux_split_lift_pt        value;
    ux_split_lift_pt        slope;     /* its derivative */
    double                  limit;
    double                  sign;      /* of v as it grows */
    double                  size;      /* of its terms at 0 */
    double                  growth;    /* of that with |v| */
    double                  near;      /* below the limit from here inwards */
    double                  far;       /* not below it from here outwards */
} ux_split_search_t;


static double ux_split_lift_least(const ux_split_lift_t *lift);
static double ux_split_lift_edge(const ux_split_lift_t *lift, double least,
    double step, double limit);
static void ux_split_search_narrow(ux_split_search_t *search, double v);
static double ux_split_search_error(const ux_split_search_t *search,
    double v);
static bool ux_split_search_below(const ux_split_search_t *search, double v);
static double ux_split_search_bisect(const ux_split_search_t *search,
    double inside, double outside);
static double ux_split_lift_log_e(const ux_split_lift_t *lift, double v);
static double ux_split_lift_slope(const ux_split_lift_t *lift, double v);
static double ux_split_lift_bend(const ux_split_lift_t *lift, double v);
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
    ux_split_search_t  search;

    search = (ux_split_search_t) {
        lift, ux_split_lift_slope, ux_split_lift_bend, 0, 1,
        lift->labels_a + 2 * lift->labels_b, 0, -INFINITY, INFINITY
    };

    ux_split_search_narrow(&search, 0);

    return ux_split_search_bisect(&search, -UX_LIFT_LOG_MAX,
                                  UX_LIFT_LOG_MAX);
}


/*
 * The point beyond the least one, to the side of `step`, where log-e = limit;
 * near it, as if log-e were a parabola.
 */
static double
ux_split_lift_edge(const ux_split_lift_t *lift, double least, double step,
    double limit)
{
    double             inside, outside, bend, room;
    ux_split_search_t  search;

    search = (ux_split_search_t) {
        lift, ux_split_lift_log_e, ux_split_lift_slope, limit, step,
        fabs(lift->log_e), lift->labels_a + 2 * lift->labels_b,
        -INFINITY * step, INFINITY * step
    };

    room = limit - ux_split_lift_log_e(lift, least);
    bend = ux_split_lift_bend(lift, least);
    ux_split_search_narrow(&search, least + step * sqrt(2 * room / bend));

    inside = least;
    outside = inside + step;

    while (ux_split_search_below(&search, outside)
           && fabs(outside) < UX_LIFT_LOG_MAX)
    {
        inside = outside;
        step *= 2;
        outside += step;
    }

    return ux_split_search_bisect(&search, inside, outside);
}


/* Sets near and far, from a guess, if they are what they should be. */
static void
ux_split_search_narrow(ux_split_search_t *search, double v)
{
    int     i;
    double  step, error, reach, near, far;

    for (i = 0; i < UX_LIFT_STEPS; i++) {
        step = (search->limit - search->value(search->lift, v))
               / search->slope(search->lift, v);
        v += fmax(fmin(step, 1), -1);

        if (fabs(step) < UX_LIFT_STEP_LAST) {
            break;
        }
    }

    error = ux_split_search_error(search, v);
    reach = 4 * error / fabs(search->slope(search->lift, v))
            + 4 * DBL_EPSILON * fabs(v);
    near = v - reach * search->sign;
    far = v + reach * search->sign;

    if (search->value(search->lift, near) < search->limit - error
        && search->value(search->lift, far) > search->limit + error)
    {
        search->near = near;
        search->far = far;
    }
}


/*
 * How far a value may be off by rounding: its terms, each within some units of
 * their last digit, and so the sums.  |ln(r_A + r_B e^v)| is at most |v|;
 * below -1 it is worked out from a number near r_A, which has the error of 1.
 */
static double
ux_split_search_error(const ux_split_search_t *search, double v)
{
    double  size;

    size = search->size + search->growth * fabs(v);

    if (v <= -1) {
        size += search->growth;
    }

    return (8 + search->lift->n) * DBL_EPSILON * size;
}


static bool
ux_split_search_below(const ux_split_search_t *search, double v)
{
    if ((search->near - v) * search->sign >= 0) {
        return true;
    }

    if ((v - search->far) * search->sign >= 0) {
        return false;
    }

    return search->value(search->lift, v) < search->limit;
}


static double
ux_split_search_bisect(const ux_split_search_t *search, double inside,
    double outside)
{
    double    mid;
    unsigned  i;

    for (i = 0; i < UX_LIFT_BISECTIONS; i++) {
        mid = (inside + outside) / 2;

        if (mid == inside || mid == outside) {
            break;
        }

        if (ux_split_search_below(search, mid)) {
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


/* The slope's own: labels times the variance of one of them. */
static double
ux_split_lift_bend(const ux_split_lift_t *lift, double v)
{
    double               share, value;
    unsigned             i;
    const ux_stratum_t  *epoch;

    value = 0;

    for (i = 0; i < lift->n; i++) {
        epoch = &lift->epochs[i];

        if (ux_split_is_in(epoch)) {
            share = 1 / (1 + epoch->share_a / epoch->share_b * exp(-v));
            value += ux_split_labels(epoch) * share * (1 - share);
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
