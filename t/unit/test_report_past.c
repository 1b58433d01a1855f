
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_report: what is not configured any more: variants, experiments, the
 * version before.
 */

#include "report_fixture.h"


#define P  E "/previous"


static void test_dropped(void);
static void test_removed(void);
static void test_removed_metrics(void);
static void test_removed_time(void);
static void test_removed_versions(void);
static void test_previous(void);
static void remove_experiment(void);
static ux_entry_t *version(uint16_t ordinal, uint64_t number);


int
main(void)
{
    if (!fixture_map()) {
        return 1;
    }

    test_dropped();
    test_removed();
    test_removed_metrics();
    test_removed_time();
    test_removed_versions();
    test_previous();

    return done();
}


static void
test_dropped(void)
{
    int64_t  sum, epochs;

    setup();
    set_counts();

    ok(is(E "/variants/old/removed", "true"), "a dropped variant says so");
    ok(is(E "/variants/old/weight", "0"), "it has no weight");
    ok(is(E "/variants/old/share", "0"), "and takes nobody");
    ok(is(E "/variants/old/control", "false"), "it is no control");
    ok(is(E "/variants/old/visitors", "60"), "its visitors are there");
    ok(is(E "/variants/old/metrics/purchase/role", "\"goal\""),
       "with what they did");
    ok(is(V "/share", "0.5"), "shares are of the others");

    sum = field(at(V), "visitors") + field(at(W), "visitors")
          + field(at(E "/variants/old"), "visitors");
    epochs = field(at(E "/epochs/0"), "visitors")
             + field(at(E "/epochs/1"), "visitors");
    ok(sum == epochs && sum == 1200, "the sums agree");

    (void) entry(UX_ENTRY_VARIANT, "never", 2, 0);
    ok(status_of(E "/variants/never") == UX_DECLINED,
       "one that nobody was ever in is not shown");

    count(arm_base[2] + UX_ARM_VISITORS, -60);
    ok(is(E "/variants/old/visitors", "0"), "one that lost all of them is");

    setup();
    count(arm_base[2] + UX_ARM_ASSIGNED, 1);
    ok(is(E "/variants/old/assigned", "1"), "one with somebody assigned is");

    /* renamed: another variant, the one of before stays */

    setup();
    set_counts();
    experiments[0].variants[1].name = str("two_page");
    ok(is(E "/variants/two_page/visitors", "0"), "renamed: it starts at 0");
    ok(is(W "/visitors", "540") && is(W "/removed", "true"),
       "and the old name is a removed one");
}


static void
test_removed(void)
{
    const char  *text;

    remove_experiment();

    ok(is(E "/state", "\"removed\""), "removed");
    ok(is(E "/ended_at", "\"2026-01-31T00:00:00Z\""), "since when");
    ok(is(E "/started_at", "\"2026-01-28T12:00:00Z\""), "it had begun");
    ok(is(E "/runtime_seconds", "216000"), "and ran so long");
    ok(is(E "/verdict", "\"stopped\""), "without a decision");
    ok(is(E "/waiting_for", "[]"), "waits for nothing");
    ok(is(E "/problems", "[]"), "no problems");
    ok(is(E "/traffic", "0.8"), "traffic of its newest epoch");
    ok(is(E "/goal", "null") && is(E "/alpha", "null")
       && is(E "/planned_visitors", "null")
       && is(E "/min_runtime_seconds", "null") && is(E "/layer", "null"),
       "what only its configuration said is gone");
    ok(is(E "/epoch", "2") && is(E "/epochs/0/visitors", "600"),
       "its epochs");
    ok(is(E "/crossover_visitors", "6") && is(E "/moved_visitors", "4"),
       "crossovers, moved");

    ok(is(V "/visitors", "600") && is(V "/weight", "50")
       && is(V "/removed", "false"), "a variant of its newest epoch");
    ok(is(E "/variants/old/visitors", "60")
       && is(E "/variants/old/removed", "true"), "one of an older epoch");
    ok(is(W "/control", "true") && is(V "/control", "false"),
       "its control is known");
    text = at(E "/variants");
    ok(strstr(text, "\"one_page\":{") < strstr(text, "\"control\":{"),
       "and goes first");
    ok(is(F "/carts/created", "90") && is(F "/steps/0/visitors", "90"),
       "funnels, with carts");
    ok(is(E "/intention_to_treat/variants/control/rate", "null"),
       "without a goal no rate of it");
    ok(is(E "/previous", "null"), "no version before it");

    ok(status_of("/zones/shop/experiments/checkout_layouts") == UX_DECLINED,
       "one that another process has configured is not removed");

    count(arm_base[0] + UX_ARM_CROSSOVER, 7);
    ok(is(E "/verdict", "\"untrusted\""), "crossovers are judged still");
}


