
/*
 * Copyright (C) the nginx-ux authors
 *
 * What an image may say: checksums show that it is whole, not that it makes
 * sense.
 *
 * Names: the kinds there are, parents before children and of the right kind,
 * a child's relatives those of its parent, words that are names, as many as
 * the masks of a record have bits.
 * Cells: ux_image_check_cells.c.  Records: ux_image_record.c.  The
 * configuration: ux_image_design.c.  History: ux_image_history.c.
 *
 * The writer keeps to the same rules, whatever the zone holds.
 */

#include "ux_image_private.h"

#include <math.h>
#include <string.h>


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
