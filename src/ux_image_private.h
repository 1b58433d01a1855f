
/*
 * Copyright (C) the nginx-ux authors
 *
 * The format of an image, for the files that write, check and merge it.
 *
 *   [ header | section table | sum ][ NAMES ][ CELLS ][ RECORDS ][ MODEL ] ...
 *
 * All numbers are little-endian, whoever writes; offsets from the start.
 *
 * header
 *     0   8  magic
 *     8   2  major
 *    10   2  minor
 *    12   4  UX_IMAGE_ORDER
 *    16   1  bytes of a word: 8
 *    17   1  kind: ux_image_kind_e
 *    18   1  bytes of the name
 *    19   1  sections
 *    20   4  bytes of header, table and sum
 *    24   8  bytes of the image
 *    32  16  uuid of the incarnation
 *    48  16  index key, two words
 *    64   8  written, ms
 *    72   8  zone made, ms
 *    80   8  bytes of the zone
 *    88   4  experiments    92 4 totals    96 4 inactive, s
 *   100   4  longest window, s
 *   104   4  currency, three letters
 *   108   4  uuids adopted
 *   112   4  records skipped
 *   116   4  mask of these: as of a base only, see ux_image_hold()
 *   120  64  name of the zone
 *   184      adopted uuids, 16 bytes each, room for UX_ADOPTED_MAX
 *   696      section table, 32 bytes a section:
 *              4 type   4 items   8 offset   8 length   8 XXH3-64
 *            XXH3-64 of all before it
 *
 * NAMES: UX_IMAGE_NAME_SIZE bytes an entry of the registry, in its order, so
 * that an ordinal is how many of the kind came before (totals: plus 1).
 *     0   1  kind
 *     1   1  bytes of the name
 *     2   2  parent    4 2 aux    6 2 variant    8 2 width
 *    10   2  UX_IMAGE_HAS_ flags
 *    12   4  0
 *    16   8  value    24 8 made, ms    32 8 number    40 8 analysis
 *    48   8  control; of experiments: removed, ms
 *    56  64  name
 *
 * CELLS: UX_IMAGE_CELL_SIZE bytes a counter that is not 0, ascending by all
 * but the value, so that two images can be walked side by side.
 *     0   4  owner: 0 the zone, else entry + 1
 *     4   2  group: see ux_image_groups[]
 *     6   2  index in it
 *     8   8  value
 *
 *   So the order of UX_HTTP_, UX_DISCARD_, UX_TOTAL_, UX_CART_, UX_BALANCE_,
 *   of the zone's counts of records and of ux_evidence_t is part of the
 *   format: what is new comes last.
 *
 * RECORDS: of each visitor
 *     0   2  bytes that follow; UX_IMAGE_AGAIN
 *     2      as ux_visitor_pack() makes them
 *
 * MODEL (since minor version 1): the configuration, up to UX_IMAGE_MODEL_MAX
 * bytes, or none.  A text is 2 bytes of length and its bytes; an item has its
 * length, 4, in front, and what is new in it comes last.
 *         8 zone's size     8 saves failed     text module, server, node
 *         8 removed, ms
 *         1 n events        of each: text name; the index is what others
 *                           refer to
 *         1 n totals        of each: 1 event 1 type
 *         1 n funnels       of each an item: text name  1 cart's event
 *                           8 within, ms  1 n steps, of each: 1 event
 *                           1 optional
 *         2 n experiments   of each an item: text name, salt, layer
 *                           4 version  8 traffic  8 8 layer  1 sticky
 *                           8 window, ms  8 cap  8 alpha  8 planned
 *                           8 min_runtime, s  1 state  8 start 8 stop, ms
 *                           1 serve, plus 1  8 targeting  8 equivalence
 *                           1 n variants, of each: text name  8 weight
 *                           1 n metrics, of each: 1 event 1 total 1 type
 *                           1 role 1 lower is better 8 margin
 *         1 n stages        since minor version 2; of each an item: text name
 *                           8 mask of events
 *         1 n segments      since minor version 2; of each an item: text name
 *                           1 n values but "other", of each: text name
 *
 * CLOCK (since minor version 2): one item
 *     0   4  the clock that records expire by     4 4 the time of day, s
 *
 * A newer minor version may have sections of further types; they are passed
 * over.  Anything else that changes is a new major version.
 *
 * HISTORY (since minor version 3; of visitors only): UX_IMAGE_POINT_SIZE bytes
 * a point of ux_history.h
 *     0   4  hour      4 2 variant    6 1 event    7 1 type << 4 | ring
 *     8   2  epoch     10 6 visitors
 *    16  24  figures, six of IEEE 754 binary32; NaN: none
 */

