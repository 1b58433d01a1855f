
/*
 * Copyright (C) the nginx-ux authors
 *
 * Numbers as decimal text, without the locale's decimal point.
 *
 * Most doubles of a report are rates.  For those, and whatever else is of
 * everyday size, the digits come from 128-bit integers: exact, and several
 * times faster than asking the C library for 15, 16 and 17 digits in turn and
 * reading each back.
 */

#include "ux_decimal.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


/* Between these the exact way of ux_decimal_shortest() fits 128 bits. */
#define UX_DECIMAL_EXACT_MIN  1e-5
#define UX_DECIMAL_EXACT_MAX  1e15


/* Ten to the power of k: what takes 10^-5 to seventeen digits, and one. */
#define UX_DECIMAL_POWERS  23

/* Of a 64-bit number at most. */
#define UX_DECIMAL_DIGITS  20

#define ux_decimal_wide(n)  ((ux_u128_t) 10000000000000000ull * (n))


/* A value of 17 digits before the point: (whole + part / 2^s) / 10^k. */
typedef struct {
    int        k;
    int        s;
    uint64_t   whole;
    ux_u128_t  part;
    ux_u128_t  gap;                    /* to its neighbour, in 2^-s */
} ux_decimal_scaled_t;


static size_t ux_decimal_shortest(char *buf, double value, bool negative);
static ux_decimal_scaled_t ux_decimal_scale(double value);
static inline bool ux_decimal_cut(const ux_decimal_scaled_t *decimal,
    uint64_t unit, uint64_t *digits);
static char *ux_decimal_digits(char *text, uint64_t digits);
static size_t ux_decimal_scientific(char *buf, double value);


static const ux_u128_t  ux_decimal_powers[UX_DECIMAL_POWERS] = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000,
    10000000000ull, 100000000000ull, 1000000000000ull, 10000000000000ull,
    100000000000000ull, 1000000000000000ull, 10000000000000000ull,
    ux_decimal_wide(10), ux_decimal_wide(100), ux_decimal_wide(1000),
    ux_decimal_wide(10000), ux_decimal_wide(100000), ux_decimal_wide(1000000)
};

static const char  ux_decimal_pairs[] =
    "0001020304050607080910111213141516171819"
    "2021222324252627282930313233343536373839"
    "4041424344454647484950515253545556575859"
    "6061626364656667686970717273747576777879"
    "8081828384858687888990919293949596979899";


size_t
ux_decimal_double(char *buf, double value)
{
    double  magnitude;

    magnitude = fabs(value);

    if (magnitude < UX_DECIMAL_EXACT_MAX
        && magnitude == (double) (uint64_t) magnitude)
    {
        return ux_decimal_print(buf, value < 0, (uint64_t) magnitude, 0);
    }

    if (magnitude >= UX_DECIMAL_EXACT_MIN && magnitude < UX_DECIMAL_EXACT_MAX)
    {
        return ux_decimal_shortest(buf, magnitude, value < 0);
    }

    return ux_decimal_scientific(buf, value);
}


size_t
ux_decimal_print(char *buf, bool negative, uint64_t digits, int scale)
{
    int    n, point;
    char   text[2 * UX_DECIMAL_DIGITS];
    char  *p, *first;

    first = ux_decimal_digits(text, digits);
    n = (int) (text + UX_DECIMAL_DIGITS - first);
    p = buf;

    if (negative) {
        *p++ = '-';
    }

    /* twenty bytes each time, which is one copy: what is more goes again */

    point = n > scale ? n - scale : 0;
    point = point < n ? point : n;

    if (point == 0) {
        *p++ = '0';
    }

    memcpy(p, first, UX_DECIMAL_DIGITS);
    p += point;

    if (scale > 0) {
        *p++ = '.';

        for ( /* void */ ; scale > n; scale--) {
            *p++ = '0';
        }

        memcpy(p, first + point, UX_DECIMAL_DIGITS);
        p += n - point;
    }

    for ( /* void */ ; scale < 0 && digits != 0; scale++) {
        *p++ = '0';
    }

    *p = '\0';

    return (size_t) (p - buf);
}


/* Two at a time, up to the middle of the text. */
static char *
ux_decimal_digits(char *text, uint64_t digits)
{
    char      *p;
    uint64_t   rest;

    memset(text + UX_DECIMAL_DIGITS, '\0', UX_DECIMAL_DIGITS);
    p = text + UX_DECIMAL_DIGITS;

    while (digits >= 10) {
        rest = digits / 100;
        p -= 2;
        memcpy(p, ux_decimal_pairs + 2 * (digits - 100 * rest), 2);
        digits = rest;
    }

    if (digits > 0 || p == text + UX_DECIMAL_DIGITS) {
        *--p = (char) ('0' + digits);
    }

    return p;
}


