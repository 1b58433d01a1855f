
/*
 * Copyright (C) the nginx-ux authors
 *
 * Counters: a cell of a worker's own copy has one writer, so a plain load
 * and store does (no locked instruction, no line shared with a writer); a
 * cell of the shared copy is added to atomically.  A reader sums the copies.
 *
 * Cost: one line of the worker's own a change.  A kill between load and store
 * leaves the change undone, after the store done; nothing is ever half, but
 * the addition of a merge, which is made in two (ux_redo.c).
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


/*
 * In the count of a ring's cell: see ux_redo.c.  Counts stay below half of it.
 */
#define UX_RING_MARK  0x40000000u


static uint64_t ux_counter_turn(const ux_counter_t *counter);
static inline uint64_t ux_counter_sum(const ux_counter_t *counter,
    uint32_t cell, uint64_t *shared);
static void ux_counter_fold_once(const ux_counter_t *counter, uint32_t cell,
    unsigned n, uint64_t *values);
static bool ux_counter_marked(const ux_flux_t *flux, uint32_t cell,
    uint64_t shared);
static uint64_t ux_ring_cell(uint64_t old, uint32_t bucket, int32_t delta);
static uint32_t ux_ring_mark(uint64_t cell);
static uint64_t ux_ring_plus(uint64_t cell, uint32_t count);


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


/*
 * The new content of a ring cell, or the old one if the change is too old.  A
 * mark stays, whatever becomes of the count.
 */
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

        count = ux_ring_mark(old);
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


/* The mark that the cell bears, or 0. */
static uint32_t
ux_ring_mark(uint64_t cell)
{
    return (int32_t) (uint32_t) cell >= (int32_t) (UX_RING_MARK / 2)
           ? UX_RING_MARK : 0;
}


static uint64_t
ux_ring_plus(uint64_t cell, uint32_t count)
{
    return (cell >> 32 << 32) | (uint32_t) ((uint32_t) cell + count);
}


void
ux_counter_ring_mark(uint64_t *ring, uint32_t bucket, int32_t delta)
{
    uint64_t  old, value;

    old = __atomic_load_n(ring, __ATOMIC_RELAXED);

    do {
        if (ux_ring_mark(old) != 0) {
            return;
        }

        value = ux_ring_plus(ux_ring_cell(old, bucket, delta), UX_RING_MARK);

    } while (!__atomic_compare_exchange_n(ring, &old, value, true,
                                          __ATOMIC_RELEASE,
                                          __ATOMIC_RELAXED));
}


void
ux_counter_ring_unmark(uint64_t *ring)
{
    uint64_t  old, value;

    old = __atomic_load_n(ring, __ATOMIC_RELAXED);

    do {
        value = ux_ring_plus(old, -ux_ring_mark(old));

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


/*
 * A merge may be at this very cell: then what it is at is read again, until it
 * was the same before and after.
 */
uint64_t
ux_counter_read(const ux_counter_t *counter, uint32_t cell)
{
    bool      marked;
    uint64_t  turn, sum, shared;

    if (cell >= counter->all_cells) {
        return 0;
    }

    do {
        turn = ux_counter_turn(counter);
        sum = ux_counter_sum(counter, cell, &shared);
        marked = (turn & UX_FLUX_PHASE) != UX_FLUX_IDLE
                 && ux_counter_marked(counter->flux, cell, shared);

    } while (turn != ux_counter_turn(counter));

    return marked ? sum + (1ull << 63) : sum;
}


/* How far a merge is; what was loaded before it is older. */
static uint64_t
ux_counter_turn(const ux_counter_t *counter)
{
    if (counter->flux == NULL) {
        return 0;
    }

    __atomic_thread_fence(__ATOMIC_ACQUIRE);

    return __atomic_load_n(&counter->flux->turn, __ATOMIC_ACQUIRE);
}


static bool
ux_counter_marked(const ux_flux_t *flux, uint32_t cell, uint64_t shared)
{
    uint64_t  before, delta, made;

    if (__atomic_load_n(&flux->cell, __ATOMIC_RELAXED) != cell) {
        return false;
    }

    before = __atomic_load_n(&flux->before, __ATOMIC_RELAXED);
    delta = __atomic_load_n(&flux->delta, __ATOMIC_RELAXED);
    made = before + delta;

    return ux_flux_mark(delta) != 0
           && ux_flux_nearer(shared, made + (1ull << 63), made);
}


/* The cell is one of the zone's; *shared: what of it is in the shared copy. */
static inline uint64_t
ux_counter_sum(const ux_counter_t *counter, uint32_t cell, uint64_t *shared)
{
    size_t    i, n;
    uint64_t  sum;

    *shared = __atomic_load_n(&counter->shared[cell], __ATOMIC_ACQUIRE);
    sum = *shared;

    if (cell < counter->own_cells) {
        n = counter->written == NULL
            ? UX_WORKERS : __atomic_load_n(counter->written, __ATOMIC_ACQUIRE);

        for (i = 0; i < n; i++) {
            sum += __atomic_load_n(
                &counter->copies[i * counter->own_cells + cell],
                __ATOMIC_ACQUIRE);
        }
    }

    return sum;
}


uint64_t
ux_counter_ring_cell(const ux_counter_t *counter, uint32_t cell)
{
    uint64_t  value;

    if (cell >= counter->all_cells) {
        return 0;
    }

    value = __atomic_load_n(&counter->shared[cell], __ATOMIC_ACQUIRE);

    return ux_ring_plus(value, -ux_ring_mark(value));
}


int32_t
ux_counter_ring_read(const ux_counter_t *counter, uint32_t cell,
    uint32_t bucket)
{
    uint64_t  value;

    value = ux_counter_ring_cell(counter, cell);

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
    unsigned  i;
    uint64_t  turn;

    turn = ux_counter_turn(counter);

    ux_counter_fold_once(counter, cell, n, values);

    if (turn == ux_counter_turn(counter)
        && (turn & UX_FLUX_PHASE) == UX_FLUX_IDLE)
    {
        return;
    }

    for (i = n; i > 0; i--) {
        values[i - 1] = (uint64_t) cell + i - 1 < counter->all_cells
                        ? ux_counter_read(counter, cell + i - 1) : 0;
    }
}


/* With what a merge may have marked them with. */
static void
ux_counter_fold_once(const ux_counter_t *counter, uint32_t cell, unsigned n,
    uint64_t *values)
{
    uint64_t         of_shared;
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
                    ? ux_counter_sum(counter, cell + n, &of_shared) : 0;
    }
}
