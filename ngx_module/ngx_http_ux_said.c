
/*
 * Copyright (C) the nginx-ux authors
 *
 * What the request says of itself: a navigation, a prefetch, cross-site, a
 * bot, not to be tracked.
 */

#include "ngx_http_ux_request.h"

#include "ux_bot.h"


/* User-Agents remembered by a worker, and bytes of one by a connection */
#define NGX_HTTP_UX_AGENTS      1024
#define NGX_HTTP_UX_AGENT_KEPT  512


static void ngx_http_ux_read_header(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_table_elt_t *h, ngx_http_ux_said_t *said);
static ngx_uint_t ngx_http_ux_bot_kept(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ux_str_t agent);
static ngx_uint_t ngx_http_ux_bot_seen(ngx_http_ux_zone_t *zone,
    ux_str_t agent);
static ngx_uint_t ngx_http_ux_read_accept(ngx_http_request_t *r);
static ngx_uint_t ngx_http_ux_foreign_origin(ngx_http_request_t *r,
    ngx_str_t *origin);
static ngx_uint_t ngx_http_ux_contains(ngx_str_t *value, char *word,
    size_t len);


/*
 * nginx has the names in lower case, and so has whoever adds one that is to be
 * proxied.  Values mostly come so.
 */

#define ngx_http_ux_is(h, literal)                                            \
    ((h)->key.len == sizeof(literal) - 1                                      \
     && ((h)->lowcase_key != NULL                                             \
         ? ngx_memcmp((h)->lowcase_key, literal, sizeof(literal) - 1) == 0    \
         : ngx_strncasecmp((h)->key.data, (u_char *) (literal),               \
                           sizeof(literal) - 1) == 0))

/* lengths of the names that ngx_http_ux_read_header() knows */
#define NGX_HTTP_UX_SAID_LENGTHS                                              \
    (1ull << (sizeof("Origin") - 1) | 1ull << (sizeof("Sec-GPC") - 1)         \
     | 1ull << (sizeof("Sec-Purpose") - 1)                                    \
     | 1ull << (sizeof("Sec-Fetch-Dest") - 1))

#define ngx_http_ux_equals(v, literal)                                        \
    ((v)->len == sizeof(literal) - 1                                          \
     && (ngx_memcmp((v)->data, literal, sizeof(literal) - 1) == 0             \
         || ngx_strncasecmp((v)->data, (u_char *) (literal),                  \
                            sizeof(literal) - 1) == 0))


void
ngx_http_ux_read_headers(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    ngx_list_part_t     *part;
    ngx_table_elt_t     *h, *last;
    ngx_http_ux_said_t   said;

    if (ctx->headers_read) {
        return;
    }

    ctx->headers_read = 1;
    ngx_memzero(&said, sizeof(ngx_http_ux_said_t));

    for (part = &r->headers_in.headers.part; part; part = part->next) {

        h = part->elts;
        last = h + part->nelts;

        for ( /* void */ ; h < last; h++) {

            if (NGX_HTTP_UX_SAID_LENGTHS & ngx_http_ux_length(h->key.len)) {
                ngx_http_ux_read_header(r, ctx, h, &said);
            }
        }
    }

    if (ctx->method & (NGX_HTTP_GET|NGX_HTTP_POST|NGX_HTTP_HEAD)) {
        ctx->navigation = said.dest ? said.document
                                    : ngx_http_ux_read_accept(r);
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

    case sizeof("Origin") - 1:

        if (ngx_http_ux_is(h, "origin")) {
            said->foreign |= ngx_http_ux_foreign_origin(r, v);
        }

        break;

    case sizeof("Sec-Fetch-Dest") - 1:

        if (ngx_http_ux_is(h, "sec-fetch-dest")) {
            said->dest = 1;
            said->document = ngx_http_ux_equals(v, "document")
                             || ngx_http_ux_equals(v, "iframe")
                             || ngx_http_ux_equals(v, "frame");

        } else if (ngx_http_ux_is(h, "sec-fetch-site")) {
            said->site = 1;
            said->cross_site = ngx_http_ux_equals(v, "cross-site");
        }

        break;

    case sizeof("Sec-GPC") - 1:

        if (ngx_http_ux_is(h, "sec-gpc")) {
            ctx->gpc = (v->len == 1 && v->data[0] == '1');

        } else if (ngx_http_ux_is(h, "purpose")
                   && ngx_http_ux_equals(v, "prefetch"))
        {
            ctx->prefetch = 1;
        }

        break;

    case sizeof("Sec-Purpose") - 1:

        if (ngx_http_ux_is(h, "sec-purpose")
            && ngx_http_ux_contains(v, "prefetch", 8))
        {
            ctx->prefetch = 1;
        }

        break;
    }
}