#ifndef UX_IMAGE_PRIVATE_H
#define UX_IMAGE_PRIVATE_H


#include "ux_block.h"
#include "ux_evidence_cells.h"
#include "ux_image.h"
#include "ux_journey.h"
#include "ux_packing.h"
#include "ux_registry_private.h"
#include "ux_survey.h"
#include "ux_timing.h"


#define UX_IMAGE_MAGIC        0x0a1a6567616d4955ull   /* "UImage" 1a 0a */
#define UX_IMAGE_ORDER        0x0a0b0c0du
#define UX_IMAGE_WORD         8

#define UX_IMAGE_TABLE_AT     696u
#define UX_IMAGE_SECTION_SIZE 32u
#define UX_IMAGE_SECTIONS_MAX 16u
#define UX_IMAGE_NAME_SIZE    120u
#define UX_IMAGE_CELL_SIZE    16u
#define UX_IMAGE_CLOCK_SIZE   8u
#define UX_IMAGE_POINT_SIZE   40u

#define UX_IMAGE_MODEL_MAX    (1024u * 1024)
#define UX_IMAGE_MINOR_STAGES 2         /* MODEL has stages since */

#define UX_IMAGE_AGAIN        0x8000u   /* may have been in here already */

/* In the year 2174: seconds of 32 bits end in 2106, and servers go on. */
#define UX_IMAGE_TIME_MAX     6442450944000ull

/* A count is below; sums of a hundred images are still no overflow. */
#define UX_IMAGE_COUNT_MAX    (1ull << 56)

_Static_assert(UX_IMAGE_TABLE_AT == 184 + UX_ADOPTED_MAX * 16, "header");
_Static_assert(UX_IMAGE_TABLE_AT
               + UX_IMAGE_SECTIONS_MAX * UX_IMAGE_SECTION_SIZE + 8
               <= UX_IMAGE_HEADER_MAX, "header");
_Static_assert(UX_PACKED_MAX < UX_IMAGE_AGAIN, "length of a record");


/* Entries of the registry that brought cells of their own. */
#define UX_IMAGE_HAS_BLOCK    0x01u
#define UX_IMAGE_HAS_RING     0x02u


typedef enum {
    UX_IMAGE_NAMES = 1,
    UX_IMAGE_CELLS,
    UX_IMAGE_RECORDS,
    UX_IMAGE_MODEL,
    UX_IMAGE_CLOCK,
    UX_IMAGE_HISTORY,
    UX_IMAGE_SECTIONS
} ux_image_section_e;


typedef struct {
    const uint8_t  *data;
    uint64_t        len;
    uint32_t        n;
} ux_image_section_t;


/* An image whose header and sums are right. */
typedef struct {
    ux_image_info_t     info;
    ux_image_section_t  sections[UX_IMAGE_SECTIONS];   /* by type */
    uint32_t            kinds[UX_ENTRY_KINDS];         /* entries of each */
} ux_image_view_t;


/* An entry of NAMES. */
typedef struct {
    unsigned  kind;
    ux_str_t  text;
    uint16_t  parent;
    uint16_t  aux;
    uint16_t  variant;
    uint16_t  width;
    uint16_t  flags;
    uint64_t  value;
    uint64_t  created_ms;
    double    number;
    uint64_t  analysis;
    uint64_t  control;
} ux_image_name_t;


typedef struct {
    uint32_t  owner;
    uint16_t  group;
    uint16_t  index;
    uint64_t  value;
} ux_image_cell_t;


