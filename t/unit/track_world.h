
/*
 * Copyright (C) the nginx-ux authors
 *
 * A zone in plain arrays for tests of the event path: a model, an arm for
 * every experiment, epoch and variant, counters without workers or mappings.
 */

#ifndef TRACK_WORLD_H
#define TRACK_WORLD_H


#include "ux_survey.h"
#include "ux_track.h"

#include <stdio.h>
#include <string.h>


#define WORLD_EXPERIMENTS  24
#define WORLD_EPOCHS       4
#define WORLD_VARIANTS     4
#define WORLD_ARMS         (WORLD_EXPERIMENTS * WORLD_EPOCHS * WORLD_VARIANTS)

#define WORLD_CARTS_AT     (UX_ZONE_CELLS + WORLD_ARMS * UX_ARM_CELLS)
#define WORLD_SURVEYS_AT   (WORLD_CARTS_AT                                   \
                            + WORLD_ARMS * UX_CARTS_MAX * UX_CART_CELLS)
#define WORLD_CELLS        (WORLD_SURVEYS_AT                                 \
                            + WORLD_ARMS * UX_TIMINGS_SURVEYS_CELLS)


typedef struct {
    uint32_t  bucket;
    int32_t   count;
} world_ring_t;


typedef struct {
    ux_model_t       model;
    ux_experiment_t  experiments[WORLD_EXPERIMENTS];
    ux_arm_t         arms[WORLD_ARMS];
    ux_binding_t     bindings[WORLD_EXPERIMENTS];
    ux_plan_t        plan;
    ux_changes_t     changes;
    uint64_t         cells[WORLD_CELLS];         /* modulo 2^64 */
    world_ring_t     rings[WORLD_ARMS][UX_CARTS_MAX][UX_BUCKETS]
                          [UX_RING_CELLS];
    uint64_t         windows[WORLD_ARMS][UX_WINDOW_RINGS][UX_BUCKETS];
} world_t;


/* Ordinal of an arm. */
__attribute__((unused))
static unsigned
world_arm(unsigned experiment, unsigned epoch, unsigned variant)
{
    return (experiment * WORLD_EPOCHS + epoch) * WORLD_VARIANTS + variant;
}


/* New exposures go to this epoch's arms. */
__attribute__((unused))
static void
world_bind(world_t *w, unsigned experiment, unsigned epoch)
{
    unsigned  v;

    for (v = 0; v < UX_VARIANTS_MAX; v++) {
        w->bindings[experiment].arms[v] = UX_ARM_NONE;
    }

    for (v = 0; v < w->experiments[experiment].nvariants; v++) {
        w->bindings[experiment].arms[v] =
            (uint16_t) world_arm(experiment, epoch, v);
    }
}


/* The experiment is in the configuration, or not. */
__attribute__((unused))
static void
world_present(world_t *w, unsigned experiment, bool present)
{
    unsigned  a, e, v;

    for (e = 0; e < WORLD_EPOCHS; e++) {
        for (v = 0; v < WORLD_VARIANTS; v++) {
            a = world_arm(experiment, e, v);
            w->arms[a].experiment = present ? (int16_t) experiment : -1;
        }
    }
}


/* Experiments without window and cap, every event bound to its own index. */
__attribute__((unused))
static void
world_init(world_t *w, unsigned nexperiments, unsigned nvariants)
{
    ux_str_t  name = ux_str("shop");
    unsigned  a, c, e, v;

    memset(w, 0, sizeof(world_t));
    ux_model_init(&w->model, name, 0);

    for (e = 0; e < UX_EVENTS_MAX; e++) {
        w->model.event_slots[e] = (uint8_t) e;
    }

    w->model.nexperiments = nexperiments;
    w->model.experiments = w->experiments;

    for (a = 0; a < WORLD_ARMS; a++) {
        w->arms[a].base = UX_ZONE_CELLS + a * UX_ARM_CELLS;
        w->arms[a].variant = (int16_t) (a % WORLD_VARIANTS);
        w->arms[a].experiment = -1;
        w->arms[a].surveys = WORLD_SURVEYS_AT + a * UX_TIMINGS_SURVEYS_CELLS;

        for (c = 0; c < UX_CARTS_MAX; c++) {
            w->arms[a].carts[c] = WORLD_CARTS_AT
                                  + (a * UX_CARTS_MAX + c) * UX_CART_CELLS;
            w->arms[a].rings[c] = 1;
        }
    }

    for (e = 0; e < WORLD_EXPERIMENTS; e++) {
        w->experiments[e].serve = -1;

        for (v = 0; v < UX_VARIANTS_MAX; v++) {
            w->experiments[e].variants[v].weight = 1;
        }
    }

    for (e = 0; e < nexperiments; e++) {
        w->experiments[e].nvariants = nvariants;
        world_present(w, e, true);
        world_bind(w, e, 0);
    }

    w->plan.model = &w->model;
    w->plan.narms = WORLD_ARMS;
    w->plan.arms = w->arms;
    w->plan.bindings = w->bindings;
    w->plan.experiments_max = 8;
}


