
/*
 * Copyright (C) the nginx-ux authors
 *
 * Images of one zone into another that has counted too: afterwards every
 * visitor is in the counters once.  What they should be is counted anew from
 * the records.
 */

#include "recount_case.h"

#include <signal.h>
#include <sys/wait.h>


#define SHOPPERS  1500u


static const shop_t  usual;


static zone_t *
zone_shop(uint8_t uuid, const shop_t *shop, unsigned from, unsigned to,
    unsigned visits)
{
    zone_t  *z;

    z = zone_new(8 * MIB, uuid, 9);
    (void) zone_bind(z, shop);
    zone_busy(z, from, to, visits, SHOP_START);

    return z;
}


/* What both tracks know, the united one must. */
static bool
united_track(const ux_track_t *u, const ux_track_t *a, const ux_track_t *b)
{
    unsigned  i;

    if (a->waiting || b->waiting || a->crossed || b->crossed) {
        return (u->crossed || !(a->crossed || b->crossed))
               && u->waiting == (a->waiting && b->waiting);
    }

    for (i = 0; i < UX_TOTALS_MAX; i++) {
        if (u->totals[i] < a->totals[i] + b->totals[i]) {
            return false;
        }
    }

    for (i = 0; i < UX_CARTS_MAX; i++) {
        if (u->carts[i].purchased < a->carts[i].purchased
                                    + b->carts[i].purchased
            || u->carts[i].lacking < a->carts[i].lacking
                                     + b->carts[i].lacking
            || (u->carts[i].state != UX_CART_OPEN
                && (a->carts[i].state == UX_CART_OPEN
                    && b->carts[i].state == UX_CART_OPEN)))
        {
            return false;
        }
    }

    return u->exposed_ms == (a->exposed_ms < b->exposed_ms ? a->exposed_ms
                                                           : b->exposed_ms)
           && ((a->events | b->events) & ~u->events) == 0
           && ((a->steps | b->steps) & ~u->steps) == 0
           && u->npasts >= (a->npasts + b->npasts < UX_PASTS_MAX
                            ? a->npasts + b->npasts : UX_PASTS_MAX)
           && (u->moved || !(a->moved || b->moved))
           && (u->error_seen || !(a->error_seen || b->error_seen));
}


/* Records of shoppers of both that lack something either had. */
static unsigned
united_lack(zone_t *a, zone_t *was, zone_t *now, unsigned n, unsigned *both)
{
    uint32_t      now_s;
    unsigned      i, k, l, j, lack;
    ux_visitor_t  *x, *y, *u;

    now_s = (uint32_t) (NOW / 1000);
    lack = 0;
    *both = 0;
    x = &a->visitor;
    y = &was->visitor;
    u = &now->visitor;

    for (i = 0; i < n; i++) {
        if (ux_table_read(&a->w.store.table, shopper_key(a, i), now_s, x)
            != UX_OK
            || ux_table_read(&was->w.store.table, shopper_key(was, i), now_s,
                             y)
               != UX_OK)
        {
            continue;
        }

        (*both)++;

        /* what waited for the other to be confirmed may change anything */

        if (x->npending != 0 || y->npending != 0) {
            continue;
        }

        if (ux_table_read(&now->w.store.table, shopper_key(now, i), now_s, u)
            != UX_OK
            || u->confirmed != (x->confirmed || y->confirmed)
            || u->first_s > x->first_s || u->first_s > y->first_s
            || u->last_s < x->last_s || u->last_s < y->last_s
            || !united_track(&u->tracks[0], &x->tracks[0], &y->tracks[0]))
        {
            lack++;
            continue;
        }

        for (k = 1; k < x->ntracks; k++) {
            for (l = 1; l < y->ntracks; l++) {
                for (j = 1; j < u->ntracks; j++) {
                    lack += x->tracks[k].arm == y->tracks[l].arm
                            && x->tracks[k].arm == u->tracks[j].arm
                            && !united_track(&u->tracks[j], &x->tracks[k],
                                             &y->tracks[l]);
                }
            }
        }
    }

    return lack;
}


