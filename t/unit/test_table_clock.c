
/*
 * Copyright (C) the nginx-ux authors
 *
 * The clock that records expire by: with the time of day, slowly after a leap,
 * never ahead.
 */

#include "table_case.h"


#define YEAR  31536000u
#define DAY   86400u
#define WEEK  (7 * DAY)


static ux_table_t  table;
static uint64_t    word;


/* Looks once a second until `to`; the last answer. */
static uint32_t
run(uint32_t from, uint32_t to)
{
    uint32_t  now_s, at, before;

    before = 0;

    for (now_s = from; now_s <= to; now_s++) {
        at = ux_table_expiry(&table, now_s);

        if (at > now_s || at < before) {
            ok(false, "at %u: %u after %u", now_s, at, before);
            break;
        }

        before = at;
    }

    return before;
}


static void
test_clock(void)
{
    uint32_t  now_s, at;

    ok(ux_table_expiry(&table, NOW) == NOW, "no clock: the time of day");

    table.expiry = &word;
    now_s = NOW;
    ok(run(now_s, now_s + 5000) == now_s + 5000, "as time passes");
    now_s += 5000;

    ok(ux_table_expiry(&table, now_s + 3600) == now_s + 3600,
       "so does a quiet hour");
    now_s += 3600;

    ok(ux_table_expiry(&table, now_s + WEEK) == now_s + WEEK,
       "and a week that was skipped");
    now_s += WEEK;

    at = ux_table_expiry(&table, now_s + 10 * YEAR);
    ok(at == now_s + WEEK, "ten years at once are a week");
    ok(ux_table_expiry(&table, now_s + 10 * YEAR) == at,
       "whoever asks, and how often");
    ok(ux_table_expiry(&table, now_s + 10 * YEAR - 1) == at,
       "or reads the clock a little earlier");
    ok(run(now_s + 10 * YEAR, now_s + 10 * YEAR + 3600) == at + DAY,
       "then it follows, a day an hour");

    ok(ux_table_expiry(&table, now_s + 3600) == now_s + 3600,
       "put right again: at once");
    now_s += 3600;
    ok(run(now_s, now_s + 100) == now_s + 100, "and with the time of day");
    now_s += 100;

    ok(ux_table_expiry(&table, now_s + 30 * DAY) == now_s + WEEK,
       "thirty days at once are a week");
    now_s += 30 * DAY;
    ok(run(now_s, now_s + DAY + 1) == now_s + DAY + 1,
       "and are caught up with within a day");
    now_s += DAY + 1;

    word = 0;
    ok(ux_table_expiry(&table, 0) == 0
       && ux_table_expiry(&table, 2 * YEAR) == 2 * YEAR,
       "a clock at 0 tells nothing");
    ok(ux_table_expiry(&table, UINT32_MAX) == 2 * YEAR + WEEK,
       "nor does the end of 32 bits");
    ok(ux_table_expiry(&table, 10) == 10, "behind which they begin anew");
}


/* What it is for: a table of visitors, and the clock leaps. */
static void
test_table(void)
{
    unsigned             i, known;
    uint32_t             now_s;
    ux_turn_t            turn;
    ux_visitor_t         visitor;
    case_table_t         t;
    ux_table_effects_t   effects;

    t = case_table(1, 64);
    case_join(&t);
    t.table.inactive_s = 30 * DAY;
    t.table.expiry = &word;
    word = 0;

    for (i = 0; i < 500; i++) {
        (void) ux_table_open(&t.table, case_key(i), NOW, &visitor, &turn);
        visitor.confirmed = true;
        (void) ux_table_commit(&t.table, &turn, &visitor, NOW, &effects);
    }

    now_s = NOW + 10 * YEAR;

    for (i = 0, known = 0; i < 500; i++) {
        known += ux_table_read(&t.table, case_key(i), now_s, &visitor)
                 == UX_OK;
    }

    ok(known == 500, "after a leap of ten years %u of 500 are known", known);

    (void) ux_table_open(&t.table, case_key(1), now_s, &visitor, &turn);
    ok(turn.found, "and found to be written");
    visitor.last_s = now_s;
    (void) ux_table_commit(&t.table, &turn, &visitor, now_s, &effects);

    (void) ux_table_open(&t.table, case_key(1000), now_s, &visitor, &turn);
    (void) ux_table_commit(&t.table, &turn, &visitor, now_s, &effects);
    ok(effects.expired == 0 && effects.evicted == 0,
       "a newcomer drives nobody out");

    now_s += 30 * 3600;
    (void) run(now_s - 30 * 3600, now_s);

    for (i = 0, known = 0; i < 500; i++) {
        known += ux_table_read(&t.table, case_key(i), now_s, &visitor)
                 == UX_OK;
    }

    ok(known == 1, "hours later those who did not come are gone: %u is left",
       known);

    case_free(&t);
}


int
main(void)
{
    test_clock();
    test_table();

    return done();
}
