
/*
 * Copyright (C) the nginx-ux authors
 *
 * Revenue and the other sums of a visitor, as the event path keeps them.
 */

#include "tap.h"
#include "track_case.h"


static void
test_currency(void)
{
    unsigned  arm = world_arm(0, 0, 0);

    setup(1);
    w.model.totals[1] = (ux_total_t) { BUY, 1, UX_METRIC_COUNT };
    w.model.totals[2] = (ux_total_t) { BUY, 2, UX_METRIC_MEAN };
    w.model.ntotals = 3;
    expose(0, 0, T0);

    event_foreign(BUY, 700, 9);
    ok(w.cells[UX_ZONE_CURRENCY_SUM + 9] == 700
       && w.cells[UX_ZONE_CURRENCY_COUNT + 9] == 1,
       "a foreign value is shown apart");
    ok(sum(arm, 0) == 0 && sum(arm, 2) == 0, "and in no total");
    ok(sum(arm, 1) == 1
       && world_cell(&w, arm, UX_ARM_EVENT_VISITORS + BUY) == 1,
       "the event itself counts");

    event(BUY, 50, T0);
    event_foreign(REFUND, 100, 9);
    ok(w.cells[UX_ZONE_CURRENCY_SUM + 9] == 600
       && w.cells[UX_ZONE_CURRENCY_COUNT + 9] == 2 && sum(arm, 0) == 50,
       "a foreign refund is taken off there, not here");
    ok(why == UX_DISCARDS, "and never in excess");

    event_foreign(BUY, 0, 9);
    ok(w.cells[UX_ZONE_CURRENCY_COUNT + 9] == 2,
       "a foreign currency without value is none");

    event_foreign(BUY, 5, UX_CURRENCIES_MAX);
    ok(sum(arm, 0) == 50 && w.cells[UX_ZONE_CURRENCY_COUNT] == 0,
       "an index beyond the table is harmless");
}


static void
test_revenue(void)
{
    unsigned  arm = world_arm(0, 0, 0);

    setup(1);
    event(BUY, 9000, T0);
    expose(0, 0, T0);
    ok(sum(arm, 0) == 0, "purchases before the exposure are no revenue");

    event(BUY, 1000, T0);
    event(BUY, 500, T0);
    event(BUY, NONE, T0);
    event(CART, 99, T0);
    ok(sum(arm, 0) == 1500 && squares(arm, 0) == 1500 * 1500,
       "revenue is summed per visitor, then squared");

    event(REFUND, 400, T0);
    ok(sum(arm, 0) == 1100 && squares(arm, 0) == 1100 * 1100
       && v.tracks[0].totals[0] == 10100, "refunds are taken off");
    ok(world_cell(&w, arm, UX_ARM_EVENT_VISITORS + BUY) == 1,
       "and leave the conversion");

    event(REFUND, 1101, T0);
    ok(sum(arm, 0) == 0 && squares(arm, 0) == 0 && why == UX_DISCARDS,
       "never below 0, no excess while the life has more");

    ok(event(REFUND, 9000, T0) == UX_OK && why == UX_DISCARD_REFUND_EXCESS
       && discarded(UX_DISCARD_REFUND_EXCESS) == 1
       && v.tracks[0].totals[0] == 0,
       "a refund above the life's total: excess, and it is 0");
    ok(world_cell(&w, arm, UX_ARM_EVENT_COUNT + REFUND) == 3,
       "it is an accepted event");

    event(BUY, 30, T0);
    ok(sum(arm, 0) == 30, "what follows counts from 0");

    event(REFUND, 30, T0);
    ok(sum(arm, 0) == 0 && why == UX_DISCARDS,
       "a refund of all there is is not in excess");
    event(BUY, 30, T0);

    w.experiments[0].window_ms = 1;
    event(REFUND, 31, T0 + 5);
    ok(why == UX_DISCARD_REFUND_EXCESS
       && discarded(UX_DISCARD_AFTER_WINDOW) == 0,
       "excess after the window has one reason, the first");

    setup(1);
    w.model.totals[0].slot = 5;
    expose(0, 0, T0);
    event(BUY, 30, T0);
    ok(sum(arm, 0) == 30, "revenue is slot 0");

    ok(event(BUY, UX_MONEY_MAX + 1, T0) == UX_DECLINED
       && why == UX_DISCARD_BAD_EVENT && sum(arm, 0) == 30
       && event(BUY, UX_MONEY_MAX, T0) == UX_OK, "up to 10^12 at once");
}


