
/*
 * Copyright (C) the nginx-ux authors
 *
 * The visitor table against a plain array, its room and its order of
 * eviction, its load, and several processes at once.
 */

#include "table_case.h"

#include <sys/wait.h>
#include <unistd.h>


#define NOW  1000000u


/* The plain array: what the table should hold. */
typedef struct {
    bool           there;
    uint32_t       expires_s;
    ux_visitor_t  *visitor;
} model_t;


typedef struct {
    uint64_t  inserted;
    uint64_t  evicted;
    uint64_t  expired;
    uint64_t  gone;
    uint64_t  erased;
    uint64_t  confirmed;
    uint64_t  full;
    uint64_t  busy;
} sums_t;


static void
sums_add(sums_t *sums, const ux_table_effects_t *effects)
{
    sums->inserted += effects->inserted;
    sums->evicted += effects->evicted;
    sums->expired += effects->expired;
    sums->gone += effects->provisional_gone;
}


/* Puts a visitor of one part there, however confirmed and long away. */
static ux_status_t
put(ux_table_t *table, ux_key_t key, uint32_t last_s, bool confirmed,
    bool cart, ux_table_effects_t *effects)
{
    ux_turn_t     turn;
    ux_status_t   rc;
    ux_visitor_t  visitor;

    rc = ux_table_open(table, key, NOW, &visitor, &turn);
    if (rc != UX_OK) {
        return rc;
    }

    visitor.last_s = last_s;
    visitor.first_s = last_s;
    visitor.tracks[0].exposed_ms = (uint64_t) last_s * 1000;
    visitor.confirmed = confirmed;

    if (cart) {
        visitor.tracks[0].carts[3].state = UX_CART_OPEN;
        visitor.tracks[0].carts[3].created_ms = (uint64_t) last_s * 1000;
    }

    return ux_table_commit(table, &turn, &visitor, NOW, effects);
}


static bool
there(ux_table_t *table, ux_key_t key)
{
    ux_visitor_t  visitor;

    return ux_table_read(table, key, NOW, &visitor) == UX_OK;
}


static void
test_basics(void)
{
    ux_turn_t           turn;
    case_table_t        c;
    ux_visitor_t        visitor, again;
    ux_table_effects_t  effects;

    c = case_table(4, 100);

    ok(ux_table_open(&c.table, case_key(1), NOW, &visitor, &turn) == UX_BUSY,
       "a process without an entry gets no turn");

    case_join(&c);

    ok(ux_table_read(&c.table, case_key(1), NOW, &visitor) == UX_DECLINED,
       "an unknown visitor is declined");
    ok(ux_table_open(&c.table, case_key(1), NOW, &visitor, &turn) == UX_OK
       && !turn.found && visitor.key_id == case_key(1).id
       && visitor.first_s == NOW, "a newcomer is made new");

    ux_table_abort(&c.table, &turn);
    ok(case_count(&c.table, NOW).slots == 0
       && case_count(&c.table, NOW).locked == 0, "abort leaves nothing");

    (void) ux_table_open(&c.table, case_key(1), NOW, &visitor, &turn);
    case_parts(&visitor, 3, 7);
    ok(ux_table_commit(&c.table, &turn, &visitor, NOW, &effects) == UX_OK
       && effects.inserted == 1 && effects.evicted == 0
       && effects.expired == 0 && effects.provisional_gone == 0,
       "commit inserts");
    ok(ux_table_read(&c.table, case_key(1), NOW, &again) == UX_OK
       && case_equal(&visitor, &again), "and it reads back");
    ok(ux_table_read(&c.table, case_key(1), NOW + 999, &again) == UX_OK
       && ux_table_read(&c.table, case_key(1), NOW + 1000, &again)
          == UX_DECLINED, "until its time is over");

    ok(ux_table_open(&c.table, case_key(1), NOW + 1000, &again, &turn)
       == UX_OK && !turn.found && turn.nparts == 3
       && again.first_s == NOW + 1000, "then it is new again");
    ok(ux_table_commit(&c.table, &turn, &again, NOW + 1000, &effects)
       == UX_OK && effects.inserted == 1 && effects.expired == 1
       && effects.evicted == 0 && effects.provisional_gone == 1,
       "and replaces itself");
    ok(case_count(&c.table, NOW).slots == 1, "its old parts are free");

    c.table.max_window_s = 5000;
    (void) ux_table_open(&c.table, case_key(1), NOW + 1000, &visitor, &turn);
    (void) ux_table_commit(&c.table, &turn, &visitor, NOW, &effects);
    ok(effects.inserted == 0, "an update inserts nothing");
    ok(ux_table_read(&c.table, case_key(1), NOW + 5999, &again) == UX_OK,
       "a record outlives the longest window");

    case_free(&c);
}


