
/*
 * Copyright (C) the nginx-ux authors
 *
 * Segments: whatever random shoppers do, the values of a segment add up to the
 * variant, counter by counter.
 */

#include "image_case.h"
#include "segment_case.h"


#define is_int(got, want, ...)  ok((long) (got) == (long) (want), __VA_ARGS__)

#define SIZE    (32 * MIB)
#define PEOPLE  400
#define VISITS  6000
#define HOURS   7200000ull


static void test_names(void);
static void test_values(void);
static void test_shoppers(void);
static void test_reload(void);
static void test_later(void);
static void test_restore(void);
static void test_unite(void);
static void test_base(void);
static void test_room(void);
static void test_records(void);
static void holds(const zone_t *z, const char *what);
static unsigned by_records(zone_t *z, unsigned people);
static uint64_t of_values(const zone_t *z, unsigned k);
static uint64_t of_arms(const zone_t *z, unsigned k);


int
main(void)
{
    test_names();
    test_values();
    test_shoppers();
    test_reload();
    test_later();
    test_restore();
    test_unite();
    test_base();
    test_room();
    test_records();

    return done();
}


static void
test_names(void)
{
    unsigned           i;
    char               names[UX_SEGMENT_VALUES][8];
    static ux_model_t  model;

    ux_model_init(&model, str("shop"), 0);

    is_int(ux_model_segment_add(&model, str("device")), UX_OK, "a segment");
    is_int(model.segments[0].nvalues, 1, "which has a value");
    ok(ux_str_equal(model.values[0].name, str("other")), "\"other\"");
    is_int(ux_model_value_add(&model, str("phone")), UX_OK, "one more");
    is_int(ux_model_value_add(&model, str("phone")), UX_DECLINED, "once");
    is_int(ux_model_value_add(&model, str("other")), UX_OK,
           "\"other\" may be named");
    is_int(model.nvalues, 2, "and is there once");
    is_int(ux_model_segment_add(&model, str("device")), UX_DECLINED,
           "a segment once");

    for (i = 1; i < UX_SEGMENTS_MAX; i++) {
        (void) snprintf(names[i], sizeof(names[i]), "s%u", i);
        is_int(ux_model_segment_add(&model, str(names[i])), UX_OK, "more");
    }

    is_int(ux_model_segment_add(&model, str("fifth")), UX_FULL, "not five");

    for (i = model.nvalues; i < UX_SEGMENT_VALUES; i++) {
        (void) snprintf(names[i], sizeof(names[i]), "v%u", i);

        if (ux_model_value_add(&model, str(names[i])) != UX_OK) {
            break;
        }
    }

    is_int(i, UX_SEGMENT_VALUES, "64 values of all segments");
    is_int(ux_model_value_add(&model, str("phone")), UX_FULL, "not 65");
}


static void
test_values(void)
{
    uint8_t            values[UX_SEGMENTS_MAX] = { 9, 9, 9, 9 };
    static ux_model_t  model;

    ux_model_init(&model, str("shop"), 0);
    (void) ux_model_segment_add(&model, str("device"));
    (void) ux_model_value_add(&model, str("phone"));

    ux_segment_note(&model, 0, str("phone"), values);
    is_int(values[0], 9, "not bound: nothing");

    model.segments[0].slot = 2;
    model.values[0].ordinal = 5;
    model.values[1].ordinal = 63;

    ux_segment_note(&model, 0, str("phone"), values);
    is_int(values[2], 64, "a value's ordinal, and 1");
    ux_segment_note(&model, 0, str("Phone"), values);
    is_int(values[2], 6, "what is none is \"other\"");
    ux_segment_note(&model, 0, str("phon"), values);
    is_int(values[2], 6, "the beginning of one is none");
    ux_segment_note(&model, 0, str(""), values);
    is_int(values[2], 6, "nothing is none");

    model.values[0].ordinal = UX_SLOT_NONE;
    ux_segment_note(&model, 0, str("fridge"), values);
    is_int(values[2], 0, "\"other\" without a number: none");
    ok(values[0] == 9 && values[1] == 9 && values[3] == 9,
       "others' are not touched");
}


