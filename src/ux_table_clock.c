
/*
 * Copyright (C) the nginx-ux authors
 *
 * The clock that records expire by: the time of day, unless that leaps.
 *
 * A machine without a battery starts in 1970 and is told the year later; a
 * wrong server of time tells another one.  Were records held against a clock
 * that went forward by years, all of them would be gone at once, and every
 * visitor would be assigned and counted anew.  So this clock follows:
 *
 *   forward, seen at least once an hour   24 times as fast as time passes,
 *                                         until it has caught up
 *   a leap by more than an hour           by a week at most
 *   back                                  at once: nothing expires by that
 *
 * A pause of the machine for less than a week is therefore all it is, and a
 * wrong year can be put right for hours before anybody who comes once a month
 * is forgotten.
 *
 * One word, of both times in seconds, changed by compare-and-swap: any
 * process may be killed anywhere.  Processes read their clocks at different
 * moments: what is behind the last time seen by less than a minute is no
 * clock that went back.
 */

#include "ux_table_private.h"


#define UX_LEAP_S       3600u
#define UX_LEAP_STEP_S  (7 * 86400u)
#define UX_FOLLOW       24u
#define UX_BEHIND_S     60u


static uint32_t ux_expiry_step(uint32_t at, uint32_t seen, uint32_t now_s);


uint32_t
ux_table_expiry(const ux_table_t *table, uint32_t now_s)
{
    uint32_t  at, seen;
    uint64_t  word;

    if (table->expiry == NULL) {
        return now_s;
    }

    word = __atomic_load_n(table->expiry, __ATOMIC_RELAXED);
    at = (uint32_t) (word >> 32);
    seen = (uint32_t) word;

    if (now_s == seen || (now_s < seen && seen - now_s < UX_BEHIND_S)) {
        return at < now_s ? at : now_s;
    }

    at = word == 0 ? now_s : ux_expiry_step(at, seen, now_s);

    /* whoever was faster has seen the same leap */

    if (__atomic_compare_exchange_n(table->expiry, &word,
                                    (uint64_t) at << 32 | now_s, false,
                                    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
    {
        return at;
    }

    at = (uint32_t) (word >> 32);

    return at < now_s ? at : now_s;
}


static uint32_t
ux_expiry_step(uint32_t at, uint32_t seen, uint32_t now_s)
{
    uint32_t  step, passed;

    if (now_s <= at || now_s < seen) {
        return at < now_s ? at : now_s;
    }

    passed = now_s - seen;
    step = passed > UX_LEAP_S ? UX_LEAP_STEP_S : passed * UX_FOLLOW;

    return now_s - at <= step ? now_s : at + step;
}
