
/*
 * Copyright (C) the nginx-ux authors
 *
 * Surveys of a variant: how many answered, what, and what score that is.
 *
 * A score is a mean of what an answer is worth: of NPS 100, 0 or -100, of
 * CSAT 1 or 0, of CES the answer itself.
 */

#include "ux_report_private.h"
#include "ux_special.h"
#include "ux_survey.h"
#include "ux_timing.h"

#include <math.h>
#include <stdio.h>


#define UX_REPORT_SURVEY_LEVEL  0.95

#define UX_REPORT_PROMOTER      9
#define UX_REPORT_PASSIVE       7
#define UX_REPORT_SATISFIED     4


/* Answers of some visitors: how many gave each, from s->from on. */
typedef struct {
    unsigned            survey;
    const ux_survey_t  *s;
    uint64_t            counts[UX_SURVEY_SCALE];
    uint64_t            n;
} ux_report_answers_t;


static void ux_report_put_survey(ux_json_t *surveys,
    const ux_result_t *view, uint32_t first, unsigned survey,
    uint64_t visitors);
static void ux_report_read_answers(ux_report_answers_t *answers,
    const ux_result_t *view, uint32_t first, bool purchased);
static void ux_report_put_score_ci(ux_json_t *object,
    const ux_report_answers_t *answers);
static void ux_report_put_groups(ux_json_t *object,
    const ux_report_answers_t *answers);
static void ux_report_put_distribution(ux_json_t *object,
    const ux_report_answers_t *answers);
static void ux_report_put_part(ux_json_t *object, const char *name,
    const ux_report_answers_t *answers);
static double ux_report_score(const ux_report_answers_t *answers);
static int ux_report_worth(unsigned survey, unsigned answer);
static uint64_t ux_report_between(const ux_report_answers_t *answers,
    unsigned from, unsigned to);


void
ux_report_put_surveys(ux_json_t *variant, const ux_result_t *view,
    const ux_result_variant_t *of, uint64_t visitors)
{
    uint32_t    first;
    unsigned    i;
    ux_json_t  *surveys;

    surveys = ux_json_object(variant, "surveys");
    first = ux_result_timings(view, of, UX_TIMINGS_SURVEYS, 0,
                              UX_TIMINGS_SURVEYS_CELLS);

    for (i = 0; i < UX_SURVEYS; i++) {
        ux_report_put_survey(surveys, view, first, i, visitors);
    }
}


static void
ux_report_put_survey(ux_json_t *surveys, const ux_result_t *view,
    uint32_t first, unsigned survey, uint64_t visitors)
{
    unsigned             i;
    ux_json_t           *object;
    ux_report_key_t      key;
    ux_report_answers_t  all, with, without;

    with.survey = survey;
    with.s = &ux_surveys[survey];
    without.survey = survey;
    without.s = with.s;

    ux_report_read_answers(&with, view, first, true);
    ux_report_read_answers(&without, view, first, false);

    all = with;
    all.n += without.n;

    for (i = 0; i < UX_SURVEY_SCALE; i++) {
        all.counts[i] += without.counts[i];
    }

    object = ux_json_object(surveys, ux_report_key(&key, all.s->name));

    ux_report_put_count(object, "answers", all.n);
    ux_report_put_rate(object, "response_rate", all.n, visitors);
    ux_report_put_interval(object, "response_ci", all.n, visitors);
    ux_json_number(object, "score", ux_report_score(&all));
    ux_report_put_score_ci(object, &all);
    ux_json_number(object, "ci_level", UX_REPORT_SURVEY_LEVEL);

    if (survey == UX_SURVEY_NPS) {
        ux_report_put_groups(object, &all);
    }

    ux_report_put_distribution(object, &all);
    ux_report_put_part(object, "purchased", &with);
    ux_report_put_part(object, "not_purchased", &without);
}


/* An answer on its way from one part to the other may be in none. */
static void
ux_report_read_answers(ux_report_answers_t *answers, const ux_result_t *view,
    uint32_t first, bool purchased)
{
    uint32_t  cell;
    unsigned  i;

    answers->n = 0;

    for (i = 0; i < UX_SURVEY_SCALE; i++) {
        answers->counts[i] = 0;

        if (first == 0 || answers->s->from + i > answers->s->to) {
            continue;
        }

        cell = first + ux_survey_cell(answers->survey, answers->s->from + i,
                                      purchased);

        answers->counts[i] =
            ux_result_count(ux_counter_read(&view->store->counter, cell));
        answers->n += answers->counts[i];
    }
}


