
/*
 * Copyright (C) the nginx-ux authors
 *
 * Which process saves zones, and when.
 *
 *   start, reload  the master, once committed: its own lock and first files,
 *                  before any worker counts
 *   running        nginx's cache manager process, so that no worker ever
 *                  waits for a disk; the master makes a new one when it dies
 *   stop           the workers that still finish what they have: the cache
 *                  manager has gone at once, and a stop may be cut short
 *   end            the master, when all its children are gone
 *
 * Where master_process is off, the one process has a timer.  Where the master
 * was killed, the cache manager goes on until the last worker has left; the
 * last worker saves if there is no manager.
 *
 * At most one process does it at a time, whoever it is: the saving lock.
 */

#include "ngx_http_ux_snapshot.h"


/* milliseconds between looks for other incarnations, and tries for a lock */
#define NGX_HTTP_UX_LOOK_OTHERS  1000
#define NGX_HTTP_UX_SAVE_RETRY   100
#define NGX_HTTP_UX_LEAVE_TRIES  20


typedef enum {
    NGX_HTTP_UX_TURN_FIRST = 0,      /* no name is bound yet */
    NGX_HTTP_UX_TURN,
    NGX_HTTP_UX_TURN_LEAVING,        /* of a worker; it adopts nobody */
    NGX_HTTP_UX_TURN_LAST            /* nobody counts any more */
} ngx_http_ux_turn_e;


static void ngx_http_ux_snapshot_open(ngx_http_ux_zone_t *zone,
    ngx_cycle_t *cycle);
static void ngx_http_ux_snapshot_inherit(ngx_http_ux_zone_t *zone);
static void ngx_http_ux_snapshot_moved(ngx_http_ux_zone_t *zone,
    ngx_log_t *log);
static ngx_int_t ngx_http_ux_snapshot_path(ngx_http_ux_zone_t *zone,
    ngx_cycle_t *cycle);
static ngx_msec_t ngx_http_ux_snapshot_manager(void *data);
static ngx_msec_t ngx_http_ux_snapshot_turn(ngx_http_ux_zone_t *zone,
    ngx_http_ux_turn_e turn, ngx_log_t *log);
static ngx_msec_t ngx_http_ux_snapshot_turn_locked(ngx_http_ux_zone_t *zone,
    ngx_http_ux_turn_e turn, ngx_log_t *log);
static ngx_uint_t ngx_http_ux_snapshot_is_replaced(ngx_http_ux_zone_t *zone);
static ngx_uint_t ngx_http_ux_snapshot_others(ngx_http_ux_zone_t *zone,
    ngx_http_ux_turn_e turn, ngx_log_t *log);
static ngx_uint_t ngx_http_ux_snapshot_look(ngx_http_ux_zone_t *zone,
    ngx_http_ux_turn_e turn);
static void ngx_http_ux_snapshot_timer(ngx_event_t *ev);
static ngx_msec_t ngx_http_ux_snapshot_leaving(ngx_http_ux_zone_t *zone,
    ngx_log_t *log);
static void ngx_http_ux_snapshot_close(void *data);


static ngx_event_t       ngx_http_ux_snapshot_event;
static ngx_connection_t  ngx_http_ux_snapshot_connection;


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
    ux_saved_t               *saved;
    ngx_http_ux_zone_t      **zones;
    ngx_http_ux_main_conf_t  *mcf;

    mcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_ux_module);

    if (mcf == NULL || ngx_test_config) {
        return NGX_OK;
    }

    zones = mcf->zones.elts;

    for (i = 0; i < mcf->zones.nelts; i++) {
        saved = &zones[i]->store.head->saved;

        if (zones[i]->files->was != NULL) {
            ngx_http_ux_snapshot_inherit(zones[i]);
        }

        zones[i]->files->generation =
            __atomic_add_fetch(&saved->generation, 1, __ATOMIC_RELEASE);

        __atomic_store_n(&saved->interval_ms,
                         (zones[i]->snapshot.len != 0) ? zones[i]->interval
                                                       : 0,
                         __ATOMIC_RELAXED);

        if (zones[i]->snapshot.len != 0) {
            ngx_http_ux_snapshot_open(zones[i], cycle);
        }

        if (zones[i]->files->resized) {
            ngx_http_ux_resize_saved(zones[i], cycle->log);
        }

        zones[i]->files->was = NULL;
    }

    return NGX_OK;
}


