
/*
 * Copyright (C) the nginx-ux authors
 *
 * X-UX-Event: a list whose members are tokens with parameters.  Every type of
 * bare item is read, so that an unknown parameter can be skipped; inner lists
 * are refused, which is why nothing nests and nothing recurses.
 */

#include "ux_field.h"
#include "ux_item.h"

#include <string.h>


static bool ux_field_member(ux_cursor_t *c, ux_field_event_t *event);
static bool ux_field_parameter(ux_cursor_t *c, ux_field_event_t *event);
static bool ux_field_keep(ux_field_event_t *event, ux_str_t key,
    const ux_item_t *item);
static bool ux_field_keep_id(ux_field_event_t *event, const ux_item_t *item);
static bool ux_field_is(ux_str_t s, const char *word);


ux_status_t
ux_field_parse(ux_str_t line, ux_field_event_t *events, unsigned *n)
{
    unsigned     count;
    ux_cursor_t  c;

    *n = 0;

    if (line.len == 0) {
        return UX_OK;
    }

    c.p = (const unsigned char *) line.data;
    c.end = c.p + line.len;

    ux_cursor_blanks(&c, false);

    if (ux_cursor_peek(&c) == UX_CURSOR_END) {
        return UX_OK;
    }

    for (count = 0; count < UX_FIELD_EVENTS_MAX; /* void */ ) {

        if (!ux_field_member(&c, &events[count++])) {
            return UX_ERROR;
        }

        ux_cursor_blanks(&c, true);

        if (ux_cursor_peek(&c) == UX_CURSOR_END) {
            *n = count;
            return UX_OK;
        }

        if (!ux_cursor_accept(&c, ',')) {
            return UX_ERROR;
        }

        /* A comma with nothing after it fails as an empty member. */

        ux_cursor_blanks(&c, true);
    }

    return UX_ERROR;
}


static bool
ux_field_member(ux_cursor_t *c, ux_field_event_t *event)
{
    ux_item_t  item;

    memset(event, 0, offsetof(ux_field_event_t, id_bytes));

    if (!ux_item_token(c, &item)) {
        return false;
    }

    event->name = item.text;

    while (ux_cursor_accept(c, ';')) {
        ux_cursor_blanks(c, false);

        if (!ux_field_parameter(c, event)) {
            return false;
        }
    }

    return true;
}


static bool
ux_field_parameter(ux_cursor_t *c, ux_field_event_t *event)
{
    ux_str_t   key;
    ux_item_t  item;

    if (!ux_item_key(c, &key)) {
        return false;
    }

    if (!ux_cursor_accept(c, '=')) {
        item.type = UX_ITEM_BOOLEAN;
        item.text.data = NULL;
        item.text.len = 0;

    } else if (!ux_item_read(c, &item)) {
        return false;
    }

    return ux_field_keep(event, key, &item);
}


/* An empty value or currency would read as absent: it is refused. */
static bool
ux_field_keep(ux_field_event_t *event, ux_str_t key, const ux_item_t *item)
{
    if (ux_field_is(key, "value")) {
        event->value = item->text;

        return item->text.len > 0
               && (item->type == UX_ITEM_INTEGER
                   || item->type == UX_ITEM_DECIMAL
                   || item->type == UX_ITEM_STRING);
    }

    if (ux_field_is(key, "currency")) {
        event->currency = item->text;

        return item->text.len > 0
               && (item->type == UX_ITEM_TOKEN
                   || item->type == UX_ITEM_STRING);
    }

    if (ux_field_is(key, "id")) {
        return ux_field_keep_id(event, item);
    }

    return true;
}


static bool
ux_field_keep_id(ux_field_event_t *event, const ux_item_t *item)
{
    size_t  i, len;

    if (item->type != UX_ITEM_TOKEN && item->type != UX_ITEM_STRING) {
        return false;
    }

    len = 0;

    for (i = 0; i < item->text.len; i++) {

        if (item->type == UX_ITEM_STRING && item->text.data[i] == '\\') {
            i++;
        }

        if (len == UX_FIELD_ID_MAX) {
            return false;
        }

        event->id_bytes[len++] = item->text.data[i];
    }

    event->id_len = len;
    event->has_id = (len > 0);

    return true;
}


static bool
ux_field_is(ux_str_t s, const char *word)
{
    return s.len == strlen(word) && memcmp(s.data, word, s.len) == 0;
}
