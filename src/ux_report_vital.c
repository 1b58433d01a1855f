
/*
 * Copyright (C) the nginx-ux authors
 *
 * Vitals in the report: what pages told of how they felt.
 *
 * p75 is read off a histogram, within 1.6 %; its rating is exact, as the
 * ratings are counted: that of the ceil(0.75 n)-th value.
 */

#include "ux_report_private.h"
#include "ux_timing.h"

#include <math.h>


static void ux_report_put_vitals_of(ux_json_t *parent,
    const ux_result_t *view, uint32_t first);
static void ux_report_put_vital(ux_json_t *vitals, const ux_result_t *view,
    uint32_t first, unsigned metric);
static void ux_report_put_p75(ux_json_t *vital, const ux_result_t *view,
    uint32_t first, unsigned metric);


/* As members and as ratings. */
static const char *const  ux_report_ratings[] = {
    [UX_VITAL_GOOD] = "good",
    [UX_VITAL_NEEDS_IMPROVEMENT] = "needs_improvement",
    [UX_VITAL_POOR] = "poor"
};


void
ux_report_put_vitals(ux_json_t *variant, const ux_result_t *view,
    const ux_result_variant_t *of)
{
    ux_report_put_vitals_of(variant, view,
                            ux_result_timings(view, of, UX_TIMINGS_VITALS, 0,
                                              UX_TIMINGS_VITALS_CELLS));
}


void
ux_report_put_zone_vitals(ux_json_t *zone, const ux_result_t *view)
{
    ux_report_put_vitals_of(zone, view,
                            ux_result_timings(view, NULL, UX_TIMINGS_VITALS,
                                              0, UX_TIMINGS_VITALS_CELLS));
}


/* first: of the block; 0: nothing collects, or did. */
static void
ux_report_put_vitals_of(ux_json_t *parent, const ux_result_t *view,
    uint32_t first)
{
    unsigned    i;
    ux_json_t  *vitals;

    vitals = ux_json_object(parent, "vitals");

    for (i = 0; i < UX_VITALS; i++) {
        ux_report_put_vital(vitals, view, first, i);
    }
}


static void
ux_report_put_vital(ux_json_t *vitals, const ux_result_t *view,
    uint32_t first, unsigned metric)
{
    unsigned    i, rating;
    uint64_t    counts[UX_VITAL_RATINGS], all, seen;
    ux_json_t  *vital;

    all = 0;

    for (i = 0; i < UX_VITAL_RATINGS; i++) {
        counts[i] = first == 0 ? 0
                    : ux_result_count(ux_counter_read(&view->store->counter,
                                        first + UX_TIMINGS_RATING(metric, i)));
        all += counts[i];
    }

    vital = ux_json_object(vitals, ux_vital_name(metric));

    ux_json_string(vital, "unit", metric == UX_VITAL_CLS
                                  ? ux_report_text("score")
                                  : ux_report_text("ms"));
    ux_report_put_count(vital, "count", all);

    for (i = 0; i < UX_VITAL_RATINGS; i++) {
        ux_report_put_count(vital, ux_report_ratings[i], counts[i]);
    }

    ux_report_put_rate(vital, "good_share", counts[UX_VITAL_GOOD], all);

    if (all == 0) {
        ux_report_put_nulls(vital, "p75 rating");
        return;
    }

    ux_report_put_p75(vital, view, first, metric);

    rating = 0;
    seen = counts[0];

    while (seen < all - all / 4 && rating + 1 < UX_VITAL_RATINGS) {
        rating++;
        seen += counts[rating];
    }

    ux_json_string(vital, "rating",
                   ux_report_word(ux_report_ratings, UX_VITAL_RATINGS,
                                  rating));
}


static void
ux_report_put_p75(ux_json_t *vital, const ux_result_t *view, uint32_t first,
    unsigned metric)
{
    double       steps;
    ux_timing_t  timing;

    ux_timing_read(&view->store->counter, first + UX_TIMINGS_VITAL(metric),
                   &timing);
    ux_timing_settle(&timing);

    steps = ux_histogram_quantile(UX_TIMING_BITS, timing.buckets,
                                  UX_TIMING_BUCKETS, 0.75);

    ux_json_number(vital, "p75", ux_vital_value((ux_vital_e) metric, steps));
}
