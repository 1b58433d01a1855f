
/*
 * Copyright (C) the nginx-ux authors
 *
 * What a connection keeps of its visitor's variants.  A record that is as it
 * was gives the same ones, for who is in an experiment stays there when it
 * ends; and the same experiments exposed give the same header.  See
 * ngx_http_ux_visitor_see() for how a record is known to be as it was.
 *
 * Kept from the second page on that finds the record so: of a record that
 * changes with each page there is nothing to be kept.
 */

#include "ngx_http_ux_request.h"


static ngx_inline ngx_uint_t ngx_http_ux_kept_holds(ngx_http_ux_ctx_t *ctx);
static ngx_uint_t ngx_http_ux_kept_cached(ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_expose_t *expose);
static ngx_int_t ngx_http_ux_kept_text(ngx_http_request_t *r,
    ngx_http_ux_kept_t *kept, ngx_str_t *value);


ngx_int_t
ngx_http_ux_kept_choices(ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone,
    uint64_t now_ms)
{
    ngx_uint_t                  i;
    ngx_http_ux_kept_t         *kept;
    ngx_http_ux_choice_t       *choices;
    ngx_http_ux_kept_choice_t  *choice;

    kept = ctx->kept;

    if (!ngx_http_ux_kept_holds(ctx) || kept->n == 0
        || now_ms < kept->from_ms)
    {
        return NGX_DECLINED;
    }

    choices = &ctx->choices[zone->first];

    for (i = 0; i < kept->n; i++) {
        choice = &kept->choices[i];
        choices[choice->experiment] = choice->choice;
    }

    ctx->replayed = kept->version;

    return NGX_OK;
}


/* Is the outline in the zone the kept one, and not of another visitor? */
static ngx_inline ngx_uint_t
ngx_http_ux_kept_holds(ngx_http_ux_ctx_t *ctx)
{
    return ctx->unchanged && ctx->record_read;
}


void
ngx_http_ux_kept_forget(ngx_http_ux_kept_t *kept)
{
    kept->version++;
    kept->n = 0;
}


void
ngx_http_ux_kept_choose(ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone)
{
    ngx_uint_t             i;
    ux_experiment_t       *e;
    ngx_http_ux_kept_t    *kept;
    ngx_http_ux_choice_t  *choice;

    if (!ngx_http_ux_kept_holds(ctx)) {
        return;
    }

    kept = ctx->kept;
    ngx_http_ux_kept_forget(kept);
    kept->from_ms = 0;
    kept->expose = NULL;

    for (i = 0; i < zone->model.nexperiments; i++) {
        e = &zone->model.experiments[i];
        choice = &ctx->choices[zone->first + i];

        if (!choice->member) {
            continue;
        }

        /* no more of these than a record has tracks */

        kept->choices[kept->n].experiment = (uint16_t) i;
        kept->choices[kept->n++].choice = *choice;

        if (choice->known) {

            /* it has begun, unless the clock is set back */

            kept->from_ms = ngx_max(kept->from_ms, e->start_ms);
        }
    }

    ctx->replayed = (kept->n != 0) ? kept->version : 0;
}


ngx_int_t
ngx_http_ux_kept_variants(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_expose_t *expose, ngx_str_t *value)
{
    if (!ngx_http_ux_kept_shown(ctx, expose)) {
        return NGX_DECLINED;
    }

    return ngx_http_ux_kept_text(r, ctx->kept, value);
}


/* A header lives as long as its request, and the next one may need others. */
static ngx_int_t
ngx_http_ux_kept_text(ngx_http_request_t *r, ngx_http_ux_kept_t *kept,
    ngx_str_t *value)
{
    *value = kept->text;

    if (kept->text.data != kept->buffer) {
        return NGX_OK;
    }

    value->data = ngx_pnalloc(r->main->pool, kept->text.len);
    if (value->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(value->data, kept->text.data, kept->text.len);

    return NGX_OK;
}


void
ngx_http_ux_kept_show(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_expose_t *expose, ngx_str_t *value)
{
    ngx_http_ux_kept_t  *kept;

    kept = ctx->kept;

    if (ctx->replayed == 0 || ctx->replayed != kept->version
        || expose->zone != ctx->zone
        || !ngx_http_ux_kept_cached(ctx, expose))
    {
        return;
    }

    kept->text = *value;

    if (expose->n > 1) {

        if (kept->room < expose->room) {
            kept->buffer = ngx_pnalloc(r->connection->pool, expose->room);
            if (kept->buffer == NULL) {
                kept->room = 0;
                return;
            }

            kept->room = expose->room;
        }

        ngx_memcpy(kept->buffer, value->data, value->len);
        kept->text.data = kept->buffer;
    }

    kept->expose = expose;
}


/* Does the record tell of all of them?  Keeps their arms. */
static ngx_uint_t
ngx_http_ux_kept_cached(ngx_http_ux_ctx_t *ctx, ngx_http_ux_expose_t *expose)
{
    ngx_uint_t             i;
    ux_experiment_t       *e;
    ngx_http_ux_kept_t    *kept;
    ngx_http_ux_choice_t  *choice;

    kept = ctx->kept;
    kept->expose = NULL;
    kept->steady = 1;

    if (expose->n >= UX_TRACKS_MAX) {
        return 0;
    }

    for (i = 0; i < expose->n; i++) {
        e = &expose->zone->model.experiments[expose->experiments[i]];
        choice = &ctx->choices[expose->zone->first + expose->experiments[i]];

        if (!choice->known || choice->reason != NGX_HTTP_UX_REASON_CACHED) {
            return 0;
        }

        /* one that is over had begun, too */

        kept->from_ms = ngx_max(kept->from_ms, e->start_ms);
        kept->steady &= choice->steady;
        kept->arms[i] = choice->arm;
    }

    kept->arms[i] = UX_ARM_NONE;

    return 1;
}
