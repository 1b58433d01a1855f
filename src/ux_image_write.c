
/*
 * Copyright (C) the nginx-ux authors
 *
 * A zone to bytes: names first, then the cells of these, then the records.  So
 * a record may know of something that no counter shows yet, never the other
 * way round; and what refers to later names is not written.
 *
 * Cost, of a full zone of 64 MiB: some 60 ms, most of it to unpack records.
 */

#include "ux_image_writer.h"

#include <string.h>


static void ux_write_names(ux_image_writer_t *w);
static void ux_write_records(ux_image_writer_t *w);
static void ux_write_model(ux_image_writer_t *w,
    const ux_image_zone_t *zone);
static void ux_write_clock(ux_image_writer_t *w, uint64_t now_ms);
static void ux_write_history(ux_image_writer_t *w);
static void ux_write_header(ux_image_writer_t *w, ux_image_kind_e kind,
    const ux_image_zone_t *zone, uint64_t now_ms);
static void ux_write_adopted(ux_image_writer_t *w);
static uint64_t ux_write_time(uint64_t ms);


size_t
ux_image_size(const ux_store_t *store, ux_image_kind_e kind)
{
    size_t                  size;
    const ux_store_head_t  *head;

    head = store->head;

    size = UX_IMAGE_HEADER_MAX
           + (size_t) head->registry_capacity * UX_IMAGE_NAME_SIZE
           + (size_t) head->all_cells * UX_IMAGE_CELL_SIZE
           + UX_IMAGE_MODEL_MAX + UX_IMAGE_CLOCK_SIZE;

    if (kind == UX_IMAGE_VISITORS) {
        size += ux_table_size(head->nbuckets) + head->nbuckets * 8u + 8
                + (size_t) store->history.nframes * UX_IMAGE_POINT_SIZE;
    }

    return size;
}


ux_status_t
ux_image_write(ux_store_t *store, ux_image_kind_e kind,
    const ux_image_zone_t *zone, uint64_t now_ms, uint8_t *buf, size_t size,
    size_t *len)
{
    ux_image_writer_t  w;

    if (size < ux_image_size(store, kind) || !ux_name_check(zone->name)
        || zone->currency.len != 3
        || ux_registry_count(store->registry) > UX_IMAGE_NAMES_MAX)
    {
        return UX_ERROR;
    }

    memset(&w, 0, sizeof(w));

    w.store = store;
    w.count = ux_registry_count(store->registry);
    w.buf = buf;
    w.end = buf + size;
    w.now_s = (uint32_t) (now_ms / 1000);
    w.at = buf + UX_IMAGE_TABLE_AT + 8
           + (kind == UX_IMAGE_VISITORS ? 5u : 3u) * UX_IMAGE_SECTION_SIZE
           + (zone->model != NULL ? UX_IMAGE_SECTION_SIZE : 0);

    ux_write_names(&w);
    ux_image_write_cells(&w);
    ux_write_clock(&w, now_ms);

    if (kind == UX_IMAGE_VISITORS) {
        ux_write_history(&w);
        ux_write_records(&w);
    }

    if (zone->model != NULL) {
        ux_write_model(&w, zone);
    }

    ux_write_header(&w, kind, zone, now_ms);

    *len = (size_t) (w.at - buf);

    return UX_OK;
}


