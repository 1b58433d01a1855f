
/*
 * Copyright (C) the nginx-ux authors
 *
 * Test cases of RFC 4231, truncated to 16 bytes.
 */

#include <string.h>

#include "tap.h"
#include "ux_mac.h"


static bool mac_is(ux_str_t key, ux_str_t data, const char *hex);
static void test_equal(void);


int
main(void)
{
    char      buf[131], data[50];
    uint8_t   mac[UX_MAC_LEN];
    ux_str_t  key;

    memset(buf, 0x0b, 20);
    ok(mac_is((ux_str_t) { buf, 20 }, (ux_str_t) ux_str("Hi There"),
              "b0344c61d8db38535ca8afceaf0bf12b"), "RFC 4231, case 1");

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

    key.data = buf;
    key.len = 0;
    ok(ux_mac(key, (ux_str_t) ux_str("x"), mac) == UX_ERROR, "an empty key");

    test_equal();

    return done();
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
