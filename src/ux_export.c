
/*
 * Copyright (C) the nginx-ux authors
 *
 * All formats are of one document: what JSON says is what they say.  They are
 * made of its parts, one a turn, which are given up then: of a large document
 * there is never more than one experiment in memory, but for the texts.
 */

#include "ux_export.h"
#include "ux_export_private.h"

#include <string.h>


const ux_str_t  ux_export_types[UX_EXPORT_FORMATS] = {
    [UX_EXPORT_OPENMETRICS] =
        ux_str("application/openmetrics-text; version=1.0.0; charset=utf-8"),
    [UX_EXPORT_PROMETHEUS] =
        ux_str("text/plain; version=0.0.4; charset=utf-8"),
    [UX_EXPORT_CSV] = ux_str("text/csv; charset=utf-8; header=present"),
    [UX_EXPORT_JSON] = ux_str("application/json"),
    [UX_EXPORT_PAGE] = ux_str("text/html; charset=utf-8"),
    [UX_EXPORT_HISTORY] = ux_str("application/json")
};


/*
 * What is read of it: metrics have no segments, CSV has no more than metrics
 * of variants; neither has what is good for one look only.
 */
static const unsigned  ux_export_parts[UX_EXPORT_FORMATS] = {
    [UX_EXPORT_OPENMETRICS] = UX_REPORT_CONDUCT,
    [UX_EXPORT_PROMETHEUS] = UX_REPORT_CONDUCT,
    [UX_EXPORT_CSV] = UX_REPORT_SEGMENTS,
    [UX_EXPORT_JSON] = UX_REPORT_WHOLE,
    [UX_EXPORT_PAGE] = UX_REPORT_CONDUCT | UX_REPORT_DETAIL
};


static void ux_export_scope(ux_export_t *export,
    const ux_export_wanted_t *wanted);
static const ux_text_t *ux_export_nth(const ux_export_t *export, unsigned i);
static unsigned ux_export_ntexts(ux_export_e format);
static void ux_export_put(ux_export_t *export, const ux_report_part_t *part);
static void ux_export_page(ux_export_t *export, const ux_report_part_t *part);
static void ux_export_history(ux_export_t *export);
static ux_status_t ux_export_finish(ux_export_t *export);


ux_export_t *
ux_export_begin(const ux_report_t *report, const ux_export_wanted_t *wanted)
{
    size_t        size;
    unsigned      n;
    ux_export_t  *export;

    n = ux_export_ntexts(wanted->format);
    size = sizeof(ux_export_t) + n * sizeof(ux_text_t);
    export = ux_json_alloc(size);

    if (export == NULL) {
        return NULL;
    }

    memset(export, 0, size);

    export->format = wanted->format;
    export->place = wanted->place;
    export->ntexts = n;

    if (wanted->format == UX_EXPORT_HISTORY) {
        export->report = report;
        export->path = wanted->path;
        return export;
    }

    ux_export_scope(export, wanted);
    export->walk = ux_report_walk_begin(report, &export->scope);

    if (export->walk == NULL) {
        ux_json_free(export);
        return NULL;
    }

    return export;
}


static void
ux_export_scope(ux_export_t *export, const ux_export_wanted_t *wanted)
{
    ux_str_t            path;
    const char         *slash;
    ux_report_scope_t  *scope;

    scope = &export->scope;

    if (wanted->format == UX_EXPORT_JSON) {
        ux_report_json_begin(&export->json, wanted->path);
        *scope = export->json.scope;
        return;
    }

    scope->parts = ux_export_parts[wanted->format];
    scope->head = scope->zones = scope->experiments = true;
    export->found = true;

    path = wanted->path;

    if (path.len == 0) {
        return;
    }

    /* a path that leads nowhere names a zone that there is not */

    slash = memchr(path.data, '/', path.len);

    scope->parts = UX_REPORT_WHOLE;
    scope->zone = path;
    scope->experiment = path;
    export->found = false;

    if (slash != NULL) {
        scope->zone.len = (size_t) (slash - path.data);
        scope->experiment.data = slash + 1;
        scope->experiment.len = path.len - scope->zone.len - 1;
    }
}