static void
ngx_http_ux_snapshot_inherit(ngx_http_ux_zone_t *zone)
{
    ngx_http_ux_zone_t  *was;

    was = zone->files->was;

    if (zone->files->resized) {
        return;
    }

    if (zone->snapshot.len != 0
        && zone->snapshot.len == was->snapshot.len
        && ngx_memcmp(zone->snapshot.data, was->snapshot.data,
                      zone->snapshot.len)
           == 0)
    {
        zone->files->lock = was->files->lock;
        was->files->lock = -1;

        ngx_memcpy(zone->files->found, was->files->found,
                   sizeof(zone->files->found));
        ngx_memzero(was->files->found, sizeof(was->files->found));
    }
}


/* A directory that cannot be used is tried again at each turn. */
static void
ngx_http_ux_snapshot_open(ngx_http_ux_zone_t *zone, ngx_cycle_t *cycle)
{
    ngx_fd_t    dir;
    ngx_int_t   rc;
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

    if (rc == NGX_OK && first) {
        (void) ngx_http_ux_snapshot_turn(zone, NGX_HTTP_UX_TURN_FIRST,
                                         cycle->log);
        ngx_http_ux_snapshot_moved(zone, cycle->log);
    }

    if (ngx_http_ux_snapshot_path(zone, cycle) != NGX_OK) {
        ngx_http_ux_save_failed(zone, "no memory", cycle->log);
    }
}


/* Nobody is to take this zone over from the directory it had before. */
static void
ngx_http_ux_snapshot_moved(ngx_http_ux_zone_t *zone, ngx_log_t *log)
{
    ux_error_t           error;
    ux_file_zone_t       files;
    ngx_http_ux_zone_t  *was;

    was = zone->files->was;

    if (was == NULL || was->files->lock == -1 || zone->files->resized
        || zone->files->saver.saved == 0)
    {
        return;
    }

    ngx_http_ux_file_zone(was, &files);

    ngx_http_ux_user_begin(zone);

    if (ux_file_remove(&files, zone->store.head->uuid, &error) != UX_OK) {
        ngx_http_ux_save_failed(was, error.message, log);
    }

    ngx_http_ux_user_end(zone);
}


/* Not by ngx_add_path(): that makes directories, also for "nginx -t". */
static ngx_int_t
ngx_http_ux_snapshot_path(ngx_http_ux_zone_t *zone, ngx_cycle_t *cycle)
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


static ngx_msec_t
ngx_http_ux_snapshot_manager(void *data)
{
    ngx_http_ux_zone_t *zone = data;

    ngx_log_t   *log;
    ngx_msec_t   next;
    ngx_uint_t   last;

    log = ngx_cycle->log;

    /* nobody would ever end us, and our lock would never be free */

    last = (ngx_process == NGX_PROCESS_HELPER && getppid() != ngx_parent
            && !ux_store_others(&zone->store));

    next = ngx_http_ux_snapshot_turn(zone, last ? NGX_HTTP_UX_TURN_LAST
                                                : NGX_HTTP_UX_TURN, log);

    if (last) {
        ngx_quit = 1;
    }

    return next;
}


