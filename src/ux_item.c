
/*
 * Copyright (C) the nginx-ux authors
 *
 * Bare items, sections 3.3 and 4.2.3.1 of RFC 9651.  Every look at a byte
 * goes through ux_cursor_peek(), which knows where the bytes end.  Nothing is
 * copied or decoded; decoding is only checked.
 */

#include "ux_item.h"

#include <string.h>


#define UX_ITEM_INTEGER_MAX   15       /* digits, section 3.3.1 */
#define UX_ITEM_WHOLE_MAX     12       /* before the point, section 3.3.2 */
#define UX_ITEM_FRACTION_MAX  3


/* How many digits a number has before its point, and behind. */
typedef struct {
    unsigned  whole;
    unsigned  fraction;
} ux_digits_t;


/* What the next byte of a UTF-8 text must be; need 0: the first of some. */
typedef struct {
    unsigned  need;
    int       lo;
    int       hi;
} ux_utf8_t;


static bool ux_item_number(ux_cursor_t *c, ux_item_t *item);
static bool ux_item_digits(ux_cursor_t *c, ux_item_t *item,
    ux_digits_t *digits);
static bool ux_item_string(ux_cursor_t *c, ux_item_t *item);
static bool ux_item_bytes(ux_cursor_t *c, ux_item_t *item);
static bool ux_item_boolean(ux_cursor_t *c, ux_item_t *item);
static bool ux_item_date(ux_cursor_t *c, ux_item_t *item);
static bool ux_item_display(ux_cursor_t *c, ux_item_t *item);
static int ux_item_escaped(ux_cursor_t *c);
static bool ux_item_utf8(ux_utf8_t *state, int byte);
static unsigned ux_cursor_digits(ux_cursor_t *c);
static ux_str_t ux_cursor_since(const ux_cursor_t *c,
    const unsigned char *start);
static bool ux_item_is_digit(int c);
static bool ux_item_is_lower(int c);
static bool ux_item_is_alpha(int c);
static bool ux_item_is_token(int c);
static bool ux_item_is_key(int c);
static bool ux_item_is_base64(int c);
static int ux_item_hex(int c);


int
ux_cursor_peek(const ux_cursor_t *c)
{
    return (c->p < c->end) ? *c->p : UX_CURSOR_END;
}


bool
ux_cursor_accept(ux_cursor_t *c, int byte)
{
    if (ux_cursor_peek(c) != byte) {
        return false;
    }

    c->p++;

    return true;
}


void
ux_cursor_blanks(ux_cursor_t *c, bool tabs)
{
    while (ux_cursor_peek(c) == ' ' || (tabs && ux_cursor_peek(c) == '\t')) {
        c->p++;
    }
}


/* The first byte of a bare item tells its type. */
bool
ux_item_read(ux_cursor_t *c, ux_item_t *item)
{
    switch (ux_cursor_peek(c)) {

    case '"':
        return ux_item_string(c, item);

    case ':':
        return ux_item_bytes(c, item);

    case '?':
        return ux_item_boolean(c, item);

    case '@':
        return ux_item_date(c, item);

    case '%':
        return ux_item_display(c, item);

    case '-':
        return ux_item_number(c, item);

    default:
        if (ux_item_is_digit(ux_cursor_peek(c))) {
            return ux_item_number(c, item);
        }

        return ux_item_token(c, item);
    }
}


bool
ux_item_token(ux_cursor_t *c, ux_item_t *item)
{
    const unsigned char  *start = c->p;

    if (!ux_item_is_alpha(ux_cursor_peek(c)) && ux_cursor_peek(c) != '*') {
        return false;
    }

    while (ux_item_is_token(ux_cursor_peek(c))) {
        c->p++;
    }

    item->type = UX_ITEM_TOKEN;
    item->text = ux_cursor_since(c, start);

    return true;
}


