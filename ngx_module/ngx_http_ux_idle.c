
/*
 * Copyright (C) the nginx-ux authors
 *
 * Most requests ask for something that belongs to a page, and change nothing:
 * a location that neither exposes nor tells events, and a visitor known well.
 * This is the short way for them, which allocates and writes nothing; on a
 * connection that has seen the visitor's cookie they need no state either.
 */

#include "ngx_http_ux_request.h"


ngx_uint_t
ngx_http_ux_idle(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    ngx_http_ux_loc_conf_t   *lcf;
    ngx_http_ux_main_conf_t  *mcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_ux_module);

    /*
     * a location entered before may have had its say, an answer said what is
     * to be discarded, a variable was read
     */

    if (!lcf->quiet || ctx->decider != NULL || ctx->wanted
        || ctx->pending != NULL || ctx->discarded || ctx->collect != NULL
        || ctx->stats || ctx->determined || ctx->determining)
    {
        return 0;
    }

    if (ctx->zone == NULL) {
        mcf = ngx_http_get_module_main_conf(r, ngx_http_ux_module);
        ctx->zone = mcf->first;
    }

    return ctx->zone != NULL
           && ngx_http_ux_memo_find(r, ctx) == NGX_OK
           && ngx_http_ux_idle_glance(ctx) == NGX_OK
           && ctx->idle;
}


/*
 * The first zone's, as nothing names another.  What came with an upstream's
 * answer has to be looked at, and a state may be where only a search finds it.
 */
ngx_uint_t
ngx_http_ux_idle_quiet(ngx_http_request_t *r)
{
    ngx_http_ux_loc_conf_t   *lcf;
    ngx_http_ux_main_conf_t  *mcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_ux_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_ux_module);

    return lcf->quiet && r->method == NGX_HTTP_GET && r->upstream == NULL
           && !r->internal && !r->filter_finalize && mcf->first != NULL
           && ngx_http_ux_memo_idle(r, mcf->first);
}


/*
 * NGX_OK: it was verified before, and remembered in the record; NGX_ERROR: the
 * record has seen another; NGX_DECLINED: a glance does not tell.
 */
ngx_int_t
ngx_http_ux_idle_glance(ngx_http_ux_ctx_t *ctx)
{
    uint32_t     at;
    ux_glance_t  glance;

    at = UX_PROCESS_NONE;

    if (ux_table_glance_at(&ctx->zone->store.table, ctx->hash,
                           (uint32_t) ngx_time(),
                           ctx->kept != NULL ? &ctx->kept->at : &at, &glance)
        != UX_OK)
    {
        return NGX_DECLINED;
    }

    if (glance.cookie_hash != ctx->cookie_hash) {
        return NGX_ERROR;
    }

    ctx->known = glance.confirmed;
    ctx->idle = glance.confirmed && !glance.waiting
                && ngx_time() - (time_t) glance.last_s < NGX_HTTP_UX_TOUCH;

    return NGX_OK;
}
