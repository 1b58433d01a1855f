
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_compare: two arms from counts to a decision.  Reference values are from
 * the formulas with 50 decimal digits.
 */

#include "ux_compare.h"
#include "tap.h"

#include <math.h>
#include <string.h>


static void test_samples(void);
static void test_gate(void);
static void test_gate_of_epochs(void);
static void test_status(void);
static void test_values(void);
static void test_unbounded(void);
static void test_agreement(void);
static void test_epochs(void);
static void test_epochs_left_out(void);
static void test_phantom(void);
static void test_look(void);
static void test_evidence_gate(void);
static void test_evidence_minimum(void);
static void test_evidence_quiet(void);
static void test_evidence_exact(void);
static void test_sign(void);
static void test_significant(void);
static void test_freeze(void);
static void test_fixed(void);
static void look(ux_evidence_t *evidence, uint64_t x_a, uint64_t x_b,
    uint64_t now_ms);
static ux_comparison_t compare(uint64_t n_a, uint64_t x_a, uint64_t n_b,
    uint64_t x_b);
static ux_stratum_t stratum(uint64_t n_a, uint64_t x_a, uint64_t n_b,
    uint64_t x_b);
static bool unchanged(const ux_evidence_t *evidence, const ux_evidence_t *was);
static bool near(double value, double expected);


static const ux_analysis_t  plan = { 0.05, 10000, 0.05 };


int
main(void)
{
    test_samples();
    test_gate();
    test_gate_of_epochs();
    test_status();
    test_values();
    test_unbounded();
    test_agreement();
    test_epochs();
    test_epochs_left_out();
    test_phantom();
    test_look();
    test_evidence_gate();
    test_evidence_minimum();
    test_evidence_quiet();
    test_evidence_exact();
    test_sign();
    test_significant();
    test_freeze();
    test_fixed();

    return done();
}


static void
test_samples(void)
{
    ux_sample_t  sample;

    sample = ux_sample_conversion(400, 100);
    ok(sample.visitors == 400 && sample.converters == 100, "counts are kept");
    ok(near(sample.estimate.mean, 0.25), "rate");
    ok(near(sample.estimate.error, 0.25 * 0.75 / 400), "and its variance");

    sample = ux_sample_conversion(4, 5);
    ok(isnan(sample.estimate.mean), "more converters than visitors");

    /* 0, 0, 10.00 and 30.00: s^2 = 200 */

    sample = ux_sample_mean(4, 2, 4000, 10000000, 100);
    ok(sample.visitors == 4 && sample.converters == 2, "counts of revenue");
    ok(near(sample.estimate.mean, 10), "mean in currency units");
    ok(near(sample.estimate.error, 200.0 / 4), "its variance as well");

    sample = ux_sample_mean(4, 2, -4000, 10000000, 100);
    ok(near(sample.estimate.mean, -10), "refunds");

    sample = ux_sample_mean(1, 1, 4000, 16000000, 100);
    ok(isnan(sample.estimate.error), "no variance of one visitor");
}


