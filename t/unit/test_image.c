
/*
 * Copyright (C) the nginx-ux authors
 *
 * Images of one zone: what was written comes back, whatever the new zone is
 * like.
 */

#include "image_case.h"


#define SHOPPERS  3000u
#define NOW       (SHOP_START + 14400000)


static const shop_t  usual;


/* Three epochs, the last like the first, aliases, evidence: all there is. */
static zone_t *
zone_full_of_life(size_t size)
{
    zone_t             *z;
    unsigned            i;
    uint64_t           *cells;
    ux_evidence_t       evidence;
    const ux_entry_t   *entry;

    const shop_t  reweighted = { .weight = 2 };

    z = zone_new(size, 1, 9);
    (void) zone_bind(z, &usual);
    zone_busy(z, 0, SHOPPERS, 6000, SHOP_START);
    (void) zone_bind(z, &reweighted);
    zone_busy(z, 0, SHOPPERS, 3000, SHOP_START + 3600000);
    (void) zone_bind(z, &usual);
    zone_busy(z, 0, SHOPPERS + 500, 3000, SHOP_START + 3600000);

    for (i = SHOPPERS + 500; i < SHOPPERS + 540; i++) {
        shopper_alias(z, i, SHOP_START);
    }

    memset(&evidence, 0, sizeof(evidence));
    evidence.log_e = 2.5;
    evidence.looked_ms = SHOP_START + 5;
    evidence.sign = -1;
    evidence.fixed_p = 0.25;
    evidence.fixed_visitors = 1234;

    for (i = 0; i < ux_registry_count(z->w.store.registry); i++) {
        entry = &z->w.store.registry->entries[i];
        cells = &z->w.store.counter.shared[entry->ring];

        if (entry->kind == UX_ENTRY_EVIDENCE) {
            memcpy(cells + 1 + UX_IMAGE_EVIDENCE_WORDS, &evidence,
                   sizeof(evidence));
            cells[0] = 1;

        } else if (entry->kind == UX_ENTRY_BALANCE) {
            memcpy(cells + UX_BALANCE_SRM, &evidence.log_e, 8);
        }
    }

    return z;
}


static void
test_round_trip(void)
{
    zone_t             *a, *b;
    bytes_t             visitors, counters;
    unsigned            differ, there, entries;
    ux_image_info_t     info;
    ux_image_result_t   result;

    a = zone_full_of_life(8 * MIB);
    visitors = image_write(a, UX_IMAGE_VISITORS, NOW);
    counters = image_write(a, UX_IMAGE_COUNTERS, NOW);

    ok(ux_image_check(visitors.data, visitors.len, &work, &error) == UX_OK
       && ux_image_check(counters.data, counters.len, &work, &error)
          == UX_OK,
       "both images are sound: %zu and %zu bytes %s", visitors.len,
       counters.len, error.message);

    ok(ux_image_info(visitors.data, UX_IMAGE_HEADER_MAX, &info, &error)
       == UX_OK && info.kind == UX_IMAGE_VISITORS && info.uuid[3] == 1
       && info.index_key[1] == 0x0909090909090909ull
       && strcmp(info.name, "shop") == 0
       && strcmp(info.currency, "EUR") == 0 && info.written_ms == NOW
       && info.created_ms == SHOP_START && info.zone_size == 8 * MIB
       && info.params.experiments == 16 && info.nadopted == 0
       && info.skipped == 0 && info.max_window_s == 604800
       && info.length == visitors.len,
       "the header says whose it is");

    b = zone_new(8 * MIB, 2, 9);
    ok(image_merge(b, UX_IMAGE_RESTORE, &visitors, &counters, NOW, &result)
       == UX_OK, "restored %s", error.message);
    ok(result.names == 0 && result.cells == 0 && result.tracks == 0
       && result.dropped == 0 && result.expired == 0 && result.united == 0
       && result.visitors > SHOPPERS,
       "all of it: %llu visitors", (unsigned long long) result.visitors);

    entries = ux_registry_count(b->w.store.registry);
    ok(entries == ux_registry_count(a->w.store.registry)
       && memcmp(a->w.store.registry->entries, b->w.store.registry->entries,
                 entries * sizeof(ux_entry_t)) == 0,
       "the registry, byte by byte: %u entries", entries);

    differ = zone_differ(a, b);
    ok(differ == 0, "every counter, ring and finding: %u differ", differ);

    differ = records_differ(a, b, 0, SHOPPERS + 540, NOW, &there);
    ok(differ == 0 && there > SHOPPERS, "every record: %u of %u differ",
       differ, there);
    ok(lives_add_up(a) && lives_add_up(b), "records made, there and gone");

    ok(zone_bind(b, &usual) == UX_OK
       && ux_registry_count(b->w.store.registry) == entries
       && zone_differ(a, b) == 0,
       "binding the configuration finds all of it");

    ok(image_merge(b, UX_IMAGE_ADOPT, &visitors, NULL, NOW, &result)
       == UX_DECLINED && zone_differ(a, b) == 0
       && ux_image_adopted(&b->w.store, info.uuid),
       "once only: %s", error.message);
    ok(image_merge(a, UX_IMAGE_ADOPT, &visitors, NULL, NOW, &result)
       == UX_DECLINED, "and never its own: %s", error.message);

    free(visitors.data);
    free(counters.data);
    zone_free(a);
    zone_free(b);
}


