
/*
 * Copyright (C) the nginx-ux authors
 *
 * Snapshots.  The first byte of the input is flags, the rest the image as it
 * is, or edits of a sound one: two bytes where, one how many, and so many
 * bytes.  Most are given right checksums then, so that what they mean is
 * looked at.  What is accepted is merged into a zone, empty or busy, and what
 * that zone writes then must be sound again.  The configuration in it can be
 * written again, and the zone can be reported by it.
 *
 * The sound image is of a zone that has counted, or of a fuller one, with all
 * that a shop can have counted: its visitors or its counters.
 */

#include "fuzz.h"

#include "ux_image_private.h"
#include "ux_report.h"
#include "ux_result.h"
#include "ux_segment.h"
#include "ux_survey.h"
#include "ux_timing.h"


#define RAW       0x01                 /* no edits: all of the image */
#define UNSUMMED  0x02                 /* checksums stay wrong */
#define BUSY      0x04                 /* into a zone that has counted */
#define COUNTERS  0x08
#define PREPARE   0x10
#define REWRITE   0x60                 /* one in four: it takes the longest */
#define REPORT    0x60                 /* likewise, if all of it is there */
#define SHOW      0x80
#define FULL      0x09                 /* RAW, and yet edits: of the fuller
                                          counters or, UNSUMMED, visitors */

#define ZONE_SIZE  UX_STORE_SIZE_MIN
#define START      1700000000000ull
#define VISITORS   24
#define HOUR_END   ((START / 3600000 + 1) * 3600000)


static ux_store_t make_zone(unsigned visitors, bool full);
static void bind(ux_store_t *store, bool full);
static void fill_model(void);
static void visit(ux_store_t *store, unsigned n, unsigned of, bool full);
static void fill(ux_store_t *store, unsigned n, unsigned time);
static ux_str_t write_image(ux_store_t *store, ux_image_kind_e kind);
static ux_str_t edited(const uint8_t *data, size_t size);
static void sum(uint8_t *data, size_t len);
static void merge(ux_str_t image, unsigned flags);
static void check_zone(ux_store_t *store);
static void check_model(ux_str_t image, const ux_store_t *store, bool shown);
static void show(ux_store_t store);


const char *const  fuzz_words[] = {
    "UImage\x1a\n", "\x01\x01", "EUR", "shop", "\xff\xff\xff\xff\xff\xff\xff",
    "purchase", "control", "\x80", NULL
};


static uint8_t            memory[ZONE_SIZE] __attribute__((aligned(64)));
static uint8_t            fresh[2][ZONE_SIZE] __attribute__((aligned(64)));
static uint8_t            written[4 * ZONE_SIZE];
static ux_store_t         stores[2];
static int                used = -1;   /* whose bytes memory has; -1: none */
static ux_model_t         model;
static ux_experiment_t    experiment;
static ux_arm_t           arms[512];
static ux_binding_t       bindings[1];
static ux_changes_t       changes;
static ux_visitor_t       visitor;
static ux_image_work_t    work;
static ux_str_t           images[4];   /* the fuller one's come last */
static ux_image_model_t   read_model;
static ux_arm_t           shown_arms[512];
static ux_binding_t       shown_bindings[UX_EXPERIMENTS_MAX];
static uint8_t            model_bytes[UX_IMAGE_MODEL_MAX];
static const ux_image_zone_t  zone = {
    .name = ux_str("shop"), .currency = ux_str("EUR"), .model = &model,
    .origin = { ux_str("0.1.0"), ux_str("1.22.1"), ux_str("web-1"), 524288, 0 }
};


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    ux_error_t  error;

    (void) argc;
    (void) argv;

    stores[0] = make_zone(10 * VISITORS, true);
    images[2] = write_image(&stores[0], UX_IMAGE_VISITORS);
    images[3] = write_image(&stores[0], UX_IMAGE_COUNTERS);

    stores[1] = make_zone(VISITORS, false);
    images[0] = write_image(&stores[1], UX_IMAGE_VISITORS);
    images[1] = write_image(&stores[1], UX_IMAGE_COUNTERS);
    fuzz_check(ux_image_model((const uint8_t *) images[1].data,
                              images[1].len, &read_model, &error)
               == UX_OK);

    /* the zone that has counted is another incarnation, of the same key */

    memcpy(fresh[1], memory, sizeof(memory));
    fresh[1][offsetof(ux_store_head_t, uuid)] = 2;

    stores[0] = make_zone(0, false);
    memcpy(fresh[0], memory, sizeof(memory));

    return 0;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned  flags;
    ux_str_t  image;

    if (size == 0) {
        return 0;
    }

    flags = data[0];

    image = (flags & FULL) == RAW ? fuzz_copy(data + 1, size - 1)
                                  : edited(data, size);

    if (!(flags & UNSUMMED) || (flags & FULL) == FULL) {
        sum((uint8_t *) (void *) image.data, image.len);
    }

    merge(image, flags);
    fuzz_free(image);

    return 0;
}