static void
test_erase(void)
{
    bool                provisional;
    unsigned            i, left;
    uint32_t            now;
    ux_turn_t           turn;
    case_table_t        c;
    ux_visitor_t        visitor;
    ux_table_effects_t  effects;

    c = case_table(4, 100);
    case_join(&c);
    now = NOW;

    (void) ux_table_open(&c.table, case_key(1), now, &visitor, &turn);
    case_parts(&visitor, 8, 3);
    visitor.confirmed = true;
    (void) ux_table_commit(&c.table, &turn, &visitor, now, &effects);
    (void) put(&c.table, case_key(2), now, false, false, &effects);

    ok(case_count(&c.table, now).slots == 9, "eight parts and one");
    ok(ux_table_erase(&c.table, case_key(1), now, &provisional) == UX_OK
       && !provisional, "erase removes");
    ok(ux_table_erase(&c.table, case_key(2), now, &provisional) == UX_OK
       && provisional, "and says what was provisional");
    ok(ux_table_erase(&c.table, case_key(2), now, &provisional)
       == UX_DECLINED, "once");

    left = 0;

    for (i = 0; i < c.table.nbuckets * UX_BUCKET_SLOTS; i++) {
        left += ux_slot_get(&c.table, i)->head.key_id != 0
                || ux_slot_get(&c.table, i)->words[0] != 0
                || ux_slot_get(&c.table, i)->words[12] != 0;
    }

    ok(left == 0, "nothing of them stays in memory");

    case_free(&c);
}


/* 10^5 operations on a table with room for all: it does what an array does. */
static void
test_model(void)
{
    enum { KEYS = 600, OPS = 100000 };

    bool                 provisional, same;
    size_t               len;
    uint8_t              buf[UX_PACKED_MAX];
    uint32_t             now, bad, wrong, alive;
    unsigned             op, k, n;
    uint64_t             seed;
    sums_t               sums;
    model_t             *m;
    ux_turn_t            turn;
    case_table_t         c;
    case_census_t        census;
    ux_visitor_t         visitor;
    static model_t       model[KEYS];
    ux_table_effects_t   effects;

    c = case_table(4, 500);
    c.table.inactive_s = 5;
    case_join(&c);

    memset(&sums, 0, sizeof(sums));
    seed = 42;
    now = NOW;
    bad = 0;
    wrong = 0;

    for (k = 0; k < KEYS; k++) {
        model[k].visitor = calloc(1, sizeof(ux_visitor_t));
    }

    for (op = 0; op < OPS; op++) {
        k = (unsigned) (case_random(&seed) % KEYS);
        m = &model[k];
        same = m->there && m->expires_s > now;
        now += case_random(&seed) % 100 == 0;

        switch (case_random(&seed) % 8) {

        case 0:
            if (ux_table_erase(&c.table, case_key(k), now, &provisional)
                != (m->there ? UX_OK : UX_DECLINED))
            {
                wrong++;
            }

            sums.erased += m->there;
            m->there = false;
            break;

        case 1:
        case 2:
        case 3:
            same = m->there && m->expires_s > now;

            if (ux_table_read(&c.table, case_key(k), now, &visitor)
                != (same ? UX_OK : UX_DECLINED)
                || (same && !case_equal(&visitor, m->visitor)))
            {
                wrong++;
            }
            break;

        default:
            same = m->there && m->expires_s > now;

            bad += ux_table_open(&c.table, case_key(k), now, &visitor, &turn)
                   != UX_OK;

            if (turn.found != same
                || (same && !case_equal(&visitor, m->visitor)))
            {
                wrong++;
            }

            n = (unsigned) (case_random(&seed) % 17);
            n = n * n / 17;          /* mostly few */
            case_grow(&visitor, n, case_random(&seed));
            visitor.last_s = now;
            visitor.confirmed = true;

            if (ux_visitor_pack(&visitor, buf, &len) != UX_OK) {
                ux_table_abort(&c.table, &turn);
                break;
            }

            bad += ux_table_commit(&c.table, &turn, &visitor, now, &effects)
                   != UX_OK;
            sums_add(&sums, &effects);

            *m->visitor = visitor;
            m->there = true;
            m->expires_s = now + c.table.inactive_s;
            break;
        }

        if (op % 5000 == 0) {
            census = case_count(&c.table, now);
            bad += census.torn + census.locked;
        }
    }

    ok(bad == 0, "no operation failed, no record was torn");
    ok(wrong == 0, "100000 operations gave what an array gives (%u not)",
       wrong);
    ok(sums.evicted == 0, "nobody had to go");

    alive = 0;

    for (k = 0; k < KEYS; k++) {
        alive += model[k].there;
        free(model[k].visitor);
    }

    census = case_count(&c.table, now);
    ok(census.visitors == alive, "%u visitors in both", alive);
    ok(sums.inserted == census.visitors + sums.expired + sums.erased,
       "inserted %llu = there + expired %llu + erased %llu",
       (unsigned long long) sums.inserted, (unsigned long long) sums.expired,
       (unsigned long long) sums.erased);
    ok(sums.expired > 0 && sums.erased > 0, "of both there were some");

    case_free(&c);
}


