
/*
 * Copyright (C) the nginx-ux authors
 *
 * Changes of counters that are made all, and each once, whoever is killed and
 * whoever else counts meanwhile: those of a merge.  The event path does not
 * need it.
 */

#ifndef UX_REDO_H
#define UX_REDO_H


#include "ux_counter.h"


#define UX_REDO_MAX    8000          /* changes of a list, at most */
#define UX_REDO_HEADS  1024


/* A change of a cell, or of a ring's, or a word of the zone's. */
typedef struct {
    uint32_t  cell;                  /* UX_REDO_... kind on top */
    uint32_t  bucket;
    int64_t   delta;
} ux_redo_change_t;


/* In the zone. */
typedef struct {
    ux_flux_t         flux;
    uint64_t          first;         /* number of the list's first change */
    uint64_t          end;           /* behind the last one of a list that
                                        is whole */
    ux_redo_change_t  changes[];
} ux_redo_memory_t;


/* Where the changes of a list are, by hash; the list maker's own memory. */
typedef struct {
    uint16_t  heads[UX_REDO_HEADS];  /* index + 1 */
    uint16_t  next[UX_REDO_MAX];
} ux_redo_index_t;


/* A process's view. */
typedef struct {
    ux_redo_memory_t  *memory;
    uint64_t          *zone;         /* all of it, */
    uint32_t           words;        /*   so long */
    uint32_t           max;
    uint32_t           n;            /* of the list that is being made */
    bool               full;         /* it has not all of them */
    ux_redo_index_t   *index;        /* while one is made */
} ux_redo_t;


/* Bytes of the memory, of a zone of this size. */
uint64_t ux_redo_bytes(uint64_t size);

/* How many changes that has room for. */
uint32_t ux_redo_room(uint64_t bytes);

/*
 * A new list, when the last one is finished, by the one process that makes
 * lists.  What is added to one cell becomes one change.  In the shared copy.
 */
void ux_redo_begin(ux_redo_t *redo);
void ux_redo_add(ux_redo_t *redo, uint32_t cell, int64_t delta);
void ux_redo_ring(ux_redo_t *redo, uint32_t cell, uint32_t bucket,
    int32_t delta);

/* After these, and once: `word`, of the zone, gets the value. */
void ux_redo_set(ux_redo_t *redo, const uint64_t *word, uint64_t value);

/*
 * What memory->end has to become for the list to count; nothing of it does
 * before.
 */
uint64_t ux_redo_end(const ux_redo_t *redo);
void ux_redo_commit(ux_redo_t *redo);

/*
 * Makes the changes of a whole list that are not made yet.  By one process at
 * a time: who made the list, or, once it is dead, another.  Bears being killed
 * at any instruction and called again.
 */
void ux_redo_finish(ux_redo_t *redo, ux_counter_t *counter);


#endif
