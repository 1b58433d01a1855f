
/*
 * Copyright (C) the nginx-ux authors
 *
 * What the blocks ux_experiment { } and ux_funnel { } have in common: a table
 * of lines, and errors that quote the word.
 */

#include "ngx_http_ux_module.h"
#include "ngx_http_ux_block.h"


/* nginx ends a message at 1024 bytes: of a word so much, then the rest */
#define NGX_HTTP_UX_WORD_SHOWN  256


ngx_http_ux_zone_t *
ngx_http_ux_block_zone(ngx_conf_t *cf)
{
    ngx_str_t           *value, name;
    ngx_uint_t           i, n;
    ngx_http_ux_zone_t  *zone;

    value = cf->args->elts;
    ngx_str_null(&name);

    for (i = 2, n = 2; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "zone=", 5) != 0) {
            value[n++] = value[i];
            continue;
        }

        if (value[i].len == 5 || name.len != 0) {
            (void) ngx_http_ux_block_expected(cf, &value[i],
                                              "\"zone=NAME\" once");
            return NULL;
        }

        name.data = value[i].data + 5;
        name.len = value[i].len - 5;
    }

    cf->args->nelts = n;

    zone = ngx_http_ux_zone_find(cf, &name);

    if (zone == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no \"ux_zone\"%s%V%s before \"%V %V\"",
                           name.len ? " \"" : "", &name, name.len ? "\"" : "",
                           &value[0], &value[1]);
    }

    return zone;
}


ngx_int_t
ngx_http_ux_block_own(ngx_conf_t *cf, ngx_http_ux_block_t *block)
{
    ngx_str_t  *value;

    block->zone = ngx_http_ux_block_zone(cf);

    if (block->zone == NULL) {
        return NGX_ERROR;
    }

    if (cf->args->nelts > 2) {
        value = cf->args->elts;
        (void) ngx_http_ux_block_expected(cf, &value[2], "\"zone=NAME\"");
        return NGX_ERROR;
    }

    return NGX_OK;
}


char *
ngx_http_ux_block_parse(ngx_conf_t *cf, ngx_http_ux_block_t *block,
    char *(*handler)(ngx_conf_t *cf, ngx_command_t *dummy, void *conf))
{
    char        *rv;
    ngx_conf_t   save;

    save = *cf;
    cf->handler = handler;
    cf->handler_conf = (char *) block;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    return rv;
}


char *
ngx_http_ux_block_line(ngx_conf_t *cf, ngx_http_ux_block_t *block,
    ngx_http_ux_line_t *lines)
{
    u_char               words[256], *p;
    ngx_str_t           *value;
    ngx_http_ux_line_t  *line;

    value = cf->args->elts;

    for (line = lines; line->set != NULL; line++) {
        if (line->name.len == value[0].len
            && ngx_memcmp(line->name.data, value[0].data, value[0].len) == 0)
        {
            break;
        }
    }

    if (line->set == NULL) {
        p = words;

        for (line = lines; line->set != NULL; line++) {
            p = ngx_slprintf(p, words + sizeof(words), "%s%V",
                             (line == lines) ? "" : ", ", &line->name);
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown directive \"%V\" in \"%s\" \"%V\": "
                           "expected one of %*s", &value[0],
                           block->experiment ? "ux_experiment" : "ux_funnel",
                           &block->name, (size_t) (p - words), words);
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts < line->min || cf->args->nelts > line->max) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid number of arguments in \"%V\" directive: "
                           "expected \"%s\"", &value[0], line->syntax);
        return NGX_CONF_ERROR;
    }

    if (!line->many && (block->seen & (1u << (line - lines)))) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" directive is duplicate in \"%s\" \"%V\"",
                           &value[0],
                           block->experiment ? "ux_experiment" : "ux_funnel",
                           &block->name);
        return NGX_CONF_ERROR;
    }

    block->seen |= 1u << (line - lines);

    return line->set(cf, block);
}


char *
ngx_http_ux_block_expected(ngx_conf_t *cf, ngx_str_t *word, char *expected)
{
    ngx_str_t  *value, shown;

    value = cf->args->elts;

    shown.data = word->data;
    shown.len = ngx_min(word->len, NGX_HTTP_UX_WORD_SHOWN);

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid value \"%V\" in \"%V\" directive: "
                       "expected %s", &shown, &value[0], expected);

    return NGX_CONF_ERROR;
}
