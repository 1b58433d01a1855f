
/*
 * Copyright (C) the nginx-ux authors
 *
 * What a request changes in its visitor's record.
 */

#include "ngx_http_ux_request.h"


/* events in one turn: see the bounds of ux_track.c */
#define NGX_HTTP_UX_TURN_EVENTS  3


static ngx_int_t ngx_http_ux_turn_once(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone, ngx_uint_t *next);
static ngx_uint_t ngx_http_ux_turn_request(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone, ngx_uint_t found,
    uint64_t now_ms);
static ngx_uint_t ngx_http_ux_turn_more(ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone, ngx_uint_t *next);
static void ngx_http_ux_turn_unknown(ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone, ngx_uint_t from);
static ngx_uint_t ngx_http_ux_turn_identity(ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone, ngx_uint_t found, uint32_t now_s);
static ngx_uint_t ngx_http_ux_turn_returned(ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone);
static ngx_uint_t ngx_http_ux_turn_expose(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone, uint64_t now_ms);
static void ngx_http_ux_turn_events(ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone, uint64_t now_ms, ngx_uint_t *next);
static void ngx_http_ux_turn_lost(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone, ux_status_t rc,
    ngx_uint_t from);


/* Most requests take one turn at most; many events take more. */
void
ngx_http_ux_turn(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone)
{
    ngx_uint_t  next;

    if (!zone->joined) {
        return;
    }

    ctx->turned |= (zone == ctx->zone);

    if (ngx_http_ux_turn_again(r, ctx, zone) == NGX_OK
        || !ngx_http_ux_turn_wanted(r, ctx, zone))
    {
        return;
    }

    ngx_http_ux_segments(r, zone);

    next = 0;

    while (ngx_http_ux_turn_once(r, ctx, zone, &next) == NGX_OK
           && ngx_http_ux_turn_more(ctx, zone, &next))
    {
        /* void */
    }
}


/*
 * One turn of writing the visitor's record: opened, changed, committed, with
 * nothing in between that could wait or allocate.  The first one, *next being
 * 0, does all that the request does, later ones only the events from *next on.
 * NGX_DECLINED: nothing was recorded, and what is left will not be.
 */
static ngx_int_t
ngx_http_ux_turn_once(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone, ngx_uint_t *next)
{
    uint32_t             now_s;
    uint64_t             now_ms;
    ux_key_t             key;
    ux_turn_t            turn;
    ngx_uint_t           dirty, from;
    ux_status_t          rc;
    ux_visitor_t        *v;
    ux_table_effects_t   effects;

    v = &zone->visitor;
    from = *next;
    now_ms = ngx_http_ux_now_ms();
    now_s = (uint32_t) (now_ms / 1000);

    key = ngx_http_ux_zone_key(ctx, zone);

    /* mostly here, as resolving what is new takes a walk over all names */

    ux_store_refresh(&zone->store);

    rc = ux_table_open(&zone->store.table, key, now_s, v, &turn);

    if (rc != UX_OK) {
        ngx_http_ux_turn_lost(r, ctx, zone, rc, from);
        return NGX_DECLINED;
    }

    /* a worker of a newer configuration may have exposed the visitor */

    ux_store_refresh(&zone->store);

    if (!turn.found && (from != 0 || !ctx->creates)) {

        /* nobody we know, and nothing that makes a visitor of them */

        ux_table_abort(&zone->store.table, &turn);
        ngx_http_ux_turn_unknown(ctx, zone, from);
        return NGX_DECLINED;
    }

    ux_changes_clear(&zone->changes);
    dirty = 0;

    if (from == 0) {
        dirty = ngx_http_ux_turn_request(r, ctx, zone, turn.found, now_ms);
    }

    ngx_http_ux_turn_events(ctx, zone, now_ms, next);

    if (!dirty && zone->changes.n == 0 && zone->changes.nrings == 0) {
        ux_table_abort(&zone->store.table, &turn);
        return NGX_OK;
    }

    v->last_s = now_s;

    rc = ux_table_commit(&zone->store.table, &turn, v, now_s, &effects);

    if (rc != UX_OK) {
        ngx_http_ux_turn_lost(r, ctx, zone, rc, from);
        return NGX_DECLINED;
    }

    ux_store_effects(&zone->store, &effects);
    ux_store_count(&zone->store, v, &zone->changes);

    if (ux_changes_lost(&zone->changes)) {
        ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                      "ux_zone \"%V\": more changed with one request than "
                      "there is room for, counts are short", &zone->name);
    }

    return NGX_OK;
}


