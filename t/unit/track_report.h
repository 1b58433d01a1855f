
/*
 * Copyright (C) the nginx-ux authors
 *
 * What a world of track_world.h counted, as lines of text.
 */

#ifndef TRACK_REPORT_H
#define TRACK_REPORT_H


#include "track_world.h"
#include "ux_cart.h"

#include <inttypes.h>


static void
show(const char *where, const char *name, const char *field, int64_t value)
{
    if (value != 0) {
        printf("%s%s%s %" PRId64 "\n", where, name, field, value);
    }
}


static void
report_zone(const world_t *w)
{
    char      name[32];
    unsigned  i;

    for (i = 0; i < w->model.nevents; i++) {
        show("zone.events.", w->model.events[i].data, "",
             (int64_t) w->cells[UX_ZONE_EVENTS + w->model.event_slots[i]]);
    }

    for (i = 0; i < UX_DISCARDS; i++) {
        show("zone.discarded.", ux_discard_names[i], "",
             (int64_t) w->cells[UX_ZONE_DISCARDED + i]);
    }

    for (i = 0; i < 192; i++) {
        (void) snprintf(name, sizeof(name), "%u", i);
        show("zone.currency.", name, ".sum",
             (int64_t) w->cells[UX_ZONE_CURRENCY_SUM + i]);
        show("zone.currency.", name, ".count",
             (int64_t) w->cells[UX_ZONE_CURRENCY_COUNT + i]);
    }

    show("zone.", "provisional", "",
         (int64_t) w->cells[UX_ZONE_PROVISIONAL]);
    show("zone.", "purchases_without_id", "",
         (int64_t) w->cells[UX_ZONE_PURCHASES_WITHOUT_ID]);
}


static void
report_events(const world_t *w, const char *where, unsigned arm)
{
    char                name[32];
    unsigned            i, k, slot;
    const ux_funnel_t  *f;

    for (i = 0; i < w->model.nevents; i++) {
        slot = w->model.event_slots[i];

        show(where, w->model.events[i].data, ".visitors",
             world_cell(w, arm, UX_ARM_EVENT_VISITORS + slot));
        show(where, w->model.events[i].data, ".count",
             world_cell(w, arm, UX_ARM_EVENT_COUNT + slot));
    }

    for (i = 0; i < w->model.nfunnels; i++) {
        f = &w->model.funnels[i];

        for (k = 0; k < f->nsteps; k++) {
            slot = f->steps[k].slot;

            (void) snprintf(name, sizeof(name), ".%u.before", k + 1);
            show(where, f->name.data, name,
                 world_cell(w, arm, UX_ARM_STEP_BEFORE + slot));

            (void) snprintf(name, sizeof(name), ".%u.in_order", k + 1);
            show(where, f->name.data, name,
                 world_cell(w, arm, UX_ARM_STEP_IN_ORDER + slot));
        }
    }
}


/* Of what fits in 64 bits: the third limb is a sign, modulo 2^64. */
static int64_t
two_limbs(const world_t *w, unsigned arm, unsigned at)
{
    uint64_t  lo, mid;

    lo = (uint64_t) world_cell(w, arm, at);
    mid = (uint64_t) world_cell(w, arm, at + 1);

    return (int64_t) (lo + (mid << 32));
}


static void
report_totals(const world_t *w, const char *where, unsigned arm)
{
    char      name[32];
    unsigned  i, at;

    for (i = 0; i < w->model.ntotals; i++) {
        at = UX_ARM_TOTALS
             + (unsigned) w->model.totals[i].slot * UX_TOTAL_CELLS;
        (void) snprintf(name, sizeof(name), "total%u", i);
        show(where, name, ".sum", world_cell(w, arm, at + UX_TOTAL_SUM));
        show(where, name, ".squares",
             two_limbs(w, arm, at + UX_TOTAL_SQ_LO));
        show(where, name, ".values",
             world_cell(w, arm, at + UX_TOTAL_COUNT));
        show(where, name, ".values_squared",
             world_cell(w, arm, at + UX_TOTAL_COUNT_SQ));
        show(where, name, ".products",
             two_limbs(w, arm, at + UX_TOTAL_PRODUCT_LO));
    }
}


static void
report_answers(const world_t *w, const char *where, unsigned arm)
{
    char                name[48];
    unsigned            i, k, answer;
    const ux_survey_t  *s;

    for (i = 0; i < UX_SURVEYS; i++) {
        s = &ux_surveys[i];

        for (answer = s->from; answer <= s->to; answer++) {
            for (k = 0; k < 2; k++) {
                (void) snprintf(name, sizeof(name), "answer.%s.%u.%s",
                                s->name.data, answer, k ? "bought" : "not");
                show(where, name, "",
                     (int64_t) w->cells[w->arms[arm].surveys
                                        + ux_survey_cell(i, answer, k != 0)]);
            }
        }
    }
}


