
/*
 * Copyright (C) the nginx-ux authors
 *
 * Reads what a load client needs of an answer: where it ends, its status, a
 * cookie, and what it was told.
 */

#include "answer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>


static answer_state_e read_head(answer_t *a, const char **p, const char *end);
static answer_state_e parse_head(answer_t *a);
static void parse_line(answer_t *a, const char *name, const char *value);
static void copy_until(char *to, size_t size, const char *from,
    const char *stop);
static answer_state_e read_chunks(answer_t *a, const char **p,
    const char *end);
static answer_state_e chunk_size(answer_t *a, char c);


void
answer_init(answer_t *a)
{
    a->used = 0;
    a->left = 0;
    a->status = 0;
    a->body = BODY_NONE;
    a->close = false;
    a->line = 0;
    a->last = false;
    a->cookie[0] = '\0';
    a->told[0] = '\0';
}


answer_state_e
answer_read(answer_t *a, const char *bytes, size_t n)
{
    const char      *p = bytes, *end = bytes + n;
    answer_state_e   state;

    if (a->status == 0) {
        state = read_head(a, &p, end);
        if (state != ANSWER_WHOLE) {
            return state;
        }
    }

    switch (a->body) {
    case BODY_UNTIL_CLOSE:
        return ANSWER_MORE;

    case BODY_CHUNKED:
        state = read_chunks(a, &p, end);
        break;

    default:
        n = (size_t) (end - p) < a->left ? (size_t) (end - p) : a->left;
        p += n;
        a->left -= n;
        state = a->left == 0 ? ANSWER_WHOLE : ANSWER_MORE;
        break;
    }

    return state == ANSWER_WHOLE && p != end ? ANSWER_BROKEN : state;
}


answer_state_e
answer_closed(answer_t *a)
{
    return a->status != 0 && a->body == BODY_UNTIL_CLOSE ? ANSWER_WHOLE
                                                          : ANSWER_BROKEN;
}


static answer_state_e
read_head(answer_t *a, const char **p, const char *end)
{
    while (*p < end) {
        if (a->used == ANSWER_HEAD - 1) {
            return ANSWER_BROKEN;
        }

        a->head[a->used++] = *(*p)++;

        if (a->used >= 4
            && memcmp(a->head + a->used - 4, "\r\n\r\n", 4) == 0)
        {
            return parse_head(a);
        }
    }

    return ANSWER_MORE;
}


static answer_state_e
parse_head(answer_t *a)
{
    char  *line, *next, *colon;

    a->head[a->used] = '\0';

    if (strncmp(a->head, "HTTP/1.", 7) != 0 || a->head[8] != ' ') {
        return ANSWER_BROKEN;
    }

    a->status = atoi(a->head + 9);
    a->body = a->status == 204 || a->status == 304 ? BODY_NONE
                                                   : BODY_UNTIL_CLOSE;

    line = strstr(a->head, "\r\n") + 2;

    for ( ;; ) {
        next = strstr(line, "\r\n");
        if (next == line) {
            break;
        }

        *next = '\0';
        colon = strchr(line, ':');
        if (colon == NULL) {
            return ANSWER_BROKEN;
        }

        *colon = '\0';
        parse_line(a, line, colon + 1 + strspn(colon + 1, " \t"));
        line = next + 2;
    }

    return a->status >= 200 && a->status <= 599 ? ANSWER_WHOLE
                                                : ANSWER_BROKEN;
}


static void
parse_line(answer_t *a, const char *name, const char *value)
{
    if (strcasecmp(name, "Content-Length") == 0) {
        a->left = (size_t) strtoull(value, NULL, 10);
        a->body = BODY_LENGTH;

    } else if (strcasecmp(name, "Transfer-Encoding") == 0) {
        a->body = BODY_CHUNKED;

    } else if (strcasecmp(name, "Connection") == 0) {
        a->close = strcasecmp(value, "close") == 0;

    } else if (strcasecmp(name, "Set-Cookie") == 0) {
        copy_until(a->cookie, sizeof(a->cookie), value, ";");

    } else if (strcasecmp(name, "X-Told") == 0) {
        copy_until(a->told, sizeof(a->told), value, "");
    }
}


static void
copy_until(char *to, size_t size, const char *from, const char *stop)
{
    size_t  n = strcspn(from, stop);

    if (n >= size) {
        n = size - 1;
    }

    memcpy(to, from, n);
    to[n] = '\0';
}


static answer_state_e
read_chunks(answer_t *a, const char **p, const char *end)
{
    size_t          n;
    answer_state_e  state;

    while (*p < end) {

        if (a->left > 0) {
            n = (size_t) (end - *p) < a->left ? (size_t) (end - *p) : a->left;
            *p += n;
            a->left -= n;

            if (a->left == 0 && a->last) {
                return ANSWER_WHOLE;
            }

            continue;
        }

        state = chunk_size(a, *(*p)++);
        if (state != ANSWER_MORE) {
            return state;
        }
    }

    return ANSWER_MORE;
}


/* One byte of a chunk's first line; trailers are not expected. */

static answer_state_e
chunk_size(answer_t *a, char c)
{
    static const char  digits[] = "0123456789abcdef";
    const char        *digit;

    if (c == '\n') {
        a->last = a->line == 0;
        a->left = (size_t) a->line + 2;
        a->line = 0;
        return ANSWER_MORE;
    }

    if (c == '\r') {
        return ANSWER_MORE;
    }

    digit = c != '\0' ? strchr(digits, c | 0x20) : NULL;
    if (digit == NULL || a->line > 0xffffff) {
        return ANSWER_BROKEN;
    }

    a->line = a->line * 16 + (unsigned) (digit - digits);

    return ANSWER_MORE;
}
