
/*
 * Copyright (C) the nginx-ux authors
 *
 * All formats are of one document: what JSON says is what they say.
 */

#include "ux_export.h"
#include "ux_export_private.h"

#include <string.h>


const ux_str_t  ux_export_types[UX_EXPORT_FORMATS] = {
    [UX_EXPORT_OPENMETRICS] =
        ux_str("application/openmetrics-text; version=1.0.0; charset=utf-8"),
    [UX_EXPORT_PROMETHEUS] =
        ux_str("text/plain; version=0.0.4; charset=utf-8"),
    [UX_EXPORT_CSV] = ux_str("text/csv; charset=utf-8; header=present")
};


/* What is read of it: metrics have no segments, nothing versions before. */
static const unsigned  ux_export_parts[UX_EXPORT_FORMATS] = {
    [UX_EXPORT_OPENMETRICS] = 0,
    [UX_EXPORT_PROMETHEUS] = 0,
    [UX_EXPORT_CSV] = UX_REPORT_SEGMENTS
};


ux_status_t
ux_export(const ux_report_t *report, ux_export_e format, char **out,
    size_t *len)
{
    ux_json_t  *document;
    ux_text_t   text;

    *out = NULL;
    *len = 0;

    document = ux_report_document(report, ux_export_parts[format]);

    if (document == NULL) {
        return UX_ERROR;
    }

    memset(&text, 0, sizeof(ux_text_t));

    if (format == UX_EXPORT_CSV) {
        ux_export_csv(&text, document);

    } else {
        ux_export_metrics(&text, document, format);
    }

    ux_json_delete(document);

    *out = ux_text_take(&text, len);

    return *out != NULL ? UX_OK : UX_ERROR;
}
