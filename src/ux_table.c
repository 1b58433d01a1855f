
/*
 * Copyright (C) the nginx-ux authors
 *
 * The visitor table: layout, look-up, lock-free reading, repair.
 *
 *   bucket  [ lock | 16 tags | spare ]  one line
 *           [ slot 0 ] ... [ slot 15 ]  two lines each
 *   slot    [ key id, times, other bucket, length, part, flags | 104 bytes ]
 *
 * A key has two buckets, a tag of 16 bits and an id of 64.  A new record goes
 * into the emptier one (Azar, Broder, Karlin, Upfal: Balanced Allocations,
 * 1994), so buckets fill evenly; when both are full, one of those there may
 * move to its other bucket (ux_table_room.c).  A packed visitor longer than a
 * slot takes up to 8 slots of its two buckets.  A bucket index is
 * (bits * buckets) >> 32, so any number of buckets will do.
 *
 * Cost: two bucket lines (fetched together) and one or two of the slot for a
 * look-up; a writer adds its own journal, which stays in its cache.
 *
 * Locks and readers
 *   A writer holds the locks of both buckets, lower index first, and changes
 *   nothing elsewhere.  To evict a visitor that has parts in a third bucket,
 *   or to move one there, it tries that lock once without waiting, so no
 *   cycle of waiters exists.
 *   A reader takes no lock: it has a whole copy if both lock words were free
 *   before and are the same after (a sequence lock; Lamport 1977).  Shared
 *   bytes are moved by relaxed 8-byte loads and stores on both sides.
 *   A page of somebody known changes only one such word (ux_table_touch.c).
 *
 * A turn and SIGKILL.  In the writer's own order of instructions:
 *   1. buckets[] of its journal names the buckets; no lock is held yet
 *   2. takes the locks (a further one is noted before it is tried)
 *   3. writes every changed slot, whole, as an image into its journal, and
 *      the note of a merge, which counts as one
 *   4. state = COMMITTED
 *   5. copies the images into the slots
 *   6. state = IDLE
 *   7. releases the locks
 * and the repair of a dead one, by a single living repairer at a time
 * (ux_process.c):
 *   a. if the state is COMMITTED: 5 and 6 on its behalf
 *   b. releases those of buckets[] whose owner it still is
 *
 * - Killed before 4: no slot was touched: the old records stand.
 * - Killed from 4 on: the images are whole, and the repair ends with all of
 *   them copied: the new records stand.  All images of a turn, of the
 *   visitor and of its victims, share the one store of 4: all or none.
 * - Nobody sees anything between: the locks are held until b.
 * - The copy in (a) can not overwrite newer data: its target buckets are
 *   locked by the dead owner, whose locks only the one repairer releases, and
 *   that only after 6.  A repairer that dies in (a) is followed by one that
 *   copies again what is still locked (the images are whole slots, so twice
 *   is once).  One that dies in (b) left the state IDLE: its follower copies
 *   nothing, and releases what is left.  This is why 6 comes before 7.
 * - Every lock held is named in buckets[]: names change only in 1, when no
 *   lock is held, or are added before the try.  A name without a lock is
 *   harmless, for (b) looks at the owner, and the entry is nobody else's
 *   while it is repaired.
 */

#include "ux_table_private.h"
#include "ux_packing.h"

#include <string.h>


#define UX_READ_TRIES  64            /* a busy record changes under us */

/*
 * The load up to which fewer than one live visitor in a thousand is lost,
 * with a margin, where 3 % of the visitors have two parts.  Measured
 * (t/unit/test_table.c repeats it): filling an empty table loses none at .97
 * and 0.001 % at .98; a full one, in which each newcomer takes the place of
 * somebody expired, loses 0.01 % of the newcomers' number at .97, 0.1 % at
 * .98 and 2 % at .99.
 */
#define UX_LOAD_PERCENT  97


