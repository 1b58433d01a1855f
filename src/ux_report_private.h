
/*
 * Copyright (C) the nginx-ux authors
 *
 * What the files of the report share.  Not for anybody else.
 *
 *   ux_report.c             the document, and what all use
 *   ux_report_walk.c        its parts, one after the other
 *   ux_report_json.c        the path, the text
 *   ux_report_help.c        what figures mean
 *   ux_report_zone.c        a zone
 *   ux_report_experiment.c  an experiment and its epochs
 *   ux_report_verdict.c     its state, what is decided, what is wrong
 *   ux_report_summary.c     the same in plain words
 *   ux_report_past.c        experiments that are not configured any more
 *   ux_report_variant.c     a variant and its metrics
 *   ux_report_http.c        its requests, and the zone's
 *   ux_report_vital.c       what pages told, of either
 *   ux_report_survey.c      its answers to surveys
 *   ux_report_compare.c     a variant against the control
 *   ux_report_funnel.c      steps and carts of a variant
 *   ux_report_journey.c     stages, moves between them, contacts
 *   ux_report_money.c       its revenue and its orders
 *   ux_report_segment.c     the same, and metrics, of values of segments
 *   ux_report_history.c     what was said when an hour or a day had ended
 *
 * Nothing here knows when memory ran out: nodes become NULL, calls on NULL
 * do nothing, and ux_report.c asks once.
 */

#ifndef UX_REPORT_PRIVATE_H
#define UX_REPORT_PRIVATE_H


#include "ux_json.h"
#include "ux_report.h"
#include "ux_result.h"


/* A name as cJSON wants it. */
typedef struct {
    char  text[UX_NAME_MAX + 1];
} ux_report_key_t;

const char *ux_report_key(ux_report_key_t *key, ux_str_t name);

/* Counts print as what they are; beyond 2^63 - 1 as that. */
void ux_report_put_count(ux_json_t *parent, const char *name,
    uint64_t count);

/* x / n, or null for n = 0; x is at most n. */
void ux_report_put_rate(ux_json_t *parent, const char *name, uint64_t x,
    uint64_t n);

/* Wilson's 95 % interval of x / n, or null for n = 0. */
void ux_report_put_interval(ux_json_t *parent, const char *name, uint64_t x,
    uint64_t n);

/* null members, names separated by blanks. */
void ux_report_put_nulls(ux_json_t *parent, const char *names);

ux_str_t ux_report_text(const char *text);
ux_str_t ux_report_word(const char *const *words, unsigned n, unsigned i);


/* A JSON error that echoes nothing.  UX_DECLINED, or UX_ERROR. */
ux_status_t ux_report_not_found(char **text, size_t *len);

/* "goal": a name, or several. */
void ux_report_put_goal(ux_json_t *object, const ux_result_t *view);

/*
 * Members of the document before "zones", and behind: "help", what figures
 * mean that others define otherwise.
 */
void ux_report_put_head(ux_json_t *root, const ux_report_t *report);
void ux_report_put_help(ux_json_t *root);

/* All but "experiments". */
void ux_report_put_zone(ux_json_t *zone, const ux_report_zone_t *of,
    const ux_result_t *view);

/*
 * What was gathered, and below it, when that is wanted, the version before,
 * which is gathered in its place.  Parts are UX_REPORT_..., here and below.
 */
void ux_report_put_experiment(ux_json_t *object, ux_result_t *view,
    unsigned parts);

/*
 * Experiments that were removed, for as long as they are to be seen: the entry
 * number of the one after `last`, or of the first for UX_RESULT_END;
 * UX_RESULT_END: none.
 */
uint32_t ux_report_past_next(const ux_result_t *view, uint32_t last);

/* One that was removed. */
void ux_report_put_past(ux_json_t *object, ux_result_t *view,
    uint32_t entry, unsigned parts);

/* Of these the one of this name: its entry, or UX_RESULT_END. */
uint32_t ux_report_removed_find(const ux_result_t *view, ux_str_t name);

/* The results of the version before, or null. */
void ux_report_put_previous(ux_json_t *experiment, ux_result_t *view,
    unsigned parts);

void ux_report_put_state(ux_json_t *object, const ux_result_t *view);
void ux_report_put_verdict(ux_json_t *object, const ux_result_t *view);

/* "summary": the verdict in plain words; "days_left" to it at the latest. */
void ux_report_put_summary(ux_json_t *object, const ux_result_t *view);

void ux_report_put_variant(ux_json_t *variants, ux_result_t *view,
    unsigned variant, unsigned parts);

/* "http": requests of the variant, or of the zone, whose cells these are. */
void ux_report_put_http(ux_json_t *variant, const ux_result_t *view,
    const ux_result_variant_t *of);
void ux_report_put_zone_http(ux_json_t *zone, const ux_result_t *view,
    const uint64_t *cells);

/* Whose figures: a variant's, or in it those of one value of a segment. */
typedef struct {
    const ux_result_variant_t  *figures;
    unsigned                    variant;
    bool                        segment;
    bool                        detail;        /* UX_REPORT_DETAIL */
    const ux_result_variant_t  *control;       /* of the value; NULL: it is */
} ux_report_of_t;

void ux_report_put_sessions(ux_json_t *variant, const ux_result_sum_t *sum);
void ux_report_put_metrics(ux_json_t *object, ux_result_t *view,
    const ux_report_of_t *of);

/* "vitals": of the variant, or of the zone. */
void ux_report_put_vitals(ux_json_t *variant, const ux_result_t *view,
    const ux_result_variant_t *of);
void ux_report_put_zone_vitals(ux_json_t *zone, const ux_result_t *view);
/* "surveys": answers of the variant, which has so many visitors. */
void ux_report_put_surveys(ux_json_t *variant, const ux_result_t *view,
    const ux_result_variant_t *of, uint64_t visitors);

void ux_report_put_funnels(ux_json_t *object, ux_result_t *view,
    const ux_report_of_t *of);

/*
 * Where a metric's figures go: named like its event; a second metric of the
 * same event is told apart by its type, as in "survey:count", and one more of
 * that type is not shown: NULL.
 */
ux_json_t *ux_report_metric_object(ux_json_t *metrics,
    const ux_model_t *model, const ux_metric_t *metric);

/* "segments" of a variant: what its values counted. */
void ux_report_put_segments(ux_json_t *variant, ux_result_t *view,
    unsigned number);

/* "segments" of the experiment: do effects differ between values? */
void ux_report_put_heterogeneity(ux_json_t *experiment, ux_result_t *view);

/* "vs_control" of a value. */
void ux_report_put_value_versus(ux_json_t *object, const ux_result_t *view,
    const ux_report_of_t *of, unsigned metric);

/* "journey" and "contact". */
void ux_report_put_journey(ux_json_t *variant, const ux_result_t *view,
    const ux_result_variant_t *of);

void ux_report_put_money(ux_json_t *variant, const ux_result_t *view,
    const ux_result_sum_t *sum);

/* "vs_control", null for the control or where there is no such metric. */
void ux_report_put_versus(ux_json_t *object, ux_result_t *view,
    const ux_report_of_t *of, unsigned metric);

/* The same, and "guardrail" for a metric that is one. */
void ux_report_put_comparison(ux_json_t *object, ux_result_t *view,
    const ux_report_of_t *of, unsigned metric);


#endif
