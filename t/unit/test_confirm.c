
/*
 * Copyright (C) the nginx-ux authors
 *
 * Unconfirmed visitors, carts through the event path, and the bounds that
 * ux_track.c states.
 */

#include "tap.h"
#include "track_case.h"
#include "ux_journey.h"


static void
confirm(void)
{
    ux_changes_clear(&w.changes);
    ux_track_confirm(&w.plan, &v, &w.changes);
    world_apply(&w);
}


/* What arms count, ASSIGNED and MOVED left aside. */
static int64_t
counted(void)
{
    int64_t   n;
    unsigned  i;

    n = 0;

    for (i = UX_ZONE_CELLS; i < WORLD_CELLS; i++) {
        n += (int64_t) w.cells[i];
    }

    return n - world_cell(&w, world_arm(0, 0, 0), UX_ARM_ASSIGNED);
}


/* Whether it is so in every minute, and how many are unconfirmed in this. */
static int64_t
unconfirmed(uint64_t now_ms)
{
    int64_t   n;
    unsigned  i, arm = world_arm(0, 0, 0);
    uint64_t  minute;

    minute = now_ms / UX_UNCONFIRMED_WIDTH_MS;
    n = world_window(&w, arm, UX_WINDOW_UNCONFIRMED, minute);

    for (i = 1; i < UX_BUCKETS; i++) {
        if (world_window(&w, arm, UX_WINDOW_UNCONFIRMED, minute - i) != 0
            || world_window(&w, arm, UX_WINDOW_UNCONFIRMED, minute + i) != 0)
        {
            return -1;
        }
    }

    return n;
}


static void
test_unconfirmed(void)
{
    unsigned  arm = world_arm(0, 0, 0);
    uint64_t  later;

    setup(2);
    expose(0, 0, T0);
    ok(unconfirmed(T0) == 0 && w.changes.nwindows == 0,
       "who is confirmed is in no ring of the unconfirmed");

    setup(2);
    w.experiments[0].window_ms = DAY;
    v.confirmed = false;
    expose(0, 0, T0);
    ok(unconfirmed(T0) == 1 && w.changes.nwindows == 1,
       "an exposure of an unconfirmed visitor is in its minute");
    expose(0, 1, T0 + 1);
    expose(0, 0, T0 + 60000);
    ok(unconfirmed(T0) == 1, "once");

    later = T0 + 130000;
    (void) ux_track_prefetch(&w.plan, &v, 1, 0, later);
    world_present(&w, 0, false);
    confirm();
    ok(unconfirmed(T0) == 0 && world_cell(&w, arm, UX_ARM_VISITORS) == 1
       && world_cell(&w, arm, UX_ARM_LEFT) == 0 && w.changes.nwindows == 1,
       "confirmed it leaves that minute, also of a removed experiment");
    ok(world_window(&w, world_arm(1, 0, 0), UX_WINDOW_UNCONFIRMED,
                    later / 60000) == 0, "what waits was never there");

    setup(1);
    w.experiments[0].window_ms = DAY;
    v.confirmed = false;
    expose(0, 0, T0);
    confirm();
    ok(unconfirmed(T0) == 0
       && world_window(&w, arm, UX_WINDOW_OPEN, T0 / (DAY / 60)) == 1,
       "and enters the ring of its window");

    setup(1);
    v.confirmed = false;
    (void) ux_track_prefetch(&w.plan, &v, 0, 0, T0 - 70000);
    ux_changes_clear(&w.changes);
    (void) ux_track_settle(&w.plan, &v, T0, NULL, &w.changes);
    world_apply(&w);
    ok(unconfirmed(T0) == 1, "a prefetched page counts when it is shown");
    w.arms[arm].base = 0;
    confirm();
    ok(unconfirmed(T0) == 1 && w.changes.nwindows == 0,
       "where it cannot become a visitor it stays unconfirmed");
}


