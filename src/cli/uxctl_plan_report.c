
/*
 * Copyright (C) the nginx-ux authors
 *
 * uxctl plan --from: what a running test says about its control.
 */

#include "uxctl.h"
#include "uxctl_plan.h"

#include <math.h>
#include <stdlib.h>

#include <apr_strings.h>


#define UXCTL_PLAN_DAY_S  86400.0


static ux_json_t *uxctl_plan_experiment(ux_json_t *root,
    const uxctl_plan_words_t *words);
static ux_json_t *uxctl_plan_zone(ux_json_t *zones, const char *name);
static int uxctl_plan_metric(apr_pool_t *pool, ux_json_t *experiment,
    const uxctl_plan_words_t *words, uxctl_plan_t *plan);
static const char *uxctl_plan_goal(apr_pool_t *pool, ux_json_t *experiment);
static ux_json_t *uxctl_plan_control(ux_json_t *experiment);
static void uxctl_plan_design(ux_json_t *experiment, uxctl_plan_t *plan);
static ux_json_t *uxctl_plan_member(ux_json_t *node, const char *name);
static bool uxctl_plan_true(ux_json_t *node, const char *name);
static double uxctl_plan_value(ux_json_t *node, const char *name);


int
uxctl_plan_report(apr_pool_t *pool, const uxctl_plan_words_t *words,
    uxctl_plan_t *plan)
{
    int         rc;
    ux_str_t    text;
    ux_json_t  *root, *experiment;

    rc = uxctl_plan_fetch(pool, words->from, &text);

    if (rc != UXCTL_OK) {
        return rc;
    }

    root = ux_json_parse(text);

    if (uxctl_plan_member(root, "zones") == NULL) {
        ux_json_delete(root);
        return uxctl_wrong("\"%s\" has no report: expected the JSON of"
                           " /uxstats", words->from);
    }

    experiment = uxctl_plan_experiment(root, words);

    if (experiment == NULL) {
        rc = UXCTL_USAGE;

    } else {
        rc = uxctl_plan_metric(pool, experiment, words, plan);
    }

    if (rc == UXCTL_OK) {
        uxctl_plan_design(experiment, plan);
    }

    ux_json_delete(root);

    return rc;
}


static ux_json_t *
uxctl_plan_experiment(ux_json_t *root, const uxctl_plan_words_t *words)
{
    ux_json_t  *zone, *experiment;

    zone = uxctl_plan_zone(uxctl_plan_member(root, "zones"), words->zone);

    if (zone == NULL) {
        return NULL;
    }

    experiment = uxctl_plan_member(uxctl_plan_member(zone, "experiments"),
                                   words->experiment);

    if (experiment == NULL) {
        (void) uxctl_wrong("no experiment \"%s\" in the report: expected one"
                           " that it names", words->experiment);
    }

    return experiment;
}


static ux_json_t *
uxctl_plan_zone(ux_json_t *zones, const char *name)
{
    ux_json_t  *zone;

    if (name == NULL) {
        zone = ux_json_first(zones);

        if (zone == NULL || ux_json_next(zone) != NULL) {
            (void) uxctl_wrong("no zone: expected --zone NAME where a report"
                               " has not just one");
            return NULL;
        }

        return zone;
    }

    zone = uxctl_plan_member(zones, name);

    if (zone == NULL) {
        (void) uxctl_wrong("no zone \"%s\" in the report: expected one that"
                           " it names", name);
    }

    return zone;
}


static int
uxctl_plan_metric(apr_pool_t *pool, ux_json_t *experiment,
    const uxctl_plan_words_t *words, uxctl_plan_t *plan)
{
    double       rate, mean, variance;
    ux_json_t   *metrics, *metric;
    const char  *name;

    name = words->metric;

    if (name == NULL) {
        name = uxctl_plan_goal(pool, experiment);
    }

    if (name == NULL) {
        return uxctl_wrong("experiment \"%s\" has no goal: expected --metric"
                           " NAME", words->experiment);
    }

    metrics = uxctl_plan_member(uxctl_plan_control(experiment), "metrics");
    metric = uxctl_plan_member(metrics, name);

    if (metric == NULL) {
        return uxctl_wrong("no metric \"%s\" of the control of \"%s\":"
                           " expected one that the report names", name,
                           words->experiment);
    }

    rate = uxctl_plan_value(metric, "rate");
    mean = uxctl_plan_value(metric, "mean");
    variance = uxctl_plan_value(metric, "variance");

    if (rate > 0 && rate < 1) {
        plan->baseline = rate;

    } else if (mean > 0 && variance > 0) {
        plan->baseline = mean;
        plan->variance = variance;

    } else {
        return uxctl_wrong("metric \"%s\" of the control of \"%s\" has no"
                           " baseline yet: expected a rate above 0%% and below"
                           " 100%%, or a mean and its variance", name,
                           words->experiment);
    }

    plan->metric = name;

    return UXCTL_OK;
}


/* The first, where there are several. */
static const char *
uxctl_plan_goal(apr_pool_t *pool, ux_json_t *experiment)
{
    ux_json_t  *goal;

    goal = uxctl_plan_member(experiment, "goal");

    if (ux_json_type(goal) == UX_JSON_ARRAY) {
        goal = ux_json_first(goal);
    }

    if (ux_json_type(goal) != UX_JSON_STRING) {
        return NULL;
    }

    return apr_pstrdup(pool, ux_json_word(goal).data);
}


static ux_json_t *
uxctl_plan_control(ux_json_t *experiment)
{
    ux_json_t  *variant;

    variant = ux_json_first(uxctl_plan_member(experiment, "variants"));

    while (variant != NULL && !uxctl_plan_true(variant, "control")) {
        variant = ux_json_next(variant);
    }

    return variant;
}


/* What was not given: a test like this one. */
static void
uxctl_plan_design(ux_json_t *experiment, uxctl_plan_t *plan)
{
    double      visitors, variants, runtime_s;
    ux_json_t  *variant;

    visitors = 0;
    variants = 0;

    for (variant = ux_json_first(uxctl_plan_member(experiment, "variants"));
         variant != NULL; variant = ux_json_next(variant))
    {
        visitors += fmax(uxctl_plan_value(variant, "visitors"), 0);
        variants += !uxctl_plan_true(variant, "removed");
    }

    runtime_s = uxctl_plan_value(experiment, "runtime_seconds");

    if (isnan(plan->traffic) && visitors > 0 && runtime_s > 0) {
        plan->traffic = visitors / runtime_s * UXCTL_PLAN_DAY_S;
    }

    if (isnan(plan->variants) && variants >= 2) {
        plan->variants = variants;
    }

    if (isnan(plan->alpha)) {
        plan->alpha = uxctl_plan_value(experiment, "alpha");
    }

    if (isnan(plan->planned)) {
        plan->planned = uxctl_plan_value(experiment, "planned_visitors");
    }
}


static ux_json_t *
uxctl_plan_member(ux_json_t *node, const char *name)
{
    return ux_json_get(node, uxctl_str(name));
}


static bool
uxctl_plan_true(ux_json_t *node, const char *name)
{
    return ux_json_true(uxctl_plan_member(node, name));
}


/* NaN for null, nothing and all that is no number. */
static double
uxctl_plan_value(ux_json_t *node, const char *name)
{
    ux_json_t  *member;

    member = uxctl_plan_member(node, name);

    if (ux_json_type(member) != UX_JSON_NUMBER) {
        return NAN;
    }

    return strtod(ux_json_word(member).data, NULL);
}
