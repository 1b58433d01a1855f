
/*
 * Copyright (C) the nginx-ux authors
 */

#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "ux_cookie.h"


#define ID   "000102030405060708090a0b0c0d0e0f"

/* HMAC-SHA256 of "1." ID ".20500" under KEY, computed by another program. */
#define KEY  "0123456789abcdef0123456789abcdef"
#define MAC  "425518ce9a137e3c1f8d3a6fea35aec7"
#define VALUE  "1." ID ".20500." MAC


static void test_next(void);
static void test_parse(void);
static void test_mint(void);
static void test_resign(void);
static void test_verify(void);
static void test_every_byte(void);
static void test_hex(void);
static const char *next(ux_str_t *rest, const char *name);
static bool parses(const char *value);
static ux_str_t str(const char *s);
static ux_str_t exact(const char *s);


int
main(void)
{
    test_next();
    test_parse();
    test_mint();
    test_resign();
    test_verify();
    test_every_byte();
    test_hex();

    return done();
}


static void
test_next(void)
{
    ux_str_t  rest;

    rest = exact("a=1; ux=one; uxx=2; ux=two");
    ok(strcmp(next(&rest, "ux"), "one") == 0, "the first");
    ok(strcmp(next(&rest, "ux"), "two") == 0, "the second");
    ok(strcmp(next(&rest, "ux"), "(none)") == 0, "no third");
    ok(strcmp(next(&rest, "ux"), "(none)") == 0, "and none after that");

    rest = exact(";; \t ux=v \t ;ux = 2;x ux=3;=ux=4;ux;ux;");
    ok(strcmp(next(&rest, "ux"), "v") == 0, "white space around the pair");
    ok(strcmp(next(&rest, "ux"), "(none)") == 0,
       "a name with anything around it is another name");

    rest = exact("ux=");
    ok(strcmp(next(&rest, "ux"), "") == 0, "an empty value is a value");
    ok(rest.len == 0, "the header is used up");

    rest = exact("ux=\"a\"");
    ok(strcmp(next(&rest, "ux"), "\"a\"") == 0, "quotes are of the value");

    rest = exact("ux=a=b=c");
    ok(strcmp(next(&rest, "ux"), "a=b=c") == 0, "so are further equal signs");

    rest = exact("UX=1; Ux=2");
    ok(strcmp(next(&rest, "ux"), "(none)") == 0, "names have a case");

    rest = exact("u=x; u");
    ok(strcmp(next(&rest, "ux"), "(none)") == 0, "a shorter name");

    rest = exact("");
    ok(strcmp(next(&rest, "ux"), "(none)") == 0, "an empty header");
}


static void
test_parse(void)
{
    ux_cookie_t  c;

    ok(ux_cookie_parse(exact(VALUE), &c) == UX_OK, "a value");
    ok(ux_str_equal(c.id, str(ID)), "its id");
    ok(ux_str_equal(c.mac, str(MAC)), "its mac");
    ok(c.day == 20500, "its day");
    ok(c.value.len == strlen(VALUE), "all of it");

    ok(parses("1." ID ".0." MAC), "day 0");
    ok(parses("1." ID ".9999999." MAC), "the last day");

    ok(!parses(""), "nothing");
    ok(!parses("1"), "a version");
    ok(!parses("1." ID ".." MAC), "no day");
    ok(!parses("1." ID ".00." MAC), "two zeros for a day");
    ok(!parses("1." ID ".020500." MAC), "a day with a leading zero");
    ok(!parses("1." ID ".10000000." MAC), "eight digits for a day");
    ok(!parses("1." ID ".-1." MAC), "a negative day");
    ok(!parses("1." ID ".2050x." MAC), "a day with a letter");
    ok(!parses("2." ID ".20500." MAC), "another version");
    ok(!parses("1:" ID ".20500." MAC), "another first separator");
    ok(!parses("1." ID ":20500." MAC), "another second separator");
    ok(!parses("1." ID ".20500:" MAC), "another third separator");
    ok(!parses("1.000102030405060708090A0B0C0D0E0F.20500." MAC),
       "upper case in the id");
    ok(!parses("1.000102030405060708090a0b0c0d0e0g.20500." MAC),
       "no hex in the id");
    ok(!parses("1." ID ".20500.ABCDEF6789abcdef0123456789abcdef"),
       "upper case in the mac");
    ok(!parses(VALUE "0"), "a digit too many");
    ok(!parses(" " VALUE), "a blank in front");
    ok(!parses("\"" VALUE "\""), "quotes");
    ok(!parses("1.000102030405060708090a0b0c0d0e0.20500.0" MAC),
       "an id too short, a mac too long");
}


static void
test_mint(void)
{
    char         buf[UX_COOKIE_VALUE_MAX];
    size_t       len;
    uint8_t      random[16];
    unsigned     i;
    ux_cookie_t  c;

    for (i = 0; i < sizeof(random); i++) {
        random[i] = (uint8_t) i;
    }

    ok(ux_cookie_mint(random, 20500, str(KEY), buf, &len) == UX_OK
       && len == strlen(VALUE) && memcmp(buf, VALUE, len) == 0,
       "minted as published: %.*s", (int) len, buf);

    ok(ux_cookie_mint(random, 9999999, str(KEY), buf, &len) == UX_OK
       && len == UX_COOKIE_VALUE_MAX, "the longest");
    ok(ux_cookie_parse((ux_str_t) { buf, len }, &c) == UX_OK
       && c.day == 9999999, "reads back");
    ok(ux_cookie_mint(random, 0, str(KEY), buf, &len) == UX_OK
       && ux_cookie_parse((ux_str_t) { buf, len }, &c) == UX_OK
       && c.day == 0, "day 0 reads back");
    ok(ux_cookie_mint(random, 10000000, str(KEY), buf, &len) == UX_ERROR,
       "a day beyond seven digits");
    ok(ux_cookie_mint(random, 1, str(""), buf, &len) == UX_ERROR,
       "no key");
}


