
/*
 * Copyright (C) the nginx-ux authors
 *
 * A merge from end to end: everything is checked on the bytes alone, then
 * names, counters and records come in, in this order.
 *
 *   restore   into a new zone, from the images of incarnations that are no
 *             more; then the configuration is bound
 *   prepare   the names of one that is still alive
 *   adopt     its images, once it is dead, into a zone that has counted since
 *   show      into a new zone, that nobody will count in
 *
 * Of an incarnation that lived on when the zone took it over, the zone holds
 * an earlier image, its base: what is added then is the difference, counter by
 * counter, and of records as ux_image_base.c says.
 *
 * What both images have is taken from `visitors`; `counters`, the newer one,
 * adds what does not follow from records: events, requests, money, discards.
 * So unique counts are as old as the journeys and event counts are not.
 *
 * The zone notes whom it has merged, and while it does, how far it has come: a
 * merge that was cut short goes on behind its last step.  Steps are counters,
 * then records.  What a step adds to the counters, and the note that it is
 * done, are one list (ux_redo.c), which is whole with the record's turn where
 * there is one: killed anywhere, a merge has made all of a step or nothing,
 * and whoever goes on makes the rest, once.  What looks have left needs no
 * list: to keep the larger twice is to keep it once.
 */

#include "ux_image_private.h"

#include <string.h>


/* What ux_image_step_noted() lists. */
#define UX_MERGE_TURN  5


static ux_status_t ux_merge_check(ux_image_merging_t *m,
    const ux_image_merge_t *merge, ux_error_t *error);
static ux_status_t ux_merge_open(ux_image_merging_t *m,
    const ux_image_merge_t *merge, unsigned n, ux_error_t *error);
static ux_status_t ux_merge_pair(const ux_image_merging_t *m,
    const ux_image_view_t *view, ux_error_t *error);
static bool ux_merge_same_name(const ux_image_name_t *a,
    const ux_image_name_t *b);
static ux_status_t ux_merge_known(ux_image_merging_t *m, ux_error_t *error);
static bool ux_merge_lost(const ux_image_merging_t *m);
static void ux_merge_begin(ux_image_merging_t *m);
static uint64_t ux_merge_hash(const ux_image_merging_t *m);
static void ux_merge_step_done(ux_image_merging_t *m);
static const ux_image_info_t *ux_merge_info(const ux_image_merging_t *m);
static bool ux_merge_empty(const ux_store_t *store);
static void ux_merge_finish(ux_image_merging_t *m);


ux_status_t
ux_image_merge(ux_store_t *store, const ux_image_merge_t *merge,
    ux_image_result_t *result, ux_error_t *error)
{
    ux_status_t         rc;
    ux_image_merging_t  m;

    memset(result, 0, sizeof(ux_image_result_t));
    memset(&m, 0, sizeof(m));

    m.store = store;
    m.redo = store->redo;
    m.table = store->table;
    m.mode = merge->mode;
    m.now_ms = merge->now_ms;
    m.work = merge->work;
    m.index = merge->index;
    m.result = result;

    memset(&m.work->redo, 0, sizeof(ux_redo_index_t));
    m.redo.index = &m.work->redo;

    if (store->me == UX_PROCESS_NONE
        || store->registry->capacity > UX_IMAGE_NAMES_MAX)
    {
        ux_image_say(error, "the zone is not open for writing");
        return UX_BUSY;
    }

    rc = ux_merge_check(&m, merge, error);

    if (rc == UX_OK && ux_store_redo(store) != UX_OK) {
        ux_image_say(error, "another process ends a merge");
        return UX_BUSY;
    }

    if (rc == UX_OK) {
        rc = ux_merge_known(&m, error);
    }

    if (rc != UX_OK) {
        return rc;
    }

    if (ux_image_merge_names(&m) != UX_OK) {
        ux_image_say(error, "another process keeps the names of the zone");
        return UX_BUSY;
    }

    if (m.mode == UX_IMAGE_PREPARE) {
        return UX_OK;
    }

    ux_merge_begin(&m);
    ux_image_clock_restore(&m);
    ux_image_merge_history(&m);
    ux_image_merge_cells(&m);

    if (m.mode != UX_IMAGE_SHOW) {
        ux_image_merge_records(&m);
    }

    ux_merge_finish(&m);

    return UX_OK;
}


