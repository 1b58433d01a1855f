
/*
 * Copyright (C) the nginx-ux authors
 *
 * Who is asking: the key from ux_visitor_key, else our cookie, else a new
 * cookie for a navigation.
 */

#include "ngx_http_ux_module.h"

#include "ux_bot.h"


static ngx_uint_t ngx_http_ux_stats_location(ngx_http_request_t *r);
static ngx_int_t ngx_http_ux_visitor_key(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_http_ux_loc_conf_t *lcf);
static ngx_int_t ngx_http_ux_visitor_cookie(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx);
static ngx_uint_t ngx_http_ux_visitor_known(ngx_http_ux_ctx_t *ctx);
static ngx_int_t ngx_http_ux_visitor_mint(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx);
static ngx_int_t ngx_http_ux_visitor_transient(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx);
static ngx_int_t ngx_http_ux_random_id(uint8_t id[16]);
static void ngx_http_ux_read_header(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_table_elt_t *h, ngx_http_ux_said_t *said);
static ngx_uint_t ngx_http_ux_foreign_origin(ngx_http_request_t *r,
    ngx_str_t *origin);
static ngx_uint_t ngx_http_ux_contains(ngx_str_t *value, char *word,
    size_t len);


#define ngx_http_ux_is(h, literal)                                            \
    ((h)->key.len == sizeof(literal) - 1                                      \
     && ngx_strncasecmp((h)->key.data, (u_char *) literal,                    \
                        sizeof(literal) - 1) == 0)

#define ngx_http_ux_equals(v, literal)                                        \
    ((v)->len == sizeof(literal) - 1                                          \
     && ngx_strncasecmp((v)->data, (u_char *) literal,                        \
                        sizeof(literal) - 1) == 0)


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

    scf = ngx_http_get_module_srv_conf(r, ngx_http_ux_module);
    ctx->confirm = scf->confirm;

    lcf = ngx_http_ux_decider(r, ctx);

    ngx_http_ux_read_headers(r, ctx);

    rc = ngx_http_ux_visitor_key(r, ctx, lcf);

    if (rc == NGX_DECLINED) {
        rc = ngx_http_ux_visitor_cookie(r, ctx);
    }

    if (rc == NGX_DECLINED) {

        if (ctx->method == NGX_HTTP_HEAD
            || ngx_http_ux_barred_bot(r, ctx)) {
            rc = ngx_http_ux_visitor_transient(r, ctx);

        } else if (mint && !ngx_http_ux_stats_location(r)
                   && (ctx->navigation
                    || (lcf->expose != NULL && lcf->expose->any))
                   && !(ctx->cross_site && ctx->method == NGX_HTTP_POST))
        {
            rc = ngx_http_ux_visitor_mint(r, ctx);
        }
    }

    if (rc != NGX_OK) {
        ctx->key.len = 0;
    }

    ctx->determined = 1;
    ctx->determining = 0;
    ctx->record_read = 0;
}


/* Who asks ux_stats is made nobody's visitor, even by a variable. */
static ngx_uint_t
ngx_http_ux_stats_location(ngx_http_request_t *r)
{
    ngx_http_ux_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_ux_module);

    return lcf->stats != NGX_HTTP_UX_STATS_OFF;
}


/* The zone of the experiments exposed, else the first one; NULL: none. */
ngx_http_ux_zone_t *
ngx_http_ux_request_zone(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    ngx_http_ux_zone_t      **zones;
    ngx_http_ux_loc_conf_t   *lcf;
    ngx_http_ux_main_conf_t  *mcf;

    if (ctx->zone != NULL) {
        return ctx->zone;
    }

    lcf = ngx_http_ux_decider(r, ctx);

    if (lcf->expose != NULL && lcf->expose->zone != NULL) {
        return lcf->expose->zone;
    }

    mcf = ngx_http_get_module_main_conf(r, ngx_http_ux_module);
    zones = mcf->zones.elts;

    return (mcf->zones.nelts == 0) ? NULL : zones[0];
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
    ctx->keyed = 1;

    return NGX_OK;
}


