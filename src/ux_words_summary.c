
/*
 * Copyright (C) the nginx-ux authors
 *
 * What may be concluded, in a sentence or two.
 *
 * "95 % sure it is between ... whenever you look" is the confidence sequence's
 * interval at its own level: over all looks together it misses the truth in
 * one of twenty experiments at most (STATISTICS.md, 3.4).  No other interval
 * is called that, and none is put into words where the sequence has none.
 *
 * Nothing here says when a difference will be found: nobody knows.  What can
 * be said is when the planned size is reached if visitors go on coming as
 * they do, and that nothing is decided before the minimum runtime.
 */

#include "ux_words.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>


/* A sentence as it grows. */
typedef struct {
    char    *buf;
    size_t   len;
} ux_sentence_t;


__attribute__((format(printf, 2, 3)))
static void ux_words_add(ux_sentence_t *out, const char *format, ...);
static void ux_words_srm(ux_sentence_t *out, const ux_words_t *words);
static unsigned ux_words_decimals(const ux_words_t *words);
static void ux_words_shares(ux_sentence_t *out, const double *shares,
    unsigned n, unsigned decimals);
static void ux_words_untrusted(ux_sentence_t *out, const ux_words_t *words);
static void ux_words_guardrail(ux_sentence_t *out, const ux_words_t *words);
static void ux_words_winner(ux_sentence_t *out, const ux_words_t *words);
static void ux_words_zero(ux_sentence_t *out,
    const ux_words_effect_t *effect);
static void ux_words_control(ux_sentence_t *out, const ux_words_t *words);
static void ux_words_same(ux_sentence_t *out, const ux_words_t *words);
static void ux_words_inconclusive(ux_sentence_t *out,
    const ux_words_t *words);
static void ux_words_stopped(ux_sentence_t *out, const ux_words_t *words);
static void ux_words_collecting(ux_sentence_t *out, const ux_words_t *words);
static void ux_words_wait(ux_sentence_t *out, const ux_words_t *words);
static void ux_words_so_far(ux_sentence_t *out,
    const ux_words_effect_t *effect);
static void ux_words_effect(ux_sentence_t *out,
    const ux_words_effect_t *effect);
static void ux_words_change(ux_sentence_t *out, double value);
static void ux_words_level(ux_sentence_t *out, double level);
static bool ux_words_measured(const ux_words_effect_t *effect);
static bool ux_words_bounded(ux_interval_t interval);
static void ux_words_metric(ux_sentence_t *out,
    const ux_words_effect_t *effect);
static void ux_words_more(ux_sentence_t *out, double days);
static void ux_words_count(ux_sentence_t *out, uint64_t n);


size_t
ux_words_summary(const ux_words_t *words, char buf[UX_WORDS_MAX])
{
    ux_sentence_t  out;

    static void (*const  sentences[])(ux_sentence_t *, const ux_words_t *) = {
        [UX_VERDICT_SRM] = ux_words_srm,
        [UX_VERDICT_UNTRUSTED] = ux_words_untrusted,
        [UX_VERDICT_GUARDRAIL] = ux_words_guardrail,
        [UX_VERDICT_VARIANT_BETTER] = ux_words_winner,
        [UX_VERDICT_CONTROL_BETTER] = ux_words_control,
        [UX_VERDICT_NO_DIFFERENCE] = ux_words_same,
        [UX_VERDICT_INCONCLUSIVE] = ux_words_inconclusive,
        [UX_VERDICT_STOPPED] = ux_words_stopped,
        [UX_VERDICT_COLLECTING] = ux_words_collecting
    };

    buf[0] = '\0';
    out.buf = buf;
    out.len = 0;

    sentences[words->verdict](&out, words);

    return out.len;
}


/*
 * The planned size is the end that comes for sure, but for a stop before it;
 * after it only the minimum runtime can still keep a decision back.
 */
double
ux_words_days(const ux_words_t *words)
{
    double  days;

    if (words->ended || words->past || words->phase != UX_PHASE_RUNNING) {
        return NAN;
    }

    if (words->verdict == UX_VERDICT_INCONCLUSIVE) {
        return words->runtime_met ? NAN : words->runtime_left;
    }

    if (words->verdict != UX_VERDICT_COLLECTING
        || isnan(words->planned_left))
    {
        return NAN;
    }

    days = fmax(words->planned_left, words->runtime_left);

    return words->stop_left < days ? words->stop_left : days;
}


