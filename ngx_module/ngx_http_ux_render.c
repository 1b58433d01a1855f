
/*
 * Copyright (C) the nginx-ux authors
 *
 * A report is rendered in turns of the event loop, about an experiment a turn:
 * other requests of the worker are answered in between, and no lock is held.
 *
 * A worker that is to leave does so once it has no timer, so the event has
 * one, too: nothing else would say that the request goes on.
 */

#include "ngx_http_ux_request.h"


#define NGX_HTTP_UX_RENDER_TIMER  60000


typedef struct {
    ngx_event_t               event;
    ngx_http_request_t       *request;
    ux_export_t              *export;
    ngx_http_ux_render_pt     handler;
    void                     *data;
} ngx_http_ux_render_t;


static void ngx_http_ux_render_event(ngx_event_t *ev);
static void ngx_http_ux_render_cleanup(void *data);


ngx_int_t
ngx_http_ux_render(ngx_http_request_t *r, ux_export_t *export,
    ngx_http_ux_render_pt handler, void *data)
{
    ngx_pool_cleanup_t    *cln;
    ngx_http_ux_render_t  *render;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_ux_render_t));
    if (cln == NULL) {
        ux_export_end(export);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    render = cln->data;
    ngx_memzero(render, sizeof(ngx_http_ux_render_t));

    render->request = r;
    render->export = export;
    render->handler = handler;
    render->data = data;

    cln->handler = ngx_http_ux_render_cleanup;

    if (!ux_export_turn(export)) {
        return handler(r, export, data);
    }

    render->event.handler = ngx_http_ux_render_event;
    render->event.data = render;
    render->event.log = r->connection->log;

    ngx_add_timer(&render->event, NGX_HTTP_UX_RENDER_TIMER);
    ngx_http_ux_post_next(&render->event);

    /* a client that leaves takes its request with it */

    r->read_event_handler = ngx_http_test_reading;
    r->main->count++;

    return NGX_DONE;
}


static void
ngx_http_ux_render_event(ngx_event_t *ev)
{
    ngx_connection_t      *c;
    ngx_http_request_t    *r;
    ngx_http_ux_render_t  *render;

    render = ev->data;
    r = render->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    if (ev->timedout) {
        ev->timedout = 0;
        ngx_add_timer(ev, NGX_HTTP_UX_RENDER_TIMER);
    }

    if (ux_export_turn(render->export)) {
        ngx_http_ux_post_next(ev);
        return;
    }

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    if (ev->posted) {
        ngx_delete_posted_event(ev);
    }

    ngx_http_finalize_request(r, render->handler(r, render->export,
                                                 render->data));
    ngx_http_run_posted_requests(c);
}


static void
ngx_http_ux_render_cleanup(void *data)
{
    ngx_http_ux_render_t  *render = data;

    if (render->event.timer_set) {
        ngx_del_timer(&render->event);
    }

    if (render->event.posted) {
        ngx_delete_posted_event(&render->event);
    }

    ux_export_end(render->export);
}
