
/*
 * Copyright (C) the nginx-ux authors
 *
 * What shared caches behind us may do with an answer that depends on the
 * visitor.  Runs after "expires" and "add_header" had their say.
 */

#include "ngx_http_ux_request.h"


static ngx_int_t ngx_http_ux_cache_filter(ngx_http_request_t *r);
static void ngx_http_ux_cache_answer(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx);
static ngx_int_t ngx_http_ux_cache_vary(ngx_http_request_t *r,
    uint64_t there, ngx_uint_t *varies);
static void ngx_http_ux_cache_remove(ngx_http_request_t *r, ngx_str_t *name);
static ngx_table_elt_t *ngx_http_ux_cache_first(ngx_http_request_t *r,
    ngx_str_t *name);
static ngx_int_t ngx_http_ux_cache_private(ngx_http_request_t *r,
    uint64_t there, ngx_uint_t cookie);
static ngx_int_t ngx_http_ux_cache_member(ngx_str_t *rest, ngx_str_t *member);
static ngx_uint_t ngx_http_ux_cache_is(ngx_str_t *member, char *name,
    size_t len);
static u_char *ngx_http_ux_cache_append(u_char *start, u_char *p,
    ngx_str_t *member);
static ngx_int_t ngx_http_ux_cache_push(ngx_http_request_t *r, ngx_str_t *name,
    ngx_table_elt_t *reuse, ngx_str_t *value);


#define ngx_http_ux_member_is(m, literal)                                     \
    ngx_http_ux_cache_is(m, literal, sizeof(literal) - 1)


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;

static ngx_str_t  ngx_http_ux_vary = ngx_string("Vary");
static ngx_str_t  ngx_http_ux_cache_control = ngx_string("Cache-Control");
static ngx_str_t  ngx_http_ux_cdn = ngx_string("CDN-Cache-Control");
static ngx_str_t  ngx_http_ux_surrogate = ngx_string("Surrogate-Control");
static ngx_str_t  ngx_http_ux_cookie_word = ngx_string("Cookie");
static ngx_str_t  ngx_http_ux_private_word = ngx_string("private");


ngx_int_t
ngx_http_ux_cache_filter_init(ngx_conf_t *cf)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_ux_cache_filter;

    return NGX_OK;
}


static ngx_int_t
ngx_http_ux_cache_filter(ngx_http_request_t *r)
{
    ngx_http_ux_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ux_module);

    if (r == r->main && (ctx != NULL || r->internal || r->filter_finalize)) {
        ctx = ngx_http_ux_ctx(r, 0);

        if (ctx != NULL) {
            ngx_http_ux_cache_answer(r, ctx);
        }
    }

    return ngx_http_next_header_filter(r);
}


static ngx_http_ux_apart void
ngx_http_ux_cache_answer(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    uint64_t                 there;
    ngx_uint_t               varies, private;
    ngx_http_ux_expose_t    *expose;
    ngx_http_ux_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_ux_module);

    if (ctx->stats || lcf->stats
        || (ctx->decider == NULL && !ctx->wanted && !ctx->minted
            && ctx->set_cookie.len == 0))
    {
        return;
    }

    /*
     * Here, as a variable that "add_header" reads may mint as well.  Whoever
     * was given a cookie, staff included, is known when it comes back.
     */

    if (ctx->minted && !ctx->turned) {
        ngx_http_ux_turn(r, ctx, ctx->zone);
    }

    there = ngx_http_ux_lengths(&r->headers_out.headers);

    if (ctx->wanted || ctx->set_cookie.len != 0) {
        ngx_http_ux_cookie_send(r, ctx, there);
    }

    expose = (ctx->decider == NULL) ? NULL : ctx->decider->expose;
    private = (ctx->set_cookie.len != 0);

    if (expose != NULL && !expose->off) {

        /*
         * The page of a prefetch or a visitor who is not enrolled may be
         * stored like any other and must not be taken for the next one's.
         * That of a bot, a refuser or a tester is not told by our cookie:
         * stored, it would be every newcomer's, and none would reach us.
         */

        varies = ctx->navigation || expose->any;

        if (!ctx->keyed
            && ngx_http_ux_cache_vary(r, there, &varies) != NGX_OK)
        {
            private = 1;
        }

        if (ctx->keyed || ctx->key.len == 0 || ctx->transient
            || ctx->overridden)
        {
            private |= varies;
        }
    }

    if (private
        && ngx_http_ux_cache_private(r, there, ctx->set_cookie.len != 0)
           != NGX_OK)
    {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "answer could not be made private: out of memory");
    }
}


