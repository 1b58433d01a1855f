
/*
 * Copyright (C) the nginx-ux authors
 *
 * Counters of a zone: 64-bit cells addressed by number.
 *
 * The cell space starts with one block for the zone (UX_ZONE_...), then
 * blocks handed out by the registry, one an arm (UX_ARM_...) and one a cart
 * funnel of an arm (UX_CART_...).  There are UX_WORKERS copies with a single
 * writer each, which hold the first `own_cells` cells, and one shared copy
 * with all of them, written by atomic addition: for the cells beyond
 * own_cells, and for processes without a copy of their own.  A value is the
 * sum over all copies, modulo 2^64; deltas may be negative.
 *
 *   worker 0   [ zone | arm 0 | arm 1 | ...  own_cells ]
 *   ...
 *   worker 15  [ zone | arm 0 | arm 1 | ...  own_cells ]
 *   shared     [ zone | arm 0 | arm 1 | ...  own_cells ...    all_cells ]
 *
 * A process killed at any instruction leaves every cell whole: a cell is
 * written by one aligned 8-byte store or one locked addition.  The one that a
 * merge was at may bear its mark: see ux_flux_t.
 */

#ifndef UX_COUNTER_H
#define UX_COUNTER_H


#include "ux_model.h"


#define UX_WORKERS  16

/* A ring's cell counts to less than this, and no further below 0. */
#define UX_RING_MOST  (1u << 27)


/* Why something was not counted; the order is DESIGN.md's. */
typedef enum {
    UX_DISCARD_EXCLUDED = 0,
    UX_DISCARD_OVERRIDE,
    UX_DISCARD_NO_CONSENT,
    UX_DISCARD_BOT,
    UX_DISCARD_PREFETCH,
    UX_DISCARD_HEAD,
    UX_DISCARD_CROSS_SITE,
    UX_DISCARD_CACHED,
    UX_DISCARD_BAD_COOKIE,
    UX_DISCARD_BAD_EVENT,
    UX_DISCARD_UNKNOWN_EVENT,
    UX_DISCARD_DUPLICATE,
    UX_DISCARD_REFUND_EXCESS,
    UX_DISCARD_NOT_EXPOSED,
    UX_DISCARD_AFTER_WINDOW,
    UX_DISCARD_ZONE_FULL,
    UX_DISCARDS
} ux_discard_e;

/* JSON member names, in the order above. */
extern const char *const ux_discard_names[UX_DISCARDS];


/*
 * A block of request counters, in the zone's block and in every arm's.  An
 * error is an answer 5xx, a 408, or any other 4xx to a POST; a client that
 * left is none.
 */
enum {
    UX_HTTP_REQUESTS = 0,
    UX_HTTP_1XX,
    UX_HTTP_2XX,
    UX_HTTP_3XX,
    UX_HTTP_4XX,
    UX_HTTP_5XX,
    UX_HTTP_CLIENT_ABORT,
    UX_HTTP_ERROR_VISITORS,              /* who met one */
    UX_HTTP_ERRORS,
    UX_HTTP_TIMEOUTS,                    /* 408 and 504, of these */
    UX_HTTP_POST_4XX,                    /* a form refused, of these */
    UX_HTTP_BYTES,                       /* sent to clients */
    UX_HTTP_CACHE_HITS,
    UX_HTTP_CACHE_LOOKUPS,
    UX_HTTP_RETRIES,                     /* a POST again after an error */
    UX_HTTP_RAGE_REPEATS,                /* a POST again within 2 s */
    UX_HTTP_CELLS
};


enum {
    UX_ZONE_HTTP = 0,
    UX_ZONE_DISCARDED = UX_ZONE_HTTP + UX_HTTP_CELLS,
    UX_ZONE_INSERTED = UX_ZONE_DISCARDED + 24,   /* visitor records made */
    UX_ZONE_EVICTED,                     /* live ones that had to go */
    UX_ZONE_EXPIRED,                     /* replaced after their time */
    UX_ZONE_ERASED,                      /* consent withdrawn */
    UX_ZONE_PROVISIONAL,                 /* gauge: +1 made, -1 confirmed or
                                            gone */
    UX_ZONE_CONTENDED_DROP,
    UX_ZONE_PURCHASES_WITHOUT_ID,
    UX_ZONE_RETURNED,                    /* came back after eviction */
    UX_ZONE_FULL_SAID,                   /* no count: see ux_counter_due() */
    UX_ZONE_SPARE,
    UX_ZONE_EVENTS = UX_ZONE_SPARE + 15,           /* by event slot */
    UX_ZONE_CURRENCY_SUM = UX_ZONE_EVENTS + UX_EVENTS_MAX,
                                         /* signed minor units, by index */
    UX_ZONE_CURRENCY_COUNT = UX_ZONE_CURRENCY_SUM + 192,
    UX_ZONE_CELLS = UX_ZONE_CURRENCY_COUNT + 192
};


