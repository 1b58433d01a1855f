
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_result: sample ratio and confirmation, epoch by epoch; all who were
 * assigned; and epochs in the primary estimate.
 */

#include "result_case.h"


#define ITT  E "/intention_to_treat/variants/one_page"


static void test_sample_ratio(void);
static void test_variants(void);
static void test_ramp(void);
static void test_zero_weight(void);
static void test_restart(void);
static void test_largest(void);
static void test_confirmation(void);
static void test_unconfirmed_young(void);
static void test_crossed(void);
static void test_assigned(void);
static void test_assigned_mean(void);
static void test_phantom(void);
static void test_epochs_used(void);
static void test_one_sided_epoch(void);
static void reweight(double control, double other);
static void unconfirmed(unsigned variant, int64_t n, int32_t young);


int
main(void)
{
    test_sample_ratio();
    test_variants();
    test_ramp();
    test_zero_weight();
    test_restart();
    test_largest();
    test_confirmation();
    test_unconfirmed_young();
    test_crossed();
    test_assigned();
    test_assigned_mean();
    test_phantom();
    test_epochs_used();
    test_one_sided_epoch();

    return done();
}


/* 5150 : 4850 of 50 : 50, then 8950 : 1050 of 90 : 10. */
static void
test_sample_ratio(void)
{
    begin();

    visit(0, 5150, 0);
    visit(1, 4850, 0);
    look();
    ok(close_to(result.experiment.balance.log_e_now, 2.8926135320216417),
       "one epoch");

    reweight(90, 10);
    visit(0, 8950, 0);
    visit(1, 1050, 0);
    look();
    ok(close_to(result.experiment.balance.log_e, 2.919205108220922),
       "each against its own shares, added up");
    ok(near(E "/srm/p_value", 0.05397657578860154, 1e-12)
       && is(E "/srm/ok", "true") && is(E "/srm/warning", "false"),
       "p of both");
    ok(near(E "/srm/chi_square_p", 0.002770052824110055, 1e-14),
       "chi-square of both, with the degrees of both");
    ok(is(E "/problems", "[]"), "which is no alarm");

    end();
}


static void
test_variants(void)
{
    begin();
    e->variants[0].weight = 40;
    e->variants[1].weight = 40;
    variant_add("third", 20);
    bind_again();

    visit(0, 5150, 0);
    visit(1, 4700, 0);
    visit(2, 2650, 0);
    look();
    ok(close_to(result.experiment.balance.log_e_now, 12.03243762657803)
       && near(E "/srm/chi_square_p", 1.4449802461092448e-07, 1e-18),
       "three arms");

    /* the epoch of begin(), with two */

    e->variants[0].weight = 50;
    e->variants[1].weight = 50;
    e->nvariants = 2;
    bind_again();
    visit(0, 5150, 0);
    visit(1, 4850, 0);
    look();
    ok(close_to(result.experiment.balance.log_e, 14.925051158599672)
       && near(E "/srm/chi_square_p", 8.347492575743394e-09, 1e-19)
       && near(E "/srm/p_value", 3.2971039503417493e-07, 1e-15),
       "and two, the third being dropped");
    ok(is(E "/srm/ok", "false") && is(E "/srm/warning", "true")
       && is(E "/problems/0/code", "\"srm\""), "alarm");

    end();
}


/* Pooled, 10,000 : 6,000 of whatever weights would be a mismatch. */
static void
test_ramp(void)
{
    begin();
    visit(0, 5000, 250);
    visit(1, 5000, 250);
    reweight(90, 10);
    visit(0, 9000, 200);
    visit(1, 1000, 20);
    look();
    ok(ux_result_quiet(&result) && is(E "/srm/p_value", "1")
       && is(E "/srm/chi_square_p", "1"), "a ramp is no mismatch");
    end();
}


static void
test_zero_weight(void)
{
    begin();
    variant_add("third", 0);
    bind_again();

    visit(0, 1000, 0);
    visit(1, 1000, 0);
    look();
    ok(ux_result_quiet(&result) && is(E "/srm/chi_square_p", "1"),
       "an arm that takes nobody is no arm");

    visit(2, 1, 0);
    look();
    ok(is(E "/srm/p_value", "0") && is(E "/srm/chi_square_p", "0")
       && verdict() == UX_VERDICT_SRM, "one visitor in it is a mismatch");

    end();
}


/* Of the primary result: what was before its start does not matter. */
static void
test_restart(void)
{
    begin();
    visit(0, 3000, 0);
    visit(1, 2000, 0);
    ok(verdict() == UX_VERDICT_SRM, "a mismatch");

    reweight(60, 40);
    visit(0, 600, 0);
    visit(1, 400, 0);
    ok(verdict() == UX_VERDICT_SRM, "another epoch does not help");

    e->alpha = 0.01;
    bind_again();
    ok(verdict() == UX_VERDICT_COLLECTING
       && result.experiment.balance.log_e == 0
       && is(E "/srm/p_value", "1") && is(E "/problems", "[]"),
       "a new primary result does");

    visit(0, 600, 0);
    visit(1, 400, 0);
    look();
    ok(result.experiment.balance.log_e_now < 0
       && is(E "/srm/chi_square_p", "1"), "it has its own visitors");

    end();
}


