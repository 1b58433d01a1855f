
/*
 * Copyright (C) the nginx-ux authors
 *
 * How a track of a visitor is unpacked, with the care of ux_visitor_unpack.c.
 */

#include "ux_number.h"
#include "ux_packing.h"

#include <stddef.h>
#include <string.h>


static void ux_unpack_bytes(ux_reader_t *r, uint8_t *bytes, unsigned n,
    unsigned max);
static void ux_unpack_paces(ux_reader_t *r, ux_track_t *track);
static void ux_unpack_totals(ux_reader_t *r, ux_track_t *track);
static void ux_unpack_carts(ux_reader_t *r, ux_track_t *track,
    uint64_t origin_ms);
static void ux_unpack_cart(ux_reader_t *r, ux_cart_t *cart,
    uint64_t origin_ms);
static void ux_unpack_pasts(ux_reader_t *r, ux_track_t *track,
    uint64_t origin_ms);
static void ux_unpack_past(ux_reader_t *r, ux_past_t *past,
    uint64_t origin_ms);
static void ux_unpack_counts(ux_reader_t *r, ux_track_t *track);


/* What follows the flags. */
void
ux_unpack_body(ux_reader_t *r, ux_track_t *track, unsigned parts,
    uint64_t origin_ms)
{
    if (parts & UX_PACK_EVENTS) {
        track->events = ux_reader_number(r, 1, UINT64_MAX);
    }

    if (parts & UX_PACK_STEPS) {
        track->steps = ux_reader_number(r, 1, UINT64_MAX);
    }

    if (parts & UX_PACK_TOTALS) {
        ux_unpack_totals(r, track);
    }

    if (parts & UX_PACK_CARTS) {
        ux_unpack_carts(r, track, origin_ms);
    }

    if (parts & UX_PACK_BEFORE) {
        track->before = ux_reader_number(r, 1, UINT64_MAX);
    }

    if (parts & UX_PACK_PASTS) {
        ux_unpack_pasts(r, track, origin_ms);
    }

    if (parts & UX_PACK_COUNTS) {
        ux_unpack_counts(r, track);
    }
}


void
ux_unpack_flags(ux_reader_t *r, ux_track_t *track)
{
    unsigned  flags;

    flags = ux_reader_byte(r);

    if (flags == 0) {
        ux_reader_fail(r);
    }

    track->moved = (flags & UX_PACK_MOVED) != 0;
    track->waiting = (flags & UX_PACK_WAITING) != 0;
    track->crossed = (flags & UX_PACK_CROSSED) != 0;
    track->error_seen = (flags & UX_PACK_SEEN) != 0;

    if (flags & UX_PACK_PACES) {
        ux_unpack_paces(r, track);
    }

    if (flags & UX_PACK_STAGE) {
        track->stage = (uint8_t) ux_reader_byte(r);

        if (track->stage == 0 || track->stage > UX_STAGES_MAX) {
            ux_reader_fail(r);
        }
    }

    if (flags & UX_PACK_ANSWERS) {
        ux_unpack_bytes(r, track->answers, UX_SURVEYS, UX_SURVEY_SCALE);
    }

    if (flags & UX_PACK_SEGMENTS) {
        ux_unpack_bytes(r, track->segments, UX_SEGMENTS_MAX,
                        UX_SEGMENT_VALUES);
    }
}


/* A mask, not of none, and the bytes it announces, from 1 to max. */
static void
ux_unpack_bytes(ux_reader_t *r, uint8_t *bytes, unsigned n, unsigned max)
{
    unsigned  i, mask;

    mask = ux_reader_byte(r);

    if (mask == 0 || (mask >> n)) {
        ux_reader_fail(r);
    }

    for (mask &= (1u << n) - 1; mask != 0; mask &= mask - 1) {
        i = (unsigned) __builtin_ctz(mask);
        bytes[i] = (uint8_t) ux_reader_byte(r);

        if (bytes[i] == 0 || bytes[i] > max) {
            ux_reader_fail(r);
        }
    }
}


static void
ux_unpack_paces(ux_reader_t *r, ux_track_t *track)
{
    unsigned    mask;
    ux_pace_t  *pace;

    mask = (unsigned) ux_reader_number(r, 1, (1u << UX_FUNNELS_MAX) - 1);

    for ( /* void */ ; mask != 0; mask &= mask - 1) {
        pace = &track->paces[__builtin_ctz(mask)];

        pace->started_ms = ux_reader_moment(r, track->exposed_ms);
        pace->reached_ms = ux_reader_moment(r, track->exposed_ms);
        pace->mark = (uint16_t) ux_reader_fixed(r, 2);

        if (pace->reached_ms == 0) {
            ux_reader_fail(r);
        }
    }
}


