
/*
 * Copyright (C) the nginx-ux authors
 *
 * Experiments and how a key becomes a variant (DESIGN.md section 2).
 */

#ifndef UX_EXPERIMENT_H
#define UX_EXPERIMENT_H


#include "ux_base.h"


#define UX_VARIANTS_MAX  16
#define UX_METRICS_MAX   64


typedef struct {
    ux_str_t  name;
    double    weight;                /* >= 0, relative */
} ux_variant_t;


typedef enum {
    UX_METRIC_CONVERSION = 0,        /* share of visitors with the event */
    UX_METRIC_MEAN,                  /* event's value summed per visitor */
    UX_METRIC_COUNT,                 /* events per visitor */
    UX_METRIC_RATIO                  /* event's value per event */
} ux_metric_type_e;


typedef enum {
    UX_ROLE_GOAL = 0,
    UX_ROLE_SECONDARY,
    UX_ROLE_GUARDRAIL
} ux_role_e;


#define UX_METRIC_REVENUE  0xff      /* built in: purchases less refunds */


typedef struct {
    uint8_t           event;         /* index into ux_model_t.events, or
                                        UX_METRIC_REVENUE */
    uint8_t           total;         /* mean, count, ratio: slot of the
                                        per-visitor sum (0 is revenue) */
    ux_metric_type_e  type;
    ux_role_e         role;
    bool              lower_is_better;
    double            margin;        /* guardrail: relative, 0.01 = 1 % */
} ux_metric_t;


/* What the configuration says about it. */
typedef enum {
    UX_STATE_RUNNING = 0,
    UX_STATE_PAUSED,                 /* the control for all, uncounted */
    UX_STATE_CLOSED                  /* takes nobody new */
} ux_state_e;


/* What that means at some moment. */
typedef enum {
    UX_PHASE_RUNNING = 0,
    UX_PHASE_SCHEDULED,              /* not started yet */
    UX_PHASE_PAUSED,
    UX_PHASE_CLOSED,                 /* or stopped: known visitors count */
    UX_PHASE_SERVED                  /* one variant for all, uncounted */
} ux_phase_e;


typedef struct {
    ux_str_t      name;
    ux_str_t      salt;              /* effective: given or name, then
                                        '#' version where version is given */
    uint32_t      version;           /* 1 when not given */
    double        traffic;           /* 0..1 */
    ux_str_t      layer;             /* len 0: none */
    double        layer_lo;          /* owns [lo, hi) of u(layer) */
    double        layer_hi;
    unsigned      nvariants;
    ux_variant_t  variants[UX_VARIANTS_MAX];   /* first is the control */
    bool          sticky;
    uint64_t      window_ms;         /* from first exposure; 0 = off */
    int64_t       cap;               /* minor units; 0 = off */
    double        alpha;
    uint64_t      planned;           /* visitors of a pair */
    uint64_t      min_runtime_s;
    ux_state_e    state;
    uint64_t      start_ms;          /* 0: none */
    uint64_t      stop_ms;           /* 0: none */
    int           serve;             /* index of a variant, -1: none */
    uint64_t      targeting;         /* hash of the target lines, 0: none */
    double        equivalence;       /* relative, 0.02 = 2 %; 0 = off */
    unsigned      nmetrics;          /* goals first */
    ux_metric_t   metrics[UX_METRICS_MAX];
} ux_experiment_t;


#define UX_VARIANT_NONE  (-1)        /* not enrolled, outside the layer */


/*
 * The index into variants that the hash gives to key, or UX_VARIANT_NONE.
 * Pure; depends on name/salt/layer/traffic/weights and the key's bytes only.
 * Weighted rendezvous hashing (highest random weight, Thaler & Ravishankar
 * 1998; logarithm form: Schindelhauer & Schomaker 2005): smallest
 * -ln(u)/w wins, ties by name.
 */
int ux_experiment_assign(const ux_experiment_t *experiment, ux_str_t key);

/* SERVED first, then SCHEDULED, PAUSED, CLOSED; RUNNING if none applies. */
ux_phase_e ux_experiment_phase(const ux_experiment_t *experiment,
    uint64_t now_ms);

/*
 * A fingerprint of what opens an epoch when it changes: shares, traffic,
 * targeting, salt, layer, variants and which of them is the control.
 * Independent of the order of the variant lines after the first, and of what
 * the weights are multiples of: 50/50 is 1/1.
 */
uint64_t ux_experiment_fingerprint(const ux_experiment_t *experiment);

/*
 * A fingerprint of what restarts the primary result when it changes (rule
 * 15): goals, alpha, planned, window, cap, and the control's name.  `events`
 * are the model's names: goals are known by name, not by index.
 */
uint64_t ux_experiment_analysis(const ux_experiment_t *experiment,
    const ux_str_t *events);

/*
 * The share of all keys, 0..1, whose variant, or absence, differs between two
 * configurations: exact, of the hash alone (weights, variants, traffic, layer,
 * salt).  Variants are the same when their names are.
 */
double ux_experiment_movers(const ux_experiment_t *was,
    const ux_experiment_t *now);

/* UX_ERROR and a sentence: fewer than two variants, all weights 0, names
 * twice. */
ux_status_t ux_experiment_check(const ux_experiment_t *experiment,
    ux_error_t *error);


#endif
