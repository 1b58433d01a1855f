
/*
 * Copyright (C) the nginx-ux authors
 *
 * Does a request have anything to do in its visitor's record, and may it make
 * one?  Answered before the turn: nothing is allocated within it.
 */

#include "ngx_http_ux_request.h"


static ngx_uint_t ngx_http_ux_wanted_events(ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone);
static ngx_uint_t ngx_http_ux_wanted_exposures(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone);
static ngx_uint_t ngx_http_ux_in_funnel(ux_model_t *model, uint8_t event);


ngx_uint_t
ngx_http_ux_turn_wanted(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone)
{
    ngx_uint_t  events;

    ctx->creates = 0;
    events = ngx_http_ux_wanted_events(ctx, zone);

    if (zone != ctx->zone) {
        return events;
    }

    if (ctx->decider != NULL && !ctx->decider->expose->off
        && ctx->collect == NULL)
    {
        return ngx_http_ux_wanted_exposures(r, ctx, zone) || events;
    }

    ctx->creates |= ctx->minted && ctx->collect == NULL;

    return events || ctx->creates
           || (ctx->returned && !ctx->idle);
}


static ngx_uint_t
ngx_http_ux_wanted_events(ngx_http_ux_ctx_t *ctx, ngx_http_ux_zone_t *zone)
{
    ngx_uint_t              i, events;
    ngx_http_ux_pending_t  *pending;

    if (ctx->pending == NULL) {
        return 0;
    }

    events = 0;
    pending = ctx->pending->elts;

    for (i = 0; i < ctx->pending->nelts; i++) {
        if (pending[i].zone == zone) {
            events = 1;
            ctx->creates |= ctx->wanted
                            && ngx_http_ux_in_funnel(&zone->model,
                                                     pending[i].event.event);
        }
    }

    return events;
}


/* Where ux_expose is in force; 0: out of memory. */
static ngx_uint_t
ngx_http_ux_wanted_exposures(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone)
{
    ngx_uint_t             i, exposes;
    ngx_http_ux_choice_t  *choice;
    ngx_http_ux_expose_t  *expose;

    expose = ctx->decider->expose;

    ctx->arms = ngx_http_ux_arms(r, ctx);
    if (ctx->arms == NULL) {
        return 0;
    }

    ctx->arms[0] = UX_ARM_NONE;

    exposes = ngx_http_ux_exposes(ctx);

    for (i = 0; i < expose->n; i++) {

        /* all of them: within the turn the record cannot be read */

        choice = ngx_http_ux_choose(r, ctx, zone,
                                    expose->experiments[i]);

        if ((exposes || ctx->waits) && ngx_http_ux_counts(choice)) {
            ctx->creates = 1;
            ctx->exposed = exposes;
        }

        if (exposes && choice != NULL
            && choice->reason == NGX_HTTP_UX_REASON_ERROR)
        {
            ngx_http_ux_discard(ctx, UX_DISCARD_ZONE_FULL);
        }
    }

    /* whose cookie comes back without a record was forgotten */

    ctx->creates |= ctx->minted;

    return 1;
}


uint16_t *
ngx_http_ux_arms(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    ngx_http_ux_expose_t  *expose;

    expose = ctx->decider->expose;

    return expose->n < NGX_HTTP_UX_FEW
           ? ctx->few_arms
           : ngx_palloc(r->pool, (expose->n + 1) * sizeof(uint16_t));
}


static ngx_uint_t
ngx_http_ux_in_funnel(ux_model_t *model, uint8_t event)
{
    ngx_uint_t    i, k;
    ux_funnel_t  *funnel;

    for (i = 0; i < model->nfunnels; i++) {
        funnel = &model->funnels[i];

        if (funnel->cart_event == event) {
            return 1;
        }

        for (k = 0; k < funnel->nsteps; k++) {
            if (funnel->steps[k].event == event) {
                return 1;
            }
        }
    }

    return 0;
}


/* Would this request expose, if nothing barred it? */
ngx_uint_t
ngx_http_ux_exposes(ngx_http_ux_ctx_t *ctx)
{
    ngx_http_ux_expose_t  *expose;

    if (ctx->decider == NULL || ctx->barred || ctx->collect != NULL) {
        return 0;
    }

    expose = ctx->decider->expose;

    return !expose->off && (ctx->navigation || expose->any);
}
