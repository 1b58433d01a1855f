
/*
 * Copyright (C) the nginx-ux authors
 *
 * Do the values of a segment add up to what their variant counted?  A walk
 * over the registry that knows nothing of how it is done: every counter of a
 * variant, of its carts and of their rings, against the sums over values.
 */

#ifndef SEGMENT_CASE_H
#define SEGMENT_CASE_H


#include "store_case.h"
#include "ux_segment.h"


/* What was looked at, and what of it did not add up. */
typedef struct {
    unsigned  cells;
    unsigned  moved;                 /* of these, not 0 */
    unsigned  wrong;
} adds_up_t;


static void
adds_up_cell(adds_up_t *up, const char *what, unsigned k, uint64_t whole,
    uint64_t parts)
{
    up->cells++;
    up->moved += whole != 0;

    if (whole != parts && up->wrong++ < 5) {
        printf("# %s %u: %lld, over values %lld\n", what, k,
               (long long) whole, (long long) parts);
    }
}


/* Sum of one cell over entries of the kind; those that share it count once. */
static uint64_t
adds_up_sum(const ux_store_t *store, const ux_entry_t *variant,
    const ux_entry_t *segment, uint16_t cart, unsigned k)
{
    uint64_t           sum;
    uint32_t           i, j;
    const ux_entry_t  *entry, *arm, *value, *other;

    sum = 0;

    for (i = 0; i < ux_registry_count(store->registry); i++) {
        entry = &store->registry->entries[i];
        arm = entry;

        if (cart != UX_PARENT_NONE) {
            if (entry->kind != (segment == NULL ? UX_ENTRY_ARM_CART
                                                : UX_ENTRY_SEGMENT_CART)
                || entry->aux != cart)
            {
                continue;
            }

            for (j = 0, other = NULL; j < i && other == NULL; j++) {
                if (store->registry->entries[j].kind == entry->kind
                    && store->registry->entries[j].base == entry->base)
                {
                    other = &store->registry->entries[j];
                }
            }

            if (other != NULL) {
                continue;
            }

            arm = ux_registry_get(store->registry,
                                  segment == NULL ? UX_ENTRY_ARM
                                                  : UX_ENTRY_SEGMENT_ARM,
                                  entry->parent);
        }

        if (segment == NULL) {
            if (arm->kind == UX_ENTRY_ARM && arm->aux == variant->ordinal) {
                sum += ux_counter_read(&store->counter, entry->base + k);
            }

            continue;
        }

        if (arm->kind != UX_ENTRY_SEGMENT_ARM
            || arm->parent != variant->ordinal)
        {
            continue;
        }

        value = ux_registry_get(store->registry, UX_ENTRY_SEGMENT_VALUE,
                                arm->aux);

        if (value->parent == segment->ordinal) {
            sum += ux_counter_read(&store->counter,
                                   (cart == UX_PARENT_NONE ? entry->ring
                                                           : entry->base)
                                   + k);
        }
    }

    return sum;
}


/* Rings of one cart and window: each row of the variant's, as it stands. */
static void
adds_up_ring(const ux_store_t *store, adds_up_t *up,
    const ux_entry_t *whole, const ux_entry_t *segment)
{
    int32_t            sum;
    uint32_t           i, bucket;
    uint64_t           cell;
    unsigned           k, row;
    const ux_entry_t  *entry, *arm, *value;

    for (k = 0; k < UX_BUCKETS * whole->width; k++) {
        cell = store->counter.shared[whole->ring + k];
        bucket = (uint32_t) (cell >> 32);
        row = k / whole->width;
        sum = 0;

        for (i = 0; cell != 0 && i < ux_registry_count(store->registry); i++)
        {
            entry = &store->registry->entries[i];

            if (entry->kind != UX_ENTRY_SEGMENT_CART
                || entry->aux != whole->aux || entry->value != whole->value
                || entry->shares != 0)
            {
                continue;
            }

            arm = ux_registry_get(store->registry, UX_ENTRY_SEGMENT_ARM,
                                  entry->parent);
            value = ux_registry_get(store->registry, UX_ENTRY_SEGMENT_VALUE,
                                    arm->aux);

            if (arm->parent == whole->variant
                && value->parent == segment->ordinal)
            {
                sum += ux_counter_ring_read(&store->counter, entry->ring
                                            + row * entry->width
                                            + k % whole->width, bucket);
            }
        }

        adds_up_cell(up, "ring", k, (uint64_t) (int64_t) (int32_t) cell,
                     (uint64_t) (int64_t) sum);
    }
}


/* All that is there. */
__attribute__((unused))
static adds_up_t
adds_up(const ux_store_t *store)
{
    uint16_t           cart;
    uint32_t           i, s, r;
    unsigned           k;
    adds_up_t          up = { 0, 0, 0 };
    const ux_entry_t  *variant, *segment, *ring;

    for (i = 0; i < ux_registry_count(store->registry); i++) {
        variant = &store->registry->entries[i];

        if (variant->kind != UX_ENTRY_VARIANT) {
            continue;
        }

        for (s = 0; s < UX_SEGMENTS_MAX; s++) {
            segment = ux_registry_get(store->registry, UX_ENTRY_SEGMENT,
                                      (uint16_t) s);

            if (segment == NULL) {
                break;
            }

            for (k = 0; k < UX_ARM_COUNTS; k++) {
                if (k >= UX_ARM_HTTP && k < UX_ARM_EVENT_VISITORS) {
                    continue;
                }

                adds_up_cell(&up, "cell", k,
                             adds_up_sum(store, variant, NULL, UX_PARENT_NONE,
                                         k),
                             adds_up_sum(store, variant, segment,
                                         UX_PARENT_NONE, k));
            }

            for (cart = 0; cart < UX_CARTS_MAX; cart++) {
                for (k = 0; k < UX_CART_CELLS; k++) {
                    adds_up_cell(&up, "cart", k,
                                 adds_up_sum(store, variant, NULL, cart, k),
                                 adds_up_sum(store, variant, segment, cart,
                                             k));
                }
            }

            for (r = 0; r < ux_registry_count(store->registry); r++) {
                ring = &store->registry->entries[r];

                if (ring->kind == UX_ENTRY_ARM_CART && ring->shares == 0
                    && ring->variant == variant->ordinal)
                {
                    adds_up_ring(store, &up, ring, segment);
                }
            }
        }
    }

    return up;
}


#endif
