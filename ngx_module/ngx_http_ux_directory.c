
/*
 * Copyright (C) the nginx-ux authors
 *
 * The snapshot directory.  A real start makes it where there is none, 0700 and
 * the workers' own; one that is there is left as it is.  "nginx -t" makes
 * nothing, and warns of what a start would log as an error.
 *
 * The key that signs cookies goes only where nobody but root and the workers'
 * user can put another one.  Snapshots are saved wherever the workers may
 * write: a file of somebody else is not read back.
 */

#include "ngx_http_ux_snapshot.h"


static ngx_fd_t ngx_http_ux_directory_make(ngx_http_ux_zone_t *zone,
    ngx_log_t *log);
static ngx_int_t ngx_http_ux_directory_missing(ngx_http_ux_zone_t *zone,
    ngx_log_t *log);
static void ngx_http_ux_directory_check(ngx_http_ux_zone_t *zone,
    ngx_fd_t fd, ngx_log_t *log);
static void ngx_http_ux_directory_writable(ngx_http_ux_zone_t *zone,
    ngx_log_t *log);


ngx_fd_t
ngx_http_ux_directory_open(ngx_http_ux_zone_t *zone, ngx_log_t *log)
{
    ngx_fd_t    fd;
    ngx_err_t   err;
    ngx_str_t  *name;

    name = &zone->snapshot;

    /* root goes where the workers may go: a link is theirs to make */

    ngx_http_ux_user_begin(zone);
    fd = open((const char *) name->data, NGX_FILE_SEARCH|O_CLOEXEC);
    err = ngx_errno;
    ngx_http_ux_user_end(zone);

    if (fd == NGX_INVALID_FILE && err == NGX_ENOENT) {
        fd = ngx_http_ux_directory_make(zone, log);

    } else if (fd == NGX_INVALID_FILE && !zone->files->looked_at
               && !zone->files->unlisted)
    {
        ngx_log_error(NGX_HTTP_UX_LOG_ERR, log, err,
                      "ux_zone \"%V\": cannot use directory \"%V\"",
                      &zone->name, name);
    }

    if (fd != NGX_INVALID_FILE) {
        ngx_http_ux_directory_check(zone, fd, log);
    }

    /* said once, however often it is opened for this configuration */

    zone->files->looked_at = 1;

    return fd;
}


/*
 * Root gives away what it has just made, and nothing else: who may write to
 * the directory above could have put another one in its place.
 */
static ngx_fd_t
ngx_http_ux_directory_make(ngx_http_ux_zone_t *zone, ngx_log_t *log)
{
    ngx_fd_t         fd;
    ngx_str_t       *name;
    ngx_file_info_t  fi;

    name = &zone->snapshot;

    if (ngx_test_config) {
        return ngx_http_ux_directory_missing(zone, log);
    }

    if (ngx_create_dir(name->data, 0700) == NGX_FILE_ERROR) {

        if (!zone->files->looked_at) {
            ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                          "ux_zone \"%V\": cannot make directory \"%V\"",
                          &zone->name, name);
        }

        return NGX_INVALID_FILE;
    }

    fd = open((const char *) name->data,
              O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);

    if (fd != NGX_INVALID_FILE && geteuid() == 0
        && (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR
            || fi.st_uid != 0 || (fi.st_mode & 07777) != 0700
            || fchown(fd, zone->core->user, (gid_t) -1) == -1))
    {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      "ux_zone \"%V\": cannot give directory \"%V\" to the "
                      "worker processes", &zone->name, name);
    }

    return fd;
}


