
/*
 * Copyright (C) the nginx-ux authors
 *
 * uxctl simulate: from counts to a comparison, by the module's engine or by
 * one that is wrong on purpose.
 */

#include "uxctl_simulate.h"


static void uxctl_sim_merge(uxctl_sim_cell_t *cell,
    const uxctl_sim_cell_t *other);
static ux_sample_t uxctl_sim_sample(const uxctl_sim_run_t *run,
    const uxctl_sim_cell_t *cell);


ux_comparison_t
uxctl_sim_compare(const uxctl_sim_run_t *run, unsigned v, bool exact)
{
    unsigned         n;
    ux_stratum_t     strata[UXCTL_SIM_EPOCHS];
    ux_comparison_t  now;

    n = uxctl_sim_strata(run, v, strata);
    now = ux_compare_look(strata, n, exact, &uxctl_sim_analysis);

    uxctl_sim_mislead(run, &now);

    return now;
}


void
uxctl_sim_mislead(const uxctl_sim_run_t *run, ux_comparison_t *now)
{
    double              total, rho2, half;
    const ux_pooled_t  *pooled;

    pooled = &now->pooled;

    if (run->engine == UXCTL_SIM_UNGATED && !now->gate) {
        total = (double) (pooled->visitors_a + pooled->visitors_b);
        rho2 = ux_sequence_rho2(UXCTL_SIM_ALPHA, UXCTL_SIM_PLANNED);
        now->log_e = ux_sequence_log_e(pooled->difference, pooled->error,
                                       total, rho2);
    }

    if (run->engine == UXCTL_SIM_FIXED && now->gate) {
        half = UX_STATS_Z95 * sqrt(pooled->error);

        now->log_e = -log(erfc(fabs(pooled->difference)
                               / sqrt(2 * pooled->error)));
        now->difference_ci.lo = pooled->difference - half;
        now->difference_ci.hi = pooled->difference + half;
        now->lift_ci = ux_stats_fieller(pooled->a, pooled->b, UX_STATS_Z95,
                                        NULL);
    }
}


double
uxctl_sim_balance(const uxctl_sim_run_t *run, const uint64_t *counts)
{
    const uxctl_sim_scenario_t  *scenario;

    scenario = run->scenario;

    if (run->engine == UXCTL_SIM_FIXED) {
        return ux_split_chi_square(counts, scenario->shares[0],
                                   scenario->arms, NULL, NULL);
    }

    return ux_sequence_p(ux_split_log_bf(counts, scenario->shares[0],
                                         scenario->arms, UX_SPLIT_VISITORS));
}


unsigned
uxctl_sim_strata(const uxctl_sim_run_t *run, unsigned v, ux_stratum_t *strata)
{
    unsigned          h, n;
    uxctl_sim_cell_t  a, b;

    n = run->engine == UXCTL_SIM_POOLED ? 1 : run->epoch + 1;

    for (h = 0; h < n; h++) {
        a = run->cells[h][0];
        b = run->cells[h][v];

        if (n == 1 && run->epoch > 0) {
            uxctl_sim_merge(&a, &run->cells[1][0]);
            uxctl_sim_merge(&b, &run->cells[1][v]);
        }

        strata[h].a = uxctl_sim_sample(run, &a);
        strata[h].b = uxctl_sim_sample(run, &b);
        strata[h].share_a = run->scenario->shares[h][0];
        strata[h].share_b = run->scenario->shares[h][v];
    }

    return n;
}


static void
uxctl_sim_merge(uxctl_sim_cell_t *cell, const uxctl_sim_cell_t *other)
{
    cell->visitors += other->visitors;
    cell->converters += other->converters;
    cell->sum += other->sum;
    cell->squares += other->squares;
}


static ux_sample_t
uxctl_sim_sample(const uxctl_sim_run_t *run, const uxctl_sim_cell_t *cell)
{
    if (run->scenario->revenue) {
        return ux_sample_mean(cell->visitors, cell->converters, cell->sum,
                              cell->squares, 100);
    }

    return ux_sample_conversion(cell->visitors, cell->converters);
}
