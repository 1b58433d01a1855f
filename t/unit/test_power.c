
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_power: sizes against published ones, and each question against the
 * answer of another.
 */

#include "ux_power.h"
#include "ux_sequence.h"
#include "ux_special.h"
#include "tap.h"

#include <math.h>


static void test_proportions(void);
static void test_means(void);
static void test_power(void);
static void test_mde(void);
static void test_sequential(void);
static void test_sequential_means(void);
static void test_undefined(void);
static bool near(double value, double expected);


int
main(void)
{
    test_proportions();
    test_means();
    test_power();
    test_mde();
    test_sequential();
    test_sequential_means();
    test_undefined();

    return done();
}


static void
test_proportions(void)
{
    double  n;

    n = ux_power_proportions(0.5, 0.75, 0.05, 0.9);
    ok(fabs(n - 76.7) < 0.05, "R's example of power.prop.test: %.3f", n);

    ok(near(n, 76.70692845177743), "to all digits");
    ok(near(ux_power_proportions(0.03, 0.033, 0.05, 0.8), 53210.30120700825),
       "3 %% to 3.3 %%");
    ok(near(ux_power_proportions(0.033, 0.03, 0.05, 0.8), 53210.30120700825),
       "the other way round");
    ok(near(ux_power_proportions(0.001, 0.0012, 0.05, 0.8),
            431212.34922659205), "a rare one");
    ok(near(ux_power_proportions(0.97, 0.98, 0.01, 0.9), 7251.2291053330655),
       "a frequent one");
    ok(near(ux_power_proportions_unpooled(0.03, 0.033, 0.05, 0.8),
            53207.55571915247), "unpooled");
}


static void
test_means(void)
{
    ok(near(ux_power_means(0.3, 100, 0.05, 0.85), 19951.993829148687),
       "a mean");
    ok(near(ux_power_means(-0.3, 100, 0.05, 0.85), 19951.993829148687),
       "a fall costs what a rise costs");
    ok(near(ux_power_means(0.65279, 134.6, 0.05, 0.8), 4958.333614913119),
       "revenue");
}


static void
test_power(void)
{
    double  n;

    ok(near(ux_power_of(0.1, 0.11, 30000, 0.05), 0.9791135827710733),
       "10 %% to 11 %%");
    ok(near(ux_power_of(0.3, 0.315, 30000, 0.05), 0.978394998004114),
       "30 %% to 31.5 %%");
    ok(near(ux_power_of(0.02, 0.021, 5000, 0.01), 0.014810703794608582),
       "hardly any");
    ok(near(ux_power_of(0.05, 0.05, 1000, 0.05), 0.05),
       "without an effect it is alpha: both tails count");

    n = ux_power_proportions_unpooled(0.2, 0.23, 0.05, 0.8);
    ok(fabs(ux_power_of(0.2, 0.23, n, 0.05) - 0.8) < 2e-6,
       "the size for 80 %% has 80 %%, but for the other tail");
}