/* Who is not confirmed, and of those who could long have been. */
static void
report_unconfirmed(const world_t *w, const char *where, unsigned arm,
    uint64_t now_ms)
{
    int64_t       n, young;
    uint32_t      ring;
    ux_counter_t  windows;

    windows = world_windows(w);
    ring = world_window_at(arm, UX_WINDOW_UNCONFIRMED);

    n = world_cell(w, arm, UX_ARM_ASSIGNED)
        - world_cell(w, arm, UX_ARM_VISITORS)
        - world_cell(w, arm, UX_ARM_LEFT);
    young = (int64_t) ux_counter_recent(&windows, ring,
                                        UX_UNCONFIRMED_WIDTH_MS,
                                        UX_UNCONFIRMED_AGE_MS, now_ms);

    show(where, "unconfirmed_young", "", young);
    show(where, "unconfirmed_old", "", n - young);
}


/* Over the rows not wholly older than the window. */
static int64_t
young(const world_t *w, unsigned arm, const ux_funnel_t *f, unsigned field,
    uint64_t now_ms)
{
    int64_t   sum;
    uint64_t  bucket, width_ms;

    width_ms = ux_bucket_width_ms(f->within_ms);
    sum = 0;

    for (bucket = now_ms / width_ms;
         (bucket + 1) * width_ms + f->within_ms > now_ms;
         bucket--)
    {
        sum += world_ring(w, arm, f->cart, bucket, field);
    }

    return sum;
}


static void
report_carts(const world_t *w, const char *where, unsigned arm,
    const ux_funnel_t *f, uint64_t now_ms)
{
    char         name[32];
    int64_t      alive, created, open, value, young_purchased;
    unsigned     k;
    const char  *funnel;

    funnel = f->name.data;
    created = world_cart(w, arm, f->cart, UX_CART_PURCHASED);
    open = 0;

    show(where, funnel, ".purchased", created);
    show(where, funnel, ".carried_in",
         world_cart(w, arm, f->cart, UX_CART_CARRIED_IN));
    show(where, funnel, ".without_cart",
         world_cart(w, arm, f->cart, UX_CART_WITHOUT_CART));
    show(where, funnel, ".recovered",
         world_cart(w, arm, f->cart, UX_CART_RECOVERED));
    show(where, funnel, ".recovered_settled",
         world_cart(w, arm, f->cart, UX_CART_RECOVERED)
         - young(w, arm, f, UX_RING_RECOVERED, now_ms));

    for (k = 0; k <= UX_FUNNEL_STEPS_MAX; k++) {
        alive = world_cart(w, arm, f->cart, UX_CART_ALIVE + k);
        value = young(w, arm, f, UX_RING_ALIVE + k, now_ms);

        (void) snprintf(name, sizeof(name), ".abandoned_after.%u", k);
        show(where, funnel, name, alive - value);

        created += alive;
        open += value;
    }

    young_purchased = young(w, arm, f, UX_RING_PURCHASED, now_ms);

    show(where, funnel, ".created", created);
    show(where, funnel, ".open", open);
    show(where, funnel, ".settled", created - open - young_purchased);
}


static void
report_arm(const world_t *w, const char *where, unsigned arm, uint64_t now_ms)
{
    unsigned  i;

    show(where, "assigned", "", world_cell(w, arm, UX_ARM_ASSIGNED));
    show(where, "visitors", "", world_cell(w, arm, UX_ARM_VISITORS));
    show(where, "moved", "", world_cell(w, arm, UX_ARM_MOVED));
    show(where, "crossover", "", world_cell(w, arm, UX_ARM_CROSSOVER));

    report_unconfirmed(w, where, arm, now_ms);
    report_events(w, where, arm);
    report_totals(w, where, arm);
    report_answers(w, where, arm);

    for (i = 0; i < w->model.nfunnels; i++) {
        if (ux_cart_bound(&w->model.funnels[i])) {
            report_carts(w, where, arm, &w->model.funnels[i], now_ms);
        }
    }
}


/* All that is not 0, a line each. */
static void
world_report(const world_t *w, uint64_t now_ms)
{
    char      where[256];
    unsigned  e, p, v;

    report_zone(w);

    for (e = 0; e < w->model.nexperiments; e++) {
        for (p = 0; p < WORLD_EPOCHS; p++) {
            for (v = 0; v < w->experiments[e].nvariants; v++) {
                (void) snprintf(where, sizeof(where), "%s.%u.%u.",
                                w->experiments[e].name.data, p, v);
                report_arm(w, where, world_arm(e, p, v), now_ms);
            }
        }
    }
}


#endif
