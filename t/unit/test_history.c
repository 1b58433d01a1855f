
/*
 * Copyright (C) the nginx-ux authors
 *
 * History: which points are taken and what they say; which of them go when
 * there is no room.
 */

#include "result_case.h"


#define HOUR_AT(ms)  ((uint32_t) ((ms) / HOUR))


static void test_point(void);
static void test_when(void);
static void test_half_done(void);
static void test_days(void);
static void test_nobody(void);
static void test_epochs(void);
static void test_short(void);
static void test_removed(void);
static void test_future(void);


int
main(void)
{
    test_point();
    test_when();
    test_half_done();
    test_days();
    test_nobody();
    test_epochs();
    test_short();
    test_removed();
    test_future();

    return done();
}


static ux_status_t
take(uint64_t at)
{
    now = at;

    return ux_result_history(&w->store, 0, at);
}


/* Of a variant and ring, any number of hours; how many there are. */
static unsigned
count(int variant, int ring)
{
    uint32_t            i;
    unsigned            n;
    ux_history_point_t  point;

    n = 0;

    for (i = 0; i < w->store.history.nframes; i++) {
        n += ux_history_read(&w->store.history, i, &point)
             && (variant < 0 || point.variant == variant)
             && (ring < 0 || point.ring == ring);
    }

    return n;
}


static bool
point_at(uint32_t hour, uint16_t variant, uint8_t ring,
    ux_history_point_t *point)
{
    uint32_t  i;

    for (i = 0; i < w->store.history.nframes; i++) {
        if (ux_history_read(&w->store.history, i, point)
            && point->hour == hour && point->variant == variant
            && point->ring == ring)
        {
            return true;
        }
    }

    return false;
}


static bool
same(float value, double expected)
{
    return (isnan(value) && isnan(expected))
           || fabs((double) value - expected) <= 1e-6 * fabs(expected);
}


static void
test_point(void)
{
    ux_interval_t                  interval;
    ux_history_point_t             point;
    const ux_result_comparison_t  *comparison;

    begin();
    visit(0, 4000, 400);
    visit(1, 4100, 500);

    ok(take(START + 5000) == UX_OK && count(-1, -1) == 2,
       "a point of each variant, %u", count(-1, -1));
    look();
    comparison = pair(1, 0);
    interval = ux_stats_wilson(500, 4100, UX_STATS_Z95);

    ok(point_at(HOUR_AT(START), result.experiment.variants[1].ordinal,
                UX_HISTORY_HOUR, &point)
       && point.visitors == 4100 && point.event == UX_EVENT_PURCHASE
       && point.type == UX_METRIC_CONVERSION
       && same(point.figures[UX_HISTORY_VALUE], 500.0 / 4100)
       && same(point.figures[UX_HISTORY_LOW], interval.lo)
       && same(point.figures[UX_HISTORY_HIGH], interval.hi),
       "with its rate");
    ok(!isnan(comparison->now.lift_ci.lo)
       && same(point.figures[UX_HISTORY_LIFT], comparison->now.lift)
       && same(point.figures[UX_HISTORY_LIFT_LOW], comparison->now.lift_ci.lo)
       && same(point.figures[UX_HISTORY_LIFT_HIGH],
               comparison->now.lift_ci.hi), "and its lift");
    ok(point_at(HOUR_AT(START), result.experiment.variants[0].ordinal,
                UX_HISTORY_HOUR, &point)
       && point.visitors == 4000
       && same(point.figures[UX_HISTORY_VALUE], 0.1)
       && isnan(point.figures[UX_HISTORY_LIFT])
       && isnan(point.figures[UX_HISTORY_LIFT_LOW]),
       "the control has no lift");

    end();
}


static void
test_when(void)
{
    begin();
    visit(0, 100, 10);

    ok(take(START + 300000) == UX_OK && count(-1, -1) == 0,
       "later than five minutes none is taken");
    ok(take(START + 299999) == UX_OK && count(-1, -1) == 2,
       "until then it is");
    visit(0, 100, 10);
    ok(take(START + 60000) == UX_OK && count(-1, -1) == 2
       && take(START + HOUR - 1) == UX_OK && count(-1, -1) == 2,
       "and not again");
    ok(take(START + 5 * HOUR) == UX_OK && count(-1, -1) == 4,
       "what was missed is not made up for");
    ok(take(START + 2 * HOUR) == UX_OK && count(-1, -1) == 6,
       "a clock that goes back");
    e->serve = 1;
    now = START + 6 * HOUR;
    bind_again();
    ok(take(START + 7 * HOUR) == UX_OK && count(-1, -1) == 8
       && take(START + 8 * HOUR) == UX_OK && count(-1, -1) == 8,
       "one more after it has ended, then none");

    end();
}


