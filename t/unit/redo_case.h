
/*
 * Copyright (C) the nginx-ux authors
 *
 * What the tests of lists of changes share: counters, a list with a change of
 * every kind, and what it makes of them.
 */

#ifndef REDO_CASE_H
#define REDO_CASE_H


#include "ux_redo.h"
#include "tap.h"

#include <string.h>
#include <sys/mman.h>


#define OWN     16
#define ALL     32
#define RINGS   20                   /* cells from here on */
#define BYTES   4096


typedef struct {
    uint64_t  word;                  /* one that is set */
    uint64_t  copies[UX_WORKERS * OWN];
    uint64_t  shared[ALL];
    uint64_t  redo[BYTES / 8];
    uint64_t  added[2];              /* and by others */
} memory_t;


static memory_t         *memory;     /* with a child */
static ux_redo_index_t   index_of;


__attribute__((unused))
static ux_counter_t
counter_of(memory_t *m, int worker)
{
    ux_counter_t  counter;

    counter.copies = m->copies;
    counter.written = NULL;
    counter.shared = m->shared;
    counter.own_cells = OWN;
    counter.all_cells = ALL;
    counter.mine = worker < 0 ? NULL : m->copies + worker * OWN;
    counter.flux = (const ux_flux_t *) (const void *) m->redo;

    return counter;
}


__attribute__((unused))
static ux_redo_t
redo_of(memory_t *m)
{
    ux_redo_t  redo;

    memset(&redo, 0, sizeof(redo));
    memset(&index_of, 0, sizeof(index_of));
    redo.memory = (ux_redo_memory_t *) (void *) m->redo;
    redo.zone = &m->word;
    redo.words = 1;
    redo.max = ux_redo_room(BYTES);
    redo.index = &index_of;

    return redo;
}


__attribute__((unused))
static void *
map(void)
{
    void  *mem;

    mem = mmap(NULL, sizeof(memory_t), PROT_READ | PROT_WRITE,
               MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (mem == MAP_FAILED) {
        printf("Bail out! no memory\n");
        exit(1);
    }

    return mem;
}


static const int64_t  deltas[] = {
    5, -7, 1ll << 40, (1ll << 61) - 1, 1ll << 61, -(1ll << 61),
    -(1ll << 61) - 1, 3ll << 60, INT64_MAX, INT64_MIN, 0, (1ll << 32) * 9
};

#define DELTAS  (sizeof(deltas) / sizeof(deltas[0]))


/* Of sums, one each; of rings: the same bucket, a newer one, an older one,
 * an empty cell; and the word. */
__attribute__((unused))
static void
list(ux_redo_t *redo)
{
    unsigned  i;

    ux_redo_begin(redo);

    for (i = 0; i < DELTAS; i++) {
        ux_redo_add(redo, i + 8, deltas[i]);
    }

    ux_redo_ring(redo, RINGS, 1000, 30);
    ux_redo_ring(redo, RINGS + 1, 1001, 31);
    ux_redo_ring(redo, RINGS + 2, 999, 32);
    ux_redo_ring(redo, RINGS + 3, 1000, -33);
    ux_redo_set(redo, redo->zone, 77);
}


__attribute__((unused))
static void
memory_start(memory_t *m)
{
    unsigned      i;
    ux_counter_t  own, shared;

    memset(m, 0, sizeof(memory_t));
    own = counter_of(m, 3);
    shared = counter_of(m, -1);

    for (i = 0; i < DELTAS; i++) {
        ux_counter_add(&own, i + 8, 1000 + i);
        ux_counter_add(&shared, i + 8, i % 3 ? (int64_t) i << 59 : -9);
    }

    for (i = 0; i < 3; i++) {
        ux_counter_ring_add(&shared, RINGS + i, 1000, i == 2 ? -4 : 4);
    }
}


__attribute__((unused))
static uint64_t
ring(uint32_t bucket, int32_t count)
{
    return (uint64_t) bucket << 32 | (uint32_t) count;
}


/* made: with the list; beside: with what others add. */
__attribute__((unused))
static bool
as_it_should(memory_t *m, bool made, bool beside)
{
    bool           good;
    unsigned       i;
    uint64_t       value, values[DELTAS];
    ux_counter_t   c;

    static const uint32_t  buckets[2][4] = {
        { 1000, 1000, 1000, 0 }, { 1000, 1001, 1000, 1000 }
    };
    static const int32_t   counts[2][4] = {
        { 4, 4, -4, 0 }, { 34, 31, -4, -33 }
    };

    c = counter_of(m, 3);
    ux_counter_fold(&c, 8, DELTAS, values);
    good = m->word == (made ? 77 : 0);

    for (i = 0; i < DELTAS; i++) {
        value = 1000 + i + (uint64_t) (i % 3 ? (int64_t) i << 59 : -9)
                + (made ? (uint64_t) deltas[i] : 0)
                + (beside ? (uint64_t) i * 4096 - 5000 : 0);
        good = good && ux_counter_read(&c, i + 8) == value
               && values[i] == value;
    }

    for (i = 0; i < 4; i++) {
        value = ring(buckets[made][i], counts[made][i]);

        if (beside) {
            value = i == 1 ? ring(1001, made ? 37 : 6)
                           : ring(1000, counts[made][i] + 6);
        }

        good = good && ux_counter_ring_cell(&c, RINGS + i) == value;
    }

    return good;
}


__attribute__((unused))
static void
others_add(memory_t *m)
{
    unsigned      i;
    ux_counter_t  c;

    c = counter_of(m, -1);

    for (i = 0; i < DELTAS; i++) {
        ux_counter_add(&c, i + 8, (int64_t) i * 4096 - 5000);
    }

    for (i = 0; i < 4; i++) {
        ux_counter_ring_add(&c, RINGS + i, i == 1 ? 1001 : 1000, 6);
    }
}


#endif
