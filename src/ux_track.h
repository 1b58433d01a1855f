
/*
 * Copyright (C) the nginx-ux authors
 *
 * The one event path: (visitor state, what happened, now) -> (visitor state',
 * counter changes).  Requests, upstream headers, beacons, replays and
 * simulations all come through here.  Pure: no clock, no memory, no zone.
 */

#ifndef UX_TRACK_H
#define UX_TRACK_H


#include "ux_counter.h"
#include "ux_visitor.h"


/* What an arm ordinal means to this process; built by ux_store_bind(). */
typedef struct {
    int16_t   experiment;          /* index into the model, -1: not in it */
    int16_t   variant;             /* index into its variants, -1: dropped */
    uint16_t  variant_slot;        /* registry ordinal of the variant */
    uint32_t  base;                /* first cell of its UX_ARM_ block */
    uint32_t  carts[UX_CARTS_MAX]; /* first cell of UX_CART_, 0: none */
    uint32_t  rings[UX_CARTS_MAX]; /* first cell of the ring, 0: none */
} ux_arm_t;


/* Where each experiment of the model counts newcomers now. */
typedef struct {
    uint16_t  arms[UX_VARIANTS_MAX];     /* by variant index */
} ux_binding_t;


typedef struct {
    const ux_model_t    *model;
    unsigned             narms;
    const ux_arm_t      *arms;           /* by arm ordinal */
    const ux_binding_t  *bindings;       /* by experiment index */
    unsigned             experiments_max;   /* a record's assignments */
} ux_plan_t;


/* The visitor's track of an experiment, or NULL. */
ux_track_t *ux_track_find(const ux_plan_t *plan, ux_visitor_t *visitor,
    unsigned experiment);

/*
 * First exposure of the visitor to the experiment, in the variant with this
 * index, at now_ms.  UX_OK: recorded, or had been (then nothing changes but,
 * if the variant is another one by the operator's doing, `moved`).  UX_FULL:
 * the record holds experiments_max assignments; UX_DECLINED: the variant has
 * no arm; nothing changed then.
 */
ux_status_t ux_track_expose(const ux_plan_t *plan, ux_visitor_t *visitor,
    unsigned experiment, unsigned variant, uint64_t now_ms,
    ux_changes_t *changes);

/*
 * One accepted event.  Idempotent for an id seen before.  Adds the zone's own
 * counts at once, those of experiments when the visitor is confirmed, else
 * the event waits in the record.  UX_OK; UX_DECLINED with *why set when it
 * was discarded (which is counted in changes too); UX_FULL when an
 * unconfirmed visitor's record can hold no more (zone_full, counted).  With
 * UX_OK *why is UX_DISCARDS, or what else there is to tell, counted likewise:
 * refund_excess, after_window.
 */
ux_status_t ux_track_event(const ux_plan_t *plan, ux_visitor_t *visitor,
    const ux_event_t *event, ux_changes_t *changes, ux_discard_e *why);

/*
 * The visitor's cookie came back: what waited enters the counts, dated when
 * it happened.  Does nothing to a confirmed one.
 */
void ux_track_confirm(const ux_plan_t *plan, ux_visitor_t *visitor,
    ux_changes_t *changes);


#endif
