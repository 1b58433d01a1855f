
/*
 * Copyright (C) the nginx-ux authors
 *
 * Records of an image into a zone, each by a turn of the visitor table as any
 * other: whoever has to make room for it, or that there is none, is decided
 * there.
 *
 * made = there + evicted + expired + erased: a record that comes in is made;
 * one that cannot is made and evicted, an old one made and expired, one that
 * joins another is neither.
 */

#include "ux_image_private.h"

#include <string.h>


#define UX_INSERT_TRIES  3


static void ux_insert_record(ux_image_merging_t *m, const uint8_t *packed,
    size_t len, bool again);
static bool ux_insert_held(ux_image_merging_t *m, const uint8_t *packed,
    size_t len);
static void ux_insert_renumber(ux_image_merging_t *m, ux_visitor_t *visitor);
static void ux_insert_slots(const ux_image_work_t *work, ux_track_t *track);
static uint64_t ux_insert_mask(const uint8_t *map, uint64_t mask);
static void ux_insert_carts(const ux_image_work_t *work, ux_track_t *track);
static void ux_insert_pending(const ux_image_work_t *work,
    ux_visitor_t *visitor);
static void ux_insert_clamp(ux_visitor_t *visitor, uint64_t now_ms);
static void ux_insert_earlier(uint64_t *ms, uint64_t now_ms);
static bool ux_insert_expired(const ux_table_t *table,
    const ux_visitor_t *visitor, uint32_t now_s);
static void ux_insert_turn(ux_image_merging_t *m, bool again, bool held);
static bool ux_insert_went_on(ux_image_merging_t *m);
static bool ux_insert_same(const ux_visitor_t *a, const ux_visitor_t *b);
static void ux_insert_new(ux_image_merging_t *m, ux_turn_t *turn);
static void ux_insert_unite(ux_image_merging_t *m, ux_turn_t *turn);
static void ux_insert_gone(ux_image_merging_t *m, uint32_t cell);


void
ux_image_merge_records(ux_image_merging_t *m)
{
    bool                       again;
    size_t                     len;
    uint64_t                   step;
    const uint8_t             *at, *end;
    const ux_image_info_t     *info;
    const ux_image_section_t  *section;

    if (!m->has[0]) {
        return;
    }

    info = &m->views[0].info;
    section = &m->views[0].sections[UX_IMAGE_RECORDS];

    if (m->table.max_window_s < info->max_window_s) {
        m->table.max_window_s = info->max_window_s;
    }

    m->strange = memcmp(info->index_key, m->store->head->index_key,
                        sizeof(info->index_key)) != 0;

    if (m->has[UX_IMAGE_OF_BASE]) {
        ux_image_base_index(m);
    }

    m->table.noted = ux_image_step_noted;
    m->table.noted_ctx = m;

    step = ux_image_steps(m);
    at = section->data;
    end = at + section->len;

    while (end - at >= 2) {
        len = ux_image_get(at, 2);
        again = (len & UX_IMAGE_AGAIN) != 0;
        len &= ~(size_t) UX_IMAGE_AGAIN;
        step++;

        if (!ux_image_step_done(m, step)) {
            ux_image_step_begin(m, step);
            ux_insert_record(m, at + 2, len, again);
            ux_image_step_end(m);
        }

        at += 2 + len;
    }
}


static void
ux_insert_record(ux_image_merging_t *m, const uint8_t *packed, size_t len,
    bool again)
{
    bool            held;
    size_t          was_len;
    const uint8_t  *was;
    ux_visitor_t   *visitor;

    visitor = &m->work->theirs;
    was_len = 0;
    was = m->has[UX_IMAGE_OF_BASE] ? ux_image_base_find(m, packed, &was_len)
                                   : NULL;

    if (was != NULL && was_len == len && memcmp(was, packed, len) == 0) {
        return;                      /* as it is here, or was */
    }

    if (ux_visitor_unpack(visitor, packed, len) != UX_OK) {
        return;                      /* was checked */
    }

    ux_insert_renumber(m, visitor);
    ux_insert_clamp(visitor, m->latest_ms);

    held = was != NULL && ux_insert_held(m, was, was_len);
    again = again || (held && m->strange);

    if (m->strange) {
        if (!again) {
            m->result->dropped++;
            ux_insert_gone(m, UX_ZONE_EVICTED);
        }

    } else if (ux_insert_expired(&m->table, visitor,
                                 (uint32_t) (m->now_ms / 1000)))
    {
        if (!again && !held) {
            m->result->expired++;
            ux_insert_gone(m, UX_ZONE_EXPIRED);
        }

    } else {
        ux_insert_turn(m, again, held);
    }
}


