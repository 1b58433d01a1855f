
/*
 * Copyright (C) the nginx-ux authors
 *
 * What the files of the report share.  Not for anybody else.
 *
 *   ux_report.c             the document, the path, the text
 *   ux_report_zone.c        a zone
 *   ux_report_experiment.c  an experiment and its epochs
 *   ux_report_verdict.c     its state, what is decided, what is wrong
 *   ux_report_past.c        experiments that are not configured any more
 *   ux_report_variant.c     a variant, its metrics, its requests
 *   ux_report_funnel.c      steps and carts of a variant
 *   ux_report_gather.c      counters, added up by variant
 *   ux_report_cart.c        carts of a variant, open ones apart
 *   ux_report_tree.c        the registry as a tree
 *
 * Nothing here knows when memory ran out: nodes become NULL, calls on NULL
 * do nothing, and ux_report.c asks once.
 */

#ifndef UX_REPORT_PRIVATE_H
#define UX_REPORT_PRIVATE_H


#include "ux_json.h"
#include "ux_number.h"
#include "ux_report.h"
#include "ux_stats.h"


/* Furthest steps k of UX_CART_ALIVE + k. */
#define UX_REPORT_ALIVE  (UX_FUNNEL_STEPS_MAX + 1)


/*
 * Carts of one variant and cart slot, over epochs and windows; the first
 * three are read through ux_report_count().  Of the others no part is negative
 * or more than its total.
 */
typedef struct {
    uint64_t  carried_in;
    uint64_t  without_cart;
    uint64_t  recovered;
    uint64_t  purchased;
    uint64_t  alive[UX_REPORT_ALIVE];
    uint64_t  unsettled_purchased;     /* of buckets not wholly old */
    uint64_t  unsettled_recovered;
    uint64_t  unsettled_alive[UX_REPORT_ALIVE];
} ux_report_cart_t;


/* Arms of one variant, added up; as above. */
typedef struct {
    uint64_t          cells[UX_ARM_COUNTS];
    uint64_t          in_window;       /* exposed, window still open */
    ux_report_cart_t  carts[UX_CARTS_MAX];
} ux_report_sum_t;


/*
 * A variant, configured or not any more.  primary: the cells of the epochs
 * that the primary result is made of.
 */
typedef struct {
    ux_str_t         name;
    uint16_t         ordinal;          /* UX_PARENT_NONE: not registered */
    bool             control;
    bool             removed;
    double           weight;
    uint64_t         primary[UX_ARM_COUNTS];
    uint32_t         carts[UX_CARTS_MAX];      /* entry numbers of the newest,
                                                  UX_REPORT_END: none */
    ux_report_sum_t  sum;              /* of all epochs */
} ux_report_variant_t;


#define UX_REPORT_END  0xffffffffu


/* An entry of the registry among its siblings, and what it counts. */
typedef struct {
    uint32_t  first;                   /* children: entry numbers, */
    uint32_t  last;                    /*   UX_REPORT_END: none */
    uint32_t  next;
    uint32_t  peer;                    /* arm carts: set by gather, the next
                                          of the variant and cart slot */
    uint64_t  visitors;                /* arms: set by gather */
} ux_report_link_t;


/* The registry as a tree; one pass over the entries, siblings in order. */
typedef struct {
    const ux_entry_t     *entries;
    uint32_t              count;
    uint32_t              first;       /* experiments */
    uint32_t              last;
    ux_report_link_t     *links;       /* by entry number */
    uint32_t             *experiments; /* entry numbers by ordinal */
    uint32_t             *epochs;
    uint32_t             *arms;
    uint32_t              nvariants;   /* room for any one experiment's, */
    ux_report_variant_t  *variants;    /* used by one after the other */
} ux_report_tree_t;


/* One experiment at a time. */
typedef struct {
    const ux_experiment_t  *model;
    bool                    past;      /* not configured any more */
    uint32_t                entry;     /* UX_REPORT_END: not registered */
    uint32_t                epoch;     /* number of the newest, 0: none */
    uint32_t                since;     /* the primary result's first */
    uint64_t                started_ms;        /* 0: none */
    uint64_t                visitors;
    uint64_t                crossovers;
    uint64_t                moved;
    unsigned                nvariants; /* the model's first */
    ux_report_variant_t    *variants;
} ux_report_experiment_t;


