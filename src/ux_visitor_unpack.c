
/*
 * Copyright (C) the nginx-ux authors
 *
 * How a visitor is unpacked, from our own bytes or, in a snapshot, from
 * anybody's: every count and slot is checked before it is used, and what pack
 * could not have written is refused, so that accepted bytes pack to
 * themselves.
 *
 * Nothing clears the visitor's 5 KB: only what the counts cover is written.
 */

#include "ux_visitor.h"
#include "ux_number.h"
#include "ux_packing.h"

#include <string.h>


static unsigned ux_unpack_head(ux_reader_t *r, ux_visitor_t *visitor);
static void ux_unpack_alias(ux_reader_t *r, ux_visitor_t *visitor);
static void ux_unpack_times(ux_reader_t *r, ux_visitor_t *visitor);
static void ux_unpack_ids(ux_reader_t *r, ux_visitor_t *visitor);
static unsigned ux_unpack_life(ux_reader_t *r, ux_visitor_t *visitor,
    bool body, uint64_t origin_ms);
static void ux_unpack_track(ux_reader_t *r, ux_track_t *track,
    uint64_t origin_ms);
static unsigned ux_unpack_parts(ux_reader_t *r);
static unsigned ux_unpack_life_flags(ux_reader_t *r, ux_visitor_t *visitor);
static void ux_unpack_form(ux_reader_t *r, ux_visitor_t *visitor,
    uint64_t origin_ms);
static void ux_unpack_pending(ux_reader_t *r, ux_visitor_t *visitor,
    uint64_t origin_ms);
static void ux_unpack_event(ux_reader_t *r, ux_event_t *event,
    uint64_t origin_ms);


ux_status_t
ux_visitor_unpack(ux_visitor_t *visitor, const uint8_t *buf, size_t len)
{
    uint64_t     origin_ms;
    unsigned     flags, life, i;
    ux_reader_t  r;

    if (len > UX_PACKED_MAX) {
        return UX_ERROR;
    }

    r.pos = buf;
    r.end = buf + len;
    r.bad = false;

    flags = ux_unpack_head(&r, visitor);

    if (r.bad) {
        return UX_ERROR;
    }

    origin_ms = (uint64_t) visitor->first_s * 1000;

    if (visitor->alias) {
        ux_unpack_alias(&r, visitor);
    }

    life = ux_unpack_life(&r, visitor, (flags & UX_PACK_LIFE) != 0,
                          origin_ms);

    for (i = 1; i < visitor->ntracks && !r.bad; i++) {
        ux_unpack_track(&r, &visitor->tracks[i], origin_ms);
    }

    if (life & UX_PACK_VITALS) {
        ux_reader_vitals(&r, visitor);
    }

    if (visitor->npending) {
        ux_unpack_pending(&r, visitor, origin_ms);
    }

    if (r.bad || r.pos != r.end) {
        return UX_ERROR;
    }

    return UX_OK;
}


/* Up to the life's body; ntracks, npending and nids are in range or bad. */
static unsigned
ux_unpack_head(ux_reader_t *r, ux_visitor_t *visitor)
{
    unsigned  counts, flags;

    flags = ux_reader_byte(r);
    counts = ux_reader_byte(r);

    visitor->alias = counts == UX_PACK_ALIAS;

    if ((flags & 0xf0u) != UX_PACK_LAYOUT
        || (counts & UX_PACK_TRACKS) >= UX_TRACKS_MAX
        || ((counts & UX_PACK_ALIAS) && !visitor->alias)
        || (visitor->alias && (flags & 0x0fu & ~UX_PACK_CONFIRMED)))
    {
        ux_reader_fail(r);
        return 0;
    }

    visitor->confirmed = (flags & UX_PACK_CONFIRMED) != 0;
    visitor->error_seen = (flags & UX_PACK_ERROR) != 0;
    visitor->ntracks = (uint8_t) ((counts & UX_PACK_TRACKS) + 1);
    visitor->npending = (counts & UX_PACK_PENDING) ? 1 : 0;

    ux_unpack_times(r, visitor);
    visitor->cookie_hash = 0;
    visitor->nids = 0;
    visitor->next_id = 0;
    visitor->post_failed = false;
    visitor->post_hash = 0;
    visitor->post_ms = 0;
    visitor->vitals_full = false;
    memset(visitor->vitals, 0, sizeof(visitor->vitals));

    if (flags & UX_PACK_COOKIE) {
        visitor->cookie_hash = ux_reader_fixed(r, 8);

        if (visitor->cookie_hash == 0) {
            ux_reader_fail(r);
        }
    }

    if (counts & UX_PACK_IDS) {
        ux_unpack_ids(r, visitor);
    }

    return flags;
}


static void
ux_unpack_times(ux_reader_t *r, ux_visitor_t *visitor)
{
    uint64_t  last;

    visitor->key_id = ux_reader_fixed(r, 8);
    visitor->first_s = (uint32_t) ux_reader_fixed(r, 4);

    last = ux_reader_number(r, 0, (uint64_t) UINT32_MAX << 2 | 2);

    visitor->last_s = visitor->first_s + (uint32_t) (last >> 2);
    visitor->pages = last & 3;

    if (visitor->pages > 2) {
        ux_reader_fail(r);
    }
}


