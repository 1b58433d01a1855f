
/*
 * Copyright (C) the nginx-ux authors
 *
 * What the configuration in an image may say: the rules that nginx.conf is
 * held to, as far as the core depends on them.
 */

#include "ux_image_private.h"

#include <math.h>
#include <string.h>


static bool ux_model_origin_ok(const ux_image_origin_t *origin);
static bool ux_model_events_ok(const ux_model_t *model);
static bool ux_model_totals_ok(const ux_model_t *model);
static bool ux_model_funnel_ok(const ux_model_t *model,
    const ux_funnel_t *funnel);
static bool ux_model_stage_ok(const ux_model_t *model,
    const ux_stage_t *stage);
static bool ux_model_experiment_ok(const ux_model_t *model,
    const ux_experiment_t *e);
static bool ux_model_design_ok(const ux_experiment_t *e);
static bool ux_model_metric_ok(const ux_model_t *model,
    const ux_metric_t *metric);
static bool ux_model_share_ok(double share);


const char *
ux_image_model_wrong(const ux_model_t *model, const ux_image_origin_t *origin)
{
    unsigned  i;

    if (!ux_model_origin_ok(origin) || model->removed_ms >= UX_IMAGE_TIME_MAX)
    {
        return "who wrote it";
    }

    if (!ux_model_events_ok(model)) {
        return "an event";
    }

    if (!ux_model_totals_ok(model)) {
        return "a total";
    }

    for (i = 0; i < model->nfunnels; i++) {
        if (!ux_model_funnel_ok(model, &model->funnels[i])) {
            return "a funnel";
        }
    }

    for (i = 0; i < model->nstages; i++) {
        if (!ux_model_stage_ok(model, &model->stages[i])) {
            return "a stage";
        }
    }

    for (i = 0; i < model->nsegments; i++) {
        if (!ux_name_check(model->segments[i].name)) {
            return "a segment";
        }
    }

    for (i = 0; i < model->nvalues; i++) {
        if (!ux_variant_name_check(model->values[i].name)) {
            return "a value of a segment";
        }
    }

    for (i = 0; i < model->nexperiments; i++) {
        if (!ux_model_experiment_ok(model, &model->experiments[i])) {
            return "an experiment";
        }
    }

    return NULL;
}


static bool
ux_model_origin_ok(const ux_image_origin_t *origin)
{
    return ux_image_word_ok(origin->module)
           && ux_image_word_ok(origin->server)
           && ux_image_word_ok(origin->node);
}


bool
ux_image_word_ok(ux_str_t word)
{
    size_t  i;

    for (i = 0; i < word.len; i++) {
        if (word.data[i] < 0x20 || word.data[i] > 0x7e) {
            return false;
        }
    }

    return word.len <= UX_IMAGE_WORD_MAX;
}


/* The built-in ones stand where they always do. */
static bool
ux_model_events_ok(const ux_model_t *model)
{
    unsigned    i;
    ux_str_t    name;
    ux_model_t  first;

    ux_model_init(&first, model->zone, 0);

    if (model->nevents < first.nevents) {
        return false;
    }

    for (i = 0; i < model->nevents; i++) {
        name = model->events[i];

        if (!ux_name_check(name)
            || ux_model_event_find(model, name) != (int) i
            || (i < first.nevents && !ux_str_equal(name, first.events[i])))
        {
            return false;
        }
    }

    return true;
}


static bool
ux_model_totals_ok(const ux_model_t *model)
{
    unsigned           i;
    const ux_total_t  *total;

    for (i = 0; i < model->ntotals; i++) {
        total = &model->totals[i];

        if (total->type > UX_METRIC_RATIO
            || (i == 0 ? total->event != UX_METRIC_REVENUE
                       : total->event >= model->nevents))
        {
            return false;
        }
    }

    return model->ntotals > 0;
}


static bool
ux_model_funnel_ok(const ux_model_t *model, const ux_funnel_t *funnel)
{
    unsigned  i;

    for (i = 0; i < funnel->nsteps; i++) {
        if (funnel->steps[i].event >= model->nevents) {
            return false;
        }
    }

    if (funnel->cart_event != UX_SLOT_NONE
        && (funnel->cart_event >= model->nevents || funnel->within_ms == 0))
    {
        return false;
    }

    return ux_name_check(funnel->name) && funnel->nsteps > 0
           && funnel->within_ms < UX_IMAGE_TIME_MAX;
}


static bool
ux_model_stage_ok(const ux_model_t *model, const ux_stage_t *stage)
{
    return ux_stage_name_check(stage->name) && stage->events != 0
           && (model->nevents >= UX_EVENTS_MAX
               || stage->events >> model->nevents == 0);
}


static bool
ux_model_experiment_ok(const ux_model_t *model, const ux_experiment_t *e)
{
    unsigned    i;
    ux_error_t  error;

    for (i = 0; i < e->nvariants; i++) {
        if (!ux_variant_name_check(e->variants[i].name)
            || !isfinite(e->variants[i].weight) || e->variants[i].weight < 0)
        {
            return false;
        }
    }

    for (i = 0; i < e->nmetrics; i++) {
        if (!ux_model_metric_ok(model, &e->metrics[i])) {
            return false;
        }
    }

    return ux_name_check(e->name) && ux_model_design_ok(e)
           && ux_experiment_check(e, &error) == UX_OK;
}


static bool
ux_model_design_ok(const ux_experiment_t *e)
{
    bool  layer;

    layer = e->layer.len == 0
            || (ux_name_check(e->layer) && ux_model_share_ok(e->layer_lo)
                && ux_model_share_ok(e->layer_hi)
                && e->layer_lo < e->layer_hi);

    return layer && ux_model_share_ok(e->traffic)
           && e->alpha > 0 && e->alpha <= 0.5
           && e->planned > 0 && e->planned < UX_IMAGE_COUNT_MAX
           && isfinite(e->equivalence) && e->equivalence >= 0
           && e->cap >= 0 && e->cap <= UX_TOTAL_MAX
           && e->window_ms < UX_IMAGE_TIME_MAX
           && e->start_ms < UX_IMAGE_TIME_MAX
           && e->stop_ms < UX_IMAGE_TIME_MAX
           && e->min_runtime_s < UX_IMAGE_TIME_MAX / 1000
           && e->state <= UX_STATE_CLOSED && e->serve < (int) e->nvariants;
}


static bool
ux_model_metric_ok(const ux_model_t *model, const ux_metric_t *metric)
{
    return (metric->event < model->nevents
            || metric->event == UX_METRIC_REVENUE)
           && (metric->type == UX_METRIC_CONVERSION
               || metric->total < model->ntotals)
           && metric->type <= UX_METRIC_RATIO
           && metric->role <= UX_ROLE_GUARDRAIL
           && isfinite(metric->margin) && metric->margin >= 0;
}


static bool
ux_model_share_ok(double share)
{
    return share >= 0 && share <= 1;
}
