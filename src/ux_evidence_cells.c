
/*
 * Copyright (C) the nginx-ux authors
 *
 * Evidence in the cells of a zone: see ux_evidence_cells.h.
 */

#include "ux_evidence_cells.h"
#include "ux_registry.h"

#include <string.h>


#define UX_EVIDENCE_WORDS  (sizeof(ux_evidence_t) / sizeof(uint64_t))
#define UX_EVIDENCE_TRIES  4

_Static_assert(UX_EVIDENCE_CELLS >= 1 + 2 * UX_EVIDENCE_WORDS, "cells");


void
ux_evidence_cells_read(const uint64_t *cells, ux_evidence_t *evidence)
{
    uint64_t         version, words[UX_EVIDENCE_WORDS];
    unsigned         i, tries;
    const uint64_t  *copy;

    for (tries = 0; tries < UX_EVIDENCE_TRIES; tries++) {
        version = __atomic_load_n(cells, __ATOMIC_ACQUIRE);
        copy = cells + 1 + (version & 1) * UX_EVIDENCE_WORDS;

        for (i = 0; i < UX_EVIDENCE_WORDS; i++) {
            words[i] = __atomic_load_n(&copy[i], __ATOMIC_RELAXED);
        }

        __atomic_thread_fence(__ATOMIC_ACQUIRE);

        if (__atomic_load_n(cells, __ATOMIC_RELAXED) == version) {
            memcpy(evidence, words, sizeof(words));
            return;
        }
    }

    memset(evidence, 0, sizeof(ux_evidence_t));
}


void
ux_evidence_cells_write(uint64_t *cells, const ux_evidence_t *evidence)
{
    uint64_t  version, words[UX_EVIDENCE_WORDS], *copy;
    unsigned  i;

    memcpy(words, evidence, sizeof(words));

    version = __atomic_load_n(cells, __ATOMIC_RELAXED) + 1;
    copy = cells + 1 + (version & 1) * UX_EVIDENCE_WORDS;

    for (i = 0; i < UX_EVIDENCE_WORDS; i++) {
        __atomic_store_n(&copy[i], words[i], __ATOMIC_RELAXED);
    }

    __atomic_store_n(cells, version, __ATOMIC_RELEASE);
}
