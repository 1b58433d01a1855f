
/*
 * Copyright (C) the nginx-ux authors
 *
 * What a track has added to the counters of its arm, but for what is counted
 * each time: taken out, or put in.  As ux_track_cross.c, but from the registry
 * alone: a zone may be merged before it is bound.
 *
 * Bounds: a cap, a window and the stages of the journey are what is configured
 * now, and not known before; of an arm's carts with several windows the newest
 * is taken.
 */

#include "ux_image_private.h"
#include "ux_apply.h"

#include <string.h>


static void ux_count_take_counts(ux_image_merging_t *m,
    const ux_track_t *track, uint32_t base);
static void ux_count_take_stages(ux_image_merging_t *m,
    const ux_track_t *track);
static void ux_count_take_totals(ux_image_merging_t *m,
    const ux_track_t *track, uint32_t base);
static int64_t ux_count_capped(const ux_image_merging_t *m, uint16_t arm,
    unsigned slot, int64_t sum);
static void ux_count_take_carts(ux_image_merging_t *m,
    const ux_track_t *track);
static void ux_count_take_window(ux_image_merging_t *m,
    const ux_track_t *track);
static void ux_count_take_answers(ux_image_merging_t *m,
    const ux_track_t *track, uint16_t variant);


void
ux_image_put_track(ux_image_merging_t *m, const ux_track_t *track,
    uint32_t first_s, bool confirmed)
{
    unsigned       n, nrings, nwindows;
    ux_changes_t  *changes;

    changes = &m->work->changes;
    n = changes->n;
    nrings = changes->nrings;
    nwindows = changes->nwindows;

    ux_image_take_track(m, track, first_s, confirmed);

    for ( /* void */ ; n < changes->n; n++) {
        changes->items[n].delta = -changes->items[n].delta;
    }

    for ( /* void */ ; nrings < changes->nrings; nrings++) {
        changes->rings[nrings].delta = -changes->rings[nrings].delta;
    }

    for ( /* void */ ; nwindows < changes->nwindows; nwindows++) {
        changes->windows[nwindows].delta = -changes->windows[nwindows].delta;
    }
}


void
ux_image_take_track(ux_image_merging_t *m, const ux_track_t *track,
    uint32_t first_s, bool confirmed)
{
    unsigned           from, ring;
    ux_changes_t      *changes;
    const ux_entry_t  *arm;

    changes = &m->work->changes;
    from = changes->n;
    ring = changes->nrings;
    arm = ux_image_entry(m, UX_ENTRY_ARM, track->arm);

    if (arm == NULL || arm->base == 0 || track->waiting) {
        return;
    }

    ux_changes_add(changes, arm->base + UX_ARM_ASSIGNED, -1);

    if (track->error_seen) {
        ux_changes_add(changes,
                       arm->base + UX_ARM_HTTP + UX_HTTP_ERROR_VISITORS, -1);
    }

    if (!confirmed) {
        ux_apply_unconfirmed(track, -1, changes);

    } else if (track->crossed) {
        ux_changes_add(changes, arm->base + UX_ARM_LEFT, -1);

    } else {
        ux_count_take_answers(m, track, arm->aux);
        ux_track_returning(first_s, track, arm->base, -1, changes);
        ux_count_take_counts(m, track, arm->base);
        ux_count_take_stages(m, track);
        ux_count_take_totals(m, track, arm->base);
        ux_count_take_carts(m, track);
        ux_count_take_window(m, track);
    }

    ux_image_segments_note(m->work, track, from, ring);
}


static void
ux_count_take_counts(ux_image_merging_t *m, const ux_track_t *track,
    uint32_t base)
{
    ux_changes_t  *changes;

    changes = &m->work->changes;

    ux_changes_add(changes, base + UX_ARM_VISITORS, -1);
    ux_changes_add(changes, base + UX_ARM_MOVED, -(int) track->moved);
    ux_apply_each(changes, base + UX_ARM_EVENT_VISITORS, track->events, -1);
    ux_apply_each(changes, base + UX_ARM_STEP_BEFORE, track->before, -1);
    ux_apply_each(changes, base + UX_ARM_STEP_IN_ORDER, track->steps, -1);
}


/* Which events are a stage's is known once the configuration is bound. */
static void
ux_count_take_stages(ux_image_merging_t *m, const ux_track_t *track)
{
    const ux_arm_t   *known;
    const ux_plan_t  *plan;

    plan = &m->store->plan;
    known = plan->model != NULL ? ux_apply_arm(plan, track->arm) : NULL;

    if (known != NULL) {
        ux_journey_leave(plan, known, track, &m->work->changes);
    }
}


static void
ux_count_take_totals(ux_image_merging_t *m, const ux_track_t *track,
    uint32_t base)
{
    unsigned     i;
    ux_amount_t  amount;

    static const ux_amount_t  nothing;

    for (i = 0; i < UX_TOTALS_MAX; i++) {
        amount.sum = ux_count_capped(m, track->arm, i, track->totals[i]);
        amount.count = track->counts[i];

        ux_apply_total(&m->work->changes,
                       base + UX_ARM_TOTALS + i * UX_TOTAL_CELLS, amount,
                       nothing);
    }
}


