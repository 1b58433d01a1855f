
/*
 * Copyright (C) the nginx-ux authors
 *
 * Stages: who reaches which, from where, before the purchase and after it;
 * and what orders are worth.
 */

#include "tap.h"
#include "track_case.h"
#include "ux_journey.h"


#define STAGES   3
#define BROWSE   0
#define BUYING   1
#define SUPPORT  2

#define ROW(stage)  ((stage) + 1u)
#define START       0u

#define CHAT     8                 /* events of the model, behind NPS */


/* In place of the carts of the last arms, which have none here. */
static uint32_t
block(unsigned arm)
{
    return WORLD_CELLS - (arm + 1) * UX_JOURNEY_CELLS(UX_STAGES_MAX);
}


static void
stage(ux_model_t *model, const char *name, uint64_t events, uint8_t slot)
{
    ux_stage_t  *s;

    s = &model->stages[model->nstages++];

    s->name.data = name;
    s->name.len = strlen(name);
    s->events = events;
    s->slot = slot;
}


static void
stages(void)
{
    uint8_t   index;
    unsigned  a;
    ux_str_t  chat = ux_str("chat");

    (void) ux_model_event_add(&w.model, chat, &index);

    w.model.nstages = 0;
    stage(&w.model, "browse", 1ull << VIEW, 7);
    stage(&w.model, "buying", 1ull << CART | 1ull << BUY, 2);
    stage(&w.model, "support", 1ull << NPS | 1ull << CHAT, 0);

    for (a = 0; a < 2; a++) {
        w.arms[a].journey = block(a);
    }
}


static int64_t
reached(unsigned arm, unsigned stage)
{
    return (int64_t) w.cells[block(arm) + stage];
}


static int64_t
moves(unsigned arm, bool after, unsigned row, unsigned stage)
{
    return (int64_t) w.cells[block(arm) + UX_JOURNEY_MOVE(STAGES, after, row,
                                                          stage)];
}


static int64_t
all_moves(unsigned arm)
{
    int64_t   n;
    unsigned  i;

    n = 0;

    for (i = UX_JOURNEY_MOVES; i < UX_JOURNEY_CELLS(STAGES); i++) {
        n += (int64_t) w.cells[block(arm) + i];
    }

    return n;
}


static void
test_moves(void)
{
    setup(1);
    stages();

    (void) event(VIEW, NONE, T0);
    ok(all_moves(0) == 0, "before the exposure: nothing");

    (void) expose(0, 0, T0);
    (void) event(VIEW, NONE, T0 + 1);
    (void) event(VIEW, NONE, T0 + 2);
    (void) event(CART, NONE, T0 + 3);
    (void) event(BEGIN, NONE, T0 + 4);
    (void) event(CHAT, NONE, T0 + 5);

    ok(moves(0, false, START, BROWSE) == 1, "from the start");
    ok(moves(0, false, ROW(BROWSE), BROWSE) == 1, "to the same stage");
    ok(moves(0, false, ROW(BROWSE), BUYING) == 1
       && moves(0, false, ROW(BUYING), SUPPORT) == 1,
       "to another; an event of no stage is nothing");
    ok(v.tracks[1].stage == 1 && v.tracks[0].stage == 0,
       "the exposure remembers the slot, the life none");

    (void) event(BUY, 100, T0 + 6);
    ok(moves(0, false, ROW(SUPPORT), BUYING) == 1
       && moves(0, true, ROW(SUPPORT), BUYING) == 0,
       "the purchase itself is before the purchase");

    (void) event(NPS, NONE, T0 + 7);
    (void) event(BUY, 100, T0 + 8);
    (void) event(BUY, 100, T0 + 9);
    ok(moves(0, true, ROW(BUYING), SUPPORT) == 1
       && moves(0, true, ROW(SUPPORT), BUYING) == 1
       && moves(0, true, ROW(BUYING), BUYING) == 1, "and what follows after");

    ok(reached(0, BROWSE) == 1 && reached(0, BUYING) == 1
       && reached(0, SUPPORT) == 1, "each stage is reached once");
    ok(all_moves(0) == 8 && all_moves(1) == 0, "an event is one move");
}


static void
test_windows(void)
{
    setup(2);
    stages();
    w.experiments[0].window_ms = 1000;

    (void) expose(0, 0, T0);
    (void) event(VIEW, NONE, T0 + 1000);
    (void) event(CART, NONE, T0 + 1001);

    ok(all_moves(0) == 1 && reached(0, BUYING) == 0, "not after the window");

    /* an arm without a block, as of a zone that is full */

    w.arms[0].journey = 0;
    (void) event(CART, NONE, T0 + 500);
    ok(all_moves(0) == 1 && v.tracks[1].stage == 8, "no block: no count");
    ok(world_cell(&w, 0, UX_ARM_EVENT_COUNT + CART) == 1,
       "no block: but events");
}