/* The base's: is theirs the same, or one that was made anew? */
static bool
ux_insert_held(ux_image_merging_t *m, const uint8_t *packed, size_t len)
{
    uint64_t       tracks;
    ux_visitor_t  *held;

    held = &m->work->held;
    tracks = m->result->tracks;

    if (ux_visitor_unpack(held, packed, len) != UX_OK) {
        return false;                /* was checked */
    }

    ux_insert_renumber(m, held);
    ux_insert_clamp(held, m->latest_ms);

    m->result->tracks = tracks;

    return held->first_s == m->work->theirs.first_s;
}


/* From the image's numbers to the zone's. */
static void
ux_insert_renumber(ux_image_merging_t *m, ux_visitor_t *visitor)
{
    unsigned           i, n;
    const ux_entry_t  *arm;

    n = 1;

    for (i = 1; i < visitor->ntracks; i++) {
        arm = ux_image_target(m, UX_ENTRY_ARM, visitor->tracks[i].arm);

        if (arm == NULL) {
            m->result->tracks++;
            continue;
        }

        if (n != i) {
            visitor->tracks[n] = visitor->tracks[i];
        }

        visitor->tracks[n++].arm = arm->ordinal;
    }

    visitor->ntracks = (uint8_t) n;

    if (m->work->same_slots) {
        return;
    }

    for (i = 0; i < n; i++) {
        ux_insert_slots(m->work, &visitor->tracks[i]);
        ux_insert_carts(m->work, &visitor->tracks[i]);
    }

    ux_insert_pending(m->work, visitor);
}


static void
ux_insert_slots(const ux_image_work_t *work, ux_track_t *track)
{
    uint8_t    values[UX_SEGMENTS_MAX];
    int64_t    sums[UX_TOTALS_MAX];
    uint16_t   counts[UX_TOTALS_MAX];
    unsigned   i;
    ux_pace_t  paces[UX_FUNNELS_MAX];

    track->events = ux_insert_mask(work->events, track->events);
    track->steps = ux_insert_mask(work->steps, track->steps);
    track->before = ux_insert_mask(work->steps, track->before);

    memcpy(sums, track->totals, sizeof(sums));
    memcpy(counts, track->counts, sizeof(counts));
    memcpy(paces, track->paces, sizeof(paces));
    memset(track->totals, 0, sizeof(sums));
    memset(track->counts, 0, sizeof(counts));
    memset(track->paces, 0, sizeof(paces));

    for (i = 0; i < UX_FUNNELS_MAX; i++) {
        if (work->funnels[i] != UX_SLOT_NONE) {
            track->paces[work->funnels[i]] = paces[i];
        }
    }

    if (track->stage != 0) {
        i = work->stages[track->stage - 1];
        track->stage = (uint8_t) (i < UX_STAGES_MAX ? i + 1 : 0);
    }

    memcpy(values, track->segments, sizeof(values));
    memset(track->segments, 0, sizeof(values));

    for (i = 0; i < UX_SEGMENTS_MAX; i++) {
        if (values[i] != 0 && work->segments[i] != UX_SLOT_NONE
            && work->values[values[i] - 1] != UX_SLOT_NONE)
        {
            track->segments[work->segments[i]] =
                (uint8_t) (work->values[values[i] - 1] + 1);
        }
    }

    for (i = 0; i < UX_TOTALS_MAX; i++) {
        if (work->totals[i] != UX_SLOT_NONE) {
            track->totals[work->totals[i]] = sums[i];
            track->counts[work->totals[i]] = counts[i];
        }
    }
}


