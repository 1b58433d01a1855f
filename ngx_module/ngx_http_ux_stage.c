
/*
 * Copyright (C) the nginx-ux authors
 *
 * The directive ux_stage.
 */

#include "ngx_http_ux_module.h"
#include "ngx_http_ux_block.h"


static char *ngx_http_ux_stage_event(ngx_conf_t *cf, ux_model_t *model,
    ux_stage_t *stage, ngx_str_t *word);


char *
ngx_http_ux_stage(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t           *value;
    ngx_uint_t           i;
    ux_model_t          *model;
    ux_stage_t          *stage;
    ngx_http_ux_zone_t  *zone;

    value = cf->args->elts;

    if (!ux_stage_name_check(ngx_http_ux_str(value[1]))) {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "a stage's name: a lower-case "
                                          "letter, then letters, digits or "
                                          "\"_\", at most 64 in all, and not "
                                          "\"" UX_STAGE_START "\"");
    }

    zone = ngx_http_ux_block_zone(cf);

    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    model = &zone->model;

    for (i = 0; i < model->nstages; i++) {
        if (ux_str_equal(model->stages[i].name, ngx_http_ux_str(value[1]))) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate \"ux_stage\" \"%V\"", &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    if (model->nstages == UX_STAGES_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "too many stages at \"%V\": a zone holds %d",
                           &value[1], UX_STAGES_MAX);
        return NGX_CONF_ERROR;
    }

    stage = &model->stages[model->nstages];
    stage->name = ngx_http_ux_str(value[1]);
    stage->events = 0;
    stage->slot = UX_SLOT_NONE;

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_http_ux_stage_event(cf, model, stage, &value[i])
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (stage->events == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no event in \"ux_stage\" \"%V\": expected at "
                           "least one, like \"ux_stage %V view_item;\"",
                           &value[1], &value[1]);
        return NGX_CONF_ERROR;
    }

    model->nstages++;

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_stage_event(ngx_conf_t *cf, ux_model_t *model, ux_stage_t *stage,
    ngx_str_t *word)
{
    uint8_t      event;
    uint64_t     bit;
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    if (!ux_name_check(ngx_http_ux_str(*word))) {
        return ngx_http_ux_block_expected(cf, word,
                                          "an event's name: a lower-case "
                                          "letter, then letters, digits or "
                                          "\"_\", at most 64 in all");
    }

    if (ux_model_event_add(model, ngx_http_ux_str(*word), &event) != UX_OK) {
        return ngx_http_ux_block_expected(cf, word,
                                          "at most 64 event names in a zone");
    }

    bit = (uint64_t) 1 << event;

    if (stage->events & bit) {
        return ngx_http_ux_block_expected(cf, word, "each event once");
    }

    for (i = 0; i < model->nstages; i++) {

        if (model->stages[i].events & bit) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "event \"%V\" of \"ux_stage\" \"%V\" is in "
                               "stage \"%*s\" already: expected each event "
                               "in one stage", word, &value[1],
                               model->stages[i].name.len,
                               model->stages[i].name.data);
            return NGX_CONF_ERROR;
        }
    }

    stage->events |= bit;

    return NGX_CONF_OK;
}
