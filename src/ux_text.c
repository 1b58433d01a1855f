
/*
 * Copyright (C) the nginx-ux authors
 *
 * Pieces in a list, each twice as long as the one before up to what malloc()
 * has at hand: a text of megabytes that was moved as it grew had the system
 * make, and clear, four times its memory.  Their memory is the report's.
 */

#include "ux_text.h"
#include "ux_json.h"

#include <string.h>


/* Bytes of a piece; below what malloc() takes from the system each time. */
#define UX_TEXT_MIN  1024
#define UX_TEXT_MAX  (64 * UX_TEXT_MIN)


struct ux_text_piece_s {
    ux_text_piece_t  *next;
    size_t            len;             /* of the last one: the text's */
    char              data[];
};


static bool ux_text_grow(ux_text_t *text, size_t more);


void
ux_text_put(ux_text_t *text, const char *data, size_t len)
{
    if (len == 0) {
        return;
    }

    if (text->size - text->len < len && !ux_text_grow(text, len)) {
        return;
    }

    memcpy(text->data + text->len, data, len);
    text->len += len;
}


void
ux_text_word(ux_text_t *text, const char *word)
{
    ux_text_put(text, word, strlen(word));
}


void
ux_text_char(ux_text_t *text, char c)
{
    if (text->len == text->size && !ux_text_grow(text, 1)) {
        return;
    }

    text->data[text->len++] = c;
}


char *
ux_text_room(ux_text_t *text, size_t n)
{
    if (text->size - text->len < n && !ux_text_grow(text, n)) {
        return NULL;
    }

    return text->data + text->len;
}


void
ux_text_used(ux_text_t *text, size_t n)
{
    text->len += n;
}


bool
ux_text_next(const ux_text_t *text, const ux_text_piece_t **piece,
    ux_str_t *bytes)
{
    *piece = *piece != NULL ? (*piece)->next : text->first;

    if (*piece == NULL) {
        return false;
    }

    bytes->data = (*piece)->data;
    bytes->len = *piece == text->last ? text->len : (*piece)->len;

    return true;
}


char *
ux_text_take(ux_text_t *text, size_t *len)
{
    char                   *data, *p;
    ux_str_t                bytes;
    const ux_text_piece_t  *piece;

    *len = 0;

    for (piece = NULL; ux_text_next(text, &piece, &bytes); /* void */) {
        *len += bytes.len;
    }

    data = text->failed ? NULL : ux_json_alloc(*len + 1);

    if (data == NULL) {
        ux_text_drop(text);
        *len = 0;
        return NULL;
    }

    p = data;

    for (piece = NULL; ux_text_next(text, &piece, &bytes); /* void */) {
        memcpy(p, bytes.data, bytes.len);
        p += bytes.len;
    }

    *p = '\0';
    ux_text_drop(text);

    return data;
}


void
ux_text_drop(ux_text_t *text)
{
    ux_text_piece_t  *piece, *next;

    for (piece = text->first; piece != NULL; piece = next) {
        next = piece->next;
        ux_json_free(piece);
    }

    memset(text, 0, sizeof(ux_text_t));
}


/* From now on nothing is added: a text with a hole is none. */
static bool
ux_text_grow(ux_text_t *text, size_t more)
{
    size_t            size, kept;
    ux_text_piece_t  *piece;

    if (text->failed) {
        return false;
    }

    kept = text->one ? text->len : 0;
    size = text->size != 0 ? 2 * text->size : UX_TEXT_MIN;
    size = size < UX_TEXT_MAX || text->one ? size : UX_TEXT_MAX;
    size = size - kept < more ? kept + more : size;

    piece = ux_json_alloc(sizeof(ux_text_piece_t) + size);

    if (piece == NULL) {
        text->failed = true;
        return false;
    }

    piece->next = NULL;

    if (text->first == NULL) {
        text->first = piece;

    } else if (text->one) {
        memcpy(piece->data, text->data, kept);
        ux_json_free(text->first);
        text->first = piece;

    } else {
        text->last->len = text->len;
        text->last->next = piece;
    }

    text->last = piece;
    text->data = piece->data;
    text->len = kept;
    text->size = size;

    return true;
}
