
/*
 * Copyright (C) the nginx-ux authors
 *
 * One arm's posterior: density, tails, and the window in which it (or its
 * overlap with another one) is to be integrated.
 */

#include "ux_posterior_private.h"
#include "ux_special.h"

#include <math.h>


#define UX_POSTERIOR_2_PI   6.283185307179586

/* |logit| beyond which t or 1 - t leaves the range of a double. */
#define UX_POSTERIOR_FAR    700.0

#define UX_POSTERIOR_STEPS  40

#define UX_POSTERIOR_NODES  16


static double ux_posterior_mode(const ux_posterior_pair_t *pair,
    double *width);
static double ux_posterior_start(const ux_posterior_pair_t *pair);
static double ux_posterior_slope(const ux_posterior_pair_t *pair, double u,
    double *curvature);
static double ux_posterior_reach(const ux_posterior_pair_t *pair, double mode,
    int sign, double guess, double drop);
static double ux_posterior_log(const ux_posterior_pair_t *pair, double u);


/* Gauss-Legendre on [-1, 1]: the positive half, node and weight. */
static const double  ux_posterior_nodes[UX_POSTERIOR_NODES / 2][2] = {
    { 0.09501250983763744, 0.1894506104550685 },
    { 0.28160355077925891, 0.18260341504492359 },
    { 0.45801677765722739, 0.16915651939500254 },
    { 0.61787624440264375, 0.14959598881657673 },
    { 0.75540440835500303, 0.12462897125553387 },
    { 0.86563120238783174, 0.095158511682492785 },
    { 0.94457502307323258, 0.062253523938647893 },
    { 0.98940093499164993, 0.027152459411754095 }
};


bool
ux_posterior_valid(ux_beta_t beta)
{
    return beta.alpha > 0 && beta.beta > 0 && isfinite(beta.alpha)
           && isfinite(beta.beta);
}


/*
 * Stirling's formula takes the large terms of ln B away before they are added:
 * f(centre) = sqrt(ab / (2 pi (a + b))) e^(s(a + b) - s(a) - s(b)).
 */
ux_posterior_arm_t
ux_posterior_arm(double a, double b)
{
    ux_posterior_arm_t  arm;

    arm.a = a;
    arm.b = b;
    arm.total = a + b;
    arm.mean = a / arm.total;
    arm.rest = b / arm.total;
    arm.centre = log(a / b);
    arm.peak = log(a / UX_POSTERIOR_2_PI * arm.rest) / 2
               + ux_special_stirling(arm.total) - ux_special_stirling(a)
               - ux_special_stirling(b);

    return arm;
}


/*
 * ln f(c + v) - ln f(c) = a v - (a + b) ln(1 - m + m e^v), or the same of the
 * complement where m > 1/2.
 */
double
ux_posterior_density(const ux_posterior_arm_t *arm, double u)
{
    double  v, mean, power;

    v = u - arm->centre;
    mean = arm->mean;
    power = arm->a;

    if (mean > 0.5) {
        v = -v;
        mean = arm->rest;
        power = arm->b;
    }

    if (v > UX_POSTERIOR_FAR) {
        return arm->peak - (arm->total - power) * v - arm->total * log(mean);
    }

    return arm->peak + power * v - arm->total * log1p(mean * expm1(v));
}


ux_posterior_point_t
ux_posterior_point(double u)
{
    double                odds;
    ux_posterior_point_t  at;

    odds = exp(-fabs(u));

    at.u = u;
    at.t = (u < 0 ? odds : 1) / (1 + odds);
    at.y = (u < 0 ? 1 : odds) / (1 + odds);

    return at;
}


/* Far out the first term of the tail's series is all of it. */
void
ux_posterior_tails(const ux_posterior_arm_t *arm,
    const ux_posterior_point_t *at, double *lower, double *upper)
{
    if (at->u < -UX_POSTERIOR_FAR) {
        *lower = exp(ux_posterior_density(arm, at->u)) / arm->a;
        *upper = 1 - *lower;
        return;
    }

    if (at->u > UX_POSTERIOR_FAR) {
        *upper = exp(ux_posterior_density(arm, at->u)) / arm->b;
        *lower = 1 - *upper;
        return;
    }

    ux_special_beta(arm->a, arm->b, at->t, at->y, lower, upper);
}


bool
ux_posterior_find(ux_posterior_window_t *window,
    const ux_posterior_pair_t *pair, double drop)
{
    double  mode, width;

    mode = ux_posterior_mode(pair, &width);

    if (!isfinite(mode)) {
        return false;
    }

    width *= sqrt(2 * drop);

    window->mode = mode;
    window->lo = mode + ux_posterior_reach(pair, mode, -1, width, drop);
    window->hi = mode + ux_posterior_reach(pair, mode, 1, width, drop);

    return true;
}


