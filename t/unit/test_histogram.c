
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_histogram: every value is in the bucket that claims it, and is not far
 * from what stands for it.
 */

#include "ux_histogram.h"
#include "tap.h"

#include <math.h>
#include <stdlib.h>


#define VALUES  997


static void test_size(void);
static void test_small(void);
static void test_large(void);
static void test_buckets(void);
static void test_quantile(void);
static void test_quantile_edges(void);
static void test_quantile_published(void);
static void test_quantile_error(void);
static int compare(const void *a, const void *b);
static uint64_t random_next(uint64_t *seed);


int
main(void)
{
    test_size();
    test_small();
    test_large();
    test_buckets();
    test_quantile();
    test_quantile_edges();
    test_quantile_published();
    test_quantile_error();

    return done();
}


static void
test_size(void)
{
    ok(ux_histogram_size(4, 4194303) == 304, "22 bits by 4");
    ok(ux_histogram_size(5, 4194303) == 576, "22 bits by 5");
    ok(ux_histogram_size(6, 4194303) == 1088, "22 bits by 6");
    ok(ux_histogram_size(7, 4194303) == 2048, "22 bits by 7");
    ok(ux_histogram_size(5, 0) == 1 && ux_histogram_size(5, 31) == 32
       && ux_histogram_size(5, 32) == 33, "exact below 2^bits");
    ok(ux_histogram_size(0, 1) == 2 && ux_histogram_size(0, 2) == 3
       && ux_histogram_size(0, 3) == 3, "0 bits: one bucket an octave");
    ok(ux_histogram_size(16, UINT64_MAX) == 49 * 65536,
       "the largest there is");
    ok(ux_histogram_size(17, 5) == 0, "more bits than there may be");
}


/* All values to 2^17: indexes rise without a gap, buckets hold their own. */
static void
test_small(void)
{
    unsigned  bits, gaps, wrong, narrow;
    uint32_t  index, before;
    uint64_t  v, lowest, width;

    gaps = 0;
    wrong = 0;
    narrow = 0;

    for (bits = 0; bits <= 10; bits++) {
        before = 0;

        for (v = 0; v < 1u << 17; v++) {
            index = ux_histogram_index(bits, v);
            lowest = ux_histogram_lowest(bits, index);
            width = ux_histogram_width(bits, index);

            gaps += index != before && index != before + 1;
            gaps += (index != before) != (v > 0 && v == lowest);
            wrong += !(lowest <= v && v < lowest + width);
            narrow += (width > 1) != (v >= (uint64_t) 2 << bits);
            before = index;
        }
    }

    ok(gaps == 0, "buckets rise one by one: %u", gaps);
    ok(wrong == 0, "and hold what they say: %u", wrong);
    ok(narrow == 0, "of one value each below 2^(bits + 1): %u", narrow);
}


static void
test_large(void)
{
    double    middle;
    unsigned  i, bits, wrong, far;
    uint32_t  index;
    uint64_t  seed, v, lowest, width;

    seed = 2;
    wrong = 0;
    far = 0;

    for (i = 0; i < 200000; i++) {
        bits = (unsigned) (random_next(&seed) % 17);
        v = random_next(&seed) >> random_next(&seed) % 64;
        index = ux_histogram_index(bits, v);
        lowest = ux_histogram_lowest(bits, index);
        width = ux_histogram_width(bits, index);

        wrong += !(lowest <= v && v - lowest < width);

        middle = (double) lowest + (double) (width - 1) / 2;
        far += fabs(middle - (double) v) > ldexp((double) v, -(int) bits - 1);
    }

    ok(wrong == 0, "values of 64 bits, too: %u", wrong);
    ok(far == 0, "a middle is within 2^-(bits + 1) of its values: %u", far);

    ok(ux_histogram_width(5, UINT32_MAX) == (uint64_t) 1 << 58,
       "a bucket that is none is as wide as the last");
    ok(ux_histogram_index(16, UINT64_MAX) == 49 * 65536 - 1
       && ux_histogram_index(0, UINT64_MAX) == 64, "the largest value");
}


