
/*
 * Copyright (C) the nginx-ux authors
 *
 * Records of one person: a login that becomes another name of the cookie's
 * visitor, a visitor seen in two variants, one who wants to be forgotten.
 */

#include "ngx_http_ux_request.h"


static void ngx_http_ux_join_alias(ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone);
static void ngx_http_ux_join_life(ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone, ux_track_t *life);
static void ngx_http_ux_join_cross(ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone);
static ngx_uint_t ngx_http_ux_join_tracks(ngx_http_ux_zone_t *zone,
    ux_key_t key, int32_t *variants);
static void ngx_http_ux_join_take_out(ngx_http_ux_zone_t *zone, ux_key_t key,
    int32_t *variants, bool count);


void
ngx_http_ux_join(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    if (ctx->aliases) {
        ngx_http_ux_join_alias(ctx, ctx->zone);
    }

    if (ctx->cookie_id.len != 0 && !ux_str_equal(ctx->cookie_id, ctx->key)) {
        ngx_http_ux_join_cross(ctx, ctx->zone);
    }
}


/*
 * A record of the key's own, that only names the cookie's visitor: made, or
 * kept alive.
 */
static void
ngx_http_ux_join_alias(ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone)
{
    ngx_int_t            digit;
    uint32_t             now_s;
    ux_turn_t            turn;
    ngx_uint_t           i, inserted, made;
    ux_track_t           life;
    ux_visitor_t        *v;
    ux_table_effects_t   effects;

    v = &zone->visitor;
    now_s = (uint32_t) ngx_time();

    if (ux_table_open(&zone->store.table, ctx->alias, now_s, v, &turn)
        != UX_OK)
    {
        ux_counter_add(&zone->store.counter, UX_ZONE_CONTENDED_DROP, 1);
        return;
    }

    if (turn.found && !v->alias && v->ntracks > 1) {

        /* it was assigned meanwhile, and wins */

        ux_table_abort(&zone->store.table, &turn);
        return;
    }

    life = v->tracks[0];
    inserted = !turn.found;
    made = !v->alias;

    if (made) {
        ux_visitor_init(v, ctx->alias.id, now_s);
    }

    v->last_s = now_s;

    for (i = 0; made && i < UX_ALIAS_ID; i++) {
        digit = ngx_hextoi((u_char *) ctx->key.data + 2 * i, 2);
        v->alias_id[i] = (uint8_t) digit;
    }

    v->alias = true;
    v->confirmed = true;

    if (ux_table_commit(&zone->store.table, &turn, v, now_s, &effects)
        != UX_OK)
    {
        ux_counter_add(&zone->store.counter,
                       UX_ZONE_DISCARDED + UX_DISCARD_ZONE_FULL, 1);
        return;
    }

    ux_store_effects(&zone->store, &effects);

    /* an insertion is counted as provisional, and an alias never is */

    ux_counter_add(&zone->store.counter, UX_ZONE_PROVISIONAL,
                   inserted ? -1 : 0);

    if (made && life.events != 0) {
        ngx_http_ux_join_life(ctx, zone, &life);
    }
}


/* What the key did before it was joined: remembered with the visitor. */
static void
ngx_http_ux_join_life(ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone,
    ux_track_t *life)
{
    uint32_t             now_s;
    ux_turn_t            turn;
    ngx_uint_t           i;
    ux_track_t          *track;
    ux_visitor_t        *v;
    ux_table_effects_t   effects;

    v = &zone->visitor;
    now_s = (uint32_t) ngx_time();

    if (ux_table_open(&zone->store.table, ctx->hash, now_s, v, &turn)
        != UX_OK)
    {
        ux_counter_add(&zone->store.counter, UX_ZONE_CONTENDED_DROP, 1);
        return;
    }

    ux_changes_clear(&zone->changes);

    if (!turn.found) {
        ux_track_confirm(&zone->store.plan, v, &zone->changes);
    }

    track = &v->tracks[0];
    track->events |= life->events;
    track->steps |= life->steps;

    for (i = 0; i < UX_CARTS_MAX; i++) {
        if (track->carts[i].state == UX_CART_NONE) {
            track->carts[i] = life->carts[i];
        }
    }

    if (ux_table_commit(&zone->store.table, &turn, v, now_s, &effects)
        == UX_OK)
    {
        ux_store_effects(&zone->store, &effects);
        ux_store_count(&zone->store, v, &zone->changes);
    }
}


