
/*
 * Copyright (C) the nginx-ux authors
 *
 * What the words of the command line stand for.
 *
 * A file brings the other images of its incarnation along, if they lie beside
 * it, and must be whole.  A folder brings all incarnations in it; there a
 * damaged file is replaced by the one before, as a server does.  An
 * incarnation counts once, however often it is named: by its newest files.
 */

#include "uxctl.h"
#include "uxctl_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <apr_file_info.h>
#include <apr_strings.h>


static int uxctl_add_file(uxctl_snapshots_t *snapshots, const char *path);
static int uxctl_add_beside(uxctl_snapshots_t *snapshots,
    const uxctl_image_t *image, unsigned kind);
static unsigned uxctl_kind(const uxctl_image_t *image);
static bool uxctl_ends(const char *path, const char *end);
static const char *uxctl_beside(apr_pool_t *pool, const char *path,
    unsigned kind);
static int uxctl_add_folder(uxctl_snapshots_t *snapshots, const char *path);
static const char *uxctl_folder_name(apr_pool_t *pool, const char *folder,
    const char *name);
static bool uxctl_add_either(uxctl_snapshots_t *snapshots, const char *path);
static bool uxctl_is_snapshot(const char *name);
static void uxctl_add_image(uxctl_snapshots_t *snapshots,
    const uxctl_image_t *image);
static void uxctl_add_newer(uxctl_image_t *known, const uxctl_image_t *image);
static void uxctl_sort(uxctl_snapshots_t *snapshots);


/* Ends of names, by ux_file_kind_e. */
static const char *const  uxctl_kinds[] = {
    ".counters", ".visitors", ".base"
};

#define UXCTL_KINDS  (sizeof(uxctl_kinds) / sizeof(uxctl_kinds[0]))


int
uxctl_snapshots_add(uxctl_snapshots_t *snapshots, const char *word)
{
    int           rc;
    apr_finfo_t   info;
    apr_status_t  status;

    status = apr_stat(&info, word, APR_FINFO_TYPE, snapshots->pool);

    if (status == APR_SUCCESS && info.filetype == APR_DIR) {
        rc = uxctl_add_folder(snapshots, word);

    } else {
        rc = uxctl_add_file(snapshots, word);
    }

    uxctl_sort(snapshots);

    return rc;
}


static int
uxctl_add_file(uxctl_snapshots_t *snapshots, const char *path)
{
    int             rc;
    unsigned        i;
    ux_error_t      error;
    const char     *zone;
    uxctl_image_t   image;

    if (uxctl_image_read(snapshots->pool, path, &image, &error) != UX_OK) {
        return uxctl_wrong("\"%s\" cannot be read as a snapshot: %s", path,
                           error.message);
    }

    zone = apr_pstrdup(snapshots->pool, image.info.name);

    if (snapshots->zone != NULL && strcmp(snapshots->zone, zone) != 0) {
        return uxctl_wrong("\"%s\" is of zone \"%s\": expected one of zone"
                           " \"%s\"", path, zone, snapshots->zone);
    }

    if (snapshots->of != NULL && strcmp(snapshots->of, zone) != 0) {
        return uxctl_wrong("\"%s\" is of zone \"%s\", and \"%s\" of zone"
                           " \"%s\": expected files of one zone",
                           snapshots->file, snapshots->of, path, zone);
    }

    snapshots->file = path;
    snapshots->of = zone;
    uxctl_add_image(snapshots, &image);

    for (i = 0; i < UXCTL_KINDS; i++) {
        rc = uxctl_add_beside(snapshots, &image, i);

        if (rc != UXCTL_OK) {
            return rc;
        }
    }

    return UXCTL_OK;
}


/* The image of that kind, if it is there and another one. */
static int
uxctl_add_beside(uxctl_snapshots_t *snapshots, const uxctl_image_t *image,
    unsigned kind)
{
    ux_error_t      error;
    const char     *beside;
    ux_status_t     rc;
    uxctl_image_t   other;

    beside = uxctl_beside(snapshots->pool, image->path, kind);

    if (beside == NULL || strcmp(beside, image->path) == 0) {
        return UXCTL_OK;
    }

    rc = uxctl_image_read(snapshots->pool, beside, &other, &error);

    if (rc == UX_ERROR) {
        return uxctl_wrong("\"%s\" cannot be read as a snapshot: %s", beside,
                           error.message);
    }

    if (rc == UX_OK) {

        if (memcmp(image->info.uuid, other.info.uuid, 16) != 0
            || uxctl_kind(image) == uxctl_kind(&other))
        {
            return uxctl_wrong("\"%s\" is no part of the snapshot \"%s\": "
                               "expected counters and visitors of one"
                               " incarnation", beside, image->path);
        }

        uxctl_add_image(snapshots, &other);
    }

    return UXCTL_OK;
}