bool
ux_export_turn(ux_export_t *export)
{
    ux_report_part_t  part;

    if (export->format == UX_EXPORT_HISTORY) {
        ux_export_history(export);
        return false;
    }

    do {
        export->status = ux_report_walk_next(export->walk, &part);

        if (export->status != UX_OK) {
            return false;
        }

        ux_export_put(export, &part);

        if (part.step == UX_REPORT_END) {
            export->status = ux_export_finish(export);
            return false;
        }

    } while (part.step != UX_REPORT_ZONE
             && part.step != UX_REPORT_EXPERIMENT);

    return true;
}


ux_status_t
ux_export_status(const ux_export_t *export)
{
    return export->status;
}


bool
ux_export_text(ux_export_t *export, ux_str_t *text)
{
    while (export->at < export->ntexts) {

        if (ux_text_next(ux_export_nth(export, export->at), &export->piece,
                         text))
        {
            return true;
        }

        export->at++;
    }

    return false;
}


static const ux_text_t *
ux_export_nth(const ux_export_t *export, unsigned i)
{
    switch (export->format) {

    case UX_EXPORT_JSON:
        return &export->json.text;

    case UX_EXPORT_PAGE:
        return i == 0 ? &export->page.top : &export->page.main;

    default:
        return &export->texts[i];
    }
}


void
ux_export_end(ux_export_t *export)
{
    unsigned  i;

    if (export == NULL) {
        return;
    }

    for (i = 0; i < export->ntexts; i++) {
        ux_text_drop(&export->texts[i]);
    }

    ux_text_drop(&export->json.text);
    ux_page_drop(&export->page);

    ux_report_walk_end(export->walk);
    ux_json_free(export);
}


/* As ux_export_nth() counts them. */
static unsigned
ux_export_ntexts(ux_export_e format)
{
    switch (format) {

    case UX_EXPORT_JSON:
    case UX_EXPORT_HISTORY:
        return 1;

    case UX_EXPORT_PAGE:
        return 2;

    case UX_EXPORT_CSV:
        return UX_EXPORT_CSV_TEXTS;

    default:
        return ux_export_metrics_texts();
    }
}


static void
ux_export_put(ux_export_t *export, const ux_report_part_t *part)
{
    switch (export->format) {

    case UX_EXPORT_JSON:
        ux_report_json_put(&export->json, part);
        break;

    case UX_EXPORT_PAGE:
        ux_export_page(export, part);
        break;

    case UX_EXPORT_CSV:
        ux_export_csv(export, part);
        break;

    default:
        ux_export_metrics(export, part);
        break;
    }
}


static void
ux_export_page(ux_export_t *export, const ux_report_part_t *part)
{
    switch (part->step) {

    case UX_REPORT_HEAD:
        ux_page_begin(&export->page, export->place, part->node,
                      !export->found);
        break;

    case UX_REPORT_ZONE:
        ux_page_zone(&export->page, part->zone, part->node);
        break;

    case UX_REPORT_EXPERIMENT:
        ux_page_experiment(&export->page, part->experiment, part->node);
        export->found = true;
        break;

    case UX_REPORT_FOOT:
        ux_page_foot(&export->page, part->node);
        break;

    default:
        break;
    }
}


/* A table of bounded size, at once. */
static void
ux_export_history(ux_export_t *export)
{
    char    *text;
    size_t   len;

    export->status = ux_report_history(export->report, export->path, &text,
                                       &len);

    if (text != NULL) {
        ux_text_put(&export->texts[0], text, len);
        ux_report_free(text);
    }

    if (export->texts[0].failed) {
        export->status = UX_ERROR;
    }
}


static ux_status_t
ux_export_finish(ux_export_t *export)
{
    bool      failed;
    unsigned  i;

    if (export->format == UX_EXPORT_JSON) {
        return ux_report_json_end(&export->json);
    }

    failed = export->page.top.failed || export->page.main.failed;

    for (i = 0; i < export->ntexts; i++) {
        failed = failed || export->texts[i].failed;
    }

    if (failed) {
        return UX_ERROR;
    }

    return export->found ? UX_OK : UX_DECLINED;
}