/*
 * A's visitors from 0 on, B's from `second` on; room: of a list of changes in
 * B, 0 for what the zone has.
 */
static void
test_adopt(const char *name, unsigned second, const shop_t *shop,
    uint32_t room)
{
    zone_t             *a, *b, *was;
    bytes_t             image;
    uint64_t            counts, assigned;
    unsigned            both, lack;
    ux_image_result_t   result;

    a = zone_shop(1, shop, 0, SHOPPERS, 3000);
    b = zone_shop(2, shop, second, second + SHOPPERS, 3000);
    was = zone_shop(2, shop, second, second + SHOPPERS, 3000);
    b->w.store.redo.max = room != 0 ? room : b->w.store.redo.max;

    ok(recount_differs(a, 0, SHOPPERS, true, shop->cap) == 0
       && recount_differs(b, second, second + SHOPPERS, true, shop->cap) == 0,
       "%s: the counters of each zone are what its records say", name);

    counts = arms_sum(a, UX_ARM_EVENT_COUNT + UX_EVENT_PURCHASE)
             + arms_sum(b, UX_ARM_EVENT_COUNT + UX_EVENT_PURCHASE);
    assigned = arms_sum(a, UX_ARM_ASSIGNED) + arms_sum(b, UX_ARM_ASSIGNED);

    image = image_write(a, UX_IMAGE_VISITORS, NOW);
    ok(image_merge(b, UX_IMAGE_ADOPT, &image, NULL, NOW, &result) == UX_OK
       && result.names + result.cells + result.dropped + result.tracks == 0
       && (result.united > 400) == (second < SHOPPERS),
       "%s: %llu visitors come in, %llu are known %s", name,
       (unsigned long long) result.visitors,
       (unsigned long long) result.united, error.message);
    ok(recount_differs(b, 0, second + SHOPPERS, true, shop->cap) == 0,
       "%s: and so are those of both together", name);
    ok(lives_add_up(b)
       && counts <= arms_sum(b, UX_ARM_EVENT_COUNT + UX_EVENT_PURCHASE)
       && (second < SHOPPERS
           || counts == arms_sum(b, UX_ARM_EVENT_COUNT + UX_EVENT_PURCHASE))
       && (arms_sum(b, UX_ARM_ASSIGNED) < assigned) == (second < SHOPPERS),
       "%s: events add up, and those that waited for a visitor the other "
       "zone had confirmed", name);

    lack = united_lack(a, was, b, second + SHOPPERS, &both);
    ok(lack == 0 && both == result.united,
       "%s: %u of %u united records lack something", name, lack, both);

    free(image.data);
    zone_free(a);
    zone_free(b);
    zone_free(was);
}


/* A merge was cut short, and its files are others when it is done again. */
static void
test_cut_short(void)
{
    zone_t             *a, *b, *other;
    bytes_t             image, second;
    uint64_t            assigned;
    unsigned            i;
    ux_adopted_t       *adopted;
    ux_image_result_t   result;

    a = zone_shop(1, &usual, 0, SHOPPERS, 3000);
    other = zone_shop(1, &usual, 0, SHOPPERS / 2, 3000);
    b = zone_shop(2, &usual, SHOPPERS, 2 * SHOPPERS, 1000);
    image = image_write(a, UX_IMAGE_VISITORS, NOW);
    second = image_write(other, UX_IMAGE_VISITORS, NOW);

    (void) image_merge(b, UX_IMAGE_ADOPT, &image, NULL, NOW, &result);
    assigned = arms_sum(b, UX_ARM_ASSIGNED);
    adopted = b->w.store.head->adopted;

    for (i = 0; i < UX_ADOPTED_MAX; i++) {
        if (memcmp(adopted[i].uuid, a->w.store.head->uuid, 16) == 0) {
            adopted[i].next = 1;
        }
    }

    ok(image_merge(b, UX_IMAGE_ADOPT, &second, NULL, NOW, &result)
       == UX_DECLINED && arms_sum(b, UX_ARM_ASSIGNED) == assigned
       && ux_image_adopted(&b->w.store, a->w.store.head->uuid),
       "nothing of other files is added: %s", error.message);

    free(image.data);
    free(second.data);
    zone_free(a);
    zone_free(b);
    zone_free(other);
}


