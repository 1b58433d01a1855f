
/*
 * Copyright (C) the nginx-ux authors
 *
 * How a track of a visitor is packed: only what it has.
 */

#include "ux_number.h"
#include "ux_packing.h"

#include <string.h>


_Static_assert(UX_TOTALS_MAX == 8 && UX_SURVEYS == 3
               && UX_SEGMENTS_MAX == 4 && UX_FUNNELS_MAX % 4 == 0,
               "arrays that are looked at as a whole");


static void ux_pack_told(ux_writer_t *w, const ux_track_t *track,
    unsigned flags, unsigned paces);
static unsigned ux_pack_flags(const ux_track_t *track, bool lean);
static unsigned ux_pack_under_way(const ux_track_t *track);
static void ux_pack_paces(ux_writer_t *w, const ux_track_t *track,
    unsigned mask);
static void ux_pack_bytes(ux_writer_t *w, const uint8_t *bytes, unsigned n,
    unsigned max);
static void ux_pack_totals(ux_writer_t *w, const ux_track_t *track);
static void ux_pack_carts(ux_writer_t *w, const ux_track_t *track,
    uint64_t origin_ms);
static void ux_pack_cart(ux_writer_t *w, const ux_cart_t *cart,
    uint64_t origin_ms);
static void ux_pack_pasts(ux_writer_t *w, const ux_track_t *track,
    uint64_t origin_ms);
static void ux_pack_past(ux_writer_t *w, const ux_past_t *past,
    uint64_t origin_ms);
static void ux_pack_counts(ux_writer_t *w, const ux_track_t *track);


void
ux_pack_track(ux_writer_t *w, const ux_track_t *track, uint64_t origin_ms)
{
    unsigned  parts, flags, paces;

    if (track->arm == UX_ARM_NONE) {
        w->status = UX_ERROR;
        return;
    }

    paces = w->lean ? 0 : ux_pack_under_way(track);
    flags = ux_pack_flags(track, w->lean) | (paces ? UX_PACK_PACES : 0);
    parts = ux_pack_parts(track) | (flags ? UX_PACK_FLAGS : 0);

    ux_writer_number(w, ((uint64_t) track->arm << UX_PACK_ARM_SHIFT)
                        | (track->visit ? UX_PACK_VISIT : 0)
                        | (parts ? UX_PACK_BODY : 0));
    ux_writer_time(w, track->exposed_ms, origin_ms);

    if (parts) {
        ux_writer_byte(w, parts);

        if (parts & UX_PACK_FLAGS) {
            ux_pack_told(w, track, flags, paces);
        }

        ux_pack_body(w, track, parts, origin_ms);
    }
}


/* The flags of a track, and what they announce. */
static void
ux_pack_told(ux_writer_t *w, const ux_track_t *track, unsigned flags,
    unsigned paces)
{
    ux_writer_byte(w, flags);

    if (flags & UX_PACK_PACES) {
        ux_pack_paces(w, track, paces);
    }

    if (flags & UX_PACK_STAGE) {
        ux_writer_byte(w, track->stage);
        w->status = track->stage > UX_STAGES_MAX ? UX_ERROR : w->status;
    }

    if (flags & UX_PACK_ANSWERS) {
        ux_pack_bytes(w, track->answers, UX_SURVEYS, UX_SURVEY_SCALE);
    }

    if (flags & UX_PACK_SEGMENTS) {
        ux_pack_bytes(w, track->segments, UX_SEGMENTS_MAX, UX_SEGMENT_VALUES);
    }
}


/* A mask of those that are not 0, then these. */
static void
ux_pack_bytes(ux_writer_t *w, const uint8_t *bytes, unsigned n, unsigned max)
{
    unsigned  i, mask;

    mask = 0;

    for (i = 0; i < n; i++) {
        mask |= (bytes[i] != 0 ? 1u : 0u) << i;
    }

    ux_writer_byte(w, mask);

    for (i = 0; i < n; i++) {
        if (bytes[i] > max) {
            w->status = UX_ERROR;
            return;
        }

        if (bytes[i]) {
            ux_writer_byte(w, bytes[i]);
        }
    }
}


