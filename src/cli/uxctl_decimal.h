
/*
 * Copyright (C) the nginx-ux authors
 *
 * Decimal numbers of a line, exact.
 */

#ifndef UXCTL_DECIMAL_H
#define UXCTL_DECIMAL_H


#include "../ux_base.h"


/* Signed 128 bits; not ISO C, like ux_u128_t. */
__extension__ typedef __int128  uxctl_i128_t;


/* +-digits * 10^-scale; digits does not end with 0. */
typedef struct {
    bool       negative;
    ux_u128_t  digits;
    int        scale;
} uxctl_decimal_t;


/* Is it a number as JSON writes it? */
bool uxctl_decimal_check(ux_str_t word);

/*
 * False for no number, more than 38 significant digits, or an exponent beyond
 * UXCTL_DECIMAL_SCALE.
 */
#define UXCTL_DECIMAL_SCALE  400

bool uxctl_decimal_parse(ux_str_t word, uxctl_decimal_t *decimal);

/*
 * Its magnitude times 10^scale, rounded half up where digits are left over;
 * false if that takes more than 126 bits.
 */
bool uxctl_decimal_at(const uxctl_decimal_t *decimal, int scale,
    ux_u128_t *value);

/* value * 10^-scale. */
double uxctl_decimal_double(double value, int scale);


/*
 * A sum and a sum of squares about the whole number nearest to the mean: what
 * is left has few digits however far from 0 the data are.
 */
typedef struct {
    uxctl_i128_t  centre;
    int64_t       sum;             /* of r - centre */
    ux_u128_t     squares;         /* of (r - centre)^2 */
} uxctl_moments_t;

/* UX_ERROR: no data have these sums.  UX_FULL: they do not fit. */
ux_status_t uxctl_decimal_moments(uint64_t n, uxctl_i128_t sum,
    ux_u128_t squares, uxctl_moments_t *moments);


#endif
