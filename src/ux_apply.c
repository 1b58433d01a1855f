
/*
 * Copyright (C) the nginx-ux authors
 *
 * What happens to a confirmed visitor's tracks, and to the counters of its
 * arms: the life first, which decides what an occurrence reached in funnels,
 * then each exposure.
 *
 * Only exposures move counters of arms.  The life serves the order of funnels,
 * the steps done before an exposure, carts carried in, and refunds.
 */

#include "ux_apply.h"
#include "ux_cart.h"
#include "ux_funnel.h"
#include "ux_journey.h"
#include "ux_pace.h"
#include "ux_survey.h"


/* One event being applied to the tracks of one visitor. */
typedef struct {
    const ux_plan_t   *plan;
    ux_changes_t      *changes;
    const ux_event_t  *event;
    uint8_t            index;          /* UX_SLOT_NONE: model has it no more */
    uint8_t            slot;           /* UX_SLOT_NONE: not bound */
    uint64_t           reached;        /* step slots */
} ux_occurrence_t;


static void ux_apply_carry_in(const ux_plan_t *plan, const ux_arm_t *arm,
    const ux_track_t *life, ux_track_t *track, ux_changes_t *changes);
static bool ux_apply_life(ux_occurrence_t *o, ux_track_t *life);
static void ux_apply_exposure(const ux_occurrence_t *o, const ux_arm_t *arm,
    ux_track_t *track);
static void ux_apply_orders(const ux_occurrence_t *o, const ux_arm_t *arm,
    int64_t was, int64_t is);
static void ux_apply_totals(const ux_occurrence_t *o, const ux_arm_t *arm,
    ux_track_t *track);
static bool ux_apply_concerns(const ux_occurrence_t *o,
    const ux_total_t *total);
static int64_t ux_apply_sum(const ux_occurrence_t *o, const ux_total_t *total,
    int64_t sum);
static uint16_t ux_apply_count(const ux_occurrence_t *o,
    const ux_total_t *total, uint16_t count);
static void ux_apply_limbs(ux_changes_t *changes, uint32_t cell,
    __int128 delta);
static void ux_apply_carts(const ux_occurrence_t *o, const ux_arm_t *arm,
    ux_track_t *track);


void
ux_apply_newcomer(const ux_plan_t *plan, const ux_visitor_t *visitor,
    ux_track_t *track, ux_changes_t *changes)
{
    uint64_t         before;
    const ux_arm_t  *arm;

    arm = ux_apply_arm(plan, track->arm);
    before = ux_funnel_done(plan->model, visitor->tracks[0].events);

    track->before = before;

    ux_changes_add(changes, arm->base + UX_ARM_VISITORS, 1);
    ux_track_returning(visitor->first_s, track, arm->base, 1, changes);
    ux_apply_window(plan, track, 1, changes);
    ux_apply_each(changes, arm->base + UX_ARM_STEP_BEFORE, before, 1);

    ux_apply_carry_in(plan, arm, &visitor->tracks[0], track, changes);
}


ux_discard_e
ux_apply_event(const ux_plan_t *plan, ux_visitor_t *visitor,
    const ux_event_t *event, uint8_t index, ux_changes_t *changes)
{
    bool              excess;
    unsigned          i, known, taken, survey;
    ux_track_t       *track;
    const ux_arm_t   *arm;
    ux_occurrence_t   o;

    o.plan = plan;
    o.changes = changes;
    o.event = event;
    o.index = index;
    o.slot = index == UX_SLOT_NONE ? event->event
                                   : plan->model->event_slots[index];

    excess = ux_apply_life(&o, &visitor->tracks[0]);
    survey = ux_survey_of(plan->model, index);

    known = 0;
    taken = 0;

    for (i = 1; i < visitor->ntracks; i++) {
        track = &visitor->tracks[i];

        if (!ux_track_counts(plan, track, event->now_ms)) {
            continue;
        }

        known++;
        arm = &plan->arms[track->arm];

        if (!ux_apply_in_window(plan, arm, track, event->now_ms)) {
            continue;
        }

        taken++;

        /* a second answer may be the first one of another exposure */

        if (survey == UX_SURVEYS || track->answers[survey] == 0) {
            ux_apply_exposure(&o, arm, track);
        }
    }

    if (excess) {
        return UX_DISCARD_REFUND_EXCESS;
    }

    return known > 0 && taken == 0 ? UX_DISCARD_AFTER_WINDOW : UX_DISCARDS;
}


