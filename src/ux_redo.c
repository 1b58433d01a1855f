
/*
 * Copyright (C) the nginx-ux authors
 *
 * A list of changes in the zone, and how far it is.
 *
 *   memory   [ flux | first | end | changes ... ]
 *   flux     number of the next change << 2 | how far that is, and of it: the
 *            cell, its value before, what is added
 *
 * A list counts once it is whole, by the one store of its end; then every
 * change is made, by whoever made the list or by a survivor.  The difficulty
 * is the one addition.  Others add to the same cell, so that neither value nor
 * difference says whether it was made when its process was killed.  So it is
 * made in two, and the first carries a mark that no others' additions can be
 * taken for: half of all values, 2^63.
 *
 *   0  idle     notes cell, `before`, delta, then turn = NOTED
 *   1  NOTED    adds delta + 2^63, then turn = MARKED
 *   2  MARKED   adds 2^63, which with the first is 0; then turn = next, idle
 *
 *   value is nearest to     in 1                  in 2
 *   before                  not made
 *   before + delta + 2^63   made                  mark is there
 *   before + delta                                mark is gone
 *
 * where near is the distance modulo 2^64.  A delta of 2^61 or more is far from
 * 0 itself and is added without a mark.  Exact as long as others change the
 * cell by less than 2^60 from the note to the survivor: of a histogram, whose
 * upper bucket counts in steps of 2^32, by 2^28 values.
 *
 * Readers see the mark, for nanoseconds or until a survivor is there, and take
 * it off: see ux_counter_read().  Who only adds need not know of it.
 *
 * A ring's cell has no such room; its mark is UX_RING_MARK in the count, which
 * whoever changes the cell carries along, also into a new bucket.
 *
 * A word that is set is set again if need be.
 */

#include "ux_redo.h"


#define UX_REDO_BYTES_MIN  16384
#define UX_REDO_BYTES_MAX  131072

/* On top of `cell`: numbers of cells are below. */
#define UX_REDO_SUM    0u
#define UX_REDO_RING   0x40000000u
#define UX_REDO_SET    0x80000000u
#define UX_REDO_KIND   0xc0000000u

_Static_assert(sizeof(ux_redo_memory_t) + UX_REDO_MAX
               * sizeof(ux_redo_change_t) <= UX_REDO_BYTES_MAX,
               "a list is as long as the largest memory");


static void ux_redo_put(ux_redo_t *redo, uint32_t cell, uint32_t bucket,
    int64_t delta);
static unsigned ux_redo_head(uint32_t cell, uint32_t bucket);
static void ux_redo_change(ux_redo_t *redo, ux_counter_t *counter,
    const ux_redo_change_t *change);
static void ux_redo_note(ux_flux_t *flux, const ux_redo_change_t *change,
    uint64_t before);
static void ux_redo_sum(ux_flux_t *flux, uint64_t *cell);
static void ux_redo_mark_ring(const ux_flux_t *flux, uint64_t *cell,
    const ux_redo_change_t *change);
static void ux_redo_turn(ux_flux_t *flux, uint64_t number, unsigned phase);


uint64_t
ux_redo_bytes(uint64_t size)
{
    return ux_clamp(size / 32, UX_REDO_BYTES_MIN, UX_REDO_BYTES_MAX);
}


uint32_t
ux_redo_room(uint64_t bytes)
{
    uint64_t  n;

    n = (bytes - sizeof(ux_redo_memory_t)) / sizeof(ux_redo_change_t);

    return n < UX_REDO_MAX ? (uint32_t) n : UX_REDO_MAX;
}


void
ux_redo_begin(ux_redo_t *redo)
{
    unsigned                 i;
    const ux_redo_change_t  *change;

    for (i = 0; i < redo->n; i++) {
        change = &redo->memory->changes[i];
        redo->index->heads[ux_redo_head(change->cell, change->bucket)] = 0;
    }

    redo->n = 0;
    redo->full = false;

    __atomic_store_n(&redo->memory->first, redo->memory->flux.turn >> 2,
                     __ATOMIC_RELEASE);
}


void
ux_redo_add(ux_redo_t *redo, uint32_t cell, int64_t delta)
{
    ux_redo_put(redo, cell | UX_REDO_SUM, 0, delta);
}


void
ux_redo_ring(ux_redo_t *redo, uint32_t cell, uint32_t bucket, int32_t delta)
{
    ux_redo_put(redo, cell | UX_REDO_RING, bucket, delta);
}


void
ux_redo_set(ux_redo_t *redo, const uint64_t *word, uint64_t value)
{
    ux_redo_put(redo, (uint32_t) (word - redo->zone) | UX_REDO_SET, 0,
                (int64_t) value);
}


static void
ux_redo_put(ux_redo_t *redo, uint32_t cell, uint32_t bucket, int64_t delta)
{
    unsigned           head;
    uint16_t           i;
    ux_redo_change_t  *change;

    head = ux_redo_head(cell, bucket);

    for (i = redo->index->heads[head]; i != 0; i = redo->index->next[i - 1]) {
        change = &redo->memory->changes[i - 1];

        if (change->cell == cell && change->bucket == bucket) {
            change->delta = (int64_t) ((uint64_t) change->delta
                                       + (uint64_t) delta);
            return;
        }
    }

    if (redo->n == redo->max) {
        redo->full = true;
        return;
    }

    redo->index->next[redo->n] = redo->index->heads[head];
    change = &redo->memory->changes[redo->n++];
    redo->index->heads[head] = (uint16_t) redo->n;

    change->cell = cell;
    change->bucket = bucket;
    change->delta = delta;
}


