
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_report: carts of a funnel whose window or steps are not what they were.
 */

#include "report_fixture.h"


static void test_windows(void);
static void test_windows_at(uint64_t now, int64_t open, int64_t abandoned);
static void test_epochs(void);
static void test_widths(void);
static void test_after_purchase(void);
static void cart_count(uint32_t ring, unsigned cell, unsigned ring_field,
    uint32_t bucket, int32_t delta);


int
main(void)
{
    if (!fixture_map()) {
        return 1;
    }

    test_windows();
    test_epochs();
    test_widths();
    test_after_purchase();

    return done();
}


/*
 * The window was 20 minutes and is an hour now: one block, two rings.  Three
 * carts began under the first; under the second one of them was bought, one
 * went a step further, and two more began.
 */
static void
test_windows(void)
{
    unsigned     i, k;
    uint32_t     old, new, bucket;
    ux_entry_t  *e;

    setup();

    old = cart_ring[1];
    new = cart_ring[0];

    e = entry(UX_ENTRY_ARM_CART, "", 4, 6);
    e->ordinal = 9;
    e->value = 20 * 60000;
    e->base = cart_base[0];
    e->ring = old;
    e->width = RING_WIDTH;

    bucket = (uint32_t) (NOW / ux_bucket_width_ms(20 * 60000));

    for (i = 0; i < 3; i++) {
        cart_count(old, UX_CART_ALIVE + 1, UX_RING_ALIVE + 1,
                   bucket, 1);
    }

    test_windows_at(NOW, 3, 0);

    bucket = (uint32_t) (NOW / ux_bucket_width_ms(HOUR));

    cart_count(new, UX_CART_ALIVE + 1, UX_RING_ALIVE + 1,
               bucket, -1);
    cart_count(new, UX_CART_PURCHASED, UX_RING_PURCHASED,
               bucket, 1);
    cart_count(new, UX_CART_ALIVE + 1, UX_RING_ALIVE + 1,
               bucket, -1);
    cart_count(new, UX_CART_ALIVE + 2, UX_RING_ALIVE + 2,
               bucket, 1);

    /* the ring of the first has settled: -2 of the second alone is left */

    test_windows_at(NOW + 22 * 60000, 1, 1);

    for (k = 0; k < 2; k++) {
        cart_count(new, UX_CART_ALIVE + 1, UX_RING_ALIVE + 1,
                   bucket + 1, 1);
    }

    report.now_ms = NOW + 60000;
    ok(is(F "/carts/purchased", "1"), "bought under the other window");
    ok(is(F "/carts/created", "5"), "each cart is counted once");

    test_windows_at(NOW + 60000, 4, 0);
    test_windows_at(NOW + 22 * 60000, 1, 3);
    test_windows_at(NOW + 63 * 60000, 0, 4);

    /* and the other way round: the shorter one is in force now */

    model.funnels[0].within_ms = 20 * 60000;

    test_windows_at(NOW + 60000, 4, 0);
    test_windows_at(NOW + 25 * 60000, 0, 4);

    report.now_ms = NOW;
}


/*
 * A ring of the shorter window settles earlier: until the other one has, some
 * open carts may be taken for abandoned, but none is lost and none is new.
 */
static void
test_windows_at(uint64_t now, int64_t open, int64_t abandoned)
{
    int64_t      created;
    const char  *text;

    report.now_ms = now;
    text = at(F "/carts");
    created = field(text, "created");

    ok(field(text, "open") == open && field(text, "abandoned") == abandoned,
       "%lld open, %lld abandoned: %lld, %lld", (long long) open,
       (long long) abandoned, (long long) field(text, "open"),
       (long long) field(text, "abandoned"));
    ok(created == field(text, "open") + field(text, "purchased")
                  + field(text, "abandoned")
       && created == open + abandoned + field(text, "purchased")
       && field(text, "settled") >= field(text, "abandoned"),
       "the identities hold");
}


/*
 * The arm of the second epoch counts in a block of its own and in the ring of
 * the first: five carts of the one, two of the other, one of these bought.
 */
