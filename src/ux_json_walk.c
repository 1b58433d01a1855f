
/*
 * Copyright (C) the nginx-ux authors
 *
 * JSON text by its grammar.  The kinds of the open levels are bits of a word,
 * so a walk takes the same few bytes however deep the text is, and one look
 * at each byte of it.
 */

#include "ux_json_walk.h"
#include "ux_json_digits.h"
#include "ux_json_scan.h"

#include <string.h>


static bool ux_json_walk_start(ux_json_walk_t *walk, bool keep, bool *inside);
static bool ux_json_walk_open(ux_json_walk_t *walk, bool keep, bool *more);
static bool ux_json_walk_scalar(ux_json_walk_t *walk, bool keep);
static bool ux_json_walk_string(ux_json_walk_t *walk, bool keep,
    ux_str_t *text);
static bool ux_json_walk_escape(ux_json_walk_t *walk, bool keep);
static bool ux_json_walk_unit(ux_json_walk_t *walk, unsigned *unit);
static bool ux_json_walk_number(ux_json_walk_t *walk, bool keep);
static bool ux_json_walk_literal(ux_json_walk_t *walk);
static bool ux_json_walk_in_object(const ux_json_walk_t *walk);
static int ux_json_walk_decoded(ux_cursor_t *c);
static int ux_json_walk_hex(int c);
static bool ux_json_walk_wrong(ux_json_walk_t *walk, const char *what);


void
ux_json_walk_init(ux_json_walk_t *walk, ux_str_t text)
{
    memset(walk, 0, sizeof(ux_json_walk_t));

    walk->c.p = (const unsigned char *) text.data;
    walk->c.end = walk->c.p + text.len;
    walk->nodes_max = UINT32_MAX;
    walk->levels_max = UX_JSON_DEPTH_MAX;
}


bool
ux_json_walk_enter(ux_json_walk_t *walk, bool *more)
{
    (void) ux_json_walk_peek(walk);

    return ux_json_walk_open(walk, true, more);
}


bool
ux_json_walk_more(ux_json_walk_t *walk, bool *more)
{
    int  byte;

    byte = ux_json_walk_peek(walk);
    *more = byte == ',';

    if (byte == ',') {
        walk->c.p++;
        return true;
    }

    if (byte != (ux_json_walk_in_object(walk) ? '}' : ']')) {
        return ux_json_walk_wrong(walk, "no comma or closing bracket");
    }

    walk->c.p++;
    walk->depth--;

    return true;
}


bool
ux_json_walk_name(ux_json_walk_t *walk, ux_str_t *name)
{
    if (ux_json_walk_peek(walk) != '"') {
        return ux_json_walk_wrong(walk, "no name of a member");
    }

    if (!ux_json_walk_string(walk, false, name)) {
        return false;
    }

    if (ux_json_walk_peek(walk) != ':') {
        return ux_json_walk_wrong(walk, "no colon behind a name");
    }

    walk->c.p++;

    return true;
}


bool
ux_json_walk_value(ux_json_walk_t *walk, bool keep)
{
    bool      inside, more;
    unsigned  depth;
    ux_str_t  name;

    depth = walk->depth;

    if (!ux_json_walk_start(walk, keep, &inside)) {
        return false;
    }

    while (walk->depth > depth) {

        if (!inside) {

            if (!ux_json_walk_more(walk, &more)) {
                return false;
            }

            if (!more) {
                continue;
            }
        }

        if (ux_json_walk_in_object(walk) && !ux_json_walk_name(walk, &name))
        {
            return false;
        }

        if (!ux_json_walk_start(walk, keep, &inside)) {
            return false;
        }
    }

    return true;
}


bool
ux_json_walk_end(ux_json_walk_t *walk)
{
    if (ux_json_walk_peek(walk) != UX_CURSOR_END) {
        return ux_json_walk_wrong(walk, "something behind the end");
    }

    return true;
}


