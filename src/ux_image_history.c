
/*
 * Copyright (C) the nginx-ux authors
 *
 * HISTORY, the section of points of hours and days, in images of visitors.
 *
 * A point says what it says, whoever tells it: of two of one time the one
 * that knows more visitors stays, and putting them in once more changes
 * nothing.  So a merge that was cut short just does it again.
 */

#include "ux_image_private.h"

#include <math.h>
#include <string.h>


#define UX_HISTORY_LOCK_TRIES  8


static ux_history_point_t ux_image_point(const ux_image_view_t *view,
    uint32_t i);
static bool ux_image_point_ok(const ux_image_view_t *view,
    const ux_image_index_t *index, const ux_history_point_t *point);
static bool ux_image_point_map(ux_image_merging_t *m,
    ux_history_point_t *point);
static void ux_image_points_index(ux_image_merging_t *m);
static void ux_image_points_add(ux_image_merging_t *m, uint64_t key,
    uint32_t frame);
static uint32_t ux_image_points_find(const ux_image_merging_t *m,
    uint64_t key);
static void ux_image_point_put_locked(ux_image_merging_t *m,
    ux_history_sweep_t *sweep, const ux_history_point_t *point);


uint8_t *
ux_image_history_write(uint8_t *at, const ux_history_t *history,
    const uint32_t kinds[UX_ENTRY_KINDS])
{
    uint32_t            i, bits;
    unsigned            n;
    ux_history_point_t  point;

    for (i = 0; i < history->nframes; i++) {

        if (!ux_history_read(history, i, &point)
            || point.variant >= kinds[UX_ENTRY_VARIANT]
            || (point.event != UX_HISTORY_REVENUE
                && point.event >= kinds[UX_ENTRY_EVENT])
            || (point.epoch != UX_PARENT_NONE
                && point.epoch >= kinds[UX_ENTRY_EPOCH]))
        {
            continue;
        }

        ux_image_put(at, point.hour, 4);
        ux_image_put(at + 4, point.variant, 2);
        at[6] = point.event;
        at[7] = (uint8_t) (point.type << 4 | point.ring);
        ux_image_put(at + 8, point.epoch, 2);
        ux_image_put(at + 10, point.visitors, 6);

        for (n = 0; n < UX_HISTORY_FIGURES; n++) {
            memcpy(&bits, &point.figures[n], 4);
            ux_image_put(at + 16 + n * 4, bits, 4);
        }

        at += UX_IMAGE_POINT_SIZE;
    }

    return at;
}


static ux_history_point_t
ux_image_point(const ux_image_view_t *view, uint32_t i)
{
    uint32_t             bits;
    unsigned             n;
    const uint8_t       *at;
    ux_history_point_t   point;

    at = view->sections[UX_IMAGE_HISTORY].data
         + (size_t) i * UX_IMAGE_POINT_SIZE;

    point.hour = (uint32_t) ux_image_get(at, 4);
    point.variant = (uint16_t) ux_image_get(at + 4, 2);
    point.event = at[6];
    point.type = at[7] >> 4;
    point.ring = at[7] & 0xf;
    point.epoch = (uint16_t) ux_image_get(at + 8, 2);
    point.visitors = ux_image_get(at + 10, 6);

    for (n = 0; n < UX_HISTORY_FIGURES; n++) {
        bits = (uint32_t) ux_image_get(at + 16 + n * 4, 4);
        memcpy(&point.figures[n], &bits, 4);
    }

    return point;
}


bool
ux_image_history_ok(const ux_image_view_t *view,
    const ux_image_index_t *index)
{
    uint32_t            i;
    ux_history_point_t  point;

    if (view->sections[UX_IMAGE_HISTORY].n > UX_HISTORY_MAX) {
        return false;
    }

    for (i = 0; i < view->sections[UX_IMAGE_HISTORY].n; i++) {
        point = ux_image_point(view, i);

        if (!ux_image_point_ok(view, index, &point)) {
            return false;
        }
    }

    return true;
}


static bool
ux_image_point_ok(const ux_image_view_t *view, const ux_image_index_t *index,
    const ux_history_point_t *point)
{
    uint32_t  variant;
    unsigned  n;

    variant = ux_image_index_find(index, UX_ENTRY_VARIANT, point->variant);

    if (variant == UX_IMAGE_NAMES_MAX || point->hour == 0
        || point->ring >= UX_HISTORY_RINGS || point->type > UX_METRIC_RATIO
        || point->visitors >= UX_HISTORY_VISITORS
        || (point->ring == UX_HISTORY_DAY && point->hour % 24 != 0)
        || (point->event != UX_HISTORY_REVENUE
            && point->event >= view->kinds[UX_ENTRY_EVENT])
        || (point->epoch != UX_PARENT_NONE
            && !ux_image_child_ok(view, index, UX_ENTRY_EPOCH, point->epoch,
                                  ux_image_name(view, variant).parent)))
    {
        return false;
    }

    for (n = 0; n < UX_HISTORY_FIGURES; n++) {
        if (isinf(point->figures[n])) {
            return false;
        }
    }

    return true;
}


