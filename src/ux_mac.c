
/*
 * Copyright (C) the nginx-ux authors
 *
 * HMAC-SHA256 (RFC 2104, FIPS 180-4), truncated to its first 16 bytes, which
 * is what RFC 2104 section 5 allows at the least.
 */

#include "ux_mac.h"

#include <limits.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>


ux_status_t
ux_mac(ux_str_t key, ux_str_t data, uint8_t mac[UX_MAC_LEN])
{
    unsigned  len;
    uint8_t   full[EVP_MAX_MD_SIZE];

    if (key.len == 0 || key.len > INT_MAX) {
        return UX_ERROR;
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


bool
ux_mac_equal(const uint8_t a[UX_MAC_LEN], const uint8_t b[UX_MAC_LEN])
{
    return CRYPTO_memcmp(a, b, UX_MAC_LEN) == 0;
}
