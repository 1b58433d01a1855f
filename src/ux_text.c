
/*
 * Copyright (C) the nginx-ux authors
 *
 * A text that grows at its end, twofold each time: a byte is copied once more
 * on the average.  Its memory is the report's.
 */

#include "ux_text.h"
#include "ux_json.h"

#include <string.h>


#define UX_TEXT_MIN  1024


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


char *
ux_text_take(ux_text_t *text, size_t *len)
{
    char  *data;

    ux_text_char(text, '\0');

    if (text->failed) {
        ux_text_drop(text);
        *len = 0;
        return NULL;
    }

    data = text->data;
    *len = text->len - 1;

    memset(text, 0, sizeof(ux_text_t));

    return data;
}


void
ux_text_drop(ux_text_t *text)
{
    ux_json_text_free(text->data);
    memset(text, 0, sizeof(ux_text_t));
}


/* From now on nothing is added: a text with a hole is none. */
static bool
ux_text_grow(ux_text_t *text, size_t more)
{
    char    *data;
    size_t   size;

    if (text->failed) {
        return false;
    }

    size = text->size != 0 ? text->size : UX_TEXT_MIN;

    while (size - text->len < more && size <= SIZE_MAX / 2) {
        size *= 2;
    }

    data = size - text->len >= more ? ux_json_alloc(size) : NULL;

    if (data == NULL) {
        text->failed = true;
        return false;
    }

    if (text->data != NULL) {
        memcpy(data, text->data, text->len);
    }

    ux_json_text_free(text->data);

    text->data = data;
    text->size = size;

    return true;
}
