
/*
 * Copyright (C) the nginx-ux authors
 *
 * All hashing of the core: XXH3, the only user of xxhash.h.
 */

#ifndef UX_HASH_H
#define UX_HASH_H


#include "ux_base.h"


#define UX_HASH_INPUT_MAX  2048   /* salt + purpose + key, in one buffer */


/* A keyed hash, and what follows from it. */
typedef struct {
    uint64_t  id;          /* identity of a visitor record */
    uint64_t  place;       /* where it lives: buckets and tag */
} ux_key_t;


/* XXH3_64bits, seed 0. */
uint64_t ux_hash64(const void *data, size_t len);

/*
 * XXH3_64bits, seed 0, over salt '\0' purpose [suffix] '\0' key; the
 * assignment hash of DESIGN.md section 2.  Any lengths (streams when the
 * bytes exceed UX_HASH_INPUT_MAX).
 */
uint64_t ux_hash_assign(ux_str_t salt, ux_str_t purpose, ux_str_t suffix,
    ux_str_t key);

/* ((h >> 12) + 0.5) * 2^-52: exact, never 0 or 1. */
double ux_hash_unit(uint64_t h);

/*
 * The low half of XXH3_128bits with a seed derived from the zone's 128-bit
 * index key.
 */
ux_key_t ux_hash_key(const uint64_t index_key[2], ux_str_t key);

/* The key of a record of which only the identity is known. */
ux_key_t ux_hash_key_of(uint64_t id);

/* XXH3_64bits keyed likewise, for "this cookie value was verified". */
uint64_t ux_hash_keyed(const uint64_t index_key[2], ux_str_t value);


#endif