/*
 * Sum and sum of squares of a per-visitor total y, as additive limbs: a change
 * of the 128-bit sum of squares by d (two's complement) adds d mod 2^32 to
 * SQ_LO, floor(d / 2^32) mod 2^32 to SQ_MID and floor(d / 2^64) to SQ_HI; the
 * value is SQ_LO + 2^32 * SQ_MID + 2^64 * (signed) SQ_HI.  No limb wraps in
 * 2^32 changes of totals up to UX_TOTAL_MAX.
 *
 * Of a ratio also what ux_stats_ratio() needs of z, how many events' values
 * are in a visitor's y: sum z, sum z^2, and sum y z in limbs as above.  z is
 * at most 65535, so z^2 is a plain cell.  Other totals leave these 0.
 */
enum {
    UX_TOTAL_SUM = 0,                    /* signed */
    UX_TOTAL_SQ_LO,
    UX_TOTAL_SQ_MID,
    UX_TOTAL_SQ_HI,                      /* signed */
    UX_TOTAL_COUNT,
    UX_TOTAL_COUNT_SQ,
    UX_TOTAL_PRODUCT_LO,
    UX_TOTAL_PRODUCT_MID,
    UX_TOTAL_PRODUCT_HI,                 /* signed */
    UX_TOTAL_CELLS
};


/* Rows of a ring of time buckets: see UX_RING_... */
#define UX_BUCKETS  64


/*
 * Denominators come first: readers fold from the end of a block.  Behind the
 * counts stand two rings, in the shared copy only, of visitors by the time
 * bucket of their exposure: the confirmed, so that a reader can tell whose
 * window is open yet, and the unconfirmed, who leave it when they are
 * confirmed.  At every moment
 *
 *   unconfirmed = ASSIGNED - VISITORS - LEFT
 *
 * and those for longer than some time are these less ux_counter_recent() of
 * the ring.  Who is erased or evicted unconfirmed stays so for ever, as one
 * who never came back.
 */
enum {
    UX_ARM_ASSIGNED = 0,
    UX_ARM_VISITORS,                     /* confirmed */
    UX_ARM_MOVED,
    UX_ARM_CROSSOVER,
    UX_ARM_LEFT,                         /* confirmed, and no visitors for a
                                            crossover, counted there or not */
    UX_ARM_PAGES,                        /* navigations that exposed it */
    UX_ARM_SESSIONS,                     /* with at least one of these, */
    UX_ARM_SINGLE_PAGES,                 /*   and no other page */
    UX_ARM_CONFIRMED_LATE,               /* visitors: by a second page, */
    UX_ARM_RETURNING,                    /*   known before: ux_track.h */
    UX_ARM_ORDERS,                       /* purchases with a value, */
    UX_ARM_ORDERED,                      /*   its sum, */
    UX_ARM_REFUNDED,                     /*   and what refunds took off it;
                                            minor units, uncapped */
    UX_ARM_HTTP,
    UX_ARM_EVENT_VISITORS = UX_ARM_HTTP + UX_HTTP_CELLS,  /* by event slot */
    UX_ARM_EVENT_COUNT = UX_ARM_EVENT_VISITORS + UX_EVENTS_MAX,
    UX_ARM_STEP_BEFORE = UX_ARM_EVENT_COUNT + UX_EVENTS_MAX, /* step slot */
    UX_ARM_STEP_IN_ORDER = UX_ARM_STEP_BEFORE + UX_STEPS_MAX,
    UX_ARM_TOTALS = UX_ARM_STEP_IN_ORDER + UX_STEPS_MAX,
    UX_ARM_COUNTS = UX_ARM_TOTALS + UX_TOTALS_MAX * UX_TOTAL_CELLS,
    UX_ARM_WINDOW = UX_ARM_COUNTS,       /* ux_bucket_width_ms(window) */
    UX_ARM_UNCONFIRMED = UX_ARM_WINDOW + UX_BUCKETS,
                                         /* UX_UNCONFIRMED_WIDTH_MS */
    UX_ARM_CELLS = UX_ARM_UNCONFIRMED + UX_BUCKETS
};

