
/*
 * Copyright (C) the nginx-ux authors
 *
 * A turn's changes, in the counters of the visitor's values.
 *
 * Arms that count a value have a block with the layout of an arm's, of all
 * epochs of the variant, and carts with rings: ux_resolve.c chains those of a
 * variant.  A change is told by its cell: one inside of the block or a cart of
 * an arm that the visitor has a track in.
 *
 * Cost: nothing without segments; else a chain of as many values as there are
 * for each track, and for each change a comparison with the visitor's tracks.
 */

#include "ux_segment.h"


/* A track's arm, and the arms of its values. */
typedef struct {
    uint16_t         ordinal;
    unsigned         n;
    const ux_arm_t  *arm;
    const ux_arm_t  *into[UX_SEGMENTS_MAX];
} ux_segment_place_t;


static unsigned ux_segment_places(const ux_plan_t *plan,
    const ux_visitor_t *visitor, ux_segment_place_t *places);
static const ux_arm_t *ux_segment_arm(const ux_plan_t *plan,
    const ux_arm_t *arm, unsigned value);
static bool ux_segment_add(ux_counter_t *counter,
    const ux_segment_place_t *place, const ux_change_t *change);


void
ux_segment_note(const ux_model_t *model, unsigned segment, ux_str_t word,
    uint8_t values[UX_SEGMENTS_MAX])
{
    unsigned             i;
    uint8_t              ordinal;
    const ux_segment_t  *of;

    of = &model->segments[segment];

    if (of->slot >= UX_SEGMENTS_MAX) {
        return;
    }

    ordinal = model->values[of->first].ordinal;

    for (i = 1; i < of->nvalues; i++) {
        if (ux_str_equal(model->values[of->first + i].name, word)) {
            ordinal = model->values[of->first + i].ordinal;
            break;
        }
    }

    values[of->slot] = (uint8_t) (ordinal < UX_SEGMENT_VALUES ? ordinal + 1
                                                              : 0);
}


/* Requests are counted when they are over, by whoever is exposed then. */
bool
ux_segment_counts(uint32_t cell)
{
    return cell < UX_ARM_HTTP
           || (cell >= UX_ARM_EVENT_VISITORS && cell < UX_ARM_COUNTS);
}


void
ux_segment_apply(ux_counter_t *counter, const ux_plan_t *plan,
    const ux_visitor_t *visitor, const ux_changes_t *changes)
{
    unsigned            i, k, v, n;
    ux_segment_place_t  places[UX_TRACKS_MAX];

    n = plan->nsegments == 0 ? 0 : ux_segment_places(plan, visitor, places);

    if (n == 0) {
        return;
    }

    for (i = 0; i < changes->n; i++) {
        for (k = 0; k < n; k++) {
            if (ux_segment_add(counter, &places[k], &changes->items[i])) {
                break;
            }
        }
    }

    for (i = 0; i < changes->nrings; i++) {
        for (k = 0; k < n; k++) {
            for (v = 0; changes->rings[i].arm == places[k].ordinal
                        && v < places[k].n; v++)
            {
                ux_segment_ring(counter, places[k].into[v],
                                &changes->rings[i]);
            }
        }
    }
}


/* Of tracks with a value; returns how many. */
static unsigned
ux_segment_places(const ux_plan_t *plan, const ux_visitor_t *visitor,
    ux_segment_place_t *places)
{
    unsigned             i, s, n;
    const ux_arm_t      *into;
    const ux_track_t    *track;
    ux_segment_place_t  *place;

    n = 0;

    for (i = 1; i < visitor->ntracks; i++) {
        track = &visitor->tracks[i];

        if (track->arm >= plan->narms || plan->arms[track->arm].base == 0) {
            continue;
        }

        place = &places[n];
        place->ordinal = track->arm;
        place->arm = &plan->arms[track->arm];
        place->n = 0;

        for (s = 0; s < UX_SEGMENTS_MAX; s++) {
            into = track->segments[s] == 0 ? NULL
                   : ux_segment_arm(plan, place->arm, track->segments[s] - 1u);

            if (into != NULL) {
                place->into[place->n++] = into;
            }
        }

        n += place->n != 0;
    }

    return n;
}


/* The one of the arm's variant that counts the value; NULL: there is none. */
static const ux_arm_t *
ux_segment_arm(const ux_plan_t *plan, const ux_arm_t *arm, unsigned value)
{
    uint16_t  i;

    for (i = arm->segments; i != UX_ARM_NONE; i = plan->arms[i].segments) {
        if (plan->arms[i].value == value) {
            return &plan->arms[i];
        }
    }

    return NULL;
}


/* False: the cell is not the arm's. */
static bool
ux_segment_add(ux_counter_t *counter, const ux_segment_place_t *place,
    const ux_change_t *change)
{
    uint32_t  cell;
    unsigned  i, cart;

    cell = change->cell - place->arm->base;

    if (cell < UX_ARM_COUNTS) {

        for (i = 0; i < place->n && ux_segment_counts(cell); i++) {
            ux_counter_add(counter, place->into[i]->base + cell,
                           change->delta);
        }

        return true;
    }

    for (cart = 0; cart < UX_CARTS_MAX; cart++) {
        cell = change->cell - place->arm->carts[cart];

        if (place->arm->carts[cart] != 0 && cell < UX_CART_CELLS) {
            break;
        }
    }

    for (i = 0; cart < UX_CARTS_MAX && i < place->n; i++) {
        if (place->into[i]->carts[cart] != 0) {
            ux_counter_add(counter, place->into[i]->carts[cart] + cell,
                           change->delta);
        }
    }

    return cart < UX_CARTS_MAX;
}


void
ux_segment_ring(ux_counter_t *counter, const ux_arm_t *arm,
    const ux_ring_change_t *change)
{
    uint32_t  row;

    if (change->cart >= UX_CARTS_MAX || arm->rings[change->cart] == 0
        || change->field >= arm->widths[change->cart])
    {
        return;
    }

    row = change->bucket % UX_BUCKETS * arm->widths[change->cart];

    ux_counter_ring_add(counter,
                        arm->rings[change->cart] + row + change->field,
                        change->bucket, change->delta);
}
