
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_accept: the most specific range decides, whatever stands where.
 */

#include "ux_accept.h"
#include "tap.h"

#include <string.h>


static const struct {
    const char  *line;
    const char  *next;                 /* a second line, or NULL */
    unsigned     best;                 /* 0: openmetrics, 1: text, 2: html */
}  cases[] = {
    { "", NULL, 0 },
    { "*/*", NULL, 0 },
    { "application/json", NULL, 0 },
    { "text/plain", NULL, 1 },
    { "TEXT/Plain", NULL, 1 },
    { "text/plain;version=0.0.4", NULL, 1 },
    { "text/plain; version=\"0.0.4\"; q=1", NULL, 1 },
    { "text/plain;version=1.0.0", NULL, 0 },
    { "text/html", NULL, 2 },
    { "text/*", NULL, 1 },
    { "text/*;q=0.5, text/html;q=0.6", NULL, 2 },
    { "text/html;q=0.6, text/*;q=0.5", NULL, 2 },
    { "text/*, text/plain;q=0.1", NULL, 2 },
    { "text/plain;q=0, text/html;q=0.001", NULL, 2 },
    { "*/*;q=0.8, application/*;q=0.7", NULL, 1 },
    { "text/plain;q=1,*/*;q=0.1", NULL, 1 },
    { "application/openmetrics-text;version=1.0.0,"
      "application/openmetrics-text;version=0.0.1;q=0.75,"
      "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", NULL, 0 },
    { "application/openmetrics-text;version=0.0.1,"
      "text/plain;version=0.0.4;q=0.5", NULL, 1 },
    { "application/openmetrics-text;version=1.0.0;q=0.4,text/plain;q=0.5",
      NULL, 1 },
    { "application/openmetrics-text;q=0.5", "text/plain;q=0.6", 1 },
    { "text/plain;q=0.6", "application/openmetrics-text;q=0.7", 0 },
    { "text/plain;q=1.001", NULL, 1 },
    { "text/plain;q=2", NULL, 0 },
    { "text/plain;q=", NULL, 0 },
    { "text/plain;q=0.5555", NULL, 0 },
    { "text/plain;q=x", NULL, 0 },
    { " text/plain ; Q = 0.9 ,, ;, /, ;q=1, text", NULL, 1 },
    { "text/plain;a=\",application/openmetrics-text;\";q=0.5", NULL, 1 },
    { "text/", NULL, 0 },
    { "/*", NULL, 0 },
    { "t/*", NULL, 0 },
    { "text/plai", NULL, 0 },
    { "text/plain\"", NULL, 0 }
};


int
main(void)
{
    unsigned     best;
    size_t       i;
    ux_str_t     line;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ux_accept_t  offers[] = {
            { ux_str("application/openmetrics-text"), ux_str("1.0.0"), 0, 0 },
            { ux_str("text/plain"), ux_str("0.0.4"), 0, 0 },
            { ux_str("text/html"), ux_str(""), 0, 0 }
        };

        line.data = cases[i].line;
        line.len = strlen(line.data);
        ux_accept_line(offers, 3, line);

        if (cases[i].next != NULL) {
            line.data = cases[i].next;
            line.len = strlen(line.data);
            ux_accept_line(offers, 3, line);
        }

        best = ux_accept_best(offers, 3);

        ok(best == cases[i].best, "\"%s\" would rather have %u",
           cases[i].line, best);
    }

    return done();
}
