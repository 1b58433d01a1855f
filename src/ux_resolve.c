
/*
 * Copyright (C) the nginx-ux authors
 *
 * What the arms of the registry mean to this process: the plan that the event
 * path works with.  The registry grows while the process lives (another one
 * opens an epoch), so arms are resolved entry by entry, each once; parents
 * come before children.
 */

#include "ux_funnel.h"
#include "ux_journey.h"
#include "ux_store.h"
#include "ux_registry_private.h"
#include "ux_timing.h"

#include <string.h>


static void ux_resolve_arm(ux_store_t *store, const ux_entry_t *entry);
static void ux_resolve_segment(ux_store_t *store, const ux_entry_t *entry);
static uint16_t ux_resolve_segments(const ux_store_t *store,
    uint16_t variant);
static void ux_resolve_cart(ux_store_t *store, const ux_entry_t *entry);
static ux_arm_t *ux_resolve_owner(ux_store_t *store,
    const ux_entry_t *entry);
static bool ux_resolve_wanted(const ux_model_t *model,
    const ux_entry_t *entry);
static void ux_resolve_timings(ux_store_t *store, const ux_entry_t *entry);
static void ux_resolve_earlier(ux_store_t *store, ux_arm_t *arm);
static uint32_t *ux_resolve_place(const ux_model_t *model, ux_arm_t *arm,
    const ux_entry_t *entry);
static int ux_resolve_experiment(const ux_model_t *model,
    const ux_entry_t *entry);
static int ux_resolve_variant(const ux_experiment_t *experiment,
    const ux_entry_t *entry);
static bool ux_entry_named(const ux_entry_t *entry, ux_str_t name);


void
ux_store_refresh(ux_store_t *store)
{
    uint32_t           count;
    const ux_entry_t  *entry;

    if (store->arms == NULL) {
        return;
    }

    count = ux_registry_count(store->registry);

    while (store->seen < count) {
        entry = &store->registry->entries[store->seen++];

        if (entry->kind == UX_ENTRY_ARM) {
            ux_resolve_arm(store, entry);

        } else if (entry->kind == UX_ENTRY_ARM_CART
                   || entry->kind == UX_ENTRY_SEGMENT_CART)
        {
            ux_resolve_cart(store, entry);

        } else if (entry->kind == UX_ENTRY_SEGMENT_ARM) {
            ux_resolve_segment(store, entry);

        } else if (entry->kind == UX_ENTRY_TIMINGS) {
            ux_resolve_timings(store, entry);
        }
    }
}


/*
 * First sight counts, so that a reload for another reason starts no new time;
 * the compare-and-swap keeps the earliest of several processes'.
 */
void
ux_registry_removed(ux_registry_t *registry, const ux_model_t *model,
    uint64_t now_ms)
{
    uint32_t     i;
    uint64_t     configured;
    ux_entry_t  *entry;

    for (i = 0; i < ux_registry_count(registry); i++) {
        entry = &registry->entries[i];

        if (entry->kind != UX_ENTRY_EXPERIMENT) {
            continue;
        }

        if (ux_resolve_experiment(model, entry) >= 0) {
            __atomic_store_n(&entry->removed_ms, 0, __ATOMIC_RELEASE);
            continue;
        }

        configured = 0;
        (void) __atomic_compare_exchange_n(&entry->removed_ms, &configured,
                                           now_ms, false, __ATOMIC_RELEASE,
                                           __ATOMIC_RELAXED);
    }
}


static void
ux_resolve_arm(ux_store_t *store, const ux_entry_t *entry)
{
    int                n;
    ux_arm_t          *arm;
    const ux_entry_t  *epoch, *experiment, *variant;

    if (entry->ordinal >= store->arms_max - store->plan.nsegments) {
        return;
    }

    arm = &store->arms[entry->ordinal];
    memset(arm, 0, sizeof(ux_arm_t));

    arm->experiment = -1;
    arm->variant = -1;
    arm->variant_slot = entry->aux;
    arm->base = entry->base;
    arm->segments = ux_resolve_segments(store, entry->aux);
    ux_resolve_earlier(store, arm);

    store->plan.narms = entry->ordinal + 1u;

    epoch = ux_registry_get(store->registry, UX_ENTRY_EPOCH, entry->parent);
    variant = ux_registry_get(store->registry, UX_ENTRY_VARIANT, entry->aux);

    if (epoch == NULL || variant == NULL) {
        return;
    }

    experiment = ux_registry_get(store->registry, UX_ENTRY_EXPERIMENT,
                                 epoch->parent);
    if (experiment == NULL) {
        return;
    }

    n = ux_resolve_experiment(store->model, experiment);

    if (n >= 0) {
        arm->experiment = (int16_t) n;
        arm->variant = (int16_t) ux_resolve_variant(
                           &store->model->experiments[n], variant);
    }
}


/*
 * An arm that counts a value of its variant's visitors, of whatever epoch, and
 * whether or not the segment is configured: who has the value is counted by
 * it.  As the registry has no more entries than the array has places, arms and
 * these never meet.
 */
static void
ux_resolve_segment(ux_store_t *store, const ux_entry_t *entry)
{
    uint16_t   at;
    unsigned   i;
    ux_arm_t  *arm;

    if (entry->ordinal >= store->arms_max - store->plan.narms) {
        return;
    }

    at = (uint16_t) (store->arms_max - 1 - entry->ordinal);
    arm = &store->arms[at];
    memset(arm, 0, sizeof(ux_arm_t));

    arm->experiment = -1;
    arm->variant = -1;
    arm->variant_slot = entry->parent;
    arm->base = entry->ring;
    arm->value = entry->aux;
    arm->segments = ux_resolve_segments(store, entry->parent);

    store->plan.nsegments = entry->ordinal + 1u;

    for (i = 0; i < store->plan.narms; i++) {
        if (store->arms[i].variant_slot == entry->parent) {
            store->arms[i].segments = at;
        }
    }
}


