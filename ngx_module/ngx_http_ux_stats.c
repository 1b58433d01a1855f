
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_stats: the status endpoint.  Paths are relative to its location.
 */

#include "ngx_http_ux_request.h"
#include "ngx_http_ux_asset.h"

#include "ux_accept.h"


/* A path behind the location's, and what is there. */
typedef struct {
    ngx_str_t             path;
    size_t                taken;       /* bytes of it that are not wanted.path,
                                          of what is below */
    unsigned              below:1;     /* more has to follow */
    unsigned              asset:1;     /* a file of the page of that name */
    ux_export_e           format;
    ux_export_e         (*choose)(ngx_http_request_t *r);
} ngx_http_ux_stats_route_t;


typedef struct {
    const ngx_http_ux_stats_route_t  *route;
    ux_export_wanted_t    wanted;
    ux_page_place_t       place;
    ux_report_t           report;
    ngx_uint_t            status;
    ngx_chain_t          *out;
    ngx_chain_t         **last;
    off_t                 length;
} ngx_http_ux_stats_t;


static ngx_int_t ngx_http_ux_stats_path(ngx_http_request_t *r,
    ngx_http_ux_stats_t *answer);
static ngx_int_t ngx_http_ux_stats_rest(ngx_http_request_t *r,
    ngx_str_t *rest);
static ngx_int_t ngx_http_ux_stats_report(ngx_http_request_t *r,
    ux_report_t *report);
static ngx_int_t ngx_http_ux_stats_render(ngx_http_request_t *r,
    ngx_http_ux_stats_t *answer);
static ngx_uint_t ngx_http_ux_stats_accept(ngx_http_request_t *r,
    ux_accept_t *offers, ngx_uint_t n);
static ux_export_e ngx_http_ux_stats_metrics(ngx_http_request_t *r);
static ux_export_e ngx_http_ux_stats_page(ngx_http_request_t *r);
static void ngx_http_ux_stats_place(ngx_http_request_t *r,
    ux_page_place_t *place);
static ngx_int_t ngx_http_ux_stats_rendered(ngx_http_request_t *r,
    ux_export_t *export, void *data);
static ngx_int_t ngx_http_ux_stats_missing(ngx_http_request_t *r,
    ngx_http_ux_stats_t *answer);
static ngx_int_t ngx_http_ux_stats_piece(ngx_http_request_t *r,
    ngx_http_ux_stats_t *answer, ux_str_t text);
static ngx_int_t ngx_http_ux_stats_send(ngx_http_request_t *r,
    ngx_http_ux_stats_t *answer);
static ngx_int_t ngx_http_ux_stats_policy(ngx_http_request_t *r,
    ux_export_e format);
static size_t ngx_http_ux_stats_type_len(const ngx_str_t *type);
static ngx_int_t ngx_http_ux_stats_header(ngx_http_request_t *r, char *key,
    size_t key_len, char *value, size_t value_len);


#define ngx_http_ux_stats_at(path, format, choose)                            \
    { ngx_string(path), 0, 0, 0, format, choose }

#define ngx_http_ux_stats_below(path, asset, format)                          \
    { ngx_string(path), sizeof(path) - 1, 1, asset, format, NULL }

static const ngx_http_ux_stats_route_t  ngx_http_ux_stats_routes[] = {
    ngx_http_ux_stats_at("", UX_EXPORT_PAGE, ngx_http_ux_stats_page),
    ngx_http_ux_stats_at("/", UX_EXPORT_PAGE, ngx_http_ux_stats_page),
    ngx_http_ux_stats_at("/metrics", UX_EXPORT_OPENMETRICS,
                         ngx_http_ux_stats_metrics),
    ngx_http_ux_stats_at("/export.csv", UX_EXPORT_CSV, NULL),
    ngx_http_ux_stats_at("/api/1", UX_EXPORT_JSON, NULL),
    ngx_http_ux_stats_at("/api/1/", UX_EXPORT_JSON, NULL),
    ngx_http_ux_stats_below("/experiment/", 0, UX_EXPORT_PAGE),
    ngx_http_ux_stats_below("/history/", 0, UX_EXPORT_HISTORY),
    ngx_http_ux_stats_below("/assets/", 1, UX_EXPORT_FORMATS),

    /* what is asked for there is a path with a slash before it */
    { ngx_string("/api/1/"), sizeof("/api/1") - 1, 1, 0, UX_EXPORT_JSON,
      NULL }
};

#define NGX_HTTP_UX_STATS_ROUTES                                              \
    (sizeof(ngx_http_ux_stats_routes) / sizeof(ngx_http_ux_stats_routes[0]))


#define ngx_http_ux_stats_add(r, key, value)                                  \
    ngx_http_ux_stats_header(r, key, sizeof(key) - 1, value,                  \
                             sizeof(value) - 1)


