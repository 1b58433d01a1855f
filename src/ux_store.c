
/*
 * Copyright (C) the nginx-ux authors
 *
 * A zone's memory, by offset from its start:
 *
 *   [ head | processes | redo | registry | copies | shared | history
 *     | buckets ... ]
 *
 *   processes  1 for each 64 KiB, 20 to 512: a journal each, at most an
 *              eighth of the zone; entry i < UX_WORKERS owns copy i
 *   redo       1/32 of the zone, 16 to 128 KiB: changes of counters that a
 *              merge is at
 *   registry   1 entry for each 8 KiB, 512 to 16384
 *   counters   3/32 of the zone, at least 256 KiB, at most half:
 *              five eighths of it the shared copy (with the rings and what
 *              looks found), the rest the workers' own copies; where these
 *              could not even hold the zone's own cells, all of it is the
 *              shared copy
 *   history    1/128 of the zone, 16 KiB to 4 MiB
 *   buckets    what is left; 64 MiB hold about 425,000 visitors
 *
 * Everything follows from size and parameters, so a process that attaches
 * computes the layout again and compares it with what the head says.
 */

#include "ux_store.h"
#include "ux_registry_private.h"
#include "ux_segment.h"

#include <stdio.h>
#include <string.h>


#define UX_STORE_ALIGN      64
#define UX_PROCESSES_MIN    20
#define UX_PROCESSES_MAX    512
#define UX_REGISTRY_MIN     512
#define UX_COUNTERS_MIN     (256 * 1024)
#define UX_CELLS_MAX        0x40000000u
#define UX_BUCKETS_MAX      0x0fffffffu       /* slot numbers have 32 bits */

_Static_assert(UX_STORE_SIZE_MIN / 8
               >= UX_PROCESSES_MIN * sizeof(ux_process_t),
               "processes take at most an eighth");
_Static_assert(sizeof(ux_process_t) <= 65536 / 8,
               "processes take at most an eighth");


static void ux_store_layout(ux_store_head_t *head, uint64_t size,
    const ux_store_params_t *params);
static void ux_store_layout_counters(ux_store_head_t *head, uint64_t size);
static uint64_t ux_store_part(uint64_t *at, uint64_t size);
static void ux_store_written(ux_store_head_t *head, uint32_t n);
static void ux_store_repair(void *store, uint32_t dead);
static bool ux_store_holds(const ux_lock_t *lock, uint32_t index);
static void ux_store_apply_window(ux_store_t *store,
    const ux_ring_change_t *change);


ux_status_t
ux_store_init(void *mem, size_t size, const ux_store_params_t *params,
    const uint8_t random[64], uint64_t now_ms, ux_error_t *error)
{
    uint8_t          *base;
    ux_store_head_t  *head;

    if (params->experiments < 1 || params->experiments > UX_TRACKS_MAX - 1
        || params->totals < 1 || params->totals > UX_TOTALS_MAX)
    {
        (void) snprintf(error->message, sizeof(error->message),
                        "a zone holds 1 to %d experiments and 1 to %d totals"
                        " a visitor, not %u and %u", UX_TRACKS_MAX - 1,
                        UX_TOTALS_MAX, params->experiments, params->totals);
        return UX_ERROR;
    }

    if (size < UX_STORE_SIZE_MIN) {
        (void) snprintf(error->message, sizeof(error->message),
                        "%zu bytes are too few for a zone: it needs at least "
                        "%d", size, UX_STORE_SIZE_MIN);
        return UX_ERROR;
    }

    base = mem;
    head = mem;

    ux_store_layout(head, size, params);

    memcpy(head->uuid, random, sizeof(head->uuid));
    memcpy(head->index_key, random + 16, sizeof(head->index_key));
    memcpy(head->secret, random + 32, sizeof(head->secret));
    head->created_ms = now_ms;

    ux_registry_init((ux_registry_t *) (void *) (base + head->registry_at),
                     head->registry_capacity, UX_ZONE_CELLS,
                     head->all_cells);

    /* last: without it the bytes are no zone */
    __atomic_store_n(&head->magic, UX_STORE_MAGIC, __ATOMIC_RELEASE);

    return UX_OK;
}


