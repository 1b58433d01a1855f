
/*
 * Copyright (C) the nginx-ux authors
 *
 * Images: opening one, and what all its readers share.  The format is told in
 * ux_image_private.h.
 *
 *   ux_image_write.c    header and names of a zone; its cells:
 *                       ux_image_write_cells.c
 *   ux_image_walk.c     its records
 *   ux_image_check.c    what an image may say; its cells:
 *                       ux_image_check_cells.c
 *   ux_image_model.c    the configuration it was written under
 *   ux_image_design.c   what that may say
 *   ux_image_clock.c    the clock that records expire by
 *   ux_image_history.c  what was said at the end of hours and days
 *   ux_image_record.c   what a record may say
 *   ux_image_merge.c    a merge from end to end
 *   ux_image_adopted.c  whom a zone has merged
 *   ux_image_names.c    names to entries of the zone
 *   ux_image_entries.c  entries of the zone by what they are of
 *   ux_image_cells.c    counters into the zone
 *   ux_image_kept.c     what looks at results have left
 *   ux_image_insert.c   records into the zone
 *   ux_image_unite.c    two records of one visitor
 *   ux_image_base.c     two that went on from one
 *   ux_image_count.c    what a track has added to the counters
 *
 * Who reads an image may be root, and who can write one is not: so nothing in
 * it is believed.  Lengths are compared before they are added, no size in it
 * is allocated, and every number is compared with what the names allow before
 * the zone sees any of it.  Cost: one pass of XXH3, one over names and cells,
 * and unpacking each record.
 */

#include "ux_image_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>


static ux_status_t ux_image_header(const uint8_t *data, size_t len,
    ux_image_info_t *info, uint32_t *size, ux_error_t *error);
static ux_status_t ux_image_ours(const uint8_t *data, size_t len,
    ux_error_t *error);
static void ux_image_header_read(const uint8_t *data, ux_image_info_t *info);
static ux_status_t ux_image_header_check(const uint8_t *data,
    const ux_image_info_t *info, ux_error_t *error);
static ux_status_t ux_image_table(const uint8_t *data, uint32_t size,
    ux_image_view_t *view, ux_error_t *error);
static ux_status_t ux_image_section(const uint8_t *entry, unsigned type,
    ux_image_view_t *view, ux_error_t *error);


ux_status_t
ux_image_info(const uint8_t *data, size_t len, ux_image_info_t *info,
    ux_error_t *error)
{
    uint32_t  size;

    return ux_image_header(data, len, info, &size, error);
}


ux_status_t
ux_image_check(const uint8_t *data, size_t len, ux_image_work_t *work,
    ux_error_t *error)
{
    ux_status_t      rc;
    ux_image_view_t  view;

    rc = ux_image_open(data, len, &view, error);

    return rc == UX_OK ? ux_image_check_view(&view, work, error) : rc;
}


ux_status_t
ux_image_open(const uint8_t *data, size_t len, ux_image_view_t *view,
    ux_error_t *error)
{
    uint32_t     size;
    ux_status_t  rc;

    memset(view, 0, sizeof(ux_image_view_t));

    rc = ux_image_header(data, len, &view->info, &size, error);
    if (rc != UX_OK) {
        return rc;
    }

    if (view->info.length != len) {
        ux_image_say(error, "the snapshot has %zu bytes and says %llu", len,
                     (unsigned long long) view->info.length);
        return UX_ERROR;
    }

    return ux_image_table(data, size, view, error);
}


