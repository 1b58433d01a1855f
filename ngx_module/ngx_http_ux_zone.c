
/*
 * Copyright (C) the nginx-ux authors
 *
 * The shared zone through start, reload and worker processes.
 *
 * init() of a zone that lives on runs before the reload is committed, and
 * may run in a reload that fails: it only reads.  New names are written by
 * the first new worker, in init_process().
 */

#include "ngx_http_ux_snapshot.h"


static ngx_http_ux_zone_t *ngx_http_ux_zone_resized(
    ngx_shm_zone_t *shm_zone);
static ngx_int_t ngx_http_ux_zone_new(ngx_shm_zone_t *shm_zone,
    ngx_http_ux_zone_t *zone);
static ngx_int_t ngx_http_ux_zone_alloc(ngx_shm_zone_t *shm_zone,
    ngx_http_ux_zone_t *zone, uint8_t random[64]);
static ngx_int_t ngx_http_ux_zone_layout(ngx_shm_zone_t *shm_zone,
    ngx_http_ux_zone_t *zone, uint8_t random[64]);
static ngx_int_t ngx_http_ux_zone_open(ngx_shm_zone_t *shm_zone,
    ngx_http_ux_zone_t *zone);
static void ngx_http_ux_zone_amounts(ngx_http_ux_zone_t *zone,
    ngx_log_t *log);
static void ngx_http_ux_zone_limits(ngx_http_ux_zone_t *zone);
static ngx_int_t ngx_http_ux_zone_attach(ngx_shm_zone_t *shm_zone,
    ngx_http_ux_zone_t *zone);
static void ngx_http_ux_zone_budget(ngx_shm_zone_t *shm_zone,
    ngx_http_ux_zone_t *zone);
static void ngx_http_ux_zone_join(ngx_http_ux_zone_t *zone,
    ngx_cycle_t *cycle);
static void ngx_http_ux_zone_began(ngx_http_ux_zone_t *zone);
static uint32_t ngx_http_ux_zone_window(ngx_http_ux_zone_t *zone);
static void ngx_http_ux_zone_follow(ngx_http_ux_zone_t *old,
    ngx_http_ux_zone_t *zone);


ngx_int_t
ngx_http_ux_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_ux_zone_t  *zone;

    zone = shm_zone->data;
    zone->files->was = data;

    if (data == NULL) {
        zone->files->was = ngx_http_ux_zone_resized(shm_zone);
        zone->files->resized = (zone->files->was != NULL);

        if (ngx_http_ux_zone_new(shm_zone, zone) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (ngx_http_ux_zone_attach(shm_zone, zone) != NGX_OK) {
        return NGX_ERROR;
    }

    if (data != NULL) {
        ngx_http_ux_zone_follow(data, zone);
    }

    if (zone->files->was != NULL) {
        ngx_http_ux_zone_amounts(zone, shm_zone->shm.log);
        (void) ngx_http_ux_reload(&zone->files->was->model, zone,
                                  shm_zone->shm.log);
    }

    return NGX_OK;
}


/* One memory has one currency, whose name is known to configurations alone. */
static void
ngx_http_ux_zone_amounts(ngx_http_ux_zone_t *zone, ngx_log_t *log)
{
    unsigned  was;

    was = zone->files->was->model.currency;

    if (was != zone->model.currency && !zone->files->resized) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "ux_zone \"%V\": its amounts were in %s and are taken "
                      "for %s now, none is converted", &zone->name,
                      ux_currency_code(was).data,
                      ux_currency_code(zone->model.currency).data);
    }
}


/* Newer than the configuration it replaces, and than any that was bound. */
static void
ngx_http_ux_zone_follow(ngx_http_ux_zone_t *old, ngx_http_ux_zone_t *zone)
{
    zone->store.generation = ngx_max(old->store.generation,
                                     zone->store.head->generation)
                             + 1;
}


/* The zone of this name with another size that lives on in old processes. */
static ngx_http_ux_zone_t *
ngx_http_ux_zone_resized(ngx_shm_zone_t *shm_zone)
{
    ngx_uint_t        i;
    ngx_shm_zone_t   *old;
    ngx_list_part_t  *part;

    if (ngx_is_init_cycle(ngx_cycle) || ngx_test_config) {
        return NULL;
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
            return old[i].data;
        }
    }

    return NULL;
}


/*
 * A new memory, with what others have left of this zone.  Where that leaves
 * no room for the configuration, the zone starts without, and is given what
 * has a place in it once the names are bound.
 */
