
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_timing: what is put into a block of cells comes out of it, and two
 * buckets that share a cell do not disturb each other.
 */

#include "ux_timing.h"
#include "tap.h"

#include <math.h>
#include <string.h>


#define OWN    64                     /* so a histogram is in copies and not */
#define ALL    1024
#define FIRST  32


static void test_buckets(void);
static void test_copies(void);
static void test_longest(void);
static void test_quantiles(void);
static void add(uint64_t ms, unsigned copy);


static uint64_t      copies[UX_WORKERS * OWN];
static uint64_t      shared[ALL];
static ux_counter_t  counter = {
    .copies = copies, .shared = shared, .own_cells = OWN, .all_cells = ALL
};
static ux_timing_t   timing;


int
main(void)
{
    test_buckets();
    test_copies();
    test_longest();
    test_quantiles();

    return done();
}


static void
test_buckets(void)
{
    unsigned  i, wrong;

    ux_timing_read(&counter, FIRST, &timing);
    ok(ux_timing_count(&timing) == 0, "nothing yet");
    ok(isnan(ux_timing_seconds(&timing, 0.5)), "and no quantile");

    /* i values of i ms: exact, below 64 */

    for (i = 1; i < 64; i++) {
        while (timing.buckets[i] < i) {
            add(i, 0);
            ux_timing_read(&counter, FIRST, &timing);
        }
    }

    wrong = 0;

    for (i = 0; i < 64; i++) {
        wrong += timing.buckets[i] != i;
    }

    ok(wrong == 0 && ux_timing_count(&timing) == 63 * 64 / 2,
       "each value in its own bucket: %u wrong", wrong);
    ok(shared[FIRST + UX_TIMING_CELLS] == 0, "and nothing behind the block");

    ux_timing_read(&counter, 0, &timing);
    ok(ux_timing_count(&timing) == 0, "a block that is not there is empty");
}


/* Some cells are in every worker's copy, the others in the shared one. */
static void
test_copies(void)
{
    unsigned  copy;

    memset(copies, 0, sizeof(copies));
    memset(shared, 0, sizeof(shared));

    for (copy = 1; copy <= UX_WORKERS; copy++) {
        add(7, copy);
        add(6, copy);
        add(5000, copy);
    }

    ux_timing_read(&counter, FIRST, &timing);

    ok(timing.buckets[7] == UX_WORKERS && timing.buckets[6] == UX_WORKERS
       && ux_timing_count(&timing) == 3 * UX_WORKERS,
       "copies are added up, neighbours apart");
    ok(shared[FIRST + 3] == 0 && copies[FIRST + 3] != 0,
       "what is in copies is not in the shared one");
}


static void
test_longest(void)
{
    memset(copies, 0, sizeof(copies));
    memset(shared, 0, sizeof(shared));

    add(UX_TIMING_MAX, 0);
    add((uint64_t) UX_TIMING_MAX + 1, 0);
    add(UINT64_MAX, 0);

    ux_timing_read(&counter, FIRST, &timing);

    ok(timing.buckets[UX_TIMING_BUCKETS - 1] == 3,
       "what takes longer counts as the longest");
    ok(ux_timing_cells(3) == UX_TIMINGS_FUNNEL_CELLS(3)
       && ux_timing_cells(UINT64_MAX)
          == UX_TIMINGS_FUNNEL_CELLS(UX_FUNNEL_STEPS_MAX),
       "a funnel has as many steps as one can");
}


/* 1 .. 1000 ms and as many seconds: known quantiles. */
static void
test_quantiles(void)
{
    double    told, wanted, worst;
    unsigned  i;

    memset(copies, 0, sizeof(copies));
    memset(shared, 0, sizeof(shared));

    for (i = 1; i <= 1000; i++) {
        add(i * 1000ull, i % (UX_WORKERS + 1));
    }

    ux_timing_read(&counter, FIRST, &timing);
    worst = 0;

    for (i = 1; i <= 99; i++) {
        told = ux_timing_seconds(&timing, i / 100.0);
        wanted = i * 10;
        worst = fmax(worst, fabs(told - wanted) / wanted);
    }

    ok(worst > 0 && worst <= 1.0 / 64, "quantiles within 1.6 %%: %.4f", worst);
}


/* By a worker with a copy of its own, or (0) by one without. */
static void
add(uint64_t ms, unsigned copy)
{
    ux_change_t  change;

    change = ux_timing_change(FIRST, ms);

    counter.mine = copy == 0 ? NULL : copies + (copy - 1) * OWN;
    ux_counter_add(&counter, change.cell, change.delta);
    counter.mine = NULL;
}
