
/*
 * Copyright (C) the nginx-ux authors
 *
 * What a beacon told becomes events of visitors: of the one whose request it
 * is, or, where it is trusted, of those it names.
 *
 *   parse    the whole body, before anything is counted
 *   record   by the header filter, like the events of any request
 *
 * Each event is counted once, as one that happened or by the first reason for
 * which it does not count.
 */

#include "ngx_http_ux_request.h"

#include "ux_beacon.h"


static ngx_int_t ngx_http_ux_beacon_items(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ux_beacon_t *beacon);
static ngx_int_t ngx_http_ux_beacon_item(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ux_beacon_item_t *item);
static ngx_int_t ngx_http_ux_beacon_fill(ngx_http_ux_zone_t *zone,
    ux_beacon_item_t *item, ngx_http_ux_pending_t *pending);
static ngx_uint_t ngx_http_ux_beacon_barred(ngx_http_ux_ctx_t *ctx,
    ngx_uint_t named, ux_discard_e why);
static void ngx_http_ux_beacon_own(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_array_t *pending);
static void ngx_http_ux_beacon_named(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_http_ux_pending_t *pending);
static ux_status_t ngx_http_ux_beacon_open(ngx_http_ux_zone_t *zone,
    ux_key_t key, uint32_t now_s, ux_turn_t *turn);


ngx_int_t
ngx_http_ux_beacon_parse(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ux_error_t *error)
{
    /* nothing of it is used once this function returns */

    static ux_beacon_t  beacon;

    ux_str_t  body;

    body.data = "";
    body.len = ctx->beacon->body.len;

    if (body.len != 0) {
        body.data = (const char *) ctx->beacon->body.data;
    }

    switch (ux_beacon_read(&beacon, body, ctx->collect->trusted, error)) {

    case UX_OK:
        return ngx_http_ux_beacon_items(r, ctx, &beacon);

    case UX_FULL:
        return NGX_ERROR;

    default:
        return NGX_DECLINED;
    }
}