static void
test_shoppers(void)
{
    zone_t  *z;
    shop_t   shop = { .segments = 2 };

    z = zone_new(SIZE, 1, 7);
    is_int(zone_bind(z, &shop), UX_OK, "bound");
    is_int(z->w.store.plan.nsegments, SHOP_EXPERIMENTS * 3 * 7,
           "an arm for each value of each variant");

    zone_busy(z, 0, PEOPLE, VISITS, SHOP_START);
    holds(z, "random histories");

    ok(of_arms(z, UX_ARM_CROSSOVER) > 0, "with crossovers");
    ok(of_arms(z, UX_ARM_LEFT) > 0, "who left");

    zone_free(z);
}


/* Windows, weights, order; segments that go and come back. */
static void
test_reload(void)
{
    zone_t  *z;
    shop_t   shop = { .segments = 2 };

    z = zone_new(SIZE, 1, 7);
    (void) zone_bind(z, &shop);
    zone_busy(z, 0, PEOPLE, VISITS / 3, SHOP_START);

    shop.weight = 3;
    is_int(zone_bind(z, &shop), UX_OK, "other weights");
    zone_busy(z, 0, PEOPLE + 200, VISITS / 3, SHOP_START + HOURS);
    holds(z, "a second epoch");

    shop.turned = true;
    is_int(zone_bind(z, &shop), UX_OK, "all in another order");
    zone_busy(z, 0, PEOPLE + 200, VISITS / 3, SHOP_START + 2 * HOURS);
    holds(z, "another order");

    /* nobody new, those there go on */

    shop.segments = 0;
    is_int(zone_bind(z, &shop), UX_OK, "no segments");
    zone_busy(z, 0, PEOPLE, VISITS / 3, SHOP_START + 3 * HOURS);

    shop.segments = 2;
    is_int(zone_bind(z, &shop), UX_OK, "segments again");
    zone_busy(z, 0, PEOPLE, VISITS / 3, SHOP_START + 4 * HOURS);
    ok(of_values(z, UX_ARM_VISITORS) > 0
       && of_values(z, UX_ARM_VISITORS) % 2 == 0,
       "who has values counts on, with all of them");

    zone_free(z);
}


/* Exposed before there was the segment: in none of its values, for good. */
static void
test_later(void)
{
    uint64_t  before, assigned;
    zone_t   *z;
    shop_t    shop = { 0 };

    z = zone_new(SIZE, 1, 7);
    is_int(zone_bind(z, &shop), UX_OK, "no segments");
    is_int(z->w.store.plan.nsegments, 0, "nothing counts values");
    zone_busy(z, 0, PEOPLE, VISITS / 3, SHOP_START);
    before = of_arms(z, UX_ARM_ASSIGNED);

    shop.segments = 2;
    is_int(zone_bind(z, &shop), UX_OK, "two segments");
    zone_busy(z, 0, 2 * PEOPLE, VISITS, SHOP_START + HOURS);

    assigned = of_arms(z, UX_ARM_ASSIGNED);
    ok(before > 0 && assigned > before, "visitors before and after");
    ok(of_values(z, UX_ARM_ASSIGNED) <= 2 * (assigned - before)
       && of_values(z, UX_ARM_ASSIGNED) > 0,
       "values have only those who came after");

    zone_free(z);
}


