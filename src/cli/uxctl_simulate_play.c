
/*
 * Copyright (C) the nginx-ux authors
 *
 * uxctl simulate: what each kind of scenario looks at, and when.  Looks are
 * taken as by somebody who cannot stop reloading the page: after every visitor
 * at first, then after every twentieth.  Whatever costs much and holds at any
 * subset of looks is asked less often.
 */

#include "uxctl_simulate.h"
#include "../ux_multiple.h"

#include <string.h>


#define UXCTL_SIM_EVERY      5000      /* a look each, up to here */
#define UXCTL_SIM_THEN       20
#define UXCTL_SIM_SELDOM     1000      /* sample ratio, exact intervals */
#define UXCTL_SIM_RATIO_GAP  100


/* What the zone keeps of an experiment with one metric. */
typedef struct {
    bool           quiet;
    double         ratio;          /* maximum of the log Bayes factor */
    bool           significant;
    bool           exact;
    uint64_t       converters[UXCTL_SIM_ARMS];    /* at the last look */
    ux_evidence_t  evidence[UXCTL_SIM_ARMS];
} uxctl_sim_kept_t;


static void uxctl_sim_winner(uxctl_sim_run_t *run, double *figures);
static void uxctl_sim_power(uxctl_sim_run_t *run, double *figures);
static bool uxctl_sim_look_due(uint32_t seen);
static void uxctl_sim_look(const uxctl_sim_run_t *run,
    uxctl_sim_kept_t *kept);
static bool uxctl_sim_record(const uxctl_sim_run_t *run,
    uxctl_sim_kept_t *kept, const ux_comparison_t *now, unsigned v);
static void uxctl_sim_decide(const uxctl_sim_run_t *run,
    uxctl_sim_kept_t *kept, const ux_comparison_t *now);
static void uxctl_sim_decide_exact(const uxctl_sim_run_t *run,
    uxctl_sim_kept_t *kept);
static void uxctl_sim_adjust(const double *p, unsigned n, double *adjusted);
static bool uxctl_sim_converted(const uxctl_sim_run_t *run,
    uxctl_sim_kept_t *kept, unsigned arm);
static bool uxctl_sim_quiet(const uxctl_sim_run_t *run, double *ratio);
static void uxctl_sim_coverage(uxctl_sim_run_t *run, double *figures);
static void uxctl_sim_ratio(uxctl_sim_run_t *run, double *figures);


const ux_analysis_t  uxctl_sim_analysis = {
    .alpha = UXCTL_SIM_ALPHA,
    .planned = UXCTL_SIM_PLANNED,
    .level = UXCTL_SIM_ALPHA
};


void
uxctl_sim_play(uxctl_sim_run_t *run, double *figures)
{
    unsigned  i;

    for (i = 0; i < UXCTL_SIM_FIGURES; i++) {
        figures[i] = 0;
    }

    switch (run->scenario->kind) {

    case UXCTL_SIM_WINNER:
        uxctl_sim_winner(run, figures);
        break;

    case UXCTL_SIM_POWER:
        uxctl_sim_power(run, figures);
        break;

    case UXCTL_SIM_COVERAGE:
        uxctl_sim_coverage(run, figures);
        break;

    case UXCTL_SIM_DISCOVERIES:
        uxctl_sim_discoveries(run, figures);
        break;

    case UXCTL_SIM_RATIO:
        uxctl_sim_ratio(run, figures);
        break;

    case UXCTL_SIM_TABLES:
        uxctl_sim_tables(run, figures);
        break;
    }
}


static void
uxctl_sim_winner(uxctl_sim_run_t *run, double *figures)
{
    uxctl_sim_kept_t             kept;
    const uxctl_sim_scenario_t  *scenario;

    memset(&kept, 0, sizeof(kept));
    kept.quiet = true;

    scenario = run->scenario;

    while (run->seen < scenario->visitors
           && !(kept.significant && (kept.exact || !scenario->exact)))
    {
        uxctl_sim_visit(run);

        if (uxctl_sim_look_due(run->seen)) {
            uxctl_sim_look(run, &kept);
        }
    }

    figures[0] = kept.significant;
    figures[1] = kept.exact;
}


