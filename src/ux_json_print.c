
/*
 * Copyright (C) the nginx-ux authors
 *
 * A tree as text.  cJSON asks for room, and looks for the end of what it
 * wrote, at each node: of a large document that is more than all the rest.
 * Its escapes are ours, so that a text is the same by either.
 */

#include "ux_json.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>


/* Bytes of a character's longest escape. */
#define UX_JSON_ESCAPE  6u

/* 1 in each byte. */
#define UX_JSON_ONES  0x0101010101010101ull


static void ux_json_write_string(ux_text_t *text, const char *string,
    const char *end);
static bool ux_json_plain(const char *string, size_t len);
static bool ux_json_plain_word(uint64_t word);
static char *ux_json_escaped(char *p, const char *string);
static char *ux_json_escape(char *p, char c);


char *
ux_json_print(const ux_json_t *node, size_t *len)
{
    ux_text_t  text;

    *len = 0;

    if (ux_json_failed(node)) {
        return NULL;
    }

    memset(&text, 0, sizeof(ux_text_t));
    ux_json_write(&text, node);

    return ux_text_take(&text, len);
}


void
ux_json_write(ux_text_t *text, const ux_json_t *node)
{
    switch (node->type & 0xff) {

    case cJSON_Object:
    case cJSON_Array:
        ux_text_char(text, cJSON_IsObject(node) ? '{' : '[');
        ux_json_write_members(text, node);
        ux_text_char(text, cJSON_IsObject(node) ? '}' : ']');
        break;

    case cJSON_Raw:
        ux_text_word(text, node->valuestring);
        break;

    case cJSON_String:
        ux_json_write_string(text, node->valuestring, "");
        break;

    case cJSON_True:
        ux_text_put(text, "true", 4);
        break;

    case cJSON_False:
        ux_text_put(text, "false", 5);
        break;

    default:
        ux_text_put(text, "null", 4);
        break;
    }
}


void
ux_json_write_members(ux_text_t *text, const ux_json_t *node)
{
    bool              object;
    const ux_json_t  *child;

    object = cJSON_IsObject(node);

    for (child = node->child; child != NULL; child = child->next) {

        if (child != node->child) {
            ux_text_char(text, ',');
        }

        if (object) {
            ux_json_write_string(text, child->string, ":");
        }

        ux_json_write(text, child);
    }
}


/* In quotes, and what is behind them. */
static void
ux_json_write_string(ux_text_t *text, const char *string, const char *end)
{
    char    *p, *start;
    size_t   len;

    len = strlen(string);
    start = ux_text_room(text, UX_JSON_ESCAPE * len + 3);

    if (start == NULL) {
        return;
    }

    p = start;
    *p++ = '"';

    if (ux_json_plain(string, len)) {
        memcpy(p, string, len);
        p += len;

    } else {
        p = ux_json_escaped(p, string);
    }

    *p++ = '"';

    if (*end != '\0') {
        *p++ = *end;
    }

    ux_text_used(text, (size_t) (p - start));
}


/* Nothing to escape in it?  Names of members are looked at by the word. */
static bool
ux_json_plain(const char *string, size_t len)
{
    size_t    i;
    uint64_t  word;

    for (i = 0; i + sizeof(word) <= len; i += sizeof(word)) {
        memcpy(&word, string + i, sizeof(word));

        if (!ux_json_plain_word(word)) {
            return false;
        }
    }

    if (len >= sizeof(word)) {
        memcpy(&word, string + len - sizeof(word), sizeof(word));
        return ux_json_plain_word(word);
    }

    for ( /* void */ ; i < len; i++) {

        if ((unsigned char) string[i] < ' ' || string[i] == '"'
            || string[i] == '\\')
        {
            return false;
        }
    }

    return true;
}


/*
 * Eight bytes at a time: the highest bit of each is set where it is below ' ',
 * or 0 after the exclusive or (Warren, "Hacker's Delight", 6-1); bytes of
 * 0x80 and more are none of these.
 */
static bool
ux_json_plain_word(uint64_t word)
{
    uint64_t  quote, slash, found;

    quote = word ^ (UX_JSON_ONES * '"');
    slash = word ^ (UX_JSON_ONES * '\\');

    found = (word - UX_JSON_ONES * ' ') & ~word;
    found |= (quote - UX_JSON_ONES) & ~quote;
    found |= (slash - UX_JSON_ONES) & ~slash;

    return (found & (UX_JSON_ONES << 7)) == 0;
}


static char *
ux_json_escaped(char *p, const char *string)
{
    char  c;

    for (c = *string; c != '\0'; c = *++string) {

        if ((unsigned char) c < ' ' || c == '"' || c == '\\') {
            p = ux_json_escape(p, c);

        } else {
            *p++ = c;
        }
    }

    return p;
}


static char *
ux_json_escape(char *p, char c)
{
    const char  *found;

    static const char  chars[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";

    *p++ = '\\';
    found = strchr(chars, c);

    if (found != NULL) {
        *p++ = names[found - chars];
        return p;
    }

    (void) snprintf(p, UX_JSON_ESCAPE, "u%04x", (unsigned char) c);

    return p + UX_JSON_ESCAPE - 1;
}
