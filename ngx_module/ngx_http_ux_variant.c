
/*
 * Copyright (C) the nginx-ux authors
 *
 * Which variant the request gets of each experiment.
 */

#include "ngx_http_ux_request.h"


static void ngx_http_ux_choose_one(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone, ux_experiment_t *e,
    ngx_http_ux_choice_t *choice);
static void ngx_http_ux_choose_first(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone, ux_experiment_t *e,
    ngx_http_ux_choice_t *choice);
static ngx_uint_t ngx_http_ux_crowded(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone, ngx_uint_t experiment);
static ngx_uint_t ngx_http_ux_overridden(ngx_http_ux_ctx_t *ctx,
    ux_experiment_t *e, ngx_http_ux_choice_t *choice);
static ngx_int_t ngx_http_ux_override_next(ngx_str_t *rest, ux_str_t *name,
    ux_str_t *variant);
static ngx_uint_t ngx_http_ux_targeted(ngx_http_request_t *r,
    ngx_http_ux_zone_t *zone, ngx_uint_t experiment);
static void ngx_http_ux_choices_recorded(ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone);
static ngx_uint_t ngx_http_ux_choices_steady(ngx_http_ux_ctx_t *ctx,
    ux_outline_t *outline);
static ngx_int_t ngx_http_ux_variants_pairs(ngx_conf_t *cf,
    ngx_http_ux_zone_t *zone);


static ngx_str_t  ngx_http_ux_reasons[] = {
    ngx_string("default"),
    ngx_string("split"),
    ngx_string("cached"),
    ngx_string("targeting_match"),
    ngx_string("disabled"),
    ngx_string("static"),
    ngx_string("error")
};


ngx_str_t *
ngx_http_ux_reason(ngx_uint_t reason)
{
    return &ngx_http_ux_reasons[reason];
}


ngx_http_ux_choice_t *
ngx_http_ux_choose_new(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone, ngx_uint_t experiment)
{
    ngx_http_ux_choice_t  *choice;

    if (!ctx->determined || ngx_http_ux_choices(r, ctx, zone) != NGX_OK) {
        return NULL;
    }

    choice = &ctx->choices[zone->first + experiment];

    if (!choice->known) {
        ngx_http_ux_choose_one(r->main, ctx, zone,
                               &zone->model.experiments[experiment], choice);
        choice->known = 1;
    }

    return choice;
}


/* The order of the questions is that of DESIGN.md: override wins. */
static void
ngx_http_ux_choose_one(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone, ux_experiment_t *e,
    ngx_http_ux_choice_t *choice)
{
    ux_phase_e  phase;

    if (ctx->override.len != 0 && ngx_http_ux_overridden(ctx, e, choice)) {
        return;
    }

    choice->variant = 0;
    choice->reason = NGX_HTTP_UX_REASON_DEFAULT;

    if (ctx->no_consent) {
        return;
    }

    phase = ux_experiment_phase(e, ngx_http_ux_now_ms());

    if (phase == UX_PHASE_SERVED) {
        choice->variant = (int8_t) e->serve;
        return;
    }

    if (phase == UX_PHASE_PAUSED || phase == UX_PHASE_SCHEDULED) {
        choice->reason = NGX_HTTP_UX_REASON_DISABLED;
        return;
    }

    if (ctx->key.len == 0) {
        return;
    }

    if (choice->has_record) {
        choice->variant = choice->recorded;
        choice->reason = NGX_HTTP_UX_REASON_CACHED;
        return;
    }

    if (phase == UX_PHASE_CLOSED && !choice->member) {
        choice->reason = NGX_HTTP_UX_REASON_DISABLED;
        return;
    }

    ngx_http_ux_choose_first(r, ctx, zone, e, choice);
}


/* Of one that no record tells. */
static ngx_http_ux_apart void
ngx_http_ux_choose_first(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone, ux_experiment_t *e,
    ngx_http_ux_choice_t *choice)
{
    int  variant;

    variant = ngx_http_ux_targeted(r, zone, e - zone->model.experiments)
              ? ux_experiment_assign(e, ctx->key) : UX_VARIANT_NONE;

    if (variant != UX_VARIANT_NONE
        && ngx_http_ux_crowded(r, ctx, zone, e - zone->model.experiments))
    {
        choice->reason = NGX_HTTP_UX_REASON_ERROR;
        return;
    }

    choice->variant = (int8_t) variant;

    if (variant != UX_VARIANT_NONE) {
        choice->reason = e->targeting ? NGX_HTTP_UX_REASON_TARGETING
                                      : NGX_HTTP_UX_REASON_SPLIT;
    }
}


