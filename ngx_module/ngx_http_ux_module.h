
/*
 * Copyright (C) the nginx-ux authors
 *
 * Shared by the files of the module: its configuration, and what a process has
 * of a zone.  The state of a request is in ngx_http_ux_request.h.
 */

#ifndef NGX_HTTP_UX_MODULE_H
#define NGX_HTTP_UX_MODULE_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_ux_compat.h"

#include "ux_cookie.h"
#include "ux_experiment.h"
#include "ux_export.h"
#include "ux_field.h"
#include "ux_number.h"
#include "ux_result.h"
#include "ux_store.h"
#include "ux_survey.h"
#include "ux_timing.h"
#include "ux_vital.h"


#define NGX_HTTP_UX_VERSION  "0.1.0"

#define NGX_HTTP_UX_KEYS_MAX      8      /* signing keys of ux_secret */

/* the longest time that may be configured, in seconds: ten years */
#define NGX_HTTP_UX_TIME_MAX      (10 * 365 * 24 * 60 * 60)

/* a record's time of last request is not written more often than this */
#define NGX_HTTP_UX_TOUCH         60


/* kept out of callers that have a short way: it would lengthen that */
#define ngx_http_ux_apart  __attribute__((noinline))

/* and in them, though gcc finds it too long */
#define ngx_http_ux_within  inline __attribute__((always_inline))


typedef struct ngx_http_ux_snapshot_s  ngx_http_ux_snapshot_t;


/* Where a directive stood, for errors found after parsing. */
typedef struct {
    ngx_str_t                   file;
    ngx_uint_t                  line;
} ngx_http_ux_place_t;


typedef struct {
    ngx_str_t                   name;
    ngx_uint_t                  ordinal;       /* among the zones */
    ngx_uint_t                  first;         /* its first experiment among
                                                  those of all zones */
    ngx_shm_zone_t             *shm_zone;
    size_t                      size;
    ngx_str_t                   snapshot;      /* directory, may be empty */
    ngx_msec_t                  interval;      /* between saves: counters, */
    ngx_msec_t                  journeys;      /*   and visitors */
    time_t                      inactive;
    time_t                      retention;     /* no record gets older */
    ngx_core_conf_t            *core;          /* knows the workers' user */
    ux_store_params_t           params;
    ux_model_t                  model;
    ngx_array_t                 experiments;   /* ux_experiment_t */
    ngx_array_t                 places;        /* of experiments */
    ngx_array_t                 targets;       /* ngx_array_t *, of
                                                  ngx_http_ux_target_t */
    ngx_array_t                 funnel_places;
    ngx_array_t                 segments;      /* ngx_http_complex_value_t */
    ngx_str_t                 **pairs;         /* "experiment=variant", by
                                                  both indices */
    ngx_http_ux_place_t         place;
    ngx_http_ux_snapshot_t     *files;         /* see ngx_http_ux_snapshot.h */

    /* per process, since init_process */
    ux_store_t                  store;
    ux_arm_t                   *arms;
    ux_binding_t               *bindings;
    uint32_t                    history_hour;  /* whose points are taken, */
    ngx_uint_t                  history_next;  /*   the next experiment */
    uint64_t                   *began_ms;      /* by experiment: when it was
                                                  registered, 0: it is not */
    ux_visitor_t                visitor;       /* record being worked on */
    ux_outline_t                outline;       /* of the record just seen */
    ux_changes_t                changes;
    ux_str_t                    keys[NGX_HTTP_UX_KEYS_MAX];
    ngx_uint_t                  nkeys;
    uint64_t                    keys_hash;     /* of all of them, in order */
    unsigned                    shared_cookie:1;   /* with other zones */
    unsigned                    joined:1;
} ngx_http_ux_zone_t;


/* A target line of an experiment. */
typedef struct {
    ngx_http_complex_value_t    variable;
    ngx_uint_t                  nvalues;       /* 0: must be true */
    ngx_str_t                  *values;
} ngx_http_ux_target_t;


/* ux_expose: resolved after parsing. */
typedef struct {
    ngx_http_ux_zone_t         *zone;
    ngx_array_t                 names;         /* ngx_str_t */
    ngx_uint_t                  n;
    ngx_uint_t                 *experiments;   /* indices in zone's model */
    size_t                      room;          /* for the longest header */
    ngx_http_ux_place_t         place;
    unsigned                    off:1;
    unsigned                    all:1;
    unsigned                    any:1;         /* requests=any */
} ngx_http_ux_expose_t;


/* ux_event */
typedef struct {
    ngx_str_t                   name;
    ngx_http_ux_zone_t         *zone;
    uint8_t                     event;         /* index in zone's model */
    ngx_http_complex_value_t   *value;
    ngx_http_complex_value_t   *currency;
    ngx_http_complex_value_t   *id;
    ngx_http_complex_value_t   *condition;
    ngx_uint_t                  methods;       /* mask; 0: any */
    ngx_array_t                *statuses;      /* of ngx_http_ux_range_t */
    ngx_http_ux_place_t         place;
} ngx_http_ux_event_t;


