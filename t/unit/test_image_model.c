
/*
 * Copyright (C) the nginx-ux authors
 *
 * The configuration in an image: what was written is read again, what makes no
 * sense is refused, and never is an image spoilt by it.
 */

#include "image_damage.h"
#include "ux_number.h"


#define MODEL_EXPERIMENTS  3

/* Where the numbers of an experiment are, behind its layer's name. */
enum {
    AT_VERSION = 0, AT_TRAFFIC = 4, AT_LO = 12, AT_HI = 20, AT_WINDOW = 29,
    AT_CAP = 37, AT_ALPHA = 45, AT_PLANNED = 53, AT_RUNTIME = 61,
    AT_STATE = 69, AT_START = 70, AT_STOP = 78, AT_SERVE = 86,
    AT_EQUIVALENCE = 95, AT_VARIANTS = 103
};


static ux_model_t         model;
static ux_experiment_t    experiments[UX_EXPERIMENTS_MAX];
static ux_image_model_t   back;


/* Some of everything. */
static void
model_make(void)
{
    unsigned          i;
    ux_experiment_t  *e;

    static const char *const  names[] = { "layout", "banner", "price" };

    ux_model_init(&model, str("shop"),
                  (unsigned) ux_currency_find(str("EUR")));
    memset(experiments, 0, sizeof(experiments));

    model.events[model.nevents++] = str("wish");
    model.removed_ms = 86400000;
    model.totals[1].event = 7;
    model.totals[1].type = UX_METRIC_RATIO;
    model.ntotals = 2;

    model.nfunnels = 2;
    model.funnels[0].name = str("checkout");
    model.funnels[0].nsteps = 2;
    model.funnels[0].steps[0].event = UX_EVENT_ADD_TO_CART;
    model.funnels[0].steps[0].optional = true;
    model.funnels[0].steps[1].event = UX_EVENT_PURCHASE;
    model.funnels[0].cart_event = UX_EVENT_ADD_TO_CART;
    model.funnels[0].within_ms = 3600000;
    model.funnels[1].name = str("wishes");
    model.funnels[1].nsteps = 1;
    model.funnels[1].steps[0].event = 7;
    model.funnels[1].cart_event = UX_SLOT_NONE;

    (void) ux_model_segment_add(&model, str("device"));
    (void) ux_model_value_add(&model, str("Phone.2-x"));
    (void) ux_model_value_add(&model, str("tablet"));
    (void) ux_model_segment_add(&model, str("visit"));
    (void) ux_model_value_add(&model, str("new"));

    model.experiments = experiments;
    model.nexperiments = MODEL_EXPERIMENTS;

    for (i = 0; i < MODEL_EXPERIMENTS; i++) {
        e = &experiments[i];

        e->name = str(names[i]);
        e->salt = str("a \"salt\"\n\xff");
        e->version = i + 1;
        e->traffic = 1.0 / 3;
        e->layer = i < 2 ? str("page") : str("");
        e->layer_lo = i < 2 ? 0.3 * i : 0;
        e->layer_hi = i < 2 ? 0.3 * (i + 1) : 0;
        e->nvariants = 2 + i;
        e->variants[0].name = str("control");
        e->variants[0].weight = 33.34;
        e->variants[1].name = str("One.2-x");
        e->variants[2].name = str("two");
        e->variants[3].name = str("three");
        e->sticky = i != 1;
        e->window_ms = i * 86400000;
        e->cap = (int64_t) i * 12345;
        e->alpha = 0.05 + i / 100.0;
        e->planned = 100 + i;
        e->min_runtime_s = i * 3600;
        e->state = (ux_state_e) i;
        e->start_ms = SHOP_START + i;
        e->stop_ms = i == 0 ? 0 : SHOP_START + 1000;
        e->serve = (int) i - 1;
        e->targeting = 0xfedcba9876543210 + i;
        e->equivalence = 0.02 * i;
        e->nmetrics = 2;
        e->metrics[0].event = 7;
        e->metrics[0].type = UX_METRIC_RATIO;
        e->metrics[0].total = 1;
        e->metrics[1].event = UX_METRIC_REVENUE;
        e->metrics[1].type = UX_METRIC_MEAN;
        e->metrics[1].role = UX_ROLE_GUARDRAIL;
        e->metrics[1].lower_is_better = i == 2;
        e->metrics[1].margin = 0.01;
    }
}


