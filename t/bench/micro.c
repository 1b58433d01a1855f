
/*
 * Copyright (C) the nginx-ux authors
 *
 * The program: `ux_micro WHAT [N [M]]`.
 */

#include "micro.h"

#include "ux_visitor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


int
main(int argc, char **argv)
{
    uint64_t     n, m;
    const char  *what;

    what = argc > 1 ? argv[1] : "";
    n = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    m = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;

    if (strcmp(what, "assign") == 0) {
        return micro_assign();
    }

    if (strcmp(what, "touch") == 0 && n > 0 && m < UX_TRACKS_MAX) {
        return micro_touch(n, (unsigned) m);
    }

    if (strcmp(what, "processes") == 0 && n > 0) {
        return micro_processes(n);
    }

    if (strcmp(what, "steps") == 0) {
        return micro_steps();
    }

    if (strcmp(what, "report") == 0 && n > 0 && n < UX_TRACKS_MAX) {
        return micro_report((unsigned) n);
    }

    if (strcmp(what, "bytes") == 0) {
        return micro_bytes();
    }

    fprintf(stderr, "usage: %s assign | touch VISITORS [EXPERIMENTS] | "
            "steps |\n    report EXPERIMENTS | processes VISITORS | bytes\n",
            argv[0]);

    return 2;
}
