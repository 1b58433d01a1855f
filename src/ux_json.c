
/*
 * Copyright (C) the nginx-ux authors
 *
 * JSON building on cJSON; reading is ux_json_read.c's, text ux_json_print.c's.
 *
 * cJSON keeps numbers as doubles and prints at most 17 digits of them, so
 * every number goes in as raw text made by ux_decimal.c: integers and money
 * from integers, doubles in the shortest form that reads back, once somebody
 * asks for it.
 *
 * The nodes of a tree that is built are cJSON's, but neither made nor freed by
 * it: they, their names and values are in one arena, which each object and
 * array points to by its valuestring, unused by cJSON there.  It also knows
 * whether anything is missing.  Of a parsed tree that pointer is NULL.
 */

#include "ux_json.h"
#include "ux_decimal.h"
#include "ux_json_arena.h"
#include "ux_json_node.h"
#include "ux_json_scan.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>


/* Below what malloc() takes from the system, and gives back, each time. */
#define UX_JSON_CHUNK  65000

/* First millisecond of the year 10000. */
#define UX_JSON_TIME_END  253402300800000ull


/* An arena, and the object that is all of it. */
typedef struct {
    ux_json_arena_t  arena;
    ux_json_node_t   node;
} ux_json_root_t;


static void ux_json_begin(ux_json_root_t *root);
static ux_json_arena_t *ux_json_arena(const ux_json_t *node);
static ux_json_t *ux_json_put(ux_json_t *parent, const char *name, int type,
    ux_str_t text);
static void ux_json_raw(ux_json_t *parent, const char *name, ux_str_t text,
    double number);
static uint64_t ux_json_magnitude(int64_t value);


/* Tests have one for each node. */
static size_t  ux_json_chunk = UX_JSON_CHUNK;

static const ux_str_t  ux_json_no_text;


ux_json_t *
ux_json_new(void)
{
    ux_json_root_t  *root;

    root = cJSON_malloc(sizeof(ux_json_root_t));

    if (root == NULL) {
        return NULL;
    }

    ux_json_arena_init(&root->arena, ux_json_chunk);
    ux_json_begin(root);

    return &root->node.node;
}


ux_json_t *
ux_json_again(ux_json_t *node)
{
    ux_json_root_t  *root;

    root = (ux_json_root_t *) (void *) ux_json_arena(node);

    if (root == NULL) {
        return ux_json_new();
    }

    ux_json_arena_reset(&root->arena);
    ux_json_begin(root);

    return node;
}


static void
ux_json_begin(ux_json_root_t *root)
{
    memset(&root->node, 0, sizeof(ux_json_node_t));

    root->node.node.type = cJSON_Object | UX_JSON_BUILT;
    root->node.node.valuestring = (char *) root;
}


void
ux_json_delete(ux_json_t *root)
{
    ux_json_arena_t  *arena;

    arena = ux_json_arena(root);

    if (arena == NULL) {
        cJSON_Delete(root);
        return;
    }

    ux_json_arena_free(arena);
    cJSON_free(arena);
}


/* Of what was built; it is the first of the root's. */
static ux_json_arena_t *
ux_json_arena(const ux_json_t *node)
{
    if (node == NULL || (node->type & (cJSON_Object | cJSON_Array)) == 0) {
        return NULL;
    }

    return (ux_json_arena_t *) (void *) node->valuestring;
}


ux_json_t *
ux_json_object(ux_json_t *parent, const char *name)
{
    return ux_json_put(parent, name, cJSON_Object, ux_json_no_text);
}


ux_json_t *
ux_json_array(ux_json_t *parent, const char *name)
{
    return ux_json_put(parent, name, cJSON_Array, ux_json_no_text);
}


ux_json_t *
ux_json_append(ux_json_t *array)
{
    return ux_json_object(array, "");
}


void
ux_json_string(ux_json_t *parent, const char *name, ux_str_t value)
{
    char       *p;
    size_t      i, n;
    ux_json_t  *node;

    node = ux_json_put(parent, name, cJSON_String, value);

    if (node == NULL) {
        return;
    }

    p = node->valuestring;

    for (i = 0; i < value.len; i += n) {
        n = ux_json_scan_utf8(p + i, value.len - i);

        if (n == 0) {
            p[i] = '?';
            n = 1;
        }
    }
}


void
ux_json_bool(ux_json_t *parent, const char *name, bool value)
{
    (void) ux_json_put(parent, name, value ? cJSON_True : cJSON_False,
                       ux_json_no_text);
}


void
ux_json_null(ux_json_t *parent, const char *name)
{
    (void) ux_json_put(parent, name, cJSON_NULL, ux_json_no_text);
}


