
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
 *
 * "nginx -t" does the same with the memory of its own, to tell what would come
 * of it, but has no lock: who lives is not known then, nor asked.
 */

#include "ngx_http_ux_snapshot.h"


/* a file may be so much larger than the zone, which may have shrunk */
#define NGX_HTTP_UX_FILE_FACTOR  16
#define NGX_HTTP_UX_FILE_MIN     ((size_t) 64 * 1024 * 1024)


/* One file that was read. */
typedef struct {
    uint8_t                    *data;          /* malloc'ed */
    size_t                      len;
    ux_image_info_t             info;
} ngx_http_ux_read_t;


static void ngx_http_ux_restore_model(ngx_http_ux_zone_t *zone,
    ngx_http_ux_read_t *read);
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
ngx_http_ux_restore(ngx_http_ux_zone_t *zone, ngx_log_t *log)
{
    uint64_t              done;
    ngx_uint_t            alive;
    ngx_http_ux_found_t  *found;

    if (!zone->files->found[0].used) {

        if (ngx_test_config && zone->snapshot.len != 0) {
            ngx_http_ux_reload_test(zone, log);
        }

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

    if (ngx_test_config) {
        ngx_http_ux_reload_test(zone, log);
    }
}


/* Names in it lie in the bytes that were read. */
static void
ngx_http_ux_restore_model(ngx_http_ux_zone_t *zone, ngx_http_ux_read_t *read)
{
    ux_error_t         error;
    ux_image_model_t  *model;

    if (read->len == 0 || zone->files->model != NULL) {
        return;
    }

    model = ngx_palloc(zone->experiments.pool, sizeof(ux_image_model_t));

    if (model != NULL
        && ux_image_model(read->data, read->len, model, &error) == UX_OK)
    {
        zone->files->model = model;
        zone->files->model_ms = read->info.written_ms;

        /* for as long as this process takes */

        read->data = NULL;
    }
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

        if (ngx_test_config && rc == NGX_OK) {
            ngx_http_ux_restore_model(zone, merge.counters.len ? &counters
                                                               : &visitors);
        }

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

        ngx_log_error(NGX_HTTP_UX_LOG_ERR, log, 0,
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

        ngx_log_error(NGX_HTTP_UX_LOG_ERR, log, 0,
                      "ux_zone \"%V\": a snapshot in \"%V\" is left alone: %s",
                      &zone->name, &zone->snapshot, error.message);
        return NGX_DECLINED;
    }

    if (merge->mode == UX_IMAGE_PREPARE) {
        return NGX_OK;
    }

    (void) __atomic_fetch_add(&zone->store.head->saved.restored, 1,
                              __ATOMIC_RELAXED);

    zone->files->restored += result.visitors;

    ngx_http_ux_notice(log, "ux_zone \"%V\": %s %uL visitors (%uL known "
                       "already, %uL expired, %uL without room), %uL names "
                       "left out", &zone->name,
                       ngx_test_config ? "a start restores" : "restored",
                       result.visitors, result.united, result.expired,
                       result.dropped, result.names);

    return NGX_OK;
}


ux_image_work_t *
ngx_http_ux_image_work(void)
{
    static ux_image_work_t  work;

    return &work;
}
