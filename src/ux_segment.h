
/*
 * Copyright (C) the nginx-ux authors
 *
 * Segments: what visitors are counted by beside their variants.
 *
 * The value of a visitor in an experiment is fixed at its exposure, so that
 * the treatment cannot move it, and kept with the track.  The event path knows
 * nothing of it: what it changes in the counters of an arm is changed by the
 * same in those of the track's values.  So over the values of a segment each
 * counter adds up to the variant's own, of who was exposed since there is the
 * segment, whatever is counted, taken back or carried in.
 */

#ifndef UX_SEGMENT_H
#define UX_SEGMENT_H


#include "ux_track.h"


/*
 * What plan.segments says of a segment, by index into the model, whose
 * variable has this value: "other" for what is no value of it.
 */
void ux_segment_note(const ux_model_t *model, unsigned segment, ux_str_t word,
    uint8_t values[UX_SEGMENTS_MAX]);

/* Is this cell of an arm, counted from its base, counted by values too? */
bool ux_segment_counts(uint32_t cell);

/*
 * Adds changes of this visitor's turn to the counters of its values; the
 * visitor as the turn has left it.  Cheap where there are none.
 */
void ux_segment_apply(ux_counter_t *counter, const ux_plan_t *plan,
    const ux_visitor_t *visitor, const ux_changes_t *changes);

/* A change of a cart ring, in the ring that this arm has. */
void ux_segment_ring(ux_counter_t *counter, const ux_arm_t *arm,
    const ux_ring_change_t *change);


#endif
