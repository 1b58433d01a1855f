
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
 *
 * Taking back.  A crossover's carts leave all counters.  An open cart says
 * itself where it is counted; of the others the cart keeps how many were
 * purchased, lacked and carried in, and the track a list of past carts: those
 * recovered, by furthest step, because they stay in ALIVE, and those whose
 * row of the ring may still be read.  Bounds: counts stop at 65535; when the
 * list is full, the oldest row is given up (`settled` is then short of that
 * cart until its row is old), and with 16 kinds of recovered carts of one
 * visitor a further kind is not noted.
 */

#include "ux_cart.h"
#include "ux_funnel.h"


static ux_cart_effect_t ux_cart_purchase(ux_cart_t *cart,
    const ux_funnel_t *funnel, uint64_t now_ms);
static ux_cart_effect_t ux_cart_open(ux_cart_t *cart, unsigned furthest,
    uint64_t now_ms);
static ux_cart_effect_t ux_cart_move(ux_cart_t *cart,
    const ux_funnel_t *funnel, uint8_t event, uint64_t now_ms);
static void ux_cart_end(ux_cart_t *cart, ux_cart_state_e state);
static uint64_t ux_cart_age(uint64_t created_ms, uint64_t now_ms);
static void ux_cart_cell(ux_changes_t *changes, const ux_cart_place_t *place,
    unsigned field, int delta);
static void ux_cart_ring(ux_changes_t *changes, const ux_cart_place_t *place,
    const ux_cart_effect_t *effect, unsigned field, int delta);
static bool ux_cart_in_ring(const ux_cart_place_t *place, uint64_t age_ms);
static void ux_cart_note_past(ux_track_t *track, const ux_cart_place_t *place,
    const ux_cart_effect_t *effect);
static void ux_cart_settle(ux_track_t *track, const ux_cart_place_t *place,
    uint64_t now_ms);
static void ux_cart_settle_oldest(ux_track_t *track);
static bool ux_cart_merge(ux_track_t *track, unsigned n);
static void ux_cart_one_more(uint16_t *count, unsigned more);
static void ux_cart_take_past(ux_changes_t *changes,
    const ux_cart_place_t *place, const ux_past_t *past, uint64_t now_ms);


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
        && ux_cart_age(cart->created_ms, now_ms) > funnel->within_ms)
    {
        ux_cart_end(cart, UX_CART_NONE);
    }
}


