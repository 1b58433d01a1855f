
/*
 * Copyright (C) the nginx-ux authors
 *
 * A tree as text.  cJSON asks for room, and looks for the end of what it
 * wrote, at each node: of a large document that is more than all the rest.
 * Its escapes are ours, so that a text is the same by either.
 */

#include "ux_json.h"
#include "ux_decimal.h"
#include "ux_json_node.h"

#include <stdio.h>


/* Bytes of a character's longest escape. */
#define UX_JSON_ESCAPE  6u

/* 1 in each byte. */
#define UX_JSON_ONES  0x0101010101010101ull


static void ux_json_write_number(ux_text_t *text, const ux_json_t *node);
static void ux_json_write_string(ux_text_t *text, const char *string,
    size_t len, char end);
static bool ux_json_plain(char *p, const char *string, size_t len);
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
    switch (ux_json_kind(node)) {

    case cJSON_Object:
        ux_text_char(text, '{');
        ux_json_write_members(text, node);
        ux_text_char(text, '}');
        break;

    case cJSON_Array:
        ux_text_char(text, '[');
        ux_json_write_members(text, node);
        ux_text_char(text, ']');
        break;

    case cJSON_Raw:
        ux_json_write_number(text, node);
        break;

    case cJSON_String:
        ux_json_write_string(text, node->valuestring, ux_json_word_len(node),
                             '\0');
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

    object = ux_json_kind(node) == cJSON_Object;

    for (child = node->child; child != NULL; child = child->next) {

        if (child != node->child) {
            ux_text_char(text, ',');
        }

        if (object) {
            ux_json_write_string(text, child->string,
                                 ux_json_name_len(child), ':');
        }

        ux_json_write(text, child);
    }
}


static void
ux_json_write_number(ux_text_t *text, const ux_json_t *node)
{
    char    *p;
    size_t   len;

    len = ux_json_word_len(node);

    if (len > 0) {
        ux_text_put(text, node->valuestring, len);
        return;
    }

    p = ux_text_room(text, UX_DECIMAL_MAX);

    if (p != NULL) {
        ux_text_used(text, ux_decimal_double(p, ux_json_built(node)->number));
    }
}


/* In quotes, and a character behind them, or none. */
static void
ux_json_write_string(ux_text_t *text, const char *string, size_t len,
    char end)
{
    char  *p, *start;

    start = ux_text_room(text, UX_JSON_ESCAPE * len + 3);

    if (start == NULL) {
        return;
    }

    p = start;
    *p++ = '"';

    if (ux_json_plain(p, string, len)) {
        p += len;

    } else {
        p = ux_json_escaped(p, string);
    }

    *p++ = '"';

    if (end != '\0') {
        *p++ = end;
    }

    ux_text_used(text, (size_t) (p - start));
}


/*
 * Copies what there is nothing to escape in.  Names of members, most of a
 * document, go by the word: the last one overlaps the one before, of less than
 * eight bytes it is made of their first and their last four.
 */
static bool
ux_json_plain(char *p, const char *string, size_t len)
{
    size_t    i;
    uint32_t  first, last;
    uint64_t  word;

    if (len < sizeof(last)) {
        memcpy(p, string, len);

        for (i = 0, word = UX_JSON_ONES * 'a'; i < len; i++) {
            word = word << 8 | (unsigned char) string[i];
        }

        return ux_json_plain_word(word);
    }

    if (len < sizeof(word)) {
        memcpy(&first, string, sizeof(first));
        memcpy(&last, string + len - sizeof(last), sizeof(last));
        memcpy(p, &first, sizeof(first));
        memcpy(p + len - sizeof(last), &last, sizeof(last));

        return ux_json_plain_word((uint64_t) first << 32 | last);
    }

    for (i = 0; i + sizeof(word) <= len; i += sizeof(word)) {
        memcpy(&word, string + i, sizeof(word));
        memcpy(p + i, &word, sizeof(word));

        if (!ux_json_plain_word(word)) {
            return false;
        }
    }

    memcpy(&word, string + len - sizeof(word), sizeof(word));
    memcpy(p + len - sizeof(word), &word, sizeof(word));

    return ux_json_plain_word(word);
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
