
/*
 * Copyright (C) the nginx-ux authors
 *
 * Many comparisons at once.  Arrays of n <= UX_MULTIPLE_MAX; NaN among the
 * values counts as p = 1, e = 0 and stays NaN in the result.  The result may
 * take the place of the values.
 */

#ifndef UX_MULTIPLE_H
#define UX_MULTIPLE_H


#include "ux_base.h"


#define UX_MULTIPLE_MAX  4096


/*
 * Holm 1979: adjusted_(i) = max over j <= i of min(1, (n - j + 1) p_(j)).  On
 * running minima of always-valid p it holds at all times at once.  UX_FULL
 * for too many: adjusted is then untouched.
 */
ux_status_t ux_multiple_holm(const double *p, unsigned n, double *adjusted);

/* Benjamini and Hochberg 1995: min over j >= i of min(1, n p_(j) / j). */
ux_status_t ux_multiple_bh(const double *p, unsigned n, double *adjusted);

/*
 * e-BH (Wang and Ramdas 2022) from log e values, under any dependence: the
 * level at which each is rejected first, min over j >= rank of
 * min(1, n / (j e_(j))); rejected at alpha iff adjusted <= alpha.
 */
ux_status_t ux_multiple_e_bh(const double *log_e, unsigned n,
    double *adjusted);


#endif