/* Its process died with half of the points written. */
static void
test_half_done(void)
{
    uint32_t            frame;
    ux_history_point_t  a, b;

    begin();
    visit(0, 100, 10);
    visit(1, 100, 10);
    (void) take(START + 1000);
    look();

    frame = w->store.history.memory->frames[0].key != 0 ? 0 : 1;
    (void) ux_history_read(&w->store.history, frame, &a);
    ux_history_erase_locked(&w->store.history, frame);
    ok(take(START + 2000) == UX_OK && count(-1, -1) == 1,
       "an hour that is taken is not looked at");

    ux_history_set_taken(&w->store.history, 0, 0);
    visit(0, 1, 1);
    visit(1, 1, 1);
    ok(take(START + 3000) == UX_OK && count(-1, -1) == 2,
       "else what is missing is put in");
    ok(point_at(HOUR_AT(START), a.variant, UX_HISTORY_HOUR, &b)
       && b.visitors == 101
       && point_at(HOUR_AT(START), (uint16_t) (1 - a.variant),
                   UX_HISTORY_HOUR, &b)
       && b.visitors == 100, "and nothing else");
    ux_store_leave(&w->store);
    ok(take(START + HOUR) == UX_BUSY && count(-1, -1) == 2,
       "who is no writer takes none");

    end();
}


static void
test_days(void)
{
    unsigned            i, n;
    uint64_t            midnight;
    ux_history_point_t  point;

    begin();
    visit(0, 100, 10);
    midnight = START / DAY * DAY + DAY;

    for (i = 0; i < 24 * 125; i++) {
        (void) take(midnight + i * HOUR + 1000);
    }

    ok(count(0, UX_HISTORY_DAY) >= UX_HISTORY_DAYS
       && count(0, UX_HISTORY_HOUR) >= UX_HISTORY_HOURS,
       "125 days: %u days, %u hours", count(0, UX_HISTORY_DAY),
       count(0, UX_HISTORY_HOUR));

    n = 0;

    for (i = 0; i < w->store.history.nframes; i++) {
        if (ux_history_read(&w->store.history, i, &point)
            && point.variant == 0 && ux_history_shown(&point, HOUR_AT(now)))
        {
            n += point.ring == UX_HISTORY_HOUR ? 1
                 : point.hour % 24 == 0 ? 1000 : 1000000;
        }
    }

    ok(n == UX_HISTORY_HOURS + UX_HISTORY_DAYS * 1000,
       "shown are 72 hours and 120 midnights, %u", n);

    end();
}


static void
test_nobody(void)
{
    begin();
    ok(take(START) == UX_OK && count(-1, -1) == 0,
       "of an experiment nobody is in, nothing");
    ok(ux_result_history(&w->store, 1, START) == UX_OK
       && count(-1, -1) == 0, "nor of one that there is not");
    end();
}


static void
test_epochs(void)
{
    ux_history_point_t  a, b, c;

    begin();
    visit(0, 100, 10);
    (void) take(START);

    e->variants[1].weight = 3;
    now = START + 600000;
    bind_again();
    (void) take(START + HOUR);

    e->alpha = 0.01;
    now = START + HOUR + 600000;
    bind_again();
    (void) take(START + 2 * HOUR);

    ok(point_at(HOUR_AT(START), 0, UX_HISTORY_HOUR, &a)
       && point_at(HOUR_AT(START) + 1, 0, UX_HISTORY_HOUR, &b)
       && point_at(HOUR_AT(START) + 2, 0, UX_HISTORY_HOUR, &c)
       && a.epoch == b.epoch && c.epoch == a.epoch + 2,
       "the epoch is that of the primary result: %u %u %u", a.epoch, b.epoch,
       c.epoch);
    end();
}


