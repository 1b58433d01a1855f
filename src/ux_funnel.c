
/*
 * Copyright (C) the nginx-ux authors
 *
 * A funnel's progress is one mask of its visitor, "reached in order ever".  It
 * only grows, so an event is judged against that mask alone, without history:
 * a step is reached by any occurrence of its event after every required step
 * ahead of it was; optional steps and other events between do not matter.
 *
 * Every funnel has step slots of its own, so that one funnel's progress is
 * never another's, and the order in which funnels are looked at is free.
 */

#include "ux_funnel.h"
#include "ux_hash.h"


static uint64_t ux_funnel_required(const ux_funnel_t *funnel, unsigned n);
static uint64_t ux_funnel_bit(uint8_t slot);


unsigned
ux_funnel_position(const ux_funnel_t *funnel, uint8_t event)
{
    unsigned  k;

    for (k = 0; k < funnel->nsteps; k++) {
        if (funnel->steps[k].event == event) {
            return k + 1;
        }
    }

    return 0;
}


uint64_t
ux_funnel_reached(const ux_model_t *model, uint8_t event, uint64_t steps)
{
    uint64_t            reached;
    unsigned            i, position;
    const ux_funnel_t  *funnel;

    reached = 0;

    for (i = 0; i < model->nfunnels; i++) {
        funnel = &model->funnels[i];
        position = ux_funnel_position(funnel, event);

        if (position == 0
            || (ux_funnel_required(funnel, position - 1) & ~steps))
        {
            continue;
        }

        reached |= ux_funnel_bit(funnel->steps[position - 1].slot);
    }

    return reached;
}


uint64_t
ux_funnel_done(const ux_model_t *model, uint64_t events)
{
    uint8_t             slot;
    uint64_t            done;
    unsigned            i, k;
    const ux_funnel_t  *funnel;

    done = 0;

    for (i = 0; i < model->nfunnels; i++) {
        funnel = &model->funnels[i];

        for (k = 0; k < funnel->nsteps; k++) {
            slot = model->event_slots[funnel->steps[k].event];

            if (ux_funnel_bit(slot) & events) {
                done |= ux_funnel_bit(funnel->steps[k].slot);
            }
        }
    }

    return done;
}


uint64_t
ux_funnel_hash(const ux_model_t *model, const ux_funnel_t *funnel)
{
    uint64_t  words[2];
    unsigned  k;
    ux_str_t  name;

    words[0] = 0;

    for (k = 0; k < funnel->nsteps; k++) {
        name = model->events[funnel->steps[k].event];

        words[1] = ux_hash64(name.data, name.len) ^ funnel->steps[k].optional;
        words[0] = ux_hash64(words, sizeof(words));
    }

    return words[0];
}


/* The required ones among the first n steps. */
static uint64_t
ux_funnel_required(const ux_funnel_t *funnel, unsigned n)
{
    uint64_t  required;
    unsigned  k;

    required = 0;

    for (k = 0; k < n; k++) {
        if (!funnel->steps[k].optional) {
            required |= ux_funnel_bit(funnel->steps[k].slot);
        }
    }

    return required;
}


/* Nothing for a slot that is not bound. */
static uint64_t
ux_funnel_bit(uint8_t slot)
{
    return slot < 64 ? (uint64_t) 1 << slot : 0;
}
