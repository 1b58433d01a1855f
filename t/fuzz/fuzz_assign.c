
/*
 * Copyright (C) the nginx-ux authors
 *
 * The words of uxctl assign, one a line: experiment, traffic, layer, version,
 * and a key.  What is accepted is an experiment whose answers do not depend
 * on the order of the variants, nor on what the weights are multiples of.
 */

#include "fuzz.h"

#include <apr_general.h>

/* With its static functions: the words, before anything is printed. */
#include "uxctl_assign.c"


#define WORDS  5


static const char *take(ux_str_t *rest);
static void check_experiment(const ux_experiment_t *e, ux_str_t key);
static ux_str_t assigned(const ux_experiment_t *e, ux_str_t key);


const char *const  fuzz_words[] = {
    "checkout:control=50,one_page=50", "a:b=1,c=1", ":", "=", ",", "=0",
    "=0.5", "=1000000000", "=1e9", "=-1", "=.", "%", "20%", "100%", "0%",
    "page:0-50%", "page:50-100%", "-", "\n", "1000000", "1000001", "1", "+1",
    "NAME", "x=1,x=1", ",,", NULL
};


static apr_pool_t  *root;
static apr_pool_t  *turn;


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void) argc;
    (void) argv;

    fuzz_check(apr_initialize() == APR_SUCCESS);
    fuzz_check(apr_pool_create(&root, NULL) == APR_SUCCESS);
    fuzz_check(apr_pool_create(&turn, root) == APR_SUCCESS);

    /* complaints are many */

    stderr = fopen("/dev/null", "w");
    fuzz_check(stderr != NULL);

    return 0;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned              i;
    const char           *words[WORDS];
    ux_str_t              all, rest;
    ux_experiment_t       e;
    uxctl_assign_words_t  given;

    all = fuzz_copy(data, size);
    rest = all;

    for (i = 0; i < WORDS; i++) {
        words[i] = take(&rest);
    }

    memset(&given, 0, sizeof(given));
    given.experiment = words[0];
    given.traffic = words[1];
    given.layer = words[2];
    given.version = words[3];

    if (uxctl_assign_build(turn, &given, &e) == UXCTL_OK) {
        check_experiment(&e, fuzz_str(words[4] != NULL ? words[4] : ""));
    }

    for (i = 0; i < WORDS; i++) {
        free((void *) words[i]);
    }

    apr_pool_clear(turn);
    fuzz_free(all);

    return 0;
}


/* A line as a C string that ends where it ends; NULL for an empty one. */
static const char *
take(ux_str_t *rest)
{
    ux_str_t  line;

    if (!fuzz_line(rest, &line) || line.len == 0) {
        return NULL;
    }

    return strndup(line.data, line.len);
}


static void
check_experiment(const ux_experiment_t *e, ux_str_t key)
{
    unsigned         i;
    ux_str_t         name;
    ux_error_t       error;
    ux_variant_t     last;
    ux_experiment_t  other;

    fuzz_check(ux_name_check(e->name));
    fuzz_check(e->nvariants >= 2 && e->nvariants <= UX_VARIANTS_MAX);
    fuzz_check(e->traffic >= 0 && e->traffic <= 1);
    fuzz_check(e->version >= 1 && e->version <= UXCTL_ASSIGN_VERSION);
    fuzz_check(e->salt.len > 0);
    fuzz_check(ux_experiment_check(e, &error) == UX_OK);

    if (e->layer.len > 0) {
        fuzz_check(e->layer_lo >= 0 && e->layer_lo < e->layer_hi
                   && e->layer_hi <= 1);
    }

    name = assigned(e, key);
    other = *e;

    for (i = 0; i < other.nvariants; i++) {
        fuzz_check(ux_variant_name_check(e->variants[i].name));
        fuzz_check(e->variants[i].weight >= 0
                   && e->variants[i].weight <= UX_WEIGHT_MAX);
        other.variants[i].weight *= 4;
    }

    fuzz_check(ux_str_equal(assigned(&other, key), name));

    last = other.variants[other.nvariants - 1];
    memmove(&other.variants[1], &other.variants[0],
            (other.nvariants - 1) * sizeof(last));
    other.variants[0] = last;

    fuzz_check(ux_str_equal(assigned(&other, key), name));
}


static ux_str_t
assigned(const ux_experiment_t *e, ux_str_t key)
{
    int       variant;
    ux_str_t  none = ux_str("-");

    variant = ux_experiment_assign(e, key);

    if (variant == UX_VARIANT_NONE) {
        return none;
    }

    fuzz_check(variant >= 0 && variant < (int) e->nvariants);
    fuzz_check(e->variants[variant].weight > 0);

    return e->variants[variant].name;
}