static void
ux_unpack_alias(ux_reader_t *r, ux_visitor_t *visitor)
{
    unsigned  i;

    for (i = 0; i < UX_ALIAS_ID; i++) {
        visitor->alias_id[i] = (uint8_t) ux_reader_byte(r);
    }
}


static void
ux_unpack_ids(ux_reader_t *r, ux_visitor_t *visitor)
{
    unsigned  byte, i;

    byte = ux_reader_byte(r);

    visitor->nids = (uint8_t) (byte & 0x0fu);
    visitor->next_id = (uint8_t) (byte >> 4);

    if (visitor->nids == 0 || !ux_packing_counts_ok(visitor)) {
        visitor->nids = 0;
        ux_reader_fail(r);
        return;
    }

    for (i = 0; i < visitor->nids; i++) {
        visitor->ids[i] = (uint32_t) ux_reader_fixed(r, 4);
    }
}


/* Its flags, 0 for none. */
static unsigned
ux_unpack_life(ux_reader_t *r, ux_visitor_t *visitor, bool body,
    uint64_t origin_ms)
{
    unsigned     parts, flags;
    ux_track_t  *life;

    life = &visitor->tracks[0];
    ux_visitor_clear(life);

    life->arm = UX_ARM_NONE;
    life->exposed_ms = origin_ms;
    flags = 0;

    if (!body) {
        return 0;
    }

    parts = ux_unpack_parts(r);

    if (parts & ~UX_PACK_LIFE_PARTS) {
        ux_reader_fail(r);
    }

    if (parts & UX_PACK_FLAGS) {
        flags = ux_unpack_life_flags(r, visitor);
    }

    if (flags & UX_PACK_POST) {
        ux_unpack_form(r, visitor, origin_ms);
    }

    ux_unpack_body(r, life, parts, origin_ms);

    if (ux_visitor_carts(life) & UX_CART_WORD_COUNTS) {
        ux_reader_fail(r);
    }

    return flags;
}


static void
ux_unpack_track(ux_reader_t *r, ux_track_t *track, uint64_t origin_ms)
{
    uint64_t  word;
    unsigned  parts;

    ux_visitor_clear(track);

    word = ux_reader_number(r, 0, ((uint64_t) UX_ARM_NONE
                                   << UX_PACK_ARM_SHIFT) - 1);

    track->arm = (uint16_t) (word >> UX_PACK_ARM_SHIFT);
    track->visit = (word & UX_PACK_VISIT) != 0;
    track->exposed_ms = ux_reader_time(r, origin_ms);

    if (!(word & UX_PACK_BODY)) {
        return;
    }

    parts = ux_unpack_parts(r);

    if (parts & UX_PACK_FLAGS) {
        ux_unpack_flags(r, track);
    }

    ux_unpack_body(r, track, parts, origin_ms);
}


/* Which parts a body has: not none. */
static unsigned
ux_unpack_parts(ux_reader_t *r)
{
    unsigned  parts;

    parts = ux_reader_byte(r);

    if (parts == 0) {
        ux_reader_fail(r);
    }

    return parts;
}


static unsigned
ux_unpack_life_flags(ux_reader_t *r, ux_visitor_t *visitor)
{
    unsigned  flags, vitals;

    flags = ux_reader_byte(r);
    vitals = flags & (UX_PACK_VITALS | UX_PACK_NO_VITALS);

    if (flags == 0 || (flags & ~(UX_PACK_FORMS | vitals))
        || (flags & UX_PACK_FORMS) == UX_PACK_FAILED
        || vitals == (UX_PACK_VITALS | UX_PACK_NO_VITALS))
    {
        ux_reader_fail(r);
    }

    visitor->post_failed = (flags & UX_PACK_FAILED) != 0;
    visitor->vitals_full = (flags & UX_PACK_NO_VITALS) != 0;

    return flags;
}


static void
ux_unpack_form(ux_reader_t *r, ux_visitor_t *visitor, uint64_t origin_ms)
{
    visitor->post_hash = (uint32_t) ux_reader_fixed(r, 4);
    visitor->post_ms = ux_reader_time(r, origin_ms);

    if (visitor->post_hash == 0) {
        ux_reader_fail(r);
    }
}


static void
ux_unpack_pending(ux_reader_t *r, ux_visitor_t *visitor, uint64_t origin_ms)
{
    unsigned  i, n;

    n = ux_reader_byte(r);

    if (n == 0 || n > UX_PENDING_MAX) {
        ux_reader_fail(r);
        return;
    }

    visitor->npending = (uint8_t) n;

    for (i = 0; i < n && !r->bad; i++) {
        ux_unpack_event(r, &visitor->pending[i], origin_ms);
    }
}


static void
ux_unpack_event(ux_reader_t *r, ux_event_t *event, uint64_t origin_ms)
{
    unsigned  byte;

    byte = ux_reader_byte(r);

    if (byte & ~(UX_PACK_SLOT | UX_PACK_VALUE)) {
        ux_reader_fail(r);
    }

    event->event = (uint8_t) (byte & UX_PACK_SLOT);
    event->has_value = (byte & UX_PACK_VALUE) != 0;
    event->now_ms = ux_reader_time(r, origin_ms);
    event->value = 0;
    event->id_hash = 0;
    event->currency = UX_CURRENCY_ZONE;

    if (event->has_value) {
        event->value = (int64_t) ux_reader_number(r, 0, UX_MONEY_MAX);
    }
}
