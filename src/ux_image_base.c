
/*
 * Copyright (C) the nginx-ux authors
 *
 * Two records of one visitor that went on from the same one: the zone took it
 * over from a base, and those who counted there before counted on.
 *
 *   held     as it was in the base
 *   theirs   what became of it there
 *   ours     what became of it here
 *
 * The counters hold held + (theirs - held) + (ours - held), which is what they
 * should but for what counts a visitor once.  So, as in ux_image_unite.c, out
 * of the counters go theirs and ours, and into them held and the united one,
 * and of that the sums are theirs + ours - held.
 *
 * Carts are no sums.  Where one side did nothing to the cart, the other's is
 * taken; a cart that both have bought was bought once, and the other purchase
 * had none.
 *
 * Events that waited in `held` for a visitor whom then both sides confirmed
 * have counted on both: `since` is held as it was confirmed, and what that
 * counts each time is taken out once.
 *
 * Records of the base are found by an index of offsets, open addressing, at
 * most half full.
 */

#include "ux_image_private.h"
#include "ux_apply.h"

#include <string.h>


#define UX_BASE_KEY_AT  2            /* in a packed record */


static uint64_t ux_base_key(const uint8_t *packed);
static void ux_base_since_counts(ux_image_merging_t *m);
static bool ux_base_is_count(const ux_image_merging_t *m, uint32_t cell);
static bool ux_base_within(uint32_t cell, uint32_t first, uint32_t n);
static void ux_base_cart(ux_cart_t *ours, ux_track_t *theirs,
    const ux_cart_t *held, unsigned cart);
static bool ux_base_same_cart(const ux_cart_t *a, const ux_cart_t *b);
static bool ux_base_ended(const ux_cart_t *cart, const ux_cart_t *held);
static void ux_base_bought_twice(ux_track_t *theirs, const ux_cart_t *held,
    unsigned cart, bool bought);
static void ux_base_pasts(ux_track_t *theirs, const ux_track_t *held);
static void ux_base_past_gone(ux_track_t *track, unsigned i);
static uint16_t ux_base_less(unsigned a, unsigned b);


size_t
ux_image_index_words(const uint8_t *data, size_t len)
{
    size_t           words;
    uint32_t         n;
    ux_error_t       error;
    ux_image_view_t  view;

    if (ux_image_open(data, len, &view, &error) != UX_OK) {
        return 0;
    }

    /* no record has fewer bytes than that, whatever the image says */

    n = view.sections[UX_IMAGE_RECORDS].n;

    if (n > len / 16) {
        return 0;
    }

    for (words = 16; words < 2 * (size_t) n; words *= 2) {
        /* void */
    }

    return words;
}


/* Of several of one visitor the first, as when the zone took them over. */
void
ux_image_base_index(ux_image_merging_t *m)
{
    size_t                     len, n;
    uint64_t                   i, words;
    const uint8_t             *at, *end;
    const ux_image_section_t  *section;

    section = &m->views[UX_IMAGE_OF_BASE].sections[UX_IMAGE_RECORDS];

    for (words = 16; words < 2 * (uint64_t) section->n; words *= 2) {
        /* void */
    }

    m->nindex = words;
    memset(m->index, 0, words * sizeof(uint64_t));

    at = section->data;
    end = at + section->len;

    for (n = 0; n < section->n && end - at >= 2; n++) {
        len = ux_image_get(at, 2) & ~(uint64_t) UX_IMAGE_AGAIN;

        if (ux_image_base_find(m, at + 2, &len) == NULL) {
            i = ux_base_key(at + 2) & (words - 1);

            while (m->index[i] != 0) {
                i = (i + 1) & (words - 1);
            }

            m->index[i] = (uint64_t) (at - section->data) + 1;
        }

        at += 2 + (ux_image_get(at, 2) & ~(uint64_t) UX_IMAGE_AGAIN);
    }
}


