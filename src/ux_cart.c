
/*
 * Copyright (C) the nginx-ux authors
 *
 * The cart machine.  One cart a funnel and track:
 *
 *            cart event                     purchase
 *   NONE ------------------->  OPEN  ------------------->  DONE
 *                               ^ |                          |
 *                               | +- a step: furthest grows  |
 *                               +----------------------------+
 *                                        cart event
 *
 * OPEN covers open and abandoned: age tells them apart when it matters, so
 * that no clock has to visit the visitor.  Abandoned carts move no further,
 * and a purchase of one recovers it.
 *
 * Counters hold: carts created = sum of ALIVE + PURCHASED, after every event.
 * A cart enters at ALIVE + k, k its furthest step, moves between these, and
 * leaves to PURCHASED; recovered ones stay, they are part of the abandoned.
 * Each change of a total is made in the ring too, in the row of the cart's
 * creation, from which a reader takes the carts too young to be abandoned.
 *
 * Clocks of several workers may differ by a moment: a cart from the future is
 * of age 0.
 */

#include "ux_cart.h"
#include "ux_funnel.h"


static ux_cart_effect_t ux_cart_purchase(ux_cart_t *cart,
    const ux_funnel_t *funnel, uint64_t now_ms);
static ux_cart_effect_t ux_cart_open(ux_cart_t *cart, unsigned furthest,
    uint64_t now_ms);
static ux_cart_effect_t ux_cart_move(ux_cart_t *cart,
    const ux_funnel_t *funnel, uint8_t event, uint64_t now_ms);
static uint64_t ux_cart_age(const ux_cart_t *cart, uint64_t now_ms);
static void ux_cart_cell(ux_changes_t *changes, const ux_cart_place_t *place,
    unsigned field, int delta);
static void ux_cart_ring(ux_changes_t *changes, const ux_cart_place_t *place,
    const ux_cart_effect_t *effect, unsigned field, int delta);


bool
ux_cart_bound(const ux_funnel_t *funnel)
{
    return funnel->cart_event != UX_SLOT_NONE && funnel->cart < UX_CARTS_MAX;
}


ux_cart_effect_t
ux_cart_event(ux_cart_t *cart, const ux_funnel_t *funnel, uint8_t event,
    uint64_t now_ms)
{
    ux_cart_effect_t  nothing = { UX_CART_DID_NOTHING, 0, 0, 0, 0 };

    /* A purchase is that only, even where it is a step or the cart event. */

    if (event == UX_EVENT_PURCHASE) {
        return ux_cart_purchase(cart, funnel, now_ms);
    }

    if (event != funnel->cart_event) {
        return ux_cart_move(cart, funnel, event, now_ms);
    }

    if (cart->state != UX_CART_OPEN) {
        return ux_cart_open(cart, ux_funnel_position(funnel, event), now_ms);
    }

    return nothing;
}


void
ux_cart_forget(ux_cart_t *cart, const ux_funnel_t *funnel, uint64_t now_ms)
{
    if (cart->state == UX_CART_OPEN
        && ux_cart_age(cart, now_ms) > funnel->within_ms)
    {
        *cart = (ux_cart_t) { 0, UX_CART_NONE, 0 };
    }
}


ux_cart_effect_t
ux_cart_carry_in(ux_cart_t *cart, const ux_cart_t *life,
    const ux_funnel_t *funnel, uint64_t now_ms)
{
    ux_cart_effect_t  effect = { UX_CART_DID_NOTHING, 0, 0, 0, 0 };

    if (life->state == UX_CART_OPEN
        && ux_cart_age(life, now_ms) <= funnel->within_ms)
    {
        effect = ux_cart_open(cart, life->furthest, now_ms);
        effect.did = UX_CART_DID_CARRY_IN;
    }

    return effect;
}


