
/*
 * Copyright (C) the nginx-ux authors
 *
 * A zone's memory as a whole: header, processes, registry, counters,
 * history, visitor table; its layout follows from the size and the zone's own
 * parameters.
 */

#ifndef UX_STORE_H
#define UX_STORE_H


#include "ux_counter.h"
#include "ux_history.h"
#include "ux_redo.h"
#include "ux_registry.h"
#include "ux_table.h"
#include "ux_track.h"


#define UX_STORE_MAGIC     0x31304e4f5a585555ull
#define UX_STORE_LAYOUT    12
#define UX_STORE_SIZE_MIN  (448 * 1024)   /* a 512k zone less nginx's own */


/* The zone's own parameters. */
typedef struct {
    uint32_t  experiments;         /* assignments of a record, 1..16 */
    uint32_t  totals;              /* per-visitor sums of a record, 1..8 */
    uint32_t  inactive_s;
} ux_store_params_t;


#define UX_ADOPTED_MAX   32
#define UX_ADOPTED_DONE  UINT64_MAX
#define UX_ADOPTED_BASE  (1ull << 62)   /* flag of `next`: merged as of a base,
                                           more is to come */

/* An incarnation of the zone whose images were merged into this one. */
typedef struct {
    uint8_t   uuid[16];            /* all 0: none */
    uint64_t  next;                /* what is merged next; UX_ADOPTED_DONE */
    uint64_t  images;              /* a hash of which ones */
    uint64_t  order;               /* the larger, the newer */
} ux_adopted_t;


/* How the zone stands to its files. */
typedef struct {
    ux_lock_t  lock;               /* one process at a time saves, adopts */
    uint64_t   interval_ms;        /* between saves; 0: no files are kept */
    uint64_t   saved_ms;           /* all counters are in files as of then;
                                      0: never */
    uint64_t   generation;         /* of configurations: processes of an
                                      earlier one save no more */
    uint64_t   errors;             /* saves that failed */
    uint64_t   restored;           /* incarnations found in files, or left
                                      behind in memory, and taken over */
    uint64_t   written_ms;         /* the newest image: they never go back */
    uint64_t   replaced;           /* a memory of another size goes on: this
                                      one is still saved, but adopts nobody */
    uint64_t   locks;              /* how often the lock was taken anew: a
                                      process that knows of fewer has an old
                                      one */
} ux_saved_t;


/* First bytes of the zone; offsets from its start. */
typedef struct {
    uint64_t           magic;
    uint32_t           layout;
    uint32_t           header_size;
    uint64_t           size;
    uint8_t            uuid[16];
    uint64_t           index_key[2];
    uint8_t            secret[32];     /* signs cookies when no file does */
    uint64_t           created_ms;
    ux_store_params_t  params;
    uint32_t           nprocesses;
    uint32_t           nbuckets;
    uint32_t           own_cells;
    uint32_t           all_cells;
    uint32_t           registry_capacity;
    uint32_t           written;        /* copies of counters that have had a
                                          writer */
    uint32_t           unused;         /* heads are compared, without gaps */
    uint64_t           processes_at;
    uint64_t           redo_at;
    uint64_t           registry_at;
    uint64_t           copies_at;
    uint64_t           shared_at;
    uint64_t           history_at;
    uint64_t           buckets_at;
    ux_lock_t          evidence_lock;  /* one process at a time keeps what a
                                          look found */
    uint64_t           looked_s;       /* when one last looked unasked */
    uint64_t           history;        /* seconds << 32 | pid: who takes
                                          points of history, as of then */
    uint64_t           generation;     /* newest configuration that was
                                          bound */
    ux_adopted_t       adopted[UX_ADOPTED_MAX];
    ux_saved_t         saved;
    uint64_t           expiry;         /* see ux_table_expiry() */
} ux_store_head_t;


/* A process's handle on one zone.  Holds no memory of its own but `arms` and
 * `bindings`, which the caller provides. */
