
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_posterior against exact sums over the conversions of one arm, worked out
 * with 60 digits, exact integrals of polynomials, and what holds for any arms.
 */

#include "ux_posterior_kept.h"
#include "tap.h"

#include <math.h>
#include <string.h>


#define PRECISE  1e-11
#define QUICK    1e-8
#define TWO      2e-9                  /* of two arms */
#define ANY      3e-9                  /* of any two, whatever compiler */


static void test_beta(void);
static void test_two(void);
static void test_two_weak(void);
static void test_two_weaker(void);
static void test_two_normal(void);
static void test_two_any(void);
static void test_kept(void);
static void test_normal(void);
static void test_normal_edges(void);
static void test_many(void);
static void test_many_two(void);
static void test_many_any(void);
static void test_outside(void);
static bool same(ux_posterior_t value, ux_posterior_t expected, double rel);
static ux_beta_t beta(double a, double b);
static double error(double value, double expected);
static double drawn(uint32_t *state);


int
main(void)
{
    test_beta();
    test_two();
    test_two_weak();
    test_two_weaker();
    test_two_normal();
    test_two_any();
    test_kept();
    test_normal();
    test_normal_edges();
    test_many();
    test_many_two();
    test_many_any();
    test_outside();

    return done();
}


static void
test_beta(void)
{
    ux_beta_t  made;

    made = ux_posterior_beta(3, 10, beta(1, 2));
    ok(made.alpha == 4 && made.beta == 9, "prior and counts");

    made = ux_posterior_beta(11, 10, beta(1, 1));
    ok(isnan(made.alpha) && isnan(made.beta), "more than all: NaN");
}


