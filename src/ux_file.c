
/*
 * Copyright (C) the nginx-ux authors
 *
 * Saving a file so that no crash can hurt it:
 *
 *   write <name>.new        new, mode 0600, synced, its close checked
 *   rename <name>           to <name>.1
 *   rename <name>.new       to <name>
 *   sync the directory
 *
 * Killed before the second rename, <name>.1 is what <name> was and <name> is
 * not there: readers take the former then.  A file system that reports a
 * failed sync once may forget it the next time, so what failed is thrown away
 * and written anew, never synced again.
 */

#include "ux_file_private.h"

#include <string.h>

#include <apr_errno.h>
#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_pools.h>


#define UX_FILE_MODE  (APR_FPROT_UREAD|APR_FPROT_UWRITE)


/* One save; the pool lives as long. */
typedef struct {
    apr_pool_t      *pool;
    ux_file_path_t   fresh;
    ux_file_path_t   current;
    ux_file_path_t   previous;
    ux_error_t      *error;
} ux_file_save_t;


static ux_status_t ux_file_paths(ux_file_save_t *save,
    const ux_file_zone_t *zone, const ux_file_name_t *name);
static ux_status_t ux_file_replace(ux_file_save_t *save,
    const uint8_t *data, size_t len);
static ux_status_t ux_file_write(ux_file_save_t *save, const uint8_t *data,
    size_t len);
static ux_status_t ux_file_rename(ux_file_save_t *save);
static ux_status_t ux_file_sync_directory(ux_file_save_t *save);
static ux_status_t ux_file_apr(ux_file_save_t *save, const char *what,
    const ux_file_path_t *path, apr_status_t rv);


ux_status_t
ux_file_save(const ux_file_zone_t *zone, const ux_file_name_t *name,
    const uint8_t *data, size_t len, ux_error_t *error)
{
    ux_status_t     rc;
    ux_file_save_t  save;

    save.error = error;

    rc = ux_file_paths(&save, zone, name);
    if (rc != UX_OK) {
        return rc;
    }

    /*
     * Begun and ended here: the process may be one of many that were forked,
     * and others in it may use APR as well.
     */

    if (apr_initialize() != APR_SUCCESS) {
        return ux_file_say(error, "write", &save.current, "no APR");
    }

    rc = UX_ERROR;

    if (apr_pool_create(&save.pool, NULL) == APR_SUCCESS) {
        rc = ux_file_replace(&save, data, len);
        apr_pool_destroy(save.pool);

    } else {
        (void) ux_file_say(error, "write", &save.current, "no memory");
    }

    apr_terminate();

    return rc;
}


static ux_status_t
ux_file_paths(ux_file_save_t *save, const ux_file_zone_t *zone,
    const ux_file_name_t *name)
{
    const char  *fresh;

    fresh = name->kind == UX_FILE_VISITORS ? ".visitors.new"
            : name->kind == UX_FILE_BASE ? ".base.new" : ".counters.new";

    if (ux_file_path(zone, name->uuid, fresh, &save->fresh, save->error)
            != UX_OK
        || ux_file_path(zone, name->uuid, ux_file_suffix(name->kind, false),
                        &save->current, save->error)
            != UX_OK)
    {
        return UX_ERROR;
    }

    return ux_file_path(zone, name->uuid, ux_file_suffix(name->kind, true),
                        &save->previous, save->error);
}


static ux_status_t
ux_file_replace(ux_file_save_t *save, const uint8_t *data, size_t len)
{
    if (ux_file_write(save, data, len) != UX_OK
        || ux_file_rename(save) != UX_OK)
    {
        (void) apr_file_remove(save->fresh.text, save->pool);
        return UX_ERROR;
    }

    return ux_file_sync_directory(save);
}


static ux_status_t
ux_file_write(ux_file_save_t *save, const uint8_t *data, size_t len)
{
    apr_file_t    *file;
    apr_status_t   rv, closed;

    /* what a killed process left; whoever calls is the only one to write */
    (void) apr_file_remove(save->fresh.text, save->pool);

    rv = apr_file_open(&file, save->fresh.text,
                       APR_FOPEN_WRITE|APR_FOPEN_CREATE|APR_FOPEN_EXCL,
                       UX_FILE_MODE, save->pool);

    if (rv != APR_SUCCESS) {
        return ux_file_apr(save, "create", &save->fresh, rv);
    }

    rv = apr_file_write_full(file, data, len, NULL);

    if (rv == APR_SUCCESS) {
        rv = apr_file_sync(file);
    }

    closed = apr_file_close(file);
    rv = rv == APR_SUCCESS ? closed : rv;

    return rv == APR_SUCCESS ? UX_OK
                             : ux_file_apr(save, "write", &save->fresh, rv);
}


static ux_status_t
ux_file_rename(ux_file_save_t *save)
{
    apr_status_t  rv;

    rv = apr_file_rename(save->current.text, save->previous.text, save->pool);

    if (rv != APR_SUCCESS && !APR_STATUS_IS_ENOENT(rv)) {
        return ux_file_apr(save, "rename", &save->current, rv);
    }

    rv = apr_file_rename(save->fresh.text, save->current.text, save->pool);

    if (rv == APR_SUCCESS) {
        return UX_OK;
    }

    /* better one under its name than none */
    (void) apr_file_rename(save->previous.text, save->current.text,
                           save->pool);

    return ux_file_apr(save, "rename", &save->fresh, rv);
}


static ux_status_t
ux_file_sync_directory(ux_file_save_t *save)
{
    apr_file_t      *directory;
    apr_status_t     rv;
    ux_file_path_t   path;

    path = save->current;
    path.text[path.at - 1] = '\0';
    path.at = 0;

    rv = apr_file_open(&directory, path.text, APR_FOPEN_READ, 0, save->pool);

    if (rv == APR_SUCCESS) {
        rv = apr_file_sync(directory);
        (void) apr_file_close(directory);
    }

    return rv == APR_SUCCESS ? UX_OK : ux_file_apr(save, "sync", &path, rv);
}


static ux_status_t
ux_file_apr(ux_file_save_t *save, const char *what,
    const ux_file_path_t *path, apr_status_t rv)
{
    char  why[96];

    (void) apr_strerror(rv, why, sizeof(why));

    return ux_file_say(save->error, what, path, why);
}
