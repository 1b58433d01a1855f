
/*
 * Copyright (C) the nginx-ux authors
 *
 * What a change of the configuration means for an experiment: does it open an
 * epoch, does it restart the primary result, and whom does it move.
 *
 * Movers.  Every key draws an exponential E_j of rate 1 for each variant name,
 * independent of one another and of all but the salt; variant i wins under
 * weights w when E_i / w_i is the smallest.  It wins under w and under w' too
 * when, for every other j,
 *
 *   E_j > E_i w_j / w_i   and   E_j > E_i w'_j / w'_i,
 *   that is  E_j > E_i m_j   with   m_j = max(w_j / w_i, w'_j / w'_i).
 *
 * Given E_i = x, that has the probability exp(-x sum m_j), and over x
 *
 *   P(i under both) = integral of exp(-x) exp(-x sum m_j) dx
 *                   = 1 / (1 + sum m_j).
 *
 * A variant that one side does not have, or has at weight 0, never wins there
 * and hinders nobody: its weight is 0.  Enrolment is one u below two limits, a
 * layer one u in two ranges: both are nested or overlap where the hash is the
 * same, and are independent where salt or layer differ.  No layer is the range
 * of all.
 */

#include "ux_experiment.h"
#include "ux_hash.h"

#include <math.h>
#include <string.h>


/* Shares are told apart to 2^-40, far finer than any traffic shows. */
#define UX_SHARE_UNITS  1099511627776.0


static const ux_variant_t *ux_experiment_variant(const ux_experiment_t *e,
    ux_str_t name);
static double ux_experiment_weight(const ux_experiment_t *e, ux_str_t name);
static double ux_experiment_sum(const ux_experiment_t *e);
static uint64_t ux_experiment_share(double weight, double sum);
static double ux_experiment_admitted(const ux_experiment_t *e);
static double ux_experiment_admitted_both(const ux_experiment_t *was,
    const ux_experiment_t *now);
static double ux_experiment_range(const ux_experiment_t *e);
static double ux_experiment_range_both(const ux_experiment_t *was,
    const ux_experiment_t *now);
static double ux_experiment_stay(const ux_experiment_t *was,
    const ux_experiment_t *now, ux_str_t name);
static double ux_experiment_others(const ux_experiment_t *was,
    const ux_experiment_t *now, ux_str_t name);
static uint64_t ux_experiment_str(ux_str_t s);
static uint64_t ux_experiment_bits(double value);


/*
 * Variants are summed, not chained: addition does not mind the order of the
 * lines, and names are unique, so no two terms cancel by design.
 */
uint64_t
ux_experiment_fingerprint(const ux_experiment_t *e)
{
    double    total;
    unsigned  i;
    uint64_t  sum, term[4], all[7];

    sum = 0;
    total = ux_experiment_sum(e);

    for (i = 0; i < e->nvariants; i++) {
        term[0] = ux_experiment_str(e->variants[i].name);
        term[1] = ux_experiment_share(e->variants[i].weight, total);
        term[2] = (e->variants[i].weight > 0);
        term[3] = (i == 0);

        sum += ux_hash64(term, sizeof(term));
    }

    all[0] = ux_experiment_str(e->salt);
    all[1] = ux_experiment_bits(e->traffic);
    all[2] = ux_experiment_str(e->layer);
    all[3] = e->layer.len ? ux_experiment_bits(e->layer_lo) : 0;
    all[4] = e->layer.len ? ux_experiment_bits(e->layer_hi) : 0;
    all[5] = e->targeting;
    all[6] = sum;

    return ux_hash64(all, sizeof(all));
}


/* Goals are summed for the same reason. */
uint64_t
ux_experiment_analysis(const ux_experiment_t *e, const ux_str_t *events)
{
    unsigned            i;
    uint64_t            sum, term[3], all[6];
    const ux_metric_t  *metric;

    static const ux_str_t  revenue = ux_str("revenue");

    sum = 0;

    for (i = 0; i < e->nmetrics; i++) {
        metric = &e->metrics[i];

        if (metric->role != UX_ROLE_GOAL) {
            continue;
        }

        term[0] = ux_experiment_str(metric->event == UX_METRIC_REVENUE
                                    ? revenue : events[metric->event]);
        term[1] = (uint64_t) metric->type * 2
                  + (metric->event == UX_METRIC_REVENUE);
        term[2] = metric->lower_is_better;

        sum += ux_hash64(term, sizeof(term));
    }

    all[0] = ux_experiment_bits(e->alpha);
    all[1] = e->planned;
    all[2] = e->window_ms;
    all[3] = (uint64_t) e->cap;
    all[4] = e->nvariants ? ux_experiment_str(e->variants[0].name) : 0;
    all[5] = sum;

    return ux_hash64(all, sizeof(all));
}


