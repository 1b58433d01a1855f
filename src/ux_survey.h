
/*
 * Copyright (C) the nginx-ux authors
 *
 * Surveys: what visitors answer to three questions, by name of the event that
 * tells it.  The first answer after an exposure stands for that exposure.
 */

#ifndef UX_SURVEY_H
#define UX_SURVEY_H


#include "ux_track.h"


typedef enum {
    UX_SURVEY_NPS = 0,             /* would you recommend us: 0..10 */
    UX_SURVEY_CSAT,                /* how satisfied are you: 1..5 */
    UX_SURVEY_CES                  /* how easy was it: 1..7 */
} ux_survey_e;


typedef struct {
    ux_str_t  name;                /* of the event */
    uint8_t   from;                /* answers are whole numbers */
    uint8_t   to;
    uint8_t   at;                  /* cell of the first one */
} ux_survey_t;

extern const ux_survey_t  ux_surveys[UX_SURVEYS];


/*
 * A block of UX_TIMINGS_SURVEYS: a count for each answer of each survey, of
 * visitors who have not purchased since their exposure, then of those who
 * have.
 */
#define UX_SURVEY_ANSWERS         (11 + 5 + 7)
#define UX_TIMINGS_SURVEYS_CELLS  (2 * UX_SURVEY_ANSWERS)

/* The count of an answer, from..to, in the block. */
uint32_t ux_survey_cell(unsigned survey, unsigned answer, bool purchased);


/* The survey whose event has this name, or UX_SURVEYS: it is none. */
unsigned ux_survey_find(ux_str_t name);

/* The same of the index of an event; and is any known to the model? */
unsigned ux_survey_of(const ux_model_t *model, uint8_t event);
bool ux_survey_known(const ux_model_t *model);

/* Makes them known, as far as the model has room for events. */
void ux_survey_add(ux_model_t *model);

/*
 * The value of an answer, in minor units of a currency with so many digits,
 * as all events have it: a number without a fraction.  UX_ERROR: it is none.
 */
ux_status_t ux_survey_parse(ux_str_t word, unsigned exponent,
    int64_t *value);

/*
 * Is the event an answer of the survey?  *answer + 1 is what a track keeps of
 * it; may be NULL.
 */
bool ux_survey_answers(const ux_model_t *model, unsigned survey,
    const ux_event_t *event, unsigned *answer);

/*
 * Did the visitor answer before, so that this answer stands for no exposure
 * and is no first one?
 */
bool ux_survey_repeated(const ux_plan_t *plan, const ux_visitor_t *visitor,
    unsigned survey, const ux_event_t *event);

/*
 * An event inside the window of the track, not yet in its masks; index as in
 * the model.
 */
void ux_survey_event(const ux_plan_t *plan, const ux_arm_t *arm,
    ux_track_t *track, const ux_event_t *event, uint8_t index,
    ux_changes_t *changes);

/*
 * delta for every answer of the track in the block that begins with this
 * cell; nothing for 0.
 */
void ux_survey_count(ux_changes_t *changes, uint32_t first,
    const ux_track_t *track, bool purchased, int delta);


#endif
