
/*
 * Copyright (C) the nginx-ux authors
 *
 * Reading JSON, by cJSON.
 *
 * A parsed number becomes a raw node, as those that are built: cJSON meets the
 * numbers of a text in the order they are written in, so a second walk over
 * both gives each node its digits.
 */

#include "ux_json.h"
#include "ux_decimal.h"
#include "ux_json_scan.h"

#include <cjson/cJSON.h>
#include <string.h>


static ux_json_t *ux_json_member(const ux_json_t *node, ux_str_t name);
static bool ux_json_is(const char *text, ux_str_t name);
static bool ux_json_keep_numbers(ux_json_t *node, ux_str_t *rest);


ux_json_t *
ux_json_get(ux_json_t *node, ux_str_t segment)
{
    char        text[UX_DECIMAL_MAX];
    uint64_t    index;
    ux_json_t  *child;

    if (cJSON_IsObject(node)) {
        return ux_json_member(node, segment);
    }

    if (!cJSON_IsArray(node)) {
        return NULL;
    }

    index = 0;

    for (child = node->child; child != NULL; child = child->next) {
        ux_decimal_print(text, false, index++, 0);

        if (ux_json_is(text, segment)) {
            break;
        }
    }

    return child;
}


static ux_json_t *
ux_json_member(const ux_json_t *node, ux_str_t name)
{
    ux_json_t  *child;

    for (child = node->child; child != NULL; child = child->next) {

        /* most differ in their first letter */

        if (name.len > 0 && child->string[0] != name.data[0]) {
            continue;
        }

        if (ux_json_is(child->string, name)) {
            break;
        }
    }

    return child;
}


/* The name may hold any bytes. */
static bool
ux_json_is(const char *text, ux_str_t name)
{
    return strlen(text) == name.len && memcmp(text, name.data, name.len) == 0;
}


ux_json_t *
ux_json_parse(ux_str_t text)
{
    ux_str_t     rest, number;
    ux_json_t   *root;
    const char  *end;
    ux_status_t  rc;

    rest = text;

    do {
        rc = ux_json_scan_number(&rest, &number);
    } while (rc == UX_OK);

    if (rc != UX_DECLINED) {
        return NULL;
    }

    root = cJSON_ParseWithLengthOpts(text.data, text.len, &end, false);

    if (root == NULL) {
        return NULL;
    }

    for ( /* void */ ; end < text.data + text.len; end++) {

        if (strchr(" \t\r\n", *end) == NULL) {
            cJSON_Delete(root);
            return NULL;
        }
    }

    if (!ux_json_keep_numbers(root, &text)) {
        cJSON_Delete(root);
        return NULL;
    }

    return root;
}


ux_json_type_e
ux_json_type(const ux_json_t *node)
{
    if (cJSON_IsRaw(node)) {
        return node->valuestring[0] == '"' ? UX_JSON_STRING : UX_JSON_NUMBER;
    }

    if (cJSON_IsString(node)) {
        return UX_JSON_STRING;
    }

    if (cJSON_IsArray(node)) {
        return UX_JSON_ARRAY;
    }

    if (cJSON_IsObject(node)) {
        return UX_JSON_OBJECT;
    }

    if (cJSON_IsBool(node)) {
        return UX_JSON_BOOL;
    }

    return cJSON_IsNull(node) ? UX_JSON_NULL : UX_JSON_NONE;
}


ux_str_t
ux_json_word(const ux_json_t *node)
{
    ux_str_t  word = ux_str("");

    if (cJSON_IsRaw(node) || cJSON_IsString(node)) {
        word.data = node->valuestring;
        word.len = strlen(word.data);
    }

    return word;
}


bool
ux_json_true(const ux_json_t *node)
{
    return cJSON_IsTrue(node);
}


ux_str_t
ux_json_name(const ux_json_t *node)
{
    ux_str_t  name = ux_str("");

    if (node != NULL && node->string != NULL) {
        name.data = node->string;
        name.len = strlen(name.data);
    }

    return name;
}


ux_json_t *
ux_json_first(const ux_json_t *node)
{
    return cJSON_IsArray(node) || cJSON_IsObject(node) ? node->child : NULL;
}


ux_json_t *
ux_json_next(const ux_json_t *node)
{
    return node != NULL ? node->next : NULL;
}


/* False for want of memory.  As deep as cJSON lets a text be. */
static bool
ux_json_keep_numbers(ux_json_t *node, ux_str_t *rest)
{
    char       *copy;
    ux_str_t    number;
    ux_json_t  *child;

    if (cJSON_IsNumber(node)) {

        if (ux_json_scan_number(rest, &number) != UX_OK) {
            return false;
        }

        copy = cJSON_malloc(number.len + 1);

        if (copy == NULL) {
            return false;
        }

        memcpy(copy, number.data, number.len);
        copy[number.len] = '\0';

        node->type = cJSON_Raw;
        node->valuestring = copy;
    }

    for (child = node->child; child != NULL; child = child->next) {

        if (!ux_json_keep_numbers(child, rest)) {
            return false;
        }
    }

    return true;
}
