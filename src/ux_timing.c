
/*
 * Copyright (C) the nginx-ux authors
 *
 * Where a value is in a block of histograms; what buckets tell is
 * ux_histogram.c's.
 *
 * A request's block is among the cells of which each worker has a copy, as far
 * as these reach: it is written with every request.  What is written once a
 * step, or a few times a page, lives in the shared copy, and costs a
 * seventeenth of the memory.
 */

#include "ux_timing.h"

#include <string.h>


_Static_assert(UX_TIMING_BUCKETS
               == ((22 - UX_TIMING_BITS + 1) << UX_TIMING_BITS),
               "an octave of buckets for each binary digit");


static void ux_timing_add_up(ux_timing_t *timing, uint32_t n);


uint32_t
ux_timing_cells(uint64_t nsteps)
{
    return UX_TIMINGS_FUNNEL_CELLS(nsteps < UX_FUNNEL_STEPS_MAX
                                   ? (unsigned) nsteps
                                   : UX_FUNNEL_STEPS_MAX);
}


ux_change_t
ux_timing_change(uint32_t first, uint64_t ms)
{
    return ux_timing_bucket_change(first, ux_timing_bucket(ms));
}


uint32_t
ux_timing_bucket(uint64_t ms)
{
    return ux_histogram_index(UX_TIMING_BITS,
                              ms < UX_TIMING_MAX ? ms : UX_TIMING_MAX);
}


void
ux_timing_read(const ux_counter_t *counter, uint32_t first,
    ux_timing_t *timing)
{
    uint32_t  i, n;
    uint64_t  cells[UX_TIMING_CELLS];

    memset(timing, 0, sizeof(ux_timing_t));

    if (first == 0) {
        return;
    }

    ux_counter_fold(counter, first, UX_TIMING_CELLS, cells);

    /* most end long before their last bucket, or are empty */

    for (n = UX_TIMING_CELLS; n > 0 && cells[n - 1] == 0; n--) { /* void */ }

    for (i = 0; i < n; i++) {
        timing->buckets[2 * i] = cells[i] & 0xffffffff;
        timing->buckets[2 * i + 1] = cells[i] >> 32;
    }

    ux_timing_add_up(timing, 2 * n);
}


/* Those from n on are 0. */
static void
ux_timing_add_up(ux_timing_t *timing, uint32_t n)
{
    uint32_t  i;

    timing->end = n;
    timing->count = 0;

    for (i = 0; i < n; i++) {
        timing->count += timing->buckets[i];
    }
}


void
ux_timing_settle(ux_timing_t *timing)
{
    uint32_t   i;
    uint64_t  *even, *odd;

    for (i = 0; i < UX_TIMING_CELLS; i++) {
        even = &timing->buckets[2 * i];
        odd = even + 1;

        if (*even >> 31) {
            *even = 0;
            *odd = (*odd + 1) & 0xffffffff;
        }

        *odd = *odd >> 31 ? 0 : *odd;
    }

    ux_timing_add_up(timing, UX_TIMING_BUCKETS);
}


uint64_t
ux_timing_count(const ux_timing_t *timing)
{
    return timing->count;
}


double
ux_timing_seconds(const ux_timing_t *timing, double q)
{
    return ux_histogram_quantile(UX_TIMING_BITS, timing->buckets,
                                 timing->end, q) / 1000;
}
