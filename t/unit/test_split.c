
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_split: Bayes factors against 50-digit and published values, and against
 * what makes them safe to look at: their expectation is 1 whatever was seen.
 */

#include "ux_split.h"
#include "tap.h"

#include <math.h>


#define LONGEST  12


static void test_log_bf(void);
static void test_prior(void);
static void test_published(void);
static void test_shares(void);
static void test_undefined(void);
static void test_martingale(void);
static void test_martingale_three(void);
static void test_steps(void);
static void test_epochs(void);
static void test_false_alarms(void);
static void test_chi_square(void);
static void test_chi_square_edges(void);
static bool near(double value, double expected);
static uint64_t random_next(uint64_t *seed);


int
main(void)
{
    test_log_bf();
    test_prior();
    test_published();
    test_shares();
    test_undefined();
    test_martingale();
    test_martingale_three();
    test_steps();
    test_epochs();
    test_false_alarms();
    test_chi_square();
    test_chi_square_edges();

    return done();
}


/* expected: from log gammas of 70 digits */
static void
test_log_bf(void)
{
    size_t  i;
    double  value;

    static const struct {
        unsigned  n;
        uint64_t  counts[6];
        double    shares[6];
        double    concentration;
        double    expected;
    }  cases[] = {
        { 2, { 122, 267 }, { 1, 1 }, 100, 21.075124305978363 },
        { 2, { 1500, 1680 }, { 1, 1 }, 400, 3.4319321046355675 },
        { 2, { 900, 130 }, { 9, 1 }, 100, 2.0433737273622605 },
        { 2, { 44700, 45489 }, { 1, 1 }, 1000, 1.1567214050803136 },
        { 2, { 100000, 90000 }, { 1, 1 }, 1000, 259.2748196461374 },
        { 3, { 21306, 21307, 21387 }, { 1, 1, 1 }, 1000, -4.075374754481505 },
        { 6, { 1009, 104, 1502, 100, 100, 150 },
          { 0.35, 0.04, 0.52, 0.035, 0.0035, 0.0515 }, 1000,
          115.4030775973527 },
        { 3, { 3, 0, 1 }, { 0.5, 0.25, 0.25 }, 0.5, -0.8472978603872036 },
        { 2, { 0, 12 }, { 0.95, 0.05 }, 100, 7.544492199706378 },
        { 2, { 7, 5 }, { 0.999, 0.001 }, 100, 12.159710917510097 },
        { 2, { 1000000000, 1000100000 }, { 1, 1 }, 100, -5.908271514792663 },
        { 2, { 1000000000000, 1000001000000 }, { 1, 1 }, 100,
          -11.611999388625648 },
        { 2, { 900000000000, 100003000000 }, { 0.9, 0.1 }, 1000,
          30.137065457597288 },
        { 3, { 1000000000000, 1000000000000, 1000005000000 }, { 1, 1, 1 },
          1000, -13.489231646965983 },
        { 2, { 1000000000000, 1010000000000 }, { 1, 1 }, 1000,
          24875713.787911728 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        value = ux_split_log_bf(cases[i].counts, cases[i].shares, cases[i].n,
                                cases[i].concentration);

        ok(fabs(value - cases[i].expected)
           <= 1e-9 + 1e-12 * fabs(cases[i].expected),
           "%llu against %llu of %u: %.17g",
           (unsigned long long) cases[i].counts[0],
           (unsigned long long) cases[i].counts[1], cases[i].n, value);
    }
}


static void
test_prior(void)
{
    size_t  i;
    double  value;

    static const struct {
        unsigned  n;
        uint64_t  counts[3];
        double    shares[3];
        double    prior[3];
        double    expected;
    }  cases[] = {
        { 3, { 17, 4, 9 }, { 0.4, 0.4, 0.2 }, { 1, 1, 1 },
          2.347189066275372 },
        { 2, { 120, 80 }, { 1, 1 }, { 0.5, 0.5 }, 1.1508679584975112 },
        { 2, { 1000000000000, 1000000000000 }, { 1, 1 }, { 30, 60 },
          -17.07128256341052 },
        { 2, { 122, 267 }, { 1, 1 }, { 50, 50 }, 21.075124305978363 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        value = ux_split_log_bf_prior(cases[i].counts, cases[i].shares,
                                      cases[i].prior, cases[i].n);

        ok(fabs(value - cases[i].expected) <= 1e-9, "prior %g, %g: %.17g",
           cases[i].prior[0], cases[i].prior[1], value);
    }
}


/* Labels and factors of the authors' own unit test, Dirichlet (1, 1, 1). */
static void
test_published(void)
{
    double    value;
    unsigned  i;

    static const double    shares[] = { 0.4, 0.4, 0.2 };
    static const double    prior[] = { 1, 1, 1 };
    static const uint64_t  counts[5][3] = {
        { 1, 0, 0 }, { 1, 1, 0 }, { 2, 1, 0 }, { 2, 2, 0 }, { 2, 2, 1 }
    };
    static const double    expected[] = {
        -0.18232155679395456, -0.6523251860396904, -0.6523251860396901,
        -0.834646742833645, -1.1711189794548584
    };

    for (i = 0; i < 5; i++) {
        value = ux_split_log_bf_prior(counts[i], shares, prior, 3);

        ok(fabs(value - expected[i]) < 1e-12, "published, %u labels: %.17g",
           i + 1, value);
    }
}


static void
test_shares(void)
{
    double  value;

    static const uint64_t  counts[] = { 500, 0, 431 };

    value = ux_split_log_bf((const uint64_t[]) { 500, 431 },
                            (const double[]) { 0.25, 0.75 }, 2, 100);

    ok(near(ux_split_log_bf((const uint64_t[]) { 500, 431 },
                            (const double[]) { 3, 9 }, 2, 100), value),
       "shares may be any multiples");
    ok(near(ux_split_log_bf(counts, (const double[]) { 1, 0, 3 }, 3, 100),
            value), "an arm without a share or a count is not there");
    ok(isinf(ux_split_log_bf((const uint64_t[]) { 500, 1, 431 },
                             (const double[]) { 1, 0, 3 }, 3, 100)),
       "a count where the share is 0 is impossible");
    ok(ux_split_log_bf((const uint64_t[]) { 0, 0 },
                       (const double[]) { 1, 2 }, 2, 100) == 0,
       "nothing seen: 0");
    ok(fabs(ux_split_log_bf((const uint64_t[]) { 77 }, (const double[]) { 3 },
                            1, 100)) < 1e-15, "a single arm: 0");
    ok(fabs(ux_split_log_bf((const uint64_t[]) { 1, 0 },
                            (const double[]) { 7, 3 }, 2, 1000)) < 1e-12,
       "the first label says nothing");
}


static void
test_undefined(void)
{
    size_t  i;

    static const uint64_t  counts[] = { 5, 7 };
    static const double    shares[][2] = {
        { 0, 0 }, { 1, -1 }, { 1, NAN }, { 1, INFINITY }
    };

    for (i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        ok(isnan(ux_split_log_bf(counts, shares[i], 2, 100)),
           "shares %g, %g: NaN", shares[i][0], shares[i][1]);
        ok(isnan(ux_split_chi_square(counts, shares[i], 2, NULL, NULL)),
           "no chi-square either");
    }

    ok(isnan(ux_split_log_bf(counts, (const double[]) { 1, 1 }, 2, 0))
       && isnan(ux_split_log_bf(counts, (const double[]) { 1, 1 }, 2, -5))
       && isnan(ux_split_log_bf(counts, (const double[]) { 1, 1 }, 2, NAN))
       && isnan(ux_split_log_bf(counts, (const double[]) { 1, 1 }, 2,
                                INFINITY)), "no concentration: NaN");
    ok(isnan(ux_split_log_bf_prior(counts, (const double[]) { 1, 1 },
                                   (const double[]) { 1, 0 }, 2)),
       "no prior where there is a share: NaN");
    ok(isnan(ux_split_log_bf(counts, (const double[]) { 1, 1 }, 0, 100)),
       "no arms: NaN");
}


/* E[BF] over all sequences of n labels is 1, for every n. */
static void
test_martingale(void)
{
    size_t    i;
    double    sum, ways;
    unsigned  n, b;

    static const struct {
        double  share_b;
        double  concentration;
    }  cases[] = { { 0.5, 100 }, { 0.1, 100 }, { 0.03, 7 }, { 0.8, 0.3 } };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (n = 1; n <= LONGEST; n++) {
            sum = 0;
            ways = 1;

            for (b = 0; b <= n; b++) {
                sum += ways * pow(cases[i].share_b, b)
                       * pow(1 - cases[i].share_b, n - b)
                       * exp(ux_split_log_bf(
                                 (const uint64_t[2]) { n - b, b },
                                 (const double[2]) { 1 - cases[i].share_b,
                                                     cases[i].share_b },
                                 2, cases[i].concentration));
                ways *= (double) (n - b) / (b + 1);
            }

            ok(fabs(sum - 1) < 1e-12, "expectation of %u labels, share %g: "
               "1 %+.1e", n, cases[i].share_b, sum - 1);
        }
    }
}


/* By sequence, not by count: a prior of its own, three arms. */
static void
test_martingale_three(void)
{
    double    sum, chance;
    unsigned  n, i, at, sequences;
    uint64_t  counts[3];

    static const double  shares[] = { 0.5, 0.3, 0.2 };
    static const double  prior[] = { 1, 2.5, 0.25 };

    sequences = 1;

    for (n = 1; n <= 8; n++) {
        sequences *= 3;
        sum = 0;

        for (at = 0; at < sequences; at++) {
            chance = 1;
            counts[0] = counts[1] = counts[2] = 0;

            for (i = at + sequences; i >= 3; i /= 3) {
                chance *= shares[i % 3];
                counts[i % 3]++;
            }

            sum += chance
                   * exp(ux_split_log_bf_prior(counts, shares, prior, 3));
        }

        ok(fabs(sum - 1) < 1e-12, "expectation of %u labels of three: 1 %+.1e",
           n, sum - 1);
    }
}


/* Label by label is the same as all at once, on every way there. */
static void
test_steps(void)
{
    double    value;
    unsigned  i, run, wrong, label;
    uint64_t  seed, counts[3];

    static const double  shares[] = { 0.6, 0.3, 0.1 };
    static const double  prior[] = { 60, 30, 10 };

    seed = 9;
    wrong = 0;

    for (run = 0; run < 200; run++) {
        value = 0;
        counts[0] = counts[1] = counts[2] = 0;

        for (i = 0; i < 200; i++) {
            label = (unsigned) (random_next(&seed) % 10);
            label = label < 5 ? 0 : label < 8 ? 1 : 2;
            value += ux_split_step(counts, shares, prior, 3, label);
            counts[label]++;

            wrong += fabs(ux_split_log_bf(counts, shares, 3, 100) - value)
                     > 1e-11;
        }
    }

    ok(wrong == 0, "steps add up to the factor: %u", wrong);

    counts[0] = 2;
    counts[1] = 3;
    ok(near(ux_split_step(counts, (const double[]) { 0.2, 0.8 },
                          (const double[]) { 20, 80 }, 2, 1),
            log(83 / 105.0 / 0.8)), "one more label");
    ok(near(ux_split_step(counts, (const double[]) { 1, 4 },
                          (const double[]) { 20, 80 }, 2, 1),
            log(83 / 105.0 / 0.8)), "whatever its shares sum to");
    ok(ux_split_step(counts, (const double[]) { 1 }, (const double[]) { 5 },
                     1, 0) == 0, "of a single arm");
    ok(isinf(ux_split_step(counts, (const double[]) { 1, 0 },
                           (const double[]) { 1, 1 }, 2, 1)),
       "a label of no share");
    ok(isnan(ux_split_step(counts, shares, prior, 2, 2))
       && isnan(ux_split_step(counts, (const double[]) { 1, NAN }, prior, 2,
                              0)), "a label that is not there");
}


/* Labels of two epochs, each of its own: expectation 1 again. */
static void
test_epochs(void)
{
    double        sum, chance, shares[2];
    unsigned      at, i;
    uint64_t     *count;
    ux_stratum_t  epochs[4];

    shares[0] = 0.5;
    shares[1] = 0.1;
    sum = 0;

    for (at = 0; at < 1u << LONGEST; at++) {
        epochs[0] = (ux_stratum_t) { .share_a = 0.5, .share_b = 0.5 };
        epochs[1] = (ux_stratum_t) { .share_a = 0.9, .share_b = 0.1 };
        chance = 1;

        for (i = 0; i < LONGEST; i++) {
            count = at >> i & 1 ? &epochs[i * i % 3 % 2].b.converters
                                : &epochs[i * i % 3 % 2].a.converters;
            chance *= at >> i & 1 ? shares[i * i % 3 % 2]
                                  : 1 - shares[i * i % 3 % 2];
            (*count)++;
        }

        sum += chance * exp(ux_split_conversions(epochs, 2, 10));
    }

    ok(fabs(sum - 1) < 1e-12, "expectation over two epochs: 1 %+.1e",
       sum - 1);

    epochs[0].a.converters = 122;
    epochs[0].b.converters = 267;
    epochs[1].a.converters = 900;
    epochs[1].b.converters = 130;
    epochs[2] = (ux_stratum_t) { .share_a = 1, .share_b = 0 };
    epochs[3] = (ux_stratum_t) { .share_a = 0, .share_b = 1 };
    epochs[2].a.converters = 50;
    epochs[3].a.converters = 50;

    ok(near(ux_split_conversions(epochs, 2, 100),
            21.075124305978363 + 2.0433737273622605), "factors are summed");
    ok(near(ux_split_conversions(epochs, 4, 100),
            21.075124305978363 + 2.0433737273622605),
       "an epoch without a share of either arm is left out");
    ok(ux_split_conversions(epochs + 2, 2, 100) == 0, "none is in: 0");

    epochs[1].share_b = -1;
    ok(isnan(ux_split_conversions(epochs, 2, 100)),
       "a negative share is an error, not an epoch to leave out");
}


/* A fair split looked at after every visitor, 4000 times. */
static void
test_false_alarms(void)
{
    unsigned  run, t, fair, skewed;
    uint64_t  seed, counts[2], other[2];
    bool      found[2];

    static const double  shares[] = { 1, 1 };

    seed = 4;
    fair = 0;
    skewed = 0;

    for (run = 0; run < 1000; run++) {
        counts[0] = counts[1] = other[0] = other[1] = 0;
        found[0] = found[1] = false;

        for (t = 0; t < 4000; t++) {
            counts[random_next(&seed) & 1]++;
            other[random_next(&seed) % 100 < 55]++;

            found[0] |= ux_split_log_bf(counts, shares, 2, 100) > log(20);
            found[1] |= ux_split_log_bf(other, shares, 2, 100) > log(20);
        }

        fair += found[0];
        skewed += found[1];
    }

    ok(fair <= 1000 * 0.05 + 3 * sqrt(1000 * 0.05 * 0.95),
       "alarms of a fair split: %.1f %%", fair / 10.0);
    ok(skewed > 950, "of 45/55: %.1f %%", skewed / 10.0);
}


static void
test_chi_square(void)
{
    size_t    i;
    double    p, statistic;
    unsigned  df;

    static const struct {
        unsigned     n;
        uint64_t     counts[6];
        double       shares[6];
        double       statistic;
        unsigned     df;
        double       p;
        const char  *name;
    }  cases[] = {
        { 2, { 44700, 45489 }, { 1, 1 }, 6.9024049496058275, 1,
          0.008607987810836241, "Cookie Cats" },
        { 3, { 21306, 21307, 21387 }, { 1, 1, 1 }, 0.20253125, 2,
          0.9036929575604196, "Hillstrom" },
        { 3, { 166080, 171180, 166300 }, { 1, 1, 1 }, 99.04043212328223, 2,
          3.116329865438459e-22, "Statsig" },
        { 6, { 1009, 104, 1502, 100, 100, 150 },
          { 0.35, 0.04, 0.52, 0.035, 0.0035, 0.0515 }, 777.8068919570745, 5,
          7.314420084069019e-166, "Spotify" },
        { 2, { 1000000000000, 1000010000000 }, { 1, 1 }, 49.99975000124999, 1,
          1.5376556917683764e-12, "10^12" },
        { 2, { 100000, 90000 }, { 2, 2 }, 526.3157894736842, 1,
          1.788438589753019e-116, "far out" },
        { 3, { 500, 0, 480 }, { 1, 0, 1 }, 0.40816326530612246, 1,
          0.5229032345126706, "an arm of no share" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        p = ux_split_chi_square(cases[i].counts, cases[i].shares, cases[i].n,
                                &statistic, &df);

        ok(near(statistic, cases[i].statistic) && df == cases[i].df,
           "chi-square, %s: %.17g", cases[i].name, statistic);
        ok(near(p, cases[i].p), "p, %s: %.17g", cases[i].name, p);
    }
}


static void
test_chi_square_edges(void)
{
    double    p, statistic;
    unsigned  df;

    p = ux_split_chi_square((const uint64_t[]) { 0, 0 },
                            (const double[]) { 1, 1 }, 2, &statistic, &df);
    ok(p == 1 && statistic == 0 && df == 1, "nobody: p 1");

    p = ux_split_chi_square((const uint64_t[]) { 0, 1 },
                            (const double[]) { 1, 1 }, 2, &statistic, &df);
    ok(near(p, 0.31731050786291415) && near(statistic, 1),
       "one visitor: p 0.32");

    p = ux_split_chi_square((const uint64_t[]) { 10 },
                            (const double[]) { 0.3 }, 1, &statistic, &df);
    ok(p == 1 && statistic == 0 && df == 0, "one arm: p 1");

    p = ux_split_chi_square((const uint64_t[]) { 10, 1 },
                            (const double[]) { 1, 0 }, 2, &statistic, &df);
    ok(p == 0 && isinf(statistic) && df == 0, "visitors of no share: p 0");

    p = ux_split_chi_square((const uint64_t[]) { 10, 1 },
                            (const double[]) { 0, 0 }, 2, &statistic, &df);
    ok(isnan(p) && isnan(statistic) && df == 0, "no shares at all: NaN");

    p = ux_split_chi_square((const uint64_t[]) { 44700, 45489 },
                            (const double[]) { 1, 1 }, 2, NULL, NULL);
    ok(near(p, 0.008607987810836241), "only p is asked for");
}


static bool
near(double value, double expected)
{
    return fabs(value - expected) <= 1e-10 * fabs(expected);
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
