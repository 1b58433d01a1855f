
/*
 * Copyright (C) the nginx-ux authors
 *
 * A zone that lives takes over incarnations when they have died: the other
 * half of a binary upgrade, workers that outlived their master, a second
 * server of the same directory.  Done by the process that saves, with the
 * saving lock.
 *
 *   lock of it free  ->  merge  ->  save our own, which names it as adopted
 *                    ->  remove its files
 *
 * Killed in between, the next one finds it adopted, and goes on.
 */

#include "ngx_http_ux_snapshot.h"


/* between saves: a zone remembers only so many */
#define NGX_HTTP_UX_ADOPT_MAX  (UX_ADOPTED_MAX / 2)


static void ngx_http_ux_adopt_one(ngx_http_ux_zone_t *zone,
    ux_file_zone_t *files, uint8_t uuid[16], ngx_log_t *log);
static ngx_http_ux_found_t *ngx_http_ux_found_add(ngx_http_ux_zone_t *zone,
    const uint8_t uuid[16]);
static void ngx_http_ux_adopt_aside(ngx_http_ux_zone_t *zone,
    ux_file_zone_t *files, ngx_http_ux_found_t *found, ngx_log_t *log);


ngx_uint_t
ngx_http_ux_adopt(ngx_http_ux_zone_t *zone, ngx_log_t *log)
{
    ngx_uint_t      i;
    ux_error_t      error;
    ux_status_t     rc;
    ux_file_list_t  list;
    ux_file_zone_t  files;

    ngx_http_ux_file_zone(zone, &files);

    ngx_http_ux_user_begin(zone);
    rc = ux_file_list(&files, &list, &error);
    ngx_http_ux_user_end(zone);

    if (rc != UX_OK) {
        ngx_http_ux_save_failed(zone, (rc == UX_DECLINED)
                                      ? "the directory is not there"
                                      : error.message, log);
        return 0;
    }

    for (i = 0; i < list.n; i++) {

        if (ngx_http_ux_adopted(zone) == NGX_HTTP_UX_ADOPT_MAX) {
            break;
        }

        if (ngx_memcmp(list.uuids[i], zone->store.head->uuid, 16) != 0) {
            ngx_http_ux_adopt_one(zone, &files, list.uuids[i], log);
        }
    }

    return ngx_http_ux_adopted(zone);
}


ngx_uint_t
ngx_http_ux_adopted(ngx_http_ux_zone_t *zone)
{
    ngx_uint_t  i, n;

    n = 0;

    for (i = 0; i < UX_FILE_LIST_MAX; i++) {
        n += zone->files->found[i].merged;
    }

    return n;
}


static void
ngx_http_ux_adopt_one(ngx_http_ux_zone_t *zone, ux_file_zone_t *files,
    uint8_t uuid[16], ngx_log_t *log)
{
    ngx_int_t             rc;
    ux_error_t            error;
    ux_status_t           status;
    ngx_http_ux_found_t  *found;

    found = ngx_http_ux_found(zone, uuid);

    if (found == NULL) {
        found = ngx_http_ux_found_add(zone, uuid);
    }

    if (found == NULL || found->merged || found->foreign) {
        return;
    }

    ngx_http_ux_user_begin(zone);
    status = ux_file_lock(files, uuid, false, &found->lock, &error);
    ngx_http_ux_user_end(zone);

    if (status == UX_BUSY) {
        found->used = 0;
        return;
    }

    if (status == UX_ERROR) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "ux_zone \"%V\": %s", &zone->name,
                      error.message);
        found->foreign = 1;
        return;
    }

    if (ux_image_adopted(&zone->store, uuid)) {
        found->merged = 1;
        return;
    }

    rc = ngx_http_ux_merge_files(zone, found, UX_IMAGE_ADOPT, log);

    if (rc == NGX_OK || rc == NGX_ERROR) {
        found->merged = 1;
        return;
    }

    ux_file_unlock(found->lock);
    found->lock = -1;
    found->foreign = (rc == NGX_DECLINED);
    found->used = found->foreign;
}


ngx_http_ux_found_t *
ngx_http_ux_found(ngx_http_ux_zone_t *zone, const uint8_t uuid[16])
{
    ngx_uint_t            i;
    ngx_http_ux_found_t  *found;

    for (i = 0; i < UX_FILE_LIST_MAX; i++) {
        found = &zone->files->found[i];

        if (found->used && ngx_memcmp(found->uuid, uuid, 16) == 0) {
            return found;
        }
    }

    return NULL;
}


static ngx_http_ux_found_t *
ngx_http_ux_found_add(ngx_http_ux_zone_t *zone, const uint8_t uuid[16])
{
    ngx_uint_t            i;
    ngx_http_ux_found_t  *found;

    for (i = 0; i < UX_FILE_LIST_MAX; i++) {
        found = &zone->files->found[i];

        if (!found->used) {
            ngx_memzero(found, sizeof(ngx_http_ux_found_t));
            ngx_memcpy(found->uuid, uuid, sizeof(found->uuid));
            found->lock = -1;
            found->used = 1;
            return found;
        }
    }

    return NULL;
}


void
ngx_http_ux_adopt_remove(ngx_http_ux_zone_t *zone, ngx_log_t *log)
{
    ngx_uint_t            i;
    ux_error_t            error;
    ux_status_t           rc;
    ux_file_zone_t        files;
    ngx_http_ux_found_t  *found;

    ngx_http_ux_file_zone(zone, &files);

    for (i = 0; i < UX_FILE_LIST_MAX; i++) {
        found = &zone->files->found[i];

        if (!found->merged) {
            continue;
        }

        ngx_http_ux_user_begin(zone);
        ngx_http_ux_adopt_aside(zone, &files, found, log);
        rc = ux_file_remove(&files, found->uuid, &error);
        ngx_http_ux_user_end(zone);

        if (rc != UX_OK) {
            ngx_http_ux_save_failed(zone, error.message, log);
        }

        ux_file_unlock(found->lock);
        ngx_memzero(found, sizeof(ngx_http_ux_found_t));
    }
}


static void
ngx_http_ux_adopt_aside(ngx_http_ux_zone_t *zone, ux_file_zone_t *files,
    ngx_http_ux_found_t *found, ngx_log_t *log)
{
    ngx_uint_t      i;
    ux_error_t      error;
    ux_file_name_t  name;

    ngx_memcpy(name.uuid, found->uuid, sizeof(name.uuid));

    for (i = 0; i < UX_FILE_KINDS * 2; i++) {
        name.kind = (ux_file_kind_e) (i / 2);
        name.previous = i % 2;

        if (found->damaged & (1u << i)
            && ux_file_aside(files, &name, &error) != UX_OK)
        {
            ngx_log_error(NGX_LOG_ERR, log, 0, "ux_zone \"%V\": %s",
                          &zone->name, error.message);
        }
    }
}