static void
test_resign(void)
{
    char         buf[UX_COOKIE_VALUE_MAX];
    size_t       len;
    unsigned     which;
    ux_str_t     keys[2];
    ux_cookie_t  cookie;

    keys[0] = str("another key of some length");
    keys[1] = str(KEY);

    ok(ux_cookie_parse(str(VALUE), &cookie) == UX_OK
       && ux_cookie_verify(&cookie, keys, 2, &which) && which == 1,
       "signed by the second key");
    ok(ux_cookie_resign(&cookie, keys[0], buf, &len) == UX_OK
       && len == strlen(VALUE)
       && memcmp(buf, VALUE, strlen("1." ID ".20500.")) == 0,
       "signed anew: the same id and day");

    cookie.value.data = buf;
    cookie.value.len = len;
    ok(ux_cookie_parse(cookie.value, &cookie) == UX_OK
       && ux_cookie_verify(&cookie, keys, 2, &which) && which == 0,
       "by the first key");
    ok(ux_cookie_resign(&cookie, str(KEY), buf, &len) == UX_OK
       && len == strlen(VALUE) && memcmp(buf, VALUE, len) == 0,
       "and back again, in place");
}


static void
test_verify(void)
{
    unsigned     which;
    ux_str_t     keys[3];
    ux_cookie_t  c;

    keys[0] = str("another key of this length......");
    keys[1] = str(KEY);
    keys[2] = str("a third key of this length......");

    which = 99;

    ok(ux_cookie_parse(exact(VALUE), &c) == UX_OK, "parsed");
    ok(ux_cookie_verify(&c, keys, 3, &which) && which == 1,
       "verified by the second of three");
    ok(ux_cookie_verify(&c, keys + 1, 1, NULL), "which may be NULL");

    which = 99;
    ok(!ux_cookie_verify(&c, keys, 1, &which) && which == 99,
       "not by another key");
    ok(!ux_cookie_verify(&c, keys, 0, &which), "not by none");

    ok(ux_cookie_parse(exact("1." ID ".20501." MAC), &c) == UX_OK
       && !ux_cookie_verify(&c, keys, 3, NULL), "another day");
    ok(ux_cookie_parse(exact("1." ID ".2050." MAC), &c) == UX_OK
       && !ux_cookie_verify(&c, keys, 3, NULL), "a shorter day");
}


/* No byte of a signed value can be changed. */
static void
test_every_byte(void)
{
    char         value[UX_COOKIE_VALUE_MAX + 1];
    size_t       i, accepted, parsed;
    ux_str_t     key;
    const char  *p;
    ux_cookie_t  c;

    const char  letters[] = "0123456789abcdef.gA \xff";

    key = str(KEY);
    accepted = 0;
    parsed = 0;

    for (i = 0; i < strlen(VALUE); i++) {
        for (p = letters; *p != '\0'; p++) {
            strcpy(value, VALUE);

            if (value[i] == *p) {
                continue;
            }

            value[i] = *p;

            if (ux_cookie_parse(exact(value), &c) == UX_OK) {
                parsed++;
                accepted += ux_cookie_verify(&c, &key, 1, NULL);
            }
        }
    }

    ok(parsed > 900, "%zu changed values parse", parsed);
    ok(accepted == 0, "%zu of them verify", accepted);
}


/* Of all bytes, at each place, alone and beside another wrong one. */
static void
test_hex(void)
{
    char         value[UX_COOKIE_VALUE_MAX + 1];
    bool         hex;
    size_t       i;
    unsigned     byte, bad;
    ux_cookie_t  c;

    bad = 0;

    for (i = 2; i < 34; i++) {
        for (byte = 1; byte < 256; byte++) {
            hex = (byte >= '0' && byte <= '9')
                  || (byte >= 'a' && byte <= 'f');

            strcpy(value, VALUE);
            value[i] = (char) byte;
            bad += (ux_cookie_parse(exact(value), &c) == UX_OK) != hex;

            value[2 + (i - 1) % 32] = (char) 0xff;
            bad += ux_cookie_parse(exact(value), &c) == UX_OK;
        }
    }

    ok(bad == 0, "hex digits and no other byte: %u wrong", bad);
}


static const char *
next(ux_str_t *rest, const char *name)
{
    ux_str_t     value;
    static char  text[256];

    if (ux_cookie_next(rest, str(name), &value) != UX_OK) {
        return "(none)";
    }

    snprintf(text, sizeof(text), "%.*s", (int) value.len, value.data);

    return text;
}


static bool
parses(const char *value)
{
    ux_cookie_t  c;

    return ux_cookie_parse(exact(value), &c) == UX_OK;
}


static ux_str_t
str(const char *s)
{
    ux_str_t  result;

    result.data = s;
    result.len = strlen(s);

    return result;
}


/* At the end of a heap block: AddressSanitizer sees a read past it. */
static ux_str_t
exact(const char *s)
{
    ux_str_t      result;
    static char  *block;

    free(block);

    result.len = strlen(s);
    block = malloc(result.len ? result.len : 1);
    memcpy(block, s, result.len);
    result.data = block;

    return result;
}
