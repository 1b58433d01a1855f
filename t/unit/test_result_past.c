
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_result: what becomes of a decision when its experiment is removed, or
 * another version of it begins.
 */

#include "result_case.h"


#define P  E "/previous"


static void test_removed(void);
static void test_roles(void);
static void test_secondary(void);
static void test_verdicts(void);
static void test_no_more_looks(void);
static void test_previous(void);
static void test_back_again(void);
static void test_of_newest_analysis(void);
static void decided(void);
static void remove_it(void);
static void look_past(void);
static ux_verdict_e verdict_past(void);


int
main(void)
{
    test_removed();
    test_roles();
    test_secondary();
    test_verdicts();
    test_no_more_looks();
    test_previous();
    test_back_again();
    test_of_newest_analysis();

    return done();
}


static void
test_removed(void)
{
    double  p, adjusted, lift;

    begin();
    decided();
    look();
    p = p_value(1, 0);
    adjusted = pair(1, 0)->p_adjusted;
    lift = pair(1, 0)->now.lift_ci.lo;
    ok(verdict() == UX_VERDICT_VARIANT_BETTER && adjusted > p
       && pair(1, 0)->evidence.significant_ms == now, "decided");

    now += DAY;
    remove_it();
    now += DAY;
    look_past();

    ok(result.experiment.verdict == UX_VERDICT_VARIANT_BETTER
       && is(E "/state", "\"removed\"")
       && is(E "/verdict", "\"variant_better\"")
       && is(E "/winner", "\"one_page\""), "it stays decided");
    ok(close_to(p_value(1, 0), p) && close_to(pair(1, 0)->p_adjusted, adjusted)
       && near(GOAL "/p_value", p, 1e-15), "with its p");
    ok(close_to(pair(1, 0)->now.lift_ci.lo, lift), "and its intervals");
    ok(is(GOAL "/significant", "true")
       && is(GOAL "/significant_at", "\"2026-02-01T12:00:00Z\""),
       "and when it was");
    ok(is(E "/waiting_for", "[]") && is(E "/srm/ok", "true"),
       "waits for nothing");
    ok(is(E "/alpha", "0.05") && is(E "/planned_visitors", "10000")
       && is(E "/min_runtime_seconds", "86400")
       && is(E "/goal", "[\"purchase\",\"revenue\"]"),
       "how it was decided is known");

    end();
}


static void
test_roles(void)
{
    begin();
    decided();
    look();
    remove_it();
    look_past();

    ok(is(B "/metrics/purchase/role", "\"goal\"")
       && is(B "/metrics/revenue/role", "\"goal\"")
       && is(B "/metrics/signed_up/role", "\"guardrail\"")
       && is(B "/metrics/add_to_cart/role", "\"secondary\""), "roles");
    ok(is(B "/metrics/signed_up/better", "\"lower\"")
       && is(B "/metrics/signed_up/type", "\"conversion\"")
       && is(B "/metrics/view_item/type", "\"ratio\"")
       && is(B "/metrics/purchase/better", "\"higher\""), "types, directions");
    ok(is(B "/metrics/signed_up/guardrail", "\"ok\"")
       && pair(1, 4)->guard == UX_GUARD_OK
       && result.experiment.model->metrics[4].margin == 0.5,
       "a guardrail with its margin");
    ok(is(A "/control", "true") && is(A "/removed", "false")
       && is(B "/weight", "50"), "variants");

    end();
}


/* What was counted beside is shown, but changes nothing. */
static void
test_secondary(void)
{
    double  level, adjusted;

    begin();
    decided();
    convert(0, UX_EVENT_BEGIN_CHECKOUT, 300);
    convert(1, UX_EVENT_BEGIN_CHECKOUT, 500);
    look();
    level = pair(1, 2)->level;
    adjusted = pair(1, 2)->p_adjusted;
    ok(adjusted < 0.05 && pair(1, 2)->significant, "a secondary metric");

    remove_it();
    look_past();
    ok(close_to(pair(1, 2)->level, level)
       && close_to(pair(1, 2)->p_adjusted, adjusted)
       && pair(1, 2)->significant, "is what it was");
    ok(is(B "/metrics/begin_checkout/visitors", "500")
       && is(B "/metrics/begin_checkout/role", "\"secondary\"")
       && is(B "/metrics/begin_checkout/vs_control/p_value", "null")
       && is(B "/metrics/begin_checkout/vs_control/significant", "false"),
       "an event that was none is shown");

    end();
}


static void
test_verdicts(void)
{
    begin();
    decided();
    convert(1, SIGNUP, 1500);
    look();
    remove_it();
    ok(verdict_past() == UX_VERDICT_GUARDRAIL
       && is(E "/verdict", "\"guardrail\""), "guardrail");
    end();

    begin();
    visit(0, 3000, 300);
    visit(1, 2000, 200);
    look();
    remove_it();
    ok(verdict_past() == UX_VERDICT_SRM
       && is(E "/problems/0/code", "\"srm\""), "srm");
    end();

    begin();
    visit(0, 3000, 300);
    visit(1, 3000, 200);
    look();
    remove_it();
    ok(verdict_past() == UX_VERDICT_CONTROL_BETTER, "control_better");
    end();

    begin();
    e->equivalence = 0.5;
    bind_again();
    visit(0, 3000, 300);
    visit(1, 3000, 300);
    look();
    remove_it();
    ok(verdict_past() == UX_VERDICT_NO_DIFFERENCE, "no_difference");
    end();

    begin();
    visit(0, 3000, 300);
    visit(1, 3000, 300);
    look();
    remove_it();
    ok(verdict_past() == UX_VERDICT_INCONCLUSIVE, "inconclusive");
    end();

    begin();
    now = START + DAY - 1000;
    visit(0, 3000, 300);
    visit(1, 3000, 500);
    look();
    remove_it();
    now += 10 * DAY;
    ok(verdict_past() == UX_VERDICT_STOPPED,
       "stopped: before its minimum runtime");
    end();

    begin();
    visit(0, 200, 24);
    visit(1, 200, 24);
    look();
    remove_it();
    ok(verdict_past() == UX_VERDICT_STOPPED, "stopped: before the gate");
    end();
}


