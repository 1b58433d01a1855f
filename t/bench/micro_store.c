
/*
 * Copyright (C) the nginx-ux authors
 *
 * A whole zone: assignment, events, histograms, results, and what a visitor
 * takes up.
 */

#include "micro.h"

#include "ux_experiment.h"
#include "ux_report.h"
#include "ux_result.h"
#include "ux_table_private.h"
#include "ux_timing.h"

#include "store_case.h"

#include <stdio.h>


#define ROUNDS    5
#define KEYS      1000
#define START_MS  1769860800000ull


int
micro_assign(void)
{
    int              sum;
    char             keys[KEYS][33];
    double           ns, least;
    unsigned         i, round;
    uint64_t         start;
    ux_str_t         s;
    ux_experiment_t  e;

    memset(&e, 0, sizeof(e));

    e.name = (ux_str_t) ux_str("checkout_layout");
    e.salt = e.name;
    e.version = 1;
    e.traffic = 1;
    e.nvariants = 2;
    e.variants[0].name = (ux_str_t) ux_str("control");
    e.variants[0].weight = 50;
    e.variants[1].name = (ux_str_t) ux_str("one_page");
    e.variants[1].weight = 50;

    for (i = 0; i < KEYS; i++) {
        (void) snprintf(keys[i], sizeof(keys[i]), "%032x", i);
    }

    s.len = 32;
    sum = 0;
    least = 0;

    for (round = 0; round < ROUNDS; round++) {
        start = micro_now();

        for (i = 0; i < 200000; i++) {
            s.data = keys[i % KEYS];
            sum += ux_experiment_assign(&e, s);
        }

        ns = (double) (micro_now() - start) / 200000;

        if (round == 0 || ns < least) {
            least = ns;
        }
    }

    micro_say("assignment, two variants", least);

    return sum == 0;
}


/* Visits of shoppers: a page, every third puts something into the cart. */
static void
shop(worker_t *w, unsigned experiments, uint64_t first, uint64_t n)
{
    uint64_t             i, now_ms;
    unsigned             k;
    ux_key_t             key;
    ux_turn_t            turn;
    ux_event_t           event;
    ux_changes_t         changes;
    ux_discard_e         why;
    static ux_visitor_t  v;
    ux_table_effects_t   effects;

    for (i = first; i < first + n; i++) {
        now_ms = START_MS + i * 10;
        key = ux_hash_key_of(micro_mix(i));

        if (ux_table_open(&w->store.table, key, (uint32_t) (now_ms / 1000),
                          &v, &turn)
            != UX_OK)
        {
            continue;
        }

        ux_changes_clear(&changes);
        v.cookie_hash = i + 1;
        ux_track_confirm(&w->store.plan, &v, &changes);

        for (k = 0; k < experiments; k++) {
            if (ux_track_expose(&w->store.plan, &v, k,
                                (unsigned) (micro_mix(i + k * 77) & 1),
                                now_ms, &changes)
                != UX_OK)
            {
                printf("Bail out! nobody is exposed\n");
                exit(1);
            }
        }

        memset(&event, 0, sizeof(event));
        event.now_ms = now_ms + 30000;

        if (i % 12 == 0) {
            event.event = UX_EVENT_ADD_TO_CART;
            (void) ux_track_event(&w->store.plan, &v, &event, &changes, &why);
        }

        if (i % 100 < 3) {
            event.event = UX_EVENT_BEGIN_CHECKOUT;
            event.now_ms += 60000;
            (void) ux_track_event(&w->store.plan, &v, &event, &changes, &why);

            event.event = UX_EVENT_PURCHASE;
            event.now_ms += 90000;
            event.has_value = true;
            event.value = (int64_t) (1000 + i % 10000);
            event.id_hash = i + 1;
            (void) ux_track_event(&w->store.plan, &v, &event, &changes, &why);
        }

        (void) ux_table_commit(&w->store.table, &turn, &v,
                               (uint32_t) (now_ms / 1000), &effects);
        ux_store_effects(&w->store, &effects);
        ux_store_apply(&w->store, &changes);
    }
}


static worker_t *
opened(size_t size, unsigned experiments, unsigned funnels, void **mem)
{
    unsigned   i;
    worker_t  *w;

    *mem = zone_make(size);
    w = worker_make(*mem, size, experiments);

    for (i = 0; i < experiments; i++) {
        w->experiments[i].serve = UX_VARIANT_NONE;
    }

    if (funnels == 2) {
        w->model.funnels[1] = w->model.funnels[0];
        w->model.funnels[1].name = (ux_str_t) ux_str("quick");
        w->model.nfunnels = 2;
    }

    if (ux_store_join(&w->store) != UX_OK || worker_bind(w) != UX_OK) {
        printf("Bail out! the zone cannot be bound\n");
        exit(1);
    }

    return w;
}


