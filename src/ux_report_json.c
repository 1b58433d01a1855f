
/*
 * Copyright (C) the nginx-ux authors
 *
 * The document as JSON, or what a path names of it, out of its parts: only
 * these are made, and printed one after the other.
 *
 * Levels of the document, by how many segments of the path lead there:
 *
 *   0  all of it        3  "zones/shop/experiments"
 *   1  "zones"          4  one of them, and what is below
 *   2  "zones/shop"
 *
 * What is below another member has the level of what that member is in: the
 * part is made, and looked through for the rest of the path.
 */

#include "ux_report_private.h"

#include <string.h>


#define UX_REPORT_NOT_FOUND  "{\"error\":\"not found\"}"


static void ux_report_json_scope(ux_report_json_t *json);
static bool ux_report_json_segment(ux_str_t *path, ux_str_t *segment);
static bool ux_report_json_is(ux_str_t segment, const char *name);
static void ux_report_json_select(ux_report_json_t *json, ux_json_t *node);
static void ux_report_json_ends(ux_report_json_t *json,
    const ux_report_part_t *part);
static void ux_report_json_zone(ux_report_json_t *json,
    const ux_report_part_t *part);
static void ux_report_json_select(ux_report_json_t *json, ux_json_t *node);
static void ux_report_json_member(ux_report_json_t *json, ux_str_t name);


ux_status_t
ux_report_json(const ux_report_t *report, ux_str_t path, char **text,
    size_t *len)
{
    ux_status_t        rc;
    ux_report_json_t   json;
    ux_report_part_t   part;
    ux_report_walk_t  *walk;

    ux_report_json_begin(&json, path);

    walk = ux_report_walk_begin(report, &json.scope);
    rc = walk != NULL ? UX_OK : UX_ERROR;
    part.step = UX_REPORT_BEGIN;

    while (rc == UX_OK && part.step != UX_REPORT_END) {
        rc = ux_report_walk_next(walk, &part);

        if (rc == UX_OK) {
            ux_report_json_put(&json, &part);
        }
    }

    ux_report_walk_end(walk);

    rc = rc == UX_OK ? ux_report_json_end(&json) : rc;
    *text = ux_text_take(&json.text, len);

    if (rc == UX_ERROR) {
        ux_report_free(*text);
        *text = NULL;
        *len = 0;
    }

    return *text != NULL ? rc : UX_ERROR;
}


ux_status_t
ux_report_not_found(char **text, size_t *len)
{
    ux_text_t  error;

    memset(&error, 0, sizeof(ux_text_t));

    ux_text_put(&error, UX_REPORT_NOT_FOUND, sizeof(UX_REPORT_NOT_FOUND) - 1);
    *text = ux_text_take(&error, len);

    return *text != NULL ? UX_DECLINED : UX_ERROR;
}


void
ux_report_json_begin(ux_report_json_t *json, ux_str_t path)
{
    ux_str_t            rest, segment;
    ux_report_scope_t  *scope;

    memset(json, 0, sizeof(ux_report_json_t));

    scope = &json->scope;
    scope->parts = UX_REPORT_WHOLE;

    if (path.len > 0 && path.data[0] == '/') {
        path.data++;
        path.len--;
    }

    rest = path;
    json->rest = path;

    if (!ux_report_json_segment(&rest, &segment)) {
        scope->head = scope->zones = scope->experiments = true;
        return;
    }

    if (!ux_report_json_is(segment, "zones")) {
        scope->head = true;
        return;
    }

    json->level = 1;
    json->rest = rest;
    scope->zones = scope->experiments = true;

    if (ux_report_json_segment(&rest, &scope->zone)) {
        json->level = 2;
        json->rest = rest;
        ux_report_json_scope(json);
    }
}


/* Below a zone. */
static void
ux_report_json_scope(ux_report_json_t *json)
{
    ux_str_t            rest, segment;
    ux_report_scope_t  *scope;

    scope = &json->scope;
    rest = json->rest;

    if (!ux_report_json_segment(&rest, &segment)) {
        return;
    }

    if (!ux_report_json_is(segment, "experiments")) {
        scope->experiments = false;
        return;
    }

    json->level = 3;
    json->rest = rest;
    scope->zones = false;

    if (ux_report_json_segment(&rest, &scope->experiment)) {
        json->level = 4;
        json->rest = rest;
    }
}


