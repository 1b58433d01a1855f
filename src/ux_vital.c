
/*
 * Copyright (C) the nginx-ux authors
 *
 * Names of the metrics of "web-vitals".
 */

#include "ux_vital.h"


static const ux_str_t  ux_vital_names[UX_VITALS] = {
    ux_str("LCP"),
    ux_str("INP"),
    ux_str("CLS"),
    ux_str("FCP"),
    ux_str("TTFB")
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
