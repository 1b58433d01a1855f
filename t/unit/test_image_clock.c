
/*
 * Copyright (C) the nginx-ux authors
 *
 * Images and the clock: each is of a later moment than the one before, and
 * records expire no faster over a start than while a server runs, whatever
 * year the machine starts in.
 */

#include "image_damage.h"


#define NOW   (SHOP_START + 14400000)
#define DAY   86400000ull
#define YEAR  (365 * DAY)


static const shop_t  usual;


static uint64_t
written(zone_t *z, uint64_t now_ms)
{
    bytes_t          image;
    ux_image_info_t  info;

    image = image_write(z, UX_IMAGE_COUNTERS, now_ms);
    (void) ux_image_info(image.data, image.len, &info, &error);
    free(image.data);

    return info.written_ms;
}


static void
test_moments(void)
{
    zone_t    *z;
    uint64_t   first;

    z = zone_new(UX_STORE_SIZE_MIN, 1, 9);
    first = written(z, NOW);

    ok(first == NOW && written(z, NOW + 5) == NOW + 5,
       "an image is of when it was written");
    ok(written(z, NOW + 5) == NOW + 6, "two of one moment are not");
    ok(written(z, NOW - YEAR) == NOW + 7 && written(z, 0) == NOW + 8,
       "nor does a clock that went back stop them");
    ok(written(z, NOW + 100) == NOW + 100, "until it is ahead again");

    zone_free(z);
}


/* Some shoppers, all confirmed, none of them older than some hours. */
static zone_t *
zone_lively(void)
{
    zone_t  *z;

    z = zone_new(4 * MIB, 1, 9);
    (void) zone_bind(z, &usual);
    zone_busy(z, 0, 200, 900, SHOP_START);

    return z;
}


/* A start: of the image nobody may have expired, all are told apart. */
static zone_t *
start(const bytes_t *image, uint64_t now_ms, const char *what)
{
    zone_t             *z;
    ux_image_result_t   result;

    static uint8_t  uuid = 10;

    z = zone_new(4 * MIB, uuid++, 9);
    ok(image_merge(z, UX_IMAGE_RESTORE, image, NULL, now_ms, &result) == UX_OK
       && result.expired == 0 && result.visitors > 150 && lives_add_up(z),
       "%s: all are there, %llu expired", what,
       (unsigned long long) result.expired);

    return z;
}


static unsigned
there(zone_t *z, uint64_t now_ms)
{
    unsigned  i, n;

    n = 0;

    for (i = 0; i < 200; i++) {
        n += ux_table_read(&z->w.store.table, shopper_key(z, i),
                           (uint32_t) (now_ms / 1000), &z->visitor) == UX_OK;
    }

    return n;
}


/* As a server looks at its clock. */
static void
pass(zone_t *z, uint64_t from_ms, uint64_t to_ms)
{
    uint64_t  ms;

    for (ms = from_ms; ms <= to_ms; ms += 600000) {
        (void) ux_table_expiry(&z->w.store.table, (uint32_t) (ms / 1000));
    }
}


static void
test_ahead(void)
{
    zone_t    *a, *b, *c;
    bytes_t    image;
    unsigned   all;
    uint64_t   later;

    a = zone_lively();
    image = image_write(a, UX_IMAGE_VISITORS, NOW);
    all = there(a, NOW);
    later = NOW + 10 * YEAR;

    b = start(&image, later, "ten years ahead");
    free(image.data);
    ok(there(b, later + 1000) == all, "and they stay");

    /* a second start in the wrong year, and a third in the right one */

    pass(b, later, later + 3600000);
    image = image_write(b, UX_IMAGE_VISITORS, later + 3600000);
    zone_free(b);

    b = start(&image, later + 7200000, "again");
    ok(there(b, later + 7200000) == all, "each");
    zone_free(b);

    c = start(&image, NOW + 3600000, "then put right");
    ok(there(c, NOW + 3600000) == all
       && c->visitor.last_s <= (NOW + 8 * DAY) / 1000, "each");
    zone_free(c);
    free(image.data);
    zone_free(a);
}


static void
test_behind(void)
{
    zone_t    *a, *b;
    bytes_t    image;
    unsigned   all, differ, n;

    a = zone_lively();
    image = image_write(a, UX_IMAGE_VISITORS, NOW);
    all = there(a, NOW);

    b = start(&image, 20000, "in 1970");
    ok(there(b, 20000) == all, "and they stay");
    differ = records_differ(a, b, 0, 200, 20000, &n);
    ok(n == all && differ == 0, "of the time that they were here, %u are not",
       differ);

    /* told the time; nobody comes for a day but the clock is looked at */

    pass(b, NOW + 3600000, NOW + 2 * DAY);
    ok(there(b, NOW + 2 * DAY) == all, "two days after it is put right, too");

    free(image.data);
    zone_free(a);
    zone_free(b);
}