/* *size: of header, table and sum. */
static ux_status_t
ux_image_header(const uint8_t *data, size_t len, ux_image_info_t *info,
    uint32_t *size, ux_error_t *error)
{
    uint32_t     header;
    ux_status_t  rc;

    rc = ux_image_ours(data, len, error);
    if (rc != UX_OK) {
        return rc;
    }

    header = (uint32_t) ux_image_get(data + 20, 4);

    if (header > len || header > UX_IMAGE_HEADER_MAX
        || header != UX_IMAGE_TABLE_AT + data[19] * UX_IMAGE_SECTION_SIZE + 8
        || data[19] > UX_IMAGE_SECTIONS_MAX)
    {
        ux_image_say(error, "the snapshot's header is cut short or of a "
                     "wrong length");
        return UX_ERROR;
    }

    if (ux_hash64(data, header - 8)
        != ux_image_get(data + header - 8, 8))
    {
        ux_image_say(error, "the checksum of the snapshot's header is wrong");
        return UX_ERROR;
    }

    ux_image_header_read(data, info);
    *size = header;

    return ux_image_header_check(data, info, error);
}


/* Is it an image, and one that we can read? */
static ux_status_t
ux_image_ours(const uint8_t *data, size_t len, ux_error_t *error)
{
    unsigned  major;

    if (len < UX_IMAGE_TABLE_AT + 8) {
        ux_image_say(error, "%zu bytes are too few for a snapshot", len);
        return UX_ERROR;
    }

    if (ux_image_get(data, 8) != UX_IMAGE_MAGIC) {
        ux_image_say(error, "the bytes are no snapshot of a zone");
        return UX_DECLINED;
    }

    major = (unsigned) ux_image_get(data + 8, 2);

    if (major != UX_IMAGE_MAJOR) {
        ux_image_say(error, "the snapshot is of format %u, this program "
                     "reads format %d", major, UX_IMAGE_MAJOR);
        return UX_DECLINED;
    }

    if (ux_image_get(data + 12, 4) != UX_IMAGE_ORDER
        || data[16] != UX_IMAGE_WORD)
    {
        ux_image_say(error, "the snapshot was written by another kind of "
                     "machine");
        return UX_DECLINED;
    }

    return UX_OK;
}


static void
ux_image_header_read(const uint8_t *data, ux_image_info_t *info)
{
    memset(info, 0, sizeof(ux_image_info_t));

    info->major = (uint16_t) ux_image_get(data + 8, 2);
    info->minor = (uint16_t) ux_image_get(data + 10, 2);
    info->kind = (ux_image_kind_e) data[17];
    info->length = ux_image_get(data + 24, 8);
    memcpy(info->uuid, data + 32, 16);
    info->index_key[0] = ux_image_get(data + 48, 8);
    info->index_key[1] = ux_image_get(data + 56, 8);
    info->written_ms = ux_image_get(data + 64, 8);
    info->created_ms = ux_image_get(data + 72, 8);
    info->zone_size = ux_image_get(data + 80, 8);
    info->params.experiments = (uint32_t) ux_image_get(data + 88, 4);
    info->params.totals = (uint32_t) ux_image_get(data + 92, 4);
    info->params.inactive_s = (uint32_t) ux_image_get(data + 96, 4);
    info->max_window_s = (uint32_t) ux_image_get(data + 100, 4);
    memcpy(info->currency, data + 104, 3);
    info->nadopted = (unsigned) ux_image_get(data + 108, 4);
    info->skipped = (uint32_t) ux_image_get(data + 112, 4);
    info->based = (uint32_t) ux_image_get(data + 116, 4);
    memcpy(info->name, data + 120, UX_NAME_MAX);
    memcpy(info->adopted, data + 184, sizeof(info->adopted));
}


static ux_status_t
ux_image_header_check(const uint8_t *data, const ux_image_info_t *info,
    ux_error_t *error)
{
    ux_str_t  name = { info->name, data[18] };

    if (info->kind != UX_IMAGE_COUNTERS && info->kind != UX_IMAGE_VISITORS) {
        ux_image_say(error, "the snapshot is of an unknown kind, %d",
                     (int) info->kind);
        return UX_ERROR;
    }

    if (!ux_name_check(name) || strlen(info->name) != name.len) {
        ux_image_say(error, "the snapshot has no name of a zone");
        return UX_ERROR;
    }

    if (info->nadopted > UX_ADOPTED_MAX
        || (uint64_t) info->based >> info->nadopted != 0
        || info->written_ms >= UX_IMAGE_TIME_MAX
        || info->created_ms >= UX_IMAGE_TIME_MAX
        || info->params.experiments < 1
        || info->params.experiments > UX_TRACKS_MAX - 1
        || info->params.totals < 1 || info->params.totals > UX_TOTALS_MAX
        || strlen(info->currency) != 3)
    {
        ux_image_say(error, "a figure in the snapshot's header is out of "
                     "range");
        return UX_ERROR;
    }

    return UX_OK;
}


