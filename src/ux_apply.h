
/*
 * Copyright (C) the nginx-ux authors
 *
 * An exposure or event of a confirmed visitor enters its tracks and the
 * counters; used by ux_track*.c only.
 */

#ifndef UX_APPLY_H
#define UX_APPLY_H


#include "ux_cart.h"
#include "ux_track.h"


/*
 * A new track, its exposed_ms set and its arm known, of a confirmed visitor:
 * its visitor, the steps it did before, the carts it brings along.
 */
void ux_apply_newcomer(const ux_plan_t *plan, const ux_visitor_t *visitor,
    ux_track_t *track, ux_changes_t *changes);

/*
 * An event; index as in the model, UX_SLOT_NONE when the model has it no more
 * (event->event is then its slot: it is counted as an event, and is no step,
 * cart event or part of a total).  Returns the reason to count it under
 * discarded, the first that applies, or UX_DISCARDS.
 */
ux_discard_e ux_apply_event(const ux_plan_t *plan, ux_visitor_t *visitor,
    const ux_event_t *event, uint8_t index, ux_changes_t *changes);

/* What one visitor adds to a total of an arm. */
typedef struct {
    int64_t   sum;                 /* y, capped */
    uint32_t  count;               /* z: values in it, of a ratio; else 0 */
} ux_amount_t;

/* A visitor's total changed; cell being the first of the arm's for it. */
void ux_apply_total(ux_changes_t *changes, uint32_t cell, ux_amount_t from,
    ux_amount_t to);

/* The arm if its experiment is in the model, else NULL. */
static inline const ux_arm_t *
ux_apply_arm(const ux_plan_t *plan, uint16_t ordinal)
{
    const ux_arm_t  *arm;

    if (ordinal >= plan->narms) {
        return NULL;
    }

    arm = &plan->arms[ordinal];

    /* -1 of one not in the model is beyond all as well */

    if (arm->base == 0
        || (unsigned) arm->experiment >= plan->model->nexperiments)
    {
        return NULL;
    }

    return arm;
}


/* Is now_ms inside the window of the track, whose arm is in the model? */
bool ux_apply_in_window(const ux_plan_t *plan, const ux_arm_t *arm,
    const ux_track_t *track, uint64_t now_ms);

/* Has the event a value, and in the zone's currency? */
bool ux_apply_money(const ux_event_t *event);

/* The bit of an event slot, 0 for one that is not bound. */
uint64_t ux_apply_bit(uint8_t slot);

/* delta for every slot of the mask, cell being that of slot 0. */
void ux_apply_each(ux_changes_t *changes, uint32_t cell, uint64_t slots,
    int delta);

/* Where a track keeps the total; UX_TOTALS_MAX or more: not bound. */
unsigned ux_apply_total_slot(const ux_total_t *total);

/* What a visitor's sum counts for: a cap is of money, not of answers to a
 * survey (model NULL: there are none). */
int64_t ux_apply_capped(const ux_model_t *model,
    const ux_experiment_t *experiment, const ux_total_t *total, int64_t sum);

/* Where the track's arm counts the carts of this funnel, which is bound. */
ux_cart_place_t ux_apply_place(const ux_arm_t *arm, const ux_track_t *track,
    const ux_funnel_t *funnel);

/*
 * A visitor of the track's arm by the time of its exposure: 1 when it enters
 * the counts, -1 when it leaves them.  Nothing where there is no window.
 */
void ux_apply_window(const ux_plan_t *plan, const ux_track_t *track,
    int32_t delta, ux_changes_t *changes);

/* The same of an unconfirmed visitor: -1 when it is confirmed. */
void ux_apply_unconfirmed(const ux_track_t *track, int32_t delta,
    ux_changes_t *changes);


#endif
