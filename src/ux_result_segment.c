
/*
 * Copyright (C) the nginx-ux authors
 *
 * A value of a segment: what is counted for it, and how a variant does there
 * against the control.
 *
 * Counters of values are of all epochs of a variant.  Two arms may be compared
 * so while each epoch shared its visitors out between them in the same way; if
 * an epoch did otherwise, the times they came at are not alike, and with them
 * what they do: no comparison then.
 */

#include "ux_result.h"
#include "ux_special.h"

#include <math.h>
#include <string.h>


/* How an epoch shared out its visitors between two arms. */
typedef struct {
    double    weights[2];
    bool      there[2];
    uint64_t  visitors;
} ux_result_share_t;


static uint32_t ux_result_segment_entry(const ux_result_t *result,
    const ux_result_variant_t *variant, unsigned value);
static bool ux_result_segment_fair(const ux_result_t *result,
    const ux_result_variant_t *of, const ux_result_variant_t *control);
static ux_result_share_t ux_result_share(const ux_result_t *result,
    uint32_t epoch, uint16_t control, uint16_t variant);
static bool ux_result_same_share(const ux_result_share_t *a,
    const ux_result_share_t *b);
static bool ux_result_segment_gate(const ux_sample_t *sample);
static ux_fixed_t ux_result_segment_fixed(const ux_sample_t *a,
    const ux_sample_t *b, ux_metric_type_e type);


void
ux_result_segment(ux_result_t *result, unsigned variant, unsigned value,
    ux_result_variant_t *of)
{
    uint32_t                    number;
    unsigned                    i;
    const ux_entry_t           *entry;
    const ux_result_variant_t  *whole;

    whole = &result->experiment.variants[variant];
    number = ux_result_segment_entry(result, whole, value);

    *of = *whole;
    memset(&of->sum, 0, sizeof(of->sum));
    of->entry = number;

    for (i = 0; i < UX_CARTS_MAX; i++) {
        of->carts[i] = UX_RESULT_END;
    }

    if (number == UX_RESULT_END) {
        return;
    }

    entry = &result->tree.entries[number];

    if (!ux_result_cells_check(result, entry->ring, UX_ARM_COUNTS)) {
        return;
    }

    ux_counter_fold(&result->store->counter, entry->ring, UX_ARM_COUNTS,
                    of->sum.cells);

    ux_result_carts_link(result, result->tree.links[number].first, of);
    ux_result_carts_add(result, of);
}


static uint32_t
ux_result_segment_entry(const ux_result_t *result,
    const ux_result_variant_t *variant, unsigned value)
{
    uint8_t                  ordinal;
    uint32_t                 i;
    const ux_result_tree_t  *tree;

    tree = &result->tree;
    ordinal = result->model->values[value].ordinal;

    if (ordinal == UX_SLOT_NONE || variant->entry == UX_RESULT_END) {
        return UX_RESULT_END;
    }

    for (i = tree->links[variant->entry].first; i != UX_RESULT_END;
         i = tree->links[i].next)
    {
        if (tree->entries[i].kind == UX_ENTRY_SEGMENT_ARM
            && tree->entries[i].aux == ordinal)
        {
            break;
        }
    }

    return i;
}


ux_result_versus_t
ux_result_segment_versus(const ux_result_t *result,
    const ux_result_variant_t *of, const ux_result_variant_t *control,
    const ux_metric_t *metric)
{
    ux_fixed_t          fixed;
    ux_sample_t         a, b;
    ux_result_versus_t  versus;

    versus.status = UX_STATS_REJECT;
    versus.difference = NAN;
    versus.error = NAN;
    versus.difference_ci = (ux_interval_t) { NAN, NAN };
    versus.lift = NAN;
    versus.lift_ci = versus.difference_ci;

    if (!ux_result_segment_fair(result, of, control)) {
        return versus;
    }

    a = ux_result_sample(result, control->sum.cells, metric,
                         ux_result_visitors(control->sum.cells));
    b = ux_result_sample(result, of->sum.cells, metric,
                         ux_result_visitors(of->sum.cells));

    versus.difference = b.estimate.mean - a.estimate.mean;
    versus.lift = ux_stats_lift(a.estimate.mean, b.estimate.mean);
    versus.status = UX_STATS_INSUFFICIENT;

    if (!ux_result_segment_gate(&a) || !ux_result_segment_gate(&b)) {
        return versus;
    }

    fixed = ux_result_segment_fixed(&a, &b, metric->type);
    versus.status = a.estimate.mean == 0 ? UX_STATS_BASELINE_ZERO
                                         : fixed.status;

    if (fixed.status == UX_STATS_OK) {
        versus.error = a.estimate.error + b.estimate.error;
        versus.difference_ci = ux_stats_normal(versus.difference,
                                               versus.error, 0.05).ci;
        versus.lift_ci = ux_stats_fieller(a.estimate, b.estimate,
                                          UX_STATS_Z95, NULL);
    }

    return versus;
}


