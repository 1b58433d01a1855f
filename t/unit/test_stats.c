
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_stats: intervals and tests against published values and values worked
 * out with 50 digits, sums against exact ones.
 */

#include "ux_stats.h"
#include "tap.h"

#include <math.h>
#include <string.h>


#define Z90   1.6448536269514722
#define Z99   2.5758293035489004
#define Z999  3.2905267314918945


static void test_wilson(void);
static void test_wilson_edges(void);
static void test_mean(void);
static void test_variance(void);
static void test_covariance(void);
static void test_mean_difference(void);
static void test_proportion(void);
static void test_ratio(void);
static void test_two_proportions(void);
static void test_two_proportions_edges(void);
static void test_welch(void);
static void test_welch_edges(void);
static void test_normal(void);
static void test_fieller(void);
static void test_fieller_edges(void);
static void test_status(void);
static ux_estimate_t estimate(double mean, double error);
static bool near(double value, double expected);


int
main(void)
{
    test_wilson();
    test_wilson_edges();
    test_mean();
    test_variance();
    test_covariance();
    test_mean_difference();
    test_proportion();
    test_ratio();
    test_two_proportions();
    test_two_proportions_edges();
    test_welch();
    test_welch_edges();
    test_normal();
    test_fieller();
    test_fieller_edges();
    test_status();

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


static void
test_covariance(void)
{
    ux_u128_t  big;

    ok(isnan(ux_stats_covariance(1, 5, 3, 15)), "covariance of one is NaN");
    ok(ux_stats_covariance(3, 6, 12, 28) == 2, "of (1, 2), (2, 4), (3, 6)");
    ok(ux_stats_covariance(3, 6, 12, 20) == -2, "of (1, 6), (2, 4), (3, 2)");
    ok(ux_stats_covariance(2, -5, 4, 0) == 10, "of (0, 4), (-5, 0)");
    ok(ux_stats_covariance(2, -5, -4, 20) == 10, "of (0, 0), (-5, -4)");
    ok(ux_stats_covariance(4, 10, 10, 30) == ux_stats_variance(4, 10, 30),
       "with itself it is the variance");

    big = (ux_u128_t) 1000000000000u * 1000000000000u;

    ok(ux_stats_covariance(3, 3000000000000, 3000000000000, big * 3 - 2)
       == -1, "covariance far from 0 is exact");
    ok(isnan(ux_stats_covariance(16, 0, 0, (ux_u128_t) 1 << 124)),
       "a product beyond 128 bits is NaN");
}


static void
test_mean_difference(void)
{
    ok(isnan(ux_stats_mean_difference(0, 0, 5, 1))
       && isnan(ux_stats_mean_difference(5, 1, 0, 0)), "nobody: NaN");
    ok(ux_stats_mean_difference(2, 1, 4, 3) == 0.25, "both above 0");
    ok(ux_stats_mean_difference(2, -1, 4, -3) == -0.25, "both below 0");
    ok(ux_stats_mean_difference(2, -1, 4, 3) == 1.25, "A below 0");
    ok(ux_stats_mean_difference(2, 1, 4, -3) == -1.25, "B below 0");
    ok(ux_stats_mean_difference(4, 3, 4, 3) == 0, "equal");

    /* of the difference of two doubles six or no digits would be left */

    ok(near(ux_stats_mean_difference(100000, 1000000000000000, 100000,
                                     1000000000100000), 1),
       "10^10 and 10^10 + 1");
    ok(ux_stats_mean_difference(1000000000000, 1000000000000000000,
                                1000000000000, 1000000000000000001)
       == 1e-12, "one unit among 10^12 visitors of 10^6 each");
    ok(near(ux_stats_mean_difference(UINT64_MAX, INT64_MIN, UINT64_MAX,
                                     INT64_MAX), 1),
       "the widest sums there are");
}


static void
test_proportion(void)
{
    ux_estimate_t  p;

    p = ux_stats_proportion(3, 10);
    ok(near(p.mean, 0.3) && near(p.error, 0.021), "3 of 10");

    p = ux_stats_proportion(10, 10);
    ok(p.mean == 1 && p.error == 0, "all: no variance");

    p = ux_stats_proportion(0, 10);
    ok(p.mean == 0 && p.error == 0, "none: no variance");

    p = ux_stats_proportion(999999999999, 1000000000000);
    ok(near(p.error, 9.99999999999e-25), "all but one of 10^12");

    p = ux_stats_proportion(0, 0);
    ok(isnan(p.mean) && isnan(p.error), "nobody: NaN");

    p = ux_stats_proportion(11, 10);
    ok(isnan(p.mean) && isnan(p.error), "more than all: NaN");
}


static void
test_ratio(void)
{
    uint64_t       n;
    ux_estimate_t  a, b;
    ux_fixed_t     fixed;

    /* Hillstrom's e-mails: revenue over orders, by visitor, in cents */

    n = 21306;
    a = ux_stats_ratio(n, 13908.33, 122,
                       ux_stats_variance(n, 1390833, 28700503621u) / 1e4,
                       ux_stats_variance(n, 122, 122),
                       ux_stats_covariance(n, 1390833, 122, 1390833) / 100);

    ok(near(a.mean, 114.00270491803279)
       && near(sqrt(a.error), 9.289903039001986), "order value of A: %.17g",
       sqrt(a.error));

    n = 21307;
    b = ux_stats_ratio(n, 30311.69, 267,
                       ux_stats_variance(n, 3031169, 67590244973u) / 1e4,
                       ux_stats_variance(n, 267, 267),
                       ux_stats_covariance(n, 3031169, 267, 3031169) / 100);

    ok(near(b.mean, 113.5269288389513)
       && near(sqrt(b.error), 6.822225781498958), "order value of B: %.17g",
       sqrt(b.error));

    fixed = ux_stats_normal(b.mean - a.mean, a.error + b.error, 0.05);
    ok(near(fixed.ci.lo, -23.06601378000719)
       && near(fixed.ci.hi, 22.114461621844235), "interval of both");

    /* y = 3 z for every visitor: a ratio without variance */

    a = ux_stats_ratio(5, 3 * 7.1, 7.1, 9 * 0.37, 0.37, 3 * 0.37);
    ok(near(a.mean, 3) && a.error >= 0 && a.error < 1e-15,
       "a constant ratio: %g", a.error);

    a = ux_stats_ratio(5, 3 * 7.1, 7.1, 9 * 0.37, 0.37, 4 * 0.37);
    ok(isnan(a.mean) && isnan(a.error), "an impossible covariance: NaN");

    a = ux_stats_ratio(5, 10, 0, 1, 1, 0);
    ok(isnan(a.mean) && isnan(a.error), "nothing to divide by: NaN");

    a = ux_stats_ratio(1, 10, 2, NAN, NAN, NAN);
    ok(isnan(a.mean) && isnan(a.error), "one visitor: NaN");
}


static void
test_two_proportions(void)
{
    size_t      i;
    ux_fixed_t  fixed;

    static const struct {
        uint64_t     x_a;
        uint64_t     n_a;
        uint64_t     x_b;
        uint64_t     n_b;
        double       alpha;
        double       z;
        double       p;
        double       lo;
        double       hi;
        const char  *name;
    }  cases[] = {
        { 48, 80, 56, 70, 0.05, 2.6501719512585327, 0.008045081368196585,
          0.05243147240236488, 0.33387265403690597, "Newcombe 1998 (a)" },
        { 3, 10, 9, 10, 0.05, 2.7386127875258306, 0.006169899320544162,
          0.17052272393450288, 0.809017973535488, "Newcombe 1998 (b)" },
        { 2, 7, 6, 7, 0.05, 2.160246899469287, 0.030753561259274573,
          0.0582279274823122, 0.8062496375242277, "Newcombe 1998 (c)" },
        { 0, 29, 5, 56, 0.05, 1.6586488692392285, 0.09718656817057973,
          -0.0381371479035369, 0.19256001385511162, "Newcombe 1998 (d)" },
        { 20034, 44700, 20119, 45489, 0.05, -1.784086224797474,
          0.07440965529691887, -0.012391904992707346, 0.00058209506975219,
          "day-1 retention" },
        { 2262, 21306, 3238, 21387, 0.05, 13.949180655258504,
          3.182403159334988e-44, 0.038894095359988126, 0.051574342962213596,
          "Hillstrom's visits" },
        { 8656908058, 68803135346, 14813585851, 117737279123, 0.05,
          -1.5240453596831528, 0.12749738056084917, -5.5447379086193867e-6,
          6.9375218875500606e-7, "10^11" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixed = ux_stats_two_proportions(cases[i].x_a, cases[i].n_a,
                                         cases[i].x_b, cases[i].n_b,
                                         cases[i].alpha);

        ok(fixed.status == UX_STATS_OK && isnan(fixed.df)
           && near(fixed.statistic, cases[i].z)
           && near(fixed.p, cases[i].p), "pooled test, %s: %.17g %.17g",
           cases[i].name, fixed.statistic, fixed.p);
        ok(near(fixed.ci.lo, cases[i].lo) && near(fixed.ci.hi, cases[i].hi),
           "Newcombe's interval, %s: %.17g %.17g", cases[i].name,
           fixed.ci.lo, fixed.ci.hi);
    }

    /* one more among 3 * 10^11: of two rates no digit would be right */

    fixed = ux_stats_two_proportions(300000000000, 1000000000000,
                                     300000000001, 1000000000000, 0.05);
    ok(near(fixed.difference, 1e-12)
       && near(fixed.statistic, 1.5430334996201843e-6),
       "a difference of 10^-12: %.17g", fixed.difference);
}


static void
test_two_proportions_edges(void)
{
    ux_fixed_t     fixed;
    ux_interval_t  a, b;

    fixed = ux_stats_two_proportions(0, 0, 0, 0, 0.05);
    ok(fixed.status == UX_STATS_INSUFFICIENT && isnan(fixed.difference)
       && isnan(fixed.p) && isnan(fixed.ci.lo), "nobody");

    fixed = ux_stats_two_proportions(3, 10, 0, 0, 0.05);
    ok(fixed.status == UX_STATS_INSUFFICIENT && isnan(fixed.p), "one arm");

    fixed = ux_stats_two_proportions(0, 100, 0, 50, 0.05);
    a = ux_stats_wilson(0, 100, UX_STATS_Z95);
    b = ux_stats_wilson(0, 50, UX_STATS_Z95);
    ok(fixed.status == UX_STATS_INSUFFICIENT && fixed.difference == 0
       && fixed.p == 1 && near(fixed.ci.lo, -a.hi)
       && near(fixed.ci.hi, b.hi), "no conversions");

    fixed = ux_stats_two_proportions(100, 100, 50, 50, 0.05);
    ok(fixed.status == UX_STATS_INSUFFICIENT && fixed.difference == 0
       && fixed.p == 1, "nothing but conversions");

    fixed = ux_stats_two_proportions(0, 100, 50, 50, 0.05);
    ok(fixed.status == UX_STATS_OK && fixed.difference == 1
       && fixed.ci.hi == 1, "none and all");

    fixed = ux_stats_two_proportions(11, 10, 3, 10, 0.05);
    ok(fixed.status == UX_STATS_REJECT && isnan(fixed.difference)
       && isnan(fixed.p), "more than all");
    ok(ux_stats_two_proportions(3, 10, 11, 10, 0.05).status
       == UX_STATS_REJECT, "more than all of B");

    ok(ux_stats_two_proportions(3, 10, 4, 10, 0).status == UX_STATS_REJECT
       && ux_stats_two_proportions(3, 10, 4, 10, 1).status == UX_STATS_REJECT
       && ux_stats_two_proportions(3, 10, 4, 10, NAN).status
          == UX_STATS_REJECT, "no such alpha");
}


static void
test_welch(void)
{
    double         scale;
    size_t         i;
    ux_fixed_t     fixed;
    ux_estimate_t  a, b;

    static const struct {
        uint64_t     n_a;
        uint64_t     n_b;
        int64_t      sum_a;
        int64_t      sum_b;
        uint64_t     squares_a;
        uint64_t     squares_b;
        unsigned     scale;
        double       df;
        double       t;
        double       p;
        double       lo;
        double       hi;
        const char  *name;
    }  cases[] = {
        { 10, 100, 24, 195, 80, 553, 1, 10.301607302890565,
          -0.8719581348360701, 0.403096078922544, -1.5953503763185812,
          0.6953503763185811, "10 and 100" },
        { 21306, 21307, 1390833, 3031169, 28700503621, 67590244973, 100,
          36671.15797736051, 5.300140358411667, 1.1638149682254925e-07,
          0.48513973256840726, 1.0545145792206656, "Hillstrom's spend" },
        { 44700, 45489, 2344795, 2333530, 3068811771, 605052202, 1,
          58595.48142257401, -0.8854374331270647, 0.37592438409326284,
          -3.719705116494642, 1.404728208588151, "game rounds" },
        { 2, 2, 3, 7, 5, 25, 1, 2, 2.8284271247461903, 0.10557280900008412,
          -1.0424349222966556, 5.042434922296655, "two and two" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        scale = cases[i].scale;

        a = estimate(ux_stats_mean(cases[i].n_a, cases[i].sum_a) / scale,
                     ux_stats_variance(cases[i].n_a, cases[i].sum_a,
                                       cases[i].squares_a)
                     / (double) cases[i].n_a / (scale * scale));
        b = estimate(ux_stats_mean(cases[i].n_b, cases[i].sum_b) / scale,
                     ux_stats_variance(cases[i].n_b, cases[i].sum_b,
                                       cases[i].squares_b)
                     / (double) cases[i].n_b / (scale * scale));

        fixed = ux_stats_welch(cases[i].n_a, a, cases[i].n_b, b, 0.05);

        ok(fixed.status == UX_STATS_OK && near(fixed.df, cases[i].df)
           && near(fixed.statistic, cases[i].t) && near(fixed.p, cases[i].p),
           "Welch's test, %s: %.17g %.17g", cases[i].name, fixed.df,
           fixed.p);
        ok(near(fixed.ci.lo, cases[i].lo) && near(fixed.ci.hi, cases[i].hi),
           "its interval, %s: %.17g %.17g", cases[i].name, fixed.ci.lo,
           fixed.ci.hi);
    }

    /* 10^9 and 10^9 + 0.1, in tenths; their variance in doubles is noise */

    a.error = ux_stats_variance(100000, 1000000000000000,
                                (ux_u128_t) 10000000000u * 10000000000u
                                * 100000 + 1000000) / 1e7;
    fixed = ux_stats_welch(100000, estimate(0, a.error), 100000,
                           estimate(ux_stats_mean_difference(100000,
                                    1000000000000000, 100000,
                                    1000000000100000) / 10, a.error), 0.05);

    ok(near(fixed.statistic, 70.71032456438027)
       && near(fixed.ci.lo, 0.09722816171731631)
       && near(fixed.ci.hi, 0.1027718382826837), "far from 0: %.17g",
       fixed.statistic);
}


static void
test_welch_edges(void)
{
    ux_fixed_t  fixed;

    fixed = ux_stats_welch(1, estimate(5, NAN), 1, estimate(7, NAN), 0.05);
    ok(fixed.status == UX_STATS_INSUFFICIENT && isnan(fixed.p),
       "one visitor each");

    fixed = ux_stats_welch(9, estimate(5, 0), 9, estimate(7, 0), 0.05);
    ok(fixed.status == UX_STATS_ZERO_VARIANCE && fixed.difference == 2
       && isnan(fixed.p) && isnan(fixed.ci.lo), "no variance");

    fixed = ux_stats_welch(9, estimate(5, 0), 7, estimate(7, 0.25), 0.05);
    ok(fixed.status == UX_STATS_OK && near(fixed.df, 6)
       && near(fixed.statistic, 4), "no variance in one arm");

    ok(ux_stats_welch(9, estimate(5, NAN), 9, estimate(7, 1), 0.05).status
       == UX_STATS_REJECT, "sums that cannot be");
    ok(ux_stats_welch(9, estimate(5, -1), 9, estimate(7, 2), 0.05).status
       == UX_STATS_REJECT, "a variance below 0");
    ok(ux_stats_welch(9, estimate(5, 1), 9, estimate(7, 2), 1.5).status
       == UX_STATS_REJECT, "no such alpha");

    fixed = ux_stats_welch(9, estimate(0, 1e-200), 9, estimate(1e-100, 1e-200),
                           0.05);
    ok(near(fixed.df, 16), "tiny variances keep their degrees: %.17g",
       fixed.df);
}


static void
test_normal(void)
{
    ux_fixed_t  fixed;

    fixed = ux_stats_normal(-3, 4, 0.05);
    ok(fixed.status == UX_STATS_OK && fixed.statistic == -1.5
       && isnan(fixed.df) && near(fixed.p, 0.13361440253771613)
       && near(fixed.ci.lo, -6.9199279690801084)
       && near(fixed.ci.hi, 0.9199279690801084), "1.5 deviations");

    ok(ux_stats_normal(NAN, 1, 0.05).status == UX_STATS_INSUFFICIENT
       && ux_stats_normal(1, NAN, 0.05).status == UX_STATS_INSUFFICIENT,
       "nothing to tell of NaN");

    fixed = ux_stats_normal(2, 0, 0.05);
    ok(fixed.status == UX_STATS_ZERO_VARIANCE && fixed.difference == 2
       && isnan(fixed.p), "no variance");

    ok(ux_stats_normal(2, -1, 0.05).status == UX_STATS_REJECT
       && ux_stats_normal(2, 1, 0).status == UX_STATS_REJECT,
       "a variance below 0, no such alpha");
}


static void
test_fieller(void)
{
    double         g;
    size_t         i;
    ux_interval_t  ci;
    ux_estimate_t  a, b;

    static const struct {
        uint64_t  x_a;
        uint64_t  n_a;
        uint64_t  x_b;
        uint64_t  n_b;
        double    lift;
        double    g;
        double    lo;
        double    hi;
    }  cases[] = {
        { 20034, 44700, 20119, 45489, -0.013175655859746602,
          0.00010580829510552566, -0.02745081366660412,
          0.001308352448070573 },
        { 8502, 44700, 8279, 45489, -0.04311903489646027,
          0.0003658913428225757, -0.06890146242983969,
          -0.016636122139115434 },
        { 122, 21306, 267, 21307, 1.188421876286328, 0.03130706799192422,
          0.7795414790996055, 1.7387569495877702 },
        { 49, 100, 51, 100, 0.04081632653061224, 0.03998253058273478,
          -0.213566866833917, 0.3818947560386672 },
        { 1396, 3000, 2422, 3461, 0.5038633516821496, 0.0014712750593107397,
          0.4396285774130893, 0.5725298395047139 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        a = ux_stats_proportion(cases[i].x_a, cases[i].n_a);
        b = ux_stats_proportion(cases[i].x_b, cases[i].n_b);
        ci = ux_stats_fieller(a, b, UX_STATS_Z95, &g);

        ok(near(ux_stats_lift(a.mean, b.mean), cases[i].lift),
           "lift of %d and %d", (int) cases[i].x_a, (int) cases[i].x_b);
        ok(near(g, cases[i].g) && near(ci.lo, cases[i].lo)
           && near(ci.hi, cases[i].hi), "Fieller's interval: %.17g"
           " %.17g %.17g", g, ci.lo, ci.hi);
    }
}


static void
test_fieller_edges(void)
{
    double         g;
    unsigned       i, j, wrong;
    ux_interval_t  ci, mirror;
    ux_estimate_t  a, b;

    a = ux_stats_proportion(3, 1000);
    b = ux_stats_proportion(9, 1000);

    ci = ux_stats_fieller(a, b, UX_STATS_Z95, &g);
    ok(near(g, 1.2766448147440146) && isnan(ci.lo) && isnan(ci.hi),
       "unbounded where g >= 1: %.17g", g);
    ci = ux_stats_fieller(a, b, UX_STATS_Z95, NULL);
    ok(isnan(ci.lo), "and nobody has to ask for g");

    ci = ux_stats_fieller(estimate(0, 0), b, UX_STATS_Z95, &g);
    ok(isnan(ci.lo) && isnan(ci.hi) && isnan(g)
       && isnan(ux_stats_lift(0, 1)), "no lift over 0");

    ci = ux_stats_fieller(estimate(NAN, NAN), b, UX_STATS_Z95, &g);
    ok(isnan(ci.lo) && isnan(ci.hi), "nor over NaN");

    ci = ux_stats_fieller(estimate(-2, 0.01), estimate(-3, 0.04),
                          UX_STATS_Z95, &g);
    mirror = ux_stats_fieller(estimate(2, 0.01), estimate(3, 0.04),
                              UX_STATS_Z95, &g);
    ok(ci.lo == mirror.lo && ci.hi == mirror.hi && ci.lo < ci.hi,
       "means below 0 mirror those above");

    /* 0 is outside exactly where |d| > z sqrt(e_A + e_B) */

    wrong = 0;

    for (i = 30; i < 200; i++) {
        for (j = 30; j < 200; j++) {
            a = ux_stats_proportion(i, 500);
            b = ux_stats_proportion(j, 400);
            ci = ux_stats_fieller(a, b, UX_STATS_Z95, &g);

            wrong += (fabs(b.mean - a.mean)
                      > UX_STATS_Z95 * sqrt(a.error + b.error))
                     != (ci.lo > 0 || ci.hi < 0);
        }
    }

    ok(wrong == 0, "0 is outside exactly where the test rejects");
}


static void
test_status(void)
{
    static const struct {
        ux_stats_status_e   status;
        const char         *name;
    }  cases[] = {
        { UX_STATS_OK, "ok" },
        { UX_STATS_INSUFFICIENT, "insufficient_data" },
        { UX_STATS_BASELINE_ZERO, "baseline_zero" },
        { UX_STATS_ZERO_VARIANCE, "zero_variance" },
        { UX_STATS_REJECT, "reject" }
    };

    size_t  i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ok(strcmp(ux_stats_status_name(cases[i].status), cases[i].name) == 0,
           "%s", cases[i].name);
    }
}


static ux_estimate_t
estimate(double mean, double error)
{
    ux_estimate_t  made;

    made.mean = mean;
    made.error = error;

    return made;
}


static bool
near(double value, double expected)
{
    return fabs(value - expected) <= 1e-10 * fabs(expected) + 1e-17;
}
