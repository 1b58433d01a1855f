
/*
 * Copyright (C) the nginx-ux authors
 *
 * A value of e + 1 binary digits, e >= bits, is cut to its first bits + 1
 * digits, of which the leading one is known: octave e starts at bucket
 * (e - bits + 1) 2^bits.  Values below 2^bits are their own bucket, and
 * so are those of the octave that follows.
 */

#include "ux_histogram.h"

#include <math.h>


#define UX_HISTOGRAM_BITS_MAX  16


static unsigned ux_histogram_shift(unsigned bits, uint32_t index);


uint32_t
ux_histogram_size(unsigned bits, uint64_t max_value)
{
    if (bits > UX_HISTOGRAM_BITS_MAX) {
        return 0;
    }

    return ux_histogram_index(bits, max_value) + 1;
}


uint32_t
ux_histogram_index(unsigned bits, uint64_t value)
{
    unsigned  shift;

    if (value >> bits == 0) {
        return (uint32_t) value;
    }

    shift = 63 - (unsigned) __builtin_clzll(value) - bits;

    return (uint32_t) ((uint64_t) shift << bits) + (uint32_t) (value >> shift);
}


uint64_t
ux_histogram_lowest(unsigned bits, uint32_t index)
{
    unsigned  shift;

    shift = ux_histogram_shift(bits, index);

    return (index - ((uint64_t) shift << bits)) << shift;
}


uint64_t
ux_histogram_width(unsigned bits, uint32_t index)
{
    return (uint64_t) 1 << ux_histogram_shift(bits, index);
}


/* Of buckets of 64-bit values: others do not exist. */
static unsigned
ux_histogram_shift(unsigned bits, uint32_t index)
{
    unsigned  octave;

    octave = index >> bits;

    if (octave == 0) {
        return 0;
    }

    return octave - 1 < 63 - bits ? octave - 1 : 63 - bits;
}


double
ux_histogram_quantile(unsigned bits, const uint64_t *buckets, uint32_t n,
    double q)
{
    double    rank, whole;
    uint32_t  i;
    uint64_t  total, seen;

    total = 0;

    for (i = 0; i < n; i++) {
        total += buckets[i];
    }

    if (total == 0 || !(q >= 0 && q <= 1)) {
        return NAN;
    }

    /* 0.55 * 100 is above 55 in doubles */

    rank = q * (double) total;
    whole = nearbyint(rank);
    rank = fabs(rank - whole) <= 1e-15 * rank ? whole : ceil(rank);

    seen = 0;

    for (i = 0; i + 1 < n; i++) {
        seen += buckets[i];

        if (seen > 0 && (double) seen >= rank) {
            break;
        }
    }

    return (double) ux_histogram_lowest(bits, i)
           + (double) (ux_histogram_width(bits, i) - 1) / 2;
}
