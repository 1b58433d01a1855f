
/*
 * Copyright (C) the nginx-ux authors
 *
 * A zone as a whole: its layout, attaching, joining, applying.
 */

#include "store_case.h"

#include <sys/wait.h>
#include <unistd.h>


static void
test_init(void)
{
    void               *mem;
    ux_store_t          store;
    ux_store_params_t   wrong;

    mem = zone_map(MIB);

    ok(ux_store_init(mem, UX_STORE_SIZE_MIN - 1, &params, secrets, 0, &error)
       == UX_ERROR && strstr(error.message, "458752") != NULL,
       "too small: the minimum is stated (%s)", error.message);

    wrong = params;
    wrong.experiments = 17;
    ok(ux_store_init(mem, MIB, &wrong, secrets, 0, &error) == UX_ERROR
       && strstr(error.message, "17") != NULL, "%s", error.message);
    wrong = params;
    wrong.totals = 9;
    ok(ux_store_init(mem, MIB, &wrong, secrets, 0, &error) == UX_ERROR,
       "so are too many totals");

    ok(ux_store_attach(&store, mem, MIB, &error) == UX_ERROR,
       "zeroed memory is no zone");

    munmap(mem, MIB);
}


static void
layout_check(size_t size)
{
    void                   *mem;
    uint64_t                counters, visitors;
    ux_store_t              store;
    const ux_store_head_t  *h;

    mem = zone_make(size);
    h = mem;

    ok(sizeof(ux_store_head_t) <= h->processes_at
       && h->processes_at + h->nprocesses * sizeof(ux_process_t)
          <= h->registry_at
       && h->registry_at + ux_registry_size(h->registry_capacity)
          <= h->copies_at
       && h->copies_at + UX_WORKERS * 8ull * h->own_cells <= h->shared_at
       && h->shared_at + 8ull * h->all_cells <= h->history_at
       && h->history_at + ux_history_bytes(size) <= h->buckets_at
       && h->buckets_at + ux_table_size(h->nbuckets) <= h->size
       && h->nbuckets >= 1 && h->size == size,
       "%zu KiB: parts in order, inside, %u buckets", size >> 10,
       h->nbuckets);
    ok((h->processes_at | h->registry_at | h->copies_at | h->shared_at
        | h->history_at | h->buckets_at) % 64 == 0 && h->own_cells % 8 == 0,
       "all aligned");

    counters = h->history_at - h->copies_at;
    visitors = ux_table_capacity(h->nbuckets);

    ok(h->nprocesses * sizeof(ux_process_t) <= size / 8
       && h->nprocesses >= 20 && counters <= size / 2 + 128
       && counters + 1280 >= (size / 2 < 256 * KIB ? size / 2
                             : size / 32 * 3 < 256 * KIB ? 256 * KIB
                             : size / 32 * 3),
       "processes at most an eighth, counters their share");
    ok(h->own_cells == 0 || h->own_cells >= UX_ZONE_CELLS,
       "copies hold the zone's own cells, or there are none");
    ok(ux_store_attach(&store, mem, size, &error) == UX_OK, "it attaches");

    if (size == 64 * MIB) {
        ok(size <= 158 * visitors, "64 MiB: %.1f bytes a visitor",
           (double) size / (double) visitors);
    }

    munmap(mem, size);
}


static void
test_attach(void)
{
    void             *mem;
    ux_store_t        store;
    ux_store_head_t  *h, good;

    mem = zone_make(MIB);
    h = mem;
    good = *h;

    ok(ux_store_attach(&store, mem, MIB, &error) == UX_OK
       && store.me == UX_PROCESS_NONE && store.counter.mine == NULL
       && store.plan.experiments_max == 8 && store.table.inactive_s == 2592000,
       "attaches as a reader");
    ok(memcmp(h->uuid, secrets, 16) == 0
       && memcmp(h->index_key, secrets + 16, 16) == 0
       && memcmp(h->secret, secrets + 32, 32) == 0 && h->created_ms == 123,
       "the random bytes are in their places");

    ok(ux_store_attach(&store, mem, MIB - 4096, &error) == UX_ERROR,
       "another size is refused");
    h->magic++;
    ok(ux_store_attach(&store, mem, MIB, &error) == UX_ERROR, "and a magic");
    *h = good;
    h->layout++;
    ok(ux_store_attach(&store, mem, MIB, &error) == UX_ERROR, "a layout");
    *h = good;
    h->buckets_at += 64;
    ok(ux_store_attach(&store, mem, MIB, &error) == UX_ERROR, "an offset");
    *h = good;
    h->nbuckets++;
    ok(ux_store_attach(&store, mem, MIB, &error) == UX_ERROR, "a count");
    *h = good;
    ok(ux_store_attach(&store, mem, MIB, &error) == UX_OK, "good again");

    munmap(mem, MIB);
}


