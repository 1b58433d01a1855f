
/*
 * Copyright (C) the nginx-ux authors
 *
 * What the tests of the table share: a table in memory that forked processes
 * share, keys, visitors of any number of parts, counting what is in it.
 */

#ifndef TABLE_CASE_H
#define TABLE_CASE_H


#include "ux_table_private.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>


#define NOW  1000000u


typedef struct {
    size_t      size;
    void       *mem;
    ux_table_t  table;
} case_table_t;


/* What the slots hold, walked without any lock. */
typedef struct {
    unsigned  slots;                 /* in use */
    unsigned  visitors;              /* first parts */
    unsigned  expired;
    unsigned  provisional;
    unsigned  torn;                  /* parts that do not make up a record */
    unsigned  locked;                /* buckets with an owner */
} case_census_t;


__attribute__((unused))
static uint64_t
case_mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15ull;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;

    return x ^ (x >> 31);
}


__attribute__((unused))
static uint64_t
case_random(uint64_t *seed)
{
    *seed += 0x9e3779b97f4a7c15ull;

    return case_mix(*seed);
}


__attribute__((unused))
static ux_key_t
case_key(uint64_t n)
{
    ux_key_t  key;

    key.id = case_mix(n * 2 + 1);
    key.place = case_mix(n * 2 + 2);

    return key;
}


/* A key of the n-th kind whose buckets are these, found by trying. */
__attribute__((unused))
static ux_key_t
case_key_in(const ux_table_t *table, uint32_t a, uint32_t b, uint64_t *n)
{
    ux_key_t    key;
    ux_place_t  place;

    for ( ;; ) {
        key = case_key((*n)++);
        place = ux_table_place(table, key);

        if (place.buckets[0] == a && place.buckets[1] == b) {
            return key;
        }
    }
}


