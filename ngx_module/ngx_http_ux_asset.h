
/*
 * Copyright (C) the nginx-ux authors
 *
 * Files of the page, in the module: made by ngx_module/assets.sh at build.
 */

#ifndef NGX_HTTP_UX_ASSET_H
#define NGX_HTTP_UX_ASSET_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ux_base.h"


typedef struct {
    ngx_str_t   name;                  /* has a hash of the contents in it */
    ngx_str_t   type;
    ngx_str_t   etag;
    ngx_str_t   etag_gzip;
    ngx_str_t   bytes;                 /* gzip'ed where ..._packed says so */
    size_t      len;                   /* of what they stand for */
} ngx_http_ux_asset_t;

/* In this order, an empty name behind. */
typedef enum {
    NGX_HTTP_UX_ASSET_STYLE = 0,
    NGX_HTTP_UX_ASSET_SCRIPT,
    NGX_HTTP_UX_ASSET_ICON
} ngx_http_ux_asset_e;

extern ngx_http_ux_asset_t  ngx_http_ux_assets[];
extern ngx_uint_t           ngx_http_ux_assets_packed;


/*
 * Answers GET and HEAD of the asset of that name, with its own headers;
 * NGX_DECLINED, and nothing done, if there is none.
 */
ngx_int_t ngx_http_ux_asset_send(ngx_http_request_t *r, ux_str_t name);

/* For links: what stands behind LOCATION/assets/. */
#define ngx_http_ux_asset_name(i)                                             \
    ngx_http_ux_str(ngx_http_ux_assets[i].name)


#endif
