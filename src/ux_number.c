
/*
 * Copyright (C) the nginx-ux authors
 *
 * Decimal numbers without strtod(): that one takes signs, exponents, hex,
 * "inf", stops early, and reads the decimal point of the process's locale.
 *
 * A word becomes mantissa / 10^scale with an integer mantissa.  Where both
 * are exact as doubles (15 digits, 10^22) one division is correctly rounded;
 * beyond, the quotient is made in 128-bit integers with a sticky last bit
 * and rounded once, by the conversion.  So a share or a weight is the same
 * double in every build and in every language that reads decimals rightly.
 */

#include "ux_number.h"

#include <string.h>


#define UX_NUMBER_DIGITS        19     /* always fit in 64 bits */
#define UX_NUMBER_SHARE_DIGITS  15
#define UX_NUMBER_SCALE_MAX     18     /* two more for a percentage */
#define UX_NUMBER_EXACT         ((uint64_t) 1 << 53)

_Static_assert(UX_NUMBER_SHARE_DIGITS <= 15, "a share is one exact division");


/* digits[.digits], as mantissa / 10^scale. */
typedef struct {
    uint64_t  mantissa;
    unsigned  scale;
    unsigned  digits;                  /* significant ones */
} ux_decimal_t;


static ux_status_t ux_number_share(ux_str_t word, double *share);
static ux_status_t ux_decimal_parse(ux_str_t word, ux_decimal_t *decimal);
static ux_status_t ux_decimal_digit(ux_decimal_t *decimal, char c);
static double ux_decimal_double(const ux_decimal_t *decimal);
static bool ux_money_split(ux_str_t word, ux_str_t *whole,
    ux_str_t *fraction);
static ux_status_t ux_money_append(int64_t *value, char digit);
static bool ux_number_all_digits(ux_str_t word);
static bool ux_number_all_zeros(ux_str_t word);
static bool ux_number_is_digit(char c);


ux_status_t
ux_number_percent(ux_str_t word, double *share)
{
    if (word.len < 2 || word.data[word.len - 1] != '%') {
        return UX_ERROR;
    }

    word.len--;

    return ux_number_share(word, share);
}


ux_status_t
ux_number_weight(ux_str_t word, double *weight)
{
    double        value;
    ux_decimal_t  decimal;

    if (ux_decimal_parse(word, &decimal) != UX_OK) {
        return UX_ERROR;
    }

    value = ux_decimal_double(&decimal);

    if (value > UX_WEIGHT_MAX) {
        return UX_ERROR;
    }

    *weight = value;

    return UX_OK;
}


ux_status_t
ux_number_range(ux_str_t word, double *lo, double *hi)
{
    double       from, to;
    ux_str_t     left, right;
    const char  *dash;

    if (word.len == 0) {
        return UX_ERROR;
    }

    dash = memchr(word.data, '-', word.len);

    if (dash == NULL) {
        return UX_ERROR;
    }

    left.data = word.data;
    left.len = (size_t) (dash - word.data);

    right.data = dash + 1;
    right.len = word.len - left.len - 1;

    if (ux_number_share(left, &from) != UX_OK
        || ux_number_percent(right, &to) != UX_OK
        || from >= to)
    {
        return UX_ERROR;
    }

    *lo = from;
    *hi = to;

    return UX_OK;
}


/*
 * Digits up to the exponent make the amount; of those beyond it the first
 * one rounds, half away from zero.
 */
ux_status_t
ux_money_parse(ux_str_t word, unsigned exponent, int64_t *minor)
{
    bool      negative;
    size_t    i;
    int64_t   value;
    ux_str_t  whole, fraction;

    negative = (word.len > 0 && word.data[0] == '-');

    if (negative) {
        word.data++;
        word.len--;
    }

    if (!ux_money_split(word, &whole, &fraction)) {
        return UX_ERROR;
    }

    if (negative
        && !(ux_number_all_zeros(whole) && ux_number_all_zeros(fraction)))
    {
        return UX_ERROR;
    }

    value = 0;

    for (i = 0; i < whole.len; i++) {
        if (ux_money_append(&value, whole.data[i]) != UX_OK) {
            return UX_ERROR;
        }
    }

    for (i = 0; i < exponent; i++) {
        if (ux_money_append(&value, i < fraction.len ? fraction.data[i] : '0')
            != UX_OK)
        {
            return UX_ERROR;
        }
    }

    if (exponent < fraction.len && fraction.data[exponent] >= '5') {
        value++;
    }

    if (value > UX_MONEY_MAX) {
        return UX_ERROR;
    }

    *minor = value;

    return UX_OK;
}


