
/*
 * Copyright (C) the nginx-ux authors
 *
 * History in images: by name whatever the order of the configuration, into
 * larger and smaller zones, beside what is there; nothing that may not be.
 */

#include "image_damage.h"
#include "ux_result.h"


#define HOUR     3600000ull
#define FIRST    ((SHOP_START / HOUR + 1) * HOUR)
#define HOURS    30


static const shop_t  usual;
static const shop_t  turned = { true, 0, 0, 0, 0, 0, 0 };


/* Of two metrics each; the second one's event has any number. */
static void
bind(zone_t *z, const shop_t *shop)
{
    unsigned      i;
    ux_metric_t  *metric;

    shop_model(&z->w, shop);

    for (i = 0; i < z->w.model.nexperiments; i++) {
        metric = &z->w.experiments[i].metrics[
                     z->w.experiments[i].nmetrics++];
        metric->event = (uint8_t) ux_model_event_find(&z->w.model,
                                                      str("signed_up"));
        metric->type = UX_METRIC_CONVERSION;
        metric->role = UX_ROLE_SECONDARY;
    }

    (void) ux_store_bind(&z->w.store, &z->w.model, z->w.arms, z->w.bindings,
                         SHOP_START);
}


/* A zone with a day and more of history, its configuration as given. */
static zone_t *
zone_lived(const shop_t *shop, uint8_t uuid)
{
    zone_t    *z;
    unsigned   hour, i;

    z = zone_new(4 * MIB, uuid, 9);
    bind(z, shop);

    for (hour = 0; hour < HOURS; hour++) {
        for (i = 0; i < 20; i++) {
            (void) shopper_visit(z, hour * 10 + i, 0,
                                 FIRST + hour * HOUR - 60000 + i * 1000);
        }

        for (i = 0; i < z->w.model.nexperiments; i++) {
            (void) ux_result_history(&z->w.store, i, FIRST + hour * HOUR);
        }
    }

    return z;
}


/* Ordinals are nobody's business: points by the words they stand for. */
static uint64_t
word_of(zone_t *z, const ux_history_point_t *point)
{
    char              text[400];
    size_t            len;
    unsigned          i;
    ux_registry_t    *registry;
    const ux_entry_t *variant, *event, *epoch;

    registry = z->w.store.registry;
    variant = ux_registry_get(registry, UX_ENTRY_VARIANT, point->variant);
    event = ux_registry_get(registry, UX_ENTRY_EVENT, point->event);
    epoch = ux_registry_get(registry, UX_ENTRY_EPOCH, point->epoch);

    if (variant == NULL || epoch == NULL || epoch->parent != variant->parent) {
        return 0;
    }

    len = (size_t) snprintf(text, sizeof(text), "%.64s %.64s %.64s %u %u %u "
        "%u %llu", ux_registry_get(registry, UX_ENTRY_EXPERIMENT,
                                   variant->parent)->name,
        variant->name, event == NULL ? "" : event->name, point->type,
        point->ring, point->hour, epoch->aux,
        (unsigned long long) point->visitors);

    for (i = 0; i < UX_HISTORY_FIGURES; i++) {
        len += (size_t) snprintf(text + len, sizeof(text) - len, " %a",
                                 (double) point->figures[i]);
    }

    return ux_hash64(text, len);
}


/* The sum of all points that are shown, whatever their order. */
static uint64_t
sum_of(zone_t *z, unsigned *n)
{
    uint32_t            i;
    uint64_t            sum, word;
    ux_history_point_t  point;

    sum = 0;
    *n = 0;

    for (i = 0; i < z->w.store.history.nframes; i++) {
        if (ux_history_read(&z->w.store.history, i, &point)) {
            word = word_of(z, &point);
            *n += word != 0 ? 1 : 1000000;
            sum += word;
        }
    }

    return sum;
}


static void
test_round(void)
{
    zone_t             *a, *b;
    bytes_t             image, counters;
    unsigned            n, m;
    uint64_t            sum, at;
    ux_image_result_t   result;

    a = zone_lived(&usual, 1);
    at = FIRST + HOURS * HOUR;
    sum = sum_of(a, &n);
    image = image_write(a, UX_IMAGE_VISITORS, at);
    counters = image_write(a, UX_IMAGE_COUNTERS, at);
    ok(n == 3 * 2 * SHOP_EXPERIMENTS * (HOURS + 1), "%u points", n);

    b = zone_new(4 * MIB, 2, 9);
    ok(image_merge(b, UX_IMAGE_RESTORE, &image, &counters, at, &result)
       == UX_OK && sum_of(b, &m) == sum && m == n, "a start has them all");
    bind(b, &turned);
    ok(sum_of(b, &m) == sum && m == n, "whatever the configuration is then");
    zone_free(b);

    b = zone_new(4 * MIB, 3, 9);
    bind(b, &turned);
    ok(image_merge(b, UX_IMAGE_ADOPT, &image, &counters, at, &result)
       == UX_OK && sum_of(b, &m) == sum && m == n,
       "and so has who has it in another order, and others' names");
    zone_free(b);

    b = zone_new(4 * MIB, 4, 9);
    ok(image_merge(b, UX_IMAGE_SHOW, &image, NULL, at, &result) == UX_OK
       && sum_of(b, &m) == sum && m == n, "and who only shows them");
    zone_free(b);

    b = zone_new(4 * MIB, 5, 9);
    ok(image_merge(b, UX_IMAGE_RESTORE, NULL, &counters, at, &result)
       == UX_OK && sum_of(b, &m) == 0 && m == 0,
       "counters alone have none");
    zone_free(b);

    b = zone_new(4 * MIB, 6, 9);
    ok(image_merge(b, UX_IMAGE_PREPARE, &image, NULL, at, &result) == UX_OK
       && sum_of(b, &m) == 0 && m == 0, "nor has who only takes names");
    zone_free(b);

    b = zone_new(4 * MIB, 7, 9);
    ok(image_merge(b, UX_IMAGE_RESTORE, &image, NULL, at + 200 * 24 * HOUR,
                   &result) == UX_OK && sum_of(b, &m) == 0 && m == 0,
       "what is too old is not taken over");
    zone_free(b);

    free(image.data);
    free(counters.data);
    zone_free(a);
}


