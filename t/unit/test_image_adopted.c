
/*
 * Copyright (C) the nginx-ux authors
 *
 * Whom a zone has merged, over more starts than it can remember: the oldest
 * are forgotten, and nobody else.
 */

#include "image_case.h"


#define NOW     (SHOP_START + 14400000)
#define STARTS  (UX_ADOPTED_MAX + 12)


static const shop_t  usual;


static void
uuid_of(uint8_t uuid[16], unsigned n)
{
    memset(uuid, (int) n, 16);
}


/* Which of the incarnations [1, n] the zone knows: how many, and the first. */
static unsigned
known(const zone_t *z, unsigned n, unsigned *first)
{
    uint8_t   uuid[16];
    unsigned  i, count;

    count = 0;
    *first = 0;

    for (i = n; i > 0; i--) {
        uuid_of(uuid, i);

        if (ux_image_adopted(&z->w.store, uuid)) {
            count++;
            *first = i;
        }
    }

    return count;
}


/* A zone of its own that has one visit, and is saved. */
static bytes_t
image_of(unsigned n)
{
    zone_t   *z;
    bytes_t   image;

    z = zone_new(UX_STORE_SIZE_MIN, (uint8_t) n, 9);
    shop_model(&z->w, &usual);
    z->w.model.nexperiments = 1;
    (void) ux_store_bind(&z->w.store, &z->w.model, z->w.arms, z->w.bindings,
                         SHOP_START);
    (void) shopper_visit(z, n, 0, SHOP_START);
    image = image_write(z, UX_IMAGE_COUNTERS, NOW);
    zone_free(z);

    return image;
}


/* Each goes on from the one before, as servers do that are started again. */
static void
test_starts(void)
{
    zone_t             *z, *next;
    bytes_t             image, first;
    unsigned            i, n, oldest, wrong;
    ux_image_info_t     info;
    ux_image_result_t   result;

    wrong = 0;
    first = image_of(1);
    z = zone_new(UX_STORE_SIZE_MIN, 2, 9);
    (void) image_merge(z, UX_IMAGE_RESTORE, NULL, &first, NOW, &result);

    for (i = 3; i <= STARTS; i++) {
        image = image_write(z, UX_IMAGE_VISITORS, NOW);
        next = zone_new(UX_STORE_SIZE_MIN, (uint8_t) i, 9);

        if (image_merge(next, UX_IMAGE_RESTORE, &image, NULL, NOW, &result)
            != UX_OK)
        {
            wrong++;
        }

        zone_free(z);
        free(image.data);
        z = next;

        n = known(z, i - 1, &oldest);

        if (n != (i - 1 < UX_ADOPTED_MAX ? i - 1 : UX_ADOPTED_MAX)
            || oldest + n != i)
        {
            printf("# start %u: %u are known, the oldest is %u\n", i, n,
                   oldest);
            wrong++;
        }
    }

    ok(wrong == 0, "of %u starts the newest %u are known at each", STARTS,
       UX_ADOPTED_MAX);

    image = image_write(z, UX_IMAGE_COUNTERS, NOW);
    (void) ux_image_info(image.data, image.len, &info, &error);
    wrong = 0;

    for (i = 0; i < info.nadopted; i++) {
        wrong += info.adopted[i][0] != STARTS - info.nadopted + i;
    }

    ok(info.nadopted == UX_ADOPTED_MAX && wrong == 0,
       "and an image lists them, the oldest first");
    free(image.data);

    image = image_of(STARTS - 2);
    ok(image_merge(z, UX_IMAGE_ADOPT, NULL, &image, NOW, &result)
       == UX_DECLINED, "the one before the previous is not added again: %s",
       error.message);

    free(image.data);
    free(first.data);
    zone_free(z);
}


/* A zone with so many starts behind it, numbered from there. */
static zone_t *
line_new(unsigned from, unsigned n)
{
    zone_t             *z;
    bytes_t             image;
    unsigned            i;
    ux_image_result_t   result;

    z = zone_new(UX_STORE_SIZE_MIN, (uint8_t) (from + n), 9);

    for (i = from; i < from + n; i++) {
        image = image_of(i);
        (void) image_merge(z, UX_IMAGE_RESTORE, NULL, &image, NOW, &result);
        free(image.data);
    }

    return z;
}


