
/*
 * Copyright (C) the nginx-ux authors
 *
 * What a variant counts beside its arms, in blocks of all epochs: how long
 * requests take, how its visitors get from step to step, what pages and
 * surveys tell, the journey.  Stages of the journey keep their numbers, and so
 * a visitor the stage it is in, over any change of the others; a block is of
 * the stages, or steps, as they are.
 */

#include "ux_bind_private.h"
#include "ux_block.h"
#include "ux_funnel.h"
#include "ux_journey.h"
#include "ux_survey.h"
#include "ux_timing.h"

#include <string.h>


static void ux_bind_paces(ux_binder_t *binder, uint16_t variant);
static void ux_bind_block(ux_binder_t *binder, uint16_t variant, unsigned aux,
    uint64_t value, uint64_t control);


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
ux_bind_blocks(ux_binder_t *binder, uint16_t variant)
{
    const ux_model_t  *model;

    model = binder->model;

    ux_bind_block(binder, variant, UX_TIMINGS_REQUESTS, 0, 0);

    if (model->collects) {
        ux_bind_block(binder, variant, UX_TIMINGS_VITALS, 0, 0);
    }

    if (variant == UX_PARENT_NONE) {
        return;
    }

    ux_bind_paces(binder, variant);

    if (model->nstages != 0) {
        ux_bind_block(binder, variant, UX_TIMINGS_JOURNEY,
                      ux_journey_hash(model), model->nstages);
    }

    if (ux_survey_known(model)) {
        ux_bind_block(binder, variant, UX_TIMINGS_SURVEYS, 0, 0);
    }
}


/* From step to step of each funnel. */
static void
ux_bind_paces(ux_binder_t *binder, uint16_t variant)
{
    uint16_t            ordinal;
    unsigned            i;
    const ux_funnel_t  *funnel;

    for (i = 0; i < binder->model->nfunnels; i++) {
        funnel = &binder->model->funnels[i];
        ordinal = binder->funnels[i];

        if (ordinal < UX_FUNNELS_MAX || ordinal == UX_ORDINAL_NEW) {
            ux_bind_block(binder, variant,
                          (unsigned) UX_TIMINGS_FUNNEL + ordinal,
                          ux_funnel_hash(binder->model, funnel),
                          funnel->nsteps);
        }
    }
}


static void
ux_bind_block(ux_binder_t *binder, uint16_t variant, unsigned aux,
    uint64_t value, uint64_t control)
{
    ux_claim_t  claim;

    memset(&claim, 0, sizeof(claim));
    claim.kind = UX_ENTRY_TIMINGS;
    claim.parent = variant;
    claim.aux = (uint16_t) aux;
    claim.value = value;
    claim.control = control;

    ux_block_reserve(&claim);

    (void) ux_bind_claim(binder, &claim);
}
