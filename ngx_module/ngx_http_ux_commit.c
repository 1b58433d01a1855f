
/*
 * Copyright (C) the nginx-ux authors
 *
 * The files of a zone when a start or reload is committed: what it takes over
 * from the configuration before, its own lock, and its first save, before any
 * worker counts.
 */

#include "ngx_http_ux_snapshot.h"


static void ngx_http_ux_snapshot_close(void *data);
static void ngx_http_ux_commit_zone(ngx_http_ux_zone_t *zone,
    ngx_cycle_t *cycle);
static void ngx_http_ux_commit_inherit(ngx_http_ux_zone_t *zone);
static void ngx_http_ux_commit_open(ngx_http_ux_zone_t *zone,
    ngx_cycle_t *cycle);
static ngx_int_t ngx_http_ux_commit_path(ngx_http_ux_zone_t *zone,
    ngx_cycle_t *cycle);


ngx_http_ux_snapshot_t *
ngx_http_ux_snapshot_create(ngx_conf_t *cf)
{
    ngx_pool_cleanup_t      *cln;
    ngx_http_ux_snapshot_t  *files;

    files = ngx_pcalloc(cf->pool, sizeof(ngx_http_ux_snapshot_t));
    cln = ngx_pool_cleanup_add(cf->pool, 0);

    if (files == NULL || cln == NULL) {
        return NULL;
    }

    files->lock = -1;
    files->left.lock = -1;

    cln->handler = ngx_http_ux_snapshot_close;
    cln->data = files;

    return files;
}


/* Locks that no later cycle has taken over. */
static void
ngx_http_ux_snapshot_close(void *data)
{
    ngx_http_ux_snapshot_t *files = data;

    ngx_uint_t  i;

    free(files->base.data);
    files->base.data = NULL;

    ux_file_unlock(files->lock);
    files->lock = -1;

    ux_file_unlock(files->left.lock);
    files->left.lock = -1;

    for (i = 0; i < UX_FILE_LIST_MAX; i++) {
        if (files->found[i].used) {
            ux_file_unlock(files->found[i].lock);
            files->found[i].used = 0;
        }
    }
}


/* The start or reload is committed, and nobody has been forked yet. */
ngx_int_t
ngx_http_ux_init_module(ngx_cycle_t *cycle)
{
    ngx_uint_t                i;
    ngx_http_ux_zone_t      **zones;
    ngx_http_ux_main_conf_t  *mcf;

    if (ngx_test_config) {
        return NGX_OK;
    }

    mcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_ux_module);

    if (mcf != NULL) {
        zones = mcf->zones.elts;

        for (i = 0; i < mcf->zones.nelts; i++) {
            ngx_http_ux_commit_zone(zones[i], cycle);
        }
    }

    if (ngx_process == NGX_PROCESS_SINGLE && !ngx_is_init_cycle(ngx_cycle)) {
        ngx_http_ux_single_reload(cycle);
    }

    return NGX_OK;
}


static void
ngx_http_ux_commit_zone(ngx_http_ux_zone_t *zone, ngx_cycle_t *cycle)
{
    ux_saved_t  *saved;

    saved = &zone->store.head->saved;

    if (zone->files->was != NULL) {
        ngx_http_ux_commit_inherit(zone);
    }

    zone->files->generation =
        __atomic_add_fetch(&saved->generation, 1, __ATOMIC_RELEASE);

    __atomic_store_n(&saved->interval_ms,
                     (zone->snapshot.len != 0) ? zone->interval : 0,
                     __ATOMIC_RELAXED);

    if (zone->snapshot.len != 0) {
        ngx_http_ux_commit_open(zone, cycle);
    }

    if (zone->files->resized) {
        ngx_http_ux_resize_saved(zone, cycle->log);
    }

    zone->files->was = NULL;
}


static void
ngx_http_ux_commit_inherit(ngx_http_ux_zone_t *zone)
{
    ngx_http_ux_zone_t  *was;

    was = zone->files->was;

    if (!zone->files->resized && ngx_http_ux_directory_same(zone, was)) {
        zone->files->lock = was->files->lock;
        was->files->lock = -1;

        ngx_memcpy(zone->files->found, was->files->found,
                   sizeof(zone->files->found));
        ngx_memzero(was->files->found, sizeof(was->files->found));
    }
}


/* A directory that cannot be used is tried again at each turn. */
static void
ngx_http_ux_commit_open(ngx_http_ux_zone_t *zone, ngx_cycle_t *cycle)
{
    ngx_fd_t    dir;
    ngx_int_t   rc, leave;
    ngx_uint_t  first;

    first = (zone->files->lock == -1);

    dir = ngx_http_ux_directory_open(zone, cycle->log);

    if (dir != NGX_INVALID_FILE) {
        (void) ngx_close_file(dir);

    } else {
        zone->files->said = ngx_max(ngx_current_msec, 1);
    }

    rc = ngx_http_ux_directory_lock(zone, cycle->log);

    if (rc == NGX_OK && zone->files->resized) {
        ngx_http_ux_resize_commit(zone, cycle->log);
    }

    zone->files->locks = __atomic_load_n(&zone->store.head->saved.locks,
                                         __ATOMIC_ACQUIRE);

    leave = ngx_http_ux_directory_leave(zone, cycle);

    if (rc == NGX_OK && first) {
        (void) ngx_http_ux_snapshot_turn(zone, NGX_HTTP_UX_TURN_FIRST,
                                         cycle->log);
    }

    if (leave != NGX_OK || ngx_http_ux_commit_path(zone, cycle) != NGX_OK) {
        ngx_http_ux_save_failed(zone, "no memory", cycle->log);
    }
}


/* Not by ngx_add_path(): that makes directories, also for "nginx -t". */
static ngx_int_t
ngx_http_ux_commit_path(ngx_http_ux_zone_t *zone, ngx_cycle_t *cycle)
{
    ngx_path_t  *path, **slot;

    path = ngx_pcalloc(cycle->pool, sizeof(ngx_path_t));
    slot = ngx_array_push(&cycle->paths);

    if (path == NULL || slot == NULL) {
        cycle->paths.nelts -= (slot != NULL);
        return NGX_ERROR;
    }

    path->name = zone->snapshot;
    path->manager = ngx_http_ux_snapshot_manager;
    path->data = zone;

    *slot = path;

    return NGX_OK;
}
