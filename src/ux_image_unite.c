
/*
 * Copyright (C) the nginx-ux authors
 *
 * Two records of one visitor, of a zone that is no more and of this one.  The
 * counters hold what both have added, so what the two count together, less
 * what one visitor counts, is taken out again:
 *
 *   out of the counters: what their track and ours have added
 *   into them:           what the united track would have added
 *
 * What a track has added is what ux_track_cross.c takes back, and whether it
 * was assigned.  Events, requests, vitals and carts bought are facts of either
 * zone and simply add up.
 *
 *   same arm             masks united, sums added, the earlier exposure
 *   same variant, other  likewise, in the arm of the earlier exposure
 *   epoch
 *   other variant        a crossover: out of the visitors of both arms
 *   one of them crossed  crossed
 *
 * Bounds: as there, a cap or a window is what is configured now, and unknown
 * before the configuration is bound; two records whose changes are more than
 * UX_CHANGES_MAX (16 experiments at every limit of the model, and events that
 * waited) are not united but dropped, and told as such; of more cells than
 * ux_redo_room() a kill may leave some out; an open cart that the other zone
 * saw bought without having it stays open; of past carts a record remembers
 * 16.
 */

#include "ux_image_private.h"
#include "ux_apply.h"

#include <string.h>


static unsigned ux_unite_waiting(const ux_image_merging_t *m,
    ux_event_t *waiting);
static void ux_unite_tracks(ux_image_merging_t *m, bool ours, bool theirs);
static unsigned ux_unite_find(ux_image_merging_t *m,
    const ux_visitor_t *visitor, const ux_track_t *track);
static uint16_t ux_unite_experiment(ux_image_merging_t *m, uint16_t arm);
static void ux_unite_pair(ux_image_merging_t *m, ux_track_t *ours,
    const ux_track_t *theirs, bool was_ours, bool was_theirs);
static void ux_unite_held(ux_image_merging_t *m, ux_track_t *ours,
    ux_track_t *theirs);
static void ux_unite_same(ux_track_t *track, const ux_track_t *other);
static void ux_unite_cross(ux_image_merging_t *m, ux_track_t *track,
    const ux_track_t *other);
static void ux_unite_leave(const ux_image_merging_t *m, ux_track_t *track);
static void ux_unite_visits(ux_visitor_t *visitor);
static uint32_t ux_unite_first(const ux_image_merging_t *m);
static void ux_unite_cart(ux_cart_t *cart, const ux_cart_t *other);
static uint16_t ux_unite_sum(unsigned a, unsigned b);
static void ux_unite_life(ux_image_merging_t *m);
static void ux_unite_ids(const ux_image_merging_t *m);
static void ux_unite_vitals(ux_image_merging_t *m);
static uint8_t ux_unite_marks(ux_image_merging_t *m, const ux_track_t *ours,
    const ux_track_t *theirs, uint16_t arm);
static bool ux_unite_same_variant(ux_image_merging_t *m, uint16_t arm,
    uint16_t other);
static void ux_unite_pending(ux_image_merging_t *m, ux_event_t *events,
    unsigned n);


