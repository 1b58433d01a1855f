
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_collect: the directive, and what may stand beside it.
 */

#include "ngx_http_ux_request.h"


static char *ngx_http_ux_collect_word(ngx_conf_t *cf,
    ngx_http_ux_collect_t *collect, ngx_str_t *word);
static char *ngx_http_ux_collect_origins(ngx_conf_t *cf,
    ngx_http_ux_collect_t *collect, ngx_str_t *list);
static ngx_uint_t ngx_http_ux_origin_check(ngx_str_t *origin);
static u_char *ngx_http_ux_origin_host(u_char *p, u_char *last);
static void ngx_http_ux_origin_short(ngx_str_t *origin, char *scheme,
    char *port);


char *
ngx_http_ux_collect(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ux_loc_conf_t *lcf = conf;

    char                      *rv;
    ngx_str_t                 *value;
    ngx_uint_t                 i;
    ngx_http_ux_collect_t     *collect, **pcollect;
    ngx_http_core_loc_conf_t  *clcf;
    ngx_http_ux_main_conf_t   *mcf;

    if (lcf->collect != NULL) {
        return "is duplicate";
    }

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ux_module);

    collect = ngx_pcalloc(cf->pool, sizeof(ngx_http_ux_collect_t));
    pcollect = ngx_array_push(&mcf->collects);

    if (collect == NULL || pcollect == NULL
        || ngx_array_init(&collect->origins, cf->pool, 1, sizeof(ngx_str_t))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    *pcollect = collect;
    lcf->collect = collect;
    ngx_http_ux_place(cf, &collect->place);

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        rv = ngx_http_ux_collect_word(cf, collect, &value[i]);

        if (rv != NGX_CONF_OK) {
            if (rv != NGX_CONF_ERROR) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid parameter \"%V\" of "
                                   "\"ux_collect\": expected %s", &value[i],
                                   rv);
            }

            return NGX_CONF_ERROR;
        }
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->handler != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ux_collect\" in a location that answers "
                           "otherwise: expected a location of its own");
        return NGX_CONF_ERROR;
    }

    clcf->handler = ngx_http_ux_collect_handler;

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_collect_word(ngx_conf_t *cf, ngx_http_ux_collect_t *collect,
    ngx_str_t *word)
{
    ngx_str_t  s;

    if (ngx_strcmp(word->data, "trusted") == 0) {

        if (collect->trusted) {
            return "each parameter once";
        }

        collect->trusted = 1;
        return NGX_CONF_OK;
    }

    if (word->len > 7 && ngx_strncmp(word->data, "origin=", 7) == 0) {
        s.data = word->data + 7;
        s.len = word->len - 7;

        return ngx_http_ux_collect_origins(cf, collect, &s);
    }

    if (word->len > 5 && ngx_strncmp(word->data, "zone=", 5) == 0) {

        if (collect->zone != NULL) {
            return "each parameter once";
        }

        s.data = word->data + 5;
        s.len = word->len - 5;

        collect->zone = ngx_http_ux_zone_find(cf, &s);
        return collect->zone ? NGX_CONF_OK : "the name of an ux_zone above";
    }

    return "\"trusted\", \"origin=https://shop.example\" or \"zone=\"";
}


