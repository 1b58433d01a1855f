
/*
 * Copyright (C) the nginx-ux authors
 *
 * A visitor, and how it is packed: as few bytes as the facts need, because
 * the table holds millions of them.  The bytes are told in ux_packing.h.
 *
 * Nothing clears the visitor's 5 KB: only what the counts cover is read.
 * Cost: some 40 ns for one experiment.
 */

#include "ux_visitor.h"
#include "ux_number.h"
#include "ux_packing.h"

#include <string.h>


static inline size_t ux_visitor_track_size(void);
static ux_status_t ux_pack_visitor(const ux_visitor_t *visitor, uint8_t *buf,
    size_t *len, ux_lean_e lean);
static unsigned ux_pack_life_flags(const ux_visitor_t *visitor,
    ux_lean_e lean);
static void ux_pack_alias(ux_writer_t *w, const ux_visitor_t *visitor);
static void ux_pack_head(ux_writer_t *w, const ux_visitor_t *visitor,
    unsigned life);
static void ux_pack_times(ux_writer_t *w, const ux_visitor_t *visitor);
static void ux_pack_form(ux_writer_t *w, const ux_visitor_t *visitor,
    uint64_t origin_ms);
static void ux_pack_ids(ux_writer_t *w, const ux_visitor_t *visitor);
static void ux_pack_pending(ux_writer_t *w, const ux_visitor_t *visitor,
    uint64_t origin_ms);


void
ux_visitor_init(ux_visitor_t *visitor, uint64_t key_id, uint32_t now_s)
{
    ux_track_t  *life;

    visitor->key_id = key_id;
    visitor->cookie_hash = 0;
    visitor->first_s = now_s;
    visitor->last_s = now_s;
    visitor->confirmed = false;
    visitor->error_seen = false;
    visitor->alias = false;
    visitor->ntracks = 1;
    visitor->npending = 0;
    visitor->nids = 0;
    visitor->next_id = 0;
    visitor->pages = 0;
    visitor->post_failed = false;
    visitor->post_hash = 0;
    visitor->post_ms = 0;
    visitor->vitals_full = false;
    memset(visitor->vitals, 0, sizeof(visitor->vitals));

    life = &visitor->tracks[0];
    ux_visitor_clear(life);

    life->arm = UX_ARM_NONE;
    life->exposed_ms = (uint64_t) now_s * 1000;
}


void
ux_visitor_clear(ux_track_t *track)
{
    memset(track, 0, ux_visitor_track_size());
}


/*
 * What of a track counts, whatever its pasts; as if not known before it runs:
 * for so many bytes gcc puts a loop of eight bytes where libc is faster.
 */
static inline size_t
ux_visitor_track_size(void)
{
    size_t  size;

    size = offsetof(ux_track_t, pasts);
    __asm__ ("" : "+r" (size));

    return size;
}


void
ux_visitor_keep(ux_visitor_t *kept, const ux_visitor_t *visitor)
{
    size_t    size;
    unsigned  i, npasts;

    npasts = 0;
    size = ux_visitor_track_size();

    for (i = 0; i < visitor->ntracks; i++) {
        npasts |= visitor->tracks[i].npasts;
    }

    if (!visitor->confirmed || visitor->alias || npasts != 0) {
        kept->ntracks = 0;
        return;
    }

    memcpy(kept, visitor, offsetof(ux_visitor_t, tracks));

    for (i = 0; i < visitor->ntracks; i++) {
        memcpy(&kept->tracks[i], &visitor->tracks[i], size);
    }
}


bool
ux_visitor_same(const ux_visitor_t *visitor, const ux_visitor_t *kept)
{
    unsigned  i;

    if (visitor->ntracks != kept->ntracks || !visitor->confirmed
        || visitor->alias
        || visitor->npending != kept->npending
        || visitor->cookie_hash != kept->cookie_hash
        || visitor->first_s != kept->first_s
        || visitor->error_seen != kept->error_seen
        || visitor->nids != kept->nids || visitor->next_id != kept->next_id
        || visitor->pages != kept->pages
        || visitor->post_failed != kept->post_failed
        || visitor->post_hash != kept->post_hash
        || visitor->post_ms != kept->post_ms
        || visitor->vitals_full != kept->vitals_full
        || memcmp(visitor->ids, kept->ids, kept->nids * sizeof(uint32_t))
           != 0)
    {
        return false;
    }

    for (i = 0; i < sizeof(kept->vitals) / sizeof(kept->vitals[0]); i++) {
        if (visitor->vitals[i].id != kept->vitals[i].id
            || visitor->vitals[i].mark != kept->vitals[i].mark)
        {
            return false;
        }
    }

    for (i = 0; i < visitor->ntracks; i++) {
        if (memcmp(&visitor->tracks[i], &kept->tracks[i],
                   offsetof(ux_track_t, pasts))
            != 0)
        {
            return false;
        }
    }

    return true;
}


/*
 * Where there is no room for all: without vitals, then without times, stage
 * and last form.
 */
ux_status_t
ux_visitor_pack(const ux_visitor_t *visitor, uint8_t *buf, size_t *len)
{
    unsigned     lean;
    ux_status_t  status;

    status = UX_FULL;

    for (lean = 0; lean < UX_LEAN_LEVELS && status == UX_FULL; lean++) {
        status = ux_pack_visitor(visitor, buf, len, (ux_lean_e) lean);
    }

    return status;
}


