
/*
 * Copyright (C) the nginx-ux authors
 *
 * An experiment in the report: what was configured, since when it runs, what
 * a decision still waits for, and its epochs.
 */

#include "ux_report_private.h"


/* Below these no comparison is shown (STATISTICS.md, section 0). */
#define UX_REPORT_GATE_CONVERTERS  25
#define UX_REPORT_GATE_VISITORS    500


static void ux_report_put_design(ux_json_t *object,
    const ux_report_view_t *view);
static void ux_report_put_goal(ux_json_t *object,
    const ux_report_view_t *view);
static void ux_report_put_waiting(ux_json_t *object,
    const ux_report_view_t *view);
static void ux_report_put_epochs(ux_json_t *object,
    const ux_report_view_t *view);
static void ux_report_put_epoch(ux_json_t *epochs,
    const ux_report_view_t *view, uint32_t i);
static void ux_report_put_srm(ux_json_t *object);
static void ux_report_put_assigned(ux_json_t *object,
    const ux_report_view_t *view);
static uint64_t ux_report_runtime(const ux_report_view_t *view);
static bool ux_report_gate_met(const ux_report_view_t *view);
static bool ux_report_pair_met(const ux_report_view_t *view,
    const ux_metric_t *goal, unsigned variant);
static ux_str_t ux_report_variant_name(const ux_report_view_t *view,
    uint16_t ordinal);


void
ux_report_put_experiment(ux_json_t *experiments, ux_report_view_t *view)
{
    unsigned                       i;
    ux_json_t                     *object, *variants;
    ux_report_key_t                key;
    const ux_report_experiment_t  *experiment;

    experiment = &view->experiment;

    object = ux_json_object(experiments,
                            ux_report_key(&key, experiment->model->name));

    ux_report_put_design(object, view);
    ux_report_put_waiting(object, view);

    ux_report_put_count(object, "crossover_visitors",
                        experiment->crossovers);
    ux_report_put_count(object, "moved_visitors", experiment->moved);
    ux_json_int(object, "analysis_since_epoch", 1);

    ux_report_put_epochs(object, view);
    ux_report_put_srm(object);
    ux_report_put_assigned(object, view);

    variants = ux_json_object(object, "variants");

    for (i = 0; i < experiment->model->nvariants; i++) {
        ux_report_put_variant(variants, view, i);
    }

    ux_json_null(object, "previous");
}


static void
ux_report_put_design(ux_json_t *object, const ux_report_view_t *view)
{
    ux_str_t                state = ux_str("running");
    ux_json_t              *layer;
    const ux_experiment_t  *model;

    model = view->experiment.model;

    ux_json_string(object, "state", state);
    ux_json_int(object, "version", model->version);
    ux_json_time(object, "started_at", view->experiment.started_ms);
    ux_json_null(object, "ended_at");
    ux_report_put_count(object, "runtime_seconds", ux_report_runtime(view));
    ux_report_put_count(object, "min_runtime_seconds", model->min_runtime_s);
    ux_json_number(object, "traffic", model->traffic);

    if (model->layer.len != 0) {
        layer = ux_json_object(object, "layer");
        ux_json_string(layer, "name", model->layer);
        ux_json_number(layer, "lo", model->layer_lo);
        ux_json_number(layer, "hi", model->layer_hi);

    } else {
        ux_json_null(object, "layer");
    }

    ux_report_put_count(object, "planned_visitors", model->planned);
    ux_report_put_goal(object, view);
    ux_json_number(object, "alpha", model->alpha);
}


/* A string, or an array if there are several. */
static void
ux_report_put_goal(ux_json_t *object, const ux_report_view_t *view)
{
    unsigned                i, n;
    ux_json_t              *goals;
    const ux_experiment_t  *model;

    model = view->experiment.model;
    n = 0;

    for (i = 0; i < model->nmetrics; i++) {
        n += model->metrics[i].role == UX_ROLE_GOAL;
    }

    if (n == 0) {
        ux_json_null(object, "goal");
        return;
    }

    goals = n > 1 ? ux_json_array(object, "goal") : object;

    for (i = 0; i < model->nmetrics; i++) {

        if (model->metrics[i].role == UX_ROLE_GOAL) {
            ux_json_string(goals, "goal",
                           ux_report_metric_name(view->model,
                                                 &model->metrics[i]));
        }
    }
}


static void
ux_report_put_waiting(ux_json_t *object, const ux_report_view_t *view)
{
    ux_str_t    verdict = ux_str("collecting"), gate = ux_str("gate"),
                runtime = ux_str("min_runtime"),
                significance = ux_str("significance");
    ux_json_t  *waiting;

    ux_json_string(object, "verdict", verdict);
    ux_json_null(object, "winner");

    waiting = ux_json_array(object, "waiting_for");

    if (!ux_report_gate_met(view)) {
        ux_json_string(waiting, NULL, gate);
    }

    if (ux_report_runtime(view) < view->experiment.model->min_runtime_s) {
        ux_json_string(waiting, NULL, runtime);
    }

    ux_json_string(waiting, NULL, significance);

    (void) ux_json_array(object, "problems");
}