static void
test_unconfirmed(void)
{
    setup(1);
    stages();
    v.confirmed = false;

    (void) expose(0, 0, T0);
    (void) event(VIEW, NONE, T0 + 1);
    (void) event(BUY, 700, T0 + 2);
    (void) event(CART, NONE, T0 + 3);
    ok(all_moves(0) == 0 && reached(0, BROWSE) == 0, "unconfirmed: waits");

    ux_changes_clear(&w.changes);
    ux_track_confirm(&w.plan, &v, &w.changes);
    world_apply(&w);

    ok(moves(0, false, START, BROWSE) == 1
       && moves(0, false, ROW(BROWSE), BUYING) == 1
       && moves(0, true, ROW(BUYING), BUYING) == 1 && all_moves(0) == 3,
       "confirmed: in the order it happened");
    ok(world_cell(&w, 0, UX_ARM_ORDERED) == 700, "confirmed: the order");
}


static void
cross(void)
{
    ux_changes_clear(&w.changes);
    (void) ux_track_cross(&w.plan, &v, 1, T0 + 100, true, &w.changes);
    world_apply(&w);
}


static void
test_cross(void)
{
    setup(1);
    stages();

    (void) expose(0, 0, T0);
    (void) event(CHAT, NONE, T0 + 1);
    (void) event(NPS, NONE, T0 + 2);
    (void) event(BUY, 500, T0 + 3);
    (void) event(REFUND, 200, T0 + 4);

    ok(reached(0, SUPPORT) == 1 && reached(0, BUYING) == 1,
       "crossing: two events of a stage are one visitor");

    cross();

    ok(reached(0, SUPPORT) == 0 && reached(0, BUYING) == 0
       && reached(0, BROWSE) == 0, "crossed: no visitor of any stage");
    ok(all_moves(0) == 3 && v.tracks[1].stage == 0, "crossed: moves stay");
    ok(sum(0, 0) == 0, "crossed: its revenue leaves");
    ok(world_cell(&w, 0, UX_ARM_ORDERS) == 1
       && world_cell(&w, 0, UX_ARM_ORDERED) == 500
       && world_cell(&w, 0, UX_ARM_REFUNDED) == 200,
       "crossed: orders stay, as events do");

    (void) event(CHAT, NONE, T0 + 5);
    ok(all_moves(0) == 3 && reached(0, SUPPORT) == 0, "crossed: no more");
}


/* Stages that come and go: places change, slots do not. */
static void
test_changes(void)
{
    uint64_t  hash;

    setup(1);
    stages();
    hash = ux_journey_hash(&w.model);

    (void) expose(0, 0, T0);
    (void) event(CHAT, NONE, T0 + 1);

    w.model.nstages = 0;
    stage(&w.model, "support", 1ull << NPS | 1ull << CHAT, 0);
    stage(&w.model, "after", 1ull << BEGIN, 3);
    ok(ux_journey_hash(&w.model) != hash, "other stages: another block");
    memset(&w.cells[block(0)], 0, UX_JOURNEY_CELLS(STAGES) * 8);

    (void) event(BEGIN, NONE, T0 + 2);
    ok(w.cells[block(0) + UX_JOURNEY_MOVE(2, false, 1, 1)] == 1,
       "a stage keeps its visitors, wherever it stands");

    w.model.nstages = 1;
    (void) event(CHAT, NONE, T0 + 3);
    ok(w.cells[block(0) + UX_JOURNEY_MOVE(1, false, 0, 0)] == 1,
       "from one that is gone: the start");

    w.model.stages[0].slot = UX_SLOT_NONE;
    (void) event(CHAT, NONE, T0 + 4);
    ok(v.tracks[1].stage == 1
       && w.cells[block(0) + UX_JOURNEY_MOVE(1, false, 1, 0)] == 0,
       "one that is not bound is none");
}


