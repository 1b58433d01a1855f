
/*
 * Copyright (C) the nginx-ux authors
 *
 * Where arms count carts: each one of each funnel that has some, the ring of a
 * variant's first arm for all of its arms.
 */

#include "ux_bind_private.h"

#include <string.h>


static bool ux_bind_later(const ux_binder_t *binder, uint16_t arm,
    uint16_t variant);


/* The carts of all arms, of whatever epoch, of experiments in the model. */
void
ux_bind_carts(ux_binder_t *binder)
{
    uint32_t              i;
    const ux_entry_t     *entry, *epoch;
    const ux_registry_t  *registry;

    registry = binder->registrar.registry;

    for (i = 0; i < ux_registry_count(registry); i++) {
        entry = &registry->entries[i];

        if (entry->kind != UX_ENTRY_ARM) {
            continue;
        }

        epoch = ux_registry_get(registry, UX_ENTRY_EPOCH, entry->parent);

        if (epoch != NULL && ux_bind_has(binder, epoch->parent)) {
            ux_bind_arm_carts(binder, entry->ordinal, entry->aux);
        }
    }
}


void
ux_bind_arm_carts(ux_binder_t *binder, uint16_t arm, uint16_t variant)
{
    bool                later;
    unsigned            i;
    ux_claim_t          claim;
    const ux_funnel_t  *funnel;

    later = binder->store == NULL && ux_bind_later(binder, arm, variant);

    for (i = 0; i < binder->model->nfunnels; i++) {
        if (binder->carts[i] == UX_PARENT_NONE) {
            continue;
        }

        funnel = &binder->model->funnels[i];

        memset(&claim, 0, sizeof(claim));
        claim.kind = UX_ENTRY_ARM_CART;
        claim.parent = arm;
        claim.aux = binder->carts[i];
        claim.value = funnel->within_ms;
        claim.variant = variant;
        claim.width = (uint16_t) UX_RING_WIDTH(funnel->nsteps);
        claim.cells = UX_CART_CELLS;
        claim.ring_cells = later ? 0 : UX_BUCKETS * claim.width;

        (void) ux_bind_claim(binder, &claim);
    }
}


/*
 * Has the variant an arm before this one?  Then that one has the rings, or is
 * about to get them.
 */
static bool
ux_bind_later(const ux_binder_t *binder, uint16_t arm, uint16_t variant)
{
    uint32_t              i;
    const ux_entry_t     *entry;
    const ux_registry_t  *registry;

    registry = binder->registrar.registry;

    for (i = 0; i < ux_registry_count(registry); i++) {
        entry = &registry->entries[i];

        if (entry->kind == UX_ENTRY_ARM && entry->aux == variant) {
            return entry->ordinal != arm;
        }
    }

    return false;
}