static void
test_restore(void)
{
    bytes_t            b, c;
    zone_t            *a, *z, *t;
    shop_t             shop = { .segments = 2 }, turned = { .segments = 2 };
    ux_image_result_t  result;

    turned.turned = true;

    a = zone_new(SIZE, 1, 7);
    (void) zone_bind(a, &shop);
    zone_busy(a, 0, PEOPLE, VISITS, SHOP_START);

    b = image_write(a, UX_IMAGE_VISITORS, SHOP_START + HOURS);
    c = image_write(a, UX_IMAGE_COUNTERS, SHOP_START + HOURS);

    z = zone_new(SIZE, 2, 7);
    is_int(image_merge(z, UX_IMAGE_RESTORE, &b, &c, SHOP_START + HOURS,
                       &result), UX_OK, "restored: %s", error.message);
    (void) zone_bind(z, &shop);
    holds(z, "restored");
    is_int(zone_differ(a, z), 0, "cell by cell");

    zone_busy(z, 0, PEOPLE, VISITS, SHOP_START + HOURS);
    holds(z, "restored, and counted on");

    /* into a zone that has other numbers for all of it */

    t = zone_new(SIZE, 3, 7);
    (void) zone_bind(t, &turned);
    is_int(image_merge(t, UX_IMAGE_RESTORE, &b, &c, SHOP_START + HOURS,
                       &result), UX_OK, "by name: %s", error.message);
    holds(t, "by name");
    is_int((long) of_values(t, UX_ARM_VISITORS),
           (long) of_values(a, UX_ARM_VISITORS), "nobody is lost");

    zone_busy(t, 0, PEOPLE, VISITS, SHOP_START + HOURS);
    holds(t, "by name, and counted on");

    free(b.data);
    free(c.data);
    zone_free(a);
    zone_free(z);
    zone_free(t);
}


/* Two zones that know the same visitors, with other values. */
static void
test_unite(void)
{
    bytes_t            b;
    zone_t            *a, *z;
    shop_t             shop = { .segments = 2 };
    ux_image_result_t  result;

    a = zone_new(SIZE, 1, 7);
    (void) zone_bind(a, &shop);
    zone_busy(a, 0, PEOPLE, VISITS, SHOP_START);

    z = zone_new(SIZE, 2, 7);
    (void) zone_bind(z, &shop);
    zone_busy(z, PEOPLE / 2, PEOPLE * 2, VISITS, SHOP_START + 60000);

    b = image_write(a, UX_IMAGE_VISITORS, SHOP_START + HOURS);
    is_int(image_merge(z, UX_IMAGE_ADOPT, &b, NULL, SHOP_START + HOURS,
                       &result), UX_OK, "adopted: %s", error.message);
    ok(result.united > PEOPLE / 4, "many were known (%llu)",
       (unsigned long long) result.united);
    holds(z, "united");
    is_int(by_records(z, PEOPLE * 2), 0, "united: each counted by its values");

    zone_busy(z, 0, PEOPLE * 2, VISITS, SHOP_START + HOURS);
    holds(z, "united, and counted on");

    free(b.data);
    zone_free(a);
    zone_free(z);
}


/* Both went on from a base that the one has taken over from the other. */
static void
test_base(void)
{
    bytes_t            b, last;
    uint64_t          *index;
    zone_t            *a, *z;
    shop_t             shop = { .segments = 2 };
    ux_image_merge_t   merge;
    ux_image_result_t  result;

    a = zone_new(SIZE, 1, 7);
    (void) zone_bind(a, &shop);
    zone_busy(a, 0, PEOPLE, VISITS, SHOP_START);
    b = image_write(a, UX_IMAGE_VISITORS, SHOP_START + HOURS);

    z = zone_new(SIZE, 2, 7);
    is_int(image_merge(z, UX_IMAGE_RESTORE, &b, NULL, SHOP_START + HOURS,
                       &result), UX_OK, "a base");
    ok(ux_image_hold(&z->w.store, a->w.store.head->uuid), "held as such");
    (void) zone_bind(z, &shop);

    zone_busy(z, 0, PEOPLE + 100, VISITS, SHOP_START + HOURS);
    zone_busy(a, 0, PEOPLE + 200, VISITS, SHOP_START + HOURS);
    last = image_write(a, UX_IMAGE_VISITORS, SHOP_START + 2 * HOURS);

    index = calloc(ux_image_index_words(b.data, b.len), sizeof(uint64_t));

    memset(&merge, 0, sizeof(merge));
    merge.mode = UX_IMAGE_ADOPT;
    merge.visitors.data = last.data;
    merge.visitors.len = last.len;
    merge.base.data = b.data;
    merge.base.len = b.len;
    merge.index = index;
    merge.zone.name = str("shop");
    merge.zone.currency = str("EUR");
    merge.now_ms = SHOP_START + 2 * HOURS;
    merge.work = &work;

    is_int(ux_image_merge(&z->w.store, &merge, &result, &error), UX_OK,
           "the rest: %s", error.message);
    ok(result.united > PEOPLE / 4, "of many both went on");
    holds(z, "both went on");
    is_int(by_records(z, PEOPLE + 200), 0,
           "both went on: each counted by its values");

    free(index);
    free(b.data);
    free(last.data);
    zone_free(a);
    zone_free(z);
}


