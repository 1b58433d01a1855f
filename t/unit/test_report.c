
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_report: every figure of the document, from counters set by hand.
 */

#include "report_fixture.h"


static void test_everything_there(void);
static void test_top(void);
static void test_zone(void);
static void test_experiment(void);
static void test_epochs(void);
static void test_variant(void);
static void test_metrics(void);
static void test_variance_exact(void);
static void test_no_rounding(void);
static void test_funnels(void);
static void test_other_experiment(void);


int
main(void)
{
    if (!fixture_map()) {
        return 1;
    }

    test_everything_there();
    test_top();
    test_zone();
    test_experiment();
    test_epochs();
    test_variant();
    test_metrics();
    test_variance_exact();
    test_no_rounding();
    test_funnels();
    test_other_experiment();

    return done();
}


/* Every member of the document of DESIGN.md, and those of its fine print. */
static void
test_everything_there(void)
{
    size_t  i, n;

    static const char *const  paths[] = {
        "/version", "/module", "/nginx", "/node", "/generated_at", "/zones",
        "/zones/shop", "/zones/shop/size_bytes", "/zones/shop/currency",
        "/zones/shop/visitors/capacity", "/zones/shop/visitors/tracked",
        "/zones/shop/visitors/provisional", "/zones/shop/visitors/evicted",
        "/zones/shop/visitors/expired", "/zones/shop/visitors/contended_drop",
        "/zones/shop/snapshot/path", "/zones/shop/snapshot/saved_at",
        "/zones/shop/snapshot/age_seconds", "/zones/shop/snapshot/restored",
        "/zones/shop/snapshot/errors", "/zones/shop/discarded/excluded",
        "/zones/shop/discarded/override", "/zones/shop/discarded/no_consent",
        "/zones/shop/discarded/bot", "/zones/shop/discarded/prefetch",
        "/zones/shop/discarded/head", "/zones/shop/discarded/cross_site",
        "/zones/shop/discarded/cached", "/zones/shop/discarded/bad_cookie",
        "/zones/shop/discarded/bad_event",
        "/zones/shop/discarded/unknown_event",
        "/zones/shop/discarded/duplicate",
        "/zones/shop/discarded/refund_excess",
        "/zones/shop/discarded/not_exposed",
        "/zones/shop/discarded/after_window",
        "/zones/shop/discarded/zone_full",
        "/zones/shop/purchases_without_id", "/zones/shop/other_currencies",
        "/zones/shop/returned_after_eviction", "/zones/shop/events",
        "/zones/shop/events/view_item", "/zones/shop/events/add_to_cart",
        "/zones/shop/events/begin_checkout",
        "/zones/shop/events/add_shipping_info",
        "/zones/shop/events/add_payment_info", "/zones/shop/events/purchase",
        "/zones/shop/events/refund", "/zones/shop/events/survey",
        "/zones/shop/http/requests", "/zones/shop/http/status/1xx",
        "/zones/shop/http/status/2xx", "/zones/shop/http/status/client_abort",
        "/zones/shop/http/error_visitors", "/zones/shop/http/seconds/p99",
        "/zones/shop/experiments",
        E "/state", E "/version", E "/started_at", E "/ended_at",
        E "/runtime_seconds", E "/min_runtime_seconds", E "/traffic",
        E "/layer", E "/planned_visitors", E "/goal", E "/alpha",
        E "/serve", E "/verdict", E "/winner", E "/waiting_for",
        E "/waiting_for/0",
        E "/problems", E "/crossover_visitors", E "/moved_visitors",
        E "/analysis_since_epoch", E "/epoch", E "/epochs/0/epoch",
        E "/epochs/0/started_at", E "/epochs/0/traffic",
        E "/epochs/0/weights/control", E "/epochs/0/weights/one_page",
        E "/epochs/0/visitors", E "/epochs/0/used", E "/srm/method",
        E "/srm/p_value", E "/srm/ok", E "/srm/chi_square_p",
        E "/intention_to_treat/variants/control/assigned",
        E "/intention_to_treat/variants/control/rate",
        E "/intention_to_treat/variants/control/difference",
        E "/intention_to_treat/variants/one_page/p_value",
        E "/previous", E "/variants",
        V "/control", V "/removed", V "/weight", V "/share", V "/assigned",
        V "/visitors",
        V "/confirmed_share", V "/visitors_in_window", V "/segments",
        V "/metrics/purchase/type", V "/metrics/purchase/role",
        V "/metrics/purchase/better", V "/metrics/purchase/visitors",
        V "/metrics/purchase/events", V "/metrics/purchase/rate",
        V "/metrics/purchase/rate_ci/0", V "/metrics/purchase/rate_ci/1",
        V "/metrics/purchase/vs_control", V "/metrics/revenue/type",
        V "/metrics/revenue/role", V "/metrics/revenue/better",
        V "/metrics/revenue/currency", V "/metrics/revenue/sum",
        V "/metrics/revenue/cap", V "/metrics/revenue/mean",
        V "/metrics/revenue/variance", V "/metrics/revenue/visitors",
        V "/metrics/revenue/events", V "/metrics/revenue/vs_control",
        V "/metrics/survey/guardrail", V "/metrics/survey:ratio/ratio",
        V "/metrics/signup/sum",
        F "/steps/0/event", F "/steps/0/optional", F "/steps/0/visitors",
        F "/steps/0/visitors_before_exposure", F "/steps/0/events",
        F "/steps/0/rate", F "/steps/0/rate_ci/0", F "/steps/0/rate_ci/1",
        F "/steps/0/visitors_in_order", F "/steps/0/rate_from_previous",
        F "/steps/0/vs_control", F "/steps/0/seconds/p50",
        F "/steps/0/seconds/p75", F "/steps/0/seconds/p90", F "/steps/3",
        F "/biggest_loss/after", F "/biggest_loss/carts",
        F "/carts/created", F "/carts/carried_in", F "/carts/open",
        F "/carts/purchased", F "/carts/abandoned", F "/carts/recovered",
        F "/carts/settled", F "/carts/abandonment_rate",
        F "/carts/abandonment_ci/0", F "/carts/abandonment_ci/1",
        F "/carts/purchases_without_cart", F "/carts/abandoned_after",
        F "/carts/abandoned_after/add_to_cart",
        F "/carts/abandoned_after/begin_checkout",
        V "/http/requests", V "/http/status/1xx", V "/http/status/2xx",
        V "/http/status/3xx", V "/http/status/4xx", V "/http/status/5xx",
        V "/http/status/client_abort", V "/http/error_visitors",
        V "/http/seconds/p50", V "/http/seconds/p75", V "/http/seconds/p95",
        V "/http/seconds/p99", W "/control", W "/metrics/purchase/rate",
        W "/funnels/checkout/carts/created"
    };

    n = sizeof(paths) / sizeof(paths[0]);

    setup();
    set_counts();

    for (i = 0; i < n; i++) {
        ok(status_of(paths[i]) == UX_OK, "there is %s", paths[i]);
    }
}


