
/*
 * Copyright (C) the nginx-ux authors
 *
 * uxctl simulate: visitors that are made up, looked at as the module looks at
 * real ones.  What is simulated is counted per epoch and arm; what is
 * concluded from the counts comes out of ux_compare.h and its neighbours.
 *
 *   scenario -> run (its own random stream) -> figures of the run
 *   figures of all runs -> mean, Monte-Carlo error, limit -> ok or FAILED
 */

#ifndef UXCTL_SIMULATE_H
#define UXCTL_SIMULATE_H


#include "../ux_compare.h"

#include "uxctl.h"
#include "uxctl_simulate_random.h"


#define UXCTL_SIM_ALPHA     0.05
#define UXCTL_SIM_PLANNED   10000  /* visitors of the pair */

#define UXCTL_SIM_ARMS      6
#define UXCTL_SIM_EPOCHS    2
#define UXCTL_SIM_FIGURES   4

#define UXCTL_SIM_RUNS_MAX     100000
#define UXCTL_SIM_THREADS_MAX  256


/* What a run is asked. */
typedef enum {
    UXCTL_SIM_WINNER = 0,          /* nobody differs: does anybody win */
    UXCTL_SIM_POWER,               /* the second arm is better: does it win */
    UXCTL_SIM_COVERAGE,            /* do the intervals hold what is true */
    UXCTL_SIM_DISCOVERIES,         /* many metrics: how many are false */
    UXCTL_SIM_RATIO,               /* does the sample ratio alarm */
    UXCTL_SIM_TABLES               /* do p and the intervals agree */
} uxctl_sim_kind_e;


/*
 * Rates and shares are by arm.  UXCTL_SIM_RATIO: the rate is the share of an
 * arm's visitors who get counted, and equal shares are what is expected.
 */
typedef struct {
    const char        *name;
    const char        *family;     /* selects all of it; is judged as one */
    const char        *about;
    uxctl_sim_kind_e   kind;
    unsigned           arms;
    bool               exact;      /* the exact test is asked as well */
    bool               revenue;    /* the metric is money, not conversion */
    uint32_t           visitors;
    uint32_t           change;     /* visitors in the first epoch; 0: all */
    double             shares[UXCTL_SIM_EPOCHS][UXCTL_SIM_ARMS];
    double             rates[UXCTL_SIM_ARMS];
    double             swing;      /* of the rates, over the whole run */
    double             delay;      /* mean, in visitors, to the first purchase
                                      and between purchases; 0: at once */
    double             purchases;  /* mean of a buyer's; 0: exactly one */
    double             sigma;      /* of the logarithm of an amount */
    double             dearer;     /* amounts of the second arm, times 1 + */
    int64_t            cap;        /* minor units of a visitor; 0: none */
    double             least;      /* share that has to win or alarm */
    double             stop;       /* mean visitors until it won, at most */
} uxctl_sim_scenario_t;

/* Ends with a NULL name. */
extern const uxctl_sim_scenario_t  uxctl_sim_scenarios[];


/*
 * The engine to judge.  All but the first are wrong on purpose: they show that
 * the limits catch a wrong one.
 */
typedef enum {
    UXCTL_SIM_DEFAULT = 0,
    UXCTL_SIM_FIXED,               /* an ordinary p at every look */
    UXCTL_SIM_UNGATED,             /* looks below the gate are recorded */
    UXCTL_SIM_POOLED,              /* epochs thrown together */
    UXCTL_SIM_EVENTS               /* every purchase is a conversion */
} uxctl_sim_engine_e;


/* Of an epoch and an arm, as the zone has them. */
typedef struct {
    uint64_t   visitors;
    uint64_t   converters;
    int64_t    sum;                /* capped totals, minor units */
    ux_u128_t  squares;
} uxctl_sim_cell_t;

