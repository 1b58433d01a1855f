
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_result: several processes looking at one zone, one of them killed, one
 * of them older than the configuration, one that only reads.
 */

#include "result_case.h"

#include <signal.h>
#include <sys/wait.h>


#define PROCESSES  4
#define LOOKS      400
#define SEEN       300
#define READS_MAX  20000000


static void test_whole(void);
static void write_copies(unsigned seed);
static void read_copy(unsigned *wrong, unsigned *seen);
static void fill(ux_evidence_t *evidence, uint64_t value);
static bool is_filled(const ux_evidence_t *evidence);
static void test_monotone(void);
static void count_and_look(unsigned seed);
static void test_killed(void);
static void lock_and_die(void);
static void test_half_written(void);
static void test_busy(void);
static void test_older(void);
static void test_reader(void);
static void test_nobody_asked(void);
static void start(void (*work)(unsigned seed), pid_t *pids);
static bool finished(const pid_t *pids);
static void become(worker_t *other);


static int    *stop;
static pid_t   parent;


int
main(void)
{
    test_whole();
    test_monotone();
    test_killed();
    test_half_written();
    test_busy();
    test_older();
    test_reader();
    test_nobody_asked();

    return done();
}


/* Nobody ever reads one's first half and another's second. */
static void
test_whole(void)
{
    pid_t     pids[PROCESSES];
    unsigned  wrong, seen;
    uint64_t  reads;

    begin();
    look();
    stop = zone_map(sizeof(int));
    parent = getpid();

    start(write_copies, pids);

    wrong = 0;
    seen = 0;

    for (reads = 0; seen < SEEN && reads < READS_MAX; reads++) {
        read_copy(&wrong, &seen);
    }

    __atomic_store_n(stop, 1, __ATOMIC_RELAXED);

    ok(finished(pids), "all have ended");
    ok(wrong == 0 && seen == SEEN, "what is read is what one has written: "
       "%u were, %u not", seen, wrong);
    read_copy(&wrong, &seen);
    ok(wrong == 0 && result.experiment.comparisons[1].evidence.looked_ms != 0,
       "and the last one is there");

    (void) munmap(stop, sizeof(int));
    end();
}


/* As a process of its own, until it is told to stop or nobody can. */
static void
write_copies(unsigned seed)
{
    unsigned                 i;
    ux_result_comparison_t  *comparison;

    look();
    comparison = &result.experiment.comparisons[1];

    for (i = 0; __atomic_load_n(stop, __ATOMIC_RELAXED) == 0
                && getppid() == parent; i++)
    {

        if (ux_store_evidence_lock(&w->store) != UX_OK) {
            continue;
        }

        fill(&comparison->evidence, i * 8 + seed + 1);
        comparison->changed = true;
        ux_result_evidence_store_locked(&result);
        ux_store_evidence_unlock(&w->store);
    }

    _exit(0);
}


static void
read_copy(unsigned *wrong, unsigned *seen)
{
    ux_evidence_t            last;
    ux_result_comparison_t  *comparison;

    comparison = &result.experiment.comparisons[1];
    last = comparison->evidence;
    memset(&comparison->evidence, 0, sizeof(ux_evidence_t));
    ux_result_evidence_load(&result);

    *wrong += !is_filled(&comparison->evidence);
    *seen += memcmp(&last, &comparison->evidence, sizeof(last)) != 0;
}


static void
fill(ux_evidence_t *evidence, uint64_t value)
{
    unsigned  i;
    uint64_t  words[sizeof(ux_evidence_t) / sizeof(uint64_t)];

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        words[i] = value;
    }

    memcpy(evidence, words, sizeof(words));

    /* In its range; that of nothing is 0. */

    evidence->sign = (int64_t) ((value + 1) % 3) - 1;
}


static bool
is_filled(const ux_evidence_t *evidence)
{
    ux_evidence_t  expected;

    fill(&expected, evidence->looked_ms);

    return memcmp(evidence, &expected, sizeof(expected)) == 0;
}


