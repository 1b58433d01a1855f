
/*
 * Copyright (C) the nginx-ux authors
 *
 * The event path of confirmed visitors: exposures, windows, what is accepted,
 * funnels.  Sums are in test_total.c, waiting and carts in test_confirm.c.
 */

#include "tap.h"
#include "track_case.h"


static void
test_expose(void)
{
    unsigned  arm = world_arm(0, 0, 1);

    setup(3);

    ok(expose(0, 1, T0) == UX_OK && v.ntracks == 2, "exposed");
    ok(world_cell(&w, arm, UX_ARM_ASSIGNED) == 1, "assigned counted");
    ok(world_cell(&w, arm, UX_ARM_VISITORS) == 1, "visitor counted");
    ok(w.changes.items[0].cell == w.arms[arm].base + UX_ARM_ASSIGNED,
       "assigned comes before visitors");
    ok(v.tracks[1].arm == arm && v.tracks[1].exposed_ms == T0,
       "the track knows arm and time");
    ok(ux_track_find(&w.plan, &v, 0) == &v.tracks[1],
       "the track of an experiment is found");
    ok(ux_track_find(&w.plan, &v, 1) == NULL, "of another it is not");

    ok(expose(0, 1, T0 + 9) == UX_OK && v.ntracks == 2
       && w.changes.n == 0 && v.tracks[1].exposed_ms == T0,
       "a second exposure changes nothing");

    world_bind(&w, 0, 1);
    ok(expose(0, 1, T0 + 9) == UX_OK && w.changes.n == 0,
       "nor one in a later epoch, same variant");

    ok(expose(1, 0, T0) == UX_OK && v.ntracks == 3
       && world_cell(&w, world_arm(1, 0, 0), UX_ARM_VISITORS) == 1,
       "a second experiment has a track of its own");
}


static void
test_moved(void)
{
    unsigned  arm = world_arm(0, 0, 0);

    setup(1);
    expose(0, 0, T0);

    ok(expose(0, 1, T0) == UX_OK && v.tracks[1].moved
       && world_cell(&w, arm, UX_ARM_MOVED) == 1,
       "another variant: moved, in the first variant's counts");
    ok(v.tracks[1].arm == arm
       && world_cell(&w, world_arm(0, 0, 1), UX_ARM_ASSIGNED) == 0,
       "moved visitors stay in the first variant");

    expose(0, 1, T0);
    ok(world_cell(&w, arm, UX_ARM_MOVED) == 1, "moved is counted once");

    event(BUY, 500, T0);
    ok(sum(arm, 0) == 500, "later events count for the first variant");

    setup(1);
    expose(0, 0, T0);
    w.arms[arm].variant = -1;
    expose(0, 0, T0);
    ok(world_cell(&w, arm, UX_ARM_MOVED) == 1, "a dropped variant: moved");
}


static void
test_room(void)
{
    unsigned  i;

    setup(20);
    w.plan.experiments_max = 2;

    ok(expose(0, 0, T0) == UX_OK && expose(1, 0, T0) == UX_OK,
       "room for experiments_max");
    ok(expose(2, 0, T0) == UX_FULL && v.ntracks == 3 && w.changes.n == 0,
       "no room beyond it, nothing changed");
    ok(expose(1, 0, T0) == UX_OK, "one known is still answered");

    setup(20);
    w.plan.experiments_max = 100;

    for (i = 0; i < UX_TRACKS_MAX - 1; i++) {
        expose(i, 0, T0);
    }

    ok(v.ntracks == UX_TRACKS_MAX && expose(i, 0, T0) == UX_FULL
       && v.ntracks == UX_TRACKS_MAX, "nor beyond UX_TRACKS_MAX");

    setup(2);
    w.bindings[0].arms[1] = UX_ARM_NONE;
    ok(expose(0, 1, T0) == UX_DECLINED && v.ntracks == 1
       && w.changes.n == 0, "an unbound variant is declined");
    ok(expose(2, 0, T0) == UX_DECLINED, "so is an unknown experiment");
    ok(expose(0, UX_VARIANTS_MAX, T0) == UX_DECLINED, "and variant");

    w.arms[world_arm(1, 0, 0)].base = 0;
    ok(expose(1, 0, T0) == UX_DECLINED, "and an arm without counters");

    w.plan.narms = world_arm(0, 0, 0);
    ok(expose(0, 0, T0) == UX_DECLINED, "and an arm not resolved yet");
}


