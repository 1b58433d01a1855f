
/*
 * Copyright (C) the nginx-ux authors
 *
 * Where an experiment stands: its state and times, what is decided, what a
 * decision still waits for, and what makes its figures doubtful.
 *
 * The primary result, and so the gate and the planned size, is of the epochs
 * since its last restart.
 */

#include "ux_report_private.h"

#include <stdio.h>
#include <string.h>


/* Below these no comparison is shown (STATISTICS.md, section 0). */
#define UX_REPORT_GATE_CONVERTERS  25
#define UX_REPORT_GATE_VISITORS    500


static uint64_t ux_report_started_ms(const ux_report_view_t *view);
static uint64_t ux_report_ended_ms(const ux_report_view_t *view);
static bool ux_report_ended(const ux_report_view_t *view);
static const char *ux_report_verdict(const ux_report_view_t *view);
static void ux_report_put_waiting(ux_json_t *object,
    const ux_report_view_t *view);
static void ux_report_put_problems(ux_json_t *object,
    const ux_report_view_t *view);
static void ux_report_put_problem(ux_json_t *problems, const char *code,
    const char *text);
static bool ux_report_runtime_met(const ux_report_view_t *view);
static bool ux_report_gate_met(const ux_report_view_t *view);
static bool ux_report_pair_met(const ux_report_view_t *view,
    const ux_metric_t *goal, const ux_report_variant_t *variant);
static bool ux_report_planned_met(const ux_report_view_t *view);
static bool ux_report_compared(const ux_report_view_t *view, unsigned index);
static uint64_t ux_report_seen(const ux_report_view_t *view);
static uint64_t ux_report_returned(const ux_report_view_t *view);
static bool ux_report_too_many(const ux_report_view_t *view, uint64_t n);
static double ux_report_percent(const ux_report_view_t *view, uint64_t n);
static ux_str_t ux_report_text(const char *text);


static const char *const  ux_report_states[] = {
    [UX_PHASE_RUNNING] = "running",
    [UX_PHASE_SCHEDULED] = "scheduled",
    [UX_PHASE_PAUSED] = "paused",
    [UX_PHASE_CLOSED] = "closed",
    [UX_PHASE_SERVED] = "served"
};


void
ux_report_put_state(ux_json_t *object, const ux_report_view_t *view)
{
    int                            serve;
    ux_str_t                       state = ux_str("removed");
    const ux_experiment_t         *model;
    const ux_report_experiment_t  *experiment;

    experiment = &view->experiment;
    model = experiment->model;
    serve = model->serve;

    if (!experiment->past) {
        state = ux_report_word(ux_report_states, 5,
                               ux_experiment_phase(model, view->now_ms));
    }

    ux_json_string(object, "state", state);

    if (serve >= 0 && (unsigned) serve < model->nvariants) {
        ux_json_string(object, "serve", model->variants[serve].name);

    } else {
        ux_json_null(object, "serve");
    }

    ux_json_int(object, "version", model->version);
    ux_json_time(object, "started_at", ux_report_started_ms(view));
    ux_json_time(object, "ended_at", ux_report_ended_ms(view));
    ux_report_put_count(object, "runtime_seconds", ux_report_runtime(view));
}


/* Configured earlier than its start, it began at its start.  0: not yet. */
static uint64_t
ux_report_started_ms(const ux_report_view_t *view)
{
    uint64_t                       started;
    const ux_report_experiment_t  *experiment;

    experiment = &view->experiment;
    started = experiment->started_ms;

    if (started == 0 || experiment->past) {
        return started;
    }

    if (ux_experiment_phase(experiment->model, view->now_ms)
        == UX_PHASE_SCHEDULED)
    {
        return 0;
    }

    return started > experiment->model->start_ms
           ? started : experiment->model->start_ms;
}


/* 0: it has not, or nobody noted when. */
static uint64_t
ux_report_ended_ms(const ux_report_view_t *view)
{
    uint64_t                       stop;
    const ux_report_experiment_t  *experiment;

    experiment = &view->experiment;

    if (experiment->past) {
        return ux_registry_removed_ms(
                   &view->tree.entries[experiment->entry]);
    }

    stop = experiment->model->stop_ms;

    return stop <= view->now_ms ? stop : 0;
}


