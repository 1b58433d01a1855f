
/*
 * Copyright (C) the nginx-ux authors
 *
 * Pages that only touch a record: the same history is played twice, once by
 * turns of the record, once by touches where these will do.  At every step
 * both records and all counters are the same.
 */

#include "table_case.h"
#include "track_world.h"


enum {
    VISITORS = 200,
    EXPERIMENTS = 5,
    STEPS = 40000
};


/* One of the two that play. */
typedef struct {
    bool          touches;
    case_table_t  c;
    world_t       world;
} side_t;


static side_t    turns = { .touches = false }, touches = { .touches = true };
static uint64_t  seed = 7;
static unsigned  touched, went;


static void play(side_t *side, uint64_t step, uint64_t now_ms);
static void page(side_t *side, uint64_t step, uint64_t now_ms);
static unsigned look(side_t *side, uint64_t step, uint64_t now_ms,
    uint16_t *arms, ux_seen_t *seen);
static void turn(side_t *side, uint64_t step, uint64_t now_ms,
    unsigned action);
static bool same(void);


static void
start(side_t *side)
{
    unsigned      e;
    ux_funnel_t  *funnel;

    side->c = case_table(2, 40);
    case_join(&side->c);
    side->c.table.inactive_s = 100000;

    world_init(&side->world, EXPERIMENTS, 2);
    funnel = world_funnel(&side->world, UX_EVENT_ADD_TO_CART, 600000);
    world_step(&side->world, funnel, UX_EVENT_ADD_TO_CART, false);
    world_step(&side->world, funnel, UX_EVENT_PURCHASE, false);

    for (e = 0; e < EXPERIMENTS; e++) {
        side->world.experiments[e].window_ms = 3600000;
    }

    memset(side->world.plan.segments, 0, sizeof(side->world.plan.segments));
}


static ux_key_t
who(uint64_t step)
{
    return case_key(step % VISITORS);
}


/* What a step does is told by its number, so that both sides do the same. */
static void
play(side_t *side, uint64_t step, uint64_t now_ms)
{
    unsigned  action;

    action = (unsigned) (step >> 8) % 16;

    side->world.plan.segments[0] = (uint8_t) ((step >> 40) % 32 == 0);

    if (action < 11) {
        page(side, step, now_ms);
        return;
    }

    turn(side, step, now_ms, action);
}


/* Somebody else may come between the look and the page. */
static void
page(side_t *side, uint64_t step, uint64_t now_ms)
{
    unsigned   i, n;
    uint16_t   arms[EXPERIMENTS];
    ux_seen_t  seen;

    n = side->touches ? look(side, step, now_ms, arms, &seen) : UX_ARM_NONE;

    if ((step >> 32) % 4 == 0) {
        turn(side, step + (step >> 34) % 2, now_ms, 12);
    }

    if (n == UX_ARM_NONE
        || ux_table_touch(&side->c.table, &seen, (uint32_t) (now_ms / 1000),
                          0, UX_SESSION_S)
           != UX_OK)
    {
        went += side->touches && n != UX_ARM_NONE;
        turn(side, step, now_ms, 0);
        return;
    }

    touched++;

    for (i = 0; i < n; i++) {
        side->world.cells[side->world.arms[arms[i]].base + UX_ARM_PAGES]++;
    }
}


/* How many arms the page shows, all of them steady; UX_ARM_NONE: it is not. */
static unsigned
look(side_t *side, uint64_t step, uint64_t now_ms, uint16_t *arms,
    ux_seen_t *seen)
{
    unsigned             i, e, n;
    ux_outline_t         outline;
    const ux_arm_t      *arm;
    ux_outline_track_t  *track;

    seen->slot = UX_PROCESS_NONE;

    if (ux_table_see(&side->c.table, who(step), (uint32_t) (now_ms / 1000),
                     &outline, seen)
            != UX_OK
        || !ux_track_visitor_steady(&outline))
    {
        return UX_ARM_NONE;
    }

    n = 0;

    for (e = 0; e < EXPERIMENTS; e++) {

        if (!((step >> 16 >> e) & 1)) {
            continue;
        }

        for (i = 0, arm = NULL; i < outline.n; i++) {
            arm = &side->world.arms[outline.tracks[i].arm];

            if (arm->experiment == (int) e) {
                break;
            }
        }

        track = &outline.tracks[i];

        if (i == outline.n || !ux_track_steady(track, arm)) {
            return UX_ARM_NONE;
        }

        arms[n++] = track->arm;
    }

    return n;
}


