
/*
 * Copyright (C) the nginx-ux authors
 *
 * Vitals: what pages of a visitor tell of how they felt.
 *
 * A metric of a page view has an id, and is told again with a newer value as
 * long as the page lives (web-vitals: CLS and INP; `delta` is what is new of
 * it).  Each id counts once, with its newest value: the histogram's bucket and
 * the rating move from the old value to the new.  What they move from is the
 * visitor's own memory of the last id of each metric, never what a page says
 * the value was: nobody takes out what was not counted.
 *
 *   the same id    previous value as remembered, or grown: replaces it
 *                  else: a replay of a report from before
 *   another id     value == delta: a first report, counts, is remembered
 *                  else: a later one of a page view that is not remembered
 *                  (two pages open at once): what was counted of it stays
 *   no id          counts each time
 *
 * Whether an arm counts what is remembered is a bit of the track.  A value is
 * moved wherever it is counted, even after the window: that is a correction.
 * A visitor who crosses over stays in, as in all histograms.
 *
 * Bounds: one id of a metric is remembered, by 32 bits: the first report of a
 * page view that comes again after one of the next counts again.  A beacon
 * with first reports of several page views of one metric is so counted each
 * time that it is replayed.
 */

#include "ux_apply.h"
#include "ux_timing.h"


/* most changes of one: less than an event's, see ux_track.c */
#define UX_TRACK_VITAL_CELLS  (1 + UX_TRACKS_MAX * 4)

_Static_assert(UX_TRACK_VITAL_CELLS
               <= 5 + (UX_TRACKS_MAX - 1) * (2 + UX_FUNNELS_MAX),
               "no more than an event's");
_Static_assert(UX_VITAL_MARKS == UX_TIMING_BUCKETS << 2
               && UX_VITAL_RATINGS <= 4 && UX_VITALS <= 8, "marks and bits");


/* One report, and what it replaces. */
typedef struct {
    const ux_plan_t  *plan;
    ux_changes_t     *changes;
    unsigned          metric;
    uint32_t          id;              /* 0: none */
    uint16_t          mark;            /* see ux_vital_seen_t */
    bool              again;           /* the remembered id, which had: */
    uint16_t          was;
} ux_telling_t;


static bool ux_vital_news(const ux_telling_t *t, const ux_vital_t *vital);
static uint16_t ux_vital_mark(const ux_vital_t *vital, int64_t value_e4);
static bool ux_vital_exposures(const ux_telling_t *t, ux_visitor_t *visitor,
    uint64_t now_ms);
static bool ux_vital_counts(const ux_telling_t *t, const ux_track_t *track,
    uint64_t now_ms, bool *late);
static void ux_vital_count(const ux_telling_t *t, uint32_t first,
    bool counted);
static void ux_vital_add(const ux_telling_t *t, uint32_t first,
    uint16_t mark, int64_t n);


ux_discard_e
ux_track_vital(const ux_plan_t *plan, ux_visitor_t *visitor,
    const ux_vital_t *vital, uint64_t now_ms, ux_changes_t *changes)
{
    ux_discard_e      why;
    ux_telling_t      t;
    ux_vital_seen_t  *seen;

    if (vital->metric >= UX_VITALS) {
        return UX_DISCARDS;
    }

    seen = &visitor->vitals[vital->metric];

    t.plan = plan;
    t.changes = changes;
    t.metric = vital->metric;
    t.id = (uint32_t) vital->id_hash;
    t.id = t.id == 0 && vital->id_hash != 0 ? 1 : t.id;
    t.mark = ux_vital_mark(vital, vital->value_e4);
    t.again = t.id != 0 && t.id == seen->id;
    t.was = seen->mark;

    why = UX_DISCARDS;

    if (t.id != 0 && visitor->vitals_full) {
        why = UX_DISCARD_ZONE_FULL;

    } else if (!ux_vital_news(&t, vital)) {
        why = UX_DISCARD_DUPLICATE;

    } else {
        ux_vital_count(&t, plan->vitals, t.again);

        if (ux_vital_exposures(&t, visitor, now_ms)) {
            why = UX_DISCARD_AFTER_WINDOW;
        }

        if (t.id != 0) {
            seen->id = t.id;
            seen->mark = t.mark;
        }
    }

    if (why != UX_DISCARDS) {
        ux_changes_add(changes, UX_ZONE_DISCARDED + (uint32_t) why, 1);
    }

    return why;
}


/*
 * Is it no replay?  The previous value it tells is that of the report before
 * it, which may have been lost: values grow, but for INP's, which are told in
 * their order.  It is rounded, and so is the value.
 */
static bool
ux_vital_news(const ux_telling_t *t, const ux_vital_t *vital)
{
    int64_t  previous;

    if (t->id == 0) {
        return true;
    }

    if (!vital->has_delta) {
        return !t->again || t->mark != t->was;
    }

    if (!t->again) {
        return vital->delta_e4 == vital->value_e4;
    }

    if (vital->delta_e4 == 0) {
        return false;
    }

    previous = vital->value_e4 - vital->delta_e4;

    return t->mark > t->was
           || (ux_vital_mark(vital, previous - 1) <= t->was
               && ux_vital_mark(vital, previous + 1) >= t->was);
}


static uint16_t
ux_vital_mark(const ux_vital_t *vital, int64_t value_e4)
{
    return (uint16_t) (ux_timing_bucket(ux_vital_steps(vital->metric,
                                                       value_e4)) << 2
                       | (unsigned) ux_vital_rate(vital->metric, value_e4));
}


/* True if it came after the window of all. */
static bool
ux_vital_exposures(const ux_telling_t *t, ux_visitor_t *visitor,
    uint64_t now_ms)
{
    bool         late, taken, counted;
    uint8_t      bit;
    unsigned     i;
    ux_track_t  *track;

    bit = (uint8_t) (1u << t->metric);
    late = false;
    taken = false;

    for (i = 1; visitor->confirmed && i < visitor->ntracks; i++) {
        track = &visitor->tracks[i];
        counted = t->again && (track->vitals & bit);

        if (t->id != 0) {
            track->vitals &= (uint8_t) ~bit;
        }

        if (track->arm < t->plan->narms
            && (counted || ux_vital_counts(t, track, now_ms, &late)))
        {
            ux_vital_count(t, t->plan->arms[track->arm].vitals, counted);
            taken = true;

            if (t->id != 0) {
                track->vitals |= bit;
            }
        }
    }

    return late && !taken;
}


static bool
ux_vital_counts(const ux_telling_t *t, const ux_track_t *track,
    uint64_t now_ms, bool *late)
{
    bool  inside;

    if (!ux_track_counts(t->plan, track, now_ms)) {
        return false;
    }

    inside = ux_apply_in_window(t->plan, &t->plan->arms[track->arm], track,
                                now_ms);
    *late = *late || !inside;

    return inside;
}


/* first: of the block; 0: there is none. */
static void
ux_vital_count(const ux_telling_t *t, uint32_t first, bool counted)
{
    if (first == 0 || (counted && t->mark == t->was)) {
        return;
    }

    if (counted) {
        ux_vital_add(t, first, t->was, -1);
    }

    ux_vital_add(t, first, t->mark, 1);
}


static void
ux_vital_add(const ux_telling_t *t, uint32_t first, uint16_t mark, int64_t n)
{
    ux_change_t  change;

    change = ux_timing_bucket_change(first + UX_TIMINGS_VITAL(t->metric),
                                     mark >> 2);

    ux_changes_add(t->changes, change.cell, n * change.delta);
    ux_changes_add(t->changes,
                   first + UX_TIMINGS_RATING(t->metric, mark & 3u), n);
}
