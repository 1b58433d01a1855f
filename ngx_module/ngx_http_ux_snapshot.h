
/*
 * Copyright (C) the nginx-ux authors
 *
 * What the files of snapshots share.
 *
 *   ngx_http_ux_commit.c    when a start or reload is committed
 *   ngx_http_ux_snapshot.c  when zones are saved, and by which process
 *   ngx_http_ux_save.c      saving one
 *   ngx_http_ux_directory.c the directory, and the lock in it
 *   ngx_http_ux_find.c      what incarnations have files there
 *   ngx_http_ux_restore.c   a new zone takes over what dead ones left
 *   ngx_http_ux_adopt.c     a zone that lives takes over those that die later
 *   ngx_http_ux_resize.c    a reload changes a zone's size
 *   ngx_http_ux_single.c    a reload where there is no master
 */

#ifndef NGX_HTTP_UX_SNAPSHOT_H
#define NGX_HTTP_UX_SNAPSHOT_H


#include "ngx_http_ux_module.h"

#include "ux_file.h"
#include "ux_image.h"


/* Another incarnation that has files in the directory. */
typedef struct {
    u_char                      uuid[16];
    uint64_t                    key[2];        /* of its index */
    uint64_t                    written_ms;
    int                         lock;          /* -1: not ours */
    ngx_uint_t                  damaged;       /* mask of its files */
    unsigned                    used:1;        /* the entry is one */
    unsigned                    alive:1;
    unsigned                    visitors:1;    /* knows visitors */
    unsigned                    merged:1;      /* to be removed, once we are
                                                  saved */
    unsigned                    foreign:1;     /* to be left alone */
    unsigned                    stuck:1;       /* merged and saved, but it
                                                  cannot be removed */
    ngx_msec_t                  tried;         /*   when that was tried last */
    ngx_msec_t                  pause;         /*   and until the next time */
} ngx_http_ux_found_t;


/* When the zone was saved last, by kind of file. */
typedef struct {
    ngx_msec_t                  due[UX_FILE_KINDS];
    uint64_t                    hash[UX_FILE_KINDS];
    ngx_uint_t                  saved;         /* mask of kinds; 0 after an
                                                  error */
} ngx_http_ux_saver_t;


/* The directory of the configuration before, where nobody is to find us. */
typedef struct {
    ngx_str_t                   path;          /* empty: none */
    int                         lock;          /* there */
} ngx_http_ux_left_t;


/* An image in memory. */
typedef struct {
    uint8_t                    *data;          /* malloc'ed */
    size_t                      len;
} ngx_http_ux_bytes_t;


struct ngx_http_ux_snapshot_s {
    ngx_http_ux_zone_t         *was;           /* of the cycle before, until
                                                  the reload is committed */
    int                         lock;          /* of this incarnation */
    uint64_t                    locks;         /* see ux_saved_t */
    ngx_msec_t                  locked;        /* when we took it anew; 0: we
                                                  have it from the master */
    ngx_http_ux_left_t          left;
    ngx_http_ux_found_t         found[UX_FILE_LIST_MAX];
    ngx_http_ux_saver_t         saver;
    ngx_http_ux_bytes_t         base;          /* of `was`, when it is resized;
                                                  until committed */
    ngx_msec_t                  looked;        /* for other incarnations */
    ngx_msec_t                  said;          /* an error; 0: none yet */
    uint64_t                    generation;    /* see ux_saved_t */
    ux_image_model_t           *model;         /* nginx -t: what the newest
                                                  one says of itself */
    uint64_t                    model_ms;      /*   and when it was written */
    uint64_t                    restored;      /* nginx -t: visitors */
    unsigned                    resized:1;     /* `was` is another memory */
    unsigned                    follows:1;     /*   and what is counted there
                                                  is to be added */
    unsigned                    cleaned:1;
    unsigned                    looked_at:1;   /* the directory */
    unsigned                    unlisted:1;    /* it: cannot be read */
    unsigned                    unsafe:1;      /* it: no place for keys */
    unsigned                    busy:1;        /* another process saves now */
};