/* A turn of the record, in the order of the module. */
static void
turn(side_t *side, uint64_t step, uint64_t now_ms, unsigned action)
{
    uint32_t             now_s;
    unsigned             e, n, shown, variant;
    uint16_t             arms[EXPERIMENTS + 1], settled[UX_TRACKS_MAX];
    ux_turn_t            open;
    ux_event_t           event;
    ux_track_t          *track;
    ux_discard_e         why;
    static ux_visitor_t  v, back;
    ux_table_effects_t   effects;
    ux_plan_t           *plan;
    ux_changes_t        *changes;

    plan = &side->world.plan;
    changes = &side->world.changes;
    now_s = (uint32_t) (now_ms / 1000);

    if (ux_table_open(&side->c.table, who(step), now_s, &v, &open) != UX_OK) {
        ok(0, "a record cannot be opened");
        return;
    }

    ux_changes_clear(changes);

    if (open.found && action != 15) {
        ux_track_confirm(plan, &v, changes);
    }

    ux_track_idle(&v, now_s);

    shown = (unsigned) (step >> 16) % (1u << EXPERIMENTS);
    n = 0;

    if (action == 15) {
        (void) ux_track_prefetch(plan, &v, shown % EXPERIMENTS, shown & 1,
                                 now_ms);

    } else if (action == 0) {
        (void) ux_track_settle(plan, &v, now_ms, settled, changes);

        for (e = 0; e < EXPERIMENTS; e++) {
            if (!((shown >> e) & 1)) {
                continue;
            }

            track = ux_track_find(plan, &v, e);
            variant = track != NULL
                      ? (unsigned) side->world.arms[track->arm].variant
                      : (unsigned) (step % VISITORS + e) % 2;

            (void) ux_track_expose(plan, &v, e, variant, now_ms, changes);
            track = ux_track_find(plan, &v, e);

            if (track != NULL && !track->waiting) {
                arms[n++] = track->arm;
            }
        }

        arms[n] = UX_ARM_NONE;
        ux_track_page(plan, &v, arms, now_ms, changes);

    } else if (action == 14 && v.ntracks > 1 && (step >> 44) % 64 == 0) {
        (void) ux_track_cross(plan, &v, 1 + shown % (v.ntracks - 1u), now_ms,
                              true, changes);

    } else {
        memset(&event, 0, sizeof(event));
        event.now_ms = now_ms;
        event.event = shown == 5 ? UX_EVENT_PURCHASE : UX_EVENT_ADD_TO_CART;
        event.currency = UX_CURRENCY_ZONE;
        (void) ux_track_event(plan, &v, &event, changes, &why);
    }

    v.last_s = now_s;

    if (ux_table_commit(&side->c.table, &open, &v, now_s, &effects) != UX_OK)
    {
        ok(0, "a record cannot be written");
        return;
    }

    /* nothing of it is taken for the same that is not */

    if (ux_table_read(&side->c.table, who(step), now_s, &back) != UX_OK
        || !case_equal(&v, &back))
    {
        ok(0, "a record is another one than was written");
    }

    world_apply(&side->world);
}


/* Records and counters. */
static bool
same(void)
{
    uint64_t             i;
    ux_status_t          rc[2];
    static ux_visitor_t  v[2];

    for (i = 0; i < VISITORS; i++) {
        rc[0] = ux_table_read(&turns.c.table, case_key(i), 0, &v[0]);
        rc[1] = ux_table_read(&touches.c.table, case_key(i), 0, &v[1]);

        if (rc[0] != rc[1] || (rc[0] == UX_OK && !case_equal(&v[0], &v[1]))) {
            return false;
        }
    }

    return memcmp(turns.world.cells, touches.world.cells,
                  sizeof(turns.world.cells))
           == 0;
}


/* Hours that go by, some visitors often there, others seldom. */
static void
test_histories(void)
{
    bool      good;
    uint64_t  i, step, now_ms;

    start(&turns);
    start(&touches);

    now_ms = (uint64_t) NOW * 1000;
    good = true;

    for (i = 0; i < STEPS && good; i++) {
        step = case_random(&seed);
        step = step % 3 ? step - step % VISITORS + step % 7 : step;
        now_ms += case_random(&seed) % 256 == 0
                  ? case_random(&seed) % 1000000 : case_random(&seed) % 2000;

        play(&turns, step, now_ms);
        play(&touches, step, now_ms);

        if (i % 50 == 0 || i > STEPS - 10) {
            good = same();
        }
    }

    ok(good, "the same after %llu steps", (unsigned long long) i);
    ok(touched > STEPS / 10 && went > 100,
       "%u pages touched a record, %u found it changed", touched, went);

    case_free(&turns.c);
    case_free(&touches.c);
}


/* What else a page would change. */
static void
test_steady(void)
{
    ux_arm_t            arm;
    ux_outline_track_t  track;

    memset(&arm, 0, sizeof(arm));
    memset(&track, 0, sizeof(track));

    arm.base = 1;
    track.flags = UX_OUTLINE_VISIT;
    ok(ux_track_steady(&track, &arm), "a track that was shown is steady");

    track.flags |= UX_OUTLINE_SEGMENTED;
    ok(!ux_track_steady(&track, &arm), "not one with values of segments");

    track.flags = UX_OUTLINE_VISIT;
    arm.base = 0;
    ok(!ux_track_steady(&track, &arm), "nor one that nothing counts for");
}


int
main(void)
{
    test_steady();
    test_histories();

    return done();
}