static ux_status_t
ux_merge_check(ux_image_merging_t *m, const ux_image_merge_t *merge,
    ux_error_t *error)
{
    unsigned     n, last;
    ux_status_t  rc;

    m->has[0] = merge->visitors.len != 0;
    m->has[1] = merge->counters.len != 0;
    m->has[UX_IMAGE_OF_BASE] = merge->base.len != 0 && merge->index != NULL;

    if (!m->has[0] && !m->has[1]) {
        ux_image_say(error, "there is no snapshot");
        return UX_ERROR;
    }

    for (n = 0; n < UX_IMAGE_VIEWS; n++) {
        rc = m->has[n] ? ux_merge_open(m, merge, n, error) : UX_OK;

        if (rc != UX_OK) {
            return rc;
        }
    }

    /* the one with more names last: these stay indexed */

    last = m->has[0] ? 0 : 1;

    for (n = 1; n < UX_IMAGE_VIEWS; n++) {
        if (m->has[n] && m->views[n].sections[UX_IMAGE_NAMES].n
                         >= m->views[last].sections[UX_IMAGE_NAMES].n)
        {
            last = n;
        }
    }

    for (n = 0; n < UX_IMAGE_VIEWS; n++) {
        if (m->has[n] && n != last) {
            rc = ux_image_check_view(&m->views[n], m->work, error);

            if (rc != UX_OK) {
                return rc;
            }
        }
    }

    m->names = &m->views[last];

    rc = ux_image_check_view(&m->views[last], m->work, error);

    for (n = 0; n < UX_IMAGE_VIEWS && rc == UX_OK; n++) {
        rc = m->has[n] ? ux_merge_pair(m, &m->views[n], error) : UX_OK;
    }

    return rc;
}


static ux_status_t
ux_merge_open(ux_image_merging_t *m, const ux_image_merge_t *merge,
    unsigned n, ux_error_t *error)
{
    ux_str_t          name, currency;
    ux_status_t       rc;
    ux_image_view_t  *view;

    const ux_image_bytes_t  *bytes[UX_IMAGE_VIEWS] = {
        &merge->visitors, &merge->counters, &merge->base
    };

    view = &m->views[n];

    rc = ux_image_open(bytes[n]->data, bytes[n]->len, view, error);
    if (rc != UX_OK) {
        return rc;
    }

    if (view->info.kind != (n == UX_IMAGE_OF_COUNTERS ? UX_IMAGE_COUNTERS
                                                      : UX_IMAGE_VISITORS))
    {
        ux_image_say(error, "the snapshot is of the other kind");
        return UX_ERROR;
    }

    name.data = view->info.name;
    name.len = strlen(view->info.name);
    currency.data = view->info.currency;
    currency.len = 3;

    if (!ux_str_equal(name, merge->zone.name)) {
        ux_image_say(error, "the snapshot is of zone \"%.*s\", not of "
                     "\"%.*s\"", ux_word(name), ux_word(merge->zone.name));
        return UX_DECLINED;
    }

    if (!ux_str_equal(currency, merge->zone.currency)) {
        ux_image_say(error, "the snapshot of zone \"%.*s\" is in %.3s, the "
                     "zone in %.*s", ux_word(name), currency.data,
                     ux_word(merge->zone.currency));
        return UX_DECLINED;
    }

    return UX_OK;
}


/* With the one with most names: of one incarnation, whose names only grow. */
static ux_status_t
ux_merge_pair(const ux_image_merging_t *m, const ux_image_view_t *view,
    ux_error_t *error)
{
    uint32_t         i, n;
    ux_image_name_t  a, b;

    n = view->sections[UX_IMAGE_NAMES].n;

    if (memcmp(view->info.uuid, m->names->info.uuid, 16) != 0) {
        ux_image_say(error, "the two snapshots are not of one zone");
        return UX_ERROR;
    }

    for (i = 0; i < n && view != m->names; i++) {
        a = ux_image_name(view, i);
        b = ux_image_name(m->names, i);

        if (!ux_merge_same_name(&a, &b)) {
            ux_image_say(error, "name %u of the two snapshots is not the "
                         "same", i);
            return UX_ERROR;
        }
    }

    return UX_OK;
}


/* An experiment's `control` is since when it is removed, and may change. */
static bool
ux_merge_same_name(const ux_image_name_t *a, const ux_image_name_t *b)
{
    return a->kind == b->kind && ux_str_equal(a->text, b->text)
           && a->parent == b->parent && a->aux == b->aux
           && a->variant == b->variant && a->width == b->width
           && a->flags == b->flags && a->value == b->value
           && a->analysis == b->analysis;
}


/* Is it ours, or have we been here? */
static ux_status_t
ux_merge_known(ux_image_merging_t *m, ux_error_t *error)
{
    const ux_image_info_t  *info;

    static const uint8_t  nobody[16];

    info = ux_merge_info(m);

    if (memcmp(info->uuid, m->store->head->uuid, 16) == 0
        || memcmp(info->uuid, nobody, 16) == 0)
    {
        ux_image_say(error, "the snapshot is the zone's own");
        return UX_DECLINED;
    }

    m->adopted = ux_image_adopted_find(m->store, info->uuid);

    if (m->adopted == NULL || !(m->adopted->next & UX_ADOPTED_BASE)) {
        m->has[UX_IMAGE_OF_BASE] = false;
    }

    if (m->adopted == NULL
        || (m->mode == UX_IMAGE_PREPARE
            && m->adopted->next != UX_ADOPTED_DONE))
    {
        return UX_OK;
    }

    if (m->adopted->next != UX_ADOPTED_DONE && ux_merge_lost(m)) {
        /* no way to tell what of it is there */
        __atomic_store_n(&m->adopted->next, UX_ADOPTED_DONE,
                         __ATOMIC_RELEASE);
    }

    if (m->adopted->next == UX_ADOPTED_DONE) {
        ux_image_say(error, "the zone holds already what the snapshot "
                     "counted");
        return UX_DECLINED;
    }

    return UX_OK;
}


