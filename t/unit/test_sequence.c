
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_sequence: the sequence against published values, its mixture against
 * quadrature, its promise against looking all the time; the strata.
 */

#include "ux_sequence.h"
#include "tap.h"

#include <math.h>


static void test_rho2(void);
static void test_z(void);
static void test_published(void);
static void test_log_e(void);
static void test_mixture(void);
static void test_duality(void);
static void test_p(void);
static void test_peeking(void);
static void test_strata(void);
static void test_strata_weights(void);
static void test_strata_left_out(void);
static void test_strata_ramp(void);
static bool near(double value, double expected);
static uint64_t random_next(uint64_t *seed);


int
main(void)
{
    test_rho2();
    test_z();
    test_published();
    test_log_e();
    test_mixture();
    test_duality();
    test_p();
    test_peeking();
    test_strata();
    test_strata_weights();
    test_strata_left_out();
    test_strata_ramp();

    return done();
}


static void
test_rho2(void)
{
    ok(near(ux_sequence_rho2(0.05, 10000), 0.0007936154601737565),
       "rho^2 of 5 %% at 10000");
    ok(near(ux_sequence_rho2(0.01, 5000), 0.002306748268143045),
       "rho^2 of 1 %% at 5000");
    ok(near(ux_sequence_rho2(0.1, 5000), 0.0012657719210592473),
       "rho^2 of 10 %% at 5000");

    ok(isnan(ux_sequence_rho2(0, 5000)) && isnan(ux_sequence_rho2(1, 5000))
       && isnan(ux_sequence_rho2(-1, 5000))
       && isnan(ux_sequence_rho2(NAN, 5000)),
       "alpha outside (0, 1) is NaN");
    ok(isnan(ux_sequence_rho2(0.05, 0)) && isnan(ux_sequence_rho2(0.05, NAN)),
       "so is nobody planned");
}