/* What numbers the cells of a group. */
typedef enum {
    UX_IMAGE_BY_INDEX = 0,
    UX_IMAGE_BY_EVENT,
    UX_IMAGE_BY_STEP,
    UX_IMAGE_BY_TOTAL
} ux_image_by_e;


/* Numbers of groups, part of the format. */
enum {
    UX_IMAGE_ZONE_LIVES = 1,         /* of records */
    UX_IMAGE_ZONE_HTTP,
    UX_IMAGE_ZONE_DISCARDED,
    UX_IMAGE_ZONE_EVENTS,
    UX_IMAGE_ZONE_SUMS,
    UX_IMAGE_ZONE_COUNTS,
    UX_IMAGE_ARM_COUNTS,             /* first of an arm's: see checks */
    UX_IMAGE_ARM_HTTP,
    UX_IMAGE_ARM_EVENT_VISITORS,
    UX_IMAGE_ARM_EVENT_COUNT,
    UX_IMAGE_ARM_BEFORE,
    UX_IMAGE_ARM_IN_ORDER,
    UX_IMAGE_ARM_TOTALS,
    UX_IMAGE_ARM_WINDOW,
    UX_IMAGE_ARM_UNCONFIRMED,
    UX_IMAGE_CART,
    UX_IMAGE_CART_RING,
    UX_IMAGE_EVIDENCE,               /* the words of one ux_evidence_t */
    UX_IMAGE_BALANCE,
    UX_IMAGE_ARM_VISITS,             /* behind an arm's rings */
    UX_IMAGE_REQUESTS,               /* two histogram buckets a cell */
    UX_IMAGE_PACES,
    UX_IMAGE_VITALS,
    UX_IMAGE_REACHED,                /* visitors of stages, by place */
    UX_IMAGE_MOVES,                  /* between them */
    UX_IMAGE_SURVEYS,
    UX_IMAGE_SEGMENT_COUNTS,         /* of a segment's arm, as of an arm */
    UX_IMAGE_SEGMENT_EVENT_VISITORS,
    UX_IMAGE_SEGMENT_EVENT_COUNT,
    UX_IMAGE_SEGMENT_BEFORE,
    UX_IMAGE_SEGMENT_IN_ORDER,
    UX_IMAGE_SEGMENT_TOTALS,
    UX_IMAGE_SEGMENT_VISITS,
    UX_IMAGE_SEGMENT_CART,
    UX_IMAGE_SEGMENT_RING,
    UX_IMAGE_GROUPS
};


typedef struct {
    uint8_t   owner;                 /* ux_entry_e; 0: the zone */
    uint8_t   by;                    /* ux_image_by_e */
    uint8_t   stride;                /* cells of a slot */
    bool      ring;                  /* bucket and count */
    bool      of_ring;               /* cells of entry->ring, not ->base */
    bool      free;                  /* follows from no record */
    uint16_t  first;
    uint16_t  n;
} ux_image_group_t;

/* By number. */
extern const ux_image_group_t  ux_image_groups[UX_IMAGE_GROUPS];

/* Of UX_IMAGE_EVIDENCE: ux_evidence_t, member by member. */
enum {
    UX_IMAGE_EVIDENCE_LOG_E = 0,
    UX_IMAGE_EVIDENCE_EXACT,
    UX_IMAGE_EVIDENCE_LOOKED,
    UX_IMAGE_EVIDENCE_SINCE,
    UX_IMAGE_EVIDENCE_SIGN,
    UX_IMAGE_EVIDENCE_PAIR,
    UX_IMAGE_EVIDENCE_P,
    UX_IMAGE_EVIDENCE_LO,
    UX_IMAGE_EVIDENCE_HI,
    UX_IMAGE_EVIDENCE_WORDS
};

_Static_assert(sizeof(ux_evidence_t) == UX_IMAGE_EVIDENCE_WORDS * 8,
               "evidence");


