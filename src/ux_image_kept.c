
/*
 * Copyright (C) the nginx-ux authors
 *
 * What looks at the results have left, of an image, into a zone that has some
 * itself: neither adds up.  See ux_image_cells.c for which of the two stays.
 */

#include "ux_image_private.h"

#include <string.h>


#define UX_KEPT_LOCK_TRIES  3


static void ux_kept_keep(uint64_t *kept, const uint64_t *words);
static void ux_kept_keep_fixed(uint64_t *now, const uint64_t *words);
static bool ux_kept_larger(uint64_t a, uint64_t b);


void
ux_image_keep_evidence(ux_image_merging_t *m, const ux_entry_t *entry,
    const uint64_t *words)
{
    unsigned     tries;
    ux_status_t  rc;

    if (entry->ring == 0) {
        m->result->cells++;
        return;
    }

    rc = UX_BUSY;

    for (tries = 0; rc == UX_BUSY && tries < UX_KEPT_LOCK_TRIES; tries++) {
        rc = ux_store_evidence_lock(m->store);
    }

    if (rc != UX_OK) {
        m->result->cells++;
        return;
    }

    ux_kept_keep(&m->store->counter.shared[entry->ring], words);
    ux_store_evidence_unlock(m->store);
}


/* As ux_result_evidence.c writes: the other copy, then the version. */
static void
ux_kept_keep(uint64_t *kept, const uint64_t *words)
{
    uint64_t   version, *copy;
    uint64_t   was[UX_IMAGE_EVIDENCE_WORDS], now[UX_IMAGE_EVIDENCE_WORDS];
    unsigned   i;

    ux_image_evidence_read(kept, was);
    memcpy(now, was, sizeof(now));

    if (words[UX_IMAGE_EVIDENCE_LOOKED] != 0
        && (now[UX_IMAGE_EVIDENCE_LOOKED] == 0
            || ux_kept_larger(words[UX_IMAGE_EVIDENCE_LOG_E],
                               now[UX_IMAGE_EVIDENCE_LOG_E])))
    {
        now[UX_IMAGE_EVIDENCE_LOG_E] = words[UX_IMAGE_EVIDENCE_LOG_E];
        now[UX_IMAGE_EVIDENCE_LOOKED] = words[UX_IMAGE_EVIDENCE_LOOKED];
        now[UX_IMAGE_EVIDENCE_SIGN] = words[UX_IMAGE_EVIDENCE_SIGN];
    }

    if (ux_kept_larger(words[UX_IMAGE_EVIDENCE_EXACT],
                        now[UX_IMAGE_EVIDENCE_EXACT]))
    {
        now[UX_IMAGE_EVIDENCE_EXACT] = words[UX_IMAGE_EVIDENCE_EXACT];
    }

    if (words[UX_IMAGE_EVIDENCE_SINCE] != 0
        && (now[UX_IMAGE_EVIDENCE_SINCE] == 0
            || words[UX_IMAGE_EVIDENCE_SINCE] < now[UX_IMAGE_EVIDENCE_SINCE]))
    {
        now[UX_IMAGE_EVIDENCE_SINCE] = words[UX_IMAGE_EVIDENCE_SINCE];
    }

    ux_kept_keep_fixed(now, words);

    if (memcmp(now, was, sizeof(now)) == 0) {
        return;
    }

    version = __atomic_load_n(kept, __ATOMIC_RELAXED) + 1;
    copy = kept + 1 + (version & 1) * UX_IMAGE_EVIDENCE_WORDS;

    for (i = 0; i < UX_IMAGE_EVIDENCE_WORDS; i++) {
        __atomic_store_n(&copy[i], now[i], __ATOMIC_RELAXED);
    }

    __atomic_store_n(kept, version, __ATOMIC_RELEASE);
}


/* The smaller pair was there first. */
static void
ux_kept_keep_fixed(uint64_t *now, const uint64_t *words)
{
    unsigned  i;
    uint64_t  pair;

    pair = now[UX_IMAGE_EVIDENCE_PAIR];

    if (words[UX_IMAGE_EVIDENCE_PAIR] == 0
        || (pair != 0 && pair <= words[UX_IMAGE_EVIDENCE_PAIR]))
    {
        return;
    }

    for (i = UX_IMAGE_EVIDENCE_PAIR; i < UX_IMAGE_EVIDENCE_WORDS; i++) {
        now[i] = words[i];
    }
}


/* Of the numbers that the words are; NaN is not larger. */
static bool
ux_kept_larger(uint64_t a, uint64_t b)
{
    double  x, y;

    memcpy(&x, &a, sizeof(x));
    memcpy(&y, &b, sizeof(y));

    return x > y;
}


void
ux_image_keep_balance(ux_image_merging_t *m, const ux_image_cell_t *cell,
    const ux_entry_t *entry)
{
    bool       more;
    uint64_t  *kept, old;

    if (entry->ring == 0) {
        m->result->cells++;
        return;
    }

    kept = &m->store->counter.shared[entry->ring + cell->index];
    old = __atomic_load_n(kept, __ATOMIC_ACQUIRE);

    do {
        more = cell->index <= UX_BALANCE_CONFIRMATION
               ? ux_kept_larger(cell->value, old) : old == 0;

    } while (more
             && !__atomic_compare_exchange_n(kept, &old, cell->value, false,
                                             __ATOMIC_ACQ_REL,
                                             __ATOMIC_ACQUIRE));
}