static void
test_join(void)
{
    int          i, status, bad;
    void        *mem;
    ux_store_t   a;

    mem = zone_make(MIB);
    (void) ux_store_attach(&a, mem, MIB, &error);

    ok(ux_store_join(&a) == UX_OK && a.me == 0 && a.table.me == 0
       && a.counter.mine == a.counter.copies, "the first worker owns copy 0");
    ok(ux_store_join(&a) == UX_OK && a.me == 0, "joining twice is once");
    ok(a.head->written == 1, "readers look at its copy alone");

    ux_counter_add(&a.counter, UX_ZONE_INSERTED, 5);
    ux_store_leave(&a);
    ok(a.me == UX_PROCESS_NONE && a.counter.mine == NULL, "it leaves");

    (void) ux_store_join(&a);
    ux_counter_add(&a.counter, UX_ZONE_INSERTED, 5);
    ok(a.counter.mine[UX_ZONE_INSERTED] == 10,
       "a copy is taken over with its values");
    ux_store_leave(&a);

    /* each child stays until all have joined */
    fflush(stdout);

    for (i = 0; i < 21; i++) {
        if (fork() == 0) {
            status = ux_store_join(&a) == UX_OK;
            ux_counter_add(&a.counter, UX_ZONE_EXPIRED, status);
            ux_counter_add(&a.counter, UX_ZONE_ERASED, 1);

            while (ux_counter_read(&a.counter, UX_ZONE_ERASED) < 21) {
                usleep(500);
            }

            _exit(status ? 0 : 1);
        }
    }

    bad = 0;

    while (wait(&status) > 0) {
        bad += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    }

    ok(bad == 1, "20 processes join, one too many is told");
    ok(ux_counter_read(&a.counter, UX_ZONE_EXPIRED) == 20,
       "all of them count");
    ok(a.counter.shared[UX_ZONE_EXPIRED] == 4,
       "those without a copy in the shared one");

    (void) ux_store_join(&a);
    ok(a.me == 0 && a.head->written == UX_WORKERS,
       "copies of processes that have left are looked at");

    munmap(mem, MIB);
}


static void
test_apply(void)
{
    void                 *mem;
    uint32_t              ring;
    worker_t             *w;
    ux_ring_change_t      change;
    ux_table_effects_t    effects;
    static ux_changes_t   changes;

    mem = zone_make(MIB);
    w = worker_make(mem, MIB, 2);
    (void) ux_store_join(&w->store);
    (void) worker_bind(w);

    ux_changes_clear(&changes);
    ux_changes_add(&changes, UX_ZONE_EVENTS + 5, 1);
    ux_changes_add(&changes, w->arms[3].base + UX_ARM_VISITORS, 2);

    memset(&change, 0, sizeof(change));
    change.arm = 3;
    change.field = UX_RING_ALIVE + 2;
    change.bucket = 1000;
    change.delta = 7;
    ux_changes_ring(&changes, change);

    change.field = w->arms[3].widths[0]; /* wrong ones touch nothing */
    ux_changes_ring(&changes, change);
    change.field = 0;
    change.cart = 1;
    ux_changes_ring(&changes, change);
    change.cart = UX_CARTS_MAX;
    ux_changes_ring(&changes, change);
    change.cart = 0;
    change.arm = 4;
    ux_changes_ring(&changes, change);

    change.arm = 3;
    change.field = UX_WINDOW_OPEN;
    change.delta = 2;
    ux_changes_window(&changes, change);
    change.field = UX_WINDOW_UNCONFIRMED;
    change.delta = 4;
    ux_changes_window(&changes, change);
    change.field = UX_WINDOW_RINGS;
    ux_changes_window(&changes, change);
    change.field = UX_WINDOW_OPEN;
    change.arm = 4;
    ux_changes_window(&changes, change);

    ux_store_apply(&w->store, &changes);

    ring = w->arms[3].rings[0] + 1000 % UX_BUCKETS * UX_RING_WIDTH(2);

    ok(ux_counter_read(&w->store.counter, UX_ZONE_EVENTS + 5) == 1
       && ux_counter_read(&w->store.counter,
                          w->arms[3].base + UX_ARM_VISITORS) == 2,
       "changes are counted");
    ok(ux_counter_ring_read(&w->store.counter, ring + UX_RING_ALIVE + 2,
                            1000) == 7, "in the ring of arm and cart");
    ok(w->arms[3].widths[0] == UX_RING_ALIVE + 3
       && ux_counter_ring_read(&w->store.counter, ring + UX_RING_ALIVE + 3,
                               1000) == 0,
       "a row ends behind the last step");
    ok(ux_counter_ring_read(&w->store.counter, ring, 1000) == 0
       && ux_counter_read(&w->store.counter, 0) == 0,
       "what is out of range is ignored");

    ring = w->arms[3].base;

    ok(ux_counter_ring_read(&w->store.counter, ring + UX_ARM_WINDOW
                            + 1000 % UX_BUCKETS, 1000) == 2
       && ux_counter_ring_read(&w->store.counter, ring + UX_ARM_UNCONFIRMED
                               + 1000 % UX_BUCKETS, 1000) == 4
       && ux_counter_read(&w->store.counter, ring + UX_ARM_CELLS
                          + 1000 % UX_BUCKETS) == 0,
       "each window has a ring behind the arm's counts");

    memset(&effects, 0, sizeof(effects));
    effects.inserted = 1;
    ux_store_effects(&w->store, &effects);
    ux_store_effects(&w->store, &effects);
    effects.evicted = 2;
    effects.expired = 3;
    effects.provisional_gone = 2;
    ux_store_effects(&w->store, &effects);

    ok(ux_counter_read(&w->store.counter, UX_ZONE_INSERTED) == 3
       && ux_counter_read(&w->store.counter, UX_ZONE_EVICTED) == 2
       && ux_counter_read(&w->store.counter, UX_ZONE_EXPIRED) == 3
       && ux_counter_read(&w->store.counter, UX_ZONE_PROVISIONAL) == 1,
       "so is what a commit did besides");

    worker_free(w);
    munmap(mem, MIB);
}


int
main(void)
{
    unsigned  i;

    const size_t  sizes[] = {
        UX_STORE_SIZE_MIN, 500 * KIB, 512 * KIB, 516096, MIB, 4 * MIB,
        10 * MIB, 64 * MIB, 1000 * MIB
    };

    for (i = 0; i < 64; i++) {
        secrets[i] = (uint8_t) (i + 1);
    }

    test_init();

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        layout_check(sizes[i]);
    }

    test_attach();
    test_join();
    test_apply();

    return done();
}
