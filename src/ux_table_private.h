
/*
 * Copyright (C) the nginx-ux authors
 *
 * What the files of the visitor table share: the layout in the zone, the
 * look-up, the search for room.  The design is told in ux_table.c.
 */

#ifndef UX_TABLE_PRIVATE_H
#define UX_TABLE_PRIVATE_H


#include "ux_table.h"

#include <stddef.h>


#define UX_SLOT_BYTES    104         /* of a packed visitor in one slot */
#define UX_PARTS_MAX     8

#define UX_SLOT_PROVISIONAL  0x01
#define UX_SLOT_CART_OPEN    0x02
#define UX_SLOT_SPLIT        0x04    /* parts in both buckets of the key */
#define UX_SLOT_WAITING      0x08    /* a page was prefetched */


/* All parts of a visitor bear the same head but for `part`. */
typedef struct {
    uint64_t  key_id;
    uint32_t  expires_s;
    uint32_t  last_s;
    uint32_t  other;                 /* the key's other bucket */
    uint16_t  len;                   /* of the whole packed visitor */
    uint8_t   part;
    uint8_t   flags;                 /* UX_SLOT_... */
} ux_slot_head_t;


typedef struct {
    ux_slot_head_t  head;
    uint64_t        words[UX_SLOT_BYTES / 8];
} ux_slot_t;


/*
 * The second word of a head.  The only one that changes without the record:
 * see ux_table_touch.c.
 */
#define UX_SLOT_TIMES  1

_Static_assert(offsetof(ux_slot_head_t, expires_s) == UX_SLOT_TIMES * 8
               && offsetof(ux_slot_head_t, last_s) == UX_SLOT_TIMES * 8 + 4,
               "both times are in one word");


/* A slot is free when its tag is 0. */
typedef struct {
    ux_lock_t  lock;
    uint64_t   tags[UX_BUCKET_SLOTS / 4];      /* four in a word */
    uint32_t   earliest_s;           /* no slot expires before; 0: unknown */
    uint32_t   spare[5];
    ux_slot_t  slots[UX_BUCKET_SLOTS];
} ux_bucket_t;

_Static_assert(sizeof(ux_slot_head_t) == 24, "slot head");
_Static_assert(sizeof(ux_slot_t) == UX_SLOT_SIZE, "slot");
_Static_assert(sizeof(ux_bucket_t) == 64 + UX_BUCKET_SLOTS * UX_SLOT_SIZE,
               "bucket");
_Static_assert(UX_PACKED_MAX == UX_PARTS_MAX * UX_SLOT_BYTES, "parts");


/* Where a key lives.  buckets[1] is UX_PROCESS_NONE in a table of one. */
typedef struct {
    uint32_t  buckets[2];
    uint16_t  tag;                   /* never 0 */
} ux_place_t;


/* A record copied out of the table. */
typedef struct {
    ux_slot_head_t  head;            /* of the last part found */
    unsigned        nslots;
    uint32_t        slots[UX_IMAGES_MAX];    /* in no order */
    uint32_t        seen;            /* mask of parts */
    uint64_t        words[UX_PACKED_MAX / 8];
} ux_copy_t;


/* A visitor of one part that makes room by going to its other bucket. */
typedef struct {
    uint32_t  from;
    uint32_t  to;
} ux_move_t;


/* Where a commit writes, and what has to go for it. */
typedef struct {
    ux_table_t          *table;
    const ux_turn_t     *turn;
    uint32_t             now_s;
    bool                 confirmed;
    unsigned             nlocks;
    unsigned             nslots;
    uint32_t             slots[UX_PARTS_MAX];     /* for part 0, 1, ... */
    unsigned             nfreed;
    uint32_t             freed[UX_IMAGES_MAX];
    unsigned             nmoves;
    ux_move_t            moves[UX_PARTS_MAX];     /* from: among slots */
    ux_table_effects_t   effects;
} ux_room_t;


static inline ux_bucket_t *
ux_bucket_get(const ux_table_t *table, uint32_t bucket)
{
    return (ux_bucket_t *) (void *) table->buckets + bucket;
}


static inline ux_slot_t *
ux_slot_get(const ux_table_t *table, uint32_t slot)
{
    return &ux_bucket_get(table, slot / UX_BUCKET_SLOTS)
                ->slots[slot % UX_BUCKET_SLOTS];
}


static inline uint16_t
ux_tag_get(const ux_bucket_t *bucket, unsigned i)
{
    return (uint16_t) (__atomic_load_n(&bucket->tags[i / 4],
                                       __ATOMIC_RELAXED)
                       >> (i % 4 * 16));
}


static inline unsigned
ux_slot_parts(unsigned len)
{
    return (len + UX_SLOT_BYTES - 1) / UX_SLOT_BYTES;
}


ux_place_t ux_table_place(const ux_table_t *table, ux_key_t key);

/*
 * Copies what there is of the record; without the locks it may be torn, but
 * no index in it is out of range.
 */
void ux_table_gather(const ux_table_t *table, const ux_place_t *place,
    uint64_t key_id, ux_copy_t *copy);

/* All parts there, each once. */
bool ux_copy_whole(const ux_copy_t *copy);

/* When a record expires that was made and last seen then. */
uint32_t ux_table_expires(const ux_table_t *table, uint32_t first_s,
    uint32_t last_s);

/*
 * Both times of a record of one part, in place.  The lock of its bucket is
 * held; a kill leaves the old ones or the new ones.
 */
void ux_table_stamp(const ux_table_t *table, uint32_t slot, uint32_t first_s,
    uint32_t last_s);

/*
 * The slot of the record's first part, and the word of its bucket's lock
 * before that was looked for; NULL: none is seen.  *at, any number, is where
 * to look first, and becomes where it is.
 */
const ux_slot_t *ux_table_find(const ux_table_t *table, ux_key_t key,
    uint32_t *at, uint64_t *word);

/*
 * Adds `need` slots to room->slots, and to room->freed what else of the
 * victims has to be emptied, and to room->moves who changes its bucket.  May
 * lock further buckets (room->nlocks).
 * UX_FULL: the room is of no use.
 */
ux_status_t ux_room_find(ux_room_t *room, unsigned need);

/* Copies the images of a journal into their slots. */
void ux_journal_copy(ux_table_t *table, const ux_process_t *process);


#endif
