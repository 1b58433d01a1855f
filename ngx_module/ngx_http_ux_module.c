
/*
 * Copyright (C) the nginx-ux authors
 *
 * Table of contents: directives, configurations, where the module hooks in.
 */

#include "ngx_http_ux_request.h"


static ngx_int_t ngx_http_ux_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_ux_postconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_ux_handler_add(ngx_conf_t *cf, ngx_uint_t phase,
    ngx_http_handler_pt handler);
static void *ngx_http_ux_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_ux_create_srv_conf(ngx_conf_t *cf);
static char *ngx_http_ux_merge_srv_conf(ngx_conf_t *cf, void *parent,
    void *child);
static void *ngx_http_ux_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_ux_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_ux_server_header(ngx_conf_t *cf,
    ngx_http_ux_srv_conf_t *scf, ngx_str_t *header);


static ngx_command_t  ngx_http_ux_commands[] = {

    { ngx_string("ux_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_ux_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ux_experiment"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE12,
      ngx_http_ux_experiment,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ux_funnel"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE12,
      ngx_http_ux_funnel,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ux_stage"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_ux_stage,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ux_segment"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_ux_segment,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ux_expose"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_ux_expose,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ux_event"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_ux_event,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ux_visitor_key"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_ux_variable_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ux_loc_conf_t, visitor_key),
      NULL },

    { ngx_string("ux_cookie"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_1MORE,
      ngx_http_ux_cookie,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ux_secret"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_ux_secret,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ux_consent"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_ux_variable_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ux_loc_conf_t, consent),
      NULL },

    { ngx_string("ux_gpc"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ux_loc_conf_t, gpc),
      NULL },

    { ngx_string("ux_exclude"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_ux_exclude,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ux_loc_conf_t, exclude),
      NULL },

    { ngx_string("ux_override"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_ux_variable_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ux_loc_conf_t, override),
      NULL },

    { ngx_string("ux_debug"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_ux_variable_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ux_loc_conf_t, debug),
      NULL },

    { ngx_string("ux_collect"),
      NGX_HTTP_LOC_CONF|NGX_CONF_ANY,
      ngx_http_ux_collect,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ux_bots"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_TAKE1,
      ngx_http_ux_bots,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ux_confirm"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_SRV_CONF_OFFSET,
      offsetof(ngx_http_ux_srv_conf_t, confirm),
      NULL },

    { ngx_string("ux_header"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_ux_header,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ux_stats"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_http_ux_stats,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_ux_module_ctx = {
    ngx_http_ux_preconfiguration,          /* preconfiguration */
    ngx_http_ux_postconfiguration,         /* postconfiguration */

    ngx_http_ux_create_main_conf,          /* create main configuration */
    NULL,                                  /* init main configuration */

    ngx_http_ux_create_srv_conf,           /* create server configuration */
    ngx_http_ux_merge_srv_conf,            /* merge server configuration */

    ngx_http_ux_create_loc_conf,           /* create location configuration */
    ngx_http_ux_merge_loc_conf             /* merge location configuration */
};


ngx_module_t  ngx_http_ux_module = {
    NGX_MODULE_V1,
    &ngx_http_ux_module_ctx,               /* module context */
    ngx_http_ux_commands,                  /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_ux_init_module,               /* init module */
    ngx_http_ux_init_process,              /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_ux_exit_process,              /* exit process */
    ngx_http_ux_exit_master,               /* exit master */
    NGX_MODULE_V1_PADDING
};


/*
 * A second module of the same .so, ordered before the headers filter, so that
 * its own filter runs after "expires" and "add_header".
 */
static ngx_http_module_t  ngx_http_ux_late_filter_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_ux_cache_filter_init,         /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_ux_late_filter_module = {
    NGX_MODULE_V1,
    &ngx_http_ux_late_filter_module_ctx,   /* module context */
    NULL,                                  /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_ux_preconfiguration(ngx_conf_t *cf)
{
    return ngx_http_ux_add_variables(cf);
}


static ngx_int_t
ngx_http_ux_postconfiguration(ngx_conf_t *cf)
{
    ngx_http_ux_main_conf_t  *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ux_module);

    if (ngx_http_ux_conf_resolve(cf, mcf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (mcf->zones.nelts == 0) {
        return NGX_OK;
    }

    ngx_http_ux_variables_room(cf, &mcf->names);

    if (ngx_http_ux_handler_add(cf, NGX_HTTP_POST_READ_PHASE,
                                ngx_http_ux_post_read_handler)
            != NGX_OK
        || ngx_http_ux_handler_add(cf, NGX_HTTP_REWRITE_PHASE,
                                   ngx_http_ux_rewrite_handler)
            != NGX_OK
        || ngx_http_ux_handler_add(cf, NGX_HTTP_PRECONTENT_PHASE,
                                   ngx_http_ux_precontent_handler)
            != NGX_OK
        || ngx_http_ux_handler_add(cf, NGX_HTTP_LOG_PHASE,
                                   ngx_http_ux_log_handler)
            != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_ux_filter_init(cf);
}


static ngx_int_t
ngx_http_ux_handler_add(ngx_conf_t *cf, ngx_uint_t phase,
    ngx_http_handler_pt handler)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[phase].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = handler;

    return NGX_OK;
}


static void *
ngx_http_ux_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_ux_main_conf_t  *mcf;

    mcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_ux_main_conf_t));
    if (mcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     mcf->secret = no directive yet
     *     mcf->first = NULL;
     *     mcf->posteriors = NULL;
     */

    mcf->pool = cf->pool;

    if (ngx_array_init(&mcf->zones, cf->pool, 1,
                       sizeof(ngx_http_ux_zone_t *))
            != NGX_OK
        || ngx_array_init(&mcf->exposes, cf->pool, 8,
                          sizeof(ngx_http_ux_expose_t *))
            != NGX_OK
        || ngx_array_init(&mcf->events, cf->pool, 8,
                          sizeof(ngx_http_ux_event_t *))
            != NGX_OK
        || ngx_array_init(&mcf->collects, cf->pool, 1,
                          sizeof(ngx_http_ux_collect_t *))
            != NGX_OK
        || ngx_array_init(&mcf->names, cf->pool, 8, sizeof(ngx_str_t))
            != NGX_OK
        || ngx_array_init(&mcf->keys, cf->pool, 2, sizeof(ux_str_t))
            != NGX_OK)
    {
        return NULL;
    }

    return mcf;
}


static void *
ngx_http_ux_create_srv_conf(ngx_conf_t *cf)
{
    ngx_http_ux_srv_conf_t  *scf;

    scf = ngx_pcalloc(cf->pool, sizeof(ngx_http_ux_srv_conf_t));
    if (scf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     scf->cookie = NULL;
     *     scf->lengths = 0;
     *     scf->active = 0;
     */

    scf->bots = NGX_CONF_UNSET_UINT;
    scf->confirm = NGX_CONF_UNSET;

    if (ngx_array_init(&scf->headers, cf->pool, 1, sizeof(ngx_str_t))
        != NGX_OK)
    {
        return NULL;
    }

    return scf;
}


static char *
ngx_http_ux_merge_srv_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_ux_srv_conf_t  *prev = parent;
    ngx_http_ux_srv_conf_t  *conf = child;

    /* headers and active are gathered from the locations, not inherited */

    ngx_conf_merge_uint_value(conf->bots, prev->bots,
                              NGX_HTTP_UX_BOTS_EXCLUDE);
    ngx_conf_merge_value(conf->confirm, prev->confirm, 1);

    if (conf->cookie == NULL) {
        conf->cookie = prev->cookie;
    }

    if (conf->cookie == NULL) {
        conf->cookie = ngx_http_ux_cookie_default(cf);
        if (conf->cookie == NULL) {
            return NGX_CONF_ERROR;
        }

        prev->cookie = conf->cookie;
    }

    if (conf->cookie->rest[0].data == NULL
        && ngx_http_ux_cookie_prepare(cf, conf->cookie) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static void *
ngx_http_ux_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_ux_loc_conf_t  *lcf;

    lcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_ux_loc_conf_t));
    if (lcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     lcf->expose = NULL;
     *     lcf->events = NULL;
     *     lcf->header = { 0, NULL };
     *     lcf->header_lowcase = NULL;
     *     lcf->header_hash = 0;
     *     lcf->stats = NGX_HTTP_UX_STATS_OFF;
     *     lcf->collect = NULL;
     *     lcf->plain = 0;
     *     lcf->quiet = 0;
     */

    lcf->visitor_key = NGX_CONF_UNSET_PTR;
    lcf->consent = NGX_CONF_UNSET_PTR;
    lcf->override = NGX_CONF_UNSET_PTR;
    lcf->debug = NGX_CONF_UNSET_PTR;
    lcf->exclude = NGX_CONF_UNSET_PTR;
    lcf->gpc = NGX_CONF_UNSET;

    return lcf;
}


static char *
ngx_http_ux_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_ux_loc_conf_t  *prev = parent;
    ngx_http_ux_loc_conf_t  *conf = child;

    ngx_http_ux_srv_conf_t  *scf;

    scf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_ux_module);

    /* events, stats and beacons belong to the location that names them */

    if (conf->expose == NULL) {
        conf->expose = prev->expose;
    }

    ngx_conf_merge_ptr_value(conf->visitor_key, prev->visitor_key, NULL);
    ngx_conf_merge_ptr_value(conf->consent, prev->consent, NULL);
    ngx_conf_merge_ptr_value(conf->override, prev->override, NULL);
    ngx_conf_merge_ptr_value(conf->debug, prev->debug, NULL);
    ngx_conf_merge_ptr_value(conf->exclude, prev->exclude, NULL);
    ngx_conf_merge_value(conf->gpc, prev->gpc, 1);
    ngx_conf_merge_str_value(conf->header, prev->header, "X-UX-Variant");

    if (ngx_http_ux_header_prepare(cf, conf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_ux_collect_merge(cf, prev, conf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (conf->events != NULL || conf->collect != NULL
        || (conf->expose != NULL && !conf->expose->off))
    {
        scf->active = 1;
    }

    conf->plain = (conf->expose == NULL && conf->events == NULL
                   && conf->collect == NULL
                   && conf->stats == NGX_HTTP_UX_STATS_OFF);
    conf->quiet = conf->plain && conf->consent == NULL
                  && conf->debug == NULL;

    return ngx_http_ux_server_header(cf, scf, &conf->header);
}


/* Remembers, once each, the names under which clients may not speak. */
static char *
ngx_http_ux_server_header(ngx_conf_t *cf, ngx_http_ux_srv_conf_t *scf,
    ngx_str_t *header)
{
    u_char      *cgi;
    ngx_str_t   *name;
    ngx_uint_t   i;

    cgi = ngx_pnalloc(cf->pool, header->len);
    if (cgi == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_http_ux_header_name(header, cgi);

    name = scf->headers.elts;

    for (i = 0; i < scf->headers.nelts; i++) {
        if (name[i].len == header->len
            && ngx_memcmp(name[i].data, cgi, header->len) == 0)
        {
            return NGX_CONF_OK;
        }
    }

    name = ngx_array_push(&scf->headers);
    if (name == NULL) {
        return NGX_CONF_ERROR;
    }

    name->len = header->len;
    name->data = cgi;
    scf->lengths |= ngx_http_ux_length(name->len);

    return NGX_CONF_OK;
}