void
ux_json_int(ux_json_t *parent, const char *name, int64_t value)
{
    char      digits[UX_DECIMAL_MAX];
    ux_str_t  text;

    text.data = digits;
    text.len = ux_decimal_print(digits, value < 0, ux_json_magnitude(value),
                                0);
    ux_json_raw(parent, name, text, (double) value);
}


void
ux_json_number(ux_json_t *parent, const char *name, double value)
{
    ux_str_t  later;

    if (!isfinite(value)) {
        ux_json_null(parent, name);
        return;
    }

    later.data = NULL;
    later.len = UX_JSON_DOUBLE_MAX;
    ux_json_raw(parent, name, later, value + 0.0);     /* -0 is 0 */
}


void
ux_json_wide(ux_json_t *parent, const char *name, ux_u128_t value)
{
    char        digits[UX_DECIMAL_MAX];
    char       *p, *end;
    ux_str_t    text;
    ux_u128_t   rest;

    end = digits + sizeof(digits) - 1;
    *end = '\0';
    p = end;
    rest = value;

    do {
        *--p = (char) ('0' + (int) (rest % 10));
        rest /= 10;
    } while (rest != 0);

    text.data = p;
    text.len = (size_t) (end - p);
    ux_json_raw(parent, name, text, (double) value);
}


void
ux_json_money(ux_json_t *parent, const char *name, int64_t minor,
    unsigned exponent)
{
    char      digits[UX_DECIMAL_MAX];
    ux_str_t  text;

    if (exponent > 18) {
        ux_json_null(parent, name);
        return;
    }

    text.data = digits;
    text.len = ux_decimal_print(digits, minor < 0, ux_json_magnitude(minor),
                                (int) exponent);
    ux_json_raw(parent, name, text, strtod(digits, NULL));
}


/*
 * Days to a civil date by eras of 400 years that begin on 1 March (Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms").
 */
void
ux_json_time(ux_json_t *parent, const char *name, uint64_t ms)
{
    char      string[64];
    ux_str_t  text;
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

    text.data = string;
    text.len = (size_t) snprintf(string, sizeof(string),
                                 "\"%04" PRIu64 "-%02" PRIu64 "-%02" PRIu64
                                 "T%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64
                                 "Z\"", year, month, day, seconds / 3600,
                                 seconds / 60 % 60, seconds % 60);

    ux_json_raw(parent, name, text, NAN);
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
    ux_json_number(pair, "", lo);
    ux_json_number(pair, "", hi);
}


bool
ux_json_failed(const ux_json_t *node)
{
    const ux_json_arena_t  *arena;

    if (node == NULL) {
        return true;
    }

    arena = ux_json_arena(node);

    return arena != NULL && arena->failed;
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
    ux_json_chunk = alloc != NULL ? 1 : UX_JSON_CHUNK;
}


/*
 * A node at the parent's end, its name and its text right behind it, or room
 * for one if the text is NULL.
 */
static ux_json_t *
ux_json_put(ux_json_t *parent, const char *name, int type, ux_str_t text)
{
    char             *p;
    size_t            len;
    ux_json_t        *node;
    ux_json_node_t   *built;
    ux_json_arena_t  *arena;

    arena = ux_json_arena(parent);

    if (arena == NULL) {
        return NULL;
    }

    len = (parent->type & cJSON_Object) ? strlen(name) + 1 : 0;
    built = ux_json_arena_take(arena, sizeof(ux_json_node_t) + len + text.len
                                      + 1);

    if (built == NULL) {
        return NULL;
    }

    memset(built, 0, sizeof(ux_json_node_t));
    p = (char *) (built + 1);
    node = &built->node;
    node->type = type | UX_JSON_BUILT;

    if (len > 0) {
        node->string = memcpy(p, name, len);
        built->name_len = (uint32_t) (len - 1);
    }

    if (type & (cJSON_Object | cJSON_Array)) {
        node->valuestring = (char *) arena;

    } else if (type & (cJSON_Raw | cJSON_String)) {
        p += len;
        node->valuestring = p;

        if (text.data != NULL) {
            memcpy(p, text.data, text.len);
            p += text.len;
            built->word_len = (uint32_t) text.len;
        }

        *p = '\0';
    }

    if (parent->child == NULL) {
        parent->child = node;

    } else {
        node->prev = parent->child->prev;
        node->prev->next = node;
    }

    parent->child->prev = node;

    return node;
}


static void
ux_json_raw(ux_json_t *parent, const char *name, ux_str_t text, double number)
{
    ux_json_t  *node;

    node = ux_json_put(parent, name, cJSON_Raw, text);

    if (node != NULL) {
        ux_json_built(node)->number = number;
    }
}


static uint64_t
ux_json_magnitude(int64_t value)
{
    return value < 0 ? 0 - (uint64_t) value : (uint64_t) value;
}
