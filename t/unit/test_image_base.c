
/*
 * Copyright (C) the nginx-ux authors
 *
 * A zone that took another one over while that counted on, and is given later
 * what is new there: every event once, every visitor once, whatever both did.
 */

#include "recount_case.h"

#include <signal.h>
#include <sys/wait.h>


#define SHOPPERS  1500u
#define LATER     (SHOP_START + 4200000)


static const shop_t  usual;


/* Visits by shoppers [from, to), over 50 minutes. */
static void
busy(zone_t *z, unsigned from, unsigned to, unsigned visits, uint64_t now_ms)
{
    unsigned  i;

    for (i = 0; i < visits; i++) {
        (void) shopper_visit(z, from + zone_random(z, to - from), 0,
                             now_ms + 3000000ull * i / visits);
    }
}


typedef struct {
    zone_t    *old;
    zone_t    *now;
    bytes_t    base;
    uint64_t   zone[UX_ZONE_CELLS];      /* of both: what is to come out */
} pair_t;


static void
zone_cells(const zone_t *z, uint64_t *cells, int sign)
{
    unsigned  i;

    for (i = 0; i < UX_ZONE_CELLS; i++) {
        cells[i] += (uint64_t) sign * ux_counter_read(&z->w.store.counter, i);
    }
}


static uint64_t
recovered(const zone_t *z)
{
    uint32_t           i;
    uint64_t           sum;
    const ux_entry_t  *entry;

    sum = 0;

    for (i = 0; i < ux_registry_count(z->w.store.registry); i++) {
        entry = &z->w.store.registry->entries[i];

        if (entry->kind == UX_ENTRY_ARM_CART) {
            sum += ux_counter_read(&z->w.store.counter,
                                   entry->base + UX_CART_RECOVERED);
        }
    }

    return sum;
}


/* Two memories, the second with all of the first as of its base. */
static pair_t
pair_new(const shop_t *first, const shop_t *second, size_t size)
{
    pair_t             p;
    ux_image_result_t  result;

    memset(&p, 0, sizeof(p));
    p.old = zone_new(8 * MIB, 1, 9);
    (void) zone_bind(p.old, first);
    busy(p.old, 0, SHOPPERS, 3000, SHOP_START);

    p.base = image_write(p.old, UX_IMAGE_VISITORS, LATER);
    p.now = zone_new(size, 2, 9);
    (void) image_merge(p.now, UX_IMAGE_RESTORE, &p.base, NULL, LATER,
                       &result);
    (void) ux_image_hold(&p.now->w.store, p.old->w.store.head->uuid);
    (void) zone_bind(p.now, second);
    zone_cells(p.old, p.zone, -1);

    return p;
}


static void
pair_free(pair_t *p)
{
    free(p->base.data);
    zone_free(p->old);
    zone_free(p->now);
}


static ux_status_t
pair_merge(zone_t *z, ux_image_mode_e mode, const bytes_t *visitors,
    const bytes_t *counters, const bytes_t *base, ux_image_result_t *result)
{
    return image_merge_since(z, mode, visitors, counters, base, NOW, result);
}


/* Of events, requests, money, discards: facts of either. */
static unsigned
zone_cells_differ(const zone_t *z, const uint64_t *cells)
{
    uint64_t  value;
    unsigned  i, differ;

    differ = 0;

    for (i = 0; i < UX_ZONE_CELLS; i++) {
        if ((i >= UX_ZONE_INSERTED && i < UX_ZONE_CONTENDED_DROP)
            || i == UX_ZONE_HTTP + UX_HTTP_ERROR_VISITORS
            || i == UX_ZONE_FULL_SAID)
        {
            continue;
        }

        value = ux_counter_read(&z->w.store.counter, i);

        if (value != cells[i] && differ++ < 3) {
            printf("# zone cell %u: %llu, not %llu\n", i,
                   (unsigned long long) value, (unsigned long long) cells[i]);
        }
    }

    return differ;
}