static void
ux_write_names(ux_image_writer_t *w)
{
    double             number;
    uint8_t           *at, *from;
    uint32_t           i;
    uint64_t           bits, control;
    const ux_entry_t  *entry;

    from = w->at;

    for (i = 0; i < w->count; i++) {
        entry = &w->store->registry->entries[i];
        at = w->at;
        w->at += UX_IMAGE_NAME_SIZE;

        w->kinds[entry->kind % UX_ENTRY_KINDS]++;

        number = entry->number;
        memcpy(&bits, &number, sizeof(bits));

        control = entry->kind == UX_ENTRY_EXPERIMENT
                  ? ux_write_time(ux_registry_removed_ms(entry))
                  : entry->kind == UX_ENTRY_EPOCH
                    || entry->kind == UX_ENTRY_EVIDENCE
                    || entry->kind == UX_ENTRY_TIMINGS ? entry->control : 0;

        memset(at, 0, UX_IMAGE_NAME_SIZE);

        at[0] = entry->kind;
        at[1] = entry->name_len;
        ux_image_put(at + 2, entry->parent, 2);
        ux_image_put(at + 4, entry->aux, 2);

        if (entry->kind == UX_ENTRY_ARM_CART
            || entry->kind == UX_ENTRY_SEGMENT_CART)
        {
            ux_image_put(at + 6, entry->variant, 2);
            ux_image_put(at + 8, entry->width, 2);
        }

        ux_image_put(at + 10, ux_image_write_flags(w, i), 2);
        ux_image_put(at + 16, entry->value, 8);
        ux_image_put(at + 24, ux_write_time(entry->created_ms), 8);
        ux_image_put(at + 32, bits, 8);
        ux_image_put(at + 40, entry->analysis, 8);
        ux_image_put(at + 48, control, 8);
        memcpy(at + 56, entry->name, UX_NAME_MAX);
    }

    ux_image_write_section(w, UX_IMAGE_NAMES, from, w->count);
}


static uint64_t
ux_write_time(uint64_t ms)
{
    return ms < UX_IMAGE_TIME_MAX ? ms : UX_IMAGE_TIME_MAX - 1;
}


/* What an entry took is the difference of the running marks. */
uint16_t
ux_image_write_flags(const ux_image_writer_t *w, uint32_t i)
{
    uint32_t              cell, ring;
    unsigned              flags;
    const ux_entry_t     *entry;
    const ux_registry_t  *registry;

    registry = w->store->registry;
    entry = &registry->entries[i];

    cell = i > 0 ? entry[-1].next_cell : registry->first_cell;
    ring = i > 0 ? entry[-1].next_ring : registry->all_cells;

    flags = entry->next_cell > cell ? UX_IMAGE_HAS_BLOCK : 0;
    flags |= entry->next_ring < ring ? UX_IMAGE_HAS_RING : 0;

    return (uint16_t) flags;
}


static void
ux_write_records(ux_image_writer_t *w)
{
    size_t              scratch;
    uint8_t            *from;
    ux_image_walk_t     walk;
    ux_image_limits_t   limits;

    from = w->at;
    limits = ux_image_limits(w->kinds);
    scratch = w->store->table.nbuckets * sizeof(uint64_t);

    walk.store = w->store;
    walk.limits = &limits;
    walk.now_s = w->now_s;
    walk.expired_s = ux_table_expiry(&w->store->table, w->now_s);
    walk.at = from;
    walk.end = w->end - scratch - (uintptr_t) w->end % 8;
    walk.words = (uint64_t *) (void *) walk.end;
    walk.n = 0;
    walk.skipped = 0;

    ux_image_walk(&walk);

    w->skipped = walk.skipped;
    w->at = walk.at;

    ux_image_write_section(w, UX_IMAGE_RECORDS, from, walk.n);
}


static void
ux_write_model(ux_image_writer_t *w, const ux_image_zone_t *zone)
{
    uint8_t  *from;

    from = w->at;
    w->at = ux_image_model_write(from, zone);

    ux_image_write_section(w, UX_IMAGE_MODEL, from, zone->model->nexperiments);
}


static void
ux_write_clock(ux_image_writer_t *w, uint64_t now_ms)
{
    uint8_t  *from;

    from = w->at;
    w->at = ux_image_clock_write(from, w->store, now_ms);

    ux_image_write_section(w, UX_IMAGE_CLOCK, from, 1);
}


