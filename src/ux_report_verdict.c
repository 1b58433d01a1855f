
/*
 * Copyright (C) the nginx-ux authors
 *
 * Where an experiment stands: its state and times, what is decided, what a
 * decision still waits for, and what makes its figures doubtful.
 */

#include "ux_report_private.h"

#include <stdio.h>
#include <string.h>


static void ux_report_put_waiting(ux_json_t *object,
    const ux_result_t *view);
static void ux_report_put_problems(ux_json_t *object,
    const ux_result_t *view);
static void ux_report_put_balance(ux_json_t *problems,
    const ux_result_t *view);
static void ux_report_put_shares(ux_json_t *problems,
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


/* "arms 52.1/47.9", of the visitors, beside what their weights say. */
static void
ux_report_put_shares(ux_json_t *problems, const ux_result_t *view)
{
    char                           text[192];
    size_t                         len;
    unsigned                       i;
    const ux_result_experiment_t  *experiment;

    experiment = &view->experiment;
    len = (size_t) snprintf(text, sizeof(text),
                            "Sample ratio mismatch, arms ");

    for (i = 0; i < experiment->nvariants && len < sizeof(text) - 80; i++) {
        len += (size_t) snprintf(text + len, sizeof(text) - len, "%s%.1f",
                        i > 0 ? "/" : "",
                        ux_report_percent(view,
                            ux_result_visitors(
                                experiment->variants[i].sum.cells)));
    }

    (void) snprintf(text + len, sizeof(text) - len,
                    " %%: not what their weights say.");

    ux_report_put_problem(problems, "srm", ux_report_text(text));
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