typedef struct {
    ngx_uint_t                  from;
    ngx_uint_t                  to;
} ngx_http_ux_range_t;


/* ux_collect */
typedef struct {
    ngx_http_ux_zone_t         *zone;
    ngx_http_ux_expose_t       *expose;        /* in force there */
    ngx_array_t                 origins;       /* ngx_str_t, as browsers
                                                  write them */
    ngx_http_ux_place_t         place;
    unsigned                    trusted:1;
} ngx_http_ux_collect_t;


/* A configured experiment, as its variables refer to it. */
typedef struct {
    ngx_http_ux_zone_t         *zone;
    ngx_uint_t                  index;         /* in the zone's model */
} ngx_http_ux_experiment_t;


typedef struct {
    ngx_array_t                 zones;         /* ngx_http_ux_zone_t * */
    ngx_http_ux_zone_t         *first;         /* of them; NULL: none */
    ngx_array_t                 exposes;       /* ngx_http_ux_expose_t * */
    ngx_array_t                 events;        /* ngx_http_ux_event_t * */
    ngx_array_t                 collects;      /* ngx_http_ux_collect_t * */
    ngx_array_t                 names;         /* ngx_str_t: all experiments */
    ngx_array_t                 keys;          /* ux_str_t: ux_secret */
    ngx_http_ux_place_t         secret;
    ngx_pool_t                 *pool;          /* the configuration's */
    ux_posteriors_t            *posteriors;    /* of this worker, from its
                                                  first report on */
} ngx_http_ux_main_conf_t;


typedef struct {
    ngx_str_t                   name;
    ngx_str_t                   domain;
    ngx_str_t                   path;
    time_t                      max_age;
    ngx_uint_t                  samesite;
    ngx_uint_t                  secure;
    ngx_str_t                   rest[2];       /* of the line of a new value,
                                                  behind it; with "Secure" */
} ngx_http_ux_cookie_t;


typedef struct {
    ngx_http_ux_cookie_t       *cookie;
    ngx_array_t                 headers;       /* ngx_str_t, "X_UX_VARIANT" */
    uint64_t                    lengths;       /* ngx_http_ux_length() */
    ngx_uint_t                  bots;
    ngx_flag_t                  confirm;
    unsigned                    active:1;
} ngx_http_ux_srv_conf_t;


#define NGX_HTTP_UX_BOTS_EXCLUDE  0
#define NGX_HTTP_UX_BOTS_COUNT    1


typedef struct {
    ngx_http_ux_expose_t       *expose;        /* NULL: not in force */
    ngx_array_t                *events;        /* ngx_http_ux_event_t * */
    ngx_http_complex_value_t   *visitor_key;
    ngx_http_complex_value_t   *consent;
    ngx_http_complex_value_t   *override;
    ngx_http_complex_value_t   *debug;
    ngx_array_t                *exclude;       /* ngx_http_complex_value_t */
    ngx_flag_t                  gpc;
    ngx_str_t                   header;        /* name sent upstream, and */
    u_char                     *header_lowcase;    /* what nginx keeps of */
    ngx_uint_t                  header_hash;       /* names */
    ngx_uint_t                  stats;
    ngx_http_ux_collect_t      *collect;
    unsigned                    plain:1;       /* exposes, tells, asks for,
                                                  answers nothing itself */
    unsigned                    quiet:1;       /* plain, and neither
                                                  ux_consent nor ux_debug */
} ngx_http_ux_loc_conf_t;


#define NGX_HTTP_UX_STATS_OFF    0
#define NGX_HTTP_UX_STATS_LOCAL  1
#define NGX_HTTP_UX_STATS_ANY    2


extern ngx_module_t  ngx_http_ux_module;
extern ngx_module_t  ngx_http_ux_late_filter_module;


