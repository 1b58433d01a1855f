
/*
 * Copyright (C) the nginx-ux authors
 *
 * What the files of the file layer share.  Not for anybody else.
 *
 *   ux_file.c       saving, through APR
 *   ux_file_dir.c   what stands in the directory
 *   ux_file_read.c  reading and locking
 */

#ifndef UX_FILE_PRIVATE_H
#define UX_FILE_PRIVATE_H


#include "ux_file.h"


#define UX_FILE_PATH_MAX  4352       /* a directory's, and a name's */
#define UX_FILE_HEX       32         /* digits of a uuid */


typedef struct {
    char    text[UX_FILE_PATH_MAX];
    size_t  at;                      /* where the file's name starts */
} ux_file_path_t;


/* The end of a file's name: ".counters.1" */
const char *ux_file_suffix(ux_file_kind_e kind, bool previous);

/* Is a file of this owner one to be read? */
bool ux_file_is_ours(const ux_file_zone_t *zone, uint32_t owner);

/* Path of <zone>.<uuid><suffix>; UX_ERROR: too long. */
ux_status_t ux_file_path(const ux_file_zone_t *zone, const uint8_t uuid[16],
    const char *suffix, ux_file_path_t *path, ux_error_t *error);

/* "cannot <what> "<name>": <why>", always UX_ERROR. */
ux_status_t ux_file_say(ux_error_t *error, const char *what,
    const ux_file_path_t *path, const char *why);

/* The same with what errno says. */
ux_status_t ux_file_errno(ux_error_t *error, const char *what,
    const ux_file_path_t *path);


#endif
