
/*
 * Copyright (C) the nginx-ux authors
 *
 * History: an array of frames, each free or one point of one series, a series
 * being a metric of a variant in one of the two rings.
 *
 *   [ taken ][ frame 0 ] ... [ frame n - 1 ]
 *
 * A ring is no place but a rule: the next point takes a free frame, else the
 * one that is furthest back in its ring, relative to how long that ring is.
 * So rings are full length while there is room, and get shorter together
 * when there is not, whatever experiments come and go; those that are removed
 * go first.
 *
 *   key    hour << 32 | variant << 16 | event << 8 | type << 4 | ring
 *   about  visitors << 24 | epoch << 8 | sequence
 *
 * One process at a time writes.  It frees the frame, fills it, and publishes
 * it by storing the key: killed in between it has lost the point that was to
 * go.  The sequence changes with each write, so a reader that finds key and
 * about as they were has read one point.
 *
 * Cost: to put n points in is a walk over the frames for each of the ages
 * that go, mostly two, and n writes; never in a request.
 */

#include "ux_history.h"

#include <string.h>


#define UX_HISTORY_MIN_BYTES  16384u
#define UX_HISTORY_MAX_BYTES  (4096u * 1024)
#define UX_HISTORY_READS      4

/* Ages are in hours of the ring of days, which the shorter one is stretched
 * to. */
#define UX_HISTORY_SPAN       (UX_HISTORY_DAYS * 24)
#define UX_HISTORY_STRETCH    (UX_HISTORY_SPAN / UX_HISTORY_HOURS)

#define UX_HISTORY_FREE       UINT32_MAX
#define UX_HISTORY_FUTURE     (UINT32_MAX - 1)
#define UX_HISTORY_REMOVED    0x40000000u
#define UX_HISTORY_OLDEST     0x3fffffffu

_Static_assert(UX_HISTORY_SPAN % UX_HISTORY_HOURS == 0, "stretch");
_Static_assert((UX_HISTORY_MAX_BYTES - sizeof(ux_history_memory_t))
               / sizeof(ux_history_frame_t) == UX_HISTORY_MAX, "frames");


static uint32_t ux_history_age(uint64_t key, uint32_t hour);
static uint32_t ux_history_worth(const ux_history_sweep_t *sweep,
    uint64_t key);
static uint64_t ux_history_key_of(const ux_history_t *history,
    uint32_t frame);
static uint32_t ux_history_oldest(const ux_history_sweep_t *sweep);
static void ux_history_write(ux_history_frame_t *frame,
    const ux_history_point_t *point);
static void ux_history_live(ux_history_sweep_t *sweep,
    const ux_registry_t *registry);


/* A 128th of the zone. */
uint64_t
ux_history_bytes(uint64_t zone_size)
{
    return ux_clamp(zone_size / 128, UX_HISTORY_MIN_BYTES,
                    UX_HISTORY_MAX_BYTES);
}


uint32_t
ux_history_frames(uint64_t bytes)
{
    return (uint32_t) ((bytes - sizeof(ux_history_memory_t))
                       / sizeof(ux_history_frame_t));
}


bool
ux_history_read(const ux_history_t *history, uint32_t frame,
    ux_history_point_t *point)
{
    unsigned                   i, tries;
    uint64_t                   key, about;
    uint64_t                   figures[UX_HISTORY_FIGURES / 2];
    const ux_history_frame_t  *from;

    from = &history->memory->frames[frame];

    for (tries = 0; tries < UX_HISTORY_READS; tries++) {
        key = __atomic_load_n(&from->key, __ATOMIC_ACQUIRE);

        if (key == 0) {
            return false;
        }

        about = __atomic_load_n(&from->about, __ATOMIC_RELAXED);

        for (i = 0; i < UX_HISTORY_FIGURES / 2; i++) {
            figures[i] = __atomic_load_n(&from->figures[i], __ATOMIC_RELAXED);
        }

        __atomic_thread_fence(__ATOMIC_ACQUIRE);

        if (__atomic_load_n(&from->key, __ATOMIC_RELAXED) == key
            && __atomic_load_n(&from->about, __ATOMIC_RELAXED) == about)
        {
            point->hour = (uint32_t) (key >> 32);
            point->variant = (uint16_t) (key >> 16);
            point->event = (uint8_t) (key >> 8);
            point->type = (uint8_t) (key >> 4 & 0xf);
            point->ring = (uint8_t) (key & 0xf);
            point->visitors = about >> 24;
            point->epoch = (uint16_t) (about >> 8);
            memcpy(point->figures, figures, sizeof(figures));

            return true;
        }
    }

    return false;
}


uint64_t
ux_history_key(const ux_history_point_t *point)
{
    return (uint64_t) point->hour << 32 | (uint64_t) point->variant << 16
           | (uint64_t) point->event << 8 | (uint64_t) point->type << 4
           | point->ring;
}


uint32_t
ux_history_find(const ux_history_t *history, uint64_t key)
{
    uint32_t  i;

    for (i = 0; i < history->nframes; i++) {
        if (ux_history_key_of(history, i) == key) {
            return i;
        }
    }

    return UX_HISTORY_NONE;
}


bool
ux_history_any(const ux_history_t *history, uint32_t hour,
    const uint16_t *variants, unsigned n)
{
    uint32_t  i;
    uint64_t  key;
    unsigned  k;

    for (i = 0; i < history->nframes; i++) {
        key = ux_history_key_of(history, i);

        for (k = 0; key >> 32 == hour && k < n; k++) {
            if ((uint16_t) (key >> 16) == variants[k]) {
                return true;
            }
        }
    }

    return false;
}


