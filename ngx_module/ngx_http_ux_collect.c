
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_collect: a location that takes beacons.  What can be refused by the
 * request's header is refused before anything of the body is read or any
 * memory is taken for it.
 */

#include "ngx_http_ux_request.h"

#include "ux_beacon.h"


static ngx_str_t *ngx_http_ux_collect_origin(ngx_http_request_t *r,
    ngx_http_ux_collect_t *collect);
static ngx_int_t ngx_http_ux_collect_options(ngx_http_request_t *r,
    ngx_str_t *origin);
static ngx_uint_t ngx_http_ux_collect_type(ngx_http_request_t *r);
static ngx_uint_t ngx_http_ux_collect_encoded(ngx_http_request_t *r);
static ngx_int_t ngx_http_ux_collect_refuse(ngx_http_request_t *r,
    ngx_uint_t status, char *text);
static ngx_int_t ngx_http_ux_collect_send(ngx_http_request_t *r,
    ngx_uint_t status, char *text);
static ngx_int_t ngx_http_ux_collect_header(ngx_http_request_t *r, char *key,
    size_t key_len, u_char *value, size_t value_len);


#define ngx_http_ux_collect_add(r, key, value)                                \
    ngx_http_ux_collect_header(r, key, sizeof(key) - 1, (u_char *) (value),   \
                               sizeof(value) - 1)


ngx_int_t
ngx_http_ux_collect_handler(ngx_http_request_t *r)
{
    ngx_str_t               *origin;
    ngx_http_ux_ctx_t       *ctx;
    ngx_http_ux_loc_conf_t  *lcf;

    if (r != r->main) {
        return NGX_HTTP_NOT_FOUND;
    }

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_ux_module);
    ctx = ngx_http_ux_ctx(r, 1);

    if (ctx == NULL
        || ngx_http_ux_collect_add(r, "Cache-Control", "no-store") != NGX_OK)
    {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    ngx_http_ux_enter(r, ctx);

    origin = ngx_http_ux_collect_origin(r, lcf->collect);

    if (r->method == NGX_HTTP_OPTIONS && lcf->collect->origins.nelts != 0) {
        return ngx_http_ux_collect_options(r, origin);
    }

    if (r->method != NGX_HTTP_POST) {

        if (((lcf->collect->origins.nelts != 0)
             ? ngx_http_ux_collect_add(r, "Allow", "POST, OPTIONS")
             : ngx_http_ux_collect_add(r, "Allow", "POST"))
            != NGX_OK)
        {
            return NGX_HTTP_SERVICE_UNAVAILABLE;
        }

        return ngx_http_ux_collect_refuse(r, NGX_HTTP_NOT_ALLOWED,
                                          "beacons are sent by POST\n");
    }

    ngx_http_ux_read_headers(r, ctx);

    if (origin != NULL) {
        ctx->cross_site = 0;
    }

    if (ctx->cross_site) {
        ngx_http_ux_discard(ctx, UX_DISCARD_CROSS_SITE);

        return ngx_http_ux_collect_refuse(r, NGX_HTTP_FORBIDDEN,
                                          "a beacon from another site\n");
    }

    if (!ngx_http_ux_collect_type(r)) {
        return ngx_http_ux_collect_refuse(r,
                                      NGX_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                      "expected application/json or "
                                      "text/plain as Content-Type\n");
    }

    if (ngx_http_ux_collect_encoded(r)) {
        return ngx_http_ux_collect_refuse(r,
                                      NGX_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                      "expected a body without "
                                      "Content-Encoding\n");
    }

    if (r->headers_in.content_length_n > UX_BEACON_MAX) {
        return ngx_http_ux_collect_answer(r,
                                          NGX_HTTP_REQUEST_ENTITY_TOO_LARGE);
    }

    return ngx_http_ux_body_read(r);
}


/*
 * The one origin that the request names, if it is allowed: then the answer
 * says so, whatever it is.  Two of them are nobody's.
 */
static ngx_str_t *
ngx_http_ux_collect_origin(ngx_http_request_t *r,
    ngx_http_ux_collect_t *collect)
{
    ngx_str_t            *origin;
    ngx_uint_t            i;
    ngx_table_elt_t      *h;
    ngx_http_ux_lines_t   lines;

    static ngx_str_t  name = ngx_string("Origin");

    if (collect->origins.nelts == 0) {
        return NULL;
    }

    h = ngx_http_ux_lines_first(&lines, &r->headers_in.headers, &name);

    if (h == NULL || ngx_http_ux_lines_next(&lines) != NULL) {
        return NULL;
    }

    origin = collect->origins.elts;

    for (i = 0; i < collect->origins.nelts; i++) {
        if (origin[i].len == h->value.len
            && ngx_memcmp(origin[i].data, h->value.data, h->value.len) == 0)
        {
            break;
        }
    }

    if (i == collect->origins.nelts
        || ngx_http_ux_collect_header(r, "Access-Control-Allow-Origin", 27,
                                      origin[i].data, origin[i].len)
           != NGX_OK
        || ngx_http_ux_collect_add(r, "Access-Control-Allow-Credentials",
                                   "true")
           != NGX_OK
        || ngx_http_ux_collect_add(r, "Vary", "Origin") != NGX_OK)
    {
        return NULL;
    }

    return &origin[i];
}


