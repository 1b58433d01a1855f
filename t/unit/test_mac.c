
/*
 * Copyright (C) the nginx-ux authors
 *
 * Test cases of RFC 4231, truncated to 16 bytes, and that a comparison does
 * not tell by its time how much of a mac was right.
 */

#include <string.h>

#include "tap.h"
#include "ux_cookie.h"
#include "ux_mac.h"


/* Stands in for OpenSSL's, which the core then calls: what it was asked. */
int CRYPTO_memcmp(const void *a, const void *b, size_t len);

static bool mac_is(ux_str_t key, ux_str_t data, const char *hex);
static void test_equal(void);
static void test_many_keys(void);
static void test_constant_time(void);
static bool forged_verifies(const char *good, size_t len, size_t at);


static unsigned  compared;          /* calls of CRYPTO_memcmp */
static size_t    compared_bytes;    /* of all of them */


int
main(void)
{
    char      buf[131], data[50];
    uint8_t   mac[UX_MAC_LEN];
    ux_str_t  key;

    memset(buf, 0x0b, 20);
    ok(mac_is((ux_str_t) { buf, 20 }, (ux_str_t) ux_str("Hi There"),
              "b0344c61d8db38535ca8afceaf0bf12b"), "RFC 4231, case 1");

    ok(mac_is((ux_str_t) { buf, 20 }, (ux_str_t) ux_str("Hi There"),
              "b0344c61d8db38535ca8afceaf0bf12b")
       && mac_is((ux_str_t) { buf, 20 }, (ux_str_t) ux_str("Hi There"),
                 "b0344c61d8db38535ca8afceaf0bf12b"),
       "and again, by the context that was kept");

    ok(mac_is((ux_str_t) ux_str("Jefe"),
              (ux_str_t) ux_str("what do ya want for nothing?"),
              "5bdcc146bf60754e6a042426089575c7"), "RFC 4231, case 2");

    memset(buf, 0xaa, 20);
    memset(data, 0xdd, sizeof(data));
    ok(mac_is((ux_str_t) { buf, 20 }, (ux_str_t) { data, sizeof(data) },
              "773ea91e36800e46854db8ebd09181a7"), "RFC 4231, case 3");

    memset(buf, 0xaa, sizeof(buf));
    ok(mac_is((ux_str_t) { buf, sizeof(buf) },
              (ux_str_t) ux_str("Test Using Larger Than Block-Size Key - Hash"
                                " Key First"),
              "60e431591ee0b67f0d8a26aacbf5b77f"), "RFC 4231, case 6");

    /* a block of the hash, and what is more; by another program */

    ok(mac_is((ux_str_t) { buf, 64 }, (ux_str_t) ux_str("Hi There"),
              "ebef34e13d0a0fe04593d043bc7a8651"), "a key of a block");
    ok(mac_is((ux_str_t) { buf, 65 }, (ux_str_t) ux_str("Hi There"),
              "00af6c42340b99e2e1d9a1cdf1547be4"), "of a byte more");
    ok(mac_is((ux_str_t) { buf, 100 }, (ux_str_t) ux_str("Hi There"),
              "4e9638590f2780370491dacfd8e20c85"), "of a block and a half");

    key.data = buf;
    key.len = 0;
    ok(ux_mac(key, (ux_str_t) ux_str("x"), mac) == UX_ERROR, "an empty key");

    test_equal();
    test_many_keys();
    test_constant_time();

    return done();
}


int
CRYPTO_memcmp(const void *a, const void *b, size_t len)
{
    size_t          i;
    unsigned        differing;
    const uint8_t  *x, *y;

    compared++;
    compared_bytes += len;

    x = a;
    y = b;
    differing = 0;

    for (i = 0; i < len; i++) {
        differing |= x[i] ^ y[i];
    }

    return (int) differing;
}


static bool
mac_is(ux_str_t key, ux_str_t data, const char *hex)
{
    int      i;
    char     text[2 * UX_MAC_LEN + 1];
    uint8_t  mac[UX_MAC_LEN];

    if (ux_mac(key, data, mac) != UX_OK) {
        return false;
    }

    for (i = 0; i < UX_MAC_LEN; i++) {
        snprintf(text + 2 * i, 3, "%02x", mac[i]);
    }

    return strcmp(text, hex) == 0;
}