bool
ux_history_shown(const ux_history_point_t *point, uint32_t hour)
{
    return ux_history_age(ux_history_key(point), hour) < UX_HISTORY_SPAN;
}


void
ux_history_erase_locked(ux_history_t *history, uint32_t frame)
{
    __atomic_store_n(&history->memory->frames[frame].key, 0,
                     __ATOMIC_RELEASE);
}


void
ux_history_clear_locked(ux_history_t *history)
{
    uint32_t  i;

    for (i = 0; i < history->nframes; i++) {
        ux_history_erase_locked(history, i);
    }
}


/* Two experiments may share a place: then the other one is looked for. */
bool
ux_history_taken(const ux_history_t *history, uint16_t experiment,
    uint32_t hour)
{
    return __atomic_load_n(&history->memory->taken[experiment
                                                   % UX_HISTORY_TAKEN],
                           __ATOMIC_ACQUIRE)
           == hour;
}


void
ux_history_set_taken(ux_history_t *history, uint16_t experiment,
    uint32_t hour)
{
    __atomic_store_n(&history->memory->taken[experiment % UX_HISTORY_TAKEN],
                     hour, __ATOMIC_RELEASE);
}


void
ux_history_begin(ux_history_sweep_t *sweep, ux_history_t *history,
    const ux_registry_t *registry, uint32_t hour)
{
    memset(sweep, 0, sizeof(ux_history_sweep_t));

    sweep->history = history;
    sweep->hour = hour;
    sweep->least = UX_HISTORY_FREE;

    ux_history_live(sweep, registry);
}


/* A parent is registered before its child. */
static void
ux_history_live(ux_history_sweep_t *sweep, const ux_registry_t *registry)
{
    uint32_t           i;
    uint64_t           removed[UX_PARENT_NONE / 64 + 1] = { 0 };
    const ux_entry_t  *entry;

    for (i = 0; i < ux_registry_count(registry); i++) {
        entry = &registry->entries[i];

        if (entry->kind == UX_ENTRY_EXPERIMENT
            && ux_registry_removed_ms(entry) != 0)
        {
            removed[entry->ordinal / 64] |= 1ull << entry->ordinal % 64;
        }

        if (entry->kind == UX_ENTRY_VARIANT
            && !(removed[entry->parent / 64] >> entry->parent % 64 & 1))
        {
            sweep->live[entry->ordinal / 64] |= 1ull << entry->ordinal % 64;
        }
    }
}


uint32_t
ux_history_put_locked(ux_history_sweep_t *sweep,
    const ux_history_point_t *point)
{
    uint32_t       worth, frame;
    ux_history_t  *history;

    history = sweep->history;

    if (!ux_history_shown(point, sweep->hour)) {
        return UX_HISTORY_NONE;
    }

    worth = ux_history_worth(sweep, ux_history_key(point));

    while (worth < sweep->least) {

        while (sweep->cursor < history->nframes) {
            frame = sweep->cursor++;

            if (ux_history_worth(sweep, ux_history_key_of(history, frame))
                >= sweep->least)
            {
                ux_history_write(&history->memory->frames[frame], point);
                return frame;
            }
        }

        sweep->cursor = 0;
        sweep->least = ux_history_oldest(sweep);
    }

    return UX_HISTORY_NONE;
}


/* The larger, the sooner it goes. */
static uint32_t
ux_history_worth(const ux_history_sweep_t *sweep, uint64_t key)
{
    uint32_t  age;
    uint16_t  variant;

    if (key == 0) {
        return UX_HISTORY_FREE;
    }

    variant = (uint16_t) (key >> 16);
    age = ux_history_age(key, sweep->hour);

    return sweep->live[variant / 64] >> variant % 64 & 1
           ? age : age | UX_HISTORY_REMOVED;
}


static uint64_t
ux_history_key_of(const ux_history_t *history, uint32_t frame)
{
    return __atomic_load_n(&history->memory->frames[frame].key,
                           __ATOMIC_RELAXED);
}


static uint32_t
ux_history_age(uint64_t key, uint32_t hour)
{
    uint64_t  age;

    if (key >> 32 > hour) {
        return UX_HISTORY_FUTURE;
    }

    age = hour - (key >> 32);
    age *= (key & 0xf) == UX_HISTORY_HOUR ? UX_HISTORY_STRETCH : 1;

    return age < UX_HISTORY_OLDEST ? (uint32_t) age : UX_HISTORY_OLDEST;
}


static uint32_t
ux_history_oldest(const ux_history_sweep_t *sweep)
{
    uint32_t  i, worth, most;

    most = 0;

    for (i = 0; i < sweep->history->nframes; i++) {
        worth = ux_history_worth(sweep,
                                 ux_history_key_of(sweep->history, i));
        most = worth > most ? worth : most;
    }

    return most;
}


static void
ux_history_write(ux_history_frame_t *frame, const ux_history_point_t *point)
{
    unsigned  i;
    uint64_t  about, figures[UX_HISTORY_FIGURES / 2];

    memcpy(figures, point->figures, sizeof(figures));

    about = (point->visitors % UX_HISTORY_VISITORS) << 24
            | (uint64_t) point->epoch << 8
            | ((frame->about + 1) & 0xff);

    __atomic_store_n(&frame->key, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&frame->about, about, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);

    for (i = 0; i < UX_HISTORY_FIGURES / 2; i++) {
        __atomic_store_n(&frame->figures[i], figures[i], __ATOMIC_RELAXED);
    }

    __atomic_store_n(&frame->key, ux_history_key(point), __ATOMIC_RELEASE);
}
