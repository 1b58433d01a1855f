
/*
 * Copyright (C) the nginx-ux authors
 *
 * Setters of ux_expose, ux_secret, ux_header, ux_stats, and what can only be
 * checked once all of http { } is known.
 */

#include "ngx_http_ux_request.h"


static char *ngx_http_ux_expose_word(ngx_conf_t *cf,
    ngx_http_ux_expose_t *expose, ngx_str_t *word);
static ngx_int_t ngx_http_ux_resolve_model(ngx_conf_t *cf,
    ngx_http_ux_zone_t *zone);
static ngx_int_t ngx_http_ux_resolve_expose(ngx_conf_t *cf,
    ngx_http_ux_expose_t *expose);
static ngx_int_t ngx_http_ux_resolve_name(ngx_conf_t *cf,
    ngx_http_ux_expose_t *expose, ngx_str_t *name);
static ngx_int_t ngx_http_ux_resolve_event(ngx_conf_t *cf,
    ngx_http_ux_event_t *event);


/* What requests cannot be without. */
static ngx_str_t  ngx_http_ux_taken_headers[] = {
    ngx_string("Accept"),
    ngx_string("Authorization"),
    ngx_string("Connection"),
    ngx_string("Content-Length"),
    ngx_string("Content-Type"),
    ngx_string("Cookie"),
    ngx_string("Host"),
    ngx_string("Origin"),
    ngx_string("Range"),
    ngx_string("Referer"),
    ngx_string("Transfer-Encoding"),
    ngx_string("Upgrade"),
    ngx_string("User-Agent"),
    ngx_string("X-Forwarded-For"),
    ngx_string("X-UX-Event"),
    ngx_null_string
};


char *
ngx_http_ux_expose(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ux_loc_conf_t *lcf = conf;

    ngx_str_t                *value;
    ngx_uint_t                i;
    ngx_http_ux_expose_t     *expose, **pexpose;
    ngx_http_ux_main_conf_t  *mcf;

    if (lcf->expose != NULL) {
        return "is duplicate";
    }

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ux_module);

    expose = ngx_pcalloc(cf->pool, sizeof(ngx_http_ux_expose_t));
    pexpose = ngx_array_push(&mcf->exposes);

    if (expose == NULL || pexpose == NULL
        || ngx_array_init(&expose->names, cf->pool, 2, sizeof(ngx_str_t))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    *pexpose = expose;
    lcf->expose = expose;
    ngx_http_ux_place(cf, &expose->place);

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_http_ux_word_twice(cf, i)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" twice in \"ux_expose\": expected each "
                               "parameter once", &value[i]);
            return NGX_CONF_ERROR;
        }

        if (ngx_http_ux_expose_word(cf, expose, &value[i]) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (expose->off + expose->all + (expose->names.nelts > 0) != 1
        || (expose->off && cf->args->nelts != 2))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ux_expose %V ...\": expected either names of "
                           "experiments, or \"all\", or \"off\" alone",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_expose_word(ngx_conf_t *cf, ngx_http_ux_expose_t *expose,
    ngx_str_t *word)
{
    ngx_str_t  *name;

    if (ngx_strcmp(word->data, "requests=any") == 0) {
        expose->any = 1;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(word->data, "requests=navigation") == 0) {
        expose->any = 0;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(word->data, "all") == 0) {
        expose->all = 1;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(word->data, "off") == 0) {
        expose->off = 1;
        return NGX_CONF_OK;
    }

    if (!ux_name_check(ngx_http_ux_str(*word))) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" of \"ux_expose\": "
                           "expected names of experiments, \"all\", "
                           "\"off\" or \"requests=navigation|any\"",
                           word);
        return NGX_CONF_ERROR;
    }

    name = ngx_array_push(&expose->names);
    if (name == NULL) {
        return NGX_CONF_ERROR;
    }

    *name = *word;

    return NGX_CONF_OK;
}


