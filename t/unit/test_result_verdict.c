
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_result: the verdict, rule by rule and in their order.
 */

#include "result_case.h"


static void test_order(void);
static void test_worse_order(void);
static void test_winner(void);
static void test_winner_lower(void);
static void test_guardrail_of_winner(void);
static void test_control_better(void);
static void test_goals(void);
static void test_goals_disagree(void);
static void test_no_difference(void);
static void test_planned(void);
static void test_endings(void);
static void test_noted_end(void);
static bool is_verdict(ux_verdict_e expected, const char *text);


int
main(void)
{
    test_order();
    test_worse_order();
    test_winner();
    test_winner_lower();
    test_guardrail_of_winner();
    test_control_better();
    test_goals();
    test_goals_disagree();
    test_no_difference();
    test_planned();
    test_endings();
    test_noted_end();

    return done();
}


/* From the last rule to the first, each one in spite of those before. */
static void
test_order(void)
{
    begin();
    metric_add(SIGNUP, UX_METRIC_CONVERSION, UX_ROLE_GUARDRAIL);
    e->metrics[1].lower_is_better = true;
    bind_again();

    visit(0, 200, 24);
    visit(1, 200, 24);
    now = START + 4 * DAY;
    ok(is_verdict(UX_VERDICT_COLLECTING, "\"collecting\""), "collecting");
    ok(is(E "/waiting_for", "[\"gate\",\"significance\"]"), "for the gate");

    e->state = UX_STATE_CLOSED;
    ok(is_verdict(UX_VERDICT_STOPPED, "\"stopped\""),
       "stopped: ended before the gate");

    visit(0, 5800, 576);
    visit(1, 5800, 590);
    ok(is_verdict(UX_VERDICT_INCONCLUSIVE, "\"inconclusive\""),
       "inconclusive: ended, with the gate met");

    e->equivalence = 0.9;
    ok(is_verdict(UX_VERDICT_NO_DIFFERENCE, "\"no_difference\""),
       "no_difference, though it has ended");
    ok(is(E "/waiting_for", "[]"), "waits for nothing");
    e->state = UX_STATE_RUNNING;
    ok(is_verdict(UX_VERDICT_NO_DIFFERENCE, "\"no_difference\""),
       "and though it is running");

    convert(1, UX_EVENT_PURCHASE, 200);
    ok(is_verdict(UX_VERDICT_VARIANT_BETTER, "\"variant_better\"")
       && pair(1, 0)->now.lift_ci.hi < 0.9 && is(E "/winner", "\"one_page\""),
       "variant_better, though within the equivalence");

    convert(0, SIGNUP, 500);
    convert(1, SIGNUP, 900);
    ok(is_verdict(UX_VERDICT_GUARDRAIL, "\"guardrail\"")
       && is(E "/winner", "null"), "guardrail, though it would win");

    add(0, UX_ARM_CROSSOVER, 140);
    ok(is_verdict(UX_VERDICT_UNTRUSTED, "\"untrusted\"")
       && is(E "/problems/0/code", "\"crossover\""),
       "untrusted, whatever it would be");

    visit(0, 1000, 100);
    ok(is_verdict(UX_VERDICT_SRM, "\"srm\"")
       && is(E "/problems/0/code", "\"srm\"")
       && is(E "/problems/1/code", "\"crossover\""), "srm, before all");

    e->state = UX_STATE_CLOSED;
    ok(is_verdict(UX_VERDICT_SRM, "\"srm\""), "ending changes nothing");

    end();
}


static void
test_worse_order(void)
{
    begin();
    visit(0, 6000, 600);
    visit(1, 6000, 400);
    e->equivalence = 0.9;

    ok(is_verdict(UX_VERDICT_CONTROL_BETTER, "\"control_better\"")
       && pair(1, 0)->now.lift_ci.lo > -0.9 && is(E "/winner", "null"),
       "control_better, though within the equivalence");

    add(1, UX_ARM_CROSSOVER, 122);
    ok(is_verdict(UX_VERDICT_UNTRUSTED, "\"untrusted\""),
       "untrusted goes before");

    end();
}


