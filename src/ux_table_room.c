
/*
 * Copyright (C) the nginx-ux authors
 *
 * The visitor table: room for a record in its two buckets, and who has to go
 * for it.
 *
 * Before a live and confirmed visitor has to go, one is moved: a visitor of
 * one part whose other bucket has a slot free or expired goes there (a single
 * step of cuckoo hashing; Pagh and Rodler 2001).  Without that, a table full
 * of living and expired visitors loses 1 % of the living at a load of .93.
 * The move and what it makes room for are images of one turn.
 *
 * A victim goes as a whole.  Parts of it in a third bucket need that lock as
 * well: it is tried once, without waiting; if that fails, or the images would
 * not fit into the journal, the next best victim is taken.  With at most 8
 * parts to place and victims inside the two buckets, 15 images are the most:
 * only the last victim can leave slots over, 7 of them.
 */

#include "ux_table_private.h"


typedef enum {
    UX_ROOM_FREE = 0,
    UX_ROOM_EXPIRED,
    UX_ROOM_PROVISIONAL,
    UX_ROOM_AWAY,                    /* confirmed, no open cart */
    UX_ROOM_CART,
    UX_ROOM_TAKEN                    /* the visitor's own, or in use by us */
} ux_room_e;


/* One look at the two buckets, when no slot is free. */
typedef struct {
    unsigned   n;
    uint32_t   slots[2 * UX_BUCKET_SLOTS];
    uint32_t   last_s[2 * UX_BUCKET_SLOTS];
    ux_room_e  classes[2 * UX_BUCKET_SLOTS];
    uint32_t   looser;               /* bucket with more to be had for free */
} ux_room_scan_t;


/* One victim's slots. */
typedef struct {
    unsigned  ninside;               /* in the key's two buckets */
    unsigned  noutside;
    uint32_t  inside[UX_PARTS_MAX];
    uint32_t  outside[UX_PARTS_MAX];
} ux_victim_t;


static uint32_t ux_room_first(const ux_room_t *room);
static unsigned ux_room_free(ux_room_t *room, uint32_t bucket,
    unsigned need);
static unsigned ux_bucket_free(const ux_table_t *table, uint32_t bucket);
static ux_status_t ux_room_clear(ux_room_t *room, unsigned need);
static void ux_room_scan(const ux_room_t *room, ux_room_scan_t *scan);
static ux_room_e ux_room_class(const ux_room_t *room,
    const ux_slot_head_t *head);
static unsigned ux_room_best(const ux_room_scan_t *scan);
static bool ux_room_better(const ux_room_scan_t *scan, unsigned a,
    unsigned b);
static ux_status_t ux_room_move(ux_room_t *room, const ux_room_scan_t *scan,
    unsigned *need);
static uint32_t ux_room_target(ux_room_t *room, uint32_t bucket);
static bool ux_room_promised(const ux_room_t *room, uint32_t slot);
static ux_status_t ux_room_evict(ux_room_t *room, uint32_t slot,
    unsigned *need);
static void ux_victim_collect(const ux_room_t *room, uint32_t bucket,
    const ux_slot_head_t *head, ux_victim_t *victim);
static ux_status_t ux_room_lock(ux_room_t *room, uint32_t bucket);
static void ux_room_unlock(ux_room_t *room, unsigned held);
static void ux_room_forget(const ux_room_t *room, ux_room_scan_t *scan);


ux_status_t
ux_room_find(ux_room_t *room, unsigned need)
{
    uint32_t  first, second;

    first = ux_room_first(room);
    second = first == room->turn->buckets[0] ? room->turn->buckets[1]
                                             : room->turn->buckets[0];

    need = ux_room_free(room, first, need);

    if (need != 0 && second != UX_PROCESS_NONE) {
        need = ux_room_free(room, second, need);
    }

    return need == 0 ? UX_OK : ux_room_clear(room, need);
}


/* The bucket to fill: where the visitor is already, else the emptier one. */
static uint32_t
ux_room_first(const ux_room_t *room)
{
    const ux_turn_t  *turn;

    turn = room->turn;

    if (room->nslots != 0) {
        return room->slots[0] / UX_BUCKET_SLOTS;
    }

    if (turn->buckets[1] != UX_PROCESS_NONE
        && ux_bucket_free(room->table, turn->buckets[1])
           > ux_bucket_free(room->table, turn->buckets[0]))
    {
        return turn->buckets[1];
    }

    return turn->buckets[0];
}


