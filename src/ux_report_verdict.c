
/*
 * Copyright (C) the nginx-ux authors
 *
 * Where an experiment stands: its state and times, what is decided, what a
 * decision still waits for, and what makes its figures doubtful.
 */

#include "ux_report_private.h"

#include <stdio.h>
#include <string.h>


/* Saves may be so many intervals late before it is a problem. */
#define UX_REPORT_UNSAVED  10


static void ux_report_put_waiting(ux_json_t *object,
    const ux_result_t *view);
static void ux_report_put_problems(ux_json_t *object,
    const ux_result_t *view);
static void ux_report_put_unsaved(ux_json_t *problems,
    const ux_result_t *view);
static void ux_report_put_balance(ux_json_t *problems,
    const ux_result_t *view);
static void ux_report_put_shares(ux_json_t *problems,
    const ux_result_t *view);
static int ux_report_shares(char *text, size_t size, const double *shares,
    unsigned n);
static void ux_report_put_currency(ux_json_t *problems,
    const ux_result_t *view);
static void ux_report_put_problem(ux_json_t *problems, const char *code,
    ux_str_t text);
static double ux_report_percent(const ux_result_t *view, uint64_t n);


static const char *const  ux_report_verdicts[] = {
    [UX_VERDICT_SRM] = "srm",
    [UX_VERDICT_UNTRUSTED] = "untrusted",
    [UX_VERDICT_GUARDRAIL] = "guardrail",
    [UX_VERDICT_VARIANT_BETTER] = "variant_better",
    [UX_VERDICT_CONTROL_BETTER] = "control_better",
    [UX_VERDICT_NO_DIFFERENCE] = "no_difference",
    [UX_VERDICT_INCONCLUSIVE] = "inconclusive",
    [UX_VERDICT_STOPPED] = "stopped",
    [UX_VERDICT_COLLECTING] = "collecting"
};

static const char *const  ux_report_states[] = {
    [UX_PHASE_RUNNING] = "running",
    [UX_PHASE_SCHEDULED] = "scheduled",
    [UX_PHASE_PAUSED] = "paused",
    [UX_PHASE_CLOSED] = "closed",
    [UX_PHASE_SERVED] = "served"
};


void
ux_report_put_state(ux_json_t *object, const ux_result_t *view)
{
    int                            serve;
    ux_str_t                       state = ux_str("removed");
    const ux_experiment_t         *model;
    const ux_result_experiment_t  *experiment;

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
    ux_json_time(object, "started_at", ux_result_started_ms(view));
    ux_json_time(object, "ended_at", ux_result_ended_ms(view));
    ux_report_put_count(object, "runtime_seconds", ux_result_runtime(view));
}


void
ux_report_put_verdict(ux_json_t *object, const ux_result_t *view)
{
    ux_str_t                       verdict;
    const ux_result_experiment_t  *experiment;

    experiment = &view->experiment;
    verdict = ux_report_word(ux_report_verdicts, 9, experiment->verdict);

    ux_json_string(object, "verdict", verdict);

    if (experiment->winner >= 0) {
        ux_json_string(object, "winner",
                       experiment->variants[experiment->winner].name);

    } else {
        ux_json_null(object, "winner");
    }

    ux_report_put_waiting(object, view);
    ux_report_put_problems(object, view);
}


/*
 * What stands between now and a decision.  Where only time and luck are left,
 * the planned size is the end that comes for sure.
 */
static void
ux_report_put_waiting(ux_json_t *object, const ux_result_t *view)
{
    bool                           runtime;
    ux_json_t                     *waiting;
    const ux_result_experiment_t  *experiment;

    experiment = &view->experiment;
    waiting = ux_json_array(object, "waiting_for");

    if (ux_result_ended(view)
        || (experiment->verdict >= UX_VERDICT_GUARDRAIL
            && experiment->verdict <= UX_VERDICT_NO_DIFFERENCE))
    {
        return;
    }

    runtime = ux_result_runtime_met(view);

    if (!experiment->gate) {
        ux_json_string(waiting, NULL, ux_report_text("gate"));
    }

    if (!runtime) {
        ux_json_string(waiting, NULL, ux_report_text("min_runtime"));
    }

    ux_json_string(waiting, NULL, ux_report_text("significance"));

    if (experiment->gate && runtime && !experiment->planned) {
        ux_json_string(waiting, NULL, ux_report_text("planned"));
    }
}


static void
ux_report_put_problems(ux_json_t *object, const ux_result_t *view)
{
    char        text[160];
    uint64_t    crossovers, returned;
    ux_json_t  *problems;

    problems = ux_json_array(object, "problems");

    ux_report_put_balance(problems, view);
    ux_report_put_currency(problems, view);

    crossovers = view->experiment.crossovers;
    returned = ux_result_returned(view);

    if (ux_result_too_many(view, crossovers)) {
        (void) snprintf(text, sizeof(text),
                        "%llu of %llu visitors (%.1f %%) were seen in two "
                        "variants, more than the 1 %% that does no harm.",
                        (unsigned long long) crossovers,
                        (unsigned long long) ux_result_seen(view),
                        ux_report_percent(view, crossovers));
        ux_report_put_problem(problems, "crossover", ux_report_text(text));
    }

    if (ux_result_too_many(view, returned)) {
        (void) snprintf(text, sizeof(text),
                        "%llu visitors came back after their record was "
                        "evicted, beside %llu counted (%.1f %%): the zone is "
                        "too small.", (unsigned long long) returned,
                        (unsigned long long) ux_result_seen(view),
                        ux_report_percent(view, returned));
        ux_report_put_problem(problems, "eviction", ux_report_text(text));
    }

    if (view->zone_full > 0 && !view->experiment.past) {
        (void) snprintf(text, sizeof(text),
                        "%llu exposures or events of this zone were not "
                        "counted for want of room.",
                        (unsigned long long) view->zone_full);
        ux_report_put_problem(problems, "zone_full", ux_report_text(text));
    }

    if (!view->experiment.past) {
        ux_report_put_unsaved(problems, view);
    }
}