static bytes_t
model_image(ux_image_kind_e kind, const char *node)
{
    zone_t           *z;
    bytes_t           b;
    ux_image_zone_t   about;

    z = zone_new(UX_STORE_SIZE_MIN, 1, 9);

    memset(&about, 0, sizeof(about));
    about.name = str("shop");
    about.currency = str("EUR");
    about.model = &model;
    about.origin.module = str("0.1.0");
    about.origin.server = str("1.22.1");
    about.origin.node = str(node);
    about.origin.size = 12345678;
    about.origin.errors = 3;

    b.len = 0;
    b.size = ux_image_size(&z->w.store, kind);
    b.data = malloc(b.size);

    ok(ux_image_write(&z->w.store, kind, &about, DAMAGE_NOW, b.data, b.size,
                      &b.len)
       == UX_OK, "an image");
    zone_free(z);

    return b;
}


static ux_status_t
model_read(const bytes_t *image)
{
    error.message[0] = '\0';

    return ux_image_model(image->data, image->len, &back, &error);
}


/* The configuration is the last section. */
static uint8_t *
model_entry(const bytes_t *image)
{
    return image->data + UX_IMAGE_TABLE_AT
           + (image->data[19] - 1) * UX_IMAGE_SECTION_SIZE;
}


static size_t
model_at(const bytes_t *image)
{
    return (size_t) ux_image_get(model_entry(image) + 8, 8);
}


/* Behind these words, from there on; 0: they are not in it. */
static size_t
model_behind(const bytes_t *image, size_t from, const char *words)
{
    const uint8_t  *found;

    found = memmem(image->data + from, image->len - from, words,
                   strlen(words));

    return found == NULL ? 0
           : (size_t) (found - image->data) + strlen(words);
}


static bool
model_same(const ux_experiment_t *a, const ux_experiment_t *b)
{
    unsigned         i;
    ux_experiment_t  x, y;

    if (!ux_str_equal(a->name, b->name) || !ux_str_equal(a->salt, b->salt)
        || !ux_str_equal(a->layer, b->layer) || a->nvariants != b->nvariants)
    {
        return false;
    }

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    x.name = x.salt = x.layer = y.name = y.salt = y.layer = str("");

    for (i = 0; i < UX_VARIANTS_MAX; i++) {
        if (i < a->nvariants
            && !ux_str_equal(a->variants[i].name, b->variants[i].name))
        {
            return false;
        }

        x.variants[i].name = y.variants[i].name = str("");
    }

    return memcmp(&x, &y, sizeof(x)) == 0;
}


static void
test_round_trip(ux_image_kind_e kind)
{
    unsigned           i, same;
    bytes_t            image;
    ux_image_zone_t    about;
    static uint8_t     again[UX_IMAGE_MODEL_MAX];

    model_make();
    image = model_image(kind, "web-1");

    ok(ux_image_check(image.data, image.len, &work, &error) == UX_OK,
       "it is sound");
    ok(model_read(&image) == UX_OK, "it is read %s", error.message);
    ok(ux_str_equal(back.origin.node, str("web-1"))
       && ux_str_equal(back.origin.server, str("1.22.1"))
       && ux_str_equal(back.origin.module, str("0.1.0"))
       && back.origin.size == 12345678 && back.origin.errors == 3,
       "who wrote it");
    ok(back.model.zone.data == back.zone
       && ux_str_equal(back.model.zone, str("shop"))
       && back.model.currency == model.currency
       && back.model.removed_ms == 86400000 && back.model.nevents == 8
       && ux_str_equal(back.model.events[7], str("wish"))
       && back.model.ntotals == 2 && back.model.totals[1].event == 7
       && back.model.totals[1].type == UX_METRIC_RATIO, "events and totals");
    ok(back.model.nfunnels == 2
       && ux_str_equal(back.model.funnels[1].name, str("wishes"))
       && back.model.funnels[0].steps[0].optional
       && !back.model.funnels[0].steps[1].optional
       && back.model.funnels[0].steps[1].event == UX_EVENT_PURCHASE
       && back.model.funnels[0].cart_event == UX_EVENT_ADD_TO_CART
       && back.model.funnels[0].within_ms == 3600000
       && back.model.funnels[1].cart_event == UX_SLOT_NONE, "funnels");
    ok(back.model.nsegments == 2 && back.model.nvalues == 5
       && ux_str_equal(back.model.segments[0].name, str("device"))
       && back.model.segments[0].nvalues == 3
       && ux_str_equal(back.model.values[0].name, str("other"))
       && ux_str_equal(back.model.values[1].name, str("Phone.2-x"))
       && back.model.segments[1].first == 3
       && ux_str_equal(back.model.values[4].name, str("new")), "segments");

    same = 0;

    for (i = 0; i < back.model.nexperiments; i++) {
        same += model_same(&experiments[i], &back.model.experiments[i]);
    }

    ok(same == MODEL_EXPERIMENTS && i == same,
       "%u experiments, bit for bit", same);

    memset(&about, 0, sizeof(about));
    about.model = &back.model;
    about.origin = back.origin;
    i = (unsigned) (ux_image_model_write(again, &about) - again);

    ok(i == image.len - model_at(&image)
       && memcmp(again, image.data + model_at(&image), i) == 0,
       "written again it is the same %u bytes", i);

    free(image.data);
}


