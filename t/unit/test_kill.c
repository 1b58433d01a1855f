
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
 * parent survives on the zone itself, the child being a zombie.  At some it
 * only stands still while another process writes, and then goes on: nothing is
 * taken from it, and neither of the two writes over the other.
 */

#include "kill_case.h"
#include "stepped_child.h"


#define REAL_KILLS  50
#define STOPS       4
#define REPAIRS     6


/* The child stands still just before the action; its name is known. */
static pid_t
launch(const scenario_t *scenario, ux_who_t *who)
{
    pid_t     pid;
    uint32_t  me;

    *zone = *start;
    pid = child_fork();

    if (pid == 0) {
        if (scenario->joins) {
            me = join(zone);

            if (me != child_me()) {
                _exit(3);
            }

            if (scenario->warm) {
                warm_up();
            }
        }

        aim(scenario->parts);
        look();

        raise(SIGSTOP);
        scenario->action();
        raise(SIGSTOP);
        _exit(0);
    }

    if (child_wait(pid) == 0) {
        return -1;
    }

    *who = zone->processes[child_me()].who;

    return pid;
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

        more = child_step(pid);
    } while (more);

    child_kill(pid);

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

    while (k > 0 && child_step(pid)) {
        k--;
    }

    (void) kill(pid, SIGKILL);
    (void) waitid(P_PID, (id_t) pid, &info, WEXITED | WNOWAIT);

    backwards = k % 2;
    good = scenario->judge(zone);

    (void) waitpid(pid, NULL, 0);

    return good;
}


/* Writes every record that it gets hold of; how many it does not. */
static unsigned
write_beside(facts_t *mine)
{
    unsigned             k, busy;
    ux_turn_t            turn;
    ux_table_t           table;
    ux_visitor_t         visitor;
    ux_table_effects_t   effects;

    table = table_of(zone, 0);
    busy = 0;

    for (k = 0; k < KEYS; k++) {
        mine->there[k] = false;

        if (ux_table_open(&table, keys[k], NOW, &visitor, &turn) != UX_OK) {
            busy++;
            continue;
        }

        if (!turn.found) {
            ux_table_abort(&table, &turn);
            continue;
        }

        visitor.tracks[0].totals[1] = 7;
        mine->visitors[k] = visitor;
        mine->there[k] = ux_table_commit(&table, &turn, &visitor, NOW,
                                         &effects)
                         == UX_OK;
        busy += !mine->there[k];
    }

    return busy;
}


/* A turn begun after the other's: what that wrote, and the time of its own. */
static bool
wrote_after(const facts_t *now, const facts_t *mine)
{
    static ux_visitor_t  expected;

    expected = mine->visitors[0];
    expected.last_s = new_facts.visitors[0].last_s;

    return mine->there[0] && case_equal(&now->visitors[0], &expected);
}


/*
 * What either wrote is there as it wrote it; what was gone before, or what
 * the child's action takes away, may be gone.
 */
static bool
both_wrote(const scenario_t *scenario, const facts_t *mine, unsigned gone)
{
    bool             good;
    unsigned         k;
    ux_table_t       table;
    case_census_t    census;
    static facts_t   now;

    table = table_of(zone, 0);
    good = true;
    know(zone, &now);

    for (k = 0; k < KEYS; k++) {
        if (!now.there[k]) {
            if (old_facts.there[k] || new_facts.there[k]) {
                good = good && gone > 0;
                gone -= gone > 0;
            }

            continue;
        }

        good = good && (mine->there[k]
                        ? fact_equal(&now, mine, k)
                          || (k == 0 && fact_equal(&now, &new_facts, k))
                          || (k == 0 && scenario->action == act_again
                              && wrote_after(&now, mine))
                        : fact_equal(&now, &new_facts, k));
    }

    census = case_count(&table, NOW);

    return good && census.torn == 0 && census.locked == 0;
}


