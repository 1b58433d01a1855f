
/*
 * Copyright (C) the nginx-ux authors
 *
 * Snapshot files of one zone in one directory, byte for byte; what is in them
 * is known to ux_image.h.  Each incarnation of a zone, told by its uuid,
 * writes files of its own:
 *
 *   <zone>.<uuid>.counters     and .counters.1, the one before
 *   <zone>.<uuid>.visitors     and .visitors.1
 *   <zone>.<uuid>.base         visitors as of when another memory went on:
 *                              worth nothing without the others
 *   <zone>.<uuid>.<kind>.new   being written
 *   <zone>.<uuid>.lock         flock()ed while any process of it lives
 *   <zone>.corrupt.<1..3>      damaged ones, the newest first
 *
 * Nothing is kept between calls but descriptors of locks.  Every call may be
 * made by any process; two that save the same kind of one incarnation at once
 * must not be.  A UX_ERROR comes with a sentence that names file and cause.
 */

#ifndef UX_FILE_H
#define UX_FILE_H


#include "ux_base.h"


#define UX_FILE_LIST_MAX  64


typedef enum {
    UX_FILE_COUNTERS = 0,
    UX_FILE_VISITORS,
    UX_FILE_KINDS,                 /* that are saved again and again */
    UX_FILE_BASE = UX_FILE_KINDS   /* once; there is none before it */
} ux_file_kind_e;


typedef struct {
    const char  *directory;          /* ends with NUL */
    ux_str_t     zone;
    uint32_t     owner;              /* uid whose files are read, besides the
                                        caller's own */
} ux_file_zone_t;


/* One file of an incarnation. */
typedef struct {
    uint8_t         uuid[16];
    ux_file_kind_e  kind;
    bool            previous;
} ux_file_name_t;


typedef struct {
    unsigned  n;
    bool      more;                  /* than were listed */
    uint8_t   uuids[UX_FILE_LIST_MAX][16];
    uint64_t  ranks[UX_FILE_LIST_MAX];   /* for ux_file_list_next() */
} ux_file_list_t;


/*
 * Replaces the file (name->previous is not looked at) such that a crash at
 * any moment leaves the old or the new one, whole, under its name or as the
 * previous one.  After UX_ERROR nothing of the attempt may be relied on: save
 * anew.
 */
ux_status_t ux_file_save(const ux_file_zone_t *zone,
    const ux_file_name_t *name, const uint8_t *data, size_t len,
    ux_error_t *error);

/*
 * The whole file, malloc()ed: free() it.  Links, pipes, devices, files of
 * other users and those above max bytes are UX_ERROR and not read.
 * UX_DECLINED: it is not there.
 */
ux_status_t ux_file_load(const ux_file_zone_t *zone,
    const ux_file_name_t *name, size_t max, uint8_t **data, size_t *len,
    ux_error_t *error);

/* The same of its first size bytes at most. */
ux_status_t ux_file_head(const ux_file_zone_t *zone,
    const ux_file_name_t *name, uint8_t *buf, size_t size, size_t *len,
    ux_error_t *error);

/*
 * Incarnations that have a file to be read: an ordinary one that is not empty.
 * The newest first, those of other users behind all of ours.  UX_DECLINED: no
 * directory.
 */
ux_status_t ux_file_list(const ux_file_zone_t *zone, ux_file_list_t *list,
    ux_error_t *error);

/* Those that follow the last of `after`; NULL: from the first. */
ux_status_t ux_file_list_next(const ux_file_zone_t *zone,
    const ux_file_list_t *after, ux_file_list_t *list, ux_error_t *error);

/*
 * Locks an incarnation, to be it (create) or because it is dead.  Those who
 * are it share the lock: the calling process and those it forks, but not what
 * these execute, until all have closed *fd, and others that are it as well.
 * UX_BUSY: a process that is it has it, or who found it dead; UX_DECLINED:
 * there is no such lock.
 */
ux_status_t ux_file_lock(const ux_file_zone_t *zone, const uint8_t uuid[16],
    bool create, int *fd, ux_error_t *error);

void ux_file_unlock(int fd);

/*
 * Has nobody moved or removed the lock of an incarnation, or a file that was
 * saved?
 */
bool ux_file_locked(const ux_file_zone_t *zone, const uint8_t uuid[16],
    int fd);
bool ux_file_saved(const ux_file_zone_t *zone, const ux_file_name_t *name);

/* Removes all files of an incarnation, the lock last. */
ux_status_t ux_file_remove(const ux_file_zone_t *zone,
    const uint8_t uuid[16], ux_error_t *error);

/* A damaged one is kept as a .corrupt, of which there are three at most. */
ux_status_t ux_file_aside(const ux_file_zone_t *zone,
    const ux_file_name_t *name, ux_error_t *error);

/*
 * Removes what crashes left of incarnations that nobody has locked: files
 * being written, empty ones, and locks of nothing.
 */
ux_status_t ux_file_clean(const ux_file_zone_t *zone, ux_error_t *error);


#endif
