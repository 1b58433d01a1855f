
/*
 * Copyright (C) the nginx-ux authors
 *
 * The block ux_funnel { }.
 */

#include "ngx_http_ux_module.h"
#include "ngx_http_ux_block.h"


static char *ngx_http_ux_funnel_line(ngx_conf_t *cf, ngx_command_t *dummy,
    void *conf);
static char *ngx_http_ux_step(ngx_conf_t *cf, ngx_http_ux_block_t *b);
static char *ngx_http_ux_cart(ngx_conf_t *cf, ngx_http_ux_block_t *b);


static ngx_http_ux_line_t  ngx_http_ux_funnel_lines[] = {
    { ngx_string("step"), 2, 3, 1, "step EVENT [optional];",
      ngx_http_ux_step },
    { ngx_string("cart"), 2, 3, 0, "cart EVENT [within=60m];",
      ngx_http_ux_cart },
    { ngx_null_string, 0, 0, 0, NULL, NULL }
};


char *
ngx_http_ux_funnel(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                 *rv;
    ngx_str_t            *value;
    ngx_uint_t            i;
    ux_model_t           *model;
    ux_funnel_t          *funnel;
    ngx_http_ux_block_t   block;
    ngx_http_ux_place_t  *place;

    ngx_memzero(&block, sizeof(ngx_http_ux_block_t));

    value = cf->args->elts;
    block.name = value[1];

    if (!ux_name_check(ngx_http_ux_str(value[1]))) {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "a funnel's name: a lower-case "
                                          "letter, then letters, digits or "
                                          "\"_\", at most 64 in all");
    }

    if (ngx_http_ux_block_own(cf, &block) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    model = &block.zone->model;

    for (i = 0; i < model->nfunnels; i++) {
        if (ux_str_equal(model->funnels[i].name, ngx_http_ux_str(value[1])))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate \"ux_funnel\" \"%V\"", &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    if (model->nfunnels == UX_FUNNELS_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "too many funnels at \"%V\": a zone holds %d",
                           &value[1], UX_FUNNELS_MAX);
        return NGX_CONF_ERROR;
    }

    place = ngx_array_push(&block.zone->funnel_places);
    if (place == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_http_ux_place(cf, &block.place);
    *place = block.place;

    funnel = &model->funnels[model->nfunnels++];
    funnel->name = ngx_http_ux_str(value[1]);
    funnel->cart_event = UX_SLOT_NONE;
    funnel->cart = UX_SLOT_NONE;
    block.funnel = funnel;

    rv = ngx_http_ux_block_parse(cf, &block, ngx_http_ux_funnel_line);

    if (rv == NGX_CONF_OK && funnel->nsteps == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "no step in \"ux_funnel\" \"%V\": expected at least "
                      "one \"step EVENT;\" in %V:%ui", &block.name,
                      &block.place.file, block.place.line);
        return NGX_CONF_ERROR;
    }

    return rv;
}


static char *
ngx_http_ux_funnel_line(ngx_conf_t *cf, ngx_command_t *dummy, void *conf)
{
    return ngx_http_ux_block_line(cf, conf, ngx_http_ux_funnel_lines);
}


static char *
ngx_http_ux_step(ngx_conf_t *cf, ngx_http_ux_block_t *b)
{
    unsigned      i;
    ngx_str_t    *value;
    ux_step_t    *step;

    value = cf->args->elts;

    if (b->funnel->nsteps == UX_FUNNEL_STEPS_MAX) {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "at most 16 steps in a funnel");
    }

    step = &b->funnel->steps[b->funnel->nsteps];
    step->optional = false;
    step->slot = UX_SLOT_NONE;

    if (!ux_name_check(ngx_http_ux_str(value[1]))) {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "an event's name: a lower-case "
                                          "letter, then letters, digits or "
                                          "\"_\", at most 64 in all");
    }

    if (cf->args->nelts == 3) {
        if (ngx_strcmp(value[2].data, "optional") != 0) {
            return ngx_http_ux_block_expected(cf, &value[2], "\"optional\"");
        }

        step->optional = true;
    }

    if (ux_model_event_add(&b->zone->model, ngx_http_ux_str(value[1]),
                           &step->event)
        != UX_OK)
    {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "at most 64 event names in a zone");
    }

    for (i = 0; i < b->funnel->nsteps; i++) {
        if (b->funnel->steps[i].event == step->event) {
            return ngx_http_ux_block_expected(cf, &value[1],
                                              "each step once");
        }
    }

    b->funnel->nsteps++;

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_cart(ngx_conf_t *cf, ngx_http_ux_block_t *b)
{
    ngx_int_t   ms;
    ngx_str_t  *value, s;

    value = cf->args->elts;
    ms = 60 * 60 * 1000;

    if (cf->args->nelts == 3) {

        s.data = value[2].data + 7;
        s.len = value[2].len - 7;

        if (ngx_strncmp(value[2].data, "within=", 7) != 0) {
            return ngx_http_ux_block_expected(cf, &value[2],
                                              "\"within=60m\"");
        }

        ms = ngx_parse_time(&s, 0);

        if (ms == NGX_ERROR || ms < 1000
            || ms / 1000 > NGX_HTTP_UX_TIME_MAX)
        {
            return ngx_http_ux_block_expected(cf, &value[2],
                                              "a time from 1s to 3650d, like "
                                              "\"within=60m\"");
        }
    }

    if (!ux_name_check(ngx_http_ux_str(value[1]))
        || ngx_strcmp(value[1].data, "purchase") == 0)
    {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "the event that opens a cart, like "
                                          "\"add_to_cart\"");
    }

    if (ux_model_event_add(&b->zone->model, ngx_http_ux_str(value[1]),
                           &b->funnel->cart_event)
        != UX_OK)
    {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "at most 64 event names in a zone");
    }

    b->funnel->within_ms = (uint64_t) ms;

    return NGX_CONF_OK;
}
