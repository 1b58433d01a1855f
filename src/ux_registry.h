
/*
 * Copyright (C) the nginx-ux authors
 *
 * Names of a zone and the stable numbers they were given: an append-only
 * array.  A name keeps its number, and so its counters and visitors, for as
 * long as the zone lives, however the configuration is reordered.
 */

#ifndef UX_REGISTRY_H
#define UX_REGISTRY_H


#include "ux_base.h"
#include "ux_process.h"


typedef enum {
    UX_ENTRY_EVENT = 1,            /* ordinal: event slot */
    UX_ENTRY_FUNNEL,
    UX_ENTRY_STEP,                 /* parent: funnel; name: event; ordinal:
                                      step slot */
    UX_ENTRY_CART,                 /* parent: funnel; ordinal: cart slot */
    UX_ENTRY_TOTAL,                /* name: event; value: type; slot >= 1 */
    UX_ENTRY_EXPERIMENT,           /* name, value: version; number:
                                      UX_ZONE_RETURNED when it was made */
    UX_ENTRY_VARIANT,              /* parent: experiment */
    UX_ENTRY_EPOCH,                /* parent: experiment; value: fingerprint;
                                      number: traffic; aux: 1, 2, ...;
                                      analysis, control */
    UX_ENTRY_ARM,                  /* parent: epoch; aux: variant ordinal;
                                      number: weight; base: UX_ARM_ block */
    UX_ENTRY_ARM_CART,             /* parent: arm; aux: cart slot; value:
                                      within_ms; base: UX_CART_ block, the
                                      same for all windows; variant; ring,
                                      width, shares */
    UX_ENTRY_EVIDENCE,             /* parent: variant; name: event, empty:
                                      revenue; aux: metric type; value:
                                      ordinal of the epoch its result starts
                                      with; analysis; ring: ux_evidence_t,
                                      twice; control: UX_EVIDENCE_ flags;
                                      number: margin */
    UX_ENTRY_BALANCE,              /* parent: experiment; value, analysis as
                                      above; ring: UX_BALANCE_ cells */
    UX_ENTRY_TIMINGS,              /* parent: variant, none: the zone; aux:
                                      UX_TIMINGS_, of what; base, of some
                                      ring: a block of ux_timing.h,
                                      ux_survey.h, ux_journey.h */
    UX_ENTRY_STAGE,                /* ordinal: what a track remembers */
    UX_ENTRY_SEGMENT,              /* ordinal: segment slot */
    UX_ENTRY_SEGMENT_VALUE,        /* parent: segment; ordinal: what a track
                                      keeps, less 1 */
    UX_ENTRY_SEGMENT_ARM,          /* parent: variant; aux: value; ring: cells
                                      like those of an arm, of all epochs */
    UX_ENTRY_SEGMENT_CART,         /* parent: segment arm; else as an arm's
                                      cart; variant: the parent again */
    UX_ENTRY_KINDS
} ux_entry_e;


/*
 * In the zone, 128 bytes.  Written before it is published, never after, but
 * for removed_ms.
 */
typedef struct {
    uint8_t   kind;
    uint8_t   name_len;
    uint16_t  ordinal;             /* within its kind, from 0 (totals: 1) */
    uint16_t  parent;              /* ordinal of the parent, 0xffff: none */
    uint16_t  aux;
    uint32_t  base;                /* first counter cell, 0: none */
    uint32_t  ring;                /* first ring cell, 0: none */
    uint64_t  value;
    uint64_t  created_ms;
    double    number;
    char      name[UX_NAME_MAX];
    uint32_t  next_cell;           /* first free counter cell behind it */
    uint32_t  next_ring;           /* ring cells are taken from here up */
    uint64_t  analysis;            /* epochs, evidence, balances:
                                      ux_experiment_analysis() */
    union {
        uint64_t  control;         /* epochs: ordinal of the variant;
                                      evidence: see there; timings: steps of
                                      the funnel, stages of the journey */
        uint64_t  removed_ms;      /* experiments: when first found to be no
                                      longer configured; 0: configured */
        struct {                   /* arm carts, segment carts: */
            uint16_t  variant;     /* ordinal of the arm's variant */
            uint16_t  width;       /* fields of a row of the ring */
            uint32_t  shares;      /* not 0: an earlier entry has the ring */
        };
    };
} ux_entry_t;

