
/*
 * Copyright (C) the nginx-ux authors
 *
 * Cells of a zone to bytes, by the names they are of.  Counters are read while
 * others write, and there may be one too many of something or one too few: the
 * bounds that a reader insists on are kept here.
 */

#include "ux_image_writer.h"

#include <string.h>


/* What looks keep of an entry. */
#define UX_IMAGE_WORDS  16

_Static_assert(UX_IMAGE_EVIDENCE_WORDS <= UX_IMAGE_WORDS
               && UX_BALANCE_CELLS <= UX_IMAGE_WORDS, "kept words");


static void ux_write_zone(ux_image_writer_t *w);
static void ux_write_arm(ux_image_writer_t *w, uint32_t i);
static void ux_write_arm_fit(uint64_t *values);
static void ux_write_group(ux_image_writer_t *w, uint32_t owner,
    unsigned group, const uint64_t *values);
static void ux_write_ring(ux_image_writer_t *w, uint32_t owner,
    unsigned group, uint32_t cell, unsigned width);
static void ux_write_segment(ux_image_writer_t *w, uint32_t i);
static void ux_write_cart(ux_image_writer_t *w, uint32_t i, unsigned block,
    unsigned ring);
static void ux_write_timings(ux_image_writer_t *w, uint32_t i);
static void ux_write_journey(ux_image_writer_t *w, uint32_t i);
static void ux_write_kept(ux_image_writer_t *w, uint32_t i);
static void ux_write_cell(ux_image_writer_t *w, uint32_t owner,
    unsigned group, unsigned index, uint64_t value, unsigned width);


void
ux_image_write_cells(ux_image_writer_t *w)
{
    uint8_t   *from;
    uint32_t   i;

    from = w->at;

    ux_write_zone(w);

    for (i = 0; i < w->count; i++) {

        switch (w->store->registry->entries[i].kind) {

        case UX_ENTRY_ARM:
            ux_write_arm(w, i);
            break;

        case UX_ENTRY_ARM_CART:
            ux_write_cart(w, i, UX_IMAGE_CART, UX_IMAGE_CART_RING);
            break;

        case UX_ENTRY_SEGMENT_ARM:
            ux_write_segment(w, i);
            break;

        case UX_ENTRY_SEGMENT_CART:
            ux_write_cart(w, i, UX_IMAGE_SEGMENT_CART, UX_IMAGE_SEGMENT_RING);
            break;

        case UX_ENTRY_EVIDENCE:
        case UX_ENTRY_BALANCE:
            ux_write_kept(w, i);
            break;

        case UX_ENTRY_TIMINGS:
            ux_write_timings(w, i);
            break;

        default:
            break;
        }
    }

    ux_image_write_section(w, UX_IMAGE_CELLS, from,
                     (uint32_t) ((w->at - from) / UX_IMAGE_CELL_SIZE));
}


static void
ux_write_zone(ux_image_writer_t *w)
{
    uint64_t  values[UX_ZONE_CELLS];
    unsigned  group;

    ux_counter_fold(&w->store->counter, 0, UX_ZONE_CELLS, values);

    for (group = UX_IMAGE_ZONE_LIVES; group < UX_IMAGE_ARM_COUNTS; group++) {
        ux_write_group(w, 0, group, values);
    }

}


static void
ux_write_arm(ux_image_writer_t *w, uint32_t i)
{
    uint32_t  base;
    uint64_t  values[UX_ARM_COUNTS];
    unsigned  group;

    base = w->store->registry->entries[i].base;

    ux_counter_fold(&w->store->counter, base, UX_ARM_COUNTS, values);
    ux_write_arm_fit(values);

    for (group = UX_IMAGE_ARM_COUNTS; group < UX_IMAGE_ARM_WINDOW; group++) {
        ux_write_group(w, i + 1, group, values);
    }

    ux_write_ring(w, i + 1, UX_IMAGE_ARM_WINDOW, base + UX_ARM_WINDOW, 1);
    ux_write_ring(w, i + 1, UX_IMAGE_ARM_UNCONFIRMED,
                  base + UX_ARM_UNCONFIRMED, 1);
    ux_write_group(w, i + 1, UX_IMAGE_ARM_VISITS, values);
}


/* See ux_image_arm_ok(): numerators are no larger than denominators. */
static void
ux_write_arm_fit(uint64_t *values)
{
    uint64_t  most;
    unsigned  i;

    for (i = 0; i < UX_ARM_TOTALS; i++) {
        values[i] = values[i] >> 63 ? 0 : values[i];

        if (values[i] >= UX_IMAGE_COUNT_MAX) {
            values[i] = UX_IMAGE_COUNT_MAX - 1;
        }

        if (i >= UX_ARM_PAGES && i < UX_ARM_EVENT_VISITORS) {
            continue;
        }

        if (i >= UX_ARM_EVENT_COUNT && i < UX_ARM_STEP_BEFORE) {
            continue;
        }

        most = values[i < UX_ARM_HTTP ? UX_ARM_ASSIGNED : UX_ARM_VISITORS];
        values[i] = values[i] < most ? values[i] : most;
    }
}


/* values: of the whole block. */
static void
ux_write_group(ux_image_writer_t *w, uint32_t owner, unsigned group,
    const uint64_t *values)
{
    unsigned                 i;
    const ux_image_group_t  *g;

    g = &ux_image_groups[group];

    for (i = 0; i < g->n; i++) {
        ux_write_cell(w, owner, group, i, values[g->first + i], 1);
    }
}


