
/*
 * Copyright (C) the nginx-ux authors
 *
 * Comparing a variant with the control.
 *
 * A look costs a few logarithms and nothing that grows with visitors:
 * everything comes out of counts.  What is kept from look to look is the
 * largest log-e and the sign it had; the smallest p follows from it and can
 * only fall.  Looks below the gate are never recorded: the sequence is
 * asymptotic, and early values that are recorded and merely hidden would come
 * out as significant later.
 */

#include "ux_compare.h"

#include <math.h>


static ux_comparison_t ux_compare_start(const ux_stratum_t *epochs,
    unsigned n, bool *used, bool conversion);
static bool ux_compare_gate(const ux_pooled_t *pooled);
static ux_stats_status_e ux_compare_status(const ux_comparison_t *now);
static void ux_compare_sequence(ux_comparison_t *now,
    const ux_analysis_t *analysis);
static double ux_compare_total(const ux_comparison_t *now);
static ux_fixed_t ux_compare_single(const ux_stratum_t *epoch,
    bool conversion, double alpha);
static bool ux_evidence_freeze(ux_evidence_t *evidence,
    const ux_comparison_t *now, const ux_analysis_t *analysis,
    const ux_fixed_t *fixed);


ux_sample_t
ux_sample_conversion(uint64_t visitors, uint64_t converters)
{
    ux_sample_t  sample;

    sample.visitors = visitors;
    sample.converters = converters;
    sample.estimate = ux_stats_proportion(converters, visitors);

    return sample;
}


ux_sample_t
ux_sample_mean(uint64_t visitors, uint64_t converters, int64_t sum,
    ux_u128_t squares, double scale)
{
    double       variance;
    ux_sample_t  sample;

    sample.visitors = visitors;
    sample.converters = converters;

    variance = ux_stats_variance(visitors, sum, squares);

    /* Scaled inside, for one rounding. */

    sample.estimate.mean = ux_stats_mean(visitors * (uint64_t) scale, sum);
    sample.estimate.error = variance / (double) visitors / (scale * scale);

    return sample;
}


ux_comparison_t
ux_compare(const ux_stratum_t *epochs, unsigned n, bool *used,
    bool conversion, const ux_analysis_t *analysis)
{
    ux_comparison_t  now;

    now = ux_compare_start(epochs, n, used, conversion);

    ux_compare_sequence(&now, analysis);
    ux_compare_intervals(&now, analysis);

    return now;
}


ux_comparison_t
ux_compare_look(const ux_stratum_t *epochs, unsigned n, bool conversion,
    const ux_analysis_t *analysis)
{
    ux_comparison_t  now;

    now = ux_compare_start(epochs, n, NULL, conversion);

    ux_compare_sequence(&now, analysis);

    return now;
}


static ux_comparison_t
ux_compare_start(const ux_stratum_t *epochs, unsigned n, bool *used,
    bool conversion)
{
    ux_comparison_t  now;

    now.conversion = conversion;
    now.pooled = ux_sequence_stratify(epochs, n, used);
    now.gate = ux_compare_gate(&now.pooled);
    now.lift = ux_stats_lift(now.pooled.a.mean, now.pooled.b.mean);
    now.status = ux_compare_status(&now);

    now.exact_log_e = conversion
                      ? ux_split_conversions(epochs, n, UX_SPLIT_CONVERSIONS)
                      : NAN;

    now.difference_ci.lo = NAN;
    now.difference_ci.hi = NAN;
    now.lift_ci = now.difference_ci;

    return now;
}


static bool
ux_compare_gate(const ux_pooled_t *pooled)
{
    return pooled->converters_a >= UX_GATE_CONVERTERS
           && pooled->converters_b >= UX_GATE_CONVERTERS
           && pooled->visitors_a
              >= pooled->converters_a + UX_GATE_CONVERTERS
           && pooled->visitors_b
              >= pooled->converters_b + UX_GATE_CONVERTERS
           && pooled->visitors_a + pooled->visitors_b >= UX_GATE_VISITORS;
}


static ux_stats_status_e
ux_compare_status(const ux_comparison_t *now)
{
    const ux_pooled_t  *pooled;

    pooled = &now->pooled;

    if (pooled->used == 0 || pooled->converters_a + pooled->converters_b == 0)
    {
        return UX_STATS_INSUFFICIENT;
    }

    if (pooled->a.mean == 0) {
        return UX_STATS_BASELINE_ZERO;
    }

    if (!(pooled->error > 0)) {
        return UX_STATS_ZERO_VARIANCE;
    }

    return now->gate ? UX_STATS_OK : UX_STATS_INSUFFICIENT;
}


