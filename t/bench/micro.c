
/*
 * Copyright (C) the nginx-ux authors
 *
 * The program: `ux_micro WHAT [N [M]]`.
 */

#include "micro.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>


uint64_t
micro_now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000000u + (uint64_t) ts.tv_nsec;
}


/* SplitMix64 (Steele, Lea, Flood 2014). */
uint64_t
micro_mix(uint64_t i)
{
    i = (i + 1) * 0x9e3779b97f4a7c15ull;
    i = (i ^ (i >> 30)) * 0xbf58476d1ce4e5b9ull;
    i = (i ^ (i >> 27)) * 0x94d049bb133111ebull;

    return i ^ (i >> 31);
}


void
micro_say(const char *name, double ns)
{
    printf("{\"name\":\"%s\",\"ns\":%.1f}\n", name, ns);
    (void) fflush(stdout);
}


int
main(int argc, char **argv)
{
    uint64_t     n, m;
    const char  *what;

    what = argc > 1 ? argv[1] : "";
    n = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    m = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;

    if (strcmp(what, "assign") == 0) {
        return micro_assign();
    }

    if (strcmp(what, "touch") == 0 && n > 0) {
        return micro_touch(n);
    }

    if (strcmp(what, "lookup") == 0 && n > 0) {
        return micro_lookup(n, m);
    }

    if (strcmp(what, "processes") == 0 && n > 0) {
        return micro_processes(n);
    }

    if (strcmp(what, "steps") == 0) {
        return micro_steps();
    }

    if (strcmp(what, "report") == 0 && n > 0 && n <= 40) {
        return micro_report((unsigned) n);
    }

    if (strcmp(what, "bytes") == 0) {
        return micro_bytes();
    }

    fprintf(stderr, "usage: %s assign | touch VISITORS | lookup VISITORS "
            "LOOKUPS |\n    processes VISITORS | steps | report EXPERIMENTS "
            "| bytes\n", argv[0]);

    return 2;
}
