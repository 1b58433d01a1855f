
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


static void ux_json_write_string(ux_text_t *text, const char *string);
static void ux_json_write_escape(ux_text_t *text, char c);


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
        ux_json_write_string(text, node->valuestring);
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
    const ux_json_t  *child;

    for (child = node->child; child != NULL; child = child->next) {

        if (child != node->child) {
            ux_text_char(text, ',');
        }

        if (cJSON_IsObject(node)) {
            ux_json_write_string(text, child->string);
            ux_text_char(text, ':');
        }

        ux_json_write(text, child);
    }
}


static void
ux_json_write_string(ux_text_t *text, const char *string)
{
    const char  *p;

    ux_text_char(text, '"');

    for (p = string; *p != '\0'; p++) {

        if ((unsigned char) *p >= ' ' && *p != '"' && *p != '\\') {
            continue;
        }

        ux_text_put(text, string, (size_t) (p - string));
        ux_json_write_escape(text, *p);
        string = p + 1;
    }

    ux_text_put(text, string, (size_t) (p - string));
    ux_text_char(text, '"');
}


static void
ux_json_write_escape(ux_text_t *text, char c)
{
    char         code[8];
    const char  *p;

    static const char  chars[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";

    p = strchr(chars, c);

    if (p != NULL) {
        ux_text_char(text, '\\');
        ux_text_char(text, names[p - chars]);
        return;
    }

    (void) snprintf(code, sizeof(code), "\\u%04x", (unsigned) c);
    ux_text_word(text, code);
}
