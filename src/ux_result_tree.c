
/*
 * Copyright (C) the nginx-ux authors
 *
 * The registry as a tree.
 *
 * It is append-only and flat; a parent is always registered before its
 * children:
 *
 *   experiment -> variant -> evidence (of a metric)
 *                         -> segment arm (of a value) -> segment cart
 *              -> epoch -> arm (of a variant) -> arm cart (of a window)
 *              -> balance
 *
 * It is turned into a tree once, so that an experiment costs its own entries
 * and not the registry's.  Entries come out of shared memory: an
 * ordinal out of range is left out, never followed.
 */

#include "ux_result.h"
#include "ux_json.h"

#include <string.h>


static void ux_result_tree_add(ux_result_tree_t *tree, uint32_t i);
static uint32_t *ux_result_tree_map(ux_result_tree_t *tree, uint8_t kind);
static uint32_t ux_result_tree_most(const ux_result_tree_t *tree,
    uint8_t kind);


void
ux_result_tree_init(ux_result_tree_t *tree)
{
    memset(tree, 0, sizeof(ux_result_tree_t));

    tree->first = UX_RESULT_END;
    tree->last = UX_RESULT_END;
}


ux_status_t
ux_result_tree_build(ux_result_tree_t *tree, const ux_registry_t *registry)
{
    size_t    size;
    uint32_t  i, count;

    ux_result_tree_init(tree);

    count = ux_registry_count(registry);

    if (count > registry->capacity) {
        count = registry->capacity;
    }

    size = sizeof(ux_result_link_t) + 5 * sizeof(uint32_t);
    tree->links = ux_json_alloc(size * ((size_t) count + 1));

    if (tree->links == NULL) {
        return UX_ERROR;
    }

    tree->entries = registry->entries;
    tree->count = count;
    tree->experiments = (uint32_t *) (tree->links + count);
    tree->variants = tree->experiments + count;
    tree->epochs = tree->variants + count;
    tree->arms = tree->epochs + count;
    tree->segment_arms = tree->arms + count;

    for (i = 0; i < count; i++) {
        tree->experiments[i] = UX_RESULT_END;
        tree->variants[i] = UX_RESULT_END;
        tree->epochs[i] = UX_RESULT_END;
        tree->arms[i] = UX_RESULT_END;
        tree->segment_arms[i] = UX_RESULT_END;
    }

    for (i = 0; i < count; i++) {
        ux_result_tree_add(tree, i);
    }

    tree->most_variants = UX_VARIANTS_MAX
                          + ux_result_tree_most(tree, UX_ENTRY_VARIANT);
    tree->most_epochs = ux_result_tree_most(tree, UX_ENTRY_EPOCH);

    return UX_OK;
}


void
ux_result_tree_free(ux_result_tree_t *tree)
{
    ux_json_free(tree->links);
    ux_result_tree_init(tree);
}


/* Hangs entry i under its parent. */
static void
ux_result_tree_add(ux_result_tree_t *tree, uint32_t i)
{
    uint32_t          *map, *first, *last, parent;
    ux_result_link_t  *link;
    const ux_entry_t  *entry;

    static const uint8_t  parents[UX_ENTRY_KINDS] = {
        [UX_ENTRY_VARIANT] = UX_ENTRY_EXPERIMENT,
        [UX_ENTRY_EPOCH] = UX_ENTRY_EXPERIMENT,
        [UX_ENTRY_ARM] = UX_ENTRY_EPOCH,
        [UX_ENTRY_ARM_CART] = UX_ENTRY_ARM,
        [UX_ENTRY_EVIDENCE] = UX_ENTRY_VARIANT,
        [UX_ENTRY_BALANCE] = UX_ENTRY_EXPERIMENT,
        [UX_ENTRY_TIMINGS] = UX_ENTRY_VARIANT,
        [UX_ENTRY_SEGMENT_ARM] = UX_ENTRY_VARIANT,
        [UX_ENTRY_SEGMENT_CART] = UX_ENTRY_SEGMENT_ARM
    };

    entry = &tree->entries[i];
    link = &tree->links[i];

    link->first = UX_RESULT_END;
    link->last = UX_RESULT_END;
    link->next = UX_RESULT_END;
    link->peer = UX_RESULT_END;
    link->visitors = 0;
    link->used = false;

    if (entry->kind >= UX_ENTRY_KINDS) {
        return;
    }

    map = ux_result_tree_map(tree, entry->kind);

    if (map != NULL && entry->ordinal < tree->count) {
        map[entry->ordinal] = i;
    }

    first = &tree->first;
    last = &tree->last;

    if (entry->kind != UX_ENTRY_EXPERIMENT) {
        map = ux_result_tree_map(tree, parents[entry->kind]);

        if (map == NULL || entry->parent >= tree->count
            || map[entry->parent] == UX_RESULT_END)
        {
            return;
        }

        parent = map[entry->parent];
        first = &tree->links[parent].first;
        last = &tree->links[parent].last;
    }

    if (*last == UX_RESULT_END) {
        *first = i;

    } else {
        tree->links[*last].next = i;
    }

    *last = i;
}


/* Entry numbers by ordinal, of the kinds that have children. */
static uint32_t *
ux_result_tree_map(ux_result_tree_t *tree, uint8_t kind)
{
    switch (kind) {

    case UX_ENTRY_EXPERIMENT:
        return tree->experiments;

    case UX_ENTRY_VARIANT:
        return tree->variants;

    case UX_ENTRY_EPOCH:
        return tree->epochs;

    case UX_ENTRY_ARM:
        return tree->arms;

    case UX_ENTRY_SEGMENT_ARM:
        return tree->segment_arms;

    default:
        return NULL;
    }
}


/* Children of the kind, of the experiment that has most. */
static uint32_t
ux_result_tree_most(const ux_result_tree_t *tree, uint8_t kind)
{
    uint32_t  i, child, n, most;

    most = 0;

    for (i = tree->first; i != UX_RESULT_END; i = tree->links[i].next) {
        n = 0;

        for (child = tree->links[i].first; child != UX_RESULT_END;
             child = tree->links[child].next)
        {
            n += tree->entries[child].kind == kind;
        }

        most = n > most ? n : most;
    }

    return most;
}


uint32_t
ux_result_tree_find(const ux_result_tree_t *tree, ux_str_t name,
    uint64_t version)
{
    uint32_t  i, found;

    found = UX_RESULT_END;

    for (i = tree->first; i != UX_RESULT_END; i = tree->links[i].next) {

        if (tree->entries[i].value == version
            && ux_str_equal(ux_result_entry_name(&tree->entries[i]), name))
        {
            found = i;
        }
    }

    return found;
}


ux_str_t
ux_result_entry_name(const ux_entry_t *entry)
{
    ux_str_t  name = { NULL, 0 };

    if (entry->name_len <= UX_NAME_MAX) {
        name.data = entry->name;
        name.len = entry->name_len;
    }

    return name;
}