/* As many as there is room for, the newest of them, and each once. */
static void
test_smaller(void)
{
    bool                good;
    zone_t             *a, *b;
    bytes_t             image;
    uint32_t            i, hour;
    unsigned            n, points[HOURS], m;
    uint64_t            at;
    ux_history_point_t  point;
    ux_image_result_t   result;

    a = zone_lived(&usual, 1);
    at = FIRST + HOURS * HOUR;
    image = image_write(a, UX_IMAGE_VISITORS, at);

    b = zone_new(4 * MIB, 2, 9);
    b->w.store.history.nframes = 200;
    good = image_merge(b, UX_IMAGE_RESTORE, &image, NULL, at, &result)
           == UX_OK;
    n = 0;
    memset(points, 0, sizeof(points));

    for (i = 0; i < 200; i++) {
        if (ux_history_read(&b->w.store.history, i, &point)) {
            good = good && word_of(b, &point) != 0;
            hour = point.hour - (uint32_t) (FIRST / HOUR);
            points[hour] += point.ring == UX_HISTORY_HOUR;
            n++;
        }
    }

    /* beside those of two midnights */

    for (m = HOURS - 6; m < HOURS; m++) {
        good = good && points[m] == 24;
    }

    ok(good && n == 200 && points[HOURS - 7] == 8,
       "into a smaller zone the newest: %u points", n);
    zone_free(b);
    free(image.data);
    zone_free(a);
}


/* The number of frames with this point's key, and what is in the last. */
static unsigned
times(zone_t *z, const ux_history_point_t *of, ux_history_point_t *is)
{
    uint32_t            i;
    unsigned            n;
    ux_history_point_t  point;

    n = 0;

    for (i = 0; i < z->w.store.history.nframes; i++) {
        if (ux_history_read(&z->w.store.history, i, &point)
            && ux_history_key(&point) == ux_history_key(of))
        {
            *is = point;
            n++;
        }
    }

    return n;
}


static ux_history_point_t
first_point(zone_t *z, uint64_t visitors)
{
    uint32_t            i;
    uint64_t            bits;
    ux_history_point_t  point;

    memset(&point, 0, sizeof(point));

    for (i = 0; i < z->w.store.history.nframes; i++) {
        if (ux_history_read(&z->w.store.history, i, &point)) {
            break;
        }
    }

    /* as if it had been counted so */

    bits = z->w.store.history.memory->frames[i].about & 0xffffff;
    z->w.store.history.memory->frames[i].about = visitors << 24 | bits;
    (void) ux_history_read(&z->w.store.history, i, &point);

    return point;
}


static void
test_beside(void)
{
    zone_t              *a, *b;
    bytes_t              image;
    unsigned             n, m;
    uint64_t             at;
    ux_history_point_t   point, is;
    ux_image_result_t    result;

    at = FIRST + HOURS * HOUR;

    a = zone_lived(&usual, 1);
    b = zone_lived(&usual, 2);
    (void) sum_of(a, &n);
    point = first_point(a, 5000);
    image = image_write(a, UX_IMAGE_VISITORS, at);

    ok(image_merge(b, UX_IMAGE_ADOPT, &image, NULL, at, &result) == UX_OK
       && sum_of(b, &m) != 0 && m == n,
       "points of the same times are there once");
    ok(times(b, &point, &is) == 1 && is.visitors == 5000,
       "of two of a time the one that knows more visitors");
    zone_free(b);
    free(image.data);
    zone_free(a);

    a = zone_lived(&usual, 1);
    b = zone_lived(&usual, 2);
    point = first_point(b, 5000);
    image = image_write(a, UX_IMAGE_VISITORS, at);
    ok(image_merge(b, UX_IMAGE_ADOPT, &image, NULL, at, &result) == UX_OK
       && times(b, &point, &is) == 1 && is.visitors == 5000,
       "whichever of them comes in");
    zone_free(b);
    free(image.data);
    zone_free(a);
}


