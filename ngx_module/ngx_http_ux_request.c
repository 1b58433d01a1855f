
/*
 * Copyright (C) the nginx-ux authors
 *
 * Where a request passes through the module, and the state it carries.
 *
 *   post read    the client's variant header goes
 *   rewrite      every location entered: who decides, which events
 *   precontent   after access: the visitor, the header for the upstream
 *   header       exposures and events are recorded, our cookie goes out
 *   log          status counters; exposure of requests never answered
 *
 * "return", "rewrite" and errors found before the phases skip some of these;
 * the header filter then does what was left out.  Subrequests do nothing.
 */

#include "ngx_http_ux_module.h"


static ngx_int_t ngx_http_ux_header_filter(ngx_http_request_t *r);
static void ngx_http_ux_cleanup(void *data);
static void ngx_http_ux_enter_zone(ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone);
static void ngx_http_ux_enter_events(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_http_ux_loc_conf_t *lcf);


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;


ngx_int_t
ngx_http_ux_filter_init(ngx_conf_t *cf)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_ux_header_filter;

    return NGX_OK;
}


/* Marks the state among the pool's cleanup handlers. */
static void
ngx_http_ux_cleanup(void *data)
{
    /* the pool frees it */
}


ngx_http_ux_ctx_t *
ngx_http_ux_ctx_find(ngx_http_request_t *r, ngx_uint_t create)
{
    ngx_http_ux_ctx_t   *ctx;
    ngx_pool_cleanup_t  *cln;

    if (r->internal || r->filter_finalize) {

        /* the context may have been zeroed */

        for (cln = r->pool->cleanup; cln != NULL; cln = cln->next) {
            if (cln->handler == ngx_http_ux_cleanup) {
                ctx = cln->data;
                ngx_http_set_ctx(r, ctx, ngx_http_ux_module);
                return ctx;
            }
        }
    }

    if (!create) {
        return NULL;
    }

    /* with its cleanup handler in one piece */

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_ux_ctx_t));
    if (ctx == NULL) {
        return NULL;
    }

    cln = &ctx->cleanup;
    cln->handler = ngx_http_ux_cleanup;
    cln->data = ctx;
    cln->next = r->pool->cleanup;
    r->pool->cleanup = cln;

    ctx->method = r->method;

    ngx_http_set_ctx(r, ctx, ngx_http_ux_module);

    return ctx;
}


