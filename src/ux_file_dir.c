
/*
 * Copyright (C) the nginx-ux authors
 *
 * What stands in the directory: which incarnations there are, removing them,
 * and cleaning up.  Anybody may have put anything there, in any number: a
 * call reads so many names and removes so many files, the next one goes on.
 *
 * A list is short, so it has the newest: a crash leaves files that are older
 * than what is saved after it.  An incarnation is as new as its newest file.
 */

#include "ux_file_private.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>


#define UX_FILE_ENTRIES_MAX  100000
#define UX_FILE_CORRUPT_MAX  3


static bool ux_file_parse(const ux_file_zone_t *zone, const char *name,
    uint8_t uuid[16], const char **suffix);
static int ux_file_digit(char c);
static uint64_t ux_file_rank(const ux_file_zone_t *zone,
    const uint8_t uuid[16], const char *suffix);
static uint64_t ux_file_rank_all(const ux_file_zone_t *zone,
    const uint8_t uuid[16]);
static bool ux_file_follows(const ux_file_list_t *after, uint64_t rank,
    const uint8_t uuid[16]);
static bool ux_file_before(const ux_file_list_t *list, unsigned i,
    uint64_t rank, const uint8_t uuid[16]);
static void ux_file_list_add(ux_file_list_t *list, uint64_t rank,
    const uint8_t uuid[16]);
static void ux_file_list_move(ux_file_list_t *list, unsigned from,
    unsigned to);
static bool ux_file_is_data(const char *suffix);
static bool ux_file_is_fresh(const char *suffix);
static bool ux_file_is_litter(const ux_file_zone_t *zone,
    const uint8_t uuid[16], const char *suffix);
static void ux_file_clean_one(const ux_file_zone_t *zone,
    const uint8_t uuid[16]);
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


/* Of a rank: not to be listed; a file of ours; milliseconds since 1970. */
#define UX_FILE_RANK_NONE  0
#define UX_FILE_RANK_OURS  (1ull << 63)


ux_status_t
ux_file_list(const ux_file_zone_t *zone, ux_file_list_t *list,
    ux_error_t *error)
{
    return ux_file_list_next(zone, NULL, list, error);
}


ux_status_t
ux_file_list_next(const ux_file_zone_t *zone, const ux_file_list_t *after,
    ux_file_list_t *list, ux_error_t *error)
{
    DIR            *dir;
    uint8_t         uuid[16];
    uint64_t        rank;
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

        if (!ux_file_parse(zone, entry->d_name, uuid, &suffix)
            || !ux_file_is_data(suffix))
        {
            continue;
        }

        rank = ux_file_rank(zone, uuid, suffix);

        if (rank == UX_FILE_RANK_NONE || !ux_file_follows(after, rank, uuid)) {
            continue;
        }

        /* by another file it may have been in a list before */

        if (after == NULL
            || ux_file_follows(after, ux_file_rank_all(zone, uuid), uuid))
        {
            ux_file_list_add(list, rank, uuid);
        }
    }

    (void) closedir(dir);

    return UX_OK;
}


/* By one of its files. */
static uint64_t
ux_file_rank(const ux_file_zone_t *zone, const uint8_t uuid[16],
    const char *suffix)
{
    uint64_t        ms;
    ux_error_t      error;
    struct stat     st;
    ux_file_path_t  path;

    if (ux_file_path(zone, uuid, suffix, &path, &error) != UX_OK
        || lstat(path.text, &st) == -1 || !S_ISREG(st.st_mode)
        || st.st_size == 0)
    {
        return UX_FILE_RANK_NONE;
    }

    /* a time that is yet to come says nothing */

    ms = st.st_mtim.tv_sec < 0 || st.st_mtim.tv_sec > time(NULL) + 60
         ? 0 : (uint64_t) st.st_mtim.tv_sec * 1000;
    ms += (uint64_t) st.st_mtim.tv_nsec / 1000000 + 1;

    return st.st_nlink == 1 && ux_file_is_ours(zone, (uint32_t) st.st_uid)
           ? ms | UX_FILE_RANK_OURS : ms;
}


