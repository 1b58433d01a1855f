
/*
 * Copyright (C) the nginx-ux authors
 *
 * A new zone takes over what incarnations that are no more have left in the
 * snapshot directory.
 *
 * This runs in init(), before the start or reload is committed: it reads, and
 * holds the locks of what it took over, so that nobody else takes it as well.
 * The files go only when the zone's own have been written, which name them as
 * adopted: see ngx_http_ux_adopt.c.
 *
 * Incarnations that live, of a binary being upgraded or of workers without a
 * master, give their names, so that their numbers find a place later.
 */

#include "ngx_http_ux_snapshot.h"


/* so many are taken over at the start, the newest; the others follow */
#define NGX_HTTP_UX_RESTORE_MAX  16

/* a file may be so much larger than the zone, which may have shrunk */
#define NGX_HTTP_UX_FILE_FACTOR  16
#define NGX_HTTP_UX_FILE_MIN     ((size_t) 64 * 1024 * 1024)


/* One file that was read. */
typedef struct {
    uint8_t                    *data;          /* malloc'ed */
    size_t                      len;
    ux_image_info_t             info;
} ngx_http_ux_read_t;


static void ngx_http_ux_restore_look(ngx_http_ux_zone_t *zone,
    ngx_log_t *log);
static ngx_int_t ngx_http_ux_restore_head(ngx_http_ux_zone_t *zone,
    ngx_http_ux_found_t *found);
static void ngx_http_ux_restore_insert(ngx_http_ux_zone_t *zone,
    ngx_http_ux_found_t *found);
static void ngx_http_ux_restore_one(ngx_http_ux_zone_t *zone,
    ngx_http_ux_found_t *found, ngx_log_t *log);
static void ngx_http_ux_read_base(ngx_http_ux_zone_t *zone,
    ngx_http_ux_found_t *found, ux_image_merge_t *merge, ngx_log_t *log);
static ngx_int_t ngx_http_ux_read(ngx_http_ux_zone_t *zone,
    ngx_http_ux_found_t *found, ux_file_kind_e kind, ngx_http_ux_read_t *read,
    ngx_log_t *log);
static ngx_int_t ngx_http_ux_read_one(ngx_http_ux_zone_t *zone,
    ux_file_name_t *name, ngx_http_ux_read_t *read, ux_error_t *error);
static ngx_int_t ngx_http_ux_read_check(ngx_http_ux_zone_t *zone,
    ux_file_name_t *name, ngx_http_ux_read_t *read, ux_error_t *error);


void
ngx_http_ux_restore_find(ngx_http_ux_zone_t *zone, uint8_t key[16],
    ngx_log_t *log)
{
    ngx_uint_t            i, alive;
    ngx_http_ux_found_t  *found;

    if (zone->snapshot.len == 0 || ngx_test_config) {
        return;
    }

    ngx_http_ux_user_begin(zone);
    ngx_http_ux_restore_look(zone, log);
    ngx_http_ux_user_end(zone);

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
    ngx_uint_t            i;
    ux_error_t            error;
    ux_status_t           rc;
    ux_file_list_t        list;
    ux_file_zone_t        files;
    ngx_http_ux_found_t   found;

    ngx_http_ux_file_zone(zone, &files);

    rc = ux_file_list(&files, &list, &error);

    if (rc != UX_OK) {

        if (rc != UX_DECLINED) {
            ngx_log_error(NGX_LOG_ERR, log, 0,
                          "ux_zone \"%V\": nothing restored from \"%V\": %s",
                          &zone->name, &zone->snapshot, error.message);
        }

        return;
    }

    for (i = 0; i < list.n; i++) {
        ngx_memzero(&found, sizeof(ngx_http_ux_found_t));

        ngx_memcpy(found.uuid, list.uuids[i], sizeof(found.uuid));
        found.used = 1;

        rc = ux_file_lock(&files, found.uuid, false, &found.lock, &error);

        if (rc == UX_ERROR) {
            ngx_log_error(NGX_LOG_ERR, log, 0, "ux_zone \"%V\": %s",
                          &zone->name, error.message);
            continue;
        }

        if (rc != UX_OK) {
            found.lock = -1;
        }

        found.alive = (rc == UX_BUSY);

        /* without any header to be read it is the oldest, and damaged */

        (void) ngx_http_ux_restore_head(zone, &found);
        ngx_http_ux_restore_insert(zone, &found);
    }
}