/* Could a start make it? */
static ngx_int_t
ngx_http_ux_directory_missing(ngx_http_ux_zone_t *zone, ngx_log_t *log)
{
    u_char           *above;
    ngx_str_t        *name;
    ngx_uint_t        n;
    ngx_file_info_t   fi;

    name = &zone->snapshot;
    above = ngx_pnalloc(zone->experiments.pool, name->len + 2);

    if (above == NULL) {
        return NGX_INVALID_FILE;
    }

    for (n = name->len; n > 1 && name->data[n - 1] == '/'; n--) {
        /* void */
    }

    for ( /* void */ ; n > 1 && name->data[n - 1] != '/'; n--) {
        /* void */
    }

    ngx_memcpy(above, name->data, n);
    above[n] = '\0';

    /* a link to nowhere is in its way */

    if (ngx_link_info(name->data, &fi) != NGX_FILE_ERROR
        || faccessat(AT_FDCWD, (char *) above, W_OK|X_OK, AT_EACCESS) == -1)
    {
        ngx_log_error(NGX_LOG_WARN, log, ngx_errno,
                      "ux_zone \"%V\": directory \"%V\" is not there, and a "
                      "start cannot make it", &zone->name, name);
    }

    return NGX_INVALID_FILE;
}


static void
ngx_http_ux_directory_check(ngx_http_ux_zone_t *zone, ngx_fd_t fd,
    ngx_log_t *log)
{
    const char       *why;
    ngx_file_info_t   fi;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        zone->files->unsafe = 1;
        return;
    }

    why = ngx_http_ux_directory_others(zone, &fi);
    zone->files->unsafe = (why != NULL);

    if (zone->files->looked_at) {
        return;
    }

    if (why != NULL) {
        ngx_log_error(NGX_HTTP_UX_LOG_ERR, log, 0,
                      "ux_zone \"%V\": directory \"%V\" %s: no key that signs "
                      "cookies is kept there", &zone->name, &zone->snapshot,
                      why);
    }

    if (ngx_test_config && !zone->files->unlisted) {
        ngx_http_ux_directory_writable(zone, log);
    }
}


const char *
ngx_http_ux_directory_others(ngx_http_ux_zone_t *zone, ngx_file_info_t *fi)
{
    uid_t  user;

    user = (geteuid() == 0) ? zone->core->user : geteuid();

    if (fi->st_uid != 0 && fi->st_uid != user) {
        return "belongs to another user";
    }

    if (fi->st_mode & S_IWOTH) {
        return "may be written to by everybody";
    }

    /* members of the workers' group are as good as the workers */

    if ((fi->st_mode & S_IWGRP) && fi->st_gid != 0
        && fi->st_gid != getegid() && fi->st_gid != zone->core->group)
    {
        return "may be written to by another group";
    }

    return NULL;
}


/* As the workers' user, which is who saves. */
static void
ngx_http_ux_directory_writable(ngx_http_ux_zone_t *zone, ngx_log_t *log)
{
    int             rc;
    uid_t           uid;
    u_char          number[NGX_INT_T_LEN + 1];
    ngx_err_t       err;
    struct passwd  *user;

    ngx_http_ux_user_begin(zone);

    uid = geteuid();
    rc = faccessat(AT_FDCWD, (const char *) zone->snapshot.data,
                   R_OK|W_OK|X_OK, AT_EACCESS);
    err = ngx_errno;

    ngx_http_ux_user_end(zone);

    if (rc == -1) {
        user = getpwuid(uid);
        (void) ngx_sprintf(number, "%d%Z", (int) uid);

        ngx_log_error(NGX_LOG_WARN, log, err,
                      "ux_zone \"%V\": nothing can be saved in \"%V\" as "
                      "user \"%s\"", &zone->name, &zone->snapshot,
                      (user != NULL) ? (u_char *) user->pw_name : number);
    }
}


ngx_int_t
ngx_http_ux_directory_lock(ngx_http_ux_zone_t *zone, ngx_log_t *log)
{
    int             fd;
    ux_error_t      error;
    ux_status_t     rc;
    ux_file_zone_t  files;

    ngx_http_ux_file_zone(zone, &files);

    rc = UX_OK;
    fd = zone->files->lock;

    ngx_http_ux_user_begin(zone);

    if (fd == -1 || !ux_file_locked(&files, zone->store.head->uuid, fd)) {
        rc = ux_file_lock(&files, zone->store.head->uuid, true, &fd, &error);
    }

    ngx_http_ux_user_end(zone);

    if (rc != UX_OK) {
        ngx_http_ux_save_failed(zone, (rc == UX_BUSY)
                                      ? "another process has its lock"
                                      : error.message, log);
        return NGX_ERROR;
    }

    if (fd != zone->files->lock) {
        ux_file_unlock(zone->files->lock);
        zone->files->lock = fd;

        if (ngx_process == NGX_PROCESS_WORKER
            || ngx_process == NGX_PROCESS_HELPER)
        {
            zone->files->locked = ngx_max(ngx_current_msec, 1);
        }

        /* a key found no place there yet, if this is no start */

        ngx_http_ux_secret_keep(zone, log);
    }

    return NGX_OK;
}


