
/*
 * Copyright (C) the nginx-ux authors
 *
 * The directive ux_segment, and what its variables say of a request.
 */

#include "ngx_http_ux_module.h"
#include "ngx_http_ux_block.h"
#include "ux_segment.h"


static char *ngx_http_ux_segment_value(ngx_conf_t *cf,
    ngx_http_ux_zone_t *zone, ngx_str_t *word);


/* ux_segment NAME $VARIABLE VALUE ... [zone=NAME]; */
char *
ngx_http_ux_segment(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                              *rv;
    ngx_str_t                         *value;
    ngx_uint_t                         i;
    ux_status_t                        rc;
    ngx_http_ux_zone_t                *zone;
    ngx_http_compile_complex_value_t   ccv;

    value = cf->args->elts;

    if (!ux_name_check(ngx_http_ux_str(value[1]))) {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "a segment's name: a lower-case "
                                          "letter, then letters, digits or "
                                          "\"_\", at most 64 in all");
    }

    zone = ngx_http_ux_block_zone(cf);

    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts > 2
        && (value[2].len < 2 || value[2].data[0] != '$'))
    {
        return ngx_http_ux_block_expected(cf, &value[2],
                                          "a variable, like \"$device\"");
    }

    if (cf->args->nelts < 4) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no value in \"ux_segment\" \"%V\": expected "
                           "\"ux_segment %V $VARIABLE VALUE ...\"",
                           &value[1], &value[1]);
        return NGX_CONF_ERROR;
    }

    rc = ux_model_segment_add(&zone->model, ngx_http_ux_str(value[1]));

    if (rc == UX_DECLINED) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate \"ux_segment\" \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    if (rc != UX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "too many segments at \"%V\": a zone holds %d, and "
                           "%d values of them", &value[1], UX_SEGMENTS_MAX,
                           UX_SEGMENT_VALUES);
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &value[2];
    ccv.complex_value = ngx_array_push(&zone->segments);

    if (ccv.complex_value == NULL
        || ngx_http_compile_complex_value(&ccv) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    for (i = 3; i < cf->args->nelts; i++) {
        rv = ngx_http_ux_segment_value(cf, zone, &value[i]);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_segment_value(ngx_conf_t *cf, ngx_http_ux_zone_t *zone,
    ngx_str_t *word)
{
    ux_status_t  rc;

    if (!ux_variant_name_check(ngx_http_ux_str(*word))) {
        return ngx_http_ux_block_expected(cf, word,
                                          "a value: a letter, then letters, "
                                          "digits, \"_\", \".\" or \"-\", at "
                                          "most 64 in all");
    }

    rc = ux_model_value_add(&zone->model, ngx_http_ux_str(*word));

    if (rc == UX_DECLINED) {
        return ngx_http_ux_block_expected(cf, word, "each value once");
    }

    if (rc != UX_OK) {
        return ngx_http_ux_block_expected(cf, word,
                                          "at most 64 values in a zone, each "
                                          "segment's \"other\" included");
    }

    return NGX_CONF_OK;
}


void
ngx_http_ux_segments(ngx_http_request_t *r, ngx_http_ux_zone_t *zone)
{
    ngx_str_t                  value;
    ngx_uint_t                 i;
    ngx_http_complex_value_t  *variables;

    if (zone->segments.nelts == 0) {
        return;
    }

    variables = zone->segments.elts;

    for (i = 0; i < zone->segments.nelts; i++) {

        /* what cannot be told is "other", like the empty word */

        if (ngx_http_complex_value(r, &variables[i], &value) != NGX_OK) {
            ngx_str_null(&value);
        }

        ux_segment_note(&zone->model, (unsigned) i, ngx_http_ux_str(value),
                        zone->store.plan.segments);
    }
}
