
/*
 * Copyright (C) the nginx-ux authors
 *
 * What a variant, or the zone, counts beside its arms: blocks of cells, each
 * the UX_ENTRY_TIMINGS entry of one UX_TIMINGS_ kind.
 */

#ifndef UX_BLOCK_H
#define UX_BLOCK_H


#include "ux_registry.h"


/* Cells of a block, by the entry's aux and control. */
uint32_t ux_block_cells(unsigned aux, uint64_t control);

/*
 * What is to be reserved for the entry that is claimed: of requests in all
 * copies, as each of them changes it, of the others in the shared copy.
 */
void ux_block_reserve(ux_claim_t *claim);


#endif
