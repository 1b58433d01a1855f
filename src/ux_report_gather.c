
/*
 * Copyright (C) the nginx-ux authors
 *
 * Counters, added up by variant: those the configuration has first, then
 * those it has no more and that somebody was ever in, so that the sums over
 * variants are those of the experiment.
 *
 * Numbers of cells come out of shared memory: one out of range is left out,
 * never followed.
 */

#include "ux_report_private.h"

#include <string.h>


static void ux_report_add_variants(ux_report_view_t *view);
static void ux_report_add_variant(ux_report_view_t *view,
    const ux_entry_t *entry);
static ux_report_variant_t *ux_report_variant_new(
    ux_report_experiment_t *experiment);
static void ux_report_drop_variants(ux_report_view_t *view);
static bool ux_report_variant_used(const ux_report_variant_t *variant);
static uint32_t ux_report_since(const ux_report_view_t *view);
static void ux_report_add_epoch(ux_report_view_t *view, uint32_t epoch);
static void ux_report_add_arm(ux_report_view_t *view, uint32_t arm,
    bool primary);
static uint64_t ux_report_in_window(const ux_report_view_t *view,
    uint32_t base);
static ux_report_variant_t *ux_report_variant_of(ux_report_view_t *view,
    uint16_t ordinal);


void
ux_report_gather(ux_report_view_t *view, const ux_experiment_t *model)
{
    uint32_t                 child;
    unsigned                 i;
    const ux_report_tree_t  *tree;
    ux_report_experiment_t  *experiment;

    tree = &view->tree;
    experiment = &view->experiment;

    memset(experiment, 0, sizeof(ux_report_experiment_t));

    experiment->model = model;
    experiment->entry = ux_report_tree_find(tree, model->name,
                                            model->version);
    experiment->variants = tree->variants;
    experiment->since = 1;

    /* Variants first: one may be younger than an epoch, not than its arm. */

    ux_report_add_variants(view);

    if (experiment->entry == UX_REPORT_END) {
        return;
    }

    experiment->since = ux_report_since(view);

    child = tree->links[experiment->entry].first;

    for ( /* void */ ; child != UX_REPORT_END;
         child = tree->links[child].next)
    {
        if (tree->entries[child].kind == UX_ENTRY_EPOCH) {
            ux_report_add_epoch(view, child);
        }
    }

    for (i = 0; i < experiment->nvariants; i++) {
        ux_report_add_carts(view, &experiment->variants[i]);
    }

    ux_report_drop_variants(view);
}


static void
ux_report_add_variants(ux_report_view_t *view)
{
    uint32_t                 child;
    unsigned                 i;
    ux_report_variant_t     *variant;
    const ux_experiment_t   *model;
    ux_report_experiment_t  *experiment;

    experiment = &view->experiment;
    model = experiment->model;

    for (i = 0; i < model->nvariants && i < UX_VARIANTS_MAX; i++) {
        variant = ux_report_variant_new(experiment);

        variant->name = model->variants[i].name;
        variant->weight = model->variants[i].weight;
        variant->control = (i == 0);
    }

    if (experiment->entry == UX_REPORT_END) {
        return;
    }

    child = view->tree.links[experiment->entry].first;

    for ( /* void */ ; child != UX_REPORT_END;
         child = view->tree.links[child].next)
    {
        if (view->tree.entries[child].kind == UX_ENTRY_VARIANT) {
            ux_report_add_variant(view, &view->tree.entries[child]);
        }
    }
}


/* A registered one: the ordinal of one configured, or one more. */
static void
ux_report_add_variant(ux_report_view_t *view, const ux_entry_t *entry)
{
    unsigned                 i;
    ux_str_t                 name;
    ux_report_variant_t     *variant;
    ux_report_experiment_t  *experiment;

    experiment = &view->experiment;
    name = ux_report_entry_name(entry);

    if (!ux_variant_name_check(name)) {
        return;
    }

    for (i = 0; i < experiment->nvariants; i++) {

        if (ux_str_equal(experiment->variants[i].name, name)) {
            experiment->variants[i].ordinal = entry->ordinal;
            return;
        }
    }

    if (experiment->nvariants == view->tree.nvariants) {
        return;
    }

    variant = ux_report_variant_new(experiment);

    variant->name = name;
    variant->ordinal = entry->ordinal;
    variant->removed = true;
}


/* There is room for it. */
static ux_report_variant_t *
ux_report_variant_new(ux_report_experiment_t *experiment)
{
    unsigned              i;
    ux_report_variant_t  *variant;

    variant = &experiment->variants[experiment->nvariants++];
    memset(variant, 0, sizeof(ux_report_variant_t));

    variant->ordinal = UX_PARENT_NONE;

    for (i = 0; i < UX_CARTS_MAX; i++) {
        variant->carts[i] = UX_REPORT_END;
    }

    return variant;
}


/* Those that are removed and that nobody was ever in. */
static void
ux_report_drop_variants(ux_report_view_t *view)
{
    unsigned                 i, n;
    ux_report_experiment_t  *experiment;

    experiment = &view->experiment;
    n = 0;

    for (i = 0; i < experiment->nvariants; i++) {

        if (experiment->variants[i].removed
            && !ux_report_variant_used(&experiment->variants[i]))
        {
            continue;
        }

        if (n != i) {
            experiment->variants[n] = experiment->variants[i];
        }

        n++;
    }

    experiment->nvariants = n;
}