static uint8_t *
section(const bytes_t *image, unsigned type)
{
    unsigned  i;
    uint8_t  *entry;

    for (i = 0; i < image->data[19]; i++) {
        entry = image->data + UX_IMAGE_TABLE_AT + i * UX_IMAGE_SECTION_SIZE;

        if (ux_image_get(entry, 4) == type) {
            return entry;
        }
    }

    return NULL;
}


/* The same of a program that knew no history. */
static void
test_older(void)
{
    zone_t             *a, *b;
    bytes_t             image;
    uint8_t            *entry;
    unsigned            m;
    uint64_t            at;
    ux_image_result_t   result;

    a = zone_lived(&usual, 1);
    at = FIRST + HOURS * HOUR;
    image = image_write(a, UX_IMAGE_VISITORS, at);

    entry = section(&image, UX_IMAGE_HISTORY);
    ux_image_put(entry, UX_IMAGE_SECTIONS + 5, 4);
    image_sums(image.data, image.len);
    ok(ux_image_check(image.data, image.len, &work, &error) == UX_ERROR,
       "a section that this version cannot have: %s", error.message);

    ux_image_put(image.data + 10, UX_IMAGE_MINOR + 1, 2);
    image_sums(image.data, image.len);

    b = zone_new(4 * MIB, 2, 9);
    ok(image_merge(b, UX_IMAGE_RESTORE, &image, NULL, at, &result) == UX_OK
       && result.visitors > 100 && sum_of(b, &m) == 0 && m == 0,
       "an image without history comes in without");
    zone_free(b);
    free(image.data);
    zone_free(a);
}


/* `bytes` at `at` of the first point, with the checksums put right. */
static void
refused(const bytes_t *image, unsigned at, unsigned bytes, uint64_t value,
    const char *what)
{
    size_t   from;
    bytes_t  made;

    made.len = image->len;
    made.data = malloc(made.len);
    memcpy(made.data, image->data, made.len);
    from = (size_t) ux_image_get(section(&made, UX_IMAGE_HISTORY) + 8, 8);

    ux_image_put(made.data + from + at, value, bytes);
    image_sums(made.data, made.len);
    ok(ux_image_check(made.data, made.len, &work, &error) == UX_ERROR
       && strstr(error.message, "history") != NULL, "%s: %s", what,
       error.message);
    free(made.data);
}


static void
test_hostile(void)
{
    zone_t          *a;
    size_t           from;
    bytes_t          image;
    uint8_t         *entry;
    uint64_t         other;
    uint16_t         variant, epoch;
    unsigned         at;
    ux_registry_t   *registry;

    at = 0;
    a = zone_lived(&usual, 1);
    image = image_write(a, UX_IMAGE_VISITORS, FIRST + HOURS * HOUR);
    entry = section(&image, UX_IMAGE_HISTORY);
    from = (size_t) ux_image_get(entry + 8, 8);
    registry = a->w.store.registry;

    ok(ux_image_check(image.data, image.len, &work, &error) == UX_OK,
       "as it is it is fine");

    variant = (uint16_t) ux_image_get(image.data + from + 4, 2);
    epoch = (uint16_t) ux_image_get(image.data + from + 8, 2);
    other = epoch == 0 ? 1 : 0;
    ok(ux_registry_get(registry, UX_ENTRY_EPOCH, epoch)->parent
       == ux_registry_get(registry, UX_ENTRY_VARIANT, variant)->parent,
       "a point and its epoch are of one experiment");

    refused(&image, 0, 4, 0, "hour 0");
    refused(&image, 4, 2, 12, "a variant that there is not");
    refused(&image, 4, 2, 0xffff, "no variant");
    refused(&image, 6, 1, UX_EVENT_BUILTIN + 2, "an event that there is not");
    refused(&image, 7, 1, 0x40, "a type that there is not");
    refused(&image, 7, 1, 0x02, "a ring that there is not");

    while (ux_image_get(image.data + from + at, 4) % 24 == 0) {
        at += UX_IMAGE_POINT_SIZE;
    }

    refused(&image, at + 7, 1, 0x01, "a day that ends with another hour");
    refused(&image, 8, 2, other, "an epoch of another experiment");
    refused(&image, 8, 2, 1000, "an epoch that there is not");
    refused(&image, 10, 6, UX_HISTORY_VISITORS, "too many visitors");
    refused(&image, 16, 4, 0x7f800000, "a figure that is infinite");
    refused(&image, 36, 4, 0xff800000, "and one that is so downwards");

    ux_image_put(entry + 4, ux_image_get(entry + 4, 4) + 1, 4);
    image_sums(image.data, image.len);
    ok(ux_image_check(image.data, image.len, &work, &error) == UX_ERROR,
       "one more than there are: %s", error.message);

    free(image.data);
    zone_free(a);
}


int
main(void)
{
    test_round();
    test_smaller();
    test_beside();
    test_older();
    test_hostile();

    return done();
}
