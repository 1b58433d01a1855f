
/*
 * Copyright (C) the nginx-ux authors
 *
 * A Cookie header, walked for our cookie as the module does; what is found
 * must be what a second, slower walk finds.
 */

#include "fuzz.h"
#include "ux_cookie.h"


static void walk(ux_str_t line, ux_str_t name);
static bool next_pair(ux_str_t *rest, ux_str_t *pair);
static bool is_blank(char c);
static void parse(ux_str_t value);


#define ID   "0123456789abcdef0123456789abcdef"
#define MAC  "fedcba9876543210fedcba9876543210"

const char *const  fuzz_words[] = {
    "ux=", "__Host-ux=", "; ", ";", "=", "\"", " ", "\t", "ux", "uxx=", "xux=",
    "ux=1." ID ".20500." MAC, "1." ID ".20500." MAC, "1.", ".0.", ".9999999.",
    ".20500.", ID, MAC, "%00", "ux==", "UX=", NULL
};


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ux_str_t  line;

    line = fuzz_copy(data, size);

    walk(line, fuzz_str("ux"));
    walk(line, fuzz_str("__Host-ux"));
    parse(line);

    fuzz_free(line);

    return 0;
}


static void
walk(ux_str_t line, ux_str_t name)
{
    ux_str_t  rest, slow, pair, value;

    rest = line;
    slow = line;

    while (ux_cookie_next(&rest, name, &value) == UX_OK) {

        do {
            fuzz_check(next_pair(&slow, &pair));
        } while (pair.len <= name.len || pair.data[name.len] != '='
                 || strncmp(pair.data, name.data, name.len) != 0);

        fuzz_check(value.data == pair.data + name.len + 1);
        fuzz_check(value.len == pair.len - name.len - 1);
        fuzz_check(fuzz_inside(value, line) && fuzz_inside(rest, line));
        fuzz_check(value.len == 0
                   || (memchr(value.data, ';', value.len) == NULL
                       && !is_blank(value.data[value.len - 1])));

        parse(value);
    }

    fuzz_check(rest.len == 0);

    while (next_pair(&slow, &pair)) {
        fuzz_check(pair.len <= name.len || pair.data[name.len] != '='
                   || strncmp(pair.data, name.data, name.len) != 0);
    }
}


/* What stands between semicolons, without blanks around it. */
static bool
next_pair(ux_str_t *rest, ux_str_t *pair)
{
    size_t  n;

    if (rest->len == 0) {
        return false;
    }

    for (n = 0; n < rest->len && rest->data[n] != ';'; n++) {
        /* void */
    }

    pair->data = rest->data;
    pair->len = n;

    rest->data += n + (n < rest->len);
    rest->len -= n + (n < rest->len);

    for ( /* void */ ; pair->len > 0 && is_blank(*pair->data); pair->len--) {
        pair->data++;
    }

    while (pair->len > 0 && is_blank(pair->data[pair->len - 1])) {
        pair->len--;
    }

    return true;
}


static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}


/* One spelling only: the parts, written again, are the value. */
static void
parse(ux_str_t value)
{
    char         again[UX_COOKIE_VALUE_MAX + 1];
    ux_cookie_t  cookie;

    if (ux_cookie_parse(value, &cookie) != UX_OK) {
        return;
    }

    fuzz_check(cookie.id.len == UX_COOKIE_ID_LEN && cookie.mac.len == 32);
    fuzz_check(fuzz_inside(cookie.id, value));
    fuzz_check(fuzz_inside(cookie.mac, value));
    fuzz_check(snprintf(again, sizeof(again), "1.%.32s.%u.%.32s",
                        cookie.id.data, cookie.day, cookie.mac.data)
               == (int) value.len);
    fuzz_check(memcmp(again, value.data, value.len) == 0);
    fuzz_check(strspn(again + 2, "0123456789abcdef") == 32);
    fuzz_check(strspn(again + value.len - 32, "0123456789abcdef") == 32);
}
