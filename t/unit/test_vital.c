
/*
 * Copyright (C) the nginx-ux authors
 *
 * Vitals: ratings, what replaces what, what is a replay, for whom they count,
 * and that no cell falls below 0 whatever comes in whatever order.
 */

#include "tap.h"
#include "track_case.h"
#include "ux_timing.h"


#define BLOCK(n)  (UX_ZONE_CELLS + (300u + 4u * (n)) * UX_ARM_CELLS)

#define ZONE   BLOCK(0)
#define ARM    BLOCK(1)                /* control of experiment 0 */
#define OTHER  BLOCK(2)                /* of experiment 1 */
#define B      BLOCK(3)                /* variant 1 of experiment 0 */

#define ANY     INT64_MIN              /* no delta */
#define MS(ms)  ((int64_t) ((ms) * 10000.0))

_Static_assert(UX_TIMINGS_VITALS_CELLS <= 4 * UX_ARM_CELLS, "BLOCK");
_Static_assert(304 + 4 * 3 < WORLD_ARMS, "BLOCK");


static uint64_t  seed = 88172645463325252u;


static void
prepare(void)
{
    setup(2);

    w.plan.vitals = ZONE;
    w.arms[world_arm(0, 0, 0)].vitals = ARM;
    w.arms[world_arm(0, 0, 1)].vitals = B;
    w.arms[world_arm(1, 0, 0)].vitals = OTHER;
}


static ux_discard_e
tell(ux_vital_e metric, uint64_t id, int64_t value, int64_t delta,
    uint64_t now_ms)
{
    ux_vital_t  vital;

    vital.metric = metric;
    vital.id_hash = id;
    vital.value_e4 = value;
    vital.has_delta = delta != ANY;
    vital.delta_e4 = delta == ANY ? 0 : delta;

    ux_changes_clear(&w.changes);
    why = ux_track_vital(&w.plan, &v, &vital, now_ms, &w.changes);
    world_apply(&w);

    return why;
}


static int64_t
rated(uint32_t block, ux_vital_e metric, unsigned rating)
{
    return (int64_t) w.cells[block + UX_TIMINGS_RATING(metric, rating)];
}


static int64_t
told(uint32_t block, ux_vital_e metric)
{
    return rated(block, metric, 0) + rated(block, metric, 1)
           + rated(block, metric, 2);
}


/* Values in the bucket of this one. */
static int64_t
like(uint32_t block, ux_vital_e metric, int64_t value)
{
    uint64_t  cell;
    uint32_t  bucket;

    bucket = ux_timing_bucket(ux_vital_steps(metric, value));
    cell = w.cells[block + UX_TIMINGS_VITAL(metric) + bucket / 2];

    return (int64_t) (bucket % 2 ? cell >> 32 : cell & 0xffffffff);
}


/* Is this value, in its bucket and rating, all that the block has of it? */
static bool
only(uint32_t block, ux_vital_e metric, int64_t value)
{
    uint32_t  i;
    uint64_t  n;

    n = 0;

    for (i = 0; i < UX_TIMING_CELLS; i++) {
        n += w.cells[block + UX_TIMINGS_VITAL(metric) + i] != 0;
    }

    return n == 1 && like(block, metric, value) == 1
           && told(block, metric) == 1
           && rated(block, metric, ux_vital_rate(metric, value)) == 1;
}


static void
test_ratings(void)
{
    unsigned  i, k;

    static const struct {
        int64_t  good;
        int64_t  fair;
        double   far;                  /* value of the first, as printed */
    }  limits[UX_VITALS] = {
        [UX_VITAL_LCP] = { MS(2500), MS(4000), 2500 },
        [UX_VITAL_INP] = { MS(200), MS(500), 200 },
        [UX_VITAL_CLS] = { 1000, 2500, 0.1 },
        [UX_VITAL_FCP] = { MS(1800), MS(3000), 1800 },
        [UX_VITAL_TTFB] = { MS(800), MS(1800), 800 }
    };

    for (i = 0; i < UX_VITALS; i++) {
        k = ux_vital_rate((ux_vital_e) i, 0) == UX_VITAL_GOOD
            && ux_vital_rate((ux_vital_e) i, limits[i].good) == UX_VITAL_GOOD
            && ux_vital_rate((ux_vital_e) i, limits[i].good + 1)
               == UX_VITAL_NEEDS_IMPROVEMENT
            && ux_vital_rate((ux_vital_e) i, limits[i].fair)
               == UX_VITAL_NEEDS_IMPROVEMENT
            && ux_vital_rate((ux_vital_e) i, limits[i].fair + 1)
               == UX_VITAL_POOR;
        ok(k, "%s: thresholds, each part of the better side",
           ux_vital_name(i));

        ok(ux_vital_value((ux_vital_e) i,
                          (double) ux_vital_steps((ux_vital_e) i,
                                                  limits[i].good))
           == limits[i].far, "%s: into steps and back", ux_vital_name(i));
    }

    ok(ux_vital_steps(UX_VITAL_LCP, 499) == 0
       && ux_vital_steps(UX_VITAL_LCP, 500) == 1
       && ux_vital_steps(UX_VITAL_CLS, 7) == 7
       && ux_vital_steps(UX_VITAL_INP, -1) == 0, "steps are rounded");
    ok(ux_vital_name(UX_VITALS) == NULL, "there is no sixth");
}


