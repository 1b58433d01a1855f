
/*
 * Copyright (C) the nginx-ux authors
 *
 * Counters, added up by variant.
 *
 * The registry is append-only and flat; a parent is always registered before
 * its children:
 *
 *   experiment -> variant
 *              -> epoch -> arm (of a variant) -> arm cart (of a window)
 *
 * The report turns it into a tree once, so that an experiment costs its own
 * entries and not the registry's.  Entries come out of shared memory: an
 * ordinal or a cell out of range is left out, never followed.
 */

#include "ux_report_private.h"

#include <string.h>


/* Looks at a cart funnel that keeps changing while it is read. */
#define UX_REPORT_TRIES  3


static uint32_t *ux_report_tree_map(ux_report_tree_t *tree, uint8_t kind);
static void ux_report_tree_add(ux_report_tree_t *tree, uint32_t i);
static uint32_t ux_report_find(const ux_report_view_t *view,
    const ux_experiment_t *model);
static void ux_report_add_epoch(ux_report_view_t *view, uint32_t epoch,
    const uint32_t *variants);
static void ux_report_add_arm(ux_report_view_t *view, uint32_t arm,
    ux_report_sum_t *sum);
static void ux_report_add_cart(const ux_report_view_t *view,
    const ux_entry_t *entry, ux_report_cart_t *sum);
static void ux_report_read_ring(const ux_report_view_t *view,
    const ux_entry_t *entry, const uint64_t *totals, uint64_t *unsettled);
static bool ux_report_cells_check(const ux_report_view_t *view,
    uint32_t first, uint32_t n);
static bool ux_report_entry_named(const ux_entry_t *entry, ux_str_t name);


void
ux_report_gather(ux_report_view_t *view, const ux_experiment_t *model)
{
    uint32_t                 child, variants[UX_VARIANTS_MAX];
    unsigned                 i;
    const ux_entry_t        *entry;
    const ux_report_tree_t  *tree;
    ux_report_experiment_t  *experiment;

    tree = &view->tree;
    experiment = &view->experiment;

    memset(experiment, 0, sizeof(ux_report_experiment_t));

    experiment->model = model;
    experiment->entry = ux_report_find(view, model);

    if (experiment->entry == UX_REPORT_END) {
        return;
    }

    /* Variants first: one may be younger than an epoch, not than its arm. */

    for (i = 0; i < UX_VARIANTS_MAX; i++) {
        variants[i] = UX_REPORT_END;
    }

    child = tree->links[experiment->entry].first;

    for ( /* void */ ; child != UX_REPORT_END;
         child = tree->links[child].next)
    {
        entry = &tree->entries[child];

        for (i = 0; entry->kind == UX_ENTRY_VARIANT && i < model->nvariants;
             i++)
        {
            if (ux_report_entry_named(entry, model->variants[i].name)) {
                variants[i] = entry->ordinal;
            }
        }
    }

    child = tree->links[experiment->entry].first;

    for ( /* void */ ; child != UX_REPORT_END;
         child = tree->links[child].next)
    {
        if (tree->entries[child].kind == UX_ENTRY_EPOCH) {
            ux_report_add_epoch(view, child, variants);
        }
    }
}


void
ux_report_tree_init(ux_report_tree_t *tree)
{
    memset(tree, 0, sizeof(ux_report_tree_t));

    tree->first = UX_REPORT_END;
    tree->last = UX_REPORT_END;
}


ux_status_t
ux_report_tree_build(ux_report_tree_t *tree, const ux_registry_t *registry)
{
    size_t    size;
    uint32_t  i, count;

    ux_report_tree_init(tree);

    count = ux_registry_count(registry);

    if (count > registry->capacity) {
        count = registry->capacity;
    }

    size = sizeof(ux_report_link_t) + 3 * sizeof(uint32_t);
    tree->links = ux_json_alloc(size * ((size_t) count + 1));

    if (tree->links == NULL) {
        return UX_ERROR;
    }

    tree->entries = registry->entries;
    tree->count = count;
    tree->experiments = (uint32_t *) (tree->links + count);
    tree->epochs = tree->experiments + count;
    tree->arms = tree->epochs + count;

    for (i = 0; i < count; i++) {
        tree->experiments[i] = UX_REPORT_END;
        tree->epochs[i] = UX_REPORT_END;
        tree->arms[i] = UX_REPORT_END;
    }

    for (i = 0; i < count; i++) {
        ux_report_tree_add(tree, i);
    }

    return UX_OK;
}


