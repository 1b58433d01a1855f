
/*
 * Copyright (C) the nginx-ux authors
 *
 * What an image may say: checksums show that it is whole, not that it makes
 * sense.
 *
 * Names: the kinds there are, parents before children and of the right kind,
 * a child's relatives those of its parent, words that are names, as many as
 * the masks of a record have bits.
 * Cells: of a group that their owner has, ascending and so each once, never
 * 0, no count below 0 or absurdly large, no more visitors than assignments
 * and no more of any event or step than visitors.
 * Records: ux_image_record.c.  The configuration: ux_image_design.c.  History:
 * ux_image_history.c.
 *
 * The writer keeps to the same rules, whatever the zone holds.
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


static ux_status_t ux_image_check_names(ux_image_view_t *view,
    ux_image_work_t *work, ux_error_t *error);
static bool ux_image_name_ok(const ux_image_view_t *view,
    const ux_image_index_t *index, uint32_t i);
static bool ux_image_parent_ok(const ux_image_view_t *view,
    const ux_image_index_t *index, uint32_t i);
static bool ux_image_text_ok(const ux_image_name_t *name);
static bool ux_image_relatives_ok(const ux_image_view_t *view,
    const ux_image_index_t *index, uint32_t i);
static bool ux_image_timings_ok(const ux_image_view_t *view,
    const ux_image_name_t *name);
static ux_status_t ux_image_check_cells(const ux_image_view_t *view,
    ux_error_t *error);
static bool ux_image_cell_ok(const ux_image_view_t *view,
    const ux_image_cell_t *cell);
static bool ux_image_block_has(unsigned aux, unsigned group);
static unsigned ux_image_cell_most(const ux_image_cell_t *cell,
    const ux_image_name_t *owner);
static bool ux_image_balance_ok(const ux_image_cell_t *cell);
static bool ux_image_evidence_ok(const ux_image_cell_t *cell);
static bool ux_image_arm_ok(ux_image_arm_t *arm,
    const ux_image_cell_t *cell);
static ux_status_t ux_image_check_records(const ux_image_view_t *view,
    ux_image_work_t *work, ux_error_t *error);


/* Which kind an entry's parent is of; 0: it has none. */
static const uint8_t  ux_image_parents[UX_ENTRY_KINDS] = {
    [UX_ENTRY_STEP] = UX_ENTRY_FUNNEL,
    [UX_ENTRY_CART] = UX_ENTRY_FUNNEL,
    [UX_ENTRY_VARIANT] = UX_ENTRY_EXPERIMENT,
    [UX_ENTRY_EPOCH] = UX_ENTRY_EXPERIMENT,
    [UX_ENTRY_ARM] = UX_ENTRY_EPOCH,
    [UX_ENTRY_ARM_CART] = UX_ENTRY_ARM,
    [UX_ENTRY_EVIDENCE] = UX_ENTRY_VARIANT,
    [UX_ENTRY_BALANCE] = UX_ENTRY_EXPERIMENT,
    [UX_ENTRY_TIMINGS] = UX_ENTRY_VARIANT,
    [UX_ENTRY_SEGMENT_VALUE] = UX_ENTRY_SEGMENT,
    [UX_ENTRY_SEGMENT_ARM] = UX_ENTRY_VARIANT,
    [UX_ENTRY_SEGMENT_CART] = UX_ENTRY_SEGMENT_ARM
};

/* How many of a kind there may be; 0: as many as fit. */
static const uint8_t  ux_image_most[UX_ENTRY_KINDS] = {
    [UX_ENTRY_EVENT] = UX_EVENTS_MAX,
    [UX_ENTRY_STEP] = UX_STEPS_MAX,
    [UX_ENTRY_CART] = UX_CARTS_MAX,
    [UX_ENTRY_TOTAL] = UX_TOTALS_MAX - 1,
    [UX_ENTRY_STAGE] = UX_STAGES_MAX,
    [UX_ENTRY_SEGMENT] = UX_SEGMENTS_MAX,
    [UX_ENTRY_SEGMENT_VALUE] = UX_SEGMENT_VALUES
};


ux_status_t
ux_image_check_view(ux_image_view_t *view, ux_image_work_t *work,
    ux_error_t *error)
{
    ux_status_t  rc;

    rc = ux_image_check_names(view, work, error);

    if (rc == UX_OK) {
        rc = ux_image_check_cells(view, error);
    }

    if (rc == UX_OK && view->info.kind == UX_IMAGE_VISITORS) {
        rc = ux_image_check_records(view, work, error);
    }

    if (rc == UX_OK && !ux_image_clock_ok(view)) {
        ux_image_say(error, "the clock of the snapshot makes no sense");
        rc = UX_ERROR;
    }

    if (rc == UX_OK && !ux_image_history_ok(view, &work->names)) {
        ux_image_say(error, "the history of the snapshot makes no sense");
        rc = UX_ERROR;
    }

    if (rc == UX_OK && view->sections[UX_IMAGE_MODEL].len != 0) {
        rc = ux_image_model_read(view, &work->model, error);
    }

    return rc;
}