/* Stands still after k instructions, and goes on to its end. */
static bool
stop_at(const scenario_t *scenario, unsigned k, unsigned gone, unsigned *busy)
{
    bool            good;
    pid_t           pid;
    unsigned        locked;
    ux_who_t        who;
    static facts_t  mine;

    pid = launch(scenario, &who);
    if (pid < 0) {
        return false;
    }

    while (k > 0 && child_step(pid)) {
        k--;
    }

    locked = locked_by_child();
    *busy += write_beside(&mine);

    good = locked_by_child() == locked
           && ptrace(PTRACE_CONT, pid, NULL, NULL) == 0
           && child_wait(pid) == SIGSTOP
           && both_wrote(scenario, &mine, gone);

    child_kill(pid);

    return good;
}


static void
test_stops(const scenario_t *scenario, unsigned n, unsigned gone)
{
    unsigned  i, bad, busy, stops;

    stops = tap_count("TEST_UX_STOPS_AT", STOPS);
    stops = stops < n - 2 ? stops : n - 2;
    bad = 0;
    busy = 0;

    /* from before the first of them to the last but one */

    for (i = 0; i < stops; i++) {
        bad += !stop_at(scenario, (n - 2) * (i + 1) / stops, gone, &busy);
    }

    ok(bad == 0, "%s: stood still at %u of them, %u times in another's way, "
       "%u bad", scenario->name, stops, busy, bad);
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

    if (scenario->warm) {
        (void) put_in(zone, 0, 5, 1, NOW - 5);
    }

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

            if (scenario->warm) {
                warm_up();
            }
        }

        aim(scenario->parts);
        look();
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
    unsigned  n, i, all, bad, went, stride;

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

    all = n;
    stride = n / (n < 5000 ? REAL_KILLS : REAL_KILLS / 10) + 1;
    bad = 0;
    i = 0;

    for (n = n - 1; n > stride; n -= stride) {
        i++;
        bad += !kill_at(scenario, n);
    }

    ok(bad == 0, "%s: really killed at %u of them, %u bad", scenario->name,
       i, bad);

    if (scenario->judge == judge_table) {
        test_stops(scenario, all, gone);
    }
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
    repair.warm = false;

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
                                 judge_table, true, 1, true };
    const scenario_t  touch = { "touch", setup_one, act_touch,
                                judge_table, true, 1, true };
    const scenario_t  again = { "update of the time", setup_one, act_again,
                                judge_table, true, 1, true };
    const scenario_t  insert = { "insert", setup_few, act_write,
                                 judge_table, true, 1, true };
    const scenario_t  grow = { "growth to a 2nd part", setup_one, act_write,
                               judge_table, true, 2, true };
    const scenario_t  eight = { "growth from 2 to 8 parts", setup_two,
                                act_write, judge_table, true, 8, true };
    const scenario_t  shrink = { "8 parts to 1", setup_eight, act_write,
                                 judge_table, true, 1, true };
    const scenario_t  erase = { "erasure", setup_two, act_erase,
                                judge_table, true, 1, true };
    const scenario_t  evict = { "eviction of a 2-part victim", setup_full,
                                act_write, judge_table, true, 1, true };
    const scenario_t  move = { "move of another visitor", setup_move,
                               act_write, judge_table, true, 1, true };
    const scenario_t  claim = { "claim of a dead entry", setup_claim,
                                act_claim, judge_claim, false, 1, false };
    const scenario_t  registry = { "registry append", setup_registry,
                                   act_append, judge_registry, true, 1,
                                   false };

    zone = map(sizeof(zone_t));
    start = map(sizeof(zone_t));
    copy = map(sizeof(zone_t));
    last = map(sizeof(zone_t));
    states = map(STATES_MAX * sizeof(zone_t));

    table = table_of(zone, 0);
    n = 1;

    for (i = 0; i < KEYS; i++) {
        keys[i] = i < FULL ? case_key_in(&table, i % 2, 1 - i % 2, &n)
                           : case_key_in(&table, 1 + i % 2, 2 - i % 2, &n);
    }

    test_scenario(&update, 0, false);
    test_scenario(&touch, 0, false);
    test_scenario(&again, 0, false);
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

    return done();
}