const uint8_t *
ux_image_base_find(const ux_image_merging_t *m, const uint8_t *packed,
    size_t *len)
{
    uint64_t        i, key;
    const uint8_t  *at;

    key = ux_base_key(packed);

    for (i = key & (m->nindex - 1); m->index[i] != 0;
         i = (i + 1) & (m->nindex - 1))
    {
        at = m->views[UX_IMAGE_OF_BASE].sections[UX_IMAGE_RECORDS].data
             + m->index[i] - 1;

        if (ux_base_key(at + 2) == key) {
            *len = ux_image_get(at, 2) & ~(uint64_t) UX_IMAGE_AGAIN;
            return at + 2;
        }
    }

    return NULL;
}


/* A keyed hash itself: nobody can choose where it falls. */
static uint64_t
ux_base_key(const uint8_t *packed)
{
    return ux_image_get(packed + UX_BASE_KEY_AT, 8);
}


void
ux_image_base_since(ux_image_merging_t *m)
{
    const ux_visitor_t  *held;

    held = &m->work->held;
    m->work->since = *held;

    ux_changes_clear(&m->work->changes);

    if (!held->confirmed && !held->alias && m->work->ours.confirmed
        && m->work->theirs.confirmed && m->store->plan.model != NULL)
    {
        ux_track_confirm(&m->store->plan, &m->work->since,
                         &m->work->changes);
        ux_base_since_counts(m);
    }
}


/* Of what confirming counted, what both sides have counted each time. */
static void
ux_base_since_counts(ux_image_merging_t *m)
{
    unsigned       i, n;
    ux_changes_t  *changes;

    changes = &m->work->changes;
    n = 0;

    for (i = 0; i < changes->n; i++) {
        if (ux_base_is_count(m, changes->items[i].cell)) {
            changes->items[n] = changes->items[i];
            changes->items[n].delta = -changes->items[n].delta;
            n++;
        }
    }

    changes->n = n;
    changes->nrings = 0;
    changes->nwindows = 0;
}


static bool
ux_base_is_count(const ux_image_merging_t *m, uint32_t cell)
{
    uint32_t           moves;
    unsigned           i;
    const ux_track_t  *track;
    const ux_arm_t    *arm;

    moves = ux_journey_cells(m->store->plan.model->nstages)
            - UX_JOURNEY_MOVES;

    for (i = 1; i < m->work->since.ntracks; i++) {
        track = &m->work->since.tracks[i];
        arm = ux_apply_arm(&m->store->plan, track->arm);

        if (arm != NULL
            && (ux_base_within(cell, arm->base + UX_ARM_EVENT_COUNT,
                               UX_EVENTS_MAX)
                || ux_base_within(cell, arm->base + UX_ARM_ORDERS,
                                  UX_ARM_HTTP - UX_ARM_ORDERS)
                || (arm->journey != 0
                    && ux_base_within(cell, arm->journey + UX_JOURNEY_MOVES,
                                      moves))))
        {
            return true;
        }
    }

    return false;
}


static bool
ux_base_within(uint32_t cell, uint32_t first, uint32_t n)
{
    return cell >= first && cell - first < n;
}


const ux_track_t *
ux_image_base_of(const ux_image_merging_t *m, const ux_visitor_t *visitor,
    uint16_t arm)
{
    unsigned  i;

    for (i = 1; m->held && i < visitor->ntracks; i++) {
        if (visitor->tracks[i].arm == arm) {
            return &visitor->tracks[i];
        }
    }

    return NULL;
}


/* They wait in the order they came, the base's first. */
unsigned
ux_image_base_pending(const ux_image_merging_t *m,
    const ux_visitor_t *visitor, ux_event_t *events)
{
    unsigned  n;

    n = m->held ? m->work->held.npending : 0;
    n = n < visitor->npending ? n : visitor->npending;

    memcpy(events, visitor->pending + n,
           (visitor->npending - n) * sizeof(ux_event_t));

    return visitor->npending - n;
}


bool
ux_image_base_id(const ux_image_merging_t *m, uint32_t id)
{
    unsigned  i;

    for (i = 0; m->held && i < m->work->held.nids; i++) {
        if (m->work->held.ids[i] == id) {
            return true;
        }
    }

    return false;
}


