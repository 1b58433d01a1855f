
/*
 * Copyright (C) the nginx-ux authors
 *
 * Blocks of our own in http { }.
 */

#ifndef NGX_HTTP_UX_BLOCK_H
#define NGX_HTTP_UX_BLOCK_H


#include "ngx_http_ux_module.h"


/* What is being filled while a block is parsed. */
typedef struct {
    ngx_http_ux_zone_t   *zone;
    ux_experiment_t      *experiment;
    ux_funnel_t          *funnel;
    ngx_str_t             name;
    ngx_http_ux_place_t   place;           /* of the block's own line */
    ngx_str_t             salt;
    ngx_str_t             serve;
    ngx_uint_t            serve_line;
    ngx_uint_t            version;
    uint32_t              seen;            /* words given, by table index */
} ngx_http_ux_block_t;


typedef struct {
    ngx_str_t    name;
    ngx_uint_t   min;                      /* words, the first included */
    ngx_uint_t   max;
    ngx_uint_t   many;                     /* may be given more than once */
    char        *syntax;
    char        *(*set)(ngx_conf_t *cf, ngx_http_ux_block_t *block);
} ngx_http_ux_line_t;


/*
 * The zone that zone= names, else the first one; NULL: there is none, which is
 * logged.  zone= may stand anywhere behind the directive's name and its first
 * word, and is taken out of cf->args.
 */
ngx_http_ux_zone_t *ngx_http_ux_block_zone(ngx_conf_t *cf);

/* Sets block->zone; a block's own line has a name and maybe zone=. */
ngx_int_t ngx_http_ux_block_own(ngx_conf_t *cf, ngx_http_ux_block_t *block);

char *ngx_http_ux_block_parse(ngx_conf_t *cf, ngx_http_ux_block_t *block,
    char *(*handler)(ngx_conf_t *cf, ngx_command_t *dummy, void *conf));

/* Finds the line's first word in the table, checks it, calls its setter. */
char *ngx_http_ux_block_line(ngx_conf_t *cf, ngx_http_ux_block_t *block,
    ngx_http_ux_line_t *lines);

/* Logs that `expected` was expected; always NGX_CONF_ERROR. */
char *ngx_http_ux_block_expected(ngx_conf_t *cf, ngx_str_t *word,
    char *expected);

/* ngx_http_ux_metric.c */
char *ngx_http_ux_goal(ngx_conf_t *cf, ngx_http_ux_block_t *b);
char *ngx_http_ux_metric(ngx_conf_t *cf, ngx_http_ux_block_t *b);
char *ngx_http_ux_guardrail(ngx_conf_t *cf, ngx_http_ux_block_t *b);
char *ngx_http_ux_goal_default(ngx_conf_t *cf, ngx_http_ux_block_t *b);

/* ngx_http_ux_schedule.c */
char *ngx_http_ux_target(ngx_conf_t *cf, ngx_http_ux_block_t *b);
char *ngx_http_ux_start(ngx_conf_t *cf, ngx_http_ux_block_t *b);
char *ngx_http_ux_stop(ngx_conf_t *cf, ngx_http_ux_block_t *b);
char *ngx_http_ux_state(ngx_conf_t *cf, ngx_http_ux_block_t *b);
char *ngx_http_ux_serve(ngx_conf_t *cf, ngx_http_ux_block_t *b);
ngx_int_t ngx_http_ux_serve_end(ngx_conf_t *cf, ngx_http_ux_block_t *b);
char *ngx_http_ux_equivalence(ngx_conf_t *cf, ngx_http_ux_block_t *b);


#endif