static void
test_waiting(void)
{
    unsigned     arm = world_arm(0, 0, 0);
    ux_funnel_t  *f;

    setup(1);
    f = world_funnel(&w, CART, DAY);
    world_step(&w, f, CART, false);
    v.confirmed = false;

    ok(expose(0, 0, T0) == UX_OK
       && world_cell(&w, arm, UX_ARM_ASSIGNED) == 1,
       "an unconfirmed visitor is assigned at once");

    event(CART, NONE, T0 + 10);
    event_id(BUY, 400, 99);
    ok(v.npending == 2 && counted() == 0 && v.tracks[0].events == 0
       && v.tracks[1].events == 0, "events wait, arms count nothing");
    ok(w.cells[UX_ZONE_EVENTS + CART] == 1
       && w.cells[UX_ZONE_EVENTS + BUY] == 1, "the zone's events do at once");
    ok(event_id(BUY, 400, 99) == UX_DECLINED && v.npending == 2,
       "ids are known at once");
    expose(0, 1, T0 + 20);
    expose(0, 1, T0 + 20);
    ok(world_cell(&w, arm, UX_ARM_MOVED) == 0 && v.tracks[1].moved,
       "a move waits too");

    confirm();
    ok(v.confirmed && v.npending == 0, "confirmed, nothing waits any more");
    ok(w.cells[UX_ZONE_PROVISIONAL] == (uint64_t) -1,
       "one provisional visitor less");
    ok(world_cell(&w, arm, UX_ARM_VISITORS) == 1, "it is a visitor now");
    ok(world_cell(&w, arm, UX_ARM_ASSIGNED) == 1, "assigned stays");
    ok(world_cell(&w, arm, UX_ARM_MOVED) == 1, "the move is counted once");
    ok(world_cell(&w, arm, UX_ARM_EVENT_VISITORS + CART) == 1
       && sum(arm, 0) == 400, "what waited is counted");
    ok(world_cart(&w, arm, 0, UX_CART_PURCHASED) == 1
       && world_ring(&w, arm, 0, (T0 + 10) / (DAY / 60), UX_RING_PURCHASED)
          == 1, "its cart too, dated when it happened");
    ok(w.cells[UX_ZONE_EVENTS + CART] == 1
       && w.cells[UX_ZONE_EVENTS + BUY] == 1
       && w.cells[UX_ZONE_PURCHASES_WITHOUT_ID] == 0,
       "the zone's events not again");

    confirm();
    ok(w.changes.n == 0, "confirming twice does nothing");
}


static void
test_waiting_rules(void)
{
    unsigned  i, arm = world_arm(0, 0, 0);

    setup(2);
    v.confirmed = false;
    w.experiments[0].window_ms = DAY;
    expose(0, 0, T0);
    event(VIEW, NONE, T0 + DAY);
    event(VIEW, NONE, T0 + DAY + 1);
    event_foreign(BUY, 70, 3);
    event_foreign(REFUND, 71, 3);
    event(REFUND, 5, T0);
    ok(w.cells[UX_ZONE_CURRENCY_COUNT + 3] == 2,
       "foreign values are shown at once");
    confirm();
    ok(world_cell(&w, arm, UX_ARM_EVENT_COUNT + VIEW) == 1
       && discarded(UX_DISCARD_AFTER_WINDOW) == 1,
       "each event is judged by its own time");
    ok(sum(arm, 0) == 0 && w.cells[UX_ZONE_CURRENCY_COUNT + 3] == 2
       && world_cell(&w, arm, UX_ARM_EVENT_COUNT + BUY) == 1,
       "foreign values are not revenue then");
    ok(discarded(UX_DISCARD_REFUND_EXCESS) == 1,
       "a refund in excess is told then");

    setup(1);
    v.confirmed = false;
    expose(0, 0, T0);
    event(VIEW, NONE, T0);
    world_present(&w, 0, false);
    confirm();
    ok(world_cell(&w, arm, UX_ARM_VISITORS) == 1 && counted() == 1,
       "of a removed experiment only the visitor is counted");

    setup(1);
    v.confirmed = false;
    expose(0, 0, T0);
    event(NPS, 9, T0);
    event(VIEW, NONE, T0);
    w.model.event_slots[NPS] = 63;
    w.model.event_slots[VIEW] = NPS;
    confirm();
    ok(world_cell(&w, arm, UX_ARM_EVENT_COUNT + NPS) == 1
       && world_cell(&w, arm, UX_ARM_EVENT_COUNT + VIEW) == 1
       && v.tracks[0].events == (1u << NPS | 1u << VIEW),
       "events wait by slot, also for one the model has no more");

    setup(1);
    v.confirmed = false;
    expose(0, 0, T0);
    w.model.event_slots[NPS] = 40;
    event(NPS, 9, T0);
    w.model.event_slots[NPS] = 63;
    w.model.totals[1] = (ux_total_t) { NPS, 1, UX_METRIC_COUNT };
    w.model.ntotals = 2;
    confirm();
    ok(world_cell(&w, arm, UX_ARM_EVENT_COUNT + 40) == 1
       && v.tracks[1].events == (uint64_t) 1 << 40 && sum(arm, 1) == 0,
       "which is an event then, and nothing else");

    setup(1);
    v.confirmed = false;

    for (i = 0; i < UX_PENDING_MAX; i++) {
        ok(event(VIEW, NONE, T0) == UX_OK, "room for event %u", i);
    }

    ok(event_id(VIEW, NONE, 5) == UX_FULL && why == UX_DISCARD_ZONE_FULL
       && discarded(UX_DISCARD_ZONE_FULL) == 1
       && v.npending == UX_PENDING_MAX, "one more is zone_full");
    ok(w.cells[UX_ZONE_EVENTS + VIEW] == UX_PENDING_MAX + 1 && v.nids == 1,
       "and yet an event of the zone, its id known");

    setup(1);
    v.confirmed = false;
    w.model.event_slots[NPS] = UX_SLOT_NONE;
    ok(event(NPS, 1, T0) == UX_FULL && v.npending == 0,
       "an event without a slot cannot wait");
}


