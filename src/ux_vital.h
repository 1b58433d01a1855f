
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

/* Digits behind the point of value_e4. */
#define UX_VITAL_SCALE  4


#endif