/* Bytes in place of what is there. */
static void
refused(const bytes_t *image, size_t at, uint64_t value, unsigned size,
    const char *what)
{
    bytes_t  copy;

    copy = *image;
    copy.data = malloc(image->len);
    memcpy(copy.data, image->data, image->len);

    ux_image_put(copy.data + at, value, size);
    image_sums(copy.data, copy.len);

    ok(at >= model_at(image) && at + size <= image->len
       && ux_image_check(copy.data, copy.len, &work, &error) == UX_ERROR
       && strstr(error.message, "configuration in the snapshot") != NULL,
       "%s: %s", what, error.message);
    ok(model_read(&copy) == UX_ERROR, "nor is it read");

    free(copy.data);
}


static void
test_meaning(void)
{
    size_t    at, seg;
    bytes_t   image;

    const uint64_t  nan = 0x7ff8000000000000ull;
    const uint64_t  one_more = 0x3ff0000000000001ull;

    model_make();
    image = model_image(UX_IMAGE_COUNTERS, "web-1");

    at = model_at(&image);
    refused(&image, at + 18, '\n', 1, "a line's end in a word");
    refused(&image, at + 16, 60000, 2, "a word of 60000 bytes");

    at = model_behind(&image, at, "web-1");
    refused(&image, at, UINT64_MAX, 8, "results that stay for ever");
    refused(&image, at + 8, 6, 1, "fewer events than there are");
    refused(&image, at + 8, 65, 1, "65 events");

    at = model_behind(&image, at, "purchase");
    refused(&image, at - 1, 'f', 1, "another event than the built-in one");
    refused(&image, at - 1, '"', 1, "an event with a quote");

    at = model_behind(&image, at, "wish");
    refused(&image, at, 0, 1, "no totals");
    refused(&image, at, 9, 1, "9 totals");
    refused(&image, at + 1, 3, 1, "revenue is another event's");
    refused(&image, at + 3, 8, 1, "a total of event 8 of 8");
    refused(&image, at + 4, 4, 1, "a total of no type");
    refused(&image, at + 5, 17, 1, "17 funnels");
    refused(&image, at + 6, 1u << 30, 4, "a funnel of a gigabyte");
    refused(&image, at + 6, 3, 4, "one of 3 bytes");

    at = model_behind(&image, at, "checkout");
    refused(&image, at - 1, ' ', 1, "a funnel with a blank");

    seg = model_behind(&image, model_at(&image), "device");
    refused(&image, seg - 1, ' ', 1, "a segment with a blank");
    refused(&image, seg, 65, 1, "65 values");
    refused(&image, seg, 1, 1, "fewer values than there are");
    refused(&image, seg + 3, '1', 1, "a value that begins with a digit");
    refused(&image, seg - 6 - 2 - 4 - 1, 5, 1, "five segments");
    refused(&image, seg - 6 - 2 - 4 - 1, 1, 1, "a segment behind the last");

    refused(&image, at, 8, 1, "a cart of event 8 of 8");
    refused(&image, at + 1, 0, 8, "a cart of no time");
    refused(&image, at + 9, 17, 1, "17 steps");
    refused(&image, at + 10, 63, 1, "a step of event 63");
    refused(&image, at + 12, UX_EVENT_ADD_TO_CART, 1, "a step twice");

    at = model_behind(&image, at, "wishes");
    refused(&image, at + 12, 257, 2, "257 experiments");
    refused(&image, at + 12, 2, 2, "2, and a third");
    refused(&image, at + 12, 4, 2, "4 where there are 3");

    at = model_behind(&image, at, "layout");
    refused(&image, at - 1, 'T', 1, "an experiment in capitals");
    refused(&image, at, 65535, 2, "a salt of 65535 bytes");

    at = model_behind(&image, at, "page");
    refused(&image, at + AT_TRAFFIC, one_more, 8, "traffic above 1");
    refused(&image, at + AT_TRAFFIC, nan, 8, "traffic that is no number");
    refused(&image, at + AT_HI, one_more, 8, "a layer above 1");
    refused(&image, at + AT_LO, 0x3ff0000000000000ull, 8, "a layer's end");
    refused(&image, at + AT_HI, 0x3fd6666666666666ull, 8,
            "two experiments in one place");
    refused(&image, at + AT_WINDOW, UINT64_MAX, 8, "a window of ages");
    refused(&image, at + AT_CAP, UINT64_MAX, 8, "a cap below 0");
    refused(&image, at + AT_ALPHA, 0, 8, "an alpha of 0");
    refused(&image, at + AT_ALPHA, nan, 8, "an alpha that is no number");
    refused(&image, at + AT_PLANNED, 0, 8, "nobody planned");
    refused(&image, at + AT_RUNTIME, UINT64_MAX, 8, "a runtime of ages");
    refused(&image, at + AT_STATE, 3, 1, "an unknown state");
    refused(&image, at + AT_START, UINT64_MAX, 8, "a start too late");
    refused(&image, at + AT_STOP, UINT64_MAX, 8, "a stop too late");
    refused(&image, at + AT_SERVE, 3, 1, "to serve variant 2 of 2");
    refused(&image, at + AT_EQUIVALENCE, nan, 8, "an equivalence of none");
    refused(&image, at + AT_VARIANTS, 1, 1, "one variant");
    refused(&image, at + AT_VARIANTS, 17, 1, "17 variants");

    at = model_behind(&image, at, "One.2-x");
    refused(&image, at - 1, '/', 1, "a variant with a slash");
    refused(&image, at, 0xbff0000000000000ull, 8, "a weight of -1");
    refused(&image, at, nan, 8, "a weight that is no number");
    refused(&image, at + 8, 65, 1, "65 metrics");
    refused(&image, at + 9, 8, 1, "a metric of event 8 of 8");
    refused(&image, at + 10, 2, 1, "of total 2 of 2");
    refused(&image, at + 11, 4, 1, "of an unknown type");
    refused(&image, at + 12, 3, 1, "of an unknown role");
    refused(&image, at + 14, nan, 8, "with a margin that is no number");

    free(image.data);
}


