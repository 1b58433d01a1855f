
/*
 * Copyright (C) the nginx-ux authors
 *
 * uxctl assign: the variant of each key, as the server would assign it.
 */

#include "uxctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "../ux_experiment.h"
#include "../ux_number.h"


#define UXCTL_ASSIGN_BUFFER   (1 << 16)
#define UXCTL_ASSIGN_VERSION  1000000  /* the largest, as in nginx.conf */


/* The user's words, before they mean anything. */
typedef struct {
    const char  *experiment;
    const char  *traffic;
    const char  *salt;
    const char  *version;
    const char  *layer;
} uxctl_assign_words_t;


static int uxctl_assign_words(apr_getopt_t *os, uxctl_assign_words_t *words);
static int uxctl_assign_help(void);
static int uxctl_assign_build(apr_pool_t *pool,
    const uxctl_assign_words_t *words, ux_experiment_t *e);
static int uxctl_assign_experiment(const char *word, ux_experiment_t *e);
static int uxctl_assign_variant(ux_str_t word, ux_experiment_t *e);
static int uxctl_assign_layer(const char *word, ux_experiment_t *e);
static int uxctl_assign_salt(apr_pool_t *pool,
    const uxctl_assign_words_t *words, ux_experiment_t *e);
static bool uxctl_assign_cut(ux_str_t *rest, char at, ux_str_t *head);
static int uxctl_assign_stdin(const ux_experiment_t *e);
static void uxctl_assign_print(const ux_experiment_t *e, ux_str_t key);


static const apr_getopt_option_t  uxctl_assign_options[] = {
    { "experiment", 'e', 1, "NAME:VARIANT=WEIGHT,..." },
    { "traffic", 't', 1, "SHARE%" },
    { "salt", 's', 1, "SALT" },
    { "version", 'v', 1, "N" },
    { "layer", 'l', 1, "NAME:FROM-TO%" },
    { "help", 'h', 0, NULL },
    { NULL, 0, 0, NULL }
};


int
uxctl_assign(apr_pool_t *pool, int argc, const char *const *argv)
{
    int                    rc;
    ux_experiment_t        e;
    apr_getopt_t          *os;
    uxctl_assign_words_t   words;

    if (apr_getopt_init(&os, pool, argc, argv) != APR_SUCCESS) {
        fprintf(stderr, "uxctl: no memory for the options\n");
        return UXCTL_FAILED;
    }

    memset(&words, 0, sizeof(words));

    rc = uxctl_assign_words(os, &words);

    if (rc == 'h') {
        return uxctl_assign_help();
    }

    if (rc != UXCTL_OK) {
        return rc;
    }

    rc = uxctl_assign_build(pool, &words, &e);

    if (rc != UXCTL_OK) {
        return rc;
    }

    (void) setvbuf(stdout, NULL, _IOFBF, UXCTL_ASSIGN_BUFFER);

    if (os->ind == argc) {
        return uxctl_assign_stdin(&e);
    }

    for ( /* void */ ; os->ind < argc; os->ind++) {
        uxctl_assign_print(&e, uxctl_str(os->argv[os->ind]));
    }

    return UXCTL_OK;
}


/* 'h': help is wanted. */
static int
uxctl_assign_words(apr_getopt_t *os, uxctl_assign_words_t *words)
{
    int          letter;
    const char  *value;

    for ( ;; ) {
        letter = uxctl_option(os, uxctl_assign_options, &value);

        switch (letter) {

        case 0:
            return UXCTL_OK;

        case 'e':
            words->experiment = value;
            break;

        case 't':
            words->traffic = value;
            break;

        case 's':
            words->salt = value;
            break;

        case 'v':
            words->version = value;
            break;

        case 'l':
            words->layer = value;
            break;

        case 'h':
            return 'h';

        default:
            return UXCTL_USAGE;
        }
    }
}


static int
uxctl_assign_help(void)
{
    printf("usage: uxctl assign --experiment NAME:VARIANT=WEIGHT,..."
           " [OPTION...] [KEY...]\n"
           "\n"
           "Prints KEY, a tab and the variant that the server gives to this"
           " visitor, or\n"
           "\"-\" for one that is not enrolled.  Without KEY it reads keys"
           " from standard\n"
           "input, one a line; a line is taken byte for byte.  A key is what"
           " $ux_visitor\n"
           "shows.\n"
           "\n"
           "  --experiment NAME:VARIANT=WEIGHT,...\n"
           "                        as in checkout:control=50,one_page=50;"
           " the first\n"
           "                        variant is the control\n"
           "  --traffic SHARE%%      share of visitors enrolled; default"
           " 100%%\n"
           "  --salt SALT           default: the experiment's name\n"
           "  --version N           from 1 to 1000000; joins the salt\n"
           "  --layer NAME:FROM-TO%%\n"
           "                        as in page:0-50%%\n"
           "  --                    what follows are keys\n"
           "\n"
           "Exit status: 0, 1 if reading or writing failed, 2 if a word was"
           " wrong.\n");

    return UXCTL_OK;
}


static int
uxctl_assign_build(apr_pool_t *pool, const uxctl_assign_words_t *words,
    ux_experiment_t *e)
{
    ux_error_t  error;

    memset(e, 0, sizeof(*e));

    e->traffic = 1;

    if (words->experiment == NULL) {
        return uxctl_wrong("no experiment: expected --experiment"
                           " NAME:VARIANT=WEIGHT,VARIANT=WEIGHT");
    }

    if (uxctl_assign_experiment(words->experiment, e) != UXCTL_OK
        || uxctl_assign_salt(pool, words, e) != UXCTL_OK)
    {
        return UXCTL_USAGE;
    }

    if (words->traffic != NULL
        && ux_number_percent(uxctl_str(words->traffic), &e->traffic) != UX_OK)
    {
        return uxctl_wrong("traffic \"%s\" is not valid: expected a share from"
                           " 0%% to 100%%, as in 20%%", words->traffic);
    }

    if (words->layer != NULL
        && uxctl_assign_layer(words->layer, e) != UXCTL_OK)
    {
        return UXCTL_USAGE;
    }

    if (ux_experiment_check(e, &error) != UX_OK) {
        return uxctl_wrong("%s", error.message);
    }

    return UXCTL_OK;
}