/* Two that are no more, into a zone that is not bound yet. */
static void
test_restore_both(void)
{
    zone_t             *a, *b, *c;
    bytes_t             first, second;
    ux_image_info_t     info;
    ux_image_result_t   result;

    a = zone_shop(1, &usual, 0, SHOPPERS, 3000);
    b = zone_shop(2, &usual, 700, 700 + SHOPPERS, 3000);
    first = image_write(a, UX_IMAGE_VISITORS, NOW);
    second = image_write(b, UX_IMAGE_VISITORS, NOW);

    c = zone_new(8 * MIB, 3, 9);
    ok(image_merge(c, UX_IMAGE_RESTORE, &first, NULL, NOW, &result) == UX_OK
       && image_merge(c, UX_IMAGE_RESTORE, &second, NULL, NOW, &result)
          == UX_OK
       && result.united > 400, "two images, %llu visitors of both",
       (unsigned long long) result.united);
    ok(recount_differs(c, 0, 700 + SHOPPERS, true, 0) == 0 && lives_add_up(c),
       "are counted once each");
    ok(ux_image_adopted(&c->w.store, a->w.store.head->uuid)
       && ux_image_adopted(&c->w.store, b->w.store.head->uuid),
       "and both are known");
    zone_free(c);
    free(second.data);

    /* who has adopted somebody passes that on */

    (void) image_merge(b, UX_IMAGE_ADOPT, &first, NULL, NOW, &result);
    second = image_write(b, UX_IMAGE_VISITORS, NOW);
    ok(ux_image_info(second.data, second.len, &info, &error) == UX_OK
       && info.nadopted == 1 && info.adopted[0][0] == 1,
       "the image says whom its zone had adopted");

    c = zone_new(8 * MIB, 3, 9);
    ok(image_merge(c, UX_IMAGE_RESTORE, &second, NULL, NOW, &result) == UX_OK
       && image_merge(c, UX_IMAGE_RESTORE, &first, NULL, NOW, &result)
          == UX_DECLINED,
       "so it is not merged again: %s", error.message);

    free(first.data);
    free(second.data);
    zone_free(a);
    zone_free(b);
    zone_free(c);
}


static unsigned
epochs(const zone_t *z)
{
    uint32_t  i;
    unsigned  n;

    n = 0;

    for (i = 0; i < ux_registry_count(z->w.store.registry); i++) {
        n += z->w.store.registry->entries[i].kind == UX_ENTRY_EPOCH;
    }

    return n;
}


/* A new program with another configuration beside the old one. */
static void
test_epochs(bool prepare)
{
    zone_t             *a, *b;
    bytes_t             image;
    uint64_t            visitors;
    ux_image_result_t   result;

    const shop_t  other = { .weight = 3, .window_ms = 86400000 };

    a = zone_shop(1, &usual, 0, SHOPPERS, 3000);
    image = image_write(a, UX_IMAGE_VISITORS, NOW);
    b = zone_new(8 * MIB, 2, 9);

    if (prepare) {
        ok(image_merge(b, UX_IMAGE_PREPARE, &image, NULL, NOW, &result)
           == UX_OK
           && ux_registry_count(b->w.store.registry)
              == ux_registry_count(a->w.store.registry)
           && arms_sum(b, UX_ARM_ASSIGNED) == 0
           && !ux_image_adopted(&b->w.store, a->w.store.head->uuid),
           "prepared: names and no counts");
    }

    (void) zone_bind(b, &other);
    zone_busy(b, SHOPPERS, 2 * SHOPPERS, 3000, SHOP_START);

    visitors = arms_sum(a, UX_ARM_VISITORS) + arms_sum(b, UX_ARM_VISITORS);

    ok(image_merge(b, UX_IMAGE_ADOPT, &image, NULL, NOW, &result) == UX_OK,
       "an earlier epoch is adopted %s", error.message);

    if (prepare) {
        ok(result.names + result.cells + result.tracks == 0
           && arms_sum(b, UX_ARM_VISITORS) == visitors
           && epochs(b) == 2 * SHOP_EXPERIMENTS && lives_add_up(b),
           "prepared: it is there, before the one of today");
        ok(zone_bind(b, &other) == UX_OK
           && epochs(b) == 2 * SHOP_EXPERIMENTS,
           "and stays there");

    } else {
        ok(result.names > 0 && result.cells > 0 && result.tracks > 0
           && result.visitors > 500 && epochs(b) == SHOP_EXPERIMENTS
           && lives_add_up(b),
           "not prepared: it would move the start of the result, and is "
           "left out: %llu names", (unsigned long long) result.names);
    }

    free(image.data);
    zone_free(a);
    zone_free(b);
}


