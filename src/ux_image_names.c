
/*
 * Copyright (C) the nginx-ux authors
 *
 * Names of an image to entries of a zone, by what they are, never by where
 * they stand.  An entry that the registry lacks is made as binding a
 * configuration would make it (ux_bind.c); its children follow it, and where
 * it finds no room they are left out with it.
 *
 * Epochs are a sequence: the last one is where newcomers are counted, and the
 * primary result starts with the last that changed the analysis.  So those of
 * the image are looked for one behind the other.  One that is not there comes
 * last, which is its place when a zone is restored.  In a zone that others
 * count in it is not: there it is taken only if it does not move the start of
 * the primary result.
 */

#include "ux_image_private.h"

#include <string.h>


#define UX_NAMES_TRIES  80           /* as in ux_bind.c */
#define UX_NAMES_NONE   0xffffu


static ux_status_t ux_names_entry(ux_image_merging_t *m,
    const ux_registrar_t *registrar, uint32_t i);
static bool ux_names_claim(const ux_image_merging_t *m,
    const ux_image_name_t *name, ux_claim_t *claim);
static bool ux_names_relatives(const ux_image_merging_t *m,
    const ux_image_name_t *name, ux_claim_t *claim);
static bool ux_names_ordinal(const ux_image_merging_t *m, unsigned kind,
    uint64_t ordinal, uint16_t *mapped);
static uint16_t ux_names_parent(unsigned kind);
static void ux_names_size(ux_image_merging_t *m, ux_claim_t *claim);
static const ux_entry_t *ux_names_epoch(ux_image_merging_t *m, uint32_t i,
    const ux_claim_t *claim, bool *append);
static uint32_t ux_names_behind(const ux_image_merging_t *m, uint32_t i);
static const ux_entry_t *ux_names_match(const ux_registry_t *registry,
    uint32_t from, const ux_claim_t *claim);
static void ux_names_removed(ux_image_merging_t *m, const ux_entry_t *entry,
    uint64_t removed_ms);
static void ux_names_maps(ux_image_merging_t *m);
static void ux_names_map(ux_image_merging_t *m, unsigned kind, uint8_t *map,
    unsigned from, unsigned n);


ux_status_t
ux_image_merge_names(ux_image_merging_t *m)
{
    uint32_t        i, n;
    ux_status_t     rc;
    ux_registrar_t  registrar;

    registrar.registry = m->store->registry;
    registrar.processes = m->store->processes;
    registrar.me = m->store->me;
    registrar.tries = UX_NAMES_TRIES;

    n = m->names->sections[UX_IMAGE_NAMES].n;

    for (i = 0; i < n; i++) {
        m->work->to[i] = UX_NAMES_NONE;
    }

    for (i = 0; i < n; i++) {
        rc = ux_names_entry(m, &registrar, i);

        if (rc == UX_BUSY) {
            return rc;
        }

        m->result->names += rc != UX_OK;
    }

    m->work->zone_names = 0;
    ux_image_entries_index(m);
    ux_names_maps(m);

    return UX_OK;
}


static ux_status_t
ux_names_entry(ux_image_merging_t *m, const ux_registrar_t *registrar,
    uint32_t i)
{
    bool               append;
    uint64_t           made_ms;
    ux_claim_t         claim;
    ux_status_t        rc;
    ux_image_name_t    name;
    const ux_entry_t  *entry, *known;

    name = ux_image_name(m->names, i);

    if (!ux_names_claim(m, &name, &claim)) {
        return UX_DECLINED;
    }

    ux_names_size(m, &claim);

    append = true;
    known = name.kind == UX_ENTRY_EPOCH
            ? ux_names_epoch(m, i, &claim, &append)
            : ux_registry_find(registrar->registry, &claim);

    if (known != NULL) {
        m->work->to[i] = (uint16_t) (known - registrar->registry->entries);
        return UX_OK;
    }

    if (!append) {
        return UX_DECLINED;
    }

    made_ms = name.created_ms < m->now_ms ? name.created_ms : m->now_ms;

    rc = ux_registry_claim(registrar, &claim, made_ms, &entry);
    if (rc != UX_OK) {
        return rc;
    }

    m->work->to[i] = (uint16_t) (entry - registrar->registry->entries);

    if (name.kind == UX_ENTRY_EXPERIMENT) {
        ux_names_removed(m, entry, name.control);
    }

    return UX_OK;
}


/* In the zone's numbers.  False: something that it refers to is not there. */
static bool
ux_names_claim(const ux_image_merging_t *m, const ux_image_name_t *name,
    ux_claim_t *claim)
{
    memset(claim, 0, sizeof(ux_claim_t));

    claim->kind = (ux_entry_e) name->kind;
    claim->name = name->text;
    claim->parent = UX_PARENT_NONE;
    claim->aux = name->aux;
    claim->value = name->value;
    claim->analysis = name->analysis;
    claim->control = name->control;
    claim->number = name->number;
    claim->width = name->width;

    if (name->parent != UX_PARENT_NONE
        && !ux_names_ordinal(m, ux_names_parent(name->kind), name->parent,
                             &claim->parent))
    {
        return false;
    }

    return ux_names_relatives(m, name, claim);
}


