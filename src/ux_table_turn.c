
/*
 * Copyright (C) the nginx-ux authors
 *
 * The visitor table: a writer's turn, from the locks to their release.  The
 * order of the stores here is the argument of ux_table.c; change neither
 * without the other.
 */

#include "ux_table_private.h"

#include <string.h>


static ux_status_t ux_turn_begin(ux_table_t *table, ux_key_t key,
    ux_turn_t *turn, ux_copy_t *copy);
static ux_status_t ux_turn_lock(ux_table_t *table, const ux_turn_t *turn);
static void ux_turn_end(ux_table_t *table, unsigned nlocks);
static void ux_turn_same(ux_table_t *table);
static void ux_turn_publish(ux_table_t *table, unsigned nlocks,
    unsigned nimages, uint64_t note);
static ux_status_t ux_turn_room(ux_room_t *room, unsigned parts);
static void ux_turn_old(ux_room_t *room);
static void ux_turn_images(ux_room_t *room, const ux_visitor_t *visitor,
    const uint8_t *packed, size_t len);
static ux_slot_head_t ux_turn_head(const ux_room_t *room,
    const ux_visitor_t *visitor, size_t len);
static bool ux_turn_owns(const ux_turn_t *turn, uint32_t slot);
static void ux_image_empty(ux_image_t *image, uint32_t slot);
static void ux_image_move(const ux_table_t *table, ux_image_t *image,
    const ux_move_t *move);
static void ux_image_copy(ux_table_t *table, const ux_image_t *image);


ux_status_t
ux_table_open(ux_table_t *table, ux_key_t key, uint32_t now_s,
    ux_visitor_t *visitor, ux_turn_t *turn)
{
    ux_copy_t    copy;
    ux_status_t  rc;

    rc = ux_turn_begin(table, key, turn, &copy);
    if (rc != UX_OK) {
        return rc;
    }

    if (ux_copy_whole(&copy)
        && copy.head.expires_s > ux_table_expiry(table, now_s)
        && ux_visitor_unpack(visitor, (const uint8_t *) copy.words,
                             copy.head.len)
           == UX_OK)
    {
        visitor->key_id = key.id;
        visitor->last_s = copy.head.last_s;
        turn->found = true;
        ux_visitor_keep(&turn->was, visitor);

        return UX_OK;
    }

    ux_visitor_init(visitor, key.id, now_s);

    return UX_OK;
}


/* Takes the locks of the key and looks up its record. */
static ux_status_t
ux_turn_begin(ux_table_t *table, ux_key_t key, ux_turn_t *turn,
    ux_copy_t *copy)
{
    ux_place_t   place;
    ux_status_t  rc;

    if (table->me == UX_PROCESS_NONE) {
        return UX_BUSY;
    }

    place = ux_table_place(table, key);

    turn->key = key;
    turn->buckets[0] = place.buckets[0];
    turn->buckets[1] = place.buckets[1];
    turn->found = false;

    rc = ux_turn_lock(table, turn);
    if (rc != UX_OK) {
        return rc;
    }

    ux_table_gather(table, &place, key.id, copy);

    turn->nparts = (uint8_t) copy->nslots;
    memcpy(turn->parts, copy->slots, copy->nslots * sizeof(uint32_t));

    return UX_OK;
}


static ux_status_t
ux_turn_lock(ux_table_t *table, const ux_turn_t *turn)
{
    uint32_t       i, lo, hi;
    ux_process_t  *process;

    process = &table->processes[table->me];

    /* ascending; UX_PROCESS_NONE is the highest of all */
    lo = turn->buckets[0];
    hi = turn->buckets[1];

    if (lo > hi) {
        lo = turn->buckets[1];
        hi = turn->buckets[0];
    }

    __builtin_prefetch(ux_bucket_get(table, lo), 1);

    if (hi != UX_PROCESS_NONE) {
        __builtin_prefetch(ux_bucket_get(table, hi), 1);
    }

    /* named only after the locks of the last turn are gone */
    __atomic_thread_fence(__ATOMIC_RELEASE);

    __atomic_store_n(&process->buckets[0], lo, __ATOMIC_RELAXED);
    __atomic_store_n(&process->buckets[1], hi, __ATOMIC_RELAXED);

    for (i = 0; i < 2; i++) {
        if (process->buckets[i] == UX_PROCESS_NONE) {
            break;
        }

        if (ux_lock_take(&ux_bucket_get(table, process->buckets[i])->lock,
                         table->me, table->processes, ux_table_repair, table)
            != UX_OK)
        {
            ux_turn_end(table, i);
            return UX_BUSY;
        }
    }

    return UX_OK;
}