/*
 * A record holds so many assignments.  In what it cannot hold a visitor is
 * the control: the first experiments that ux_expose names come first.
 */
static ngx_uint_t
ngx_http_ux_crowded(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone, ngx_uint_t experiment)
{
    ngx_uint_t             i, n;
    ngx_http_ux_choice_t  *choice;
    ngx_http_ux_expose_t  *expose;

    expose = ngx_http_ux_decider(r, ctx)->expose;

    if (zone->params.experiments >= zone->model.nexperiments
        || expose == NULL || expose->off || expose->zone != zone
        || ctx->choices[zone->first + experiment].member)
    {
        return 0;
    }

    n = 0;

    for (i = 0; i < zone->model.nexperiments; i++) {
        n += ctx->choices[zone->first + i].member;
    }

    for (i = 0; i < expose->n; i++) {

        if (expose->experiments[i] == experiment) {
            return n >= zone->params.experiments;
        }

        choice = ngx_http_ux_choose(r, ctx, zone, expose->experiments[i]);

        if (ngx_http_ux_counts(choice) && !choice->member) {
            n++;
        }
    }

    return 0;
}


/* Is it one of the choices that exposures are counted of? */
ngx_uint_t
ngx_http_ux_counts(ngx_http_ux_choice_t *choice)
{
    return choice != NULL
           && choice->variant != UX_VARIANT_NONE
           && (choice->reason == NGX_HTTP_UX_REASON_SPLIT
               || choice->reason == NGX_HTTP_UX_REASON_TARGETING
               || choice->reason == NGX_HTTP_UX_REASON_CACHED);
}


/* Names an experiment that is not there, or a variant it has not: ignored. */
static ngx_uint_t
ngx_http_ux_overridden(ngx_http_ux_ctx_t *ctx, ux_experiment_t *e,
    ngx_http_ux_choice_t *choice)
{
    unsigned   i;
    ux_str_t   name, variant;
    ngx_str_t  rest;

    rest = ctx->override;

    while (ngx_http_ux_override_next(&rest, &name, &variant) == NGX_OK) {

        if (!ux_str_equal(name, e->name)) {
            continue;
        }

        for (i = 0; i < e->nvariants; i++) {
            if (ux_str_equal(variant, e->variants[i].name)) {
                choice->variant = (int8_t) i;
                choice->reason = NGX_HTTP_UX_REASON_STATIC;
                return 1;
            }
        }
    }

    return 0;
}


/* Does the override name a variant of any experiment of the zone? */
ngx_uint_t
ngx_http_ux_override_check(ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone)
{
    ngx_uint_t            i;
    ngx_http_ux_choice_t  choice;

    for (i = 0; ctx->override.len != 0 && i < zone->model.nexperiments; i++) {
        if (ngx_http_ux_overridden(ctx, &zone->model.experiments[i],
                                   &choice))
        {
            return 1;
        }
    }

    return 0;
}


/* "experiment:variant", more behind commas or spaces. */
static ngx_int_t
ngx_http_ux_override_next(ngx_str_t *rest, ux_str_t *name, ux_str_t *variant)
{
    u_char  *p, *last, *colon;

    p = rest->data;
    last = p + rest->len;
    colon = NULL;

    while (p < last && (*p == ',' || *p == ' ')) {
        p++;
    }

    if (p == last) {
        return NGX_DONE;
    }

    name->data = (const char *) p;

    for ( /* void */ ; p < last && *p != ',' && *p != ' '; p++) {
        if (*p == ':' && colon == NULL) {
            colon = p;
        }
    }

    rest->data = p;
    rest->len = last - p;

    if (colon == NULL) {
        colon = p;
    }

    name->len = colon - (u_char *) name->data;
    variant->data = (const char *) ngx_min(colon + 1, p);
    variant->len = p - (u_char *) variant->data;

    return NGX_OK;
}


