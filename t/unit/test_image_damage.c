
/*
 * Copyright (C) the nginx-ux authors
 *
 * Images that are cut short, changed, or made up: refused as a whole, and
 * what is not refused harms nobody.
 */

#include "image_damage.h"
#include "ux_image_private.h"


/* Of exactly so many bytes, so that a sanitizer sees what is read beyond. */
static ux_status_t
check_bytes(const uint8_t *data, size_t len)
{
    uint8_t      *copy;
    ux_status_t   rc;

    copy = malloc(len ? len : 1);
    memcpy(copy, data, len);

    error.message[0] = '\0';
    rc = ux_image_check(copy, len, &work, &error);
    free(copy);

    return rc;
}


static ux_status_t
merge_bytes(zone_t *z, const uint8_t *data, size_t len, ux_image_kind_e kind)
{
    bytes_t             image;
    ux_status_t         rc;
    ux_image_result_t   result;

    image.data = malloc(len ? len : 1);
    image.len = len;
    memcpy(image.data, data, len);

    rc = kind == UX_IMAGE_VISITORS
         ? image_merge(z, UX_IMAGE_RESTORE, &image, NULL, DAMAGE_NOW, &result)
         : image_merge(z, UX_IMAGE_RESTORE, NULL, &image, DAMAGE_NOW,
                       &result);
    free(image.data);

    return rc;
}


static void
test_cut(void)
{
    size_t    len;
    zone_t   *z;
    bytes_t   image;
    unsigned  accepted;

    image = image_small(UX_IMAGE_VISITORS);
    z = zone_new(UX_STORE_SIZE_MIN, 2, 9);
    accepted = 0;

    ok(image.len > 3000 && image.len < 8000, "a small image: %zu bytes",
       image.len);
    ok(check_bytes(image.data, image.len) == UX_OK, "is sound %s",
       error.message);

    for (len = 0; len < image.len; len++) {
        accepted += check_bytes(image.data, len) == UX_OK;
        accepted += merge_bytes(z, image.data, len, UX_IMAGE_VISITORS)
                    == UX_OK;
    }

    ok(accepted == 0, "cut short to any length it is not: %zu lengths",
       image.len);
    ok(ux_registry_count(z->w.store.registry) == 0
       && ux_counter_read(&z->w.store.counter, UX_ZONE_INSERTED) == 0,
       "and changes nothing");

    image.data = realloc(image.data, image.len + 1);
    image.data[image.len] = 0;
    ok(check_bytes(image.data, image.len + 1) == UX_ERROR,
       "nor with a byte more: %s", error.message);

    free(image.data);
    zone_free(z);
}


static void
test_flipped(ux_image_kind_e kind)
{
    size_t    i;
    zone_t   *z;
    bytes_t   image;
    unsigned  accepted;

    image = image_small(kind);
    z = zone_new(UX_STORE_SIZE_MIN, 2, 9);
    accepted = 0;

    for (i = 0; i < image.len * 8; i++) {
        image.data[i / 8] ^= (uint8_t) (1u << i % 8);
        accepted += check_bytes(image.data, image.len) == UX_OK;
        accepted += merge_bytes(z, image.data, image.len, kind) == UX_OK;
        image.data[i / 8] ^= (uint8_t) (1u << i % 8);
    }

    ok(accepted == 0, "each of %zu bits turned over is noticed",
       image.len * 8);
    ok(ux_registry_count(z->w.store.registry) == 0, "before a name is made");

    free(image.data);
    zone_free(z);
}


/* Puts a number somewhere and looks what becomes of it. */
static void
refused(const bytes_t *image, size_t at, uint64_t value, unsigned size,
    ux_status_t expected, const char *what)
{
    uint8_t      *copy;
    ux_status_t   rc;

    copy = malloc(image->len);
    memcpy(copy, image->data, image->len);

    ux_image_put(copy + at, value, size);
    image_sums(copy, image->len);

    rc = check_bytes(copy, image->len);
    ok(rc == expected, "%s: %s", what, error.message);

    free(copy);
}


