
/*
 * Copyright (C) the nginx-ux authors
 *
 * The blocks ux_experiment { } and ux_funnel { }.
 */

#include "ngx_http_ux_module.h"


/* What is being filled while a block is parsed. */
typedef struct {
    ngx_http_ux_zone_t   *zone;
    ux_experiment_t      *experiment;
    ux_funnel_t          *funnel;
    ngx_str_t             name;
    ngx_str_t             salt;
    ngx_uint_t            version;
    uint32_t              seen;            /* words given, by table index */
} ngx_http_ux_block_t;


typedef struct {
    ngx_str_t    name;
    ngx_uint_t   min;                      /* words, the first included */
    ngx_uint_t   max;
    ngx_uint_t   many;                     /* may be given more than once */
    char        *syntax;
    char        *(*set)(ngx_conf_t *cf, ngx_http_ux_block_t *block);
} ngx_http_ux_line_t;


static char *ngx_http_ux_block_parse(ngx_conf_t *cf,
    ngx_http_ux_block_t *block, char *(*handler)(ngx_conf_t *cf,
    ngx_command_t *dummy, void *conf));
static char *ngx_http_ux_block_line(ngx_conf_t *cf,
    ngx_http_ux_block_t *block, ngx_http_ux_line_t *lines);
static char *ngx_http_ux_block_expected(ngx_conf_t *cf, ngx_str_t *word,
    char *expected);
static ngx_int_t ngx_http_ux_block_zone(ngx_conf_t *cf,
    ngx_http_ux_block_t *block);
static char *ngx_http_ux_experiment_line(ngx_conf_t *cf,
    ngx_command_t *dummy, void *conf);
static char *ngx_http_ux_experiment_end(ngx_conf_t *cf,
    ngx_http_ux_block_t *block);
static char *ngx_http_ux_funnel_line(ngx_conf_t *cf, ngx_command_t *dummy,
    void *conf);

static char *ngx_http_ux_variant(ngx_conf_t *cf, ngx_http_ux_block_t *b);
static char *ngx_http_ux_traffic(ngx_conf_t *cf, ngx_http_ux_block_t *b);
static char *ngx_http_ux_salt(ngx_conf_t *cf, ngx_http_ux_block_t *b);
static char *ngx_http_ux_version(ngx_conf_t *cf, ngx_http_ux_block_t *b);
static char *ngx_http_ux_layer(ngx_conf_t *cf, ngx_http_ux_block_t *b);
static char *ngx_http_ux_goal(ngx_conf_t *cf, ngx_http_ux_block_t *b);
static char *ngx_http_ux_metric(ngx_conf_t *cf, ngx_http_ux_block_t *b);
static char *ngx_http_ux_guardrail(ngx_conf_t *cf, ngx_http_ux_block_t *b);
static char *ngx_http_ux_metric_add(ngx_conf_t *cf, ngx_http_ux_block_t *b,
    ux_role_e role, ngx_uint_t from);
static char *ngx_http_ux_metric_word(ngx_conf_t *cf, ux_metric_t *metric,
    ngx_str_t *word);
static char *ngx_http_ux_metric_total(ngx_conf_t *cf,
    ngx_http_ux_block_t *b, ux_metric_t *metric);
static char *ngx_http_ux_window(ngx_conf_t *cf, ngx_http_ux_block_t *b);
static char *ngx_http_ux_sticky(ngx_conf_t *cf, ngx_http_ux_block_t *b);
static char *ngx_http_ux_alpha(ngx_conf_t *cf, ngx_http_ux_block_t *b);
static char *ngx_http_ux_planned(ngx_conf_t *cf, ngx_http_ux_block_t *b);
static char *ngx_http_ux_min_runtime(ngx_conf_t *cf, ngx_http_ux_block_t *b);
static char *ngx_http_ux_cap(ngx_conf_t *cf, ngx_http_ux_block_t *b);
static char *ngx_http_ux_step(ngx_conf_t *cf, ngx_http_ux_block_t *b);
static char *ngx_http_ux_cart(ngx_conf_t *cf, ngx_http_ux_block_t *b);


