
/*
 * Copyright (C) the nginx-ux authors
 *
 * The document of /uxstats in the words of other programs: for Prometheus and
 * its kin, and for spreadsheets (DESIGN.md sections 5 and 7).  Never walks
 * visitors.
 */

#ifndef UX_EXPORT_H
#define UX_EXPORT_H


#include "ux_report.h"


typedef enum {
    UX_EXPORT_OPENMETRICS = 0,         /* OpenMetrics 1.0 */
    UX_EXPORT_PROMETHEUS,              /* Prometheus text format 0.0.4 */
    UX_EXPORT_CSV,                     /* RFC 4180, with a header */
    UX_EXPORT_FORMATS
} ux_export_e;


/* What the Content-Type says of it. */
extern const ux_str_t  ux_export_types[UX_EXPORT_FORMATS];


/*
 * The text in *text (*len bytes, no NUL), to be freed with ux_report_free();
 * UX_ERROR, and *text NULL, for want of memory.
 */
ux_status_t ux_export(const ux_report_t *report, ux_export_e format,
    char **text, size_t *len);


#endif
