
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_cookie, and the Set-Cookie line of a newly minted visitor.
 */

#include "ngx_http_ux_request.h"


static char *ngx_http_ux_cookie_word(ngx_conf_t *cf,
    ngx_http_ux_cookie_t *cookie, ngx_str_t *word);
static char *ngx_http_ux_cookie_age(ngx_http_ux_cookie_t *cookie,
    ngx_str_t *s);
static char *ngx_http_ux_cookie_attribute(ngx_str_t *target, ngx_str_t *s,
    ngx_uint_t path);
static ngx_uint_t ngx_http_ux_cookie_choice(ngx_str_t *s, ngx_str_t *names);
static char *ngx_http_ux_cookie_check(ngx_conf_t *cf,
    ngx_http_ux_cookie_t *cookie);
static u_char *ngx_http_ux_cookie_rest(u_char *p,
    ngx_http_ux_cookie_t *cookie, time_t age, ngx_uint_t secure);


/* 400 days: browsers cut there (RFC 6265bis, section 5.5) */
#define NGX_HTTP_UX_MAX_AGE_MAX  (400 * 24 * 60 * 60)


static ngx_str_t  ngx_http_ux_set_cookie = ngx_string("Set-Cookie");


#define NGX_HTTP_UX_SAMESITE_STRICT  1
#define NGX_HTTP_UX_SAMESITE_NONE    2

static ngx_str_t  ngx_http_ux_samesite_names[] = {
    ngx_string("Lax"),
    ngx_string("Strict"),
    ngx_string("None"),
    ngx_null_string
};


#define NGX_HTTP_UX_SECURE_AUTO  0
#define NGX_HTTP_UX_SECURE_ON    1
#define NGX_HTTP_UX_SECURE_OFF   2

static ngx_str_t  ngx_http_ux_secure_names[] = {
    ngx_string("auto"),
    ngx_string("on"),
    ngx_string("off"),
    ngx_null_string
};


ngx_http_ux_cookie_t *
ngx_http_ux_cookie_default(ngx_conf_t *cf)
{
    ngx_http_ux_cookie_t  *cookie;

    cookie = ngx_pcalloc(cf->pool, sizeof(ngx_http_ux_cookie_t));
    if (cookie == NULL) {
        return NULL;
    }

    /* set by ngx_pcalloc(): no domain, SameSite=Lax, secure=auto */

    ngx_str_set(&cookie->name, "ux");
    ngx_str_set(&cookie->path, "/");
    cookie->max_age = 390 * 24 * 60 * 60;

    return cookie;
}


char *
ngx_http_ux_cookie(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ux_srv_conf_t *scf = conf;

    char        *rv;
    u_char       c;
    ngx_str_t   *value;
    ngx_uint_t   i;

    if (scf->cookie != NULL) {
        return "is duplicate";
    }

    scf->cookie = ngx_http_ux_cookie_default(cf);
    if (scf->cookie == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;
    scf->cookie->name = value[1];

    /* the characters of RFC 9110 tokens that need no second thought */

    for (i = 0; i < value[1].len; i++) {
        c = value[1].data[i];

        if (!isalnum(c) && c != '_' && c != '-' && c != '.') {
            break;
        }
    }

    if (i == 0 || i < value[1].len || i > 64) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid cookie name \"%V\" in \"ux_cookie\": "
                           "expected letters, digits, \"_\", \"-\" and \".\","
                           " at most 64", &value[1]);
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {
        rv = ngx_http_ux_word_twice(cf, i)
             ? "each parameter once"
             : ngx_http_ux_cookie_word(cf, scf->cookie, &value[i]);

        if (rv != NGX_CONF_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" of \"ux_cookie\": "
                               "expected %s", &value[i], rv);
            return NGX_CONF_ERROR;
        }
    }

    return ngx_http_ux_cookie_check(cf, scf->cookie);
}