/* What a configuration will take, and what it took. */
static void
test_room(void)
{
    uint32_t                before, count;
    zone_t                 *z;
    shop_t                  shop = { .segments = 2 };
    const ux_entry_t       *last;
    ux_store_budget_t       budget, bound;
    const ux_store_head_t  *head;

    z = zone_new(SIZE, 1, 7);
    head = z->w.store.head;
    shop_model(&z->w, &shop);

    is_int(ux_store_fits(&z->w.store, &z->w.model, &error), UX_OK, "fits");
    ux_store_budget(&z->w.store, &z->w.model, &budget);

    is_int((long) (budget.rest + budget.names + budget.counters
                   + budget.history + budget.visitors), SIZE,
           "the parts are the whole");
    ok(budget.counters <= SIZE / 2, "counters are at most half");
    is_int((long) budget.capacity, ux_table_capacity(head->nbuckets),
           "as many visitors as the table says");

    (void) zone_bind(z, &shop);
    count = ux_registry_count(z->w.store.registry);
    last = &z->w.store.registry->entries[count - 1];

    is_int((long) budget.shared_used,
           ((long) last->next_cell + head->all_cells - last->next_ring) * 8,
           "cells: foretold to the byte");
    is_int((long) budget.own_used,
           (long) (last->next_cell < head->own_cells ? last->next_cell
                                                     : head->own_cells)
           * 16 * 8, "those of the workers' own copies");
    is_int((long) budget.names_used,
           (long) ux_registry_size(count), "names, too");

    ux_store_budget(&z->w.store, &z->w.model, &bound);
    ok(memcmp(&bound, &budget, sizeof(bound)) == 0, "the same once bound");

    zone_busy(z, 0, PEOPLE, VISITS, SHOP_START);
    ux_store_budget(&z->w.store, &z->w.model, &bound);
    ok(memcmp(&bound, &budget, sizeof(bound)) == 0, "and after traffic");

    /* changed: only the difference comes on top */

    shop.weight = 5;
    shop_model(&z->w, &shop);
    before = count;
    ux_store_budget(&z->w.store, &z->w.model, &budget);
    (void) zone_bind(z, &shop);
    count = ux_registry_count(z->w.store.registry);
    last = &z->w.store.registry->entries[count - 1];

    ok(count > before, "a new epoch has names");
    is_int((long) budget.shared_used,
           ((long) last->next_cell + head->all_cells - last->next_ring) * 8,
           "a new epoch: to the byte");

    zone_free(z);
}