/*
 * Cuts the first segment off; false: there is none.  A slash at the end does
 * not matter; between two slashes must be a name: "" is nobody's.
 */
static bool
ux_report_json_segment(ux_str_t *path, ux_str_t *segment)
{
    const char  *slash;

    if (path->len == 0) {
        return false;
    }

    slash = memchr(path->data, '/', path->len);

    segment->data = path->data;
    segment->len = slash != NULL ? (size_t) (slash - path->data) : path->len;

    path->data += segment->len;
    path->len -= segment->len;

    if (path->len > 0) {
        path->data++;
        path->len--;
    }

    return true;
}


static bool
ux_report_json_is(ux_str_t segment, const char *name)
{
    return segment.len == strlen(name)
           && memcmp(segment.data, name, segment.len) == 0;
}


void
ux_report_json_put(ux_report_json_t *json, const ux_report_part_t *part)
{
    switch (part->step) {

    case UX_REPORT_HEAD:
    case UX_REPORT_FOOT:
        ux_report_json_ends(json, part);
        break;

    case UX_REPORT_ZONE:
        ux_report_json_zone(json, part);
        break;

    case UX_REPORT_EXPERIMENT:
        if (json->level == 4) {
            ux_report_json_select(json, part->node);

        } else {
            ux_report_json_member(json, part->experiment);
            ux_json_write(&json->text, part->node);
        }

        break;

    case UX_REPORT_ZONE_END:
        if (json->level == 3) {
            ux_text_char(&json->text, '}');

        } else if (json->level < 3 && json->rest.len == 0) {
            ux_text_word(&json->text, "}}");
        }

        json->begun = true;
        break;

    default:
        break;
    }
}


/* The document's first and last members. */
static void
ux_report_json_ends(ux_report_json_t *json, const ux_report_part_t *part)
{
    bool  head;

    head = part->step == UX_REPORT_HEAD;

    if (json->level == 0 && json->rest.len > 0) {
        ux_report_json_select(json, part->node);

    } else if (json->level == 0) {
        ux_text_word(&json->text, head ? "{" : "},");
        ux_json_write_members(&json->text, part->node);
        ux_text_word(&json->text, head ? ",\"zones\":{" : "}");
        json->found = true;

    } else if (json->level == 1) {
        ux_text_char(&json->text, head ? '{' : '}');
        json->found = true;
    }
}


static void
ux_report_json_zone(ux_report_json_t *json, const ux_report_part_t *part)
{
    if (json->level == 2 && json->rest.len > 0) {
        ux_report_json_select(json, part->node);
        return;
    }

    if (json->level < 2) {
        ux_report_json_member(json, part->zone);
    }

    if (json->level < 4) {
        ux_text_char(&json->text, '{');
        json->found = true;
        json->begun = false;
    }

    if (json->level < 3) {
        ux_json_write_members(&json->text, part->node);
        ux_text_word(&json->text, ",\"experiments\":{");
    }
}


/* What the rest of the path leads to. */
static void
ux_report_json_select(ux_report_json_t *json, ux_json_t *node)
{
    ux_str_t  rest, segment;

    rest = json->rest;

    while (node != NULL && ux_report_json_segment(&rest, &segment)) {
        node = ux_json_get(node, segment);
    }

    if (node != NULL && !json->found) {
        ux_json_write(&json->text, node);
        json->found = true;
    }
}


static void
ux_report_json_member(ux_report_json_t *json, ux_str_t name)
{
    ux_text_word(&json->text, json->begun ? ",\"" : "\"");
    ux_text_put(&json->text, name.data, name.len);
    ux_text_word(&json->text, "\":");
    json->begun = true;
}


ux_status_t
ux_report_json_end(ux_report_json_t *json)
{
    if (!json->found) {
        ux_text_word(&json->text, UX_REPORT_NOT_FOUND);
    }

    if (json->text.failed) {
        return UX_ERROR;
    }

    return json->found ? UX_OK : UX_DECLINED;
}