void
ngx_http_ux_directory_follow(ngx_http_ux_zone_t *zone, ngx_uint_t look,
    ngx_log_t *log)
{
    uint64_t                 locks;
    ux_saved_t              *saved;
    ngx_http_ux_snapshot_t  *s;

    s = zone->files;
    saved = &zone->store.head->saved;
    locks = __atomic_load_n(&saved->locks, __ATOMIC_ACQUIRE);

    /* processes of a later configuration have it */

    if ((!look && locks == s->locks)
        || __atomic_load_n(&saved->generation, __ATOMIC_ACQUIRE)
           != s->generation)
    {
        return;
    }

    if (ngx_http_ux_directory_lock(zone, log) == NGX_OK) {
        s->locks = locks;
    }
}


ngx_int_t
ngx_http_ux_directory_leave(ngx_http_ux_zone_t *zone, ngx_cycle_t *cycle)
{
    ngx_http_ux_left_t  *left;
    ngx_http_ux_zone_t  *was;

    was = zone->files->was;

    if (was == NULL || was->snapshot.len == 0 || zone->files->resized
        || ngx_http_ux_directory_same(zone, was))
    {
        return NGX_OK;
    }

    /* of the one before that, which may have been removed meanwhile */

    ngx_http_ux_directory_left(was, cycle->log);

    left = &zone->files->left;
    left->path.data = ngx_pnalloc(cycle->pool, was->snapshot.len + 1);

    if (left->path.data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_cpystrn(left->path.data, was->snapshot.data,
                       was->snapshot.len + 1);
    left->path.len = was->snapshot.len;

    left->lock = was->files->lock;
    was->files->lock = -1;

    return NGX_OK;
}


void
ngx_http_ux_directory_left(ngx_http_ux_zone_t *zone, ngx_log_t *log)
{
    ux_error_t           error;
    ux_status_t          rc;
    ux_file_zone_t       files;
    ngx_http_ux_left_t  *left;

    left = &zone->files->left;

    if (left->path.len == 0) {
        return;
    }

    ngx_http_ux_file_zone(zone, &files);
    files.directory = (const char *) left->path.data;

    ngx_http_ux_user_begin(zone);
    rc = ux_file_remove(&files, zone->store.head->uuid, &error);
    ngx_http_ux_user_end(zone);

    if (rc != UX_OK) {
        ngx_http_ux_save_failed(zone, error.message, log);
    }

    left->path.len = 0;
    ux_file_unlock(left->lock);
    left->lock = -1;
}


ngx_uint_t
ngx_http_ux_directory_same(ngx_http_ux_zone_t *zone,
    ngx_http_ux_zone_t *other)
{
    return zone->snapshot.len != 0
           && zone->snapshot.len == other->snapshot.len
           && ngx_memcmp(zone->snapshot.data, other->snapshot.data,
                         zone->snapshot.len)
              == 0;
}


ngx_uint_t
ngx_http_ux_directory_saved(ngx_http_ux_zone_t *zone)
{
    ngx_uint_t      saved;
    ux_file_name_t  name;
    ux_file_zone_t  files;

    ngx_http_ux_file_zone(zone, &files);
    ngx_memcpy(name.uuid, zone->store.head->uuid, sizeof(name.uuid));
    name.previous = false;

    ngx_http_ux_user_begin(zone);

    name.kind = UX_FILE_COUNTERS;
    saved = ux_file_saved(&files, &name);

    name.kind = UX_FILE_VISITORS;
    saved = saved && ux_file_saved(&files, &name);

    ngx_http_ux_user_end(zone);

    return saved;
}
