
/*
 * Copyright (C) the nginx-ux authors
 *
 * SIGKILL at every instruction of a merge into a zone where others count.
 *
 * As test_kill.c: a child merges under ptrace, instruction by instruction,
 * from its first change of the zone on.  What a kill would leave is the memory
 * as it is then.  The parent makes the child's name in it a dead one, reads
 * every counter, counts something itself in every one that the merge changes,
 * and merges the same images: then all counters are what they are without a
 * kill, and that.  Of some memories the merge that goes on is stepped through
 * in turn: two deaths in a row.
 */

#include "recount_case.h"
#include "stepped_child.h"

#include <limits.h>


#define LATER     (SHOP_START + 4200000)
#define SIZE      (4 * MIB)
#define PAGE      4096u
#define SHOPPERS  6u
#define GLIMPSE   20u
#define DEATHS    4                  /* walks of who goes on */
#define STATES    64
#define EVERY     64                 /* of so many memories one is kept */


static zone_t     *old, *now;
static bytes_t     base, last;
static uint64_t   *before, *after;   /* every cell: without a kill */
static uint8_t    *kind;             /* and what it is: below */
static uint32_t    pages[SIZE / PAGE];
static unsigned    npages;           /* that the merge writes to; of them: */
static uint8_t    *start, *saved;
static uint8_t    *states[STATES];   /* some of those that a kill leaves */
static unsigned    nstates;
static bool        keep;             /* some more */
static uint32_t    cells;
static unsigned    judged;

enum {
    SAME = 0,                        /* the merge leaves it alone, */
    SUM,
    RING,
    FOUND                            /* or keeps the larger */
};


/* Who has the lock of saving finds the last list finished. */
static ux_status_t
merge(bool locks)
{
    ux_status_t              rc;
    ux_image_result_t        result;
    const ux_redo_memory_t  *memory;

    memory = now->w.store.redo.memory;

    if (locks && (ux_store_saving_lock(&now->w.store) != UX_OK
                  || memory->flux.turn >> 2 != memory->end))
    {
        return UX_BUSY;
    }

    rc = image_merge_since(now, UX_IMAGE_ADOPT, &last, NULL, &base, NOW,
                           &result);

    if (locks) {
        ux_store_saving_unlock(&now->w.store);
    }

    return rc;
}


static uint64_t
cell_read(uint32_t i)
{
    const ux_counter_t  *counter;

    counter = &now->w.store.counter;

    return kind[i] == RING ? ux_counter_ring_cell(counter, i)
                           : ux_counter_read(counter, i);
}


/* Visits by SHOPPERS from `from` on, over 50 minutes. */
static void
busy(zone_t *z, unsigned from, unsigned visits, uint64_t now_ms)
{
    unsigned  i;

    for (i = 0; i < visits; i++) {
        (void) shopper_visit(z, from + zone_random(z, SHOPPERS), 0,
                             now_ms + 3000000ull * i / visits);
    }
}


/* One page and nothing else: two such are one, but for the time. */
static void
glimpse(zone_t *z, uint64_t now_ms, uint32_t later_s)
{
    uint32_t            now_s;
    ux_turn_t           turn;
    ux_store_t         *store;
    ux_table_effects_t  effects;

    store = &z->w.store;
    now_s = (uint32_t) (now_ms / 1000);
    ux_changes_clear(&z->changes);
    shopper_segments(z, GLIMPSE, now_ms);

    if (ux_table_open(&store->table, shopper_key(z, GLIMPSE), now_s,
                      &z->visitor, &turn) == UX_OK)
    {
        (void) ux_track_expose(&store->plan, &z->visitor, 0, 0, now_ms,
                               &z->changes);
        ux_track_confirm(&store->plan, &z->visitor, &z->changes);
        z->visitor.last_s += later_s;
        (void) ux_table_commit(&store->table, &turn, &z->visitor, now_s,
                               &effects);
        ux_store_effects(store, &effects);
        ux_store_count(store, &z->visitor, &z->changes);
    }
}


/* By the registry. */
static void
cells_sort(void)
{
    uint32_t             i, k, first, n;
    const ux_entry_t    *entry;

    for (i = 0; i < ux_registry_count(now->w.store.registry); i++) {
        entry = &now->w.store.registry->entries[i];
        first = entry->ring;
        n = 0;

        if (entry->kind == UX_ENTRY_ARM) {
            first = entry->base + UX_ARM_WINDOW;
            n = UX_WINDOW_RINGS * UX_BUCKETS;

        } else if (entry->kind == UX_ENTRY_ARM_CART
                   || entry->kind == UX_ENTRY_SEGMENT_CART)
        {
            n = first == 0 ? 0 : (uint32_t) entry->width * UX_BUCKETS;

        } else if (entry->kind == UX_ENTRY_EVIDENCE
                   || entry->kind == UX_ENTRY_BALANCE)
        {
            n = 1 + 2 * UX_IMAGE_EVIDENCE_WORDS;
        }

        for (k = 0; k < n; k++) {
            kind[first + k] = entry->kind == UX_ENTRY_EVIDENCE
                              || entry->kind == UX_ENTRY_BALANCE ? FOUND
                                                                 : RING;
        }
    }
}


