
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_stats: the status endpoint.  Paths are relative to its location.
 */

#include "ngx_http_ux_module.h"

#include "ux_accept.h"
#include "ux_export.h"


typedef enum {
    NGX_HTTP_UX_STATS_JSON = 0,
    NGX_HTTP_UX_STATS_HISTORY,
    NGX_HTTP_UX_STATS_METRICS,
    NGX_HTTP_UX_STATS_CSV
} ngx_http_ux_stats_e;


typedef struct {
    ngx_http_ux_stats_e   kind;
    ux_str_t              path;        /* of JSON: the part that is wanted;
                                          of history: the experiment */
    ngx_uint_t            status;
    ngx_str_t             type;
    ngx_str_t             text;
} ngx_http_ux_stats_t;


static ngx_int_t ngx_http_ux_stats_allowed(ngx_http_request_t *r,
    ngx_uint_t stats);
static ngx_uint_t ngx_http_ux_stats_forwarded(ngx_http_request_t *r);
static ngx_int_t ngx_http_ux_stats_path(ngx_http_request_t *r,
    ngx_http_ux_stats_t *answer);
static ngx_int_t ngx_http_ux_stats_report(ngx_http_request_t *r,
    ux_report_t *report);
static ngx_int_t ngx_http_ux_stats_render(ngx_http_request_t *r,
    ngx_http_ux_stats_t *answer);
static ux_export_e ngx_http_ux_stats_metrics(ngx_http_request_t *r);
static void ngx_http_ux_stats_release(void *text);
static ngx_int_t ngx_http_ux_stats_send(ngx_http_request_t *r,
    ngx_http_ux_stats_t *answer);
static size_t ngx_http_ux_stats_type_len(ngx_http_ux_stats_t *answer);
static ngx_int_t ngx_http_ux_stats_header(ngx_http_request_t *r, char *key,
    size_t key_len, char *value, size_t value_len);


#define ngx_http_ux_stats_add(r, key, value)                                  \
    ngx_http_ux_stats_header(r, key, sizeof(key) - 1, value,                  \
                             sizeof(value) - 1)


static ngx_str_t  ngx_http_ux_stats_missing =
    ngx_string("{\"error\":\"not found\"}");

static u_char  ngx_http_ux_stats_newline[] = { LF };