/* The first of our cookies that is ours; at most UX_COOKIE_TRIES_MAX. */
static ngx_int_t
ngx_http_ux_visitor_cookie(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    ux_str_t                 rest, name, value;
    ngx_uint_t               tries;
    ux_cookie_t              cookie;
    ngx_http_ux_cookies_t    it;
    ngx_http_ux_srv_conf_t  *scf;

    scf = ngx_http_get_module_srv_conf(r, ngx_http_ux_module);
    name = ngx_http_ux_str(scf->cookie->name);
    tries = 0;

    for (ngx_http_ux_cookies_first(r, it);
         !ngx_http_ux_cookies_end(r, it);
         ngx_http_ux_cookies_next(r, it))
    {
        rest = ngx_http_ux_str(*ngx_http_ux_cookies_value(r, it));

        while (ux_cookie_next(&rest, name, &value) == UX_OK) {

            if (tries++ == UX_COOKIE_TRIES_MAX) {
                ngx_http_ux_discard(ctx, UX_DISCARD_BAD_COOKIE);
                return NGX_DECLINED;
            }

            if (ux_cookie_parse(value, &cookie) != UX_OK) {
                continue;
            }

            ctx->hash = ux_hash_key(ctx->zone->store.head->index_key,
                                    cookie.id);
            ctx->cookie_hash = ux_hash_keyed(
                                         ctx->zone->store.head->index_key,
                                         cookie.value);

            if (ngx_http_ux_visitor_known(ctx)
                || ux_cookie_verify(&cookie, ctx->zone->keys,
                                    (unsigned) ctx->zone->nkeys, NULL))
            {
                ctx->key = cookie.id;
                ctx->returned = 1;
                return NGX_OK;
            }
        }
    }

    ctx->cookie_hash = 0;

    if (tries != 0) {
        ngx_http_ux_discard(ctx, UX_DISCARD_BAD_COOKIE);
    }

    return NGX_DECLINED;
}


/* Its signature was verified before, and remembered in the record. */
static ngx_uint_t
ngx_http_ux_visitor_known(ngx_http_ux_ctx_t *ctx)
{
    ux_visitor_t  *v;

    v = &ctx->zone->visitor;

    if (ux_table_read(&ctx->zone->store.table, ctx->hash,
                      (uint32_t) ngx_time(), v)
            != UX_OK
        || v->cookie_hash != ctx->cookie_hash)
    {
        return 0;
    }

    ctx->record_read = 1;

    return 1;
}


static ngx_int_t
ngx_http_ux_visitor_mint(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    char      value[UX_COOKIE_VALUE_MAX];
    size_t    len;
    u_char   *id;
    uint8_t   random[16];

    id = ngx_pnalloc(r->pool, UX_COOKIE_ID_LEN);

    if (id == NULL || ctx->zone->nkeys == 0
        || ngx_http_ux_random_id(random) != NGX_OK
        || ux_cookie_mint(random, (uint32_t) (ngx_time() / 86400),
                          ctx->zone->keys[0], value, &len)
           != UX_OK
        || ngx_http_ux_cookie_make(r, ctx, (u_char *) value, len) != NGX_OK)
    {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "no visitor cookie could be minted");
        return NGX_ERROR;
    }

    (void) ngx_hex_dump(id, random, sizeof(random));

    ctx->key.data = (const char *) id;
    ctx->key.len = UX_COOKIE_ID_LEN;
    ctx->hash = ux_hash_key(ctx->zone->store.head->index_key, ctx->key);
    ctx->cookie_hash = 0;
    ctx->minted = 1;

    return NGX_OK;
}


/*
 * Bots and HEAD: a variant that stays the same for an address, for this
 * request only.  The hash is keyed by the zone, the address is not kept.
 */
static ngx_int_t
ngx_http_ux_visitor_transient(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    u_char    *key;
    uint64_t   h;

    key = ngx_pnalloc(r->pool, 16);
    if (key == NULL) {
        return NGX_ERROR;
    }

    h = ux_hash_keyed(ctx->zone->store.head->index_key,
                      ngx_http_ux_str(r->connection->addr_text));

    ctx->key.data = (const char *) key;
    ctx->key.len = ngx_snprintf(key, 16, "%016xL", h) - key;
    ctx->transient = 1;

    return NGX_OK;
}


/* 128 random bits from a buffer refilled now and then. */
static ngx_int_t
ngx_http_ux_random_id(uint8_t id[16])
{
    static size_t   left;
    static uint8_t  pool[1024];
    static ngx_pid_t  pid;

    /* a forked child must not hand out its parent's */

    if (pid != ngx_pid) {
        pid = ngx_pid;
        left = 0;
    }

    if (left < 16) {

        if (ngx_http_ux_random(pool, sizeof(pool)) != NGX_OK) {
            return NGX_ERROR;
        }

        left = sizeof(pool);
    }

    left -= 16;
    ngx_memcpy(id, &pool[left], 16);
    ngx_memzero(&pool[left], 16);

    return NGX_OK;
}


