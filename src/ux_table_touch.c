
/*
 * Copyright (C) the nginx-ux authors
 *
 * The visitor table: requests that change nothing of a record but its times.
 * Most are, of visitors who are known.
 *
 * Such a request sees the record without a lock, and remembers the lock word
 * of its bucket.  While that word is free and the same, the slot holds what
 * was seen: a turn releases it with another sequence.  So one comparison tells
 * that the record still is as it was, and one compare-and-swap, from that word
 * to the same with an owner, that it is and will be.
 *
 * With the lock held, one store of 8 bytes changes both times.  Nothing has to
 * be journaled: the store is done or not.  The lock is released to the word
 * that it had, sequence included.  That is no fault to a reader without a
 * lock, which has either time, and whole; and others who have seen a record of
 * the bucket need not look again.  A repairer releases it as any other.
 *
 * In the packed bytes last_s stays as it was: the head's is the one that is.
 * A turn after which nothing else is another ends the same way, and so does
 * one that is given up.
 */

#include "ux_table_private.h"

#include <string.h>


typedef struct {
    uint32_t  expires_s;
    uint32_t  last_s;
} ux_times_t;


static ux_status_t ux_touch_look(ux_table_t *table, ux_key_t key,
    uint32_t now_s, ux_outline_t *outline, ux_seen_t *seen);
static ux_status_t ux_touch_read(ux_table_t *table, ux_key_t key,
    uint32_t now_s, ux_outline_t *outline, ux_seen_t *seen);
static void ux_touch_copy(const ux_slot_t *slot, ux_slot_head_t *head,
    uint64_t *words);
static ux_status_t ux_touch_write(ux_table_t *table, const ux_seen_t *seen,
    ux_bucket_t *bucket, uint32_t now_s);
static inline void ux_touch_stamp(const ux_table_t *table,
    ux_bucket_t *bucket, uint32_t slot, uint32_t first_s, uint32_t last_s);
static inline uint64_t *ux_touch_times(ux_bucket_t *bucket, uint32_t slot);


ux_status_t
ux_table_see(ux_table_t *table, ux_key_t key, uint32_t now_s,
    ux_outline_t *outline, ux_seen_t *seen)
{
    if (ux_touch_look(table, key, now_s, outline, seen) == UX_OK) {
        return UX_OK;
    }

    return ux_touch_read(table, key, now_s, outline, seen);
}


/* A function of its own, as a visitor takes much of the stack. */
static __attribute__((noinline)) ux_status_t
ux_touch_read(ux_table_t *table, ux_key_t key, uint32_t now_s,
    ux_outline_t *outline, ux_seen_t *seen)
{
    ux_status_t   rc;
    ux_visitor_t  visitor;

    rc = ux_table_read(table, key, now_s, &visitor);
    if (rc != UX_OK) {
        return rc;
    }

    ux_outline_of(outline, &visitor);

    seen->word = UX_LOCK_OWNER;        /* no word of a free lock */
    seen->slot = UX_PROCESS_NONE;
    seen->first_s = visitor.first_s;

    return UX_OK;
}


/* UX_DECLINED: it has to be read. */
static ux_status_t
ux_touch_look(ux_table_t *table, ux_key_t key, uint32_t now_s,
    ux_outline_t *outline, ux_seen_t *seen)
{
    uint64_t            words[(UX_SLOT_BYTES + UX_OUTLINE_PAD) / 8];
    ux_bucket_t        *bucket;
    ux_slot_head_t      head;
    const ux_slot_t    *slot;

    slot = ux_table_find(table, key, &seen->slot, &seen->word);

    if (slot == NULL || (seen->word & UX_LOCK_OWNER)) {
        return UX_DECLINED;
    }

    ux_touch_copy(slot, &head, words);

    __atomic_thread_fence(__ATOMIC_ACQUIRE);

    bucket = ux_bucket_get(table, seen->slot / UX_BUCKET_SLOTS);

    if (__atomic_load_n(&bucket->lock, __ATOMIC_RELAXED) != seen->word
        || head.key_id != key.id || head.part != 0
        || head.len > UX_SLOT_BYTES
        || head.expires_s <= ux_table_expiry(table, now_s)
        || ux_outline_read(outline, (const uint8_t *) words, head.len)
           != UX_OK)
    {
        return UX_DECLINED;
    }

    seen->first_s = outline->first_s;

    return UX_OK;
}


