
/*
 * Copyright (C) the nginx-ux authors
 *
 * Reading a snapshot, whoever gave it: nothing is waited for, nothing larger
 * than it says is read, and it is checked as a server checks it.
 */

#include "uxctl_report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>


static ux_status_t uxctl_image_open(const char *path, int *fd, size_t *size,
    ux_error_t *error);
static const char *uxctl_image_strange(const struct stat *st);
static ux_status_t uxctl_image_fill(int fd, uint8_t *data, size_t size,
    ux_error_t *error);
static ux_status_t uxctl_image_bytes(apr_pool_t *pool, int fd, size_t size,
    uxctl_image_t *image, ux_error_t *error);
static ux_status_t uxctl_image_say(ux_error_t *error, const char *sentence);


ux_status_t
uxctl_image_read(apr_pool_t *pool, const char *path, uxctl_image_t *image,
    ux_error_t *error)
{
    int          fd;
    size_t       size;
    ux_status_t  rc;

    static ux_image_work_t  work;

    memset(image, 0, sizeof(uxctl_image_t));
    size = 0;

    rc = uxctl_image_open(path, &fd, &size, error);

    if (rc != UX_OK) {
        return rc;
    }

    rc = uxctl_image_bytes(pool, fd, size, image, error);
    (void) close(fd);

    if (rc == UX_OK
        && ux_image_check(image->data, image->len, &work, error) != UX_OK)
    {
        rc = UX_ERROR;
    }

    if (rc == UX_OK) {
        image->path = path;
    }

    return rc;
}


static ux_status_t
uxctl_image_open(const char *path, int *fd, size_t *size, ux_error_t *error)
{
    struct stat   st;
    const char   *strange;

    /* a pipe without a writer would be waited for */
    *fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (*fd == -1) {
        (void) uxctl_image_say(error, strerror(errno));
        return errno == ENOENT ? UX_DECLINED : UX_ERROR;
    }

    if (fstat(*fd, &st) == -1) {
        strange = strerror(errno);

    } else {
        strange = uxctl_image_strange(&st);
    }

    if (strange != NULL) {
        (void) close(*fd);
        return uxctl_image_say(error, strange);
    }

    *size = (size_t) st.st_size;

    return UX_OK;
}


static const char *
uxctl_image_strange(const struct stat *st)
{
    if (S_ISFIFO(st->st_mode)) {
        return "it is a pipe, not a file";
    }

    if (!S_ISREG(st->st_mode)) {
        return "it is not an ordinary file";
    }

    return st->st_size == 0 ? "it is empty" : NULL;
}


/* The header tells how much there is to read. */
static ux_status_t
uxctl_image_bytes(apr_pool_t *pool, int fd, size_t size, uxctl_image_t *image,
    ux_error_t *error)
{
    size_t    head;
    uint8_t  *data, first[UX_IMAGE_HEADER_MAX];

    head = size < sizeof(first) ? size : sizeof(first);

    if (uxctl_image_fill(fd, first, head, error) != UX_OK
        || ux_image_info(first, head, &image->info, error) != UX_OK)
    {
        return UX_ERROR;
    }

    if (image->info.length != size) {
        (void) snprintf(error->message, sizeof(error->message),
                        "the snapshot has %zu bytes and says %llu", size,
                        (unsigned long long) image->info.length);
        return UX_ERROR;
    }

    data = apr_palloc(pool, size);

    if (data == NULL) {
        return uxctl_image_say(error, "no memory");
    }

    memcpy(data, first, head);
    image->data = data;
    image->len = size;

    return uxctl_image_fill(fd, data + head, size - head, error);
}


static ux_status_t
uxctl_image_fill(int fd, uint8_t *data, size_t size, ux_error_t *error)
{
    ssize_t  n;

    while (size > 0) {
        n = read(fd, data, size);

        if (n == -1 && errno == EINTR) {
            continue;
        }

        if (n <= 0) {
            return uxctl_image_say(error, n == 0 ? "it became shorter"
                                                 : strerror(errno));
        }

        data += n;
        size -= (size_t) n;
    }

    return UX_OK;
}


static ux_status_t
uxctl_image_say(ux_error_t *error, const char *sentence)
{
    (void) snprintf(error->message, sizeof(error->message), "%s", sentence);

    return UX_ERROR;
}
