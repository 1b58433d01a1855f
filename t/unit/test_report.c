
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_report: a zone laid out by hand, its counters set by hand, and every
 * figure of the document compared.  Parts are looked up by path, so the test
 * needs no JSON parser: the text of a part is its value.
 */

#include "ux_json.h"
#include "ux_number.h"
#include "ux_report.h"
#include "tap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>


#define OWN_CELLS   4096
#define ALL_CELLS   16384
#define ENTRIES     64
#define NOW         1769860800000ull       /* 2026-01-31T12:00:00Z */
#define HOUR        3600000ull
#define DAY         (24 * HOUR)

#define E           "/zones/shop/experiments/checkout_layout"
#define V           E "/variants/control"
#define W           E "/variants/one_page"
#define F           V "/funnels/checkout"

#define CARTS_MAX   400
#define ACTIONS_MAX (3 * CARTS_MAX)


/* What a server's processes would share. */
typedef struct {
    ux_store_head_t  head;
    uint64_t         copies[UX_WORKERS * OWN_CELLS];
    uint64_t         shared[ALL_CELLS];
    int              stop;
    union {
        ux_registry_t  registry;
        uint8_t        room[sizeof(ux_registry_t)
                            + ENTRIES * sizeof(ux_entry_t)];
    };
} memory_t;


/* One cart of the simulation; times after its creation, 0: never. */
typedef struct {
    uint64_t  created;
    uint64_t  checkout;
    uint64_t  purchase;
} cart_t;


typedef struct {
    uint64_t  time;
    unsigned  cart;
    unsigned  what;                        /* 0 created, 1 checkout, 2 bought */
} action_t;


typedef struct {
    int64_t  created, open, purchased, abandoned, recovered, settled;
    int64_t  after[2];
} cohorts_t;


static void setup(void);
static void add_experiments(void);
static void add_funnels(void);
static void add_registry(void);
static ux_entry_t *entry(ux_entry_e kind, const char *name, uint16_t parent,
    uint16_t aux);
static void set_counts(void);
static void count(uint32_t cell, int64_t delta);
static void total(uint32_t base, unsigned slot, int64_t to);
static uint32_t event_cell(unsigned base, unsigned first, const char *name);
static ux_str_t str(const char *text);
static const char *at(const char *path);
static ux_status_t status_of(const char *path);
static bool is(const char *path, const char *expected);
static bool near(const char *path, double expected, double off);
static int64_t field(const char *text, const char *name);

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
static void test_gate(void);
static void test_clamps(void);
static void test_unregistered(void);
static void test_other_experiment(void);
static void test_foreign_registry(void);
static void test_carts(void);
static void test_carts_at(uint64_t now, const cart_t *carts);
static void test_carts_shapes(void);
static void carts_make(cart_t *carts, uint64_t within);
static void carts_play(const cart_t *carts, uint64_t within, uint32_t base,
    uint32_t ring, uint64_t now);
static void cart_count(uint32_t base, uint32_t ring, unsigned cell,
    unsigned field, uint32_t bucket, int32_t delta, bool in_ring);
static int action_compare(const void *a, const void *b);
static void carts_expect(const cart_t *carts, uint64_t within, uint64_t now,
    cohorts_t *expected);
static void test_paths(void);
static void test_nothing_echoed(void);
static void test_concurrent(void);
static void write_counters(uint32_t base, uint32_t cart, uint32_t ring);
static void test_no_memory(void);
static void *test_alloc(size_t size);
static void test_release(void *p);


static memory_t          *memory;
static ux_store_t         store;
static ux_model_t         model;
static ux_experiment_t    experiments[2];
static ux_report_zone_t   zone;
static ux_report_t        report;

static uint32_t           arm_base[5];
static uint32_t           cart_base[3];
static uint32_t           cart_ring[3];
static unsigned           worker;

static long               allocs;
static long               live;
static long               fail_at;


