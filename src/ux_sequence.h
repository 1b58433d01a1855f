
/*
 * Copyright (C) the nginx-ux authors
 *
 * The asymptotic confidence sequence on the difference of two means
 * (Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, arXiv 2103.06476; Robbins
 * 1970; Howard et al. 2021): right at every look at once.
 */

#ifndef UX_SEQUENCE_H
#define UX_SEQUENCE_H


#include "ux_stats.h"


/*
 * rho^2 = (-2 ln alpha + ln(1 - 2 ln alpha)) / n_star.  n_star: visitors of
 * the pair at which decisions are usually taken.  NaN for alpha outside (0, 1)
 * or n_star not above 0.
 */
double ux_sequence_rho2(double alpha, double n_star);

/*
 * z_seq = sqrt(2 (q + 1)/q ln(sqrt(q + 1)/level)), q = total rho^2: the
 * interval d +- z_seq se has the always-valid level.  rho2 is that of the
 * experiment's alpha whatever `level` is.
 */
double ux_sequence_z(double total, double rho2, double level);

/*
 * log-e = q/(q + 1) (d/se)^2 / 2 - ln(1 + q) / 2.  error is se^2.  NaN where
 * se is 0 or undefined.
 */
double ux_sequence_log_e(double difference, double error, double total,
    double rho2);

/* min(1, exp(-log_e)); NaN stays NaN. */
double ux_sequence_p(double log_e);


/* One metric in one arm of one stratum (an epoch). */
typedef struct {
    uint64_t       visitors;
    ux_estimate_t  estimate;
    uint64_t       converters;     /* visitors with the metric's event */
} ux_sample_t;

typedef struct {
    ux_sample_t    a;              /* control */
    ux_sample_t    b;
    double         share_a;        /* of the epoch, not used here: any */
    double         share_b;        /*   positive multiples */
} ux_stratum_t;

/* Of the strata that are in. */
typedef struct {
    unsigned       used;           /* how many */
    uint64_t       visitors_a;
    uint64_t       visitors_b;
    uint64_t       converters_a;
    uint64_t       converters_b;
    ux_estimate_t  a;              /* weighted: sum W m, sum W^2 e */
    ux_estimate_t  b;
    double         difference;     /* b.mean - a.mean */
    double         error;          /* a.error + b.error */
} ux_pooled_t;

/* Fewer visitors than this in either arm leave a stratum out. */
#define UX_STRATUM_VISITORS_MIN  2

/*
 * Overlap weights W_h proportional to n_Ah n_Bh / (n_Ah + n_Bh), summing to 1
 * (Crump, Hotz, Imbens, Mitnik 2009).  used[h] (may be NULL) says whether
 * stratum h is in; one with an undefined estimate is not.  None in: NaN all.
 */
ux_pooled_t ux_sequence_stratify(const ux_stratum_t *strata, unsigned n,
    bool *used);


#endif