/* Visitors from `first` on go on in the old one, from `second` in the new. */
static void
test_both(const char *name, const shop_t *shop, unsigned first,
    unsigned second)
{
    pair_t             p;
    bytes_t            last;
    uint64_t           carts;
    ux_image_result_t  result;

    p = pair_new(shop, shop, 16 * MIB);
    carts = recovered(p.now);
    busy(p.old, first, first + SHOPPERS, 2000, LATER);
    busy(p.now, second, second + SHOPPERS, 2000, LATER);
    ok(recount_differs(p.old, 0, 2 * SHOPPERS, true, shop->cap) == 0
       && recount_differs(p.now, 0, 2 * SHOPPERS, true, shop->cap) == 0,
       "%s: the counters of each are what its records say", name);

    zone_cells(p.old, p.zone, 1);
    zone_cells(p.now, p.zone, 1);
    carts = recovered(p.old) + recovered(p.now) - carts;
    last = image_write(p.old, UX_IMAGE_VISITORS, NOW);
    ok(pair_merge(p.now, UX_IMAGE_ADOPT, &last, NULL, &p.base, &result)
       == UX_OK && result.names + result.cells + result.tracks
                   + result.dropped == 0 && result.united > 300,
       "%s: %llu records come in, %llu are known %s", name,
       (unsigned long long) result.visitors,
       (unsigned long long) result.united, error.message);
    ok(zone_cells_differ(p.now, p.zone) == 0,
       "%s: every event of both is counted, once", name);
    ok(recount_differs(p.now, 0, 2 * SHOPPERS, true, shop->cap) == 0,
       "%s: and every visitor", name);

    /* some more: purchases that had waited until both sides were one */

    ok(carts > 100 && recovered(p.now) <= carts + carts / 50,
       "%s: no cart is recovered twice, %llu of %llu", name,
       (unsigned long long) recovered(p.now), (unsigned long long) carts);
    ok(lives_add_up(p.now) && !ux_image_held(&p.now->w.store,
                                             p.old->w.store.head->uuid)
       && ux_image_adopted(&p.now->w.store, p.old->w.store.head->uuid),
       "%s: lives add up, and nothing more is to come", name);

    free(last.data);
    pair_free(&p);
}


/* Nothing happened in the new one: it becomes what the old one is. */
static void
test_old_alone(void)
{
    pair_t             p;
    bytes_t            last;
    unsigned           i, there, differ;
    ux_image_result_t  result;

    p = pair_new(&usual, &usual, 16 * MIB);
    busy(p.old, 0, SHOPPERS + 300, 2500, LATER);
    last = image_write(p.old, UX_IMAGE_VISITORS, NOW);

    ok(pair_merge(p.now, UX_IMAGE_ADOPT, &last, NULL, &p.base, &result)
       == UX_OK, "only the old one counted on %s", error.message);

    differ = 0;

    for (i = 0; i < UX_ARM_COUNTS; i++) {
        differ += arms_sum(p.old, i) != arms_sum(p.now, i);
    }

    ok(differ == 0
       && records_differ(p.old, p.now, 0, SHOPPERS + 300, NOW, &there) == 0
       && there > 1000 && lives_add_up(p.now),
       "the new one has every counter and %u records, as they are", there);

    free(last.data);
    pair_free(&p);
}


/* A tree that was killed: old visitors, newer counters. */
static void
test_counters_newer(void)
{
    pair_t             p;
    bytes_t            counters, last;
    unsigned           there;
    ux_image_result_t  result;

    p = pair_new(&usual, &usual, 16 * MIB);
    busy(p.old, 0, SHOPPERS, 1000, LATER);
    busy(p.now, 0, SHOPPERS, 1000, LATER);
    zone_cells(p.old, p.zone, 1);
    zone_cells(p.now, p.zone, 1);
    counters = image_write(p.old, UX_IMAGE_COUNTERS, NOW);

    ok(pair_merge(p.now, UX_IMAGE_ADOPT, &p.base, &counters, &p.base,
                  &result) == UX_OK && result.united + result.visitors == 0
       && zone_cells_differ(p.now, p.zone) == 0
       && recount_differs(p.now, 0, SHOPPERS, true, 0) == 0,
       "visitors no newer than the base: events of the counters, no visitor "
       "%s", error.message);
    free(counters.data);
    pair_free(&p);

    /* whole where the zone holds nothing of it */

    p = pair_new(&usual, &usual, 16 * MIB);
    zone_free(p.now);
    p.now = zone_new(16 * MIB, 3, 9);
    busy(p.old, 0, SHOPPERS, 1000, LATER);
    last = image_write(p.old, UX_IMAGE_VISITORS, NOW);
    ok(pair_merge(p.now, UX_IMAGE_RESTORE, &last, NULL, &p.base, &result)
       == UX_OK && arms_sum(p.now, UX_ARM_ASSIGNED)
                   == arms_sum(p.old, UX_ARM_ASSIGNED)
       && records_differ(p.old, p.now, 0, SHOPPERS, NOW, &there) == 0,
       "a base that the zone does not hold is not looked at");
    free(last.data);
    pair_free(&p);
}