/* A funnel without steps; cart_event UX_SLOT_NONE: no cart. */
__attribute__((unused))
static ux_funnel_t *
world_funnel(world_t *w, uint8_t cart_event, uint64_t within_ms)
{
    uint8_t       cart;
    unsigned      i;
    ux_funnel_t  *funnel;

    cart = 0;

    for (i = 0; i < w->model.nfunnels; i++) {
        if (w->model.funnels[i].cart_event != UX_SLOT_NONE) {
            cart++;
        }
    }

    funnel = &w->model.funnels[w->model.nfunnels++];
    funnel->cart_event = cart_event;
    funnel->cart = cart_event == UX_SLOT_NONE ? UX_SLOT_NONE : cart;
    funnel->within_ms = within_ms;

    return funnel;
}


__attribute__((unused))
static void
world_step(world_t *w, ux_funnel_t *funnel, uint8_t event, bool optional)
{
    uint8_t     slot;
    unsigned    i;
    ux_step_t  *step;

    slot = 0;

    for (i = 0; i < w->model.nfunnels; i++) {
        slot = (uint8_t) (slot + w->model.funnels[i].nsteps);
    }

    step = &funnel->steps[funnel->nsteps++];
    step->event = event;
    step->slot = slot;
    step->optional = optional;
}


/* The rings of windows as a zone's counters; nothing else is in there. */
__attribute__((unused))
static ux_counter_t
world_windows(const world_t *w)
{
    ux_counter_t  counter;

    memset(&counter, 0, sizeof(counter));
    counter.shared = (uint64_t *) (uintptr_t) w->windows;
    counter.all_cells = sizeof(w->windows) / sizeof(uint64_t);

    return counter;
}


/* First cell there of an arm's ring. */
__attribute__((unused))
static uint32_t
world_window_at(unsigned arm, unsigned ring)
{
    return (arm * UX_WINDOW_RINGS + ring) * UX_BUCKETS;
}


/* As a zone does: the newer bucket keeps the cell. */
__attribute__((unused))
static void
world_apply(world_t *w)
{
    unsigned                 i;
    ux_counter_t             windows;
    world_ring_t            *cell;
    const ux_ring_change_t  *ring;

    for (i = 0; i < w->changes.n; i++) {
        w->cells[w->changes.items[i].cell] +=
            (uint64_t) w->changes.items[i].delta;
    }

    for (i = 0; i < w->changes.nrings; i++) {
        ring = &w->changes.rings[i];
        cell = &w->rings[ring->arm][ring->cart][ring->bucket % UX_BUCKETS]
                        [ring->field];

        if (cell->bucket > ring->bucket) {
            continue;
        }

        if (cell->bucket < ring->bucket) {
            cell->bucket = ring->bucket;
            cell->count = 0;
        }

        cell->count += ring->delta;
    }

    windows = world_windows(w);

    for (i = 0; i < w->changes.nwindows; i++) {
        ring = &w->changes.windows[i];
        ux_counter_ring_add(&windows,
                            world_window_at(ring->arm, ring->field)
                            + ring->bucket % UX_BUCKETS,
                            ring->bucket, ring->delta);
    }
}


/* One ring cell at the row of this bucket. */
__attribute__((unused))
static int32_t
world_ring(const world_t *w, unsigned arm, unsigned cart, uint64_t bucket,
    unsigned field)
{
    const world_ring_t  *cell;

    cell = &w->rings[arm][cart][bucket % UX_BUCKETS][field];

    return cell->bucket == bucket ? cell->count : 0;
}


/* A bucket of one of an arm's windows. */
__attribute__((unused))
static int32_t
world_window(const world_t *w, unsigned arm, unsigned ring, uint64_t bucket)
{
    ux_counter_t  windows;

    windows = world_windows(w);

    return ux_counter_ring_read(&windows,
                                world_window_at(arm, ring)
                                + (uint32_t) (bucket % UX_BUCKETS),
                                (uint32_t) bucket);
}


__attribute__((unused))
static int64_t
world_cell(const world_t *w, unsigned arm, unsigned cell)
{
    return (int64_t) w->cells[w->arms[arm].base + cell];
}


__attribute__((unused))
static int64_t
world_cart(const world_t *w, unsigned arm, unsigned cart, unsigned cell)
{
    return (int64_t) w->cells[w->arms[arm].carts[cart] + cell];
}


#endif
