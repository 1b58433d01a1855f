
/*
 * Copyright (C) the nginx-ux authors
 *
 * Reader for the response header X-UX-Event: a Structured Field list of
 * tokens with parameters (RFC 9651, sections 3.1, 3.1.2, 3.3).
 */

#ifndef UX_FIELD_H
#define UX_FIELD_H


#include "ux_base.h"


#define UX_FIELD_EVENTS_MAX   16
#define UX_FIELD_ID_MAX       128      /* bytes of an unescaped id */


/*
 * One member: purchase;value=49.90;currency=EUR;id="o-1".
 * name, value, currency point into the input; id is unescaped into id_bytes.
 * len 0 of value, currency, id: parameter absent.  A value may be an
 * integer, a decimal or a string (applications do quote numbers); currency a
 * token or a string; id a string or a token.  Unknown parameters are skipped.
 */
typedef struct {
    ux_str_t  name;
    ux_str_t  value;
    ux_str_t  currency;
    size_t    id_len;
    bool      has_id;
    char      id_bytes[UX_FIELD_ID_MAX];
} ux_field_event_t;


/*
 * Parses one header line.  UX_OK and *n events; UX_ERROR when the line is not
 * such a list, holds more than UX_FIELD_EVENTS_MAX members or an id that is
 * too long: then nothing of it may be used, and *n is 0.  So is a known
 * parameter of a wrong type.  Of a parameter given twice the last one counts;
 * an empty id is none.  One pass, no recursion.
 */
ux_status_t ux_field_parse(ux_str_t line, ux_field_event_t *events,
    unsigned *n);


#endif
