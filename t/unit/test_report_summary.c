
/*
 * Copyright (C) the nginx-ux authors
 *
 * "summary" and "days_left": that what is said is of this experiment, the
 * interval that of the JSON, and the estimate the one a calendar gives.
 */

#include "result_case.h"


static void test_verdicts(void);
static void test_interval(void);
static void test_harm(void);
static void test_estimate(void);
static void test_pace(void);
static void test_slowest(void);
static void test_no_pace(void);
static void test_stop(void);
static void test_no_goal(void);
static bool days(double expected);
static bool says(const char *part);
static bool mentions(const char *path, double of, const char *format);


int
main(void)
{
    test_verdicts();
    test_interval();
    test_harm();
    test_estimate();
    test_pace();
    test_slowest();
    test_no_pace();
    test_stop();
    test_no_goal();

    return done();
}


/* From the last rule to the first, as the verdicts go. */
static void
test_verdicts(void)
{
    begin();
    ok(says("\"Not yet: nobody has been counted so far.\""), "nobody");

    visit(0, 200, 24);
    visit(1, 200, 24);
    now = START + 4 * DAY;
    ok(says("\"Not yet: about 96 more days at this traffic, up to the "
            "planned 10,000 visitors of each pair; "), "collecting");
    ok(!says("So far"), "below the gate nothing is told");

    e->state = UX_STATE_PAUSED;
    ok(says("\"Paused: "), "paused");
    e->state = UX_STATE_CLOSED;
    ok(says("\"Stopped too early to conclude anything: too few visitors.\""),
       "stopped");

    visit(0, 5800, 576);
    visit(1, 5800, 590);
    ok(says("\"No winner: it ended, and what differs may be chance. So far "
            "one_page has +2.33 % purchase rate, 95 % sure it is between "),
       "inconclusive");
    e->state = UX_STATE_RUNNING;
    ok(says("\"No winner: the planned 10,000 visitors of each pair are "),
       "planned");

    e->equivalence = 0.9;
    ok(says("\"No difference that matters: each lift is within 90 % either "
            "way, 95 % sure "), "no difference");

    convert(1, UX_EVENT_PURCHASE, 200);
    ok(says("\"one_page wins: +35.7 % purchase rate, 95 % sure "), "winner");

    add(0, UX_ARM_CROSSOVER, 140);
    ok(says("\"Do not trust this: 1.2 % of the visitors were seen in two "
            "variants.\""), "crossovers");

    visit(0, 1000, 100);
    ok(says("\"Do not trust this: sample ratio mismatch, arms 53.8/46.2 "
            "where 50/50 was asked (epoch 1). "), "sample ratio");

    end();
}


/* As the sequence has it, at its level. */
static void
test_interval(void)
{
    begin();
    variant_add("third", 50);
    bind_again();
    visit(0, 6000, 600);
    visit(1, 6000, 790);
    visit(2, 6000, 560);

    ok(says("\"one_page wins: ") && says(", 97.5 % sure it is between "),
       "the level is that of two comparisons");
    ok(near(GOAL "/ci_level", 0.975, 1e-12), "which the JSON has as well");
    ok(mentions(GOAL "/lift", 100, "wins: %+.3g %% purchase rate"), "a lift");
    ok(mentions(GOAL "/lift_ci/0", 100, " between %+.3g and "), "its low");
    ok(mentions(GOAL "/lift_ci/1", 100, " and %+.3g %% whenever"),
       "its high");
    end();

    /* of two that win the better one, whose p is the larger */

    begin();
    variant_add("small", 7.5);
    bind_again();
    visit(0, 6000, 600);
    visit(1, 6000, 790);
    visit(2, 900, 124);
    ok(says("\"small wins: +37.8 % purchase rate, 97.5 % sure it is between "
            "-"), "an interval with 0 in it");
    ok(says(" Holm's rule, which decides, asks less of this one.\""),
       "is not for an earlier look");
    end();

    begin();
    visit(0, 6000, 700);
    visit(1, 6000, 500);
    ok(says("\"The control wins: one_page, the best of the others, has "),
       "the control");
    ok(mentions(GOAL "/lift_ci/0", 100, " between %+.3g and "), "its low");
    end();

    /* one and the same, but lower is better */

    begin();
    e->metrics[0].lower_is_better = true;
    bind_again();
    now += 2 * DAY;
    visit(0, 6000, 700);
    visit(1, 6000, 500);
    ok(says("\"one_page wins: -28.6 % purchase rate (lower is better), "),
       "where lower is better");
    end();
}