static ngx_http_ux_line_t  ngx_http_ux_experiment_lines[] = {
    { ngx_string("variant"), 3, 3, 1, "variant NAME WEIGHT;",
      ngx_http_ux_variant },
    { ngx_string("traffic"), 2, 2, 0, "traffic 20%;", ngx_http_ux_traffic },
    { ngx_string("salt"), 2, 2, 0, "salt STRING;", ngx_http_ux_salt },
    { ngx_string("version"), 2, 2, 0, "version N;", ngx_http_ux_version },
    { ngx_string("layer"), 3, 3, 0, "layer NAME 0-50%;", ngx_http_ux_layer },
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


static ngx_http_ux_line_t  ngx_http_ux_funnel_lines[] = {
    { ngx_string("step"), 2, 3, 1, "step EVENT [optional];",
      ngx_http_ux_step },
    { ngx_string("cart"), 2, 3, 0, "cart EVENT [within=60m];",
      ngx_http_ux_cart },
    { ngx_null_string, 0, 0, 0, NULL, NULL }
};


char *
ngx_http_ux_experiment(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ux_main_conf_t *mcf = conf;

    char                 *rv;
    ngx_str_t            *value, *name;
    ngx_uint_t            i;
    ux_experiment_t      *experiment;
    ngx_http_ux_block_t   block;
    ngx_http_ux_place_t  *place;

    ngx_memzero(&block, sizeof(ngx_http_ux_block_t));

    value = cf->args->elts;
    block.name = value[1];

    if (!ux_name_check(ngx_http_ux_str(value[1]))) {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "an experiment's name: a lower-case "
                                          "letter, then letters, digits or "
                                          "\"_\", at most 64 in all");
    }

    if (ngx_http_ux_block_zone(cf, &block) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    /* unique over all zones: variables are named after experiments */

    name = mcf->names.elts;

    for (i = 0; i < mcf->names.nelts; i++) {
        if (name[i].len == value[1].len
            && ngx_memcmp(name[i].data, value[1].data, value[1].len) == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate \"ux_experiment\" \"%V\"",
                               &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    if (block.zone->experiments.nelts == UX_EXPERIMENTS_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "too many experiments at \"%V\": a zone holds %d",
                           &value[1], UX_EXPERIMENTS_MAX);
        return NGX_CONF_ERROR;
    }

    name = ngx_array_push(&mcf->names);
    place = ngx_array_push(&block.zone->places);
    experiment = ngx_array_push(&block.zone->experiments);

    if (name == NULL || place == NULL || experiment == NULL) {
        return NGX_CONF_ERROR;
    }

    *name = value[1];
    ngx_http_ux_place(cf, place);

    ngx_memzero(experiment, sizeof(ux_experiment_t));

    experiment->name = ngx_http_ux_str(value[1]);
    experiment->version = 1;
    experiment->traffic = 1.0;
    experiment->sticky = true;
    experiment->window_ms = (uint64_t) 7 * 24 * 60 * 60 * 1000;
    experiment->alpha = 0.05;
    experiment->planned = 10000;
    experiment->min_runtime_s = 7 * 24 * 60 * 60;

    block.experiment = experiment;

    rv = ngx_http_ux_block_parse(cf, &block, ngx_http_ux_experiment_line);

    return (rv == NGX_CONF_OK) ? ngx_http_ux_experiment_end(cf, &block) : rv;
}


char *
ngx_http_ux_funnel(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                 *rv;
    ngx_str_t            *value;
    ngx_uint_t            i;
    ux_model_t           *model;
    ux_funnel_t          *funnel;
    ngx_http_ux_block_t   block;
    ngx_http_ux_place_t  *place;

    ngx_memzero(&block, sizeof(ngx_http_ux_block_t));

    value = cf->args->elts;
    block.name = value[1];

    if (!ux_name_check(ngx_http_ux_str(value[1]))) {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "a funnel's name: a lower-case "
                                          "letter, then letters, digits or "
                                          "\"_\", at most 64 in all");
    }

    if (ngx_http_ux_block_zone(cf, &block) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    model = &block.zone->model;

    for (i = 0; i < model->nfunnels; i++) {
        if (ux_str_equal(model->funnels[i].name, ngx_http_ux_str(value[1])))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate \"ux_funnel\" \"%V\"", &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    if (model->nfunnels == UX_FUNNELS_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "too many funnels at \"%V\": a zone holds %d",
                           &value[1], UX_FUNNELS_MAX);
        return NGX_CONF_ERROR;
    }

    place = ngx_array_push(&block.zone->funnel_places);
    if (place == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_http_ux_place(cf, place);

    funnel = &model->funnels[model->nfunnels++];
    funnel->name = ngx_http_ux_str(value[1]);
    funnel->cart_event = UX_SLOT_NONE;
    funnel->cart = UX_SLOT_NONE;
    block.funnel = funnel;

    rv = ngx_http_ux_block_parse(cf, &block, ngx_http_ux_funnel_line);

    if (rv == NGX_CONF_OK && funnel->nsteps == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no step in \"ux_funnel\" \"%V\": expected at "
                           "least one \"step EVENT;\"", &block.name);
        return NGX_CONF_ERROR;
    }

    return rv;
}


static ngx_int_t
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


static char *
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


static char *
ngx_http_ux_experiment_line(ngx_conf_t *cf, ngx_command_t *dummy, void *conf)
{
    return ngx_http_ux_block_line(cf, conf, ngx_http_ux_experiment_lines);
}


static char *
ngx_http_ux_funnel_line(ngx_conf_t *cf, ngx_command_t *dummy, void *conf)
{
    return ngx_http_ux_block_line(cf, conf, ngx_http_ux_funnel_lines);
}


static char *
ngx_http_ux_block_line(ngx_conf_t *cf, ngx_http_ux_block_t *block,
    ngx_http_ux_line_t *lines)
{
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
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown directive \"%V\" in \"%s\" \"%V\"",
                           &value[0],
                           block->experiment ? "ux_experiment" : "ux_funnel",
                           &block->name);
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


static char *
ngx_http_ux_block_expected(ngx_conf_t *cf, ngx_str_t *word, char *expected)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid value \"%V\" in \"%V\" directive: "
                       "expected %s", word, &value[0], expected);

    return NGX_CONF_ERROR;
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

    if (ux_experiment_check(e, &error) != UX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ux_experiment\" \"%V\": %s", &block->name,
                           error.message);
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
    ngx_str_t  *value;

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

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_goal(ngx_conf_t *cf, ngx_http_ux_block_t *b)
{
    ngx_uint_t  i;

    for (i = 1; i < cf->args->nelts; i++) {
        if (ngx_http_ux_metric_add(cf, b, UX_ROLE_GOAL, i) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_metric(ngx_conf_t *cf, ngx_http_ux_block_t *b)
{
    return ngx_http_ux_metric_add(cf, b, UX_ROLE_SECONDARY, 1);
}


static char *
ngx_http_ux_guardrail(ngx_conf_t *cf, ngx_http_ux_block_t *b)
{
    return ngx_http_ux_metric_add(cf, b, UX_ROLE_GUARDRAIL, 1);
}


/*
 * Word `from` is the event; those behind it, but for a goal, its parameters.
 * A metric line about the goal or a guardrail refines that one.
 */
static char *
ngx_http_ux_metric_add(ngx_conf_t *cf, ngx_http_ux_block_t *b,
    ux_role_e role, ngx_uint_t from)
{
    ngx_str_t        *value;
    ngx_uint_t        i;
    ux_metric_t       metric, *old;
    ux_experiment_t  *e;

    value = cf->args->elts;
    e = b->experiment;

    ngx_memzero(&metric, sizeof(ux_metric_t));
    metric.role = role;
    metric.margin = 0.01;

    if (ngx_strcmp(value[from].data, "revenue") == 0) {
        metric.event = UX_METRIC_REVENUE;
        metric.type = UX_METRIC_MEAN;

    } else {

        if (!ux_name_check(ngx_http_ux_str(value[from]))) {
            return ngx_http_ux_block_expected(cf, &value[from],
                                              "an event's name: a lower-case "
                                              "letter, then letters, digits "
                                              "or \"_\", at most 64 in all");
        }

        if (ux_model_event_add(&b->zone->model, ngx_http_ux_str(value[from]),
                               &metric.event)
            != UX_OK)
        {
            return ngx_http_ux_block_expected(cf, &value[from],
                                              "at most 64 event names in a "
                                              "zone");
        }
    }

    for (i = from + 1; role != UX_ROLE_GOAL && i < cf->args->nelts; i++) {
        if (ngx_http_ux_metric_word(cf, &metric, &value[i]) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_http_ux_metric_total(cf, b, &metric) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < e->nmetrics; i++) {
        old = &e->metrics[i];

        if (old->event != metric.event || old->type != metric.type) {
            continue;
        }

        if (old->role == role) {
            return ngx_http_ux_block_expected(cf, &value[from],
                                              "each metric once");
        }

        if (old->role == UX_ROLE_GUARDRAIL || role == UX_ROLE_GUARDRAIL) {
            return ngx_http_ux_block_expected(cf, &value[from],
                                              "a guardrail that is not also "
                                              "a goal or a metric");
        }

        /* goal and metric: one entry, the metric line's direction */

        if (role == UX_ROLE_SECONDARY) {
            old->lower_is_better = metric.lower_is_better;

        } else {
            old->role = UX_ROLE_GOAL;
        }

        return NGX_CONF_OK;
    }

    if (e->nmetrics == UX_METRICS_MAX) {
        return ngx_http_ux_block_expected(cf, &value[from],
                                          "at most 64 metrics");
    }

    e->metrics[e->nmetrics++] = metric;

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_metric_word(ngx_conf_t *cf, ux_metric_t *metric, ngx_str_t *word)
{
    static char  *types[] = { "conversion", "mean", "count", "ratio" };

    ngx_str_t   s;
    ngx_uint_t  i;

    if (ngx_strcmp(word->data, "better=higher") == 0) {
        metric->lower_is_better = false;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(word->data, "better=lower") == 0) {
        metric->lower_is_better = true;
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(word->data, "type=", 5) == 0) {

        for (i = 0; i < 4; i++) {
            if (ngx_strcmp(word->data + 5, types[i]) == 0) {

                if (metric->event == UX_METRIC_REVENUE
                    && i != UX_METRIC_MEAN)
                {
                    break;
                }

                metric->type = (ux_metric_type_e) i;
                return NGX_CONF_OK;
            }
        }

        return ngx_http_ux_block_expected(cf, word,
                                          "type=conversion, type=mean, "
                                          "type=count or type=ratio (revenue "
                                          "is a mean)");
    }

    if (metric->role == UX_ROLE_GUARDRAIL
        && ngx_strncmp(word->data, "margin=", 7) == 0)
    {
        s.data = word->data + 7;
        s.len = word->len - 7;

        if (ux_number_percent(ngx_http_ux_str(s), &metric->margin) == UX_OK)
        {
            return NGX_CONF_OK;
        }

        return ngx_http_ux_block_expected(cf, word, "margin=1%");
    }

    return ngx_http_ux_block_expected(cf, word,
                                      (metric->role == UX_ROLE_GUARDRAIL)
                                      ? "better=, type= or margin="
                                      : "better= or type=");
}


/* Everything but a conversion needs a sum in every visitor's record. */
static char *
ngx_http_ux_metric_total(ngx_conf_t *cf, ngx_http_ux_block_t *b,
    ux_metric_t *metric)
{
    unsigned     i;
    ux_total_t  *total;
    ux_model_t  *model;

    model = &b->zone->model;

    if (metric->type == UX_METRIC_CONVERSION
        || metric->event == UX_METRIC_REVENUE)
    {
        return NGX_CONF_OK;
    }

    for (i = 1; i < model->ntotals; i++) {
        if (model->totals[i].event == metric->event
            && model->totals[i].type == metric->type)
        {
            metric->total = (uint8_t) i;
            return NGX_CONF_OK;
        }
    }

    if (model->ntotals >= b->zone->params.totals) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "metrics of \"ux_zone\" \"%V\" need more than %ui "
                           "sums a visitor (revenue is one): raise its "
                           "\"totals=\"", &b->zone->name,
                           (ngx_uint_t) b->zone->params.totals);
        return NGX_CONF_ERROR;
    }

    metric->total = (uint8_t) model->ntotals;
    total = &model->totals[model->ntotals++];
    total->event = metric->event;
    total->type = metric->type;

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

    if (ms == NGX_ERROR || ms == 0) {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "a time above zero, like \"7d\", "
                                          "or \"off\"");
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

    if (s == NGX_ERROR) {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "a time, like \"7d\" or \"0\"");
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


static char *
ngx_http_ux_step(ngx_conf_t *cf, ngx_http_ux_block_t *b)
{
    ngx_str_t    *value;
    ux_step_t    *step;

    value = cf->args->elts;

    if (b->funnel->nsteps == UX_FUNNEL_STEPS_MAX) {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "at most 16 steps in a funnel");
    }

    step = &b->funnel->steps[b->funnel->nsteps];
    step->optional = false;
    step->slot = UX_SLOT_NONE;

    if (!ux_name_check(ngx_http_ux_str(value[1]))) {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "an event's name: a lower-case "
                                          "letter, then letters, digits or "
                                          "\"_\", at most 64 in all");
    }

    if (cf->args->nelts == 3) {
        if (ngx_strcmp(value[2].data, "optional") != 0) {
            return ngx_http_ux_block_expected(cf, &value[2], "\"optional\"");
        }

        step->optional = true;
    }

    if (ux_model_event_add(&b->zone->model, ngx_http_ux_str(value[1]),
                           &step->event)
        != UX_OK)
    {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "at most 64 event names in a zone");
    }

    b->funnel->nsteps++;

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_cart(ngx_conf_t *cf, ngx_http_ux_block_t *b)
{
    ngx_int_t   ms;
    ngx_str_t  *value, s;

    value = cf->args->elts;
    ms = 60 * 60 * 1000;

    if (cf->args->nelts == 3) {

        s.data = value[2].data + 7;
        s.len = value[2].len - 7;

        if (ngx_strncmp(value[2].data, "within=", 7) != 0) {
            return ngx_http_ux_block_expected(cf, &value[2],
                                              "\"within=60m\"");
        }

        ms = ngx_parse_time(&s, 0);

        if (ms == NGX_ERROR || ms < 1000) {
            return ngx_http_ux_block_expected(cf, &value[2],
                                              "a time of at least 1s, like "
                                              "\"within=60m\"");
        }
    }

    if (!ux_name_check(ngx_http_ux_str(value[1]))
        || ngx_strcmp(value[1].data, "purchase") == 0)
    {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "the event that opens a cart, like "
                                          "\"add_to_cart\"");
    }

    if (ux_model_event_add(&b->zone->model, ngx_http_ux_str(value[1]),
                           &b->funnel->cart_event)
        != UX_OK)
    {
        return ngx_http_ux_block_expected(cf, &value[1],
                                          "at most 64 event names in a zone");
    }

    b->funnel->within_ms = (uint64_t) ms;

    return NGX_CONF_OK;
}
