
/*
 * Copyright (C) the nginx-ux authors
 *
 * A journey is a walk over stages.  Each event of a stage is a move: from the
 * stage the visitor was in, or from the start, to its own, the same stage
 * included.  So each column sums up to the stage's events, and the diagonal
 * tells the repeats.
 *
 *             browse   cart   help            before the purchase
 *    start       5       .      .
 *    browse      2       4      .
 *    cart        1       .      1
 *    help        .       .      .
 *
 * The purchase itself is the last event before it.  Who reached a stage is
 * told by the events that a track has seen anyway: nobody has, before, of the
 * stage's.  So a crossover takes the visitors back, while moves, as events,
 * stay.
 *
 * Bounds: a change of the stages begins a new block.  Who had done an event
 * of a stage before is not counted as reaching it again, but taken back when
 * it crosses over; the report makes up for what other counts tell.  A record
 * with no room for stages (ux_visitor.c) sets out from the start again.
 */

#include "ux_journey.h"
#include "ux_apply.h"
#include "ux_hash.h"


static unsigned ux_journey_find(const ux_model_t *model, uint8_t index);
static unsigned ux_journey_row(const ux_model_t *model, uint8_t stage);


uint32_t
ux_journey_cells(uint64_t nstages)
{
    return UX_JOURNEY_CELLS(nstages < UX_STAGES_MAX ? (unsigned) nstages
                                                    : UX_STAGES_MAX);
}


/* Stages in their order; the order of a stage's events is nobody's. */
uint64_t
ux_journey_hash(const ux_model_t *model)
{
    uint64_t           words[3], mask;
    unsigned           i, event;
    const ux_stage_t  *stage;

    words[0] = 0;

    for (i = 0; i < model->nstages; i++) {
        stage = &model->stages[i];

        words[1] = ux_hash64(stage->name.data, stage->name.len);
        words[2] = 0;

        for (mask = stage->events; mask != 0; mask &= mask - 1) {
            event = (unsigned) __builtin_ctzll(mask);
            words[2] += ux_hash64(model->events[event].data,
                                  model->events[event].len);
        }

        words[0] = ux_hash64(words, sizeof(words));
    }

    return words[0];
}


uint64_t
ux_journey_slots(const ux_model_t *model, unsigned stage)
{
    uint64_t  slots, mask;

    slots = 0;

    for (mask = model->stages[stage].events; mask != 0; mask &= mask - 1) {
        slots |= ux_apply_bit(model->event_slots[__builtin_ctzll(mask)]);
    }

    return slots;
}


void
ux_journey_event(const ux_plan_t *plan, const ux_arm_t *arm,
    ux_track_t *track, uint8_t index, ux_changes_t *changes)
{
    bool               after;
    unsigned           to;
    const ux_model_t  *model;

    model = plan->model;
    to = ux_journey_find(model, index);

    if (arm->journey == 0 || to == model->nstages) {
        return;
    }

    after = (track->events
             & ux_apply_bit(model->event_slots[UX_EVENT_PURCHASE]))
            != 0;

    if ((track->events & ux_journey_slots(model, to)) == 0) {
        ux_changes_add(changes, arm->journey + to, 1);
    }

    ux_changes_add(changes, arm->journey
                            + UX_JOURNEY_MOVE(model->nstages, after,
                                              ux_journey_row(model,
                                                             track->stage),
                                              to), 1);

    track->stage = (uint8_t) (model->stages[to].slot + 1);
}


void
ux_journey_leave(const ux_plan_t *plan, const ux_arm_t *arm,
    const ux_track_t *track, ux_changes_t *changes)
{
    unsigned           i;
    const ux_model_t  *model;

    model = plan->model;

    for (i = 0; i < model->nstages && arm->journey != 0; i++) {
        if (model->stages[i].slot < UX_STAGES_MAX
            && (track->events & ux_journey_slots(model, i)) != 0)
        {
            ux_changes_add(changes, arm->journey + i, -1);
        }
    }
}


/* The event's stage, nstages: none that is bound. */
static unsigned
ux_journey_find(const ux_model_t *model, uint8_t index)
{
    unsigned  i;

    for (i = 0; i < model->nstages; i++) {
        if ((model->stages[i].events & ux_apply_bit(index)) != 0
            && model->stages[i].slot < UX_STAGES_MAX)
        {
            return i;
        }
    }

    return model->nstages;
}


/* A stage that is not configured any more is where nobody comes from. */
static unsigned
ux_journey_row(const ux_model_t *model, uint8_t stage)
{
    unsigned  i;

    for (i = 0; i < model->nstages; i++) {
        if (stage == model->stages[i].slot + 1) {
            return i + 1;
        }
    }

    return 0;
}
