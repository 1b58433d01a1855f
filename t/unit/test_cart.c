
/*
 * Copyright (C) the nginx-ux authors
 *
 * The cart machine and its counters.
 */

#include "tap.h"
#include "ux_cart.h"

#include <string.h>


#define CART    UX_EVENT_ADD_TO_CART
#define BEGIN   UX_EVENT_BEGIN_CHECKOUT
#define PAY     UX_EVENT_ADD_PAYMENT_INFO
#define BUY     UX_EVENT_PURCHASE
#define VIEW    UX_EVENT_VIEW_ITEM

#define WITHIN  120000u            /* two minutes: buckets of 2 s */
#define T0      1700000000000u


static ux_changes_t  changes;


/* cart event is step 2 of 4: view_item, add_to_cart, begin, pay. */
static ux_funnel_t
a_funnel(void)
{
    ux_funnel_t  f;

    memset(&f, 0, sizeof(f));
    f.nsteps = 4;
    f.steps[0].event = VIEW;
    f.steps[1].event = CART;
    f.steps[2].event = BEGIN;
    f.steps[3].event = PAY;
    f.cart_event = CART;
    f.cart = 3;
    f.within_ms = WITHIN;

    return f;
}


static ux_cart_t
cart_at(uint64_t created_ms, uint8_t furthest)
{
    ux_cart_t  cart;

    memset(&cart, 0, sizeof(cart));
    cart.created_ms = created_ms;
    cart.state = UX_CART_OPEN;
    cart.furthest = furthest;

    return cart;
}


static int64_t
cell(unsigned field)
{
    int64_t   sum;
    unsigned  i;

    sum = 0;

    for (i = 0; i < changes.n; i++) {
        sum += changes.items[i].cell == 1000 + field
               ? changes.items[i].delta : 0;
    }

    return sum;
}


static int64_t
ring(unsigned field, uint64_t bucket)
{
    int64_t   sum;
    unsigned  i;

    sum = 0;

    for (i = 0; i < changes.nrings; i++) {
        sum += changes.rings[i].field == field
               && changes.rings[i].bucket == bucket
               && changes.rings[i].arm == 7 && changes.rings[i].cart == 3
               ? changes.rings[i].delta : 0;
    }

    return sum;
}


static void
count(ux_cart_effect_t effect)
{
    ux_cart_place_t  place = { 1000, WITHIN, 7, 3, true };

    ux_changes_clear(&changes);
    ux_cart_count(&changes, &place, &effect);
}


static void
test_opening(void)
{
    ux_cart_t         cart = { 0 };
    ux_funnel_t       f = a_funnel();
    ux_cart_effect_t  e;

    e = ux_cart_event(&cart, &f, BEGIN, T0);
    ok(e.did == UX_CART_DID_NOTHING && cart.state == UX_CART_NONE,
       "a step opens no cart");

    e = ux_cart_event(&cart, &f, UX_EVENT_REFUND, T0);
    ok(e.did == UX_CART_DID_NOTHING && cart.state == UX_CART_NONE,
       "nor does an event that is no step");

    e = ux_cart_event(&cart, &f, CART, T0 + 5);
    ok(e.did == UX_CART_DID_OPEN && cart.state == UX_CART_OPEN
       && cart.created_ms == T0 + 5, "the cart event opens one");
    ok(cart.furthest == 2 && e.to == 2,
       "as far as the cart event's step in the funnel");

    count(e);
    ok(cell(UX_CART_ALIVE + 2) == 1 && changes.n == 1,
       "opened: one alive at its step");
    ok(ring(UX_RING_ALIVE + 2, T0 / 2000) == 1 && changes.nrings == 1,
       "and in the ring, in the bucket of creation");

    e = ux_cart_event(&cart, &f, CART, T0 + 10);
    ok(e.did == UX_CART_DID_NOTHING && cart.created_ms == T0 + 5,
       "a cart event while open opens no second one");

    e = ux_cart_event(&cart, &f, CART, T0 + 5 + WITHIN + 1);
    ok(e.did == UX_CART_DID_NOTHING && cart.created_ms == T0 + 5,
       "nor while abandoned");

    f.nsteps = 1;
    cart.state = UX_CART_NONE;
    e = ux_cart_event(&cart, &f, CART, T0);
    ok(e.did == UX_CART_DID_OPEN && cart.furthest == 0,
       "a cart event that is no step: furthest 0");
}