void
ux_image_base_track(ux_track_t *ours, ux_track_t *theirs,
    const ux_track_t *held)
{
    int64_t   sum;
    unsigned  i;

    for (i = 0; i < UX_TOTALS_MAX; i++) {

        /* below 0 after a refund, as long as both together are not */

        sum = theirs->totals[i] - held->totals[i];
        theirs->totals[i] = ours->totals[i] + sum < 0 ? -ours->totals[i]
                                                      : sum;
        theirs->counts[i] = ux_base_less(theirs->counts[i], held->counts[i]);
    }

    ux_base_pasts(theirs, held);

    for (i = 0; i < UX_CARTS_MAX; i++) {
        ux_base_cart(&ours->carts[i], theirs, &held->carts[i], i);
    }
}


static void
ux_base_cart(ux_cart_t *ours, ux_track_t *theirs, const ux_cart_t *held,
    unsigned cart)
{
    bool        here, there;
    ux_cart_t  *other;

    static const ux_cart_t  none;

    other = &theirs->carts[cart];
    other->purchased = ux_base_less(other->purchased, held->purchased);
    other->lacking = ux_base_less(other->lacking, held->lacking);

    here = ux_base_ended(ours, held);
    there = ux_base_ended(other, held);

    if (here && there) {
        ux_base_bought_twice(theirs, held, cart,
                             ours->purchased > held->purchased);

    } else if (here || ux_base_same_cart(other, held)) {
        other->state = none.state;
        other->created_ms = none.created_ms;
        other->furthest = none.furthest;

    } else if (there || ux_base_same_cart(ours, held)) {
        ours->state = none.state;
        ours->created_ms = none.created_ms;
        ours->furthest = none.furthest;
    }
}


static bool
ux_base_same_cart(const ux_cart_t *a, const ux_cart_t *b)
{
    return a->state == b->state && a->created_ms == b->created_ms
           && a->furthest == b->furthest;
}


/* The cart that was open then is no more. */
static bool
ux_base_ended(const ux_cart_t *cart, const ux_cart_t *held)
{
    return held->state == UX_CART_OPEN
           && (cart->state != UX_CART_OPEN
               || cart->created_ms != held->created_ms);
}


/* Theirs, of the cart that ours has bought, too. */
static void
ux_base_bought_twice(ux_track_t *theirs, const ux_cart_t *held, unsigned cart,
    bool bought)
{
    unsigned    i;
    ux_cart_t  *other;

    other = &theirs->carts[cart];

    for (i = 0; i < theirs->npasts; i++) {
        if (theirs->pasts[i].cart == cart
            && theirs->pasts[i].created_ms == held->created_ms)
        {
            bought = bought || theirs->pasts[i].recovered;
            ux_base_past_gone(theirs, i);
            break;
        }
    }

    if (bought && other->purchased > 0) {
        other->purchased--;
    }

    /* what a visitor did before any exposure no counter shows */

    if (theirs->arm != UX_ARM_NONE && other->lacking < UINT16_MAX) {
        other->lacking++;
    }
}


/* One that was fresh may have been settled since: see ux_cart.c. */
static void
ux_base_pasts(ux_track_t *theirs, const ux_track_t *held)
{
    unsigned          i, k;
    ux_past_t        *past;
    const ux_past_t  *was;

    for (i = 0; i < held->npasts; i++) {
        was = &held->pasts[i];

        for (k = 0; k < theirs->npasts; k++) {
            past = &theirs->pasts[k];

            if (past->cart == was->cart && past->recovered == was->recovered
                && past->furthest == was->furthest
                && past->created_ms == was->created_ms)
            {
                break;
            }
        }

        for (past = theirs->pasts; k == theirs->npasts && was->recovered
             && past < theirs->pasts + theirs->npasts; past++)
        {
            if (past->recovered && past->created_ms == 0
                && past->cart == was->cart && past->furthest == was->furthest)
            {
                k = (unsigned) (past - theirs->pasts);
            }
        }

        if (k == theirs->npasts) {
            continue;
        }

        past = &theirs->pasts[k];
        past->n = ux_base_less(past->n, was->n);

        if (past->n == 0) {
            ux_base_past_gone(theirs, k);
        }
    }
}


static void
ux_base_past_gone(ux_track_t *track, unsigned i)
{
    track->npasts--;
    track->pasts[i] = track->pasts[track->npasts];
}


static uint16_t
ux_base_less(unsigned a, unsigned b)
{
    return (uint16_t) (a > b ? a - b : 0);
}