ux_cart_effect_t
ux_cart_carry_in(ux_cart_t *cart, const ux_cart_t *life,
    const ux_funnel_t *funnel, uint64_t now_ms)
{
    ux_cart_effect_t  effect = { UX_CART_DID_NOTHING, 0, 0, 0, 0 };

    if (life->state == UX_CART_OPEN
        && ux_cart_age(life->created_ms, now_ms) <= funnel->within_ms)
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


void
ux_cart_note(ux_track_t *track, const ux_cart_place_t *place,
    const ux_cart_effect_t *effect)
{
    ux_cart_t  *cart;

    cart = &track->carts[place->cart];

    switch (effect->did) {

    case UX_CART_DID_CARRY_IN:
        cart->carried_in = true;
        break;

    case UX_CART_DID_PURCHASE:
        ux_cart_one_more(&cart->purchased, 1);
        ux_cart_note_past(track, place, effect);
        break;

    case UX_CART_DID_RECOVER:
        ux_cart_note_past(track, place, effect);
        break;

    case UX_CART_DID_LACK:
        ux_cart_one_more(&cart->lacking, 1);
        break;

    case UX_CART_DID_NOTHING:
    case UX_CART_DID_OPEN:
    case UX_CART_DID_MOVE:
        break;
    }
}


void
ux_cart_take_back(ux_changes_t *changes, const ux_cart_place_t *place,
    const ux_track_t *track, uint64_t now_ms)
{
    unsigned           i;
    const ux_cart_t   *cart;
    ux_cart_effect_t   effect = { UX_CART_DID_NOTHING, 0, 0, 0, 0 };

    cart = &track->carts[place->cart];

    ux_cart_cell(changes, place, UX_CART_PURCHASED, -cart->purchased);
    ux_cart_cell(changes, place, UX_CART_WITHOUT_CART, -cart->lacking);
    ux_cart_cell(changes, place, UX_CART_CARRIED_IN, -cart->carried_in);

    if (cart->state == UX_CART_OPEN) {
        effect.created_ms = cart->created_ms;
        effect.age_ms = ux_cart_age(cart->created_ms, now_ms);

        ux_cart_cell(changes, place, UX_CART_ALIVE + cart->furthest, -1);
        ux_cart_ring(changes, place, &effect, UX_RING_ALIVE + cart->furthest,
                     -1);
    }

    for (i = 0; i < track->npasts; i++) {
        if (track->pasts[i].cart == place->cart) {
            ux_cart_take_past(changes, place, &track->pasts[i], now_ms);
        }
    }
}


static ux_cart_effect_t
ux_cart_purchase(ux_cart_t *cart, const ux_funnel_t *funnel, uint64_t now_ms)
{
    ux_cart_effect_t  effect = { UX_CART_DID_LACK, 0, 0, 0, 0 };

    if (cart->state == UX_CART_OPEN) {
        effect.created_ms = cart->created_ms;
        effect.age_ms = ux_cart_age(cart->created_ms, now_ms);
        effect.from = cart->furthest;
        effect.did = effect.age_ms <= funnel->within_ms
                     ? UX_CART_DID_PURCHASE : UX_CART_DID_RECOVER;

        ux_cart_end(cart, UX_CART_DONE);
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
        || ux_cart_age(cart->created_ms, now_ms) > funnel->within_ms)
    {
        return effect;
    }

    effect.did = UX_CART_DID_MOVE;
    effect.created_ms = cart->created_ms;
    effect.age_ms = ux_cart_age(cart->created_ms, now_ms);
    effect.from = cart->furthest;
    effect.to = (uint8_t) position;

    cart->furthest = effect.to;

    return effect;
}


/* What it has counted stays noted. */
static void
ux_cart_end(ux_cart_t *cart, ux_cart_state_e state)
{
    cart->created_ms = 0;
    cart->state = (uint8_t) state;
    cart->furthest = 0;
}


static uint64_t
ux_cart_age(uint64_t created_ms, uint64_t now_ms)
{
    return now_ms > created_ms ? now_ms - created_ms : 0;
}


static void
ux_cart_cell(ux_changes_t *changes, const ux_cart_place_t *place,
    unsigned field, int delta)
{
    if (delta != 0) {
        ux_changes_add(changes, place->base + field, delta);
    }
}


static void
ux_cart_ring(ux_changes_t *changes, const ux_cart_place_t *place,
    const ux_cart_effect_t *effect, unsigned field, int delta)
{
    ux_ring_change_t  change;

    if (!ux_cart_in_ring(place, effect->age_ms)) {
        return;
    }

    change.arm = place->arm;
    change.cart = place->cart;
    change.field = (uint8_t) field;
    change.bucket = (uint32_t) (effect->created_ms
                                / ux_bucket_width_ms(place->within_ms));
    change.delta = delta;

    ux_changes_ring(changes, change);
}


/*
 * Rows older than the window and two buckets are no longer read, and their
 * cells may have been taken by newer ones.
 */
static bool
ux_cart_in_ring(const ux_cart_place_t *place, uint64_t age_ms)
{
    return place->ring
           && age_ms <= place->within_ms
                        + 2 * ux_bucket_width_ms(place->within_ms);
}


static void
ux_cart_note_past(ux_track_t *track, const ux_cart_place_t *place,
    const ux_cart_effect_t *effect)
{
    bool        fresh, recovered;
    ux_past_t  *past;

    ux_cart_settle(track, place, effect->created_ms + effect->age_ms);

    fresh = ux_cart_in_ring(place, effect->age_ms);
    recovered = effect->did == UX_CART_DID_RECOVER;

    if (!fresh && !recovered) {
        return;
    }

    if (track->npasts == UX_PASTS_MAX) {
        ux_cart_settle_oldest(track);
    }

    if (track->npasts == UX_PASTS_MAX) {
        return;
    }

    past = &track->pasts[track->npasts++];

    past->created_ms = fresh ? effect->created_ms : 0;
    past->n = 1;
    past->cart = place->cart;
    past->furthest = recovered ? effect->from : 0;
    past->recovered = recovered;

    if (!fresh) {
        (void) ux_cart_merge(track, track->npasts - 1u);
    }
}


/* Those of this place whose rows are not read any more. */
static void
ux_cart_settle(ux_track_t *track, const ux_cart_place_t *place,
    uint64_t now_ms)
{
    unsigned    i;
    ux_past_t  *past;

    i = 0;

    while (i < track->npasts) {
        past = &track->pasts[i];

        if (past->cart == place->cart && past->created_ms != 0
            && !ux_cart_in_ring(place, ux_cart_age(past->created_ms, now_ms))
            && ux_cart_merge(track, i))
        {
            continue;
        }

        i++;
    }
}


/* Until there is room, or no row to give up. */
static void
ux_cart_settle_oldest(ux_track_t *track)
{
    unsigned  i, oldest;

    do {
        oldest = UX_PASTS_MAX;

        for (i = 0; i < track->npasts; i++) {
            if (track->pasts[i].created_ms != 0
                && (oldest == UX_PASTS_MAX
                    || track->pasts[i].created_ms
                       < track->pasts[oldest].created_ms))
            {
                oldest = i;
            }
        }

    } while (oldest != UX_PASTS_MAX && !ux_cart_merge(track, oldest));
}


/*
 * A past cart's row is given up: a purchased one is counted in its cart
 * already, a recovered one joins those like it.  True if entry n is gone, and
 * the last one in its place.
 */
static bool
ux_cart_merge(ux_track_t *track, unsigned n)
{
    unsigned    i;
    ux_past_t  *past, *other;

    past = &track->pasts[n];
    past->created_ms = 0;

    for (i = 0; past->recovered; i++) {
        if (i == track->npasts) {
            return false;
        }

        other = &track->pasts[i];

        if (i != n && other->recovered && other->created_ms == 0
            && other->cart == past->cart && other->furthest == past->furthest)
        {
            ux_cart_one_more(&other->n, past->n);
            break;
        }
    }

    track->npasts--;
    *past = track->pasts[track->npasts];

    return true;
}


static void
ux_cart_one_more(uint16_t *count, unsigned more)
{
    unsigned  sum;

    sum = *count + more;

    *count = (uint16_t) (sum < UINT16_MAX ? sum : UINT16_MAX);
}


static void
ux_cart_take_past(ux_changes_t *changes, const ux_cart_place_t *place,
    const ux_past_t *past, uint64_t now_ms)
{
    ux_cart_effect_t  effect = { UX_CART_DID_NOTHING, 0, 0, 0, 0 };

    effect.created_ms = past->created_ms;
    effect.age_ms = past->created_ms == 0
                    ? UINT64_MAX : ux_cart_age(past->created_ms, now_ms);

    if (!past->recovered) {
        ux_cart_ring(changes, place, &effect, UX_RING_PURCHASED, -1);
        return;
    }

    ux_cart_cell(changes, place, UX_CART_RECOVERED, -past->n);
    ux_cart_cell(changes, place, UX_CART_ALIVE + past->furthest, -past->n);
    ux_cart_ring(changes, place, &effect, UX_RING_RECOVERED, -1);
    ux_cart_ring(changes, place, &effect, UX_RING_ALIVE + past->furthest, -1);
}
