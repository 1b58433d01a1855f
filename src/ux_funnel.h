
/*
 * Copyright (C) the nginx-ux authors
 *
 * Order in funnels (DESIGN.md section 4, rule 7).  Pure: masks in, masks out.
 * Steps that could not be bound to a slot are as if they were not there.
 */

#ifndef UX_FUNNEL_H
#define UX_FUNNEL_H


#include "ux_model.h"


/* Place of the event among the funnel's steps, from 1; 0: not a step. */
unsigned ux_funnel_position(const ux_funnel_t *funnel, uint8_t event);

/*
 * Which steps, of all funnels, one occurrence of the event reaches when
 * `steps` were reached before it: those with every required step ahead of
 * them in `steps`.  Masks of step slots; the answer may repeat bits of steps.
 */
uint64_t ux_funnel_reached(const ux_model_t *model, uint8_t event,
    uint64_t steps);

/* The steps, of all funnels, whose event is in this mask of event slots. */
uint64_t ux_funnel_done(const ux_model_t *model, uint64_t events);

/* Of the names of its steps, in order: what their times are of. */
uint64_t ux_funnel_hash(const ux_model_t *model, const ux_funnel_t *funnel);


#endif
