
/*
 * Copyright (C) the nginx-ux authors
 *
 * SIGKILL at every instruction of everything that writes to a zone.
 *
 * A child runs one action under ptrace, instruction by instruction.  What a
 * kill at that instruction would leave is the zone's memory as it is then, so
 * the parent copies it, makes the child's name in it a dead one, and plays
 * the survivor on the copy: all instructions, no sampling.  Points where the
 * memory is the same as one instruction before are counted, not judged again.
 * At a number of points, evenly spaced, the child really is killed, and the
 * parent survives on the zone itself, the child being a zombie.
 *
 * Then writers are killed at random under load.
 */

#include "table_case.h"
#include "ux_registry_private.h"

#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>


#define NOW         1000000u
#define PROCESSES   4
#define BUCKETS     3
#define ENTRIES     12
#define KEYS        48
#define FULL        17               /* first key of buckets 1 and 2 */
#define REAL_KILLS  50
#define REPAIRS     12
#define STATES_MAX  4000


/* All that the actions write to; one memory, so that it can be copied. */
typedef struct {
    ux_process_t   processes[PROCESSES];
    uint8_t        buckets[BUCKETS * sizeof(ux_bucket_t)];
    ux_registry_t  registry;
    ux_entry_t     entries[ENTRIES];
} zone_t;


/* What is known of a table's records. */
typedef struct {
    bool           there[KEYS];
    ux_visitor_t   visitors[KEYS];
} facts_t;


typedef struct scenario_s  scenario_t;

struct scenario_s {
    const char  *name;
    void       (*setup)(void);       /* by process 0, in the zone */
    void       (*action)(void);      /* by the child, joined before */
    bool       (*judge)(zone_t *zone);   /* by the survivor, process 0 */
    bool         joins;              /* the child is to join first */
    unsigned     parts;              /* of the record it writes */
};


static zone_t    *zone;              /* shared with the child */
static zone_t    *start;             /* what setup made */
static zone_t    *copy;              /* where the survivor plays */
static zone_t    *last;              /* memory at the last point */
static zone_t    *states;            /* distinct memories of a run */
static unsigned   nstates;
static facts_t    old_facts, new_facts;
static ux_key_t   keys[KEYS];
static ux_visitor_t  target;         /* what the child makes of key 0 */
static uint64_t   points, judged;
static bool       backwards;         /* the survivor's order */


/* A view of a zone; process entry `me`. */
static ux_table_t
table_of(zone_t *z, uint32_t me)
{
    ux_table_t  table;

    memset(&table, 0, sizeof(table));
    table.processes = z->processes;
    table.nprocesses = PROCESSES;
    table.buckets = z->buckets;
    table.nbuckets = BUCKETS;
    table.me = me;
    table.inactive_s = 1000;

    return table;
}


static void
repair_all(void *ctx, uint32_t dead)
{
    zone_t      *z;
    ux_table_t   table;

    z = ctx;
    table = table_of(z, 0);

    ux_registry_repair(&z->registry, dead);
    ux_table_repair(&table, dead);
}


static uint32_t
join(zone_t *z)
{
    return ux_process_claim(z->processes, PROCESSES, repair_all, z);
}


/* A name that no process has: the parent's pid with another start time. */
static ux_who_t
nobody(void)
{
    return (1ull << 63) | ((ux_who_t) getpid() & ((1u << 22) - 1));
}


static void
bury(zone_t *z, ux_who_t who)
{
    unsigned  i;

    for (i = 0; i < PROCESSES; i++) {
        if (z->processes[i].who == who) {
            z->processes[i].who = nobody();
        }

        if (z->processes[i].repairer == who) {
            z->processes[i].repairer = nobody();
        }
    }
}


/* One record of so many parts. */
static bool
put(zone_t *z, uint32_t me, unsigned k, unsigned parts, uint32_t last_s)
{
    ux_turn_t           turn;
    ux_table_t          table;
    ux_visitor_t        visitor;
    ux_table_effects_t  effects;

    table = table_of(z, me);

    if (ux_table_open(&table, keys[k], NOW, &visitor, &turn) != UX_OK) {
        return false;
    }

    case_parts(&visitor, parts, keys[k].id);
    visitor.last_s = last_s;
    visitor.confirmed = true;

    return ux_table_commit(&table, &turn, &visitor, NOW, &effects) == UX_OK;
}