static void
test_counted(void)
{
    prepare();
    expose(0, 0, T0);

    ok(tell(UX_VITAL_LCP, 77, MS(1234.5), MS(1234.5), T0) == UX_DISCARDS,
       "a first report");
    ok(only(ZONE, UX_VITAL_LCP, MS(1234.5)), "counts for the zone");
    ok(only(ARM, UX_VITAL_LCP, MS(1234.5)), "and for the variant");
    ok(told(OTHER, UX_VITAL_LCP) == 0 && told(B, UX_VITAL_LCP) == 0,
       "for no other");
    ok(told(ZONE, UX_VITAL_FCP) == 0, "and no other metric");

    ok(tell(UX_VITAL_LCP, 0, MS(5000), ANY, T0) == UX_DISCARDS
       && tell(UX_VITAL_LCP, 0, MS(5000), MS(1), T0) == UX_DISCARDS
       && like(ARM, UX_VITAL_LCP, MS(5000)) == 2
       && rated(ARM, UX_VITAL_LCP, UX_VITAL_POOR) == 2,
       "without an id each time");
    ok(v.vitals[UX_VITAL_LCP].id == 77, "and what is known stays known");

    ok(tell(UX_VITAL_CLS, 1ull << 32, 5, ANY, T0) == UX_DISCARDS
       && tell(UX_VITAL_CLS, 1ull << 32, 5, ANY, T0) == UX_DISCARD_DUPLICATE
       && told(ARM, UX_VITAL_CLS) == 1, "a hash of 0 is an id, too");
    ok(tell(UX_VITAL_TTFB, 5, MS(90000000), ANY, T0) == UX_DISCARDS
       && like(ARM, UX_VITAL_TTFB, MS(419430.3)) == 1,
       "what is longer than any counts as the longest");
    ok(tell(UX_VITALS, 5, 1, ANY, T0) == UX_DISCARDS && w.changes.n == 0,
       "no metric");

    prepare();
    w.plan.vitals = 0;
    w.arms[world_arm(0, 0, 0)].vitals = 0;
    expose(0, 0, T0);
    ok(tell(UX_VITAL_LCP, 77, MS(1), MS(1), T0) == UX_DISCARDS
       && w.changes.n == 0, "where nothing is to be counted nothing changes");
}


