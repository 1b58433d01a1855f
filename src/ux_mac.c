
/*
 * Copyright (C) the nginx-ux authors
 *
 * HMAC-SHA256 (RFC 2104, FIPS 180-4), truncated to its first 16 bytes, which
 * is what RFC 2104 section 5 allows at the least.
 *
 * Half of an HMAC's work is the same for all that one key signs: the hashes
 * that begin with the key's inner and outer block.  They are kept for the keys
 * used last, as they stand behind that block: a server has one key, or a few.
 * They belong to the process, which has one thread.  What is left is a block
 * for a short text, and one for its hash.  A key longer than UX_KEPT_KEY is
 * not kept.
 */

/*
 * SHA256_CTX for EVP_MAC and HMAC_CTX: to go on from a hash that has begun is
 * a copy of a hundred bytes here, and what the others allocate and look up
 * for it costs as much as the hash.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "ux_mac.h"

#include <limits.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>


#define UX_KEPT      8
#define UX_KEPT_KEY  128
#define UX_BLOCK     64              /* of SHA-256 */

_Static_assert(UX_MAC_LEN <= SHA256_DIGEST_LENGTH, "a mac is part of a hash");


typedef struct {
    bool        used;
    size_t      len;
    uint8_t     key[UX_KEPT_KEY];
    SHA256_CTX  inner;
    SHA256_CTX  outer;
} ux_kept_t;


static const ux_kept_t *ux_mac_kept(ux_str_t key);
static bool ux_mac_keep(ux_kept_t *kept, ux_str_t key);
static bool ux_mac_begin(SHA256_CTX *ctx, const uint8_t block[UX_BLOCK],
    uint8_t pad);


static ux_kept_t  ux_mac_keys[UX_KEPT];
static unsigned   ux_mac_next;       /* takes the place of the oldest */


ux_status_t
ux_mac(ux_str_t key, ux_str_t data, uint8_t mac[UX_MAC_LEN])
{
    unsigned          len;
    uint8_t           full[EVP_MAX_MD_SIZE];
    SHA256_CTX        ctx;
    const ux_kept_t  *kept;

    if (key.len == 0 || key.len > INT_MAX) {
        return UX_ERROR;
    }

    kept = ux_mac_kept(key);

    if (kept != NULL) {
        ctx = kept->inner;

        if (SHA256_Update(&ctx, data.data, data.len)
            && SHA256_Final(full, &ctx))
        {
            ctx = kept->outer;

            if (SHA256_Update(&ctx, full, SHA256_DIGEST_LENGTH)
                && SHA256_Final(full, &ctx))
            {
                memcpy(mac, full, UX_MAC_LEN);
                return UX_OK;
            }
        }
    }

    len = 0;

    if (HMAC(EVP_sha256(), key.data, (int) key.len,
             (const unsigned char *) data.data, data.len, full, &len)
        == NULL
        || len < UX_MAC_LEN)
    {
        return UX_ERROR;
    }

    memcpy(mac, full, UX_MAC_LEN);

    return UX_OK;
}


/* What is kept of this key; NULL: it is too long. */
static const ux_kept_t *
ux_mac_kept(ux_str_t key)
{
    unsigned    i;
    ux_kept_t  *kept;

    if (key.len > UX_KEPT_KEY) {
        return NULL;
    }

    for (i = 0; i < UX_KEPT; i++) {
        kept = &ux_mac_keys[i];

        if (kept->used && kept->len == key.len
            && memcmp(kept->key, key.data, key.len) == 0)
        {
            return kept;
        }
    }

    kept = &ux_mac_keys[ux_mac_next++ % UX_KEPT];
    kept->used = ux_mac_keep(kept, key);

    return kept->used ? kept : NULL;
}


/* A key longer than a block is its hash, says RFC 2104. */
static bool
ux_mac_keep(ux_kept_t *kept, ux_str_t key)
{
    uint8_t     block[UX_BLOCK];
    SHA256_CTX  ctx;

    memcpy(kept->key, key.data, key.len);
    kept->len = key.len;

    memset(block, 0, sizeof(block));

    if (key.len <= UX_BLOCK) {
        memcpy(block, key.data, key.len);

    } else if (!SHA256_Init(&ctx)
               || !SHA256_Update(&ctx, key.data, key.len)
               || !SHA256_Final(block, &ctx))
    {
        return false;
    }

    return ux_mac_begin(&kept->inner, block, 0x36)
           && ux_mac_begin(&kept->outer, block, 0x5c);
}


static bool
ux_mac_begin(SHA256_CTX *ctx, const uint8_t block[UX_BLOCK], uint8_t pad)
{
    size_t   i;
    uint8_t  padded[UX_BLOCK];

    for (i = 0; i < UX_BLOCK; i++) {
        padded[i] = block[i] ^ pad;
    }

    return SHA256_Init(ctx) && SHA256_Update(ctx, padded, UX_BLOCK);
}


bool
ux_mac_equal(const uint8_t a[UX_MAC_LEN], const uint8_t b[UX_MAC_LEN])
{
    return CRYPTO_memcmp(a, b, UX_MAC_LEN) == 0;
}