static uint16_t ux_table_tag(ux_key_t key);
static const ux_slot_t *ux_bucket_has(const ux_bucket_t *bucket, uint32_t i,
    uint16_t tag, uint64_t key_id);
static const ux_slot_t *ux_bucket_find(const ux_bucket_t *bucket,
    uint16_t tag, uint64_t key_id);
static uint64_t ux_slot_cookie(const ux_slot_t *slot, uint16_t len);
static ux_status_t ux_table_peek(ux_table_t *table, const ux_place_t *place,
    uint64_t key_id, ux_copy_t *copy);
static ux_status_t ux_bucket_word(ux_table_t *table, uint32_t bucket,
    uint64_t *word);
static bool ux_bucket_same(const ux_table_t *table, uint32_t bucket,
    uint64_t word);
static void ux_bucket_gather(const ux_table_t *table, uint32_t index,
    uint16_t tag, uint64_t key_id, ux_copy_t *copy);
static void ux_slot_gather(const ux_slot_t *slot, uint32_t index,
    uint64_t key_id, ux_copy_t *copy);


size_t
ux_table_size(uint32_t nbuckets)
{
    return (size_t) nbuckets * sizeof(ux_bucket_t);
}


uint64_t
ux_table_capacity(uint32_t nbuckets)
{
    return (uint64_t) nbuckets * UX_BUCKET_SLOTS * UX_LOAD_PERCENT / 100;
}


ux_place_t
ux_table_place(const ux_table_t *table, ux_key_t key)
{
    uint64_t    hi, lo, n;
    ux_place_t  place;

    n = table->nbuckets;
    hi = key.place >> 32;
    lo = key.place & 0xffffffff;

    /* the indexes use the high bits of either half, the tag the low ones */
    place.tag = ux_table_tag(key);

    place.buckets[0] = (uint32_t) (hi * n >> 32);

    if (n < 2) {
        place.buckets[1] = UX_PROCESS_NONE;
        return place;
    }

    /* one of the others, each equally likely */
    place.buckets[1] = (uint32_t) (lo * (n - 1) >> 32);
    if (place.buckets[1] >= place.buckets[0]) {
        place.buckets[1]++;
    }

    return place;
}


static uint16_t
ux_table_tag(ux_key_t key)
{
    uint16_t  tag;

    tag = (uint16_t) ((key.place >> 32 & 0xff) << 8 | (key.place & 0xff));

    return tag != 0 ? tag : 1;
}


ux_status_t
ux_table_read(ux_table_t *table, ux_key_t key, uint32_t now_s,
    ux_visitor_t *visitor)
{
    unsigned     tries;
    ux_copy_t    copy;
    ux_place_t   place;
    ux_status_t  rc;

    place = ux_table_place(table, key);
    rc = UX_DECLINED;

    for (tries = 0; tries < UX_READ_TRIES && rc == UX_DECLINED; tries++) {
        rc = ux_table_peek(table, &place, key.id, &copy);
    }

    if (rc != UX_OK) {
        return UX_BUSY;
    }

    if (copy.nslots == 0 || !ux_copy_whole(&copy)
        || copy.head.expires_s <= ux_table_expiry(table, now_s)
        || ux_visitor_unpack(visitor, (const uint8_t *) copy.words,
                             copy.head.len)
           != UX_OK)
    {
        return UX_DECLINED;
    }

    visitor->key_id = key.id;
    visitor->last_s = copy.head.last_s;

    return UX_OK;
}


ux_status_t
ux_table_glance(ux_table_t *table, ux_key_t key, uint32_t now_s,
    ux_glance_t *glance)
{
    uint32_t  at;

    at = UX_PROCESS_NONE;

    return ux_table_glance_at(table, key, now_s, &at, glance);
}