static unsigned
ux_bucket_free(const ux_table_t *table, uint32_t bucket)
{
    unsigned            i;
    uint64_t            word, used;
    const ux_bucket_t  *b;

    b = ux_bucket_get(table, bucket);
    used = 0;

    /* four tags a word: the lowest bit of each lane is set where one is */

    for (i = 0; i < UX_BUCKET_SLOTS / 4; i++) {
        word = __atomic_load_n(&b->tags[i], __ATOMIC_RELAXED);
        word |= (word & 0x7fff7fff7fff7fffull) + 0x7fff7fff7fff7fffull;
        used += word >> 15 & 0x0001000100010001ull;
    }

    /* their sum in the highest lane */

    return UX_BUCKET_SLOTS - (unsigned) (used * 0x0001000100010001ull >> 48);
}


/* Takes free slots of the bucket; returns how many are still needed. */
static unsigned
ux_room_free(ux_room_t *room, uint32_t bucket, unsigned need)
{
    unsigned            i;
    const ux_bucket_t  *b;

    b = ux_bucket_get(room->table, bucket);

    for (i = 0; i < UX_BUCKET_SLOTS && need != 0; i++) {
        if (ux_tag_get(b, i) == 0) {
            room->slots[room->nslots++] = bucket * UX_BUCKET_SLOTS + i;
            need--;
        }
    }

    return need;
}


/* Evicts, best victims first, until there is room. */
static ux_status_t
ux_room_clear(ux_room_t *room, unsigned need)
{
    unsigned        i;
    ux_room_e       class, worst;
    ux_room_scan_t  scan;

    worst = room->confirmed ? UX_ROOM_CART : UX_ROOM_PROVISIONAL;

    ux_room_scan(room, &scan);

    while (need != 0 && scan.n != 0) {
        i = ux_room_best(&scan);
        class = scan.classes[i];

        if (class > worst) {
            return UX_FULL;
        }

        if (class > UX_ROOM_PROVISIONAL
            && ux_room_move(room, &scan, &need) == UX_OK)
        {
            ux_room_forget(room, &scan);
            continue;
        }

        if (ux_room_evict(room, scan.slots[i], &need) != UX_OK) {
            scan.classes[i] = UX_ROOM_TAKEN;
            continue;
        }

        room->effects.expired += class == UX_ROOM_EXPIRED;
        room->effects.evicted += class != UX_ROOM_EXPIRED;

        ux_room_forget(room, &scan);
    }

    return need == 0 ? UX_OK : UX_FULL;
}


static void
ux_room_scan(const ux_room_t *room, ux_room_scan_t *scan)
{
    unsigned               b, i;
    unsigned               loose[2];
    uint32_t               bucket, slot;
    const ux_slot_head_t  *head;

    scan->n = 0;
    loose[0] = 0;
    loose[1] = 0;

    for (b = 0; b < 2; b++) {
        bucket = room->turn->buckets[b];

        if (bucket == UX_PROCESS_NONE) {
            break;
        }

        for (i = 0; i < UX_BUCKET_SLOTS; i++) {
            slot = bucket * UX_BUCKET_SLOTS + i;
            head = &ux_slot_get(room->table, slot)->head;

            scan->slots[scan->n] = slot;
            scan->last_s[scan->n] = head->last_s;
            scan->classes[scan->n] = ux_room_class(room, head);
            loose[b] += scan->classes[scan->n] <= UX_ROOM_PROVISIONAL;
            scan->n++;
        }
    }

    scan->looser = room->turn->buckets[loose[1] > loose[0]];

    ux_room_forget(room, scan);
}


static ux_room_e
ux_room_class(const ux_room_t *room, const ux_slot_head_t *head)
{
    if (head->key_id == room->turn->key.id) {
        return UX_ROOM_TAKEN;
    }

    if (head->expires_s <= room->now_s) {
        return UX_ROOM_EXPIRED;
    }

    if (head->flags & UX_SLOT_PROVISIONAL) {
        return UX_ROOM_PROVISIONAL;
    }

    return head->flags & UX_SLOT_CART_OPEN ? UX_ROOM_CART : UX_ROOM_AWAY;
}


