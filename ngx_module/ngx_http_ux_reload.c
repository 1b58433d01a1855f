
/*
 * Copyright (C) the nginx-ux authors
 *
 * What a reload changes, said in the log before it happens.  Reads only: the
 * reload may fail yet.
 *
 * "nginx -t" says the same of the newest snapshot: what a reload would change
 * of the server that wrote it, or a start of what that one left.
 */

#include "ngx_http_ux_snapshot.h"


static uint64_t ngx_http_ux_reload_there(ux_counter_t *counter);
static ngx_uint_t ngx_http_ux_reload_experiment(ngx_http_ux_zone_t *zone,
    ux_experiment_t *was, ux_experiment_t *now, ngx_uint_t restarts,
    ngx_log_t *log);
static void ngx_http_ux_reload_new(ngx_http_ux_zone_t *zone,
    ux_experiment_t *e, ngx_log_t *log);
static void ngx_http_ux_reload_removed(ngx_http_ux_zone_t *zone,
    ux_experiment_t *e, ngx_log_t *log);
static ux_experiment_t *ngx_http_ux_reload_find(const ux_model_t *model,
    ux_experiment_t *e, ngx_uint_t version);
static ngx_uint_t ngx_http_ux_reload_epoch(ngx_http_ux_zone_t *zone,
    ux_experiment_t *e);


ngx_uint_t
ngx_http_ux_reload(const ux_model_t *was, ngx_http_ux_zone_t *now,
    ngx_log_t *log)
{
    ngx_uint_t        i, n, restarts;
    ux_experiment_t  *e, *old;

    n = 0;
    e = now->model.experiments;

    for (i = 0; i < now->model.nexperiments; i++) {
        old = ngx_http_ux_reload_find(was, &e[i], 1);

        if (old == NULL) {
            ngx_http_ux_reload_new(now, &e[i], log);
            n++;
            continue;
        }

        restarts = ux_experiment_analysis(old, was->events)
                   != ux_experiment_analysis(&e[i], now->model.events);

        n += ngx_http_ux_reload_experiment(now, old, &e[i], restarts, log);
    }

    e = was->experiments;

    for (i = 0; i < was->nexperiments; i++) {
        if (ngx_http_ux_reload_find(&now->model, &e[i], 1) == NULL) {
            ngx_http_ux_reload_removed(now, &e[i], log);
            n++;
        }
    }

    return n;
}


/* The zone holds what is in the directory, and is nobody's. */
void
ngx_http_ux_reload_test(ngx_http_ux_zone_t *zone, ngx_log_t *log)
{
    uint64_t                 now_ms, there;
    ngx_http_ux_snapshot_t  *s;

    s = zone->files;
    there = ngx_http_ux_reload_there(&zone->store.counter);

    /* who came in later has taken the place of others */

    if (there < s->restored) {
        ngx_http_ux_notice(log, "ux_zone \"%V\": no room for %uL of these "
                           "visitors", &zone->name, s->restored - there);
    }

    if (s->model == NULL) {
        ngx_http_ux_notice(log, "ux_zone \"%V\": no snapshot in \"%V\" to "
                           "compare the configuration with", &zone->name,
                           &zone->snapshot);
        return;
    }

    now_ms = ngx_http_ux_now_ms();

    ngx_http_ux_notice(log, "ux_zone \"%V\": compared with the snapshot of "
                       "%uL s ago", &zone->name,
                       (now_ms > s->model_ms) ? (now_ms - s->model_ms) / 1000
                                              : 0);

    if (ngx_http_ux_reload(&s->model->model, zone, log) == 0) {
        ngx_http_ux_notice(log, "ux_zone \"%V\": no experiment changes",
                           &zone->name);
    }
}


static uint64_t
ngx_http_ux_reload_there(ux_counter_t *counter)
{
    return ux_counter_read(counter, UX_ZONE_INSERTED)
           - ux_counter_read(counter, UX_ZONE_EVICTED)
           - ux_counter_read(counter, UX_ZONE_EXPIRED)
           - ux_counter_read(counter, UX_ZONE_ERASED);
}


/* To be said as if it had happened, of what would. */
void ngx_cdecl
ngx_http_ux_notice(ngx_log_t *log, const char *format, ...)
{
    u_char   line[NGX_MAX_ERROR_STR], *p;
    va_list  args;

    va_start(args, format);
    p = ngx_vslprintf(line, line + sizeof(line) - 1, format, args);
    va_end(args);

    *p = '\0';

    if (!ngx_test_config) {
        ngx_log_error(NGX_LOG_NOTICE, log, 0, "%s", line);

    } else if (!ngx_quiet_mode) {
        ngx_log_stderr(0, "[notice] %s", line);
    }
}


/* The hash alone tells who moves, so that targets are not in the share. */
static ngx_uint_t
ngx_http_ux_reload_experiment(ngx_http_ux_zone_t *zone, ux_experiment_t *was,
    ux_experiment_t *now, ngx_uint_t restarts, ngx_log_t *log)
{
    double      movers;
    ngx_str_t   name;
    ngx_uint_t  n, hundredths;

    n = 0;
    name.data = (u_char *) now->name.data;
    name.len = now->name.len;

    if (restarts
        || ux_experiment_fingerprint(was) != ux_experiment_fingerprint(now))
    {
        movers = ux_experiment_movers(was, now);
        hundredths = (ngx_uint_t) (movers * 10000.0 + 0.5);

        ngx_http_ux_notice(log, "ux_experiment \"%V\": epoch %ui begins, "
                           "%ui.%02ui%% of %s get another variant%s%s", &name,
                           ngx_http_ux_reload_epoch(zone, now) + 1,
                           hundredths / 100, hundredths % 100,
                           now->sticky ? "visitors not yet recorded"
                                       : "all visitors",
                           (was->targeting != now->targeting)
                           ? ", and those whom other targets admit" : "",
                           restarts ? ", the primary result restarts: goal, "
                                      "alpha, planned, window, cap or control "
                                      "changed"
                                    : "");
        n++;
    }

    if (was->state != now->state || was->serve != now->serve
        || was->start_ms != now->start_ms || was->stop_ms != now->stop_ms)
    {
        ngx_http_ux_notice(log, "ux_experiment \"%V\": state, serve, start "
                           "or stop changed, no variant is assigned anew",
                           &name);
        n++;
    }

    return n;
}


static void
ngx_http_ux_reload_new(ngx_http_ux_zone_t *zone, ux_experiment_t *e,
    ngx_log_t *log)
{
    ngx_str_t  name;

    name.data = (u_char *) e->name.data;
    name.len = e->name.len;

    ngx_http_ux_notice(log, "ux_experiment \"%V\" version %uD: %s", &name,
                       e->version,
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

    if (ngx_http_ux_reload_find(&zone->model, e, 0) != NULL) {
        ngx_http_ux_notice(log, "ux_experiment \"%V\" version %uD: replaced "
                           "by another version", &name, e->version);
        return;
    }

    ngx_http_ux_notice(log, "ux_experiment \"%V\" version %uD: removed, its "
                       "results stay in /uxstats for %uL %s", &name,
                       e->version,
                       (seconds < 86400) ? seconds : seconds / 86400,
                       (seconds < 86400) ? "s" : "days");
}


/* That of the same name, and of the same version if `version`. */
static ux_experiment_t *
ngx_http_ux_reload_find(const ux_model_t *model, ux_experiment_t *e,
    ngx_uint_t version)
{
    ngx_uint_t        i;
    ux_experiment_t  *other;

    other = model->experiments;

    for (i = 0; i < model->nexperiments; i++) {
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
