
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


#define KEYS      256
#define BATCH     8
#define START_MS  1769860800000ull


typedef struct {
    ux_experiment_t  experiment;
    char             keys[KEYS][33];
    int              sum;
} buckets_t;

typedef struct {
    worker_t      *worker;
    ux_visitor_t   exposed;
    ux_visitor_t   visitors[BATCH];
    ux_changes_t   changes;
    ux_event_t     event;
} shopper_t;

typedef struct {
    worker_t          *worker;
    unsigned           experiments;
    uint64_t           shoppers;             /* so far */
    ux_report_zone_t   zone;
    ux_report_t        report;
    ux_posteriors_t    posteriors;
} looker_t;


static void
run_assign(void *data, uint64_t first, uint64_t n)
{
    uint64_t    i;
    ux_str_t    s;
    buckets_t  *b = data;

    s.len = 32;

    for (i = first; i < first + n; i++) {
        s.data = b->keys[i % KEYS];
        b->sum += ux_experiment_assign(&b->experiment, s);
    }
}


int
micro_assign(void)
{
    unsigned           i;
    micro_op_t         op;
    static buckets_t   b;
    ux_experiment_t   *e = &b.experiment;

    e->name = (ux_str_t) ux_str("checkout_layout");
    e->salt = e->name;
    e->version = 1;
    e->traffic = 1;
    e->nvariants = 2;
    e->variants[0].name = (ux_str_t) ux_str("control");
    e->variants[0].weight = 50;
    e->variants[1].name = (ux_str_t) ux_str("one_page");
    e->variants[1].weight = 50;

    for (i = 0; i < KEYS; i++) {
        (void) snprintf(b.keys[i], sizeof(b.keys[i]), "%032x", i);
    }

    op = (micro_op_t) { .name = "assignment, two variants", .data = &b,
                        .run = run_assign, .n = 200000, .counted = 20000,
                        .parts = 1 };
    micro_measure(&op, 1);

    return b.sum == 0;
}


/*
 * Visits of shoppers: each is shown a page, one in twelve puts something into
 * the cart, three in a hundred purchase.
 */
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
        event.currency = UX_CURRENCY_ZONE;

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


/*
 * Experiments of two variants, which have purchases for their goal and revenue
 * beside it.
 */
static worker_t *
opened(size_t size, unsigned experiments, unsigned funnels, void **mem)
{
    unsigned          i;
    worker_t         *w;
    ux_experiment_t  *e;

    *mem = zone_make(size);
    w = worker_make(*mem, size, experiments);

    for (i = 0; i < experiments; i++) {
        e = &w->experiments[i];
        e->serve = UX_VARIANT_NONE;
        e->alpha = 0.05;
        e->planned = 1000000;
        e->min_runtime_s = 86400;
        e->nmetrics = 2;
        e->metrics[0].event = UX_EVENT_PURCHASE;
        e->metrics[0].type = UX_METRIC_CONVERSION;
        e->metrics[0].role = UX_ROLE_GOAL;
        e->metrics[1].event = UX_METRIC_REVENUE;
        e->metrics[1].type = UX_METRIC_MEAN;
        e->metrics[1].role = UX_ROLE_SECONDARY;
    }

    if (funnels == 2) {
        w->model.funnels[1] = w->model.funnels[0];
        w->model.funnels[1].name = (ux_str_t) ux_str("quick");
        w->model.nfunnels = 2;
    }

    if (ux_store_join(&w->store) != UX_OK
        || ux_store_bind(&w->store, &w->model, w->arms, w->bindings, START_MS)
           != UX_OK)
    {
        printf("Bail out! the zone cannot be bound\n");
        exit(1);
    }

    return w;
}


/*
 * So many visitors who have not done anything yet.  A step changes the two
 * tracks that they have: to copy all of a visitor would drive what the next
 * steps need out of the cache.
 */
static void
run_expose(void *data, uint64_t first, uint64_t n)
{
    unsigned       i;
    shopper_t     *s = data;
    ux_visitor_t  *v;

    while (n-- > 0) {
        v = &s->visitors[(first + n) % BATCH];

        for (i = 0; i < 2; i++) {
            v->tracks[i] = s->exposed.tracks[i];
        }
    }
}


/* The first step of each: events and visitors, of the experiment, too. */
static void
run_step(void *data, uint64_t first, uint64_t n)
{
    uint64_t      i;
    shopper_t    *s = data;
    ux_store_t   *store;
    ux_discard_e  why;

    store = &s->worker->store;

    for (i = first; i < first + n; i++) {
        ux_changes_clear(&s->changes);
        s->event.now_ms = START_MS + 1000;
        (void) ux_track_event(&store->plan, &s->visitors[i % BATCH], &s->event,
                              &s->changes, &why);

        if (s->changes.n < 4) {
            printf("Bail out! no step\n");
            exit(1);
        }

        ux_store_apply(store, &s->changes);
    }
}