/* Fills in what follows from size and params: all but names and secrets. */
static void
ux_store_layout(ux_store_head_t *head, uint64_t size,
    const ux_store_params_t *params)
{
    uint64_t  at;

    head->layout = UX_STORE_LAYOUT;
    head->header_size = sizeof(ux_store_head_t);
    head->size = size;
    head->params = *params;

    head->nprocesses = (uint32_t) ux_clamp(size / 65536, UX_PROCESSES_MIN,
                                           UX_PROCESSES_MAX);
    head->registry_capacity = (uint32_t) ux_clamp(size / 8192,
                                                  UX_REGISTRY_MIN,
                                                  UX_REGISTRY_MAX);
    ux_store_layout_counters(head, size);

    at = 0;

    (void) ux_store_part(&at, sizeof(ux_store_head_t));

    head->processes_at = ux_store_part(&at, (uint64_t) head->nprocesses
                                            * sizeof(ux_process_t));
    head->redo_at = ux_store_part(&at, ux_redo_bytes(size));
    head->registry_at =
        ux_store_part(&at, ux_registry_size(head->registry_capacity));
    head->copies_at = ux_store_part(&at, (uint64_t) UX_WORKERS
                                         * head->own_cells * 8);
    head->shared_at = ux_store_part(&at, (uint64_t) head->all_cells * 8);
    head->history_at = ux_store_part(&at, ux_history_bytes(size));

    head->buckets_at = at;
    head->nbuckets = (uint32_t) ux_clamp((size - at) / ux_table_size(1), 1,
                                         UX_BUCKETS_MAX);
}


static void
ux_store_layout_counters(ux_store_head_t *head, uint64_t size)
{
    uint64_t  bytes;

    bytes = ux_clamp(size / 32 * 3, UX_COUNTERS_MIN, size / 2);

    head->all_cells = (uint32_t) ux_clamp(bytes / 8 * 5 / 8, UX_ZONE_CELLS,
                                          UX_CELLS_MAX);

    /* whole cache lines, so that no two workers write to one */
    head->own_cells = (uint32_t) ux_clamp(bytes / 8 * 3 / 8 / UX_WORKERS, 0,
                                          head->all_cells) / 8 * 8;

    if (head->own_cells < UX_ZONE_CELLS) {
        head->own_cells = 0;
        head->all_cells = (uint32_t) ux_clamp(bytes / 8, UX_ZONE_CELLS,
                                              UX_CELLS_MAX);
    }
}


static uint64_t
ux_store_part(uint64_t *at, uint64_t size)
{
    uint64_t  start;

    start = *at;
    *at += (size + UX_STORE_ALIGN - 1) / UX_STORE_ALIGN * UX_STORE_ALIGN;

    return start;
}


ux_status_t
ux_store_attach(ux_store_t *store, void *mem, size_t size, ux_error_t *error)
{
    uint8_t          *base;
    ux_store_head_t  *head, is, want;

    base = mem;
    head = mem;

    memset(store, 0, sizeof(ux_store_t));

    if (size < UX_STORE_SIZE_MIN
        || __atomic_load_n(&head->magic, __ATOMIC_ACQUIRE) != UX_STORE_MAGIC
        || head->layout != UX_STORE_LAYOUT
        || head->header_size != sizeof(ux_store_head_t)
        || head->size != size)
    {
        (void) snprintf(error->message, sizeof(error->message),
                        "the %zu bytes hold no zone of layout %d", size,
                        UX_STORE_LAYOUT);
        return UX_ERROR;
    }

    /* A copy: some words of a living zone's head change. */

    is = *head;
    want = is;
    ux_store_layout(&want, size, &is.params);

    if (memcmp(&want, &is, sizeof(want)) != 0) {
        (void) snprintf(error->message, sizeof(error->message),
                        "the zone's parts are not where a zone of %zu bytes "
                        "has them", size);
        return UX_ERROR;
    }

    store->head = head;
    store->me = UX_PROCESS_NONE;
    store->registry = (ux_registry_t *) (void *) (base + head->registry_at);
    store->processes = (ux_process_t *) (void *) (base + head->processes_at);

    store->counter.copies = (uint64_t *) (void *) (base + head->copies_at);
    store->counter.written = &head->written;
    store->counter.shared = (uint64_t *) (void *) (base + head->shared_at);
    store->counter.own_cells = head->own_cells;
    store->counter.all_cells = head->all_cells;

    store->redo.memory = (ux_redo_memory_t *) (void *) (base + head->redo_at);
    store->redo.max = ux_redo_room(ux_redo_bytes(size));
    store->redo.zone = mem;
    store->redo.words = (uint32_t) (sizeof(ux_store_head_t) / 8);
    store->counter.flux = &store->redo.memory->flux;

    store->history.memory = (ux_history_memory_t *) (void *)
                            (base + head->history_at);
    store->history.nframes = ux_history_frames(ux_history_bytes(size));

    store->table.buckets = base + head->buckets_at;
    store->table.nbuckets = head->nbuckets;
    store->table.processes = store->processes;
    store->table.nprocesses = head->nprocesses;
    store->table.me = UX_PROCESS_NONE;
    store->table.inactive_s = head->params.inactive_s;
    store->table.expiry = &head->expiry;
    store->table.end = &store->redo.memory->end;

    store->plan.experiments_max = head->params.experiments;

    return UX_OK;
}


