
/*
 * Copyright (C) the nginx-ux authors
 *
 * What the files of the export share.  Not for anybody else.
 *
 *   ux_export.c          the document, as text of one format, in turns
 *   ux_export_walk.c     nodes of the document by a path with wildcards
 *   ux_export_table.c    what the document's figures are called outside
 *   ux_export_metrics.c  OpenMetrics and the older Prometheus format
 *   ux_export_csv.c      a row for each experiment, variant and metric
 */

#ifndef UX_EXPORT_PRIVATE_H
#define UX_EXPORT_PRIVATE_H


#include "ux_export.h"
#include "ux_text.h"


#define UX_EXPORT_LABELS_MAX  8


typedef struct {
    ux_str_t  name;
    ux_str_t  value;
} ux_export_label_t;


/* A node that a path led to, and what its wildcards stood for. */
typedef struct ux_export_walk_s  ux_export_walk_t;

struct ux_export_walk_s {
    unsigned           nlabels;
    ux_export_label_t  labels[UX_EXPORT_LABELS_MAX];
    void             (*found)(ux_export_walk_t *walk, ux_json_t *node);
    void              *data;
};


/*
 * Calls found() for each node that the path leads to, in the document's
 * order.  A path is segments with slashes between them:
 *
 *   name         the member of that name
 *   *label       each member; its name is the label's value
 *   =label:a,b   the members of these names, or, of an array, its elements
 *                in this order; the name is the label's value
 *   @label:name  each element of an array; its member of that name, a string,
 *                is the label's value
 *   +label:name  the node itself; its member of that name, a string, is the
 *                label's value
 *
 * What is not there, or is something else, leads nowhere.
 */
void ux_export_walk(ux_export_walk_t *walk, ux_json_t *node,
    const char *path);

/*
 * The same from a part of the document on: of paths that lead through it,
 * with the labels that stand for it.
 */
void ux_export_walk_part(ux_export_walk_t *walk,
    const ux_report_part_t *part, const char *path);


typedef enum {
    UX_EXPORT_COUNTER = 0,             /* never falls but by a new start */
    UX_EXPORT_GAUGE,
    UX_EXPORT_HISTOGRAM,               /* an object: counts by upper bound */
    UX_EXPORT_STATESET,                /* a string, one of `words` */
    UX_EXPORT_INFO,                    /* an object: strings by `words` */
    UX_EXPORT_PRESENT                  /* a gauge: 1 for what is there */
} ux_export_type_e;

/* A family of metrics. */
typedef struct {
    ux_export_type_e   type;
    const char        *name;           /* without nginx_ux_ and _total */
    const char        *unit;           /* the name's end, or "" */
    const char        *path;
    const char        *words;          /* separated by blanks, or NULL */
    const char        *help;
} ux_export_family_t;

extern const ux_export_family_t  ux_export_families[];
extern const unsigned            ux_export_nfamilies;

/* One document on its way out. */
struct ux_export_s {
    ux_export_e             format;
    ux_status_t             status;
    ux_report_scope_t       scope;
    ux_report_walk_t       *walk;      /* NULL of a history, */
    const ux_report_t      *report;    /*   which is of this */
    ux_str_t                path;
    ux_report_json_t        json;      /* of JSON */
    ux_page_t               page;      /* of the page */
    const ux_page_place_t  *place;
    bool                    found;     /* its only experiment, or any */
    unsigned                at;        /* what was read last of it: a text, */
    const ux_text_piece_t  *piece;     /*   and of it */
    unsigned                ntexts;    /* of the others, */
    ux_text_t               texts[];   /*   one after the other */
};

/* How many texts a format needs, and what it makes of a part. */
unsigned ux_export_metrics_texts(void);
void ux_export_metrics(ux_export_t *export, const ux_report_part_t *part);

#define UX_EXPORT_CSV_TEXTS  2

void ux_export_csv(ux_export_t *export, const ux_report_part_t *part);

/* A label's value, or a help text, without its quotes. */
void ux_export_put_escaped(ux_text_t *text, ux_str_t value);

/* A field of RFC 4180, in quotes if it must be. */
void ux_export_put_field(ux_text_t *text, ux_str_t value);


#endif
