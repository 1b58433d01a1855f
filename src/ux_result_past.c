
/*
 * Copyright (C) the nginx-ux authors
 *
 * Experiments that are not configured any more, put together again from what
 * the registry keeps: names, variants, weights, metrics and how they were
 * analysed.
 */

#include "ux_result.h"

#include <string.h>


static void ux_result_past_model(ux_result_t *result);
static void ux_result_past_events(ux_result_t *result);
static void ux_result_past_totals(ux_result_t *result);
static void ux_result_past_variant(ux_result_t *result,
    const ux_entry_t *epoch, const ux_entry_t *arm, uint32_t experiment);
static void ux_result_past_analysis(ux_result_t *result);
static void ux_result_past_kept(ux_result_t *result,
    const ux_entry_t *entry);
static bool ux_result_past_seen(const ux_result_t *result, uint8_t event);
static ux_metric_t *ux_result_past_add(ux_result_t *result, uint8_t event,
    ux_metric_type_e type);


/* As it was in its newest epoch. */
void
ux_result_past_design(ux_result_t *result, uint32_t i)
{
    uint32_t                 child, epoch;
    ux_experiment_t         *past;
    const ux_result_tree_t  *tree;

    tree = &result->tree;
    past = &result->past;

    ux_result_past_model(result);
    memset(past, 0, sizeof(ux_experiment_t));

    past->name = ux_result_entry_name(&tree->entries[i]);
    past->version = (uint32_t) tree->entries[i].value;
    past->serve = -1;

    epoch = UX_RESULT_END;

    for (child = tree->links[i].first; child != UX_RESULT_END;
         child = tree->links[child].next)
    {
        if (tree->entries[child].kind == UX_ENTRY_EPOCH) {
            epoch = child;
        }
    }

    if (epoch == UX_RESULT_END) {
        return;
    }

    past->traffic = tree->entries[epoch].number;

    for (child = tree->links[epoch].first; child != UX_RESULT_END;
         child = tree->links[child].next)
    {
        ux_result_past_variant(result, &tree->entries[epoch],
                               &tree->entries[child], i);
    }
}


/* The configured one, and what only the registry knows. */
static void
ux_result_past_model(ux_result_t *result)
{
    if (result->model == &result->past_model) {
        return;
    }

    result->past_model = *result->model;
    result->model = &result->past_model;

    ux_result_past_events(result);
    ux_result_past_totals(result);
}


static void
ux_result_past_events(ux_result_t *result)
{
    uint32_t           i;
    unsigned           k;
    ux_model_t        *model;
    const ux_entry_t  *entry;

    model = &result->past_model;

    for (i = 0; i < result->tree.count; i++) {
        entry = &result->tree.entries[i];

        if (entry->kind != UX_ENTRY_EVENT || entry->ordinal >= UX_EVENTS_MAX
            || !ux_name_check(ux_result_entry_name(entry)))
        {
            continue;
        }

        for (k = 0; k < model->nevents; k++) {

            if (model->event_slots[k] == entry->ordinal) {
                break;
            }
        }

        if (k == model->nevents && k < UX_EVENTS_MAX) {
            model->events[k] = ux_result_entry_name(entry);
            model->event_slots[k] = (uint8_t) entry->ordinal;
            model->nevents++;
        }
    }
}


static void
ux_result_past_totals(ux_result_t *result)
{
    int                event;
    uint32_t           i;
    unsigned           k;
    ux_model_t        *model;
    const ux_entry_t  *entry;

    model = &result->past_model;

    for (i = 0; i < result->tree.count; i++) {
        entry = &result->tree.entries[i];

        if (entry->kind != UX_ENTRY_TOTAL || entry->value > UX_METRIC_RATIO) {
            continue;
        }

        event = ux_model_event_find(model, ux_result_entry_name(entry));

        for (k = 0; k < model->ntotals; k++) {

            if (model->totals[k].slot == entry->ordinal) {
                break;
            }
        }

        if (event >= 0 && k == model->ntotals && k < UX_TOTALS_MAX) {
            model->totals[k].event = (uint8_t) event;
            model->totals[k].slot = (uint8_t) entry->ordinal;
            model->totals[k].type = (ux_metric_type_e) entry->value;
            model->ntotals++;
        }
    }
}


/* The control goes first. */
static void
ux_result_past_variant(ux_result_t *result, const ux_entry_t *epoch,
    const ux_entry_t *arm, uint32_t experiment)
{
    uint32_t                 i;
    unsigned                 at;
    ux_variant_t             variant;
    ux_experiment_t         *past;
    const ux_entry_t        *entry;
    const ux_result_tree_t  *tree;

    tree = &result->tree;
    past = &result->past;

    for (i = tree->links[experiment].first; i != UX_RESULT_END;
         i = tree->links[i].next)
    {
        entry = &tree->entries[i];

        if (entry->kind == UX_ENTRY_VARIANT && entry->ordinal == arm->aux) {
            break;
        }
    }

    if (i == UX_RESULT_END || past->nvariants == UX_VARIANTS_MAX
        || !ux_variant_name_check(ux_result_entry_name(entry)))
    {
        return;
    }

    variant.name = ux_result_entry_name(entry);
    variant.weight = arm->number;

    at = past->nvariants++;

    if (arm->aux == epoch->control) {
        past->variants[at] = past->variants[0];
        at = 0;
    }

    past->variants[at] = variant;
}


