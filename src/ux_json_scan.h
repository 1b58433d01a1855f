
/*
 * Copyright (C) the nginx-ux authors
 *
 * JSON text byte by byte: what ux_json.c and readers of numbers look at.
 */

#ifndef UX_JSON_SCAN_H
#define UX_JSON_SCAN_H


#include "ux_base.h"


/*
 * Takes all up to the next number's end off the front of *rest; UX_DECLINED:
 * there is none.  UX_ERROR: what cJSON would let through, a number RFC 8259
 * does not know, a control character, or \u without its four digits.
 */
ux_status_t ux_json_scan_number(ux_str_t *rest, ux_str_t *number);

/*
 * Length of the well-formed UTF-8 sequence (Unicode, table 3-7) at p; 0 if
 * there is none.  A NUL would end the string: not accepted.
 */
size_t ux_json_scan_utf8(const char *p, size_t len);


#endif
