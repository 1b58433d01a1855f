
/*
 * Copyright (C) the nginx-ux authors
 *
 * An HTTP/1.1 answer that arrives in pieces.
 */

#ifndef UX_LOAD_ANSWER_H
#define UX_LOAD_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>


#define ANSWER_HEAD    8192     /* bytes of a longest head */
#define ANSWER_COOKIE  128
#define ANSWER_TOLD    128

typedef enum {
    ANSWER_MORE = 0,
    ANSWER_WHOLE,
    ANSWER_BROKEN
} answer_state_e;

typedef enum {
    BODY_NONE = 0,
    BODY_LENGTH,
    BODY_CHUNKED,
    BODY_UNTIL_CLOSE
} answer_body_e;

typedef struct {
    size_t         used;        /* bytes of the head so far */
    size_t         left;        /* of the body, or of a chunk and its end */
    int            status;      /* 0: the head is not whole yet */
    answer_body_e  body;
    bool           close;       /* the server will close */
    unsigned       line;        /* hexadecimal digits and ends of a chunk */
    bool           last;        /* the chunk of size 0 has come */
    char           cookie[ANSWER_COOKIE];   /* "name=value", or "" */
    char           told[ANSWER_TOLD];       /* X-Told, or "" */
    char           head[ANSWER_HEAD];
} answer_t;


void answer_init(answer_t *a);

/*
 * Takes the next bytes.  WHOLE: head and body are there; further bytes would
 * be of another answer, which nobody asked for: BROKEN, as is what is no
 * HTTP.  The head can be told from status, as soon as it is whole.
 */
answer_state_e answer_read(answer_t *a, const char *bytes, size_t n);

/* The server has closed. */
answer_state_e answer_closed(answer_t *a);


#endif