_Static_assert(sizeof(ux_entry_t) == 128, "registry entry");


/*
 * How a metric is to be read: what the newest configuration with it said when
 * the entry was made.
 */
#define UX_EVIDENCE_ROLE    0x0f   /* ux_role_e */
#define UX_EVIDENCE_LOWER   0x10   /* lower is better */

#define UX_EVIDENCE_CELLS   20     /* see ux_evidence_cells.h */

/*
 * Cells of an experiment's balance: the largest log Bayes factors as doubles,
 * then how it was configured, for when it is no more.
 */
enum {
    UX_BALANCE_SRM = 0,
    UX_BALANCE_CONFIRMATION,
    UX_BALANCE_ALPHA,              /* double */
    UX_BALANCE_PLANNED,
    UX_BALANCE_RUNTIME,            /* seconds */
    UX_BALANCE_EQUIVALENCE,        /* double */
    UX_BALANCE_CAP,                /* minor units */
    UX_BALANCE_START,              /* unix ms, 0: none */
    UX_BALANCE_STOP,
    UX_BALANCE_ENDED,              /* unix ms: first seen closed or served;
                                      1: it is not */
    UX_BALANCE_CELLS
};


/* In the zone. */
typedef struct {
    ux_lock_t   lock;
    uint32_t    capacity;
    uint32_t    count;             /* published; release store */
    uint32_t    first_cell;        /* blocks grow up from here, */
    uint32_t    all_cells;         /* rings down from here */
    uint32_t    spare[10];
    ux_entry_t  entries[];
} ux_registry_t;

_Static_assert(sizeof(ux_registry_t) == 64, "registry head");


#define UX_PARENT_NONE  0xffff


/* What is looked for or made. */
typedef struct {
    ux_entry_e  kind;
    ux_str_t    name;              /* may be empty: epochs, arms */
    uint16_t    parent;
    uint16_t    aux;
    uint64_t    value;
    uint64_t    analysis;
    uint64_t    control;
    double      number;
    uint16_t    variant;           /* of arm carts: shares the ring of another
                                      arm of it, */
    uint16_t    width;             /*   if that has at least this width */
    uint32_t    cells;             /* to reserve in all copies */
    uint32_t    ring_cells;        /* to reserve in the shared copy */
    uint32_t    limit;             /* ordinals stay below it; 0: no limit */
} ux_claim_t;


/* Of an experiment: since when it is not configured any more; 0: it is. */
uint64_t ux_registry_removed_ms(const ux_entry_t *experiment);

/*
 * The epoch the primary result of an experiment starts with: the newest that
 * restarted it, or the first.  NULL: it has none.
 */
const ux_entry_t *ux_registry_since(const ux_registry_t *registry,
    uint16_t experiment);

/* The primary result starts anew with this epoch, the last one given. */
bool ux_registry_restarts(const ux_entry_t *last, const ux_entry_t *epoch);

/*
 * The newest published entry that matches: name, parent, aux for all kinds,
 * value too for all that have one; of arm carts one whose ring is no narrower
 * than the claim's.  NULL if none.
 */
const ux_entry_t *ux_registry_find(const ux_registry_t *registry,
    const ux_claim_t *claim);

/* Newest epoch of an experiment, or NULL. */
const ux_entry_t *ux_registry_epoch(const ux_registry_t *registry,
    uint16_t experiment);

/* n-th entry of the kind, by ordinal; NULL beyond. */
const ux_entry_t *ux_registry_get(const ux_registry_t *registry,
    ux_entry_e kind, uint16_t ordinal);

uint32_t ux_registry_count(const ux_registry_t *registry);


#endif
