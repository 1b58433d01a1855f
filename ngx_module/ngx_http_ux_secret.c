
/*
 * Copyright (C) the nginx-ux authors
 *
 * Keys that sign visitor cookies: from ux_secret, from the snapshot
 * directory, or from the zone.
 */

#include "ngx_http_ux_module.h"

#include <sys/random.h>


static ngx_int_t ngx_http_ux_secret_lines(ngx_conf_t *cf, ngx_str_t *file,
    u_char *buf, size_t len, ngx_array_t *keys);
static ngx_int_t ngx_http_ux_secret_load(ngx_str_t *file, ngx_pool_t *pool,
    ux_str_t *key, ngx_log_t *log);
static void ngx_http_ux_secret_create(ngx_http_ux_zone_t *zone,
    ngx_str_t *file, ngx_log_t *log);
static ngx_int_t ngx_http_ux_secret_own(ngx_http_ux_zone_t *zone,
    ngx_str_t *name, ngx_fd_t fd, ngx_log_t *log);
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
    u_char      *p;
    ngx_str_t    file;
    ngx_pool_t  *pool;

    if (zone->nkeys != 0) {
        return;
    }

    pool = zone->experiments.pool;
    zone->nkeys = 1;

    if (zone->snapshot.len != 0) {

        file.len = zone->snapshot.len + sizeof("/secret") - 1;
        file.data = ngx_pnalloc(pool, file.len + 1);

        if (file.data != NULL) {
            p = ngx_cpymem(file.data, zone->snapshot.data,
                           zone->snapshot.len);
            ngx_memcpy(p, "/secret", sizeof("/secret"));

            if (ngx_http_ux_secret_load(&file, pool, &zone->keys[0], log)
                == NGX_OK)
            {
                return;
            }

            if (!ngx_test_config) {
                ngx_http_ux_secret_create(zone, &file, log);
            }
        }

    } else {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "ux_zone \"%V\": neither \"ux_secret\" nor "
                      "\"snapshot=\": the key that signs cookies lives in "
                      "memory only, a restart makes every visitor a new one",
                      &zone->name);
    }

    p = ngx_pnalloc(pool, 64);

    if (p == NULL) {
        zone->nkeys = 0;
        return;
    }

    ngx_http_ux_secret_hex(zone, p);
    zone->keys[0].data = (const char *) p;
    zone->keys[0].len = 64;
}


static void
ngx_http_ux_secret_hex(ngx_http_ux_zone_t *zone, u_char hex[64])
{
    (void) ngx_hex_dump(hex, zone->store.head->secret,
                        sizeof(zone->store.head->secret));
}


static ngx_int_t
ngx_http_ux_secret_load(ngx_str_t *file, ngx_pool_t *pool, ux_str_t *key,
    ngx_log_t *log)
{
    int              fd;
    u_char          *buf, *end;
    ssize_t          n;
    ngx_file_info_t  fi;

    fd = open((const char *) file->data, O_RDONLY|O_NONBLOCK|O_NOFOLLOW);

    if (fd == -1) {
        if (ngx_errno != NGX_ENOENT) {
            ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                          "cannot open \"%V\"", file);
        }

        return NGX_DECLINED;
    }

    buf = ngx_pnalloc(pool, NGX_HTTP_UX_SECRET_SIZE);
    n = -1;

    if (buf != NULL && ngx_fd_info(fd, &fi) != NGX_FILE_ERROR
        && ngx_is_file(&fi))
    {
        n = ngx_read_fd(fd, buf, NGX_HTTP_UX_SECRET_SIZE);
    }

    (void) ngx_close_file(fd);

    /* the key is the first line */

    end = (n > 0) ? ngx_strlchr(buf, buf + n, LF) : NULL;

    if (end != NULL) {
        n = end - buf;
    }

    if (n > 0 && buf[n - 1] == CR) {
        n--;
    }

    if (n < NGX_HTTP_UX_SECRET_MIN) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "\"%V\" holds no key: expected a line of at least %d "
                      "bytes", file, NGX_HTTP_UX_SECRET_MIN);
        return NGX_DECLINED;
    }

    key->data = (const char *) buf;
    key->len = n;

    return NGX_OK;
}


static void
ngx_http_ux_secret_create(ngx_http_ux_zone_t *zone, ngx_str_t *file,
    ngx_log_t *log)
{
    int       fd;
    u_char    line[65];
    ssize_t   n;

    if (ngx_http_ux_secret_directory(zone, log) != NGX_OK) {
        return;
    }

    fd = open((const char *) file->data,
              O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW, 0600);

    if (fd == -1) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno, "cannot create \"%V\": "
                      "the key that signs cookies lives in memory only",
                      file);
        return;
    }

    ngx_http_ux_secret_hex(zone, line);
    line[64] = LF;

    n = ngx_write_fd(fd, line, sizeof(line));

    if (n != (ssize_t) sizeof(line)
        || fsync(fd) == -1
        || ngx_http_ux_secret_own(zone, file, fd, log) != NGX_OK)
    {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      "cannot write \"%V\"", file);
        (void) ngx_delete_file(file->data);
    }

    (void) ngx_close_file(fd);
}


/* Made by us: 0700 and the workers' own.  Found: left as it is. */
ngx_int_t
ngx_http_ux_secret_directory(ngx_http_ux_zone_t *zone, ngx_log_t *log)
{
    int         fd;
    ngx_str_t  *dir;

    dir = &zone->snapshot;

    if (ngx_create_dir(dir->data, 0700) == NGX_FILE_ERROR) {

        if (ngx_errno == NGX_EEXIST) {
            return NGX_OK;
        }

        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      "cannot make directory \"%V\"", dir);
        return NGX_ERROR;
    }

    fd = open((const char *) dir->data, O_RDONLY|O_DIRECTORY|O_NOFOLLOW);

    if (fd != -1) {
        (void) ngx_http_ux_secret_own(zone, dir, fd, log);
        (void) ngx_close_file(fd);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_ux_secret_own(ngx_http_ux_zone_t *zone, ngx_str_t *name,
    ngx_fd_t fd, ngx_log_t *log)
{
    if (geteuid() != 0) {
        return NGX_OK;
    }

    if (fchown(fd, zone->core->user, (gid_t) -1) == -1) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      "cannot give \"%V\" to the worker processes", name);
        return NGX_ERROR;
    }

    return NGX_OK;
}