static void
ux_unpack_totals(ux_reader_t *r, ux_track_t *track)
{
    unsigned  mask;

    mask = ux_reader_byte(r);

    if (mask == 0 || (mask >> UX_TOTALS_MAX)) {
        ux_reader_fail(r);
    }

    for ( /* void */ ; mask != 0; mask &= mask - 1) {
        track->totals[__builtin_ctz(mask)] =
            (int64_t) ux_reader_number(r, 1, UX_TOTAL_MAX);
    }
}


static void
ux_unpack_carts(ux_reader_t *r, ux_track_t *track, uint64_t origin_ms)
{
    unsigned  mask;

    mask = ux_reader_byte(r);

    if (mask == 0 || (mask >> UX_CARTS_MAX)) {
        ux_reader_fail(r);
    }

    for ( /* void */ ; mask != 0; mask &= mask - 1) {
        ux_unpack_cart(r, &track->carts[__builtin_ctz(mask)], origin_ms);
    }
}


static void
ux_unpack_cart(ux_reader_t *r, ux_cart_t *cart, uint64_t origin_ms)
{
    unsigned  byte, state;

    byte = ux_reader_byte(r);
    state = byte & UX_PACK_CART;

    if (byte == 0
        || (state != UX_PACK_DONE && state > UX_FUNNEL_STEPS_MAX + 1))
    {
        ux_reader_fail(r);
        return;
    }

    cart->carried_in = (byte & UX_PACK_CARRIED) != 0;

    if (state == UX_PACK_DONE) {
        cart->state = UX_CART_DONE;

    } else if (state > 0) {
        cart->state = UX_CART_OPEN;
        cart->furthest = (uint8_t) (state - 1);
        cart->created_ms = ux_reader_time(r, origin_ms);
    }

    if (byte & UX_PACK_PURCHASED) {
        cart->purchased = (uint16_t) ux_reader_number(r, 1, UINT16_MAX);
    }

    if (byte & UX_PACK_LACKING) {
        cart->lacking = (uint16_t) ux_reader_number(r, 1, UINT16_MAX);
    }
}


static void
ux_unpack_pasts(ux_reader_t *r, ux_track_t *track, uint64_t origin_ms)
{
    unsigned  i, n;

    n = ux_reader_byte(r);

    if (n == 0 || n > UX_PASTS_MAX) {
        ux_reader_fail(r);
        return;
    }

    track->npasts = (uint8_t) n;

    for (i = 0; i < n && !r->bad; i++) {
        ux_unpack_past(r, &track->pasts[i], origin_ms);
    }
}


/* A purchased one is fresh, or it would not be there. */
static void
ux_unpack_past(ux_reader_t *r, ux_past_t *past, uint64_t origin_ms)
{
    unsigned  byte;

    byte = ux_reader_byte(r);

    if ((byte & ~(UX_PACK_SLOT_CART | UX_PACK_RECOVERED | UX_PACK_FRESH))
        || !(byte & (UX_PACK_RECOVERED | UX_PACK_FRESH)))
    {
        ux_reader_fail(r);
    }

    past->cart = (uint8_t) (byte & UX_PACK_SLOT_CART);
    past->recovered = (byte & UX_PACK_RECOVERED) != 0;
    past->furthest = 0;
    past->created_ms = 0;
    past->n = 1;

    if (past->recovered) {
        past->furthest = (uint8_t) ux_reader_byte(r);
    }

    if (byte & UX_PACK_FRESH) {
        past->created_ms = ux_reader_time(r, origin_ms);

    } else {
        past->n = (uint16_t) ux_reader_number(r, 1, UINT16_MAX);
    }

    if (past->furthest > UX_FUNNEL_STEPS_MAX
        || ((byte & UX_PACK_FRESH) && past->created_ms == 0))
    {
        ux_reader_fail(r);
    }
}


static void
ux_unpack_counts(ux_reader_t *r, ux_track_t *track)
{
    unsigned  mask;

    mask = ux_reader_byte(r);

    if (mask == 0 || (mask >> UX_TOTALS_MAX)) {
        ux_reader_fail(r);
    }

    for ( /* void */ ; mask != 0; mask &= mask - 1) {
        track->counts[__builtin_ctz(mask)] =
            (uint16_t) ux_reader_number(r, 1, UINT16_MAX);
    }
}
