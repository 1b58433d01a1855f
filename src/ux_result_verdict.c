
/*
 * Copyright (C) the nginx-ux authors
 *
 * Where an experiment stands, and what is decided: the first verdict that
 * applies.
 *
 * The primary result, and so the gate, the planned size and the minimum
 * runtime, is of the epochs since its last restart.
 */

#include "ux_result.h"

#include <math.h>


static bool ux_result_gates(const ux_result_t *result);
static bool ux_result_planned(const ux_result_t *result);
static int ux_result_winner(const ux_result_t *result);
static int ux_result_direction(const ux_result_t *result, unsigned variant,
    double *estimate);
static bool ux_result_harmed(const ux_result_t *result, unsigned variant);
static bool ux_result_control_better(const ux_result_t *result);
static bool ux_result_no_difference(const ux_result_t *result);
static ux_verdict_e ux_result_verdict(ux_result_t *result);
static uint64_t ux_result_noted_ms(const ux_result_t *result);
static uint64_t ux_result_seconds(const ux_result_t *result,
    uint64_t started_ms);


void
ux_result_decide(ux_result_t *result)
{
    ux_result_experiment_t  *experiment;

    experiment = &result->experiment;

    experiment->gate = ux_result_gates(result);
    experiment->planned = ux_result_planned(result);
    experiment->winner = -1;
    experiment->candidate = -1;
    experiment->verdict = ux_result_verdict(result);
}


/*
 * An ending before gate and minimum runtime leaves nothing to conclude from.
 */
static ux_verdict_e
ux_result_verdict(ux_result_t *result)
{
    int                      winner;
    bool                     ended;
    ux_result_experiment_t  *experiment;

    experiment = &result->experiment;
    ended = ux_result_ended(result);

    if (!ux_result_quiet(result)) {
        return UX_VERDICT_SRM;
    }

    if (ux_result_too_many(result, experiment->crossovers)
        || ux_result_too_many(result, ux_result_returned(result)))
    {
        return UX_VERDICT_UNTRUSTED;
    }

    winner = ux_result_winner(result);
    experiment->candidate = winner;

    if (winner >= 0 && ux_result_harmed(result, (unsigned) winner)) {
        return UX_VERDICT_GUARDRAIL;
    }

    if (winner >= 0) {
        experiment->winner = winner;
        return UX_VERDICT_VARIANT_BETTER;
    }

    if (ux_result_control_better(result)) {
        return UX_VERDICT_CONTROL_BETTER;
    }

    if (ux_result_no_difference(result)) {
        return UX_VERDICT_NO_DIFFERENCE;
    }

    /* to end it changes no decision that was made before */

    if (experiment->planned) {
        return UX_VERDICT_INCONCLUSIVE;
    }

    if (!ended) {
        return UX_VERDICT_COLLECTING;
    }

    return experiment->gate && ux_result_runtime_met(result)
           ? UX_VERDICT_INCONCLUSIVE : UX_VERDICT_STOPPED;
}


/*
 * Every pair of the control and a variant that takes visitors, for every
 * goal; without a goal or a pair there is nothing that could be decided.
 */
static bool
ux_result_gates(const ux_result_t *result)
{
    bool                           any;
    unsigned                       v, m;
    const ux_experiment_t         *model;
    const ux_result_comparison_t  *comparison;

    model = result->experiment.model;
    any = false;

    for (v = 1; v < result->experiment.nvariants; v++) {

        for (m = 0; m < model->nmetrics; m++) {
            comparison = ux_result_comparison(result, v, m);

            if (model->metrics[m].role != UX_ROLE_GOAL
                || !ux_result_compared(result, v))
            {
                continue;
            }

            if (comparison == NULL || !comparison->now.gate) {
                return false;
            }

            any = true;
        }
    }

    return any;
}