int
main(void)
{
    memory = mmap(NULL, sizeof(memory_t), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
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
    test_gate();
    test_clamps();
    test_unregistered();
    test_other_experiment();
    test_foreign_registry();
    test_carts();
    test_carts_shapes();
    test_paths();
    test_nothing_echoed();
    test_concurrent();
    test_no_memory();

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
        E "/verdict", E "/winner", E "/waiting_for", E "/waiting_for/0",
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
        V "/control", V "/weight", V "/share", V "/assigned", V "/visitors",
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
          "\"p_value\":null,\"ok\":null,\"chi_square_p\":null}"), "srm");
    ok(is(E "/intention_to_treat/variants/control",
          "{\"assigned\":640,\"rate\":null,\"difference\":null,"
          "\"p_value\":null}"), "intention to treat");

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
          "\"visitors\":303,\"used\":true}"),
       "first epoch, with a variant that is gone");
    ok(is(E "/epochs/1", "{\"epoch\":2,"
          "\"started_at\":\"2026-01-30T12:00:00Z\",\"traffic\":0.8,"
          "\"weights\":{\"control\":50,\"one_page\":50},"
          "\"visitors\":304,\"used\":true}"), "second epoch");
    ok(is(E "/epochs/2", "{\"error\":\"not found\"}"), "no third");

    ok(is(E "/crossover_visitors", "9"), "crossovers, dropped variant's too");
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
    ok(is(V "/visitors_in_window", "null"), "not yet");
    ok(is(V "/segments", "{}"), "no segments");
    ok(is(W "/assigned", "4"), "assigned of the other");
    ok(is(V "/http", "{\"requests\":3120,\"status\":{\"1xx\":1,\"2xx\":3080,"
          "\"3xx\":30,\"4xx\":8,\"5xx\":2,\"client_abort\":1},"
          "\"error_visitors\":2,\"seconds\":{\"p50\":null,\"p75\":null,"
          "\"p95\":null,\"p99\":null}}"), "http");
    ok(status_of(E "/variants/old") == UX_DECLINED,
       "a variant no longer configured is not shown");
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
    ok(is(V "/metrics/revenue/visitors", "31"), "purchasers");
    ok(is(V "/metrics/revenue/events", "33"), "purchases");
    ok(is(V "/metrics/revenue/cap", "500.00"), "the cap");
    ok(is(W "/metrics/revenue/sum", "40.00"), "sum of the other");
    ok(is(W "/metrics/revenue/mean", "10"), "mean of the other");
    ok(is(W "/metrics/revenue/variance", "200"), "variance, major units");

    ok(is(V "/metrics/survey/role", "\"guardrail\""), "a guardrail");
    ok(is(V "/metrics/survey/better", "\"lower\""), "lower is better");
    ok(is(V "/metrics/survey/guardrail", "null"), "not judged yet");
    ok(is(V "/metrics/survey/sum", "12.00"), "sum of another slot");
    ok(is(V "/metrics/survey/visitors", "3"), "visitors with the event");
    ok(is(V "/metrics/survey:ratio", "{\"type\":\"ratio\","
          "\"role\":\"secondary\",\"better\":\"higher\",\"currency\":\"EUR\","
          "\"sum\":12.00,\"visitors\":3,\"events\":4,\"ratio\":3,"
          "\"vs_control\":null}"), "the same event once more, as a ratio");
    ok(is(W "/metrics/survey:ratio/ratio", "null"), "no event: no ratio");
    ok(is(V "/metrics/signup", "{\"type\":\"count\",\"role\":\"secondary\","
          "\"better\":\"higher\",\"sum\":9,\"mean\":0.015,"
          "\"variance\":0.135,\"visitors\":5,\"events\":9,"
          "\"vs_control\":null}"), "a count");
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
    count(arm_base[0] + UX_ARM_TOTALS + UX_TOTAL_SQ_HI,
          (int64_t) (-(ux_u128_t) 1000000000000 * 1000000000000 >> 32));

    ok(is(V "/metrics/revenue/sum", "9999999999.98"), "after a refund");
    ok(is(V "/metrics/revenue/mean", "4999999999.99"), "its mean");
    ok(near(V "/metrics/revenue/variance", 9999999999.98 * 9999999999.98 / 2,
            1e6), "its variance");

    setup();

    ok(is(V "/metrics/revenue/mean", "null"), "mean of nobody");
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
test_gate(void)
{
    unsigned  i;
    uint32_t  purchase[2];

    setup();

    ok(is(E "/waiting_for",
          "[\"gate\",\"min_runtime\",\"significance\"]"), "all of them");

    report.now_ms = NOW + 4 * DAY;
    ok(is(E "/waiting_for", "[\"gate\",\"significance\"]"),
       "min_runtime has passed");
    report.now_ms = NOW + 4 * DAY - 1;
    ok(is(E "/waiting_for/1", "\"min_runtime\""), "a moment before");
    report.now_ms = NOW + 4 * DAY;

    /* 250 visitors and 25 converters in each arm */

    for (i = 0; i < 2; i++) {
        purchase[i] = event_cell(arm_base[i], UX_ARM_EVENT_VISITORS,
                                 "purchase");
        count(arm_base[i] + UX_ARM_VISITORS, 250);
        count(purchase[i], 25);
    }

    ok(is(E "/waiting_for", "[\"significance\"]"), "the gate is met");

    count(arm_base[1] + UX_ARM_VISITORS, -1);
    ok(is(E "/waiting_for/0", "\"gate\""), "499 visitors in the pair");
    count(arm_base[1] + UX_ARM_VISITORS, 1);

    count(purchase[0], -1);
    ok(is(E "/waiting_for/0", "\"gate\""), "24 converters in the control");
    count(purchase[0], 1);

    count(purchase[1], -1);
    ok(is(E "/waiting_for/0", "\"gate\""), "24 converters in the other");
    count(purchase[1], 1);

    count(purchase[1], 225 - 25);
    ok(is(E "/waiting_for", "[\"significance\"]"), "25 non-converters");
    count(purchase[1], 1);
    ok(is(E "/waiting_for/0", "\"gate\""), "24 non-converters");

    experiments[0].metrics[0].role = UX_ROLE_SECONDARY;
    ok(is(E "/goal", "null"), "no goal");
    ok(is(E "/waiting_for/0", "\"gate\""), "nothing to decide by");
    experiments[0].metrics[0].role = UX_ROLE_GOAL;

    report.now_ms = NOW;
}


/* What a race may show for a moment. */
static void
test_clamps(void)
{
    setup();

    count(arm_base[0] + UX_ARM_ASSIGNED, 3);
    count(arm_base[0] + UX_ARM_VISITORS, 4);
    count(event_cell(arm_base[0], UX_ARM_EVENT_VISITORS, "purchase"), 5);
    count(event_cell(arm_base[0], UX_ARM_EVENT_VISITORS, "add_to_cart"), 9);
    count(arm_base[0] + UX_ARM_STEP_IN_ORDER + model.funnels[0].steps[0].slot,
          6);
    count(arm_base[0] + UX_ARM_STEP_IN_ORDER + model.funnels[0].steps[1].slot,
          7);

    ok(is(V "/confirmed_share", "1"), "confirmed_share ends at 1");
    ok(is(V "/metrics/purchase/visitors", "4"), "converters end at visitors");
    ok(is(V "/metrics/purchase/rate", "1"), "a rate ends at 1");
    ok(is(V "/metrics/purchase/rate_ci/1", "1"), "so does its interval");
    ok(is(F "/steps/0/visitors", "4"), "a step ends at visitors");
    ok(is(F "/steps/0/visitors_in_order", "4"), "in order, too");
    ok(is(F "/steps/1/rate_from_previous", "1"), "step to step ends at 1");

    count(arm_base[0] + UX_ARM_VISITORS, -6);
    ok(is(V "/visitors", "0"), "nobody is fewer than 0");
    ok(is(V "/metrics/purchase/visitors", "0"), "nor converters");

    count(UX_ZONE_PROVISIONAL, -1);
    count(UX_ZONE_EXPIRED, 1);
    ok(is("/zones/shop/visitors/provisional", "0"), "nor provisional");
    ok(is("/zones/shop/visitors/tracked", "0"), "nor tracked");
}