ux_status_t
ux_store_join(ux_store_t *store)
{
    uint32_t  me, owner;

    if (store->me != UX_PROCESS_NONE) {
        return UX_OK;
    }

    me = ux_process_claim(store->processes, store->head->nprocesses,
                          ux_store_repair, store);

    if (me == UX_PROCESS_NONE) {
        return UX_FULL;
    }

    store->me = me;
    store->table.me = me;

    if (me < UX_WORKERS && store->counter.own_cells != 0) {
        ux_store_written(store->head, me + 1);
        store->counter.mine = store->counter.copies
                              + (size_t) me * store->counter.own_cells;
    }

    /* where nothing is saved any more nobody else would ask for this lock */

    owner = __atomic_load_n(&store->head->saved.lock, __ATOMIC_ACQUIRE)
            & UX_LOCK_OWNER;

    if (owner != 0) {
        ux_process_rescue(store->processes, owner - 1, me, ux_store_repair,
                          store);
    }

    return UX_OK;
}


/* Before the first count of a copy: readers look at no more than these. */
static void
ux_store_written(ux_store_head_t *head, uint32_t n)
{
    uint32_t  is;

    is = __atomic_load_n(&head->written, __ATOMIC_RELAXED);

    while (is < n
           && !__atomic_compare_exchange_n(&head->written, &is, n, false,
                                           __ATOMIC_RELEASE,
                                           __ATOMIC_RELAXED))
    { /* void */ }
}


/*
 * All a dead process may have held.  Its copy of the counters needs nothing:
 * whoever claims the entry goes on from its values.  Who merges holds the lock
 * of saving: the changes of a list come in before another may have it.
 */
static void
ux_store_repair(void *ctx, uint32_t dead)
{
    ux_store_t  *store;

    store = ctx;

    ux_registry_repair(store->registry, dead);
    ux_table_repair(&store->table, dead);

    if (ux_store_holds(&store->head->evidence_lock, dead)) {
        ux_lock_release(&store->head->evidence_lock);
    }

    if (ux_store_holds(&store->head->saved.lock, dead)) {
        ux_redo_finish(&store->redo, &store->counter);
        ux_lock_release(&store->head->saved.lock);
    }
}


static bool
ux_store_holds(const ux_lock_t *lock, uint32_t index)
{
    return (__atomic_load_n(lock, __ATOMIC_ACQUIRE) & UX_LOCK_OWNER)
           == index + 1;
}


ux_status_t
ux_store_redo(ux_store_t *store)
{
    uint32_t       i;
    ux_process_t  *process;

    for (i = 0; i < store->head->nprocesses; i++) {
        process = &store->processes[i];

        if (__atomic_load_n(&process->note, __ATOMIC_ACQUIRE) == 0
            || __atomic_load_n(&process->state, __ATOMIC_ACQUIRE)
               != UX_JOURNAL_COMMITTED
            || i == store->me)
        {
            continue;
        }

        ux_process_rescue(store->processes, i, store->me, ux_store_repair,
                          store);

        if (__atomic_load_n(&process->state, __ATOMIC_ACQUIRE)
            == UX_JOURNAL_COMMITTED
            && !ux_process_alive(process))
        {
            return UX_BUSY;
        }
    }

    ux_redo_finish(&store->redo, &store->counter);

    return UX_OK;
}


