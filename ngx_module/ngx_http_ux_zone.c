
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_zone: the shared zone through start, reload and worker processes.
 *
 * init() of a zone that lives on runs before the reload is committed, and
 * may run in a reload that fails: it only reads.  New names are written by
 * the first new worker, in init_process().
 */

#include "ngx_http_ux_module.h"


typedef struct {
    ngx_str_t    name;
    char        *(*set)(ngx_conf_t *cf, ngx_http_ux_zone_t *zone,
                     ngx_str_t *value);
} ngx_http_ux_zone_param_t;


static char *ngx_http_ux_zone_params(ngx_conf_t *cf,
    ngx_http_ux_zone_t *zone);
static char *ngx_http_ux_zone_snapshot(ngx_conf_t *cf,
    ngx_http_ux_zone_t *zone, ngx_str_t *value);
static char *ngx_http_ux_zone_interval(ngx_conf_t *cf,
    ngx_http_ux_zone_t *zone, ngx_str_t *value);
static char *ngx_http_ux_zone_inactive(ngx_conf_t *cf,
    ngx_http_ux_zone_t *zone, ngx_str_t *value);
static char *ngx_http_ux_zone_currency(ngx_conf_t *cf,
    ngx_http_ux_zone_t *zone, ngx_str_t *value);
static char *ngx_http_ux_zone_experiments(ngx_conf_t *cf,
    ngx_http_ux_zone_t *zone, ngx_str_t *value);
static char *ngx_http_ux_zone_totals(ngx_conf_t *cf,
    ngx_http_ux_zone_t *zone, ngx_str_t *value);
static ngx_int_t ngx_http_ux_zone_init(ngx_shm_zone_t *shm_zone, void *data);
static ngx_int_t ngx_http_ux_zone_resized(ngx_shm_zone_t *shm_zone);
static ngx_int_t ngx_http_ux_zone_layout(ngx_shm_zone_t *shm_zone,
    ngx_http_ux_zone_t *zone);
static ngx_int_t ngx_http_ux_zone_attach(ngx_shm_zone_t *shm_zone,
    ngx_http_ux_zone_t *zone);
static void ngx_http_ux_zone_join(ngx_http_ux_zone_t *zone,
    ngx_cycle_t *cycle);
static uint32_t ngx_http_ux_zone_window(ngx_http_ux_zone_t *zone);


/*
 * The periods of what is written to disk are checked and kept for the
 * release that writes snapshots.
 */
static ngx_http_ux_zone_param_t  ngx_http_ux_zone_words[] = {
    { ngx_string("snapshot="), ngx_http_ux_zone_snapshot },
    { ngx_string("interval="), ngx_http_ux_zone_interval },
    { ngx_string("journeys="), ngx_http_ux_zone_interval },
    { ngx_string("inactive="), ngx_http_ux_zone_inactive },
    { ngx_string("currency="), ngx_http_ux_zone_currency },
    { ngx_string("experiments="), ngx_http_ux_zone_experiments },
    { ngx_string("totals="), ngx_http_ux_zone_totals },
    { ngx_string("removed="), ngx_http_ux_zone_interval },
    { ngx_string("retention="), ngx_http_ux_zone_interval },
    { ngx_null_string, NULL }
};


char *
ngx_http_ux_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ux_main_conf_t *mcf = conf;

    int                    currency;
    ssize_t                size;
    ux_str_t               eur = ux_str("EUR");
    ngx_str_t             *value;
    ngx_http_ux_zone_t    *zone, **pzone;

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

    size = ngx_parse_size(&value[2]);

    if (size == NGX_ERROR || size < (ssize_t) (512 * 1024)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid size \"%V\" of zone \"%V\" in \"ux_zone\":"
                           " expected at least 512k, like \"64m\"",
                           &value[2], &value[1]);
        return NGX_CONF_ERROR;
    }

    zone = ngx_pcalloc(cf->pool, sizeof(ngx_http_ux_zone_t));
    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    currency = ux_currency_find(eur);

    zone->name = value[1];
    zone->size = size;
    zone->core = (ngx_core_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                                  ngx_core_module);
    zone->inactive = 30 * 24 * 60 * 60;
    zone->params.experiments = 8;
    zone->params.totals = 2;

    ux_model_init(&zone->model, ngx_http_ux_str(zone->name),
                  (unsigned) currency);

    ngx_http_ux_place(cf, &zone->place);

    if (ngx_array_init(&zone->experiments, cf->pool, 4,
                       sizeof(ux_experiment_t))
            != NGX_OK
        || ngx_array_init(&zone->places, cf->pool, 4,
                          sizeof(ngx_http_ux_place_t))
            != NGX_OK
        || ngx_array_init(&zone->funnel_places, cf->pool, 4,
                          sizeof(ngx_http_ux_place_t))
            != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_ux_zone_params(cf, zone) != NGX_CONF_OK) {
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

    return NGX_CONF_OK;
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

        rv = param->set(cf, zone, &s);

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

    ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                       "\"snapshot=%V\": this version keeps the cookie key "
                       "there, and writes no counters yet", value);

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_zone_interval(ngx_conf_t *cf, ngx_http_ux_zone_t *zone,
    ngx_str_t *value)
{
    ngx_int_t  n;

    /* "25mon" is a month to people, "M" to nginx */

    if (value->len > 3
        && ngx_strncmp(value->data + value->len - 3, "mon", 3) == 0)
    {
        n = ngx_atoi(value->data, value->len - 3);

    } else {
        n = ngx_parse_time(value, 0);
    }

    return (n == NGX_ERROR || n == 0) ? "a time above zero, like \"10s\""
                                      : NGX_CONF_OK;
}


