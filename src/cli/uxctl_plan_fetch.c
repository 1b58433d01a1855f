
/*
 * Copyright (C) the nginx-ux authors
 *
 * uxctl plan --from: a text from a server, a file or standard input, bounded
 * in size, and from a server in time.
 */

#include "uxctl.h"
#include "uxctl_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_file_io.h>
#include <apr_network_io.h>
#include <apr_strings.h>
#include <apr_time.h>


#define UXCTL_FETCH_MAX      (64 << 20)
#define UXCTL_FETCH_FIRST    (1 << 16)
#define UXCTL_FETCH_SECONDS  10
#define UXCTL_FETCH_SCHEME   "http://"


/* Where bytes come from: one of both. */
typedef struct {
    apr_file_t    *file;
    apr_socket_t  *socket;
    apr_time_t     deadline;       /* of the socket */
} uxctl_fetch_t;


static int uxctl_fetch_file(apr_pool_t *pool, const char *from,
    ux_str_t *text);
static int uxctl_fetch_http(apr_pool_t *pool, const char *from,
    ux_str_t *text);
static apr_status_t uxctl_fetch_connect(apr_pool_t *pool, const char *host,
    apr_port_t port, uxctl_fetch_t *fetch);
static apr_status_t uxctl_fetch_send(uxctl_fetch_t *fetch,
    const char *request);
static apr_status_t uxctl_fetch_all(apr_pool_t *pool, uxctl_fetch_t *fetch,
    ux_str_t *text);
static apr_status_t uxctl_fetch_some(uxctl_fetch_t *fetch, char *p,
    apr_size_t *n);
static int uxctl_fetch_body(const char *from, ux_str_t *text);
static int uxctl_fetch_failed(const char *from, apr_status_t rc);


int
uxctl_plan_fetch(apr_pool_t *pool, const char *from, ux_str_t *text)
{
    if (strncmp(from, UXCTL_FETCH_SCHEME, sizeof(UXCTL_FETCH_SCHEME) - 1)
        == 0)
    {
        return uxctl_fetch_http(pool, from, text);
    }

    if (strstr(from, "://") != NULL) {
        return uxctl_wrong("\"%s\" is not valid: expected http://HOST/PATH,"
                           " a file, or - for standard input", from);
    }

    return uxctl_fetch_file(pool, from, text);
}


static int
uxctl_fetch_file(apr_pool_t *pool, const char *from, ux_str_t *text)
{
    apr_status_t   rc;
    uxctl_fetch_t  fetch;

    memset(&fetch, 0, sizeof(fetch));

    if (strcmp(from, "-") == 0) {
        rc = apr_file_open_stdin(&fetch.file, pool);

    } else {
        rc = apr_file_open(&fetch.file, from, APR_FOPEN_READ,
                           APR_FPROT_OS_DEFAULT, pool);
    }

    if (rc == APR_SUCCESS) {
        rc = uxctl_fetch_all(pool, &fetch, text);
        (void) apr_file_close(fetch.file);
    }

    return rc == APR_SUCCESS ? UXCTL_OK : uxctl_fetch_failed(from, rc);
}


static int
uxctl_fetch_http(apr_pool_t *pool, const char *from, ux_str_t *text)
{
    char           *place, *host, *scope;
    apr_port_t      port;
    const char     *path;
    apr_status_t    rc;
    uxctl_fetch_t   fetch;

    memset(&fetch, 0, sizeof(fetch));

    path = from + sizeof(UXCTL_FETCH_SCHEME) - 1;
    place = apr_pstrndup(pool, path, strcspn(path, "/"));
    path += strlen(place);

    rc = apr_parse_addr_port(&host, &scope, &port, place, pool);

    if (rc != APR_SUCCESS || host == NULL || strpbrk(from, " \r\n") != NULL) {
        return uxctl_wrong("\"%s\" is not valid: expected"
                           " http://HOST[:PORT]/PATH", from);
    }

    fetch.deadline = apr_time_now()
                     + apr_time_from_sec(UXCTL_FETCH_SECONDS);

    rc = uxctl_fetch_connect(pool, host, port != 0 ? port : 80, &fetch);

    if (rc == APR_SUCCESS) {
        rc = uxctl_fetch_send(&fetch,
                              apr_psprintf(pool, "GET %s HTTP/1.0\r\n"
                                           "Host: %s\r\n"
                                           "Accept: application/json\r\n"
                                           "\r\n",
                                           *path != '\0' ? path : "/",
                                           place));
    }

    if (rc == APR_SUCCESS) {
        rc = uxctl_fetch_all(pool, &fetch, text);
    }

    if (fetch.socket != NULL) {
        (void) apr_socket_close(fetch.socket);
    }

    if (rc != APR_SUCCESS) {
        return uxctl_fetch_failed(from, rc);
    }

    return uxctl_fetch_body(from, text);
}