static void
test_epochs(void)
{
    uint32_t     bucket;
    ux_entry_t  *e;

    setup();

    e = entry_of(UX_ENTRY_ARM_CART, 1);
    e->value = HOUR;
    e->ring = cart_ring[0];
    e->shares = 1;

    bucket = (uint32_t) (NOW / ux_bucket_width_ms(HOUR));

    cart_count(cart_ring[0], UX_CART_ALIVE + 1, UX_RING_ALIVE + 1, bucket, 5);
    cart_base[0] = cart_base[1];
    cart_count(cart_ring[0], UX_CART_ALIVE + 1, UX_RING_ALIVE + 1, bucket, 1);
    cart_count(cart_ring[0], UX_CART_PURCHASED, UX_RING_PURCHASED, bucket, 1);

    ok(is(F "/carts/created", "7") && is(F "/carts/purchased", "1"),
       "carts of two epochs");
    test_windows_at(NOW, 6, 0);
    ok(is(F "/carts/settled", "0"), "none is settled");

    /* eight more of the second, of long ago: no row of the ring has them */

    count(cart_base[1] + UX_CART_ALIVE + 1, 8);
    test_windows_at(NOW, 6, 8);
    test_windows_at(NOW + 63 * 60000, 0, 14);

    report.now_ms = NOW;
}


/*
 * The funnel had three steps when two carts began, of which one reaches the
 * fourth now; rows of the first ring are one field shorter.
 */
static void
test_widths(void)
{
    uint32_t     bucket, old;
    ux_entry_t  *e;

    setup();

    old = cart_ring[2];

    e = entry(UX_ENTRY_ARM_CART, "", 4, 6);
    e->ordinal = 9;
    e->value = HOUR;
    e->base = cart_base[0];
    e->ring = old;
    e->width = RING_WIDTH - 1;

    bucket = (uint32_t) (NOW / ux_bucket_width_ms(HOUR));
    count(cart_base[0] + UX_CART_ALIVE + 3, 2);
    ux_counter_ring_add(&store.counter, old + bucket % UX_BUCKETS
                        * (RING_WIDTH - 1) + UX_RING_ALIVE + 3, bucket, 2);

    test_windows_at(NOW, 2, 0);

    cart_count(cart_ring[0], UX_CART_ALIVE + 3, UX_RING_ALIVE + 3, bucket,
               -1);
    cart_count(cart_ring[0], UX_CART_ALIVE + 4, UX_RING_ALIVE + 4, bucket, 1);

    test_windows_at(NOW, 2, 0);
    test_windows_at(NOW + 63 * 60000, 0, 2);

    report.now_ms = NOW;

    /* a row that is none is not read, whatever there is */

    e->width = UX_RING_CELLS + 1;
    ux_counter_ring_add(&store.counter, old + bucket % UX_BUCKETS
                        * (UX_RING_CELLS + 1) + UX_RING_ALIVE + 3, bucket, 2);
    test_windows_at(NOW, 1, 1);
}


/* Steps from the purchase on are none a cart was abandoned after. */
static void
test_after_purchase(void)
{
    ux_funnel_t  *f;

    setup();

    f = &model.funnels[0];
    f->steps[2] = f->steps[3];
    f->steps[3] = (ux_step_t) { UX_EVENT_VIEW_ITEM, 5, true };

    count(cart_base[0] + UX_CART_ALIVE + 1, 5);
    count(cart_base[0] + UX_CART_ALIVE + 3, 2);
    count(cart_base[0] + UX_CART_ALIVE + 4, 4);

    ok(is(F "/carts/abandoned_after",
          "{\"add_to_cart\":5,\"begin_checkout\":6}"),
       "told as the last step before it");
    ok(is(F "/biggest_loss",
          "{\"after\":\"begin_checkout\",\"carts\":6}"),
       "nor is the biggest loss one");

    /* the purchase first, the cart event after it: nothing else to tell */

    f->steps[2] = f->steps[0];
    f->steps[0] = (ux_step_t) { UX_EVENT_PURCHASE, 0, false };

    ok(is(F "/carts/abandoned_after", "{\"add_to_cart\":11}"),
       "a cart event after the purchase is told all the same");
}


/* In the first cart block and one of its rings. */
static void
cart_count(uint32_t ring, unsigned cell, unsigned ring_field,
    uint32_t bucket, int32_t delta)
{
    count(cart_base[0] + cell, delta);

    ux_counter_ring_add(&store.counter,
                        ring + bucket % UX_BUCKETS * RING_WIDTH
                        + ring_field, bucket, delta);
}