static void
test_mde(void)
{
    size_t  i;
    double  d, n;

    static const struct {
        double  baseline;
        double  n;
        double  power;
        double  mde;
    }  cases[] = {
        { 0.1902, 45000, 0.8, 0.007383632045964001 },
        { 0.2189, 17277, 0.8, 0.012589566623261866 },
        { 0.001, 1000000, 0.9, 0.00015022970459794112 },
        { 0.9, 5000, 0.8, 0.016181102990161164 },
        { 0.5, 20, 0.8, 0.3753919667369393 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        d = ux_power_mde(cases[i].baseline, cases[i].n, 0.05, cases[i].power);
        n = ux_power_proportions_unpooled(cases[i].baseline,
                                          cases[i].baseline + d, 0.05,
                                          cases[i].power);

        ok(near(d, cases[i].mde), "effect from %g on: %.17g",
           cases[i].baseline, d);
        ok(near(n, cases[i].n), "it takes %.9g", n);
    }

    ok(isnan(ux_power_mde(0.99, 100, 0.05, 0.8)),
       "no effect below a rate of 1 is large enough");
    ok(ux_power_mde(0.99, 1000, 0.05, 0.8) < 0.01, "now there is one");
}


static void
test_sequential(void)
{
    size_t  i;
    double  n, fixed;

    static const struct {
        double  p1;
        double  p2;
        double  alpha;
        double  power;
        double  n_star;
        double  n;
    }  cases[] = {
        { 0.03, 0.036, 0.05, 0.8, 10000, 28515.10598938758 },
        { 0.1, 0.11, 0.05, 0.8, 50000, 28253.746949862994 },
        { 0.03, 0.036, 0.0125, 0.9, 20000, 42088.62120693905 },
        { 0.001, 0.0012, 0.05, 0.8, 10000, 1119156.871068249 },
        { 0.3, 0.6, 0.05, 0.8, 100000, 520.1293847712212 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        n = ux_power_sequential(cases[i].p1, cases[i].p2, cases[i].alpha,
                                cases[i].power, cases[i].n_star);
        fixed = ux_power_proportions(cases[i].p1, cases[i].p2, cases[i].alpha,
                                     cases[i].power);

        ok(near(n, cases[i].n), "sequential, %g to %g: %.17g", cases[i].p1,
           cases[i].p2, n);
        ok(n > fixed, "more than the %.0f of a fixed horizon", fixed);
    }

    /* planned just right: (3.035 + 0.842)^2 / (1.960 + 0.842)^2 */

    fixed = ux_power_proportions(0.1, 0.11, 0.05, 0.8);
    n = ux_power_sequential(0.1, 0.11, 0.05, 0.8, 2 * 1.915 * fixed);
    ok(fabs(n / fixed - 1.915) < 0.001, "what looking costs: %.4f",
       n / fixed);
}


/* In closed form when the look is at the planned end, where z_seq is known. */
static void
test_sequential_means(void)
{
    double  n, z;

    ok(near(ux_power_sequential_means(0.65279, 134.6, 0.05, 0.8, 10000),
            9609.884157380031), "sequential, revenue");

    n = ux_power_sequential_means(0.65279, 134.6, 0.05, 0.8, 2 * 9000);
    z = ux_sequence_z(2 * n, ux_sequence_rho2(0.05, 2 * 9000), 0.05)
        + ux_special_normal_quantile(0.2);

    ok(near(n, 2 * 134.6 * z * z / (0.65279 * 0.65279)),
       "its own z gives it back");

    /* delta^2 is beyond all doubles, so that a look at the end needs 0 */

    n = ux_power_sequential_means(5e198, 1, 0.05, 0.8, 10000);

    ok(n >= 0 && n < 1, "an effect beyond measure needs less than a visitor");
}


static void
test_undefined(void)
{
    ok(isnan(ux_power_proportions(0, 0.1, 0.05, 0.8))
       && isnan(ux_power_proportions(0.1, 1, 0.05, 0.8))
       && isnan(ux_power_proportions(NAN, 0.1, 0.05, 0.8)),
       "rates outside (0, 1)");
    ok(isnan(ux_power_proportions(0.1, 0.1, 0.05, 0.8))
       && isnan(ux_power_means(0, 100, 0.05, 0.8))
       && isnan(ux_power_sequential(0.1, 0.1, 0.05, 0.8, 10000)),
       "no effect takes for ever");
    ok(isnan(ux_power_proportions(0.1, 0.2, 0, 0.8))
       && isnan(ux_power_proportions(0.1, 0.2, 1, 0.8))
       && isnan(ux_power_proportions(0.1, 0.2, 1.5, 0.8))
       && isnan(ux_power_of(0.1, 0.2, 100, 0))
       && isnan(ux_power_mde(0.1, 100, 1.5, 0.8)),
       "alpha outside (0, 1)");
    ok(isnan(ux_power_proportions(0.1, 0.2, 0.05, 0))
       && isnan(ux_power_proportions(0.1, 0.2, 0.05, 1))
       && isnan(ux_power_mde(0.1, 100, 0.05, 1)),
       "power outside (0, 1)");
    ok(isnan(ux_power_proportions(0.1, 0.2, 0.05, 0.01))
       && isnan(ux_power_mde(0.1, 100, 0.05, 0.01)),
       "less power than nobody has");
    ok(isnan(ux_power_means(1, -1, 0.05, 0.8))
       && isnan(ux_power_means(1, 0, 0.05, 0.8)), "no variance");
    ok(isnan(ux_power_of(0.1, 0.2, 0, 0.05))
       && isnan(ux_power_mde(0.1, 0, 0.05, 0.8))
       && isnan(ux_power_mde(0.1, -1, 0.05, 0.8)), "nobody");
    ok(isnan(ux_power_mde(1, 100, 0.05, 0.8))
       && isnan(ux_power_mde(0, 100, 0.05, 0.8))
       && isnan(ux_power_mde(-0.1, 100, 0.05, 0.8)), "no room for an effect");
    ok(isnan(ux_power_sequential(0.1, 0.2, 0.05, 0.8, 0))
       && isnan(ux_power_sequential_means(1, 1, 2, 0.8, 100))
       && isnan(ux_power_sequential_means(1, NAN, 0.05, 0.8, 100)),
       "nor for a sequence");
}


static bool
near(double value, double expected)
{
    return fabs(value - expected) <= 1e-9 * fabs(expected);
}
