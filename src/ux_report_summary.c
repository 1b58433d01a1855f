
/*
 * Copyright (C) the nginx-ux authors
 *
 * "summary" and "days_left" of an experiment: what its figures come to, for
 * ux_words.c to put into words.
 *
 * Days up to the planned size are an estimate: the visitors that the slowest
 * pair still wants, over what it had a day in the newest epoch, whose weights
 * and traffic are those of now; before that epoch is an hour old, over what it
 * had since the primary result began.  Weeks are not modelled: a Sunday's
 * pace is taken for every day's.
 */

#include "ux_report_private.h"
#include "ux_words.h"

#include <math.h>


#define UX_REPORT_DAY_MS   86400000.0

/* Less is no pace. */
#define UX_REPORT_PACE_MS  3600000u


static void ux_report_words(ux_words_t *words, const ux_result_t *view);
static void ux_report_words_time(ux_words_t *words, const ux_result_t *view);
static void ux_report_words_doubt(ux_words_t *words,
    const ux_result_t *view);
static void ux_report_words_effects(ux_words_t *words,
    const ux_result_t *view);
static unsigned ux_report_best(const ux_result_t *view);
static unsigned ux_report_goal(const ux_result_t *view, unsigned variant);
static void ux_report_put_effect(ux_words_effect_t *effect,
    const ux_result_t *view, unsigned variant, unsigned metric);
static bool ux_report_passes(const ux_result_comparison_t *comparison,
    double alpha);
static double ux_report_planned_left(const ux_result_t *view);
static double ux_report_pace(const ux_result_t *view, unsigned variant);
static double ux_report_epoch_pace(const ux_result_t *view, uint32_t epoch,
    unsigned variant);


void
ux_report_put_summary(ux_json_t *object, const ux_result_t *view)
{
    char        text[UX_WORDS_MAX];
    ux_str_t    summary;
    ux_words_t  words;

    ux_report_words(&words, view);

    summary.data = text;
    summary.len = ux_words_summary(&words, text);

    ux_json_string(object, "summary", summary);
    ux_json_number(object, "days_left", ux_words_days(&words));
}


static void
ux_report_words(ux_words_t *words, const ux_result_t *view)
{
    const ux_result_experiment_t  *experiment;

    static const ux_words_t  nothing;

    *words = nothing;

    experiment = &view->experiment;

    words->verdict = experiment->verdict;
    words->past = experiment->past;
    words->phase = experiment->past ? UX_PHASE_CLOSED
                   : ux_experiment_phase(experiment->model, view->now_ms);
    words->ended = ux_result_ended(view);
    words->gate = experiment->gate;
    words->runtime_met = ux_result_runtime_met(view);
    words->planned = experiment->planned;
    words->visitors = experiment->visitors;
    words->planned_visitors = experiment->model->planned;
    words->equivalence = experiment->model->equivalence;
    words->level = 1 - experiment->model->alpha;

    ux_report_words_time(words, view);
    ux_report_words_doubt(words, view);
    ux_report_words_effects(words, view);
}


static void
ux_report_words_time(ux_words_t *words, const ux_result_t *view)
{
    double                  left;
    uint64_t                since, started;
    const ux_experiment_t  *model;

    model = view->experiment.model;
    started = ux_result_started_ms(view);
    since = view->experiment.since_ms > started ? view->experiment.since_ms
                                                : started;

    left = (double) model->min_runtime_s * 1000;

    if (since != 0 && view->now_ms > since) {
        left -= (double) (view->now_ms - since);
    }

    words->runtime_left = words->runtime_met ? 0
                          : fmax(left, 0) / UX_REPORT_DAY_MS;
    words->planned_left = ux_report_planned_left(view);
    words->stop_left = model->stop_ms > view->now_ms
                       ? (double) (model->stop_ms - view->now_ms)
                         / UX_REPORT_DAY_MS
                       : NAN;
}