static void
test_replaced(void)
{
    unsigned  i;

    prepare();
    expose(0, 0, T0);

    tell(UX_VITAL_CLS, 7, 0, 0, T0);
    ok(only(ARM, UX_VITAL_CLS, 0), "CLS begins with 0");

    tell(UX_VITAL_CLS, 7, 500, 500, T0);
    ok(only(ARM, UX_VITAL_CLS, 500) && only(ZONE, UX_VITAL_CLS, 500),
       "grown: moved");

    tell(UX_VITAL_CLS, 7, 1800, 1300, T0);
    ok(only(ARM, UX_VITAL_CLS, 1800) && only(ZONE, UX_VITAL_CLS, 1800),
       "grown: with its rating");

    ok(tell(UX_VITAL_CLS, 7, 1801, 1, T0) == UX_DISCARDS && w.changes.n == 0,
       "too little to count: no replay, and no change");

    tell(UX_VITAL_CLS, 7, 3000, 100, T0);
    ok(only(ARM, UX_VITAL_CLS, 3000), "grown after a report that was lost");

    for (i = 0; i < 1000; i++) {
        tell(UX_VITAL_CLS, 7, 3000, 100, T0);
        tell(UX_VITAL_CLS, 7, 500, 500, T0);
        tell(UX_VITAL_CLS, 7, 0, 0, T0);
        tell(UX_VITAL_CLS, 7, 1800, 1300, T0);
    }

    ok(only(ARM, UX_VITAL_CLS, 3000) && only(ZONE, UX_VITAL_CLS, 3000),
       "4,000 replays of all of them: nothing");
    ok(discarded(UX_DISCARD_DUPLICATE) == 4000, "told as duplicates");

    tell(UX_VITAL_INP, 8, MS(600), MS(600), T0);
    tell(UX_VITAL_INP, 8, MS(150), MS(-450), T0);
    ok(only(ARM, UX_VITAL_INP, MS(150)), "INP may fall");
    ok(tell(UX_VITAL_INP, 8, MS(600), MS(600), T0) == UX_DISCARDS
       && only(ARM, UX_VITAL_INP, MS(600)),
       "but what is larger is taken for newer");

    tell(UX_VITAL_FCP, 9, MS(100), ANY, T0);
    ok(tell(UX_VITAL_FCP, 9, MS(100), ANY, T0) == UX_DISCARD_DUPLICATE,
       "without a delta: the same again");
    tell(UX_VITAL_FCP, 9, MS(50), ANY, T0);
    ok(only(ARM, UX_VITAL_FCP, MS(50)), "the newest replaces");
}


static void
test_page_views(void)
{
    prepare();
    expose(0, 0, T0);

    tell(UX_VITAL_LCP, 1, MS(1000), MS(1000), T0);
    tell(UX_VITAL_LCP, 2, MS(3000), MS(3000), T0);
    ok(told(ARM, UX_VITAL_LCP) == 2 && like(ARM, UX_VITAL_LCP, MS(1000)) == 1
       && like(ARM, UX_VITAL_LCP, MS(3000)) == 1, "two page views are two");

    ok(tell(UX_VITAL_LCP, 1, MS(4500), MS(3500), T0) == UX_DISCARD_DUPLICATE
       && told(ARM, UX_VITAL_LCP) == 2
       && like(ARM, UX_VITAL_LCP, MS(1000)) == 1,
       "one told again that is not the last: stays as it was");
    tell(UX_VITAL_LCP, 2, MS(4500), MS(1500), T0);
    ok(told(ARM, UX_VITAL_LCP) == 2 && like(ARM, UX_VITAL_LCP, MS(3000)) == 0
       && like(ARM, UX_VITAL_LCP, MS(4500)) == 1, "the last is moved");
    ok(v.nids == 0, "ids of events are others");
}


static void
test_who(void)
{
    prepare();
    v.confirmed = false;
    expose(0, 0, T0);

    tell(UX_VITAL_LCP, 1, MS(1000), MS(1000), T0);
    ok(told(ZONE, UX_VITAL_LCP) == 1 && told(ARM, UX_VITAL_LCP) == 0,
       "unconfirmed: counts for the zone only");
    v.confirmed = true;
    tell(UX_VITAL_LCP, 1, MS(3000), MS(2000), T0);
    ok(only(ZONE, UX_VITAL_LCP, MS(3000)) && only(ARM, UX_VITAL_LCP, MS(3000)),
       "confirmed when it is told again: moved for the zone, new here");

    expose(1, 0, T0);
    tell(UX_VITAL_LCP, 1, MS(5000), MS(2000), T0);
    ok(only(ARM, UX_VITAL_LCP, MS(5000)) && only(OTHER, UX_VITAL_LCP,
                                                 MS(5000)),
       "exposed between two reports: likewise");
    tell(UX_VITAL_LCP, 1, MS(6000), MS(1000), T0);
    ok(only(ARM, UX_VITAL_LCP, MS(6000)) && only(OTHER, UX_VITAL_LCP,
                                                 MS(6000)),
       "then moved in both");

    prepare();
    w.experiments[0].window_ms = DAY;
    expose(0, 0, T0);
    expose(1, 0, T0);
    tell(UX_VITAL_LCP, 1, MS(1000), MS(1000), T0 + DAY);
    ok(told(ARM, UX_VITAL_LCP) == 1, "in the window's last moment");
    ok(tell(UX_VITAL_LCP, 1, MS(3000), MS(2000), T0 + DAY + 1) == UX_DISCARDS
       && only(ARM, UX_VITAL_LCP, MS(3000)), "a correction after it");
    ok(tell(UX_VITAL_LCP, 2, MS(1000), MS(1000), T0 + DAY + 1) == UX_DISCARDS
       && told(ARM, UX_VITAL_LCP) == 1 && told(OTHER, UX_VITAL_LCP) == 2,
       "another page view: only where the window is open");
    tell(UX_VITAL_LCP, 2, MS(3000), MS(2000), T0 + DAY + 1);
    ok(only(ARM, UX_VITAL_LCP, MS(3000)) && told(OTHER, UX_VITAL_LCP) == 2,
       "and moved only there");

    w.experiments[1].window_ms = DAY;
    ok(tell(UX_VITAL_LCP, 3, MS(1), MS(1), T0 + DAY + 1)
       == UX_DISCARD_AFTER_WINDOW
       && discarded(UX_DISCARD_AFTER_WINDOW) == 1
       && told(ZONE, UX_VITAL_LCP) == 3, "after all windows: for the zone");

    prepare();
    w.experiments[0].state = UX_STATE_PAUSED;
    expose(1, 0, T0);
    (void) ux_track_prefetch(&w.plan, &v, 0, 0, T0);
    tell(UX_VITAL_LCP, 1, MS(1), MS(1), T0);
    ok(told(ARM, UX_VITAL_LCP) == 0 && told(OTHER, UX_VITAL_LCP) == 1,
       "not while the experiment is paused");

    prepare();
    (void) ux_track_prefetch(&w.plan, &v, 0, 0, T0);
    tell(UX_VITAL_LCP, 1, MS(1), MS(1), T0);
    ok(v.ntracks == 2 && told(ARM, UX_VITAL_LCP) == 0,
       "nor while the page is only prefetched");
}


