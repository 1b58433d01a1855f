
/*
 * Copyright (C) the nginx-ux authors
 *
 * The load up to which the visitor table keeps its promise.
 */

#include "table_case.h"


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


int
main(void)
{
    test_load();

    return done();
}
