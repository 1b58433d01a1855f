
/*
 * Copyright (C) the nginx-ux authors
 *
 * Snapshots on the command line: what `uxctl report` and `uxctl merge` share.
 *
 *   uxctl_report.c        the command report
 *   uxctl_report_read.c   a file
 *   uxctl_report_find.c   files and folders to incarnations
 *   uxctl_report_order.c  which of these are added up
 *   uxctl_report_zone.c   incarnations of one zone into memory of our own
 *   uxctl_report_print.c  the document
 *   uxctl_report_table.c  the table
 *   uxctl_report_history.c  histories
 *   uxctl_merge.c         the command merge
 */

#ifndef UXCTL_REPORT_H
#define UXCTL_REPORT_H


#include <apr_getopt.h>
#include <apr_tables.h>

#include "../ux_file.h"
#include "../ux_image.h"
#include "../ux_report.h"


/* A file that was read and found whole. */
typedef struct {
    const char       *path;          /* NULL: none */
    const uint8_t    *data;
    size_t            len;
    ux_image_info_t   info;
} uxctl_image_t;


/* One incarnation of a zone: counters, visitors, of which at least one is
 * there, and the base. */
typedef struct {
    uxctl_image_t  images[UX_FILE_BASE + 1];
} uxctl_incarnation_t;


typedef struct {
    const char          *zone;       /* only this one; NULL: any */
    const char          *file;       /* the first that was named, */
    const char          *of;         /*   and its zone */
    apr_array_header_t  *found;      /* uxctl_incarnation_t, newest first */
    apr_pool_t          *pool;
} uxctl_snapshots_t;


/* Incarnations of one zone to be added up, in this order. */
typedef struct {
    apr_array_header_t  *all;        /* of const uxctl_incarnation_t * */
    unsigned             n;
    unsigned             whole;      /* so many, the newest first; of those
                                        behind what is new since the base */
} uxctl_order_t;


/* A zone in memory, as a server would have it after a start. */
typedef struct {
    ux_store_t          store;
    ux_image_zone_t     about;
    ux_image_model_t   *model;
    uint64_t            written_ms;  /* the newest image */
    const char         *folder;
    unsigned            sources;
} uxctl_zone_t;


/* Words of the two commands. */
typedef struct {
    const char  *zone;
    const char  *output;             /* NULL: none */
    uint64_t     now_ms;             /* 0: when it was saved */
    bool         json;
    bool         table;
    bool         history;
    bool         help;               /* was wanted, and given */
} uxctl_report_t;


/* A command of the two. */
typedef struct {
    apr_pool_t                 *pool;
    int                         argc;
    const char *const          *argv;
    const apr_getopt_option_t  *options;
    int                       (*help)(void);
} uxctl_usage_t;


/* UX_DECLINED: not there.  UX_ERROR comes with a sentence without the path. */
ux_status_t uxctl_image_read(apr_pool_t *pool, const char *path,
    uxctl_image_t *image, ux_error_t *error);

/* The options, and what the words behind them name; the exit status. */
int uxctl_snapshots_words(const uxctl_usage_t *usage, uxctl_report_t *words,
    uxctl_snapshots_t *snapshots);

/* Adds what a word of the command line names; the exit status. */
int uxctl_snapshots_add(uxctl_snapshots_t *snapshots, const char *word);

/* Takes out those of which only a base was named; the exit status. */
int uxctl_snapshots_end(uxctl_snapshots_t *snapshots);

/* The newest image; the base where there is no other. */
const uxctl_image_t *uxctl_newest(const uxctl_incarnation_t *incarnation);

/* The name of the base that goes with a snapshot. */
const char *uxctl_base_path(apr_pool_t *pool, const char *path);

/* Those of a zone that are to be added up; the exit status. */
int uxctl_order(const uxctl_snapshots_t *snapshots, const char *name,
    uxctl_order_t *order);

/* The i-th, or NULL. */
const uxctl_incarnation_t *uxctl_order_at(const uxctl_order_t *order,
    unsigned i);

/*
 * Fills a zone with the incarnations that are of it: their counters, and the
 * visitors if there are several, or if that is wanted.  The exit status.
 */
int uxctl_zone_load(const uxctl_snapshots_t *snapshots, const char *name,
    const uxctl_report_t *words, bool visitors, uxctl_zone_t *zone);

/* The n-th zone of what was found, or NULL. */
const char *uxctl_zone_name(const uxctl_snapshots_t *snapshots, int n);

/* All zones of what was found, each loaded, as JSON or table. */
int uxctl_report_print(const uxctl_snapshots_t *snapshots,
    const uxctl_report_t *words);

/* The histories of their experiments, a line each. */
int uxctl_report_history(const ux_report_t *report);

/* The table of a document. */
int uxctl_report_table(ux_str_t json, const uxctl_zone_t *zones, int n);

/* "uxctl: " and the sentence, on stderr; nothing is wrong. */
__attribute__((format(printf, 1, 2)))
void uxctl_report_note(const char *format, ...);


#endif
