
/*
 * Copyright (C) the nginx-ux authors
 *
 * JSON building and reading on cJSON.
 *
 * cJSON keeps numbers as doubles and prints at most 17 digits of them, so
 * every number goes in as raw text made by ux_decimal.c: integers and money
 * from integers, doubles in the shortest form that reads back.  A parsed
 * number becomes such a raw node, too: cJSON meets the numbers of a text in
 * the order they are written in, so a second walk over both gives each node
 * its digits.
 *
 * There is no pointer from a node to its parent.  A node that could not be
 * made leaves a mark in its parent instead (valueint, which cJSON does not
 * use in objects and arrays), and ux_json_failed() looks for marks.
 */

#include "ux_json.h"
#include "ux_decimal.h"
#include "ux_json_scan.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>


#define UX_JSON_FAILED  1

/* First millisecond of the year 10000. */
#define UX_JSON_TIME_END  253402300800000ull


static ux_json_t *ux_json_put(ux_json_t *parent, const char *name,
    ux_json_t *node);
static void ux_json_raw(ux_json_t *parent, const char *name,
    const char *text);
static bool ux_json_keep_numbers(ux_json_t *node, ux_str_t *rest);
static uint64_t ux_json_magnitude(int64_t value);


ux_json_t *
ux_json_new(void)
{
    return cJSON_CreateObject();
}


void
ux_json_delete(ux_json_t *root)
{
    cJSON_Delete(root);
}


ux_json_t *
ux_json_object(ux_json_t *parent, const char *name)
{
    if (parent == NULL) {
        return NULL;
    }

    return ux_json_put(parent, name, cJSON_CreateObject());
}


ux_json_t *
ux_json_array(ux_json_t *parent, const char *name)
{
    if (parent == NULL) {
        return NULL;
    }

    return ux_json_put(parent, name, cJSON_CreateArray());
}


ux_json_t *
ux_json_append(ux_json_t *array)
{
    return ux_json_object(array, NULL);
}


void
ux_json_string(ux_json_t *parent, const char *name, ux_str_t value)
{
    char    *copy;
    size_t   i, n;

    if (parent == NULL) {
        return;
    }

    copy = cJSON_malloc(value.len + 1);

    if (copy == NULL) {
        parent->valueint = UX_JSON_FAILED;
        return;
    }

    for (i = 0; i < value.len; i += n) {
        n = ux_json_scan_utf8(value.data + i, value.len - i);

        if (n == 0) {
            copy[i] = '?';
            n = 1;

        } else {
            memcpy(copy + i, value.data + i, n);
        }
    }

    copy[value.len] = '\0';

    (void) ux_json_put(parent, name, cJSON_CreateString(copy));

    cJSON_free(copy);
}


void
ux_json_bool(ux_json_t *parent, const char *name, bool value)
{
    if (parent != NULL) {
        (void) ux_json_put(parent, name, cJSON_CreateBool(value));
    }
}


void
ux_json_null(ux_json_t *parent, const char *name)
{
    if (parent != NULL) {
        (void) ux_json_put(parent, name, cJSON_CreateNull());
    }
}


void
ux_json_int(ux_json_t *parent, const char *name, int64_t value)
{
    char  text[UX_DECIMAL_MAX];

    ux_decimal_print(text, value < 0, ux_json_magnitude(value), 0);
    ux_json_raw(parent, name, text);
}


void
ux_json_number(ux_json_t *parent, const char *name, double value)
{
    char  text[UX_DECIMAL_MAX];

    if (!isfinite(value)) {
        ux_json_null(parent, name);
        return;
    }

    ux_decimal_double(text, value);
    ux_json_raw(parent, name, text);
}


void
ux_json_wide(ux_json_t *parent, const char *name, ux_u128_t value)
{
    char   text[UX_DECIMAL_MAX];
    char  *p;

    p = text + sizeof(text) - 1;
    *p = '\0';

    do {
        *--p = (char) ('0' + (int) (value % 10));
        value /= 10;
    } while (value != 0);

    ux_json_raw(parent, name, p);
}


void
ux_json_money(ux_json_t *parent, const char *name, int64_t minor,
    unsigned exponent)
{
    char  text[UX_DECIMAL_MAX];

    if (exponent > 18) {
        ux_json_null(parent, name);
        return;
    }

    ux_decimal_print(text, minor < 0, ux_json_magnitude(minor),
                    (int) exponent);
    ux_json_raw(parent, name, text);
}