/* One random operation that may drive others out; acknowledged: true. */
static void
churn(ux_table_t *table, unsigned keys, uint32_t now, uint64_t *seed,
    sums_t *sums)
{
    bool                provisional;
    size_t              len;
    uint8_t             buf[UX_PACKED_MAX];
    uint64_t            dice;
    ux_key_t            key;
    ux_turn_t           turn;
    ux_status_t         rc;
    ux_visitor_t        visitor;
    ux_table_effects_t  effects;

    key = case_key(case_random(seed) % keys);
    dice = case_random(seed);

    if (dice % 50 == 0) {
        rc = ux_table_erase(table, key, now, &provisional);
        sums->erased += rc == UX_OK;
        sums->gone += rc == UX_OK && provisional;
        sums->busy += rc == UX_BUSY;
        return;
    }

    if (ux_table_open(table, key, now, &visitor, &turn) != UX_OK) {
        sums->busy++;
        return;
    }

    provisional = !visitor.confirmed;
    case_grow(&visitor,
              (unsigned) (dice / 8 % (dice % 5 == 0 ? 17 : 3)), dice);
    visitor.last_s = now;
    visitor.confirmed = visitor.confirmed || (dice >> 32) % 3 != 0;

    if ((dice >> 40) % 4 == 0) {
        visitor.tracks[0].carts[0].state = UX_CART_OPEN;
        visitor.tracks[0].carts[0].created_ms = (uint64_t) now * 1000;
    }

    if (ux_visitor_pack(&visitor, buf, &len) != UX_OK) {
        ux_table_abort(table, &turn);
        return;
    }

    if (ux_table_commit(table, &turn, &visitor, now, &effects) != UX_OK) {
        sums->full++;
        return;
    }

    sums->confirmed += provisional && visitor.confirmed;
    sums_add(sums, &effects);
}


static void
test_churn(void)
{
    unsigned       i, torn;
    uint32_t       now;
    uint64_t       seed;
    sums_t         sums;
    case_table_t   c;
    case_census_t  census;

    c = case_table(4, 9);
    c.table.inactive_s = 60;
    case_join(&c);

    memset(&sums, 0, sizeof(sums));
    seed = 9;
    now = NOW;
    torn = 0;

    for (i = 0; i < 60000; i++) {
        now += i % 3 == 0;
        churn(&c.table, 1000, now, &seed, &sums);

        if (i % 4 == 0) {
            census = case_count(&c.table, now);
            torn += census.torn + census.locked;
        }
    }

    census = case_count(&c.table, now);

    ok(torn == 0, "a full table of records of 1 to 8 parts: none torn");
    ok(sums.evicted > 1000 && sums.expired > 100 && sums.full > 10,
       "%llu evicted, %llu expired, %llu found no room",
       (unsigned long long) sums.evicted, (unsigned long long) sums.expired,
       (unsigned long long) sums.full);
    ok(sums.inserted == census.visitors + sums.evicted + sums.expired
                        + sums.erased,
       "inserted %llu = there %u + evicted + expired + erased",
       (unsigned long long) sums.inserted, census.visitors);
    ok(sums.inserted - sums.gone - sums.confirmed == census.provisional,
       "provisional: made less confirmed less gone = %u",
       census.provisional);

    case_free(&c);
}