static void
test_harm(void)
{
    begin();
    metric_add(SIGNUP, UX_METRIC_CONVERSION, UX_ROLE_GUARDRAIL);
    e->metrics[1].lower_is_better = true;
    variant_add("small", 2.5);
    bind_again();
    now = START + 4 * DAY;
    visit(0, 6000, 600);
    visit(1, 6000, 790);
    visit(2, 300, 42);                 /* better still, but by chance */
    convert(0, SIGNUP, 500);
    convert(1, SIGNUP, 900);

    ok(is(E "/winner", "null"), "no winner");
    ok(says("\"one_page would win, but harms a guardrail: +80 % ")
       && says(" rate (lower is better), 95 % sure "), "what it harms");
    ok(says("; 1 % worse was allowed. Its goal: +31.7 % purchase rate, "),
       "and what it would win by");
    end();
}


static void
test_estimate(void)
{
    begin();
    visit(0, 300, 30);
    visit(1, 300, 30);
    now = START + 3 * DAY;
    ok(days(47), "9,400 to come, 200 a day");

    visit(0, 300, 30);
    visit(1, 300, 30);
    now = START + 6 * DAY;
    ok(days(44), "three days later it is three less");
    ok(says("about 44 more days"), "and so it says");

    e->min_runtime_s = 60 * 86400;
    ok(days(54), "a minimum runtime");
    ok(says("\"Not yet: about 54 more days, the minimum runtime."),
       "and so it says");
    ok(says("So far one_page has +0 % purchase rate, 95 % sure it is "
            "between -"), "and what there is so far");
    end();
}


/* Of the newest epoch, once it is an hour old. */
static void
test_pace(void)
{
    begin();
    visit(0, 600, 60);
    visit(1, 600, 60);
    now = START + 4 * DAY;
    e->traffic = 0.5;
    bind_again();
    now += 30 * MINUTE;
    visit(0, 10, 1);
    visit(1, 10, 1);
    ok(days(8780 / (1220 / (4 + 0.5 / 24))),
       "the pace of all, as long as an epoch is new");

    now = START + 6 * DAY;
    visit(0, 90, 9);
    visit(1, 90, 9);
    ok(days(86), "8,600 to come, 100 a day by now");
    end();
}


static void
test_slowest(void)
{
    begin();
    variant_add("third", 25);
    bind_again();
    now = START + 2 * DAY;
    visit(0, 600, 60);
    visit(1, 600, 60);
    visit(2, 300, 30);
    now = START + 4 * DAY;

    ok(days(9100 / 450.0), "9,100 to come of that pair, 450 a day");

    e->variants[2].weight = 0;
    ok(days(8800 / 600.0), "but not of who takes nobody");
    end();
}


static void
test_no_pace(void)
{
    begin();
    now = START + 59 * MINUTE;
    visit(0, 30, 3);
    visit(1, 30, 3);
    ok(days(NAN), "not in the first hour");
    ok(says("\"Not yet: it is too early to say how long the planned "
            "visitors take; at least 1 more day, the minimum runtime.\""),
       "and so it says");

    now = START + 60 * MINUTE;
    ok(days(9940 / 1440.0), "but after it");

    e->state = UX_STATE_PAUSED;
    ok(days(NAN), "not when it is paused");
    e->state = UX_STATE_CLOSED;
    ok(days(NAN), "not when it is closed");
    e->state = UX_STATE_RUNNING;
    e->start_ms = now + DAY;
    ok(days(NAN) && says("\"Not started yet.\""),
       "not before its start");
    end();

    begin();
    ok(days(NAN), "not without visitors");
    end();
}


static void
test_stop(void)
{
    begin();
    visit(0, 300, 30);
    visit(1, 300, 30);
    now = START + 3 * DAY;
    e->stop_ms = START + 10 * DAY;
    ok(days(7), "its stop");
    ok(says("about 47 more days at this traffic")
       && says(" Its stop comes before that: 7 more days."), "is said");
    end();
}


static void
test_no_goal(void)
{
    begin();
    e->metrics[0].role = UX_ROLE_SECONDARY;
    bind_again();
    visit(0, 6000, 600);
    visit(1, 6000, 790);
    ok(days(NAN) && !says("So far") && !says("wins"),
       "without a goal nothing is told of it");
    end();
}


/* Of a look now, as what follows. */
static bool
days(double expected)
{
    report.now_ms = now;

    return isnan(expected) ? is(E "/days_left", "null")
                           : near(E "/days_left", expected, 1e-6);
}


static bool
says(const char *part)
{
    report.now_ms = now;

    if (strstr(at(E "/summary"), part) != NULL) {
        return true;
    }

    printf("# %s\n", at(E "/summary"));

    return false;
}


/* The figure at the path, printed so. */
static bool
mentions(const char *path, double of, const char *format)
{
    char  part[100];

    report.now_ms = now;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void) snprintf(part, sizeof(part), format,
                    of * strtod(at(path), NULL));
#pragma GCC diagnostic pop

    return says(part);
}