static void
test_other_sizes(void)
{
    zone_t             *a, *b;
    bytes_t             visitors;
    unsigned            differ, there;
    ux_image_result_t   result;

    a = zone_full_of_life(8 * MIB);
    visitors = image_write(a, UX_IMAGE_VISITORS, NOW);

    b = zone_new(16 * MIB, 3, 9);
    ok(image_merge(b, UX_IMAGE_RESTORE, &visitors, NULL, NOW, &result)
       == UX_OK && result.dropped + result.names + result.cells == 0
       && records_differ(a, b, 0, SHOPPERS + 540, NOW, &there) == 0
       && arms_sum(a, UX_ARM_VISITORS) == arms_sum(b, UX_ARM_VISITORS)
       && lives_add_up(b),
       "into a larger zone");
    zone_free(b);

    b = zone_new(UX_STORE_SIZE_MIN, 3, 9);
    ok(image_merge(b, UX_IMAGE_RESTORE, &visitors, NULL, NOW, &result)
       == UX_OK && result.visitors > 100 && lives_add_up(b),
       "into the smallest: %llu visitors, %llu dropped, %llu names, %llu "
       "cells, %llu tracks left out", (unsigned long long) result.visitors,
       (unsigned long long) result.dropped,
       (unsigned long long) result.names, (unsigned long long) result.cells,
       (unsigned long long) result.tracks);
    ok(result.names > 0 && result.cells > 0 && result.tracks > 0,
       "not all of its names fit");

    differ = arms_sum(b, UX_ARM_VISITORS) > arms_sum(a, UX_ARM_VISITORS);
    ok(differ == 0 && zone_bind(b, &usual) != UX_ERROR,
       "and it can be bound as far as it goes");

    free(visitors.data);
    zone_free(a);
    zone_free(b);
}


/* By name, in a zone whose slots are others. */
static uint64_t
named(const zone_t *z, const char *experiment, unsigned epoch,
    const char *variant, unsigned cell, ux_entry_e slots, const char *slot,
    uint64_t value)
{
    uint32_t           i;
    ux_claim_t         claim;
    const ux_entry_t  *e, *v, *s, *entry;
    ux_registry_t     *registry;

    registry = z->w.store.registry;

    memset(&claim, 0, sizeof(claim));
    claim.kind = UX_ENTRY_EXPERIMENT;
    claim.name = str(experiment);
    claim.parent = UX_PARENT_NONE;
    claim.value = 1;
    e = ux_registry_find(registry, &claim);

    claim.kind = UX_ENTRY_VARIANT;
    claim.name = str(variant);
    claim.parent = e->ordinal;
    v = ux_registry_find(registry, &claim);

    s = NULL;

    if (slots != UX_ENTRY_KINDS) {
        for (i = 0; i < ux_registry_count(registry); i++) {
            entry = &registry->entries[i];

            if (entry->kind == slots && entry->name_len == strlen(slot)
                && memcmp(entry->name, slot, strlen(slot)) == 0
                && (slots != UX_ENTRY_TOTAL || entry->value == value))
            {
                s = entry;
                break;
            }
        }

        cell += (slots == UX_ENTRY_TOTAL ? (unsigned) UX_TOTAL_CELLS : 1u)
                * s->ordinal;
    }

    for (i = 0; i < ux_registry_count(registry); i++) {
        entry = &registry->entries[i];

        if (entry->kind == UX_ENTRY_ARM && entry->aux == v->ordinal
            && epoch-- == 0)
        {
            return ux_counter_read(&z->w.store.counter, entry->base + cell);
        }
    }

    return UINT64_MAX;
}