/*
 * The key has an assignment of its own, which wins.  Where the cookie's
 * visitor was in another variant, both leave that experiment.
 */
static void
ngx_http_ux_join_cross(ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone)
{
    int32_t     ours[UX_EXPERIMENTS_MAX], theirs[UX_EXPERIMENTS_MAX];
    ux_key_t    cookie;
    ngx_uint_t  i, crossed;

    cookie = ux_hash_key(zone->store.head->index_key, ctx->cookie_id);

    if (!ngx_http_ux_join_tracks(zone, cookie, theirs)
        || !ngx_http_ux_join_tracks(zone, ctx->hash, ours))
    {
        return;
    }

    crossed = 0;

    for (i = 0; i < zone->model.nexperiments; i++) {

        if (ours[i] < 0 || theirs[i] < 0 || ours[i] == theirs[i]) {
            ours[i] = -1;
            theirs[i] = -1;

        } else {
            crossed = 1;
        }
    }

    if (crossed) {
        ngx_http_ux_join_take_out(zone, cookie, theirs, true);
        ngx_http_ux_join_take_out(zone, ctx->hash, ours, false);
    }
}


/* By experiment: the variant's ordinal that the visitor was seen in, or -1. */
static ngx_uint_t
ngx_http_ux_join_tracks(ngx_http_ux_zone_t *zone, ux_key_t key,
    int32_t *variants)
{
    ux_arm_t      *arm;
    ux_track_t    *track;
    ngx_uint_t     i;
    ux_store_t    *store;
    ux_visitor_t  *v;

    store = &zone->store;
    v = &zone->visitor;

    for (i = 0; i < UX_EXPERIMENTS_MAX; i++) {
        variants[i] = -1;
    }

    if (ux_table_read(&store->table, key, (uint32_t) ngx_time(), v) != UX_OK)
    {
        return 0;
    }

    for (i = 1; i < v->ntracks; i++) {
        track = &v->tracks[i];

        if (track->arm >= store->plan.narms) {
            continue;
        }

        arm = &store->arms[track->arm];

        if (arm->experiment >= 0 && !track->waiting) {
            variants[arm->experiment] = arm->variant_slot;
        }
    }

    return 1;
}


/* Those that were taken out before stay so, and are not counted again. */
static void
ngx_http_ux_join_take_out(ngx_http_ux_zone_t *zone, ux_key_t key,
    int32_t *variants, bool count)
{
    uint32_t             now_s;
    ux_turn_t            turn;
    ngx_uint_t           i, dirty;
    ux_store_t          *store;
    ux_track_t          *track;
    ux_visitor_t        *v;
    ux_table_effects_t   effects;

    store = &zone->store;
    v = &zone->visitor;
    now_s = (uint32_t) ngx_time();
    dirty = 0;

    if (ux_table_open(&store->table, key, now_s, v, &turn) != UX_OK) {
        ux_counter_add(&store->counter, UX_ZONE_CONTENDED_DROP, 1);
        return;
    }

    ux_changes_clear(&zone->changes);

    for (i = 0; turn.found && i < zone->model.nexperiments; i++) {

        if (variants[i] < 0) {
            continue;
        }

        track = ux_track_find(&store->plan, v, (unsigned) i);

        if (track != NULL) {
            dirty |= ux_track_cross(&store->plan, v,
                                    (unsigned) (track - v->tracks),
                                    ngx_http_ux_now_ms(), count,
                                    &zone->changes);
        }
    }

    if (!dirty) {
        ux_table_abort(&store->table, &turn);
        return;
    }

    if (ux_table_commit(&store->table, &turn, v, now_s, &effects) == UX_OK) {
        ux_store_effects(store, &effects);
        ux_store_count(store, v, &zone->changes);
    }
}


void
ngx_http_ux_erase(ngx_http_ux_zone_t *zone, ux_key_t key)
{
    bool  provisional;

    if (zone->joined
        && ux_table_erase(&zone->store.table, key, (uint32_t) ngx_time(),
                          &provisional)
           == UX_OK)
    {
        ux_counter_add(&zone->store.counter, UX_ZONE_ERASED, 1);
        ux_counter_add(&zone->store.counter, UX_ZONE_PROVISIONAL,
                       provisional ? -1 : 0);
    }
}
