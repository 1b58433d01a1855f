
/*
 * Copyright (C) the nginx-ux authors
 *
 * What the counters of a zone should be, counted anew from its records.
 */

#ifndef RECOUNT_CASE_H
#define RECOUNT_CASE_H


#include "image_case.h"


#define ARMS_MAX  64
#define NOW       (SHOP_START + 7200000)


typedef struct {
    uint64_t  count[UX_ARM_COUNTS];
    uint64_t  window;
    uint64_t  unconfirmed[200];          /* by minute from the start */
    uint64_t  carts[UX_CARTS_MAX][UX_CART_CELLS];
    uint64_t  stages[UX_STAGES_MAX];
} recount_t;


static recount_t     recounts[ARMS_MAX];


__attribute__((unused))
static void
recount_carts(recount_t *arm, const ux_track_t *track)
{
    unsigned          i;
    const ux_cart_t  *cart;
    const ux_past_t  *past;

    for (i = 0; i < UX_CARTS_MAX; i++) {
        cart = &track->carts[i];
        arm->carts[i][UX_CART_PURCHASED] += cart->purchased;
        arm->carts[i][UX_CART_WITHOUT_CART] += cart->lacking;
        arm->carts[i][UX_CART_CARRIED_IN] += cart->carried_in;

        if (cart->state == UX_CART_OPEN) {
            arm->carts[i][UX_CART_ALIVE + cart->furthest]++;
        }
    }

    for (i = 0; i < track->npasts; i++) {
        past = &track->pasts[i];

        if (past->recovered) {
            arm->carts[past->cart][UX_CART_RECOVERED] += past->n;
            arm->carts[past->cart][UX_CART_ALIVE + past->furthest] += past->n;
        }
    }
}


__attribute__((unused))
static int64_t
recount_capped(const zone_t *z, unsigned slot, int64_t sum, int64_t cap)
{
    unsigned  i;

    for (i = 0; i < z->w.model.ntotals; i++) {
        if (z->w.model.totals[i].slot == slot && cap > 0
            && z->w.model.totals[i].type == UX_METRIC_MEAN && sum > cap)
        {
            return cap;
        }
    }

    return sum;
}


__attribute__((unused))
static void
recount_track(const zone_t *z, const ux_track_t *track, bool confirmed,
    int64_t cap)
{
    int64_t     sum;
    uint64_t    count;
    ux_u128_t   square, product;
    unsigned    i;
    uint64_t   *cell;
    recount_t  *arm;

    arm = &recounts[track->arm];

    if (track->waiting) {
        return;
    }

    arm->count[UX_ARM_ASSIGNED]++;
    arm->count[UX_ARM_HTTP + UX_HTTP_ERROR_VISITORS] += track->error_seen;

    if (!confirmed) {
        arm->unconfirmed[track->exposed_ms / 60000 - SHOP_START / 60000]++;
        return;
    }

    if (track->crossed) {
        arm->count[UX_ARM_LEFT]++;
        return;
    }

    arm->count[UX_ARM_VISITORS]++;
    arm->count[UX_ARM_MOVED] += track->moved;
    arm->window++;

    for (i = 0; i < z->w.model.nstages; i++) {
        arm->stages[i] += (track->events & ux_journey_slots(&z->w.model, i))
                          != 0;
    }

    for (i = 0; i < 64; i++) {
        arm->count[UX_ARM_EVENT_VISITORS + i] += track->events >> i & 1;
        arm->count[UX_ARM_STEP_BEFORE + i] += track->before >> i & 1;
        arm->count[UX_ARM_STEP_IN_ORDER + i] += track->steps >> i & 1;
    }

    for (i = 0; i < UX_TOTALS_MAX; i++) {
        sum = recount_capped(z, i, track->totals[i], cap);
        count = track->counts[i];
        square = (ux_u128_t) sum * (ux_u128_t) sum;
        product = (ux_u128_t) sum * count;
        cell = &arm->count[UX_ARM_TOTALS + i * UX_TOTAL_CELLS];

        /* whole values, not limbs */

        cell[UX_TOTAL_SUM] += (uint64_t) sum;
        cell[UX_TOTAL_SQ_LO] += (uint64_t) square;
        cell[UX_TOTAL_COUNT] += count;
        cell[UX_TOTAL_COUNT_SQ] += count * count;
        cell[UX_TOTAL_PRODUCT_LO] += (uint64_t) product;
    }

    recount_carts(arm, track);
}