static void
test_window(void)
{
    unsigned  arm = world_arm(0, 0, 0), other = world_arm(1, 0, 0);

    setup(2);
    w.experiments[0].window_ms = 7 * DAY;
    expose(0, 0, T0);

    event(VIEW, NONE, T0 + 7 * DAY);
    ok(world_cell(&w, arm, UX_ARM_EVENT_COUNT + VIEW) == 1
       && why == UX_DISCARDS, "the window's last moment counts");

    ok(event(VIEW, NONE, T0 + 7 * DAY + 1) == UX_OK
       && why == UX_DISCARD_AFTER_WINDOW
       && world_cell(&w, arm, UX_ARM_EVENT_COUNT + VIEW) == 1,
       "the moment after does not, and is OK");
    ok(discarded(UX_DISCARD_AFTER_WINDOW) == 1, "it is after_window");
    ok(w.cells[UX_ZONE_EVENTS + VIEW] == 2, "the zone's events have it");

    event(CART, NONE, T0 + 8 * DAY);
    ok(v.tracks[0].events == (1u << VIEW | 1u << CART)
       && v.tracks[1].events == 1u << VIEW, "and the life has");

    expose(1, 0, T0 + 8 * DAY);
    event(VIEW, NONE, T0 + 9000 * (uint64_t) DAY);
    ok(world_cell(&w, other, UX_ARM_EVENT_COUNT + VIEW) == 1,
       "window 0: never closes");
    ok(discarded(UX_DISCARD_AFTER_WINDOW) == 2,
       "after_window only if every experiment refuses");

    event(VIEW, NONE, T0 - 1);
    ok(world_cell(&w, arm, UX_ARM_EVENT_COUNT + VIEW) == 2,
       "an event a moment older than the exposure is in");

    setup(2);
    event(VIEW, NONE, T0);
    ok(why == UX_DISCARDS && w.cells[UX_ZONE_EVENTS + VIEW] == 1,
       "never exposed is not after_window");

    setup(2);
    expose(0, 0, T0);
    world_present(&w, 0, false);
    event(VIEW, NONE, T0);
    ok(world_cell(&w, arm, UX_ARM_EVENT_COUNT + VIEW) == 0
       && why == UX_DISCARDS && ux_track_find(&w.plan, &v, 0) == NULL,
       "a removed experiment counts nothing and refuses nothing");
}


static void
test_ids(void)
{
    unsigned  i;

    setup(1);
    expose(0, 0, T0);

    ok(event_id(BUY, 100, 77) == UX_OK, "an id seen first is accepted");
    ok(event_id(BUY, 100, 77) == UX_DECLINED && why == UX_DISCARD_DUPLICATE
       && discarded(UX_DISCARD_DUPLICATE) == 1, "seen again: duplicate");
    ok(w.cells[UX_ZONE_EVENTS + BUY] == 1 && sum(world_arm(0, 0, 0), 0) == 100,
       "a duplicate counts nowhere else");
    ok(event_id(BUY, 100, 77 + ((uint64_t) 1 << 32)) == UX_DECLINED,
       "32 bits of the hash are kept");

    for (i = 0; i < 7; i++) {
        event_id(VIEW, NONE, 1000 + i);
    }

    ok(v.nids == 8 && v.next_id == 0
       && event_id(BUY, 1, 77) == UX_DECLINED, "the last 8 ids are known");

    event_id(VIEW, NONE, 2000);
    ok(v.nids == 8 && v.next_id == 1 && event_id(BUY, 1, 77) == UX_OK,
       "the ninth drives out the first");
    ok(event_id(VIEW, NONE, 1006) == UX_DECLINED, "and only it");

    event(VIEW, NONE, T0);
    ok(event(VIEW, NONE, T0) == UX_OK, "no id is no duplicate");

    event_id(VIEW, NONE, (uint64_t) 1 << 32);
    ok(event(VIEW, NONE, T0) == UX_OK, "even after an id of 32 zero bits");

    ok(event_id(REFUND, NONE, 5) == UX_DECLINED
       && event_id(REFUND, 1, 5) == UX_OK,
       "the id of a refused event is not remembered");
    ok(event_id(REFUND, NONE, 5) == UX_DECLINED
       && why == UX_DISCARD_DUPLICATE, "duplicate comes before bad_event");
}


static void
test_accepted(void)
{
    setup(1);
    expose(0, 0, T0);

    ok(event(REFUND, NONE, T0) == UX_DECLINED && why == UX_DISCARD_BAD_EVENT
       && discarded(UX_DISCARD_BAD_EVENT) == 1
       && w.cells[UX_ZONE_EVENTS + REFUND] == 0,
       "a refund without value is a bad event");
    ok(event(BUY, -5, T0) == UX_DECLINED && why == UX_DISCARD_BAD_EVENT,
       "so is a negative value");
    ok(event(BUY, 1000000000001, T0) == UX_DECLINED
       && why == UX_DISCARD_BAD_EVENT, "and one above 10^12");
    ok(event(BUY, 1000000000000, T0) == UX_OK, "10^12 is accepted");
    ok(event(NPS + 1, NONE, T0) == UX_DECLINED
       && why == UX_DISCARD_UNKNOWN_EVENT, "an event not of the model");

    setup(1);
    event(BUY, 10, T0);
    event(BUY, NONE, T0);
    event_id(BUY, 10, 3);
    event(VIEW, NONE, T0);
    ok(w.cells[UX_ZONE_PURCHASES_WITHOUT_ID] == 2,
       "purchases without id, and only those");
    ok(w.cells[UX_ZONE_EVENTS + BUY] == 3, "each is counted");
}


