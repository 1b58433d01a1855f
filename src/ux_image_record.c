
/*
 * Copyright (C) the nginx-ux authors
 *
 * What a record may say beside what its packed form allows: only events,
 * steps, carts, totals, stages and arms that the names of the image have, and
 * no time that no clock shows.
 */

#include "ux_image_private.h"

#include <string.h>


static bool ux_image_track_ok(const ux_track_t *track,
    const ux_image_limits_t *limits);
static bool ux_image_carts_ok(const ux_track_t *track,
    const ux_image_limits_t *limits);
static bool ux_image_time_ok(uint64_t ms);
static void ux_image_track_fit(ux_track_t *track,
    const ux_image_limits_t *limits);
static uint64_t ux_image_mask(uint32_t n);


ux_image_limits_t
ux_image_limits(const uint32_t kinds[UX_ENTRY_KINDS])
{
    ux_image_limits_t  limits;

    limits.events = ux_image_mask(kinds[UX_ENTRY_EVENT]);
    limits.steps = ux_image_mask(kinds[UX_ENTRY_STEP]);
    limits.carts = kinds[UX_ENTRY_CART];
    limits.funnels = kinds[UX_ENTRY_FUNNEL];
    limits.stages = kinds[UX_ENTRY_STAGE];
    limits.totals = kinds[UX_ENTRY_TOTAL] + 1;
    limits.arms = kinds[UX_ENTRY_ARM];
    limits.segments = kinds[UX_ENTRY_SEGMENT];
    limits.values = kinds[UX_ENTRY_SEGMENT_VALUE];

    return limits;
}


static uint64_t
ux_image_mask(uint32_t n)
{
    return n < 64 ? ((uint64_t) 1 << n) - 1 : UINT64_MAX;
}


bool
ux_image_record_ok(const ux_visitor_t *visitor,
    const ux_image_limits_t *limits)
{
    unsigned           i;
    const ux_event_t  *event;

    for (i = 0; i < visitor->ntracks; i++) {
        if (!ux_image_track_ok(&visitor->tracks[i], limits)
            || (i > 0 && visitor->tracks[i].arm >= limits->arms))
        {
            return false;
        }
    }

    if (!ux_image_time_ok(visitor->post_ms)) {
        return false;
    }

    for (i = 0; i < visitor->npending; i++) {
        event = &visitor->pending[i];

        if (!((limits->events >> event->event) & 1)
            || !ux_image_time_ok(event->now_ms))
        {
            return false;
        }
    }

    return true;
}


static bool
ux_image_track_ok(const ux_track_t *track, const ux_image_limits_t *limits)
{
    unsigned  i;

    if ((track->events & ~limits->events) || (track->steps & ~limits->steps)
        || (track->before & ~limits->steps) || track->stage > limits->stages
        || !ux_image_time_ok(track->exposed_ms))
    {
        return false;
    }

    for (i = limits->totals; i < UX_TOTALS_MAX; i++) {
        if (track->totals[i] != 0 || track->counts[i] != 0) {
            return false;
        }
    }

    for (i = 0; i < UX_SEGMENTS_MAX; i++) {
        if (track->segments[i] > (i < limits->segments ? limits->values : 0)) {
            return false;
        }
    }

    for (i = 0; i < UX_FUNNELS_MAX; i++) {
        if (!ux_image_time_ok(track->paces[i].started_ms)
            || !ux_image_time_ok(track->paces[i].reached_ms)
            || (i >= limits->funnels && track->paces[i].reached_ms != 0))
        {
            return false;
        }
    }

    return ux_image_carts_ok(track, limits);
}


static bool
ux_image_carts_ok(const ux_track_t *track, const ux_image_limits_t *limits)
{
    unsigned          i;
    const ux_cart_t  *cart;
    const ux_past_t  *past;

    for (i = 0; i < UX_CARTS_MAX; i++) {
        cart = &track->carts[i];

        if (!ux_image_time_ok(cart->created_ms)
            || (i >= limits->carts
                && (cart->state != UX_CART_NONE || cart->purchased != 0
                    || cart->lacking != 0 || cart->carried_in)))
        {
            return false;
        }
    }

    for (i = 0; i < track->npasts; i++) {
        past = &track->pasts[i];

        if (past->cart >= limits->carts
            || !ux_image_time_ok(past->created_ms))
        {
            return false;
        }
    }

    return true;
}


static bool
ux_image_time_ok(uint64_t ms)
{
    return ms < UX_IMAGE_TIME_MAX;
}


/*
 * Most often a track of an epoch that was opened after the names were
 * written: the record is newer than they are.
 */
void
ux_image_record_fit(ux_visitor_t *visitor, const ux_image_limits_t *limits)
{
    unsigned  i, n;

    n = 1;

    for (i = 1; i < visitor->ntracks; i++) {
        if (visitor->tracks[i].arm < limits->arms) {
            visitor->tracks[n++] = visitor->tracks[i];
        }
    }

    visitor->ntracks = (uint8_t) n;

    for (i = 0; i < n; i++) {
        ux_image_track_fit(&visitor->tracks[i], limits);
    }

    n = 0;

    for (i = 0; i < visitor->npending; i++) {
        if ((limits->events >> visitor->pending[i].event) & 1) {
            visitor->pending[n++] = visitor->pending[i];
        }
    }

    visitor->npending = (uint8_t) n;
}


static void
ux_image_track_fit(ux_track_t *track, const ux_image_limits_t *limits)
{
    unsigned  i, n;

    track->events &= limits->events;
    track->steps &= limits->steps;
    track->before &= limits->steps;

    for (i = limits->totals; i < UX_TOTALS_MAX; i++) {
        track->totals[i] = 0;
        track->counts[i] = 0;
    }

    track->stage = track->stage <= limits->stages ? track->stage : 0;

    for (i = 0; i < UX_SEGMENTS_MAX; i++) {
        if (track->segments[i] > (i < limits->segments ? limits->values : 0)) {
            track->segments[i] = 0;
        }
    }

    for (i = limits->funnels; i < UX_FUNNELS_MAX; i++) {
        memset(&track->paces[i], 0, sizeof(ux_pace_t));
    }

    for (i = limits->carts; i < UX_CARTS_MAX; i++) {
        memset(&track->carts[i], 0, sizeof(ux_cart_t));
    }

    n = 0;

    for (i = 0; i < track->npasts; i++) {
        if (track->pasts[i].cart < limits->carts) {
            track->pasts[n++] = track->pasts[i];
        }
    }

    track->npasts = (uint8_t) n;
}
