
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
 *
 * Integrands that are analytic and fall on both sides take the trapezoidal
 * rule: its error falls exponentially with 1 / h (Trefethen and Weideman, The
 * exponentially convergent trapezoidal rule, SIAM Review 56, 2014), so that a
 * step of nearly a standard deviation gives nine digits.
 */

#include "ux_posterior_private.h"
#include "ux_special.h"

#include <math.h>


#define UX_POSTERIOR_SQRT_2_PI  2.5066282746310002

#define UX_POSTERIOR_2_PI       6.283185307179586

/* Newton's steps to a mode: the first, at most; in deviations, the last. */
#define UX_POSTERIOR_STRIDE     8.0
#define UX_POSTERIOR_NEAR       0.5

/* The weakest parameters take some 2,000 of a side. */
#define UX_POSTERIOR_TERMS      10000


/* Bounds of what an integral leaves out, as a share of it. */
typedef struct {
    double                    period;  /* minus its logarithm, by the step */
    double                    tail;
    double                    bend;    /* of a straight tail */
} ux_posterior_care_t;

/* P(N > W) and E[(N - W)+], on their way. */
typedef struct {
    ux_posterior_arm_t          n;
    ux_posterior_arm_t          w;
    const ux_posterior_care_t  *care;
    double                      p;
    double                      excess;
} ux_posterior_overlap_t;

/* What one point adds. */
typedef struct {
    double                      p;
    double                      other; /* to P(N < W) */
    double                      excess;
} ux_posterior_term_t;


static double ux_posterior_difference(ux_beta_t a, ux_beta_t b);
static ux_posterior_overlap_t ux_posterior_exceeds(ux_beta_t low,
    ux_beta_t high, bool precise);
static void ux_posterior_overlap(ux_posterior_overlap_t *overlap);
static double ux_posterior_mode(const ux_posterior_overlap_t *overlap);
static double ux_posterior_start(const ux_posterior_overlap_t *overlap);
static double ux_posterior_slope(const ux_posterior_overlap_t *overlap,
    double u, double *curvature);
static double ux_posterior_step(const ux_posterior_overlap_t *overlap);
static void ux_posterior_side(ux_posterior_overlap_t *overlap, double mode,
    double step, ux_posterior_term_t last);
static bool ux_posterior_straight(const ux_posterior_overlap_t *overlap,
    double rest);
static double ux_posterior_straight_rest(const ux_posterior_term_t *term,
    const ux_posterior_term_t *last, bool right);
static ux_posterior_term_t ux_posterior_term(
    const ux_posterior_overlap_t *overlap, const ux_posterior_point_t *at,
    double weight);
static double ux_posterior_rest(double term, double last);
static double ux_posterior_below(const ux_posterior_arm_t *arm,
    const ux_posterior_point_t *at, double lower);
static ux_posterior_t ux_posterior_swap(ux_posterior_t posterior);
static ux_posterior_t ux_posterior_all(double value);
static double ux_posterior_normal_excess(double z);


static const ux_posterior_care_t  ux_posterior_quick = { 23, 5e-10, 1e-12 };
static const ux_posterior_care_t  ux_posterior_precise = { 37, 1e-15, 1e-16 };


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

    if (!ux_posterior_valid(a) || !ux_posterior_valid(b)
        || fmin(fmin(a.alpha, a.beta), fmin(b.alpha, b.beta))
           < UX_POSTERIOR_LEAST)
    {
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
    ux_posterior_overlap_t  overlap;

    if (1 / low.alpha + 1 / low.beta <= 1 / high.alpha + 1 / high.beta) {
        overlap.n = ux_posterior_arm(low.alpha, low.beta);
        overlap.w = ux_posterior_arm(high.alpha, high.beta);

    } else {
        overlap.n = ux_posterior_arm(high.beta, high.alpha);
        overlap.w = ux_posterior_arm(low.beta, low.alpha);
    }

    overlap.care = precise ? &ux_posterior_precise : &ux_posterior_quick;

    ux_posterior_overlap(&overlap);

    return overlap;
}


/* Stays 0 where it is 0 in doubles. */
static void
ux_posterior_overlap(ux_posterior_overlap_t *overlap)
{
    double                mode, step;
    ux_posterior_term_t   term;
    ux_posterior_point_t  at;

    overlap->p = 0;
    overlap->excess = 0;

    mode = ux_posterior_mode(overlap);

    if (!isfinite(mode)) {
        return;
    }

    step = ux_posterior_step(overlap);

    at = ux_posterior_point(mode);
    term = ux_posterior_term(overlap, &at, step);
    overlap->p = term.p;
    overlap->excess = term.excess;

    ux_posterior_side(overlap, mode, step, term);
    ux_posterior_side(overlap, mode, -step, term);

    if (overlap->p > 1) {
        overlap->p = 1;
    }
}


/*
 * Newton's method on a concave function, to half a standard deviation: it is
 * only where the sum begins.  Arms of few conversions make it bend so little
 * that steps go too far, hence the bound and the bracket; weak priors have
 * their mode hundreds of logits away, hence the bound that grows.
 */
