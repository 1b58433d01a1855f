
/*
 * Copyright (C) the nginx-ux authors
 *
 * uxctl plan: how many visitors, and days, a test takes.
 */

#include "uxctl.h"
#include "uxctl_plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../ux_experiment.h"


#define UXCTL_PLAN_ALPHA    0.05
#define UXCTL_PLAN_POWER    0.8
#define UXCTL_PLAN_PLANNED  10000      /* as `planned` in nginx.conf */


/* A word and the number it must be. */
typedef struct {
    const char  *name;
    const char  *word;
    double      *value;
    double       lo;               /* above, */
    double       hi;               /*   and below */
    const char  *expected;
} uxctl_plan_number_t;


static int uxctl_plan_words(apr_getopt_t *os, uxctl_plan_words_t *words);
static const char **uxctl_plan_word(uxctl_plan_words_t *words, int letter);
static int uxctl_plan_help(void);
static int uxctl_plan_read(apr_pool_t *pool, const uxctl_plan_words_t *words,
    uxctl_plan_t *plan);
static int uxctl_plan_numbers(const uxctl_plan_words_t *words,
    uxctl_plan_t *plan);
static int uxctl_plan_number(const uxctl_plan_number_t *number);
static bool uxctl_plan_parse(const char *word, double *value);
static int uxctl_plan_source(const uxctl_plan_words_t *words);
static int uxctl_plan_check(uxctl_plan_t *plan);


static const apr_getopt_option_t  uxctl_plan_options[] = {
    { "baseline", 'b', 1, "RATE" },
    { "mean", 'm', 1, "M" },
    { "variance", 'v', 1, "V" },
    { "effect", 'e', 1, "SHARE" },
    { "variants", 'n', 1, "N" },
    { "traffic", 't', 1, "VISITORS" },
    { "days", 'd', 1, "N" },
    { "alpha", 'a', 1, "A" },
    { "power", 'p', 1, "P" },
    { "planned", 'N', 1, "VISITORS" },
    { "from", 'f', 1, "URL|FILE" },
    { "experiment", 'x', 1, "NAME" },
    { "metric", 'M', 1, "NAME" },
    { "zone", 'z', 1, "NAME" },
    { "json", 'j', 0, NULL },
    { "help", 'h', 0, NULL },
    { NULL, 0, 0, NULL }
};


int
uxctl_plan(apr_pool_t *pool, int argc, const char *const *argv)
{
    int                   rc;
    apr_getopt_t         *os;
    uxctl_plan_t          plan;
    uxctl_plan_words_t    words;
    uxctl_plan_result_t   result;

    if (apr_getopt_init(&os, pool, argc, argv) != APR_SUCCESS) {
        fprintf(stderr, "uxctl: no memory for the options\n");
        return UXCTL_FAILED;
    }

    memset(&words, 0, sizeof(words));

    rc = uxctl_plan_words(os, &words);

    if (rc == 'h') {
        return uxctl_plan_help();
    }

    if (rc != UXCTL_OK) {
        return rc;
    }

    if (os->ind < argc) {
        return uxctl_wrong("unknown word \"%s\": expected options only",
                           os->argv[os->ind]);
    }

    rc = uxctl_plan_read(pool, &words, &plan);

    if (rc != UXCTL_OK) {
        return rc;
    }

    uxctl_plan_size(&plan, &result);

    return uxctl_plan_print(&plan, &result, words.json);
}


/* 'h': help is wanted. */
static int
uxctl_plan_words(apr_getopt_t *os, uxctl_plan_words_t *words)
{
    int          letter;
    const char  *value;

    for ( ;; ) {
        letter = uxctl_option(os, uxctl_plan_options, &value);

        switch (letter) {

        case 0:
            return UXCTL_OK;

        case -1:
            return UXCTL_USAGE;

        case 'h':
            return 'h';

        case 'j':
            words->json = true;
            break;

        default:
            *uxctl_plan_word(words, letter) = value;
        }
    }
}