/* Between the alarm and nothing: kept, too. */
static void
test_largest(void)
{
    double  log_e;

    begin();
    visit(0, 5200, 0);
    visit(1, 4800, 0);
    look();
    log_e = result.experiment.balance.log_e;
    ok(log_e > 4.7 && log_e < 6.9 && is(E "/srm/ok", "true")
       && is(E "/srm/warning", "true"), "p between 0.001 and 0.01: a warning");

    visit(1, 400, 0);
    bind_again();
    look();
    ok(result.experiment.balance.log_e_now < 0
       && close_to(result.experiment.balance.log_e, log_e)
       && near(E "/srm/p_value", exp(-log_e), 1e-12)
       && is(E "/srm/p_now", "1") && is(E "/srm/chi_square_p", "1"),
       "the smallest p is kept, chi-square is of now");

    end();
}


/* As many come, fewer of B come back. */
static void
test_confirmation(void)
{
    begin();
    visit(0, 9950, 900);
    visit(1, 9800, 1200);
    unconfirmed(0, 50, 0);
    unconfirmed(1, 90, 0);
    look();
    ok(pair(1, 0)->significant && ux_result_quiet(&result),
       "50 and 90 of 10,000 do not come back");

    unconfirmed(1, 110, 0);
    look();
    ok(close_to(result.experiment.balance.confirmation, 32.68067473909127)
       && result.experiment.balance.log_e_now < 0,
       "50 and 200: no mismatch of those who do, but of those who do not");
    ok(is(E "/verdict", "\"srm\"") && is(E "/srm/ok", "true")
       && is(E "/problems/0/code", "\"confirmation\"")
       && status_of(E "/problems/1") == UX_DECLINED, "it says so");
    ok(near(E "/srm/confirmation_p", exp(-32.68067473909127), 1e-20),
       "with its p");
    ok(!pair(1, 0)->significant && is(E "/winner", "null"),
       "nothing is significant then");

    visit(1, 110, 0);
    add(1, UX_ARM_ASSIGNED, -110);
    look();
    ok(close_to(result.experiment.balance.confirmation, 32.68067473909127),
       "it is not taken back");
    end();

    /* 51 : 49 were assigned, whatever the weights say */

    begin();
    visit(0, 10150, 0);
    visit(1, 9600, 0);
    unconfirmed(0, 50, 0);
    unconfirmed(1, 200, 0);
    look();
    ok(close_to(result.experiment.balance.confirmation, 34.798599419992115),
       "against those that were assigned");
    end();
}


/* Whoever came within the last hour may come back yet. */
static void
test_unconfirmed_young(void)
{
    begin();
    visit(0, 9900, 0);
    visit(1, 9900, 0);
    unconfirmed(0, 100, 100);
    unconfirmed(1, 300, 300);
    look();
    ok(result.experiment.balance.confirmation == 0, "all are young");

    now += HOUR - MINUTE;
    look();
    ok(result.experiment.balance.confirmation == 0, "almost an hour later");

    now += 2 * MINUTE;
    look();
    ok(result.experiment.balance.confirmation > 20
       && is(E "/verdict", "\"srm\""), "an hour later");

    end();
}


/* Who came back and is a visitor no more has come back. */
static void
test_crossed(void)
{
    begin();
    visit(0, 20000, 0);
    visit(1, 20000, 0);

    add(1, UX_ARM_VISITORS, -150);
    add(1, UX_ARM_CROSSOVER, 150);
    add(1, UX_ARM_LEFT, 150);
    look();
    ok(result.experiment.balance.confirmation == 0
       && ux_result_quiet(&result), "crossed over when confirmed");

    add(1, UX_ARM_ASSIGNED, 150);
    add(1, UX_ARM_CROSSOVER, 150);
    look();
    ok(result.experiment.balance.confirmation > 20
       && is(E "/problems/0/code", "\"confirmation\""),
       "crossed over unconfirmed");

    end();
}


/* Those who did not come back converted for none. */
static void
test_assigned(void)
{
    begin();
    visit(0, 9950, 500);
    visit(1, 9800, 620);
    unconfirmed(0, 50, 0);
    unconfirmed(1, 200, 0);
    look();

    ok(is(ITT "/assigned", "10000") && is(ITT "/rate", "0.062")
       && near(ITT "/difference", 0.012, 1e-15)
       && near(ITT "/p_value", 0.006752513375986206, 1e-13),
       "over all that were assigned");
    ok(near(GOAL "/difference", 0.013014049841041937, 1e-14)
       && near(GOAL "/p_now", 0.00264777577794715, 1e-13),
       "and over those who came back");
    ok(is(E "/verdict", "\"srm\"") && is(GOAL "/p_value", "null"),
       "which shall not be trusted");

    end();
}


