
/*
 * Copyright (C) the nginx-ux authors
 *
 * A browser sends the same line of cookies with every request of a connection.
 * What was found in it, and hashed, is kept with the connection, beside the
 * line itself: where the line, the name of our cookie and the zone, which has
 * its keys, are the same, so is all else.  Nothing is taken for true that
 * depends on more: whether the cookie is valid is still for the visitor's
 * record to say.
 *
 * Kept from a connection's second request on, as long as the connection;
 * seldom where one carries many visitors' requests.
 */

#include "ngx_http_ux_request.h"


#define NGX_HTTP_UX_MEMO_LINE   1024     /* bytes: longer ones are not kept */
#define NGX_HTTP_UX_MEMO_MISSES 4        /* in a row, and then but one of */
#define NGX_HTTP_UX_MEMO_AGAIN  16       /*   so many more is kept */


typedef struct {
    ngx_http_ux_zone_t  *zone;           /* and so its keys */
    ux_key_t     hash;
    uint64_t     cookie_hash;
    uint32_t     day;
    ux_glance_t  glance;                 /* the last that was told, */
    ux_seen_t    glanced;                /*   and where: see ux_table_same() */
    ngx_uint_t   misses;
    ngx_http_ux_kept_t  kept;
    size_t       at;                     /* the value, in the line */
    size_t       value;                  /* its length */
    size_t       name;                   /* that of the name before it */
    size_t       len;
    size_t       room;
    u_char      *line;
} ngx_http_ux_memo_t;


static ngx_inline ngx_http_ux_memo_t *ngx_http_ux_memo_match(
    ngx_http_request_t *r, ngx_http_ux_zone_t *zone);
static ngx_inline ngx_http_ux_memo_t *ngx_http_ux_memo(ngx_connection_t *c);
static ngx_http_ux_memo_t *ngx_http_ux_memo_make(ngx_connection_t *c,
    size_t len);
static ngx_inline ngx_str_t *ngx_http_ux_memo_line(ngx_http_request_t *r);
static void ngx_http_ux_memo_cleanup(void *data);


ngx_int_t
ngx_http_ux_memo_find(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    ngx_str_t           *line;
    ngx_http_ux_memo_t  *memo;

    memo = ngx_http_ux_memo_match(r, ctx->zone);

    if (memo == NULL) {
        return NGX_DECLINED;
    }

    line = ngx_http_ux_memo_line(r);

    ux_cookie_parsed((const char *) line->data + memo->at, memo->value,
                     memo->day, &ctx->cookie);
    ctx->hash = memo->hash;
    ctx->cookie_hash = memo->cookie_hash;
    ctx->kept = &memo->kept;

    return NGX_OK;
}


ngx_uint_t
ngx_http_ux_memo_idle(ngx_http_request_t *r, ngx_http_ux_zone_t *zone)
{
    uint32_t             now_s;
    ux_table_t          *table;
    ux_glance_t         *glance;
    ngx_http_ux_memo_t  *memo;

    memo = ngx_http_ux_memo_match(r, zone);

    if (memo == NULL) {
        return 0;
    }

    now_s = (uint32_t) ngx_time();
    table = &zone->store.table;
    glance = &memo->glance;

    if (ux_table_same(table, memo->hash, &memo->glanced, now_s,
                      &glance->last_s)
        != UX_OK)
    {
        memo->glanced.slot = UX_PROCESS_NONE;

        if (ux_table_glance_at(table, memo->hash, now_s, &memo->kept.at,
                               glance)
            != UX_OK)
        {
            return 0;
        }

        memo->glanced.slot = memo->kept.at;
        memo->glanced.word = glance->word;
    }

    return glance->cookie_hash == memo->cookie_hash && glance->confirmed
           && !glance->waiting
           && (time_t) now_s - (time_t) glance->last_s < NGX_HTTP_UX_TOUCH;
}


/* What is kept of just this line, cookie and zone; NULL: nothing. */
static ngx_inline ngx_http_ux_memo_t *
ngx_http_ux_memo_match(ngx_http_request_t *r, ngx_http_ux_zone_t *zone)
{
    ngx_str_t               *line, *name;
    ngx_http_ux_memo_t      *memo;
    ngx_http_ux_srv_conf_t  *scf;

    memo = ngx_http_ux_memo(r->connection);

    if (memo == NULL) {
        return NULL;
    }

    line = ngx_http_ux_memo_line(r);
    scf = ngx_http_get_module_srv_conf(r, ngx_http_ux_module);
    name = &scf->cookie->name;

    if (line == NULL
        || memo->len != line->len
        || memo->name != name->len
        || memo->zone != zone
        || ngx_memcmp(memo->line, line->data, line->len) != 0
        || ngx_memcmp(line->data + memo->at - name->len - 1, name->data,
                      name->len)
           != 0)
    {
        return NULL;
    }

    memo->misses = 0;

    return memo;
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

    memo->zone = ctx->zone;
    memo->hash = ctx->hash;
    memo->glanced.slot = UX_PROCESS_NONE;
    memo->kept.seen.slot = UX_PROCESS_NONE;
    memo->kept.n = 0;
    memo->cookie_hash = ctx->cookie_hash;
    memo->day = ctx->cookie.day;
    memo->at = value - line->data;
    memo->value = ctx->cookie.value.len;
    memo->name = scf->cookie->name.len;
    memo->len = line->len;
    ngx_memcpy(memo->line, line->data, line->len);
}


static ngx_inline ngx_http_ux_memo_t *
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
static ngx_inline ngx_str_t *
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
