
/*
 * Copyright (C) the nginx-ux authors
 *
 * Pages, sessions, and forms sent again.
 *
 * A session is a row of pages without UX_SESSION_S of idleness between them.
 * An arm counts those in which it was shown on a page, and of these the ones
 * with a single page, of whatever arms, which is a bounce:
 *
 *   first page of the session    SESSIONS + 1, SINGLE_PAGES + 1 where shown
 *   second                       SINGLE_PAGES - 1 where the first showed it;
 *                                SESSIONS + 1 where it is shown first
 *   others                       SESSIONS + 1 where it is shown first
 */

#include "ux_apply.h"


static bool ux_track_listed(const ux_track_t *track, const uint16_t *arms);
static void ux_track_repeats(const uint16_t *arms, const ux_plan_t *plan,
    unsigned field, ux_changes_t *changes);


void
ux_track_page(const ux_plan_t *plan, ux_visitor_t *visitor,
    const uint16_t *arms, uint64_t now_ms, ux_changes_t *changes)
{
    bool         shown;
    uint32_t     base;
    unsigned     i;
    ux_track_t  *track;

    for (i = 1; i < visitor->ntracks; i++) {
        track = &visitor->tracks[i];

        shown = ux_track_listed(track, arms)
                && ux_track_counts(plan, track, now_ms);

        if (visitor->confirmed && (shown || track->visit)
            && ux_apply_arm(plan, track->arm) != NULL)
        {
            base = plan->arms[track->arm].base;

            if (shown) {
                ux_changes_add(changes, base + UX_ARM_PAGES, 1);
            }

            if (shown && !track->visit) {
                ux_changes_add(changes, base + UX_ARM_SESSIONS, 1);
                ux_changes_add(changes, base + UX_ARM_SINGLE_PAGES,
                               visitor->pages == 0);

            } else if (visitor->pages == 1) {
                ux_changes_add(changes, base + UX_ARM_SINGLE_PAGES, -1);
            }
        }

        track->visit = track->visit || shown;
    }

    if (visitor->pages < 2) {
        visitor->pages++;
    }
}


bool
ux_track_visitor_steady(const ux_outline_t *outline)
{
    return outline->confirmed && !outline->waiting && outline->pages == 2;
}


void
ux_track_returning(uint32_t first_s, const ux_track_t *track, uint32_t base,
    int delta, ux_changes_t *changes)
{
    if (track->exposed_ms >= ((uint64_t) first_s + UX_SESSION_S) * 1000) {
        ux_changes_add(changes, base + UX_ARM_RETURNING, delta);
    }
}


void
ux_track_confirmed_late(const ux_plan_t *plan, const ux_visitor_t *visitor,
    ux_changes_t *changes)
{
    unsigned           i;
    const ux_track_t  *track;

    for (i = 1; i < visitor->ntracks; i++) {
        track = &visitor->tracks[i];

        if (!track->waiting && !track->crossed
            && ux_apply_arm(plan, track->arm) != NULL)
        {
            ux_changes_add(changes, plan->arms[track->arm].base
                                    + UX_ARM_CONFIRMED_LATE, 1);
        }
    }
}


/* Has this page shown it? */
static bool
ux_track_listed(const ux_track_t *track, const uint16_t *arms)
{
    for ( /* void */ ; *arms != UX_ARM_NONE; arms++) {
        if (*arms == track->arm) {
            return true;
        }
    }

    return false;
}


void
ux_track_idle(ux_visitor_t *visitor, uint32_t now_s)
{
    unsigned  i;

    if (now_s > visitor->last_s && now_s - visitor->last_s >= UX_SESSION_S) {
        visitor->pages = 0;

        for (i = 1; i < visitor->ntracks; i++) {
            visitor->tracks[i].visit = false;
        }
    }
}


void
ux_track_post(const ux_plan_t *plan, ux_visitor_t *visitor, uint32_t hash,
    bool failed, const uint16_t *arms, uint64_t sent_ms,
    ux_changes_t *changes)
{
    bool      earlier;
    uint64_t  since_ms;

    earlier = sent_ms < visitor->post_ms;
    since_ms = earlier ? visitor->post_ms - sent_ms
                       : sent_ms - visitor->post_ms;

    if (visitor->post_hash == hash) {

        if (visitor->post_failed && !earlier && since_ms <= UX_RETRY_MS) {
            ux_track_repeats(arms, plan, UX_HTTP_RETRIES, changes);
        }

        if (since_ms <= UX_RAGE_MS) {
            ux_track_repeats(arms, plan, UX_HTTP_RAGE_REPEATS, changes);
        }
    }

    /* its answer came late; much earlier ones are of a clock set back */

    if (earlier && since_ms <= UX_RETRY_MS) {
        return;
    }

    visitor->post_hash = hash;
    visitor->post_failed = failed;
    visitor->post_ms = sent_ms;
}


static void
ux_track_repeats(const uint16_t *arms, const ux_plan_t *plan, unsigned field,
    ux_changes_t *changes)
{
    ux_changes_add(changes, UX_ZONE_HTTP + field, 1);

    for ( /* void */ ; *arms != UX_ARM_NONE; arms++) {
        ux_changes_add(changes, plan->arms[*arms].base + UX_ARM_HTTP + field,
                       1);
    }
}
