
/*
 * Copyright (C) the nginx-ux authors
 *
 * Numbers as people write them in a configuration, a header or a beacon:
 * shares, weights, money.  Exact where exactness is promised; strict: the
 * whole word must be the number.
 */

#ifndef UX_NUMBER_H
#define UX_NUMBER_H


#include "ux_base.h"


#define UX_WEIGHT_MAX  1000000000      /* 10^9 */
#define UX_MONEY_MAX   1000000000000   /* minor units, 10^12 */

#define UX_CURRENCIES_MAX  192


/*
 * digits[.digits]% with 0 <= value <= 100; *share becomes value / 100.
 * At most 15 significant digits.  UX_ERROR otherwise; *share untouched.
 */
ux_status_t ux_number_percent(ux_str_t word, double *share);

/*
 * digits[.digits], 0 <= weight <= 10^9, no sign, no exponent, at most 19
 * significant digits, 18 after the point; *weight is the nearest double.
 */
ux_status_t ux_number_weight(ux_str_t word, double *weight);

/* a-b% as in "layer name 0-50%": 0 <= lo < hi <= 1. */
ux_status_t ux_number_range(ux_str_t word, double *lo, double *hi);

/*
 * Index of an ISO 4217 code in this build's table, or -1.  Codes are three
 * upper-case letters.  Indices are stable: the table only ever grows at its
 * end, because they name counters in the zone.
 */
int ux_currency_find(ux_str_t code);
unsigned ux_currency_count(void);
ux_str_t ux_currency_code(unsigned index);

/* Digits after the point: 2 for EUR, 0 for JPY, 3 for KWD. */
unsigned ux_currency_exponent(unsigned index);

/* 10 to that power, minor units in a major one: 100 for EUR, 1 for JPY. */
unsigned ux_currency_unit(unsigned index);

/*
 * [-]digits[.digits] into minor units of the given exponent (0..4); more
 * digits than the exponent round half away from zero.  UX_ERROR: not a
 * number, negative (a "-0" is 0), or beyond UX_MONEY_MAX.
 */
ux_status_t ux_money_parse(ux_str_t word, unsigned exponent, int64_t *minor);


#endif
