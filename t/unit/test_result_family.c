
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_result: many comparisons at once (Holm for goals, e-BH for secondary
 * metrics), and guardrails, which stand for themselves.
 */

#include "result_case.h"


#define GUARD  B "/metrics/signed_up"


static void test_levels(void);
static void test_holm(void);
static void test_holm_goals(void);
static void test_dropped(void);
static void test_takes_nobody(void);
static void test_secondary(void);
static void test_guardrail_higher(void);
static void test_guardrail_lower(void);
static void test_guardrail_alone(void);
static bool level_is(unsigned variant, unsigned metric, double level);
static void guarded(bool lower, int64_t control, int64_t other);


int
main(void)
{
    test_levels();
    test_holm();
    test_holm_goals();
    test_dropped();
    test_takes_nobody();
    test_secondary();
    test_guardrail_higher();
    test_guardrail_lower();
    test_guardrail_alone();

    return done();
}


/* alpha over the comparisons of the family, whether or not there are data. */
static void
test_levels(void)
{
    begin();

    look();
    ok(level_is(1, 0, 0.05) && near(GOAL "/ci_level", 0.95, 1e-12),
       "one comparison");

    variant_add("third", 50);
    bind_again();
    look();
    ok(level_is(1, 0, 0.025) && level_is(2, 0, 0.025), "two variants");

    metric_add(UX_METRIC_REVENUE, UX_METRIC_MEAN, UX_ROLE_GOAL);
    metric_add(UX_EVENT_ADD_TO_CART, UX_METRIC_CONVERSION,
               UX_ROLE_SECONDARY);
    metric_add(SIGNUP, UX_METRIC_CONVERSION, UX_ROLE_GUARDRAIL);
    bind_again();
    look();
    ok(level_is(1, 0, 0.0125) && level_is(2, 1, 0.0125)
       && near(GOAL "/ci_level", 0.9875, 1e-12), "by two goals");
    ok(level_is(1, 2, 0.025) && level_is(2, 2, 0.025),
       "secondary metrics are a family of their own");
    ok(level_is(1, 3, 0.05) && level_is(2, 3, 0.05), "a guardrail is none");

    e->alpha = 0.1;
    bind_again();
    look();
    ok(level_is(1, 0, 0.025), "of the experiment's own alpha");

    end();
}


static void
test_holm(void)
{
    double  p[4];

    begin();
    variant_add("third", 50);
    variant_add("fourth", 50);
    bind_again();

    visit(0, 2000, 200);
    visit(1, 2000, 245);
    visit(2, 2000, 290);
    visit(3, 2000, 268);
    look();

    p[1] = p_value(1, 0);
    p[2] = p_value(2, 0);
    p[3] = p_value(3, 0);

    ok(p[2] < p[3] && p[3] < p[1] && p[1] < 1, "three of them");
    ok(close_to(pair(2, 0)->p_adjusted, 3 * p[2]), "the smallest by three");
    ok(close_to(pair(3, 0)->p_adjusted, 2 * p[3]), "the next by two");
    ok(close_to(pair(1, 0)->p_adjusted, fmax(2 * p[3], p[1])),
       "the largest as it is, but not below the one before");
    ok(pair(2, 0)->significant && !pair(3, 0)->significant
       && p[3] < 0.05, "0.03 of one is not 0.03 of three");

    end();
}


/* The smallest ever counts, and the goals of all variants together. */
static void
test_holm_goals(void)
{
    double  p[2];

    begin();
    metric_add(SIGNUP, UX_METRIC_CONVERSION, UX_ROLE_GOAL);
    bind_again();

    visit(0, 2000, 200);
    visit(1, 2000, 280);
    convert(0, SIGNUP, 200);
    convert(1, SIGNUP, 270);
    look();
    p[0] = p_value(1, 0);
    p[1] = p_value(1, 1);

    visit(0, 1000, 100);
    visit(1, 1000, 100);
    convert(0, SIGNUP, 120);
    convert(1, SIGNUP, 100);
    look();

    ok(pair(1, 1)->now.p_now > p[1], "a lead that melted away");
    ok(close_to(pair(1, 0)->p_adjusted, 2 * p[0])
       && close_to(pair(1, 1)->p_adjusted, fmax(p[1], 2 * p[0])),
       "running minima are adjusted");
    ok(near(GOAL "/p_adjusted", 2 * p[0], 1e-12), "and shown");

    end();
}


