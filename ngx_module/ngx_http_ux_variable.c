
/*
 * Copyright (C) the nginx-ux authors
 *
 * Variables.  Reading one about the visitor determines the visitor.
 */

#include "ngx_http_ux_request.h"


static ngx_int_t ngx_http_ux_variable_visitor(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_ux_variable_variants(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_ux_variable_events(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_ux_variable_bot(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_ux_variable_variant(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_ux_variable_reason(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_http_ux_choice_t *ngx_http_ux_variable_choice(
    ngx_http_request_t *r, uintptr_t data);
static ngx_int_t ngx_http_ux_variable_add(ngx_conf_t *cf, char *prefix,
    ux_str_t name, ngx_http_get_variable_pt handler, void *data);


static ngx_http_variable_t  ngx_http_ux_vars[] = {

    { ngx_string("ux_visitor"), NULL, ngx_http_ux_variable_visitor, 0,
      0, 0 },

    { ngx_string("ux_variants"), NULL, ngx_http_ux_variable_variants, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("ux_events"), NULL, ngx_http_ux_variable_events, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("ux_bot"), NULL, ngx_http_ux_variable_bot, 0,
      0, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_ux_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_ux_vars; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_ux_add_experiment_variables(ngx_conf_t *cf,
    ngx_http_ux_zone_t *zone, ngx_uint_t index)
{
    ux_experiment_t           *e;
    ngx_http_ux_experiment_t  *experiment;

    experiment = ngx_palloc(cf->pool, sizeof(ngx_http_ux_experiment_t));
    if (experiment == NULL) {
        return NGX_ERROR;
    }

    experiment->zone = zone;
    experiment->index = index;

    e = (ux_experiment_t *) zone->experiments.elts + index;

    if (ngx_http_ux_variable_add(cf, "ux_variant_", e->name,
                                 ngx_http_ux_variable_variant, experiment)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_ux_variable_add(cf, "ux_reason_", e->name,
                                    ngx_http_ux_variable_reason, experiment);
}


/*
 * The longest names do not fit nginx's default bucket: nobody should have to
 * set variables_hash_bucket_size for them.
 */
void
ngx_http_ux_variables_room(ngx_conf_t *cf, ngx_array_t *names)
{
    ngx_str_t                  *name;
    ngx_uint_t                  i, size;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    name = names->elts;

    for (i = 0; i < names->nelts; i++) {

        /* the element of a hash, and the pointer that ends a bucket */

        size = 2 * sizeof(void *) + 2 * sizeof(u_short)
               + sizeof("ux_variant_") - 1 + name[i].len;
        size = ngx_align(size, ngx_cacheline_size);

        cmcf->variables_hash_bucket_size =
                         ngx_max(cmcf->variables_hash_bucket_size, size);
    }
}


static ngx_int_t
ngx_http_ux_variable_add(ngx_conf_t *cf, char *prefix, ux_str_t name,
    ngx_http_get_variable_pt handler, void *data)
{
    u_char               *p;
    size_t                len;
    ngx_str_t             full;
    ngx_http_variable_t  *var;

    len = ngx_strlen(prefix);

    full.len = len + name.len;
    full.data = ngx_pnalloc(cf->pool, full.len);
    if (full.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(full.data, prefix, len);
    ngx_memcpy(p, name.data, name.len);

    var = ngx_http_add_variable(cf, &full, NGX_HTTP_VAR_NOCACHEABLE);
    if (var == NULL) {
        return NGX_ERROR;
    }

    var->get_handler = handler;
    var->data = (uintptr_t) data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_ux_variable_visitor(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_ux_ctx_t  *ctx;

    ctx = ngx_http_ux_ctx(r, 1);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    ngx_http_ux_determine(r->main, ctx, !r->main->header_sent);

    /* the transient key of a bot names nobody */

    v->len = ctx->transient ? 0 : (unsigned) ctx->key.len;
    v->data = (u_char *) ctx->key.data;
    v->valid = 1;
    v->no_cacheable = ctx->determining;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_http_ux_variable_variants(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t           value;
    ngx_http_ux_ctx_t  *ctx;

    ngx_str_null(&value);

    ctx = ngx_http_ux_ctx(r, 1);

    if (ctx == NULL) {
        return NGX_ERROR;
    }

    ngx_http_ux_determine(r->main, ctx, !r->main->header_sent);

    if (ngx_http_ux_variants(r, ctx, &value) != NGX_OK) {
        return NGX_ERROR;
    }

    v->len = (unsigned) value.len;
    v->data = value.data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


/* Names of the events this request recorded: "add_to_cart,purchase". */
static ngx_int_t
ngx_http_ux_variable_events(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_ux_ctx_t  *ctx;

    ctx = ngx_http_ux_ctx(r, 0);

    if (ctx == NULL) {
        *v = ngx_http_variable_null_value;
        return NGX_OK;
    }

    v->len = (unsigned) ctx->events.len;
    v->data = ctx->events.data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_http_ux_variable_bot(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_ux_ctx_t  *ctx;

    ctx = ngx_http_ux_ctx(r, 1);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    v->len = 1;
    v->data = (u_char *) (ngx_http_ux_is_bot(r->main, ctx) ? "1" : "0");
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_http_ux_variable_variant(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ux_variant_t              *variant;
    ngx_http_ux_choice_t      *choice;
    ngx_http_ux_experiment_t  *experiment;

    experiment = (ngx_http_ux_experiment_t *) data;
    choice = ngx_http_ux_variable_choice(r, data);

    v->len = 0;
    v->data = (u_char *) "";
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    if (choice == NULL || choice->variant != UX_VARIANT_NONE) {

        /* fail open: the control */

        variant = experiment->zone->model.experiments[experiment->index]
                  .variants;
        variant += (choice == NULL) ? 0 : choice->variant;

        v->len = (unsigned) variant->name.len;
        v->data = (u_char *) variant->name.data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_ux_variable_reason(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t             *reason;
    ngx_http_ux_choice_t  *choice;

    choice = ngx_http_ux_variable_choice(r, data);
    reason = ngx_http_ux_reason((choice == NULL) ? NGX_HTTP_UX_REASON_ERROR
                                                 : choice->reason);

    v->len = (unsigned) reason->len;
    v->data = reason->data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_http_ux_choice_t *
ngx_http_ux_variable_choice(ngx_http_request_t *r, uintptr_t data)
{
    ngx_http_ux_ctx_t         *ctx;
    ngx_http_ux_experiment_t  *experiment;

    experiment = (ngx_http_ux_experiment_t *) data;
    ctx = ngx_http_ux_ctx(r, 1);

    if (ctx == NULL) {
        return NULL;
    }

    ngx_http_ux_determine(r->main, ctx, !r->main->header_sent);

    return ngx_http_ux_choose(r->main, ctx, experiment->zone,
                              experiment->index);
}
