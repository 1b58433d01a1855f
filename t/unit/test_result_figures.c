
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_result: every figure of vs_control against values from the formulas,
 * computed apart from this code; and counts that have no such values.
 */

#include "ux_json.h"
#include "result_case.h"


#define METRIC(name)  B "/metrics/" name "/vs_control"


static void test_conversion(void);
static void test_lower(void);
static void test_uneven(void);
static void test_plan(void);
static void test_epochs(void);
static void test_mean(void);
static void test_count(void);
static void test_ratio(void);
static void test_large(void);
static void test_degenerate(void);
static void test_races(void);
static void test_no_sums(void);
static bool figures(const char *metric, const double *expected);
static bool number(const char *metric, const char *name, double expected);
static bool sound(const char *metric, const char *status);


int
main(void)
{
    test_conversion();
    test_lower();
    test_uneven();
    test_plan();
    test_epochs();
    test_mean();
    test_count();
    test_ratio();
    test_large();
    test_degenerate();
    test_races();
    test_no_sums();

    return done();
}


/* 250 and 330 of 5000 each. */
static void
test_conversion(void)
{
    static const double  expected[] = {
        0.016, 0.0018191086095123866, 0.030180891390487616,
        0.32, 0.03235282662388439, 0.7034196624106561, 0.01636565208776886
    };

    begin();
    visit(0, 5000, 250);
    visit(1, 5000, 330);
    look();

    ok(is(GOAL "/status", "\"ok\"") && figures("purchase", expected),
       "conversion: difference, lift, p");
    ok(number("purchase", "p_value", 0.01636565208776886)
       && number("purchase", "p_adjusted", 0.01636565208776886)
       && number("purchase", "rate_adjusted", 0.066)
       && number("purchase", "control_rate_adjusted", 0.05), "and p_value");
    ok(number("purchase", "exact/p_value", 0.023209804727209106)
       && number("purchase", "exact/lift_ci/0", 0.020103680050677752)
       && number("purchase", "exact/lift_ci/1", 0.7133428126056327),
       "exact");
    ok(number("purchase", "probability_better", 0.9996919849823495)
       && near(GOAL "/expected_loss", 3.6927746085953377e-07, 1e-15)
       && is(GOAL "/bayesian", "{\"peeking_safe\":false}"), "Bayesian");
    ok(number("purchase", "fixed_horizon/p_value", 0.0006203536096770012)
       && number("purchase", "fixed_horizon/difference_ci/0",
                 0.006843556872426795)
       && number("purchase", "fixed_horizon/difference_ci/1",
                 0.025201146711988184)
       && is(GOAL "/fixed_horizon/peeking_safe", "false"), "fixed horizon");
    ok(is(A "/metrics/purchase/vs_control", "null"),
       "the control is compared with nothing");

    end();
}


/* Better and loss are of the better direction, all else is as it is. */
static void
test_lower(void)
{
    begin();
    e->metrics[0].lower_is_better = true;
    bind_again();
    visit(0, 5000, 250);
    visit(1, 5000, 330);
    look();

    ok(number("purchase", "difference", 0.016)
       && number("purchase", "lift_ci/0", 0.03235282662388439),
       "lower is better: the lift is above 0");
    ok(near(GOAL "/probability_better", 0.00030801501765048804, 1e-13)
       && number("purchase", "expected_loss", 0.015993971836437269),
       "which is worse");

    end();
}


/* 90 : 10, and one of two goals. */
static void
test_uneven(void)
{
    static const double  expected[] = {
        0.015, -0.003926525844931406, 0.0339265258449314,
        0.3, -0.0763041609887628, 0.7064159120469033, 0.16668672902509976
    };

    begin();
    metric_add(SIGNUP, UX_METRIC_CONVERSION, UX_ROLE_GOAL);
    e->variants[0].weight = 9;
    e->variants[1].weight = 1;
    bind_again();
    visit(0, 18000, 900);
    visit(1, 2000, 130);
    look();

    ok(number("purchase", "ci_level", 0.975) && figures("purchase", expected),
       "90 : 10, at 97.5 %%");
    ok(number("purchase", "exact/p_value", 0.1295907686230239)
       && number("purchase", "exact/lift_ci/0", -0.054174920048186026)
       && number("purchase", "exact/lift_ci/1", 0.7455848310509339),
       "exact, at the same level");
    ok(number("purchase", "probability_better", 0.9976765236315781)
       && near(GOAL "/expected_loss", 3.4103307163385625e-06, 1e-14),
       "Bayesian");

    end();
}