static void
test_crossed(void)
{
    prepare();
    expose(0, 0, T0);
    tell(UX_VITAL_LCP, 1, MS(1000), MS(1000), T0);

    ux_changes_clear(&w.changes);
    (void) ux_track_cross(&w.plan, &v, 1, T0, true, &w.changes);
    world_apply(&w);

    ok(only(ARM, UX_VITAL_LCP, MS(1000)), "who crosses over stays in");
    tell(UX_VITAL_LCP, 1, MS(3000), MS(2000), T0);
    ok(only(ARM, UX_VITAL_LCP, MS(3000)), "with the value as it is");
    tell(UX_VITAL_LCP, 2, MS(3000), MS(3000), T0);
    ok(told(ARM, UX_VITAL_LCP) == 1 && told(ZONE, UX_VITAL_LCP) == 2,
       "and counts no more");
}


/* Through the record and back, as between two requests. */
static bool
keep(void)
{
    size_t   len;
    uint8_t  buf[UX_PACKED_MAX];

    return ux_visitor_pack(&v, buf, &len) == UX_OK
           && ux_visitor_unpack(&v, buf, len) == UX_OK;
}


/* Orders, and what a zone remembers of them, until the record is full. */
static void
fill(void)
{
    unsigned  i, k;

    v.nids = UX_IDS_MAX;
    v.next_id = 0;

    for (i = 2; i < UX_TRACKS_MAX; i++) {
        v.tracks[i] = v.tracks[1];
        v.tracks[i].arm = (uint16_t) world_arm(i % 2 + 2, 0, i % 2);
        v.ntracks = (uint8_t) (i + 1);
    }

    for (i = 1; i < UX_TRACKS_MAX; i++) {
        v.tracks[i].events = UINT64_MAX;
        v.tracks[i].steps = UINT64_MAX;

        for (k = 0; k < 4; k++) {
            v.tracks[i].totals[k] = UX_TOTAL_MAX >> 20;
        }
    }

    /* byte by byte */

    for (i = 1; i < UX_TRACKS_MAX; i++) {
        for (k = 0; k < 9 && !v.vitals_full; k++) {
            v.tracks[i].before = (uint64_t) 1 << (7 * k);
            (void) keep();
        }
    }
}


