
/*
 * Copyright (C) the nginx-ux authors
 *
 * Base types of the core: status, byte strings, error sentences.
 */

#ifndef UX_BASE_H
#define UX_BASE_H


#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>


typedef enum {
    UX_OK = 0,
    UX_ERROR,              /* bad input, broken invariant */
    UX_DECLINED,           /* not there */
    UX_BUSY,               /* a living process holds it; bounded wait over */
    UX_FULL                /* no room within the stated bounds */
} ux_status_t;


/* 128 bits, for exact sums; not ISO C, but both compilers have it. */
__extension__ typedef unsigned __int128  ux_u128_t;


/* Bytes that belong to somebody else; not NUL-terminated. */
typedef struct {
    const char  *data;
    size_t       len;
} ux_str_t;

#define ux_str(literal)    { (literal), sizeof(literal) - 1 }


/* A whole sentence for the person who wrote the bad input. */
typedef struct {
    char  message[256];
} ux_error_t;


#define UX_NAME_MAX  64

/*
 * [a-z][a-z0-9_]{0,63}: experiments, layers, zones, funnels, stages,
 * segments, events.
 */
bool ux_name_check(ux_str_t name);

/* [A-Za-z][A-Za-z0-9_.-]{0,63}: variants and segment values. */
bool ux_variant_name_check(ux_str_t name);

bool ux_str_equal(ux_str_t a, ux_str_t b);

/* What of min to max is nearest to n; max if that is below min. */
static inline uint64_t
ux_clamp(uint64_t n, uint64_t min, uint64_t max)
{
    n = n < min ? min : n;

    return n < max ? n : max;
}


/* Arguments for "%.*s" in a sentence: enough of the word, never too much. */
#define ux_word(s)                                                           \
    (int) ((s).len < UX_NAME_MAX ? (s).len : UX_NAME_MAX), (s).data


#endif
