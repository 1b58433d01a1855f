
/*
 * Copyright (C) the nginx-ux authors
 *
 * A Beta posterior over the logit of its rate, and integrals over it; for
 * ux_posterior*.c only.
 *
 * With u = ln(t / (1 - t)) the density is
 *
 *   f(u) = t^a (1 - t)^b / B(a, b),   d ln f / du = a - (a + b) t,
 *
 * and the logarithm of it and of both its tails is concave whatever a and b
 * are: an integrand has one mode and falls on either side of it at least
 * exponentially, so that a window and its panels follow from few evaluations,
 * for Beta(1, 10^6) as for 10^12 visitors.
 */

#ifndef UX_POSTERIOR_PRIVATE_H
#define UX_POSTERIOR_PRIVATE_H


#include "ux_posterior.h"


/*
 * A side of a window is cut at this share of it, as an integrand bends most
 * near its mode.  t(u) has poles at +-i pi, so a panel is no longer than 8,
 * but for priors so weak that it would take more than 32 of them.
 */
#define UX_POSTERIOR_INNER   0.3
#define UX_POSTERIOR_LENGTH  8.0
#define UX_POSTERIOR_PANELS  32.0

/* Panels for one, if the caller wants precision. */
#define UX_POSTERIOR_FINE    3


typedef struct {
    double  a;
    double  b;
    double  total;                 /* a + b */
    double  mean;                  /* a / total */
    double  rest;                  /* b / total */
    double  centre;                /* logit of the mean, mode of f(u) */
    double  peak;                  /* ln f(centre) */
} ux_posterior_arm_t;

/* A rate, its complement and its logit. */
typedef struct {
    double  u;
    double  t;
    double  y;
} ux_posterior_point_t;

/* A narrower and a wider arm, or the first alone. */
typedef struct {
    const ux_posterior_arm_t  *n;
    const ux_posterior_arm_t  *w;  /* NULL: alone */
} ux_posterior_pair_t;

typedef struct {
    double  lo;
    double  mode;
    double  hi;
} ux_posterior_window_t;

/* Adds what is at u. */
typedef void (*ux_posterior_node_pt)(void *sums, double u, double weight);


bool ux_posterior_valid(ux_beta_t beta);

ux_posterior_arm_t ux_posterior_arm(double a, double b);

/* ln f(u), relative to its peak exact: 10^12 visitors leave 9 digits. */
double ux_posterior_density(const ux_posterior_arm_t *arm, double u);

ux_posterior_point_t ux_posterior_point(double u);

/* F and 1 - F, each with its own precision. */
void ux_posterior_tails(const ux_posterior_arm_t *arm,
    const ux_posterior_point_t *at, double *lower, double *upper);

/*
 * Where ln(f_N F_W), or ln f_N alone, is within `drop` of its maximum.  False
 * if it is 0 in doubles.
 */
bool ux_posterior_find(ux_posterior_window_t *window,
    const ux_posterior_pair_t *pair, double drop);

/* Gauss-Legendre over `parts` equal panels of 16 nodes. */
void ux_posterior_integrate(double lo, double hi, unsigned parts,
    ux_posterior_node_pt node, void *sums);


#endif
