
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_report: the gate, races, names without counters, foreign bytes, paths,
 * and no memory.
 */

#include "ux_json.h"
#include "failing_alloc.h"
#include "report_fixture.h"


static void test_gate(void);
static void test_clamps(void);
static void test_unregistered(void);
static void test_foreign_registry(void);
static void test_paths(void);
static void test_nothing_echoed(void);
static void test_no_memory(void);


int
main(void)
{
    if (!fixture_map()) {
        return 1;
    }

    test_gate();
    test_clamps();
    test_unregistered();
    test_foreign_registry();
    test_paths();
    test_nothing_echoed();
    test_no_memory();

    return done();
}


static void
test_gate(void)
{
    unsigned  i;
    uint32_t  purchase[2];

    setup();
    balance();

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

    ok(is(E "/waiting_for", "[\"significance\",\"planned\"]"),
       "the gate is met");

    count(arm_base[1] + UX_ARM_VISITORS, -1);
    ok(is(E "/waiting_for/0", "\"gate\""), "499 visitors in the pair");
    count(arm_base[1] + UX_ARM_VISITORS, 1);

    count(purchase[0], -1);
    ok(is(E "/waiting_for/0", "\"gate\""), "24 converters in the control");
    count(purchase[0], 1);

    count(purchase[1], -1);
    ok(is(E "/waiting_for/0", "\"gate\""), "24 converters in the other");
    count(purchase[1], 1);

    count(purchase[0], 225 - 25);
    count(purchase[1], 225 - 25);
    ok(is(E "/waiting_for/0", "\"significance\""), "25 non-converters");
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

    count(arm_base[0] + UX_ARM_STEP_IN_ORDER + model.funnels[0].steps[0].slot,
          -4);
    ok(is(F "/steps/1/visitors_in_order", "4")
       && is(F "/steps/1/rate_from_previous", "null"),
       "4 of 2 is no share: some came with the step done before");

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

    for (i = 0; i < memory->registry.count; i++) {
        memory->registry.entries[i].base = 0;
    }

    ok(is(V "/visitors", "0"), "no block, not the zone's");

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

    /* one that was removed, too */

    entry_of(UX_ENTRY_EXPERIMENT, 3)->removed_ms = NOW - DAY;

    ux_json_set_allocator(test_alloc, test_release);

    wrong = 0;
    leaks = 0;
    total_allocs = 0;
    step = 1;

    for (n = 0; n <= total_allocs; n += step) {
        allocs_fail_at(n);

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
        allocs_fail_at(n);

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