static inline uint64_t
ux_image_get(const uint8_t *at, unsigned size)
{
    uint64_t  value;
    unsigned  i;

    value = 0;

    for (i = 0; i < size; i++) {
        value |= (uint64_t) at[i] << (8 * i);
    }

    return value;
}


static inline void
ux_image_put(uint8_t *at, uint64_t value, unsigned size)
{
    unsigned  i;

    for (i = 0; i < size; i++) {
        at[i] = (uint8_t) (value >> (8 * i));
    }
}


/* A sentence, formatted. */
__attribute__((format(printf, 2, 3)))
void ux_image_say(ux_error_t *error, const char *format, ...);

/* When an image is written: later than the one before, whatever the clock
 * does. */
uint64_t ux_image_moment(ux_store_t *store, uint64_t now_ms);

/* Header, table and sums.  Statuses as ux_image_info(). */
ux_status_t ux_image_open(const uint8_t *data, size_t len,
    ux_image_view_t *view, ux_error_t *error);

/* And the rest of ux_image_check(); fills work->names. */
ux_status_t ux_image_check_view(ux_image_view_t *view, ux_image_work_t *work,
    ux_error_t *error);

/*
 * Writes zone->model there, where UX_IMAGE_MODEL_MAX bytes are free, and
 * returns where it ends; that is `at` for one that is too long or that no
 * reader would take.
 */
uint8_t *ux_image_model_write(uint8_t *at, const ux_image_zone_t *zone);

/* As ux_image_model(). */
ux_status_t ux_image_model_read(const ux_image_view_t *view,
    ux_image_model_t *read, ux_error_t *error);

/* What of it may not be, or NULL; ux_model_check() goes beyond. */
const char *ux_image_model_wrong(const ux_model_t *model,
    const ux_image_origin_t *origin);

/* May it stand on a page, on a terminal? */
bool ux_image_word_ok(ux_str_t word);

/* i below the section's n. */
ux_image_name_t ux_image_name(const ux_image_view_t *view, uint32_t i);
ux_image_cell_t ux_image_cell(const ux_image_view_t *view, uint32_t i);

/* Part of ux_image_check_view(), once names are known to be right. */
ux_status_t ux_image_check_cells(const ux_image_view_t *view,
    ux_error_t *error);

/* Negative, 0, positive, as by their places in CELLS. */
int ux_image_cell_order(const ux_image_cell_t *a, const ux_image_cell_t *b);

/* Can its group have the value?  width: cells of a row, of a cart's ring. */
bool ux_image_value_ok(const ux_image_cell_t *cell, unsigned width);

/* Entry of this kind and ordinal, or UX_IMAGE_NAMES_MAX. */
uint32_t ux_image_index_find(const ux_image_index_t *index, unsigned kind,
    uint32_t ordinal);

/*
 * Indexes n entries of a kind each; kinds are read from a registry or an
 * image by the caller, who calls count for all, then start, then add for all.
 */
void ux_image_index_clear(ux_image_index_t *index);
void ux_image_index_count(ux_image_index_t *index, unsigned kind);
void ux_image_index_start(ux_image_index_t *index);
void ux_image_index_add(ux_image_index_t *index, unsigned kind,
    uint32_t entry, uint32_t *seen);


/* What a record may refer to. */
typedef struct {
    uint64_t  events;                /* masks */
    uint64_t  steps;
    unsigned  carts;
    unsigned  funnels;
    unsigned  stages;
    unsigned  totals;                /* revenue included */
    uint32_t  arms;
    unsigned  segments;
    unsigned  values;
} ux_image_limits_t;

ux_image_limits_t ux_image_limits(const uint32_t kinds[UX_ENTRY_KINDS]);

/* Is there anything in the record that may not be? */
bool ux_image_record_ok(const ux_visitor_t *visitor,
    const ux_image_limits_t *limits);

/* Takes it out, if it can be. */
void ux_image_record_fit(ux_visitor_t *visitor,
    const ux_image_limits_t *limits);


/* What a merge reads. */
enum {
    UX_IMAGE_OF_VISITORS = 0,
    UX_IMAGE_OF_COUNTERS,
    UX_IMAGE_OF_BASE,
    UX_IMAGE_VIEWS
};