/* Crossovers are visitors no more, but they were. */
static bool
ux_report_variant_used(const ux_report_variant_t *variant)
{
    const uint64_t  *cells;

    cells = variant->sum.cells;

    return (cells[UX_ARM_ASSIGNED] | cells[UX_ARM_VISITORS]
            | cells[UX_ARM_CROSSOVER]) != 0;
}


/* The number of the newest epoch that restarted the primary result. */
static uint32_t
ux_report_since(const ux_report_view_t *view)
{
    uint32_t                 i, since;
    const ux_entry_t        *entry, *last;
    const ux_report_tree_t  *tree;

    tree = &view->tree;
    since = 1;
    last = NULL;

    for (i = tree->links[view->experiment.entry].first; i != UX_REPORT_END;
         i = tree->links[i].next)
    {
        entry = &tree->entries[i];

        if (entry->kind != UX_ENTRY_EPOCH) {
            continue;
        }

        if (last != NULL && ux_registry_restarts(last, entry)) {
            since = entry->aux;
        }

        last = entry;
    }

    return since;
}


static void
ux_report_add_epoch(ux_report_view_t *view, uint32_t epoch)
{
    uint32_t                 arm;
    const ux_entry_t        *entry;
    const ux_report_tree_t  *tree;
    ux_report_experiment_t  *experiment;

    tree = &view->tree;
    experiment = &view->experiment;
    entry = &tree->entries[epoch];

    if (entry->aux > experiment->epoch) {
        experiment->epoch = entry->aux;
    }

    if (experiment->started_ms == 0
        || entry->created_ms < experiment->started_ms)
    {
        experiment->started_ms = entry->created_ms;
    }

    arm = tree->links[epoch].first;

    for ( /* void */ ; arm != UX_REPORT_END; arm = tree->links[arm].next) {
        ux_report_add_arm(view, arm, entry->aux >= experiment->since);
    }
}


static void
ux_report_add_arm(ux_report_view_t *view, uint32_t arm, bool primary)
{
    uint64_t              cells[UX_ARM_COUNTS];
    unsigned              i;
    ux_report_link_t     *link;
    const ux_entry_t     *entry;
    ux_report_variant_t  *variant;

    link = &view->tree.links[arm];
    entry = &view->tree.entries[arm];

    if (!ux_report_cells_check(view, entry->base, UX_ARM_CELLS)) {
        return;
    }

    ux_counter_fold(&view->store->counter, entry->base, UX_ARM_COUNTS,
                    cells);

    link->visitors = ux_report_count(cells[UX_ARM_VISITORS]);
    view->experiment.visitors += link->visitors;
    view->experiment.crossovers += ux_report_count(cells[UX_ARM_CROSSOVER]);
    view->experiment.moved += ux_report_count(cells[UX_ARM_MOVED]);

    variant = ux_report_variant_of(view, entry->aux);

    if (variant == NULL) {
        return;
    }

    variant->sum.in_window += ux_report_in_window(view, entry->base);

    for (i = 0; i < UX_ARM_COUNTS; i++) {
        variant->sum.cells[i] += cells[i];
        variant->primary[i] += primary ? cells[i] : 0;
    }

    ux_report_link_carts(view, link->first, variant);
}


/* Visitors of the arm in time buckets whose window is not wholly over. */
static uint64_t
ux_report_in_window(const ux_report_view_t *view, uint32_t base)
{
    int32_t                n;
    uint64_t               sum, width, bucket, window_ms;
    unsigned               i;
    const ux_experiment_t  *model;

    model = view->experiment.model;
    window_ms = (model == NULL || view->experiment.past) ? 0
                                                         : model->window_ms;

    if (window_ms == 0) {
        return 0;
    }

    width = ux_bucket_width_ms(window_ms);
    bucket = view->now_ms / width;
    sum = 0;

    for (i = 0; i < UX_BUCKETS && bucket != 0; i++, bucket--) {

        if ((bucket + 1) * width + window_ms <= view->now_ms) {
            break;
        }

        n = ux_counter_ring_read(&view->store->counter,
                                 base + UX_ARM_WINDOW
                                 + (uint32_t) (bucket % UX_BUCKETS),
                                 (uint32_t) bucket);
        sum += (n > 0) ? (uint64_t) n : 0;
    }

    return sum;
}


/* NULL: a name that is none. */
static ux_report_variant_t *
ux_report_variant_of(ux_report_view_t *view, uint16_t ordinal)
{
    unsigned                 i;
    ux_report_experiment_t  *experiment;

    experiment = &view->experiment;

    for (i = 0; i < experiment->nvariants; i++) {

        if (experiment->variants[i].ordinal == ordinal
            && ordinal != UX_PARENT_NONE)
        {
            return &experiment->variants[i];
        }
    }

    return NULL;
}


/* Cell 0 is the zone's: an entry without a block has base 0. */
bool
ux_report_cells_check(const ux_report_view_t *view, uint32_t first,
    uint32_t n)
{
    uint32_t  all;

    all = view->store->counter.all_cells;

    return first != 0 && n <= all && first <= all - n;
}
