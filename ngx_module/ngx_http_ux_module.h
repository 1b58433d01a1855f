
/*
 * Copyright (C) the nginx-ux authors
 *
 * Types shared by the files of the module: configurations and the state of
 * one request.
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


/* OpenFeature's words, for $ux_reason_... */
typedef enum {
    NGX_HTTP_UX_REASON_DEFAULT = 0,
    NGX_HTTP_UX_REASON_SPLIT,
    NGX_HTTP_UX_REASON_CACHED,
    NGX_HTTP_UX_REASON_TARGETING,
    NGX_HTTP_UX_REASON_DISABLED,
    NGX_HTTP_UX_REASON_STATIC,
    NGX_HTTP_UX_REASON_ERROR
} ngx_http_ux_reason_e;


/* so many experiments need no memory of their own in a request */
#define NGX_HTTP_UX_FEW  8


/* What the request gets of one experiment. */
typedef struct {
    int8_t                      variant;       /* index, UX_VARIANT_NONE */
    int8_t                      recorded;      /* the same, of the record */
    uint8_t                     reason;
    unsigned                    known:1;       /* variant and reason are set */
    unsigned                    has_record:1;
    unsigned                    member:1;      /* assigned before, whether or
                                                  not `recorded` holds */
    unsigned                    steady:1;      /* a further page changes
                                                  nothing of its record */
    uint16_t                    arm;           /* of that */
} ngx_http_ux_choice_t;


/* What a connection keeps of its visitor's record. */
typedef struct {
    uint32_t                    at;            /* where in the table it was
                                                  last seen, */
    ux_seen_t                   seen;          /*   and as what: while */
    ux_outline_t                outline;       /*   ux_table_same() says so */
} ngx_http_ux_kept_t;


/* What the request's header said of itself. */
typedef struct {
    unsigned                    dest:1;        /* Sec-Fetch-Dest is there */
    unsigned                    document:1;
    unsigned                    site:1;        /* Sec-Fetch-Site is there */
    unsigned                    cross_site:1;
    unsigned                    foreign:1;     /* Origin is not our host */
} ngx_http_ux_said_t;


/* An event, or a metric of a page, waiting for the header filter. */
typedef struct {
    ux_event_t                  event;
    ux_vital_t                  vital;         /* instead, if is_vital */
    ngx_http_ux_zone_t         *zone;
    ngx_str_t                   name;          /* of an event */
    ux_key_t                    key;           /* visitor, if named */
    unsigned                    accepted:1;
    unsigned                    is_vital:1;
    unsigned                    named:1;
} ngx_http_ux_pending_t;


/* What a beacon told, by whether it named the visitor. */
typedef struct {
    ngx_array_t                *pending[2];    /* ngx_http_ux_pending_t */
    ngx_uint_t                  bad[2];
    ngx_uint_t                  unknown[2];

    ngx_str_t                   body;
    size_t                      room;          /* behind body.data */
    unsigned                    read:1;        /* what is above holds */
} ngx_http_ux_beacon_t;


/*
 * State of one main request.  Module contexts are zeroed by internal
 * redirects, so it also hangs on a pool cleanup handler.
 */
