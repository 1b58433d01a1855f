
/*
 * Copyright (C) the nginx-ux authors
 *
 * Holm steps down: a running maximum from the smallest p on.  Benjamini and
 * Hochberg step up: a running minimum from the largest.  An index is sorted by
 * heap: nothing is allocated, and n log n whatever the order.
 */

#include "ux_multiple.h"

#include <math.h>


/*
 * An e of exactly n / (j alpha) rejects, though its logarithm was rounded:
 * levels are brought down by more than that can cost.
 */
#define UX_E_BH_ROUNDING  0x1p-43


static void ux_multiple_rank(const double *p, unsigned n, uint16_t *order);
static void ux_multiple_sift(const double *p, uint16_t *order, unsigned root,
    unsigned n);
static double ux_multiple_value(double p);


ux_status_t
ux_multiple_holm(const double *p, unsigned n, double *adjusted)
{
    double    highest;
    unsigned  i, at;
    uint16_t  order[UX_MULTIPLE_MAX];

    if (n > UX_MULTIPLE_MAX) {
        return UX_FULL;
    }

    ux_multiple_rank(p, n, order);
    highest = 0;

    for (i = 0; i < n; i++) {
        at = order[i];
        highest = fmax(highest, (n - i) * ux_multiple_value(p[at]));
        adjusted[at] = isnan(p[at]) ? NAN : fmin(1, highest);
    }

    return UX_OK;
}


ux_status_t
ux_multiple_bh(const double *p, unsigned n, double *adjusted)
{
    double    lowest;
    unsigned  i, at;
    uint16_t  order[UX_MULTIPLE_MAX];

    if (n > UX_MULTIPLE_MAX) {
        return UX_FULL;
    }

    ux_multiple_rank(p, n, order);
    lowest = 1;

    for (i = n; i > 0; i--) {
        at = order[i - 1];
        lowest = fmin(lowest, n * ux_multiple_value(p[at]) / i);
        adjusted[at] = isnan(p[at]) ? NAN : lowest;
    }

    return UX_OK;
}


/*
 * The step-up of 1/e: values above 1 are never the minimum.  In place: each p
 * is last read before it is replaced.
 */
ux_status_t
ux_multiple_e_bh(const double *log_e, unsigned n, double *adjusted)
{
    unsigned  i;

    if (n > UX_MULTIPLE_MAX) {
        return UX_FULL;
    }

    for (i = 0; i < n; i++) {
        adjusted[i] = exp(-log_e[i]);
    }

    (void) ux_multiple_bh(adjusted, n, adjusted);

    for (i = 0; i < n; i++) {
        if (adjusted[i] < 1) {
            adjusted[i] -= adjusted[i] * UX_E_BH_ROUNDING;
        }
    }

    return UX_OK;
}


/* order: indexes of p, the smallest first. */
static void
ux_multiple_rank(const double *p, unsigned n, uint16_t *order)
{
    unsigned  i;
    uint16_t  top;

    for (i = 0; i < n; i++) {
        order[i] = (uint16_t) i;
    }

    for (i = n / 2; i > 0; i--) {
        ux_multiple_sift(p, order, i - 1, n);
    }

    for (i = n; i > 1; i--) {
        top = order[0];
        order[0] = order[i - 1];
        order[i - 1] = top;
        ux_multiple_sift(p, order, 0, i - 1);
    }
}


/* The largest of order[0 .. n - 1] rises to the root. */
static void
ux_multiple_sift(const double *p, uint16_t *order, unsigned root, unsigned n)
{
    unsigned  child;
    uint16_t  sinking;

    sinking = order[root];

    for (child = 2 * root + 1; child < n; child = 2 * root + 1) {
        if (child + 1 < n
            && ux_multiple_value(p[order[child]])
               < ux_multiple_value(p[order[child + 1]]))
        {
            child++;
        }

        if (ux_multiple_value(p[order[child]])
            <= ux_multiple_value(p[sinking]))
        {
            break;
        }

        order[root] = order[child];
        root = child;
    }

    order[root] = sinking;
}


static double
ux_multiple_value(double p)
{
    return isnan(p) ? 1 : p;
}