static bool
ux_report_ended(const ux_report_view_t *view)
{
    ux_phase_e  phase;

    if (view->experiment.past || ux_report_ended_ms(view) != 0) {
        return true;
    }

    phase = ux_experiment_phase(view->experiment.model, view->now_ms);

    return phase == UX_PHASE_CLOSED || phase == UX_PHASE_SERVED;
}


uint64_t
ux_report_runtime(const ux_report_view_t *view)
{
    uint64_t  started, ended;

    started = ux_report_started_ms(view);
    ended = ux_report_ended_ms(view);

    if (ended == 0 || ended > view->now_ms) {
        ended = view->now_ms;
    }

    if (started == 0 || ended <= started) {
        return 0;
    }

    return (ended - started) / 1000;
}


void
ux_report_put_verdict(ux_json_t *object, const ux_report_view_t *view)
{
    ux_json_string(object, "verdict",
                   ux_report_text(ux_report_verdict(view)));
    ux_json_null(object, "winner");

    ux_report_put_waiting(object, view);
    ux_report_put_problems(object, view);
}


/*
 * The first that applies; an ending before gate and minimum runtime leaves
 * nothing to conclude from.
 */
static const char *
ux_report_verdict(const ux_report_view_t *view)
{
    bool  ended;

    ended = ux_report_ended(view);

    if (ux_report_too_many(view, view->experiment.crossovers)
        || ux_report_too_many(view, ux_report_returned(view)))
    {
        return "untrusted";
    }

    if (ended && !(ux_report_gate_met(view) && ux_report_runtime_met(view))) {
        return "stopped";
    }

    if (ended || ux_report_planned_met(view)) {
        return "inconclusive";
    }

    return "collecting";
}


static void
ux_report_put_waiting(ux_json_t *object, const ux_report_view_t *view)
{
    ux_json_t  *waiting;

    waiting = ux_json_array(object, "waiting_for");

    if (ux_report_ended(view)) {
        return;
    }

    if (!ux_report_gate_met(view)) {
        ux_json_string(waiting, NULL, ux_report_text("gate"));
    }

    if (!ux_report_runtime_met(view)) {
        ux_json_string(waiting, NULL, ux_report_text("min_runtime"));
    }

    ux_json_string(waiting, NULL, ux_report_text("significance"));
}


static void
ux_report_put_problems(ux_json_t *object, const ux_report_view_t *view)
{
    char        text[160];
    uint64_t    crossovers, returned;
    ux_json_t  *problems;

    problems = ux_json_array(object, "problems");

    crossovers = view->experiment.crossovers;
    returned = ux_report_returned(view);

    if (ux_report_too_many(view, crossovers)) {
        (void) snprintf(text, sizeof(text),
                        "%llu of %llu visitors (%.1f %%) were seen in two "
                        "variants, more than the 1 %% that does no harm.",
                        (unsigned long long) crossovers,
                        (unsigned long long) ux_report_seen(view),
                        ux_report_percent(view, crossovers));
        ux_report_put_problem(problems, "crossover", text);
    }

    if (ux_report_too_many(view, returned)) {
        (void) snprintf(text, sizeof(text),
                        "%llu visitors came back after their record was "
                        "evicted, beside %llu counted (%.1f %%): the zone is "
                        "too small.", (unsigned long long) returned,
                        (unsigned long long) ux_report_seen(view),
                        ux_report_percent(view, returned));
        ux_report_put_problem(problems, "eviction", text);
    }

    if (view->zone_full > 0 && !view->experiment.past) {
        (void) snprintf(text, sizeof(text),
                        "%llu exposures or events of this zone were not "
                        "counted for want of room.",
                        (unsigned long long) view->zone_full);
        ux_report_put_problem(problems, "zone_full", text);
    }
}