static ngx_int_t
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


void
ngx_http_ux_restore(ngx_http_ux_zone_t *zone, ngx_log_t *log)
{
    uint64_t              done;
    ngx_uint_t            alive;
    ngx_http_ux_found_t  *found;

    if (!zone->files->found[0].used) {
        return;
    }

    if (ux_store_join(&zone->store) != UX_OK) {
        ngx_http_ux_restore_forget(zone);
        return;
    }

    done = 0;

    for (alive = 0; alive < 2; alive++) {
        while ((found = ngx_http_ux_found_next(zone, alive, done)) != NULL) {
            done |= (uint64_t) 1 << (found - zone->files->found);
            ngx_http_ux_restore_one(zone, found, log);
        }
    }

    ux_store_leave(&zone->store);
}


/*
 * One that lives, or that another living one holds, gives its names only, and
 * so does one of which we hold a base: what is new since goes into a zone that
 * is bound.
 */
static void
ngx_http_ux_restore_one(ngx_http_ux_zone_t *zone, ngx_http_ux_found_t *found,
    ngx_log_t *log)
{
    ngx_int_t             rc;
    ngx_uint_t            i, later;
    ngx_http_ux_found_t  *other;

    later = found->alive || ux_image_held(&zone->store, found->uuid);

    for (i = 0; i < UX_FILE_LIST_MAX && !later; i++) {
        other = &zone->files->found[i];

        later = other->used && other->alive
                && ngx_http_ux_file_holds(zone, other->uuid, found->uuid);
    }

    rc = ngx_http_ux_merge_files(zone, found,
                                 later ? UX_IMAGE_PREPARE : UX_IMAGE_RESTORE,
                                 log);

    if (later || rc == NGX_AGAIN) {
        found->used = 0;

    } else if (rc == NGX_DECLINED) {
        found->foreign = 1;

    } else {
        found->merged = 1;
    }

    if (!found->merged) {
        ux_file_unlock(found->lock);
        found->lock = -1;
    }
}


void
ngx_http_ux_restore_forget(ngx_http_ux_zone_t *zone)
{
    ngx_uint_t            i;
    ngx_http_ux_found_t  *found;

    for (i = 0; i < UX_FILE_LIST_MAX; i++) {
        found = &zone->files->found[i];

        if (found->used) {
            ux_file_unlock(found->lock);
            ngx_memzero(found, sizeof(ngx_http_ux_found_t));
        }
    }
}


/*
 * A file that we may not read or cannot understand is left where it is, with
 * all of its incarnation.
 */