/* Who looks at what is over leaves nothing. */
static void
test_no_more_looks(void)
{
    double  p;

    begin();
    visit(0, 3000, 300);
    visit(1, 3000, 360);
    look();
    p = p_value(1, 0);

    remove_it();
    add(1, UX_ARM_EVENT_VISITORS + w->model.event_slots[UX_EVENT_PURCHASE],
        300);
    look_past();
    ok(close_to(p_value(1, 0), p) && pair(1, 0)->now.p_now < p,
       "p stays, whatever is counted");

    visit(0, 3000, 300);
    look_past();
    look_past();
    ok(result.experiment.balance.log_e > 10, "a mismatch is seen");
    visit(1, 3000, 300);
    look_past();
    ok(result.experiment.balance.log_e < 1, "but not kept");

    end();
}


static void
test_previous(void)
{
    double  p;

    begin();
    decided();
    look();
    p = p_value(1, 0);

    e->version = 2;
    now += DAY;
    bind_again();
    visit(0, 600, 60);
    visit(1, 600, 60);
    look();

    ok(p_value(1, 0) == 1 && is(E "/verdict", "\"collecting\"")
       && is(E "/version", "2"), "the new version knows nothing");
    ok(is(P "/version", "1") && is(P "/verdict", "\"variant_better\"")
       && is(P "/winner", "\"one_page\"")
       && near(P "/variants/one_page/metrics/purchase/vs_control/p_value", p,
               1e-15)
       && is(P "/variants/one_page/metrics/purchase/role", "\"goal\""),
       "the old one knows all");

    end();
}


static void
test_back_again(void)
{
    double  p;

    begin();
    visit(0, 3000, 300);
    visit(1, 3000, 360);
    look();
    p = p_value(1, 0);

    remove_it();
    now += DAY;
    w->model.nexperiments = 1;
    bind_again();
    look();
    ok(close_to(p_value(1, 0), p) && result.experiment.since == 1
       && is(E "/state", "\"running\""), "it goes on where it was");

    end();
}


/* Metrics and how it is decided are those of the newest primary result. */
static void
test_of_newest_analysis(void)
{
    begin();
    metric_add(SIGNUP, UX_METRIC_CONVERSION, UX_ROLE_GUARDRAIL);
    bind_again();
    visit(0, 3000, 300);
    visit(1, 3000, 500);
    look();

    e->alpha = 0.01;
    e->planned = 700;
    e->nmetrics = 0;
    metric_add(UX_EVENT_ADD_TO_CART, UX_METRIC_CONVERSION, UX_ROLE_GOAL);
    bind_again();
    now += DAY;
    visit(0, 300, 30);
    visit(1, 300, 30);
    convert(0, UX_EVENT_ADD_TO_CART, 50);
    convert(1, UX_EVENT_ADD_TO_CART, 60);
    look();
    remove_it();
    look_past();

    ok(result.experiment.model->alpha == 0.01
       && result.experiment.model->planned == 700
       && close_to(pair(1, 0)->level, 0.01), "alpha and planned size");
    ok(is(B "/metrics/add_to_cart/role", "\"goal\"")
       && is(B "/metrics/purchase/role", "\"secondary\"")
       && is(E "/verdict", "\"inconclusive\""), "the new goal");

    end();
}


/* Two goals, two secondary metrics, a guardrail; B wins. */
static void
decided(void)
{
    metric_add(UX_METRIC_REVENUE, UX_METRIC_MEAN, UX_ROLE_GOAL);
    metric_add(UX_EVENT_ADD_TO_CART, UX_METRIC_CONVERSION,
               UX_ROLE_SECONDARY);
    metric_add(RATIO, UX_METRIC_RATIO, UX_ROLE_SECONDARY);
    metric_add(SIGNUP, UX_METRIC_CONVERSION, UX_ROLE_GUARDRAIL);
    e->metrics[4].lower_is_better = true;
    e->metrics[4].margin = 0.5;

    now = START;
    bind_again();
    now = START + 2 * DAY;

    visit(0, 3000, 300);
    visit(1, 3000, 450);
    pay(0, 0, 1000, 300);
    pay(1, 0, 1000, 450);
    convert(0, UX_EVENT_ADD_TO_CART, 600);
    convert(1, UX_EVENT_ADD_TO_CART, 780);
    convert(0, RATIO, 400);
    convert(1, RATIO, 400);
    pay_events(0, 2, 1000, 1, 200);
    pay_events(0, 2, 3000, 2, 200);
    pay_events(1, 2, 1000, 1, 200);
    pay_events(1, 2, 3000, 2, 200);
    convert(0, SIGNUP, 1000);
    convert(1, SIGNUP, 1000);
}


static void
remove_it(void)
{
    w->model.nexperiments = 0;
    bind_again();
}


/* At the only experiment there ever was. */
static void
look_past(void)
{
    if (looked) {
        ux_result_free(&result);
    }

    looked = ux_result_init(&result, &w->store, now) == UX_OK;
    ux_result_gather_past(&result, result.tree.first);
    report.now_ms = now;
}


static ux_verdict_e
verdict_past(void)
{
    look_past();

    return result.experiment.verdict;
}
