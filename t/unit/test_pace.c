
/*
 * Copyright (C) the nginx-ux authors
 *
 * Times between steps, and what becomes of them when a funnel gets other steps
 * while visitors are on their way.
 */

#include "tap.h"
#include "track_case.h"
#include "ux_timing.h"


#define MINUTE  60000u

/* other steps have another block; where no test has carts */
#define PACES   (WORLD_CARTS_AT + funnel->mark * 4000u)


static ux_funnel_t  *funnel;


/* Steps of a funnel of the same name and slot; step slots are by event. */
static void
steps(uint16_t mark, const uint8_t *events, unsigned n)
{
    unsigned  k;

    funnel->nsteps = 0;
    funnel->mark = mark;

    for (k = 0; k < n; k++) {
        world_step(&w, funnel, events[k] & 0x7f, events[k] & 0x80);
        funnel->steps[k].slot = events[k] & 0x7f;
    }

    w.arms[world_arm(0, 0, 0)].paces[0] = PACES;
}


static void
start(uint16_t mark, const uint8_t *events, unsigned n)
{
    setup(1);
    funnel = world_funnel(&w, UX_SLOT_NONE, 0);
    steps(mark, events, n);
    expose(0, 0, T0);
}


static uint64_t
histogram(unsigned number, ux_timing_t *timing)
{
    ux_counter_t  counter;

    memset(&counter, 0, sizeof(counter));
    counter.shared = w.cells;
    counter.all_cells = WORLD_CELLS;

    ux_timing_read(&counter, PACES + UX_TIMINGS_STEP(number), timing);

    return ux_timing_count(timing);
}


/* One value so far, of about so many minutes. */
static bool
took(unsigned number, unsigned minutes)
{
    double       seconds;
    ux_timing_t  timing;

    if (histogram(number, &timing) != 1) {
        return false;
    }

    seconds = ux_timing_seconds(&timing, 0.5);

    return seconds > minutes * 60 * 0.98 && seconds < minutes * 60 * 1.02;
}


static bool
none(unsigned number)
{
    ux_timing_t  timing;

    return histogram(number, &timing) == 0;
}


static void
at(unsigned minutes, uint8_t what)
{
    event(what, NONE, T0 + minutes * MINUTE);
}


static void
test_times(void)
{
    const uint8_t  buy[] = { CART, BEGIN, BUY };
    const uint8_t  gift[] = { CART, BUY, PAY | 0x80 };

    start(1, buy, 3);
    at(2, CART);
    at(5, BEGIN);
    at(9, BUY);
    ok(took(0, 2) && took(1, 3) && took(2, 4) && took(3, 7),
       "from the exposure, step to step, and the task");

    start(1, gift, 3);
    at(2, CART);
    at(5, BUY);
    at(11, PAY);
    ok(took(1, 3) && took(3, 3) && took(2, 6),
       "an optional step behind the last required one: since that");
}


static uint64_t
count(uint32_t cell)
{
    return w.cells[PACES + cell];
}


/* Who began before the exposure is no success. */
static void
test_task(void)
{
    const uint8_t  buy[] = { CART, BEGIN, BUY };
    const uint8_t  one[] = { BUY };

    start(1, buy, 3);
    at(2, CART);
    ok(count(UX_TIMINGS_SUCCESS(3)) == 0, "begun");
    at(5, BEGIN);
    at(6, CART);
    ok(count(UX_TIMINGS_BACK(3)) == 1, "a return");
    at(9, BUY);
    ok(count(UX_TIMINGS_SUCCESS(3)) == 1, "and a success");
    at(20, CART);
    at(22, BEGIN);
    at(25, BUY);
    ok(count(UX_TIMINGS_BACK(3)) == 1
       && count(UX_TIMINGS_BACK(3) + 1) == 0
       && count(UX_TIMINGS_SUCCESS(3)) == 1,
       "a second order is no return, nor another success");

    setup(1);
    funnel = world_funnel(&w, UX_SLOT_NONE, 0);
    steps(1, buy, 3);
    event(CART, NONE, T0 - MINUTE);
    expose(0, 0, T0);
    at(5, BEGIN);
    at(9, BUY);
    ok(took(3, 9) && count(UX_TIMINGS_SUCCESS(3)) == 0,
       "begun before the exposure: a time, no success");

    start(1, one, 1);
    at(2, BUY);
    ok(count(UX_TIMINGS_SUCCESS(1)) == 1,
       "of one step: begun and done at once");
}


static void
test_other_steps(void)
{
    const uint8_t  buy[] = { CART, BEGIN, BUY };
    const uint8_t  shorter[] = { CART, BUY, SHIP };
    const uint8_t  longer[] = { CART, BEGIN, BUY, PAY };
    const uint8_t  another[] = { VIEW, SHIP, BUY };

    start(1, buy, 3);
    at(2, CART);
    at(5, BEGIN);
    steps(2, shorter, 3);
    at(9, BUY);
    ok(none(1) && none(3), "a step is gone: since another one is no time");
    at(11, SHIP);
    ok(none(2) && none(3), "nor have later ones times, nor the task");

    start(1, buy, 3);
    at(2, CART);
    at(5, BEGIN);
    at(9, BUY);
    steps(2, longer, 4);
    at(12, PAY);
    ok(none(3) && none(4), "a step behind a completed task: no time");

    start(1, buy, 3);
    at(2, CART);
    steps(2, longer, 4);
    at(4, BEGIN);
    steps(1, buy, 3);
    at(9, BUY);
    ok(none(1) && none(2) && none(3),
       "the old steps back again, with one reached meanwhile: no time");

    start(1, buy, 3);
    at(2, CART);
    steps(2, another, 3);
    at(4, VIEW);
    at(7, SHIP);
    at(8, BUY);
    ok(took(1, 3) && took(2, 1) && took(3, 4),
       "all steps are others: times as if there had been no funnel");
}


static void
test_uncounted(void)
{
    const uint8_t  buy[] = { CART, BEGIN, BUY };

    start(1, buy, 3);
    at(2, CART);
    w.arms[world_arm(0, 0, 0)].paces[0] = 0;
    at(4, BEGIN);
    w.arms[world_arm(0, 0, 0)].paces[0] = PACES;
    at(9, BUY);
    ok(took(0, 2) && none(1) && none(2) && none(3),
       "a step that found no room for times: none after it");
}


int
main(void)
{
    test_times();
    test_task();
    test_other_steps();
    test_uncounted();

    return done();
}