void
ux_report_tree_free(ux_report_tree_t *tree)
{
    ux_json_free(tree->links);
    ux_report_tree_init(tree);
}


/* Hangs entry i under its parent. */
static void
ux_report_tree_add(ux_report_tree_t *tree, uint32_t i)
{
    uint32_t          *map, *first, *last, parent;
    ux_report_link_t  *link;
    const ux_entry_t  *entry;

    static const uint8_t  parents[UX_ENTRY_KINDS] = {
        [UX_ENTRY_VARIANT] = UX_ENTRY_EXPERIMENT,
        [UX_ENTRY_EPOCH] = UX_ENTRY_EXPERIMENT,
        [UX_ENTRY_ARM] = UX_ENTRY_EPOCH,
        [UX_ENTRY_ARM_CART] = UX_ENTRY_ARM
    };

    entry = &tree->entries[i];
    link = &tree->links[i];

    link->first = UX_REPORT_END;
    link->last = UX_REPORT_END;
    link->next = UX_REPORT_END;
    link->visitors = 0;

    if (entry->kind >= UX_ENTRY_KINDS) {
        return;
    }

    map = ux_report_tree_map(tree, entry->kind);

    if (map != NULL && entry->ordinal < tree->count) {
        map[entry->ordinal] = i;
    }

    first = &tree->first;
    last = &tree->last;

    if (entry->kind != UX_ENTRY_EXPERIMENT) {
        map = ux_report_tree_map(tree, parents[entry->kind]);

        if (map == NULL || entry->parent >= tree->count
            || map[entry->parent] == UX_REPORT_END)
        {
            return;
        }

        parent = map[entry->parent];
        first = &tree->links[parent].first;
        last = &tree->links[parent].last;
    }

    if (*last == UX_REPORT_END) {
        *first = i;

    } else {
        tree->links[*last].next = i;
    }

    *last = i;
}


/* Entry numbers by ordinal, of the kinds that have children. */
static uint32_t *
ux_report_tree_map(ux_report_tree_t *tree, uint8_t kind)
{
    switch (kind) {

    case UX_ENTRY_EXPERIMENT:
        return tree->experiments;

    case UX_ENTRY_EPOCH:
        return tree->epochs;

    case UX_ENTRY_ARM:
        return tree->arms;

    default:
        return NULL;
    }
}


/* The newest entry of this name and version. */
static uint32_t
ux_report_find(const ux_report_view_t *view, const ux_experiment_t *model)
{
    uint32_t                 i, found;
    const ux_report_tree_t  *tree;

    tree = &view->tree;
    found = UX_REPORT_END;

    for (i = tree->first; i != UX_REPORT_END; i = tree->links[i].next) {

        if (tree->entries[i].value == model->version
            && ux_report_entry_named(&tree->entries[i], model->name))
        {
            found = i;
        }
    }

    return found;
}


static void
ux_report_add_epoch(ux_report_view_t *view, uint32_t epoch,
    const uint32_t *variants)
{
    uint32_t                 arm;
    unsigned                 i;
    ux_report_sum_t         *sum;
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
        sum = NULL;

        for (i = 0; i < experiment->model->nvariants; i++) {

            if (variants[i] == tree->entries[arm].aux) {
                sum = &experiment->variants[i];
            }
        }

        ux_report_add_arm(view, arm, sum);
    }
}


/* A variant no longer configured (sum NULL) counts for its experiment. */
static void
ux_report_add_arm(ux_report_view_t *view, uint32_t arm, ux_report_sum_t *sum)
{
    uint32_t           cart;
    uint64_t           cells[UX_ARM_CELLS];
    unsigned           i;
    const ux_entry_t  *entry;
    ux_report_link_t  *links;

    entry = &view->tree.entries[arm];
    links = view->tree.links;

    if (!ux_report_cells_check(view, entry->base, UX_ARM_CELLS)) {
        return;
    }

    ux_counter_fold(&view->store->counter, entry->base, UX_ARM_CELLS, cells);

    links[arm].visitors = ux_report_count(cells[UX_ARM_VISITORS]);
    view->experiment.crossovers += ux_report_count(cells[UX_ARM_CROSSOVER]);
    view->experiment.moved += ux_report_count(cells[UX_ARM_MOVED]);

    if (sum == NULL) {
        return;
    }

    for (i = 0; i < UX_ARM_CELLS; i++) {
        sum->cells[i] += cells[i];
    }

    for (cart = links[arm].first; cart != UX_REPORT_END;
         cart = links[cart].next)
    {
        entry = &view->tree.entries[cart];

        if (entry->aux < UX_CARTS_MAX) {
            ux_report_add_cart(view, entry, &sum->carts[entry->aux]);
        }
    }
}


