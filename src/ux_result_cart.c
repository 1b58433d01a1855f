
/*
 * Copyright (C) the nginx-ux authors
 *
 * Carts of a variant, out of its arms' totals and the rings of its windows.
 */

#include "ux_result.h"

#include <string.h>


/* Looks at a cart funnel that keeps changing while it is read. */
#define UX_RESULT_TRIES  3


static void ux_result_add_cart(const ux_result_t *result, uint32_t cart,
    ux_result_cart_t *sum);
static void ux_result_fold_carts(const ux_result_t *result, uint32_t cart,
    uint64_t *totals);
static void ux_result_read_rings(const ux_result_t *result, uint32_t cart,
    const uint64_t *totals, uint64_t *unsettled);
static void ux_result_read_ring(const ux_result_t *result,
    const ux_entry_t *entry, const uint64_t *totals, uint64_t *unsettled);
static uint64_t ux_result_within(const ux_result_t *result,
    const ux_entry_t *entry);
static uint64_t ux_result_part(uint64_t part, uint64_t total);


/* Those of one arm are next to each other then. */
void
ux_result_carts_link(ux_result_t *result, uint32_t cart,
    ux_result_variant_t *variant)
{
    uint16_t           slot;
    ux_result_link_t  *links;

    links = result->tree.links;

    for ( /* void */ ; cart != UX_RESULT_END; cart = links[cart].next) {

        slot = result->tree.entries[cart].aux;

        if (slot < UX_CARTS_MAX) {
            links[cart].peer = variant->carts[slot];
            variant->carts[slot] = cart;
        }
    }
}


void
ux_result_carts_add(const ux_result_t *result,
    ux_result_variant_t *variant)
{
    unsigned  i;

    for (i = 0; i < UX_CARTS_MAX; i++) {

        if (variant->carts[i] != UX_RESULT_END) {
            ux_result_add_cart(result, variant->carts[i],
                               &variant->sum.carts[i]);
        }
    }
}


/*
 * Totals and rings are no snapshot of one moment.  When the totals are the
 * same before and after the rings were read, no cart began, moved or was
 * bought meanwhile.
 */
static void
ux_result_add_cart(const ux_result_t *result, uint32_t cart,
    ux_result_cart_t *sum)
{
    uint64_t  totals[UX_CART_CELLS], before[UX_CART_CELLS];
    uint64_t  unsettled[UX_RING_CELLS];
    unsigned  i, tries;

    ux_result_fold_carts(result, cart, totals);

    for (tries = 0; tries < UX_RESULT_TRIES; tries++) {
        memcpy(before, totals, sizeof(before));

        ux_result_read_rings(result, cart, totals, unsettled);
        ux_result_fold_carts(result, cart, totals);

        if (memcmp(before, totals, sizeof(before)) == 0) {
            break;
        }
    }

    sum->carried_in = totals[UX_CART_CARRIED_IN];
    sum->without_cart = totals[UX_CART_WITHOUT_CART];
    sum->recovered = totals[UX_CART_RECOVERED];

    sum->purchased = ux_result_count(totals[UX_CART_PURCHASED]);
    sum->unsettled_purchased = ux_result_part(unsettled[UX_RING_PURCHASED],
                                              totals[UX_CART_PURCHASED]);
    sum->unsettled_recovered = ux_result_part(unsettled[UX_RING_RECOVERED],
                                              totals[UX_CART_RECOVERED]);

    for (i = 0; i < UX_RESULT_ALIVE; i++) {
        sum->alive[i] = ux_result_count(totals[UX_CART_ALIVE + i]);
        sum->unsettled_alive[i] =
            ux_result_part(unsettled[UX_RING_ALIVE + i],
                           totals[UX_CART_ALIVE + i]);
    }
}


/*
 * Totals of all arms, an arm's block once, however many windows count in it.
 */