static void
ux_write_history(ux_image_writer_t *w)
{
    uint8_t  *from;

    from = w->at;
    w->at = ux_image_history_write(from, &w->store->history, w->kinds);

    ux_image_write_section(w, UX_IMAGE_HISTORY, from,
                     (uint32_t) ((w->at - from) / UX_IMAGE_POINT_SIZE));
}


/* From there to where the writer is. */
void
ux_image_write_section(ux_image_writer_t *w, unsigned type, uint8_t *from,
    uint32_t n)
{
    size_t    len;
    uint8_t  *entry;

    len = (size_t) (w->at - from);
    entry = w->buf + UX_IMAGE_TABLE_AT
            + w->nsections++ * UX_IMAGE_SECTION_SIZE;

    ux_image_put(entry, type, 4);
    ux_image_put(entry + 4, n, 4);
    ux_image_put(entry + 8, (uint64_t) (from - w->buf), 8);
    ux_image_put(entry + 16, len, 8);
    ux_image_put(entry + 24, ux_hash64(from, len), 8);
}


static void
ux_write_header(ux_image_writer_t *w, ux_image_kind_e kind,
    const ux_image_zone_t *zone, uint64_t now_ms)
{
    size_t                  size;
    uint8_t                *at;
    const ux_store_head_t  *head;

    at = w->buf;
    head = w->store->head;
    size = UX_IMAGE_TABLE_AT + w->nsections * UX_IMAGE_SECTION_SIZE;

    memset(at, 0, UX_IMAGE_TABLE_AT);

    ux_image_put(at, UX_IMAGE_MAGIC, 8);
    ux_image_put(at + 8, UX_IMAGE_MAJOR, 2);
    ux_image_put(at + 10, UX_IMAGE_MINOR, 2);
    ux_image_put(at + 12, UX_IMAGE_ORDER, 4);
    at[16] = UX_IMAGE_WORD;
    at[17] = (uint8_t) kind;
    at[18] = (uint8_t) zone->name.len;
    at[19] = (uint8_t) w->nsections;
    ux_image_put(at + 20, size + 8, 4);
    ux_image_put(at + 24, (uint64_t) (w->at - w->buf), 8);
    memcpy(at + 32, head->uuid, 16);
    ux_image_put(at + 48, head->index_key[0], 8);
    ux_image_put(at + 56, head->index_key[1], 8);
    ux_image_put(at + 64, ux_write_time(ux_image_moment(w->store, now_ms)), 8);
    ux_image_put(at + 72, ux_write_time(head->created_ms), 8);
    ux_image_put(at + 80, head->size, 8);
    ux_image_put(at + 88, head->params.experiments, 4);
    ux_image_put(at + 92, head->params.totals, 4);
    ux_image_put(at + 96, head->params.inactive_s, 4);
    ux_image_put(at + 100, w->store->table.max_window_s, 4);
    memcpy(at + 104, zone->currency.data, 3);
    ux_image_put(at + 112, w->skipped, 4);
    memcpy(at + 120, zone->name.data, zone->name.len);

    ux_write_adopted(w);

    ux_image_put(at + size, ux_hash64(at, size), 8);
}


/* Those wholly merged, and those as of a base. */
static void
ux_write_adopted(ux_image_writer_t *w)
{
    uint64_t       next;
    uint32_t       based;
    unsigned       i, k, n;
    ux_adopted_t  *list[UX_ADOPTED_MAX];

    n = 0;
    based = 0;
    k = ux_image_adopted_list(w->store, list);

    for (i = 0; i < k; i++) {
        next = __atomic_load_n(&list[i]->next, __ATOMIC_ACQUIRE);

        if (next & UX_ADOPTED_BASE) {
            memcpy(w->buf + 184 + n * 16, list[i]->uuid, 16);
            based |= next == UX_ADOPTED_DONE ? 0 : 1u << n;
            n++;
        }
    }

    ux_image_put(w->buf + 108, n, 4);
    ux_image_put(w->buf + 116, based, 4);
}