/* Slots that the turn uses or empties already are nobody's any more. */
static void
ux_room_forget(const ux_room_t *room, ux_room_scan_t *scan)
{
    unsigned  i, j;

    for (i = 0; i < scan->n; i++) {
        for (j = 0; j < room->nslots; j++) {
            if (room->slots[j] == scan->slots[i]) {
                scan->classes[i] = UX_ROOM_TAKEN;
            }
        }

        for (j = 0; j < room->nfreed; j++) {
            if (room->freed[j] == scan->slots[i]) {
                scan->classes[i] = UX_ROOM_TAKEN;
            }
        }
    }
}


static unsigned
ux_room_best(const ux_room_scan_t *scan)
{
    unsigned  i, best;

    best = 0;

    for (i = 1; i < scan->n; i++) {
        if (ux_room_better(scan, i, best)) {
            best = i;
        }
    }

    return best;
}


/*
 * By class; expired ones of the bucket that has more to give, so that the two
 * stay even; then who is longest away.
 */
static bool
ux_room_better(const ux_room_scan_t *scan, unsigned a, unsigned b)
{
    bool  a_looser, b_looser;

    if (scan->classes[a] != scan->classes[b]) {
        return scan->classes[a] < scan->classes[b];
    }

    if (scan->classes[a] == UX_ROOM_EXPIRED) {
        a_looser = scan->slots[a] / UX_BUCKET_SLOTS == scan->looser;
        b_looser = scan->slots[b] / UX_BUCKET_SLOTS == scan->looser;

        if (a_looser != b_looser) {
            return a_looser;
        }
    }

    return scan->last_s[a] < scan->last_s[b];
}


/* Frees one slot by moving whom it holds.  UX_FULL: nobody can move. */
static ux_status_t
ux_room_move(ux_room_t *room, const ux_room_scan_t *scan, unsigned *need)
{
    unsigned               i, held;
    uint32_t               to;
    const ux_slot_head_t  *head;

    if (room->nslots + *need + room->nfreed + room->nmoves
        >= UX_IMAGES_MAX)
    {
        return UX_FULL;
    }

    for (i = 0; i < scan->n; i++) {
        head = &ux_slot_get(room->table, scan->slots[i])->head;

        if (scan->classes[i] == UX_ROOM_TAKEN || head->len > UX_SLOT_BYTES
            || head->other >= room->table->nbuckets
            || head->other == room->turn->buckets[0]
            || head->other == room->turn->buckets[1])
        {
            continue;
        }

        held = room->nlocks;

        if (ux_room_lock(room, head->other) != UX_OK) {
            continue;
        }

        to = ux_room_target(room, head->other);

        if (to != UX_PROCESS_NONE) {
            room->moves[room->nmoves].from = scan->slots[i];
            room->moves[room->nmoves].to = to;
            room->nmoves++;
            room->slots[room->nslots++] = scan->slots[i];
            (*need)--;

            return UX_OK;
        }

        ux_room_unlock(room, held);
    }

    return UX_FULL;
}


/*
 * A slot of the locked bucket that nobody needs: free, or of one part and
 * expired, which is then accounted for.  UX_PROCESS_NONE: none.  In a bucket
 * full of the living this mostly reads its first line only.
 */
static uint32_t
ux_room_target(ux_room_t *room, uint32_t bucket)
{
    unsigned               i;
    uint32_t               slot, best, earliest_s;
    ux_bucket_t           *b;
    const ux_slot_head_t  *head;

    b = ux_bucket_get(room->table, bucket);
    best = UX_PROCESS_NONE;
    earliest_s = UINT32_MAX;

    for (i = 0; i < UX_BUCKET_SLOTS; i++) {
        slot = bucket * UX_BUCKET_SLOTS + i;

        if (ux_tag_get(b, i) == 0 && !ux_room_promised(room, slot)) {
            return slot;
        }
    }

    if (b->earliest_s > room->now_s) {
        return UX_PROCESS_NONE;
    }

    for (i = 0; i < UX_BUCKET_SLOTS; i++) {
        slot = bucket * UX_BUCKET_SLOTS + i;
        head = &b->slots[i].head;

        if (head->expires_s < earliest_s) {
            earliest_s = head->expires_s;
        }

        if (head->expires_s <= room->now_s && head->len <= UX_SLOT_BYTES
            && !ux_room_promised(room, slot))
        {
            best = slot;
        }
    }

    if (best == UX_PROCESS_NONE) {
        __atomic_store_n(&b->earliest_s, earliest_s, __ATOMIC_RELAXED);
        return UX_PROCESS_NONE;
    }

    head = &ux_slot_get(room->table, best)->head;
    room->effects.expired++;
    room->effects.provisional_gone +=
        (head->flags & UX_SLOT_PROVISIONAL) != 0;

    return best;
}


