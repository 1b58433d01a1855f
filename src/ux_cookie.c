
/*
 * Copyright (C) the nginx-ux authors
 *
 * The visitor cookie:
 *
 *   1.0123456789abcdef0123456789abcdef.20500.fedcba9876543210fedcba9876543210
 *   | |------------- id -------------| |day| |------------- mac ------------|
 *   version: everything up to the last point is what the mac signs
 *
 * A value has one spelling only (lower-case hex, no leading zeros), so that
 * the same visitor never appears under two.  Parsing and verifying are apart
 * because a value verified before is recognised by its hash.
 */

#include "ux_cookie.h"
#include "ux_mac.h"

#include <string.h>


#define UX_COOKIE_MAC_LEN    (2 * UX_MAC_LEN)
#define UX_COOKIE_DAY_MAX    9999999
#define UX_COOKIE_DAY_LEN    7
#define UX_COOKIE_DAY_AT     (UX_COOKIE_ID_AT + UX_COOKIE_ID_LEN + 1)
#define UX_COOKIE_VALUE_MIN  (UX_COOKIE_DAY_AT + 1 + 1 + UX_COOKIE_MAC_LEN)

_Static_assert(UX_COOKIE_ID_LEN % 8 == 0 && UX_COOKIE_MAC_LEN % 8 == 0,
               "ux_cookie_is_hex(), ux_cookie_hex()");

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "digits are made in a word, the first in its lowest byte"
#endif

_Static_assert(UX_COOKIE_DAY_AT + UX_COOKIE_DAY_LEN + 1 + UX_COOKIE_MAC_LEN
               == UX_COOKIE_VALUE_MAX, "the longest value");


static ux_status_t ux_cookie_sign(ux_str_t key, char *buf, size_t *len);
static bool ux_cookie_blank(char c);
static bool ux_cookie_is_hex(const char *p, size_t len);
static ux_status_t ux_cookie_day(ux_str_t digits, uint32_t *day);
static void ux_cookie_unhex(const char *hex, uint8_t *bytes, size_t n);
static char *ux_cookie_hex(char *p, const uint8_t *bytes, size_t n);
static char *ux_cookie_decimal(char *p, uint32_t value);


ux_status_t
ux_cookie_next(ux_str_t *rest, ux_str_t name, ux_str_t *value)
{
    ux_str_t     pair;
    const char  *semicolon;

    while (rest->len > 0) {
        pair = *rest;

        semicolon = memchr(pair.data, ';', pair.len);

        if (semicolon != NULL) {
            pair.len = (size_t) (semicolon - pair.data);
            rest->data += pair.len + 1;
            rest->len -= pair.len + 1;

        } else {
            rest->data += rest->len;
            rest->len = 0;
        }

        while (pair.len > name.len && ux_cookie_blank(pair.data[0])) {
            pair.data++;
            pair.len--;
        }

        if (pair.len > name.len
            && pair.data[name.len] == '='
            && memcmp(pair.data, name.data, name.len) == 0)
        {
            while (ux_cookie_blank(pair.data[pair.len - 1])) {
                pair.len--;
            }

            value->data = pair.data + name.len + 1;
            value->len = pair.len - name.len - 1;
            return UX_OK;
        }
    }

    return UX_DECLINED;
}


ux_status_t
ux_cookie_parse(ux_str_t value, ux_cookie_t *cookie)
{
    ux_str_t  day;

    if (value.len < UX_COOKIE_VALUE_MIN || value.len > UX_COOKIE_VALUE_MAX) {
        return UX_ERROR;
    }

    ux_cookie_parsed(value.data, value.len, 0, cookie);

    day.data = value.data + UX_COOKIE_DAY_AT;
    day.len = value.len - UX_COOKIE_DAY_AT - 1 - UX_COOKIE_MAC_LEN;

    if (memcmp(value.data, "1.", 2) != 0
        || value.data[UX_COOKIE_DAY_AT - 1] != '.'
        || cookie->mac.data[-1] != '.'
        || !ux_cookie_is_hex(cookie->id.data, cookie->id.len)
        || !ux_cookie_is_hex(cookie->mac.data, cookie->mac.len))
    {
        return UX_ERROR;
    }

    return ux_cookie_day(day, &cookie->day);
}


void
ux_cookie_parsed(const char *value, size_t len, uint32_t day,
    ux_cookie_t *cookie)
{
    cookie->value.data = value;
    cookie->value.len = len;

    cookie->id.data = value + UX_COOKIE_ID_AT;
    cookie->id.len = UX_COOKIE_ID_LEN;

    cookie->mac.data = value + len - UX_COOKIE_MAC_LEN;
    cookie->mac.len = UX_COOKIE_MAC_LEN;

    cookie->day = day;
}


bool
ux_cookie_verify(const ux_cookie_t *cookie, const ux_str_t *keys,
    unsigned nkeys, unsigned *which)
{
    uint8_t   sent[UX_MAC_LEN], right[UX_MAC_LEN];
    unsigned  i;
    ux_str_t  text;

    text.data = cookie->value.data;
    text.len = cookie->value.len - UX_COOKIE_MAC_LEN - 1;

    ux_cookie_unhex(cookie->mac.data, sent, UX_MAC_LEN);

    for (i = 0; i < nkeys; i++) {

        if (ux_mac(keys[i], text, right) == UX_OK
            && ux_mac_equal(sent, right))
        {
            if (which != NULL) {
                *which = i;
            }

            return true;
        }
    }

    return false;
}


