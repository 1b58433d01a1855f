
/*
 * Copyright (C) the nginx-ux authors
 *
 * The visitor cookie: "1.<id>.<mint day>.<mac>", id 32 lower-case hex digits
 * (128 random bits), mint day decimal days since 1970, mac the first 16 bytes
 * of HMAC-SHA256 over "1.<id>.<day>" in lower-case hex.
 */

#ifndef UX_COOKIE_H
#define UX_COOKIE_H


#include "ux_base.h"


#define UX_COOKIE_ID_LEN     32
#define UX_COOKIE_ID_AT      2      /* in the value, behind "1." */
#define UX_COOKIE_VALUE_MAX  (2 + UX_COOKIE_ID_LEN + 1 + 7 + 1 + 32)
#define UX_COOKIE_TRIES_MAX  8      /* candidates looked at in one request */


typedef struct {
    ux_str_t  value;       /* the whole value, as sent */
    ux_str_t  id;          /* 32 hex digits inside value */
    ux_str_t  mac;         /* 32 hex digits inside value */
    uint32_t  day;         /* minted on, days since 1970 */
} ux_cookie_t;


/*
 * Walks a Cookie header: sets *value to the value of the next cookie whose
 * name is exactly `name` and moves *rest behind it.  UX_DECLINED at the end.
 * Optional white space around the pair is not part of the value; quotes are.
 */
ux_status_t ux_cookie_next(ux_str_t *rest, ux_str_t name, ux_str_t *value);

/* Form only, no signature.  UX_ERROR unless value is exactly of the form. */
ux_status_t ux_cookie_parse(ux_str_t value, ux_cookie_t *cookie);

/*
 * Fills *cookie for a value of this length and day that ux_cookie_parse() took
 * before.
 */
void ux_cookie_parsed(const char *value, size_t len, uint32_t day,
    ux_cookie_t *cookie);

/*
 * True if one of the keys signed it; *which (may be NULL) says which.
 * Compares in constant time.
 */
bool ux_cookie_verify(const ux_cookie_t *cookie, const ux_str_t *keys,
    unsigned nkeys, unsigned *which);

/*
 * Writes a signed value for the 16 random bytes into buf
 * (UX_COOKIE_VALUE_MAX bytes); *len is its length.  Not NUL-terminated.
 */
ux_status_t ux_cookie_mint(const uint8_t random[16], uint32_t day,
    ux_str_t key, char *buf, size_t *len);

/*
 * The same id and day signed by another key, likewise.  The cookie is one
 * that ux_cookie_parse() took.
 */
ux_status_t ux_cookie_resign(const ux_cookie_t *cookie, ux_str_t key,
    char *buf, size_t *len);


#endif
