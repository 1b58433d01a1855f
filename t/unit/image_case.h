
/*
 * Copyright (C) the nginx-ux authors
 *
 * What the tests of images share: zones with a busy configuration, shoppers
 * who make random histories in them, and comparisons of whole zones.
 */

#ifndef IMAGE_CASE_H
#define IMAGE_CASE_H


#include "store_case.h"
#include "ux_table_private.h"
#include "ux_image_private.h"
#include "ux_segment.h"

#include <time.h>


#define SHOP_EXPERIMENTS  4
#define SHOP_START        1700000000000ull


/* How the configuration differs; all 0: the usual one. */
typedef struct {
    bool      turned;                /* everything in another order */
    unsigned  weight;                /* of the first variant: 0 is 1 */
    uint64_t  window_ms;             /* 0: a week */
    int64_t   cap;
    unsigned  from;                  /* leaves out experiments before, */
    unsigned  drop;                  /*   and so many last ones */
    unsigned  segments;              /* so many, up to 2 */
} shop_t;


typedef struct {
    worker_t      w;
    void         *mem;
    size_t        size;
    ux_visitor_t  visitor;
    ux_changes_t  changes;
    uint64_t      random;
} zone_t;


static ux_image_work_t  work;


__attribute__((unused))
static ux_str_t
str(const char *s)
{
    ux_str_t  r = { s, strlen(s) };

    return r;
}


/* uuid tells zones apart; they share the index key unless key differs. */
__attribute__((unused))
static zone_t *
zone_new(size_t size, uint8_t uuid, uint8_t key)
{
    zone_t             *z;
    uint8_t             random[64];
    ux_store_params_t   wide = { 16, 8, 2592000 };

    z = calloc(1, sizeof(zone_t));
    memset(random, key, sizeof(random));
    memset(random, uuid, 16);

    z->mem = zone_map(size);
    z->size = size;
    z->random = uuid;

    if (ux_store_init(z->mem, size, &wide, random, SHOP_START, &error)
        != UX_OK
        || ux_store_attach(&z->w.store, z->mem, size, &error) != UX_OK
        || ux_store_join(&z->w.store) != UX_OK)
    {
        printf("Bail out! %s\n", error.message);
        exit(1);
    }

    z->w.arms = calloc(z->w.store.head->registry_capacity, sizeof(ux_arm_t));

    return z;
}


__attribute__((unused))
static void
zone_free(zone_t *z)
{
    ux_store_leave(&z->w.store);
    munmap(z->mem, z->size);
    free(z->w.arms);
    free(z);
}


__attribute__((unused))
static ux_experiment_t *
shop_experiment(worker_t *w, const shop_t *shop, const char *name)
{
    unsigned          v;
    ux_metric_t      *metric;
    ux_experiment_t  *e;

    static const char *const  variants[] = { "control", "short", "long" };

    e = &w->experiments[w->model.nexperiments++];
    memset(e, 0, sizeof(ux_experiment_t));

    e->name = str(name);
    e->salt = e->name;
    e->version = 1;
    e->traffic = 1;
    e->window_ms = shop->window_ms ? shop->window_ms : 604800000;
    e->cap = shop->cap;
    e->alpha = 0.05;
    e->planned = 1000;
    e->serve = -1;
    e->nvariants = 3;

    for (v = 0; v < 3; v++) {
        e->variants[v].name = str(variants[v]);
        e->variants[v].weight = v == 0 && shop->weight ? shop->weight : 1;
    }

    metric = &e->metrics[e->nmetrics++];
    metric->event = UX_EVENT_PURCHASE;
    metric->type = UX_METRIC_CONVERSION;

    return e;
}


__attribute__((unused))
static void
shop_funnel(ux_model_t *model, const char *name, uint8_t cart,
    uint64_t within_ms, uint8_t first, uint8_t second)
{
    ux_funnel_t  *funnel;

    funnel = &model->funnels[model->nfunnels++];
    memset(funnel, 0, sizeof(ux_funnel_t));

    funnel->name = str(name);
    funnel->nsteps = 2;
    funnel->steps[0].event = first;
    funnel->steps[1].event = second;
    funnel->cart_event = cart;
    funnel->within_ms = within_ms;
}


__attribute__((unused))
static void
shop_stage(ux_model_t *model, const char *name, uint8_t first, uint8_t second)
{
    ux_stage_t  *stage;

    stage = &model->stages[model->nstages++];

    stage->name = str(name);
    stage->events = 1ull << first | 1ull << second;
}