static char *
ngx_http_ux_cookie_word(ngx_conf_t *cf, ngx_http_ux_cookie_t *cookie,
    ngx_str_t *word)
{
    ngx_str_t  s;

    if (ngx_strncmp(word->data, "domain=", 7) == 0) {
        s.data = word->data + 7;
        s.len = word->len - 7;
        return ngx_http_ux_cookie_attribute(&cookie->domain, &s, 0);
    }

    if (ngx_strncmp(word->data, "path=", 5) == 0) {
        s.data = word->data + 5;
        s.len = word->len - 5;
        return ngx_http_ux_cookie_attribute(&cookie->path, &s, 1);
    }

    if (ngx_strncmp(word->data, "max_age=", 8) == 0) {
        s.data = word->data + 8;
        s.len = word->len - 8;
        return ngx_http_ux_cookie_age(cookie, &s);
    }

    if (ngx_strncmp(word->data, "samesite=", 9) == 0) {
        s.data = word->data + 9;
        s.len = word->len - 9;
        cookie->samesite = ngx_http_ux_cookie_choice(&s,
                                                ngx_http_ux_samesite_names);

        return (cookie->samesite == NGX_CONF_UNSET_UINT)
               ? "samesite=Lax, samesite=Strict or samesite=None"
               : NGX_CONF_OK;
    }

    if (ngx_strncmp(word->data, "secure=", 7) == 0) {
        s.data = word->data + 7;
        s.len = word->len - 7;
        cookie->secure = ngx_http_ux_cookie_choice(&s,
                                                   ngx_http_ux_secure_names);

        return (cookie->secure == NGX_CONF_UNSET_UINT)
               ? "secure=auto, secure=on or secure=off"
               : NGX_CONF_OK;
    }

    return "domain=, path=, max_age=, samesite= or secure=";
}


static char *
ngx_http_ux_cookie_age(ngx_http_ux_cookie_t *cookie, ngx_str_t *s)
{
    ngx_int_t  age;

    age = ngx_parse_time(s, 1);

    if (age == NGX_ERROR || age == 0 || age > NGX_HTTP_UX_MAX_AGE_MAX) {
        return "a time from 1s to 400d, where browsers cut it";
    }

    cookie->max_age = age;

    return NGX_CONF_OK;
}


