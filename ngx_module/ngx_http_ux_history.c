
/*
 * Copyright (C) the nginx-ux authors
 *
 * When an hour has ended: the point of each experiment, one experiment in a
 * turn of the event loop, so that requests wait for one at most.
 *
 * Every worker has the timer; one at a time has the right to take points, as
 * long as it goes on.  If it dies, another one finds what is there and takes
 * the rest.
 */

#include "ngx_http_ux_module.h"


#define NGX_HTTP_UX_HISTORY       1000   /* ms between looks at the clock, */
#define NGX_HTTP_UX_HISTORY_NEXT  1      /*   and between experiments */
#define NGX_HTTP_UX_HISTORY_LEASE 2      /* s */


static void ngx_http_ux_history_handler(ngx_event_t *ev);
static ngx_uint_t ngx_http_ux_history_zone(ngx_http_ux_zone_t *zone,
    ngx_log_t *log);
static ngx_uint_t ngx_http_ux_history_due(ngx_http_ux_zone_t *zone);


static ngx_event_t       ngx_http_ux_history_event;
static ngx_connection_t  ngx_http_ux_history_connection;


void
ngx_http_ux_history_start(ngx_cycle_t *cycle, ngx_http_ux_main_conf_t *mcf)
{
    ngx_event_t  *ev;

    ev = &ngx_http_ux_history_event;

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    if (mcf == NULL) {
        return;
    }

    ngx_memzero(ev, sizeof(ngx_event_t));

    /* nginx's debug log of timers wants a descriptor */

    ngx_http_ux_history_connection.fd = (ngx_socket_t) -1;

    ev->handler = ngx_http_ux_history_handler;
    ev->data = &ngx_http_ux_history_connection;
    ngx_http_ux_history_connection.data = mcf;
    ev->log = cycle->log;
    ev->cancelable = 1;

    ngx_add_timer(ev, NGX_HTTP_UX_HISTORY);
}


static void
ngx_http_ux_history_handler(ngx_event_t *ev)
{
    ngx_uint_t                i, again;
    ngx_http_ux_zone_t      **zones;
    ngx_http_ux_main_conf_t  *mcf;

    if (ngx_exiting || ngx_terminate || ngx_quit) {
        return;
    }

    mcf = ngx_http_ux_history_connection.data;
    zones = mcf->zones.elts;
    again = 0;

    for (i = 0; i < mcf->zones.nelts && !again; i++) {
        again = ngx_http_ux_history_zone(zones[i], ev->log);
    }

    ngx_add_timer(ev, again ? NGX_HTTP_UX_HISTORY_NEXT : NGX_HTTP_UX_HISTORY);
}


/* Takes the points of one experiment; whether it is to go on soon. */
static ngx_uint_t
ngx_http_ux_history_zone(ngx_http_ux_zone_t *zone, ngx_log_t *log)
{
    uint32_t     hour;
    uint64_t     now_ms;
    ux_status_t  rc;

    now_ms = ngx_http_ux_now_ms();
    hour = ux_result_history_hour(now_ms);

    if (hour == 0 || !zone->joined) {
        return 0;
    }

    if (zone->history_hour != hour) {
        zone->history_hour = hour;
        zone->history_next = 0;
    }

    if (zone->history_next >= zone->model.nexperiments
        || !ngx_http_ux_history_due(zone))
    {
        return 0;
    }

    rc = ux_result_history(&zone->store, (unsigned) zone->history_next,
                           now_ms);

    if (rc == UX_OK) {
        zone->history_next++;
        return 1;
    }

    if (rc == UX_ERROR) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "ux_zone \"%V\": no memory to keep its history, in a "
                      "second again", &zone->name);
    }

    return 0;
}


/* True for the worker that has the right to, and for as long as it asks. */
static ngx_uint_t
ngx_http_ux_history_due(ngx_http_ux_zone_t *zone)
{
    uint64_t  now, seen, *lease;

    now = (uint64_t) ngx_time() << 32 | (uint32_t) ngx_pid;
    lease = &zone->store.head->history;
    seen = __atomic_load_n(lease, __ATOMIC_RELAXED);

    /* a clock that was set back is no reason to wait */

    if ((uint32_t) seen != (uint32_t) now
        && (now >> 32) - (seen >> 32) < NGX_HTTP_UX_HISTORY_LEASE)
    {
        return 0;
    }

    return __atomic_compare_exchange_n(lease, &seen, now, 0,
                                       __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}