static uint64_t
ux_insert_mask(const uint8_t *map, uint64_t mask)
{
    uint64_t  mapped;
    unsigned  slot;

    mapped = 0;

    for ( /* void */ ; mask != 0; mask &= mask - 1) {
        slot = map[__builtin_ctzll(mask)];

        if (slot != UX_SLOT_NONE) {
            mapped |= (uint64_t) 1 << slot;
        }
    }

    return mapped;
}


static void
ux_insert_carts(const ux_image_work_t *work, ux_track_t *track)
{
    unsigned   i, n;
    ux_cart_t  carts[UX_CARTS_MAX];

    memcpy(carts, track->carts, sizeof(carts));
    memset(track->carts, 0, sizeof(carts));

    for (i = 0; i < UX_CARTS_MAX; i++) {
        if (work->cart_slots[i] != UX_SLOT_NONE) {
            track->carts[work->cart_slots[i]] = carts[i];
        }
    }

    n = 0;

    for (i = 0; i < track->npasts; i++) {
        if (work->cart_slots[track->pasts[i].cart] != UX_SLOT_NONE) {
            track->pasts[n] = track->pasts[i];
            track->pasts[n].cart = work->cart_slots[track->pasts[i].cart];
            n++;
        }
    }

    track->npasts = (uint8_t) n;
}


static void
ux_insert_pending(const ux_image_work_t *work, ux_visitor_t *visitor)
{
    unsigned  i, n;

    n = 0;

    for (i = 0; i < visitor->npending; i++) {
        if (work->events[visitor->pending[i].event] != UX_SLOT_NONE) {
            visitor->pending[n] = visitor->pending[i];
            visitor->pending[n].event =
                work->events[visitor->pending[i].event];
            n++;
        }
    }

    visitor->npending = (uint8_t) n;
}


/* The clock may have gone back since. */
static void
ux_insert_clamp(ux_visitor_t *visitor, uint64_t now_ms)
{
    uint32_t     now_s;
    unsigned     i, k;
    ux_track_t  *track;

    now_s = (uint32_t) (now_ms / 1000);

    visitor->first_s = visitor->first_s < now_s ? visitor->first_s : now_s;
    visitor->last_s = visitor->last_s < now_s ? visitor->last_s : now_s;
    visitor->tracks[0].exposed_ms = (uint64_t) visitor->first_s * 1000;
    ux_insert_earlier(&visitor->post_ms, now_ms);

    for (i = 0; i < visitor->ntracks; i++) {
        track = &visitor->tracks[i];
        ux_insert_earlier(&track->exposed_ms, now_ms);

        for (k = 0; k < UX_FUNNELS_MAX; k++) {
            ux_insert_earlier(&track->paces[k].started_ms, now_ms);
            ux_insert_earlier(&track->paces[k].reached_ms, now_ms);
        }

        for (k = 0; k < UX_CARTS_MAX; k++) {
            ux_insert_earlier(&track->carts[k].created_ms, now_ms);
        }

        for (k = 0; k < track->npasts; k++) {
            ux_insert_earlier(&track->pasts[k].created_ms, now_ms);
        }
    }

    for (i = 0; i < visitor->npending; i++) {
        ux_insert_earlier(&visitor->pending[i].now_ms, now_ms);
    }
}


static void
ux_insert_earlier(uint64_t *ms, uint64_t now_ms)
{
    if (*ms > now_ms) {
        *ms = now_ms;
    }
}


/* As ux_table_turn.c will say. */
static bool
ux_insert_expired(const ux_table_t *table, const ux_visitor_t *visitor,
    uint32_t now_s)
{
    uint32_t  life_s;

    now_s = ux_table_expiry(table, now_s);
    life_s = table->inactive_s > table->max_window_s ? table->inactive_s
                                                     : table->max_window_s;

    if (now_s > visitor->last_s && now_s - visitor->last_s >= life_s) {
        return true;
    }

    return table->retention_s != 0 && now_s > visitor->first_s
           && now_s - visitor->first_s >= table->retention_s;
}