void
ux_image_merge_history(ux_image_merging_t *m)
{
    uint32_t             i;
    unsigned             tries;
    ux_status_t          rc;
    ux_history_point_t   point;
    ux_history_sweep_t   sweep;
    ux_image_view_t     *view;

    view = &m->views[UX_IMAGE_OF_VISITORS];

    if (!m->has[UX_IMAGE_OF_VISITORS]
        || view->sections[UX_IMAGE_HISTORY].n == 0)
    {
        return;
    }

    rc = UX_BUSY;

    for (tries = 0; rc == UX_BUSY && tries < UX_HISTORY_LOCK_TRIES; tries++) {
        rc = ux_store_evidence_lock(m->store);
    }

    if (rc != UX_OK) {
        return;
    }

    ux_image_points_index(m);
    ux_history_begin(&sweep, &m->store->history, m->store->registry,
                     (uint32_t) (m->now_ms / 3600000));

    for (i = 0; i < view->sections[UX_IMAGE_HISTORY].n; i++) {
        point = ux_image_point(view, i);

        if (ux_image_point_map(m, &point)) {
            ux_image_point_put_locked(m, &sweep, &point);
        }
    }

    ux_store_evidence_unlock(m->store);
}


/* In the zone's numbers; false: its variant or its event is not there. */
static bool
ux_image_point_map(ux_image_merging_t *m, ux_history_point_t *point)
{
    const ux_entry_t  *variant, *event, *epoch;

    variant = ux_image_target(m, UX_ENTRY_VARIANT, point->variant);

    if (variant == NULL) {
        return false;
    }

    point->variant = variant->ordinal;

    if (point->event != UX_HISTORY_REVENUE) {
        event = ux_image_target(m, UX_ENTRY_EVENT, point->event);

        if (event == NULL || event->ordinal >= UX_EVENTS_MAX) {
            return false;
        }

        point->event = (uint8_t) event->ordinal;
    }

    if (point->epoch != UX_PARENT_NONE) {
        epoch = ux_image_target(m, UX_ENTRY_EPOCH, point->epoch);
        point->epoch = epoch != NULL ? epoch->ordinal : UX_PARENT_NONE;
    }

    return true;
}


/* The new one first: killed in between leaves both, and readers choose. */
static void
ux_image_point_put_locked(ux_image_merging_t *m, ux_history_sweep_t *sweep,
    const ux_history_point_t *point)
{
    uint32_t             known, frame;
    uint64_t             key;
    ux_history_t        *history;
    ux_history_point_t   is;

    history = &m->store->history;
    key = ux_history_key(point);
    known = ux_image_points_find(m, key);

    if (known != UX_HISTORY_NONE && ux_history_read(history, known, &is)
        && is.visitors >= point->visitors)
    {
        return;
    }

    frame = ux_history_put_locked(sweep, point);

    if (frame == UX_HISTORY_NONE) {
        return;
    }

    if (known != UX_HISTORY_NONE && known != frame) {
        ux_history_erase_locked(history, known);
    }

    ux_image_points_add(m, key, frame);
}


/*
 * Linear probing; what a place says is compared with the frame's key.  Some
 * places stay free: each point of the zone and of the image takes one at most.
 */
static void
ux_image_points_index(ux_image_merging_t *m)
{
    uint32_t             i, most;
    ux_history_t        *history;
    ux_history_point_t   point;

    history = &m->store->history;
    most = history->nframes
           + m->views[UX_IMAGE_OF_VISITORS].sections[UX_IMAGE_HISTORY].n;

    m->work->nplaces = 64;

    while (m->work->nplaces <= most) {
        m->work->nplaces *= 2;
    }

    memset(m->work->points, 0, m->work->nplaces * sizeof(uint32_t));

    for (i = 0; i < history->nframes; i++) {
        if (ux_history_read(history, i, &point)) {
            ux_image_points_add(m, ux_history_key(&point), i);
        }
    }
}


static void
ux_image_points_add(ux_image_merging_t *m, uint64_t key, uint32_t frame)
{
    uint32_t  at, n;

    at = (uint32_t) ux_hash64(&key, sizeof(key));

    for (n = 0; n < m->work->nplaces; n++, at++) {
        if (m->work->points[at % m->work->nplaces] == 0) {
            m->work->points[at % m->work->nplaces] = frame + 1;
            return;
        }
    }
}


static uint32_t
ux_image_points_find(const ux_image_merging_t *m, uint64_t key)
{
    uint32_t  at, n, place;

    at = (uint32_t) ux_hash64(&key, sizeof(key));

    for (n = 0; n < m->work->nplaces; n++, at++) {
        place = m->work->points[at % m->work->nplaces];

        if (place == 0) {
            break;
        }

        if (m->store->history.memory->frames[place - 1].key == key) {
            return place - 1;
        }
    }

    return UX_HISTORY_NONE;
}