ngx_int_t
ngx_http_ux_stats_handler(ngx_http_request_t *r)
{
    ngx_int_t                rc;
    ngx_http_ux_stats_t     *answer;
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

    answer = ngx_pcalloc(r->pool, sizeof(ngx_http_ux_stats_t));
    if (answer == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    answer->last = &answer->out;

    rc = ngx_http_ux_stats_path(r, answer);

    if (rc == NGX_OK && answer->route->asset) {
        rc = ngx_http_ux_asset_send(r, answer->wanted.path);

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    if (rc != NGX_OK) {
        return ngx_http_ux_stats_missing(r, answer);
    }

    return ngx_http_ux_stats_render(r, answer);
}


/* Which of the routes leads there, behind the location's name. */
static ngx_int_t
ngx_http_ux_stats_path(ngx_http_request_t *r, ngx_http_ux_stats_t *answer)
{
    ngx_str_t                         rest;
    ngx_uint_t                        i;
    const ngx_http_ux_stats_route_t  *route;

    if (ngx_http_ux_stats_rest(r, &rest) != NGX_OK) {
        return NGX_DECLINED;
    }

    for (i = 0; i < NGX_HTTP_UX_STATS_ROUTES; i++) {
        route = &ngx_http_ux_stats_routes[i];

        if (rest.len < route->path.len
            || (rest.len > route->path.len) != route->below
            || ngx_memcmp(rest.data, route->path.data, route->path.len) != 0)
        {
            continue;
        }

        answer->route = route;
        answer->wanted.format = route->format;
        answer->wanted.path.data = "";

        if (route->below) {
            answer->wanted.path.data = (const char *) rest.data + route->taken;
            answer->wanted.path.len = rest.len - route->taken;
        }

        return NGX_OK;
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_ux_stats_rest(ngx_http_request_t *r, ngx_str_t *rest)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    /* "rewrite ... break" may have led elsewhere */

    if (r->uri.len < clcf->name.len
        || ngx_memcmp(r->uri.data, clcf->name.data, clcf->name.len) != 0)
    {
        return NGX_DECLINED;
    }

    rest->data = r->uri.data + clcf->name.len;
    rest->len = r->uri.len - clcf->name.len;

    if (clcf->name.len != 0 && clcf->name.data[clcf->name.len - 1] == '/') {
        rest->data--;
        rest->len++;
    }

    return NGX_OK;
}


/* The whole answer is made before the first byte is sent. */
static ngx_int_t
ngx_http_ux_stats_render(ngx_http_request_t *r, ngx_http_ux_stats_t *answer)
{
    ux_export_t  *export;

    if (answer->route->choose != NULL) {
        answer->wanted.format = answer->route->choose(r);
    }

    ngx_http_ux_stats_place(r, &answer->place);
    answer->wanted.place = &answer->place;

    if (ngx_http_ux_stats_report(r, &answer->report) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    export = ux_export_begin(&answer->report, &answer->wanted);
    if (export == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_ux_render(r, export, ngx_http_ux_stats_rendered, answer);
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

    /* without memory for it a report takes longer */

    if (mcf->posteriors == NULL) {
        mcf->posteriors = ngx_pcalloc(mcf->pool, sizeof(ux_posteriors_t));
    }

    report->posteriors = mcf->posteriors;

    return NGX_OK;
}


/* What a client would rather have. */
static ngx_uint_t
ngx_http_ux_stats_accept(ngx_http_request_t *r, ux_accept_t *offers,
    ngx_uint_t n)
{
    ngx_table_elt_t      *h;
    ngx_http_ux_lines_t   lines;

    static ngx_str_t  name = ngx_string("Accept");

    for (h = ngx_http_ux_lines_first(&lines, &r->headers_in.headers, &name);
         h != NULL;
         h = ngx_http_ux_lines_next(&lines))
    {
        ux_accept_line(offers, (unsigned) n, ngx_http_ux_str(h->value));
    }

    return ux_accept_best(offers, (unsigned) n);
}


/* OpenMetrics unless a client would rather have the older format. */
static ux_export_e
ngx_http_ux_stats_metrics(ngx_http_request_t *r)
{
    ux_accept_t  offers[] = {
        { ux_str("application/openmetrics-text"), ux_str("1.0.0"), 0, 0 },
        { ux_str("text/plain"), ux_str("0.0.4"), 0, 0 }
    };

    return (ngx_http_ux_stats_accept(r, offers, 2) == 0)
           ? UX_EXPORT_OPENMETRICS : UX_EXPORT_PROMETHEUS;
}


/* Browsers say that they would rather have HTML. */
static ux_export_e
ngx_http_ux_stats_page(ngx_http_request_t *r)
{
    ux_accept_t  offers[] = {
        { ux_str("application/json"), ux_str(""), 0, 0 },
        { ux_str("text/html"), ux_str(""), 0, 0 }
    };

    return (ngx_http_ux_stats_accept(r, offers, 2) == 0) ? UX_EXPORT_JSON
                                                         : UX_EXPORT_PAGE;
}


static void
ngx_http_ux_stats_place(ngx_http_request_t *r, ux_page_place_t *place)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    place->location = ngx_http_ux_str(clcf->name);
    place->style = ngx_http_ux_asset_name(NGX_HTTP_UX_ASSET_STYLE);
    place->script = ngx_http_ux_asset_name(NGX_HTTP_UX_ASSET_SCRIPT);
    place->icon = ngx_http_ux_asset_name(NGX_HTTP_UX_ASSET_ICON);
}


static ngx_int_t
ngx_http_ux_stats_rendered(ngx_http_request_t *r, ux_export_t *export,
    void *data)
{
    ux_str_t              text;
    ux_status_t           rc;
    ngx_http_ux_stats_t  *answer = data;

    static const ux_str_t  newline = ux_str("\n");

    rc = ux_export_status(export);

    if (rc == UX_DECLINED) {
        return ngx_http_ux_stats_missing(r, answer);
    }

    if (rc != UX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    while (ux_export_text(export, &text)) {
        if (ngx_http_ux_stats_piece(r, answer, text) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    /* only JSON comes without its last line's end */

    if ((answer->wanted.format == UX_EXPORT_JSON
         || answer->wanted.format == UX_EXPORT_HISTORY)
        && ngx_http_ux_stats_piece(r, answer, newline) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    answer->status = NGX_HTTP_OK;

    return ngx_http_ux_stats_send(r, answer);
}


static ngx_int_t
ngx_http_ux_stats_missing(ngx_http_request_t *r, ngx_http_ux_stats_t *answer)
{
    static const ux_str_t  text = ux_str("{\"error\":\"not found\"}\n");

    answer->wanted.format = UX_EXPORT_JSON;
    answer->status = NGX_HTTP_NOT_FOUND;

    if (ngx_http_ux_stats_piece(r, answer, text) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_ux_stats_send(r, answer);
}


/* One more piece of the answer; it lives as long as the request. */
static ngx_int_t
ngx_http_ux_stats_piece(ngx_http_request_t *r, ngx_http_ux_stats_t *answer,
    ux_str_t text)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    if (text.len == 0) {
        return NGX_OK;
    }

    b = ngx_calloc_buf(r->pool);
    cl = ngx_alloc_chain_link(r->pool);

    if (b == NULL || cl == NULL) {
        return NGX_ERROR;
    }

    b->pos = (u_char *) text.data;
    b->last = b->pos + text.len;
    b->memory = 1;

    cl->buf = b;
    cl->next = NULL;

    *answer->last = cl;
    answer->last = &cl->next;
    answer->length += text.len;

    return NGX_OK;
}


static ngx_int_t
ngx_http_ux_stats_send(ngx_http_request_t *r, ngx_http_ux_stats_t *answer)
{
    ngx_int_t     rc;
    ngx_str_t    *type;
    ngx_chain_t  *cl;

    type = &r->headers_out.content_type;
    type->data = (u_char *) ux_export_types[answer->wanted.format].data;
    type->len = ux_export_types[answer->wanted.format].len;

    r->headers_out.status = answer->status;
    r->headers_out.content_length_n = answer->length;
    r->headers_out.content_type_len = ngx_http_ux_stats_type_len(type);

    if (r->headers_out.content_type_len < type->len) {

        /* the type says so itself, and the charset filter is to know */

        ngx_str_set(&r->headers_out.charset, "utf-8");
    }

    if (ngx_http_ux_stats_add(r, "Vary", "Accept") != NGX_OK
        || ngx_http_ux_stats_add(r, "X-Content-Type-Options", "nosniff")
           != NGX_OK
        || ngx_http_ux_stats_policy(r, answer->wanted.format) != NGX_OK
        || (answer->wanted.format == UX_EXPORT_CSV
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

    for (cl = answer->out; cl->next != NULL; cl = cl->next) { /* void */ }

    cl->buf->last_buf = (r == r->main);
    cl->buf->last_in_chain = 1;

    return ngx_http_output_filter(r, answer->out);
}


/* The page's own files, and what its script asks for; nothing else. */
static ngx_int_t
ngx_http_ux_stats_policy(ngx_http_request_t *r, ux_export_e format)
{
    if (format != UX_EXPORT_PAGE) {
        return ngx_http_ux_stats_add(r, "Content-Security-Policy",
                                     "default-src 'none'; "
                                     "frame-ancestors 'none'");
    }

    if (ngx_http_ux_stats_add(r, "Referrer-Policy", "no-referrer") != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_ux_stats_add(r, "Content-Security-Policy",
                                 "default-src 'none'; script-src 'self'; "
                                 "style-src 'self'; img-src 'self' data:; "
                                 "connect-src 'self'; base-uri 'none'; "
                                 "form-action 'none'; "
                                 "frame-ancestors 'none'");
}


/* Without parameters: what other filters compare types by. */
static size_t
ngx_http_ux_stats_type_len(const ngx_str_t *type)
{
    u_char  *p, *last;

    last = type->data + type->len;
    p = ngx_strlchr(type->data, last, ';');

    return ((p != NULL) ? p : last) - type->data;
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
