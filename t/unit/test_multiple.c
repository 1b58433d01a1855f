
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_multiple: adjustments against a published example and against their
 * definitions, written down without sorting.
 */

#include "ux_multiple.h"
#include "tap.h"

#include <math.h>


#define MOST  40


static void test_published(void);
static void test_ties(void);
static void test_definitions(void);
static void test_order(void);
static void test_e_bh(void);
static void test_e_bh_edge(void);
static void test_undefined(void);
static void test_bounds(void);
static double holm_of(const double *p, unsigned n, unsigned of);
static double bh_of(const double *p, unsigned n, unsigned of);
static unsigned e_bh_rejected(const double *e, unsigned n, double alpha,
    unsigned of);
static unsigned draw(double *p, uint64_t *seed);
static bool near(double value, double expected);
static uint64_t random_next(uint64_t *seed);


int
main(void)
{
    test_published();
    test_ties();
    test_definitions();
    test_order();
    test_e_bh();
    test_e_bh_edge();
    test_undefined();
    test_bounds();

    return done();
}


/* The fifteen p of Benjamini and Hochberg 1995, in another order. */
static void
test_published(void)
{
    double    adjusted[15];
    unsigned  i, holm, bh;

    static const double  p[] = {
        0.3240, 0.0001, 0.7590, 0.0019, 0.0201, 0.0278, 1.0000, 0.0298,
        0.0459, 0.0344, 0.4262, 0.0095, 0.5719, 0.6528, 0.0004
    };

    static const double  expected_holm[] = {
        1, 0.0015, 1, 0.0247, 0.2211, 0.278, 1, 0.278,
        0.3213, 0.278, 1, 0.114, 1, 1, 0.0056
    };

    static const double  expected_bh[] = {
        0.486, 0.0015, 0.8132142857142857, 0.0095, 0.0603,
        0.06385714285714286, 1, 0.06385714285714286, 0.0765, 0.0645,
        0.5811818181818181, 0.035625, 0.714875, 0.7532307692307693, 0.003
    };

    holm = 0;
    ok(ux_multiple_holm(p, 15, adjusted) == UX_OK, "holm");

    for (i = 0; i < 15; i++) {
        ok(near(adjusted[i], expected_holm[i]), "holm of %g: %.17g", p[i],
           adjusted[i]);
        holm += adjusted[i] <= 0.05;
    }

    bh = 0;
    ok(ux_multiple_bh(p, 15, adjusted) == UX_OK, "bh");

    for (i = 0; i < 15; i++) {
        ok(near(adjusted[i], expected_bh[i]), "bh of %g: %.17g", p[i],
           adjusted[i]);
        bh += adjusted[i] <= 0.05;
    }

    ok(holm == 3 && bh == 4, "three and four are rejected, as published");
}


static void
test_ties(void)
{
    double  adjusted[3];

    ux_multiple_holm((const double[]) { 0.02, 0.02, 0.02 }, 3, adjusted);
    ok(near(adjusted[0], 0.06) && near(adjusted[1], 0.06)
       && near(adjusted[2], 0.06), "holm of equal p is equal");

    ux_multiple_bh((const double[]) { 0.02, 0.02, 0.02 }, 3, adjusted);
    ok(near(adjusted[0], 0.02) && near(adjusted[1], 0.02)
       && near(adjusted[2], 0.02), "so is bh");

    ux_multiple_holm((const double[]) { 0.04 }, 1, adjusted);
    ok(adjusted[0] == 0.04, "one comparison stays as it is");

    adjusted[0] = 0.03;
    adjusted[1] = 0.01;
    ux_multiple_holm(adjusted, 2, adjusted);
    ok(near(adjusted[0], 0.03) && near(adjusted[1], 0.02), "in place");

    ux_multiple_holm((const double[]) { 0, 1, 1 }, 3, adjusted);
    ok(adjusted[0] == 0 && adjusted[1] == 1 && adjusted[2] == 1,
       "never above 1");
}


static void
test_definitions(void)
{
    double    p[MOST], adjusted[MOST];
    unsigned  i, n, run, holm, bh;
    uint64_t  seed;

    seed = 5;
    holm = 0;
    bh = 0;

    for (run = 0; run < 2000; run++) {
        n = draw(p, &seed);

        ux_multiple_holm(p, n, adjusted);

        for (i = 0; i < n; i++) {
            holm += !near(adjusted[i], holm_of(p, n, i));
        }

        ux_multiple_bh(p, n, adjusted);

        for (i = 0; i < n; i++) {
            bh += !near(adjusted[i], bh_of(p, n, i));
        }
    }

    ok(holm == 0, "holm is its definition in 2000 families: %u", holm);
    ok(bh == 0, "bh is its definition in 2000 families: %u", bh);
}


