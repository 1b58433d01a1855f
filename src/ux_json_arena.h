
/*
 * Copyright (C) the nginx-ux authors
 *
 * Memory of a tree that is given up as one.  Nothing in it is freed on its
 * own.
 */

#ifndef UX_JSON_ARENA_H
#define UX_JSON_ARENA_H


#include "ux_base.h"


typedef struct ux_json_chunk_s  ux_json_chunk_t;

struct ux_json_chunk_s {
    ux_json_chunk_t  *next;
    size_t            size;            /* of what follows */
};

typedef struct {
    char             *pos;             /* what is left of the chunk in use */
    char             *last;
    ux_json_chunk_t  *chunk;
    ux_json_chunk_t  *first;
    size_t            chunk_size;
    bool              failed;          /* some of it could not be had */
} ux_json_arena_t;


/* Nothing is allocated yet; chunks are of chunk_size bytes at least. */
void ux_json_arena_init(ux_json_arena_t *arena, size_t chunk_size);

/* Of 8 bytes' alignment; NULL for want of memory, now and ever after. */
void *ux_json_arena_take(ux_json_arena_t *arena, size_t size);

/* All that was taken is given up, its memory is kept for what comes. */
void ux_json_arena_reset(ux_json_arena_t *arena);

void ux_json_arena_free(ux_json_arena_t *arena);


#endif
