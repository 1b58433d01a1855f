
/*
 * Copyright (C) the nginx-ux authors
 *
 * The document of /uxstats, whole.  Cost grows with experiments, variants,
 * funnels and values of segments, never with visitors.
 */

#include "ux_report.h"
#include "ux_report_private.h"

#include <string.h>


#define UX_REPORT_VERSION  1


static ux_status_t ux_report_put_zones(ux_json_t *zones,
    const ux_report_t *report, ux_result_t *view, unsigned parts);
static void ux_report_put_experiments(ux_json_t *zone, ux_result_t *view,
    unsigned parts);


ux_json_t *
ux_report_document(const ux_report_t *report, unsigned parts)
{
    ux_json_t    *root;
    ux_status_t   rc;
    ux_result_t  *view;

    view = ux_json_alloc(sizeof(ux_result_t));

    if (view == NULL) {
        return NULL;
    }

    root = ux_json_new();

    ux_report_put_head(root, report);
    rc = ux_report_put_zones(ux_json_object(root, "zones"), report, view,
                             parts);
    ux_report_put_help(root);

    ux_json_free(view);

    if (rc != UX_OK || ux_json_failed(root)) {
        ux_json_delete(root);
        return NULL;
    }

    return root;
}


static ux_status_t
ux_report_put_zones(ux_json_t *zones, const ux_report_t *report,
    ux_result_t *view, unsigned parts)
{
    unsigned                 i;
    ux_json_t               *zone;
    ux_report_key_t          key;
    const ux_report_zone_t  *of;

    for (i = 0; i < report->nzones; i++) {
        of = &report->zones[i];

        if (of->store->model == NULL) {
            continue;
        }

        if (ux_result_init(view, of->store, report->now_ms) != UX_OK) {
            return UX_ERROR;
        }

        zone = ux_json_object(zones, ux_report_key(&key, view->model->zone));

        ux_report_put_zone(zone, of, view);
        ux_report_put_experiments(zone, view, parts);
        ux_result_free(view);
    }

    return UX_OK;
}


static void
ux_report_put_experiments(ux_json_t *zone, ux_result_t *view, unsigned parts)
{
    uint32_t                past;
    unsigned                i;
    ux_json_t              *experiments, *object;
    ux_report_key_t         key;
    const ux_model_t       *model;
    const ux_experiment_t  *experiment;

    experiments = ux_json_object(zone, "experiments");
    model = view->store->model;

    for (i = 0; i < model->nexperiments; i++) {
        experiment = &model->experiments[i];
        object = ux_json_object(experiments,
                                ux_report_key(&key, experiment->name));

        ux_result_gather(view, experiment);
        ux_report_put_experiment(object, view, parts);
    }

    for (past = ux_report_past_next(view, UX_RESULT_END);
         past != UX_RESULT_END;
         past = ux_report_past_next(view, past))
    {
        object = ux_json_object(experiments, ux_report_key(&key,
                     ux_result_entry_name(&view->tree.entries[past])));

        ux_report_put_past(object, view, past, parts);
    }
}


void
ux_report_free(char *text)
{
    ux_json_text_free(text);
}


void
ux_report_put_head(ux_json_t *root, const ux_report_t *report)
{
    ux_json_int(root, "version", UX_REPORT_VERSION);
    ux_json_string(root, "module", report->module);
    ux_json_string(root, "nginx", report->nginx);
    ux_json_string(root, "node", report->node);
    ux_json_time(root, "generated_at", report->now_ms);
}


const char *
ux_report_key(ux_report_key_t *key, ux_str_t name)
{
    size_t  len;

    len = name.len < UX_NAME_MAX ? name.len : UX_NAME_MAX;

    memcpy(key->text, name.data, len);
    key->text[len] = '\0';

    return key->text;
}


void
ux_report_put_count(ux_json_t *parent, const char *name, uint64_t count)
{
    ux_json_int(parent, name,
                count <= INT64_MAX ? (int64_t) count : INT64_MAX);
}


void
ux_report_put_rate(ux_json_t *parent, const char *name, uint64_t x,
    uint64_t n)
{
    if (n == 0) {
        ux_json_null(parent, name);
        return;
    }

    ux_json_number(parent, name, (double) (x < n ? x : n) / (double) n);
}


void
ux_report_put_interval(ux_json_t *parent, const char *name, uint64_t x,
    uint64_t n)
{
    ux_interval_t  interval;

    if (n == 0) {
        ux_json_null(parent, name);
        return;
    }

    interval = ux_stats_wilson(x < n ? x : n, n, UX_STATS_Z95);
    ux_json_interval(parent, name, interval.lo, interval.hi);
}


void
ux_report_put_nulls(ux_json_t *parent, const char *names)
{
    ux_str_t         name;
    ux_report_key_t  key;

    while (*names != '\0') {
        name.data = names;
        name.len = strcspn(names, " ");

        ux_json_null(parent, ux_report_key(&key, name));

        names += name.len;
        names += strspn(names, " ");
    }
}
