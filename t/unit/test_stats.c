
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_stats: intervals against published values, sums against exact ones.
 */

#include "ux_stats.h"
#include "tap.h"

#include <math.h>


#define Z90   1.6448536269514722
#define Z99   2.5758293035489004
#define Z999  3.2905267314918945


static void test_wilson(void);
static void test_wilson_edges(void);
static void test_mean(void);
static void test_variance(void);
static bool near(double value, double expected);


int
main(void)
{
    test_wilson();
    test_wilson_edges();
    test_mean();
    test_variance();

    return done();
}


static void
test_wilson(void)
{
    size_t         i;
    ux_interval_t  ci;

    static const struct {
        uint64_t     x;
        uint64_t     n;
        double       z;
        double       lo;
        double       hi;
        const char  *name;
    }  cases[] = {
        { 1, 29, UX_STATS_Z95, 0.00611321429276266, 0.17175521879320288,
          "Newcombe 1998, table I" },
        { 20034, 44700, UX_STATS_Z95, 0.44358236514774474,
          0.45280237833639625, "day-1 retention" },
        { 8502, 44700, UX_STATS_Z95, 0.18658979684366292,
          0.19386613051747012, "day-7 retention" },
        { 8279, 45489, UX_STATS_Z95, 0.17848120097823003,
          0.18557259139286592, "day-7 retention, other arm" },
        { 2033, 17293, Z99, 0.11139924350760753, 0.12401814656697721,
          "99 %" },
        { 500, 1009, Z90, 0.46969656402631343, 0.5214075669550462, "90 %" },
        { 42, 104, Z999, 0.2619694062588166, 0.5638563891754004, "99.9 %" },
        { 1, 1, UX_STATS_Z95, 0.2065493143772374, 1.0, "one of one" },
        { 0, 1, UX_STATS_Z95, 0.0, 0.7934506856227627, "none of one" },
        { 30000000000, 1000000000000, UX_STATS_Z95, 0.029999665656995918,
          0.030000334346615053, "10^12 visitors" },
        { 1, 1000000000000, UX_STATS_Z95, 1.7652455493517473e-13,
          5.6649342657365116e-12, "one in 10^12" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ci = ux_stats_wilson(cases[i].x, cases[i].n, cases[i].z);

        ok(near(ci.lo, cases[i].lo), "wilson lo, %s: %.17g", cases[i].name,
           ci.lo);
        ok(near(ci.hi, cases[i].hi), "wilson hi, %s: %.17g", cases[i].name,
           ci.hi);
    }
}


static void
test_wilson_edges(void)
{
    uint64_t       n, x;
    unsigned       wrong;
    ux_interval_t  ci;

    ci = ux_stats_wilson(0, 0, UX_STATS_Z95);
    ok(ci.lo == 0 && ci.hi == 1, "nobody: [0, 1]");

    ci = ux_stats_wilson(0, 1000, UX_STATS_Z95);
    ok(ci.lo == 0 && ci.hi > 0 && ci.hi < 0.01, "none: lo is exactly 0");

    ci = ux_stats_wilson(1000, 1000, UX_STATS_Z95);
    ok(ci.hi == 1 && ci.lo < 1 && ci.lo > 0.99, "all: hi is exactly 1");

    ci = ux_stats_wilson(5, 4, UX_STATS_Z95);
    ok(isnan(ci.lo) && isnan(ci.hi), "more than all: NaN");

    ci = ux_stats_wilson(1, 4, NAN);
    ok(isnan(ci.lo) && isnan(ci.hi), "no quantile: NaN");

    wrong = 0;

    for (n = 1; n <= 60; n++) {
        for (x = 0; x <= n; x++) {
            ci = ux_stats_wilson(x, n, UX_STATS_Z95);

            wrong += !(ci.lo >= 0 && ci.lo <= (double) x / (double) n
                       && ci.hi >= (double) x / (double) n && ci.hi <= 1);
        }
    }

    ok(wrong == 0, "0 <= lo <= x/n <= hi <= 1 for all n up to 60");
}


static void
test_mean(void)
{
    ok(isnan(ux_stats_mean(0, 0)), "mean of nobody is NaN");
    ok(ux_stats_mean(4, 10) == 2.5, "mean");
    ok(ux_stats_mean(4, -10) == -2.5, "negative mean");
}


static void
test_variance(void)
{
    ux_u128_t  big;

    ok(isnan(ux_stats_variance(0, 0, 0)), "variance of nobody is NaN");
    ok(isnan(ux_stats_variance(1, 5, 25)), "variance of one is NaN");
    ok(isnan(ux_stats_variance(1, 5, 26)), "whatever its sums are");
    ok(ux_stats_variance(2, 5, 25) == 12.5, "variance of 0 and 5");
    ok(ux_stats_variance(3, 15, 75) == 0, "variance of equals is 0");
    ok(ux_stats_variance(2, -5, 25) == 12.5, "variance of 0 and -5");
    ok(isnan(ux_stats_variance(2, 10, 49)), "Q n < S^2 is NaN, not clamped");

    /* 10^12 - 1, 10^12, 10^12 + 1: no digit is left in doubles */

    big = (ux_u128_t) 1000000000000u * 1000000000000u;

    ok(ux_stats_variance(3, 3000000000000, big * 3 + 2) == 1,
       "variance far from 0 is exact");

    ok(isnan(ux_stats_variance(16, 0, (ux_u128_t) 1 << 124)),
       "a product beyond 128 bits is NaN");
    ok(ux_stats_variance(2, INT64_MIN, (ux_u128_t) 1 << 126)
       == ldexp(1, 125), "the lowest sum there is");
}


static bool
near(double value, double expected)
{
    return fabs(value - expected) <= 1e-10 * fabs(expected) + 1e-17;
}