__attribute__((unused))
static void
shop_total(ux_model_t *model, uint8_t event, ux_metric_type_e type)
{
    model->totals[model->ntotals].event = event;
    model->totals[model->ntotals].type = type;
    model->ntotals++;
}


/* Two segments, of whose values there are in all seven. */
__attribute__((unused))
static void
shop_segments(ux_model_t *model, const shop_t *shop)
{
    unsigned  i, k, s;

    static const char *const  names[2][4] = {
        { "device", "phone", "tablet", "desktop" },
        { "visit", "new", "returning", NULL }
    };

    for (i = 0; i < shop->segments; i++) {
        s = shop->turned ? 1 - i : i;
        (void) ux_model_segment_add(model, str(names[s][0]));

        for (k = 1; k < 4; k++) {
            if (names[s][shop->turned ? 4 - k : k] != NULL) {
                (void) ux_model_value_add(model,
                            str(names[s][shop->turned ? 4 - k : k]));
            }
        }
    }
}


__attribute__((unused))
static void
shop_model(worker_t *w, const shop_t *shop)
{
    uint8_t      first, second;
    unsigned     i;
    ux_model_t  *model;

    static const char *const  names[] = { "layout", "price", "search",
                                          "banner" };

    model = &w->model;
    memset(model, 0, sizeof(ux_model_t));
    ux_model_init(model, str("shop"), 0);

    (void) ux_model_event_add(model, str(shop->turned ? "signed_up"
                                                      : "called"), &first);
    (void) ux_model_event_add(model, str(shop->turned ? "called"
                                                      : "signed_up"),
                              &second);

    if (shop->turned) {
        shop_total(model, second, UX_METRIC_RATIO);
        shop_total(model, first, UX_METRIC_COUNT);
        shop_total(model, UX_EVENT_VIEW_ITEM, UX_METRIC_MEAN);
        shop_funnel(model, "quick", UX_EVENT_VIEW_ITEM, 600000,
                    UX_EVENT_ADD_TO_CART, UX_EVENT_PURCHASE);
    }

    shop_funnel(model, "checkout", UX_EVENT_ADD_TO_CART, 3600000,
                UX_EVENT_BEGIN_CHECKOUT, UX_EVENT_PURCHASE);

    if (!shop->turned) {
        shop_funnel(model, "quick", UX_EVENT_VIEW_ITEM, 600000,
                    UX_EVENT_ADD_TO_CART, UX_EVENT_PURCHASE);
        shop_total(model, UX_EVENT_VIEW_ITEM, UX_METRIC_MEAN);
        shop_total(model, second, UX_METRIC_COUNT);
        shop_total(model, first, UX_METRIC_RATIO);
    }

    shop_stage(model, "looking", UX_EVENT_VIEW_ITEM, UX_EVENT_ADD_TO_CART);
    shop_stage(model, "buying", UX_EVENT_BEGIN_CHECKOUT, UX_EVENT_PURCHASE);
    shop_stage(model, "support", shop->turned ? second : first,
               UX_EVENT_REFUND);
    shop_segments(model, shop);

    model->experiments = w->experiments;
    model->nexperiments = 0;

    for (i = shop->from; i < SHOP_EXPERIMENTS - shop->drop; i++) {
        (void) shop_experiment(w, shop,
                               names[shop->turned ? SHOP_EXPERIMENTS - 1 - i
                                                  : i]);
    }
}


__attribute__((unused))
static ux_status_t
zone_bind(zone_t *z, const shop_t *shop)
{
    shop_model(&z->w, shop);

    return ux_store_bind(&z->w.store, &z->w.model, z->w.arms, z->w.bindings,
                         SHOP_START);
}


__attribute__((unused))
static unsigned
zone_random(zone_t *z, unsigned n)
{
    z->random ^= z->random << 13;
    z->random ^= z->random >> 7;
    z->random ^= z->random << 17;

    return (unsigned) ((z->random * 0x9e3779b97f4a7c15ull >> 33) % n);
}


__attribute__((unused))
static ux_key_t
shopper_key(const zone_t *z, unsigned n)
{
    char  text[24];

    (void) snprintf(text, sizeof(text), "shopper-%u", n);

    return ux_hash_key(z->w.store.head->index_key, str(text));
}