/* Zeroed, shared with children, nprocesses entries and nbuckets buckets. */
__attribute__((unused))
static case_table_t
case_table(uint32_t nprocesses, uint32_t nbuckets)
{
    uint8_t       *mem;
    size_t         processes;
    case_table_t   c;

    processes = nprocesses * sizeof(ux_process_t);

    memset(&c, 0, sizeof(c));

    c.size = processes + ux_table_size(nbuckets);
    c.mem = mmap(NULL, c.size, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (c.mem == MAP_FAILED) {
        printf("Bail out! no memory\n");
        exit(1);
    }

    mem = c.mem;

    c.table.processes = (ux_process_t *) (void *) mem;
    c.table.nprocesses = nprocesses;
    c.table.buckets = mem + processes;
    c.table.nbuckets = nbuckets;
    c.table.inactive_s = 1000;
    c.table.max_window_s = 0;
    c.table.me = UX_PROCESS_NONE;

    return c;
}


__attribute__((unused))
static void
case_join(case_table_t *c)
{
    c->table.me = ux_process_claim(c->table.processes, c->table.nprocesses,
                                   ux_table_repair, &c->table);
}


__attribute__((unused))
static void
case_free(case_table_t *c)
{
    munmap(c->mem, c->size);
}


/* Some 50 bytes a track: a visitor of any number of parts. */
__attribute__((unused))
static void
case_grow(ux_visitor_t *visitor, unsigned ntracks, uint64_t seed)
{
    unsigned     i, k;
    ux_track_t  *track;

    visitor->ntracks = (uint8_t) (ntracks + 1);

    for (i = 1; i <= ntracks; i++) {
        track = &visitor->tracks[i];
        memset(track, 0, sizeof(ux_track_t));

        track->arm = (uint16_t) i;
        track->exposed_ms = (uint64_t) visitor->first_s * 1000 + i;
        track->events = case_random(&seed) | 1ull << 63;
        track->steps = case_random(&seed) | 1ull << 63;

        for (k = 0; k < 5; k++) {
            track->totals[k] = (int64_t) (case_random(&seed) >> 30);
        }
    }
}


/* Packs with so many tracks that it takes just this many parts. */
__attribute__((unused))
static void
case_parts(ux_visitor_t *visitor, unsigned parts, uint64_t seed)
{
    size_t    len;
    uint8_t   buf[UX_PACKED_MAX];
    unsigned  n;

    for (n = 0; n < UX_TRACKS_MAX; n++) {
        case_grow(visitor, n, seed);

        if (ux_visitor_pack(visitor, buf, &len) == UX_OK
            && ux_slot_parts((unsigned) len) == parts)
        {
            return;
        }
    }

    printf("Bail out! no visitor of %u parts\n", parts);
    exit(1);
}


__attribute__((unused))
static bool
case_equal(const ux_visitor_t *a, const ux_visitor_t *b)
{
    size_t   na, nb;
    uint8_t  pa[UX_PACKED_MAX], pb[UX_PACKED_MAX];

    return ux_visitor_pack(a, pa, &na) == UX_OK
           && ux_visitor_pack(b, pb, &nb) == UX_OK
           && na == nb && memcmp(pa, pb, na) == 0
           && a->key_id == b->key_id && a->last_s == b->last_s;
}


__attribute__((unused))
static bool
case_same_visitor(const ux_slot_t *a, const ux_slot_t *b)
{
    return a->head.key_id == b->head.key_id && a->head.len == b->head.len
           && a->head.last_s == b->head.last_s
           && a->head.expires_s == b->head.expires_s
           && a->head.flags == b->head.flags;
}


/* Are all parts of the record that starts in this slot there, once? */
__attribute__((unused))
static bool
case_whole(const ux_table_t *table, uint32_t first)
{
    uint32_t          i, b, buckets[2], seen, parts;
    const ux_slot_t  *head, *slot;

    head = ux_slot_get(table, first);
    buckets[0] = first / UX_BUCKET_SLOTS;
    buckets[1] = head->head.other;
    parts = ux_slot_parts(head->head.len);
    seen = 0;

    for (b = 0; b < 2 && buckets[b] < table->nbuckets; b++) {
        for (i = 0; i < UX_BUCKET_SLOTS; i++) {
            slot = &ux_bucket_get(table, buckets[b])->slots[i];

            if (ux_tag_get(ux_bucket_get(table, buckets[b]), i) == 0
                || slot->head.key_id != head->head.key_id)
            {
                continue;
            }

            if (!case_same_visitor(slot, head) || slot->head.part >= parts
                || seen & 1u << slot->head.part)
            {
                return false;
            }

            seen |= 1u << slot->head.part;
        }
    }

    return seen == (1u << parts) - 1;
}


__attribute__((unused))
static case_census_t
case_count(const ux_table_t *table, uint32_t now_s)
{
    uint32_t          i, n;
    case_census_t     census;
    const ux_slot_t  *slot;

    memset(&census, 0, sizeof(census));

    n = table->nbuckets * UX_BUCKET_SLOTS;

    for (i = 0; i < n; i++) {
        if (i % UX_BUCKET_SLOTS == 0) {
            census.locked += (ux_bucket_get(table, i / UX_BUCKET_SLOTS)->lock
                              & UX_LOCK_OWNER) != 0;
        }

        if (ux_tag_get(ux_bucket_get(table, i / UX_BUCKET_SLOTS),
                       i % UX_BUCKET_SLOTS)
            == 0)
        {
            continue;
        }

        slot = ux_slot_get(table, i);
        census.slots++;
        census.torn += !case_whole(table, i);

        if (slot->head.part == 0) {
            census.visitors++;
            census.expired += slot->head.expires_s <= now_s;
            census.provisional += (slot->head.flags & UX_SLOT_PROVISIONAL)
                                  != 0;
        }
    }

    return census;
}


/* What operations did, added up. */
typedef struct {
    uint64_t  inserted;
    uint64_t  evicted;
    uint64_t  expired;
    uint64_t  gone;
    uint64_t  erased;
    uint64_t  confirmed;
    uint64_t  full;
    uint64_t  busy;
} sums_t;


__attribute__((unused))
static void
sums_add(sums_t *sums, const ux_table_effects_t *effects)
{
    sums->inserted += effects->inserted;
    sums->evicted += effects->evicted;
    sums->expired += effects->expired;
    sums->gone += effects->provisional_gone;
}


/* Puts a visitor of one part there, however confirmed and long away. */
__attribute__((unused))
static ux_status_t
put(ux_table_t *table, ux_key_t key, uint32_t last_s, bool confirmed,
    bool cart, ux_table_effects_t *effects)
{
    ux_turn_t     turn;
    ux_status_t   rc;
    ux_visitor_t  visitor;

    rc = ux_table_open(table, key, NOW, &visitor, &turn);
    if (rc != UX_OK) {
        return rc;
    }

    visitor.last_s = last_s;
    visitor.first_s = last_s;
    visitor.tracks[0].exposed_ms = (uint64_t) last_s * 1000;
    visitor.confirmed = confirmed;

    if (cart) {
        visitor.tracks[0].carts[3].state = UX_CART_OPEN;
        visitor.tracks[0].carts[3].created_ms = (uint64_t) last_s * 1000;
    }

    return ux_table_commit(table, &turn, &visitor, NOW, effects);
}


__attribute__((unused))
static bool
there(ux_table_t *table, ux_key_t key)
{
    ux_visitor_t  visitor;

    return ux_table_read(table, key, NOW, &visitor) == UX_OK;
}


/* One random operation that may drive others out; acknowledged: true. */
__attribute__((unused))
static void
churn(ux_table_t *table, unsigned keys, uint32_t now, uint64_t *seed,
    sums_t *sums)
{
    bool                provisional;
    size_t              len;
    uint8_t             buf[UX_PACKED_MAX];
    uint64_t            dice;
    ux_key_t            key;
    ux_turn_t           turn;
    ux_status_t         rc;
    ux_visitor_t        visitor;
    ux_table_effects_t  effects;

    key = case_key(case_random(seed) % keys);
    dice = case_random(seed);

    if (dice % 50 == 0) {
        rc = ux_table_erase(table, key, now, &provisional);
        sums->erased += rc == UX_OK;
        sums->gone += rc == UX_OK && provisional;
        sums->busy += rc == UX_BUSY;
        return;
    }

    if (ux_table_open(table, key, now, &visitor, &turn) != UX_OK) {
        sums->busy++;
        return;
    }

    provisional = !visitor.confirmed;
    case_grow(&visitor,
              (unsigned) (dice / 8 % (dice % 5 == 0 ? 17 : 3)), dice);
    visitor.last_s = now;
    visitor.confirmed = visitor.confirmed || (dice >> 32) % 3 != 0;

    if ((dice >> 40) % 4 == 0) {
        visitor.tracks[0].carts[0].state = UX_CART_OPEN;
        visitor.tracks[0].carts[0].created_ms = (uint64_t) now * 1000;
    }

    if (ux_visitor_pack(&visitor, buf, &len) != UX_OK) {
        ux_table_abort(table, &turn);
        return;
    }

    if (ux_table_commit(table, &turn, &visitor, now, &effects) != UX_OK) {
        sums->full++;
        return;
    }

    sums->confirmed += provisional && visitor.confirmed;
    sums_add(sums, &effects);
}


#endif