static int64_t
cart(unsigned arm, unsigned field)
{
    return world_cart(&w, arm, 0, field);
}


static void
a_cart_funnel(void)
{
    ux_funnel_t  *f;

    f = world_funnel(&w, CART, 3600000);
    world_step(&w, f, CART, false);
    world_step(&w, f, BEGIN, false);
    world_step(&w, f, BUY, false);
}


static void
test_carts(void)
{
    unsigned  a0 = world_arm(0, 0, 0), a1 = world_arm(1, 0, 0);

    setup(2);
    a_cart_funnel();
    event(CART, NONE, T0);
    event(BEGIN, NONE, T0);
    ok(w.changes.nrings == 0, "the life moves no cart counters");

    expose(0, 0, T0 + 3600000);
    ok(cart(a0, UX_CART_CARRIED_IN) == 1 && cart(a0, UX_CART_ALIVE + 2) == 1,
       "a cart in its window is carried in");
    ok(world_ring(&w, a0, 0, (T0 + 3600000) / 60000, UX_RING_ALIVE + 2) == 1,
       "created at the exposure");

    expose(1, 0, T0 + 3600001);
    ok(cart(a1, UX_CART_CARRIED_IN) == 0 && v.tracks[2].carts[0].state == 0,
       "an abandoned one is not");

    event(CART, NONE, T0 + 3600002);
    ok(cart(a1, UX_CART_ALIVE + 1) == 1, "nor does it block a new one");
    ok(cart(a0, UX_CART_ALIVE + 2) == 1 && cart(a0, UX_CART_ALIVE + 1) == 0,
       "where one is open there is no second");
    ok(v.tracks[0].carts[0].created_ms == T0 + 3600002,
       "the life's abandoned cart is opened anew");

    event(BEGIN, NONE, T0 + 3600003);
    ok(cart(a1, UX_CART_ALIVE + 1) == 0 && cart(a1, UX_CART_ALIVE + 2) == 1,
       "steps move it");

    event(BUY, 100, T0 + 3600004);
    ok(cart(a0, UX_CART_PURCHASED) == 1 && cart(a0, UX_CART_ALIVE + 2) == 0
       && cart(a1, UX_CART_PURCHASED) == 1, "purchased in both");
    ok(v.tracks[0].carts[0].state == UX_CART_DONE, "and in the life");

    event(BUY, 100, T0 + 3600005);
    ok(cart(a0, UX_CART_WITHOUT_CART) == 1, "a purchase without a cart");

    event(CART, NONE, T0 + 3600006);
    event(BUY, 1, T0 + 9000000);
    ok(cart(a0, UX_CART_RECOVERED) == 1 && cart(a0, UX_CART_PURCHASED) == 1
       && cart(a0, UX_CART_ALIVE + 1) == 1,
       "recovered, and still among the abandoned");
}


