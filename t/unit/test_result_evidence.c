
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_result: what is kept from look to look, what clears it, and when a
 * difference is significant.
 */

#include "result_case.h"


static void test_minimum(void);
static void test_bound_again(void);
static void test_cleared(void);
static void change_goal(void);
static void change_alpha(void);
static void change_planned(void);
static void change_window(void);
static void change_cap(void);
static void test_of_each_metric(void);
static void test_gate(void);
static void test_not_while_unbalanced(void);
static void test_significant(void);
static void test_sign(void);
static void test_fixed_horizon(void);
static void test_restarted_runtime(void);
static void test_older_process(void);
static void test_damaged(void);
static void test_no_place(void);
static uint64_t *kept(ux_entry_e kind);


int
main(void)
{
    test_minimum();
    test_bound_again();
    test_cleared();
    test_of_each_metric();
    test_gate();
    test_not_while_unbalanced();
    test_significant();
    test_sign();
    test_fixed_horizon();
    test_restarted_runtime();
    test_older_process();
    test_damaged();
    test_no_place();

    return done();
}


/* A lead that melts away: what was seen stays. */
static void
test_minimum(void)
{
    double  first;

    begin();

    visit(0, 1000, 100);
    visit(1, 1000, 140);
    look();

    first = p_value(1, 0);
    ok(first < 0.2 && close_to(first, pair(1, 0)->now.p_now),
       "the first look");
    ok(pair(1, 0)->evidence.looked_ms == now
       && pair(1, 0)->evidence.sign == 1, "with its time and its sign");

    visit(0, 1000, 120);
    visit(1, 1000, 90);
    now += HOUR;
    look();

    ok(pair(1, 0)->now.p_now > first && close_to(p_value(1, 0), first),
       "a later one does not undo it");
    ok(pair(1, 0)->evidence.looked_ms == now - HOUR, "nor its time");
    ok(near(GOAL "/p_value", first, 1e-15)
       && near(GOAL "/p_now", pair(1, 0)->now.p_now, 1e-15),
       "both are shown");

    visit(1, 1000, 190);
    visit(0, 1000, 90);
    look();
    ok(p_value(1, 0) < first
       && close_to(p_value(1, 0), pair(1, 0)->now.p_now), "a smaller does");

    end();
}


/* The same, weights, another variant, the secondary metrics: all goes on. */
static void
test_bound_again(void)
{
    double  first;

    begin();
    visit(0, 1000, 100);
    visit(1, 1000, 150);
    look();
    first = p_value(1, 0);

    visit(0, 1000, 150);
    visit(1, 1000, 100);

    bind_again();
    look();
    ok(close_to(p_value(1, 0), first), "the same configuration");

    e->variants[1].weight = 90;
    bind_again();
    look();
    ok(close_to(p_value(1, 0), first) && result.experiment.epoch == 2,
       "a re-weight");

    e->traffic = 0.5;
    variant_add("third", 20);
    metric_add(UX_METRIC_REVENUE, UX_METRIC_MEAN, UX_ROLE_SECONDARY);
    metric_add(UX_EVENT_REFUND, UX_METRIC_CONVERSION, UX_ROLE_GUARDRAIL);
    e->min_runtime_s = 1;
    e->equivalence = 0.01;
    bind_again();
    look();
    ok(close_to(p_value(1, 0), first) && result.experiment.since == 1,
       "traffic, a variant, other metrics, runtime, equivalence");
    ok(isnan(p_value(2, 0)) && isnan(p_value(1, 1)), "which have none yet");

    end();
}


/* Each begins anew, and does not come back with what it was before. */
static void
test_cleared(void)
{
    size_t  i;

    static const struct {
        const char  *what;
        void       (*change)(void);
    }  changes[] = {
        { "goal", change_goal },
        { "alpha", change_alpha },
        { "planned", change_planned },
        { "window", change_window },
        { "cap", change_cap }
    };

    for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        begin();
        visit(0, 1000, 100);
        visit(1, 1000, 150);
        look();

        changes[i].change();
        bind_again();
        look();
        ok(isnan(p_value(1, 0)) && result.experiment.since == 2
           && pair(1, 0)->evidence.exact_log_e == 0
           && pair(1, 0)->now.pooled.used == 0,
           "%s: nothing is left", changes[i].what);
        ok(is(E "/analysis_since_epoch", "2")
           && is(E "/epochs/0/used", "false"),
           "%s: and that is said", changes[i].what);

        visit(0, 1000, 100);
        visit(1, 1000, 110);
        look();
        ok(close_to(p_value(1, 0), pair(1, 0)->now.p_now),
           "%s: it begins anew", changes[i].what);

        end();
    }
}


static void
change_goal(void)
{
    e->metrics[0].lower_is_better = true;
}


static void
change_alpha(void)
{
    e->alpha = 0.01;
}


static void
change_planned(void)
{
    e->planned++;
}


static void
change_window(void)
{
    e->window_ms = 0;
}


static void
change_cap(void)
{
    e->cap = 50000;
}


