
/*
 * Copyright (C) the nginx-ux authors
 *
 * What a request leaves in the zone.  The record is committed first, the
 * counters follow, and the answer's header goes out last: what a client has
 * seen is counted, whatever becomes of the worker.
 */

#include "ngx_http_ux_module.h"


static ngx_uint_t ngx_http_ux_barred(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx);
static void ngx_http_ux_record_events(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx);
static void ngx_http_ux_record_event(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_http_ux_event_t *event);
static ngx_uint_t ngx_http_ux_exposes(ngx_http_ux_ctx_t *ctx);
static void ngx_http_ux_record_zones(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx);
static void ngx_http_ux_turn(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone);
static ngx_uint_t ngx_http_ux_turn_wanted(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone);
static ngx_uint_t ngx_http_ux_turn_identity(ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone, ngx_uint_t found, uint32_t now_s);
static ngx_uint_t ngx_http_ux_turn_expose(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone, uint64_t now_ms);
static void ngx_http_ux_turn_events(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone, uint64_t now_ms);
static ngx_uint_t ngx_http_ux_turn_error(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone);
static void ngx_http_ux_lost(ngx_http_request_t *r, ngx_http_ux_zone_t *zone,
    ux_status_t rc);
static void ngx_http_ux_discard_flush(ngx_http_ux_ctx_t *ctx);
static ngx_uint_t ngx_http_ux_in_funnel(ux_model_t *model, uint8_t event);
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

    if (ctx->wanted || ctx->pending != NULL) {
        ngx_http_ux_determine(r, ctx, ctx->wanted);

    } else {
        ngx_http_ux_recognize(r, ctx);
    }

    if (ctx->zone == NULL) {
        return;
    }

    if (!ngx_http_ux_barred(r, ctx)) {
        ngx_http_ux_record_zones(r, ctx);
        ngx_http_ux_name_events(r, ctx);
    }

    ngx_http_ux_discard_flush(ctx);
}


/*
 * Not counted, for another reason than not being a navigation.  The first
 * reason in the order of ux_discard_e is the one that is counted.
 */
static ngx_uint_t
ngx_http_ux_barred(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    ux_discard_e  why;

    if (!ngx_http_ux_exposes(ctx) && ctx->pending == NULL) {
        return ctx->transient;
    }

    /* a cookie of ours was never given to a bot */

    if (!ctx->returned && ngx_http_ux_barred_bot(r, ctx)) {
        why = UX_DISCARD_BOT;

    } else if (ctx->prefetch) {
        why = UX_DISCARD_PREFETCH;

    } else if (ctx->method == NGX_HTTP_HEAD) {
        why = UX_DISCARD_HEAD;

    } else if (ctx->key.len == 0 && ctx->cross_site
               && ctx->method == NGX_HTTP_POST)
    {
        why = UX_DISCARD_CROSS_SITE;

    } else {
        return 0;
    }

    ngx_http_ux_discard(ctx, why);

    return 1;
}


/* Would this request expose, if nothing barred it? */
static ngx_uint_t
ngx_http_ux_exposes(ngx_http_ux_ctx_t *ctx)
{
    ngx_http_ux_expose_t  *expose;

    if (ctx->decider == NULL) {
        return 0;
    }

    expose = ctx->decider->expose;

    return !expose->off && (ctx->navigation || expose->any);
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
    if (ctx->pending == NULL) {
        ctx->pending = ngx_array_create(r->pool, 2,
                                        sizeof(ngx_http_ux_pending_t));
        if (ctx->pending == NULL) {
            return NULL;
        }
    }

    return ngx_array_push(ctx->pending);
}