static double
ux_posterior_mode(const ux_posterior_overlap_t *overlap)
{
    int     i;
    double  u, lo, hi, step, slope, stride, curvature;

    lo = -INFINITY;
    hi = INFINITY;
    stride = UX_POSTERIOR_STRIDE;
    u = ux_posterior_start(overlap);

    for (i = 0; i < UX_POSTERIOR_STEPS; i++) {
        slope = ux_posterior_slope(overlap, u, &curvature);
        step = slope / curvature;

        if (fabs(step) < UX_POSTERIOR_NEAR / sqrt(curvature)) {
            return u;
        }

        /* F_W is leaving the range of a double: the mode is on the right */

        if (!(curvature > 0) || !isfinite(step)) {
            step = stride;
        }

        if (step > 0) {
            lo = u;

        } else {
            hi = u;
        }

        if (fabs(step) >= stride) {
            step = copysign(stride, step);
            stride *= 2;
        }

        u += step;

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
ux_posterior_start(const ux_posterior_overlap_t *overlap)
{
    double                     n_precision, w_precision;
    const ux_posterior_arm_t  *n, *w;

    n = &overlap->n;
    w = &overlap->w;

    if (n->centre >= w->centre) {
        return n->centre;
    }

    n_precision = n->a * n->rest;
    w_precision = w->a * w->rest;

    return n->centre + (w->centre - n->centre)
                       * (w_precision / (n_precision + w_precision));
}


/* d ln(f_N F_W) / du, and minus its derivative. */
static double
ux_posterior_slope(const ux_posterior_overlap_t *overlap, double u,
    double *curvature)
{
    double                     slope, hazard, lower, upper;
    ux_posterior_point_t       at;
    const ux_posterior_arm_t  *n, *w;

    n = &overlap->n;
    w = &overlap->w;

    at = ux_posterior_point(u);

    slope = n->a * at.y - n->b * at.t;
    *curvature = n->total * at.t * at.y;

    ux_posterior_tails(w, &at, &lower, &upper);
    hazard = exp(ux_posterior_density(w, u)) / lower;

    *curvature += hazard * (hazard - (w->a * at.y - w->b * at.t));

    return slope + hazard;
}


/*
 * Of a Beta density over the logit the Fourier transform is, in modulus,
 *
 *   |Gamma(a + i w)| |Gamma(b + i w)| / (Gamma(a) Gamma(b)),
 *
 * minus its logarithm by Stirling's formula is s(a) + s(b) with
 *
 *   s(a) = w atan(w / a) - a ln(1 + (w / a)^2) / 2,
 *
 * and at w = 2 pi / step it is the error of the rule.  f_N F_W bends no more
 * than f_N f_W, a Beta density of the sums of a and b, and f_N G_W by one more
 * of each.  Newton's method on a convex function, from where it is below: a
 * parabola bounds s.
 */
static double
ux_posterior_step(const ux_posterior_overlap_t *overlap)
{
    int     i;
    double  a, b, w, fall, angle;

    a = overlap->n.a + overlap->w.a + 1;
    b = overlap->n.b + overlap->w.b + 1;
    w = sqrt(2 * overlap->care->period / (1 / a + 1 / b));

    for (i = 0; i < 4; i++) {
        angle = atan(w / a) + atan(w / b);
        fall = w * angle - a * log1p(w / a * (w / a)) / 2
               - b * log1p(w / b * (w / b)) / 2;
        w -= (fall - overlap->care->period) / angle;
    }

    return UX_POSTERIOR_2_PI / w;
}


/*
 * From the mode, whose term is in already, to where the rest is too little.
 * It is no more than a geometric series, as logarithms are concave, and just
 * that where they are straight.
 */
static void
ux_posterior_side(ux_posterior_overlap_t *overlap, double mode, double step,
    ux_posterior_term_t last)
{
    unsigned              i;
    ux_posterior_term_t   term, rest;
    ux_posterior_point_t  at;

    rest.p = NAN;
    rest.excess = NAN;

    for (i = 1; i <= UX_POSTERIOR_TERMS; i++) {
        at = ux_posterior_point(mode + i * step);
        term = ux_posterior_term(overlap, &at, fabs(step));

        overlap->p += term.p;
        overlap->excess += term.excess;

        rest.p = ux_posterior_rest(term.p, last.p);
        rest.excess = ux_posterior_rest(term.excess, last.excess);

        if (rest.p <= overlap->care->tail * overlap->p
            && rest.excess <= overlap->care->tail * overlap->excess)
        {
            break;
        }

        if (ux_posterior_straight(overlap, step > 0 ? at.y : at.t)) {
            rest.p = ux_posterior_straight_rest(&term, &last, step > 0);
            break;
        }

        last = term;
    }

    overlap->p += rest.p;
    overlap->excess += rest.excess;
}


/*
 * Whether a power of t, or on the right of 1 - t, which is `rest`, is all that
 * is left of both arms.
 */
static bool
ux_posterior_straight(const ux_posterior_overlap_t *overlap, double rest)
{
    return (1 + overlap->n.total + overlap->w.total) * rest
           < overlap->care->bend;
}


/*
 * Of f_N F_W there.  On the left either is a power of t; on the right f_N and
 * f_N (1 - F_W) are powers of 1 - t.
 */
static double
ux_posterior_straight_rest(const ux_posterior_term_t *term,
    const ux_posterior_term_t *last, bool right)
{
    if (!right) {
        return ux_posterior_rest(term->p, last->p);
    }

    return ux_posterior_rest(term->p + term->other, last->p + last->other)
           - ux_posterior_rest(term->other, last->other);
}


static ux_posterior_term_t
ux_posterior_term(const ux_posterior_overlap_t *overlap,
    const ux_posterior_point_t *at, double weight)
{
    double               lower, upper;
    ux_posterior_term_t  term;

    ux_posterior_tails(&overlap->w, at, &lower, &upper);

    weight *= exp(ux_posterior_density(&overlap->n, at->u));

    term.p = weight * lower;
    term.other = weight * upper;
    term.excess = weight * ux_posterior_below(&overlap->w, at, lower);

    return term;
}


/* The sum of a geometric series behind `term`; NaN if that has none. */
static double
ux_posterior_rest(double term, double last)
{
    if (term == 0) {
        return 0;
    }

    return term < last ? term / (last - term) * term : NAN;
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