/*
 * Totals and ring are no snapshot of one moment.  When the totals are the
 * same before and after the ring was read, no cart began, moved or was bought
 * meanwhile.
 */
static void
ux_report_add_cart(const ux_report_view_t *view, const ux_entry_t *entry,
    ux_report_cart_t *sum)
{
    uint64_t  totals[UX_CART_CELLS], before[UX_CART_CELLS];
    uint64_t  unsettled[UX_RING_CELLS];
    unsigned  i, tries;

    if (!ux_report_cells_check(view, entry->base, UX_CART_CELLS)) {
        return;
    }

    ux_counter_fold(&view->store->counter, entry->base, UX_CART_CELLS,
                    totals);

    for (tries = 0; tries < UX_REPORT_TRIES; tries++) {
        memcpy(before, totals, sizeof(before));

        ux_report_read_ring(view, entry, totals, unsettled);

        ux_counter_fold(&view->store->counter, entry->base, UX_CART_CELLS,
                        totals);

        if (memcmp(before, totals, sizeof(before)) == 0) {
            break;
        }
    }

    sum->purchased += totals[UX_CART_PURCHASED];
    sum->carried_in += totals[UX_CART_CARRIED_IN];
    sum->without_cart += totals[UX_CART_WITHOUT_CART];
    sum->recovered += totals[UX_CART_RECOVERED];
    sum->unsettled_purchased += unsettled[UX_RING_PURCHASED];
    sum->unsettled_recovered += unsettled[UX_RING_RECOVERED];

    for (i = 0; i < UX_REPORT_ALIVE; i++) {
        sum->alive[i] += totals[UX_CART_ALIVE + i];
        sum->unsettled_alive[i] += unsettled[UX_RING_ALIVE + i];
    }
}


/*
 * Sums the rows of the buckets b that are not settled, that is, whose end
 * (b + 1) * width is less than a window ago; one ahead, for a writer whose
 * clock is ahead of ours.  A field whose total is 0 needs no looking up.
 */
static void
ux_report_read_ring(const ux_report_view_t *view, const ux_entry_t *entry,
    const uint64_t *totals, uint64_t *unsettled)
{
    bool      wanted[UX_RING_CELLS];
    int32_t   value;
    uint64_t  width, bucket;
    unsigned  i, rows, row;

    memset(unsettled, 0, UX_RING_CELLS * sizeof(uint64_t));

    if (!ux_report_cells_check(view, entry->ring,
                               UX_BUCKETS * UX_RING_CELLS))
    {
        return;
    }

    wanted[UX_RING_PURCHASED] = totals[UX_CART_PURCHASED] != 0;
    wanted[UX_RING_RECOVERED] = totals[UX_CART_RECOVERED] != 0;

    for (i = 0; i < UX_REPORT_ALIVE; i++) {
        wanted[UX_RING_ALIVE + i] = totals[UX_CART_ALIVE + i] != 0;
    }

    width = ux_bucket_width_ms(entry->value);
    bucket = view->now_ms / width + 1;

    for (rows = 0; rows < UX_BUCKETS; rows++) {

        if ((bucket + 1) * width + entry->value <= view->now_ms) {
            break;
        }

        row = (unsigned) (bucket % UX_BUCKETS);

        for (i = 0; i < UX_RING_CELLS; i++) {

            if (wanted[i]) {
                value = ux_counter_ring_read(&view->store->counter,
                                      entry->ring + row * UX_RING_CELLS + i,
                                      (uint32_t) bucket);
                unsettled[i] += (uint64_t) (int64_t) value;
            }
        }

        if (bucket == 0) {
            break;
        }

        bucket--;
    }
}


/* Cell 0 is the zone's: an entry without a block has base 0. */
static bool
ux_report_cells_check(const ux_report_view_t *view, uint32_t first,
    uint32_t n)
{
    uint32_t  all;

    all = view->store->counter.all_cells;

    return first != 0 && n <= all && first <= all - n;
}


static bool
ux_report_entry_named(const ux_entry_t *entry, ux_str_t name)
{
    return entry->name_len == name.len
           && name.len <= UX_NAME_MAX
           && memcmp(entry->name, name.data, name.len) == 0;
}