/* What a smaller p may do: nothing above it in the list goes up. */
static void
test_order(void)
{
    double    p[MOST], before[MOST], after[MOST];
    unsigned  i, n, run, at, order, lower, fewer;
    uint64_t  seed;

    seed = 6;
    order = 0;
    lower = 0;
    fewer = 0;

    for (run = 0; run < 1000; run++) {
        n = draw(p, &seed);
        ux_multiple_holm(p, n, before);

        for (i = 0; i < n; i++) {
            fewer += before[i] < p[i];

            for (at = 0; at < n; at++) {
                order += p[i] < p[at] && before[i] > before[at];
            }
        }

        at = (unsigned) (random_next(&seed) % n);
        p[at] /= 3;
        ux_multiple_holm(p, n, after);

        for (i = 0; i < n; i++) {
            lower += after[i] > before[i];
        }
    }

    ok(fewer == 0, "adjusted is never below p");
    ok(order == 0, "holm keeps the order");
    ok(lower == 0, "holm never rises when a p falls");
}


static void
test_e_bh(void)
{
    double    e[MOST], log_e[MOST], adjusted[MOST];
    unsigned  i, n, run, k, wrong;
    uint64_t  seed;

    static const double  alphas[] = { 0.2, 0.05, 0.01 };

    seed = 7;
    wrong = 0;

    for (run = 0; run < 2000; run++) {
        n = draw(e, &seed);

        for (i = 0; i < n; i++) {
            log_e[i] = -1.5 * log(e[i]) - 2;
            e[i] = exp(log_e[i]);
        }

        ux_multiple_e_bh(log_e, n, adjusted);

        for (i = 0; i < n; i++) {
            for (k = 0; k < 3; k++) {
                wrong += (adjusted[i] <= alphas[k])
                         != e_bh_rejected(e, n, alphas[k], i);
            }
        }
    }

    ok(wrong == 0, "e-BH is its definition in 2000 families: %u", wrong);
}


static void
test_e_bh_edge(void)
{
    double    adjusted[10], log_e[10];
    unsigned  i, n, wrong;

    log_e[0] = log(100);
    log_e[1] = log(90);
    log_e[2] = log(10);

    for (i = 3; i < 10; i++) {
        log_e[i] = 0;
    }

    ux_multiple_e_bh(log_e, 10, adjusted);
    ok(adjusted[0] <= 0.1 && adjusted[1] <= 0.1 && adjusted[2] > 0.1
       && adjusted[9] == 1, "two of ten");
    ok(near(adjusted[0], 10 / 180.0), "by the second");

    log_e[1] = 0;
    ux_multiple_e_bh(log_e, 10, adjusted);
    ok(adjusted[0] <= 0.1, "k e / n exactly 1 / alpha rejects");

    wrong = 0;

    for (n = 1; n <= 100000; n++) {
        log_e[0] = log((double) n);
        ux_multiple_e_bh(log_e, 1, adjusted);
        wrong += !(adjusted[0] <= 1 / (double) n);
    }

    ok(wrong == 0, "and so it does for all e up to 100000: %u", wrong);

    log_e[0] = 5000;
    log_e[1] = -5000;
    ux_multiple_e_bh(log_e, 2, adjusted);
    ok(adjusted[0] == 0 && adjusted[1] == 1, "beyond the range of doubles");
}


static void
test_undefined(void)
{
    double  adjusted[3];

    ux_multiple_holm((const double[]) { NAN, 0.01, 0.02 }, 3, adjusted);
    ok(isnan(adjusted[0]) && near(adjusted[1], 0.03)
       && near(adjusted[2], 0.04), "holm counts an undefined p as 1");

    ux_multiple_bh((const double[]) { 0.01, NAN, 0.02 }, 3, adjusted);
    ok(isnan(adjusted[1]) && near(adjusted[0], 0.03)
       && near(adjusted[2], 0.03), "so does bh");

    ux_multiple_e_bh((const double[]) { NAN, 7, NAN }, 3, adjusted);
    ok(isnan(adjusted[0]) && near(adjusted[1], 3 * exp(-7))
       && isnan(adjusted[2]), "e-BH counts an undefined e as 0");
}


