
/*
 * Copyright (C) the nginx-ux authors
 *
 * ISO 8601: what is accepted is the moment that sscanf() and timegm() find,
 * and written as the C library writes it, it is that moment again.
 */

#include "fuzz.h"
#include "ux_time.h"

#include <time.h>


#define LAST_YEAR_S  253402300800      /* 10000-01-01 */


static void check_again(uint64_t ms);
static void check_slowly(ux_str_t word, uint64_t ms);
static long offset_of(const char *sign);


const char *const  fuzz_words[] = {
    "2026-01-31", "T08:00", "T08:00:00", "Z", "z", "t", "+01:00", "-23:59",
    "+24:00", "2024-02-29", "2023-02-29", "2000-02-29", "2100-02-29",
    "1970-01-01", "1969-12-31", "9999-12-31", "T23:59:60", "T24:00", "-00-",
    "-13-", "-31", "-32", "-00", ":60", ".5", " ", "T", NULL
};


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t  ms;
    ux_str_t  word;

    word = fuzz_copy(data, size);
    ms = 4711;

    if (ux_time_parse(word, &ms) == UX_OK) {
        fuzz_check(ms % 1000 == 0);
        fuzz_check(ms / 1000 <= LAST_YEAR_S + 86400);
        check_slowly(word, ms);
        check_again(ms);

    } else {
        fuzz_check(ms == 4711);
    }

    fuzz_free(word);

    return 0;
}


static void
check_again(uint64_t ms)
{
    char       text[32];
    time_t     seconds;
    uint64_t   again;
    ux_str_t   word;
    struct tm  tm;

    seconds = (time_t) (ms / 1000);

    if (seconds >= LAST_YEAR_S) {
        return;
    }

    fuzz_check(gmtime_r(&seconds, &tm) != NULL);

    word.data = text;
    word.len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);

    fuzz_check(ux_time_parse(word, &again) == UX_OK && again == ms);

    word.len--;
    fuzz_check(ux_time_parse(word, &again) == UX_OK && again == ms);
}


static void
check_slowly(ux_str_t word, uint64_t ms)
{
    int        at, used;
    char       text[32], t;
    struct tm  tm;

    fuzz_check(word.len >= 10 && word.len <= 25);
    memcpy(text, word.data, word.len);
    text[word.len] = '\0';
    fuzz_check(strlen(text) == word.len);

    memset(&tm, 0, sizeof(tm));
    used = 0;

    fuzz_check(sscanf(text, "%4d-%2d-%2d%n", &tm.tm_year, &tm.tm_mon,
                      &tm.tm_mday, &used) == 3 && used == 10);

    at = 0;

    if (sscanf(text + used, "%1[Tt]%2d:%2d%n", (char[2]) { 0 }, &tm.tm_hour,
               &tm.tm_min, &at) == 3)
    {
        used += at;
        at = 0;

        if (sscanf(text + used, ":%2d%n", &tm.tm_sec, &at) == 1) {
            used += at;
        }
    }

    t = text[used];
    fuzz_check(t == '\0' || strchr("Zz+-", t) != NULL);

    fuzz_check(tm.tm_mon >= 1 && tm.tm_mon <= 12);
    fuzz_check(tm.tm_mday >= 1 && tm.tm_mday <= 31);
    fuzz_check(tm.tm_hour <= 23 && tm.tm_min <= 59 && tm.tm_sec <= 60);

    tm.tm_year -= 1900;
    tm.tm_mon--;

    fuzz_check(timegm(&tm) - offset_of(text + used)
               == (time_t) (ms / 1000));
}


static long
offset_of(const char *sign)
{
    int  hours, minutes;

    if (*sign != '+' && *sign != '-') {
        fuzz_check(*sign == '\0' || sign[1] == '\0');
        return 0;
    }

    fuzz_check(sscanf(sign + 1, "%2d:%2d", &hours, &minutes) == 2);
    fuzz_check(strlen(sign) == 6 && hours < 24 && minutes < 60);

    return (*sign == '-' ? -60 : 60) * (hours * 60L + minutes);
}
