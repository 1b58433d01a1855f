
/*
 * Copyright (C) the nginx-ux authors
 *
 * Does a configuration fit into a zone?  A dry run of binding says what it
 * needs; when that is too much, the sentence says what there is, and how much
 * of it nobody counts in any more: the zone's memory only ever fills up.
 */

#include "ux_bind_private.h"

#include <stdio.h>
#include <string.h>


/* What the configuration to come has no newcomers for. */
typedef struct {
    uint64_t  cells;
    uint32_t  epochs;              /* earlier ones of its experiments */
    uint32_t  experiments;         /* that it has no more */
} ux_fits_held_t;


static ux_status_t ux_fits_slots(const ux_binder_t *binder,
    ux_error_t *error);
static uint32_t ux_fits_used(const ux_registry_t *registry, ux_entry_e kind);
static ux_status_t ux_fits_entries(const ux_binder_t *binder,
    ux_error_t *error);
static ux_status_t ux_fits_cells(const ux_binder_t *binder,
    ux_error_t *error);
static void ux_fits_hold(const ux_binder_t *binder, ux_fits_held_t *held);
static void ux_fits_holders(const ux_fits_held_t *held, char *text,
    size_t size);
static void ux_fits_hold_entry(const ux_binder_t *binder,
    const ux_entry_t *entry, ux_fits_held_t *held);
static void ux_fits_hold_timings(const ux_binder_t *binder,
    const ux_entry_t *entry, ux_fits_held_t *held);
static uint32_t ux_fits_took(const ux_registry_t *registry,
    const ux_entry_t *entry, bool with_ring);
static const ux_entry_t *ux_fits_epoch(const ux_registry_t *registry,
    const ux_entry_t *entry);
static bool ux_fits_one_of(const uint16_t *ordinals, unsigned n,
    uint16_t ordinal);


ux_status_t
ux_store_fits(const ux_store_t *store, const ux_model_t *model,
    ux_error_t *error)
{
    ux_binder_t  binder;

    memset(&binder, 0, sizeof(binder));

    binder.registrar.registry = store->registry;
    binder.registrar.me = UX_PROCESS_NONE;
    binder.model = model;
    binder.totals = store->head->params.totals;
    binder.size = store->head->size;

    ux_bind_walk(&binder);

    if (ux_fits_slots(&binder, error) != UX_OK
        || ux_fits_entries(&binder, error) != UX_OK
        || ux_fits_cells(&binder, error) != UX_OK)
    {
        return UX_FULL;
    }

    return UX_OK;
}


/* Numbers that are bits or places in a visitor's record. */
static ux_status_t
ux_fits_slots(const ux_binder_t *binder, ux_error_t *error)
{
    uint32_t           need;
    unsigned           i;
    const ux_model_t  *model;

    const struct {
        ux_entry_e     kind;
        uint32_t       max;
        const char    *what;
    } limits[] = {
        { UX_ENTRY_EVENT, UX_EVENTS_MAX, "events" },
        { UX_ENTRY_STEP, UX_STEPS_MAX, "funnel steps" },
        { UX_ENTRY_CART, UX_CARTS_MAX, "funnels with a cart" },
        { UX_ENTRY_STAGE, UX_STAGES_MAX, "stages of the journey" },
        { UX_ENTRY_TOTAL, binder->totals, "totals" },
        { UX_ENTRY_SEGMENT, UX_SEGMENTS_MAX, "segments" },
        { UX_ENTRY_SEGMENT_VALUE, UX_SEGMENT_VALUES, "segment values" }
    };

    model = binder->model;

    for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        need = binder->kinds[limits[i].kind]
               + ux_fits_used(binder->registrar.registry, limits[i].kind);

        if (binder->kinds[limits[i].kind] != 0 && need > limits[i].max) {
            (void) snprintf(error->message, sizeof(error->message),
                            "configuration needs %u %s, zone \"%.*s\" has "
                            "room for %u, those no longer configured "
                            "included", need, limits[i].what,
                            (int) model->zone.len, model->zone.data,
                            limits[i].max);
            return UX_FULL;
        }
    }

    return UX_OK;
}


/* How many numbers of the kind are given; revenue is the total 0. */
static uint32_t
ux_fits_used(const ux_registry_t *registry, ux_entry_e kind)
{
    uint32_t  i;

    for (i = ux_registry_count(registry); i > 0; i--) {
        if (registry->entries[i - 1].kind == kind) {
            return registry->entries[i - 1].ordinal + 1u;
        }
    }

    return kind == UX_ENTRY_TOTAL ? 1 : 0;
}


static ux_status_t
ux_fits_entries(const ux_binder_t *binder, ux_error_t *error)
{
    uint32_t              count;
    ux_str_t              zone;
    const ux_registry_t  *registry;

    zone = binder->model->zone;
    registry = binder->registrar.registry;
    count = ux_registry_count(registry);

    if (binder->entries <= registry->capacity - count) {
        return UX_OK;
    }

    (void) snprintf(error->message, sizeof(error->message),
                    "configuration needs %u registered names, zone \"%.*s\" "
                    "of size %llu has room for %u, those no longer "
                    "configured included: %s",
                    count + binder->entries, (int) zone.len, zone.data,
                    (unsigned long long) binder->size, registry->capacity,
                    registry->capacity < UX_REGISTRY_MAX
                    ? "raise the size" : "restart nginx, or use two zones");

    return UX_FULL;
}