/* What does not fit is cut off. */
static void
ux_words_add(ux_sentence_t *out, const char *format, ...)
{
    int      len;
    size_t   room;
    va_list  args;

    room = UX_WORDS_MAX - out->len;

    va_start(args, format);
    len = vsnprintf(out->buf + out->len, room, format, args);
    va_end(args);

    if (len > 0) {
        out->len += (size_t) len < room ? (size_t) len : room - 1;
    }
}


static void
ux_words_srm(ux_sentence_t *out, const ux_words_t *words)
{
    if (words->epoch == 0) {
        ux_words_add(out, "Do not trust this: visitors of the variants do "
                          "not come back alike, so those who are counted "
                          "cannot be compared. Compare over all who were "
                          "assigned.");
        return;
    }

    ux_words_add(out, "Do not trust this: sample ratio mismatch, arms ");
    ux_words_shares(out, words->arms, words->narms,
                    ux_words_decimals(words));
    ux_words_add(out, " where ");
    ux_words_shares(out, words->weights, words->narms, 1);
    ux_words_add(out, " was asked (epoch %u). Find out where visitors are "
                      "lost before anything is decided.", words->epoch);
}


/* As many as tell an arm from what was asked: of millions it is little. */
static unsigned
ux_words_decimals(const ux_words_t *words)
{
    double    most;
    unsigned  i, decimals;

    most = 0;

    for (i = 0; i < words->narms; i++) {
        most = fmax(most, 100 * fabs(words->arms[i] - words->weights[i]));
    }

    decimals = 1;

    while (decimals < 4 && most < 0.1) {
        most *= 10;
        decimals++;
    }

    return decimals;
}


/* "52.1/47.9", whole numbers as such */
static void
ux_words_shares(ux_sentence_t *out, const double *shares, unsigned n,
    unsigned decimals)
{
    bool      whole;
    unsigned  i;

    whole = true;

    for (i = 0; i < n; i++) {
        whole = whole && fabs(100 * shares[i] - round(100 * shares[i]))
                         < 0.5 * pow(10, -(double) decimals - 1);
    }

    for (i = 0; i < n; i++) {
        ux_words_add(out, "%s%.*f", i > 0 ? "/" : "",
                     whole ? 0 : (int) decimals, 100 * shares[i]);
    }
}


static void
ux_words_untrusted(ux_sentence_t *out, const ux_words_t *words)
{
    bool  crossed;

    crossed = words->crossovers > words->returned;

    ux_words_add(out, "Do not trust this: %.1f %% of the visitors %s.",
                 100 * (crossed ? words->crossovers : words->returned),
                 crossed ? "were seen in two variants"
                         : "came back after their record was given up, the "
                           "zone is too small");
}


static void
ux_words_guardrail(ux_sentence_t *out, const ux_words_t *words)
{
    ux_words_add(out, "%.*s would win, but harms a guardrail: ",
                 ux_word(words->harm.variant));
    ux_words_effect(out, &words->harm);
    ux_words_add(out, "; %.3g %% worse was allowed.", 100 * words->margin);

    if (ux_words_measured(&words->effect)) {
        ux_words_add(out, " Its goal: ");
        ux_words_effect(out, &words->effect);
        ux_words_add(out, ".");
    }
}


static void
ux_words_winner(ux_sentence_t *out, const ux_words_t *words)
{
    ux_words_add(out, "%.*s wins: ", ux_word(words->effect.variant));
    ux_words_effect(out, &words->effect);
    ux_words_add(out, ".");
    ux_words_zero(out, &words->effect);
}


/*
 * Decided by the smallest p there was: by now the interval may be wider than
 * it was at that look.  And it allows for all comparisons alike, where Holm's
 * rule asks less of each once the one before has passed.
 */
static void
ux_words_zero(ux_sentence_t *out, const ux_words_effect_t *effect)
{
    ux_interval_t  ci;

    ci = ux_words_bounded(effect->lift_ci) ? effect->lift_ci
                                           : effect->difference_ci;

    if (!(ci.lo <= 0 && ci.hi >= 0)) {
        return;
    }

    ux_words_add(out, effect->passes
                      ? " That interval is wide enough for all comparisons "
                        "at once; Holm's rule, which decides, asks less of "
                        "this one."
                      : " That was decided at an earlier look; the figures "
                        "of now would not show it.");
}


