
/*
 * Copyright (C) the nginx-ux authors
 *
 * Crossovers leave the counts of their arm, exactly.  Random histories are
 * crossed in t/15-track.t.
 */

#include "tap.h"
#include "track_case.h"


#define MINUTE  60000u
#define WITHIN  (60 * MINUTE)


static const unsigned  arm = 0;    /* world_arm(0, 0, 0) */


static bool
cross(unsigned track, uint64_t now_ms, bool count)
{
    bool  crossed;

    ux_changes_clear(&w.changes);
    crossed = ux_track_cross(&w.plan, &v, track, now_ms, count, &w.changes);
    world_apply(&w);

    return crossed;
}


static bool
stays(unsigned cell)
{
    return cell == UX_ARM_ASSIGNED || cell == UX_ARM_CROSSOVER
           || cell == UX_ARM_LEFT
           || (cell >= UX_ARM_ORDERS && cell <= UX_ARM_REFUNDED)
           || (cell >= UX_ARM_EVENT_COUNT
               && cell < UX_ARM_EVENT_COUNT + UX_EVENTS_MAX);
}


/* Of those exposed in the same minute. */
static int32_t
unconfirmed(uint64_t now_ms)
{
    return world_window(&w, arm, UX_WINDOW_UNCONFIRMED, now_ms / MINUTE);
}


/* Rows of the ring that a reader still looks at have nothing. */
static bool
rows_empty(uint64_t now_ms)
{
    unsigned             c;
    uint64_t             width_ms;
    const world_ring_t  *cell;

    width_ms = ux_bucket_width_ms(WITHIN);
    cell = &w.rings[0][0][0][0];

    for (c = 0; c < sizeof(w.rings) / sizeof(world_ring_t); c++) {
        if (cell[c].count != 0
            && (cell[c].bucket + 1) * width_ms + WITHIN > now_ms)
        {
            printf("# ring field %u\n", c % UX_RING_CELLS);
            return false;
        }
    }

    return true;
}


/*
 * All of arms that is not to stay is 0.  Limbs of squares need not be where
 * their value is.
 */
static bool
empty(uint64_t now_ms)
{
    unsigned  a, c, slot;

    for (a = 0; a < WORLD_ARMS; a++) {
        for (c = 0; c < UX_ARM_TOTALS; c++) {
            if (!stays(c) && world_cell(&w, a, c) != 0) {
                printf("# arm %u, cell %u\n", a, c);
                return false;
            }
        }

        for (slot = 0; slot < UX_TOTALS_MAX; slot++) {
            if (!values_are(a, slot, 0, 0)) {
                printf("# arm %u, total %u\n", a, slot);
                return false;
            }
        }
    }

    for (c = WORLD_CARTS_AT; c < WORLD_CELLS; c++) {
        if (w.cells[c] != 0) {
            printf("# cart cell %u\n", (c - WORLD_CARTS_AT) % UX_CART_CELLS);
            return false;
        }
    }

    return rows_empty(now_ms);
}


static ux_funnel_t *
a_funnel(void)
{
    ux_funnel_t  *f;

    f = world_funnel(&w, CART, WITHIN);
    world_step(&w, f, VIEW, true);
    world_step(&w, f, CART, false);
    world_step(&w, f, BEGIN, false);
    world_step(&w, f, BUY, false);

    return f;
}


