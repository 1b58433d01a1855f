
/*
 * Copyright (C) the nginx-ux authors
 *
 * Carts of an arm, out of its totals and the rings of its windows.
 */

#include "ux_report_private.h"

#include <string.h>


/* Looks at a cart funnel that keeps changing while it is read. */
#define UX_REPORT_TRIES  3


static void ux_report_add_cart(const ux_report_view_t *view, uint32_t cart,
    ux_report_cart_t *sum);
static void ux_report_read_rings(const ux_report_view_t *view, uint32_t cart,
    const uint64_t *totals, uint64_t *unsettled);
static bool ux_report_same_carts(const ux_entry_t *a, const ux_entry_t *b);
static void ux_report_read_ring(const ux_report_view_t *view,
    const ux_entry_t *entry, const uint64_t *totals, uint64_t *unsettled);
static uint64_t ux_report_within(const ux_report_view_t *view,
    const ux_entry_t *entry);
static uint64_t ux_report_part(uint64_t part, uint64_t total);


/*
 * The carts of an arm, from the first entry of them on.  Entries that differ
 * in their window only share a block: it is read with the first of them.
 */
void
ux_report_add_carts(const ux_report_view_t *view, uint32_t cart,
    ux_report_sum_t *sum)
{
    uint32_t                 i, first;
    const ux_entry_t        *entries;
    const ux_report_link_t  *links;

    links = view->tree.links;
    entries = view->tree.entries;
    first = cart;

    for ( /* void */ ; cart != UX_REPORT_END; cart = links[cart].next) {

        if (entries[cart].aux >= UX_CARTS_MAX) {
            continue;
        }

        for (i = first; i != cart; i = links[i].next) {

            if (ux_report_same_carts(&entries[i], &entries[cart])) {
                break;
            }
        }

        if (i == cart) {
            ux_report_add_cart(view, cart, &sum->carts[entries[cart].aux]);
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
    uint32_t  base;
    uint64_t  totals[UX_CART_CELLS], before[UX_CART_CELLS];
    uint64_t  unsettled[UX_RING_CELLS];
    unsigned  i, tries;

    base = view->tree.entries[cart].base;

    if (!ux_report_cells_check(view, base, UX_CART_CELLS)) {
        return;
    }

    ux_counter_fold(&view->store->counter, base, UX_CART_CELLS, totals);

    for (tries = 0; tries < UX_REPORT_TRIES; tries++) {
        memcpy(before, totals, sizeof(before));

        ux_report_read_rings(view, cart, totals, unsettled);

        ux_counter_fold(&view->store->counter, base, UX_CART_CELLS, totals);

        if (memcmp(before, totals, sizeof(before)) == 0) {
            break;
        }
    }

    sum->carried_in += totals[UX_CART_CARRIED_IN];
    sum->without_cart += totals[UX_CART_WITHOUT_CART];
    sum->recovered += totals[UX_CART_RECOVERED];

    sum->purchased += ux_report_count(totals[UX_CART_PURCHASED]);
    sum->unsettled_purchased += ux_report_part(unsettled[UX_RING_PURCHASED],
                                               totals[UX_CART_PURCHASED]);
    sum->unsettled_recovered += ux_report_part(unsettled[UX_RING_RECOVERED],
                                               totals[UX_CART_RECOVERED]);

    for (i = 0; i < UX_REPORT_ALIVE; i++) {
        sum->alive[i] += ux_report_count(totals[UX_CART_ALIVE + i]);
        sum->unsettled_alive[i] +=
            ux_report_part(unsettled[UX_RING_ALIVE + i],
                           totals[UX_CART_ALIVE + i]);
    }
}


/*
 * A cart opened under one window and bought or moved under another has +1 in
 * the ring of the first and -1 in that of the second: all are added.  The two
 * may settle at different moments; what is below 0, or above the total, until
 * the second has settled is cut off by the caller.
 */
static void
ux_report_read_rings(const ux_report_view_t *view, uint32_t cart,
    const uint64_t *totals, uint64_t *unsettled)
{
    uint32_t           i;
    const ux_entry_t  *entries;

    entries = view->tree.entries;

    memset(unsettled, 0, UX_RING_CELLS * sizeof(uint64_t));

    for (i = cart; i != UX_REPORT_END; i = view->tree.links[i].next) {

        if (ux_report_same_carts(&entries[i], &entries[cart])) {
            ux_report_read_ring(view, &entries[i], totals, unsettled);
        }
    }
}


static bool
ux_report_same_carts(const ux_entry_t *a, const ux_entry_t *b)
{
    return a->aux == b->aux && a->base == b->base;
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

    if (!ux_report_cells_check(view, entry->ring,
                               UX_BUCKETS * UX_RING_CELLS))
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

        for (i = 0; i < UX_RING_CELLS; i++) {

            if (wanted[i]) {
                value = ux_counter_ring_read(&view->store->counter,
                                      entry->ring + row * UX_RING_CELLS + i,
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