static void
test_top(void)
{
    ok(is("/version", "1"), "version of the document");
    ok(is("/module", "\"0.1.0\""), "module");
    ok(is("/nginx", "\"1.22.1\""), "server");
    ok(is("/node", "\"web-1\""), "node");
    ok(is("/generated_at", "\"2026-01-31T12:00:00Z\""), "generated_at");
}


static void
test_zone(void)
{
    int  usd, jpy, eur;

    ok(is("/zones/shop/size_bytes", "67108864"), "configured size");

    zone.zone_size = 0;
    ok(is("/zones/shop/size_bytes", "67108000"), "or the store's own");
    zone.zone_size = 67108864;

    ok(is("/zones/shop/currency", "\"EUR\""), "currency");
    ok(is("/zones/shop/visitors/tracked", "1234"),
       "tracked: inserted less evicted, expired, erased");
    ok(is("/zones/shop/visitors/provisional", "40"), "provisional");
    ok(is("/zones/shop/visitors/evicted", "3"), "evicted");
    ok(is("/zones/shop/visitors/expired", "7"), "expired");
    ok(is("/zones/shop/visitors/contended_drop", "2"), "contended_drop");

    ok(is("/zones/shop/snapshot", "{\"path\":null,\"saved_at\":null,"
          "\"age_seconds\":null,\"restored\":false,\"errors\":0}"),
       "no snapshot");

    zone.snapshot = str("/var/lib/ux");
    ok(is("/zones/shop/snapshot/path", "\"/var/lib/ux\""), "snapshot path");
    zone.snapshot.len = 0;

    ok(is("/zones/shop/discarded/excluded", "100"), "first reason");
    ok(is("/zones/shop/discarded/cached", "107"), "eighth reason");
    ok(is("/zones/shop/discarded/after_window", "114"), "last but one");
    count(UX_ZONE_DISCARDED + UX_DISCARD_ZONE_FULL, 115);
    ok(is("/zones/shop/discarded/zone_full", "115"), "last reason");
    ok(is("/zones/shop/purchases_without_id", "5"), "purchases_without_id");
    ok(is("/zones/shop/returned_after_eviction", "6"), "returned");
    ok(is("/zones/shop/events/add_to_cart", "812"), "an event");
    ok(is("/zones/shop/events/refund", "0"), "an event nobody sent");
    ok(is("/zones/shop/http/requests", "5000"), "http of the zone");
    ok(is("/zones/shop/http/status/1xx", "1"), "1xx of the zone");
    ok(is("/zones/shop/http/status/client_abort", "6"), "aborts");

    ok(is("/zones/shop/other_currencies", "{}"), "no other currency");

    usd = ux_currency_find(str("USD"));
    jpy = ux_currency_find(str("JPY"));
    eur = ux_currency_find(str("EUR"));

    if (!ok(usd > 0 && jpy > 0 && eur >= 0, "currencies are known")) {
        return;
    }

    count(UX_ZONE_CURRENCY_COUNT + (uint32_t) usd, 3);
    count(UX_ZONE_CURRENCY_SUM + (uint32_t) usd, 1250);
    count(UX_ZONE_CURRENCY_COUNT + (uint32_t) jpy, 1);
    count(UX_ZONE_CURRENCY_SUM + (uint32_t) jpy, -900);

    ok(is("/zones/shop/other_currencies/USD", "{\"sum\":12.50,\"events\":3}"),
       "dollars");
    ok(is("/zones/shop/other_currencies/JPY", "{\"sum\":-900,\"events\":1}"),
       "yen have no digits; a refund is negative");
    ok(status_of("/zones/shop/other_currencies/EUR") == UX_DECLINED,
       "currencies without events are left out");
}


