
/*
 * Copyright (C) the nginx-ux authors
 *
 * Histograms of a zone: milliseconds in blocks of counter cells.
 *
 * A block is a row of histograms of one length.  Two buckets share a cell, the
 * even one in its lower 32 bits: adding to a bucket, to a cell, or one block
 * to another is one addition.  A bucket is right up to 2^32 - 1 values; what
 * is more runs into its neighbour.
 */

#ifndef UX_TIMING_H
#define UX_TIMING_H


#include "ux_counter.h"
#include "ux_histogram.h"
#include "ux_vital.h"


/* 32 buckets an octave: a value is told within 1.6 %. */
#define UX_TIMING_BITS  5

/* Up to 70 minutes: more counts as that. */
#define UX_TIMING_MAX      ((1u << 22) - 1)
#define UX_TIMING_BUCKETS  576
#define UX_TIMING_CELLS    (UX_TIMING_BUCKETS / 2)


/*
 * `aux` of a UX_ENTRY_TIMINGS entry: what its block is of.  That of a funnel,
 * by its slot, is of the steps which `value` is the hash of.
 */
enum {
    UX_TIMINGS_REQUESTS = 0,
    UX_TIMINGS_FUNNEL,
    UX_TIMINGS_VITALS = 32,
    UX_TIMINGS_SURVEYS,                /* see ux_survey.h */
    UX_TIMINGS_JOURNEY                 /* see ux_journey.h */
};

/* Histograms of a block of requests. */
enum {
    UX_TIMING_LATENCY = 0,             /* first byte read to last byte sent */
    UX_TIMING_UPSTREAM,                /* all tries of it together */
    UX_TIMING_REQUEST_KINDS
};

#define UX_TIMINGS_REQUESTS_CELLS                                            \
    (UX_TIMING_REQUEST_KINDS * UX_TIMING_CELLS)

/*
 * A block of a funnel: a histogram a step (to it from the required step before
 * or from the exposure), one of the whole task (first required step to last),
 * then a count a step of returns to it, and one of tasks both begun and
 * completed since the exposure.
 */
#define UX_TIMINGS_STEP(step)      ((step) * UX_TIMING_CELLS)
#define UX_TIMINGS_TASK(nsteps)    UX_TIMINGS_STEP(nsteps)
#define UX_TIMINGS_BACK(nsteps)    UX_TIMINGS_STEP((nsteps) + 1u)
#define UX_TIMINGS_SUCCESS(nsteps) (UX_TIMINGS_BACK(nsteps) + (nsteps))
#define UX_TIMINGS_FUNNEL_CELLS(nsteps)                                      \
    (UX_TIMINGS_SUCCESS(nsteps) + 1u)

/*
 * A block of vitals: of each metric a histogram of ux_vital_steps(), then a
 * count for each rating.  Both can fall, when a page corrects what it told.
 */
#define UX_TIMINGS_VITAL(metric)                                             \
    ((uint32_t) (metric) * (UX_TIMING_CELLS + UX_VITAL_RATINGS))
#define UX_TIMINGS_RATING(metric, rating)                                    \
    (UX_TIMINGS_VITAL(metric) + UX_TIMING_CELLS + (uint32_t) (rating))
#define UX_TIMINGS_VITALS_CELLS  UX_TIMINGS_VITAL(UX_VITALS)


typedef struct {
    uint64_t  buckets[UX_TIMING_BUCKETS];
} ux_timing_t;


/* Cells of the block of a funnel of so many steps, at most of any. */
uint32_t ux_timing_cells(uint64_t nsteps);

/* A value as a change of a cell; `first` is that of the histogram. */
ux_change_t ux_timing_change(uint32_t first, uint64_t ms);

/* Its bucket, and the change by one more in a bucket. */
uint32_t ux_timing_bucket(uint64_t ms);
static inline ux_change_t
ux_timing_bucket_change(uint32_t first, uint32_t bucket)
{
    ux_change_t  change;

    change.cell = first + bucket / 2;
    change.delta = (int64_t) 1 << (bucket % 2 * 32);

    return change;
}


/* The histogram that begins with this cell, all copies; empty for 0. */
void ux_timing_read(const ux_counter_t *counter, uint32_t first,
    ux_timing_t *timing);

/*
 * Of one whose buckets can fall: a worker killed between a record and its
 * counters may leave one below 0, which reads as 2^31 or more.  That is 0, and
 * its neighbour gets back what it took.
 */
void ux_timing_settle(ux_timing_t *timing);

/* How many values there are. */
uint64_t ux_timing_count(const ux_timing_t *timing);

/* Seconds at quantile q (0..1), NaN without values: ux_histogram_quantile. */
double ux_timing_seconds(const ux_timing_t *timing, double q);


#endif
