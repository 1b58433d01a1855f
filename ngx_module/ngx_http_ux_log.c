
/*
 * Copyright (C) the nginx-ux authors
 *
 * What a request leaves when it is over: how it ended, how long it took.
 * Counted at once, for the zone and for the variants the visitor is in.
 */

#include "ngx_http_ux_request.h"


/* One request, as it is counted in every place. */
typedef struct {
    ngx_uint_t  status;
    ngx_uint_t  failed;
    ngx_int_t   cache;         /* NGX_OK, NGX_DECLINED: a miss, NGX_ERROR */
    uint64_t    bytes;
    uint32_t    latency;       /* ux_timing_bucket() */
    uint32_t    upstream_time;
    unsigned    upstream:1;
    unsigned    special:1;     /* see ngx_http_ux_log_special() */
} ngx_http_ux_ended_t;


static ngx_http_ux_within void ngx_http_ux_log_ended(ngx_http_request_t *r,
    ngx_uint_t method, ngx_http_ux_ended_t *ended);
static void ngx_http_ux_log_upstream(ngx_http_request_t *r,
    ngx_http_ux_ended_t *ended);
static void ngx_http_ux_log_special(ux_counter_t *counter, uint32_t base,
    ngx_http_ux_ended_t *ended);
static void ngx_http_ux_log_count(ux_counter_t *counter,
    uint32_t base, uint32_t timings, ngx_http_ux_ended_t *ended);


void
ngx_http_ux_log(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    ux_arm_t             *arm;
    ngx_uint_t            i;
    ux_store_t           *store;
    ngx_http_ux_zone_t   *zone;
    ngx_http_ux_ended_t   ended;

    zone = ctx->zone;

    if (zone == NULL || !zone->joined || ctx->stats || ctx->collect != NULL)
    {
        return;
    }

    store = &zone->store;

    ngx_http_ux_log_ended(r, ctx->method, &ended);
    ngx_http_ux_log_count(&store->counter, UX_ZONE_HTTP, store->plan.requests,
                          &ended);

    for (i = 0; ctx->arms != NULL && ctx->arms[i] != UX_ARM_NONE; i++) {
        arm = &store->arms[ctx->arms[i]];

        ngx_http_ux_log_count(&store->counter, arm->base + UX_ARM_HTTP,
                              arm->requests, &ended);
    }
}


ngx_http_ux_apart void
ngx_http_ux_log_quiet(ngx_http_request_t *r, ngx_http_ux_zone_t *zone)
{
    ngx_http_ux_ended_t  ended;

    if (zone == NULL || !zone->joined) {
        return;
    }

    ngx_http_ux_log_ended(r, NGX_HTTP_GET, &ended);
    ngx_http_ux_log_count(&zone->store.counter, UX_ZONE_HTTP,
                          zone->store.plan.requests, &ended);
}


static ngx_http_ux_within void
ngx_http_ux_log_ended(ngx_http_request_t *r, ngx_uint_t method,
    ngx_http_ux_ended_t *ended)
{
    time_t           sec;
    ngx_time_t      *now;
    ngx_msec_int_t   ms;

    ended->status = r->err_status ? r->err_status : r->headers_out.status;

    if (ended->status < 100 || ended->status > 599) {

        /* nothing was sent: the client was gone */

        ended->status = NGX_HTTP_CLIENT_CLOSED_REQUEST;
    }

    ended->failed = ngx_http_ux_failed(method, ended->status);
    ended->cache = NGX_ERROR;
    ended->bytes = (r->connection->sent > 0) ? r->connection->sent : 0;

    /* as $request_time */

    now = ngx_timeofday();
    sec = now->sec - r->start_sec;
    ms = (ngx_msec_int_t) (sec * 1000 + ((ngx_msec_int_t) now->msec
                                         - (ngx_msec_int_t) r->start_msec));
    ended->latency = ux_timing_bucket((ms > 0) ? ms : 0);
    ended->upstream = 0;
    ended->upstream_time = 0;

    if (r->upstream != NULL || r->upstream_states != NULL) {
        ngx_http_ux_log_upstream(r, ended);
    }

    ended->special = ended->failed || ended->cache != NGX_ERROR
                     || ended->status == NGX_HTTP_CLIENT_CLOSED_REQUEST;
}