static ux_status_t
ux_image_check_names(ux_image_view_t *view, ux_image_work_t *work,
    ux_error_t *error)
{
    uint32_t  i, n, seen[UX_ENTRY_KINDS];
    unsigned  kind;

    n = view->sections[UX_IMAGE_NAMES].n;

    if (n > UX_IMAGE_NAMES_MAX) {
        ux_image_say(error, "the snapshot has %u names, %d are the most", n,
                     UX_IMAGE_NAMES_MAX);
        return UX_ERROR;
    }

    ux_image_index_clear(&work->names);
    memset(seen, 0, sizeof(seen));
    memset(view->kinds, 0, sizeof(view->kinds));

    for (i = 0; i < n; i++) {
        kind = ux_image_name(view, i).kind;

        if (kind == 0 || kind >= UX_ENTRY_KINDS) {
            ux_image_say(error, "name %u of the snapshot is of an unknown "
                         "kind, %u", i, kind);
            return UX_ERROR;
        }

        view->kinds[kind]++;
        ux_image_index_count(&work->names, kind);
    }

    ux_image_index_start(&work->names);

    for (i = 0; i < n; i++) {
        ux_image_index_add(&work->names, ux_image_name(view, i).kind, i,
                           seen);
    }

    for (i = 0; i < n; i++) {
        if (!ux_image_name_ok(view, &work->names, i)) {
            ux_image_say(error, "name %u of the snapshot makes no sense", i);
            return UX_ERROR;
        }
    }

    for (kind = 1; kind < UX_ENTRY_KINDS; kind++) {
        if (ux_image_most[kind] != 0
            && view->kinds[kind] > ux_image_most[kind])
        {
            ux_image_say(error, "the snapshot has %u names of kind %u",
                         view->kinds[kind], kind);
            return UX_ERROR;
        }
    }

    return UX_OK;
}


static bool
ux_image_name_ok(const ux_image_view_t *view, const ux_image_index_t *index,
    uint32_t i)
{
    ux_image_name_t  name;

    name = ux_image_name(view, i);

    return ux_image_parent_ok(view, index, i) && ux_image_text_ok(&name)
           && name.created_ms < UX_IMAGE_TIME_MAX
           && isfinite(name.number) && name.number >= 0
           && !(name.flags & ~(UX_IMAGE_HAS_BLOCK | UX_IMAGE_HAS_RING))
           && ux_image_relatives_ok(view, index, i);
}


/* There, of the right kind, and before its child. */
static bool
ux_image_parent_ok(const ux_image_view_t *view, const ux_image_index_t *index,
    uint32_t i)
{
    unsigned         kind;
    ux_image_name_t  name;

    name = ux_image_name(view, i);
    kind = ux_image_parents[name.kind];

    if (kind == 0
        || (name.kind == UX_ENTRY_TIMINGS && name.parent == UX_PARENT_NONE))
    {
        return name.parent == UX_PARENT_NONE;
    }

    return ux_image_index_find(index, kind, name.parent) < i;
}


static bool
ux_image_text_ok(const ux_image_name_t *name)
{
    switch (name->kind) {

    case UX_ENTRY_VARIANT:
    case UX_ENTRY_SEGMENT_VALUE:
        return ux_variant_name_check(name->text);

    case UX_ENTRY_CART:
    case UX_ENTRY_EPOCH:
    case UX_ENTRY_ARM:
    case UX_ENTRY_ARM_CART:
    case UX_ENTRY_BALANCE:
    case UX_ENTRY_TIMINGS:
    case UX_ENTRY_SEGMENT_ARM:
    case UX_ENTRY_SEGMENT_CART:
        return name->text.len == 0;

    case UX_ENTRY_EVIDENCE:
        return name->text.len == 0 || ux_name_check(name->text);

    default:
        return ux_name_check(name->text);
    }
}


