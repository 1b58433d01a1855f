
/*
 * Copyright (C) the nginx-ux authors
 *
 * Counters of an image into a zone: what kinds there are, and how each is
 * added to what the zone has.
 *
 *   counts    added, in the copy that all processes write to
 *   rings     added where both have the bucket; else the newer one stays.
 *             One from the future would keep out what is counted now
 *   evidence  the look with the larger log-e; the panel of a fixed horizon
 *             that was frozen first
 *   balance   the larger sum; how the experiment was configured, if that is
 *             not known
 *   records   made = there + evicted + expired + erased holds throughout:
 *             those that come in are counted as they do (ux_image_insert.c),
 *             without them they count as evicted; to be shown they are what
 *             they are
 */

#include "ux_image_private.h"

#include <string.h>


#define UX_CELLS_NOWHERE  UINT32_MAX


/* Indices in groups are part of the format. */
_Static_assert(UX_HTTP_ERROR_VISITORS == 7 && UX_DISCARD_ZONE_FULL == 15
               && UX_ZONE_RETURNED - UX_ZONE_INSERTED == 7
               && UX_ARM_LEFT - UX_ARM_ASSIGNED == 4
               && UX_TOTAL_PRODUCT_HI == 8 && UX_TOTAL_CELLS == 9
               && UX_CART_ALIVE == 4 && UX_RING_ALIVE == 2
               && UX_BALANCE_SRM == 0 && UX_BALANCE_EQUIVALENCE == 5,
               "order of counters");


/* The image's cells in turn, with how many steps there were before. */
typedef struct {
    const ux_image_view_t  *view;
    const ux_image_view_t  *base;      /* what of it is there, or NULL */
    uint64_t                before;
    bool                    refresh;   /* take only what the other lacks */
} ux_cells_t;


static void ux_cells_all(ux_image_merging_t *m, const ux_cells_t *cells);
static ux_image_cell_t ux_cells_next(const ux_cells_t *cells, uint32_t *i,
    uint32_t *held);
static uint64_t ux_cells_less(const ux_image_cell_t *cell, uint64_t had);
static uint64_t ux_cells_more(const ux_image_merging_t *m,
    const ux_image_cell_t *cell, uint32_t *at);
static bool ux_cells_free(const ux_image_cell_t *cell);
static void ux_cells_add(ux_image_merging_t *m, const ux_cells_t *cells,
    uint32_t i, const ux_image_cell_t *cell);
static void ux_cells_life(ux_image_merging_t *m, unsigned index,
    uint64_t value);
static uint32_t ux_cells_slot(const ux_image_merging_t *m,
    const ux_image_group_t *group, uint32_t index);
static void ux_cells_ring(ux_image_merging_t *m, const ux_image_cell_t *cell,
    const ux_entry_t *entry);
static uint64_t ux_cells_width(const ux_image_merging_t *m,
    const ux_image_cell_t *cell, const ux_entry_t *entry);
static void ux_cells_evidence(ux_image_merging_t *m, const ux_cells_t *cells,
    uint32_t i, const ux_entry_t *entry);


