
/*
 * Copyright (C) the nginx-ux authors
 *
 * Keys that sign visitor cookies: from ux_secret, from the snapshot
 * directory, or from the zone.
 */

#include "ngx_http_ux_snapshot.h"

#include <sys/random.h>


static ngx_int_t ngx_http_ux_secret_lines(ngx_conf_t *cf, ngx_str_t *file,
    u_char *buf, size_t len, ngx_array_t *keys);
static void ngx_http_ux_secret_find(ngx_http_ux_zone_t *zone, ngx_fd_t dir,
    u_char *buf, ngx_log_t *log);
static ngx_int_t ngx_http_ux_secret_load(ngx_http_ux_zone_t *zone,
    ngx_fd_t dir, u_char *buf, ngx_log_t *log);
static const char *ngx_http_ux_secret_wrong(ngx_http_ux_zone_t *zone,
    ngx_fd_t fd);
static void ngx_http_ux_secret_create(ngx_http_ux_zone_t *zone,
    ngx_fd_t dir, ngx_err_t expected, ngx_log_t *log);
static void ngx_http_ux_secret_hex(ngx_http_ux_zone_t *zone, u_char hex[64]);


#define NGX_HTTP_UX_SECRET_MIN   16
#define NGX_HTTP_UX_SECRET_SIZE  4096


/* From the kernel, which gives up to 256 bytes whole and without waiting. */
ngx_int_t
ngx_http_ux_random(uint8_t *buf, size_t len)
{
    size_t  n;

    for ( /* void */ ; len != 0; buf += n, len -= n) {
        n = ngx_min(len, 256);

        if (getrandom(buf, n, 0) != (ssize_t) n) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_ux_secret_read(ngx_conf_t *cf, ngx_str_t *file, ngx_array_t *keys)
{
    u_char           *buf;
    ssize_t           n;
    ngx_fd_t          fd;
    ngx_file_info_t   fi;

    fd = ngx_open_file(file->data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "cannot open key file \"%V\" of \"ux_secret\"",
                           file);
        return NGX_ERROR;
    }

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR || !ngx_is_file(&fi)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "key file \"%V\" of \"ux_secret\" is not a "
                           "regular file", file);
        (void) ngx_close_file(fd);
        return NGX_ERROR;
    }

    if (ngx_file_access(&fi) & 0007) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "key file \"%V\" of \"ux_secret\" is open to "
                           "everybody: expected mode 0600", file);
    }

    buf = ngx_palloc(cf->pool, NGX_HTTP_UX_SECRET_SIZE);
    n = (buf == NULL) ? -1 : ngx_read_fd(fd, buf, NGX_HTTP_UX_SECRET_SIZE);

    (void) ngx_close_file(fd);

    if (n < 0 || n == NGX_HTTP_UX_SECRET_SIZE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, (n < 0) ? ngx_errno : 0,
                           "cannot use key file \"%V\" of \"ux_secret\": "
                           "expected less than %d bytes", file,
                           NGX_HTTP_UX_SECRET_SIZE);
        return NGX_ERROR;
    }

    return ngx_http_ux_secret_lines(cf, file, buf, n, keys);
}


static ngx_int_t
ngx_http_ux_secret_lines(ngx_conf_t *cf, ngx_str_t *file, u_char *buf,
    size_t len, ngx_array_t *keys)
{
    u_char      *p, *last, *end;
    ux_str_t    *key;
    ngx_uint_t   line;

    last = buf + len;
    line = 0;

    for (p = buf; p < last; p = end + 1) {
        line++;
        end = ngx_strlchr(p, last, LF);

        if (end == NULL) {
            end = last;
        }

        len = end - p;

        if (len > 0 && p[len - 1] == CR) {
            len--;
        }

        if (len == 0) {
            continue;
        }

        if (len < NGX_HTTP_UX_SECRET_MIN) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "key in line %ui of \"%V\" of \"ux_secret\" "
                               "has %uz bytes: expected at least %d", line,
                               file, len, NGX_HTTP_UX_SECRET_MIN);
            return NGX_ERROR;
        }

        if (keys->nelts == NGX_HTTP_UX_KEYS_MAX) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "too many keys in \"%V\" of \"ux_secret\": "
                               "expected at most %d", file,
                               NGX_HTTP_UX_KEYS_MAX);
            return NGX_ERROR;
        }

        key = ngx_array_push(keys);
        if (key == NULL) {
            return NGX_ERROR;
        }

        key->data = (const char *) p;
        key->len = len;
    }

    if (keys->nelts == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no key in \"%V\" of \"ux_secret\": expected one "
                           "a line, at least %d bytes each", file,
                           NGX_HTTP_UX_SECRET_MIN);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * Without ux_secret.  The zone's own random key is written as 64 hex digits,
 * so that file and zone sign alike; a file that is there wins.  Nothing is
 * written by "nginx -t".
 */
void
ngx_http_ux_secret_open(ngx_http_ux_zone_t *zone, ngx_log_t *log)
{
    u_char    *p;
    ngx_fd_t   dir;

    dir = NGX_INVALID_FILE;

    /* for what is wrong with it, "nginx -t" has no other time to look */

    if (zone->snapshot.len != 0 && (zone->nkeys == 0 || ngx_test_config)) {
        dir = ngx_http_ux_directory_open(zone, log);
    }

    if (zone->nkeys == 0) {
        zone->nkeys = 1;

        p = ngx_pnalloc(zone->experiments.pool, NGX_HTTP_UX_SECRET_SIZE);

        if (p == NULL) {
            zone->nkeys = 0;

        } else {
            ngx_http_ux_secret_hex(zone, p);
            zone->keys[0].data = (const char *) p;
            zone->keys[0].len = 64;
            ngx_http_ux_secret_find(zone, dir, p, log);
        }
    }

    if (dir != NGX_INVALID_FILE) {
        (void) ngx_close_file(dir);
    }
}


