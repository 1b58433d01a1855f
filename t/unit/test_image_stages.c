
/*
 * Copyright (C) the nginx-ux authors
 *
 * Stages of the journey in images: a record keeps its stage by name, whatever
 * numbers a zone has for it; who reached a stage follows from the records,
 * moves do not; the configuration is written along, and held to its rules.
 */

#include "tap.h"
#include "recount_case.h"


#define SHOPPERS  400


static ux_image_model_t  back;


/* The name of a stage of a record, "" for none. */
static ux_str_t
stage_name(const zone_t *z, unsigned stage)
{
    const ux_entry_t  *entry;

    entry = stage == 0 ? NULL
            : ux_registry_get(z->w.store.registry, UX_ENTRY_STAGE,
                              (uint16_t) (stage - 1));

    return entry == NULL ? str("")
                         : (ux_str_t) { entry->name, entry->name_len };
}


/* Shoppers of a whose stages have other names in b; *n: stages there are. */
static unsigned
stages_differ(zone_t *a, zone_t *b, unsigned *n)
{
    unsigned       i, k, differ;
    ux_visitor_t  *x, *y;

    differ = 0;
    *n = 0;
    x = &a->visitor;
    y = &b->visitor;

    for (i = 0; i < SHOPPERS; i++) {
        if (ux_table_read(&a->w.store.table, shopper_key(a, i),
                          (uint32_t) (NOW / 1000), x) != UX_OK)
        {
            continue;
        }

        if (ux_table_read(&b->w.store.table, shopper_key(b, i),
                          (uint32_t) (NOW / 1000), y) != UX_OK
            || x->ntracks != y->ntracks)
        {
            differ++;
            continue;
        }

        for (k = 0; k < x->ntracks; k++) {
            *n += x->tracks[k].stage != 0;
            differ += !ux_str_equal(stage_name(a, x->tracks[k].stage),
                                    stage_name(b, y->tracks[k].stage));
        }
    }

    return differ;
}


/* An earlier configuration with a stage of its own. */
static zone_t *
zone_earlier(uint8_t uuid)
{
    zone_t        *z;
    const shop_t   usual = { .weight = 0 };

    z = zone_new(8 << 20, uuid, 9);

    shop_model(&z->w, &usual);
    z->w.model.nstages = 0;
    shop_stage(&z->w.model, "earlier", UX_EVENT_VIEW_ITEM,
               UX_EVENT_PURCHASE);
    (void) ux_store_bind(&z->w.store, &z->w.model, z->w.arms, z->w.bindings,
                         SHOP_START);
    (void) zone_bind(z, &usual);

    return z;
}


static void
test_slots(void)
{
    zone_t             *a, *b;
    bytes_t             image;
    unsigned            n;
    const shop_t        usual = { .weight = 0 };
    ux_image_result_t   result;

    a = zone_earlier(1);
    zone_busy(a, 0, SHOPPERS, 4 * SHOPPERS, SHOP_START);
    image = image_write(a, UX_IMAGE_VISITORS, NOW);

    b = zone_new(8 << 20, 2, 9);
    (void) zone_bind(b, &usual);

    ok(a->w.model.stages[0].slot == 1 && b->w.model.stages[0].slot == 0,
       "a stage has two numbers in two zones");
    ok(image_merge(b, UX_IMAGE_ADOPT, &image, NULL, NOW, &result) == UX_OK,
       "adopted: %s", error.message);
    ok(stages_differ(a, b, &n) == 0 && n > SHOPPERS / 2,
       "%u exposures are in the stages they were in", n);
    ok(recount_differs(b, 0, SHOPPERS, true, 0) == 0,
       "who reached a stage is counted");
    ok(moves_sum(b) == moves_sum(a) && moves_sum(a) > 1000, "and all moves");

    free(image.data);
    zone_free(a);
    zone_free(b);
}


/* Counters younger than the records. */
static void
test_younger(void)
{
    zone_t             *a, *b;
    bytes_t             visitors, counters;
    uint64_t            before;
    const shop_t        usual = { .weight = 0 };
    ux_image_result_t   result;

    a = zone_new(8 << 20, 1, 9);
    (void) zone_bind(a, &usual);
    zone_busy(a, 0, SHOPPERS, 2 * SHOPPERS, SHOP_START);
    visitors = image_write(a, UX_IMAGE_VISITORS, NOW);
    before = moves_sum(a);

    zone_busy(a, SHOPPERS, 2 * SHOPPERS, 2 * SHOPPERS, SHOP_START);
    counters = image_write(a, UX_IMAGE_COUNTERS, NOW + 1);

    b = zone_new(8 << 20, 2, 9);
    ok(image_merge(b, UX_IMAGE_RESTORE, &visitors, &counters, NOW + 1,
                   &result) == UX_OK, "both: %s", error.message);
    (void) zone_bind(b, &usual);

    ok(moves_sum(b) == moves_sum(a) && moves_sum(a) > before,
       "moves are the newest");
    ok(recount_differs(b, 0, 2 * SHOPPERS, true, 0) == 0,
       "who reached a stage is as the records say");

    free(visitors.data);
    free(counters.data);
    zone_free(a);
    zone_free(b);
}


