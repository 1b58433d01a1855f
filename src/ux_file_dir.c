
/*
 * Copyright (C) the nginx-ux authors
 *
 * What stands in the directory: which incarnations there are, removing them,
 * and cleaning up.  Anybody may have put anything there, in any number: a
 * call reads so many names and removes so many files, the next one goes on.
 */

#include "ux_file_private.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>


#define UX_FILE_ENTRIES_MAX  100000
#define UX_FILE_CORRUPT_MAX  3


static bool ux_file_parse(const ux_file_zone_t *zone, const char *name,
    uint8_t uuid[16], const char **suffix);
static int ux_file_digit(char c);
static void ux_file_list_add(ux_file_list_t *list, const uint8_t uuid[16]);
static bool ux_file_is_data(const char *suffix);
static bool ux_file_is_fresh(const char *suffix);
static void ux_file_clean_one(const ux_file_zone_t *zone,
    const uint8_t uuid[16], const char *suffix);
static bool ux_file_has_data(const ux_file_zone_t *zone,
    const uint8_t uuid[16]);
static ux_status_t ux_file_corrupt(const ux_file_zone_t *zone, unsigned n,
    ux_file_path_t *path, ux_error_t *error);


/* All an incarnation may have, the lock last. */
static const char *const  ux_file_suffixes[] = {
    ".counters.new", ".visitors.new", ".base.new", ".counters.1",
    ".visitors.1", ".counters", ".visitors", ".base", ".lock"
};

#define UX_FILE_SUFFIXES                                                     \
    (sizeof(ux_file_suffixes) / sizeof(ux_file_suffixes[0]))


ux_status_t
ux_file_list(const ux_file_zone_t *zone, ux_file_list_t *list,
    ux_error_t *error)
{
    DIR            *dir;
    uint8_t         uuid[16];
    unsigned        i;
    const char     *suffix;
    struct dirent  *entry;

    memset(list, 0, sizeof(ux_file_list_t));

    dir = opendir(zone->directory);

    if (dir == NULL) {
        (void) snprintf(error->message, sizeof(error->message),
                        "cannot list the directory: %s", strerror(errno));
        return errno == ENOENT ? UX_DECLINED : UX_ERROR;
    }

    for (i = 0; i < UX_FILE_ENTRIES_MAX; i++) {
        entry = readdir(dir);

        if (entry == NULL) {
            break;
        }

        if (ux_file_parse(zone, entry->d_name, uuid, &suffix)
            && ux_file_is_data(suffix))
        {
            ux_file_list_add(list, uuid);
        }
    }

    (void) closedir(dir);

    return UX_OK;
}


static void
ux_file_list_add(ux_file_list_t *list, const uint8_t uuid[16])
{
    unsigned  i;

    for (i = 0; i < list->n; i++) {
        if (memcmp(list->uuids[i], uuid, 16) == 0) {
            return;
        }
    }

    if (list->n == UX_FILE_LIST_MAX) {
        list->more = true;
        return;
    }

    memcpy(list->uuids[list->n++], uuid, 16);
}


/* <zone>.<uuid><suffix>, the suffix one of ours. */
static bool
ux_file_parse(const ux_file_zone_t *zone, const char *name, uint8_t uuid[16],
    const char **suffix)
{
    int       high, low;
    size_t    len;
    unsigned  i;

    len = zone->zone.len;

    if (strlen(name) < len + 1 + UX_FILE_HEX
        || memcmp(name, zone->zone.data, len) != 0 || name[len] != '.')
    {
        return false;
    }

    name += len + 1;

    for (i = 0; i < 16; i++) {
        high = ux_file_digit(name[2 * i]);
        low = ux_file_digit(name[2 * i + 1]);

        if (high < 0 || low < 0) {
            return false;
        }

        uuid[i] = (uint8_t) (high << 4 | low);
    }

    *suffix = name + UX_FILE_HEX;

    for (i = 0; i < UX_FILE_SUFFIXES; i++) {
        if (strcmp(*suffix, ux_file_suffixes[i]) == 0) {
            return true;
        }
    }

    return false;
}


/* Lower case only: so a name is a uuid's only one. */
static int
ux_file_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}


static bool
ux_file_is_fresh(const char *suffix)
{
    return strcmp(suffix, ".counters.new") == 0
           || strcmp(suffix, ".visitors.new") == 0
           || strcmp(suffix, ".base.new") == 0;
}