static void
test_gate(void)
{
    unsigned         i;
    ux_comparison_t  now;

    static const struct {
        uint64_t     n_a;
        uint64_t     x_a;
        uint64_t     n_b;
        uint64_t     x_b;
        bool         gate;
        const char  *name;
    }  cases[] = {
        { 250, 25, 250, 25, true, "25 converters each, 500 visitors" },
        { 250, 24, 250, 25, false, "24 in the control" },
        { 250, 25, 250, 24, false, "24 in the variant" },
        { 249, 25, 250, 25, false, "499 visitors" },
        { 474, 25, 26, 1, false, "many visitors, one converter" },
        { 250, 225, 250, 225, true, "25 non-converters each" },
        { 250, 226, 250, 225, false, "24 in the control" },
        { 250, 225, 250, 226, false, "24 in the variant" },
        { 50, 25, 450, 25, true, "the fewest visitors of an arm" },
        { 49, 25, 451, 25, false, "one less" },
        { 1000000, 24, 1000000, 30, false, "rare conversions" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        now = compare(cases[i].n_a, cases[i].x_a, cases[i].n_b, cases[i].x_b);

        ok(now.gate == cases[i].gate, "gate: %s", cases[i].name);
        ok(isnan(now.log_e) == !cases[i].gate
           && isnan(now.p_now) == !cases[i].gate
           && isnan(now.difference_ci.lo) == !cases[i].gate
           && isnan(now.difference_ci.hi) == !cases[i].gate
           && isnan(now.lift_ci.lo) == !cases[i].gate,
           "the sequence goes with it: %s", cases[i].name);
        ok(!isnan(now.pooled.difference) && !isnan(now.lift),
           "the difference does not: %s", cases[i].name);
    }
}


/* What counts is the sum of the epochs, not each of them. */
static void
test_gate_of_epochs(void)
{
    ux_stratum_t     strata[3];
    ux_comparison_t  now;

    strata[0] = stratum(100, 10, 100, 10);
    strata[1] = stratum(150, 15, 150, 14);
    strata[2] = stratum(1, 1, 5000, 500);

    now = ux_compare(strata, 2, NULL, true, &plan);
    ok(!now.gate, "24 converters in two epochs");

    now = ux_compare(strata, 3, NULL, true, &plan);
    ok(!now.gate, "an epoch that is out does not help");

    strata[1] = stratum(150, 15, 150, 15);

    now = ux_compare(strata, 2, NULL, true, &plan);
    ok(now.gate, "25 in two epochs");
}


static void
test_status(void)
{
    ux_stratum_t     money;
    ux_comparison_t  now;

    ok(compare(0, 0, 0, 0).status == UX_STATS_INSUFFICIENT, "nobody");
    ok(compare(1, 1, 1, 1).status == UX_STATS_INSUFFICIENT,
       "one visitor an arm");
    ok(compare(1000, 0, 1000, 0).status == UX_STATS_INSUFFICIENT,
       "no conversions");
    ok(compare(1000, 0, 1000, 50).status == UX_STATS_BASELINE_ZERO,
       "none in the control");
    ok(compare(1000, 1000, 1000, 1000).status == UX_STATS_ZERO_VARIANCE,
       "nothing but conversions");
    ok(compare(1000, 24, 1000, 50).status == UX_STATS_INSUFFICIENT,
       "below the gate");
    ok(compare(1000, 25, 1000, 50).status == UX_STATS_OK, "ok");
    ok(compare(1000, 50, 1000, 0).status == UX_STATS_INSUFFICIENT,
       "none in the variant: below the gate");

    now = compare(1000, 0, 1000, 50);
    ok(isnan(now.lift) && near(now.pooled.difference, 0.05),
       "no lift from nothing");

    now = compare(1000, 50, 1000, 0);
    ok(now.lift == -1, "nothing is a lift of -1");

    now = ux_compare(NULL, 0, NULL, true, &plan);
    ok(now.status == UX_STATS_INSUFFICIENT && isnan(now.pooled.difference),
       "no epochs at all");

    money.a = ux_sample_mean(1000, 50, 50000, 50000000, 100);
    money.b = ux_sample_mean(1000, 60, 60000, 60000000, 100);
    money.share_a = 1;
    money.share_b = 1;

    now = ux_compare(&money, 1, NULL, false, &plan);
    ok(now.status == UX_STATS_OK && now.gate, "revenue");
    ok(near(now.pooled.difference, 0.1) && near(now.lift, 0.2),
       "revenue a visitor");
    ok(isnan(now.exact_log_e), "no exact test of it");
}


static void
test_values(void)
{
    ux_stratum_t     epoch;
    ux_analysis_t    third;
    ux_comparison_t  now;

    now = compare(20000, 1000, 20000, 1180);

    ok(near(now.pooled.difference, 0.009), "difference");
    ok(near(now.pooled.error, 5.15095e-6), "its variance");
    ok(near(now.lift, 0.18), "lift");
    ok(near(now.log_e, 5.8781382901262441), "log e: %.17g", now.log_e);
    ok(near(now.p_now, 0.0027999932006975128), "p: %.17g", now.p_now);
    ok(near(now.difference_ci.lo, 0.0019027941646631341), "difference, lo");
    ok(near(now.difference_ci.hi, 0.016097205835336866), "difference, hi");
    ok(near(now.lift_ci.lo, 0.035697462803082494), "lift, lo");
    ok(near(now.lift_ci.hi, 0.34643228607633947), "lift, hi");
    ok(now.exact_log_e > 0 && now.conversion, "the exact test is asked");

    /* A family of three: wider intervals, the same p. */

    third = plan;
    third.level = 0.05 / 3;
    epoch = stratum(20000, 1000, 20000, 1180);

    now = ux_compare(&epoch, 1, NULL, true, &third);

    ok(near(now.log_e, 5.8781382901262441), "the same log e");
    ok(near(now.difference_ci.lo, 0.0011231572957565942), "level, lo");
    ok(near(now.difference_ci.hi, 0.016876842704243406), "level, hi");
    ok(near(now.lift_ci.lo, 0.020934061326073961), "level, lift lo");
    ok(near(now.lift_ci.hi, 0.36638406522531343), "level, lift hi");
}


/* Fieller's g is at most 0.89 at the gate, above 1 for a family of ten. */
static void
test_unbounded(void)
{
    ux_stratum_t     epoch;
    ux_analysis_t    tenth;
    ux_comparison_t  now;

    now = compare(250, 25, 250, 25);

    ok(near(now.difference_ci.lo, -0.12661851546373733)
       && near(now.difference_ci.hi, 0.12661851546373733),
       "difference at the gate");
    ok(near(now.lift_ci.lo, -0.89981051077814811)
       && near(now.lift_ci.hi, 8.9810869160703777), "lift at the gate");

    tenth = plan;
    tenth.level = 0.005;
    epoch = stratum(250, 25, 250, 25);

    now = ux_compare(&epoch, 1, NULL, true, &tenth);

    ok(near(now.difference_ci.hi, 0.16644507739167647),
       "the difference has bounds");
    ok(isnan(now.lift_ci.lo) && isnan(now.lift_ci.hi), "the lift has not");
}


static void
test_agreement(void)
{
    bool             significant;
    unsigned         i, wrong, found, tables;
    uint64_t         x;
    ux_stratum_t     strata[2];
    ux_analysis_t    analysis;
    ux_comparison_t  now;

    wrong = 0;
    found = 0;
    tables = 0;
    analysis = plan;

    for (i = 1; i <= 4; i++) {
        analysis.level = plan.alpha / i;

        for (x = 25; x <= 500; x++) {
            strata[0] = stratum(5000, 200, 1000, 30 + x / 40);
            strata[1] = stratum(4000, 220, 4000, x);

            now = ux_compare(strata, 2, NULL, true, &analysis);
            significant = now.p_now < analysis.level;

            tables++;
            found += significant;
            wrong += (now.difference_ci.lo > 0 || now.difference_ci.hi < 0)
                     != significant;
            wrong += (now.lift_ci.lo > 0 || now.lift_ci.hi < 0)
                     != significant;
        }
    }

    ok(wrong == 0, "both intervals are without 0 where p is below the level");
    ok(found > tables / 10 && found < tables - tables / 10,
       "which %u of %u tables are", found, tables);
}


static void
test_epochs(void)
{
    bool             used[2];
    ux_stratum_t     strata[2];
    ux_comparison_t  now;

    strata[0] = stratum(19000, 570, 1000, 45);
    strata[1] = stratum(30000, 900, 30000, 1040);

    now = ux_compare(strata, 2, used, true, &plan);

    ok(used[0] && used[1] && now.pooled.used == 2, "both epochs are in");
    ok(now.pooled.visitors_a == 49000 && now.pooled.visitors_b == 31000,
       "visitors of both");
    ok(now.pooled.converters_a == 1470 && now.pooled.converters_b == 1085,
       "converters of both");
    ok(near(now.pooled.a.mean, 0.03), "adjusted rate of the control");
    ok(near(now.pooled.b.mean, 0.035282131661442006), "of the variant");
    ok(near(now.log_e, 4.7757455117602084), "log e: %.17g", now.log_e);
    ok(near(now.difference_ci.lo, 0.00073678195611550087), "lo");
    ok(near(now.difference_ci.hi, 0.0098274813667685117), "hi");
    ok(near(now.lift_ci.lo, 0.023044261142169744), "lift, lo");
    ok(near(now.lift_ci.hi, 0.35261092216565167), "lift, hi");
}


static void
test_epochs_left_out(void)
{
    bool             used[4];
    ux_stratum_t     strata[4];
    ux_comparison_t  now;

    strata[0] = stratum(5000, 500, 1, 1);
    strata[1] = stratum(20000, 1000, 20000, 1180);
    strata[2] = stratum(0, 0, 5000, 2);
    strata[3] = stratum(100, 101, 100, 10);

    now = ux_compare(strata, 4, used, true, &plan);

    ok(!used[0], "one visitor in an arm: out");
    ok(used[1], "in");
    ok(!used[2], "nobody in the control: out");
    ok(!used[3], "impossible counts: out");
    ok(now.pooled.used == 1 && now.pooled.visitors_a == 20000
       && now.pooled.visitors_b == 20000, "totals of what is in");
    ok(near(now.log_e, 5.8781382901262441), "as if it were alone");

    strata[1] = stratum(1, 0, 20000, 3);
    now = ux_compare(strata, 4, used, true, &plan);

    ok(now.pooled.used == 0 && !used[1] && isnan(now.pooled.difference)
       && isnan(now.log_e), "none is in");
}


/*
 * Nobody differs: 5 % in the first epoch, 2 % in the second, when the variant
 * gets a tenth.  Thrown together it looks 47 % better.
 */
static void
test_phantom(void)
{
    ux_stratum_t     strata[2];
    ux_comparison_t  now;

    strata[0] = stratum(10000, 500, 10000, 500);
    strata[1] = stratum(18000, 360, 2000, 40);
    strata[1].share_a = 90;
    strata[1].share_b = 10;

    now = compare(28000, 860, 12000, 540);

    ok(now.lift > 0.46 && now.lift < 0.47, "together: a lift of %+.3f",
       now.lift);
    ok(now.p_now < 1e-8 && now.lift_ci.lo > 0, "\"significant\"");
    ok(now.exact_log_e > 10, "by the exact test as well");

    now = ux_compare(strata, 2, NULL, true, &plan);

    ok(fabs(now.lift) < 1e-12, "by epoch: none");
    ok(near(now.log_e, -1.7443693125633914) && now.p_now == 1,
       "log e: %.17g", now.log_e);
    ok(near(now.difference_ci.lo, -0.0075952326911810851), "lo");
    ok(near(now.lift_ci.hi, 0.19735985804344109), "lift, hi");
    ok(now.exact_log_e < 0, "none by the exact test");
}


static void
test_look(void)
{
    ux_stratum_t     strata[2];
    ux_comparison_t  now, all;

    strata[0] = stratum(19000, 570, 1000, 45);
    strata[1] = stratum(30000, 900, 30000, 1040);

    all = ux_compare(strata, 2, NULL, true, &plan);
    now = ux_compare_look(strata, 2, true, &plan);

    ok(now.log_e == all.log_e && now.exact_log_e == all.exact_log_e
       && now.gate && now.status == all.status
       && now.pooled.difference == all.pooled.difference,
       "a look says the same");

    now = ux_compare_look(strata, 2, false, &plan);
    ok(isnan(now.exact_log_e) && now.log_e == all.log_e,
       "without the exact test");
}


static void
test_evidence_gate(void)
{
    ux_evidence_t    evidence, was;
    ux_comparison_t  now;

    memset(&evidence, 0, sizeof(evidence));
    was = evidence;

    ok(isnan(ux_evidence_p(&evidence)), "no p before the first look");
    ok(ux_evidence_exact_p(&evidence) == 1, "an exact p of 1");

    /* 24 converters, and 100 times as good */

    look(&evidence, 24, 2400, 1);
    was.exact_log_e = evidence.exact_log_e;

    ok(unchanged(&evidence, &was), "below the gate nothing is recorded");
    ok(evidence.exact_log_e > 100, "but for the exact test");

    now = compare(20000, 1000, 20000, 1300);
    now.gate = false;
    (void) ux_evidence_look(&evidence, &now, true, &plan, NULL, 1);

    ok(evidence.looked_ms == 0, "whatever else is known");

    look(&evidence, 1000, 1000, 2);
    ok(evidence.looked_ms == 2 && evidence.log_e < 0,
       "the first look, below zero");
    ok(ux_evidence_p(&evidence) == 1, "p is 1 then");
    ok(evidence.sign == 0, "no difference, no sign");
}


static void
test_evidence_minimum(void)
{
    double         p, before, lowest;
    uint64_t       i;
    unsigned       wrong;
    ux_evidence_t  evidence;

    memset(&evidence, 0, sizeof(evidence));

    before = 1;
    lowest = 1;
    wrong = 0;

    for (i = 1; i <= 400; i++) {
        look(&evidence, 1000, 1000 + i * 7919 % 200, i);

        p = compare(20000, 1000, 20000, 1000 + i * 7919 % 200).p_now;
        lowest = p < lowest ? p : lowest;

        wrong += ux_evidence_p(&evidence) > before;
        wrong += ux_evidence_p(&evidence) != lowest;
        before = ux_evidence_p(&evidence);
    }

    ok(wrong == 0, "p is the smallest there was, and never rises");
    ok(lowest < 0.001, "%g in the end", lowest);
}


static void
test_evidence_quiet(void)
{
    ux_evidence_t    evidence, was;
    ux_comparison_t  now;

    memset(&evidence, 0, sizeof(evidence));
    look(&evidence, 1000, 1050, 5);
    was = evidence;

    now = compare(20000, 1000, 20000, 1300);

    ok(!ux_evidence_look(&evidence, &now, false, &plan, NULL, 6),
       "not quiet: no change");
    ok(unchanged(&evidence, &was), "indeed");

    ok(ux_evidence_look(&evidence, &now, true, &plan, NULL, 7),
       "quiet: a change");
    ok(evidence.looked_ms == 7 && evidence.log_e == now.log_e, "recorded");
    was = evidence;

    ok(!ux_evidence_look(&evidence, &now, true, &plan, NULL, 8),
       "the same again: no change");

    now = compare(20000, 1000, 20000, 1250);

    ok(!ux_evidence_look(&evidence, &now, true, &plan, NULL, 9),
       "less: no change");
    ok(unchanged(&evidence, &was), "indeed");
}


static void
test_evidence_exact(void)
{
    ux_stratum_t     epoch;
    ux_evidence_t    evidence;
    ux_comparison_t  now;

    memset(&evidence, 0, sizeof(evidence));

    now = compare(1000, 5, 1000, 20);

    ok(!now.gate && now.exact_log_e > 0, "exact before the gate");
    ok(ux_evidence_look(&evidence, &now, true, &plan, NULL, 3), "a change");
    ok(evidence.exact_log_e == now.exact_log_e
       && near(ux_evidence_exact_p(&evidence), exp(-now.exact_log_e)),
       "recorded");
    ok(evidence.looked_ms == 0, "no look of the sequence");

    now = compare(1000, 5, 1000, 12);

    ok(!ux_evidence_look(&evidence, &now, true, &plan, NULL, 4),
       "less: no change");

    /* Revenue has none; what is kept stays as it is. */

    epoch = stratum(1000, 5, 1000, 900);
    now = ux_compare(&epoch, 1, NULL, false, &plan);

    ok(!ux_evidence_look(&evidence, &now, true, &plan, NULL, 5),
       "none: no change");
}


static void
test_sign(void)
{
    ux_evidence_t    evidence;
    ux_comparison_t  now;

    memset(&evidence, 0, sizeof(evidence));

    look(&evidence, 1000, 1300, 1);
    ok(evidence.sign == 1, "the variant was better");

    now = compare(20000, 1400, 20000, 1330);
    (void) ux_evidence_look(&evidence, &now, true, &plan, NULL, 2);

    ok(evidence.sign == 1 && evidence.looked_ms == 1,
       "and was at the maximum");
    ok(!ux_evidence_significant(&evidence, &now, ux_evidence_p(&evidence),
                                true, true, 0.05),
       "it is worse now: not significant");

    now = compare(20000, 1400, 20000, 1400);
    ok(!ux_evidence_significant(&evidence, &now, ux_evidence_p(&evidence),
                                true, true, 0.05),
       "it is the same now: not significant");

    now = compare(20000, 1400, 20000, 1401);
    ok(ux_evidence_significant(&evidence, &now, ux_evidence_p(&evidence),
                               true, true, 0.05),
       "a bit better now: significant by what was seen");

    look(&evidence, 2000, 1000, 3);
    ok(evidence.sign == -1 && evidence.looked_ms == 3,
       "a larger maximum turns the sign");

    now = compare(20000, 2000, 20000, 1900);
    ok(ux_evidence_significant(&evidence, &now, ux_evidence_p(&evidence),
                               true, true, 0.05),
       "significantly worse");
    ok(!ux_evidence_significant(&evidence, &(ux_comparison_t) { 0 },
                                ux_evidence_p(&evidence), true, true, 0.05),
       "not of nothing");
}


static void
test_significant(void)
{
    ux_evidence_t    evidence, none;
    ux_comparison_t  now, below;

    memset(&evidence, 0, sizeof(evidence));
    memset(&none, 0, sizeof(none));

    now = compare(20000, 1000, 20000, 1300);
    (void) ux_evidence_look(&evidence, &now, true, &plan, NULL, 1);

    ok(ux_evidence_significant(&evidence, &now, 0.049, true, true, 0.05),
       "all is met");
    ok(!ux_evidence_significant(&evidence, &now, 0.05, true, true, 0.05),
       "alpha itself is not below alpha");
    ok(!ux_evidence_significant(&evidence, &now, NAN, true, true, 0.05),
       "no adjusted p");
    ok(!ux_evidence_significant(&evidence, &now, 0.001, false, true, 0.05),
       "not quiet");
    ok(!ux_evidence_significant(&evidence, &now, 0.001, true, false, 0.05),
       "too early");
    ok(!ux_evidence_significant(&none, &now, 0.001, true, true, 0.05),
       "never looked at");

    below = compare(250, 24, 250, 60);
    ok(!ux_evidence_significant(&evidence, &below, 0.001, true, true, 0.05),
       "below the gate now");
}


static void
test_freeze(void)
{
    ux_fixed_t       fixed, later;
    ux_analysis_t    unplanned;
    ux_evidence_t    evidence;
    ux_comparison_t  now;

    memset(&evidence, 0, sizeof(evidence));

    now = compare(5000, 250, 4999, 280);
    fixed = ux_stats_normal(now.pooled.difference, now.pooled.error, 0.05);

    (void) ux_evidence_look(&evidence, &now, true, &plan, &fixed, 1);
    ok(evidence.fixed_visitors == 0, "9,999 of 10,000: not yet");

    now = compare(5000, 250, 5000, 280);
    fixed = ux_stats_normal(now.pooled.difference, now.pooled.error, 0.05);

    (void) ux_evidence_look(&evidence, &now, true, &plan, NULL, 2);
    ok(evidence.fixed_visitors == 0, "nothing to freeze");

    ok(ux_evidence_look(&evidence, &now, true, &plan, &fixed, 3),
       "10,000: a change");
    ok(evidence.fixed_visitors == 10000 && evidence.fixed_p == fixed.p
       && evidence.fixed_lo == fixed.ci.lo
       && evidence.fixed_hi == fixed.ci.hi, "frozen");

    now = compare(6000, 300, 6000, 300);
    later = ux_stats_normal(now.pooled.difference, now.pooled.error, 0.05);

    ok(!ux_evidence_look(&evidence, &now, true, &plan, &later, 4),
       "no change later");
    ok(evidence.fixed_visitors == 10000 && evidence.fixed_p == fixed.p,
       "once only");

    memset(&evidence, 0, sizeof(evidence));
    now = compare(9000, 24, 9000, 24);

    ok(ux_evidence_look(&evidence, &now, false, &plan, &fixed, 5)
       && evidence.fixed_visitors == 18000 && evidence.looked_ms == 0,
       "below the gate and alarmed: frozen all the same");

    memset(&evidence, 0, sizeof(evidence));
    unplanned = plan;
    unplanned.planned = 0;

    (void) ux_evidence_look(&evidence, &now, true, &unplanned, &later, 5);
    ok(evidence.fixed_visitors == 0, "no plan, no end");
}


static void
test_fixed(void)
{
    ux_fixed_t       fixed, expected;
    ux_stratum_t     strata[2];
    ux_comparison_t  now;

    strata[0] = stratum(5000, 500, 1, 1);
    strata[1] = stratum(20000, 1000, 20000, 1180);

    now = ux_compare(strata, 2, NULL, true, &plan);
    fixed = ux_compare_fixed(strata, 2, &now, 0.05);
    expected = ux_stats_two_proportions(1000, 20000, 1180, 20000, 0.05);

    ok(fixed.p == expected.p && fixed.ci.lo == expected.ci.lo
       && fixed.ci.hi == expected.ci.hi, "the one epoch that is in");

    now = ux_compare(strata, 2, NULL, false, &plan);
    fixed = ux_compare_fixed(strata, 2, &now, 0.01);
    expected = ux_stats_welch(20000, strata[1].a.estimate, 20000,
                              strata[1].b.estimate, 0.01);

    ok(fixed.p == expected.p && fixed.df == expected.df
       && fixed.ci.lo == expected.ci.lo, "a mean: by Welch");

    strata[0] = stratum(19000, 570, 1000, 45);

    now = ux_compare(strata, 2, NULL, true, &plan);
    fixed = ux_compare_fixed(strata, 2, &now, 0.05);

    ok(near(fixed.difference, now.pooled.difference)
       && near(fixed.p, erfc(now.pooled.difference
                             / sqrt(2 * now.pooled.error))),
       "two epochs: the stratified difference");
    ok(near(fixed.ci.hi, now.pooled.difference
                         + UX_STATS_Z95 * sqrt(now.pooled.error)),
       "and its normal interval");
}


/* 20,000 visitors in each arm. */
static void
look(ux_evidence_t *evidence, uint64_t x_a, uint64_t x_b, uint64_t now_ms)
{
    ux_comparison_t  now;

    now = compare(20000, x_a, 20000, x_b);

    (void) ux_evidence_look(evidence, &now, true, &plan, NULL, now_ms);
}


static ux_comparison_t
compare(uint64_t n_a, uint64_t x_a, uint64_t n_b, uint64_t x_b)
{
    ux_stratum_t  epoch;

    epoch = stratum(n_a, x_a, n_b, x_b);

    return ux_compare(&epoch, 1, NULL, true, &plan);
}


/* Equal shares. */
static ux_stratum_t
stratum(uint64_t n_a, uint64_t x_a, uint64_t n_b, uint64_t x_b)
{
    ux_stratum_t  epoch;

    epoch.a = ux_sample_conversion(n_a, x_a);
    epoch.b = ux_sample_conversion(n_b, x_b);
    epoch.share_a = 50;
    epoch.share_b = 50;

    return epoch;
}


static bool
unchanged(const ux_evidence_t *evidence, const ux_evidence_t *was)
{
    return memcmp(evidence, was, sizeof(*evidence)) == 0;
}


static bool
near(double value, double expected)
{
    return fabs(value - expected) <= 1e-11 * fabs(expected) + 1e-300;
}
