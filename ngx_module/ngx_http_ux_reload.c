
/*
 * Copyright (C) the nginx-ux authors
 *
 * What a reload changes, said in the log before it happens.  Reads only: the
 * reload may fail yet.
 */

#include "ngx_http_ux_module.h"


static void ngx_http_ux_reload_experiment(ngx_http_ux_zone_t *zone,
    ux_experiment_t *was, ux_experiment_t *now, ngx_log_t *log);
static ux_experiment_t *ngx_http_ux_reload_find(ngx_http_ux_zone_t *zone,
    ux_experiment_t *e);
static ngx_uint_t ngx_http_ux_reload_epoch(ngx_http_ux_zone_t *zone,
    ux_experiment_t *e);


void
ngx_http_ux_reload(ngx_http_ux_zone_t *was, ngx_http_ux_zone_t *now,
    ngx_log_t *log)
{
    ngx_str_t         name;
    ngx_uint_t        i;
    ux_experiment_t  *e, *old;

    e = now->experiments.elts;

    for (i = 0; i < now->experiments.nelts; i++) {
        old = ngx_http_ux_reload_find(was, &e[i]);
        ngx_http_ux_reload_experiment(now, old, &e[i], log);
    }

    e = was->experiments.elts;

    for (i = 0; i < was->experiments.nelts; i++) {

        if (ngx_http_ux_reload_find(now, &e[i]) == NULL) {
            name.data = (u_char *) e[i].name.data;
            name.len = e[i].name.len;

            ngx_log_error(NGX_LOG_NOTICE, log, 0,
                          "ux_experiment \"%V\" version %uD: removed, its "
                          "results stay in /uxstats for %uL days",
                          &name, e[i].version,
                          now->model.removed_ms / 86400000);
        }
    }
}


static void
ngx_http_ux_reload_experiment(ngx_http_ux_zone_t *zone, ux_experiment_t *was,
    ux_experiment_t *now, ngx_log_t *log)
{
    double      movers;
    ngx_str_t   name;
    ngx_uint_t  hundredths;

    name.data = (u_char *) now->name.data;
    name.len = now->name.len;

    if (was == NULL) {
        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "ux_experiment \"%V\" version %uD: new, everybody is "
                      "assigned for the first time", &name, now->version);
        return;
    }

    if (ux_experiment_fingerprint(was) != ux_experiment_fingerprint(now)) {
        movers = ux_experiment_movers(was, now);
        hundredths = (ngx_uint_t) (movers * 10000.0 + 0.5);

        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "ux_experiment \"%V\": epoch %ui begins, %ui.%02ui%% of "
                      "%s get another variant", &name,
                      ngx_http_ux_reload_epoch(zone, now) + 1,
                      hundredths / 100, hundredths % 100,
                      now->sticky ? "visitors not yet recorded"
                                  : "all visitors");
    }

    if (was->state != now->state || was->serve != now->serve
        || was->start_ms != now->start_ms || was->stop_ms != now->stop_ms)
    {
        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "ux_experiment \"%V\": state, serve, start or stop "
                      "changed, no variant is assigned anew", &name);
    }
}


static ux_experiment_t *
ngx_http_ux_reload_find(ngx_http_ux_zone_t *zone, ux_experiment_t *e)
{
    ngx_uint_t        i;
    ux_experiment_t  *other;

    other = zone->experiments.elts;

    for (i = 0; i < zone->experiments.nelts; i++) {
        if (other[i].version == e->version
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