static void
ux_report_words_doubt(ux_words_t *words, const ux_result_t *view)
{
    double                      seen;
    const ux_result_balance_t  *balance;

    balance = &view->experiment.balance;

    if (ux_sequence_p(balance->log_e) < UX_SPLIT_SRM_P) {
        words->epoch = balance->epoch;
        words->narms = balance->narms;
        words->arms = balance->arms;
        words->weights = balance->weights;
    }

    seen = (double) ux_result_seen(view);

    words->crossovers = seen > 0 ? (double) view->experiment.crossovers / seen
                                 : 0;
    words->returned = seen > 0 ? (double) ux_result_returned(view) / seen : 0;
}


static void
ux_report_words_effects(ux_words_t *words, const ux_result_t *view)
{
    unsigned                       m, variant;
    const ux_result_comparison_t  *comparison;
    const ux_result_experiment_t  *experiment;

    experiment = &view->experiment;
    variant = experiment->candidate >= 0 ? (unsigned) experiment->candidate
                                         : ux_report_best(view);

    ux_report_put_effect(&words->effect, view, variant,
                         ux_report_goal(view, variant));
    ux_report_put_effect(&words->harm, view, variant, UX_METRICS_MAX);

    for (m = 0; m < experiment->model->nmetrics; m++) {
        comparison = ux_result_comparison(view, variant, m);

        if (comparison != NULL && comparison->guard == UX_GUARD_HARMED) {
            ux_report_put_effect(&words->harm, view, variant, m);
            words->margin = experiment->model->metrics[m].margin;
            break;
        }
    }
}


/* Of those that take visitors the best estimate in the first goal; 0: none. */
static unsigned
ux_report_best(const ux_result_t *view)
{
    double                         estimate, most;
    unsigned                       v, best;
    const ux_result_comparison_t  *comparison;

    best = 0;
    most = 0;

    for (v = 1; v < view->experiment.nvariants; v++) {
        comparison = ux_result_compared(view, v)
                     ? ux_result_comparison(view, v, 0) : NULL;

        if (comparison == NULL) {
            continue;
        }

        estimate = fabs(comparison->now.pooled.difference)
                   * (comparison->better ? 1 : -1);

        if (best == 0 || estimate > most) {
            best = v;
            most = estimate;
        }
    }

    return best;
}


/*
 * The goal that decided: of several the first that is significant, else the
 * first; none at all: UX_METRICS_MAX.
 */
static unsigned
ux_report_goal(const ux_result_t *view, unsigned variant)
{
    unsigned                       m;
    const ux_experiment_t         *model;
    const ux_result_comparison_t  *comparison;

    model = view->experiment.model;

    for (m = 0; m < model->nmetrics; m++) {
        comparison = ux_result_comparison(view, variant, m);

        if (model->metrics[m].role == UX_ROLE_GOAL && comparison != NULL
            && comparison->significant)
        {
            return m;
        }
    }

    return model->nmetrics > 0 && model->metrics[0].role == UX_ROLE_GOAL
           ? 0 : UX_METRICS_MAX;
}


static void
ux_report_put_effect(ux_words_effect_t *effect, const ux_result_t *view,
    unsigned variant, unsigned metric)
{
    const ux_metric_t             *which;
    const ux_comparison_t         *now;
    const ux_result_comparison_t  *comparison;

    effect->lift = NAN;
    effect->lift_ci.lo = NAN;
    effect->lift_ci.hi = NAN;
    effect->difference = NAN;
    effect->difference_ci = effect->lift_ci;
    effect->level = 1 - view->experiment.model->alpha;

    if (variant == 0 || variant >= view->experiment.nvariants) {
        return;
    }

    effect->variant = view->experiment.variants[variant].name;

    comparison = metric < view->experiment.model->nmetrics
                 ? ux_result_comparison(view, variant, metric) : NULL;

    if (comparison == NULL) {
        return;
    }

    which = &view->experiment.model->metrics[metric];
    now = &comparison->now;

    effect->metric = ux_result_metric_name(view->model, which);
    effect->type = which->type;
    effect->lower_is_better = which->lower_is_better;
    effect->lift = now->lift;
    effect->lift_ci = now->lift_ci;
    effect->difference = now->pooled.difference;
    effect->difference_ci = now->difference_ci;
    effect->level = 1 - comparison->level;
    effect->passes = ux_report_passes(comparison,
                                      view->experiment.model->alpha);
}


