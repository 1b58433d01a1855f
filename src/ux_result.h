
/*
 * Copyright (C) the nginx-ux authors
 *
 * What an experiment shows so far: counters added up, variants compared with
 * the control, a verdict; before anybody renders it.  Reads the zone's
 * counters and registry without a lock and never walks visitors; what a look
 * found is kept in the zone.
 *
 *   ux_result_tree.c        the registry as a tree
 *   ux_result_gather.c      counters, added up by variant
 *   ux_result_cart.c        carts of a variant, open ones apart
 *   ux_result_sample.c      a metric, out of an arm's counters
 *   ux_result_segment.c     a value of a segment, against the control in it
 *   ux_result_past.c        experiments that are not configured any more
 *   ux_result_strata.c      a pair of arms, epoch by epoch
 *   ux_result_compare.c     variants against the control
 *   ux_result_evidence.c    what is kept from look to look
 *   ux_result_balance.c     sample ratio and confirmation
 *   ux_result_verdict.c     what is decided
 */

#ifndef UX_RESULT_H
#define UX_RESULT_H


#include "ux_compare.h"
#include "ux_number.h"
#include "ux_posterior_kept.h"
#include "ux_store.h"


#define UX_RESULT_END  0xffffffffu

/* Furthest steps k of UX_CART_ALIVE + k. */
#define UX_RESULT_ALIVE  (UX_FUNNEL_STEPS_MAX + 1)


/*
 * Carts of one variant and cart slot, over epochs and windows; the first
 * three are read through ux_result_count().  Of the others no part is negative
 * or more than its total.
 */
typedef struct {
    uint64_t  carried_in;
    uint64_t  without_cart;
    uint64_t  recovered;
    uint64_t  purchased;
    uint64_t  alive[UX_RESULT_ALIVE];
    uint64_t  unsettled_purchased;     /* of buckets not wholly old */
    uint64_t  unsettled_recovered;
    uint64_t  unsettled_alive[UX_RESULT_ALIVE];
} ux_result_cart_t;


/* Arms of one variant, added up; as above. */
typedef struct {
    uint64_t          cells[UX_ARM_COUNTS];
    uint64_t          in_window;       /* exposed, window still open */
    ux_result_cart_t  carts[UX_CARTS_MAX];
} ux_result_sum_t;


/* A variant, configured or not any more. */
typedef struct {
    ux_str_t         name;
    uint16_t         ordinal;          /* UX_PARENT_NONE: not registered */
    bool             control;
    bool             removed;
    double           weight;
    uint32_t         entry;            /* UX_RESULT_END: not registered */
    uint32_t         carts[UX_CARTS_MAX];      /* entry numbers of the newest,
                                                  UX_RESULT_END: none */
    ux_result_sum_t  sum;              /* of all epochs */
    double           assigned_mean;    /* first goal over all assigned, of */
    double           assigned_difference;      /* the counts as they are; */
    double           assigned_p;       /*   NaN: none */
    double           assigned_adjusted;        /* the two rates, each epoch */
    double           assigned_control;         /*   weighted alike */
} ux_result_variant_t;


/* An entry of the registry among its siblings, and what it counts. */
typedef struct {
    uint32_t  first;                   /* children: entry numbers, */
    uint32_t  last;                    /*   UX_RESULT_END: none */
    uint32_t  next;
    uint32_t  peer;                    /* arm carts: set by gather, the next
                                          of the variant and cart slot */
    uint64_t  visitors;                /* arms: set by gather */
    bool      used;                    /* epochs: in the primary estimate */
} ux_result_link_t;


/* The registry as a tree; one pass over the entries, siblings in order. */
typedef struct {
    const ux_entry_t     *entries;
    uint32_t              count;
    uint32_t              first;       /* experiments */
    uint32_t              last;
    ux_result_link_t     *links;       /* by entry number */
    uint32_t             *experiments; /* entry numbers by ordinal */
    uint32_t             *variants;
    uint32_t             *epochs;
    uint32_t             *arms;
    uint32_t             *segment_arms;
    uint32_t              most_variants;       /* of any one experiment, */
    uint32_t              most_epochs;         /*   what is configured too */
} ux_result_tree_t;


typedef enum {
    UX_GUARD_NONE = 0,                 /* not a guardrail */
    UX_GUARD_OK,
    UX_GUARD_UNCLEAR,
    UX_GUARD_HARMED
} ux_guard_e;