/* Sections lie one behind the other and fill the image. */
static ux_status_t
ux_image_table(const uint8_t *data, uint32_t size, ux_image_view_t *view,
    ux_error_t *error)
{
    uint64_t        at, offset, length;
    unsigned        i, type;
    ux_status_t     rc;
    const uint8_t  *entry;

    at = size;

    for (i = 0; i < data[19]; i++) {
        entry = data + UX_IMAGE_TABLE_AT + i * UX_IMAGE_SECTION_SIZE;
        type = (unsigned) ux_image_get(entry, 4);
        offset = ux_image_get(entry + 8, 8);
        length = ux_image_get(entry + 16, 8);

        if (offset != at || length > view->info.length - at) {
            ux_image_say(error, "section %u of the snapshot is not where it "
                         "can be", type);
            return UX_ERROR;
        }

        if (ux_hash64(data + offset, length) != ux_image_get(entry + 24, 8)) {
            ux_image_say(error, "the checksum of section %u of the snapshot "
                         "is wrong", type);
            return UX_ERROR;
        }

        if (type == 0 || type >= UX_IMAGE_SECTIONS) {
            if (view->info.minor <= UX_IMAGE_MINOR) {
                ux_image_say(error, "section %u of the snapshot is unknown",
                             type);
                return UX_ERROR;
            }

        } else {
            view->sections[type].data = data + offset;
            rc = ux_image_section(entry, type, view, error);

            if (rc != UX_OK) {
                return rc;
            }
        }

        at += length;
    }

    if (at != view->info.length || view->sections[UX_IMAGE_NAMES].data == NULL
        || view->sections[UX_IMAGE_CELLS].data == NULL
        || (view->sections[UX_IMAGE_RECORDS].data != NULL)
           != (view->info.kind == UX_IMAGE_VISITORS))
    {
        ux_image_say(error, "the snapshot has not the sections of its kind");
        return UX_ERROR;
    }

    return UX_OK;
}


/* One of each; items of a fixed size fill it. */
static ux_status_t
ux_image_section(const uint8_t *entry, unsigned type, ux_image_view_t *view,
    ux_error_t *error)
{
    uint64_t             item;
    ux_image_section_t  *section;

    section = &view->sections[type];

    item = type == UX_IMAGE_NAMES ? UX_IMAGE_NAME_SIZE
           : type == UX_IMAGE_CELLS ? UX_IMAGE_CELL_SIZE
           : type == UX_IMAGE_CLOCK ? UX_IMAGE_CLOCK_SIZE
           : type == UX_IMAGE_HISTORY ? UX_IMAGE_POINT_SIZE : 0;

    if (section->n != 0 || section->len != 0) {
        ux_image_say(error, "section %u of the snapshot is there twice",
                     type);
        return UX_ERROR;
    }

    section->n = (uint32_t) ux_image_get(entry + 4, 4);
    section->len = ux_image_get(entry + 16, 8);

    if (item != 0 && section->len != section->n * item) {
        ux_image_say(error, "section %u of the snapshot has %llu bytes for "
                     "%u items", type, (unsigned long long) section->len,
                     section->n);
        return UX_ERROR;
    }

    return UX_OK;
}