static ngx_int_t
ngx_http_ux_beacon_items(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ux_beacon_t *beacon)
{
    ngx_uint_t  i;

    for (i = 0; i < beacon->n; i++) {
        if (ngx_http_ux_beacon_item(r, ctx, &beacon->items[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    ctx->beacon->read = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_http_ux_beacon_item(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ux_beacon_item_t *item)
{
    ngx_int_t               rc;
    ngx_http_ux_beacon_t   *told;
    ngx_http_ux_pending_t   pending, *p;

    told = ctx->beacon;

    ngx_memzero(&pending, sizeof(ngx_http_ux_pending_t));
    pending.named = item->named;

    rc = ngx_http_ux_beacon_fill(ctx->collect->zone, item, &pending);

    if (rc == NGX_ERROR) {
        told->bad[item->named]++;
        return NGX_OK;
    }

    if (rc == NGX_DECLINED) {
        told->unknown[item->named]++;
        return NGX_OK;
    }

    if (told->pending[item->named] == NULL) {
        told->pending[item->named] =
                     ngx_array_create(r->pool, 2,
                                      sizeof(ngx_http_ux_pending_t));
        if (told->pending[item->named] == NULL) {
            return NGX_ERROR;
        }
    }

    p = ngx_array_push(told->pending[item->named]);
    if (p == NULL) {
        return NGX_ERROR;
    }

    *p = pending;

    return NGX_OK;
}


/* NGX_ERROR: bad; NGX_DECLINED: the configuration knows no such event. */
static ngx_int_t
ngx_http_ux_beacon_fill(ngx_http_ux_zone_t *zone, ux_beacon_item_t *item,
    ngx_http_ux_pending_t *pending)
{
    int        index;
    uint64_t  *key;

    key = zone->store.head->index_key;
    index = 0;

    pending->zone = zone;

    if (item->named && item->visitor.len != 0) {
        pending->key = ux_hash_key(key, item->visitor);
    }

    if (item->kind == UX_BEACON_EVENT) {
        index = ux_model_event_find(&zone->model, item->name);
        pending->event.event = (uint8_t) ngx_max(index, 0);
    }

    if (item->bad
        || ngx_http_ux_event_fill(zone, &pending->event, item->value,
                                  item->currency,
                                  item->id)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (item->kind == UX_BEACON_UNKNOWN || index < 0) {
        return NGX_DECLINED;
    }

    if (item->kind == UX_BEACON_VITAL) {
        pending->is_vital = 1;
        pending->vital = item->vital;
        pending->vital.id_hash = item->id.len
                                 ? ux_hash_keyed(key, item->id) : 0;
        return NGX_OK;
    }

    pending->name.data = (u_char *) zone->model.events[index].data;
    pending->name.len = zone->model.events[index].len;

    return NGX_OK;
}


void
ngx_http_ux_beacon_record(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    ngx_uint_t              i;
    ngx_array_t            *own, *named;
    ux_discard_e            why;
    ngx_http_ux_pending_t  *pending;

    ngx_http_ux_determine(r, ctx, 0);

    if (ctx->zone == NULL || !ctx->zone->joined) {
        return;
    }

    why = ngx_http_ux_barred_why(r, ctx);
    ctx->barred = (why != UX_DISCARDS);

    if (ctx->expire) {
        ngx_http_ux_cookie_expire(r, ctx);
    }

    if (!ctx->barred && ctx->keyed) {
        ngx_http_ux_join(r, ctx);
    }

    own = ctx->beacon->pending[0];
    named = ctx->beacon->pending[1];

    if (ngx_http_ux_beacon_barred(ctx, 0, why)) {
        own = NULL;
    }

    if (!ctx->excluded) {

        /* without an event the cookie still confirms */

        ngx_http_ux_beacon_own(r, ctx, own);
    }

    /*
     * Consent, user agent and the like are those of the server that sends,
     * not of the visitor it names.
     */

    why = ctx->excluded ? UX_DISCARD_EXCLUDED
          : (ctx->overridden ? UX_DISCARD_OVERRIDE : UX_DISCARDS);

    if (ngx_http_ux_beacon_barred(ctx, 1, why) || named == NULL) {
        return;
    }

    pending = named->elts;

    for (i = 0; i < named->nelts; i++) {
        ngx_http_ux_beacon_named(r, ctx, &pending[i]);
    }
}


/*
 * What was told, of the sender or of visitors it named, is counted by `why`;
 * if that is nothing (UX_DISCARDS), what is bad or unknown of it is.
 */
static ngx_uint_t
ngx_http_ux_beacon_barred(ngx_http_ux_ctx_t *ctx, ngx_uint_t named,
    ux_discard_e why)
{
    ngx_uint_t             n;
    ngx_http_ux_beacon_t  *told;

    told = ctx->beacon;

    if (why == UX_DISCARDS) {
        ngx_http_ux_beacon_discard(ctx, UX_DISCARD_BAD_EVENT,
                                   told->bad[named]);
        ngx_http_ux_beacon_discard(ctx, UX_DISCARD_UNKNOWN_EVENT,
                                   told->unknown[named]);
        return 0;
    }

    n = told->bad[named] + told->unknown[named];

    if (told->pending[named] != NULL) {
        n += told->pending[named]->nelts;
    }

    ngx_http_ux_beacon_discard(ctx, why, n);

    return 1;
}


void
ngx_http_ux_beacon_discard(ngx_http_ux_ctx_t *ctx, ux_discard_e why,
    ngx_uint_t n)
{
    if (n != 0) {
        ux_counter_add(&ctx->zone->store.counter,
                       (uint32_t) (UX_ZONE_DISCARDED + why), (int64_t) n);
        ctx->shown |= 1u << why;
    }
}


static void
ngx_http_ux_beacon_own(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_array_t *pending)
{
    ngx_uint_t  n;

    n = (pending == NULL) ? 0 : pending->nelts;

    if (ctx->key.len == 0 || ctx->transient) {
        ngx_http_ux_beacon_discard(ctx, UX_DISCARD_NOT_EXPOSED, n);
        return;
    }

    ctx->pending = pending;

    ngx_http_ux_turn(r, ctx, ctx->zone);
}


/*
 * One event of a visitor that is not asking.  It makes no record, confirms
 * nobody and prolongs nothing.
 */
static void
ngx_http_ux_beacon_named(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_pending_t *pending)
{
    uint32_t             now_s;
    ux_turn_t            turn;
    ux_status_t          rc;
    ux_discard_e         why;
    ngx_http_ux_zone_t  *zone;
    ux_table_effects_t   effects;

    zone = ctx->zone;
    now_s = (uint32_t) ngx_time();

    if (pending->key.id == 0 && pending->key.place == 0) {

        /* "visitor":"", the value of $ux_visitor for somebody without one */

        ngx_http_ux_beacon_discard(ctx, UX_DISCARD_NOT_EXPOSED, 1);
        return;
    }

    ux_store_refresh(&zone->store);

    rc = ngx_http_ux_beacon_open(zone, pending->key, now_s, &turn);

    if (rc == UX_DECLINED) {
        ngx_http_ux_beacon_discard(ctx, UX_DISCARD_NOT_EXPOSED, 1);
        return;
    }

    if (rc != UX_OK) {
        ux_counter_add(&zone->store.counter, UX_ZONE_CONTENDED_DROP, 1);
        return;
    }

    ux_store_refresh(&zone->store);

    if (!turn.found) {
        ux_table_abort(&zone->store.table, &turn);
        ngx_http_ux_beacon_discard(ctx, UX_DISCARD_NOT_EXPOSED, 1);
        return;
    }

    ux_changes_clear(&zone->changes);

    pending->event.now_ms = ngx_http_ux_now_ms();

    if (pending->is_vital) {
        (void) ux_track_vital(&zone->store.plan, &zone->visitor,
                              &pending->vital, pending->event.now_ms,
                              &zone->changes);

    } else {
        (void) ux_track_event(&zone->store.plan, &zone->visitor,
                              &pending->event, &zone->changes, &why);
    }

    if (zone->changes.n == 0 && zone->changes.nrings == 0) {
        ux_table_abort(&zone->store.table, &turn);
        return;
    }

    rc = ux_table_commit(&zone->store.table, &turn, &zone->visitor, now_s,
                         &effects);

    if (rc != UX_OK) {
        ngx_http_ux_beacon_discard(ctx, UX_DISCARD_ZONE_FULL, 1);
        ngx_http_ux_turn_full(r, zone);
        return;
    }

    ux_store_effects(&zone->store, &effects);
    ux_store_count(&zone->store, &zone->visitor, &zone->changes);
}


/*
 * A login may be another name of a cookie's visitor, which only the record
 * itself says for sure: who only reads it may be told that it is busy.
 * UX_DECLINED: it is nobody's.
 */
static ux_status_t
ngx_http_ux_beacon_open(ngx_http_ux_zone_t *zone, ux_key_t key,
    uint32_t now_s, ux_turn_t *turn)
{
    u_char         id[2 * UX_ALIAS_ID];
    ux_str_t       cookie;
    ux_table_t    *table;
    ux_status_t    rc;
    ux_visitor_t  *v;

    v = &zone->visitor;
    table = &zone->store.table;

    rc = ux_table_open(table, key, now_s, v, turn);

    if (rc != UX_OK || !turn->found || !v->alias) {
        return rc;
    }

    ux_table_abort(table, turn);

    (void) ngx_hex_dump(id, v->alias_id, UX_ALIAS_ID);

    cookie.data = (const char *) id;
    cookie.len = sizeof(id);

    rc = ux_table_open(table, ux_hash_key(zone->store.head->index_key,
                                          cookie), now_s, v, turn);

    if (rc == UX_OK && turn->found && v->alias) {

        /* what names another name names nobody */

        ux_table_abort(table, turn);
        return UX_DECLINED;
    }

    return rc;
}
