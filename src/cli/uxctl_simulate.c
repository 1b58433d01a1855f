
/*
 * Copyright (C) the nginx-ux authors
 *
 * uxctl simulate: is the statistics engine as right as it says?  The command,
 * its words and what it is asked to play.
 */

#include "uxctl_simulate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>


#define UXCTL_SIM_RUNS  2000
#define UXCTL_SIM_SEED  20260


typedef struct {
    uxctl_sim_options_t           options;
    const uxctl_sim_scenario_t  **scenarios;       /* room for all */
    bool                         *chosen;
    bool                          any;
    bool                          list;
} uxctl_sim_words_t;


static int uxctl_sim_words(apr_getopt_t *os, uxctl_sim_words_t *words);
static int uxctl_sim_word(uxctl_sim_words_t *words, int letter,
    const char *value);
static int uxctl_sim_count(const char *name, const char *value,
    uint32_t most, uint32_t *count);
static int uxctl_sim_seed(const char *value, uint64_t *seed);
static int uxctl_sim_choose(uxctl_sim_words_t *words, const char *value);
static int uxctl_sim_engine(const char *value, uxctl_sim_engine_e *engine);
static uint32_t uxctl_sim_processors(void);
static unsigned uxctl_sim_scenarios_n(void);
static int uxctl_sim_list(void);
static int uxctl_sim_help(void);


static const apr_getopt_option_t  uxctl_sim_options[] = {
    { "runs", 'r', 1, "N" },
    { "threads", 't', 1, "N" },
    { "seed", 's', 1, "N" },
    { "scenario", 'c', 1, "NAME" },
    { "list", 'l', 0, NULL },
    { "json", 'j', 0, NULL },
    { "engine", 'e', 1, "NAME" },
    { "help", 'h', 0, NULL },
    { NULL, 0, 0, NULL }
};

/* Not in the help: all but the first are wrong. */
static const char *const  uxctl_sim_engines[] = {
    "default", "fixed", "ungated", "pooled", "events", NULL
};


int
uxctl_simulate(apr_pool_t *pool, int argc, const char *const *argv)
{
    int                 rc;
    double             *figures;
    unsigned            i, n;
    apr_getopt_t       *os;
    uxctl_sim_words_t   words;

    if (apr_getopt_init(&os, pool, argc, argv) != APR_SUCCESS) {
        fprintf(stderr, "uxctl: no memory for the options\n");
        return UXCTL_FAILED;
    }

    memset(&words, 0, sizeof(words));

    words.options.runs = UXCTL_SIM_RUNS;
    words.options.threads = uxctl_sim_processors();
    words.options.seed = UXCTL_SIM_SEED;

    n = uxctl_sim_scenarios_n();
    words.chosen = apr_pcalloc(pool, n * sizeof(*words.chosen));
    /* of pointers: NOLINTNEXTLINE(bugprone-sizeof-expression) */
    words.scenarios = apr_pcalloc(pool, n * sizeof(*words.scenarios));

    rc = uxctl_sim_words(os, &words);

    if (rc == 'h') {
        return uxctl_sim_help();
    }

    if (rc != UXCTL_OK) {
        return rc;
    }

    if (words.list) {
        return uxctl_sim_list();
    }

    for (i = 0, n = 0; uxctl_sim_scenarios[i].name != NULL; i++) {
        if (words.chosen[i] || !words.any) {
            words.scenarios[n++] = &uxctl_sim_scenarios[i];
        }
    }

    figures = uxctl_sim_work(pool, words.scenarios, n, &words.options);

    if (figures == NULL) {
        return UXCTL_FAILED;
    }

    return uxctl_sim_report(words.scenarios, n, figures, &words.options);
}


/* 'h': help is wanted. */
static int
uxctl_sim_words(apr_getopt_t *os, uxctl_sim_words_t *words)
{
    int          rc, letter;
    const char  *value;

    for ( ;; ) {
        letter = uxctl_option(os, uxctl_sim_options, &value);

        if (letter == 0) {
            break;
        }

        if (letter == 'h') {
            return 'h';
        }

        rc = letter < 0 ? UXCTL_USAGE : uxctl_sim_word(words, letter, value);

        if (rc != UXCTL_OK) {
            return rc;
        }
    }

    if (os->ind < os->argc) {
        return uxctl_wrong("\"%s\" is one word too many: expected options"
                           " only, as in --scenario NAME", os->argv[os->ind]);
    }

    return UXCTL_OK;
}


