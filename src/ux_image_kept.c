
/*
 * Copyright (C) the nginx-ux authors
 *
 * What looks at the results have left, of an image, into a zone that has some
 * itself: neither adds up.  See ux_image_cells.c for which of the two stays.
 */

#include "ux_image_private.h"

#include <string.h>


#define UX_KEPT_LOCK_TRIES  3


static void ux_kept_keep(uint64_t *kept, const ux_evidence_t *theirs);
static bool ux_kept_keep_fixed(ux_evidence_t *ours,
    const ux_evidence_t *theirs);
static bool ux_kept_larger(uint64_t a, uint64_t b);


void
ux_image_keep_evidence(ux_image_merging_t *m, const ux_entry_t *entry,
    const ux_evidence_t *theirs)
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

    ux_kept_keep(&m->store->counter.shared[entry->ring], theirs);
    ux_store_evidence_unlock(m->store);
}


/* NaN is not larger. */
static void
ux_kept_keep(uint64_t *kept, const ux_evidence_t *theirs)
{
    bool           changed;
    ux_evidence_t  ours;

    ux_evidence_cells_read(kept, &ours);
    changed = ux_kept_keep_fixed(&ours, theirs);

    if (theirs->looked_ms != 0
        && (ours.looked_ms == 0 || theirs->log_e > ours.log_e))
    {
        ours.log_e = theirs->log_e;
        ours.looked_ms = theirs->looked_ms;
        ours.sign = theirs->sign;
        changed = true;
    }

    if (theirs->exact_log_e > ours.exact_log_e) {
        ours.exact_log_e = theirs->exact_log_e;
        changed = true;
    }

    if (theirs->significant_ms != 0
        && (ours.significant_ms == 0
            || theirs->significant_ms < ours.significant_ms))
    {
        ours.significant_ms = theirs->significant_ms;
        changed = true;
    }

    if (changed) {
        ux_evidence_cells_write(kept, &ours);
    }
}


/* The smaller pair was there first. */
static bool
ux_kept_keep_fixed(ux_evidence_t *ours, const ux_evidence_t *theirs)
{
    if (theirs->fixed_visitors == 0
        || (ours->fixed_visitors != 0
            && ours->fixed_visitors <= theirs->fixed_visitors))
    {
        return false;
    }

    ours->fixed_visitors = theirs->fixed_visitors;
    ours->fixed_p = theirs->fixed_p;
    ours->fixed_lo = theirs->fixed_lo;
    ours->fixed_hi = theirs->fixed_hi;

    return true;
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
