
/*
 * Copyright (C) the nginx-ux authors
 *
 * Reading and locking files in a directory that others may write to.  A name
 * there may have become a link, a pipe or a device: nothing is followed,
 * waited for or read before the open file is known to be an ordinary one, of
 * the right owner and with no other name.  Plain POSIX, because APR's open
 * has no way to say that.
 */

#include "ux_file_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>


#define UX_FILE_LOCK_TRIES  200


static ux_status_t ux_file_open(const ux_file_zone_t *zone,
    const ux_file_name_t *name, ux_file_path_t *path, int *fd, uint64_t *size,
    ux_error_t *error);
static ux_status_t ux_file_ordinary(const ux_file_zone_t *zone, int fd,
    const ux_file_path_t *path, uint64_t *size, ux_error_t *error);
static ux_status_t ux_file_fill(int fd, uint8_t *buf, size_t len,
    const ux_file_path_t *path, ux_error_t *error);
static ux_status_t ux_file_lock_once(const ux_file_zone_t *zone,
    const ux_file_path_t *path, bool create, int *fd, ux_error_t *error);
static bool ux_file_same(int fd, const ux_file_path_t *path);


ux_status_t
ux_file_load(const ux_file_zone_t *zone, const ux_file_name_t *name,
    size_t max, uint8_t **data, size_t *len, ux_error_t *error)
{
    int             fd;
    uint8_t        *buf;
    uint64_t        size;
    ux_status_t     rc;
    ux_file_path_t  path;

    rc = ux_file_open(zone, name, &path, &fd, &size, error);
    if (rc != UX_OK) {
        return rc;
    }

    buf = NULL;

    if (size > max) {
        rc = ux_file_say(error, "use", &path, "it is too large");

    } else {
        buf = malloc((size_t) size + 1);
        rc = buf == NULL ? ux_file_say(error, "read", &path, "no memory")
                         : ux_file_fill(fd, buf, (size_t) size, &path, error);
    }

    (void) close(fd);

    if (rc != UX_OK) {
        free(buf);
        return rc;
    }

    *data = buf;
    *len = (size_t) size;

    return UX_OK;
}


ux_status_t
ux_file_head(const ux_file_zone_t *zone, const ux_file_name_t *name,
    uint8_t *buf, size_t size, size_t *len, ux_error_t *error)
{
    int             fd;
    uint64_t        all;
    ux_status_t     rc;
    ux_file_path_t  path;

    rc = ux_file_open(zone, name, &path, &fd, &all, error);
    if (rc != UX_OK) {
        return rc;
    }

    *len = all < size ? (size_t) all : size;
    rc = ux_file_fill(fd, buf, *len, &path, error);

    (void) close(fd);

    return rc;
}


static ux_status_t
ux_file_open(const ux_file_zone_t *zone, const ux_file_name_t *name,
    ux_file_path_t *path, int *fd, uint64_t *size, ux_error_t *error)
{
    ux_status_t  rc;

    rc = ux_file_path(zone, name->uuid,
                      ux_file_suffix(name->kind, name->previous), path,
                      error);
    if (rc != UX_OK) {
        return rc;
    }

    *fd = open(path->text, O_RDONLY|O_NONBLOCK|O_NOFOLLOW|O_CLOEXEC);

    if (*fd == -1) {
        return errno == ENOENT ? UX_DECLINED
                               : ux_file_errno(error, "open", path);
    }

    rc = ux_file_ordinary(zone, *fd, path, size, error);

    if (rc != UX_OK) {
        (void) close(*fd);
    }

    return rc;
}


static ux_status_t
ux_file_ordinary(const ux_file_zone_t *zone, int fd,
    const ux_file_path_t *path, uint64_t *size, ux_error_t *error)
{
    const char   *why;
    struct stat   st;

    if (fstat(fd, &st) == -1) {
        return ux_file_errno(error, "look at", path);
    }

    why = !S_ISREG(st.st_mode) ? "it is no ordinary file"
          : st.st_nlink > 1 ? "it has another name"
          : !ux_file_is_ours(zone, (uint32_t) st.st_uid)
            ? "it is somebody else's" : NULL;

    if (why != NULL) {
        return ux_file_say(error, "use", path, why);
    }

    *size = (uint64_t) st.st_size;

    return UX_OK;
}


bool
ux_file_is_ours(const ux_file_zone_t *zone, uint32_t owner)
{
    return owner == (uint32_t) geteuid() || owner == zone->owner;
}


static ux_status_t
ux_file_fill(int fd, uint8_t *buf, size_t len, const ux_file_path_t *path,
    ux_error_t *error)
{
    size_t   done;
    ssize_t  n;

    for (done = 0; done < len; done += (size_t) n) {
        n = read(fd, buf + done, len - done);

        if (n == -1 && errno == EINTR) {
            n = 0;
            continue;
        }

        if (n <= 0) {
            return n == 0 ? ux_file_say(error, "read", path, "it shrank")
                          : ux_file_errno(error, "read", path);
        }
    }

    return UX_OK;
}


