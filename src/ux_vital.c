
/*
 * Copyright (C) the nginx-ux authors
 *
 * Metrics of "web-vitals": their names, and what is good.
 *
 * Histograms count in whole steps that are small enough: from 3.2 ms and, of
 * CLS, from 0.0032 on the width of their buckets is what limits, not the step.
 */

#include "ux_vital.h"


static const ux_str_t  ux_vital_names[UX_VITALS] = {
    ux_str("LCP"),
    ux_str("INP"),
    ux_str("CLS"),
    ux_str("FCP"),
    ux_str("TTFB")
};

/* Milliseconds; of CLS 10^-4. */
static const struct {
    int32_t  good;                 /* up to here, included */
    int32_t  fair;                 /* likewise; what is more is poor */
    int32_t  scale;                /* of these, in 10^-4 */
    int32_t  step;                 /* of a histogram, in 10^-4 */
}  ux_vital_rules[UX_VITALS] = {
    [UX_VITAL_LCP] = { 2500, 4000, 10000, 1000 },
    [UX_VITAL_INP] = { 200, 500, 10000, 1000 },
    [UX_VITAL_CLS] = { 1000, 2500, 1, 1 },
    [UX_VITAL_FCP] = { 1800, 3000, 10000, 1000 },
    [UX_VITAL_TTFB] = { 800, 1800, 10000, 1000 }
};


ux_vital_e
ux_vital_find(ux_str_t name)
{
    unsigned  i;

    for (i = 0; i < UX_VITALS; i++) {
        if (ux_str_equal(ux_vital_names[i], name)) {
            break;
        }
    }

    return (ux_vital_e) i;
}


const char *
ux_vital_name(unsigned metric)
{
    return metric < UX_VITALS ? ux_vital_names[metric].data : NULL;
}


ux_vital_rating_e
ux_vital_rate(ux_vital_e metric, int64_t value_e4)
{
    int64_t  scale;

    scale = ux_vital_rules[metric].scale;

    if (value_e4 <= ux_vital_rules[metric].good * scale) {
        return UX_VITAL_GOOD;
    }

    return value_e4 <= ux_vital_rules[metric].fair * scale
           ? UX_VITAL_NEEDS_IMPROVEMENT : UX_VITAL_POOR;
}


uint64_t
ux_vital_steps(ux_vital_e metric, int64_t value_e4)
{
    uint64_t  step;

    if (value_e4 <= 0) {
        return 0;
    }

    step = (uint64_t) ux_vital_rules[metric].step;

    return ((uint64_t) value_e4 + step / 2) / step;
}


double
ux_vital_value(ux_vital_e metric, double steps)
{
    return steps * ux_vital_rules[metric].step / 10000;
}