int
ux_json_walk_peek(ux_json_walk_t *walk)
{
    int  byte;

    for ( ;; ) {
        byte = ux_cursor_peek(&walk->c);

        if (byte != ' ' && byte != '\t' && byte != '\r' && byte != '\n') {
            return byte;
        }

        walk->c.p++;
    }
}


bool
ux_json_walk_is(ux_str_t name, ux_str_t word)
{
    size_t       i;
    ux_cursor_t  c;

    c.p = (const unsigned char *) name.data;
    c.end = c.p + name.len;

    for (i = 0; i < word.len; i++) {

        if (ux_json_walk_decoded(&c) != word.data[i]) {
            return false;
        }
    }

    return c.p == c.end;
}


/* A whole scalar, or into an array or object; *inside: there is something. */
static bool
ux_json_walk_start(ux_json_walk_t *walk, bool keep, bool *inside)
{
    int  byte;

    byte = ux_json_walk_peek(walk);
    *inside = false;

    if (byte == '{' || byte == '[') {
        return ux_json_walk_open(walk, keep, inside);
    }

    return ux_json_walk_scalar(walk, keep);
}


static bool
ux_json_walk_open(ux_json_walk_t *walk, bool keep, bool *more)
{
    int  byte;

    byte = ux_cursor_peek(&walk->c);

    if (byte != '{' && byte != '[') {
        return ux_json_walk_wrong(walk, "no object or array");
    }

    if (walk->depth == UX_JSON_DEPTH_MAX
        || (keep && walk->depth >= walk->levels_max))
    {
        return ux_json_walk_wrong(walk, "too many levels");
    }

    if (keep && walk->nodes++ == walk->nodes_max) {
        return ux_json_walk_wrong(walk, "too many values");
    }

    walk->depth++;
    walk->open &= ~(1ull << walk->depth);
    walk->open |= (uint64_t) (byte == '{') << walk->depth;
    walk->c.p++;

    *more = ux_json_walk_peek(walk) != (byte == '{' ? '}' : ']');

    if (!*more) {
        walk->c.p++;
        walk->depth--;
    }

    return true;
}


static bool
ux_json_walk_scalar(ux_json_walk_t *walk, bool keep)
{
    int       byte;
    ux_str_t  text;

    if (keep && walk->nodes++ == walk->nodes_max) {
        return ux_json_walk_wrong(walk, "too many values");
    }

    byte = ux_cursor_peek(&walk->c);

    if (byte == '"') {
        return ux_json_walk_string(walk, keep, &text);
    }

    if (byte == '-' || (byte >= '0' && byte <= '9')) {
        return ux_json_walk_number(walk, keep);
    }

    return ux_json_walk_literal(walk);
}


/* From quote to quote; text: what is between them. */
static bool
ux_json_walk_string(ux_json_walk_t *walk, bool keep, ux_str_t *text)
{
    int     byte;
    size_t  n;

    walk->c.p++;
    text->data = (const char *) walk->c.p;

    for ( ;; ) {
        byte = ux_cursor_peek(&walk->c);

        if (byte == UX_CURSOR_END) {
            return ux_json_walk_wrong(walk, "a string without its end");
        }

        if (byte < 0x20) {
            return ux_json_walk_wrong(walk, "a control character");
        }

        if (byte == '"') {
            text->len = (size_t) ((const char *) walk->c.p - text->data);
            walk->c.p++;
            return true;
        }

        if (byte == '\\') {

            if (!ux_json_walk_escape(walk, keep)) {
                return false;
            }

            continue;
        }

        n = ux_json_scan_utf8((const char *) walk->c.p,
                              (size_t) (walk->c.end - walk->c.p));

        if (n == 0) {
            return ux_json_walk_wrong(walk, "bytes that are no UTF-8");
        }

        walk->c.p += n;
    }
}