/* Whoever is asked, p never goes up again. */
static void
test_monotone(void)
{
    bool      bad;
    pid_t     pids[PROCESSES];
    double    p;
    unsigned  i;

    begin();
    visit(0, 2000, 200);
    visit(1, 2000, 240);
    look();
    p = p_value(1, 0);
    bad = false;

    start(count_and_look, pids);

    for (i = 0; i < LOOKS; i++) {
        look();
        bad = bad || p_value(1, 0) > p;
        p = p_value(1, 0);
    }

    bad = !finished(pids) || bad;
    look();
    ok(!bad && p_value(1, 0) <= p, "no process saw it go up");
    ok(p_value(1, 0) < 0.5 && pair(1, 0)->evidence.sign == 1,
       "and it went down");

    end();
}


/* The lead of B comes and goes. */
static void
count_and_look(unsigned seed)
{
    bool      bad;
    double    p, last;
    unsigned  i;

    bad = false;
    last = 1;

    for (i = 0; i < LOOKS; i++) {
        visit(0, 1, (i + seed) % 3 == 0);
        visit(1, 1, (i / 50 + seed) % 2);
        look();

        p = p_value(1, 0);
        bad = bad || p > last;
        last = p;
    }

    _exit(bad);
}


static void
test_killed(void)
{
    int    status;
    pid_t  pid;

    begin();
    visit(0, 2000, 200);
    visit(1, 2000, 280);

    pid = fork();

    if (pid == 0) {
        lock_and_die();
    }

    ok(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status)
       && (w->store.head->evidence_lock & UX_LOCK_OWNER) != 0,
       "killed with the lock held");

    look();
    ok(result.experiment.kept && p_value(1, 0) < 0.1, "another one looks");
    look();
    ok(pair(1, 0)->evidence.looked_ms == now && !pair(1, 0)->changed,
       "and keeps what it saw");
    ok((w->store.head->evidence_lock & UX_LOCK_OWNER) == 0,
       "the lock is free");

    end();
}


static void
lock_and_die(void)
{
    become(design());

    if (ux_store_evidence_lock(&w->store) == UX_OK) {
        (void) raise(SIGKILL);
    }

    _exit(1);
}


/* Killed before it said that its copy counts. */
static void
test_half_written(void)
{
    double           p;
    uint32_t         cell;
    unsigned         i, n;
    uint64_t        *cells, version;
    ux_evidence_t    before;

    begin();
    visit(0, 2000, 200);
    visit(1, 2000, 280);
    look();
    p = p_value(1, 0);
    before = pair(1, 0)->evidence;

    n = sizeof(ux_evidence_t) / sizeof(uint64_t);
    cell = w->store.registry->entries[pair(1, 0)->entry].ring;
    cells = &w->store.counter.shared[cell];
    version = cells[0];

    for (i = 0; i < n; i++) {
        cells[1 + (version + 1) % 2 * n + i] = 0x4141414141414141;
    }

    look();
    ok(close_to(p_value(1, 0), p)
       && memcmp(&before, &pair(1, 0)->evidence, sizeof(before)) == 0,
       "what was there before counts");

    convert(1, UX_EVENT_PURCHASE, 50);
    look();
    ok(p_value(1, 0) < p && cells[0] == version + 1, "the next one writes it");
    p = p_value(1, 0);
    look();
    ok(close_to(p_value(1, 0), p), "as a whole");

    end();
}


/* The lock is another's, who is alive: there is no waiting. */
static void
test_busy(void)
{
    worker_t  *own, *other;

    begin();
    visit(0, 2000, 200);
    visit(1, 2000, 240);
    look();

    own = w;
    other = design();
    become(other);
    ok(ux_store_evidence_lock(&other->store) == UX_OK, "another holds it");
    become(own);

    convert(1, UX_EVENT_PURCHASE, 60);
    look();
    ok(!result.experiment.kept && !pair(1, 0)->significant
       && p_value(1, 0) > pair(1, 0)->now.p_now,
       "a look that cannot be kept is none");

    ux_store_evidence_unlock(&other->store);
    look();
    ok(close_to(p_value(1, 0), pair(1, 0)->now.p_now)
       && pair(1, 0)->significant, "the next one is");

    worker_free(other);
    end();
}