ngx_int_t
ngx_http_ux_merge_files(ngx_http_ux_zone_t *zone, ngx_http_ux_found_t *found,
    ux_image_mode_e mode, ngx_log_t *log)
{
    ngx_int_t            rc, visitors_rc;
    ux_image_merge_t     merge;
    ngx_http_ux_read_t   visitors, counters;

    ngx_memzero(&visitors, sizeof(ngx_http_ux_read_t));
    ngx_memzero(&counters, sizeof(ngx_http_ux_read_t));

    ngx_http_ux_user_begin(zone);

    visitors_rc = ngx_http_ux_read(zone, found, UX_FILE_VISITORS, &visitors,
                                   log);
    rc = ngx_http_ux_read(zone, found, UX_FILE_COUNTERS, &counters, log);

    ngx_http_ux_user_end(zone);

    if (visitors_rc == NGX_DECLINED || rc == NGX_DECLINED) {
        rc = NGX_DECLINED;

    } else if (visitors.len == 0 && counters.len == 0) {
        rc = NGX_ERROR;

    } else {
        ngx_memzero(&merge, sizeof(ux_image_merge_t));

        merge.mode = mode;
        merge.visitors.data = visitors.data;
        merge.visitors.len = visitors.len;

        /* an older one knows nothing that the visitors' does not */

        if (visitors.len == 0
            || counters.info.written_ms > visitors.info.written_ms)
        {
            merge.counters.data = counters.data;
            merge.counters.len = counters.len;
        }

        ngx_http_ux_read_base(zone, found, &merge, log);

        rc = ngx_http_ux_merge(zone, &merge, found->uuid, log);

        free((void *) merge.base.data);
        free(merge.index);
    }

    free(visitors.data);
    free(counters.data);

    return rc;
}


/*
 * Visitors older than the base say nothing new.  Without a base there is no
 * telling what is.
 */
static void
ngx_http_ux_read_base(ngx_http_ux_zone_t *zone, ngx_http_ux_found_t *found,
    ux_image_merge_t *merge, ngx_log_t *log)
{
    size_t               words;
    ngx_int_t            rc;
    ux_error_t           error;
    ux_file_name_t       name;
    ux_image_info_t      info;
    ngx_http_ux_read_t   base;

    if (merge->mode == UX_IMAGE_PREPARE
        || !ux_image_held(&zone->store, found->uuid))
    {
        return;
    }

    ngx_memzero(&base, sizeof(ngx_http_ux_read_t));
    ngx_memcpy(name.uuid, found->uuid, sizeof(name.uuid));
    name.kind = UX_FILE_BASE;
    name.previous = 0;

    ngx_http_ux_user_begin(zone);
    rc = ngx_http_ux_read_one(zone, &name, &base, &error);
    ngx_http_ux_user_end(zone);

    if (rc != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "ux_zone \"%V\": what workers of an earlier "
                      "configuration counted after a reload is lost: %s",
                      &zone->name, (rc == NGX_DONE) ? "its base is not there"
                                                    : error.message);
        return;
    }

    words = ux_image_index_words(base.data, base.len);

    merge->base.data = base.data;
    merge->base.len = base.len;
    merge->index = malloc(ngx_max(words, 1) * sizeof(uint64_t));

    if (merge->visitors.len == 0
        || (ux_image_info(merge->visitors.data, merge->visitors.len, &info,
                          &error)
            == UX_OK
            && info.written_ms < base.info.written_ms))
    {
        merge->visitors = merge->base;
    }

    if (merge->counters.len != 0
        && ux_image_info(merge->counters.data, merge->counters.len, &info,
                         &error)
           == UX_OK
        && info.written_ms < base.info.written_ms)
    {
        merge->counters.len = 0;
    }
}


/* NGX_OK: the newest whole one, or none. */
static ngx_int_t
ngx_http_ux_read(ngx_http_ux_zone_t *zone, ngx_http_ux_found_t *found,
    ux_file_kind_e kind, ngx_http_ux_read_t *read, ngx_log_t *log)
{
    ngx_int_t        rc;
    ngx_uint_t       i;
    ux_error_t       error;
    ux_file_name_t   name;

    ngx_memcpy(name.uuid, found->uuid, sizeof(name.uuid));
    name.kind = kind;

    for (i = 0; i < 2; i++) {
        name.previous = i;
        rc = ngx_http_ux_read_one(zone, &name, read, &error);

        if (rc == NGX_OK) {
            return NGX_OK;
        }

        if (rc == NGX_DONE) {
            continue;
        }

        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "ux_zone \"%V\": a snapshot in \"%V\", written as "
                      "\"%s%s\", %s: %s", &zone->name, &zone->snapshot,
                      (kind == UX_FILE_VISITORS) ? "visitors" : "counters",
                      i ? ".1" : "",
                      (rc == NGX_DECLINED) ? "is left alone" : "is damaged",
                      error.message);

        if (rc == NGX_DECLINED) {
            return NGX_DECLINED;
        }

        found->damaged |= 1u << (kind * 2 + i);
    }

    return NGX_OK;
}


