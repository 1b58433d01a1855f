
/*
 * Copyright (C) the nginx-ux authors
 *
 * Experiments that are not configured any more: those removed, for as long as
 * the zone keeps them in sight, and the version before the configured one.
 *
 * Their names, variants and weights are in the registry.  What was measured
 * by, and which of it was the goal, is not: everything that was counted is
 * shown, and nothing is a goal.
 */

#include "ux_report_private.h"

#include <string.h>


#define UX_REPORT_REMOVED_MS  (30 * 86400000ull)


static bool ux_report_past_shown(const ux_report_view_t *view, uint32_t i);
static bool ux_report_past_newest(const ux_report_view_t *view, uint32_t i);
static bool ux_report_past_named(const ux_report_view_t *view, uint32_t i,
    ux_str_t name);
static void ux_report_put_past(ux_json_t *object, ux_report_view_t *view,
    uint32_t i, bool previous);
static void ux_report_past_events(ux_report_view_t *view);
static void ux_report_past_design(ux_report_view_t *view, uint32_t i);
static void ux_report_past_variant(ux_report_view_t *view,
    const ux_entry_t *epoch, const ux_entry_t *arm, uint32_t experiment);
static void ux_report_past_metrics(ux_report_view_t *view);
static void ux_report_past_metric(ux_report_view_t *view, uint8_t event,
    ux_metric_type_e type);


void
ux_report_put_removed(ux_json_t *experiments, ux_report_view_t *view)
{
    uint32_t         i;
    ux_str_t         name;
    ux_report_key_t  key;

    for (i = view->tree.first; i != UX_REPORT_END;
         i = view->tree.links[i].next)
    {
        name = ux_report_entry_name(&view->tree.entries[i]);

        if (ux_name_check(name) && ux_report_past_shown(view, i)) {
            ux_report_put_past(ux_json_object(experiments,
                                              ux_report_key(&key, name)),
                               view, i, true);
        }
    }
}


/*
 * Removed, not too long ago.  Another version of a configured experiment is
 * shown with that, or not at all; of several versions the one removed last.
 */
static bool
ux_report_past_shown(const ux_report_view_t *view, uint32_t i)
{
    uint64_t  removed, stay;
    unsigned  k;

    removed = ux_registry_removed_ms(&view->tree.entries[i]);
    stay = view->model->removed_ms != 0 ? view->model->removed_ms
                                        : UX_REPORT_REMOVED_MS;

    if (removed == 0
        || (view->now_ms > removed && view->now_ms - removed >= stay))
    {
        return false;
    }

    for (k = 0; k < view->model->nexperiments; k++) {

        if (ux_report_past_named(view, i, view->model->experiments[k].name)) {
            return false;
        }
    }

    return ux_report_past_newest(view, i);
}


static bool
ux_report_past_newest(const ux_report_view_t *view, uint32_t i)
{
    uint32_t  k;
    uint64_t  removed, other;

    removed = ux_registry_removed_ms(&view->tree.entries[i]);

    for (k = view->tree.first; k != UX_REPORT_END;
         k = view->tree.links[k].next)
    {
        if (k == i
            || !ux_report_past_named(view, k,
                   ux_report_entry_name(&view->tree.entries[i])))
        {
            continue;
        }

        other = ux_registry_removed_ms(&view->tree.entries[k]);

        if (other > removed || (other == removed && k > i)) {
            return false;
        }
    }

    return true;
}


static bool
ux_report_past_named(const ux_report_view_t *view, uint32_t i, ux_str_t name)
{
    return ux_str_equal(ux_report_entry_name(&view->tree.entries[i]), name);
}


/* Of the versions below this one the highest. */
void
ux_report_put_previous(ux_json_t *experiment, ux_report_view_t *view)
{
    uint32_t                i, found;
    const ux_entry_t       *entries;
    const ux_experiment_t  *model;

    model = view->experiment.model;
    entries = view->tree.entries;
    found = UX_REPORT_END;

    for (i = view->tree.first; i != UX_REPORT_END;
         i = view->tree.links[i].next)
    {
        if (entries[i].value < model->version
            && ux_report_past_named(view, i, model->name)
            && (found == UX_REPORT_END
                || entries[i].value >= entries[found].value))
        {
            found = i;
        }
    }

    if (found == UX_REPORT_END) {
        ux_json_null(experiment, "previous");
        return;
    }

    ux_report_put_past(ux_json_object(experiment, "previous"), view, found,
                       false);
}


