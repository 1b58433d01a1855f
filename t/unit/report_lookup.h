
/*
 * Copyright (C) the nginx-ux authors
 *
 * Parts of a report by their path, for tests that have one: so no test needs
 * a JSON parser, the text of a part is its value.
 */

#ifndef REPORT_LOOKUP_H
#define REPORT_LOOKUP_H


#include "ux_report.h"
#include "tap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>


/* Not every test uses all of it. */
#define FIXTURE     __attribute__((unused)) static


FIXTURE ux_str_t str(const char *text);
FIXTURE const char *at(const char *path);
FIXTURE ux_status_t status_of(const char *path);
FIXTURE bool is(const char *path, const char *expected);
FIXTURE bool near(const char *path, double expected, double off);
FIXTURE int64_t field(const char *text, const char *name);


static ux_report_t  report;


FIXTURE ux_str_t
str(const char *text)
{
    return (ux_str_t) { text, strlen(text) };
}


/* The text of a part, until the call after the next. */
FIXTURE const char *
at(const char *path)
{
    size_t           len;

    static char     *texts[4];
    static unsigned  turn;

    turn = (turn + 1) % 4;

    ux_report_free(texts[turn]);

    (void) ux_report_json(&report, str(path), &texts[turn], &len);

    return texts[turn] != NULL ? texts[turn] : "";
}


FIXTURE ux_status_t
status_of(const char *path)
{
    char         *text;
    size_t        len;
    ux_status_t   status;

    status = ux_report_json(&report, str(path), &text, &len);
    ux_report_free(text);

    return status;
}


FIXTURE bool
is(const char *path, const char *expected)
{
    const char  *text;

    text = at(path);

    if (strcmp(text, expected) == 0) {
        return true;
    }

    printf("# %s is %.300s\n", path, text);

    return false;
}


FIXTURE bool
near(const char *path, double expected, double off)
{
    double  value;

    value = strtod(at(path), NULL);

    if (fabs(value - expected) <= off) {
        return true;
    }

    printf("# %s is %.17g\n", path, value);

    return false;
}


/* The number after the first "name": of the text. */
FIXTURE int64_t
field(const char *text, const char *name)
{
    char         key[80];
    const char  *p;

    (void) snprintf(key, sizeof(key), "\"%s\":", name);

    p = strstr(text, key);

    return p != NULL ? strtoll(p + strlen(key), NULL, 10) : INT64_MIN;
}


#endif