/* In memory, with a writer that goes on writing there; each comes thrice. */
static ux_store_t
make_zone(unsigned visitors, bool full)
{
    uint8_t             random[64];
    unsigned            i;
    ux_error_t          error;
    ux_store_t          store;
    ux_store_params_t   params = { 4, 4, 2592000 };

    memset(memory, 0, sizeof(memory));
    memset(random, 7, sizeof(random));
    random[0] = full ? 3 : visitors != 0;

    fuzz_check(ux_store_init(memory, sizeof(memory), &params, random, START,
                             &error)
               == UX_OK);
    fuzz_check(ux_store_attach(&store, memory, sizeof(memory), &error)
               == UX_OK);
    fuzz_check(ux_store_join(&store) == UX_OK);

    if (visitors == 0) {
        return store;
    }

    bind(&store, full);

    for (i = 0; i < 3 * visitors; i++) {
        visit(&store, i, visitors, full);

        if (full) {
            fill(&store, i, i / visitors);
        }
    }

    fuzz_check(ux_result_history(&store, 0, HOUR_END) == UX_OK);
    fuzz_check(!full || ux_result_look(&store, HOUR_END) == UX_OK);

    return store;
}


static void
bind(ux_store_t *store, bool full)
{
    memset(&experiment, 0, sizeof(experiment));
    ux_model_init(&model, zone.name, 0);

    model.totals[1].event = UX_EVENT_PURCHASE;
    model.totals[1].type = UX_METRIC_RATIO;
    model.ntotals = 2;

    model.nfunnels = 1;
    model.funnels[0].name = fuzz_str("checkout");
    model.funnels[0].nsteps = 2;
    model.funnels[0].steps[0].event = UX_EVENT_BEGIN_CHECKOUT;
    model.funnels[0].steps[1].event = UX_EVENT_PURCHASE;
    model.funnels[0].cart_event = UX_EVENT_ADD_TO_CART;
    model.funnels[0].within_ms = 3600000;

    experiment.name = fuzz_str("layout");
    experiment.salt = experiment.name;
    experiment.version = 1;
    experiment.traffic = 1;
    experiment.layer = fuzz_str("page");
    experiment.layer_hi = 0.5;
    experiment.alpha = 0.05;
    experiment.planned = 100;
    experiment.window_ms = 86400000;
    experiment.cap = 5000;
    experiment.serve = -1;
    experiment.nvariants = 2;
    experiment.variants[0].name = fuzz_str("control");
    experiment.variants[0].weight = 1;
    experiment.variants[1].name = fuzz_str("short");
    experiment.variants[1].weight = 1;
    experiment.nmetrics = 2;
    experiment.metrics[0].event = UX_EVENT_PURCHASE;
    experiment.metrics[1].event = UX_EVENT_PURCHASE;
    experiment.metrics[1].type = UX_METRIC_RATIO;
    experiment.metrics[1].total = 1;
    experiment.metrics[1].role = UX_ROLE_GUARDRAIL;
    experiment.metrics[1].margin = 0.01;

    (void) ux_model_segment_add(&model, fuzz_str("device"));
    (void) ux_model_value_add(&model, fuzz_str("phone"));

    model.experiments = &experiment;
    model.nexperiments = 1;

    if (full) {
        fill_model();
    }

    fuzz_check(ux_store_bind(store, &model, arms, bindings, START) == UX_OK);
}


