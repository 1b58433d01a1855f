
/*
 * Copyright (C) the nginx-ux authors
 *
 * Integer log-linear histograms (the layout of HdrHistogram): exact below
 * 2^bits, then 2^bits buckets an octave, so that a value stands for others
 * within 2^-(bits + 1) of it.  Only index arithmetic: the counters are the
 * caller's.
 */

#ifndef UX_HISTOGRAM_H
#define UX_HISTOGRAM_H


#include "ux_base.h"


/* Buckets for values 0 .. max_value; 0 for bits above 16. */
uint32_t ux_histogram_size(unsigned bits, uint64_t max_value);

/* Bucket of a value, from 0. */
uint32_t ux_histogram_index(unsigned bits, uint64_t value);

/* Lowest value of a bucket, and how many values it covers. */
uint64_t ux_histogram_lowest(unsigned bits, uint32_t index);
uint64_t ux_histogram_width(unsigned bits, uint32_t index);

/*
 * The value at quantile q (0..1) of n buckets: the midpoint of the bucket
 * that the ceil(q * total)-th value is in, NaN without values.
 */
double ux_histogram_quantile(unsigned bits, const uint64_t *buckets,
    uint32_t n, double q);


#endif