static void
test_plan(void)
{
    static const double  expected[] = {
        0.015, -0.005962920100605555, 0.035962920100605554,
        0.3, -0.11559383113897415, 0.752631175852374, 0.1441410797329268
    };

    begin();
    e->variants[0].weight = 9;
    e->variants[1].weight = 1;
    e->alpha = 0.01;
    e->planned = 50000;
    bind_again();
    visit(0, 18000, 900);
    visit(1, 2000, 130);
    look();

    ok(number("purchase", "ci_level", 0.99) && figures("purchase", expected),
       "another alpha and planned size");

    end();
}


/* 50 : 50, then 90 : 10. */
static void
test_epochs(void)
{
    static const double  expected[] = {
        0.013352941176470595, 0.002009380719153138, 0.024696501633788052,
        0.31748251748251755, 0.04322564625177061, 0.6677067439392117,
        0.009132473437908347
    };

    begin();
    visit(0, 5000, 250);
    visit(1, 5000, 330);
    e->variants[0].weight = 9;
    e->variants[1].weight = 1;
    bind_again();
    visit(0, 9000, 180);
    visit(1, 1000, 26);
    look();

    ok(figures("purchase", expected), "two epochs");
    ok(number("purchase", "rate_adjusted", 0.05541176470588236)
       && number("purchase", "control_rate_adjusted", 0.04205882352941177),
       "weighted rates, whose difference it is");
    ok(number("purchase", "exact/p_value", 0.026502535641636696),
       "exact: the product of both");
    ok(number("purchase", "probability_better", 0.9998431902657313)
       && near(GOAL "/expected_loss", 1.4270252327982567e-07, 1e-14)
       && number("purchase", "fixed_horizon/p_value", 0.0003136194685372874)
       && number("purchase", "fixed_horizon/difference_ci/0",
                 0.00609077054336037),
       "Bayesian and fixed horizon of the same estimate");

    end();
}


/* 250 purchasers and 330, of 10.00, 25.50 or 99.99. */
static void
test_mean(void)
{
    static const double  expected[] = {
        0.253, -0.3953428010540152, 0.9013428010540154,
        0.14796186911515297, -0.19660519671392673, 0.6670220584606654, 1
    };

    begin();
    metric_add(UX_METRIC_REVENUE, UX_METRIC_MEAN, UX_ROLE_SECONDARY);
    bind_again();
    visit(0, 5000, 250);
    visit(1, 5000, 330);
    pay(0, 0, 1000, 100);
    pay(0, 0, 2550, 100);
    pay(0, 0, 9999, 50);
    pay(1, 0, 1000, 150);
    pay(1, 0, 2550, 130);
    pay(1, 0, 9999, 50);
    look();

    ok(figures("revenue", expected)
       && near(B "/metrics/revenue/mean", 1.9629, 1e-13)
       && near(B "/metrics/revenue/variance", 116.05673593718744, 1e-10),
       "a mean");
    ok(number("revenue", "probability_better", 0.8818758728898752)
       && number("revenue", "expected_loss", 0.012372000609826985),
       "Bayesian: normal");
    ok(number("revenue", "fixed_horizon/p_value", 0.23627641815122138)
       && number("revenue", "fixed_horizon/difference_ci/0",
                 -0.16571332220226215), "fixed horizon: Welch's");
    ok(is(METRIC("revenue") "/exact", "null"), "exact is of conversions only");

    end();
}


/* 400 and 480 visitors with 500 and 630 signups. */
static void
test_count(void)
{
    static const double  expected[] = {
        0.026, 0.0024821619935375787, 0.04951783800646241,
        0.26, 0.022513691021414317, 0.5593404994544433, 0.02014467031481324
    };

    begin();
    metric_add(SIGNUP, UX_METRIC_COUNT, UX_ROLE_SECONDARY);
    bind_again();
    visit(0, 5000, 250);
    visit(1, 5000, 250);
    convert(0, SIGNUP, 400);
    convert(1, SIGNUP, 480);
    pay(0, 1, 1, 300);
    pay(0, 1, 2, 100);
    pay(1, 1, 1, 330);
    pay(1, 1, 2, 150);
    look();

    ok(figures("signed_up", expected)
       && is(B "/metrics/signed_up/sum", "630")
       && number("signed_up", "probability_better", 0.9996039725954934),
       "a count: no money, so no minor units");

    end();
}