/* Visitors of every pair, of the epochs that are in; 0 is no plan. */
static bool
ux_result_planned(const ux_result_t *result)
{
    bool                           any;
    unsigned                       v, m;
    const ux_pooled_t             *pooled;
    const ux_experiment_t         *model;
    const ux_result_comparison_t  *comparison;

    model = result->experiment.model;
    any = false;

    for (v = 1; v < result->experiment.nvariants; v++) {

        for (m = 0; m < model->nmetrics; m++) {
            comparison = ux_result_comparison(result, v, m);

            if (model->metrics[m].role != UX_ROLE_GOAL
                || !ux_result_compared(result, v) || comparison == NULL)
            {
                continue;
            }

            pooled = &comparison->now.pooled;
            any = true;

            if (pooled->visitors_a + pooled->visitors_b < model->planned) {
                return false;
            }
        }
    }

    return any && model->planned > 0;
}


/* The best estimate among the variants that win, or -1. */
static int
ux_result_winner(const ux_result_t *result)
{
    int       winner;
    double    estimate, best;
    unsigned  v;

    winner = -1;
    best = 0;

    for (v = 1; v < result->experiment.nvariants; v++) {

        if (result->experiment.variants[v].removed
            || ux_result_direction(result, v, &estimate) <= 0)
        {
            continue;
        }

        if (winner < 0 || estimate > best) {
            winner = (int) v;
            best = estimate;
        }
    }

    return winner;
}


/*
 * 1: significantly better in a goal and worse in none; -1: the other way
 * round; 0: neither.  *estimate: by how much, in the first goal, better being
 * positive.
 */
static int
ux_result_direction(const ux_result_t *result, unsigned variant,
    double *estimate)
{
    bool                           better, worse, first;
    unsigned                       m;
    const ux_experiment_t         *model;
    const ux_result_comparison_t  *comparison;

    model = result->experiment.model;
    better = false;
    worse = false;
    first = true;
    *estimate = 0;

    for (m = 0; m < model->nmetrics; m++) {
        comparison = ux_result_comparison(result, variant, m);

        if (model->metrics[m].role != UX_ROLE_GOAL || comparison == NULL) {
            continue;
        }

        if (first) {
            *estimate = fabs(comparison->now.pooled.difference)
                        * (comparison->better ? 1 : -1);
            first = false;
        }

        better = better || (comparison->significant && comparison->better);
        worse = worse || (comparison->significant && !comparison->better);
    }

    return (better && !worse) - (worse && !better);
}


static bool
ux_result_harmed(const ux_result_t *result, unsigned variant)
{
    unsigned                       m;
    const ux_result_comparison_t  *comparison;

    for (m = 0; m < result->experiment.model->nmetrics; m++) {
        comparison = ux_result_comparison(result, variant, m);

        if (comparison != NULL && comparison->guard == UX_GUARD_HARMED) {
            return true;
        }
    }

    return false;
}


/* Every variant that takes visitors is worse. */
static bool
ux_result_control_better(const ux_result_t *result)
{
    bool      any;
    double    estimate;
    unsigned  v;

    any = false;

    for (v = 1; v < result->experiment.nvariants; v++) {

        if (!ux_result_compared(result, v)) {
            continue;
        }

        if (ux_result_direction(result, v, &estimate) >= 0) {
            return false;
        }

        any = true;
    }

    return any;
}


/* The lift of every one is for sure within the margin of equivalence. */
static bool
ux_result_no_difference(const ux_result_t *result)
{
    double                         margin;
    unsigned                       v, m;
    const ux_experiment_t         *model;
    const ux_result_comparison_t  *comparison;

    model = result->experiment.model;
    margin = model->equivalence;

    if (!(margin > 0) || !result->experiment.gate
        || !ux_result_runtime_met(result))
    {
        return false;
    }

    for (v = 1; v < result->experiment.nvariants; v++) {

        for (m = 0; m < model->nmetrics; m++) {
            comparison = ux_result_comparison(result, v, m);

            if (model->metrics[m].role == UX_ROLE_GOAL
                && ux_result_compared(result, v)
                && !(comparison->now.lift_ci.lo > -margin
                     && comparison->now.lift_ci.hi < margin))
            {
                return false;
            }
        }
    }

    return true;
}