static void
ux_compare_sequence(ux_comparison_t *now, const ux_analysis_t *analysis)
{
    double  rho2;

    now->log_e = NAN;

    if (now->gate) {
        rho2 = ux_sequence_rho2(analysis->alpha, (double) analysis->planned);
        now->log_e = ux_sequence_log_e(now->pooled.difference,
                                       now->pooled.error,
                                       ux_compare_total(now), rho2);
    }

    now->p_now = ux_sequence_p(now->log_e);
}


void
ux_compare_intervals(ux_comparison_t *now, const ux_analysis_t *analysis)
{
    double  rho2, z, half;

    if (!now->gate || !(now->pooled.error > 0)) {
        return;
    }

    rho2 = ux_sequence_rho2(analysis->alpha, (double) analysis->planned);
    z = ux_sequence_z(ux_compare_total(now), rho2, analysis->level);
    half = z * sqrt(now->pooled.error);

    now->difference_ci.lo = now->pooled.difference - half;
    now->difference_ci.hi = now->pooled.difference + half;
    now->lift_ci = ux_stats_fieller(now->pooled.a, now->pooled.b, z, NULL);
}


static double
ux_compare_total(const ux_comparison_t *now)
{
    return (double) now->pooled.visitors_a + (double) now->pooled.visitors_b;
}


ux_fixed_t
ux_compare_fixed(const ux_stratum_t *epochs, unsigned n,
    const ux_comparison_t *now, double alpha)
{
    unsigned  i;

    if (now->pooled.used == 1) {

        for (i = 0; i < n; i++) {

            if (epochs[i].a.visitors == now->pooled.visitors_a
                && epochs[i].b.visitors == now->pooled.visitors_b)
            {
                return ux_compare_single(&epochs[i], now->conversion, alpha);
            }
        }
    }

    return ux_stats_normal(now->pooled.difference, now->pooled.error, alpha);
}


static ux_fixed_t
ux_compare_single(const ux_stratum_t *epoch, bool conversion, double alpha)
{
    if (conversion) {
        return ux_stats_two_proportions(epoch->a.converters,
                                        epoch->a.visitors,
                                        epoch->b.converters,
                                        epoch->b.visitors, alpha);
    }

    return ux_stats_welch(epoch->a.visitors, epoch->a.estimate,
                          epoch->b.visitors, epoch->b.estimate, alpha);
}


bool
ux_evidence_look(ux_evidence_t *evidence, const ux_comparison_t *now,
    bool quiet, const ux_analysis_t *analysis, const ux_fixed_t *fixed,
    uint64_t now_ms)
{
    bool     changed;
    int64_t  sign;

    /* The planned end comes once, however it finds things. */

    changed = ux_evidence_freeze(evidence, now, analysis, fixed);

    if (!quiet) {
        return changed;
    }

    /* Exact from the first label on: no gate. */

    if (now->exact_log_e > evidence->exact_log_e) {
        evidence->exact_log_e = now->exact_log_e;
        changed = true;
    }

    if (!now->gate || !isfinite(now->log_e)) {
        return changed;
    }

    if (evidence->looked_ms == 0 || now->log_e > evidence->log_e) {
        evidence->log_e = now->log_e;
        evidence->looked_ms = now_ms;
        changed = true;

        sign = (now->pooled.difference > 0) - (now->pooled.difference < 0);

        /* What was significant the other way round is another finding. */

        if (sign != evidence->sign) {
            evidence->sign = sign;
            evidence->significant_ms = 0;
        }
    }

    return changed;
}


static bool
ux_evidence_freeze(ux_evidence_t *evidence, const ux_comparison_t *now,
    const ux_analysis_t *analysis, const ux_fixed_t *fixed)
{
    uint64_t  total;

    total = now->pooled.visitors_a + now->pooled.visitors_b;

    if (evidence->fixed_visitors != 0 || fixed == NULL
        || analysis->planned == 0 || total < analysis->planned)
    {
        return false;
    }

    evidence->fixed_visitors = total;
    evidence->fixed_p = fixed->p;
    evidence->fixed_lo = fixed->ci.lo;
    evidence->fixed_hi = fixed->ci.hi;

    return true;
}


double
ux_evidence_p(const ux_evidence_t *evidence)
{
    return evidence->looked_ms != 0 ? ux_sequence_p(evidence->log_e) : NAN;
}


double
ux_evidence_exact_p(const ux_evidence_t *evidence)
{
    return ux_sequence_p(evidence->exact_log_e);
}


bool
ux_evidence_significant(const ux_evidence_t *evidence,
    const ux_comparison_t *now, double p_adjusted, bool quiet,
    bool runtime_met, double alpha)
{
    double  difference;

    difference = now->pooled.difference;

    return evidence->looked_ms != 0 && now->gate && quiet && runtime_met
           && p_adjusted < alpha
           && ((evidence->sign > 0 && difference > 0)
               || (evidence->sign < 0 && difference < 0));
}
