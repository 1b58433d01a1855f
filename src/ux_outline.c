
/*
 * Copyright (C) the nginx-ux authors
 *
 * An outline of a packed visitor, whose bytes ux_packing.h tells.  They are
 * our own, so they are not checked as ux_visitor_unpack() checks them; but
 * they may be torn, as they are looked at without a lock, so that every step
 * stays within the bytes, and a loop ends with them.
 *
 * Cost: some 15 instructions for an exposure without events.
 */

#include "ux_outline.h"
#include "ux_packing.h"

#include <string.h>


/* Where the number with last_s is: behind flags, key_id and first_s. */
#define UX_OUTLINE_TIMES  14

#define UX_OUTLINE_PACKED  (UX_OUTLINE_WAITING | UX_OUTLINE_CROSSED          \
                            | UX_OUTLINE_SEGMENTED)

_Static_assert(UX_OUTLINE_WAITING == UX_PACK_WAITING
               && UX_OUTLINE_CROSSED == UX_PACK_CROSSED
               && UX_OUTLINE_SEGMENTED == UX_PACK_SEGMENTS,
               "flags as they are packed");


/* Moves to the end, where nothing is read any more, when it would pass it. */
typedef struct {
    const uint8_t  *pos;
    const uint8_t  *end;
} ux_skipper_t;


static void ux_skip_head(ux_skipper_t *s, unsigned flags, unsigned counts,
    ux_outline_t *outline);
static void ux_skip_life(ux_skipper_t *s);
static void ux_skip_track(ux_skipper_t *s, ux_outline_track_t *track);
static unsigned ux_skip_start(ux_skipper_t *s);
static unsigned ux_skip_flags(ux_skipper_t *s);
static void ux_skip_body(ux_skipper_t *s, unsigned parts);
static void ux_skip_carts(ux_skipper_t *s);
static void ux_skip_pasts(ux_skipper_t *s);
static void ux_skip_masked(ux_skipper_t *s);
static unsigned ux_skip_value(ux_skipper_t *s);
static inline void ux_skip_number(ux_skipper_t *s);
static inline void ux_skip_bytes(ux_skipper_t *s, unsigned n);
static inline unsigned ux_skip_byte(ux_skipper_t *s);


ux_status_t
ux_outline_read(ux_outline_t *outline, const uint8_t *buf, size_t len)
{
    unsigned      i, flags;
    ux_skipper_t  s;

    if (len <= UX_OUTLINE_TIMES || (buf[0] & 0xf0u) != UX_PACK_LAYOUT
        || (buf[1] & UX_PACK_ALIAS)
        || (buf[1] & UX_PACK_TRACKS) >= UX_TRACKS_MAX)
    {
        return UX_DECLINED;
    }

    s.pos = buf + UX_OUTLINE_TIMES;
    s.end = buf + len;

    memcpy(&outline->first_s, buf + UX_OUTLINE_TIMES - 4, 4);
    ux_skip_head(&s, buf[0], buf[1], outline);
    flags = 0;

    if (buf[0] & UX_PACK_LIFE) {
        ux_skip_life(&s);
    }

    for (i = 0; i < outline->n; i++) {

        if (s.pos == s.end) {
            return UX_DECLINED;
        }

        ux_skip_track(&s, &outline->tracks[i]);
        flags |= outline->tracks[i].flags;
    }

    outline->waiting = (flags & UX_OUTLINE_WAITING) != 0;

    return UX_OK;
}


void
ux_outline_of(ux_outline_t *outline, const ux_visitor_t *visitor)
{
    bool                 segmented;
    unsigned             i, k;
    const ux_track_t    *track;
    ux_outline_track_t  *to;

    outline->cookie_hash = visitor->cookie_hash;
    outline->first_s = visitor->first_s;
    outline->confirmed = visitor->confirmed;
    outline->waiting = false;
    outline->pages = visitor->pages;
    outline->n = (uint8_t) (visitor->ntracks - 1);

    for (i = 0; i < outline->n; i++) {
        track = &visitor->tracks[i + 1];
        to = &outline->tracks[i];

        segmented = false;

        for (k = 0; k < UX_SEGMENTS_MAX; k++) {
            segmented |= track->segments[k] != 0;
        }

        to->arm = track->arm;
        to->flags = (uint16_t) ((track->visit ? UX_OUTLINE_VISIT : 0)
                                | (track->waiting ? UX_OUTLINE_WAITING : 0)
                                | (track->crossed ? UX_OUTLINE_CROSSED : 0)
                                | (segmented ? UX_OUTLINE_SEGMENTED : 0));

        outline->waiting |= track->waiting;
    }
}


/* From the number on that has last_s. */
static void
ux_skip_head(ux_skipper_t *s, unsigned flags, unsigned counts,
    ux_outline_t *outline)
{
    outline->confirmed = (flags & UX_PACK_CONFIRMED) != 0;
    outline->n = (uint8_t) (counts & UX_PACK_TRACKS);
    outline->cookie_hash = 0;

    outline->pages = *s->pos & 3u;
    ux_skip_number(s);

    if (flags & UX_PACK_COOKIE) {
        memcpy(&outline->cookie_hash, s->pos, 8);
        ux_skip_bytes(s, 8);
    }

    if (counts & UX_PACK_IDS) {
        ux_skip_bytes(s, (ux_skip_byte(s) & 0x0fu) * 4);
    }
}


static void
ux_skip_life(ux_skipper_t *s)
{
    unsigned  parts;

    parts = ux_skip_byte(s);

    if ((parts & UX_PACK_FLAGS) && (ux_skip_byte(s) & UX_PACK_POST)) {
        ux_skip_bytes(s, 4);
        ux_skip_number(s);
    }

    ux_skip_body(s, parts);
}