static unsigned
named_differ(const zone_t *a, const zone_t *b)
{
    unsigned  e, v, k, n, differ;
    uint64_t  x, y;

    static const char *const  experiments[] = { "layout", "price", "search",
                                                "banner" };
    static const char *const  variants[] = { "control", "short", "long" };
    static const struct {
        unsigned     cell;
        ux_entry_e   kind;
        const char  *name;
        uint64_t     value;
    } cells[] = {
        { UX_ARM_VISITORS, UX_ENTRY_KINDS, NULL, 0 },
        { UX_ARM_ASSIGNED, UX_ENTRY_KINDS, NULL, 0 },
        { UX_ARM_EVENT_VISITORS, UX_ENTRY_EVENT, "called", 0 },
        { UX_ARM_EVENT_COUNT, UX_ENTRY_EVENT, "signed_up", 0 },
        { UX_ARM_EVENT_COUNT, UX_ENTRY_EVENT, "purchase", 0 },
        { UX_ARM_STEP_IN_ORDER, UX_ENTRY_STEP, "begin_checkout", 0 },
        { UX_ARM_STEP_BEFORE, UX_ENTRY_STEP, "add_to_cart", 0 },
        { UX_ARM_TOTALS, UX_ENTRY_TOTAL, "view_item", UX_METRIC_MEAN },
        { UX_ARM_TOTALS, UX_ENTRY_TOTAL, "signed_up", UX_METRIC_COUNT },
        { UX_ARM_TOTALS + UX_TOTAL_COUNT, UX_ENTRY_TOTAL, "called",
          UX_METRIC_RATIO },
        { UX_ARM_TOTALS + UX_TOTAL_PRODUCT_LO, UX_ENTRY_TOTAL, "called",
          UX_METRIC_RATIO }
    };

    differ = 0;
    n = 0;

    for (e = 0; e < 4; e++) {
        for (v = 0; v < 3; v++) {
            for (k = 0; k < sizeof(cells) / sizeof(cells[0]); k++) {
                x = named(a, experiments[e], 0, variants[v], cells[k].cell,
                          cells[k].kind, cells[k].name, cells[k].value);
                y = named(b, experiments[e], 0, variants[v], cells[k].cell,
                          cells[k].kind, cells[k].name, cells[k].value);
                n += x != 0;

                if (x != y && differ++ < 5) {
                    printf("# %s %s %u: %llu and %llu\n", experiments[e],
                           variants[v], k, (unsigned long long) x,
                           (unsigned long long) y);
                }
            }
        }
    }

    return n > 60 ? differ : 1000;
}


static void
test_other_order(void)
{
    zone_t             *a, *b, *c;
    bytes_t             visitors, back;
    unsigned            there;
    ux_image_result_t   result;

    const shop_t  turned = { .turned = true };

    a = zone_new(8 * MIB, 1, 9);
    (void) zone_bind(a, &usual);
    zone_busy(a, 0, SHOPPERS, 9000, SHOP_START);
    visitors = image_write(a, UX_IMAGE_VISITORS, NOW);

    b = zone_new(8 * MIB, 2, 9);
    (void) zone_bind(b, &turned);

    ok(image_merge(b, UX_IMAGE_ADOPT, &visitors, NULL, NOW, &result) == UX_OK
       && result.names + result.cells + result.tracks + result.dropped == 0,
       "a zone bound in another order %s", error.message);
    ok(!work.same_slots, "has other slots");
    ok(named_differ(a, b) == 0, "every count is where its name is");

    back = image_write(b, UX_IMAGE_VISITORS, NOW);
    c = zone_new(8 * MIB, 3, 9);
    (void) zone_bind(c, &usual);
    ok(image_merge(c, UX_IMAGE_ADOPT, &back, NULL, NOW, &result) == UX_OK
       && zone_differ(a, c) == 0
       && records_differ(a, c, 0, SHOPPERS, NOW, &there) == 0
       && there > 2000,
       "and back again all is as it was");

    free(visitors.data);
    free(back.data);
    zone_free(a);
    zone_free(b);
    zone_free(c);
}