/* The best estimate among those that are significantly better. */
static void
test_winner(void)
{
    begin();
    variant_add("third", 50);
    variant_add("small", 0.5);
    bind_again();

    visit(0, 6000, 600);
    visit(1, 6000, 750);
    visit(2, 6000, 800);
    visit(3, 60, 15);
    ok(is_verdict(UX_VERDICT_VARIANT_BETTER, "\"variant_better\"")
       && pair(1, 0)->significant && pair(2, 0)->significant
       && is(E "/winner", "\"third\""), "the better one of two");
    ok(pair(3, 0)->now.pooled.difference > pair(2, 0)->now.pooled.difference
       && !pair(3, 0)->significant, "a better guess is no winner");

    convert(1, UX_EVENT_PURCHASE, 90);
    ok(verdict() == UX_VERDICT_VARIANT_BETTER && is(E "/winner",
       "\"one_page\""), "or the other one");

    /* a variant that is gone cannot win */

    e->variants[1] = e->variants[2];
    e->nvariants = 2;
    bind_again();
    ok(verdict() == UX_VERDICT_VARIANT_BETTER && is(E "/winner",
       "\"third\""), "one that was dropped does not win");

    end();
}


static void
test_winner_lower(void)
{
    begin();
    e->metrics[0].lower_is_better = true;
    variant_add("third", 50);
    bind_again();
    now += 2 * DAY;

    visit(0, 6000, 900);
    visit(1, 6000, 600);
    visit(2, 6000, 700);
    ok(is_verdict(UX_VERDICT_VARIANT_BETTER, "\"variant_better\"")
       && pair(2, 0)->significant && is(E "/winner", "\"one_page\""),
       "lower is better: the lowest wins");

    convert(1, UX_EVENT_PURCHASE, 600);
    convert(2, UX_EVENT_PURCHASE, 500);
    ok(verdict() == UX_VERDICT_INCONCLUSIVE, "but not the other way round");
    end();

    begin();
    e->metrics[0].lower_is_better = true;
    bind_again();
    now += 2 * DAY;
    visit(0, 6000, 600);
    visit(1, 6000, 900);
    ok(is_verdict(UX_VERDICT_CONTROL_BETTER, "\"control_better\""),
       "lower is better: higher is worse");
    end();
}


/* Harm elsewhere does not stop the winner. */
static void
test_guardrail_of_winner(void)
{
    begin();
    variant_add("third", 50);
    metric_add(SIGNUP, UX_METRIC_CONVERSION, UX_ROLE_GUARDRAIL);
    bind_again();

    visit(0, 6000, 600);
    visit(1, 6000, 800);
    visit(2, 6000, 620);
    convert(0, SIGNUP, 1000);
    convert(1, SIGNUP, 1000);
    convert(2, SIGNUP, 500);
    ok(is_verdict(UX_VERDICT_VARIANT_BETTER, "\"variant_better\"")
       && pair(2, 1)->guard == UX_GUARD_HARMED
       && pair(1, 1)->guard == UX_GUARD_UNCLEAR, "harm of another variant");

    convert(1, SIGNUP, -500);
    ok(is_verdict(UX_VERDICT_GUARDRAIL, "\"guardrail\""), "harm of its own");
    end();

    begin();
    metric_add(SIGNUP, UX_METRIC_CONVERSION, UX_ROLE_GUARDRAIL);
    bind_again();
    visit(0, 3000, 300);
    visit(1, 3000, 320);
    convert(0, SIGNUP, 1000);
    convert(1, SIGNUP, 500);
    ok(is_verdict(UX_VERDICT_COLLECTING, "\"collecting\"")
       && pair(1, 1)->guard == UX_GUARD_HARMED, "harm without a winner");
    end();
}


