
/*
 * Copyright (C) the nginx-ux authors
 *
 * Saving a zone: `counters` every interval, `visitors` every journeys, each
 * only when a counter has changed since.  No request changes a record without
 * changing a counter, at the latest that of requests.
 */

#include "ngx_http_ux_snapshot.h"

#include <sys/prctl.h>


#define NGX_HTTP_UX_SAID  60000      /* ms between lines of errors */


static ngx_int_t ngx_http_ux_save(ngx_http_ux_zone_t *zone,
    ux_file_kind_e kind, ngx_log_t *log);
static uint64_t ngx_http_ux_save_hash(ux_store_t *store);
static ngx_uint_t ngx_http_ux_save_is_due(ngx_http_ux_saver_t *saver,
    ux_file_kind_e kind, uint64_t hash, ngx_uint_t all);


ngx_msec_t
ngx_http_ux_save_due(ngx_http_ux_zone_t *zone, ngx_uint_t all, ngx_log_t *log)
{
    uint64_t              hash, now_ms;
    ngx_int_t             rc;
    ngx_msec_t            period[UX_FILE_KINDS];
    ngx_uint_t            i;
    ux_file_kind_e        kind;
    ngx_http_ux_saver_t  *saver;

    ngx_time_update();

    saver = &zone->files->saver;
    now_ms = ngx_http_ux_now_ms();
    hash = ngx_http_ux_save_hash(&zone->store);
    period[UX_FILE_COUNTERS] = zone->interval;
    period[UX_FILE_VISITORS] = zone->journeys;
    rc = NGX_OK;

    /* both where visitors are due: either of them may be lost to a bad disk */

    if (ngx_http_ux_save_is_due(saver, UX_FILE_VISITORS, hash, all)) {
        all = 1;
    }

    for (i = 0; i < UX_FILE_KINDS && rc == NGX_OK; i++) {
        kind = (i == 0) ? UX_FILE_VISITORS : UX_FILE_COUNTERS;

        if (ngx_http_ux_save_is_due(saver, kind, hash, all)) {
            rc = ngx_http_ux_save(zone, kind, log);
            saver->hash[kind] = hash;
            saver->saved |= 1u << kind;
        }
    }

    for (i = 0; i < UX_FILE_KINDS; i++) {
        if (all || (ngx_msec_int_t) (ngx_current_msec - saver->due[i]) >= 0) {
            saver->due[i] = ngx_current_msec + period[i];
        }
    }

    /* the turn may be another zone's, and what is new here not due yet */

    if (rc == NGX_OK && saver->hash[UX_FILE_COUNTERS] == hash) {
        __atomic_store_n(&zone->store.head->saved.saved_ms, now_ms,
                         __ATOMIC_RELAXED);
    }

    if (rc != NGX_OK) {
        saver->saved = 0;
        saver->due[UX_FILE_VISITORS] = saver->due[UX_FILE_COUNTERS];
    }

    return ngx_min(saver->due[UX_FILE_COUNTERS] - ngx_current_msec,
                   saver->due[UX_FILE_VISITORS] - ngx_current_msec);
}


static ngx_uint_t
ngx_http_ux_save_is_due(ngx_http_ux_saver_t *saver, ux_file_kind_e kind,
    uint64_t hash, ngx_uint_t all)
{
    if (all || !(saver->saved & (1u << kind))) {
        return 1;
    }

    return hash != saver->hash[kind]
           && (ngx_msec_int_t) (ngx_current_msec - saver->due[kind]) >= 0;
}


/* Of all counters and how many names there are; torn by writers: changed. */
static uint64_t
ngx_http_ux_save_hash(ux_store_t *store)
{
    ux_store_head_t  *head;

    head = store->head;

    return ux_hash64((uint8_t *) head + head->copies_at,
                     head->buckets_at - head->copies_at)
           + ux_registry_count(store->registry);
}