static int
uxctl_assign_experiment(const char *word, ux_experiment_t *e)
{
    ux_str_t  rest, variant;

    rest = uxctl_str(word);

    if (!uxctl_assign_cut(&rest, ':', &e->name)) {
        return uxctl_wrong("experiment \"%s\" has no variants: expected"
                           " NAME:VARIANT=WEIGHT,VARIANT=WEIGHT", word);
    }

    while (uxctl_assign_cut(&rest, ',', &variant)) {
        if (uxctl_assign_variant(variant, e) != UXCTL_OK) {
            return UXCTL_USAGE;
        }
    }

    return uxctl_assign_variant(rest, e);
}


static int
uxctl_assign_variant(ux_str_t word, ux_experiment_t *e)
{
    ux_str_t       weight;
    ux_variant_t  *v;

    if (e->nvariants == UX_VARIANTS_MAX) {
        return uxctl_wrong("variant \"%.*s\" is one too many: expected at most"
                           " %d", ux_word(word), UX_VARIANTS_MAX);
    }

    v = &e->variants[e->nvariants];
    weight = word;

    if (!uxctl_assign_cut(&weight, '=', &v->name)) {
        return uxctl_wrong("variant \"%.*s\" has no weight: expected"
                           " VARIANT=WEIGHT, as in control=50",
                           ux_word(word));
    }

    if (ux_number_weight(weight, &v->weight) != UX_OK) {
        return uxctl_wrong("weight \"%.*s\" of variant \"%.*s\" is not valid:"
                           " expected a number from 0 to %d, as in 50 or 0.5",
                           ux_word(weight), ux_word(v->name), UX_WEIGHT_MAX);
    }

    e->nvariants++;

    return UXCTL_OK;
}


static int
uxctl_assign_layer(const char *word, ux_experiment_t *e)
{
    ux_str_t  range;

    range = uxctl_str(word);

    if (!uxctl_assign_cut(&range, ':', &e->layer) || e->layer.len == 0
        || ux_number_range(range, &e->layer_lo, &e->layer_hi) != UX_OK)
    {
        return uxctl_wrong("layer \"%s\" is not valid: expected NAME:FROM-TO%%"
                           " with 0 <= FROM < TO <= 100, as in page:0-50%%",
                           word);
    }

    return UXCTL_OK;
}


static int
uxctl_assign_salt(apr_pool_t *pool, const uxctl_assign_words_t *words,
    ux_experiment_t *e)
{
    char                *end;
    unsigned long long   version;

    e->salt = (words->salt != NULL) ? uxctl_str(words->salt) : e->name;
    e->version = 1;

    if (words->salt != NULL && e->salt.len == 0) {
        return uxctl_wrong("salt \"\" is not valid: expected at least one"
                           " byte");
    }

    if (words->version == NULL) {
        return UXCTL_OK;
    }

    version = strtoull(words->version, &end, 10);

    if (words->version[0] < '1' || words->version[0] > '9' || *end != '\0'
        || version > UXCTL_ASSIGN_VERSION)
    {
        return uxctl_wrong("version \"%s\" is not valid: expected a whole"
                           " number from 1 to %d", words->version,
                           UXCTL_ASSIGN_VERSION);
    }

    e->version = (uint32_t) version;
    e->salt = uxctl_str(apr_psprintf(pool, "%.*s#%u", (int) e->salt.len,
                                     e->salt.data, e->version));

    return UXCTL_OK;
}


/* Takes what is before `at` off the front of *rest, and `at` with it. */
static bool
uxctl_assign_cut(ux_str_t *rest, char at, ux_str_t *head)
{
    const char  *p;

    p = memchr(rest->data, at, rest->len);

    if (p == NULL) {
        return false;
    }

    head->data = rest->data;
    head->len = (size_t) (p - rest->data);

    rest->data = p + 1;
    rest->len -= head->len + 1;

    return true;
}


static int
uxctl_assign_stdin(const ux_experiment_t *e)
{
    char      *line;
    size_t     size;
    ssize_t    n;
    ux_str_t   key;

    line = NULL;
    size = 0;

    for ( ;; ) {
        n = getline(&line, &size, stdin);

        if (n <= 0) {
            break;
        }

        key.data = line;
        key.len = (size_t) n;

        if (line[n - 1] == '\n') {
            key.len--;
        }

        uxctl_assign_print(e, key);

        if (ferror_unlocked(stdout)) {
            break;
        }
    }

    free(line);

    if (!feof(stdin) && !ferror(stdout)) {
        fprintf(stderr, "uxctl: could not read all of standard input\n");
        return UXCTL_FAILED;
    }

    return UXCTL_OK;
}


static void
uxctl_assign_print(const ux_experiment_t *e, ux_str_t key)
{
    int       variant;
    ux_str_t  name = ux_str("-");

    variant = ux_experiment_assign(e, key);

    if (variant != UX_VARIANT_NONE) {
        name = e->variants[variant].name;
    }

    (void) fwrite_unlocked(key.data, 1, key.len, stdout);
    (void) putc_unlocked('\t', stdout);
    (void) fwrite_unlocked(name.data, 1, name.len, stdout);
    (void) putc_unlocked('\n', stdout);
}
