
/*
 * Copyright (C) the nginx-ux authors
 *
 * XXH3, compiled in: most inputs are under 128 bytes, where a call through
 * the library costs as much as the hash.
 *
 * The zone's 128-bit index key becomes a 64-bit seed by the finalizer of
 * SplitMix64 (Steele, Lea, Flood 2014), another one for each use.  It keeps a
 * stranger who picks keys (a login name, an app header) from aiming at one
 * bucket; it is no MAC and nothing is signed with it.
 */

#include "ux_hash.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>


/* Tells the uses of one index key apart. */
#define UX_HASH_FOR_KEY    0x6b6579ull
#define UX_HASH_FOR_VALUE  0x76616c7565ull


static uint64_t ux_hash_stream(ux_str_t salt, ux_str_t purpose,
    ux_str_t suffix, ux_str_t key);
static char *ux_hash_append(char *p, ux_str_t s);
static uint64_t ux_hash_seed(const uint64_t index_key[2], uint64_t use);
static uint64_t ux_hash_mix(uint64_t x);


uint64_t
ux_hash64(const void *data, size_t len)
{
    return XXH3_64bits(data, len);
}


uint64_t
ux_hash_assign(ux_str_t salt, ux_str_t purpose, ux_str_t suffix, ux_str_t key)
{
    char  *p;
    char   buf[UX_HASH_INPUT_MAX];

    if (salt.len > sizeof(buf) || purpose.len > sizeof(buf)
        || suffix.len > sizeof(buf) || key.len > sizeof(buf)
        || salt.len + purpose.len + suffix.len + key.len + 2 > sizeof(buf))
    {
        return ux_hash_stream(salt, purpose, suffix, key);
    }

    p = ux_hash_append(buf, salt);
    *p++ = '\0';

    p = ux_hash_append(p, purpose);
    p = ux_hash_append(p, suffix);
    *p++ = '\0';

    p = ux_hash_append(p, key);

    return XXH3_64bits(buf, (size_t) (p - buf));
}


double
ux_hash_unit(uint64_t h)
{
    return ((double) (h >> 12) + 0.5) * 0x1p-52;
}


ux_key_t
ux_hash_key(const uint64_t index_key[2], ux_str_t key)
{
    XXH128_hash_t  h;

    h = XXH3_128bits_withSeed(key.data, key.len,
                              ux_hash_seed(index_key, UX_HASH_FOR_KEY));

    return ux_hash_key_of(h.low64);
}


/* Not the other half: a snapshot has only the identities of its records. */
ux_key_t
ux_hash_key_of(uint64_t id)
{
    ux_key_t  key;

    key.id = id;
    key.place = ux_hash_mix(id);

    return key;
}


uint64_t
ux_hash_keyed(const uint64_t index_key[2], ux_str_t value)
{
    return XXH3_64bits_withSeed(value.data, value.len,
                                ux_hash_seed(index_key, UX_HASH_FOR_VALUE));
}


static uint64_t
ux_hash_stream(ux_str_t salt, ux_str_t purpose, ux_str_t suffix, ux_str_t key)
{
    size_t        i;
    XXH3_state_t  state;

    const ux_str_t  zero = { "", 1 };
    const ux_str_t  parts[] = { salt, zero, purpose, suffix, zero, key };

    /* The library tells a fresh state from a seeded one by its content. */
    memset(&state, 0, sizeof(state));

    (void) XXH3_64bits_reset(&state);

    for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i].len) {
            (void) XXH3_64bits_update(&state, parts[i].data, parts[i].len);
        }
    }

    return XXH3_64bits_digest(&state);
}


static char *
ux_hash_append(char *p, ux_str_t s)
{
    if (s.len) {
        memcpy(p, s.data, s.len);
    }

    return p + s.len;
}


static uint64_t
ux_hash_seed(const uint64_t index_key[2], uint64_t use)
{
    return ux_hash_mix(ux_hash_mix(index_key[0] + use) + index_key[1]);
}


static uint64_t
ux_hash_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;

    return x ^ (x >> 31);
}