/* Those that a merge has changed, and all with a journal or a list. */
static void
pages_find(uint8_t *was)
{
    uint32_t  i;

    for (i = 0; i < SIZE / PAGE; i++) {
        if (i * PAGE < now->w.store.head->registry_at
            || memcmp(was + i * PAGE, (uint8_t *) now->mem + i * PAGE, PAGE)
               != 0)
        {
            memmove(was + npages * PAGE, was + i * PAGE, PAGE);
            pages[npages++] = i;
        }
    }

    start = was;
    saved = malloc(npages * PAGE);
}


static void
pages_save(uint8_t *to)
{
    unsigned  i;

    for (i = 0; i < npages; i++) {
        memcpy(to + i * PAGE, (uint8_t *) now->mem + pages[i] * PAGE, PAGE);
    }
}


static void
pages_put(const uint8_t *from)
{
    unsigned  i;

    for (i = 0; i < npages; i++) {
        memcpy((uint8_t *) now->mem + pages[i] * PAGE, from + i * PAGE, PAGE);
    }
}


/* A base, what came of it there, what came of it here; and the merge of it. */
static void
scene(void)
{
    uint8_t           *whole;
    uint32_t           i;
    const shop_t       shop = { .from = SHOP_EXPERIMENTS - 1, .segments = 1 };
    ux_image_result_t  result;

    old = zone_new(SIZE, 1, 9);
    (void) zone_bind(old, &shop);
    busy(old, 0, 12, SHOP_START);
    base = image_write(old, UX_IMAGE_VISITORS, LATER);

    now = zone_new(SIZE, 2, 9);
    (void) image_merge(now, UX_IMAGE_RESTORE, &base, NULL, LATER, &result);
    (void) ux_image_hold(&now->w.store, old->w.store.head->uuid);
    ok(zone_bind(now, &shop) == UX_OK, "a zone %s", error.message);

    busy(old, 2, 8, LATER);
    busy(now, 0, 6, LATER);
    glimpse(now, LATER, 0);
    glimpse(old, LATER, 9);
    last = image_write(old, UX_IMAGE_VISITORS, NOW);

    cells = now->w.store.counter.all_cells;
    before = calloc(cells, sizeof(uint64_t));
    after = calloc(cells, sizeof(uint64_t));
    kind = calloc(cells, 1);
    whole = malloc(SIZE);
    memcpy(whole, now->mem, SIZE);
    cells_sort();

    for (i = 0; i < cells; i++) {
        before[i] = cell_read(i);
    }

    ok(image_merge_since(now, UX_IMAGE_ADOPT, &last, NULL, &base, NOW,
                         &result) == UX_OK
       && result.visitors > 0 && result.united > 1 && result.dropped == 0,
       "%llu records come in, %llu are united %s",
       (unsigned long long) result.visitors,
       (unsigned long long) result.united, error.message);

    for (i = 0; i < cells; i++) {
        after[i] = cell_read(i);
        kind[i] = kind[i] == FOUND || before[i] != after[i]
                  ? (kind[i] == SAME ? SUM : kind[i]) : SAME;
    }

    pages_find(whole);
    ok(recount_differs(now, 0, GLIMPSE + 1, true, 0) == 0
       && lives_add_up(now), "not killed: the counters are what its records "
       "say");
}


static bool
pages_differ(void)
{
    unsigned  i;

    for (i = 0; i < npages; i++) {
        if (memcmp(saved + i * PAGE,
                   (uint8_t *) now->mem + pages[i] * PAGE, PAGE) != 0)
        {
            return true;
        }
    }

    return false;
}


/* What others count in the cell meanwhile. */
static int32_t
beside(uint32_t i)
{
    return (int32_t) (i % 7) - 3;
}


/* Nobody sees a mark, and others' counts are theirs. */
static bool
others_count(void)
{
    bool            good;
    int64_t         off;
    uint32_t        i;
    uint64_t        was;
    ux_counter_t    shared;

    shared = now->w.store.counter;
    shared.mine = NULL;
    good = true;

    for (i = 0; i < cells; i++) {
        was = cell_read(i);

        if (kind[i] == SUM) {
            off = (int64_t) (was - before[i]);
            good = good && off > -(1ll << 40) && off < 1ll << 40;
            ux_counter_add(&shared, i, beside(i));
            good = good && cell_read(i) == was + (uint64_t) beside(i);

        } else if (kind[i] == RING) {
            good = good && (was == 0
                            || (uint32_t) was + 1000 < 2000);
            ux_counter_ring_add(&shared, i, (uint32_t) (after[i] >> 32),
                                beside(i));
        }
    }

    return good;
}


