
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


int
main(void)
{
    test_currency();
    test_revenue();
    test_cap();
    test_totals();

    return done();
}