/* What the entry refers to beside its parent. */
static bool
ux_names_relatives(const ux_image_merging_t *m, const ux_image_name_t *name,
    ux_claim_t *claim)
{
    uint16_t  ordinal;

    switch (name->kind) {

    case UX_ENTRY_EPOCH:
        claim->aux = 0;              /* is given */

        /* UX_PARENT_NONE where it is not there */

        (void) ux_names_ordinal(m, UX_ENTRY_VARIANT, name->control, &ordinal);
        claim->control = ordinal;

        return true;

    case UX_ENTRY_ARM:
        return ux_names_ordinal(m, UX_ENTRY_VARIANT, name->aux, &claim->aux);

    case UX_ENTRY_ARM_CART:
        return ux_names_ordinal(m, UX_ENTRY_CART, name->aux, &claim->aux)
               && ux_names_ordinal(m, UX_ENTRY_VARIANT, name->variant,
                                   &claim->variant);

    case UX_ENTRY_SEGMENT_ARM:
        return ux_names_ordinal(m, UX_ENTRY_SEGMENT_VALUE, name->aux,
                                &claim->aux);

    case UX_ENTRY_SEGMENT_CART:
        claim->variant = claim->parent;

        return ux_names_ordinal(m, UX_ENTRY_CART, name->aux, &claim->aux);

    case UX_ENTRY_TIMINGS:
        if (name->aux < UX_TIMINGS_FUNNEL || name->aux >= UX_TIMINGS_VITALS) {
            return true;
        }

        if (!ux_names_ordinal(m, UX_ENTRY_FUNNEL,
                              name->aux - UX_TIMINGS_FUNNEL, &ordinal))
        {
            return false;
        }

        claim->aux = (uint16_t) (UX_TIMINGS_FUNNEL + ordinal);

        return ordinal < UX_FUNNELS_MAX;

    case UX_ENTRY_EVIDENCE:
    case UX_ENTRY_BALANCE:
        if (!ux_names_ordinal(m, UX_ENTRY_EPOCH, name->value, &ordinal)) {
            return false;
        }

        claim->value = ordinal;

        return true;

    default:
        return true;
    }
}


static uint16_t
ux_names_parent(unsigned kind)
{
    switch (kind) {

    case UX_ENTRY_STEP:
    case UX_ENTRY_CART:
        return UX_ENTRY_FUNNEL;

    case UX_ENTRY_ARM:
        return UX_ENTRY_EPOCH;

    case UX_ENTRY_ARM_CART:
        return UX_ENTRY_ARM;

    case UX_ENTRY_EVIDENCE:
    case UX_ENTRY_TIMINGS:
    case UX_ENTRY_SEGMENT_ARM:
        return UX_ENTRY_VARIANT;

    case UX_ENTRY_SEGMENT_VALUE:
        return UX_ENTRY_SEGMENT;

    case UX_ENTRY_SEGMENT_CART:
        return UX_ENTRY_SEGMENT_ARM;

    default:
        return UX_ENTRY_EXPERIMENT;
    }
}


/* False and UX_PARENT_NONE: not there. */
static bool
ux_names_ordinal(const ux_image_merging_t *m, unsigned kind, uint64_t ordinal,
    uint16_t *mapped)
{
    const ux_entry_t  *entry;

    *mapped = UX_PARENT_NONE;

    if (ordinal >= UX_PARENT_NONE) {
        return false;
    }

    entry = ux_image_target(m, kind, (uint32_t) ordinal);

    if (entry != NULL) {
        *mapped = entry->ordinal;
    }

    return entry != NULL;
}


/* What binding gives to an entry of the kind. */
static void
ux_names_size(ux_image_merging_t *m, ux_claim_t *claim)
{
    switch (claim->kind) {

    case UX_ENTRY_EVENT:
        claim->limit = UX_EVENTS_MAX;
        break;

    case UX_ENTRY_STEP:
        claim->limit = UX_STEPS_MAX;
        break;

    case UX_ENTRY_CART:
        claim->limit = UX_CARTS_MAX;
        break;

    case UX_ENTRY_STAGE:
        claim->limit = UX_STAGES_MAX;
        break;

    case UX_ENTRY_TOTAL:
        claim->limit = m->store->head->params.totals;
        break;

    case UX_ENTRY_ARM:
        claim->cells = UX_ARM_CELLS;
        break;

    case UX_ENTRY_SEGMENT:
        claim->limit = UX_SEGMENTS_MAX;
        break;

    case UX_ENTRY_SEGMENT_VALUE:
        claim->limit = UX_SEGMENT_VALUES;
        break;

    case UX_ENTRY_SEGMENT_ARM:
        claim->ring_cells = UX_ARM_COUNTS;
        break;

    case UX_ENTRY_ARM_CART:
    case UX_ENTRY_SEGMENT_CART:
        claim->cells = UX_CART_CELLS;
        claim->ring_cells = (uint32_t) UX_BUCKETS * claim->width;
        break;

    case UX_ENTRY_EVIDENCE:
        claim->ring_cells = UX_EVIDENCE_CELLS;
        break;

    case UX_ENTRY_BALANCE:
        claim->ring_cells = UX_BALANCE_CELLS;
        break;

    case UX_ENTRY_TIMINGS:
        ux_block_reserve(claim);
        break;

    default:
        break;
    }
}