/* Journeys of one moment, counters of a later one. */
static void
test_two_ages(void)
{
    zone_t             *a, *b;
    bytes_t             visitors, counters;
    uint64_t            assigned, seen, counted, money, requests, errors;
    unsigned            euro;
    ux_image_result_t   result;

    a = zone_new(8 * MIB, 1, 9);
    (void) zone_bind(a, &usual);
    zone_busy(a, 0, SHOPPERS, 6000, SHOP_START);
    visitors = image_write(a, UX_IMAGE_VISITORS, NOW);

    assigned = arms_sum(a, UX_ARM_ASSIGNED);
    seen = arms_sum(a, UX_ARM_EVENT_VISITORS + UX_EVENT_PURCHASE);
    errors = arms_sum(a, UX_ARM_HTTP + UX_HTTP_ERROR_VISITORS);

    zone_busy(a, 0, 2 * SHOPPERS, 3000, SHOP_START + 3600000);
    ux_counter_add(&a->w.store.counter, UX_ZONE_CURRENCY_SUM + 7, -123456789);
    ux_counter_add(&a->w.store.counter, UX_ZONE_CURRENCY_COUNT + 7, 1);
    counters = image_write(a, UX_IMAGE_COUNTERS, NOW + 10000);

    counted = arms_sum(a, UX_ARM_EVENT_COUNT + UX_EVENT_PURCHASE);
    euro = UX_ZONE_CURRENCY_SUM + 7;
    money = ux_counter_read(&a->w.store.counter, euro);
    requests = ux_counter_read(&a->w.store.counter,
                               UX_ZONE_HTTP + UX_HTTP_REQUESTS);

    b = zone_new(8 * MIB, 2, 9);
    ok(image_merge(b, UX_IMAGE_RESTORE, &visitors, &counters, NOW + 20000,
                   &result)
       == UX_OK, "two images of other ages %s", error.message);
    ok(arms_sum(b, UX_ARM_ASSIGNED) == assigned
       && arms_sum(b, UX_ARM_EVENT_VISITORS + UX_EVENT_PURCHASE) == seen
       && arms_sum(b, UX_ARM_HTTP + UX_HTTP_ERROR_VISITORS) == errors
       && errors < arms_sum(a, UX_ARM_HTTP + UX_HTTP_ERROR_VISITORS)
       && assigned < arms_sum(a, UX_ARM_ASSIGNED),
       "unique counts are as old as the journeys");
    ok(arms_sum(b, UX_ARM_EVENT_COUNT + UX_EVENT_PURCHASE) == counted
       && ux_counter_read(&b->w.store.counter, euro) == money
       && ux_counter_read(&b->w.store.counter,
                          UX_ZONE_HTTP + UX_HTTP_REQUESTS) == requests
       && (int64_t) money < 0,
       "counts of events, requests and money as the counters");
    ok(lives_add_up(b), "records made, there and gone");
    zone_free(b);

    b = zone_new(8 * MIB, 3, 9);
    ok(image_merge(b, UX_IMAGE_RESTORE, NULL, &counters, NOW + 20000, &result)
       == UX_OK && result.visitors == 0
       && arms_sum(b, UX_ARM_ASSIGNED) == arms_sum(a, UX_ARM_ASSIGNED)
       && lives_add_up(b),
       "without journeys the counters alone, all visitors gone");
    zone_free(b);

    free(visitors.data);
    free(counters.data);
    zone_free(a);
}


