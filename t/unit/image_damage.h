
/*
 * Copyright (C) the nginx-ux authors
 *
 * A small image, and changes of its bytes that leave its checksums right.
 */

#ifndef IMAGE_DAMAGE_H
#define IMAGE_DAMAGE_H


#include "image_case.h"


#define DAMAGE_NOW         (SHOP_START + 7200000)

/* Of its entry in the table: the last section, behind names, cells, clock. */
#define DAMAGE_RECORDS_AT  (4 * UX_IMAGE_SECTION_SIZE)


/* One experiment, a handful of visitors: about 4 KiB. */
__attribute__((unused))
static bytes_t
image_small(ux_image_kind_e kind)
{
    unsigned   i;
    zone_t    *z;
    bytes_t    image;

    static const shop_t  usual;

    z = zone_new(UX_STORE_SIZE_MIN, 1, 9);
    shop_model(&z->w, &usual);
    z->w.model.nexperiments = 1;
    z->w.model.nfunnels = 1;
    z->w.model.ntotals = 2;
    z->w.experiments[0].nvariants = 2;

    (void) ux_store_bind(&z->w.store, &z->w.model, z->w.arms, z->w.bindings,
                         SHOP_START);

    for (i = 0; i < 12; i++) {
        (void) shopper_visit(z, i % 5, 0, SHOP_START + i * 60000);
    }

    image = image_write(z, kind, DAMAGE_NOW);
    zone_free(z);

    return image;
}


/* Makes the checksums right again, as far as there are sections. */
__attribute__((unused))
static void
image_sums(uint8_t *data, size_t len)
{
    size_t    size;
    uint64_t  offset, length;
    unsigned  i;
    uint8_t  *entry;

    size = UX_IMAGE_TABLE_AT + (size_t) data[19] * UX_IMAGE_SECTION_SIZE;

    if (size + 8 > len || data[19] > UX_IMAGE_SECTIONS_MAX) {
        return;
    }

    for (i = 0; i < data[19]; i++) {
        entry = data + UX_IMAGE_TABLE_AT + i * UX_IMAGE_SECTION_SIZE;
        offset = ux_image_get(entry + 8, 8);
        length = ux_image_get(entry + 16, 8);

        if (offset <= len && length <= len - offset) {
            ux_image_put(entry + 24, ux_hash64(data + offset, length), 8);
        }
    }

    ux_image_put(data + size, ux_hash64(data, size), 8);
}


#endif