int
micro_steps(void)
{
    void                *mem;
    double               ns, least[2];
    unsigned             i, round;
    uint64_t             start;
    worker_t            *w;
    ux_event_t           event;
    ux_change_t          change;
    ux_changes_t         changes;
    ux_discard_e         why;
    static ux_visitor_t  v;

    w = opened(64 * MIB, 1, 1, &mem);
    least[0] = least[1] = 0;
    memset(&event, 0, sizeof(event));
    event.event = UX_EVENT_BEGIN_CHECKOUT;

    for (round = 0; round < ROUNDS; round++) {
        ux_visitor_init(&v, 1, (uint32_t) (START_MS / 1000));
        ux_changes_clear(&changes);
        ux_track_confirm(&w->store.plan, &v, &changes);
        (void) ux_track_expose(&w->store.plan, &v, 0, 0, START_MS, &changes);

        start = micro_now();

        for (i = 0; i < 200000; i++) {
            ux_changes_clear(&changes);
            event.now_ms = START_MS + 1000 + i;
            (void) ux_track_event(&w->store.plan, &v, &event, &changes, &why);
            ux_store_apply(&w->store, &changes);
        }

        ns = (double) (micro_now() - start) / 200000;
        least[0] = (round == 0 || ns < least[0]) ? ns : least[0];

        start = micro_now();

        for (i = 0; i < 1000000; i++) {
            change = ux_timing_change(w->store.plan.requests,
                                      micro_mix(i) % 5000);
            ux_counter_add(&w->store.counter, change.cell, change.delta);
        }

        ns = (double) (micro_now() - start) / 1000000;
        least[1] = (round == 0 || ns < least[1]) ? ns : least[1];
    }

    micro_say("funnel step, counted", least[0]);
    micro_say("value into a histogram", least[1]);
    worker_free(w);
    munmap(mem, 64 * MIB);

    return 0;
}


int
micro_report(unsigned experiments)
{
    char              *text;
    void              *mem;
    size_t             len;
    double             ns, least[2];
    uint64_t           start;
    unsigned           round;
    worker_t          *w;
    ux_report_t        report;
    ux_report_zone_t   zone;
    const ux_str_t     all = ux_str("");

    w = opened(256 * MIB, experiments, 1, &mem);
    shop(w, experiments < 8 ? experiments : 8, 0, 50000);

    memset(&report, 0, sizeof(report));
    memset(&zone, 0, sizeof(zone));
    zone.store = &w->store;
    report.nzones = 1;
    report.zones = &zone;
    least[0] = least[1] = 0;

    for (round = 0; round < ROUNDS; round++) {
        report.now_ms = START_MS + 3600000 * (round + 1);

        start = micro_now();
        (void) ux_result_look(&w->store, report.now_ms);
        ns = (double) (micro_now() - start) / experiments;
        least[0] = (round == 0 || ns < least[0]) ? ns : least[0];

        start = micro_now();

        if (ux_report_json(&report, all, &text, &len) != UX_OK) {
            return 1;
        }

        ns = (double) (micro_now() - start) / experiments;
        least[1] = (round == 0 || ns < least[1]) ? ns : least[1];
        ux_report_free(text);
    }

    micro_say("statistics of an experiment", least[0]);
    micro_say("statistics and JSON of an experiment", least[1]);
    worker_free(w);
    munmap(mem, 256 * MIB);

    return 0;
}


/*
 * 4 experiments, 2 funnels, 3 % purchasers: the whole zone's bytes by the
 * visitors it holds at the load where it loses none, as their records are.
 */
int
micro_bytes(void)
{
    void              *mem;
    size_t             size;
    double             slots;
    uint32_t           i, k;
    uint64_t           n, used, visitors, packed, evicted;
    worker_t          *w;
    const ux_bucket_t *bucket;

    size = 256 * MIB;
    w = opened(size, 4, 2, &mem);
    n = 300000;
    used = 0;
    visitors = 0;
    packed = 0;

    shop(w, 4, 0, n);

    for (i = 0; i < w->store.head->nbuckets; i++) {
        bucket = ux_bucket_get(&w->store.table, i);

        for (k = 0; k < UX_BUCKET_SLOTS; k++) {
            if (ux_tag_get(bucket, k) == 0) {
                continue;
            }

            used++;

            if (bucket->slots[k].head.part == 0) {
                visitors++;
                packed += bucket->slots[k].head.len;
            }
        }
    }

    slots = (double) used / (double) visitors;
    evicted = ux_counter_read(&w->store.counter, UX_ZONE_EVICTED);

    printf("{\"name\":\"bytes a visitor\",\"bytes\":%.1f,\"slots\":%.3f,"
           "\"packed\":%.1f,\"evicted\":%llu}\n",
           (double) size * slots
           / (double) ux_table_capacity(w->store.head->nbuckets),
           slots, (double) packed / (double) visitors,
           (unsigned long long) evicted);

    worker_free(w);
    munmap(mem, size);

    return visitors == n ? 0 : 1;
}