/* What it counts for, as far as the configuration is known. */
static int64_t
ux_count_capped(const ux_image_merging_t *m, uint16_t arm, unsigned slot,
    int64_t sum)
{
    unsigned           i;
    const ux_arm_t    *known;
    const ux_plan_t   *plan;
    const ux_total_t  *total;

    plan = &m->store->plan;
    known = plan->model != NULL ? ux_apply_arm(plan, arm) : NULL;

    for (i = 0; known != NULL && i < plan->model->ntotals; i++) {
        total = &plan->model->totals[i];

        if (ux_apply_total_slot(total) == slot) {
            return ux_apply_capped(
                plan->model, &plan->model->experiments[known->experiment],
                total, sum);
        }
    }

    return sum;
}


static void
ux_count_take_carts(ux_image_merging_t *m, const ux_track_t *track)
{
    unsigned           i;
    ux_cart_place_t    place;
    const ux_entry_t  *entry;

    for (i = 0; i < UX_CARTS_MAX; i++) {
        entry = ux_image_arm_cart(m, track->arm, i);

        if (entry == NULL) {
            continue;
        }

        place.base = entry->base;
        place.within_ms = entry->value;
        place.arm = track->arm;
        place.cart = (uint8_t) i;
        place.ring = entry->ring != 0;

        ux_cart_take_back(&m->work->changes, &place, track, m->now_ms);
    }
}


/* Of a survey that no configuration knew nothing is counted. */
static void
ux_count_take_answers(ux_image_merging_t *m, const ux_track_t *track,
    uint16_t variant)
{
    uint64_t           purchase;
    ux_claim_t         claim;
    const ux_entry_t  *block, *event;

    static const ux_str_t  purchase_event = ux_str("purchase");

    memset(&claim, 0, sizeof(claim));
    claim.kind = UX_ENTRY_TIMINGS;
    claim.parent = variant;
    claim.aux = UX_TIMINGS_SURVEYS;

    block = ux_registry_find(m->store->registry, &claim);

    memset(&claim, 0, sizeof(claim));
    claim.kind = UX_ENTRY_EVENT;
    claim.parent = UX_PARENT_NONE;
    claim.name = purchase_event;

    event = ux_registry_find(m->store->registry, &claim);

    if (block == NULL || event == NULL) {
        return;
    }

    purchase = ux_apply_bit((uint8_t) event->ordinal);

    ux_survey_count(&m->work->changes, block->ring, track,
                    (track->events & purchase) != 0, -1);
}


static void
ux_count_take_window(ux_image_merging_t *m, const ux_track_t *track)
{
    uint64_t          window_ms;
    ux_ring_change_t  change = { 0, 0, 0, 0, 0 };

    window_ms = ux_image_window(m, track->arm);

    if (window_ms == 0) {
        return;
    }

    change.arm = track->arm;
    change.field = UX_WINDOW_OPEN;
    change.bucket = (uint32_t) (track->exposed_ms
                                / ux_bucket_width_ms(window_ms));
    change.delta = -1;

    ux_changes_window(&m->work->changes, change);
}


uint64_t
ux_image_window(const ux_image_merging_t *m, uint16_t arm)
{
    const ux_arm_t   *known;
    const ux_plan_t  *plan;

    plan = &m->store->plan;
    known = plan->model != NULL ? ux_apply_arm(plan, arm) : NULL;

    return known == NULL ? 0
                         : plan->model->experiments[known->experiment]
                               .window_ms;
}


void
ux_image_apply(ux_image_merging_t *m)
{
    uint32_t                 cell;
    unsigned                 i;
    const ux_entry_t        *entry;
    const ux_changes_t      *changes;
    const ux_ring_change_t  *change;

    changes = &m->work->changes;

    for (i = 0; i < changes->n; i++) {
        ux_image_add(m, changes->items[i].cell, changes->items[i].delta);
    }

    for (i = 0; i < changes->nrings; i++) {
        change = &changes->rings[i];
        entry = ux_image_arm_cart(m, change->arm, change->cart);

        if (entry != NULL && entry->ring != 0 && change->field < entry->width)
        {
            cell = entry->ring + change->bucket % UX_BUCKETS * entry->width
                   + change->field;
            ux_image_ring_add(m, cell, change->bucket, change->delta);
        }
    }

    for (i = 0; i < changes->nwindows; i++) {
        change = &changes->windows[i];
        entry = ux_image_entry(m, UX_ENTRY_ARM, change->arm);

        if (entry != NULL && entry->base != 0) {
            cell = entry->base + UX_ARM_WINDOW
                   + (uint32_t) change->field * UX_BUCKETS
                   + change->bucket % UX_BUCKETS;
            ux_image_ring_add(m, cell, change->bucket, change->delta);
        }
    }

    ux_image_segments_apply(m);
}
