
/*
 * Copyright (C) the nginx-ux authors
 *
 * A beacon's body: what is read, and what is refused, is what a second reader
 * says that follows the grammar of RFC 8259 and the limits by recursion.
 */

#include "fuzz.h"
#include "ux_beacon_private.h"
#include "ux_number.h"


#define NAMES  7


static void check(ux_str_t body, bool trusted);
static void check_ways(ux_str_t body, unsigned members);
static bool same_item(const ux_beacon_item_t *a, const ux_beacon_item_t *b);
static void check_item(const ux_beacon_item_t *item, bool trusted);
static bool is_beacon(ux_str_t body, bool trusted);
static bool is_event(bool trusted);
static bool is_value(bool keep, unsigned depth);
static bool is_list(bool keep, unsigned depth, int close);
static bool is_string(bool keep, char *plain, size_t size);
static bool is_escape(bool keep, unsigned *c);
static bool is_hex(unsigned *c);
static bool is_number(bool keep);
static bool is_utf8(unsigned *c);
static bool is_literal(const char *word);
static bool is_byte(int byte);
static size_t digits(void);
static int peek(void);
static void blanks(void);


const char *const  fuzz_words[] = {
    "{\"event\":\"purchase\"}", "{\"event\":", "\"name\":\"LCP\"", "\"CLS\"",
    "\"value\":", "\"delta\":", "\"currency\":\"EUR\"", "\"id\":",
    "\"visitor\":", "\"nps\"", "\"csat\"", "\"entries\":[{}]", "{", "}", "[",
    "]", ",", ":", "null", "true", "false", "1e999", "-0", "0.5", "1E+2",
    "1e-7", "01", "1.", "-", "\\u0000", "\\ud83d\\ude00", "\\ud800",
    "\\u0065vent", "\\n", "\\\"", "\\x", "\xef\xbb\xbf", "\xc0\x80",
    "[[[[[[[[", "{\"a\":{\"a\":", "\"\"", "1.7976931348623159e308", NULL
};


static ux_beacon_t           beacon;
static const unsigned char  *p, *end;
static unsigned              values, events;


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ux_str_t  body;

    body = fuzz_copy(data, size);

    check(body, false);
    check(body, true);

    fuzz_free(body);

    return 0;
}


static void
check(ux_str_t body, bool trusted)
{
    bool         valid;
    unsigned     i;
    ux_error_t   error;
    ux_status_t  rc;

    memset(error.message, 'x', sizeof(error.message));

    valid = body.len <= UX_BEACON_MAX && is_beacon(body, trusted);
    rc = ux_beacon_read(&beacon, body, trusted, &error);

    fuzz_check(rc == (valid ? UX_OK : UX_ERROR));

    if (rc != UX_OK) {
        fuzz_check(memchr(error.message, '\0', sizeof(error.message))
                   != NULL);

        for (i = 0; error.message[i] != '\0'; i++) {
            fuzz_check(error.message[i] >= ' ' && error.message[i] <= '~');
        }

        return;
    }

    fuzz_check(beacon.n == events && events <= UX_BEACON_ITEMS);

    for (i = 0; i < beacon.n; i++) {
        check_item(&beacon.items[i], trusted);
    }

    check_ways(body, trusted ? UX_BEACON_MEMBERS : UX_BEACON_M_VISITOR);
}


/* What is read as plain reads the same as any body does. */
static void
check_ways(ux_str_t body, unsigned members)
{
    unsigned     i;
    ux_error_t   error;
    ux_status_t  rc;

    static ux_beacon_t  any;

    rc = ux_beacon_any(&any, body, members, &error);

    fuzz_check(rc == UX_OK && any.n == beacon.n);

    for (i = 0; i < any.n; i++) {
        fuzz_check(same_item(&any.items[i], &beacon.items[i]));
    }
}


static bool
same_item(const ux_beacon_item_t *a, const ux_beacon_item_t *b)
{
    return a->kind == b->kind && a->named == b->named && a->bad == b->bad
           && ux_str_equal(a->name, b->name)
           && ux_str_equal(a->value, b->value)
           && ux_str_equal(a->currency, b->currency)
           && ux_str_equal(a->id, b->id)
           && ux_str_equal(a->visitor, b->visitor)
           && memcmp(&a->vital, &b->vital, sizeof(ux_vital_t)) == 0;
}