/* A merge under way. */
typedef struct {
    ux_store_t         *store;
    ux_table_t          table;
    ux_image_mode_e     mode;
    uint64_t            now_ms;
    uint64_t            latest_ms;   /* times behind it are wrong */
    ux_image_work_t    *work;
    ux_image_view_t     views[UX_IMAGE_VIEWS];
    bool                has[UX_IMAGE_VIEWS];
    ux_image_view_t    *names;       /* of these, the one with most */
    uint64_t           *index;       /* of the base's records */
    uint64_t            nindex;
    ux_redo_t           redo;        /* changes of the step */
    uint64_t            step;
    bool                noted;       /* a turn has ended it */
    bool                direct;      /* changes are made at once */
    int64_t             provisional; /* by the turn, beside its effects */
    bool                held;        /* work->held, work->since are there */
    bool                alone;       /* no record that is not of this image */
    bool                strange;     /* records of another index key */
    ux_adopted_t       *adopted;
    ux_image_result_t  *result;
} ux_image_merging_t;

/* Whom the zone has merged, is merging, or holds as of a base; or NULL. */
ux_adopted_t *ux_image_adopted_find(const ux_store_t *store,
    const uint8_t uuid[16]);

/* A new one, to be merged from its first step on: the oldest may go for it. */
ux_adopted_t *ux_image_adopted_add(ux_store_t *store, const uint8_t uuid[16],
    uint64_t images);

/* Whom `keep` had adopted by one of its images, so have we. */
void ux_image_adopted_pass(ux_store_t *store, const ux_adopted_t *keep,
    const ux_image_info_t *info);

/* It is merged wholly, and the newest now. */
void ux_image_adopted_done(ux_store_t *store, ux_adopted_t *adopted);

/* All of them, the oldest first; how many. */
unsigned ux_image_adopted_list(const ux_store_t *store,
    ux_adopted_t *list[UX_ADOPTED_MAX]);

/* Finds or makes the entries; fills the maps of work. */
ux_status_t ux_image_merge_names(ux_image_merging_t *m);

void ux_image_merge_cells(ux_image_merging_t *m);
void ux_image_merge_records(ux_image_merging_t *m);

/*
 * Steps are numbered from 1; those of cells, however many.  What a step adds
 * to counters is listed from begin on, and counts with its end or not at all.
 * It fits if there is room for it, and for what a turn adds.
 */
uint64_t ux_image_steps(const ux_image_merging_t *m);
bool ux_image_step_done(const ux_image_merging_t *m, uint64_t step);
void ux_image_step_begin(ux_image_merging_t *m, uint64_t step);
void ux_image_step_end(ux_image_merging_t *m);
bool ux_image_step_fits(const ux_image_merging_t *m);
void ux_image_add(ux_image_merging_t *m, uint32_t cell, int64_t delta);
void ux_image_ring_add(ux_image_merging_t *m, uint32_t cell, uint32_t bucket,
    int32_t delta);
/* A ux_noted_pt: the step ends with the table's turn. */
uint64_t ux_image_step_noted(void *m, const ux_table_effects_t *effects);

/* What looks at results have left: evidence, a cell. */
void ux_image_keep_evidence(ux_image_merging_t *m, const ux_entry_t *entry,
    const ux_evidence_t *theirs);
void ux_image_keep_balance(ux_image_merging_t *m, const ux_image_cell_t *cell,
    const ux_entry_t *entry);

/* The base's record of the same visitor as this one; NULL: none. */
void ux_image_base_index(ux_image_merging_t *m);
const uint8_t *ux_image_base_find(const ux_image_merging_t *m,
    const uint8_t *packed, size_t *len);

/* work->since from work->held, for two that went on from there. */
void ux_image_base_since(ux_image_merging_t *m);

/*
 * Of two tracks that went on from `held`, what can be added up: takes out of
 * theirs what it was then, and of carts the side on which nothing happened.
 */
void ux_image_base_track(ux_track_t *ours, ux_track_t *theirs,
    const ux_track_t *held);

