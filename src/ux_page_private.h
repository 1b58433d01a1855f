
/*
 * Copyright (C) the nginx-ux authors
 *
 * What the files of the page share.  Not for anybody else.
 *
 *   ux_page.c             head, list of experiments, foot
 *   ux_page_put.c         elements, escapes, links, ids
 *   ux_page_figure.c      a figure in print
 *   ux_page_table.c       what figures there are, and what they are called
 *   ux_page_walk.c        tables and lists of them
 *   ux_page_zone.c        a zone
 *   ux_page_experiment.c  an experiment: verdict, variants, what it has
 *   ux_page_metric.c      its metrics, with plots of their intervals
 *   ux_page_funnel.c      its funnels and carts
 *   ux_page_more.c        requests, vitals, surveys, journeys, epochs
 *   ux_page_segment.c     its segments
 *
 * As in the report, nothing here knows when memory ran out: the text says so
 * to who takes it.
 */

#ifndef UX_PAGE_PRIVATE_H
#define UX_PAGE_PRIVATE_H


#include "ux_page.h"
#include "ux_words.h"


/* Shown side by side; of an experiment that had more, the rest is in JSON. */
#define UX_PAGE_VARIANTS_MAX  64


/* How a figure is printed. */
typedef enum {
    UX_PAGE_COUNT = 0,                 /* 12,345 */
    UX_PAGE_NUMBER,                    /* 2.574 */
    UX_PAGE_CHANGE,                    /* +0.0123, in the metric's unit */
    UX_PAGE_SHARE,                     /* 5.17 % */
    UX_PAGE_LOST,                      /* what is not the share */
    UX_PAGE_LIFT,                      /* +8.2 % */
    UX_PAGE_POINTS,                    /* +0.42 points, of a share */
    UX_PAGE_P,                         /* 0.0312, < 0.0001 */
    UX_PAGE_SECONDS,                   /* 240 ms, 1.25 s, 2 h 5 min */
    UX_PAGE_DAYS,
    UX_PAGE_BYTES,
    UX_PAGE_TIME,
    UX_PAGE_WORD                       /* a string, yes or no */
} ux_page_kind_e;


/* A figure, or an interval of two where the document has an array. */
typedef struct {
    ux_page_kind_e   kind;
    const char      *path;             /* "vs_control/lift" in its node */
    const char      *heading;          /* NULL ends a table */
    bool             optional;         /* none where the member is missing */
    ux_words_set_e   words;            /* of a WORD */
} ux_page_figure_t;

extern const ux_page_figure_t  ux_page_variant[];
extern const ux_page_figure_t  ux_page_variant_more[];
extern const ux_page_figure_t  ux_page_goal_conversion[];
extern const ux_page_figure_t  ux_page_goal_total[];
extern const ux_page_figure_t  ux_page_conversion[];
extern const ux_page_figure_t  ux_page_total[];
extern const ux_page_figure_t  ux_page_ratio[];
extern const ux_page_figure_t  ux_page_evidence_share[];
extern const ux_page_figure_t  ux_page_evidence_number[];
extern const ux_page_figure_t  ux_page_value_share[];
extern const ux_page_figure_t  ux_page_value_number[];
extern const ux_page_figure_t  ux_page_value_ratio[];
extern const ux_page_figure_t  ux_page_step[];
extern const ux_page_figure_t  ux_page_value_step[];
extern const ux_page_figure_t  ux_page_task[];
extern const ux_page_figure_t  ux_page_carts[];
extern const ux_page_figure_t  ux_page_sessions[];
extern const ux_page_figure_t  ux_page_http[];
extern const ux_page_figure_t  ux_page_vital[];
extern const ux_page_figure_t  ux_page_survey[];
extern const ux_page_figure_t  ux_page_money[];
extern const ux_page_figure_t  ux_page_stage[];
extern const ux_page_figure_t  ux_page_contact[];
extern const ux_page_figure_t  ux_page_epoch[];
extern const ux_page_figure_t  ux_page_assigned_share[];
extern const ux_page_figure_t  ux_page_assigned_number[];
extern const ux_page_figure_t  ux_page_facts[];
extern const ux_page_figure_t  ux_page_srm[];
extern const ux_page_figure_t  ux_page_zone_facts[];
extern const ux_page_figure_t  ux_page_value_counts[];
extern const ux_page_figure_t  ux_page_effect[];
extern const ux_page_figure_t  ux_page_currency[];
extern const ux_page_figure_t  ux_page_server[];


/* An experiment while it is printed, and its variants. */
typedef struct {
    ux_page_t   *page;
    ux_text_t   *text;
    ux_str_t     zone;
    ux_str_t     name;
    ux_str_t     segment;              /* whose tables these are; len 0 */
    bool         previous;             /* the version before that one */
    ux_json_t   *node;
    unsigned     nvariants;
    ux_json_t   *variants[UX_PAGE_VARIANTS_MAX];
} ux_page_of_t;


