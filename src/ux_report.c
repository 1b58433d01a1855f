
/*
 * Copyright (C) the nginx-ux authors
 *
 * The document of /uxstats.
 *
 * As JSON it is always built whole and the part that was asked for is printed:
 * the page asks for all of it, and a part costs the same.  Cost grows with
 * experiments, variants, funnels and values of segments, never with visitors.
 */

#include "ux_report.h"
#include "ux_report_private.h"

#include <string.h>


#define UX_REPORT_VERSION  1


static ux_json_t *ux_report_build(const ux_report_t *report,
    ux_result_t *view, unsigned parts);
static ux_status_t ux_report_zone(ux_json_t *zones,
    const ux_report_t *report, unsigned n, ux_result_t *view,
    unsigned parts);
static ux_json_t *ux_report_select(ux_json_t *root, ux_str_t path);


ux_status_t
ux_report_json(const ux_report_t *report, ux_str_t path, char **text,
    size_t *len)
{
    ux_json_t    *root, *part;
    ux_status_t   status;

    *text = NULL;
    *len = 0;

    root = ux_report_document(report, UX_REPORT_WHOLE);

    if (root == NULL) {
        return UX_ERROR;
    }

    part = ux_report_select(root, path);

    if (part != NULL) {
        *text = ux_json_print(part, len);
        status = *text != NULL ? UX_OK : UX_ERROR;

    } else {
        status = ux_report_not_found(text, len);
    }

    ux_json_delete(root);

    return status;
}


ux_json_t *
ux_report_document(const ux_report_t *report, unsigned parts)
{
    ux_json_t    *root;
    ux_result_t  *view;

    view = ux_json_alloc(sizeof(ux_result_t));

    if (view == NULL) {
        return NULL;
    }

    root = ux_report_build(report, view, parts);

    ux_json_free(view);

    /* Before anybody looks for a part: it may be what is missing. */

    if (ux_json_failed(root)) {
        ux_json_delete(root);
        return NULL;
    }

    return root;
}


void
ux_report_free(char *text)
{
    ux_json_text_free(text);
}


static ux_json_t *
ux_report_build(const ux_report_t *report, ux_result_t *view,
    unsigned parts)
{
    unsigned    i;
    ux_json_t  *root, *zones;

    root = ux_json_new();

    ux_json_int(root, "version", UX_REPORT_VERSION);
    ux_json_string(root, "module", report->module);
    ux_json_string(root, "nginx", report->nginx);
    ux_json_string(root, "node", report->node);
    ux_json_time(root, "generated_at", report->now_ms);

    zones = ux_json_object(root, "zones");

    for (i = 0; i < report->nzones; i++) {

        if (ux_report_zone(zones, report, i, view, parts) != UX_OK) {
            ux_json_delete(root);
            return NULL;
        }
    }

    ux_report_put_help(root);

    return root;
}


static ux_status_t
ux_report_zone(ux_json_t *zones, const ux_report_t *report, unsigned n,
    ux_result_t *view, unsigned parts)
{
    const ux_report_zone_t  *zone;

    zone = &report->zones[n];

    if (zone->store->model == NULL) {
        return UX_OK;
    }

    if (ux_result_init(view, zone->store, report->now_ms) != UX_OK) {
        return UX_ERROR;
    }

    ux_report_put_zone(zones, zone, view, parts);
    ux_result_free(view);

    return UX_OK;
}


/*
 * One slash in front and one at the end do not matter; between two slashes
 * must be a name.
 */
static ux_json_t *
ux_report_select(ux_json_t *root, ux_str_t path)
{
    size_t       rest;
    ux_str_t     segment;
    ux_json_t   *node;
    const char  *p, *slash;

    p = path.data;
    rest = path.len;

    if (rest > 0 && *p == '/') {
        p++;
        rest--;
    }

    node = root;

    while (rest > 0 && node != NULL) {
        slash = memchr(p, '/', rest);

        segment.data = p;
        segment.len = slash != NULL ? (size_t) (slash - p) : rest;

        node = ux_json_get(node, segment);

        p += segment.len;
        rest -= segment.len;

        if (rest > 0) {
            p++;
            rest--;
        }
    }

    return node;
}


ux_status_t
ux_report_not_found(char **text, size_t *len)
{
    ux_str_t    message = ux_str("not found");
    ux_json_t  *error;

    error = ux_json_new();
    ux_json_string(error, "error", message);

    *text = ux_json_print(error, len);
    ux_json_delete(error);

    return *text != NULL ? UX_DECLINED : UX_ERROR;
}


const char *
ux_report_key(ux_report_key_t *key, ux_str_t name)
{
    size_t  len;

    len = name.len < UX_NAME_MAX ? name.len : UX_NAME_MAX;

    memcpy(key->text, name.data, len);
    key->text[len] = '\0';

    return key->text;
}


void
ux_report_put_count(ux_json_t *parent, const char *name, uint64_t count)
{
    ux_json_int(parent, name,
                count <= INT64_MAX ? (int64_t) count : INT64_MAX);
}


void
ux_report_put_rate(ux_json_t *parent, const char *name, uint64_t x,
    uint64_t n)
{
    if (n == 0) {
        ux_json_null(parent, name);
        return;
    }

    ux_json_number(parent, name, (double) (x < n ? x : n) / (double) n);
}


void
ux_report_put_interval(ux_json_t *parent, const char *name, uint64_t x,
    uint64_t n)
{
    ux_interval_t  interval;

    if (n == 0) {
        ux_json_null(parent, name);
        return;
    }

    interval = ux_stats_wilson(x < n ? x : n, n, UX_STATS_Z95);
    ux_json_interval(parent, name, interval.lo, interval.hi);
}


void
ux_report_put_nulls(ux_json_t *parent, const char *names)
{
    ux_str_t         name;
    ux_report_key_t  key;

    while (*names != '\0') {
        name.data = names;
        name.len = strcspn(names, " ");

        ux_json_null(parent, ux_report_key(&key, name));

        names += name.len;
        names += strspn(names, " ");
    }
}
