
/*
 * Copyright (C) the nginx-ux authors
 *
 * What a client would rather have: the most specific range that an offer
 * matches says its quality, however the ranges are ordered.
 */

#include "ux_accept.h"

#include <string.h>


#define UX_ACCEPT_ALL  1000            /* q=1 */


/* A media range: its type, and the parameters that matter here. */
typedef struct {
    ux_str_t  type;
    ux_str_t  version;
    unsigned  quality;
} ux_accept_range_t;


static void ux_accept_range(ux_accept_t *offers, unsigned n, ux_str_t range);
static void ux_accept_parameter(ux_accept_range_t *range, ux_str_t text);
static unsigned ux_accept_matches(const ux_accept_t *offer,
    const ux_accept_range_t *range);
static unsigned ux_accept_quality(ux_str_t text);
static ux_str_t ux_accept_cut(ux_str_t *rest, char separator);
static ux_str_t ux_accept_trim(ux_str_t text);
static bool ux_accept_same(ux_str_t a, ux_str_t b);


void
ux_accept_line(ux_accept_t *offers, unsigned n, ux_str_t line)
{
    while (line.len > 0) {
        ux_accept_range(offers, n, ux_accept_cut(&line, ','));
    }
}


unsigned
ux_accept_best(const ux_accept_t *offers, unsigned n)
{
    unsigned  i, best;

    best = 0;

    for (i = 1; i < n; i++) {

        if (offers[i].specific != 0
            && offers[i].quality > offers[best].quality)
        {
            best = i;
        }
    }

    return best;
}


static void
ux_accept_range(ux_accept_t *offers, unsigned n, ux_str_t text)
{
    unsigned           i, specific;
    ux_accept_range_t  range;

    memset(&range, 0, sizeof(ux_accept_range_t));

    range.type = ux_accept_trim(ux_accept_cut(&text, ';'));
    range.quality = UX_ACCEPT_ALL;

    while (text.len > 0) {
        ux_accept_parameter(&range,
                            ux_accept_trim(ux_accept_cut(&text, ';')));
    }

    for (i = 0; i < n; i++) {
        specific = ux_accept_matches(&offers[i], &range);

        if (specific > offers[i].specific
            || (specific != 0 && specific == offers[i].specific
                && range.quality > offers[i].quality))
        {
            offers[i].specific = specific;
            offers[i].quality = range.quality;
        }
    }
}


static void
ux_accept_parameter(ux_accept_range_t *range, ux_str_t text)
{
    ux_str_t  name, q = ux_str("q"), version = ux_str("version");

    name = ux_accept_trim(ux_accept_cut(&text, '='));
    text = ux_accept_trim(text);

    if (text.len >= 2 && text.data[0] == '"'
        && text.data[text.len - 1] == '"')
    {
        text.data++;
        text.len -= 2;
    }

    if (ux_accept_same(name, q)) {
        range->quality = ux_accept_quality(text);

    } else if (ux_accept_same(name, version)) {
        range->version = text;
    }
}


/* 3: the type itself, 2: all of its kind, 1: all there are, 0: not it. */
static unsigned
ux_accept_matches(const ux_accept_t *offer, const ux_accept_range_t *range)
{
    ux_str_t  all = ux_str("*/*"), kind;

    if (ux_accept_same(range->type, all)) {
        return 1;
    }

    if (ux_accept_same(range->type, offer->type)) {
        return range->version.len == 0 || offer->version.len == 0
               || ux_accept_same(range->version, offer->version) ? 3 : 0;
    }

    kind = range->type;

    if (kind.len < 3 || memcmp(kind.data + kind.len - 2, "/*", 2) != 0
        || kind.len - 1 >= offer->type.len)
    {
        return 0;
    }

    kind.len--;

    return ux_accept_same(kind, (ux_str_t) { offer->type.data, kind.len })
           ? 2 : 0;
}


/* "0.75": 750.  What is no quality counts as none. */
static unsigned
ux_accept_quality(ux_str_t text)
{
    size_t    i;
    unsigned  value, unit;

    if (text.len == 0 || text.len > 5 || text.data[0] < '0'
        || text.data[0] > '1' || (text.len > 1 && text.data[1] != '.'))
    {
        return 0;
    }

    unit = UX_ACCEPT_ALL;
    value = (unsigned) (text.data[0] - '0') * unit;

    for (i = 2; i < text.len; i++) {

        if (text.data[i] < '0' || text.data[i] > '9') {
            return 0;
        }

        unit /= 10;
        value += (unsigned) (text.data[i] - '0') * unit;
    }

    return value < UX_ACCEPT_ALL ? value : UX_ACCEPT_ALL;
}


/* Up to the separator, which is dropped, or all. */
static ux_str_t
ux_accept_cut(ux_str_t *rest, char separator)
{
    bool      quoted;
    size_t    n;
    ux_str_t  part;

    quoted = false;

    for (n = 0; n < rest->len; n++) {

        if (rest->data[n] == '"') {
            quoted = !quoted;

        } else if (rest->data[n] == separator && !quoted) {
            break;
        }
    }

    part.data = rest->data;
    part.len = n;

    n += n < rest->len;
    rest->data += n;
    rest->len -= n;

    return part;
}


static ux_str_t
ux_accept_trim(ux_str_t text)
{
    while (text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text.data++;
        text.len--;
    }

    while (text.len > 0 && (text.data[text.len - 1] == ' '
                            || text.data[text.len - 1] == '\t'))
    {
        text.len--;
    }

    return text;
}


/* Whatever the case of letters, which no locale has a say in. */
static bool
ux_accept_same(ux_str_t a, ux_str_t b)
{
    char    x, y;
    size_t  i;

    if (a.len != b.len) {
        return false;
    }

    for (i = 0; i < a.len; i++) {
        x = a.data[i];
        y = b.data[i];

        x = (char) (x >= 'A' && x <= 'Z' ? x + ('a' - 'A') : x);
        y = (char) (y >= 'A' && y <= 'Z' ? y + ('a' - 'A') : y);

        if (x != y) {
            return false;
        }
    }

    return true;
}