/*
 * Those it was analysed by; with them, and of one from before, revenue and
 * every event that was counted for somebody.
 */
void
ux_result_past_metrics(ux_result_t *result)
{
    uint32_t                 i, child;
    unsigned                 e;
    const ux_entry_t        *entry;
    const ux_result_tree_t  *tree;

    tree = &result->tree;

    ux_result_past_analysis(result);

    for (i = tree->links[result->experiment.entry].first; i != UX_RESULT_END;
         i = tree->links[i].next)
    {
        if (tree->entries[i].kind != UX_ENTRY_VARIANT) {
            continue;
        }

        for (child = tree->links[i].first; child != UX_RESULT_END;
             child = tree->links[child].next)
        {
            entry = &tree->entries[child];

            if (entry->kind == UX_ENTRY_EVIDENCE
                && entry->value == result->experiment.since_ordinal)
            {
                ux_result_past_kept(result, entry);
            }
        }
    }

    ux_result_past_add(result, UX_METRIC_REVENUE, UX_METRIC_MEAN);

    for (e = 0; e < result->model->nevents; e++) {

        if (ux_result_past_seen(result, (uint8_t) e)) {
            ux_result_past_add(result, (uint8_t) e, UX_METRIC_CONVERSION);
        }
    }
}


/* How it was decided. */
static void
ux_result_past_analysis(ux_result_t *result)
{
    uint32_t          i;
    ux_experiment_t  *past;
    const uint64_t   *cells;

    past = &result->past;

    ux_result_balance_find(result);
    i = result->experiment.balance.entry;

    if (i == UX_RESULT_END) {
        return;
    }

    cells = &result->store->counter.shared[result->tree.entries[i].ring];

    memcpy(&past->alpha, &cells[UX_BALANCE_ALPHA], sizeof(double));
    memcpy(&past->equivalence, &cells[UX_BALANCE_EQUIVALENCE],
           sizeof(double));
    past->planned = cells[UX_BALANCE_PLANNED];
    past->min_runtime_s = cells[UX_BALANCE_RUNTIME];
    past->cap = (int64_t) cells[UX_BALANCE_CAP];
    past->start_ms = cells[UX_BALANCE_START];
    past->stop_ms = cells[UX_BALANCE_STOP];
}


/* A metric that evidence is kept of. */
static void
ux_result_past_kept(ux_result_t *result, const ux_entry_t *entry)
{
    int           event;
    ux_str_t      name;
    ux_metric_t  *metric;

    name = ux_result_entry_name(entry);
    event = name.len == 0 ? UX_METRIC_REVENUE
                          : ux_model_event_find(result->model, name);

    if (event < 0 || entry->aux > UX_METRIC_RATIO) {
        return;
    }

    metric = ux_result_past_add(result, (uint8_t) event,
                                (ux_metric_type_e) entry->aux);

    if (metric != NULL && (entry->control & UX_EVIDENCE_ROLE)
                          <= UX_ROLE_GUARDRAIL)
    {
        metric->role = (ux_role_e) (entry->control & UX_EVIDENCE_ROLE);
        metric->lower_is_better = (entry->control & UX_EVIDENCE_LOWER) != 0;
        metric->margin = entry->number;
    }
}


static bool
ux_result_past_seen(const ux_result_t *result, uint8_t event)
{
    unsigned                       v;
    const ux_result_experiment_t  *experiment;

    experiment = &result->experiment;

    for (v = 0; v < experiment->nvariants; v++) {

        if (ux_result_event_count(result, experiment->variants[v].sum.cells,
                                  event)
            != 0)
        {
            return true;
        }
    }

    return false;
}


/* NULL: it is there already, or there is no room. */
static ux_metric_t *
ux_result_past_add(ux_result_t *result, uint8_t event, ux_metric_type_e type)
{
    unsigned          i;
    ux_metric_t      *metric;
    ux_experiment_t  *past;

    past = &result->past;

    for (i = 0; i < past->nmetrics; i++) {

        if (past->metrics[i].event == event && past->metrics[i].type == type)
        {
            return NULL;
        }
    }

    if (past->nmetrics == UX_METRICS_MAX) {
        return NULL;
    }

    metric = &past->metrics[past->nmetrics++];

    metric->event = event;
    metric->type = type;
    metric->role = UX_ROLE_SECONDARY;
    metric->lower_is_better = (event == UX_EVENT_REFUND);

    return metric;
}