static void
know(zone_t *z, facts_t *facts)
{
    unsigned    k;
    ux_table_t  table;

    table = table_of(z, 0);

    for (k = 0; k < KEYS; k++) {
        facts->there[k] = ux_table_read(&table, keys[k], NOW,
                                        &facts->visitors[k])
                          == UX_OK;
    }
}


static bool
fact_equal(const facts_t *a, const facts_t *b, unsigned k)
{
    return a->there[k] == b->there[k]
           && (!a->there[k]
               || case_equal(&a->visitors[k], &b->visitors[k]));
}


/*
 * The survivor takes the turn of one visitor after the other: they are all
 * the old ones or all the new ones.  It writes each, and in the end all of
 * what it wrote is there: no late repair went over it.  Nothing is torn or
 * locked.
 */
static bool
judge_table(zone_t *z)
{
    bool                good, old, new;
    unsigned            i, k;
    ux_turn_t           turn;
    ux_table_t          table;
    case_census_t       census;
    ux_visitor_t        visitor;
    static facts_t      facts;
    ux_table_effects_t  effects;

    table = table_of(z, 0);
    good = true;
    old = true;
    new = true;

    for (i = 0; i < KEYS; i++) {
        k = backwards ? KEYS - 1 - i : i;

        if (ux_table_open(&table, keys[k], NOW, &visitor, &turn) != UX_OK) {
            return false;
        }

        facts.there[k] = turn.found;
        facts.visitors[k] = visitor;
        old = old && fact_equal(&facts, &old_facts, k);
        new = new && fact_equal(&facts, &new_facts, k);

        if (!turn.found) {
            ux_table_abort(&table, &turn);
            continue;
        }

        visitor.tracks[0].totals[1] = 7;
        facts.visitors[k] = visitor;
        good = good && ux_table_commit(&table, &turn, &visitor, NOW, &effects)
                       == UX_OK;
        good = good && effects.evicted == 0;
    }

    for (k = 0; k < KEYS; k++) {
        good = good && (ux_table_read(&table, keys[k], NOW, &visitor)
                        == UX_OK) == facts.there[k];
        good = good && (!facts.there[k]
                        || case_equal(&visitor, &facts.visitors[k]));
    }

    census = case_count(&table, NOW);

    return good && (old || new) && census.torn == 0 && census.locked == 0;
}


/* Where the record's first part is. */
static uint32_t
slot_of(zone_t *z, unsigned k)
{
    uint32_t          i;
    ux_table_t        table;
    const ux_slot_t  *slot;

    table = table_of(z, 0);

    for (i = 0; i < BUCKETS * UX_BUCKET_SLOTS; i++) {
        slot = ux_slot_get(&table, i);

        if (slot->head.key_id == keys[k].id && slot->head.part == 0) {
            return i;
        }
    }

    return UX_PROCESS_NONE;
}


/*
 * Key 0 lives in buckets 0 and 1.  Six records there, one of two parts.
 */
static void
setup_few(void)
{
    unsigned  k;

    for (k = 1; k < 6; k++) {
        (void) put(zone, 0, k, k == 1 ? 2 : 1, NOW - k);
    }
}


static void
setup_one(void)
{
    setup_few();
    (void) put(zone, 0, 0, 1, NOW - 10);
}


static void
setup_two(void)
{
    setup_few();
    (void) put(zone, 0, 0, 2, NOW - 10);
}


static void
setup_eight(void)
{
    setup_few();
    (void) put(zone, 0, 0, 8, NOW - 10);
}


static uint32_t
child_me(void)
{
    return 1;                        /* the parent is 0 */
}


/* Outside of what is stepped: makes the record to be written. */
static void
aim(unsigned parts)
{
    ux_visitor_init(&target, keys[0].id, NOW - 10);
    case_parts(&target, parts, keys[0].id + 1);
    target.last_s = NOW;
    target.confirmed = true;
}


static void
act_write(void)
{
    ux_turn_t           turn;
    ux_table_t          table;
    ux_visitor_t        visitor;
    ux_table_effects_t  effects;

    table = table_of(zone, child_me());

    if (ux_table_open(&table, keys[0], NOW, &visitor, &turn) == UX_OK) {
        (void) ux_table_commit(&table, &turn, &target, NOW, &effects);
    }
}


static void
act_erase(void)
{
    bool        provisional;
    ux_table_t  table;

    table = table_of(zone, child_me());
    (void) ux_table_erase(&table, keys[0], NOW, &provisional);
}