ux_status_t
ux_table_glance_at(ux_table_t *table, ux_key_t key, uint32_t now_s,
    uint32_t *at, ux_glance_t *glance)
{
    uint8_t             flags;
    uint16_t            len;
    uint32_t            expires_s;
    uint64_t            word;
    ux_bucket_t        *bucket;
    const ux_slot_t    *slot;

    slot = ux_table_find(table, key, at, &word);

    if (slot == NULL || (word & UX_LOCK_OWNER)) {
        return UX_DECLINED;
    }

    bucket = ux_bucket_get(table, *at / UX_BUCKET_SLOTS);

    /* may be torn, until the lock was looked at again */

    expires_s = __atomic_load_n(&slot->head.expires_s, __ATOMIC_RELAXED);
    glance->last_s = __atomic_load_n(&slot->head.last_s, __ATOMIC_RELAXED);
    len = __atomic_load_n(&slot->head.len, __ATOMIC_RELAXED);
    flags = __atomic_load_n(&slot->head.flags, __ATOMIC_RELAXED);
    glance->cookie_hash = ux_slot_cookie(slot, len);

    __atomic_thread_fence(__ATOMIC_ACQUIRE);

    if (__atomic_load_n(&bucket->lock, __ATOMIC_RELAXED) != word
        || expires_s <= ux_table_expiry(table, now_s))
    {
        return UX_DECLINED;
    }

    glance->confirmed = !(flags & UX_SLOT_PROVISIONAL);
    glance->waiting = (flags & UX_SLOT_WAITING) != 0;
    glance->word = word;

    return UX_OK;
}


const ux_slot_t *
ux_table_find(const ux_table_t *table, ux_key_t key, uint32_t *at,
    uint64_t *word)
{
    unsigned          i;
    ux_place_t        place;
    ux_bucket_t      *bucket;
    const ux_slot_t  *slot;

    if (*at / UX_BUCKET_SLOTS < table->nbuckets) {
        bucket = ux_bucket_get(table, *at / UX_BUCKET_SLOTS);
        *word = __atomic_load_n(&bucket->lock, __ATOMIC_ACQUIRE);
        slot = ux_bucket_has(bucket, *at % UX_BUCKET_SLOTS,
                             ux_table_tag(key), key.id);

        if (slot != NULL) {
            return slot;
        }
    }

    place = ux_table_place(table, key);

    for (i = 0; i < 2 && place.buckets[i] != UX_PROCESS_NONE; i++) {
        bucket = ux_bucket_get(table, place.buckets[i]);
        *word = __atomic_load_n(&bucket->lock, __ATOMIC_ACQUIRE);
        slot = ux_bucket_find(bucket, place.tag, key.id);

        if (slot != NULL) {
            *at = place.buckets[i] * UX_BUCKET_SLOTS
                  + (uint32_t) (slot - bucket->slots);
            return slot;
        }
    }

    return NULL;
}


/* That slot, if it is that of the record's first part. */
static const ux_slot_t *
ux_bucket_has(const ux_bucket_t *bucket, uint32_t i, uint16_t tag,
    uint64_t key_id)
{
    const ux_slot_t  *slot;

    slot = &bucket->slots[i];

    return ux_tag_get(bucket, i) == tag
           && __atomic_load_n(&slot->head.key_id, __ATOMIC_RELAXED) == key_id
           && __atomic_load_n(&slot->head.part, __ATOMIC_RELAXED) == 0
           ? slot : NULL;
}


/* The slot of the record's first part; see ux_bucket_gather(). */
static const ux_slot_t *
ux_bucket_find(const ux_bucket_t *bucket, uint16_t tag, uint64_t key_id)
{
    uint32_t          i, lane;
    uint64_t          diff, hits;
    const ux_slot_t  *slot;

    for (i = 0; i < UX_BUCKET_SLOTS / 4; i++) {
        diff = __atomic_load_n(&bucket->tags[i], __ATOMIC_RELAXED)
               ^ tag * 0x0001000100010001ull;
        hits = (diff - 0x0001000100010001ull) & ~diff
               & 0x8000800080008000ull;

        for ( /* void */ ; hits != 0; hits &= hits - 1) {
            lane = (uint32_t) __builtin_ctzll(hits) / 16;
            slot = &bucket->slots[i * 4 + lane];

            if (__atomic_load_n(&slot->head.key_id, __ATOMIC_RELAXED)
                    == key_id
                && __atomic_load_n(&slot->head.part, __ATOMIC_RELAXED) == 0)
            {
                return slot;
            }
        }
    }

    return NULL;
}


