
/*
 * Copyright (C) the nginx-ux authors
 *
 * Phases, prefetched pages, and room in a record.
 */

#include "tap.h"
#include "track_case.h"


static unsigned
arm_of(unsigned experiment)
{
    return world_arm(experiment, 0, 0);
}


static int64_t
visitors(unsigned experiment)
{
    return world_cell(&w, arm_of(experiment), UX_ARM_VISITORS);
}


static int64_t
assigned(unsigned experiment)
{
    return world_cell(&w, arm_of(experiment), UX_ARM_ASSIGNED);
}


static int64_t
counted(unsigned slot)
{
    return world_cell(&w, arm_of(0), UX_ARM_EVENT_COUNT + slot);
}


static ux_status_t
prefetch(unsigned experiment, unsigned variant, uint64_t now_ms)
{
    return ux_track_prefetch(&w.plan, &v, experiment, variant, now_ms);
}


static bool
settle(uint64_t now_ms)
{
    bool  changed;

    ux_changes_clear(&w.changes);
    changed = ux_track_settle(&w.plan, &v, now_ms, NULL, &w.changes);
    world_apply(&w);

    return changed;
}


static void
confirm(void)
{
    ux_changes_clear(&w.changes);
    ux_track_confirm(&w.plan, &v, &w.changes);
    world_apply(&w);
}


static void
test_paused(void)
{
    setup(1);
    (void) world_funnel(&w, CART, DAY);
    expose(0, 0, T0);
    w.experiments[0].state = UX_STATE_PAUSED;

    ok(expose(0, 0, T0) == UX_DECLINED && w.changes.n == 0,
       "paused: no exposure, not even a known one");
    ok(expose(0, 1, T0) == UX_DECLINED && !v.tracks[1].moved,
       "nobody moved");
    ok(event(CART, NONE, T0 + 1) == UX_OK && why == UX_DISCARDS
       && counted(CART) == 0 && v.tracks[1].events == 0
       && v.tracks[1].carts[0].state == UX_CART_NONE,
       "no event, and the track stands still");
    ok(w.cells[UX_ZONE_EVENTS + CART] == 1
       && v.tracks[0].events == 1u << CART
       && v.tracks[0].carts[0].state == UX_CART_OPEN, "the life goes on");
    ok(!ux_track_counts(&w.plan, &v.tracks[1], T0), "told apart");

    w.experiments[0].state = UX_STATE_RUNNING;
    event(CART, NONE, T0 + 2);
    ok(counted(CART) == 1 && v.tracks[1].events == 1u << CART
       && ux_track_counts(&w.plan, &v.tracks[1], T0), "afterwards it counts");

    setup(1);
    w.experiments[0].state = UX_STATE_PAUSED;
    ok(expose(0, 0, T0) == UX_DECLINED && v.ntracks == 1
       && prefetch(0, 0, T0) == UX_DECLINED && v.ntracks == 1,
       "paused: no newcomer");

    w.experiments[0].serve = 1;
    ok(expose(0, 0, T0) == UX_DECLINED, "served: none either");
}


static void
test_closed(void)
{
    setup(1);
    w.experiments[0].window_ms = 1000;
    w.experiments[0].stop_ms = T0 + 10;
    expose(0, 0, T0);

    ok(event(VIEW, NONE, T0 + 10) == UX_OK && counted(VIEW) == 1,
       "closed: the known count");
    ok(event(VIEW, NONE, T0 + 1001) == UX_OK && counted(VIEW) == 1
       && why == UX_DISCARD_AFTER_WINDOW, "until their window ends");
    ok(expose(0, 1, T0 + 10) == UX_OK && v.tracks[1].moved, "and move");

    v.ntracks = 1;
    ok(expose(0, 0, T0 + 10) == UX_DECLINED && v.ntracks == 1
       && expose(0, 0, T0 + 9) == UX_OK, "newcomers do not");

    w.experiments[0].start_ms = T0 + 5;
    ok(event(VIEW, NONE, T0 + 4) == UX_OK && counted(VIEW) == 1
       && why == UX_DISCARDS, "nothing counts before the start");
    ok(event(VIEW, NONE, T0 + 9) == UX_OK && counted(VIEW) == 2,
       "from then on it does");
}


