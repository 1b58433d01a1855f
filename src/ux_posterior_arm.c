
/*
 * Copyright (C) the nginx-ux authors
 *
 * One arm's posterior: density, tails, and the window outside which nothing is
 * left of it.
 */

#include "ux_posterior_private.h"
#include "ux_special.h"

#include <math.h>


#define UX_POSTERIOR_2_PI   6.283185307179586

/* |logit| beyond which t or 1 - t leaves the range of a double. */
#define UX_POSTERIOR_FAR    700.0


static double ux_posterior_reach(const ux_posterior_arm_t *arm, int sign,
    double guess, double drop);


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
ux_posterior_find(ux_posterior_window_t *window, const ux_posterior_arm_t *arm,
    double drop)
{
    double                guess;
    ux_posterior_point_t  at;

    at = ux_posterior_point(arm->centre);
    guess = sqrt(2 * drop) / sqrt(arm->total * at.t * at.y);

    if (!isfinite(guess)) {
        return false;
    }

    window->mode = arm->centre;
    window->lo = arm->centre + ux_posterior_reach(arm, -1, guess, drop);
    window->hi = arm->centre + ux_posterior_reach(arm, 1, guess, drop);

    return true;
}


/*
 * How far to go from the mode, in the direction of `sign`, for a fall by
 * `drop` to one and a half times that.  For a parabola the guess is right; the
 * straight and the exponential sides of a skewed density take a few steps.
 */
static double
ux_posterior_reach(const ux_posterior_arm_t *arm, int sign, double guess,
    double drop)
{
    int     i;
    double  near, far, reach, fall;

    near = 0;
    far = INFINITY;
    reach = guess;

    for (i = 0; i < UX_POSTERIOR_STEPS; i++) {
        fall = arm->peak
               - ux_posterior_density(arm, arm->centre + sign * reach);

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
