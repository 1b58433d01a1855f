
/*
 * Copyright (C) the nginx-ux authors
 *
 * What became of all requests.
 */

#ifndef UX_LOAD_TALLY_H
#define UX_LOAD_TALLY_H

#include "shopper.h"

#include <stdint.h>


/*
 * Microseconds in classes of 1/32 of a power of two: what is below 64 is
 * exact, what is above within 3 %.
 */
#define TALLY_CLASSES  2048

typedef struct {
    uint64_t     total;         /* whole answers */
    uint64_t     answered[STEPS];
    uint64_t     status[6];     /* by hundreds */
    uint64_t     refused[STEPS];    /* answers of 4xx and 5xx */
    uint64_t     closed;        /* kept connections, instead of an answer */
    uint64_t     cut;           /* fresh ones; or in the midst of an answer */
    uint64_t     timeouts;
    uint64_t     not_connected;
    uint64_t     connections;
    uint64_t     shoppers;
    uint64_t     confirmed;
    uint64_t     changed;       /* answers that told something else */
    uint64_t     worth;
    uint64_t     latency[TALLY_CLASSES];
} tally_t;



void tally_latency(tally_t *t, uint64_t us);

/* JSON on the standard output. */
void tally_print(const tally_t *t, double seconds);


#endif
