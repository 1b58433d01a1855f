
/*
 * Copyright (C) the nginx-ux authors
 *
 * Who is asking: the key from ux_visitor_key, else our cookie, else a new
 * cookie for a navigation (ngx_http_ux_mint.c).
 */

#include "ngx_http_ux_request.h"


static ngx_uint_t ngx_http_ux_visitor_mints(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_http_ux_loc_conf_t *lcf);
static ngx_uint_t ngx_http_ux_stats_location(ngx_http_request_t *r);
static ngx_int_t ngx_http_ux_visitor_key(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_http_ux_loc_conf_t *lcf);
static ngx_int_t ngx_http_ux_visitor_cookie(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx);
static void ngx_http_ux_visitor_took(ngx_http_ux_ctx_t *ctx);
static ngx_uint_t ngx_http_ux_visitor_verify(ngx_http_ux_ctx_t *ctx);
static void ngx_http_ux_visitor_join(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx);
static void ngx_http_ux_visitor_forget(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_int_t rc);
static ngx_uint_t ngx_http_ux_visitor_known(ngx_http_ux_ctx_t *ctx);
static ngx_int_t ngx_http_ux_visitor_see(ngx_http_ux_ctx_t *ctx);


void
ngx_http_ux_determine(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_uint_t mint)
{
    ngx_int_t                rc;
    ngx_http_ux_loc_conf_t  *lcf;
    ngx_http_ux_srv_conf_t  *scf;

    if (ctx->determined || ctx->determining) {
        return;
    }

    r = r->main;
    ctx->zone = ngx_http_ux_request_zone(r, ctx);

    if (ctx->zone == NULL) {
        return;
    }

    /* ux_visitor_key may be made of our own variables */

    ctx->determining = 1;
    ctx->record_read = 0;

    scf = ngx_http_get_module_srv_conf(r, ngx_http_ux_module);
    ctx->confirm = scf->confirm;

    lcf = ngx_http_ux_decider(r, ctx);

    ngx_http_ux_read_headers(r, ctx);
    ngx_http_ux_control(r, ctx, lcf);

    ctx->overridden = ngx_http_ux_override_check(ctx, ctx->zone);

    rc = ngx_http_ux_visitor_key(r, ctx, lcf);

    if (rc == NGX_DECLINED) {
        rc = ngx_http_ux_visitor_cookie(r, ctx);

    } else if (rc == NGX_OK) {
        ngx_http_ux_visitor_join(r, ctx);
    }

    if (ctx->no_consent) {
        ngx_http_ux_visitor_forget(r, ctx, rc);
        rc = NGX_ERROR;
    }

    mint = mint && ngx_http_ux_visitor_mints(r, ctx, lcf);

    if (rc == NGX_DECLINED) {

        if (ctx->method == NGX_HTTP_HEAD
            || ngx_http_ux_barred_bot(r, ctx))
        {
            rc = ngx_http_ux_transient(r, ctx);

        } else if (mint) {
            rc = ngx_http_ux_mint(r, ctx);
        }

    } else if (ctx->outdated && mint) {
        ngx_http_ux_resign(r, ctx);
    }

    if (rc != NGX_OK) {
        ctx->key.len = 0;
    }

    if (ctx->record_read && lcf->expose != NULL && !lcf->expose->off) {

        /* now, while the record is there; no memory: tried again later */

        (void) ngx_http_ux_choices(r, ctx, ctx->zone);
    }

    ctx->determined = 1;
    ctx->determining = 0;
    ctx->record_read = 0;
}


/* May this request be given our cookie? */
static ngx_uint_t
ngx_http_ux_visitor_mints(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_loc_conf_t *lcf)
{
    if (ctx->collect != NULL || ngx_http_ux_stats_location(r)
        || (ctx->cross_site && ctx->method == NGX_HTTP_POST))
    {
        return 0;
    }

    return ctx->navigation || (lcf->expose != NULL && lcf->expose->any);
}


/* Who asks ux_stats is made nobody's visitor, even by a variable. */
static ngx_uint_t
ngx_http_ux_stats_location(ngx_http_request_t *r)
{
    ngx_http_ux_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_ux_module);

    return lcf->stats != NGX_HTTP_UX_STATS_OFF;
}


/*
 * The zone of a beacon's location, or of the experiments exposed, else the
 * first one; NULL: none.
 */
ngx_http_ux_zone_t *
ngx_http_ux_request_zone(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    ngx_http_ux_loc_conf_t   *lcf;
    ngx_http_ux_main_conf_t  *mcf;

    if (ctx->zone != NULL) {
        return ctx->zone;
    }

    if (ctx->collect != NULL) {
        return ctx->collect->zone;
    }

    lcf = ngx_http_ux_decider(r, ctx);

    if (lcf->expose != NULL && lcf->expose->zone != NULL) {
        return lcf->expose->zone;
    }

    mcf = ngx_http_get_module_main_conf(r, ngx_http_ux_module);

    return mcf->first;
}


