
/*
 * Copyright (C) the nginx-ux authors
 *
 * Micro-benchmarks of src/: what one operation takes.  Each prints a line of
 * JSON for t/bench/run.
 */

#ifndef MICRO_H
#define MICRO_H


#include <stdint.h>


/* Nanoseconds since some moment. */
uint64_t micro_now(void);

/* A number that is another one for each i. */
uint64_t micro_mix(uint64_t i);

/* {"name":...,"ns":...}; the first of `n` rounds that took `ns` together. */
void micro_say(const char *name, double ns);

/* micro_table.c: the visitor table alone. */
int micro_touch(uint64_t visitors);
int micro_lookup(uint64_t visitors, uint64_t lookups);
int micro_processes(uint64_t visitors);

/* micro_store.c: a whole zone. */
int micro_assign(void);
int micro_steps(void);
int micro_report(unsigned experiments);
int micro_bytes(void);


#endif