/* The same visitors in another epoch, weights changed. */
static void
test_across_epochs(void)
{
    zone_t             *a, *b;
    bytes_t             image;
    unsigned            crossed, same, i, k;
    ux_image_result_t   result;

    const shop_t  other = { .weight = 3 };

    a = zone_shop(1, &usual, 0, SHOPPERS, 3000);
    image = image_write(a, UX_IMAGE_VISITORS, NOW);
    b = zone_new(8 * MIB, 2, 9);
    (void) image_merge(b, UX_IMAGE_PREPARE, &image, NULL, NOW, &result);
    (void) zone_bind(b, &other);
    zone_busy(b, 0, SHOPPERS, 3000, SHOP_START);

    ok(image_merge(b, UX_IMAGE_ADOPT, &image, NULL, NOW, &result) == UX_OK
       && result.united > 900 && result.tracks == 0,
       "visitors of two epochs %s", error.message);

    crossed = 0;
    same = 0;

    for (i = 0; i < SHOPPERS; i++) {
        if (ux_table_read(&b->w.store.table, shopper_key(b, i),
                          (uint32_t) (NOW / 1000), &b->visitor) == UX_OK)
        {
            for (k = 1; k < b->visitor.ntracks; k++) {
                crossed += b->visitor.tracks[k].crossed;
                same += !b->visitor.tracks[k].crossed;
            }
        }
    }

    ok(crossed > 200 && same > 1000, "%u tracks in another variant, %u not",
       crossed, same);
    ok(recount_differs(b, 0, SHOPPERS, false, 0) == 0 && lives_add_up(b),
       "the first epoch has them, and a crossover is in none");
    ok(arms_sum(b, UX_ARM_ASSIGNED) >= arms_sum(b, UX_ARM_VISITORS)
                                       + arms_sum(b, UX_ARM_LEFT)
       && arms_sum(b, UX_ARM_LEFT) > crossed
       && arms_sum(b, UX_ARM_CROSSOVER) <= crossed
       && arms_sum(b, UX_ARM_CROSSOVER) + 60 > crossed,
       "who crossed over left both arms and is one crossover: %llu",
       (unsigned long long) arms_sum(b, UX_ARM_CROSSOVER));

    free(image.data);
    zone_free(a);
    zone_free(b);
}


/* Each zone has an experiment that the other has not. */
static void
test_other_experiments(void)
{
    zone_t             *a, *b;
    bytes_t             image;
    unsigned            i, tracks;
    ux_image_result_t   result;

    const shop_t  first = { .drop = 1 }, second = { .from = 1 };

    a = zone_shop(1, &first, 0, SHOPPERS, 3000);
    b = zone_shop(2, &second, 0, SHOPPERS, 3000);
    image = image_write(a, UX_IMAGE_VISITORS, NOW);

    ok(image_merge(b, UX_IMAGE_ADOPT, &image, NULL, NOW, &result) == UX_OK
       && result.united > 900 && result.names + result.tracks == 0,
       "experiments of either zone alone %s", error.message);

    tracks = 0;

    for (i = 0; i < SHOPPERS; i++) {
        if (ux_table_read(&b->w.store.table, shopper_key(b, i),
                          (uint32_t) (NOW / 1000), &b->visitor) == UX_OK)
        {
            tracks += b->visitor.ntracks == 5;
        }
    }

    /* the window of one that is not configured here is not known */

    b->w.model.nexperiments = 0;
    ok(tracks > 300 && recount_differs(b, 0, SHOPPERS, true, 0) == 0
       && lives_add_up(b), "are in the records of both and counted once");

    free(image.data);
    zone_free(a);
    zone_free(b);
}


