
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


/* The zone named by zone=, else the first one. */
ngx_int_t
ngx_http_ux_block_zone(ngx_conf_t *cf, ngx_http_ux_block_t *block)
{
    ngx_str_t  *value, name;

    value = cf->args->elts;
    ngx_str_null(&name);

    if (cf->args->nelts == 3) {

        if (ngx_strncmp(value[2].data, "zone=", 5) != 0) {
            (void) ngx_http_ux_block_expected(cf, &value[2], "\"zone=NAME\"");
            return NGX_ERROR;
        }

        name.data = value[2].data + 5;
        name.len = value[2].len - 5;

        if (name.len == 0) {
            (void) ngx_http_ux_block_expected(cf, &value[2], "\"zone=NAME\"");
            return NGX_ERROR;
        }
    }

    block->zone = ngx_http_ux_zone_find(cf, &name);

    if (block->zone == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no \"ux_zone\"%s%V before \"%V %V\"",
                           name.len ? " " : "", &name, &value[0], &value[1]);
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
