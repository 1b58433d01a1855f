
/*
 * Copyright (C) the nginx-ux authors
 *
 * All records of a zone, while others write to it.
 *
 * Each bucket is copied whole, without a lock, and the copy is good if its
 * lock word was free before and the same after.  A record in several parts is
 * read as any reader does.  So every record is one of its states.
 *
 * But one may change its bucket while the walk goes on (ux_table_room.c):
 *
 *   forward, from one read to one not read yet: it comes twice.  Where the
 *   other bucket of a record was read and has changed since, the record is
 *   marked UX_IMAGE_AGAIN, and whoever reads the image takes it only if there
 *   is no other.
 *
 *   back: it does not come at all.  So buckets that have changed since they
 *   were read are read again at the end, and what can have come back to them
 *   is written once more, marked, as long as there is room.
 *
 * What moves back during that second, short pass is missed; it takes a full
 * table, and then some thousandth of those that a full table loses anyway.
 */

#include "ux_image_writer.h"
#include "ux_table_private.h"

#include <string.h>


#define UX_WALK_TRIES    64
#define UX_WALK_PATIENCE 200            /* waits of about 1 ms in all */
#define UX_WALK_UNREAD   UINT64_MAX     /* no lock word: its owner is none */


static bool ux_walk_copy(ux_image_walk_t *walk, uint32_t index,
    ux_bucket_t *copy, uint64_t *word);
static ux_status_t ux_walk_word(ux_image_walk_t *walk, ux_lock_t *lock,
    uint64_t *word);
static void ux_walk_bucket(ux_image_walk_t *walk, uint32_t index,
    const ux_bucket_t *copy);
static void ux_walk_slot(ux_image_walk_t *walk, const ux_slot_t *slot,
    bool again);
static bool ux_walk_moved(const ux_image_walk_t *walk, uint32_t index,
    uint32_t other);
static void ux_walk_return(ux_image_walk_t *walk, uint32_t index);
static void ux_walk_record(ux_image_walk_t *walk, ux_visitor_t *visitor,
    const uint8_t *packed, size_t len, bool again);
static uint64_t ux_walk_now(const ux_image_walk_t *walk, uint32_t index);


void
ux_image_walk(ux_image_walk_t *walk)
{
    uint32_t     i;
    ux_bucket_t  copy;

    walk->patience = UX_WALK_PATIENCE;

    for (i = 0; i < walk->store->table.nbuckets; i++) {
        walk->words[i] = UX_WALK_UNREAD;

        if (ux_walk_copy(walk, i, &copy, &walk->words[i])) {
            ux_walk_bucket(walk, i, &copy);
        }
    }

    for (i = 0; i < walk->store->table.nbuckets; i++) {
        if (ux_walk_now(walk, i) != walk->words[i]) {
            ux_walk_return(walk, i);
        }
    }
}


/* A free lock word that never changes is read as it is. */
static uint64_t
ux_walk_now(const ux_image_walk_t *walk, uint32_t index)
{
    return __atomic_load_n(&ux_bucket_get(&walk->store->table, index)->lock,
                           __ATOMIC_ACQUIRE);
}


/* False: a living process holds it, or it changed all along. */
static bool
ux_walk_copy(ux_image_walk_t *walk, uint32_t index, ux_bucket_t *copy,
    uint64_t *word)
{
    size_t           i;
    uint64_t         before, bytes, *to;
    unsigned         tries;
    ux_bucket_t     *bucket;
    const uint64_t  *from;

    bucket = ux_bucket_get(&walk->store->table, index);
    from = (const uint64_t *) (const void *) bucket;
    to = (uint64_t *) (void *) copy;

    for (tries = 0; tries < UX_WALK_TRIES; tries++) {

        if (ux_walk_word(walk, &bucket->lock, &before) != UX_OK) {
            return false;
        }

        for (i = 0; i < sizeof(ux_bucket_t) / sizeof(uint64_t); i++) {
            bytes = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
            to[i] = bytes;
        }

        __atomic_thread_fence(__ATOMIC_ACQUIRE);

        if (__atomic_load_n(&bucket->lock, __ATOMIC_RELAXED) == before
            && (before & UX_LOCK_OWNER) == 0)
        {
            *word = before;
            return true;
        }
    }

    return false;
}


