
/*
 * Copyright (C) the nginx-ux authors
 *
 * Where a zone's memory goes: the same layout and the same walk over the
 * configuration that it is used by, added up.
 */

#include "ux_bind_private.h"

#include <string.h>


static uint64_t ux_budget_blocks(const ux_binder_t *binder);
static void ux_budget_history(const ux_model_t *model,
    ux_store_budget_t *budget);


void
ux_store_budget(const ux_store_t *store, const ux_model_t *model,
    ux_store_budget_t *budget)
{
    uint64_t                blocks, cells, left;
    ux_binder_t             binder;
    const ux_store_head_t  *head;

    memset(&binder, 0, sizeof(binder));

    head = store->head;

    binder.registrar.registry = store->registry;
    binder.registrar.me = UX_PROCESS_NONE;
    binder.model = model;
    binder.totals = head->params.totals;
    binder.size = head->size;

    ux_bind_walk(&binder);

    left = ux_registry_cells_left(store->registry);
    cells = head->all_cells - left + binder.cells;
    blocks = ux_budget_blocks(&binder);

    if (blocks > head->own_cells) {
        blocks = head->own_cells;
    }

    budget->own = head->shared_at - head->copies_at;
    budget->own_used = blocks * UX_WORKERS * sizeof(uint64_t);
    budget->shared = head->history_at - head->shared_at;
    budget->shared_used = cells * sizeof(uint64_t);
    budget->counters = budget->own + budget->shared;
    budget->names = head->copies_at - head->registry_at;
    budget->names_used = ux_registry_size(ux_registry_count(store->registry)
                                          + binder.entries);
    budget->visitors = head->size - head->buckets_at;
    budget->capacity = ux_table_capacity(head->nbuckets);
    budget->rest = head->registry_at;
    budget->history = head->buckets_at - head->history_at;
    budget->points = store->history.nframes;

    ux_budget_history(model, budget);
}


/* Both rings of all series get shorter alike: see ux_history.c. */
static void
ux_budget_history(const ux_model_t *model, ux_store_budget_t *budget)
{
    uint64_t  points;
    unsigned  i;

    budget->series = 0;

    for (i = 0; i < model->nexperiments; i++) {
        budget->series += (uint64_t) model->experiments[i].nvariants
                          * model->experiments[i].nmetrics;
    }

    points = budget->series == 0 ? UX_HISTORY_POINTS
                                 : budget->points / budget->series;

    if (points > UX_HISTORY_POINTS) {
        points = UX_HISTORY_POINTS;
    }

    budget->hours = (uint32_t) (points * UX_HISTORY_HOURS
                                / UX_HISTORY_POINTS);
    budget->days = (uint32_t) (points * UX_HISTORY_DAYS / UX_HISTORY_POINTS);
}


/* Cells at the bottom, which the workers' own copies have as far as they
 * reach: the zone's, and blocks. */
static uint64_t
ux_budget_blocks(const ux_binder_t *binder)
{
    uint32_t              count;
    const ux_registry_t  *registry;

    registry = binder->registrar.registry;
    count = ux_registry_count(registry);

    return (count == 0 ? registry->first_cell
                       : registry->entries[count - 1].next_cell)
           + binder->blocks;
}
