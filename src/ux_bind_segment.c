
/*
 * Copyright (C) the nginx-ux authors
 *
 * Binding of segments: their names, and what counts their values.
 *
 * Every variant that the configuration has gets an arm for each value of each
 * segment.  Those of values or variants that it has no more stay, with the
 * carts that the funnels have now: the visitors they count go on counting.
 */

#include "ux_bind_private.h"

#include <string.h>


static void ux_bind_value(ux_binder_t *binder, unsigned index,
    uint16_t parent);
static void ux_bind_segment_arm_carts(ux_binder_t *binder, uint16_t arm);


void
ux_bind_segments(ux_binder_t *binder)
{
    uint16_t             ordinal;
    unsigned             i, k;
    ux_claim_t           claim;
    const ux_segment_t  *segment;

    for (i = 0; i < binder->model->nsegments; i++) {
        segment = &binder->model->segments[i];

        memset(&claim, 0, sizeof(claim));
        claim.kind = UX_ENTRY_SEGMENT;
        claim.name = segment->name;
        claim.parent = UX_PARENT_NONE;
        claim.limit = UX_SEGMENTS_MAX;

        ordinal = ux_bind_claim(binder, &claim);

        if (binder->bound != NULL) {
            binder->bound->segments[i].slot = ux_bind_slot(ordinal);
        }

        for (k = 0; k < segment->nvalues; k++) {
            ux_bind_value(binder, segment->first + k, ordinal);
        }
    }
}


static void
ux_bind_value(ux_binder_t *binder, unsigned index, uint16_t parent)
{
    ux_claim_t  claim;

    binder->values[index] = UX_PARENT_NONE;

    if (parent == UX_PARENT_NONE) {
        return;
    }

    memset(&claim, 0, sizeof(claim));
    claim.kind = UX_ENTRY_SEGMENT_VALUE;
    claim.name = binder->model->values[index].name;
    claim.parent = parent;
    claim.limit = UX_SEGMENT_VALUES;

    binder->values[index] = ux_bind_claim(binder, &claim);

    if (binder->bound != NULL) {
        binder->bound->values[index].ordinal =
            ux_bind_slot(binder->values[index]);
    }
}


void
ux_bind_segment_arms(ux_binder_t *binder, uint16_t variant)
{
    uint16_t    ordinal;
    unsigned    i;
    ux_claim_t  claim;

    for (i = 0; i < binder->model->nvalues; i++) {

        if (binder->values[i] == UX_PARENT_NONE) {
            continue;
        }

        memset(&claim, 0, sizeof(claim));
        claim.kind = UX_ENTRY_SEGMENT_ARM;
        claim.parent = variant;
        claim.aux = binder->values[i];
        claim.ring_cells = UX_ARM_COUNTS;

        ordinal = ux_bind_claim(binder, &claim);

        /* one that a dry run did not make: nobody else will come upon it */

        if (ordinal == UX_ORDINAL_NEW) {
            ux_bind_segment_arm_carts(binder, ordinal);
        }
    }
}


/* Those of all that there are, of experiments in the model. */
void
ux_bind_segment_carts(ux_binder_t *binder)
{
    uint32_t              i;
    const ux_entry_t     *entry, *variant;
    const ux_registry_t  *registry;

    registry = binder->registrar.registry;

    for (i = 0; i < ux_registry_count(registry); i++) {
        entry = &registry->entries[i];

        if (entry->kind != UX_ENTRY_SEGMENT_ARM) {
            continue;
        }

        variant = ux_registry_get(registry, UX_ENTRY_VARIANT, entry->parent);

        if (variant != NULL && ux_bind_has(binder, variant->parent)) {
            ux_bind_segment_arm_carts(binder, entry->ordinal);
        }
    }
}


static void
ux_bind_segment_arm_carts(ux_binder_t *binder, uint16_t arm)
{
    unsigned            i;
    ux_claim_t          claim;
    const ux_funnel_t  *funnel;

    for (i = 0; i < binder->model->nfunnels; i++) {
        if (binder->carts[i] == UX_PARENT_NONE) {
            continue;
        }

        funnel = &binder->model->funnels[i];

        memset(&claim, 0, sizeof(claim));
        claim.kind = UX_ENTRY_SEGMENT_CART;
        claim.parent = arm;
        claim.aux = binder->carts[i];
        claim.value = funnel->within_ms;
        claim.variant = arm;
        claim.width = (uint16_t) UX_RING_WIDTH(funnel->nsteps);
        claim.cells = UX_CART_CELLS;
        claim.ring_cells = UX_BUCKETS * (uint32_t) claim.width;

        (void) ux_bind_claim(binder, &claim);
    }
}