static void
check_item(const ux_beacon_item_t *item, bool trusted)
{
    ux_str_t  all = { beacon.text, sizeof(beacon.text) };

    fuzz_check(trusted || !item->named);
    fuzz_check(item->named || item->visitor.len == 0);
    fuzz_check(item->name.len == 0 || fuzz_inside(item->name, all));
    fuzz_check(item->value.len == 0 || fuzz_inside(item->value, all));
    fuzz_check(item->currency.len == 0 || fuzz_inside(item->currency, all));
    fuzz_check(item->id.len == 0 || fuzz_inside(item->id, all));
    fuzz_check(item->visitor.len == 0 || fuzz_inside(item->visitor, all));

    if (item->kind == UX_BEACON_VITAL) {
        fuzz_check(item->vital.metric < UX_VITALS);
        fuzz_check(item->bad || (item->vital.value_e4 >= 0
                                 && item->vital.value_e4 <= UX_MONEY_MAX));
    }

    if (!item->bad) {
        fuzz_check(item->id.len <= UX_BEACON_ID_MAX);
        fuzz_check(memchr(item->value.data ? item->value.data : "", 'e',
                          item->value.len) == NULL
                   || item->value.len <= 32);
    }
}


static bool
is_beacon(ux_str_t body, bool trusted)
{
    p = (const unsigned char *) body.data;
    end = p + body.len;
    values = 0;
    events = 0;

    blanks();

    if (peek() != '[') {
        return is_event(trusted) && (blanks(), p == end);
    }

    p++;
    values++;
    blanks();

    if (!is_byte(']')) {

        do {
            blanks();

            if (!is_event(trusted)) {
                return false;
            }

            blanks();
        } while (is_byte(','));

        if (!is_byte(']')) {
            return false;
        }
    }

    blanks();

    return p == end;
}


static bool
is_event(bool trusted)
{
    char      name[64];
    bool      seen[NAMES] = { false }, keep;
    unsigned  i, depth;

    static const char *const  names[NAMES] = {
        "event", "name", "value", "delta", "currency", "id", "visitor"
    };

    /* an array around it was counted */

    depth = values > 0 ? 2 : 1;

    if (!is_byte('{') || ++values > UX_BEACON_NODES) {
        return false;
    }

    events++;
    blanks();

    if (is_byte('}')) {
        return false;
    }

    do {
        blanks();

        if (!is_string(false, name, sizeof(name))) {
            return false;
        }

        blanks();

        if (!is_byte(':')) {
            return false;
        }

        keep = false;

        for (i = 0; i < (trusted ? NAMES : NAMES - 1u); i++) {
            if (strcmp(name, names[i]) == 0) {

                if (seen[i]) {
                    return false;
                }

                seen[i] = true;
                keep = true;
            }
        }

        blanks();

        if (!is_value(keep, depth)) {
            return false;
        }

        blanks();
    } while (is_byte(','));

    return is_byte('}') && (seen[0] || seen[1]);
}


static bool
is_value(bool keep, unsigned depth)
{
    if (keep && ++values > UX_BEACON_NODES) {
        return false;
    }

    switch (peek()) {

    case '{':
    case '[':
        return is_list(keep, depth + 1, peek() == '{' ? '}' : ']');

    case '"':
        return is_string(keep, NULL, 0);

    case 't':
        return is_literal("true");

    case 'f':
        return is_literal("false");

    case 'n':
        return is_literal("null");

    default:
        return is_number(keep);
    }
}


static bool
is_list(bool keep, unsigned depth, int close)
{
    if (depth > (keep ? UX_BEACON_LEVELS : 32)) {
        return false;
    }

    p++;
    blanks();

    if (is_byte(close)) {
        return true;
    }

    do {
        blanks();

        if (close == '}') {

            if (!is_string(false, NULL, 0)) {
                return false;
            }

            blanks();

            if (!is_byte(':')) {
                return false;
            }

            blanks();
        }

        if (!is_value(keep, depth)) {
            return false;
        }

        blanks();
    } while (is_byte(','));

    return is_byte(close);
}