/* A base is an image of visitors: its name tells. */
static unsigned
uxctl_kind(const uxctl_image_t *image)
{
    if (uxctl_ends(image->path, uxctl_kinds[UX_FILE_BASE])) {
        return UX_FILE_BASE;
    }

    return image->info.kind == UX_IMAGE_VISITORS ? UX_FILE_VISITORS
                                                 : UX_FILE_COUNTERS;
}


static bool
uxctl_ends(const char *path, const char *end)
{
    size_t  len;

    len = strlen(path);

    return len > strlen(end) && strcmp(path + len - strlen(end), end) == 0;
}


/* The name of the image of that kind, or NULL; a base has no ".1". */
static const char *
uxctl_beside(apr_pool_t *pool, const char *path, unsigned kind)
{
    unsigned     i;
    const char  *stem, *tail;

    tail = uxctl_ends(path, ".1") ? ".1" : "";
    stem = apr_pstrndup(pool, path, strlen(path) - strlen(tail));

    for (i = 0; i < UXCTL_KINDS; i++) {
        if (uxctl_ends(stem, uxctl_kinds[i])) {
            stem = apr_pstrndup(pool, stem,
                                strlen(stem) - strlen(uxctl_kinds[i]));

            return apr_pstrcat(pool, stem, uxctl_kinds[kind],
                               kind == UX_FILE_BASE ? "" : tail, NULL);
        }
    }

    return NULL;
}


const char *
uxctl_base_path(apr_pool_t *pool, const char *path)
{
    return uxctl_beside(pool, path, UX_FILE_BASE);
}


static int
uxctl_add_folder(uxctl_snapshots_t *snapshots, const char *path)
{
    unsigned      added;
    apr_dir_t    *folder;
    const char   *name;
    apr_finfo_t   info;
    apr_status_t  rc;
    char          why[96];

    rc = apr_dir_open(&folder, path, snapshots->pool);

    if (rc != APR_SUCCESS) {
        return uxctl_wrong("folder \"%s\" cannot be read: %s", path,
                           apr_strerror(rc, why, sizeof(why)));
    }

    added = 0;

    while (apr_dir_read(&info, APR_FINFO_NAME, folder) == APR_SUCCESS) {
        name = uxctl_folder_name(snapshots->pool, path, info.name);
        added += name != NULL && uxctl_add_either(snapshots, name);
    }

    (void) apr_dir_close(folder);

    if (added == 0) {
        return uxctl_wrong("folder \"%s\" has no snapshot%s%s%s that can be"
                           " read: expected ZONE.UUID.counters", path,
                           snapshots->zone != NULL ? " of zone \"" : "",
                           snapshots->zone != NULL ? snapshots->zone : "",
                           snapshots->zone != NULL ? "\"" : "");
    }

    return UXCTL_OK;
}


/*
 * The path of a snapshot in a folder, without ".1" where only that is there;
 * NULL: it is none, or will come by its own name.
 */
static const char *
uxctl_folder_name(apr_pool_t *pool, const char *folder, const char *name)
{
    size_t        len;
    bool          previous;
    const char   *path;
    apr_finfo_t   info;

    len = strlen(name);
    previous = len > 2 && strcmp(name + len - 2, ".1") == 0;

    if (previous) {
        name = apr_pstrndup(pool, name, len - 2);
    }

    path = apr_pstrcat(pool, folder, "/", name, NULL);

    if (!uxctl_is_snapshot(name)
        || (previous && uxctl_ends(name, uxctl_kinds[UX_FILE_BASE]))
        || (previous
            && apr_stat(&info, path, APR_FINFO_TYPE, pool) == APR_SUCCESS))
    {
        return NULL;
    }

    return path;
}


/* The file, or else the one before it. */
static bool
uxctl_add_either(uxctl_snapshots_t *snapshots, const char *path)
{
    unsigned        i;
    ux_error_t      error;
    ux_status_t     rc;
    uxctl_image_t   image;

    rc = UX_DECLINED;

    for (i = 0; i < 2 && rc != UX_OK; i++) {

        if (i == 1) {
            path = apr_pstrcat(snapshots->pool, path, ".1", NULL);
        }

        rc = uxctl_image_read(snapshots->pool, path, &image, &error);

        if (rc == UX_ERROR) {
            uxctl_report_note("\"%s\" is left out: %s", path, error.message);
        }
    }

    if (rc != UX_OK
        || (snapshots->zone != NULL
            && strcmp(snapshots->zone, image.info.name) != 0)
        || (snapshots->of != NULL
            && strcmp(snapshots->of, image.info.name) != 0))
    {
        return false;
    }

    uxctl_add_image(snapshots, &image);

    return true;
}


