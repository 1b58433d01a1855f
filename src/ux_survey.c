
/*
 * Copyright (C) the nginx-ux authors
 *
 * An answer is counted where the visitor stands: among those who purchased
 * since their exposure, or not.
 *
 *                      answer                      purchase
 *      no answer  -------------->  not purchased  ---------->  purchased
 *      purchased  ---------------------------------------------^  answer
 *
 * Both are the first of their kind inside the window, so each visitor is in
 * one cell of a survey at most, and what ux_track_cross() takes back is told
 * by the record: the answer, and the purchase among the events seen.
 */

#include "ux_survey.h"
#include "ux_apply.h"
#include "ux_number.h"

#include <string.h>




const ux_survey_t  ux_surveys[UX_SURVEYS] = {
    [UX_SURVEY_NPS] = { ux_str("nps"), 0, 10, 0 },
    [UX_SURVEY_CSAT] = { ux_str("csat"), 1, 5, 11 },
    [UX_SURVEY_CES] = { ux_str("ces"), 1, 7, 11 + 5 }
};


uint32_t
ux_survey_cell(unsigned survey, unsigned answer, bool purchased)
{
    const ux_survey_t  *s;

    s = &ux_surveys[survey];

    return s->at + (answer - s->from) + (purchased ? UX_SURVEY_ANSWERS : 0);
}


unsigned
ux_survey_find(ux_str_t name)
{
    unsigned  i;

    for (i = 0; i < UX_SURVEYS; i++) {
        if (ux_str_equal(ux_surveys[i].name, name)) {
            break;
        }
    }

    return i;
}


unsigned
ux_survey_of(const ux_model_t *model, uint8_t event)
{
    /* GA4's own names are none */

    if (event < UX_EVENT_BUILTIN || event >= UX_EVENTS_MAX
        || event >= model->nevents)
    {
        return UX_SURVEYS;
    }

    return ux_survey_find(model->events[event]);
}


bool
ux_survey_known(const ux_model_t *model)
{
    unsigned  i;

    for (i = 0; i < UX_SURVEYS; i++) {
        if (ux_model_event_find(model, ux_surveys[i].name) >= 0) {
            return true;
        }
    }

    return false;
}


void
ux_survey_add(ux_model_t *model)
{
    uint8_t   index;
    unsigned  i;

    for (i = 0; i < UX_SURVEYS; i++) {
        (void) ux_model_event_add(model, ux_surveys[i].name, &index);
    }
}


/* Money would be rounded. */
ux_status_t
ux_survey_parse(ux_str_t word, unsigned exponent, int64_t *value)
{
    bool    fraction;
    size_t  i;

    fraction = false;

    for (i = 0; i < word.len; i++) {
        if (fraction && word.data[i] != '0') {
            return UX_ERROR;
        }

        fraction = fraction || word.data[i] == '.';
    }

    return ux_money_parse(word, exponent, value);
}


bool
ux_survey_answers(const ux_model_t *model, unsigned survey,
    const ux_event_t *event, unsigned *answer)
{
    int64_t             unit, n;
    const ux_survey_t  *s;

    if (!ux_apply_money(event)) {
        return false;
    }

    s = &ux_surveys[survey];
    unit = ux_currency_unit(model->currency);
    n = event->value / unit;

    if (event->value % unit != 0 || n < s->from || n > s->to) {
        return false;
    }

    if (answer != NULL) {
        *answer = (unsigned) n;
    }

    return true;
}


bool
ux_survey_repeated(const ux_plan_t *plan, const ux_visitor_t *visitor,
    unsigned survey, const ux_event_t *event)
{
    uint8_t            slot;
    unsigned           i;
    const ux_arm_t    *arm;
    const ux_track_t  *track;

    slot = plan->model->event_slots[event->event];

    /* of one who is not confirmed it waits */

    for (i = 0; i < visitor->npending; i++) {
        if (visitor->pending[i].event == slot) {
            return true;
        }
    }

    for (i = 1; i < visitor->ntracks; i++) {
        track = &visitor->tracks[i];

        if (!ux_track_counts(plan, track, event->now_ms)) {
            continue;
        }

        arm = &plan->arms[track->arm];

        if (arm->surveys != 0 && track->answers[survey] == 0
            && ux_apply_in_window(plan, arm, track, event->now_ms))
        {
            return false;
        }
    }

    return (visitor->tracks[0].events & ux_apply_bit(slot)) != 0;
}


void
ux_survey_event(const ux_plan_t *plan, const ux_arm_t *arm,
    ux_track_t *track, const ux_event_t *event, uint8_t index,
    ux_changes_t *changes)
{
    bool      purchased;
    uint64_t  purchase;
    unsigned  survey, answer;

    if (arm->surveys == 0) {
        return;
    }

    purchase = ux_apply_bit(plan->model->event_slots[UX_EVENT_PURCHASE]);
    purchased = (track->events & purchase) != 0;

    if (index == UX_EVENT_PURCHASE && purchase != 0 && !purchased) {
        ux_survey_count(changes, arm->surveys, track, false, -1);
        ux_survey_count(changes, arm->surveys, track, true, 1);
        return;
    }

    survey = ux_survey_of(plan->model, index);

    if (survey < UX_SURVEYS && track->answers[survey] == 0
        && ux_survey_answers(plan->model, survey, event, &answer))
    {
        track->answers[survey] = (uint8_t) (answer + 1);

        ux_changes_add(changes, arm->surveys
                                + ux_survey_cell(survey, answer, purchased),
                       1);
    }
}


void
ux_survey_count(ux_changes_t *changes, uint32_t first,
    const ux_track_t *track, bool purchased, int delta)
{
    unsigned  i, answer;

    for (i = 0; first != 0 && i < UX_SURVEYS; i++) {

        if (track->answers[i] == 0) {
            continue;
        }

        answer = track->answers[i] - 1u;

        if (answer >= ux_surveys[i].from && answer <= ux_surveys[i].to) {
            ux_changes_add(changes,
                           first + ux_survey_cell(i, answer, purchased),
                           delta);
        }
    }
}