/* A percentage without its sign. */
static ux_status_t
ux_number_share(ux_str_t word, double *share)
{
    double        value;
    ux_decimal_t  decimal;

    if (ux_decimal_parse(word, &decimal) != UX_OK
        || decimal.digits > UX_NUMBER_SHARE_DIGITS)
    {
        return UX_ERROR;
    }

    decimal.scale += 2;
    value = ux_decimal_double(&decimal);

    if (value > 1) {
        return UX_ERROR;
    }

    *share = value;

    return UX_OK;
}


static ux_status_t
ux_decimal_parse(ux_str_t word, ux_decimal_t *decimal)
{
    bool    point;
    size_t  i;

    memset(decimal, 0, sizeof(*decimal));

    if (word.len == 0
        || !ux_number_is_digit(word.data[0])
        || !ux_number_is_digit(word.data[word.len - 1]))
    {
        return UX_ERROR;
    }

    point = false;

    for (i = 0; i < word.len; i++) {

        if (word.data[i] == '.' && !point) {
            point = true;
            continue;
        }

        if (point && ++decimal->scale > UX_NUMBER_SCALE_MAX) {
            return UX_ERROR;
        }

        if (ux_decimal_digit(decimal, word.data[i]) != UX_OK) {
            return UX_ERROR;
        }
    }

    return UX_OK;
}


static ux_status_t
ux_decimal_digit(ux_decimal_t *decimal, char c)
{
    if (!ux_number_is_digit(c)) {
        return UX_ERROR;
    }

    /* Leading zeros are not significant. */

    if (decimal->digits > 0 || c != '0') {
        decimal->digits++;
    }

    if (decimal->digits > UX_NUMBER_DIGITS) {
        return UX_ERROR;
    }

    decimal->mantissa = decimal->mantissa * 10 + (uint64_t) (c - '0');

    return UX_OK;
}


/*
 * A mantissa from 2^53 on has a scale of at most 18 (a share's is below), so
 * that the quotient is above 2^(53 + 64 - 60): the sticky bit comes after the
 * last bit that counts.
 */
static double
ux_decimal_double(const ux_decimal_t *decimal)
{
    unsigned           i;
    unsigned __int128  n, d;

    d = 1;

    for (i = 0; i < decimal->scale; i++) {
        d *= 10;
    }

    if (decimal->mantissa < UX_NUMBER_EXACT) {
        return (double) decimal->mantissa / (double) d;
    }

    n = (unsigned __int128) decimal->mantissa << 64;

    return (double) (n / d | (n % d != 0)) * 0x1p-64;
}


/* Empty is not a number; of what is left every byte must be a digit. */
static bool
ux_money_split(ux_str_t word, ux_str_t *whole, ux_str_t *fraction)
{
    const char  *point;

    *whole = word;
    fraction->data = word.data;
    fraction->len = 0;

    if (word.len == 0) {
        return false;
    }

    point = memchr(word.data, '.', word.len);

    if (point == NULL) {
        return ux_number_all_digits(word);
    }

    whole->len = (size_t) (point - word.data);
    fraction->data = point + 1;
    fraction->len = word.len - whole->len - 1;

    return ux_number_all_digits(*whole) && ux_number_all_digits(*fraction);
}


/* Refuses as soon as the bound is passed, so that nothing overflows. */
static ux_status_t
ux_money_append(int64_t *value, char digit)
{
    *value = *value * 10 + (digit - '0');

    return (*value > UX_MONEY_MAX) ? UX_ERROR : UX_OK;
}


static bool
ux_number_all_digits(ux_str_t word)
{
    size_t  i;

    for (i = 0; i < word.len; i++) {
        if (!ux_number_is_digit(word.data[i])) {
            return false;
        }
    }

    return word.len > 0;
}


static bool
ux_number_all_zeros(ux_str_t word)
{
    size_t  i;

    for (i = 0; i < word.len; i++) {
        if (word.data[i] != '0') {
            return false;
        }
    }

    return true;
}


static bool
ux_number_is_digit(char c)
{
    return c >= '0' && c <= '9';
}
