
/*
 * Copyright (C) the nginx-ux authors
 *
 * A zone laid out by hand for the tests of ux_report: registry, counters and
 * model, without the store that would fill them.  Arms are as full as their
 * weights say, and as many of each come back.
 */

#ifndef REPORT_FIXTURE_H
#define REPORT_FIXTURE_H


#include "ux_number.h"
#include "ux_timing.h"
#include "report_lookup.h"

#include <sys/mman.h>


#define OWN_CELLS   4096
#define ALL_CELLS   16384
#define ENTRIES     64
#define RING_WIDTH  UX_RING_WIDTH(4)        /* of both cart funnels */
#define NOW         1769860800000ull       /* 2026-01-31T12:00:00Z */
#define HOUR        3600000ull
#define DAY         (24 * HOUR)

#define E           "/zones/shop/experiments/checkout_layout"
#define V           E "/variants/control"
#define W           E "/variants/one_page"
#define F           V "/funnels/checkout"


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


FIXTURE bool fixture_map(void);
FIXTURE void setup(void);
FIXTURE void add_experiments(void);
FIXTURE void add_funnels(void);
FIXTURE void add_registry(void);
FIXTURE ux_entry_t *entry(ux_entry_e kind, const char *name, uint16_t parent,
    uint16_t aux);
FIXTURE ux_entry_t *entry_of(ux_entry_e kind, uint16_t ordinal);
FIXTURE void set_counts(void);
FIXTURE void count(uint32_t cell, int64_t delta);
FIXTURE void balance(void);
FIXTURE void total(uint32_t base, unsigned slot, int64_t to);
FIXTURE void ratio(uint32_t base, unsigned slot, int64_t value, int64_t n);
FIXTURE void limbs(uint32_t cell, ux_u128_t value);
FIXTURE uint32_t event_cell(unsigned base, unsigned first, const char *name);


static memory_t          *memory;
static ux_store_t         store;
static ux_model_t         model;
static ux_experiment_t    experiments[2];
static ux_report_zone_t   zone;

static uint32_t           arm_base[5];
static uint32_t           cart_base[3];
static uint32_t           cart_ring[3];
static uint32_t           timings;
static unsigned           worker;


/* Shared, so that a test may fork a writer. */
FIXTURE bool
fixture_map(void)
{
    memory = mmap(NULL, sizeof(memory_t), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return memory != MAP_FAILED;
}


/* A zone with two experiments, all counters 0. */
FIXTURE void
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

    model.ntotals = 4;
    model.totals[1].event = (uint8_t) ux_model_event_find(&model,
                                                          str("survey"));
    model.totals[1].type = UX_METRIC_MEAN;
    model.totals[1].slot = 4;
    model.totals[2].event = (uint8_t) ux_model_event_find(&model,
                                                          str("signup"));
    model.totals[2].type = UX_METRIC_COUNT;
    model.totals[2].slot = 2;
    model.totals[3].event = model.totals[1].event;
    model.totals[3].type = UX_METRIC_RATIO;
    model.totals[3].slot = 5;

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


FIXTURE void
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


FIXTURE void
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
    e->serve = -1;
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
    e->serve = -1;
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
 * Two epochs: control, one_page and old, then control and one_page.
 */
FIXTURE void
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

    /* younger: another experiment, and a version of this one to come */

    e = entry(UX_ENTRY_EXPERIMENT, "checkout_layouts", UX_PARENT_NONE, 0);
    e->ordinal = 3;
    e->value = 1;
    e = entry(UX_ENTRY_EXPERIMENT, "checkout_layout", UX_PARENT_NONE, 0);
    e->ordinal = 4;
    e->value = 2;

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
        ring -= UX_BUCKETS * RING_WIDTH;
        e->ordinal = (uint16_t) i;
        e->value = i == 1 ? 20 * 60000 : HOUR;
        e->base = cell;
        e->ring = ring;
        e->width = RING_WIDTH;
        e->variant = 20;

        cart_base[i] = cell;
        cart_ring[i] = ring;
        cell += UX_CART_CELLS;
    }

    e = entry(UX_ENTRY_TIMINGS, "", 20, UX_TIMINGS_REQUESTS);
    e->ordinal = 1;
    e->base = cell;
    timings = cell;
}


/* The ordinal is set by the caller, in no order: nothing may rely on it. */
FIXTURE ux_entry_t *
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


FIXTURE ux_entry_t *
entry_of(ux_entry_e kind, uint16_t ordinal)
{
    unsigned  i;

    for (i = 0; i < memory->registry.count; i++) {

        if (memory->registry.entries[i].kind == kind
            && memory->registry.entries[i].ordinal == ordinal)
        {
            return &memory->registry.entries[i];
        }
    }

    return NULL;
}