/* `shift` other than 0 sends the shopper to another variant. */
__attribute__((unused))
static void
shopper_expose(zone_t *z, unsigned n, unsigned shift, uint64_t now_ms)
{
    char              text[24];
    int               variant;
    unsigned          i;
    ux_experiment_t  *e;

    (void) snprintf(text, sizeof(text), "shopper-%u", n);

    for (i = 0; i < z->w.model.nexperiments; i++) {
        e = &z->w.experiments[i];

        if ((n + e->name.len) % 5 == 0) {
            continue;
        }

        variant = ux_experiment_assign(e, str(text));
        variant = (variant + (int) shift) % 3;

        if (zone_random(z, 30) == 0) {
            (void) ux_track_prefetch(&z->w.store.plan, &z->visitor, i,
                                     (unsigned) variant, now_ms);

        } else {
            (void) ux_track_expose(&z->w.store.plan, &z->visitor, i,
                                   (unsigned) variant, now_ms, &z->changes);
        }
    }
}


__attribute__((unused))
static void
shopper_event(zone_t *z, uint64_t now_ms)
{
    ux_event_t    event;
    ux_discard_e  why;

    memset(&event, 0, sizeof(event));

    event.now_ms = now_ms;
    event.event = (uint8_t) zone_random(z, z->w.model.nevents);
    event.currency = UX_CURRENCY_ZONE;
    event.has_value = zone_random(z, 2) || event.event == UX_EVENT_REFUND;
    event.value = zone_random(z, 10000);
    event.id_hash = zone_random(z, 3) ? z->random | 1 : 0;

    if (event.has_value && zone_random(z, 10) == 0) {
        event.currency = (uint16_t) zone_random(z, 150);
    }

    (void) ux_track_event(&z->w.store.plan, &z->visitor, &event, &z->changes,
                          &why);
}


/* What the request says of its sender: every shopper now says this, now that;
 * no draw of the zone's own, so that histories are what they were. */
__attribute__((unused))
static void
shopper_segments(zone_t *z, unsigned n, uint64_t now_ms)
{
    unsigned  i;

    static const char *const  words[] = { "phone", "returning", "desktop",
                                          "", "tablet", "new", "phablet" };

    for (i = 0; i < z->w.model.nsegments; i++) {
        ux_segment_note(&z->w.model, i,
                        str(words[(n * 31 + now_ms / 1000 * 17 + i) % 7]),
                        z->w.store.plan.segments);
    }
}


/* Of some the last page changed nothing but that they were here. */
static void
shopper_touch(zone_t *z, unsigned n, uint32_t now_s)
{
    ux_seen_t      seen;
    ux_table_t    *table;
    ux_outline_t   outline;

    table = &z->w.store.table;
    seen.slot = UX_PROCESS_NONE;

    if (ux_table_see(table, shopper_key(z, n), now_s, &outline, &seen)
        == UX_OK)
    {
        (void) ux_table_touch(table, &seen, now_s, 0, UX_SESSION_S);
    }
}


/* One request, as the glue makes it. */
__attribute__((unused))
static ux_status_t
shopper_visit(zone_t *z, unsigned n, unsigned shift, uint64_t now_ms)
{
    bool                 crossing;
    unsigned             i;
    uint32_t             now_s;
    ux_key_t             key;
    ux_turn_t            turn;
    ux_store_t          *store;
    ux_status_t          rc;
    ux_visitor_t        *v;
    ux_table_effects_t   effects;

    v = &z->visitor;
    store = &z->w.store;
    key = shopper_key(z, n);
    now_s = (uint32_t) (now_ms / 1000);
    ux_changes_clear(&z->changes);
    shopper_segments(z, n, now_ms);

    rc = ux_table_open(&store->table, key, now_s, v, &turn);
    if (rc != UX_OK) {
        return rc;
    }

    v->last_s = now_s - (turn.found && n % 3 == 0 ? 7 : 0);
    v->cookie_hash = key.id | 1;

    if (turn.found) {
        ux_track_confirm(&store->plan, v, &z->changes);
    }

    (void) ux_track_settle(&store->plan, v, now_ms, NULL, &z->changes);
    shopper_expose(z, n, shift, now_ms);

    for (i = zone_random(z, 4); i > 0; i--) {
        shopper_event(z, now_ms);
    }

    crossing = zone_random(z, 200) == 0;

    if (crossing && v->ntracks > 1) {
        (void) ux_track_cross(&store->plan, v, 1, now_ms, true, &z->changes);
    }

    if (zone_random(z, 20) == 0 && !v->error_seen) {
        v->error_seen = true;
        ux_changes_add(&z->changes, UX_ZONE_HTTP + UX_HTTP_ERROR_VISITORS, 1);

        for (i = 1; i < v->ntracks; i++) {
            if (!v->tracks[i].waiting && !v->tracks[i].error_seen) {
                v->tracks[i].error_seen = true;
                ux_changes_add(&z->changes,
                               z->w.arms[v->tracks[i].arm].base + UX_ARM_HTTP
                               + UX_HTTP_ERROR_VISITORS, 1);
            }
        }
    }

    ux_counter_add(&store->counter, UX_ZONE_HTTP + UX_HTTP_REQUESTS, 1);

    rc = ux_table_commit(&store->table, &turn, v, now_s, &effects);

    if (rc == UX_OK) {
        ux_store_effects(store, &effects);
        ux_store_count(store, v, &z->changes);
        shopper_touch(z, n, now_s);
    }

    return rc;
}