static void
test_dropped(void)
{
    double  p;

    begin();
    variant_add("third", 50);
    variant_add("never", 50);
    bind_again();

    visit(0, 2000, 200);
    visit(1, 2000, 280);
    visit(2, 2000, 250);
    visit(3, 2000, 0);
    look();
    p = p_value(1, 0);
    ok(close_to(pair(1, 0)->p_adjusted, 3 * p), "one of three");

    e->nvariants = 2;
    bind_again();
    look();
    ok(result.experiment.nvariants == 4
       && result.experiment.variants[2].removed, "two are dropped");
    ok(close_to(pair(1, 0)->p_adjusted, 2 * p)
       && level_is(1, 0, 0.025),
       "the one that was ever compared is one of the family still");
    ok(p_value(2, 0) < 1
       && close_to(pair(2, 0)->p_adjusted,
                   fmax(2 * p, p_value(2, 0))), "with what was seen of it");
    ok(isnan(pair(3, 0)->p_adjusted), "the other one never was in it");
    ok(is(E "/variants/third/metrics/purchase/vs_control/status", "\"ok\""),
       "its visitors are compared");

    end();
}


static void
test_takes_nobody(void)
{
    begin();
    variant_add("third", 0);
    bind_again();

    visit(0, 2000, 200);
    visit(1, 2000, 280);
    look();
    ok(level_is(1, 0, 0.05)
       && close_to(pair(1, 0)->p_adjusted, p_value(1, 0)),
       "a weight of 0 from the beginning is no comparison");
    ok(!ux_result_compared(&result, 2) && isnan(pair(2, 0)->p_adjusted),
       "nor has it any");

    end();
}


/* Logarithms of e of 3 metrics; adjusted is min over k >= rank of m/(k e). */
static void
test_secondary(void)
{
    double  e1, e2, e3, best;

    begin();
    metric_add(SIGNUP, UX_METRIC_CONVERSION, UX_ROLE_SECONDARY);
    metric_add(UX_EVENT_ADD_TO_CART, UX_METRIC_CONVERSION,
               UX_ROLE_SECONDARY);
    metric_add(UX_EVENT_VIEW_ITEM, UX_METRIC_CONVERSION, UX_ROLE_SECONDARY);
    bind_again();

    visit(0, 2000, 200);
    visit(1, 2000, 200);
    convert(0, SIGNUP, 200);
    convert(1, SIGNUP, 300);
    convert(0, UX_EVENT_ADD_TO_CART, 200);
    convert(1, UX_EVENT_ADD_TO_CART, 290);
    convert(0, UX_EVENT_VIEW_ITEM, 200);
    convert(1, UX_EVENT_VIEW_ITEM, 240);
    look();

    e1 = exp(pair(1, 1)->now.log_e);
    e2 = exp(pair(1, 2)->now.log_e);
    e3 = exp(pair(1, 3)->now.log_e);
    best = fmin(3 / (2 * e2), 3 / (3 * e3));

    ok(e1 > e2 && e2 > e3 && e3 > 1, "three of them");
    ok(close_to(pair(1, 2)->p_adjusted, best), "the second of three");
    ok(close_to(pair(1, 1)->p_adjusted, fmin(3 / e1, best)), "the first");
    ok(close_to(pair(1, 3)->p_adjusted, 1 / e3), "the last");
    ok(pair(1, 1)->significant && pair(1, 2)->significant
       && !pair(1, 3)->significant && !pair(1, 0)->significant,
       "what is significant");

    /* not the smallest ever: e-BH takes e as it is */

    convert(0, SIGNUP, 90);
    look();
    ok(p_value(1, 1) < 0.001 && pair(1, 1)->p_adjusted > 0.5
       && !pair(1, 1)->significant, "a lead that melted away is none");

    end();
}


