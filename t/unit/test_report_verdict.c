
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_report: states and times of an experiment, verdicts, problems, restarts
 * of the primary result.
 */

#include "report_fixture.h"


static void test_states(void);
static void test_start_stop(void);
static void test_verdicts(void);
static void test_planned(void);
static void test_crossovers(void);
static void test_returned(void);
static void test_zone_full(void);
static void test_restart(void);
static void test_assigned(void);
static void add_epoch(uint16_t ordinal, uint16_t number);
static void decidable(void);


int
main(void)
{
    if (!fixture_map()) {
        return 1;
    }

    test_states();
    test_start_stop();
    test_verdicts();
    test_planned();
    test_crossovers();
    test_returned();
    test_zone_full();
    test_restart();
    test_assigned();

    return done();
}


static void
test_states(void)
{
    ux_experiment_t  *e;

    setup();
    e = &experiments[0];

    ok(is(E "/state", "\"running\""), "running");
    ok(is(E "/serve", "null"), "nothing is served to all");

    e->state = UX_STATE_PAUSED;
    ok(is(E "/state", "\"paused\""), "paused");
    ok(is(E "/verdict", "\"collecting\""), "a pause is no end");

    e->state = UX_STATE_CLOSED;
    ok(is(E "/state", "\"closed\""), "closed");
    ok(is(E "/ended_at", "null"), "nobody noted when");
    ok(is(E "/waiting_for", "[]"), "waits for nothing");

    e->state = UX_STATE_RUNNING;
    e->serve = 1;
    ok(is(E "/state", "\"served\""), "served");
    ok(is(E "/serve", "\"one_page\""), "and what");
    ok(is(E "/waiting_for", "[]"), "waits for nothing either");

    e->serve = 2;
    ok(is(E "/serve", "null"), "a variant that is none");
}


static void
test_start_stop(void)
{
    ux_experiment_t  *e;

    setup();
    e = &experiments[0];

    e->start_ms = NOW + 1000;
    ok(is(E "/state", "\"scheduled\""), "scheduled");
    ok(is(E "/started_at", "null"), "not started");
    ok(is(E "/runtime_seconds", "0"), "no runtime");
    ok(is(E "/verdict", "\"collecting\""), "nothing has ended");

    e->start_ms = NOW - 2 * DAY;
    ok(is(E "/state", "\"running\""), "started");
    ok(is(E "/started_at", "\"2026-01-29T12:00:00Z\""),
       "at its start, not when it was configured");
    ok(is(E "/runtime_seconds", "172800"), "runtime since then");

    e->start_ms = NOW - 9 * DAY;
    ok(is(E "/started_at", "\"2026-01-28T12:00:00Z\""),
       "never before it was configured");

    e->start_ms = 0;
    e->stop_ms = NOW + 1;
    ok(is(E "/ended_at", "null"), "not stopped yet");
    ok(is(E "/state", "\"running\""), "still running");

    e->stop_ms = NOW - DAY;
    ok(is(E "/state", "\"closed\""), "stopped is closed");
    ok(is(E "/ended_at", "\"2026-01-30T12:00:00Z\""), "ended at its stop");
    ok(is(E "/runtime_seconds", "172800"), "the runtime ends, too");
    ok(is(E "/verdict", "\"stopped\""), "before gate and runtime");
    ok(is(E "/waiting_for", "[]"), "waits for nothing");
}


static void
test_verdicts(void)
{
    ux_experiment_t  *e;

    decidable();
    e = &experiments[0];

    ok(is(E "/verdict", "\"collecting\""), "collecting");
    ok(is(E "/waiting_for", "[\"significance\",\"planned\"]"),
       "for significance, or the planned size");

    e->state = UX_STATE_CLOSED;
    ok(is(E "/verdict", "\"inconclusive\""), "ended undecided");
    e->serve = 0;
    ok(is(E "/verdict", "\"inconclusive\""), "served undecided");
    e->serve = -1;

    e->min_runtime_s = 3 * 86400 + 1;
    ok(is(E "/verdict", "\"stopped\""), "ended before minimum runtime");
    e->min_runtime_s = 0;

    count(arm_base[0] + UX_ARM_VISITORS, -1);
    ok(is(E "/verdict", "\"stopped\""), "ended before the gate");
    count(arm_base[0] + UX_ARM_VISITORS, 1);

    e->state = UX_STATE_RUNNING;
    e->stop_ms = NOW;
    ok(is(E "/verdict", "\"inconclusive\""), "its stop is an end");
}


