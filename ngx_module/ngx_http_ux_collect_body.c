
/*
 * Copyright (C) the nginx-ux authors
 *
 * The body of a beacon, in memory whatever client_body_buffer_size and
 * client_body_in_file_only say: nginx hands over what has come in, and what
 * is beyond the limit is not waited for.  Only a body that somebody else had
 * read before (a mirror, a script) may come from a file.
 */

#include "ngx_http_ux_request.h"

#include "ux_beacon.h"


static void ngx_http_ux_body_start(ngx_http_request_t *r);
static void ngx_http_ux_body_go_on(ngx_http_request_t *r);
static ngx_int_t ngx_http_ux_body_come(ngx_http_request_t *r,
    ngx_http_ux_beacon_t *beacon);
static ngx_int_t ngx_http_ux_body_take(ngx_http_request_t *r,
    ngx_http_ux_beacon_t *beacon);
static ngx_int_t ngx_http_ux_body_copy(ngx_http_request_t *r,
    ngx_http_ux_beacon_t *beacon, ngx_buf_t *b);
static ngx_int_t ngx_http_ux_body_room(ngx_http_request_t *r,
    ngx_http_ux_beacon_t *beacon, size_t size);
static void ngx_http_ux_body_done(ngx_http_request_t *r, ngx_int_t rc);


ngx_int_t
ngx_http_ux_body_read(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    r->request_body_no_buffering = 1;

    rc = ngx_http_read_client_request_body(r, ngx_http_ux_body_start);

    return (rc >= NGX_HTTP_SPECIAL_RESPONSE) ? rc : NGX_DONE;
}


static void
ngx_http_ux_body_start(ngx_http_request_t *r)
{
    ngx_http_ux_ctx_t  *ctx;

    ctx = ngx_http_ux_ctx(r, 1);

    if (ctx == NULL) {
        ngx_http_finalize_request(r, NGX_HTTP_SERVICE_UNAVAILABLE);
        return;
    }

    ctx->beacon = ngx_pcalloc(r->pool, sizeof(ngx_http_ux_beacon_t));

    if (ctx->beacon == NULL) {
        ngx_http_finalize_request(r, NGX_HTTP_SERVICE_UNAVAILABLE);
        return;
    }

    ngx_http_ux_body_done(r, ngx_http_ux_body_come(r, ctx->beacon));
}


static void
ngx_http_ux_body_go_on(ngx_http_request_t *r)
{
    ngx_http_ux_ctx_t  *ctx;

    ctx = ngx_http_ux_ctx(r, 0);

    ngx_http_ux_body_done(r, ngx_http_ux_body_come(r, ctx->beacon));
}


/* All that there is by now; NGX_OK: the whole, NGX_AGAIN: not yet. */
static ngx_int_t
ngx_http_ux_body_come(ngx_http_request_t *r, ngx_http_ux_beacon_t *beacon)
{
    ngx_int_t  rc;

    for ( ;; ) {
        rc = ngx_http_ux_body_take(r, beacon);

        if (rc != NGX_OK || !r->reading_body) {
            return rc;
        }

        rc = ngx_http_read_unbuffered_request_body(r);

        if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
            return rc;
        }

        if (r->reading_body && r->request_body->bufs == NULL) {
            return NGX_AGAIN;
        }
    }
}


static ngx_int_t
ngx_http_ux_body_take(ngx_http_request_t *r, ngx_http_ux_beacon_t *beacon)
{
    ngx_int_t     rc;
    ngx_chain_t  *in, *next;

    if (r->request_body == NULL) {

        /* discarded by somebody else */

        return NGX_OK;
    }

    in = r->request_body->bufs;

    if (!r->reading_body) {

        /* whoever read it, a mirror say, may send it on */

        for ( /* void */ ; in != NULL; in = in->next) {
            rc = ngx_http_ux_body_copy(r, beacon, in->buf);

            if (rc != NGX_OK) {
                return rc;
            }
        }

        return NGX_OK;
    }

    r->request_body->bufs = NULL;

    for ( /* void */ ; in != NULL; in = next) {
        rc = ngx_http_ux_body_copy(r, beacon, in->buf);

        if (rc != NGX_OK) {
            return rc;
        }

        /* free for the next bytes, from nginx's list of busy ones */

        in->buf->pos = in->buf->last;
        in->buf->file_pos = in->buf->file_last;

        next = in->next;
        ngx_free_chain(r->pool, in);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_ux_body_copy(ngx_http_request_t *r, ngx_http_ux_beacon_t *beacon,
    ngx_buf_t *b)
{
    off_t    size;
    u_char  *last;

    size = ngx_buf_size(b);

    if (size == 0) {
        return NGX_OK;
    }

    if (size > (off_t) (UX_BEACON_MAX - beacon->body.len)) {
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }

    if (ngx_http_ux_body_room(r, beacon, (size_t) size) != NGX_OK) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    last = beacon->body.data + beacon->body.len;

    if (ngx_buf_in_memory(b)) {
        ngx_memcpy(last, b->pos, (size_t) size);

    } else if (ngx_read_file(b->file, last, (size_t) size, b->file_pos)
               != (ssize_t) size)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    beacon->body.len += (size_t) size;

    return NGX_OK;
}


/* A length that was told is made room for at once, else it is doubled. */
static ngx_int_t
ngx_http_ux_body_room(ngx_http_request_t *r, ngx_http_ux_beacon_t *beacon,
    size_t size)
{
    u_char  *data;
    size_t   room;

    room = beacon->body.len + size;

    if (room <= beacon->room) {
        return NGX_OK;
    }

    if (r->headers_in.content_length_n > (off_t) room) {
        room = (size_t) r->headers_in.content_length_n;

    } else {
        room = ngx_max(room, 2 * beacon->room);
    }

    room = ngx_min(room, UX_BEACON_MAX);

    data = ngx_pnalloc(r->pool, room);
    if (data == NULL) {
        return NGX_ERROR;
    }

    if (beacon->body.len != 0) {
        ngx_memcpy(data, beacon->body.data, beacon->body.len);
    }

    beacon->body.data = data;
    beacon->room = room;

    return NGX_OK;
}


static void
ngx_http_ux_body_done(ngx_http_request_t *r, ngx_int_t rc)
{
    if (rc == NGX_AGAIN) {
        r->read_event_handler = ngx_http_ux_body_go_on;
        return;
    }

    r->read_event_handler = ngx_http_block_reading;

    ngx_http_finalize_request(r, ngx_http_ux_collect_answer(r, rc));
}
