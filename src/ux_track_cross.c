
/*
 * Copyright (C) the nginx-ux authors
 *
 * Crossovers: a visitor leaves the counts of its arm (DESIGN.md section 7:
 * "visitors, step visitors, sums and carts; event counts, http and histograms
 * stay").
 *
 * A track remembers all it has added: bits for what is counted once a visitor,
 * running totals for sums, and for carts what ux_cart.c notes.  Taken back is
 * exactly that, under four conditions, which hold but for the visitors of the
 * time around a change of configuration: `cap`, a cart's `within`, the type of
 * a total and the stages of the journey are those it was counted under.  What
 * orders were worth is of the events, and stays with them.
 *
 * Out of the visitors, it stays among the assigned and the confirmed: see
 * UX_ARM_LEFT.  One that is crossed over unconfirmed is unconfirmed until its
 * cookie comes back.
 *
 * Numerators first: who reads meanwhile may see a rate too low, none above 1.
 */

#include "ux_apply.h"
#include "ux_journey.h"
#include "ux_survey.h"

#include <stddef.h>
#include <string.h>


static void ux_track_take_back(const ux_plan_t *plan,
    const ux_visitor_t *visitor, const ux_track_t *track, uint64_t now_ms,
    ux_changes_t *changes);
static void ux_track_take_totals(const ux_plan_t *plan, const ux_arm_t *arm,
    const ux_track_t *track, ux_changes_t *changes);
static void ux_track_take_carts(const ux_plan_t *plan, const ux_arm_t *arm,
    const ux_track_t *track, uint64_t now_ms, ux_changes_t *changes);


bool
ux_track_cross(const ux_plan_t *plan, ux_visitor_t *visitor, unsigned track,
    uint64_t now_ms, bool count, ux_changes_t *changes)
{
    ux_track_t      *t;
    const ux_arm_t  *arm;

    if (track == 0 || track >= visitor->ntracks) {
        return false;
    }

    t = &visitor->tracks[track];
    arm = ux_apply_arm(plan, t->arm);

    if (arm == NULL || t->waiting || t->crossed) {
        return false;
    }

    /* of an unconfirmed visitor nothing is counted that could be taken out */

    if (visitor->confirmed) {
        ux_track_take_back(plan, visitor, t, now_ms, changes);
    }

    if (count) {
        ux_changes_add(changes, arm->base + UX_ARM_CROSSOVER, 1);
    }

    t->crossed = true;
    t->moved = false;
    t->npasts = 0;
    t->visit = t->visit && visitor->confirmed;   /* counted, or not to be */
    memset(&t->events, 0, offsetof(ux_track_t, pasts)
                          - offsetof(ux_track_t, events));

    return true;
}


static void
ux_track_take_back(const ux_plan_t *plan, const ux_visitor_t *visitor,
    const ux_track_t *track, uint64_t now_ms, ux_changes_t *changes)
{
    uint8_t          purchase;
    const ux_arm_t  *arm;

    arm = ux_apply_arm(plan, track->arm);
    purchase = plan->model->event_slots[UX_EVENT_PURCHASE];

    ux_track_take_carts(plan, arm, track, now_ms, changes);
    ux_track_take_totals(plan, arm, track, changes);
    ux_journey_leave(plan, arm, track, changes);
    ux_survey_count(changes, arm->surveys, track,
                    (track->events & ux_apply_bit(purchase)) != 0, -1);

    ux_apply_each(changes, arm->base + UX_ARM_STEP_IN_ORDER, track->steps,
                  -1);
    ux_apply_each(changes, arm->base + UX_ARM_STEP_BEFORE, track->before, -1);
    ux_apply_each(changes, arm->base + UX_ARM_EVENT_VISITORS, track->events,
                  -1);

    if (track->moved) {
        ux_changes_add(changes, arm->base + UX_ARM_MOVED, -1);
    }

    ux_track_returning(visitor->first_s, track, arm->base, -1, changes);
    ux_changes_add(changes, arm->base + UX_ARM_VISITORS, -1);
    ux_changes_add(changes, arm->base + UX_ARM_LEFT, 1);
    ux_apply_window(plan, track, -1, changes);
}


/* A sum that the configuration has no more was counted uncapped. */
static void
ux_track_take_totals(const ux_plan_t *plan, const ux_arm_t *arm,
    const ux_track_t *track, ux_changes_t *changes)
{
    unsigned                i, slot;
    ux_amount_t             amounts[UX_TOTALS_MAX];
    const ux_total_t       *total;
    const ux_experiment_t  *experiment;

    static const ux_amount_t  nothing;

    experiment = &plan->model->experiments[arm->experiment];

    for (i = 0; i < UX_TOTALS_MAX; i++) {
        amounts[i].sum = track->totals[i];
        amounts[i].count = track->counts[i];
    }

    for (i = 0; i < plan->model->ntotals; i++) {
        total = &plan->model->totals[i];
        slot = ux_apply_total_slot(total);

        if (slot < UX_TOTALS_MAX) {
            amounts[slot].sum = ux_apply_capped(plan->model, experiment,
                                                total, amounts[slot].sum);
        }
    }

    for (i = 0; i < UX_TOTALS_MAX; i++) {
        ux_apply_total(changes, arm->base + UX_ARM_TOTALS
                                + i * UX_TOTAL_CELLS, amounts[i], nothing);
    }
}


/* By slot: carts of a funnel that the configuration has no more, too. */
static void
ux_track_take_carts(const ux_plan_t *plan, const ux_arm_t *arm,
    const ux_track_t *track, uint64_t now_ms, ux_changes_t *changes)
{
    unsigned            i;
    ux_cart_place_t     places[UX_CARTS_MAX];
    const ux_funnel_t  *funnel;

    for (i = 0; i < UX_CARTS_MAX; i++) {
        places[i].base = arm->carts[i];
        places[i].within_ms = 0;
        places[i].arm = track->arm;
        places[i].cart = (uint8_t) i;
        places[i].ring = false;
    }

    for (i = 0; i < plan->model->nfunnels; i++) {
        funnel = &plan->model->funnels[i];

        if (ux_cart_bound(funnel)) {
            places[funnel->cart] = ux_apply_place(arm, track, funnel);
        }
    }

    for (i = 0; i < UX_CARTS_MAX; i++) {
        if (places[i].base != 0) {
            ux_cart_take_back(changes, &places[i], track, now_ms);
        }
    }
}
