
/*
 * Copyright (C) the nginx-ux authors
 *
 * One experiment gathered: counters, added up by variant.  Those that the
 * configuration has come first, then those it has no more and that somebody
 * was ever in, so that the sums over variants are those of the experiment.
 *
 * Numbers of cells come out of shared memory: one out of range is left out,
 * never followed.
 */

#include "ux_result.h"
#include "ux_block.h"
#include "ux_timing.h"

#include <math.h>
#include <string.h>


static void ux_result_collect(ux_result_t *result,
    const ux_experiment_t *model);
static void ux_result_add_variants(ux_result_t *result);
static void ux_result_add_variant(ux_result_t *result, uint32_t number);
static ux_result_variant_t *ux_result_variant_new(
    ux_result_experiment_t *experiment);
static void ux_result_drop_variants(ux_result_t *result);
static bool ux_result_variant_used(const ux_result_variant_t *variant);
static void ux_result_since(ux_result_t *result);
static void ux_result_add_epoch(ux_result_t *result, uint32_t epoch);
static void ux_result_add_arm(ux_result_t *result, uint32_t arm);
static uint64_t ux_result_in_window(const ux_result_t *result,
    uint32_t base);
static ux_result_variant_t *ux_result_variant_of(ux_result_t *result,
    uint16_t ordinal);


void
ux_result_gather(ux_result_t *result, const ux_experiment_t *model)
{
    result->model = result->store->model;

    ux_result_collect(result, model);

    ux_result_balance(result);
    ux_result_compare(result);
    ux_result_decide(result);
}


/* Metrics of one that is past are known by what was counted. */
void
ux_result_gather_past(ux_result_t *result, uint32_t entry)
{
    ux_result_past_design(result, entry);
    ux_result_collect(result, &result->past);

    result->experiment.past = true;
    ux_result_past_metrics(result);

    ux_result_balance(result);
    ux_result_compare(result);
    ux_result_decide(result);
}


static void
ux_result_collect(ux_result_t *result, const ux_experiment_t *model)
{
    uint32_t                 child;
    unsigned                 i;
    const ux_result_tree_t  *tree;
    ux_result_experiment_t  *experiment;

    tree = &result->tree;
    experiment = &result->experiment;

    memset(experiment, 0, sizeof(ux_result_experiment_t));

    experiment->model = model;
    experiment->entry = ux_result_tree_find(tree, model->name,
                                            model->version);
    experiment->variants = result->variants;
    experiment->winner = -1;
    experiment->since = 1;
    experiment->since_ordinal = UX_PARENT_NONE;

    /* Variants first: one may be younger than an epoch, not than its arm. */

    ux_result_add_variants(result);

    if (experiment->entry == UX_RESULT_END) {
        return;
    }

    ux_result_since(result);

    child = tree->links[experiment->entry].first;

    for ( /* void */ ; child != UX_RESULT_END;
         child = tree->links[child].next)
    {
        if (tree->entries[child].kind == UX_ENTRY_EPOCH) {
            ux_result_add_epoch(result, child);
        }
    }

    for (i = 0; i < experiment->nvariants; i++) {
        ux_result_carts_add(result, &experiment->variants[i]);
    }

    ux_result_drop_variants(result);
}


static void
ux_result_add_variants(ux_result_t *result)
{
    uint32_t                 child;
    unsigned                 i;
    ux_result_variant_t     *variant;
    const ux_experiment_t   *model;
    ux_result_experiment_t  *experiment;

    experiment = &result->experiment;
    model = experiment->model;

    for (i = 0; i < model->nvariants && i < UX_VARIANTS_MAX; i++) {
        variant = ux_result_variant_new(experiment);

        variant->name = model->variants[i].name;
        variant->weight = model->variants[i].weight;
        variant->control = (i == 0);
    }

    if (experiment->entry == UX_RESULT_END) {
        return;
    }

    child = result->tree.links[experiment->entry].first;

    for ( /* void */ ; child != UX_RESULT_END;
         child = result->tree.links[child].next)
    {
        if (result->tree.entries[child].kind == UX_ENTRY_VARIANT) {
            ux_result_add_variant(result, child);
        }
    }
}


/* A registered one: the ordinal of one configured, or one more. */
static void
ux_result_add_variant(ux_result_t *result, uint32_t number)
{
    unsigned                 i;
    ux_str_t                 name;
    const ux_entry_t        *entry;
    ux_result_variant_t     *variant;
    ux_result_experiment_t  *experiment;

    experiment = &result->experiment;
    entry = &result->tree.entries[number];
    name = ux_result_entry_name(entry);

    if (!ux_variant_name_check(name)) {
        return;
    }

    for (i = 0; i < experiment->nvariants; i++) {

        if (ux_str_equal(experiment->variants[i].name, name)) {
            experiment->variants[i].ordinal = entry->ordinal;
            experiment->variants[i].entry = number;
            return;
        }
    }

    if (experiment->nvariants == result->tree.most_variants) {
        return;
    }

    variant = ux_result_variant_new(experiment);

    variant->name = name;
    variant->ordinal = entry->ordinal;
    variant->entry = number;
    variant->removed = true;
}


/* There is room for it. */
static ux_result_variant_t *
ux_result_variant_new(ux_result_experiment_t *experiment)
{
    unsigned              i;
    ux_result_variant_t  *variant;

    variant = &experiment->variants[experiment->nvariants++];
    memset(variant, 0, sizeof(ux_result_variant_t));

    variant->ordinal = UX_PARENT_NONE;
    variant->entry = UX_RESULT_END;
    variant->assigned_mean = NAN;
    variant->assigned_difference = NAN;
    variant->assigned_p = NAN;
    variant->assigned_adjusted = NAN;
    variant->assigned_control = NAN;

    for (i = 0; i < UX_CARTS_MAX; i++) {
        variant->carts[i] = UX_RESULT_END;
    }

    return variant;
}


