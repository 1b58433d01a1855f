
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_words: a sentence for every verdict, and words for every code.
 */

#include "ux_words.h"
#include "tap.h"

#include <math.h>
#include <string.h>


static void test_codes(void);
static void test_trust(void);
static void test_winners(void);
static void test_others(void);
static void test_collecting(void);
static void test_phases(void);
static void test_days(void);
static void test_effects(void);
static void test_limits(void);
static void begin(ux_verdict_e verdict);
static bool says(const char *expected);
static bool has(const char *part);
static bool worded(ux_words_set_e set, const char *codes);


static ux_words_t  words;
static char        text[UX_WORDS_MAX];

static const double  arms[] = { 0.521, 0.479 };
static const double  few[] = { 0.5004, 0.4996 };
static const double  asked[] = { 0.5, 0.5 };


int
main(void)
{
    test_codes();
    test_trust();
    test_winners();
    test_others();
    test_collecting();
    test_phases();
    test_days();
    test_effects();
    test_limits();

    return done();
}


static void
test_codes(void)
{
    unsigned  i;
    ux_str_t  code = ux_str("none_of_them"), found;

    ok(worded(UX_WORDS_VERDICT,
              "srm untrusted guardrail variant_better control_better "
              "no_difference inconclusive stopped collecting"), "verdicts");
    ok(worded(UX_WORDS_STATE,
              "running scheduled paused closed served removed"), "states");
    ok(worded(UX_WORDS_WAITING, "gate min_runtime significance planned"),
       "what is waited for");
    ok(worded(UX_WORDS_PROBLEM, "srm confirmation crossover eviction "
                                "currency snapshot zone_full"), "problems");
    ok(worded(UX_WORDS_GUARDRAIL, "ok unclear harmed"), "guardrails");
    ok(worded(UX_WORDS_STATUS, "ok insufficient_data baseline_zero "
                               "zero_variance mixed_weights"), "states");

    for (i = 0; i < UX_DISCARDS; i++) {
        ok(worded(UX_WORDS_DISCARDED, ux_discard_names[i]), "discarded: %s",
           ux_discard_names[i]);
    }

    found = ux_words(UX_WORDS_VERDICT, code);
    ok(ux_str_equal(found, code), "what is none is as it was");

    code.len = 0;
    ok(ux_words(UX_WORDS_STATE, code).len == 0, "nothing is nothing");
}


static void
test_trust(void)
{
    begin(UX_VERDICT_SRM);
    words.epoch = 2;
    words.narms = 2;
    words.arms = arms;
    words.weights = asked;
    ok(says("Do not trust this: sample ratio mismatch, arms 52.1/47.9 where "
            "50/50 was asked (epoch 2). Find out where visitors are lost "
            "before anything is decided."), "sample ratio");

    words.arms = few;
    ok(has("arms 50.04/49.96 where 50/50 was asked"), "of millions");

    words.epoch = 0;
    ok(has("Do not trust this: visitors of the variants do not come back "
           "alike"), "confirmation");

    begin(UX_VERDICT_UNTRUSTED);
    words.crossovers = 0.021;
    ok(says("Do not trust this: 2.1 % of the visitors were seen in two "
            "variants."), "crossovers");

    words.crossovers = 0;
    words.returned = 0.014;
    ok(has("1.4 % of the visitors came back after their record was given "
           "up"), "evictions");
}