/* Where nothing else tells: does any Accept have text/html? */
static ngx_uint_t
ngx_http_ux_read_accept(ngx_http_request_t *r)
{
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h, *last;

    for (part = &r->headers_in.headers.part; part; part = part->next) {

        h = part->elts;
        last = h + part->nelts;

        for ( /* void */ ; h < last; h++) {

            if (ngx_http_ux_is(h, "accept")
                && ngx_http_ux_contains(&h->value, "text/html", 9))
            {
                return 1;
            }
        }
    }

    return 0;
}


/*
 * "https://shop.example:8443" against the request's host, which nginx keeps
 * in lower case and without its port; "null" is nobody's.
 */
static ngx_uint_t
ngx_http_ux_foreign_origin(ngx_http_request_t *r, ngx_str_t *origin)
{
    u_char     *p, *last;
    ngx_str_t   host;

    last = origin->data + origin->len;
    p = ngx_strlchr(origin->data, last, '/');

    if (p == NULL || last - p < 2 || p[1] != '/') {
        return 1;
    }

    host.data = p + 2;
    host.len = last - host.data;

    /* the port, which follows a name or the "]" of an IPv6 address */

    p = last;

    while (p > host.data && p[-1] >= '0' && p[-1] <= '9') {
        p--;
    }

    if (p > host.data && p[-1] == ':') {
        host.len = p - 1 - host.data;
    }

    return host.len != r->headers_in.server.len
           || ngx_strncasecmp(host.data, r->headers_in.server.data, host.len)
              != 0;
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

        ctx->bot = (ctx->kept != NULL) ? ngx_http_ux_bot_kept(r, ctx, agent)
                   : (ctx->zone != NULL)
                   ? ngx_http_ux_bot_seen(ctx->zone, agent)
                   : ux_bot_check(agent);
        ctx->bot_known = 1;
    }

    return ctx->bot;
}


/* A browser says what it is in the same words all over a connection. */
static ngx_uint_t
ngx_http_ux_bot_kept(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ux_str_t agent)
{
    ngx_uint_t           bot;
    ngx_http_ux_kept_t  *kept;

    kept = ctx->kept;

    if (kept->agent.data != NULL && kept->agent.len == agent.len
        && ngx_memcmp(kept->agent.data, agent.data, agent.len) == 0)
    {
        return kept->bot;
    }

    bot = ngx_http_ux_bot_seen(ctx->zone, agent);

    /* room once, and not for the endless */

    if (kept->agent.data == NULL && agent.len != 0
        && agent.len <= NGX_HTTP_UX_AGENT_KEPT)
    {
        kept->agent.data = ngx_pnalloc(r->connection->pool, agent.len);
        kept->agent_room = (kept->agent.data != NULL) ? agent.len : 0;
    }

    if (agent.len != 0 && agent.len <= kept->agent_room) {
        ngx_memcpy(kept->agent.data, agent.data, agent.len);
        kept->agent.len = agent.len;
        kept->bot = bot;
    }

    return bot;
}


/*
 * Few browsers are most of the visitors: what was found is kept by a hash that
 * nobody outside can aim at, as it is keyed by the zone.
 */
static ngx_uint_t
ngx_http_ux_bot_seen(ngx_http_ux_zone_t *zone, ux_str_t agent)
{
    uint64_t  hash, *seen;

    static uint64_t  agents[NGX_HTTP_UX_AGENTS];    /* the lowest bit: a bot */

    hash = ux_hash_keyed(zone->store.head->index_key, agent);
    seen = &agents[(hash >> 1) % NGX_HTTP_UX_AGENTS];

    if (*seen >> 1 != hash >> 1) {
        *seen = (hash & ~1ull) | ux_bot_check(agent);
    }

    return *seen & 1;
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