/*
 * flock() and not fcntl(): the lock belongs to the open file, so it outlives
 * the process that took it, for as long as one of its children has it open.
 */
ux_status_t
ux_file_lock(const ux_file_zone_t *zone, const uint8_t uuid[16], bool create,
    int *fd, ux_error_t *error)
{
    unsigned        i;
    ux_status_t     rc;
    ux_file_path_t  path;

    rc = ux_file_path(zone, uuid, ".lock", &path, error);
    if (rc != UX_OK) {
        return rc;
    }

    rc = UX_BUSY;

    /* one who cleans up may have it for a moment, before it has our lock */

    for (i = 0; i < (create ? UX_FILE_LOCK_TRIES : 1) && rc == UX_BUSY; i++) {

        if (i > 0) {
            (void) usleep(1000);
        }

        rc = ux_file_lock_once(zone, &path, create, fd, error);
    }

    return rc;
}


static ux_status_t
ux_file_lock_once(const ux_file_zone_t *zone, const ux_file_path_t *path,
    bool create, int *fd, ux_error_t *error)
{
    int          flags;
    uint64_t     size;
    ux_status_t  rc;

    flags = O_RDONLY|O_NONBLOCK|O_NOFOLLOW|O_CLOEXEC|(create ? O_CREAT : 0);

    *fd = open(path->text, flags, 0600);

    if (*fd == -1) {
        return errno == ENOENT && !create
               ? UX_DECLINED : ux_file_errno(error, "open", path);
    }

    rc = ux_file_ordinary(zone, *fd, path, &size, error);

    if (rc == UX_OK
        && flock(*fd, (create ? LOCK_SH : LOCK_EX)|LOCK_NB) == -1)
    {
        rc = errno == EWOULDBLOCK ? UX_BUSY
                                  : ux_file_errno(error, "lock", path);
    }

    /* removed between open and lock: the name is no longer this file's */

    if (rc == UX_OK && !ux_file_same(*fd, path)) {
        rc = UX_BUSY;
    }

    if (rc != UX_OK) {
        (void) close(*fd);
        *fd = -1;
    }

    return rc;
}


static bool
ux_file_same(int fd, const ux_file_path_t *path)
{
    struct stat  open, named;

    return fstat(fd, &open) == 0 && lstat(path->text, &named) == 0
           && open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}


bool
ux_file_locked(const ux_file_zone_t *zone, const uint8_t uuid[16], int fd)
{
    ux_error_t      error;
    ux_file_path_t  path;

    return ux_file_path(zone, uuid, ".lock", &path, &error) == UX_OK
           && ux_file_same(fd, &path);
}


bool
ux_file_saved(const ux_file_zone_t *zone, const ux_file_name_t *name)
{
    ux_error_t      error;
    struct stat     st;
    ux_file_path_t  path;

    return ux_file_path(zone, name->uuid,
                        ux_file_suffix(name->kind, name->previous), &path,
                        &error)
               == UX_OK
           && lstat(path.text, &st) == 0 && st.st_size != 0;
}


void
ux_file_unlock(int fd)
{
    if (fd != -1) {
        (void) close(fd);
    }
}


const char *
ux_file_suffix(ux_file_kind_e kind, bool previous)
{
    if (kind == UX_FILE_BASE) {
        return ".base";              /* to be the one before changes nothing */
    }

    if (kind == UX_FILE_VISITORS) {
        return previous ? ".visitors.1" : ".visitors";
    }

    return previous ? ".counters.1" : ".counters";
}


ux_status_t
ux_file_path(const ux_file_zone_t *zone, const uint8_t uuid[16],
    const char *suffix, ux_file_path_t *path, ux_error_t *error)
{
    int       n;
    char      hex[UX_FILE_HEX + 1];
    size_t    room;
    unsigned  i;

    for (i = 0; i < 16; i++) {
        hex[2 * i] = "0123456789abcdef"[uuid[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[uuid[i] & 15];
    }

    hex[UX_FILE_HEX] = '\0';

    path->at = strlen(zone->directory) + 1;
    room = sizeof(path->text);

    n = snprintf(path->text, room, "%s/%.*s.%s%s", zone->directory,
                 (int) zone->zone.len, zone->zone.data, hex, suffix);

    if (n < 0 || (size_t) n >= room) {
        (void) snprintf(error->message, sizeof(error->message),
                        "the directory's name is too long");
        return UX_ERROR;
    }

    return UX_OK;
}


ux_status_t
ux_file_say(ux_error_t *error, const char *what, const ux_file_path_t *path,
    const char *why)
{
    (void) snprintf(error->message, sizeof(error->message),
                    "cannot %s \"%.120s\": %s", what, path->text + path->at,
                    why);

    return UX_ERROR;
}


ux_status_t
ux_file_errno(ux_error_t *error, const char *what, const ux_file_path_t *path)
{
    return ux_file_say(error, what, path, strerror(errno));
}