/* Releases the first nlocks of the buckets named in the journal. */
static void
ux_turn_end(ux_table_t *table, unsigned nlocks)
{
    unsigned       i;
    uint32_t       bucket;
    ux_process_t  *process;

    process = &table->processes[table->me];

    for (i = 0; i < nlocks; i++) {
        bucket = process->buckets[i];

        if (bucket != UX_PROCESS_NONE) {
            ux_lock_release(&ux_bucket_get(table, bucket)->lock);
        }
    }
}


/*
 * Ends a turn that left the record as it was, but for its times: who has seen
 * it has seen what it is.  See ux_table_touch.c.
 */
static void
ux_turn_same(ux_table_t *table)
{
    unsigned       i;
    uint32_t       bucket;
    ux_process_t  *process;

    process = &table->processes[table->me];

    for (i = 0; i < 2; i++) {
        bucket = process->buckets[i];

        if (bucket != UX_PROCESS_NONE) {
            ux_lock_return(&ux_bucket_get(table, bucket)->lock);
        }
    }
}


void
ux_table_abort(ux_table_t *table, ux_turn_t *turn)
{
    turn->found = false;
    ux_turn_same(table);
}


ux_status_t
ux_table_commit(ux_table_t *table, ux_turn_t *turn,
    const ux_visitor_t *visitor, uint32_t now_s,
    ux_table_effects_t *effects)
{
    size_t       len;
    uint8_t      packed[UX_PACKED_MAX];
    ux_room_t    room;
    ux_status_t  rc;

    memset(effects, 0, sizeof(ux_table_effects_t));

    if (turn->found && turn->nparts == 1 && table->noted == NULL
        && ux_visitor_same(visitor, &turn->was))
    {
        ux_table_stamp(table, turn->parts[0], visitor->first_s,
                       visitor->last_s);
        ux_turn_same(table);

        return UX_OK;
    }

    room.table = table;
    room.turn = turn;
    room.now_s = ux_table_expiry(table, now_s);
    room.confirmed = visitor->confirmed;
    room.nlocks = 2;
    room.nslots = 0;
    room.nfreed = 0;
    room.nmoves = 0;
    memset(&room.effects, 0, sizeof(ux_table_effects_t));

    rc = ux_visitor_pack(visitor, packed, &len);

    if (rc == UX_OK) {
        rc = ux_turn_room(&room, ux_slot_parts((unsigned) len));
    }

    if (rc != UX_OK) {
        ux_turn_end(table, room.nlocks);
        return UX_FULL;
    }

    ux_turn_old(&room);
    ux_turn_images(&room, visitor, packed, len);
    ux_turn_publish(table, room.nlocks,
                    room.nslots + room.nfreed + room.nmoves,
                    table->noted == NULL
                    ? 0 : table->noted(table->noted_ctx, &room.effects));

    *effects = room.effects;

    return UX_OK;
}


/* The slots it has, and more of them or fewer. */
static ux_status_t
ux_turn_room(ux_room_t *room, unsigned parts)
{
    unsigned          i;
    const ux_turn_t  *turn;

    turn = room->turn;

    for (i = 0; i < turn->nparts; i++) {
        if (i < parts) {
            room->slots[room->nslots++] = turn->parts[i];

        } else {
            room->freed[room->nfreed++] = turn->parts[i];
        }
    }

    if (room->nslots == parts) {
        return UX_OK;
    }

    return ux_room_find(room, parts - room->nslots);
}


/* A new record may replace an old one of the same key: accounts for both. */
static void
ux_turn_old(ux_room_t *room)
{
    ux_table_effects_t    *effects;
    const ux_turn_t       *turn;
    const ux_slot_head_t  *old;

    turn = room->turn;
    effects = &room->effects;

    if (turn->found) {
        return;
    }

    effects->inserted++;

    if (turn->nparts == 0) {
        return;
    }

    old = &ux_slot_get(room->table, turn->parts[0])->head;

    if (old->expires_s <= room->now_s) {
        effects->expired++;

    } else {
        effects->evicted++;          /* unreadable: a fault of ours */
    }

    if (old->flags & UX_SLOT_PROVISIONAL) {
        effects->provisional_gone++;
    }
}


