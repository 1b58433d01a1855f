
/*
 * Copyright (C) the nginx-ux authors
 *
 * One walk over a model, to bind it or to see whether it fits.
 */

#ifndef UX_BIND_PRIVATE_H
#define UX_BIND_PRIVATE_H


#include "ux_store.h"
#include "ux_registry_private.h"


typedef struct {
    ux_registrar_t     registrar;
    ux_store_t        *store;        /* NULL: dry run */
    ux_model_t        *bound;        /* gets the slots; NULL: dry run */
    const ux_model_t  *model;
    ux_binding_t      *bindings;
    unsigned           nexperiments;
    uint32_t           totals;
    uint64_t           size;         /* of the zone, for sentences */
    uint64_t           now_ms;
    ux_status_t        status;

    /* ordinals given so far; UX_PARENT_NONE: none */
    uint16_t           funnels[UX_FUNNELS_MAX];
    uint16_t           carts[UX_FUNNELS_MAX];
    uint16_t           experiments[UX_EXPERIMENTS_MAX];
    uint16_t           epochs[UX_EXPERIMENTS_MAX];
    uint16_t           values[UX_SEGMENT_VALUES];

    /* what a dry run found missing */
    uint32_t           entries;
    uint64_t           cells;        /* with rings; and of these: */
    uint64_t           blocks;       /* in all copies */
    uint32_t           kinds[UX_ENTRY_KINDS];
} ux_binder_t;


/* Is the experiment, by its ordinal, one of the model? */
static inline bool
ux_bind_has(const ux_binder_t *binder, uint16_t experiment)
{
    unsigned  n;

    for (n = 0; n < binder->nexperiments; n++) {
        if (binder->experiments[n] == experiment) {
            return true;
        }
    }

    return false;
}


/* The ordinal, or UX_PARENT_NONE; in a dry run maybe UX_ORDINAL_NEW. */
uint16_t ux_bind_claim(ux_binder_t *binder, const ux_claim_t *claim);

/* An ordinal that a byte has room for, else UX_SLOT_NONE. */
uint8_t ux_bind_slot(uint16_t ordinal);

/* ux_bind_segment.c: names, then what counts them for a variant, its carts. */
void ux_bind_segments(ux_binder_t *binder);
void ux_bind_segment_arms(ux_binder_t *binder, uint16_t variant);
void ux_bind_segment_carts(ux_binder_t *binder);

/* Where looks at the primary result write, if it is this configuration's. */
void ux_bind_evidence(ux_binder_t *binder, const ux_experiment_t *experiment,
    uint16_t parent, const uint16_t *variants, uint16_t epoch);

/* The carts of all arms of the model's experiments, or of one arm. */
void ux_bind_carts(ux_binder_t *binder);
void ux_bind_arm_carts(ux_binder_t *binder, uint16_t arm, uint16_t variant);

/* Makes all claims; in a dry run sums up what they would take. */
void ux_bind_walk(ux_binder_t *binder);

/* Numbers for the stages of the journey. */
void ux_bind_stages(ux_binder_t *binder);

/* The blocks of a variant, or of the zone: UX_PARENT_NONE. */
void ux_bind_blocks(ux_binder_t *binder, uint16_t variant);


#endif
