
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
 * the header filter then does what was left out.  Subrequests do nothing.  A
 * request without a state passes through all of them and is only counted.
 */

#include "ngx_http_ux_request.h"


static ngx_inline void ngx_http_ux_strip(ngx_http_request_t *r,
    ngx_http_ux_srv_conf_t *scf);
static ngx_inline ngx_uint_t ngx_http_ux_stateless(ngx_http_request_t *r);
static ngx_int_t ngx_http_ux_header_filter(ngx_http_request_t *r);
static ngx_int_t ngx_http_ux_header_pass(ngx_http_request_t *r);
static ngx_int_t ngx_http_ux_header_record(ngx_http_request_t *r);
static void ngx_http_ux_enter_location(ngx_http_request_t *r,
    ngx_http_ux_srv_conf_t *scf);
static void ngx_http_ux_tell_upstream(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx);
static void ngx_http_ux_log_record(ngx_http_request_t *r);
static void ngx_http_ux_cleanup(void *data);
static void ngx_http_ux_enter_zone(ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone);
static void ngx_http_ux_enter_events(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_http_ux_loc_conf_t *lcf);


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;

/* whose header, without a state, is with the next filters */
static ngx_http_request_t  *ngx_http_ux_passing;


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
    ngx_http_ux_ctx_t        *ctx;
    ngx_pool_cleanup_t       *cln;
    ngx_http_ux_main_conf_t  *mcf;

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

    /* redirects may have changed r->method */

    ctx->method = (r->request_line.len > 4
                   && ngx_memcmp(r->request_line.data, "GET ", 4) == 0)
                  ? NGX_HTTP_GET : r->method;

    if (r == ngx_http_ux_passing || r->header_sent) {

        /* its answer needed none, and a variable asks for one yet */

        mcf = ngx_http_get_module_main_conf(r, ngx_http_ux_module);
        ctx->zone = mcf->first;
        ctx->recorded = 1;
    }

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

    ngx_http_ux_strip(r, scf);

    /* outside of locations: most servers do nothing there */

    if (!ngx_http_ux_stateless(r)) {
        ctx = ngx_http_ux_ctx(r, 1);

        if (ctx != NULL) {
            ctx->stripped = 1;
        }
    }

    return NGX_DECLINED;
}


static ngx_inline void
ngx_http_ux_strip(ngx_http_request_t *r, ngx_http_ux_srv_conf_t *scf)
{
    if (ngx_http_ux_lengths_any(&r->headers_in.headers, scf->lengths)) {
        ngx_http_ux_header_strip(r, &scf->headers);
    }
}


/* May it do without a state, as long as nothing else asks for one? */
static ngx_inline ngx_uint_t
ngx_http_ux_stateless(ngx_http_request_t *r)
{
    ngx_http_ux_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_ux_module);

    return lcf->quiet && r->method == NGX_HTTP_GET && !r->internal;
}


ngx_int_t
ngx_http_ux_rewrite_handler(ngx_http_request_t *r)
{
    ngx_http_ux_srv_conf_t  *scf;

    scf = ngx_http_get_module_srv_conf(r, ngx_http_ux_module);

    if (!scf->active || r != r->main) {
        return NGX_DECLINED;
    }

    if (ngx_http_get_module_ctx(r, ngx_http_ux_module) != NULL
        || !ngx_http_ux_stateless(r))
    {
        ngx_http_ux_enter_location(r, scf);
    }

    return NGX_DECLINED;
}


static ngx_http_ux_apart void
ngx_http_ux_enter_location(ngx_http_request_t *r, ngx_http_ux_srv_conf_t *scf)
{
    ngx_http_ux_ctx_t  *ctx;

    ctx = ngx_http_ux_ctx(r, 1);

    if (ctx == NULL) {
        return;
    }

    if (!ctx->stripped) {

        /* an error found in the request line comes here by error_page */

        if (r->internal && r->err_status != 0) {
            ngx_http_ux_strip(r, scf);
        }

        ctx->stripped = 1;
    }

    ngx_http_ux_enter(r, ctx);
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

    if (lcf->plain || lcf == ctx->location) {
        return;
    }

    ctx->location = lcf;

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
    ctx->kept = NULL;
    ctx->unchanged = 0;
    ctx->replayed = 0;
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
        ctx->entered = ngx_http_ux_few(r, &ctx->few[0], ctx->few_entered,
                                       sizeof(ngx_http_ux_loc_conf_t *));
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

    ctx = ngx_http_get_module_ctx(r, ngx_http_ux_module);

    if (ctx != NULL && ctx->wanted) {
        ngx_http_ux_tell_upstream(r, ctx);
    }

    return NGX_DECLINED;
}


