
/*
 * Copyright (C) the nginx-ux authors
 *
 * An allocator for ux_json_set_allocator() that has nothing at its fail_at-th
 * call, and knows how many blocks nobody has given back.
 */

#ifndef FAILING_ALLOC_H
#define FAILING_ALLOC_H


#include <stdlib.h>


static long  allocs;                   /* since allocs_fail_at() */
static long  live;
static long  fail_at;


/* 0: none fails. */
static void
allocs_fail_at(long n)
{
    allocs = 0;
    live = 0;
    fail_at = n;
}


static void *
test_alloc(size_t size)
{
    void  *p;

    if (++allocs == fail_at) {
        return NULL;
    }

    p = malloc(size);
    live += p != NULL;

    return p;
}


static void
test_release(void *p)
{
    live -= p != NULL;
    free(p);
}


#endif
