
/*
 * Copyright (C) the nginx-ux authors
 *
 * Pages, forms and errors of a visitor: the part of a turn that tells them.
 */

#include "ngx_http_ux_request.h"


static ngx_uint_t ngx_http_ux_turn_shown(const uint16_t *arms,
    const uint16_t *settled);
static uint32_t ngx_http_ux_turn_form(ngx_http_request_t *r,
    ngx_http_ux_zone_t *zone);


/*
 * Pages and forms, where ux_expose or ux_event is in force; before that the
 * prefetched page that is seen to have been shown.  Elsewhere a turn is a
 * matter of the cookie's age, and a count of it would be one of nothing.
 */
ngx_uint_t
ngx_http_ux_turn_visit(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone, const uint16_t *settled,
    uint64_t now_ms)
{
    ngx_uint_t       page, failed;
    const uint16_t  *arms;

    static const uint16_t  none = UX_ARM_NONE;

    arms = ctx->arms != NULL && zone == ctx->zone ? ctx->arms : &none;

    page = zone == ctx->zone && ctx->collect == NULL && ctx->navigation
           && !ctx->barred && (ctx->arms != NULL || ctx->pending != NULL);

    if (!(page && ngx_http_ux_turn_shown(arms, settled))
        && settled[0] != UX_ARM_NONE)
    {
        ux_track_page(&zone->store.plan, &zone->visitor, settled, now_ms,
                      &zone->changes);
    }

    if (page) {
        ux_track_page(&zone->store.plan, &zone->visitor, arms, now_ms,
                      &zone->changes);
    }

    if (ctx->method == NGX_HTTP_POST && zone == ctx->zone && !ctx->barred
        && ctx->arms != NULL)
    {
        failed = ngx_http_ux_failed(ctx->method, r->headers_out.status);

        ux_track_post(&zone->store.plan, &zone->visitor,
                      ngx_http_ux_turn_form(r, zone), failed != 0, arms,
                      (uint64_t) r->start_sec * 1000 + r->start_msec,
                      &zone->changes);
        return 1;
    }

    return page;
}


/*
 * All of them on this page, too: it may be the one that was prefetched, asked
 * for again, and is counted once.
 */
static ngx_uint_t
ngx_http_ux_turn_shown(const uint16_t *arms, const uint16_t *settled)
{
    ngx_uint_t  i;

    for ( /* void */ ; *settled != UX_ARM_NONE; settled++) {

        for (i = 0; arms[i] != UX_ARM_NONE && arms[i] != *settled; i++) {
            /* void */
        }

        if (arms[i] == UX_ARM_NONE) {
            return 0;
        }
    }

    return 1;
}


/* Where a form was sent to, without arguments, as what only the zone knows. */
static uint32_t
ngx_http_ux_turn_form(ngx_http_request_t *r, ngx_http_ux_zone_t *zone)
{
    u_char     *p, *last;
    uint32_t    hash;
    ngx_str_t   path;

    path = r->unparsed_uri;
    last = path.data + path.len;

    p = ngx_strlchr(path.data, last, '?');

    if (p != NULL) {
        path.len = p - path.data;
    }

    hash = (uint32_t) ux_hash_keyed(zone->store.head->index_key,
                                    ngx_http_ux_str(path));

    return hash != 0 ? hash : 1;
}


/*
 * A visitor that met an error where ux_expose is in force, once, and once for
 * each variant.
 */
ngx_uint_t
ngx_http_ux_turn_error(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_zone_t *zone)
{
    ngx_uint_t     i, k, dirty;
    ux_track_t    *track;
    ux_visitor_t  *v;

    v = &zone->visitor;
    dirty = 0;

    if (!ngx_http_ux_failed(ctx->method, r->headers_out.status)
        || zone != ctx->zone || ctx->arms == NULL)
    {
        return 0;
    }

    if (!v->error_seen) {
        v->error_seen = true;
        dirty = 1;

        ux_changes_add(&zone->changes, UX_ZONE_HTTP + UX_HTTP_ERROR_VISITORS,
                       1);
    }

    for (i = 1; i < v->ntracks; i++) {
        track = &v->tracks[i];

        for (k = 0; ctx->arms[k] != UX_ARM_NONE; k++) {
            if (ctx->arms[k] == track->arm) {
                break;
            }
        }

        if (track->error_seen || ctx->arms[k] == UX_ARM_NONE) {
            continue;
        }

        track->error_seen = true;
        dirty = 1;

        ux_changes_add(&zone->changes,
                       zone->store.plan.arms[track->arm].base
                       + UX_ARM_HTTP + UX_HTTP_ERROR_VISITORS, 1);
    }

    return dirty;
}
