
/*
 * Copyright (C) the nginx-ux authors
 *
 * Segments of records that are united: see ux_image_unite.c.  Every change of
 * an arm's counters is made in those of a value, too: of the value of the
 * track that it is of.  Of one visitor there may be several such, with other
 * values: ours, theirs, and what comes of both.  So which changes are of which
 * track is noted as they are listed; the rest is of what ours is in the end.
 *
 * From the registry alone, as a zone may be merged before it is bound.
 */

#include "ux_image_private.h"
#include "ux_segment.h"

#include <string.h>


/* Changes that are of one track, by number. */
typedef struct {
    uint16_t        arm;
    const uint8_t  *segments;
} ux_image_values_t;


static ux_image_values_t ux_segments_of_cell(ux_image_merging_t *m,
    unsigned change);
static bool ux_segments_has(ux_image_merging_t *m, uint16_t arm,
    uint32_t cell);
static ux_image_values_t ux_segments_of_ring(const ux_image_merging_t *m,
    unsigned change);
static void ux_segments_add(ux_image_merging_t *m,
    const ux_image_values_t *values, const ux_change_t *change);
static void ux_segments_add_ring(ux_image_merging_t *m,
    const ux_image_values_t *values, const ux_ring_change_t *change);
static uint32_t ux_segments_cell(ux_image_merging_t *m, uint16_t arm,
    const ux_entry_t *into, uint32_t cell);
static const ux_entry_t *ux_segments_into(ux_image_merging_t *m,
    const ux_image_values_t *values, unsigned segment);


static const uint8_t  ux_segments_none[UX_SEGMENTS_MAX];


void
ux_image_segments_clear(ux_image_work_t *work)
{
    work->nspans = 0;
}


void
ux_image_segments_note(ux_image_work_t *work, const ux_track_t *track,
    unsigned from, unsigned ring)
{
    ux_image_span_t  *span;

    if (work->nspans == UX_IMAGE_SPANS_MAX) {
        return;
    }

    span = &work->spans[work->nspans++];

    span->from = from;
    span->to = work->changes.n;
    span->ring = ring;
    span->ring_to = work->changes.nrings;
    span->arm = track->arm;
    memcpy(span->segments, track->segments, sizeof(span->segments));
}


void
ux_image_segments_apply(ux_image_merging_t *m)
{
    unsigned             i;
    ux_image_values_t    values;
    const ux_changes_t  *changes;

    changes = &m->work->changes;

    for (i = 0; i < changes->n; i++) {
        values = ux_segments_of_cell(m, i);
        ux_segments_add(m, &values, &changes->items[i]);
    }

    for (i = 0; i < changes->nrings; i++) {
        values = ux_segments_of_ring(m, i);
        ux_segments_add_ring(m, &values, &changes->rings[i]);
    }
}


static ux_image_values_t
ux_segments_of_cell(ux_image_merging_t *m, unsigned change)
{
    unsigned                i;
    ux_image_values_t       values = { UX_ARM_NONE, ux_segments_none };
    const ux_visitor_t     *ours;
    const ux_image_span_t  *span;

    for (i = 0; i < m->work->nspans; i++) {
        span = &m->work->spans[i];

        if (change >= span->from && change < span->to) {
            values.arm = span->arm;
            values.segments = span->segments;
            return values;
        }
    }

    ours = &m->work->ours;

    for (i = 1; i < ours->ntracks; i++) {
        if (ux_segments_has(m, ours->tracks[i].arm,
                            m->work->changes.items[change].cell))
        {
            values.arm = ours->tracks[i].arm;
            values.segments = ours->tracks[i].segments;
            break;
        }
    }

    return values;
}