/* Value by event, of visitors with one event, two or three. */
static void
test_ratio(void)
{
    static const double  expected[] = {
        1.7185185185185219, 1.2238256516813444, 2.2132113853556996,
        0.0825622775800714, 0.05795434585236858, 0.10790947976968357,
        1.0849546733804031e-21
    };

    begin();
    metric_add(RATIO, UX_METRIC_RATIO, UX_ROLE_SECONDARY);
    bind_again();
    visit(0, 5000, 250);
    visit(1, 5000, 250);
    convert(0, RATIO, 1600);
    convert(1, RATIO, 1750);
    pay_events(0, 2, 2000, 1, 1000);
    pay_events(0, 2, 7000, 3, 500);
    pay_events(0, 2, 1200, 2, 100);
    pay_events(1, 2, 2000, 1, 1100);
    pay_events(1, 2, 7500, 3, 600);
    pay_events(1, 2, 1200, 2, 50);
    look();

    ok(figures("view_item", expected)
       && near(B "/metrics/view_item/ratio", 22.533333333333335, 1e-12)
       && near(A "/metrics/view_item/ratio", 20.814814814814813, 1e-12),
       "a ratio");
    ok(number("view_item", "fixed_horizon/difference_ci/0",
              1.3990742214424432)
       && number("view_item", "fixed_horizon/difference_ci/1",
                 2.0379628155946006), "fixed horizon: normal");

    end();
}


/* 10^12 visitors in either arm. */
static void
test_large(void)
{
    begin();
    visit(0, 1000000000000, 100000000000);
    visit(1, 1000000000000, 100010000000);
    look();

    ok(near(GOAL "/difference_ci/0", 7.788207231155737e-06, 1e-12)
       && near(GOAL "/difference_ci/1", 1.2211792768836509e-05, 1e-12)
       && near(GOAL "/lift_ci/0", 7.788121104757018e-05, 1e-11),
       "10^12 visitors: intervals");
    ok(fabs(log(strtod(at(GOAL "/p_now"), NULL)) + 267.17280423852935) < 1e-4,
       "and p");
    ok(is(E "/srm/p_value", "1") && is(GOAL "/significant", "true")
       && sound("purchase", "\"ok\""), "and all the rest");

    end();
}