/* Since when an experiment is removed. */
static void
test_removed(void)
{
    zone_t             *a, *b;
    bytes_t             visitors;
    unsigned            n;
    ux_image_result_t   result;

    const shop_t  fewer = { .drop = 2 };

    a = zone_new(8 * MIB, 1, 9);
    (void) zone_bind(a, &usual);
    (void) zone_bind(a, &fewer);
    visitors = image_write(a, UX_IMAGE_VISITORS, NOW);

    b = zone_new(8 * MIB, 2, 9);
    (void) image_merge(b, UX_IMAGE_RESTORE, &visitors, NULL, NOW, &result);
    n = ux_registry_count(a->w.store.registry);

    ok(n == ux_registry_count(b->w.store.registry)
       && memcmp(a->w.store.registry->entries, b->w.store.registry->entries,
                 n * sizeof(ux_entry_t)) == 0,
       "what is not configured any more is so since the same time");
    (void) zone_bind(b, &fewer);
    ok(memcmp(a->w.store.registry->entries, b->w.store.registry->entries,
              n * sizeof(ux_entry_t)) == 0, "and stays so");

    free(visitors.data);
    zone_free(a);
    zone_free(b);
}


/* The first evidence of a zone. */
static uint64_t *
evidence_cells(const zone_t *z, ux_entry_e kind)
{
    uint32_t           i;
    const ux_entry_t  *entry;

    for (i = 0; ; i++) {
        entry = &z->w.store.registry->entries[i];

        if (entry->kind == kind) {
            return &z->w.store.counter.shared[entry->ring];
        }
    }
}


static ux_evidence_t
evidence_get(const zone_t *z)
{
    uint64_t        *cells;
    ux_evidence_t    evidence;

    cells = evidence_cells(z, UX_ENTRY_EVIDENCE);
    memcpy(&evidence, cells + 1 + (cells[0] & 1) * UX_IMAGE_EVIDENCE_WORDS,
           sizeof(evidence));

    return evidence;
}


static void
evidence_set(const zone_t *z, double log_e, uint64_t looked_ms,
    uint64_t pair, double srm)
{
    uint64_t       *cells;
    ux_evidence_t   evidence;

    memset(&evidence, 0, sizeof(evidence));
    evidence.log_e = log_e;
    evidence.exact_log_e = -log_e;
    evidence.looked_ms = looked_ms;
    evidence.significant_ms = looked_ms;
    evidence.sign = log_e > 2 ? 1 : -1;
    evidence.fixed_visitors = pair;
    evidence.fixed_p = pair ? 1.0 / (double) pair : 0;

    cells = evidence_cells(z, UX_ENTRY_EVIDENCE);
    memcpy(cells + 1 + (cells[0] & 1) * UX_IMAGE_EVIDENCE_WORDS, &evidence,
           sizeof(evidence));
    cells = evidence_cells(z, UX_ENTRY_BALANCE);
    memcpy(&cells[UX_BALANCE_SRM], &srm, sizeof(srm));
}


static void
evidence_case(double theirs, double ours, uint64_t looked_ms, uint64_t pair,
    uint64_t our_pair, const char *name)
{
    bool                larger;
    double              srm;
    zone_t             *a, *b;
    bytes_t             visitors;
    ux_evidence_t       e;
    ux_image_result_t   result;

    a = zone_new(4 * MIB, 1, 9);
    b = zone_new(4 * MIB, 2, 9);
    (void) zone_bind(a, &usual);
    (void) zone_bind(b, &usual);

    evidence_set(a, theirs, looked_ms, pair, theirs);
    evidence_set(b, ours, SHOP_START + 50, our_pair, ours);

    visitors = image_write(a, UX_IMAGE_VISITORS, NOW);
    (void) image_merge(b, UX_IMAGE_ADOPT, &visitors, NULL, NOW, &result);

    e = evidence_get(b);
    memcpy(&srm, evidence_cells(b, UX_ENTRY_BALANCE), sizeof(srm));
    larger = looked_ms != 0 && theirs > ours;

    ok(e.log_e == (larger ? theirs : ours)
       && e.looked_ms == (larger ? looked_ms : SHOP_START + 50)
       && e.sign == (e.log_e > 2 ? 1 : -1)
       && e.exact_log_e == (theirs < ours ? -theirs : -ours)
       && e.significant_ms == (looked_ms != 0 && looked_ms < SHOP_START + 50
                               ? looked_ms : SHOP_START + 50),
       "%s: the look with the larger log-e stays", name);
    ok(srm == (theirs > ours ? theirs : ours), "%s: the larger imbalance",
       name);
    ok(e.fixed_visitors == (pair != 0 && (our_pair == 0 || pair < our_pair)
                            ? pair : our_pair)
       && (e.fixed_visitors == 0
           || e.fixed_p == 1.0 / (double) e.fixed_visitors),
       "%s: the panel that was frozen first", name);

    free(visitors.data);
    zone_free(a);
    zone_free(b);
}


