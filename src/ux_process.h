
/*
 * Copyright (C) the nginx-ux authors
 *
 * Processes that write to a zone: who lives, and the journal each leaves so
 * that a write cut short by SIGKILL is finished or forgotten by a survivor.
 */

#ifndef UX_PROCESS_H
#define UX_PROCESS_H


#include "ux_base.h"


#define UX_PROCESS_NONE  0xffffffffu
#define UX_SLOT_SIZE     128         /* bytes of one record of the table */
#define UX_IMAGES_MAX    16          /* records one turn may write */
#define UX_LOCKS_MAX     8           /* buckets one turn may hold */


/*
 * Lock word: sequence << 16 | owner, owner = index of the process entry + 1,
 * 0 = free.  The sequence grows by one with every release, but for those by
 * ux_lock_return(), so a reader that sees the same free word before and after
 * copying has a whole copy.
 */
typedef uint64_t  ux_lock_t;

#define UX_LOCK_OWNER  0xffffu


/*
 * Who a process is: start time (clock ticks since boot) << 22 | pid.  One
 * word, so that it can be compared and swapped; a pid used again differs in
 * its start time.  0: nobody.
 */
typedef uint64_t  ux_who_t;


typedef struct {
    uint32_t  slot;                  /* global slot number */
    uint16_t  tag;
    uint16_t  size;                  /* bytes to copy, a multiple of 8 */
    uint8_t   bytes[UX_SLOT_SIZE];
} ux_image_t;


typedef enum {
    UX_JOURNAL_IDLE = 0,             /* images mean nothing; locks may be
                                        held (those of `buckets`) */
    UX_JOURNAL_COMMITTED             /* images are whole; copying began */
} ux_journal_e;


/* In the zone. */
typedef struct {
    ux_who_t    who;                 /* 0: free */
    ux_who_t    repairer;            /* who cleans up after it; 0: nobody */
    uint32_t    state;               /* ux_journal_e */
    uint32_t    nimages;
    uint32_t    buckets[UX_LOCKS_MAX];  /* every one it may hold the lock
                                        of; UX_PROCESS_NONE: none */
    uint64_t    note;                /* goes with the images: see
                                        ux_table_t.end; 0: none */
    ux_image_t  images[UX_IMAGES_MAX];
} ux_process_t;

_Static_assert(sizeof(ux_image_t) == 8 + UX_SLOT_SIZE, "image");
_Static_assert(sizeof(ux_process_t) == 64 + UX_IMAGES_MAX * 136, "process");


/* True while the process that filled the entry lives (a zombie does not). */
bool ux_process_alive(const ux_process_t *process);

/*
 * Finishes or forgets what a dead process left and releases its locks.
 * Called with the entry's `repairer` held by the calling process: the entry
 * is dead and stays so, and nobody else repairs it meanwhile.  Must bear
 * being killed at any instruction and called again.
 */
typedef void (*ux_repair_pt)(void *ctx, uint32_t dead);

/*
 * Claims an entry for the calling process: its own stale one, else the
 * lowest that is free or a dead one's (after repair through the callback).
 * Returns its index, or UX_PROCESS_NONE.
 */
uint32_t ux_process_claim(ux_process_t *processes, uint32_t n,
    ux_repair_pt repair, void *ctx);

/* Gives the entry back; the process must hold no lock. */
void ux_process_release(ux_process_t *processes, uint32_t index);

/*
 * Repairs the entry if its process is dead and nobody else is at it; me: the
 * caller's own.
 */
void ux_process_rescue(ux_process_t *processes, uint32_t index, uint32_t me,
    ux_repair_pt repair, void *ctx);

/*
 * One bounded attempt to take a lock: spins about 1 us, then yields up to
 * about 1 ms; a dead owner is repaired through the callback and the attempt
 * goes on.  UX_BUSY: a living owner kept it.
 */
ux_status_t ux_lock_take(ux_lock_t *lock, uint32_t me,
    ux_process_t *processes, ux_repair_pt repair, void *ctx);

/* The same without taking it: waits for a free word.  me may be
 * UX_PROCESS_NONE: then nothing is repaired. */
ux_status_t ux_lock_wait(ux_lock_t *lock, uint32_t me,
    ux_process_t *processes, ux_repair_pt repair, void *ctx);

/* One compare-and-swap, no wait, no repair. */
ux_status_t ux_lock_try(ux_lock_t *lock, uint32_t me);

/* By the owner, or by the repairer of a dead owner. */
void ux_lock_release(ux_lock_t *lock);

/*
 * The same by a writer that has changed nothing which a sequence is to tell:
 * the word is again what it was before it was taken.
 */
void ux_lock_return(ux_lock_t *lock);


#endif