/* Every one that takes visitors. */
static void
test_control_better(void)
{
    begin();
    variant_add("third", 50);
    bind_again();

    visit(0, 3000, 600);
    visit(1, 3000, 400);
    visit(2, 3000, 590);
    ok(is_verdict(UX_VERDICT_COLLECTING, "\"collecting\"")
       && pair(1, 0)->significant, "one of two is worse");

    convert(2, UX_EVENT_PURCHASE, -200);
    ok(is_verdict(UX_VERDICT_CONTROL_BETTER, "\"control_better\""),
       "both are");

    convert(2, UX_EVENT_PURCHASE, 200);
    e->variants[2].weight = 0;
    bind_again();
    ok(is_verdict(UX_VERDICT_CONTROL_BETTER, "\"control_better\""),
       "the other one takes nobody any more");

    e->variants[1].weight = 0;
    ok(verdict() == UX_VERDICT_COLLECTING, "nothing is left to be worse");

    end();
}


/* Any goal will do, if the others are not worse; the first one's estimate. */
static void
test_goals(void)
{
    begin();
    metric_add(SIGNUP, UX_METRIC_CONVERSION, UX_ROLE_GOAL);
    variant_add("third", 50);
    bind_again();
    now += 2 * DAY;

    visit(0, 3000, 300);
    visit(1, 3000, 262);
    visit(2, 3000, 330);
    convert(0, SIGNUP, 300);
    convert(1, SIGNUP, 500);
    convert(2, SIGNUP, 450);
    ok(is_verdict(UX_VERDICT_VARIANT_BETTER, "\"variant_better\"")
       && !pair(1, 0)->significant && pair(1, 1)->significant
       && pair(2, 1)->significant, "better in the second goal");
    ok(is(E "/winner", "\"third\""), "the first goal says which is best");

    ok(is(E "/goal", "[\"purchase\",\"signed_up\"]"), "both are goals");
    convert(0, SIGNUP, -280);
    convert(1, SIGNUP, -480);
    convert(2, SIGNUP, -430);
    look();
    ok(!result.experiment.gate, "the gate is of every goal");

    end();
}


static void
test_goals_disagree(void)
{
    begin();
    metric_add(SIGNUP, UX_METRIC_CONVERSION, UX_ROLE_GOAL);
    bind_again();
    now += 2 * DAY;

    visit(0, 6000, 600);
    visit(1, 6000, 800);
    convert(0, SIGNUP, 800);
    convert(1, SIGNUP, 600);
    ok(is_verdict(UX_VERDICT_INCONCLUSIVE, "\"inconclusive\"")
       && pair(1, 0)->significant && pair(1, 1)->significant,
       "better in one goal, worse in the other");

    convert(0, SIGNUP, -200);
    ok(verdict() == UX_VERDICT_VARIANT_BETTER && !pair(1, 1)->significant,
       "not worse any more");

    convert(0, UX_EVENT_PURCHASE, 200);
    convert(0, SIGNUP, 200);
    ok(verdict() == UX_VERDICT_CONTROL_BETTER && !pair(1, 0)->significant,
       "worse, and better no more");

    end();
}


/* The whole interval of every variant and goal. */
static void
test_no_difference(void)
{
    begin();
    e->equivalence = 0.02;
    variant_add("third", 50);
    bind_again();

    visit(0, 1000000, 100000);
    visit(1, 1000000, 100000);
    visit(2, 1000000, 99400);
    ok(is_verdict(UX_VERDICT_INCONCLUSIVE, "\"inconclusive\"")
       && pair(1, 0)->now.lift_ci.lo > -0.02
       && pair(2, 0)->now.lift_ci.lo < -0.02, "one may differ by more");

    convert(2, UX_EVENT_PURCHASE, 600);
    ok(is_verdict(UX_VERDICT_NO_DIFFERENCE, "\"no_difference\""),
       "none can");

    convert(2, UX_EVENT_PURCHASE, 600);
    ok(verdict() == UX_VERDICT_INCONCLUSIVE
       && pair(2, 0)->now.lift_ci.hi > 0.02, "one may, upwards");

    e->variants[2].weight = 0;
    bind_again();
    ok(verdict() == UX_VERDICT_NO_DIFFERENCE, "but it takes nobody");

    e->min_runtime_s = 3 * 86400;
    ok(verdict() == UX_VERDICT_INCONCLUSIVE, "not before the minimum runtime");

    end();
}