static bool
ux_file_is_data(const char *suffix)
{
    return !ux_file_is_fresh(suffix) && strcmp(suffix, ".base") != 0
           && strcmp(suffix, ".lock") != 0;
}


ux_status_t
ux_file_remove(const ux_file_zone_t *zone, const uint8_t uuid[16],
    ux_error_t *error)
{
    unsigned        i;
    ux_file_path_t  path;

    for (i = 0; i < UX_FILE_SUFFIXES; i++) {

        if (ux_file_path(zone, uuid, ux_file_suffixes[i], &path, error)
            != UX_OK)
        {
            return UX_ERROR;
        }

        if (unlink(path.text) == -1 && errno != ENOENT) {
            return ux_file_errno(error, "remove", &path);
        }
    }

    return UX_OK;
}


ux_status_t
ux_file_aside(const ux_file_zone_t *zone, const ux_file_name_t *name,
    ux_error_t *error)
{
    unsigned        n;
    ux_file_path_t  from, to;

    for (n = UX_FILE_CORRUPT_MAX; n > 1; n--) {

        if (ux_file_corrupt(zone, n - 1, &from, error) != UX_OK
            || ux_file_corrupt(zone, n, &to, error) != UX_OK)
        {
            return UX_ERROR;
        }

        (void) rename(from.text, to.text);
    }

    if (ux_file_path(zone, name->uuid,
                     ux_file_suffix(name->kind, name->previous), &from, error)
            != UX_OK
        || ux_file_corrupt(zone, 1, &to, error) != UX_OK)
    {
        return UX_ERROR;
    }

    return rename(from.text, to.text) == 0
           ? UX_OK : ux_file_errno(error, "set aside", &from);
}


static ux_status_t
ux_file_corrupt(const ux_file_zone_t *zone, unsigned n, ux_file_path_t *path,
    ux_error_t *error)
{
    int     len;
    size_t  room;

    room = sizeof(path->text);
    path->at = strlen(zone->directory) + 1;

    len = snprintf(path->text, room, "%s/%.*s.corrupt.%u", zone->directory,
                   (int) zone->zone.len, zone->zone.data, n);

    if (len < 0 || (size_t) len >= room) {
        (void) snprintf(error->message, sizeof(error->message),
                        "the directory's name is too long");
        return UX_ERROR;
    }

    return UX_OK;
}


ux_status_t
ux_file_clean(const ux_file_zone_t *zone, ux_error_t *error)
{
    DIR            *dir;
    uint8_t         uuid[16];
    unsigned        i;
    const char     *suffix;
    struct dirent  *entry;

    dir = opendir(zone->directory);

    if (dir == NULL) {
        (void) snprintf(error->message, sizeof(error->message),
                        "cannot list the directory: %s", strerror(errno));
        return UX_ERROR;
    }

    for (i = 0; i < UX_FILE_ENTRIES_MAX; i++) {
        entry = readdir(dir);

        if (entry == NULL) {
            break;
        }

        if (ux_file_parse(zone, entry->d_name, uuid, &suffix)
            && !ux_file_is_data(suffix))
        {
            ux_file_clean_one(zone, uuid, suffix);
        }
    }

    (void) closedir(dir);

    return UX_OK;
}


/* Under the incarnation's lock, so that it does not come to life meanwhile. */
static void
ux_file_clean_one(const ux_file_zone_t *zone, const uint8_t uuid[16],
    const char *suffix)
{
    int             fd;
    ux_error_t      error;
    ux_status_t     rc;
    ux_file_path_t  path;

    fd = -1;
    rc = ux_file_lock(zone, uuid, false, &fd, &error);

    if ((rc == UX_OK || rc == UX_DECLINED)
        && (ux_file_is_fresh(suffix) || !ux_file_has_data(zone, uuid))
        && ux_file_path(zone, uuid, suffix, &path, &error) == UX_OK)
    {
        (void) unlink(path.text);
    }

    ux_file_unlock(fd);
}


static bool
ux_file_has_data(const ux_file_zone_t *zone, const uint8_t uuid[16])
{
    unsigned        i;
    ux_error_t      error;
    struct stat     st;
    ux_file_path_t  path;

    for (i = 0; i < UX_FILE_SUFFIXES; i++) {

        if (ux_file_is_data(ux_file_suffixes[i])
            && ux_file_path(zone, uuid, ux_file_suffixes[i], &path, &error)
               == UX_OK
            && lstat(path.text, &st) == 0)
        {
            return true;
        }
    }

    return false;
}