/* Of a process that has not been told that it is analysed otherwise now. */
static void
test_older(void)
{
    double            p;
    worker_t         *own, *older;
    ux_evidence_t     before;

    begin();
    visit(0, 2000, 200);
    visit(1, 2000, 240);
    look();

    own = w;
    older = design();
    become(older);

    become(own);
    e->alpha = 0.01;
    bind_again();
    visit(0, 2000, 200);
    visit(1, 2000, 240);
    look();
    p = p_value(1, 0);
    before = pair(1, 0)->evidence;

    become(older);
    visit(1, 0, 0);
    ux_store_refresh(&older->store);
    e->alpha = 0.05;
    look();
    ok(pair(1, 0)->entry == UX_RESULT_END, "it has nowhere to write");

    become(own);
    convert(1, UX_EVENT_PURCHASE, 80);
    become(older);
    look();
    ok(pair(1, 0)->now.p_now < p, "it would have much to say");

    become(own);
    convert(1, UX_EVENT_PURCHASE, -80);
    look();
    ok(close_to(p_value(1, 0), p)
       && memcmp(&before, &pair(1, 0)->evidence, sizeof(before)) == 0,
       "the newer ones do not hear of it");

    worker_free(older);
    end();
}


static void
test_reader(void)
{
    double     p;
    uint64_t   version;
    uint32_t   cell;
    worker_t  *own, *reader;

    begin();
    visit(0, 2000, 200);
    visit(1, 2000, 240);
    look();
    p = p_value(1, 0);
    cell = w->store.registry->entries[pair(1, 0)->entry].ring;
    version = w->store.counter.shared[cell];
    convert(1, UX_EVENT_PURCHASE, 60);
    visit(0, 1000, 100);

    own = w;
    reader = design();
    w = reader;
    e = &w->experiments[0];
    bind_again();
    look();
    ok(close_to(p_value(1, 0), p) && result.experiment.balance.log_e > 20,
       "a reader reads what was seen, and whether it is sound now");
    ok(w->store.counter.shared[cell] == version, "it writes nothing");

    w = own;
    e = &w->experiments[0];
    visit(1, 1000, 100);
    look();
    ok(ux_result_quiet(&result), "a mismatch that only it saw is not kept");

    worker_free(reader);
    end();
}


/* ux_result_look(), of all experiments. */
static void
test_nobody_asked(void)
{
    begin();
    visit(0, 2000, 200);
    visit(1, 2000, 280);
    ok(ux_result_look(&w->store, now) == UX_OK, "nobody asked for it");

    convert(0, UX_EVENT_PURCHASE, 80);
    now += HOUR;
    look();
    ok(p_value(1, 0) < 0.05 && pair(1, 0)->now.p_now == 1
       && pair(1, 0)->evidence.looked_ms == now - HOUR, "sees as well");
    end();
}


/* Forked, and processes of the zone like their parent. */
static void
start(void (*work)(unsigned seed), pid_t *pids)
{
    unsigned   i;
    worker_t  *made[PROCESSES];

    for (i = 0; i < PROCESSES; i++) {
        made[i] = design();
    }

    for (i = 0; i < PROCESSES; i++) {
        pids[i] = fork();

        if (pids[i] == 0) {
            become(made[i]);
            work(i);
        }
    }

    for (i = 0; i < PROCESSES; i++) {
        worker_free(made[i]);
    }
}


static bool
finished(const pid_t *pids)
{
    int       status;
    bool      good;
    unsigned  i;

    good = true;

    for (i = 0; i < PROCESSES; i++) {
        good = waitpid(pids[i], &status, 0) == pids[i] && status == 0 && good;
    }

    return good;
}


/* Joined and bound with its own design, when it is not yet. */
static void
become(worker_t *other)
{
    w = other;
    e = &w->experiments[0];

    if (w->store.me == UX_PROCESS_NONE) {

        if (ux_store_join(&w->store) != UX_OK) {
            printf("Bail out! no process\n");
            _exit(1);
        }

        bind_again();
    }

    zone.store = &w->store;
}