static int
uxctl_sim_word(uxctl_sim_words_t *words, int letter, const char *value)
{
    switch (letter) {

    case 'r':
        return uxctl_sim_count("runs", value, UXCTL_SIM_RUNS_MAX,
                               &words->options.runs);

    case 't':
        return uxctl_sim_count("threads", value, UXCTL_SIM_THREADS_MAX,
                               &words->options.threads);

    case 's':
        return uxctl_sim_seed(value, &words->options.seed);

    case 'c':
        return uxctl_sim_choose(words, value);

    case 'e':
        return uxctl_sim_engine(value, &words->options.engine);

    case 'j':
        words->options.json = true;
        return UXCTL_OK;

    default:
        words->list = true;
        return UXCTL_OK;
    }
}


static int
uxctl_sim_count(const char *name, const char *value, uint32_t most,
    uint32_t *count)
{
    char                *end;
    unsigned long long   n;

    n = strtoull(value, &end, 10);

    if (value[0] < '1' || value[0] > '9' || *end != '\0' || n > most) {
        return uxctl_wrong("%s \"%s\" is not valid: expected a whole number"
                           " from 1 to %u", name, value, most);
    }

    *count = (uint32_t) n;

    return UXCTL_OK;
}


static int
uxctl_sim_seed(const char *value, uint64_t *seed)
{
    char                *end;
    unsigned long long   n;

    n = strtoull(value, &end, 10);

    if (value[0] < '0' || value[0] > '9' || *end != '\0' || n > INT64_MAX) {
        return uxctl_wrong("seed \"%s\" is not valid: expected a whole number"
                           " from 0 to %lld", value, (long long) INT64_MAX);
    }

    *seed = n;

    return UXCTL_OK;
}


/* A scenario, or a whole family. */
static int
uxctl_sim_choose(uxctl_sim_words_t *words, const char *value)
{
    bool                         found;
    unsigned                     i;
    const uxctl_sim_scenario_t  *scenario;

    found = false;

    for (i = 0; uxctl_sim_scenarios[i].name != NULL; i++) {
        scenario = &uxctl_sim_scenarios[i];

        if (strcmp(scenario->name, value) == 0
            || strcmp(scenario->family, value) == 0)
        {
            words->chosen[i] = true;
            found = true;
        }
    }

    words->any = true;

    if (!found) {
        return uxctl_wrong("unknown scenario \"%s\": expected one of those"
                           " that \"uxctl simulate --list\" lists", value);
    }

    return UXCTL_OK;
}


static int
uxctl_sim_engine(const char *value, uxctl_sim_engine_e *engine)
{
    unsigned  i;

    for (i = 0; uxctl_sim_engines[i] != NULL; i++) {
        if (strcmp(uxctl_sim_engines[i], value) == 0) {
            *engine = (uxctl_sim_engine_e) i;
            return UXCTL_OK;
        }
    }

    return uxctl_wrong("unknown engine \"%s\": expected default, fixed,"
                       " ungated, pooled or events", value);
}


static uint32_t
uxctl_sim_processors(void)
{
    long  n;

    n = sysconf(_SC_NPROCESSORS_ONLN);

    if (n < 1) {
        return 1;
    }

    return n > UXCTL_SIM_THREADS_MAX ? UXCTL_SIM_THREADS_MAX : (uint32_t) n;
}


static unsigned
uxctl_sim_scenarios_n(void)
{
    unsigned  n;

    for (n = 0; uxctl_sim_scenarios[n].name != NULL; n++) { /* void */ }

    return n;
}


static int
uxctl_sim_list(void)
{
    const uxctl_sim_scenario_t  *scenario;

    for (scenario = uxctl_sim_scenarios; scenario->name != NULL; scenario++) {
        printf("%-12s %-26s %s\n", scenario->family, scenario->name,
               scenario->about);
    }

    return UXCTL_OK;
}


static int
uxctl_sim_help(void)
{
    printf("usage: uxctl simulate [OPTION...]\n"
           "\n"
           "Makes up visitors, counts them and asks the module's statistics at"
           " every look\n"
           "who has won: false winners, power, coverage of the intervals,"
           " sample ratio.\n"
           "Prints each figure with its Monte-Carlo error (one standard error)"
           " and its limit.\n"
           "\n"
           "  --runs N          of each scenario; default %d\n"
           "  --scenario NAME   only this one, or this family; may be"
           " repeated\n"
           "  --seed N          default %d; the same seed and runs give the"
           " same table,\n"
           "                    whatever the number of threads\n"
           "  --threads N       default: as many as there are processors\n"
           "  --list            family, name and subject of the scenarios\n"
           "  --json\n"
           "\n"
           "Exit status: 0, 1 if a figure failed its limit, 2 if a word was"
           " wrong.\n",
           UXCTL_SIM_RUNS, UXCTL_SIM_SEED);

    return UXCTL_OK;
}