static void
ngx_http_ux_secret_find(ngx_http_ux_zone_t *zone, ngx_fd_t dir, u_char *buf,
    ngx_log_t *log)
{
    if (zone->snapshot.len == 0) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "ux_zone \"%V\": neither \"ux_secret\" nor "
                      "\"snapshot=\": the key that signs cookies lives in "
                      "memory only, a restart makes every visitor a new one",
                      &zone->name);
        return;
    }

    if (dir == NGX_INVALID_FILE || zone->files->unsafe
        || ngx_http_ux_secret_load(zone, dir, buf, log) != NGX_DECLINED)
    {
        return;
    }

    if (!ngx_test_config) {
        ngx_http_ux_secret_create(zone, dir, 0, log);
    }
}


/* In a directory that can be used only now, unless it has another one. */
void
ngx_http_ux_secret_keep(ngx_http_ux_zone_t *zone, ngx_log_t *log)
{
    u_char    hex[64];
    ngx_fd_t  dir;

    ngx_http_ux_secret_hex(zone, hex);

    if (zone->nkeys != 1 || zone->keys[0].len != sizeof(hex)
        || ngx_memcmp(zone->keys[0].data, hex, sizeof(hex)) != 0)
    {
        return;
    }

    dir = ngx_http_ux_directory_open(zone, log);

    if (dir == NGX_INVALID_FILE) {
        return;
    }

    if (!zone->files->unsafe) {
        ngx_http_ux_secret_create(zone, dir, NGX_EEXIST, log);
    }

    (void) ngx_close_file(dir);
}


static void
ngx_http_ux_secret_hex(ngx_http_ux_zone_t *zone, u_char hex[64])
{
    (void) ngx_hex_dump(hex, zone->store.head->secret,
                        sizeof(zone->store.head->secret));
}


/*
 * Into buf, of which the zone's key may be the start, once all is read.
 * NGX_DECLINED: none to be used; NGX_ERROR: what is there cannot be read.
 */
static ngx_int_t
ngx_http_ux_secret_load(ngx_http_ux_zone_t *zone, ngx_fd_t dir, u_char *buf,
    ngx_log_t *log)
{
    u_char       key[NGX_HTTP_UX_SECRET_SIZE], *end;
    ssize_t      n;
    ngx_fd_t     fd;
    ngx_err_t    err;
    const char  *why;

    /* what root alone may read is no key of the workers */

    ngx_http_ux_user_begin(zone);
    fd = openat(dir, "secret", O_RDONLY|O_NONBLOCK|O_NOFOLLOW|O_CLOEXEC);
    err = ngx_errno;
    ngx_http_ux_user_end(zone);

    if (fd == NGX_INVALID_FILE) {
        if (err == NGX_ENOENT) {
            return NGX_DECLINED;
        }

        ngx_log_error(NGX_HTTP_UX_LOG_ERR, log, err,
                      "cannot open \"%V/secret\": the key that signs cookies "
                      "lives in memory only", &zone->snapshot);
        return NGX_ERROR;
    }

    n = 0;
    why = ngx_http_ux_secret_wrong(zone, fd);

    if (why == NULL) {
        n = ngx_read_fd(fd, key, sizeof(key));
    }

    (void) ngx_close_file(fd);

    /* the key is the first line */

    end = (n > 0) ? ngx_strlchr(key, key + n, LF) : NULL;

    if (end != NULL) {
        n = end - key;
    }

    if (n > 0 && key[n - 1] == CR) {
        n--;
    }

    if (why == NULL && n < NGX_HTTP_UX_SECRET_MIN) {
        why = "holds no key: expected a line of at least 16 bytes";
    }

    if (why != NULL) {
        ngx_log_error(NGX_HTTP_UX_LOG_ERR, log, 0, "\"%V/secret\" %s",
                      &zone->snapshot, why);
        return NGX_DECLINED;
    }

    ngx_memcpy(buf, key, n);
    zone->keys[0].len = n;

    return NGX_OK;
}


/* Whoever can write another key signs any visitor. */
static const char *
ngx_http_ux_secret_wrong(ngx_http_ux_zone_t *zone, ngx_fd_t fd)
{
    ngx_file_info_t  fi;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR || !ngx_is_file(&fi)) {
        return "is no ordinary file";
    }

    if (fi.st_nlink > 1) {
        return "has another name";
    }

    return ngx_http_ux_directory_others(zone, &fi);
}


/* By the workers' user, who could lead root to another directory. */
static void
ngx_http_ux_secret_create(ngx_http_ux_zone_t *zone, ngx_fd_t dir,
    ngx_err_t expected, ngx_log_t *log)
{
    u_char      line[65];
    ssize_t     n;
    ngx_fd_t    fd;
    ngx_err_t   err;

    ngx_http_ux_user_begin(zone);

    fd = openat(dir, "secret", O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC,
                0600);
    err = ngx_errno;

    if (fd != NGX_INVALID_FILE) {
        ngx_http_ux_secret_hex(zone, line);
        line[64] = LF;

        n = ngx_write_fd(fd, line, sizeof(line));
        err = 0;

        if (n != (ssize_t) sizeof(line) || fsync(fd) == -1) {
            err = ngx_errno ? ngx_errno : EIO;
            (void) unlinkat(dir, "secret", 0);
        }

        (void) ngx_close_file(fd);
    }

    ngx_http_ux_user_end(zone);

    if (err != 0 && err != expected) {
        ngx_log_error(NGX_LOG_ERR, log, err, "cannot create \"%V/secret\": "
                      "the key that signs cookies lives in memory only",
                      &zone->snapshot);
    }
}