/* Web vitals, surveys, a journey, carts of two funnels. */
static void
fill_model(void)
{
    model.collects = true;
    ux_survey_add(&model);

    model.nfunnels = 2;
    model.funnels[1] = model.funnels[0];
    model.funnels[1].name = fuzz_str("quick");
    model.funnels[1].cart_event = UX_EVENT_VIEW_ITEM;

    model.nstages = 2;
    model.stages[0].name = fuzz_str("looking");
    model.stages[0].events = 1ull << UX_EVENT_VIEW_ITEM;
    model.stages[1].name = fuzz_str("buying");
    model.stages[1].events = 1ull << UX_EVENT_PURCHASE
                             | 1ull << UX_EVENT_BEGIN_CHECKOUT;
}


/* In the fuller one the variants are out of balance. */
static void
visit(ux_store_t *store, unsigned n, unsigned of, bool full)
{
    char                name[16];
    ux_turn_t           turn;
    ux_event_t          event;
    ux_discard_e        why;
    ux_table_effects_t  effects;

    (void) snprintf(name, sizeof(name), "%u", n % of);
    ux_changes_clear(&changes);
    ux_segment_note(&model, 0, fuzz_str(n % 2 ? "phone" : "desktop"),
                    store->plan.segments);

    fuzz_check(ux_table_open(&store->table,
                             ux_hash_key(store->head->index_key,
                                         fuzz_str(name)),
                             (uint32_t) (START / 1000) + n, &visitor, &turn)
               == UX_OK);

    /* every third one stays unconfirmed */

    if (turn.found && n % 3 != 0) {
        ux_track_confirm(&store->plan, &visitor, &changes);
    }

    (void) ux_track_expose(&store->plan, &visitor, 0,
                           full ? n % 12 == 11 : n % 2,
                           START + n * 1000, &changes);

    memset(&event, 0, sizeof(event));
    event.now_ms = START + n * 1000;
    event.event = (uint8_t) (n % 6);
    event.has_value = true;
    event.value = 100 * n;
    event.id_hash = n;
    event.currency = UX_CURRENCY_ZONE;
    (void) ux_track_event(&store->plan, &visitor, &event, &changes, &why);

    fuzz_check(ux_table_commit(&store->table, &turn, &visitor,
                               (uint32_t) (START / 1000) + n, &effects)
               == UX_OK);
    ux_store_effects(store, &effects);
    ux_store_count(store, &visitor, &changes);
}


