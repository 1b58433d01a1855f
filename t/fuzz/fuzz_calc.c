
/*
 * Copyright (C) the nginx-ux authors
 *
 * uxctl calc: a line of input behind the kind's name, on a line of its own.
 * Whatever the figures are, the answer is JSON, with a status; it says why it
 * rejects; and what is named a probability is one.
 */

#include "fuzz.h"

#include <math.h>

/* With its static functions: what prints is not what is tested. */
#include "uxctl_calc.c"


#define KIND_MAX  64


static const uxctl_calc_kind_t *find_kind(ux_str_t name);
static void check_answer(uxctl_calc_t *calc);
static void check_number(const ux_json_t *from, const char *name, double lo,
    double hi);


const char *const  fuzz_words[] = {
    "{", "}", "[", "]", ",", ":", "\"a\":", "\"b\":", "\"conversions\":",
    "\"visitors\":", "\"n\":", "\"sum\":", "\"sum_sq\":", "\"alpha\":",
    "\"confidence\":", "\"n_star\":", "\"counts\":", "\"p\":", "\"shares\":",
    "0", "1", "-1", "0.05", "1e308", "1e-308", "1e999", "-0", "0.5",
    "18446744073709551615", "18446744073709551616", "9007199254740993",
    "\"12.5\"", "null", "true", "340282366920938463463374607431768211456",
    NULL
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

    return 0;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ux_str_t       all, rest, kind, line;
    uxctl_calc_t   calc;

    all = fuzz_copy(data, size);
    rest = all;

    if (fuzz_line(&rest, &kind)) {
        line = fuzz_copy(rest.data, rest.len);

        memset(&calc, 0, sizeof(calc));
        calc.pool = turn;
        calc.within = "";
        calc.out = ux_json_new();

        uxctl_calc_answer(&calc, find_kind(kind), line);
        check_answer(&calc);

        ux_json_delete(calc.in);
        ux_json_delete(calc.out);
        apr_pool_clear(turn);
        fuzz_free(line);
    }

    fuzz_free(all);

    return 0;
}


/* A name that is none means some kind, too. */
static const uxctl_calc_kind_t *
find_kind(ux_str_t name)
{
    char                      word[KIND_MAX];
    size_t                    i;
    unsigned                  n, which;
    const uxctl_calc_kind_t  *kind;

    (void) snprintf(word, sizeof(word), "%.*s", ux_word(name));
    kind = uxctl_calc_find(word);

    if (kind != NULL) {
        return kind;
    }

    for (n = 0; uxctl_calc_tables[n] != NULL; n++) {
        /* void */
    }

    which = 0;

    for (i = 0; i < name.len; i++) {
        which = which * 31 + (unsigned char) name.data[i];
    }

    kind = uxctl_calc_tables[which % n];

    for (which /= n; which % 16 != 0; which--) {
        kind = kind[1].name != NULL ? kind + 1
                                    : uxctl_calc_tables[which % n];
    }

    return kind;
}


static void
check_answer(uxctl_calc_t *calc)
{
    char       *text;
    size_t      len;
    ux_str_t    printed, status = ux_str("status");
    ux_json_t  *tree;

    if (calc->rejected) {
        fuzz_check(memchr(calc->error.message, '\0',
                          sizeof(calc->error.message)) != NULL);
        fuzz_check(strlen(calc->error.message) > 16);
        return;
    }

    text = ux_json_print(calc->out, &len);
    fuzz_check(text != NULL);

    printed.data = text;
    printed.len = len;
    tree = ux_json_parse(printed);

    fuzz_check(ux_json_type(tree) == UX_JSON_OBJECT);
    fuzz_check(ux_json_type(ux_json_get(tree, status)) == UX_JSON_STRING);

    check_number(tree, "p", 0, 1);
    check_number(tree, "p_value", 0, 1);
    check_number(tree, "probability", 0, 1);
    check_number(tree, "power", 0, 1);
    check_number(tree, "se", 0, INFINITY);
    check_number(tree, "variance", 0, INFINITY);

    ux_json_delete(tree);
    ux_json_text_free(text);
}


/* If it is there, and a number. */
static void
check_number(const ux_json_t *from, const char *name, double lo, double hi)
{
    double      value;
    ux_str_t    key;
    ux_json_t  *node;

    key = fuzz_str(name);
    node = ux_json_get((ux_json_t *) from, key);

    if (ux_json_type(node) == UX_JSON_NUMBER) {
        value = strtod(ux_json_word(node).data, NULL);
        fuzz_check(value >= lo && value <= hi);
    }
}