static void
test_carts_unbound(void)
{
    unsigned  a0 = world_arm(0, 0, 0);

    setup(1);
    a_cart_funnel();
    w.arms[a0].carts[0] = 0;
    event(CART, NONE, T0);
    expose(0, 0, T0);
    ok(v.tracks[1].carts[0].state == UX_CART_NONE && w.changes.nrings == 0,
       "to an arm without cart counters no cart is carried in");
    event(CART, NONE, T0);
    ok(v.tracks[1].carts[0].state == UX_CART_NONE && w.changes.nrings == 0,
       "an arm without cart counters has no carts");

    setup(1);
    a_cart_funnel();
    w.arms[a0].rings[0] = 0;
    expose(0, 0, T0);
    event(CART, NONE, T0);
    ok(cart(a0, UX_CART_ALIVE + 1) == 1 && w.changes.nrings == 0,
       "one without a ring has totals only");

    setup(1);
    a_cart_funnel();
    w.model.funnels[0].cart = UX_SLOT_NONE;
    expose(0, 0, T0);
    event(CART, NONE, T0);
    event(BUY, 1, T0);
    ok(w.changes.nrings == 0 && cart(a0, UX_CART_WITHOUT_CART) == 0,
       "a funnel without a cart slot has none");

    setup(1);
    a_cart_funnel();
    w.experiments[0].window_ms = 1000;
    expose(0, 0, T0);
    event(CART, NONE, T0);
    event(BUY, 1, T0 + 1001);
    ok(cart(a0, UX_CART_ALIVE + 1) == 1 && cart(a0, UX_CART_PURCHASED) == 0,
       "a purchase after the experiment's window leaves the cart");
}


/* Every limit of the model used up. */
static void
everything(void)
{
    static const uint8_t           steps[4] = { CART, BEGIN, PAY, BUY };
    static const ux_metric_type_e  types[3] = { UX_METRIC_MEAN,
                                                UX_METRIC_COUNT,
                                                UX_METRIC_RATIO };

    unsigned      i, k;
    ux_funnel_t  *f;

    setup(16);
    w.plan.experiments_max = 16;
    v.confirmed = false;

    for (i = 0; i < 16; i++) {
        w.experiments[i].window_ms = DAY;
    }

    for (i = 0; i < UX_FUNNELS_MAX; i++) {
        f = world_funnel(&w, i < UX_CARTS_MAX ? CART : UX_SLOT_NONE, DAY);

        for (k = 0; k < 4; k++) {
            world_step(&w, f, steps[k], false);
        }
    }

    w.model.totals[0].type = UX_METRIC_RATIO;

    for (i = 1; i < UX_TOTALS_MAX; i++) {
        w.model.totals[i] = (ux_total_t) { i < 4 ? BUY : NPS, (uint8_t) i,
                                           types[i % 3] };
    }

    w.model.ntotals = UX_TOTALS_MAX;

    w.model.stages[0].events = 1ull << BUY;
    w.model.nstages = 1;

    for (i = 0; i < WORLD_ARMS; i++) {
        w.arms[i].journey = WORLD_CELLS - UX_JOURNEY_CELLS(1);
    }
}


static void
test_bounds(void)
{
    unsigned      i, k;
    ux_changes_t  *c = &w.changes;

    static const uint8_t  most[16] = { CART, BEGIN, PAY, BUY, CART, BEGIN,
                                       PAY, BUY, CART, BEGIN, PAY, BUY,
                                       CART, BEGIN, PAY, BUY };

    everything();

    for (i = 0; i < 16; i++) {
        expose(i, 0, T0);
    }

    for (k = 0; k < 16; k++) {
        event(most[k], 7, T0 + k);
    }

    confirm();
    ok(!c->overflow && c->n <= 12337 && c->nrings <= 4096
       && c->nwindows == 32,
       "16 waiting events in 16 experiments: %u and %u changes", c->n,
       c->nrings);

    everything();
    v.confirmed = true;

    for (i = 0; i < 16; i++) {
        expose(i, 0, T0);
    }

    event(CART, NONE, T0);
    event(BEGIN, NONE, T0);
    event(PAY, NONE, T0);
    event(BUY, 3, T0);
    ok(!c->overflow && c->n <= 1026 && c->nrings <= 256
       && c->n == 16 * (2 + 2 + 2 + 16 + 26 + 16) + 2,
       "one event, all at once: %u and %u changes", c->n, c->nrings);

    everything();
    v.confirmed = true;
    event(CART, NONE, T0);
    event(BEGIN, NONE, T0);
    event(PAY, NONE, T0);
    v.tracks[0].events |= 1u << BUY;
    expose(0, 0, T0);
    ok(c->n == 82 && c->nrings == 8, "one exposure: %u and %u changes", c->n,
       c->nrings);
}


int
main(void)
{
    test_waiting();
    test_waiting_rules();
    test_unconfirmed();
    test_carts();
    test_carts_unbound();
    test_bounds();

    return done();
}