static void
ux_words_control(ux_sentence_t *out, const ux_words_t *words)
{
    ux_words_add(out, "The control wins: %.*s, the best of the others, has ",
                 ux_word(words->effect.variant));
    ux_words_effect(out, &words->effect);
    ux_words_add(out, ".");
    ux_words_zero(out, &words->effect);
}


/* Of all comparisons together: each alone is surer. */
static void
ux_words_same(ux_sentence_t *out, const ux_words_t *words)
{
    ux_words_add(out, "No difference that matters: each lift is within "
                      "%.3g %% either way, ", 100 * words->equivalence);
    ux_words_level(out, words->level);
    ux_words_add(out, " whenever you look. Take what is simpler.");
}


static void
ux_words_inconclusive(ux_sentence_t *out, const ux_words_t *words)
{
    if (words->ended) {
        ux_words_add(out, "No winner: it ended, and what differs may be "
                          "chance.");

    } else {
        ux_words_add(out, "No winner: the planned ");
        ux_words_count(out, words->planned_visitors);
        ux_words_add(out, " visitors of each pair are reached, and what "
                          "differs may be chance.");
    }

    if (!words->ended && !words->runtime_met) {
        ux_words_add(out, " Nothing is decided before the minimum runtime "
                          "is over: ");
        ux_words_more(out, words->runtime_left);
        ux_words_add(out, ".");
    }

    ux_words_so_far(out, &words->effect);
}


static void
ux_words_stopped(ux_sentence_t *out, const ux_words_t *words)
{
    ux_words_add(out, "Stopped too early to conclude anything: %s%s%s.",
                 words->gate ? "" : "too few visitors",
                 words->gate || words->runtime_met ? "" : ", and ",
                 words->runtime_met ? ""
                                    : "the minimum runtime was not over");
}


static void
ux_words_collecting(ux_sentence_t *out, const ux_words_t *words)
{
    if (words->phase == UX_PHASE_SCHEDULED) {
        ux_words_add(out, "Not started yet.");
        return;
    }

    if (words->phase == UX_PHASE_PAUSED) {
        ux_words_add(out, "Paused: nobody is counted, so nothing will be "
                          "decided until it runs again.");

    } else if (words->visitors == 0) {
        ux_words_add(out, "Not yet: nobody has been counted so far.");

    } else {
        ux_words_wait(out, words);
    }

    ux_words_so_far(out, &words->effect);
}


static void
ux_words_wait(ux_sentence_t *out, const ux_words_t *words)
{
    double  days;

    ux_words_add(out, "Not yet: ");

    if (isnan(words->planned_left)) {
        ux_words_add(out, "it is too early to say how long the planned "
                          "visitors take");

        if (words->runtime_left > 0) {
            ux_words_add(out, "; at least ");
            ux_words_more(out, words->runtime_left);
            ux_words_add(out, ", the minimum runtime");
        }

        ux_words_add(out, ".");
        return;
    }

    days = fmax(words->planned_left, words->runtime_left);

    ux_words_add(out, days >= 1.0 / 24 && days < 366 ? "about " : "");
    ux_words_more(out, days);

    if (words->runtime_left > words->planned_left) {
        ux_words_add(out, ", the minimum runtime.");

    } else {
        ux_words_add(out, " at this traffic, up to the planned ");
        ux_words_count(out, words->planned_visitors);
        ux_words_add(out, " visitors of each pair; a clear difference is "
                          "decided sooner");

        if (words->runtime_left > 0) {
            ux_words_add(out, ", but not before the minimum runtime is "
                              "over: ");
            ux_words_more(out, words->runtime_left);
        }

        ux_words_add(out, ".");
    }

    if (words->stop_left < days) {
        ux_words_add(out, " Its stop comes before that: ");
        ux_words_more(out, words->stop_left);
        ux_words_add(out, ".");
    }
}


