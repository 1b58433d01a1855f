
/*
 * Copyright (C) the nginx-ux authors
 *
 * Stages of the journey: which a visitor reaches, from which it comes, before
 * the purchase and after it.  Pure, as the rest of the event path.
 */

#ifndef UX_JOURNEY_H
#define UX_JOURNEY_H


#include "ux_track.h"


/*
 * A block of UX_TIMINGS_JOURNEY, by the places of n stages in the model, from
 * 0: a count a stage of the visitors who reached it, then two matrices of
 * moves, before the purchase and after it, from a row to a column.  Row 0 is
 * the start, row k + 1 the stage at k.
 */
#define UX_JOURNEY_MOVES  UX_STAGES_MAX
#define UX_JOURNEY_MOVE(n, after, row, stage)                                \
    (UX_JOURNEY_MOVES                                                        \
     + (((after) ? (n) + 1u : 0u) + (row)) * (n) + (stage))
#define UX_JOURNEY_CELLS(n)  (UX_JOURNEY_MOVES + 2u * ((n) + 1u) * (n))


/* Cells of the block of so many stages, at most of as many as there may be. */
uint32_t ux_journey_cells(uint64_t nstages);

/* Of the stages' names and events: what a block is of.  0: there are none. */
uint64_t ux_journey_hash(const ux_model_t *model);

/* The event slots of a stage, a mask. */
uint64_t ux_journey_slots(const ux_model_t *model, unsigned stage);

/*
 * An event, by index (UX_SLOT_NONE: none of the model's), of an exposed
 * visitor, before track->events has it.  track->stage moves on.
 */
void ux_journey_event(const ux_plan_t *plan, const ux_arm_t *arm,
    ux_track_t *track, uint8_t index, ux_changes_t *changes);

/* The visitor leaves the counts of visitors; moves stay. */
void ux_journey_leave(const ux_plan_t *plan, const ux_arm_t *arm,
    const ux_track_t *track, ux_changes_t *changes);


#endif