static void
ux_report_put_epochs(ux_json_t *object, const ux_report_view_t *view)
{
    uint32_t                 i;
    ux_json_t               *epochs;
    const ux_report_tree_t  *tree;

    tree = &view->tree;

    if (view->experiment.epoch != 0) {
        ux_json_int(object, "epoch", view->experiment.epoch);

    } else {
        ux_json_null(object, "epoch");
    }

    epochs = ux_json_array(object, "epochs");

    if (view->experiment.entry == UX_REPORT_END) {
        return;
    }

    for (i = tree->links[view->experiment.entry].first; i != UX_REPORT_END;
         i = tree->links[i].next)
    {
        if (tree->entries[i].kind == UX_ENTRY_EPOCH) {
            ux_report_put_epoch(epochs, view, i);
        }
    }
}


/* Variants no longer configured are named too: the shares were theirs. */
static void
ux_report_put_epoch(ux_json_t *epochs, const ux_report_view_t *view,
    uint32_t i)
{
    uint32_t                 arm;
    uint64_t                 visitors;
    ux_str_t                 name;
    ux_json_t               *object, *weights;
    ux_report_key_t          key;
    const ux_entry_t        *entry;
    const ux_report_tree_t  *tree;

    tree = &view->tree;
    entry = &tree->entries[i];

    object = ux_json_append(epochs);

    ux_json_int(object, "epoch", entry->aux);
    ux_json_time(object, "started_at", entry->created_ms);
    ux_json_number(object, "traffic", entry->number);

    weights = ux_json_object(object, "weights");
    visitors = 0;

    for (arm = tree->links[i].first; arm != UX_REPORT_END;
         arm = tree->links[arm].next)
    {
        visitors += tree->links[arm].visitors;
        name = ux_report_variant_name(view, tree->entries[arm].aux);

        if (ux_variant_name_check(name)) {
            ux_json_number(weights, ux_report_key(&key, name),
                           tree->entries[arm].number);
        }
    }

    ux_report_put_count(object, "visitors", visitors);
    ux_json_bool(object, "used", true);
}


static void
ux_report_put_srm(ux_json_t *object)
{
    ux_str_t    method = ux_str("sequential_multinomial");
    ux_json_t  *srm;

    srm = ux_json_object(object, "srm");

    ux_json_string(srm, "method", method);
    ux_report_put_nulls(srm, "p_value ok chi_square_p");
}


static void
ux_report_put_assigned(ux_json_t *object, const ux_report_view_t *view)
{
    unsigned                       i;
    uint64_t                       assigned;
    ux_json_t                     *intention, *variants, *variant;
    ux_report_key_t                key;
    const ux_report_experiment_t  *experiment;

    experiment = &view->experiment;

    intention = ux_json_object(object, "intention_to_treat");
    variants = ux_json_object(intention, "variants");

    for (i = 0; i < experiment->model->nvariants; i++) {
        assigned = experiment->variants[i].cells[UX_ARM_ASSIGNED];

        variant = ux_json_object(variants,
                      ux_report_key(&key,
                                    experiment->model->variants[i].name));

        ux_report_put_count(variant, "assigned", ux_report_count(assigned));
        ux_report_put_nulls(variant, "rate difference p_value");
    }
}


static uint64_t
ux_report_runtime(const ux_report_view_t *view)
{
    uint64_t  started;

    started = view->experiment.started_ms;

    if (started == 0 || view->now_ms <= started) {
        return 0;
    }

    return (view->now_ms - started) / 1000;
}


/*
 * Every pair of the control and a variant that takes visitors, for every
 * goal; without a goal or a pair there is nothing that could be decided.
 */
static bool
ux_report_gate_met(const ux_report_view_t *view)
{
    bool                    any;
    unsigned                i, v;
    const ux_experiment_t  *model;

    model = view->experiment.model;
    any = false;

    for (i = 0; i < model->nmetrics; i++) {

        if (model->metrics[i].role != UX_ROLE_GOAL) {
            continue;
        }

        for (v = 1; v < model->nvariants; v++) {

            if (!(model->variants[v].weight > 0)) {
                continue;
            }

            any = true;

            if (!ux_report_pair_met(view, &model->metrics[i], v)) {
                return false;
            }
        }
    }

    return any;
}


static bool
ux_report_pair_met(const ux_report_view_t *view, const ux_metric_t *goal,
    unsigned variant)
{
    uint64_t                n, x, pair;
    unsigned                i;
    const ux_report_sum_t  *sum;

    pair = 0;

    for (i = 0; i < 2; i++) {
        sum = &view->experiment.variants[i == 0 ? 0 : variant];

        n = ux_report_visitors(sum);
        x = ux_report_event_visitors(view, sum,
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


/* The name that the experiment's variant with this ordinal has, or none. */
static ux_str_t
ux_report_variant_name(const ux_report_view_t *view, uint16_t ordinal)
{
    uint32_t                 i;
    ux_str_t                 name = { NULL, 0 };
    const ux_entry_t        *entry;
    const ux_report_tree_t  *tree;

    tree = &view->tree;

    for (i = tree->links[view->experiment.entry].first; i != UX_REPORT_END;
         i = tree->links[i].next)
    {
        entry = &tree->entries[i];

        if (entry->kind == UX_ENTRY_VARIANT && entry->ordinal == ordinal
            && entry->name_len <= UX_NAME_MAX)
        {
            name.data = entry->name;
            name.len = entry->name_len;
            break;
        }
    }

    return name;
}
