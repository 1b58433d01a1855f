
/*
 * Copyright (C) the nginx-ux authors
 *
 * uxctl simulate: many metrics of the same visitors at once, by e-BH; and
 * random tables of counts, of which p and the intervals must say the same.
 */

#include "uxctl_simulate.h"
#include "../ux_multiple.h"

#include <string.h>


#define UXCTL_SIM_GAP      20          /* visitors between looks */
#define UXCTL_SIM_METRICS  10          /* the first half does not differ */
#define UXCTL_SIM_TABLES   200         /* in a run */
#define UXCTL_SIM_STRATA   3


/* Converters of metrics in two arms. */
typedef struct {
    uint64_t  visitors[2];
    uint64_t  converters[UXCTL_SIM_METRICS][2];
} uxctl_sim_metrics_t;


static void uxctl_sim_metrics_visit(uxctl_sim_run_t *run,
    uxctl_sim_metrics_t *metrics);
static void uxctl_sim_metrics_look(const uxctl_sim_run_t *run,
    const uxctl_sim_metrics_t *metrics, unsigned *found, unsigned *wrong);
static void uxctl_sim_table(uxctl_sim_random_t *random, ux_stratum_t *strata,
    unsigned n);


/*
 * Looked at until a metric that does not differ is among the found: the worst
 * moment to stop.  0 share of the found that are wrong, 1 share of the real
 * ones that are found.
 */
void
uxctl_sim_discoveries(uxctl_sim_run_t *run, double *figures)
{
    unsigned             found, wrong;
    uxctl_sim_metrics_t  metrics;

    memset(&metrics, 0, sizeof(metrics));
    found = 0;
    wrong = 0;

    while (run->seen < run->scenario->visitors && wrong == 0) {
        uxctl_sim_metrics_visit(run, &metrics);

        if (run->seen % UXCTL_SIM_GAP == 0) {
            uxctl_sim_metrics_look(run, &metrics, &found, &wrong);
        }
    }

    if (found > 0) {
        figures[0] = (double) wrong / (double) found;
        figures[1] = (double) (found - wrong)
        /* of metrics: NOLINTNEXTLINE(bugprone-integer-division) */
                     / (UXCTL_SIM_METRICS - UXCTL_SIM_METRICS / 2);
    }
}


/* Half of a visitor's metrics, at random, go together. */
static void
uxctl_sim_metrics_visit(uxctl_sim_run_t *run, uxctl_sim_metrics_t *metrics)
{
    unsigned  i, arm;
    uint64_t  together, bits, own, rate;

    bits = uxctl_sim_next(&run->random);
    together = bits & 0xffffffff;
    arm = bits >> 32 >= run->bounds[0];
    bits = uxctl_sim_next(&run->random);
    metrics->visitors[arm]++;

    for (i = 0; i < UXCTL_SIM_METRICS; i++) {
        own = together;

        if (bits >> i & 1) {
            own = uxctl_sim_next(&run->random) >> 32;
        }

        rate = run->rates[i < UXCTL_SIM_METRICS / 2 ? 0 : arm];
        metrics->converters[i][arm] += own < rate;
    }

    run->seen++;
}


static void
uxctl_sim_metrics_look(const uxctl_sim_run_t *run,
    const uxctl_sim_metrics_t *metrics, unsigned *found, unsigned *wrong)
{
    double           log_e[UXCTL_SIM_METRICS], adjusted[UXCTL_SIM_METRICS];
    unsigned         i;
    ux_stratum_t     stratum;
    ux_comparison_t  now;

    for (i = 0; i < UXCTL_SIM_METRICS; i++) {
        stratum.a = ux_sample_conversion(metrics->visitors[0],
                                         metrics->converters[i][0]);
        stratum.b = ux_sample_conversion(metrics->visitors[1],
                                         metrics->converters[i][1]);
        stratum.share_a = 1;
        stratum.share_b = 1;

        now = ux_compare_look(&stratum, 1, false, &uxctl_sim_analysis);
        uxctl_sim_mislead(run, &now);
        log_e[i] = now.log_e;
    }

    (void) ux_multiple_e_bh(log_e, UXCTL_SIM_METRICS, adjusted);

    *found = 0;
    *wrong = 0;

    for (i = 0; i < UXCTL_SIM_METRICS; i++) {
        if (adjusted[i] <= UXCTL_SIM_ALPHA) {
            *found += 1;
            *wrong += i < UXCTL_SIM_METRICS / 2;
        }
    }
}


/* 0 tables where p and an interval disagree, 1 share that is significant. */
void
uxctl_sim_tables(uxctl_sim_run_t *run, double *figures)
{
    bool             significant;
    unsigned         i, n;
    ux_stratum_t     strata[UXCTL_SIM_STRATA];
    ux_analysis_t    analysis;
    ux_comparison_t  now;

    analysis = uxctl_sim_analysis;

    for (i = 0; i < UXCTL_SIM_TABLES; i++) {
        n = 1 + (unsigned) (uxctl_sim_next(&run->random) >> 32)
                % UXCTL_SIM_STRATA;
        analysis.level = UXCTL_SIM_ALPHA
                         / (double) (1 + uxctl_sim_next(&run->random) % 9);

        uxctl_sim_table(&run->random, strata, n);
        now = ux_compare(strata, n, NULL, false, &analysis);
        uxctl_sim_mislead(run, &now);

        /* On the edge, rounding decides. */

        if (!now.gate || fabs(now.log_e + log(analysis.level)) < 1e-9) {
            continue;
        }

        significant = now.p_now < analysis.level;
        figures[1] += significant / (double) UXCTL_SIM_TABLES;

        if (uxctl_sim_misses(now.difference_ci, 0) != significant
            || (!isnan(now.lift_ci.lo)
                && uxctl_sim_misses(now.lift_ci, 0) != significant))
        {
            figures[0]++;
        }
    }
}


/* Sizes, splits, rates and effects of all magnitudes. */
static void
uxctl_sim_table(uxctl_sim_random_t *random, ux_stratum_t *strata, unsigned n)
{
    double    a, b, rate, effect;
    unsigned  h;

    effect = 8 * uxctl_sim_uniform(random) - 4;

    for (h = 0; h < n; h++) {
        a = floor(exp(4 + 10 * uxctl_sim_uniform(random)));
        b = floor(exp(4 + 10 * uxctl_sim_uniform(random)));
        rate = exp(-5 * uxctl_sim_uniform(random));

        strata[h].a = ux_sample_conversion((uint64_t) a,
                                           (uint64_t) (a * rate));

        rate *= 1 + effect * sqrt((1 - rate) / rate * (1 / a + 1 / b));
        rate = fmin(fmax(rate, 0), 1);

        strata[h].b = ux_sample_conversion((uint64_t) b,
                                           (uint64_t) (b * rate));
        strata[h].share_a = 1;
        strata[h].share_b = 1;
    }
}
