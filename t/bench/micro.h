
/*
 * Copyright (C) the nginx-ux authors
 *
 * Micro-benchmarks of src/: what one operation takes, of a clock's time and,
 * under callgrind, of instructions and lines of cache.  The same operations
 * are measured both ways.  Time is printed in lines of JSON for BenchZone,
 * the rest is in what callgrind writes.
 */

#ifndef MICRO_H
#define MICRO_H


#include <stdint.h>


/* Does calls [first, first + n). */
typedef void (*micro_pt)(void *data, uint64_t first, uint64_t n);


typedef struct {
    const char  *name;
    micro_pt     run;
    micro_pt     before;         /* not measured, before each `batch` calls; */
    uint64_t     batch;          /*   NULL: nothing */
    void        *data;
    uint64_t     n;              /* calls in a round, whole batches */
    uint64_t     counted;        /* calls under callgrind, likewise */
    unsigned     parts;          /* what is said is of one part of a call */
} micro_op_t;


/*
 * Measures each operation.  Of time the least of some rounds is said, of all
 * operations in turn: {"name":...,"ns":...}.  Under callgrind dumps are
 * written that say "NAME|steady|N" and "NAME|cold|N", for N parts of calls
 * that come one after the other and of calls that find nothing in any cache
 * but what their caller has just used.
 */
void micro_measure(const micro_op_t *ops, unsigned nops);

/* Nanoseconds since some moment. */
uint64_t micro_now(void);

/* A number that is another one for each i. */
uint64_t micro_mix(uint64_t i);

/* micro_table.c: the visitor table alone. */
int micro_touch(uint64_t visitors, unsigned experiments);
int micro_processes(uint64_t visitors);

/* micro_store.c: a whole zone. */
int micro_assign(void);
int micro_steps(void);
int micro_report(unsigned experiments);
int micro_bytes(void);


#endif
