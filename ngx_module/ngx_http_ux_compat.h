
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


#endif
