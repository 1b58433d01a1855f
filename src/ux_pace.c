
/*
 * Copyright (C) the nginx-ux authors
 *
 * Times between steps.  In order a funnel only moves on, and a required step
 * is reached once: so the newest required step is the one before the next, and
 * two times a funnel do, when the task began and when that step was reached.
 * Both go when the last required step is.
 *
 *   exposure ---- step 1 ---- step 2 ---- step 3 (last)
 *            \__/         \__/        \__/               a step's time
 *                 \____________________/                 the task's
 *
 * What was done before the exposure has no time: the next step's, and the
 * task's, begin with the exposure.  An optional step after a later required
 * one has none either.  A crossed over visitor's times stay in.
 *
 * Whose funnel got other steps on the way has no more times of it: the two are
 * those of other steps, or there are none though a step was reached.
 */

#include "ux_pace.h"
#include "ux_apply.h"
#include "ux_funnel.h"
#include "ux_timing.h"

#include <string.h>


typedef enum {
    UX_PACE_SINCE_EXPOSURE = 0,        /* no required step ahead of it */
    UX_PACE_SINCE_STEP,                /* the newest one of these steps */
    UX_PACE_UNKNOWN
} ux_pace_from_e;


static void ux_pace_reached(const ux_funnel_t *funnel, unsigned step,
    uint32_t first, ux_track_t *track, uint64_t now_ms,
    ux_changes_t *changes);
static bool ux_pace_later(const ux_funnel_t *funnel, unsigned step,
    uint64_t steps, bool required);
static ux_pace_from_e ux_pace_from(const ux_funnel_t *funnel, unsigned step,
    const ux_track_t *track);
static bool ux_pace_completed(const ux_funnel_t *funnel, uint64_t steps);
static bool ux_pace_edge(const ux_funnel_t *funnel, unsigned from,
    unsigned to);
static void ux_pace_add(ux_changes_t *changes, uint32_t first,
    uint64_t from_ms, uint64_t now_ms);


void
ux_pace_event(const ux_plan_t *plan, const ux_arm_t *arm, ux_track_t *track,
    uint8_t index, uint64_t reached, uint64_t now_ms, ux_changes_t *changes)
{
    uint32_t            first;
    uint64_t            bit;
    unsigned            i, position;
    const ux_funnel_t  *funnel;

    for (i = 0; i < plan->model->nfunnels; i++) {
        funnel = &plan->model->funnels[i];
        position = ux_funnel_position(funnel, index);

        if (position == 0 || funnel->slot >= UX_FUNNELS_MAX) {
            continue;
        }

        first = arm->paces[funnel->slot];
        position--;

        bit = ux_apply_bit(funnel->steps[position].slot);

        if (bit & reached & ~track->steps) {
            ux_pace_reached(funnel, position, first, track, now_ms, changes);
        }

        if (first != 0
            && ux_pace_later(funnel, position, track->steps, false)
            && !ux_pace_completed(funnel, track->steps))
        {
            ux_changes_add(changes, first + UX_TIMINGS_BACK(funnel->nsteps)
                                    + position, 1);
        }
    }
}


/* first 0: nothing is counted of these steps. */
static void
ux_pace_reached(const ux_funnel_t *funnel, unsigned step, uint32_t first,
    ux_track_t *track, uint64_t now_ms, ux_changes_t *changes)
{
    ux_pace_t       *pace;
    ux_pace_from_e   from;

    if (ux_pace_later(funnel, step, track->steps, true)) {
        return;
    }

    pace = &track->paces[funnel->slot];

    from = ux_pace_from(funnel, step, track);

    if (first == 0 || from != UX_PACE_SINCE_STEP) {
        memset(pace, 0, sizeof(ux_pace_t));
    }

    if (first == 0 || from == UX_PACE_UNKNOWN) {
        return;
    }

    ux_pace_add(changes, first + UX_TIMINGS_STEP(step),
                from == UX_PACE_SINCE_STEP ? pace->reached_ms
                                           : track->exposed_ms, now_ms);

    if (funnel->steps[step].optional) {
        return;
    }

    pace->reached_ms = now_ms;
    pace->mark = funnel->mark;

    if (ux_pace_edge(funnel, 0, step)) {
        pace->started_ms = now_ms;
    }

    if (ux_pace_edge(funnel, step + 1, funnel->nsteps)) {
        ux_pace_add(changes, first + UX_TIMINGS_TASK(funnel->nsteps),
                    pace->started_ms != 0 ? pace->started_ms
                                          : track->exposed_ms, now_ms);

        if (pace->started_ms != 0) {
            ux_changes_add(changes,
                           first + UX_TIMINGS_SUCCESS(funnel->nsteps), 1);
        }

        pace->started_ms = 0;

        /* an optional step may follow */

        if (step + 1 == funnel->nsteps) {
            memset(pace, 0, sizeof(ux_pace_t));
        }
    }
}


/* Since when a step's time is. */
static ux_pace_from_e
ux_pace_from(const ux_funnel_t *funnel, unsigned step,
    const ux_track_t *track)
{
    unsigned          k;
    const ux_pace_t  *pace;

    pace = &track->paces[funnel->slot];

    for (k = 0; k < step; k++) {
        if (!funnel->steps[k].optional
            && (ux_apply_bit(funnel->steps[k].slot) & track->steps))
        {
            return pace->reached_ms != 0 && pace->mark == funnel->mark
                   ? UX_PACE_SINCE_STEP : UX_PACE_UNKNOWN;
        }
    }

    return UX_PACE_SINCE_EXPOSURE;
}


/* Has the visitor reached any step behind this one, or any required one? */
static bool
ux_pace_later(const ux_funnel_t *funnel, unsigned step, uint64_t steps,
    bool required)
{
    unsigned  k;

    for (k = step + 1; k < funnel->nsteps; k++) {

        if ((ux_apply_bit(funnel->steps[k].slot) & steps)
            && !(required && funnel->steps[k].optional))
        {
            return true;
        }
    }

    return false;
}


/* What comes after is another task, not a way back in this one. */
static bool
ux_pace_completed(const ux_funnel_t *funnel, uint64_t steps)
{
    unsigned  k;

    for (k = funnel->nsteps; k > 0; k--) {
        if (!funnel->steps[k - 1].optional) {
            return (ux_apply_bit(funnel->steps[k - 1].slot) & steps) != 0;
        }
    }

    return false;
}


/* No step from `from` on, up to but without `to`, is required. */
static bool
ux_pace_edge(const ux_funnel_t *funnel, unsigned from, unsigned to)
{
    unsigned  k;

    for (k = from; k < to; k++) {
        if (!funnel->steps[k].optional) {
            return false;
        }
    }

    return true;
}


/* A clock that went back: 0. */
static void
ux_pace_add(ux_changes_t *changes, uint32_t first, uint64_t from_ms,
    uint64_t now_ms)
{
    ux_change_t  change;

    change = ux_timing_change(first, now_ms > from_ms ? now_ms - from_ms : 0);
    ux_changes_add(changes, change.cell, change.delta);
}
