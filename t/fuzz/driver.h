
/*
 * Copyright (C) the nginx-ux authors
 *
 * What the two files of the driver share.
 */

#ifndef DRIVER_H
#define DRIVER_H


#include "fuzz.h"


typedef struct {
    uint8_t  *data;
    size_t    len;
} fuzz_input_t;


/* From here on the same numbers, and so the same mutations. */
void fuzz_seed(uint64_t seed);

/* Any number below n, which is not 0. */
size_t fuzz_below(size_t n);

/*
 * Makes *input, whose block has room for max_len bytes, a mutation of one of
 * the pool's.
 */
void fuzz_mutate(fuzz_input_t *input, size_t max_len,
    const fuzz_input_t *pool, size_t npool);


#endif
