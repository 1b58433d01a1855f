
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_split_lift: the lifts an exact split leaves possible, against 45-digit
 * values and against the test it turns round.
 */

#include "ux_split.h"
#include "tap.h"

#include <math.h>


static void test_single(void);
static void test_several(void);
static void test_unbounded(void);
static void test_contradiction(void);
static void test_undefined(void);
static void test_duality(void);
static void test_inversion(void);
static void test_huge(void);
static void test_bisected(void);
static ux_interval_t bisected(const ux_stratum_t *epochs, unsigned n,
    double level);
static double plain_edge(const ux_stratum_t *epochs, unsigned n, double limit,
    double inside, double step);
static double plain_log_e(const ux_stratum_t *epochs, unsigned n, double v);
static double plain_slope(const ux_stratum_t *epochs, unsigned n, double v);
static uint64_t some(uint64_t *seed);
static ux_stratum_t epoch(uint64_t a, uint64_t b, double share_a,
    double share_b);
static bool near(double value, double expected);
static uint64_t random_next(uint64_t *seed);


int
main(void)
{
    test_single();
    test_several();
    test_unbounded();
    test_contradiction();
    test_undefined();
    test_duality();
    test_inversion();
    test_huge();
    test_bisected();

    return done();
}


static void
test_single(void)
{
    size_t         i;
    ux_stratum_t   only;
    ux_interval_t  ci;

    static const struct {
        uint64_t  a;
        uint64_t  b;
        double    share_a;
        double    share_b;
        double    concentration;
        double    level;
        double    lo;
        double    hi;
    }  cases[] = {
        { 122, 267, 0.5, 0.5, 100, 0.05, 0.3717876584843818,
          2.5930993154943835 },
        { 1500, 1680, 1, 1, 400, 0.05, 0.00496740434173915,
          0.24847683243376556 },
        { 900, 130, 0.9, 0.1, 100, 0.05, -0.0328261948471731,
          0.7122746122968504 },
        { 30, 60, 0.5, 0.5, 20, 0.0125, -0.06520383894243525,
          3.58684664363452 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        only = epoch(cases[i].a, cases[i].b, cases[i].share_a,
                     cases[i].share_b);
        ci = ux_split_lift(&only, 1, cases[i].concentration, cases[i].level);

        ok(near(ci.lo, cases[i].lo), "lo of %llu, %llu: %.17g",
           (unsigned long long) cases[i].a, (unsigned long long) cases[i].b,
           ci.lo);
        ok(near(ci.hi, cases[i].hi), "hi: %.17g", ci.hi);
    }
}


static void
test_several(void)
{
    ux_stratum_t   epochs[4];
    ux_interval_t  ci;

    epochs[0] = epoch(500, 560, 0.5, 0.5);
    epochs[1] = epoch(180, 27, 0.9, 0.1);
    ci = ux_split_lift(epochs, 2, 100, 0.05);

    ok(near(ci.lo, -0.057384328995626316) && near(ci.hi, 0.3696323901866665),
       "two epochs: %.17g %.17g", ci.lo, ci.hi);

    epochs[0] = epoch(95, 7, 0.95, 0.05);
    epochs[1] = epoch(400, 430, 1, 1);
    epochs[2] = epoch(0, 0, 0.2, 0.8);
    epochs[3] = epoch(3, 9, 1, 4);
    ci = ux_split_lift(epochs, 4, 100, 0.01);

    ok(near(ci.lo, -0.15142926716140892)
       && near(ci.hi, 0.37262332944564164), "four, one of them empty: "
       "%.17g %.17g", ci.lo, ci.hi);

    epochs[2] = epoch(0, 50, 0, 1);
    ci = ux_split_lift(epochs, 4, 100, 0.01);

    ok(near(ci.lo, -0.15142926716140892)
       && near(ci.hi, 0.37262332944564164),
       "an epoch without the control says nothing");
}


static void
test_unbounded(void)
{
    ux_stratum_t   epochs[2];
    ux_interval_t  ci;

    epochs[0] = epoch(0, 3, 0.5, 0.5);
    ci = ux_split_lift(epochs, 1, 100, 0.05);
    ok(near(ci.lo, -0.771487319628197) && isnan(ci.hi),
       "none in the control: no upper bound");

    epochs[0] = epoch(0, 14, 0.5, 0.5);
    epochs[1] = epoch(0, 3, 0.9, 0.1);
    ci = ux_split_lift(epochs, 2, 100, 0.05);
    ok(near(ci.lo, -0.1756957433476114) && isnan(ci.hi), "nor in two epochs");

    epochs[0] = epoch(1, 0, 0.5, 0.5);
    ci = ux_split_lift(epochs, 1, 100, 0.05);
    ok(ci.lo == -1 && near(ci.hi, 38), "none in the variant: -1 to 38");

    epochs[0] = epoch(1, 0, 0.5, 0.5);
    epochs[1] = epoch(0, 1, 0.5, 0.5);
    ci = ux_split_lift(epochs, 2, 100, 0.05);
    ok(ci.lo > -1 && ci.lo < -0.9 && near(ci.hi, -ci.lo / (1 + ci.lo)),
       "one each, in two epochs: bounded and symmetrical");

    epochs[0] = epoch(0, 0, 0.5, 0.5);
    ci = ux_split_lift(epochs, 1, 100, 0.05);
    ok(ci.lo == -1 && isnan(ci.hi), "nobody: everything is possible");

    ci = ux_split_lift(epochs, 0, 100, 0.05);
    ok(ci.lo == -1 && isnan(ci.hi), "no epochs: the same");
}


static void
test_contradiction(void)
{
    ux_stratum_t   epochs[2];
    ux_interval_t  ci;

    epochs[0] = epoch(300, 60, 0.5, 0.5);
    epochs[1] = epoch(60, 300, 0.5, 0.5);
    ci = ux_split_lift(epochs, 2, 100, 0.05);

    ok(isnan(ci.lo) && isnan(ci.hi), "no lift fits both epochs");
    ok(!isnan(ux_split_lift(epochs, 1, 100, 0.05).lo)
       && !isnan(ux_split_lift(epochs + 1, 1, 100, 0.05).lo),
       "though one fits each");
}


static void
test_undefined(void)
{
    ux_stratum_t  only;

    only = epoch(50, 60, 0.5, 0.5);

    ok(isnan(ux_split_lift(&only, 1, 100, 0).lo)
       && isnan(ux_split_lift(&only, 1, 100, 1).lo)
       && isnan(ux_split_lift(&only, 1, 100, NAN).hi), "no level");
    ok(isnan(ux_split_lift(&only, 1, 0, 0.05).lo), "no concentration");

    only.share_a = NAN;
    ok(isnan(ux_split_lift(&only, 1, 100, 0.05).lo), "no share");

    only.share_a = -1;
    ok(isnan(ux_split_lift(&only, 1, 100, 0.05).lo), "a negative one");
}


/* No lift is inside exactly while the factor is below 1 / level. */
static void
test_duality(void)
{
    bool           inside;
    double         log_e;
    unsigned       i, k, n, wrong;
    uint64_t       seed;
    ux_stratum_t   epochs[3];
    ux_interval_t  ci;

    seed = 8;
    wrong = 0;

    for (i = 0; i < 3000; i++) {
        n = 1 + (unsigned) (random_next(&seed) % 3);

        for (k = 0; k < n; k++) {
            epochs[k] = epoch(1 + random_next(&seed) % 400,
                              1 + random_next(&seed) % 400,
                              (double) (1 + random_next(&seed) % 4),
                              (double) (1 + random_next(&seed) % 4));
        }

        log_e = ux_split_conversions(epochs, n, 100);
        ci = ux_split_lift(epochs, n, 100, 0.05);
        inside = ci.lo < 0 && ci.hi > 0;
        wrong += fabs(log_e - log(20)) > 1e-9 && inside != (log_e < log(20));
    }

    ok(wrong == 0, "the interval holds 0 as long as the test does: %u",
       wrong);
}


/* At either end, log-e against that lift, worked out afresh, is the limit. */
static void
test_inversion(void)
{
    double         v, log_e, end[2], mix;
    unsigned       i, k, wrong;
    uint64_t       seed;
    ux_stratum_t   epochs[2];
    ux_interval_t  ci;

    seed = 12;
    wrong = 0;

    for (i = 0; i < 2000; i++) {
        epochs[0] = epoch(100 + random_next(&seed) % 900,
                          100 + random_next(&seed) % 900, 1, 1);
        epochs[1] = epoch(9 * epochs[0].a.converters,
                          epochs[0].b.converters, 9, 1);
        ci = ux_split_lift(epochs, 2, 50, 0.01);
        end[0] = ci.lo;
        end[1] = ci.hi;

        for (k = 0; k < 2; k++) {
            v = 1 + end[k];
            log_e = ux_split_conversions(epochs, 2, 50);
            mix = 0.5 + 0.5 * v;
            log_e -= (double) epochs[0].b.converters * log(v / mix)
                     - (double) epochs[0].a.converters * log(mix);
            mix = 0.9 + 0.1 * v;
            log_e -= (double) epochs[1].b.converters * log(v / mix)
                     - (double) epochs[1].a.converters * log(mix);

            wrong += !(fabs(log_e - log(100)) < 1e-8);
        }
    }

    ok(wrong == 0, "ends are where log-e is the limit: %u", wrong);
}


static void
test_huge(void)
{
    ux_stratum_t   only;
    ux_interval_t  ci;

    only = epoch(1000000000000, 1000003000000, 1, 1);
    ci = ux_split_lift(&only, 1, 100, 0.05);

    ok(fabs(ci.lo + 4.709133377178644e-06) < 1e-9 * 7.7e-06
       && fabs(ci.hi - 1.0709192808225666e-05) < 1e-9 * 7.7e-06,
       "10^12 conversions: %.17g %.17g", ci.lo, ci.hi);

    only = epoch(1000000000000, 1, 1, 1);
    ci = ux_split_lift(&only, 1, 100, 0.05);
    ok(ci.lo >= -1 && ci.hi < -0.99999999, "10^12 and one: %.17g", ci.hi);

    only = epoch(1, 1000000000000, 1, 1);
    ci = ux_split_lift(&only, 1, 2, 0.05);
    ok(ci.lo > 1e10 && ci.lo < 1e12 && ci.hi > 1e12 && isfinite(ci.hi),
       "one and 10^12: %.3g %.3g", ci.lo, ci.hi);

    ci = ux_split_lift(&only, 1, 100, 0.05);
    ok(ci.lo > 1e8 && isnan(ci.hi), "a bound beyond all doubles is none");
}


/*
 * Whatever is known of the edges beforehand, the result is that of a bisection
 * that works out every midpoint, bit for bit.
 */
static void
test_bisected(void)
{
    unsigned       i, k, n, wrong, unbounded;
    uint64_t       seed;
    ux_stratum_t   epochs[6];
    ux_interval_t  ci, plain;

    static const double  shares[] = { 0.5, 0.9, 0.1, 1, 4, 1e-6 };
    static const double  levels[] = { 0.05, 0.0125, 0.9, 1e-9 };

    seed = 20260131;
    wrong = 0;
    unbounded = 0;

    for (i = 0; i < 20000; i++) {
        n = 1 + (unsigned) (random_next(&seed) % 6);

        for (k = 0; k < n; k++) {
            epochs[k] = epoch(some(&seed), some(&seed),
                              shares[random_next(&seed) % 6],
                              shares[random_next(&seed) % 6]);
        }

        ci = ux_split_lift(epochs, n, 100, levels[i % 4]);
        plain = bisected(epochs, n, levels[i % 4]);

        wrong += (ci.lo != plain.lo && !(isnan(ci.lo) && isnan(plain.lo)))
                 || (ci.hi != plain.hi && !(isnan(ci.hi) && isnan(plain.hi)));
        unbounded += isnan(ci.hi) ? 1 : 0;
    }

    ok(wrong == 0, "as bisected, to the last bit: %u are not", wrong);
    ok(unbounded > 100 && unbounded < 19000, "with a bound and without");
}


static ux_interval_t
bisected(const ux_stratum_t *epochs, unsigned n, double level)
{
    double         lo, hi, mid, limit, a, b;
    unsigned       i;
    ux_interval_t  ci = { NAN, NAN };

    lo = -700;
    hi = 700;
    limit = -log(level);
    a = 0;
    b = 0;

    for (i = 0; i < 70; i++) {
        mid = (lo + hi) / 2;

        if (plain_slope(epochs, n, mid) < 0) {
            lo = mid;

        } else {
            hi = mid;
        }
    }

    for (i = 0; i < n; i++) {
        a += (double) epochs[i].a.converters;
        b += (double) epochs[i].b.converters;
    }

    if (!(plain_log_e(epochs, n, hi) < limit)) {
        return ci;
    }

    ci.lo = b > 0 ? expm1(plain_edge(epochs, n, limit, hi, -1)) : -1;

    if (a > 0) {
        mid = plain_edge(epochs, n, limit, hi, 1);
        ci.hi = mid < 700 ? expm1(mid) : NAN;
    }

    return ci;
}


static double
plain_edge(const ux_stratum_t *epochs, unsigned n, double limit,
    double inside, double step)
{
    double    outside, mid;
    unsigned  i;

    outside = inside + step;

    while (plain_log_e(epochs, n, outside) < limit && fabs(outside) < 700) {
        inside = outside;
        step *= 2;
        outside += step;
    }

    for (i = 0; i < 70; i++) {
        mid = (inside + outside) / 2;

        if (plain_log_e(epochs, n, mid) < limit) {
            inside = mid;

        } else {
            outside = mid;
        }
    }

    return outside;
}


static double
plain_log_e(const ux_stratum_t *epochs, unsigned n, double v)
{
    double    a, b, value, labels;
    unsigned  i;

    labels = 0;

    for (i = 0; i < n; i++) {
        labels += (double) epochs[i].b.converters;
    }

    value = ux_split_conversions(epochs, n, 100) - labels * v;

    for (i = 0; i < n; i++) {
        a = epochs[i].share_a / (epochs[i].share_a + epochs[i].share_b);
        b = epochs[i].share_b / (epochs[i].share_a + epochs[i].share_b);
        labels = (double) epochs[i].a.converters
                 + (double) epochs[i].b.converters;
        value += labels * (v > -1 ? log1p(b * expm1(v))
                                  : log(a + b * exp(v)));
    }

    return value;
}


static double
plain_slope(const ux_stratum_t *epochs, unsigned n, double v)
{
    double    value;
    unsigned  i;

    value = 0;

    for (i = 0; i < n; i++) {
        value -= (double) epochs[i].b.converters;
    }

    for (i = 0; i < n; i++) {
        value += ((double) epochs[i].a.converters
                  + (double) epochs[i].b.converters)
                 / (1 + epochs[i].share_a / epochs[i].share_b * exp(-v));
    }

    return value;
}


/* None, few or very many. */
static uint64_t
some(uint64_t *seed)
{
    uint64_t  digits;

    digits = random_next(seed);

    return digits % 8 == 0 ? 0 : random_next(seed) >> (24 + digits % 40);
}


static ux_stratum_t
epoch(uint64_t a, uint64_t b, double share_a, double share_b)
{
    ux_stratum_t  stratum;

    stratum = (ux_stratum_t) { .share_a = share_a, .share_b = share_b };
    stratum.a.converters = a;
    stratum.b.converters = b;

    return stratum;
}


static bool
near(double value, double expected)
{
    return fabs(value - expected) <= 1e-9 * fabs(expected);
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
