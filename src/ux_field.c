
/*
 * Copyright (C) the nginx-ux authors
 *
 * X-UX-Event: a list whose members are tokens with parameters.  Every type of
 * bare item is read, so that an unknown parameter can be skipped; inner lists
 * are refused, which is why nothing nests and nothing recurses.
 *
 * What is wrong with the syntax leaves no way to tell where the next member
 * starts, and is wrong for the line; what is wrong with a parameter that can
 * be read concerns its member only.
 */

#include "ux_field.h"
#include "ux_item.h"

#include <string.h>


typedef enum {
    UX_FIELD_VALUE = 0,
    UX_FIELD_CURRENCY,
    UX_FIELD_ID,
    UX_FIELD_OTHER                     /* all that are not known to us */
} ux_field_e;


typedef struct {
    bool       given;
    ux_item_t  item;                   /* the last of this name */
} ux_field_parameter_t;


static bool ux_field_member(ux_cursor_t *c, ux_field_event_t *event);
static bool ux_field_parameter(ux_cursor_t *c,
    ux_field_parameter_t *parameters);
static ux_field_e ux_field_find(ux_str_t key);
static bool ux_field_fill(ux_field_event_t *event,
    const ux_field_parameter_t *parameters);
static bool ux_field_is_value(const ux_item_t *item);
static bool ux_field_is_word(const ux_item_t *item);
static bool ux_field_fill_id(ux_field_event_t *event, const ux_item_t *item);
static bool ux_field_separator(ux_cursor_t *c);


static const ux_str_t  ux_field_names[UX_FIELD_OTHER] = {
    ux_str("value"),
    ux_str("currency"),
    ux_str("id")
};


ux_status_t
ux_field_check(ux_str_t line)
{
    unsigned          n;
    ux_status_t       rc;
    ux_field_event_t  event;

    for (n = 0; n <= UX_FIELD_EVENTS_MAX; n++) {
        rc = ux_field_next(&line, &event);

        if (rc != UX_OK) {
            return (rc == UX_DECLINED) ? UX_OK : UX_ERROR;
        }
    }

    return UX_ERROR;
}


ux_status_t
ux_field_next(ux_str_t *rest, ux_field_event_t *event)
{
    ux_cursor_t  c;

    if (rest->len == 0) {
        return UX_DECLINED;
    }

    c.p = (const unsigned char *) rest->data;
    c.end = c.p + rest->len;

    ux_cursor_blanks(&c, false);

    if (ux_cursor_peek(&c) == UX_CURSOR_END) {
        return UX_DECLINED;
    }

    if (!ux_field_member(&c, event) || !ux_field_separator(&c)) {
        return UX_ERROR;
    }

    rest->data = (const char *) c.p;
    rest->len = (size_t) (c.end - c.p);

    return UX_OK;
}


static bool
ux_field_member(ux_cursor_t *c, ux_field_event_t *event)
{
    ux_item_t             item;
    ux_field_parameter_t  parameters[UX_FIELD_OTHER + 1];

    memset(event, 0, offsetof(ux_field_event_t, id_bytes));
    memset(parameters, 0, sizeof(parameters));

    if (!ux_item_token(c, &item)) {
        return false;
    }

    event->name = item.text;

    while (ux_cursor_accept(c, ';')) {
        ux_cursor_blanks(c, false);

        if (!ux_field_parameter(c, parameters)) {
            return false;
        }
    }

    event->bad = !ux_field_fill(event, parameters);

    return true;
}


/* Without "=" it is a boolean. */
static bool
ux_field_parameter(ux_cursor_t *c, ux_field_parameter_t *parameters)
{
    int                    byte;
    ux_str_t               key;
    ux_field_e             which;
    ux_field_parameter_t  *p;

    if (!ux_item_key(c, &key)) {
        return false;
    }

    which = ux_field_find(key);

    p = &parameters[which];
    p->given = true;

    if (!ux_cursor_accept(c, '=')) {
        p->item.type = UX_ITEM_BOOLEAN;
        return true;
    }

    byte = ux_cursor_peek(c);

    if (which == UX_FIELD_VALUE
        && (byte == '-' || (byte >= '0' && byte <= '9')))
    {
        return ux_item_decimal(c, &p->item);
    }

    return ux_item_read(c, &p->item);
}


static ux_field_e
ux_field_find(ux_str_t key)
{
    unsigned  i;

    for (i = 0; i < UX_FIELD_OTHER; i++) {
        if (ux_str_equal(key, ux_field_names[i])) {
            break;
        }
    }

    return (ux_field_e) i;
}


/* An empty value or currency would read as absent: it is bad. */
static bool
ux_field_fill(ux_field_event_t *event, const ux_field_parameter_t *parameters)
{
    const ux_field_parameter_t  *value, *currency, *id;

    value = &parameters[UX_FIELD_VALUE];
    currency = &parameters[UX_FIELD_CURRENCY];
    id = &parameters[UX_FIELD_ID];

    if (value->given) {

        if (!ux_field_is_value(&value->item)) {
            return false;
        }

        event->value = value->item.text;
    }

    if (currency->given) {

        if (!ux_field_is_word(&currency->item)
            || currency->item.text.len == 0)
        {
            return false;
        }

        event->currency = currency->item.text;
    }

    return !id->given || ux_field_fill_id(event, &id->item);
}


static bool
ux_field_is_value(const ux_item_t *item)
{
    switch (item->type) {

    case UX_ITEM_STRING:
        return item->text.len > 0;

    case UX_ITEM_INTEGER:
    case UX_ITEM_DECIMAL:
        return item->text.len <= UX_FIELD_VALUE_MAX;

    default:
        return false;
    }
}


static bool
ux_field_is_word(const ux_item_t *item)
{
    return item->type == UX_ITEM_TOKEN || item->type == UX_ITEM_STRING;
}


static bool
ux_field_fill_id(ux_field_event_t *event, const ux_item_t *item)
{
    size_t  i, len;

    if (!ux_field_is_word(item)) {
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


/* A comma must have a member behind it. */
static bool
ux_field_separator(ux_cursor_t *c)
{
    ux_cursor_blanks(c, true);

    if (ux_cursor_peek(c) == UX_CURSOR_END) {
        return true;
    }

    if (!ux_cursor_accept(c, ',')) {
        return false;
    }

    ux_cursor_blanks(c, true);

    return ux_cursor_peek(c) != UX_CURSOR_END;
}