/* One variant, one metric, against the control. */
typedef struct {
    ux_comparison_t  now;
    ux_evidence_t    evidence;         /* this look included */
    uint32_t         entry;            /* where it is kept, UX_RESULT_END */
    bool             changed;
    bool             significant;
    bool             better;           /* the difference, as it is */
    ux_guard_e       guard;
    double           level;            /* alpha over the family's size */
    double           p_adjusted;       /* NaN: none */
    bool             detailed;         /* what follows is known */
    ux_interval_t    exact_lift;       /* NaN but of conversions */
    ux_posterior_t   posterior;        /* A: control */
} ux_result_comparison_t;


/* Are arms as full as their weights say, do as many come back? */
typedef struct {
    double    log_e;                   /* largest ever; NaN: nothing to test */
    double    log_e_now;
    double    chi_square_p;            /* of the counts as they are */
    double    confirmation;            /* log-e of unconfirmed visitors by
                                          arm, largest ever */
    uint32_t  entry;                   /* where they are kept */

    double    worst;                   /* log-e of the epoch that is furthest
                                          from its weights, */
    uint32_t  epoch;                   /*   its number, 0: none, */
    unsigned  narms;
    double    arms[UX_VARIANTS_MAX];   /*   shares of its visitors */
    double    weights[UX_VARIANTS_MAX];        /* and what they should be */
} ux_result_balance_t;


typedef enum {
    UX_VERDICT_SRM = 0,
    UX_VERDICT_UNTRUSTED,
    UX_VERDICT_GUARDRAIL,
    UX_VERDICT_VARIANT_BETTER,
    UX_VERDICT_CONTROL_BETTER,
    UX_VERDICT_NO_DIFFERENCE,
    UX_VERDICT_INCONCLUSIVE,
    UX_VERDICT_STOPPED,
    UX_VERDICT_COLLECTING
} ux_verdict_e;


/* One experiment at a time. */
typedef struct {
    const ux_experiment_t   *model;
    bool                     past;     /* not configured any more */
    bool                     kept;     /* what this look sees is */
    uint32_t                 entry;    /* UX_RESULT_END: not registered */
    uint32_t                 epoch;    /* number of the newest, 0: none */
    uint32_t                 since;    /* the primary result's first, */
    uint16_t                 since_ordinal;    /*   and its ordinal */
    uint64_t                 since_ms;
    uint64_t                 started_ms;       /* 0: none */
    uint64_t                 visitors;
    uint64_t                 crossovers;
    uint64_t                 moved;
    unsigned                 nvariants;        /* the model's first */
    ux_result_variant_t     *variants;
    ux_result_comparison_t  *comparisons;      /* by variant, then metric;
                                          NULL: none were made */
    ux_result_balance_t      balance;
    ux_verdict_e             verdict;
    int                      winner;   /* index of a variant, -1: none */
    int                      candidate;        /* who would be but for a
                                                  guardrail, likewise */
    bool                     gate;     /* met by every pair and goal */
    bool                     planned;  /* reached by every pair */
} ux_result_experiment_t;


/* One zone at a time. */
typedef struct {
    ux_store_t              *store;    /* bound; a writer keeps what it sees */
    const ux_model_t        *model;
    uint64_t                 now_ms;
    uint64_t                 returned; /* the zone's, after eviction */
    uint64_t                 zone_full;
    unsigned                 exponent; /* of the zone's currency */
    bool                     brief;    /* a look: only what is kept */
    ux_posteriors_t         *posteriors;       /* the caller's, or NULL */
    ux_result_tree_t         tree;
    ux_result_experiment_t   experiment;
    ux_model_t               past_model;       /* in place of `model`, */
    ux_experiment_t          past;     /* and of its experiment, for one
                                          that is not configured any more */
    void                    *memory;   /* behind the arrays below */
    ux_result_variant_t     *variants; /* room for any one experiment, */
    ux_result_comparison_t  *comparisons;      /* used by one after the */
    ux_stratum_t            *strata;   /*   other */
    bool                    *used;
    uint32_t                *epochs;   /* entry numbers of the strata */
    double                  *values;   /* two for each comparison */
    ux_result_variant_t      segments[2];      /* for who reads values: a
                                          variant's, and the control's */
    size_t                   room;     /* comparisons there is room for */
} ux_result_t;


/*
 * Ready for ux_result_gather(): builds the tree, reads the zone's own counts.
 * store->model is bound.  UX_ERROR: out of memory, nothing to free.
 */
