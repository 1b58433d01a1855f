
/*
 * Copyright (C) the nginx-ux authors
 *
 * The value of ux_override.  Its reader stands in the module; the Makefile
 * takes that one function out of its file, and these few names stand in for
 * nginx's.
 */

#include "fuzz.h"


#define NGX_OK         0
#define NGX_DONE       (-4)
#define ngx_min(a, b)  ((a) < (b) ? (a) : (b))

typedef intptr_t       ngx_int_t;
typedef unsigned char  u_char;

typedef struct {
    size_t   len;
    u_char  *data;
} ngx_str_t;


static ngx_int_t ngx_http_ux_override_next(ngx_str_t *rest, ux_str_t *name,
    ux_str_t *variant);

static bool next_word(ux_str_t *rest, ux_str_t *word);


const char *const  fuzz_words[] = {
    "checkout:b", "checkout:one_page", "a:b", ":", "::", ",", ", ", " ", ",,",
    ",:", ":,", "checkout", "checkout:", ":b", "a:b:c", "\t", "=", NULL
};


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t       n;
    ux_str_t     line, words, word, name, variant;
    ngx_str_t    rest;
    const char  *colon;

    line = fuzz_copy(data, size);
    words = line;

    rest.data = (u_char *) line.data;
    rest.len = size;

    while (ngx_http_ux_override_next(&rest, &name, &variant) == NGX_OK) {
        fuzz_check(next_word(&words, &word));
        fuzz_check((const char *) rest.data == words.data);
        fuzz_check(rest.len == words.len);

        colon = memchr(word.data, ':', word.len);
        n = colon == NULL ? word.len : (size_t) (colon - word.data);

        fuzz_check(name.data == word.data && name.len == n);
        fuzz_check(fuzz_inside(variant, line));
        fuzz_check(variant.len == (colon == NULL ? 0 : word.len - n - 1));
        fuzz_check(colon == NULL || variant.data == colon + 1);
    }

    fuzz_check(!next_word(&words, &word));
    fuzz_free(line);

    return 0;
}


/* Whatever stands between commas and blanks. */
static bool
next_word(ux_str_t *rest, ux_str_t *word)
{
    size_t  n;

    while (rest->len > 0 && (*rest->data == ',' || *rest->data == ' ')) {
        rest->data++;
        rest->len--;
    }

    for (n = 0; n < rest->len; n++) {
        if (rest->data[n] == ',' || rest->data[n] == ' ') {
            break;
        }
    }

    word->data = rest->data;
    word->len = n;

    rest->data += n;
    rest->len -= n;

    return n > 0;
}


/* nginx is not compiled with this warning. */
#pragma GCC diagnostic ignored "-Wsign-conversion"

static ngx_int_t
#include "override_next.inc"
