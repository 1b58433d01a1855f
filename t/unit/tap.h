
/*
 * Copyright (C) the nginx-ux authors
 *
 * The Test Anything Protocol in a few lines: ok(cond, "name %d", i) for each
 * check, `return done();` at the end of main().  tap_count() lets the
 * environment say how much.
 */

#ifndef TAP_H
#define TAP_H


#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>


static int   tap_run;
static int   tap_failed;
static bool  tap_passed;


/* The condition comes first, so that the name may print what it made. */
#define ok(cond, ...)                                                        \
    (tap_passed = (cond) ? true : false,                                     \
     tap_ok(tap_passed, __FILE__, __LINE__, #cond, __VA_ARGS__))

#define done()    tap_done()


__attribute__((format(printf, 5, 6), unused))
static bool
tap_ok(bool passed, const char *file, int line, const char *cond,
    const char *format, ...)
{
    va_list  args;

    tap_run++;

    printf("%sok %d - ", passed ? "" : "not ", tap_run);

    va_start(args, format);
    vprintf(format, args);
    va_end(args);

    printf("\n");

    if (!passed) {
        tap_failed++;
        printf("# %s:%d: %s\n", file, line, cond);
        fflush(stdout);
    }

    return passed;
}


/* A number that the environment may give instead of the usual one. */
__attribute__((unused))
static unsigned
tap_count(const char *name, unsigned usual)
{
    const char  *value;

    value = getenv(name);

    return value != NULL && atoi(value) > 0 ? (unsigned) atoi(value) : usual;
}


/* The plan, and the exit status of the test program. */
__attribute__((unused))
static int
tap_done(void)
{
    printf("1..%d\n", tap_run);

    if (tap_failed) {
        printf("# %d of %d failed\n", tap_failed, tap_run);
    }

    return (tap_failed || tap_run == 0) ? 1 : 0;
}


#endif