/* ngx_http_ux_save.c */

/*
 * Saves what is due, or both files if `all`; milliseconds until the next.
 * With the saving lock, or as the only process.
 */
ngx_msec_t ngx_http_ux_save_due(ngx_http_ux_zone_t *zone, ngx_uint_t all,
    ngx_log_t *log);

/* An image of a store; free() it.  NULL: no memory. */
uint8_t *ngx_http_ux_image(ngx_http_ux_zone_t *zone, ux_store_t *store,
    ux_image_kind_e kind, size_t *len);

/* At most once a minute a process. */
void ngx_http_ux_save_failed(ngx_http_ux_zone_t *zone, const char *sentence,
    ngx_log_t *log);

void ngx_http_ux_file_zone(ngx_http_ux_zone_t *zone, ux_file_zone_t *files);
void ngx_http_ux_image_zone(ngx_http_ux_zone_t *zone,
    ux_image_zone_t *image);

/*
 * Files are the workers' own, and so is the directory: root goes there as
 * one of them, and cannot be led astray.
 */
void ngx_http_ux_user_begin(ngx_http_ux_zone_t *zone);
void ngx_http_ux_user_end(ngx_http_ux_zone_t *zone);


/* What a start logs as an error, and "nginx -t" warns of. */
#define NGX_HTTP_UX_LOG_ERR  (ngx_test_config ? NGX_LOG_WARN : NGX_LOG_ERR)


/* ngx_http_ux_directory.c */

/*
 * Opens the snapshot directory, and makes it if this is no "nginx -t".  What
 * is wrong is logged, once; sets files->unsafe.  NGX_INVALID_FILE: there is
 * none.
 */
ngx_fd_t ngx_http_ux_directory_open(ngx_http_ux_zone_t *zone,
    ngx_log_t *log);

/* NULL: none but root and the workers own it, or may write to it. */
const char *ngx_http_ux_directory_others(ngx_http_ux_zone_t *zone,
    ngx_file_info_t *fi);

/*
 * Before the first fork, so that all processes have it.  Where the directory
 * could not be used then, or the lock was moved away, each process that saves
 * has one of its own from then on: they share it.
 */
ngx_int_t ngx_http_ux_directory_lock(ngx_http_ux_zone_t *zone,
    ngx_log_t *log);

/*
 * For workers: has another process taken it anew, or, where `look`, has it
 * been moved away?
 */
void ngx_http_ux_directory_follow(ngx_http_ux_zone_t *zone, ngx_uint_t look,
    ngx_log_t *log);

/*
 * Nobody is to take this zone over from the directory it had before: removes
 * its files there, with the saving lock, once they are in the new one.
 */
ngx_int_t ngx_http_ux_directory_leave(ngx_http_ux_zone_t *zone,
    ngx_cycle_t *cycle);
void ngx_http_ux_directory_left(ngx_http_ux_zone_t *zone, ngx_log_t *log);

/* Are they kept in one directory? */
ngx_uint_t ngx_http_ux_directory_same(ngx_http_ux_zone_t *zone,
    ngx_http_ux_zone_t *other);

/* Are both files where they were saved? */
ngx_uint_t ngx_http_ux_directory_saved(ngx_http_ux_zone_t *zone);


/* ngx_http_ux_snapshot.c */

typedef enum {
    NGX_HTTP_UX_TURN_FIRST = 0,      /* no name is bound yet */
    NGX_HTTP_UX_TURN,
    NGX_HTTP_UX_TURN_LEAVING,        /* of a worker; it adopts nobody */
    NGX_HTTP_UX_TURN_LAST            /* nobody counts any more */
} ngx_http_ux_turn_e;

/* Milliseconds until the next. */
ngx_msec_t ngx_http_ux_snapshot_turn(ngx_http_ux_zone_t *zone,
    ngx_http_ux_turn_e turn, ngx_log_t *log);

/* The same, of nginx's cache manager. */
ngx_msec_t ngx_http_ux_snapshot_manager(void *data);

