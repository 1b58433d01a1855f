
/*
 * Copyright (C) the nginx-ux authors
 *
 * Exposures, those that wait for a prefetched page to be shown included.
 *
 *     (none) ---- prefetch ---->  waiting
 *        |                          |  |
 *      expose               expose, |  | too late, or not running
 *        |                   settle |  |
 *        v                          |  v
 *     exposed  <--------------------+ (none)
 *
 * A record holds experiments_max tracks.  When it is full, one that nothing
 * can count for makes room: of an experiment that is not in the model, or one
 * that has waited too long; the oldest first.  What it had counted stays.
 */

#include "ux_apply.h"

#include <string.h>


static ux_status_t ux_track_add(const ux_plan_t *plan, ux_visitor_t *visitor,
    uint16_t ordinal, uint64_t now_ms, ux_track_t **added);
static bool ux_track_room(const ux_plan_t *plan, ux_visitor_t *visitor,
    uint64_t now_ms);
static bool ux_track_dead(const ux_plan_t *plan, const ux_track_t *track,
    uint64_t now_ms);
static bool ux_track_late(const ux_track_t *track, uint64_t now_ms);
static void ux_track_remove(ux_visitor_t *visitor, unsigned track);
static uint16_t ux_track_awaited(const ux_plan_t *plan,
    const ux_track_t *track, unsigned experiment, unsigned variant);
static uint16_t ux_track_settled(const ux_plan_t *plan,
    const ux_track_t *track, uint64_t now_ms);
static uint16_t ux_track_ordinal(const ux_plan_t *plan, unsigned experiment,
    unsigned variant);
static void ux_track_exposed(const ux_plan_t *plan, ux_visitor_t *visitor,
    ux_track_t *track, uint64_t now_ms, ux_changes_t *changes);
static void ux_track_moved(const ux_arm_t *arm, ux_visitor_t *visitor,
    ux_track_t *track, unsigned variant, ux_changes_t *changes);


ux_track_t *
ux_track_find(const ux_plan_t *plan, ux_visitor_t *visitor,
    unsigned experiment)
{
    unsigned         i;
    const ux_arm_t  *arm;

    for (i = 1; i < visitor->ntracks; i++) {
        arm = ux_apply_arm(plan, visitor->tracks[i].arm);

        if (arm != NULL && (unsigned) arm->experiment == experiment) {
            return &visitor->tracks[i];
        }
    }

    return NULL;
}


bool
ux_track_counts(const ux_plan_t *plan, const ux_track_t *track,
    uint64_t now_ms)
{
    ux_phase_e       phase;
    const ux_arm_t  *arm;

    if (track->waiting || track->crossed) {
        return false;
    }

    arm = ux_apply_arm(plan, track->arm);
    if (arm == NULL) {
        return false;
    }

    phase = ux_experiment_phase(&plan->model->experiments[arm->experiment],
                                now_ms);

    return phase == UX_PHASE_RUNNING || phase == UX_PHASE_CLOSED;
}


ux_status_t
ux_track_expose(const ux_plan_t *plan, ux_visitor_t *visitor,
    unsigned experiment, unsigned variant, uint64_t now_ms,
    ux_changes_t *changes)
{
    uint16_t      ordinal;
    ux_phase_e    phase;
    ux_track_t   *track;
    ux_status_t   status;

    if (experiment >= plan->model->nexperiments
        || variant >= UX_VARIANTS_MAX)
    {
        return UX_DECLINED;
    }

    phase = ux_experiment_phase(&plan->model->experiments[experiment],
                                now_ms);
    track = ux_track_find(plan, visitor, experiment);

    if (track != NULL && !track->waiting) {
        if (phase != UX_PHASE_RUNNING && phase != UX_PHASE_CLOSED) {
            return UX_DECLINED;
        }

        ux_track_moved(&plan->arms[track->arm], visitor, track, variant,
                       changes);
        return UX_OK;
    }

    ordinal = ux_track_ordinal(plan, experiment, variant);

    if (track != NULL
        && (unsigned) plan->arms[track->arm].variant == variant)
    {
        ordinal = ux_track_awaited(plan, track, experiment, variant);
    }

    if (ordinal == UX_ARM_NONE || phase != UX_PHASE_RUNNING) {
        return UX_DECLINED;
    }

    if (track == NULL) {
        status = ux_track_add(plan, visitor, ordinal, now_ms, &track);

        if (status != UX_OK) {
            return status;
        }
    }

    track->arm = ordinal;
    ux_track_exposed(plan, visitor, track, now_ms, changes);

    return UX_OK;
}