/* What the fuller model tells of the visitor of visit(). */
static void
fill(ux_store_t *store, unsigned n, unsigned time)
{
    int                 survey;
    ux_turn_t           turn;
    ux_event_t          event;
    ux_vital_t          vital = { n, 1000000 * n, 0, n % UX_VITALS, false };
    ux_change_t         change;
    ux_discard_e        why;
    ux_table_effects_t  effects;

    ux_changes_clear(&changes);
    fuzz_check(ux_table_open(&store->table, ux_hash_key_of(visitor.key_id),
                             visitor.last_s, &visitor, &turn)
               == UX_OK && turn.found);

    survey = ux_model_event_find(&model, ux_surveys[n % UX_SURVEYS].name);
    fuzz_check(survey >= 0);

    memset(&event, 0, sizeof(event));
    event.now_ms = START + n * 1000 + 500;
    event.event = (uint8_t) survey;
    event.has_value = true;
    event.value = 100 * (n % 6);
    event.currency = UX_CURRENCY_ZONE;
    (void) ux_track_event(&store->plan, &visitor, &event, &changes, &why);
    (void) ux_track_vital(&store->plan, &visitor, &vital, event.now_ms,
                          &changes);

    /* a cart that is bought, mostly in the second variant, and the next one */

    event.event = time == 1 ? UX_EVENT_PURCHASE : UX_EVENT_ADD_TO_CART;

    if (time != 1 || n % 12 == 11 || n % 4 == 0) {
        (void) ux_track_event(&store->plan, &visitor, &event, &changes, &why);
    }

    event.event = UX_EVENT_REFUND;
    event.currency = 0;
    (void) ux_track_event(&store->plan, &visitor, &event, &changes, &why);

    fuzz_check(ux_table_commit(&store->table, &turn, &visitor, visitor.last_s,
                               &effects)
               == UX_OK);
    ux_store_count(store, &visitor, &changes);

    fuzz_check(store->plan.requests != 0);
    change = ux_timing_bucket_change(store->plan.requests,
                                     ux_timing_bucket(n));
    ux_counter_add(&store->counter, change.cell, change.delta);
}


static ux_str_t
write_image(ux_store_t *store, ux_image_kind_e kind)
{
    size_t  len;

    fuzz_check(ux_image_write(store, kind, &zone, START + 3600000, written,
                              sizeof(written), &len)
               == UX_OK);

    return fuzz_copy(written, len);
}


static ux_str_t
edited(const uint8_t *data, size_t size)
{
    size_t     at, n, i;
    uint8_t   *bytes;
    ux_str_t   image;

    i = data[0] & RAW ? (data[0] & UNSUMMED ? 2 : 3)
                      : (data[0] & COUNTERS ? 1 : 0);
    image = fuzz_copy(images[i].data, images[i].len);
    bytes = (uint8_t *) (void *) image.data;

    for (i = 1; i + 3 < size; i += 3 + n) {
        at = (size_t) (data[i] | data[i + 1] << 8);
        n = data[i + 2] % 16;

        if (at + n > image.len || n > size - i - 3) {
            continue;
        }

        memcpy(bytes + at, data + i + 3, n);
    }

    return image;
}


static void
sum(uint8_t *data, size_t len)
{
    size_t    size;
    uint64_t  offset, length;
    unsigned  i;
    uint8_t  *entry;

    size = len < UX_IMAGE_TABLE_AT ? len
           : UX_IMAGE_TABLE_AT + (size_t) data[19] * UX_IMAGE_SECTION_SIZE;

    if (size + 8 > len || data[19] > UX_IMAGE_SECTIONS_MAX) {
        return;
    }

    for (i = 0; i < data[19]; i++) {
        entry = data + UX_IMAGE_TABLE_AT + i * UX_IMAGE_SECTION_SIZE;
        offset = ux_image_get(entry + 8, 8);
        length = ux_image_get(entry + 16, 8);

        if (offset <= len && length <= len - offset) {
            ux_image_put(entry + 24, ux_hash64(data + offset, length), 8);
        }
    }

    ux_image_put(data + size, ux_hash64(data, size), 8);
}


