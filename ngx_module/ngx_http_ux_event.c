
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_event: an event told by a location.
 */

#include "ngx_http_ux_request.h"


static char *ngx_http_ux_event_word(ngx_conf_t *cf, ngx_http_ux_event_t *event,
    ngx_str_t *word);
static char *ngx_http_ux_event_complex(ngx_conf_t *cf,
    ngx_http_complex_value_t **cv, ngx_str_t *s);
static char *ngx_http_ux_event_methods(ngx_conf_t *cf,
    ngx_http_ux_event_t *event, ngx_str_t *s);
static char *ngx_http_ux_event_statuses(ngx_conf_t *cf,
    ngx_http_ux_event_t *event, ngx_str_t *s);
static ngx_int_t ngx_http_ux_event_range(u_char *p, size_t len,
    ngx_http_ux_range_t *range);


static ngx_conf_bitmask_t  ngx_http_ux_event_method_names[] = {
    { ngx_string("GET"), NGX_HTTP_GET },
    { ngx_string("HEAD"), NGX_HTTP_HEAD },
    { ngx_string("POST"), NGX_HTTP_POST },
    { ngx_string("PUT"), NGX_HTTP_PUT },
    { ngx_string("PATCH"), NGX_HTTP_PATCH },
    { ngx_string("DELETE"), NGX_HTTP_DELETE },
    { ngx_null_string, 0 }
};


