
/*
 * Copyright (C) the nginx-ux authors
 *
 * Entries of the zone that a merge adds to, by their numbers, and by what they
 * are of: for each parent a chain of its children, the newest first.
 */

#include "ux_image_private.h"

#include <string.h>


#define UX_ENTRIES_END  0xffffu      /* of a chain */


static const ux_entry_t *ux_entries_chained(const ux_image_merging_t *m,
    const uint16_t *newest, uint16_t parent, unsigned aux);


const ux_entry_t *
ux_image_entry(ux_image_merging_t *m, unsigned kind, uint32_t ordinal)
{
    uint32_t  i;

    ux_image_entries_index(m);

    i = ux_image_index_find(&m->work->zone, kind, ordinal);

    return i == UX_IMAGE_NAMES_MAX ? NULL
                                   : &m->store->registry->entries[i];
}


const ux_entry_t *
ux_image_arm_cart(ux_image_merging_t *m, uint16_t arm, unsigned cart)
{
    ux_image_entries_index(m);

    return ux_entries_chained(m, m->work->carts, arm, cart);
}


const ux_entry_t *
ux_image_segment_arm(ux_image_merging_t *m, uint16_t variant, unsigned value)
{
    ux_image_entries_index(m);

    return ux_entries_chained(m, m->work->segment_arms, variant, value);
}


const ux_entry_t *
ux_image_segment_cart(ux_image_merging_t *m, uint16_t arm, unsigned cart)
{
    ux_image_entries_index(m);

    return ux_entries_chained(m, m->work->segment_carts, arm, cart);
}


/* The newest below this parent that is of `aux` and counts. */
static const ux_entry_t *
ux_entries_chained(const ux_image_merging_t *m, const uint16_t *newest,
    uint16_t parent, unsigned aux)
{
    uint32_t           i;
    const ux_entry_t  *entry;

    if (parent >= UX_IMAGE_NAMES_MAX) {
        return NULL;
    }

    for (i = newest[parent]; i != UX_ENTRIES_END; i = m->work->older[i]) {
        entry = &m->store->registry->entries[i];

        if (entry->aux == aux && (entry->base | entry->ring) != 0) {
            return entry;
        }
    }

    return NULL;
}


/* Others may have made entries since. */
void
ux_image_entries_index(ux_image_merging_t *m)
{
    uint16_t          *newest;
    uint32_t           i, n, seen[UX_ENTRY_KINDS];
    ux_image_work_t   *work;
    const ux_entry_t  *entry;

    work = m->work;
    n = ux_registry_count(m->store->registry);

    if (work->zone_names == n || n > UX_IMAGE_NAMES_MAX) {
        return;
    }

    memset(seen, 0, sizeof(seen));
    memset(work->carts, 0xff, sizeof(work->carts));
    memset(work->segment_arms, 0xff, sizeof(work->segment_arms));
    memset(work->segment_carts, 0xff, sizeof(work->segment_carts));
    ux_image_index_clear(&work->zone);

    for (i = 0; i < n; i++) {
        ux_image_index_count(&work->zone,
                             m->store->registry->entries[i].kind);
    }

    ux_image_index_start(&work->zone);

    for (i = 0; i < n; i++) {
        entry = &m->store->registry->entries[i];
        ux_image_index_add(&work->zone, entry->kind, i, seen);

        newest = entry->kind == UX_ENTRY_ARM_CART ? work->carts
                 : entry->kind == UX_ENTRY_SEGMENT_ARM ? work->segment_arms
                 : entry->kind == UX_ENTRY_SEGMENT_CART ? work->segment_carts
                 : NULL;

        if (newest != NULL && entry->parent < UX_IMAGE_NAMES_MAX) {
            work->older[i] = newest[entry->parent];
            newest[entry->parent] = (uint16_t) i;
        }
    }

    work->zone_names = n;
}
