
/*
 * Copyright (C) the nginx-ux authors
 *
 * The one event path.  A visitor is a row of tracks:
 *
 *   tracks[0]   its life: what it ever did, whether exposed or not
 *   tracks[1]   since the exposure to one experiment
 *   ...
 *
 * An event is applied to the life first, which decides what the occurrence
 * reached in funnels, then to each exposure in whose window it falls.  Only
 * exposures move the counters of arms; the life serves the order of funnels,
 * carts carried in, and refunds.  While an experiment is paused its tracks
 * stand still, bits and all; the life goes on.
 *
 * Invariants: a counter of visitors moves once a visitor, because the bit that
 * remembers it is set with it.  Sums are those of the visitor's running total
 * r, so that the arm's sum and sum of squares are exact at every moment; so
 * are a ratio's counts and products, which move with the sum they belong to.
 * Denominators are listed before their numerators.
 *
 * An unconfirmed visitor has made one request, or it would be confirmed (its
 * cookie would have come back).  That request's exposures come before its
 * events, and so does whatever else may follow by another way, such as a
 * beacon of the shop's own server that names the visitor: the pending events
 * are all younger than the exposures, and none is tested for it.  Tracks that
 * wait for a prefetched page take no event, and are settled after the visitor
 * is confirmed.
 *
 * Bounds: the most changes of one turn of a record, every limit of the model
 * used up at once, against UX_CHANGES_MAX and UX_RING_CHANGES_MAX:
 *
 *                           cells                              ring cells
 *   totals, per event       revenue 9, mean 4, count 4, ratio 9
 *                                                      = 26
 *   cart funnel, per event  2                                  2
 *   track, per event        2 + 2 journey + 2 orders
 *                           + 16 steps + 16 times
 *                           + 16 tasks x 2 + 16 returns
 *                           + 2 x 3 answers
 *                           + 26 + 8 x 2               = 134   8 x 2 = 16
 *   event                   5 + 16 x 134               = 2149  16 x 16 = 256
 *   vital, in its place     1 + 17 x 4                 = 69
 *   expose, settle          3 + 64 steps + 8 x 2       = 83    8
 *   page                    2 x 3, a prefetched one before it
 *   form sent               2 x (1 + 16)               = 34
 *   confirm, 16 events      1 + 16 discards
 *     each of 16 tracks     7 + 16 x 134, but a track's      16 x 16 = 256
 *                           steps, their times, tasks
 *                           and answers count once    = 1200
 *                           17 + 16 x 1200            = 19217  4096
 *   cross                   5 + 64 events + 2 x 64 steps
 *                           + 16 stages + 3 answers            8 + 16 x 2
 *                           + 8 x 9 + 8 x 4 + 16 pasts x 2     = 40
 *                                                     = 352
 *
 *   confirm, 16 exposures on a page, a form, 3 events, 16 crossings
 *                                                     = 32754   5632
 *
 * An event is in four totals at most: two of the same event and type would be
 * one slot of the registry, and are one of the model.
 */

#include "ux_track.h"
#include "ux_apply.h"
#include "ux_number.h"
#include "ux_survey.h"

#include <string.h>


/* one that is no ratio leaves out COUNT and all behind it */
#define UX_TRACK_TOTAL_CELLS    (2 * UX_TOTAL_COUNT + 2 * UX_TOTAL_CELLS)
#define UX_TRACK_EVENT_CELLS    (6 + UX_FUNNELS_MAX * 5 + UX_SURVEYS * 2     \
                                 + UX_TRACK_TOTAL_CELLS + UX_CARTS_MAX * 2)
#define UX_TRACK_CONFIRM_CELLS  (1 + UX_PENDING_MAX                          \
                                 + (UX_TRACKS_MAX - 1)                       \
                                   * (7 + (UX_STEPS_MAX + UX_FUNNELS_MAX)    \
                                          * 2                                \
                                      + UX_SURVEYS * 3                       \
                                      + UX_PENDING_MAX                       \
                                        * (UX_TRACK_EVENT_CELLS              \
                                           - UX_FUNNELS_MAX * 4              \
                                           - UX_SURVEYS * 2)))
#define UX_TRACK_EXPOSE_CELLS   (3 + UX_STEPS_MAX + UX_CARTS_MAX * 2)
#define UX_TRACK_PAGE_CELLS     6
#define UX_TRACK_POST_CELLS     (2 * UX_TRACKS_MAX)
#define UX_TRACK_CROSS_CELLS    (5 + UX_EVENTS_MAX + 2 * UX_STEPS_MAX        \
                                 + UX_STAGES_MAX + UX_SURVEYS                \
                                 + UX_TOTALS_MAX * UX_TOTAL_CELLS            \
                                 + UX_CARTS_MAX * 4 + UX_PASTS_MAX * 2)