static void
test_moving(void)
{
    ux_cart_t         cart = cart_at(T0, 2);
    ux_funnel_t       f = a_funnel();
    ux_cart_effect_t  e;

    e = ux_cart_event(&cart, &f, VIEW, T0 + 1);
    ok(e.did == UX_CART_DID_NOTHING && cart.furthest == 2,
       "an earlier step moves nothing");

    e = ux_cart_event(&cart, &f, PAY, T0 + WITHIN);
    ok(e.did == UX_CART_DID_MOVE && cart.furthest == 4 && e.from == 2
       && e.to == 4, "a later step at the window's end moves it");

    count(e);
    ok(cell(UX_CART_ALIVE + 4) == 1 && cell(UX_CART_ALIVE + 2) == -1
       && changes.n == 2, "moved: from one alive cell to the other");
    ok(ring(UX_RING_ALIVE + 4, T0 / 2000) == 1
       && ring(UX_RING_ALIVE + 2, T0 / 2000) == -1 && changes.nrings == 2,
       "in the ring likewise, in the bucket of creation");

    e = ux_cart_event(&cart, &f, PAY, T0 + 3);
    ok(e.did == UX_CART_DID_NOTHING, "the same step again moves nothing");

    cart.furthest = 2;
    e = ux_cart_event(&cart, &f, BEGIN, T0 + WITHIN + 1);
    ok(e.did == UX_CART_DID_NOTHING && cart.furthest == 2,
       "a step after the window moves nothing");

    cart.state = UX_CART_DONE;
    e = ux_cart_event(&cart, &f, BEGIN, T0 + 1);
    ok(e.did == UX_CART_DID_NOTHING && cart.furthest == 2,
       "a step after the purchase moves nothing");

    cart = cart_at(T0, 2);
    e = ux_cart_event(&cart, &f, BEGIN, T0 - 50);
    ok(e.did == UX_CART_DID_MOVE, "a cart from the future is of age 0");
}


static void
test_purchase(void)
{
    ux_cart_t         cart = cart_at(T0, 3);
    ux_funnel_t       f = a_funnel();
    ux_cart_effect_t  e;

    e = ux_cart_event(&cart, &f, BUY, T0 + WITHIN);
    ok(e.did == UX_CART_DID_PURCHASE && cart.state == UX_CART_DONE,
       "a purchase at the window's end is one");
    ok(cart.created_ms == 0 && cart.furthest == 0,
       "a cart that is done keeps nothing else");

    count(e);
    ok(cell(UX_CART_PURCHASED) == 1 && cell(UX_CART_ALIVE + 3) == -1
       && changes.n == 2, "purchased: leaves the alive");
    ok(ring(UX_RING_PURCHASED, T0 / 2000) == 1
       && ring(UX_RING_ALIVE + 3, T0 / 2000) == -1 && changes.nrings == 2,
       "in the ring likewise, in the bucket of creation");

    e = ux_cart_event(&cart, &f, BUY, T0 + 2);
    ok(e.did == UX_CART_DID_LACK && cart.state == UX_CART_DONE,
       "a second purchase has no cart");

    count(e);
    ok(cell(UX_CART_WITHOUT_CART) == 1 && changes.n == 1
       && changes.nrings == 0, "which is counted, and nothing else");

    e = ux_cart_event(&cart, &f, CART, T0 + 3);
    ok(e.did == UX_CART_DID_OPEN && cart.created_ms == T0 + 3,
       "after a purchase the cart event opens another");

    f.steps[2].event = BUY;
    cart = cart_at(T0, 2);
    e = ux_cart_event(&cart, &f, BUY, T0 + 1);
    ok(e.did == UX_CART_DID_PURCHASE && e.from == 2,
       "a purchase that is a step is a purchase only");

    f.cart_event = BUY;
    cart = (ux_cart_t) { 0 };
    e = ux_cart_event(&cart, &f, BUY, T0 + 1);
    ok(e.did == UX_CART_DID_LACK && cart.state == UX_CART_NONE,
       "even where it is the cart event");
}