static void
test_equal(void)
{
    int      i;
    uint8_t  a[UX_MAC_LEN], b[UX_MAC_LEN];

    memset(a, 7, sizeof(a));
    memset(b, 7, sizeof(b));
    ok(ux_mac_equal(a, b), "equal");

    for (i = 0; i < UX_MAC_LEN; i++) {
        b[i] ^= 0x80;
        ok(!ux_mac_equal(a, b), "one bit of byte %d", i);
        b[i] ^= 0x80;
    }
}


/* Contexts of keys are kept: each key has its own, however many there are. */
static void
test_many_keys(void)
{
    char      keys[40][32];
    uint8_t   first[40][UX_MAC_LEN], mac[UX_MAC_LEN];
    unsigned  i, k, bad, alike;
    ux_str_t  data = ux_str("1.0123.20000");

    bad = 0;
    alike = 0;

    for (i = 0; i < 400; i++) {
        k = i * 7 % 40;
        snprintf(keys[k], sizeof(keys[k]), "a key of many, number %u", k);

        bad += ux_mac((ux_str_t) { keys[k], strlen(keys[k]) }, data, mac)
               != UX_OK;

        if (i < 40) {
            memcpy(first[k], mac, UX_MAC_LEN);
        }

        bad += memcmp(first[k], mac, UX_MAC_LEN) != 0;
        alike += k > 0 && i >= 40 && memcmp(first[0], mac, UX_MAC_LEN) == 0;
    }

    ok(bad == 0 && alike == 0, "forty keys in turn: %u differ from their "
       "first, %u are another one's", bad, alike);
    ok(ux_mac((ux_str_t) { keys[0], strlen(keys[0]) - 1 }, data, mac)
       == UX_OK && memcmp(first[0], mac, UX_MAC_LEN) != 0,
       "the beginning of a key is another key");
}


/*
 * Whichever byte of a cookie's mac is wrong, every key is tried with all 16
 * bytes in one call of the function that takes the same time for all.
 */
static void
test_constant_time(void)
{
    char      good[UX_COOKIE_VALUE_MAX];
    size_t    i, len;
    uint8_t   random[16];
    uint8_t   a[UX_MAC_LEN], b[UX_MAC_LEN];

    memset(random, 0x5a, sizeof(random));
    ok(ux_cookie_mint(random, 20000, (ux_str_t) ux_str("0123456789abcdef"),
                      good, &len) == UX_OK, "a cookie to forge");

    for (i = 0; i < UX_MAC_LEN; i++) {
        compared = 0;
        compared_bytes = 0;

        ok(!forged_verifies(good, len, len - 2 * UX_MAC_LEN + 2 * i)
           && compared == 2 && compared_bytes == 2 * UX_MAC_LEN,
           "byte %zu of a mac is wrong: two keys, 16 bytes each", i);
    }

    memset(a, 7, sizeof(a));
    memset(b, 7, sizeof(b));

    for (i = 0; i <= UX_MAC_LEN; i++) {
        compared_bytes = 0;
        (void) ux_mac_equal(a, b);
        ok(compared_bytes == UX_MAC_LEN,
           "the last %zu bytes differ: all 16 are compared", i);

        if (i < UX_MAC_LEN) {
            b[UX_MAC_LEN - 1 - i] ^= 1;
        }
    }
}


/* The cookie with another hex digit at that place, against two keys. */
static bool
forged_verifies(const char *good, size_t len, size_t at)
{
    char         forged[UX_COOKIE_VALUE_MAX];
    ux_cookie_t  cookie;

    const ux_str_t  keys[] = {
        ux_str("0123456789abcdef"), ux_str("fedcba9876543210")
    };

    memcpy(forged, good, len);
    forged[at] = good[at] == '0' ? '1' : '0';

    return ux_cookie_parse((ux_str_t) { forged, len }, &cookie) != UX_OK
           || ux_cookie_verify(&cookie, keys, 2, NULL);
}