/* What the request itself does, whatever it tells; whether anything. */
static ngx_uint_t
ngx_http_ux_turn_request(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone, ngx_uint_t found, uint64_t now_ms)
{
    uint16_t    settled[UX_TRACKS_MAX];
    ngx_uint_t  dirty;

    settled[0] = UX_ARM_NONE;

    ngx_http_ux_read_headers(r, ctx);

    dirty = ngx_http_ux_turn_identity(ctx, zone, found,
                                      (uint32_t) (now_ms / 1000));

    if (!ctx->prefetch) {
        dirty |= ux_track_settle(&zone->store.plan, &zone->visitor, now_ms,
                                 settled, &zone->changes);
    }

    dirty |= ngx_http_ux_turn_expose(r, ctx, zone, now_ms);
    dirty |= ngx_http_ux_turn_visit(r, ctx, zone, settled, now_ms);
    dirty |= ngx_http_ux_turn_error(r, ctx, zone);

    return dirty;
}


/* Is any event of this zone left?  *next becomes the first one that is. */
static ngx_uint_t
ngx_http_ux_turn_more(ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone,
    ngx_uint_t *next)
{
    ngx_http_ux_pending_t  *pending;

    if (ctx->pending == NULL) {
        return 0;
    }

    pending = ctx->pending->elts;

    while (*next < ctx->pending->nelts && pending[*next].zone != zone) {
        (*next)++;
    }

    return *next < ctx->pending->nelts;
}


/* What is told of nobody, in this zone, is lost. */
static void
ngx_http_ux_turn_unknown(ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone,
    ngx_uint_t from)
{
    ngx_uint_t              i;
    ngx_http_ux_pending_t  *pending;

    if (ctx->pending == NULL) {
        return;
    }

    if (ctx->collect != NULL) {
        ngx_http_ux_beacon_discard(ctx, UX_DISCARD_NOT_EXPOSED,
                                   ctx->pending->nelts - from);
        return;
    }

    pending = ctx->pending->elts;

    for (i = from; i < ctx->pending->nelts; i++) {
        if (pending[i].zone == zone) {
            ngx_http_ux_discard(ctx, UX_DISCARD_NOT_EXPOSED);
            return;
        }
    }
}


