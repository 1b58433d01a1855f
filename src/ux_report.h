
/*
 * Copyright (C) the nginx-ux authors
 *
 * What /uxstats answers, as JSON (DESIGN.md section 5): see ux_result.h for
 * where it comes from.  Never walks visitors.
 */

#ifndef UX_REPORT_H
#define UX_REPORT_H


#include "ux_json.h"
#include "ux_store.h"


typedef struct {
    ux_store_t        *store;          /* bound; as a writer it keeps what
                                          this look found */
    ux_str_t           snapshot;       /* directory; len 0: none */
    uint64_t           zone_size;      /* configured bytes; 0: what the store
                                          was laid out in */
} ux_report_zone_t;


typedef struct {
    ux_str_t                 module;   /* "0.1.0" */
    ux_str_t                 nginx;    /* "1.22.1" */
    ux_str_t                 node;     /* host name */
    uint64_t                 now_ms;
    unsigned                 nzones;
    const ux_report_zone_t  *zones;
} ux_report_t;


/* What costs as much as all the rest, and not every reader wants: flags. */
#define UX_REPORT_SEGMENTS  1u
#define UX_REPORT_PREVIOUS  2u         /* the versions before */
#define UX_REPORT_WHOLE     (UX_REPORT_SEGMENTS | UX_REPORT_PREVIOUS)


/*
 * The document, of these parts only the ones named; NULL for want of memory.
 * Members "segments" that are left out are not there, and nothing is worked
 * out for them; "previous" is null then.  What is in it is whole; strings are
 * UTF-8.  ux_json_delete() it.
 */
ux_json_t *ux_report_document(const ux_report_t *report, unsigned parts);

/*
 * Renders the part of the document that `path` names ("" or "/" for all;
 * "/zones/shop/experiments/x" for a part; segments are compared byte for
 * byte with member names, array elements are named by index) into
 * *text (malloc'ed, *len bytes without the NUL; ux_report_free() it).
 * UX_OK; UX_DECLINED: nothing there (*text is then a JSON error that echoes
 * nothing of the path); UX_ERROR: out of memory, *text NULL.
 */
ux_status_t ux_report_json(const ux_report_t *report, ux_str_t path,
    char **text, size_t *len);

/*
 * The history of an experiment, configured or removed not too long ago:
 * "ZONE/EXPERIMENT" is its path.  As ux_report_json(), of times up to now.
 */
ux_status_t ux_report_history(const ux_report_t *report, ux_str_t path,
    char **text, size_t *len);

void ux_report_free(char *text);


#endif