void
ux_image_unite(ux_image_merging_t *m)
{
    bool           confirmed, was_ours, was_theirs;
    unsigned       n;
    ux_event_t     waiting[2 * UX_PENDING_MAX];
    ux_visitor_t  *ours, *theirs;

    ours = &m->work->ours;
    theirs = &m->work->theirs;

    ux_changes_clear(&m->work->changes);
    ux_image_segments_clear(m->work);

    if (ours->alias || theirs->alias) {
        ours->last_s = ours->last_s > theirs->last_s ? ours->last_s
                                                     : theirs->last_s;
        return;
    }

    was_ours = ours->confirmed;
    was_theirs = theirs->confirmed;
    confirmed = was_ours || was_theirs;

    if (m->held) {
        ux_image_base_since(m);
    }

    n = ux_unite_waiting(m, waiting);

    if (confirmed) {
        ux_unite_visits(ours);
        ux_unite_visits(theirs);
    }

    ours->confirmed = confirmed;
    ours->npending = 0;

    ux_unite_tracks(m, was_ours, was_theirs);
    ux_unite_vitals(m);
    ux_unite_life(m);
    ux_unite_ids(m);

    if (ours->error_seen && theirs->error_seen
        && !(m->held && m->work->held.error_seen))
    {
        ux_changes_add(&m->work->changes,
                       UX_ZONE_HTTP + UX_HTTP_ERROR_VISITORS, -1);
    }

    ours->error_seen = ours->error_seen || theirs->error_seen;

    if (confirmed) {
        ux_unite_pending(m, waiting, n);
        return;
    }

    n = n < UX_PENDING_MAX ? n : UX_PENDING_MAX;
    memcpy(ours->pending, waiting, n * sizeof(ux_event_t));
    ours->npending = (uint8_t) n;
}


/*
 * Theirs, then ours.  What waited in both since the base once, and not at all
 * if it has been counted on one side: what both had counted is taken out.
 */
static unsigned
ux_unite_waiting(const ux_image_merging_t *m, ux_event_t *waiting)
{
    bool                 known;
    unsigned             n;
    const ux_visitor_t  *ours, *theirs;

    ours = &m->work->ours;
    theirs = &m->work->theirs;
    known = m->held && !theirs->confirmed && !ours->confirmed;

    n = known ? theirs->npending
              : ux_image_base_pending(m, theirs, waiting);

    if (known) {
        memcpy(waiting, theirs->pending, n * sizeof(ux_event_t));
    }

    return n + ux_image_base_pending(m, ours, waiting + n);
}


/* was_: confirmed before. */
static void
ux_unite_tracks(ux_image_merging_t *m, bool was_ours, bool was_theirs)
{
    uint32_t       first_s, paired;
    unsigned       i, k, n;
    ux_track_t    *track;
    ux_visitor_t  *ours, *theirs;

    ours = &m->work->ours;
    theirs = &m->work->theirs;
    n = ours->ntracks;
    first_s = ux_unite_first(m);
    paired = 0;

    for (i = 1; i < theirs->ntracks; i++) {
        track = &theirs->tracks[i];
        k = ux_unite_find(m, ours, track);

        if (k != 0 && k < n && !(paired >> k & 1)) {
            ux_unite_pair(m, &ours->tracks[k], track, was_ours, was_theirs);
            paired |= 1u << k;

        } else if (k != 0 || ours->ntracks == UX_TRACKS_MAX) {
            m->result->tracks++;

        } else {
            ours->tracks[ours->ntracks] = *track;
            ours->tracks[ours->ntracks++].vitals =
                ux_unite_marks(m, NULL, track, track->arm);

            if (was_theirs != ours->confirmed || theirs->first_s != first_s) {
                ux_image_take_track(m, track, theirs->first_s, was_theirs);
                ux_image_put_track(m, track, first_s, ours->confirmed);
            }
        }
    }

    if (was_ours == ours->confirmed && ours->first_s == first_s) {
        return;
    }

    for (k = 1; k < n; k++) {
        if (!(paired >> k & 1)) {
            ux_image_take_track(m, &ours->tracks[k], ours->first_s, was_ours);
            ux_image_put_track(m, &ours->tracks[k], first_s, ours->confirmed);
        }
    }
}


/* Of the same experiment; 0: none. */
static unsigned
ux_unite_find(ux_image_merging_t *m, const ux_visitor_t *visitor,
    const ux_track_t *track)
{
    uint16_t  experiment;
    unsigned  i;

    experiment = ux_unite_experiment(m, track->arm);

    for (i = 1; i < visitor->ntracks; i++) {
        if (visitor->tracks[i].arm == track->arm
            || (experiment != UX_PARENT_NONE
                && ux_unite_experiment(m, visitor->tracks[i].arm)
                   == experiment))
        {
            return i;
        }
    }

    return 0;
}


