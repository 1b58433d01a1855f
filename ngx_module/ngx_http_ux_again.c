
/*
 * Copyright (C) the nginx-ux authors
 *
 * A further page of somebody known: all that it changes in the record is when
 * its visitor was last seen, and all it adds to counters is the page.  Most
 * requests are such, and need no turn of the record: the outline that told
 * their variants told that much.  Decides as a turn would; what it is not sure
 * of is left to one.
 */

#include "ngx_http_ux_request.h"


static ngx_uint_t ngx_http_ux_again_may(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone);
static ngx_int_t ngx_http_ux_again_arms(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone, uint16_t *arms);


ngx_int_t
ngx_http_ux_turn_again(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone)
{
    uint16_t    *arms;
    uint32_t     now_s;
    ngx_uint_t   i, page;

    if (!ngx_http_ux_again_may(r, ctx, zone)) {
        return NGX_DECLINED;
    }

    arms = ngx_http_ux_arms(r, ctx);

    if (arms == NULL
        || ngx_http_ux_again_arms(r, ctx, zone, arms) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    page = ctx->navigation;
    now_s = (uint32_t) (ngx_http_ux_now_ms() / 1000);

    if (ux_table_touch(&zone->store.table, &ctx->seen, now_s,
                       page ? 0 : NGX_HTTP_UX_TOUCH, UX_SESSION_S)
        != UX_OK)
    {
        return NGX_DECLINED;
    }

    ctx->arms = arms;
    ctx->exposed = (arms[0] != UX_ARM_NONE && ngx_http_ux_exposes(ctx));

    for (i = 0; page && arms[i] != UX_ARM_NONE; i++) {
        ux_counter_add(&zone->store.counter,
                       zone->store.arms[arms[i]].base + UX_ARM_PAGES, 1);
    }

    return NGX_OK;
}


/* Nothing is told of the visitor, and nothing went wrong. */
static ngx_uint_t
ngx_http_ux_again_may(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone)
{
    return ctx->steady && zone == ctx->zone && ctx->pending == NULL
           && !ctx->barred && !ctx->prefetch && ctx->collect == NULL
           && ctx->decider != NULL && !ctx->decider->expose->off
           && ctx->method != NGX_HTTP_POST
           && !ngx_http_ux_failed(ctx->method, r->headers_out.status);
}


/* The arms that are shown, each one counted before. */
static ngx_int_t
ngx_http_ux_again_arms(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone, uint16_t *arms)
{
    ngx_uint_t             i, n;
    ngx_http_ux_choice_t  *choice;
    ngx_http_ux_expose_t  *expose;

    expose = ctx->decider->expose;

    if (ngx_http_ux_kept_shown(ctx, expose) && ctx->kept->steady) {
        ngx_memcpy(arms, ctx->kept->arms, (expose->n + 1) * sizeof(uint16_t));
        return NGX_OK;
    }

    n = 0;

    for (i = 0; i < expose->n; i++) {
        choice = ngx_http_ux_choose(r, ctx, zone, expose->experiments[i]);

        if (choice == NULL) {
            return NGX_DECLINED;
        }

        if (choice->reason == NGX_HTTP_UX_REASON_CACHED && choice->steady) {
            arms[n++] = choice->arm;
            continue;
        }

        if (choice->reason == NGX_HTTP_UX_REASON_ERROR
            || ngx_http_ux_counts(choice))
        {
            return NGX_DECLINED;
        }
    }

    arms[n] = UX_ARM_NONE;

    return NGX_OK;
}