static unsigned
ux_redo_head(uint32_t cell, uint32_t bucket)
{
    return ((cell ^ bucket) * 0x9e3779b1u >> 16) % UX_REDO_HEADS;
}


uint64_t
ux_redo_end(const ux_redo_t *redo)
{
    return redo->memory->first + redo->n;
}


void
ux_redo_commit(ux_redo_t *redo)
{
    __atomic_store_n(&redo->memory->end, ux_redo_end(redo),
                     __ATOMIC_RELEASE);
}


void
ux_redo_finish(ux_redo_t *redo, ux_counter_t *counter)
{
    uint64_t           number;
    ux_redo_memory_t  *memory;

    memory = redo->memory;
    number = __atomic_load_n(&memory->flux.turn, __ATOMIC_ACQUIRE) >> 2;

    while (number < __atomic_load_n(&memory->end, __ATOMIC_ACQUIRE)
           && number - memory->first < redo->max)
    {
        ux_redo_change(redo, counter,
                       &memory->changes[number - memory->first]);

        number++;
        ux_redo_turn(&memory->flux, number, UX_FLUX_IDLE);
    }
}


/* From wherever it has come to. */
static void
ux_redo_change(ux_redo_t *redo, ux_counter_t *counter,
    const ux_redo_change_t *change)
{
    uint32_t    cell;
    uint64_t   *shared;
    ux_flux_t  *flux;

    flux = &redo->memory->flux;
    cell = change->cell & ~UX_REDO_KIND;

    if ((change->cell & UX_REDO_KIND) == UX_REDO_SET) {
        if (cell < redo->words) {
            __atomic_store_n(&redo->zone[cell], (uint64_t) change->delta,
                             __ATOMIC_RELEASE);
        }

        return;
    }

    if (cell >= counter->all_cells
        || (change->delta == 0 && !(change->cell & UX_REDO_RING)))
    {
        return;                      /* a bucket may be new with nothing */
    }

    shared = &counter->shared[cell];

    if ((flux->turn & UX_FLUX_PHASE) == UX_FLUX_IDLE) {
        ux_redo_note(flux, change, __atomic_load_n(shared, __ATOMIC_RELAXED));
        ux_redo_turn(flux, flux->turn >> 2, UX_FLUX_NOTED);
    }

    if (change->cell & UX_REDO_RING) {
        ux_redo_mark_ring(flux, shared, change);
        ux_redo_turn(flux, flux->turn >> 2, UX_FLUX_MARKED);
        ux_counter_ring_unmark(shared);

    } else {
        ux_redo_sum(flux, shared);
    }
}


/* While idle: no reader looks, no survivor. */
static void
ux_redo_note(ux_flux_t *flux, const ux_redo_change_t *change, uint64_t before)
{
    __atomic_store_n(&flux->cell, change->cell, __ATOMIC_RELAXED);
    __atomic_store_n(&flux->delta, (uint64_t) change->delta,
                     __ATOMIC_RELAXED);
    __atomic_store_n(&flux->before, before, __ATOMIC_RELAXED);
}


static void
ux_redo_sum(ux_flux_t *flux, uint64_t *cell)
{
    uint64_t  mark, value, made;

    mark = ux_flux_mark(flux->delta);
    made = flux->before + flux->delta + mark;

    if ((flux->turn & UX_FLUX_PHASE) == UX_FLUX_NOTED) {
        value = __atomic_load_n(cell, __ATOMIC_RELAXED);

        if (ux_flux_nearer(value, flux->before, made)) {
            (void) __atomic_fetch_add(cell, flux->delta + mark,
                                      __ATOMIC_RELEASE);
        }

        ux_redo_turn(flux, flux->turn >> 2, UX_FLUX_MARKED);
    }

    value = __atomic_load_n(cell, __ATOMIC_RELAXED);

    if (mark != 0 && ux_flux_nearer(value, made, made - mark)) {
        (void) __atomic_fetch_add(cell, mark, __ATOMIC_RELEASE);
    }
}


/* Once: not if it bears the mark, nor after it has borne it. */
static void
ux_redo_mark_ring(const ux_flux_t *flux, uint64_t *cell,
    const ux_redo_change_t *change)
{
    if ((flux->turn & UX_FLUX_PHASE) == UX_FLUX_NOTED) {
        ux_counter_ring_mark(cell, change->bucket, (int32_t) change->delta);
    }
}


/*
 * All stores of the killed are there up to some instruction, and none behind
 * it: the order of instructions is what matters to a survivor, and to readers
 * that of stores.
 */
static void
ux_redo_turn(ux_flux_t *flux, uint64_t number, unsigned phase)
{
    __atomic_store_n(&flux->turn, number << 2 | phase, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_RELEASE);
}
