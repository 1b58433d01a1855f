
/*
 * Copyright (C) the nginx-ux authors
 *
 * X-UX-Event: what the application's answer says happened.
 */

#include "ngx_http_ux_request.h"


static ngx_inline ngx_uint_t ngx_http_ux_upstream_is_event(
    ngx_table_elt_t *h);
static void ngx_http_ux_upstream_line(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_str_t *line);
static void ngx_http_ux_upstream_event(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone, ux_field_event_t *field);
static void ngx_http_ux_upstream_bad(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ux_str_t name);


static ngx_str_t  ngx_http_ux_event_header = ngx_string("X-UX-Event");


/*
 * From the upstream's own list of headers: r->headers_out does not have the
 * line under proxy_hide_header, X-Accel-Redirect or intercepted errors.
 */
void
ngx_http_ux_upstream_collect(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    ngx_list_part_t      *part;
    ngx_table_elt_t      *h, *last;
    ngx_http_upstream_t  *u;

    u = r->upstream;

    if (u == NULL || u == ctx->collected || u->headers_in.status_n == 0) {
        return;
    }

    ctx->collected = u;

    for (part = &u->headers_in.headers.part; part; part = part->next) {

        h = part->elts;
        last = h + part->nelts;

        for ( /* void */ ; h < last; h++) {

            if (!ngx_http_ux_upstream_is_event(h)) {
                continue;
            }

            if (ngx_http_ux_upstream_cache(r) == NGX_OK) {

                /* it was said to somebody else, when the answer was stored */

                ngx_http_ux_discard(ctx, UX_DISCARD_CACHED);
                return;
            }

            ngx_http_ux_upstream_line(r, ctx, &h->value);
        }
    }
}


/* One that is there: hash 0 is taken out. */
static ngx_inline ngx_uint_t
ngx_http_ux_upstream_is_event(ngx_table_elt_t *h)
{
    return h->key.len == sizeof("X-UX-Event") - 1
           && h->hash != 0
           && (h->key.data[0] | 0x20) == 'x'    /* not "Connection" */
           && ngx_strncasecmp(h->key.data, ngx_http_ux_event_header.data,
                              ngx_http_ux_event_header.len)
              == 0;
}


ngx_int_t
ngx_http_ux_upstream_cache(ngx_http_request_t *r)
{
#if (NGX_HTTP_CACHE)

    if (r->cached) {
        return NGX_OK;
    }

    if (r->upstream == NULL || r->upstream->cache_status == 0) {
        return NGX_ERROR;
    }

    switch (r->upstream->cache_status) {

    case NGX_HTTP_CACHE_HIT:
    case NGX_HTTP_CACHE_STALE:
    case NGX_HTTP_CACHE_UPDATING:
    case NGX_HTTP_CACHE_REVALIDATED:
        return NGX_OK;
    }

    return NGX_DECLINED;

#else

    return NGX_ERROR;

#endif
}


static void
ngx_http_ux_upstream_line(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_str_t *line)
{
    ux_str_t             rest;
    ngx_http_ux_zone_t  *zone;
    ux_field_event_t     field;

    zone = ngx_http_ux_request_zone(r, ctx);

    if (zone == NULL) {
        return;
    }

    rest = ngx_http_ux_str(*line);

    if (ux_field_check(rest) != UX_OK) {
        ngx_http_ux_discard(ctx, UX_DISCARD_BAD_EVENT);
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "upstream sent \"X-UX-Event\" that is no list of "
                      "events: expected a line like \"purchase;value=49.90;"
                      "currency=EUR;id=\\\"o-1\\\"\"");
        return;
    }

    while (ux_field_next(&rest, &field) == UX_OK) {
        ngx_http_ux_upstream_event(r, ctx, zone, &field);
    }
}


static void
ngx_http_ux_upstream_event(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone, ux_field_event_t *field)
{
    int                     index;
    ux_str_t                id;
    ux_event_t              event;
    ngx_http_ux_pending_t  *pending;

    if (field->bad) {
        ngx_http_ux_upstream_bad(r, ctx, field->name);
        return;
    }

    index = ux_model_event_find(&zone->model, field->name);

    if (index < 0) {
        ngx_http_ux_discard(ctx, UX_DISCARD_UNKNOWN_EVENT);
        return;
    }

    ngx_memzero(&event, sizeof(ux_event_t));
    event.event = (uint8_t) index;

    id.data = field->id_bytes;
    id.len = field->has_id ? field->id_len : 0;

    if (ngx_http_ux_event_fill(zone, &event, field->value, field->currency,
                               id)
        != NGX_OK)
    {
        ngx_http_ux_upstream_bad(r, ctx, field->name);
        return;
    }

    pending = ngx_http_ux_pending_push(r, ctx);

    if (pending != NULL) {
        pending->event = event;
        pending->zone = zone;
        pending->accepted = 0;
        pending->name.data = (u_char *) zone->model.events[index].data;
        pending->name.len = zone->model.events[index].len;
    }
}


/* The others of the list are recorded all the same. */
static void
ngx_http_ux_upstream_bad(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ux_str_t name)
{
    ngx_http_ux_discard(ctx, UX_DISCARD_BAD_EVENT);

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "event \"%*s\" of \"X-UX-Event\" not recorded: expected "
                  "an amount for value, a code of ISO 4217 for currency and a "
                  "string or token for id",
                  ngx_min(name.len, (size_t) UX_NAME_MAX), name.data);
}


/* The client never sees it, wherever it came from. */
void
ngx_http_ux_upstream_strip(ngx_http_request_t *r)
{
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h, *last;

    for (part = &r->headers_out.headers.part; part; part = part->next) {

        h = part->elts;
        last = h + part->nelts;

        for ( /* void */ ; h < last; h++) {

            if (ngx_http_ux_upstream_is_event(h)) {
                h->hash = 0;
            }
        }
    }
}
