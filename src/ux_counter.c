
/*
 * Copyright (C) the nginx-ux authors
 *
 * Counters: a cell of a worker's own copy has one writer, so a plain load
 * and store does (no locked instruction, no line shared with a writer); a
 * cell of the shared copy is added to atomically.  A reader sums the copies.
 *
 * Cost: one line of the worker's own a change.  A kill between load and store
 * leaves the change undone, after the store done; nothing is ever half.
 */

#include "ux_counter.h"


/*
 * A ring cell with a bucket newer than the one given, by less than this, has
 * replaced it.  By more, the clock that wrote it was wrong: it is overwritten.
 */
#define UX_RING_AHEAD_MAX  (1u << 20)

/* An hour and its ends, and a bucket that another's clock has begun. */
_Static_assert(UX_UNCONFIRMED_AGE_MS / UX_UNCONFIRMED_WIDTH_MS + 3
               <= UX_BUCKETS, "the ring is longer than the age");


static inline uint64_t ux_counter_sum(const ux_counter_t *counter,
    uint32_t cell);
static uint64_t ux_ring_cell(uint64_t old, uint32_t bucket, int32_t delta);


const char *const  ux_discard_names[UX_DISCARDS] = {
    "excluded",
    "override",
    "no_consent",
    "bot",
    "prefetch",
    "head",
    "cross_site",
    "cached",
    "bad_cookie",
    "bad_event",
    "unknown_event",
    "duplicate",
    "refund_excess",
    "not_exposed",
    "after_window",
    "zone_full"
};


uint64_t
ux_bucket_width_ms(uint64_t within_ms)
{
    uint64_t  width;

    width = within_ms / 60;

    return width < 1000 ? 1000 : width;
}


void
ux_changes_clear(ux_changes_t *changes)
{
    changes->n = 0;
    changes->nrings = 0;
    changes->nwindows = 0;
    changes->overflow = false;
}


bool
ux_changes_lost(ux_changes_t *changes)
{
    if (!changes->overflow || changes->told) {
        return false;
    }

    changes->told = true;

    return true;
}


void
ux_changes_add(ux_changes_t *changes, uint32_t cell, int64_t delta)
{
    if (changes->n == UX_CHANGES_MAX) {
        changes->overflow = true;
        return;
    }

    changes->items[changes->n].cell = cell;
    changes->items[changes->n].delta = delta;
    changes->n++;
}


void
ux_changes_ring(ux_changes_t *changes, ux_ring_change_t change)
{
    if (changes->nrings == UX_RING_CHANGES_MAX) {
        changes->overflow = true;
        return;
    }

    changes->rings[changes->nrings++] = change;
}


void
ux_changes_window(ux_changes_t *changes, ux_ring_change_t change)
{
    if (changes->nwindows == UX_WINDOW_CHANGES_MAX) {
        changes->overflow = true;
        return;
    }

    changes->windows[changes->nwindows++] = change;
}


void
ux_counter_add_shared(ux_counter_t *counter, uint32_t cell, int64_t delta)
{
    if (cell < counter->all_cells) {
        (void) __atomic_fetch_add(&counter->shared[cell], (uint64_t) delta,
                                  __ATOMIC_RELEASE);
    }
}


/* The new content of a ring cell, or the old one if the change is too old. */
static uint64_t
ux_ring_cell(uint64_t old, uint32_t bucket, int32_t delta)
{
    uint32_t  stored, count;

    stored = (uint32_t) (old >> 32);
    count = (uint32_t) old;

    if (stored != bucket) {
        if (stored > bucket && stored - bucket < UX_RING_AHEAD_MAX) {
            return old;
        }

        count = 0;
    }

    /* unsigned: a count that wraps is wrong, but no undefined behaviour */
    count += (uint32_t) delta;

    return (uint64_t) bucket << 32 | count;
}


void
ux_counter_ring_add(ux_counter_t *counter, uint32_t cell, uint32_t bucket,
    int32_t delta)
{
    uint64_t  *ring, old, value;

    if (cell >= counter->all_cells) {
        return;
    }

    ring = &counter->shared[cell];
    old = __atomic_load_n(ring, __ATOMIC_RELAXED);

    do {
        value = ux_ring_cell(old, bucket, delta);

    } while (!__atomic_compare_exchange_n(ring, &old, value, true,
                                          __ATOMIC_RELEASE,
                                          __ATOMIC_RELAXED));
}


bool
ux_counter_due(ux_counter_t *counter, uint32_t cell, uint64_t now,
    uint64_t period)
{
    uint64_t  *shared, last;

    if (cell >= counter->all_cells) {
        return false;
    }

    shared = &counter->shared[cell];
    last = __atomic_load_n(shared, __ATOMIC_RELAXED);

    /* a clock that went back makes it due, by the wrap */

    if (last != 0 && now - last < period) {
        return false;
    }

    return __atomic_compare_exchange_n(shared, &last, now, false,
                                       __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}


uint64_t
ux_counter_read(const ux_counter_t *counter, uint32_t cell)
{
    return cell < counter->all_cells ? ux_counter_sum(counter, cell) : 0;
}


/* The cell is one of the zone's. */
static inline uint64_t
ux_counter_sum(const ux_counter_t *counter, uint32_t cell)
{
    size_t    i;
    uint64_t  sum;

    sum = __atomic_load_n(&counter->shared[cell], __ATOMIC_ACQUIRE);

    if (cell < counter->own_cells) {

        for (i = 0; i < UX_WORKERS; i++) {
            sum += __atomic_load_n(
                &counter->copies[i * counter->own_cells + cell],
                __ATOMIC_ACQUIRE);
        }
    }

    return sum;
}


int32_t
ux_counter_ring_read(const ux_counter_t *counter, uint32_t cell,
    uint32_t bucket)
{
    uint64_t  value;

    if (cell >= counter->all_cells) {
        return 0;
    }

    value = __atomic_load_n(&counter->shared[cell], __ATOMIC_ACQUIRE);

    if ((uint32_t) (value >> 32) != bucket) {
        return 0;
    }

    return (int32_t) (uint32_t) value;
}


/* Clocks of two workers may differ by a moment: the next bucket counts too. */
uint64_t
ux_counter_recent(const ux_counter_t *counter, uint32_t ring,
    uint64_t width_ms, uint64_t age_ms, uint64_t now_ms)
{
    int32_t   n;
    uint64_t  sum, bucket;
    unsigned  i;

    if (width_ms == 0) {
        return 0;
    }

    bucket = now_ms / width_ms + 1;
    sum = 0;

    for (i = 0; i < UX_BUCKETS && bucket != 0; i++, bucket--) {

        if ((bucket + 1) * width_ms + age_ms <= now_ms) {
            break;
        }

        n = ux_counter_ring_read(counter,
                                 ring + (uint32_t) (bucket % UX_BUCKETS),
                                 (uint32_t) bucket);
        sum += n > 0 ? (uint64_t) n : 0;
    }

    return sum;
}


void
ux_counter_fold(const ux_counter_t *counter, uint32_t cell, unsigned n,
    uint64_t *values)
{
    const uint64_t  *shared;

    /* histograms are all of the shared copy, and long */

    if (cell >= counter->own_cells
        && (uint64_t) cell + n <= counter->all_cells)
    {
        shared = counter->shared + cell;

        while (n > 0) {
            n--;
            values[n] = __atomic_load_n(&shared[n], __ATOMIC_ACQUIRE);
        }

        return;
    }

    while (n > 0) {
        n--;
        values[n] = (uint64_t) cell + n < counter->all_cells
                    ? ux_counter_sum(counter, cell + n) : 0;
    }
}
