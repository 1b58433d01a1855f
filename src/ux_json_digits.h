
/*
 * Copyright (C) the nginx-ux authors
 *
 * JSON numbers by their digits: no double in between, so no digit is lost.
 * The number is one that ux_json_scan_number() found.
 */

#ifndef UX_JSON_DIGITS_H
#define UX_JSON_DIGITS_H


#include "ux_base.h"


#define UX_JSON_DIGITS_MAX  63         /* characters of a number, as many as
                                          cJSON takes */
#define UX_JSON_PLAIN_MAX   160        /* bytes of any of them written out */


/* Would a double hold it?  1e999 would be infinite.  Any length. */
bool ux_json_digits_finite(ux_str_t number);

/*
 * The number as [-]digits[.digits], exponent carried out, into buf
 * (UX_JSON_PLAIN_MAX bytes, no NUL); below 10^-40 it is 0.  UX_ERROR: longer
 * than UX_JSON_DIGITS_MAX, or 10^41 and more.
 */
ux_status_t ux_json_digits_plain(ux_str_t number, char *buf, size_t *len);


#endif
