
/*
 * Copyright (C) the nginx-ux authors
 *
 * State of one visitor, as the event path works on it, and its packed form,
 * as the zone and the snapshot keep it.
 */

#ifndef UX_VISITOR_H
#define UX_VISITOR_H


#include "ux_model.h"
#include "ux_vital.h"

#include <stddef.h>
#include <string.h>


#define UX_TRACKS_MAX   17         /* the visitor's life, and 16 experiments */
#define UX_PENDING_MAX  16
#define UX_IDS_MAX      8
#define UX_PASTS_MAX    16         /* done carts one track remembers */
#define UX_ALIAS_ID     16         /* bytes of a cookie's id */

#define UX_PACKED_MAX   832        /* bytes of the longest packed visitor */

#define UX_VITAL_MARKS  2304       /* 576 buckets, ratings in the low bits */

#define UX_TOTAL_MAX    1000000000000000   /* where a visitor's sum stops */


typedef enum {
    UX_CART_NONE = 0,
    UX_CART_OPEN,                  /* or abandoned: told by its age */
    UX_CART_DONE                   /* purchased or recovered */
} ux_cart_state_e;


/*
 * created_ms and furthest are 0 unless the cart is open.  The counts are what
 * this visitor has added to the arm's, for ux_track_cross(); 0 in the life.
 */
typedef struct {
    uint64_t  created_ms;
    uint16_t  purchased;           /* carts; stops at 65535 */
    uint16_t  lacking;             /* purchases without; stops at 65535 */
    uint8_t   state;               /* ux_cart_state_e */
    uint8_t   furthest;            /* k of UX_CART_ALIVE */
    bool      carried_in;
} ux_cart_t;


/*
 * A cart that is done, as ux_track_cross() needs it: a purchased one while its
 * row of the ring may be read, a recovered one for ever (created_ms 0 once its
 * row is not read: then of several, n tells how many).
 */
typedef struct {
    uint64_t  created_ms;
    uint16_t  n;                   /* >= 1; > 1 only with created_ms 0 */
    uint8_t   cart;                /* cart slot */
    uint8_t   furthest;            /* of a recovered one */
    bool      recovered;           /* else purchased */
} ux_past_t;


/* How far a funnel is on its way, from the exposure on; 0: not yet. */
typedef struct {
    uint64_t  started_ms;          /* its first required step */
    uint64_t  reached_ms;          /* its newest required step */
    uint16_t  mark;                /* ux_funnel_t.mark of then */
} ux_pace_t;


/* The last page view of a metric: what came of it with an id. */
typedef struct {
    uint32_t  id;                  /* of its hash; 0: none */
    uint16_t  mark;                /* as it counts: bucket << 2 | rating, which
                                      grows with the value */
} ux_vital_seen_t;


/*
 * What a visitor did since some moment: track 0 since the record was made
 * (its masks say "ever"), the others since the exposure to an experiment.
 */
typedef struct {
    uint16_t   arm;                /* registry ordinal; 0xffff for track 0 */
    bool       moved;              /* the operator changed its variant */
    bool       waiting;            /* prefetched at exposed_ms, not exposed */
    bool       crossed;            /* seen in two variants: counts no more */
    bool       error_seen;         /* counted in the arm's error_visitors */
    bool       visit;              /* shown on a page of this session */
    uint8_t    npasts;
    uint8_t    vitals;             /* mask of metrics whose last page view, if
                                      known, its arm counts */
    uint8_t    segments[UX_SEGMENTS_MAX];  /* by segment slot: ordinal of the
                                      value at the exposure, + 1; 0: none,
                                      as in the life.  A crossing keeps them */
    uint64_t   exposed_ms;
    uint64_t   events;             /* mask of event slots seen */
    uint64_t   steps;              /* mask of step slots reached in order */
    uint64_t   before;             /* mask of those counted as before it */
    uint8_t    stage;              /* of the journey, slot + 1; 0: none yet */
    uint8_t    answers[UX_SURVEYS];        /* + 1; 0: none; by survey */
    int64_t    totals[UX_TOTALS_MAX];   /* uncapped sums, >= 0 */
    uint16_t   counts[UX_TOTALS_MAX];   /* values in the sum of a ratio; stop
                                           at 65535; 0 in the life */
    ux_cart_t  carts[UX_CARTS_MAX];     /* by cart slot */
    ux_pace_t  paces[UX_FUNNELS_MAX];   /* by funnel slot, of those under way;
                                           none in the life */
    ux_past_t  pasts[UX_PASTS_MAX];
} ux_track_t;


#define UX_ARM_NONE  0xffff


/* An event as every source says it; slots, not names. */
typedef struct {
    uint64_t  now_ms;
    int64_t   value;               /* minor units of the zone's currency, or
                                      of `currency` */
    uint64_t  id_hash;             /* over event name and id; 0: no id */
    uint8_t   event;               /* index into ux_model_t.events */
    bool      has_value;
    uint16_t  currency;            /* UX_CURRENCY_ZONE, else a foreign one */
} ux_event_t;