/*
 * Newton's method on a concave function, to a quarter of a standard deviation:
 * it is only where windows are split.  Arms of few conversions make it bend so
 * little that steps go too far, hence the bound and the bracket.
 */
static double
ux_posterior_mode(const ux_posterior_pair_t *pair, double *width)
{
    int     i;
    double  u, lo, hi, step, slope, curvature;

    lo = -INFINITY;
    hi = INFINITY;
    u = ux_posterior_start(pair);

    for (i = 0; i < UX_POSTERIOR_STEPS; i++) {
        slope = ux_posterior_slope(pair, u, &curvature);
        step = slope / curvature;
        *width = 1 / sqrt(curvature);

        if (fabs(step) < *width / 4) {
            return u;
        }

        /* F_W is leaving the range of a double: the mode is on the right */

        if (!(curvature > 0) || !isfinite(step)) {
            step = UX_POSTERIOR_LENGTH / 2;
        }

        if (step > 0) {
            lo = u;

        } else {
            hi = u;
        }

        u += fmin(fmax(step, -UX_POSTERIOR_LENGTH), UX_POSTERIOR_LENGTH);

        if (u <= lo || u >= hi) {
            u = lo + (hi - lo) / 2;
        }
    }

    return NAN;
}


/*
 * Between the centres, if F_W is small at that of N, in proportion to the
 * precision of each: the saddle point of two normal distributions.
 */
static double
ux_posterior_start(const ux_posterior_pair_t *pair)
{
    double                     n_precision, w_precision;
    const ux_posterior_arm_t  *n, *w;

    n = pair->n;
    w = pair->w;

    if (w == NULL || n->centre >= w->centre) {
        return n->centre;
    }

    n_precision = n->a * n->rest;
    w_precision = w->a * w->rest;

    return n->centre + (w->centre - n->centre)
                       * (w_precision / (n_precision + w_precision));
}


/* d ln(f_N F_W) / du, and minus its derivative. */
static double
ux_posterior_slope(const ux_posterior_pair_t *pair, double u,
    double *curvature)
{
    double                     slope, hazard, lower, upper;
    ux_posterior_point_t       at;
    const ux_posterior_arm_t  *n, *w;

    n = pair->n;
    w = pair->w;

    at = ux_posterior_point(u);

    slope = n->a * at.y - n->b * at.t;
    *curvature = n->total * at.t * at.y;

    if (w == NULL) {
        return slope;
    }

    ux_posterior_tails(w, &at, &lower, &upper);
    hazard = exp(ux_posterior_density(w, u)) / lower;

    *curvature += hazard * (hazard - (w->a * at.y - w->b * at.t));

    return slope + hazard;
}


/*
 * How far to go from the mode, in the direction of `sign`, for a fall by
 * `drop` to one and a half times that.  For a parabola the guess is right; the
 * straight and the exponential sides of a skewed density take a few steps.
 */
static double
ux_posterior_reach(const ux_posterior_pair_t *pair, double mode, int sign,
    double guess, double drop)
{
    int     i;
    double  top, near, far, reach, fall;

    near = 0;
    far = INFINITY;
    reach = guess;
    top = ux_posterior_log(pair, mode);

    for (i = 0; i < UX_POSTERIOR_STEPS; i++) {
        fall = top - ux_posterior_log(pair, mode + sign * reach);

        if (fall >= drop && fall <= 1.5 * drop) {
            break;
        }

        if (fall < drop) {
            near = reach;

        } else {
            far = reach;
        }

        reach *= fmin(fmax(sqrt(1.25 * drop / fall), 0.4), 3);

        if (reach <= near || reach >= far) {
            reach = near + (far - near) / 2;
        }
    }

    return sign * reach;
}


static double
ux_posterior_log(const ux_posterior_pair_t *pair, double u)
{
    double                lower, upper;
    ux_posterior_point_t  at;

    if (pair->w == NULL) {
        return ux_posterior_density(pair->n, u);
    }

    at = ux_posterior_point(u);
    ux_posterior_tails(pair->w, &at, &lower, &upper);

    return ux_posterior_density(pair->n, u) + log(lower);
}


void
ux_posterior_integrate(double lo, double hi, unsigned parts,
    ux_posterior_node_pt node, void *sums)
{
    double    half, middle, offset, weight;
    unsigned  part, i;

    half = (hi - lo) / parts / 2;

    for (part = 0; part < parts; part++) {
        middle = lo + (2 * part + 1) * half;

        for (i = 0; i < UX_POSTERIOR_NODES / 2; i++) {
            offset = ux_posterior_nodes[i][0] * half;
            weight = ux_posterior_nodes[i][1] * half;

            node(sums, middle - offset, weight);
            node(sums, middle + offset, weight);
        }
    }
}