bool
ux_apply_money(const ux_event_t *event)
{
    return event->has_value && event->currency == UX_CURRENCY_ZONE;
}


uint64_t
ux_apply_bit(uint8_t slot)
{
    return slot < UX_EVENTS_MAX ? (uint64_t) 1 << slot : 0;
}


void
ux_apply_each(ux_changes_t *changes, uint32_t cell, uint64_t slots,
    int delta)
{
    while (slots) {
        ux_changes_add(changes, cell + (uint32_t) __builtin_ctzll(slots),
                       delta);
        slots &= slots - 1;
    }
}


static void
ux_apply_carry_in(const ux_plan_t *plan, const ux_arm_t *arm,
    const ux_track_t *life, ux_track_t *track, ux_changes_t *changes)
{
    unsigned            i;
    ux_cart_place_t     place;
    ux_cart_effect_t    effect;
    const ux_funnel_t  *funnel;

    for (i = 0; i < plan->model->nfunnels; i++) {
        funnel = &plan->model->funnels[i];

        if (!ux_cart_bound(funnel) || arm->carts[funnel->cart] == 0) {
            continue;
        }

        effect = ux_cart_carry_in(&track->carts[funnel->cart],
                                  &life->carts[funnel->cart], funnel,
                                  track->exposed_ms);
        place = ux_apply_place(arm, track, funnel);
        ux_cart_count(changes, &place, &effect);
        ux_cart_note(track, &place, &effect);
    }
}


/* True for a refund of more than the visitor ever paid. */
static bool
ux_apply_life(ux_occurrence_t *o, ux_track_t *life)
{
    bool  excess;

    excess = o->index == UX_EVENT_REFUND && ux_apply_money(o->event)
             && o->event->value > life->totals[0];

    o->reached = ux_funnel_reached(o->plan->model, o->index, life->steps);

    life->events |= ux_apply_bit(o->slot);
    life->steps |= o->reached;

    ux_apply_totals(o, NULL, life);
    ux_apply_carts(o, NULL, life);

    return excess;
}


bool
ux_apply_in_window(const ux_plan_t *plan, const ux_arm_t *arm,
    const ux_track_t *track, uint64_t now_ms)
{
    uint64_t  window_ms;

    window_ms = plan->model->experiments[arm->experiment].window_ms;

    return window_ms == 0 || now_ms <= track->exposed_ms
           || now_ms - track->exposed_ms <= window_ms;
}


static void
ux_apply_exposure(const ux_occurrence_t *o, const ux_arm_t *arm,
    ux_track_t *track)
{
    int64_t   revenue;
    uint64_t  bit;

    bit = ux_apply_bit(o->slot);

    ux_apply_each(o->changes, arm->base + UX_ARM_EVENT_VISITORS,
                  bit & ~track->events, 1);
    ux_apply_each(o->changes, arm->base + UX_ARM_EVENT_COUNT, bit, 1);
    ux_apply_each(o->changes, arm->base + UX_ARM_STEP_IN_ORDER,
                  o->reached & ~track->steps, 1);

    ux_pace_event(o->plan, arm, track, o->index, o->reached,
                  o->event->now_ms, o->changes);
    ux_journey_event(o->plan, arm, track, o->index, o->changes);
    ux_survey_event(o->plan, arm, track, o->event, o->index, o->changes);

    track->events |= bit;
    track->steps |= o->reached;

    revenue = track->totals[0];
    ux_apply_totals(o, arm, track);
    ux_apply_orders(o, arm, revenue, track->totals[0]);
    ux_apply_carts(o, arm, track);
}


