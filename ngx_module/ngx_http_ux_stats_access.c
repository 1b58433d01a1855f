
/*
 * Copyright (C) the nginx-ux authors
 *
 * Who may read ux_stats.
 */

#include "ngx_http_ux_request.h"


static ngx_uint_t ngx_http_ux_stats_forwarded(ngx_http_request_t *r);


/*
 * "local": from this machine, and not on behalf of somebody else.  A proxy
 * beside us that adds none of these headers is the operator's to restrict.
 */
ngx_int_t
ngx_http_ux_stats_allowed(ngx_http_request_t *r, ngx_uint_t stats)
{
    struct sockaddr      *sa;
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    if (stats == NGX_HTTP_UX_STATS_ANY) {
        return NGX_OK;
    }

    if (ngx_http_ux_stats_forwarded(r)) {
        return NGX_DECLINED;
    }

    sa = r->connection->sockaddr;

    switch (sa->sa_family) {

#if (NGX_HAVE_UNIX_DOMAIN)
    case AF_UNIX:
        return NGX_OK;
#endif

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) sa;

        if (IN6_IS_ADDR_LOOPBACK(&sin6->sin6_addr)) {
            return NGX_OK;
        }

        if (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)
            && sin6->sin6_addr.s6_addr[12] == 127)
        {
            return NGX_OK;
        }

        return NGX_DECLINED;
#endif

    case AF_INET:
        sin = (struct sockaddr_in *) sa;

        return ((ntohl(sin->sin_addr.s_addr) >> 24) == 127) ? NGX_OK
                                                            : NGX_DECLINED;
    }

    return NGX_DECLINED;
}


static ngx_uint_t
ngx_http_ux_stats_forwarded(ngx_http_request_t *r)
{
    static ngx_str_t  names[] = {
        ngx_string("Forwarded"),
        ngx_string("X-Forwarded-For"),
        ngx_string("X-Real-IP"),
        ngx_string("Via"),
        ngx_null_string
    };

    ngx_uint_t           i;
    ngx_http_ux_lines_t  lines;

    /* a balancer's PROXY protocol speaks for others as well */

    if (r->connection->proxy_protocol != NULL) {
        return 1;
    }

    for (i = 0; names[i].len != 0; i++) {
        if (ngx_http_ux_lines_first(&lines, &r->headers_in.headers,
                                    &names[i])
            != NULL)
        {
            return 1;
        }
    }

    return 0;
}
