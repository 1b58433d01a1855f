
/*
 * Copyright (C) the nginx-ux authors
 *
 * All sizes are ((z_alpha s_0 + z_power s_1) / d)^2 with the standard
 * deviations s of the difference of one visitor an arm, without an effect and
 * with it.
 */

#include "ux_power.h"
#include "ux_sequence.h"
#include "ux_special.h"

#include <float.h>
#include <math.h>


#define UX_POWER_BISECTIONS  100


typedef struct {
    double  effect;
    double  without;               /* standard deviations */
    double  with;
} ux_power_t;


static ux_power_t ux_power_pooled(double p1, double p2);
static ux_power_t ux_power_of_means(double delta, double variance);
static double ux_power_fixed(const ux_power_t *plan, double alpha,
    double power);
static double ux_power_looked(const ux_power_t *plan, double alpha,
    double power, double n_star);
static double ux_power_size(const ux_power_t *plan, double z_alpha,
    double z_power);
static double ux_power_z_alpha(double alpha);
static double ux_power_z_power(double power);
static bool ux_power_is_rate(double p);


double
ux_power_proportions(double p1, double p2, double alpha, double power)
{
    ux_power_t  plan;

    plan = ux_power_pooled(p1, p2);

    return ux_power_fixed(&plan, alpha, power);
}


double
ux_power_proportions_unpooled(double p1, double p2, double alpha,
    double power)
{
    ux_power_t  plan;

    plan = ux_power_pooled(p1, p2);
    plan.without = plan.with;

    return ux_power_fixed(&plan, alpha, power);
}


double
ux_power_means(double delta, double variance, double alpha, double power)
{
    ux_power_t  plan;

    plan = ux_power_of_means(delta, variance);

    return ux_power_fixed(&plan, alpha, power);
}


double
ux_power_of(double p1, double p2, double n, double alpha)
{
    double      z, shift;
    ux_power_t  plan;

    plan = ux_power_pooled(p1, p2);
    z = ux_power_z_alpha(alpha);

    if (!(n > 0)) {
        return NAN;
    }

    shift = plan.effect / plan.with * sqrt(n);

    return ux_special_normal_tail(z - shift)
           + ux_special_normal_tail(z + shift);
}


/* With c = (z + z)^2 / n: (1 + c) d^2 - c (q - p) d - 2 c p q = 0. */
double
ux_power_mde(double baseline, double n, double alpha, double power)
{
    double  z, c, linear, root, effect, rest;

    z = ux_power_z_alpha(alpha) + ux_power_z_power(power);

    if (!ux_power_is_rate(baseline) || !(n > 0) || !(z > 0)) {
        return NAN;
    }

    rest = 1 - baseline;
    c = z * z / n;
    linear = c * (rest - baseline);
    root = sqrt(linear * linear + 8 * (1 + c) * c * baseline * rest);

    effect = linear > 0 ? (linear + root) / (2 * (1 + c))
                        : 4 * c * baseline * rest / (root - linear);

    return effect < rest ? effect : NAN;
}


double
ux_power_sequential(double p1, double p2, double alpha, double power,
    double n_star)
{
    ux_power_t  plan;

    plan = ux_power_pooled(p1, p2);

    return ux_power_looked(&plan, alpha, power, n_star);
}


double
ux_power_sequential_means(double delta, double variance, double alpha,
    double power, double n_star)
{
    ux_power_t  plan;

    plan = ux_power_of_means(delta, variance);

    return ux_power_looked(&plan, alpha, power, n_star);
}


static ux_power_t
ux_power_pooled(double p1, double p2)
{
    double      mean;
    ux_power_t  plan;

    if (!ux_power_is_rate(p1) || !ux_power_is_rate(p2)) {
        return (ux_power_t) { NAN, NAN, NAN };
    }

    mean = (p1 + p2) / 2;

    plan.effect = fabs(p2 - p1);
    plan.without = sqrt(2 * mean * (1 - mean));
    plan.with = sqrt(p1 * (1 - p1) + p2 * (1 - p2));

    return plan;
}


static ux_power_t
ux_power_of_means(double delta, double variance)
{
    ux_power_t  plan;

    plan.effect = fabs(delta);
    plan.without = sqrt(2 * variance);
    plan.with = plan.without;

    return plan;
}


static double
ux_power_fixed(const ux_power_t *plan, double alpha, double power)
{
    return ux_power_size(plan, ux_power_z_alpha(alpha),
                         ux_power_z_power(power));
}


/*
 * n - size(z_seq(2 n)) is below 0 at the size of a fixed horizon, as z_seq is
 * above its z everywhere, and crosses 0 once: size grows with ln n only.
 */
static double
ux_power_looked(const ux_power_t *plan, double alpha, double power,
    double n_star)
{
    double    rho2, z_power, lo, hi, n;
    unsigned  i;

    rho2 = ux_sequence_rho2(alpha, n_star);
    z_power = ux_power_z_power(power);
    lo = ux_power_fixed(plan, alpha, power);

    if (!isfinite(lo) || !isfinite(rho2)) {
        return NAN;
    }

    /* A size so small that it became 0 would never double. */

    hi = fmax(lo, DBL_MIN);

    do {
        hi *= 2;
    } while (ux_power_size(plan, ux_sequence_z(2 * hi, rho2, alpha), z_power)
             > hi);

    for (i = 0; i < UX_POWER_BISECTIONS; i++) {
        n = lo + (hi - lo) / 2;

        if (ux_power_size(plan, ux_sequence_z(2 * n, rho2, alpha), z_power)
            > n)
        {
            lo = n;

        } else {
            hi = n;
        }
    }

    return hi;
}


/* NaN for a power so low that no visitor is needed. */
static double
ux_power_size(const ux_power_t *plan, double z_alpha, double z_power)
{
    double  root;

    root = (z_alpha * plan->without + z_power * plan->with) / plan->effect;

    return root > 0 && plan->effect > 0 ? root * root : NAN;
}


/* Two-sided; NaN outside (0, 1). */
static double
ux_power_z_alpha(double alpha)
{
    return alpha < 1 ? ux_special_normal_quantile(alpha / 2) : NAN;
}


static double
ux_power_z_power(double power)
{
    return ux_special_normal_quantile(1 - power);
}


static bool
ux_power_is_rate(double p)
{
    return p > 0 && p < 1;
}