static void
ux_turn_images(ux_room_t *room, const ux_visitor_t *visitor,
    const uint8_t *packed, size_t len)
{
    size_t           at, n;
    unsigned         i;
    ux_image_t      *image;
    ux_place_t       place;
    ux_slot_head_t   head;

    image = room->table->processes[room->table->me].images;
    place = ux_table_place(room->table, room->turn->key);
    head = ux_turn_head(room, visitor, len);

    for (i = 0; i < room->nslots; i++, image++) {
        at = (size_t) i * UX_SLOT_BYTES;
        n = len - at < UX_SLOT_BYTES ? len - at : UX_SLOT_BYTES;

        head.part = (uint8_t) i;
        head.other = room->slots[i] / UX_BUCKET_SLOTS == place.buckets[0]
                     ? place.buckets[1] : place.buckets[0];

        image->slot = room->slots[i];
        image->tag = place.tag;

        memcpy(image->bytes, &head, sizeof(head));
        memcpy(image->bytes + sizeof(head), packed + at, n);
        n += sizeof(head);

        /* its own slot holds nobody else's bytes behind the new ones */
        image->size = ux_turn_owns(room->turn, room->slots[i])
                      ? (uint16_t) ((n + 7) / 8 * 8) : UX_SLOT_SIZE;

        memset(image->bytes + n, 0, image->size - n);
    }

    for (i = 0; i < room->nfreed; i++, image++) {
        ux_image_empty(image, room->freed[i]);
    }

    for (i = 0; i < room->nmoves; i++, image++) {
        ux_image_move(room->table, image, &room->moves[i]);
    }
}


static ux_slot_head_t
ux_turn_head(const ux_room_t *room, const ux_visitor_t *visitor, size_t len)
{
    unsigned        i;
    ux_slot_head_t  head;

    head.key_id = room->turn->key.id;
    head.last_s = visitor->last_s;
    head.expires_s = ux_table_expires(room->table, visitor->first_s,
                                      visitor->last_s);
    head.other = UX_PROCESS_NONE;
    head.len = (uint16_t) len;
    head.part = 0;
    head.flags = visitor->confirmed ? 0 : UX_SLOT_PROVISIONAL;

    for (i = 0; i < visitor->ntracks; i++) {
        head.flags |= i > 0 && visitor->tracks[i].waiting ? UX_SLOT_WAITING
                                                          : 0;

        if (ux_visitor_carts(&visitor->tracks[i]) & UX_CART_WORD_OPEN) {
            head.flags |= UX_SLOT_CART_OPEN;
        }
    }

    for (i = 1; i < room->nslots; i++) {
        if (room->slots[i] / UX_BUCKET_SLOTS
            != room->slots[0] / UX_BUCKET_SLOTS)
        {
            head.flags |= UX_SLOT_SPLIT;
        }
    }

    return head;
}


uint32_t
ux_table_expires(const ux_table_t *table, uint32_t first_s, uint32_t last_s)
{
    uint32_t  life_s, expires_s;

    life_s = table->inactive_s > table->max_window_s ? table->inactive_s
                                                     : table->max_window_s;

    expires_s = last_s > UINT32_MAX - life_s ? UINT32_MAX : last_s + life_s;

    if (table->retention_s != 0 && expires_s > first_s
        && expires_s - first_s > table->retention_s)
    {
        return first_s + table->retention_s;
    }

    return expires_s;
}


static bool
ux_turn_owns(const ux_turn_t *turn, uint32_t slot)
{
    unsigned  i;

    for (i = 0; i < turn->nparts; i++) {
        if (turn->parts[i] == slot) {
            return true;
        }
    }

    return false;
}


/* Steps 4 to 7 of the turn. */
static void
ux_turn_publish(ux_table_t *table, unsigned nlocks, unsigned nimages,
    uint64_t note)
{
    ux_process_t  *process;

    process = &table->processes[table->me];
    process->nimages = nimages;
    process->note = note;

    __atomic_store_n(&process->state, UX_JOURNAL_COMMITTED, __ATOMIC_RELEASE);

    ux_journal_copy(table, process);

    __atomic_store_n(&process->state, UX_JOURNAL_IDLE, __ATOMIC_RELEASE);

    ux_turn_end(table, nlocks);
}