double
ux_experiment_movers(const ux_experiment_t *was, const ux_experiment_t *now)
{
    double    both, stay, moved;
    unsigned  i;

    both = ux_experiment_admitted_both(was, now);
    stay = 0;

    for (i = 0; i < was->nvariants; i++) {
        stay += ux_experiment_stay(was, now, was->variants[i].name);
    }

    /* admitted by one only, or by both, to other variants */

    moved = ux_experiment_admitted(was) - both
            + ux_experiment_admitted(now) - both
            + both * (1 - stay);

    return moved < 0 ? 0 : moved > 1 ? 1 : moved;
}


static const ux_variant_t *
ux_experiment_variant(const ux_experiment_t *e, ux_str_t name)
{
    unsigned  i;

    for (i = 0; i < e->nvariants; i++) {
        if (ux_str_equal(e->variants[i].name, name)) {
            return &e->variants[i];
        }
    }

    return NULL;
}


/* 0 for a variant that is not there. */
static double
ux_experiment_weight(const ux_experiment_t *e, ux_str_t name)
{
    const ux_variant_t  *v;

    v = ux_experiment_variant(e, name);

    return v != NULL ? v->weight : 0;
}


static double
ux_experiment_sum(const ux_experiment_t *e)
{
    double    sum;
    unsigned  i;

    sum = 0;

    for (i = 0; i < e->nvariants; i++) {
        sum += e->variants[i].weight;
    }

    return sum;
}


static uint64_t
ux_experiment_share(double weight, double sum)
{
    return sum > 0 ? (uint64_t) llrint(weight / sum * UX_SHARE_UNITS) : 0;
}


static double
ux_experiment_admitted(const ux_experiment_t *e)
{
    return ux_experiment_range(e) * e->traffic;
}


static double
ux_experiment_admitted_both(const ux_experiment_t *was,
    const ux_experiment_t *now)
{
    double  enrolled;

    if (ux_str_equal(was->salt, now->salt)) {
        enrolled = fmin(was->traffic, now->traffic);

    } else {
        enrolled = was->traffic * now->traffic;
    }

    return enrolled * ux_experiment_range_both(was, now);
}


static double
ux_experiment_range(const ux_experiment_t *e)
{
    return e->layer.len ? e->layer_hi - e->layer_lo : 1;
}


static double
ux_experiment_range_both(const ux_experiment_t *was,
    const ux_experiment_t *now)
{
    if (was->layer.len && ux_str_equal(was->layer, now->layer)) {
        return fmax(0, fmin(was->layer_hi, now->layer_hi)
                       - fmax(was->layer_lo, now->layer_lo));
    }

    return ux_experiment_range(was) * ux_experiment_range(now);
}


/* Probability of this variant on both sides, for whom both admit. */
static double
ux_experiment_stay(const ux_experiment_t *was, const ux_experiment_t *now,
    ux_str_t name)
{
    double  w_was, w_now;

    w_was = ux_experiment_weight(was, name);
    w_now = ux_experiment_weight(now, name);

    if (!(w_was > 0 && w_now > 0)) {
        return 0;
    }

    if (!ux_str_equal(was->salt, now->salt)) {
        return w_was / ux_experiment_sum(was)
               * (w_now / ux_experiment_sum(now));
    }

    return 1 / (1 + ux_experiment_others(was, now, name));
}


/* The sum of m_j over all other variants of either side. */
static double
ux_experiment_others(const ux_experiment_t *was, const ux_experiment_t *now,
    ux_str_t name)
{
    double    sum, w_was, w_now;
    unsigned  i;
    ux_str_t  other;

    sum = 0;
    w_was = ux_experiment_weight(was, name);
    w_now = ux_experiment_weight(now, name);

    for (i = 0; i < was->nvariants; i++) {
        other = was->variants[i].name;

        if (!ux_str_equal(other, name)) {
            sum += fmax(was->variants[i].weight / w_was,
                        ux_experiment_weight(now, other) / w_now);
        }
    }

    for (i = 0; i < now->nvariants; i++) {
        other = now->variants[i].name;

        if (ux_experiment_variant(was, other) == NULL) {
            sum += now->variants[i].weight / w_now;
        }
    }

    return sum;
}


static uint64_t
ux_experiment_str(ux_str_t s)
{
    return ux_hash64(s.data, s.len);
}


static uint64_t
ux_experiment_bits(double value)
{
    uint64_t  bits;

    memcpy(&bits, &value, sizeof(bits));

    return bits;
}