static char *
ngx_http_ux_zone_inactive(ngx_conf_t *cf, ngx_http_ux_zone_t *zone,
    ngx_str_t *value)
{
    ngx_int_t  n;

    n = ngx_parse_time(value, 1);

    if (n == NGX_ERROR || n == 0 || n > 10 * 365 * 24 * 60 * 60) {
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


static ngx_int_t
ngx_http_ux_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_ux_zone_t  *zone;

    zone = shm_zone->data;
    zone->model.experiments = zone->experiments.elts;
    zone->model.nexperiments = (unsigned) zone->experiments.nelts;

    if (data == NULL) {

        if (ngx_http_ux_zone_resized(shm_zone) != NGX_OK
            || ngx_http_ux_zone_layout(shm_zone, zone) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (ngx_http_ux_zone_attach(shm_zone, zone) != NGX_OK) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* A zone of this name with another size lives on in the old processes. */
static ngx_int_t
ngx_http_ux_zone_resized(ngx_shm_zone_t *shm_zone)
{
    ngx_uint_t        i;
    ngx_shm_zone_t   *old;
    ngx_list_part_t  *part;

    if (ngx_is_init_cycle(ngx_cycle) || ngx_test_config) {
        return NGX_OK;
    }

    part = (ngx_list_part_t *) &ngx_cycle->shared_memory.part;
    old = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }

            part = part->next;
            old = part->elts;
            i = 0;
        }

        if (old[i].tag == shm_zone->tag
            && old[i].shm.size != shm_zone->shm.size
            && old[i].shm.name.len == shm_zone->shm.name.len
            && ngx_memcmp(old[i].shm.name.data, shm_zone->shm.name.data,
                          shm_zone->shm.name.len)
               == 0)
        {
            ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                          "size of ux_zone \"%V\" cannot change from %uz to "
                          "%uz bytes in a reload: its numbers would be lost; "
                          "restart nginx, or keep the size",
                          &shm_zone->shm.name, old[i].shm.size,
                          shm_zone->shm.size);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_ux_zone_layout(ngx_shm_zone_t *shm_zone, ngx_http_ux_zone_t *zone)
{
    void             *mem;
    size_t            size;
    uint8_t           random[64];
    ux_error_t        error;
    ngx_slab_pool_t  *shpool;

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    /* the only allocation ever made in the zone: all of it */

    size = shpool->pfree * ngx_pagesize;
    mem = ngx_slab_alloc(shpool, size);

    if (mem == NULL) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "ux_zone \"%V\" is too small", &zone->name);
        return NGX_ERROR;
    }

    if (ngx_http_ux_random(random, sizeof(random)) != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "no random bytes for ux_zone \"%V\"", &zone->name);
        return NGX_ERROR;
    }

    /* touches every page, so that none has to be found later */

    ngx_memzero(mem, size);

    if (ux_store_init(mem, size, &zone->params, random, ngx_http_ux_now_ms(),
                      &error)
        != UX_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "ux_zone \"%V\": %s in %V:%ui", &zone->name,
                      error.message, &zone->place.file, zone->place.line);
        return NGX_ERROR;
    }

    shpool->data = mem;

    return NGX_OK;
}


