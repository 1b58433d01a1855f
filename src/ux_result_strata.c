
/*
 * Copyright (C) the nginx-ux authors
 *
 * A pair of arms in each epoch of the primary result.
 *
 * Only the cells that the metric needs are read, numerators before the
 * visitors they are of.
 */

#include "ux_result.h"

#include <string.h>


static uint32_t ux_result_arm(const ux_result_t *result, uint32_t epoch,
    unsigned variant);
static ux_sample_t ux_result_arm_sample(const ux_result_t *result,
    uint32_t arm, const ux_metric_t *metric, bool assigned);
static void ux_result_arm_cells(const ux_result_t *result, uint32_t base,
    const ux_metric_t *metric, uint64_t *cells);
static void ux_result_arm_read(const ux_result_t *result, uint32_t base,
    unsigned cell, unsigned n, uint64_t *cells);


unsigned
ux_result_strata(ux_result_t *result, unsigned variant,
    const ux_metric_t *metric, bool assigned)
{
    uint32_t                 epoch, a, b;
    unsigned                 n;
    ux_stratum_t            *stratum;
    const ux_result_tree_t  *tree;

    tree = &result->tree;
    n = 0;

    if (result->experiment.entry == UX_RESULT_END) {
        return 0;
    }

    epoch = tree->links[result->experiment.entry].first;

    for ( /* void */ ; epoch != UX_RESULT_END;
         epoch = tree->links[epoch].next)
    {
        if (tree->entries[epoch].kind != UX_ENTRY_EPOCH
            || tree->entries[epoch].aux < result->experiment.since)
        {
            continue;
        }

        a = ux_result_arm(result, epoch, 0);
        b = ux_result_arm(result, epoch, variant);

        if (a == UX_RESULT_END || b == UX_RESULT_END
            || n > tree->most_epochs)
        {
            continue;
        }

        stratum = &result->strata[n];
        result->epochs[n++] = epoch;

        stratum->a = ux_result_arm_sample(result, a, metric, assigned);
        stratum->b = ux_result_arm_sample(result, b, metric, assigned);
        stratum->share_a = tree->entries[a].number;
        stratum->share_b = tree->entries[b].number;
    }

    return n;
}


/* The variant's arm in the epoch, with a block of counters. */
static uint32_t
ux_result_arm(const ux_result_t *result, uint32_t epoch, unsigned variant)
{
    uint32_t                 arm;
    uint16_t                 ordinal;
    const ux_result_tree_t  *tree;

    tree = &result->tree;
    ordinal = result->experiment.variants[variant].ordinal;

    if (ordinal == UX_PARENT_NONE) {
        return UX_RESULT_END;
    }

    for (arm = tree->links[epoch].first; arm != UX_RESULT_END;
         arm = tree->links[arm].next)
    {
        if (tree->entries[arm].aux == ordinal
            && ux_result_cells_check(result, tree->entries[arm].base,
                                     UX_ARM_CELLS))
        {
            break;
        }
    }

    return arm;
}


static ux_sample_t
ux_result_arm_sample(const ux_result_t *result, uint32_t arm,
    const ux_metric_t *metric, bool assigned)
{
    uint64_t  visitors, cells[UX_ARM_COUNTS];

    ux_result_arm_cells(result, result->tree.entries[arm].base, metric,
                        cells);

    visitors = assigned ? ux_result_count(cells[UX_ARM_ASSIGNED])
                        : ux_result_visitors(cells);

    return ux_result_sample(result, cells, metric, visitors);
}


/* Fills those that ux_result_sample() looks at. */
static void
ux_result_arm_cells(const ux_result_t *result, uint32_t base,
    const ux_metric_t *metric, uint64_t *cells)
{
    uint8_t   event, slot;
    unsigned  total;

    if (metric->type != UX_METRIC_CONVERSION) {
        total = ux_result_total_slot(result->model, metric);

        if (total < UX_TOTALS_MAX) {
            ux_result_arm_read(result, base,
                               UX_ARM_TOTALS + total * UX_TOTAL_CELLS,
                               UX_TOTAL_CELLS, cells);
        }
    }

    event = ux_result_metric_event(metric);
    slot = event < UX_EVENTS_MAX ? result->model->event_slots[event]
                                 : UX_SLOT_NONE;

    if (slot < UX_EVENTS_MAX) {
        ux_result_arm_read(result, base, UX_ARM_EVENT_VISITORS + slot, 1,
                           cells);
    }

    ux_result_arm_read(result, base, UX_ARM_VISITORS, 1, cells);
    ux_result_arm_read(result, base, UX_ARM_ASSIGNED, 1, cells);
}


static void
ux_result_arm_read(const ux_result_t *result, uint32_t base, unsigned cell,
    unsigned n, uint64_t *cells)
{
    ux_counter_fold(&result->store->counter, base + cell, n, &cells[cell]);
}