/* A record that only names another. */
__attribute__((unused))
static void
shopper_alias(zone_t *z, unsigned n, uint64_t now_ms)
{
    uint32_t            now_s;
    ux_turn_t           turn;
    ux_visitor_t       *v;
    ux_table_effects_t  effects;

    v = &z->visitor;
    now_s = (uint32_t) (now_ms / 1000);

    if (ux_table_open(&z->w.store.table, shopper_key(z, n), now_s, v, &turn)
        != UX_OK)
    {
        return;
    }

    if (turn.found) {
        ux_table_abort(&z->w.store.table, &turn);
        return;
    }

    v->alias = true;
    v->confirmed = true;
    memset(v->alias_id, (int) (n & 0xff), UX_ALIAS_ID);

    if (ux_table_commit(&z->w.store.table, &turn, v, now_s, &effects)
        == UX_OK)
    {
        ux_store_effects(&z->w.store, &effects);
        ux_counter_add(&z->w.store.counter, UX_ZONE_PROVISIONAL, -1);
    }
}


/* `visits` by shoppers [from, to), over two hours. */
__attribute__((unused))
static void
zone_busy(zone_t *z, unsigned from, unsigned to, unsigned visits,
    uint64_t now_ms)
{
    unsigned  i;

    for (i = 0; i < visits; i++) {
        (void) shopper_visit(z, from + zone_random(z, to - from), 0,
                             now_ms + 7200000ull * i / visits);
    }
}


typedef struct {
    uint8_t  *data;
    size_t    len;
    size_t    size;
} bytes_t;


__attribute__((unused))
static bytes_t
image_write(zone_t *z, ux_image_kind_e kind, uint64_t now_ms)
{
    bytes_t          b;
    ux_image_zone_t  about;

    memset(&about, 0, sizeof(about));
    about.name = str("shop");
    about.currency = str("EUR");

    b.len = 0;
    b.size = ux_image_size(&z->w.store, kind);
    b.data = malloc(b.size);

    if (ux_image_write(&z->w.store, kind, &about, now_ms, b.data, b.size,
                       &b.len)
        != UX_OK)
    {
        printf("Bail out! no image\n");
        exit(1);
    }

    return b;
}


/* Any of the images may be NULL. */
__attribute__((unused))
static ux_status_t
image_merge_since(zone_t *z, ux_image_mode_e mode, const bytes_t *visitors,
    const bytes_t *counters, const bytes_t *base, uint64_t now_ms,
    ux_image_result_t *result)
{
    ux_status_t       rc;
    ux_image_merge_t  merge;

    memset(&merge, 0, sizeof(merge));

    merge.mode = mode;
    merge.zone.name = str("shop");
    merge.zone.currency = str("EUR");
    merge.now_ms = now_ms;
    merge.work = &work;

    if (visitors != NULL) {
        merge.visitors.data = visitors->data;
        merge.visitors.len = visitors->len;
    }

    if (counters != NULL) {
        merge.counters.data = counters->data;
        merge.counters.len = counters->len;
    }

    if (base != NULL) {
        merge.base.data = base->data;
        merge.base.len = base->len;
        merge.index = malloc(ux_image_index_words(base->data, base->len)
                             * sizeof(uint64_t));
    }

    error.message[0] = '\0';

    rc = ux_image_merge(&z->w.store, &merge, result, &error);
    free(merge.index);

    return rc;
}


__attribute__((unused))
static ux_status_t
image_merge(zone_t *z, ux_image_mode_e mode, const bytes_t *visitors,
    const bytes_t *counters, uint64_t now_ms, ux_image_result_t *result)
{
    return image_merge_since(z, mode, visitors, counters, NULL, now_ms,
                             result);
}


/* Of all sums, rings and findings. */
__attribute__((unused))
static unsigned
cells_differ(const zone_t *a, const zone_t *b)
{
    uint32_t  i;
    unsigned  differ;

    differ = 0;

    for (i = 0; i < a->w.store.counter.all_cells; i++) {
        differ += ux_counter_read(&a->w.store.counter, i)
                  != ux_counter_read(&b->w.store.counter, i);
    }

    return differ;
}


