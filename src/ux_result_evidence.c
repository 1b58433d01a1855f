
/*
 * Copyright (C) the nginx-ux authors
 *
 * What is kept of comparisons from look to look, in the zone: which entry has
 * it, and when it is written.
 */

#include "ux_evidence_cells.h"
#include "ux_result.h"

#include <math.h>
#include <string.h>


static uint32_t ux_result_evidence_find(const ux_result_t *result,
    const ux_result_variant_t *variant, const ux_metric_t *metric,
    uint64_t analysis);
static void ux_result_evidence_check(ux_evidence_t *evidence);
static uint64_t *ux_result_evidence_cells(const ux_result_t *result,
    uint32_t entry);


void
ux_result_evidence_load(ux_result_t *result)
{
    uint64_t                 analysis;
    unsigned                 v, m;
    const ux_metric_t       *metric;
    ux_result_comparison_t  *comparison;
    ux_result_experiment_t  *experiment;

    experiment = &result->experiment;
    analysis = experiment->past
               ? 0 : ux_experiment_analysis(experiment->model,
                                            result->model->events);

    comparison = experiment->comparisons;

    for (v = 0; v < experiment->nvariants; v++) {

        for (m = 0; m < experiment->model->nmetrics; m++, comparison++) {
            metric = &experiment->model->metrics[m];

            comparison->entry = v == 0 ? UX_RESULT_END
                : ux_result_evidence_find(result, &experiment->variants[v],
                                          metric, analysis);

            if (comparison->entry != UX_RESULT_END) {
                ux_evidence_cells_read(
                    ux_result_evidence_cells(result, comparison->entry),
                    &comparison->evidence);
                ux_result_evidence_check(&comparison->evidence);
            }
        }
    }
}


/* Out of shared memory: what cannot have been written was never seen. */
static void
ux_result_evidence_check(ux_evidence_t *evidence)
{
    if (!isfinite(evidence->log_e) || !isfinite(evidence->exact_log_e)
        || evidence->sign < -1 || evidence->sign > 1)
    {
        memset(evidence, 0, sizeof(ux_evidence_t));
    }
}


/* An older process, with an analysis of its own, finds none. */
static uint32_t
ux_result_evidence_find(const ux_result_t *result,
    const ux_result_variant_t *variant, const ux_metric_t *metric,
    uint64_t analysis)
{
    uint32_t                 i;
    ux_str_t                 name = { NULL, 0 };
    const ux_entry_t        *entry;
    const ux_result_tree_t  *tree;

    tree = &result->tree;

    if (variant->entry == UX_RESULT_END) {
        return UX_RESULT_END;
    }

    if (metric->event != UX_METRIC_REVENUE) {
        name = ux_result_metric_name(result->model, metric);
    }

    for (i = tree->links[variant->entry].first; i != UX_RESULT_END;
         i = tree->links[i].next)
    {
        entry = &tree->entries[i];

        if (entry->kind == UX_ENTRY_EVIDENCE
            && entry->value == result->experiment.since_ordinal
            && entry->aux == metric->type
            && (result->experiment.past || entry->analysis == analysis)
            && ux_str_equal(ux_result_entry_name(entry), name)
            && ux_result_cells_check(result, entry->ring, UX_EVIDENCE_CELLS))
        {
            return i;
        }
    }

    return UX_RESULT_END;
}


void
ux_result_evidence_store_locked(ux_result_t *result)
{
    unsigned                 i, n;
    ux_result_comparison_t  *comparison;
    ux_result_experiment_t  *experiment;

    experiment = &result->experiment;
    n = experiment->nvariants * experiment->model->nmetrics;

    for (i = 0; i < n; i++) {
        comparison = &experiment->comparisons[i];

        if (comparison->changed && comparison->entry != UX_RESULT_END) {
            ux_evidence_cells_write(
                ux_result_evidence_cells(result, comparison->entry),
                &comparison->evidence);
        }
    }
}


static uint64_t *
ux_result_evidence_cells(const ux_result_t *result, uint32_t entry)
{
    return &result->store->counter.shared[result->tree.entries[entry].ring];
}