static void
test_all(void)
{
    setup(1);
    (void) a_funnel();
    w.experiments[0].cap = 5000;
    w.model.totals[1] = (ux_total_t) { BUY, 1, UX_METRIC_RATIO };
    w.model.ntotals = 2;

    event(VIEW, NONE, T0);
    event(CART, NONE, T0);
    expose(0, 0, T0 + MINUTE);
    event(BEGIN, NONE, T0 + 2 * MINUTE);
    event(BUY, 4990, T0 + 3 * MINUTE);
    event(BUY, 990, T0 + 3 * MINUTE);
    event(REFUND, 100, T0 + 4 * MINUTE);
    event(CART, NONE, T0 + 5 * MINUTE);
    event(CART, NONE, T0 + 6 * MINUTE);
    expose(0, 1, T0 + 6 * MINUTE);
    v.tracks[1].error_seen = true;

    ok(sum(arm, 0) == 5000 && values_are(arm, 1, 5980, 2) && !empty(T0)
       && world_cell(&w, arm, UX_ARM_MOVED) == 1
       && world_cart(&w, arm, 0, UX_CART_PURCHASED) == 1
       && world_cart(&w, arm, 0, UX_CART_CARRIED_IN) == 1
       && world_cart(&w, arm, 0, UX_CART_WITHOUT_CART) == 1
       && world_cart(&w, arm, 0, UX_CART_ALIVE + 2) == 1,
       "a visitor with all there is");

    ok(cross(1, T0 + 7 * MINUTE, true) && empty(T0),
       "crossed, all of it is gone");
    ok(world_cell(&w, arm, UX_ARM_ASSIGNED) == 1
       && world_cell(&w, arm, UX_ARM_EVENT_COUNT + BUY) == 2
       && world_cell(&w, arm, UX_ARM_EVENT_COUNT + CART) == 2,
       "assignment and event counts stay");
    ok(world_cell(&w, arm, UX_ARM_CROSSOVER) == 1
       && world_cell(&w, arm, UX_ARM_LEFT) == 1, "a crossover");
    ok(v.tracks[1].arm == arm && v.tracks[1].crossed
       && v.tracks[1].error_seen && v.tracks[1].events == 0
       && v.tracks[1].npasts == 0, "the variant stays");

    ok(!cross(1, T0 + 8 * MINUTE, true) && w.changes.n == 0
       && world_cell(&w, arm, UX_ARM_CROSSOVER) == 1, "once");

    event(CART, NONE, T0 + 9 * MINUTE);
    event(BUY, 5, T0 + 9 * MINUTE);
    ok(why == UX_DISCARDS && empty(T0)
       && world_cell(&w, arm, UX_ARM_EVENT_COUNT + BUY) == 2
       && !ux_track_counts(&w.plan, &v.tracks[1], T0),
       "nothing counts for it again");
    ok(expose(0, 0, T0) == UX_OK && expose(0, 1, T0) == UX_OK
       && w.changes.n == 0 && !v.tracks[1].moved, "nor does it move");
}


static void
test_refused(void)
{
    setup(2);
    expose(0, 0, T0);
    (void) ux_track_prefetch(&w.plan, &v, 1, 0, T0);

    ok(!cross(0, T0, true) && !cross(3, T0, true) && !cross(2, T0, true)
       && v.tracks[2].waiting && !v.tracks[2].crossed && w.changes.n == 0,
       "the life, no track, and what waits do not cross");

    world_present(&w, 0, false);
    ok(!cross(1, T0, true) && !v.tracks[1].crossed, "nor a removed one");

    world_present(&w, 0, true);
    ok(cross(1, T0, false) && v.tracks[1].crossed
       && world_cell(&w, arm, UX_ARM_CROSSOVER) == 0
       && world_cell(&w, arm, UX_ARM_LEFT) == 1
       && world_cell(&w, arm, UX_ARM_VISITORS) == 0,
       "not among the crossovers of its arm if not wanted");
}


static void
test_unconfirmed(void)
{
    setup(1);
    (void) a_funnel();
    v.confirmed = false;
    expose(0, 0, T0);
    expose(0, 1, T0);
    event(CART, NONE, T0);
    ok(cross(1, T0, true) && empty(T0)
       && world_cell(&w, arm, UX_ARM_ASSIGNED) == 1
       && world_cell(&w, arm, UX_ARM_LEFT) == 0
       && unconfirmed(T0) == 1,
       "unconfirmed: there was nothing to take out");

    ux_changes_clear(&w.changes);
    ux_track_confirm(&w.plan, &v, &w.changes);
    world_apply(&w);
    ok(empty(T0) && world_cell(&w, arm, UX_ARM_EVENT_COUNT + CART) == 0
       && v.tracks[0].events == 1u << CART
       && world_cell(&w, arm, UX_ARM_LEFT) == 1 && unconfirmed(T0) == 0,
       "and confirmed it is no visitor");
}