static void
test_z(void)
{
    size_t  i;
    double  z, rho2;

    static const struct {
        double  total;
        double  n_star;
        double  z;
    }  cases[] = {
        { 500, 10000, 4.718793463117083 },
        { 1000, 10000, 3.855054633530311 },
        { 10000, 10000, 3.035208990376253 },
        { 1e6, 10000, 3.5616410409188997 },
        { 1e7, 10000, 3.869452296670984 },
        { 5000, 5000, 3.035208990376253 },
        { 1000, 50000, 6.69438861706604 },
        { 2e12, 10000, 5.213129706829761 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        rho2 = ux_sequence_rho2(0.05, cases[i].n_star);
        z = ux_sequence_z(cases[i].total, rho2, 0.05);

        ok(near(z, cases[i].z), "z_seq of %g, %g planned: %.17g",
           cases[i].total, cases[i].n_star, z);
    }

    rho2 = ux_sequence_rho2(0.05, 10000);

    ok(near(ux_sequence_z(20000, rho2, 0.0125), 3.5099732691587353),
       "z_seq at a quarter of the level");
    ok(isinf(ux_sequence_z(0, rho2, 0.05)), "nobody: no bound");
    ok(isnan(ux_sequence_z(-1, rho2, 0.05)), "fewer: NaN");
    ok(isnan(ux_sequence_z(100, rho2, 1)) && isnan(ux_sequence_z(100, rho2, 0))
       && isnan(ux_sequence_z(100, rho2, NAN)),
       "a level outside (0, 1) is NaN");
    ok(isnan(ux_sequence_z(100, NAN, 0.05)), "so is an undefined rho^2");
}


/* GrowthBook's sequential test of 1396/3000 against 2422/3461, relative. */
static void
test_published(void)
{
    double  lift, se, half;

    lift = 0.5038633516821496;
    se = 0.033860214798231224;
    half = se * ux_sequence_z(6461, ux_sequence_rho2(0.05, 5000), 0.05);

    ok(fabs(lift - half - 0.40098) < 1e-5, "published lower end: %.6f",
       lift - half);
    ok(fabs(lift + half - 0.60675) < 1e-5, "published upper end: %.6f",
       lift + half);
}


static void
test_log_e(void)
{
    double  rho2;

    rho2 = ux_sequence_rho2(0.05, 10000);

    ok(near(ux_sequence_log_e(-0.020554874580361555, 1.9097993530952137e-05,
                              34553, rho2), 8.998679522826858),
       "Udacity, gross conversion");
    ok(near(ux_sequence_log_e(1, 0.0001, 100000, rho2), 4935.587919161145),
       "100 standard errors stay a number");
    ok(near(ux_sequence_log_e(3, 1, 1, 1e-13), 4e-13),
       "hardly anybody, of very many planned");
    ok(isnan(ux_sequence_log_e(1, 0, 1000, rho2))
       && isnan(ux_sequence_log_e(0, 0, 1000, rho2)),
       "no error: NaN");
    ok(isnan(ux_sequence_log_e(1, NAN, 1000, rho2))
       && isnan(ux_sequence_log_e(NAN, 1, 1000, rho2))
       && isnan(ux_sequence_log_e(1, 1, -1, rho2)),
       "undefined stays undefined");
    ok(ux_sequence_log_e(0, 1, 0, rho2) == 0, "nobody: 0");
}


/* e is the average of exp(l S - l^2 V / 2) over l of N(0, rho^2). */
static void
test_mixture(void)
{
    int     i;
    double  l, z, sum, rho2, total, step;

    rho2 = ux_sequence_rho2(0.05, 2000);
    total = 3000;
    z = 2.5;
    step = sqrt(rho2) / 500;
    sum = 0;

    for (i = -6000; i <= 6000; i++) {
        l = i * step;
        sum += exp(l * z * sqrt(total) - l * l * total / 2
                   - l * l / (2 * rho2));
    }

    sum *= step / sqrt(2 * acos(-1) * rho2);

    ok(near(ux_sequence_log_e(z * 0.3, 0.3 * 0.3, total, rho2), log(sum)),
       "a mixture of likelihood ratios: %.12g", log(sum));
}


/* The interval excludes 0 exactly when p is below the level. */
static void
test_duality(void)
{
    double    d, z, rho2, level, total;
    unsigned  i, wrong;
    uint64_t  seed;

    seed = 3;
    wrong = 0;

    for (i = 0; i < 20000; i++) {
        level = 0.05 / (double) (1 + random_next(&seed) % 6);
        total = (double) (1 + random_next(&seed) % 1000000);
        rho2 = ux_sequence_rho2(0.05, 10000);
        z = ux_sequence_z(total, rho2, level);

        d = z * 0.01 * (1 + 1e-9);
        wrong += !(ux_sequence_p(ux_sequence_log_e(d, 1e-4, total, rho2))
                   < level);

        d = -z * 0.01 * (1 - 1e-9);
        wrong += !(ux_sequence_p(ux_sequence_log_e(d, 1e-4, total, rho2))
                   > level);
    }

    ok(wrong == 0, "an interval without 0 and a small p are one thing: %u",
       wrong);
}


static void
test_p(void)
{
    ok(ux_sequence_p(-3) == 1 && ux_sequence_p(0) == 1, "never above 1");
    ok(near(ux_sequence_p(log(20)), 0.05), "1/e");
    ok(near(ux_sequence_p(0.25), exp(-0.25)), "from 0 on");
    ok(ux_sequence_p(5000) == 0, "0 beyond all doubles");
    ok(ux_sequence_p(INFINITY) == 0, "0 for certain");
    ok(isnan(ux_sequence_p(NAN)), "NaN stays NaN");
}


/*
 * Two equal arms looked at after every tenth visitor: how often p is ever
 * below 5 %.  The bound is 5 % and three standard errors of 2000 runs; a
 * fixed-horizon test looked at like this is wrong in about 40 % of them.
 */
static void
test_peeking(void)
{
    double         rho2, d, error;
    unsigned       run, t, found;
    uint64_t       seed, word, x[2], n[2];
    ux_estimate_t  a, b;

    seed = 20;
    found = 0;
    rho2 = ux_sequence_rho2(0.05, 2000);

    for (run = 0; run < 2000; run++) {
        x[0] = x[1] = n[0] = n[1] = 0;

        for (t = 1; t <= 4000; t++) {
            word = random_next(&seed);
            n[word & 1]++;
            x[word & 1] += (word >> 32) % 10 < 3;

            if (t % 10 > 0 || x[0] < 25 || x[1] < 25) {
                continue;
            }

            a.mean = (double) x[0] / (double) n[0];
            b.mean = (double) x[1] / (double) n[1];
            a.error = a.mean * (1 - a.mean) / (double) n[0];
            b.error = b.mean * (1 - b.mean) / (double) n[1];
            d = b.mean - a.mean;
            error = a.error + b.error;

            if (ux_sequence_p(ux_sequence_log_e(d, error, t, rho2)) < 0.05) {
                found++;
                break;
            }
        }
    }

    ok(found <= 2000 * 0.05 + 3 * sqrt(2000 * 0.05 * 0.95),
       "looking all the time finds a winner in %.1f %% of equal arms",
       found / 20.0);
    ok(found >= 2, "but is not blind");
}


static void
test_strata(void)
{
    bool         used[3];
    ux_pooled_t  pooled;

    static const ux_stratum_t  strata[] = {
        { { 10000, { 0.05, 0.05 * 0.95 / 10000 }, 500 },
          { 10000, { 0.051, 0.051 * 0.949 / 10000 }, 510 }, 1, 1 },
        { { 9000, { 0.02, 0.02 * 0.98 / 9000 }, 180 },
          { 1000, { 0.021, 0.021 * 0.979 / 1000 }, 21 }, 9, 1 },
        { { 40, { 0.05, 0.05 * 0.95 / 40 }, 2 }, { 3, { 0, 0 }, 0 }, 9, 1 }
    };

    pooled = ux_sequence_stratify(strata, 3, used);

    ok(pooled.used == 3 && used[0] && used[1] && used[2], "three epochs");
    ok(near(pooled.a.mean, 0.045425892364667875)
       && near(pooled.a.error, 3.4590437858944064e-06), "control's estimate");
    ok(near(pooled.b.mean, 0.04640178078953589)
       && near(pooled.b.error, 3.950593658858756e-06), "variant's estimate");
    ok(near(pooled.difference, 0.04640178078953589 - 0.045425892364667875)
       && near(pooled.error, 3.4590437858944064e-06 + 3.950593658858756e-06),
       "their difference");
    ok(pooled.visitors_a == 19040 && pooled.visitors_b == 11003,
       "visitors are added up");
    ok(pooled.converters_a == 682 && pooled.converters_b == 531,
       "and converters");

    pooled = ux_sequence_stratify(strata, 1, NULL);

    ok(pooled.a.mean == 0.05 && pooled.b.mean == 0.051
       && pooled.a.error == 0.05 * 0.95 / 10000
       && pooled.b.error == 0.051 * 0.949 / 10000,
       "a single epoch is itself, to the last bit");
}


/* Of means that are all 1 and errors that are all 1. */
static void
test_strata_weights(void)
{
    double        sum, squares, weight[8];
    unsigned      i, n, run, wrong;
    uint64_t      seed, at;
    ux_pooled_t   pooled;
    ux_stratum_t  strata[8];

    seed = 11;
    wrong = 0;

    for (run = 0; run < 1000; run++) {
        n = 1 + (unsigned) (random_next(&seed) % 8);
        sum = 0;
        squares = 0;

        for (i = 0; i < n; i++) {
            strata[i].a = (ux_sample_t) { 0, { 1, 1 }, 0 };
            strata[i].b = (ux_sample_t) { 0, { 1, 1 }, 0 };

            at = random_next(&seed) % 41;
            strata[i].a.visitors = 2 + (random_next(&seed) >> (63 - at));
            at = random_next(&seed) % 41;
            strata[i].b.visitors = 2 + (random_next(&seed) >> (63 - at));

            weight[i] = (double) strata[i].a.visitors
                        * (double) strata[i].b.visitors
                        / ((double) strata[i].a.visitors
                           + (double) strata[i].b.visitors);
            sum += weight[i];
        }

        for (i = 0; i < n; i++) {
            squares += weight[i] / sum * (weight[i] / sum);
        }

        pooled = ux_sequence_stratify(strata, n, NULL);

        wrong += !(near(pooled.a.mean, 1) && near(pooled.b.mean, 1)
                   && near(pooled.a.error, squares)
                   && near(pooled.error, 2 * squares));
    }

    ok(wrong == 0, "weights sum to 1, in 1000 sets of epochs: %u", wrong);
}


static void
test_strata_left_out(void)
{
    bool          used[5];
    unsigned      i;
    ux_pooled_t   pooled;
    ux_stratum_t  strata[5];

    for (i = 0; i < 5; i++) {
        strata[i].a = (ux_sample_t) { 100, { 0.1, 0.0009 }, 10 };
        strata[i].b = (ux_sample_t) { 100, { 0.2, 0.0016 }, 20 };
    }

    strata[0].a.visitors = 1;
    strata[1].b.visitors = 0;
    strata[2].a.estimate.error = NAN;
    strata[3].b.estimate.mean = NAN;

    pooled = ux_sequence_stratify(strata, 5, used);

    ok(pooled.used == 1 && !used[0] && !used[1] && !used[2] && !used[3]
       && used[4], "one visitor, none, no variance, no mean: left out");
    ok(pooled.visitors_a == 100 && pooled.converters_b == 20
       && near(pooled.difference, 0.1), "and so are their visitors");

    pooled = ux_sequence_stratify(strata, 4, used);

    ok(pooled.used == 0 && pooled.visitors_a == 0 && pooled.visitors_b == 0,
       "none is in");
    ok(isnan(pooled.a.mean) && isnan(pooled.b.error)
       && isnan(pooled.difference) && isnan(pooled.error),
       "then all is undefined");

    ok(ux_sequence_stratify(strata, 0, NULL).used == 0
       && isnan(ux_sequence_stratify(strata, 0, NULL).difference),
       "no epochs at all");

    strata[0].a.visitors = 2;
    ok(ux_sequence_stratify(strata, 1, used).used == 1, "two are enough");
}


/*
 * Equal arms while the split goes from 50/50 to 90/10 and the rate from 5 %
 * to 2 %: pooled it would be a lift of 47 %.
 */
static void
test_strata_ramp(void)
{
    ux_pooled_t  pooled;

    static const ux_stratum_t  strata[] = {
        { { 5000, { 0.05, 0.05 * 0.95 / 5000 }, 250 },
          { 5000, { 0.05, 0.05 * 0.95 / 5000 }, 250 }, 1, 1 },
        { { 9000, { 0.02, 0.02 * 0.98 / 9000 }, 180 },
          { 1000, { 0.02, 0.02 * 0.98 / 1000 }, 20 }, 9, 1 }
    };

    pooled = ux_sequence_stratify(strata, 2, NULL);

    ok(fabs((270 / 6000.0) / (430 / 14000.0) - 1.47) < 0.01,
       "pooled, equal arms differ by 47 %%");
    ok(fabs(pooled.difference) < 1e-15, "by epochs they do not");
}


static bool
near(double value, double expected)
{
    return fabs(value - expected) <= 1e-11 * fabs(expected);
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
