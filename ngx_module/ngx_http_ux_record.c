
/*
 * Copyright (C) the nginx-ux authors
 *
 * What a request leaves in the zone.  The record is committed first, the
 * counters follow, and the answer's header goes out last: what a client has
 * seen is counted, whatever becomes of the worker.
 */

#include "ngx_http_ux_request.h"


static ngx_uint_t ngx_http_ux_barred(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx);
static void ngx_http_ux_record_events(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx);
static void ngx_http_ux_record_event(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_http_ux_event_t *event);
static void ngx_http_ux_record_zones(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx);
static void ngx_http_ux_discard_flush(ngx_http_ux_ctx_t *ctx);
static void ngx_http_ux_name_events(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx);


void
ngx_http_ux_record(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_uint_t with_events)
{
    ctx->recorded = 1;

    if (ctx->stats) {
        return;
    }

    if (!with_events) {
        ctx->pending = NULL;

    } else if (ctx->entered != NULL) {
        ngx_http_ux_record_events(r, ctx);
    }

    if (with_events && ctx->beacon != NULL && ctx->beacon->read) {
        ngx_http_ux_beacon_record(r, ctx);
        ngx_http_ux_name_events(r, ctx);
        ngx_http_ux_discard_flush(ctx);
        return;
    }

    if (ctx->wanted || ctx->pending != NULL) {
        ngx_http_ux_determine(r, ctx, ctx->wanted);

    } else {
        ngx_http_ux_recognize(r, ctx);
    }

    if (ctx->zone == NULL) {
        return;
    }

    if (ngx_http_ux_barred(r, ctx)) {

        /* no exposure and no event, but the cookie still confirms */

        ctx->barred = 1;
        ctx->pending = NULL;
    }

    if (ctx->expire) {
        ngx_http_ux_cookie_expire(r, ctx);
    }

    if (ctx->zone->joined && !ctx->barred && ctx->keyed) {
        ngx_http_ux_join(r, ctx);
    }

    if (!ctx->excluded) {
        ngx_http_ux_record_zones(r, ctx);
    }

    ngx_http_ux_name_events(r, ctx);
    ngx_http_ux_discard_flush(ctx);
}


static ngx_uint_t
ngx_http_ux_barred(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    ux_discard_e  why;

    if (!ngx_http_ux_exposes(ctx) && ctx->pending == NULL) {
        return 0;
    }

    why = ngx_http_ux_barred_why(r, ctx);

    if (why == UX_DISCARDS) {
        return 0;
    }

    /* the page may be shown yet: see ux_track_prefetch() */

    ctx->waits = (why == UX_DISCARD_PREFETCH) && ngx_http_ux_exposes(ctx);

    ngx_http_ux_discard(ctx, why);

    return 1;
}


/*
 * Not counted, for another reason than not being a navigation.  The first
 * reason in the order of ux_discard_e is the one that is counted.
 */
ux_discard_e
ngx_http_ux_barred_why(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    if (ctx->excluded) {
        return UX_DISCARD_EXCLUDED;
    }

    if (ctx->overridden) {
        return UX_DISCARD_OVERRIDE;
    }

    if (ctx->no_consent) {
        return UX_DISCARD_NO_CONSENT;
    }

    if (ngx_http_ux_barred_bot(r, ctx)) {
        return UX_DISCARD_BOT;
    }

    if (ctx->prefetch) {
        return UX_DISCARD_PREFETCH;
    }

    if (ctx->method == NGX_HTTP_HEAD) {
        return UX_DISCARD_HEAD;
    }

    if (ctx->key.len == 0 && ctx->cross_site
        && ctx->method == NGX_HTTP_POST)
    {
        return UX_DISCARD_CROSS_SITE;
    }

    return UX_DISCARDS;
}


/* The ux_event directives of every location entered. */
static void
ngx_http_ux_record_events(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    ngx_uint_t                i, k;
    ngx_http_ux_event_t     **event;
    ngx_http_ux_loc_conf_t  **entered;

    entered = ctx->entered->elts;

    for (i = 0; i < ctx->entered->nelts; i++) {
        event = entered[i]->events->elts;

        for (k = 0; k < entered[i]->events->nelts; k++) {
            if (ngx_http_ux_event_happened(r, ctx, event[k])) {
                ngx_http_ux_record_event(r, ctx, event[k]);
            }
        }
    }
}