/* Shorter by n bytes, the last of them the configuration's. */
static void
model_cut(bytes_t *image, size_t n)
{
    uint8_t  *entry;

    entry = model_entry(image);
    image->len -= n;

    ux_image_put(entry + 16, ux_image_get(entry + 16, 8) - n, 8);
    ux_image_put(image->data + 24, image->len, 8);
    image_sums(image->data, image->len);
}


static void
test_cut(void)
{
    size_t       len, i;
    unsigned     accepted;
    bytes_t      image;
    ux_status_t  rc;

    model_make();
    image = model_image(UX_IMAGE_COUNTERS, "web-1");
    len = image.len - model_at(&image);
    accepted = 0;

    for (i = 1; i < len; i++) {
        model_cut(&image, 1);
        accepted += ux_image_check(image.data, image.len, &work, &error)
                    == UX_OK;
        accepted += model_read(&image) == UX_OK;
    }

    ok(accepted == 0, "cut short to any of %zu lengths it is refused", i - 1);

    model_cut(&image, 1);
    rc = model_read(&image);

    ok(ux_image_check(image.data, image.len, &work, &error) == UX_OK
       && rc == UX_DECLINED, "without any byte it is an image that says "
       "nothing");

    free(image.data);
}


/* Under right checksums: harmless or refused. */
static void
test_flipped(void)
{
    size_t    at;
    bytes_t   image;
    unsigned  bit, accepted;

    model_make();
    image = model_image(UX_IMAGE_COUNTERS, "web-1");
    accepted = 0;

    for (at = model_at(&image); at < image.len; at++) {
        for (bit = 0; bit < 8; bit++) {
            image.data[at] ^= (uint8_t) (1u << bit);
            image_sums(image.data, image.len);

            if (ux_image_check(image.data, image.len, &work, &error)
                == UX_OK)
            {
                accepted++;
                tap_failed += model_read(&image) != UX_OK;
            }

            image.data[at] ^= (uint8_t) (1u << bit);
        }
    }

    ok(accepted > 100 && accepted < 8 * image.len,
       "each bit turned, %u of them no harm", accepted);

    free(image.data);
}


