
/*
 * Copyright (C) the nginx-ux authors
 *
 * A metric, read out of counters: what of it an arm, or a variant, has.
 *
 * The denominator of everything is the confirmed visitors.  Counters are
 * read numerators first, so x <= n holds while they move; what a crossover
 * being taken out may still show for a moment is cut off at n.
 */

#include "ux_result.h"

#include <math.h>


static ux_sample_t ux_result_ratio(const ux_result_t *result,
    const uint64_t *cells, const ux_metric_t *metric, uint64_t visitors);
static const uint64_t *ux_result_total_cells(const ux_result_t *result,
    const uint64_t *cells, const ux_metric_t *metric);
static ux_u128_t ux_result_limbs(const uint64_t *limbs);


uint64_t
ux_result_count(uint64_t sum)
{
    return sum <= INT64_MAX ? sum : 0;
}


uint64_t
ux_result_visitors(const uint64_t *cells)
{
    return ux_result_count(cells[UX_ARM_VISITORS]);
}


uint64_t
ux_result_event_visitors(const ux_result_t *result,
    const uint64_t *cells, uint8_t event)
{
    uint8_t   slot;
    uint64_t  x, n;

    slot = event < UX_EVENTS_MAX ? result->model->event_slots[event]
                                 : UX_SLOT_NONE;

    if (slot >= UX_EVENTS_MAX) {
        return 0;
    }

    x = ux_result_count(cells[UX_ARM_EVENT_VISITORS + slot]);
    n = ux_result_visitors(cells);

    return x < n ? x : n;
}


uint64_t
ux_result_event_count(const ux_result_t *result,
    const uint64_t *cells, uint8_t event)
{
    uint8_t   slot;
    uint64_t  x, n;

    slot = event < UX_EVENTS_MAX ? result->model->event_slots[event]
                                 : UX_SLOT_NONE;

    if (slot >= UX_EVENTS_MAX) {
        return 0;
    }

    /* read before the visitors, of whom each did it once at least */

    n = ux_result_count(cells[UX_ARM_EVENT_COUNT + slot]);
    x = ux_result_event_visitors(result, cells, event);

    return n > x ? n : x;
}


uint8_t
ux_result_metric_event(const ux_metric_t *metric)
{
    return metric->event == UX_METRIC_REVENUE ? UX_EVENT_PURCHASE
                                              : metric->event;
}


ux_str_t
ux_result_metric_name(const ux_model_t *model, const ux_metric_t *metric)
{
    ux_str_t  revenue = ux_str("revenue"), none = ux_str("");

    if (metric->event == UX_METRIC_REVENUE) {
        return revenue;
    }

    return metric->event < model->nevents ? model->events[metric->event]
                                          : none;
}


ux_sample_t
ux_result_sample(const ux_result_t *result, const uint64_t *cells,
    const ux_metric_t *metric, uint64_t visitors)
{
    int64_t    sum;
    uint64_t   x;
    ux_u128_t  squares;

    x = ux_result_event_visitors(result, cells,
                                 ux_result_metric_event(metric));
    x = x < visitors ? x : visitors;

    if (metric->type == UX_METRIC_CONVERSION) {
        return ux_sample_conversion(visitors, x);
    }

    if (metric->type == UX_METRIC_RATIO) {
        return ux_result_ratio(result, cells, metric, visitors);
    }

    sum = ux_result_total(result, cells, metric, &squares);

    return ux_sample_mean(visitors, x, sum, squares,
                          (double) ux_result_scale(result, metric));
}


/* Value per event: both are sums per visitor. */
static ux_sample_t
ux_result_ratio(const ux_result_t *result, const uint64_t *cells,
    const ux_metric_t *metric, uint64_t visitors)
{
    double           scale, variance[2], covariance;
    int64_t          sum, count;
    ux_u128_t        squares, products;
    ux_sample_t      sample;
    const uint64_t  *total;

    sample.visitors = visitors;
    sample.converters = ux_result_event_visitors(result, cells,
                                            ux_result_metric_event(metric));
    sample.estimate.mean = NAN;
    sample.estimate.error = NAN;

    total = ux_result_total_cells(result, cells, metric);

    if (total == NULL) {
        return sample;
    }

    sum = ux_result_total(result, cells, metric, &squares);
    count = (int64_t) total[UX_TOTAL_COUNT];
    products = ux_result_limbs(&total[UX_TOTAL_PRODUCT_LO]);

    variance[0] = ux_stats_variance(visitors, sum, squares);
    variance[1] = ux_stats_variance(visitors, count,
                                    total[UX_TOTAL_COUNT_SQ]);
    covariance = ux_stats_covariance(visitors, sum, count, products);

    scale = (double) ux_result_scale(result, metric);

    sample.estimate = ux_stats_ratio(visitors, (double) sum / scale,
                                     (double) count,
                                     variance[0] / (scale * scale),
                                     variance[1], covariance / scale);

    return sample;
}


double
ux_result_variance(const ux_result_t *result, const uint64_t *cells,
    const ux_metric_t *metric)
{
    double     scale;
    int64_t    sum;
    ux_u128_t  squares;

    sum = ux_result_total(result, cells, metric, &squares);
    scale = (double) ux_result_scale(result, metric);

    return ux_stats_variance(ux_result_visitors(cells), sum, squares)
           / (scale * scale);
}


int64_t
ux_result_total(const ux_result_t *result, const uint64_t *cells,
    const ux_metric_t *metric, ux_u128_t *squares)
{
    const uint64_t  *total;

    *squares = 0;
    total = ux_result_total_cells(result, cells, metric);

    if (total == NULL) {
        return 0;
    }

    *squares = ux_result_limbs(&total[UX_TOTAL_SQ_LO]);

    return (int64_t) total[UX_TOTAL_SUM];
}


static const uint64_t *
ux_result_total_cells(const ux_result_t *result, const uint64_t *cells,
    const ux_metric_t *metric)
{
    uint8_t  slot;

    slot = ux_result_total_slot(result->model, metric);

    return slot < UX_TOTALS_MAX
           ? cells + UX_ARM_TOTALS + slot * UX_TOTAL_CELLS : NULL;
}


uint8_t
ux_result_total_slot(const ux_model_t *model, const ux_metric_t *metric)
{
    uint8_t            slot;
    unsigned           i;
    const ux_total_t  *total;

    if (metric->event == UX_METRIC_REVENUE) {
        return 0;
    }

    slot = UX_SLOT_NONE;

    for (i = 0; i < model->ntotals; i++) {
        total = &model->totals[i];

        if (total->event != metric->event
            || (total->type == UX_METRIC_COUNT)
               != (metric->type == UX_METRIC_COUNT))
        {
            continue;
        }

        slot = total->slot;

        if (total->type == metric->type) {
            break;
        }
    }

    return slot;
}


/* Limbs as in ux_counter.h; a negative sum is a race: 0. */
static ux_u128_t
ux_result_limbs(const uint64_t *limbs)
{
    ux_u128_t  value;

    value = ((ux_u128_t) (int64_t) limbs[2] << 64)
            + ((ux_u128_t) limbs[1] << 32) + limbs[0];

    return value >> 127 == 0 ? value : 0;
}


uint64_t
ux_result_scale(const ux_result_t *result, const ux_metric_t *metric)
{
    if (metric->type == UX_METRIC_CONVERSION
        || metric->type == UX_METRIC_COUNT)
    {
        return 1;
    }

    return ux_currency_unit(result->model->currency);
}