/* ngx_http_ux_conf.c: setters of the directive table */
char *ngx_http_ux_expose(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_ux_secret(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_ux_header(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_ux_bots(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_ux_variable_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_ux_stats(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* Is word `n` a parameter ("key=...", or alike as a whole) given before? */
ngx_uint_t ngx_http_ux_word_twice(ngx_conf_t *cf, ngx_uint_t n);

/*
 * Finds experiments and events named by ux_expose and ux_event, once all of
 * http {} is parsed.
 */
ngx_int_t ngx_http_ux_conf_resolve(ngx_conf_t *cf,
    ngx_http_ux_main_conf_t *mcf);

/* ngx_http_ux_experiment.c, ngx_http_ux_funnel.c, ngx_http_ux_stage.c */
char *ngx_http_ux_experiment(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_ux_funnel(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_ux_stage(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* ngx_http_ux_segment.c */
char *ngx_http_ux_segment(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* Which values an exposure in the turn to come gets: before it is begun. */
void ngx_http_ux_segments(ngx_http_request_t *r, ngx_http_ux_zone_t *zone);

/*
 * ngx_http_ux_metric.c: once all is parsed, goals come first, and experiments
 * without metric lines get funnel steps and revenue.
 */
ngx_int_t ngx_http_ux_metrics_default(ngx_http_ux_zone_t *zone);

/* ngx_http_ux_control.c, ngx_http_ux_event.c */
char *ngx_http_ux_exclude(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_ux_event(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* ngx_http_ux_cookie.c */
char *ngx_http_ux_cookie(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
ngx_http_ux_cookie_t *ngx_http_ux_cookie_default(ngx_conf_t *cf);
ngx_int_t ngx_http_ux_cookie_prepare(ngx_conf_t *cf,
    ngx_http_ux_cookie_t *cookie);

/* ngx_http_ux_collect_conf.c */
char *ngx_http_ux_collect(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* Inherits into "if", and refuses what cannot stand beside it. */
char *ngx_http_ux_collect_merge(ngx_conf_t *cf, ngx_http_ux_loc_conf_t *prev,
    ngx_http_ux_loc_conf_t *conf);
ngx_int_t ngx_http_ux_collect_resolve(ngx_conf_t *cf,
    ngx_http_ux_collect_t *collect);

/* ngx_http_ux_variant.c, ngx_http_ux_header.c: once all is parsed */
ngx_int_t ngx_http_ux_variants_prepare(ngx_conf_t *cf,
    ngx_http_ux_main_conf_t *mcf);
ngx_int_t ngx_http_ux_header_prepare(ngx_conf_t *cf,
    ngx_http_ux_loc_conf_t *lcf);
void ngx_http_ux_header_name(ngx_str_t *name, u_char *cgi);

/* ngx_http_ux_variable.c */
ngx_int_t ngx_http_ux_add_variables(ngx_conf_t *cf);
void ngx_http_ux_variables_room(ngx_conf_t *cf, ngx_array_t *names);
ngx_int_t ngx_http_ux_add_experiment_variables(ngx_conf_t *cf,
    ngx_http_ux_zone_t *zone, ngx_uint_t index);

/* ngx_http_ux_zone_conf.c */
char *ngx_http_ux_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
ngx_http_ux_zone_t *ngx_http_ux_zone_find(ngx_conf_t *cf, ngx_str_t *name);
void ngx_http_ux_place(ngx_conf_t *cf, ngx_http_ux_place_t *place);

/* ngx_http_ux_zone.c */
ngx_int_t ngx_http_ux_zone_init(ngx_shm_zone_t *shm_zone, void *data);
ngx_int_t ngx_http_ux_init_process(ngx_cycle_t *cycle);
void ngx_http_ux_exit_process(ngx_cycle_t *cycle);

/* This and ngx_http_ux_snapshot_start(): mcf NULL stops the timer. */
void ngx_http_ux_look_start(ngx_cycle_t *cycle,
    ngx_http_ux_main_conf_t *mcf);

/* ngx_http_ux_history.c; mcf NULL likewise */
void ngx_http_ux_history_start(ngx_cycle_t *cycle,
    ngx_http_ux_main_conf_t *mcf);

/* ngx_http_ux_commit.c */
ngx_http_ux_snapshot_t *ngx_http_ux_snapshot_create(ngx_conf_t *cf);
ngx_int_t ngx_http_ux_init_module(ngx_cycle_t *cycle);

/* ngx_http_ux_snapshot.c */
void ngx_http_ux_exit_master(ngx_cycle_t *cycle);
void ngx_http_ux_snapshot_start(ngx_cycle_t *cycle,
    ngx_http_ux_main_conf_t *mcf);
void ngx_http_ux_snapshot_leave(ngx_http_ux_zone_t *zone,
    ngx_cycle_t *cycle);

/*
 * ngx_http_ux_reload.c: says what becomes of the experiments; how many lines
 * that took.  `now` has its store, from which epochs are told.
 */
ngx_uint_t ngx_http_ux_reload(const ux_model_t *was, ngx_http_ux_zone_t *now,
    ngx_log_t *log);

/* At notice level; by "nginx -t" to the terminal alone: nothing happened. */
void ngx_cdecl ngx_http_ux_notice(ngx_log_t *log, const char *format, ...);

/* ngx_http_ux_secret.c */
ngx_int_t ngx_http_ux_random(uint8_t *buf, size_t len);
ngx_int_t ngx_http_ux_secret_read(ngx_conf_t *cf, ngx_str_t *file,
    ngx_array_t *keys);
void ngx_http_ux_secret_open(ngx_http_ux_zone_t *zone, ngx_log_t *log);
void ngx_http_ux_secret_keep(ngx_http_ux_zone_t *zone, ngx_log_t *log);

/* nginx's and the core's byte strings are the same bytes. */
static ngx_inline ux_str_t
ngx_http_ux_str(ngx_str_t s)
{
    ux_str_t  str;

    str.data = (const char *) s.data;
    str.len = s.len;

    return str;
}


static ngx_inline uint64_t
ngx_http_ux_now_ms(void)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    return (uint64_t) tp->sec * 1000 + tp->msec;
}


#endif