static void
test_experiment(void)
{
    setup();
    set_counts();

    ok(is(E "/state", "\"running\""), "state");
    ok(is(E "/version", "1"), "version");
    ok(is(E "/started_at", "\"2026-01-28T12:00:00Z\""),
       "started with the first epoch");
    ok(is(E "/ended_at", "null"), "not ended");
    ok(is(E "/runtime_seconds", "259200"), "runtime");
    ok(is(E "/min_runtime_seconds", "604800"), "min_runtime");
    ok(is(E "/traffic", "0.8"), "traffic");
    ok(is(E "/layer", "null"), "no layer");
    ok(is(E "/planned_visitors", "10000"), "planned");
    ok(is(E "/goal", "\"purchase\""), "one goal is a string");
    ok(is(E "/alpha", "0.05"), "alpha");
    ok(is(E "/verdict", "\"collecting\""), "verdict");
    ok(is(E "/winner", "null"), "no winner");
    ok(is(E "/problems", "[]"), "no problems");
    ok(is(E "/analysis_since_epoch", "1"), "analysis since");
    ok(is(E "/previous", "null"), "no previous version");
    ok(is(E "/srm", "{\"method\":\"sequential_multinomial\","
          "\"p_value\":1,\"p_now\":1,\"ok\":true,\"warning\":false,"
          "\"chi_square_p\":1,\"confirmation_p\":1}"), "srm");
    ok(is(E "/intention_to_treat/variants/control",
          "{\"assigned\":640,\"rate\":0.0484375,\"difference\":null,"
          "\"p_value\":null,\"rate_adjusted\":null,"
          "\"control_rate_adjusted\":null}"),
       "intention to treat: 31 of all assigned");
    ok(is(E "/intention_to_treat/variants/one_page/assigned", "572")
       && is(E "/intention_to_treat/variants/one_page/rate", "0")
       && is(E "/intention_to_treat/variants/one_page/p_value", "null"),
       "the other, of whom nobody did");
    ok(near(E "/intention_to_treat/variants/one_page/difference",
            -(30 / 2.25 + 0.5) / (272 / 1.8 + 150), 1e-14),
       "less the control, epoch by epoch");

    report.now_ms = NOW - 30 * DAY;
    ok(is(E "/runtime_seconds", "0"), "a clock before the start");
    report.now_ms = NOW;
}


