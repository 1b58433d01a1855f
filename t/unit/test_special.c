
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_special against values worked out with 60 digits by other methods
 * (continued fractions, bisection).
 */

#include "ux_special.h"
#include "tap.h"

#include <math.h>


static void test_normal_tail(void);
static void test_normal_quantile(void);
static void test_t_tails(void);
static void test_t_quantile(void);
static void test_beta(void);
static void test_chi_square(void);
static void test_stirling(void);
static void test_outside(void);
static bool near(double value, double expected, double rel);


int
main(void)
{
    test_normal_tail();
    test_normal_quantile();
    test_t_tails();
    test_t_quantile();
    test_beta();
    test_chi_square();
    test_stirling();
    test_outside();

    return done();
}


static void
test_normal_tail(void)
{
    size_t  i;
    double  tail;

    static const struct {
        double  z;
        double  tail;
    }  cases[] = {
        { -8, 0.99999999999999938 },
        { -1, 0.84134474606854295 },
        { 0, 0.5 },
        { 1, 0.15865525393145705 },
        { 2, 0.022750131948179207 },
        { 5, 2.8665157187919391e-7 },
        { 14, 7.7935368191928003e-45 },
        { 37, 5.7255712225245768e-300 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tail = ux_special_normal_tail(cases[i].z);

        ok(near(tail, cases[i].tail, 5e-13), "P(Z > %g): %.17g", cases[i].z,
           tail);
    }
}


static void
test_normal_quantile(void)
{
    double    q, z, worst;
    size_t    i;

    static const struct {
        double  q;
        double  z;
    }  cases[] = {
        { 0.025, 1.9599639845400542 },
        { 0.05, 1.6448536269514727 },
        { 0.005, 2.5758293035489008 },
        { 0.0005, 3.2905267314918948 },
        { 0.3, 0.52440051270804082 },
        { 0.49, 0.025068908258711058 },
        { 0.500001, -2.5066282747057052e-6 },
        { 0.975, -1.9599639845400539 },
        { 1e-10, 6.3613409024040562 },
        { 1e-100, 21.273453560965324 },
        { 1e-300, 37.047096299361199 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        z = ux_special_normal_quantile(cases[i].q);

        ok(near(z, cases[i].z, 1e-15), "normal quantile %g: %.17g",
           cases[i].q, z);
    }

    ok(ux_special_normal_quantile(0.5) == 0, "the median is exactly 0");

    worst = 0;

    for (q = 1e-280; q < 0.5; q *= 1.7) {
        z = ux_special_normal_quantile(q);
        worst = fmax(worst, fabs(ux_special_normal_tail(z) / q - 1)
                            / (1 + z * z));
    }

    ok(worst < 1e-15, "the quantile's tail is q all the way: %g", worst);
}


static void
test_t_tails(void)
{
    size_t  i;
    double  p;

    static const struct {
        double  t;
        double  df;
        double  p;
    }  cases[] = {
        { 0, 3, 1 },
        { 0.5, 1, 0.70483276469913345 },
        { -0.5, 1, 0.70483276469913345 },
        { 12.7062, 1, 0.050000018560710399 },
        { 1e9, 1, 6.3661977236758134e-10 },
        { 2, 2, 0.18350341907227397 },
        { 2.5, 10.301607302890565, 0.03081830385537362 },
        { 0.0001, 7, 0.99992300170998021 },
        { 4.5, 30, 9.5193593921124688e-5 },
        { 20, 100, 9.9942678613369559e-37 },
        { 1.96, 1e6, 0.049996067585269791 },
        { 30, 1e9, 9.8154196879674616e-198 },
        { 2, 1e12, 0.045500263896628369 },
        { 1e150, 2, 1e-300 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        p = ux_special_t_tails(cases[i].t, cases[i].df);

        ok(near(p, cases[i].p, 1e-12), "P(|T| > %g), %.14g degrees: %.17g",
           cases[i].t, cases[i].df, p);
    }

    ok(ux_special_t_tails(INFINITY, 5) == 0, "nothing beyond infinity");
}


static void
test_t_quantile(void)
{
    size_t  i;
    double  t;

    static const struct {
        double  alpha;
        double  df;
        double  t;
    }  cases[] = {
        { 0.05, 1, 12.706204736174704 },
        { 0.05, 2, 4.3026527297494637 },
        { 0.05, 10.301607302890565, 2.2193279508189799 },
        { 0.05, 60, 2.0002978220142605 },
        { 0.05, 6087.382549159771, 1.9603537637175358 },
        { 0.01, 199998, 2.5758538867535987 },
        { 0.001, 1e9, 3.2905267412216255 },
        { 0.05, 1e12, 1.9599639845424265 },
        { 0.9, 3, 0.13659819935369888 },
        { 1e-12, 4, 1565.08351516786 },
        { 1e-30, 1.5, 8.2853912596827311e+19 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        t = ux_special_t_quantile(cases[i].alpha, cases[i].df);

        ok(near(t, cases[i].t, 1e-13), "t of %g, %.14g degrees: %.17g",
           cases[i].alpha, cases[i].df, t);
    }

    t = ux_special_t_quantile(0.999999, 5);
    ok(near(t, 1.3171527621084688e-6, 1e-10), "t of nearly 1: %.17g", t);
}


static void
test_beta(void)
{
    size_t  i;
    double  lower, upper;

    static const struct {
        double  a;
        double  b;
        double  x;
        double  lower;
        double  upper;
    }  cases[] = {
        { 2, 3, 0.25, 0.26171875, 0.73828125 },
        { 0.5, 0.5, 0.125, 0.23005345616261589, 0.76994654383738411 },
        { 1, 1e6, 9.5367431640625e-7, 0.61467755323380387,
          0.38532244676619613 },
        { 30000, 970000, 0.03125, 0.99999999999976411,
          2.3589471047394984e-13 },
        { 1e6, 1e6, 0.5, 0.5, 0.5 },
        { 1e6, 3e6, 0.2490234375, 3.1765618809763486e-6,
          0.99999682343811902 },
        { 1e9, 3e9, 0.2500152587890625, 0.9870818870255555,
          0.0129181129744445 },
        { 5, 2, 0.9375, 0.95050781965255737, 0.049492180347442627 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ux_special_beta(cases[i].a, cases[i].b, cases[i].x, 1 - cases[i].x,
                        &lower, &upper);

        ok(near(lower, cases[i].lower, 2e-11)
           && near(upper, cases[i].upper, 2e-11),
           "incomplete beta of (%g, %g): %.17g and %.17g", cases[i].a,
           cases[i].b, lower, upper);
    }

    ux_special_beta(3, 4, 0, 1, &lower, &upper);
    ok(lower == 0 && upper == 1, "nothing below 0");

    ux_special_beta(3, 4, 1, 0, &lower, &upper);
    ok(lower == 1 && upper == 0, "all below 1");

    /* 1 - x is 1 in doubles long before y is 0 */

    ux_special_beta(7, 1, 1, 1e-30, &lower, &upper);
    ok(near(upper, 7e-30, 1e-12), "y has its own digits: %.17g", upper);
}


static void
test_chi_square(void)
{
    double    tail, worst;
    size_t    i;
    unsigned  df;

    static const struct {
        double    x;
        unsigned  df;
        double    tail;
    }  cases[] = {
        { 3.841458820694124, 1, 0.050000000000000057 },
        { 6.9024049496058275, 1, 0.0086079878108362416 },
        { 526.3157894736842, 1, 1.7884385897530619e-116 },
        { 0.20253125, 2, 0.90369295756041952 },
        { 99.04043212328223, 2, 3.1163298654384601e-22 },
        { 0.001, 3, 0.99999159208094195 },
        { 7.5, 4, 0.11170929281604326 },
        { 777.8068919570745, 5, 7.3144200840689495e-166 },
        { 50, 63, 0.88267969239911015 },
        { 0.5, 500, 1 },
        { 1600, 1000, 1.742039824439163e-30 },
        { 900, 4001, 1 },
        { 5000, 4001, 1.8615855861782e-25 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tail = ux_special_chi_square_tail(cases[i].x, cases[i].df);

        ok(near(tail, cases[i].tail, 1e-11), "chi-square %g, %u degrees:"
           " %.17g", cases[i].x, cases[i].df, tail);
    }

    ok(ux_special_chi_square_tail(0, 3) == 1, "all above 0");
    ok(ux_special_chi_square_tail(2, 0) == 1, "no degrees: nothing to test");
    ok(ux_special_chi_square_tail(INFINITY, 3) == 0, "nothing at infinity");
    ok(ux_special_chi_square_tail(1e13, 3) == 0, "and nearly nothing before");

    /* Q(x; df + 2) = Q(x; df) + h^(df/2) e^-h / gamma(df/2 + 1), h = x / 2 */

    worst = 0;

    for (df = 1; df < 150; df++) {
        tail = ux_special_chi_square_tail(70, df)
               + exp(df / 2.0 * log(35) - 35 - lgamma(df / 2.0 + 1));

        worst = fmax(worst, fabs(ux_special_chi_square_tail(70, df + 2) / tail
                                 - 1));
    }

    ok(worst < 1e-12, "the recurrence over degrees holds: %g", worst);
}


static void
test_stirling(void)
{
    size_t  i;
    double  rest;

    static const struct {
        double  x;
        double  rest;
    }  cases[] = {
        { 0.01, 1.4340079537031842 },
        { 0.5, 0.15342640972002735 },
        { 1, 0.081061466795327258 },
        { 3.25, 0.025562157964525794 },
        { 15.9, 0.0052403998807561082 },
        { 16, 0.0052076559196096404 },
        { 100, 0.00083333055563491468 },
        { 1e6, 8.3333333333330556e-8 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        rest = ux_special_stirling(cases[i].x);

        ok(fabs(rest - cases[i].rest) < 3e-14
           && near(rest, cases[i].rest, 1e-11),
           "what Stirling leaves at %g: %.17g", cases[i].x, rest);
    }
}


static void
test_outside(void)
{
    double  lower, upper;

    ok(isnan(ux_special_normal_quantile(0))
       && isnan(ux_special_normal_quantile(1))
       && isnan(ux_special_normal_quantile(NAN)),
       "no quantile of 0, 1 and NaN");

    ok(isnan(ux_special_t_tails(1, 0)) && isnan(ux_special_t_tails(1, NAN))
       && isnan(ux_special_t_tails(NAN, 4)), "no t without degrees");

    ok(isnan(ux_special_t_quantile(0, 4))
       && isnan(ux_special_t_quantile(1, 4))
       && isnan(ux_special_t_quantile(0.05, 0))
       && isnan(ux_special_t_quantile(0.05, NAN)), "no quantile of t either");

    ok(isnan(ux_special_chi_square_tail(-1, 2))
       && isnan(ux_special_chi_square_tail(NAN, 2)), "no chi-square below 0");

    ux_special_beta(0, 1, 0.5, 0.5, &lower, &upper);
    ok(isnan(lower) && isnan(upper), "no beta of 0");

    ux_special_beta(1, NAN, 0.5, 0.5, &lower, &upper);
    ok(isnan(lower) && isnan(upper), "no beta of NaN");

    ux_special_beta(1, 1, 1.5, -0.5, &lower, &upper);
    ok(isnan(lower) && isnan(upper), "no beta beyond 1");
}


static bool
near(double value, double expected, double rel)
{
    return fabs(value - expected) <= rel * fabs(expected);
}
