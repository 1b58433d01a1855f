
/*
 * Copyright (C) the nginx-ux authors
 *
 * Answers to surveys: what is one, which one stands, where it is counted.
 */

#include "tap.h"
#include "track_case.h"


#define UNIT  100                  /* of the currency 0 */

static uint8_t  surveys[UX_SURVEYS];


static void
begin(void)
{
    unsigned  i;

    setup(2);

    for (i = 0; i < UX_SURVEYS; i++) {
        (void) ux_model_event_add(&w.model, ux_surveys[i].name, &surveys[i]);
    }
}


static int64_t
count(unsigned arm, unsigned survey, unsigned answer, bool purchased)
{
    return (int64_t) w.cells[w.arms[arm].surveys
                             + ux_survey_cell(survey, answer, purchased)];
}


/* Of all answers of an arm. */
static int64_t
all(unsigned arm)
{
    int64_t   sum;
    unsigned  i;

    sum = 0;

    for (i = 0; i < UX_TIMINGS_SURVEYS_CELLS; i++) {
        sum += (int64_t) w.cells[w.arms[arm].surveys + i];
    }

    return sum;
}


static void
test_answers(void)
{
    bool      right;
    int64_t   n, part;
    unsigned  i;

    for (i = 0; i < UX_SURVEYS; i++) {
        right = true;

        for (n = -1; n <= 12; n++) {
            for (part = 0; part < UNIT; part++) {
                begin();
                event(surveys[i], n * UNIT + part, T0);
                right = right
                        && (why == UX_DISCARD_BAD_EVENT)
                           == (part != 0 || n < ux_surveys[i].from
                               || n > ux_surveys[i].to);
            }
        }

        ok(right, "%s: whole numbers of its scale", ux_surveys[i].name.data);
    }

    begin();
    ok(event(surveys[0], NONE, T0) == UX_DECLINED
       && why == UX_DISCARD_BAD_EVENT, "none without a value");
    event_foreign(surveys[0], 5 * UNIT, 9);
    ok(why == UX_DISCARD_BAD_EVENT, "nor of foreign money");
}


static void
test_cells(void)
{
    bool      seen[UX_TIMINGS_SURVEYS_CELLS] = { false };
    uint32_t  cell;
    unsigned  i, k, answer, wrong;

    wrong = 0;

    for (i = 0; i < UX_SURVEYS; i++) {
        for (answer = ux_surveys[i].from; answer <= ux_surveys[i].to;
             answer++)
        {
            for (k = 0; k < 2; k++) {
                cell = ux_survey_cell(i, answer, k != 0);
                wrong += cell >= UX_TIMINGS_SURVEYS_CELLS || seen[cell];
                seen[cell % UX_TIMINGS_SURVEYS_CELLS] = true;
            }
        }
    }

    for (i = 0; i < UX_TIMINGS_SURVEYS_CELLS; i++) {
        wrong += !seen[i];
    }

    ok(wrong == 0, "a cell for each answer, with a purchase and without");
}


static void
test_words(void)
{
    size_t    i;
    int64_t   value;
    ux_str_t  word;

    static const struct {
        const char  *word;
        int64_t      value;          /* -1: none */
    }  words[] = {
        { "9", 900 }, { "9.0", 900 }, { "9.000000", 900 }, { "10", 1000 },
        { "0", 0 }, { "0.00", 0 }, { "9.5", -1 }, { "9.001", -1 },
        { "9.", -1 }, { "9..0", -1 }, { "9.0.0", -1 }, { "-1", -1 },
        { "", -1 }, { ".0", -1 }, { "x", -1 }, { "9e0", -1 }
    };

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        word.data = words[i].word;
        word.len = strlen(words[i].word);
        value = -1;

        ok((ux_survey_parse(word, 2, &value) == UX_OK)
               == (words[i].value >= 0)
           && (words[i].value < 0 || value == words[i].value),
           "\"%s\"", words[i].word);
    }

    word.data = "7";
    word.len = 1;
    ok(ux_survey_parse(word, 0, &value) == UX_OK && value == 7
       && ux_survey_parse(word, 3, &value) == UX_OK && value == 7000,
       "in the units of a currency");
}


