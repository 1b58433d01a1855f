
/*
 * Copyright (C) the nginx-ux authors
 *
 * What cJSON does not tell or does not check about a text.
 */

#include "ux_json_scan.h"

#include <string.h>


static size_t ux_json_scan_escape(const char *p, size_t len);
static size_t ux_json_scan_len(const char *p, size_t len);
static size_t ux_json_scan_digits(const char *p, size_t len);


ux_status_t
ux_json_scan_number(ux_str_t *rest, ux_str_t *number)
{
    bool         quoted;
    size_t       n;
    const char  *p, *end;

    quoted = false;
    end = rest->data + rest->len;

    for (p = rest->data; p < end; p++) {

        if ((unsigned char) *p < 0x20
            && (quoted || *p == '\0' || strchr("\t\r\n", *p) == NULL))
        {
            return UX_ERROR;
        }

        if (*p == '"') {
            quoted = !quoted;

        } else if (quoted && *p == '\\') {
            n = ux_json_scan_escape(p, (size_t) (end - p));

            if (n == 0) {
                return UX_ERROR;
            }

            p += n - 1;

        } else if (quoted) {
            continue;

        } else if (*p == '-' || (*p >= '0' && *p <= '9')) {
            number->data = p;
            number->len = ux_json_scan_len(p, (size_t) (end - p));

            rest->data = p + number->len;
            rest->len = (size_t) (end - rest->data);

            return number->len != 0 ? UX_OK : UX_ERROR;
        }
    }

    return UX_DECLINED;
}


size_t
ux_json_scan_utf8(const char *p, size_t len)
{
    size_t         i, n;
    unsigned char  c, lo, hi;

    c = (unsigned char) p[0];
    lo = 0x80;
    hi = 0xbf;

    if (c < 0x80) {
        return c != 0 ? 1 : 0;
    }

    if (c < 0xc2 || c > 0xf4) {
        return 0;
    }

    n = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

    if (c == 0xe0) {
        lo = 0xa0;

    } else if (c == 0xed) {
        hi = 0x9f;

    } else if (c == 0xf0) {
        lo = 0x90;

    } else if (c == 0xf4) {
        hi = 0x8f;
    }

    if (len < n) {
        return 0;
    }

    for (i = 1; i < n; i++) {
        c = (unsigned char) p[i];

        if (c < lo || c > hi) {
            return 0;
        }

        lo = 0x80;
        hi = 0xbf;
    }

    return n;
}


/* 0 if it is none; of those without digits cJSON knows which there are. */
static size_t
ux_json_scan_escape(const char *p, size_t len)
{
    size_t  i;

    if (len < 2) {
        return 0;
    }

    if (p[1] != 'u') {
        return 2;
    }

    if (len < 6) {
        return 0;
    }

    for (i = 2; i < 6; i++) {

        if (p[i] == '\0' || strchr("0123456789abcdefABCDEF", p[i]) == NULL) {
            return 0;
        }
    }

    return 6;
}


/* 0 if it is none, or goes on like one. */
static size_t
ux_json_scan_len(const char *p, size_t len)
{
    size_t  i, n;

    i = p[0] == '-';
    n = ux_json_scan_digits(p + i, len - i);

    if (n == 0 || (n > 1 && p[i] == '0')) {
        return 0;
    }

    i += n;

    if (i < len && p[i] == '.') {
        n = ux_json_scan_digits(p + i + 1, len - i - 1);

        if (n == 0) {
            return 0;
        }

        i += n + 1;
    }

    if (i < len && (p[i] == 'e' || p[i] == 'E')) {
        i++;
        i += i < len && (p[i] == '+' || p[i] == '-');
        n = ux_json_scan_digits(p + i, len - i);

        if (n == 0) {
            return 0;
        }

        i += n;
    }

    if (i < len && p[i] != '\0' && strchr("+-.0123456789eExX", p[i]) != NULL) {
        return 0;
    }

    return i;
}


static size_t
ux_json_scan_digits(const char *p, size_t len)
{
    size_t  n;

    for (n = 0; n < len && p[n] >= '0' && p[n] <= '9'; n++) {
        /* void */
    }

    return n;
}