static uint64_t
ux_slot_cookie(const ux_slot_t *slot, uint16_t len)
{
    unsigned  i;
    uint64_t  begins[UX_PACK_BEGINS / 8];

    for (i = 0; i < UX_PACK_BEGINS / 8; i++) {
        begins[i] = __atomic_load_n(&slot->words[i], __ATOMIC_RELAXED);
    }

    return ux_packing_cookie((const uint8_t *) begins, len);
}


/*
 * One copy between two looks at the lock words.  UX_DECLINED: they changed;
 * UX_BUSY: a lock was held all along.
 */
static ux_status_t
ux_table_peek(ux_table_t *table, const ux_place_t *place, uint64_t key_id,
    ux_copy_t *copy)
{
    unsigned     i;
    uint64_t     words[2];
    ux_status_t  rc;

    for (i = 0; i < 2; i++) {
        rc = ux_bucket_word(table, place->buckets[i], &words[i]);
        if (rc != UX_OK) {
            return rc;
        }
    }

    ux_table_gather(table, place, key_id, copy);

    __atomic_thread_fence(__ATOMIC_ACQUIRE);

    if (!ux_bucket_same(table, place->buckets[0], words[0])
        || !ux_bucket_same(table, place->buckets[1], words[1]))
    {
        return UX_DECLINED;
    }

    return UX_OK;
}


/* A free lock word; UX_DECLINED: it was free and is taken again. */
static ux_status_t
ux_bucket_word(ux_table_t *table, uint32_t bucket, uint64_t *word)
{
    ux_lock_t  *lock;

    if (bucket == UX_PROCESS_NONE) {
        *word = 0;
        return UX_OK;
    }

    lock = &ux_bucket_get(table, bucket)->lock;

    *word = __atomic_load_n(lock, __ATOMIC_ACQUIRE);
    if ((*word & UX_LOCK_OWNER) == 0) {
        return UX_OK;
    }

    if (ux_lock_wait(lock, table->me, table->processes, ux_table_repair,
                     table)
        != UX_OK)
    {
        return UX_BUSY;
    }

    *word = __atomic_load_n(lock, __ATOMIC_ACQUIRE);

    return (*word & UX_LOCK_OWNER) ? UX_DECLINED : UX_OK;
}


static bool
ux_bucket_same(const ux_table_t *table, uint32_t bucket, uint64_t word)
{
    return bucket == UX_PROCESS_NONE
           || __atomic_load_n(&ux_bucket_get(table, bucket)->lock,
                              __ATOMIC_RELAXED) == word;
}


void
ux_table_gather(const ux_table_t *table, const ux_place_t *place,
    uint64_t key_id, ux_copy_t *copy)
{
    copy->nslots = 0;
    copy->seen = 0;

    __builtin_prefetch(ux_bucket_get(table, place->buckets[0]));

    if (place->buckets[1] != UX_PROCESS_NONE) {
        __builtin_prefetch(ux_bucket_get(table, place->buckets[1]));
    }

    ux_bucket_gather(table, place->buckets[0], place->tag, key_id, copy);

    if (place->buckets[1] != UX_PROCESS_NONE && !ux_copy_whole(copy)) {
        ux_bucket_gather(table, place->buckets[1], place->tag, key_id, copy);
    }
}


/*
 * Compares four tags at a time: a lane of `diff` is 0 where the tag is ours,
 * and the lowest such lane is marked in `hits` for certain (a borrow can mark
 * a lane above it falsely, so each is looked at).
 */
