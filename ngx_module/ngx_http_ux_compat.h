
/*
 * Copyright (C) the nginx-ux authors
 *
 * Every difference between the nginx versions the module builds with.
 */

#ifndef NGX_HTTP_UX_COMPAT_H
#define NGX_HTTP_UX_COMPAT_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * Request header lines of one name: an array of pointers before 1.23.0, a
 * list linked by `next` since.
 */
#if (nginx_version >= 1023000)

#define ngx_http_ux_header_unlinked(h)   (h)->next = NULL

typedef ngx_table_elt_t  *ngx_http_ux_cookies_t;

#define ngx_http_ux_cookies_first(r, it)                                      \
    ((it) = (r)->headers_in.cookie)
#define ngx_http_ux_cookies_next(r, it)  ((it) = (it)->next)
#define ngx_http_ux_cookies_end(r, it)   ((it) == NULL)
#define ngx_http_ux_cookies_value(r, it) (&(it)->value)
#define ngx_http_ux_cookies_one(r)                                            \
    ((r)->headers_in.cookie != NULL && (r)->headers_in.cookie->next == NULL)

#else

#define ngx_http_ux_header_unlinked(h)

typedef ngx_uint_t  ngx_http_ux_cookies_t;

#define ngx_http_ux_cookies_first(r, it) ((it) = 0)
#define ngx_http_ux_cookies_next(r, it)  ((it)++)
#define ngx_http_ux_cookies_end(r, it)                                        \
    ((it) >= (r)->headers_in.cookies.nelts)
#define ngx_http_ux_cookies_value(r, it)                                      \
    (&((ngx_table_elt_t **) (r)->headers_in.cookies.elts)[it]->value)
#define ngx_http_ux_cookies_one(r)       ((r)->headers_in.cookies.nelts == 1)

#endif


/*
 * The event's handler, in the event loop's next turn and not in this one: a
 * queue of its own since 1.17.5.
 */
#if (nginx_version >= 1017005)
#define ngx_http_ux_post_next(ev)                                             \
    ngx_post_event(ev, &ngx_posted_next_events)
#else
#define ngx_http_ux_post_next(ev)  ngx_add_timer(ev, 1)
#endif


/* May this answer be gzip'ed?  And does nginx add "Vary" to it by itself? */

#if (NGX_HTTP_GZIP)

#define ngx_http_ux_gzip_accepted(r)     ngx_http_gzip_ok(r)

static ngx_inline ngx_uint_t
ngx_http_ux_gzip_varies(ngx_http_request_t *r)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    r->gzip_vary = 1;

    return clcf->gzip_vary;
}

#else

#define ngx_http_ux_gzip_accepted(r)     NGX_DECLINED
#define ngx_http_ux_gzip_varies(r)       0

#endif


#endif