char *
ngx_http_ux_secret(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ux_main_conf_t *mcf = conf;

    ngx_str_t  *value;

    if (mcf->secret.file.data != NULL) {
        return "is duplicate";
    }

    ngx_http_ux_place(cf, &mcf->secret);

    value = cf->args->elts;

    if (value[1].len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "empty name \"\" in \"ux_secret\": expected a file "
                           "of keys, one a line");
        return NGX_CONF_ERROR;
    }

    if (ngx_conf_full_name(cf->cycle, &value[1], 1) != NGX_OK
        || ngx_http_ux_secret_read(cf, &value[1], &mcf->keys) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_ux_header(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ux_loc_conf_t *lcf = conf;

    ngx_str_t   *value;
    ngx_uint_t   i;

    if (lcf->header.data != NULL) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 0; i < value[1].len; i++) {
        if (!isalnum(value[1].data[i]) && value[1].data[i] != '-') {
            break;
        }
    }

    if (i < value[1].len || i == 0 || i > 64) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid header name \"%V\" in \"ux_header\": "
                           "expected letters, digits and \"-\", at most 64",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    for (i = 0; ngx_http_ux_taken_headers[i].len != 0; i++) {
        if (ngx_http_ux_taken_headers[i].len == value[1].len
            && ngx_strncasecmp(ngx_http_ux_taken_headers[i].data,
                               value[1].data, value[1].len)
               == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"ux_header %V\" would take the client's own "
                               "\"%V\" away: expected a name of its own, like "
                               "\"X-UX-Variant\"", &value[1], &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    lcf->header = value[1];

    return NGX_CONF_OK;
}


char *
ngx_http_ux_bots(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ux_srv_conf_t *scf = conf;

    ngx_str_t  *value;

    if (scf->bots != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "exclude") == 0) {
        scf->bots = NGX_HTTP_UX_BOTS_EXCLUDE;

    } else if (ngx_strcmp(value[1].data, "count") == 0) {
        scf->bots = NGX_HTTP_UX_BOTS_COUNT;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"ux_bots\" directive: "
                           "expected \"exclude\" or \"count\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/*
 * A forgotten "$" would make one visitor of all, or consent for all.  Of
 * ux_visitor_key "" turns it off.
 */
char *
ngx_http_ux_variable_slot(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    if (ngx_http_script_variables_count(&value[1]) == 0
        && !(value[1].len == 0
             && cmd->offset == offsetof(ngx_http_ux_loc_conf_t, visitor_key)))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"%V\" directive: "
                           "expected a variable", &value[1], &cmd->name);
        return NGX_CONF_ERROR;
    }

    return ngx_http_set_complex_value_slot(cf, cmd, conf);
}


char *
ngx_http_ux_stats(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ux_loc_conf_t *lcf = conf;

    ngx_str_t                 *value;
    ngx_http_core_loc_conf_t  *clcf;

    if (lcf->stats != NGX_HTTP_UX_STATS_OFF) {
        return "is duplicate";
    }

    value = cf->args->elts;
    lcf->stats = NGX_HTTP_UX_STATS_LOCAL;

    if (cf->args->nelts == 2) {

        if (ngx_strcmp(value[1].data, "any") == 0) {
            lcf->stats = NGX_HTTP_UX_STATS_ANY;

        } else if (ngx_strcmp(value[1].data, "local") != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" of \"ux_stats\": "
                               "expected \"local\" or \"any\"", &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->named || clcf->noname
#if (NGX_PCRE)
        || clcf->regex
#endif
       )
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ux_stats\" in location \"%V\": expected a "
                           "location given by a prefix, its paths are "
                           "relative to it", &clcf->name);
        return NGX_CONF_ERROR;
    }

    if (clcf->exact_match) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"ux_stats\" in location \"= %V\" answers this "
                           "path alone: expected a location given by a "
                           "prefix, its paths are relative to it",
                           &clcf->name);
    }

    clcf->handler = ngx_http_ux_stats_handler;

    return NGX_CONF_OK;
}


ngx_uint_t
ngx_http_ux_word_twice(ngx_conf_t *cf, ngx_uint_t n)
{
    u_char      *p;
    size_t       len;
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    p = ngx_strlchr(value[n].data, value[n].data + value[n].len, '=');
    len = (p == NULL) ? value[n].len : (size_t) (p + 1 - value[n].data);

    for (i = 1; i < n; i++) {
        if ((p == NULL) ? value[i].len == len : value[i].len >= len) {
            if (ngx_memcmp(value[i].data, value[n].data, len) == 0) {
                return 1;
            }
        }
    }

    return 0;
}