static bool
all_as_without(void)
{
    bool      good;
    uint32_t  i;
    uint64_t  value;

    good = true;

    for (i = 0; i < cells && good; i++) {
        value = after[i];

        if (kind[i] == SUM) {
            value += (uint64_t) beside(i);

        } else if (kind[i] == RING) {
            value = (value >> 32 << 32)
                    | (uint32_t) ((uint32_t) value + (uint32_t) beside(i));
        }

        if (cell_read(i) != value) {
            printf("# cell %u (%u): %llx, not %llx, before %llx\n", i,
                   kind[i], (unsigned long long) cell_read(i),
                   (unsigned long long) value,
                   (unsigned long long) before[i]);
            good = false;
        }
    }

    return good;
}


/* A name that no process has: the parent's pid with another start time. */
static void
bury(pid_t pid)
{
    unsigned       i;
    ux_process_t  *process;

    for (i = 1; i < now->w.store.head->nprocesses; i++) {
        process = &now->w.store.processes[i];

        if ((process->who & ((1u << 22) - 1)) == (ux_who_t) pid) {
            process->who = (1ull << 63)
                           | ((ux_who_t) getpid() & ((1u << 22) - 1));
        }
    }
}


/* In the zone itself, which the child shares: it is put back afterwards. */
static bool
survive(pid_t pid)
{
    bool         good;
    ux_status_t  rc;

    pages_save(saved);
    bury(pid);

    if (keep && judged % EVERY == 0 && nstates < STATES) {
        states[nstates] = malloc(npages * PAGE);
        pages_save(states[nstates++]);
    }

    judged++;
    good = others_count();
    rc = merge(judged % 2);
    good = (rc == UX_OK || rc == UX_DECLINED) && all_as_without() && good
           && ux_image_adopted(&now->w.store, old->w.store.head->uuid);

    pages_put(saved);

    return good;
}


static void    *guarded;
static size_t   guarded_size;


/* The first change of the list of changes: from here on step by step. */
static void
first_change(int sig)
{
    (void) sig;
    (void) mprotect(guarded, guarded_size, PROT_READ | PROT_WRITE);
    (void) raise(SIGSTOP);
}


/* A child that has stopped there; -1: there is no ptrace. */
static pid_t
launch(void)
{
    int     sig;
    pid_t   pid;
    size_t  page, at;

    page = (size_t) sysconf(_SC_PAGESIZE);
    at = now->w.store.head->redo_at / page * page;
    guarded = (uint8_t *) now->mem + at;
    guarded_size = page * 2;

    pid = child_fork();

    if (pid == 0) {
        now->w.store.me = UX_PROCESS_NONE;
        now->w.store.table.me = UX_PROCESS_NONE;
        (void) ux_store_join(&now->w.store);
        (void) signal(SIGSEGV, first_change);
        (void) mprotect(guarded, guarded_size, PROT_READ);
        (void) merge(true);
        _exit(0);
    }

    sig = child_wait(pid);

    while (sig != 0 && sig != SIGSTOP) {
        (void) ptrace(PTRACE_CONT, pid, NULL, sig);
        sig = child_wait(pid);
    }

    return sig == SIGSTOP ? pid : -1;
}


/* From `from` on; at most so many instructions, which are returned. */
static unsigned
walk(const uint8_t *from, unsigned most, unsigned *bad)
{
    pid_t     pid;
    unsigned  n;

    pages_put(from);
    pid = launch();

    if (pid < 0) {
        return 0;
    }

    memset(saved, 0xff, npages * PAGE);
    n = 0;

    do {
        n++;

        if (pages_differ()) {
            *bad += !survive(pid);
        }

    } while (n < most && child_step(pid));

    child_kill(pid);

    return n;
}


int
main(void)
{
    unsigned  i, n, bad, first, deaths, most;

    scene();

    most = tap_count("TEST_UX_STEPS", UINT_MAX);
    keep = true;
    bad = 0;
    n = walk(start, most, &bad);

    if (n == 0) {
        ok(true, "merge # SKIP ptrace is not permitted");
        return done();
    }

    ok(bad == 0 && judged > 100, "killed at any of %u instructions of a "
       "merge, which leave %u memories: no count is off, %u bad", n, judged,
       bad);

    first = judged;
    deaths = tap_count("TEST_UX_DEATHS", DEATHS);
    keep = false;
    bad = 0;
    n = 0;

    for (i = 1; i <= deaths; i++) {
        n += walk(states[nstates * i / (deaths + 1)], 1500, &bad);
    }

    ok(bad == 0 && judged > first + deaths, "and who went on killed, too, at "
       "any of %u instructions, which leave %u memories: %u bad", n,
       judged - first, bad);

    return done();
}