static void
test_events(void)
{
    unsigned  arm = world_arm(0, 0, 0);

    setup(1);
    event(VIEW, NONE, T0);
    expose(0, 0, T0);
    ok(world_cell(&w, arm, UX_ARM_EVENT_COUNT + VIEW) == 0,
       "events before the exposure count nothing");

    event(VIEW, NONE, T0);
    event(VIEW, NONE, T0);
    ok(world_cell(&w, arm, UX_ARM_EVENT_VISITORS + VIEW) == 1,
       "a visitor counts once");
    ok(world_cell(&w, arm, UX_ARM_EVENT_COUNT + VIEW) == 2,
       "events each time");

    w.model.event_slots[NPS] = UX_SLOT_NONE;
    event(NPS, 9, T0);
    ok(v.tracks[1].events == 1u << VIEW && why == UX_DISCARDS
       && world_cell(&w, arm, UX_ARM_EVENT_COUNT + NPS) == 0,
       "an event without a slot is skipped");

    w.model.event_slots[NPS] = 40;
    event(NPS, 9, T0);
    ok(world_cell(&w, arm, UX_ARM_EVENT_COUNT + 40) == 1
       && w.cells[UX_ZONE_EVENTS + 40] == 1
       && v.tracks[1].events == (1u << VIEW | (uint64_t) 1 << 40),
       "counters and masks go by slot");
}


/* view, cart, [ship], begin, buy; and a second funnel of two steps. */
static void
funnels(void)
{
    ux_funnel_t  *f;

    f = world_funnel(&w, UX_SLOT_NONE, 0);
    world_step(&w, f, VIEW, false);
    world_step(&w, f, CART, false);
    world_step(&w, f, SHIP, true);
    world_step(&w, f, BEGIN, false);
    world_step(&w, f, BUY, false);

    f = world_funnel(&w, UX_SLOT_NONE, 0);
    world_step(&w, f, CART, false);
    world_step(&w, f, BUY, false);
}


static int64_t
in_order(unsigned slot)
{
    return world_cell(&w, world_arm(0, 0, 0), UX_ARM_STEP_IN_ORDER + slot);
}


static void
test_order(void)
{
    setup(1);
    funnels();
    expose(0, 0, T0);

    event(CART, NONE, T0);
    ok(in_order(1) == 0 && in_order(5) == 1,
       "a step before its required one is not in order");
    event(VIEW, NONE, T0);
    ok(in_order(0) == 1 && in_order(1) == 0, "nor becomes it afterwards");
    event(NPS, NONE, T0);
    event(CART, NONE, T0);
    ok(in_order(1) == 1, "a later occurrence is, other events between");
    event(CART, NONE, T0);
    ok(in_order(1) == 1 && in_order(5) == 1, "a step counts once");
    event(BUY, NONE, T0);
    ok(in_order(4) == 0 && in_order(6) == 1,
       "each funnel has an order of its own");
    event(BEGIN, NONE, T0);
    ok(in_order(3) == 1 && in_order(2) == 0,
       "an optional step blocks nothing");
    event(BUY, NONE, T0);
    event(SHIP, NONE, T0);
    ok(in_order(4) == 1 && in_order(2) == 1,
       "an optional step counts when it comes, even late");
    ok(world_cell(&w, world_arm(0, 0, 0), UX_ARM_EVENT_VISITORS + BUY) == 1,
       "a purchase counts whatever the order");

    setup(1);
    funnels();
    w.model.funnels[0].steps[0].slot = UX_SLOT_NONE;
    expose(0, 0, T0);
    event(CART, NONE, T0);
    ok(in_order(1) == 1, "a step without a slot is not required");
    event(VIEW, NONE, T0);
    ok(v.tracks[0].steps == (1u << 1 | 1u << 5), "and not reached");
}


static void
test_before(void)
{
    unsigned  arm = world_arm(0, 0, 0);

    setup(1);
    funnels();
    w.model.event_slots[VIEW] = 50;
    event(VIEW, NONE, T0);
    event(BEGIN, NONE, T0);
    expose(0, 0, T0);

    ok(world_cell(&w, arm, UX_ARM_STEP_BEFORE) == 1
       && world_cell(&w, arm, UX_ARM_STEP_BEFORE + 3) == 1,
       "steps done before the exposure, in order or not");
    ok(world_cell(&w, arm, UX_ARM_STEP_BEFORE + 1) == 0, "and no others");
    ok(in_order(0) == 0, "are in no conversion");

    event(CART, NONE, T0);
    ok(in_order(1) == 1, "but satisfy the order");
    event(VIEW, NONE, T0);
    ok(in_order(0) == 1
       && world_cell(&w, arm, UX_ARM_EVENT_VISITORS + 50) == 1,
       "done again they count");
    ok(world_cell(&w, arm, UX_ARM_STEP_BEFORE) == 1,
       "before is counted at the exposure only");
}


int
main(void)
{
    test_expose();
    test_moved();
    test_room();
    test_window();
    test_ids();
    test_accepted();
    test_events();
    test_order();
    test_before();

    return done();
}