static void
test_planned(void)
{
    decidable();

    experiments[0].planned = 501;
    ok(is(E "/verdict", "\"collecting\""), "one visitor is missing");
    experiments[0].planned = 500;
    ok(is(E "/verdict", "\"inconclusive\""), "planned size of the pair");
    ok(is(E "/waiting_for", "[\"significance\"]"), "is waited for no more");
    ok(is(E "/ended_at", "null"), "which is no end");

    experiments[0].nvariants = 3;
    experiments[0].variants[2] = (ux_variant_t) { str("old"), 10 };
    ok(is(E "/verdict", "\"collecting\""), "every pair needs it");
    experiments[0].variants[2].weight = 0;
    ok(is(E "/verdict", "\"inconclusive\""), "but of what takes nobody");

    experiments[0].planned = 0;
    ok(is(E "/verdict", "\"collecting\""), "no plan is never reached");
}


static void
test_crossovers(void)
{
    decidable();

    count(arm_base[0] + UX_ARM_VISITORS, 245);
    count(arm_base[1] + UX_ARM_VISITORS, 245);
    count(arm_base[2] + UX_ARM_CROSSOVER, 4);
    count(arm_base[3] + UX_ARM_CROSSOVER, 6);

    ok(is(E "/verdict", "\"collecting\""), "10 of 1000 are 1 %%");
    ok(is(E "/problems", "[]"), "no problem");

    count(arm_base[3] + UX_ARM_CROSSOVER, 1);
    ok(is(E "/verdict", "\"untrusted\""), "11 of 1001 are more");
    ok(is(E "/problems/0/code", "\"crossover\""), "the problem's code");
    ok(is(E "/problems/0/text",
          "\"11 of 1001 visitors (1.1 %) were seen in two variants, more than"
          " the 1 % that does no harm.\""), "and its figures");
    ok(status_of(E "/problems/1") == UX_DECLINED, "it is the only one");

    experiments[0].state = UX_STATE_CLOSED;
    ok(is(E "/verdict", "\"untrusted\""), "ending changes nothing");
}


static void
test_returned(void)
{
    decidable();

    count(UX_ZONE_RETURNED, 5);
    ok(is(E "/verdict", "\"collecting\""), "5 beside 500 are 1 %%");

    count(UX_ZONE_RETURNED, 1);
    ok(is(E "/verdict", "\"untrusted\""), "6 are more");
    ok(is(E "/problems/0", "{\"code\":\"eviction\",\"text\":\"6 visitors came"
          " back after their record was evicted, beside 500 counted (1.2 %):"
          " the zone is too small.\"}"), "the problem");

    entry_of(UX_ENTRY_EXPERIMENT, 2)->number = 1;
    ok(is(E "/verdict", "\"collecting\""),
       "one had returned before the experiment began");
}


static void
test_zone_full(void)
{
    decidable();

    count(UX_ZONE_DISCARDED + UX_DISCARD_ZONE_FULL, 12);
    ok(is(E "/problems", "[{\"code\":\"zone_full\",\"text\":\"12 exposures or"
          " events of this zone were not counted for want of room.\"}]"),
       "zone_full");
    ok(is(E "/verdict", "\"collecting\""), "alone it does not harm");
}


