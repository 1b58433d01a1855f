
/*
 * Copyright (C) the nginx-ux authors
 *
 * Nodes of the document by a path with wildcards: one call deep for each
 * segment of a path, and these are the table's, not a client's.
 */

#include "ux_export_private.h"

#include <string.h>


static void ux_export_walk_push(ux_export_walk_t *walk, const char *name,
    ux_str_t value);
static void ux_export_walk_all(ux_export_walk_t *walk, ux_json_t *node,
    ux_str_t label, const char *rest);
static void ux_export_walk_named(ux_export_walk_t *walk, ux_json_t *node,
    ux_str_t segment, const char *rest);
static void ux_export_walk_elements(ux_export_walk_t *walk, ux_json_t *node,
    ux_str_t segment, const char *rest);
static void ux_export_walk_itself(ux_export_walk_t *walk, ux_json_t *node,
    ux_str_t segment, const char *rest);
static void ux_export_walk_label(ux_export_walk_t *walk, ux_json_t *node,
    ux_export_label_t label, const char *rest);
static ux_str_t ux_export_cut(ux_str_t *rest, char separator);


void
ux_export_walk_part(ux_export_walk_t *walk, const ux_report_part_t *part,
    const char *path)
{
    size_t            n;
    ux_report_step_e  step;

    static const char  zone[] = "zones/*zone/";
    static const char  experiment[] = "experiments/*experiment/";

    step = UX_REPORT_HEAD;
    n = sizeof(zone) - 1;

    if (strncmp(path, zone, n) == 0) {
        step = UX_REPORT_ZONE;
        path += n;
        n = sizeof(experiment) - 1;

        if (strncmp(path, experiment, n) == 0) {
            step = UX_REPORT_EXPERIMENT;
            path += n;
        }
    }

    if (step != part->step || part->node == NULL) {
        return;
    }

    walk->nlabels = 0;

    if (step != UX_REPORT_HEAD) {
        ux_export_walk_push(walk, "zone", part->zone);
    }

    if (step == UX_REPORT_EXPERIMENT) {
        ux_export_walk_push(walk, "experiment", part->experiment);
    }

    ux_export_walk(walk, part->node, path);
}


static void
ux_export_walk_push(ux_export_walk_t *walk, const char *name, ux_str_t value)
{
    ux_export_label_t  *label;

    label = &walk->labels[walk->nlabels++];
    label->name.data = name;
    label->name.len = strlen(name);
    label->value = value;
}


void
ux_export_walk(ux_export_walk_t *walk, ux_json_t *node, const char *path)
{
    ux_str_t  segment;

    while (node != NULL && *path != '\0') {
        segment.data = path;
        segment.len = strcspn(path, "/");

        path += segment.len;
        path += *path == '/';

        if (strchr("*=@+", segment.data[0]) == NULL) {
            node = ux_json_get(node, segment);
            continue;
        }

        segment.data++;
        segment.len--;

        switch (segment.data[-1]) {

        case '*':
            ux_export_walk_all(walk, node, segment, path);
            return;

        case '=':
            ux_export_walk_named(walk, node, segment, path);
            return;

        case '+':
            ux_export_walk_itself(walk, node, segment, path);
            return;

        default:
            ux_export_walk_elements(walk, node, segment, path);
            return;
        }
    }

    if (node != NULL) {
        walk->found(walk, node);
    }
}


static void
ux_export_walk_all(ux_export_walk_t *walk, ux_json_t *node, ux_str_t label,
    const char *rest)
{
    ux_json_t          *child;
    ux_export_label_t   of;

    if (ux_json_type(node) != UX_JSON_OBJECT) {
        return;
    }

    of.name = label;

    for (child = ux_json_first(node); child != NULL;
         child = ux_json_next(child))
    {
        of.value = ux_json_name(child);
        ux_export_walk_label(walk, child, of, rest);
    }
}


static void
ux_export_walk_named(ux_export_walk_t *walk, ux_json_t *node,
    ux_str_t segment, const char *rest)
{
    ux_json_t          *child;
    ux_export_label_t   of;

    of.name = ux_export_cut(&segment, ':');
    child = ux_json_type(node) == UX_JSON_ARRAY ? ux_json_first(node) : NULL;

    while (segment.len > 0) {
        of.value = ux_export_cut(&segment, ',');

        if (ux_json_type(node) == UX_JSON_OBJECT) {
            child = ux_json_get(node, of.value);
        }

        if (child != NULL) {
            ux_export_walk_label(walk, child, of, rest);
        }

        child = ux_json_next(child);
    }
}


static void
ux_export_walk_elements(ux_export_walk_t *walk, ux_json_t *node,
    ux_str_t segment, const char *rest)
{
    ux_json_t  *child;

    if (ux_json_type(node) != UX_JSON_ARRAY) {
        return;
    }

    for (child = ux_json_first(node); child != NULL;
         child = ux_json_next(child))
    {
        ux_export_walk_itself(walk, child, segment, rest);
    }
}


static void
ux_export_walk_itself(ux_export_walk_t *walk, ux_json_t *node,
    ux_str_t segment, const char *rest)
{
    ux_json_t          *name;
    ux_export_label_t   of;

    of.name = ux_export_cut(&segment, ':');
    name = ux_json_get(node, segment);

    if (ux_json_type(name) == UX_JSON_STRING) {
        of.value = ux_json_word(name);
        ux_export_walk_label(walk, node, of, rest);
    }
}


static void
ux_export_walk_label(ux_export_walk_t *walk, ux_json_t *node,
    ux_export_label_t label, const char *rest)
{
    if (walk->nlabels == UX_EXPORT_LABELS_MAX) {
        return;
    }

    walk->labels[walk->nlabels++] = label;
    ux_export_walk(walk, node, rest);
    walk->nlabels--;
}


/* Up to the separator, which is dropped, or all. */
static ux_str_t
ux_export_cut(ux_str_t *rest, char separator)
{
    ux_str_t     part;
    const char  *end;

    part = *rest;
    end = memchr(part.data, separator, part.len);

    if (end == NULL) {
        rest->data += rest->len;
        rest->len = 0;
        return part;
    }

    part.len = (size_t) (end - part.data);
    rest->data += part.len + 1;
    rest->len -= part.len + 1;

    return part;
}
