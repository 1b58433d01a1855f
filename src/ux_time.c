
/*
 * Copyright (C) the nginx-ux authors
 */

#include "ux_time.h"


typedef struct {
    unsigned  year;
    unsigned  month;
    unsigned  day;
    unsigned  hour;
    unsigned  minute;
    unsigned  second;
    int64_t   offset_s;
} ux_moment_t;


static bool ux_time_digits(ux_str_t *rest, unsigned n, unsigned *value);
static bool ux_time_char(ux_str_t *rest, const char *any, char *which);
static bool ux_time_date(ux_str_t *rest, ux_moment_t *moment);
static bool ux_time_clock(ux_str_t *rest, ux_moment_t *moment);
static bool ux_time_offset(ux_str_t *rest, ux_moment_t *moment);
static int64_t ux_time_days(const ux_moment_t *moment);
static unsigned ux_time_month_days(unsigned year, unsigned month);


ux_status_t
ux_time_parse(ux_str_t word, uint64_t *ms)
{
    int64_t      seconds;
    ux_str_t     rest;
    ux_moment_t  moment = { 0, 0, 0, 0, 0, 0, 0 };

    rest = word;

    if (!ux_time_date(&rest, &moment)) {
        return UX_ERROR;
    }

    if (rest.len != 0
        && (!ux_time_clock(&rest, &moment) || !ux_time_offset(&rest, &moment)
            || rest.len != 0))
    {
        return UX_ERROR;
    }

    seconds = ux_time_days(&moment) * 86400
              + (int64_t) moment.hour * 3600
              + (int64_t) moment.minute * 60
              + (int64_t) moment.second
              - moment.offset_s;

    if (seconds < 0) {
        return UX_ERROR;
    }

    *ms = (uint64_t) seconds * 1000;

    return UX_OK;
}


static bool
ux_time_date(ux_str_t *rest, ux_moment_t *moment)
{
    return ux_time_digits(rest, 4, &moment->year)
           && ux_time_char(rest, "-", NULL)
           && ux_time_digits(rest, 2, &moment->month)
           && ux_time_char(rest, "-", NULL)
           && ux_time_digits(rest, 2, &moment->day)
           && moment->year >= 1970
           && moment->month >= 1 && moment->month <= 12
           && moment->day >= 1
           && moment->day <= ux_time_month_days(moment->year, moment->month);
}


static bool
ux_time_clock(ux_str_t *rest, ux_moment_t *moment)
{
    if (!ux_time_char(rest, "Tt", NULL)
        || !ux_time_digits(rest, 2, &moment->hour)
        || !ux_time_char(rest, ":", NULL)
        || !ux_time_digits(rest, 2, &moment->minute))
    {
        return false;
    }

    if (ux_time_char(rest, ":", NULL)
        && !ux_time_digits(rest, 2, &moment->second))
    {
        return false;
    }

    return moment->hour <= 23 && moment->minute <= 59
           && moment->second <= 60;
}


static bool
ux_time_offset(ux_str_t *rest, ux_moment_t *moment)
{
    char      which;
    unsigned  hours, minutes;

    if (rest->len == 0 || ux_time_char(rest, "Zz", NULL)) {
        return true;
    }

    if (!ux_time_char(rest, "+-", &which)
        || !ux_time_digits(rest, 2, &hours)
        || !ux_time_char(rest, ":", NULL)
        || !ux_time_digits(rest, 2, &minutes)
        || hours > 23 || minutes > 59)
    {
        return false;
    }

    moment->offset_s = (int64_t) hours * 3600 + (int64_t) minutes * 60;

    if (which == '-') {
        moment->offset_s = -moment->offset_s;
    }

    return true;
}


static bool
ux_time_digits(ux_str_t *rest, unsigned n, unsigned *value)
{
    unsigned  i, v;

    if (rest->len < n) {
        return false;
    }

    v = 0;

    for (i = 0; i < n; i++) {
        if (rest->data[i] < '0' || rest->data[i] > '9') {
            return false;
        }

        v = v * 10 + (unsigned) (rest->data[i] - '0');
    }

    *value = v;
    rest->data += n;
    rest->len -= n;

    return true;
}


static bool
ux_time_char(ux_str_t *rest, const char *any, char *which)
{
    for ( /* void */ ; rest->len != 0 && *any != '\0'; any++) {

        if (*rest->data == *any) {

            if (which != NULL) {
                *which = *any;
            }

            rest->data++;
            rest->len--;

            return true;
        }
    }

    return false;
}


/* Days since 1970-01-01 of the proleptic Gregorian calendar. */
static int64_t
ux_time_days(const ux_moment_t *moment)
{
    int64_t   days, y;
    unsigned  m;

    y = (int64_t) moment->year - 1;
    days = y * 365 + y / 4 - y / 100 + y / 400 - 719162;

    for (m = 1; m < moment->month; m++) {
        days += ux_time_month_days(moment->year, m);
    }

    return days + (int64_t) moment->day - 1;
}


static unsigned
ux_time_month_days(unsigned year, unsigned month)
{
    static const unsigned char  days[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };

    if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)) {
        return 29;
    }

    return days[month - 1];
}