/* Sum of one kind of cell over all arms. */
__attribute__((unused))
static uint64_t
arms_sum(const zone_t *z, unsigned cell)
{
    uint32_t           i;
    uint64_t           sum;
    const ux_entry_t  *entry;

    sum = 0;

    for (i = 0; i < ux_registry_count(z->w.store.registry); i++) {
        entry = &z->w.store.registry->entries[i];

        if (entry->kind == UX_ENTRY_ARM) {
            sum += ux_counter_read(&z->w.store.counter, entry->base + cell);
        }
    }

    return sum;
}


/* Cells of the zone and its rings that differ; a version is none. */
__attribute__((unused))
static unsigned
zone_differ(const zone_t *a, const zone_t *b)
{
    uint32_t             i, n;
    unsigned             differ;
    const ux_counter_t  *x, *y;

    x = &a->w.store.counter;
    y = &b->w.store.counter;
    n = x->all_cells;
    differ = x->all_cells != y->all_cells;

    for (i = 0; i < n; i++) {
        if (i != UX_ZONE_FULL_SAID
            && ux_counter_read(x, i) != ux_counter_read(y, i))
        {
            if (differ++ < 5) {
                printf("# cell %u: %llu and %llu\n", i,
                       (unsigned long long) ux_counter_read(x, i),
                       (unsigned long long) ux_counter_read(y, i));
            }
        }
    }

    return differ;
}


/* Shoppers [from, to) whose records are not the same. */
__attribute__((unused))
static unsigned
records_differ(zone_t *a, zone_t *b, unsigned from, unsigned to,
    uint64_t now_ms, unsigned *there)
{
    size_t       len[2];
    uint8_t      packed[2][UX_PACKED_MAX];
    unsigned     i, k, differ;
    zone_t      *z;
    ux_status_t  rc[2];

    differ = 0;
    *there = 0;

    for (i = from; i < to; i++) {
        for (k = 0; k < 2; k++) {
            z = k == 0 ? a : b;
            len[k] = 0;
            rc[k] = ux_table_read(&z->w.store.table, shopper_key(z, i),
                                  (uint32_t) (now_ms / 1000), &z->visitor);

            if (rc[k] == UX_OK) {
                (void) ux_visitor_pack(&z->visitor, packed[k], &len[k]);
            }
        }

        *there += rc[0] == UX_OK;
        differ += rc[0] != rc[1] || len[0] != len[1]
                  || memcmp(packed[0], packed[1], len[0]) != 0;
    }

    return differ;
}


/* made = there + evicted + expired + erased, counting those that are there. */
__attribute__((unused))
static bool
lives_add_up(const zone_t *z)
{
    uint64_t               there, provisional;
    uint32_t               b, i;
    const ux_slot_t       *slot;
    const ux_bucket_t     *bucket;
    const ux_counter_t    *c;

    there = 0;
    provisional = 0;
    c = &z->w.store.counter;

    for (b = 0; b < z->w.store.table.nbuckets; b++) {
        bucket = ux_bucket_get(&z->w.store.table, b);

        for (i = 0; i < UX_BUCKET_SLOTS; i++) {
            slot = &bucket->slots[i];

            if (ux_tag_get(bucket, i) != 0 && slot->head.part == 0) {
                there++;
                provisional += slot->head.flags & UX_SLOT_PROVISIONAL;
            }
        }
    }

    if (ux_counter_read(c, UX_ZONE_PROVISIONAL) != provisional) {
        printf("# provisional: %llu, of them there %llu\n",
               (unsigned long long) ux_counter_read(c, UX_ZONE_PROVISIONAL),
               (unsigned long long) provisional);
        return false;
    }

    if (ux_counter_read(c, UX_ZONE_INSERTED)
        != there + ux_counter_read(c, UX_ZONE_EVICTED)
           + ux_counter_read(c, UX_ZONE_EXPIRED)
           + ux_counter_read(c, UX_ZONE_ERASED))
    {
        printf("# made %llu, there %llu, evicted %llu, expired %llu\n",
               (unsigned long long) ux_counter_read(c, UX_ZONE_INSERTED),
               (unsigned long long) there,
               (unsigned long long) ux_counter_read(c, UX_ZONE_EVICTED),
               (unsigned long long) ux_counter_read(c, UX_ZONE_EXPIRED));
        return false;
    }

    return true;
}


#endif