/* Who never wins stops at the end: a late stop is not hidden by no stop. */
static void
uxctl_sim_power(uxctl_sim_run_t *run, double *figures)
{
    uxctl_sim_kept_t  kept;

    memset(&kept, 0, sizeof(kept));
    kept.quiet = true;

    while (run->seen < run->scenario->visitors && !kept.significant) {
        uxctl_sim_visit(run);

        if (uxctl_sim_look_due(run->seen)) {
            uxctl_sim_look(run, &kept);
        }
    }

    figures[0] = kept.significant && kept.evidence[1].sign > 0;
    figures[1] = run->seen;
}


static bool
uxctl_sim_look_due(uint32_t seen)
{
    return seen <= UXCTL_SIM_EVERY || seen % UXCTL_SIM_THEN == 0;
}


static void
uxctl_sim_look(const uxctl_sim_run_t *run, uxctl_sim_kept_t *kept)
{
    bool             control, exact, changed;
    unsigned         v;
    ux_comparison_t  now[UXCTL_SIM_ARMS];

    if (run->seen % UXCTL_SIM_SELDOM == 0) {
        kept->quiet = uxctl_sim_quiet(run, &kept->ratio);
    }

    control = uxctl_sim_converted(run, kept, 0);
    changed = false;

    for (v = 1; v < run->scenario->arms; v++) {

        /* The exact test moves when somebody converts, and is dear. */

        exact = uxctl_sim_converted(run, kept, v) || control;
        exact = exact && run->scenario->exact && !kept->exact;

        now[v] = uxctl_sim_compare(run, v, exact);
        changed = uxctl_sim_record(run, kept, &now[v], v) || changed;
    }

    uxctl_sim_decide(run, kept, now);

    if (changed) {
        uxctl_sim_decide_exact(run, kept);
    }
}


static bool
uxctl_sim_record(const uxctl_sim_run_t *run, uxctl_sim_kept_t *kept,
    const ux_comparison_t *now, unsigned v)
{
    ux_comparison_t  open;

    open = *now;

    if (run->engine == UXCTL_SIM_UNGATED) {
        open.gate = true;
    }

    return ux_evidence_look(&kept->evidence[v], &open, kept->quiet,
                            &uxctl_sim_analysis, NULL, run->seen);
}


static void
uxctl_sim_decide(const uxctl_sim_run_t *run, uxctl_sim_kept_t *kept,
    const ux_comparison_t *now)
{
    double    p[UXCTL_SIM_ARMS], adjusted[UXCTL_SIM_ARMS];
    unsigned  v, arms;

    arms = run->scenario->arms;

    for (v = 1; v < arms; v++) {
        p[v] = ux_evidence_p(&kept->evidence[v]);
    }

    uxctl_sim_adjust(&p[1], arms - 1, &adjusted[1]);

    for (v = 1; v < arms; v++) {
        if (ux_evidence_significant(&kept->evidence[v], &now[v], adjusted[v],
                                    kept->quiet, true, UXCTL_SIM_ALPHA))
        {
            kept->significant = true;
        }
    }
}


static void
uxctl_sim_decide_exact(const uxctl_sim_run_t *run, uxctl_sim_kept_t *kept)
{
    double    p[UXCTL_SIM_ARMS], adjusted[UXCTL_SIM_ARMS];
    unsigned  v, arms;

    arms = run->scenario->arms;

    for (v = 1; v < arms; v++) {
        p[v] = ux_evidence_exact_p(&kept->evidence[v]);
    }

    uxctl_sim_adjust(&p[1], arms - 1, &adjusted[1]);

    for (v = 1; v < arms; v++) {
        if (adjusted[v] < UXCTL_SIM_ALPHA) {
            kept->exact = true;
        }
    }
}


