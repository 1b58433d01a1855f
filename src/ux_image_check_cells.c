
/*
 * Copyright (C) the nginx-ux authors
 *
 * What cells of an image may say: of a group that their owner has, ascending
 * and so each once, never 0, no count below 0 or absurdly large, no more
 * visitors than assignments and no more of any event or step than visitors.
 */

#include "ux_image_private.h"

#include <math.h>
#include <string.h>


/* Visitors of an arm, while its cells go by. */
typedef struct {
    uint32_t  owner;
    uint64_t  assigned;
    uint64_t  visitors;
} ux_image_arm_t;


static bool ux_image_cell_ok(const ux_image_view_t *view,
    const ux_image_cell_t *cell);
static bool ux_image_block_has(unsigned aux, unsigned group);
static unsigned ux_image_cell_most(const ux_image_cell_t *cell,
    const ux_image_name_t *owner);
static bool ux_image_balance_ok(const ux_image_cell_t *cell);
static bool ux_image_evidence_ok(const ux_image_cell_t *cell);
static bool ux_image_arm_ok(ux_image_arm_t *arm,
    const ux_image_cell_t *cell);


ux_status_t
ux_image_check_cells(const ux_image_view_t *view, ux_error_t *error)
{
    uint32_t         i;
    ux_image_arm_t   arm;
    ux_image_cell_t  cell, last;

    memset(&arm, 0, sizeof(arm));
    memset(&last, 0, sizeof(last));

    for (i = 0; i < view->sections[UX_IMAGE_CELLS].n; i++) {
        cell = ux_image_cell(view, i);

        if (ux_image_cell_order(&last, &cell) >= 0
            || !ux_image_cell_ok(view, &cell)
            || !ux_image_arm_ok(&arm, &cell))
        {
            ux_image_say(error, "counter %u of the snapshot makes no sense",
                         i);
            return UX_ERROR;
        }

        last = cell;
    }

    return UX_OK;
}


/* The order starts behind the cell 0 of group 0, which is none. */
static bool
ux_image_cell_ok(const ux_image_view_t *view, const ux_image_cell_t *cell)
{
    bool                     rows;
    unsigned                 need;
    ux_image_name_t          owner;
    const ux_image_group_t  *group;

    if (cell->group == 0 || cell->group >= UX_IMAGE_GROUPS
        || cell->owner > view->sections[UX_IMAGE_NAMES].n)
    {
        return false;
    }

    group = &ux_image_groups[cell->group];

    if (cell->owner == 0) {
        return group->owner == 0 && cell->index < group->n
               && ux_image_value_ok(cell, 1);
    }

    owner = ux_image_name(view, cell->owner - 1);
    need = group->of_ring ? UX_IMAGE_HAS_RING : UX_IMAGE_HAS_BLOCK;
    rows = cell->group == UX_IMAGE_CART_RING
           || cell->group == UX_IMAGE_SEGMENT_RING;

    if (owner.kind == UX_ENTRY_TIMINGS
        && !ux_image_block_has(owner.aux, cell->group))
    {
        return false;
    }

    return owner.kind == group->owner && (owner.flags & need)
           && cell->index < ux_image_cell_most(cell, &owner)
           && ux_image_value_ok(cell, rows ? owner.width : 1u);
}


/* Is a block of this kind in cells of the group? */
static bool
ux_image_block_has(unsigned aux, unsigned group)
{
    switch (aux) {

    case UX_TIMINGS_REQUESTS:
        return group == UX_IMAGE_REQUESTS;

    case UX_TIMINGS_VITALS:
        return group == UX_IMAGE_VITALS;

    case UX_TIMINGS_SURVEYS:
        return group == UX_IMAGE_SURVEYS;

    case UX_TIMINGS_JOURNEY:
        return group == UX_IMAGE_REACHED || group == UX_IMAGE_MOVES;

    default:
        return group == UX_IMAGE_PACES;
    }
}


/* How many of the group this owner has. */
static unsigned
ux_image_cell_most(const ux_image_cell_t *cell, const ux_image_name_t *owner)
{
    switch (cell->group) {

    case UX_IMAGE_CART_RING:
    case UX_IMAGE_SEGMENT_RING:
        return UX_BUCKETS * (unsigned) owner->width;

    case UX_IMAGE_PACES:
        return ux_timing_cells(owner->control);

    case UX_IMAGE_REACHED:
        return (unsigned) owner->control;

    case UX_IMAGE_MOVES:
        return ux_journey_cells(owner->control) - UX_JOURNEY_MOVES;

    default:
        return ux_image_groups[cell->group].n;
    }
}