/* held: theirs went on from work->held. */
static void
ux_insert_turn(ux_image_merging_t *m, bool again, bool held)
{
    uint32_t         now_s;
    unsigned         tries;
    ux_key_t         key;
    ux_turn_t        turn;
    ux_status_t      rc;

    now_s = (uint32_t) (m->now_ms / 1000);
    key = ux_hash_key_of(m->work->theirs.key_id);
    rc = UX_BUSY;

    for (tries = 0; rc == UX_BUSY && tries < UX_INSERT_TRIES; tries++) {
        rc = ux_table_open(&m->table, key, now_s, &m->work->ours, &turn);
    }

    if (rc != UX_OK) {
        m->result->dropped++;

        if (!held) {
            ux_insert_gone(m, UX_ZONE_EVICTED);
        }

        ux_image_add(m, UX_ZONE_CONTENDED_DROP, 1);
        return;
    }

    m->held = held && turn.found
              && m->work->held.first_s == m->work->ours.first_s;

    if (!turn.found && held) {

        /* it was here, and has gone: erased, or there was no room */

        ux_table_abort(&m->table, &turn);
        m->result->dropped++;

    } else if (!turn.found) {
        ux_insert_new(m, &turn);

    } else if (again) {
        ux_table_abort(&m->table, &turn);

    } else if (m->alone
               || (!m->held
                   && ux_insert_same(&m->work->ours, &m->work->theirs)))
    {
        /* come in already: the image has it twice */

        ux_table_abort(&m->table, &turn);
        m->result->dropped++;

    } else {
        ux_insert_unite(m, &turn);
    }
}


static bool
ux_insert_same(const ux_visitor_t *a, const ux_visitor_t *b)
{
    size_t   len[2];
    uint8_t  packed[2][UX_PACKED_MAX];

    return ux_visitor_pack(a, packed[0], &len[0]) == UX_OK
           && ux_visitor_pack(b, packed[1], &len[1]) == UX_OK
           && len[0] == len[1] && memcmp(packed[0], packed[1], len[0]) == 0;
}


/* Nothing happened to ours since: what the counters hold is theirs. */
static bool
ux_insert_went_on(ux_image_merging_t *m)
{
    if (!m->held || !ux_insert_same(&m->work->ours, &m->work->held)) {
        return false;
    }

    m->work->ours = m->work->theirs;
    ux_changes_clear(&m->work->changes);
    ux_image_segments_clear(m->work);

    return true;
}


/* One that is made is taken for provisional. */
static void
ux_insert_new(ux_image_merging_t *m, ux_turn_t *turn)
{
    ux_table_effects_t  effects;

    m->provisional = m->work->theirs.confirmed ? -1 : 0;

    if (ux_table_commit(&m->table, turn, &m->work->theirs,
                        (uint32_t) (m->now_ms / 1000), &effects)
        != UX_OK)
    {
        m->result->dropped++;
        ux_insert_gone(m, UX_ZONE_EVICTED);
        return;
    }

    m->result->visitors++;
}


static void
ux_insert_unite(ux_image_merging_t *m, ux_turn_t *turn)
{
    bool                was, direct;
    ux_table_effects_t  effects;

    was = m->work->ours.confirmed;

    if (!ux_insert_went_on(m)) {
        ux_image_unite(m);
    }

    m->provisional = m->work->ours.confirmed && !was ? -1 : 0;
    ux_image_apply(m);

    /* half of the changes would make the counters wrong for good */

    if (m->work->changes.overflow) {
        ux_image_step_begin(m, m->step);
        ux_table_abort(&m->table, turn);
        m->result->dropped++;
        return;
    }

    /* more than a list holds are made without: a kill may leave some out */

    direct = !ux_image_step_fits(m);

    if (direct) {
        ux_image_step_begin(m, m->step);
    }

    if (ux_table_commit(&m->table, turn, &m->work->ours,
                        (uint32_t) (m->now_ms / 1000), &effects)
        != UX_OK)
    {
        ux_image_step_begin(m, m->step);
        m->result->dropped++;
        return;
    }

    if (direct) {
        m->direct = true;
        ux_image_apply(m);
        m->direct = false;
    }

    m->result->united++;
}


/* Made and gone. */
static void
ux_insert_gone(ux_image_merging_t *m, uint32_t cell)
{
    ux_image_add(m, UX_ZONE_INSERTED, 1);
    ux_image_add(m, cell, 1);
}
