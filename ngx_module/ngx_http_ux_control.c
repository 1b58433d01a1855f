
/*
 * Copyright (C) the nginx-ux authors
 *
 * What the operator steers a request by: ux_consent, ux_gpc, ux_exclude,
 * ux_override; and ux_debug, which shows what came of it.
 */

#include "ngx_http_ux_request.h"


static void ngx_http_ux_control_asked(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, ngx_http_ux_loc_conf_t *lcf);
static u_char *ngx_http_ux_debug_why(ngx_http_ux_ctx_t *ctx, u_char *p,
    u_char *last);
static u_char *ngx_http_ux_debug_variants(ngx_http_request_t *r,
    ngx_http_ux_ctx_t *ctx, u_char *p, u_char *last);


/* of the key: enough to tell two apart, too little to be one */
#define NGX_HTTP_UX_DEBUG_KEY   8
#define NGX_HTTP_UX_DEBUG_SIZE  2048


static ngx_str_t  ngx_http_ux_debug_header = ngx_string("X-UX-Debug");


char *
ngx_http_ux_exclude(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ux_loc_conf_t *lcf = conf;

    ngx_str_t   *value;
    ngx_uint_t   i;

    if (lcf->exclude != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        if (ngx_http_script_variables_count(&value[i]) == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\" in \"ux_exclude\": "
                               "expected variables, like \"$staff\"",
                               &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    return ngx_http_set_predicate_slot(cf, cmd, conf);
}


void
ngx_http_ux_control(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_loc_conf_t *lcf)
{
    ctx->no_consent = (lcf->gpc && ctx->gpc);

    if (lcf->consent != NULL || lcf->exclude != NULL || lcf->override != NULL)
    {
        ngx_http_ux_control_asked(r, ctx, lcf);
    }
}


static ngx_http_ux_apart void
ngx_http_ux_control_asked(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_loc_conf_t *lcf)
{
    /* in doubt there is no consent, and nobody is staff */

    ctx->no_consent = ctx->no_consent
                      || (lcf->consent != NULL
                          && !ngx_http_ux_is_true(r, lcf->consent));

    ctx->excluded = (lcf->exclude != NULL
                     && ngx_http_test_predicates(r, lcf->exclude)
                        == NGX_DECLINED);

    if (lcf->override != NULL
        && ngx_http_complex_value(r, lcf->override, &ctx->override) != NGX_OK)
    {
        ngx_str_null(&ctx->override);
    }
}


ngx_uint_t
ngx_http_ux_is_true(ngx_http_request_t *r, ngx_http_complex_value_t *cv)
{
    ngx_str_t  value;

    return ngx_http_complex_value(r, cv, &value) == NGX_OK
           && value.len != 0 && !(value.len == 1 && value.data[0] == '0');
}


/*
 * visitor=1a2b3c4d..., returned; variants=checkout=b:cached; exposed;
 * events=purchase; not=bot
 */
void
ngx_http_ux_debug_send(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    u_char                  *start, *p, *last;
    ngx_str_t                key;
    ngx_table_elt_t         *h;
    ngx_http_ux_lines_t      lines;
    ngx_http_ux_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_ux_module);

    if (lcf->debug == NULL || !ngx_http_ux_is_true(r, lcf->debug)) {
        return;
    }

    start = ngx_pnalloc(r->pool, NGX_HTTP_UX_DEBUG_SIZE);
    if (start == NULL) {
        return;
    }

    p = start;
    last = start + NGX_HTTP_UX_DEBUG_SIZE;

    key.data = (u_char *) ctx->key.data;
    key.len = ngx_min(ctx->key.len, NGX_HTTP_UX_DEBUG_KEY);

    if (key.len == 0 || ctx->transient) {
        p = ngx_slprintf(p, last, "visitor=none");

    } else if (ctx->keyed && !ctx->joined) {

        /* a login may be a name: not even a part of it */

        p = ngx_slprintf(p, last, "visitor=%08xL, keyed",
                         ctx->hash.id >> 32);

    } else {
        p = ngx_slprintf(p, last, "visitor=%V%s", &key,
                         ctx->minted ? ", minted"
                         : (ctx->joined ? ", joined" : ", returned"));
    }

    p = ngx_http_ux_debug_variants(r, ctx, p, last);

    if (ctx->exposed) {
        p = ngx_slprintf(p, last, "; exposed");
    }

    if (ctx->events.len != 0) {
        p = ngx_slprintf(p, last, "; events=%V", &ctx->events);
    }

    p = ngx_http_ux_debug_why(ctx, p, last);

    /* one that came from the application would speak for us */

    for (h = ngx_http_ux_lines_first(&lines, &r->headers_out.headers,
                                     &ngx_http_ux_debug_header);
         h != NULL;
         h = ngx_http_ux_lines_next(&lines))
    {
        h->hash = 0;
    }

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return;
    }

    h->hash = 1;
    ngx_http_ux_header_unlinked(h);
    h->key = ngx_http_ux_debug_header;
    h->value.data = start;
    h->value.len = p - start;
}


static u_char *
ngx_http_ux_debug_variants(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    u_char *p, u_char *last)
{
    ngx_str_t              name, variant, *reason;
    ngx_uint_t             i;
    ux_experiment_t       *e;
    ngx_http_ux_choice_t  *choice;
    ngx_http_ux_expose_t  *expose;

    expose = (ctx->decider == NULL) ? NULL : ctx->decider->expose;

    if (expose == NULL || expose->off) {
        return p;
    }

    p = ngx_slprintf(p, last, "; variants=");

    for (i = 0; i < expose->n; i++) {
        choice = ngx_http_ux_choose(r, ctx, expose->zone,
                                    expose->experiments[i]);
        if (choice == NULL) {
            continue;
        }

        e = &expose->zone->model.experiments[expose->experiments[i]];
        name.data = (u_char *) e->name.data;
        name.len = e->name.len;
        ngx_str_set(&variant, "-");

        if (choice->variant != UX_VARIANT_NONE) {
            variant.data = (u_char *) e->variants[choice->variant].name.data;
            variant.len = e->variants[choice->variant].name.len;
        }

        reason = ngx_http_ux_reason(choice->reason);

        p = ngx_slprintf(p, last, "%s%V=%V:%V", i ? ", " : "", &name,
                         &variant, reason);
    }

    return p;
}


static u_char *
ngx_http_ux_debug_why(ngx_http_ux_ctx_t *ctx, u_char *p, u_char *last)
{
    ngx_uint_t  i, n;

    for (i = 0, n = 0; i < UX_DISCARDS; i++) {
        if (ctx->shown & (1u << i)) {
            p = ngx_slprintf(p, last, "%s%s", n++ ? ", " : "; not=",
                             ux_discard_names[i]);
        }
    }

    return p;
}