static void
ux_skip_track(ux_skipper_t *s, ux_outline_track_t *track)
{
    unsigned  word, parts, flags;

    word = ux_skip_start(s);
    flags = 0;

    if (word & UX_PACK_BODY) {
        parts = ux_skip_byte(s);

        if (parts & UX_PACK_FLAGS) {
            flags = ux_skip_flags(s);
        }

        ux_skip_body(s, parts);
    }

    track->arm = (uint16_t) (word >> UX_PACK_ARM_SHIFT);
    track->flags = (uint16_t) ((flags & UX_OUTLINE_PACKED)
                               | (word & UX_PACK_VISIT ? UX_OUTLINE_VISIT
                                                       : 0));
}


/* The number a track begins with, and the time behind it: mostly 7 bytes. */
static unsigned
ux_skip_start(ux_skipper_t *s)
{
    uint64_t  x, last;
    unsigned  word;

    if (s->end - s->pos >= 8) {
        memcpy(&x, s->pos, 8);
        last = ~x & 0x8080808080808080ull;

        /* the word ends within two bytes, and the time within eight */

        if ((last & 0x8080) && (last & (last - 1))) {
            word = x & 0x7f;
            word |= last & 0x80 ? 0 : (unsigned) (x & 0x7f00) >> 1;
            last &= last - 1;
            s->pos += __builtin_ctzll(last) / 8 + 1;

            return word;
        }
    }

    word = ux_skip_value(s);
    ux_skip_number(s);

    return word;
}


static unsigned
ux_skip_flags(ux_skipper_t *s)
{
    unsigned  flags, mask;

    flags = ux_skip_byte(s);

    if (flags & UX_PACK_PACES) {
        for (mask = ux_skip_value(s); mask != 0; mask &= mask - 1) {
            ux_skip_number(s);
            ux_skip_number(s);
            ux_skip_bytes(s, 2);
        }
    }

    if (flags & UX_PACK_STAGE) {
        ux_skip_bytes(s, 1);
    }

    if (flags & UX_PACK_ANSWERS) {
        ux_skip_bytes(s, (unsigned) __builtin_popcount(ux_skip_byte(s)));
    }

    if (flags & UX_PACK_SEGMENTS) {
        ux_skip_bytes(s, (unsigned) __builtin_popcount(ux_skip_byte(s)));
    }

    return flags;
}


static void
ux_skip_body(ux_skipper_t *s, unsigned parts)
{
    if (parts & UX_PACK_EVENTS) {
        ux_skip_number(s);
    }

    if (parts & UX_PACK_STEPS) {
        ux_skip_number(s);
    }

    if (parts & UX_PACK_TOTALS) {
        ux_skip_masked(s);
    }

    if (parts & UX_PACK_CARTS) {
        ux_skip_carts(s);
    }

    if (parts & UX_PACK_BEFORE) {
        ux_skip_number(s);
    }

    if (parts & UX_PACK_PASTS) {
        ux_skip_pasts(s);
    }

    if (parts & UX_PACK_COUNTS) {
        ux_skip_masked(s);
    }
}


static void
ux_skip_carts(ux_skipper_t *s)
{
    unsigned  mask, byte, state;

    for (mask = ux_skip_byte(s); mask != 0; mask &= mask - 1) {
        byte = ux_skip_byte(s);
        state = byte & UX_PACK_CART;

        if (state != 0 && state != UX_PACK_DONE) {
            ux_skip_number(s);
        }

        if (byte & UX_PACK_PURCHASED) {
            ux_skip_number(s);
        }

        if (byte & UX_PACK_LACKING) {
            ux_skip_number(s);
        }
    }
}


static void
ux_skip_pasts(ux_skipper_t *s)
{
    unsigned  n;

    for (n = ux_skip_byte(s); n != 0; n--) {

        if (ux_skip_byte(s) & UX_PACK_RECOVERED) {
            ux_skip_bytes(s, 1);
        }

        ux_skip_number(s);
    }
}


/* A mask, and a number for each of its bits. */
static void
ux_skip_masked(ux_skipper_t *s)
{
    unsigned  mask;

    for (mask = ux_skip_byte(s); mask != 0; mask &= mask - 1) {
        ux_skip_number(s);
    }
}


/* A number of up to 21 bits. */
static unsigned
ux_skip_value(ux_skipper_t *s)
{
    unsigned  value, byte, shift;

    value = 0;
    shift = 0;

    do {
        byte = ux_skip_byte(s);
        value |= (byte & 0x7fu) << shift;
        shift += 7;

    } while ((byte & 0x80u) && shift < 21);

    return value;
}


/* Its last byte is the first one without the high bit. */
static inline void
ux_skip_number(ux_skipper_t *s)
{
    uint64_t  word;

    memcpy(&word, s->pos, 8);
    word = ~word & 0x8080808080808080ull;

    if (word == 0) {
        ux_skip_bytes(s, 8);
        ux_skip_bytes(s, *s->pos & 0x80u ? 2 : 1);
        return;
    }

    ux_skip_bytes(s, (unsigned) __builtin_ctzll(word) / 8 + 1);
}


static inline void
ux_skip_bytes(ux_skipper_t *s, unsigned n)
{
    s->pos = (size_t) (s->end - s->pos) > n ? s->pos + n : s->end;
}


/* 0 at the end. */
static inline unsigned
ux_skip_byte(ux_skipper_t *s)
{
    return s->pos < s->end ? *s->pos++ : 0;
}