/*
 * Days to a civil date by eras of 400 years that begin on 1 March (Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms").
 */
void
ux_json_time(ux_json_t *parent, const char *name, uint64_t ms)
{
    char      text[64];
    uint64_t  seconds, days, era, doe, yoe, doy, mp, day, month, year;

    if (ms == 0 || ms >= UX_JSON_TIME_END) {
        ux_json_null(parent, name);
        return;
    }

    seconds = ms / 1000;
    days = seconds / 86400 + 719468;
    seconds %= 86400;

    era = days / 146097;
    doe = days % 146097;
    yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    mp = (5 * doy + 2) / 153;
    day = doy - (153 * mp + 2) / 5 + 1;
    month = mp < 10 ? mp + 3 : mp - 9;
    year = yoe + era * 400 + (month <= 2 ? 1 : 0);

    (void) snprintf(text, sizeof(text),
                    "\"%04" PRIu64 "-%02" PRIu64 "-%02" PRIu64
                    "T%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64 "Z\"",
                    year, month, day, seconds / 3600, seconds / 60 % 60,
                    seconds % 60);

    ux_json_raw(parent, name, text);
}


void
ux_json_interval(ux_json_t *parent, const char *name, double lo, double hi)
{
    ux_json_t  *pair;

    if (isnan(lo) || isnan(hi)) {
        ux_json_null(parent, name);
        return;
    }

    pair = ux_json_array(parent, name);
    ux_json_number(pair, NULL, lo);
    ux_json_number(pair, NULL, hi);
}


bool
ux_json_failed(const ux_json_t *root)
{
    const ux_json_t  *child;

    if (root == NULL) {
        return true;
    }

    /* cJSON's own functions for it are a good part of a large tree's cost */

    if ((root->type & (cJSON_Object | cJSON_Array)) == 0) {
        return false;
    }

    if (root->valueint == UX_JSON_FAILED) {
        return true;
    }

    for (child = root->child; child != NULL; child = child->next) {
        if (ux_json_failed(child)) {
            return true;
        }
    }

    return false;
}


ux_json_t *
ux_json_get(ux_json_t *node, ux_str_t segment)
{
    char        text[UX_DECIMAL_MAX];
    bool        object;
    ux_str_t    name;
    uint64_t    index;
    ux_json_t  *child;

    object = cJSON_IsObject(node);

    if (!object && !cJSON_IsArray(node)) {
        return NULL;
    }

    index = 0;

    for (child = node->child; child != NULL; child = child->next) {

        if (object) {
            name.data = child->string;

        } else {
            ux_decimal_print(text, false, index++, 0);
            name.data = text;
        }

        /* most differ in their first byte; none has a NUL in it */

        if (segment.len > 0 && name.data[0] != segment.data[0]) {
            continue;
        }

        if (strncmp(name.data, segment.data, segment.len) == 0
            && strlen(name.data) == segment.len)
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


void
ux_json_text_free(char *text)
{
    cJSON_free(text);
}


void *
ux_json_alloc(size_t size)
{
    return cJSON_malloc(size);
}


void
ux_json_free(void *p)
{
    cJSON_free(p);
}


void
ux_json_set_allocator(void *(*alloc)(size_t), void (*release)(void *))
{
    cJSON_Hooks  hooks;

    hooks.malloc_fn = alloc;
    hooks.free_fn = release;

    cJSON_InitHooks(alloc != NULL && release != NULL ? &hooks : NULL);
}


/* Hands node over to parent, or leaves the mark. */
static ux_json_t *
ux_json_put(ux_json_t *parent, const char *name, ux_json_t *node)
{
    cJSON_bool  done;

    if (node == NULL) {
        parent->valueint = UX_JSON_FAILED;
        return NULL;
    }

    if (cJSON_IsArray(parent)) {
        done = cJSON_AddItemToArray(parent, node);

    } else {
        done = cJSON_AddItemToObject(parent, name, node);
    }

    if (!done) {
        parent->valueint = UX_JSON_FAILED;
        cJSON_Delete(node);
        return NULL;
    }

    return node;
}


static void
ux_json_raw(ux_json_t *parent, const char *name, const char *text)
{
    if (parent != NULL) {
        (void) ux_json_put(parent, name, cJSON_CreateRaw(text));
    }
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


static uint64_t
ux_json_magnitude(int64_t value)
{
    return value < 0 ? 0 - (uint64_t) value : (uint64_t) value;
}