ngx_int_t
ngx_http_ux_conf_resolve(ngx_conf_t *cf, ngx_http_ux_main_conf_t *mcf)
{
    ngx_uint_t               i, first;
    ngx_http_ux_zone_t     **zones;
    ngx_http_ux_event_t    **events;
    ngx_http_ux_expose_t   **exposes;
    ngx_http_ux_collect_t  **collects;

    events = mcf->events.elts;

    for (i = 0; i < mcf->events.nelts; i++) {
        if (ngx_http_ux_resolve_event(cf, events[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    zones = mcf->zones.elts;

    first = 0;

    for (i = 0; i < mcf->zones.nelts; i++) {
        zones[i]->ordinal = i;
        zones[i]->first = first;
        first += zones[i]->experiments.nelts;

        zones[i]->model.experiments = zones[i]->experiments.elts;
        zones[i]->model.nexperiments = (unsigned) zones[i]->experiments.nelts;

        ngx_memcpy(zones[i]->keys, mcf->keys.elts,
                   mcf->keys.nelts * sizeof(ux_str_t));
        zones[i]->nkeys = mcf->keys.nelts;
        zones[i]->shared_cookie = (mcf->zones.nelts > 1);

        if (ngx_http_ux_metrics_default(zones[i]) != NGX_OK
            || ngx_http_ux_resolve_model(cf, zones[i]) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    exposes = mcf->exposes.elts;

    for (i = 0; i < mcf->exposes.nelts; i++) {
        if (ngx_http_ux_resolve_expose(cf, exposes[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    collects = mcf->collects.elts;

    for (i = 0; i < mcf->collects.nelts; i++) {
        if (ngx_http_ux_collect_resolve(cf, collects[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return ngx_http_ux_variants_prepare(cf, mcf);
}


static ngx_int_t
ngx_http_ux_resolve_model(ngx_conf_t *cf, ngx_http_ux_zone_t *zone)
{
    int                   experiment, funnel;
    ux_error_t            error;
    ngx_http_ux_place_t  *place;

    experiment = -1;
    funnel = -1;

    if (ux_model_check(&zone->model, &experiment, &funnel, &error) == UX_OK) {
        return NGX_OK;
    }

    place = &zone->place;

    if (experiment >= 0) {
        place = (ngx_http_ux_place_t *) zone->places.elts + experiment;

    } else if (funnel >= 0) {
        place = (ngx_http_ux_place_t *) zone->funnel_places.elts + funnel;
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "%s in %V:%ui", error.message,
                  &place->file, place->line);

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_ux_resolve_expose(ngx_conf_t *cf, ngx_http_ux_expose_t *expose)
{
    ngx_str_t   *name, none;
    ngx_uint_t   i;

    if (expose->off) {
        return NGX_OK;
    }

    ngx_str_null(&none);
    name = expose->names.elts;

    if (expose->all) {
        expose->zone = ngx_http_ux_zone_find(cf, &none);

        if (expose->zone == NULL) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "no \"ux_zone\" for \"ux_expose all\" in %V:%ui",
                          &expose->place.file, expose->place.line);
            return NGX_ERROR;
        }

        expose->n = expose->zone->experiments.nelts;

    } else {
        expose->n = 0;
    }

    expose->experiments = ngx_pcalloc(cf->pool,
                                      (expose->n + expose->names.nelts)
                                      * sizeof(ngx_uint_t) + 1);
    if (expose->experiments == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < expose->n; i++) {
        expose->experiments[i] = i;
    }

    for (i = 0; i < expose->names.nelts; i++) {
        if (ngx_http_ux_resolve_name(cf, expose, &name[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_ux_resolve_name(ngx_conf_t *cf, ngx_http_ux_expose_t *expose,
    ngx_str_t *name)
{
    ngx_uint_t                i, k;
    ux_experiment_t          *e;
    ngx_http_ux_zone_t      **zones;
    ngx_http_ux_main_conf_t  *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ux_module);
    zones = mcf->zones.elts;

    for (i = 0; i < mcf->zones.nelts; i++) {
        e = zones[i]->experiments.elts;

        for (k = 0; k < zones[i]->experiments.nelts; k++) {
            if (ux_str_equal(e[k].name, ngx_http_ux_str(*name))) {
                goto found;
            }
        }
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "unknown experiment \"%V\" in \"ux_expose\": expected the "
                  "name of an \"ux_experiment\" in %V:%ui", name,
                  &expose->place.file, expose->place.line);

    return NGX_ERROR;

found:

    if (expose->zone != NULL && expose->zone != zones[i]) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "experiment \"%V\" in \"ux_expose\" is in another zone "
                      "than those before it: expected one zone in %V:%ui",
                      name, &expose->place.file, expose->place.line);
        return NGX_ERROR;
    }

    expose->zone = zones[i];

    for (i = 0; i < expose->n; i++) {
        if (expose->experiments[i] == k) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "experiment \"%V\" twice in \"ux_expose\" in "
                          "%V:%ui", name, &expose->place.file,
                          expose->place.line);
            return NGX_ERROR;
        }
    }

    expose->experiments[expose->n++] = k;

    return NGX_OK;
}


static ngx_int_t
ngx_http_ux_resolve_event(ngx_conf_t *cf, ngx_http_ux_event_t *event)
{
    ngx_str_t  none;

    ngx_str_null(&none);

    if (event->zone == NULL) {
        event->zone = ngx_http_ux_zone_find(cf, &none);
    }

    if (event->zone == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "no \"ux_zone\" for \"ux_event %V\" in %V:%ui",
                      &event->name, &event->place.file, event->place.line);
        return NGX_ERROR;
    }

    if (ux_model_event_add(&event->zone->model, ngx_http_ux_str(event->name),
                           &event->event)
        != UX_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "too many events at \"%V\": a zone holds %d names in "
                      "%V:%ui", &event->name, UX_EVENTS_MAX,
                      &event->place.file, event->place.line);
        return NGX_ERROR;
    }

    return NGX_OK;
}