/*
 * 17 digits always read back, and whether 15 or 16 of them do follows from
 * integers alone (after Steele & White 1990).
 */
static size_t
ux_decimal_shortest(char *buf, double value, bool negative)
{
    int                  k;
    uint64_t             digits;
    ux_decimal_scaled_t  decimal;

    decimal = ux_decimal_scale(value);
    k = decimal.k;

    if (ux_decimal_cut(&decimal, 100, &digits)) {
        k -= 2;

    } else if (ux_decimal_cut(&decimal, 10, &digits)) {
        k -= 1;

    } else {
        (void) ux_decimal_cut(&decimal, 1, &digits);
    }

    while (digits % 10 == 0) {
        digits /= 10;
        k--;
    }

    return ux_decimal_print(buf, negative, digits, k);
}


/*
 * The value is m / 2^s with a 53-bit m.  n = m * 10^k with n / 2^s between
 * 10^16 and 10^17 is exact in 128 bits.  1233 / 4096 is log10(2), so that k
 * is right or one too large.
 */
static ux_decimal_scaled_t
ux_decimal_scale(double value)
{
    int                  exponent;
    uint64_t             bits, mantissa;
    ux_u128_t            n;
    ux_decimal_scaled_t  decimal;

    memcpy(&bits, &value, sizeof(bits));

    mantissa = (bits & 0xfffffffffffffull) | 0x10000000000000ull;
    exponent = (int) (bits >> 52) - 1023;

    decimal.s = 52 - exponent;
    decimal.k = 16 - (exponent * 1233 >> 12);

    if ((mantissa * ux_decimal_powers[decimal.k - 1] >> decimal.s)
        >= 10000000000000000ull)
    {
        decimal.k--;
    }

    decimal.gap = ux_decimal_powers[decimal.k];
    n = mantissa * decimal.gap;
    decimal.whole = (uint64_t) (n >> decimal.s);
    decimal.part = n - ((ux_u128_t) decimal.whole << decimal.s);

    return decimal;
}


/*
 * The nearest digits of that unit, and are they nearer to the value than half
 * the way to its neighbours among the doubles?  The halves themselves have
 * more than 17 digits, so no digits are just there.  Nor does it matter that
 * the neighbour below a power of two is nearer: those between our bounds have
 * 16 digits at most, and so are met.
 */
static inline bool
ux_decimal_cut(const ux_decimal_scaled_t *decimal, uint64_t unit,
    uint64_t *digits)
{
    ux_u128_t  width, rest;

    *digits = decimal->whole / unit;

    width = (ux_u128_t) unit << decimal->s;
    rest = ((ux_u128_t) (decimal->whole % unit) << decimal->s)
           + decimal->part;

    if (rest * 2 > width || (rest * 2 == width && (*digits & 1) != 0)) {
        (*digits)++;
        rest = width - rest;
    }

    return rest * 2 < decimal->gap;
}


/*
 * The rest: d.ddde-dd, by the C library, but for its decimal point.  15
 * digits of a normal double end in zeros if fewer will do; subnormal ones
 * hold less.
 */
static size_t
ux_decimal_scientific(char *buf, double value)
{
    int      precision, exponent;
    char     text[UX_DECIMAL_MAX], *e;
    size_t   n, i;

    precision = fabs(value) < DBL_MIN ? 0 : 14;

    for ( /* void */ ; precision <= 16; precision++) {
        (void) snprintf(text, sizeof(text), "%.*e", precision, value);

        if (strtod(text, NULL) == value) {
            break;
        }
    }

    e = strrchr(text, 'e');
    exponent = atoi(e + 1);
    n = 0;

    for (i = 0; text + i < e; i++) {

        if (text[i] == '-') {
            buf[n++] = '-';

        } else if (text[i] >= '0' && text[i] <= '9') {
            buf[n++] = text[i];

            if (n == (value < 0 ? 2 : 1)) {
                buf[n++] = '.';
            }
        }
    }

    while (buf[n - 1] == '0') {
        n--;
    }

    if (buf[n - 1] == '.') {
        n--;
    }

    return n + (size_t) snprintf(buf + n, UX_DECIMAL_MAX - n, "e%d",
                                 exponent);
}