static char *
ngx_http_ux_cookie_attribute(ngx_str_t *target, ngx_str_t *s,
    ngx_uint_t path)
{
    ngx_uint_t  i;

    for (i = 0; i < s->len; i++) {
        if (s->data[i] <= ' ' || s->data[i] >= 0x7f || s->data[i] == ';'
            || s->data[i] == ',')
        {
            break;
        }
    }

    if (s->len == 0 || i < s->len || (path && s->data[0] != '/')) {
        return path ? "a path that begins with \"/\", like \"path=/\""
                    : "a host name, like \"domain=example.com\"";
    }

    *target = *s;

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_http_ux_cookie_choice(ngx_str_t *s, ngx_str_t *names)
{
    ngx_uint_t  i;

    for (i = 0; names[i].len != 0; i++) {
        if (names[i].len == s->len
            && ngx_strncasecmp(names[i].data, s->data, s->len) == 0)
        {
            return i;
        }
    }

    return NGX_CONF_UNSET_UINT;
}


/* What browsers would silently refuse. */
static char *
ngx_http_ux_cookie_check(ngx_conf_t *cf, ngx_http_ux_cookie_t *cookie)
{
    char  *wrong;

    wrong = NULL;

    if (cookie->samesite == NGX_HTTP_UX_SAMESITE_NONE
        && cookie->secure == NGX_HTTP_UX_SECURE_OFF)
    {
        wrong = "samesite=None needs secure=on or secure=auto";
    }

    if (cookie->name.len > 7
        && ngx_strncmp(cookie->name.data, "__Host-", 7) == 0
        && (cookie->domain.len != 0 || cookie->path.len != 1
            || cookie->secure == NGX_HTTP_UX_SECURE_OFF))
    {
        wrong = "a \"__Host-\" cookie has no domain=, path=/ and is secure";
    }

    if (cookie->name.len > 9
        && ngx_strncmp(cookie->name.data, "__Secure-", 9) == 0
        && cookie->secure == NGX_HTTP_UX_SECURE_OFF)
    {
        wrong = "a \"__Secure-\" cookie cannot have secure=off";
    }

    /* these are refused without Secure, on http too */

    if (cookie->samesite == NGX_HTTP_UX_SAMESITE_NONE
        || ngx_strncmp(cookie->name.data, "__Host-", 7) == 0
        || ngx_strncmp(cookie->name.data, "__Secure-", 9) == 0)
    {
        cookie->secure = NGX_HTTP_UX_SECURE_ON;
    }

    if (wrong != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ux_cookie %V\": %s, browsers refuse others",
                           &cookie->name, wrong);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* Prepares the line for a value minted `age` seconds ago. */
ngx_int_t
ngx_http_ux_cookie_make(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    ngx_str_t *value, time_t age)
{
    u_char                  *p;
    size_t                   size;
    ngx_uint_t               secure;
    ngx_http_ux_cookie_t    *cookie;
    ngx_http_ux_srv_conf_t  *scf;

    scf = ngx_http_get_module_srv_conf(r, ngx_http_ux_module);
    cookie = scf->cookie;

    secure = (cookie->secure == NGX_HTTP_UX_SECURE_ON);

#if (NGX_HTTP_SSL)
    if (cookie->secure == NGX_HTTP_UX_SECURE_AUTO
        && r->connection->ssl != NULL)
    {
        secure = 1;
    }
#endif

    size = cookie->name.len + 1 + value->len + cookie->rest[secure].len
           + NGX_TIME_T_LEN;

    p = ngx_pnalloc(r->pool, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ctx->set_cookie.data = p;

    p = ngx_cpymem(p, cookie->name.data, cookie->name.len);
    *p++ = '=';
    p = ngx_cpymem(p, value->data, value->len);

    if (age == 0) {
        p = ngx_cpymem(p, cookie->rest[secure].data,
                       cookie->rest[secure].len);

    } else {
        p = ngx_http_ux_cookie_rest(p, cookie, age, secure);
    }

    ctx->set_cookie.len = p - ctx->set_cookie.data;

    return NGX_OK;
}


/* What is alike in the lines of all new visitors. */
ngx_int_t
ngx_http_ux_cookie_prepare(ngx_conf_t *cf, ngx_http_ux_cookie_t *cookie)
{
    size_t       size;
    ngx_str_t   *rest;
    ngx_uint_t   secure;

    size = sizeof("; Domain=; Path=; Max-Age=; Secure; HttpOnly; "
                  "SameSite=Strict") - 1
           + cookie->domain.len + cookie->path.len + NGX_TIME_T_LEN;

    for (secure = 0; secure < 2; secure++) {
        rest = &cookie->rest[secure];

        rest->data = ngx_pnalloc(cf->pool, size);
        if (rest->data == NULL) {
            return NGX_ERROR;
        }

        rest->len = ngx_http_ux_cookie_rest(rest->data, cookie, 0, secure)
                    - rest->data;
    }

    return NGX_OK;
}


/* Behind the value: how a browser is to keep it. */
static u_char *
ngx_http_ux_cookie_rest(u_char *p, ngx_http_ux_cookie_t *cookie, time_t age,
    ngx_uint_t secure)
{
    return ngx_sprintf(p, "%s%V; Path=%V; Max-Age=%T%s; HttpOnly; "
                       "SameSite=%V", cookie->domain.len ? "; Domain=" : "",
                       &cookie->domain, &cookie->path, cookie->max_age - age,
                       secure ? "; Secure" : "",
                       &ngx_http_ux_samesite_names[cookie->samesite]);
}


/* Takes the cookie back, under the name, path and domain it was given. */
void
ngx_http_ux_cookie_expire(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    ngx_str_t                none;
    ngx_http_ux_srv_conf_t  *scf;

    ngx_str_set(&none, "");
    scf = ngx_http_get_module_srv_conf(r, ngx_http_ux_module);

    (void) ngx_http_ux_cookie_make(r, ctx, &none, scf->cookie->max_age);
}


/*
 * Ours goes out on every status; a cookie of the same name that the
 * application sets would undo it, or let it choose ids, and is removed.
 */
void
ngx_http_ux_cookie_send(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx,
    uint64_t there)
{
    ngx_table_elt_t         *h;
    ngx_http_ux_lines_t      lines;
    ngx_http_ux_cookie_t    *cookie;
    ngx_http_ux_srv_conf_t  *scf;

    scf = ngx_http_get_module_srv_conf(r, ngx_http_ux_module);
    cookie = scf->cookie;

    h = (there & ngx_http_ux_length(ngx_http_ux_set_cookie.len))
        ? ngx_http_ux_lines_first(&lines, &r->headers_out.headers,
                                  &ngx_http_ux_set_cookie)
        : NULL;

    for ( /* void */ ; h != NULL; h = ngx_http_ux_lines_next(&lines)) {
        if (h->value.len > cookie->name.len
            && h->value.data[cookie->name.len] == '='
            && ngx_strncmp(h->value.data, cookie->name.data,
                           cookie->name.len)
               == 0)
        {
            h->hash = 0;
        }
    }

    if (ctx->set_cookie.len == 0) {
        return;
    }

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return;
    }

    h->hash = 1;
    ngx_http_ux_header_unlinked(h);
    h->key = ngx_http_ux_set_cookie;
    h->value = ctx->set_cookie;
}