static void
test_epochs(void)
{
    ok(is(E "/epoch", "2"), "newest epoch");
    ok(is(E "/epochs/0", "{\"epoch\":1,"
          "\"started_at\":\"2026-01-28T12:00:00Z\",\"traffic\":0.5,"
          "\"weights\":{\"control\":50,\"one_page\":40,\"old\":10},"
          "\"visitors\":600,\"used\":true}"),
       "first epoch, with a variant that is gone");
    ok(is(E "/epochs/1", "{\"epoch\":2,"
          "\"started_at\":\"2026-01-30T12:00:00Z\",\"traffic\":0.8,"
          "\"weights\":{\"control\":50,\"one_page\":50},"
          "\"visitors\":600,\"used\":true}"), "second epoch");
    ok(is(E "/epochs/2", "{\"error\":\"not found\"}"), "no third");

    ok(is(E "/crossover_visitors", "6"), "crossovers, dropped variant's too");
    ok(is(E "/moved_visitors", "4"), "moved");
}


static void
test_variant(void)
{
    ok(is(V "/control", "true"), "the first is the control");
    ok(is(W "/control", "false"), "the second is not");
    ok(is(V "/weight", "50"), "weight");
    ok(is(V "/share", "0.5"), "share");
    ok(is(V "/assigned", "640"), "assigned, both epochs");
    ok(is(V "/visitors", "600"), "visitors, both epochs");
    ok(is(V "/confirmed_share", "0.9375"), "confirmed_share");
    ok(is(V "/visitors_in_window", "600"), "no window never closes");
    ok(is(V "/segments", "{}"), "no segments");
    ok(is(W "/assigned", "572"), "assigned of the other");
    ok(is(V "/http", "{\"requests\":3120,\"requests_per_visitor\":4.875,"
          "\"status\":{\"1xx\":1,\"2xx\":3080,"
          "\"3xx\":30,\"4xx\":8,\"5xx\":2,\"client_abort\":1},"
          "\"error_visitors\":2,\"error_visitor_rate\":0.003125,"
          "\"errors\":78,\"error_rate\":0.025,"
          "\"timeouts\":3,\"post_4xx\":4,\"retries\":0,\"rage_repeats\":0,"
          "\"bytes\":4096000,"
          "\"cache\":{\"lookups\":40,\"hits\":30,\"hit_share\":0.75},"
          "\"seconds\":{\"p50\":0.02,\"p75\":0.02,"
          "\"p95\":0.8075,\"p99\":0.8075,"
          "\"buckets\":{\"0.005\":0,\"0.01\":0,\"0.025\":3,\"0.05\":3,"
          "\"0.101\":3,\"0.251\":3,\"0.503\":3,\"1.007\":4,\"2.559\":4,"
          "\"5.119\":4,\"10.239\":4,\"30.207\":4,\"60.415\":4,"
          "\"all\":4}},"
          "\"upstream_seconds\":{\"p50\":null,\"p75\":null,"
          "\"p95\":null,\"p99\":null,"
          "\"buckets\":{\"0.005\":0,\"0.01\":0,\"0.025\":0,\"0.05\":0,"
          "\"0.101\":0,\"0.251\":0,\"0.503\":0,\"1.007\":0,\"2.559\":0,"
          "\"5.119\":0,\"10.239\":0,\"30.207\":0,\"60.415\":0,"
          "\"all\":0}}}"), "http");
    ok(is(V "/removed", "false"), "configured");
}