/* The newest of the variant. */
static uint16_t
ux_resolve_segments(const ux_store_t *store, uint16_t variant)
{
    uint32_t  i;

    for (i = store->arms_max - store->plan.nsegments; i < store->arms_max; i++)
    {
        if (store->arms[i].variant_slot == variant) {
            return (uint16_t) i;
        }
    }

    return UX_ARM_NONE;
}


/*
 * Of several with other windows the one of the configured window counts, the
 * newest one with room for the funnel's steps; when the funnel is not
 * configured, the newest.
 */
static void
ux_resolve_cart(ux_store_t *store, const ux_entry_t *entry)
{
    ux_arm_t  *arm;

    arm = ux_resolve_owner(store, entry);

    if (arm == NULL || entry->aux >= UX_CARTS_MAX
        || entry->width > UX_RING_CELLS
        || !ux_resolve_wanted(store->model, entry))
    {
        return;
    }

    arm->carts[entry->aux] = entry->base;
    arm->rings[entry->aux] = entry->ring;
    arm->widths[entry->aux] = (uint8_t) entry->width;
}


static ux_arm_t *
ux_resolve_owner(ux_store_t *store, const ux_entry_t *entry)
{
    if (entry->kind == UX_ENTRY_SEGMENT_CART) {
        return entry->parent < store->plan.nsegments
               ? &store->arms[store->arms_max - 1 - entry->parent] : NULL;
    }

    return entry->parent < store->plan.narms ? &store->arms[entry->parent]
                                             : NULL;
}


static bool
ux_resolve_wanted(const ux_model_t *model, const ux_entry_t *entry)
{
    unsigned            i;
    const ux_funnel_t  *funnel;

    for (i = 0; i < model->nfunnels; i++) {
        funnel = &model->funnels[i];

        if (funnel->cart == entry->aux
            && (funnel->within_ms != entry->value
                || entry->width < UX_RING_WIDTH(funnel->nsteps)))
        {
            return false;
        }
    }

    return true;
}


/*
 * Of the arms there are, and of later ones.  Times of a funnel that has other
 * steps now are nobody's.
 */
static void
ux_resolve_timings(ux_store_t *store, const ux_entry_t *entry)
{
    uint32_t  *place;
    unsigned   i;

    if (entry->parent == UX_PARENT_NONE) {
        if (entry->aux == UX_TIMINGS_REQUESTS && entry->value == 0) {
            store->plan.requests = entry->base;

        } else if (entry->aux == UX_TIMINGS_VITALS) {
            store->plan.vitals = entry->ring;
        }

        return;
    }

    for (i = 0; i < store->plan.narms; i++) {

        if (store->arms[i].variant_slot != entry->parent) {
            continue;
        }

        place = ux_resolve_place(store->model, &store->arms[i], entry);

        if (place != NULL) {
            *place = entry->base != 0 ? entry->base : entry->ring;
        }
    }
}


/* The variant's timings that were registered before this arm. */
static void
ux_resolve_earlier(ux_store_t *store, ux_arm_t *arm)
{
    uint32_t           i, *place;
    const ux_entry_t  *entry;

    for (i = 0; i < store->seen; i++) {
        entry = &store->registry->entries[i];

        if (entry->kind != UX_ENTRY_TIMINGS
            || entry->parent != arm->variant_slot)
        {
            continue;
        }

        place = ux_resolve_place(store->model, arm, entry);

        if (place != NULL) {
            *place = entry->base != 0 ? entry->base : entry->ring;
        }
    }
}


/* Where the arm keeps the first cell of this block, NULL: nowhere. */
static uint32_t *
ux_resolve_place(const ux_model_t *model, ux_arm_t *arm,
    const ux_entry_t *entry)
{
    unsigned            i;
    const ux_funnel_t  *funnel;

    if (entry->aux == UX_TIMINGS_REQUESTS) {
        return entry->value == 0 ? &arm->requests : NULL;
    }

    if (entry->aux == UX_TIMINGS_VITALS) {
        return &arm->vitals;
    }

    if (entry->aux == UX_TIMINGS_SURVEYS) {
        return &arm->surveys;
    }

    if (entry->aux == UX_TIMINGS_JOURNEY) {
        return entry->control == model->nstages
               && entry->value == ux_journey_hash(model) ? &arm->journey
                                                         : NULL;
    }

    for (i = 0; i < model->nfunnels; i++) {
        funnel = &model->funnels[i];

        if (funnel->slot < UX_FUNNELS_MAX
            && entry->aux == UX_TIMINGS_FUNNEL + funnel->slot
            && entry->control == funnel->nsteps
            && entry->value == ux_funnel_hash(model, funnel))
        {
            return &arm->paces[funnel->slot];
        }
    }

    return NULL;
}


static int
ux_resolve_experiment(const ux_model_t *model, const ux_entry_t *entry)
{
    unsigned  i;

    for (i = 0; i < model->nexperiments; i++) {
        if (model->experiments[i].version == entry->value
            && ux_entry_named(entry, model->experiments[i].name))
        {
            return (int) i;
        }
    }

    return -1;
}


static int
ux_resolve_variant(const ux_experiment_t *experiment, const ux_entry_t *entry)
{
    unsigned  i;

    for (i = 0; i < experiment->nvariants; i++) {
        if (ux_entry_named(entry, experiment->variants[i].name)) {
            return (int) i;
        }
    }

    return -1;
}


static bool
ux_entry_named(const ux_entry_t *entry, ux_str_t name)
{
    return entry->name_len == name.len
           && memcmp(entry->name, name.data, name.len) == 0;
}