static ngx_int_t
ngx_http_ux_save(ngx_http_ux_zone_t *zone, ux_file_kind_e kind,
    ngx_log_t *log)
{
    size_t           len;
    uint8_t         *image;
    ux_error_t       error;
    ux_status_t      rc;
    ux_file_name_t   name;
    ux_file_zone_t   files;

    ngx_http_ux_file_zone(zone, &files);
    ngx_memcpy(name.uuid, zone->store.head->uuid, sizeof(name.uuid));
    name.kind = kind;
    name.previous = false;

    image = ngx_http_ux_image(zone, &zone->store,
                              (kind == UX_FILE_VISITORS) ? UX_IMAGE_VISITORS
                                                         : UX_IMAGE_COUNTERS,
                              &len);

    if (image == NULL) {
        ngx_http_ux_save_failed(zone, "no memory", log);
        return NGX_ERROR;
    }

    ngx_http_ux_user_begin(zone);
    rc = ux_file_save(&files, &name, image, len, &error);
    ngx_http_ux_user_end(zone);

    free(image);

    if (rc != UX_OK) {
        ngx_http_ux_save_failed(zone, error.message, log);
        return NGX_ERROR;
    }

    return NGX_OK;
}


uint8_t *
ngx_http_ux_image(ngx_http_ux_zone_t *zone, ux_store_t *store,
    ux_image_kind_e kind, size_t *len)
{
    size_t            size;
    uint8_t          *image;
    ux_image_zone_t   names;

    /* most of it stays untouched, and free() gives it back to the system */

    size = ux_image_size(store, kind);
    image = malloc(size);

    if (image == NULL) {
        return NULL;
    }

    ngx_http_ux_image_zone(zone, &names);

    if (ux_image_write(store, kind, &names, ngx_http_ux_now_ms(), image, size,
                       len)
        != UX_OK)
    {
        free(image);
        return NULL;
    }

    return image;
}


void
ngx_http_ux_save_failed(ngx_http_ux_zone_t *zone, const char *sentence,
    ngx_log_t *log)
{
    (void) __atomic_fetch_add(&zone->store.head->saved.errors, 1,
                              __ATOMIC_RELAXED);

    /* not by the time of day, which may go back */

    if (zone->files->said != 0
        && ngx_current_msec - zone->files->said < NGX_HTTP_UX_SAID)
    {
        return;
    }

    zone->files->said = ngx_max(ngx_current_msec, 1);

    ngx_log_error(NGX_LOG_ERR, log, 0,
                  "ux_zone \"%V\": not saved in \"%V\": %s", &zone->name,
                  &zone->snapshot, sentence);
}


void
ngx_http_ux_file_zone(ngx_http_ux_zone_t *zone, ux_file_zone_t *files)
{
    files->directory = (const char *) zone->snapshot.data;
    files->zone = ngx_http_ux_str(zone->name);
    files->owner = (uint32_t) ((geteuid() == 0) ? zone->core->user
                                                : geteuid());
}


void
ngx_http_ux_image_zone(ngx_http_ux_zone_t *zone, ux_image_zone_t *image)
{
    ngx_memzero(image, sizeof(ux_image_zone_t));

    image->name = ngx_http_ux_str(zone->name);
    image->currency = ux_currency_code(zone->model.currency);
    image->model = &zone->model;

    image->origin.module.data = NGX_HTTP_UX_VERSION;
    image->origin.module.len = sizeof(NGX_HTTP_UX_VERSION) - 1;
    image->origin.server.data = NGINX_VERSION;
    image->origin.server.len = sizeof(NGINX_VERSION) - 1;
    image->origin.node = ngx_http_ux_str(ngx_cycle->hostname);
    image->origin.size = zone->size;
    image->origin.errors = __atomic_load_n(
                               &zone->store.head->saved.errors,
                               __ATOMIC_RELAXED);
}


void
ngx_http_ux_user_begin(ngx_http_ux_zone_t *zone)
{
    if (getuid() == 0 && geteuid() == 0 && zone->core->user != 0
        && zone->core->user != (ngx_uid_t) NGX_CONF_UNSET_UINT)
    {
        /* where it fails we go on as root, as careful as anybody */

        (void) (seteuid(zone->core->user) + 1);
    }
}


void
ngx_http_ux_user_end(ngx_http_ux_zone_t *zone)
{
    if (getuid() != 0 || geteuid() == 0) {
        return;
    }

    if (seteuid(0) == -1) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_errno,
                      "ux_zone \"%V\": seteuid(0) failed", &zone->name);
    }

#if (NGX_HAVE_PR_SET_DUMPABLE)

    /* as before: a change of user forbids core dumps */

    (void) prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);

#endif
}
