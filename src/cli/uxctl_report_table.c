
/*
 * Copyright (C) the nginx-ux authors
 *
 * The report for people: what is decided of each experiment, and its goal.
 */

#include "uxctl.h"
#include "uxctl_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../ux_json.h"
#include "../ux_result.h"


#define UXCTL_TABLE_CELL  32


static void uxctl_table_zone(ux_json_t *zone, const ux_model_t *model);
static void uxctl_table_experiment(ux_json_t *experiment,
    const ux_experiment_t *of, ux_str_t metric);
static void uxctl_table_variant(ux_json_t *variant, ux_str_t name,
    ux_str_t metric);
static ux_json_t *uxctl_table_get(ux_json_t *node, const char *name);
static const char *uxctl_table_word(ux_json_t *node, const char *name);
static const char *uxctl_table_value(ux_json_t *metric, char *buf);
static const char *uxctl_table_percent(ux_json_t *node, char *buf);
static const char *uxctl_table_percents(ux_json_t *pair, char *buf);


int
uxctl_report_table(ux_str_t json, const uxctl_zone_t *zones, int n)
{
    int         i;
    ux_json_t  *root, *zone;

    root = ux_json_parse(json);

    if (root == NULL) {
        fprintf(stderr, "uxctl: no memory for the table\n");
        return UXCTL_FAILED;
    }

    printf("As of %s\n", uxctl_table_word(root, "generated_at"));

    for (i = 0; i < n; i++) {
        zone = ux_json_get(uxctl_table_get(root, "zones"),
                           zones[i].about.name);

        printf("\nZone %.*s, %u snapshot%s, saved %s\n",
               ux_word(zones[i].about.name), zones[i].sources,
               zones[i].sources == 1 ? "" : "s",
               uxctl_table_word(uxctl_table_get(zone, "snapshot"),
                                "saved_at"));

        uxctl_table_zone(zone, &zones[i].model->model);
    }

    ux_json_delete(root);

    return UXCTL_OK;
}


static void
uxctl_table_zone(ux_json_t *zone, const ux_model_t *model)
{
    unsigned                i;
    ux_str_t                metric;
    const ux_experiment_t  *of;

    for (i = 0; i < model->nexperiments; i++) {
        of = &model->experiments[i];
        metric.data = "";
        metric.len = 0;

        if (of->nmetrics != 0) {
            metric = ux_result_metric_name(model, &of->metrics[0]);
        }

        uxctl_table_experiment(
            ux_json_get(uxctl_table_get(zone, "experiments"), of->name), of,
            metric);
    }
}


static void
uxctl_table_experiment(ux_json_t *experiment, const ux_experiment_t *of,
    ux_str_t metric)
{
    unsigned    i;
    ux_json_t  *variants;

    printf("\n%.*s, version %u: %s, %s", ux_word(of->name), of->version,
           uxctl_table_word(experiment, "state"),
           uxctl_table_word(experiment, "verdict"));

    if (ux_json_type(uxctl_table_get(experiment, "winner")) == UX_JSON_STRING)
    {
        printf(", %s", uxctl_table_word(experiment, "winner"));
    }

    printf("\n  %-20s %10s %12s %10s %20s %10s\n", "variant", "visitors",
           "", "lift", "interval", "p");

    variants = uxctl_table_get(experiment, "variants");

    for (i = 0; i < of->nvariants; i++) {
        uxctl_table_variant(ux_json_get(variants, of->variants[i].name),
                            of->variants[i].name, metric);
    }

    printf("  goal: %.*s\n", ux_word(metric));
}


static void
uxctl_table_variant(ux_json_t *variant, ux_str_t name, ux_str_t metric)
{
    char        value[UXCTL_TABLE_CELL], lift[UXCTL_TABLE_CELL];
    char        interval[UXCTL_TABLE_CELL], visitors[UXCTL_TABLE_CELL];
    ux_json_t  *of, *versus;

    of = ux_json_get(uxctl_table_get(variant, "metrics"), metric);
    versus = uxctl_table_get(of, "vs_control");

    (void) snprintf(visitors, sizeof(visitors), "%.20s",
                    uxctl_table_word(variant, "visitors"));

    printf("  %-20.*s %10s %12s %10s %20s %10.10s\n", ux_word(name), visitors,
           uxctl_table_value(of, value),
           uxctl_table_percent(uxctl_table_get(versus, "lift"), lift),
           uxctl_table_percents(uxctl_table_get(versus, "lift_ci"), interval),
           uxctl_table_word(versus, "p_value"));
}


static ux_json_t *
uxctl_table_get(ux_json_t *node, const char *name)
{
    return node == NULL ? NULL : ux_json_get(node, uxctl_str(name));
}


/* "-" for null. */
static const char *
uxctl_table_word(ux_json_t *node, const char *name)
{
    ux_str_t  word;

    word = ux_json_word(uxctl_table_get(node, name));

    return word.len != 0 ? word.data : "-";
}


/* A rate, or a mean. */
static const char *
uxctl_table_value(ux_json_t *metric, char *buf)
{
    ux_json_t  *rate;

    rate = uxctl_table_get(metric, "rate");

    if (rate != NULL) {
        return uxctl_table_percent(rate, buf);
    }

    (void) snprintf(buf, UXCTL_TABLE_CELL, "%.12s",
                    uxctl_table_word(metric, "mean"));

    return buf;
}


static const char *
uxctl_table_percent(ux_json_t *node, char *buf)
{
    ux_str_t  word;

    word = ux_json_word(node);

    if (word.len == 0) {
        return "-";
    }

    (void) snprintf(buf, UXCTL_TABLE_CELL, "%.2f%%",
                    strtod(word.data, NULL) * 100);

    return buf;
}


static const char *
uxctl_table_percents(ux_json_t *pair, char *buf)
{
    char        lo[UXCTL_TABLE_CELL], hi[UXCTL_TABLE_CELL];
    ux_json_t  *first;

    first = ux_json_first(pair);

    if (first == NULL) {
        return "-";
    }

    (void) snprintf(buf, UXCTL_TABLE_CELL, "%.12s .. %.12s",
                    uxctl_table_percent(first, lo),
                    uxctl_table_percent(ux_json_next(first), hi));

    return buf;
}
