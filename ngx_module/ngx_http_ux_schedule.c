
/*
 * Copyright (C) the nginx-ux authors
 *
 * The lines of an experiment that say to whom and whether it runs: target,
 * start, stop, state, serve.
 */

#include "ngx_http_ux_module.h"
#include "ngx_http_ux_block.h"

#include "ux_time.h"


static char *ngx_http_ux_moment(ngx_conf_t *cf, uint64_t *ms);
static void ngx_http_ux_target_hash(ngx_conf_t *cf, ux_experiment_t *e);


/* What is compared, and in which order, belongs to the epoch. */
char *
ngx_http_ux_target(ngx_conf_t *cf, ngx_http_ux_block_t *b)
{
    ngx_str_t                         *value;
    ngx_array_t                      **targets;
    ngx_http_ux_target_t              *target;
    ngx_http_compile_complex_value_t   ccv;

    value = cf->args->elts;
    targets = (ngx_array_t **) b->zone->targets.elts
              + b->zone->targets.nelts - 1;

    if (*targets == NULL) {
        *targets = ngx_array_create(cf->pool, 1,
                                    sizeof(ngx_http_ux_target_t));
        if (*targets == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    target = ngx_array_push(*targets);
    if (target == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &value[1];
    ccv.complex_value = &target->variable;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (target->variable.lengths == NULL) {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "a variable, like \"$country\"");
    }

    target->nvalues = cf->args->nelts - 2;
    target->values = ngx_palloc(cf->pool,
                                cf->args->nelts * sizeof(ngx_str_t));
    if (target->values == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memcpy(target->values, &value[2],
               target->nvalues * sizeof(ngx_str_t));

    ngx_http_ux_target_hash(cf, b->experiment);

    return NGX_CONF_OK;
}


static void
ngx_http_ux_target_hash(ngx_conf_t *cf, ux_experiment_t *e)
{
    uint64_t     words[2];
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        words[0] = e->targeting * 31 + i;
        words[1] = ux_hash64(value[i].data, value[i].len);
        e->targeting = ux_hash64(words, sizeof(words));
    }

    e->targeting |= (e->targeting == 0);
}


char *
ngx_http_ux_start(ngx_conf_t *cf, ngx_http_ux_block_t *b)
{
    return ngx_http_ux_moment(cf, &b->experiment->start_ms);
}


char *
ngx_http_ux_stop(ngx_conf_t *cf, ngx_http_ux_block_t *b)
{
    return ngx_http_ux_moment(cf, &b->experiment->stop_ms);
}


static char *
ngx_http_ux_moment(ngx_conf_t *cf, uint64_t *ms)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    if (ux_time_parse(ngx_http_ux_str(value[1]), ms) != UX_OK || *ms == 0) {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "a moment in ISO 8601, like "
                                          "\"2026-01-31T08:00:00Z\"");
    }

    return NGX_CONF_OK;
}


char *
ngx_http_ux_state(ngx_conf_t *cf, ngx_http_ux_block_t *b)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "running") == 0) {
        b->experiment->state = UX_STATE_RUNNING;

    } else if (ngx_strcmp(value[1].data, "paused") == 0) {
        b->experiment->state = UX_STATE_PAUSED;

    } else if (ngx_strcmp(value[1].data, "closed") == 0) {
        b->experiment->state = UX_STATE_CLOSED;

    } else {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "\"running\", \"paused\" or "
                                          "\"closed\"");
    }

    return NGX_CONF_OK;
}


char *
ngx_http_ux_serve(ngx_conf_t *cf, ngx_http_ux_block_t *b)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    /* the variants may come behind it: looked up at the block's end */

    b->serve = value[1];
    b->serve_line = cf->conf_file->line;

    return NGX_CONF_OK;
}


/* At the end of the block. */
ngx_int_t
ngx_http_ux_serve_end(ngx_conf_t *cf, ngx_http_ux_block_t *b)
{
    unsigned  i;

    if (b->serve.len == 0) {
        return NGX_OK;
    }

    for (i = 0; i < b->experiment->nvariants; i++) {
        if (ux_str_equal(b->experiment->variants[i].name,
                         ngx_http_ux_str(b->serve)))
        {
            b->experiment->serve = (int) i;
            return NGX_OK;
        }
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "unknown variant \"%V\" in \"serve\" directive: expected "
                  "a variant of \"ux_experiment\" \"%V\" in %V:%ui",
                  &b->serve, &b->name, &cf->conf_file->file.name,
                  b->serve_line);

    return NGX_ERROR;
}


char *
ngx_http_ux_equivalence(ngx_conf_t *cf, ngx_http_ux_block_t *b)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    if (ux_number_percent(ngx_http_ux_str(value[1]),
                          &b->experiment->equivalence)
            != UX_OK
        || b->experiment->equivalence == 0.0)
    {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "a share above 0%, like \"2%\"");
    }

    return NGX_CONF_OK;
}