/* Where the n-th entry of NAMES of a kind is. */
static size_t
name_at(const bytes_t *image, unsigned kind)
{
    size_t    at;
    unsigned  i, n;

    at = (size_t) ux_image_get(image->data + UX_IMAGE_TABLE_AT + 8, 8);
    n = (unsigned) ux_image_get(image->data + UX_IMAGE_TABLE_AT + 4, 4);

    for (i = 0; i < n; i++, at += UX_IMAGE_NAME_SIZE) {
        if (image->data[at] == kind) {
            return at;
        }
    }

    return 0;
}


/* Where the first cell of a group is, with the index or above. */
static size_t
cell_at(const bytes_t *image, unsigned group, unsigned index)
{
    size_t    at, end;

    at = (size_t) ux_image_get(image->data + UX_IMAGE_TABLE_AT + 32 + 8, 8);
    end = at + (size_t) ux_image_get(image->data + UX_IMAGE_TABLE_AT + 32
                                     + 16, 8);

    for ( /* void */ ; at < end; at += UX_IMAGE_CELL_SIZE) {
        if (ux_image_get(image->data + at + 4, 2) == group
            && ux_image_get(image->data + at + 6, 2) >= index)
        {
            return at;
        }
    }

    return 0;
}


static void
test_header(void)
{
    bytes_t  image;

    image = image_small(UX_IMAGE_VISITORS);

    refused(&image, 0, 0x1234, 2, UX_DECLINED, "no magic");
    refused(&image, 8, 2, 2, UX_DECLINED, "a format to come");
    refused(&image, 8, 0, 2, UX_DECLINED, "a format of old");
    refused(&image, 12, 0x0d0c0b0a, 4, UX_DECLINED, "the other byte order");
    refused(&image, 16, 4, 1, UX_DECLINED, "words of 32 bits");
    refused(&image, 17, 3, 1, UX_ERROR, "a third kind");
    refused(&image, 17, UX_IMAGE_COUNTERS, 1, UX_ERROR,
            "counters with records");
    refused(&image, 18, 64, 1, UX_ERROR, "a name too long");
    refused(&image, 19, 200, 1, UX_ERROR, "200 sections");
    refused(&image, 19, 1, 1, UX_ERROR, "one section");
    refused(&image, 20, 0xffffffff, 4, UX_ERROR, "a header of 4 GB");
    refused(&image, 20, 0, 4, UX_ERROR, "a header of nothing");
    refused(&image, 24, UINT64_MAX, 8, UX_ERROR, "all the bytes there are");
    refused(&image, 64, 7258118400000ull, 8, UX_ERROR, "written in 2200");
    refused(&image, 88, 17, 4, UX_ERROR, "17 experiments a record");
    refused(&image, 92, 0, 4, UX_ERROR, "no totals");
    refused(&image, 108, 33, 4, UX_ERROR, "33 adopted ones");
    refused(&image, 120, 'S', 1, UX_ERROR, "a zone in capitals");

    free(image.data);
}


static void
test_sections(void)
{
    size_t    at;
    bytes_t   image;
    uint64_t  length;

    image = image_small(UX_IMAGE_VISITORS);
    at = UX_IMAGE_TABLE_AT;
    length = ux_image_get(image.data + at + 16, 8);

    refused(&image, at, 2, 4, UX_ERROR, "a section twice");
    refused(&image, at, 77, 4, UX_ERROR, "an unknown one");
    refused(&image, at + 4, 0xffffffff, 4, UX_ERROR, "2^32 names");
    refused(&image, at + 8, 0, 8, UX_ERROR, "over the header");
    refused(&image, at + 16, UINT64_MAX - 700, 8, UX_ERROR,
            "off + len beyond 2^64");
    refused(&image, at + 16, 1ull << 30, 8, UX_ERROR, "a gigabyte");
    refused(&image, at + 16, 0, 8, UX_ERROR, "of no length");
    refused(&image, at + 16, length - 1, 8, UX_ERROR, "a byte short");
    refused(&image, at + 16, length + 16, 8, UX_ERROR, "into the next");
    refused(&image, at + 64 + 4, 0xffffffff, 4, UX_ERROR, "2^32 records");
    refused(&image, at + 64 + 16, 0, 8, UX_ERROR, "no records");

    free(image.data);
}


/* The cell before, once more. */
static void
twice_refused(const bytes_t *image, size_t at)
{
    uint8_t  *copy;

    copy = malloc(image->len);
    memcpy(copy, image->data, image->len);
    memcpy(copy + at, copy + at - UX_IMAGE_CELL_SIZE, UX_IMAGE_CELL_SIZE);
    image_sums(copy, image->len);

    ok(check_bytes(copy, image->len) == UX_ERROR, "twice the same: %s",
       error.message);

    free(copy);
}


