
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


/* Of a search, at most. */
#define UX_POSTERIOR_STEPS   40


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

typedef struct {
    double  lo;
    double  mode;
    double  hi;
} ux_posterior_window_t;

bool ux_posterior_valid(ux_beta_t beta);

ux_posterior_arm_t ux_posterior_arm(double a, double b);

/* ln f(u), relative to its peak exact: 10^12 visitors leave 9 digits. */
double ux_posterior_density(const ux_posterior_arm_t *arm, double u);

ux_posterior_point_t ux_posterior_point(double u);

/* F and 1 - F, each with its own precision. */
void ux_posterior_tails(const ux_posterior_arm_t *arm,
    const ux_posterior_point_t *at, double *lower, double *upper);

/*
 * Where ln f is within `drop` of its maximum, or up to half as much more.
 * False if that has no bounds in doubles.
 */
bool ux_posterior_find(ux_posterior_window_t *window,
    const ux_posterior_arm_t *arm, double drop);


#endif