/* Is the cell one of the arm's, or of its carts'? */
static bool
ux_segments_has(ux_image_merging_t *m, uint16_t arm, uint32_t cell)
{
    unsigned           i;
    const ux_entry_t  *entry;

    entry = ux_image_entry(m, UX_ENTRY_ARM, arm);

    if (entry != NULL && cell - entry->base < UX_ARM_COUNTS) {
        return true;
    }

    for (i = 0; i < UX_CARTS_MAX; i++) {
        entry = ux_image_arm_cart(m, arm, i);

        if (entry != NULL && cell - entry->base < UX_CART_CELLS) {
            return true;
        }
    }

    return false;
}


static ux_image_values_t
ux_segments_of_ring(const ux_image_merging_t *m, unsigned change)
{
    unsigned                i;
    ux_image_values_t       values = { UX_ARM_NONE, ux_segments_none };
    const ux_visitor_t     *ours;
    const ux_image_span_t  *span;

    for (i = 0; i < m->work->nspans; i++) {
        span = &m->work->spans[i];

        if (change >= span->ring && change < span->ring_to) {
            values.arm = span->arm;
            values.segments = span->segments;
            return values;
        }
    }

    ours = &m->work->ours;

    for (i = 1; i < ours->ntracks; i++) {
        if (ours->tracks[i].arm == m->work->changes.rings[change].arm) {
            values.arm = ours->tracks[i].arm;
            values.segments = ours->tracks[i].segments;
            break;
        }
    }

    return values;
}


static void
ux_segments_add(ux_image_merging_t *m, const ux_image_values_t *values,
    const ux_change_t *change)
{
    uint32_t           cell;
    unsigned           s;
    const ux_entry_t  *into;

    for (s = 0; s < UX_SEGMENTS_MAX; s++) {
        into = ux_segments_into(m, values, s);
        cell = into == NULL ? 0 : ux_segments_cell(m, values->arm, into,
                                                   change->cell);

        if (cell != 0) {
            ux_image_add(m, cell, change->delta);
        }
    }
}


/* What counts the track's value of this segment; NULL: nothing. */
static const ux_entry_t *
ux_segments_into(ux_image_merging_t *m, const ux_image_values_t *values,
    unsigned segment)
{
    const ux_entry_t  *arm;

    if (values->segments[segment] == 0) {
        return NULL;
    }

    arm = ux_image_entry(m, UX_ENTRY_ARM, values->arm);

    return arm == NULL ? NULL
           : ux_image_segment_arm(m, arm->aux, values->segments[segment] - 1u);
}


/* The one that is in the segment's arm what the cell is in the arm, or 0. */
static uint32_t
ux_segments_cell(ux_image_merging_t *m, uint16_t arm, const ux_entry_t *into,
    uint32_t cell)
{
    unsigned           i;
    const ux_entry_t  *entry, *cart;

    entry = ux_image_entry(m, UX_ENTRY_ARM, arm);

    if (entry != NULL && cell - entry->base < UX_ARM_COUNTS) {
        cell -= entry->base;

        return ux_segment_counts(cell) ? into->ring + cell : 0;
    }

    for (i = 0; i < UX_CARTS_MAX; i++) {
        entry = ux_image_arm_cart(m, arm, i);
        cart = ux_image_segment_cart(m, into->ordinal, i);

        if (entry != NULL && cart != NULL && cart->base != 0
            && cell - entry->base < UX_CART_CELLS)
        {
            return cart->base + cell - entry->base;
        }
    }

    return 0;
}


static void
ux_segments_add_ring(ux_image_merging_t *m, const ux_image_values_t *values,
    const ux_ring_change_t *change)
{
    unsigned           s;
    const ux_entry_t  *into, *cart;

    for (s = 0; s < UX_SEGMENTS_MAX; s++) {
        into = ux_segments_into(m, values, s);
        cart = into == NULL ? NULL
               : ux_image_segment_cart(m, into->ordinal, change->cart);

        if (cart != NULL && cart->ring != 0 && change->field < cart->width) {
            ux_image_ring_add(m, cart->ring + change->bucket % UX_BUCKETS
                                              * cart->width + change->field,
                              change->bucket, change->delta);
        }
    }
}
