
/*
 * Copyright (C) the nginx-ux authors
 *
 * What the configuration of one zone says, without nginx: experiments,
 * funnels, events.  Built at load, read-only afterwards but for the slots,
 * which ux_store_bind() fills in every process from the zone's registry.
 */

#ifndef UX_MODEL_H
#define UX_MODEL_H


#include "ux_experiment.h"


#define UX_EVENTS_MAX        64      /* names of one zone, GA4's included */
#define UX_STEPS_MAX         64      /* steps of all funnels of one zone */
#define UX_FUNNEL_STEPS_MAX  16
#define UX_FUNNELS_MAX       16
#define UX_CARTS_MAX         8       /* funnels with a cart */
#define UX_TOTALS_MAX        8       /* per-visitor sums, revenue is slot 0 */
#define UX_EXPERIMENTS_MAX   256
#define UX_STAGES_MAX        16      /* of a journey */
#define UX_SURVEYS           3       /* nps, csat, ces */
#define UX_SURVEY_SCALE      11      /* answers one of them has at most */
#define UX_SEGMENTS_MAX      4
#define UX_SEGMENT_VALUES    64      /* of all segments of one zone, each
                                        one's "other" included */

#define UX_SLOT_NONE  0xff


/* Every model starts with these, in this order. */
typedef enum {
    UX_EVENT_VIEW_ITEM = 0,
    UX_EVENT_ADD_TO_CART,
    UX_EVENT_BEGIN_CHECKOUT,
    UX_EVENT_ADD_SHIPPING_INFO,
    UX_EVENT_ADD_PAYMENT_INFO,
    UX_EVENT_PURCHASE,
    UX_EVENT_REFUND,
    UX_EVENT_BUILTIN                 /* how many there are */
} ux_event_e;


typedef struct {
    uint8_t  event;                  /* index into ux_model_t.events */
    uint8_t  slot;                   /* bound: bit in step masks */
    bool     optional;
} ux_step_t;


typedef struct {
    ux_str_t   name;
    unsigned   nsteps;
    ux_step_t  steps[UX_FUNNEL_STEPS_MAX];
    uint8_t    slot;                 /* bound: place among a track's paces */
    uint16_t   mark;                 /* bound: of its steps, as they are */
    uint8_t    cart_event;           /* index, UX_SLOT_NONE: no cart */
    uint8_t    cart;                 /* bound: slot among carts */
    uint64_t   within_ms;
} ux_funnel_t;


/* Where a journey begins, in reports; no stage is called so. */
#define UX_STAGE_START  "start"

/* A stage of the journey; an event is of one at most. */
typedef struct {
    ux_str_t   name;
    uint64_t   events;               /* mask of indices */
    uint8_t    slot;                 /* bound: what a track remembers */
} ux_stage_t;


/* A per-visitor sum: slot 0 is revenue, the others serve metrics. */
typedef struct {
    uint8_t           event;         /* index, UX_METRIC_REVENUE: slot 0 */
    uint8_t           slot;          /* bound: index into a track's totals */
    ux_metric_type_e  type;          /* mean, count, ratio */
} ux_total_t;


/* A bounded dimension that visitors are also counted by. */
typedef struct {
    ux_str_t  name;
    uint8_t   slot;                  /* bound: place in a track's segments */
    uint8_t   first;                 /* index into ux_model_t.values */
    uint8_t   nvalues;               /* "other", the first, included */
} ux_segment_t;


typedef struct {
    ux_str_t  name;
    uint8_t   ordinal;               /* bound: what a track keeps, less 1 */
} ux_segment_value_t;


typedef struct {
    ux_str_t          zone;
    unsigned          currency;      /* index, ux_currency_find() */
    unsigned          nevents;
    ux_str_t          events[UX_EVENTS_MAX];
    uint8_t           event_slots[UX_EVENTS_MAX];   /* bound */
    unsigned          nfunnels;
    ux_funnel_t       funnels[UX_FUNNELS_MAX];
    unsigned          nstages;
    ux_stage_t        stages[UX_STAGES_MAX];
    unsigned          ntotals;
    ux_total_t        totals[UX_TOTALS_MAX];
    unsigned          nsegments;
    ux_segment_t      segments[UX_SEGMENTS_MAX];
    unsigned          nvalues;
    ux_segment_value_t  values[UX_SEGMENT_VALUES];   /* segment by segment */
    unsigned          nexperiments;
    ux_experiment_t  *experiments;
    uint64_t          removed_ms;    /* results of removed experiments stay
                                        visible so long; 0: 30 days */
    bool              collects;      /* takes beacons */
} ux_model_t;


/* Fills the built-in events and the revenue total; the rest is zeroed. */
void ux_model_init(ux_model_t *model, ux_str_t zone, unsigned currency);

/* The name of a stage: that of rows of a journey, but for their first. */
bool ux_stage_name_check(ux_str_t name);

/* Index of an event name, or -1. */
int ux_model_event_find(const ux_model_t *model, ux_str_t name);

/* Index of the event, added if new; UX_FULL beyond UX_EVENTS_MAX. */
ux_status_t ux_model_event_add(ux_model_t *model, ux_str_t name,
    uint8_t *index);

/*
 * A segment of its own, with "other"; UX_DECLINED: there is one of this name,
 * UX_FULL: too many.  Then its values, each appended to the last segment:
 * UX_DECLINED for one that it has, but "other" may be named.
 */
ux_status_t ux_model_segment_add(ux_model_t *model, ux_str_t name);
ux_status_t ux_model_value_add(ux_model_t *model, ux_str_t name);

/*
 * Whole-model rules: overlapping layer ranges, the same experiment twice,
 * a step twice in one funnel, too many steps or carts, an event in two
 * stages.  The sentence names the offenders; *experiment and *funnel (-1 if
 * neither) index the second of them, so that the caller can print its line.
 */
ux_status_t ux_model_check(const ux_model_t *model, int *experiment,
    int *funnel, ux_error_t *error);


#endif
