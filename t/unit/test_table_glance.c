
/*
 * Copyright (C) the nginx-ux authors
 *
 * A glance at a record says what reading all of it would.
 */

#include "table_case.h"


static bool agree_at(case_table_t *c, ux_key_t key, uint32_t now_s,
    ux_status_t looked, const ux_glance_t *glance);
static unsigned agree(case_table_t *c, ux_key_t key, uint32_t now_s);
static void visit(case_table_t *c, uint64_t i);


/* Visitors of all kinds, some gone, in buckets that are nearly full. */
static void
test_agrees(void)
{
    enum { VISITORS = 1400 };

    bool          provisional;
    unsigned      bad, found, both;
    uint64_t      i;
    case_table_t  c;

    c = case_table(2, 100);
    case_join(&c);

    for (i = 0; i < VISITORS; i++) {
        visit(&c, i);
    }

    for (i = 0; i < VISITORS; i += 9) {
        (void) ux_table_erase(&c.table, case_key(i), NOW, &provisional);
    }

    bad = found = 0;

    for (i = 0; i < VISITORS + 100; i++) {
        both = agree(&c, case_key(i), NOW);
        bad += both == 0;
        found += both == 2;
    }

    ok(bad == 0, "%u of %u look-ups differ", bad, VISITORS + 100);
    ok(found > VISITORS / 2, "%u of them find somebody", found);

    bad = found = 0;

    for (i = 0; i < VISITORS; i++) {
        both = agree(&c, case_key(i), NOW + 1000 - 3);
        bad += both == 0;
        found += both == 2;
    }

    ok(bad == 0 && found > 0 && found < VISITORS / 2,
       "some have expired: %u differ, %u are left", bad, found);

    case_free(&c);
}


/* Wherever it looks first, a glance sees the same. */
static bool
agree_at(case_table_t *c, ux_key_t key, uint32_t now_s, ux_status_t looked,
    const ux_glance_t *glance)
{
    bool         same;
    uint32_t     at, i;
    ux_glance_t  other;

    static uint32_t  last;           /* where another one is, or was */

    same = true;

    for (i = 0; i < 4; i++) {
        at = i == 0 ? last : i == 3 ? (uint32_t) key.id
                                    : at + (uint32_t) (key.id >> 32) % 3;

        same &= ux_table_glance_at(&c->table, key, now_s, &at, &other)
                == looked
                && (looked != UX_OK
                    || (other.cookie_hash == glance->cookie_hash
                        && other.last_s == glance->last_s
                        && other.confirmed == glance->confirmed
                        && other.waiting == glance->waiting));
    }

    last = at;

    return same;
}


/* 0: glance and read differ; 1: both find nobody; 2: both the same. */
static unsigned
agree(case_table_t *c, ux_key_t key, uint32_t now_s)
{
    bool          waiting;
    unsigned      i;
    ux_glance_t   glance;
    ux_status_t   looked, read;
    ux_visitor_t  visitor;

    looked = ux_table_glance(&c->table, key, now_s, &glance);
    read = ux_table_read(&c->table, key, now_s, &visitor);

    if (!agree_at(c, key, now_s, looked, &glance)) {
        return 0;
    }

    if (looked != UX_OK || read != UX_OK) {
        return looked == read;
    }

    waiting = false;

    for (i = 1; i < visitor.ntracks; i++) {
        waiting |= visitor.tracks[i].waiting;
    }

    return glance.cookie_hash == visitor.cookie_hash
           && glance.last_s == visitor.last_s
           && glance.confirmed == visitor.confirmed
           && glance.waiting == waiting ? 2 : 0;
}


static void
visit(case_table_t *c, uint64_t i)
{
    ux_turn_t           turn;
    ux_visitor_t        visitor;
    ux_table_effects_t  effects;

    (void) ux_table_open(&c->table, case_key(i), NOW - (uint32_t) (i % 7),
                         &visitor, &turn);

    /* numbers of one to five bytes before the hash */

    visitor.first_s = NOW - (uint32_t) (i % 5 == 0 ? 0 : 1u << (i % 20));
    visitor.confirmed = i % 3 != 0;
    visitor.cookie_hash = i % 4 == 0 ? 0 : case_mix(i);

    if (i % 11 == 0) {
        case_parts(&visitor, 1 + i % 2, i);
    }

    if (visitor.ntracks > 1 && i % 2 == 0) {
        visitor.tracks[visitor.ntracks - 1].waiting = true;
    }

    (void) ux_table_commit(&c->table, &turn, &visitor, NOW, &effects);
}


/* Who is not there any more is not seen where he was. */
static void
test_gone(void)
{
    bool          provisional;
    uint32_t      at[100], i;
    unsigned      seen, gone, found;
    ux_glance_t   glance;
    case_table_t  c;

    c = case_table(2, 100);
    case_join(&c);
    seen = gone = found = 0;

    for (i = 0; i < 100; i++) {
        at[i] = UX_PROCESS_NONE;
        visit(&c, i);
        found += ux_table_glance_at(&c.table, case_key(i), NOW, &at[i],
                                    &glance) == UX_OK;
    }

    for (i = 0; i < 100; i++) {
        seen += ux_table_glance_at(&c.table, case_key(i), NOW, &at[i],
                                   &glance) == UX_OK;
        (void) ux_table_erase(&c.table, case_key(i), NOW, &provisional);
        gone += ux_table_glance_at(&c.table, case_key(i), NOW, &at[i],
                                   &glance) == UX_DECLINED;
    }

    ok(found == 100 && seen == 100, "100 are seen where they were");
    ok(gone == 100, "and none of them once it is erased");

    case_free(&c);
}


