
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_stats: the status endpoint.  Paths are relative to its location.
 */

#include "ngx_http_ux_module.h"


static ngx_int_t ngx_http_ux_stats_allowed(ngx_http_request_t *r,
    ngx_uint_t stats);
static ngx_uint_t ngx_http_ux_stats_forwarded(ngx_http_request_t *r);
static ngx_int_t ngx_http_ux_stats_path(ngx_http_request_t *r, ux_str_t *path);
static ngx_int_t ngx_http_ux_stats_render(ngx_http_request_t *r, ux_str_t path,
    ngx_str_t *text);
static ngx_int_t ngx_http_ux_stats_send(ngx_http_request_t *r,
    ngx_uint_t status, ngx_str_t *text);
static ngx_int_t ngx_http_ux_stats_header(ngx_http_request_t *r, char *key,
    size_t key_len, char *value, size_t value_len);


#define ngx_http_ux_stats_add(r, key, value)                                  \
    ngx_http_ux_stats_header(r, key, sizeof(key) - 1, value,                  \
                             sizeof(value) - 1)


static ngx_str_t  ngx_http_ux_stats_missing =
    ngx_string("{\"error\":\"not found\"}\n");


ngx_int_t
ngx_http_ux_stats_handler(ngx_http_request_t *r)
{
    ux_str_t                 path;
    ngx_int_t                rc;
    ngx_str_t                text;
    ngx_http_ux_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_ux_module);

    if (ngx_http_ux_stats_add(r, "Cache-Control", "no-store") != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_ux_stats_allowed(r, lcf->stats) != NGX_OK) {
        return NGX_HTTP_FORBIDDEN;
    }

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {

        if (ngx_http_ux_stats_add(r, "Allow", "GET, HEAD") != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_ux_stats_path(r, &path) != NGX_OK) {
        return ngx_http_ux_stats_send(r, NGX_HTTP_NOT_FOUND,
                                      &ngx_http_ux_stats_missing);
    }

    rc = ngx_http_ux_stats_render(r, path, &text);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_ux_stats_send(r, (rc == NGX_OK) ? NGX_HTTP_OK
                                                    : NGX_HTTP_NOT_FOUND,
                                  &text);
}


/*
 * "local": from this machine, and not on behalf of somebody else.  A proxy
 * beside us that adds none of these headers is the operator's to restrict.
 */
static ngx_int_t
ngx_http_ux_stats_allowed(ngx_http_request_t *r, ngx_uint_t stats)
{
    struct sockaddr      *sa;
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    if (stats == NGX_HTTP_UX_STATS_ANY) {
        return NGX_OK;
    }

    if (ngx_http_ux_stats_forwarded(r)) {
        return NGX_DECLINED;
    }

    sa = r->connection->sockaddr;

    switch (sa->sa_family) {

#if (NGX_HAVE_UNIX_DOMAIN)
    case AF_UNIX:
        return NGX_OK;
#endif

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) sa;

        if (IN6_IS_ADDR_LOOPBACK(&sin6->sin6_addr)) {
            return NGX_OK;
        }

        if (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)
            && sin6->sin6_addr.s6_addr[12] == 127)
        {
            return NGX_OK;
        }

        return NGX_DECLINED;
#endif

    case AF_INET:
        sin = (struct sockaddr_in *) sa;

        return ((ntohl(sin->sin_addr.s_addr) >> 24) == 127) ? NGX_OK
                                                            : NGX_DECLINED;
    }

    return NGX_DECLINED;
}


static ngx_uint_t
ngx_http_ux_stats_forwarded(ngx_http_request_t *r)
{
    static ngx_str_t  names[] = {
        ngx_string("Forwarded"),
        ngx_string("X-Forwarded-For"),
        ngx_string("X-Real-IP"),
        ngx_string("Via"),
        ngx_null_string
    };

    ngx_uint_t           i;
    ngx_http_ux_lines_t  lines;

    /* a balancer's PROXY protocol speaks for others as well */

    if (r->connection->proxy_protocol != NULL) {
        return 1;
    }

    for (i = 0; names[i].len != 0; i++) {
        if (ngx_http_ux_lines_first(&lines, &r->headers_in.headers,
                                    &names[i])
            != NULL)
        {
            return 1;
        }
    }

    return 0;
}


