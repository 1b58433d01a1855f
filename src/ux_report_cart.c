
/*
 * Copyright (C) the nginx-ux authors
 *
 * Carts of a variant, out of its arms' totals and the rings of its windows.
 */

#include "ux_report_private.h"

#include <string.h>


/* Looks at a cart funnel that keeps changing while it is read. */
#define UX_REPORT_TRIES  3


static void ux_report_add_cart(const ux_report_view_t *view, uint32_t cart,
    ux_report_cart_t *sum);
static void ux_report_fold_carts(const ux_report_view_t *view, uint32_t cart,
    uint64_t *totals);
static void ux_report_read_rings(const ux_report_view_t *view, uint32_t cart,
    const uint64_t *totals, uint64_t *unsettled);
static void ux_report_read_ring(const ux_report_view_t *view,
    const ux_entry_t *entry, const uint64_t *totals, uint64_t *unsettled);
static uint64_t ux_report_within(const ux_report_view_t *view,
    const ux_entry_t *entry);
static uint64_t ux_report_part(uint64_t part, uint64_t total);


/* Those of one arm are next to each other then. */
void
ux_report_link_carts(ux_report_view_t *view, uint32_t cart,
    ux_report_variant_t *variant)
{
    uint16_t           slot;
    ux_report_link_t  *links;

    links = view->tree.links;

    for ( /* void */ ; cart != UX_REPORT_END; cart = links[cart].next) {

        slot = view->tree.entries[cart].aux;

        if (slot < UX_CARTS_MAX) {
            links[cart].peer = variant->carts[slot];
            variant->carts[slot] = cart;
        }
    }
}


void
ux_report_add_carts(const ux_report_view_t *view,
    ux_report_variant_t *variant)
{
    unsigned  i;

    for (i = 0; i < UX_CARTS_MAX; i++) {

        if (variant->carts[i] != UX_REPORT_END) {
            ux_report_add_cart(view, variant->carts[i],
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
ux_report_add_cart(const ux_report_view_t *view, uint32_t cart,
    ux_report_cart_t *sum)
{
    uint64_t  totals[UX_CART_CELLS], before[UX_CART_CELLS];
    uint64_t  unsettled[UX_RING_CELLS];
    unsigned  i, tries;

    ux_report_fold_carts(view, cart, totals);

    for (tries = 0; tries < UX_REPORT_TRIES; tries++) {
        memcpy(before, totals, sizeof(before));

        ux_report_read_rings(view, cart, totals, unsettled);
        ux_report_fold_carts(view, cart, totals);

        if (memcmp(before, totals, sizeof(before)) == 0) {
            break;
        }
    }

    sum->carried_in = totals[UX_CART_CARRIED_IN];
    sum->without_cart = totals[UX_CART_WITHOUT_CART];
    sum->recovered = totals[UX_CART_RECOVERED];

    sum->purchased = ux_report_count(totals[UX_CART_PURCHASED]);
    sum->unsettled_purchased = ux_report_part(unsettled[UX_RING_PURCHASED],
                                              totals[UX_CART_PURCHASED]);
    sum->unsettled_recovered = ux_report_part(unsettled[UX_RING_RECOVERED],
                                              totals[UX_CART_RECOVERED]);

    for (i = 0; i < UX_REPORT_ALIVE; i++) {
        sum->alive[i] = ux_report_count(totals[UX_CART_ALIVE + i]);
        sum->unsettled_alive[i] =
            ux_report_part(unsettled[UX_RING_ALIVE + i],
                           totals[UX_CART_ALIVE + i]);
    }
}


/*
 * Totals of all arms, an arm's block once, however many windows count in it.
 */
static void
ux_report_fold_carts(const ux_report_view_t *view, uint32_t cart,
    uint64_t *totals)
{
    uint32_t  base, last;
    uint64_t  cells[UX_CART_CELLS];
    unsigned  i;

    memset(totals, 0, UX_CART_CELLS * sizeof(uint64_t));

    last = 0;

    for ( /* void */ ; cart != UX_REPORT_END;
         cart = view->tree.links[cart].peer)
    {
        base = view->tree.entries[cart].base;

        if (base == last || !ux_report_cells_check(view, base, UX_CART_CELLS))
        {
            continue;
        }

        ux_counter_fold(&view->store->counter, base, UX_CART_CELLS, cells);

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
ux_report_read_rings(const ux_report_view_t *view, uint32_t cart,
    const uint64_t *totals, uint64_t *unsettled)
{
    memset(unsettled, 0, UX_RING_CELLS * sizeof(uint64_t));

    for ( /* void */ ; cart != UX_REPORT_END;
         cart = view->tree.links[cart].peer)
    {
        if (view->tree.entries[cart].shares == 0) {
            ux_report_read_ring(view, &view->tree.entries[cart], totals,
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
ux_report_read_ring(const ux_report_view_t *view, const ux_entry_t *entry,
    const uint64_t *totals, uint64_t *unsettled)
{
    bool      wanted[UX_RING_CELLS];
    int32_t   value;
    uint64_t  width, within, bucket;
    unsigned  i, rows, row;

    if (entry->width > UX_RING_CELLS
        || !ux_report_cells_check(view, entry->ring,
                                  UX_BUCKETS * entry->width))
    {
        return;
    }

    wanted[UX_RING_PURCHASED] = totals[UX_CART_PURCHASED] != 0;
    wanted[UX_RING_RECOVERED] = totals[UX_CART_RECOVERED] != 0;

    for (i = 0; i < UX_REPORT_ALIVE; i++) {
        wanted[UX_RING_ALIVE + i] = totals[UX_CART_ALIVE + i] != 0;
    }

    within = ux_report_within(view, entry);
    width = ux_bucket_width_ms(entry->value);
    bucket = view->now_ms / width + 1;

    for (rows = 0; rows < UX_BUCKETS; rows++) {

        if ((bucket + 1) * width + within <= view->now_ms) {
            break;
        }

        row = (unsigned) (bucket % UX_BUCKETS);

        for (i = 0; i < entry->width; i++) {

            if (wanted[i]) {
                value = ux_counter_ring_read(&view->store->counter,
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
ux_report_within(const ux_report_view_t *view, const ux_entry_t *entry)
{
    unsigned            i;
    const ux_funnel_t  *funnel;

    for (i = 0; i < view->model->nfunnels; i++) {
        funnel = &view->model->funnels[i];

        if (funnel->cart_event != UX_SLOT_NONE && funnel->cart == entry->aux
            && funnel->within_ms < entry->value)
        {
            return funnel->within_ms;
        }
    }

    return entry->value;
}


static uint64_t
ux_report_part(uint64_t part, uint64_t total)
{
    part = ux_report_count(part);
    total = ux_report_count(total);

    return part < total ? part : total;
}