static void
test_hash(void)
{
    uint64_t    hash;
    ux_stage_t  swap;

    setup(1);
    stages();
    hash = ux_journey_hash(&w.model);

    w.model.stages[BROWSE].slot = 5;
    ok(ux_journey_hash(&w.model) == hash, "hash: whatever the slots");

    w.model.stages[BROWSE].events |= 1ull << SHIP;
    ok(ux_journey_hash(&w.model) != hash, "hash: of the events");
    w.model.stages[BROWSE].events = 1ull << VIEW;

    w.model.stages[BROWSE].name.len--;
    ok(ux_journey_hash(&w.model) != hash, "hash: of the names");
    w.model.stages[BROWSE].name.len++;

    swap = w.model.stages[0];
    w.model.stages[0] = w.model.stages[1];
    w.model.stages[1] = swap;
    ok(ux_journey_hash(&w.model) != hash, "hash: of the order");

    /* indices of events follow the lines of the configuration */

    stages();
    w.model.events[SHIP] = w.model.events[VIEW];
    w.model.stages[BROWSE].events = 1ull << SHIP;
    ok(ux_journey_hash(&w.model) == hash, "hash: whatever the indices");

    w.model.nstages = 0;
    ok(ux_journey_hash(&w.model) == 0, "hash: of no stages");
    ok(ux_journey_cells(STAGES) == UX_JOURNEY_CELLS(STAGES)
       && ux_journey_cells(1ull << 40) == UX_JOURNEY_CELLS(UX_STAGES_MAX),
       "cells: of as many as there may be at most");
}


/* Every move has a cell of its own, and all of them lie in the block. */
static void
test_layout(void)
{
    bool      apart;
    unsigned  n, after, row, stage, at;
    uint8_t   seen[UX_JOURNEY_CELLS(UX_STAGES_MAX)];

    apart = true;

    for (n = 1; n <= UX_STAGES_MAX; n++) {
        memset(seen, 0, sizeof(seen));

        for (after = 0; after < 2; after++) {
            for (row = 0; row <= n; row++) {
                for (stage = 0; stage < n; stage++) {
                    at = UX_JOURNEY_MOVE(n, after, row, stage);
                    apart = apart && at >= n && at < ux_journey_cells(n)
                            && seen[at]++ == 0;
                }
            }
        }
    }

    ok(apart, "a cell for every move");
}


static void
test_orders(void)
{
    setup(1);
    stages();
    w.experiments[0].cap = 600;

    (void) expose(0, 0, T0);
    (void) event(BUY, 500, T0 + 1);
    (void) event(BUY, NONE, T0 + 2);
    (void) event_foreign(BUY, 900, 3);
    (void) event(BUY, 0, T0 + 3);
    (void) event(CART, 77, T0 + 3);
    (void) event_foreign(REFUND, 100, 3);

    ok(world_cell(&w, 0, UX_ARM_ORDERS) == 2
       && world_cell(&w, 0, UX_ARM_ORDERED) == 500,
       "orders: with a value, in the zone's currency");
    ok(world_cell(&w, 0, UX_ARM_REFUNDED) == 0,
       "orders: a foreign refund takes nothing");
    ok(world_cell(&w, 0, UX_ARM_EVENT_COUNT + BUY) == 4
       && world_cell(&w, 0, UX_ARM_EVENT_COUNT + REFUND) == 1,
       "orders: all are events");

    (void) event(BUY, 400, T0 + 4);
    ok(sum(0, 0) == 600 && world_cell(&w, 0, UX_ARM_ORDERED) == 900,
       "orders: a cap is the visitor's");

    (void) event(REFUND, 300, T0 + 5);
    (void) event(REFUND, 1000, T0 + 6);
    ok(world_cell(&w, 0, UX_ARM_REFUNDED) == 900 && sum(0, 0) == 0,
       "orders: refunds take no more than there was");
}


static void
test_check(void)
{
    int         at[2];
    ux_error_t  error;

    setup(1);
    stages();
    ok(ux_model_check(&w.model, &at[0], &at[1], &error) == UX_OK,
       "check: stages");

    w.model.stages[SUPPORT].events |= 1ull << BUY;
    ok(ux_model_check(&w.model, &at[0], &at[1], &error) == UX_ERROR
       && strstr(error.message, "\"purchase\" of stage \"support\"") != NULL,
       "check: an event in two stages: %s", error.message);

    stages();
    w.model.stages[SUPPORT].name = w.model.stages[BROWSE].name;
    ok(ux_model_check(&w.model, &at[0], &at[1], &error) == UX_ERROR
       && strstr(error.message, "\"browse\" is given twice") != NULL,
       "check: a stage twice: %s", error.message);
}


int
main(void)
{
    test_moves();
    test_windows();
    test_unconfirmed();
    test_cross();
    test_changes();
    test_hash();
    test_layout();
    test_orders();
    test_check();

    return done();
}