static void
ux_write_ring(ux_image_writer_t *w, uint32_t owner, unsigned group,
    uint32_t cell, unsigned width)
{
    unsigned  i;

    for (i = 0; i < UX_BUCKETS * width; i++) {
        ux_write_cell(w, owner, group, i,
                      ux_counter_ring_cell(&w->store->counter, cell + i),
                      width);
    }
}


/* What counts a value: as an arm, in the shared copy. */
static void
ux_write_segment(ux_image_writer_t *w, uint32_t i)
{
    uint32_t  base;
    uint64_t  values[UX_ARM_COUNTS];
    unsigned  group;

    base = w->store->registry->entries[i].ring;

    if (base == 0) {
        return;
    }

    ux_counter_fold(&w->store->counter, base, UX_ARM_COUNTS, values);
    ux_write_arm_fit(values);

    for (group = UX_IMAGE_SEGMENT_COUNTS; group < UX_IMAGE_SEGMENT_CART;
         group++)
    {
        ux_write_group(w, i + 1, group, values);
    }
}


/*
 * Blocks and rings that another entry has are written with that.  block, ring:
 * the groups.
 */
static void
ux_write_cart(ux_image_writer_t *w, uint32_t i, unsigned block, unsigned ring)
{
    uint64_t           values[UX_CART_CELLS];
    uint16_t           flags;
    const ux_entry_t  *entry;

    entry = &w->store->registry->entries[i];
    flags = ux_image_write_flags(w, i);

    if (flags & UX_IMAGE_HAS_BLOCK) {
        ux_counter_fold(&w->store->counter, entry->base, UX_CART_CELLS,
                        values);
        ux_write_group(w, i + 1, block, values);
    }

    if (flags & UX_IMAGE_HAS_RING) {
        ux_write_ring(w, i + 1, ring, entry->ring, entry->width);
    }
}


/* A block: all copies of one, the shared copy of the others. */
static void
ux_write_timings(ux_image_writer_t *w, uint32_t i)
{
    uint32_t           first, n, k;
    unsigned           group;
    const ux_entry_t  *entry;

    entry = &w->store->registry->entries[i];

    if (entry->aux == UX_TIMINGS_JOURNEY) {
        ux_write_journey(w, i);
        return;
    }

    group = entry->aux == UX_TIMINGS_REQUESTS ? UX_IMAGE_REQUESTS
            : entry->aux == UX_TIMINGS_VITALS ? UX_IMAGE_VITALS
            : entry->aux == UX_TIMINGS_SURVEYS ? UX_IMAGE_SURVEYS
            : UX_IMAGE_PACES;
    first = entry->ring != 0 ? entry->ring : entry->base;
    n = ux_block_cells(entry->aux, entry->control);

    for (k = 0; first != 0 && k < n; k++) {
        ux_write_cell(w, i + 1, group, k,
                      ux_counter_read(&w->store->counter, first + k), 1);
    }
}


/* Who reached a stage follows from the records, a move does not. */
static void
ux_write_journey(ux_image_writer_t *w, uint32_t i)
{
    uint32_t           n, k, cell;
    const ux_entry_t  *entry;

    entry = &w->store->registry->entries[i];
    n = entry->ring != 0 ? ux_journey_cells(entry->control) : 0;

    for (k = 0; k < n; k++) {
        cell = k < UX_JOURNEY_MOVES ? k : k - UX_JOURNEY_MOVES;

        ux_write_cell(w, i + 1, k < UX_JOURNEY_MOVES ? UX_IMAGE_REACHED
                                                     : UX_IMAGE_MOVES, cell,
                      ux_counter_read(&w->store->counter, entry->ring + k),
                      1);
    }
}


/* What looks at the results have left. */
static void
ux_write_kept(ux_image_writer_t *w, uint32_t i)
{
    unsigned           n;
    uint64_t           words[UX_IMAGE_WORDS];
    ux_evidence_t      evidence;
    const uint64_t    *cells;
    const ux_entry_t  *entry;

    entry = &w->store->registry->entries[i];

    if (entry->ring == 0) {
        return;
    }

    cells = &w->store->counter.shared[entry->ring];

    if (entry->kind == UX_ENTRY_EVIDENCE) {
        ux_evidence_cells_read(cells, &evidence);
        memcpy(words, &evidence, sizeof(evidence));
        ux_write_group(w, i + 1, UX_IMAGE_EVIDENCE, words);
        return;
    }

    for (n = 0; n < UX_BALANCE_CELLS; n++) {
        words[n] = __atomic_load_n(&cells[n], __ATOMIC_ACQUIRE);
    }

    ux_write_group(w, i + 1, UX_IMAGE_BALANCE, words);
}


/* One that no reader would accept is left out. */
static void
ux_write_cell(ux_image_writer_t *w, uint32_t owner, unsigned group,
    unsigned index, uint64_t value, unsigned width)
{
    ux_image_cell_t  cell;

    cell.owner = owner;
    cell.group = (uint16_t) group;
    cell.index = (uint16_t) index;
    cell.value = value;

    if (!ux_image_value_ok(&cell, width)) {
        return;
    }

    ux_image_put(w->at, owner, 4);
    ux_image_put(w->at + 4, group, 2);
    ux_image_put(w->at + 6, index, 2);
    ux_image_put(w->at + 8, value, 8);

    w->at += UX_IMAGE_CELL_SIZE;
}
