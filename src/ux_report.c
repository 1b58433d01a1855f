
/*
 * Copyright (C) the nginx-ux authors
 *
 * The head of the document of /uxstats, and what all of its parts are put
 * with.  Cost grows with experiments, variants, funnels and values of
 * segments, never with visitors.
 */

#include "ux_report.h"
#include "ux_report_private.h"

#include <string.h>


#define UX_REPORT_VERSION  1


void
ux_report_free(char *text)
{
    ux_json_text_free(text);
}


void
ux_report_put_head(ux_json_t *root, const ux_report_t *report)
{
    ux_json_int(root, "version", UX_REPORT_VERSION);
    ux_json_string(root, "module", report->module);
    ux_json_string(root, "nginx", report->nginx);
    ux_json_string(root, "node", report->node);
    ux_json_time(root, "generated_at", report->now_ms);
}


const char *
ux_report_key(ux_report_key_t *key, ux_str_t name)
{
    size_t  len;

    len = name.len < UX_NAME_MAX ? name.len : UX_NAME_MAX;

    memcpy(key->text, name.data, len);
    key->text[len] = '\0';

    return key->text;
}


void
ux_report_put_count(ux_json_t *parent, const char *name, uint64_t count)
{
    ux_json_int(parent, name,
                count <= INT64_MAX ? (int64_t) count : INT64_MAX);
}


void
ux_report_put_rate(ux_json_t *parent, const char *name, uint64_t x,
    uint64_t n)
{
    if (n == 0) {
        ux_json_null(parent, name);
        return;
    }

    ux_json_number(parent, name, (double) (x < n ? x : n) / (double) n);
}


void
ux_report_put_interval(ux_json_t *parent, const char *name, uint64_t x,
    uint64_t n)
{
    ux_interval_t  interval;

    if (n == 0) {
        ux_json_null(parent, name);
        return;
    }

    interval = ux_stats_wilson(x < n ? x : n, n, UX_STATS_Z95);
    ux_json_interval(parent, name, interval.lo, interval.hi);
}


void
ux_report_put_nulls(ux_json_t *parent, const char *names)
{
    ux_str_t         name;
    ux_report_key_t  key;

    while (*names != '\0') {
        name.data = names;
        name.len = strcspn(names, " ");

        ux_json_null(parent, ux_report_key(&key, name));

        names += name.len;
        names += strspn(names, " ");
    }
}
