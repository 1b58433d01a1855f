
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_survival: Kaplan-Meier against the textbook, ranks against the binomial
 * they bound.
 */

#include "ux_survival.h"
#include "tap.h"

#include <math.h>


static void test_textbook(void);
static void test_complete(void);
static void test_ends(void);
static void test_half(void);
static void test_huge(void);
static void test_refused(void);
static void test_ranks(void);
static void test_ranks_edges(void);
static void test_ranks_cover(void);
static bool near(double value, double expected);


int
main(void)
{
    test_textbook();
    test_complete();
    test_ends();
    test_half();
    test_huge();
    test_refused();
    test_ranks();
    test_ranks_edges();
    test_ranks_cover();

    return done();
}


/* Acute myelogenous leukemia, maintained arm (Miller 1981). */
static void
test_textbook(void)
{
    double         median;
    unsigned       i;
    ux_survival_t  rows[] = {
        { .t = 9, .events = 1 }, { .t = 13, .events = 1, .censored = 1 },
        { .t = 18, .events = 1 }, { .t = 23, .events = 1 },
        { .t = 28, .censored = 1 }, { .t = 31, .events = 1 },
        { .t = 34, .events = 1 }, { .t = 45, .censored = 1 },
        { .t = 48, .events = 1 }, { .t = 161, .censored = 1 }
    };

    static const uint64_t  at_risk[] = { 11, 10, 8, 7, 6, 5, 4, 3, 2, 1 };
    static const double    survival[] = {
        0.909, 0.818, 0.716, 0.614, 0.614, 0.491, 0.368, 0.368, 0.184, 0.184
    };
    static const double    error[] = {
        0.0867, 0.1163, 0.1397, 0.1526, 0.1526, 0.1642, 0.1627, 0.1627,
        0.1535, 0.1535
    };

    ok(ux_survival_estimate(rows, 10, UX_STATS_Z95, &median) == UX_OK,
       "the textbook's rows");

    for (i = 0; i < 10; i++) {
        ok(rows[i].at_risk == at_risk[i], "at risk at %g: %llu", rows[i].t,
           (unsigned long long) rows[i].at_risk);
        ok(fabs(rows[i].survival - survival[i]) < 0.00051,
           "survival: %.17g", rows[i].survival);
        ok(fabs(rows[i].error - error[i]) < 0.000051, "error: %.17g",
           rows[i].error);
    }

    ok(near(rows[8].survival, 0.18409090909090908)
       && near(rows[8].error, 0.15349274578629368), "to all digits");
    ok(near(rows[0].ci.lo, 0.5080802057699294)
       && near(rows[0].ci.hi, 0.9866738226678231), "first interval");
    ok(near(rows[8].ci.lo, 0.011738480123189576)
       && near(rows[8].ci.hi, 0.5250148427266416), "last interval");
    ok(median == 31, "half is reached at 31");
}


/* Nobody leaves: the share that is left, and its binomial error. */
static void
test_complete(void)
{
    double         median, left;
    unsigned       i, wrong;
    ux_survival_t  rows[50];

    for (i = 0; i < 50; i++) {
        rows[i].t = i;
        rows[i].events = 1 + i % 3;
        rows[i].censored = 0;
    }

    ux_survival_estimate(rows, 50, UX_STATS_Z95, &median);
    wrong = 0;
    left = (double) rows[0].at_risk;

    for (i = 0; i < 49; i++) {
        left -= (double) rows[i].events;
        wrong += !near(rows[i].survival, left / 99);
        wrong += !near(rows[i].error,
                       sqrt(left / 99 * (1 - left / 99) / 99));
        wrong += !(rows[i].ci.lo < rows[i].survival
                   && rows[i].survival < rows[i].ci.hi && rows[i].ci.lo > 0
                   && rows[i].ci.hi < 1);
    }

    ok(rows[0].at_risk == 99 && wrong == 0,
       "nobody leaves: a plain proportion: %u", wrong);
    ok(rows[49].survival == 0 && isnan(rows[49].error), "until all have gone");
    ok(median == 25, "half of 99 has gone with the 51st: %g", median);
}


static void
test_ends(void)
{
    double         median;
    ux_survival_t  rows[] = {
        { .t = 1, .censored = 3 }, { .t = 2, .events = 2 },
        { .t = 3 }, { .t = 4, .events = 0, .censored = 0 }
    };

    ux_survival_estimate(rows, 4, UX_STATS_Z95, &median);

    ok(rows[0].survival == 1 && isnan(rows[0].error)
       && isnan(rows[0].ci.lo) && isnan(rows[0].ci.hi),
       "nothing has happened: no error, no interval");
    ok(rows[1].survival == 0 && isnan(rows[1].error)
       && isnan(rows[1].ci.lo), "all has happened: neither");
    ok(rows[3].at_risk == 0 && rows[3].survival == 0, "nobody is left");
    ok(median == 2, "half is passed there");

    rows[1].events = 0;
    rows[1].censored = 2;
    ux_survival_estimate(rows, 4, UX_STATS_Z95, &median);
    ok(isnan(median) && rows[3].survival == 1, "no purchases: no median");

    ok(ux_survival_estimate(rows, 0, UX_STATS_Z95, &median) == UX_OK
       && isnan(median), "no rows");

    rows[0] = (ux_survival_t) { .t = 1, .events = 1, .censored = 9 };
    ux_survival_estimate(rows, 1, NAN, &median);
    ok(isnan(rows[0].ci.lo) && rows[0].survival == 0.9, "no quantile");
}