static ux_status_t
ux_pack_visitor(const ux_visitor_t *visitor, uint8_t *buf, size_t *len,
    ux_lean_e lean)
{
    uint64_t     origin_ms;
    unsigned     i, life, flags;
    ux_writer_t  w;

    if (!ux_packing_counts_ok(visitor)) {
        return UX_ERROR;
    }

    w.pos = buf;
    w.end = buf + UX_PACKED_MAX;
    w.status = UX_OK;
    w.lean = lean >= UX_LEAN_TIMES;

    origin_ms = (uint64_t) visitor->first_s * 1000;

    if (visitor->alias) {
        ux_pack_alias(&w, visitor);
        *len = (size_t) (w.pos - buf);

        return w.status;
    }

    life = ux_pack_parts(&visitor->tracks[0]) & UX_PACK_LIFE_PARTS;
    flags = ux_pack_life_flags(visitor, lean);
    life |= flags ? UX_PACK_FLAGS : 0;

    ux_pack_head(&w, visitor, life);

    if (life) {
        ux_writer_byte(&w, life);

        if (life & UX_PACK_FLAGS) {
            ux_writer_byte(&w, flags);
        }

        if (flags & UX_PACK_POST) {
            ux_pack_form(&w, visitor, origin_ms);
        }

        ux_pack_body(&w, &visitor->tracks[0], life, origin_ms);
    }

    for (i = 1; i < visitor->ntracks; i++) {
        ux_pack_track(&w, &visitor->tracks[i], origin_ms);
    }

    if (flags & UX_PACK_VITALS) {
        ux_writer_vitals(&w, visitor);
    }

    if (visitor->npending) {
        ux_pack_pending(&w, visitor, origin_ms);
    }

    *len = (size_t) (w.pos - buf);

    return w.status;
}


static unsigned
ux_pack_life_flags(const ux_visitor_t *visitor, ux_lean_e lean)
{
    bool      told;
    unsigned  flags;

    told = ux_packing_vitals(visitor) != 0;
    flags = 0;

    if (visitor->post_hash && lean < UX_LEAN_TIMES) {
        flags = UX_PACK_POST | (visitor->post_failed ? UX_PACK_FAILED : 0);
    }

    if (visitor->vitals_full || (told && lean >= UX_LEAN_VITALS)) {
        return flags | (lean < UX_LEAN_NO_VITALS ? UX_PACK_NO_VITALS : 0);
    }

    return flags | (told ? UX_PACK_VITALS : 0);
}


static void
ux_pack_alias(ux_writer_t *w, const ux_visitor_t *visitor)
{
    unsigned  i;

    ux_writer_byte(w, UX_PACK_LAYOUT
                   | (visitor->confirmed ? UX_PACK_CONFIRMED : 0));
    ux_writer_byte(w, UX_PACK_ALIAS);

    ux_pack_times(w, visitor);

    for (i = 0; i < UX_ALIAS_ID; i++) {
        ux_writer_byte(w, visitor->alias_id[i]);
    }
}


static void
ux_pack_head(ux_writer_t *w, const ux_visitor_t *visitor, unsigned life)
{
    ux_writer_byte(w, UX_PACK_LAYOUT
                   | (visitor->confirmed ? UX_PACK_CONFIRMED : 0)
                   | (visitor->error_seen ? UX_PACK_ERROR : 0)
                   | (visitor->cookie_hash ? UX_PACK_COOKIE : 0)
                   | (life ? UX_PACK_LIFE : 0));

    ux_writer_byte(w, (visitor->ntracks - 1u)
                   | (visitor->nids ? UX_PACK_IDS : 0)
                   | (visitor->npending ? UX_PACK_PENDING : 0));

    ux_pack_times(w, visitor);

    if (visitor->cookie_hash) {
        ux_writer_fixed(w, visitor->cookie_hash, 8);
    }

    if (visitor->nids) {
        ux_pack_ids(w, visitor);
    }
}


/* What every record has: whose it is, and of when. */
static void
ux_pack_times(ux_writer_t *w, const ux_visitor_t *visitor)
{
    ux_writer_fixed(w, visitor->key_id, 8);
    ux_writer_fixed(w, visitor->first_s, 4);
    ux_writer_number(w, (uint64_t) (uint32_t) (visitor->last_s
                                               - visitor->first_s) << 2
                        | visitor->pages);
}


/* The last form sent. */
static void
ux_pack_form(ux_writer_t *w, const ux_visitor_t *visitor, uint64_t origin_ms)
{
    ux_writer_fixed(w, visitor->post_hash, 4);
    ux_writer_time(w, visitor->post_ms, origin_ms);
}


static void
ux_pack_ids(ux_writer_t *w, const ux_visitor_t *visitor)
{
    unsigned  i;

    ux_writer_byte(w, visitor->nids | ((unsigned) visitor->next_id << 4));

    for (i = 0; i < visitor->nids; i++) {
        ux_writer_fixed(w, visitor->ids[i], 4);
    }
}


static void
ux_pack_pending(ux_writer_t *w, const ux_visitor_t *visitor,
    uint64_t origin_ms)
{
    unsigned           i;
    const ux_event_t  *event;

    ux_writer_byte(w, visitor->npending);

    for (i = 0; i < visitor->npending; i++) {
        event = &visitor->pending[i];

        if (event->event >= UX_EVENTS_MAX
            || (event->has_value
                && (event->value < 0 || event->value > UX_MONEY_MAX)))
        {
            w->status = UX_ERROR;
            return;
        }

        ux_writer_byte(w, event->event
                          | (event->has_value ? UX_PACK_VALUE : 0));
        ux_writer_time(w, event->now_ms, origin_ms);

        if (event->has_value) {
            ux_writer_number(w, (uint64_t) event->value);
        }
    }
}