/* One bucket; a key, and another one of the same place and tag. */
static case_table_t
small_table(ux_key_t *key, ux_key_t *other)
{
    case_table_t  c;

    c = case_table(2, 1);
    case_join(&c);
    *key = case_key(1);
    *other = *key;
    other->id++;

    return c;
}


/* Whoever writes is not looked at; a name alike is nobody. */
static void
test_declined(void)
{
    ux_key_t             key, other;
    ux_turn_t            turn;
    ux_glance_t          glance;
    case_table_t         c;
    ux_visitor_t         visitor;
    ux_table_effects_t   effects;

    c = small_table(&key, &other);

    (void) ux_table_open(&c.table, key, NOW, &visitor, &turn);
    (void) ux_table_commit(&c.table, &turn, &visitor, NOW, &effects);

    ok(ux_table_glance(&c.table, key, NOW, &glance) == UX_OK,
       "in a table of one bucket");
    ok(ux_table_glance(&c.table, other, NOW, &glance) == UX_DECLINED,
       "another one of the same place and tag");

    (void) ux_table_open(&c.table, key, NOW, &visitor, &turn);
    ok(ux_table_glance(&c.table, key, NOW, &glance) == UX_DECLINED,
       "not while somebody writes");
    ux_table_abort(&c.table, &turn);

    ok(ux_table_glance(&c.table, key, NOW, &glance) == UX_OK, "and after");

    case_free(&c);
}


/* Is the record what `seen` is of, and was its visitor last here then? */
static bool
same(case_table_t *c, ux_key_t key, const ux_seen_t *seen, uint32_t now_s,
    uint32_t last_s)
{
    uint32_t  told;

    return ux_table_same(&c->table, key, seen, now_s, &told) == UX_OK
           && told == last_s;
}


/* What was seen of a record holds until a turn has changed something of it. */
static void
test_same(void)
{
    bool                 provisional;
    uint32_t             at;
    ux_key_t             key, other;
    ux_seen_t            seen, glanced;
    ux_turn_t            turn;
    ux_glance_t          glance;
    case_table_t         c;
    ux_outline_t         outline;
    ux_visitor_t         visitor;
    ux_table_effects_t   effects;

    c = small_table(&key, &other);

    (void) ux_table_open(&c.table, key, NOW, &visitor, &turn);
    visitor.confirmed = true;
    (void) ux_table_commit(&c.table, &turn, &visitor, NOW, &effects);

    seen.slot = at = UX_PROCESS_NONE;
    ok(ux_table_see(&c.table, key, NOW, &outline, &seen) == UX_OK
       && same(&c, key, &seen, NOW, NOW), "a record is as it was seen");

    (void) ux_table_glance_at(&c.table, key, NOW, &at, &glance);
    glanced.slot = at;
    glanced.word = glance.word;
    ok(same(&c, key, &glanced, NOW, NOW), "or glanced at");

    ok(!same(&c, other, &seen, NOW, NOW), "another one's is not");
    glanced.slot = c.table.nbuckets * UX_BUCKET_SLOTS;
    ok(!same(&c, key, &glanced, NOW, NOW), "nor what is behind the table");
    ok(!same(&c, key, &seen, visitor.last_s + 2 * c.table.inactive_s, NOW),
       "nor one that has expired");

    ok(ux_table_touch(&c.table, &seen, NOW + 5, 0, 60) == UX_OK
       && same(&c, key, &seen, NOW + 5, NOW + 5), "a touch leaves it so");

    (void) ux_table_open(&c.table, key, NOW + 6, &visitor, &turn);
    ok(!same(&c, key, &seen, NOW + 6, NOW + 5), "not while somebody writes");
    ux_table_abort(&c.table, &turn);
    ok(same(&c, key, &seen, NOW + 6, NOW + 5), "a turn given up does, too");

    (void) ux_table_open(&c.table, key, NOW + 7, &visitor, &turn);
    visitor.last_s = NOW + 7;
    (void) ux_table_commit(&c.table, &turn, &visitor, NOW + 7, &effects);
    ok(same(&c, key, &seen, NOW + 7, NOW + 7),
       "and one that changes its times alone");

    (void) ux_table_open(&c.table, key, NOW + 8, &visitor, &turn);
    visitor.error_seen = true;
    (void) ux_table_commit(&c.table, &turn, &visitor, NOW + 8, &effects);
    ok(!same(&c, key, &seen, NOW + 8, NOW + 7), "one that changes more not");

    (void) ux_table_see(&c.table, key, NOW + 8, &outline, &seen);
    (void) ux_table_erase(&c.table, key, NOW + 8, &provisional);
    ok(!same(&c, key, &seen, NOW + 8, NOW + 7), "nor one that erases it");

    case_free(&c);
}


int
main(void)
{
    test_agrees();
    test_gone();
    test_declined();
    test_same();

    return done();
}