static void
ux_report_put_problem(ux_json_t *problems, const char *code,
    const char *text)
{
    ux_json_t  *problem;

    problem = ux_json_append(problems);

    ux_json_string(problem, "code", ux_report_text(code));
    ux_json_string(problem, "text", ux_report_text(text));
}


static bool
ux_report_runtime_met(const ux_report_view_t *view)
{
    return ux_report_runtime(view) >= view->experiment.model->min_runtime_s;
}


/*
 * Every pair of the control and a variant that takes visitors, for every
 * goal; without a goal or a pair there is nothing that could be decided.
 */
static bool
ux_report_gate_met(const ux_report_view_t *view)
{
    bool                           any;
    unsigned                       i, v;
    const ux_experiment_t         *model;
    const ux_report_experiment_t  *experiment;

    experiment = &view->experiment;
    model = experiment->model;
    any = false;

    for (i = 0; i < model->nmetrics; i++) {

        if (model->metrics[i].role != UX_ROLE_GOAL) {
            continue;
        }

        for (v = 0; v < experiment->nvariants; v++) {

            if (!ux_report_compared(view, v)) {
                continue;
            }

            any = true;

            if (!ux_report_pair_met(view, &model->metrics[i],
                                    &experiment->variants[v]))
            {
                return false;
            }
        }
    }

    return any;
}


static bool
ux_report_pair_met(const ux_report_view_t *view, const ux_metric_t *goal,
    const ux_report_variant_t *variant)
{
    uint64_t         n, x, pair;
    unsigned         i;
    const uint64_t  *cells[2];

    cells[0] = view->experiment.variants[0].primary;
    cells[1] = variant->primary;

    pair = 0;

    for (i = 0; i < 2; i++) {
        n = ux_report_visitors(cells[i]);
        x = ux_report_event_visitors(view, cells[i],
                                     ux_report_metric_event(goal));

        if (x < UX_REPORT_GATE_CONVERTERS
            || n - x < UX_REPORT_GATE_CONVERTERS)
        {
            return false;
        }

        pair += n;
    }

    return pair >= UX_REPORT_GATE_VISITORS;
}


/* Visitors of every pair; 0 is no plan. */
static bool
ux_report_planned_met(const ux_report_view_t *view)
{
    bool                           any;
    uint64_t                       pair;
    unsigned                       v;
    const ux_report_experiment_t  *experiment;

    experiment = &view->experiment;
    any = false;

    for (v = 0; v < experiment->nvariants; v++) {

        if (!ux_report_compared(view, v)) {
            continue;
        }

        any = true;
        pair = ux_report_visitors(experiment->variants[0].primary)
               + ux_report_visitors(experiment->variants[v].primary);

        if (pair < experiment->model->planned) {
            return false;
        }
    }

    return any && experiment->model->planned > 0;
}


/* With the control, which is the first. */
static bool
ux_report_compared(const ux_report_view_t *view, unsigned index)
{
    return index > 0 && view->experiment.variants[index].weight > 0;
}


/* What shares of doubtful visitors are of. */
static uint64_t
ux_report_seen(const ux_report_view_t *view)
{
    return view->experiment.visitors + view->experiment.crossovers;
}


/* The zone's, since the experiment is known to it. */
static uint64_t
ux_report_returned(const ux_report_view_t *view)
{
    uint64_t                       before;
    const ux_report_experiment_t  *experiment;

    experiment = &view->experiment;

    if (experiment->past || experiment->entry == UX_REPORT_END) {
        return 0;
    }

    before = (uint64_t) view->tree.entries[experiment->entry].number;

    return view->returned > before ? view->returned - before : 0;
}


/* More than 1 %. */
static bool
ux_report_too_many(const ux_report_view_t *view, uint64_t n)
{
    return n > ux_report_seen(view) / 100;
}


static double
ux_report_percent(const ux_report_view_t *view, uint64_t n)
{
    uint64_t  seen;

    seen = ux_report_seen(view);

    return seen > 0 ? 100.0 * (double) n / (double) seen : 100.0;
}


static ux_str_t
ux_report_text(const char *text)
{
    return (ux_str_t) { text, strlen(text) };
}
