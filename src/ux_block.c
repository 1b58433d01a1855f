
/*
 * Copyright (C) the nginx-ux authors
 *
 * The sizes of blocks.
 */

#include "ux_block.h"
#include "ux_journey.h"
#include "ux_survey.h"
#include "ux_timing.h"


uint32_t
ux_block_cells(unsigned aux, uint64_t control)
{
    switch (aux) {

    case UX_TIMINGS_REQUESTS:
        return UX_TIMINGS_REQUESTS_CELLS;

    case UX_TIMINGS_VITALS:
        return UX_TIMINGS_VITALS_CELLS;

    case UX_TIMINGS_SURVEYS:
        return UX_TIMINGS_SURVEYS_CELLS;

    case UX_TIMINGS_JOURNEY:
        return ux_journey_cells(control);

    default:
        return ux_timing_cells(control);
    }
}


void
ux_block_reserve(ux_claim_t *claim)
{
    uint32_t  cells;

    cells = ux_block_cells(claim->aux, claim->control);

    if (claim->aux == UX_TIMINGS_REQUESTS) {
        claim->cells = cells;

    } else {
        claim->ring_cells = cells;
    }
}