bool
ux_item_key(ux_cursor_t *c, ux_str_t *key)
{
    const unsigned char  *start = c->p;

    if (!ux_item_is_lower(ux_cursor_peek(c)) && ux_cursor_peek(c) != '*') {
        return false;
    }

    while (ux_item_is_key(ux_cursor_peek(c))) {
        c->p++;
    }

    *key = ux_cursor_since(c, start);

    return true;
}


bool
ux_item_decimal(ux_cursor_t *c, ux_item_t *item)
{
    ux_digits_t  digits;

    return ux_item_digits(c, item, &digits);
}


static bool
ux_item_number(ux_cursor_t *c, ux_item_t *item)
{
    ux_digits_t  digits;

    if (!ux_item_digits(c, item, &digits)) {
        return false;
    }

    if (item->type == UX_ITEM_INTEGER) {
        return digits.whole <= UX_ITEM_INTEGER_MAX;
    }

    return digits.whole <= UX_ITEM_WHOLE_MAX
           && digits.fraction <= UX_ITEM_FRACTION_MAX;
}


static bool
ux_item_digits(ux_cursor_t *c, ux_item_t *item, ux_digits_t *digits)
{
    const unsigned char  *start = c->p;

    (void) ux_cursor_accept(c, '-');

    item->type = UX_ITEM_INTEGER;
    digits->whole = ux_cursor_digits(c);
    digits->fraction = 0;

    if (digits->whole == 0) {
        return false;
    }

    if (ux_cursor_accept(c, '.')) {
        item->type = UX_ITEM_DECIMAL;
        digits->fraction = ux_cursor_digits(c);

        if (digits->fraction == 0) {
            return false;
        }
    }

    item->text = ux_cursor_since(c, start);

    return true;
}


static bool
ux_item_string(ux_cursor_t *c, ux_item_t *item)
{
    int  byte;

    const unsigned char  *start;

    if (!ux_cursor_accept(c, '"')) {
        return false;
    }

    start = c->p;

    for ( ;; ) {
        byte = ux_cursor_peek(c);

        if (byte < 0x20 || byte > 0x7e) {
            return false;
        }

        if (byte == '"') {
            break;
        }

        c->p++;

        if (byte == '\\'
            && !ux_cursor_accept(c, '"') && !ux_cursor_accept(c, '\\'))
        {
            return false;
        }
    }

    item->type = UX_ITEM_STRING;
    item->text = ux_cursor_since(c, start);

    c->p++;

    return true;
}


/* Padding may be left out, but what there is of it must be right. */
static bool
ux_item_bytes(ux_cursor_t *c, ux_item_t *item)
{
    size_t  data, padding;

    const unsigned char  *start;

    if (!ux_cursor_accept(c, ':')) {
        return false;
    }

    start = c->p;

    while (ux_item_is_base64(ux_cursor_peek(c))) {
        c->p++;
    }

    data = (size_t) (c->p - start);
    padding = 0;

    while (padding < 2 && ux_cursor_accept(c, '=')) {
        padding++;
    }

    if (data % 4 == 1 || (padding > 0 && (data + padding) % 4 != 0)) {
        return false;
    }

    item->type = UX_ITEM_BYTES;
    item->text = ux_cursor_since(c, start);

    return ux_cursor_accept(c, ':');
}


static bool
ux_item_boolean(ux_cursor_t *c, ux_item_t *item)
{
    item->type = UX_ITEM_BOOLEAN;
    item->text = ux_cursor_since(c, c->p);

    return ux_cursor_accept(c, '?')
           && (ux_cursor_accept(c, '0') || ux_cursor_accept(c, '1'));
}


static bool
ux_item_date(ux_cursor_t *c, ux_item_t *item)
{
    if (!ux_cursor_accept(c, '@') || !ux_item_number(c, item)
        || item->type != UX_ITEM_INTEGER)
    {
        return false;
    }

    item->type = UX_ITEM_DATE;

    return true;
}


