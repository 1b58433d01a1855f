
/*
 * Copyright (C) the nginx-ux authors
 *
 * Counts and latencies, and their report.
 */

#include "tally.h"

#include <inttypes.h>
#include <stdio.h>


static uint64_t latency_us(const tally_t *t, double share);


void
tally_latency(tally_t *t, uint64_t us)
{
    unsigned  shift = 0;

    while (us >> shift >= 64) {
        shift++;
    }

    t->latency[shift * 32 + (unsigned) (us >> shift)]++;
}


/* Upper end of the class that this share of answers came in. */

static uint64_t
latency_us(const tally_t *t, double share)
{
    uint64_t  sum = 0, wanted_sum = (uint64_t) ((double) t->total * share);

    for (unsigned i = 0; i < TALLY_CLASSES; i++) {
        sum += t->latency[i];

        if (sum >= wanted_sum && sum > 0) {
            return i < 64 ? i : ((uint64_t) (32 + i % 32 + 1)
                                 << (i / 32 - 1)) - 1;
        }
    }

    return 0;
}


void
tally_print(const tally_t *t, double seconds)
{
    static const char *const  names[STEPS] = { "view_item", "add_to_cart",
                                               "begin_checkout", "purchase" };

    (void) printf("{\"requests\": %" PRIu64, t->total);

    for (unsigned i = 0; i < STEPS; i++) {
        (void) printf("%s\"%s\": %" PRIu64, i == 0 ? ", \"answered\": {"
                      : ", ", names[i], t->answered[i]);
    }

    for (unsigned i = 0; i < STEPS; i++) {
        (void) printf("%s\"%s\": %" PRIu64, i == 0 ? "}, \"refused\": {"
                      : ", ", names[i], t->refused[i]);
    }

    for (unsigned i = 2; i < 6; i++) {
        (void) printf("%s\"%uxx\": %" PRIu64, i == 2 ? "}, \"status\": {"
                      : ", ", i, t->status[i]);
    }

    (void) printf("}, \"closed\": %" PRIu64 ", \"cut\": %" PRIu64
                  ", \"timeouts\": %" PRIu64 ", \"not_connected\": %" PRIu64
                  ", \"connections\": %" PRIu64,
                  t->closed, t->cut, t->timeouts,
                  t->not_connected, t->connections);

    (void) printf(", \"shoppers\": %" PRIu64 ", \"confirmed\": %" PRIu64
                  ", \"changed\": %" PRIu64 ", \"worth_minor\": %" PRIu64,
                  t->shoppers, t->confirmed, t->changed,
                  t->worth);

    (void) printf(", \"latency_us\": {\"p50\": %" PRIu64 ", \"p90\": %" PRIu64
                  ", \"p99\": %" PRIu64 ", \"p999\": %" PRIu64
                  ", \"max\": %" PRIu64 "}, \"seconds\": %.3f"
                  ", \"per_second\": %.0f}\n",
                  latency_us(t, 0.5), latency_us(t, 0.9), latency_us(t, 0.99),
                  latency_us(t, 0.999), latency_us(t, 1), seconds,
                  seconds > 0 ? (double) t->total / seconds : 0);
}
