
/*
 * Copyright (C) the nginx-ux authors
 *
 * Structured Fields (RFC 9651): a cursor over foreign bytes, and the bare
 * items and keys that every header of that kind is made of.
 */

#ifndef UX_ITEM_H
#define UX_ITEM_H


#include "ux_base.h"


/* Moves from p to end, never past it. */
typedef struct {
    const unsigned char  *p;
    const unsigned char  *end;
} ux_cursor_t;


#define UX_CURSOR_END  (-1)


typedef enum {
    UX_ITEM_INTEGER = 0,
    UX_ITEM_DECIMAL,
    UX_ITEM_STRING,
    UX_ITEM_TOKEN,
    UX_ITEM_BYTES,
    UX_ITEM_BOOLEAN,
    UX_ITEM_DATE,
    UX_ITEM_DISPLAY
} ux_item_e;


typedef struct {
    ux_item_e  type;
    ux_str_t   text;                   /* as sent; strings: between the
                                          quotes, with their backslashes;
                                          booleans: empty */
} ux_item_t;


/* The byte under the cursor, or UX_CURSOR_END. */
int ux_cursor_peek(const ux_cursor_t *c);

/* Steps over the byte if it is this one. */
bool ux_cursor_accept(ux_cursor_t *c, int byte);

/* Steps over blanks, and tabs if `tabs`. */
void ux_cursor_blanks(ux_cursor_t *c, bool tabs);

/*
 * Each reads what the cursor is at, to its end, and is false if it is not
 * that; the cursor may have moved then.
 */
bool ux_item_read(ux_cursor_t *c, ux_item_t *item);       /* of any type */
bool ux_item_token(ux_cursor_t *c, ux_item_t *item);
bool ux_item_key(ux_cursor_t *c, ux_str_t *key);

/* -?digits[.digits] with as many digits as there are: the RFC allows 12+3. */
bool ux_item_decimal(ux_cursor_t *c, ux_item_t *item);


#endif
