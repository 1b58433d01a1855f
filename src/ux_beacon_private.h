
/*
 * Copyright (C) the nginx-ux authors
 *
 * What both ways to read a beacon share.
 */

#ifndef UX_BEACON_PRIVATE_H
#define UX_BEACON_PRIVATE_H


#include "ux_beacon.h"
#include "ux_json.h"


typedef enum {
    UX_BEACON_M_EVENT = 0,
    UX_BEACON_M_NAME,
    UX_BEACON_M_VALUE,
    UX_BEACON_M_DELTA,
    UX_BEACON_M_CURRENCY,
    UX_BEACON_M_ID,
    UX_BEACON_M_VISITOR,
    UX_BEACON_MEMBERS
} ux_beacon_member_e;

extern const ux_str_t  ux_beacon_members[UX_BEACON_MEMBERS];


/* A member's value; UX_JSON_NONE: it is not there. */
typedef struct {
    ux_json_type_e  type;
    ux_str_t        word;          /* see ux_json_word() */
} ux_beacon_part_t;


/*
 * Reads a body of the first `members` members, if it is plain, without cJSON;
 * false: it is not, or not well-formed, and *beacon holds nothing of use.
 */
bool ux_beacon_plain(ux_beacon_t *beacon, ux_str_t body, unsigned members);

/* Reads any body of at most UX_BEACON_MAX bytes: see ux_beacon_read(). */
ux_status_t ux_beacon_any(ux_beacon_t *beacon, ux_str_t body,
    unsigned members, ux_error_t *error);

/* The next item, of these UX_BEACON_MEMBERS parts; words are copied. */
void ux_beacon_item(ux_beacon_t *beacon, const ux_beacon_part_t *parts);


#endif