static uint16_t
ux_unite_experiment(ux_image_merging_t *m, uint16_t arm)
{
    const ux_entry_t  *entry;

    entry = ux_image_entry(m, UX_ENTRY_ARM, arm);

    if (entry != NULL) {
        entry = ux_image_entry(m, UX_ENTRY_EPOCH, entry->parent);
    }

    return entry == NULL ? UX_PARENT_NONE : entry->parent;
}


static void
ux_unite_pair(ux_image_merging_t *m, ux_track_t *ours,
    const ux_track_t *theirs, bool was_ours, bool was_theirs)
{
    ux_track_t         track, other, swap;
    const ux_entry_t  *arm, *another;

    ux_image_take_track(m, ours, m->work->ours.first_s, was_ours);
    ux_image_take_track(m, theirs, m->work->theirs.first_s, was_theirs);

    track = *theirs;
    other = *ours;

    ux_unite_held(m, &other, &track);

    if (theirs->waiting
        || (!ours->waiting && ours->exposed_ms <= theirs->exposed_ms))
    {
        swap = track;
        track = other;
        other = swap;
    }

    arm = ux_image_entry(m, UX_ENTRY_ARM, track.arm);
    another = ux_image_entry(m, UX_ENTRY_ARM, other.arm);

    if (!other.waiting) {
        track.error_seen = track.error_seen || other.error_seen;

        if (arm != NULL && another != NULL && arm->aux != another->aux) {
            track.error_seen = ours->arm == track.arm ? ours->error_seen
                                                      : theirs->error_seen;
            ux_unite_cross(m, &track, &other);

        } else if (track.crossed || other.crossed) {
            ux_unite_leave(m, &track);

        } else {
            ux_unite_same(&track, &other);
        }
    }

    ux_image_put_track(m, &track, ux_unite_first(m), m->work->ours.confirmed);
    track.vitals = ux_unite_marks(m, ours, theirs, track.arm);
    *ours = track;
}


/* Both went on from one that the counters hold once too few now. */
static void
ux_unite_held(ux_image_merging_t *m, ux_track_t *ours, ux_track_t *theirs)
{
    const ux_entry_t  *arm;
    const ux_track_t  *held, *since;

    held = ux_image_base_of(m, &m->work->held, ours->arm);
    since = ux_image_base_of(m, &m->work->since, ours->arm);

    if (held == NULL || since == NULL || theirs->arm != ours->arm) {
        return;
    }

    ux_image_put_track(m, held, m->work->held.first_s,
                       m->work->held.confirmed);

    arm = ux_image_entry(m, UX_ENTRY_ARM, ours->arm);

    if (ours->crossed && theirs->crossed && !held->crossed && arm != NULL) {
        ux_changes_add(&m->work->changes, arm->base + UX_ARM_CROSSOVER, -1);
    }

    ux_image_base_track(ours, theirs, since);
}


static void
ux_unite_same(ux_track_t *track, const ux_track_t *other)
{
    int64_t   sum;
    unsigned  i;

    track->moved = track->moved || other->moved;
    track->events |= other->events;
    track->steps |= other->steps;
    track->visit = track->visit || other->visit;
    track->stage = track->stage ? track->stage : other->stage;

    for (i = 0; i < UX_SURVEYS; i++) {
        if (track->answers[i] == 0) {
            track->answers[i] = other->answers[i];
        }
    }

    for (i = 0; i < UX_SEGMENTS_MAX; i++) {
        if (track->segments[i] == 0) {
            track->segments[i] = other->segments[i];
        }
    }

    for (i = 0; i < UX_TOTALS_MAX; i++) {
        sum = track->totals[i] + other->totals[i];
        track->totals[i] = sum < UX_TOTAL_MAX ? sum : UX_TOTAL_MAX;
        track->counts[i] = ux_unite_sum(track->counts[i], other->counts[i]);
    }

    for (i = 0; i < UX_CARTS_MAX; i++) {
        ux_unite_cart(&track->carts[i], &other->carts[i]);
    }

    for (i = 0; i < UX_FUNNELS_MAX; i++) {
        if (track->paces[i].reached_ms < other->paces[i].reached_ms) {
            track->paces[i] = other->paces[i];
        }
    }

    for (i = 0; i < other->npasts && track->npasts < UX_PASTS_MAX; i++) {
        track->pasts[track->npasts++] = other->pasts[i];
    }
}