static ngx_http_ux_apart void
ngx_http_ux_tell_upstream(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    ngx_http_ux_determine(r, ctx, 1);

    if (ctx->decider != NULL && !ctx->decider->expose->off
        && ngx_http_ux_header_send(r, ctx) != NGX_OK)
    {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "variant header not sent: out of memory");
    }
}


static ngx_int_t
ngx_http_ux_header_filter(ngx_http_request_t *r)
{
    ngx_http_ux_srv_conf_t  *scf;

    scf = ngx_http_get_module_srv_conf(r, ngx_http_ux_module);

    if (!scf->active || r != r->main) {
        return ngx_http_next_header_filter(r);
    }

    if (ngx_http_get_module_ctx(r, ngx_http_ux_module) == NULL
        && ngx_http_ux_idle_quiet(r))
    {
        return ngx_http_ux_header_pass(r);
    }

    return ngx_http_ux_header_record(r);
}


/* Nothing is to be recorded of it, whatever variables the next ones read. */
static ngx_http_ux_apart ngx_int_t
ngx_http_ux_header_pass(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    ngx_http_ux_upstream_strip_any(r);

    ngx_http_ux_passing = r;
    rc = ngx_http_next_header_filter(r);
    ngx_http_ux_passing = NULL;

    return rc;
}


static ngx_http_ux_apart ngx_int_t
ngx_http_ux_header_record(ngx_http_request_t *r)
{
    ngx_http_ux_ctx_t       *ctx;
    ngx_http_ux_loc_conf_t  *lcf;

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

    ngx_http_ux_upstream_strip_any(r);

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_ux_module);

    if (ctx != NULL && lcf->debug != NULL) {
        ngx_http_ux_debug_send(r, ctx);
    }

    return ngx_http_next_header_filter(r);
}


ngx_int_t
ngx_http_ux_log_handler(ngx_http_request_t *r)
{
    ngx_http_ux_srv_conf_t   *scf;
    ngx_http_ux_main_conf_t  *mcf;

    scf = ngx_http_get_module_srv_conf(r, ngx_http_ux_module);

    if (!scf->active || r != r->main) {
        return NGX_OK;
    }

    if (ngx_http_get_module_ctx(r, ngx_http_ux_module) == NULL
        && r->header_sent && !r->internal && !r->filter_finalize)
    {
        mcf = ngx_http_get_module_main_conf(r, ngx_http_ux_module);
        ngx_http_ux_log_quiet(r, mcf->first);

    } else {
        ngx_http_ux_log_record(r);
    }

    return NGX_OK;
}


static ngx_http_ux_apart void
ngx_http_ux_log_record(ngx_http_request_t *r)
{
    ngx_http_ux_ctx_t  *ctx;

    ctx = ngx_http_ux_ctx(r, 1);

    if (ctx == NULL) {
        return;
    }

    if (!ctx->recorded) {

        /* the client left, or 444: no header was ever made */

        if (ctx->stripped || r->phase_handler > 0 || r->upstream != NULL) {

            /*
             * Phases had begun.  "return 444" in the server block enters no
             * location; another module may end a request before ours enters it
             */

            ngx_http_ux_enter(r, ctx);
        }

        ngx_http_ux_record(r, ctx, 0);
    }

    ngx_http_ux_log(r, ctx);
}


/* Once a request and reason; counted with everything else, by record(). */
void
ngx_http_ux_discard(ngx_http_ux_ctx_t *ctx, ux_discard_e why)
{
    ctx->discarded |= 1u << why;
}
