
/*
 * Copyright (C) the nginx-ux authors
 *
 * The bytes of a snapshot: a zone to bytes, bytes to a zone.  Memory only; who
 * reads and writes files is elsewhere.
 *
 * A zone has two images: `counters`, small, every second, and `visitors`, with
 * the counters of the same moment, every ten.  To bring a zone back takes the
 * latter and, for what does not follow from records, the former.
 *
 * Records are found by hashes under the zone's index key, and an image has it
 * (it is as secret as the zone's memory): a zone that is to know the visitors
 * of an image must be made with that key, see ux_image_info_t.index_key and
 * `random` of ux_store_init().
 */

#ifndef UX_IMAGE_H
#define UX_IMAGE_H


#include "ux_store.h"


#define UX_IMAGE_MAJOR       1
#define UX_IMAGE_MINOR       3
#define UX_IMAGE_HEADER_MAX  4096    /* so much is enough to be told about */
#define UX_IMAGE_NAMES_MAX   16384   /* entries of a registry */
#define UX_IMAGE_WORD_MAX    255


typedef enum {
    UX_IMAGE_COUNTERS = 1,
    UX_IMAGE_VISITORS
} ux_image_kind_e;


typedef struct {
    const uint8_t  *data;
    size_t          len;             /* 0: there is none */
} ux_image_bytes_t;


/* Whose figures they are, as in ux_report_t; words of ASCII. */
typedef struct {
    ux_str_t  module;                /* versions, */
    ux_str_t  server;
    ux_str_t  node;                  /*   host name */
    uint64_t  size;                  /* configured bytes of the zone */
    uint64_t  errors;                /* saves that failed */
} ux_image_origin_t;


/* What a zone's memory does not know of itself. */
typedef struct {
    ux_str_t           name;
    ux_str_t           currency;     /* three letters */
    const ux_model_t  *model;        /* to be kept with it, to report by;
                                        NULL: not */
    ux_image_origin_t  origin;       /* likewise */
} ux_image_zone_t;


typedef struct {
    ux_image_kind_e    kind;
    uint16_t           major;
    uint16_t           minor;
    uint8_t            uuid[16];     /* of the zone's incarnation */
    uint64_t           index_key[2];
    uint64_t           length;       /* of the whole image */
    uint64_t           written_ms;
    uint64_t           created_ms;   /* the zone */
    uint64_t           zone_size;
    ux_store_params_t  params;
    uint32_t           max_window_s;
    uint32_t           skipped;      /* records that could not be read */
    char               name[UX_NAME_MAX + 1];
    char               currency[4];
    unsigned           nadopted;     /* oldest first */
    uint32_t           based;        /* mask of those adopted: as of a base,
                                        and no more */
    uint8_t            adopted[UX_ADOPTED_MAX][16];
} ux_image_info_t;


/*
 * Bytes that are enough for an image of this zone, at any time; most of them
 * stay untouched.
 */
size_t ux_image_size(const ux_store_t *store, ux_image_kind_e kind);

/*
 * Writes an image into buf of ux_image_size() bytes, in which len are the
 * image and the rest is scratch.  Other processes may write to the zone
 * meanwhile: each record is one of its states, and no counter is newer than
 * the records.  A process that has joined frees what a dead one holds.
 * UX_ERROR: buf too small, a name or currency that is none.
 */
ux_status_t ux_image_write(ux_store_t *store, ux_image_kind_e kind,
    const ux_image_zone_t *zone, uint64_t now_ms, uint8_t *buf, size_t size,
    size_t *len);


/* Which entry of a list of names has which ordinal. */
typedef struct {
    uint32_t  first[UX_ENTRY_KINDS + 1];
    uint16_t  at[UX_IMAGE_NAMES_MAX];
} ux_image_index_t;

/* How the zone of an image was configured.  Words lie in the image, and the
 * zone's name in here: a copy of it has a name that is not its own. */
typedef struct {
    char               zone[UX_NAME_MAX + 1];
    ux_model_t         model;        /* not bound */
    ux_experiment_t    experiments[UX_EXPERIMENTS_MAX];
    ux_image_origin_t  origin;
} ux_image_model_t;

/* Changes [from, to) and [ring, ring_to) of a list: of a track like this. */
typedef struct {
    unsigned  from;
    unsigned  to;
    unsigned  ring;
    unsigned  ring_to;
    uint16_t  arm;
    uint8_t   segments[UX_SEGMENTS_MAX];
} ux_image_span_t;

/* Of each track what ours and theirs had, held, and what comes of them. */
#define UX_IMAGE_SPANS_MAX  (UX_TRACKS_MAX * 6)

/* Places of points: those of a zone and those of an image, and some more. */
#define UX_IMAGE_POINTS_MAX  0x40000u

_Static_assert(UX_IMAGE_POINTS_MAX > 2 * UX_HISTORY_MAX, "points");

/* What checking and merging need, some 2.5 MB: static memory, of which little
 * is touched. */
