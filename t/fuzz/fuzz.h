
/*
 * Copyright (C) the nginx-ux authors
 *
 * What the fuzzers share.  A target is a file fuzz_<name>.c with
 * LLVMFuzzerTestOneInput() and the words it is likely to understand; it links
 * with driver.c, or with libFuzzer.
 */

#ifndef FUZZ_H
#define FUZZ_H


#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ux_base.h"


/* What must hold whatever the input is. */
#define fuzz_check(cond)                                                     \
    ((cond) ? (void) 0 : fuzz_failed(__FILE__, __LINE__, #cond))


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);


/* The target's dictionary, NULL at its end. */
extern const char *const  fuzz_words[];


/* Straight to the descriptor: a target may have silenced stderr. */
__attribute__((noreturn, unused))
static void
fuzz_failed(const char *file, int line, const char *cond)
{
    dprintf(2, "%s:%d: does not hold: %s\n", file, line, cond);
    abort();
}


/* A block that ends where the bytes end, so that no read beyond is missed. */
__attribute__((unused))
static ux_str_t
fuzz_copy(const void *data, size_t size)
{
    char      *block;
    ux_str_t   copy;

    block = malloc(size);

    if (block == NULL) {
        fuzz_failed(__FILE__, __LINE__, "memory");
    }

    if (size > 0) {
        memcpy(block, data, size);
    }

    copy.data = block;
    copy.len = size;

    return copy;
}


__attribute__((unused))
static void
fuzz_free(ux_str_t copy)
{
    free((void *) copy.data);
}


__attribute__((unused))
static ux_str_t
fuzz_str(const char *text)
{
    ux_str_t  s;

    s.data = text;
    s.len = strlen(text);

    return s;
}


/* Does the part lie within the whole? */
__attribute__((unused))
static bool
fuzz_inside(ux_str_t part, ux_str_t whole)
{
    return part.data >= whole.data
           && part.data <= whole.data + whole.len
           && part.len <= (size_t) (whole.data + whole.len - part.data);
}


/* Two hex digits as a byte: unlike sscanf() it looks at no more. */
__attribute__((unused))
static unsigned
fuzz_hex(const char *p)
{
    char  digits[3] = { p[0], p[1], '\0' };

    return (unsigned) strtoul(digits, NULL, 16);
}


/* Takes a line, or what is left, off *rest; false if nothing is left. */
__attribute__((unused))
static bool
fuzz_line(ux_str_t *rest, ux_str_t *line)
{
    const char  *end;

    if (rest->len == 0) {
        return false;
    }

    *line = *rest;
    end = memchr(rest->data, '\n', rest->len);

    if (end == NULL) {
        rest->data += rest->len;
        rest->len = 0;
        return true;
    }

    line->len = (size_t) (end - line->data);
    rest->data = end + 1;
    rest->len -= line->len + 1;

    return true;
}


/* How many digits there are, for readers of their own. */
__attribute__((unused))
static size_t
fuzz_digits(const void *from, const void *end)
{
    const char  *at;

    for (at = from; at < (const char *) end && *at >= '0' && *at <= '9'; at++)
    {
        /* void */
    }

    return (size_t) (at - (const char *) from);
}


#endif
