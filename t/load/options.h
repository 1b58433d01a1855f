
/*
 * Copyright (C) the nginx-ux authors
 *
 * What ux_load is asked to do.
 */

#ifndef UX_LOAD_OPTIONS_H
#define UX_LOAD_OPTIONS_H

#include "shopper.h"

#include <stdbool.h>
#include <stdint.h>


#define OPTIONS_CLIENTS  4096
#define OPTIONS_HEADERS  1024

typedef struct {
    uint16_t     port;
    unsigned     clients;
    unsigned     fresh;         /* of a hundred requests */
    unsigned     visits;        /* requests of a shopper, 0: for ever */
    uint64_t     requests;
    uint64_t     seconds;       /* 0: until the requests are done */
    uint64_t     seed;
    uint64_t     progress;      /* a line each so many answers */
    bool         gated;
    bool         query;
    const char  *paths[STEPS];
    char         headers[OPTIONS_HEADERS];
} options_t;


/* Ends the program where they make no sense. */
void options_read(options_t *o, int argc, char **argv);

uint64_t options_number(const char *value);


#endif