static void
test_full(void)
{
    unsigned  i;

    prepare();
    w.plan.narms = 4;
    expose(0, 0, T0);
    tell(UX_VITAL_LCP, 1, MS(1000), MS(1000), T0);
    ok(keep() && v.vitals[UX_VITAL_LCP].id == 1 && v.tracks[1].vitals == 1,
       "kept in the record");
    tell(UX_VITAL_LCP, 1, MS(3000), MS(2000), T0);
    ok(only(ARM, UX_VITAL_LCP, MS(3000)), "and moved by what it says");

    fill();
    ok(v.vitals_full && v.vitals[UX_VITAL_LCP].id == 0
       && v.tracks[1].vitals == 0,
       "a full record leaves them out, and says so");
    ok(v.nids == UX_IDS_MAX && v.ntracks == UX_TRACKS_MAX
       && v.tracks[16].events == UINT64_MAX, "nothing else");

    for (i = 0; i < 1000; i++) {
        tell(UX_VITAL_LCP, 1, MS(1000), MS(1000), T0);
        (void) keep();
    }

    ok(only(ARM, UX_VITAL_LCP, MS(3000)) && only(ZONE, UX_VITAL_LCP,
                                                 MS(3000)),
       "1,000 replays count nothing");
    ok(discarded(UX_DISCARD_ZONE_FULL) == 1000, "told as such");
}


static unsigned
below(unsigned n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;

    return (unsigned) ((seed >> 33) % n);
}


/* Whatever is told: as many in the buckets as in ratings, none below 0. */
static bool
whole(uint32_t block)
{
    uint32_t     i;
    unsigned     m;
    uint64_t     n;
    ux_timing_t  timing;

    for (m = 0; m < UX_VITALS; m++) {
        n = 0;

        for (i = 0; i < UX_TIMING_BUCKETS; i++) {
            timing.buckets[i] =
                w.cells[block + UX_TIMINGS_VITAL(m) + i / 2]
                >> (i % 2 * 32) & 0xffffffff;

            if (timing.buckets[i] > 1000000) {
                return false;
            }

            n += timing.buckets[i];
        }

        if (rated(block, (ux_vital_e) m, 0) < 0
            || rated(block, (ux_vital_e) m, 1) < 0
            || rated(block, (ux_vital_e) m, 2) < 0
            || n != (uint64_t) told(block, (ux_vital_e) m))
        {
            return false;
        }
    }

    return true;
}


static void
test_anything(void)
{
    unsigned  i, bad, metric;
    int64_t   value;
    uint64_t  now;

    prepare();
    w.experiments[0].window_ms = DAY;
    expose(0, 0, T0);
    bad = 0;
    now = T0;

    for (i = 0; i < 20000; i++) {
        metric = below(UX_VITALS);
        value = (int64_t) below(metric == UX_VITAL_CLS ? 6000 : 60000000);
        now += below(20000);

        if (i == 7000) {
            expose(1, 0, now);
        }

        w.experiments[1].state = below(5) ? UX_STATE_RUNNING
                                          : UX_STATE_PAUSED;

        tell((ux_vital_e) metric, below(40), value,
             below(4) == 0 ? ANY : below(2) ? value
                           : (int64_t) below(60000000) - 30000000, now);

        bad += below(4) == 0 && !keep();
        bad += i % 100 == 0
               && (!whole(ZONE) || !whole(ARM) || !whole(OTHER));
    }

    ok(bad == 0, "20,000 reports of any order: nothing below 0, %u wrong",
       bad);
    ok(told(ZONE, UX_VITAL_LCP) > 100 && told(ARM, UX_VITAL_LCP) > 10
       && told(OTHER, UX_VITAL_LCP) > 100, "and many counted");
}


/* As after a worker killed between a record and its counters. */
static void
test_settled(void)
{
    ux_timing_t  timing;

    memset(&timing, 0, sizeof(timing));
    timing.buckets[4] = 0xffffffff;    /* -1, and what it took */
    timing.buckets[5] = 2;
    timing.buckets[8] = 7;
    timing.buckets[9] = 0xffffffff;
    timing.buckets[12] = 0xffffffff;
    timing.buckets[13] = 0xffffffff;   /* 0 and a borrow */

    ux_timing_settle(&timing);

    ok(timing.buckets[4] == 0 && timing.buckets[5] == 3,
       "one below 0 is 0, its neighbour whole");
    ok(timing.buckets[8] == 7 && timing.buckets[9] == 0, "an odd one, too");
    ok(timing.buckets[12] == 0 && timing.buckets[13] == 0, "or both");
    ok(ux_timing_count(&timing) == 10, "no more than there are");
}


int
main(void)
{
    test_ratings();
    test_counted();
    test_replaced();
    test_page_views();
    test_who();
    test_crossed();
    test_full();
    test_anything();
    test_settled();

    return done();
}
