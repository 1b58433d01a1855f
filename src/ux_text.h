
/*
 * Copyright (C) the nginx-ux authors
 *
 * A text that grows at its end, by pieces: nothing of it is moved.  For want
 * of memory it stays as it is and says so: a writer asks once, at the end.
 */

#ifndef UX_TEXT_H
#define UX_TEXT_H


#include "ux_base.h"


typedef struct ux_text_piece_s  ux_text_piece_t;

/* All zero to begin with. */
typedef struct {
    char             *data;            /* of the last piece */
    size_t            len;
    size_t            size;
    ux_text_piece_t  *first;
    ux_text_piece_t  *last;
    bool              one;             /* set by the caller: one piece, which
                                          is moved when it is full */
    bool              failed;
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
 * What is in the next piece: *piece is NULL before the first.  False: that was
 * the last.
 */
bool ux_text_next(const ux_text_t *text, const ux_text_piece_t **piece,
    ux_str_t *bytes);

/*
 * Hands out the bytes in one, a NUL behind them, to be freed with
 * ux_json_text_free(), and leaves the text empty; NULL, and *len 0, when it
 * has failed.
 */
char *ux_text_take(ux_text_t *text, size_t *len);

/* Gives the bytes back and leaves the text empty. */
void ux_text_drop(ux_text_t *text);


#endif