static void
test_meaning(void)
{
    size_t   at;
    bytes_t  image;

    image = image_small(UX_IMAGE_VISITORS);

    at = name_at(&image, UX_ENTRY_EVENT);
    refused(&image, at, 0, 1, UX_ERROR, "a name of no kind");
    refused(&image, at, UX_ENTRY_KINDS, 1, UX_ERROR, "of an unknown kind");
    refused(&image, at, UX_ENTRY_STEP, 1, UX_ERROR, "a step of nothing");
    refused(&image, at + 1, 65, 1, UX_ERROR, "a name of 65 bytes");
    refused(&image, at + 56, '"', 1, UX_ERROR, "a quote in it");
    refused(&image, at + 2, 0, 2, UX_ERROR, "an event with a parent");
    refused(&image, at + 24, 7258118400000ull, 8, UX_ERROR, "made in 2200");
    refused(&image, at + 32, 0x7ff8000000000000ull, 8, UX_ERROR,
            "a number that is none");

    at = name_at(&image, UX_ENTRY_VARIANT);
    refused(&image, at + 2, 1, 2, UX_ERROR, "a variant without experiment");

    at = name_at(&image, UX_ENTRY_EPOCH);
    refused(&image, at + 48, 200, 8, UX_ERROR, "the control 200 of 2");

    at = name_at(&image, UX_ENTRY_ARM);
    refused(&image, at + 4, 200, 2, UX_ERROR, "variant 200 of 2");
    refused(&image, at + 2, 1, 2, UX_ERROR, "an arm without epoch");
    refused(&image, at + 10, 0xff, 2, UX_ERROR, "flags nobody knows");

    at = name_at(&image, UX_ENTRY_ARM_CART);
    refused(&image, at + 4, 3, 2, UX_ERROR, "a cart that is not there");
    refused(&image, at + 6, 1, 2, UX_ERROR, "of another variant's arm");
    refused(&image, at + 8, 60000, 2, UX_ERROR, "rows of 60000 fields");

    at = name_at(&image, UX_ENTRY_EVIDENCE);
    refused(&image, at + 16, 7, 8, UX_ERROR, "since an epoch to come");
    refused(&image, at + 4, 9, 2, UX_ERROR, "of a metric of no type");

    at = cell_at(&image, UX_IMAGE_ARM_COUNTS, UX_ARM_VISITORS);
    refused(&image, at + 8, 1000, 8, UX_ERROR, "more visitors than assigned");

    at = cell_at(&image, UX_IMAGE_ARM_EVENT_VISITORS, 0);
    refused(&image, at + 8, 1000, 8, UX_ERROR, "more of an event");
    refused(&image, at + 8, 0, 8, UX_ERROR, "a counter of 0");
    refused(&image, at + 8, UINT64_MAX, 8, UX_ERROR, "a negative one");
    refused(&image, at + 6, 64, 2, UX_ERROR, "event 64 of 64");
    refused(&image, at + 4, UX_IMAGE_GROUPS, 2, UX_ERROR, "of no group");
    refused(&image, at + 4, UX_IMAGE_CART, 2, UX_ERROR, "of another's");
    refused(&image, at, 0, 4, UX_ERROR, "out of order");
    twice_refused(&image, at);
    refused(&image, at, 60000, 4, UX_ERROR, "of nobody");

    at = cell_at(&image, UX_IMAGE_ARM_UNCONFIRMED, 0);

    if (at != 0) {
        refused(&image, at + 8, 1ull << 32 | 1, 8, UX_ERROR,
                "a bucket that is not here");
    }

    free(image.data);
}


