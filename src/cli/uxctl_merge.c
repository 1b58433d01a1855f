
/*
 * Copyright (C) the nginx-ux authors
 *
 * uxctl merge: snapshots of one zone, of several servers, into one that a
 * server can start with.
 *
 * What comes out is an incarnation of its own that has adopted the others: a
 * server that finds both it and them counts nothing twice.
 */

#include "uxctl.h"
#include "uxctl_report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>


static int uxctl_merge_into(const uxctl_snapshots_t *snapshots,
    const uxctl_report_t *words);
static int uxctl_merge_folder(const char *folder, struct stat *st);
static int uxctl_merge_alone(const ux_file_zone_t *files);
static int uxctl_merge_save(const uxctl_report_t *words, uxctl_zone_t *zone);
static int uxctl_merge_write(const ux_file_zone_t *files, ux_file_kind_e kind,
    uxctl_zone_t *zone);
static int uxctl_merge_image(const ux_file_zone_t *files,
    const ux_file_name_t *name, uxctl_zone_t *zone, uint8_t *image,
    size_t size);
static int uxctl_merge_help(void);


static const apr_getopt_option_t  uxctl_merge_options[] = {
    { "output", 'o', 1, "FOLDER" },
    { "zone", 'z', 1, "NAME" },
    { "now", 'n', 1, "TIME" },
    { "json", 'j', 0, NULL },
    { "table", 't', 0, NULL },
    { "help", 'h', 0, NULL },
    { NULL, 0, 0, NULL }
};


int
uxctl_merge(apr_pool_t *pool, int argc, const char *const *argv)
{
    int                rc;
    uxctl_report_t     words;
    uxctl_snapshots_t  snapshots;

    const uxctl_usage_t  usage = { pool, argc, argv, uxctl_merge_options,
                                   uxctl_merge_help };

    rc = uxctl_snapshots_words(&usage, &words, &snapshots);

    if (rc != UXCTL_OK || words.help) {
        return rc;
    }

    return words.output != NULL ? uxctl_merge_into(&snapshots, &words)
                                : uxctl_report_print(&snapshots, &words);
}


static int
uxctl_merge_into(const uxctl_snapshots_t *snapshots,
    const uxctl_report_t *words)
{
    int           rc;
    uid_t         uid;
    gid_t         gid;
    const char   *name, *other;
    struct stat   st = { 0 };
    uxctl_zone_t  zone;

    name = uxctl_zone_name(snapshots, 0);
    other = uxctl_zone_name(snapshots, 1);

    if (other != NULL) {
        return uxctl_wrong("there are snapshots of zone \"%s\" and of zone"
                           " \"%s\": expected --zone NAME", name, other);
    }

    rc = uxctl_zone_load(snapshots, name, words, true, &zone);

    if (rc == UXCTL_OK) {
        rc = uxctl_merge_folder(words->output, &st);
    }

    if (rc != UXCTL_OK) {
        return rc;
    }

    /* root writes as the owner of the folder: a server reads its own files */

    uid = geteuid();
    gid = getegid();

    if (uid == 0 && (setegid(st.st_gid) != 0 || seteuid(st.st_uid) != 0)) {
        fprintf(stderr, "uxctl: cannot act as the owner of \"%s\": %s\n",
                words->output, strerror(errno));
        return UXCTL_FAILED;
    }

    rc = uxctl_merge_save(words, &zone);

    if (uid == 0 && (seteuid(uid) != 0 || setegid(gid) != 0)) {
        return UXCTL_FAILED;
    }

    return rc;
}


/* It is made, like those of "snapshot=". */
static int
uxctl_merge_folder(const char *folder, struct stat *st)
{
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
        return uxctl_wrong("folder \"%s\" cannot be made: %s", folder,
                           strerror(errno));
    }

    if (stat(folder, st) != 0 || !S_ISDIR(st->st_mode)) {
        return uxctl_wrong("\"%s\" is not valid: expected a folder to write"
                           " to", folder);
    }

    return UXCTL_OK;
}


