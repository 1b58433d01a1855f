
/*
 * Copyright (C) the nginx-ux authors
 *
 * How the driver makes new inputs of old ones.  The pieces are small and many
 * at once, because the formats are: a digit, a separator, a word.
 */

#include "driver.h"


#define FUZZ_STACKED  6                /* mutations of one input */
#define FUZZ_RUN_MAX  300              /* repetitions of one byte */

#pragma weak fuzz_words


static void fuzz_bits(void);
static void fuzz_digit(void);
static void fuzz_bytes(void);
static void fuzz_cut(void);
static void fuzz_repeat(void);
static void fuzz_word(void);
static void fuzz_splice(void);
static void fuzz_insert(const void *piece, size_t n, size_t at, size_t over);
static uint64_t fuzz_any(void);


static uint64_t             state = 1;

/* Of the mutation that goes on. */
static uint8_t             *bytes;
static size_t               len;
static size_t               limit;
static const fuzz_input_t  *others;
static size_t               nothers;


void
fuzz_seed(uint64_t seed)
{
    state = (seed * 6364136223846793005u + 1442695040888963407u) | 1;
}


void
fuzz_mutate(fuzz_input_t *input, size_t max_len, const fuzz_input_t *pool,
    size_t npool)
{
    size_t               i;
    const fuzz_input_t  *base;

    static void (*const  mutations[])(void) = {
        fuzz_bits, fuzz_digit, fuzz_bytes, fuzz_cut, fuzz_repeat, fuzz_word,
        fuzz_word, fuzz_splice
    };

    base = &pool[fuzz_below(npool)];

    bytes = input->data;
    limit = max_len;
    len = base->len < limit ? base->len : limit;
    others = pool;
    nothers = npool;

    memcpy(bytes, base->data, len);

    for (i = 1 + fuzz_below(FUZZ_STACKED); i > 0; i--) {
        mutations[fuzz_below(sizeof(mutations) / sizeof(mutations[0]))]();
    }

    input->len = len;
}


static void
fuzz_bits(void)
{
    if (len > 0) {
        bytes[fuzz_below(len)]
            ^= (uint8_t) (1u << fuzz_below(8));
    }
}


/* A digit is what most of the formats count in. */
static void
fuzz_digit(void)
{
    size_t  i, at;

    for (i = 0; i < 8 && len > 0; i++) {
        at = fuzz_below(len);

        if (bytes[at] >= '0' && bytes[at] <= '9') {
            bytes[at] = (uint8_t) ('0' + fuzz_below(10));
            return;
        }
    }
}


static void
fuzz_bytes(void)
{
    size_t   i, n;
    uint8_t  piece[8];

    static const uint8_t  edges[] = {
        0, 1, ' ', '"', '\\', ',', ';', ':', '=', '-', '.', '%', '\t', '\r',
        '\n', 0x7f, 0x80, 0xbf, 0xc0, 0xe0, 0xed, 0xf0, 0xf4, 0xff
    };

    n = 1 + fuzz_below(fuzz_below(4) ? 2 : sizeof(piece));

    for (i = 0; i < n; i++) {
        piece[i] = fuzz_below(2) ? edges[fuzz_below(sizeof(edges))]
                                 : (uint8_t) fuzz_any();
    }

    fuzz_insert(piece, n, fuzz_below(len + 1),
                fuzz_below(2) ? n : 0);
}


static void
fuzz_cut(void)
{
    size_t  at, n;

    if (len == 0) {
        return;
    }

    at = fuzz_below(len);
    n = len - at;
    n = 1 + fuzz_below(fuzz_below(4) && n > 4 ? 4 : n);

    fuzz_insert("", 0, at, n);
}


static void
fuzz_repeat(void)
{
    size_t   at, n;
    uint8_t  piece[FUZZ_RUN_MAX];

    if (len == 0) {
        return;
    }

    at = fuzz_below(len);
    n = 1 + fuzz_below(fuzz_below(4) ? 16 : sizeof(piece));

    if (fuzz_below(2)) {
        memset(piece, bytes[at], n);

    } else {
        n = n < len - at ? n : len - at;
        memcpy(piece, bytes + at, n);
    }

    fuzz_insert(piece, n, at, 0);
}


static void
fuzz_word(void)
{
    size_t       n, at;
    const char  *word;

    static size_t  nwords;

    if (fuzz_words == NULL) {
        return;
    }

    while (fuzz_words[nwords] != NULL) {
        nwords++;
    }

    if (nwords == 0) {
        return;
    }

    word = fuzz_words[fuzz_below(nwords)];
    n = strlen(word);
    at = fuzz_below(len + 1);

    fuzz_insert(word, n, at, fuzz_below(2) ? n : 0);
}


/* A piece of another input, here or in the place it had there. */
static void
fuzz_splice(void)
{
    size_t               from, n, at;
    const fuzz_input_t  *other;

    other = &others[fuzz_below(nothers)];

    if (other->len == 0) {
        return;
    }

    from = fuzz_below(other->len);
    n = 1 + fuzz_below(other->len - from);
    at = fuzz_below(2) && from <= len ? from
                                              : fuzz_below(len + 1);

    fuzz_insert(other->data + from, n, at, fuzz_below(2) ? n : 0);
}


/* Puts bytes at a place, over so many; what is then too long is cut. */
static void
fuzz_insert(const void *piece, size_t n, size_t at, size_t over)
{
    size_t  tail;

    if (over > len - at) {
        over = len - at;
    }

    if (n > limit - at) {
        n = limit - at;
    }

    tail = len - at - over;

    if (tail > limit - at - n) {
        tail = limit - at - n;
    }

    memmove(bytes + at + n, bytes + at + over, tail);
    memcpy(bytes + at, piece, n);
    len = at + n + tail;
}


/* xorshift64* (Vigna 2016). */
static uint64_t
fuzz_any(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;

    return state * 2685821657736338717u >> 11;
}


size_t
fuzz_below(size_t n)
{
    return (size_t) (fuzz_any() % n);
}