/*
 * All three buckets full: 1 and 2 of keys that live in both, the last of them,
 * longest away, of two parts, one in each; 0 of keys of 0 and 1.  For key 0
 * the last one has to go, and its part in bucket 2.
 */
static void
setup_full(void)
{
    unsigned  k;

    for (k = FULL; k < KEYS - 1; k++) {
        (void) put(zone, 0, k, 1, NOW - 100 - k);
    }

    (void) put(zone, 0, KEYS - 1, 2, NOW - 900);

    for (k = 1; k < FULL; k++) {
        (void) put(zone, 0, k, 1, NOW - 100 - k);
    }
}


/* The same, but for one slot of bucket 2: somebody of bucket 1 moves there. */
static void
setup_move(void)
{
    bool         provisional;
    unsigned     k;
    ux_table_t   table;

    setup_full();

    table = table_of(zone, 0);

    for (k = FULL; k < KEYS - 1; k++) {
        if (slot_of(zone, k) / UX_BUCKET_SLOTS == 2) {
            (void) ux_table_erase(&table, keys[k], NOW, &provisional);
            return;
        }
    }
}


static ux_claim_t
claim_of(const char *name)
{
    ux_claim_t  claim;

    memset(&claim, 0, sizeof(claim));
    claim.kind = UX_ENTRY_EVENT;
    claim.name.data = name;
    claim.name.len = strlen(name);
    claim.parent = UX_PARENT_NONE;
    claim.cells = 10;
    claim.ring_cells = 5;

    return claim;
}


static bool
append(zone_t *z, uint32_t me, const char *name, const ux_entry_t **entry)
{
    ux_claim_t      claim;
    ux_registrar_t  registrar;

    registrar.registry = &z->registry;
    registrar.processes = z->processes;
    registrar.me = me;
    claim = claim_of(name);

    return ux_registry_claim(&registrar, &claim, 1, entry) == UX_OK;
}


static void
setup_registry(void)
{
    const ux_entry_t  *entry;

    (void) append(zone, 0, "first", &entry);
}


static void
act_append(void)
{
    const ux_entry_t  *entry;

    (void) append(zone, child_me(), "second", &entry);
}


/* Makes or finds the second, then a third: numbers and cells in a row. */
static bool
judge_registry(zone_t *z)
{
    uint32_t           count;
    const ux_entry_t  *a, *b, *c;

    count = ux_registry_count(&z->registry);

    return (count == 1 || count == 2)
           && append(z, 0, "first", &a) && append(z, 0, "second", &b)
           && append(z, 0, "third", &c)
           && ux_registry_count(&z->registry) == 3
           && a->ordinal == 0 && a->base == 100 && a->ring == 995
           && b->ordinal == 1 && b->base == 110 && b->ring == 990
           && b->name_len == 6 && memcmp(b->name, "second", 6) == 0
           && c->ordinal == 2 && c->base == 120 && c->ring == 985
           && (z->registry.lock & UX_LOCK_OWNER) == 0;
}


/* Process 1 died with a journal to be copied and all its locks held. */
static void
setup_claim(void)
{
    unsigned  i;

    for (i = 0; i < nstates; i++) {
        if (states[i].processes[1].state == UX_JOURNAL_COMMITTED) {
            *zone = states[i];
            return;
        }
    }
}


static void
act_claim(void)
{
    (void) join(zone);
}


/* Another newcomer gets an entry of its own; the records are whole. */
static bool
judge_claim(zone_t *z)
{
    uint32_t  me;
    ux_who_t  parent;

    parent = z->processes[0].who;

    /* the survivor, as somebody who has no entry yet: entry 0 stays taken */
    z->processes[0].who = (ux_who_t) getppid();
    me = join(z);

    if (me == 0 || me == UX_PROCESS_NONE || z->processes[me].repairer != 0
        || z->processes[me].who != parent
        || z->processes[me].state != UX_JOURNAL_IDLE)
    {
        return false;
    }

    z->processes[me].who = 0;
    z->processes[0].who = parent;

    return judge_table(z);
}


