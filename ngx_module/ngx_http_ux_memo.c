
/*
 * Copyright (C) the nginx-ux authors
 *
 * A browser sends the same line of cookies with every request of a connection.
 * What was found in it, and hashed, is kept with the connection, beside the
 * line itself: where the line, the name of our cookie and the keys of the zone
 * are the same, so is all else.  Nothing is taken for true that depends on
 * more: whether the cookie is valid is still for the visitor's record to say.
 *
 * Kept from a connection's second request on, as long as the connection; seldom
 * where one carries many visitors' requests.
 */

#include "ngx_http_ux_module.h"


#define NGX_HTTP_UX_MEMO_LINE   1024     /* bytes: longer ones are not kept */
#define NGX_HTTP_UX_MEMO_MISSES 4        /* in a row, and then but one of */
#define NGX_HTTP_UX_MEMO_AGAIN  16       /*   so many more is kept */


typedef struct {
    uint64_t     index_key[2];           /* of the zone */
    uint64_t     keys_hash;
    ux_key_t     hash;
    uint64_t     cookie_hash;
    uint32_t     day;
    uint32_t     at_table;               /* see ux_table_glance_at() */
    ngx_uint_t   misses;
    size_t       at;                     /* the value, in the line */
    size_t       value;                  /* its length */
    size_t       name;                   /* that of the name before it */
    size_t       len;
    size_t       room;
    u_char      *line;
} ngx_http_ux_memo_t;


static ngx_http_ux_memo_t *ngx_http_ux_memo(ngx_connection_t *c);
static ngx_http_ux_memo_t *ngx_http_ux_memo_make(ngx_connection_t *c,
    size_t len);
static ngx_str_t *ngx_http_ux_memo_line(ngx_http_request_t *r);
static void ngx_http_ux_memo_cleanup(void *data);


ngx_int_t
ngx_http_ux_memo_find(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    u_char                  *value;
    ngx_str_t               *line, *name;
    const uint64_t          *key;
    ngx_http_ux_memo_t      *memo;
    ngx_http_ux_srv_conf_t  *scf;

    memo = ngx_http_ux_memo(r->connection);

    if (memo == NULL) {
        return NGX_DECLINED;
    }

    line = ngx_http_ux_memo_line(r);
    key = ctx->zone->store.head->index_key;
    scf = ngx_http_get_module_srv_conf(r, ngx_http_ux_module);
    name = &scf->cookie->name;

    if (line == NULL
        || memo->len != line->len
        || memo->name != name->len
        || memo->keys_hash != ctx->zone->keys_hash
        || memo->index_key[0] != key[0] || memo->index_key[1] != key[1]
        || ngx_memcmp(memo->line, line->data, line->len) != 0
        || ngx_memcmp(line->data + memo->at - name->len - 1, name->data,
                      name->len)
           != 0)
    {
        return NGX_DECLINED;
    }

    memo->misses = 0;

    value = line->data + memo->at;
    ux_cookie_parsed((const char *) value, memo->value, memo->day,
                     &ctx->cookie);
    ctx->hash = memo->hash;
    ctx->cookie_hash = memo->cookie_hash;
    ctx->at = &memo->at_table;

    return NGX_OK;
}


void
ngx_http_ux_memo_keep(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    u_char                  *value;
    ngx_str_t               *line;
    ngx_connection_t        *c;
    ngx_http_ux_memo_t      *memo;
    ngx_http_ux_srv_conf_t  *scf;

    c = r->connection;
    scf = ngx_http_get_module_srv_conf(r, ngx_http_ux_module);
    line = ngx_http_ux_memo_line(r);

    if (line == NULL || line->len > NGX_HTTP_UX_MEMO_LINE || c->requests < 2
        || ctx->cookie_hash == 0)
    {
        return;
    }

    memo = ngx_http_ux_memo(c);

    if (memo == NULL) {
        memo = ngx_http_ux_memo_make(c, line->len);
        if (memo == NULL) {
            return;
        }
    }

    memo->misses++;

    if (line->len > memo->room
        || (memo->misses > NGX_HTTP_UX_MEMO_MISSES
            && memo->misses % NGX_HTTP_UX_MEMO_AGAIN != 0))
    {
        return;
    }

    value = (u_char *) ctx->cookie.value.data;

    memo->index_key[0] = ctx->zone->store.head->index_key[0];
    memo->index_key[1] = ctx->zone->store.head->index_key[1];
    memo->keys_hash = ctx->zone->keys_hash;
    memo->hash = ctx->hash;
    memo->cookie_hash = ctx->cookie_hash;
    memo->day = ctx->cookie.day;
    memo->at = value - line->data;
    memo->value = ctx->cookie.value.len;
    memo->name = scf->cookie->name.len;
    memo->len = line->len;
    ngx_memcpy(memo->line, line->data, line->len);
}


static ngx_http_ux_memo_t *
ngx_http_ux_memo(ngx_connection_t *c)
{
    ngx_pool_cleanup_t  *cln;

    for (cln = c->pool->cleanup; cln != NULL; cln = cln->next) {
        if (cln->handler == ngx_http_ux_memo_cleanup) {
            return cln->data;
        }
    }

    return NULL;
}


static ngx_http_ux_memo_t *
ngx_http_ux_memo_make(ngx_connection_t *c, size_t len)
{
    ngx_pool_cleanup_t  *cln;
    ngx_http_ux_memo_t  *memo;

    /* a shop may add one more to its cookies */

    len += len / 4;

    cln = ngx_pool_cleanup_add(c->pool, sizeof(ngx_http_ux_memo_t) + len);
    if (cln == NULL) {
        return NULL;
    }

    memo = cln->data;
    ngx_memzero(memo, sizeof(ngx_http_ux_memo_t));
    memo->room = len;
    memo->line = (u_char *) &memo[1];
    cln->handler = ngx_http_ux_memo_cleanup;

    return memo;
}


/* The only line of cookies; NULL: there is none, or more than one. */
static ngx_str_t *
ngx_http_ux_memo_line(ngx_http_request_t *r)
{
    ngx_http_ux_cookies_t  it;

    if (!ngx_http_ux_cookies_one(r)) {
        return NULL;
    }

    ngx_http_ux_cookies_first(r, it);

    return ngx_http_ux_cookies_value(r, it);
}


/* Marks it among the pool's cleanup handlers, as the pool frees it. */
static void
ngx_http_ux_memo_cleanup(void *data)
{
    /* void */
}
