
/*
 * Copyright (C) the nginx-ux authors
 *
 * The registry: an array of names that only grows.
 *
 *   [ lock | capacity | count | cells ][ entry 0 ] ... [ entry count - 1 ]
 *
 * A writer fills the entry behind the last one and then publishes it by
 * storing count.  A writer killed before that store has changed nothing: its
 * entry is overwritten by the next one, and its lock is simply taken over.
 * Readers take no lock; what is below count never changes, but for the word
 * that says since when an experiment is not configured any more.
 *
 * Counter cells are handed out with the entries: blocks from the bottom up,
 * rings from the top down.  Every entry carries both running marks, so that
 * handing out and publishing are one store.
 *
 * A ring tells open carts from abandoned ones, a report shows a variant's over
 * all its epochs: so all arms of the variant share one, and a new epoch takes
 * no more than its arms' blocks.  A funnel with more steps than before needs a
 * wider one; with fewer it keeps what it has, since carts may still be at the
 * steps that went.
 *
 * Cost: finding is a walk, newest first, of 128 bytes an entry; it happens
 * when a process binds its configuration, never in a request.
 */

#include "ux_registry_private.h"

#include <string.h>


static bool ux_entry_matches(const ux_entry_t *entry,
    const ux_claim_t *claim);
static ux_status_t ux_registry_append_locked(ux_registry_t *registry,
    const ux_claim_t *claim, uint64_t now_ms, const ux_entry_t **entry);
static ux_status_t ux_registry_number(const ux_registry_t *registry,
    const ux_claim_t *claim, ux_entry_t *entry);
static ux_status_t ux_registry_reserve(const ux_registry_t *registry,
    const ux_claim_t *claim, ux_entry_t *entry);
static const ux_entry_t *ux_registry_sibling(const ux_registry_t *registry,
    const ux_claim_t *claim);
static const ux_entry_t *ux_registry_ring(const ux_registry_t *registry,
    const ux_claim_t *claim);
static bool ux_registry_is_cart(const ux_claim_t *claim);
static void ux_registry_marks(const ux_registry_t *registry, uint32_t *cell,
    uint32_t *ring);


size_t
ux_registry_size(uint32_t capacity)
{
    return sizeof(ux_registry_t) + (size_t) capacity * sizeof(ux_entry_t);
}


void
ux_registry_init(ux_registry_t *registry, uint32_t capacity,
    uint32_t first_cell, uint32_t all_cells)
{
    registry->capacity = capacity;
    registry->first_cell = first_cell;
    registry->all_cells = all_cells;
}


uint32_t
ux_registry_count(const ux_registry_t *registry)
{
    return __atomic_load_n(&registry->count, __ATOMIC_ACQUIRE);
}


const ux_entry_t *
ux_registry_find(const ux_registry_t *registry, const ux_claim_t *claim)
{
    uint32_t  i;

    for (i = ux_registry_count(registry); i > 0; i--) {
        if (ux_entry_matches(&registry->entries[i - 1], claim)) {
            return &registry->entries[i - 1];
        }
    }

    return NULL;
}


static bool
ux_entry_matches(const ux_entry_t *entry, const ux_claim_t *claim)
{
    if (entry->kind != claim->kind
        || entry->parent != claim->parent
        || entry->aux != claim->aux
        || entry->name_len != claim->name.len)
    {
        return false;
    }

    switch (claim->kind) {

    case UX_ENTRY_EXPERIMENT:
    case UX_ENTRY_TOTAL:
    case UX_ENTRY_EPOCH:
        if (entry->value != claim->value) {
            return false;
        }
        break;

    case UX_ENTRY_TIMINGS:

        /* or the block had another length */

        if (entry->value != claim->value || entry->control != claim->control)
        {
            return false;
        }
        break;

    case UX_ENTRY_EVIDENCE:
    case UX_ENTRY_BALANCE:
        if (entry->value != claim->value
            || entry->analysis != claim->analysis)
        {
            return false;
        }
        break;

    case UX_ENTRY_ARM_CART:
    case UX_ENTRY_SEGMENT_CART:
        if (entry->value != claim->value || entry->width < claim->width) {
            return false;
        }
        break;

    default:
        break;
    }

    return claim->name.len == 0
           || memcmp(entry->name, claim->name.data, claim->name.len) == 0;
}


const ux_entry_t *
ux_registry_epoch(const ux_registry_t *registry, uint16_t experiment)
{
    uint32_t           i;
    const ux_entry_t  *entry;

    for (i = ux_registry_count(registry); i > 0; i--) {
        entry = &registry->entries[i - 1];

        if (entry->kind == UX_ENTRY_EPOCH && entry->parent == experiment) {
            return entry;
        }
    }

    return NULL;
}