/* May be torn: the caller looks at the lock. */
static void
ux_touch_copy(const ux_slot_t *slot, ux_slot_head_t *head, uint64_t *words)
{
    unsigned         i, n;
    uint64_t         raw[3];
    const uint64_t  *from;

    from = (const uint64_t *) (const void *) slot;

    for (i = 0; i < 3; i++) {
        raw[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
    }

    memcpy(head, raw, sizeof(ux_slot_head_t));

    n = head->len < UX_SLOT_BYTES ? (head->len + 7u) / 8 : UX_SLOT_BYTES / 8;

    for (i = 0; i < n; i++) {
        words[i] = __atomic_load_n(&slot->words[i], __ATOMIC_RELAXED);
    }

    words[n] = 0;
}


ux_status_t
ux_table_same(const ux_table_t *table, ux_key_t key, const ux_seen_t *seen,
    uint32_t now_s, uint32_t *last_s)
{
    uint64_t              word, key_id;
    ux_times_t            times;
    ux_bucket_t          *bucket;
    const ux_slot_head_t *head;

    if (seen->slot / UX_BUCKET_SLOTS >= table->nbuckets
        || (seen->word & UX_LOCK_OWNER))
    {
        return UX_DECLINED;
    }

    bucket = ux_bucket_get(table, seen->slot / UX_BUCKET_SLOTS);
    head = &bucket->slots[seen->slot % UX_BUCKET_SLOTS].head;

    key_id = __atomic_load_n(&head->key_id, __ATOMIC_RELAXED);
    word = __atomic_load_n(ux_touch_times(bucket, seen->slot),
                           __ATOMIC_RELAXED);
    memcpy(&times, &word, sizeof(times));

    __atomic_thread_fence(__ATOMIC_ACQUIRE);

    if (__atomic_load_n(&bucket->lock, __ATOMIC_RELAXED) != seen->word
        || key_id != key.id
        || times.expires_s <= ux_table_expiry(table, now_s))
    {
        return UX_DECLINED;
    }

    *last_s = times.last_s;

    return UX_OK;
}


ux_status_t
ux_table_touch(ux_table_t *table, const ux_seen_t *seen, uint32_t now_s,
    uint32_t least_s, uint32_t most_s)
{
    uint32_t       idle_s;
    uint64_t       word;
    ux_times_t     times;
    ux_bucket_t   *bucket;

    if (seen->word & UX_LOCK_OWNER) {
        return UX_DECLINED;              /* of a record that was read */
    }

    bucket = ux_bucket_get(table, seen->slot / UX_BUCKET_SLOTS);
    word = __atomic_load_n(ux_touch_times(bucket, seen->slot),
                           __ATOMIC_RELAXED);
    memcpy(&times, &word, sizeof(times));

    __atomic_thread_fence(__ATOMIC_ACQUIRE);

    if (__atomic_load_n(&bucket->lock, __ATOMIC_RELAXED) != seen->word) {
        return UX_DECLINED;
    }

    idle_s = now_s - times.last_s;

    if (now_s < times.last_s || idle_s >= most_s
        || times.expires_s <= ux_table_expiry(table, now_s))
    {
        return UX_DECLINED;
    }

    if (idle_s == 0 || idle_s < least_s) {
        return UX_OK;
    }

    return ux_touch_write(table, seen, bucket, now_s);
}


static ux_status_t
ux_touch_write(ux_table_t *table, const ux_seen_t *seen, ux_bucket_t *bucket,
    uint32_t now_s)
{
    uint64_t       expected;
    ux_process_t  *process;

    if (table->me == UX_PROCESS_NONE) {
        return UX_DECLINED;
    }

    process = &table->processes[table->me];
    expected = seen->word;

    /* as a turn: named only after the locks of the last one are gone */
    __atomic_thread_fence(__ATOMIC_RELEASE);

    __atomic_store_n(&process->buckets[0], seen->slot / UX_BUCKET_SLOTS,
                     __ATOMIC_RELAXED);

    if (!__atomic_compare_exchange_n(&bucket->lock, &expected,
                                     seen->word | (table->me + 1), false,
                                     __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
    {
        return UX_DECLINED;
    }

    ux_touch_stamp(table, bucket, seen->slot, seen->first_s, now_s);
    __atomic_store_n(&bucket->lock, seen->word, __ATOMIC_RELEASE);

    return UX_OK;
}


void
ux_table_stamp(const ux_table_t *table, uint32_t slot, uint32_t first_s,
    uint32_t last_s)
{
    ux_touch_stamp(table, ux_bucket_get(table, slot / UX_BUCKET_SLOTS), slot,
                   first_s, last_s);
}


static inline void
ux_touch_stamp(const ux_table_t *table, ux_bucket_t *bucket, uint32_t slot,
    uint32_t first_s, uint32_t last_s)
{
    uint64_t    word;
    ux_times_t  times;

    times.last_s = last_s;
    times.expires_s = ux_table_expires(table, first_s, last_s);
    memcpy(&word, &times, sizeof(word));

    /* first: a bound too low is harmless, one too high is not */
    if (times.expires_s < bucket->earliest_s) {
        __atomic_store_n(&bucket->earliest_s, times.expires_s,
                         __ATOMIC_RELEASE);
    }

    __atomic_store_n(ux_touch_times(bucket, slot), word, __ATOMIC_RELAXED);
}


static inline uint64_t *
ux_touch_times(ux_bucket_t *bucket, uint32_t slot)
{
    return (uint64_t *) (void *) &bucket->slots[slot % UX_BUCKET_SLOTS]
           + UX_SLOT_TIMES;
}
