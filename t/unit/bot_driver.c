
/*
 * Copyright (C) the nginx-ux authors
 *
 * User-Agents, one a line, in; "1" for a bot or "0", one a line, out.  With
 * a number as argument, the lines are checked that many times and the
 * processor's nanoseconds for one check are printed instead.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ux_bot.h"


#define LINES_MAX   100000
#define BYTES_MAX  (16 * 1024 * 1024)


static size_t read_lines(void);
static void measure(size_t n, unsigned long rounds);


static char      bytes[BYTES_MAX];
static ux_str_t  lines[LINES_MAX];

/* Keeps the compiler from leaving the work out. */
static volatile unsigned long  found;


int
main(int argc, char **argv)
{
    size_t  i, n;

    n = read_lines();

    if (argc > 1) {
        measure(n, strtoul(argv[1], NULL, 10));
        return 0;
    }

    for (i = 0; i < n; i++) {
        puts(ux_bot_check(lines[i]) ? "1" : "0");
    }

    return 0;
}


static size_t
read_lines(void)
{
    char    *end, *p;
    size_t   len, n;

    len = fread(bytes, 1, sizeof(bytes), stdin);
    n = 0;

    for (p = bytes; p < bytes + len && n < LINES_MAX; p = end + 1) {
        end = memchr(p, '\n', (size_t) (bytes + len - p));

        if (end == NULL) {
            end = bytes + len;
        }

        lines[n].data = p;
        lines[n++].len = (size_t) (end - p);
    }

    return n;
}


static void
measure(size_t n, unsigned long rounds)
{
    double           ns;
    size_t           i;
    unsigned long    round;
    struct timespec  from, to;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);

    for (round = 0; round < rounds; round++) {
        for (i = 0; i < n; i++) {
            found += ux_bot_check(lines[i]);
        }
    }

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);

    ns = (double) (to.tv_sec - from.tv_sec) * 1e9
         + (double) (to.tv_nsec - from.tv_nsec);

    printf("%.1f\n", ns / (double) n / (double) rounds);
}