ux_status_t ux_result_init(ux_result_t *result, ux_store_t *store,
    uint64_t now_ms);
void ux_result_free(ux_result_t *result);

/*
 * One look at all experiments of a zone, for what it leaves in the zone.
 * UX_ERROR: out of memory.
 */
ux_status_t ux_result_look(ux_store_t *store, uint64_t now_ms);

/*
 * Takes the point of the hour that has just ended, and of the day if that has,
 * of an experiment of the model, unless they are there.  Nothing is taken
 * later than UX_HISTORY_GRACE, of one nobody is in, or that ended before.
 * UX_BUSY: another process keeps what it found, or this one is no writer;
 * UX_ERROR: out of memory.
 */
ux_status_t ux_result_history(ux_store_t *store, unsigned experiment,
    uint64_t now_ms);

/* The hour whose points are to be taken at that time, 0: none. */
uint32_t ux_result_history_hour(uint64_t now_ms);

/* The metric of a point; false: it has no number. */
bool ux_result_history_metric(const ux_result_t *result,
    const ux_metric_t *metric, ux_history_point_t *point);

/* Fills result->experiment: counts, comparisons, verdict. */
void ux_result_gather(ux_result_t *result, const ux_experiment_t *model);

/* The same for the entry of one that is not configured any more. */
void ux_result_gather_past(ux_result_t *result, uint32_t entry);


/* A sum that cannot be negative; a race may show it so for a moment. */
uint64_t ux_result_count(uint64_t sum);

/* Visitors of an arm's or variant's cells: every rate's denominator. */
uint64_t ux_result_visitors(const uint64_t *cells);

/* Visitors with the event, by index into the model, at most all of them. */
uint64_t ux_result_event_visitors(const ux_result_t *result,
    const uint64_t *cells, uint8_t event);
uint64_t ux_result_event_count(const ux_result_t *result,
    const uint64_t *cells, uint8_t event);

/* The event a metric counts by: purchase for revenue. */
uint8_t ux_result_metric_event(const ux_metric_t *metric);
ux_str_t ux_result_metric_name(const ux_model_t *model,
    const ux_metric_t *metric);

/*
 * Where the metric's sum is: a total of the same event and type, else one
 * that adds the same thing (a mean and a ratio both add values);
 * UX_TOTALS_MAX or more: nowhere.
 */
uint8_t ux_result_total_slot(const ux_model_t *model,
    const ux_metric_t *metric);

/* Sum and sum of squares of the metric's per-visitor total. */
int64_t ux_result_total(const ux_result_t *result, const uint64_t *cells,
    const ux_metric_t *metric, ux_u128_t *squares);

/* The metric in these cells; visitors: the denominator. */
ux_sample_t ux_result_sample(const ux_result_t *result, const uint64_t *cells,
    const ux_metric_t *metric, uint64_t visitors);

/* Minor units of a major one: 100 for EUR; 1 for what is not money. */
uint64_t ux_result_scale(const ux_result_t *result,
    const ux_metric_t *metric);

/* The metric's variance among visitors; NaN: undefined. */
double ux_result_variance(const ux_result_t *result, const uint64_t *cells,
    const ux_metric_t *metric);


/* UX_RESULT_END links and no memory yet: safe to free. */
void ux_result_tree_init(ux_result_tree_t *tree);

/* UX_ERROR: out of memory. */
ux_status_t ux_result_tree_build(ux_result_tree_t *tree,
    const ux_registry_t *registry);
void ux_result_tree_free(ux_result_tree_t *tree);

/* The newest experiment of this name and version, or UX_RESULT_END. */
uint32_t ux_result_tree_find(const ux_result_tree_t *tree, ux_str_t name,
    uint64_t version);

/* None for one that is too long to be one. */
ux_str_t ux_result_entry_name(const ux_entry_t *entry);

/* Are there n cells from the first on?  Not of the zone's own. */
bool ux_result_cells_check(const ux_result_t *result, uint32_t first,
    uint32_t n);

/*
 * First of n cells of the variant's timings; what, value: as in the entry, a
 * NULL variant: the zone's.  0: there are none.
 */
uint32_t ux_result_timings(const ux_result_t *result,
    const ux_result_variant_t *variant, uint16_t what, uint64_t value,
    uint32_t n);

/* Links an arm's carts to its variant's, `cart` the first below the arm. */
void ux_result_carts_link(ux_result_t *result, uint32_t cart,
    ux_result_variant_t *variant);