/* Who is unconfirmed for longer is taken for one who does not come back. */
#define UX_UNCONFIRMED_AGE_MS    3600000u
#define UX_UNCONFIRMED_WIDTH_MS  60000u


/*
 * A cart funnel of an arm: lifetime totals.  ALIVE + k counts the carts not
 * (yet) purchased inside their window whose furthest step is k: 0 is the cart
 * event itself when it is no step, k > 0 the funnel's step k - 1.
 */
enum {
    UX_CART_PURCHASED = 0,               /* inside the window */
    UX_CART_CARRIED_IN,
    UX_CART_WITHOUT_CART,                /* purchases that had none */
    UX_CART_RECOVERED,
    UX_CART_ALIVE,
    UX_CART_CELLS = UX_CART_ALIVE + UX_FUNNEL_STEPS_MAX + 1
};


/*
 * The same by time bucket of creation, so that a reader can tell open carts
 * from abandoned ones: a ring of UX_BUCKETS rows in the shared copy only, one
 * for all arms of a variant.  A row ends with ALIVE + the funnel's last step.
 * A cell holds bucket number << 32 | signed 32-bit count; a cell with another
 * bucket number counts as 0 and is overwritten (compare-and-swap), so nothing
 * ever has to be swept.  A change of a bucket that a newer one has replaced
 * is dropped.
 */
enum {
    UX_RING_PURCHASED = 0,
    UX_RING_RECOVERED,
    UX_RING_ALIVE,
    UX_RING_CELLS = UX_RING_ALIVE + UX_FUNNEL_STEPS_MAX + 1
};

/* Fields of a row, of a funnel with so many steps. */
#define UX_RING_WIDTH(nsteps)  (UX_RING_ALIVE + 1u + (nsteps))


/* Width of a cohort bucket: max(1 s, within / 60). */
uint64_t ux_bucket_width_ms(uint64_t within_ms);


/* One counter change, as the event path says it. */
typedef struct {
    uint32_t  cell;
    int64_t   delta;
} ux_change_t;


/* A change of a cart ring: resolved by the store. */
typedef struct {
    uint16_t  arm;
    uint8_t   cart;                      /* cart slot */
    uint8_t   field;                     /* UX_RING_... */
    uint32_t  bucket;                    /* creation time / width */
    int32_t   delta;
} ux_ring_change_t;


/*
 * What one turn of a visitor's record can bring: confirmed with 16 waiting
 * events, exposed to 16 experiments, 3 events, crossed over in all of them
 * (proved in ux_track.c).  Some 620 KB: static memory, not the stack;
 * ux_changes_clear() touches none of it.
 */
#define UX_CHANGES_MAX       32768
#define UX_RING_CHANGES_MAX  6144

/*
 * Of 16 exposures: each enters a ring; all confirmed, they leave one and enter
 * the other; crossed over, they leave that.
 */
#define UX_WINDOW_CHANGES_MAX  64

/* `field` of these changes: which ring behind an arm's counts. */
enum {
    UX_WINDOW_OPEN = 0,                  /* UX_ARM_WINDOW */
    UX_WINDOW_UNCONFIRMED,               /* UX_ARM_UNCONFIRMED */
    UX_WINDOW_RINGS
};


typedef struct {
    unsigned          n;
    unsigned          nrings;
    bool              overflow;          /* a broken invariant: see bounds */
    bool              told;              /* ux_changes_lost() said so */
    ux_change_t       items[UX_CHANGES_MAX];
    ux_ring_change_t  rings[UX_RING_CHANGES_MAX];
    unsigned          nwindows;
    ux_ring_change_t  windows[UX_WINDOW_CHANGES_MAX];   /* no `cart` */
} ux_changes_t;


void ux_changes_clear(ux_changes_t *changes);

/*
 * True once, for changes that began as zeroes, after the first turn that had
 * more of them than there is room for: what was too much is lost.  Asked after
 * a turn, before the next ux_changes_clear().
 */
bool ux_changes_lost(ux_changes_t *changes);
void ux_changes_add(ux_changes_t *changes, uint32_t cell, int64_t delta);
void ux_changes_ring(ux_changes_t *changes, ux_ring_change_t change);
void ux_changes_window(ux_changes_t *changes, ux_ring_change_t change);


/*
 * The one addition to the shared copy that is under way in a merge, in the
 * zone: what ux_redo.c says of it.  While it is, its cell may bear a mark.
 */