static ux_status_t
ux_fits_cells(const ux_binder_t *binder, ux_error_t *error)
{
    int                   n;
    char                  holders[80];
    uint32_t              left;
    ux_str_t              zone;
    ux_fits_held_t        held;
    const ux_registry_t  *registry;

    zone = binder->model->zone;
    registry = binder->registrar.registry;
    left = ux_registry_cells_left(registry);

    if (binder->cells <= left) {
        return UX_OK;
    }

    n = snprintf(error->message, sizeof(error->message),
                 "configuration needs %llu counters, zone \"%.*s\" of size "
                 "%llu has room for %u", (unsigned long long)
                 (registry->all_cells - left + binder->cells),
                 (int) zone.len, zone.data,
                 (unsigned long long) binder->size, registry->all_cells);

    ux_fits_hold(binder, &held);

    if (held.cells != 0 && n > 0 && (size_t) n < sizeof(error->message)) {
        ux_fits_holders(&held, holders, sizeof(holders));

        n += snprintf(error->message + n, sizeof(error->message) - (size_t) n,
                      ", of which %llu are held by %s until nginx is "
                      "restarted", (unsigned long long) held.cells,
                      holders);
    }

    if (n > 0 && (size_t) n < sizeof(error->message)) {
        (void) snprintf(error->message + n,
                        sizeof(error->message) - (size_t) n,
                        ": raise the size");
    }

    return UX_FULL;
}


/* Every entry carries the running marks: what it took is their difference. */
static void
ux_fits_hold(const ux_binder_t *binder, ux_fits_held_t *held)
{
    uint32_t              i;
    const ux_registry_t  *registry;

    memset(held, 0, sizeof(ux_fits_held_t));

    registry = binder->registrar.registry;

    for (i = 0; i < ux_registry_count(registry); i++) {
        ux_fits_hold_entry(binder, &registry->entries[i], held);
    }
}


/*
 * The block of an arm or its cart is its epoch's; a ring is its variant's,
 * which goes on with it as long as there is the experiment.
 */
static void
ux_fits_hold_entry(const ux_binder_t *binder, const ux_entry_t *entry,
    ux_fits_held_t *held)
{
    bool                  removed;
    const ux_entry_t     *epoch;
    const ux_registry_t  *registry;

    registry = binder->registrar.registry;

    if (entry->kind == UX_ENTRY_EXPERIMENT) {
        held->experiments += !ux_fits_one_of(binder->experiments,
                                             binder->nexperiments,
                                             entry->ordinal);
        return;
    }

    if (entry->kind == UX_ENTRY_TIMINGS || entry->kind == UX_ENTRY_SEGMENT_ARM
        || entry->kind == UX_ENTRY_SEGMENT_CART)
    {
        ux_fits_hold_timings(binder, entry, held);
        return;
    }

    epoch = ux_fits_epoch(registry, entry);

    if (epoch == NULL
        || ux_fits_one_of(binder->epochs, binder->nexperiments,
                          epoch->ordinal))
    {
        return;
    }

    removed = !ux_fits_one_of(binder->experiments, binder->nexperiments,
                              epoch->parent);

    if (entry == epoch) {
        held->epochs += !removed;
        return;
    }

    held->cells += ux_fits_took(registry, entry, removed);
}


/* Those of a variant whose experiment is gone, in all its epochs. */
static void
ux_fits_hold_timings(const ux_binder_t *binder, const ux_entry_t *entry,
    ux_fits_held_t *held)
{
    const ux_entry_t     *variant, *arm;
    const ux_registry_t  *registry;

    registry = binder->registrar.registry;
    arm = entry->kind == UX_ENTRY_SEGMENT_CART
          ? ux_registry_get(registry, UX_ENTRY_SEGMENT_ARM, entry->parent)
          : entry;
    variant = arm == NULL ? NULL : ux_registry_get(registry, UX_ENTRY_VARIANT,
                                                   arm->parent);

    if (variant != NULL
        && !ux_fits_one_of(binder->experiments, binder->nexperiments,
                           variant->parent))
    {
        held->cells += ux_fits_took(registry, entry, true);
    }
}


/* The cells of an entry's block, and of its ring if that is asked for. */
static uint32_t
ux_fits_took(const ux_registry_t *registry, const ux_entry_t *entry,
    bool with_ring)
{
    uint32_t  cell, ring;

    cell = registry->first_cell;
    ring = registry->all_cells;

    if (entry != registry->entries) {
        cell = entry[-1].next_cell;
        ring = entry[-1].next_ring;
    }

    return entry->next_cell - cell + (with_ring ? ring - entry->next_ring : 0);
}


/* Whose cells the entry has: NULL for one that has none. */
static const ux_entry_t *
ux_fits_epoch(const ux_registry_t *registry, const ux_entry_t *entry)
{
    if (entry->kind == UX_ENTRY_ARM_CART) {
        entry = ux_registry_get(registry, UX_ENTRY_ARM, entry->parent);
    }

    if (entry != NULL && entry->kind == UX_ENTRY_ARM) {
        entry = ux_registry_get(registry, UX_ENTRY_EPOCH, entry->parent);
    }

    return entry != NULL && entry->kind == UX_ENTRY_EPOCH ? entry : NULL;
}


/* At least one of the two is not 0. */
static void
ux_fits_holders(const ux_fits_held_t *held, char *text, size_t size)
{
    int  n;

    n = 0;

    if (held->epochs != 0) {
        n = snprintf(text, size, "%u earlier epoch%s", held->epochs,
                     held->epochs == 1 ? "" : "s");
    }

    if (held->experiments != 0 && n >= 0 && (size_t) n < size) {
        (void) snprintf(text + n, size - (size_t) n,
                        "%s%u removed experiment%s", n == 0 ? "" : " and ",
                        held->experiments, held->experiments == 1 ? "" : "s");
    }
}


static bool
ux_fits_one_of(const uint16_t *ordinals, unsigned n, uint16_t ordinal)
{
    unsigned  i;

    for (i = 0; i < n; i++) {
        if (ordinals[i] == ordinal) {
            return true;
        }
    }

    return false;
}