static void
test_metrics(void)
{
    ok(is(V "/metrics/purchase/type", "\"conversion\""), "type");
    ok(is(V "/metrics/purchase/role", "\"goal\""), "role");
    ok(is(V "/metrics/purchase/better", "\"higher\""), "better");
    ok(is(V "/metrics/purchase/visitors", "31"), "visitors");
    ok(is(V "/metrics/purchase/events", "33"), "events");
    ok(is(V "/metrics/purchase/rate", "0.051666666666666666"), "rate");
    ok(near(V "/metrics/purchase/rate_ci/0", 0.0366, 5e-5), "rate_ci low");
    ok(near(V "/metrics/purchase/rate_ci/1", 0.0724, 5e-5), "rate_ci high");
    ok(is(V "/metrics/purchase/vs_control", "null"), "vs_control");
    ok(status_of(V "/metrics/purchase/guardrail") == UX_DECLINED,
       "only guardrails say how they are");

    ok(is(V "/metrics/revenue/type", "\"mean\""), "revenue is a mean");
    ok(is(V "/metrics/revenue/currency", "\"EUR\""), "its currency");
    ok(is(V "/metrics/revenue/sum", "1544.10"), "its sum, exact");
    ok(is(V "/metrics/revenue/mean", "2.5735"), "its mean");
    ok(is(V "/money/per_visitor", "2.5735"), "which is what money says");
    ok(is(V "/metrics/revenue/visitors", "31"), "purchasers");
    ok(is(V "/metrics/revenue/events", "33"), "purchases");
    ok(is(V "/metrics/revenue/cap", "500.00"), "the cap");
    ok(is(W "/metrics/revenue/sum", "40.00"), "sum of the other");
    ok(near(W "/metrics/revenue/mean", 40.0 / 540, 1e-15),
       "mean of the other");
    ok(near(W "/metrics/revenue/variance", (540 * 1000.0 - 1600) / 540 / 539,
            1e-13), "variance, major units");

    ok(is(V "/metrics/survey/role", "\"guardrail\""), "a guardrail");
    ok(is(V "/metrics/survey/better", "\"lower\""), "lower is better");
    ok(is(V "/metrics/survey/guardrail", "null"), "not judged yet");
    ok(is(V "/metrics/survey/sum", "12.00"), "sum of another slot");
    ok(is(V "/metrics/survey/visitors", "3"), "visitors with the event");
    ok(is(V "/metrics/survey:ratio/type", "\"ratio\"")
       && is(V "/metrics/survey:ratio/sum", "6.00")
       && is(V "/metrics/survey:ratio/currency", "\"EUR\"")
       && is(V "/metrics/survey:ratio/visitors", "3")
       && is(V "/metrics/survey:ratio/events", "4")
       && is(V "/metrics/survey:ratio/ratio", "1.5"),
       "the same event once more, as a ratio");
    ok(near(V "/metrics/survey:ratio/ratio_ci/0", 0.2497208408252, 1e-12)
       && near(V "/metrics/survey:ratio/ratio_ci/1", 2.7502791591748, 1e-12),
       "with its interval");

    model.ntotals = 3;
    ok(is(V "/metrics/survey:ratio/sum", "12.00")
       && is(V "/metrics/survey:ratio/ratio", "null"),
       "of a mean there is a sum, but nobody counted values");
    model.ntotals = 4;

    ok(is(W "/metrics/survey:ratio/ratio", "null"), "no event: no ratio");
    ok(is(V "/metrics/signup/type", "\"count\"")
       && is(V "/metrics/signup/sum", "9")
       && is(V "/metrics/signup/variance", "0.135")
       && is(V "/metrics/signup/visitors", "5")
       && is(V "/metrics/signup/events", "9"), "a count");
    ok(near(V "/metrics/signup/mean_ci/0", 0.015 - 1.959963984540054 * 0.015,
            1e-14)
       && near(V "/metrics/signup/mean_ci/1",
               0.015 + 1.959963984540054 * 0.015, 1e-14),
       "its interval");
    ok(is(V "/metrics/signup/mean", "0.015"), "mean of a count");
    ok(status_of(V "/metrics/signup/currency") == UX_DECLINED,
       "a count is no money");

    experiments[0].cap = 0;
    ok(is(V "/metrics/revenue/cap", "null"), "no cap");
    experiments[0].cap = 50000;
}