/* A record may have only values that the names have. */
static void
test_records(void)
{
    uint32_t             kinds[UX_ENTRY_KINDS] = { 0 };
    static ux_visitor_t  visitor;
    ux_image_limits_t    limits;

    kinds[UX_ENTRY_ARM] = 1;
    kinds[UX_ENTRY_SEGMENT] = 2;
    kinds[UX_ENTRY_SEGMENT_VALUE] = 5;
    limits = ux_image_limits(kinds);

    ux_visitor_init(&visitor, 7, 1700000000);
    visitor.ntracks = 2;
    memset(&visitor.tracks[1], 0, sizeof(ux_track_t));
    visitor.tracks[1].segments[1] = 5;

    ok(ux_image_record_ok(&visitor, &limits), "the last value there is");
    visitor.tracks[1].segments[1] = 6;
    ok(!ux_image_record_ok(&visitor, &limits), "one beyond");
    visitor.tracks[1].segments[2] = 1;
    visitor.tracks[1].segments[0] = 1;
    ok(!ux_image_record_ok(&visitor, &limits), "of a segment beyond");
    ux_image_record_fit(&visitor, &limits);
    ok(ux_image_record_ok(&visitor, &limits)
       && visitor.tracks[1].segments[0] == 1
       && visitor.tracks[1].segments[1] == 0
       && visitor.tracks[1].segments[2] == 0, "taken out, and no others");
}


static void
holds(const zone_t *z, const char *what)
{
    adds_up_t  up;

    up = adds_up(&z->w.store);

    ok(up.moved > 300, "%s: %u of %u figures moved", what, up.moved,
       up.cells);
    is_int(up.wrong, 0, "%s: values add up to the variants", what);
}


/* Of the arms that count values: those whose visitors are not the records
 * that have the value. */
static unsigned
by_records(zone_t *z, unsigned people)
{
    int64_t             tally[UX_SEGMENT_VALUES * 64] = { 0 };
    uint32_t            i;
    unsigned            n, t, s, wrong;
    const ux_track_t   *track;
    const ux_entry_t   *entry;

    for (n = 0; n < people; n++) {
        if (ux_table_read(&z->w.store.table, shopper_key(z, n),
                          (SHOP_START + 2 * HOURS) / 1000, &z->visitor)
            != UX_OK)
        {
            continue;
        }

        for (t = 1; t < z->visitor.ntracks; t++) {
            track = &z->visitor.tracks[t];

            for (s = 0; s < UX_SEGMENTS_MAX; s++) {
                if (z->visitor.confirmed && !track->waiting && !track->crossed
                    && track->segments[s] != 0)
                {
                    tally[z->w.arms[track->arm].variant_slot
                          * UX_SEGMENT_VALUES + track->segments[s] - 1]++;
                }
            }
        }
    }

    wrong = 0;

    for (i = 0; i < ux_registry_count(z->w.store.registry); i++) {
        entry = &z->w.store.registry->entries[i];

        if (entry->kind == UX_ENTRY_SEGMENT_ARM) {
            wrong += tally[entry->parent * UX_SEGMENT_VALUES + entry->aux]
                     != (int64_t) ux_counter_read(&z->w.store.counter,
                                                  entry->ring
                                                  + UX_ARM_VISITORS);
        }
    }

    return wrong;
}


static uint64_t
of_values(const zone_t *z, unsigned k)
{
    uint64_t           sum;
    uint32_t           i;
    const ux_entry_t  *entry;

    sum = 0;

    for (i = 0; i < ux_registry_count(z->w.store.registry); i++) {
        entry = &z->w.store.registry->entries[i];

        if (entry->kind == UX_ENTRY_SEGMENT_ARM) {
            sum += ux_counter_read(&z->w.store.counter, entry->ring + k);
        }
    }

    return sum;
}


static uint64_t
of_arms(const zone_t *z, unsigned k)
{
    uint64_t           sum;
    uint32_t           i;
    const ux_entry_t  *entry;

    sum = 0;

    for (i = 0; i < ux_registry_count(z->w.store.registry); i++) {
        entry = &z->w.store.registry->entries[i];

        if (entry->kind == UX_ENTRY_ARM) {
            sum += ux_counter_read(&z->w.store.counter, entry->base + k);
        }
    }

    return sum;
}