static void
test_first(void)
{
    unsigned  arm = world_arm(0, 0, 0), other = world_arm(1, 0, 1);

    begin();
    expose(0, 0, T0);
    event(surveys[0], 9 * UNIT, T0);
    ok(count(arm, 0, 9, false) == 1 && all(arm) == 1, "an answer");

    ok(event(surveys[0], 3 * UNIT, T0 + 1) == UX_DECLINED
       && why == UX_DISCARD_DUPLICATE && all(arm) == 1
       && world_cell(&w, arm, UX_ARM_EVENT_COUNT + surveys[0]) == 1
       && w.cells[UX_ZONE_EVENTS + surveys[0]] == 1,
       "another is a duplicate, and no event");

    expose(1, 1, T0 + 2);
    ok(event(surveys[0], 4 * UNIT, T0 + 3) == UX_OK
       && count(other, 0, 4, false) == 1 && all(arm) == 1
       && world_cell(&w, arm, UX_ARM_EVENT_COUNT + surveys[0]) == 1,
       "but the first one of a later exposure, and of that only");
    ok(event(surveys[0], 4 * UNIT, T0 + 4) == UX_DECLINED,
       "then it is one, too");

    begin();
    w.experiments[0].window_ms = DAY;
    expose(0, 0, T0);
    event(surveys[1], 4 * UNIT, T0 + DAY + 1);
    ok(why == UX_DISCARD_AFTER_WINDOW && all(arm) == 0,
       "after the window: an event, but no answer of the experiment");
    event(surveys[1], 4 * UNIT, T0 + DAY + 2);
    ok(why == UX_DISCARD_DUPLICATE, "and said once");

    begin();
    event(surveys[2], 7 * UNIT, T0);
    expose(0, 0, T0 + 1);
    ok(all(arm) == 0 && event(surveys[2], 1 * UNIT, T0 + 2) == UX_OK
       && count(arm, 2, 1, false) == 1,
       "an answer before the exposure stands for nothing");
}


static void
test_purchase(void)
{
    unsigned  arm = world_arm(0, 0, 0);

    begin();
    event(BUY, 5, T0);
    expose(0, 0, T0);
    event(surveys[0], 9 * UNIT, T0);
    ok(count(arm, 0, 9, false) == 1, "a purchase before the exposure is none");
    event(BUY, 5, T0);
    ok(count(arm, 0, 9, false) == 0 && count(arm, 0, 9, true) == 1,
       "one after it moves the answer");
    event(BUY, 5, T0);
    event(REFUND, 10, T0);
    ok(count(arm, 0, 9, true) == 1 && all(arm) == 1, "once, and for good");
    event(surveys[1], 1 * UNIT, T0);
    ok(count(arm, 1, 1, true) == 1 && all(arm) == 2, "an answer after it");

    ux_changes_clear(&w.changes);
    ok(ux_track_cross(&w.plan, &v, 1, T0, true, &w.changes), "crossed over");
    world_apply(&w);
    ok(all(arm) == 0 && count(arm, 0, 9, true) == 0
       && count(arm, 1, 1, true) == 0, "all of it is taken back");
    ok(event(surveys[2], 2 * UNIT, T0) == UX_OK && all(arm) == 0,
       "and nothing counts again");
}


static void
test_waiting(void)
{
    unsigned  arm = world_arm(0, 0, 0);

    begin();
    v.confirmed = false;
    expose(0, 0, T0);
    event(surveys[0], 6 * UNIT, T0);
    ok(event(surveys[0], 8 * UNIT, T0) == UX_DECLINED
       && why == UX_DISCARD_DUPLICATE && all(arm) == 0, "it waits, once");

    ux_changes_clear(&w.changes);
    ux_track_confirm(&w.plan, &v, &w.changes);
    world_apply(&w);
    ok(count(arm, 0, 6, false) == 1 && all(arm) == 1,
       "and counts with the confirmation");
    ok(event(surveys[0], 8 * UNIT, T0) == UX_DECLINED, "and stands");
}


/* A zone that had no room for them. */
static void
test_uncounted(void)
{
    unsigned  arm = world_arm(0, 0, 0);

    begin();
    w.arms[arm].surveys = 0;
    expose(0, 0, T0);
    ok(event(surveys[0], 6 * UNIT, T0) == UX_OK
       && v.tracks[1].answers[0] == 0, "without cells nothing is kept");
    ok(event(surveys[0], 6 * UNIT, T0) == UX_DECLINED, "and said once");
}


int
main(void)
{
    test_answers();
    test_cells();
    test_words();
    test_first();
    test_purchase();
    test_waiting();
    test_uncounted();

    return done();
}