/* plain: what it says, '?' for what is not ASCII, as far as there is room. */
static bool
is_string(bool keep, char *plain, size_t size)
{
    size_t    n;
    unsigned  c;

    if (!is_byte('"')) {
        return false;
    }

    for (n = 0; peek() != '"'; n++) {

        if (peek() < 0x20) {
            return false;
        }

        if (!(peek() == '\\' ? is_escape(keep, &c) : is_utf8(&c))) {
            return false;
        }

        if (n < size) {
            plain[n] = (char) (c < 0x80 ? c : '?');
        }
    }

    if (size > 0) {
        plain[n < size ? n : size - 1] = '\0';
    }

    p++;

    return true;
}


static bool
is_escape(bool keep, unsigned *c)
{
    unsigned     second;
    const char  *found;

    p++;

    if (peek() == 'u') {

        if (!is_hex(c) || *c == 0) {
            return false;
        }

        if (!keep || *c < 0xd800 || *c >= 0xe000) {
            return true;
        }

        return *c < 0xdc00 && is_byte('\\') && peek() == 'u'
               && is_hex(&second) && second >= 0xdc00 && second < 0xe000;
    }

    found = peek() > 0 ? strchr("\"\\/bfnrt", peek()) : NULL;

    if (found == NULL) {
        return false;
    }

    /* of names that count only these three can be told apart */

    *c = *found == '"' || *found == '\\' || *found == '/'
         ? (unsigned char) *found : 0x80;
    p++;

    return true;
}


static bool
is_hex(unsigned *c)
{
    char  text[5] = { 0 };

    p++;

    if (end - p < 4) {
        return false;
    }

    memcpy(text, p, 4);

    if (strspn(text, "0123456789abcdefABCDEF") != 4) {
        return false;
    }

    *c = (unsigned) strtoul(text, NULL, 16);
    p += 4;

    return true;
}


static bool
is_number(bool keep)
{
    char                 *text;
    size_t                len;
    double                value;
    const unsigned char  *start = p;

    (void) is_byte('-');

    if (!is_byte('0') && digits() == 0) {
        return false;
    }

    if (is_byte('.') && digits() == 0) {
        return false;
    }

    if (is_byte('e') || is_byte('E')) {
        (void) (is_byte('+') || is_byte('-'));

        if (digits() == 0) {
            return false;
        }
    }

    len = (size_t) (p - start);
    text = strndup((const char *) start, len);
    value = strtod(text, NULL);
    free(text);

    return value - value == 0 && !(keep && len > 63);
}


/* By the code point, not by the table of bytes. */
static bool
is_utf8(unsigned *c)
{
    unsigned  n, i, least;

    *c = *p;
    n = *c < 0x80 ? 0 : *c >= 0xf0 ? 3 : *c >= 0xe0 ? 2 : 1;
    least = n == 0 ? 0 : n == 1 ? 0x80 : n == 2 ? 0x800 : 0x10000;

    if ((*c >= 0x80 && *c < 0xc0) || *c >= 0xf8
        || (size_t) (end - p) <= n)
    {
        return false;
    }

    *c &= n == 0 ? 0x7f : 0x3fu >> n;

    for (i = 1; i <= n; i++) {

        if ((p[i] & 0xc0) != 0x80) {
            return false;
        }

        *c = *c << 6 | (p[i] & 0x3f);
    }

    p += n + 1;

    return *c >= least && *c <= 0x10ffff && (*c < 0xd800 || *c > 0xdfff);
}


static bool
is_literal(const char *word)
{
    size_t  n = strlen(word);

    if ((size_t) (end - p) < n || memcmp(p, word, n) != 0) {
        return false;
    }

    p += n;

    return true;
}


static bool
is_byte(int byte)
{
    if (peek() != byte) {
        return false;
    }

    p++;

    return true;
}


static size_t
digits(void)
{
    size_t  n;

    n = fuzz_digits(p, end);
    p += n;

    return n;
}


static int
peek(void)
{
    return p < end ? *p : -1;
}


static void
blanks(void)
{
    while (is_byte(' ') || is_byte('\t') || is_byte('\r') || is_byte('\n')) {
        /* void */
    }
}