/* Somebody moves there in this turn already. */
static bool
ux_room_promised(const ux_room_t *room, uint32_t slot)
{
    unsigned  i;

    for (i = 0; i < room->nmoves; i++) {
        if (room->moves[i].to == slot) {
            return true;
        }
    }

    return false;
}


/*
 * Takes all slots of the visitor in `slot`: those inside for the newcomer as
 * long as it needs any, the rest to be emptied.  UX_BUSY: this one cannot go
 * now; nothing changed but a lock that may be held in addition.
 */
static ux_status_t
ux_room_evict(ux_room_t *room, uint32_t slot, unsigned *need)
{
    unsigned               i, images;
    uint32_t               bucket;
    ux_victim_t            victim;
    const ux_slot_head_t  *head;

    head = &ux_slot_get(room->table, slot)->head;
    bucket = slot / UX_BUCKET_SLOTS;

    victim.ninside = 0;
    victim.noutside = 0;

    ux_victim_collect(room, bucket, head, &victim);

    if (head->flags & UX_SLOT_SPLIT && head->other < room->table->nbuckets
        && head->other != bucket)
    {
        if (ux_room_lock(room, head->other) != UX_OK) {
            return UX_BUSY;
        }

        ux_victim_collect(room, head->other, head, &victim);
    }

    images = room->nslots + *need + room->nfreed + room->nmoves
             + victim.noutside;

    if (victim.ninside > *need) {
        images += victim.ninside - *need;
    }

    if (images > UX_IMAGES_MAX) {
        return UX_BUSY;
    }

    for (i = 0; i < victim.ninside; i++) {
        if (*need != 0) {
            room->slots[room->nslots++] = victim.inside[i];
            (*need)--;

        } else {
            room->freed[room->nfreed++] = victim.inside[i];
        }
    }

    for (i = 0; i < victim.noutside; i++) {
        room->freed[room->nfreed++] = victim.outside[i];
    }

    if (head->flags & UX_SLOT_PROVISIONAL) {
        room->effects.provisional_gone++;
    }

    return UX_OK;
}


/* The victim's slots in one bucket, which is locked. */
static void
ux_victim_collect(const ux_room_t *room, uint32_t bucket,
    const ux_slot_head_t *head, ux_victim_t *victim)
{
    bool                inside;
    unsigned            i;
    uint32_t            slot;
    const ux_bucket_t  *b;

    b = ux_bucket_get(room->table, bucket);
    inside = bucket == room->turn->buckets[0]
             || bucket == room->turn->buckets[1];

    for (i = 0; i < UX_BUCKET_SLOTS; i++) {
        if (ux_tag_get(b, i) == 0 || b->slots[i].head.key_id != head->key_id
            || victim->ninside + victim->noutside == UX_PARTS_MAX)
        {
            continue;
        }

        slot = bucket * UX_BUCKET_SLOTS + i;

        if (inside) {
            victim->inside[victim->ninside++] = slot;

        } else {
            victim->outside[victim->noutside++] = slot;
        }
    }
}


/* Holds the bucket's lock from now on, if it is to be had at once. */
static ux_status_t
ux_room_lock(ux_room_t *room, uint32_t bucket)
{
    unsigned       i;
    ux_status_t    rc;
    ux_process_t  *process;

    process = &room->table->processes[room->table->me];

    for (i = 0; i < room->nlocks; i++) {
        if (process->buckets[i] == bucket) {
            return UX_OK;
        }
    }

    if (room->nlocks == UX_LOCKS_MAX) {
        return UX_BUSY;
    }

    /* noted before it is tried: a survivor looks at the noted ones only */
    __atomic_store_n(&process->buckets[room->nlocks], bucket,
                     __ATOMIC_RELEASE);

    rc = ux_lock_try(&ux_bucket_get(room->table, bucket)->lock,
                     room->table->me);

    if (rc == UX_OK) {
        room->nlocks++;
    }

    return rc;
}


/* Gives back what ux_room_lock() has taken since. */
static void
ux_room_unlock(ux_room_t *room, unsigned held)
{
    const ux_process_t  *process;

    process = &room->table->processes[room->table->me];

    while (room->nlocks > held) {
        room->nlocks--;
        ux_lock_release(&ux_bucket_get(room->table,
                                       process->buckets[room->nlocks])->lock);
    }
}
