
/*
 * Copyright (C) the nginx-ux authors
 *
 * The visitor table: two-choice buckets of 16 slots, fixed size, no pointers,
 * no lock wider than a bucket, every write journaled.
 */

#ifndef UX_TABLE_H
#define UX_TABLE_H


#include "ux_hash.h"
#include "ux_outline.h"
#include "ux_process.h"


#define UX_BUCKET_SLOTS  16


/* What commit did besides writing, for the zone's counters. */
typedef struct {
    unsigned  inserted;
    unsigned  evicted;               /* live visitors */
    unsigned  expired;
    unsigned  provisional_gone;      /* provisional ones among the two */
} ux_table_effects_t;


/*
 * Called by a commit that is about to be: what *end is to become with it,
 * more than it is.
 */
typedef uint64_t (*ux_noted_pt)(void *ctx, const ux_table_effects_t *effects);


/* A process's view of the table. */
typedef struct {
    uint8_t       *buckets;
    uint32_t       nbuckets;
    ux_process_t  *processes;
    uint32_t       nprocesses;
    uint32_t       me;               /* process index, UX_PROCESS_NONE: reader
                                        only */
    uint32_t       inactive_s;
    uint32_t       retention_s;      /* no record gets older; 0: off */
    uint32_t       max_window_s;     /* longest window of any experiment or
                                        cart: records live at least so long */
    uint64_t      *expiry;           /* the clock of ux_table_expiry(), shared;
                                        NULL: records expire by now_s */
    uint64_t      *end;              /* shared: becomes, and with the record
                                        or not at all, what `noted` says;
                                        NULL: no table of merges */
    ux_noted_pt    noted;            /* NULL: nothing is noted */
    void          *noted_ctx;
} ux_table_t;


/* The little of a record that says whether it has to be read. */
typedef struct {
    uint64_t  cookie_hash;
    uint32_t  last_s;
    bool      confirmed;
    bool      waiting;               /* a page was prefetched */
    uint64_t  word;                  /* of its bucket's lock, free */
} ux_glance_t;


/* A record of one part as it was seen, for ux_table_touch(). */
typedef struct {
    uint64_t  word;                  /* of its bucket's lock, free */
    uint32_t  slot;                  /* before: where to look first, any
                                        number */
    uint32_t  first_s;
} ux_seen_t;


/* One open record: between ux_table_open() and commit or abort. */
typedef struct {
    ux_key_t  key;
    uint32_t  buckets[2];
    bool      found;
    uint8_t   nparts;                /* slots it occupies now */
    uint32_t  parts[UX_IMAGES_MAX];
    ux_visitor_t  was;               /* ux_visitor_keep(), if `found` */
} ux_turn_t;


size_t ux_table_size(uint32_t nbuckets);

/* Visitors it is sized for: slots times the load it keeps its promise at. */
uint64_t ux_table_capacity(uint32_t nbuckets);

/*
 * What records expire by: now_s, behind which it stays after a leap.  To be
 * called at least once an hour, by whichever process: all calls below do.
 */
uint32_t ux_table_expiry(const ux_table_t *table, uint32_t now_s);

/*
 * Copies the record without a lock.  UX_OK; UX_DECLINED: no record, or an
 * expired one; UX_BUSY: a living writer held it all along.
 */
ux_status_t ux_table_read(ux_table_t *table, ux_key_t key, uint32_t now_s,
    ux_visitor_t *visitor);

/*
 * A look at the record: no lock, no copy.  UX_DECLINED: no record, an expired
 * one, or it changes right now.
 */
ux_status_t ux_table_glance(ux_table_t *table, ux_key_t key, uint32_t now_s,
    ux_glance_t *glance);

/*
 * The same, at first at the place *at, any number, and else everywhere; then
 * *at is where the record was.
 */
ux_status_t ux_table_glance_at(ux_table_t *table, ux_key_t key,
    uint32_t now_s, uint32_t *at, ux_glance_t *glance);

/*
 * Is the record of that key at seen->slot as it was when its bucket's lock had
 * that word, but for its times?  If so, *last_s is the one that is now.
 * UX_DECLINED: not certainly, or it has expired.
 */
ux_status_t ux_table_same(const ux_table_t *table, ux_key_t key,
    const ux_seen_t *seen, uint32_t now_s, uint32_t *last_s);

/*
 * As ux_table_read(), but only what most requests ask of a record, without
 * unpacking it.  Of one in several parts, and while somebody writes, it is
 * unpacked after all, and ux_table_touch() will decline.
 */
ux_status_t ux_table_see(ux_table_t *table, ux_key_t key, uint32_t now_s,
    ux_outline_t *outline, ux_seen_t *seen);

/*
 * A turn that changes nothing but when the visitor was here: last_s becomes
 * now_s, if it is at least least_s ago.  Written in place, with no copy of the
 * record.  UX_DECLINED: the record is not certainly the one seen, its last_s
 * is most_s ago or more, in the future, or it has expired; nothing is changed
 * then.
 */
ux_status_t ux_table_touch(ux_table_t *table, const ux_seen_t *seen,
    uint32_t now_s, uint32_t least_s, uint32_t most_s);

/*
 * Takes the turn of writing the record: visitor is filled from it, or made
 * new (turn->found false).  Must be followed by commit or abort at once: no
 * allocation, logging or system call between them.  UX_BUSY: nothing held.
 */
ux_status_t ux_table_open(ux_table_t *table, ux_key_t key, uint32_t now_s,
    ux_visitor_t *visitor, ux_turn_t *turn);

/*
 * Writes the record, in place where nothing changed but last_s, and else
 * making room if it must, in this order: free slots,
 * expired visitors, provisional ones, moving somebody to its other bucket,
 * then the one longest away that has no open cart, then the one longest away.
 * A provisional newcomer drives out only expired and provisional ones.
 * UX_FULL: no room; the old record, if any, is as it was.  The turn is over
 * in any case.
 */
ux_status_t ux_table_commit(ux_table_t *table, ux_turn_t *turn,
    const ux_visitor_t *visitor, uint32_t now_s,
    ux_table_effects_t *effects);

void ux_table_abort(ux_table_t *table, ux_turn_t *turn);

/* Erases the record at once (consent withdrawn). UX_DECLINED: none. */
ux_status_t ux_table_erase(ux_table_t *table, ux_key_t key, uint32_t now_s,
    bool *was_provisional);

/* Finishes or forgets what a dead process left; a ux_repair_pt. */
void ux_table_repair(void *table, uint32_t dead);


#endif