static void
test_lists(void)
{
    pair_t             p;
    zone_t            *third;
    bytes_t            image, last;
    uint64_t           assigned;
    uint8_t            uuid[16];
    ux_image_info_t    info;
    ux_image_result_t  result;

    p = pair_new(&usual, &usual, 16 * MIB);
    memcpy(uuid, p.old->w.store.head->uuid, 16);
    image = image_write(p.now, UX_IMAGE_VISITORS, NOW);
    ok(ux_image_info(image.data, image.len, &info, &error) == UX_OK
       && info.nadopted == 1 && info.based == 1,
       "the image says that its zone holds a base");

    third = zone_new(16 * MIB, 3, 9);
    ok(image_merge(third, UX_IMAGE_RESTORE, &image, NULL, NOW, &result)
       == UX_OK && ux_image_held(&third->w.store, uuid)
       && !ux_image_adopted(&third->w.store, uuid), "and that is passed on");
    busy(p.old, 0, SHOPPERS, 1000, LATER);
    last = image_write(p.old, UX_IMAGE_VISITORS, NOW);

    ok(image_merge(third, UX_IMAGE_PREPARE, &last, NULL, NOW, &result)
       == UX_OK && ux_image_held(&third->w.store, uuid),
       "names alone change nothing");
    ok(pair_merge(third, UX_IMAGE_ADOPT, &last, NULL, &p.base, &result)
       == UX_OK && arms_sum(third, UX_ARM_ASSIGNED)
                   == arms_sum(p.old, UX_ARM_ASSIGNED),
       "who took it over takes what is new");
    ok(pair_merge(third, UX_IMAGE_ADOPT, &last, NULL, &p.base, &result)
       == UX_DECLINED, "once: %s", error.message);

    /* one that has got all of it says so to one that has not */

    free(image.data);
    image = image_write(third, UX_IMAGE_VISITORS, NOW);
    (void) image_merge(p.now, UX_IMAGE_ADOPT, &image, NULL, NOW, &result);
    ok(!ux_image_held(&p.now->w.store, uuid)
       && ux_image_adopted(&p.now->w.store, uuid),
       "and it is not to come to anybody who takes that over");
    free(image.data);
    zone_free(third);
    pair_free(&p);

    p = pair_new(&usual, &usual, 16 * MIB);
    assigned = arms_sum(p.now, UX_ARM_ASSIGNED);
    ok(pair_merge(p.now, UX_IMAGE_ADOPT, &last, NULL, NULL, &result)
       == UX_DECLINED && arms_sum(p.now, UX_ARM_ASSIGNED) == assigned
       && ux_image_adopted(&p.now->w.store, uuid),
       "without the base there is no telling: %s", error.message);
    ok(ux_image_hold(&p.now->w.store, uuid)
       && (ux_image_let_go(&p.now->w.store, uuid),
           !ux_image_held(&p.now->w.store, uuid)),
       "held and let go");
    free(last.data);
    pair_free(&p);
}