ux_status_t
ux_track_prefetch(const ux_plan_t *plan, ux_visitor_t *visitor,
    unsigned experiment, unsigned variant, uint64_t now_ms)
{
    uint16_t      ordinal;
    ux_track_t   *track;
    ux_status_t   status;

    if (experiment >= plan->model->nexperiments
        || variant >= UX_VARIANTS_MAX
        || ux_experiment_phase(&plan->model->experiments[experiment], now_ms)
           != UX_PHASE_RUNNING)
    {
        return UX_DECLINED;
    }

    track = ux_track_find(plan, visitor, experiment);

    if (track != NULL && !track->waiting) {
        return UX_OK;
    }

    ordinal = ux_track_ordinal(plan, experiment, variant);

    if (ordinal == UX_ARM_NONE) {
        return UX_DECLINED;
    }

    if (track == NULL) {
        status = ux_track_add(plan, visitor, ordinal, now_ms, &track);

        if (status != UX_OK) {
            return status;
        }
    }

    track->arm = ordinal;
    track->waiting = true;
    track->exposed_ms = now_ms;

    return UX_OK;
}


bool
ux_track_settle(const ux_plan_t *plan, ux_visitor_t *visitor,
    uint64_t now_ms, uint16_t *settled, ux_changes_t *changes)
{
    bool         changed;
    uint16_t     ordinal;
    unsigned     i, n;
    ux_track_t  *track;

    changed = false;
    i = 1;
    n = 0;

    while (i < visitor->ntracks) {
        track = &visitor->tracks[i];

        if (!track->waiting) {
            i++;
            continue;
        }

        changed = true;
        ordinal = ux_track_settled(plan, track, now_ms);

        if (ordinal == UX_ARM_NONE) {
            ux_track_remove(visitor, i);

        } else {
            track->arm = ordinal;
            ux_track_exposed(plan, visitor, track, now_ms, changes);
            i++;

            if (settled != NULL) {
                settled[n++] = ordinal;
            }
        }
    }

    if (settled != NULL) {
        settled[n] = UX_ARM_NONE;
    }

    return changed;
}


/* An empty track of this arm. */
static ux_status_t
ux_track_add(const ux_plan_t *plan, ux_visitor_t *visitor, uint16_t ordinal,
    uint64_t now_ms, ux_track_t **added)
{
    ux_track_t  *track;

    if (!ux_track_room(plan, visitor, now_ms)) {
        return UX_FULL;
    }

    track = &visitor->tracks[visitor->ntracks++];
    ux_visitor_clear(track);

    track->arm = ordinal;
    track->exposed_ms = now_ms;

    *added = track;

    return UX_OK;
}


static bool
ux_track_room(const ux_plan_t *plan, ux_visitor_t *visitor, uint64_t now_ms)
{
    unsigned           i, oldest;
    const ux_track_t  *tracks;

    tracks = visitor->tracks;

    while (visitor->ntracks > plan->experiments_max
           || visitor->ntracks >= UX_TRACKS_MAX)
    {
        oldest = 0;

        for (i = 1; i < visitor->ntracks; i++) {
            if (ux_track_dead(plan, &tracks[i], now_ms)
                && (oldest == 0
                    || tracks[i].exposed_ms < tracks[oldest].exposed_ms))
            {
                oldest = i;
            }
        }

        if (oldest == 0) {
            return false;
        }

        ux_track_remove(visitor, oldest);
    }

    return true;
}