/* The same of events that wait, and of ids seen; returns how many are left. */
unsigned ux_image_base_pending(const ux_image_merging_t *m,
    const ux_visitor_t *visitor, ux_event_t *events);
bool ux_image_base_id(const ux_image_merging_t *m, uint32_t id);

/* That of this arm, as it was and as it would be confirmed; NULL: none. */
const ux_track_t *ux_image_base_of(const ux_image_merging_t *m,
    const ux_visitor_t *visitor, uint16_t arm);

/* The zone's entry, NULL if the image's was left out or is none. */
const ux_entry_t *ux_image_target(const ux_image_merging_t *m,
    unsigned kind, uint32_t ordinal);

/* Writes CLOCK there and returns where it ends. */
uint8_t *ux_image_clock_write(uint8_t *at, const ux_store_t *store,
    uint64_t now_ms);

bool ux_image_clock_ok(const ux_image_view_t *view);

/* Before any record: the zone's clock, as far as the newest image's was. */
void ux_image_clock_restore(ux_image_merging_t *m);

/*
 * Writes HISTORY there, of names that are in the image, and returns where it
 * ends.
 */
uint8_t *ux_image_history_write(uint8_t *at, const ux_history_t *history,
    const uint32_t kinds[UX_ENTRY_KINDS]);

/* Is every point one that may be? */
bool ux_image_history_ok(const ux_image_view_t *view,
    const ux_image_index_t *index);

/* Puts the points into the zone's own. */
void ux_image_merge_history(ux_image_merging_t *m);

/* There is one with this number, and it is of this experiment. */
bool ux_image_child_ok(const ux_image_view_t *view,
    const ux_image_index_t *index, unsigned kind, uint64_t ordinal,
    uint16_t parent);

/* The same by the owner of a cell, which is not the zone. */
const ux_entry_t *ux_image_owner(const ux_image_merging_t *m, uint32_t owner);

/* ux_image_entries.c: knows all entries that the zone has by now. */
void ux_image_entries_index(ux_image_merging_t *m);

/* One of the zone's own, by ordinal; NULL beyond. */
const ux_entry_t *ux_image_entry(ux_image_merging_t *m, unsigned kind,
    uint32_t ordinal);

/* Where an arm of the zone counts carts: the newest if there are several. */
const ux_entry_t *ux_image_arm_cart(ux_image_merging_t *m, uint16_t arm,
    unsigned cart);

/* What counts a value of a variant, both of the zone; and its carts. */
const ux_entry_t *ux_image_segment_arm(ux_image_merging_t *m,
    uint16_t variant, unsigned value);
const ux_entry_t *ux_image_segment_cart(ux_image_merging_t *m, uint16_t arm,
    unsigned cart);

/* Window of the arm's experiment, ms; 0: none, or not configured here. */
uint64_t ux_image_window(const ux_image_merging_t *m, uint16_t arm);

/*
 * Adds work->theirs, in the zone's own numbers, to work->ours: the changes
 * take out of the counters what both had counted.
 */
void ux_image_unite(ux_image_merging_t *m);

/*
 * Notes in work->changes what the track, of a record made at first_s,
 * confirmed or not, has added to its arm: to be taken out, or to be put in.
 */
void ux_image_take_track(ux_image_merging_t *m, const ux_track_t *track,
    uint32_t first_s, bool confirmed);
void ux_image_put_track(ux_image_merging_t *m, const ux_track_t *track,
    uint32_t first_s, bool confirmed);

/* Lists work->changes, of segments too. */
void ux_image_apply(ux_image_merging_t *m);

/*
 * ux_image_segment.c: which of work->changes are of another track than the one
 * that work->ours has in the end: those from number `from`, `ring` on.
 */
void ux_image_segments_clear(ux_image_work_t *work);
void ux_image_segments_note(ux_image_work_t *work, const ux_track_t *track,
    unsigned from, unsigned ring);

/* The same changes, in the counters of each one's values. */
void ux_image_segments_apply(ux_image_merging_t *m);


#endif