/* All target lines must hold; a line with values: one of them. */
static ngx_uint_t
ngx_http_ux_targeted(ngx_http_request_t *r, ngx_http_ux_zone_t *zone,
    ngx_uint_t experiment)
{
    ngx_str_t              value, *wanted;
    ngx_uint_t             i, k;
    ngx_array_t           *targets;
    ngx_http_ux_target_t  *target;

    targets = ((ngx_array_t **) zone->targets.elts)[experiment];

    if (targets == NULL) {
        return 1;
    }

    target = targets->elts;

    for (i = 0; i < targets->nelts; i++) {

        if (target[i].nvalues == 0) {
            if (!ngx_http_ux_is_true(r, &target[i].variable)) {
                return 0;
            }

            continue;
        }

        if (ngx_http_complex_value(r, &target[i].variable, &value) != NGX_OK)
        {
            return 0;
        }

        wanted = target[i].values;

        for (k = 0; k < target[i].nvalues; k++) {
            if (wanted[k].len == value.len
                && ngx_memcmp(wanted[k].data, value.data, value.len) == 0)
            {
                break;
            }
        }

        if (k == target[i].nvalues) {
            return 0;
        }
    }

    return 1;
}


ngx_int_t
ngx_http_ux_choices(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone)
{
    ux_seen_t                *seen, other;
    ngx_http_ux_main_conf_t  *mcf;

    if (ctx->choices == NULL) {
        mcf = ngx_http_get_module_main_conf(r, ngx_http_ux_module);

        ctx->choices = mcf->names.nelts <= NGX_HTTP_UX_FEW
                       ? ctx->few_choices
                       : ngx_pcalloc(r->main->pool, mcf->names.nelts
                                              * sizeof(ngx_http_ux_choice_t));
        if (ctx->choices == NULL) {
            return NGX_ERROR;
        }
    }

    if (ctx->chosen & (1u << zone->ordinal)) {
        return NGX_OK;
    }

    ctx->chosen |= 1u << zone->ordinal;

    if (ctx->key.len == 0 || ctx->minted || ctx->transient) {
        return NGX_OK;
    }

    other.slot = UX_PROCESS_NONE;
    seen = (zone == ctx->zone) ? &ctx->seen : &other;

    if ((ctx->record_read && zone == ctx->zone)
        || ux_table_see(&zone->store.table, ngx_http_ux_zone_key(ctx, zone),
                        (uint32_t) ngx_time(), &zone->outline, seen)
           == UX_OK)
    {
        ngx_http_ux_choices_recorded(ctx, zone);
    }

    return NGX_OK;
}


/*
 * A visitor keeps the variants of its record, but where a variant is gone
 * from the configuration or the experiment is not sticky.
 */
static void
ngx_http_ux_choices_recorded(ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone)
{
    uint64_t               now_ms;
    ux_arm_t              *arm;
    ngx_uint_t             i, asked;
    ux_store_t            *store;
    ux_outline_t          *outline;
    ux_outline_track_t    *track;
    ngx_http_ux_choice_t  *choice;

    store = &zone->store;
    outline = &zone->outline;
    now_ms = ngx_http_ux_now_ms();

    /* else the record decides alone, see ngx_http_ux_choose_one() */

    asked = (ctx->override.len != 0 || ctx->no_consent);

    if (zone == ctx->zone) {
        ctx->steady = ngx_http_ux_choices_steady(ctx, outline);

        if (!asked && ngx_http_ux_kept_choices(ctx, zone, now_ms) == NGX_OK) {
            return;
        }
    }

    for (i = 0; i < outline->n; i++) {
        track = &outline->tracks[i];

        if (track->arm >= store->plan.narms) {
            ux_store_refresh(store);
        }

        if (track->arm >= store->plan.narms) {
            continue;
        }

        arm = &store->arms[track->arm];

        if (arm->experiment < 0) {
            continue;
        }

        choice = &ctx->choices[zone->first + arm->experiment];
        choice->steady = !choice->member && ux_track_steady(track, arm);
        choice->arm = track->arm;
        choice->member = 1;

        if (arm->variant < 0
            || !zone->model.experiments[arm->experiment].sticky)
        {
            continue;
        }

        choice->recorded = (int8_t) arm->variant;
        choice->has_record = 1;

        if (!asked
            && ux_experiment_phase(&zone->model.experiments[arm->experiment],
                                   now_ms)
               == UX_PHASE_RUNNING)
        {
            choice->variant = choice->recorded;
            choice->reason = NGX_HTTP_UX_REASON_CACHED;
            choice->known = 1;
        }
    }

    if (zone == ctx->zone && !asked) {
        ngx_http_ux_kept_choose(ctx, zone);
    }
}