/* Two series of a ring of hours, with room for ten points of each. */
static void
test_short(void)
{
    bool                good;
    unsigned            i, v;
    ux_history_point_t  point;

    begin();
    visit(0, 100, 10);
    visit(1, 100, 10);
    w->store.history.nframes = 20;

    for (i = 1; i <= 11; i++) {
        (void) take(START + i * HOUR);
    }

    good = count(0, 0) == 10 && count(1, 0) == 10;

    for (i = 2; i <= 11; i++) {
        for (v = 0; v < 2; v++) {
            good = good && point_at(HOUR_AT(START) + i, (uint16_t) v, 0,
                                    &point);
        }
    }

    ok(good, "rings of all series get shorter alike");

    /* a day counts as much as its hours, so hours go first */

    for (i = 12; i <= 40; i++) {
        (void) take(START + i * HOUR);
    }

    ok(count(0, UX_HISTORY_DAY) == 2 && count(1, UX_HISTORY_DAY) == 2
       && count(0, UX_HISTORY_HOUR) == 8 && count(1, UX_HISTORY_HOUR) == 8,
       "midnights stay longer than hours: %u, %u",
       count(0, UX_HISTORY_DAY), count(0, UX_HISTORY_HOUR));

    end();
}


static void
test_removed(void)
{
    unsigned             i;
    ux_history_point_t   point;
    ux_history_sweep_t   sweep;

    begin();
    visit(0, 100, 10);
    visit(1, 100, 10);
    w->store.history.nframes = 6;

    for (i = 0; i < 2; i++) {
        (void) take(START + i * HOUR);
    }

    ok(count(-1, -1) == 4, "two points of two variants, two free");

    w->model.nexperiments = 0;
    bind_again();
    w->model.nexperiments = 1;
    e->version = 2;
    bind_again();
    visit(0, 100, 10);
    (void) take(START + 2 * HOUR);
    (void) take(START + 3 * HOUR);

    ok(count(2, -1) == 2 && count(3, -1) == 2 && count(-1, -1) == 6,
       "another version has a history of its own");
    ok(!point_at(HOUR_AT(START), 0, 0, &point)
       && point_at(HOUR_AT(START) + 1, 0, 0, &point),
       "and takes its room from that of the one before, the oldest first");
    (void) take(START + 4 * HOUR);
    (void) take(START + 5 * HOUR);
    ok(count(0, -1) == 0 && count(1, -1) == 0 && count(2, -1) == 3
       && count(3, -1) == 3, "until nothing of that is left");

    /* who is removed gets only what is free */

    point.variant = 0;
    point.hour = HOUR_AT(START) + 5;
    point.ring = 0;
    ux_history_begin(&sweep, &w->store.history, w->store.registry,
                     HOUR_AT(START) + 5);
    ok(ux_history_put_locked(&sweep, &point) == UX_HISTORY_NONE
       && count(2, -1) == 3, "which takes nothing back");

    end();
}


static void
test_future(void)
{
    unsigned            i;
    ux_history_point_t  point;
    ux_history_sweep_t  sweep;

    begin();
    visit(0, 100, 10);
    visit(1, 100, 10);
    w->store.history.nframes = 6;

    (void) take(START + 1000 * DAY);

    for (i = 1; i <= 3; i++) {
        (void) take(START + i * HOUR);
    }

    ok(count(-1, -1) == 6 && point_at(HOUR_AT(START) + 1, 0, 0, &point)
       && point_at(HOUR_AT(START) + 2, 1, 0, &point)
       && point_at(HOUR_AT(START) + 3, 1, 0, &point),
       "what a clock ahead left goes first");

    /* older than all that is there, younger, and too old */

    ux_history_begin(&sweep, &w->store.history, w->store.registry,
                     HOUR_AT(START) + 4);
    memset(&point, 0, sizeof(point));
    point.hour = HOUR_AT(START);
    ok(ux_history_put_locked(&sweep, &point) == UX_HISTORY_NONE,
       "nothing makes room for an older one");
    point.hour = HOUR_AT(START) + 5;
    ok(ux_history_put_locked(&sweep, &point) == UX_HISTORY_NONE,
       "nor for one of the future");
    point.hour = HOUR_AT(START) + 4;
    ok(ux_history_put_locked(&sweep, &point) != UX_HISTORY_NONE
       && count(-1, -1) == 6, "but for a newer one");

    ux_history_begin(&sweep, &w->store.history, w->store.registry,
                     HOUR_AT(START) + 76);
    point.hour = HOUR_AT(START) + 4;
    ok(ux_history_put_locked(&sweep, &point) == UX_HISTORY_NONE,
       "one that is not to be shown is not kept");
    end();
}