/* As $upstream_response_time, its parts added up. */
static ngx_http_ux_apart void
ngx_http_ux_log_upstream(ngx_http_request_t *r, ngx_http_ux_ended_t *ended)
{
    uint64_t                    ms;
    ngx_uint_t                  i;
    ngx_http_upstream_state_t  *state;

    ended->cache = ngx_http_ux_upstream_cache(r);

    if (r->upstream_states == NULL) {
        return;
    }

    ms = 0;
    state = r->upstream_states->elts;

    for (i = 0; i < r->upstream_states->nelts; i++) {

        if (state[i].peer == NULL
            || state[i].response_time == (ngx_msec_t) -1)
        {
            continue;
        }

        ended->upstream = 1;
        ms += state[i].response_time;
    }

    ended->upstream_time = ux_timing_bucket(ms);
}


/*
 * What few requests are counted in, beside that they were, in which class and
 * of how many bytes.  A client that left is in its class, 4xx, and counted as
 * such beside it.
 */
static ngx_http_ux_apart void
ngx_http_ux_log_special(ux_counter_t *counter, uint32_t base,
    ngx_http_ux_ended_t *ended)
{
    if (ended->status == NGX_HTTP_CLIENT_CLOSED_REQUEST) {
        ux_counter_add(counter, base + UX_HTTP_CLIENT_ABORT, 1);
    }

    if (ended->failed) {
        ux_counter_add(counter, base + UX_HTTP_ERRORS, 1);

        if (ended->status == NGX_HTTP_REQUEST_TIME_OUT
            || ended->status == NGX_HTTP_GATEWAY_TIME_OUT)
        {
            ux_counter_add(counter, base + UX_HTTP_TIMEOUTS, 1);

        } else if (ended->status < NGX_HTTP_INTERNAL_SERVER_ERROR) {
            ux_counter_add(counter, base + UX_HTTP_POST_4XX, 1);
        }
    }

    if (ended->cache != NGX_ERROR) {
        ux_counter_add(counter, base + UX_HTTP_CACHE_LOOKUPS, 1);
        ux_counter_add(counter, base + UX_HTTP_CACHE_HITS,
                       ended->cache == NGX_OK);
    }
}


static void
ngx_http_ux_log_count(ux_counter_t *counter, uint32_t base,
    uint32_t timings, ngx_http_ux_ended_t *ended)
{
    uint32_t      class;
    uint64_t     *own;
    ux_change_t   change;

    class = (uint32_t) (UX_HTTP_1XX + ended->status / 100 - 1);
    own = ux_counter_own(counter, base, UX_HTTP_CELLS);

    if (own != NULL) {
        ux_counter_own_add(&own[UX_HTTP_REQUESTS], 1);
        ux_counter_own_add(&own[class], 1);
        ux_counter_own_add(&own[UX_HTTP_BYTES], (int64_t) ended->bytes);

    } else {
        ux_counter_add(counter, base + UX_HTTP_REQUESTS, 1);
        ux_counter_add(counter, base + class, 1);
        ux_counter_add(counter, base + UX_HTTP_BYTES,
                       (int64_t) ended->bytes);
    }

    if (ended->special) {
        ngx_http_ux_log_special(counter, base, ended);
    }

    if (timings == 0) {
        return;
    }

    change = ux_timing_bucket_change(timings, ended->latency);
    ux_counter_add(counter, change.cell, change.delta);

    if (ended->upstream) {
        timings += UX_TIMING_UPSTREAM * UX_TIMING_CELLS;
        change = ux_timing_bucket_change(timings, ended->upstream_time);
        ux_counter_add(counter, change.cell, change.delta);
    }
}
