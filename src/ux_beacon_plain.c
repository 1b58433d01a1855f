
/*
 * Copyright (C) the nginx-ux authors
 *
 * Beacons as scripts send them: an object or an array of them, whose members
 * are strings of ASCII without escapes, numbers without exponents, or
 * literals.  One look at each byte tells all.  Whatever is not so, malformed
 * bodies too, is left to ux_beacon.c: what is taken here reads the same there
 * (t/unit/test_beacon_plain.c).
 */

#include "ux_beacon_private.h"

#include <string.h>


#define UX_PLAIN_DIGITS_MAX  40    /* characters of a number */


typedef struct {
    const char  *p;
    const char  *end;
    unsigned     nodes;            /* values that are kept */
    unsigned     members;
} ux_plain_t;


static bool ux_plain_objects(ux_beacon_t *beacon, ux_plain_t *plain);
static bool ux_plain_object(ux_beacon_t *beacon, ux_plain_t *plain);
static bool ux_plain_member(ux_plain_t *plain, ux_beacon_part_t *parts);
static bool ux_plain_value(ux_plain_t *plain, ux_beacon_part_t *part);
static bool ux_plain_string(ux_plain_t *plain, ux_str_t *text);
static bool ux_plain_number(ux_plain_t *plain, ux_str_t *text);
static bool ux_plain_digits(ux_plain_t *plain);
static bool ux_plain_literal(ux_plain_t *plain, ux_json_type_e *type);
static int ux_plain_take(ux_plain_t *plain);
static int ux_plain_next(ux_plain_t *plain);


bool
ux_beacon_plain(ux_beacon_t *beacon, ux_str_t body, unsigned members)
{
    ux_plain_t  plain;

    plain.p = body.data;
    plain.end = body.data + body.len;
    plain.nodes = 0;
    plain.members = members;

    beacon->n = 0;
    beacon->used = 0;

    if (ux_plain_next(&plain) == '[') {
        plain.p++;
        plain.nodes++;

        if (!ux_plain_objects(beacon, &plain)) {
            return false;
        }

    } else if (!ux_plain_object(beacon, &plain)) {
        return false;
    }

    return ux_plain_next(&plain) == -1;
}


/* Of an array that is not empty, to its end. */
static bool
ux_plain_objects(ux_beacon_t *beacon, ux_plain_t *plain)
{
    int  byte;

    do {

        if (!ux_plain_object(beacon, plain)) {
            return false;
        }

        byte = ux_plain_take(plain);

    } while (byte == ',');

    return byte == ']';
}


static bool
ux_plain_object(ux_beacon_t *beacon, ux_plain_t *plain)
{
    int               byte;
    ux_beacon_part_t  parts[UX_BEACON_MEMBERS];

    if (ux_plain_take(plain) != '{') {
        return false;
    }

    plain->nodes++;
    memset(parts, 0, sizeof(parts));

    do {

        if (!ux_plain_member(plain, parts)) {
            return false;
        }

        byte = ux_plain_take(plain);

    } while (byte == ',');

    if (byte != '}' || plain->nodes > UX_BEACON_NODES
        || (parts[UX_BEACON_M_EVENT].type == UX_JSON_NONE
            && parts[UX_BEACON_M_NAME].type == UX_JSON_NONE))
    {
        return false;
    }

    ux_beacon_item(beacon, parts);

    return true;
}


/* One that is there twice is nothing that is read. */
static bool
ux_plain_member(ux_plain_t *plain, ux_beacon_part_t *parts)
{
    unsigned          i;
    ux_str_t          name;
    ux_beacon_part_t  other, *part;

    if (ux_plain_next(plain) != '"' || !ux_plain_string(plain, &name)
        || ux_plain_take(plain) != ':')
    {
        return false;
    }

    for (i = 0; i < plain->members; i++) {
        if (ux_beacon_members[i].len == name.len
            && memcmp(ux_beacon_members[i].data, name.data, name.len) == 0)
        {
            break;
        }
    }

    part = &other;

    if (i < plain->members) {
        part = &parts[i];
        plain->nodes++;

        if (part->type != UX_JSON_NONE) {
            return false;
        }
    }

    return ux_plain_value(plain, part);
}


static bool
ux_plain_value(ux_plain_t *plain, ux_beacon_part_t *part)
{
    int  byte;

    byte = ux_plain_next(plain);

    if (byte == '"') {
        part->type = UX_JSON_STRING;
        return ux_plain_string(plain, &part->word);
    }

    if (byte == '-' || (byte >= '0' && byte <= '9')) {
        part->type = UX_JSON_NUMBER;
        return ux_plain_number(plain, &part->word);
    }

    part->word.data = "";
    part->word.len = 0;

    return ux_plain_literal(plain, &part->type);
}


/* From quote to quote. */
static bool
ux_plain_string(ux_plain_t *plain, ux_str_t *text)
{
    signed char  c;
    const char  *p;

    text->data = plain->p + 1;

    for (p = text->data; p < plain->end; p++) {
        c = (signed char) *p;

        if (c == '"') {
            text->len = (size_t) (p - text->data);
            plain->p = p + 1;
            return true;
        }

        /* below 0: not ASCII */

        if (c < 0x20 || c == '\\') {
            return false;
        }
    }

    return false;
}


/* [-]digits[.digits], and whatever comes behind is none of it. */
static bool
ux_plain_number(ux_plain_t *plain, ux_str_t *text)
{
    text->data = plain->p;

    if (*plain->p == '-') {
        plain->p++;
    }

    if (plain->p < plain->end && *plain->p == '0') {
        plain->p++;

    } else if (!ux_plain_digits(plain)) {
        return false;
    }

    if (plain->p < plain->end && *plain->p == '.') {
        plain->p++;

        if (!ux_plain_digits(plain)) {
            return false;
        }
    }

    text->len = (size_t) (plain->p - text->data);

    return text->len <= UX_PLAIN_DIGITS_MAX;
}


/* One at least. */
static bool
ux_plain_digits(ux_plain_t *plain)
{
    const char  *start;

    start = plain->p;

    while (plain->p < plain->end && *plain->p >= '0' && *plain->p <= '9') {
        plain->p++;
    }

    return plain->p > start;
}


static bool
ux_plain_literal(ux_plain_t *plain, ux_json_type_e *type)
{
    size_t  i;

    static const struct {
        ux_str_t        word;
        ux_json_type_e  type;

    } literals[] = {
        { ux_str("null"), UX_JSON_NULL },
        { ux_str("true"), UX_JSON_BOOL },
        { ux_str("false"), UX_JSON_BOOL }
    };

    for (i = 0; i < sizeof(literals) / sizeof(literals[0]); i++) {

        if ((size_t) (plain->end - plain->p) >= literals[i].word.len
            && memcmp(plain->p, literals[i].word.data, literals[i].word.len)
               == 0)
        {
            plain->p += literals[i].word.len;
            *type = literals[i].type;
            return true;
        }
    }

    return false;
}


/* As ux_plain_next(), and over it. */
static int
ux_plain_take(ux_plain_t *plain)
{
    int  byte;

    byte = ux_plain_next(plain);
    plain->p += byte >= 0;

    return byte;
}


/* The next byte that is no blank; -1: the end. */
static int
ux_plain_next(ux_plain_t *plain)
{
    char  c;

    for ( /* void */ ; plain->p < plain->end; plain->p++) {
        c = *plain->p;

        if (c != ' ' && c != '\t' && c != '\r' && c != '\n') {
            return (unsigned char) c;
        }
    }

    return -1;
}