static void
test_two(void)
{
    size_t          i;
    ux_posterior_t  quick, precise;

    static const struct {
        ux_beta_t       a;
        ux_beta_t       b;
        ux_posterior_t  expected;
        const char     *name;
    }  cases[] = {
        { { 1, 1 }, { 1, 1 },
          { 0.5, 0.5, 0.16666666666666667, 0.16666666666666667 },
          "nobody" },
        { { 1, 2 }, { 2, 1 },
          { 0.83333333333333333, 0.16666666666666667, 0.36666666666666667,
            0.033333333333333333 },
          "one each" },
        { { 51, 1 }, { 81, 1 },
          { 0.61363636363636364, 0.38636363636363636, 0.011711972238288028,
            0.0046763249587383092 },
          "all converted" },
        { { 4, 998 }, { 10, 992 },
          { 0.95438070694134983, 0.045619293058650173,
            0.0060589313353291759, 7.0907383233367485e-5 },
          "3 and 9 of 1000" },
        { { 8503, 36199 }, { 8280, 37211 },
          { 0.00077733866457621167, 0.99922266133542379,
            5.4781316064081173e-7, 0.0082017259602110051 },
          "day-7 retention" },
        { { 3786, 13509 }, { 3424, 13838 },
          { 1.2860424912139968e-6, 0.99999871395750879,
            1.1062879464128261e-9, 0.020552432020770253 },
          "gross conversion" },
        { { 123, 21185 }, { 268, 21041 },
          { 0.99999999999995765, 4.2347425722651251e-14,
            0.0068043656445717924, 5.1298613740245141e-18 },
          "a loss of 5e-18" },
        { { 300001, 9700001 }, { 301001, 9699001 },
          { 0.90485946861003678, 0.095140531389963218,
            0.00010340464103376601, 3.4046610337620122e-6 },
          "10^7 visitors" },
        { { 1, 1000000 }, { 1, 1000000 },
          { 0.5, 0.5, 4.99999250000875e-7, 4.99999250000875e-7 },
          "no conversions of 10^6" },
        { { 3, 1000000 }, { 1, 2000000 },
          { 0.037037111111102881, 0.96296288888889712,
            1.8518527777750514e-8, 2.5185097778046254e-6 },
          "few conversions of 10^6" },
        { { 1, 12 }, { 1, 12000 },
          { 0.000999000999000999, 0.999000999000999,
            8.3236216899236865e-8, 0.076839833769826278 },
          "skewed" },
        { { 14, 52 }, { 10, 155704 },
          { 8.7494664932677743e-43, 1, 8.9910321702107643e-48,
            0.21205699181989047 },
          "10^-43" },
        { { 72, 14 }, { 2, 753 },
          { 2.306781426869105e-89, 1, 2.8324322822048599e-92,
            0.83456029570306484 },
          "10^-89" },
        { { 1, 1000000 }, { 400, 1000000 },
          { 1, 4.030200232198107e-121, 0.00039884006497440924,
            4.0293903239371176e-127 },
          "10^-121" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        precise = ux_posterior_two(cases[i].a, cases[i].b, true);
        ok(same(precise, cases[i].expected, 2 * PRECISE), "%s: %.17g %.17g"
           " %.17g %.17g", cases[i].name, precise.better, precise.worse,
           precise.loss_a, precise.loss_b);

        quick = ux_posterior_two(cases[i].a, cases[i].b, false);
        ok(same(quick, cases[i].expected, TWO), "%s, quick",
           cases[i].name);
    }
}


/* Priors below 1, from adaptive quadrature with 25 digits. */
static void
test_two_weak(void)
{
    size_t          i;
    ux_posterior_t  precise, quick;

    static const struct {
        ux_beta_t       a;
        ux_beta_t       b;
        ux_posterior_t  expected;
    }  cases[] = {
        { { 0.5, 0.5 }, { 0.5, 0.5 },
          { 0.5, 0.5, 0.20264236728467554, 0.20264236728467554 } },
        { { 0.5, 40.5 }, { 2.5, 33.5 },
          { 0.94020737699257921, 0.059792623007420793,
            0.058396619494118425, 0.0011472970008934926 } },
        { { 0.5, 3.5 }, { 0.7, 1.5 },
          { 0.73999876232787762, 0.26000123767212238,
            0.23236293402950884, 0.039181115847690677 } }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        precise = ux_posterior_two(cases[i].a, cases[i].b, true);
        quick = ux_posterior_two(cases[i].a, cases[i].b, false);

        ok(same(precise, cases[i].expected, PRECISE)
           && same(quick, cases[i].expected, TWO),
           "Beta(%g, %g) and Beta(%g, %g): %.17g %.17g", cases[i].a.alpha,
           cases[i].a.beta, cases[i].b.alpha, cases[i].b.beta,
           precise.better, precise.loss_b);
    }

    quick = ux_posterior_two(beta(0.1, 1e6), beta(0.1, 2e6), false);
    precise = ux_posterior_two(beta(0.1, 1e6), beta(0.1, 2e6), true);
    ok(same(quick, precise, TWO) && fabs(precise.better - 0.46951297437)
                                      < 1e-10,
       "Beta(0.1, 10^6): a straight side and a steep one: %.17g",
       precise.better);

    quick = ux_posterior_two(beta(0.001, 0.001), beta(0.001, 0.001), false);
    ok(error(quick.better, 0.5) < TWO
       && error(quick.loss_a, 0.24999918112726643) < TWO,
       "Beta(0.001, 0.001): %.17g", quick.loss_a);
}


/*
 * Two Beta(1, b), whose loss is b / (2b + 1) / (b + 1): with a weak prior the
 * mode of what is integrated lies hundreds of logits away.  And any weak pair
 * the other way round.
 */
static void
test_two_weaker(void)
{
    double          far, off;
    size_t          i;
    uint32_t        state;
    ux_beta_t       a, b;
    ux_posterior_t  value, other;

    static const double  weak[] = { 0.5, 0.1, 0.01, 0.002, 0.001 };

    far = 0;

    for (i = 0; i < 2 * sizeof(weak) / sizeof(weak[0]); i++) {
        a = beta(1, weak[i / 2]);
        value = ux_posterior_two(a, a, i % 2);
        off = a.beta / (2 * a.beta + 1) / (a.beta + 1);

        far = fmax(far, error(value.better, 0.5));
        far = fmax(far, error(value.loss_a, off));
        far = fmax(far, error(value.loss_b, off));
    }

    ok(far < TWO, "Beta(1, 0.5) to Beta(1, 0.001), twice: %g", far);

    state = 3;
    far = 0;

    for (i = 0; i < 1000; i++) {
        a = beta(exp(-6.9 * drawn(&state)), exp(10 * drawn(&state) - 6.9));
        b = beta(exp(-6.9 * drawn(&state)), exp(10 * drawn(&state) - 6.9));
        value = ux_posterior_two(a, b, false);
        other = ux_posterior_two(beta(b.beta, b.alpha),
                                 beta(a.beta, a.alpha), false);
        far = fmax(far, error(other.better, value.better));
        far = fmax(far, error(other.loss_a, value.loss_a));
        far = fmax(far, error(other.loss_b, value.loss_b));
        far = fmax(far, fabs(value.better + value.worse - 1));
    }

    ok(far < 2 * TWO, "any weak ones and their complements: %g", far);
    ok(isnan(ux_posterior_two(beta(1, 0.0009), beta(1, 1), true).better),
       "weaker than any prior");
}


/* Of very many visitors little but a normal distribution is left. */
static void
test_two_normal(void)
{
    double          m, e, rel;
    size_t          i;
    ux_beta_t       a, b;
    ux_posterior_t  value, normal;

    static const double  visitors[] = { 1e9, 1e10, 1e11, 1e12, 1e14, 1e16 };

    value = ux_posterior_two(beta(30000000001, 970000000001),
                             beta(30000300001, 969999700001), true);
    ok(error(value.better, 0.8931649915858094) < 1e-9
       && error(value.loss_a, 3.123695977752419e-07) < 1e-9
       && error(value.loss_b, 1.2369597775740153e-08) < 1e-9,
       "10^12 visitors: %.17g %.17g", value.better, value.loss_b);

    for (i = 0; i < sizeof(visitors) / sizeof(visitors[0]); i++) {
        m = 0.03;
        e = 2 * m * (1 - m) / visitors[i];

        a = beta(m * visitors[i], (1 - m) * visitors[i]);
        b = beta(a.alpha + 1.3 * sqrt(e) * visitors[i],
                 a.beta - 1.3 * sqrt(e) * visitors[i]);

        value = ux_posterior_two(a, b, false);
        normal = ux_posterior_normal(1.3 * sqrt(e), e);
        rel = fmax(20 / sqrt(m * visitors[i]), 1e-6);

        ok(same(value, normal, rel), "%g visitors are nearly normal: %.10g"
           " and %.10g", visitors[i], value.worse, normal.worse);
    }
}


static void
test_two_any(void)
{
    double          p, losses, swap, complement, both, means;
    unsigned        i;
    uint32_t        state;
    ux_beta_t       a, b;
    ux_posterior_t  value, other, quick;

    state = 1;
    p = 0;
    losses = 0;
    swap = 0;
    complement = 0;
    both = 0;

    for (i = 0; i < 2000; i++) {
        a = beta(exp(20 * drawn(&state) - 1), exp(20 * drawn(&state) - 1));
        b = beta(a.alpha * exp(drawn(&state) - 0.5),
                 a.beta * exp(2 * drawn(&state) - 1));

        value = ux_posterior_two(a, b, true);
        means = (double) ((b.alpha * (long double) a.beta
                           - a.alpha * (long double) b.beta)
                          / (a.alpha + a.beta) / (b.alpha + b.beta));

        p = fmax(p, fabs(value.better + value.worse - 1));
        losses = fmax(losses, fabs(value.loss_a - value.loss_b - means)
                              / fmax(value.loss_a, value.loss_b));

        other = ux_posterior_two(b, a, true);
        swap = fmax(swap, error(other.worse, value.better));
        swap = fmax(swap, error(other.loss_b, value.loss_a));

        other = ux_posterior_two(beta(b.beta, b.alpha),
                                 beta(a.beta, a.alpha), true);
        complement = fmax(complement, error(other.worse, value.worse));
        complement = fmax(complement, error(other.loss_b, value.loss_b));

        quick = ux_posterior_two(a, b, false);

        if (value.loss_a > 1e-280 && value.loss_b > 1e-280) {
            both = fmax(both, error(quick.better, value.better));
            both = fmax(both, error(quick.worse, value.worse));
            both = fmax(both, error(quick.loss_a, value.loss_a));
            both = fmax(both, error(quick.loss_b, value.loss_b));
        }
    }

    ok(p < 1e-10, "of 2000 pairs P(B > A) + P(A > B) = 1: %g", p);
    ok(losses < 1e-11, "losses differ by the means: %g", losses);
    ok(swap == 0, "arms may change places: %g", swap);
    ok(complement < 1e-8, "so may rates and their complements: %g",
       complement);
    ok(both < ANY, "quick is nearly precise: %g", both);
}


/*
 * More pairs than there are places, asked for in turns: as if nothing were
 * kept, to the last bit, and what is there is not worked out again.
 */
static void
test_kept(void)
{
    unsigned        i, turn, wrong;
    uint32_t        state;
    ux_beta_t       a, b;
    ux_posterior_t  made, kept;

    static ux_posteriors_t  posteriors;

    wrong = 0;

    for (turn = 0; turn < 2; turn++) {
        state = 7;

        for (i = 0; i < UX_POSTERIORS_KEPT + 1000; i++) {
            a = beta(1 + floor(20 * drawn(&state)), 30);
            b = beta(1 + floor(20 * drawn(&state)),
                     20 + floor(20 * drawn(&state)));
            made = ux_posterior_two(a, b, false);
            kept = ux_posterior_kept(&posteriors, a, b);
            wrong += memcmp(&made, &kept, sizeof(made)) != 0;
        }
    }

    ok(wrong == 0, "kept or not, the same: %u are not", wrong);

    for (i = 0; i < UX_POSTERIORS_KEPT; i++) {
        posteriors.pairs[i].posterior.better = 2;
    }

    kept = ux_posterior_kept(&posteriors, a, b);
    ok(kept.better == 2, "the last one is there");
    kept = ux_posterior_kept(&posteriors, b, a);
    ok(kept.better <= 1, "the other way round it is another");
    kept = ux_posterior_kept(NULL, a, b);
    made = ux_posterior_two(a, b, false);
    ok(memcmp(&made, &kept, sizeof(made)) == 0, "nowhere to keep it");
    kept = ux_posterior_kept(&posteriors, beta(0, 0), beta(0, 0));
    ok(isnan(kept.better), "what is not defined is not kept");
}


static void
test_normal(void)
{
    size_t          i;
    ux_posterior_t  value;

    static const struct {
        double          difference;
        double          error;
        ux_posterior_t  expected;
    }  cases[] = {
        { 0, 1, { 0.5, 0.5, 0.39894228040143268, 0.39894228040143268 } },
        { 1, 1, { 0.84134474606854295, 0.15865525393145705,
                  1.0833154705876863, 0.083315470587686298 } },
        { 0.5, 4, { 0.59870632568292372, 0.40129367431707628,
                    1.0726893964471603, 0.57268939644716028 } },
        { 2.9, 1, { 0.99813418669961596, 0.0018658133003840385,
                    2.9005416738486621, 0.00054167384866214392 } },
        { 3.1, 1, { 0.99903239678678164, 0.0009676032132183566,
                    3.1002672490952231, 0.00026724909522301402 } },
        { 3, 0.25, { 0.99999999901341235, 9.8658764503769814e-10,
                     3.0000000000781785, 7.8178489798548321e-11 } },
        { -2, 1, { 0.022750131948179207, 0.97724986805182079,
                   0.0084907026168296375, 2.0084907026168296 } },
        { 30, 1, { 1, 4.9067139271481871e-198, 30,
                   1.6319567340914012e-199 } }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        value = ux_posterior_normal(cases[i].difference, cases[i].error);

        ok(same(value, cases[i].expected, 1e-12), "%g with variance %g:"
           " %.17g %.17g", cases[i].difference, cases[i].error, value.worse,
           value.loss_b);
    }
}


static void
test_normal_edges(void)
{
    ux_posterior_t  value;

    value = ux_posterior_normal(50, 1);
    ok(value.better == 1 && value.worse == 0 && value.loss_a == 50
       && value.loss_b == 0, "50 deviations");

    value = ux_posterior_normal(-2, 0);
    ok(value.better == 0 && value.worse == 1 && value.loss_a == 0
       && value.loss_b == 2, "certainty");

    value = ux_posterior_normal(0, 0);
    ok(value.better == 0.5 && value.worse == 0.5 && value.loss_a == 0
       && value.loss_b == 0, "certain equals");

    ok(isnan(ux_posterior_normal(1, -1).better)
       && isnan(ux_posterior_normal(NAN, 1).loss_a)
       && isnan(ux_posterior_normal(1, NAN).loss_b), "NaN for the impossible");
}


static void
test_many(void)
{
    bool      precise;
    size_t    i;
    double    best[4], loss[4], worst;
    unsigned  j;

    static const struct {
        unsigned   n;
        ux_beta_t  arms[4];
        double     best[4];
        double     loss[4];
    }  cases[] = {
        { 3, { { 3, 8 }, { 4, 9 }, { 5, 7 } },
          { 0.16016990846092325, 0.22300635212852329, 0.61682373941055346 },
          { 0.1917246411662011, 0.15675960620116613,
            0.047785247226807157 } },
        { 4, { { 1, 11 }, { 1, 11 }, { 1, 11 }, { 1, 11 } },
          { 0.25, 0.25, 0.25, 0.25 },
          { 0.084555271383915885, 0.084555271383915885,
            0.084555271383915885, 0.084555271383915885 } },
        { 4, { { 2, 30 }, { 12, 6 }, { 11, 6 }, { 9, 8 } },
          { 6.9138893772015025e-10, 0.49719674778417094,
            0.40609405578179583, 0.096709195742644286 },
          { 0.66378784464025065, 0.059621177973583983,
            0.079229021110838885, 0.1968760799343683 } },
        { 3, { { 501, 9501 }, { 13, 189 }, { 61, 941 } },
          { 0.018848727572924447, 0.5456492531251786, 0.4355020193018965 },
          { 0.020087441799894572, 0.005820988159929495,
            0.0092991802905198 } },
        { 1, { { 3, 8 } }, { 1 }, { 0 } }
    };

    for (i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
        precise = i % 2;
        worst = 0;

        ok(ux_posterior_many(cases[i / 2].arms, cases[i / 2].n, precise, best,
                             loss) == UX_OK, "%u arms", cases[i / 2].n);

        for (j = 0; j < cases[i / 2].n; j++) {
            worst = fmax(worst, error(best[j], cases[i / 2].best[j]));
            worst = fmax(worst, error(loss[j], cases[i / 2].loss[j]));
        }

        ok(worst < (precise ? PRECISE : QUICK), "and right: %g", worst);
    }
}


static void
test_many_two(void)
{
    double          best[2], loss[2], worst;
    unsigned        i;
    uint32_t        state;
    ux_beta_t       arms[2];
    ux_posterior_t  value;

    state = 7;
    worst = 0;

    for (i = 0; i < 1000; i++) {
        arms[0] = beta(exp(14 * drawn(&state)), exp(25 * drawn(&state)));
        arms[1] = beta(arms[0].alpha * exp(2 * drawn(&state) - 1) + 1,
                       arms[0].beta * exp(4 * drawn(&state) - 2) + 1);

        value = ux_posterior_two(arms[0], arms[1], true);
        ux_posterior_many(arms, 2, false, best, loss);

        if (value.better > 1e-20 && value.worse > 1e-20) {
            worst = fmax(worst, error(best[1], value.better));
            worst = fmax(worst, error(best[0], value.worse));
            worst = fmax(worst, error(loss[0], value.loss_a));
            worst = fmax(worst, error(loss[1], value.loss_b));
        }
    }

    ok(worst < 1e-7, "two of many are two: %g", worst);
}


static void
test_many_any(void)
{
    double     best[UX_POSTERIOR_ARMS], loss[UX_POSTERIOR_ARMS];
    double     sums, spread, sum, scale, top;
    unsigned   i, j, n;
    uint32_t   state;
    ux_beta_t  arms[UX_POSTERIOR_ARMS];

    state = 3;
    sums = 0;
    spread = 0;

    for (i = 0; i < 300; i++) {
        n = 2 + i % (UX_POSTERIOR_ARMS - 1);
        scale = exp(25 * drawn(&state));

        for (j = 0; j < n; j++) {
            arms[j] = beta(1 + scale * drawn(&state) * 0.03,
                           1 + scale * (0.5 + drawn(&state)));
        }

        ux_posterior_many(arms, n, false, best, loss);

        sum = 0;
        top = loss[0] + arms[0].alpha / (arms[0].alpha + arms[0].beta);

        for (j = 0; j < n; j++) {
            sum += best[j];
            spread = fmax(spread, error(loss[j] + arms[j].alpha
                                        / (arms[j].alpha + arms[j].beta),
                                        top));
        }

        sums = fmax(sums, fabs(sum - 1));
    }

    ok(sums < 1e-8, "somebody is the best: %g", sums);
    ok(spread < 1e-8, "mean and loss add up to the same maximum: %g", spread);
}


static void
test_outside(void)
{
    double          best[UX_POSTERIOR_ARMS], loss[UX_POSTERIOR_ARMS];
    ux_beta_t       arms[UX_POSTERIOR_ARMS + 1];
    ux_posterior_t  value;

    value = ux_posterior_two(beta(0, 1), beta(1, 1), true);
    ok(isnan(value.better) && isnan(value.worse) && isnan(value.loss_a)
       && isnan(value.loss_b), "no Beta(0, 1)");

    ok(isnan(ux_posterior_two(beta(1, 1), beta(1, -1), true).better)
       && isnan(ux_posterior_two(beta(1, NAN), beta(1, 1), true).better)
       && isnan(ux_posterior_two(beta(1, 1), beta(INFINITY, 1), true).better),
       "nor below 0, of NaN, of infinity");

    arms[0] = beta(1, 1);
    arms[1] = beta(NAN, 1);
    ok(ux_posterior_many(arms, 2, false, best, loss) == UX_ERROR
       && isnan(best[0]) && isnan(loss[0]) && isnan(best[1])
       && isnan(loss[1]), "none of many is NaN");

    ok(ux_posterior_many(arms, 0, false, best, loss) == UX_OK, "no arms");
    ok(ux_posterior_many(arms, UX_POSTERIOR_ARMS + 1, false, best, loss)
       == UX_FULL, "too many");
}


static bool
same(ux_posterior_t value, ux_posterior_t expected, double rel)
{
    return error(value.better, expected.better) < rel
           && error(value.worse, expected.worse) < rel
           && error(value.loss_a, expected.loss_a) < rel
           && error(value.loss_b, expected.loss_b) < rel;
}


static ux_beta_t
beta(double a, double b)
{
    ux_beta_t  made;

    made.alpha = a;
    made.beta = b;

    return made;
}


/* Relative; NaN is beyond any bound. */
static double
error(double value, double expected)
{
    if (value == expected) {
        return 0;
    }

    return isnan(value) ? INFINITY
                        : fabs(value - expected) / fabs(expected);
}


/* [0, 1) of a linear congruence (Numerical Recipes' quick one). */
static double
drawn(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;

    return *state / 4294967296.0;
}