/* After n changes: at most 32 bits each, and a quotient of 10^30. */
static bool
limbs_fit(unsigned arm, int64_t n)
{
    int64_t   lo, mid, hi;

    lo = world_cell(&w, arm, UX_ARM_TOTALS + UX_TOTAL_SQ_LO);
    mid = world_cell(&w, arm, UX_ARM_TOTALS + UX_TOTAL_SQ_MID);
    hi = world_cell(&w, arm, UX_ARM_TOTALS + UX_TOTAL_SQ_HI);

    return lo >= 0 && lo >> 32 < n && mid >= 0 && mid >> 32 < n
           && hi >= 0 && hi < 54210108625;
}


static void
test_cap(void)
{
    int        i;
    unsigned   arm = world_arm(0, 0, 0), free_arm = world_arm(1, 0, 0);
    __int128   huge = 1000000000000000;

    setup(2);
    w.experiments[0].cap = 1200;
    expose(0, 0, T0);
    expose(1, 0, T0);

    event(BUY, 1000, T0);
    event(BUY, 1000, T0);
    ok(sum(arm, 0) == 1200 && squares(arm, 0) == 1200 * 1200,
       "the cap holds for the visitor's sum");
    ok(sum(free_arm, 0) == 2000, "of that experiment only");

    event(REFUND, 900, T0);
    ok(sum(arm, 0) == 1100 && squares(arm, 0) == 1100 * 1100,
       "refunds come off the uncapped sum");

    setup(1);
    expose(0, 0, T0);

    for (i = 0; i < 1001; i++) {
        event(BUY, 1000000000000, T0);
    }

    ok(v.tracks[1].totals[0] == huge && sum(arm, 0) == (int64_t) huge,
       "a sum stops at 10^15");
    ok(squares(arm, 0) == huge * huge && limbs_fit(arm, 1000),
       "its square needs 100 bits, no limb as many");

    event(REFUND, 1000000000000, T0);
    huge -= 1000000000000;
    ok(sum(arm, 0) == (int64_t) huge && squares(arm, 0) == huge * huge
       && limbs_fit(arm, 1001), "nor after a refund");
}


static void
test_totals(void)
{
    unsigned  arm = world_arm(0, 0, 0);

    setup(1);
    w.experiments[0].cap = 10;
    w.model.totals[1] = (ux_total_t) { NPS, 1, UX_METRIC_MEAN };
    w.model.totals[2] = (ux_total_t) { NPS, 2, UX_METRIC_COUNT };
    w.model.totals[3] = (ux_total_t) { NPS, 3, UX_METRIC_RATIO };
    w.model.totals[4] = (ux_total_t) { NPS, UX_SLOT_NONE, UX_METRIC_MEAN };
    w.model.totals[5] = (ux_total_t) { NPS, 0, UX_METRIC_MEAN };
    w.model.ntotals = 6;
    expose(0, 0, T0);

    event(NPS, 9, T0);
    event(NPS, 8, T0);
    event(NPS, NONE, T0);
    event(VIEW, 100, T0);

    ok(sum(arm, 1) == 10 && squares(arm, 1) == 100, "mean: capped sum");
    ok(sum(arm, 2) == 3 && squares(arm, 2) == 9, "count: events");
    ok(sum(arm, 3) == 17 && squares(arm, 3) == 289, "ratio: uncapped sum");
    ok(sum(arm, 0) == 0 && v.tracks[1].totals[0] == 0,
       "a total without a slot is skipped, and is not revenue");
    ok(v.tracks[0].totals[3] == 17, "the life has totals too");

    while (v.tracks[1].totals[2] < 20) {
        event(NPS, 0, T0);
    }

    ok(sum(arm, 2) == 20, "a cap does not hold for counts");

    event(NPS, 70000, T0);
    ok(sum(arm, 3) == 70017 && squares(arm, 3) == (__int128) 70017 * 70017,
       "squares beyond 32 bits");
}