/* 10^12 and 10^12 - 2 minor units: squares need 80 bits, and no double. */
static void
test_variance_exact(void)
{
    setup();

    count(arm_base[0] + UX_ARM_VISITORS, 1);
    count(arm_base[3] + UX_ARM_VISITORS, 1);
    total(arm_base[0], 0, 1000000000000);
    total(arm_base[3], 0, 999999999998);

    ok(is(V "/metrics/revenue/sum", "19999999999.98"), "sum of two epochs");
    ok(is(V "/metrics/revenue/mean", "9999999999.99"), "mean");
    ok(is(V "/metrics/revenue/variance", "0.0002"), "variance");

    /* a refund: the limbs go down */

    count(arm_base[0] + UX_ARM_TOTALS + UX_TOTAL_SUM, -1000000000000);
    count(arm_base[0] + UX_ARM_TOTALS + UX_TOTAL_SQ_LO,
          (int64_t) (-(ux_u128_t) 1000000000000 * 1000000000000
                     & 0xffffffff));
    count(arm_base[0] + UX_ARM_TOTALS + UX_TOTAL_SQ_MID,
          (int64_t) (-(ux_u128_t) 1000000000000 * 1000000000000 >> 32
                     & 0xffffffff));
    count(arm_base[0] + UX_ARM_TOTALS + UX_TOTAL_SQ_HI,
          (int64_t) (-(ux_u128_t) 1000000000000 * 1000000000000 >> 64));

    ok(is(V "/metrics/revenue/sum", "9999999999.98"), "after a refund");
    ok(is(V "/metrics/revenue/mean", "4999999999.99"), "its mean");
    ok(near(V "/metrics/revenue/variance", 9999999999.98 * 9999999999.98 / 2,
            1e6), "its variance");

    setup();

    ok(is(V "/metrics/revenue/mean", "null"), "mean of nobody");
    ok(is(V "/money/per_visitor", "null"), "money of nobody");
    ok(is(V "/metrics/revenue/variance", "null"), "variance of nobody");
    ok(is(V "/metrics/purchase/rate", "null"), "rate of nobody");
    ok(is(V "/metrics/purchase/rate_ci", "null"), "interval of nobody");
    ok(is(V "/confirmed_share", "null"), "share of nobody");
}


static void
test_no_rounding(void)
{
    setup();

    count(UX_ZONE_EVENTS + model.event_slots[0], 9007199254740993);
    ok(is("/zones/shop/events/view_item", "9007199254740993"),
       "a count beyond 2^53");

    count(arm_base[0] + UX_ARM_TOTALS + UX_TOTAL_SUM, 9007199254740993);
    ok(is(V "/metrics/revenue/sum", "90071992547409.93"),
       "money beyond 2^53");
}


static void
test_funnels(void)
{
    setup();
    set_counts();

    ok(near(F "/steps/0/rate_ci/0", 0.12366, 5e-6), "its rate_ci");
    ok(near(F "/steps/0/rate_ci/1", 0.18079, 5e-6), "and its upper end");
    ok(is(F "/steps/0/event", "\"add_to_cart\""), "first step");
    ok(is(F "/steps/0/visitors", "90"), "its visitors");
    ok(is(F "/steps/0/visitors_before_exposure", "2"), "before exposure");
    ok(is(F "/steps/0/events", "101"), "its events");
    ok(is(F "/steps/0/rate", "0.15"), "its rate, of all visitors");
    ok(is(F "/steps/0/visitors_in_order", "90"), "in order");
    ok(is(F "/steps/0/rate_from_previous", "null"), "nothing before it");
    ok(is(F "/steps/1/rate_from_previous", "0.5"), "45 of 90 went on");
    ok(is(F "/steps/2/optional", "true"), "an optional step");
    ok(is(F "/steps/2/rate_from_previous", "0.2"), "9 of 45");
    ok(is(F "/steps/3/rate_from_previous", "0.6"),
       "27 of the 45 of the previous required step");

    ok(is(V "/funnels/browse/carts", "null"), "a funnel without a cart");
    ok(is(V "/funnels/browse/biggest_loss", "null"), "loses none");
    ok(is(V "/funnels/browse/steps/0/event", "\"view_item\""), "its step");
}


static void
test_other_experiment(void)
{
    const char  *b;

    setup();

    b = "/zones/shop/experiments/banner";

    ok(is("/zones/shop/experiments/banner/goal",
          "[\"purchase\",\"revenue\"]"), "several goals are an array");
    ok(is("/zones/shop/experiments/banner/layer",
          "{\"name\":\"top\",\"lo\":0.25,\"hi\":0.5}"), "a layer");
    ok(is("/zones/shop/experiments/banner/variants/A.1-x/share", "null"),
       "no share when all weights are 0");
    ok(status_of(b) == UX_OK, "the experiment");
}