/* What waits is judged at confirmation by when it happened. */
static void
test_pending(void)
{
    setup(1);
    v.confirmed = false;
    expose(0, 0, T0);
    event(VIEW, NONE, T0 + 5);
    event(CART, NONE, T0 + 10);

    w.experiments[0].start_ms = T0 + 10;
    confirm();
    ok(visitors(0) == 1 && counted(VIEW) == 0 && counted(CART) == 1,
       "a waiting event is of its own time");
}


static void
test_prefetch(void)
{
    setup(2);
    (void) world_funnel(&w, CART, DAY);
    world_step(&w, &w.model.funnels[0], VIEW, false);

    ok(!settle(T0), "nothing waits");
    ok(prefetch(0, 0, T0) == UX_OK && v.ntracks == 2 && v.tracks[1].waiting
       && assigned(0) == 0 && visitors(0) == 0,
       "a prefetched page waits, uncounted");
    ok(ux_track_find(&w.plan, &v, 0) == &v.tracks[1]
       && !ux_track_counts(&w.plan, &v.tracks[1], T0),
       "its variant is kept");

    event(VIEW, NONE, T0 + 1);
    event(CART, NONE, T0 + 2);
    ok(counted(VIEW) == 0 && v.tracks[1].events == 0
       && why == UX_DISCARDS, "no event counts for it");

    ok(prefetch(0, 1, T0 + 3) == UX_OK && v.ntracks == 2
       && v.tracks[1].arm == world_arm(0, 0, 1)
       && v.tracks[1].exposed_ms == T0 + 3, "the latest page waits");
    (void) prefetch(0, 0, T0 + 4);

    ok(settle(T0 + 4 + UX_PREFETCH_MS) && !v.tracks[1].waiting
       && v.tracks[1].exposed_ms == T0 + 4 + UX_PREFETCH_MS,
       "after 5 minutes it is an exposure, dated when shown");
    ok(assigned(0) == 1 && visitors(0) == 1
       && world_cell(&w, arm_of(0), UX_ARM_STEP_BEFORE) == 1
       && world_cart(&w, arm_of(0), 0, UX_CART_CARRIED_IN) == 1,
       "counted as any, with what was before");
    ok(!settle(T0 + 5 + UX_PREFETCH_MS) && assigned(0) == 1, "once");

    ok(prefetch(0, 1, T0) == UX_OK && !v.tracks[1].waiting
       && !v.tracks[1].moved && v.ntracks == 2, "an exposure stays one");

    (void) prefetch(1, 0, T0);
    ok(settle(T0 + UX_PREFETCH_MS + 1) && v.ntracks == 2 && assigned(1) == 0,
       "later than 5 minutes it is gone");

    (void) prefetch(1, 0, T0);
    w.experiments[1].state = UX_STATE_CLOSED;
    ok(expose(1, 0, T0) == UX_DECLINED && v.tracks[2].waiting,
       "of a closed one it is no exposure");
    ok(settle(T0 + 1) && v.ntracks == 2, "and does not become one");

    w.experiments[1].state = UX_STATE_RUNNING;
    (void) prefetch(1, 1, T0);
    ok(expose(1, 0, T0 + 7) == UX_OK && !v.tracks[2].waiting
       && v.tracks[2].arm == arm_of(1) && assigned(1) == 1
       && visitors(1) == 1 && v.tracks[2].exposed_ms == T0 + 7,
       "an exposure itself ends the waiting");

    ok(prefetch(2, 0, T0) == UX_DECLINED
       && prefetch(0, UX_VARIANTS_MAX, T0) == UX_DECLINED,
       "unknown experiments and variants");
}