/* The values in a sum are counted with it. */
static void
test_ratio(void)
{
    unsigned  n, arm = world_arm(0, 0, 0);

    setup(1);
    w.experiments[0].cap = 10;
    w.model.totals[1] = (ux_total_t) { BUY, 1, UX_METRIC_RATIO };
    w.model.totals[2] = (ux_total_t) { BUY, 2, UX_METRIC_MEAN };
    w.model.totals[3] = (ux_total_t) { BUY, 3, UX_METRIC_COUNT };
    w.model.ntotals = 4;

    event(BUY, 100, T0);
    ok(v.tracks[0].totals[1] == 100 && v.tracks[0].counts[1] == 0,
       "the life counts no values");

    expose(0, 0, T0);
    event(BUY, 300, T0);
    ok(values_are(arm, 1, 300, 1), "a value in a ratio");
    event(BUY, 50, T0);
    ok(values_are(arm, 1, 350, 2) && v.tracks[1].counts[1] == 2,
       "another, of the same visitor; no cap");
    event(BUY, 0, T0);
    ok(values_are(arm, 1, 350, 3), "a value of 0 is one");

    n = w.changes.n;
    event(BUY, NONE, T0);
    event_foreign(BUY, 7, 9);
    event(CART, 7, T0);
    event(REFUND, 7, T0);
    ok(values_are(arm, 1, 350, 3), "none, a foreign one, another event's: no");
    ok(n > 0 && values_are(arm, 0, 10, 0) && values_are(arm, 2, 10, 0)
       && values_are(arm, 3, 5, 0) && v.tracks[1].counts[0] == 0
       && v.tracks[1].counts[2] == 0 && v.tracks[1].counts[3] == 0,
       "other types count none");

    ux_visitor_init(&v, 2, (uint32_t) (T0 / 1000));
    v.confirmed = true;
    expose(0, 0, T0);
    event(BUY, 1000, T0);
    ok(sum(arm, 1) == 1350 && squares(arm, 1) == 350 * 350 + 1000 * 1000
       && world_cell(&w, arm, UX_ARM_TOTALS + UX_TOTAL_CELLS
                              + UX_TOTAL_COUNT) == 4
       && world_cell(&w, arm, UX_ARM_TOTALS + UX_TOTAL_CELLS
                              + UX_TOTAL_COUNT_SQ) == 9 + 1
       && limbs(arm, 1, UX_TOTAL_PRODUCT_LO) == 350 * 3 + 1000,
       "a second visitor's squares and products are its own");
}


static void
test_ratio_bounds(void)
{
    int       i;
    bool      exact;
    int64_t   y;
    unsigned  arm = world_arm(0, 0, 0);

    setup(1);
    w.model.totals[1] = (ux_total_t) { BUY, 1, UX_METRIC_RATIO };
    w.model.ntotals = 2;
    expose(0, 0, T0);
    exact = true;

    for (i = 1; i <= UINT16_MAX; i++) {
        event(BUY, 16000000000, T0);
        y = 16000000000ll * i;
        exact = exact && values_are(arm, 1, y < UX_TOTAL_MAX ? y
                                                            : UX_TOTAL_MAX,
                                    i);
    }

    ok(exact, "65535 values, products of 66 bits: exact after each");

    event(BUY, 1, T0);
    ok(values_are(arm, 1, UX_TOTAL_MAX, UINT16_MAX)
       && v.tracks[1].counts[1] == UINT16_MAX, "the count stops there");

    setup(1);
    w.model.totals[0].type = UX_METRIC_RATIO;
    expose(0, 0, T0);
    event(BUY, 900, T0);
    event(BUY, 100, T0);
    event(REFUND, 400, T0);
    ok(values_are(arm, 0, 600, 2), "a refund lowers the sum, not the count");
    event(REFUND, 600, T0);
    ok(values_are(arm, 0, 0, 2), "down to 0");
}


int
main(void)
{
    test_currency();
    test_revenue();
    test_cap();
    test_totals();
    test_ratio();
    test_ratio_bounds();

    return done();
}
