
/*
 * Copyright (C) the nginx-ux authors
 *
 * One look a second at every experiment, asked for or not: the running
 * minimum of p, and when a difference became significant, do not depend on
 * who happens to open the page.
 *
 * Every worker has the timer, one of them does the work.  It does not keep a
 * worker alive that is to end, and one that is ending looks no more: its
 * configuration may be an older one.
 */

#include "ngx_http_ux_module.h"


#define NGX_HTTP_UX_LOOK  1000


static void ngx_http_ux_look_handler(ngx_event_t *ev);
static ngx_uint_t ngx_http_ux_look_due(ngx_http_ux_zone_t *zone);


static ngx_event_t       ngx_http_ux_look_event;
static ngx_connection_t  ngx_http_ux_look_connection;


void
ngx_http_ux_look_start(ngx_cycle_t *cycle, ngx_http_ux_main_conf_t *mcf)
{
    ngx_event_t  *ev;

    ev = &ngx_http_ux_look_event;

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    if (mcf == NULL) {
        return;
    }

    ngx_memzero(ev, sizeof(ngx_event_t));

    /* nginx's debug log of timers wants a descriptor */

    ngx_http_ux_look_connection.fd = (ngx_socket_t) -1;

    ev->handler = ngx_http_ux_look_handler;
    ev->data = &ngx_http_ux_look_connection;
    ngx_http_ux_look_connection.data = mcf;
    ev->log = cycle->log;
    ev->cancelable = 1;

    ngx_add_timer(ev, NGX_HTTP_UX_LOOK);
}


static void
ngx_http_ux_look_handler(ngx_event_t *ev)
{
    ngx_uint_t                i;
    ngx_http_ux_zone_t      **zones;
    ngx_http_ux_main_conf_t  *mcf;

    if (ngx_exiting || ngx_terminate || ngx_quit) {
        return;
    }

    mcf = ngx_http_ux_look_connection.data;
    zones = mcf->zones.elts;

    for (i = 0; i < mcf->zones.nelts; i++) {

        /* a night without requests is no leap of the clock */

        (void) ux_table_expiry(&zones[i]->store.table,
                               (uint32_t) ngx_time());

        if (zones[i]->joined && zones[i]->model.nexperiments != 0
            && ngx_http_ux_look_due(zones[i])
            && ux_result_look(&zones[i]->store, ngx_http_ux_now_ms())
               != UX_OK)
        {
            ngx_log_error(NGX_LOG_WARN, ev->log, 0,
                          "ux_zone \"%V\": no memory to look at its "
                          "experiments, in a second again",
                          &zones[i]->name);
        }
    }

    ngx_add_timer(ev, NGX_HTTP_UX_LOOK);
}


/* True for one worker a second. */
static ngx_uint_t
ngx_http_ux_look_due(ngx_http_ux_zone_t *zone)
{
    uint64_t  now, last, *looked;

    now = (uint64_t) ngx_time();
    looked = &zone->store.head->looked_s;
    last = __atomic_load_n(looked, __ATOMIC_RELAXED);

    return last != now
           && __atomic_compare_exchange_n(looked, &last, now, 0,
                                          __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}