static void
ux_report_put_past(ux_json_t *object, ux_report_view_t *view, uint32_t i,
    bool previous)
{
    const ux_model_t  *model;

    model = view->model;

    if (model != &view->past_model) {
        view->past_model = *model;
        view->model = &view->past_model;
        ux_report_past_events(view);
    }

    ux_report_past_design(view, i);
    ux_report_gather(view, &view->past);
    view->experiment.past = true;
    ux_report_past_metrics(view);

    ux_report_put_experiment(object, view, previous);

    view->model = model;
}


/* Events that only the registry knows are in the model too. */
static void
ux_report_past_events(ux_report_view_t *view)
{
    uint32_t           i;
    unsigned           k;
    ux_model_t        *model;
    const ux_entry_t  *entry;

    model = &view->past_model;

    for (i = 0; i < view->tree.count; i++) {
        entry = &view->tree.entries[i];

        if (entry->kind != UX_ENTRY_EVENT || entry->ordinal >= UX_EVENTS_MAX
            || !ux_name_check(ux_report_entry_name(entry)))
        {
            continue;
        }

        for (k = 0; k < model->nevents; k++) {

            if (model->event_slots[k] == entry->ordinal) {
                break;
            }
        }

        if (k == model->nevents && k < UX_EVENTS_MAX) {
            model->events[k] = ux_report_entry_name(entry);
            model->event_slots[k] = (uint8_t) entry->ordinal;
            model->nevents++;
        }
    }
}


/* As it was in its newest epoch. */
static void
ux_report_past_design(ux_report_view_t *view, uint32_t i)
{
    uint32_t                 child, epoch;
    ux_experiment_t         *past;
    const ux_report_tree_t  *tree;

    tree = &view->tree;
    past = &view->past;

    memset(past, 0, sizeof(ux_experiment_t));

    past->name = ux_report_entry_name(&tree->entries[i]);
    past->version = (uint32_t) tree->entries[i].value;
    past->serve = -1;

    epoch = UX_REPORT_END;

    for (child = tree->links[i].first; child != UX_REPORT_END;
         child = tree->links[child].next)
    {
        if (tree->entries[child].kind == UX_ENTRY_EPOCH) {
            epoch = child;
        }
    }

    if (epoch == UX_REPORT_END) {
        return;
    }

    past->traffic = tree->entries[epoch].number;

    for (child = tree->links[epoch].first; child != UX_REPORT_END;
         child = tree->links[child].next)
    {
        ux_report_past_variant(view, &tree->entries[epoch],
                               &tree->entries[child], i);
    }
}


/* The control goes first. */
static void
ux_report_past_variant(ux_report_view_t *view, const ux_entry_t *epoch,
    const ux_entry_t *arm, uint32_t experiment)
{
    uint32_t                 i;
    unsigned                 at;
    ux_variant_t             variant;
    ux_experiment_t         *past;
    const ux_entry_t        *entry;
    const ux_report_tree_t  *tree;

    tree = &view->tree;
    past = &view->past;

    for (i = tree->links[experiment].first; i != UX_REPORT_END;
         i = tree->links[i].next)
    {
        entry = &tree->entries[i];

        if (entry->kind == UX_ENTRY_VARIANT && entry->ordinal == arm->aux) {
            break;
        }
    }

    if (i == UX_REPORT_END || past->nvariants == UX_VARIANTS_MAX
        || !ux_variant_name_check(ux_report_entry_name(entry)))
    {
        return;
    }

    variant.name = ux_report_entry_name(entry);
    variant.weight = arm->number;

    at = past->nvariants++;

    if (arm->aux == epoch->control) {
        past->variants[at] = past->variants[0];
        at = 0;
    }

    past->variants[at] = variant;
}


/* Revenue, and every event that was counted for somebody. */
static void
ux_report_past_metrics(ux_report_view_t *view)
{
    uint64_t                       events;
    unsigned                       i, v;
    const ux_report_experiment_t  *experiment;

    experiment = &view->experiment;

    ux_report_past_metric(view, UX_METRIC_REVENUE, UX_METRIC_MEAN);

    for (i = 0; i < view->model->nevents; i++) {
        events = 0;

        for (v = 0; v < experiment->nvariants; v++) {
            events += ux_report_event_count(view,
                          experiment->variants[v].sum.cells, (uint8_t) i);
        }

        if (events != 0) {
            ux_report_past_metric(view, (uint8_t) i, UX_METRIC_CONVERSION);
        }
    }
}


static void
ux_report_past_metric(ux_report_view_t *view, uint8_t event,
    ux_metric_type_e type)
{
    ux_metric_t      *metric;
    ux_experiment_t  *past;

    past = &view->past;

    if (past->nmetrics == UX_METRICS_MAX) {
        return;
    }

    metric = &past->metrics[past->nmetrics++];

    metric->event = event;
    metric->type = type;
    metric->role = UX_ROLE_SECONDARY;
    metric->lower_is_better = (event == UX_EVENT_REFUND);
}
