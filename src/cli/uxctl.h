
/*
 * Copyright (C) the nginx-ux authors
 *
 * What the commands of uxctl share.
 */

#ifndef UXCTL_H
#define UXCTL_H


#include <apr_getopt.h>
#include <apr_pools.h>

#include "../ux_base.h"


#define UXCTL_VERSION  "0.1.0"


/* Exit status. */
#define UXCTL_OK      0
#define UXCTL_FAILED  1            /* the world: a file, a pipe, memory */
#define UXCTL_USAGE   2            /* the user's words */


/*
 * A command gets the words from its own name on and memory that lives as long
 * as the program.  Returns the exit status.
 */
typedef int (*uxctl_run_pt)(apr_pool_t *pool, int argc,
    const char *const *argv);


typedef struct {
    const char    *name;
    const char    *summary;        /* one line of `uxctl --help` */
    uxctl_run_pt   run;
} uxctl_command_t;


int uxctl_assign(apr_pool_t *pool, int argc, const char *const *argv);
int uxctl_calc(apr_pool_t *pool, int argc, const char *const *argv);
int uxctl_merge(apr_pool_t *pool, int argc, const char *const *argv);
int uxctl_plan(apr_pool_t *pool, int argc, const char *const *argv);
int uxctl_report(apr_pool_t *pool, int argc, const char *const *argv);
int uxctl_simulate(apr_pool_t *pool, int argc, const char *const *argv);


/*
 * Next option: its letter in `options`, 0 at the end (*os then stands at the
 * first word that is no option), -1 after a complaint about a wrong one.
 * Options may stand behind other words; "--" ends them.
 */
int uxctl_option(apr_getopt_t *os, const apr_getopt_option_t *options,
    const char **value);

/* "uxctl: " and the sentence on stderr; returns UXCTL_USAGE. */
__attribute__((format(printf, 1, 2)))
int uxctl_wrong(const char *format, ...);

ux_str_t uxctl_str(const char *word);


#endif