static void
ux_bucket_gather(const ux_table_t *table, uint32_t index, uint16_t tag,
    uint64_t key_id, ux_copy_t *copy)
{
    uint32_t            i, lane;
    uint64_t            diff, hits;
    const ux_bucket_t  *bucket;

    bucket = ux_bucket_get(table, index);

    for (i = 0; i < UX_BUCKET_SLOTS / 4; i++) {
        diff = __atomic_load_n(&bucket->tags[i], __ATOMIC_RELAXED)
               ^ tag * 0x0001000100010001ull;
        hits = (diff - 0x0001000100010001ull) & ~diff
               & 0x8000800080008000ull;

        for ( /* void */ ; hits != 0; hits &= hits - 1) {
            lane = (uint32_t) __builtin_ctzll(hits) / 16;

            if ((diff >> lane * 16 & 0xffff) == 0) {
                ux_slot_gather(&bucket->slots[i * 4 + lane],
                               index * UX_BUCKET_SLOTS + i * 4 + lane,
                               key_id, copy);
            }
        }
    }
}


static void
ux_slot_gather(const ux_slot_t *slot, uint32_t index, uint64_t key_id,
    ux_copy_t *copy)
{
    unsigned         i, n, part;
    uint64_t         raw[3];
    const uint64_t  *words;
    ux_slot_head_t   head;

    words = (const uint64_t *) (const void *) slot;

    raw[0] = __atomic_load_n(&words[0], __ATOMIC_RELAXED);
    if (raw[0] != key_id || copy->nslots == UX_IMAGES_MAX) {
        return;
    }

    raw[1] = __atomic_load_n(&words[1], __ATOMIC_RELAXED);
    raw[2] = __atomic_load_n(&words[2], __ATOMIC_RELAXED);
    memcpy(&head, raw, sizeof(head));

    part = head.part;

    if (head.len > UX_PACKED_MAX || part >= ux_slot_parts(head.len)
        || copy->seen & 1u << part)
    {
        /* torn, if this is no locked look; else a stray */
        copy->slots[copy->nslots++] = index;
        return;
    }

    n = head.len - part * UX_SLOT_BYTES;
    n = n < UX_SLOT_BYTES ? (n + 7) / 8 : UX_SLOT_BYTES / 8;

    for (i = 0; i < n; i++) {
        copy->words[part * (UX_SLOT_BYTES / 8) + i] =
            __atomic_load_n(&slot->words[i], __ATOMIC_RELAXED);
    }

    copy->slots[copy->nslots++] = index;
    copy->seen |= 1u << part;
    copy->head = head;
}


bool
ux_copy_whole(const ux_copy_t *copy)
{
    unsigned  parts;

    if (copy->seen == 0) {
        return false;
    }

    parts = ux_slot_parts(copy->head.len);

    return copy->nslots == parts && copy->seen == (1u << parts) - 1;
}


void
ux_table_repair(void *ctx, uint32_t dead)
{
    uint32_t       i, bucket;
    ux_lock_t     *lock;
    ux_table_t    *table;
    ux_process_t  *process;

    table = ctx;
    process = &table->processes[dead];

    if (__atomic_load_n(&process->state, __ATOMIC_ACQUIRE)
        == UX_JOURNAL_COMMITTED)
    {
        ux_journal_copy(table, process);
        __atomic_store_n(&process->state, UX_JOURNAL_IDLE, __ATOMIC_RELEASE);
    }

    for (i = 0; i < UX_LOCKS_MAX; i++) {
        bucket = __atomic_load_n(&process->buckets[i], __ATOMIC_RELAXED);

        if (bucket >= table->nbuckets) {
            continue;
        }

        lock = &ux_bucket_get(table, bucket)->lock;

        if ((__atomic_load_n(lock, __ATOMIC_ACQUIRE) & UX_LOCK_OWNER)
            == dead + 1)
        {
            ux_lock_release(lock);
        }
    }
}