static bool
ux_merge_lost(const ux_image_merging_t *m)
{
    uint64_t  next;

    next = m->adopted->next;

    if ((next & UX_ADOPTED_BASE) && !m->has[UX_IMAGE_OF_BASE]) {
        return true;
    }

    return next != UX_ADOPTED_BASE && m->adopted->images != ux_merge_hash(m);
}


/* The first of the steps that are to be done, or the next one. */
static void
ux_merge_begin(ux_image_merging_t *m)
{
    uint64_t  images;

    images = ux_merge_hash(m);

    if (m->adopted == NULL) {
        m->alone = m->mode == UX_IMAGE_RESTORE && ux_merge_empty(m->store);
        m->adopted = ux_image_adopted_add(m->store, ux_merge_info(m)->uuid,
                                          images);
        return;
    }

    __atomic_store_n(&m->adopted->images, images, __ATOMIC_RELEASE);
}


bool
ux_image_step_done(const ux_image_merging_t *m, uint64_t step)
{
    return step <= (m->adopted->next & ~UX_ADOPTED_BASE);
}


void
ux_image_step_begin(ux_image_merging_t *m, uint64_t step)
{
    m->step = step;
    m->noted = false;
    ux_redo_begin(&m->redo);
}


bool
ux_image_step_fits(const ux_image_merging_t *m)
{
    return !m->redo.full && m->redo.n + UX_MERGE_TURN <= m->redo.max;
}


void
ux_image_step_end(ux_image_merging_t *m)
{
    if (!m->noted) {
        ux_merge_step_done(m);
        ux_redo_commit(&m->redo);
    }

    ux_redo_finish(&m->redo, &m->store->counter);
}


/* What a record's turn has done besides, and that the step is done. */
uint64_t
ux_image_step_noted(void *merging, const ux_table_effects_t *effects)
{
    ux_image_merging_t  *m;

    m = merging;

    ux_image_add(m, UX_ZONE_INSERTED, effects->inserted);
    ux_image_add(m, UX_ZONE_EVICTED, effects->evicted);
    ux_image_add(m, UX_ZONE_EXPIRED, effects->expired);
    ux_image_add(m, UX_ZONE_PROVISIONAL,
                 m->provisional + (int64_t) effects->inserted
                 - (int64_t) effects->provisional_gone);
    ux_merge_step_done(m);
    m->noted = true;

    return ux_redo_end(&m->redo);
}


static void
ux_merge_step_done(ux_image_merging_t *m)
{
    ux_redo_set(&m->redo, &m->adopted->next,
                (m->adopted->next & UX_ADOPTED_BASE) | m->step);
}


void
ux_image_add(ux_image_merging_t *m, uint32_t cell, int64_t delta)
{
    if (m->direct) {
        ux_counter_add_shared(&m->store->counter, cell, delta);
        return;
    }

    ux_redo_add(&m->redo, cell, delta);
}


void
ux_image_ring_add(ux_image_merging_t *m, uint32_t cell, uint32_t bucket,
    int32_t delta)
{
    if (m->direct) {
        ux_counter_ring_add(&m->store->counter, cell, bucket, delta);
        return;
    }

    ux_redo_ring(&m->redo, cell, bucket, delta);
}


static const ux_image_info_t *
ux_merge_info(const ux_image_merging_t *m)
{
    return &m->views[m->has[0] ? 0 : 1].info;
}


/* A section's hash is in the table, so these stand for all of the bytes. */
static uint64_t
ux_merge_hash(const ux_image_merging_t *m)
{
    uint64_t  sums[UX_IMAGE_VIEWS * UX_IMAGE_SECTIONS];
    unsigned  i, n;

    for (n = 0; n < UX_IMAGE_VIEWS; n++) {
        for (i = 0; i < UX_IMAGE_SECTIONS; i++) {
            sums[n * UX_IMAGE_SECTIONS + i] =
                ux_hash64(m->views[n].sections[i].data,
                          m->views[n].sections[i].len);
        }
    }

    return ux_hash64(sums, sizeof(sums));
}


/* Every record that was made is gone, or none was. */
static bool
ux_merge_empty(const ux_store_t *store)
{
    const ux_counter_t  *counter;

    counter = &store->counter;

    return ux_counter_read(counter, UX_ZONE_INSERTED)
           == ux_counter_read(counter, UX_ZONE_EVICTED)
              + ux_counter_read(counter, UX_ZONE_EXPIRED)
              + ux_counter_read(counter, UX_ZONE_ERASED);
}


/*
 * Whom it had adopted, so have we: their files may still be there.  Counters
 * may be newer than visitors that were damaged, and what they hold is in.
 */
static void
ux_merge_finish(ux_image_merging_t *m)
{
    unsigned  n;

    for (n = 0; n < UX_IMAGE_OF_BASE; n++) {
        if (m->has[n]) {
            ux_image_adopted_pass(m->store, m->adopted, &m->views[n].info);
        }
    }

    ux_image_adopted_done(m->store, m->adopted);
}