/*
 * For requests that neither expose nor tell an event: our cookie may confirm
 * the visitor it was given to.
 */
void
ngx_http_ux_recognize(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    if (ctx->determined || ctx->determining) {
        return;
    }

    ctx->zone = ngx_http_ux_request_zone(r, ctx);

    if (ctx->zone != NULL) {
        (void) ngx_http_ux_visitor_cookie(r, ctx);
    }
}


void
ngx_http_ux_read_headers(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    ngx_uint_t           i;
    ngx_list_part_t     *part;
    ngx_table_elt_t     *h;
    ngx_http_ux_said_t   said;

    if (ctx->headers_read) {
        return;
    }

    ctx->headers_read = 1;
    ngx_memzero(&said, sizeof(ngx_http_ux_said_t));

    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        ngx_http_ux_read_header(r, ctx, &h[i], &said);
    }

    if (ctx->method & (NGX_HTTP_GET|NGX_HTTP_POST|NGX_HTTP_HEAD)) {
        ctx->navigation = said.dest ? said.document : said.html;
    }

    ctx->cross_site = said.site ? said.cross_site : said.foreign;
}


static void
ngx_http_ux_read_header(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_table_elt_t *h, ngx_http_ux_said_t *said)
{
    ngx_str_t  *v;

    v = &h->value;

    switch (h->key.len) {

    case sizeof("Accept") - 1:

        if (ngx_http_ux_is(h, "Accept")) {
            said->html |= ngx_http_ux_contains(v, "text/html", 9);

        } else if (ngx_http_ux_is(h, "Origin")) {
            said->foreign |= ngx_http_ux_foreign_origin(r, v);
        }

        break;

    case sizeof("Sec-Fetch-Dest") - 1:

        if (ngx_http_ux_is(h, "Sec-Fetch-Dest")) {
            said->dest = 1;
            said->document = ngx_http_ux_equals(v, "document")
                             || ngx_http_ux_equals(v, "iframe")
                             || ngx_http_ux_equals(v, "frame");

        } else if (ngx_http_ux_is(h, "Sec-Fetch-Site")) {
            said->site = 1;
            said->cross_site = ngx_http_ux_equals(v, "cross-site");
        }

        break;

    case sizeof("Sec-Purpose") - 1:

        if (ngx_http_ux_is(h, "Sec-Purpose")
            && ngx_http_ux_contains(v, "prefetch", 8))
        {
            ctx->prefetch = 1;
        }

        break;

    case sizeof("Purpose") - 1:

        if (ngx_http_ux_is(h, "Purpose")
            && ngx_http_ux_equals(v, "prefetch"))
        {
            ctx->prefetch = 1;
        }

        break;
    }
}


/* "https://shop.example" against our Host; "null" is nobody's. */
static ngx_uint_t
ngx_http_ux_foreign_origin(ngx_http_request_t *r, ngx_str_t *origin)
{
    u_char     *p, *last;
    ngx_str_t   host;

    last = origin->data + origin->len;
    p = ngx_strlchr(origin->data, last, '/');

    if (p == NULL || last - p < 2 || p[1] != '/'
        || r->headers_in.host == NULL)
    {
        return 1;
    }

    p += 2;
    host = r->headers_in.host->value;

    return host.len != (size_t) (last - p)
           || ngx_strncasecmp(host.data, p, host.len) != 0;
}


static ngx_uint_t
ngx_http_ux_contains(ngx_str_t *value, char *word, size_t len)
{
    return value->len >= len
           && ngx_strlcasestrn(value->data, value->data + value->len,
                               (u_char *) word, len - 1)
              != NULL;
}


ngx_uint_t
ngx_http_ux_is_bot(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    ux_str_t          agent;
    ngx_table_elt_t  *h;

    if (!ctx->bot_known) {
        h = r->main->headers_in.user_agent;

        agent.data = (h == NULL) ? "" : (const char *) h->value.data;
        agent.len = (h == NULL) ? 0 : h->value.len;

        ctx->bot = ux_bot_check(agent);
        ctx->bot_known = 1;
    }

    return ctx->bot;
}


/* A bot, where bots are not counted. */
ngx_uint_t
ngx_http_ux_barred_bot(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    ngx_http_ux_srv_conf_t  *scf;

    scf = ngx_http_get_module_srv_conf(r, ngx_http_ux_module);

    return scf->bots == NGX_HTTP_UX_BOTS_EXCLUDE
           && ngx_http_ux_is_bot(r, ctx);
}
