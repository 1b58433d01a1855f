
/*
 * Copyright (C) the nginx-ux authors
 *
 * A number is split into sign, digits and where its point stands once the
 * exponent is carried out: 12.5e3 is 125 with the point behind the fifth.
 */

#include "ux_json_digits.h"

#include <string.h>


/* The largest double is 1.7976931348623157...e308. */
#define UX_JSON_FINITE_POWER   308
#define UX_JSON_FINITE_DIGITS  "17976931348623158"

#define UX_JSON_PLAIN_POWER    40
#define UX_JSON_EXPONENT_MAX   100000  /* where counting an exponent stops */


typedef struct {
    bool      negative;
    ux_str_t  mantissa;                /* digits and perhaps a point */
    int       point;                   /* stands behind so many digits */
    int       power;                   /* of ten, of the first digit that is
                                          not 0 */
    bool      zero;
} ux_json_digits_t;


static ux_json_digits_t ux_json_digits_split(ux_str_t number);
static int ux_json_digits_exponent(ux_str_t word);
static bool ux_json_digits_beyond(const ux_json_digits_t *digits);
static size_t ux_json_digits_write(const ux_json_digits_t *digits, char *buf);


bool
ux_json_digits_finite(ux_str_t number)
{
    ux_json_digits_t  digits = ux_json_digits_split(number);

    if (digits.zero || digits.power < UX_JSON_FINITE_POWER) {
        return true;
    }

    return digits.power == UX_JSON_FINITE_POWER
           && !ux_json_digits_beyond(&digits);
}


ux_status_t
ux_json_digits_plain(ux_str_t number, char *buf, size_t *len)
{
    ux_json_digits_t  digits;

    if (number.len > UX_JSON_DIGITS_MAX) {
        return UX_ERROR;
    }

    digits = ux_json_digits_split(number);

    if (digits.zero || digits.power < -UX_JSON_PLAIN_POWER) {
        buf[0] = '0';
        *len = 1;
        return UX_OK;
    }

    if (digits.power > UX_JSON_PLAIN_POWER) {
        return UX_ERROR;
    }

    *len = ux_json_digits_write(&digits, buf);

    return UX_OK;
}


static ux_json_digits_t
ux_json_digits_split(ux_str_t number)
{
    int               n, first;
    char              c;
    size_t            i;
    ux_str_t          rest;
    ux_json_digits_t  digits;

    memset(&digits, 0, sizeof(digits));

    digits.negative = number.data[0] == '-';
    digits.mantissa.data = number.data + digits.negative;
    digits.point = -1;
    first = -1;
    n = 0;

    for (i = digits.negative; i < number.len; i++) {
        c = number.data[i];

        if (c == 'e' || c == 'E') {
            break;
        }

        if (c == '.') {
            digits.point = n;
            continue;
        }

        if (first < 0 && c != '0') {
            first = n;
        }

        n++;
    }

    digits.mantissa.len = i - digits.negative;
    digits.zero = first < 0;

    if (digits.point < 0) {
        digits.point = n;
    }

    if (i < number.len) {
        rest.data = number.data + i + 1;
        rest.len = number.len - i - 1;
        digits.point += ux_json_digits_exponent(rest);
    }

    digits.power = digits.point - first - 1;

    return digits;
}


/* [+-]digits */
static int
ux_json_digits_exponent(ux_str_t word)
{
    int     n;
    size_t  i;

    n = 0;

    for (i = word.data[0] == '+' || word.data[0] == '-'; i < word.len; i++) {

        if (n < UX_JSON_EXPONENT_MAX) {
            n = n * 10 + (word.data[i] - '0');
        }
    }

    return word.data[0] == '-' ? -n : n;
}


/* Of two numbers with the same power the digits decide. */
static bool
ux_json_digits_beyond(const ux_json_digits_t *digits)
{
    char         c;
    bool         started;
    size_t       i;
    const char  *limit;

    started = false;
    limit = UX_JSON_FINITE_DIGITS;

    for (i = 0; i < digits->mantissa.len && *limit != '\0'; i++) {
        c = digits->mantissa.data[i];

        if (c == '.' || (c == '0' && !started)) {
            continue;
        }

        if (c != *limit) {
            return c > *limit;
        }

        started = true;
        limit++;
    }

    return false;
}


static size_t
ux_json_digits_write(const ux_json_digits_t *digits, char *buf)
{
    int      n;
    char    *p;
    size_t   i;

    p = buf;

    if (digits->negative) {
        *p++ = '-';
    }

    if (digits->point <= 0) {
        *p++ = '0';
        *p++ = '.';

        for (n = digits->point; n < 0; n++) {
            *p++ = '0';
        }
    }

    n = 0;

    for (i = 0; i < digits->mantissa.len; i++) {

        if (digits->mantissa.data[i] == '.') {
            continue;
        }

        if (n == digits->point && n > 0) {
            *p++ = '.';
        }

        *p++ = digits->mantissa.data[i];
        n++;
    }

    for ( /* void */ ; n < digits->point; n++) {
        *p++ = '0';
    }

    return (size_t) (p - buf);
}