/* The first address of a name that answers. */
static apr_status_t
uxctl_fetch_connect(apr_pool_t *pool, const char *host, apr_port_t port,
    uxctl_fetch_t *fetch)
{
    apr_status_t     rc;
    apr_sockaddr_t  *address;

    rc = apr_sockaddr_info_get(&address, host, APR_UNSPEC, port, 0, pool);

    if (rc != APR_SUCCESS) {
        return rc;
    }

    do {
        rc = apr_socket_create(&fetch->socket, address->family, SOCK_STREAM,
                               APR_PROTO_TCP, pool);

        if (rc != APR_SUCCESS) {
            fetch->socket = NULL;
            return rc;
        }

        (void) apr_socket_timeout_set(fetch->socket, apr_time_from_sec(
                                                         UXCTL_FETCH_SECONDS));

        rc = apr_socket_connect(fetch->socket, address);
        address = address->next;

        if (rc != APR_SUCCESS && address != NULL) {
            (void) apr_socket_close(fetch->socket);
        }
    } while (rc != APR_SUCCESS && address != NULL);

    return rc;
}


static apr_status_t
uxctl_fetch_send(uxctl_fetch_t *fetch, const char *request)
{
    size_t        left;
    apr_size_t    n;
    apr_status_t  rc;

    for (left = strlen(request); left > 0; left -= n) {
        n = left;
        rc = apr_socket_send(fetch->socket, request, &n);

        if (rc != APR_SUCCESS) {
            return rc;
        }

        request += n;
    }

    return APR_SUCCESS;
}


/* To the end.  The buffers left behind are as large as the last, together. */
static apr_status_t
uxctl_fetch_all(apr_pool_t *pool, uxctl_fetch_t *fetch, ux_str_t *text)
{
    char          *buf, *larger;
    size_t         size, len;
    apr_size_t     n;
    apr_status_t   rc;

    size = UXCTL_FETCH_FIRST;
    buf = apr_palloc(pool, size);
    len = 0;

    for ( ;; ) {

        if (len == size) {

            if (size == UXCTL_FETCH_MAX) {
                return APR_ENOSPC;
            }

            larger = apr_palloc(pool, size * 2);
            memcpy(larger, buf, len);
            buf = larger;
            size *= 2;
        }

        n = size - len;
        rc = uxctl_fetch_some(fetch, buf + len, &n);

        if (rc != APR_SUCCESS && rc != APR_EOF) {
            return rc;
        }

        len += n;

        if (rc == APR_EOF) {
            text->data = buf;
            text->len = len;
            return APR_SUCCESS;
        }
    }
}


static apr_status_t
uxctl_fetch_some(uxctl_fetch_t *fetch, char *p, apr_size_t *n)
{
    apr_time_t  left;

    if (fetch->file != NULL) {
        return apr_file_read(fetch->file, p, n);
    }

    left = fetch->deadline - apr_time_now();

    if (left <= 0) {
        *n = 0;
        return APR_TIMEUP;
    }

    (void) apr_socket_timeout_set(fetch->socket, left);

    return apr_socket_recv(fetch->socket, p, n);
}


/* Cuts the header off. */
static int
uxctl_fetch_body(const char *from, ux_str_t *text)
{
    size_t       line;
    const char  *body;

    body = memmem(text->data, text->len, "\r\n\r\n", 4);

    if (body == NULL || strncmp(text->data, "HTTP/1.", 7) != 0) {
        fprintf(stderr, "uxctl: \"%s\" did not answer in HTTP\n", from);
        return UXCTL_FAILED;
    }

    line = strcspn(text->data, "\r");

    if (line < 12 || memcmp(text->data + 8, " 200", 4) != 0) {
        fprintf(stderr, "uxctl: \"%s\" answered \"%.*s\": expected 200\n",
                from, (int) (line < 80 ? line : 80), text->data);
        return UXCTL_FAILED;
    }

    body += 4;
    text->len -= (size_t) (body - text->data);
    text->data = body;

    return UXCTL_OK;
}


static int
uxctl_fetch_failed(const char *from, apr_status_t rc)
{
    char  reason[128];

    if (rc == APR_ENOSPC) {
        fprintf(stderr, "uxctl: \"%s\" is longer than %d bytes\n", from,
                UXCTL_FETCH_MAX);

    } else {
        fprintf(stderr, "uxctl: could not read \"%s\": %s\n", from,
                apr_strerror(rc, reason, sizeof(reason)));
    }

    return UXCTL_FAILED;
}