/* A month without a server, and a month with one. */
static void
test_month(void)
{
    zone_t             *a, *b;
    bytes_t             image;
    uint64_t            later;
    ux_image_result_t   result;

    a = zone_lively();
    image = image_write(a, UX_IMAGE_VISITORS, NOW);
    later = NOW + 31 * DAY;

    b = start(&image, later, "a month later");
    pass(b, later, later + 2 * DAY);
    ok(there(b, later + 2 * DAY) == 0, "but not for two days more");
    zone_free(b);

    b = zone_new(4 * MIB, 3, 9);
    (void) zone_bind(b, &usual);
    pass(b, NOW, later);
    ok(image_merge(b, UX_IMAGE_ADOPT, &image, NULL, later, &result) == UX_OK
       && result.visitors == 0 && result.expired > 150 && lives_add_up(b),
       "who ran all the month takes none of them over");
    zone_free(b);

    free(image.data);
    zone_free(a);
}


/* The same of an image that says nothing of the clock. */
static void
test_older_format(void)
{
    zone_t             *a, *b;
    bytes_t             image;
    uint8_t            *entry;
    ux_image_result_t   result;

    a = zone_lively();
    image = image_write(a, UX_IMAGE_VISITORS, NOW);
    entry = image.data + UX_IMAGE_TABLE_AT + 2 * UX_IMAGE_SECTION_SIZE;
    ok(ux_image_get(entry, 4) == UX_IMAGE_CLOCK, "an image has a clock");

    ux_image_put(image.data + 10, UX_IMAGE_MINOR + 1, 2);
    ux_image_put(entry, UX_IMAGE_SECTIONS + 5, 4);
    image_sums(image.data, image.len);

    b = start(&image, NOW + 10 * YEAR, "an image without, ten years ahead");
    zone_free(b);

    b = zone_new(4 * MIB, 2, 9);
    ok(image_merge(b, UX_IMAGE_RESTORE, &image, NULL, NOW - DAY, &result)
       == UX_OK && result.visitors > 150 && there(b, NOW - DAY) > 150
       && b->visitor.last_s <= (NOW - DAY) / 1000,
       "its visitors are of no later than the time of day");
    zone_free(b);

    free(image.data);
    zone_free(a);
}


/* Of two images the later clock tells, in either order. */
static void
test_two_images(void)
{
    zone_t             *a, *b, *c;
    bytes_t             first, second;
    unsigned            i;
    uint32_t            at[2];
    ux_image_result_t   result;

    a = zone_lively();
    first = image_write(a, UX_IMAGE_VISITORS, NOW);
    b = zone_new(4 * MIB, 3, 9);
    (void) zone_bind(b, &usual);
    second = image_write(b, UX_IMAGE_VISITORS, NOW + 40 * DAY);

    for (i = 0; i < 2; i++) {
        c = zone_new(4 * MIB, 2, 9);
        (void) image_merge(c, UX_IMAGE_RESTORE, i ? &second : &first, NULL,
                           NOW + 41 * DAY, &result);
        (void) image_merge(c, UX_IMAGE_RESTORE, i ? &first : &second, NULL,
                           NOW + 41 * DAY, &result);
        at[i] = ux_table_expiry(&c->w.store.table,
                                (uint32_t) ((NOW + 41 * DAY) / 1000));
        zone_free(c);
    }

    ok(at[0] >= (NOW + 40 * DAY) / 1000 && at[1] >= (NOW + 40 * DAY) / 1000,
       "of two images that with the later clock tells");

    free(first.data);
    free(second.data);
    zone_free(a);
    zone_free(b);
}


static void
test_meaning(void)
{
    size_t   at;
    bytes_t  image;

    image = image_small(UX_IMAGE_COUNTERS);
    at = (size_t) ux_image_get(image.data + UX_IMAGE_TABLE_AT
                               + 2 * UX_IMAGE_SECTION_SIZE + 8, 8);

    ux_image_put(image.data + at,
                 ux_image_get(image.data + at + 4, 4) + 1, 4);
    image_sums(image.data, image.len);
    ok(ux_image_check(image.data, image.len, &work, &error) == UX_ERROR,
       "a clock ahead of the time of day: %s", error.message);

    free(image.data);
}


int
main(void)
{
    test_moments();
    test_ahead();
    test_behind();
    test_month();
    test_older_format();
    test_two_images();
    test_meaning();

    return done();
}