/* The child stands still just before the action; its name is known. */
static pid_t
launch(const scenario_t *scenario, ux_who_t *who)
{
    int       status;
    pid_t     pid;
    uint32_t  me;

    *zone = *start;

    fflush(stdout);
    pid = fork();

    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) {
            _exit(2);
        }

        if (scenario->joins) {
            me = join(zone);

            if (me != child_me()) {
                _exit(3);
            }
        }

        aim(scenario->parts);

        raise(SIGSTOP);
        scenario->action();
        raise(SIGSTOP);
        _exit(0);
    }

    if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) {
        return -1;
    }

    *who = zone->processes[child_me()].who;

    return pid;
}


/* One instruction; false when the action is over. */
static bool
step(pid_t pid)
{
    int  status;

    if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) != 0
        || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
    {
        return false;
    }

    return WSTOPSIG(status) == SIGTRAP;
}


static void
finish(pid_t pid)
{
    int  status;

    (void) kill(pid, SIGKILL);
    (void) waitpid(pid, &status, 0);
}


/* The name a claiming child will have is known once it is in the zone. */
static ux_who_t
name_of(pid_t pid, ux_who_t who)
{
    unsigned  i;

    for (i = 1; i < PROCESSES; i++) {
        if ((zone->processes[i].who & ((1u << 22) - 1)) == (ux_who_t) pid) {
            return zone->processes[i].who;
        }

        if ((zone->processes[i].repairer & ((1u << 22) - 1))
            == (ux_who_t) pid)
        {
            return zone->processes[i].repairer;
        }
    }

    return who;
}


/* A survivor that begins with the first record, and one with the last. */
static bool
survive(const scenario_t *scenario, const zone_t *left)
{
    bool  good;

    *copy = *left;
    backwards = false;
    good = scenario->judge(copy);

    *copy = *left;
    backwards = true;

    return scenario->judge(copy) && good;
}


/* Judges every point; returns how many, 0 when there is no ptrace. */
static unsigned
walk(const scenario_t *scenario, unsigned *bad, bool keep)
{
    pid_t     pid;
    bool      more;
    unsigned  n;
    ux_who_t  who;

    pid = launch(scenario, &who);
    if (pid < 0) {
        return 0;
    }

    if (keep) {
        nstates = 0;
    }

    memset(last, 0xff, sizeof(zone_t));
    n = 0;

    do {
        n++;
        points++;

        if (memcmp(last, zone, sizeof(zone_t)) != 0) {
            *last = *zone;
            bury(last, name_of(pid, who));

            if (keep && nstates < STATES_MAX) {
                states[nstates++] = *last;
            }

            judged++;
            *bad += !survive(scenario, last);
            *last = *zone;
        }

        more = step(pid);
    } while (more);

    finish(pid);

    return n;
}


/* Really kills after k instructions; the zombie is reaped afterwards. */
static bool
kill_at(const scenario_t *scenario, unsigned k)
{
    bool       good;
    pid_t      pid;
    ux_who_t   who;
    siginfo_t  info;

    pid = launch(scenario, &who);
    if (pid < 0) {
        return false;
    }

    while (k > 0 && step(pid)) {
        k--;
    }

    (void) kill(pid, SIGKILL);
    (void) waitid(P_PID, (id_t) pid, &info, WEXITED | WNOWAIT);

    backwards = k % 2;
    good = scenario->judge(zone);

    (void) waitpid(pid, NULL, 0);

    return good;
}


/* What setup makes, and what the undisturbed action makes of it. */
static void
prepare(const scenario_t *scenario)
{
    pid_t  pid;

    memset(zone, 0, sizeof(zone_t));
    ux_registry_init(&zone->registry, ENTRIES, 100, 1000);
    (void) join(zone);

    scenario->setup();
    *start = *zone;

    if (scenario->judge == judge_registry) {
        return;
    }

    *copy = *zone;
    know(copy, &old_facts);

    fflush(stdout);
    pid = fork();

    if (pid == 0) {
        if (scenario->joins) {
            (void) join(zone);
        }

        aim(scenario->parts);
        scenario->action();
        _exit(0);
    }

    (void) waitpid(pid, NULL, 0);

    *copy = *zone;
    know(copy, &new_facts);
}


static bool
facts_differ(unsigned *gone)
{
    bool      differ;
    unsigned  k;

    *gone = 0;
    differ = false;

    for (k = 0; k < KEYS; k++) {
        *gone += old_facts.there[k] && !new_facts.there[k];
        differ = differ || !fact_equal(&old_facts, &new_facts, k);
    }

    return differ;
}