typedef struct {
    ux_image_index_t  names;         /* of the image */
    ux_image_index_t  zone;          /* of the zone's registry */
    uint32_t          zone_names;    /* how many of it are in there */
    uint16_t          to[UX_IMAGE_NAMES_MAX];    /* by entry of the image */
    uint16_t          carts[UX_IMAGE_NAMES_MAX]; /* by arm of the zone: its
                                                    newest cart */
    uint16_t          older[UX_IMAGE_NAMES_MAX]; /* by entry: the next one */
    uint16_t          segment_arms[UX_IMAGE_NAMES_MAX];  /* by variant, */
    uint16_t          segment_carts[UX_IMAGE_NAMES_MAX]; /* by segment arm:
                                                    likewise */
    bool              same_slots;    /* the maps change nothing */
    uint8_t           events[UX_EVENTS_MAX];
    uint8_t           steps[UX_STEPS_MAX];
    uint8_t           cart_slots[UX_CARTS_MAX];
    uint8_t           funnels[UX_FUNNELS_MAX];
    uint8_t           stages[UX_STAGES_MAX];
    uint8_t           totals[UX_TOTALS_MAX];
    uint8_t           segments[UX_SEGMENTS_MAX];
    uint8_t           values[UX_SEGMENT_VALUES];
    ux_visitor_t      theirs;
    ux_visitor_t      ours;
    ux_visitor_t      held;          /* theirs, as of the base */
    ux_visitor_t      since;         /* the same, confirmed if they are */
    ux_changes_t      changes;
    ux_redo_index_t   redo;
    unsigned          nspans;
    ux_image_span_t   spans[UX_IMAGE_SPANS_MAX];
    ux_image_model_t  model;         /* to be checked, not used */
    uint32_t          nplaces;       /* used of these, a power of 2: */
    uint32_t          points[UX_IMAGE_POINTS_MAX];     /* of the zone: frame
                                                          + 1, by hash */
} ux_image_work_t;


/*
 * What the header says, from the image or its first UX_IMAGE_HEADER_MAX bytes.
 * UX_DECLINED: not for us to read or to throw away: no image, or one of
 * another major version, byte order or word size.  UX_ERROR: damaged.
 */
ux_status_t ux_image_info(const uint8_t *data, size_t len,
    ux_image_info_t *info, ux_error_t *error);

/* The same of the whole image: everything in it is as it may be. */
ux_status_t ux_image_check(const uint8_t *data, size_t len,
    ux_image_work_t *work, ux_error_t *error);

/*
 * The configuration an image was written under.  UX_DECLINED: it says
 * nothing, or is not for us to read.
 */
ux_status_t ux_image_model(const uint8_t *data, size_t len,
    ux_image_model_t *model, ux_error_t *error);


typedef enum {
    UX_IMAGE_RESTORE = 0,            /* before ux_store_bind(): what the
                                        registry lacks follows what it has */
    UX_IMAGE_ADOPT,                  /* others are counting in this zone: an
                                        earlier epoch it lacks is left out */
    UX_IMAGE_PREPARE,                /* names only, as to restore: so that to
                                        adopt the images of a process that is
                                        still alive, later, lacks none */
    UX_IMAGE_SHOW                    /* names and all counters, of one image,
                                        into a new zone that is only to be
                                        reported: it has no visitors */
} ux_image_mode_e;


/*
 * All images are of one incarnation; visitors or counters are there.
 *
 * base: an earlier image of visitors, which the zone holds already (see
 * ux_image_hold()); added is what is new since.  Not looked at where the zone
 * holds nothing of the incarnation.
 */
typedef struct {
    ux_image_mode_e    mode;
    ux_image_bytes_t   visitors;
    ux_image_bytes_t   counters;
    ux_image_bytes_t   base;
    uint64_t          *index;        /* ux_image_index_words() of the base */
    ux_image_zone_t    zone;         /* they must be of the same */
    uint64_t           now_ms;
    ux_image_work_t   *work;
} ux_image_merge_t;


typedef struct {
    uint64_t  visitors;              /* records that came in */
    uint64_t  united;                /* with one that was there */
    uint64_t  expired;
    uint64_t  dropped;               /* no room, or of another index key */
    uint64_t  tracks;                /* left out of records */
    uint64_t  names;                 /* left out: no room or no place */
    uint64_t  cells;                 /* left out with them */
} ux_image_result_t;


/*
 * Adds what the images hold to the zone, whose caller has joined as a writer
 * and is the only one to merge.  Names are matched by name, version,
 * fingerprint and analysis.  Everything is checked first: but for UX_OK and
 * UX_BUSY nothing has changed.
 *
 * UX_DECLINED: another version, zone or currency, the zone's own images, or
 * of an incarnation that it holds already (ux_image_adopted()).  UX_ERROR:
 * damaged.  UX_BUSY: not a writer, or the registry was not to be had: again
 * later.  A process may be killed while it merges, at any instruction: the
 * next to merge the same images into the zone goes on from there, and what
 * comes of it is the same.
 *
 * What another living incarnation has adopted is for the caller to know: look
 * at the `adopted` of its images before you merge a third one's.
 */
ux_status_t ux_image_merge(ux_store_t *store, const ux_image_merge_t *merge,
    ux_image_result_t *result, ux_error_t *error);

/*
 * The zone holds what this incarnation counted.  It remembers the newest
 * UX_ADOPTED_MAX, and all the incarnations that these had adopted among them.
 */
bool ux_image_adopted(const ux_store_t *store, const uint8_t uuid[16]);

/*
 * What was merged of this incarnation was only a base: it counts on, and its
 * last images are to be merged with that base.  False: not merged, or not
 * wholly.  ux_image_let_go() takes that back: no more is to come.
 */
bool ux_image_hold(ux_store_t *store, const uint8_t uuid[16]);
void ux_image_let_go(ux_store_t *store, const uint8_t uuid[16]);

/* Is that so? */
bool ux_image_held(const ux_store_t *store, const uint8_t uuid[16]);

/* Words of scratch to find the records of a base in; 0: no whole image. */
size_t ux_image_index_words(const uint8_t *data, size_t len);


#endif