/* NULL: there is none, and *append says whether it may be made. */
static const ux_entry_t *
ux_names_epoch(ux_image_merging_t *m, uint32_t i, const ux_claim_t *claim,
    bool *append)
{
    const ux_entry_t     *entry, *last;
    const ux_registry_t  *registry;

    registry = m->store->registry;
    entry = ux_names_match(registry, ux_names_behind(m, i), claim);

    if (entry != NULL || m->mode != UX_IMAGE_ADOPT) {
        return entry;
    }

    entry = ux_names_match(registry, 0, claim);

    if (entry == NULL) {
        last = ux_registry_epoch(registry, claim->parent);
        *append = last == NULL || last->analysis == claim->analysis;
    }

    return entry;
}


/* Where to look: behind the image's epoch before this one. */
static uint32_t
ux_names_behind(const ux_image_merging_t *m, uint32_t i)
{
    uint16_t         parent;
    ux_image_name_t  name;

    parent = ux_image_name(m->names, i).parent;

    while (i > 0) {
        name = ux_image_name(m->names, --i);

        if (name.kind == UX_ENTRY_EPOCH && name.parent == parent
            && m->work->to[i] != UX_NAMES_NONE)
        {
            return m->work->to[i] + 1u;
        }
    }

    return 0;
}


static const ux_entry_t *
ux_names_match(const ux_registry_t *registry, uint32_t from,
    const ux_claim_t *claim)
{
    uint32_t           i;
    const ux_entry_t  *entry;

    for (i = from; i < ux_registry_count(registry); i++) {
        entry = &registry->entries[i];

        if (entry->kind == UX_ENTRY_EPOCH && entry->parent == claim->parent
            && entry->value == claim->value
            && entry->analysis == claim->analysis)
        {
            return entry;
        }
    }

    return NULL;
}


/* Of one that was just made; who is bound to it resets that. */
static void
ux_names_removed(ux_image_merging_t *m, const ux_entry_t *entry,
    uint64_t removed_ms)
{
    ux_registry_t  *registry;

    registry = m->store->registry;

    if (removed_ms > m->now_ms) {
        removed_ms = m->now_ms;
    }

    __atomic_store_n(&registry->entries[entry - registry->entries].removed_ms,
                     removed_ms, __ATOMIC_RELEASE);
}


const ux_entry_t *
ux_image_target(const ux_image_merging_t *m, unsigned kind, uint32_t ordinal)
{
    uint32_t  i;

    i = ux_image_index_find(&m->work->names, kind, ordinal);

    if (i == UX_IMAGE_NAMES_MAX || m->work->to[i] == UX_NAMES_NONE) {
        return NULL;
    }

    return &m->store->registry->entries[m->work->to[i]];
}


const ux_entry_t *
ux_image_owner(const ux_image_merging_t *m, uint32_t owner)
{
    uint16_t  to;

    to = m->work->to[owner - 1];

    return to == UX_NAMES_NONE ? NULL : &m->store->registry->entries[to];
}


/* Slots of a record. */
static void
ux_names_maps(ux_image_merging_t *m)
{
    ux_image_work_t  *work;

    work = m->work;
    work->same_slots = true;
    work->totals[0] = 0;

    ux_names_map(m, UX_ENTRY_EVENT, work->events, 0, UX_EVENTS_MAX);
    ux_names_map(m, UX_ENTRY_STEP, work->steps, 0, UX_STEPS_MAX);
    ux_names_map(m, UX_ENTRY_CART, work->cart_slots, 0, UX_CARTS_MAX);
    ux_names_map(m, UX_ENTRY_FUNNEL, work->funnels, 0, UX_FUNNELS_MAX);
    ux_names_map(m, UX_ENTRY_STAGE, work->stages, 0, UX_STAGES_MAX);
    ux_names_map(m, UX_ENTRY_TOTAL, work->totals, 1, UX_TOTALS_MAX);
    ux_names_map(m, UX_ENTRY_SEGMENT, work->segments, 0, UX_SEGMENTS_MAX);
    ux_names_map(m, UX_ENTRY_SEGMENT_VALUE, work->values, 0,
                 UX_SEGMENT_VALUES);
}


static void
ux_names_map(ux_image_merging_t *m, unsigned kind, uint8_t *map,
    unsigned from, unsigned n)
{
    unsigned           i;
    const ux_entry_t  *entry;

    for (i = from; i < n; i++) {
        entry = ux_image_target(m, kind, i);
        map[i] = UX_SLOT_NONE;

        if (entry != NULL && entry->ordinal < n) {
            map[i] = (uint8_t) entry->ordinal;
        }

        if (i - from < m->names->kinds[kind] && map[i] != i) {
            m->work->same_slots = false;
        }
    }
}
