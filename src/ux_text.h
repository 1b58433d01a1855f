
/*
 * Copyright (C) the nginx-ux authors
 *
 * A text that grows at its end.  For want of memory it stays as it is and
 * says so: a writer asks once, at the end.
 */

#ifndef UX_TEXT_H
#define UX_TEXT_H


#include "ux_base.h"


/* All zero to begin with. */
typedef struct {
    char    *data;                     /* malloc'ed */
    size_t   len;
    size_t   size;
    bool     failed;
} ux_text_t;


void ux_text_put(ux_text_t *text, const char *data, size_t len);
void ux_text_word(ux_text_t *text, const char *word);
void ux_text_char(ux_text_t *text, char c);

/*
 * Where up to n bytes may be written, NULL if there is no room; how many were
 * is told by ux_text_used() next.
 */
char *ux_text_room(ux_text_t *text, size_t n);
void ux_text_used(ux_text_t *text, size_t n);

/*
 * Hands the bytes over, a NUL behind them, to be freed with
 * ux_json_text_free(), and leaves the text empty; NULL, and *len 0, when it
 * has failed.
 */
char *ux_text_take(ux_text_t *text, size_t *len);

/* Gives the bytes back and leaves the text empty. */
void ux_text_drop(ux_text_t *text);


#endif
