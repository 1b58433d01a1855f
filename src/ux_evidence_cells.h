
/*
 * Copyright (C) the nginx-ux authors
 *
 * Where a zone keeps the evidence of a comparison from look to look:
 * UX_EVIDENCE_CELLS cells of its shared counters.
 *
 *   [ version | copy 0: ux_evidence_t | copy 1: ux_evidence_t ]
 *
 * The copy that counts is that of the version's lowest bit.  A writer, one at
 * a time, fills the other one and then adds 1 to the version: killed before
 * that it has changed nothing.
 */

#ifndef UX_EVIDENCE_CELLS_H
#define UX_EVIDENCE_CELLS_H


#include "ux_compare.h"


/*
 * Reads again where the version moved meanwhile; all zero, as before the
 * first look, where it did so each time.
 */
void ux_evidence_cells_read(const uint64_t *cells, ux_evidence_t *evidence);

/* The caller holds the zone's evidence lock: see ux_store.h. */
void ux_evidence_cells_write(uint64_t *cells, const ux_evidence_t *evidence);


#endif