static void
test_winners(void)
{
    begin(UX_VERDICT_VARIANT_BETTER);
    ok(says("one_page wins: +8.2 % purchase rate, 95 % sure it is between "
            "+1.9 and +14.8 % whenever you look."), "a winner");

    words.effect.level = 0.975;
    ok(has(", 97.5 % sure it is"), "its level, of two comparisons");

    words.effect.level = 1 - 0.01 / 25;
    ok(has(", 99.96 % sure it is"), "nothing is for sure");
    words.effect.level = 1 - 0.001 / 25;
    ok(has(", 99.996 % sure it is"), "however many are compared");

    words.effect.lift = 12.345;
    words.effect.lift_ci = (ux_interval_t) { 0.0000001, 25 };
    ok(has("wins: +1234 % purchase rate,")
       && has(" between +0 and +2500 % whenever"), "no powers of ten");

    words.effect.lift_ci.lo = -0.01;
    ok(has(" That was decided at an earlier look;"),
       "whose interval has 0 in it by now");

    words.effect.passes = true;
    ok(has(" That interval is wide enough for all comparisons at once; "
           "Holm's rule, which decides, asks less of this one.")
       && !has("earlier look"), "whose own share of alpha is larger");

    begin(UX_VERDICT_VARIANT_BETTER);
    words.effect.lift = -0.1;
    words.effect.lift_ci = (ux_interval_t) { -0.15, -0.05 };
    words.effect.lower_is_better = true;
    ok(says("one_page wins: -10 % purchase rate (lower is better), 95 % sure "
            "it is between -15 and -5 % whenever you look."),
       "where lower is better");

    begin(UX_VERDICT_CONTROL_BETTER);
    words.effect.lift = -0.042;
    words.effect.lift_ci = (ux_interval_t) { -0.07, -0.012 };
    ok(says("The control wins: one_page, the best of the others, has -4.2 % "
            "purchase rate, 95 % sure it is between -7 and -1.2 % whenever "
            "you look."), "the control");
    words.effect.lift_ci.hi = 0.001;
    ok(has(" That was decided at an earlier look;"), "at an earlier look");

    begin(UX_VERDICT_GUARDRAIL);
    words.harm = words.effect;
    words.harm.metric = (ux_str_t) ux_str("add_to_cart");
    words.harm.lift = -0.05;
    words.harm.lift_ci = (ux_interval_t) { -0.08, -0.02 };
    words.margin = 0.01;
    ok(says("one_page would win, but harms a guardrail: -5 % add_to_cart "
            "rate, 95 % sure it is between -8 and -2 % whenever you look; "
            "1 % worse was allowed. Its goal: +8.2 % purchase rate, 95 % "
            "sure it is between +1.9 and +14.8 % whenever you look."),
       "a guardrail");
}


static void
test_others(void)
{
    begin(UX_VERDICT_NO_DIFFERENCE);
    words.equivalence = 0.02;
    ok(says("No difference that matters: each lift is within 2 % either way, "
            "95 % sure whenever you look. Take what is simpler."),
       "no difference");
    words.effect.level = 0.975;
    ok(has(" 95 % sure whenever you look."), "of two lifts together");

    begin(UX_VERDICT_INCONCLUSIVE);
    words.effect.lift_ci.lo = -0.02;
    ok(says("No winner: the planned 10,000 visitors of each pair are "
            "reached, and what differs may be chance. So far one_page has "
            "+8.2 % purchase rate, 95 % sure it is between -2 and +14.8 % "
            "whenever you look."), "inconclusive");

    words.runtime_met = false;
    words.runtime_left = 4.5;
    ok(has(" Nothing is decided before the minimum runtime is over: 5 more "
           "days."), "before the minimum runtime");

    words.ended = true;
    ok(has("No winner: it ended, and what differs may be chance. So far "),
       "ended");

    begin(UX_VERDICT_STOPPED);
    words.ended = true;
    words.gate = false;
    ok(says("Stopped too early to conclude anything: too few visitors."),
       "before the gate");
    words.runtime_met = false;
    ok(says("Stopped too early to conclude anything: too few visitors, and "
            "the minimum runtime was not over."), "before both");
    words.gate = true;
    ok(says("Stopped too early to conclude anything: the minimum runtime was "
            "not over."), "before the minimum runtime");
}


