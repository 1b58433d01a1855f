
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


_Static_assert(UX_TIMING_BUCKETS
               == ((22 - UX_TIMING_BITS + 1) << UX_TIMING_BITS),
               "an octave of buckets for each binary digit");


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
    uint32_t  i;
    uint64_t  cell;

    for (i = 0; i < UX_TIMING_CELLS; i++) {
        cell = first != 0 ? ux_counter_read(counter, first + i) : 0;

        timing->buckets[2 * i] = cell & 0xffffffff;
        timing->buckets[2 * i + 1] = cell >> 32;
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
}


uint64_t
ux_timing_count(const ux_timing_t *timing)
{
    uint32_t  i;
    uint64_t  count;

    count = 0;

    for (i = 0; i < UX_TIMING_BUCKETS; i++) {
        count += timing->buckets[i];
    }

    return count;
}


double
ux_timing_seconds(const ux_timing_t *timing, double q)
{
    return ux_histogram_quantile(UX_TIMING_BITS, timing->buckets,
                                 UX_TIMING_BUCKETS, q) / 1000;
}