static int
uxctl_merge_save(const uxctl_report_t *words, uxctl_zone_t *zone)
{
    int             rc;
    ux_error_t      error;
    ux_file_zone_t  files;

    files.directory = words->output;
    files.zone = zone->about.name;
    files.owner = geteuid();

    rc = uxctl_merge_alone(&files);

    if (rc != UXCTL_OK) {
        return rc;
    }

    rc = uxctl_merge_write(&files, UX_FILE_VISITORS, zone);

    if (rc == UXCTL_OK) {
        rc = uxctl_merge_write(&files, UX_FILE_COUNTERS, zone);
    }

    if (rc != UXCTL_OK) {
        (void) ux_file_remove(&files, zone->store.head->uuid, &error);
    }

    return rc;
}


/* A server that lives there would take the sum for somebody else's counts. */
static int
uxctl_merge_alone(const ux_file_zone_t *files)
{
    ux_error_t      error;
    ux_status_t     rc;
    ux_file_list_t  list;

    rc = ux_file_list(files, &list, &error);

    if (rc == UX_ERROR) {
        return uxctl_wrong("%s", error.message);
    }

    if (rc == UX_OK && list.n != 0) {
        return uxctl_wrong("folder \"%s\" has snapshots of zone \"%.*s\":"
                           " expected one without", files->directory,
                           ux_word(files->zone));
    }

    return UXCTL_OK;
}


static int
uxctl_merge_write(const ux_file_zone_t *files, ux_file_kind_e kind,
    uxctl_zone_t *zone)
{
    int              rc;
    size_t           size;
    uint8_t         *image;
    ux_file_name_t   name;

    name.kind = kind;
    name.previous = false;
    memcpy(name.uuid, zone->store.head->uuid, sizeof(name.uuid));

    size = ux_image_size(&zone->store, kind == UX_FILE_VISITORS
                                       ? UX_IMAGE_VISITORS
                                       : UX_IMAGE_COUNTERS);
    image = malloc(size);

    if (image == NULL) {
        fprintf(stderr, "uxctl: no memory for %zu bytes\n", size);
        return UXCTL_FAILED;
    }

    rc = uxctl_merge_image(files, &name, zone, image, size);
    free(image);

    return rc;
}


/* As of when the newest was saved: nothing has been counted since. */
static int
uxctl_merge_image(const ux_file_zone_t *files, const ux_file_name_t *name,
    uxctl_zone_t *zone, uint8_t *image, size_t size)
{
    size_t       len;
    unsigned     i;
    ux_error_t   error;

    if (ux_image_write(&zone->store, name->kind == UX_FILE_VISITORS
                                     ? UX_IMAGE_VISITORS : UX_IMAGE_COUNTERS,
                       &zone->about, zone->written_ms, image, size, &len)
        != UX_OK)
    {
        fprintf(stderr, "uxctl: zone \"%.*s\" does not fit in a snapshot\n",
                ux_word(zone->about.name));
        return UXCTL_FAILED;
    }

    if (ux_file_save(files, name, image, len, &error) != UX_OK) {
        fprintf(stderr, "uxctl: %s\n", error.message);
        return UXCTL_FAILED;
    }

    printf("%s/%.*s.", files->directory, ux_word(files->zone));

    for (i = 0; i < sizeof(name->uuid); i++) {
        printf("%02x", name->uuid[i]);
    }

    printf(".%s\n", name->kind == UX_FILE_VISITORS ? "visitors" : "counters");

    return UXCTL_OK;
}


static int
uxctl_merge_help(void)
{
    printf("usage: uxctl merge [OPTION...] FILE|FOLDER...\n"
           "\n"
           "Adds snapshots of one zone, of several servers: experiments are\n"
           "matched by name and version, and a visitor whom two servers know\n"
           "under one key of the index is counted once.  Files and folders:\n"
           "see \"uxctl report --help\".  Rates of several servers are no\n"
           "sum: what comes out has no history.\n"
           "\n"
           "  --output FOLDER  writes one snapshot that a server can start\n"
           "                   with; without it the report of the sum\n"
           "  --zone NAME      only this zone\n"
           "  --now TIME       as of then; else when the newest was saved\n"
           "  --json, --table  as of \"uxctl report\"\n");

    return UXCTL_OK;
}