/*
 * X-UX-Variant means nothing to clients: for them the cookie decides.  Where
 * the answer does not name it, Cookie is added only if *varies; an answer that
 * names it varies.
 */
static ngx_int_t
ngx_http_ux_cache_vary(ngx_http_request_t *r, uint64_t there,
    ngx_uint_t *varies)
{
    u_char                  *start, *p;
    size_t                   len;
    ngx_str_t                value, rest, member;
    ngx_table_elt_t         *h, *first;
    ngx_http_ux_lines_t      lines;
    ngx_http_ux_loc_conf_t  *lcf;

    if (!(there & ngx_http_ux_length(ngx_http_ux_vary.len))) {
        return *varies ? ngx_http_ux_cache_push(r, &ngx_http_ux_vary, NULL,
                                                &ngx_http_ux_cookie_word)
                       : NGX_OK;
    }

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_ux_module);
    len = ngx_http_ux_cookie_word.len;

    for (h = ngx_http_ux_lines_first(&lines, &r->headers_out.headers,
                                     &ngx_http_ux_vary);
         h != NULL;
         h = ngx_http_ux_lines_next(&lines))
    {
        len += h->value.len + 2;
    }

    if (len == ngx_http_ux_cookie_word.len && !*varies) {
        return NGX_OK;
    }

    start = ngx_pnalloc(r->pool, len);
    if (start == NULL) {
        return NGX_ERROR;
    }

    p = ngx_http_ux_cache_append(start, start, &ngx_http_ux_cookie_word);

    for (h = ngx_http_ux_lines_first(&lines, &r->headers_out.headers,
                                     &ngx_http_ux_vary);
         h != NULL;
         h = ngx_http_ux_lines_next(&lines))
    {
        rest = h->value;

        while (ngx_http_ux_cache_member(&rest, &member) == NGX_OK) {

            if (member.len == 1 && member.data[0] == '*') {
                return NGX_OK;
            }

            if (ngx_http_ux_cache_is(&member, (char *) lcf->header.data,
                                     lcf->header.len))
            {
                *varies = 1;
                continue;
            }

            if (!ngx_http_ux_member_is(&member, "Cookie")) {
                p = ngx_http_ux_cache_append(start, p, &member);
            }
        }
    }

    if (!*varies) {
        return NGX_OK;
    }

    value.data = start;
    value.len = p - start;

    first = ngx_http_ux_cache_first(r, &ngx_http_ux_vary);

    return ngx_http_ux_cache_push(r, &ngx_http_ux_vary, first, &value);
}


/*
 * "private", and nothing that speaks to shared caches.  With a cookie on it,
 * the answer's instructions to particular caches go as well.
 */