/* %"..." with %xx for what is not printable ASCII; UTF-8 when decoded. */
static bool
ux_item_display(ux_cursor_t *c, ux_item_t *item)
{
    int        byte;
    ux_utf8_t  state;

    const unsigned char  *start;

    if (!ux_cursor_accept(c, '%') || !ux_cursor_accept(c, '"')) {
        return false;
    }

    start = c->p;
    memset(&state, 0, sizeof(state));

    while (!ux_cursor_accept(c, '"')) {
        byte = ux_cursor_peek(c);

        if (byte < 0x20 || byte > 0x7e) {
            return false;
        }

        c->p++;

        if (byte == '%') {
            byte = ux_item_escaped(c);
        }

        if (byte < 0 || !ux_item_utf8(&state, byte)) {
            return false;
        }
    }

    item->type = UX_ITEM_DISPLAY;
    item->text = ux_cursor_since(c, start);

    return state.need == 0;
}


/* Two lower-case hex digits. */
static int
ux_item_escaped(ux_cursor_t *c)
{
    int  high, low;

    high = ux_item_hex(ux_cursor_peek(c));

    if (high < 0) {
        return -1;
    }

    c->p++;
    low = ux_item_hex(ux_cursor_peek(c));

    if (low < 0) {
        return -1;
    }

    c->p++;

    return high * 16 + low;
}


/*
 * RFC 3629: only the byte after the first has bounds other than 80..bf, and
 * they keep out overlong forms, surrogates and what is beyond U+10FFFF.
 */
static bool
ux_item_utf8(ux_utf8_t *state, int byte)
{
    if (state->need > 0) {

        if (byte < state->lo || byte > state->hi) {
            return false;
        }

        state->need--;
        state->lo = 0x80;
        state->hi = 0xbf;

        return true;
    }

    state->lo = (byte == 0xe0) ? 0xa0 : (byte == 0xf0) ? 0x90 : 0x80;
    state->hi = (byte == 0xed) ? 0x9f : (byte == 0xf4) ? 0x8f : 0xbf;
    state->need = (byte >= 0xf0) ? 3 : (byte >= 0xe0) ? 2 : (byte >= 0xc2);

    return byte < 0x80 || (byte >= 0xc2 && byte <= 0xf4);
}


/* How many there were. */
static unsigned
ux_cursor_digits(ux_cursor_t *c)
{
    unsigned  n;

    n = 0;

    while (ux_item_is_digit(ux_cursor_peek(c))) {
        c->p++;
        n++;
    }

    return n;
}


static ux_str_t
ux_cursor_since(const ux_cursor_t *c, const unsigned char *start)
{
    ux_str_t  s;

    s.data = (const char *) start;
    s.len = (size_t) (c->p - start);

    return s;
}


static bool
ux_item_is_digit(int c)
{
    return c >= '0' && c <= '9';
}


static bool
ux_item_is_lower(int c)
{
    return c >= 'a' && c <= 'z';
}


static bool
ux_item_is_alpha(int c)
{
    return ux_item_is_lower(c) || (c >= 'A' && c <= 'Z');
}


/* tchar of RFC 9110, ':' and '/'; the end of the line and NUL are neither. */
static bool
ux_item_is_token(int c)
{
    return ux_item_is_alpha(c) || ux_item_is_digit(c)
           || (c > 0 && strchr("!#$%&'*+-.^_`|~:/", c) != NULL);
}


static bool
ux_item_is_key(int c)
{
    return ux_item_is_lower(c) || ux_item_is_digit(c)
           || c == '_' || c == '-' || c == '.' || c == '*';
}


static bool
ux_item_is_base64(int c)
{
    return ux_item_is_alpha(c) || ux_item_is_digit(c)
           || c == '+' || c == '/';
}


static int
ux_item_hex(int c)
{
    if (ux_item_is_digit(c)) {
        return c - '0';
    }

    return (c >= 'a' && c <= 'f') ? c - 'a' + 10 : -1;
}
