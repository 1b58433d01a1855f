
/*
 * Copyright (C) the nginx-ux authors
 *
 * uxctl simulate: the scenarios, and why each of them is there.
 */

#include "uxctl_simulate.h"


/* Enough for many peeks: a shop of some size has them in one test. */
#define UXCTL_SIM_LONG   200000

/* Effects are found within these, or not. */
#define UXCTL_SIM_SHORT  60000

/* The same rate in all arms. */
#define UXCTL_SIM_ALL(p)  { p, p, p, p, p, p }


/* The exact test sees converters only: it is for rates up to some 20 %. */
#define UXCTL_SIM_AA(p, split, n, ask_exact, ...)                            \
    {                                                                        \
        .name = "aa-" #p "-" split,                                          \
        .family = "aa",                                                      \
        .about = "nobody differs in conversion",                             \
        .kind = UXCTL_SIM_WINNER,                                            \
        .exact = ask_exact,                                                  \
        .visitors = UXCTL_SIM_LONG,                                          \
        .rates = UXCTL_SIM_ALL(p),                                           \
        .arms = n,                                                           \
        .shares = { __VA_ARGS__ }                                            \
    }

#define UXCTL_SIM_GRID(p, ask_exact)                                         \
    UXCTL_SIM_AA(p, "50/50", 2, ask_exact, { 50, 50 }),                      \
    UXCTL_SIM_AA(p, "90/10", 2, ask_exact, { 90, 10 }),                      \
    UXCTL_SIM_AA(p, "34/33/33", 3, ask_exact, { 34, 33, 33 })

#define UXCTL_SIM_REVENUE(label, spread, most)                               \
    {                                                                        \
        .name = "revenue-" label,                                            \
        .family = "revenue",                                                 \
        .about = "nobody differs in revenue",                                \
        .kind = UXCTL_SIM_WINNER,                                            \
        .revenue = true,                                                     \
        .visitors = UXCTL_SIM_LONG,                                          \
        .rates = UXCTL_SIM_ALL(0.03),                                        \
        .arms = 2,                                                           \
        .shares = { { 50, 50 } },                                            \
        .sigma = (spread),                                                   \
        .cap = (most)                                                        \
    }

#define UXCTL_SIM_POWERFUL(p, q, most)                                       \
    {                                                                        \
        .name = "power-" #p "-" #q,                                          \
        .family = "power",                                                   \
        .about = "a better variant wins",                                    \
        .kind = UXCTL_SIM_POWER,                                             \
        .visitors = UXCTL_SIM_SHORT,                                         \
        .rates = { p, q },                                                   \
        .arms = 2,                                                           \
        .shares = { { 50, 50 } },                                            \
        .least = 0.85,                                                       \
        .stop = (most)                                                       \
    }

#define UXCTL_SIM_TRUE(p, q)                                                 \
    {                                                                        \
        .name = "coverage-" #p "-" #q,                                       \
        .family = "coverage",                                                \
        .about = "intervals hold the truth at all times",                    \
        .kind = UXCTL_SIM_COVERAGE,                                          \
        .exact = true,                                                       \
        .visitors = UXCTL_SIM_SHORT,                                         \
        .rates = { p, q },                                                   \
        .arms = 2,                                                           \
        .shares = { { 50, 50 } }                                             \
    }

#define UXCTL_SIM_TRUE_REVENUE(spread)                                       \
    {                                                                        \
        .name = "coverage-revenue-" #spread,                                 \
        .family = "coverage",                                                \
        .about = "intervals of revenue hold the truth at all times",         \
        .kind = UXCTL_SIM_COVERAGE,                                          \
        .revenue = true,                                                     \
        .visitors = UXCTL_SIM_SHORT,                                         \
        .rates = { 0.03, 0.033 },                                            \
        .arms = 2,                                                           \
        .shares = { { 50, 50 } },                                            \
        .sigma = (spread),                                                   \
        .dearer = 0.05                                                       \
    }

#define UXCTL_SIM_COUNTED(label, sentence, n, a, b, share)                   \
    {                                                                        \
        .name = "ratio-" label,                                              \
        .family = "ratio",                                                   \
        .about = (sentence),                                                 \
        .kind = UXCTL_SIM_RATIO,                                             \
        .visitors = (n),                                                     \
        .rates = { 1, (b) / (a) },                                           \
        .arms = 2,                                                           \
        .shares = { { 50, 50 } },                                            \
        .least = (share)                                                     \
    }