/* Bucket by bucket: each starts where the one before it ends. */
static void
test_buckets(void)
{
    unsigned  bits, wrong;
    uint32_t  i, n;
    uint64_t  next;

    wrong = 0;

    for (bits = 0; bits <= 16; bits += 4) {
        n = ux_histogram_size(bits, UINT64_MAX);
        next = 0;

        for (i = 0; i < n; i++) {
            wrong += ux_histogram_lowest(bits, i) != next;
            wrong += ux_histogram_index(bits, next) != i;
            next += ux_histogram_width(bits, i);
        }

        wrong += next != 0;
    }

    ok(wrong == 0, "buckets cover 64 bits, and nothing twice: %u", wrong);
}


static void
test_quantile(void)
{
    unsigned  i;
    uint64_t  buckets[128] = { 0 };

    for (i = 1; i <= 100; i++) {
        buckets[ux_histogram_index(6, i)]++;
    }

    ok(ux_histogram_quantile(6, buckets, 128, 0.5) == 50, "median of 1..100");
    ok(ux_histogram_quantile(6, buckets, 128, 0.55) == 55,
       "0.55 is the 55th, whatever 0.55 * 100 is in doubles");
    ok(ux_histogram_quantile(6, buckets, 128, 0.551) == 56, "a bit more");
    ok(ux_histogram_quantile(6, buckets, 128, 0) == 1, "0: the lowest");
    ok(ux_histogram_quantile(6, buckets, 128, 1) == 100, "1: the highest");

    for (i = 1; i < 100; i++) {
        if (ux_histogram_quantile(6, buckets, 128, i / 100.0) != i) {
            break;
        }
    }

    ok(i == 100, "all percentiles: %u", i);
}


static void
test_quantile_edges(void)
{
    uint64_t  buckets[576] = { 0 };

    ok(isnan(ux_histogram_quantile(5, buckets, 576, 0.5)), "no values: NaN");
    ok(isnan(ux_histogram_quantile(5, buckets, 0, 0.5)), "no buckets: NaN");

    buckets[575] = 3;

    ok(isnan(ux_histogram_quantile(5, buckets, 576, -0.1))
       && isnan(ux_histogram_quantile(5, buckets, 576, 1.1))
       && isnan(ux_histogram_quantile(5, buckets, 576, NAN)),
       "no quantile: NaN");

    ok(ux_histogram_quantile(5, buckets, 576, 0)
       == (4128768 + 4194303) / 2.0, "the middle of the last bucket");
    ok(ux_histogram_quantile(5, buckets, 576, 1)
       == (4128768 + 4194303) / 2.0, "for all quantiles");
}


/* The raw histogram of HdrHistogram's own test, within 0.1 %. */
static void
test_quantile_published(void)
{
    static uint64_t  buckets[40000];

    buckets[ux_histogram_index(10, 1000)] = 10000;
    buckets[ux_histogram_index(10, 100000000)] = 1;

    ok(fabs(ux_histogram_quantile(10, buckets, 40000, 0.3) - 1000) <= 1,
       "30 %%");
    ok(fabs(ux_histogram_quantile(10, buckets, 40000, 0.99) - 1000) <= 1,
       "99 %%");
    ok(fabs(ux_histogram_quantile(10, buckets, 40000, 0.9999) - 1000) <= 1,
       "99.99 %%");
    ok(fabs(ux_histogram_quantile(10, buckets, 40000, 0.99999) - 1e8) <= 1e5,
       "99.999 %%");
}


static void
test_quantile_error(void)
{
    double    value, exact;
    unsigned  i, far;
    uint64_t  seed;

    static uint64_t  values[VALUES], buckets[576];

    seed = 44;
    far = 0;

    for (i = 0; i < VALUES; i++) {
        values[i] = (random_next(&seed) >> 42) >> random_next(&seed) % 20;
        buckets[ux_histogram_index(5, values[i])]++;
    }

    qsort(values, VALUES, sizeof(values[0]), compare);

    for (i = 1; i <= VALUES; i++) {
        value = ux_histogram_quantile(5, buckets, 576, i / (double) VALUES);
        exact = (double) values[i - 1];
        far += fabs(value - exact) > exact / 64;
    }

    ok(far == 0, "each of 997 values is found within 1/64: %u", far);
}


static int
compare(const void *a, const void *b)
{
    uint64_t  left, right;

    left = *(const uint64_t *) a;
    right = *(const uint64_t *) b;

    return (left > right) - (left < right);
}


/* splitmix64 */
static uint64_t
random_next(uint64_t *seed)
{
    uint64_t  z;

    *seed += 0x9e3779b97f4a7c15u;

    z = *seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;

    return z ^ (z >> 31);
}