/*
 * %w a word of ours; %e a ux_str_t, escaped as text or in quotes; %u a
 * ux_str_t as a part of a path in a link; %i the id of a ux_page_of_t; %n an
 * unsigned; %% a percent sign.
 */
void ux_page_print(ux_text_t *text, const char *format, ...);

/* The member that a path leads to, NULL if none; a path "" is the node. */
ux_json_t *ux_page_at(ux_json_t *node, const char *path);

/* A string of the document, len 0 where it is none. */
ux_str_t ux_page_word(ux_json_t *node, const char *path);

ux_str_t ux_page_str(const char *word);

/* A number of the document; NaN where it is none. */
double ux_page_number(const ux_json_t *node);

/* A figure in print; a dash for what is null. */
void ux_page_put_figure(ux_text_t *text, const ux_page_figure_t *figure,
    ux_json_t *node);

/* A share in print: "5.17 %"; sign: "+5.17 %". */
void ux_page_put_share(ux_text_t *text, double share, bool sign);

/* Up to one decimal, for places in a drawing. */
void ux_page_put_place(ux_text_t *text, double place);

/* <details> with a summary; `what` is the end of its id and its class. */
void ux_page_fold(const ux_page_of_t *of, const char *what,
    const char *heading, bool open);
void ux_page_fold_named(const ux_page_of_t *of, const char *what,
    const char *heading, ux_str_t name);
void ux_page_unfold(const ux_page_of_t *of);

/*
 * A table's beginning, in a region that scrolls: its caption, which need not
 * have a name in it; `of` may be NULL for tables of a zone.
 */
void ux_page_table_open(const ux_page_of_t *of, ux_text_t *text,
    const char *class, const char *caption, ux_str_t name, bool sortable);
void ux_page_table_close(ux_text_t *text);

/* A list of names and figures of one node. */
void ux_page_put_facts(ux_text_t *text, const ux_page_figure_t *figures,
    ux_json_t *node);

/* Headings of columns: `first` is over the names of rows. */
void ux_page_put_headings(ux_text_t *text, const char *first,
    const ux_page_figure_t *figures, ux_json_t *node, bool open);
/* A row's cells; sample: the node that decides on optional columns. */
void ux_page_put_cells(ux_text_t *text, const ux_page_figure_t *figures,
    ux_json_t *sample, ux_json_t *node, bool sortable);

/* The head of a table whose columns are variants; its body begins. */
void ux_page_put_names(const ux_page_of_t *of);

/* Figures by rows, variants by columns; `section` of each variant. */
void ux_page_put_compared(const ux_page_of_t *of, const char *class,
    const char *caption, const ux_page_figure_t *figures,
    const char *section);

/* Members of a section by rows, as counts, variants by columns. */
void ux_page_put_members(const ux_page_of_t *of, const char *class,
    const char *caption, ux_str_t name, const char *section);

/*
 * A group of rows for each member of a section, one of each variant, and
 * figures by columns.
 */
void ux_page_put_groups(const ux_page_of_t *of, const char *class,
    const char *caption, const ux_page_figure_t *figures,
    const char *section);

/* The heading of a group of rows over all columns, `drawn` ones included. */
void ux_page_put_group(ux_text_t *text, const ux_page_figure_t *figures,
    ux_json_t *sample, unsigned drawn, ux_str_t name, const char *more);
void ux_page_put_row(ux_text_t *text, const ux_page_figure_t *figures,
    ux_json_t *sample, ux_str_t name, ux_json_t *node, bool sortable);


/* A bar, as long as the share of its place. */
void ux_page_put_bar(ux_text_t *text, double share);

/* What a zone has beside its experiments. */
void ux_page_put_zone(ux_page_t *page, ux_json_t *zone);

/* Parts of an experiment. */
void ux_page_put_variants(const ux_page_of_t *of);
void ux_page_put_metrics(const ux_page_of_t *of);
void ux_page_put_funnels(const ux_page_of_t *of);
void ux_page_put_more(const ux_page_of_t *of);
void ux_page_put_segments(const ux_page_of_t *of);

/* Tables for a metric of this type. */
const ux_page_figure_t *ux_page_metric_figures(ux_json_t *metric);
const ux_page_figure_t *ux_page_value_figures(ux_json_t *metric);
bool ux_page_metric_is_share(ux_json_t *metric);

/* The first goal's name, len 0 if there is none. */
ux_str_t ux_page_goal(const ux_page_of_t *of);

/* Of a variant or a value: the metric of that name. */
ux_json_t *ux_page_member(ux_json_t *node, const char *section,
    ux_str_t name);


#endif
