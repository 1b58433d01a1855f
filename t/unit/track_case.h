
/*
 * Copyright (C) the nginx-ux authors
 *
 * One visitor in one world, and short names for what it does there.
 */

#ifndef TRACK_CASE_H
#define TRACK_CASE_H


#include "track_world.h"
#include "ux_number.h"


#define VIEW    UX_EVENT_VIEW_ITEM
#define CART    UX_EVENT_ADD_TO_CART
#define BEGIN   UX_EVENT_BEGIN_CHECKOUT
#define SHIP    UX_EVENT_ADD_SHIPPING_INFO
#define PAY     UX_EVENT_ADD_PAYMENT_INFO
#define BUY     UX_EVENT_PURCHASE
#define REFUND  UX_EVENT_REFUND
#define NPS     7

#define NONE    (-1)               /* event without a value */

#define T0      1700000000000u
#define DAY     86400000u


static world_t       w;
static ux_visitor_t  v;
static ux_discard_e  why;


__attribute__((unused))
static void
setup(unsigned nexperiments)
{
    uint8_t   index;
    ux_str_t  score = ux_str("score");

    world_init(&w, nexperiments, 2);
    (void) ux_model_event_add(&w.model, score, &index);

    ux_visitor_init(&v, 1, (uint32_t) (T0 / 1000));
    v.confirmed = true;
}


__attribute__((unused))
static ux_status_t
expose(unsigned experiment, unsigned variant, uint64_t now_ms)
{
    ux_status_t  status;

    ux_changes_clear(&w.changes);
    status = ux_track_expose(&w.plan, &v, experiment, variant, now_ms,
                             &w.changes);
    world_apply(&w);

    return status;
}


__attribute__((unused))
static ux_status_t
send(const ux_event_t *event)
{
    ux_status_t  status;

    ux_changes_clear(&w.changes);
    status = ux_track_event(&w.plan, &v, event, &w.changes, &why);
    world_apply(&w);

    return status;
}


__attribute__((unused))
static ux_status_t
event(uint8_t index, int64_t value, uint64_t now_ms)
{
    ux_event_t  e = { now_ms, value == NONE ? 0 : value, 0, index,
                      value != NONE, UX_CURRENCY_ZONE };

    return send(&e);
}


__attribute__((unused))
static ux_status_t
event_id(uint8_t index, int64_t value, uint64_t id)
{
    ux_event_t  e = { T0, value == NONE ? 0 : value, id, index,
                      value != NONE, UX_CURRENCY_ZONE };

    return send(&e);
}


__attribute__((unused))
static ux_status_t
event_foreign(uint8_t index, int64_t value, uint16_t currency)
{
    ux_event_t  e = { T0, value, 0, index, value != 0, currency };

    return send(&e);
}


__attribute__((unused))
static int64_t
discarded(ux_discard_e reason)
{
    return (int64_t) w.cells[UX_ZONE_DISCARDED + (unsigned) reason];
}


__attribute__((unused))
static int64_t
sum(unsigned arm, unsigned slot)
{
    return world_cell(&w, arm, UX_ARM_TOTALS + slot * UX_TOTAL_CELLS);
}


/* Of a sum in limbs, the first at this field of a total. */
__attribute__((unused))
static __int128
limbs(unsigned arm, unsigned slot, unsigned field)
{
    int64_t   lo, mid, hi;
    unsigned  at;

    at = UX_ARM_TOTALS + slot * UX_TOTAL_CELLS + field;
    lo = world_cell(&w, arm, at);
    mid = world_cell(&w, arm, at + 1);
    hi = world_cell(&w, arm, at + 2);

    return (__int128) lo + (__int128) mid * ((__int128) 1 << 32)
           + (__int128) hi * ((__int128) 1 << 32) * ((__int128) 1 << 32);
}


__attribute__((unused))
static __int128
squares(unsigned arm, unsigned slot)
{
    return limbs(arm, slot, UX_TOTAL_SQ_LO);
}


/* What a ratio's total has of its values, in an arm with one visitor. */
__attribute__((unused))
static bool
values_are(unsigned arm, unsigned slot, int64_t y, int64_t z)
{
    unsigned  at;

    at = UX_ARM_TOTALS + slot * UX_TOTAL_CELLS;

    return sum(arm, slot) == y && squares(arm, slot) == (__int128) y * y
           && world_cell(&w, arm, at + UX_TOTAL_COUNT) == z
           && world_cell(&w, arm, at + UX_TOTAL_COUNT_SQ) == z * z
           && limbs(arm, slot, UX_TOTAL_PRODUCT_LO) == (__int128) y * z;
}


#endif