void
ux_cart_count(ux_changes_t *changes, const ux_cart_place_t *place,
    const ux_cart_effect_t *effect)
{
    switch (effect->did) {

    case UX_CART_DID_NOTHING:
        break;

    case UX_CART_DID_CARRY_IN:
        ux_cart_cell(changes, place, UX_CART_CARRIED_IN, 1);
        /* fall through */

    case UX_CART_DID_OPEN:
        ux_cart_cell(changes, place, UX_CART_ALIVE + effect->to, 1);
        ux_cart_ring(changes, place, effect, UX_RING_ALIVE + effect->to, 1);
        break;

    case UX_CART_DID_MOVE:
        ux_cart_cell(changes, place, UX_CART_ALIVE + effect->to, 1);
        ux_cart_cell(changes, place, UX_CART_ALIVE + effect->from, -1);
        ux_cart_ring(changes, place, effect, UX_RING_ALIVE + effect->to, 1);
        ux_cart_ring(changes, place, effect, UX_RING_ALIVE + effect->from,
                     -1);
        break;

    case UX_CART_DID_PURCHASE:
        ux_cart_cell(changes, place, UX_CART_PURCHASED, 1);
        ux_cart_cell(changes, place, UX_CART_ALIVE + effect->from, -1);
        ux_cart_ring(changes, place, effect, UX_RING_PURCHASED, 1);
        ux_cart_ring(changes, place, effect, UX_RING_ALIVE + effect->from,
                     -1);
        break;

    case UX_CART_DID_RECOVER:
        ux_cart_cell(changes, place, UX_CART_RECOVERED, 1);
        ux_cart_ring(changes, place, effect, UX_RING_RECOVERED, 1);
        break;

    case UX_CART_DID_LACK:
        ux_cart_cell(changes, place, UX_CART_WITHOUT_CART, 1);
        break;
    }
}


static ux_cart_effect_t
ux_cart_purchase(ux_cart_t *cart, const ux_funnel_t *funnel, uint64_t now_ms)
{
    ux_cart_effect_t  effect = { UX_CART_DID_LACK, 0, 0, 0, 0 };

    if (cart->state == UX_CART_OPEN) {
        effect.created_ms = cart->created_ms;
        effect.age_ms = ux_cart_age(cart, now_ms);
        effect.from = cart->furthest;
        effect.did = effect.age_ms <= funnel->within_ms
                     ? UX_CART_DID_PURCHASE : UX_CART_DID_RECOVER;

        *cart = (ux_cart_t) { 0, UX_CART_DONE, 0 };
    }

    return effect;
}


static ux_cart_effect_t
ux_cart_open(ux_cart_t *cart, unsigned furthest, uint64_t now_ms)
{
    ux_cart_effect_t  effect = { UX_CART_DID_OPEN, now_ms, 0, 0, 0 };

    cart->created_ms = now_ms;
    cart->state = UX_CART_OPEN;
    cart->furthest = (uint8_t) furthest;

    effect.to = cart->furthest;

    return effect;
}


/* Only steps reached inside the window tell where a cart was lost. */
static ux_cart_effect_t
ux_cart_move(ux_cart_t *cart, const ux_funnel_t *funnel, uint8_t event,
    uint64_t now_ms)
{
    unsigned          position;
    ux_cart_effect_t  effect = { UX_CART_DID_NOTHING, 0, 0, 0, 0 };

    position = ux_funnel_position(funnel, event);

    if (cart->state != UX_CART_OPEN || position <= cart->furthest
        || ux_cart_age(cart, now_ms) > funnel->within_ms)
    {
        return effect;
    }

    effect.did = UX_CART_DID_MOVE;
    effect.created_ms = cart->created_ms;
    effect.age_ms = ux_cart_age(cart, now_ms);
    effect.from = cart->furthest;
    effect.to = (uint8_t) position;

    cart->furthest = effect.to;

    return effect;
}


static uint64_t
ux_cart_age(const ux_cart_t *cart, uint64_t now_ms)
{
    return now_ms > cart->created_ms ? now_ms - cart->created_ms : 0;
}


static void
ux_cart_cell(ux_changes_t *changes, const ux_cart_place_t *place,
    unsigned field, int delta)
{
    ux_changes_add(changes, place->base + field, delta);
}


/*
 * Rows older than the window and two buckets are no longer read, and their
 * cells may have been taken by newer ones: only a recovery can come so late.
 */
static void
ux_cart_ring(ux_changes_t *changes, const ux_cart_place_t *place,
    const ux_cart_effect_t *effect, unsigned field, int delta)
{
    uint64_t          width_ms;
    ux_ring_change_t  change;

    width_ms = ux_bucket_width_ms(place->within_ms);

    if (!place->ring || effect->age_ms > place->within_ms + 2 * width_ms) {
        return;
    }

    change.arm = place->arm;
    change.cart = place->cart;
    change.field = (uint8_t) field;
    change.bucket = (uint32_t) (effect->created_ms / width_ms);
    change.delta = delta;

    ux_changes_ring(changes, change);
}
