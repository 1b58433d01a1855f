
/*
 * Copyright (C) the nginx-ux authors
 *
 * The packed form of a visitor: its bytes, and the bounded writer and reader
 * that pack and unpack go through.
 *
 * In order; `v` is a LEB128 number, `z` the same of a signed one (zigzag,
 * 0 -1 1 -2 ...), fixed widths are little-endian.  Times are z, in
 * milliseconds from first_s * 1000: most are later, a stepped clock is not.
 *
 *   1    layout << 4, flags: confirmed, error_seen, cookie, life
 *   1    tracks beside the life (0..16), flags: ids, pending, alias
 *   8    key_id
 *   4    first_s
 *   v    last_s - first_s, modulo 2^32, << 2, pages
 *   8    cookie_hash                                        if cookie
 *   1    ids filled, next << 4; then 4 bytes an id          if ids
 *   body of the life                                        if life
 *   each other track:
 *     v    arm << 2, flags: body, visit
 *     z    exposed_ms
 *     body                                                  if it has one
 *   1    mask of metrics, then each:                        if vitals
 *     4    id
 *     v    mark
 *     v    mask of tracks, the first beside the life first
 *   pending:                                                if pending
 *     1    how many, then each:
 *     1    slot, flag: value
 *     z    now_ms
 *     v    value                                            if value
 *
 *   body:
 *     1    parts: flags, events, steps, totals, carts, before, pasts,
 *          counts; never 0
 *     1    flags                                             if flags:
 *          of a track: moved, waiting, crossed, error_seen, paces, stage,
 *          answers, segments;
 *          of the life: post, failed, vitals, vitals_full
 *     paces, v mask of funnels, then each:                   if paces
 *     m    started_ms
 *     m    reached_ms, not 0
 *     2    mark
 *     1    stage                                             if stage
 *     1    mask of answers, then 1 each                      if answers
 *     1    mask of segments, then 1 each                     if segments
 *     4    post_hash, then z post_ms                         if post
 *     v    events                                           if events
 *     v    steps                                            if steps
 *     1    mask of totals, then v each                      if totals
 *     1    mask of carts, then each:                        if carts
 *     1    0 none, furthest + 1, 31 done, flags: carried in, purchased,
 *          lacking
 *     z    created_ms                                       if open
 *     v    purchased                                        if purchased
 *     v    lacking                                          if lacking
 *     v    before                                           if before
 *     1    how many, then each:                             if pasts
 *     1    cart, flags: recovered, fresh
 *     1    furthest                                         if recovered
 *     z    created_ms if fresh, else v how many
 *     1    mask of counts, then v each                      if counts
 *
 * m is a time that may be 0, for none: then 0, else 1 more than its z from
 * exposed_ms.
 *
 * An alias ends after last_s with its 16 bytes alias_id.
 *
 * One visitor has one packed form: a number takes its shortest form, and what
 * a flag announces is not empty.
 */

#ifndef UX_PACKING_H
#define UX_PACKING_H


#include "ux_visitor.h"


#define UX_PACK_LAYOUT     (4u << 4)

/* First byte. */
#define UX_PACK_CONFIRMED  0x01u
#define UX_PACK_ERROR      0x02u
#define UX_PACK_COOKIE     0x04u
#define UX_PACK_LIFE       0x08u

/* Second byte. */
#define UX_PACK_TRACKS     0x1fu
#define UX_PACK_IDS        0x20u
#define UX_PACK_PENDING    0x40u
#define UX_PACK_ALIAS      0x80u

/* The number a track begins with. */
#define UX_PACK_BODY       0x01u
#define UX_PACK_VISIT      0x02u
#define UX_PACK_ARM_SHIFT  2

/* First byte of a body. */
#define UX_PACK_FLAGS      0x01u
#define UX_PACK_EVENTS     0x02u
#define UX_PACK_STEPS      0x04u
#define UX_PACK_TOTALS     0x08u
#define UX_PACK_CARTS      0x10u
#define UX_PACK_BEFORE     0x20u
#define UX_PACK_PASTS      0x40u
#define UX_PACK_COUNTS     0x80u

/* What a life has of these. */
#define UX_PACK_LIFE_PARTS (UX_PACK_FLAGS | UX_PACK_EVENTS | UX_PACK_STEPS   \
                            | UX_PACK_TOTALS | UX_PACK_CARTS)

/* Flags of a track. */
#define UX_PACK_MOVED      0x01u
#define UX_PACK_WAITING    0x02u
#define UX_PACK_CROSSED    0x04u
#define UX_PACK_SEEN       0x08u     /* error_seen */
#define UX_PACK_PACES      0x10u
#define UX_PACK_STAGE      0x20u
#define UX_PACK_ANSWERS    0x40u
#define UX_PACK_SEGMENTS   0x80u

/* Flags of the life. */
#define UX_PACK_POST       0x20u
#define UX_PACK_FAILED     0x40u
#define UX_PACK_FORMS      0x60u
#define UX_PACK_VITALS     0x01u     /* behind the tracks */
#define UX_PACK_NO_VITALS  0x02u     /* vitals_full */

/* First byte of a cart. */
#define UX_PACK_CART       0x1fu
#define UX_PACK_DONE       0x1fu
#define UX_PACK_CARRIED    0x20u
#define UX_PACK_PURCHASED  0x40u
#define UX_PACK_LACKING    0x80u

