
/*
 * Copyright (C) the nginx-ux authors
 *
 * Counters: copies, the shared part, rings, folding, several writers.
 */

#include "ux_counter.h"
#include "tap.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>


#define OWN  24
#define ALL  64


typedef struct {
    uint64_t  copies[UX_WORKERS * OWN];
    uint64_t  shared[ALL];
} cells_t;


static ux_counter_t
view(cells_t *cells, int worker)
{
    ux_counter_t  counter;

    counter.copies = cells->copies;
    counter.written = NULL;
    counter.shared = cells->shared;
    counter.own_cells = OWN;
    counter.all_cells = ALL;
    counter.mine = worker < 0 ? NULL : cells->copies + worker * OWN;
    counter.flux = NULL;

    return counter;
}


static cells_t *
cells_make(void)
{
    void  *mem;

    mem = mmap(NULL, sizeof(cells_t), PROT_READ | PROT_WRITE,
               MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return mem == MAP_FAILED ? NULL : mem;
}


static void
test_add(void)
{
    unsigned       i, touched;
    cells_t       *cells;
    uint64_t       values[4];
    ux_counter_t   w0, w15, other;

    cells = cells_make();
    w0 = view(cells, 0);
    w15 = view(cells, 15);
    other = view(cells, -1);

    ux_counter_add(&w0, 3, 5);
    ux_counter_add(&w15, 3, -7);
    ux_counter_add(&other, 3, 10);

    ok(cells->copies[3] == 5, "a worker writes its own copy");
    ok(cells->copies[15 * OWN + 3] == (uint64_t) -7, "so does the last one");
    ok(cells->shared[3] == 10, "a process without a copy writes the shared");
    ok(ux_counter_read(&other, 3) == 8, "a value is the sum of all copies");

    ux_counter_add(&w0, OWN, 4);
    ux_counter_add(&w15, OWN, 4);
    ok(cells->shared[OWN] == 8, "cells beyond the copies are shared");
    ok(cells->copies[OWN] == 0, "and not in the next worker's copy");

    ux_counter_add(&w0, 5, INT64_MIN);
    ux_counter_add(&w0, 5, INT64_MIN);
    ok(ux_counter_read(&w0, 5) == 0, "values are modulo 2^64");

    memset(cells, 0, sizeof(cells_t));
    ux_counter_add(&w0, ALL, 1);
    ux_counter_add(&other, ALL, 1);
    ux_counter_add(&w0, UINT32_MAX, 1);
    ux_counter_ring_add(&w0, ALL, 1, 1);

    touched = 0;
    for (i = 0; i < sizeof(cells_t) / 8; i++) {
        touched += ((uint64_t *) (void *) cells)[i] != 0;
    }

    ok(touched == 0, "cells out of range are ignored");
    ok(ux_counter_read(&w0, ALL) == 0, "and read as 0");

    for (i = 0; i < 4; i++) {
        ux_counter_add(&w0, OWN - 2 + i, (int64_t) i + 1);
        ux_counter_add(&other, OWN - 2 + i, 10);
    }

    ux_counter_fold(&w0, OWN - 2, 4, values);
    ok(values[0] == 11 && values[1] == 12 && values[2] == 13
       && values[3] == 14, "fold sums across the end of the copies");
}


static void
test_ring(void)
{
    cells_t       *cells;
    ux_counter_t   w;

    cells = cells_make();
    w = view(cells, 0);

    ux_counter_ring_add(&w, 7, 1000, 3);
    ux_counter_ring_add(&w, 7, 1000, -5);
    ok(ux_counter_ring_read(&w, 7, 1000) == -2, "a ring cell is signed");
    ok(ux_counter_ring_read(&w, 7, 1064) == 0, "of another bucket it is 0");
    ok(cells->copies[7] == 0, "rings are in the shared copy only");

    ux_counter_ring_add(&w, 7, 1064, 4);
    ok(ux_counter_ring_read(&w, 7, 1064) == 4, "a newer bucket overwrites");

    ux_counter_ring_add(&w, 7, 1000, 1);
    ok(ux_counter_ring_read(&w, 7, 1064) == 4
       && ux_counter_ring_read(&w, 7, 1000) == 0,
       "an older one is dropped");

    ux_counter_ring_add(&w, 7, 0xfffffff0u, 9);
    ux_counter_ring_add(&w, 7, 1128, 2);
    ok(ux_counter_ring_read(&w, 7, 1128) == 2,
       "a bucket of a clock far ahead does not block the ring");
}


/* Width 10, age 100: at 1000 the bucket 89 ends in time, 90 does not. */
static void
test_recent(void)
{
    unsigned       b;
    cells_t       *cells;
    ux_counter_t   w;

    cells = cells_make();
    w = view(cells, 0);
    w.all_cells = UX_BUCKETS;

    ok(ux_counter_recent(&w, 0, 10, 100, 1000) == 0, "an empty ring");

    for (b = 80; b < 104; b++) {
        ux_counter_ring_add(&w, b % UX_BUCKETS, b, 1 << (b - 80));
    }

    ok(ux_counter_recent(&w, 0, 10, 100, 999) == ((1 << 21) - (1 << 9)),
       "buckets that end later than the age before, and the next");
    ok(ux_counter_recent(&w, 0, 10, 100, 1000) == ((1 << 22) - (1 << 10)),
       "a moment later another");
    ok(ux_counter_recent(&w, 0, 10, 100, 1009) == ((1 << 22) - (1 << 10))
       && ux_counter_recent(&w, 0, 10, 100, 1010) == ((1 << 23) - (1 << 11)),
       "and then after a bucket's width");
    ok(ux_counter_recent(&w, 0, 10, 0, 1000) == ((1 << 22) - (1 << 20)),
       "of age 0 the current one");
    ok(ux_counter_recent(&w, 0, 10, 100, 5000) == 0, "all of them get old");

    ux_counter_ring_add(&w, 95 % UX_BUCKETS, 95, -(1 << 16));
    ok(ux_counter_recent(&w, 0, 10, 100, 1000)
       == ((1 << 22) - (1 << 10) - (1 << 15)),
       "a bucket below 0 counts as 0");

    ux_counter_ring_add(&w, 96 % UX_BUCKETS, 96 + UX_BUCKETS, 5);
    ok(ux_counter_recent(&w, 0, 10, 100, 1000)
       == ((1 << 22) - (1 << 10) - (1 << 15) - (1 << 16)),
       "one whose cell is another's counts as 0");

    ok(ux_counter_recent(&w, 0, 0, 100, 1000) == 0
       && ux_counter_recent(&w, UX_BUCKETS, 10, 100, 1000) == 0,
       "no width or no cells, no count");
}


static void
test_due(void)
{
    cells_t       *cells;
    ux_counter_t   w0, w15;

    cells = cells_make();
    w0 = view(cells, 0);
    w15 = view(cells, 15);

    ok(ux_counter_due(&w0, 4, 1000, 60), "what never was is due");
    ok(!ux_counter_due(&w15, 4, 1000, 60), "for one process only");
    ok(!ux_counter_due(&w0, 4, 1059, 60), "not again within the period");
    ok(ux_counter_due(&w15, 4, 1060, 60), "but after it");
    ok(ux_counter_due(&w0, 4, 500, 60), "or when the clock went back");
    ok(!ux_counter_due(&w0, ALL, 5000, 60), "never for a cell out of range");
}


static void
test_names(void)
{
    unsigned  i;
    bool      all;

    all = true;

    for (i = 0; i < UX_DISCARDS; i++) {
        all = all && ux_discard_names[i] != NULL;
    }

    ok(all, "every reason has a name");
    ok(strcmp(ux_discard_names[UX_DISCARD_CROSS_SITE], "cross_site") == 0
       && strcmp(ux_discard_names[UX_DISCARD_ZONE_FULL], "zone_full") == 0,
       "and its own");

    ok(ux_bucket_width_ms(0) == 1000, "a bucket is a second at least");
    ok(ux_bucket_width_ms(3600000) == 60000, "an hour has buckets of 1 min");
    ok(ux_bucket_width_ms(3600000) * UX_BUCKETS > 3600000,
       "the ring is longer than the window");
}


static void
test_changes(void)
{
    unsigned              i;
    ux_ring_change_t      ring;
    static ux_changes_t   changes;

    memset(&ring, 0, sizeof(ring));

    ux_changes_clear(&changes);

    for (i = 0; i < UX_CHANGES_MAX; i++) {
        ux_changes_add(&changes, i, 1);
    }

    ok(!changes.overflow && changes.n == UX_CHANGES_MAX, "changes fill");

    ux_changes_add(&changes, 1, 1);
    ok(ux_changes_lost(&changes), "told");
    ok(!ux_changes_lost(&changes), "once");
    ok(changes.overflow && changes.n == UX_CHANGES_MAX,
       "one too many is told, not written");

    ux_changes_clear(&changes);
    ok(!changes.overflow && changes.n == 0, "clear empties");

    for (i = 0; i <= UX_RING_CHANGES_MAX; i++) {
        ux_changes_ring(&changes, ring);
    }

    ok(changes.overflow && changes.nrings == UX_RING_CHANGES_MAX,
       "rings have a bound as well");
}


/* Four processes, two with a copy: nothing is lost. */
static void
test_processes(void)
{
    int            p, k;
    cells_t       *cells;
    ux_counter_t   w;

    cells = cells_make();

    fflush(stdout);

    for (p = 0; p < 4; p++) {
        if (fork() == 0) {
            w = view(cells, p < 2 ? p : -1);

            for (k = 0; k < 200000; k++) {
                ux_counter_add(&w, 1, 1);
                ux_counter_add(&w, OWN + 1, 2);
                ux_counter_ring_add(&w, OWN + 2, 77, 1);
            }

            _exit(0);
        }
    }

    while (wait(NULL) > 0) {
        /* void */
    }

    w = view(cells, -1);
    ok(ux_counter_read(&w, 1) == 800000, "no addition lost, own and shared");
    ok(ux_counter_read(&w, OWN + 1) == 1600000, "nor in the shared cells");
    ok(ux_counter_ring_read(&w, OWN + 2, 77) == 800000, "nor in a ring");
}


int
main(void)
{
    test_names();
    test_changes();
    test_add();
    test_ring();
    test_recent();
    test_due();
    test_processes();

    return done();
}