static const char **
uxctl_plan_word(uxctl_plan_words_t *words, int letter)
{
    switch (letter) {

    case 'b':
        return &words->baseline;

    case 'm':
        return &words->mean;

    case 'v':
        return &words->variance;

    case 'e':
        return &words->effect;

    case 'n':
        return &words->variants;

    case 't':
        return &words->traffic;

    case 'd':
        return &words->days;

    case 'a':
        return &words->alpha;

    case 'p':
        return &words->power;

    case 'N':
        return &words->planned;

    case 'f':
        return &words->from;

    case 'x':
        return &words->experiment;

    case 'M':
        return &words->metric;

    default:
        return &words->zone;
    }
}


static int
uxctl_plan_help(void)
{
    printf("usage: uxctl plan --baseline RATE --effect SHARE [OPTION...]\n"
           "       uxctl plan --mean M --variance V --effect SHARE"
           " [OPTION...]\n"
           "       uxctl plan --from URL|FILE --experiment NAME"
           " --effect SHARE [OPTION...]\n"
           "\n"
           "Visitors and days that a test takes to find an effect, with one"
           " look at the\n"
           "planned end and with the confidence sequence that may be looked"
           " at all along.\n"
           "With --days: the smallest effect that so many days find.  A"
           " number may be\n"
           "a share like 3%% or 0.03.\n"
           "\n"
           "  --baseline RATE       conversion rate of the control\n"
           "  --mean M --variance V\n"
           "                        of a visitor's revenue, or another sum\n"
           "  --effect SHARE        relative: 10%% makes 3%% into 3.3%%\n"
           "  --days N              of the test; takes --traffic\n"
           "  --traffic VISITORS    a day, of all variants\n"
           "  --variants N          with the control; default 2\n"
           "  --alpha A             two-sided, of all comparisons; default"
           " 0.05\n"
           "  --power P             default 80%%\n"
           "  --planned VISITORS    of two variants, as in nginx.conf; default"
           " 10000\n"
           "  --from URL|FILE       read the control's figures, traffic and"
           " design from\n"
           "                        /uxstats of a server, or its JSON in a"
           " file; - is\n"
           "                        standard input\n"
           "  --experiment NAME     which one there\n"
           "  --metric NAME         default: its first goal\n"
           "  --zone NAME           default: the only one\n"
           "  --json                one JSON object\n"
           "\n"
           "Exit status: 0, 1 if reading or writing failed, 2 if a word was"
           " wrong.\n");

    return UXCTL_OK;
}


static int
uxctl_plan_read(apr_pool_t *pool, const uxctl_plan_words_t *words,
    uxctl_plan_t *plan)
{
    int  rc;

    plan->metric = NULL;
    plan->baseline = NAN;
    plan->variance = NAN;
    plan->effect = NAN;
    plan->variants = NAN;
    plan->traffic = NAN;
    plan->days = NAN;
    plan->alpha = NAN;
    plan->power = UXCTL_PLAN_POWER;
    plan->planned = NAN;

    rc = uxctl_plan_source(words);

    if (rc == UXCTL_OK) {
        rc = uxctl_plan_numbers(words, plan);
    }

    if (rc == UXCTL_OK && words->from != NULL) {
        rc = uxctl_plan_report(pool, words, plan);
    }

    return rc == UXCTL_OK ? uxctl_plan_check(plan) : rc;
}


static int
uxctl_plan_source(const uxctl_plan_words_t *words)
{
    if ((words->baseline != NULL) + (words->mean != NULL)
        + (words->from != NULL) != 1)
    {
        return uxctl_wrong("expected one of --baseline, --mean and --from");
    }

    if ((words->mean != NULL) != (words->variance != NULL)) {
        return uxctl_wrong("%s: expected --mean and --variance together",
                           words->mean != NULL ? "no variance" : "no mean");
    }

    if (words->from != NULL && words->experiment == NULL) {
        return uxctl_wrong("no experiment: expected --experiment NAME with"
                           " --from");
    }

    if (words->from == NULL
        && (words->experiment != NULL || words->metric != NULL
            || words->zone != NULL))
    {
        return uxctl_wrong("nothing to read: expected --from with"
                           " --experiment, --metric and --zone");
    }

    if (words->effect == NULL && words->days == NULL) {
        return uxctl_wrong("no effect: expected --effect SHARE, as in 10%%,"
                           " or --days N");
    }

    return UXCTL_OK;
}