#define UX_SEGMENT_GROUP(what, number, free, count)                          \
    { UX_ENTRY_SEGMENT_ARM, UX_IMAGE_BY_##number, 1, false, true, free,      \
      UX_ARM_##what, count }

#define UX_ARM_GROUP(what, number, count)                                    \
    { UX_ENTRY_ARM, UX_IMAGE_BY_##number, 1, false, false, false,            \
      UX_ARM_##what, count }

const ux_image_group_t  ux_image_groups[UX_IMAGE_GROUPS] = {
    [UX_IMAGE_ZONE_LIVES] =
        { 0, UX_IMAGE_BY_INDEX, 1, false, false, false, UX_ZONE_INSERTED,
          UX_ZONE_FULL_SAID - UX_ZONE_INSERTED },
    [UX_IMAGE_ZONE_HTTP] =
        { 0, UX_IMAGE_BY_INDEX, 1, false, false, true, UX_ZONE_HTTP,
          UX_HTTP_CELLS },
    [UX_IMAGE_ZONE_DISCARDED] =
        { 0, UX_IMAGE_BY_INDEX, 1, false, false, true, UX_ZONE_DISCARDED,
          UX_DISCARDS },
    [UX_IMAGE_ZONE_EVENTS] =
        { 0, UX_IMAGE_BY_EVENT, 1, false, false, true, UX_ZONE_EVENTS,
          UX_EVENTS_MAX },
    [UX_IMAGE_ZONE_SUMS] =
        { 0, UX_IMAGE_BY_INDEX, 1, false, false, true, UX_ZONE_CURRENCY_SUM,
          UX_ZONE_CURRENCY_COUNT - UX_ZONE_CURRENCY_SUM },
    [UX_IMAGE_ZONE_COUNTS] =
        { 0, UX_IMAGE_BY_INDEX, 1, false, false, true, UX_ZONE_CURRENCY_COUNT,
          UX_ZONE_CELLS - UX_ZONE_CURRENCY_COUNT },
    [UX_IMAGE_ARM_COUNTS] = UX_ARM_GROUP(ASSIGNED, INDEX, UX_ARM_PAGES),
    [UX_IMAGE_ARM_HTTP] =
        { UX_ENTRY_ARM, UX_IMAGE_BY_INDEX, 1, false, false, true, UX_ARM_HTTP,
          UX_HTTP_CELLS },
    [UX_IMAGE_ARM_EVENT_VISITORS] =
        UX_ARM_GROUP(EVENT_VISITORS, EVENT, UX_EVENTS_MAX),
    [UX_IMAGE_ARM_EVENT_COUNT] =
        { UX_ENTRY_ARM, UX_IMAGE_BY_EVENT, 1, false, false, true,
          UX_ARM_EVENT_COUNT, UX_EVENTS_MAX },
    [UX_IMAGE_ARM_BEFORE] = UX_ARM_GROUP(STEP_BEFORE, STEP, UX_STEPS_MAX),
    [UX_IMAGE_ARM_IN_ORDER] = UX_ARM_GROUP(STEP_IN_ORDER, STEP, UX_STEPS_MAX),
    [UX_IMAGE_ARM_TOTALS] =
        { UX_ENTRY_ARM, UX_IMAGE_BY_TOTAL, UX_TOTAL_CELLS, false, false,
          false, UX_ARM_TOTALS, UX_TOTALS_MAX * UX_TOTAL_CELLS },
    [UX_IMAGE_ARM_WINDOW] =
        { UX_ENTRY_ARM, UX_IMAGE_BY_INDEX, 1, true, false, false,
          UX_ARM_WINDOW, UX_BUCKETS },
    [UX_IMAGE_ARM_UNCONFIRMED] =
        { UX_ENTRY_ARM, UX_IMAGE_BY_INDEX, 1, true, false, false,
          UX_ARM_UNCONFIRMED, UX_BUCKETS },
    [UX_IMAGE_CART] =
        { UX_ENTRY_ARM_CART, UX_IMAGE_BY_INDEX, 1, false, false, false, 0,
          UX_CART_CELLS },
    [UX_IMAGE_CART_RING] =
        { UX_ENTRY_ARM_CART, UX_IMAGE_BY_INDEX, 1, true, true, false, 0,
          UX_BUCKETS * UX_RING_CELLS },
    [UX_IMAGE_EVIDENCE] =
        { UX_ENTRY_EVIDENCE, UX_IMAGE_BY_INDEX, 1, false, true, false, 0,
          UX_IMAGE_EVIDENCE_WORDS },
    [UX_IMAGE_BALANCE] =
        { UX_ENTRY_BALANCE, UX_IMAGE_BY_INDEX, 1, false, true, false, 0,
          UX_BALANCE_CELLS },
    [UX_IMAGE_ARM_VISITS] =
        { UX_ENTRY_ARM, UX_IMAGE_BY_INDEX, 1, false, false, true,
          UX_ARM_PAGES, UX_ARM_HTTP - UX_ARM_PAGES },
    [UX_IMAGE_REQUESTS] =
        { UX_ENTRY_TIMINGS, UX_IMAGE_BY_INDEX, 1, false, false, true, 0,
          UX_TIMINGS_REQUESTS_CELLS },
    [UX_IMAGE_PACES] =
        { UX_ENTRY_TIMINGS, UX_IMAGE_BY_INDEX, 1, false, true, true, 0,
          UX_TIMINGS_FUNNEL_CELLS(UX_FUNNEL_STEPS_MAX) },
    [UX_IMAGE_VITALS] =
        { UX_ENTRY_TIMINGS, UX_IMAGE_BY_INDEX, 1, false, true, false, 0,
          UX_TIMINGS_VITALS_CELLS },
    [UX_IMAGE_REACHED] =
        { UX_ENTRY_TIMINGS, UX_IMAGE_BY_INDEX, 1, false, true, false, 0,
          UX_JOURNEY_MOVES },
    [UX_IMAGE_MOVES] =
        { UX_ENTRY_TIMINGS, UX_IMAGE_BY_INDEX, 1, false, true, true,
          UX_JOURNEY_MOVES,
          UX_JOURNEY_CELLS(UX_STAGES_MAX) - UX_JOURNEY_MOVES },
    [UX_IMAGE_SURVEYS] =
        { UX_ENTRY_TIMINGS, UX_IMAGE_BY_INDEX, 1, false, true, false, 0,
          UX_TIMINGS_SURVEYS_CELLS },
    [UX_IMAGE_SEGMENT_COUNTS] =
        UX_SEGMENT_GROUP(ASSIGNED, INDEX, false, UX_ARM_PAGES),
    [UX_IMAGE_SEGMENT_EVENT_VISITORS] =
        UX_SEGMENT_GROUP(EVENT_VISITORS, EVENT, false, UX_EVENTS_MAX),
    [UX_IMAGE_SEGMENT_EVENT_COUNT] =
        UX_SEGMENT_GROUP(EVENT_COUNT, EVENT, true, UX_EVENTS_MAX),
    [UX_IMAGE_SEGMENT_BEFORE] =
        UX_SEGMENT_GROUP(STEP_BEFORE, STEP, false, UX_STEPS_MAX),
    [UX_IMAGE_SEGMENT_IN_ORDER] =
        UX_SEGMENT_GROUP(STEP_IN_ORDER, STEP, false, UX_STEPS_MAX),
    [UX_IMAGE_SEGMENT_TOTALS] =
        { UX_ENTRY_SEGMENT_ARM, UX_IMAGE_BY_TOTAL, UX_TOTAL_CELLS, false,
          true, false, UX_ARM_TOTALS, UX_TOTALS_MAX * UX_TOTAL_CELLS },
    [UX_IMAGE_SEGMENT_VISITS] =
        UX_SEGMENT_GROUP(PAGES, INDEX, true, UX_ARM_HTTP - UX_ARM_PAGES),
    [UX_IMAGE_SEGMENT_CART] =
        { UX_ENTRY_SEGMENT_CART, UX_IMAGE_BY_INDEX, 1, false, false, false, 0,
          UX_CART_CELLS },
    [UX_IMAGE_SEGMENT_RING] =
        { UX_ENTRY_SEGMENT_CART, UX_IMAGE_BY_INDEX, 1, true, true, false, 0,
          UX_BUCKETS * UX_RING_CELLS }
};


void
ux_image_merge_cells(ux_image_merging_t *m)
{
    ux_cells_t  cells;

    cells.base = m->has[UX_IMAGE_OF_BASE] ? &m->views[UX_IMAGE_OF_BASE]
                                          : NULL;
    cells.before = 0;
    cells.refresh = false;

    if (m->has[0]) {
        cells.view = &m->views[0];
        ux_cells_all(m, &cells);

        cells.before = m->views[0].sections[UX_IMAGE_CELLS].n
                       + m->views[UX_IMAGE_OF_BASE].sections[UX_IMAGE_CELLS].n;
        cells.base = NULL;
        cells.refresh = true;
    }

    if (m->has[1]) {
        cells.view = &m->views[1];
        ux_cells_all(m, &cells);
    }
}


static void
ux_cells_all(ux_image_merging_t *m, const ux_cells_t *cells)
{
    uint32_t         i, at, held, n, nheld;
    uint64_t         step;
    ux_image_cell_t  cell;

    at = 0;
    i = 0;
    held = 0;
    n = cells->view->sections[UX_IMAGE_CELLS].n;
    nheld = cells->base == NULL ? 0
                                : cells->base->sections[UX_IMAGE_CELLS].n;

    for (step = cells->before + 1; i < n || held < nheld; step++) {
        cell = ux_cells_next(cells, &i, &held);

        if (cells->refresh) {
            cell.value = ux_cells_more(m, &cell, &at);
        }

        if (cell.value == 0 || ux_image_step_done(m, step)) {
            continue;
        }

        ux_image_step_begin(m, step);
        ux_cells_add(m, cells, i - 1, &cell);
        ux_image_step_end(m);
    }
}


uint64_t
ux_image_steps(const ux_image_merging_t *m)
{
    unsigned  n;
    uint64_t  steps;

    steps = 0;

    for (n = 0; n < UX_IMAGE_VIEWS; n++) {
        steps += m->views[n].sections[UX_IMAGE_CELLS].n;
    }

    return steps;
}


/*
 * The next of both, in their order, with what is new of it: less than nothing
 * where only the base has it.
 */
static ux_image_cell_t
ux_cells_next(const ux_cells_t *cells, uint32_t *i, uint32_t *held)
{
    int              order;
    uint64_t         had;
    ux_image_cell_t  cell, other;

    memset(&cell, 0, sizeof(cell));
    memset(&other, 0, sizeof(other));
    order = -1;

    if (*i < cells->view->sections[UX_IMAGE_CELLS].n) {
        cell = ux_image_cell(cells->view, *i);

    } else {
        order = 1;
    }

    if (cells->base != NULL
        && *held < cells->base->sections[UX_IMAGE_CELLS].n)
    {
        other = ux_image_cell(cells->base, *held);
        order = order == 1 ? 1 : ux_image_cell_order(&cell, &other);
    }

    had = order < 0 ? 0 : other.value;

    if (order > 0) {
        cell = other;
        cell.value = 0;
    }

    cell.value = ux_cells_less(&cell, had);

    *i += order <= 0;
    *held += order >= 0;

    return cell;
}


/* What looks have left is no sum; a cell of a ring, one of its bucket. */
static uint64_t
ux_cells_less(const ux_image_cell_t *cell, uint64_t had)
{
    uint32_t  count;

    if (cell->group == UX_IMAGE_EVIDENCE || cell->group == UX_IMAGE_BALANCE) {
        return cell->value;
    }

    if (!ux_image_groups[cell->group].ring) {
        return cell->value - had;
    }

    if (cell->value >> 32 != had >> 32) {
        return cell->value;
    }

    count = (uint32_t) cell->value - (uint32_t) had;

    return count == 0 ? 0 : (cell->value >> 32 << 32) | count;
}


/*
 * What the newer image has more than the other, of what follows from no
 * record; *at walks along the other.  What looks found is taken from both.
 */
static uint64_t
ux_cells_more(const ux_image_merging_t *m, const ux_image_cell_t *cell,
    uint32_t *at)
{
    uint32_t                n;
    uint64_t                had;
    ux_image_cell_t         other;
    const ux_image_view_t  *view;

    view = &m->views[0];
    n = view->sections[UX_IMAGE_CELLS].n;
    had = 0;

    if (cell->group == UX_IMAGE_EVIDENCE || cell->group == UX_IMAGE_BALANCE) {
        return cell->value;
    }

    if (!ux_cells_free(cell)) {
        return 0;
    }

    for ( /* void */ ; *at < n; (*at)++) {
        other = ux_image_cell(view, *at);

        if (ux_image_cell_order(&other, cell) >= 0) {
            had = ux_image_cell_order(&other, cell) == 0 ? other.value : 0;
            break;
        }
    }

    if (cell->group == UX_IMAGE_ZONE_SUMS) {
        return m->views[1].info.written_ms >= view->info.written_ms
               ? cell->value - had : 0;
    }

    return cell->value > had ? cell->value - had : 0;
}


static bool
ux_cells_free(const ux_image_cell_t *cell)
{
    if (cell->group == UX_IMAGE_ZONE_LIVES) {
        return cell->index >= UX_ZONE_CONTENDED_DROP - UX_ZONE_INSERTED;
    }

    if (cell->group == UX_IMAGE_ZONE_HTTP || cell->group == UX_IMAGE_ARM_HTTP)
    {
        return cell->index != UX_HTTP_ERROR_VISITORS;
    }

    return ux_image_groups[cell->group].free;
}


/* Its value is all of it or what is new; i: where the view has it. */
static void
ux_cells_add(ux_image_merging_t *m, const ux_cells_t *cells, uint32_t i,
    const ux_image_cell_t *cell)
{
    uint32_t                 slot;
    const ux_entry_t        *entry;
    const ux_image_group_t  *group;

    group = &ux_image_groups[cell->group];
    entry = cell->owner == 0 ? NULL : ux_image_owner(m, cell->owner);
    slot = ux_cells_slot(m, group, cell->index);

    if ((cell->owner != 0 && entry == NULL) || slot == UX_CELLS_NOWHERE) {
        m->result->cells++;
        return;
    }

    switch (cell->group) {

    case UX_IMAGE_ZONE_LIVES:
        ux_cells_life(m, cell->index, cell->value);
        break;

    case UX_IMAGE_EVIDENCE:
        ux_cells_evidence(m, cells, i, entry);
        break;

    case UX_IMAGE_BALANCE:
        ux_image_keep_balance(m, cell, entry);
        break;

    case UX_IMAGE_ARM_WINDOW:
    case UX_IMAGE_ARM_UNCONFIRMED:
    case UX_IMAGE_CART_RING:
    case UX_IMAGE_SEGMENT_RING:
        ux_cells_ring(m, cell, entry);
        break;

    default:
        ux_image_add(m, (entry == NULL ? 0 : group->of_ring ? entry->ring
                                                            : entry->base)
                        + group->first + slot, (int64_t) cell->value);
        break;
    }
}


/* By how the zone numbers its slots; UX_CELLS_NOWHERE: it has none for it. */
static uint32_t
ux_cells_slot(const ux_image_merging_t *m, const ux_image_group_t *group,
    uint32_t index)
{
    uint32_t        slot;
    const uint8_t  *map;

    switch (group->by) {

    case UX_IMAGE_BY_EVENT:
        map = m->work->events;
        break;

    case UX_IMAGE_BY_STEP:
        map = m->work->steps;
        break;

    case UX_IMAGE_BY_TOTAL:
        map = m->work->totals;
        break;

    default:
        return index;
    }

    slot = map[index / group->stride];

    return slot == UX_SLOT_NONE ? UX_CELLS_NOWHERE
                                : slot * group->stride
                                  + index % group->stride;
}


static void
ux_cells_life(ux_image_merging_t *m, unsigned index, uint64_t value)
{
    int64_t   n;
    uint32_t  cell;

    n = (int64_t) value;
    cell = UX_ZONE_INSERTED + index;

    if (m->mode == UX_IMAGE_SHOW) {
        ux_image_add(m, cell, n);
        return;
    }

    switch (cell) {

    case UX_ZONE_INSERTED:
        if (!m->has[0]) {
            ux_image_add(m, UX_ZONE_INSERTED, n);
            ux_image_add(m, UX_ZONE_EVICTED, n);
        }

        break;

    case UX_ZONE_EVICTED:
        if (m->has[0]) {
            ux_image_add(m, UX_ZONE_INSERTED, n);
            ux_image_add(m, UX_ZONE_EVICTED, n);
        }

        break;

    case UX_ZONE_EXPIRED:
    case UX_ZONE_ERASED:
        ux_image_add(m, cell, n);
        ux_image_add(m, m->has[0] ? UX_ZONE_INSERTED : UX_ZONE_EVICTED,
                     m->has[0] ? n : -n);
        break;

    case UX_ZONE_PROVISIONAL:
        break;

    default:
        ux_image_add(m, cell, n);
        break;
    }
}


static void
ux_cells_ring(ux_image_merging_t *m, const ux_image_cell_t *cell,
    const ux_entry_t *entry)
{
    uint32_t  bucket, field, width, ring;
    uint64_t  width_ms;

    /* a ring is always somebody's: so says the check of the image */
    if (entry == NULL) {
        m->result->cells++;
        return;
    }

    bucket = (uint32_t) (cell->value >> 32);
    width_ms = ux_cells_width(m, cell, entry);
    field = 0;
    width = 1;
    ring = entry->base + ux_image_groups[cell->group].first;

    if (cell->group == UX_IMAGE_CART_RING
        || cell->group == UX_IMAGE_SEGMENT_RING)
    {
        width = entry->width;
        ring = entry->ring;
        field = cell->index % ux_image_name(m->names, cell->owner - 1).width;
    }

    if (bucket > m->now_ms / width_ms + 1) {
        return;
    }

    if (ring == 0 || field >= width) {
        m->result->cells++;
        return;
    }

    ux_image_ring_add(m, ring + bucket % UX_BUCKETS * width + field, bucket,
                      (int32_t) (uint32_t) cell->value);
}


/* How long a bucket lasts; at least so long, where it is not known. */
static uint64_t
ux_cells_width(const ux_image_merging_t *m, const ux_image_cell_t *cell,
    const ux_entry_t *entry)
{
    if (cell->group == UX_IMAGE_CART_RING
        || cell->group == UX_IMAGE_SEGMENT_RING)
    {
        return ux_bucket_width_ms(entry->value);
    }

    if (cell->group == UX_IMAGE_ARM_UNCONFIRMED) {
        return UX_UNCONFIRMED_WIDTH_MS;
    }

    return ux_bucket_width_ms(ux_image_window(m, entry->ordinal));
}


/* The first of them brings all. */
static void
ux_cells_evidence(ux_image_merging_t *m, const ux_cells_t *cells, uint32_t i,
    const ux_entry_t *entry)
{
    uint32_t         owner;
    uint64_t         words[UX_IMAGE_EVIDENCE_WORDS];
    ux_evidence_t    evidence;
    ux_image_cell_t  cell;

    cell = ux_image_cell(cells->view, i);
    owner = cell.owner;

    if (i > 0 && ux_image_cell(cells->view, i - 1).owner == owner) {
        return;
    }

    memset(words, 0, sizeof(words));

    while (cell.owner == owner) {
        words[cell.index] = cell.value;

        if (++i == cells->view->sections[UX_IMAGE_CELLS].n) {
            break;
        }

        cell = ux_image_cell(cells->view, i);
    }

    memcpy(&evidence, words, sizeof(evidence));
    ux_image_keep_evidence(m, entry, &evidence);
}