/* First byte of a past cart. */
#define UX_PACK_SLOT_CART  0x07u
#define UX_PACK_RECOVERED  0x08u
#define UX_PACK_FRESH      0x10u

/* First byte of a pending event. */
#define UX_PACK_SLOT       0x3fu
#define UX_PACK_VALUE      0x40u

_Static_assert(UX_TRACKS_MAX - 1 <= UX_PACK_TRACKS, "tracks in five bits");
_Static_assert(UX_EVENTS_MAX - 1 <= UX_PACK_SLOT, "event slot in six bits");
_Static_assert(UX_STEPS_MAX <= 64, "step mask in 64 bits");
_Static_assert(UX_TOTALS_MAX <= 8 && UX_CARTS_MAX <= 8, "masks of a byte");
_Static_assert(UX_IDS_MAX < 16, "ids in a nibble");
_Static_assert(UX_SURVEYS <= 8 && UX_SEGMENTS_MAX <= 8, "masks of a byte");
_Static_assert(UX_FUNNELS_MAX <= 16, "mask of 16 bits");
_Static_assert(UX_VITALS <= 8, "mask of a byte");
_Static_assert(UX_FUNNEL_STEPS_MAX + 1 < UX_PACK_DONE, "furthest, 5 bits");


typedef struct {
    uint8_t      *pos;
    uint8_t      *end;
    ux_status_t   status;          /* the first fault */
    bool          lean;            /* without paces, stage, form */
} ux_writer_t;


/* What a record is packed without, the first that fits; each with the last. */
typedef enum {
    UX_LEAN_NOTHING = 0,
    UX_LEAN_VITALS,                  /* but that there were some */
    UX_LEAN_TIMES,                   /* writer's lean */
    UX_LEAN_NO_VITALS,               /* nor that */
    UX_LEAN_LEVELS
} ux_lean_e;


typedef struct {
    const uint8_t  *pos;
    const uint8_t  *end;
    bool            bad;
} ux_reader_t;


/* Past the end nothing is written and status becomes UX_FULL. */
void ux_writer_fixed(ux_writer_t *w, uint64_t value, unsigned size);
void ux_writer_time(ux_writer_t *w, uint64_t ms, uint64_t origin_ms);

/* A time that may be none, 0. */
void ux_writer_moment(ux_writer_t *w, uint64_t ms, uint64_t origin_ms);

/* After a fault nothing further is read and the answers are 0. */
uint64_t ux_reader_fixed(ux_reader_t *r, unsigned size);
uint64_t ux_reader_time(ux_reader_t *r, uint64_t origin_ms);
uint64_t ux_reader_moment(ux_reader_t *r, uint64_t origin_ms);
void ux_reader_fail(ux_reader_t *r);

/* What ux_writer_number() and ux_reader_number() are for other numbers. */
void ux_writer_long(ux_writer_t *w, uint64_t value);
uint64_t ux_reader_long(ux_reader_t *r, uint64_t min, uint64_t max);


static inline void
ux_writer_byte(ux_writer_t *w, unsigned byte)
{
    if (w->pos == w->end) {
        w->status = w->status == UX_OK ? UX_FULL : w->status;
        return;
    }

    *w->pos++ = (uint8_t) byte;
}


static inline void
ux_writer_number(ux_writer_t *w, uint64_t value)
{
    if (value < 0x80) {
        ux_writer_byte(w, (unsigned) value);
        return;
    }

    ux_writer_long(w, value);
}


static inline unsigned
ux_reader_byte(ux_reader_t *r)
{
    if (r->pos == r->end) {
        r->bad = true;
        return 0;
    }

    return *r->pos++;
}


/* In the shortest form and within bounds; 0 and a fault otherwise. */
static inline uint64_t
ux_reader_number(ux_reader_t *r, uint64_t min, uint64_t max)
{
    if (r->pos < r->end && *r->pos < 0x80u && *r->pos >= min
        && *r->pos <= max)
    {
        return *r->pos++;
    }

    return ux_reader_long(r, min, max);
}


/*
 * The cookie_hash in the first bytes of a packed visitor, 0: none.  buf has
 * room for UX_PACK_BEGINS bytes, of which len are its.
 */
#define UX_PACK_BEGINS  32

uint64_t ux_packing_cookie(const uint8_t *buf, size_t len);

/*
 * A track but for the life's, ux_visitor_track.c: as a whole; which parts it
 * has, but for UX_PACK_FLAGS, which ux_pack_body() does not write.
 */
void ux_pack_track(ux_writer_t *w, const ux_track_t *track,
    uint64_t origin_ms);
unsigned ux_pack_parts(const ux_track_t *track);
void ux_pack_body(ux_writer_t *w, const ux_track_t *track, unsigned parts,
    uint64_t origin_ms);

/* And back, ux_visitor_unpack_track.c. */
void ux_unpack_flags(ux_reader_t *r, ux_track_t *track);
void ux_unpack_body(ux_reader_t *r, ux_track_t *track, unsigned parts,
    uint64_t origin_ms);

/* Counts that pack follows as a length or writes in a nibble. */
bool ux_packing_counts_ok(const ux_visitor_t *visitor);

/* Mask of the metrics it remembers a page view of. */
unsigned ux_packing_vitals(const ux_visitor_t *visitor);

/* What it remembers of them; tracks are there when they are read. */
void ux_writer_vitals(ux_writer_t *w, const ux_visitor_t *visitor);
void ux_reader_vitals(ux_reader_t *r, ux_visitor_t *visitor);


#endif