static void
test_recovery(void)
{
    uint64_t          late;
    ux_cart_t         cart = cart_at(T0, 3);
    ux_funnel_t       f = a_funnel();
    ux_cart_effect_t  e;

    e = ux_cart_event(&cart, &f, BUY, T0 + WITHIN + 1);
    ok(e.did == UX_CART_DID_RECOVER && cart.state == UX_CART_DONE,
       "a purchase after the window recovers the cart");

    count(e);
    ok(cell(UX_CART_RECOVERED) == 1 && changes.n == 1,
       "recovered: stays among the alive, and so the abandoned");
    ok(ring(UX_RING_RECOVERED, T0 / 2000) == 1 && changes.nrings == 1,
       "in the ring likewise");

    late = T0 + WITHIN + 2 * 2000;
    cart = cart_at(T0, 3);
    count(ux_cart_event(&cart, &f, BUY, late));
    ok(changes.n == 1 && changes.nrings == 1,
       "two buckets after the window still in the ring");

    cart = cart_at(T0, 3);
    count(ux_cart_event(&cart, &f, BUY, late + 1));
    ok(changes.n == 1 && changes.nrings == 0, "later in the total only");
}


static void
test_life(void)
{
    ux_cart_t         life = cart_at(T0, 3);
    ux_cart_t         cart = { 0 };
    ux_funnel_t       f = a_funnel();
    ux_cart_effect_t  e;

    e = ux_cart_carry_in(&cart, &life, &f, T0 + WITHIN);
    ok(e.did == UX_CART_DID_CARRY_IN && cart.state == UX_CART_OPEN
       && cart.created_ms == T0 + WITHIN && cart.furthest == 3,
       "an open cart is carried in, created at the exposure");

    count(e);
    ok(cell(UX_CART_CARRIED_IN) == 1 && cell(UX_CART_ALIVE + 3) == 1
       && changes.n == 2, "carried in: counted so, and alive");
    ok(ring(UX_RING_ALIVE + 3, (T0 + WITHIN) / 2000) == 1
       && changes.nrings == 1, "in the ring in the bucket of the exposure");

    cart = (ux_cart_t) { 0 };
    e = ux_cart_carry_in(&cart, &life, &f, T0 + WITHIN + 1);
    ok(e.did == UX_CART_DID_NOTHING && cart.state == UX_CART_NONE,
       "an abandoned one is not");

    ux_cart_forget(&life, &f, T0 + WITHIN);
    ok(life.state == UX_CART_OPEN && life.created_ms == T0,
       "an open cart is not forgotten");

    ux_cart_forget(&life, &f, T0 + WITHIN + 1);
    ok(life.state == UX_CART_NONE && life.created_ms == 0
       && life.furthest == 0, "an abandoned one is");

    life = (ux_cart_t) { .state = UX_CART_DONE };
    e = ux_cart_carry_in(&cart, &life, &f, 5);
    ok(e.did == UX_CART_DID_NOTHING, "a purchased one is not carried in");

    ux_cart_forget(&life, &f, T0 + WITHIN + 1);
    ok(life.state == UX_CART_DONE, "nor forgotten");
}


static void
test_bound(void)
{
    ux_cart_t         cart = { 0 };
    ux_funnel_t       f = a_funnel();
    ux_cart_place_t   place = { 1000, WITHIN, 7, 3, false };
    ux_cart_effect_t  e;

    ok(ux_cart_bound(&f), "a funnel with a cart and a slot is bound");

    f.cart = UX_SLOT_NONE;
    ok(!ux_cart_bound(&f), "without a slot it is not");

    f.cart = 3;
    f.cart_event = UX_SLOT_NONE;
    ok(!ux_cart_bound(&f), "without a cart event it is not");

    f = a_funnel();
    e = ux_cart_event(&cart, &f, CART, T0);
    ux_changes_clear(&changes);
    ux_cart_count(&changes, &place, &e);
    ok(changes.n == 1 && changes.nrings == 0, "an arm without a ring");
}


int
main(void)
{
    test_opening();
    test_moving();
    test_purchase();
    test_recovery();
    test_life();
    test_bound();

    return done();
}
