
/*
 * Copyright (C) the nginx-ux authors
 *
 * The body of a beacon: one event, or an array of them, as JSON.
 *
 *   {"event":"add_payment_info","value":12.5,"currency":"EUR","id":"..."}
 *   {"name":"LCP","value":1234.5,"delta":10,"id":"v4-...","entries":[...]}
 *
 * The second is a metric of the npm library "web-vitals", as it is.
 */

#ifndef UX_BEACON_H
#define UX_BEACON_H


#include "ux_json_digits.h"
#include "ux_vital.h"


#define UX_BEACON_MAX      16384   /* bytes of a body */
#define UX_BEACON_NODES    64      /* values that are read of it */
#define UX_BEACON_LEVELS   8       /* how deep those may be */
#define UX_BEACON_ITEMS    (UX_BEACON_NODES / 2)

#define UX_BEACON_ID_MAX   256     /* bytes of an id */

/* a body, and what numbers get longer when their exponent is carried out */
#define UX_BEACON_TEXT                                                       \
    (UX_BEACON_MAX + UX_BEACON_ITEMS * UX_JSON_PLAIN_MAX)


typedef enum {
    UX_BEACON_EVENT = 0,
    UX_BEACON_VITAL,
    UX_BEACON_UNKNOWN              /* its name is no string, or no metric's */
} ux_beacon_kind_e;


/*
 * len 0 of value, currency, id: not there.  Whether an event is known, a value
 * an amount and a currency one of ISO 4217 is not asked here.
 *
 * bad: a member is of a wrong type or too long, or a metric has no value >= 0;
 * the event may not be recorded.
 */
typedef struct {
    ux_beacon_kind_e  kind;
    ux_str_t          name;        /* of an event */
    ux_str_t          value;       /* as ux_money_parse() takes it */
    ux_str_t          currency;
    ux_str_t          id;
    ux_str_t          visitor;
    ux_vital_t        vital;       /* its id_hash is left to who has a key */
    bool              named;       /* `visitor` is there, if empty */
    bool              bad;
} ux_beacon_item_t;


/* All that reading takes, but for cJSON's nodes; of no use to look into. */
typedef struct {
    unsigned          n;
    ux_beacon_item_t  items[UX_BEACON_ITEMS];

    size_t            used;        /* of text */
    char              text[UX_BEACON_TEXT];
} ux_beacon_t;


/*
 * Reads a whole body; strings of items point into *beacon.  `trusted`: member
 * "visitor" is read, else it is one of those that are passed over.
 *
 * UX_OK; UX_ERROR: malformed somewhere, nothing of it may be used, and the
 * sentence, one line that repeats nothing of the body, says what and where;
 * UX_FULL: no memory.  At most UX_BEACON_NODES values reach cJSON, in a text
 * no longer than the body, after the whole body was found well-formed.
 */
ux_status_t ux_beacon_read(ux_beacon_t *beacon, ux_str_t body, bool trusted,
    ux_error_t *error);


#endif