static void
test_scenario(const scenario_t *scenario, unsigned gone, bool keep)
{
    unsigned  n, i, bad, went, stride;

    prepare(scenario);

    if (scenario->judge == judge_table) {
        ok(facts_differ(&went) && went == gone,
           "%s: the action changes something, %u go", scenario->name, gone);
    }

    bad = 0;
    judged = 0;
    n = walk(scenario, &bad, keep);

    if (n == 0) {
        ok(true, "%s # SKIP ptrace is not permitted", scenario->name);
        return;
    }

    ok(bad == 0 && n > 50, "%s: %u kill points, %llu memories, %u bad",
       scenario->name, n, (unsigned long long) judged, bad);

    stride = n / (n < 5000 ? REAL_KILLS : REAL_KILLS / 10) + 1;
    bad = 0;
    i = 0;

    for (n = n - 1; n > stride; n -= stride) {
        i++;
        bad += !kill_at(scenario, n);
    }

    ok(bad == 0, "%s: really killed at %u of them, %u bad", scenario->name,
       i, bad);
}


/*
 * The repairer dies as well: process 1 died in one of the ways of the last
 * walk, process 2 starts a turn on the same buckets and is stepped through.
 */
static void
test_repairer(const scenario_t *scenario)
{
    uint32_t     me;
    unsigned     i, n, sum, bad, runs, stride;
    scenario_t   repair;

    repair = *scenario;
    repair.judge = judge_table;

    sum = 0;
    bad = 0;
    runs = 0;
    stride = nstates / REPAIRS + 1;

    for (i = 0; i < nstates; i += stride) {
        *start = states[i];

        /* the dead writer is process 2 from now on, the repairer 1 */
        for (me = 0; me < BUCKETS; me++) {
            ux_bucket_t *b = &((ux_bucket_t *) (void *) start->buckets)[me];

            if ((b->lock & UX_LOCK_OWNER) == 2) {
                b->lock++;
            }
        }

        start->processes[2] = start->processes[1];
        memset(&start->processes[1], 0, sizeof(ux_process_t));
        repair.joins = true;

        n = walk(&repair, &bad, false);
        if (n == 0) {
            ok(true, "repairer # SKIP ptrace is not permitted");
            return;
        }

        sum += n;
        runs++;
    }

    ok(bad == 0 && runs > 4, "%s, then its repairer is killed: %u deaths, "
       "%u kill points, %u bad", scenario->name, runs, sum, bad);
}


typedef struct {
    uint64_t      acknowledged[KEYS];
    uint32_t      unexpected;
} acks_t;


static acks_t  *acks;


/* Adds one in two places of a record of two parts, for ever. */
static void
hammer(case_table_t *c, uint64_t seed)
{
    unsigned            k;
    ux_turn_t           turn;
    ux_visitor_t        visitor;
    ux_table_effects_t  effects;

    case_join(c);

    for ( ;; ) {
        k = (unsigned) (case_random(&seed) % KEYS);

        if (ux_table_open(&c->table, case_key(k), NOW, &visitor, &turn)
            != UX_OK)
        {
            continue;
        }

        if (!turn.found) {
            case_parts(&visitor, 2, k);
            visitor.tracks[visitor.ntracks - 1].totals[3] = 0;
        }

        visitor.confirmed = true;
        visitor.tracks[0].totals[0]++;
        visitor.tracks[visitor.ntracks - 1].totals[3]++;

        if (ux_table_commit(&c->table, &turn, &visitor, NOW, &effects)
            == UX_OK)
        {
            __atomic_fetch_add(&acks->acknowledged[k], 1, __ATOMIC_SEQ_CST);

        } else {
            __atomic_fetch_add(&acks->unexpected, 1, __ATOMIC_SEQ_CST);
        }
    }
}


static pid_t
writer(case_table_t *c, uint64_t seed)
{
    pid_t  pid;

    pid = fork();

    if (pid == 0) {
        hammer(c, seed);
        _exit(0);
    }

    return pid;
}


