
/*
 * Copyright (C) the nginx-ux authors
 *
 * What /uxstats answers, as JSON (DESIGN.md section 5): see ux_result.h for
 * where it comes from.  Never walks visitors.
 */

#ifndef UX_REPORT_H
#define UX_REPORT_H


#include "ux_json.h"
#include "ux_posterior_kept.h"
#include "ux_store.h"
#include "ux_text.h"


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
    ux_posteriors_t         *posteriors;       /* kept from one report to the
                                                  next; NULL: none are */
} ux_report_t;


/* What costs as much as all the rest, and not every reader wants: flags. */
#define UX_REPORT_SEGMENTS  1u
#define UX_REPORT_PREVIOUS  2u         /* the versions before */
#define UX_REPORT_CONDUCT   4u         /* what a variant's visitors did and
                                          met, beyond its metrics: funnels,
                                          journey, money, sessions, surveys,
                                          http, vitals */
#define UX_REPORT_DETAIL    8u         /* of comparisons also what is for one
                                          look: exact, Bayesian */
#define UX_REPORT_WHOLE     (UX_REPORT_SEGMENTS | UX_REPORT_PREVIOUS         \
                             | UX_REPORT_CONDUCT | UX_REPORT_DETAIL)


/*
 * The document part by part, for who must not take long, or not take the
 * memory of all of it: a step makes the next part, in the document's order,
 * and gives up the one before.  Counters are read at the step that shows them,
 * so each experiment is consistent in itself.  Nothing is held between two
 * steps.  Strings are UTF-8.
 */
typedef enum {
    UX_REPORT_BEGIN = 0,
    UX_REPORT_HEAD,                    /* members before "zones" */
    UX_REPORT_ZONE,                    /* those of one, but "experiments" */
    UX_REPORT_EXPERIMENT,
    UX_REPORT_ZONE_END,
    UX_REPORT_FOOT,                    /* members behind "zones" */
    UX_REPORT_END
} ux_report_step_e;

/* What is wanted of the document. */
typedef struct {
    unsigned  parts;                   /* UX_REPORT_...: members of others
                                          are not there, and nothing is
                                          worked out for them; "previous"
                                          is null then */
    bool      head;                    /* also the foot */
    bool      zones;                   /* their own members */
    bool      experiments;
    ux_str_t  zone;                    /* the only one; NULL: all */
    ux_str_t  experiment;              /* likewise */
} ux_report_scope_t;

typedef struct {
    ux_report_step_e  step;
    ux_str_t          zone;            /* name; lives as the report */
    ux_str_t          experiment;      /* name; lives until the next step */
    ux_json_t        *node;            /* the part, an object, until the next
                                          step; NULL if it is not wanted */
    ux_json_t        *within;          /* of an experiment: the zone's part */
} ux_report_part_t;

typedef struct ux_report_walk_s  ux_report_walk_t;

/* Report and scope live until the end; NULL for want of memory. */
ux_report_walk_t *ux_report_walk_begin(const ux_report_t *report,
    const ux_report_scope_t *scope);

/*
 * The next part, UX_REPORT_END after the last one.  UX_ERROR: out of memory,
 * there is no next.
 */
ux_status_t ux_report_walk_next(ux_report_walk_t *walk,
    ux_report_part_t *part);
void ux_report_walk_end(ux_report_walk_t *walk);


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

/* The same out of the parts of a walk. */
typedef struct {
    ux_report_scope_t  scope;          /* for the walk */
    unsigned           level;          /* segments of the path that the scope
                                          stands for */
    ux_str_t           rest;           /* those below */
    bool               found;
    bool               begun;          /* a member stands before the next */
    ux_text_t          text;
} ux_report_json_t;

/* path lives until the end. */
void ux_report_json_begin(ux_report_json_t *json, ux_str_t path);
void ux_report_json_put(ux_report_json_t *json,
    const ux_report_part_t *part);

/* After the last part: as of ux_report_json(), the text in json->text. */
ux_status_t ux_report_json_end(ux_report_json_t *json);

/*
 * The history of an experiment, configured or removed not too long ago:
 * "ZONE/EXPERIMENT" is its path.  As ux_report_json(), of times up to now.
 */
ux_status_t ux_report_history(const ux_report_t *report, ux_str_t path,
    char **text, size_t *len);

void ux_report_free(char *text);


#endif