static int
uxctl_plan_numbers(const uxctl_plan_words_t *words, uxctl_plan_t *plan)
{
    int       rc;
    unsigned  i;

    const uxctl_plan_number_t  numbers[] = {
        { "baseline", words->baseline, &plan->baseline, 0, 1,
          "a rate above 0% and below 100%, as in 3%" },
        { "mean", words->mean, &plan->baseline, 0, INFINITY,
          "a number above 0" },
        { "variance", words->variance, &plan->variance, 0, INFINITY,
          "a number above 0" },
        { "effect", words->effect, &plan->effect, -INFINITY, INFINITY,
          "a relative effect, as in 10%" },
        { "variants", words->variants, &plan->variants, 1,
          UX_VARIANTS_MAX + 1, "a whole number from 2 to 16" },
        { "traffic", words->traffic, &plan->traffic, 0, INFINITY,
          "visitors a day" },
        { "days", words->days, &plan->days, 0, INFINITY,
          "a number above 0" },
        { "alpha", words->alpha, &plan->alpha, 0, 1,
          "a number above 0 and below 1, as in 0.05" },
        { "power", words->power, &plan->power, 0, 1,
          "a share above 0% and below 100%, as in 80%" },
        { "planned", words->planned, &plan->planned, 0, INFINITY,
          "a number of visitors above 0" }
    };

    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        rc = uxctl_plan_number(&numbers[i]);

        if (rc != UXCTL_OK) {
            return rc;
        }
    }

    if (words->variants != NULL && plan->variants != floor(plan->variants)) {
        return uxctl_wrong("variants \"%s\" is not valid: expected a whole"
                           " number from 2 to %d", words->variants,
                           UX_VARIANTS_MAX);
    }

    return UXCTL_OK;
}


static int
uxctl_plan_number(const uxctl_plan_number_t *number)
{
    if (number->word == NULL) {
        return UXCTL_OK;
    }

    if (!uxctl_plan_parse(number->word, number->value)
        || *number->value <= number->lo || *number->value >= number->hi)
    {
        return uxctl_wrong("%s \"%s\" is not valid: expected %s",
                           number->name, number->word, number->expected);
    }

    return UXCTL_OK;
}


/* strtod() would also take hexadecimal, blanks and words. */
static bool
uxctl_plan_parse(const char *word, double *value)
{
    char    *end;
    size_t   n;

    n = strspn(word, "0123456789.+-eE");

    if (n == 0 || (word[n] != '\0' && strcmp(word + n, "%") != 0)) {
        return false;
    }

    *value = strtod(word, &end);

    if (end != word + n || !isfinite(*value)) {
        return false;
    }

    if (word[n] == '%') {
        *value /= 100;
    }

    return true;
}


/* Numbers that fit together, from wherever they are. */
static int
uxctl_plan_check(uxctl_plan_t *plan)
{
    double  rate;

    if (isnan(plan->variants)) {
        plan->variants = 2;
    }

    if (isnan(plan->alpha)) {
        plan->alpha = UXCTL_PLAN_ALPHA;
    }

    if (isnan(plan->planned)) {
        plan->planned = UXCTL_PLAN_PLANNED;
    }

    if (!isnan(plan->days) && isnan(plan->traffic)) {
        return uxctl_wrong("no traffic: expected --traffic VISITORS, a day,"
                           " with --days");
    }

    rate = plan->baseline * (1 + plan->effect);

    if (plan->effect == 0) {
        return uxctl_wrong("effect \"0\" is not valid: expected one other"
                           " than 0, as in 10%%");
    }

    if (isnan(plan->variance) && (rate <= 0 || rate >= 1)) {
        return uxctl_wrong("effect \"%g%%\" makes %g%% into %g%%: expected a"
                           " rate above 0%% and below 100%%",
                           100 * plan->effect, 100 * plan->baseline,
                           100 * rate);
    }

    return UXCTL_OK;
}