bool
ux_image_value_ok(const ux_image_cell_t *cell, unsigned width)
{
    unsigned  field;

    if (cell->value == 0) {
        return false;
    }

    /* a count may be below 0; of marks there are none in a file */

    if (ux_image_groups[cell->group].ring) {
        return (cell->value >> 32) % UX_BUCKETS == cell->index / width
               && (uint32_t) cell->value + UX_RING_MOST
                  < 2 * UX_RING_MOST;
    }

    switch (cell->group) {

    case UX_IMAGE_EVIDENCE:
        return ux_image_evidence_ok(cell);

    case UX_IMAGE_BALANCE:
        return ux_image_balance_ok(cell);

    case UX_IMAGE_REQUESTS:
    case UX_IMAGE_PACES:
    case UX_IMAGE_VITALS:
        return true;                   /* two counts, and any are possible */

    case UX_IMAGE_ZONE_SUMS:
        return cell->value + UX_IMAGE_COUNT_MAX < 2 * UX_IMAGE_COUNT_MAX;

    case UX_IMAGE_ARM_TOTALS:
    case UX_IMAGE_SEGMENT_TOTALS:
        field = cell->index % UX_TOTAL_CELLS;

        return field == UX_TOTAL_SQ_HI || field == UX_TOTAL_PRODUCT_HI
               || cell->value < 1ull << 63;

    default:
        return cell->value < UX_IMAGE_COUNT_MAX;
    }
}


static bool
ux_image_balance_ok(const ux_image_cell_t *cell)
{
    double  number;

    memcpy(&number, &cell->value, sizeof(number));

    switch (cell->index) {

    case UX_BALANCE_SRM:
    case UX_BALANCE_CONFIRMATION:
    case UX_BALANCE_ALPHA:
    case UX_BALANCE_EQUIVALENCE:
        return !isnan(number);

    default:
        return cell->value < UX_IMAGE_COUNT_MAX;
    }
}


/* NaN stands for what is not defined. */
static bool
ux_image_evidence_ok(const ux_image_cell_t *cell)
{
    double  number;

    memcpy(&number, &cell->value, sizeof(number));

    switch (cell->index) {

    case UX_IMAGE_EVIDENCE_LOOKED:
    case UX_IMAGE_EVIDENCE_SINCE:
        return cell->value < UX_IMAGE_TIME_MAX;

    case UX_IMAGE_EVIDENCE_SIGN:
        return cell->value == 1 || cell->value == UINT64_MAX;

    case UX_IMAGE_EVIDENCE_PAIR:
        return cell->value < UX_IMAGE_COUNT_MAX;

    case UX_IMAGE_EVIDENCE_P:
        return isnan(number) || (number >= 0 && number <= 1);

    default:
        return true;
    }
}


/*
 * The arm's own counts come first, so that both bounds are known when they
 * are needed.
 */
static bool
ux_image_arm_ok(ux_image_arm_t *arm, const ux_image_cell_t *cell)
{
    if (arm->owner != cell->owner) {
        arm->owner = cell->owner;
        arm->assigned = 0;
        arm->visitors = 0;
    }

    switch (cell->group) {

    case UX_IMAGE_ARM_COUNTS:
    case UX_IMAGE_SEGMENT_COUNTS:
        if (cell->index == UX_ARM_ASSIGNED) {
            arm->assigned = cell->value;

        } else if (cell->index == UX_ARM_VISITORS) {
            arm->visitors = cell->value;
        }

        return cell->value <= arm->assigned;

    case UX_IMAGE_ARM_EVENT_VISITORS:
    case UX_IMAGE_ARM_BEFORE:
    case UX_IMAGE_ARM_IN_ORDER:
    case UX_IMAGE_SEGMENT_EVENT_VISITORS:
    case UX_IMAGE_SEGMENT_BEFORE:
    case UX_IMAGE_SEGMENT_IN_ORDER:
        return cell->value <= arm->visitors;

    default:
        return true;
    }
}