ngx_int_t
ngx_http_ux_post_read_handler(ngx_http_request_t *r)
{
    ngx_http_ux_ctx_t       *ctx;
    ngx_http_ux_srv_conf_t  *scf;

    scf = ngx_http_get_module_srv_conf(r, ngx_http_ux_module);

    if (!scf->active || r != r->main) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_ux_ctx(r, 1);

    if (ctx != NULL && !ctx->stripped) {
        ctx->lengths = ngx_http_ux_lengths(&r->headers_in.headers);

        if (ctx->lengths & scf->lengths) {
            ngx_http_ux_header_strip(r, &scf->headers);
        }

        ctx->stripped = 1;
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_ux_rewrite_handler(ngx_http_request_t *r)
{
    ngx_http_ux_ctx_t       *ctx;
    ngx_http_ux_srv_conf_t  *scf;

    scf = ngx_http_get_module_srv_conf(r, ngx_http_ux_module);

    if (!scf->active || r != r->main) {
        return NGX_DECLINED;
    }

    /* an error found in the request line comes here first, by error_page */

    (void) ngx_http_ux_post_read_handler(r);

    ctx = ngx_http_ux_ctx(r, 1);

    if (ctx != NULL) {
        ngx_http_ux_enter(r, ctx);
    }

    return NGX_DECLINED;
}


void
ngx_http_ux_enter(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    ngx_http_ux_loc_conf_t  *lcf;

    /* a redirect by the upstream's answer: what it said must not be lost */

    if (r->upstream != NULL) {
        ngx_http_ux_upstream_collect(r, ctx);
    }

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_ux_module);

    if (lcf->plain) {
        return;
    }

    if (lcf->stats) {
        ctx->stats = 1;
        return;
    }

    if (lcf->collect != NULL && ctx->collect == NULL) {
        ctx->collect = lcf->collect;
        ngx_http_ux_enter_zone(ctx, lcf->collect->zone);
    }

    if (ctx->collect != NULL) {

        /* it exposes nothing, and nothing but its body tells events */

        ctx->wanted = 0;
        ctx->entered = NULL;
        return;
    }

    if (ctx->decider == NULL && lcf->expose != NULL) {
        ctx->decider = lcf;

        if (!lcf->expose->off) {
            ctx->wanted = 1;
            ngx_http_ux_enter_zone(ctx, lcf->expose->zone);
        }
    }

    if (lcf->events != NULL) {
        ctx->wanted = 1;
        ngx_http_ux_enter_events(r, ctx, lcf);
    }
}


/* A visitor asked for earlier may have been looked up in another zone. */
static void
ngx_http_ux_enter_zone(ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone)
{
    if (ctx->zone == NULL || ctx->zone == zone) {
        return;
    }

    ctx->zone = zone;
    ctx->hash = ux_hash_key(zone->store.head->index_key, ctx->key);

    /* those of cookie and alias were keyed by the other zone */

    ctx->cookie_hash = 0;
    ctx->aliases = 0;
    ctx->record_read = 0;
    ctx->steady = 0;
}


static void
ngx_http_ux_enter_events(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_loc_conf_t *lcf)
{
    ngx_uint_t                i;
    ngx_http_ux_loc_conf_t  **entered;

    if (ctx->entered == NULL) {
        ctx->entered = ngx_array_create(r->pool, 2,
                                        sizeof(ngx_http_ux_loc_conf_t *));
        if (ctx->entered == NULL) {
            return;
        }
    }

    entered = ctx->entered->elts;

    for (i = 0; i < ctx->entered->nelts; i++) {
        if (entered[i]->events == lcf->events) {
            return;
        }
    }

    entered = ngx_array_push(ctx->entered);

    if (entered != NULL) {
        *entered = lcf;
    }
}


ngx_int_t
ngx_http_ux_precontent_handler(ngx_http_request_t *r)
{
    ngx_http_ux_ctx_t       *ctx;
    ngx_http_ux_srv_conf_t  *scf;

    scf = ngx_http_get_module_srv_conf(r, ngx_http_ux_module);

    if (!scf->active || r != r->main) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_ux_ctx(r, 1);

    if (ctx == NULL || !ctx->wanted) {
        return NGX_DECLINED;
    }

    ngx_http_ux_determine(r, ctx, 1);

    if (ctx->decider != NULL && !ctx->decider->expose->off
        && ngx_http_ux_header_send(r, ctx) != NGX_OK)
    {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "variant header not sent: out of memory");
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_ux_header_filter(ngx_http_request_t *r)
{
    ngx_http_ux_ctx_t       *ctx;
    ngx_http_ux_loc_conf_t  *lcf;
    ngx_http_ux_srv_conf_t  *scf;

    scf = ngx_http_get_module_srv_conf(r, ngx_http_ux_module);

    if (!scf->active || r != r->main) {
        return ngx_http_next_header_filter(r);
    }

    ctx = ngx_http_ux_ctx(r, 1);

    if (ctx != NULL && !ctx->recorded) {

        /* "return" in the server block enters no location */

        ngx_http_ux_enter(r, ctx);

        if (ngx_http_ux_idle(r, ctx)) {
            ctx->recorded = 1;

        } else {
            ngx_http_ux_record(r, ctx, 1);
        }
    }

    ngx_http_ux_upstream_strip(r);

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_ux_module);

    if (ctx != NULL && lcf->watched) {
        ngx_http_ux_debug_send(r, ctx);
    }

    return ngx_http_next_header_filter(r);
}


ngx_int_t
ngx_http_ux_log_handler(ngx_http_request_t *r)
{
    ngx_http_ux_ctx_t       *ctx;
    ngx_http_ux_srv_conf_t  *scf;

    scf = ngx_http_get_module_srv_conf(r, ngx_http_ux_module);

    if (!scf->active || r != r->main) {
        return NGX_OK;
    }

    ctx = ngx_http_ux_ctx(r, 1);

    if (ctx == NULL) {
        return NGX_OK;
    }

    if (!ctx->recorded) {

        /* the client left, or 444: no header was ever made */

        if (ctx->stripped) {

            /* "return 444" in the server block enters no location */

            ngx_http_ux_enter(r, ctx);
        }

        ngx_http_ux_record(r, ctx, 0);
    }

    ngx_http_ux_log(r, ctx);

    return NGX_OK;
}


/* Once a request and reason; counted with everything else, by record(). */
void
ngx_http_ux_discard(ngx_http_ux_ctx_t *ctx, ux_discard_e why)
{
    ctx->discarded |= 1u << why;
}