/* NGX_DONE: not there. */
static ngx_int_t
ngx_http_ux_read_one(ngx_http_ux_zone_t *zone, ux_file_name_t *name,
    ngx_http_ux_read_t *read, ux_error_t *error)
{
    size_t           max;
    ngx_int_t        rc;
    ux_status_t      status;
    ux_file_zone_t   files;

    ngx_http_ux_file_zone(zone, &files);

    max = ngx_max(zone->size, NGX_HTTP_UX_FILE_MIN) * NGX_HTTP_UX_FILE_FACTOR;

    status = ux_file_load(&files, name, max, &read->data, &read->len, error);

    if (status != UX_OK) {
        return (status == UX_DECLINED) ? NGX_DONE : NGX_DECLINED;
    }

    rc = ngx_http_ux_read_check(zone, name, read, error);

    if (rc != NGX_OK) {
        free(read->data);
        ngx_memzero(read, sizeof(ngx_http_ux_read_t));
    }

    return rc;
}


static ngx_int_t
ngx_http_ux_read_check(ngx_http_ux_zone_t *zone, ux_file_name_t *name,
    ngx_http_ux_read_t *read, ux_error_t *error)
{
    ux_status_t      status;
    ux_image_kind_e  kind;

    kind = (name->kind == UX_FILE_COUNTERS) ? UX_IMAGE_COUNTERS
                                            : UX_IMAGE_VISITORS;

    status = ux_image_info(read->data, read->len, &read->info, error);

    if (status == UX_OK) {
        status = ux_image_check(read->data, read->len,
                                ngx_http_ux_image_work(), error);
    }

    if (status != UX_OK) {
        return (status == UX_DECLINED) ? NGX_DECLINED : NGX_ERROR;
    }

    if (read->info.kind != kind
        || ngx_memcmp(read->info.uuid, name->uuid, 16) != 0)
    {
        (void) ngx_snprintf((u_char *) error->message, sizeof(error->message),
                            "it is another file under this name%Z");
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_ux_merge(ngx_http_ux_zone_t *zone, ux_image_merge_t *merge,
    u_char *uuid, ngx_log_t *log)
{
    ux_error_t         error;
    ux_status_t        rc;
    ux_image_result_t  result;

    ngx_http_ux_image_zone(zone, &merge->zone);
    merge->now_ms = ngx_http_ux_now_ms();
    merge->work = ngx_http_ux_image_work();

    rc = ux_image_merge(&zone->store, merge, &result, &error);

    if (rc == UX_BUSY) {
        return NGX_AGAIN;
    }

    if (rc != UX_OK) {

        if (ux_image_adopted(&zone->store, uuid)) {
            return NGX_OK;
        }

        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "ux_zone \"%V\": a snapshot in \"%V\" is left alone: %s",
                      &zone->name, &zone->snapshot, error.message);
        return NGX_DECLINED;
    }

    if (merge->mode == UX_IMAGE_PREPARE) {
        return NGX_OK;
    }

    (void) __atomic_fetch_add(&zone->store.head->saved.restored, 1,
                              __ATOMIC_RELAXED);

    ngx_log_error(NGX_LOG_NOTICE, log, 0,
                  "ux_zone \"%V\": restored %uL visitors (%uL known already, "
                  "%uL expired, %uL without room), %uL names left out",
                  &zone->name, result.visitors, result.united,
                  result.expired, result.dropped, result.names);

    return NGX_OK;
}


ux_image_work_t *
ngx_http_ux_image_work(void)
{
    static ux_image_work_t  work;

    return &work;
}