/* Two servers of one directory, each with its line: the newest of both. */
static void
test_two_lines(void)
{
    zone_t             *a, *b;
    bytes_t             image;
    uint8_t             uuid[16];
    unsigned            i, there;
    ux_image_result_t   result;

    a = line_new(1, UX_ADOPTED_MAX);
    b = line_new(101, UX_ADOPTED_MAX);
    image = image_write(b, UX_IMAGE_VISITORS, NOW);

    ok(image_merge(a, UX_IMAGE_ADOPT, &image, NULL, NOW, &result) == UX_OK,
       "a server takes over another %s", error.message);

    there = 0;

    for (i = 0; i < 15; i++) {
        uuid_of(uuid, UX_ADOPTED_MAX - i);
        there += ux_image_adopted(&a->w.store, uuid);
        uuid_of(uuid, 100 + UX_ADOPTED_MAX - i);
        there += ux_image_adopted(&a->w.store, uuid);
    }

    ok(there == 30, "and knows the last ones of both lines: %u of 30", there);
    ok(ux_image_adopted(&a->w.store, b->w.store.head->uuid), "and itself");

    free(image.data);
    zone_free(a);
    zone_free(b);
}


/* One of which more is to come stays, however many come after it. */
static void
test_held(void)
{
    zone_t             *z, *next;
    bytes_t             image;
    uint8_t             uuid[16];
    unsigned            i;
    ux_image_result_t   result;

    z = line_new(1, 1);
    uuid_of(uuid, 1);
    ok(ux_image_hold(&z->w.store, uuid), "one is held as of a base");

    for (i = 100; i < 100 + 2 * UX_ADOPTED_MAX; i++) {
        image = image_of(i);
        (void) image_merge(z, UX_IMAGE_ADOPT, NULL, &image, NOW, &result);
        free(image.data);
    }

    ok(ux_image_held(&z->w.store, uuid), "and still is, %u later",
       2 * UX_ADOPTED_MAX);

    image = image_write(z, UX_IMAGE_VISITORS, NOW);
    next = line_new(180, UX_ADOPTED_MAX);
    (void) image_merge(next, UX_IMAGE_ADOPT, &image, NULL, NOW, &result);
    ok(ux_image_held(&next->w.store, uuid), "by who takes that over as well");

    free(image.data);
    zone_free(z);
    zone_free(next);
}


/* Visitors from before it took somebody over, counters from behind. */
static void
test_older_visitors(void)
{
    zone_t             *a, *b;
    bytes_t             left, visitors, counters;
    uint64_t            requests;
    ux_image_result_t   result;

    left = image_of(1);
    a = line_new(2, 1);
    visitors = image_write(a, UX_IMAGE_VISITORS, NOW);
    (void) image_merge(a, UX_IMAGE_ADOPT, NULL, &left, NOW, &result);
    counters = image_write(a, UX_IMAGE_COUNTERS, NOW);
    requests = ux_counter_read(&a->w.store.counter,
                               UX_ZONE_HTTP + UX_HTTP_REQUESTS);

    b = zone_new(UX_STORE_SIZE_MIN, 9, 9);
    ok(image_merge(b, UX_IMAGE_RESTORE, &visitors, &counters, NOW, &result)
       == UX_OK
       && image_merge(b, UX_IMAGE_RESTORE, NULL, &left, NOW, &result)
          == UX_DECLINED,
       "who is in the counters alone is not added again: %s", error.message);
    ok(requests == 2 && ux_counter_read(&b->w.store.counter,
                                        UX_ZONE_HTTP + UX_HTTP_REQUESTS)
                        == requests, "and counts once");

    free(left.data);
    free(visitors.data);
    free(counters.data);
    zone_free(a);
    zone_free(b);
}


int
main(void)
{
    test_starts();
    test_two_lines();
    test_held();
    test_older_visitors();

    return done();
}