static ngx_int_t
ngx_http_ux_cache_private(ngx_http_request_t *r, uint64_t there,
    ngx_uint_t cookie)
{
    u_char               *start, *p;
    size_t                len;
    ngx_str_t             value, rest, member;
    ngx_table_elt_t      *h, *first;
    ngx_http_ux_lines_t   lines;

    if (cookie && (there & ngx_http_ux_length(ngx_http_ux_cdn.len))) {
        ngx_http_ux_cache_remove(r, &ngx_http_ux_cdn);
    }

    if (cookie && (there & ngx_http_ux_length(ngx_http_ux_surrogate.len))) {
        ngx_http_ux_cache_remove(r, &ngx_http_ux_surrogate);
    }

    if (!(there & ngx_http_ux_length(ngx_http_ux_cache_control.len))) {
        return ngx_http_ux_cache_push(r, &ngx_http_ux_cache_control, NULL,
                                      &ngx_http_ux_private_word);
    }

    len = ngx_http_ux_private_word.len;
    for (h = ngx_http_ux_lines_first(&lines, &r->headers_out.headers,
                                     &ngx_http_ux_cache_control);
         h != NULL;
         h = ngx_http_ux_lines_next(&lines))
    {
        len += h->value.len + 2;
    }

    start = ngx_pnalloc(r->pool, len);
    if (start == NULL) {
        return NGX_ERROR;
    }

    p = ngx_http_ux_cache_append(start, start, &ngx_http_ux_private_word);

    for (h = ngx_http_ux_lines_first(&lines, &r->headers_out.headers,
                                     &ngx_http_ux_cache_control);
         h != NULL;
         h = ngx_http_ux_lines_next(&lines))
    {
        rest = h->value;

        while (ngx_http_ux_cache_member(&rest, &member) == NGX_OK) {

            if (ngx_http_ux_member_is(&member, "public")
                || ngx_http_ux_member_is(&member, "private")
                || ngx_http_ux_member_is(&member, "s-maxage"))
            {
                continue;
            }

            p = ngx_http_ux_cache_append(start, p, &member);
        }
    }

    value.data = start;
    value.len = p - start;

    first = ngx_http_ux_cache_first(r, &ngx_http_ux_cache_control);

    return ngx_http_ux_cache_push(r, &ngx_http_ux_cache_control, first,
                                  &value);
}


static void
ngx_http_ux_cache_remove(ngx_http_request_t *r, ngx_str_t *name)
{
    ngx_table_elt_t  *h;

    h = ngx_http_ux_cache_first(r, name);

    if (h != NULL) {
        h->hash = 0;
    }
}


/* The first line of this name, the others taken out; NULL: there is none. */
static ngx_table_elt_t *
ngx_http_ux_cache_first(ngx_http_request_t *r, ngx_str_t *name)
{
    ngx_table_elt_t      *h, *first;
    ngx_http_ux_lines_t   lines;

    first = NULL;
    for (h = ngx_http_ux_lines_first(&lines, &r->headers_out.headers,
                                     name);
         h != NULL;
         h = ngx_http_ux_lines_next(&lines))
    {
        if (first == NULL) {
            first = h;

        } else {
            h->hash = 0;
        }
    }

    return first;
}


/* The next member of a comma-separated list; quoted strings are whole. */
static ngx_int_t
ngx_http_ux_cache_member(ngx_str_t *rest, ngx_str_t *member)
{
    u_char      *p, *last;
    ngx_uint_t   quoted;

    p = rest->data;
    last = p + rest->len;

    while (p < last && (*p == ' ' || *p == '\t' || *p == ',')) {
        p++;
    }

    if (p == last) {
        return NGX_DONE;
    }

    member->data = p;
    quoted = 0;

    for ( /* void */ ; p < last && (quoted || *p != ','); p++) {

        if (*p == '"') {
            quoted = !quoted;

        } else if (quoted && *p == '\\' && p + 1 < last) {
            p++;
        }
    }

    rest->data = p;
    rest->len = last - p;

    while (p > member->data && (p[-1] == ' ' || p[-1] == '\t')) {
        p--;
    }

    member->len = p - member->data;

    return NGX_OK;
}


/* The member's name, up to "=". */
static ngx_uint_t
ngx_http_ux_cache_is(ngx_str_t *member, char *name, size_t len)
{
    return member->len >= len
           && ngx_strncasecmp(member->data, (u_char *) name, len) == 0
           && (member->len == len || member->data[len] == '='
               || member->data[len] == ' ');
}


static u_char *
ngx_http_ux_cache_append(u_char *start, u_char *p, ngx_str_t *member)
{
    if (p != start) {
        *p++ = ',';
        *p++ = ' ';
    }

    return ngx_cpymem(p, member->data, member->len);
}


static ngx_int_t
ngx_http_ux_cache_push(ngx_http_request_t *r, ngx_str_t *name,
    ngx_table_elt_t *reuse, ngx_str_t *value)
{
    if (reuse == NULL) {
        reuse = ngx_list_push(&r->headers_out.headers);
        if (reuse == NULL) {
            return NGX_ERROR;
        }

        ngx_http_ux_header_unlinked(reuse);
        reuse->key = *name;
    }

    reuse->hash = 1;
    reuse->value = *value;

    return NGX_OK;
}
