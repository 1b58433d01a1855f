
/*
 * Copyright (C) the nginx-ux authors
 *
 * Stages of the journey get their numbers, and each variant its block of
 * them.  A stage keeps its number, and so a visitor the stage it is in, over
 * any change of the others; a block is of the stages as they are.
 */

#include "ux_bind_private.h"
#include "ux_journey.h"
#include "ux_timing.h"

#include <string.h>


void
ux_bind_stages(ux_binder_t *binder)
{
    uint16_t    ordinal;
    unsigned    i;
    ux_claim_t  claim;

    for (i = 0; i < binder->model->nstages; i++) {
        memset(&claim, 0, sizeof(claim));
        claim.kind = UX_ENTRY_STAGE;
        claim.name = binder->model->stages[i].name;
        claim.parent = UX_PARENT_NONE;
        claim.limit = UX_STAGES_MAX;

        ordinal = ux_bind_claim(binder, &claim);

        if (binder->bound != NULL) {
            binder->bound->stages[i].slot = ux_bind_slot(ordinal);
        }
    }
}


void
ux_bind_journey(ux_binder_t *binder, uint16_t variant)
{
    ux_claim_t  claim;

    if (binder->model->nstages == 0) {
        return;
    }

    memset(&claim, 0, sizeof(claim));
    claim.kind = UX_ENTRY_TIMINGS;
    claim.parent = variant;
    claim.aux = UX_TIMINGS_JOURNEY;
    claim.value = ux_journey_hash(binder->model);
    claim.control = binder->model->nstages;
    claim.ring_cells = ux_journey_cells(claim.control);

    (void) ux_bind_claim(binder, &claim);
}