ux_status_t
ux_store_evidence_lock(ux_store_t *store)
{
    if (store->me == UX_PROCESS_NONE) {
        return UX_DECLINED;
    }

    return ux_lock_take(&store->head->evidence_lock, store->me,
                        store->processes, ux_store_repair, store);
}


void
ux_store_evidence_unlock(ux_store_t *store)
{
    ux_lock_release(&store->head->evidence_lock);
}


ux_status_t
ux_store_saving_lock(ux_store_t *store)
{
    if (store->me == UX_PROCESS_NONE) {
        return UX_DECLINED;
    }

    return ux_lock_take(&store->head->saved.lock, store->me,
                        store->processes, ux_store_repair, store);
}


void
ux_store_saving_unlock(ux_store_t *store)
{
    ux_lock_release(&store->head->saved.lock);
}


bool
ux_store_others(const ux_store_t *store)
{
    uint32_t  i;

    for (i = 0; i < store->head->nprocesses; i++) {
        if (i != store->me && ux_process_alive(&store->processes[i])) {
            return true;
        }
    }

    return false;
}


void
ux_store_leave(ux_store_t *store)
{
    if (store->me == UX_PROCESS_NONE) {
        return;
    }

    ux_process_release(store->processes, store->me);

    store->me = UX_PROCESS_NONE;
    store->table.me = UX_PROCESS_NONE;
    store->counter.mine = NULL;
}


void
ux_store_count(ux_store_t *store, const ux_visitor_t *visitor,
    const ux_changes_t *changes)
{
    ux_store_apply(store, changes);
    ux_segment_apply(&store->counter, &store->plan, visitor, changes);
}


void
ux_store_apply(ux_store_t *store, const ux_changes_t *changes)
{
    unsigned  i;

    for (i = 0; i < changes->n; i++) {
        ux_counter_add(&store->counter, changes->items[i].cell,
                       changes->items[i].delta);
    }

    for (i = 0; i < changes->nrings; i++) {
        if (changes->rings[i].arm < store->plan.narms) {
            ux_segment_ring(&store->counter,
                            &store->plan.arms[changes->rings[i].arm],
                            &changes->rings[i]);
        }
    }

    for (i = 0; i < changes->nwindows; i++) {
        ux_store_apply_window(store, &changes->windows[i]);
    }
}


static void
ux_store_apply_window(ux_store_t *store, const ux_ring_change_t *change)
{
    uint32_t         cell;
    const ux_arm_t  *arm;

    if (change->arm >= store->plan.narms || change->field >= UX_WINDOW_RINGS) {
        return;
    }

    arm = &store->plan.arms[change->arm];

    if (arm->base == 0) {
        return;
    }

    cell = UX_ARM_WINDOW + (uint32_t) change->field * UX_BUCKETS
           + change->bucket % UX_BUCKETS;

    ux_counter_ring_add(&store->counter, arm->base + cell, change->bucket,
                        change->delta);
}


/*
 * A record is made provisional, whatever becomes of it in the same turn;
 * ux_track_confirm() counts those that get confirmed.
 */
void
ux_store_effects(ux_store_t *store, const ux_table_effects_t *effects)
{
    int64_t        provisional;
    ux_counter_t  *counter;

    if (effects->inserted + effects->evicted + effects->expired == 0) {
        return;
    }

    counter = &store->counter;
    provisional = (int64_t) effects->inserted
                  - (int64_t) effects->provisional_gone;

    ux_counter_add(counter, UX_ZONE_INSERTED, effects->inserted);
    ux_counter_add(counter, UX_ZONE_EVICTED, effects->evicted);
    ux_counter_add(counter, UX_ZONE_EXPIRED, effects->expired);
    ux_counter_add(counter, UX_ZONE_PROVISIONAL, provisional);
}