static void
test_random(unsigned kills)
{
    pid_t          pids[4], dead;
    unsigned       i, k, torn, lost, over;
    int64_t        value;
    uint64_t       seed, sum;
    case_table_t   c;
    case_census_t  census;
    ux_visitor_t   visitor;

    c = case_table(12, 16);
    memset(acks, 0, sizeof(acks_t));
    seed = 4711;
    dead = 0;

    fflush(stdout);

    for (i = 0; i < 4; i++) {
        pids[i] = writer(&c, i);
    }

    for (i = 0; i < kills; i++) {
        usleep((useconds_t) (2000 + case_random(&seed) % 6000));

        k = (unsigned) (case_random(&seed) % 4);
        (void) kill(pids[k], SIGKILL);

        /* the last one stays a zombie until now */
        if (dead != 0) {
            (void) waitpid(dead, NULL, 0);
        }

        dead = pids[k];
        pids[k] = writer(&c, 100 + i);
    }

    usleep(20000);

    for (i = 0; i < 4; i++) {
        (void) kill(pids[i], SIGKILL);
        (void) waitpid(pids[i], NULL, 0);
    }

    (void) waitpid(dead, NULL, 0);

    case_join(&c);
    torn = 0;
    lost = 0;
    over = 0;
    sum = 0;

    for (k = 0; k < KEYS; k++) {
        value = 0;

        if (ux_table_read(&c.table, case_key(k), NOW, &visitor) == UX_OK) {
            value = visitor.tracks[0].totals[0];
            torn += value != visitor.tracks[visitor.ntracks - 1].totals[3];
        }

        sum += acks->acknowledged[k];

        if ((uint64_t) value < acks->acknowledged[k]) {
            lost++;

        } else {
            over += (unsigned) ((uint64_t) value - acks->acknowledged[k]);
        }
    }

    census = case_count(&c.table, NOW);

    ok(lost == 0 && torn == 0, "%u random kills, %llu updates acknowledged: "
       "%u lost, %u torn", kills + 4, (unsigned long long) sum, lost, torn);
    ok(over <= kills + 4, "%u unacknowledged kept, at most one a kill", over);
    ok(census.torn == 0 && census.locked == 0 && census.visitors == KEYS
       && acks->unexpected == 0,
       "no lock stuck, no record doubled, no room missing");
    ok(sum > kills * 100ull, "there was load");

    case_free(&c);
}


static void *
map(size_t size)
{
    void  *mem;

    mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
               MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (mem == MAP_FAILED) {
        printf("Bail out! no memory\n");
        exit(1);
    }

    return mem;
}


int
main(void)
{
    unsigned    i;
    uint64_t    n;
    ux_table_t  table;

    const scenario_t  update = { "update", setup_one, act_write,
                                 judge_table, true, 1 };
    const scenario_t  insert = { "insert", setup_few, act_write,
                                 judge_table, true, 1 };
    const scenario_t  grow = { "growth to a 2nd part", setup_one, act_write,
                               judge_table, true, 2 };
    const scenario_t  eight = { "growth from 2 to 8 parts", setup_two,
                                act_write, judge_table, true, 8 };
    const scenario_t  shrink = { "8 parts to 1", setup_eight, act_write,
                                 judge_table, true, 1 };
    const scenario_t  erase = { "erasure", setup_two, act_erase,
                                judge_table, true, 1 };
    const scenario_t  evict = { "eviction of a 2-part victim", setup_full,
                                act_write, judge_table, true, 1 };
    const scenario_t  move = { "move of another visitor", setup_move,
                               act_write, judge_table, true, 1 };
    const scenario_t  claim = { "claim of a dead entry", setup_claim,
                                act_claim, judge_claim, false, 1 };
    const scenario_t  registry = { "registry append", setup_registry,
                                   act_append, judge_registry, true, 1 };

    zone = map(sizeof(zone_t));
    start = map(sizeof(zone_t));
    copy = map(sizeof(zone_t));
    last = map(sizeof(zone_t));
    states = map(STATES_MAX * sizeof(zone_t));
    acks = map(sizeof(acks_t));

    table = table_of(zone, 0);
    n = 1;

    for (i = 0; i < KEYS; i++) {
        keys[i] = i < FULL ? case_key_in(&table, i % 2, 1 - i % 2, &n)
                           : case_key_in(&table, 1 + i % 2, 2 - i % 2, &n);
    }

    test_scenario(&update, 0, false);
    test_scenario(&insert, 0, false);
    test_scenario(&grow, 0, false);
    test_scenario(&eight, 0, false);
    test_scenario(&shrink, 0, false);
    test_scenario(&erase, 1, false);
    test_scenario(&registry, 0, false);
    test_scenario(&move, 0, false);
    test_scenario(&evict, 1, true);
    test_repairer(&evict);
    test_scenario(&claim, 0, false);

    ok(points > 1000, "%llu kill points in all", (unsigned long long) points);

    test_random(100);

    return done();
}
