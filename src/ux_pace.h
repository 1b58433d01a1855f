
/*
 * Copyright (C) the nginx-ux authors
 *
 * How long a visitor takes from step to step; used by ux_apply.c.
 */

#ifndef UX_PACE_H
#define UX_PACE_H


#include "ux_track.h"


/*
 * An event of a confirmed visitor, index as in the model, with which the track
 * newly reaches these step slots in order: their times and the task's enter
 * the histograms, and so do returns to a step behind one it has reached, until
 * the task is completed.  Called before the track's steps change.
 */
void ux_pace_event(const ux_plan_t *plan, const ux_arm_t *arm,
    ux_track_t *track, uint8_t index, uint64_t reached, uint64_t now_ms,
    ux_changes_t *changes);


#endif