/* What nginx's end at this moment would lose. */
static void
ux_report_put_unsaved(ux_json_t *problems, const ux_result_t *view)
{
    char               text[160];
    uint64_t           since, interval;
    const ux_saved_t  *saved;

    saved = &view->store->head->saved;
    interval = __atomic_load_n(&saved->interval_ms, __ATOMIC_RELAXED);
    since = __atomic_load_n(&saved->saved_ms, __ATOMIC_RELAXED);

    if (since == 0) {
        since = view->store->head->created_ms;
    }

    if (interval == 0 || view->now_ms < since
        || view->now_ms - since <= UX_REPORT_UNSAVED * interval)
    {
        return;
    }

    (void) snprintf(text, sizeof(text),
                    "The last snapshot is %llu seconds old: see nginx's error "
                    "log.",
                    (unsigned long long) (view->now_ms - since) / 1000);
    ux_report_put_problem(problems, "snapshot", ux_report_text(text));
}


static void
ux_report_put_balance(ux_json_t *problems, const ux_result_t *view)
{
    const ux_result_balance_t  *balance;

    balance = &view->experiment.balance;

    if (ux_sequence_p(balance->log_e) < UX_SPLIT_SRM_P) {
        ux_report_put_shares(problems, view);
    }

    if (ux_sequence_p(balance->confirmation) < UX_SPLIT_SRM_P) {
        ux_report_put_problem(problems, "confirmation",
                              ux_report_text("Not as many visitors of each "
                                             "variant come back with their "
                                             "cookie: compare over all that "
                                             "were assigned."));
    }
}


/* "epoch 2, arms 52.1/47.9 %, by their weights 50.0/50.0 %" */
static void
ux_report_put_shares(ux_json_t *problems, const ux_result_t *view)
{
    int                         len;
    char                        text[320];
    const ux_result_balance_t  *balance;

    balance = &view->experiment.balance;

    len = snprintf(text, sizeof(text),
                   "Sample ratio mismatch: epoch %u, arms ",
                   (unsigned) balance->epoch);
    len += ux_report_shares(text + len, sizeof(text) - (size_t) len,
                            balance->arms, balance->narms);
    len += snprintf(text + len, sizeof(text) - (size_t) len,
                    " %%, by their weights ");
    len += ux_report_shares(text + len, sizeof(text) - (size_t) len,
                            balance->weights, balance->narms);
    (void) snprintf(text + len, sizeof(text) - (size_t) len, " %%.");

    ux_report_put_problem(problems, "srm", ux_report_text(text));
}


/* At most 7 bytes a share: 16 of them fit twice. */
static int
ux_report_shares(char *text, size_t size, const double *shares, unsigned n)
{
    int       len;
    unsigned  i;

    len = 0;
    text[0] = '\0';

    for (i = 0; i < n && (size_t) len + 8 < size; i++) {
        len += snprintf(text + len, size - (size_t) len, "%s%.1f",
                        i > 0 ? "/" : "", 100 * shares[i]);
    }

    return len;
}


/* Amounts that no mean has in it. */
static void
ux_report_put_currency(ux_json_t *problems, const ux_result_t *view)
{
    bool                    money;
    char                    text[160];
    uint64_t                events;
    unsigned                i;
    const ux_counter_t     *counter;
    const ux_experiment_t  *model;

    model = view->experiment.model;
    counter = &view->store->counter;
    money = false;
    events = 0;

    for (i = 0; i < model->nmetrics; i++) {
        money = money || model->metrics[i].type == UX_METRIC_MEAN
                || model->metrics[i].type == UX_METRIC_RATIO;
    }

    for (i = 0; i < UX_CURRENCIES_MAX && counter->all_cells >= UX_ZONE_CELLS;
         i++)
    {
        events += ux_result_count(
            ux_counter_read(counter, UX_ZONE_CURRENCY_COUNT + i));
    }

    if (!money || events == 0) {
        return;
    }

    (void) snprintf(text, sizeof(text),
                    "%llu amounts of this zone were in another currency: they "
                    "are in no sum or mean.", (unsigned long long) events);
    ux_report_put_problem(problems, "currency", ux_report_text(text));
}


static void
ux_report_put_problem(ux_json_t *problems, const char *code, ux_str_t text)
{
    ux_json_t  *problem;

    problem = ux_json_append(problems);

    ux_json_string(problem, "code", ux_report_text(code));
    ux_json_string(problem, "text", text);
}


static double
ux_report_percent(const ux_result_t *view, uint64_t n)
{
    uint64_t  seen;

    seen = ux_result_seen(view);

    return seen > 0 ? 100.0 * (double) n / (double) seen : 100.0;
}


ux_str_t
ux_report_text(const char *text)
{
    return (ux_str_t) { text, strlen(text) };
}
