
/*
 * Copyright (C) the nginx-ux authors
 *
 * What a client would rather have (RFC 9110 section 12.5.1).
 */

#ifndef UX_ACCEPT_H
#define UX_ACCEPT_H


#include "ux_base.h"


/* A media type that is on offer; the rest all zero to begin with. */
typedef struct {
    ux_str_t     type;                 /* "text/html", lower case */
    ux_str_t     version;              /* of a parameter of that name; len 0:
                                          any */
    unsigned     quality;              /* of the most specific range so far,
                                          in thousandths */
    unsigned     specific;             /* of that range: 1, 2, 3; 0: none */
} ux_accept_t;


/*
 * Reads a field line, one of any number, for n offers.  What is no media
 * range is passed over.
 */
void ux_accept_line(ux_accept_t *offers, unsigned n, ux_str_t line);

/*
 * The offer of the highest quality, the first of equals; 0 if none is
 * accepted, or no line was read.
 */
unsigned ux_accept_best(const ux_accept_t *offers, unsigned n);


#endif