/* Carts of every age, some done by the same furthest step. */
static void
test_carts(void)
{
    unsigned  i;
    uint64_t  now;

    setup(1);
    (void) a_funnel();
    expose(0, 0, T0);
    now = T0;

    for (i = 0; i < 5; i++) {
        event(CART, NONE, now);

        if (i % 2) {
            event(BEGIN, NONE, now + 1);
        }

        now += WITHIN + 1;
        event(BUY, 5, now);
    }

    ok(world_cart(&w, arm, 0, UX_CART_RECOVERED) == 5
       && v.tracks[1].npasts <= 3,
       "recovered ones are noted by furthest step");

    for (i = 0; i < 5; i++) {
        event(CART, NONE, now);
        event(BUY, 5, now + MINUTE);
        now += 20 * MINUTE;
    }

    ok(v.tracks[1].carts[0].purchased == 5 && v.tracks[1].npasts <= 7,
       "purchased ones as long as they are young: %u",
       v.tracks[1].npasts);
    ok(cross(1, now, true) && empty(now), "all rows and totals are right");
}


/* The row of an old cart may have another bucket by now. */
static void
test_old(void)
{
    uint64_t  late;

    setup(1);
    (void) a_funnel();
    expose(0, 0, T0);
    event(CART, NONE, T0);
    late = T0 + UX_BUCKETS * ux_bucket_width_ms(WITHIN);

    ok(cross(1, late, true) && w.changes.nrings == 0
       && world_cart(&w, arm, 0, UX_CART_ALIVE + 2) == 0,
       "of an old cart only the total");
}


static void
test_list_full(void)
{
    unsigned  i;

    setup(1);
    (void) a_funnel();
    expose(0, 0, T0);

    for (i = 0; i < UX_PASTS_MAX + 3; i++) {
        event(CART, NONE, T0 + i * MINUTE);
        event(BUY, 5, T0 + i * MINUTE);
    }

    ok(v.tracks[1].npasts == UX_PASTS_MAX
       && v.tracks[1].pasts[0].created_ms != T0,
       "the oldest rows are given up");

    cross(1, T0 + 20 * MINUTE, false);
    ok(world_cart(&w, arm, 0, UX_CART_PURCHASED) == 0
       && world_cell(&w, arm, UX_ARM_VISITORS) == 0,
       "totals are right all the same");
    ok(world_ring(&w, arm, 0, T0 / MINUTE, UX_RING_PURCHASED) == 1
       && world_ring(&w, arm, 0, T0 / MINUTE + 2, UX_RING_PURCHASED) == 1
       && world_ring(&w, arm, 0, T0 / MINUTE + 3, UX_RING_PURCHASED) == 0,
       "and the rows of the 16 latest");

    setup(1);
    (void) a_funnel();
    expose(0, 0, T0);
    v.tracks[1].carts[0].lacking = UINT16_MAX;
    event(BUY, 5, T0);
    ok(v.tracks[1].carts[0].lacking == UINT16_MAX, "counts stop at 65535");
}


/* Recovered carts are not given up for rows. */
static void
test_list_mixed(void)
{
    unsigned      i;
    uint64_t      now;
    ux_funnel_t  *f;

    setup(1);
    f = a_funnel();
    expose(0, 0, T0);
    now = T0;

    for (i = 0; i < 2; i++) {
        event(CART, NONE, now);
        now += f->within_ms + 1;
        event(BUY, 5, now);
    }

    for (i = 0; i < UX_PASTS_MAX + 2; i++) {
        event(CART, NONE, now + i);
        event(BUY, 5, now + i);
    }

    cross(1, now + i, false);
    ok(world_cart(&w, arm, 0, UX_CART_RECOVERED) == 0
       && world_cart(&w, arm, 0, UX_CART_ALIVE + 2) == 0
       && world_cart(&w, arm, 0, UX_CART_PURCHASED) == 0,
       "recovered carts stay noted when the list is full");
}