/* Killed anywhere, and done again by another process. */
static void
test_killed(void)
{
    int                 status;
    pid_t               pid;
    zone_t             *a, *b, *whole;
    bytes_t             image;
    unsigned            n, there, differ, off, early;
    ux_image_result_t   result;

    a = zone_shop(1, &usual, 0, SHOPPERS, 3000);
    image = image_write(a, UX_IMAGE_VISITORS, NOW);
    whole = zone_shop(2, &usual, SHOPPERS, 2 * SHOPPERS, 1000);
    (void) image_merge(whole, UX_IMAGE_ADOPT, &image, NULL, NOW, &result);

    off = 0;
    differ = 0;
    early = 0;

    for (n = 0; n < 30; n++) {
        b = zone_shop(2, &usual, SHOPPERS, 2 * SHOPPERS, 1000);
        pid = fork();

        if (pid == 0) {
            b->w.store.me = UX_PROCESS_NONE;
            (void) ux_store_join(&b->w.store);
            (void) image_merge(b, UX_IMAGE_ADOPT, &image, NULL, NOW, &result);
            pause();
            _exit(0);
        }

        (void) usleep(200 * n);
        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, &status, 0);

        early += !ux_image_adopted(&b->w.store, a->w.store.head->uuid);
        (void) image_merge(b, UX_IMAGE_ADOPT, &image, NULL, NOW, &result);

        off += cells_differ(whole, b);
        differ += records_differ(whole, b, 0, 2 * SHOPPERS, NOW, &there);
        zone_free(b);
    }

    ok(early > 2 && differ == 0,
       "%u merges cut short and done again: every record is there", early);
    ok(off == 0, "and no count is off: %u are", off);

    free(image.data);
    zone_free(a);
    zone_free(whole);
}


/* 40 zones one after the other: the newest are remembered. */
static void
test_many(void)
{
    zone_t             *a, *b;
    bytes_t             image;
    unsigned            i;
    uint64_t            assigned;
    uint8_t             uuid[16];
    ux_image_result_t   result;

    b = zone_new(MIB, 200, 9);
    assigned = 0;

    for (i = 1; i <= 40; i++) {
        a = zone_new(MIB, (uint8_t) i, 9);
        (void) zone_bind(a, &usual);
        (void) shopper_visit(a, i, 0, SHOP_START);
        assigned += arms_sum(a, UX_ARM_ASSIGNED);
        image = image_write(a, UX_IMAGE_VISITORS, NOW);
        (void) image_merge(b, UX_IMAGE_RESTORE, &image, NULL, NOW, &result);
        free(image.data);
        zone_free(a);
    }

    memset(uuid, 40, sizeof(uuid));
    ok(ux_image_adopted(&b->w.store, uuid), "the last one is known");
    memset(uuid, 9, sizeof(uuid));
    ok(ux_image_adopted(&b->w.store, uuid), "32 of them are");
    memset(uuid, 8, sizeof(uuid));
    ok(!ux_image_adopted(&b->w.store, uuid), "those before are not");
    ok(arms_sum(b, UX_ARM_ASSIGNED) == assigned, "all are counted");

    zone_free(b);
}


/*
 * A process writes while images are made: each is one moment of each record,
 * and nobody who was there all along is missing.
 */
