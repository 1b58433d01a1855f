
/*
 * Copyright (C) the nginx-ux authors
 *
 * What incarnations of a zone have left files in the snapshot directory, or
 * save in it now.  Reads; but for their locks, which "nginx -t" does not take.
 */

#include "ngx_http_ux_snapshot.h"


/* so many are taken over at the start, the newest; the others follow */
#define NGX_HTTP_UX_RESTORE_MAX  16

/* so many lists are looked through for them: others may have left a lot */
#define NGX_HTTP_UX_RESTORE_LISTS  18


static void ngx_http_ux_restore_look(ngx_http_ux_zone_t *zone,
    ngx_log_t *log);
static ngx_int_t ngx_http_ux_restore_found(ngx_http_ux_zone_t *zone,
    ux_file_zone_t *files, ngx_http_ux_found_t *found, ngx_log_t *log);
static void ngx_http_ux_restore_alive(ngx_http_ux_zone_t *zone,
    ngx_log_t *log);
static void ngx_http_ux_restore_insert(ngx_http_ux_zone_t *zone,
    ngx_http_ux_found_t *found);


void
ngx_http_ux_restore_find(ngx_http_ux_zone_t *zone, uint8_t key[16],
    ngx_log_t *log)
{
    ngx_uint_t            i, alive;
    ngx_http_ux_found_t  *found;

    if (zone->snapshot.len == 0) {
        return;
    }

    ngx_http_ux_user_begin(zone);
    ngx_http_ux_restore_look(zone, log);
    ngx_http_ux_user_end(zone);
    ngx_http_ux_restore_alive(zone, log);

    /* whose visitors are to be known at once; else later */

    for (alive = 0; alive < 2; alive++) {
        for (i = 0; i < UX_FILE_LIST_MAX; i++) {
            found = &zone->files->found[i];

            if (found->used && found->visitors && found->alive == alive) {
                ngx_memcpy(key, found->key, sizeof(found->key));
                return;
            }
        }
    }
}


/* Those that we can read, the newest first. */
static void
ngx_http_ux_restore_look(ngx_http_ux_zone_t *zone, ngx_log_t *log)
{
    ngx_uint_t             i, n, whole;
    ux_error_t             error;
    ux_status_t            rc;
    ux_file_list_t         lists[2], *list, *after;
    ux_file_zone_t         files;
    ngx_http_ux_found_t    found;

    ngx_http_ux_file_zone(zone, &files);

    whole = 0;
    after = NULL;

    for (n = 0; n < NGX_HTTP_UX_RESTORE_LISTS; n++) {
        list = &lists[n % 2];

        rc = ux_file_list_next(&files, after, list, &error);

        if (rc == UX_ERROR) {
            ngx_log_error(NGX_HTTP_UX_LOG_ERR, log, 0,
                          "ux_zone \"%V\": nothing restored from \"%V\": %s",
                          &zone->name, &zone->snapshot, error.message);
            zone->files->unlisted = 1;
            zone->files->said = ngx_max(ngx_current_msec, 1);
        }

        if (rc != UX_OK) {
            return;
        }

        for (i = 0; i < list->n; i++) {
            ngx_memzero(&found, sizeof(ngx_http_ux_found_t));
            ngx_memcpy(found.uuid, list->uuids[i], sizeof(found.uuid));

            if (ngx_http_ux_restore_found(zone, &files, &found, log)
                == NGX_OK)
            {
                whole++;
            }
        }

        if (!list->more || whole >= NGX_HTTP_UX_RESTORE_MAX) {
            return;
        }

        after = list;
    }
}