char *
ngx_http_ux_event(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ux_loc_conf_t *lcf = conf;

    char                     *rv;
    ngx_str_t                *value;
    ngx_uint_t                i;
    ngx_http_ux_event_t      *event, **pevent;
    ngx_http_ux_main_conf_t  *mcf;

    value = cf->args->elts;
    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ux_module);

    if (!ux_name_check(ngx_http_ux_str(value[1]))) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid event name \"%V\" in \"ux_event\": "
                           "expected a lower-case letter, then letters, "
                           "digits or \"_\", at most 64 in all", &value[1]);
        return NGX_CONF_ERROR;
    }

    event = ngx_pcalloc(cf->pool, sizeof(ngx_http_ux_event_t));
    if (event == NULL) {
        return NGX_CONF_ERROR;
    }

    event->name = value[1];
    ngx_http_ux_place(cf, &event->place);

    for (i = 2; i < cf->args->nelts; i++) {
        rv = ngx_http_ux_event_word(cf, event, &value[i]);

        if (rv != NGX_CONF_OK) {
            if (rv != NGX_CONF_ERROR) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid parameter \"%V\" of \"ux_event\":"
                                   " expected %s", &value[i], rv);
            }

            return NGX_CONF_ERROR;
        }
    }

    if (lcf->events == NULL) {
        lcf->events = ngx_array_create(cf->pool, 2,
                                       sizeof(ngx_http_ux_event_t *));
        if (lcf->events == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    pevent = ngx_array_push(lcf->events);
    if (pevent == NULL) {
        return NGX_CONF_ERROR;
    }

    *pevent = event;

    pevent = ngx_array_push(&mcf->events);
    if (pevent == NULL) {
        return NGX_CONF_ERROR;
    }

    *pevent = event;

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_event_word(ngx_conf_t *cf, ngx_http_ux_event_t *event,
    ngx_str_t *word)
{
    u_char     *p;
    int64_t     minor;
    ngx_str_t   key, s;

    p = ngx_strlchr(word->data, word->data + word->len, '=');

    if (p == NULL) {
        return "value=, currency=, id=, if=, method=, status= or zone=";
    }

    key.data = word->data;
    key.len = p - word->data;
    s.data = p + 1;
    s.len = word->len - key.len - 1;

    if (s.len == 0) {
        return "something behind \"=\"";
    }

    if (key.len == 5 && ngx_memcmp(key.data, "value", 5) == 0) {

        if (ngx_http_script_variables_count(&s) == 0
            && ux_money_parse(ngx_http_ux_str(s), 0, &minor) != UX_OK)
        {
            return "a variable or an amount, like \"value=$cart_total\" or "
                   "\"value=4.90\"";
        }

        return ngx_http_ux_event_complex(cf, &event->value, &s);
    }

    if (key.len == 8 && ngx_memcmp(key.data, "currency", 8) == 0) {

        if (ngx_http_script_variables_count(&s) == 0
            && ux_currency_find(ngx_http_ux_str(s)) < 0)
        {
            return "a variable or a currency of ISO 4217, like "
                   "\"currency=EUR\"";
        }

        return ngx_http_ux_event_complex(cf, &event->currency, &s);
    }

    if (key.len == 2 && ngx_memcmp(key.data, "id", 2) == 0) {
        return ngx_http_ux_event_complex(cf, &event->id, &s);
    }

    if (key.len == 2 && ngx_memcmp(key.data, "if", 2) == 0) {

        if (ngx_http_script_variables_count(&s) == 0) {
            return "a variable, like \"if=$paid\"";
        }

        return ngx_http_ux_event_complex(cf, &event->condition, &s);
    }

    if (key.len == 6 && ngx_memcmp(key.data, "method", 6) == 0) {
        return ngx_http_ux_event_methods(cf, event, &s);
    }

    if (key.len == 6 && ngx_memcmp(key.data, "status", 6) == 0) {
        return ngx_http_ux_event_statuses(cf, event, &s);
    }

    if (key.len == 4 && ngx_memcmp(key.data, "zone", 4) == 0) {

        if (event->zone != NULL) {
            return "each parameter once";
        }

        event->zone = ngx_http_ux_zone_find(cf, &s);
        return event->zone ? NGX_CONF_OK : "the name of an ux_zone above";
    }

    return "value=, currency=, id=, if=, method=, status= or zone=";
}


static char *
ngx_http_ux_event_complex(ngx_conf_t *cf, ngx_http_complex_value_t **cv,
    ngx_str_t *s)
{
    ngx_http_compile_complex_value_t  ccv;

    if (*cv != NULL) {
        return "each parameter once";
    }

    *cv = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (*cv == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = s;
    ccv.complex_value = *cv;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* "POST", "GET,POST" */
static char *
ngx_http_ux_event_methods(ngx_conf_t *cf, ngx_http_ux_event_t *event,
    ngx_str_t *s)
{
    u_char              *p, *last, *end;
    ngx_conf_bitmask_t  *m;

    if (event->methods != 0) {
        return "each parameter once";
    }

    last = s->data + s->len;

    for (p = s->data; p <= last; p = end + 1) {
        end = ngx_strlchr(p, last, ',');

        if (end == NULL) {
            end = last;
        }

        for (m = ngx_http_ux_event_method_names; m->name.len; m++) {
            if (m->name.len == (size_t) (end - p)
                && ngx_memcmp(m->name.data, p, m->name.len) == 0)
            {
                break;
            }
        }

        if (m->name.len == 0) {
            return "GET, HEAD, POST, PUT, PATCH or DELETE, like "
                   "\"method=GET,POST\"";
        }

        event->methods |= m->mask;
    }

    return NGX_CONF_OK;
}


/* "200", "2xx", "200-299", "2xx,404" */
static char *
ngx_http_ux_event_statuses(ngx_conf_t *cf, ngx_http_ux_event_t *event,
    ngx_str_t *s)
{
    u_char               *p, *last, *end;
    ngx_http_ux_range_t  *range;

    if (event->statuses != NULL) {
        return "each parameter once";
    }

    event->statuses = ngx_array_create(cf->pool, 2,
                                       sizeof(ngx_http_ux_range_t));
    if (event->statuses == NULL) {
        return NGX_CONF_ERROR;
    }

    last = s->data + s->len;

    for (p = s->data; p <= last; p = end + 1) {
        end = ngx_strlchr(p, last, ',');

        if (end == NULL) {
            end = last;
        }

        range = ngx_array_push(event->statuses);
        if (range == NULL) {
            return NGX_CONF_ERROR;
        }

        if (ngx_http_ux_event_range(p, end - p, range) != NGX_OK) {
            return "status codes, like \"status=200\", \"status=2xx,404\" "
                   "or \"status=200-299\"";
        }
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_ux_event_range(u_char *p, size_t len, ngx_http_ux_range_t *range)
{
    ngx_int_t  from, to;

    if (len == 3 && p[0] >= '1' && p[0] <= '5' && p[1] == 'x' && p[2] == 'x')
    {
        range->from = (p[0] - '0') * 100;
        range->to = range->from + 99;
        return NGX_OK;
    }

    if (len != 3 && (len != 7 || p[3] != '-')) {
        return NGX_ERROR;
    }

    from = ngx_atoi(p, 3);
    to = (len == 7) ? ngx_atoi(p + 4, 3) : from;

    if (from < 100 || to > 599 || from > to) {
        return NGX_ERROR;
    }

    range->from = from;
    range->to = to;

    return NGX_OK;
}


/* Does the answer about to be sent make this event happen? */
ngx_uint_t
ngx_http_ux_event_happened(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_http_ux_event_t *event)
{
    ngx_uint_t            i, status;
    ngx_http_ux_range_t  *range;

    status = r->headers_out.status;

    if (event->methods != 0 && !(event->methods & ctx->method)) {
        return 0;
    }

    if (event->statuses == NULL) {

        if (status < 200 || status > 399) {
            return 0;
        }

    } else {
        range = event->statuses->elts;

        for (i = 0; i < event->statuses->nelts; i++) {
            if (status >= range[i].from && status <= range[i].to) {
                break;
            }
        }

        if (i == event->statuses->nelts) {
            return 0;
        }
    }

    return event->condition == NULL
           || ngx_http_ux_is_true(r, event->condition);
}


/*
 * The event with its parameters as of now.  NGX_DECLINED: a parameter is bad;
 * NGX_ERROR: out of memory.
 */
ngx_int_t
ngx_http_ux_event_evaluate(ngx_http_request_t *r, ngx_http_ux_event_t *event,
    ux_event_t *out)
{
    ngx_str_t  value, currency, id;

    ngx_str_null(&value);
    ngx_str_null(&currency);
    ngx_str_null(&id);

    if ((event->value != NULL
         && ngx_http_complex_value(r, event->value, &value) != NGX_OK)
        || (event->currency != NULL
            && ngx_http_complex_value(r, event->currency, &currency)
               != NGX_OK)
        || (event->id != NULL
            && ngx_http_complex_value(r, event->id, &id) != NGX_OK))
    {
        return NGX_ERROR;
    }

    ngx_memzero(out, sizeof(ux_event_t));
    out->event = event->event;

    return ngx_http_ux_event_fill(event->zone, out, ngx_http_ux_str(value),
                                  ngx_http_ux_str(currency),
                                  ngx_http_ux_str(id));
}


/*
 * value, currency and id as they came (len 0: absent) into the event.
 * NGX_DECLINED: bad, the event may not be recorded.
 */
ngx_int_t
ngx_http_ux_event_fill(ngx_http_ux_zone_t *zone, ux_event_t *event,
    ux_str_t value, ux_str_t currency, ux_str_t id)
{
    int          index;
    ux_status_t  rc;

    index = (int) zone->model.currency;
    event->currency = UX_CURRENCY_ZONE;

    if (currency.len != 0) {
        index = ux_currency_find(currency);

        if (index < 0) {
            return NGX_DECLINED;
        }

        if ((unsigned) index != zone->model.currency) {
            event->currency = (uint16_t) index;
        }
    }

    if (value.len != 0) {
        if (ux_survey_of(&zone->model, event->event) == UX_SURVEYS) {
            rc = ux_money_parse(value,
                                ux_currency_exponent((unsigned) index),
                                &event->value);

        } else {

            /* a number, whatever the currency said */

            event->currency = UX_CURRENCY_ZONE;
            rc = ux_survey_parse(value,
                                 ux_currency_exponent(zone->model.currency),
                                 &event->value);
        }

        if (rc != UX_OK) {
            return NGX_DECLINED;
        }

        event->has_value = true;
    }

    if (id.len != 0) {

        /* per event name; 0 would say "no id" */

        event->id_hash = ux_hash_keyed(zone->store.head->index_key, id);
        event->id_hash ^= (uint64_t) (event->event + 1)
                          * 0x9e3779b97f4a7c15ull;
        event->id_hash |= (event->id_hash == 0);
    }

    return NGX_OK;
}