/* A record in place of the last one of an image. */
static void
record_refused(const bytes_t *image, const ux_visitor_t *visitor,
    ux_status_t expected, const char *what)
{
    size_t       at, len, n;
    bytes_t      made;
    uint8_t     *entry;

    made.data = malloc(image->len + UX_PACKED_MAX);
    memcpy(made.data, image->data, image->len);

    entry = made.data + UX_IMAGE_TABLE_AT + DAMAGE_RECORDS_AT;
    at = (size_t) ux_image_get(entry + 8, 8);

    n = 0;

    if (ux_visitor_pack(visitor, made.data + at + 2, &n) != UX_OK) {
        printf("# it does not even pack\n");
    }

    ux_image_put(made.data + at, n, 2);
    len = at + 2 + n;

    ux_image_put(entry + 4, 1, 4);
    ux_image_put(entry + 16, 2 + n, 8);
    ux_image_put(made.data + 24, len, 8);
    image_sums(made.data, len);

    ok(check_bytes(made.data, len) == expected, "%s: %s", what,
       error.message);

    free(made.data);
}


static void
test_records(void)
{
    bytes_t               image;
    ux_track_t           *track;
    static ux_visitor_t   v;

    image = image_small(UX_IMAGE_VISITORS);

    ux_visitor_init(&v, 77, (uint32_t) (SHOP_START / 1000));
    v.ntracks = 2;
    track = &v.tracks[1];
    memset(track, 0, sizeof(ux_track_t));
    track->exposed_ms = SHOP_START;
    record_refused(&image, &v, UX_OK, "a record of ours");

    track->arm = 200;
    record_refused(&image, &v, UX_ERROR, "in arm 200 of 2");
    track->arm = 0;
    track->events = 1ull << 63;
    record_refused(&image, &v, UX_ERROR, "that has seen event 63");
    track->events = 0;
    track->steps = 4;
    record_refused(&image, &v, UX_ERROR, "that took step 2 of 2");
    track->steps = 0;
    track->before = 1ull << 40;
    record_refused(&image, &v, UX_ERROR, "or step 40 before");
    track->before = 0;
    track->totals[5] = 3;
    record_refused(&image, &v, UX_ERROR, "with a total that is not there");
    track->totals[5] = 0;
    track->carts[6].state = UX_CART_OPEN;
    record_refused(&image, &v, UX_ERROR, "with a cart of no funnel");
    track->carts[6].state = UX_CART_NONE;
    track->exposed_ms = 7258118400000ull;
    record_refused(&image, &v, UX_ERROR, "exposed in 2200");
    track->exposed_ms = SHOP_START;
    v.npending = 1;
    memset(&v.pending[0], 0, sizeof(ux_event_t));
    v.pending[0].event = 60;
    v.pending[0].now_ms = SHOP_START;
    record_refused(&image, &v, UX_ERROR, "waiting for event 60");
    v.npending = 0;
    record_refused(&image, &v, UX_OK, "without all that it is fine");

    free(image.data);
}


/* The same visitor twice in one image is there once. */
static void
test_twice(void)
{
    size_t              at, len, n;
    zone_t             *z;
    bytes_t             image;
    uint8_t            *entry, *grown;
    uint64_t            visitors;
    ux_image_result_t   result;

    image = image_small(UX_IMAGE_VISITORS);
    entry = image.data + UX_IMAGE_TABLE_AT + DAMAGE_RECORDS_AT;
    at = (size_t) ux_image_get(entry + 8, 8);
    n = 2 + (size_t) ux_image_get(image.data + at, 2);

    grown = malloc(image.len + n);
    memcpy(grown, image.data, image.len);
    memcpy(grown + image.len, image.data + at, n);
    len = image.len + n;

    entry = grown + UX_IMAGE_TABLE_AT + DAMAGE_RECORDS_AT;
    visitors = ux_image_get(entry + 4, 4);
    ux_image_put(entry + 4, visitors + 1, 4);
    ux_image_put(entry + 16, ux_image_get(entry + 16, 8) + n, 8);
    ux_image_put(grown + 24, len, 8);
    image_sums(grown, len);
    free(image.data);

    image.data = grown;
    image.len = len;
    z = zone_new(UX_STORE_SIZE_MIN, 2, 9);

    ok(image_merge(z, UX_IMAGE_RESTORE, &image, NULL, DAMAGE_NOW, &result)
       == UX_OK && result.visitors == visitors && result.united == 0
       && result.dropped == 1 && lives_add_up(z),
       "a record that is there twice comes in once %s", error.message);

    free(grown);
    zone_free(z);
}