/* ZONE.UUID.counters, ZONE.UUID.visitors, ZONE.UUID.base */
static bool
uxctl_is_snapshot(const char *name)
{
    size_t    zone;
    unsigned  i;
    ux_str_t  s;

    zone = strcspn(name, ".");
    s.data = name;
    s.len = zone;

    if (!ux_name_check(s) || strlen(name) < zone + 33
        || strspn(name + zone + 1, "0123456789abcdef") != 32)
    {
        return false;
    }

    for (i = 0; i < UXCTL_KINDS; i++) {
        if (strcmp(name + zone + 33, uxctl_kinds[i]) == 0) {
            return true;
        }
    }

    return false;
}


static void
uxctl_add_image(uxctl_snapshots_t *snapshots, const uxctl_image_t *image)
{
    int                   i;
    unsigned              kind;
    uxctl_incarnation_t  *known;

    kind = uxctl_kind(image);

    for (i = 0; i < snapshots->found->nelts; i++) {
        known = &((uxctl_incarnation_t *) (void *)
                  snapshots->found->elts)[i];

        if (memcmp(uxctl_newest(known)->info.uuid, image->info.uuid, 16) == 0)
        {
            uxctl_add_newer(&known->images[kind], image);
            return;
        }
    }

    known = apr_array_push(snapshots->found);
    memset(known, 0, sizeof(uxctl_incarnation_t));
    known->images[kind] = *image;
}


static void
uxctl_add_newer(uxctl_image_t *known, const uxctl_image_t *image)
{
    if (known->path != NULL && strcmp(known->path, image->path) != 0) {
        uxctl_report_note("\"%s\" and \"%s\" are of one incarnation: the newer"
                          " one is taken", known->path, image->path);
    }

    if (known->path == NULL || image->info.written_ms > known->info.written_ms)
    {
        *known = *image;
    }
}


const uxctl_image_t *
uxctl_newest(const uxctl_incarnation_t *incarnation)
{
    const uxctl_image_t  *counters, *visitors;

    counters = &incarnation->images[UX_FILE_COUNTERS];
    visitors = &incarnation->images[UX_FILE_VISITORS];

    if (counters->path == NULL && visitors->path == NULL) {
        return &incarnation->images[UX_FILE_BASE];
    }

    return counters->path == NULL
           || (visitors->path != NULL
               && visitors->info.written_ms > counters->info.written_ms)
           ? visitors : counters;
}


int
uxctl_snapshots_end(uxctl_snapshots_t *snapshots)
{
    int                   i, n;
    const char           *base;
    uxctl_incarnation_t  *all;

    base = NULL;
    n = 0;
    all = (uxctl_incarnation_t *) (void *) snapshots->found->elts;

    for (i = 0; i < snapshots->found->nelts; i++) {

        if (uxctl_newest(&all[i]) == &all[i].images[UX_FILE_BASE]) {
            base = all[i].images[UX_FILE_BASE].path;

        } else {
            all[n++] = all[i];
        }
    }

    snapshots->found->nelts = n;

    if (n == 0 && base != NULL) {
        return uxctl_wrong("\"%s\" is only what its snapshot goes on from:"
                           " expected its .counters or .visitors beside it",
                           base);
    }

    return UXCTL_OK;
}


/* The newest first; there are few. */
static void
uxctl_sort(uxctl_snapshots_t *snapshots)
{
    int                   i, k;
    uxctl_incarnation_t  *all, one;

    all = (uxctl_incarnation_t *) (void *) snapshots->found->elts;

    for (i = 1; i < snapshots->found->nelts; i++) {
        one = all[i];

        for (k = i; k > 0 && uxctl_newest(&all[k - 1])->info.written_ms
                             < uxctl_newest(&one)->info.written_ms; k--)
        {
            all[k] = all[k - 1];
        }

        all[k] = one;
    }
}


void
uxctl_report_note(const char *format, ...)
{
    va_list  args;

    fprintf(stderr, "uxctl: ");

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);

    fprintf(stderr, "\n");
}