/* An arm this process has not resolved yet may well be of the model. */
static bool
ux_track_dead(const ux_plan_t *plan, const ux_track_t *track, uint64_t now_ms)
{
    const ux_arm_t  *arm;

    if (track->waiting && ux_track_late(track, now_ms)) {
        return true;
    }

    if (track->arm >= plan->narms) {
        return false;
    }

    arm = &plan->arms[track->arm];

    return arm->base != 0 && arm->experiment < 0;
}


static bool
ux_track_late(const ux_track_t *track, uint64_t now_ms)
{
    return now_ms > track->exposed_ms
           && now_ms - track->exposed_ms > UX_PREFETCH_MS;
}


/* The others keep their order. */
static void
ux_track_remove(ux_visitor_t *visitor, unsigned track)
{
    visitor->ntracks--;

    memmove(&visitor->tracks[track], &visitor->tracks[track + 1],
            (visitor->ntracks - track) * sizeof(ux_track_t));
}


/* The arm of the exposure that the waiting track becomes, if it does. */
static uint16_t
ux_track_settled(const ux_plan_t *plan, const ux_track_t *track,
    uint64_t now_ms)
{
    unsigned         experiment;
    const ux_arm_t  *arm;

    arm = ux_apply_arm(plan, track->arm);

    if (arm == NULL || arm->variant < 0 || ux_track_late(track, now_ms)) {
        return UX_ARM_NONE;
    }

    experiment = (unsigned) arm->experiment;

    if (ux_experiment_phase(&plan->model->experiments[experiment], now_ms)
        != UX_PHASE_RUNNING)
    {
        return UX_ARM_NONE;
    }

    return ux_track_awaited(plan, track, experiment,
                            (unsigned) arm->variant);
}


/*
 * The variant's arm of the epoch there is now; but where that takes nobody
 * new, the one it was assigned in: nobody comes to an arm of weight 0.
 */
static uint16_t
ux_track_awaited(const ux_plan_t *plan, const ux_track_t *track,
    unsigned experiment, unsigned variant)
{
    if (plan->model->experiments[experiment].variants[variant].weight > 0) {
        return ux_track_ordinal(plan, experiment, variant);
    }

    return track->arm;
}


/* Where newcomers to the variant are counted now. */
static uint16_t
ux_track_ordinal(const ux_plan_t *plan, unsigned experiment, unsigned variant)
{
    uint16_t  ordinal;

    ordinal = plan->bindings[experiment].arms[variant];

    return ux_apply_arm(plan, ordinal) != NULL ? ordinal : UX_ARM_NONE;
}


static void
ux_track_exposed(const ux_plan_t *plan, ux_visitor_t *visitor,
    ux_track_t *track, uint64_t now_ms, ux_changes_t *changes)
{
    track->waiting = false;
    track->exposed_ms = now_ms;
    memcpy(track->segments, plan->segments, sizeof(track->segments));

    ux_changes_add(changes, plan->arms[track->arm].base + UX_ARM_ASSIGNED, 1);

    if (visitor->confirmed) {
        ux_apply_newcomer(plan, visitor, track, changes);

    } else {
        ux_apply_unconfirmed(track, 1, changes);
    }
}


/* It stays in the counts of its first variant, and is told apart once. */
static void
ux_track_moved(const ux_arm_t *arm, ux_visitor_t *visitor, ux_track_t *track,
    unsigned variant, ux_changes_t *changes)
{
    if (track->moved || track->crossed || arm->variant == (int) variant) {
        return;
    }

    track->moved = true;

    if (visitor->confirmed) {
        ux_changes_add(changes, arm->base + UX_ARM_MOVED, 1);
    }
}
