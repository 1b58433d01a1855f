
/*
 * Copyright (C) the nginx-ux authors
 *
 * Reader for the response header X-UX-Event: a Structured Field list of
 * tokens with parameters (RFC 9651, sections 3.1, 3.1.2, 3.3).
 */

#ifndef UX_FIELD_H
#define UX_FIELD_H


#include "ux_base.h"


#define UX_FIELD_EVENTS_MAX   64       /* members of a line */
#define UX_FIELD_VALUE_MAX    32       /* characters of a bare number */
#define UX_FIELD_ID_MAX       256      /* bytes of an unescaped id */


/*
 * One member: purchase;value=49.90;currency=EUR;id="o-1".
 * name, value, currency point into the input; id is unescaped into id_bytes.
 * len 0 of value, currency, id: parameter absent.  A value is a string
 * (applications do quote numbers) or a number, which may have more digits than
 * the RFC allows; currency a token or a string; id a string or a token.
 * Unknown parameters are skipped; of one given twice the last counts; an empty
 * id is none.  Whether a value is an amount and a currency is known is not
 * asked here.
 *
 * bad: a known parameter is of a wrong type, empty (but for an id) or too
 * long.  Then only the name may be used.
 */
typedef struct {
    ux_str_t  name;
    ux_str_t  value;
    ux_str_t  currency;
    size_t    id_len;
    bool      has_id;
    bool      bad;
    char      id_bytes[UX_FIELD_ID_MAX];
} ux_field_event_t;


/*
 * A dry pass over one header line: UX_ERROR when it is not such a list or
 * holds more than UX_FIELD_EVENTS_MAX members; then nothing of it may be used.
 * A bad member makes no bad line.
 */
ux_status_t ux_field_check(ux_str_t line);

/*
 * Takes the first member off *rest, which starts as a line that was checked.
 * UX_OK and the event; UX_DECLINED at the end; UX_ERROR when this member, or
 * what separates it from the next, is wrong (not after ux_field_check()).  One
 * pass, no recursion.
 */
ux_status_t ux_field_next(ux_str_t *rest, ux_field_event_t *event);


#endif