/* A later minor version may have more sections. */
static void
test_minor(void)
{
    size_t     at, len;
    bytes_t    image;
    uint8_t   *made;
    unsigned   i;
    uint8_t   *entry;

    image = image_small(UX_IMAGE_VISITORS);
    at = UX_IMAGE_TABLE_AT + image.data[19] * UX_IMAGE_SECTION_SIZE;
    len = image.len + UX_IMAGE_SECTION_SIZE + 5;

    made = calloc(1, len);
    memcpy(made, image.data, at);
    memcpy(made + at + UX_IMAGE_SECTION_SIZE, image.data + at,
           image.len - at);
    made[19]++;
    ux_image_put(made + 10, UX_IMAGE_MINOR + 1, 2);
    ux_image_put(made + 20, at + UX_IMAGE_SECTION_SIZE + 8, 4);
    ux_image_put(made + 24, len, 8);

    for (i = 0; i < image.data[19]; i++) {
        entry = made + UX_IMAGE_TABLE_AT + i * UX_IMAGE_SECTION_SIZE;
        ux_image_put(entry + 8, ux_image_get(entry + 8, 8)
                                + UX_IMAGE_SECTION_SIZE, 8);
    }

    entry = made + at;
    ux_image_put(entry, 9, 4);
    ux_image_put(entry + 8, len - 5, 8);
    ux_image_put(entry + 16, 5, 8);
    image_sums(made, len);

    ok(check_bytes(made, len) == UX_OK, "a section to come is passed over %s",
       error.message);

    ux_image_put(made + 10, UX_IMAGE_MINOR, 2);
    image_sums(made, len);
    ok(check_bytes(made, len) == UX_ERROR, "but not in this version: %s",
       error.message);

    free(made);
    free(image.data);
}


/* Bytes changed at random under right checksums: what is accepted works. */
static void
test_random(void)
{
    zone_t    *z;
    bytes_t    image;
    uint8_t   *copy;
    unsigned   i, k, n, accepted;
    size_t     at;

    static const shop_t  usual;

    image = image_small(UX_IMAGE_VISITORS);
    copy = malloc(image.len);
    z = zone_new(UX_STORE_SIZE_MIN, 2, 9);
    accepted = 0;
    n = tap_count("TEST_UX_DAMAGES", 20000);

    for (i = 0; i < n; i++) {
        memcpy(copy, image.data, image.len);
        copy[32] = (uint8_t) (i & 0x7f);      /* uuids: most are not known */
        copy[33] = (uint8_t) (i >> 7);

        for (k = zone_random(z, 3) + 1; k > 0; k--) {
            at = zone_random(z, (unsigned) image.len);

            if (at > 200 || zone_random(z, 10) == 0) {
                copy[at] = (uint8_t) zone_random(z, 256);
            }
        }

        image_sums(copy, image.len);
        accepted += merge_bytes(z, copy, image.len, UX_IMAGE_VISITORS)
                    == UX_OK;

        if (i % 500 == 499) {
            (void) zone_bind(z, &usual);
            zone_busy(z, 0, 50, 50, SHOP_START);
            zone_free(z);
            z = zone_new(UX_STORE_SIZE_MIN, 2, 9);
            z->random = i;
        }
    }

    ok(accepted > n / 200, "%u images of random meaning, %u accepted, none "
       "harmful", n, accepted);

    free(copy);
    free(image.data);
    zone_free(z);
}


/* A ring's count is small, also below 0: more would be a mark in the zone. */
static void
test_rings(void)
{
    unsigned         i, wrong;
    ux_image_cell_t  cell;

    static const struct {
        uint32_t  count;
        bool      ok;
    }  cases[] = {
        { 1, true }, { UX_RING_MOST - 1, true }, { (uint32_t) -5, true },
        { UX_RING_MOST, false }, { 1u << 30, false }, { 1u << 31, false }
    };

    memset(&cell, 0, sizeof(ux_image_cell_t));

    while (!ux_image_groups[cell.group].ring) {
        cell.group++;
    }

    for (i = 0, wrong = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cell.value = cases[i].count;
        wrong += ux_image_value_ok(&cell, 1) != cases[i].ok;
    }

    ok(wrong == 0, "counts of a ring that are none");
}


int
main(void)
{
    test_cut();
    test_flipped(UX_IMAGE_VISITORS);
    test_flipped(UX_IMAGE_COUNTERS);
    test_header();
    test_sections();
    test_meaning();
    test_records();
    test_twice();
    test_minor();
    test_rings();
    test_random();

    return done();
}