#define UX_TRACK_RING_CELLS     ((UX_TRACKS_MAX - 1) * UX_CARTS_MAX * 2)

_Static_assert(UX_TRACK_CONFIRM_CELLS
               + (UX_TRACKS_MAX - 1)
                 * (UX_TRACK_EXPOSE_CELLS + UX_TRACK_PAGE_CELLS
                    + UX_TRACK_CROSS_CELLS) + UX_TRACK_POST_CELLS
               + 3 * (5 + (UX_TRACKS_MAX - 1) * UX_TRACK_EVENT_CELLS)
               <= UX_CHANGES_MAX, "a turn's changes");
_Static_assert((UX_PENDING_MAX + 3) * UX_TRACK_RING_CELLS
               + (UX_TRACKS_MAX - 1) * (UX_CARTS_MAX * 2 + UX_PASTS_MAX * 2)
               <= UX_RING_CHANGES_MAX, "a turn's ring changes");
_Static_assert((UX_TRACKS_MAX - 1) * 4 <= UX_WINDOW_CHANGES_MAX,
               "a turn's changes of windows");


static void ux_track_newcomer(const ux_plan_t *plan,
    const ux_visitor_t *visitor, const ux_track_t *track,
    ux_changes_t *changes);
static bool ux_track_acceptable(const ux_plan_t *plan,
    const ux_visitor_t *visitor, const ux_event_t *event, ux_discard_e *why);
static bool ux_track_duplicate(const ux_visitor_t *visitor, uint64_t id_hash);
static void ux_track_remember(ux_visitor_t *visitor, uint64_t id_hash);
static void ux_track_zone(const ux_plan_t *plan, const ux_event_t *event,
    ux_changes_t *changes);
static bool ux_track_wait(const ux_plan_t *plan, ux_visitor_t *visitor,
    const ux_event_t *event);
static uint8_t ux_track_event_index(const ux_model_t *model, uint8_t slot);
static void ux_track_discard(ux_changes_t *changes, ux_discard_e why);


ux_status_t
ux_track_event(const ux_plan_t *plan, ux_visitor_t *visitor,
    const ux_event_t *event, ux_changes_t *changes, ux_discard_e *why)
{
    ux_status_t  status;

    *why = UX_DISCARDS;
    status = UX_OK;

    if (!ux_track_acceptable(plan, visitor, event, why)) {
        status = UX_DECLINED;

    } else {
        ux_track_zone(plan, event, changes);
        ux_track_remember(visitor, event->id_hash);

        if (visitor->confirmed) {
            *why = ux_apply_event(plan, visitor, event, event->event,
                                  changes);

        } else if (!ux_track_wait(plan, visitor, event)) {
            *why = UX_DISCARD_ZONE_FULL;
            status = UX_FULL;
        }
    }

    ux_track_discard(changes, *why);

    return status;
}


void
ux_track_confirm(const ux_plan_t *plan, ux_visitor_t *visitor,
    ux_changes_t *changes)
{
    uint8_t            index;
    unsigned           i;
    const ux_event_t  *event;

    if (visitor->confirmed) {
        return;
    }

    visitor->confirmed = true;
    ux_changes_add(changes, UX_ZONE_PROVISIONAL, -1);

    for (i = 1; i < visitor->ntracks; i++) {
        ux_track_newcomer(plan, visitor, &visitor->tracks[i], changes);
    }

    for (i = 0; i < visitor->npending; i++) {
        event = &visitor->pending[i];
        index = ux_track_event_index(plan->model, event->event);

        ux_track_discard(changes, ux_apply_event(plan, visitor, event, index,
                                                 changes));
    }

    visitor->npending = 0;
}


/*
 * An exposure of somebody now confirmed: a visitor of its arm, in the model
 * or not.  Were it left out because its experiment is not configured just
 * now, and that comes back, the arm would have events without their visitor.
 */
static void
ux_track_newcomer(const ux_plan_t *plan, const ux_visitor_t *visitor,
    const ux_track_t *track, ux_changes_t *changes)
{
    const ux_arm_t  *arm;

    if (track->waiting || track->arm >= plan->narms
        || plan->arms[track->arm].base == 0)
    {
        return;
    }

    arm = &plan->arms[track->arm];

    ux_apply_unconfirmed(track, -1, changes);

    if (track->crossed) {
        ux_changes_add(changes, arm->base + UX_ARM_LEFT, 1);
        return;
    }

    ux_changes_add(changes, arm->base + UX_ARM_VISITORS, 1);
    ux_track_returning(visitor->first_s, track, arm->base, 1, changes);
    ux_apply_window(plan, track, 1, changes);

    /* the page it was shown on */

    if (track->visit) {
        ux_changes_add(changes, arm->base + UX_ARM_PAGES, 1);
        ux_changes_add(changes, arm->base + UX_ARM_SESSIONS, 1);
        ux_changes_add(changes, arm->base + UX_ARM_SINGLE_PAGES,
                       visitor->pages == 1);
    }

    if (track->moved) {
        ux_changes_add(changes, arm->base + UX_ARM_MOVED, 1);
    }
}


