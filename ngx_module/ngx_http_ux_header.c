
/*
 * Copyright (C) the nginx-ux authors
 *
 * The variant header of the request: the client's copies out, ours in.
 */

#include "ngx_http_ux_request.h"


static ngx_uint_t ngx_http_ux_header_match(ngx_str_t *key, ngx_array_t *names);
static ngx_table_elt_t *ngx_http_ux_header_push(ngx_http_request_t *r);


/*
 * How CGI would spell the name: letters upper-cased, all else but digits '_'.
 * Two headers that an application cannot tell apart are equal here.
 */
void
ngx_http_ux_header_name(ngx_str_t *name, u_char *cgi)
{
    u_char      c;
    ngx_uint_t  i;

    for (i = 0; i < name->len; i++) {
        c = ngx_toupper(name->data[i]);
        cgi[i] = ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) ? c : '_';
    }
}


/* Removes every header of the client that equals one of the names. */
void
ngx_http_ux_header_strip(ngx_http_request_t *r, ngx_array_t *names)
{
    ngx_uint_t        i;
    ngx_list_t       *list;
    ngx_list_part_t  *part, *prev;
    ngx_table_elt_t  *h, *last;

    list = &r->headers_in.headers;

again:

    prev = NULL;

    for (part = &list->part; part != NULL; part = part->next) {

        h = part->elts;
        last = h + part->nelts;

        for ( /* void */ ; h < last; h++) {

            if (ngx_http_ux_header_match(&h->key, names)) {
                i = h - (ngx_table_elt_t *) part->elts;
                ngx_http_ux_header_unlink(list, prev, part, i, r->pool);
                goto again;
            }
        }

        prev = part;
    }
}


static ngx_uint_t
ngx_http_ux_header_match(ngx_str_t *key, ngx_array_t *names)
{
    u_char       c;
    ngx_str_t   *name;
    ngx_uint_t   i, k;

    name = names->elts;

    for (i = 0; i < names->nelts; i++) {

        if (name[i].len != key->len) {
            continue;
        }

        for (k = 0; k < key->len; k++) {
            c = ngx_toupper(key->data[k]);

            if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))) {
                c = '_';
            }

            if (c != name[i].data[k]) {
                break;
            }
        }

        if (k == key->len) {
            return 1;
        }
    }

    return 0;
}


/*
 * Takes element i of `part` (behind `prev`, NULL for the first) out of the
 * list.  Others keep their addresses, since headers_in points at them; no
 * part is left empty but an only one, since nginx's loops read the first
 * element of every further part.  list->nalloc is kept equal to what the last
 * part has room for.  Without memory the element is emptied in place.
 */
void
ngx_http_ux_header_unlink(ngx_list_t *list, ngx_list_part_t *prev,
    ngx_list_part_t *part, ngx_uint_t i, ngx_pool_t *pool)
{
    ngx_table_elt_t  *h;
    ngx_list_part_t  *rest, *next;

    h = part->elts;

    if (part->nelts == 1) {
        next = part->next;

        if (prev != NULL) {
            prev->next = next;

            if (list->last == part) {
                list->last = prev;

                /* full or cut short: the next push takes a new part */

                list->nalloc = prev->nelts;
            }

        } else if (next != NULL) {

            if (list->last == next) {
                list->last = part;
            }

            *part = *next;

        } else {
            part->nelts = 0;
        }

        return;
    }

    if (i == part->nelts - 1) {
        part->nelts--;
        return;
    }

    if (i == 0) {
        part->elts = &h[1];
        part->nelts--;

        if (list->last == part) {
            list->nalloc--;
        }

        return;
    }

    rest = ngx_palloc(pool, sizeof(ngx_list_part_t));

    if (rest == NULL) {
        h[i].value.len = 0;
        return;
    }

    rest->elts = &h[i + 1];
    rest->nelts = part->nelts - i - 1;
    rest->next = part->next;

    part->nelts = i;
    part->next = rest;

    if (list->last == part) {
        list->last = rest;
        list->nalloc -= i + 1;
    }
}


/*
 * Puts the variants into the request that upstreams are sent.  Once; another
 * name in a further location renames the line.
 */
ngx_int_t
ngx_http_ux_header_send(ngx_http_request_t *r, ngx_http_ux_ctx_t *ctx)
{
    ngx_str_t                value;
    ngx_table_elt_t         *h;
    ngx_http_ux_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_ux_module);

    h = ctx->header;

    if (h != NULL && h->key.data == lcf->header.data) {
        return NGX_OK;
    }

    if (h == NULL) {

        if (ngx_http_ux_variants(r, ctx, &value) != NGX_OK) {
            return NGX_ERROR;
        }

        if (value.len == 0) {
            return NGX_OK;
        }

        h = ngx_http_ux_header_push(r);
        if (h == NULL) {
            return NGX_ERROR;
        }

        ngx_http_ux_header_unlinked(h);
        h->value = value;
        ctx->header = h;
    }

    h->key = lcf->header;
    h->lowcase_key = lcf->header_lowcase;
    h->hash = lcf->header_hash;

    return NGX_OK;
}


/* What nginx keeps beside a header's name, made once. */
ngx_int_t
ngx_http_ux_header_prepare(ngx_conf_t *cf, ngx_http_ux_loc_conf_t *lcf)
{
    lcf->header_lowcase = ngx_pnalloc(cf->pool, lcf->header.len);
    if (lcf->header_lowcase == NULL) {
        return NGX_ERROR;
    }

    lcf->header_hash = ngx_hash_strlow(lcf->header_lowcase,
                                       lcf->header.data, lcf->header.len);

    return NGX_OK;
}


static ngx_table_elt_t *
ngx_http_ux_header_push(ngx_http_request_t *r)
{
    ngx_list_t  *list;

    list = &r->headers_in.headers;

    /* nginx makes it for the first header: HTTP/0.9 and bad lines have none */

    if (list->last == NULL
        && ngx_list_init(list, r->pool, 1, sizeof(ngx_table_elt_t))
           != NGX_OK)
    {
        return NULL;
    }

    return ngx_list_push(list);
}


/* Lines of one name that are there to be sent, one after the other. */
ngx_table_elt_t *
ngx_http_ux_lines_first(ngx_http_ux_lines_t *lines, ngx_list_t *list,
    ngx_str_t *name)
{
    lines->part = &list->part;
    lines->i = 0;
    lines->name = name;

    return ngx_http_ux_lines_next(lines);
}


ngx_table_elt_t *
ngx_http_ux_lines_next(ngx_http_ux_lines_t *lines)
{
    ngx_table_elt_t  *h;

    for ( ;; ) {

        if (lines->i >= lines->part->nelts) {
            if (lines->part->next == NULL) {
                return NULL;
            }

            lines->part = lines->part->next;
            lines->i = 0;
            continue;
        }

        h = (ngx_table_elt_t *) lines->part->elts + lines->i++;

        if (h->hash != 0 && h->key.len == lines->name->len
            && ngx_strncasecmp(h->key.data, lines->name->data,
                               lines->name->len)
               == 0)
        {
            return h;
        }
    }
}