ngx_http_ux_loc_conf_t *
ngx_http_ux_decider(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    if (ctx->decider != NULL) {
        return ctx->decider;
    }

    return ngx_http_get_module_loc_conf(r->main, ngx_http_ux_module);
}


static ngx_int_t
ngx_http_ux_visitor_key(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_loc_conf_t *lcf)
{
    ngx_str_t  key;

    if (lcf->visitor_key == NULL) {
        return NGX_DECLINED;
    }

    if (ngx_http_complex_value(r, lcf->visitor_key, &key) != NGX_OK) {
        return NGX_ERROR;
    }

    if (key.len == 0) {
        return NGX_DECLINED;
    }

    ctx->key = ngx_http_ux_str(key);
    ctx->hash = ux_hash_key(ctx->zone->store.head->index_key, ctx->key);
    ctx->alias = ctx->hash;
    ctx->keyed = 1;

    return NGX_OK;
}


/* The first of our cookies that is ours; at most UX_COOKIE_TRIES_MAX. */
static ngx_int_t
ngx_http_ux_visitor_cookie(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    ux_str_t                 rest, name, value;
    ngx_uint_t               tries;
    ngx_http_ux_cookies_t    it;
    ngx_http_ux_srv_conf_t  *scf;

    if (ngx_http_ux_memo_find(r, ctx) == NGX_OK
        && ngx_http_ux_visitor_known(ctx))
    {
        ctx->cookie_seen = 1;
        ngx_http_ux_visitor_took(ctx);
        return NGX_OK;
    }

    scf = ngx_http_get_module_srv_conf(r, ngx_http_ux_module);
    name = ngx_http_ux_str(scf->cookie->name);
    tries = 0;

    for (ngx_http_ux_cookies_first(r, it);
         !ngx_http_ux_cookies_end(r, it);
         ngx_http_ux_cookies_next(r, it))
    {
        rest = ngx_http_ux_str(*ngx_http_ux_cookies_value(r, it));

        while (ux_cookie_next(&rest, name, &value) == UX_OK) {
            ctx->cookie_seen = 1;

            if (tries++ == UX_COOKIE_TRIES_MAX) {
                goto failed;
            }

            if (ux_cookie_parse(value, &ctx->cookie) == UX_OK
                && ngx_http_ux_visitor_verify(ctx))
            {
                if (tries == 1) {
                    ngx_http_ux_memo_keep(r, ctx);
                }

                ngx_http_ux_visitor_took(ctx);
                return NGX_OK;
            }
        }
    }

failed:

    ctx->cookie_hash = 0;

    if (tries != 0) {
        ngx_http_ux_discard(ctx, UX_DISCARD_BAD_COOKIE);
    }

    return NGX_DECLINED;
}


static void
ngx_http_ux_visitor_took(ngx_http_ux_ctx_t *ctx)
{
    ctx->key = ctx->cookie.id;
    ctx->cookie_day = ctx->cookie.day;
    ctx->returned = 1;
}


/*
 * What was verified is remembered as a hash of the value and of all keys: a
 * key that is retired takes its cookies with it.  Only what the first key
 * signed is remembered, the others wait to be signed by it.
 */
static ngx_uint_t
ngx_http_ux_visitor_verify(ngx_http_ux_ctx_t *ctx)
{
    unsigned             which;
    ngx_http_ux_zone_t  *zone;

    zone = ctx->zone;

    ctx->hash = ux_hash_key(zone->store.head->index_key, ctx->cookie.id);
    ctx->cookie_hash = zone->keys_hash
                       ^ ux_hash_keyed(zone->store.head->index_key,
                                       ctx->cookie.value);

    if (ngx_http_ux_visitor_known(ctx)) {
        return 1;
    }

    if (!ux_cookie_verify(&ctx->cookie, zone->keys, (unsigned) zone->nkeys,
                          &which))
    {
        return 0;
    }

    if (which != 0) {
        ctx->outdated = 1;
        ctx->cookie_hash = 0;
    }

    return 1;
}


/*
 * A login, or what else ux_visitor_key names.  A key that was joined is
 * another name of a cookie's visitor; one never seen before becomes it, when
 * a valid cookie comes along.  A key with a record of its own wins, and the
 * cookie's visitor may have seen another variant: see ngx_http_ux_join().
 */
