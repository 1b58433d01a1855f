
/*
 * Copyright (C) the nginx-ux authors
 *
 * What writes an image: for ux_image_write*.c and ux_image_walk.c only.
 */

#ifndef UX_IMAGE_WRITER_H
#define UX_IMAGE_WRITER_H


#include "ux_image_private.h"


typedef struct {
    ux_store_t         *store;
    uint32_t            count;       /* entries of the registry */
    uint32_t            kinds[UX_ENTRY_KINDS];
    uint8_t            *buf;
    uint8_t            *at;
    uint8_t            *end;
    unsigned            nsections;
    uint32_t            now_s;
    uint32_t            skipped;
} ux_image_writer_t;

/* ux_image_write_cells.c */
void ux_image_write_cells(ux_image_writer_t *w);

/* UX_IMAGE_HAS_...: of entry i of the registry. */
uint16_t ux_image_write_flags(const ux_image_writer_t *w, uint32_t i);

/* Into the table: n of the type, from there to where the writer is. */
void ux_image_write_section(ux_image_writer_t *w, unsigned type,
    uint8_t *from, uint32_t n);


/* RECORDS of all visitors at `at`; the scratch is 8 bytes a bucket. */
typedef struct {
    ux_store_t               *store;
    const ux_image_limits_t  *limits;
    uint32_t                  now_s;
    uint32_t                  expired_s;       /* ux_table_expiry() of it */
    uint8_t                  *at;
    uint8_t                  *end;
    uint64_t                 *words; /* scratch: of each bucket when it was
                                        read */
    uint32_t                  n;
    uint32_t                  skipped;
    int                       patience;  /* waits left */
} ux_image_walk_t;

void ux_image_walk(ux_image_walk_t *walk);


#endif