static void
uxctl_sim_adjust(const double *p, unsigned n, double *adjusted)
{
    if (n == 1) {
        adjusted[0] = p[0];
        return;
    }

    (void) ux_multiple_holm(p, n, adjusted);
}


static bool
uxctl_sim_converted(const uxctl_sim_run_t *run, uxctl_sim_kept_t *kept,
    unsigned arm)
{
    uint64_t  converters;

    converters = run->cells[0][arm].converters + run->cells[1][arm].converters;

    if (converters == kept->converters[arm]) {
        return false;
    }

    kept->converters[arm] = converters;

    return true;
}


/* Epochs against their own shares; *ratio keeps the maximum. */
static bool
uxctl_sim_quiet(const uxctl_sim_run_t *run, double *ratio)
{
    double                       sum;
    unsigned                     h, v;
    uint64_t                     counts[UXCTL_SIM_ARMS];
    const uxctl_sim_scenario_t  *scenario;

    scenario = run->scenario;
    sum = 0;

    for (h = 0; h <= run->epoch; h++) {
        for (v = 0; v < scenario->arms; v++) {
            counts[v] = run->cells[h][v].visitors;
        }

        sum += ux_split_log_bf(counts, scenario->shares[h], scenario->arms,
                               UX_SPLIT_VISITORS);
    }

    if (sum > *ratio) {
        *ratio = sum;
    }

    return !(ux_sequence_p(*ratio) < UX_SPLIT_SRM_P);
}


/* 0 difference, 1 lift, 2 lift of the exact test, 3 difference at the end. */
static void
uxctl_sim_coverage(uxctl_sim_run_t *run, double *figures)
{
    double                       a, b, scale;
    unsigned                     n;
    ux_stratum_t                 strata[UXCTL_SIM_EPOCHS];
    ux_comparison_t              now;
    const uxctl_sim_scenario_t  *scenario;

    scenario = run->scenario;

    scale = scenario->revenue ? uxctl_sim_amount(scenario) / 100 : 1;
    a = scenario->rates[0] * scale;
    b = scenario->rates[1] * scale * (1 + scenario->dearer);

    while (run->seen < scenario->visitors) {
        uxctl_sim_visit(run);

        if (!uxctl_sim_look_due(run->seen)) {
            continue;
        }

        n = uxctl_sim_strata(run, 1, strata);
        now = ux_compare(strata, n, NULL, false, &uxctl_sim_analysis);
        uxctl_sim_mislead(run, &now);

        figures[3] = uxctl_sim_misses(now.difference_ci, b - a);
        figures[0] = fmax(figures[0], figures[3]);

        if (uxctl_sim_misses(now.lift_ci, b / a - 1)) {
            figures[1] = 1;
        }

        if (scenario->exact && run->seen % UXCTL_SIM_SELDOM == 0
            && uxctl_sim_misses(ux_split_lift(strata, n, UX_SPLIT_CONVERSIONS,
                                              UXCTL_SIM_ALPHA), b / a - 1))
        {
            figures[2] = 1;
        }
    }
}


bool
uxctl_sim_misses(ux_interval_t interval, double truth)
{
    return truth < interval.lo || truth > interval.hi;
}


/* Visitors who are counted are those who "convert". */
static void
uxctl_sim_ratio(uxctl_sim_run_t *run, double *figures)
{
    unsigned  v;
    uint64_t  counts[UXCTL_SIM_ARMS];

    while (run->seen < run->scenario->visitors && figures[0] == 0) {
        uxctl_sim_visit(run);

        if (run->seen % UXCTL_SIM_RATIO_GAP != 0) {
            continue;
        }

        for (v = 0; v < run->scenario->arms; v++) {
            counts[v] = run->cells[0][v].converters;
        }

        figures[0] = uxctl_sim_balance(run, counts) < UX_SPLIT_SRM_P;
    }
}
