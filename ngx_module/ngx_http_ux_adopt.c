
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

/* ms between tries to remove one, doubled each time */
#define NGX_HTTP_UX_REMOVE_MIN  2000
#define NGX_HTTP_UX_REMOVE_MAX  3600000


static ngx_uint_t ngx_http_ux_adopt_waits(ngx_http_ux_zone_t *zone,
    ux_file_list_t *list, const uint8_t uuid[16]);
static void ngx_http_ux_adopt_one(ngx_http_ux_zone_t *zone,
    ux_file_zone_t *files, ux_file_list_t *list, uint8_t uuid[16],
    ngx_log_t *log);
static void ngx_http_ux_adopt_forget(ngx_http_ux_zone_t *zone,
    ux_file_list_t *list);
static void ngx_http_ux_adopt_again(ngx_http_ux_zone_t *zone,
    ux_file_zone_t *files, ngx_http_ux_found_t *found);
static void ngx_http_ux_adopt_stuck(ngx_http_ux_zone_t *zone,
    ngx_http_ux_found_t *found, const char *sentence, ngx_log_t *log);
static ngx_http_ux_found_t *ngx_http_ux_found_add(ngx_http_ux_zone_t *zone,
    const uint8_t uuid[16]);
static ngx_http_ux_found_t *ngx_http_ux_found_room(ngx_http_ux_zone_t *zone);
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

    ngx_http_ux_adopt_forget(zone, &list);

    for (i = 0; i < list.n; i++) {

        if (ngx_http_ux_adopted(zone) == NGX_HTTP_UX_ADOPT_MAX) {
            break;
        }

        if (ngx_memcmp(list.uuids[i], zone->store.head->uuid, 16) != 0) {
            ngx_http_ux_adopt_one(zone, &files, &list, list.uuids[i], log);
        }
    }

    return ngx_http_ux_adopted(zone);
}


/*
 * Room in the table for the newest: what others left there is out of sight,
 * what could not be removed somebody else has.
 */
