
/*
 * Copyright (C) the nginx-ux authors
 *
 * An experiment in the report: what was configured, its epochs, and all who
 * were assigned.
 */

#include "ux_report_private.h"


#define UX_REPORT_SRM_WARNING  0.01


static void ux_report_put_design(ux_json_t *object,
    const ux_result_t *view);
static void ux_report_put_epochs(ux_json_t *object,
    const ux_result_t *view);
static void ux_report_put_epoch(ux_json_t *epochs,
    const ux_result_t *view, uint32_t i);
static void ux_report_put_srm(ux_json_t *object,
    const ux_result_t *view);
static void ux_report_put_assigned(ux_json_t *object,
    const ux_result_t *view);
static ux_str_t ux_report_variant_name(const ux_result_t *view,
    uint16_t ordinal);


void
ux_report_put_experiment(ux_json_t *object, ux_result_t *view,
    unsigned parts)
{
    unsigned                       i;
    ux_json_t                     *variants;
    const ux_result_experiment_t  *experiment;

    experiment = &view->experiment;

    ux_report_put_state(object, view);
    ux_report_put_design(object, view);
    ux_report_put_verdict(object, view);
    ux_report_put_summary(object, view);

    ux_report_put_count(object, "crossover_visitors",
                        experiment->crossovers);
    ux_report_put_count(object, "moved_visitors", experiment->moved);
    ux_json_int(object, "analysis_since_epoch", experiment->since);

    ux_report_put_epochs(object, view);
    ux_report_put_srm(object, view);
    ux_report_put_assigned(object, view);

    variants = ux_json_object(object, "variants");

    for (i = 0; i < experiment->nvariants; i++) {
        ux_report_put_variant(variants, view, i, parts);
    }

    if (parts & UX_REPORT_SEGMENTS) {
        ux_report_put_heterogeneity(object, view);
    }

    if (parts & UX_REPORT_PREVIOUS) {
        ux_report_put_previous(object, view, parts);

    } else {
        ux_json_null(object, "previous");
    }
}


static void
ux_report_put_design(ux_json_t *object, const ux_result_t *view)
{
    ux_json_t              *layer;
    const ux_experiment_t  *model;

    model = view->experiment.model;

    ux_json_number(object, "traffic", model->traffic);

    /* Unless it was kept, the rest only the configuration knows. */

    if (view->experiment.past && !(model->alpha > 0)) {
        ux_report_put_nulls(object, "min_runtime_seconds layer "
                            "planned_visitors goal alpha");
        return;
    }

    ux_report_put_count(object, "min_runtime_seconds", model->min_runtime_s);

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
void
ux_report_put_goal(ux_json_t *object, const ux_result_t *view)
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
                           ux_result_metric_name(view->model,
                                                 &model->metrics[i]));
        }
    }
}


static void
ux_report_put_epochs(ux_json_t *object, const ux_result_t *view)
{
    uint32_t                 i;
    ux_json_t               *epochs;
    const ux_result_tree_t  *tree;

    tree = &view->tree;

    if (view->experiment.epoch != 0) {
        ux_json_int(object, "epoch", view->experiment.epoch);

    } else {
        ux_json_null(object, "epoch");
    }

    epochs = ux_json_array(object, "epochs");

    if (view->experiment.entry == UX_RESULT_END) {
        return;
    }

    for (i = tree->links[view->experiment.entry].first; i != UX_RESULT_END;
         i = tree->links[i].next)
    {
        if (tree->entries[i].kind == UX_ENTRY_EPOCH) {
            ux_report_put_epoch(epochs, view, i);
        }
    }
}


/* Variants no longer configured are named too: the shares were theirs. */
static void
ux_report_put_epoch(ux_json_t *epochs, const ux_result_t *view,
    uint32_t i)
{
    uint32_t                 arm;
    uint64_t                 visitors;
    ux_str_t                 name;
    ux_json_t               *object, *weights;
    ux_report_key_t          key;
    const ux_entry_t        *entry;
    const ux_result_tree_t  *tree;

    tree = &view->tree;
    entry = &tree->entries[i];

    object = ux_json_append(epochs);

    ux_json_int(object, "epoch", entry->aux);
    ux_json_time(object, "started_at", entry->created_ms);
    ux_json_number(object, "traffic", entry->number);

    weights = ux_json_object(object, "weights");
    visitors = 0;

    for (arm = tree->links[i].first; arm != UX_RESULT_END;
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
    ux_json_bool(object, "used", tree->links[i].used);
}


static void
ux_report_put_srm(ux_json_t *object, const ux_result_t *view)
{
    double                      p;
    ux_str_t                    method = ux_str("sequential_multinomial");
    ux_json_t                  *srm;
    const ux_result_balance_t  *balance;

    balance = &view->experiment.balance;
    p = ux_sequence_p(balance->log_e);

    srm = ux_json_object(object, "srm");

    ux_json_string(srm, "method", method);
    ux_json_number(srm, "p_value", p);
    ux_json_number(srm, "p_now", ux_sequence_p(balance->log_e_now));
    ux_json_bool(srm, "ok", !(p < UX_SPLIT_SRM_P));
    ux_json_bool(srm, "warning", p < UX_REPORT_SRM_WARNING);
    ux_json_number(srm, "chi_square_p", balance->chi_square_p);
    ux_json_number(srm, "confirmation_p",
                   ux_sequence_p(balance->confirmation));
}


/*
 * The first goal over all that were assigned, whether or not they came back:
 * those who did not converted for none.
 */
static void
ux_report_put_assigned(ux_json_t *object, const ux_result_t *view)
{
    unsigned                       i;
    ux_json_t                     *intention, *variants, *variant;
    ux_report_key_t                key;
    const ux_result_variant_t     *of;
    const ux_result_experiment_t  *experiment;

    experiment = &view->experiment;

    intention = ux_json_object(object, "intention_to_treat");
    variants = ux_json_object(intention, "variants");

    for (i = 0; i < experiment->nvariants; i++) {
        of = &experiment->variants[i];

        variant = ux_json_object(variants, ux_report_key(&key, of->name));

        ux_report_put_count(variant, "assigned",
                            ux_result_count(of->sum.cells[UX_ARM_ASSIGNED]));
        ux_json_number(variant, "rate", of->assigned_mean);
        ux_json_number(variant, "difference", of->assigned_difference);
        ux_json_number(variant, "p_value", of->assigned_p);
        ux_json_number(variant, "rate_adjusted", of->assigned_adjusted);
        ux_json_number(variant, "control_rate_adjusted",
                       of->assigned_control);
    }
}


/* The name that the experiment's variant with this ordinal has, or none. */
static ux_str_t
ux_report_variant_name(const ux_result_t *view, uint16_t ordinal)
{
    uint32_t                 i;
    ux_str_t                 name = { NULL, 0 };
    const ux_entry_t        *entry;
    const ux_result_tree_t  *tree;

    tree = &view->tree;

    for (i = tree->links[view->experiment.entry].first; i != UX_RESULT_END;
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