static void
test_collecting(void)
{
    begin(UX_VERDICT_COLLECTING);
    words.effect.variant.len = 0;
    ok(says("Not yet: about 3 more days at this traffic, up to the planned "
            "10,000 visitors of each pair; a clear difference is decided "
            "sooner."), "collecting");

    words.planned_left = 3.01;
    ok(has("about 4 more days"), "days are rounded up");
    words.planned_left = 1;
    ok(has("about 1 more day at"), "a day");
    words.planned_left = 0.2;
    ok(has("about 5 more hours at"), "hours");
    words.planned_left = 1.0 / 25;
    ok(has("Not yet: less than an hour at"), "less");
    words.planned_left = 400;
    ok(has("Not yet: more than a year at"), "more");

    words.planned_left = 3;
    words.runtime_met = false;
    words.runtime_left = 2;
    ok(has("sooner, but not before the minimum runtime is over: 2 more "
           "days."), "a minimum runtime before that");

    words.runtime_left = 5;
    ok(says("Not yet: about 5 more days, the minimum runtime."),
       "a minimum runtime after that");

    words.stop_left = 4;
    ok(has(" Its stop comes before that: 4 more days."), "a stop before");
    words.stop_left = 6;
    ok(!has("stop"), "a stop behind");

    words.planned_left = NAN;
    ok(says("Not yet: it is too early to say how long the planned visitors "
            "take; at least 5 more days, the minimum runtime."), "no pace");
    words.runtime_left = 0;
    ok(says("Not yet: it is too early to say how long the planned visitors "
            "take."), "no pace, no minimum runtime");

    begin(UX_VERDICT_COLLECTING);
    words.effect.lift_ci.lo = -0.05;
    ok(has("sooner. So far one_page has +8.2 % purchase rate, 95 % sure it "
           "is between -5 and +14.8 % whenever you look."),
       "and what there is");
}


static void
test_phases(void)
{
    begin(UX_VERDICT_COLLECTING);
    words.visitors = 0;
    words.effect.variant.len = 0;
    ok(says("Not yet: nobody has been counted so far."), "nobody");

    words.phase = UX_PHASE_SCHEDULED;
    ok(says("Not started yet."), "scheduled");

    words.phase = UX_PHASE_PAUSED;
    ok(has("Paused: nobody is counted"), "paused");
}


static void
test_days(void)
{
    begin(UX_VERDICT_COLLECTING);
    ok(ux_words_days(&words) == 3, "up to the planned size");
    words.runtime_left = 5;
    ok(ux_words_days(&words) == 5, "or the minimum runtime");
    words.stop_left = 4;
    ok(ux_words_days(&words) == 4, "or its stop");
    words.planned_left = NAN;
    ok(isnan(ux_words_days(&words)), "without a pace nobody knows");

    begin(UX_VERDICT_COLLECTING);
    words.phase = UX_PHASE_PAUSED;
    ok(isnan(ux_words_days(&words)), "paused: nobody knows");

    begin(UX_VERDICT_VARIANT_BETTER);
    ok(isnan(ux_words_days(&words)), "decided: nothing is waited for");

    begin(UX_VERDICT_INCONCLUSIVE);
    ok(isnan(ux_words_days(&words)), "inconclusive: nothing is");
    words.runtime_met = false;
    words.runtime_left = 2;
    ok(ux_words_days(&words) == 2, "but the minimum runtime");
    words.ended = true;
    ok(isnan(ux_words_days(&words)), "ended: nothing is");
}