ux_image_name_t
ux_image_name(const ux_image_view_t *view, uint32_t i)
{
    uint64_t          bits;
    const uint8_t    *at;
    ux_image_name_t   name;

    at = view->sections[UX_IMAGE_NAMES].data + (size_t) i
                                               * UX_IMAGE_NAME_SIZE;
    bits = ux_image_get(at + 32, 8);

    name.kind = at[0];
    name.text.data = (const char *) at + 56;
    name.text.len = at[1];
    name.parent = (uint16_t) ux_image_get(at + 2, 2);
    name.aux = (uint16_t) ux_image_get(at + 4, 2);
    name.variant = (uint16_t) ux_image_get(at + 6, 2);
    name.width = (uint16_t) ux_image_get(at + 8, 2);
    name.flags = (uint16_t) ux_image_get(at + 10, 2);
    name.value = ux_image_get(at + 16, 8);
    name.created_ms = ux_image_get(at + 24, 8);
    memcpy(&name.number, &bits, sizeof(bits));
    name.analysis = ux_image_get(at + 40, 8);
    name.control = ux_image_get(at + 48, 8);

    return name;
}


ux_image_cell_t
ux_image_cell(const ux_image_view_t *view, uint32_t i)
{
    const uint8_t    *at;
    ux_image_cell_t   cell;

    at = view->sections[UX_IMAGE_CELLS].data + (size_t) i
                                               * UX_IMAGE_CELL_SIZE;

    cell.owner = (uint32_t) ux_image_get(at, 4);
    cell.group = (uint16_t) ux_image_get(at + 4, 2);
    cell.index = (uint16_t) ux_image_get(at + 6, 2);
    cell.value = ux_image_get(at + 8, 8);

    return cell;
}


int
ux_image_cell_order(const ux_image_cell_t *a, const ux_image_cell_t *b)
{
    uint32_t  low, high;

    if (a->owner != b->owner) {
        return a->owner < b->owner ? -1 : 1;
    }

    low = (uint32_t) a->group << 16 | a->index;
    high = (uint32_t) b->group << 16 | b->index;

    return low < high ? -1 : low > high;
}


void
ux_image_index_clear(ux_image_index_t *index)
{
    memset(index->first, 0, sizeof(index->first));
}


void
ux_image_index_count(ux_image_index_t *index, unsigned kind)
{
    index->first[kind + 1]++;
}


void
ux_image_index_start(ux_image_index_t *index)
{
    unsigned  i;

    for (i = 1; i <= UX_ENTRY_KINDS; i++) {
        index->first[i] += index->first[i - 1];
    }
}


void
ux_image_index_add(ux_image_index_t *index, unsigned kind, uint32_t entry,
    uint32_t *seen)
{
    index->at[index->first[kind] + seen[kind]] = (uint16_t) entry;
    seen[kind]++;
}


/* Totals are numbered from 1: revenue is no entry. */
uint32_t
ux_image_index_find(const ux_image_index_t *index, unsigned kind,
    uint32_t ordinal)
{
    uint32_t  n;

    n = index->first[kind + 1] - index->first[kind];
    ordinal -= kind == UX_ENTRY_TOTAL ? 1 : 0;

    return ordinal < n ? index->at[index->first[kind] + ordinal]
                       : UX_IMAGE_NAMES_MAX;
}


uint64_t
ux_image_moment(ux_store_t *store, uint64_t now_ms)
{
    uint64_t  *newest, seen, next;

    newest = &store->head->saved.written_ms;
    seen = __atomic_load_n(newest, __ATOMIC_ACQUIRE);

    do {
        next = seen < now_ms ? now_ms : seen + 1;

    } while (!__atomic_compare_exchange_n(newest, &seen, next, false,
                                          __ATOMIC_ACQ_REL,
                                          __ATOMIC_ACQUIRE));

    return next;
}


void
ux_image_say(ux_error_t *error, const char *format, ...)
{
    va_list  args;

    va_start(args, format);
    /* cppcheck-suppress ctuuninitvar ; written, not read */
    (void) vsnprintf(error->message, sizeof(error->message), format, args);
    va_end(args);
}
