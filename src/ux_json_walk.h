
/*
 * Copyright (C) the nginx-ux authors
 *
 * A walk over JSON text that takes nothing but RFC 8259: well-formed UTF-8, no
 * byte-order mark, no control character, no \u0000, no number that a double
 * cannot hold, no more than UX_JSON_DEPTH_MAX levels.  Nothing is decoded or
 * copied; what the caller does not want is passed over.  No recursion.
 */

#ifndef UX_JSON_WALK_H
#define UX_JSON_WALK_H


#include "ux_item.h"


#define UX_JSON_DEPTH_MAX  32


typedef struct {
    ux_cursor_t  c;
    uint64_t     open;             /* bit n: level n is an object */
    unsigned     depth;            /* arrays and objects that are open */
    unsigned     nodes;            /* values counted so far */
    unsigned     nodes_max;        /* of what is kept */
    unsigned     levels_max;
    const char  *wrong;            /* what it is, once something is */
} ux_json_walk_t;


void ux_json_walk_init(ux_json_walk_t *walk, ux_str_t text);

/*
 * All below move over blanks first, and are false when something is wrong:
 * the walk is over then, `wrong` says why and the cursor is where.
 */

/* Over '[' or '{' and counts the value; *more: it is not empty. */
bool ux_json_walk_enter(ux_json_walk_t *walk, bool *more);

/* Behind an element or a member: over the comma, or what closes it. */
bool ux_json_walk_more(ux_json_walk_t *walk, bool *more);

/* A member's name, as it is written between its quotes, and the colon. */
bool ux_json_walk_name(ux_json_walk_t *walk, ux_str_t *name);

/*
 * A whole value.  One that is kept is counted with all that is in it, and may
 * hold no half of a surrogate pair, no number longer than UX_JSON_DIGITS_MAX.
 */
bool ux_json_walk_value(ux_json_walk_t *walk, bool keep);

/* Nothing but blanks may be left. */
bool ux_json_walk_end(ux_json_walk_t *walk);

/* The first byte that is no blank, or UX_CURSOR_END. */
int ux_json_walk_peek(ux_json_walk_t *walk);

/* Is a name, escapes and all, this word of ASCII? */
bool ux_json_walk_is(ux_str_t name, ux_str_t word);


#endif