static bool
ux_track_acceptable(const ux_plan_t *plan, const ux_visitor_t *visitor,
    const ux_event_t *event, ux_discard_e *why)
{
    unsigned  survey;

    if (event->event >= plan->model->nevents) {
        *why = UX_DISCARD_UNKNOWN_EVENT;
        return false;
    }

    if (ux_track_duplicate(visitor, event->id_hash)) {
        *why = UX_DISCARD_DUPLICATE;
        return false;
    }

    if (event->event == UX_EVENT_REFUND && !event->has_value) {
        *why = UX_DISCARD_BAD_EVENT;
        return false;
    }

    if (event->has_value && (event->value < 0 || event->value > UX_MONEY_MAX))
    {
        *why = UX_DISCARD_BAD_EVENT;
        return false;
    }

    survey = ux_survey_of(plan->model, event->event);

    if (survey == UX_SURVEYS) {
        return true;
    }

    if (!ux_survey_answers(plan->model, survey, event, NULL)) {
        *why = UX_DISCARD_BAD_EVENT;
        return false;
    }

    if (ux_survey_repeated(plan, visitor, survey, event)) {
        *why = UX_DISCARD_DUPLICATE;
        return false;
    }

    return true;
}


/*
 * 32 bits an id: of 8 remembered ones a strange id is taken for a known one
 * once in 2^29.
 */
static bool
ux_track_duplicate(const ux_visitor_t *visitor, uint64_t id_hash)
{
    unsigned  i;

    if (id_hash == 0) {
        return false;
    }

    for (i = 0; i < visitor->nids; i++) {
        if (visitor->ids[i] == (uint32_t) id_hash) {
            return true;
        }
    }

    return false;
}


static void
ux_track_remember(ux_visitor_t *visitor, uint64_t id_hash)
{
    if (id_hash == 0) {
        return;
    }

    visitor->ids[visitor->next_id] = (uint32_t) id_hash;

    if (visitor->nids < UX_IDS_MAX) {
        visitor->nids++;
    }

    visitor->next_id = (uint8_t) ((visitor->next_id + 1) % UX_IDS_MAX);
}


/* The zone's own counts: of every accepted event, at once. */
static void
ux_track_zone(const ux_plan_t *plan, const ux_event_t *event,
    ux_changes_t *changes)
{
    bool      refund;
    uint64_t  bit;

    bit = ux_apply_bit(plan->model->event_slots[event->event]);
    ux_apply_each(changes, UX_ZONE_EVENTS, bit, 1);

    if (event->event == UX_EVENT_PURCHASE && event->id_hash == 0) {
        ux_changes_add(changes, UX_ZONE_PURCHASES_WITHOUT_ID, 1);
    }

    if (event->has_value && event->currency < UX_CURRENCIES_MAX) {
        refund = event->event == UX_EVENT_REFUND;

        ux_changes_add(changes, UX_ZONE_CURRENCY_COUNT + event->currency, 1);
        ux_changes_add(changes, UX_ZONE_CURRENCY_SUM + event->currency,
                       refund ? -event->value : event->value);
    }
}


/*
 * The event joins the pending ones, reduced to what confirming it needs; by
 * slot, because indices change with the configuration.  One without a slot
 * found the registry full: it is told as zone_full too.
 */
static bool
ux_track_wait(const ux_plan_t *plan, ux_visitor_t *visitor,
    const ux_event_t *event)
{
    uint8_t      slot;
    ux_event_t  *pending;

    slot = plan->model->event_slots[event->event];

    if (visitor->npending >= UX_PENDING_MAX || slot >= UX_EVENTS_MAX) {
        return false;
    }

    pending = &visitor->pending[visitor->npending++];

    pending->now_ms = event->now_ms;
    pending->has_value = ux_apply_money(event);
    pending->value = pending->has_value ? event->value : 0;
    pending->id_hash = 0;
    pending->event = slot;
    pending->currency = UX_CURRENCY_ZONE;

    return true;
}


static uint8_t
ux_track_event_index(const ux_model_t *model, uint8_t slot)
{
    unsigned  i;

    for (i = 0; i < model->nevents; i++) {
        if (model->event_slots[i] == slot) {
            return (uint8_t) i;
        }
    }

    return UX_SLOT_NONE;
}


static void
ux_track_discard(ux_changes_t *changes, ux_discard_e why)
{
    if (why != UX_DISCARDS) {
        ux_changes_add(changes, UX_ZONE_DISCARDED + (uint32_t) why, 1);
    }
}
