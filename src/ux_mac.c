
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

#include "ux_mac.h"

#include <limits.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>


#define UX_KEPT      8
#define UX_KEPT_KEY  128


typedef struct {
    EVP_MAC_CTX  *ctx;               /* keyed; NULL: free */
    size_t        len;
    uint8_t       key[UX_KEPT_KEY];
} ux_kept_t;


static EVP_MAC_CTX *ux_mac_kept(ux_str_t key);
static bool ux_mac_keep(ux_kept_t *kept, ux_str_t key);


static ux_kept_t  ux_mac_contexts[UX_KEPT];
static unsigned   ux_mac_next;       /* takes the place of the oldest */


ux_status_t
ux_mac(ux_str_t key, ux_str_t data, uint8_t mac[UX_MAC_LEN])
{
    size_t        n;
    unsigned      len;
    uint8_t       full[EVP_MAX_MD_SIZE];
    EVP_MAC_CTX  *ctx;

    if (key.len == 0 || key.len > INT_MAX) {
        return UX_ERROR;
    }

    ctx = ux_mac_kept(key);

    if (ctx != NULL
        && EVP_MAC_update(ctx, (const unsigned char *) data.data, data.len)
        && EVP_MAC_final(ctx, full, &n, sizeof(full)) && n >= UX_MAC_LEN)
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
static EVP_MAC_CTX *
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
            return EVP_MAC_init(kept->ctx, NULL, 0, NULL) ? kept->ctx : NULL;
        }
    }

    kept = &ux_mac_contexts[ux_mac_next++ % UX_KEPT];

    return ux_mac_keep(kept, key) ? kept->ctx : NULL;
}


static bool
ux_mac_keep(ux_kept_t *kept, ux_str_t key)
{
    EVP_MAC     *mac;
    char         digest[] = "SHA256";
    OSSL_PARAM   params[2];

    EVP_MAC_CTX_free(kept->ctx);
    kept->ctx = NULL;

    mac = EVP_MAC_fetch(NULL, "HMAC", NULL);

    if (mac != NULL) {
        kept->ctx = EVP_MAC_CTX_new(mac);
        EVP_MAC_free(mac);
    }

    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
                                                 digest, 0);
    params[1] = OSSL_PARAM_construct_end();

    if (kept->ctx == NULL
        || !EVP_MAC_init(kept->ctx, (const unsigned char *) key.data, key.len,
                         params))
    {
        EVP_MAC_CTX_free(kept->ctx);
        kept->ctx = NULL;
        return false;
    }

    memcpy(kept->key, key.data, key.len);
    kept->len = key.len;

    return true;
}


bool
ux_mac_equal(const uint8_t a[UX_MAC_LEN], const uint8_t b[UX_MAC_LEN])
{
    return CRYPTO_memcmp(a, b, UX_MAC_LEN) == 0;
}
