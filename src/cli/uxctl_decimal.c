
/*
 * Copyright (C) the nginx-ux authors
 *
 * Decimal numbers of a line, exact.
 */

#include "uxctl_decimal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../ux_json_scan.h"


#define UXCTL_DECIMAL_LIMIT  ((ux_u128_t) 1 << 126)


static bool uxctl_decimal_digit(uxctl_decimal_t *decimal, int digit);


bool
uxctl_decimal_check(ux_str_t word)
{
    ux_str_t  rest, number;

    rest = word;

    return ux_json_scan_number(&rest, &number) == UX_OK
           && number.data == word.data && number.len == word.len;
}


bool
uxctl_decimal_parse(ux_str_t word, uxctl_decimal_t *decimal)
{
    bool    point;
    long    exponent;
    size_t  i;

    if (!uxctl_decimal_check(word)) {
        return false;
    }

    memset(decimal, 0, sizeof(*decimal));

    decimal->negative = word.data[0] == '-';
    exponent = 0;
    point = false;

    for (i = decimal->negative; i < word.len; i++) {

        if (word.data[i] == '.') {
            point = true;

        } else if (word.data[i] == 'e' || word.data[i] == 'E') {
            exponent = strtol(word.data + i + 1, NULL, 10);
            break;

        } else {
            decimal->scale += point;

            if (!uxctl_decimal_digit(decimal, word.data[i] - '0')) {
                return false;
            }
        }
    }

    if (decimal->digits == 0) {
        decimal->negative = false;
        decimal->scale = 0;
        return true;
    }

    if (exponent > UXCTL_DECIMAL_SCALE || exponent < -UXCTL_DECIMAL_SCALE) {
        return false;
    }

    decimal->scale -= (int) exponent;

    while (decimal->digits % 10 == 0) {
        decimal->digits /= 10;
        decimal->scale--;
    }

    return true;
}


/* Zeros at the end of a long number need no place. */
static bool
uxctl_decimal_digit(uxctl_decimal_t *decimal, int digit)
{
    ux_u128_t  digits;

    digits = decimal->digits * 10 + (unsigned) digit;

    if (decimal->digits < UXCTL_DECIMAL_LIMIT / 10) {
        decimal->digits = digits;
        return true;
    }

    decimal->scale--;

    return digit == 0;
}


bool
uxctl_decimal_at(const uxctl_decimal_t *decimal, int scale, ux_u128_t *value)
{
    int        shift;
    unsigned   rest;

    *value = decimal->digits;
    rest = 0;

    if (*value == 0) {
        return true;
    }

    for (shift = scale - decimal->scale; shift > 0; shift--) {

        if (*value >= UXCTL_DECIMAL_LIMIT / 10) {
            return false;
        }

        *value *= 10;
    }

    for ( /* void */ ; shift < 0; shift++) {
        rest = (unsigned) (*value % 10);
        *value /= 10;
    }

    *value += rest >= 5;

    return true;
}


double
uxctl_decimal_double(double value, int scale)
{
    if (scale < 0) {
        return value * pow(10, -scale);
    }

    return value / pow(10, scale);
}


/*
 * With c = S / n: sum (r - c) = S - n c, sum (r - c)^2 = Q - 2 c S + n c^2.
 * The products may wrap, their sum does not: it is what is left of Q, for
 * sums that any data have, and the estimate tells those from others.
 */
ux_status_t
uxctl_decimal_moments(uint64_t n, uxctl_i128_t sum, ux_u128_t squares,
    uxctl_moments_t *moments)
{
    ux_u128_t    c, s, left, right, magnitude;
    long double  least;

    if (n == 0) {
        memset(moments, 0, sizeof(*moments));
        return sum == 0 && squares == 0 ? UX_OK : UX_ERROR;
    }

    if (n > INT64_MAX) {
        return UX_FULL;
    }

    least = (long double) sum * (long double) sum / (long double) n;

    if ((long double) squares < least * (1 - 1e-15L)) {
        return UX_ERROR;
    }

    moments->centre = sum / (int64_t) n;
    moments->sum = (int64_t) (sum % (int64_t) n);

    c = (ux_u128_t) moments->centre;
    s = (ux_u128_t) sum;
    moments->squares = squares - 2 * c * s + n * c * c;

    if (moments->squares >> 127 != 0) {
        return UX_ERROR;
    }

    magnitude = (ux_u128_t) llabs(moments->sum);
    right = magnitude * magnitude;

    if (__builtin_mul_overflow(moments->squares, (ux_u128_t) n, &left)) {
        return UX_FULL;
    }

    return left < right ? UX_ERROR : UX_OK;
}
