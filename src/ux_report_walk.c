
/*
 * Copyright (C) the nginx-ux authors
 *
 * The document part by part.  A zone's view is kept from its first part to its
 * last: entries of the registry stay where they are, and ones that are added
 * meanwhile are seen by the next reader.
 */

#include "ux_report_private.h"

#include <string.h>


struct ux_report_walk_s {
    const ux_report_t        *report;
    const ux_report_scope_t  *scope;
    unsigned                  zone;        /* the next of the report's, */
    unsigned                  experiment;  /*   of the model's, */
    uint32_t                  past;        /* the last that was removed */
    bool                      open;        /* the view is one of a zone */
    ux_json_t                *tree;        /* whose memory the parts take */
    ux_report_part_t          part;
    ux_result_t               view;
};


static ux_status_t ux_report_walk_head(ux_report_walk_t *walk);
static ux_status_t ux_report_walk_zone(ux_report_walk_t *walk);
static ux_status_t ux_report_walk_open(ux_report_walk_t *walk,
    const ux_report_zone_t *zone);
static ux_status_t ux_report_walk_experiment(ux_report_walk_t *walk);
static ux_status_t ux_report_walk_past(ux_report_walk_t *walk);
static ux_status_t ux_report_walk_foot(ux_report_walk_t *walk);
static ux_status_t ux_report_walk_made(ux_report_walk_t *walk,
    ux_report_step_e step, bool wanted);
static ux_json_t *ux_report_walk_again(ux_report_walk_t *walk);
static void ux_report_walk_close(ux_report_walk_t *walk);
static bool ux_report_walk_wants(ux_str_t only, ux_str_t name);


ux_report_walk_t *
ux_report_walk_begin(const ux_report_t *report,
    const ux_report_scope_t *scope)
{
    ux_report_walk_t  *walk;

    walk = ux_json_alloc(sizeof(ux_report_walk_t));

    if (walk == NULL) {
        return NULL;
    }

    walk->report = report;
    walk->scope = scope;
    walk->zone = 0;
    walk->open = false;
    walk->tree = NULL;
    memset(&walk->part, 0, sizeof(ux_report_part_t));

    return walk;
}


ux_status_t
ux_report_walk_next(ux_report_walk_t *walk, ux_report_part_t *part)
{
    ux_status_t  rc;

    walk->part.node = NULL;

    switch (walk->part.step) {

    case UX_REPORT_BEGIN:
        rc = ux_report_walk_head(walk);
        break;

    case UX_REPORT_HEAD:
    case UX_REPORT_ZONE_END:
        rc = ux_report_walk_zone(walk);
        break;

    case UX_REPORT_ZONE:
    case UX_REPORT_EXPERIMENT:
        rc = ux_report_walk_experiment(walk);
        break;

    default:
        rc = ux_report_walk_made(walk, UX_REPORT_END, false);
        break;
    }

    *part = walk->part;

    return rc;
}


void
ux_report_walk_end(ux_report_walk_t *walk)
{
    if (walk == NULL) {
        return;
    }

    ux_json_delete(walk->tree);
    ux_report_walk_close(walk);
    ux_json_free(walk);
}


static ux_status_t
ux_report_walk_head(ux_report_walk_t *walk)
{
    if (walk->scope->head) {
        ux_report_put_head(ux_report_walk_again(walk), walk->report);
    }

    return ux_report_walk_made(walk, UX_REPORT_HEAD, walk->scope->head);
}


static ux_status_t
ux_report_walk_zone(ux_report_walk_t *walk)
{
    bool                     wanted;
    const ux_report_zone_t  *zone;

    ux_report_walk_close(walk);

    wanted = walk->scope->zones || walk->scope->experiments;

    while (wanted && walk->zone < walk->report->nzones) {
        zone = &walk->report->zones[walk->zone++];

        if (zone->store->model != NULL
            && ux_report_walk_wants(walk->scope->zone,
                                    zone->store->model->zone))
        {
            return ux_report_walk_open(walk, zone);
        }
    }

    return ux_report_walk_foot(walk);
}


static ux_status_t
ux_report_walk_open(ux_report_walk_t *walk, const ux_report_zone_t *zone)
{
    if (ux_result_init(&walk->view, zone->store, walk->report->now_ms)
        != UX_OK)
    {
        return UX_ERROR;
    }

    walk->open = true;
    walk->view.posteriors = walk->report->posteriors;
    walk->experiment = 0;
    walk->past = UX_RESULT_END;
    walk->part.zone = zone->store->model->zone;

    if (walk->scope->zones) {
        walk->part.within = ux_json_new();
        walk->part.node = walk->part.within;
        ux_report_put_zone(walk->part.node, zone, &walk->view);
    }

    return ux_report_walk_made(walk, UX_REPORT_ZONE, walk->scope->zones);
}


static ux_status_t
ux_report_walk_experiment(ux_report_walk_t *walk)
{
    const ux_model_t       *model;
    const ux_experiment_t  *experiment;

    if (!walk->scope->experiments) {
        return ux_report_walk_made(walk, UX_REPORT_ZONE_END, false);
    }

    model = walk->view.store->model;

    while (walk->experiment < model->nexperiments) {
        experiment = &model->experiments[walk->experiment++];

        if (ux_report_walk_wants(walk->scope->experiment, experiment->name))
        {
            walk->part.experiment = experiment->name;

            ux_result_gather(&walk->view, experiment);
            ux_report_put_experiment(ux_report_walk_again(walk), &walk->view,
                                     walk->scope->parts);

            return ux_report_walk_made(walk, UX_REPORT_EXPERIMENT, true);
        }
    }

    return ux_report_walk_past(walk);
}


static ux_status_t
ux_report_walk_past(ux_report_walk_t *walk)
{
    ux_str_t  name;

    for ( ;; ) {
        walk->past = ux_report_past_next(&walk->view, walk->past);

        if (walk->past == UX_RESULT_END) {
            return ux_report_walk_made(walk, UX_REPORT_ZONE_END, false);
        }

        name = ux_result_entry_name(&walk->view.tree.entries[walk->past]);

        if (ux_report_walk_wants(walk->scope->experiment, name)) {
            break;
        }
    }

    walk->part.experiment = name;

    ux_report_put_past(ux_report_walk_again(walk), &walk->view, walk->past,
                       walk->scope->parts);

    return ux_report_walk_made(walk, UX_REPORT_EXPERIMENT, true);
}


static ux_status_t
ux_report_walk_foot(ux_report_walk_t *walk)
{
    if (walk->scope->head) {
        ux_report_put_help(ux_report_walk_again(walk));
    }

    return ux_report_walk_made(walk, UX_REPORT_FOOT, walk->scope->head);
}


/* A part that is not whole is none. */
static ux_status_t
ux_report_walk_made(ux_report_walk_t *walk, ux_report_step_e step,
    bool wanted)
{
    walk->part.step = step;

    return wanted && ux_json_failed(walk->part.node) ? UX_ERROR : UX_OK;
}


/* In place of the part before. */
static ux_json_t *
ux_report_walk_again(ux_report_walk_t *walk)
{
    walk->tree = ux_json_again(walk->tree);
    walk->part.node = walk->tree;

    return walk->tree;
}


static void
ux_report_walk_close(ux_report_walk_t *walk)
{
    ux_json_delete(walk->part.within);
    walk->part.within = NULL;

    if (walk->open) {
        ux_result_free(&walk->view);
        walk->open = false;
    }
}


static bool
ux_report_walk_wants(ux_str_t only, ux_str_t name)
{
    return only.data == NULL || ux_str_equal(only, name);
}