/* Both leave; the record keeps the one it was exposed to first. */
static void
ux_unite_cross(ux_image_merging_t *m, ux_track_t *track,
    const ux_track_t *other)
{
    bool               known;
    ux_track_t         left;
    const ux_entry_t  *arm;

    known = track->crossed || other->crossed;
    arm = ux_image_entry(m, UX_ENTRY_ARM, track->arm);

    left = *other;
    ux_unite_leave(m, &left);
    ux_unite_leave(m, track);

    ux_image_put_track(m, &left, ux_unite_first(m), m->work->ours.confirmed);

    if (!known && arm != NULL) {
        ux_changes_add(&m->work->changes, arm->base + UX_ARM_CROSSOVER, 1);
    }
}


/* As ux_track_cross() leaves it. */
static void
ux_unite_leave(const ux_image_merging_t *m, ux_track_t *track)
{
    track->crossed = true;
    track->moved = false;
    track->npasts = 0;
    track->visit = track->visit && m->work->ours.confirmed;
    memset(&track->events, 0, offsetof(ux_track_t, pasts)
                              - offsetof(ux_track_t, events));
}


/* Who becomes confirmed by this has no session that an arm has counted. */
static void
ux_unite_visits(ux_visitor_t *visitor)
{
    unsigned  i;

    for (i = 1; i < visitor->ntracks && !visitor->confirmed; i++) {
        visitor->tracks[i].visit = false;
    }
}


static uint32_t
ux_unite_first(const ux_image_merging_t *m)
{
    return m->work->ours.first_s < m->work->theirs.first_s
           ? m->work->ours.first_s : m->work->theirs.first_s;
}


/* Two open ones were one: of whichever is older, as far as either came. */
static void
ux_unite_cart(ux_cart_t *cart, const ux_cart_t *other)
{
    cart->purchased = ux_unite_sum(cart->purchased, other->purchased);
    cart->lacking = ux_unite_sum(cart->lacking, other->lacking);
    cart->carried_in = cart->carried_in || other->carried_in;

    if (cart->state != UX_CART_OPEN && other->state != UX_CART_NONE) {
        cart->state = other->state;
        cart->created_ms = other->created_ms;
        cart->furthest = other->furthest;
        return;
    }

    if (other->state == UX_CART_OPEN) {
        cart->created_ms = cart->created_ms < other->created_ms
                           ? cart->created_ms : other->created_ms;
        cart->furthest = cart->furthest > other->furthest ? cart->furthest
                                                          : other->furthest;
    }
}


static uint16_t
ux_unite_sum(unsigned a, unsigned b)
{
    return (uint16_t) (a + b < UINT16_MAX ? a + b : UINT16_MAX);
}


/*
 * Which page views the arm counts of those that stay remembered: ours,
 * and theirs of metrics that we know nothing of.  ours may be NULL.
 */
static uint8_t
ux_unite_marks(ux_image_merging_t *m, const ux_track_t *ours,
    const ux_track_t *theirs, uint16_t arm)
{
    unsigned  known, marks;

    known = ux_packing_vitals(&m->work->ours);
    marks = 0;

    if (ours != NULL && ux_unite_same_variant(m, arm, ours->arm)) {
        marks |= ours->vitals & known;
    }

    if (ux_unite_same_variant(m, arm, theirs->arm)) {
        marks |= theirs->vitals & ~known;
    }

    return (uint8_t) marks;
}


