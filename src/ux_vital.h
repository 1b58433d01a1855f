
/*
 * Copyright (C) the nginx-ux authors
 *
 * What a page tells of how it felt: the metrics of the npm library
 * "web-vitals".
 */

#ifndef UX_VITAL_H
#define UX_VITAL_H


#include "ux_base.h"


typedef enum {
    UX_VITAL_LCP = 0,
    UX_VITAL_INP,
    UX_VITAL_CLS,
    UX_VITAL_FCP,
    UX_VITAL_TTFB,
    UX_VITALS
} ux_vital_e;


/* As the library's own ratings. */
typedef enum {
    UX_VITAL_GOOD = 0,
    UX_VITAL_NEEDS_IMPROVEMENT,
    UX_VITAL_POOR,
    UX_VITAL_RATINGS
} ux_vital_rating_e;


/* value_e4 and delta_e4: 10^-4 milliseconds; of CLS, which has no unit,
 * 10^-4. */
typedef struct {
    uint64_t    id_hash;       /* of one metric of one page view: what comes
                                  with it again replaces; 0: none came */
    int64_t     value_e4;      /* >= 0 */
    int64_t     delta_e4;      /* since it was told last; may be negative */
    ux_vital_e  metric;
    bool        has_delta;
} ux_vital_t;


/* The metric of this name, "LCP", or UX_VITALS: there is none. */
ux_vital_e ux_vital_find(ux_str_t name);

/* Names, as "LCP"; NULL: there is no such metric. */
const char *ux_vital_name(unsigned metric);

/*
 * Google's thresholds (web.dev/articles/vitals), as web-vitals applies them: a
 * value up to the first is good, one above the second poor.
 */
ux_vital_rating_e ux_vital_rate(ux_vital_e metric, int64_t value_e4);

/* In what histograms count: 0.1 ms, of CLS 0.0001; rounded, 0 or more. */
uint64_t ux_vital_steps(ux_vital_e metric, int64_t value_e4);

/* The same back, in milliseconds or, of CLS, as it is. */
double ux_vital_value(ux_vital_e metric, double steps);

/* Digits behind the point of value_e4. */
#define UX_VITAL_SCALE  4


#endif