/* The value of three limbs, modulo 2^64. */
__attribute__((unused))
static uint64_t
limbs(const uint64_t *cells)
{
    return cells[0] + (cells[1] << 32);
}


/* In the minutes that the ring still has. */
__attribute__((unused))
static unsigned
recount_unconfirmed_differs(const zone_t *z, const ux_entry_t *entry)
{
    uint64_t  cell;
    unsigned  i, minute, differ;

    differ = 0;

    for (i = 0; i < UX_BUCKETS; i++) {
        cell = z->w.store.counter.shared[entry->base + UX_ARM_UNCONFIRMED
                                         + i];
        minute = (unsigned) ((cell >> 32) - SHOP_START / 60000);

        if (cell != 0 && minute > 120 - UX_BUCKETS
            && (cell & 0xffffffff)
               != recounts[entry->ordinal].unconfirmed[minute]
            && differ++ < 3)
        {
            printf("# arm %u minute %u: %llu unconfirmed, recounted %llu\n",
                   entry->ordinal, minute,
                   (unsigned long long) (cell & 0xffffffff),
                   (unsigned long long)
                   recounts[entry->ordinal].unconfirmed[minute]);
        }
    }

    return differ;
}


__attribute__((unused))
static unsigned
recount_arm_differs(const zone_t *z, const ux_entry_t *entry, bool assigned)
{
    uint64_t          cells[UX_ARM_COUNTS], window;
    unsigned          i, differ;
    const recount_t  *arm;

    arm = &recounts[entry->ordinal];
    ux_counter_fold(&z->w.store.counter, entry->base, UX_ARM_COUNTS, cells);

    for (i = 0; i < UX_TOTALS_MAX; i++) {
        uint64_t  *c = &cells[UX_ARM_TOTALS + i * UX_TOTAL_CELLS];

        c[UX_TOTAL_SQ_LO] = limbs(c + UX_TOTAL_SQ_LO);
        c[UX_TOTAL_PRODUCT_LO] = limbs(c + UX_TOTAL_PRODUCT_LO);
        c[UX_TOTAL_SQ_MID] = c[UX_TOTAL_SQ_HI] = 0;
        c[UX_TOTAL_PRODUCT_MID] = c[UX_TOTAL_PRODUCT_HI] = 0;
    }

    differ = 0;

    for (i = 0; i < UX_ARM_COUNTS; i++) {
        /* a crossover stays here in two arms, its record has one of them */

        if ((i == UX_ARM_ASSIGNED || i == UX_ARM_LEFT
             || i == UX_ARM_HTTP + UX_HTTP_ERROR_VISITORS) && !assigned)
        {
            continue;
        }

        if (i == UX_ARM_CROSSOVER
            || (i >= UX_ARM_PAGES
                && i < UX_ARM_EVENT_VISITORS
                && i != UX_ARM_HTTP + UX_HTTP_ERROR_VISITORS)
            || (i >= UX_ARM_EVENT_COUNT && i < UX_ARM_STEP_BEFORE))
        {
            continue;
        }

        if (cells[i] != arm->count[i] && differ++ < 3) {
            printf("# arm %u cell %u: %llu, recounted %llu\n",
                   entry->ordinal, i, (unsigned long long) cells[i],
                   (unsigned long long) arm->count[i]);
        }
    }

    differ += assigned ? recount_unconfirmed_differs(z, entry) : 0;
    window = 0;

    for (i = 0; i < UX_BUCKETS; i++) {
        window += ux_counter_read(&z->w.store.counter,
                                  entry->base + UX_ARM_WINDOW + i)
                  & 0xffffffff;
    }

    if (z->w.model.nexperiments != 0 && window != arm->window) {
        printf("# arm %u window %llu, recounted %llu\n", entry->ordinal,
               (unsigned long long) window,
               (unsigned long long) arm->window);
        differ++;
    }

    return differ;
}