ux_status_t
ux_cookie_mint(const uint8_t random[16], uint32_t day, ux_str_t key,
    char *buf, size_t *len)
{
    char  *p;

    if (day > UX_COOKIE_DAY_MAX) {
        return UX_ERROR;
    }

    p = buf;
    *p++ = '1';
    *p++ = '.';
    p = ux_cookie_hex(p, random, UX_COOKIE_ID_LEN / 2);
    *p++ = '.';
    p = ux_cookie_decimal(p, day);

    *len = (size_t) (p - buf);

    return ux_cookie_sign(key, buf, len);
}


ux_status_t
ux_cookie_resign(const ux_cookie_t *cookie, ux_str_t key, char *buf,
    size_t *len)
{
    *len = cookie->value.len - UX_COOKIE_MAC_LEN - 1;
    memmove(buf, cookie->value.data, *len);

    return ux_cookie_sign(key, buf, len);
}


/* The mac behind the *len bytes it signs. */
static ux_status_t
ux_cookie_sign(ux_str_t key, char *buf, size_t *len)
{
    char      *p;
    uint8_t    mac[UX_MAC_LEN];
    ux_str_t   text;

    text.data = buf;
    text.len = *len;

    if (ux_mac(key, text, mac) != UX_OK) {
        return UX_ERROR;
    }

    p = buf + *len;
    *p++ = '.';
    p = ux_cookie_hex(p, mac, UX_MAC_LEN);

    *len = (size_t) (p - buf);

    return UX_OK;
}


/* What may be left out at both ends. */
static bool
ux_cookie_blank(char c)
{
    return c == ' ' || c == '\t';
}


/*
 * Eight at a time: `len` is a multiple of that.  The top bit of a byte of
 * w + (0x80 - c) says whether the byte, below 0x80, is at least c.
 */
static bool
ux_cookie_is_hex(const char *p, size_t len)
{
    size_t    i;
    uint64_t  w, digit, letter, good;

    const uint64_t  each = 0x0101010101010101ull;

    good = 0x80 * each;

    for (i = 0; i < len; i += 8) {
        memcpy(&w, p + i, 8);

        digit = (w + (0x80 - '0') * each) & ~(w + (0x7f - '9') * each);
        letter = (w + (0x80 - 'a') * each) & ~(w + (0x7f - 'f') * each);
        good &= (digit | letter) & ~w;
    }

    return good == 0x80 * each;
}


static ux_status_t
ux_cookie_day(ux_str_t digits, uint32_t *day)
{
    size_t    i;
    uint32_t  value;

    if (digits.len == 0 || digits.len > UX_COOKIE_DAY_LEN
        || (digits.len > 1 && digits.data[0] == '0'))
    {
        return UX_ERROR;
    }

    value = 0;

    for (i = 0; i < digits.len; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9') {
            return UX_ERROR;
        }

        value = value * 10 + (uint32_t) (digits.data[i] - '0');
    }

    *day = value;

    return UX_OK;
}


/* The form was checked by ux_cookie_parse(). */
static void
ux_cookie_unhex(const char *hex, uint8_t *bytes, size_t n)
{
    char      c;
    size_t    i;
    unsigned  digit, byte;

    byte = 0;

    for (i = 0; i < 2 * n; i++) {
        c = hex[i];
        digit = (unsigned) ((c <= '9') ? c - '0' : c - 'a' + 10);
        byte = (byte << 4 | digit) & 0xff;

        if (i % 2 == 1) {
            bytes[i / 2] = (uint8_t) byte;
        }
    }
}


/* Four bytes at a time: n is a multiple of that. */
static char *
ux_cookie_hex(char *p, const uint8_t *bytes, size_t n)
{
    size_t    i;
    uint64_t  w, letter;

    const uint64_t  each = 0x0101010101010101ull;

    for (i = 0; i < n; i += 4) {
        w = 0;
        memcpy(&w, bytes + i, 4);

        /* a byte for each half of one, the upper half first */

        w = (w | w << 16) & 0x0000ffff0000ffffull;
        w = (w | w << 8) & 0x00ff00ff00ff00ffull;
        w = (w >> 4 & 0x000f000f000f000full)
            | (w & 0x000f000f000f000full) << 8;

        /* 10 and more are letters: bit 4 of what is 6 above them */

        letter = (w + 6 * each) >> 4 & each;
        w += '0' * each + letter * ('a' - '9' - 1);

        memcpy(p, &w, 8);
        p += 8;
    }

    return p;
}


static char *
ux_cookie_decimal(char *p, uint32_t value)
{
    size_t  n;
    char    digits[10];

    n = sizeof(digits);

    do {
        digits[--n] = (char) ('0' + value % 10);
        value /= 10;
    } while (value);

    memcpy(p, digits + n, sizeof(digits) - n);

    return p + sizeof(digits) - n;
}
