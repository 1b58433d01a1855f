
/*
 * Copyright (C) the nginx-ux authors
 *
 * The state of a request, what a connection keeps, and the functions that a
 * request passes through.
 */

#ifndef NGX_HTTP_UX_REQUEST_H
#define NGX_HTTP_UX_REQUEST_H


#include "ngx_http_ux_module.h"


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


/* Made of a record alone. */
typedef struct {
    ngx_http_ux_choice_t        choice;
    uint16_t                    experiment;    /* index in zone's model */
} ngx_http_ux_kept_choice_t;


/* What a connection keeps of its visitor's record. */
typedef struct {
    uint32_t                    at;            /* where in the table it was
                                                  last seen, */
    ux_seen_t                   seen;          /*   and as what: while */
    ux_outline_t                outline;       /*   ux_table_same() says so */

    ngx_uint_t                  version;       /* another when these are: */
    ngx_uint_t                  n;             /* choices that followed; 0:
                                                  none are kept */
    ngx_http_ux_kept_choice_t   choices[UX_TRACKS_MAX - 1];
    uint64_t                    from_ms;       /* they hold from this on */

    ngx_http_ux_expose_t       *expose;        /* what was shown by them, all
                                                  of it; NULL: nothing */
    ngx_str_t                   text;          /* of the header */
    u_char                     *buffer;        /* text.data, if of several */
    size_t                      room;
    uint16_t                    arms[UX_TRACKS_MAX];   /* UX_ARM_NONE ends */
    unsigned                    steady:1;      /* each of them is */

    ngx_str_t                   agent;         /* User-Agent, as was sent */
    size_t                      agent_room;
    unsigned                    bot:1;         /* it is one's */
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
    ngx_uint_t                  replayed;      /* version of it that its
                                                  choices are; 0: of none */
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
    unsigned                    unchanged:1;   /* and is what `kept` has */
    unsigned                    steady:1;      /* a further page changes
                                                  nothing of what was seen */
    unsigned                    idle:1;        /* its cookie alone, now, would
                                                  change nothing in it */
    unsigned                    stats:1;       /* served by ux_stats */
} ngx_http_ux_ctx_t;


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

/* ngx_http_ux_kept.c: all of them of ctx->zone */

/* The record is another; those who have its choices may still use them. */
void ngx_http_ux_kept_forget(ngx_http_ux_kept_t *kept);

/* Makes the choices as they were.  NGX_DECLINED: they have to be made. */
ngx_int_t ngx_http_ux_kept_choices(ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone, uint64_t now_ms);

/* Keeps those that were made of the record, and of nothing else. */
void ngx_http_ux_kept_choose(ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone);

/*
 * The header as it was; NGX_DECLINED: it has to be made, NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_ux_kept_variants(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_http_ux_expose_t *expose, ngx_str_t *value);

/* Keeps it. */
void ngx_http_ux_kept_show(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_expose_t *expose, ngx_str_t *value);

/* ngx_http_ux_said.c */

/* Navigation, prefetch, cross-site: what the request's header says. */
void ngx_http_ux_read_headers(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx);

ngx_uint_t ngx_http_ux_barred_bot(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx);
ngx_uint_t ngx_http_ux_is_bot(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx);

/* ngx_http_ux_control.c */
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

/* "checkout_layout=one_page, banner=blue" for the exposed experiments. */
ngx_int_t ngx_http_ux_variants(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_str_t *value);

/* ngx_http_ux_header.c */
void ngx_http_ux_header_strip(ngx_http_request_t *r, ngx_array_t *names);
void ngx_http_ux_header_unlink(ngx_list_t *list, ngx_list_part_t *prev,
    ngx_list_part_t *part, ngx_uint_t i, ngx_pool_t *pool);
ngx_int_t ngx_http_ux_header_send(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx);

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
ngx_int_t ngx_http_ux_cookie_make(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_str_t *value, time_t age);
void ngx_http_ux_cookie_expire(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx);
void ngx_http_ux_cookie_send(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    uint64_t there);

/* ngx_http_ux_cache.c */
ngx_int_t ngx_http_ux_cache_filter_init(ngx_conf_t *cf);

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


/*
 * Is what is kept of `expose` of this request's choices?  Streams of HTTP/2
 * share a connection: while this one waited, another may have kept its own.
 */
static ngx_inline ngx_uint_t
ngx_http_ux_kept_shown(ngx_http_ux_ctx_t *ctx, ngx_http_ux_expose_t *expose)
{
    return ctx->replayed != 0 && ctx->replayed == ctx->kept->version
           && ctx->kept->expose == expose;
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


#endif