/* A purchase that waited in the base, and counted on both sides then. */
static void
test_waited(void)
{
    pair_t             p;
    bytes_t            last;
    uint64_t           confirmed;
    unsigned           n, side;
    ux_turn_t          turn;
    ux_event_t         event;
    ux_discard_e       why;
    ux_store_t        *store;
    zone_t            *z;
    ux_image_result_t  result;
    ux_table_effects_t effects;

    memset(&p, 0, sizeof(p));
    p.old = zone_new(8 * MIB, 1, 9);
    (void) zone_bind(p.old, &usual);
    p.now = zone_new(8 * MIB, 2, 9);

    /* made, and exposed, with a purchase; then confirmed */

    for (side = 0; side < 3; side++) {
        z = side < 2 ? p.old : p.now;
        store = &z->w.store;

        for (n = 0; n < 100; n++) {
            ux_changes_clear(&z->changes);
            (void) ux_table_open(&store->table, shopper_key(z, n),
                                 LATER / 1000, &z->visitor, &turn);

            if (side > 0) {
                ux_track_confirm(&store->plan, &z->visitor, &z->changes);

            } else {
                z->random = 7;
                shopper_expose(z, n, 0, LATER);
                memset(&event, 0, sizeof(event));
                event.now_ms = LATER;
                event.event = UX_EVENT_PURCHASE;
                event.currency = UX_CURRENCY_ZONE;
                event.has_value = true;
                event.value = 500;
                (void) ux_track_event(&store->plan, &z->visitor, &event,
                                      &z->changes, &why);
            }

            /* so that neither side is as the other or as the base */

            z->visitor.last_s += side;
            (void) ux_table_commit(&store->table, &turn, &z->visitor,
                                   LATER / 1000, &effects);
            ux_store_effects(store, &effects);
            ux_store_count(store, &z->visitor, &z->changes);
        }

        if (side == 0) {
            p.base = image_write(p.old, UX_IMAGE_VISITORS, LATER);
            (void) image_merge(p.now, UX_IMAGE_RESTORE, &p.base, NULL, LATER,
                               &result);
            (void) ux_image_hold(&p.now->w.store, p.old->w.store.head->uuid);
            (void) zone_bind(p.now, &usual);
        }
    }

    confirmed = arms_sum(p.old, UX_ARM_EVENT_COUNT + UX_EVENT_PURCHASE);
    last = image_write(p.old, UX_IMAGE_VISITORS, NOW);
    ok(pair_merge(p.now, UX_IMAGE_ADOPT, &last, NULL, &p.base, &result)
       == UX_OK && result.united == 100 && confirmed > 200
       && arms_sum(p.now, UX_ARM_EVENT_COUNT + UX_EVENT_PURCHASE) == confirmed
       && arms_sum(p.now, UX_ARM_TOTALS) == confirmed * 500
       && arms_sum(p.now, UX_ARM_ORDERED) == confirmed * 500
       && moves_sum(p.now) == confirmed
       && recount_differs(p.now, 0, 100, true, 0) == 0 && lives_add_up(p.now),
       "%llu purchases that waited, confirmed on both sides, count once",
       (unsigned long long) confirmed);

    free(last.data);
    pair_free(&p);
}


/* Killed anywhere, and done again by another process. */
static void
test_killed(void)
{
    int                 status;
    pid_t               pid;
    pair_t              p, whole;
    bytes_t             last;
    unsigned            n, early, differ;
    ux_image_result_t   result;

    whole = pair_new(&usual, &usual, 16 * MIB);
    busy(whole.old, 0, SHOPPERS + 200, 1500, LATER);
    busy(whole.now, 0, SHOPPERS + 200, 500, LATER);
    last = image_write(whole.old, UX_IMAGE_VISITORS, NOW);
    (void) pair_merge(whole.now, UX_IMAGE_ADOPT, &last, NULL, &whole.base,
                      &result);
    differ = 0;
    early = 0;

    for (n = 0; n < 20; n++) {
        p = pair_new(&usual, &usual, 16 * MIB);
        busy(p.now, 0, SHOPPERS + 200, 500, LATER);
        pid = fork();

        if (pid == 0) {
            p.now->w.store.me = UX_PROCESS_NONE;
            (void) ux_store_join(&p.now->w.store);
            (void) pair_merge(p.now, UX_IMAGE_ADOPT, &last, NULL, &whole.base,
                              &result);
            pause();
            _exit(0);
        }

        (void) usleep(400 * n);
        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, &status, 0);

        early += !ux_image_adopted(&p.now->w.store,
                                   p.old->w.store.head->uuid);
        (void) pair_merge(p.now, UX_IMAGE_ADOPT, &last, NULL, &whole.base,
                          &result);

        differ += cells_differ(p.now, whole.now);
        pair_free(&p);
    }

    ok(early > 2 && differ == 0, "%u merges cut short and done again: no "
       "count is off, %u are", early, differ);

    free(last.data);
    pair_free(&whole);
}


int
main(void)
{
    const shop_t  capped = { .cap = 4000 };

    test_both("everybody in both", &usual, 0, 0);
    test_both("half of them", &usual, SHOPPERS / 2, 0);
    test_both("newcomers in both", &usual, SHOPPERS / 2, SHOPPERS / 2);
    test_both("sums capped", &capped, 0, 0);
    test_old_alone();
    test_counters_newer();
    test_lists();
    test_waited();
    test_killed();

    return done();
}
