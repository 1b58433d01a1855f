
/*
 * Copyright (C) the nginx-ux authors
 *
 * The lines goal, metric and guardrail of an experiment.
 */

#include "ngx_http_ux_module.h"
#include "ngx_http_ux_block.h"


static ngx_int_t ngx_http_ux_metrics_steps(ngx_http_ux_zone_t *zone,
    ux_experiment_t *experiment);
static char *ngx_http_ux_metric_add(ngx_conf_t *cf, ngx_http_ux_block_t *b,
    ux_role_e role, ngx_uint_t from);
static char *ngx_http_ux_metric_event(ngx_conf_t *cf, ngx_http_ux_block_t *b,
    ux_metric_t *metric, ngx_str_t *word);
static char *ngx_http_ux_metric_word(ngx_conf_t *cf, ux_metric_t *metric,
    ngx_str_t *word);
static char *ngx_http_ux_metric_total(ngx_conf_t *cf, ngx_http_ux_block_t *b,
    ux_metric_t *metric);
static char *ngx_http_ux_metric_put(ngx_conf_t *cf, ux_experiment_t *e,
    const ux_metric_t *metric, ngx_str_t *word);
static char *ngx_http_ux_metric_refine(ngx_conf_t *cf, ux_metric_t *old,
    const ux_metric_t *metric, ngx_str_t *word);


