
/*
 * Copyright (C) the nginx-ux authors
 *
 * Ids for those who bring none: a new cookie, one that is signed anew, and
 * what a bot is bucketed by.
 */

#include "ngx_http_ux_request.h"


static ngx_int_t ngx_http_ux_random_id(uint8_t id[16]);


ngx_int_t
ngx_http_ux_mint(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    char       buf[UX_COOKIE_VALUE_MAX];
    u_char    *id;
    uint8_t    random[16];
    ngx_str_t  value;

    id = ngx_pnalloc(r->pool, UX_COOKIE_ID_LEN);
    value.data = (u_char *) buf;

    if (id == NULL || ctx->zone->nkeys == 0
        || ngx_http_ux_random_id(random) != NGX_OK
        || ux_cookie_mint(random, (uint32_t) (ngx_time() / 86400),
                          ctx->zone->keys[0], buf, &value.len)
           != UX_OK
        || ngx_http_ux_cookie_make(r, ctx, &value, 0) != NGX_OK)
    {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "no visitor cookie could be minted");
        return NGX_ERROR;
    }

    ngx_memcpy(id, &buf[UX_COOKIE_ID_AT], UX_COOKIE_ID_LEN);

    ctx->key.data = (const char *) id;
    ctx->key.len = UX_COOKIE_ID_LEN;
    ctx->hash = ux_hash_key(ctx->zone->store.head->index_key, ctx->key);
    ctx->cookie_hash = 0;
    ctx->minted = 1;

    return NGX_OK;
}


/*
 * A cookie of an older key is signed by the first, so that the older one can
 * be retired.  It ends when it would have: visits do not prolong it.
 */
void
ngx_http_ux_resign(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    char                     buf[UX_COOKIE_VALUE_MAX];
    time_t                   age;
    ngx_str_t                value;
    ngx_http_ux_srv_conf_t  *scf;

    scf = ngx_http_get_module_srv_conf(r, ngx_http_ux_module);

    age = (ngx_time() / 86400 - (time_t) ctx->cookie.day) * 86400;
    age = ngx_max(age, 0);
    value.data = (u_char *) buf;

    if (age < scf->cookie->max_age
        && ux_cookie_resign(&ctx->cookie, ctx->zone->keys[0], buf, &value.len)
           == UX_OK)
    {
        (void) ngx_http_ux_cookie_make(r, ctx, &value, age);
    }
}


/*
 * Bots and HEAD: a variant that stays the same for an address, for this
 * request only.  The hash is keyed by the zone, the address is not kept.
 */
ngx_int_t
ngx_http_ux_transient(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
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
    static size_t     left;
    static uint8_t    pool[1024];
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