ux_status_t
ux_table_erase(ux_table_t *table, ux_key_t key, uint32_t now_s,
    bool *was_provisional)
{
    unsigned     i;
    ux_copy_t    copy;
    ux_turn_t    turn;
    ux_image_t  *images;
    ux_status_t  rc;

    (void) now_s;                    /* an expired record goes as well */

    *was_provisional = false;

    rc = ux_turn_begin(table, key, &turn, &copy);
    if (rc != UX_OK) {
        return rc;
    }

    if (turn.nparts == 0) {
        ux_turn_end(table, 2);
        return UX_DECLINED;
    }

    *was_provisional = ux_slot_get(table, turn.parts[0])->head.flags
                       & UX_SLOT_PROVISIONAL;

    images = table->processes[table->me].images;

    for (i = 0; i < turn.nparts; i++) {
        ux_image_empty(&images[i], turn.parts[i]);
    }

    ux_turn_publish(table, 2, turn.nparts, 0);

    return UX_OK;
}


static void
ux_image_empty(ux_image_t *image, uint32_t slot)
{
    image->slot = slot;
    image->tag = 0;
    image->size = UX_SLOT_SIZE;
    memset(image->bytes, 0, UX_SLOT_SIZE);
}


/* The record as it is, but in the other of its two buckets. */
static void
ux_image_move(const ux_table_t *table, ux_image_t *image,
    const ux_move_t *move)
{
    uint32_t   bucket;
    ux_slot_t  slot;

    bucket = move->from / UX_BUCKET_SLOTS;

    slot = *ux_slot_get(table, move->from);
    slot.head.other = bucket;

    image->slot = move->to;
    image->tag = ux_tag_get(ux_bucket_get(table, bucket),
                            move->from % UX_BUCKET_SLOTS);
    image->size = UX_SLOT_SIZE;
    memcpy(image->bytes, &slot, UX_SLOT_SIZE);
}


void
ux_journal_copy(ux_table_t *table, const ux_process_t *process)
{
    unsigned  i;

    /*
     * Orders the lock words and the state before what follows, for readers
     * and for the compiler.
     */
    __atomic_thread_fence(__ATOMIC_RELEASE);

    for (i = 0; i < process->nimages && i < UX_IMAGES_MAX; i++) {
        ux_image_copy(table, &process->images[i]);
    }

    if (process->note != 0 && table->end != NULL
        && __atomic_load_n(table->end, __ATOMIC_RELAXED) < process->note)
    {
        __atomic_store_n(table->end, process->note, __ATOMIC_RELEASE);
    }
}


static void
ux_image_copy(ux_table_t *table, const ux_image_t *image)
{
    unsigned         i, shift;
    uint64_t         word, *tags, *to;
    ux_bucket_t     *bucket;
    ux_slot_head_t   head;

    if (image->slot / UX_BUCKET_SLOTS >= table->nbuckets
        || image->size > UX_SLOT_SIZE)
    {
        return;                      /* foreign bytes in the journal */
    }

    bucket = ux_bucket_get(table, image->slot / UX_BUCKET_SLOTS);
    memcpy(&head, image->bytes, sizeof(head));

    /* first: a bound too low is harmless, one too high is not */
    if (image->tag != 0 && head.expires_s < bucket->earliest_s) {
        __atomic_store_n(&bucket->earliest_s, head.expires_s,
                         __ATOMIC_RELEASE);
    }

    to = (uint64_t *) (void *) ux_slot_get(table, image->slot);

    for (i = 0; i < image->size / 8u; i++) {
        memcpy(&word, image->bytes + i * 8, 8);
        __atomic_store_n(&to[i], word, __ATOMIC_RELAXED);
    }

    tags = &bucket->tags[image->slot % UX_BUCKET_SLOTS / 4];
    shift = image->slot % 4 * 16;

    word = __atomic_load_n(tags, __ATOMIC_RELAXED);
    word = (word & ~(0xffffull << shift)) | (uint64_t) image->tag << shift;
    __atomic_store_n(tags, word, __ATOMIC_RELAXED);
}