const uxctl_sim_scenario_t  uxctl_sim_scenarios[] = {

    UXCTL_SIM_GRID(0.002, true),
    UXCTL_SIM_GRID(0.01, true),
    UXCTL_SIM_GRID(0.03, true),
    UXCTL_SIM_GRID(0.1, true),
    UXCTL_SIM_GRID(0.3, false),
    UXCTL_SIM_GRID(0.6, false),

    UXCTL_SIM_REVENUE("1", 1, 0),
    UXCTL_SIM_REVENUE("1-capped", 1, 30000),
    UXCTL_SIM_REVENUE("1.5", 1.5, 0),
    UXCTL_SIM_REVENUE("1.5-capped", 1.5, 30000),

    /*
     * The visitor is the unit: somebody who buys ten times is one first
     * conversion and one total.  Purchases counted as if each were somebody
     * else's make winners of nothing.
     */

    {
        .name = "purchases-conversion",
        .family = "purchases",
        .about = "buyers who buy ten times, first conversions",
        .kind = UXCTL_SIM_WINNER,
        .exact = true,
        .visitors = UXCTL_SIM_LONG,
        .rates = UXCTL_SIM_ALL(0.03),
        .arms = 2,
        .shares = { { 50, 50 } },
        .purchases = 10,
        .delay = 500
    },

    {
        .name = "purchases-revenue",
        .family = "purchases",
        .about = "buyers who buy ten times, capped totals",
        .kind = UXCTL_SIM_WINNER,
        .revenue = true,
        .visitors = UXCTL_SIM_LONG,
        .rates = UXCTL_SIM_ALL(0.03),
        .arms = 2,
        .shares = { { 50, 50 } },
        .purchases = 10,
        .delay = 500,
        .sigma = 1,
        .cap = 200000
    },

    /*
     * Who came at a good time came under another split: to be seen by epoch,
     * each converter in the epoch of the exposure.
     */

    {
        .name = "drift",
        .family = "drift",
        .about = "swinging rates, late conversions, a changed split",
        .kind = UXCTL_SIM_WINNER,
        .exact = true,
        .visitors = UXCTL_SIM_LONG,
        .change = UXCTL_SIM_LONG / 2,
        .rates = UXCTL_SIM_ALL(0.05),
        .arms = 2,
        .shares = { { 50, 50 }, { 90, 10 } },
        .swing = 0.8,
        .delay = 2000
    },

    {
        .name = "arms",
        .family = "arms",
        .about = "six arms that do not differ, by Holm",
        .kind = UXCTL_SIM_WINNER,
        .exact = true,
        .visitors = UXCTL_SIM_LONG,
        .rates = UXCTL_SIM_ALL(0.1),
        .arms = 6,
        .shares = { UXCTL_SIM_ALL(1) }
    },

    {
        .name = "discoveries",
        .family = "discoveries",
        .about = "ten metrics, half of them differ, by e-BH",
        .kind = UXCTL_SIM_DISCOVERIES,
        .visitors = 40000,
        .rates = { 0.05, 0.06 },
        .arms = 2,
        .shares = { { 50, 50 } }
    },

    UXCTL_SIM_POWERFUL(0.03, 0.036, 30000),
    UXCTL_SIM_POWERFUL(0.10, 0.11, 0),

    /* Epochs weighted by their size alone hide what the second one shows. */

    {
        .name = "power-ramp",
        .family = "power",
        .about = "a better variant wins after a ramp",
        .kind = UXCTL_SIM_POWER,
        .visitors = 80000,
        .change = 20000,
        .rates = { 0.03, 0.036 },
        .arms = 2,
        .shares = { { 95, 5 }, { 50, 50 } },
        .least = 0.85
    },

    UXCTL_SIM_COUNTED("fair", "as expected: no alarm", 1000000, 1.0, 1.0, 0),
    UXCTL_SIM_COUNTED("51/49", "51/49 for 50/50: an alarm", 90000, 51.0, 49.0,
                      0.95),
    UXCTL_SIM_COUNTED("lost", "2 % of an arm's cookies lost: an alarm", 600000,
                      1.0, 0.98, 0.95),

    UXCTL_SIM_TRUE(0.01, 0.012),
    UXCTL_SIM_TRUE(0.03, 0.033),
    UXCTL_SIM_TRUE(0.03, 0.036),
    UXCTL_SIM_TRUE(0.10, 0.11),
    UXCTL_SIM_TRUE(0.30, 0.315),
    UXCTL_SIM_TRUE(0.60, 0.615),
    UXCTL_SIM_TRUE_REVENUE(1),
    UXCTL_SIM_TRUE_REVENUE(1.5),

    {
        .name = "tables",
        .family = "tables",
        .about = "p and both intervals say the same of random counts",
        .kind = UXCTL_SIM_TABLES
    },

    { .name = NULL }
};


uint32_t
uxctl_sim_visitors_max(void)
{
    uint32_t                     most;
    const uxctl_sim_scenario_t  *scenario;

    most = 0;

    for (scenario = uxctl_sim_scenarios; scenario->name != NULL; scenario++) {
        if (scenario->delay > 0 && scenario->visitors > most) {
            most = scenario->visitors;
        }
    }

    return most;
}