static void
merge(ux_str_t image, unsigned flags)
{
    int                 busy;
    ux_error_t          error;
    ux_status_t         rc, checked;
    ux_store_t         *store;
    ux_image_merge_t    m;
    ux_image_info_t     info;
    ux_image_bytes_t   *bytes;
    ux_image_result_t   result;

    checked = ux_image_check((const uint8_t *) image.data, image.len, &work,
                             &error);

    busy = flags & BUSY ? 1 : 0;
    store = &stores[busy];

    if (used != busy) {
        memcpy(memory, fresh[busy], sizeof(memory));
        used = busy;
    }

    memset(&m, 0, sizeof(m));
    m.mode = flags & PREPARE ? UX_IMAGE_PREPARE
             : busy ? UX_IMAGE_ADOPT
             : flags & SHOW ? UX_IMAGE_SHOW : UX_IMAGE_RESTORE;
    m.zone = zone;
    m.now_ms = START + 3600000;
    m.work = &work;

    bytes = checked == UX_OK && image.data[17] == UX_IMAGE_VISITORS
            ? &m.visitors : &m.counters;
    bytes->data = (const uint8_t *) image.data;
    bytes->len = image.len;

    rc = ux_image_merge(store, &m, &result, &error);
    fuzz_check(rc != UX_OK || checked == UX_OK);

    if (rc != UX_OK) {
        fuzz_check(ux_registry_count(store->registry)
                   == ((ux_registry_t *) (void *)
                       (fresh[busy] + store->head->registry_at))->count);
        return;
    }

    used = -1;
    fuzz_check(ux_image_info((const uint8_t *) image.data, image.len, &info,
                             &error)
               == UX_OK);
    fuzz_check(ux_image_adopted(store, info.uuid)
               == (m.mode != UX_IMAGE_PREPARE));

    if ((flags & REWRITE) == 0) {
        check_zone(store);
    }

    check_model(image, store, (flags & REPORT) == REPORT);
}


/* What was accepted is sound: it can be written, and is as long again. */
static void
check_model(ux_str_t image, const ux_store_t *store, bool shown)
{
    uint8_t          *end;
    ux_error_t        error;
    ux_status_t       rc;
    ux_image_view_t   view;
    ux_image_zone_t   about;

    rc = ux_image_model((const uint8_t *) image.data, image.len, &read_model,
                        &error);
    fuzz_check(rc == UX_OK || rc == UX_DECLINED);

    if (rc != UX_OK) {
        return;
    }

    about = zone;
    about.model = &read_model.model;
    about.origin = read_model.origin;
    end = ux_image_model_write(model_bytes, &about);

    fuzz_check(ux_image_open((const uint8_t *) image.data, image.len, &view,
                             &error)
               == UX_OK);
    fuzz_check(view.info.minor > UX_IMAGE_MINOR
               || (size_t) (end - model_bytes)
                  == view.sections[UX_IMAGE_MODEL].len);

    if (shown) {
        show(*store);
    }
}


/* A copy of the handle: the other one goes on with its own configuration. */
static void
show(ux_store_t store)
{
    char              *text;
    size_t             len;
    ux_str_t           all = ux_str("");
    ux_report_t        report;
    ux_report_zone_t   shown;

    (void) ux_store_bind(&store, &read_model.model, shown_arms,
                         shown_bindings, START + 3600000);

    memset(&report, 0, sizeof(report));
    memset(&shown, 0, sizeof(shown));

    shown.store = &store;
    report.module = read_model.origin.module;
    report.nginx = read_model.origin.server;
    report.node = read_model.origin.node;
    report.now_ms = START + 3600000;
    report.nzones = 1;
    report.zones = &shown;

    fuzz_check(ux_report_json(&report, all, &text, &len) == UX_OK);
    ux_report_free(text);

    fuzz_check(ux_report_history(&report, fuzz_str("shop/layout"), &text,
                                 &len)
               != UX_ERROR);
    ux_report_free(text);
}


/* Whatever came in, the zone's own image is sound. */
static void
check_zone(ux_store_t *store)
{
    ux_str_t    image;
    ux_error_t  error;

    fuzz_check(ux_registry_count(store->registry)
               <= store->registry->capacity);

    image = write_image(store, UX_IMAGE_VISITORS);
    fuzz_check(ux_image_check((const uint8_t *) image.data, image.len, &work,
                              &error)
               == UX_OK);
    fuzz_free(image);
}