#define UX_CURRENCY_ZONE  0xffff


typedef struct {
    uint64_t    key_id;            /* ux_key_t.id */
    uint64_t    cookie_hash;       /* of the verified cookie value; 0: none */
    uint32_t    first_s;           /* record made, unix seconds */
    uint32_t    last_s;            /* last request */
    bool        confirmed;
    bool        error_seen;        /* counted in the zone's error_visitors */
    bool        alias;             /* only another name: see alias_id */
    uint8_t     ntracks;           /* >= 1 */
    uint8_t     npending;
    uint8_t     nids;              /* filled entries of ids */
    uint8_t     next_id;           /* ring position */
    uint8_t     pages;             /* of this session: 0, 1, 2 for more */
    bool        post_failed;       /* the last form sent: how it ended, */
    uint32_t    post_hash;         /*   where to, 0: none, */
    uint64_t    post_ms;           /*   when */
    bool        vitals_full;       /* there was no room for these: */
    ux_vital_seen_t  vitals[UX_VITALS];
    uint32_t    ids[UX_IDS_MAX];   /* hashes of event ids seen */
    ux_track_t  tracks[UX_TRACKS_MAX];
    uint8_t     alias_id[UX_ALIAS_ID];     /* cookie's id, of an alias */
    ux_event_t  pending[UX_PENDING_MAX];   /* of an unconfirmed visitor; slots
                                              in `event`, not indices; no id
                                              and no foreign value: those are
                                              done with at once */
} ux_visitor_t;


/*
 * A visitor nobody has seen, unconfirmed; touches only what ntracks and
 * friends cover.
 */
void ux_visitor_init(ux_visitor_t *visitor, uint64_t key_id, uint32_t now_s);


/* All but the list of past carts, of which npasts tells how much there is. */
void ux_visitor_clear(ux_track_t *track);

/* The second word of a cart, but for `furthest`, which is of a state. */
#define UX_CART_WORD       0x00ff00ffffffffffull
#define UX_CART_WORD_OPEN  ((uint64_t) UX_CART_OPEN << 32)
#define UX_CART_WORD_COUNTS  0x00ff0000ffffffffull

_Static_assert(offsetof(ux_cart_t, purchased) == 8
               && offsetof(ux_cart_t, lacking) == 10
               && offsetof(ux_cart_t, state) == 12
               && offsetof(ux_cart_t, carried_in) == 14
               && sizeof(ux_cart_t) == 16, "a cart's second word");
_Static_assert((UX_CART_OPEN & UX_CART_DONE) == 0, "states are bits");

/* 0: it is as if there had never been one. */
static inline uint64_t
ux_visitor_cart(const ux_cart_t *cart)
{
    uint64_t  word;

    memcpy(&word, (const uint8_t *) cart + 8, sizeof(word));

    return word & UX_CART_WORD;
}


/*
 * The same of all carts of a track, one ORed to the other: UX_CART_WORD_OPEN
 * of it when any is open, UX_CART_WORD_COUNTS when any is counted.
 */
static inline uint64_t
ux_visitor_carts(const ux_track_t *track)
{
    uint64_t  any;
    unsigned  i;

    any = 0;

    for (i = 0; i < UX_CARTS_MAX; i++) {
        any |= ux_visitor_cart(&track->carts[i]);
    }

    return any;
}

/*
 * A copy for ux_visitor_same(): of what the counts cover, and that only of a
 * confirmed visitor without past carts.  Nothing is the same as the copy of
 * another one.
 */
void ux_visitor_keep(ux_visitor_t *kept, const ux_visitor_t *visitor);

/*
 * Do both pack to the same bytes, but for last_s?  If so, false may be said
 * as well.  key_id is not looked at.
 */
bool ux_visitor_same(const ux_visitor_t *visitor, const ux_visitor_t *kept);

/*
 * Packs into buf (UX_PACKED_MAX bytes), absent things taking no room:
 * typically 18 bytes for one experiment, 8 more with a cookie hash, under 64
 * for four with events.  UX_FULL if it does not fit, UX_ERROR if a count, a
 * slot or a sum is out of range: buf is then undefined.
 */
ux_status_t ux_visitor_pack(const ux_visitor_t *visitor, uint8_t *buf,
    size_t *len);

/*
 * UX_ERROR on foreign bytes that pack() cannot have written: short, or more
 * than UX_PACKED_MAX, counts or slots out of range, a number in more bytes
 * than it needs, trailing bytes; *visitor is then undefined.  Reads nothing
 * beyond len.  What is accepted packs to the same bytes again.
 */
ux_status_t ux_visitor_unpack(ux_visitor_t *visitor, const uint8_t *buf,
    size_t len);


#endif
