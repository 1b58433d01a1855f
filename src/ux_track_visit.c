
/*
 * Copyright (C) the nginx-ux authors
 *
 * Pages, sessions, and forms sent again.
 *
 * A session is a row of pages without UX_SESSION_S of idleness between them.
 * An arm counts those of its visitors in which it was shown on a page, and of
 * these the ones with a single page, which is a bounce:
 *
 *   first page      SESSIONS + 1, SINGLE_PAGES + 1
 *   second          SINGLE_PAGES - 1
 *
 * for arms the visitor is in since the first; for one it comes into with a
 * later page, SESSIONS + 1 only.
 */

#include "ux_apply.h"


static void ux_track_repeats(const uint16_t *arms, const ux_plan_t *plan,
    unsigned field, ux_changes_t *changes);


void
ux_track_page(const ux_plan_t *plan, ux_visitor_t *visitor, uint64_t now_ms,
    ux_changes_t *changes)
{
    uint32_t     base;
    unsigned     i;
    ux_track_t  *track;

    for (i = 1; visitor->confirmed && i < visitor->ntracks; i++) {
        track = &visitor->tracks[i];

        if (!ux_track_counts(plan, track, now_ms)) {
            continue;
        }

        base = plan->arms[track->arm].base;
        ux_changes_add(changes, base + UX_ARM_PAGES, 1);

        if (visitor->pages == 0) {
            ux_changes_add(changes, base + UX_ARM_SESSIONS, 1);
            ux_changes_add(changes, base + UX_ARM_SINGLE_PAGES, 1);

        } else if (track->fresh) {
            ux_changes_add(changes, base + UX_ARM_SESSIONS, 1);

        } else if (visitor->pages == 1) {
            ux_changes_add(changes, base + UX_ARM_SINGLE_PAGES, -1);
        }
    }

    if (visitor->pages < 2) {
        visitor->pages++;
    }
}


void
ux_track_idle(ux_visitor_t *visitor, uint32_t now_s)
{
    if (now_s > visitor->last_s && now_s - visitor->last_s >= UX_SESSION_S) {
        visitor->pages = 0;
    }
}


void
ux_track_post(const ux_plan_t *plan, ux_visitor_t *visitor, uint32_t hash,
    bool failed, const uint16_t *arms, uint64_t now_ms,
    ux_changes_t *changes)
{
    uint64_t  since_ms;

    since_ms = now_ms > visitor->post_ms ? now_ms - visitor->post_ms : 0;

    if (visitor->post_hash == hash) {

        if (visitor->post_failed && since_ms <= UX_RETRY_MS) {
            ux_track_repeats(arms, plan, UX_HTTP_RETRIES, changes);
        }

        if (since_ms <= UX_RAGE_MS) {
            ux_track_repeats(arms, plan, UX_HTTP_RAGE_REPEATS, changes);
        }
    }

    visitor->post_hash = hash;
    visitor->post_failed = failed;
    visitor->post_ms = now_ms;
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
