
/*
 * Copyright (C) the nginx-ux authors
 *
 * A clock, and callgrind's simulated caches.
 */

#include "micro.h"

#include <valgrind/callgrind.h>

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>


#define ROUNDS  5
#define OPS     4
#define COLD    200

/* As large as the larger of the caches that BenchZone has simulated. */
#define CACHE   (1024 * 1024)
#define LINE    64


static void micro_time(const micro_op_t *ops, unsigned nops);
static double micro_round(const micro_op_t *op, uint64_t first);
static void micro_count(const micro_op_t *op);
static void micro_calls(const micro_op_t *op, uint64_t first, uint64_t n,
    bool cold);
static void micro_dump(const micro_op_t *op, const char *what,
    uint64_t calls);
static void micro_sweep(void);


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
micro_measure(const micro_op_t *ops, unsigned nops)
{
    unsigned  i;

    if (nops > OPS) {
        abort();
    }

    if (!RUNNING_ON_VALGRIND) {
        micro_time(ops, nops);
        return;
    }

    for (i = 0; i < nops; i++) {
        micro_count(&ops[i]);
    }
}


static void
micro_time(const micro_op_t *ops, unsigned nops)
{
    double    ns, least[OPS];
    unsigned  i, round;

    for (round = 0; round < ROUNDS; round++) {
        for (i = 0; i < nops; i++) {
            ns = micro_round(&ops[i], round * ops[i].n);

            if (round == 0 || ns < least[i]) {
                least[i] = ns;
            }
        }
    }

    for (i = 0; i < nops; i++) {
        printf("{\"name\":\"%s\",\"ns\":%.1f}\n", ops[i].name, least[i]);
    }

    (void) fflush(stdout);
}


/* Nanoseconds of a part of a call. */
static double
micro_round(const micro_op_t *op, uint64_t first)
{
    uint64_t  i, batch, start, spent;

    batch = op->before != NULL ? op->batch : op->n;
    spent = 0;

    for (i = first; i < first + op->n; i += batch) {
        if (op->before != NULL) {
            op->before(op->data, i, batch);
        }

        start = micro_now();
        op->run(op->data, i, batch);
        spent += micro_now() - start;
    }

    return (double) spent / (double) (op->n * op->parts);
}


static void
micro_count(const micro_op_t *op)
{
    uint64_t  cold;

    cold = op->counted < COLD ? op->counted : COLD;

    CALLGRIND_START_INSTRUMENTATION;

    /* the caches are as such calls leave them */

    micro_calls(op, 0, op->counted, false);
    CALLGRIND_ZERO_STATS;

    micro_calls(op, op->counted, op->counted, false);
    micro_dump(op, "steady", op->counted);

    micro_calls(op, 2 * op->counted, cold, true);
    micro_dump(op, "cold", cold);

    CALLGRIND_STOP_INSTRUMENTATION;
}


/* Nothing is collected but the calls themselves. */
static void
micro_calls(const micro_op_t *op, uint64_t first, uint64_t n, bool cold)
{
    uint64_t  i, batch;

    batch = op->before != NULL ? op->batch : n;
    batch = cold ? 1 : batch;

    for (i = first; i < first + n; i += batch) {
        if (op->before != NULL && (i - first) % op->batch == 0) {
            op->before(op->data, i, op->batch);
        }

        if (cold) {
            micro_sweep();
        }

        CALLGRIND_TOGGLE_COLLECT;
        op->run(op->data, i, batch);
        CALLGRIND_TOGGLE_COLLECT;
    }
}


static void
micro_dump(const micro_op_t *op, const char *what, uint64_t calls)
{
    char  text[128];

    (void) snprintf(text, sizeof(text), "%s|%s|%" PRIu64, op->name, what,
                    calls * op->parts);

    CALLGRIND_DUMP_STATS_AT(text);
}


/*
 * Nothing of what was used before is left in a cache of that size, whose sets
 * give up what was used longest ago.  One that swept with what it swept with
 * the last time would find some of it.
 */
static void
micro_sweep(void)
{
    size_t                   i;
    static unsigned          turn;
    static volatile uint8_t  room[2][CACHE];

    turn = !turn;

    for (i = 0; i < CACHE; i += LINE) {
        (void) room[turn][i];
    }
}
