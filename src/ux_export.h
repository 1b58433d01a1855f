
/*
 * Copyright (C) the nginx-ux authors
 *
 * The document of /uxstats as text: JSON, and in the words of other programs,
 * for Prometheus and its kin, and for spreadsheets (DESIGN.md sections 5 and
 * 7).  Never walks visitors.
 */

#ifndef UX_EXPORT_H
#define UX_EXPORT_H


#include "ux_page.h"
#include "ux_report.h"


typedef enum {
    UX_EXPORT_OPENMETRICS = 0,         /* OpenMetrics 1.0 */
    UX_EXPORT_PROMETHEUS,              /* Prometheus text format 0.0.4 */
    UX_EXPORT_CSV,                     /* RFC 4180, with a header */
    UX_EXPORT_JSON,
    UX_EXPORT_PAGE,                    /* HTML */
    UX_EXPORT_HISTORY,                 /* of one experiment, JSON */
    UX_EXPORT_FORMATS
} ux_export_e;


/* What the Content-Type says of it. */
extern const ux_str_t  ux_export_types[UX_EXPORT_FORMATS];


/*
 * In turns, for who has other work to do in between: an experiment a turn,
 * about.
 *
 *     export = ux_export_begin(report, &wanted);
 *     while (ux_export_turn(export)) { ... }
 *     switch (ux_export_status(export)) { ... }
 *     while (ux_export_text(export, &text)) { ... }
 *     ux_export_end(export);
 */
typedef struct ux_export_s  ux_export_t;

typedef struct {
    ux_export_e             format;
    ux_str_t                path;      /* of JSON: as of ux_report_json(); of
                                          the page: len 0, or "ZONE/NAME" of
                                          the only experiment, all of it;
                                          of a history: "ZONE/NAME" */
    const ux_page_place_t  *place;     /* of the page */
} ux_export_wanted_t;

/*
 * What is passed, and what it points to, lives until the end.  NULL for want
 * of memory, which the others take, too.
 */
ux_export_t *ux_export_begin(const ux_report_t *report,
    const ux_export_wanted_t *wanted);

/* False: that was the last. */
bool ux_export_turn(ux_export_t *export);

/*
 * After the last turn.  UX_DECLINED: the path leads nowhere; UX_ERROR: out of
 * memory.  There is no text then.
 */
ux_status_t ux_export_status(const ux_export_t *export);

/* The text piece by piece; false: that was the last. */
bool ux_export_text(ux_export_t *export, ux_str_t *text);
void ux_export_end(ux_export_t *export);


#endif