/* The sums of what was linked. */
void ux_result_carts_add(const ux_result_t *result,
    ux_result_variant_t *variant);


/*
 * result->past: as the experiment was in its newest epoch; the metrics only
 * after its counters were added up.
 */
void ux_result_past_design(ux_result_t *result, uint32_t entry);
void ux_result_past_metrics(ux_result_t *result);

/* Comparisons, evidence and significance of what was gathered. */
void ux_result_compare(ux_result_t *result);

/* The comparison of a variant in a metric, or NULL. */
const ux_result_comparison_t *ux_result_comparison(const ux_result_t *result,
    unsigned variant, unsigned metric);

/* The same with its exact interval and its posterior. */
const ux_result_comparison_t *ux_result_detail(ux_result_t *result,
    unsigned variant, unsigned metric);

/*
 * The metric's strata of the pair, of the epochs since the last restart that
 * have both arms, into result->strata and their entry numbers into ->epochs;
 * returns how many.  assigned: over all assigned visitors.
 */
unsigned ux_result_strata(ux_result_t *result, unsigned variant,
    const ux_metric_t *metric, bool assigned);

/* Where the balance is kept: result->experiment.balance.entry. */
void ux_result_balance_find(ux_result_t *result);

/* result->experiment.balance; kept where there is a place for it. */
void ux_result_balance(ux_result_t *result);

/* Neither sample ratio nor confirmation alarms. */
bool ux_result_quiet(const ux_result_t *result);

/*
 * A variant's visitors with one value of a segment, since it is configured, of
 * all epochs; `sum` as of a variant.  Index into result->model->values.
 */
void ux_result_segment(ux_result_t *result, unsigned variant, unsigned value,
    ux_result_variant_t *of);

/*
 * Of one value, at a fixed horizon of 95 %: good for one look, at one of all
 * the values there are.
 */
typedef struct {
    ux_stats_status_e  status;     /* UX_STATS_REJECT: the pair's weights were
                                      not the same in all its epochs, so that
                                      its visitors cannot be compared without
                                      regard to when they came: NaN all */
    double             difference;
    double             error;      /* its variance; NaN: undefined */
    ux_interval_t      difference_ci;      /* NaN where the counts are few */
    double             lift;
    ux_interval_t      lift_ci;
} ux_result_versus_t;

/* of, control: what ux_result_segment() made of the same value. */
ux_result_versus_t ux_result_segment_versus(const ux_result_t *result,
    const ux_result_variant_t *of, const ux_result_variant_t *control,
    const ux_metric_t *metric);

/*
 * Do the differences of n values differ from each other?  Cochran's Q, sum
 * w (d - dbar)^2 with w the inverse variances and dbar the mean so weighted,
 * as chi-square with k - 1 degrees of freedom (Cochran 1954, "The combination
 * of estimates from different experiments", Biometrics 10, 101-129); of the k
 * that have an interval.
 */
typedef struct {
    unsigned  values;              /* k */
    double    q;                   /* NaN for k < 2 */
    double    p;
} ux_result_heterogeneity_t;

ux_result_heterogeneity_t ux_result_heterogeneity(
    const ux_result_versus_t *values, unsigned n);

/* Finds where comparisons are kept, and what is. */
void ux_result_evidence_load(ux_result_t *result);

/* Writes what changed; the caller holds the zone's evidence lock. */
void ux_result_evidence_store_locked(ux_result_t *result);


void ux_result_decide(ux_result_t *result);

/* 0: not yet; configured earlier than its start, it began at its start. */
uint64_t ux_result_started_ms(const ux_result_t *result);

/* 0: it has not. */
uint64_t ux_result_ended_ms(const ux_result_t *result);
bool ux_result_ended(const ux_result_t *result);

/* Seconds. */
uint64_t ux_result_runtime(const ux_result_t *result);
bool ux_result_runtime_met(const ux_result_t *result);

/* What shares of doubtful visitors are of. */
uint64_t ux_result_seen(const ux_result_t *result);

/* The zone's that came back after eviction, since it knows the experiment. */
uint64_t ux_result_returned(const ux_result_t *result);

/* More than 1 %. */
bool ux_result_too_many(const ux_result_t *result, uint64_t n);

/* With the control, which is the first; takes visitors. */
bool ux_result_compared(const ux_result_t *result, unsigned variant);


#endif
