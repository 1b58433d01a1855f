
/*
 * Copyright (C) the nginx-ux authors
 *
 * What writes an image: for ux_image_write*.c only.
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


#endif
