
/*
 * Copyright (C) the nginx-ux authors
 *
 * A figure in print.  Counts and amounts are the document's own digits, with
 * commas between thousands; what was worked out is rounded to what a reader
 * can use, the document has the rest.
 *
 * There are thousands on a page: no printf() where it can be helped.
 */

#include "ux_page_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define UX_PAGE_DASH     "\xe2\x80\x93"
#define UX_PAGE_MINUS    "\xe2\x88\x92"

/* Whole numbers up to here are exact in a double. */
#define UX_PAGE_EXACT    9e15

#define UX_PAGE_P_LEAST  0.0001


static void ux_page_put_one(ux_text_t *text, const ux_page_figure_t *figure,
    ux_json_t *node);
static void ux_page_put_pair(ux_text_t *text, const ux_page_figure_t *figure,
    ux_json_t *node);
static void ux_page_put_number(ux_text_t *text, ux_page_kind_e kind,
    double value);
static void ux_page_put_digits(ux_text_t *text, ux_str_t word);
static void ux_page_put_words(ux_text_t *text, const ux_page_figure_t *figure,
    ux_json_t *node);
static void ux_page_put_time(ux_text_t *text, ux_str_t word);
static void ux_page_put_seconds(ux_text_t *text, double seconds);
static void ux_page_put_bytes(ux_text_t *text, double bytes);
static void ux_page_put_rounded(ux_text_t *text, double value, bool sign);
static void ux_page_put_fixed(ux_text_t *text, double value,
    unsigned decimals, bool sign);


void
ux_page_put_figure(ux_text_t *text, const ux_page_figure_t *figure,
    ux_json_t *node)
{
    if (ux_json_type(node) == UX_JSON_ARRAY
        && figure->kind != UX_PAGE_WORD)
    {
        ux_page_put_pair(text, figure, node);

    } else {
        ux_page_put_one(text, figure, node);
    }
}


static void
ux_page_put_one(ux_text_t *text, const ux_page_figure_t *figure,
    ux_json_t *node)
{
    switch (ux_json_type(node)) {

    case UX_JSON_NUMBER:
        if (figure->kind == UX_PAGE_COUNT) {
            ux_page_put_digits(text, ux_json_word(node));

        } else {
            ux_page_put_number(text, figure->kind, ux_page_number(node));
        }

        return;

    case UX_JSON_STRING:
    case UX_JSON_BOOL:
    case UX_JSON_ARRAY:
        ux_page_put_words(text, figure, node);
        return;

    default:
        ux_text_word(text, UX_PAGE_DASH);
        return;
    }
}


/* An interval; where it has no upper end that is null. */
static void
ux_page_put_pair(ux_text_t *text, const ux_page_figure_t *figure,
    ux_json_t *node)
{
    ux_json_t  *lo, *hi;

    lo = ux_json_first(node);
    hi = ux_json_next(lo);

    if (ux_json_type(hi) != UX_JSON_NUMBER) {
        ux_text_word(text, "from ");
        ux_page_put_one(text, figure, lo);
        return;
    }

    ux_page_put_one(text, figure, lo);
    ux_text_word(text, " to ");
    ux_page_put_one(text, figure, hi);
}


static void
ux_page_put_number(ux_text_t *text, ux_page_kind_e kind, double value)
{
    switch (kind) {

    case UX_PAGE_CHANGE:
        ux_page_put_rounded(text, value, true);
        return;

    case UX_PAGE_SHARE:
    case UX_PAGE_LIFT:
        ux_page_put_share(text, value, kind == UX_PAGE_LIFT);
        return;

    case UX_PAGE_LOST:
        ux_page_put_share(text, 1 - value, false);
        return;

    case UX_PAGE_POINTS:
        ux_page_put_fixed(text, 100 * value, 2, true);
        ux_text_word(text, " points");
        return;

    case UX_PAGE_P:
        if (value < UX_PAGE_P_LEAST) {
            ux_text_word(text, "&lt; 0.0001");

        } else {
            ux_page_put_fixed(text, value, 4, false);
        }

        return;

    case UX_PAGE_SECONDS:
        ux_page_put_seconds(text, value);
        return;

    case UX_PAGE_DAYS:
        ux_page_put_seconds(text, value * 86400);
        return;

    case UX_PAGE_BYTES:
        ux_page_put_bytes(text, value);
        return;

    default:
        ux_page_put_rounded(text, value, false);
        return;
    }
}


