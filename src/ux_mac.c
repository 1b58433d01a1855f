
/*
 * Copyright (C) the nginx-ux authors
 *
 * HMAC-SHA256 (RFC 2104, FIPS 180-4), truncated to its first 16 bytes, which
 * is what RFC 2104 section 5 allows at the least.
 *
 * Setting a key up costs OpenSSL four times what the MAC itself does, so the
 * contexts of the keys used last are kept: a server has one key, or a few.
 * They belong to the process, which has one thread.  A key longer than
 * UX_KEPT_KEY, or a context that cannot be had, costs the time and no more.
 */

/*
 * HMAC_CTX for EVP_MAC: to begin anew with the same key is what every version
 * of the first can; of the second 3.0.0 to 3.0.2 go on where they were.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "ux_mac.h"

#include <limits.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>


#define UX_KEPT      8
#define UX_KEPT_KEY  128


typedef struct {
    HMAC_CTX  *ctx;                  /* keyed; NULL: free */
    size_t     len;
    uint8_t    key[UX_KEPT_KEY];
} ux_kept_t;


static HMAC_CTX *ux_mac_kept(ux_str_t key);
static bool ux_mac_keep(ux_kept_t *kept, ux_str_t key);


static ux_kept_t  ux_mac_contexts[UX_KEPT];
static unsigned   ux_mac_next;       /* takes the place of the oldest */


ux_status_t
ux_mac(ux_str_t key, ux_str_t data, uint8_t mac[UX_MAC_LEN])
{
    unsigned   len;
    uint8_t    full[EVP_MAX_MD_SIZE];
    HMAC_CTX  *ctx;

    if (key.len == 0 || key.len > INT_MAX) {
        return UX_ERROR;
    }

    ctx = ux_mac_kept(key);
    len = 0;

    if (ctx != NULL
        && HMAC_Update(ctx, (const unsigned char *) data.data, data.len)
        && HMAC_Final(ctx, full, &len) && len >= UX_MAC_LEN)
    {
        memcpy(mac, full, UX_MAC_LEN);
        return UX_OK;
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


/* A context of this key, begun anew; NULL: there is none. */
static HMAC_CTX *
ux_mac_kept(ux_str_t key)
{
    unsigned    i;
    ux_kept_t  *kept;

    if (key.len > UX_KEPT_KEY) {
        return NULL;
    }

    for (i = 0; i < UX_KEPT; i++) {
        kept = &ux_mac_contexts[i];

        if (kept->ctx != NULL && kept->len == key.len
            && memcmp(kept->key, key.data, key.len) == 0)
        {
            return HMAC_Init_ex(kept->ctx, NULL, 0, NULL, NULL) ? kept->ctx
                                                                : NULL;
        }
    }

    kept = &ux_mac_contexts[ux_mac_next++ % UX_KEPT];

    return ux_mac_keep(kept, key) ? kept->ctx : NULL;
}


static bool
ux_mac_keep(ux_kept_t *kept, ux_str_t key)
{
    HMAC_CTX_free(kept->ctx);
    kept->ctx = HMAC_CTX_new();

    if (kept->ctx == NULL
        || !HMAC_Init_ex(kept->ctx, key.data, (int) key.len, EVP_sha256(),
                         NULL))
    {
        HMAC_CTX_free(kept->ctx);
        kept->ctx = NULL;
        return false;
    }

    memcpy(kept->key, key.data, key.len);
    kept->len = key.len;

    return true;
}


void
ux_mac_forget(void)
{
    unsigned  i;

    for (i = 0; i < UX_KEPT; i++) {
        HMAC_CTX_free(ux_mac_contexts[i].ctx);
    }

    OPENSSL_cleanse(ux_mac_contexts, sizeof(ux_mac_contexts));
}


bool
ux_mac_equal(const uint8_t a[UX_MAC_LEN], const uint8_t b[UX_MAC_LEN])
{
    return CRYPTO_memcmp(a, b, UX_MAC_LEN) == 0;
}
