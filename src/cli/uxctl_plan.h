
/*
 * Copyright (C) the nginx-ux authors
 *
 * What the parts of `uxctl plan` share.
 */

#ifndef UXCTL_PLAN_H
#define UXCTL_PLAN_H


#include <apr_pools.h>

#include "../ux_json.h"


/* The user's words, NULL where there is none. */
typedef struct {
    const char  *baseline;
    const char  *mean;
    const char  *variance;
    const char  *effect;
    const char  *variants;
    const char  *traffic;
    const char  *days;
    const char  *alpha;
    const char  *power;
    const char  *planned;
    const char  *from;
    const char  *experiment;
    const char  *metric;
    const char  *zone;
    bool         json;
} uxctl_plan_words_t;

/* What they mean; NaN: not given. */
typedef struct {
    const char  *metric;           /* read from a report, or NULL */
    double       baseline;         /* a rate, or a mean */
    double       variance;         /* of a mean; NaN for a rate */
    double       effect;           /* relative */
    double       variants;
    double       traffic;          /* visitors a day, of all variants */
    double       days;
    double       alpha;
    double       power;
    double       planned;          /* visitors of a pair: N* */
} uxctl_plan_t;

typedef struct {
    double  per_variant;           /* visitors, whole */
    double  visitors;              /* of all variants */
    double  days;                  /* NaN: traffic is not known */
    double  effect;                /* smallest that `days` find, or NaN */
} uxctl_plan_size_t;

typedef struct {
    double             alpha;      /* of one comparison */
    uxctl_plan_size_t  fixed;      /* one look at the planned end */
    uxctl_plan_size_t  sequential;
} uxctl_plan_result_t;


/* Sizes, from a plan that has been checked; uxctl_plan_size.c. */
void uxctl_plan_size(const uxctl_plan_t *plan, uxctl_plan_result_t *result);

/* uxctl_plan_print.c */
int uxctl_plan_print(const uxctl_plan_t *plan,
    const uxctl_plan_result_t *result, bool json);

/*
 * Fills what the words leave open from the control in a report; complains,
 * returns the exit status.  uxctl_plan_report.c
 */
int uxctl_plan_report(apr_pool_t *pool, const uxctl_plan_words_t *words,
    uxctl_plan_t *plan);

/*
 * The text at http://..., of a file, or of standard input for "-"; complains,
 * returns the exit status.  uxctl_plan_fetch.c
 */
int uxctl_plan_fetch(apr_pool_t *pool, const char *from, ux_str_t *text);


#endif
