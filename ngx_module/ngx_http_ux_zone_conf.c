
/*
 * Copyright (C) the nginx-ux authors
 *
 * The directive ux_zone.
 */

#include "ngx_http_ux_module.h"


/* a twelfth of 365.25 days */
#define NGX_HTTP_UX_MONTH  2629800

/* milliseconds */
#define NGX_HTTP_UX_PERIOD_MAX  (24 * 60 * 60 * 1000)


typedef struct {
    ngx_str_t    name;
    char        *(*set)(ngx_conf_t *cf, ngx_http_ux_zone_t *zone,
                     ngx_str_t *value);
} ngx_http_ux_zone_param_t;


#define NGX_HTTP_UX_ZONE_MIN  ((ssize_t) 512 * 1024)
#define NGX_HTTP_UX_ZONE_MAX  ((ssize_t) 1024 * 1024 * 1024 * 1024)


static ngx_http_ux_zone_t *ngx_http_ux_zone_create(ngx_conf_t *cf,
    ngx_str_t *name, size_t size);
static char *ngx_http_ux_zone_params(ngx_conf_t *cf, ngx_http_ux_zone_t *zone);
static char *ngx_http_ux_zone_snapshot(ngx_conf_t *cf,
    ngx_http_ux_zone_t *zone, ngx_str_t *value);
static char *ngx_http_ux_zone_interval(ngx_conf_t *cf,
    ngx_http_ux_zone_t *zone, ngx_str_t *value);
static char *ngx_http_ux_zone_journeys(ngx_conf_t *cf,
    ngx_http_ux_zone_t *zone, ngx_str_t *value);
static char *ngx_http_ux_zone_period(ngx_str_t *value, ngx_msec_t *period);
static char *ngx_http_ux_zone_removed(ngx_conf_t *cf,
    ngx_http_ux_zone_t *zone, ngx_str_t *value);
static char *ngx_http_ux_zone_retention(ngx_conf_t *cf,
    ngx_http_ux_zone_t *zone, ngx_str_t *value);
static char *ngx_http_ux_zone_inactive(ngx_conf_t *cf,
    ngx_http_ux_zone_t *zone, ngx_str_t *value);
static char *ngx_http_ux_zone_currency(ngx_conf_t *cf,
    ngx_http_ux_zone_t *zone, ngx_str_t *value);
static char *ngx_http_ux_zone_experiments(ngx_conf_t *cf,
    ngx_http_ux_zone_t *zone, ngx_str_t *value);
static char *ngx_http_ux_zone_totals(ngx_conf_t *cf, ngx_http_ux_zone_t *zone,
    ngx_str_t *value);


static ngx_http_ux_zone_param_t  ngx_http_ux_zone_words[] = {
    { ngx_string("snapshot="), ngx_http_ux_zone_snapshot },
    { ngx_string("interval="), ngx_http_ux_zone_interval },
    { ngx_string("journeys="), ngx_http_ux_zone_journeys },
    { ngx_string("inactive="), ngx_http_ux_zone_inactive },
    { ngx_string("currency="), ngx_http_ux_zone_currency },
    { ngx_string("experiments="), ngx_http_ux_zone_experiments },
    { ngx_string("totals="), ngx_http_ux_zone_totals },
    { ngx_string("removed="), ngx_http_ux_zone_removed },
    { ngx_string("retention="), ngx_http_ux_zone_retention },
    { ngx_null_string, NULL }
};


char *
ngx_http_ux_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ux_main_conf_t *mcf = conf;

    ssize_t               size;
    ngx_str_t            *value;
    ngx_http_ux_zone_t   *zone, **pzone;

    value = cf->args->elts;

    if (!ux_name_check(ngx_http_ux_str(value[1]))) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid zone name \"%V\" in \"ux_zone\": expected "
                           "a lower-case letter, then letters, digits or "
                           "\"_\", at most 64 in all", &value[1]);
        return NGX_CONF_ERROR;
    }

    if (ngx_http_ux_zone_find(cf, &value[1]) != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate zone \"%V\" in \"ux_zone\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    if (mcf->zones.nelts == 32) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "too many zones at \"%V\" in \"ux_zone\": "
                           "expected at most 32", &value[1]);
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts == 2) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no size of zone \"%V\" in \"ux_zone\": expected "
                           "at least 512k, like \"64m\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    size = ngx_parse_size(&value[2]);

    if (size == NGX_ERROR || size < NGX_HTTP_UX_ZONE_MIN
        || size > NGX_HTTP_UX_ZONE_MAX)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid size \"%V\" of zone \"%V\" in \"ux_zone\":"
                           " expected at least 512k, at most 1024g, like "
                           "\"64m\"", &value[2], &value[1]);
        return NGX_CONF_ERROR;
    }

    zone = ngx_http_ux_zone_create(cf, &value[1], size);

    if (zone == NULL || ngx_http_ux_zone_params(cf, zone) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    zone->shm_zone = ngx_shared_memory_add(cf, &zone->name, zone->size,
                                           &ngx_http_ux_module);
    if (zone->shm_zone == NULL) {
        return NGX_CONF_ERROR;
    }

    zone->shm_zone->init = ngx_http_ux_zone_init;
    zone->shm_zone->data = zone;

    pzone = ngx_array_push(&mcf->zones);
    if (pzone == NULL) {
        return NGX_CONF_ERROR;
    }

    *pzone = zone;

    if (mcf->first == NULL) {
        mcf->first = zone;
    }

    return NGX_CONF_OK;
}


