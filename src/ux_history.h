
/*
 * Copyright (C) the nginx-ux authors
 *
 * History: what was said of each variant's metrics at the end of each hour
 * and of each day, in a part of the zone of its own.
 */

#ifndef UX_HISTORY_H
#define UX_HISTORY_H


#include "ux_registry.h"


/* How far a ring reaches back, where there is room for all of it. */
#define UX_HISTORY_HOURS   72
#define UX_HISTORY_DAYS    120
#define UX_HISTORY_POINTS  (UX_HISTORY_HOURS + UX_HISTORY_DAYS)

/* Seconds after the end of an hour in which its point is taken. */
#define UX_HISTORY_GRACE   300


typedef enum {
    UX_HISTORY_HOUR = 0,
    UX_HISTORY_DAY,
    UX_HISTORY_RINGS
} ux_history_ring_e;


typedef enum {
    UX_HISTORY_VALUE = 0,          /* rate, mean or ratio, as it is, */
    UX_HISTORY_LOW,                /*   and its interval */
    UX_HISTORY_HIGH,
    UX_HISTORY_LIFT,               /* of the primary result, against the */
    UX_HISTORY_LIFT_LOW,           /*   control, with the interval that holds
                                        whenever one looks */
    UX_HISTORY_LIFT_HIGH,
    UX_HISTORY_FIGURES
} ux_history_figure_e;


/* One metric of one variant at one time. */
typedef struct {
    uint32_t  hour;                /* since 1970, that ended then; of a day:
                                      a multiple of 24 */
    uint16_t  variant;             /* ordinals of the registry: */
    uint16_t  epoch;               /*   that the primary result began with,
                                        UX_PARENT_NONE: none */
    uint8_t   event;               /*   below UX_HISTORY_REVENUE */
    uint8_t   type;                /* ux_metric_type_e */
    uint8_t   ring;                /* ux_history_ring_e */
    uint64_t  visitors;            /* below 2^40 */
    float     figures[UX_HISTORY_FIGURES];     /* finite, or NaN: none */
} ux_history_point_t;

#define UX_HISTORY_REVENUE   0xffu
#define UX_HISTORY_VISITORS  (1ull << 40)


/* In the zone. */
typedef struct {
    uint64_t  key;                 /* 0: free */
    uint64_t  about;
    uint64_t  figures[UX_HISTORY_FIGURES / 2];
} ux_history_frame_t;

_Static_assert(sizeof(ux_history_frame_t) == 40, "history frame");

#define UX_HISTORY_TAKEN  256

typedef struct {
    uint32_t             taken[UX_HISTORY_TAKEN];
    ux_history_frame_t   frames[];
} ux_history_memory_t;


/* A process's handle. */
typedef struct {
    ux_history_memory_t  *memory;
    uint32_t              nframes;
} ux_history_t;

#define UX_HISTORY_MAX   104832u   /* frames of the largest zone */
#define UX_HISTORY_NONE  0xffffffffu


/* Bytes of the history of a zone of this size, and the frames in them. */
uint64_t ux_history_bytes(uint64_t zone_size);
uint32_t ux_history_frames(uint64_t bytes);

/* One that is whole; false: the frame is free, or being written. */
bool ux_history_read(const ux_history_t *history, uint32_t frame,
    ux_history_point_t *point);

/* Which point it is, never 0: all but what it says. */
uint64_t ux_history_key(const ux_history_point_t *point);

/* The frame that has it now, or UX_HISTORY_NONE; a walk over all. */
uint32_t ux_history_find(const ux_history_t *history, uint64_t key);

/* Is any point of this hour there, of the variants below n? */
bool ux_history_any(const ux_history_t *history, uint32_t hour,
    const uint16_t *variants, unsigned n);

/* Is it in its ring at that hour?  Not if it is of the future. */
bool ux_history_shown(const ux_history_point_t *point, uint32_t hour);

/* Nobody reads it any more; a word is written. */
void ux_history_erase_locked(ux_history_t *history, uint32_t frame);

/* No point is left. */
void ux_history_clear_locked(ux_history_t *history);

/* All of the experiment's points of this hour are there, as far as it is
 * known. */
bool ux_history_taken(const ux_history_t *history, uint16_t experiment,
    uint32_t hour);
void ux_history_set_taken(ux_history_t *history, uint16_t experiment,
    uint32_t hour);


/* Points being put in, one behind the other. */
typedef struct {
    ux_history_t  *history;
    uint32_t       hour;           /* now */
    uint32_t       cursor;
    uint32_t       least;          /* a frame of this age, or older, goes */
    uint64_t       live[UX_PARENT_NONE / 64 + 1];      /* variants of
                                                  experiments that are not
                                                  removed */
} ux_history_sweep_t;

void ux_history_begin(ux_history_sweep_t *sweep, ux_history_t *history,
    const ux_registry_t *registry, uint32_t hour);

/*
 * Puts in a point that is not there, in place of the one that is furthest
 * back in its ring.  The caller is the only one to write.  UX_HISTORY_NONE:
 * that is the point itself, or it is not to be shown; else the frame.
 */
uint32_t ux_history_put_locked(ux_history_sweep_t *sweep,
    const ux_history_point_t *point);


#endif