static ngx_uint_t
ngx_http_ux_turn_identity(ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone,
    ngx_uint_t found, uint32_t now_s)
{
    ngx_uint_t     dirty;
    ux_visitor_t  *v;

    v = &zone->visitor;
    dirty = !found;

    if (!found && zone == ctx->zone && ctx->returned && ctx->exposed
        && ngx_http_ux_turn_returned(ctx, zone))
    {
        ux_changes_add(&zone->changes, UX_ZONE_RETURNED, 1);
    }

    if (!v->confirmed && (ctx->keyed || ctx->returned || !ctx->confirm)) {
        ux_track_confirm(&zone->store.plan, v, &zone->changes);
        dirty = 1;

        if (found && ctx->navigation) {
            ux_track_confirmed_late(&zone->store.plan, v, &zone->changes);
        }
    }

    ux_track_idle(v, now_s);

    if (ctx->returned && zone == ctx->zone && ctx->cookie_hash != 0
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


/* Was the cookie minted since an experiment began that it is exposed to? */
static ngx_uint_t
ngx_http_ux_turn_returned(ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone)
{
    uint64_t               began_ms;
    ngx_uint_t             i;
    ngx_http_ux_expose_t  *expose;

    /*
     * One cookie for several zones may have been minted for another, and what
     * was known before a restart was not evicted.
     */

    if (zone->shared_cookie
        || ux_counter_read(&zone->store.counter, UX_ZONE_EVICTED)
           + ux_counter_read(&zone->store.counter, UX_ZONE_EXPIRED)
           == 0)
    {
        return 0;
    }

    expose = ctx->decider->expose;

    for (i = 0; i < expose->n; i++) {
        began_ms = zone->began_ms[expose->experiments[i]];

        if (began_ms != 0 && ctx->cookie_day >= began_ms / 86400000) {
            return 1;
        }
    }

    return 0;
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
    ux_status_t            rc;
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

        choice = ngx_http_ux_choose(r, ctx, zone, experiment);
        rc = UX_OK;

        if (!ngx_http_ux_counts(choice)) {
            continue;
        }

        if (ctx->exposed) {
            rc = ux_track_expose(&zone->store.plan, &zone->visitor,
                                 experiment, (unsigned) choice->variant,
                                 now_ms, &zone->changes);

        } else if (ctx->waits) {
            rc = ux_track_prefetch(&zone->store.plan, &zone->visitor,
                                   experiment, (unsigned) choice->variant,
                                   now_ms);
        }

        if (rc == UX_FULL) {
            ngx_http_ux_discard(ctx, UX_DISCARD_ZONE_FULL);
        }

        track = ux_track_find(&zone->store.plan, &zone->visitor, experiment);

        if (track != NULL && !track->waiting) {
            ctx->arms[n++] = track->arm;
        }
    }

    ctx->arms[n] = UX_ARM_NONE;

    return zone->visitor.ntracks != ntracks;
}


/* As many as a turn takes, from *next on, which moves behind them. */
static void
ngx_http_ux_turn_events(ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone,
    uint64_t now_ms, ngx_uint_t *next)
{
    ngx_uint_t              i, n;
    ux_discard_e            why;
    ngx_http_ux_pending_t  *pending;

    if (ctx->pending == NULL) {
        return;
    }

    pending = ctx->pending->elts;

    n = 0;

    for (i = *next; i < ctx->pending->nelts; i++) {

        if (pending[i].zone != zone) {
            continue;
        }

        if (n++ == NGX_HTTP_UX_TURN_EVENTS) {
            break;
        }

        if (pending[i].is_vital) {
            (void) ux_track_vital(&zone->store.plan, &zone->visitor,
                                  &pending[i].vital, now_ms, &zone->changes);
            continue;
        }

        pending[i].event.now_ms = now_ms;

        pending[i].accepted = (ux_track_event(&zone->store.plan,
                                              &zone->visitor,
                                              &pending[i].event,
                                              &zone->changes, &why)
                               == UX_OK);
    }

    *next = i;
}


/*
 * Nothing was recorded of this turn, nor will be of later ones: $ux_events and
 * X-UX-Debug are not to say it was.
 */
static void
ngx_http_ux_turn_lost(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone, ux_status_t rc, ngx_uint_t from)
{
    ngx_uint_t              i;
    ngx_http_ux_pending_t  *pending;

    if (zone == ctx->zone && from == 0) {
        ctx->exposed = 0;

        if (ctx->arms != NULL) {
            ctx->arms[0] = UX_ARM_NONE;
        }
    }

    if (ctx->pending != NULL) {
        pending = ctx->pending->elts;

        for (i = from; i < ctx->pending->nelts; i++) {
            if (pending[i].zone == zone) {
                pending[i].accepted = 0;
            }
        }
    }

    if (rc == UX_BUSY) {
        ux_counter_add(&zone->store.counter, UX_ZONE_CONTENDED_DROP, 1);
        return;
    }

    if (ctx->collect != NULL && ctx->pending != NULL) {
        ngx_http_ux_beacon_discard(ctx, UX_DISCARD_ZONE_FULL,
                                   ctx->pending->nelts - from);

    } else {
        ux_counter_add(&zone->store.counter,
                       UX_ZONE_DISCARDED + UX_DISCARD_ZONE_FULL, 1);
    }

    ngx_http_ux_turn_full(r, zone);
}


void
ngx_http_ux_turn_full(ngx_http_request_t *r, ngx_http_ux_zone_t *zone)
{
    /* once a minute, whichever worker it is */

    if (ux_counter_due(&zone->store.counter, UX_ZONE_FULL_SAID,
                       (uint64_t) ngx_time(), 60))
    {
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "ux_zone \"%V\" is full: visitors are served without "
                      "being counted", &zone->name);
    }
}
