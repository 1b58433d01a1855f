
/*
 * Copyright (C) the nginx-ux authors
 *
 * What one simulated shopper does, and what became of it.
 */

#ifndef UX_LOAD_SHOPPER_H
#define UX_LOAD_SHOPPER_H

#include "answer.h"

#include <stdbool.h>
#include <stdint.h>


typedef enum {
    STEP_VIEW = 0,
    STEP_CART,
    STEP_CHECKOUT,
    STEP_PURCHASE,
    STEPS
} step_e;

/* All zero but the seed: one who has never been here. */

typedef struct {
    uint64_t  seed;
    uint64_t  orders;           /* purchases tried */
    uint32_t  answered;
    uint32_t  worth;            /* of the purchase under way, minor units */
    step_e    step;             /* what comes next, or is under way */
    bool      confirmed;        /* an answer to a request with a cookie */
    char      cookie[ANSWER_COOKIE];
    char      told[ANSWER_TOLD];
} shopper_t;


/* Good numbers from any state, which changes. */
uint64_t chance(uint64_t *state);

void shopper_init(shopper_t *s, uint64_t seed);

/*
 * The request's path below paths[STEPS], in at most `size` bytes; an order is
 * tried anew under another id.  With query, a purchase has a worth and an id.
 */
void shopper_path(shopper_t *s, char *path, size_t size,
    const char *const paths[STEPS], bool query);

/* The step has been answered; false: it was told something else before. */
bool shopper_answered(shopper_t *s, const answer_t *a);


#endif