/* Facts of orders, not of visitors; was, is: the visitor's revenue. */
static void
ux_apply_orders(const ux_occurrence_t *o, const ux_arm_t *arm, int64_t was,
    int64_t is)
{
    if (!ux_apply_money(o->event)) {
        return;
    }

    if (o->index == UX_EVENT_PURCHASE) {
        ux_changes_add(o->changes, arm->base + UX_ARM_ORDERS, 1);
        ux_changes_add(o->changes, arm->base + UX_ARM_ORDERED,
                       o->event->value);

    } else if (o->index == UX_EVENT_REFUND) {
        ux_changes_add(o->changes, arm->base + UX_ARM_REFUNDED, was - is);
    }
}


/* arm NULL: the life's own totals, which no counter shows. */
static void
ux_apply_totals(const ux_occurrence_t *o, const ux_arm_t *arm,
    ux_track_t *track)
{
    unsigned                i, slot;
    ux_amount_t             from, to;
    const ux_model_t       *model;
    const ux_total_t       *total;
    const ux_experiment_t  *experiment;

    model = o->plan->model;

    for (i = 0; i < model->ntotals; i++) {
        total = &model->totals[i];
        slot = ux_apply_total_slot(total);

        if (slot >= UX_TOTALS_MAX || !ux_apply_concerns(o, total)) {
            continue;
        }

        from.sum = track->totals[slot];
        to.sum = ux_apply_sum(o, total, from.sum);
        track->totals[slot] = to.sum;

        if (arm == NULL) {
            continue;
        }

        from.count = track->counts[slot];
        track->counts[slot] = ux_apply_count(o, total, track->counts[slot]);
        to.count = track->counts[slot];

        experiment = &model->experiments[arm->experiment];
        from.sum = ux_apply_capped(model, experiment, total, from.sum);
        to.sum = ux_apply_capped(model, experiment, total, to.sum);

        ux_apply_total(o->changes,
                       arm->base + UX_ARM_TOTALS + slot * UX_TOTAL_CELLS,
                       from, to);
    }
}


/* Slot 0 is revenue's alone: another total that says so is not bound. */
unsigned
ux_apply_total_slot(const ux_total_t *total)
{
    if (total->event == UX_METRIC_REVENUE) {
        return 0;
    }

    return total->slot > 0 ? total->slot : UX_SLOT_NONE;
}


/* Of a mean per visitor more than the cap does not count. */
int64_t
ux_apply_capped(const ux_model_t *model, const ux_experiment_t *experiment,
    const ux_total_t *total, int64_t sum)
{
    if (experiment->cap > 0 && total->type == UX_METRIC_MEAN
        && (model == NULL
            || ux_survey_of(model, total->event) == UX_SURVEYS))
    {
        return sum < experiment->cap ? sum : experiment->cap;
    }

    return sum;
}


/* Can the event change this total? */
static bool
ux_apply_concerns(const ux_occurrence_t *o, const ux_total_t *total)
{
    if (total->event == UX_METRIC_REVENUE) {
        return o->index == UX_EVENT_PURCHASE || o->index == UX_EVENT_REFUND;
    }

    return total->event == o->index;
}


/* What the event makes of a running total. */
static int64_t
ux_apply_sum(const ux_occurrence_t *o, const ux_total_t *total, int64_t sum)
{
    int64_t  value;

    value = ux_apply_money(o->event) ? o->event->value : 0;

    if (total->event == UX_METRIC_REVENUE) {
        if (o->index == UX_EVENT_PURCHASE) {
            sum += value;

        } else if (o->index == UX_EVENT_REFUND) {
            sum -= value;
        }

    } else if (total->event == o->index) {
        sum += total->type == UX_METRIC_COUNT ? 1 : value;
    }

    if (sum < 0) {
        return 0;
    }

    return sum < UX_TOTAL_MAX ? sum : UX_TOTAL_MAX;
}


/* How many values the event makes there are in a ratio's sum. */
static uint16_t
ux_apply_count(const ux_occurrence_t *o, const ux_total_t *total,
    uint16_t count)
{
    uint8_t  event;

    event = total->event == UX_METRIC_REVENUE ? UX_EVENT_PURCHASE
                                              : total->event;

    if (total->type != UX_METRIC_RATIO || event != o->index
        || !ux_apply_money(o->event) || count == UINT16_MAX)
    {
        return count;
    }

    return (uint16_t) (count + 1);
}


