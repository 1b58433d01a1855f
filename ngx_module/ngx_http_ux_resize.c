
/*
 * Copyright (C) the nginx-ux authors
 *
 * A reload that changes a zone's size: a new memory, while the workers of the
 * configuration before finish their requests in the old one.
 *
 * The new zone takes over all of the old one as it is when the reload begins,
 * under the same index key: every visitor is known and keeps its variant from
 * the first request on, and no number goes back to zero.
 *
 * What workers of the old configuration record after that moment, and they
 * have downloads and kept connections to finish, follows when the last of them
 * has ended.  That takes a snapshot directory:
 *
 *   init()      image A of the old memory, merged into the new one
 *   committed   A is written as the old incarnation's base
 *               the new one is saved, which says that it holds that base
 *   meanwhile   old workers save the old memory; the last one all of it: B
 *   then        the lock of the old incarnation is free, and it is adopted as
 *               any other (ngx_http_ux_adopt.c), but as B - A
 *
 * Before the new one is saved a base is nobody's, and the old incarnation
 * counts whole.  A reload that fails leaves nothing: A is in memory only.
 *
 * Without a directory, or where A cannot be written, what comes later is lost,
 * and that is said.
 */

#include "ngx_http_ux_snapshot.h"


static ngx_uint_t ngx_http_ux_resize_follows(ngx_http_ux_zone_t *zone);
static ngx_int_t ngx_http_ux_resize_base(ngx_http_ux_zone_t *zone,
    ngx_log_t *log);
static ngx_int_t ngx_http_ux_resize_merge(ngx_http_ux_zone_t *zone,
    ux_store_t *old, ngx_log_t *log);


/* Reads the old memory, in which others count, and fills the new one. */
void
ngx_http_ux_resize(ngx_http_ux_zone_t *zone, ngx_log_t *log)
{
    ngx_int_t            rc;
    ngx_http_ux_zone_t  *was;

    was = zone->files->was;
    zone->files->follows = ngx_http_ux_resize_follows(zone);
    rc = NGX_ERROR;

    /* of a leap of the clock the new memory knows nothing */

    zone->store.head->expiry = __atomic_load_n(&was->store.head->expiry,
                                               __ATOMIC_RELAXED);

    if (was->model.currency != zone->model.currency) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "ux_zone \"%V\": its amounts are in %s, and in %s in a "
                      "zone of the new size, which begins empty", &zone->name,
                      ux_currency_code(was->model.currency).data,
                      ux_currency_code(zone->model.currency).data);
        return;
    }

    if (ux_store_join(&zone->store) == UX_OK) {
        rc = ngx_http_ux_resize_merge(zone, &was->store, log);
        ux_store_leave(&zone->store);
    }

    if (rc != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "ux_zone \"%V\": its numbers could not be carried over "
                      "to the new size", &zone->name);
        return;
    }

    if (zone->files->follows) {
        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "ux_zone \"%V\": carried over, from %uz to %uz bytes; "
                      "what workers of the old configuration still count "
                      "follows when they have ended", &zone->name, was->size,
                      zone->size);
        return;
    }

    ngx_log_error(NGX_LOG_WARN, log, 0,
                  "ux_zone \"%V\": carried over as of now, from %uz to %uz "
                  "bytes; what workers of the old configuration still count "
                  "is lost", &zone->name, was->size, zone->size);
}


/*
 * Both are kept in one directory, where old workers have the lock of the old
 * one: where it was moved away, they may have another that we know nothing of.
 */
static ngx_uint_t
ngx_http_ux_resize_follows(ngx_http_ux_zone_t *zone)
{
    ngx_uint_t           locked;
    ux_file_zone_t       files;
    ngx_http_ux_zone_t  *was;

    was = zone->files->was;

    if (ngx_process != NGX_PROCESS_MASTER || was->files->lock == -1
        || !ngx_http_ux_directory_same(zone, was))
    {
        return 0;
    }

    ngx_http_ux_file_zone(was, &files);

    ngx_http_ux_user_begin(zone);
    locked = ux_file_locked(&files, was->store.head->uuid, was->files->lock);
    ngx_http_ux_user_end(zone);

    return locked;
}


static ngx_int_t
ngx_http_ux_resize_merge(ngx_http_ux_zone_t *zone, ux_store_t *old,
    ngx_log_t *log)
{
    size_t            len;
    uint8_t          *image;
    ngx_int_t         rc;
    ux_image_merge_t  merge;

    image = ngx_http_ux_image(zone->files->was, old, UX_IMAGE_VISITORS, &len);

    if (image == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&merge, sizeof(ux_image_merge_t));

    merge.mode = UX_IMAGE_RESTORE;
    merge.visitors.data = image;
    merge.visitors.len = len;

    rc = ngx_http_ux_merge(zone, &merge, old->head->uuid, log);

    if (rc == NGX_OK) {
        zone->files->base.data = image;
        zone->files->base.len = len;

    } else {
        free(image);
    }

    return rc;
}


/*
 * What the zone does not hold, because the configuration left no room for it,
 * has no base: the old incarnation is adopted whole.
 */
void
ngx_http_ux_resize_commit(ngx_http_ux_zone_t *zone, ngx_log_t *log)
{
    u_char      *uuid;
    ux_store_t  *old;

    if (!zone->files->follows || !ngx_http_ux_resize_follows(zone)) {
        return;
    }

    old = &zone->files->was->store;
    uuid = old->head->uuid;

    if (ux_image_adopted(&zone->store, uuid)
        && (ngx_http_ux_resize_base(zone, log) != NGX_OK
            || !ux_image_hold(&zone->store, uuid)))
    {
        return;
    }

    __atomic_store_n(&old->head->saved.replaced, 1, __ATOMIC_RELEASE);
}


static ngx_int_t
ngx_http_ux_resize_base(ngx_http_ux_zone_t *zone, ngx_log_t *log)
{
    ux_error_t            error;
    ux_status_t           rc;
    ux_file_name_t        name;
    ux_file_zone_t        files;
    ngx_http_ux_bytes_t  *base;

    base = &zone->files->base;

    if (base->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(name.uuid, zone->files->was->store.head->uuid,
               sizeof(name.uuid));
    name.kind = UX_FILE_BASE;
    name.previous = false;

    ngx_http_ux_file_zone(zone, &files);

    ngx_http_ux_user_begin(zone);
    rc = ux_file_save(&files, &name, base->data, base->len, &error);
    ngx_http_ux_user_end(zone);

    if (rc != UX_OK) {
        ngx_http_ux_save_failed(zone, error.message, log);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* Nobody would know from the files that the zone holds the base. */
void
ngx_http_ux_resize_saved(ngx_http_ux_zone_t *zone, ngx_log_t *log)
{
    ux_store_head_t  *old;

    free(zone->files->base.data);
    zone->files->base.data = NULL;

    old = zone->files->was->store.head;

    if (__atomic_load_n(&old->saved.replaced, __ATOMIC_ACQUIRE)
        && (zone->files->saver.saved != 0
            || !ux_image_held(&zone->store, old->uuid)))
    {
        return;
    }

    if (zone->files->follows) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "ux_zone \"%V\": what workers of the old configuration "
                      "still count is lost: not saved", &zone->name);
    }

    ux_image_let_go(&zone->store, old->uuid);

    /* its lock is let go, and its processes are to save it no more */

    __atomic_store_n(&old->saved.replaced, 0, __ATOMIC_RELEASE);
    (void) __atomic_add_fetch(&old->saved.generation, 1, __ATOMIC_RELEASE);
}