/*
 * Which parts of the track are not empty, but for UX_PACK_FLAGS.  Arrays are
 * looked at as a whole: most are empty.
 */
unsigned
ux_pack_parts(const ux_track_t *track)
{
    int64_t   totals;
    unsigned  i, parts;
    uint64_t  counts[UX_TOTALS_MAX * sizeof(uint16_t) / sizeof(uint64_t)];

    totals = 0;

    for (i = 0; i < UX_TOTALS_MAX; i += 4) {
        totals |= track->totals[i] | track->totals[i + 1]
                  | track->totals[i + 2] | track->totals[i + 3];
    }

    memcpy(counts, track->counts, sizeof(counts));

    parts = track->events ? UX_PACK_EVENTS : 0;
    parts |= track->steps ? UX_PACK_STEPS : 0;
    parts |= totals ? UX_PACK_TOTALS : 0;
    parts |= ux_visitor_carts(track) ? UX_PACK_CARTS : 0;
    parts |= track->before ? UX_PACK_BEFORE : 0;
    parts |= track->npasts ? UX_PACK_PASTS : 0;
    parts |= (counts[0] | counts[1]) ? UX_PACK_COUNTS : 0;

    return parts;
}


/* But for UX_PACK_PACES. */
static unsigned
ux_pack_flags(const ux_track_t *track, bool lean)
{
    uint32_t  segments;

    memcpy(&segments, track->segments, sizeof(segments));

    return (track->moved ? UX_PACK_MOVED : 0)
           | (track->waiting ? UX_PACK_WAITING : 0)
           | (track->crossed ? UX_PACK_CROSSED : 0)
           | (track->error_seen ? UX_PACK_SEEN : 0)
           | (!lean && track->stage ? UX_PACK_STAGE : 0)
           | (track->answers[0] | track->answers[1] | track->answers[2]
              ? UX_PACK_ANSWERS : 0)
           | (segments ? UX_PACK_SEGMENTS : 0);
}


/* Mask of the funnels it is under way in, four at a time: mostly none. */
static unsigned
ux_pack_under_way(const ux_track_t *track)
{
    unsigned          i, k, mask;
    const ux_pace_t  *pace;

    mask = 0;

    for (i = 0; i < UX_FUNNELS_MAX; i += 4) {
        pace = &track->paces[i];

        if ((pace[0].reached_ms | pace[1].reached_ms | pace[2].reached_ms
             | pace[3].reached_ms)
            == 0)
        {
            continue;
        }

        for (k = 0; k < 4; k++) {
            mask |= (pace[k].reached_ms != 0 ? 1u : 0u) << (i + k);
        }
    }

    return mask;
}


static void
ux_pack_paces(ux_writer_t *w, const ux_track_t *track, unsigned mask)
{
    const ux_pace_t  *pace;

    ux_writer_number(w, mask);

    for ( /* void */ ; mask != 0; mask &= mask - 1) {
        pace = &track->paces[__builtin_ctz(mask)];

        ux_writer_moment(w, pace->started_ms, track->exposed_ms);
        ux_writer_moment(w, pace->reached_ms, track->exposed_ms);
        ux_writer_fixed(w, pace->mark, 2);
    }
}


/* What follows the flags. */
void
ux_pack_body(ux_writer_t *w, const ux_track_t *track, unsigned parts,
    uint64_t origin_ms)
{
    if (parts & UX_PACK_EVENTS) {
        ux_writer_number(w, track->events);
    }

    if (parts & UX_PACK_STEPS) {
        ux_writer_number(w, track->steps);
    }

    if (parts & UX_PACK_TOTALS) {
        ux_pack_totals(w, track);
    }

    if (parts & UX_PACK_CARTS) {
        ux_pack_carts(w, track, origin_ms);
    }

    if (parts & UX_PACK_BEFORE) {
        ux_writer_number(w, track->before);
    }

    if (parts & UX_PACK_PASTS) {
        ux_pack_pasts(w, track, origin_ms);
    }

    if (parts & UX_PACK_COUNTS) {
        ux_pack_counts(w, track);
    }
}