ngx_int_t
ngx_http_ux_stats_handler(ngx_http_request_t *r)
{
    ngx_int_t                rc;
    ngx_http_ux_stats_t      answer;
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

    ngx_memzero(&answer, sizeof(ngx_http_ux_stats_t));
    ngx_str_set(&answer.type, "application/json");

    if (ngx_http_ux_stats_path(r, &answer) != NGX_OK) {
        answer.status = NGX_HTTP_NOT_FOUND;
        answer.text = ngx_http_ux_stats_missing;

    } else if (ngx_http_ux_stats_render(r, &answer) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_ux_stats_send(r, &answer);
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


/* "", "/api/1", "/api/1/...", "/metrics" ... behind the location's name. */
static ngx_int_t
ngx_http_ux_stats_path(ngx_http_request_t *r, ngx_http_ux_stats_t *answer)
{
    ngx_str_t                  rest;
    ngx_uint_t                 i;
    ngx_http_core_loc_conf_t  *clcf;

    static const struct {
        ngx_str_t            path;
        ngx_http_ux_stats_e  kind;
    }  others[] = {
        { ngx_string("/metrics"), NGX_HTTP_UX_STATS_METRICS },
        { ngx_string("/export.csv"), NGX_HTTP_UX_STATS_CSV }
    };

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

    answer->path.data = "";
    answer->path.len = 0;

    if (rest.len == 0 || (rest.len == 1 && rest.data[0] == '/')) {
        return NGX_OK;
    }

    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {

        if (rest.len == others[i].path.len
            && ngx_memcmp(rest.data, others[i].path.data, rest.len) == 0)
        {
            answer->kind = others[i].kind;
            return NGX_OK;
        }
    }

    if (rest.len > 9 && ngx_memcmp(rest.data, "/history/", 9) == 0) {
        answer->kind = NGX_HTTP_UX_STATS_HISTORY;
        answer->path.data = (const char *) rest.data + 9;
        answer->path.len = rest.len - 9;

        return NGX_OK;
    }

    if (rest.len < 6 || ngx_memcmp(rest.data, "/api/1", 6) != 0
        || (rest.len > 6 && rest.data[6] != '/'))
    {
        return NGX_DECLINED;
    }

    answer->path.data = (const char *) rest.data + 6;
    answer->path.len = rest.len - 6;

    return NGX_OK;
}


/* The whole answer is made before the first byte is sent. */
static ngx_int_t
ngx_http_ux_stats_render(ngx_http_request_t *r, ngx_http_ux_stats_t *answer)
{
    char                *text;
    size_t               len;
    ux_export_e          format;
    ux_report_t          report;
    ux_status_t          rc;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, 0);

    if (cln == NULL || ngx_http_ux_stats_report(r, &report) != NGX_OK) {
        return NGX_ERROR;
    }

    if (answer->kind == NGX_HTTP_UX_STATS_JSON) {
        rc = ux_report_json(&report, answer->path, &text, &len);

    } else if (answer->kind == NGX_HTTP_UX_STATS_HISTORY) {
        rc = ux_report_history(&report, answer->path, &text, &len);

    } else {
        format = (answer->kind == NGX_HTTP_UX_STATS_CSV)
                 ? UX_EXPORT_CSV : ngx_http_ux_stats_metrics(r);

        answer->type.data = (u_char *) ux_export_types[format].data;
        answer->type.len = ux_export_types[format].len;

        rc = ux_export(&report, format, &text, &len);
    }

    if (text == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_ux_stats_release;
    cln->data = text;

    answer->status = (rc == UX_OK) ? NGX_HTTP_OK : NGX_HTTP_NOT_FOUND;
    answer->text.data = (u_char *) text;
    answer->text.len = len;

    return NGX_OK;
}


static ngx_int_t
ngx_http_ux_stats_report(ngx_http_request_t *r, ux_report_t *report)
{
    ngx_uint_t                i;
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

    ngx_memzero(report, sizeof(ux_report_t));

    report->module.data = NGX_HTTP_UX_VERSION;
    report->module.len = sizeof(NGX_HTTP_UX_VERSION) - 1;
    report->nginx.data = NGINX_VERSION;
    report->nginx.len = sizeof(NGINX_VERSION) - 1;
    report->node = ngx_http_ux_str(ngx_cycle->hostname);
    report->now_ms = ngx_http_ux_now_ms();
    report->nzones = (unsigned) mcf->zones.nelts;
    report->zones = zone;

    return NGX_OK;
}


/* OpenMetrics unless a client would rather have the older format. */
static ux_export_e
ngx_http_ux_stats_metrics(ngx_http_request_t *r)
{
    ux_accept_t           offers[] = {
        { ux_str("application/openmetrics-text"), ux_str("1.0.0"), 0, 0 },
        { ux_str("text/plain"), ux_str("0.0.4"), 0, 0 }
    };
    ngx_table_elt_t      *h;
    ngx_http_ux_lines_t   lines;

    static ngx_str_t  name = ngx_string("Accept");

    for (h = ngx_http_ux_lines_first(&lines, &r->headers_in.headers, &name);
         h != NULL;
         h = ngx_http_ux_lines_next(&lines))
    {
        ux_accept_line(offers, 2, ngx_http_ux_str(h->value));
    }

    return (ux_accept_best(offers, 2) == 0) ? UX_EXPORT_OPENMETRICS
                                            : UX_EXPORT_PROMETHEUS;
}


static void
ngx_http_ux_stats_release(void *text)
{
    ux_report_free(text);
}


static ngx_int_t
ngx_http_ux_stats_send(ngx_http_request_t *r, ngx_http_ux_stats_t *answer)
{
    size_t        end;
    ngx_int_t     rc;
    ngx_buf_t    *b;
    ngx_chain_t   out[2];

    /* only JSON comes without its last line's end */

    end = (answer->kind == NGX_HTTP_UX_STATS_JSON
           || answer->kind == NGX_HTTP_UX_STATS_HISTORY) ? 1 : 0;

    r->headers_out.status = answer->status;
    r->headers_out.content_length_n = answer->text.len + end;
    r->headers_out.content_type = answer->type;
    r->headers_out.content_type_len = ngx_http_ux_stats_type_len(answer);

    if (r->headers_out.content_type_len < answer->type.len) {

        /* the type says so itself, and the charset filter is to know */

        ngx_str_set(&r->headers_out.charset, "utf-8");
    }

    if (ngx_http_ux_stats_add(r, "Vary", "Accept") != NGX_OK
        || ngx_http_ux_stats_add(r, "X-Content-Type-Options", "nosniff")
           != NGX_OK
        || ngx_http_ux_stats_add(r, "Content-Security-Policy",
                                 "default-src 'none'; "
                                 "frame-ancestors 'none'")
           != NGX_OK
        || (answer->kind == NGX_HTTP_UX_STATS_CSV
            && ngx_http_ux_stats_add(r, "Content-Disposition",
                                     "attachment; filename=\"uxstats.csv\"")
               != NGX_OK))
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

    b->pos = answer->text.data;
    b->last = answer->text.data + answer->text.len;
    b->memory = 1;
    b->last_buf = !end && r == r->main;
    b->last_in_chain = !end;

    out[0].buf = b;
    out[0].next = end ? &out[1] : NULL;

    if (end) {
        b = ngx_calloc_buf(r->pool);
        if (b == NULL) {
            return NGX_ERROR;
        }

        b->pos = ngx_http_ux_stats_newline;
        b->last = ngx_http_ux_stats_newline + 1;
        b->memory = 1;
        b->last_buf = (r == r->main);
        b->last_in_chain = 1;

        out[1].buf = b;
        out[1].next = NULL;
    }

    return ngx_http_output_filter(r, out);
}


/* Without parameters: what other filters compare types by. */
static size_t
ngx_http_ux_stats_type_len(ngx_http_ux_stats_t *answer)
{
    u_char  *p, *last;

    last = answer->type.data + answer->type.len;
    p = ngx_strlchr(answer->type.data, last, ';');

    return ((p != NULL) ? p : last) - answer->type.data;
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