/* Nobody counts in it any more. */
void ngx_http_ux_snapshot_last(ngx_http_ux_zone_t *zone, ngx_log_t *log);


/* ngx_http_ux_single.c */

/*
 * Once the reload is committed, in the process that serves: from now on the
 * new configuration's zones are counted in, looked at and saved.
 */
void ngx_http_ux_single_reload(ngx_cycle_t *cycle);


/* ngx_http_ux_find.c */

/* Looks for incarnations; *key becomes the index key of what is found. */
void ngx_http_ux_restore_find(ngx_http_ux_zone_t *zone, uint8_t key[16],
    ngx_log_t *log);

/* The newest header of one that was found; NGX_DECLINED: it has none. */
ngx_int_t ngx_http_ux_restore_head(ngx_http_ux_zone_t *zone,
    ngx_http_ux_found_t *found);


/* ngx_http_ux_restore.c */

/* Takes over what was found, or lets it go. */
void ngx_http_ux_restore(ngx_http_ux_zone_t *zone, ngx_log_t *log);
void ngx_http_ux_restore_forget(ngx_http_ux_zone_t *zone);

/*
 * Merges the files of one; NGX_AGAIN: later, NGX_DECLINED: not ours to have,
 * NGX_ERROR: there is no whole one among them.
 */
ngx_int_t ngx_http_ux_merge_files(ngx_http_ux_zone_t *zone,
    ngx_http_ux_found_t *found, ux_image_mode_e mode, ngx_log_t *log);

/* ngx_http_ux_reload.c: what "nginx -t" says of a zone with what was found */
void ngx_http_ux_reload_test(ngx_http_ux_zone_t *zone, ngx_log_t *log);

/* Merges images that are in memory. */
ngx_int_t ngx_http_ux_merge(ngx_http_ux_zone_t *zone,
    ux_image_merge_t *merge, u_char *uuid, ngx_log_t *log);

ux_image_work_t *ngx_http_ux_image_work(void);


/* ngx_http_ux_adopt.c */

/* Takes over what has died since; how many are to be removed after a save. */
ngx_uint_t ngx_http_ux_adopt(ngx_http_ux_zone_t *zone, ngx_log_t *log);
ngx_uint_t ngx_http_ux_adopted(ngx_http_ux_zone_t *zone);

/* After a save of both files. */
void ngx_http_ux_adopt_remove(ngx_http_ux_zone_t *zone, ngx_log_t *log);

/*
 * The lock of another incarnation, if it has ended: also where there is none,
 * as in a directory that was copied, so that only one takes it over.  Found
 * no place for it: UX_DECLINED.
 */
ux_status_t ngx_http_ux_found_lock(ux_file_zone_t *files,
    ngx_http_ux_found_t *found, ux_error_t *error);

ngx_http_ux_found_t *ngx_http_ux_found(ngx_http_ux_zone_t *zone,
    const uint8_t uuid[16]);

/*
 * Of those found, by index not in `done`, the newest that nobody to come
 * holds; in a circle, the newest.
 */
ngx_http_ux_found_t *ngx_http_ux_found_next(ngx_http_ux_zone_t *zone,
    ngx_uint_t alive, uint64_t done);

/*
 * Does an incarnation's file say that it holds the other, all of it or as of
 * a base?  Then it is to be taken over first.
 */
ngx_uint_t ngx_http_ux_file_holds(ngx_http_ux_zone_t *zone,
    const uint8_t uuid[16], const uint8_t other[16]);


/* ngx_http_ux_resize.c */

/* In init(), from the memory of the zone with the other size. */
void ngx_http_ux_resize(ngx_http_ux_zone_t *zone, ngx_log_t *log);

/* Once committed: before the zone is saved for the first time, and after. */
void ngx_http_ux_resize_commit(ngx_http_ux_zone_t *zone, ngx_log_t *log);
void ngx_http_ux_resize_saved(ngx_http_ux_zone_t *zone, ngx_log_t *log);


#endif
