
/*
 * Copyright (C) the nginx-ux authors
 *
 * How many visitors a result takes.  Everything is per arm, of two equal
 * arms, two-sided; results are not rounded.
 */

#ifndef UX_POWER_H
#define UX_POWER_H


#include "ux_stats.h"


/*
 * n = (z_{1-alpha/2} sqrt(2 p q) + z_{power} sqrt(p1 q1 + p2 q2))^2 / d^2, p
 * the mean of p1 and p2 (R's power.prop.test; Fleiss).  NaN for p outside
 * (0, 1), equal ones, alpha or power outside (0, 1).
 */
double ux_power_proportions(double p1, double p2, double alpha, double power);

/* The same without pooling: 2 z with p1 q1 + p2 q2 in both roots. */
double ux_power_proportions_unpooled(double p1, double p2, double alpha,
    double power);

/* 2 variance (z + z)^2 / delta^2. */
double ux_power_means(double delta, double variance, double alpha,
    double power);

/* Power of n visitors an arm, both tails. */
double ux_power_of(double p1, double p2, double n, double alpha);

/*
 * Smallest absolute effect above a baseline rate that n visitors an arm find:
 * the d that solves d = (z + z) sqrt((p q + (p + d)(q - d)) / n).
 */
double ux_power_mde(double baseline, double n, double alpha, double power);

/*
 * Visitors an arm so that the confidence sequence of ux_sequence.h at that
 * one look has the power: z_{1-alpha/2} replaced by z_seq(2 n), iterated.  A
 * bound: looking earlier only adds to it.
 */
double ux_power_sequential(double p1, double p2, double alpha, double power,
    double n_star);
double ux_power_sequential_means(double delta, double variance, double alpha,
    double power, double n_star);


#endif