static void
test_planned(void)
{
    begin();
    visit(0, 5000, 500);
    visit(1, 4999, 500);
    ok(is_verdict(UX_VERDICT_COLLECTING, "\"collecting\"")
       && is(E "/waiting_for", "[\"significance\",\"planned\"]"),
       "9,999 of 10,000");

    visit(1, 1, 0);
    ok(is_verdict(UX_VERDICT_INCONCLUSIVE, "\"inconclusive\"")
       && is(E "/waiting_for", "[\"significance\"]"),
       "10,000, and no winner yet");

    e->min_runtime_s = 3 * 86400;
    ok(verdict() == UX_VERDICT_INCONCLUSIVE, "whatever the minimum runtime");
    e->state = UX_STATE_CLOSED;
    ok(is_verdict(UX_VERDICT_INCONCLUSIVE, "\"inconclusive\""),
       "closed before that: it decides nothing else");
    e->state = UX_STATE_RUNNING;
    e->min_runtime_s = 0;

    convert(1, UX_EVENT_PURCHASE, 150);
    ok(is_verdict(UX_VERDICT_VARIANT_BETTER, "\"variant_better\"")
       && is(E "/waiting_for", "[]"), "it may still win");

    end();
}


/* However it ends, what was decided is. */
static void
test_endings(void)
{
    begin();
    visit(0, 3000, 300);
    visit(1, 3000, 420);
    ok(is_verdict(UX_VERDICT_VARIANT_BETTER, "\"variant_better\""), "running");

    e->state = UX_STATE_CLOSED;
    ok(is_verdict(UX_VERDICT_VARIANT_BETTER, "\"variant_better\""), "closed");
    e->state = UX_STATE_PAUSED;
    ok(verdict() == UX_VERDICT_VARIANT_BETTER, "paused");
    e->state = UX_STATE_RUNNING;
    e->serve = 0;
    ok(verdict() == UX_VERDICT_VARIANT_BETTER, "another one served");
    e->serve = -1;

    e->stop_ms = START + DAY;
    ok(verdict() == UX_VERDICT_VARIANT_BETTER, "at its stop");
    e->stop_ms = START + DAY - 1000;
    now += 100 * DAY;
    ok(is_verdict(UX_VERDICT_STOPPED, "\"stopped\"")
       && !pair(1, 0)->significant,
       "before its minimum runtime, which then never passes");

    end();
}


/* Closed or served without a stop: the end is when that was first bound. */
static void
test_noted_end(void)
{
    begin();
    visit(0, 3000, 300);
    visit(1, 3000, 420);

    now = START + DAY / 2;
    e->state = UX_STATE_CLOSED;
    bind_again();
    now = START + 30 * DAY;
    bind_again();
    report.now_ms = now;

    ok(is_verdict(UX_VERDICT_STOPPED, "\"stopped\""),
       "closed before its minimum runtime, which then never passes");
    ok(is(E "/ended_at", "\"2026-01-31T00:00:00Z\""), "and since when");
    ok(is(E "/runtime_seconds", "43200"), "so long it ran");

    e->state = UX_STATE_RUNNING;
    bind_again();

    ok(is_verdict(UX_VERDICT_VARIANT_BETTER, "\"variant_better\"")
       && is(E "/ended_at", "null"), "it goes on");

    e->serve = 1;
    bind_again();

    ok(is_verdict(UX_VERDICT_VARIANT_BETTER, "\"variant_better\"")
       && is(E "/ended_at", "\"2026-03-01T12:00:00Z\""), "served");

    end();
}


static bool
is_verdict(ux_verdict_e expected, const char *text)
{
    ux_verdict_e  made;

    made = verdict();

    if (made != expected) {
        printf("# verdict %d\n", made);
    }

    return made == expected && is(E "/verdict", text);
}