static ux_status_t
ux_walk_word(ux_image_walk_t *walk, ux_lock_t *lock, uint64_t *word)
{
    ux_status_t  rc;
    ux_table_t  *table;

    table = &walk->store->table;
    *word = __atomic_load_n(lock, __ATOMIC_ACQUIRE);

    if ((*word & UX_LOCK_OWNER) == 0) {
        return UX_OK;
    }

    rc = ux_lock_wait(lock, table->me, table->processes, ux_table_repair,
                      table);
    *word = __atomic_load_n(lock, __ATOMIC_ACQUIRE);

    return rc;
}


static void
ux_walk_bucket(ux_image_walk_t *walk, uint32_t index, const ux_bucket_t *copy)
{
    unsigned  i;

    for (i = 0; i < UX_BUCKET_SLOTS; i++) {
        if (ux_tag_get(copy, i) != 0) {
            ux_walk_slot(walk, &copy->slots[i],
                         ux_walk_moved(walk, index,
                                       copy->slots[i].head.other));
        }
    }
}


/* It may have been in the other bucket when that was read. */
static bool
ux_walk_moved(const ux_image_walk_t *walk, uint32_t index, uint32_t other)
{
    return other < index && ux_walk_now(walk, other) != walk->words[other];
}


static void
ux_walk_slot(ux_image_walk_t *walk, const ux_slot_t *slot, bool again)
{
    ux_status_t            rc;
    ux_visitor_t           visitor;
    const uint8_t         *packed;
    const ux_slot_head_t  *head;

    head = &slot->head;

    if (head->part != 0 || head->expires_s <= walk->expired_s) {
        return;
    }

    if (head->len > UX_SLOT_BYTES) {
        do {
            rc = ux_table_read(&walk->store->table,
                               ux_hash_key_of(head->key_id), walk->now_s,
                               &visitor);

        } while (rc == UX_BUSY && walk->patience-- > 0);

        walk->patience = walk->patience < 0 ? 0 : walk->patience;

        if (rc == UX_OK) {
            ux_walk_record(walk, &visitor, NULL, 0, again);

        } else {
            walk->skipped += rc == UX_BUSY;
        }

        return;
    }

    packed = (const uint8_t *) slot->words;

    if (ux_visitor_unpack(&visitor, packed, head->len) != UX_OK) {
        walk->skipped++;
        return;
    }

    /* a touch changes the head alone */

    if (visitor.last_s != head->last_s) {
        visitor.last_s = head->last_s;
        packed = NULL;
    }

    ux_walk_record(walk, &visitor, packed, head->len, again);
}


/*
 * What may have come to the bucket from one that was read later; all of one
 * that could not be read, for which it is worth to wait.
 */
static void
ux_walk_return(ux_image_walk_t *walk, uint32_t index)
{
    bool          read;
    unsigned      i;
    uint64_t      word;
    ux_bucket_t   copy, *bucket;

    read = walk->words[index] != UX_WALK_UNREAD;

    while (!ux_walk_copy(walk, index, &copy, &word)) {

        if (!read && walk->patience > 0) {
            walk->patience--;
            continue;
        }

        bucket = ux_bucket_get(&walk->store->table, index);

        for (i = 0; i < UX_BUCKET_SLOTS && !read; i++) {
            walk->skipped += ux_tag_get(bucket, i) != 0;
        }

        return;
    }

    for (i = 0; i < UX_BUCKET_SLOTS; i++) {
        if (ux_tag_get(&copy, i) != 0
            && (!read || copy.slots[i].head.other > index))
        {
            ux_walk_slot(walk, &copy.slots[i], true);
        }
    }
}


/* packed: what it was unpacked from, or NULL. */
static void
ux_walk_record(ux_image_walk_t *walk, ux_visitor_t *visitor,
    const uint8_t *packed, size_t len, bool again)
{
    uint8_t  own[UX_PACKED_MAX];

    if (!ux_image_record_ok(visitor, walk->limits)) {
        ux_image_record_fit(visitor, walk->limits);
        packed = NULL;
    }

    if (packed == NULL) {
        if (ux_visitor_pack(visitor, own, &len) != UX_OK
            || !ux_image_record_ok(visitor, walk->limits))
        {
            walk->skipped++;
            return;
        }

        packed = own;
    }

    if ((size_t) (walk->end - walk->at) < 2 + len) {
        walk->skipped += !again;
        return;
    }

    ux_image_put(walk->at, len | (again ? UX_IMAGE_AGAIN : 0), 2);
    memcpy(walk->at + 2, packed, len);

    walk->at += 2 + len;
    walk->n++;
}
