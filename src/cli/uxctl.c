
/*
 * Copyright (C) the nginx-ux authors
 *
 * uxctl: the core on the command line.  This file is the table of contents:
 * a command is one line of uxctl_commands and one file uxctl_<command>.c.
 */

#include "uxctl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>


static int uxctl_run(apr_pool_t *pool, int argc, const char *const *argv);
static const uxctl_command_t *uxctl_find(const char *name);
static int uxctl_help(void);


static const uxctl_command_t  uxctl_commands[] = {

    { "assign", "which variant visitors get", uxctl_assign },

    { "calc", "statistics of counts, as the server computes them",
      uxctl_calc },

    { "merge", "adds snapshots of several servers", uxctl_merge },

    { "plan", "how many visitors a test takes", uxctl_plan },

    { "report", "snapshots as the JSON of /uxstats", uxctl_report },

    { "simulate", "false winners, power and coverage of made-up tests",
      uxctl_simulate },

    { NULL, NULL, NULL }
};


int
main(int argc, const char *const *argv)
{
    int          rc;
    apr_pool_t  *pool;

    if (apr_initialize() != APR_SUCCESS) {
        fprintf(stderr, "uxctl: no memory to start with\n");
        return UXCTL_FAILED;
    }

    if (apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        fprintf(stderr, "uxctl: no memory to start with\n");
        apr_terminate();
        return UXCTL_FAILED;
    }

    rc = uxctl_run(pool, argc, argv);

    apr_pool_destroy(pool);
    apr_terminate();

    /* Output is buffered: a full disk or a closed pipe shows here. */

    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "uxctl: could not write all of the output\n");
        return (rc == UXCTL_OK) ? UXCTL_FAILED : rc;
    }

    return rc;
}


int
uxctl_option(apr_getopt_t *os, const apr_getopt_option_t *options,
    const char **value)
{
    int           letter;
    const char   *word;
    apr_status_t  rc;

    os->interleave = 1;
    os->errfn = NULL;
    letter = 0;

    rc = apr_getopt_long(os, options, &letter, value);

    if (rc == APR_SUCCESS) {
        return letter;
    }

    if (rc == APR_EOF) {
        return 0;
    }

    /* APR stays at a word with more letters to read, else it is past it. */

    word = os->argv[(*os->place != '\0') ? os->ind : os->ind - 1];

    if (rc == APR_BADARG) {
        (void) uxctl_wrong("option \"%s\" has no value: expected one after"
                           " it", word);

    } else {
        (void) uxctl_wrong("unknown option \"%s\": expected one of those that"
                           " \"uxctl %s --help\" lists", word, os->argv[0]);
    }

    return -1;
}


int
uxctl_wrong(const char *format, ...)
{
    va_list  args;

    fprintf(stderr, "uxctl: ");

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);

    fprintf(stderr, "\n");

    return UXCTL_USAGE;
}


ux_str_t
uxctl_str(const char *word)
{
    ux_str_t  s;

    s.data = word;
    s.len = strlen(word);

    return s;
}


static int
uxctl_run(apr_pool_t *pool, int argc, const char *const *argv)
{
    const uxctl_command_t  *command;

    if (argc < 2) {
        return uxctl_wrong("no command: expected one of those that"
                           " \"uxctl --help\" lists");
    }

    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        return uxctl_help();
    }

    if (strcmp(argv[1], "--version") == 0) {
        printf("uxctl %s\n", UXCTL_VERSION);
        return UXCTL_OK;
    }

    command = uxctl_find(argv[1]);

    if (command == NULL) {
        return uxctl_wrong("unknown command \"%s\": expected one of those that"
                           " \"uxctl --help\" lists", argv[1]);
    }

    return command->run(pool, argc - 1, argv + 1);
}


static const uxctl_command_t *
uxctl_find(const char *name)
{
    const uxctl_command_t  *command;

    for (command = uxctl_commands; command->name != NULL; command++) {
        if (strcmp(command->name, name) == 0) {
            return command;
        }
    }

    return NULL;
}


static int
uxctl_help(void)
{
    const uxctl_command_t  *command;

    printf("usage: uxctl COMMAND [OPTION...] [WORD...]\n"
           "       uxctl COMMAND --help\n"
           "       uxctl --help | --version\n"
           "\n"
           "commands:\n");

    for (command = uxctl_commands; command->name != NULL; command++) {
        printf("  %-10s %s\n", command->name, command->summary);
    }

    return UXCTL_OK;
}
