
/*
 * Copyright (C) the nginx-ux authors
 *
 * A variant against the control in one metric, as often as somebody looks:
 * the engine between the statistics and what /uxstats says.  The module, the
 * simulations and the tests all come through here.  Pure.
 *
 *   counts -> sample -> comparison (this look) -> evidence (kept) -> decision
 */

#ifndef UX_COMPARE_H
#define UX_COMPARE_H


#include "ux_sequence.h"
#include "ux_split.h"


/* Below these, in the epochs that are in, no look is recorded. */
#define UX_GATE_CONVERTERS  25     /* and non-converters, in either arm */
#define UX_GATE_VISITORS    500    /* of the pair */


/* Converters beyond visitors give an undefined estimate. */
ux_sample_t ux_sample_conversion(uint64_t visitors, uint64_t converters);

/* Sums in units of 1/scale: minor units of a currency, 1 for counts. */
ux_sample_t ux_sample_mean(uint64_t visitors, uint64_t converters,
    int64_t sum, ux_u128_t squares, double scale);


/* How an experiment is to be analysed. */
typedef struct {
    double    alpha;
    uint64_t  planned;             /* N*: visitors of the pair */
    double    level;               /* of this comparison's intervals: alpha
                                      over the family's size */
} ux_analysis_t;


/* Of the counts as they are now. */
typedef struct {
    ux_stats_status_e  status;
    bool               gate;       /* met; below it no sequence is shown */
    bool               conversion;
    ux_pooled_t        pooled;     /* of the epochs that are in */
    double             lift;
    double             log_e;      /* NaN below the gate */
    double             p_now;
    ux_interval_t      difference_ci;      /* NaN below the gate; unbounded:
                                              infinite */
    ux_interval_t      lift_ci;            /* NaN likewise and for g >= 1 */
    double             exact_log_e;        /* NaN unless a conversion */
} ux_comparison_t;

/*
 * used[h] (may be NULL) says which epochs are in.  conversion: the exact test
 * is of use, converters are labels.
 */
ux_comparison_t ux_compare(const ux_stratum_t *epochs, unsigned n, bool *used,
    bool conversion, const ux_analysis_t *analysis);

/* Only what a look needs: log_e, exact_log_e, status, gate, pooled. */
ux_comparison_t ux_compare_look(const ux_stratum_t *epochs, unsigned n,
    bool conversion, const ux_analysis_t *analysis);


/* The intervals alone, at another level. */
void ux_compare_intervals(ux_comparison_t *now,
    const ux_analysis_t *analysis);


/*
 * What is kept of a comparison from look to look, in the zone; all zero
 * before the first one.
 */
typedef struct {
    double    log_e;               /* maximum over recorded looks */
    double    exact_log_e;         /* likewise; 0 before */
    uint64_t  looked_ms;           /* when that maximum was; 0: no look was
                                      recorded */
    uint64_t  significant_ms;      /* first time it was; 0: never */
    int64_t   sign;                /* of the difference at the maximum */
    uint64_t  fixed_visitors;      /* of the pair when the fixed-horizon panel
                                      was frozen; 0: not yet */
    double    fixed_p;
    double    fixed_lo;
    double    fixed_hi;
} ux_evidence_t;

_Static_assert(sizeof(ux_evidence_t) == 72, "evidence");

/*
 * Records a look: only when all is quiet (sample ratio and confirmation) and,
 * but for the exact test, the gate is met.  Freezes the fixed-horizon panel,
 * gate or not, when the pair first reaches the planned size.  Returns whether
 * anything changed.
 */
bool ux_evidence_look(ux_evidence_t *evidence, const ux_comparison_t *now,
    bool quiet, const ux_analysis_t *analysis, const ux_fixed_t *fixed,
    uint64_t now_ms);

/* The running minimum of p; NaN before the first look. */
double ux_evidence_p(const ux_evidence_t *evidence);
double ux_evidence_exact_p(const ux_evidence_t *evidence);

/*
 * Significant now: adjusted below alpha, the difference has the sign it had
 * at the maximum, gate met, quiet, and the minimum runtime has passed.
 */
bool ux_evidence_significant(const ux_evidence_t *evidence,
    const ux_comparison_t *now, double p_adjusted, bool quiet,
    bool runtime_met, double alpha);

/*
 * At a fixed horizon: a single epoch by pooled z and Newcombe (conversion) or
 * Welch (mean), several by the stratified difference.
 */
ux_fixed_t ux_compare_fixed(const ux_stratum_t *epochs, unsigned n,
    const ux_comparison_t *now, double alpha);


#endif
