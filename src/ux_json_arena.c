
/*
 * Copyright (C) the nginx-ux authors
 *
 * Chunks in a list, filled one after the other.  A report is a hundred nodes
 * for each figure that somebody looks at: to ask malloc() for each of them,
 * their names and their values, and to free them one by one, was more than
 * half of its cost.
 */

#include "ux_json_arena.h"
#include "ux_json.h"

#include <string.h>


#define UX_JSON_ALIGNMENT  8u


static bool ux_json_arena_more(ux_json_arena_t *arena, size_t size);
static void ux_json_arena_use(ux_json_arena_t *arena, ux_json_chunk_t *chunk);


void
ux_json_arena_init(ux_json_arena_t *arena, size_t chunk_size)
{
    memset(arena, 0, sizeof(ux_json_arena_t));
    arena->chunk_size = chunk_size;
}


void *
ux_json_arena_take(ux_json_arena_t *arena, size_t size)
{
    char  *p;

    size = (size + UX_JSON_ALIGNMENT - 1) & ~(size_t) (UX_JSON_ALIGNMENT - 1);

    if ((size_t) (arena->last - arena->pos) < size
        && !ux_json_arena_more(arena, size))
    {
        return NULL;
    }

    p = arena->pos;
    arena->pos += size;

    return p;
}


/* The next chunk, or one that is large enough before it. */
static bool
ux_json_arena_more(ux_json_arena_t *arena, size_t size)
{
    ux_json_chunk_t  *chunk, **next;

    if (arena->failed) {
        return false;
    }

    next = arena->chunk != NULL ? &arena->chunk->next : &arena->first;
    chunk = *next;

    if (chunk == NULL || chunk->size < size) {
        size = size > arena->chunk_size ? size : arena->chunk_size;
        chunk = ux_json_alloc(sizeof(ux_json_chunk_t) + size);

        if (chunk == NULL) {
            arena->failed = true;
            arena->pos = arena->last;
            return false;
        }

        chunk->next = *next;
        chunk->size = size;
        *next = chunk;
    }

    ux_json_arena_use(arena, chunk);

    return true;
}


static void
ux_json_arena_use(ux_json_arena_t *arena, ux_json_chunk_t *chunk)
{
    arena->chunk = chunk;
    arena->pos = (char *) (chunk + 1);
    arena->last = arena->pos + chunk->size;
}


void
ux_json_arena_reset(ux_json_arena_t *arena)
{
    arena->failed = false;

    if (arena->first != NULL) {
        ux_json_arena_use(arena, arena->first);
    }
}


void
ux_json_arena_free(ux_json_arena_t *arena)
{
    ux_json_chunk_t  *chunk, *next;

    for (chunk = arena->first; chunk != NULL; chunk = next) {
        next = chunk->next;
        ux_json_free(chunk);
    }

    ux_json_arena_init(arena, arena->chunk_size);
}