/* What the entry refers to beside its parent. */
static bool
ux_image_relatives_ok(const ux_image_view_t *view,
    const ux_image_index_t *index, uint32_t i)
{
    ux_image_name_t  name, parent;

    name = ux_image_name(view, i);
    parent = name;

    if (name.parent != UX_PARENT_NONE) {
        parent = ux_image_name(view,
                               ux_image_index_find(index,
                                                   ux_image_parents[name.kind],
                                                   name.parent));
    }

    switch (name.kind) {

    case UX_ENTRY_TOTAL:
        return name.value <= UX_METRIC_RATIO;

    case UX_ENTRY_EXPERIMENT:
        return name.value <= UINT32_MAX && name.control < UX_IMAGE_TIME_MAX;

    case UX_ENTRY_EPOCH:
        return name.control == UX_PARENT_NONE
               || ux_image_child_ok(view, index, UX_ENTRY_VARIANT,
                                    name.control, name.parent);

    case UX_ENTRY_ARM:
        return ux_image_child_ok(view, index, UX_ENTRY_VARIANT, name.aux,
                                 parent.parent);

    case UX_ENTRY_ARM_CART:
        return name.aux < view->kinds[UX_ENTRY_CART]
               && name.variant == parent.aux
               && name.width >= UX_RING_WIDTH(0)
               && name.width <= UX_RING_CELLS;

    case UX_ENTRY_SEGMENT_ARM:
        return name.aux < view->kinds[UX_ENTRY_SEGMENT_VALUE]
               && !(name.flags & UX_IMAGE_HAS_BLOCK);

    case UX_ENTRY_SEGMENT_CART:
        return name.aux < view->kinds[UX_ENTRY_CART]
               && name.variant == name.parent
               && name.width >= UX_RING_WIDTH(0)
               && name.width <= UX_RING_CELLS;

    case UX_ENTRY_EVIDENCE:
        return name.aux <= UX_METRIC_RATIO
               && ux_image_child_ok(view, index, UX_ENTRY_EPOCH, name.value,
                                    parent.parent);

    case UX_ENTRY_BALANCE:
        return ux_image_child_ok(view, index, UX_ENTRY_EPOCH, name.value,
                                 name.parent);

    case UX_ENTRY_TIMINGS:
        return ux_image_timings_ok(view, &name);

    default:
        return true;
    }
}


static bool
ux_image_timings_ok(const ux_image_view_t *view, const ux_image_name_t *name)
{
    bool  block, variant;

    block = (name->flags & UX_IMAGE_HAS_BLOCK) != 0;
    variant = name->parent != UX_PARENT_NONE;

    switch (name->aux) {

    case UX_TIMINGS_REQUESTS:
        return !(name->flags & UX_IMAGE_HAS_RING) && name->value == 0
               && name->control == 0;

    case UX_TIMINGS_VITALS:
        return !block && name->value == 0 && name->control == 0;

    case UX_TIMINGS_SURVEYS:
        return !block && variant && name->value == 0 && name->control == 0;

    case UX_TIMINGS_JOURNEY:
        return !block && variant && name->control <= UX_STAGES_MAX;

    default:
        return !block && variant
               && (unsigned) name->aux - UX_TIMINGS_FUNNEL
                  < view->kinds[UX_ENTRY_FUNNEL]
               && name->control <= UX_FUNNEL_STEPS_MAX;
    }
}


bool
ux_image_child_ok(const ux_image_view_t *view, const ux_image_index_t *index,
    unsigned kind, uint64_t ordinal, uint16_t parent)
{
    uint32_t  i;

    if (ordinal >= UX_PARENT_NONE) {
        return false;
    }

    i = ux_image_index_find(index, kind, (uint32_t) ordinal);

    return i != UX_IMAGE_NAMES_MAX && ux_image_name(view, i).parent == parent;
}


static ux_status_t
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


static ux_status_t
ux_image_check_records(const ux_image_view_t *view, ux_image_work_t *work,
    ux_error_t *error)
{
    uint32_t                   n;
    size_t                     len;
    const uint8_t             *at, *end;
    ux_image_limits_t          limits;
    const ux_image_section_t  *section;

    section = &view->sections[UX_IMAGE_RECORDS];
    limits = ux_image_limits(view->kinds);

    at = section->data;
    end = at + section->len;

    for (n = 0; end - at >= 2; n++) {
        len = ux_image_get(at, 2) & ~UX_IMAGE_AGAIN;
        at += 2;

        if (len > (size_t) (end - at)
            || ux_visitor_unpack(&work->theirs, at, len) != UX_OK
            || !ux_image_record_ok(&work->theirs, &limits))
        {
            ux_image_say(error, "record %u of the snapshot makes no sense",
                         n);
            return UX_ERROR;
        }

        at += len;
    }

    if (at != end || n != section->n) {
        ux_image_say(error, "the snapshot has %u records and says %u", n,
                     section->n);
        return UX_ERROR;
    }

    return UX_OK;
}
