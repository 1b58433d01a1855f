
/*
 * Copyright (C) the nginx-ux authors
 *
 * The visitor table against a plain array, and its order of eviction.
 */

#include "table_case.h"


/* The plain array: what the table should hold. */
typedef struct {
    bool           there;
    uint32_t       expires_s;
    ux_visitor_t  *visitor;
} model_t;


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


/*
 * Three full buckets, one of which knows that nobody in it expires soon; then
 * somebody in it does.  A newcomer of the other two must not drive out a
 * living one.
 */
static void
test_expiring(void)
{
    unsigned            i, k, bad;
    uint64_t            n;
    ux_key_t            keys[50], key;
    ux_copy_t           found;
    ux_turn_t           turn;
    ux_place_t          place;
    case_table_t        c;
    ux_visitor_t        visitor;
    ux_table_effects_t  effects;

    c = case_table(4, 3);
    case_join(&c);
    n = 1;
    bad = 0;

    for (i = 0; i < 50; i++) {
        keys[i] = i < 32 ? case_key_in(&c.table, 1 + i % 2, 2 - i % 2, &n)
                         : case_key_in(&c.table, 0, 1, &n);
    }

    for (i = 0; i < 49; i++) {
        bad += put(&c.table, keys[i], NOW - i, true, false, &effects)
               != UX_OK;
        bad += effects.evicted != (i == 48);
    }

    ok(bad == 0, "three full buckets, and one had to go");

    for (k = 0; k < 32; k++) {
        place = ux_table_place(&c.table, keys[k]);
        ux_table_gather(&c.table, &place, keys[k].id, &found);

        if (found.nslots == 1 && found.slots[0] / UX_BUCKET_SLOTS == 2) {
            break;
        }
    }

    bad += put(&c.table, keys[k], NOW - 998, true, false, &effects) != UX_OK;

    key = keys[49];
    bad += ux_table_open(&c.table, key, NOW + 2, &visitor, &turn) != UX_OK;
    visitor.confirmed = true;
    bad += ux_table_commit(&c.table, &turn, &visitor, NOW + 2, &effects)
           != UX_OK;

    ok(bad == 0 && effects.inserted == 1 && effects.expired == 1
       && effects.evicted == 0, "somebody moves to the place of the expired");
    ok(!there(&c.table, keys[k]) && there(&c.table, key)
       && case_count(&c.table, NOW + 2).torn == 0
       && case_count(&c.table, NOW + 2).visitors == 48, "all others stay");

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


int
main(void)
{
    test_basics();
    test_erase();
    test_model();
    test_churn();
    test_order();
    test_full();
    test_expiring();
    test_flood();

    return done();
}
