
/*
 * Copyright (C) the nginx-ux authors
 *
 * Which variant the request gets of each experiment.
 */

#include "ngx_http_ux_module.h"


static ngx_int_t ngx_http_ux_choices(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone);
static void ngx_http_ux_choices_recorded(ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone);


ngx_http_ux_choice_t *
ngx_http_ux_choose(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone, ngx_uint_t experiment)
{
    ux_experiment_t       *e;
    ngx_http_ux_choice_t  *choice;

    if (!ctx->determined || ngx_http_ux_choices(r, ctx, zone) != NGX_OK) {
        return NULL;
    }

    choice = &ctx->choices[zone->first + experiment];

    if (choice->known) {
        return choice;
    }

    e = &zone->model.experiments[experiment];

    if (ctx->key.len == 0) {
        choice->variant = 0;
        choice->reason = NGX_HTTP_UX_REASON_DEFAULT;

    } else {
        choice->variant = (int8_t) ux_experiment_assign(e, ctx->key);
        choice->reason = (choice->variant == UX_VARIANT_NONE)
                         ? NGX_HTTP_UX_REASON_DEFAULT
                         : NGX_HTTP_UX_REASON_SPLIT;
    }

    choice->known = 1;

    return choice;
}


/* Room for all, and what the zone's record of the visitor says, once. */
static ngx_int_t
ngx_http_ux_choices(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone)
{
    ngx_http_ux_main_conf_t  *mcf;

    if (ctx->choices == NULL) {
        mcf = ngx_http_get_module_main_conf(r, ngx_http_ux_module);

        ctx->choices = ngx_pcalloc(r->main->pool, mcf->names.nelts
                                              * sizeof(ngx_http_ux_choice_t));
        if (ctx->choices == NULL) {
            return NGX_ERROR;
        }
    }

    if (ctx->chosen & (1u << zone->ordinal)) {
        return NGX_OK;
    }

    ctx->chosen |= 1u << zone->ordinal;

    if (ctx->key.len != 0 && !ctx->minted && !ctx->transient) {
        ngx_http_ux_choices_recorded(ctx, zone);
    }

    return NGX_OK;
}


/*
 * A visitor keeps the variants of its record, but where a variant is gone
 * from the configuration or the experiment is not sticky.
 */
static void
ngx_http_ux_choices_recorded(ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone)
{
    ux_arm_t              *arm;
    ngx_uint_t             i;
    ux_store_t            *store;
    ux_visitor_t          *v;
    ngx_http_ux_choice_t  *choice;

    store = &zone->store;
    v = &zone->visitor;

    if (ux_table_read(&store->table, ngx_http_ux_zone_key(ctx, zone),
                      (uint32_t) ngx_time(), v)
        != UX_OK)
    {
        return;
    }

    for (i = 1; i < v->ntracks; i++) {

        if (v->tracks[i].arm >= store->plan.narms) {
            ux_store_refresh(store);
        }

        if (v->tracks[i].arm >= store->plan.narms) {
            continue;
        }

        arm = &store->arms[v->tracks[i].arm];

        if (arm->experiment < 0 || arm->variant < 0
            || !zone->model.experiments[arm->experiment].sticky)
        {
            continue;
        }

        choice = &ctx->choices[zone->first + arm->experiment];
        choice->variant = (int8_t) arm->variant;
        choice->reason = NGX_HTTP_UX_REASON_CACHED;
        choice->known = 1;
    }
}


ngx_int_t
ngx_http_ux_variants(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_str_t *value)
{
    size_t                 len;
    u_char                *p;
    ngx_uint_t             i;
    ux_variant_t          *variant;
    ux_experiment_t       *e;
    ngx_http_ux_choice_t  *choice;
    ngx_http_ux_expose_t  *expose;

    ngx_str_null(value);

    expose = ngx_http_ux_decider(r, ctx)->expose;

    if (expose == NULL || expose->off) {
        return NGX_OK;
    }

    e = expose->zone->model.experiments;
    len = 0;

    for (i = 0; i < expose->n; i++) {
        choice = ngx_http_ux_choose(r, ctx, expose->zone,
                                    expose->experiments[i]);

        if (choice == NULL) {
            return NGX_ERROR;
        }

        if (choice->variant != UX_VARIANT_NONE) {
            variant = &e[expose->experiments[i]].variants[choice->variant];
            len += e[expose->experiments[i]].name.len + 1
                   + variant->name.len + 2;
        }
    }

    if (len == 0) {
        return NGX_OK;
    }

    p = ngx_pnalloc(r->main->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value->data = p;

    for (i = 0; i < expose->n; i++) {
        choice = ngx_http_ux_choose(r, ctx, expose->zone,
                                    expose->experiments[i]);

        if (choice->variant == UX_VARIANT_NONE) {
            continue;
        }

        variant = &e[expose->experiments[i]].variants[choice->variant];

        if (p != value->data) {
            *p++ = ',';
            *p++ = ' ';
        }

        p = ngx_cpymem(p, e[expose->experiments[i]].name.data,
                       e[expose->experiments[i]].name.len);
        *p++ = '=';
        p = ngx_cpymem(p, variant->name.data, variant->name.len);
    }

    value->len = p - value->data;

    return NGX_OK;
}
