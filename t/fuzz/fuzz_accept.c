
/*
 * Copyright (C) the nginx-ux authors
 *
 * An Accept header: a quality is one, the best offer is the first of the best,
 * and a line more or less between two ranges makes no difference.
 */

#include "fuzz.h"
#include "ux_accept.h"


#define OFFERS  3


static const ux_accept_t  offered[OFFERS] = {
    { ux_str("application/openmetrics-text"), ux_str("1.0.0"), 0, 0 },
    { ux_str("text/plain"), ux_str("0.0.4"), 0, 0 },
    { ux_str("text/html"), ux_str(""), 0, 0 }
};


const char *const  fuzz_words[] = {
    "application/openmetrics-text", "text/plain", "text/html", "text/*",
    "application/*", "*/*", ";q=", ";q=0.5", ";q=1.000", ";q=0", ";version=",
    ";version=1.0.0", ";version=\"0.0.4\"", ",", ", ", ";", "\"", "=", "/",
    NULL
};


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned      i, best;
    ux_str_t      line, rest, part;
    const char   *comma;
    ux_accept_t   offers[OFFERS], again[OFFERS];

    line = fuzz_copy(data, size);

    memcpy(offers, offered, sizeof(offered));
    ux_accept_line(offers, OFFERS, line);
    best = ux_accept_best(offers, OFFERS);
    fuzz_check(best < OFFERS);

    for (i = 0; i < OFFERS; i++) {
        fuzz_check(offers[i].quality <= 1000 && offers[i].specific <= 3);
        fuzz_check(offers[i].specific != 0 || offers[i].quality == 0);
        fuzz_check(i < best ? offers[i].quality < offers[best].quality
                            : offers[i].quality <= offers[best].quality);
    }

    if (size > 0 && memchr(line.data, '"', line.len) == NULL) {
        memcpy(again, offered, sizeof(offered));

        for (rest = line; ; rest.data = comma + 1) {
            rest.len = (size_t) (line.data + line.len - rest.data);
            comma = memchr(rest.data, ',', rest.len);

            part = rest;
            part.len = comma != NULL ? (size_t) (comma - rest.data)
                                     : rest.len;
            ux_accept_line(again, OFFERS, part);

            if (comma == NULL) {
                break;
            }
        }

        fuzz_check(memcmp(offers, again, sizeof(offers)) == 0);
    }

    fuzz_free(line);

    return 0;
}