const ux_entry_t *
ux_registry_since(const ux_registry_t *registry, uint16_t experiment)
{
    uint32_t           i;
    const ux_entry_t  *entry, *since, *last;

    since = NULL;
    last = NULL;

    for (i = 0; i < ux_registry_count(registry); i++) {
        entry = &registry->entries[i];

        if (entry->kind != UX_ENTRY_EPOCH || entry->parent != experiment) {
            continue;
        }

        if (last == NULL || ux_registry_restarts(last, entry)) {
            since = entry;
        }

        last = entry;
    }

    return since;
}


const ux_entry_t *
ux_registry_get(const ux_registry_t *registry, ux_entry_e kind,
    uint16_t ordinal)
{
    uint32_t  i;

    for (i = ux_registry_count(registry); i > 0; i--) {
        if (registry->entries[i - 1].kind == kind
            && registry->entries[i - 1].ordinal == ordinal)
        {
            return &registry->entries[i - 1];
        }
    }

    return NULL;
}


uint64_t
ux_registry_removed_ms(const ux_entry_t *experiment)
{
    return __atomic_load_n(&experiment->removed_ms, __ATOMIC_ACQUIRE);
}


bool
ux_registry_restarts(const ux_entry_t *last, const ux_entry_t *epoch)
{
    return last->analysis != epoch->analysis;
}


uint32_t
ux_registry_cells_left(const ux_registry_t *registry)
{
    uint32_t  cell, ring;

    ux_registry_marks(registry, &cell, &ring);

    return ring - cell;
}


ux_status_t
ux_registry_claim(const ux_registrar_t *registrar, const ux_claim_t *claim,
    uint64_t now_ms, const ux_entry_t **entry)
{
    unsigned        tries;
    ux_status_t     rc;
    ux_registry_t  *registry;

    registry = registrar->registry;

    if (registry == NULL) {
        return UX_ERROR;
    }

    *entry = ux_registry_wanted(registry, claim);
    if (*entry != NULL) {
        return UX_OK;
    }

    if (claim->name.len > UX_NAME_MAX) {
        return UX_ERROR;
    }

    rc = UX_BUSY;
    tries = registrar->me == UX_PROCESS_NONE ? 0 : registrar->tries;

    while (rc != UX_OK && tries-- > 0) {
        rc = ux_lock_take(&registry->lock, registrar->me,
                          registrar->processes, ux_registry_repair, registry);
    }

    if (rc != UX_OK) {
        return rc;
    }

    /* another process may have been quicker */
    *entry = ux_registry_wanted(registry, claim);

    if (*entry == NULL) {
        rc = ux_registry_append_locked(registry, claim, now_ms, entry);
    }

    ux_lock_release(&registry->lock);

    return rc;
}


const ux_entry_t *
ux_registry_wanted(const ux_registry_t *registry, const ux_claim_t *claim)
{
    const ux_entry_t  *entry;

    if (claim->kind != UX_ENTRY_EPOCH) {
        return ux_registry_find(registry, claim);
    }

    entry = ux_registry_epoch(registry, claim->parent);

    if (entry != NULL
        && (entry->value != claim->value
            || entry->analysis != claim->analysis))
    {
        return NULL;
    }

    return entry;
}


static ux_status_t
ux_registry_append_locked(ux_registry_t *registry, const ux_claim_t *claim,
    uint64_t now_ms, const ux_entry_t **entry)
{
    uint32_t     count;
    ux_entry_t  *made;

    count = ux_registry_count(registry);

    if (count >= registry->capacity) {
        return UX_FULL;
    }

    made = &registry->entries[count];
    memset(made, 0, sizeof(ux_entry_t));

    made->kind = (uint8_t) claim->kind;
    made->name_len = (uint8_t) claim->name.len;
    made->parent = claim->parent;
    made->aux = claim->aux;
    made->value = claim->value;
    made->number = claim->number;
    made->analysis = claim->analysis;
    made->created_ms = now_ms;

    if (claim->kind == UX_ENTRY_EPOCH || claim->kind == UX_ENTRY_EVIDENCE
        || claim->kind == UX_ENTRY_TIMINGS)
    {
        made->control = claim->control;
    }

    if (claim->name.len != 0) {
        memcpy(made->name, claim->name.data, claim->name.len);
    }

    if (ux_registry_number(registry, claim, made) != UX_OK
        || ux_registry_reserve(registry, claim, made) != UX_OK)
    {
        return UX_FULL;
    }

    __atomic_store_n(&registry->count, count + 1, __ATOMIC_RELEASE);

    *entry = made;

    return UX_OK;
}