__attribute__((unused))
static unsigned
recount_cart_differs(const zone_t *z, const ux_entry_t *entry)
{
    uint64_t  cells[UX_CART_CELLS];
    unsigned  i, differ;

    differ = 0;
    ux_counter_fold(&z->w.store.counter, entry->base, UX_CART_CELLS, cells);

    for (i = 0; i < UX_CART_CELLS; i++) {
        if (cells[i] != recounts[entry->parent].carts[entry->aux][i]
            && differ++ < 3)
        {
            printf("# arm %u cart %u cell %u: %llu, recounted %llu\n",
                   entry->parent, entry->aux, i,
                   (unsigned long long) cells[i],
                   (unsigned long long)
                   recounts[entry->parent].carts[entry->aux][i]);
        }
    }

    return differ;
}


/* Of all arms of a variant together, as far as they are configured. */
__attribute__((unused))
static unsigned
recount_stages_differ(const zone_t *z, const ux_entry_t *entry)
{
    uint64_t           n, cell;
    uint16_t           a;
    unsigned           i, differ;
    const ux_entry_t  *arm;

    differ = 0;

    for (i = 0; i < z->w.model.nstages; i++) {
        cell = ux_counter_read(&z->w.store.counter, entry->ring + i);
        n = 0;

        for (a = 0; a < ARMS_MAX; a++) {
            arm = ux_registry_get(z->w.store.registry, UX_ENTRY_ARM, a);
            n += arm != NULL && arm->aux == entry->parent
                 ? recounts[a].stages[i] : 0;
        }

        if (cell != n && differ++ < 3) {
            printf("# variant %u stage %u: %llu, recounted %llu\n",
                   entry->parent, i, (unsigned long long) cell,
                   (unsigned long long) n);
        }
    }

    return differ;
}


/* Counters that are not what the records of [from, to) say. */
__attribute__((unused))
static unsigned
recount_differs(zone_t *z, unsigned from, unsigned to, bool assigned,
    int64_t cap)
{
    unsigned           i, k, differ;
    const ux_entry_t  *entry;

    memset(recounts, 0, sizeof(recounts));
    differ = 0;

    for (i = from; i < to; i++) {
        if (ux_table_read(&z->w.store.table, shopper_key(z, i),
                          (uint32_t) (NOW / 1000), &z->visitor)
            != UX_OK)
        {
            continue;
        }

        for (k = 1; k < z->visitor.ntracks; k++) {
            recount_track(z, &z->visitor.tracks[k], z->visitor.confirmed,
                          cap);
        }
    }

    for (i = 0; i < ux_registry_count(z->w.store.registry); i++) {
        entry = &z->w.store.registry->entries[i];

        if (entry->kind == UX_ENTRY_ARM) {
            differ += recount_arm_differs(z, entry, assigned);

        } else if (entry->kind == UX_ENTRY_ARM_CART) {
            differ += recount_cart_differs(z, entry);

        } else if (entry->kind == UX_ENTRY_TIMINGS
                   && entry->aux == UX_TIMINGS_JOURNEY
                   && entry->value == ux_journey_hash(&z->w.model))
        {
            differ += recount_stages_differ(z, entry);
        }
    }

    return differ;
}


/* Of all journeys of the zone. */
__attribute__((unused))
static uint64_t
moves_sum(const zone_t *z)
{
    uint32_t           i, k;
    uint64_t           n;
    const ux_entry_t  *entry;

    n = 0;

    for (i = 0; i < ux_registry_count(z->w.store.registry); i++) {
        entry = &z->w.store.registry->entries[i];

        for (k = UX_JOURNEY_MOVES;
             entry->kind == UX_ENTRY_TIMINGS
             && entry->aux == UX_TIMINGS_JOURNEY
             && k < ux_journey_cells(entry->control); k++)
        {
            n += ux_counter_read(&z->w.store.counter, entry->ring + k);
        }
    }

    return n;
}


#endif