/* A value of 0 changes the count and no sum. */
void
ux_apply_total(ux_changes_t *changes, uint32_t cell, ux_amount_t from,
    ux_amount_t to)
{
    int64_t  was, is;

    was = from.count;
    is = to.count;

    if (was != is) {
        ux_changes_add(changes, cell + UX_TOTAL_COUNT, is - was);
        ux_changes_add(changes, cell + UX_TOTAL_COUNT_SQ, is * is - was * was);
    }

    if (from.sum != to.sum) {
        ux_changes_add(changes, cell + UX_TOTAL_SUM, to.sum - from.sum);
        ux_apply_limbs(changes, cell + UX_TOTAL_SQ_LO,
                       (__int128) to.sum * to.sum
                       - (__int128) from.sum * from.sum);
    }

    ux_apply_limbs(changes, cell + UX_TOTAL_PRODUCT_LO,
                   (__int128) to.sum * is - (__int128) from.sum * was);
}


/* As ux_counter.h defines them: three cells, or none. */
static void
ux_apply_limbs(ux_changes_t *changes, uint32_t cell, __int128 delta)
{
    if (delta == 0) {
        return;
    }

    ux_changes_add(changes, cell, (int64_t) (delta & 0xffffffff));
    ux_changes_add(changes, cell + 1, (int64_t) (delta >> 32 & 0xffffffff));
    ux_changes_add(changes, cell + 2, (int64_t) (delta >> 64));
}


/* arm NULL: the life's own carts. */
static void
ux_apply_carts(const ux_occurrence_t *o, const ux_arm_t *arm,
    ux_track_t *track)
{
    unsigned            i;
    ux_cart_t          *cart;
    ux_cart_place_t     place;
    ux_cart_effect_t    effect;
    const ux_funnel_t  *funnel;

    for (i = 0; i < o->plan->model->nfunnels; i++) {
        funnel = &o->plan->model->funnels[i];

        if (!ux_cart_bound(funnel)
            || (arm != NULL && arm->carts[funnel->cart] == 0))
        {
            continue;
        }

        cart = &track->carts[funnel->cart];

        if (arm == NULL) {
            ux_cart_forget(cart, funnel, o->event->now_ms);
            (void) ux_cart_event(cart, funnel, o->index, o->event->now_ms);
            continue;
        }

        effect = ux_cart_event(cart, funnel, o->index, o->event->now_ms);
        place = ux_apply_place(arm, track, funnel);
        ux_cart_count(o->changes, &place, &effect);
        ux_cart_note(track, &place, &effect);
    }
}


ux_cart_place_t
ux_apply_place(const ux_arm_t *arm, const ux_track_t *track,
    const ux_funnel_t *funnel)
{
    ux_cart_place_t  place;

    place.base = arm->carts[funnel->cart];
    place.within_ms = funnel->within_ms;
    place.arm = track->arm;
    place.cart = funnel->cart;
    place.ring = arm->rings[funnel->cart] != 0;

    return place;
}


void
ux_apply_window(const ux_plan_t *plan, const ux_track_t *track, int32_t delta,
    ux_changes_t *changes)
{
    int16_t           experiment;
    uint64_t          window_ms;
    ux_ring_change_t  change = { 0, 0, 0, 0, 0 };

    experiment = plan->arms[track->arm].experiment;

    if (experiment < 0) {
        return;
    }

    window_ms = plan->model->experiments[experiment].window_ms;

    if (window_ms == 0) {
        return;
    }

    change.arm = track->arm;
    change.field = UX_WINDOW_OPEN;
    change.bucket = (uint32_t) (track->exposed_ms
                                / ux_bucket_width_ms(window_ms));
    change.delta = delta;

    ux_changes_window(changes, change);
}


void
ux_apply_unconfirmed(const ux_track_t *track, int32_t delta,
    ux_changes_t *changes)
{
    ux_ring_change_t  change = { 0, 0, 0, 0, 0 };

    change.arm = track->arm;
    change.field = UX_WINDOW_UNCONFIRMED;
    change.bucket = (uint32_t) (track->exposed_ms / UX_UNCONFIRMED_WIDTH_MS);
    change.delta = delta;

    ux_changes_window(changes, change);
}