static void
test_of_each_metric(void)
{
    double  purchase, signup;

    begin();
    metric_add(SIGNUP, UX_METRIC_CONVERSION, UX_ROLE_SECONDARY);
    metric_add(SIGNUP, UX_METRIC_COUNT, UX_ROLE_SECONDARY);
    bind_again();

    visit(0, 1000, 100);
    visit(1, 1000, 150);
    convert(0, SIGNUP, 100);
    convert(1, SIGNUP, 100);
    look();
    purchase = p_value(1, 0);
    signup = p_value(1, 1);
    ok(purchase < 0.1 && signup == 1, "one is seen in purchases only");

    convert(0, UX_EVENT_PURCHASE, 50);
    convert(1, SIGNUP, 60);
    pay(0, 1, 1, 100);
    pay(1, 1, 1, 100);
    look();
    ok(close_to(p_value(1, 0), purchase) && p_value(1, 1) < 0.05,
       "one that is seen later in signups only");
    ok(p_value(1, 2) == 1 && pair(1, 2)->entry != pair(1, 1)->entry,
       "how often is another metric than whether");

    end();
}


/* What was seen below the gate is gone when the gate is met. */
static void
test_gate(void)
{
    begin();

    visit(0, 249, 25);
    visit(1, 250, 120);
    look();
    ok(!pair(1, 0)->now.gate && isnan(p_value(1, 0))
       && pair(1, 0)->evidence.looked_ms == 0, "499 visitors are no look");
    ok(is(GOAL "/p_value", "null") && is(GOAL "/p_now", "null")
       && is(GOAL "/difference_ci", "null")
       && is(GOAL "/status", "\"insufficient_data\"")
       && is(GOAL "/significant", "false"), "and nothing is shown");
    ok(pair(1, 0)->evidence.exact_log_e > 0,
       "the exact test needs no gate");

    visit(0, 251, 125);
    visit(1, 250, 40);
    look();
    ok(pair(1, 0)->now.gate && p_value(1, 0) > 0.5,
       "it is as if nobody had looked");

    end();
}


static void
test_not_while_unbalanced(void)
{
    begin();

    visit(0, 3000, 300);
    visit(1, 2000, 400);
    look();
    ok(!ux_result_quiet(&result) && isnan(p_value(1, 0))
       && pair(1, 0)->evidence.exact_log_e == 0, "SRM: no look is recorded");
    ok(pair(1, 0)->now.log_e > 10, "though there would be much to see");
    ok(is(GOAL "/exact", "{\"p_value\":null,\"lift_ci\":null}"),
       "the exact test needs the weights");

    /* filled up again; an alarm is never taken back */

    visit(1, 1000, 0);
    look();
    ok(result.experiment.balance.log_e_now < 0
       && !ux_result_quiet(&result) && isnan(p_value(1, 0)),
       "nor later, once it alarmed");
    ok(is(E "/srm/ok", "false") && is(E "/verdict", "\"srm\""), "it says so");

    end();
}


static void
test_significant(void)
{
    begin();
    now = START + DAY - 1000;

    visit(0, 2000, 200);
    visit(1, 2000, 300);
    look();
    ok(p_value(1, 0) < 0.001 && !pair(1, 0)->significant
       && is(GOAL "/significant_at", "null"), "before the minimum runtime");

    now = START + DAY;
    look();
    ok(pair(1, 0)->significant, "after it");
    ok(is(GOAL "/significant", "true")
       && is(GOAL "/significant_at", "\"2026-01-31T12:00:00Z\""),
       "since when");

    now += DAY;
    look();
    ok(pair(1, 0)->significant
       && pair(1, 0)->evidence.significant_ms == now - DAY,
       "for the first time");

    /* crossovers taken out: the gate is met no more */

    visit(0, -1990, -190);
    visit(1, -1990, -290);
    look();
    ok(p_value(1, 0) < 0.001 && !pair(1, 0)->significant,
       "not below the gate");
    visit(0, 1990, 190);
    visit(1, 1990, 290);
    look();
    ok(pair(1, 0)->significant, "but again above it");

    visit(0, 600, 60);
    look();
    ok(!ux_result_quiet(&result) && !pair(1, 0)->significant,
       "not while SRM alarms");

    end();
}


/* It is B's lead that was seen: A's is not proved by it. */
static void
test_sign(void)
{
    double  p;

    begin();

    visit(0, 2000, 200);
    visit(1, 2000, 280);
    look();
    p = p_value(1, 0);
    ok(pair(1, 0)->significant && pair(1, 0)->evidence.sign == 1, "B leads");

    visit(0, 2000, 280);
    visit(1, 2000, 199);
    look();
    ok(close_to(p_value(1, 0), p) && !pair(1, 0)->significant, "A leads");
    ok(is(E "/verdict", "\"collecting\""), "nothing is decided");

    visit(1, 10, 1);
    visit(0, 10, 0);
    look();
    ok(pair(1, 0)->now.pooled.difference == 0 && !pair(1, 0)->significant,
       "neither leads");

    visit(1, 10, 1);
    visit(0, 10, 0);
    look();
    ok(pair(1, 0)->significant, "B leads again");

    end();
}