static void
ux_words_so_far(ux_sentence_t *out, const ux_words_effect_t *effect)
{
    if (effect->variant.len == 0 || !ux_words_measured(effect)) {
        return;
    }

    ux_words_add(out, " So far %.*s has ", ux_word(effect->variant));
    ux_words_effect(out, effect);
    ux_words_add(out, ".");
}


/*
 * "+8.2 % purchase rate, 95 % sure it is between +1.9 and +14.8 % whenever
 * you look"; a difference where the control is too small to divide by.
 */
static void
ux_words_effect(ux_sentence_t *out, const ux_words_effect_t *effect)
{
    double         of, value;
    const char    *unit;
    ux_interval_t  ci;

    if (ux_words_bounded(effect->lift_ci) && isfinite(effect->lift)) {
        value = effect->lift;
        ci = effect->lift_ci;
        unit = " %";
        of = 100;

    } else {
        value = effect->difference;
        ci = effect->difference_ci;
        of = effect->type == UX_METRIC_CONVERSION ? 100 : 1;
        unit = effect->type == UX_METRIC_CONVERSION ? " points" : "";
    }

    if (!isfinite(value)) {
        ux_words_add(out, "no figure for ");
        ux_words_metric(out, effect);
        return;
    }

    ux_words_change(out, of * value);
    ux_words_add(out, "%s ", unit);
    ux_words_metric(out, effect);

    if (effect->lower_is_better) {
        ux_words_add(out, " (lower is better)");
    }

    if (ux_words_bounded(ci)) {
        ux_words_add(out, ", ");
        ux_words_level(out, effect->level);
        ux_words_add(out, " it is between ");
        ux_words_change(out, of * ci.lo);
        ux_words_add(out, " and ");
        ux_words_change(out, of * ci.hi);
        ux_words_add(out, "%s whenever you look", unit);
    }
}


/* Three figures; no power of ten in what somebody may meet. */
static void
ux_words_change(ux_sentence_t *out, double value)
{
    ux_words_add(out, fabs(value) < 999.5 || fabs(value) > 1e12 ? "%+.3g"
                                                                : "%+.0f",
                 fabs(value) < 0.0001 ? 0 : value);
}


/* "97.5 % sure"; nothing is 100 %. */
static void
ux_words_level(ux_sentence_t *out, double level)
{
    int  digits;

    digits = 3;

    while (digits < 9 && 100 - 100 * level < 0.5 * pow(10, 2 - digits)) {
        digits++;
    }

    ux_words_add(out, "%.*g %% sure", digits, 100 * level);
}


/* Is there an interval to be sure of? */
static bool
ux_words_measured(const ux_words_effect_t *effect)
{
    return (ux_words_bounded(effect->lift_ci) && isfinite(effect->lift))
           || (ux_words_bounded(effect->difference_ci)
               && isfinite(effect->difference));
}


static bool
ux_words_bounded(ux_interval_t interval)
{
    return isfinite(interval.lo) && isfinite(interval.hi);
}


static void
ux_words_metric(ux_sentence_t *out, const ux_words_effect_t *effect)
{
    static const char *const  what[] = {
        [UX_METRIC_CONVERSION] = "rate",
        [UX_METRIC_MEAN] = "per visitor",
        [UX_METRIC_COUNT] = "events per visitor",
        [UX_METRIC_RATIO] = "per event"
    };

    ux_words_add(out, "%.*s %s", ux_word(effect->metric),
                 what[effect->type]);
}


/* Rounded up: who comes then finds it over. */
static void
ux_words_more(ux_sentence_t *out, double days)
{
    bool    hours;
    double  n;

    if (days >= 366) {
        ux_words_add(out, "more than a year");
        return;
    }

    if (days < 1.0 / 24) {
        ux_words_add(out, "less than an hour");
        return;
    }

    hours = days <= 23.0 / 24;
    n = ceil(hours ? 24 * days : days);

    ux_words_add(out, "%.0f more %s%s", n, hours ? "hour" : "day",
                 n > 1 ? "s" : "");
}


static void
ux_words_count(ux_sentence_t *out, uint64_t n)
{
    if (n >= 1000) {
        ux_words_count(out, n / 1000);
        ux_words_add(out, ",%03u", (unsigned) (n % 1000));
        return;
    }

    ux_words_add(out, "%u", (unsigned) n);
}
