
/*
 * Copyright (C) the nginx-ux authors
 *
 * The scenes of test_kill.c: what is written to a zone, and how a survivor
 * judges what a killed writer left.
 */

#ifndef KILL_CASE_H
#define KILL_CASE_H


#include "table_case.h"
#include "ux_registry_private.h"

#include <unistd.h>


#define PROCESSES   4
#define BUCKETS     3
#define ENTRIES     12
#define KEYS        48
#define FULL        17               /* first key of buckets 1 and 2 */
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
    bool         warm;               /* it wrote something before */
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
static ux_seen_t     seen;           /* or what it has seen of it */
static uint64_t   points, judged;
static bool       backwards;         /* the survivor's order */


/* A view of a zone; process entry `me`. */
__attribute__((unused))
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


__attribute__((unused))
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


__attribute__((unused))
static uint32_t
join(zone_t *z)
{
    return ux_process_claim(z->processes, PROCESSES, repair_all, z);
}


/* A name that no process has: the parent's pid with another start time. */
__attribute__((unused))
static ux_who_t
nobody(void)
{
    return (1ull << 63) | ((ux_who_t) getpid() & ((1u << 22) - 1));
}


__attribute__((unused))
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
__attribute__((unused))
static bool
put_in(zone_t *z, uint32_t me, unsigned k, unsigned parts, uint32_t last_s)
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


__attribute__((unused))
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


__attribute__((unused))
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
__attribute__((unused))
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


__attribute__((unused))
static uint32_t
child_me(void)
{
    return 1;                        /* the parent is 0 */
}


/* The buckets that the child has locked, a bit each. */
__attribute__((unused))
static unsigned
locked_by_child(void)
{
    unsigned             i, bits;
    const ux_bucket_t   *buckets;

    buckets = (const ux_bucket_t *) (const void *) zone->buckets;
    bits = 0;

    for (i = 0; i < BUCKETS; i++) {
        if ((buckets[i].lock & UX_LOCK_OWNER) == child_me() + 1) {
            bits |= 1u << i;
        }
    }

    return bits;
}


/* Where the record's first part is. */
__attribute__((unused))
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
__attribute__((unused))
static void
setup_few(void)
{
    unsigned  k;

    for (k = 1; k < 6; k++) {
        (void) put_in(zone, 0, k, k == 1 ? 2 : 1, NOW - k);
    }
}


/*
 * The child has written before: its journal holds an old image of key 5, and
 * another process has written that record since.
 */
__attribute__((unused))
static void
warm_up(void)
{
    (void) put_in(zone, child_me(), 5, 1, NOW - 6);
    (void) put_in(zone, 0, 5, 1, NOW - 5);
}


__attribute__((unused))
static void
setup_one(void)
{
    setup_few();
    (void) put_in(zone, 0, 0, 1, NOW - 10);
}


__attribute__((unused))
static void
setup_two(void)
{
    setup_few();
    (void) put_in(zone, 0, 0, 2, NOW - 10);
}


__attribute__((unused))
static void
setup_eight(void)
{
    setup_few();
    (void) put_in(zone, 0, 0, 8, NOW - 10);
}


/* Outside of what is stepped: makes the record to be written. */
__attribute__((unused))
static void
aim(unsigned parts)
{
    ux_visitor_init(&target, keys[0].id, NOW - 10);
    case_parts(&target, parts, keys[0].id + 1);
    target.last_s = NOW;
    target.confirmed = true;
}


/* Nothing is another but when the visitor was here. */
__attribute__((unused))
static void
act_again(void)
{
    ux_turn_t           turn;
    ux_table_t          table;
    ux_visitor_t        visitor;
    ux_table_effects_t  effects;

    table = table_of(zone, child_me());

    if (ux_table_open(&table, keys[0], NOW, &visitor, &turn) == UX_OK) {
        visitor.last_s = NOW;
        (void) ux_table_commit(&table, &turn, &visitor, NOW, &effects);
    }
}


/* The child looks at the record before it is stepped. */
__attribute__((unused))
static void
look(void)
{
    ux_table_t    table;
    ux_outline_t  outline;

    table = table_of(zone, child_me());
    (void) ux_table_see(&table, keys[0], NOW, &outline, &seen);
}


__attribute__((unused))
static void
act_touch(void)
{
    ux_table_t  table;

    table = table_of(zone, child_me());
    (void) ux_table_touch(&table, &seen, NOW, 0, 1800);
}


__attribute__((unused))
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


__attribute__((unused))
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
__attribute__((unused))
static void
setup_full(void)
{
    unsigned  k;

    for (k = FULL; k < KEYS - 1; k++) {
        (void) put_in(zone, 0, k, 1, NOW - 100 - k);
    }

    (void) put_in(zone, 0, KEYS - 1, 2, NOW - 900);

    for (k = 1; k < FULL; k++) {
        (void) put_in(zone, 0, k, 1, NOW - 100 - k);
    }
}


/* The same, but for one slot of bucket 2: somebody of bucket 1 moves there. */
__attribute__((unused))
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


__attribute__((unused))
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


__attribute__((unused))
static bool
append(zone_t *z, uint32_t me, const char *name, const ux_entry_t **entry)
{
    ux_claim_t      claim;
    ux_registrar_t  registrar;

    registrar.registry = &z->registry;
    registrar.processes = z->processes;
    registrar.me = me;
    registrar.tries = 1;
    claim = claim_of(name);

    return ux_registry_claim(&registrar, &claim, 1, entry) == UX_OK;
}


__attribute__((unused))
static void
setup_registry(void)
{
    const ux_entry_t  *entry;

    (void) append(zone, 0, "first", &entry);
}


__attribute__((unused))
static void
act_append(void)
{
    const ux_entry_t  *entry;

    (void) append(zone, child_me(), "second", &entry);
}


/* Makes or finds the second, then a third: numbers and cells in a row. */
__attribute__((unused))
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
__attribute__((unused))
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


__attribute__((unused))
static void
act_claim(void)
{
    (void) join(zone);
}


/* Another newcomer gets an entry of its own; the records are whole. */
__attribute__((unused))
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


#endif
