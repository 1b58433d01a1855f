
/*
 * Copyright (C) the nginx-ux authors
 *
 * Carts (DESIGN.md section 4, rule 8): what an event does to a visitor's cart,
 * and which counters that moves.
 */

#ifndef UX_CART_H
#define UX_CART_H


#include "ux_counter.h"
#include "ux_visitor.h"


typedef enum {
    UX_CART_DID_NOTHING = 0,
    UX_CART_DID_OPEN,
    UX_CART_DID_CARRY_IN,          /* open already at the exposure */
    UX_CART_DID_MOVE,              /* further than ever, from -> to */
    UX_CART_DID_PURCHASE,          /* inside its window */
    UX_CART_DID_RECOVER,           /* purchase of an abandoned cart */
    UX_CART_DID_LACK               /* purchase without a cart */
} ux_cart_did_e;


/* What happened, and to which cart. */
typedef struct {
    ux_cart_did_e  did;
    uint64_t       created_ms;
    uint64_t       age_ms;
    uint8_t        from;           /* furthest before, for moves and ends */
    uint8_t        to;             /* furthest after, for moves and starts */
} ux_cart_effect_t;


/* Where an arm counts the carts of one funnel. */
typedef struct {
    uint32_t  base;                /* first cell of its UX_CART_ block */
    uint64_t  within_ms;
    uint16_t  arm;                 /* registry ordinal */
    uint8_t   cart;                /* cart slot */
    bool      ring;                /* it has one */
} ux_cart_place_t;


/* The funnel has a cart, and a slot was found for it. */
bool ux_cart_bound(const ux_funnel_t *funnel);

/* One event, of any kind, index as in the model. */
ux_cart_effect_t ux_cart_event(ux_cart_t *cart, const ux_funnel_t *funnel,
    uint8_t event, uint64_t now_ms);

/*
 * An abandoned cart becomes none: for the cart of a visitor's life, which
 * only serves to be carried in, and which an old cart must not block.
 */
void ux_cart_forget(ux_cart_t *cart, const ux_funnel_t *funnel,
    uint64_t now_ms);

/*
 * At an exposure: the life's cart, when still inside its window, becomes the
 * exposure's own, created now and as far as it got.
 */
ux_cart_effect_t ux_cart_carry_in(ux_cart_t *cart, const ux_cart_t *life,
    const ux_funnel_t *funnel, uint64_t now_ms);

/* The counter changes of an effect: at most 2 cells and 2 ring cells. */
void ux_cart_count(ux_changes_t *changes, const ux_cart_place_t *place,
    const ux_cart_effect_t *effect);

/*
 * Notes in the track what ux_cart_count() has added to the counters of this
 * place, so that ux_cart_take_back() can take it out again: the cart itself
 * must have had the effect.
 */
void ux_cart_note(ux_track_t *track, const ux_cart_place_t *place,
    const ux_cart_effect_t *effect);

/* The track's carts of this place leave the counters; the track is not
 * changed.  At most 4 cells, and 2 a past; 1 ring cell, and 2 a past. */
void ux_cart_take_back(ux_changes_t *changes, const ux_cart_place_t *place,
    const ux_track_t *track, uint64_t now_ms);


#endif