static ngx_int_t
ngx_http_ux_zone_attach(ngx_shm_zone_t *shm_zone, ngx_http_ux_zone_t *zone)
{
    ux_error_t        error;
    ngx_slab_pool_t  *shpool;

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (ux_store_attach(&zone->store, shpool->data,
                        (size_t) ((ux_store_head_t *) shpool->data)->size,
                        &error)
            != UX_OK
        || ux_store_fits(&zone->store, &zone->model, &error) != UX_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "ux_zone \"%V\": %s in %V:%ui", &zone->name,
                      error.message, &zone->place.file, zone->place.line);
        return NGX_ERROR;
    }

    zone->arms = ngx_pcalloc(zone->experiments.pool,
                             zone->store.head->registry_capacity
                             * sizeof(ux_arm_t));
    zone->bindings = ngx_pcalloc(zone->experiments.pool,
                                 (zone->experiments.nelts + 1)
                                 * sizeof(ux_binding_t));

    if (zone->arms == NULL || zone->bindings == NULL) {
        return NGX_ERROR;
    }

    ngx_log_error(NGX_LOG_NOTICE, shm_zone->shm.log, 0,
                  "ux_zone \"%V\": %uz bytes for counters, room for %uL "
                  "visitors", &zone->name,
                  (size_t) (zone->store.head->buckets_at
                            - zone->store.head->copies_at),
                  (uint64_t) ux_table_capacity(zone->store.head->nbuckets));

    ngx_http_ux_secret_open(zone, shm_zone->shm.log);

    return NGX_OK;
}


/*
 * Always NGX_OK: a worker that cannot count must serve, and nginx ends for
 * good when init_process fails.
 */
ngx_int_t
ngx_http_ux_init_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                i;
    ngx_http_ux_zone_t      **zones;
    ngx_http_ux_main_conf_t  *mcf;

    if (ngx_process == NGX_PROCESS_HELPER) {
        return NGX_OK;
    }

    mcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_ux_module);

    if (mcf == NULL) {
        return NGX_OK;
    }

    zones = mcf->zones.elts;

    for (i = 0; i < mcf->zones.nelts; i++) {
        ngx_http_ux_zone_join(zones[i], cycle);
    }

    return NGX_OK;
}


static void
ngx_http_ux_zone_join(ngx_http_ux_zone_t *zone, ngx_cycle_t *cycle)
{
    ux_status_t  rc;

    if (ux_store_join(&zone->store) != UX_OK) {
        ngx_log_error(NGX_LOG_ERR, cycle->log, 0,
                      "ux_zone \"%V\": more processes than it has room for, "
                      "this worker serves without counting", &zone->name);
        return;
    }

    zone->joined = 1;

    rc = ux_store_bind(&zone->store, &zone->model, zone->arms,
                       zone->bindings, ngx_http_ux_now_ms());

    if (rc != UX_OK) {
        ngx_log_error(NGX_LOG_ERR, cycle->log, 0,
                      "ux_zone \"%V\": not every name could be registered "
                      "(%s), some are served without counting", &zone->name,
                      (rc == UX_FULL) ? "no room" : "busy");
    }

    zone->store.plan.experiments_max = zone->params.experiments;
    zone->store.table.inactive_s = (uint32_t) zone->inactive
                                   + NGX_HTTP_UX_TOUCH;
    zone->store.table.max_window_s = ngx_http_ux_zone_window(zone)
                                     + NGX_HTTP_UX_TOUCH;
}


/* A record must outlive the longest window it can matter in. */
static uint32_t
ngx_http_ux_zone_window(ngx_http_ux_zone_t *zone)
{
    uint64_t    max;
    ngx_uint_t  i;

    max = 0;

    for (i = 0; i < zone->model.nexperiments; i++) {
        max = ngx_max(max, zone->model.experiments[i].window_ms);
    }

    for (i = 0; i < zone->model.nfunnels; i++) {
        max = ngx_max(max, zone->model.funnels[i].within_ms);
    }

    return (uint32_t) (max / 1000);
}


void
ngx_http_ux_exit_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                i;
    ngx_http_ux_zone_t      **zones;
    ngx_http_ux_main_conf_t  *mcf;

    mcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_ux_module);

    if (mcf == NULL || ngx_process == NGX_PROCESS_HELPER) {
        return;
    }

    zones = mcf->zones.elts;

    for (i = 0; i < mcf->zones.nelts; i++) {
        if (zones[i]->joined) {
            ux_store_leave(&zones[i]->store);
            zones[i]->joined = 0;
        }
    }
}