/* Of the look that first sees 10,000; the p of later counts is another. */
static void
test_fixed_horizon(void)
{
    begin();

    visit(0, 5000, 250);
    visit(1, 4999, 330);
    look();
    ok(is(GOAL "/fixed_horizon", "{\"p_value\":null,\"difference_ci\":null,"
          "\"valid\":false,\"peeking_safe\":false}"), "9,999 visitors");

    visit(1, 1, 0);
    look();
    ok(near(GOAL "/fixed_horizon/p_value", 0.0006203536096770012, 1e-12)
       && near(GOAL "/fixed_horizon/difference_ci/0", 0.006843556872426795,
               1e-12)
       && near(GOAL "/fixed_horizon/difference_ci/1", 0.025201146711988184,
               1e-12)
       && is(GOAL "/fixed_horizon/valid", "true"), "10,000 visitors");

    visit(0, 5000, 900);
    visit(1, 5000, 100);
    bind_again();
    look();
    ok(near(GOAL "/fixed_horizon/p_value", 0.0006203536096770012, 1e-12)
       && pair(1, 0)->evidence.fixed_visitors == 10000, "frozen from then on");

    e->planned = 20000;
    bind_again();
    look();
    ok(is(GOAL "/fixed_horizon/valid", "false"), "another plan, another end");

    end();
}


/* A primary result that began anew has its own minimum runtime. */
static void
test_restarted_runtime(void)
{
    begin();

    e->alpha = 0.04;
    bind_again();
    visit(0, 2000, 200);
    visit(1, 2000, 300);
    now += DAY - 1000;
    look();
    ok(!pair(1, 0)->significant && ux_result_runtime(&result) > 2 * 86400,
       "the experiment is old enough, the result is not");

    now += 1000;
    look();
    ok(pair(1, 0)->significant, "until it is");

    end();
}


/* One of an older configuration that starts late restarts nothing. */
static void
test_older_process(void)
{
    uint32_t  names;

    begin();

    w->store.generation = 2;
    e->alpha = 0.01;
    bind_again();
    visit(0, 3000, 300);
    visit(1, 3000, 450);
    look();
    ok(result.experiment.since == 2 && p_value(1, 0) < 0.001, "the newer");

    names = ux_registry_count(w->store.registry);
    w->store.generation = 1;
    e->alpha = 0.05;
    (void) ux_store_bind(&w->store, &w->model, w->arms, w->bindings, now);
    ok(ux_registry_count(w->store.registry) == names,
       "the older one makes no epoch");

    look();
    ok(result.experiment.since == 2 && isnan(p_value(1, 0))
       && !pair(1, 0)->significant, "and decides nothing");

    w->store.generation = 3;
    e->alpha = 0.01;
    bind_again();
    look();
    ok(result.experiment.since == 2 && p_value(1, 0) < 0.001,
       "the newer one goes on");

    end();
}


/* What cannot have been written was never seen. */
static void
test_damaged(void)
{
    double     nan;
    uint64_t  *cells;

    begin();
    visit(0, 5000, 500);
    visit(1, 5000, 650);
    look();

    nan = NAN;
    cells = kept(UX_ENTRY_EVIDENCE);
    memcpy(&cells[1 + (cells[0] & 1) * sizeof(ux_evidence_t) / 8], &nan,
           sizeof(nan));
    look();
    ok(close_to(p_value(1, 0), pair(1, 0)->now.p_now)
       && verdict() == UX_VERDICT_VARIANT_BETTER, "evidence: looked again");

    memcpy(kept(UX_ENTRY_BALANCE), &nan, sizeof(nan));
    visit(1, 2000, 260);
    ok(verdict() == UX_VERDICT_SRM, "a balance of NaN hides no mismatch");

    end();
}


/* Without a place there is no minimum, and nothing is significant. */
static void
test_no_place(void)
{
    uint32_t     i;
    ux_entry_t  *entry;

    begin();
    visit(0, 5000, 500);
    visit(1, 5000, 650);

    for (i = 0; i < ux_registry_count(w->store.registry); i++) {
        entry = &w->store.registry->entries[i];

        if (entry->kind == UX_ENTRY_EVIDENCE) {
            entry->analysis++;
        }
    }

    look();
    ok(isnan(p_value(1, 0)) && pair(1, 0)->now.p_now < 0.001
       && !pair(1, 0)->significant
       && result.experiment.verdict == UX_VERDICT_INCONCLUSIVE,
       "nothing to keep it in: nothing decided");
    ok(is(GOAL "/p_value", "null") && is(GOAL "/exact/p_value", "null"),
       "null");

    end();
}


/* Cells of the first entry of the kind. */
static uint64_t *
kept(ux_entry_e kind)
{
    uint32_t           i;
    const ux_entry_t  *entry;

    for (i = 0; i < ux_registry_count(w->store.registry); i++) {
        entry = &w->store.registry->entries[i];

        if (entry->kind == kind) {
            return &w->store.counter.shared[entry->ring];
        }
    }

    printf("Bail out! nothing is kept\n");
    exit(1);
}