/* Higher is better: -20 % of signups, in the other variant. */
static void
test_guardrail_higher(void)
{
    double  lo, hi;

    begin();
    guarded(false, 4000, 3200);

    lo = pair(1, 1)->now.lift_ci.lo;
    hi = pair(1, 1)->now.lift_ci.hi;
    ok(lo < -0.2 && -0.2 < hi && hi < -0.01
       && pair(1, 1)->guard == UX_GUARD_HARMED, "harmed");
    ok(is(GUARD "/guardrail", "\"harmed\"")
       && is(GUARD "/role", "\"guardrail\"")
       && is(A "/metrics/signed_up/guardrail", "null"),
       "which is said of the variant, not of the control");

    e->metrics[1].margin = -hi - 1e-9;
    look();
    ok(pair(1, 1)->guard == UX_GUARD_HARMED, "by a little more than that");
    e->metrics[1].margin = -hi + 1e-9;
    look();
    ok(pair(1, 1)->guard == UX_GUARD_UNCLEAR
       && is(GUARD "/guardrail", "\"unclear\""), "maybe less");
    e->metrics[1].margin = -lo - 1e-9;
    look();
    ok(pair(1, 1)->guard == UX_GUARD_UNCLEAR, "maybe more");
    e->metrics[1].margin = -lo + 1e-9;
    look();
    ok(pair(1, 1)->guard == UX_GUARD_OK && is(GUARD "/guardrail", "\"ok\""),
       "less for sure");

    end();
    begin();
    guarded(false, 3200, 4000);
    ok(pair(1, 1)->guard == UX_GUARD_OK, "better is ok");
    end();
}


/* Lower is better: +25 %. */
static void
test_guardrail_lower(void)
{
    double  lo, hi;

    begin();
    guarded(true, 3200, 4000);

    lo = pair(1, 1)->now.lift_ci.lo;
    hi = pair(1, 1)->now.lift_ci.hi;
    ok(0.01 < lo && lo < 0.25 && 0.25 < hi
       && pair(1, 1)->guard == UX_GUARD_HARMED, "harmed");

    e->metrics[1].margin = lo + 1e-9;
    look();
    ok(pair(1, 1)->guard == UX_GUARD_UNCLEAR, "maybe less");
    e->metrics[1].margin = hi - 1e-9;
    look();
    ok(pair(1, 1)->guard == UX_GUARD_UNCLEAR, "maybe more");
    e->metrics[1].margin = hi + 1e-9;
    look();
    ok(pair(1, 1)->guard == UX_GUARD_OK, "less for sure");

    end();
    begin();
    guarded(true, 4000, 3200);
    ok(pair(1, 1)->guard == UX_GUARD_OK, "better is ok");
    end();
}


static void
test_guardrail_alone(void)
{
    begin();
    guarded(false, 4000, 3200);

    ok(close_to(pair(1, 1)->p_adjusted, p_value(1, 1))
       && pair(1, 1)->significant, "nothing to be adjusted for");
    ok(close_to(pair(1, 0)->p_adjusted, p_value(1, 0)),
       "nor does it cost the goal anything");
    end();

    begin();
    metric_add(SIGNUP, UX_METRIC_CONVERSION, UX_ROLE_GUARDRAIL);
    bind_again();
    visit(0, 1000, 0);
    visit(1, 1000, 0);
    convert(0, SIGNUP, 24);
    convert(1, SIGNUP, 200);
    look();
    ok(pair(1, 1)->guard == UX_GUARD_UNCLEAR, "below the gate it is unclear");
    end();
}


static bool
level_is(unsigned variant, unsigned metric, double level)
{
    return close_to(pair(variant, metric)->level, level);
}


/* 20,000 visitors in either arm, who purchase alike. */
static void
guarded(bool lower, int64_t control, int64_t other)
{
    metric_add(SIGNUP, UX_METRIC_CONVERSION, UX_ROLE_GUARDRAIL);
    e->metrics[1].lower_is_better = lower;
    bind_again();

    visit(0, 20000, 1000);
    visit(1, 20000, 1000);
    convert(0, SIGNUP, control);
    convert(1, SIGNUP, other);
    look();
}