/* Configured earlier than its start, it began at its start.  0: not yet. */
uint64_t
ux_result_started_ms(const ux_result_t *result)
{
    uint64_t                       started;
    const ux_result_experiment_t  *experiment;

    experiment = &result->experiment;
    started = experiment->started_ms;

    if (started == 0) {
        return 0;
    }

    if (!experiment->past
        && ux_experiment_phase(experiment->model, result->now_ms)
           == UX_PHASE_SCHEDULED)
    {
        return 0;
    }

    return started > experiment->model->start_ms
           ? started : experiment->model->start_ms;
}


/*
 * The earliest of its stop, when it was first seen closed or served, and when
 * it was first seen removed.
 */
uint64_t
ux_result_ended_ms(const ux_result_t *result)
{
    uint64_t                       ended, stop, noted;
    const ux_result_experiment_t  *experiment;

    experiment = &result->experiment;
    stop = experiment->model->stop_ms;
    noted = ux_result_noted_ms(result);
    ended = stop <= result->now_ms ? stop : 0;

    if (noted > 1 && (ended == 0 || noted < ended)) {
        ended = noted;
    }

    if (!experiment->past || experiment->entry == UX_RESULT_END) {
        return ended;
    }

    noted = ux_registry_removed_ms(&result->tree.entries[experiment->entry]);

    return ended != 0 && ended < noted ? ended : noted;
}


static uint64_t
ux_result_noted_ms(const ux_result_t *result)
{
    uint32_t  entry;

    entry = result->experiment.balance.entry;

    if (entry == UX_RESULT_END) {
        return 0;
    }

    return __atomic_load_n(&result->store->counter.shared[
                               result->tree.entries[entry].ring
                               + UX_BALANCE_ENDED],
                           __ATOMIC_RELAXED);
}


bool
ux_result_ended(const ux_result_t *result)
{
    ux_phase_e  phase;

    if (result->experiment.past || ux_result_ended_ms(result) != 0) {
        return true;
    }

    phase = ux_experiment_phase(result->experiment.model, result->now_ms);

    return phase == UX_PHASE_CLOSED || phase == UX_PHASE_SERVED;
}


uint64_t
ux_result_runtime(const ux_result_t *result)
{
    return ux_result_seconds(result, ux_result_started_ms(result));
}


/* The primary result has run so long; it may be younger than the whole. */
bool
ux_result_runtime_met(const ux_result_t *result)
{
    uint64_t                       started, since;
    const ux_result_experiment_t  *experiment;

    experiment = &result->experiment;
    started = ux_result_started_ms(result);
    since = experiment->since_ms;

    return ux_result_seconds(result, since > started ? since : started)
           >= experiment->model->min_runtime_s;
}


/* Up to now, or the end. */
static uint64_t
ux_result_seconds(const ux_result_t *result, uint64_t started_ms)
{
    uint64_t  ended;

    ended = ux_result_ended_ms(result);

    if (ended == 0 || ended > result->now_ms) {
        ended = result->now_ms;
    }

    if (started_ms == 0 || ended <= started_ms) {
        return 0;
    }

    return (ended - started_ms) / 1000;
}


/* With the control, which is the first. */
bool
ux_result_compared(const ux_result_t *result, unsigned variant)
{
    return variant > 0 && result->experiment.variants[variant].weight > 0;
}


/* What shares of doubtful visitors are of. */
uint64_t
ux_result_seen(const ux_result_t *result)
{
    return result->experiment.visitors + result->experiment.crossovers;
}


/* The zone's, since the experiment is known to it. */
uint64_t
ux_result_returned(const ux_result_t *result)
{
    uint64_t                       before;
    const ux_result_experiment_t  *experiment;

    experiment = &result->experiment;

    if (experiment->past || experiment->entry == UX_RESULT_END) {
        return 0;
    }

    before = (uint64_t) result->tree.entries[experiment->entry].number;

    return result->returned > before ? result->returned - before : 0;
}


/* More than 1 %. */
bool
ux_result_too_many(const ux_result_t *result, uint64_t n)
{
    return n > ux_result_seen(result) / 100;
}