static void
test_alive(void)
{
    int                 status;
    pid_t               pid;
    zone_t             *a, *b;
    bytes_t             image;
    unsigned            n, i, sound, missing, skipped;
    ux_image_info_t     info;
    ux_image_result_t   result;

    skipped = 0;
    a = zone_shop(1, &usual, 0, SHOPPERS, 6000);
    pid = fork();

    if (pid == 0) {
        a->w.store.me = UX_PROCESS_NONE;
        (void) ux_store_join(&a->w.store);

        for (i = 0; ; i++) {
            (void) shopper_visit(a, zone_random(a, 2 * SHOPPERS), 0,
                                 NOW + i / 100);
        }
    }

    sound = 0;
    missing = 0;

    for (n = 0; n < 25; n++) {
        image = image_write(a, UX_IMAGE_VISITORS, NOW);
        sound += ux_image_check(image.data, image.len, &work, &error)
                 == UX_OK;
        (void) ux_image_info(image.data, image.len, &info, &error);
        skipped += info.skipped;
        b = zone_new(8 * MIB, 3, 9);
        (void) image_merge(b, UX_IMAGE_RESTORE, &image, NULL, NOW + 60000,
                           &result);

        for (i = 0; i < SHOPPERS; i++) {
            missing += ux_table_read(&a->w.store.table, shopper_key(a, i),
                                     (uint32_t) (NOW / 1000), &a->visitor)
                       == UX_OK
                       && a->visitor.first_s < SHOP_START / 1000 + 3600
                       && ux_table_read(&b->w.store.table, shopper_key(b, i),
                                        (uint32_t) (NOW / 1000), &b->visitor)
                          != UX_OK;
        }

        free(image.data);
        zone_free(b);
    }

    (void) kill(pid, SIGKILL);
    (void) waitpid(pid, &status, 0);

    /* a writer that got no turn for long held some all along: that is told */

    ok(sound == 25 && missing <= skipped && skipped < 200,
       "%u of 25 images of a zone that is written to are sound, %u visitors "
       "missing, %u skipped", sound, missing, skipped);

    zone_free(a);
}


/* A full table in which records change their buckets all the time. */
static void
test_alive_full(void)
{
    int                 status;
    pid_t               pid;
    zone_t             *a, *b;
    bytes_t             image;
    unsigned            n, i, dropped;
    ux_image_result_t   result;

    a = zone_new(UX_STORE_SIZE_MIN, 1, 9);
    (void) zone_bind(a, &usual);
    a->w.model.nexperiments = 1;

    for (i = 0; i < 6000; i++) {
        (void) shopper_visit(a, i / 2, 0, SHOP_START + i);
    }

    pid = fork();

    if (pid == 0) {
        a->w.store.me = UX_PROCESS_NONE;
        (void) ux_store_join(&a->w.store);

        for (i = 6000; ; i++) {
            (void) shopper_visit(a, i / 2, 0, NOW + i / 100);
        }
    }

    dropped = 0;

    for (n = 0; n < 300; n++) {
        image = image_write(a, UX_IMAGE_VISITORS, NOW);
        b = zone_new(MIB, 3, 9);
        (void) image_merge(b, UX_IMAGE_RESTORE, &image, NULL, NOW + 600000,
                           &result);
        dropped += (unsigned) result.dropped;
        free(image.data);
        zone_free(b);
    }

    (void) kill(pid, SIGKILL);
    (void) waitpid(pid, &status, 0);

    ok(dropped == 0, "300 images of a full zone: %u records came twice",
       dropped);

    zone_free(a);
}


int
main(void)
{
    const shop_t  capped = { .cap = 4000 };

    test_adopt("strangers", SHOPPERS, &usual, 0);
    test_adopt("half known", SHOPPERS / 2, &usual, 0);
    test_adopt("short lists", SHOPPERS / 2, &usual, 120);
    test_adopt("all known, sums capped", 0, &capped, 0);
    test_cut_short();
    test_restore_both();
    test_epochs(true);
    test_epochs(false);
    test_across_epochs();
    test_other_experiments();
    test_killed();
    test_many();
    test_alive();
    test_alive_full();

    return done();
}