static bool
ux_unite_same_variant(ux_image_merging_t *m, uint16_t arm, uint16_t other)
{
    const ux_entry_t  *entry, *another;

    entry = ux_image_entry(m, UX_ENTRY_ARM, arm);
    another = ux_image_entry(m, UX_ENTRY_ARM, other);

    return entry != NULL && another != NULL && entry->aux == another->aux;
}


static void
ux_unite_vitals(ux_image_merging_t *m)
{
    unsigned             i;
    ux_visitor_t        *ours;
    const ux_visitor_t  *theirs;

    ours = &m->work->ours;
    theirs = &m->work->theirs;

    for (i = 0; i < UX_VITALS; i++) {
        if (ours->vitals[i].id == 0) {
            ours->vitals[i] = theirs->vitals[i];
        }
    }

    ours->vitals_full = ours->vitals_full || theirs->vitals_full;

    if (ours->vitals_full) {
        memset(ours->vitals, 0, sizeof(ours->vitals));
    }
}


static void
ux_unite_life(ux_image_merging_t *m)
{
    ux_track_t          *life, other;
    ux_visitor_t        *ours;
    const ux_visitor_t  *theirs;

    ours = &m->work->ours;
    theirs = &m->work->theirs;
    life = &ours->tracks[0];
    other = theirs->tracks[0];

    if (m->held) {
        ux_image_base_track(life, &other, &m->work->since.tracks[0]);
    }

    ux_unite_same(life, &other);
    memset(life->counts, 0, sizeof(life->counts));

    ours->first_s = ux_unite_first(m);
    ours->last_s = ours->last_s > theirs->last_s ? ours->last_s
                                                 : theirs->last_s;
    life->exposed_ms = (uint64_t) ours->first_s * 1000;
    ours->pages = ours->pages > theirs->pages ? ours->pages : theirs->pages;

    if (ours->post_ms < theirs->post_ms) {
        ours->post_ms = theirs->post_ms;
        ours->post_hash = theirs->post_hash;
        ours->post_failed = theirs->post_failed;
    }

    if (ours->cookie_hash == 0) {
        ours->cookie_hash = theirs->cookie_hash;
    }
}


/* The last ones of theirs, then ours, as if ours came later. */
static void
ux_unite_ids(const ux_image_merging_t *m)
{
    uint32_t             id, ids[2 * UX_IDS_MAX];
    unsigned             i, k, n;
    ux_visitor_t        *ours;
    const ux_visitor_t  *from;

    ours = &m->work->ours;
    n = 0;

    for (k = 0; k < 2; k++) {
        from = k == 0 ? &m->work->theirs : ours;

        for (i = 0; i < from->nids; i++) {
            id = from->ids[from->nids < UX_IDS_MAX
                           ? i : (from->next_id + i) % UX_IDS_MAX];

            if (k == 1 || !ux_image_base_id(m, id)) {
                ids[n++] = id;
            }
        }
    }

    k = n > UX_IDS_MAX ? n - UX_IDS_MAX : 0;
    memcpy(ours->ids, ids + k, (n - k) * sizeof(uint32_t));

    ours->nids = (uint8_t) (n - k);
    ours->next_id = (uint8_t) ((n - k) % UX_IDS_MAX);
}


/*
 * What waited for one of them to be confirmed counts now, if the zone is
 * bound; else nobody can tell what it counts for.
 */
static void
ux_unite_pending(ux_image_merging_t *m, ux_event_t *events, unsigned n)
{
    unsigned           i, k;
    const ux_plan_t   *plan;
    const ux_model_t  *model;

    plan = &m->store->plan;
    model = plan->model;

    for (i = 0; i < n && model != NULL; i++) {
        for (k = 0; k < model->nevents; k++) {
            if (model->event_slots[k] == events[i].event) {
                (void) ux_apply_event(plan, &m->work->ours, &events[i],
                                      (uint8_t) k, &m->work->changes);
                break;
            }
        }
    }
}