/* With the defaults of all parameters. */
static ngx_http_ux_zone_t *
ngx_http_ux_zone_create(ngx_conf_t *cf, ngx_str_t *name, size_t size)
{
    ux_str_t             eur = ux_str("EUR");
    ngx_http_ux_zone_t  *zone;

    zone = ngx_pcalloc(cf->pool, sizeof(ngx_http_ux_zone_t));
    if (zone == NULL) {
        return NULL;
    }

    zone->files = ngx_http_ux_snapshot_create(cf);
    if (zone->files == NULL) {
        return NULL;
    }

    zone->name = *name;
    zone->size = size;
    zone->interval = 1000;
    zone->journeys = 10000;
    zone->core = (ngx_core_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                                  ngx_core_module);
    zone->inactive = 30 * 24 * 60 * 60;
    zone->retention = 25 * NGX_HTTP_UX_MONTH;
    zone->params.experiments = 8;
    zone->params.totals = 2;

    ux_model_init(&zone->model, ngx_http_ux_str(zone->name),
                  (unsigned) ux_currency_find(eur));

    zone->model.removed_ms = (uint64_t) 30 * 24 * 60 * 60 * 1000;

    ngx_http_ux_place(cf, &zone->place);

    if (ngx_array_init(&zone->experiments, cf->pool, 4,
                       sizeof(ux_experiment_t))
            != NGX_OK
        || ngx_array_init(&zone->targets, cf->pool, 4, sizeof(ngx_array_t *))
            != NGX_OK
        || ngx_array_init(&zone->places, cf->pool, 4,
                          sizeof(ngx_http_ux_place_t))
            != NGX_OK
        || ngx_array_init(&zone->funnel_places, cf->pool, 4,
                          sizeof(ngx_http_ux_place_t))
            != NGX_OK
        || ngx_array_init(&zone->segments, cf->pool, 4,
                          sizeof(ngx_http_complex_value_t))
            != NGX_OK)
    {
        return NULL;
    }

    return zone;
}