/* Only the sequence's own intervals are told. */
static void
test_effects(void)
{
    begin(UX_VERDICT_VARIANT_BETTER);
    words.effect.lift_ci.lo = NAN;
    words.effect.difference = 0.0042;
    words.effect.difference_ci = (ux_interval_t) { 0.001, 0.009 };
    ok(says("one_page wins: +0.42 points purchase rate, 95 % sure it is "
            "between +0.1 and +0.9 points whenever you look."),
       "no lift: the difference");

    words.effect.type = UX_METRIC_MEAN;
    words.effect.metric = (ux_str_t) ux_str("revenue");
    words.effect.difference = 1.25;
    words.effect.difference_ci = (ux_interval_t) { 0.5, 2 };
    ok(has("wins: +1.25 revenue per visitor, 95 % sure it is between +0.5 "
           "and +2 whenever"), "of a mean");
    words.effect.type = UX_METRIC_COUNT;
    ok(has(" revenue events per visitor,"), "of a count");
    words.effect.type = UX_METRIC_RATIO;
    ok(has(" revenue per event,"), "of a ratio");

    words.effect.difference_ci.hi = INFINITY;
    ok(has("+1.25 revenue per event.") && !has("sure"),
       "without an interval nothing is sure");
    words.effect.difference = NAN;
    ok(has("wins: no figure for revenue"), "without a figure");

    words.verdict = UX_VERDICT_COLLECTING;
    ok(!has("So far"), "and then there is nothing so far");
}


static void
test_limits(void)
{
    char      name[200];
    double    shares[UX_VARIANTS_MAX];
    unsigned  i;

    memset(name, 'n', sizeof(name));

    for (i = 0; i < UX_VARIANTS_MAX; i++) {
        shares[i] = 1.0 / UX_VARIANTS_MAX;
    }

    for (i = 0; i <= UX_VERDICT_COLLECTING; i++) {
        begin((ux_verdict_e) i);
        words.effect.variant = (ux_str_t) { name, UX_NAME_MAX };
        words.effect.metric = (ux_str_t) { name, UX_NAME_MAX };
        words.effect.lower_is_better = true;
        words.effect.passes = true;
        words.effect.lift = -123456.789;
        words.effect.lift_ci = (ux_interval_t) { -1.23456e-200, 1.5e200 };
        words.harm = words.effect;
        words.planned_visitors = UINT64_MAX;
        words.stop_left = 2;
        words.epoch = UINT32_MAX;
        words.narms = UX_VARIANTS_MAX;
        words.arms = shares;
        words.weights = shares;

        ok(ux_words_summary(&words, text) == strlen(text)
           && strlen(text) > 20 && text[strlen(text) - 1] == '.',
           "verdict %u: whole, with names at their limits", i);
    }
}


/* Half way, with an effect and three days to go. */
static void
begin(ux_verdict_e verdict)
{
    static const ux_words_t  nothing;

    words = nothing;

    words.verdict = verdict;
    words.phase = UX_PHASE_RUNNING;
    words.gate = true;
    words.runtime_met = true;
    words.visitors = 5000;
    words.planned_visitors = 10000;
    words.planned_left = 3;
    words.stop_left = NAN;

    words.effect.variant = (ux_str_t) ux_str("one_page");
    words.effect.metric = (ux_str_t) ux_str("purchase");
    words.effect.lift = 0.082;
    words.effect.lift_ci = (ux_interval_t) { 0.019, 0.148 };
    words.effect.difference = NAN;
    words.effect.difference_ci = (ux_interval_t) { NAN, NAN };
    words.effect.level = 0.95;
    words.level = 0.95;
}


static bool
says(const char *expected)
{
    size_t  len;

    len = ux_words_summary(&words, text);

    if (strcmp(text, expected) == 0 && len == strlen(text)) {
        return true;
    }

    printf("# %s\n", text);

    return false;
}


static bool
has(const char *part)
{
    (void) ux_words_summary(&words, text);

    return strstr(text, part) != NULL;
}


/* Each has words of its own, and they are not the code. */
static bool
worded(ux_words_set_e set, const char *codes)
{
    bool      all;
    ux_str_t  code, found;

    all = true;

    while (*codes != '\0') {
        code.data = codes;
        code.len = strcspn(codes, " ");
        codes += code.len;
        codes += *codes == ' ';

        found = ux_words(set, code);
        all = all && found.data != code.data && found.len > 0;
    }

    return all;
}