static bool
ux_json_walk_escape(ux_json_walk_t *walk, bool keep)
{
    int       byte;
    unsigned  unit;

    walk->c.p++;
    byte = ux_cursor_peek(&walk->c);

    if (byte != 'u') {

        if (byte <= 0 || strchr("\"\\/bfnrt", byte) == NULL) {
            return ux_json_walk_wrong(walk, "no escape that JSON knows");
        }

        walk->c.p++;

        return true;
    }

    if (!ux_json_walk_unit(walk, &unit)) {
        return false;
    }

    if (unit == 0) {
        return ux_json_walk_wrong(walk, "the character U+0000");
    }

    if (!keep || unit < 0xd800 || unit > 0xdfff) {
        return true;
    }

    /* a first half, and the second one has to follow */

    if (unit > 0xdbff || !ux_cursor_accept(&walk->c, '\\')
        || ux_cursor_peek(&walk->c) != 'u')
    {
        return ux_json_walk_wrong(walk, "half of a character");
    }

    if (!ux_json_walk_unit(walk, &unit)) {
        return false;
    }

    if (unit < 0xdc00 || unit > 0xdfff) {
        return ux_json_walk_wrong(walk, "half of a character");
    }

    return true;
}


/* uXXXX */
static bool
ux_json_walk_unit(ux_json_walk_t *walk, unsigned *unit)
{
    int       digit;
    unsigned  i;

    walk->c.p++;
    *unit = 0;

    for (i = 0; i < 4; i++) {
        digit = ux_json_walk_hex(ux_cursor_peek(&walk->c));

        if (digit < 0) {
            return ux_json_walk_wrong(walk, "\\u without four digits");
        }

        *unit = *unit * 16 + (unsigned) digit;
        walk->c.p++;
    }

    return true;
}


static bool
ux_json_walk_number(ux_json_walk_t *walk, bool keep)
{
    ux_str_t  rest, number;

    rest.data = (const char *) walk->c.p;
    rest.len = (size_t) (walk->c.end - walk->c.p);

    if (ux_json_scan_number(&rest, &number) != UX_OK) {
        return ux_json_walk_wrong(walk, "no number that JSON knows");
    }

    if (!ux_json_digits_finite(number)) {
        return ux_json_walk_wrong(walk, "a number beyond all bounds");
    }

    if (keep && number.len > UX_JSON_DIGITS_MAX) {
        return ux_json_walk_wrong(walk, "a number of too many digits");
    }

    walk->c.p += number.len;

    return true;
}


static bool
ux_json_walk_literal(ux_json_walk_t *walk)
{
    size_t  i;

    static const ux_str_t  literals[] = {
        ux_str("true"), ux_str("false"), ux_str("null")
    };

    for (i = 0; i < sizeof(literals) / sizeof(literals[0]); i++) {

        if ((size_t) (walk->c.end - walk->c.p) >= literals[i].len
            && memcmp(walk->c.p, literals[i].data, literals[i].len) == 0)
        {
            walk->c.p += literals[i].len;
            return true;
        }
    }

    return ux_json_walk_wrong(walk, "no value");
}


static bool
ux_json_walk_in_object(const ux_json_walk_t *walk)
{
    return walk->open >> walk->depth & 1;
}


/* The next character of a name, if it is ASCII; of others no code point. */
static int
ux_json_walk_decoded(ux_cursor_t *c)
{
    int       byte, unit;
    unsigned  i;

    byte = ux_cursor_peek(c);

    if (byte == UX_CURSOR_END) {
        return byte;
    }

    c->p++;

    if (byte != '\\') {
        return byte;
    }

    byte = ux_cursor_peek(c);
    c->p++;

    if (byte != 'u') {
        return byte == '"' || byte == '\\' || byte == '/' ? byte : '\0';
    }

    unit = 0;

    for (i = 0; i < 4; i++) {
        unit = unit * 16 + ux_json_walk_hex(ux_cursor_peek(c));
        c->p++;
    }

    return unit;
}


static int
ux_json_walk_hex(int c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }

    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}


/* The first finding is the one. */
static bool
ux_json_walk_wrong(ux_json_walk_t *walk, const char *what)
{
    if (walk->wrong == NULL) {
        walk->wrong = what;
    }

    return false;
}