typedef struct {
    ngx_pool_cleanup_t          cleanup;
    ngx_http_ux_loc_conf_t     *decider;       /* first location with
                                                  ux_expose in force */
    ngx_http_ux_loc_conf_t     *location;      /* the last one entered */
    ngx_array_t                *entered;       /* ngx_http_ux_loc_conf_t * */
    ngx_http_upstream_t        *collected;     /* its X-UX-Event was read */
    ngx_array_t                *pending;       /* ngx_http_ux_pending_t */
    ngx_array_t                 few[2];        /* these two, mostly */
    ngx_http_ux_loc_conf_t     *few_entered[1];
    ngx_http_ux_pending_t       few_pending[1];
    ngx_http_ux_collect_t      *collect;       /* the request is a beacon */
    ngx_http_ux_beacon_t       *beacon;
    ngx_table_elt_t            *header;        /* ours, sent upstream */

    ngx_http_ux_zone_t         *zone;
    ux_str_t                    key;           /* len 0: no visitor */
    ux_key_t                    hash;
    uint64_t                    cookie_hash;   /* 0: not to be remembered */
    ux_seen_t                   seen;          /* its record, if `steady` */
    ngx_http_ux_kept_t         *kept;          /* NULL: nothing */
    ux_cookie_t                 cookie;        /* that came, if `returned` */
    ngx_http_ux_choice_t       *choices;       /* of all zones, mostly: */
    ngx_http_ux_choice_t        few_choices[NGX_HTTP_UX_FEW];
    uint32_t                    chosen;        /* mask of zones whose record
                                                  was read for choices */
    uint16_t                   *arms;          /* exposed, UX_ARM_NONE ends:
                                                  mostly these */
    uint16_t                    few_arms[NGX_HTTP_UX_FEW];
    ngx_str_t                   set_cookie;
    ngx_str_t                   override;      /* "experiment:variant, ..." */
    ux_str_t                    cookie_id;     /* beside a key: of a valid
                                                  cookie */
    ux_key_t                    alias;         /* key to be joined to it */
    uint32_t                    shown;         /* discarded, for ux_debug */
    uint32_t                    cookie_day;
    ngx_str_t                   events;        /* "$ux_events" */

    ngx_uint_t                  method;        /* the client's */
    uint32_t                    discarded;     /* mask of ux_discard_e */

    unsigned                    stripped:1;    /* client's headers are */
    unsigned                    determining:1;
    unsigned                    determined:1;
    unsigned                    headers_read:1;
    unsigned                    navigation:1;
    unsigned                    prefetch:1;
    unsigned                    gpc:1;         /* Sec-GPC: 1 */
    unsigned                    no_consent:1;
    unsigned                    excluded:1;
    unsigned                    overridden:1;
    unsigned                    expire:1;      /* take our cookie back */
    unsigned                    cookie_seen:1; /* valid or not */
    unsigned                    aliases:1;     /* `alias` has to be made */
    unsigned                    joined:1;      /* key is the cookie's name */
    unsigned                    cross_site:1;
    unsigned                    bot:1;
    unsigned                    bot_known:1;
    unsigned                    keyed:1;       /* key from ux_visitor_key */
    unsigned                    returned:1;    /* valid cookie came in */
    unsigned                    known:1;       /* and has confirmed before */
    unsigned                    outdated:1;    /* not by the first key */
    unsigned                    minted:1;
    unsigned                    transient:1;   /* key for this request only */
    unsigned                    confirm:1;     /* wait for the cookie */
    unsigned                    wanted:1;      /* exposure or event location */
    unsigned                    recorded:1;
    unsigned                    waits:1;       /* prefetched: exposed yet? */
    unsigned                    barred:1;      /* neither exposes nor tells */
    unsigned                    exposed:1;     /* to one experiment at least */
    unsigned                    creates:1;     /* a record may be made */
    unsigned                    turned:1;      /* had its turn in `zone` */
    unsigned                    record_read:1; /* zone->outline holds it now */
    unsigned                    steady:1;      /* a further page changes
                                                  nothing of what was seen */
    unsigned                    idle:1;        /* its cookie alone, now, would
                                                  change nothing in it */
    unsigned                    stats:1;       /* served by ux_stats */
} ngx_http_ux_ctx_t;


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

/* ngx_http_ux_request.c: phases, and the state of a request */
ngx_int_t ngx_http_ux_post_read_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_ux_rewrite_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_ux_precontent_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_ux_log_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_ux_filter_init(ngx_conf_t *cf);

/*
 * The main request's state (see ngx_http_ux_ctx()) where its context does not
 * have it.  A request that changes nothing, of a location that is quiet, has
 * none.
 */
ngx_http_ux_ctx_t *ngx_http_ux_ctx_find(ngx_http_request_t *r,
    ngx_uint_t create);

/* Adds the events of the location just entered, and X-UX-Event so far. */
void ngx_http_ux_enter(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx);