/* Did every epoch since there is the value share out as the last one? */
static bool
ux_result_segment_fair(const ux_result_t *result,
    const ux_result_variant_t *of, const ux_result_variant_t *control)
{
    bool                     fair, any;
    uint32_t                 i;
    const ux_entry_t        *entry;
    ux_result_share_t        share, last;
    const ux_result_tree_t  *tree;

    tree = &result->tree;

    if (of->entry == UX_RESULT_END || control->entry == UX_RESULT_END) {
        return false;
    }

    memset(&last, 0, sizeof(last));
    fair = true;
    any = false;

    for (i = tree->links[result->experiment.entry].first; i != UX_RESULT_END;
         i = tree->links[i].next)
    {
        entry = &tree->entries[i];

        if (entry->kind != UX_ENTRY_EPOCH) {
            continue;
        }

        /* those that were over before nobody of the value is of */

        if (entry->created_ms <= tree->entries[of->entry].created_ms) {
            fair = true;
            any = false;
        }

        share = ux_result_share(result, i, control->ordinal, of->ordinal);

        if (share.visitors == 0) {
            continue;
        }

        fair = fair && share.there[0] && share.there[1]
               && share.weights[0] > 0 && share.weights[1] > 0
               && (!any || ux_result_same_share(&last, &share));
        last = share;
        any = true;
    }

    return fair;
}


static ux_result_share_t
ux_result_share(const ux_result_t *result, uint32_t epoch, uint16_t control,
    uint16_t variant)
{
    uint32_t                 arm;
    unsigned                 n;
    ux_result_share_t        share;
    const ux_result_tree_t  *tree;

    tree = &result->tree;
    memset(&share, 0, sizeof(share));

    for (arm = tree->links[epoch].first; arm != UX_RESULT_END;
         arm = tree->links[arm].next)
    {
        if (tree->entries[arm].aux != control
            && tree->entries[arm].aux != variant)
        {
            continue;
        }

        n = tree->entries[arm].aux == variant;

        share.weights[n] = tree->entries[arm].number;
        share.there[n] = true;
        share.visitors += tree->links[arm].visitors;
    }

    return share;
}


/* Weights are relative, and written in decimals. */
static bool
ux_result_same_share(const ux_result_share_t *a, const ux_result_share_t *b)
{
    double  one, other;

    one = a->weights[0] * b->weights[1];
    other = a->weights[1] * b->weights[0];

    return fabs(one - other) <= 1e-9 * (one + other);
}


/* As many as a look at the whole needs in either arm. */
static bool
ux_result_segment_gate(const ux_sample_t *sample)
{
    return sample->converters >= UX_GATE_CONVERTERS
           && sample->visitors >= sample->converters + UX_GATE_CONVERTERS;
}


static ux_fixed_t
ux_result_segment_fixed(const ux_sample_t *a, const ux_sample_t *b,
    ux_metric_type_e type)
{
    const double  alpha = 0.05;

    if (type == UX_METRIC_CONVERSION) {
        return ux_stats_two_proportions(a->converters, a->visitors,
                                        b->converters, b->visitors, alpha);
    }

    if (type == UX_METRIC_RATIO) {
        return ux_stats_normal(b->estimate.mean - a->estimate.mean,
                               a->estimate.error + b->estimate.error, alpha);
    }

    return ux_stats_welch(a->visitors, a->estimate, b->visitors, b->estimate,
                          alpha);
}


ux_result_heterogeneity_t
ux_result_heterogeneity(const ux_result_versus_t *values, unsigned n)
{
    double                     weight, all, mean;
    unsigned                   i;
    ux_result_heterogeneity_t  found = { 0, NAN, NAN };

    all = 0;
    mean = 0;

    for (i = 0; i < n; i++) {
        if (values[i].error > 0) {
            weight = 1 / values[i].error;
            all += weight;
            mean += weight * values[i].difference;
            found.values++;
        }
    }

    if (found.values < 2) {
        return found;
    }

    mean /= all;
    found.q = 0;

    for (i = 0; i < n; i++) {
        if (values[i].error > 0) {
            found.q += (values[i].difference - mean)
                       * (values[i].difference - mean) / values[i].error;
        }
    }

    found.p = ux_special_chi_square_tail(found.q, found.values - 1);

    return found;
}