typedef struct {
    ux_store_head_t  *head;
    ux_registry_t    *registry;
    ux_process_t     *processes;
    uint32_t          me;
    ux_counter_t      counter;
    ux_history_t      history;
    ux_redo_t         redo;
    ux_table_t        table;
    ux_model_t       *model;
    ux_plan_t         plan;
    ux_arm_t         *arms;
    uint32_t          arms_max;
    ux_binding_t     *bindings;
    uint32_t          seen;            /* registry entries resolved so far */
    uint64_t          generation;      /* of the process's configuration; with
                                          an older one than the zone has seen
                                          names are only found */
} ux_store_t;


/*
 * Lays out `size` zeroed bytes at `mem` (64-byte aligned).  `random` is 64
 * random bytes: uuid, index key, secret.  UX_ERROR with a sentence that
 * states the minimum when size is too small or a parameter out of range.
 */
ux_status_t ux_store_init(void *mem, size_t size,
    const ux_store_params_t *params, const uint8_t random[64],
    uint64_t now_ms, ux_error_t *error);

/* Attaches to a laid-out zone as a reader.  UX_ERROR: foreign bytes. */
ux_status_t ux_store_attach(ux_store_t *store, void *mem, size_t size,
    ux_error_t *error);

/*
 * Would the model fit, given what the zone holds already?  Changes nothing;
 * the sentence has both figures.
 */
ux_status_t ux_store_fits(const ux_store_t *store, const ux_model_t *model,
    ux_error_t *error);

/*
 * Where a zone's memory goes, in bytes; it is laid out once, and nothing
 * grows.  used: given out, or what this configuration is about to be given.
 */
typedef struct {
    uint64_t  counters;            /* own + shared: */
    uint64_t  own;                 /* the workers' own copies */
    uint64_t  own_used;
    uint64_t  shared;
    uint64_t  shared_used;
    uint64_t  names;               /* the registry */
    uint64_t  names_used;
    uint64_t  history;
    uint64_t  points;              /* of history, that there is room for, */
    uint64_t  series;              /*   one for each metric of each variant, */
    uint32_t  hours;               /*   each of these so many hours back */
    uint32_t  days;                /*   and so many days, at least */
    uint64_t  visitors;
    uint64_t  capacity;            /* how many visitors that has room for */
    uint64_t  rest;                /* head, processes, changes of merges */
} ux_store_budget_t;

/* Of a model that fits: see ux_store_fits(). */
void ux_store_budget(const ux_store_t *store, const ux_model_t *model,
    ux_store_budget_t *budget);

/* Makes the calling process a writer; later use without it is read-only. */
ux_status_t ux_store_join(ux_store_t *store);
void ux_store_leave(ux_store_t *store);

/*
 * Gives every name of the model its number (claiming new ones, opening
 * epochs) and builds the plan.  arms: room for arms_max = registry_capacity
 * entries; bindings: one for each experiment.  UX_FULL, UX_BUSY: what could
 * be bound is, the rest is served uncounted.
 */
ux_status_t ux_store_bind(ux_store_t *store, ux_model_t *model,
    ux_arm_t *arms, ux_binding_t *bindings, uint64_t now_ms);

/* Resolves arms that newer processes have registered since; cheap. */
void ux_store_refresh(ux_store_t *store);

/*
 * Applies what the event path returned, denominators first as listed; to the
 * visitor's segments, too, which is as the turn has left it.
 */
void ux_store_count(ux_store_t *store, const ux_visitor_t *visitor,
    const ux_changes_t *changes);

/* The same but for segments. */
void ux_store_apply(ux_store_t *store, const ux_changes_t *changes);

/*
 * One bounded attempt.  UX_BUSY: another process is keeping what it found;
 * UX_DECLINED: not a writer.
 */
ux_status_t ux_store_evidence_lock(ux_store_t *store);
void ux_store_evidence_unlock(ux_store_t *store);

/* The same for saving the zone and for adopting others. */
ux_status_t ux_store_saving_lock(ux_store_t *store);
void ux_store_saving_unlock(ux_store_t *store);

/*
 * Before a merge: what those who died in one have left is finished, and no
 * note of them can come later.  UX_BUSY: another process is at it.
 */
ux_status_t ux_store_redo(ux_store_t *store);

/* True while any process but the calling one has joined and lives. */
bool ux_store_others(const ux_store_t *store);

/* Counts commit's side effects. */
void ux_store_effects(ux_store_t *store, const ux_table_effects_t *effects);


#endif
