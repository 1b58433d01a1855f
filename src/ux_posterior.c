
/*
 * Copyright (C) the nginx-ux authors
 *
 * Two posteriors.  With the narrower arm N and the wider arm W, F_W is smooth
 * where f_N lives, and
 *
 *   P(N > W) = int f_N F_W,   E[(N - W)+] = int f_N G_W,
 *   G(t) = int_0^t F = (t - m) F(t) + f(u) / (a + b).
 *
 * P(N < W) is the same of the complements.  Of P(B > A) and P(A > B) that of
 * the lower mean is integrated, and of the losses; the other one is 1 - P, or
 * the same plus the difference of the means, which lose nothing.
 */

#include "ux_posterior_private.h"
#include "ux_special.h"

#include <math.h>


#define UX_POSTERIOR_SQRT_2_PI  2.5066282746310002

/* The window: where the logarithm has fallen by so much. */
#define UX_POSTERIOR_QUICK      20.0
#define UX_POSTERIOR_DEEP       36.0


/* P(N > W) and E[(N - W)+], on their way. */
typedef struct {
    ux_posterior_pair_t  pair;
    double               p;
    double               excess;
} ux_posterior_overlap_t;


static double ux_posterior_difference(ux_beta_t a, ux_beta_t b);
static ux_posterior_overlap_t ux_posterior_exceeds(ux_beta_t low,
    ux_beta_t high, bool precise);
static void ux_posterior_overlap(ux_posterior_overlap_t *overlap,
    bool precise);
static void ux_posterior_side(ux_posterior_overlap_t *overlap, double mode,
    double end, unsigned parts);
static void ux_posterior_overlap_node(void *sums, double u, double weight);
static double ux_posterior_below(const ux_posterior_arm_t *arm,
    const ux_posterior_point_t *at, double lower);
static ux_posterior_t ux_posterior_swap(ux_posterior_t posterior);
static ux_posterior_t ux_posterior_all(double value);
static double ux_posterior_normal_excess(double z);


ux_beta_t
ux_posterior_beta(uint64_t x, uint64_t n, ux_beta_t prior)
{
    ux_beta_t  beta;

    beta.alpha = NAN;
    beta.beta = NAN;

    if (x <= n) {
        beta.alpha = prior.alpha + (double) x;
        beta.beta = prior.beta + (double) (n - x);
    }

    return beta;
}


ux_posterior_t
ux_posterior_two(ux_beta_t a, ux_beta_t b, bool precise)
{
    double                  difference;
    ux_posterior_t          posterior;
    ux_posterior_overlap_t  overlap;

    if (!ux_posterior_valid(a) || !ux_posterior_valid(b)) {
        return ux_posterior_all(NAN);
    }

    difference = ux_posterior_difference(a, b);

    if (difference < 0) {
        posterior = ux_posterior_two(b, a, precise);
        return ux_posterior_swap(posterior);
    }

    overlap = ux_posterior_exceeds(a, b, precise);

    posterior.worse = overlap.p;
    posterior.better = 1 - overlap.p;
    posterior.loss_b = overlap.excess;
    posterior.loss_a = overlap.excess + difference;

    /* of two skewed arms that of the lower mean may be nearly sure to win */

    if (overlap.p > 0.75) {
        overlap = ux_posterior_exceeds(b, a, precise);
        posterior.better = overlap.p;
    }

    return posterior;
}


/* m_B - m_A. */
static double
ux_posterior_difference(ux_beta_t a, ux_beta_t b)
{
    return (b.alpha * a.beta - a.alpha * b.beta) / (a.alpha + a.beta)
           / (b.alpha + b.beta);
}


/* P(low > high) and E[(low - high)+]. */
static ux_posterior_overlap_t
ux_posterior_exceeds(ux_beta_t low, ux_beta_t high, bool precise)
{
    ux_posterior_arm_t      n, w;
    ux_posterior_overlap_t  overlap;

    overlap.pair.n = &n;
    overlap.pair.w = &w;

    if (1 / low.alpha + 1 / low.beta <= 1 / high.alpha + 1 / high.beta) {
        n = ux_posterior_arm(low.alpha, low.beta);
        w = ux_posterior_arm(high.alpha, high.beta);

    } else {
        n = ux_posterior_arm(high.beta, high.alpha);
        w = ux_posterior_arm(low.beta, low.alpha);
    }

    ux_posterior_overlap(&overlap, precise);

    return overlap;
}


