
/*
 * Copyright (C) the nginx-ux authors
 *
 * Moments: against timegm(), and what is none.
 */

#include "ux_time.h"
#include "tap.h"

#include <stdio.h>
#include <string.h>
#include <time.h>


static uint64_t
parse(const char *text)
{
    uint64_t  ms;
    ux_str_t  word;

    ms = UINT64_MAX;
    word.data = text;
    word.len = strlen(text);

    return (ux_time_parse(word, &ms) == UX_OK) ? ms : UINT64_MAX;
}


int
main(void)
{
    bool        same;
    char        text[40];
    time_t      t;
    unsigned    i;
    struct tm   tm;

    static const char *const  wrong[] = {
        "", "2026", "2026-1-1", "2026-13-01", "2026-00-01", "2026-02-29",
        "2100-02-29", "2026-04-31", "2026-01-00", "1969-12-31",
        "2026-01-31T", "2026-01-31T8:00", "2026-01-31T24:00",
        "2026-01-31T08:60", "2026-01-31T08:00:61", "2026-01-31T08:00:",
        "2026-01-31 08:00", "2026-01-31T08:00:00+1:00",
        "2026-01-31T08:00:00+01:0", "2026-01-31T08:00:00+24:00",
        "2026-01-31T08:00:00Zx", "2026-01-31x", "tomorrow",
        "1970-01-01T00:00:00+01:00"
    };

    ok(parse("1970-01-01") == 0, "the epoch");
    ok(parse("2026-01-31T08:00:00Z") == 1769846400000ull, "UTC");
    ok(parse("2026-01-31T08:00Z") == 1769846400000ull, "without seconds");
    ok(parse("2026-01-31T08:00:00") == 1769846400000ull, "without an offset");
    ok(parse("2026-01-31T09:00:00+01:00") == 1769846400000ull, "east");
    ok(parse("2026-01-31T02:30:00-05:30") == 1769846400000ull, "west");
    ok(parse("2024-02-29") == 1709164800000ull, "a leap day");
    ok(parse("2000-02-29") == 951782400000ull, "the leap day of 2000");

    same = true;

    for (i = 0; i < 20000; i++) {
        t = (time_t) i * 12345679;
        gmtime_r(&t, &tm);
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
        same = same && parse(text) == (uint64_t) t * 1000;
    }

    ok(same, "20000 moments of the years 1970 to 9794 as gmtime() has them");

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ok(parse(wrong[i]) == UINT64_MAX, "refused: \"%s\"", wrong[i]);
    }

    return done();
}
