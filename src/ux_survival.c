
/*
 * Copyright (C) the nginx-ux authors
 *
 * The logarithm of survival is summed for itself: one purchase among 10^12
 * would leave ln S few digits if it were taken of S.
 */

#include "ux_survival.h"

#include <math.h>


/* A product of fractions that is a half may come out just above it. */
#define UX_SURVIVAL_HALF  (0.5 * (1 + 1e-12))


static bool ux_survival_add_up(const ux_survival_t *rows, unsigned n,
    uint64_t *all);
static void ux_survival_bound(ux_survival_t *row, double log_survival,
    double greenwood, double z);
static uint64_t ux_survival_rank(double rank, uint64_t n, bool *below,
    bool *above);


ux_status_t
ux_survival_estimate(ux_survival_t *rows, unsigned n, double z,
    double *median)
{
    double    survival, log_survival, greenwood, events, at_risk;
    uint64_t  left;
    unsigned  i;

    *median = NAN;

    if (!ux_survival_add_up(rows, n, &left)) {
        return UX_ERROR;
    }

    survival = 1;
    log_survival = 0;
    greenwood = 0;

    for (i = 0; i < n; i++) {
        rows[i].at_risk = left;
        events = (double) rows[i].events;
        at_risk = (double) left;

        if (rows[i].events > 0) {
            survival *= (double) (left - rows[i].events) / at_risk;
            log_survival += log1p(-events / at_risk);
            greenwood += events / at_risk
                         / (double) (left - rows[i].events);
        }

        rows[i].survival = survival;
        ux_survival_bound(&rows[i], log_survival, greenwood, z);

        if (isnan(*median) && survival <= UX_SURVIVAL_HALF) {
            *median = rows[i].t;
        }

        left -= rows[i].events + rows[i].censored;
    }

    return UX_OK;
}


static bool
ux_survival_add_up(const ux_survival_t *rows, unsigned n, uint64_t *all)
{
    unsigned  i;

    *all = 0;

    for (i = 0; i < n; i++) {
        if (isnan(rows[i].t) || (i > 0 && !(rows[i].t > rows[i - 1].t))) {
            return false;
        }

        if (__builtin_add_overflow(*all, rows[i].events, all)
            || __builtin_add_overflow(*all, rows[i].censored, all))
        {
            return false;
        }
    }

    return true;
}


static void
ux_survival_bound(ux_survival_t *row, double log_survival, double greenwood,
    double z)
{
    double  reach;

    row->error = NAN;
    row->ci.lo = NAN;
    row->ci.hi = NAN;

    if (log_survival == 0 || row->survival == 0) {
        return;
    }

    row->error = row->survival * sqrt(greenwood);

    reach = exp(fabs(z) * sqrt(greenwood) / -log_survival);
    row->ci.lo = exp(log_survival * reach);
    row->ci.hi = exp(log_survival / reach);
}


/* lo <= B < hi of a binomial B: so hi is one above the highest. */
ux_ranks_t
ux_survival_ranks(uint64_t n, double quantile, double z)
{
    bool        other;
    double      middle, reach;
    ux_ranks_t  ranks;

    middle = (double) n * quantile;
    reach = fabs(z) * sqrt(middle * (1 - quantile));

    ranks.lo = ux_survival_rank(floor(middle - reach), n, &ranks.unbounded_lo,
                                &other);
    ranks.hi = ux_survival_rank(ceil(middle + reach) + 1, n, &other,
                                &ranks.unbounded_hi);

    if (isnan(reach) || n == 0) {
        ranks.lo = n > 0 ? 1 : 0;
        ranks.hi = n;
        ranks.unbounded_lo = true;
        ranks.unbounded_hi = true;
    }

    return ranks;
}


static uint64_t
ux_survival_rank(double rank, uint64_t n, bool *below, bool *above)
{
    *below = rank < 1;
    *above = rank > (double) n;

    if (!(rank >= 1)) {
        return 1;
    }

    return rank < (double) n ? (uint64_t) rank : n;
}