static void
test_bounds(void)
{
    unsigned  i, wrong;

    static double  p[UX_MULTIPLE_MAX + 1];
    static double  adjusted[UX_MULTIPLE_MAX + 1];

    for (i = 0; i <= UX_MULTIPLE_MAX; i++) {
        p[i] = (double) (i * 1237 % UX_MULTIPLE_MAX) / 1e9;
        adjusted[i] = 7;
    }

    ok(ux_multiple_holm(p, UX_MULTIPLE_MAX + 1, adjusted) == UX_FULL
       && ux_multiple_bh(p, UX_MULTIPLE_MAX + 1, adjusted) == UX_FULL
       && ux_multiple_e_bh(p, UX_MULTIPLE_MAX + 1, adjusted) == UX_FULL,
       "more than there is room for");
    ok(adjusted[0] == 7 && adjusted[UX_MULTIPLE_MAX] == 7, "is left alone");

    ok(ux_multiple_holm(p, 0, adjusted) == UX_OK && adjusted[0] == 7,
       "none is nothing");

    ok(ux_multiple_e_bh(p, UX_MULTIPLE_MAX, adjusted) == UX_OK
       && ux_multiple_holm(p, UX_MULTIPLE_MAX, adjusted) == UX_OK
       && ux_multiple_bh(p, UX_MULTIPLE_MAX, adjusted) == UX_OK,
       "as many as there may be");

    wrong = 0;

    for (i = 1; i < UX_MULTIPLE_MAX; i++) {
        wrong += (p[i] < p[i - 1]) != (adjusted[i] < adjusted[i - 1])
                 && adjusted[i] != adjusted[i - 1];
    }

    ok(wrong == 0, "in their order: %u", wrong);
    ok(adjusted[UX_MULTIPLE_MAX] == 7, "and no further");
}


/* max over p_j <= p_i of (n - #{p_k < p_j}) p_j, capped. */
static double
holm_of(const double *p, unsigned n, unsigned of)
{
    double    highest;
    unsigned  j, k, below;

    highest = 0;

    for (j = 0; j < n; j++) {
        below = 0;

        for (k = 0; k < n; k++) {
            below += p[k] < p[j];
        }

        if (p[j] <= p[of] && (n - below) * p[j] > highest) {
            highest = (n - below) * p[j];
        }
    }

    return highest < 1 ? highest : 1;
}


/* min over p_j >= p_i of n p_j / #{p_k <= p_j}, capped. */
static double
bh_of(const double *p, unsigned n, unsigned of)
{
    double    lowest;
    unsigned  j, k, reached;

    lowest = 1;

    for (j = 0; j < n; j++) {
        reached = 0;

        for (k = 0; k < n; k++) {
            reached += p[k] <= p[j];
        }

        if (p[j] >= p[of] && n * p[j] / reached < lowest) {
            lowest = n * p[j] / reached;
        }
    }

    return lowest;
}


/* Among the k largest, k the last with k e_(k) / n >= 1 / alpha. */
static unsigned
e_bh_rejected(const double *e, unsigned n, double alpha, unsigned of)
{
    unsigned  j, k, above, rank;

    rank = 0;

    for (j = 0; j < n; j++) {
        above = 0;

        for (k = 0; k < n; k++) {
            above += e[k] >= e[j];
        }

        if (above * e[j] / n >= 1 / alpha && above > rank) {
            rank = above;
        }
    }

    above = 0;

    for (k = 0; k < n; k++) {
        above += e[k] > e[of];
    }

    return above < rank;
}


/* A family of p, small ones among them, some of them equal. */
static unsigned
draw(double *p, uint64_t *seed)
{
    unsigned  i, n;

    n = 1 + (unsigned) (random_next(seed) % MOST);

    for (i = 0; i < n; i++) {
        p[i] = (double) (1 + random_next(seed) % 1000) / 1001;

        if (random_next(seed) % 2) {
            p[i] *= p[i] * p[i];
        }

        if (i > 0 && random_next(seed) % 5 == 0) {
            p[i] = p[i - 1];
        }
    }

    return n;
}


static bool
near(double value, double expected)
{
    return fabs(value - expected) <= 1e-12 * fabs(expected);
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