/* One turn in the request's zone, and in others that events name. */
static void
ngx_http_ux_record_zones(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    ngx_uint_t               i, k;
    ngx_http_ux_zone_t      *zone;
    ngx_http_ux_pending_t   *pending;

    if (ctx->key.len == 0) {

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


static void
ngx_http_ux_turn(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone)
{
    uint32_t             now_s;
    uint64_t             now_ms;
    ux_key_t             key;
    ux_turn_t            turn;
    ngx_uint_t           dirty;
    ux_status_t          rc;
    ux_visitor_t        *v;
    ux_table_effects_t   effects;

    if (!zone->joined) {
        return;
    }

    if (!ngx_http_ux_turn_wanted(r, ctx, zone)) {
        return;
    }

    v = &zone->visitor;
    now_ms = ngx_http_ux_now_ms();
    now_s = (uint32_t) (now_ms / 1000);

    key = ngx_http_ux_zone_key(ctx, zone);

    rc = ux_table_open(&zone->store.table, key, now_s, v, &turn);

    if (rc != UX_OK) {
        ngx_http_ux_lost(r, zone, rc);
        return;
    }

    if (!turn.found && !ctx->creates) {

        /* nobody we know, and nothing that makes a visitor of them */

        ux_table_abort(&zone->store.table, &turn);

        if (ctx->pending != NULL) {
            ngx_http_ux_discard(ctx, UX_DISCARD_NOT_EXPOSED);
        }

        return;
    }

    ux_changes_clear(&zone->changes);

    dirty = ngx_http_ux_turn_identity(ctx, zone, turn.found, now_s);
    dirty |= ngx_http_ux_turn_expose(r, ctx, zone, now_ms);
    ngx_http_ux_turn_events(r, ctx, zone, now_ms);
    dirty |= ngx_http_ux_turn_error(r, ctx, zone);

    if (!dirty && zone->changes.n == 0 && zone->changes.nrings == 0) {
        ux_table_abort(&zone->store.table, &turn);
        return;
    }

    rc = ux_table_commit(&zone->store.table, &turn, v, now_s, &effects);

    if (rc != UX_OK) {
        ngx_http_ux_lost(r, zone, rc);
        return;
    }

    ux_store_effects(&zone->store, &effects);
    ux_store_apply(&zone->store, &zone->changes);
}


/*
 * Is there anything to do, and may it make a record?  An asset of a confirmed
 * visitor, whose record says so, needs no turn.  Answered before the turn:
 * nothing is allocated within it.
 */
static ngx_uint_t
ngx_http_ux_turn_wanted(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone)
{
    ngx_uint_t              i, events;
    ux_visitor_t           *v;
    ngx_http_ux_choice_t   *choice;
    ngx_http_ux_expose_t   *expose;
    ngx_http_ux_pending_t  *pending;

    ctx->creates = 0;
    events = 0;

    if (ctx->pending != NULL) {
        pending = ctx->pending->elts;

        for (i = 0; i < ctx->pending->nelts; i++) {
            if (pending[i].zone == zone) {
                events = 1;
                ctx->creates |= ctx->wanted
                                && ngx_http_ux_in_funnel(&zone->model,
                                                     pending[i].event.event);
            }
        }
    }

    if (zone != ctx->zone) {
        return events;
    }

    if (ctx->decider != NULL && !ctx->decider->expose->off) {
        expose = ctx->decider->expose;

        ctx->arms = ngx_palloc(r->pool, (expose->n + 1) * sizeof(uint16_t));
        if (ctx->arms == NULL) {
            return events;
        }

        ctx->arms[0] = UX_ARM_NONE;

        for (i = 0; ngx_http_ux_exposes(ctx) && i < expose->n; i++) {
            choice = ngx_http_ux_choose(r, ctx, zone,
                                        expose->experiments[i]);

            if (choice != NULL && choice->variant != UX_VARIANT_NONE) {
                ctx->creates = 1;
                ctx->exposed = 1;
            }
        }

        return 1;
    }

    if (events || ctx->keyed) {
        return events;
    }

    if (!ctx->returned) {
        return 0;
    }

    /* the visitor read while the cookie was looked at, if it was known */

    v = &zone->visitor;

    return !ctx->record_read || !v->confirmed
           || ngx_time() - (time_t) v->last_s >= NGX_HTTP_UX_TOUCH;
}


static ngx_uint_t
ngx_http_ux_turn_identity(ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone,
    ngx_uint_t found, uint32_t now_s)
{
    ngx_uint_t     dirty;
    ux_visitor_t  *v;

    v = &zone->visitor;
    dirty = 0;

    dirty = !found;

    if (!v->confirmed && (ctx->keyed || ctx->returned || !ctx->confirm)) {
        ux_track_confirm(&zone->store.plan, v, &zone->changes);
        dirty = 1;
    }

    if (ctx->returned && zone == ctx->zone
        && v->cookie_hash != ctx->cookie_hash)
    {
        v->cookie_hash = ctx->cookie_hash;
        dirty = 1;
    }

    if (now_s - v->last_s >= NGX_HTTP_UX_TOUCH || dirty) {
        v->last_s = now_s;
        dirty = 1;
    }

    return dirty;
}


/*
 * Exposes what is in force, unless the request is no navigation; notes the
 * arms the visitor is in, for the log phase.
 */
static ngx_uint_t
ngx_http_ux_turn_expose(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone, uint64_t now_ms)
{
    unsigned               experiment;
    ngx_uint_t             i, n, ntracks;
    ux_track_t            *track;
    ngx_http_ux_choice_t  *choice;
    ngx_http_ux_expose_t  *expose;

    if (zone != ctx->zone || ctx->arms == NULL) {
        return 0;
    }

    expose = ctx->decider->expose;
    ntracks = zone->visitor.ntracks;
    n = 0;

    for (i = 0; i < expose->n; i++) {
        experiment = (unsigned) expose->experiments[i];

        if (ctx->exposed) {
            choice = ngx_http_ux_choose(r, ctx, zone, experiment);

            if (choice != NULL && choice->variant != UX_VARIANT_NONE
                && ux_track_expose(&zone->store.plan, &zone->visitor,
                                   experiment, (unsigned) choice->variant,
                                   now_ms, &zone->changes)
                   != UX_OK)
            {
                ngx_http_ux_discard(ctx, UX_DISCARD_ZONE_FULL);
            }
        }

        track = ux_track_find(&zone->store.plan, &zone->visitor, experiment);

        if (track != NULL) {
            ctx->arms[n++] = track->arm;
        }
    }

    ctx->arms[n] = UX_ARM_NONE;

    return zone->visitor.ntracks != ntracks;
}


static void
ngx_http_ux_turn_events(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone, uint64_t now_ms)
{
    ngx_uint_t              i;
    ux_discard_e            why;
    ngx_http_ux_pending_t  *pending;

    if (ctx->pending == NULL) {
        return;
    }

    pending = ctx->pending->elts;

    for (i = 0; i < ctx->pending->nelts; i++) {

        if (pending[i].zone != zone) {
            continue;
        }

        pending[i].event.now_ms = now_ms;

        pending[i].accepted = (ux_track_event(&zone->store.plan,
                                              &zone->visitor,
                                              &pending[i].event,
                                              &zone->changes, &why)
                               == UX_OK);
    }
}


/* A visitor that saw a server error, once for each variant. */
static ngx_uint_t
ngx_http_ux_turn_error(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone)
{
    uint32_t       base;
    ngx_uint_t     i;
    ux_visitor_t  *v;

    v = &zone->visitor;

    if (r->headers_out.status < NGX_HTTP_INTERNAL_SERVER_ERROR
        || v->error_seen || zone != ctx->zone || ctx->arms == NULL
        || ctx->arms[0] == UX_ARM_NONE)
    {
        return 0;
    }

    v->error_seen = true;

    ux_changes_add(&zone->changes, UX_ZONE_HTTP + UX_HTTP_ERROR_VISITORS, 1);

    for (i = 0; ctx->arms[i] != UX_ARM_NONE; i++) {
        base = zone->store.plan.arms[ctx->arms[i]].base;
        ux_changes_add(&zone->changes,
                       base + UX_ARM_HTTP + UX_HTTP_ERROR_VISITORS, 1);
    }

    return 1;
}


static void
ngx_http_ux_lost(ngx_http_request_t *r, ngx_http_ux_zone_t *zone,
    ux_status_t rc)
{
    if (rc == UX_BUSY) {
        ux_counter_add(&zone->store.counter, UX_ZONE_CONTENDED_DROP, 1);
        return;
    }

    ux_counter_add(&zone->store.counter,
                   UX_ZONE_DISCARDED + UX_DISCARD_ZONE_FULL, 1);

    if (ngx_time() - zone->full_logged >= 60) {
        zone->full_logged = ngx_time();
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "ux_zone \"%V\" is full: visitors are served without "
                      "being counted", &zone->name);
    }
}


static void
ngx_http_ux_discard_flush(ngx_http_ux_ctx_t *ctx)
{
    ngx_uint_t  i;

    if (!ctx->zone->joined) {
        return;
    }

    for (i = 0; ctx->discarded != 0; i++) {
        if (ctx->discarded & (1u << i)) {
            ctx->discarded &= ~(1u << i);
            ux_counter_add(&ctx->zone->store.counter,
                           (uint32_t) (UX_ZONE_DISCARDED + i), 1);
        }
    }
}


static ngx_uint_t
ngx_http_ux_in_funnel(ux_model_t *model, uint8_t event)
{
    ngx_uint_t    i, k;
    ux_funnel_t  *funnel;

    for (i = 0; i < model->nfunnels; i++) {
        funnel = &model->funnels[i];

        if (funnel->cart_event == event) {
            return 1;
        }

        for (k = 0; k < funnel->nsteps; k++) {
            if (funnel->steps[k].event == event) {
                return 1;
            }
        }
    }

    return 0;
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


void
ngx_http_ux_record_log(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    uint32_t             cell, base;
    ngx_uint_t           i, status;
    ux_store_t          *store;
    ngx_http_ux_zone_t  *zone;

    zone = ctx->zone;

    if (zone == NULL || !zone->joined || ctx->stats) {
        return;
    }

    store = &zone->store;
    status = r->err_status ? r->err_status : r->headers_out.status;

    if (status == NGX_HTTP_CLIENT_CLOSED_REQUEST || status < 100
        || status > 599)
    {
        cell = UX_HTTP_CLIENT_ABORT;

    } else {
        cell = (uint32_t) (UX_HTTP_1XX + status / 100 - 1);
    }

    ux_counter_add(&store->counter, UX_ZONE_HTTP + UX_HTTP_REQUESTS, 1);
    ux_counter_add(&store->counter, UX_ZONE_HTTP + cell, 1);

    if (ctx->arms == NULL) {
        return;
    }

    for (i = 0; ctx->arms[i] != UX_ARM_NONE; i++) {
        base = store->plan.arms[ctx->arms[i]].base + UX_ARM_HTTP;
        ux_counter_add(&store->counter, base + UX_HTTP_REQUESTS, 1);
        ux_counter_add(&store->counter, base + cell, 1);
    }
}