static void
ux_pack_totals(ux_writer_t *w, const ux_track_t *track)
{
    unsigned  i, mask;

    mask = 0;

    for (i = 0; i < UX_TOTALS_MAX; i++) {
        mask |= (track->totals[i] != 0 ? 1u : 0u) << i;
    }

    ux_writer_byte(w, mask);

    for ( /* void */ ; mask != 0; mask &= mask - 1) {
        i = (unsigned) __builtin_ctz(mask);

        if (track->totals[i] < 0 || track->totals[i] > UX_TOTAL_MAX) {
            w->status = UX_ERROR;
            return;
        }

        ux_writer_number(w, (uint64_t) track->totals[i]);
    }
}


static void
ux_pack_carts(ux_writer_t *w, const ux_track_t *track, uint64_t origin_ms)
{
    unsigned          i, mask;
    const ux_cart_t  *cart;

    mask = 0;

    for (i = 0; i < UX_CARTS_MAX; i++) {
        mask |= (ux_visitor_cart(&track->carts[i]) ? 1u : 0u) << i;
    }

    ux_writer_byte(w, mask);

    for ( /* void */ ; mask != 0; mask &= mask - 1) {
        cart = &track->carts[__builtin_ctz(mask)];

        if (cart->state > UX_CART_DONE
            || cart->furthest > UX_FUNNEL_STEPS_MAX
            || (track->arm == UX_ARM_NONE
                && (cart->purchased || cart->lacking || cart->carried_in)))
        {
            w->status = UX_ERROR;
            return;
        }

        ux_pack_cart(w, cart, origin_ms);
    }
}


static void
ux_pack_cart(ux_writer_t *w, const ux_cart_t *cart, uint64_t origin_ms)
{
    unsigned  state;

    state = cart->state == UX_CART_OPEN ? cart->furthest + 1u
            : cart->state == UX_CART_DONE ? UX_PACK_DONE : 0;

    ux_writer_byte(w, state
                      | (cart->carried_in ? UX_PACK_CARRIED : 0)
                      | (cart->purchased ? UX_PACK_PURCHASED : 0)
                      | (cart->lacking ? UX_PACK_LACKING : 0));

    if (cart->state == UX_CART_OPEN) {
        ux_writer_time(w, cart->created_ms, origin_ms);
    }

    if (cart->purchased) {
        ux_writer_number(w, cart->purchased);
    }

    if (cart->lacking) {
        ux_writer_number(w, cart->lacking);
    }
}


static void
ux_pack_pasts(ux_writer_t *w, const ux_track_t *track, uint64_t origin_ms)
{
    unsigned          i;
    const ux_past_t  *past;

    if (track->npasts > UX_PASTS_MAX) {
        w->status = UX_ERROR;
        return;
    }

    ux_writer_byte(w, track->npasts);

    for (i = 0; i < track->npasts; i++) {
        past = &track->pasts[i];

        if (past->cart >= UX_CARTS_MAX
            || past->furthest > (past->recovered ? UX_FUNNEL_STEPS_MAX : 0)
            || past->n == 0
            || (past->n > 1 && past->created_ms != 0)
            || (!past->recovered && past->created_ms == 0))
        {
            w->status = UX_ERROR;
            return;
        }

        ux_pack_past(w, past, origin_ms);
    }
}


static void
ux_pack_past(ux_writer_t *w, const ux_past_t *past, uint64_t origin_ms)
{
    ux_writer_byte(w, past->cart
                      | (past->recovered ? UX_PACK_RECOVERED : 0)
                      | (past->created_ms ? UX_PACK_FRESH : 0));

    if (past->recovered) {
        ux_writer_byte(w, past->furthest);
    }

    if (past->created_ms) {
        ux_writer_time(w, past->created_ms, origin_ms);

    } else {
        ux_writer_number(w, past->n);
    }
}


static void
ux_pack_counts(ux_writer_t *w, const ux_track_t *track)
{
    unsigned  i, mask;

    mask = 0;

    for (i = 0; i < UX_TOTALS_MAX; i++) {
        mask |= (track->counts[i] != 0 ? 1u : 0u) << i;
    }

    ux_writer_byte(w, mask);

    for ( /* void */ ; mask != 0; mask &= mask - 1) {
        ux_writer_number(w, track->counts[__builtin_ctz(mask)]);
    }
}