void ngx_http_ux_discard(ngx_http_ux_ctx_t *ctx, ux_discard_e why);

/* ngx_http_ux_visitor.c */

/*
 * Determines the visitor of the main request, once; a new cookie is made only
 * if `mint`, and the request may have one.
 */
void ngx_http_ux_determine(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_uint_t mint);
ngx_http_ux_zone_t *ngx_http_ux_request_zone(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx);

/* First location entered with ux_expose in force, else where we are. */
ngx_http_ux_loc_conf_t *ngx_http_ux_decider(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx);

/* Looks at the cookie only: a known visitor may be confirmed by it. */
void ngx_http_ux_recognize(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx);

/* ngx_http_ux_mint.c */

/* A new visitor, and our cookie for it; NGX_ERROR: said, and there is none. */
ngx_int_t ngx_http_ux_mint(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx);

/* The cookie that came, signed by the first key, if that can be. */
void ngx_http_ux_resign(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx);

/* A key for this request only; NGX_ERROR: no memory. */
ngx_int_t ngx_http_ux_transient(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx);

/* ngx_http_ux_idle.c */

/*
 * Is all that the request could do, in a location that neither exposes nor
 * tells events, to come with the cookie of a confirmed visitor who was here a
 * moment ago?  Then nothing is to be recorded.  Else nothing has happened but
 * that its zone is known.
 */
ngx_uint_t ngx_http_ux_idle(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx);

/* Is the answer's one that needs no state?  See ngx_http_ux_ctx_find(). */
ngx_uint_t ngx_http_ux_idle_quiet(ngx_http_request_t *r);

/* Does the record know the cookie?  The glance tells, and ctx->idle. */
ngx_int_t ngx_http_ux_idle_glance(ngx_http_ux_ctx_t *ctx);

/* ngx_http_ux_memo.c */

/*
 * The request's cookie, its form looked at and hashed, as an earlier request
 * on the connection had it.  NGX_DECLINED: that one had none, or others.
 */
ngx_int_t ngx_http_ux_memo_find(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx);

/*
 * Is it that of a confirmed visitor who was here a moment ago?  As told by
 * what an earlier request left, and a glance at the record.
 */
ngx_uint_t ngx_http_ux_memo_idle(ngx_http_request_t *r,
    ngx_http_ux_zone_t *zone);

/* Keeps it: `value` is the first of our cookies in the only line of them. */
void ngx_http_ux_memo_keep(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx);

/* ngx_http_ux_said.c */

/* Navigation, prefetch, cross-site: what the request's header says. */
void ngx_http_ux_read_headers(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx);

ngx_uint_t ngx_http_ux_barred_bot(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx);
ngx_uint_t ngx_http_ux_is_bot(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx);