typedef struct {
    uint64_t  turn;                      /* number << 2 | phase */
    uint64_t  cell;
    uint64_t  before;
    uint64_t  delta;
} ux_flux_t;

enum {
    UX_FLUX_IDLE = 0,
    UX_FLUX_NOTED,
    UX_FLUX_MARKED,
    UX_FLUX_PHASE = 3                    /* mask */
};


/* What a cell bears beside an addition; 0: nothing. */
static inline uint64_t
ux_flux_mark(uint64_t delta)
{
    return delta + (1ull << 61) < (1ull << 62) ? 1ull << 63 : 0;
}


/* Is the value nearer to a than to b, modulo 2^64? */
static inline bool
ux_flux_nearer(uint64_t value, uint64_t a, uint64_t b)
{
    a -= value;
    b -= value;

    return (a >> 63 ? -a : a) < (b >> 63 ? -b : b);
}


/* A process's view of the counters; pointers into the mapped zone. */
typedef struct {
    uint64_t         *copies;            /* UX_WORKERS * own_cells */
    uint64_t         *shared;            /* all_cells */
    uint32_t          own_cells;
    uint32_t          all_cells;
    uint64_t         *mine;              /* this worker's copy, or NULL */
    const ux_flux_t  *flux;              /* NULL: nobody merges */
    const uint32_t   *written;           /* how many copies have had a writer,
                                            the others are 0; NULL: any may */
} ux_counter_t;


/* The cells of this process's own copy, if it has all n of them, or NULL. */
static inline uint64_t *
ux_counter_own(const ux_counter_t *counter, uint32_t cell, uint32_t n)
{
    return cell < counter->own_cells && n <= counter->own_cells - cell
           && counter->mine != NULL ? &counter->mine[cell] : NULL;
}


/* Adds to one of them: this process is the only one that writes it. */
static inline void
ux_counter_own_add(uint64_t *own, int64_t delta)
{
    uint64_t  value;

    value = __atomic_load_n(own, __ATOMIC_RELAXED) + (uint64_t) delta;
    __atomic_store_n(own, value, __ATOMIC_RELEASE);
}


/* For a cell that this process has no copy of. */
void ux_counter_add_shared(ux_counter_t *counter, uint32_t cell,
    int64_t delta);

/* Cells out of range are ignored: a fault of ours harms no request. */
static inline void
ux_counter_add(ux_counter_t *counter, uint32_t cell, int64_t delta)
{
    uint64_t  *own;

    own = ux_counter_own(counter, cell, 1);

    if (own != NULL) {
        ux_counter_own_add(own, delta);

    } else {
        ux_counter_add_shared(counter, cell, delta);
    }
}
void ux_counter_ring_add(ux_counter_t *counter, uint32_t cell,
    uint32_t bucket, int32_t delta);

/*
 * For ux_redo.c: the same and a mark, unless the cell bears it already; and
 * takes it off.
 */
void ux_counter_ring_mark(uint64_t *ring, uint32_t bucket, int32_t delta);
void ux_counter_ring_unmark(uint64_t *ring);

/*
 * True for one process once a period.  The cell, of the shared copy only,
 * holds when it last was; now and period are of one unit.
 */
bool ux_counter_due(ux_counter_t *counter, uint32_t cell, uint64_t now,
    uint64_t period);

/* Sum over all copies. */
uint64_t ux_counter_read(const ux_counter_t *counter, uint32_t cell);

/* The count in a ring cell if it is of this bucket, else 0. */
int32_t ux_counter_ring_read(const ux_counter_t *counter, uint32_t cell,
    uint32_t bucket);

/* A ring's cell as it is, but for a mark. */
uint64_t ux_counter_ring_cell(const ux_counter_t *counter, uint32_t cell);

/*
 * What a ring of UX_BUCKETS cells counts in buckets not wholly older than
 * age_ms; one from the future is young.  A cell below 0 is a race: 0.  Exact
 * while the ring is as long as the age: age_ms / width_ms + 3 <= UX_BUCKETS.
 */
uint64_t ux_counter_recent(const ux_counter_t *counter, uint32_t ring,
    uint64_t width_ms, uint64_t age_ms, uint64_t now_ms);

/*
 * Folds n cells from `cell` on into values, from the last to the first with
 * acquire loads, so that no numerator is newer than its denominator.
 */
void ux_counter_fold(const ux_counter_t *counter, uint32_t cell, unsigned n,
    uint64_t *values);


#endif