/* A table of one bucket: who goes first. */
static void
test_order(void)
{
    bool                asked;
    unsigned            i, k, bad;
    case_table_t        c;
    ux_table_effects_t  effects;

    c = case_table(4, 1);
    case_join(&c);
    bad = 0;

    /* 0-3 expired, 4-7 provisional, 8-11 away, 12-15 with a cart */
    for (i = 0; i < 16; i++) {
        bad += put(&c.table, case_key(i), i < 4 ? NOW - 2000 : NOW - 500 + i,
                   i >= 8 || i < 4, i >= 12, &effects)
               != UX_OK;
    }

    ok(bad == 0 && case_count(&c.table, NOW).slots == 16, "a full bucket");

    for (i = 0; i < 8; i++) {
        bad += put(&c.table, case_key(100 + i), NOW + i, false, false,
                   &effects)
               != UX_OK;

        if (i < 4) {
            bad += effects.expired != 1 || effects.evicted != 0;
            continue;
        }

        bad += effects.expired != 0 || effects.evicted != 1
               || effects.provisional_gone != 1 || there(&c.table,
                                                         case_key(i));

        for (k = i + 1; k < 16; k++) {
            bad += !there(&c.table, case_key(k));
        }
    }

    ok(bad == 0, "provisional newcomers: expired go, then provisional ones, "
       "the one longest away first");

    for (i = 0; i < 8; i++) {
        bad += put(&c.table, case_key(100 + i), NOW + i, true, false,
                   &effects)
               != UX_OK;
    }

    ok(bad == 0 && case_count(&c.table, NOW).provisional == 0,
       "the newcomers are confirmed");

    asked = put(&c.table, case_key(200), NOW, false, false, &effects)
            == UX_FULL;
    ok(asked && effects.inserted == 0 && effects.evicted == 0,
       "a provisional one drives out no confirmed one");

    for (i = 8; i < 16; i++) {
        ok(there(&c.table, case_key(i)), "%u is still there", i);
    }

    /* first those without a cart: 8-11, 100-107; then 12-15 */
    for (i = 0; i < 16; i++) {
        bad += put(&c.table, case_key(300 + i), NOW + 100 + i, true, true,
                   &effects)
               != UX_OK;
        bad += effects.evicted != 1 || effects.provisional_gone != 0;

        k = i < 4 ? 8 + i : i < 12 ? 100 + i - 4 : i;
        bad += there(&c.table, case_key(k));

        if (i < 11) {
            bad += !there(&c.table, case_key(i + 1 < 4 ? 8 + i + 1
                                             : 100 + i + 1 - 4));
        }

        if (i < 12) {
            bad += !there(&c.table, case_key(12));
        }
    }

    ok(bad == 0, "confirmed newcomers: without a cart first, longest away "
       "first");

    case_free(&c);
}


/* UX_FULL leaves the old record as it was. */
static void
test_full(void)
{
    unsigned            i, bad;
    ux_turn_t           turn;
    case_table_t        c;
    ux_visitor_t        old, visitor;
    ux_table_effects_t  effects;

    c = case_table(4, 1);
    case_join(&c);
    bad = 0;

    bad += put(&c.table, case_key(0), NOW, false, false, &effects) != UX_OK;

    for (i = 1; i < 16; i++) {
        bad += put(&c.table, case_key(i), NOW, true, false, &effects)
               != UX_OK;
    }

    bad += ux_table_read(&c.table, case_key(0), NOW, &old) != UX_OK;
    bad += ux_table_open(&c.table, case_key(0), NOW, &visitor, &turn)
           != UX_OK;
    case_parts(&visitor, 2, 5);

    ok(bad == 0
       && ux_table_commit(&c.table, &turn, &visitor, NOW, &effects)
          == UX_FULL, "a provisional one cannot grow at others' cost");
    ok(ux_table_read(&c.table, case_key(0), NOW, &visitor) == UX_OK
       && case_equal(&visitor, &old), "and is as it was");
    ok(case_count(&c.table, NOW).locked == 0
       && case_count(&c.table, NOW).visitors == 16, "nobody else changed");

    bad += ux_table_open(&c.table, case_key(0), NOW, &visitor, &turn)
           != UX_OK;
    case_parts(&visitor, 8, 5);
    visitor.confirmed = true;

    ok(bad == 0
       && ux_table_commit(&c.table, &turn, &visitor, NOW, &effects) == UX_OK
       && effects.evicted == 7 && case_count(&c.table, NOW).visitors == 9,
       "a confirmed one grows to 8 parts, seven go");

    bad = put(&c.table, case_key(20), NOW + 5, true, false, &effects)
          != UX_OK;
    case_grow(&visitor, 0, 1);
    ok(bad == 0 && effects.evicted == 1, "and one more for a newcomer");

    case_free(&c);
}