/* A visitor who has bought or will. */
typedef struct {
    int64_t    total;              /* uncapped */
    uint32_t   next;               /* visitor due at the same time */
    uint16_t   left;               /* purchases to come */
    uint8_t    epoch;              /* of the exposure */
    uint8_t    arm;
    bool       converted;
} uxctl_sim_visitor_t;

/* A power of two; a longer delay has a chance below e^-32. */
#define UXCTL_SIM_RING  65536


/* One run, and memory that the next run of the thread uses again. */
typedef struct {
    const uxctl_sim_scenario_t  *scenario;
    uxctl_sim_engine_e           engine;
    uxctl_sim_random_t           random;
    double                       phase;    /* of the swing, in turns */
    uint32_t                     seen;     /* visitors up to now */
    unsigned                     epoch;
    uint64_t                     bounds[UXCTL_SIM_ARMS];
                                           /* cumulative shares of 2^32 */
    uint64_t                     rates[UXCTL_SIM_ARMS];   /* of 2^32, now */
    uxctl_sim_cell_t             cells[UXCTL_SIM_EPOCHS][UXCTL_SIM_ARMS];
    uint32_t                    *due;      /* UXCTL_SIM_RING lists */
    uxctl_sim_visitor_t         *visitors;
} uxctl_sim_run_t;

/* Most visitors of any scenario with a delay, for the memory above. */
uint32_t uxctl_sim_visitors_max(void);

/*
 * A run's stream of random numbers depends on the seed, the scenario's name
 * and the run's number alone.
 */
void uxctl_sim_start(uxctl_sim_run_t *run,
    const uxctl_sim_scenario_t *scenario, uint64_t seed, uint32_t number);

/* One more visitor, and the purchases that are due by then. */
void uxctl_sim_visit(uxctl_sim_run_t *run);

/* An amount's mean, in minor units. */
double uxctl_sim_amount(const uxctl_sim_scenario_t *scenario);


/* How all of them are analysed. */
extern const ux_analysis_t  uxctl_sim_analysis;

/*
 * Plays a started run to its end and fills its UXCTL_SIM_FIGURES figures,
 * which uxctl_simulate_report.c names.
 */
void uxctl_sim_play(uxctl_sim_run_t *run, double *figures);
void uxctl_sim_discoveries(uxctl_sim_run_t *run, double *figures);
void uxctl_sim_tables(uxctl_sim_run_t *run, double *figures);

/* NaN is no bound, and no miss. */
bool uxctl_sim_misses(ux_interval_t interval, double truth);

/*
 * Arm v against the control, by the engine that is judged; exact: by the exact
 * test as well.
 */
ux_comparison_t uxctl_sim_compare(const uxctl_sim_run_t *run, unsigned v,
    bool exact);

/* What a wrong engine would have said instead. */
void uxctl_sim_mislead(const uxctl_sim_run_t *run, ux_comparison_t *now);

/* p of the counts against the shares of the first epoch. */
double uxctl_sim_balance(const uxctl_sim_run_t *run, const uint64_t *counts);

/* The counts; returns how many epochs there are. */
unsigned uxctl_sim_strata(const uxctl_sim_run_t *run, unsigned v,
    ux_stratum_t *strata);


/* The user's words. */
typedef struct {
    uint32_t             runs;
    uint32_t             threads;
    uint64_t             seed;
    uxctl_sim_engine_e   engine;
    bool                 json;
} uxctl_sim_options_t;

/*
 * All runs of n scenarios, by threads; figures[scenario][run][figure] of the
 * pool.  NULL after a complaint.
 */
double *uxctl_sim_work(apr_pool_t *pool,
    const uxctl_sim_scenario_t *const *scenarios, unsigned n,
    const uxctl_sim_options_t *options);

/* Prints the table or the JSON; the exit status. */
int uxctl_sim_report(const uxctl_sim_scenario_t *const *scenarios,
    unsigned n, const double *figures, const uxctl_sim_options_t *options);


#endif