/* Nothing is made up where nothing can be known. */
static void
test_degenerate(void)
{
    size_t  i;

    static const struct {
        int64_t      n_a, x_a, n_b, x_b;
        const char  *status, *what;
    }  cases[] = {
        { 0, 0, 0, 0, "\"insufficient_data\"", "nobody" },
        { 1, 1, 0, 0, "\"insufficient_data\"", "one in one arm" },
        { 1, 0, 1, 1, "\"insufficient_data\"", "one in either" },
        { 2, 0, 2, 1, "\"baseline_zero\"", "two in either" },
        { 1000, 0, 1000, 0, "\"insufficient_data\"", "no conversions" },
        { 1000, 0, 1000, 90, "\"baseline_zero\"", "none of the control" },
        { 1000, 90, 1000, 0, "\"insufficient_data\"", "none of the other" },
        { 1000, 1000, 1000, 1000, "\"zero_variance\"", "nothing but" },
        { 1000, 500, 1000, 1000, "\"insufficient_data\"", "all of one" },
        { 5000, 0, 5000, 0, "\"insufficient_data\"", "none, as planned" },
        { 5000, 5000, 5000, 0, "\"zero_variance\"", "all against none" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        begin();
        metric_add(UX_METRIC_REVENUE, UX_METRIC_MEAN, UX_ROLE_SECONDARY);
        metric_add(RATIO, UX_METRIC_RATIO, UX_ROLE_SECONDARY);
        metric_add(SIGNUP, UX_METRIC_COUNT, UX_ROLE_GUARDRAIL);
        bind_again();

        visit(0, cases[i].n_a, cases[i].x_a);
        visit(1, cases[i].n_b, cases[i].x_b);
        pay(0, 0, 1000, cases[i].x_a);
        pay(1, 0, 1000, cases[i].x_b);
        look();

        ok(sound("purchase", cases[i].status), "%s", cases[i].what);
        ok(is(GOAL "/p_value", "null") && is(GOAL "/p_now", "null")
           && is(GOAL "/difference_ci", "null")
           && is(GOAL "/lift_ci", "null")
           && is(GOAL "/significant", "false")
           && is(GOAL "/exact/peeking_safe", "{\"error\":\"not found\"}"),
           "%s: null", cases[i].what);
        end();
    }
}


/* What a reader in the midst of a change may come upon. */
static void
test_races(void)
{
    begin();
    metric_add(UX_METRIC_REVENUE, UX_METRIC_MEAN, UX_ROLE_SECONDARY);
    bind_again();
    visit(0, 1000, 1200);
    visit(1, 1000, 100);
    look();
    ok(sound("purchase", "\"insufficient_data\"")
       && is(GOAL "/control_rate_adjusted", "1"),
       "more converters than visitors");
    end();

    begin();
    visit(0, -3, 2);
    visit(1, 1000, 100);
    look();
    ok(sound("purchase", "\"insufficient_data\""), "fewer than no visitors");
    end();

    begin();
    metric_add(UX_METRIC_REVENUE, UX_METRIC_MEAN, UX_ROLE_SECONDARY);
    bind_again();
    visit(0, 1000, 100);
    visit(1, 1000, 100);
    pay(0, 0, 1000, 100);
    pay(1, 0, 1000, 100);
    add(1, UX_ARM_TOTALS + UX_TOTAL_SQ_LO, -100000000);
    look();
    ok(sound("revenue", "\"insufficient_data\"")
       && is(B "/metrics/revenue/variance", "null"),
       "a sum without its squares");
    add(1, UX_ARM_TOTALS + UX_TOTAL_SQ_HI, -1);
    look();
    ok(sound("revenue", "\"insufficient_data\""), "squares below 0");
    end();
}


/* A zone that had no room for the sums. */
static void
test_no_sums(void)
{
    begin();
    metric_add(UX_EVENT_ADD_TO_CART, UX_METRIC_MEAN, UX_ROLE_GOAL);
    metric_add(UX_EVENT_ADD_TO_CART, UX_METRIC_RATIO, UX_ROLE_GUARDRAIL);
    bind_again();
    visit(0, 1000, 100);
    visit(1, 1000, 100);
    convert(0, UX_EVENT_ADD_TO_CART, 100);
    convert(1, UX_EVENT_ADD_TO_CART, 100);
    look();

    ok(sound("add_to_cart", "\"baseline_zero\"")
       && sound("add_to_cart:ratio", "\"insufficient_data\""),
       "sums that nobody keeps");
    ok(is(B "/metrics/add_to_cart:ratio/guardrail", "\"unclear\""),
       "a guardrail without is unclear");

    end();
}


/* difference and its interval, lift and its interval, p_now. */
static bool
figures(const char *metric, const double *expected)
{
    return number(metric, "difference", expected[0])
           && number(metric, "difference_ci/0", expected[1])
           && number(metric, "difference_ci/1", expected[2])
           && number(metric, "lift", expected[3])
           && number(metric, "lift_ci/0", expected[4])
           && number(metric, "lift_ci/1", expected[5])
           && number(metric, "p_now", expected[6]);
}


/* A member of vs_control, to nine digits. */
static bool
number(const char *metric, const char *name, double expected)
{
    char  path[256];

    (void) snprintf(path, sizeof(path), B "/metrics/%s/vs_control/%s", metric,
                    name);

    return near(path, expected, 1e-9 * fabs(expected));
}


/* The status; and the whole document is JSON: it has no NaN in it. */
static bool
sound(const char *metric, const char *status)
{
    char         path[256];
    ux_json_t   *root;
    const char  *text;

    (void) snprintf(path, sizeof(path), B "/metrics/%s/vs_control/status",
                    metric);

    text = at("");
    root = ux_json_parse(str(text));
    ux_json_delete(root);

    return root != NULL && strstr(text, "nan") == NULL && is(path, status);
}
