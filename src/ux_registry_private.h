
/*
 * Copyright (C) the nginx-ux authors
 *
 * Writing to the registry: for the store only.
 */

#ifndef UX_REGISTRY_PRIVATE_H
#define UX_REGISTRY_PRIVATE_H


#include "ux_model.h"
#include "ux_registry.h"


/* Entries of the largest zone's registry. */
#define UX_REGISTRY_MAX  16384


/* Who writes: an entry of the process array. */
typedef struct {
    ux_registry_t  *registry;
    ux_process_t   *processes;
    uint32_t        me;              /* UX_PROCESS_NONE: may only find */
    unsigned        tries;           /* bounded waits for the lock; 0: may
                                        only find */
} ux_registrar_t;


size_t ux_registry_size(uint32_t capacity);

/* Zeroed memory; cells [first_cell, all_cells) are to be handed out. */
void ux_registry_init(ux_registry_t *registry, uint32_t capacity,
    uint32_t first_cell, uint32_t all_cells);

/* Cells nobody has yet, between the blocks and the rings. */
uint32_t ux_registry_cells_left(const ux_registry_t *registry);

/* No entry has this ordinal: stands for a parent that is yet to be made. */
#define UX_ORDINAL_NEW  0xfffeu

/*
 * The entry that makes the claim needless, or NULL.  As ux_registry_find(),
 * but an epoch is wanted anew unless the newest one of its experiment has the
 * claim's value and analysis; its aux is given, not asked for.
 */
const ux_entry_t *ux_registry_wanted(const ux_registry_t *registry,
    const ux_claim_t *claim);

/*
 * Cells that appending would take, rings included.  Carts of one arm and cart
 * slot, whatever their windows, count in one block; those of one variant, cart
 * slot and window, whatever their epochs, in one ring.
 */
uint32_t ux_registry_need(const ux_registry_t *registry,
    const ux_claim_t *claim);

/*
 * Finds what is wanted, or appends it.
 * UX_BUSY: not there, and the lock was not to be had (or the caller may only
 * find); UX_FULL: entries, cells or ordinals.
 */
ux_status_t ux_registry_claim(const ux_registrar_t *registrar,
    const ux_claim_t *claim, uint64_t now_ms, const ux_entry_t **entry);

/*
 * Notes which experiments the model has no more, at first sight, and which it
 * has again.  Any number of processes, the same model or not, at once.
 */
void ux_registry_removed(ux_registry_t *registry, const ux_model_t *model,
    uint64_t now_ms);

/* Releases the registry's lock if the dead process holds it. */
void ux_registry_repair(void *registry, uint32_t dead);


#endif