static void
ngx_http_ux_record_event(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_event_t *event)
{
    ngx_int_t               rc;
    ux_event_t              e;
    ngx_http_ux_pending_t  *pending;

    rc = ngx_http_ux_event_evaluate(r, event, &e);

    if (rc != NGX_OK) {
        if (rc == NGX_DECLINED) {
            ngx_http_ux_discard(ctx, UX_DISCARD_BAD_EVENT);
            ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                          "event \"%V\" not recorded: its value or currency "
                          "is none", &event->name);
        }

        return;
    }

    pending = ngx_http_ux_pending_push(r, ctx);

    if (pending != NULL) {
        pending->event = e;
        pending->zone = event->zone;
        pending->name = event->name;
        pending->accepted = 0;
    }
}


ngx_http_ux_pending_t *
ngx_http_ux_pending_push(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    ngx_http_ux_pending_t  *pending;

    if (ctx->pending == NULL) {
        ctx->pending = ngx_http_ux_few(r, &ctx->few[1], ctx->few_pending,
                                       sizeof(ngx_http_ux_pending_t));
    }

    pending = ngx_array_push(ctx->pending);

    if (pending != NULL) {
        ngx_memzero(pending, sizeof(ngx_http_ux_pending_t));
    }

    return pending;
}


/* One turn in the request's zone, and in others that events name. */
static void
ngx_http_ux_record_zones(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    ngx_uint_t               i, k;
    ngx_http_ux_zone_t      *zone;
    ngx_http_ux_pending_t   *pending;

    if (ctx->key.len == 0 || ctx->transient) {

        if (ctx->pending != NULL) {
            ngx_http_ux_discard(ctx, UX_DISCARD_NOT_EXPOSED);
        }

        return;
    }

    ngx_http_ux_turn(r, ctx, ctx->zone);

    if (ctx->pending == NULL) {
        return;
    }

    pending = ctx->pending->elts;

    for (i = 0; i < ctx->pending->nelts; i++) {
        zone = pending[i].zone;

        for (k = 0; k < i; k++) {
            if (pending[k].zone == zone) {
                break;
            }
        }

        if (k == i && zone != ctx->zone) {
            ngx_http_ux_turn(r, ctx, zone);
        }
    }
}


/* The first reason only; a bad cookie is counted beside any other. */
static void
ngx_http_ux_discard_flush(ngx_http_ux_ctx_t *ctx)
{
    uint32_t    why;
    ngx_uint_t  i;

    if (ctx->discarded == 0 || !ctx->zone->joined) {
        return;
    }

    why = ctx->discarded & ~(1u << UX_DISCARD_BAD_COOKIE);
    why &= 0u - why;
    why |= ctx->discarded & (1u << UX_DISCARD_BAD_COOKIE);

    for (i = 0; i < UX_DISCARDS; i++) {
        if (why & (1u << i)) {
            ux_counter_add(&ctx->zone->store.counter,
                           (uint32_t) (UX_ZONE_DISCARDED + i), 1);
        }
    }

    ctx->shown |= ctx->discarded;
    ctx->discarded = 0;
}


/* "add_to_cart,purchase": what $ux_events says. */
static void
ngx_http_ux_name_events(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    u_char                 *p;
    size_t                  len;
    ngx_uint_t              i;
    ngx_http_ux_pending_t  *pending;

    if (ctx->pending == NULL) {
        return;
    }

    pending = ctx->pending->elts;
    len = 0;

    for (i = 0; i < ctx->pending->nelts; i++) {
        len += pending[i].name.len + 1;
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return;
    }

    ctx->events.data = p;

    for (i = 0; i < ctx->pending->nelts; i++) {

        if (!pending[i].accepted) {
            continue;
        }

        if (p != ctx->events.data) {
            *p++ = ',';
        }

        p = ngx_cpymem(p, pending[i].name.data, pending[i].name.len);
    }

    ctx->events.len = p - ctx->events.data;
}


/* The zone's hash of the visitor's key. */
ux_key_t
ngx_http_ux_zone_key(ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone)
{
    return (zone == ctx->zone)
           ? ctx->hash
           : ux_hash_key(zone->store.head->index_key, ctx->key);
}