/* A funnel or a sum that the configuration has no more. */
static void
test_reconfigured(void)
{
    setup(1);
    (void) a_funnel();
    w.model.totals[1] = (ux_total_t) { NPS, 1, UX_METRIC_RATIO };
    w.model.ntotals = 2;
    expose(0, 0, T0);
    event(CART, NONE, T0);
    event(NPS, 9, T0);
    event(BUY, 7, T0 + WITHIN + 1);
    event(CART, NONE, T0 + WITHIN + 2);

    w.model.nfunnels = 0;
    w.model.ntotals = 1;
    ok(cross(1, T0 + 9 * WITHIN, true)
       && world_cart(&w, arm, 0, UX_CART_RECOVERED) == 0
       && world_cart(&w, arm, 0, UX_CART_ALIVE + 2) == 0
       && values_are(arm, 1, 0, 0) && sum(arm, 0) == 0,
       "what was removed from the model is taken out, too");
}


/* Every limit at once: what ux_track.c says of bounds. */
static void
test_bounds(void)
{
    unsigned      i, k;
    ux_track_t   *t;
    ux_funnel_t  *f;

    setup(1);
    w.experiments[0].window_ms = DAY;

    for (i = 0; i < UX_CARTS_MAX; i++) {
        f = world_funnel(&w, CART, DAY);
        world_step(&w, f, CART, false);
    }

    expose(0, 0, T0);
    t = &v.tracks[1];
    t->moved = true;
    t->events = UINT64_MAX;
    t->steps = UINT64_MAX;
    t->before = UINT64_MAX;

    for (i = 0; i < UX_TOTALS_MAX; i++) {
        t->totals[i] = UX_TOTAL_MAX;
        t->counts[i] = UINT16_MAX;
    }

    for (i = 0; i < UX_CARTS_MAX; i++) {
        t->carts[i] = (ux_cart_t) { T0, 3, 4, UX_CART_OPEN, 2, true };
    }

    for (k = 0; k < UX_PASTS_MAX; k++) {
        t->pasts[k] = (ux_past_t) { T0, 1, (uint8_t) (k % 8), 3, true };
    }

    t->npasts = UX_PASTS_MAX;

    ok(cross(1, T0, true) && !w.changes.overflow && w.changes.n == 332
       && w.changes.nrings == 40 && w.changes.nwindows == 1,
       "one crossing: %u and %u changes", w.changes.n, w.changes.nrings);
}


/* What the confirmed visitor's sessions were is counted: it goes on. */
static void
test_visit(void)
{
    uint16_t  shown[2] = { 0, UX_ARM_NONE };

    setup(1);
    v.first_s = (uint32_t) (T0 / 1000 - UX_SESSION_S);
    expose(0, 0, T0);
    ux_track_page(&w.plan, &v, shown, T0, &w.changes);
    ok(world_cell(&w, arm, UX_ARM_RETURNING) == 1, "one who returns");
    ok(cross(1, T0 + 1, true) && v.tracks[1].visit
       && world_cell(&w, arm, UX_ARM_RETURNING) == 0,
       "crossed over it is none of those, and its page stays");

    setup(1);
    v.confirmed = false;
    expose(0, 0, T0);
    ux_track_page(&w.plan, &v, shown, T0, &w.changes);
    ok(cross(1, T0 + 1, true) && !v.tracks[1].visit,
       "a page that was not counted is not taken back");
}


/* Forms, by when they were sent, whatever the order of the answers. */
static void
test_sent(void)
{
    uint16_t  none[1] = { UX_ARM_NONE };

    setup(1);
    ux_changes_clear(&w.changes);
    ux_track_post(&w.plan, &v, 7, true, none, T0 + 50000, &w.changes);
    ux_track_post(&w.plan, &v, 7, false, none, T0, &w.changes);
    ok(w.changes.n == 0 && v.post_failed && v.post_ms == T0 + 50000,
       "one sent long before, answered later, repeats nothing");
    ux_track_post(&w.plan, &v, 7, false, none, T0 + 51000, &w.changes);
    ok(w.changes.n == 2, "one sent after it is a retry, and rage");
}


int
main(void)
{
    test_all();
    test_refused();
    test_unconfirmed();
    test_carts();
    test_old();
    test_list_full();
    test_list_mixed();
    test_reconfigured();
    test_bounds();
    test_visit();
    test_sent();

    return done();
}
