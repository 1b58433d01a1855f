
/*
 * Copyright (C) the nginx-ux authors
 *
 * Shoppers who look at things, put some into a cart, go to the checkout and
 * pay, or leave on the way and begin again.
 */

#include "shopper.h"

#include <stdio.h>
#include <string.h>


/* Of a hundred who have come to a step, those who go on to the next. */

static const unsigned  go_on[STEPS] = { 40, 60, 70, 0 };


uint64_t
chance(uint64_t *state)
{
    uint64_t  z;

    *state += 0x9e3779b97f4a7c15;
    z = *state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;

    return z ^ (z >> 31);
}


void
shopper_init(shopper_t *s, uint64_t seed)
{
    memset(s, 0, sizeof(shopper_t));
    s->seed = seed;
}


void
shopper_path(shopper_t *s, char *path, size_t size,
    const char *const paths[STEPS], bool query)
{
    if (s->step != STEP_PURCHASE || !query) {
        (void) snprintf(path, size, "%s", paths[s->step]);
        return;
    }

    s->worth = (uint32_t) (100 + chance(&s->seed) % 19900);
    s->orders++;

    (void) snprintf(path, size, "%s%svalue=%u.%02u&id=%016llx-%llu",
                    paths[STEP_PURCHASE],
                    strchr(paths[STEP_PURCHASE], '?') != NULL ? "&" : "?",
                    s->worth / 100, s->worth % 100,
                    (unsigned long long) s->seed,
                    (unsigned long long) s->orders);
}


bool
shopper_answered(shopper_t *s, const answer_t *a)
{
    bool  same = true;

    s->answered++;
    s->confirmed = s->confirmed || s->cookie[0] != '\0';

    if (a->cookie[0] != '\0') {
        memcpy(s->cookie, a->cookie, sizeof(s->cookie));
    }

    if (a->told[0] != '\0') {
        same = s->told[0] == '\0' || strcmp(s->told, a->told) == 0;
        memcpy(s->told, a->told, sizeof(s->told));
    }

    s->step = chance(&s->seed) % 100 < go_on[s->step] ? s->step + 1
                                                       : STEP_VIEW;

    return same;
}