/* One zone at a time. */
typedef struct {
    const ux_report_zone_t  *zone;
    const ux_store_t        *store;
    const ux_model_t        *model;
    uint64_t                 now_ms;
    uint64_t                 returned; /* the zone's, after eviction */
    uint64_t                 zone_full;
    unsigned                 exponent; /* of the zone's currency */
    ux_report_tree_t         tree;
    ux_report_experiment_t   experiment;
    ux_model_t               past_model;       /* in place of `model`, */
    ux_experiment_t          past;     /* and of its experiment, for one
                                          that is not configured any more */
} ux_report_view_t;


/* A name as cJSON wants it. */
typedef struct {
    char  text[UX_NAME_MAX + 1];
} ux_report_key_t;

const char *ux_report_key(ux_report_key_t *key, ux_str_t name);

/* A sum that cannot be negative; a race may show it so for a moment. */
uint64_t ux_report_count(uint64_t sum);

/* Visitors of an arm's or variant's cells: every rate's denominator. */
uint64_t ux_report_visitors(const uint64_t *cells);

/* Visitors with the event, by index into the model, at most all of them. */
uint64_t ux_report_event_visitors(const ux_report_view_t *view,
    const uint64_t *cells, uint8_t event);
uint64_t ux_report_event_count(const ux_report_view_t *view,
    const uint64_t *cells, uint8_t event);

/* Counts print as what they are; beyond 2^63 - 1 as that. */
void ux_report_put_count(ux_json_t *parent, const char *name,
    uint64_t count);

/* x / n, or null for n = 0; x is at most n. */
void ux_report_put_rate(ux_json_t *parent, const char *name, uint64_t x,
    uint64_t n);

/* Wilson's 95 % interval of x / n, or null for n = 0. */
void ux_report_put_interval(ux_json_t *parent, const char *name, uint64_t x,
    uint64_t n);

/* null members, names separated by blanks. */
void ux_report_put_nulls(ux_json_t *parent, const char *names);

/* The event a metric counts by: purchase for revenue. */
uint8_t ux_report_metric_event(const ux_metric_t *metric);
ux_str_t ux_report_metric_name(const ux_model_t *model,
    const ux_metric_t *metric);


/* UX_REPORT_END links and no memory yet: safe to free. */
void ux_report_tree_init(ux_report_tree_t *tree);

/* UX_ERROR: out of memory. */
ux_status_t ux_report_tree_build(ux_report_tree_t *tree,
    const ux_registry_t *registry);
void ux_report_tree_free(ux_report_tree_t *tree);

/* The newest experiment of this name and version, or UX_REPORT_END. */
uint32_t ux_report_tree_find(const ux_report_tree_t *tree, ux_str_t name,
    uint64_t version);

/* None for one that is too long to be one. */
ux_str_t ux_report_entry_name(const ux_entry_t *entry);

/* Are there n cells from the first on?  Not of the zone's own. */
bool ux_report_cells_check(const ux_report_view_t *view, uint32_t first,
    uint32_t n);

/* Links an arm's carts to its variant's, `cart` the first below the arm. */
void ux_report_link_carts(ux_report_view_t *view, uint32_t cart,
    ux_report_variant_t *variant);

/* The sums of what was linked. */
void ux_report_add_carts(const ux_report_view_t *view,
    ux_report_variant_t *variant);

/* Fills view->experiment; folds each arm's block once. */
void ux_report_gather(ux_report_view_t *view, const ux_experiment_t *model);


void ux_report_put_zone(ux_json_t *zones, ux_report_view_t *view);

/*
 * What was gathered, and below it, when that is wanted, the version before,
 * which is gathered in its place.
 */
void ux_report_put_experiment(ux_json_t *object, ux_report_view_t *view,
    bool previous);

/* The experiments that were removed, for as long as they are to be seen. */
void ux_report_put_removed(ux_json_t *experiments, ux_report_view_t *view);

/* The results of the version before, or null. */
void ux_report_put_previous(ux_json_t *experiment, ux_report_view_t *view);

void ux_report_put_state(ux_json_t *object, const ux_report_view_t *view);
void ux_report_put_verdict(ux_json_t *object, const ux_report_view_t *view);
uint64_t ux_report_runtime(const ux_report_view_t *view);
ux_str_t ux_report_word(const char *const *words, unsigned n, unsigned i);

void ux_report_put_variant(ux_json_t *variants, const ux_report_view_t *view,
    const ux_report_variant_t *variant);
void ux_report_put_http(ux_json_t *parent, const uint64_t *cells);
void ux_report_put_funnels(ux_json_t *variant, const ux_report_view_t *view,
    const ux_report_sum_t *sum);


#endif
