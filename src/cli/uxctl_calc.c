
/*
 * Copyright (C) the nginx-ux authors
 *
 * uxctl calc: the core's statistics, one JSON object a line.  A kind is one
 * line in the table of its theme's file.
 */

#include "uxctl.h"
#include "uxctl_calc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


static int uxctl_calc_help(void);
static const uxctl_calc_kind_t *uxctl_calc_find(const char *name);
static int uxctl_calc_stdin(apr_pool_t *pool, const uxctl_calc_kind_t *kind);
static int uxctl_calc_line(apr_pool_t *pool, const uxctl_calc_kind_t *kind,
    ux_str_t line);
static void uxctl_calc_answer(uxctl_calc_t *calc,
    const uxctl_calc_kind_t *kind, ux_str_t line);
static int uxctl_calc_print(uxctl_calc_t *calc);


static const apr_getopt_option_t  uxctl_calc_options[] = {
    { "help", 'h', 0, NULL },
    { NULL, 0, 0, NULL }
};

static const uxctl_calc_kind_t *const  uxctl_calc_tables[] = {
    uxctl_calc_rate_kinds,
    uxctl_calc_mean_kinds,
    uxctl_calc_split_kinds,
    uxctl_calc_choice_kinds,
    uxctl_calc_size_kinds,
    NULL
};


int
uxctl_calc(apr_pool_t *pool, int argc, const char *const *argv)
{
    int                       letter;
    const char               *value;
    apr_getopt_t             *os;
    const uxctl_calc_kind_t  *kind;

    if (apr_getopt_init(&os, pool, argc, argv) != APR_SUCCESS) {
        fprintf(stderr, "uxctl: no memory for the options\n");
        return UXCTL_FAILED;
    }

    letter = uxctl_option(os, uxctl_calc_options, &value);

    if (letter == 'h') {
        return uxctl_calc_help();
    }

    if (letter != 0) {
        return UXCTL_USAGE;
    }

    if (os->ind == argc) {
        return uxctl_wrong("no kind: expected one of those that"
                           " \"uxctl calc --help\" lists");
    }

    kind = uxctl_calc_find(os->argv[os->ind]);

    if (kind == NULL) {
        return uxctl_wrong("unknown kind \"%s\": expected one of those that"
                           " \"uxctl calc --help\" lists",
                           os->argv[os->ind]);
    }

    if (os->ind + 1 < argc) {
        return uxctl_wrong("\"%s\" is one word too many: expected one kind,"
                           " and its input on standard input",
                           os->argv[os->ind + 1]);
    }

    return uxctl_calc_stdin(pool, kind);
}


static int
uxctl_calc_help(void)
{
    unsigned                  i;
    const uxctl_calc_kind_t  *kind;

    printf("usage: uxctl calc KIND <INPUT >OUTPUT\n"
           "\n"
           "Reads one JSON object a line and prints one a line: the figures"
           " that the server\n"
           "would show for such counts.  \"status\" is ok, insufficient_data,"
           " baseline_zero,\n"
           "zero_variance, impossible or, with a sentence in \"error\","
           " reject; what is\n"
           "undefined or unbounded is null.  A number may be a decimal string"
           " where it has\n"
           "more digits than a program's numbers hold.\n"
           "\n"
           "Kinds and fields of their input; A and B are objects"
           " {\"conversions\",\n"
           "\"visitors\"}, M and N objects {\"n\", \"sum\","
           " \"sum_sq\"}:\n"
           "\n");

    for (i = 0; uxctl_calc_tables[i] != NULL; i++) {

        for (kind = uxctl_calc_tables[i]; kind->name != NULL; kind++) {
            printf("  %s\n      %s\n", kind->name, kind->fields);
        }
    }

    printf("\n"
           "Exit status: 0 when every line got an answer, 1 if reading or"
           " writing failed, 2\n"
           "if a word was wrong.\n");

    return UXCTL_OK;
}


static const uxctl_calc_kind_t *
uxctl_calc_find(const char *name)
{
    unsigned                  i;
    const uxctl_calc_kind_t  *kind;

    for (i = 0; uxctl_calc_tables[i] != NULL; i++) {

        for (kind = uxctl_calc_tables[i]; kind->name != NULL; kind++) {

            if (strcmp(kind->name, name) == 0) {
                return kind;
            }
        }
    }

    return NULL;
}


static int
uxctl_calc_stdin(apr_pool_t *pool, const uxctl_calc_kind_t *kind)
{
    int          rc;
    char        *text;
    size_t       size;
    ssize_t      n;
    ux_str_t     line;
    apr_pool_t  *turn;

    if (apr_pool_create(&turn, pool) != APR_SUCCESS) {
        fprintf(stderr, "uxctl: no memory to start with\n");
        return UXCTL_FAILED;
    }

    /* Whoever asks by a pipe waits for each answer. */

    (void) setvbuf(stdout, NULL, _IOLBF, 0);

    rc = UXCTL_OK;
    text = NULL;
    size = 0;

    while (rc == UXCTL_OK && !ferror(stdout)) {
        n = getline(&text, &size, stdin);

        if (n <= 0) {
            break;
        }

        line.data = text;
        line.len = (size_t) n - (text[n - 1] == '\n');

        rc = uxctl_calc_line(turn, kind, line);
        apr_pool_clear(turn);
    }

    free(text);

    if (rc == UXCTL_OK && !feof(stdin) && !ferror(stdout)) {
        fprintf(stderr, "uxctl: could not read all of standard input\n");
        return UXCTL_FAILED;
    }

    return rc;
}


static int
uxctl_calc_line(apr_pool_t *pool, const uxctl_calc_kind_t *kind,
    ux_str_t line)
{
    int           rc;
    ux_str_t      reject = ux_str("reject");
    uxctl_calc_t  calc;

    memset(&calc, 0, sizeof(calc));

    calc.pool = pool;
    calc.within = "";
    calc.out = ux_json_new();

    uxctl_calc_answer(&calc, kind, line);

    if (calc.rejected) {
        ux_json_delete(calc.out);
        calc.out = ux_json_new();

        ux_json_string(calc.out, "status", reject);
        ux_json_string(calc.out, "error", uxctl_str(calc.error.message));
    }

    rc = uxctl_calc_print(&calc);

    ux_json_delete(calc.in);
    ux_json_delete(calc.out);

    return rc;
}


static void
uxctl_calc_answer(uxctl_calc_t *calc, const uxctl_calc_kind_t *kind,
    ux_str_t line)
{
    calc->in = ux_json_parse(line);

    if (ux_json_type(calc->in) != UX_JSON_OBJECT) {
        uxctl_calc_reject(calc, "\"%.*s\" is not valid: expected a JSON"
                          " object on one line", ux_word(line));
        return;
    }

    kind->run(calc);
}


static int
uxctl_calc_print(uxctl_calc_t *calc)
{
    char    *text;
    size_t   len;

    text = ux_json_print(calc->out, &len);

    if (text == NULL) {
        fprintf(stderr, "uxctl: no memory for an answer\n");
        return UXCTL_FAILED;
    }

    (void) fwrite(text, 1, len, stdout);
    (void) putc('\n', stdout);

    ux_json_text_free(text);

    return UXCTL_OK;
}


void
uxctl_calc_reject(uxctl_calc_t *calc, const char *format, ...)
{
    va_list  args;

    if (calc->rejected) {
        return;
    }

    calc->rejected = true;

    va_start(args, format);
    (void) vsnprintf(calc->error.message, sizeof(calc->error.message), format,
                     args);
    va_end(args);
}