/* Milliseconds until the next. */
static ngx_msec_t
ngx_http_ux_snapshot_turn(ngx_http_ux_zone_t *zone, ngx_http_ux_turn_e turn,
    ngx_log_t *log)
{
    ngx_msec_t   next;
    ngx_uint_t   joins;
    ux_store_t  *store;

    store = &zone->store;
    joins = (store->me == UX_PROCESS_NONE);

    if (ux_store_join(store) != UX_OK) {
        ngx_http_ux_save_failed(zone, "more processes than it has room for",
                                log);
        return zone->interval;
    }

    next = NGX_HTTP_UX_SAVE_RETRY;
    zone->files->busy = 1;

    if (ux_store_saving_lock(store) == UX_OK) {
        zone->files->busy = 0;
        next = ngx_http_ux_snapshot_turn_locked(zone, turn, log);
        ux_store_saving_unlock(store);
    }

    if (joins) {
        ux_store_leave(store);
    }

    /* its last worker saw us in it when it left, and saved nothing */

    if (joins && turn == NGX_HTTP_UX_TURN
        && ngx_http_ux_snapshot_is_replaced(zone) && !ux_store_others(store))
    {
        return ngx_http_ux_snapshot_turn(zone, NGX_HTTP_UX_TURN_LAST, log);
    }

    return ngx_min(next, NGX_HTTP_UX_LOOK_OTHERS);
}


/* Another memory goes on: its processes take over what this one has. */
static ngx_uint_t
ngx_http_ux_snapshot_is_replaced(ngx_http_ux_zone_t *zone)
{
    return __atomic_load_n(&zone->store.head->saved.replaced,
                           __ATOMIC_ACQUIRE)
           != 0;
}


static ngx_msec_t
ngx_http_ux_snapshot_turn_locked(ngx_http_ux_zone_t *zone,
    ngx_http_ux_turn_e turn, ngx_log_t *log)
{
    uint64_t    generation;
    ngx_msec_t  next;
    ngx_uint_t  merged;

    generation = __atomic_load_n(&zone->store.head->saved.generation,
                                 __ATOMIC_ACQUIRE);

    /* a reload has been committed, and the next process saves */

    if (generation != zone->files->generation) {
        return NGX_HTTP_UX_LOOK_OTHERS;
    }

    if (ngx_http_ux_directory_lock(zone, log) != NGX_OK) {
        zone->files->saver.saved = 0;
        return zone->interval;
    }

    merged = ngx_http_ux_snapshot_others(zone, turn, log);

    next = ngx_http_ux_save_due(zone, merged || turn == NGX_HTTP_UX_TURN_FIRST
                                      || turn == NGX_HTTP_UX_TURN_LAST, log);

    if (merged && zone->files->saver.saved != 0) {
        ngx_http_ux_adopt_remove(zone, log);
    }

    return next;
}


/* How many have been merged, and are not yet named in a file of ours. */
static ngx_uint_t
ngx_http_ux_snapshot_others(ngx_http_ux_zone_t *zone, ngx_http_ux_turn_e turn,
    ngx_log_t *log)
{
    if (turn == NGX_HTTP_UX_TURN_LEAVING) {
        return 0;
    }

    if (turn == NGX_HTTP_UX_TURN_FIRST
        || ngx_http_ux_snapshot_is_replaced(zone)
        || !ngx_http_ux_snapshot_look(zone, turn))
    {
        return ngx_http_ux_adopted(zone);
    }

    return ngx_http_ux_adopt(zone, log);
}


/*
 * Not at once: what an incarnation counted finds its place among the names of
 * the configuration, and workers that have just been made are to bind these.
 */
static ngx_uint_t
ngx_http_ux_snapshot_look(ngx_http_ux_zone_t *zone, ngx_http_ux_turn_e turn)
{
    ux_error_t               error;
    ux_file_zone_t           files;
    ngx_http_ux_snapshot_t  *s;

    s = zone->files;

    if (!s->cleaned) {
        s->cleaned = 1;
        s->looked = ngx_current_msec;

        ngx_http_ux_file_zone(zone, &files);
        ngx_http_ux_user_begin(zone);
        (void) ux_file_clean(&files, &error);
        ngx_http_ux_user_end(zone);
    }

    if (turn == NGX_HTTP_UX_TURN_LAST) {
        return 1;
    }

    if (ngx_current_msec - s->looked < NGX_HTTP_UX_LOOK_OTHERS) {
        return 0;
    }

    s->looked = ngx_current_msec;

    /* moved away, or removed: written again, whether there is news or not */

    if (!ngx_http_ux_directory_saved(zone)) {
        s->saver.saved = 0;
    }

    return 1;
}