/* A cookie that is not remembered yet will be. */
static ngx_uint_t
ngx_http_ux_choices_steady(ngx_http_ux_ctx_t *ctx, ux_outline_t *outline)
{
    return ux_track_visitor_steady(outline)
           && (!ctx->returned || ctx->cookie_hash == 0
               || outline->cookie_hash == ctx->cookie_hash);
}


ngx_int_t
ngx_http_ux_variants(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_str_t *value)
{
    u_char                *p;
    ngx_str_t             *pair;
    ngx_uint_t             i;
    ngx_int_t              rc;
    ngx_http_ux_choice_t  *choice;
    ngx_http_ux_expose_t  *expose;

    ngx_str_null(value);

    expose = ngx_http_ux_decider(r, ctx)->expose;

    if (expose == NULL || expose->off) {
        return NGX_OK;
    }

    rc = ngx_http_ux_kept_variants(r, ctx, expose, value);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    p = NULL;

    for (i = 0; i < expose->n; i++) {
        choice = ngx_http_ux_choose(r, ctx, expose->zone,
                                    expose->experiments[i]);

        if (choice == NULL) {
            return NGX_ERROR;
        }

        if (choice->variant == UX_VARIANT_NONE) {
            continue;
        }

        pair = &expose->zone->pairs[expose->experiments[i]][choice->variant];

        if (value->len == 0) {

            /* mostly there is but one */

            *value = *pair;
            continue;
        }

        if (p == NULL) {
            p = ngx_pnalloc(r->main->pool, expose->room);
            if (p == NULL) {
                return NGX_ERROR;
            }

            ngx_memcpy(p, value->data, value->len);
            value->data = p;
        }

        p = value->data + value->len;
        *p++ = ',';
        *p++ = ' ';
        p = ngx_cpymem(p, pair->data, pair->len);

        value->len = p - value->data;
    }

    ngx_http_ux_kept_show(r, ctx, expose, value);

    return NGX_OK;
}


ngx_int_t
ngx_http_ux_variants_prepare(ngx_conf_t *cf, ngx_http_ux_main_conf_t *mcf)
{
    size_t                  longest;
    ngx_str_t              *pair;
    ngx_uint_t              i, k, n;
    ux_experiment_t        *e;
    ngx_http_ux_zone_t    **zones;
    ngx_http_ux_expose_t  **exposes;

    zones = mcf->zones.elts;

    for (i = 0; i < mcf->zones.nelts; i++) {
        if (ngx_http_ux_variants_pairs(cf, zones[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    exposes = mcf->exposes.elts;

    for (i = 0; i < mcf->exposes.nelts; i++) {
        exposes[i]->room = 0;

        for (n = 0; n < exposes[i]->n; n++) {
            e = exposes[i]->zone->model.experiments
                + exposes[i]->experiments[n];
            pair = exposes[i]->zone->pairs[exposes[i]->experiments[n]];
            longest = 0;

            for (k = 0; k < e->nvariants; k++) {
                longest = ngx_max(longest, pair[k].len);
            }

            exposes[i]->room += longest + 2;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_ux_variants_pairs(ngx_conf_t *cf, ngx_http_ux_zone_t *zone)
{
    u_char           *p;
    ngx_str_t        *pair;
    ngx_uint_t        i, k;
    ux_experiment_t  *e;

    e = zone->model.experiments;

    zone->pairs = ngx_palloc(cf->pool, zone->model.nexperiments
                                       * sizeof(ngx_str_t *) + 1);
    if (zone->pairs == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < zone->model.nexperiments; i++) {
        pair = ngx_palloc(cf->pool, e[i].nvariants * sizeof(ngx_str_t));
        if (pair == NULL) {
            return NGX_ERROR;
        }

        zone->pairs[i] = pair;

        for (k = 0; k < e[i].nvariants; k++) {
            pair[k].len = e[i].name.len + 1 + e[i].variants[k].name.len;

            p = ngx_pnalloc(cf->pool, pair[k].len);
            if (p == NULL) {
                return NGX_ERROR;
            }

            pair[k].data = p;
            p = ngx_cpymem(p, e[i].name.data, e[i].name.len);
            *p++ = '=';
            ngx_memcpy(p, e[i].variants[k].name.data,
                       e[i].variants[k].name.len);
        }
    }

    return NGX_OK;
}