static void
ngx_http_ux_adopt_forget(ngx_http_ux_zone_t *zone, ux_file_list_t *list)
{
    ngx_uint_t            i, n;
    ngx_http_ux_found_t  *found;

    for (i = 0; i < UX_FILE_LIST_MAX; i++) {
        found = &zone->files->found[i];

        if (!found->used
            || !(found->foreign || (found->stuck && !list->more)))
        {
            continue;
        }

        for (n = 0; n < list->n; n++) {
            if (ngx_memcmp(list->uuids[n], found->uuid, 16) == 0) {
                break;
            }
        }

        if (n == list->n) {
            ux_file_unlock(found->lock);
            ngx_memzero(found, sizeof(ngx_http_ux_found_t));
            found->lock = -1;
        }
    }
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


/*
 * Another incarnation holds it: that one tells how much of it, and is taken
 * over first; while it lives it does so itself.
 */
static ngx_uint_t
ngx_http_ux_adopt_waits(ngx_http_ux_zone_t *zone, ux_file_list_t *list,
    const uint8_t uuid[16])
{
    ngx_uint_t            i;
    ngx_http_ux_found_t  *found;

    for (i = 0; i < list->n; i++) {
        found = ngx_http_ux_found(zone, list->uuids[i]);

        if ((found == NULL || !found->merged)
            && ngx_memcmp(list->uuids[i], uuid, 16) != 0
            && ngx_memcmp(list->uuids[i], zone->store.head->uuid, 16) != 0
            && ngx_http_ux_file_holds(zone, list->uuids[i], uuid))
        {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_http_ux_file_holds(ngx_http_ux_zone_t *zone, const uint8_t uuid[16],
    const uint8_t other[16])
{
    size_t            len;
    uint8_t           head[UX_IMAGE_HEADER_MAX];
    unsigned          k;
    ngx_uint_t        i;
    ux_error_t        error;
    ux_status_t       rc;
    ux_file_name_t    name;
    ux_file_zone_t    files;
    ux_image_info_t   info;

    ngx_http_ux_file_zone(zone, &files);
    ngx_memcpy(name.uuid, uuid, sizeof(name.uuid));

    for (i = 0; i < 2 * UX_FILE_KINDS; i++) {
        name.kind = (ux_file_kind_e) (i / 2);
        name.previous = i % 2;

        ngx_http_ux_user_begin(zone);
        rc = ux_file_head(&files, &name, head, sizeof(head), &len, &error);
        ngx_http_ux_user_end(zone);

        if (rc != UX_OK || ux_image_info(head, len, &info, &error) != UX_OK) {
            continue;
        }

        for (k = 0; k < info.nadopted; k++) {
            if (ngx_memcmp(info.adopted[k], other, 16) == 0) {
                return 1;
            }
        }
    }

    return 0;
}


ngx_http_ux_found_t *
ngx_http_ux_found_next(ngx_http_ux_zone_t *zone, ngx_uint_t alive,
    uint64_t done)
{
    ngx_uint_t            i, k;
    ngx_http_ux_found_t  *found, *other, *first;

    first = NULL;

    for (i = 0; i < UX_FILE_LIST_MAX; i++) {
        found = &zone->files->found[i];

        if (!found->used || found->alive != alive || (done >> i & 1)) {
            continue;
        }

        for (k = 0; k < UX_FILE_LIST_MAX; k++) {
            other = &zone->files->found[k];

            if (k != i && other->used && other->alive == alive
                && !(done >> k & 1)
                && ngx_http_ux_file_holds(zone, other->uuid, found->uuid))
            {
                break;
            }
        }

        if (k == UX_FILE_LIST_MAX) {
            return found;
        }

        first = (first == NULL) ? found : first;
    }

    return first;
}


static void
ngx_http_ux_adopt_one(ngx_http_ux_zone_t *zone, ux_file_zone_t *files,
    ux_file_list_t *list, uint8_t uuid[16], ngx_log_t *log)
{
    uint32_t              window_s;
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

    if (found->stuck) {
        ngx_http_ux_adopt_again(zone, files, found);
        return;
    }

    ngx_http_ux_user_begin(zone);
    status = ngx_http_ux_found_lock(files, found, &error);
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

    rc = NGX_AGAIN;

    if (!ngx_http_ux_adopt_waits(zone, list, uuid)) {

        /* what a cap or a window makes of a visitor, the configuration says */

        window_s = zone->store.table.max_window_s;

        (void) ux_store_bind(&zone->store, &zone->model, zone->arms,
                             zone->bindings, ngx_http_ux_now_ms());

        zone->store.table.max_window_s = window_s;

        rc = ngx_http_ux_merge_files(zone, found, UX_IMAGE_ADOPT, log);
    }

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


/* What has no header to be read was told of when we started. */
static ngx_http_ux_found_t *
ngx_http_ux_found_add(ngx_http_ux_zone_t *zone, const uint8_t uuid[16])
{
    ngx_int_t             rc;
    ngx_http_ux_found_t  *found;

    found = ngx_http_ux_found_room(zone);

    if (found == NULL) {
        return NULL;
    }

    ngx_memzero(found, sizeof(ngx_http_ux_found_t));
    ngx_memcpy(found->uuid, uuid, sizeof(found->uuid));
    found->lock = -1;

    ngx_http_ux_user_begin(zone);
    rc = ngx_http_ux_restore_head(zone, found);
    ngx_http_ux_user_end(zone);

    if (rc != NGX_OK) {
        return NULL;
    }

    found->used = 1;

    return found;
}


static ngx_http_ux_found_t *
ngx_http_ux_found_room(ngx_http_ux_zone_t *zone)
{
    ngx_uint_t  i;

    for (i = 0; i < UX_FILE_LIST_MAX; i++) {
        if (!zone->files->found[i].used) {
            return &zone->files->found[i];
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
            ngx_http_ux_adopt_stuck(zone, found, error.message, log);
            continue;
        }

        ux_file_unlock(found->lock);
        ngx_memzero(found, sizeof(ngx_http_ux_found_t));
        found->lock = -1;
    }
}


/*
 * We keep its lock, so that no other server takes it over as well.  What is
 * wrong with the first is so with the others.
 */
static void
ngx_http_ux_adopt_stuck(ngx_http_ux_zone_t *zone, ngx_http_ux_found_t *found,
    const char *sentence, ngx_log_t *log)
{
    ngx_uint_t  i, n;

    n = 0;

    for (i = 0; i < UX_FILE_LIST_MAX; i++) {
        n += zone->files->found[i].stuck;
    }

    if (n == 0) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "ux_zone \"%V\": a snapshot in \"%V\" was taken over, "
                      "but is still there: %s", &zone->name, &zone->snapshot,
                      sentence);
    }

    (void) __atomic_fetch_add(&zone->store.head->saved.errors, 1,
                              __ATOMIC_RELAXED);

    found->merged = 0;
    found->stuck = 1;
    found->damaged = 0;
    found->tried = ngx_current_msec;
    found->pause = NGX_HTTP_UX_REMOVE_MIN;
}


/* Said when it failed first; a file of ours names it as adopted. */
static void
ngx_http_ux_adopt_again(ngx_http_ux_zone_t *zone, ux_file_zone_t *files,
    ngx_http_ux_found_t *found)
{
    ux_error_t   error;
    ux_status_t  rc;

    if (ngx_current_msec - found->tried < found->pause) {
        return;
    }

    ngx_http_ux_user_begin(zone);
    rc = ux_file_remove(files, found->uuid, &error);
    ngx_http_ux_user_end(zone);

    if (rc == UX_OK) {
        ux_file_unlock(found->lock);
        ngx_memzero(found, sizeof(ngx_http_ux_found_t));
        found->lock = -1;
        return;
    }

    (void) __atomic_fetch_add(&zone->store.head->saved.errors, 1,
                              __ATOMIC_RELAXED);

    found->tried = ngx_current_msec;
    found->pause = ngx_min(found->pause * 2, NGX_HTTP_UX_REMOVE_MAX);
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
