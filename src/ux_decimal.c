
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


static void ux_decimal_shortest(char *buf, double value, bool negative);
static bool ux_decimal_reads_back(ux_u128_t n, ux_u128_t c, ux_u128_t gap);
static void ux_decimal_scientific(char *buf, double value);


void
ux_decimal_double(char *buf, double value)
{
    double  magnitude;

    magnitude = fabs(value);

    if (magnitude < UX_DECIMAL_EXACT_MAX
        && magnitude == (double) (uint64_t) magnitude)
    {
        ux_decimal_print(buf, value < 0, (uint64_t) magnitude, 0);

    } else if (magnitude >= UX_DECIMAL_EXACT_MIN
               && magnitude < UX_DECIMAL_EXACT_MAX)
    {
        ux_decimal_shortest(buf, magnitude, value < 0);

    } else {
        ux_decimal_scientific(buf, value);
    }
}


void
ux_decimal_print(char *buf, bool negative, uint64_t digits, int scale)
{
    int   i, n;
    char  text[UX_DECIMAL_MAX];

    /* From the last digit to the first. */

    n = 0;

    for (i = scale; i < 0 && digits != 0; i++) {
        text[n++] = '0';
    }

    do {
        text[n++] = (char) ('0' + digits % 10);
        digits /= 10;

        if (n == scale) {
            text[n++] = '.';
        }

    } while (digits != 0 || n <= scale || text[n - 1] == '.');

    if (negative) {
        text[n++] = '-';
    }

    for (i = 0; i < n; i++) {
        buf[i] = text[n - 1 - i];
    }

    buf[n] = '\0';
}


/*
 * The value is m / 2^s with a 53-bit m.  n = m * 10^k with n / 2^s between
 * 10^16 and 10^17 is exact in 128 bits, so 17 digits and whether 15 or 16 of
 * them are enough follow from integers alone (after Steele & White 1990).
 */
static void
ux_decimal_shortest(char *buf, double value, bool negative)
{
    int        s, k, spare;
    uint64_t   bits, mantissa, whole, unit, digits;
    ux_u128_t  n, gap, width, rest;

    memcpy(&bits, &value, sizeof(bits));

    mantissa = (bits & 0xfffffffffffffull) | 0x10000000000000ull;
    s = 1075 - (int) (bits >> 52);

    n = mantissa;
    gap = 1;
    k = 0;

    while ((n >> s) < 10000000000000000ull) {
        n *= 10;
        gap *= 10;
        k++;
    }

    whole = (uint64_t) (n >> s);
    unit = 100;

    for (spare = 2; ; spare--) {
        width = (ux_u128_t) unit << s;
        digits = whole / unit;
        rest = n - digits * width;

        if (rest * 2 > width || (rest * 2 == width && (digits & 1) != 0)) {
            digits++;
        }

        if (spare == 0
            || ux_decimal_reads_back(n, digits * width, gap))
        {
            break;
        }

        unit /= 10;
    }

    k -= spare;

    while (digits % 10 == 0) {
        digits /= 10;
        k--;
    }

    ux_decimal_print(buf, negative, digits, k);
}


/*
 * Is c nearer to n than half the way to n's neighbours among the doubles, gap
 * away?  The halves themselves have more than 17 digits, so c is never one.
 * Nor does it matter that the neighbour below a power of two is nearer: those
 * between our bounds have 16 digits at most, and c is n.
 */
static bool
ux_decimal_reads_back(ux_u128_t n, ux_u128_t c, ux_u128_t gap)
{
    ux_u128_t  off;

    off = c >= n ? c - n : n - c;

    return off * 2 < gap;
}


/*
 * The rest: d.ddde-dd, by the C library, but for its decimal point.  15
 * digits of a normal double end in zeros if fewer will do; subnormal ones
 * hold less.
 */
static void
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

    (void) snprintf(buf + n, UX_DECIMAL_MAX - n, "e%d", exponent);
}
