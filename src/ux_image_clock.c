
/*
 * Copyright (C) the nginx-ux authors
 *
 * CLOCK, the section that says how far the clock was that records expire by
 * (ux_table_clock.c), so that it leaps as little over a start as it does
 * while a server runs: a machine that starts with a wrong year forgets nobody,
 * and one that was saved in a wrong year none of those who were there before.
 *
 * Without the section it was as far as the time of day.
 */

#include "ux_image_private.h"


static uint64_t ux_clock_word(const ux_image_view_t *view);


uint8_t *
ux_image_clock_write(uint8_t *at, const ux_store_t *store, uint64_t now_ms)
{
    uint32_t  now_s;

    now_s = (uint32_t) (now_ms / 1000);

    ux_image_put(at, ux_table_expiry(&store->table, now_s), 4);
    ux_image_put(at + 4, now_s, 4);

    return at + UX_IMAGE_CLOCK_SIZE;
}


/* It is never ahead of the time of day. */
bool
ux_image_clock_ok(const ux_image_view_t *view)
{
    uint64_t                   word;
    const ux_image_section_t  *section;

    section = &view->sections[UX_IMAGE_CLOCK];
    word = ux_clock_word(view);

    return section->n <= 1 && word >> 32 <= (uint32_t) word;
}


/* As of ux_table_expiry(): where it was, and the time of day then, seconds. */
static uint64_t
ux_clock_word(const ux_image_view_t *view)
{
    uint64_t                   seen;
    const ux_image_section_t  *section;

    section = &view->sections[UX_IMAGE_CLOCK];

    if (section->n != 0) {
        return ux_image_get(section->data, 4) << 32
               | ux_image_get(section->data + 4, 4);
    }

    seen = (uint32_t) (view->info.written_ms / 1000);

    return seen << 32 | seen;
}


/*
 * Of several images that which is furthest tells.  A zone that had a clock
 * goes on by the time of day it has seen.
 */
void
ux_image_clock_restore(ux_image_merging_t *m)
{
    uint64_t                word, now, at, seen, image;
    const ux_image_view_t  *view;

    view = &m->views[m->has[UX_IMAGE_OF_COUNTERS] ? UX_IMAGE_OF_COUNTERS
                                                  : UX_IMAGE_OF_VISITORS];
    image = ux_clock_word(view);
    now = m->now_ms / 1000;

    /* no record is of later than that */

    m->latest_ms = m->now_ms;

    if (view->sections[UX_IMAGE_CLOCK].n != 0 && image >> 32 > now) {
        m->latest_ms = (image >> 32) * 1000 + 999;
    }

    if (m->mode != UX_IMAGE_RESTORE) {
        return;
    }

    word = __atomic_load_n(&m->store->head->expiry, __ATOMIC_RELAXED);
    at = image >> 32;

    if (word == 0) {
        word = image;

    } else if (at > word >> 32) {
        seen = (uint32_t) word;
        word = (at < seen ? at : seen) << 32 | seen;
    }

    __atomic_store_n(&m->store->head->expiry, word, __ATOMIC_RELAXED);
}