/* "", "/api/1", "/api/1/..." behind the location's name. */
static ngx_int_t
ngx_http_ux_stats_path(ngx_http_request_t *r, ux_str_t *path)
{
    ngx_str_t                  rest;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    /* "rewrite ... break" may have led elsewhere */

    if (r->uri.len < clcf->name.len
        || ngx_memcmp(r->uri.data, clcf->name.data, clcf->name.len) != 0)
    {
        return NGX_DECLINED;
    }

    rest.data = r->uri.data + clcf->name.len;
    rest.len = r->uri.len - clcf->name.len;

    if (clcf->name.len != 0 && clcf->name.data[clcf->name.len - 1] == '/') {
        rest.data--;
        rest.len++;
    }

    if (rest.len == 0 || (rest.len == 1 && rest.data[0] == '/')) {
        path->data = "";
        path->len = 0;
        return NGX_OK;
    }

    if (rest.len < 6 || ngx_memcmp(rest.data, "/api/1", 6) != 0
        || (rest.len > 6 && rest.data[6] != '/'))
    {
        return NGX_DECLINED;
    }

    path->data = (const char *) rest.data + 6;
    path->len = rest.len - 6;

    return NGX_OK;
}


/* The whole answer is made before the first byte is sent. */
static ngx_int_t
ngx_http_ux_stats_render(ngx_http_request_t *r, ux_str_t path,
    ngx_str_t *text)
{
    char                     *json;
    size_t                    len;
    ngx_uint_t                i;
    ux_report_t               report;
    ux_status_t               rc;
    ux_report_zone_t         *zone;
    ngx_http_ux_zone_t      **zones;
    ngx_http_ux_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_ux_module);
    zones = mcf->zones.elts;

    zone = ngx_pcalloc(r->pool, (mcf->zones.nelts + 1)
                                * sizeof(ux_report_zone_t));
    if (zone == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < mcf->zones.nelts; i++) {
        ux_store_refresh(&zones[i]->store);
        zone[i].store = &zones[i]->store;
        zone[i].zone_size = zones[i]->size;
        zone[i].snapshot = ngx_http_ux_str(zones[i]->snapshot);
    }

    ngx_memzero(&report, sizeof(ux_report_t));

    report.module.data = NGX_HTTP_UX_VERSION;
    report.module.len = sizeof(NGX_HTTP_UX_VERSION) - 1;
    report.nginx.data = NGINX_VERSION;
    report.nginx.len = sizeof(NGINX_VERSION) - 1;
    report.node = ngx_http_ux_str(ngx_cycle->hostname);
    report.now_ms = ngx_http_ux_now_ms();
    report.nzones = (unsigned) mcf->zones.nelts;
    report.zones = zone;

    rc = ux_report_json(&report, path, &json, &len);

    if (json == NULL) {
        return NGX_ERROR;
    }

    text->len = len + 1;
    text->data = ngx_pnalloc(r->pool, text->len);

    if (text->data != NULL) {
        ngx_memcpy(text->data, json, len);
        text->data[len] = LF;
    }

    ux_report_free(json);

    if (text->data == NULL) {
        return NGX_ERROR;
    }

    return (rc == UX_OK) ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_http_ux_stats_send(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *text)
{
    ngx_int_t     rc;
    ngx_buf_t    *b;
    ngx_chain_t   out;

    r->headers_out.status = status;
    r->headers_out.content_length_n = text->len;
    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;

    if (ngx_http_ux_stats_add(r, "Vary", "Accept") != NGX_OK
        || ngx_http_ux_stats_add(r, "X-Content-Type-Options", "nosniff")
           != NGX_OK
        || ngx_http_ux_stats_add(r, "Content-Security-Policy",
                                 "default-src 'none'; "
                                 "frame-ancestors 'none'")
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = text->data;
    b->last = text->data + text->len;
    b->memory = 1;
    b->last_buf = 1;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static ngx_int_t
ngx_http_ux_stats_header(ngx_http_request_t *r, char *key, size_t key_len,
    char *value, size_t value_len)
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
    h->value.data = (u_char *) value;
    h->value.len = value_len;

    return NGX_OK;
}