static void
test_assigned_mean(void)
{
    begin();
    e->metrics[0].event = UX_METRIC_REVENUE;
    e->metrics[0].type = UX_METRIC_MEAN;
    bind_again();

    visit(0, 9950, 500);
    visit(1, 9800, 620);
    unconfirmed(0, 50, 0);
    unconfirmed(1, 200, 0);
    pay(0, 0, 2000, 500);
    pay(1, 0, 2000, 620);
    look();

    ok(near(ITT "/rate", 1.24, 1e-14) && near(ITT "/difference", 0.24, 1e-14)
       && near(ITT "/p_value", 0.006756843582288811, 1e-13),
       "revenue over all that were assigned");

    end();
}


/* Two equal arms, 50 : 50 at 5 %, then 90 : 10 at 2 %. */
static void
test_phantom(void)
{
    double  pooled;

    begin();
    visit(0, 10000, 500);
    visit(1, 10000, 500);
    reweight(90, 10);
    visit(0, 18000, 360);
    visit(1, 2000, 40);
    look();

    pooled = strtod(at(B "/metrics/purchase/rate"), NULL)
             / strtod(at(A "/metrics/purchase/rate"), NULL) - 1;
    ok(fabs(pooled - 0.4651162790697674) < 1e-12, "pooled, B leads by 47 %%");
    ok(fabs(pair(1, 0)->now.lift) < 1e-12
       && near(GOAL "/lift_ci/0", -0.16768905279219304, 1e-9)
       && near(GOAL "/lift_ci/1", 0.19735985804344103, 1e-9),
       "epoch by epoch by nothing");
    ok(near(GOAL "/rate_adjusted", 0.04205882352941177, 1e-12)
       && near(GOAL "/control_rate_adjusted", 0.04205882352941177, 1e-12),
       "with the rates that this is of");
    ok(p_value(1, 0) == 1 && ux_result_quiet(&result)
       && is(E "/verdict", "\"inconclusive\""), "nothing is decided by it");
    ok(pair(1, 0)->evidence.exact_log_e == 0, "the exact test sees nothing");

    end();
}


static void
test_epochs_used(void)
{
    begin();
    visit(0, 5000, 250);
    visit(1, 5000, 330);
    reweight(90, 10);
    visit(0, 50, 50);
    visit(1, 1, 0);
    look();
    ok(is(E "/epochs/0/used", "true") && is(E "/epochs/1/used", "false")
       && pair(1, 0)->now.pooled.used == 1,
       "one visitor in an arm: the epoch is not used");
    ok(close_to(pair(1, 0)->now.pooled.difference, 0.016)
       && pair(1, 0)->now.pooled.visitors_a == 5000
       && is(GOAL "/visitors", "10000"), "nor are its visitors");
    ok(is(A "/visitors", "5050") && is(E "/epochs/1/visitors", "51"),
       "but they are shown");

    visit(1, 1, 0);
    look();
    ok(is(E "/epochs/1/used", "true") && pair(1, 0)->now.pooled.used == 2,
       "two are enough");

    end();
}


/* An arm that was not there yet: a pair uses the epochs of both. */
static void
test_one_sided_epoch(void)
{
    begin();
    visit(0, 5000, 250);
    visit(1, 5000, 330);
    variant_add("third", 100);
    bind_again();
    visit(0, 2000, 200);
    visit(1, 2000, 200);
    visit(2, 4000, 400);
    look();

    ok(pair(1, 0)->now.pooled.visitors_a == 7000
       && pair(1, 0)->now.pooled.used == 2, "both epochs of the old one");
    ok(pair(2, 0)->now.pooled.visitors_a == 2000
       && pair(2, 0)->now.pooled.used == 1
       && fabs(pair(2, 0)->now.pooled.difference) < 1e-15,
       "one of the new one");
    ok(is(E "/epochs/0/used", "true") && is(E "/epochs/1/used", "true"),
       "each is used by somebody");

    end();
}


static void
reweight(double control, double other)
{
    e->variants[0].weight = control;
    e->variants[1].weight = other;
    bind_again();
}


/* n more that were assigned; so many of them a moment ago. */
static void
unconfirmed(unsigned variant, int64_t n, int32_t young)
{
    uint32_t  bucket;

    add(variant, UX_ARM_ASSIGNED, n);

    bucket = (uint32_t) (now / UX_UNCONFIRMED_WIDTH_MS);
    ux_counter_ring_add(&w->store.counter, arm(variant) + UX_ARM_UNCONFIRMED
                                           + bucket % UX_BUCKETS,
                        bucket, young);
}