/* A mean beyond the scale is none that answers could have. */
static void
ux_report_put_score_ci(ux_json_t *object, const ux_report_answers_t *answers)
{
    int                 worth;
    double              mean, half, lo, hi, variance;
    int64_t             sum;
    unsigned            i;
    ux_u128_t           squares;
    const ux_survey_t  *s;

    s = answers->s;

    if (answers->survey == UX_SURVEY_CSAT) {
        ux_report_put_interval(object, "score_ci",
                               ux_report_between(answers, UX_REPORT_SATISFIED,
                                                 s->to), answers->n);
        return;
    }

    if (answers->n < 2) {
        ux_json_null(object, "score_ci");
        return;
    }

    sum = 0;
    squares = 0;

    for (i = s->from; i <= s->to; i++) {
        worth = ux_report_worth(answers->survey, i);
        sum += worth * (int64_t) answers->counts[i - s->from];
        squares += (ux_u128_t) (worth * worth) * answers->counts[i - s->from];
    }

    mean = ux_stats_mean(answers->n, sum);
    variance = ux_stats_variance(answers->n, sum, squares);

    /* that all answer alike tells nothing of who did not */

    if (variance == 0) {
        ux_json_null(object, "score_ci");
        return;
    }

    half = ux_special_t_quantile(1 - UX_REPORT_SURVEY_LEVEL,
                                 (double) (answers->n - 1))
           * sqrt(variance / (double) answers->n);

    lo = ux_report_worth(answers->survey, s->from);
    hi = ux_report_worth(answers->survey, s->to);

    ux_json_interval(object, "score_ci", fmax(mean - half, lo),
                     fmin(mean + half, hi));
}


static void
ux_report_put_groups(ux_json_t *object, const ux_report_answers_t *answers)
{
    ux_report_put_count(object, "promoters",
                        ux_report_between(answers, UX_REPORT_PROMOTER, 10));
    ux_report_put_count(object, "passives",
                        ux_report_between(answers, UX_REPORT_PASSIVE,
                                          UX_REPORT_PROMOTER - 1));
    ux_report_put_count(object, "detractors",
                        ux_report_between(answers, 0,
                                          UX_REPORT_PASSIVE - 1));
}


static void
ux_report_put_distribution(ux_json_t *object,
    const ux_report_answers_t *answers)
{
    char        name[4];
    unsigned    i;
    ux_json_t  *distribution;

    distribution = ux_json_object(object, "distribution");

    for (i = answers->s->from; i <= answers->s->to; i++) {
        (void) snprintf(name, sizeof(name), "%u", i % 100);
        ux_report_put_count(distribution, name,
                            answers->counts[i - answers->s->from]);
    }
}


static void
ux_report_put_part(ux_json_t *object, const char *name,
    const ux_report_answers_t *answers)
{
    object = ux_json_object(object, name);

    ux_report_put_count(object, "answers", answers->n);
    ux_json_number(object, "score", ux_report_score(answers));
}


/* NaN, and so null, of no answers. */
static double
ux_report_score(const ux_report_answers_t *answers)
{
    int64_t   sum;
    unsigned  i;

    sum = 0;

    for (i = answers->s->from; i <= answers->s->to; i++) {
        sum += ux_report_worth(answers->survey, i)
               * (int64_t) answers->counts[i - answers->s->from];
    }

    return ux_stats_mean(answers->n, sum);
}


static int
ux_report_worth(unsigned survey, unsigned answer)
{
    switch (survey) {

    case UX_SURVEY_NPS:
        return answer >= UX_REPORT_PROMOTER ? 100
               : answer >= UX_REPORT_PASSIVE ? 0 : -100;

    case UX_SURVEY_CSAT:
        return answer >= UX_REPORT_SATISFIED;

    default:
        return (int) answer;
    }
}


/* How many answers are from..to. */
static uint64_t
ux_report_between(const ux_report_answers_t *answers, unsigned from,
    unsigned to)
{
    uint64_t  n;
    unsigned  i;

    n = 0;

    for (i = from; i <= to; i++) {
        n += answers->counts[i - answers->s->from];
    }

    return n;
}