/* Those of earlier stages are not given again: records may have them. */
static void
test_room(void)
{
    char          names[2][UX_STAGES_MAX][8];
    zone_t       *z;
    unsigned      i, k;
    const shop_t  usual = { .weight = 0 };

    z = zone_new(8 << 20, 1, 9);
    shop_model(&z->w, &usual);

    for (k = 0; k < 2; k++) {
        z->w.model.nstages = 0;

        for (i = 0; i < UX_STAGES_MAX - k; i++) {
            (void) snprintf(names[k][i], sizeof(names[k][i]), "s%u", i + k);
            shop_stage(&z->w.model, names[k][i], (uint8_t) i, (uint8_t) i);
            z->w.model.stages[i].events = 1ull << i;
        }

        ok(ux_store_fits(&z->w.store, &z->w.model, &error) == UX_OK
           && ux_store_bind(&z->w.store, &z->w.model, z->w.arms,
                            z->w.bindings, SHOP_START) == UX_OK,
           "room for 16 stages, and 15 of the same");
    }

    z->w.model.stages[0].name = str("another");
    error.message[0] = '\0';
    ok(ux_store_fits(&z->w.store, &z->w.model, &error) == UX_FULL
       && strstr(error.message, "17 stages of the journey") != NULL
       && strstr(error.message, "room for 16") != NULL,
       "not for one more: %s", error.message);
    ok(ux_store_bind(&z->w.store, &z->w.model, z->w.arms, z->w.bindings,
                     SHOP_START) == UX_FULL
       && z->w.model.stages[0].slot == UX_SLOT_NONE
       && z->w.model.stages[1].slot == 2, "which is not bound then");

    zone_free(z);
}


static size_t
image_about(zone_t *z, uint8_t *buf, size_t size)
{
    size_t           len;
    ux_image_zone_t  about;

    memset(&about, 0, sizeof(about));
    about.name = str("shop");
    about.currency = str("EUR");
    about.model = &z->w.model;

    return ux_image_write(&z->w.store, UX_IMAGE_COUNTERS, &about, NOW, buf,
                          size, &len) == UX_OK ? len : 0;
}


static ux_status_t
model_read(zone_t *z)
{
    size_t       len, size;
    uint8_t     *buf;
    ux_status_t  rc;

    size = ux_image_size(&z->w.store, UX_IMAGE_COUNTERS);
    buf = malloc(size);
    len = image_about(z, buf, size);

    error.message[0] = '\0';
    rc = ux_image_model(buf, len, &back, &error);

    /* names lie in the image: what the test compares is copied */

    if (rc == UX_OK && back.model.nstages == 3) {
        ok(ux_str_equal(back.model.stages[2].name, str("support"))
           && ux_journey_hash(&back.model) == ux_journey_hash(&z->w.model),
           "the stages are those of the zone");
    }

    free(buf);

    return rc;
}


/* One that breaks a rule is left out rather than the image refused. */
static void
test_model(void)
{
    zone_t        *z;
    uint64_t       events;
    ux_stage_t    *stage;
    const shop_t   usual = { .weight = 0 };

    z = zone_new(8 << 20, 1, 9);
    (void) zone_bind(z, &usual);
    stage = &z->w.model.stages[1];
    events = stage->events;

    ok(model_read(z) == UX_OK && back.model.nstages == 3,
       "the configuration: %s", error.message);

    stage->events = 0;
    ok(model_read(z) == UX_DECLINED, "a stage of no event");

    stage->events = 1ull << z->w.model.nevents;
    ok(model_read(z) == UX_DECLINED, "of one that there is not");

    stage->events = events | z->w.model.stages[0].events;
    ok(model_read(z) == UX_DECLINED, "of one that another has");

    stage->events = events;
    stage->name = str("start");
    ok(model_read(z) == UX_DECLINED, "of a name that none has");

    stage->name = z->w.model.stages[0].name;
    ok(model_read(z) == UX_DECLINED, "of another's name");

    z->w.model.nstages = 0;
    ok(model_read(z) == UX_OK && back.model.nstages == 0, "none at all");

    zone_free(z);
}


int
main(void)
{
    test_slots();
    test_younger();
    test_room();
    test_model();

    return done();
}
