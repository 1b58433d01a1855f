
/*
 * Copyright (C) the nginx-ux authors
 *
 * The visitor table under several processes at once.
 */

#include "table_case.h"

#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>


static sums_t *
shared_sums(unsigned n)
{
    void  *mem;

    mem = mmap(NULL, n * sizeof(sums_t), PROT_READ | PROT_WRITE,
               MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return mem == MAP_FAILED ? NULL : mem;
}


/* One more in two places, so that a torn copy shows. */
static bool
increment(ux_table_t *table, ux_key_t key)
{
    ux_turn_t           turn;
    ux_visitor_t        visitor;
    ux_table_effects_t  effects;

    if (ux_table_open(table, key, NOW, &visitor, &turn) != UX_OK) {
        return false;
    }

    if (!turn.found) {
        case_parts(&visitor, 2, key.id);
        visitor.tracks[visitor.ntracks - 1].totals[3] = 0;
    }

    visitor.confirmed = true;
    visitor.tracks[0].totals[0]++;
    visitor.tracks[visitor.ntracks - 1].totals[3]++;

    return ux_table_commit(table, &turn, &visitor, NOW, &effects) == UX_OK;
}


static int64_t
counted(ux_table_t *table, ux_key_t key, unsigned *torn)
{
    ux_visitor_t  visitor;

    if (ux_table_read(table, key, NOW, &visitor) != UX_OK) {
        return 0;
    }

    *torn += visitor.tracks[0].totals[0]
             != visitor.tracks[visitor.ntracks - 1].totals[3];

    return visitor.tracks[0].totals[0];
}


/* A record of 8 parts, one more in the first and in the last of them. */
static void
change(ux_table_t *table, ux_key_t key)
{
    ux_turn_t           turn;
    ux_visitor_t        visitor;
    ux_table_effects_t  effects;

    if (ux_table_open(table, key, NOW, &visitor, &turn) != UX_OK) {
        return;
    }

    if (!turn.found) {
        case_parts(&visitor, 8, 1);
        visitor.tracks[visitor.ntracks - 1].totals[3] = 0;
    }

    visitor.confirmed = true;
    visitor.tracks[0].totals[0]++;
    visitor.tracks[visitor.ntracks - 1].totals[3]++;

    (void) ux_table_commit(table, &turn, &visitor, NOW, &effects);
}


/* The next page that is read may be; at the n-th the record changes first. */
static struct {
    case_table_t  c;
    ux_key_t      key;
    uintptr_t     from;              /* whole pages of the table */
    size_t        page;
    size_t        len;
    unsigned      pages;             /* that may still be read */
    unsigned      changes;
} watch;


static void
watched(int signal, siginfo_t *info, void *context)
{
    uintptr_t  at;

    (void) signal;
    (void) context;

    at = (uintptr_t) info->si_addr;

    if (at < watch.from || at >= watch.from + watch.len) {
        abort();
    }

    if (watch.pages-- > 0) {
        at -= at % watch.page;
        (void) mprotect((void *) at, watch.page, PROT_READ | PROT_WRITE);
        return;
    }

    (void) mprotect((void *) watch.from, watch.len, PROT_READ | PROT_WRITE);
    change(&watch.c.table, watch.key);
    watch.changes++;
}


/* Changes in the very middle of a copy, at each page of it. */
static void
test_between(void)
{
    unsigned          i, n, torn, seen;
    struct sigaction  action, was;

    watch.c = case_table(4, 16);
    case_join(&watch.c);

    watch.page = (size_t) sysconf(_SC_PAGESIZE);
    watch.from = (uintptr_t) watch.c.table.buckets + watch.page - 1;
    watch.from -= watch.from % watch.page;
    watch.len = (uintptr_t) watch.c.mem + watch.c.size - watch.from;

    memset(&action, 0, sizeof(action));
    action.sa_sigaction = watched;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    (void) sigaction(SIGSEGV, &action, &was);

    torn = 0;
    seen = 0;

    for (i = 0; i < 12; i++) {
        watch.key = case_key(i);
        change(&watch.c.table, watch.key);

        for (n = 0; n < 6; n++) {
            watch.pages = n;
            (void) mprotect((void *) watch.from, watch.len, PROT_NONE);
            seen += counted(&watch.c.table, watch.key, &torn) != 0;
            (void) mprotect((void *) watch.from, watch.len,
                            PROT_READ | PROT_WRITE);
        }
    }

    (void) sigaction(SIGSEGV, &was, NULL);

    ok(watch.changes > 12 && torn == 0 && seen == 12 * 6,
       "%u changes in the middle of a copy: %u of %u copies torn",
       watch.changes, torn, seen);

    case_free(&watch.c);
}


/* A reader and a writer of one record of 8 parts: every copy is whole. */
static void
test_reader(void)
{
    int                 status;
    unsigned            i, torn, seen, changes;
    int64_t             value, before;
    volatile unsigned   rest;
    ux_turn_t           turn;
    case_table_t        c;
    ux_visitor_t        visitor;
    ux_table_effects_t  effects;

    c = case_table(4, 4);

    fflush(stdout);

    if (fork() == 0) {
        case_join(&c);

        for (i = 0; i < 60000; i++) {
            for (rest = 0; rest < 3000; rest++) {
                /* void */
            }

            (void) ux_table_open(&c.table, case_key(1), NOW, &visitor, &turn);

            if (!turn.found) {
                case_parts(&visitor, 8, 1);
                visitor.tracks[visitor.ntracks - 1].totals[3] = 0;
            }

            visitor.tracks[0].totals[0]++;
            visitor.tracks[visitor.ntracks - 1].totals[3]++;
            (void) ux_table_commit(&c.table, &turn, &visitor, NOW, &effects);
        }

        _exit(0);
    }

    torn = 0;
    seen = 0;
    changes = 0;
    before = 0;

    while (waitpid(-1, &status, WNOHANG) == 0) {
        for (i = 0; i < 100; i++) {
            if (ux_table_read(&c.table, case_key(1), NOW, &visitor)
                != UX_OK)
            {
                continue;
            }

            value = visitor.tracks[0].totals[0];
            torn += value != visitor.tracks[visitor.ntracks - 1].totals[3];
            changes += value != before;
            before = value;
            seen++;
        }
    }

    ok(torn == 0, "%u copies of a record under change, %u of them torn",
       seen, torn);
    ok(seen > 100 && changes > 5, "%u different ones", changes);

    case_free(&c);
}


/* Four writers and a reader. */
static void
test_processes(unsigned keys, unsigned ops, uint32_t nbuckets)
{
    unsigned       i, p, torn;
    int64_t        total;
    uint64_t       acknowledged, busy, seed;
    sums_t        *sums;
    case_table_t   c;
    case_census_t  census;

    c = case_table(8, nbuckets);
    sums = shared_sums(8);

    fflush(stdout);

    for (p = 0; p < 5; p++) {
        if (fork() != 0) {
            continue;
        }

        case_join(&c);
        seed = p + 1;

        for (i = 0; i < ops; i++) {
            if (p == 4) {
                torn = 0;
                (void) counted(&c.table, case_key(case_random(&seed) % keys),
                               &torn);
                sums[p].evicted += torn;
                sums[p].inserted++;

            } else if (increment(&c.table,
                                 case_key(case_random(&seed) % keys)))
            {
                sums[p].inserted++;

            } else {
                sums[p].busy++;
            }
        }

        _exit(0);
    }

    while (wait(NULL) > 0) {
        /* void */
    }

    acknowledged = 0;
    busy = 0;

    for (p = 0; p < 4; p++) {
        acknowledged += sums[p].inserted;
        busy += sums[p].busy;
    }

    total = 0;
    torn = 0;

    for (i = 0; i < keys; i++) {
        total += counted(&c.table, case_key(i), &torn);
    }

    census = case_count(&c.table, NOW);

    ok((uint64_t) total == acknowledged, "%u keys, 4 writers: %llu updates "
       "acknowledged, none lost (%llu busy)", keys,
       (unsigned long long) acknowledged, (unsigned long long) busy);
    ok(acknowledged > 4ull * ops * 9 / 10, "hardly any was busy");
    ok(sums[4].evicted == 0 && torn == 0 && sums[4].inserted == ops,
       "the reader saw no torn record");
    ok(census.visitors <= keys && census.torn == 0 && census.locked == 0
       && census.slots == 2 * census.visitors,
       "%u visitors of %u keys, no newcomer twice", census.visitors, keys);

    munmap(sums, 8 * sizeof(sums_t));
    case_free(&c);
}


/* Four processes that drive out one another's visitors. */
static void
test_processes_churn(void)
{
    unsigned       i, p;
    uint64_t       seed;
    sums_t        *sums, sum;
    case_table_t   c;
    case_census_t  census;

    c = case_table(8, 40);
    c.table.inactive_s = 100;
    sums = shared_sums(4);

    fflush(stdout);

    for (p = 0; p < 4; p++) {
        if (fork() == 0) {
            case_join(&c);
            seed = p + 77;

            for (i = 0; i < 50000; i++) {
                churn(&c.table, 3000, NOW + i / 20, &seed, &sums[p]);
            }

            _exit(0);
        }
    }

    while (wait(NULL) > 0) {
        /* void */
    }

    memset(&sum, 0, sizeof(sum));

    for (p = 0; p < 4; p++) {
        sum.inserted += sums[p].inserted;
        sum.evicted += sums[p].evicted;
        sum.expired += sums[p].expired;
        sum.erased += sums[p].erased;
        sum.gone += sums[p].gone;
        sum.confirmed += sums[p].confirmed;
        sum.busy += sums[p].busy;
    }

    census = case_count(&c.table, NOW + 2500);

    ok(census.torn == 0 && census.locked == 0,
       "4 processes in a full table: no record torn, no lock left");
    ok(sum.inserted == census.visitors + sum.evicted + sum.expired
                       + sum.erased,
       "inserted %llu = there %u + evicted %llu + expired %llu + erased",
       (unsigned long long) sum.inserted, census.visitors,
       (unsigned long long) sum.evicted, (unsigned long long) sum.expired);
    ok(sum.inserted - sum.gone - sum.confirmed == census.provisional,
       "the provisional ones add up");
    ok(sum.busy < 20000, "%llu of 200000 found a lock held",
       (unsigned long long) sum.busy);

    munmap(sums, 4 * sizeof(sums_t));
    case_free(&c);
}


int
main(void)
{
    test_between();
    test_reader();
    test_processes(8, 100000, 64);
    test_processes(10000, 100000, 2000);
    test_processes_churn();

    return done();
}