static uint64_t
ux_file_rank_all(const ux_file_zone_t *zone, const uint8_t uuid[16])
{
    uint64_t  rank, best;
    unsigned  i;

    best = UX_FILE_RANK_NONE;

    for (i = 0; i < UX_FILE_SUFFIXES; i++) {
        if (ux_file_is_data(ux_file_suffixes[i])) {
            rank = ux_file_rank(zone, uuid, ux_file_suffixes[i]);
            best = rank > best ? rank : best;
        }
    }

    return best;
}


static bool
ux_file_follows(const ux_file_list_t *after, uint64_t rank,
    const uint8_t uuid[16])
{
    return after == NULL
           || (after->n != 0
               && !ux_file_before(after, after->n - 1, rank, uuid)
               && memcmp(after->uuids[after->n - 1], uuid, 16) != 0);
}


/* Does the one of this rank belong before the i-th? */
static bool
ux_file_before(const ux_file_list_t *list, unsigned i, uint64_t rank,
    const uint8_t uuid[16])
{
    return rank > list->ranks[i]
           || (rank == list->ranks[i]
               && memcmp(uuid, list->uuids[i], 16) < 0);
}


/* Where it belongs; the last one falls out of a list that is full. */
static void
ux_file_list_add(ux_file_list_t *list, uint64_t rank, const uint8_t uuid[16])
{
    unsigned  i;

    for (i = 0; i < list->n && memcmp(list->uuids[i], uuid, 16) != 0; i++) {
        /* void */
    }

    if (i < list->n) {
        if (list->ranks[i] >= rank) {
            return;
        }

        ux_file_list_move(list, i + 1, i);
    }

    for (i = list->n; i > 0 && ux_file_before(list, i - 1, rank, uuid); i--) {
        /* void */
    }

    list->more = list->more || list->n == UX_FILE_LIST_MAX;

    if (i == UX_FILE_LIST_MAX) {
        return;
    }

    if (list->n == UX_FILE_LIST_MAX) {
        list->n--;
    }

    ux_file_list_move(list, i, i + 1);

    memcpy(list->uuids[i], uuid, 16);
    list->ranks[i] = rank;
}


/* All from there on, to the end. */
static void
ux_file_list_move(ux_file_list_t *list, unsigned from, unsigned to)
{
    unsigned  n;

    n = list->n - from;

    memmove(list->uuids[to], list->uuids[from], n * sizeof(list->uuids[0]));
    memmove(&list->ranks[to], &list->ranks[from],
            n * sizeof(list->ranks[0]));

    list->n = to + n;
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
            && ux_file_is_litter(zone, uuid, suffix))
        {
            ux_file_clean_one(zone, uuid);
        }
    }

    (void) closedir(dir);

    return UX_OK;
}


/* Or maybe: a lock or a base is, if there is nothing else. */
static bool
ux_file_is_litter(const ux_file_zone_t *zone, const uint8_t uuid[16],
    const char *suffix)
{
    ux_error_t      error;
    struct stat     st;
    ux_file_path_t  path;

    if (!ux_file_is_data(suffix)) {
        return true;
    }

    return ux_file_path(zone, uuid, suffix, &path, &error) == UX_OK
           && lstat(path.text, &st) == 0 && S_ISREG(st.st_mode)
           && st.st_size == 0 && ux_file_is_ours(zone, (uint32_t) st.st_uid);
}


/* Under the incarnation's lock, so that it does not come to life meanwhile. */
static void
ux_file_clean_one(const ux_file_zone_t *zone, const uint8_t uuid[16])
{
    int             fd;
    unsigned        i;
    ux_error_t      error;
    const char     *suffix;
    ux_status_t     rc;
    ux_file_path_t  path;

    fd = -1;
    rc = ux_file_lock(zone, uuid, false, &fd, &error);

    if (rc != UX_OK && rc != UX_DECLINED) {
        return;
    }

    for (i = 0; i < UX_FILE_SUFFIXES; i++) {
        suffix = ux_file_suffixes[i];

        if (ux_file_is_litter(zone, uuid, suffix)
            && (ux_file_is_fresh(suffix) || ux_file_is_data(suffix)
                || !ux_file_has_data(zone, uuid))
            && ux_file_path(zone, uuid, suffix, &path, &error) == UX_OK)
        {
            (void) unlink(path.text);
        }
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