/* Where there is one process only, and for workers that are to leave. */
void
ngx_http_ux_snapshot_start(ngx_cycle_t *cycle, ngx_http_ux_main_conf_t *mcf)
{
    ngx_event_t  *ev;

    ev = &ngx_http_ux_snapshot_event;

    ngx_memzero(ev, sizeof(ngx_event_t));

    ngx_http_ux_snapshot_connection.fd = (ngx_socket_t) -1;
    ngx_http_ux_snapshot_connection.data = mcf;

    ev->handler = ngx_http_ux_snapshot_timer;
    ev->data = &ngx_http_ux_snapshot_connection;
    ev->log = cycle->log;
    ev->cancelable = 1;

    ngx_add_timer(ev, NGX_HTTP_UX_SAVE_RETRY);
}


static void
ngx_http_ux_snapshot_timer(ngx_event_t *ev)
{
    ngx_msec_t                next, n;
    ngx_uint_t                i, single;
    ngx_http_ux_zone_t      **zones;
    ngx_http_ux_main_conf_t  *mcf;

    single = (ngx_process == NGX_PROCESS_SINGLE);

    if (ngx_terminate || (single && (ngx_exiting || ngx_quit))) {
        return;
    }

    mcf = ngx_http_ux_snapshot_connection.data;
    zones = mcf->zones.elts;
    next = NGX_HTTP_UX_LOOK_OTHERS;

    for (i = 0; i < mcf->zones.nelts; i++) {
        if (zones[i]->snapshot.len != 0) {
            n = single ? ngx_http_ux_snapshot_manager(zones[i])
                       : ngx_http_ux_snapshot_leaving(zones[i], ev->log);
            next = ngx_min(next, n);
        }
    }

    ngx_add_timer(ev, ngx_max(next, 1));
}


/* Once an interval for all workers, whichever is the first. */
static ngx_msec_t
ngx_http_ux_snapshot_leaving(ngx_http_ux_zone_t *zone, ngx_log_t *log)
{
    uint64_t  now_ms, saved_ms;

    if (!ngx_exiting || !zone->joined) {
        return zone->interval;
    }

    now_ms = ngx_http_ux_now_ms();
    saved_ms = __atomic_load_n(&zone->store.head->saved.saved_ms,
                               __ATOMIC_RELAXED);

    if (saved_ms <= now_ms && now_ms - saved_ms < zone->interval) {
        return (ngx_msec_t) (saved_ms + zone->interval - now_ms);
    }

    return ngx_http_ux_snapshot_turn(zone, NGX_HTTP_UX_TURN_LEAVING, log);
}


/*
 * The last worker of a master that was killed, or of a memory that another
 * one has replaced.
 */
void
ngx_http_ux_snapshot_leave(ngx_http_ux_zone_t *zone, ngx_cycle_t *cycle)
{
    ngx_uint_t  tries;

    if (ngx_process != NGX_PROCESS_WORKER || zone->snapshot.len == 0
        || (getppid() == ngx_parent && !ngx_http_ux_snapshot_is_replaced(zone))
        || ux_store_others(&zone->store))
    {
        return;
    }

    /* one that saves just now may have begun before our last count */

    for (tries = 0; tries < NGX_HTTP_UX_LEAVE_TRIES; tries++) {
        (void) ngx_http_ux_snapshot_turn(zone, NGX_HTTP_UX_TURN_LAST,
                                         cycle->log);
        if (!zone->files->busy) {
            break;
        }

        ngx_msleep(10);
    }
}


/* All children are gone. */
void
ngx_http_ux_exit_master(ngx_cycle_t *cycle)
{
    ngx_uint_t                i;
    ngx_http_ux_zone_t      **zones;
    ngx_http_ux_main_conf_t  *mcf;

    mcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_ux_module);

    if (mcf == NULL) {
        return;
    }

    zones = mcf->zones.elts;

    for (i = 0; i < mcf->zones.nelts; i++) {
        if (zones[i]->snapshot.len != 0) {
            (void) ngx_http_ux_snapshot_turn(zones[i], NGX_HTTP_UX_TURN_LAST,
                                             cycle->log);
        }
    }
}