/* ngx_http_ux_control.c */
char *ngx_http_ux_exclude(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* What the operator's variables say: consent, exclusion, override. */
void ngx_http_ux_control(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_loc_conf_t *lcf);

/* True: neither empty nor "0".  What cannot be evaluated is not. */
ngx_uint_t ngx_http_ux_is_true(ngx_http_request_t *r,
    ngx_http_complex_value_t *cv);

/* X-UX-Debug, where ux_debug is true. */
void ngx_http_ux_debug_send(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx);

/* ngx_http_ux_variant.c */

ngx_str_t *ngx_http_ux_reason(ngx_uint_t reason);
ngx_uint_t ngx_http_ux_counts(ngx_http_ux_choice_t *choice);
ngx_uint_t ngx_http_ux_override_check(ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone);

/* Room for all, and what the zone's record of the visitor says, once. */
ngx_int_t ngx_http_ux_choices(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone);

/* See ngx_http_ux_choose(), where it was not made yet. */
ngx_http_ux_choice_t *ngx_http_ux_choose_new(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone, ngx_uint_t experiment);

/* The words of the header, once a configuration is whole. */
ngx_int_t ngx_http_ux_variants_prepare(ngx_conf_t *cf,
    ngx_http_ux_main_conf_t *mcf);

/* "checkout_layout=one_page, banner=blue" for the exposed experiments. */
ngx_int_t ngx_http_ux_variants(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_str_t *value);

/* ngx_http_ux_header.c */
void ngx_http_ux_header_strip(ngx_http_request_t *r, ngx_array_t *names);
void ngx_http_ux_header_unlink(ngx_list_t *list, ngx_list_part_t *prev,
    ngx_list_part_t *part, ngx_uint_t i, ngx_pool_t *pool);
ngx_int_t ngx_http_ux_header_send(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx);
void ngx_http_ux_header_name(ngx_str_t *name, u_char *cgi);
ngx_int_t ngx_http_ux_header_prepare(ngx_conf_t *cf,
    ngx_http_ux_loc_conf_t *lcf);

/* Walks the lines of one name in a list of headers; hash 0 is taken out. */
typedef struct {
    ngx_list_part_t            *part;
    ngx_uint_t                  i;
    ngx_str_t                  *name;
} ngx_http_ux_lines_t;

ngx_table_elt_t *ngx_http_ux_lines_first(ngx_http_ux_lines_t *lines,
    ngx_list_t *list, ngx_str_t *name);
ngx_table_elt_t *ngx_http_ux_lines_next(ngx_http_ux_lines_t *lines);

/* ngx_http_ux_upstream.c */

/* Reads X-UX-Event of the current upstream response, once each. */
void ngx_http_ux_upstream_collect(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx);
void ngx_http_ux_upstream_strip(ngx_http_request_t *r);

/* NGX_OK: the answer was in the cache; NGX_DECLINED: not; NGX_ERROR: none. */
ngx_int_t ngx_http_ux_upstream_cache(ngx_http_request_t *r);

/* ngx_http_ux_event.c */
char *ngx_http_ux_event(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
ngx_uint_t ngx_http_ux_event_happened(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_http_ux_event_t *event);
ngx_int_t ngx_http_ux_event_evaluate(ngx_http_request_t *r,
    ngx_http_ux_event_t *event, ux_event_t *out);
ngx_int_t ngx_http_ux_event_fill(ngx_http_ux_zone_t *zone, ux_event_t *event,
    ux_str_t value, ux_str_t currency, ux_str_t id);

/* ngx_http_ux_record.c */

/* Exposures, confirmation, events of the request, in one turn. */
void ngx_http_ux_record(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_uint_t with_events);

/* A place, zeroed, for one more event of the request; NULL: no memory. */
ngx_http_ux_pending_t *ngx_http_ux_pending_push(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx);

/* The visitor's key as this zone hashes it. */
ux_key_t ngx_http_ux_zone_key(ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone);

/* The first reason for which nothing of the request counts, if any. */
ux_discard_e ngx_http_ux_barred_why(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx);


/* ngx_http_ux_log.c */
/* When the request is over: how it ended, how long it took. */
void ngx_http_ux_log(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx);

/* The same of a request without a state, of this zone. */
void ngx_http_ux_log_quiet(ngx_http_request_t *r, ngx_http_ux_zone_t *zone);

/* ngx_http_ux_turn.c */
void ngx_http_ux_turn(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone);

/* The zone had no room; said once a minute. */
void ngx_http_ux_turn_full(ngx_http_request_t *r, ngx_http_ux_zone_t *zone);

/*
 * ngx_http_ux_again.c: a request that changes nothing of its visitor's record
 * but when it was last seen; NGX_DECLINED: it is none, and takes a turn.
 */
ngx_int_t ngx_http_ux_turn_again(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone);

/* ngx_http_ux_visit.c: whether the record changed; settled: of settling it */
ngx_uint_t ngx_http_ux_turn_visit(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone, const uint16_t *settled,
    uint64_t now_ms);
ngx_uint_t ngx_http_ux_turn_error(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone);

/* ngx_http_ux_wanted.c */
ngx_uint_t ngx_http_ux_turn_wanted(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone);

/* Room for the arms of what the decider exposes; NULL: no memory. */
uint16_t *ngx_http_ux_arms(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx);

/* Would this request expose, if nothing barred it? */
ngx_uint_t ngx_http_ux_exposes(ngx_http_ux_ctx_t *ctx);

/* ngx_http_ux_collect_conf.c */
char *ngx_http_ux_collect(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* Inherits into "if", and refuses what cannot stand beside it. */
char *ngx_http_ux_collect_merge(ngx_conf_t *cf, ngx_http_ux_loc_conf_t *prev,
    ngx_http_ux_loc_conf_t *conf);
ngx_int_t ngx_http_ux_collect_resolve(ngx_conf_t *cf,
    ngx_http_ux_collect_t *collect);

/* ngx_http_ux_collect.c */
ngx_int_t ngx_http_ux_collect_handler(ngx_http_request_t *r);

/*
 * What to finalize the request with, whose body was read (NGX_OK) or why it
 * was not.
 */
ngx_int_t ngx_http_ux_collect_answer(ngx_http_request_t *r, ngx_int_t rc);

/* ngx_http_ux_collect_body.c */

/*
 * Reads up to UX_BEACON_MAX bytes of the body into ctx->beacon, then calls
 * ngx_http_ux_collect_answer().  Returns as a content handler does.
 */
ngx_int_t ngx_http_ux_body_read(ngx_http_request_t *r);

/* ngx_http_ux_beacon.c */

/*
 * The body becomes events that wait for the header filter, all or none.
 * NGX_DECLINED: malformed, the sentence says why; NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_ux_beacon_parse(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ux_error_t *error);

/* What was parsed goes to the visitors it is of. */
void ngx_http_ux_beacon_record(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx);

/* Counts what a beacon told and was not counted, n events of it. */
void ngx_http_ux_beacon_discard(ngx_http_ux_ctx_t *ctx, ux_discard_e why,
    ngx_uint_t n);

/* ngx_http_ux_join.c */

/* Takes the record out of the zone, counters stay. */
void ngx_http_ux_erase(ngx_http_ux_zone_t *zone, ux_key_t key);

/* Login join: the key's alias record; and visitors seen in two variants. */
void ngx_http_ux_join(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx);

/* ngx_http_ux_cookie.c */
char *ngx_http_ux_cookie(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
ngx_http_ux_cookie_t *ngx_http_ux_cookie_default(ngx_conf_t *cf);
ngx_int_t ngx_http_ux_cookie_prepare(ngx_conf_t *cf,
    ngx_http_ux_cookie_t *cookie);
ngx_int_t ngx_http_ux_cookie_make(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_str_t *value, time_t age);
void ngx_http_ux_cookie_expire(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx);
void ngx_http_ux_cookie_send(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    uint64_t there);


/* ngx_http_ux_cache.c */
ngx_int_t ngx_http_ux_cache_filter_init(ngx_conf_t *cf);

/* ngx_http_ux_variable.c */
ngx_int_t ngx_http_ux_add_variables(ngx_conf_t *cf);
void ngx_http_ux_variables_room(ngx_conf_t *cf, ngx_array_t *names);
ngx_int_t ngx_http_ux_add_experiment_variables(ngx_conf_t *cf,
    ngx_http_ux_zone_t *zone, ngx_uint_t index);

/* ngx_http_ux_stats.c */
ngx_int_t ngx_http_ux_stats_handler(ngx_http_request_t *r);

/* ngx_http_ux_stats_access.c */

/* NGX_OK or NGX_DECLINED; stats: NGX_HTTP_UX_STATS_... of the location. */
ngx_int_t ngx_http_ux_stats_allowed(ngx_http_request_t *r, ngx_uint_t stats);

/* ngx_http_ux_render.c */

/* The answer to what was rendered, which lives as long as the request. */
typedef ngx_int_t (*ngx_http_ux_render_pt)(ngx_http_request_t *r,
    ux_export_t *export, void *data);

/*
 * Takes the export over and calls the handler when it is done, in a later turn
 * of the event loop unless it is small.  What a content handler returns.
 */
ngx_int_t ngx_http_ux_render(ngx_http_request_t *r, ux_export_t *export,
    ngx_http_ux_render_pt handler, void *data);


/* nginx's and the core's byte strings are the same bytes. */
static ngx_inline ux_str_t
ngx_http_ux_str(ngx_str_t s)
{
    ux_str_t  str;

    str.data = (const char *) s.data;
    str.len = s.len;

    return str;
}


/*
 * Which lengths the names of a list of headers have, a bit each.  Most names
 * that are looked for are not there, and need no closer look.
 */
#define ngx_http_ux_length(len)  (1ull << ((len) & 63))

static ngx_inline uint64_t
ngx_http_ux_lengths(ngx_list_t *list)
{
    uint64_t          lengths;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h, *last;

    lengths = 0;

    for (part = &list->part; part != NULL; part = part->next) {

        h = part->elts;
        last = h + part->nelts;

        for ( /* void */ ; h < last; h++) {
            lengths |= ngx_http_ux_length(h->key.len);
        }
    }

    return lengths;
}


/* Has any name one of these lengths?  Two at a time: this is most of it. */
static ngx_inline ngx_uint_t
ngx_http_ux_lengths_any(ngx_list_t *list, uint64_t lengths)
{
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h, *last;

    for (part = &list->part; part != NULL; part = part->next) {

        h = part->elts;
        last = h + part->nelts;

        if (part->nelts % 2
            && (lengths & ngx_http_ux_length((h++)->key.len)))
        {
            return 1;
        }

        for ( /* void */ ; h < last; h += 2) {
            if ((lengths & ngx_http_ux_length(h[0].key.len))
                || (lengths & ngx_http_ux_length(h[1].key.len)))
            {
                return 1;
            }
        }
    }

    return 0;
}


/* The client never sees X-UX-Event, wherever it came from. */
static ngx_inline void
ngx_http_ux_upstream_strip_any(ngx_http_request_t *r)
{
    if (ngx_http_ux_lengths_any(&r->headers_out.headers,
                                ngx_http_ux_length(sizeof("X-UX-Event") - 1)))
    {
        ngx_http_ux_upstream_strip(r);
    }
}


/* The main request's state, made if `create`; NULL: none or no memory. */
static ngx_inline ngx_http_ux_ctx_t *
ngx_http_ux_ctx(ngx_http_request_t *r, ngx_uint_t create)
{
    ngx_http_ux_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r->main, ngx_http_ux_module);

    return (ctx != NULL) ? ctx : ngx_http_ux_ctx_find(r->main, create);
}


/* An array that begins with the room for one, in the request's state. */
static ngx_inline ngx_array_t *
ngx_http_ux_few(ngx_http_request_t *r, ngx_array_t *few, void *room,
    size_t size)
{
    few->elts = room;
    few->nelts = 0;
    few->size = size;
    few->nalloc = 1;
    few->pool = r->main->pool;

    return few;
}


/* What the shopper meets as an error: see UX_HTTP_ERRORS. */
static ngx_inline ngx_uint_t
ngx_http_ux_failed(ngx_uint_t method, ngx_uint_t status)
{
    return status >= NGX_HTTP_BAD_REQUEST
           && (status >= NGX_HTTP_INTERNAL_SERVER_ERROR
               || status == NGX_HTTP_REQUEST_TIME_OUT
               || (method == NGX_HTTP_POST
                   && status != NGX_HTTP_CLIENT_CLOSED_REQUEST));
}


/* The choice for one experiment, made when asked; NULL: no memory. */
static ngx_inline ngx_http_ux_choice_t *
ngx_http_ux_choose(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone, ngx_uint_t experiment)
{
    ngx_http_ux_choice_t  *choice;

    if (ctx->choices != NULL) {
        choice = &ctx->choices[zone->first + experiment];

        if (choice->known) {
            return choice;
        }
    }

    return ngx_http_ux_choose_new(r, ctx, zone, experiment);
}


static ngx_inline uint64_t
ngx_http_ux_now_ms(void)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    return (uint64_t) tp->sec * 1000 + tp->msec;
}


#endif