double
ux_page_number(const ux_json_t *node)
{
    return ux_json_double(node);
}


/* "-1234567.50": commas in front of the point only. */
static void
ux_page_put_digits(ux_text_t *text, ux_str_t word)
{
    size_t  i, whole;

    i = 0;

    if (word.len > 0 && word.data[0] == '-') {
        ux_text_word(text, UX_PAGE_MINUS);
        i = 1;
    }

    whole = i + strspn(word.data + i, "0123456789");

    if (word.len > whole && word.data[whole] != '.') {

        /* an exponent: not one of ours */

        whole = 0;
    }

    for ( /* void */ ; i < whole; i++) {
        ux_text_char(text, word.data[i]);

        if (whole - i > 1 && (whole - i - 1) % 3 == 0) {
            ux_text_char(text, ',');
        }
    }

    ux_text_put(text, word.data + i, word.len - i);
}


static void
ux_page_put_words(ux_text_t *text, const ux_page_figure_t *figure,
    ux_json_t *node)
{
    ux_json_t  *child;

    switch (ux_json_type(node)) {

    case UX_JSON_BOOL:
        ux_text_word(text, ux_json_true(node) ? "yes" : "no");
        return;

    case UX_JSON_STRING:
        if (figure->kind == UX_PAGE_TIME) {
            ux_page_put_time(text, ux_json_word(node));

        } else {
            ux_page_print(text, "%e",
                          ux_words(figure->words, ux_json_word(node)));
        }

        return;

    case UX_JSON_ARRAY:
        for (child = ux_json_first(node); child != NULL;
             child = ux_json_next(child))
        {
            ux_page_print(text, "%e%w", ux_json_word(child),
                          ux_json_next(child) != NULL ? ", " : "");
        }

        return;

    default:
        return;
    }
}


/* "2026-01-31T12:00:00Z"; a tree that was built has it with its quotes. */
static void
ux_page_put_time(ux_text_t *text, ux_str_t word)
{
    ux_str_t     day, time;
    const char  *t;

    if (word.len > 1 && word.data[0] == '"') {
        word.data++;
        word.len -= 2;
    }

    t = memchr(word.data, 'T', word.len);

    if (t == NULL) {
        ux_page_print(text, "%e", word);
        return;
    }

    day.data = word.data;
    day.len = (size_t) (t - word.data);
    time.data = t + 1;
    time.len = word.len - day.len - 1;
    time.len -= time.len > 0 && time.data[time.len - 1] == 'Z';

    ux_page_print(text, "<time datetime=\"%e\">%e %e UTC</time>", word, day,
                  time);
}


static void
ux_page_put_seconds(ux_text_t *text, double seconds)
{
    double   n, rest;
    size_t   i;

    static const struct {
        double       seconds;
        const char  *unit;
        double       parts;
        const char  *part;
    }  units[] = {
        { 86400, " d ", 3600, " h" },
        { 3600, " h ", 60, " min" },
        { 60, " min ", 1, " s" }
    };

    if (seconds < 1) {
        ux_page_put_rounded(text, 1000 * seconds, false);
        ux_text_word(text, " ms");
        return;
    }

    for (i = 0; i < 3; i++) {

        if (seconds < units[i].seconds) {
            continue;
        }

        n = floor(seconds / units[i].seconds);
        rest = floor((seconds - n * units[i].seconds) / units[i].parts);

        ux_page_put_fixed(text, n, 0, false);
        ux_text_word(text, units[i].unit);
        ux_page_put_fixed(text, rest, 0, false);
        ux_text_word(text, units[i].part);
        return;
    }

    ux_page_put_fixed(text, seconds, 2, false);
    ux_text_word(text, " s");
}