static ngx_int_t
ngx_http_ux_zone_new(ngx_shm_zone_t *shm_zone, ngx_http_ux_zone_t *zone)
{
    uint8_t              random[64];
    ux_error_t           error;
    ngx_log_t           *log;
    ngx_http_ux_zone_t  *was;

    log = shm_zone->shm.log;
    was = zone->files->was;

    if (ngx_http_ux_zone_alloc(shm_zone, zone, random) != NGX_OK) {
        return NGX_ERROR;
    }

    if (was != NULL) {
        ngx_memcpy(random + 16, was->store.head->index_key, 16);

    } else {
        ngx_http_ux_restore_find(zone, random + 16, log);
    }

    if (ngx_http_ux_zone_layout(shm_zone, zone, random) != NGX_OK
        || ngx_http_ux_zone_open(shm_zone, zone) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (was != NULL) {
        ngx_http_ux_resize(zone, log);

    } else {
        ngx_http_ux_restore(zone, log);
    }

    if (ux_registry_count(zone->store.registry) == 0
        || ux_store_fits(&zone->store, &zone->model, &error) == UX_OK)
    {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_WARN, log, 0,
                  "ux_zone \"%V\": no room for earlier epochs beside the "
                  "configuration, %s: %s", &zone->name,
                  ngx_test_config ? "a reload is refused and a start leaves "
                                    "them out"
                                  : "they are left out",
                  error.message);

    ngx_http_ux_restore_forget(zone);

    return ngx_http_ux_zone_layout(shm_zone, zone, random);
}


/* The only allocation ever made in the zone: all of it. */
static ngx_int_t
ngx_http_ux_zone_alloc(ngx_shm_zone_t *shm_zone, ngx_http_ux_zone_t *zone,
    uint8_t random[64])
{
    ngx_slab_pool_t  *shpool;

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    shpool->data = ngx_slab_alloc(shpool, shpool->pfree * ngx_pagesize);

    if (shpool->data == NULL) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "ux_zone \"%V\" is too small", &zone->name);
        return NGX_ERROR;
    }

    if (ngx_http_ux_random(random, 64) != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "no random bytes for ux_zone \"%V\"", &zone->name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_ux_zone_layout(ngx_shm_zone_t *shm_zone, ngx_http_ux_zone_t *zone,
    uint8_t random[64])
{
    size_t            size;
    ux_error_t        error;
    ngx_slab_pool_t  *shpool;

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;
    size = ((size_t) (shpool->end - (u_char *) shpool->data)
            / ngx_pagesize) * ngx_pagesize;

    /* touches every page, so that none has to be found later */

    ngx_memzero(shpool->data, size);

    if (ux_store_init(shpool->data, size, &zone->params, random,
                      ngx_http_ux_now_ms(), &error)
        != UX_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "ux_zone \"%V\": %s in %V:%ui", &zone->name,
                      error.message, &zone->place.file, zone->place.line);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_ux_zone_open(ngx_shm_zone_t *shm_zone, ngx_http_ux_zone_t *zone)
{
    ux_error_t        error;
    ngx_slab_pool_t  *shpool;

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (ux_store_attach(&zone->store, shpool->data,
                        (size_t) ((ux_store_head_t *) shpool->data)->size,
                        &error)
        != UX_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "ux_zone \"%V\": %s in %V:%ui", &zone->name,
                      error.message, &zone->place.file, zone->place.line);
        return NGX_ERROR;
    }

    ngx_http_ux_zone_limits(zone);

    return NGX_OK;
}


static ngx_int_t
ngx_http_ux_zone_attach(ngx_shm_zone_t *shm_zone, ngx_http_ux_zone_t *zone)
{
    ux_error_t  error;

    if (ngx_http_ux_zone_open(shm_zone, zone) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ux_store_fits(&zone->store, &zone->model, &error) != UX_OK) {
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

    zone->began_ms = ngx_pcalloc(zone->experiments.pool,
                                 (zone->experiments.nelts + 1)
                                 * sizeof(uint64_t));

    if (zone->arms == NULL || zone->bindings == NULL
        || zone->began_ms == NULL)
    {
        return NGX_ERROR;
    }

    ngx_http_ux_zone_budget(shm_zone, zone);

    ngx_http_ux_secret_open(zone, shm_zone->shm.log);

    return NGX_OK;
}


/* What the zone's memory is for: known now, and never more. */
static void
ngx_http_ux_zone_budget(ngx_shm_zone_t *shm_zone, ngx_http_ux_zone_t *zone)
{
    ux_store_budget_t  budget;

    ux_store_budget(&zone->store, &zone->model, &budget);

    ngx_http_ux_notice(shm_zone->shm.log, "ux_zone \"%V\" of %uz bytes: "
                       "%uL bytes for counters (workers' own: %uL of %uL "
                       "used; shared: %uL of %uL used), %uL of %uL used for "
                       "names, %uL bytes for visitors, room for %uL visitors",
                       &zone->name, shm_zone->shm.size, budget.counters,
                       budget.own_used, budget.own, budget.shared_used,
                       budget.shared, budget.names_used, budget.names,
                       budget.visitors, budget.capacity);

    ngx_http_ux_notice(shm_zone->shm.log, "ux_zone \"%V\": %uL bytes for "
                       "history, room for %uL points: of %uL metrics of "
                       "variants the last %uD hours and %uD days each",
                       &zone->name, budget.history, budget.points,
                       budget.series, budget.hours, budget.days);
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

        /* one cookie serves all zones: without ux_secret the first signs */

        if (i != 0) {
            ngx_memcpy(zones[i]->keys, zones[0]->keys,
                       sizeof(zones[0]->keys));
            zones[i]->nkeys = zones[0]->nkeys;
        }

        ngx_http_ux_zone_join(zones[i], cycle);
    }

    if (mcf->zones.nelts != 0) {
        ngx_http_ux_look_start(cycle, mcf);
        ngx_http_ux_history_start(cycle, mcf);
        ngx_http_ux_snapshot_start(cycle, mcf);
    }

    return NGX_OK;
}


static void
ngx_http_ux_zone_join(ngx_http_ux_zone_t *zone, ngx_cycle_t *cycle)
{
    ngx_uint_t   i;
    ux_status_t  rc;

    for (i = 0; i < zone->nkeys; i++) {
        zone->keys_hash = (zone->keys_hash << 1)
                          ^ ux_hash_keyed(zone->store.head->index_key,
                                          zone->keys[i]);
    }

    zone->joined = (ux_store_join(&zone->store) == UX_OK);

    if (!zone->joined) {
        ngx_log_error(NGX_LOG_ERR, cycle->log, 0,
                      "ux_zone \"%V\": more processes than it has room for, "
                      "this worker serves without counting", &zone->name);
    }

    /* without an entry names are only found: for ux_stats and variants */

    i = 0;

    do {
        rc = ux_store_bind(&zone->store, &zone->model, zone->arms,
                           zone->bindings, ngx_http_ux_now_ms());

        /* workers that start together take turns; each turn is short */

    } while (rc == UX_BUSY && i++ < 100);

    if (rc != UX_OK && zone->joined) {
        ngx_log_error(NGX_LOG_ERR, cycle->log, 0,
                      "ux_zone \"%V\": not every name could be registered "
                      "(%s), some are served without counting", &zone->name,
                      (rc == UX_FULL) ? "no room" : "busy");
    }

    ngx_http_ux_zone_began(zone);
    ngx_http_ux_zone_limits(zone);
}


static void
ngx_http_ux_zone_limits(ngx_http_ux_zone_t *zone)
{
    zone->store.plan.experiments_max = zone->params.experiments;
    zone->store.table.retention_s = (uint32_t) zone->retention;
    zone->store.table.inactive_s = (uint32_t) zone->inactive
                                   + NGX_HTTP_UX_TOUCH;
    zone->store.table.max_window_s = ngx_http_ux_zone_window(zone)
                                     + NGX_HTTP_UX_TOUCH;
}


/* Looked up once a process: the registry is walked for every name. */
static void
ngx_http_ux_zone_began(ngx_http_ux_zone_t *zone)
{
    ngx_uint_t         i;
    ux_claim_t         claim;
    const ux_entry_t  *entry;

    for (i = 0; i < zone->model.nexperiments; i++) {
        ngx_memzero(&claim, sizeof(ux_claim_t));

        claim.kind = UX_ENTRY_EXPERIMENT;
        claim.name = zone->model.experiments[i].name;
        claim.parent = UX_PARENT_NONE;
        claim.value = zone->model.experiments[i].version;

        entry = ux_registry_find(zone->store.registry, &claim);

        zone->began_ms[i] = (entry == NULL) ? 0 : entry->created_ms;
    }
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
            ngx_http_ux_snapshot_leave(zones[i], cycle);
        }
    }
}
