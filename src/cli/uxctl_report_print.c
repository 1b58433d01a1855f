
/*
 * Copyright (C) the nginx-ux authors
 *
 * The document of /uxstats from what was loaded; ux_report.h makes it.
 */

#include "uxctl.h"
#include "uxctl_report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>


static int uxctl_report_load(const uxctl_snapshots_t *snapshots,
    const uxctl_report_t *words, int n, uxctl_zone_t **zones);
static void uxctl_report_head(const uxctl_zone_t *zones, int n,
    const uxctl_report_t *words, ux_report_t *report);


int
uxctl_report_print(const uxctl_snapshots_t *snapshots,
    const uxctl_report_t *words)
{
    int                rc, n;
    char              *text;
    size_t             len;
    ux_str_t           json, all = ux_str("");
    ux_report_t        report;
    uxctl_zone_t      *zones;
    ux_report_zone_t  *each;

    for (n = 0; uxctl_zone_name(snapshots, n) != NULL; n++) { /* void */ }

    rc = uxctl_report_load(snapshots, words, n, &zones);

    if (rc != UXCTL_OK) {
        return rc;
    }

    each = apr_pcalloc(snapshots->pool,
                       (size_t) n * sizeof(ux_report_zone_t));
    uxctl_report_head(zones, n, words, &report);
    report.nzones = (unsigned) n;
    report.zones = each;

    for (n = 0; n < (int) report.nzones; n++) {
        each[n].store = &zones[n].store;
        each[n].snapshot = uxctl_str(zones[n].folder);
        each[n].zone_size = zones[n].about.origin.size;
    }

    if (words->history) {
        return uxctl_report_history(&report);
    }

    if (ux_report_json(&report, all, &text, &len) != UX_OK) {
        fprintf(stderr, "uxctl: no memory for the report\n");
        return UXCTL_FAILED;
    }

    json.data = text;
    json.len = len;

    if (words->table || (!words->json && isatty(STDOUT_FILENO))) {
        rc = uxctl_report_table(json, zones, n);

    } else {
        printf("%s\n", text);
    }

    ux_report_free(text);

    return rc;
}


static int
uxctl_report_load(const uxctl_snapshots_t *snapshots,
    const uxctl_report_t *words, int n, uxctl_zone_t **zones)
{
    int  i, rc;

    *zones = apr_pcalloc(snapshots->pool,
                         (size_t) n * sizeof(uxctl_zone_t));

    for (i = 0; i < n; i++) {
        rc = uxctl_zone_load(snapshots, uxctl_zone_name(snapshots, i), words,
                             words->history, &(*zones)[i]);

        if (rc != UXCTL_OK) {
            return rc;
        }
    }

    return UXCTL_OK;
}


/* Who wrote the newest of them, and when. */
static void
uxctl_report_head(const uxctl_zone_t *zones, int n,
    const uxctl_report_t *words, ux_report_t *report)
{
    int                  i;
    const uxctl_zone_t  *newest;

    newest = &zones[0];

    for (i = 1; i < n; i++) {
        if (zones[i].written_ms > newest->written_ms) {
            newest = &zones[i];
        }
    }

    memset(report, 0, sizeof(ux_report_t));

    report->module = newest->about.origin.module;
    report->nginx = newest->about.origin.server;
    report->node = newest->about.origin.node;
    report->now_ms = words->now_ms != 0 ? words->now_ms : newest->written_ms;
}


const char *
uxctl_zone_name(const uxctl_snapshots_t *snapshots, int n)
{
    int                         i, k;
    const char                 *name;
    const uxctl_incarnation_t  *all;

    all = (const uxctl_incarnation_t *) (const void *)
          snapshots->found->elts;

    for (i = 0; i < snapshots->found->nelts; i++) {
        name = uxctl_newest(&all[i])->info.name;

        for (k = 0; k < i; k++) {
            if (strcmp(uxctl_newest(&all[k])->info.name, name) == 0) {
                break;
            }
        }

        if (k == i && n-- == 0) {
            return name;
        }
    }

    return NULL;
}