static void
ngx_http_ux_visitor_join(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    u_char        *id;
    ux_key_t       hash;
    ux_str_t       key, cookie;
    ngx_int_t      rc;
    ngx_uint_t     unassigned;
    ux_status_t    known;
    ux_visitor_t  *v;

    v = &ctx->zone->visitor;
    key = ctx->key;
    hash = ctx->hash;

    known = ux_table_read(&ctx->zone->store.table, hash,
                          (uint32_t) ngx_time(), v);

    unassigned = (known == UX_OK && !v->alias && v->ntracks == 1);

    if (known == UX_OK && v->alias) {
        id = ngx_pnalloc(r->pool, UX_COOKIE_ID_LEN);

        if (id != NULL) {
            (void) ngx_hex_dump(id, v->alias_id, sizeof(v->alias_id));
            ctx->key.data = (const char *) id;
            ctx->key.len = UX_COOKIE_ID_LEN;
            ctx->hash = ux_hash_key(ctx->zone->store.head->index_key,
                                    ctx->key);
            ctx->joined = 1;

            /* it has to live as long as what it names */

            ctx->aliases = (ngx_time() - (time_t) v->last_s
                            >= NGX_HTTP_UX_TOUCH);
        }

        key = ctx->key;
        hash = ctx->hash;
    }

    rc = ngx_http_ux_visitor_cookie(r, ctx);
    cookie = ctx->key;

    ctx->key = key;

    if (rc == NGX_OK) {
        ctx->cookie_id = cookie;

        if (known == UX_DECLINED
            || (known == UX_OK && !ctx->joined && unassigned))
        {
            ctx->aliases = 1;
            ctx->joined = 1;
            ctx->key = cookie;
            return;
        }
    }

    /* the cookie tells nothing of this visitor but that it is confirmed */

    ctx->hash = hash;
    ctx->cookie_hash = 0;
    ctx->record_read = 0;
    ctx->returned = 0;
}


/* Consent is missing or was withdrawn: nothing of the visitor stays. */
static void
ngx_http_ux_visitor_forget(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_int_t rc)
{
    if (rc == NGX_OK) {
        ngx_http_ux_erase(ctx->zone, ctx->hash);
    }

    /* a login may be another name, and may come with a cookie of its own */

    if (ctx->keyed) {
        ngx_http_ux_erase(ctx->zone, ctx->alias);

        if (ctx->cookie_id.len != 0) {
            ngx_http_ux_erase(ctx->zone,
                          ux_hash_key(ctx->zone->store.head->index_key,
                                      ctx->cookie_id));
        }
    }

    ctx->aliases = 0;
    ctx->cookie_id.len = 0;
    ctx->expire = ctx->cookie_seen;
    ctx->returned = 0;
    ctx->keyed = 0;
    ctx->discarded &= ~(1u << UX_DISCARD_BAD_COOKIE);
}


/*
 * Its signature was verified before, and remembered in the record.  Where no
 * variant is asked for, a glance at that tells all.
 */
static ngx_uint_t
ngx_http_ux_visitor_known(ngx_http_ux_ctx_t *ctx)
{
    ngx_int_t      rc;
    ux_outline_t  *outline;

    outline = &ctx->zone->outline;

    if (!ctx->determining) {
        rc = ngx_http_ux_idle_glance(ctx);

        if (rc != NGX_DECLINED) {
            return rc == NGX_OK;
        }
    }

    if (ngx_http_ux_visitor_see(ctx) != NGX_OK
        || outline->cookie_hash != ctx->cookie_hash)
    {
        return 0;
    }

    ctx->record_read = 1;
    ctx->known = outline->confirmed;

    return 1;
}


/* What the connection keeps, while the record stays as it is. */
static ngx_int_t
ngx_http_ux_visitor_see(ngx_http_ux_ctx_t *ctx)
{
    uint32_t             now_s, last_s;
    ux_table_t          *table;
    ux_outline_t        *outline;
    ngx_http_ux_kept_t  *kept;

    kept = ctx->kept;
    table = &ctx->zone->store.table;
    outline = &ctx->zone->outline;
    now_s = (uint32_t) ngx_time();

    if (kept != NULL
        && ux_table_same(table, ctx->hash, &kept->seen, now_s, &last_s)
           == UX_OK)
    {
        ctx->seen = kept->seen;
        ctx->unchanged = 1;
        *outline = kept->outline;
        return NGX_OK;
    }

    ctx->seen.slot = (kept != NULL) ? kept->at : UX_PROCESS_NONE;

    if (ux_table_see(table, ctx->hash, now_s, outline, &ctx->seen) != UX_OK) {
        return NGX_ERROR;
    }

    if (kept != NULL) {
        kept->at = ctx->seen.slot;
        kept->seen = ctx->seen;
        kept->outline = *outline;
        ngx_http_ux_kept_forget(kept);
    }

    return NGX_OK;
}


/*
 * For requests that neither expose nor tell an event: our cookie may confirm
 * the visitor it was given to, or come after consent was withdrawn.  Sec-GPC
 * is left to the locations that expose, where "ux_gpc off" may stand.
 */
void
ngx_http_ux_recognize(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    if (ctx->determined || ctx->determining) {
        return;
    }

    ctx->zone = ngx_http_ux_request_zone(r, ctx);

    if (ctx->zone == NULL || ngx_http_ux_visitor_cookie(r, ctx) != NGX_OK) {
        return;
    }

    if (!ctx->known) {

        /* it is about to be confirmed: may it be? */

        ngx_http_ux_read_headers(r, ctx);
    }

    ngx_http_ux_control(r, ctx, ngx_http_ux_decider(r, ctx));

    if (ctx->no_consent) {
        ngx_http_ux_visitor_forget(r, ctx, NGX_OK);
        ctx->key.len = 0;
    }
}