static void
test_evidence(void)
{
    evidence_case(3, 1, SHOP_START + 9, 500, 900, "theirs is stronger");
    evidence_case(1, 3, SHOP_START + 90, 900, 500, "ours is");
    evidence_case(3, 1, 0, 0, 7, "theirs was never recorded");
    evidence_case(1, 3, SHOP_START + 9, 7, 0, "ours has no panel");
}


static void
test_refused(void)
{
    zone_t             *a, *b;
    bytes_t             visitors;
    ux_image_merge_t    merge;
    ux_image_result_t   result;

    a = zone_new(4 * MIB, 1, 9);
    (void) zone_bind(a, &usual);
    zone_busy(a, 0, 200, 400, SHOP_START);
    visitors = image_write(a, UX_IMAGE_VISITORS, NOW);

    b = zone_new(4 * MIB, 2, 7);
    memset(&merge, 0, sizeof(merge));
    merge.visitors.data = visitors.data;
    merge.visitors.len = visitors.len;
    merge.zone.name = str("shop");
    merge.zone.currency = str("USD");
    merge.now_ms = NOW;
    merge.work = &work;

    ok(ux_image_merge(&b->w.store, &merge, &result, &error) == UX_DECLINED
       && strstr(error.message, "EUR") != NULL, "%s", error.message);

    merge.zone.name = str("other");
    ok(ux_image_merge(&b->w.store, &merge, &result, &error) == UX_DECLINED
       && strstr(error.message, "other") != NULL, "%s", error.message);

    merge.zone.name = str("shop");
    merge.zone.currency = str("EUR");
    merge.counters = merge.visitors;
    ok(ux_image_merge(&b->w.store, &merge, &result, &error) == UX_ERROR,
       "%s", error.message);
    ok(ux_registry_count(b->w.store.registry) == 0, "nothing has changed");

    ok(image_merge(b, UX_IMAGE_RESTORE, &visitors, NULL, NOW, &result)
       == UX_OK && result.visitors == 0 && result.dropped > 100
       && arms_sum(b, UX_ARM_VISITORS) == arms_sum(a, UX_ARM_VISITORS)
       && lives_add_up(b),
       "under another index key its visitors are strangers, its counts not");

    ux_store_leave(&b->w.store);
    ok(image_merge(b, UX_IMAGE_RESTORE, &visitors, NULL, NOW, &result)
       == UX_BUSY, "%s", error.message);

    free(visitors.data);
    zone_free(a);
    zone_free(b);
}


/* Of those that are not confirmed, whatever their buckets. */
static uint64_t
ring_sum(const zone_t *z)
{
    unsigned  i;
    uint64_t  sum;

    sum = 0;

    for (i = 0; i < UX_BUCKETS; i++) {
        sum += arms_sum(z, UX_ARM_UNCONFIRMED + i) & 0xffffffff;
    }

    return sum;
}


/* A clock that went back: rings have no bucket of days to come. */
static void
test_times(void)
{
    zone_t             *a, *b;
    bytes_t             visitors;
    uint64_t            early;
    ux_image_result_t   result;

    a = zone_new(4 * MIB, 1, 9);
    (void) zone_bind(a, &usual);
    zone_busy(a, 0, 200, 900, SHOP_START);
    visitors = image_write(a, UX_IMAGE_VISITORS, NOW);

    early = SHOP_START - 86400000;
    b = zone_new(4 * MIB, 2, 9);
    ok(image_merge(b, UX_IMAGE_RESTORE, &visitors, NULL, early, &result)
       == UX_OK && result.visitors > 100, "a day before all are there");
    ok(ring_sum(a) > 0 && ring_sum(b) == 0,
       "no ring has a bucket of days to come");

    free(visitors.data);
    zone_free(a);
    zone_free(b);
}


