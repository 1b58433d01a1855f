
/*
 * Copyright (C) the nginx-ux authors
 *
 * A cookie's value and its signature.  The seeds are signed with this key, so
 * that mutations are what a forger would try: nothing verifies but what we
 * would have written ourselves.
 */

#include "fuzz.h"
#include "ux_cookie.h"
#include "ux_mac.h"


#define KEYS  3


static void verify(const ux_cookie_t *cookie);
static void resign(const ux_cookie_t *cookie, unsigned bit);
static void unhex(const char *hex, uint8_t *bytes, size_t n);
static void equal(const uint8_t *data, size_t size);


const char *const  fuzz_words[] = {
    "1.", "2.", ".", ".20500.", ".20501.", ".0.", ".00.", ".9999999.",
    "0000000000000000", "ffffffffffffffff", "A", "g", NULL
};


static const ux_str_t  keys[KEYS] = {
    ux_str("a key that only fuzzing knows"),
    ux_str("the one before it, retired soon"),
    ux_str("0123456789abcdef")
};


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ux_str_t     value;
    ux_cookie_t  cookie;

    equal(data, size);

    value = fuzz_copy(data, size);

    if (ux_cookie_parse(value, &cookie) == UX_OK) {
        verify(&cookie);
        resign(&cookie, (unsigned) data[size - 1]);
    }

    fuzz_free(value);

    return 0;
}


static void
verify(const ux_cookie_t *cookie)
{
    char      own[UX_COOKIE_VALUE_MAX];
    bool      valid;
    size_t    len;
    uint8_t   id[16];
    unsigned  i, which;

    which = KEYS;
    valid = ux_cookie_verify(cookie, keys, KEYS, &which);

    fuzz_check(valid == (which < KEYS));
    fuzz_check(ux_cookie_verify(cookie, keys, KEYS, NULL) == valid);
    fuzz_check(!ux_cookie_verify(cookie, keys, 0, NULL));

    unhex(cookie->id.data, id, sizeof(id));

    for (i = 0; i < KEYS; i++) {
        fuzz_check(ux_cookie_mint(id, cookie->day, keys[i], own, &len)
                   == UX_OK);
        fuzz_check(len == cookie->value.len);
        fuzz_check(memcmp(own, cookie->value.data, len - 32) == 0);
        fuzz_check((memcmp(own, cookie->value.data, len) == 0)
                   == (i == which));
    }
}


/* Signed it verifies, and with one bit of it changed it never does. */
static void
resign(const ux_cookie_t *cookie, unsigned bit)
{
    char         own[UX_COOKIE_VALUE_MAX];
    unsigned     which;
    ux_str_t     value;
    ux_cookie_t  again;

    value.data = own;
    fuzz_check(ux_cookie_resign(cookie, keys[2], own, &value.len) == UX_OK);
    fuzz_check(ux_cookie_parse(value, &again) == UX_OK);
    fuzz_check(ux_cookie_verify(&again, keys, KEYS, &which) && which == 2);
    fuzz_check(!ux_cookie_verify(&again, keys, 2, NULL));

    bit %= (unsigned) value.len * 8;
    own[bit / 8] = (char) (own[bit / 8] ^ 1 << bit % 8);

    fuzz_check(ux_cookie_parse(value, &again) != UX_OK
               || !ux_cookie_verify(&again, keys, KEYS, NULL));
}


static void
unhex(const char *hex, uint8_t *bytes, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        bytes[i] = (uint8_t) fuzz_hex(hex + 2 * i);
    }
}


static void
equal(const uint8_t *data, size_t size)
{
    if (size >= 2 * UX_MAC_LEN) {
        fuzz_check(ux_mac_equal(data, data + UX_MAC_LEN)
                   == (memcmp(data, data + UX_MAC_LEN, UX_MAC_LEN) == 0));
        fuzz_check(ux_mac_equal(data, data));
    }
}