/* One, or several behind commas, kept as browsers write them. */
static char *
ngx_http_ux_collect_origins(ngx_conf_t *cf, ngx_http_ux_collect_t *collect,
    ngx_str_t *list)
{
    u_char      *p, *last, *end;
    ngx_str_t    origin, *o;
    ngx_uint_t   i;

    last = list->data + list->len;

    for (p = list->data; p <= last; p = end + 1) {
        end = ngx_strlchr(p, last, ',');

        if (end == NULL) {
            end = last;
        }

        origin.len = end - p;
        origin.data = ngx_pnalloc(cf->pool, origin.len + 1);
        if (origin.data == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_strlow(origin.data, p, origin.len);

        if (!ngx_http_ux_origin_check(&origin)) {
            return "origins as a browser sends them, "
                   "\"scheme://host\" or \"scheme://host:port\"";
        }

        ngx_http_ux_origin_short(&origin, "https://", ":443");
        ngx_http_ux_origin_short(&origin, "http://", ":80");

        o = collect->origins.elts;

        for (i = 0; i < collect->origins.nelts; i++) {
            if (o[i].len == origin.len
                && ngx_memcmp(o[i].data, origin.data, origin.len) == 0)
            {
                return "each origin once";
            }
        }

        o = ngx_array_push(&collect->origins);
        if (o == NULL) {
            return NGX_CONF_ERROR;
        }

        *o = origin;
    }

    return NGX_CONF_OK;
}


/* scheme://host[:port], in lower case */
static ngx_uint_t
ngx_http_ux_origin_check(ngx_str_t *origin)
{
    u_char     *p, *last;
    ngx_int_t   port;

    p = origin->data;
    last = p + origin->len;

    if (p == last || *p < 'a' || *p > 'z') {
        return 0;
    }

    while (p < last
           && ((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9')
               || *p == '+' || *p == '-' || *p == '.'))
    {
        p++;
    }

    if (last - p < 4 || ngx_strncmp(p, "://", 3) != 0) {
        return 0;
    }

    p = ngx_http_ux_origin_host(p + 3, last);

    if (p == NULL || p == last) {
        return p == last;
    }

    if (*p++ != ':' || p == last || *p == '0' || last - p > 5) {
        return 0;
    }

    port = ngx_atoi(p, last - p);

    return port > 0 && port < 65536;
}


/* Behind the host, NULL if there is none: a name, IPv4 or [IPv6]. */
static u_char *
ngx_http_ux_origin_host(u_char *p, u_char *last)
{
    u_char  *start;

    start = p;

    if (p < last && *p == '[') {
        for (p++; p < last && (isxdigit(*p) || *p == ':' || *p == '.'); p++) {
            /* void */
        }

        return (p < last && *p == ']' && p - start > 2) ? p + 1 : NULL;
    }

    while (p < last
           && (isalnum(*p) || *p == '-' || *p == '.' || *p == '_'))
    {
        p++;
    }

    return (p > start) ? p : NULL;
}


/* Browsers leave out the port that a scheme has by itself. */
static void
ngx_http_ux_origin_short(ngx_str_t *origin, char *scheme, char *port)
{
    size_t  s, n;

    s = ngx_strlen(scheme);
    n = ngx_strlen(port);

    if (origin->len > s + n
        && ngx_memcmp(origin->data, scheme, s) == 0
        && ngx_memcmp(origin->data + origin->len - n, port, n) == 0)
    {
        origin->len -= n;
    }
}


char *
ngx_http_ux_collect_merge(ngx_conf_t *cf, ngx_http_ux_loc_conf_t *prev,
    ngx_http_ux_loc_conf_t *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (conf->collect == NULL) {

        if (clcf->noname) {

            /* "if" and "limit_except": the handler is that of the location */

            conf->collect = prev->collect;
        }

        return NGX_CONF_OK;
    }

    conf->collect->expose = conf->expose;

    if (clcf->handler != ngx_http_ux_collect_handler || conf->events != NULL)
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"ux_collect\" beside \"%s\" in location \"%V\": "
                      "expected a location of its own in %V:%ui",
                      conf->stats ? "ux_stats"
                      : (conf->events != NULL ? "ux_event"
                                              : "proxy_pass\" or the like"),
                      &clcf->name, &conf->collect->place.file,
                      conf->collect->place.line);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_ux_collect_resolve(ngx_conf_t *cf, ngx_http_ux_collect_t *collect)
{
    ngx_str_t  none;

    ngx_str_null(&none);

    if (collect->zone == NULL) {
        collect->zone = (collect->expose != NULL
                         && collect->expose->zone != NULL)
                        ? collect->expose->zone
                        : ngx_http_ux_zone_find(cf, &none);
    }

    if (collect->zone == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "no \"ux_zone\" for \"ux_collect\" in %V:%ui",
                      &collect->place.file, collect->place.line);
        return NGX_ERROR;
    }

    collect->zone->model.collects = true;
    ux_survey_add(&collect->zone->model);

    return NGX_OK;
}
