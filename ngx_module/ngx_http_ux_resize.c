
/*
 * Copyright (C) the nginx-ux authors
 *
 * A reload that changes a zone's size: a new memory, while the workers of the
 * configuration before finish their requests in the old one.
 *
 * The new zone takes over all of the old one as it is when the reload begins,
 * under the same index key: every visitor is known and keeps its variant from
 * the first request on, and no number goes back to zero.  What is lost, and
 * said, is what workers of the old configuration record after that moment:
 * they serve for a tenth of a second yet, and then finish what they have.
 *
 * The other way round, to wait for the last of them and take over then, would
 * lose nothing of theirs; but until then, and that may be hours, visitors
 * would be strangers and their purchases nobody's.
 */

#include "ngx_http_ux_snapshot.h"


static ngx_int_t ngx_http_ux_resize_merge(ngx_http_ux_zone_t *zone,
    ux_store_t *old, ngx_log_t *log);


/* Reads the old memory, in which others count, and fills the new one. */
void
ngx_http_ux_resize(ngx_http_ux_zone_t *zone, ngx_log_t *log)
{
    ngx_int_t            rc;
    ngx_http_ux_zone_t  *was;

    was = zone->files->was;
    rc = NGX_ERROR;

    if (ux_store_join(&zone->store) == UX_OK) {
        rc = ngx_http_ux_resize_merge(zone, &was->store, log);
        ux_store_leave(&zone->store);
    }

    if (rc != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "ux_zone \"%V\": its numbers could not be carried over "
                      "to the new size", &zone->name);
        return;
    }

    ngx_log_error(NGX_LOG_WARN, log, 0,
                  "ux_zone \"%V\": carried over as of now, from %uz to %uz "
                  "bytes; what workers of the old configuration still count "
                  "is lost", &zone->name, was->size, zone->size);
}


static ngx_int_t
ngx_http_ux_resize_merge(ngx_http_ux_zone_t *zone, ux_store_t *old,
    ngx_log_t *log)
{
    size_t            len;
    uint8_t          *image;
    ngx_int_t         rc;
    ux_image_merge_t  merge;

    image = ngx_http_ux_image(zone, old, UX_IMAGE_VISITORS, &len);

    if (image == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&merge, sizeof(ux_image_merge_t));

    merge.mode = UX_IMAGE_RESTORE;
    merge.visitors.data = image;
    merge.visitors.len = len;

    rc = ngx_http_ux_merge(zone, &merge, old->head->uuid, log);

    free(image);

    return rc;
}
