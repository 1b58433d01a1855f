
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
#include "ux_json_node.h"
#include "ux_json_scan.h"

#include <math.h>
#include <stdlib.h>


static size_t ux_json_make_word(ux_json_node_t *built);
static ux_json_t *ux_json_element(ux_json_t *node, ux_str_t segment);
static ux_json_t *ux_json_member(ux_json_t *node, ux_str_t name);
static ux_json_t *ux_json_member_from(ux_json_t *child,
    const ux_json_t *end, ux_str_t name);
static bool ux_json_keep_numbers(ux_json_t *node, ux_str_t *rest);


ux_json_t *
ux_json_get(ux_json_t *node, ux_str_t segment)
{
    switch (ux_json_kind(node)) {

    case cJSON_Object:
        return ux_json_member(node, segment);

    case cJSON_Array:
        return ux_json_element(node, segment);

    default:
        return NULL;
    }
}


static ux_json_t *
ux_json_element(ux_json_t *node, ux_str_t segment)
{
    char        text[UX_DECIMAL_MAX];
    size_t      len;
    uint64_t    index;
    ux_json_t  *child;

    index = 0;

    for (child = node->child; child != NULL; child = child->next) {
        len = ux_decimal_print(text, false, index++, 0);

        if (len == segment.len && memcmp(text, segment.data, len) == 0) {
            break;
        }
    }

    return child;
}


/* From the one that was found last to the end, then those before. */
static ux_json_t *
ux_json_member(ux_json_t *node, ux_str_t name)
{
    ux_json_t       *child, *last;
    ux_json_node_t  *built;

    built = ux_json_built(node);
    last = built != NULL ? built->found : NULL;
    child = NULL;

    if (last != NULL) {
        child = ux_json_member_from(last, NULL, name);
    }

    if (child == NULL) {
        child = ux_json_member_from(node->child, last, name);
    }

    if (built != NULL && child != NULL) {
        built->found = child;
    }

    return child;
}


/* The name may hold any bytes. */
static ux_json_t *
ux_json_member_from(ux_json_t *child, const ux_json_t *end, ux_str_t name)
{
    for ( /* void */ ; child != end; child = child->next) {

        /* most differ in their first letter */

        if (name.len > 0 && child->string[0] != name.data[0]) {
            continue;
        }

        if (ux_json_name_len(child) == name.len
            && memcmp(child->string, name.data, name.len) == 0)
        {
            return child;
        }
    }

    return NULL;
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
    switch (ux_json_kind(node)) {

    case cJSON_Raw:
        return node->valuestring[0] == '"' ? UX_JSON_STRING : UX_JSON_NUMBER;

    case cJSON_String:
        return UX_JSON_STRING;

    case cJSON_Array:
        return UX_JSON_ARRAY;

    case cJSON_Object:
        return UX_JSON_OBJECT;

    case cJSON_True:
    case cJSON_False:
        return UX_JSON_BOOL;

    case cJSON_NULL:
        return UX_JSON_NULL;

    default:
        return UX_JSON_NONE;
    }
}


ux_str_t
ux_json_word(const ux_json_t *node)
{
    int       kind;
    ux_str_t  word = ux_str("");

    kind = ux_json_kind(node);

    if (kind == cJSON_Raw || kind == cJSON_String) {
        word.data = node->valuestring;
        word.len = ux_json_word_len(node);
    }

    if (kind == cJSON_Raw && word.len == 0) {
        word.len = ux_json_make_word(ux_json_built(node));
    }

    return word;
}


/* Most figures of a page, and of metrics, are never asked for their digits. */
static size_t
ux_json_make_word(ux_json_node_t *built)
{
    char    digits[UX_DECIMAL_MAX];
    size_t  len;

    len = ux_decimal_double(digits, built->number);
    memcpy(built->node.valuestring, digits, len + 1);
    built->word_len = (uint32_t) len;

    return len;
}


double
ux_json_double(const ux_json_t *node)
{
    const ux_json_node_t  *built;

    if (ux_json_type(node) != UX_JSON_NUMBER) {
        return NAN;
    }

    built = ux_json_built(node);

    return built != NULL ? built->number : strtod(node->valuestring, NULL);
}


bool
ux_json_true(const ux_json_t *node)
{
    return ux_json_kind(node) == cJSON_True;
}


ux_str_t
ux_json_name(const ux_json_t *node)
{
    ux_str_t  name = ux_str("");

    if (node != NULL && node->string != NULL) {
        name.data = node->string;
        name.len = ux_json_name_len(node);
    }

    return name;
}


ux_json_t *
ux_json_first(const ux_json_t *node)
{
    int  kind;

    kind = ux_json_kind(node);

    return kind == cJSON_Array || kind == cJSON_Object ? node->child : NULL;
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