static void
test_removed_metrics(void)
{
    ux_entry_t  *e;

    remove_experiment();

    ok(is(V "/metrics/revenue/sum", "1544.10"), "revenue");
    ok(is(V "/metrics/revenue/role", "\"secondary\""), "nothing is a goal");
    ok(is(V "/metrics/purchase/visitors", "31")
       && is(V "/metrics/purchase/role", "\"secondary\""),
       "what was a goal is secondary");
    ok(is(V "/metrics/survey/type", "\"conversion\"")
       && is(V "/metrics/survey/events", "4"), "events that had a count");
    ok(status_of(V "/metrics/view_item") == UX_DECLINED,
       "not those that had none");
    ok(is(W "/metrics/survey/events", "0"), "the same for all variants");

    e = entry(UX_ENTRY_EVENT, "wishlist", UX_PARENT_NONE, 0);
    e->ordinal = 50;
    count(arm_base[0] + UX_ARM_EVENT_VISITORS + 50, 4);
    count(arm_base[0] + UX_ARM_EVENT_COUNT + 50, 6);

    ok(is(V "/metrics/wishlist/visitors", "4")
       && is(V "/metrics/wishlist/events", "6"),
       "an event that is not configured any more either");
    ok(status_of("/zones/shop/events/wishlist") == UX_DECLINED
       && is("/zones/shop/experiments/banner/goal",
             "[\"purchase\",\"revenue\"]"),
       "which changes nothing elsewhere");
}


static void
test_removed_time(void)
{
    ux_entry_t  *e;

    remove_experiment();

    e = entry_of(UX_ENTRY_EXPERIMENT, 2);

    e->removed_ms = NOW - 30 * DAY + 1;
    ok(status_of(E) == UX_OK, "seen for 30 days");
    e->removed_ms = NOW - 30 * DAY;
    ok(status_of(E) == UX_DECLINED, "then no more");

    model.removed_ms = 31 * DAY;
    ok(status_of(E) == UX_OK, "or for as long as the zone says");
    model.removed_ms = DAY;
    e->removed_ms = NOW - DAY + 1;
    ok(status_of(E) == UX_OK, "a day");
    e->removed_ms = NOW - DAY;
    ok(status_of(E) == UX_DECLINED, "and no longer");

    e->removed_ms = NOW + 1000;
    ok(status_of(E) == UX_OK, "another process's clock may be ahead");
    e->removed_ms = 0;
    model.removed_ms = 2 * NOW;
    ok(status_of(E) == UX_DECLINED, "not without having been removed");
}


/* Of several versions of the name. */
static void
test_removed_versions(void)
{
    const char  *text;

    remove_experiment();

    /* version 2, removed later */

    version(4, 2)->removed_ms = NOW - HOUR;
    ok(is(E "/version", "2"), "the one removed last is shown");
    ok(is(P "/version", "1") && is(P "/variants/control/visitors", "600"),
       "with the one before it");
    ok(is(P "/previous", "null"), "and that with none");

    version(4, 2)->removed_ms = NOW - DAY;
    ok(is(E "/version", "1"), "or the other way round");

    /* version 2 configured: 1 is its previous and nothing of its own */

    experiments[0].name = str("checkout_layout");
    experiments[0].version = 2;
    version(4, 2)->removed_ms = 0;
    ok(is(E "/version", "2") && is(E "/state", "\"running\""),
       "a configured one is no removed one");
    ok(is(P "/version", "1"), "the older version is below it");
    text = strstr(at("/zones/shop/experiments"), "\"checkout_layout\":{");
    ok(text != NULL && strstr(text + 1, "\"checkout_layout\":{") == NULL,
       "and not beside it");

    experiments[0].version = 1;
    version(2, 1)->removed_ms = 0;
    version(4, 2)->removed_ms = NOW - HOUR;
    ok(is(E "/version", "1") && is(P, "null"),
       "back to the first: the second is neither");
}


static void
test_previous(void)
{
    setup();
    set_counts();

    experiments[0].version = 2;
    version(2, 1)->removed_ms = NOW - 90 * DAY;

    ok(is(V "/visitors", "0"), "a new version counts from 0");
    ok(is(P "/variants/control/visitors", "600"), "the last one is readable");
    ok(is(P "/state", "\"removed\""), "it is not configured");
    ok(is(P "/ended_at", "\"2025-11-02T12:00:00Z\""), "since when");
    ok(is(P "/variants/control/metrics/purchase/events", "33"),
       "with what was counted");
    ok(is(P "/variants/control/funnels/checkout/carts/created", "90"),
       "carts included");
    ok(is(P "/previous", "null"), "one is enough");
    ok(is(E "/goal", "\"purchase\""), "the new one has its own design");
    ok(is("/zones/shop/experiments/banner/previous", "null"),
       "another experiment has none");

    (void) version(5, 7);
    (void) version(6, 4);
    experiments[0].version = 9;
    ok(is(P "/version", "7"), "the highest below it");
    ok(is(P "/previous", "null"), "without those before that");
    experiments[0].version = 7;
    ok(is(P "/version", "4"), "never itself");
    experiments[0].version = 1;
    ok(is(P, "null"), "never a higher one");
}


/* Half a day ago, its control having been one_page. */
static void
remove_experiment(void)
{
    setup();
    set_counts();

    experiments[0].name = str("other");
    entry_of(UX_ENTRY_EXPERIMENT, 2)->removed_ms = NOW - DAY / 2;
    entry_of(UX_ENTRY_EPOCH, 7)->control = 21;
    entry_of(UX_ENTRY_EPOCH, 8)->control = 21;
}


/* The checkout_layout with this ordinal, made if need be. */
static ux_entry_t *
version(uint16_t ordinal, uint64_t number)
{
    ux_entry_t  *e;

    e = entry_of(UX_ENTRY_EXPERIMENT, ordinal);

    if (e == NULL) {
        e = entry(UX_ENTRY_EXPERIMENT, "checkout_layout", UX_PARENT_NONE, 0);
        e->ordinal = ordinal;
    }

    e->value = number;

    return e;
}
