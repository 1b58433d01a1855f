
/*
 * Copyright (C) the nginx-ux authors
 *
 * The block ux_experiment { }.
 */

#include "ngx_http_ux_module.h"
#include "ngx_http_ux_block.h"


static ngx_int_t ngx_http_ux_experiment_fits(ngx_conf_t *cf,
    ngx_http_ux_main_conf_t *mcf, ngx_http_ux_block_t *block);
static ngx_int_t ngx_http_ux_experiment_new(ngx_conf_t *cf,
    ngx_http_ux_main_conf_t *mcf, ngx_http_ux_block_t *block);
static char *ngx_http_ux_experiment_line(ngx_conf_t *cf, ngx_command_t *dummy,
    void *conf);
static char *ngx_http_ux_experiment_end(ngx_conf_t *cf,
    ngx_http_ux_block_t *block);
static char *ngx_http_ux_variant(ngx_conf_t *cf, ngx_http_ux_block_t *b);
static char *ngx_http_ux_traffic(ngx_conf_t *cf, ngx_http_ux_block_t *b);
static char *ngx_http_ux_salt(ngx_conf_t *cf, ngx_http_ux_block_t *b);
static char *ngx_http_ux_version(ngx_conf_t *cf, ngx_http_ux_block_t *b);
static char *ngx_http_ux_layer(ngx_conf_t *cf, ngx_http_ux_block_t *b);
static char *ngx_http_ux_window(ngx_conf_t *cf, ngx_http_ux_block_t *b);
static char *ngx_http_ux_sticky(ngx_conf_t *cf, ngx_http_ux_block_t *b);
static char *ngx_http_ux_alpha(ngx_conf_t *cf, ngx_http_ux_block_t *b);
static char *ngx_http_ux_planned(ngx_conf_t *cf, ngx_http_ux_block_t *b);
static char *ngx_http_ux_min_runtime(ngx_conf_t *cf, ngx_http_ux_block_t *b);
static char *ngx_http_ux_cap(ngx_conf_t *cf, ngx_http_ux_block_t *b);


static ngx_http_ux_line_t  ngx_http_ux_experiment_lines[] = {
    { ngx_string("variant"), 3, 3, 1, "variant NAME WEIGHT;",
      ngx_http_ux_variant },
    { ngx_string("traffic"), 2, 2, 0, "traffic 20%;", ngx_http_ux_traffic },
    { ngx_string("salt"), 2, 2, 0, "salt STRING;", ngx_http_ux_salt },
    { ngx_string("version"), 2, 2, 0, "version N;", ngx_http_ux_version },
    { ngx_string("layer"), 3, 3, 0, "layer NAME 0-50%;", ngx_http_ux_layer },
    { ngx_string("target"), 2, 33, 1, "target $variable [VALUE ...];",
      ngx_http_ux_target },
    { ngx_string("start"), 2, 2, 0, "start 2026-01-31T08:00:00Z;",
      ngx_http_ux_start },
    { ngx_string("stop"), 2, 2, 0, "stop 2026-02-28T08:00:00Z;",
      ngx_http_ux_stop },
    { ngx_string("state"), 2, 2, 0, "state running|paused|closed;",
      ngx_http_ux_state },
    { ngx_string("serve"), 2, 2, 0, "serve VARIANT;", ngx_http_ux_serve },
    { ngx_string("equivalence"), 2, 2, 0, "equivalence 2%;",
      ngx_http_ux_equivalence },
    { ngx_string("goal"), 2, 9, 0, "goal EVENT [EVENT ...];",
      ngx_http_ux_goal },
    { ngx_string("metric"), 2, 4, 1, "metric EVENT [better=higher|lower] "
      "[type=conversion|mean|count|ratio];", ngx_http_ux_metric },
    { ngx_string("guardrail"), 2, 5, 1, "guardrail EVENT "
      "[better=higher|lower] [margin=1%] [type=...];",
      ngx_http_ux_guardrail },
    { ngx_string("window"), 2, 2, 0, "window 7d|off;", ngx_http_ux_window },
    { ngx_string("sticky"), 2, 2, 0, "sticky on|off;", ngx_http_ux_sticky },
    { ngx_string("alpha"), 2, 2, 0, "alpha 0.05;", ngx_http_ux_alpha },
    { ngx_string("planned"), 2, 2, 0, "planned VISITORS;",
      ngx_http_ux_planned },
    { ngx_string("min_runtime"), 2, 2, 0, "min_runtime 7d;",
      ngx_http_ux_min_runtime },
    { ngx_string("cap"), 2, 2, 0, "cap 500.00;", ngx_http_ux_cap },
    { ngx_null_string, 0, 0, 0, NULL, NULL }
};