static void
test_large_counts(void)
{
    zone_t             *a, *b;
    bytes_t             visitors;
    uint64_t            n;
    ux_image_result_t   result;

    a = zone_new(4 * MIB, 1, 9);
    (void) zone_bind(a, &usual);
    zone_busy(a, 0, 100, 300, SHOP_START);

    n = 1000000000000ull;
    ux_counter_add(&a->w.store.counter, a->w.arms[0].base + UX_ARM_ASSIGNED,
                   (int64_t) n);
    ux_counter_add(&a->w.store.counter, a->w.arms[0].base + UX_ARM_VISITORS,
                   (int64_t) n);
    ux_counter_add(&a->w.store.counter, UX_ZONE_EVENTS + 2, (int64_t) n);

    visitors = image_write(a, UX_IMAGE_VISITORS, NOW);
    b = zone_new(4 * MIB, 2, 9);
    ok(image_merge(b, UX_IMAGE_RESTORE, &visitors, NULL, NOW, &result)
       == UX_OK && zone_differ(a, b) == 0
       && arms_sum(b, UX_ARM_VISITORS) > n, "counts of 10^12");
    free(visitors.data);
    zone_free(b);

    /* counts that are none, as a fault of ours would leave them */

    ux_counter_add(&a->w.store.counter, a->w.arms[1].base + UX_ARM_VISITORS,
                   -1000000);
    ux_counter_add(&a->w.store.counter, a->w.arms[2].base + UX_ARM_VISITORS,
                   1000000);
    ux_counter_add(&a->w.store.counter, UX_ZONE_EVENTS + 3, INT64_MAX);
    visitors = image_write(a, UX_IMAGE_VISITORS, NOW);
    ok(ux_image_check(visitors.data, visitors.len, &work, &error) == UX_OK,
       "whatever the zone holds, its image is sound %s", error.message);

    free(visitors.data);
    zone_free(a);
}


/* Of this process alone: others may be busy beside it. */
static double
seconds(void)
{
    struct timespec  t;

    (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);

    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}


static void
test_speed(void)
{
    double              t, dump, load, small;
    zone_t             *a, *b;
    bytes_t             visitors, counters;
    unsigned            i, n;
    ux_image_result_t   result;

    a = zone_new(68 * MIB, 1, 9);
    (void) zone_bind(a, &usual);
    n = (unsigned) ux_table_capacity(a->w.store.table.nbuckets);

    for (i = 0; i < n; i++) {
        (void) shopper_visit(a, i, 0, SHOP_START + i);
    }

    free(image_write(a, UX_IMAGE_VISITORS, NOW).data);

    t = seconds();
    visitors = image_write(a, UX_IMAGE_VISITORS, NOW);
    dump = seconds() - t;

    t = seconds();
    counters = image_write(a, UX_IMAGE_COUNTERS, NOW);
    small = seconds() - t;

    b = zone_new(68 * MIB, 2, 9);
    t = seconds();
    ok(image_merge(b, UX_IMAGE_RESTORE, &visitors, &counters, NOW, &result)
       == UX_OK, "64 MiB and back");
    load = seconds() - t;

    printf("# %u visitors: %.1f MB in %.0f ms, counters %.1f KB in %.2f ms, "
           "loaded in %.0f ms\n", n, (double) visitors.len / 1e6,
           dump * 1e3, (double) counters.len / 1e3, small * 1e3, load * 1e3);

    ok(result.visitors + result.dropped > n - n / 100
       && result.dropped < n / 1000 && lives_add_up(b),
       "%llu visitors, %llu found no room",
       (unsigned long long) result.visitors,
       (unsigned long long) result.dropped);

    free(visitors.data);
    free(counters.data);
    zone_free(a);
    zone_free(b);
}


int
main(void)
{
    test_round_trip();
    test_other_sizes();
    test_other_order();
    test_two_ages();
    test_removed();
    test_evidence();
    test_refused();
    test_times();
    test_large_counts();
    test_speed();

    return done();
}
