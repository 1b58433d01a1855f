
/*
 * Copyright (C) the nginx-ux authors
 *
 * Times: Kaplan-Meier survival, and ranks of quantiles.
 */

#ifndef UX_SURVIVAL_H
#define UX_SURVIVAL_H


#include "ux_stats.h"


/* One time, of rows in rising order of time. */
typedef struct {
    double         t;
    uint64_t       events;         /* purchases at t */
    uint64_t       censored;       /* left at t still open, after its events */
    uint64_t       at_risk;        /* out */
    double         survival;       /* out: product of 1 - d/n */
    double         error;          /* out: Greenwood's standard error, NaN
                                      where survival is 0 or 1 */
    ux_interval_t  ci;             /* out: log-log, NaN likewise */
} ux_survival_t;

/*
 * Kaplan and Meier 1958; Greenwood 1926; S^exp(+-z sqrt(G)/ln S) (Kalbfleisch
 * and Prentice).  *median: first t with survival <= 0.5, NaN if none.
 * at_risk at the first row is the sum of all.  UX_ERROR: times do not rise.
 */
ux_status_t ux_survival_estimate(ux_survival_t *rows, unsigned n, double z,
    double *median);


/* Ranks, from 1, that bound a quantile: n q +- z sqrt(n q (1 - q)). */
typedef struct {
    uint64_t  lo;
    uint64_t  hi;
    bool      unbounded_lo;
    bool      unbounded_hi;
} ux_ranks_t;

ux_ranks_t ux_survival_ranks(uint64_t n, double quantile, double z);


#endif