char *
ngx_http_ux_experiment(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ux_main_conf_t *mcf = conf;

    char                 *rv;
    ngx_str_t            *value;
    ngx_http_ux_block_t   block;

    ngx_memzero(&block, sizeof(ngx_http_ux_block_t));

    value = cf->args->elts;
    block.name = value[1];

    if (!ux_name_check(ngx_http_ux_str(value[1]))) {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "an experiment's name: a lower-case "
                                          "letter, then letters, digits or "
                                          "\"_\", at most 64 in all");
    }

    if (ngx_http_ux_block_own(cf, &block) != NGX_OK
        || ngx_http_ux_experiment_fits(cf, mcf, &block) != NGX_OK
        || ngx_http_ux_experiment_new(cf, mcf, &block) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    rv = ngx_http_ux_block_parse(cf, &block, ngx_http_ux_experiment_line);

    return (rv == NGX_CONF_OK) ? ngx_http_ux_experiment_end(cf, &block) : rv;
}


static ngx_int_t
ngx_http_ux_experiment_fits(ngx_conf_t *cf, ngx_http_ux_main_conf_t *mcf,
    ngx_http_ux_block_t *block)
{
    ngx_str_t   *name;
    ngx_uint_t   i;

    /* unique over all zones: variables are named after experiments */

    name = mcf->names.elts;

    for (i = 0; i < mcf->names.nelts; i++) {
        if (name[i].len == block->name.len
            && ngx_memcmp(name[i].data, block->name.data, name[i].len) == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate \"ux_experiment\" \"%V\"",
                               &block->name);
            return NGX_ERROR;
        }
    }

    if (block->zone->experiments.nelts == UX_EXPERIMENTS_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "too many experiments at \"%V\": a zone holds %d",
                           &block->name, UX_EXPERIMENTS_MAX);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* In the zone's lists, with what its lines need not say. */
static ngx_int_t
ngx_http_ux_experiment_new(ngx_conf_t *cf, ngx_http_ux_main_conf_t *mcf,
    ngx_http_ux_block_t *block)
{
    ngx_str_t            *name;
    ngx_array_t         **targets;
    ux_experiment_t      *experiment;
    ngx_http_ux_place_t  *place;

    name = ngx_array_push(&mcf->names);
    place = ngx_array_push(&block->zone->places);
    experiment = ngx_array_push(&block->zone->experiments);
    targets = ngx_array_push(&block->zone->targets);

    if (name == NULL || place == NULL || experiment == NULL
        || targets == NULL)
    {
        return NGX_ERROR;
    }

    *targets = NULL;
    *name = block->name;
    ngx_http_ux_place(cf, &block->place);
    *place = block->place;

    ngx_memzero(experiment, sizeof(ux_experiment_t));

    experiment->name = ngx_http_ux_str(block->name);
    experiment->version = 1;
    experiment->traffic = 1.0;
    experiment->sticky = true;
    experiment->serve = -1;
    experiment->window_ms = (uint64_t) 7 * 24 * 60 * 60 * 1000;
    experiment->alpha = 0.05;
    experiment->planned = 10000;
    experiment->min_runtime_s = 7 * 24 * 60 * 60;

    block->experiment = experiment;

    return NGX_OK;
}