/* The ordinal within its kind, and an epoch's number in its experiment. */
static ux_status_t
ux_registry_number(const ux_registry_t *registry, const ux_claim_t *claim,
    ux_entry_t *entry)
{
    uint32_t           i, ordinal;
    const ux_entry_t  *last;

    ordinal = claim->kind == UX_ENTRY_TOTAL ? 1 : 0;

    for (i = registry->count; i > 0; i--) {
        if (registry->entries[i - 1].kind == claim->kind) {
            ordinal = registry->entries[i - 1].ordinal + 1u;
            break;
        }
    }

    if (ordinal >= UX_ORDINAL_NEW
        || (claim->limit != 0 && ordinal >= claim->limit))
    {
        return UX_FULL;
    }

    entry->ordinal = (uint16_t) ordinal;

    if (claim->kind == UX_ENTRY_EPOCH) {
        last = ux_registry_epoch(registry, claim->parent);
        entry->aux = (uint16_t) (last == NULL ? 1 : last->aux + 1);
    }

    return UX_OK;
}


static ux_status_t
ux_registry_reserve(const ux_registry_t *registry, const ux_claim_t *claim,
    ux_entry_t *entry)
{
    uint32_t           cell, ring;
    const ux_entry_t  *sibling, *sharing;

    ux_registry_marks(registry, &cell, &ring);

    if (ux_registry_need(registry, claim) > ring - cell) {
        return UX_FULL;
    }

    sibling = ux_registry_sibling(registry, claim);

    if (sibling != NULL) {
        entry->base = sibling->base;

    } else if (claim->cells != 0) {
        entry->base = cell;
        cell += claim->cells;
    }

    sharing = ux_registry_ring(registry, claim);

    if (sharing != NULL) {
        entry->ring = sharing->ring;

    } else if (claim->ring_cells != 0) {
        ring -= claim->ring_cells;
        entry->ring = ring;
    }

    if (ux_registry_is_cart(claim)) {
        entry->variant = claim->variant;
        entry->width = sharing != NULL ? sharing->width : claim->width;
        entry->shares = sharing != NULL;
    }

    entry->next_cell = cell;
    entry->next_ring = ring;

    return UX_OK;
}


uint32_t
ux_registry_need(const ux_registry_t *registry, const ux_claim_t *claim)
{
    uint32_t  need;

    need = 0;

    if (ux_registry_sibling(registry, claim) == NULL) {
        need += claim->cells;
    }

    if (ux_registry_ring(registry, claim) == NULL) {
        need += claim->ring_cells;
    }

    return need;
}


/* A cart of the same arm and slot: only its window is another. */
static const ux_entry_t *
ux_registry_sibling(const ux_registry_t *registry, const ux_claim_t *claim)
{
    uint32_t           i;
    const ux_entry_t  *entry;

    if (!ux_registry_is_cart(claim)) {
        return NULL;
    }

    for (i = ux_registry_count(registry); i > 0; i--) {
        entry = &registry->entries[i - 1];

        if (entry->kind == claim->kind && entry->parent == claim->parent
            && entry->aux == claim->aux && entry->base != 0)
        {
            return entry;
        }
    }

    return NULL;
}


/* A cart of the same variant, slot and window: only its epoch is another. */
static const ux_entry_t *
ux_registry_ring(const ux_registry_t *registry, const ux_claim_t *claim)
{
    uint32_t           i;
    const ux_entry_t  *entry;

    if (!ux_registry_is_cart(claim)) {
        return NULL;
    }

    for (i = ux_registry_count(registry); i > 0; i--) {
        entry = &registry->entries[i - 1];

        if (entry->kind == claim->kind && entry->variant == claim->variant
            && entry->aux == claim->aux && entry->value == claim->value
            && entry->width >= claim->width && entry->ring != 0)
        {
            return entry;
        }
    }

    return NULL;
}


static bool
ux_registry_is_cart(const ux_claim_t *claim)
{
    return claim->kind == UX_ENTRY_ARM_CART
           || claim->kind == UX_ENTRY_SEGMENT_CART;
}


static void
ux_registry_marks(const ux_registry_t *registry, uint32_t *cell,
    uint32_t *ring)
{
    uint32_t  count;

    count = ux_registry_count(registry);

    if (count == 0) {
        *cell = registry->first_cell;
        *ring = registry->all_cells;
        return;
    }

    *cell = registry->entries[count - 1].next_cell;
    *ring = registry->entries[count - 1].next_ring;
}


void
ux_registry_repair(void *ctx, uint32_t dead)
{
    ux_registry_t  *registry;

    registry = ctx;

    if ((__atomic_load_n(&registry->lock, __ATOMIC_ACQUIRE) & UX_LOCK_OWNER)
        == dead + 1)
    {
        ux_lock_release(&registry->lock);
    }
}