static void
ux_result_fold_carts(const ux_result_t *result, uint32_t cart,
    uint64_t *totals)
{
    uint32_t  base, last;
    uint64_t  cells[UX_CART_CELLS];
    unsigned  i;

    memset(totals, 0, UX_CART_CELLS * sizeof(uint64_t));

    last = 0;

    for ( /* void */ ; cart != UX_RESULT_END;
         cart = result->tree.links[cart].peer)
    {
        base = result->tree.entries[cart].base;

        if (base == last
            || !ux_result_cells_check(result, base, UX_CART_CELLS))
        {
            continue;
        }

        ux_counter_fold(&result->store->counter, base, UX_CART_CELLS, cells);

        for (i = 0; i < UX_CART_CELLS; i++) {
            totals[i] += cells[i];
        }

        last = base;
    }
}


/*
 * A ring counts for all arms that share it, and is read once.
 *
 * A cart opened under one window and bought or moved under another has +1 in
 * the ring of the first and -1 in that of the second: all are added.  The two
 * may settle at different moments; what is below 0, or above the total, until
 * the second has settled is cut off by the caller.
 */
static void
ux_result_read_rings(const ux_result_t *result, uint32_t cart,
    const uint64_t *totals, uint64_t *unsettled)
{
    memset(unsettled, 0, UX_RING_CELLS * sizeof(uint64_t));

    for ( /* void */ ; cart != UX_RESULT_END;
         cart = result->tree.links[cart].peer)
    {
        if (result->tree.entries[cart].shares == 0) {
            ux_result_read_ring(result, &result->tree.entries[cart], totals,
                                unsettled);
        }
    }
}


/*
 * Adds the rows of the buckets b that are not settled, that is, whose end
 * (b + 1) * width is less than a window ago; one ahead, for a writer whose
 * clock is ahead of ours.  A field whose total is 0 needs no looking up.
 */
static void
ux_result_read_ring(const ux_result_t *result, const ux_entry_t *entry,
    const uint64_t *totals, uint64_t *unsettled)
{
    bool      wanted[UX_RING_CELLS];
    int32_t   value;
    uint64_t  width, within, bucket;
    unsigned  i, rows, row;

    if (entry->width > UX_RING_CELLS
        || !ux_result_cells_check(result, entry->ring,
                                  UX_BUCKETS * entry->width))
    {
        return;
    }

    wanted[UX_RING_PURCHASED] = totals[UX_CART_PURCHASED] != 0;
    wanted[UX_RING_RECOVERED] = totals[UX_CART_RECOVERED] != 0;

    for (i = 0; i < UX_RESULT_ALIVE; i++) {
        wanted[UX_RING_ALIVE + i] = totals[UX_CART_ALIVE + i] != 0;
    }

    within = ux_result_within(result, entry);
    width = ux_bucket_width_ms(entry->value);
    bucket = result->now_ms / width + 1;

    for (rows = 0; rows < UX_BUCKETS; rows++) {

        if ((bucket + 1) * width + within <= result->now_ms) {
            break;
        }

        row = (unsigned) (bucket % UX_BUCKETS);

        for (i = 0; i < entry->width; i++) {

            if (wanted[i]) {
                value = ux_counter_ring_read(&result->store->counter,
                                      entry->ring + row * entry->width + i,
                                      (uint32_t) bucket);
                unsettled[i] += (uint64_t) (int64_t) value;
            }
        }

        if (bucket == 0) {
            break;
        }

        bucket--;
    }
}


/*
 * A cart is judged by the window that is configured now, whenever it began;
 * of a longer one than its own the ring has no rows.
 */
static uint64_t
ux_result_within(const ux_result_t *result, const ux_entry_t *entry)
{
    unsigned            i;
    const ux_funnel_t  *funnel;

    for (i = 0; i < result->model->nfunnels; i++) {
        funnel = &result->model->funnels[i];

        if (funnel->cart_event != UX_SLOT_NONE && funnel->cart == entry->aux
            && funnel->within_ms < entry->value)
        {
            return funnel->within_ms;
        }
    }

    return entry->value;
}


static uint64_t
ux_result_part(uint64_t part, uint64_t total)
{
    part = ux_result_count(part);
    total = ux_result_count(total);

    return part < total ? part : total;
}