/* Products of fractions that are a half, whatever doubles make of them. */
static void
test_half(void)
{
    double         median;
    unsigned       n, i, wrong;
    ux_survival_t  rows[200];

    wrong = 0;

    for (n = 2; n <= 200; n += 2) {
        for (i = 0; i < n; i++) {
            rows[i].t = i;
            rows[i].events = 1;
            rows[i].censored = 0;
        }

        ux_survival_estimate(rows, n, UX_STATS_Z95, &median);
        wrong += median != n / 2 - 1;
    }

    ok(wrong == 0, "the median of 2, 4, .. 200 is the lower middle: %u",
       wrong);
}


static void
test_huge(void)
{
    double         median;
    ux_survival_t  rows[] = {
        { .t = 1, .events = 1, .censored = 0 },
        { .t = 2, .events = 0, .censored = 999999999999 }
    };

    ux_survival_estimate(rows, 2, UX_STATS_Z95, &median);

    ok(near(rows[0].error, 1e-12), "one in 10^12: %.17g", rows[0].error);
    ok(rows[0].ci.hi < 1 && rows[0].ci.lo < rows[0].ci.hi
       && fabs((1 - rows[0].ci.lo) / 7.09907e-12 - 1) < 3e-5,
       "its log-log interval: 1 - %.6g", 1 - rows[0].ci.lo);
}


static void
test_refused(void)
{
    double         median;
    ux_survival_t  rows[] = {
        { .t = 2, .events = 1 }, { .t = 1, .events = 1 }
    };

    ok(ux_survival_estimate(rows, 2, UX_STATS_Z95, &median) == UX_ERROR,
       "times that fall");

    rows[1].t = 2;
    ok(ux_survival_estimate(rows, 2, UX_STATS_Z95, &median) == UX_ERROR,
       "times that stay");

    rows[1].t = NAN;
    ok(ux_survival_estimate(rows, 2, UX_STATS_Z95, &median) == UX_ERROR,
       "no time");

    rows[1].t = 3;
    rows[1].censored = UINT64_MAX - 1;
    ok(ux_survival_estimate(rows, 2, UX_STATS_Z95, &median) == UX_ERROR,
       "more than 64 bits count");
}


static void
test_ranks(void)
{
    ux_ranks_t  ranks;

    ranks = ux_survival_ranks(1000, 0.5, UX_STATS_Z95);
    ok(ranks.lo == 469 && ranks.hi == 532 && !ranks.unbounded_lo
       && !ranks.unbounded_hi, "median of 1000");

    ranks = ux_survival_ranks(11054, 0.9, UX_STATS_Z95);
    ok(ranks.lo == 9886 && ranks.hi == 10012, "90 %% of 11054");

    ranks = ux_survival_ranks(50, 0.99, UX_STATS_Z95);
    ok(ranks.lo == 48 && ranks.hi == 50 && !ranks.unbounded_lo
       && ranks.unbounded_hi, "99 %% of 50 has no upper bound");

    ranks = ux_survival_ranks(50, 0.01, UX_STATS_Z95);
    ok(ranks.lo == 1 && ranks.hi == 3 && ranks.unbounded_lo
       && !ranks.unbounded_hi, "1 %% has no lower one");

    ranks = ux_survival_ranks(10, 0.5, UX_STATS_Z95);
    ok(ranks.lo == 1 && ranks.hi == 10 && !ranks.unbounded_lo
       && !ranks.unbounded_hi, "first and last of ten bound the median");

    ranks = ux_survival_ranks(1000000000000, 0.5, UX_STATS_Z95);
    ok(ranks.lo == 499999020018 && ranks.hi == 500000979983,
       "median of 10^12");
}


static void
test_ranks_edges(void)
{
    ux_ranks_t  ranks;

    ranks = ux_survival_ranks(0, 0.5, UX_STATS_Z95);
    ok(ranks.lo == 0 && ranks.hi == 0 && ranks.unbounded_lo
       && ranks.unbounded_hi, "nobody");

    ranks = ux_survival_ranks(7, 1.5, UX_STATS_Z95);
    ok(ranks.lo == 1 && ranks.hi == 7 && ranks.unbounded_lo
       && ranks.unbounded_hi, "no quantile: everything");

    ranks = ux_survival_ranks(7, NAN, UX_STATS_Z95);
    ok(ranks.lo == 1 && ranks.hi == 7 && ranks.unbounded_lo,
       "an undefined one");

    ranks = ux_survival_ranks(UINT64_MAX, 1, UX_STATS_Z95);
    ok(ranks.hi == UINT64_MAX, "as many as there can be");
}


/* P(lo <= B < hi) of the binomial B, by its exact sum. */
static void
test_ranks_cover(void)
{
    double      p, covered, q;
    unsigned    b, n, wrong;
    ux_ranks_t  ranks;

    n = 400;
    wrong = 0;

    for (q = 0.1; q < 0.95; q += 0.05) {
        ranks = ux_survival_ranks(n, q, UX_STATS_Z95);
        covered = 0;

        for (b = (unsigned) ranks.lo; b < ranks.hi; b++) {
            p = lgamma(n + 1.0) - lgamma(b + 1.0) - lgamma(n - b + 1.0)
                + b * log(q) + (n - b) * log(1 - q);
            covered += exp(p);
        }

        wrong += !(covered > 0.95 && covered < 0.97);
    }

    ok(wrong == 0, "ranks cover quantiles with 95 to 97 %%: %u", wrong);
}


static bool
near(double value, double expected)
{
    return fabs(value - expected) <= 1e-11 * fabs(expected);
}