/* The figures of DESIGN.md's example, spread over epochs and workers. */
FIXTURE void
set_counts(void)
{
    unsigned     i;
    uint32_t     base, bucket;
    ux_change_t  latency;

    static const int64_t  http[UX_HTTP_CELLS] = {
        3120, 1, 3080, 30, 8, 2, 1, 2, 78, 3, 4, 4096000, 30, 40
    };
    static const int64_t  zone_http[UX_HTTP_CELLS] = {
        5000, 1, 2, 3, 4, 5, 6, 7
    };
    static const int64_t  assigned[5] = { 340, 272, 68, 300, 300 };
    static const int64_t  visitors[5] = { 300, 240, 60, 300, 300 };

    for (i = 0; i < UX_HTTP_CELLS; i++) {
        count(UX_ZONE_HTTP + i, zone_http[i]);
        count(arm_base[0] + UX_ARM_HTTP + i, http[i] - 1);
        count(arm_base[3] + UX_ARM_HTTP + i, 1);
    }

    for (i = 0; i < 4; i++) {
        latency = ux_timing_change(timings, i == 2 ? 800 : 20);
        count(latency.cell, latency.delta);
    }

    for (i = 0; i < UX_DISCARDS - 1; i++) {
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

    for (i = 0; i < 5; i++) {
        count(arm_base[i] + UX_ARM_ASSIGNED, assigned[i]);
        count(arm_base[i] + UX_ARM_VISITORS, visitors[i]);
    }

    count(arm_base[2] + UX_ARM_CROSSOVER, 2);
    count(arm_base[0] + UX_ARM_CROSSOVER, 4);
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
    ratio(base, 5, 300, 1);
    ratio(base, 5, 100, 2);
    ratio(base, 5, 200, 1);
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
    base = cart_ring[0] + bucket % UX_BUCKETS * RING_WIDTH;

    ux_counter_ring_add(&store.counter, base + UX_RING_ALIVE + 1, bucket, 2);
    ux_counter_ring_add(&store.counter, base + UX_RING_ALIVE + 2, bucket, 2);

    count(cart_base[2] + UX_CART_ALIVE + 0, 2);
    count(cart_base[2] + UX_CART_ALIVE + 1, 3);
}


/* Each time as another worker, and now and then as none of them. */
FIXTURE void
count(uint32_t cell, int64_t delta)
{
    worker = (worker + 1) % (UX_WORKERS + 1);

    store.counter.mine = worker < UX_WORKERS
                         ? store.counter.copies + worker * OWN_CELLS : NULL;

    ux_counter_add(&store.counter, cell, delta);

    store.counter.mine = NULL;
}


/* Of the first epoch's arms only those of the second take visitors. */
FIXTURE void
balance(void)
{
    entry_of(UX_ENTRY_ARM, 3)->number = 50;
    entry_of(UX_ENTRY_ARM, 2)->number = 0;
}


/* One visitor's sum, from 0. */
FIXTURE void
total(uint32_t base, unsigned slot, int64_t to)
{
    uint32_t  cell;

    cell = base + UX_ARM_TOTALS + slot * UX_TOTAL_CELLS;

    count(cell + UX_TOTAL_SUM, to);
    limbs(cell + UX_TOTAL_SQ_LO, (ux_u128_t) (uint64_t) to * (uint64_t) to);
}


/* The same, of a ratio: the value of n events. */
FIXTURE void
ratio(uint32_t base, unsigned slot, int64_t value, int64_t n)
{
    uint32_t  cell;

    cell = base + UX_ARM_TOTALS + slot * UX_TOTAL_CELLS;

    total(base, slot, value);

    count(cell + UX_TOTAL_COUNT, n);
    count(cell + UX_TOTAL_COUNT_SQ, n * n);
    limbs(cell + UX_TOTAL_PRODUCT_LO, (ux_u128_t) (uint64_t) (value * n));
}


FIXTURE void
limbs(uint32_t cell, ux_u128_t value)
{
    count(cell, (int64_t) (value & 0xffffffff));
    count(cell + 1, (int64_t) (value >> 32 & 0xffffffff));
    count(cell + 2, (int64_t) (value >> 64));
}


FIXTURE uint32_t
event_cell(unsigned base, unsigned first, const char *name)
{
    int  index;

    index = ux_model_event_find(&model, str(name));

    return base + first + model.event_slots[index];
}


#endif