static char *
ngx_http_ux_zone_params(ngx_conf_t *cf, ngx_http_ux_zone_t *zone)
{
    char                      *rv;
    ngx_str_t                 *value, s;
    ngx_uint_t                 i;
    ngx_http_ux_zone_param_t  *param;

    value = cf->args->elts;

    for (i = 3; i < cf->args->nelts; i++) {

        for (param = ngx_http_ux_zone_words; param->set != NULL; param++) {
            if (ngx_strncmp(value[i].data, param->name.data, param->name.len)
                == 0)
            {
                break;
            }
        }

        if (param->set == NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" of \"ux_zone\": "
                               "expected snapshot=, interval=, journeys=, "
                               "inactive=, currency=, experiments=, totals=, "
                               "removed= or retention=", &value[i]);
            return NGX_CONF_ERROR;
        }

        s.data = value[i].data + param->name.len;
        s.len = value[i].len - param->name.len;

        rv = ngx_http_ux_word_twice(cf, i) ? "each parameter once"
                                           : param->set(cf, zone, &s);

        if (rv != NGX_CONF_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" of \"ux_zone\": "
                               "expected %s", &value[i], rv);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_zone_snapshot(ngx_conf_t *cf, ngx_http_ux_zone_t *zone,
    ngx_str_t *value)
{
    if (value->len == 0) {
        return "a directory";
    }

    zone->snapshot = *value;

    if (ngx_conf_full_name(cf->cycle, &zone->snapshot, 0) != NGX_OK) {
        return "a directory";
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_zone_interval(ngx_conf_t *cf, ngx_http_ux_zone_t *zone,
    ngx_str_t *value)
{
    return ngx_http_ux_zone_period(value, &zone->interval);
}


static char *
ngx_http_ux_zone_journeys(ngx_conf_t *cf, ngx_http_ux_zone_t *zone,
    ngx_str_t *value)
{
    return ngx_http_ux_zone_period(value, &zone->journeys);
}


static char *
ngx_http_ux_zone_period(ngx_str_t *value, ngx_msec_t *period)
{
    ngx_int_t  n;

    n = ngx_parse_time(value, 0);

    if (n == NGX_ERROR || n == 0 || n > NGX_HTTP_UX_PERIOD_MAX) {
        return "a time above zero, at most 1d, like \"10s\"";
    }

    *period = (ngx_msec_t) n;

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_zone_removed(ngx_conf_t *cf, ngx_http_ux_zone_t *zone,
    ngx_str_t *value)
{
    ngx_int_t  s;

    s = ngx_parse_time(value, 1);

    if (s == NGX_ERROR || s == 0) {
        return "a time above zero, like \"30d\"";
    }

    zone->model.removed_ms = (uint64_t) s * 1000;

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_zone_retention(ngx_conf_t *cf, ngx_http_ux_zone_t *zone,
    ngx_str_t *value)
{
    ngx_int_t  n;

    /* "25mon" is a month to people, "M" to nginx */

    if (value->len > 3
        && ngx_strncmp(value->data + value->len - 3, "mon", 3) == 0)
    {
        n = ngx_atoi(value->data, value->len - 3);
        n = (n > 0 && n <= 120) ? n * NGX_HTTP_UX_MONTH : NGX_ERROR;

    } else {
        n = ngx_parse_time(value, 1);
    }

    if (n == NGX_ERROR || n == 0 || n > 120 * NGX_HTTP_UX_MONTH) {
        return "a time from 1s to 120mon, like \"25mon\"";
    }

    zone->retention = n;

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_zone_inactive(ngx_conf_t *cf, ngx_http_ux_zone_t *zone,
    ngx_str_t *value)
{
    ngx_int_t  n;

    n = ngx_parse_time(value, 1);

    if (n == NGX_ERROR || n == 0 || n > NGX_HTTP_UX_TIME_MAX) {
        return "a time from 1s to 10y, like \"30d\"";
    }

    zone->inactive = n;

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_zone_currency(ngx_conf_t *cf, ngx_http_ux_zone_t *zone,
    ngx_str_t *value)
{
    int  currency;

    currency = ux_currency_find(ngx_http_ux_str(*value));

    if (currency < 0) {
        return "an ISO 4217 code in capitals, like \"EUR\"";
    }

    zone->model.currency = (unsigned) currency;

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_zone_experiments(ngx_conf_t *cf, ngx_http_ux_zone_t *zone,
    ngx_str_t *value)
{
    ngx_int_t  n;

    n = ngx_atoi(value->data, value->len);

    if (n < 1 || n > UX_TRACKS_MAX - 1) {
        return "a number from 1 to 16";
    }

    zone->params.experiments = (uint32_t) n;

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_zone_totals(ngx_conf_t *cf, ngx_http_ux_zone_t *zone,
    ngx_str_t *value)
{
    ngx_int_t  n;

    n = ngx_atoi(value->data, value->len);

    if (n < 1 || n > UX_TOTALS_MAX) {
        return "a number from 1 to 8";
    }

    zone->params.totals = (uint32_t) n;

    return NGX_CONF_OK;
}


/* The zone of this name; of an empty name: the first one.  NULL: none. */
ngx_http_ux_zone_t *
ngx_http_ux_zone_find(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_uint_t                i;
    ngx_http_ux_zone_t      **zones;
    ngx_http_ux_main_conf_t  *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ux_module);
    zones = mcf->zones.elts;

    for (i = 0; i < mcf->zones.nelts; i++) {
        if (name->len == 0
            || (zones[i]->name.len == name->len
                && ngx_memcmp(zones[i]->name.data, name->data, name->len)
                   == 0))
        {
            return zones[i];
        }
    }

    return NULL;
}


void
ngx_http_ux_place(ngx_conf_t *cf, ngx_http_ux_place_t *place)
{
    place->file = cf->conf_file->file.name;
    place->line = cf->conf_file->line;
}
