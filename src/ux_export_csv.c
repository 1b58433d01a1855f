
/*
 * Copyright (C) the nginx-ux authors
 *
 * A row for each experiment, variant and metric, and one for each value of a
 * segment; columns as in DESIGN.md section 7.  What is null is empty.
 *
 * Names begin with a letter and numbers with a digit or their sign, so that
 * no spreadsheet takes a field for a formula.
 */

#include "ux_export_private.h"

#include <string.h>


#define UX_EXPORT_ROW                                                        \
    "zones/*zone/experiments/*experiment/variants/*variant/"


/* Where a column's field is: a label, or a member of the metric. */
static const struct {
    const char  *name;
    const char  *label;                /* or NULL */
    const char  *paths[3];             /* the first there is */
}  ux_export_columns[] = {
    { "zone", "zone", { NULL } },
    { "experiment", "experiment", { NULL } },
    { "variant", "variant", { NULL } },
    { "segment", NULL, { NULL } },     /* "device=phone" */
    { "metric", "metric", { NULL } },
    { "type", NULL, { "type" } },
    { "visitors", NULL, { "visitors" } },
    { "events", NULL, { "events" } },
    { "value", NULL, { "sum" } },
    { "rate_or_mean", NULL, { "rate", "mean", "ratio" } },
    { "ci_low", NULL, { "rate_ci/0", "mean_ci/0", "ratio_ci/0" } },
    { "ci_high", NULL, { "rate_ci/1", "mean_ci/1", "ratio_ci/1" } },
    { "lift", NULL, { "vs_control/lift" } },
    { "lift_low", NULL, { "vs_control/lift_ci/0" } },
    { "lift_high", NULL, { "vs_control/lift_ci/1" } },
    { "p_value", NULL, { "vs_control/p_value" } },
    { "significant", NULL, { "vs_control/significant" } }
};

#define UX_EXPORT_NCOLUMNS                                                   \
    (sizeof(ux_export_columns) / sizeof(ux_export_columns[0]))

static const char *const  ux_export_rows[UX_EXPORT_CSV_TEXTS] = {
    UX_EXPORT_ROW "metrics/*metric",
    UX_EXPORT_ROW "segments/*segment/*value/metrics/*metric"
};


static void ux_export_put_names(ux_text_t *text);
static void ux_export_put_row(ux_export_walk_t *walk, ux_json_t *node);
static void ux_export_put_column(ux_export_walk_t *walk,
    ux_json_t *node, unsigned column);
static void ux_export_put_value(ux_text_t *text, ux_json_t *node);
static ux_str_t ux_export_label(const ux_export_walk_t *walk,
    const char *name);
static ux_json_t *ux_export_at(ux_json_t *node, const char *path);


void
ux_export_csv(ux_export_t *export, const ux_report_part_t *part)
{
    unsigned          i;
    ux_export_walk_t  walk;

    if (part->step == UX_REPORT_HEAD) {
        ux_export_put_names(&export->texts[0]);
    }

    walk.nlabels = 0;
    walk.found = ux_export_put_row;

    for (i = 0; i < UX_EXPORT_CSV_TEXTS; i++) {
        walk.data = &export->texts[i];
        ux_export_walk_part(&walk, part, ux_export_rows[i]);
    }
}


static void
ux_export_put_names(ux_text_t *text)
{
    unsigned  i;

    for (i = 0; i < UX_EXPORT_NCOLUMNS; i++) {

        if (i > 0) {
            ux_text_char(text, ',');
        }

        ux_text_word(text, ux_export_columns[i].name);
    }

    ux_text_word(text, "\r\n");
}


static void
ux_export_put_row(ux_export_walk_t *walk, ux_json_t *node)
{
    unsigned    i;
    ux_text_t  *text;

    if (ux_json_type(node) != UX_JSON_OBJECT) {
        return;
    }

    text = walk->data;

    for (i = 0; i < UX_EXPORT_NCOLUMNS; i++) {

        if (i > 0) {
            ux_text_char(text, ',');
        }

        ux_export_put_column(walk, node, i);
    }

    ux_text_word(text, "\r\n");
}


static void
ux_export_put_column(ux_export_walk_t *walk, ux_json_t *node,
    unsigned column)
{
    unsigned     i;
    ux_str_t     segment;
    ux_text_t   *text;
    ux_json_t   *field;

    text = walk->data;

    if (ux_export_columns[column].label != NULL) {
        ux_export_put_field(text,
            ux_export_label(walk, ux_export_columns[column].label));
        return;
    }

    if (ux_export_columns[column].paths[0] == NULL) {
        segment = ux_export_label(walk, "segment");

        if (segment.len > 0) {
            ux_export_put_field(text, segment);
            ux_text_char(text, '=');
            ux_export_put_field(text, ux_export_label(walk, "value"));
        }

        return;
    }

    for (i = 0; i < 3 && ux_export_columns[column].paths[i] != NULL; i++) {
        field = ux_export_at(node, ux_export_columns[column].paths[i]);

        if (field != NULL) {
            ux_export_put_value(text, field);
            return;
        }
    }
}


static void
ux_export_put_value(ux_text_t *text, ux_json_t *node)
{
    switch (ux_json_type(node)) {

    case UX_JSON_NUMBER:
    case UX_JSON_STRING:
        ux_export_put_field(text, ux_json_word(node));
        break;

    case UX_JSON_BOOL:
        ux_text_word(text, ux_json_true(node) ? "true" : "false");
        break;

    default:
        break;
    }
}


void
ux_export_put_field(ux_text_t *text, ux_str_t value)
{
    bool               quoted;
    size_t             i;
    static const char  special[] = { ',', '"', '\r', '\n' };

    quoted = false;

    for (i = 0; i < value.len && !quoted; i++) {
        quoted = memchr(special, value.data[i], sizeof(special)) != NULL;
    }

    if (!quoted) {
        ux_text_put(text, value.data, value.len);
        return;
    }

    ux_text_char(text, '"');

    for (i = 0; i < value.len; i++) {

        if (value.data[i] == '"') {
            ux_text_char(text, '"');
        }

        ux_text_char(text, value.data[i]);
    }

    ux_text_char(text, '"');
}


static ux_str_t
ux_export_label(const ux_export_walk_t *walk, const char *name)
{
    unsigned  i;
    ux_str_t  none = ux_str(""), wanted;

    wanted.data = name;
    wanted.len = strlen(name);

    for (i = 0; i < walk->nlabels; i++) {

        if (ux_str_equal(walk->labels[i].name, wanted)) {
            return walk->labels[i].value;
        }
    }

    return none;
}


static ux_json_t *
ux_export_at(ux_json_t *node, const char *path)
{
    ux_str_t  segment;

    while (node != NULL && *path != '\0') {
        segment.data = path;
        segment.len = strcspn(path, "/");
        path += segment.len;
        path += *path == '/';

        node = ux_json_get(node, segment);
    }

    return node;
}
