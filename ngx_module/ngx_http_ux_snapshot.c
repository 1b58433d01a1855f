
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

/* until all who count have a lock that was taken anew: they look as often */
#define NGX_HTTP_UX_LOCK_SETTLES 1500


static ngx_msec_t ngx_http_ux_snapshot_turn_locked(ngx_http_ux_zone_t *zone,
    ngx_http_ux_turn_e turn, ngx_log_t *log);
static ngx_int_t ngx_http_ux_snapshot_lock(ngx_http_ux_zone_t *zone,
    ngx_http_ux_turn_e turn, ngx_log_t *log);
static ngx_uint_t ngx_http_ux_snapshot_is_replaced(ngx_http_ux_zone_t *zone);
static ngx_uint_t ngx_http_ux_snapshot_others(ngx_http_ux_zone_t *zone,
    ngx_http_ux_turn_e turn, ngx_log_t *log);
static ngx_uint_t ngx_http_ux_snapshot_look(ngx_http_ux_zone_t *zone,
    ngx_http_ux_turn_e turn);
static void ngx_http_ux_snapshot_timer(ngx_event_t *ev);
static ngx_msec_t ngx_http_ux_snapshot_leaving(ngx_http_ux_zone_t *zone,
    ngx_log_t *log);


static ngx_event_t       ngx_http_ux_snapshot_event;
static ngx_connection_t  ngx_http_ux_snapshot_connection;


ngx_msec_t
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


ngx_msec_t
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

    switch (ngx_http_ux_snapshot_lock(zone, turn, log)) {

    case NGX_OK:
        break;

    case NGX_AGAIN:
        return NGX_HTTP_UX_SAVE_RETRY;

    default:
        zone->files->saver.saved = 0;
        return zone->interval;
    }

    merged = ngx_http_ux_snapshot_others(zone, turn, log);

    next = ngx_http_ux_save_due(zone, merged || turn == NGX_HTTP_UX_TURN_FIRST
                                      || turn == NGX_HTTP_UX_TURN_LAST, log);

    /* twice: where a disk spoils the newest, the one before has them, too */

    if (merged && zone->files->saver.saved != 0) {
        next = ngx_http_ux_save_due(zone, 1, log);
    }

    if (zone->files->saver.saved != 0) {
        ngx_http_ux_directory_left(zone, log);

        if (merged) {
            ngx_http_ux_adopt_remove(zone, log);
        }
    }

    return next;
}


/*
 * A lock taken anew by one process is not that of the others who count: files
 * would be taken over as soon as this one ends.  NGX_AGAIN: they are to get it
 * first.
 */
static ngx_int_t
ngx_http_ux_snapshot_lock(ngx_http_ux_zone_t *zone, ngx_http_ux_turn_e turn,
    ngx_log_t *log)
{
    int                      before;
    ngx_http_ux_snapshot_t  *s;

    s = zone->files;
    before = s->lock;

    if (ngx_http_ux_directory_lock(zone, log) != NGX_OK) {
        return NGX_ERROR;
    }

    if (s->lock != before) {
        s->locks = __atomic_add_fetch(&zone->store.head->saved.locks, 1,
                                      __ATOMIC_RELEASE);
    }

    return ((turn == NGX_HTTP_UX_TURN || turn == NGX_HTTP_UX_TURN_LEAVING)
            && s->locked != 0
            && ngx_current_msec - s->locked < NGX_HTTP_UX_LOCK_SETTLES)
           ? NGX_AGAIN : NGX_OK;
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

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    if (mcf == NULL) {
        return;
    }

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

    if (!zone->joined) {
        return zone->interval;
    }

    ngx_http_ux_directory_follow(zone, ngx_exiting, log);

    if (!ngx_exiting) {
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
 * The last worker of a master that was killed or has no lock, or of a memory
 * that another one has replaced.
 */
void
ngx_http_ux_snapshot_leave(ngx_http_ux_zone_t *zone, ngx_cycle_t *cycle)
{
    ngx_uint_t  tries;

    if (ngx_process != NGX_PROCESS_WORKER || zone->snapshot.len == 0
        || (getppid() == ngx_parent && zone->files->locked == 0
            && !ngx_http_ux_snapshot_is_replaced(zone))
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
        ngx_http_ux_snapshot_last(zones[i], cycle->log);
    }
}


void
ngx_http_ux_snapshot_last(ngx_http_ux_zone_t *zone, ngx_log_t *log)
{
    if (zone->snapshot.len != 0) {
        (void) ngx_http_ux_snapshot_turn(zone, NGX_HTTP_UX_TURN_LAST, log);
    }
}
