
/*
 * Copyright (C) the nginx-ux authors
 *
 * The page's style and script, under LOCATION/assets/NAME.  Their names change
 * with their contents, so they may be kept for ever.  They are in the module
 * as gzip packs them and go out like that; for the rare client that does not
 * take that they are inflated.
 */

#include "ngx_http_ux_request.h"
#include "ngx_http_ux_asset.h"

#if (NGX_HTTP_UX_ZLIB)
#include <zlib.h>
#endif


static ngx_int_t ngx_http_ux_asset_bytes(ngx_http_request_t *r,
    ngx_http_ux_asset_t *asset, ngx_str_t *bytes);
static ngx_int_t ngx_http_ux_asset_headers(ngx_http_request_t *r,
    ngx_http_ux_asset_t *asset, ngx_uint_t gzip);
static ngx_int_t ngx_http_ux_asset_vary(ngx_http_request_t *r);
static ngx_table_elt_t *ngx_http_ux_asset_header(ngx_http_request_t *r,
    ngx_str_t *key, ngx_str_t *value);


ngx_int_t
ngx_http_ux_asset_send(ngx_http_request_t *r, ux_str_t name)
{
    ngx_int_t             rc;
    ngx_buf_t            *b;
    ngx_str_t             bytes;
    ngx_uint_t            gzip;
    ngx_chain_t           out;
    ngx_http_ux_asset_t  *asset;

    for (asset = ngx_http_ux_assets; asset->name.len != 0; asset++) {

        if (asset->name.len == name.len
            && ngx_memcmp(asset->name.data, name.data, name.len) == 0)
        {
            break;
        }
    }

    if (asset->name.len == 0) {
        return NGX_DECLINED;
    }

    gzip = ngx_http_ux_assets_packed
           && ngx_http_ux_gzip_accepted(r) == NGX_OK;

    if (ngx_http_ux_asset_headers(r, asset, gzip) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.content_length_n = gzip ? asset->bytes.len : asset->len;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    bytes = asset->bytes;

    if (ngx_http_ux_assets_packed && !gzip
        && ngx_http_ux_asset_bytes(r, asset, &bytes) != NGX_OK)
    {
        return NGX_ERROR;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = bytes.data;
    b->last = bytes.data + bytes.len;
    b->memory = 1;
    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


#if (NGX_HTTP_UX_ZLIB)

static void *
ngx_http_ux_asset_alloc(void *pool, u_int items, u_int size)
{
    return ngx_palloc(pool, (size_t) items * size);
}


/* It goes with the request. */
static void
ngx_http_ux_asset_free(void *pool, void *p)
{
}


/* Once, into its known length. */
static ngx_int_t
ngx_http_ux_asset_bytes(ngx_http_request_t *r, ngx_http_ux_asset_t *asset,
    ngx_str_t *bytes)
{
    int       rc;
    z_stream  stream;

    bytes->len = asset->len;
    bytes->data = ngx_pnalloc(r->pool, bytes->len);
    if (bytes->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&stream, sizeof(z_stream));

    stream.zalloc = ngx_http_ux_asset_alloc;
    stream.zfree = ngx_http_ux_asset_free;
    stream.opaque = r->pool;
    stream.next_in = asset->bytes.data;
    stream.avail_in = (uInt) asset->bytes.len;
    stream.next_out = bytes->data;
    stream.avail_out = (uInt) bytes->len;

    /* 16: with gzip's head and sum */

    if (inflateInit2(&stream, MAX_WBITS + 16) != Z_OK) {
        return NGX_ERROR;
    }

    rc = inflate(&stream, Z_FINISH);
    inflateEnd(&stream);

    if (rc != Z_STREAM_END || stream.avail_out != 0) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "ux: inflate() of \"%V\" failed: %d", &asset->name, rc);
        return NGX_ERROR;
    }

    return NGX_OK;
}

#else

/* Without zlib they are in the module as they are. */
static ngx_int_t
ngx_http_ux_asset_bytes(ngx_http_request_t *r, ngx_http_ux_asset_t *asset,
    ngx_str_t *bytes)
{
    return NGX_ERROR;
}

#endif


static ngx_int_t
ngx_http_ux_asset_headers(ngx_http_request_t *r, ngx_http_ux_asset_t *asset,
    ngx_uint_t gzip)
{
    ngx_uint_t        i;
    ngx_table_elt_t  *h;

    static ngx_str_t  encoding = ngx_string("Content-Encoding");
    static ngx_str_t  packed = ngx_string("gzip");
    static ngx_str_t  etag = ngx_string("ETag");

    static struct {
        ngx_str_t  key;
        ngx_str_t  value;
    }  headers[] = {
        { ngx_string("Cache-Control"),
          ngx_string("public, max-age=31536000, immutable") },
        { ngx_string("X-Content-Type-Options"), ngx_string("nosniff") },
        { ngx_string("Content-Security-Policy"),
          ngx_string("default-src 'none'; frame-ancestors 'none'") }
    };

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_type = asset->type;
    r->headers_out.content_type_len = asset->type.len;
    ngx_str_set(&r->headers_out.charset, "utf-8");

    for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {

        if (ngx_http_ux_asset_header(r, &headers[i].key, &headers[i].value)
            == NULL)
        {
            return NGX_ERROR;
        }
    }

    h = ngx_http_ux_asset_header(r, &etag,
                                 gzip ? &asset->etag_gzip : &asset->etag);
    if (h == NULL) {
        return NGX_ERROR;
    }

    /* nginx compares it with If-None-Match */

    r->headers_out.etag = h;

    if (gzip) {
        h = ngx_http_ux_asset_header(r, &encoding, &packed);
        if (h == NULL) {
            return NGX_ERROR;
        }

        r->headers_out.content_encoding = h;
    }

    return ngx_http_ux_assets_packed ? ngx_http_ux_asset_vary(r) : NGX_OK;
}


/* Once, whatever "gzip_vary" says. */
static ngx_int_t
ngx_http_ux_asset_vary(ngx_http_request_t *r)
{
    static ngx_str_t  vary = ngx_string("Vary");
    static ngx_str_t  value = ngx_string("Accept-Encoding");

    if (ngx_http_ux_gzip_varies(r)) {
        return NGX_OK;
    }

    return (ngx_http_ux_asset_header(r, &vary, &value) != NULL) ? NGX_OK
                                                                : NGX_ERROR;
}


/* In place of the line of that name, if the endpoint has set one. */
static ngx_table_elt_t *
ngx_http_ux_asset_header(ngx_http_request_t *r, ngx_str_t *key,
    ngx_str_t *value)
{
    ngx_table_elt_t      *h;
    ngx_http_ux_lines_t   lines;

    h = ngx_http_ux_lines_first(&lines, &r->headers_out.headers, key);

    if (h == NULL) {
        h = ngx_list_push(&r->headers_out.headers);
        if (h == NULL) {
            return NULL;
        }

        ngx_http_ux_header_unlinked(h);
    }

    h->hash = 1;
    h->key = *key;
    h->value = *value;

    return h;
}