static void
test_flood(void)
{
    enum { KEEP = 1000, FLOOD = 100000 };

    unsigned            i, lost, full;
    sums_t              sums;
    case_table_t        c;
    case_census_t       census;
    ux_table_effects_t  effects;

    c = case_table(4, 80);
    case_join(&c);

    memset(&sums, 0, sizeof(sums));

    for (i = 0; i < KEEP; i++) {
        (void) put(&c.table, case_key(i), NOW - 900, true, false, &effects);
        sums_add(&sums, &effects);
    }

    full = 0;

    for (i = 0; i < FLOOD; i++) {
        full += put(&c.table, case_key(10000 + i), NOW, false, false,
                    &effects)
                != UX_OK;
        sums_add(&sums, &effects);
    }

    lost = 0;

    for (i = 0; i < KEEP; i++) {
        lost += !there(&c.table, case_key(i));
    }

    census = case_count(&c.table, NOW);

    ok(lost == 0, "100000 provisional newcomers: %u of 1000 confirmed lost",
       lost);
    ok(sums.evicted == sums.gone && sums.evicted > FLOOD / 2,
       "they drove out one another (%u found no room)", full);
    ok(sums.inserted == census.visitors + sums.evicted + sums.expired,
       "inserted = there + evicted + expired");

    case_free(&c);
}


/* Live visitors lost when a table of n buckets is filled to the load. */
static double
fill(uint32_t nbuckets, unsigned percent, unsigned percent_two, uint64_t salt)
{
    uint64_t            i, used, lost;
    ux_turn_t           turn;
    case_table_t        c;
    ux_visitor_t        visitor;
    ux_table_effects_t  effects;

    c = case_table(2, nbuckets);
    case_join(&c);

    used = 0;
    lost = 0;

    for (i = 0; used < (uint64_t) nbuckets * 16 * percent / 100; i++) {
        (void) ux_table_open(&c.table, case_key(salt + i), NOW, &visitor,
                             &turn);
        visitor.confirmed = true;
        used++;

        if (i % 100 < percent_two) {
            case_parts(&visitor, 2, i);
            used++;
        }

        (void) ux_table_commit(&c.table, &turn, &visitor, NOW, &effects);
        lost += effects.evicted;
    }

    case_free(&c);

    return (double) lost / (double) i;
}


/*
 * The same when the table has been full for long: newcomers at a steady rate,
 * each alive for as many arrivals as fill the load, 3 % of two parts.
 */
static double
steady(uint32_t nbuckets, unsigned percent, uint64_t salt)
{
    uint32_t            now;
    uint64_t            i, alive, n, lost;
    ux_turn_t           turn;
    case_table_t        c;
    ux_visitor_t        visitor;
    ux_table_effects_t  effects;

    c = case_table(2, nbuckets);
    case_join(&c);

    alive = (uint64_t) nbuckets * 16 * percent / 103;
    c.table.inactive_s = (uint32_t) (alive / 100);
    n = 0;
    lost = 0;

    for (i = 0; i < alive * 5; i++) {
        now = NOW + (uint32_t) (i / 100);

        (void) ux_table_open(&c.table, case_key(salt + i), now, &visitor,
                             &turn);
        visitor.confirmed = true;

        if (i % 100 < 3) {
            case_parts(&visitor, 2, i);
        }

        (void) ux_table_commit(&c.table, &turn, &visitor, now, &effects);

        if (i > alive * 2) {
            lost += effects.evicted;
            n++;
        }
    }

    case_free(&c);

    return (double) lost / (double) n;
}


static void
test_load(void)
{
    double    lost;
    unsigned  percent;

    percent = (unsigned) (ux_table_capacity(10000) * 100 / 160000);

    lost = fill(10000, percent, 0, 1ull << 32);
    ok(lost <= 0.0001, "filled to .%u: %.4f %% of live visitors are lost",
       percent, lost * 100);

    lost = fill(10000, percent, 3, 2ull << 32);
    ok(lost <= 0.0001, "with 3 %% of two parts: %.4f %%", lost * 100);

    lost = steady(6000, percent, 3ull << 32);
    ok(lost <= 0.0005, "full for long: %.4f %%", lost * 100);

    lost = steady(6000, percent + 2, 4ull << 32);
    ok(lost > 0.001, "at .%u the promise would not hold: %.4f %%",
       percent + 2, lost * 100);

    ok(ux_table_size(1) == 2112, "2112 bytes a bucket");
}


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
    ok(acknowledged > 4ull * ops * 99 / 100, "hardly any was busy");
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
    ok(sum.busy < 2000, "%llu of 200000 found a lock held",
       (unsigned long long) sum.busy);

    munmap(sums, 4 * sizeof(sums_t));
    case_free(&c);
}


int
main(void)
{
    test_basics();
    test_erase();
    test_model();
    test_churn();
    test_order();
    test_full();
    test_flood();
    test_load();
    test_processes(8, 100000, 64);
    test_processes(10000, 100000, 2000);
    test_processes_churn();

    return done();
}