char *
ngx_http_ux_goal(ngx_conf_t *cf, ngx_http_ux_block_t *b)
{
    ngx_uint_t  i;

    for (i = 1; i < cf->args->nelts; i++) {
        if (ngx_http_ux_metric_add(cf, b, UX_ROLE_GOAL, i) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_http_ux_metric(ngx_conf_t *cf, ngx_http_ux_block_t *b)
{
    return ngx_http_ux_metric_add(cf, b, UX_ROLE_SECONDARY, 1);
}


char *
ngx_http_ux_guardrail(ngx_conf_t *cf, ngx_http_ux_block_t *b)
{
    return ngx_http_ux_metric_add(cf, b, UX_ROLE_GUARDRAIL, 1);
}


/* Word `from` is the event; behind it, but of a goal, are its parameters. */
static char *
ngx_http_ux_metric_add(ngx_conf_t *cf, ngx_http_ux_block_t *b,
    ux_role_e role, ngx_uint_t from)
{
    ngx_str_t    *value;
    ngx_uint_t    i;
    ux_metric_t   metric;

    value = cf->args->elts;

    ngx_memzero(&metric, sizeof(ux_metric_t));
    metric.role = role;
    metric.margin = 0.01;

    if (ngx_http_ux_metric_event(cf, b, &metric, &value[from])
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    for (i = from + 1; role != UX_ROLE_GOAL && i < cf->args->nelts; i++) {

        if (ngx_http_ux_word_twice(cf, i)) {
            return ngx_http_ux_block_expected(cf, &value[i],
                                              "each parameter once");
        }

        if (ngx_http_ux_metric_word(cf, &metric, &value[i]) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_http_ux_metric_total(cf, b, &metric) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_ux_metric_put(cf, b->experiment, &metric, &value[from]);
}


/* Revenue is no event, but of one: it is a mean. */
static char *
ngx_http_ux_metric_event(ngx_conf_t *cf, ngx_http_ux_block_t *b,
    ux_metric_t *metric, ngx_str_t *word)
{
    if (ngx_strcmp(word->data, "revenue") == 0) {
        metric->event = UX_METRIC_REVENUE;
        metric->type = UX_METRIC_MEAN;

        return NGX_CONF_OK;
    }

    if (!ux_name_check(ngx_http_ux_str(*word))) {
        return ngx_http_ux_block_expected(cf, word,
                                          "an event's name: a lower-case "
                                          "letter, then letters, digits "
                                          "or \"_\", at most 64 in all");
    }

    if (ux_model_event_add(&b->zone->model, ngx_http_ux_str(*word),
                           &metric->event)
        != UX_OK)
    {
        return ngx_http_ux_block_expected(cf, word,
                                          "at most 64 event names in a "
                                          "zone");
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_metric_word(ngx_conf_t *cf, ux_metric_t *metric, ngx_str_t *word)
{
    static char  *types[] = { "conversion", "mean", "count", "ratio" };

    ngx_str_t   s;
    ngx_uint_t  i;

    if (ngx_strcmp(word->data, "better=higher") == 0) {
        metric->lower_is_better = false;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(word->data, "better=lower") == 0) {
        metric->lower_is_better = true;
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(word->data, "better=", 7) == 0) {
        return ngx_http_ux_block_expected(cf, word,
                                          "better=higher or better=lower");
    }

    if (ngx_strncmp(word->data, "type=", 5) == 0) {

        for (i = 0; i < 4; i++) {
            if (ngx_strcmp(word->data + 5, types[i]) == 0) {

                if (metric->event == UX_METRIC_REVENUE
                    && i != UX_METRIC_MEAN)
                {
                    break;
                }

                metric->type = (ux_metric_type_e) i;
                return NGX_CONF_OK;
            }
        }

        return ngx_http_ux_block_expected(cf, word,
                                          "type=conversion, type=mean, "
                                          "type=count or type=ratio (revenue "
                                          "is a mean)");
    }

    if (metric->role == UX_ROLE_GUARDRAIL
        && ngx_strncmp(word->data, "margin=", 7) == 0)
    {
        s.data = word->data + 7;
        s.len = word->len - 7;

        if (ux_number_percent(ngx_http_ux_str(s), &metric->margin) == UX_OK)
        {
            return NGX_CONF_OK;
        }

        return ngx_http_ux_block_expected(cf, word, "margin=1%");
    }

    return ngx_http_ux_block_expected(cf, word,
                                      (metric->role == UX_ROLE_GUARDRAIL)
                                      ? "better=, type= or margin="
                                      : "better= or type=");
}


/* Everything but a conversion needs a sum in every visitor's record. */
static char *
ngx_http_ux_metric_total(ngx_conf_t *cf, ngx_http_ux_block_t *b,
    ux_metric_t *metric)
{
    unsigned     i;
    ux_total_t  *total;
    ux_model_t  *model;

    model = &b->zone->model;

    if (metric->type == UX_METRIC_CONVERSION
        || metric->event == UX_METRIC_REVENUE)
    {
        return NGX_CONF_OK;
    }

    for (i = 1; i < model->ntotals; i++) {
        if (model->totals[i].event == metric->event
            && model->totals[i].type == metric->type)
        {
            metric->total = (uint8_t) i;
            return NGX_CONF_OK;
        }
    }

    if (model->ntotals >= b->zone->params.totals) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "metrics of \"ux_zone\" \"%V\" need more than %ui "
                           "sums a visitor (revenue is one): raise its "
                           "\"totals=\"", &b->zone->name,
                           (ngx_uint_t) b->zone->params.totals);
        return NGX_CONF_ERROR;
    }

    metric->total = (uint8_t) model->ntotals;
    total = &model->totals[model->ntotals++];
    total->event = metric->event;
    total->type = metric->type;

    return NGX_CONF_OK;
}


/* A metric line about the goal or a guardrail refines that one. */
static char *
ngx_http_ux_metric_put(ngx_conf_t *cf, ux_experiment_t *e,
    const ux_metric_t *metric, ngx_str_t *word)
{
    ngx_uint_t    i;
    ux_metric_t  *old;

    for (i = 0; i < e->nmetrics; i++) {
        old = &e->metrics[i];

        if (old->event == metric->event && old->type == metric->type) {
            return ngx_http_ux_metric_refine(cf, old, metric, word);
        }
    }

    if (e->nmetrics == UX_METRICS_MAX) {
        return ngx_http_ux_block_expected(cf, word, "at most 64 metrics");
    }

    e->metrics[e->nmetrics++] = *metric;

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_metric_refine(ngx_conf_t *cf, ux_metric_t *old,
    const ux_metric_t *metric, ngx_str_t *word)
{
    if (old->role == metric->role) {
        return ngx_http_ux_block_expected(cf, word, "each metric once");
    }

    if (old->role == UX_ROLE_GUARDRAIL || metric->role == UX_ROLE_GUARDRAIL) {
        return ngx_http_ux_block_expected(cf, word,
                                          "a guardrail that is not also "
                                          "a goal or a metric");
    }

    /* goal and metric: one entry, the metric line's direction */

    if (metric->role == UX_ROLE_SECONDARY) {
        old->lower_is_better = metric->lower_is_better;

    } else {
        old->role = UX_ROLE_GOAL;
    }

    return NGX_CONF_OK;
}


/* An experiment that names no goal has "purchase" for one. */
char *
ngx_http_ux_goal_default(ngx_conf_t *cf, ngx_http_ux_block_t *b)
{
    char             *wrong;
    ngx_uint_t        i;
    ux_metric_t      *metric;
    ux_experiment_t  *e;

    e = b->experiment;
    metric = NULL;

    for (i = 0; i < e->nmetrics; i++) {

        if (e->metrics[i].role == UX_ROLE_GOAL) {
            return NGX_CONF_OK;
        }

        if (e->metrics[i].event == UX_EVENT_PURCHASE
            && e->metrics[i].type == UX_METRIC_CONVERSION)
        {
            metric = &e->metrics[i];
        }
    }

    wrong = NULL;

    if (metric == NULL) {

        if (e->nmetrics == UX_METRICS_MAX) {
            wrong = "has at most 64 metrics, \"purchase\" among them: "
                    "expected one less, or a \"goal EVENT;\"";

        } else {
            metric = &e->metrics[e->nmetrics++];
            ngx_memzero(metric, sizeof(ux_metric_t));
            metric->event = UX_EVENT_PURCHASE;
        }

    } else if (metric->role == UX_ROLE_GUARDRAIL) {
        wrong = "has its goal, \"purchase\" by default, as a guardrail: "
                "expected a \"goal EVENT;\" that is another";
    }

    if (wrong != NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"ux_experiment\" \"%V\" %s in %V:%ui", &b->name, wrong,
                      &b->place.file, b->place.line);
        return NGX_CONF_ERROR;
    }

    metric->role = UX_ROLE_GOAL;

    return NGX_CONF_OK;
}


/* Goals first, and metrics for experiments without any. */
ngx_int_t
ngx_http_ux_metrics_default(ngx_http_ux_zone_t *zone)
{
    unsigned          i, k, goals, plain;
    ux_metric_t       metric;
    ux_experiment_t  *e;

    e = zone->experiments.elts;

    for (i = 0; i < zone->experiments.nelts; i++) {
        goals = 0;
        plain = 0;

        /* each kind in the order it was written */

        for (k = 0; k < e[i].nmetrics; k++) {
            metric = e[i].metrics[k];

            if (metric.role == UX_ROLE_GOAL) {
                ngx_memmove(&e[i].metrics[goals + 1], &e[i].metrics[goals],
                            (k - goals) * sizeof(ux_metric_t));
                e[i].metrics[goals++] = metric;

            } else if (metric.role == UX_ROLE_SECONDARY) {
                plain++;
            }
        }

        if (plain == 0
            && ngx_http_ux_metrics_steps(zone, &e[i]) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* Every funnel step, and revenue. */
static ngx_int_t
ngx_http_ux_metrics_steps(ngx_http_ux_zone_t *zone,
    ux_experiment_t *e)
{
    unsigned            f, k, i, n;
    ux_metric_t         metric;
    const ux_funnel_t  *funnel;

    for (f = 0; f <= zone->model.nfunnels; f++) {
        funnel = &zone->model.funnels[f];
        n = (f < zone->model.nfunnels) ? funnel->nsteps : 1;

        for (k = 0; k < n; k++) {
            ngx_memzero(&metric, sizeof(ux_metric_t));
            metric.role = UX_ROLE_SECONDARY;

            if (f < zone->model.nfunnels) {
                metric.event = funnel->steps[k].event;
                metric.type = UX_METRIC_CONVERSION;

            } else {
                metric.event = UX_METRIC_REVENUE;
                metric.type = UX_METRIC_MEAN;
            }

            for (i = 0; i < e->nmetrics; i++) {
                if (e->metrics[i].event == metric.event
                    && e->metrics[i].type == metric.type)
                {
                    break;
                }
            }

            if (i == e->nmetrics && e->nmetrics < UX_METRICS_MAX) {
                e->metrics[e->nmetrics++] = metric;
            }
        }
    }

    return NGX_OK;
}
