
/*
 * Copyright (C) the nginx-ux authors
 *
 * The one event path: (visitor state, what happened, now) -> (visitor state',
 * counter changes).  Requests, upstream headers, beacons, replays and
 * simulations all come through here.  Pure: no clock, no memory, no zone.
 */

#ifndef UX_TRACK_H
#define UX_TRACK_H


#include "ux_counter.h"
#include "ux_outline.h"
#include "ux_vital.h"


/* What an arm ordinal means to this process; built by ux_store_bind(). */
typedef struct {
    int16_t   experiment;          /* index into the model, -1: not in it */
    int16_t   variant;             /* index into its variants, -1: dropped */
    uint16_t  variant_slot;        /* registry ordinal of the variant */
    uint32_t  base;                /* first cell of its UX_ARM_ block */
    uint32_t  carts[UX_CARTS_MAX]; /* first cell of UX_CART_, 0: none */
    uint32_t  rings[UX_CARTS_MAX]; /* first cell of the ring, 0: none; of all
                                      arms of the variant */
    uint8_t   widths[UX_CARTS_MAX];      /* fields of a row of the ring */
    uint32_t  requests;            /* first cells of UX_TIMINGS_REQUESTS */
    uint32_t  paces[UX_FUNNELS_MAX];     /* and, by slot, _FUNNEL; of all arms
                                      of the variant; 0: none */
    uint32_t  vitals;              /* _VITALS likewise */
    uint32_t  journey;             /* likewise, of _JOURNEY */
    uint32_t  surveys;             /* the same of UX_TIMINGS_SURVEYS */
    uint16_t  segments;            /* index of the first arm of the variant
                                      that counts a value; of such a one: the
                                      next; UX_ARM_NONE: no more */
    uint16_t  value;               /* of such a one: the value's ordinal */
} ux_arm_t;


/* Where each experiment of the model counts newcomers now. */
typedef struct {
    uint16_t  arms[UX_VARIANTS_MAX];     /* by variant index */
} ux_binding_t;


typedef struct {
    const ux_model_t    *model;
    unsigned             narms;
    unsigned             nsegments;      /* arms that count a value: the last
                                            of the array, backwards */
    uint8_t              segments[UX_SEGMENTS_MAX];  /* by slot: what exposures
                                            are given now; ordinal + 1 */
    const ux_arm_t      *arms;           /* by arm ordinal */
    const ux_binding_t  *bindings;       /* by experiment index */
    unsigned             experiments_max;   /* a record's assignments */
    uint32_t             requests;          /* UX_TIMINGS_REQUESTS of the
                                               zone; 0: none */
    uint32_t             vitals;            /* UX_TIMINGS_VITALS likewise */
} ux_plan_t;


#define UX_PREFETCH_MS  300000     /* how long a prefetched page waits */
#define UX_SESSION_S    1800       /* idle for so long, a session is over */
#define UX_RAGE_MS      2000       /* the same POST again so soon is rage, */
#define UX_RETRY_MS     600000     /*   or, after an error, a retry */


/* The visitor's track of an experiment, waiting and crossed over ones too. */
ux_track_t *ux_track_find(const ux_plan_t *plan, ux_visitor_t *visitor,
    unsigned experiment);

/*
 * Does what happens at now_ms count for this track (but for its window)?  Not
 * when it waits or crossed over, and not while its experiment is paused,
 * served, scheduled or not in the model.
 */
bool ux_track_counts(const ux_plan_t *plan, const ux_track_t *track,
    uint64_t now_ms);

/*
 * First exposure of the visitor to the experiment, in the variant with this
 * index, at now_ms.  UX_OK: recorded, or had been (then nothing changes but,
 * if the variant is another one by the operator's doing, `moved`); a track
 * that waits becomes the exposure.  UX_FULL: the record holds experiments_max
 * assignments of experiments that are all in the model.  UX_DECLINED: the
 * variant has no arm, or the experiment's phase is not RUNNING (for a visitor
 * it knows: nor CLOSED).  Nothing changed then.
 */
ux_status_t ux_track_expose(const ux_plan_t *plan, ux_visitor_t *visitor,
    unsigned experiment, unsigned variant, uint64_t now_ms,
    ux_changes_t *changes);

/*
 * A page with this variant was prefetched: the variant is recorded, and the
 * exposure waits for ux_track_settle().  Counts nothing.  Status as above;
 * UX_OK too when there is a track: one that waits does so from now on.
 */
ux_status_t ux_track_prefetch(const ux_plan_t *plan, ux_visitor_t *visitor,
    unsigned experiment, unsigned variant, uint64_t now_ms);