static void
ux_page_put_bytes(ux_text_t *text, double bytes)
{
    size_t  i;

    static const char *const  units[] = { " B", " KiB", " MiB", " GiB",
                                          " TiB" };

    for (i = 0; i < 4 && bytes >= 1024; i++) {
        bytes /= 1024;
    }

    ux_page_put_fixed(text, bytes, i == 0 ? 0 : 1, false);
    ux_text_word(text, units[i]);
}


void
ux_page_put_share(ux_text_t *text, double share, bool sign)
{
    bool      nearly;
    double    percent;
    unsigned  decimals;

    percent = 100 * fabs(share);

    /* nearly all is not all */

    nearly = !sign && percent >= 99.95 && percent < 100;

    if (nearly && percent >= 99.995) {
        ux_text_word(text, "&gt; 99.99 %");
        return;
    }

    decimals = percent >= 9.995 && !nearly ? 1 : percent >= 0.9995 ? 2 : 3;
    decimals = share == 0 || percent == 100 ? 0 : decimals;

    ux_page_put_fixed(text, 100 * share, sign && decimals > 1 ? decimals - 1
                                                              : decimals,
                      sign);
    ux_text_word(text, " %");
}


void
ux_page_put_place(ux_text_t *text, double place)
{
    char      digits[8];
    unsigned  n, len;

    /* a drawing is at most 1000 wide; what is beyond its edge ends there */

    n = place > 0 ? (unsigned) (10 * fmin(place, 1000) + 0.5) : 0;
    len = (unsigned) snprintf(digits, sizeof(digits), "%u", n / 10 % 10000);

    ux_text_put(text, digits, len);

    if (n % 10 != 0) {
        ux_text_char(text, '.');
        ux_text_char(text, (char) ('0' + n % 10));
    }
}


/* Four figures, more of what is large, two decimals of amounts. */
static void
ux_page_put_rounded(ux_text_t *text, double value, bool sign)
{
    double    size;
    unsigned  decimals;

    size = fabs(value);
    decimals = size >= 100 ? 1 : size >= 10 ? 2 : size >= 0.1 ? 3 : 5;
    decimals = size == floor(size) ? 0 : decimals;

    ux_page_put_fixed(text, value, decimals, sign);
}


static void
ux_page_put_fixed(ux_text_t *text, double value, unsigned decimals,
    bool sign)
{
    char      digits[48];
    char     *p;
    double    scaled;
    uint64_t  n;
    unsigned  i;

    static const double  scales[] = { 1, 10, 100, 1000, 10000, 100000 };

    scaled = fabs(value) * scales[decimals];

    if (!(scaled < UX_PAGE_EXACT)) {
        (void) snprintf(digits, sizeof(digits), "%.3e", value);
        ux_text_word(text, digits);
        return;
    }

    n = (uint64_t) (scaled + 0.5);
    p = digits + sizeof(digits);

    for (i = 0; i < decimals; i++) {
        *--p = (char) ('0' + n % 10);
        n /= 10;
    }

    if (decimals > 0) {
        *--p = '.';
    }

    for (i = 0; i == 0 || n != 0; i++) {

        if (i > 0 && i % 3 == 0) {
            *--p = ',';
        }

        *--p = (char) ('0' + n % 10);
        n /= 10;
    }

    if (value < 0 && scaled >= 0.5) {
        ux_text_word(text, UX_PAGE_MINUS);

    } else if (sign && scaled >= 0.5) {
        ux_text_char(text, '+');
    }

    ux_text_put(text, p, (size_t) (digits + sizeof(digits) - p));
}