static char *
ngx_http_ux_experiment_line(ngx_conf_t *cf, ngx_command_t *dummy, void *conf)
{
    return ngx_http_ux_block_line(cf, conf, ngx_http_ux_experiment_lines);
}


static char *
ngx_http_ux_experiment_end(ngx_conf_t *cf, ngx_http_ux_block_t *block)
{
    u_char           *p;
    size_t            len;
    ngx_str_t         salt;
    ux_error_t        error;
    ux_experiment_t  *e;

    e = block->experiment;
    salt = block->salt.len ? block->salt : block->name;

    if (block->version) {
        len = salt.len + 1 + NGX_INT32_LEN;

        p = ngx_pnalloc(cf->pool, len);
        if (p == NULL) {
            return NGX_CONF_ERROR;
        }

        salt.len = ngx_snprintf(p, len, "%V#%ui", &salt, block->version) - p;
        salt.data = p;
        e->version = (uint32_t) block->version;
    }

    e->salt = ngx_http_ux_str(salt);

    if (ngx_http_ux_serve_end(cf, block) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (e->start_ms != 0 && e->stop_ms != 0 && e->stop_ms <= e->start_ms) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ux_experiment\" \"%V\" stops before it starts: "
                           "expected \"start\" before \"stop\"",
                           &block->name);
        return NGX_CONF_ERROR;
    }

    if (ux_experiment_check(e, &error) != UX_OK) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"ux_experiment\" \"%V\": %s in %V:%ui",
                      &block->name, error.message, &block->place.file,
                      block->place.line);
        return NGX_CONF_ERROR;
    }

    if (ngx_http_ux_goal_default(cf, block) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_ux_add_experiment_variables(cf, block->zone,
                                         block->zone->experiments.nelts - 1)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_variant(ngx_conf_t *cf, ngx_http_ux_block_t *b)
{
    ngx_str_t     *value;
    unsigned       i;
    ux_variant_t  *variant;

    value = cf->args->elts;

    if (b->experiment->nvariants == UX_VARIANTS_MAX) {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "at most 16 variants");
    }

    if (!ux_variant_name_check(ngx_http_ux_str(value[1]))) {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "a variant's name: a letter, then "
                                          "letters, digits, \"_\", \".\" or "
                                          "\"-\", at most 64 in all");
    }

    for (i = 0; i < b->experiment->nvariants; i++) {
        if (ux_str_equal(b->experiment->variants[i].name,
                         ngx_http_ux_str(value[1])))
        {
            return ngx_http_ux_block_expected(cf, &value[1],
                                              "each variant once");
        }
    }

    variant = &b->experiment->variants[b->experiment->nvariants];
    variant->name = ngx_http_ux_str(value[1]);

    if (ux_number_weight(ngx_http_ux_str(value[2]), &variant->weight)
        != UX_OK)
    {
        return ngx_http_ux_block_expected(cf, &value[2],
                                          "a weight: digits[.digits] up to "
                                          "1000000000, relative to the "
                                          "others");
    }

    b->experiment->nvariants++;

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_traffic(ngx_conf_t *cf, ngx_http_ux_block_t *b)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    if (ux_number_percent(ngx_http_ux_str(value[1]), &b->experiment->traffic)
        != UX_OK)
    {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "a share from 0% to 100%, like "
                                          "\"20%\"");
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_salt(ngx_conf_t *cf, ngx_http_ux_block_t *b)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    if (value[1].len == 0 || value[1].len > 256) {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "1 to 256 characters");
    }

    b->salt = value[1];

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_version(ngx_conf_t *cf, ngx_http_ux_block_t *b)
{
    ngx_int_t   n;
    ngx_str_t  *value;

    value = cf->args->elts;
    n = ngx_atoi(value[1].data, value[1].len);

    if (n < 1 || n > 1000000) {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "a number from 1 to 1000000");
    }

    b->version = n;

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_layer(ngx_conf_t *cf, ngx_http_ux_block_t *b)
{
    ngx_str_t            *value;
    ngx_http_ux_place_t  *place;

    value = cf->args->elts;

    if (!ux_name_check(ngx_http_ux_str(value[1]))) {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "a layer's name: a lower-case "
                                          "letter, then letters, digits or "
                                          "\"_\", at most 64 in all");
    }

    if (ux_number_range(ngx_http_ux_str(value[2]), &b->experiment->layer_lo,
                        &b->experiment->layer_hi)
        != UX_OK)
    {
        return ngx_http_ux_block_expected(cf, &value[2],
                                          "a range within 0-100%, like "
                                          "\"0-50%\"");
    }

    b->experiment->layer = ngx_http_ux_str(value[1]);

    /* what is checked later about an experiment is about its layer */

    place = (ngx_http_ux_place_t *) b->zone->places.elts
            + b->zone->places.nelts - 1;
    ngx_http_ux_place(cf, place);

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_window(ngx_conf_t *cf, ngx_http_ux_block_t *b)
{
    ngx_int_t   ms;
    ngx_str_t  *value;

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        b->experiment->window_ms = 0;
        return NGX_CONF_OK;
    }

    ms = ngx_parse_time(&value[1], 0);

    if (ms == NGX_ERROR || ms == 0 || ms / 1000 > NGX_HTTP_UX_TIME_MAX) {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "a time above zero, at most 3650d, "
                                          "like \"7d\", or \"off\"");
    }

    b->experiment->window_ms = (uint64_t) ms;

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_sticky(ngx_conf_t *cf, ngx_http_ux_block_t *b)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "on") == 0) {
        b->experiment->sticky = true;

    } else if (ngx_strcmp(value[1].data, "off") == 0) {
        b->experiment->sticky = false;

    } else {
        return ngx_http_ux_block_expected(cf, &value[1], "\"on\" or \"off\"");
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_alpha(ngx_conf_t *cf, ngx_http_ux_block_t *b)
{
    double      alpha;
    ngx_str_t  *value;

    value = cf->args->elts;

    if (ux_number_weight(ngx_http_ux_str(value[1]), &alpha) != UX_OK
        || alpha <= 0.0 || alpha > 0.5)
    {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "an error rate above 0, at most "
                                          "0.5, like \"0.05\"");
    }

    b->experiment->alpha = alpha;

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_planned(ngx_conf_t *cf, ngx_http_ux_block_t *b)
{
    ngx_int_t   n;
    ngx_str_t  *value;

    value = cf->args->elts;
    n = ngx_atoi(value[1].data, value[1].len);

    if (n < 100 || n > 1000000000000) {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "visitors of a pair of variants, "
                                          "at least 100");
    }

    b->experiment->planned = (uint64_t) n;

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_min_runtime(ngx_conf_t *cf, ngx_http_ux_block_t *b)
{
    ngx_int_t   s;
    ngx_str_t  *value;

    value = cf->args->elts;
    s = ngx_parse_time(&value[1], 1);

    if (s == NGX_ERROR || s > NGX_HTTP_UX_TIME_MAX) {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "a time of at most 10y, like "
                                          "\"7d\" or \"0\"");
    }

    b->experiment->min_runtime_s = (uint64_t) s;

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_cap(ngx_conf_t *cf, ngx_http_ux_block_t *b)
{
    unsigned    exponent;
    ngx_str_t  *value;

    value = cf->args->elts;
    exponent = ux_currency_exponent(b->zone->model.currency);

    if (ux_money_parse(ngx_http_ux_str(value[1]), exponent,
                       &b->experiment->cap)
            != UX_OK
        || b->experiment->cap == 0)
    {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "an amount above zero in the "
                                          "zone's currency, like \"500.00\"");
    }

    return NGX_CONF_OK;
}