/* Those that are removed and that nobody was ever in. */
static void
ux_result_drop_variants(ux_result_t *result)
{
    unsigned                 i, n;
    ux_result_experiment_t  *experiment;

    experiment = &result->experiment;
    n = 0;

    for (i = 0; i < experiment->nvariants; i++) {

        if (experiment->variants[i].removed
            && !ux_result_variant_used(&experiment->variants[i]))
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
ux_result_variant_used(const ux_result_variant_t *variant)
{
    const uint64_t  *cells;

    cells = variant->sum.cells;

    return (cells[UX_ARM_ASSIGNED] | cells[UX_ARM_VISITORS]
            | cells[UX_ARM_CROSSOVER]) != 0;
}


/* The newest epoch that restarted the primary result. */
static void
ux_result_since(ux_result_t *result)
{
    uint32_t                 i;
    const ux_entry_t        *entry, *last;
    const ux_result_tree_t  *tree;
    ux_result_experiment_t  *experiment;

    tree = &result->tree;
    experiment = &result->experiment;
    last = NULL;

    for (i = tree->links[experiment->entry].first; i != UX_RESULT_END;
         i = tree->links[i].next)
    {
        entry = &tree->entries[i];

        if (entry->kind != UX_ENTRY_EPOCH) {
            continue;
        }

        if (last == NULL || ux_registry_restarts(last, entry)) {
            experiment->since = entry->aux;
            experiment->since_ordinal = entry->ordinal;
            experiment->since_ms = entry->created_ms;
        }

        last = entry;
    }
}


static void
ux_result_add_epoch(ux_result_t *result, uint32_t epoch)
{
    uint32_t                 arm;
    const ux_entry_t        *entry;
    const ux_result_tree_t  *tree;
    ux_result_experiment_t  *experiment;

    tree = &result->tree;
    experiment = &result->experiment;
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

    for ( /* void */ ; arm != UX_RESULT_END; arm = tree->links[arm].next) {
        ux_result_add_arm(result, arm);
    }
}


static void
ux_result_add_arm(ux_result_t *result, uint32_t arm)
{
    uint64_t              cells[UX_ARM_COUNTS];
    unsigned              i, n;
    ux_result_link_t     *link;
    const ux_entry_t     *entry;
    ux_result_variant_t  *variant;

    link = &result->tree.links[arm];
    entry = &result->tree.entries[arm];

    if (!ux_result_cells_check(result, entry->base, UX_ARM_CELLS)) {
        return;
    }

    n = result->brief ? UX_ARM_HTTP : UX_ARM_COUNTS;

    ux_counter_fold(&result->store->counter, entry->base, n, cells);

    link->visitors = ux_result_count(cells[UX_ARM_VISITORS]);
    result->experiment.visitors += link->visitors;
    result->experiment.crossovers += ux_result_count(cells[UX_ARM_CROSSOVER]);
    result->experiment.moved += ux_result_count(cells[UX_ARM_MOVED]);

    variant = ux_result_variant_of(result, entry->aux);

    if (variant == NULL) {
        return;
    }

    for (i = 0; i < n; i++) {
        variant->sum.cells[i] += cells[i];
    }

    if (!result->brief) {
        variant->sum.in_window += ux_result_in_window(result, entry->base);
        ux_result_carts_link(result, link->first, variant);
    }
}


/* Visitors of the arm in time buckets whose window is not wholly over. */
static uint64_t
ux_result_in_window(const ux_result_t *result, uint32_t base)
{
    uint64_t                window_ms;
    const ux_experiment_t  *model;

    model = result->experiment.model;
    window_ms = result->experiment.past ? 0 : model->window_ms;

    if (window_ms == 0) {
        return 0;
    }

    return ux_counter_recent(&result->store->counter, base + UX_ARM_WINDOW,
                             ux_bucket_width_ms(window_ms), window_ms,
                             result->now_ms);
}


/* NULL: a name that is none. */
static ux_result_variant_t *
ux_result_variant_of(ux_result_t *result, uint16_t ordinal)
{
    unsigned                 i;
    ux_result_experiment_t  *experiment;

    experiment = &result->experiment;

    for (i = 0; i < experiment->nvariants; i++) {

        if (experiment->variants[i].ordinal == ordinal
            && ordinal != UX_PARENT_NONE)
        {
            return &experiment->variants[i];
        }
    }

    return NULL;
}


uint32_t
ux_result_timings(const ux_result_t *result,
    const ux_result_variant_t *variant, uint16_t what, uint64_t value,
    uint32_t n)
{
    uint16_t           parent;
    uint32_t           i, first;
    const ux_entry_t  *entry;

    if (variant != NULL && variant->entry == UX_RESULT_END) {
        return 0;
    }

    parent = UX_PARENT_NONE;
    i = 0;

    if (variant != NULL) {
        parent = variant->ordinal;
        i = variant->entry;
    }

    /* an entry is younger than its parent */

    for ( /* void */ ; i < result->tree.count; i++) {
        entry = &result->tree.entries[i];

        if (entry->kind == UX_ENTRY_TIMINGS && entry->parent == parent
            && entry->aux == what && entry->value == value
            && ux_block_cells(what, entry->control) == n)
        {
            first = entry->base != 0 ? entry->base : entry->ring;

            return ux_result_cells_check(result, first, n) ? first : 0;
        }
    }

    return 0;
}


/* Cell 0 is the zone's: an entry without a block has base 0. */
bool
ux_result_cells_check(const ux_result_t *result, uint32_t first,
    uint32_t n)
{
    uint32_t  all;

    all = result->store->counter.all_cells;

    return first != 0 && n <= all && first <= all - n;
}