static void
test_prefetch_order(void)
{
    uint16_t  ordinal;

    setup(3);

    (void) prefetch(0, 0, T0);
    (void) expose(1, 1, T0);
    (void) prefetch(2, 0, T0 + 5);
    ok(settle(T0 + UX_PREFETCH_MS + 1) && v.ntracks == 3
       && v.tracks[1].arm == world_arm(1, 0, 1)
       && v.tracks[2].arm == arm_of(2) && assigned(0) == 0
       && assigned(2) == 1, "each by its own time, the others stay");

    setup(1);
    (void) prefetch(0, 0, T0);
    world_bind(&w, 0, 2);
    ok(settle(T0 + 1) && v.tracks[1].arm == world_arm(0, 2, 0)
       && world_cell(&w, world_arm(0, 2, 0), UX_ARM_VISITORS) == 1,
       "in the epoch of the exposure");

    setup(1);
    (void) prefetch(0, 0, T0);
    ordinal = v.tracks[1].arm;
    world_bind(&w, 0, 2);
    w.experiments[0].variants[0].weight = 0;
    ok(settle(T0 + 1) && v.tracks[1].arm == ordinal
       && world_cell(&w, ordinal, UX_ARM_VISITORS) == 1,
       "in that of the assignment where the variant takes nobody new");

    setup(1);
    (void) prefetch(0, 0, T0);
    w.arms[arm_of(0)].variant = -1;
    ok(settle(T0 + 1) && v.ntracks == 1 && assigned(0) == 0,
       "not in a variant that was dropped");

    setup(1);
    v.confirmed = false;
    (void) prefetch(0, 0, T0);
    event(VIEW, NONE, T0 + 1);
    confirm();
    ok(visitors(0) == 0 && v.tracks[1].waiting, "confirmed, it waits on");
    (void) settle(T0 + 2);
    ok(visitors(0) == 1 && assigned(0) == 1 && counted(VIEW) == 0
       && v.tracks[1].events == 0, "then counts, and only what comes");
}


static void
test_room(void)
{
    setup(4);
    w.plan.experiments_max = 2;
    expose(0, 0, T0 + 10);
    expose(1, 0, T0);
    event(VIEW, NONE, T0 + 20);

    ok(expose(2, 0, T0 + 30) == UX_FULL && v.ntracks == 3,
       "no room while all are in the model");

    world_present(&w, 0, false);
    world_present(&w, 1, false);
    ok(expose(2, 0, T0 + 30) == UX_OK && v.ntracks == 3
       && v.tracks[1].arm == arm_of(0) && v.tracks[2].arm == arm_of(2),
       "the oldest of those that are not makes room");
    ok(visitors(1) == 1, "what it had counted stays");
    ok(expose(3, 0, T0 + 30) == UX_OK && v.ntracks == 3
       && v.tracks[1].arm == arm_of(2) && v.tracks[2].arm == arm_of(3),
       "then the next");

    setup(3);
    w.plan.experiments_max = 2;
    expose(0, 0, T0);
    expose(1, 0, T0);
    world_present(&w, 0, false);
    ok(expose(0, 0, T0) == UX_DECLINED && v.ntracks == 3,
       "nothing goes for what is no exposure");
    w.plan.narms = arm_of(0);
    world_bind(&w, 2, 0);
    ok(expose(2, 0, T0) == UX_DECLINED && v.ntracks == 3, "unresolved");

    setup(3);
    w.plan.experiments_max = 1;
    expose(1, 0, T0);
    v.tracks[1].arm = WORLD_ARMS;
    ok(expose(2, 0, T0) == UX_FULL,
       "an arm that is not resolved may be in the model");
    v.tracks[1].arm = (uint16_t) arm_of(1);
    w.arms[arm_of(1)].experiment = -1;
    w.arms[arm_of(1)].base = 0;
    ok(expose(2, 0, T0) == UX_FULL, "so may one without counters");

    setup(3);
    w.plan.experiments_max = 1;
    (void) prefetch(0, 0, T0);
    ok(expose(1, 0, T0 + UX_PREFETCH_MS) == UX_FULL
       && prefetch(1, 0, T0 + UX_PREFETCH_MS) == UX_FULL
       && expose(1, 0, T0 + UX_PREFETCH_MS + 1) == UX_OK && v.ntracks == 2,
       "a page that waited too long makes room");
}


int
main(void)
{
    test_paused();
    test_closed();
    test_pending();
    test_prefetch();
    test_prefetch_order();
    test_room();

    return done();
}
