
/*
 * Copyright (C) the nginx-ux authors
 *
 * What a reload changes, said in the log before it happens.  Reads only: the
 * reload may fail yet.
 */

#include "ngx_http_ux_module.h"


static void ngx_http_ux_reload_experiment(ngx_http_ux_zone_t *zone,
    ux_experiment_t *was, ux_experiment_t *now, ngx_uint_t restarts,
    ngx_log_t *log);
static void ngx_http_ux_reload_new(ngx_http_ux_zone_t *zone,
    ux_experiment_t *e, ngx_log_t *log);
static void ngx_http_ux_reload_removed(ngx_http_ux_zone_t *zone,
    ux_experiment_t *e, ngx_log_t *log);
static ux_experiment_t *ngx_http_ux_reload_find(ngx_http_ux_zone_t *zone,
    ux_experiment_t *e, ngx_uint_t version);
static ngx_uint_t ngx_http_ux_reload_epoch(ngx_http_ux_zone_t *zone,
    ux_experiment_t *e);


void
ngx_http_ux_reload(ngx_http_ux_zone_t *was, ngx_http_ux_zone_t *now,
    ngx_log_t *log)
{
    ngx_uint_t        i, restarts;
    ux_experiment_t  *e, *old;

    e = now->experiments.elts;

    for (i = 0; i < now->experiments.nelts; i++) {
        old = ngx_http_ux_reload_find(was, &e[i], 1);

        if (old == NULL) {
            ngx_http_ux_reload_new(now, &e[i], log);
            continue;
        }

        restarts = ux_experiment_analysis(old, was->model.events)
                   != ux_experiment_analysis(&e[i], now->model.events);

        ngx_http_ux_reload_experiment(now, old, &e[i], restarts, log);
    }

    e = was->experiments.elts;

    for (i = 0; i < was->experiments.nelts; i++) {
        if (ngx_http_ux_reload_find(now, &e[i], 1) == NULL) {
            ngx_http_ux_reload_removed(now, &e[i], log);
        }
    }
}


/* The hash alone tells who moves, so that targets are not in the share. */
static void
ngx_http_ux_reload_experiment(ngx_http_ux_zone_t *zone, ux_experiment_t *was,
    ux_experiment_t *now, ngx_uint_t restarts, ngx_log_t *log)
{
    double      movers;
    ngx_str_t   name;
    ngx_uint_t  hundredths;

    name.data = (u_char *) now->name.data;
    name.len = now->name.len;

    if (restarts
        || ux_experiment_fingerprint(was) != ux_experiment_fingerprint(now))
    {
        movers = ux_experiment_movers(was, now);
        hundredths = (ngx_uint_t) (movers * 10000.0 + 0.5);

        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "ux_experiment \"%V\": epoch %ui begins, %ui.%02ui%% of "
                      "%s get another variant%s%s", &name,
                      ngx_http_ux_reload_epoch(zone, now) + 1,
                      hundredths / 100, hundredths % 100,
                      now->sticky ? "visitors not yet recorded"
                                  : "all visitors",
                      (was->targeting != now->targeting)
                      ? ", and those whom other targets admit" : "",
                      restarts ? ", the primary result restarts: goal, alpha,"
                                 " planned, window, cap or control changed"
                               : "");
    }

    if (was->state != now->state || was->serve != now->serve
        || was->start_ms != now->start_ms || was->stop_ms != now->stop_ms)
    {
        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "ux_experiment \"%V\": state, serve, start or stop "
                      "changed, no variant is assigned anew", &name);
    }
}


static void
ngx_http_ux_reload_new(ngx_http_ux_zone_t *zone, ux_experiment_t *e,
    ngx_log_t *log)
{
    ngx_str_t  name;

    name.data = (u_char *) e->name.data;
    name.len = e->name.len;

    ngx_log_error(NGX_LOG_NOTICE, log, 0, "ux_experiment \"%V\" version %uD: "
                  "%s", &name, e->version,
                  ngx_http_ux_reload_epoch(zone, e)
                  ? "back again, with the results and visitors it had"
                  : "new, everybody is assigned for the first time");
}


static void
ngx_http_ux_reload_removed(ngx_http_ux_zone_t *zone, ux_experiment_t *e,
    ngx_log_t *log)
{
    uint64_t    seconds;
    ngx_str_t   name;

    name.data = (u_char *) e->name.data;
    name.len = e->name.len;
    seconds = zone->model.removed_ms / 1000;

    if (ngx_http_ux_reload_find(zone, e, 0) != NULL) {
        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "ux_experiment \"%V\" version %uD: replaced by another "
                      "version", &name, e->version);
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, log, 0,
                  "ux_experiment \"%V\" version %uD: removed, its results "
                  "stay in /uxstats for %uL %s", &name, e->version,
                  (seconds < 86400) ? seconds : seconds / 86400,
                  (seconds < 86400) ? "s" : "days");
}


/* That of the same name, and of the same version if `version`. */
static ux_experiment_t *
ngx_http_ux_reload_find(ngx_http_ux_zone_t *zone, ux_experiment_t *e,
    ngx_uint_t version)
{
    ngx_uint_t        i;
    ux_experiment_t  *other;

    other = zone->experiments.elts;

    for (i = 0; i < zone->experiments.nelts; i++) {
        if ((other[i].version == e->version || !version)
            && ux_str_equal(other[i].name, e->name))
        {
            return &other[i];
        }
    }

    return NULL;
}


/* Number of its newest epoch. */
static ngx_uint_t
ngx_http_ux_reload_epoch(ngx_http_ux_zone_t *zone, ux_experiment_t *e)
{
    ux_claim_t         claim;
    const ux_entry_t  *entry;

    ngx_memzero(&claim, sizeof(ux_claim_t));

    claim.kind = UX_ENTRY_EXPERIMENT;
    claim.name = e->name;
    claim.parent = UX_PARENT_NONE;
    claim.value = e->version;

    entry = ux_registry_find(zone->store.registry, &claim);

    if (entry != NULL) {
        entry = ux_registry_epoch(zone->store.registry, entry->ordinal);
    }

    return (entry == NULL) ? 0 : entry->aux;
}