static void
ux_posterior_overlap(ux_posterior_overlap_t *overlap, bool precise)
{
    double                 drop;
    unsigned               parts;
    ux_posterior_window_t  window;

    overlap->p = 0;
    overlap->excess = 0;

    drop = precise ? UX_POSTERIOR_DEEP : UX_POSTERIOR_QUICK;
    parts = precise ? UX_POSTERIOR_FINE : 1;

    if (!ux_posterior_find(&window, &overlap->pair, drop)) {
        return;
    }

    ux_posterior_side(overlap, window.mode, window.lo, parts);
    ux_posterior_side(overlap, window.mode, window.hi, parts);
}


static void
ux_posterior_side(ux_posterior_overlap_t *overlap, double mode, double end,
    unsigned parts)
{
    double  length, inner;

    length = fmin(fabs(end - mode), UX_POSTERIOR_LENGTH * UX_POSTERIOR_PANELS);
    inner = mode + (end - mode) * UX_POSTERIOR_INNER;

    parts *= 1 + (unsigned) (length / UX_POSTERIOR_LENGTH);

    ux_posterior_integrate(fmin(mode, inner), fmax(mode, inner), parts,
                           ux_posterior_overlap_node, overlap);
    ux_posterior_integrate(fmin(inner, end), fmax(inner, end), parts,
                           ux_posterior_overlap_node, overlap);
}


static void
ux_posterior_overlap_node(void *sums, double u, double weight)
{
    double                   lower, upper;
    ux_posterior_point_t     at;
    ux_posterior_overlap_t  *overlap = sums;

    at = ux_posterior_point(u);
    ux_posterior_tails(overlap->pair.w, &at, &lower, &upper);

    weight *= exp(ux_posterior_density(overlap->pair.n, u));

    overlap->p += weight * lower;
    overlap->excess += weight
                       * ux_posterior_below(overlap->pair.w, &at, lower);
}


/*
 * G(t) = E[(t - W)+].  Deep in the tail of few conversions the two terms
 * cancel; there t I(a, b) - m I(a + 1, b), which is the same, does not.
 */
static double
ux_posterior_below(const ux_posterior_arm_t *arm,
    const ux_posterior_point_t *at, double lower)
{
    double  away, density, below, other, upper;

    away = arm->mean <= 0.5 ? at->t - arm->mean : arm->rest - at->y;
    density = exp(ux_posterior_density(arm, at->u)) / arm->total;
    below = away * lower + density;

    if (below < density / 1000) {
        ux_special_beta(arm->a + 1, arm->b, at->t, at->y, &other, &upper);
        below = at->t * lower - arm->mean * other;
    }

    return fmax(below, 0);
}


static ux_posterior_t
ux_posterior_swap(ux_posterior_t posterior)
{
    ux_posterior_t  swapped;

    swapped.better = posterior.worse;
    swapped.worse = posterior.better;
    swapped.loss_a = posterior.loss_b;
    swapped.loss_b = posterior.loss_a;

    return swapped;
}


static ux_posterior_t
ux_posterior_all(double value)
{
    ux_posterior_t  posterior;

    posterior.better = value;
    posterior.worse = value;
    posterior.loss_a = value;
    posterior.loss_b = value;

    return posterior;
}


ux_posterior_t
ux_posterior_normal(double difference, double error)
{
    double          z, small;
    ux_posterior_t  posterior;

    if (!isfinite(difference) || !isfinite(error) || error < 0) {
        return ux_posterior_all(NAN);
    }

    if (error == 0 && difference == 0) {
        posterior = ux_posterior_all(0);
        posterior.better = 0.5;
        posterior.worse = 0.5;
        return posterior;
    }

    z = difference / sqrt(error);
    small = error == 0 ? 0 : sqrt(error)
                             * ux_posterior_normal_excess(fabs(z));

    posterior.better = ux_special_normal_tail(-z);
    posterior.worse = ux_special_normal_tail(z);
    posterior.loss_a = small + fmax(difference, 0);
    posterior.loss_b = small + fmax(-difference, 0);

    return posterior;
}


/*
 * E[(Z - z)+] = phi(z) - z Q(z).  From some z on by Laplace's continued
 * fraction of Mills's ratio, Q / phi = 1 / (z + K) with K = 1 / (z + 2 / (z +
 * ..)), as phi K / (z + K), which does not subtract.
 */
static double
ux_posterior_normal_excess(double z)
{
    int     i;
    double  density, k;

    density = exp(-z * z / 2) / UX_POSTERIOR_SQRT_2_PI;

    if (z < 3) {
        return density - z * ux_special_normal_tail(z);
    }

    k = 0;

    for (i = 60; i > 0; i--) {
        k = i / (z + k);
    }

    return density * k / (z + k);
}