static ngx_int_t
ngx_http_ux_restore_found(ngx_http_ux_zone_t *zone, ux_file_zone_t *files,
    ngx_http_ux_found_t *found, ngx_log_t *log)
{
    ngx_int_t    rc;
    ux_error_t   error;
    ux_status_t  status;

    found->used = 1;
    found->lock = -1;
    status = UX_DECLINED;

    if (!ngx_test_config) {
        status = ngx_http_ux_found_lock(files, found, &error);
    }

    if (status == UX_ERROR) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "ux_zone \"%V\": %s", &zone->name,
                      error.message);
        return NGX_ERROR;
    }

    if (status != UX_OK) {
        found->lock = -1;
    }

    found->alive = (status == UX_BUSY);

    /* without any header to be read it is the oldest, and damaged */

    rc = ngx_http_ux_restore_head(zone, found);

    ngx_http_ux_restore_insert(zone, found);

    return rc;
}


ux_status_t
ngx_http_ux_found_lock(ux_file_zone_t *files, ngx_http_ux_found_t *found,
    ux_error_t *error)
{
    int          fd;
    ux_status_t  rc;

    rc = ux_file_lock(files, found->uuid, false, &found->lock, error);

    if (rc != UX_DECLINED) {
        return rc;
    }

    rc = ux_file_lock(files, found->uuid, true, &fd, error);

    if (rc != UX_OK) {
        return (rc == UX_BUSY) ? UX_BUSY : UX_DECLINED;
    }

    /* two who come here at once may find it in use, and look again later */

    ux_file_unlock(fd);

    return ux_file_lock(files, found->uuid, false, &found->lock, error);
}


/* Or what is being replaced by this start. */
static void
ngx_http_ux_restore_alive(ngx_http_ux_zone_t *zone, ngx_log_t *log)
{
    ngx_uint_t  i, n;

    n = 0;

    for (i = 0; i < UX_FILE_LIST_MAX; i++) {
        n += (zone->files->found[i].used && zone->files->found[i].alive);
    }

    if (n != 0) {
        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "ux_zone \"%V\": \"%V\" is in use by %ui more that "
                      "run: each saves its own, and when one has ended its "
                      "numbers are added", &zone->name, &zone->snapshot, n);
    }
}


ngx_int_t
ngx_http_ux_restore_head(ngx_http_ux_zone_t *zone, ngx_http_ux_found_t *found)
{
    size_t            len;
    uint8_t           head[UX_IMAGE_HEADER_MAX];
    ngx_uint_t        i;
    ux_error_t        error;
    ux_file_name_t    name;
    ux_file_zone_t    files;
    ux_image_info_t   info;

    ngx_http_ux_file_zone(zone, &files);
    ngx_memcpy(name.uuid, found->uuid, sizeof(name.uuid));

    for (i = 0; i < 4; i++) {
        name.kind = (i < 2) ? UX_FILE_VISITORS : UX_FILE_COUNTERS;
        name.previous = i % 2;

        if (ux_file_head(&files, &name, head, sizeof(head), &len, &error)
                == UX_OK
            && ux_image_info(head, len, &info, &error) == UX_OK)
        {
            found->written_ms = info.written_ms;
            found->key[0] = info.index_key[0];
            found->key[1] = info.index_key[1];
            found->visitors = (info.kind == UX_IMAGE_VISITORS);
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/* What there is no room for is looked at again by who adopts. */
static void
ngx_http_ux_restore_insert(ngx_http_ux_zone_t *zone,
    ngx_http_ux_found_t *found)
{
    ngx_uint_t            i, n;
    ngx_http_ux_found_t  *all;

    all = zone->files->found;

    for (n = 0; n < NGX_HTTP_UX_RESTORE_MAX && all[n].used; n++) {
        /* void */
    }

    for (i = 0; i < n && all[i].written_ms >= found->written_ms; i++) {
        /* void */
    }

    if (i == NGX_HTTP_UX_RESTORE_MAX) {
        ux_file_unlock(found->lock);
        return;
    }

    if (n == NGX_HTTP_UX_RESTORE_MAX) {
        n--;
        ux_file_unlock(all[n].lock);
    }

    ngx_memmove(&all[i + 1], &all[i], (n - i) * sizeof(ngx_http_ux_found_t));
    all[i] = *found;
}