/* What a browser asks before it sends application/json from elsewhere. */
static ngx_int_t
ngx_http_ux_collect_options(ngx_http_request_t *r, ngx_str_t *origin)
{
    if (origin == NULL) {
        return ngx_http_ux_collect_refuse(r, NGX_HTTP_FORBIDDEN,
                                          "a beacon from another site\n");
    }

    if (ngx_http_ux_collect_add(r, "Access-Control-Allow-Methods", "POST")
            != NGX_OK
        || ngx_http_ux_collect_add(r, "Access-Control-Allow-Headers",
                                   "Content-Type")
            != NGX_OK
        || ngx_http_ux_collect_add(r, "Access-Control-Max-Age", "86400")
            != NGX_OK)
    {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    return ngx_http_ux_collect_refuse(r, NGX_HTTP_NO_CONTENT, NULL);
}


/* fetch() says the one, navigator.sendBeacon() of a string the other. */
static ngx_uint_t
ngx_http_ux_collect_type(ngx_http_request_t *r)
{
    u_char     *p, *last;
    ngx_str_t   type;
    ngx_uint_t  i;

    static ngx_str_t  types[] = {
        ngx_string("application/json"),
        ngx_string("text/plain")
    };

    if (r->headers_in.content_type == NULL) {
        return 0;
    }

    type = r->headers_in.content_type->value;
    last = type.data + type.len;

    p = ngx_strlchr(type.data, last, ';');

    if (p != NULL) {
        last = p;
    }

    while (last > type.data && (last[-1] == ' ' || last[-1] == '\t')) {
        last--;
    }

    type.len = last - type.data;

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (types[i].len == type.len
            && ngx_strncasecmp(types[i].data, type.data, type.len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_ux_collect_encoded(ngx_http_request_t *r)
{
    ngx_table_elt_t      *h;
    ngx_http_ux_lines_t   lines;

    static ngx_str_t  name = ngx_string("Content-Encoding");

    for (h = ngx_http_ux_lines_first(&lines, &r->headers_in.headers, &name);
         h != NULL;
         h = ngx_http_ux_lines_next(&lines))
    {
        if (h->value.len != 8
            || ngx_strncasecmp(h->value.data, (u_char *) "identity", 8) != 0)
        {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_http_ux_collect_answer(ngx_http_request_t *r, ngx_int_t rc)
{
    u_char             *text;
    ux_error_t          error;
    ngx_http_ux_ctx_t  *ctx;

    if (rc == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE) {
        r->keepalive = 0;
        return ngx_http_ux_collect_refuse(r, rc,
                              "a beacon has 16384 bytes at most\n");
    }

    if (rc != NGX_OK) {
        return rc;
    }

    ctx = ngx_http_ux_ctx(r, 0);

    switch (ngx_http_ux_beacon_parse(r, ctx, &error)) {

    case NGX_OK:
        return ngx_http_ux_collect_send(r, NGX_HTTP_NO_CONTENT, NULL);

    case NGX_ERROR:
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    ngx_http_ux_discard(ctx, UX_DISCARD_BAD_EVENT);
    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0, "%s", error.message);

    text = ngx_pnalloc(r->pool, sizeof(error.message) + 1);
    if (text == NULL) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    *ngx_sprintf(text, "%s\n", error.message) = '\0';

    return ngx_http_ux_collect_send(r, NGX_HTTP_BAD_REQUEST, (char *) text);
}


/* Without the body: what comes of it is thrown away, unasked. */
static ngx_int_t
ngx_http_ux_collect_refuse(ngx_http_request_t *r, ngx_uint_t status,
    char *text)
{
    r->expect_tested = 1;

    if (ngx_http_discard_request_body(r) != NGX_OK) {
        r->keepalive = 0;
    }

    return ngx_http_ux_collect_send(r, status, text);
}


/* One line of text, or none. */
static ngx_int_t
ngx_http_ux_collect_send(ngx_http_request_t *r, ngx_uint_t status, char *text)
{
    ngx_int_t     rc;
    ngx_buf_t    *b;
    ngx_chain_t   out;

    r->headers_out.status = status;

    if (text == NULL) {
        r->header_only = 1;
        return ngx_http_send_header(r);
    }

    ngx_str_set(&r->headers_out.content_type, "text/plain");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_length_n = ngx_strlen(text);

    b = ngx_calloc_buf(r->pool);

    if (b == NULL
        || ngx_http_ux_collect_add(r, "X-Content-Type-Options", "nosniff")
           != NGX_OK)
    {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b->pos = (u_char *) text;
    b->last = b->pos + r->headers_out.content_length_n;
    b->memory = 1;
    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static ngx_int_t
ngx_http_ux_collect_header(ngx_http_request_t *r, char *key, size_t key_len,
    u_char *value, size_t value_len)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
    ngx_http_ux_header_unlinked(h);
    h->key.data = (u_char *) key;
    h->key.len = key_len;
    h->value.data = value;
    h->value.len = value_len;

    return NGX_OK;
}