/* A zone that had no room left for the experiment. */
static void
test_unregistered(void)
{
    setup();
    set_counts();

    memory->registry.count = 0;

    ok(is(E "/started_at", "null"), "not registered: not started");
    ok(is(E "/epoch", "null"), "no epoch");
    ok(is(E "/epochs", "[]"), "no epochs");
    ok(is(V "/visitors", "0"), "no visitors");
    ok(is(F "/carts/created", "0"), "no carts");
    ok(is(F "/carts/abandonment_rate", "null"), "no rate");
    ok(is(F "/biggest_loss", "null"), "no loss");
    ok(is(E "/waiting_for",
          "[\"gate\",\"min_runtime\",\"significance\"]"), "waits for all");

    setup();
    set_counts();

    experiments[0].version = 2;
    ok(is(V "/visitors", "0"), "another version starts from zero");
    ok(is(E "/version", "2"), "and says so");
    experiments[0].version = 1;

    memset(model.event_slots, UX_SLOT_NONE, sizeof(model.event_slots));
    model.funnels[0].cart = UX_SLOT_NONE;
    model.funnels[0].steps[0].slot = UX_SLOT_NONE;
    model.totals[1].slot = UX_SLOT_NONE;

    ok(is(V "/metrics/purchase/visitors", "0"), "events without a slot");
    ok(is("/zones/shop/events/add_to_cart", "0"), "in the zone, too");
    ok(is(F "/steps/0/visitors_in_order", "0"), "a step without a slot");
    ok(is(F "/carts/created", "0"), "carts without a slot");
    ok(is(V "/metrics/survey/sum", "0.00"), "a total without a slot");
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


/* Numbers of shared memory are never followed out of it. */
static void
test_foreign_registry(void)
{
    uint32_t  i;

    setup();
    set_counts();

    memory->registry.count = 0xffffffff;
    ok(is(V "/visitors", "600"), "a count beyond the capacity");

    setup();
    set_counts();

    for (i = 0; i < memory->registry.count; i++) {
        memory->registry.entries[i].base = ALL_CELLS - 3;
        memory->registry.entries[i].ring = 0xfffffff0;
    }

    ok(is(V "/visitors", "0"), "blocks beyond the cells");

    setup();

    for (i = 0; i < memory->registry.count; i++) {
        memory->registry.entries[i].parent = 60000;
        memory->registry.entries[i].ordinal = 60000;
        memory->registry.entries[i].aux = 60000;
        memory->registry.entries[i].name_len = 255;
    }

    ok(is(V "/visitors", "0"), "parents that are none");

    for (i = 0; i < memory->registry.count; i++) {
        memory->registry.entries[i].kind = 200;
    }

    ok(is(V "/visitors", "0"), "kinds that are none");

    setup();
    memcpy(memory->registry.entries[2].name, "<script>", 8);
    memory->registry.entries[2].name_len = 8;
    ok(strstr(at(E "/epochs"), "script") == NULL,
       "a name that is no name is left out");
}


/* A simulation against its own ledger, at many moments. */
static void
test_carts(void)
{
    cart_t    carts[CARTS_MAX];
    uint64_t  now, from;
    unsigned  i;

    carts_make(carts, HOUR);

    from = NOW - 3 * HOUR;

    static const uint64_t  moments[] = {
        0, 1, 30000, 59999, 60000, 10 * 60000, 45 * 60000, HOUR - 1, HOUR,
        HOUR + 1, HOUR + 59999, HOUR + 60000, HOUR + 60001, 90 * 60000,
        2 * HOUR, 2 * HOUR + 12345, 3 * HOUR, 3 * HOUR + 60000, 5 * HOUR,
        40 * HOUR
    };

    for (i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
        now = from + moments[i];
        test_carts_at(now, carts);
    }

    report.now_ms = NOW;
}


/* Two windows of one funnel, as after a reconfiguration: added up. */
static void
test_carts_at(uint64_t now, const cart_t *carts)
{
    int64_t      identity;
    cohorts_t    e;
    const char  *text;

    setup();

    report.now_ms = now;

    memset(&e, 0, sizeof(e));

    carts_play(carts, HOUR, cart_base[0], cart_ring[0], now);
    carts_expect(carts, HOUR, now, &e);
    carts_play(carts, 20 * 60000, cart_base[1], cart_ring[1], now);
    carts_expect(carts, 20 * 60000, now, &e);

    text = at(F "/carts");

    ok(field(text, "created") == e.created, "created %lld",
       (long long) e.created);
    ok(field(text, "open") == e.open, "open %lld", (long long) e.open);
    ok(field(text, "purchased") == e.purchased, "purchased %lld",
       (long long) e.purchased);
    ok(field(text, "abandoned") == e.abandoned, "abandoned %lld",
       (long long) e.abandoned);
    ok(field(text, "recovered") == e.recovered, "recovered %lld",
       (long long) e.recovered);
    ok(field(text, "settled") == e.settled, "settled %lld",
       (long long) e.settled);
    ok(field(text, "add_to_cart") == e.after[0]
       && field(text, "begin_checkout") == e.after[1],
       "after %lld, %lld", (long long) e.after[0], (long long) e.after[1]);

    identity = field(text, "open") + field(text, "purchased")
               + field(text, "abandoned");

    ok(field(text, "created") == identity,
       "created = open + purchased + abandoned");
}


static void
test_carts_shapes(void)
{
    setup();
    set_counts();

    ok(is(F "/carts/created", "90"), "created");
    ok(is(F "/carts/open", "4"), "open");
    ok(is(F "/carts/purchased", "31"), "purchased");
    ok(is(F "/carts/abandoned", "55"), "abandoned");
    ok(is(F "/carts/settled", "86"), "settled");
    ok(is(F "/carts/purchases_without_cart", "2"), "without a cart");
    ok(is(F "/carts/carried_in", "1"), "carried in");
    ok(near(F "/carts/abandonment_rate", 0.6395, 5e-5), "abandonment_rate");
    ok(near(F "/carts/abandonment_ci/0", 0.534, 5e-4), "its interval");
    ok(near(F "/carts/abandonment_ci/1", 0.733, 5e-4), "its upper end");
    ok(is(F "/biggest_loss", "{\"after\":\"add_to_cart\",\"carts\":40}"),
       "biggest loss");
    ok(is(F "/carts/abandoned_after", "{\"add_to_cart\":40,"
          "\"begin_checkout\":15,\"add_payment_info\":0,\"purchase\":0}"),
       "abandoned_after, in funnel order");

    /* The cart event is no step: k = 0, before the first step. */

    ok(is(V "/funnels/express/carts/abandoned_after",
          "{\"add_to_cart\":2,\"begin_checkout\":3,\"purchase\":0}"),
       "a cart event that is no step comes first");
    ok(is(V "/funnels/express/biggest_loss",
          "{\"after\":\"begin_checkout\",\"carts\":3}"), "its biggest loss");

    /* Steps the funnel no longer has. */

    count(cart_base[0] + UX_CART_ALIVE + 0, 1);
    count(cart_base[0] + UX_CART_ALIVE + 9, 2);

    ok(is(F "/carts/abandoned_after", "{\"add_to_cart\":41,"
          "\"begin_checkout\":15,\"add_payment_info\":0,\"purchase\":2}"),
       "no cart is missing from the sum");
    ok(is(F "/carts/abandoned", "58"), "which is the sum");

    /* More in the ring than in the totals: a race. */

    count(cart_base[0] + UX_CART_ALIVE + 1, -43);
    ok(is(F "/carts/abandoned_after/add_to_cart", "1"), "never below 0");
    ok(field(at(F "/carts"), "created")
       == field(at(F "/carts"), "open") + field(at(F "/carts"), "purchased")
          + field(at(F "/carts"), "abandoned"), "the identity holds");
}


static void
carts_make(cart_t *carts, uint64_t within)
{
    uint64_t  seed, r;
    unsigned  i;

    seed = 7;

    for (i = 0; i < CARTS_MAX; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        r = seed >> 33;

        /* two hours of them; some on the edges of buckets and windows */

        carts[i].created = NOW - 3 * HOUR + r % (2 * HOUR);

        if (i % 7 == 0) {
            carts[i].created -= carts[i].created % 60000;
        }

        carts[i].checkout = i % 3 == 0 ? 1 + r % (within / 2) : 0;
        carts[i].purchase = 0;

        if (i % 4 == 0) {
            carts[i].purchase = 1 + r % (2 * within);

        } else if (i % 40 == 1) {
            carts[i].purchase = within;
        }
    }
}


/* Up to now, in the order it happened, as the event path counts it. */
static void
carts_play(const cart_t *carts, uint64_t within, uint32_t base,
    uint32_t ring, uint64_t now)
{
    bool           late;
    uint32_t       bucket;
    uint64_t       width, age;
    unsigned       i, n, k;
    const cart_t  *c;

    static action_t  actions[ACTIONS_MAX];

    n = 0;

    for (i = 0; i < CARTS_MAX; i++) {
        c = &carts[i];
        actions[n++] = (action_t) { c->created, i, 0 };

        if (c->checkout && c->checkout <= within) {
            actions[n++] = (action_t) { c->created + c->checkout, i, 1 };
        }

        if (c->purchase) {
            actions[n++] = (action_t) { c->created + c->purchase, i, 2 };
        }
    }

    qsort(actions, n, sizeof(action_t), action_compare);

    width = ux_bucket_width_ms(within);

    for (i = 0; i < n && actions[i].time <= now; i++) {
        c = &carts[actions[i].cart];
        bucket = (uint32_t) (c->created / width);
        age = actions[i].time - c->created;
        late = age > within + 2 * width;

        k = c->checkout && c->checkout <= within && c->checkout < age ? 2 : 1;

        if (actions[i].what == 0) {
            cart_count(base, ring, UX_CART_ALIVE + 1, UX_RING_ALIVE + 1,
                       bucket, 1, true);

        } else if (actions[i].what == 1) {

            if (c->purchase && c->purchase <= c->checkout) {
                continue;
            }

            cart_count(base, ring, UX_CART_ALIVE + 2, UX_RING_ALIVE + 2,
                       bucket, 1, true);
            cart_count(base, ring, UX_CART_ALIVE + 1, UX_RING_ALIVE + 1,
                       bucket, -1, true);

        } else if (age <= within) {
            cart_count(base, ring, UX_CART_PURCHASED, UX_RING_PURCHASED,
                       bucket, 1, true);
            cart_count(base, ring, UX_CART_ALIVE + k, UX_RING_ALIVE + k,
                       bucket, -1, true);

        } else {
            cart_count(base, ring, UX_CART_RECOVERED, UX_RING_RECOVERED,
                       bucket, 1, !late);
        }
    }
}


static void
cart_count(uint32_t base, uint32_t ring, unsigned cell, unsigned ring_field,
    uint32_t bucket, int32_t delta, bool in_ring)
{
    count(base + cell, delta);

    if (in_ring) {
        ux_counter_ring_add(&store.counter,
                            ring + bucket % UX_BUCKETS * UX_RING_CELLS
                            + ring_field, bucket, delta);
    }
}


static int
action_compare(const void *a, const void *b)
{
    const action_t  *x, *y;

    x = a;
    y = b;

    if (x->time != y->time) {
        return x->time < y->time ? -1 : 1;
    }

    if (x->cart != y->cart) {
        return x->cart < y->cart ? -1 : 1;
    }

    return x->what < y->what ? -1 : x->what > y->what;
}


/* Cart by cart, without counters. */
static void
carts_expect(const cart_t *carts, uint64_t within, uint64_t now,
    cohorts_t *expected)
{
    bool           settled, bought;
    uint64_t       width, age;
    unsigned       i, k;
    const cart_t  *c;

    width = ux_bucket_width_ms(within);

    for (i = 0; i < CARTS_MAX; i++) {
        c = &carts[i];

        if (c->created > now) {
            continue;
        }

        age = now - c->created;
        settled = (c->created / width + 1) * width + within <= now;
        bought = c->purchase && c->purchase <= within && c->purchase <= age;
        k = c->checkout && c->checkout <= within && c->checkout <= age;

        expected->created++;
        expected->settled += settled;

        if (bought) {
            expected->purchased++;

        } else if (!settled) {
            expected->open++;

        } else {
            expected->abandoned++;
            expected->after[k]++;
            expected->recovered += c->purchase && c->purchase <= age;
        }
    }
}


static void
test_paths(void)
{
    char  *text;
    size_t  len;

    setup();

    ok(at("")[0] == '{' && strstr(at(""), "\"zones\"") != NULL, "all of it");
    ok(strcmp(at("/"), at("")) == 0, "a slash is all of it");
    ok(strcmp(at("/zones/"), at("/zones")) == 0, "a slash at the end");
    ok(strcmp(at("zones"), at("/zones")) == 0, "no slash in front");
    ok(is("/version", "1"), "a number is a document");
    ok(status_of("//zones") == UX_DECLINED, "an empty name");
    ok(status_of("/zones//shop") == UX_DECLINED, "an empty name inside");
    ok(status_of("/zones/shop//") == UX_DECLINED, "two slashes at the end");
    ok(status_of("/Zones") == UX_DECLINED, "upper case");
    ok(status_of("/zone") == UX_DECLINED, "a prefix");
    ok(status_of("/zonesx") == UX_DECLINED, "more than a name");
    ok(status_of("/version/0") == UX_DECLINED, "below a number");
    ok(status_of("/zones/shop/experiments/x") == UX_DECLINED, "no such");
    ok(status_of(E "/waiting_for/9") == UX_DECLINED, "no such element");
    ok(is("/nowhere", "{\"error\":\"not found\"}"), "a JSON error");

    ok(ux_report_json(&report, (ux_str_t) { NULL, 0 }, &text, &len) == UX_OK
       && len == strlen(text), "no path; the length is the text's");
    ux_report_free(text);

    ok(ux_report_json(&report, (ux_str_t) { "/version!", 8 }, &text, &len)
       == UX_OK && strcmp(text, "1") == 0 && len == 1,
       "no byte beyond the path");
    ux_report_free(text);
}


static void
test_nothing_echoed(void)
{
    ok(strstr(at("/zones/<b>hello</b>"), "hello") == NULL,
       "nothing of the path");
    ok(strlen(at("/%00\r\n")) == strlen("{\"error\":\"not found\"}"),
       "whatever it is");
}


/*
 * Another process counts while this one reads.  It makes visitors before what
 * they did, as the event path does, and now and then takes one out.
 */
static void
test_concurrent(void)
{
    pid_t        pid;
    int64_t      n;
    unsigned     i, above, broken, moved;
    const char  *text;

    setup();

    pid = fork();

    if (pid == 0) {
        write_counters(arm_base[3], cart_base[1], cart_ring[1]);
        _exit(0);
    }

    above = 0;
    broken = 0;
    moved = 0;
    n = 0;

    for (i = 0; i < 150; i++) {
        text = at(V);

        moved += field(text, "visitors") != n;
        n = field(text, "visitors");

        above += strtod(strstr(text, "\"rate\":") + 7, NULL) > 1
                 || field(strstr(text, "\"purchase\""), "visitors") > n
                 || field(strstr(text, "\"steps\""), "visitors") > n;

        text = strstr(text, "\"carts\"");

        broken += field(text, "created") != field(text, "open")
                                            + field(text, "purchased")
                                            + field(text, "abandoned")
                  || field(text, "recovered") > field(text, "abandoned")
                  || field(text, "abandoned") > field(text, "settled");
    }

    __atomic_store_n(&memory->stop, 1, __ATOMIC_RELEASE);

    ok(pid > 0 && waitpid(pid, NULL, 0) == pid, "a writer ran along");
    ok(moved > 10, "its counts were seen to move, %u times", moved);
    ok(above == 0, "x <= n in every look");
    ok(broken == 0, "created = open + purchased + abandoned in every look");
}


static void
write_counters(uint32_t base, uint32_t cart, uint32_t ring)
{
    uint32_t  purchase, step, bucket;
    unsigned  i;

    purchase = event_cell(base, UX_ARM_EVENT_VISITORS, "purchase");
    step = event_cell(base, UX_ARM_EVENT_VISITORS, "add_to_cart");
    bucket = (uint32_t) (NOW / ux_bucket_width_ms(20 * 60000));

    store.counter.mine = store.counter.copies + 5 * OWN_CELLS;

    for (i = 0; i < 50000000; i++) {

        if (__atomic_load_n(&memory->stop, __ATOMIC_ACQUIRE)) {
            break;
        }

        ux_counter_add(&store.counter, base + UX_ARM_ASSIGNED, 1);
        ux_counter_add(&store.counter, base + UX_ARM_VISITORS, 1);
        ux_counter_add(&store.counter, step, 1);
        ux_counter_add(&store.counter, purchase, 1);

        ux_counter_add(&store.counter, cart + UX_CART_ALIVE + 1, 1);
        ux_counter_ring_add(&store.counter,
                            ring + bucket % UX_BUCKETS * UX_RING_CELLS
                            + UX_RING_ALIVE + 1, bucket, 1);

        if (i % 3 == 0) {
            ux_counter_add(&store.counter, cart + UX_CART_PURCHASED, 1);
            ux_counter_add(&store.counter, cart + UX_CART_ALIVE + 1, -1);
        }

        if (i % 5 == 0) {
            ux_counter_add(&store.counter, purchase, -1);
            ux_counter_add(&store.counter, base + UX_ARM_VISITORS, -1);
        }
    }
}


/* Every allocation of a whole report fails once. */
static void
test_no_memory(void)
{
    char         *text;
    long          n, total_allocs, step;
    size_t        len;
    unsigned      wrong, leaks;
    ux_status_t   status;

    setup();
    set_counts();

    /* one variant fewer to read, one experiment, two funnels: quicker */

    model.nexperiments = 1;
    model.nfunnels = 1;
    experiments[0].nmetrics = 3;

    ux_json_set_allocator(test_alloc, test_release);

    wrong = 0;
    leaks = 0;
    total_allocs = 0;
    step = 1;

    for (n = 0; n <= total_allocs; n += step) {
        allocs = 0;
        live = 0;
        fail_at = n;

        status = ux_report_json(&report, str(V "/visitors"), &text, &len);

        if (n == 0) {
            total_allocs = allocs;
            wrong += status != UX_OK || strcmp(text, "600") != 0;

        } else {
            wrong += status != UX_ERROR || text != NULL;
        }

        ux_report_free(text);
        leaks += live != 0;
    }

    ok(total_allocs > 300, "%ld allocations failed, one by one",
       total_allocs);
    ok(wrong == 0, "UX_ERROR and no text, each time");
    ok(leaks == 0, "no leak");

    /* the error document needs memory, too */

    for (n = total_allocs - 10, wrong = 0; n < total_allocs + 10; n++) {
        allocs = 0;
        live = 0;
        fail_at = n;

        status = ux_report_json(&report, str("/nowhere"), &text, &len);

        wrong += allocs >= n ? status != UX_ERROR || text != NULL
                             : status != UX_DECLINED || text == NULL;
        ux_report_free(text);
        wrong += live != 0;
    }

    ok(wrong == 0, "nor half an error");

    ux_json_set_allocator(NULL, NULL);
    setup();
}


static void *
test_alloc(size_t size)
{
    void  *p;

    if (++allocs == fail_at) {
        return NULL;
    }

    p = malloc(size);
    live += p != NULL;

    return p;
}


static void
test_release(void *p)
{
    live -= p != NULL;
    free(p);
}


/* A zone with two experiments, all counters 0. */
static void
setup(void)
{
    unsigned  i;
    uint8_t   index;

    memset(memory, 0, sizeof(memory_t));
    memset(&store, 0, sizeof(store));

    ux_model_init(&model, str("shop"),
                  (unsigned) ux_currency_find(str("EUR")));

    (void) ux_model_event_add(&model, str("survey"), &index);
    (void) ux_model_event_add(&model, str("signup"), &index);

    /* slots are not indices */

    for (i = 0; i < model.nevents; i++) {
        model.event_slots[i] = (uint8_t) (40 - i);
    }

    model.ntotals = 3;
    model.totals[1].event = (uint8_t) ux_model_event_find(&model,
                                                          str("survey"));
    model.totals[1].type = UX_METRIC_MEAN;
    model.totals[1].slot = 4;
    model.totals[2].event = (uint8_t) ux_model_event_find(&model,
                                                          str("signup"));
    model.totals[2].type = UX_METRIC_COUNT;
    model.totals[2].slot = 2;

    add_funnels();
    add_experiments();

    memory->head.size = 67108000;
    memory->head.nbuckets = 1000;

    store.head = &memory->head;
    store.registry = &memory->registry;
    store.model = &model;
    store.counter.copies = memory->copies;
    store.counter.shared = memory->shared;
    store.counter.own_cells = OWN_CELLS;
    store.counter.all_cells = ALL_CELLS;

    add_registry();

    zone.store = &store;
    zone.snapshot.len = 0;
    zone.zone_size = 67108864;

    report.module = str("0.1.0");
    report.nginx = str("1.22.1");
    report.node = str("web-1");
    report.now_ms = NOW;
    report.nzones = 1;
    report.zones = &zone;
}


static void
add_funnels(void)
{
    ux_funnel_t  *f;

    model.nfunnels = 3;

    f = &model.funnels[0];
    f->name = str("checkout");
    f->nsteps = 4;
    f->steps[0] = (ux_step_t) { UX_EVENT_ADD_TO_CART, 9, false };
    f->steps[1] = (ux_step_t) { UX_EVENT_BEGIN_CHECKOUT, 3, false };
    f->steps[2] = (ux_step_t) { UX_EVENT_ADD_PAYMENT_INFO, 5, true };
    f->steps[3] = (ux_step_t) { UX_EVENT_PURCHASE, 0, false };
    f->cart_event = UX_EVENT_ADD_TO_CART;
    f->cart = 6;
    f->within_ms = HOUR;

    f = &model.funnels[1];
    f->name = str("browse");
    f->nsteps = 2;
    f->steps[0] = (ux_step_t) { UX_EVENT_VIEW_ITEM, 11, false };
    f->steps[1] = (ux_step_t) { UX_EVENT_ADD_TO_CART, 12, false };
    f->cart_event = UX_SLOT_NONE;
    f->cart = UX_SLOT_NONE;

    f = &model.funnels[2];
    f->name = str("express");
    f->nsteps = 2;
    f->steps[0] = (ux_step_t) { UX_EVENT_BEGIN_CHECKOUT, 13, false };
    f->steps[1] = (ux_step_t) { UX_EVENT_PURCHASE, 14, false };
    f->cart_event = UX_EVENT_ADD_TO_CART;
    f->cart = 1;
    f->within_ms = HOUR;
}


static void
add_experiments(void)
{
    uint8_t           survey, signup;
    ux_metric_t      *m;
    ux_experiment_t  *e;

    memset(experiments, 0, sizeof(experiments));

    survey = (uint8_t) ux_model_event_find(&model, str("survey"));
    signup = (uint8_t) ux_model_event_find(&model, str("signup"));

    e = &experiments[0];
    e->name = str("checkout_layout");
    e->version = 1;
    e->traffic = 0.8;
    e->nvariants = 2;
    e->variants[0] = (ux_variant_t) { str("control"), 50 };
    e->variants[1] = (ux_variant_t) { str("one_page"), 50 };
    e->cap = 50000;
    e->alpha = 0.05;
    e->planned = 10000;
    e->min_runtime_s = 604800;
    e->nmetrics = 6;

    m = e->metrics;
    m[0] = (ux_metric_t) { .event = UX_EVENT_PURCHASE };
    m[1] = (ux_metric_t) { .event = UX_METRIC_REVENUE,
                           .type = UX_METRIC_MEAN,
                           .role = UX_ROLE_SECONDARY };
    m[2] = (ux_metric_t) { .event = UX_EVENT_ADD_TO_CART,
                           .role = UX_ROLE_SECONDARY };
    m[3] = (ux_metric_t) { .event = survey, .type = UX_METRIC_MEAN,
                           .role = UX_ROLE_GUARDRAIL,
                           .lower_is_better = true };
    m[4] = (ux_metric_t) { .event = survey, .type = UX_METRIC_RATIO,
                           .role = UX_ROLE_SECONDARY };
    m[5] = (ux_metric_t) { .event = signup, .type = UX_METRIC_COUNT,
                           .role = UX_ROLE_SECONDARY };

    e = &experiments[1];
    e->name = str("banner");
    e->version = 1;
    e->traffic = 1;
    e->layer = str("top");
    e->layer_lo = 0.25;
    e->layer_hi = 0.5;
    e->nvariants = 2;
    e->variants[0] = (ux_variant_t) { str("control"), 0 };
    e->variants[1] = (ux_variant_t) { str("A.1-x"), 0 };
    e->alpha = 0.05;
    e->nmetrics = 2;
    e->metrics[0] = (ux_metric_t) { .event = UX_EVENT_PURCHASE };
    e->metrics[1] = (ux_metric_t) { .event = UX_METRIC_REVENUE,
                                    .type = UX_METRIC_MEAN };

    model.nexperiments = 2;
    model.experiments = experiments;
}


/*
 * Two epochs: control, one_page and old, then control and one_page; and an
 * older version of the experiment that must not be mixed in.
 */
static void
add_registry(void)
{
    unsigned     i;
    uint32_t     cell, ring;
    ux_entry_t  *e;

    static const struct {
        uint16_t  epoch;
        uint16_t  variant;
        double    weight;
    }  arms[5] = {
        { 7, 20, 50 }, { 7, 21, 40 }, { 7, 22, 10 }, { 8, 20, 50 },
        { 8, 21, 50 }
    };

    memory->registry.capacity = ENTRIES;

    e = entry(UX_ENTRY_EXPERIMENT, "checkout_layout", UX_PARENT_NONE, 0);
    e->ordinal = 2;
    e->value = 1;

    e = entry(UX_ENTRY_VARIANT, "control", 2, 0);
    e->ordinal = 20;
    e = entry(UX_ENTRY_VARIANT, "one_page", 2, 0);
    e->ordinal = 21;
    e = entry(UX_ENTRY_VARIANT, "old", 2, 0);
    e->ordinal = 22;

    e = entry(UX_ENTRY_EPOCH, "", 2, 1);
    e->ordinal = 7;
    e->number = 0.5;
    e->created_ms = NOW - 3 * DAY;

    e = entry(UX_ENTRY_EPOCH, "", 2, 2);
    e->ordinal = 8;
    e->number = 0.8;
    e->created_ms = NOW - DAY;

    cell = UX_ZONE_CELLS;
    ring = ALL_CELLS;

    for (i = 0; i < 5; i++) {
        e = entry(UX_ENTRY_ARM, "", arms[i].epoch, arms[i].variant);
        e->ordinal = (uint16_t) (4 - i);
        e->number = arms[i].weight;
        e->base = cell;

        arm_base[i] = cell;
        cell += UX_ARM_CELLS;
    }

    /* checkout in both epochs, its window longer at first; express */

    for (i = 0; i < 3; i++) {
        e = entry(UX_ENTRY_ARM_CART, "", i == 1 ? 1 : 4,
                  i == 2 ? 1 : 6);
        ring -= UX_BUCKETS * UX_RING_CELLS;
        e->ordinal = (uint16_t) i;
        e->value = i == 1 ? 20 * 60000 : HOUR;
        e->base = cell;
        e->ring = ring;

        cart_base[i] = cell;
        cart_ring[i] = ring;
        cell += UX_CART_CELLS;
    }
}


/* The ordinal is set by the caller, in no order: nothing may rely on it. */
static ux_entry_t *
entry(ux_entry_e kind, const char *name, uint16_t parent, uint16_t aux)
{
    ux_entry_t  *e;

    e = &memory->registry.entries[memory->registry.count++];

    e->kind = (uint8_t) kind;
    e->name_len = (uint8_t) strlen(name);
    e->parent = parent;
    e->aux = aux;
    e->created_ms = NOW - 3 * DAY;
    memcpy(e->name, name, strlen(name));

    return e;
}


/* The figures of DESIGN.md's example, spread over epochs and workers. */
static void
set_counts(void)
{
    unsigned         i;
    uint32_t         base, bucket;

    static const int64_t  http[UX_HTTP_CELLS] = {
        3120, 1, 3080, 30, 8, 2, 1, 2
    };
    static const int64_t  zone_http[UX_HTTP_CELLS] = {
        5000, 1, 2, 3, 4, 5, 6, 7
    };

    for (i = 0; i < UX_HTTP_CELLS; i++) {
        count(UX_ZONE_HTTP + i, zone_http[i]);
        count(arm_base[0] + UX_ARM_HTTP + i, http[i] - 1);
        count(arm_base[3] + UX_ARM_HTTP + i, 1);
    }

    for (i = 0; i < UX_DISCARDS; i++) {
        count(UX_ZONE_DISCARDED + i, 100 + i);
    }

    count(UX_ZONE_INSERTED, 1254);
    count(UX_ZONE_EVICTED, 3);
    count(UX_ZONE_EXPIRED, 7);
    count(UX_ZONE_ERASED, 10);
    count(UX_ZONE_PROVISIONAL, 50);
    count(UX_ZONE_PROVISIONAL, -10);
    count(UX_ZONE_CONTENDED_DROP, 2);
    count(UX_ZONE_PURCHASES_WITHOUT_ID, 5);
    count(UX_ZONE_RETURNED, 6);
    count(event_cell(0, UX_ZONE_EVENTS, "add_to_cart"), 812);

    count(arm_base[0] + UX_ARM_ASSIGNED, 340);
    count(arm_base[3] + UX_ARM_ASSIGNED, 300);
    count(arm_base[0] + UX_ARM_VISITORS, 300);
    count(arm_base[3] + UX_ARM_VISITORS, 300);
    count(arm_base[4] + UX_ARM_ASSIGNED, 4);
    count(arm_base[4] + UX_ARM_VISITORS, 4);
    count(arm_base[2] + UX_ARM_VISITORS, 3);
    count(arm_base[2] + UX_ARM_CROSSOVER, 2);
    count(arm_base[0] + UX_ARM_CROSSOVER, 7);
    count(arm_base[1] + UX_ARM_MOVED, 4);

    base = arm_base[0];

    count(event_cell(base, UX_ARM_EVENT_VISITORS, "purchase"), 30);
    count(event_cell(arm_base[3], UX_ARM_EVENT_VISITORS, "purchase"), 1);
    count(event_cell(base, UX_ARM_EVENT_COUNT, "purchase"), 33);
    count(event_cell(base, UX_ARM_EVENT_VISITORS, "add_to_cart"), 90);
    count(event_cell(base, UX_ARM_EVENT_COUNT, "add_to_cart"), 101);
    count(event_cell(base, UX_ARM_EVENT_VISITORS, "survey"), 3);
    count(event_cell(base, UX_ARM_EVENT_COUNT, "survey"), 4);
    count(event_cell(base, UX_ARM_EVENT_VISITORS, "signup"), 5);
    count(event_cell(base, UX_ARM_EVENT_COUNT, "signup"), 9);

    count(base + UX_ARM_STEP_BEFORE + 9, 2);
    count(base + UX_ARM_STEP_IN_ORDER + 9, 90);
    count(base + UX_ARM_STEP_IN_ORDER + 3, 45);
    count(base + UX_ARM_STEP_IN_ORDER + 5, 9);
    count(base + UX_ARM_STEP_IN_ORDER + 0, 27);

    total(base, 0, 154410);
    total(base, 4, 1200);
    total(base, 2, 9);
    total(arm_base[4], 0, 1000);
    total(arm_base[4], 0, 3000);

    /* 4 carts a minute old, 86 of yesterday */

    count(cart_base[0] + UX_CART_PURCHASED, 31);
    count(cart_base[0] + UX_CART_CARRIED_IN, 1);
    count(cart_base[0] + UX_CART_WITHOUT_CART, 2);
    count(cart_base[0] + UX_CART_ALIVE + 1, 42);
    count(cart_base[0] + UX_CART_ALIVE + 2, 17);

    bucket = (uint32_t) ((NOW - 60000) / ux_bucket_width_ms(HOUR));
    base = cart_ring[0] + bucket % UX_BUCKETS * UX_RING_CELLS;

    ux_counter_ring_add(&store.counter, base + UX_RING_ALIVE + 1, bucket, 2);
    ux_counter_ring_add(&store.counter, base + UX_RING_ALIVE + 2, bucket, 2);

    count(cart_base[2] + UX_CART_ALIVE + 0, 2);
    count(cart_base[2] + UX_CART_ALIVE + 1, 3);
}


/* Each time as another worker, and now and then as none of them. */
static void
count(uint32_t cell, int64_t delta)
{
    worker = (worker + 1) % (UX_WORKERS + 1);

    store.counter.mine = worker < UX_WORKERS
                         ? store.counter.copies + worker * OWN_CELLS : NULL;

    ux_counter_add(&store.counter, cell, delta);

    store.counter.mine = NULL;
}


/* One visitor's sum, from 0. */
static void
total(uint32_t base, unsigned slot, int64_t to)
{
    uint32_t   cell;
    ux_u128_t  squares;

    cell = base + UX_ARM_TOTALS + slot * UX_TOTAL_CELLS;
    squares = (ux_u128_t) (uint64_t) to * (uint64_t) to;

    count(cell + UX_TOTAL_SUM, to);
    count(cell + UX_TOTAL_SQ_LO, (int64_t) (squares & 0xffffffff));
    count(cell + UX_TOTAL_SQ_HI, (int64_t) (squares >> 32));
}


static uint32_t
event_cell(unsigned base, unsigned first, const char *name)
{
    int  index;

    index = ux_model_event_find(&model, str(name));

    return base + first + model.event_slots[index];
}


static ux_str_t
str(const char *text)
{
    return (ux_str_t) { text, strlen(text) };
}


/* The text of a part, until the call after the next. */
static const char *
at(const char *path)
{
    size_t           len;

    static char     *texts[4];
    static unsigned  turn;

    turn = (turn + 1) % 4;

    ux_report_free(texts[turn]);

    (void) ux_report_json(&report, str(path), &texts[turn], &len);

    return texts[turn] != NULL ? texts[turn] : "";
}


static ux_status_t
status_of(const char *path)
{
    char         *text;
    size_t        len;
    ux_status_t   status;

    status = ux_report_json(&report, str(path), &text, &len);
    ux_report_free(text);

    return status;
}


static bool
is(const char *path, const char *expected)
{
    const char  *text;

    text = at(path);

    if (strcmp(text, expected) == 0) {
        return true;
    }

    printf("# %s is %.300s\n", path, text);

    return false;
}


static bool
near(const char *path, double expected, double off)
{
    double  value;

    value = strtod(at(path), NULL);

    if (fabs(value - expected) <= off) {
        return true;
    }

    printf("# %s is %.17g\n", path, value);

    return false;
}


/* The number after the first "name": of the text. */
static int64_t
field(const char *text, const char *name)
{
    char         key[80];
    const char  *p;

    (void) snprintf(key, sizeof(key), "\"%s\":", name);

    p = strstr(text, key);

    return p != NULL ? strtoll(p + strlen(key), NULL, 10) : INT64_MIN;
}
