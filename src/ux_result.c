
/*
 * Copyright (C) the nginx-ux authors
 *
 * The results of one zone: where they start, and the look that nobody asked
 * for.  Memory is taken once for each zone and look, sized by the experiment
 * that needs most.
 */

#include "ux_result.h"
#include "ux_json.h"

#include <string.h>


static ux_status_t ux_result_memory(ux_result_t *result);
static size_t ux_result_part(size_t *size, size_t n, size_t each);
static unsigned ux_result_most_metrics(const ux_result_t *result);


ux_status_t
ux_result_init(ux_result_t *result, ux_store_t *store, uint64_t now_ms)
{
    const ux_counter_t  *counter;

    memset(result, 0, sizeof(ux_result_t));

    result->store = store;
    result->model = store->model;
    result->now_ms = now_ms;
    result->exponent = ux_currency_exponent(store->model->currency);

    counter = &store->counter;

    if (counter->all_cells >= UX_ZONE_CELLS) {
        result->returned = ux_result_count(
            ux_counter_read(counter, UX_ZONE_RETURNED));
        result->zone_full = ux_result_count(
            ux_counter_read(counter,
                            UX_ZONE_DISCARDED + UX_DISCARD_ZONE_FULL));
    }

    if (ux_result_tree_build(&result->tree, store->registry) != UX_OK) {
        return UX_ERROR;
    }

    if (ux_result_memory(result) != UX_OK) {
        ux_result_tree_free(&result->tree);
        return UX_ERROR;
    }

    return UX_OK;
}


void
ux_result_free(ux_result_t *result)
{
    ux_json_free(result->memory);
    ux_result_tree_free(&result->tree);
}


static ux_status_t
ux_result_memory(ux_result_t *result)
{
    char    *memory;
    size_t   size, room, epochs;
    size_t   variants, comparisons, strata, used, numbers, values;

    room = (size_t) result->tree.most_variants
           * ux_result_most_metrics(result);
    epochs = result->tree.most_epochs + 1u;
    size = 0;

    variants = ux_result_part(&size, result->tree.most_variants,
                              sizeof(ux_result_variant_t));
    comparisons = ux_result_part(&size, room, sizeof(ux_result_comparison_t));
    strata = ux_result_part(&size, epochs, sizeof(ux_stratum_t));
    used = ux_result_part(&size, epochs, sizeof(bool));
    numbers = ux_result_part(&size, epochs, sizeof(uint32_t));
    values = ux_result_part(&size, 2 * room, sizeof(double));

    memory = ux_json_alloc(size);

    if (memory == NULL) {
        return UX_ERROR;
    }

    result->memory = memory;
    result->variants = (ux_result_variant_t *) (memory + variants);
    result->comparisons = (ux_result_comparison_t *) (memory + comparisons);
    result->strata = (ux_stratum_t *) (memory + strata);
    result->used = (bool *) (memory + used);
    result->epochs = (uint32_t *) (memory + numbers);
    result->values = (double *) (memory + values);
    result->room = room;

    return UX_OK;
}


/* Where the part begins; every one on 16 bytes. */
static size_t
ux_result_part(size_t *size, size_t n, size_t each)
{
    size_t  at;

    at = *size;
    *size += (n * each + 15) / 16 * 16;

    return at;
}


/* Experiments that are no more may have any. */
static unsigned
ux_result_most_metrics(const ux_result_t *result)
{
    unsigned           i, most;
    const ux_model_t  *model;

    model = result->model;
    most = 0;

    for (i = result->tree.first; i != UX_RESULT_END;
         i = result->tree.links[i].next)
    {
        if (ux_registry_removed_ms(&result->tree.entries[i]) != 0) {
            return UX_METRICS_MAX;
        }
    }

    for (i = 0; i < model->nexperiments; i++) {

        if (model->experiments[i].nmetrics > most) {
            most = model->experiments[i].nmetrics;
        }
    }

    return most;
}


ux_status_t
ux_result_look(ux_store_t *store, uint64_t now_ms)
{
    unsigned      i;
    ux_result_t  *result;

    result = ux_json_alloc(sizeof(ux_result_t));

    if (result == NULL) {
        return UX_ERROR;
    }

    if (ux_result_init(result, store, now_ms) != UX_OK) {
        ux_json_free(result);
        return UX_ERROR;
    }

    result->brief = true;

    for (i = 0; i < result->model->nexperiments; i++) {
        ux_result_gather(result, &result->model->experiments[i]);
    }

    ux_result_free(result);
    ux_json_free(result);

    return UX_OK;
}