/* The second epoch restarted the primary result. */
static void
test_restart(void)
{
    decidable();
    experiments[0].planned = 500;

    ok(is(E "/analysis_since_epoch", "1"), "no restart");
    ok(is(E "/epochs/0/used", "true"), "the first epoch is used");

    count(arm_base[3] + UX_ARM_VISITORS, 2);
    count(arm_base[4] + UX_ARM_VISITORS, 1);
    ok(is(E "/epochs/1/used", "false"), "one visitor in an arm is too few");
    count(arm_base[4] + UX_ARM_VISITORS, 1);
    ok(is(E "/epochs/1/used", "true"), "two are enough");

    entry_of(UX_ENTRY_EPOCH, 8)->analysis = 1;

    ok(is(E "/analysis_since_epoch", "2"), "since the second epoch");
    ok(is(E "/epochs/0/used", "false"), "the first is not used");
    ok(is(E "/epochs/1/used", "true"), "the second is");
    ok(is(V "/visitors", "252"), "all that was counted is shown");
    ok(is(E "/waiting_for/0", "\"gate\""), "the gate is of the second");
    ok(is(E "/verdict", "\"collecting\""), "and so is the plan");

    count(arm_base[3] + UX_ARM_VISITORS, 248);
    count(arm_base[4] + UX_ARM_VISITORS, 248);
    ok(is(E "/verdict", "\"inconclusive\""), "which it may reach");

    /* as it was before: that is a restart, too */

    add_epoch(9, 3);
    ok(is(E "/analysis_since_epoch", "3"), "the newest restart counts");

    add_epoch(10, 4);
    ok(is(E "/analysis_since_epoch", "3"), "another epoch is none");
    ok(is(E "/epochs/1/used", "false"), "before it nothing is used");
    ok(is(E "/epochs/2/used", "true") && is(E "/epochs/3/used", "true"),
       "after it everything");
}


/* With two visitors in each of two arms. */
static void
add_epoch(uint16_t ordinal, uint16_t number)
{
    unsigned     i;
    ux_entry_t  *e;

    e = entry(UX_ENTRY_EPOCH, "", 2, number);
    e->ordinal = ordinal;

    for (i = 0; i < 2; i++) {
        e = entry(UX_ENTRY_ARM, "", ordinal, (uint16_t) (20 + i));
        e->ordinal = (uint16_t) (2 * ordinal + i);
        e->number = 50;
        e->base = (2u * number + i) * UX_ARM_CELLS + 4096;

        count(e->base + UX_ARM_VISITORS, 2);
    }
}


static void
test_assigned(void)
{
    const char  *control, *page;

    decidable();

    control = E "/intention_to_treat/variants/control";
    page = E "/intention_to_treat/variants/one_page";

    count(arm_base[0] + UX_ARM_ASSIGNED, 500);
    count(arm_base[1] + UX_ARM_ASSIGNED, 400);

    ok(is(control, "{\"assigned\":500,\"rate\":0.05,\"difference\":null,"
          "\"p_value\":null,\"rate_adjusted\":null,"
          "\"control_rate_adjusted\":null}"), "25 of 500 assigned");
    ok(is(E "/intention_to_treat/variants/one_page/rate", "0.0625"),
       "25 of 400");
    ok(near(E "/intention_to_treat/variants/one_page/difference", 0.0125,
            1e-12), "and how much more that is");

    experiments[0].metrics[0].role = UX_ROLE_SECONDARY;
    ok(is(control, "{\"assigned\":500,\"rate\":null,\"difference\":null,"
          "\"p_value\":null,\"rate_adjusted\":null,"
          "\"control_rate_adjusted\":null}"), "nothing without a goal");

    setup();
    ok(is(page, "{\"assigned\":0,\"rate\":null,\"difference\":null,"
          "\"p_value\":null,\"rate_adjusted\":null,"
          "\"control_rate_adjusted\":null}"), "nothing of nobody");
}


/* Gate and minimum runtime are met, by the first epoch alone. */
static void
decidable(void)
{
    unsigned  i;

    setup();
    balance();

    experiments[0].min_runtime_s = 86400;

    for (i = 0; i < 2; i++) {
        count(arm_base[i] + UX_ARM_VISITORS, 250);
        count(event_cell(arm_base[i], UX_ARM_EVENT_VISITORS, "purchase"),
              25);
    }
}