/*
 * The visitor's next request that is no prefetch, confirmed before if it is
 * to be: tracks that waited up to UX_PREFETCH_MS are exposures at now_ms, the
 * others are gone.  Returns whether anything changed; pointers to tracks and
 * their indices are void then.  settled: NULL, or room for UX_TRACKS_MAX arms,
 * those of the exposures, and UX_ARM_NONE.
 */
bool ux_track_settle(const ux_plan_t *plan, ux_visitor_t *visitor,
    uint64_t now_ms, uint16_t *settled, ux_changes_t *changes);

/*
 * The visitor was seen in two variants through no act of the operator: what
 * tracks[track] has added to visitors, step visitors, sums and carts is taken
 * back, and nothing of that experiment counts for it again; the variant
 * stays.  `count` adds it to the crossovers of its own arm.  Returns false,
 * and changes nothing, if it was one already, waits, or is of an experiment
 * not in the model.  What exactness rests on: ux_track_cross.c.
 */
bool ux_track_cross(const ux_plan_t *plan, ux_visitor_t *visitor,
    unsigned track, uint64_t now_ms, bool count, ux_changes_t *changes);

/*
 * One accepted event.  Idempotent for an id seen before.  Adds the zone's own
 * counts at once, those of experiments when the visitor is confirmed, else
 * the event waits in the record.  UX_OK; UX_DECLINED with *why set when it
 * was discarded (which is counted in changes too); UX_FULL when an
 * unconfirmed visitor's record can hold no more (zone_full, counted).  With
 * UX_OK *why is UX_DISCARDS, or what else there is to tell, counted likewise:
 * refund_excess, after_window.
 */
ux_status_t ux_track_event(const ux_plan_t *plan, ux_visitor_t *visitor,
    const ux_event_t *event, ux_changes_t *changes, ux_discard_e *why);

/*
 * The visitor's cookie came back: what waited enters the counts, dated when
 * it happened.  Does nothing to a confirmed one.
 */
void ux_track_confirm(const ux_plan_t *plan, ux_visitor_t *visitor,
    ux_changes_t *changes);

/*
 * Was the visitor, whose record was made at first_s, known for a session's
 * idleness before this exposure?  Counted for the arm of this base with the
 * visitor, delta 1, and taken back with it, delta -1.
 */
void ux_track_returning(uint32_t first_s, const ux_track_t *track,
    uint32_t base, int delta, ux_changes_t *changes);

/*
 * What ux_track_confirm() has just confirmed was so by a second page: of who
 * leaves after the first nothing is known.
 */
void ux_track_confirmed_late(const ux_plan_t *plan,
    const ux_visitor_t *visitor, ux_changes_t *changes);

/*
 * The visitor opened a page that shows the arms of this list, which ends with
 * UX_ARM_NONE and may have none; exposures by it done.  One that comes when
 * the visitor was idle for UX_SESSION_S begins a session: ux_track_idle() is
 * told before last_s changes, and after the visitor is confirmed, if it is.
 */
void ux_track_page(const ux_plan_t *plan, ux_visitor_t *visitor,
    const uint16_t *arms, uint64_t now_ms, ux_changes_t *changes);
void ux_track_idle(ux_visitor_t *visitor, uint32_t now_s);

/*
 * Would a further page of this session, without an event, an error or a new
 * exposure, change nothing of the record but last_s?  True of a visitor, and
 * of each track that the page shows, counts for and leaves in its variant.
 * Then ux_track_page() is one more of UX_ARM_PAGES for each of these.
 */
bool ux_track_visitor_steady(const ux_outline_t *outline);


/* What is counted by values of segments, too, takes a turn. */
static inline bool
ux_track_steady(const ux_outline_track_t *track, const ux_arm_t *arm)
{
    return track->flags == UX_OUTLINE_VISIT && arm->base != 0;
}


/*
 * The visitor sent a form; hash: of where to, not 0.  What it repeats is
 * counted for the zone and for the arms of this list, which ends with
 * UX_ARM_NONE.  sent_ms: when it began to come; of several under way at once
 * the answers' order is another one.
 */
void ux_track_post(const ux_plan_t *plan, ux_visitor_t *visitor,
    uint32_t hash, bool failed, const uint16_t *arms, uint64_t sent_ms,
    ux_changes_t *changes);

/*
 * What a page of the visitor told of itself: counted for the zone at once, and
 * for each exposure that an event would count for.  One with an id replaces
 * what came with that id before, as long as it is the visitor's last of this
 * metric; a report that is older than that, or a later one of another id, is
 * none.  Returns what events are told by, counted likewise: duplicate;
 * zone_full, for a record with no room to remember it (nothing is counted for
 * these two); after_window; UX_DISCARDS.
 */
ux_discard_e ux_track_vital(const ux_plan_t *plan, ux_visitor_t *visitor,
    const ux_vital_t *vital, uint64_t now_ms, ux_changes_t *changes);


#endif