/* What a later version puts behind is passed over. */
static void
test_newer(void)
{
    size_t    at, end;
    bytes_t   image;

    model_make();
    image = model_image(UX_IMAGE_COUNTERS, "web-1");
    image.data = realloc(image.data, image.len + 5);

    /* the last experiment, and the whole */

    at = model_behind(&image, model_at(&image), "banner");
    at = model_behind(&image, at, "price") - 5 - 2 - 4;
    end = at + 4 + ux_image_get(image.data + at, 4);
    ux_image_put(image.data + at, end - at - 4 + 3, 4);

    memmove(image.data + end + 3, image.data + end, image.len - end);
    memset(image.data + end, 7, 3);
    memset(image.data + image.len + 3, 7, 2);
    image.len += 5;

    ux_image_put(model_entry(&image) + 16, image.len - model_at(&image), 8);
    ux_image_put(image.data + 24, image.len, 8);
    image_sums(image.data, image.len);

    ok(model_read(&image) == UX_ERROR, "in this version it is too long: %s",
       error.message);

    ux_image_put(image.data + 10, UX_IMAGE_MINOR + 1, 2);
    image_sums(image.data, image.len);

    ok(model_read(&image) == UX_OK
       && model_same(&experiments[2], &back.model.experiments[2]),
       "in the next one that is none of ours %s", error.message);

    free(image.data);
}


/* Rather none than one that would make the whole image worthless. */
static void
test_unfit(void)
{
    unsigned  i;
    bytes_t   image;
    char      salt[8000], names[200][8];

    model_make();
    image = model_image(UX_IMAGE_VISITORS, "a host\nname");
    ok(model_read(&image) == UX_OK && back.origin.node.len == 0
       && back.model.nexperiments == 3,
       "a strange name of a host is left out");
    free(image.data);

    experiments[1].alpha = 0;
    image = model_image(UX_IMAGE_VISITORS, "web-1");
    ok(ux_image_check(image.data, image.len, &work, &error) == UX_OK
       && model_read(&image) == UX_DECLINED,
       "a configuration nobody would take is left out");
    free(image.data);

    model_make();
    memset(salt, 's', sizeof(salt));

    for (i = 0; i < 200; i++) {
        (void) snprintf(names[i], sizeof(names[i]), "e%u", i);
        experiments[i] = experiments[2];
        experiments[i].name = str(names[i]);
        experiments[i].salt.data = salt;
        experiments[i].salt.len = sizeof(salt);
    }

    model.nexperiments = 64;
    image = model_image(UX_IMAGE_COUNTERS, "web-1");
    ok(model_read(&image) == UX_OK && back.model.nexperiments == 64,
       "half a megabyte is kept");
    free(image.data);

    model.nexperiments = 200;
    image = model_image(UX_IMAGE_COUNTERS, "web-1");
    ok(ux_image_check(image.data, image.len, &work, &error) == UX_OK
       && model_read(&image) == UX_DECLINED,
       "more than a megabyte is left out");
    free(image.data);
}


/* An image of before, and one that is none. */
static void
test_without(void)
{
    bytes_t  image;

    image = image_small(UX_IMAGE_VISITORS);
    ok(model_read(&image) == UX_DECLINED, "one without: %s", error.message);
    image.len -= 3;
    ok(model_read(&image) == UX_ERROR, "one cut short: %s", error.message);
    free(image.data);
}


/* Shown, the counters are what they were; restored, records are gone. */
static void
test_shown(void)
{
    unsigned            i, same;
    zone_t             *a, *b;
    bytes_t             image;
    ux_image_result_t   result;

    static const shop_t  usual;

    a = zone_new(UX_STORE_SIZE_MIN, 1, 9);
    b = zone_new(UX_STORE_SIZE_MIN, 2, 9);
    (void) zone_bind(a, &usual);
    zone_busy(a, 0, 100, 300, SHOP_START);

    image = image_write(a, UX_IMAGE_COUNTERS, DAMAGE_NOW);
    ok(image_merge(b, UX_IMAGE_SHOW, NULL, &image, DAMAGE_NOW, &result)
       == UX_OK && result.visitors == 0 && result.cells == 0,
       "shown %s", error.message);

    same = 0;

    for (i = 0; i < UX_ZONE_FULL_SAID; i++) {
        same += ux_counter_read(&a->w.store.counter, i)
                == ux_counter_read(&b->w.store.counter, i);
    }

    ok(same == UX_ZONE_FULL_SAID
       && ux_counter_read(&b->w.store.counter, UX_ZONE_INSERTED) > 50
       && ux_counter_read(&b->w.store.counter, UX_ZONE_EVICTED) == 0,
       "nobody has been evicted");

    free(image.data);
    zone_free(a);
    zone_free(b);
}


int
main(void)
{
    test_round_trip(UX_IMAGE_COUNTERS);
    test_round_trip(UX_IMAGE_VISITORS);
    test_meaning();
    test_cut();
    test_flipped();
    test_newer();
    test_unfit();
    test_without();
    test_shown();

    return done();
}