static void
run_histogram(void *data, uint64_t first, uint64_t n)
{
    uint64_t      i;
    shopper_t    *s = data;
    ux_store_t   *store;
    ux_change_t   change;

    store = &s->worker->store;

    for (i = first; i < first + n; i++) {
        change = ux_timing_change(store->plan.requests, micro_mix(i) % 5000);
        ux_counter_add(&store->counter, change.cell, change.delta);
    }
}


int
micro_steps(void)
{
    void              *mem;
    unsigned           i;
    static shopper_t   s;

    static const micro_op_t  ops[] = {
        { .name = "funnel step, counted", .run = run_step,
          .before = run_expose, .batch = BATCH, .data = &s, .n = 20000,
          .counted = 2000, .parts = 1 },
        { .name = "value into a histogram", .run = run_histogram, .data = &s,
          .n = 1000000, .counted = 20000, .parts = 1 },
    };

    s.worker = opened(64 * MIB, 1, 1, &mem);
    s.event.event = UX_EVENT_BEGIN_CHECKOUT;
    s.event.currency = UX_CURRENCY_ZONE;

    ux_visitor_init(&s.exposed, 1, (uint32_t) (START_MS / 1000));
    ux_changes_clear(&s.changes);
    ux_track_confirm(&s.worker->store.plan, &s.exposed, &s.changes);
    (void) ux_track_expose(&s.worker->store.plan, &s.exposed, 0, 0, START_MS,
                           &s.changes);

    for (i = 0; i < BATCH; i++) {
        s.visitors[i] = s.exposed;
    }

    micro_measure(ops, 2);
    worker_free(s.worker);
    munmap(mem, 64 * MIB);

    return 0;
}


/* A hundred visits more: the counts are new ones. */
static void
run_shop(void *data, uint64_t first, uint64_t n)
{
    looker_t  *l = data;

    (void) first;

    shop(l->worker, l->experiments, l->shoppers, 100 * n);

    l->shoppers += 100 * n;
    l->report.now_ms = START_MS + l->shoppers * 10 + 3600000;
}


/* What a worker does once a second. */
static void
run_look(void *data, uint64_t first, uint64_t n)
{
    looker_t  *l = data;

    (void) first;

    while (n-- > 0) {
        if (ux_result_look(&l->worker->store, l->report.now_ms) != UX_OK) {
            printf("Bail out! no memory\n");
            exit(1);
        }
    }
}


static void
run_result(void *data, uint64_t first, uint64_t n)
{
    unsigned              i;
    looker_t             *l = data;
    static ux_result_t    result;

    (void) first;

    while (n-- > 0) {
        if (ux_result_init(&result, &l->worker->store, l->report.now_ms)
            != UX_OK)
        {
            printf("Bail out! no memory\n");
            exit(1);
        }

        result.posteriors = &l->posteriors;

        for (i = 0; i < l->experiments; i++) {
            ux_result_gather(&result, &l->worker->experiments[i]);
        }

        ux_result_free(&result);
    }
}


static void
run_json(void *data, uint64_t first, uint64_t n)
{
    char            *text;
    size_t           len;
    looker_t        *l = data;
    const ux_str_t   all = ux_str("");

    (void) first;

    while (n-- > 0) {
        if (ux_report_json(&l->report, all, &text, &len) != UX_OK) {
            printf("Bail out! no memory\n");
            exit(1);
        }

        ux_report_free(text);
    }
}


int
micro_report(unsigned experiments)
{
    void             *mem;
    static looker_t   l;

    l.worker = opened(256 * MIB, experiments, 1, &mem);
    l.experiments = experiments;
    l.zone.store = &l.worker->store;
    l.report.nzones = 1;
    l.report.zones = &l.zone;
    l.report.posteriors = &l.posteriors;

    run_shop(&l, 0, 500);

    const micro_op_t  ops[] = {
        { .name = "look at an experiment, once a second", .run = run_look,
          .before = run_shop, .batch = 1, .data = &l, .n = 20, .counted = 10,
          .parts = experiments },
        { .name = "statistics of an experiment", .run = run_result,
          .before = run_shop, .batch = 1, .data = &l, .n = 20, .counted = 10,
          .parts = experiments },
        { .name = "statistics and JSON of an experiment", .run = run_json,
          .before = run_shop, .batch = 1, .data = &l, .n = 20, .counted = 10,
          .parts = experiments },
        { .name = "statistics and JSON, counts as they were", .run = run_json,
          .data = &l, .n = 20, .counted = 10, .parts = experiments },
    };

    micro_measure(ops, 4);
    worker_free(l.worker);
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