/* What Holm's rule made of the smallest p, made of the p of now. */
static bool
ux_report_passes(const ux_result_comparison_t *comparison, double alpha)
{
    double  least;

    least = ux_evidence_p(&comparison->evidence);

    return least > 0 ? comparison->now.p_now * comparison->p_adjusted / least
                       < alpha
                     : !(comparison->now.p_now > 0);
}


/* Of the pair that takes longest; NaN where one has no pace. */
static double
ux_report_planned_left(const ux_result_t *view)
{
    double                         days, most, visitors, pace;
    unsigned                       v;
    const ux_experiment_t         *model;
    const ux_result_comparison_t  *comparison;

    model = view->experiment.model;
    most = NAN;

    if (view->experiment.past || model->planned == 0 || model->nmetrics == 0
        || model->metrics[0].role != UX_ROLE_GOAL)
    {
        return NAN;
    }

    for (v = 1; v < view->experiment.nvariants; v++) {
        comparison = ux_result_compared(view, v)
                     ? ux_result_comparison(view, v, 0) : NULL;

        if (comparison == NULL) {
            continue;
        }

        visitors = (double) (comparison->now.pooled.visitors_a
                             + comparison->now.pooled.visitors_b);
        pace = ux_report_pace(view, v);
        days = fmax((double) model->planned - visitors, 0) / pace;

        if (!(pace > 0)) {
            return NAN;
        }

        most = isnan(most) ? days : fmax(most, days);
    }

    return most;
}


/* Visitors a day of the control and the variant; NaN: not known. */
static double
ux_report_pace(const ux_result_t *view, unsigned variant)
{
    double                   pace, visitors;
    uint32_t                 i;
    uint64_t                 since;
    const ux_result_tree_t  *tree;

    tree = &view->tree;
    since = view->experiment.since_ms;
    pace = NAN;
    visitors = 0;

    if (view->experiment.entry == UX_RESULT_END) {
        return NAN;
    }

    for (i = tree->links[view->experiment.entry].first; i != UX_RESULT_END;
         i = tree->links[i].next)
    {
        if (tree->entries[i].kind == UX_ENTRY_EPOCH
            && tree->entries[i].aux == view->experiment.epoch)
        {
            pace = ux_report_epoch_pace(view, i, variant);
        }
    }

    if (!isnan(pace)) {
        return pace;
    }

    if (ux_result_started_ms(view) > since) {
        since = ux_result_started_ms(view);
    }

    if (since == 0 || view->now_ms < since + UX_REPORT_PACE_MS) {
        return NAN;
    }

    visitors += (double) ux_result_comparison(view, variant, 0)
                    ->now.pooled.visitors_a;
    visitors += (double) ux_result_comparison(view, variant, 0)
                    ->now.pooled.visitors_b;

    return visitors * UX_REPORT_DAY_MS / (double) (view->now_ms - since);
}


static double
ux_report_epoch_pace(const ux_result_t *view, uint32_t epoch,
    unsigned variant)
{
    uint32_t                    arm;
    uint64_t                    since, visitors;
    const ux_result_tree_t     *tree;
    const ux_result_variant_t  *variants;

    tree = &view->tree;
    variants = view->experiment.variants;
    visitors = 0;
    since = tree->entries[epoch].created_ms;

    if (ux_result_started_ms(view) > since) {
        since = ux_result_started_ms(view);
    }

    if (since == 0 || view->now_ms < since + UX_REPORT_PACE_MS) {
        return NAN;
    }

    for (arm = tree->links[epoch].first; arm != UX_RESULT_END;
         arm = tree->links[arm].next)
    {
        if (tree->entries[arm].aux == variants[0].ordinal
            || tree->entries[arm].aux == variants[variant].ordinal)
        {
            visitors += tree->links[arm].visitors;
        }
    }

    return (double) visitors * UX_REPORT_DAY_MS
           / (double) (view->now_ms - since);
}
