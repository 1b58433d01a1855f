
/*
 * Copyright (C) the nginx-ux authors
 *
 * uxctl report: snapshots as the JSON of /uxstats.
 */

#include "uxctl.h"
#include "uxctl_report.h"

#include <stdio.h>
#include <string.h>

#include "../ux_time.h"


static int uxctl_report_option(int letter, const char *value,
    uxctl_report_t *words);
static int uxctl_snapshots_find(apr_pool_t *pool, apr_getopt_t *os,
    const char *zone, uxctl_snapshots_t *snapshots);
static int uxctl_report_help(void);


static const apr_getopt_option_t  uxctl_report_options[] = {
    { "zone", 'z', 1, "NAME" },
    { "now", 'n', 1, "TIME" },
    { "json", 'j', 0, NULL },
    { "table", 't', 0, NULL },
    { "history", 'y', 0, NULL },
    { "help", 'h', 0, NULL },
    { NULL, 0, 0, NULL }
};


int
uxctl_report(apr_pool_t *pool, int argc, const char *const *argv)
{
    int                rc;
    uxctl_report_t     words;
    uxctl_snapshots_t  snapshots;

    const uxctl_usage_t  usage = { pool, argc, argv, uxctl_report_options,
                                   uxctl_report_help };

    rc = uxctl_snapshots_words(&usage, &words, &snapshots);

    return rc == UXCTL_OK && !words.help
           ? uxctl_report_print(&snapshots, &words) : rc;
}


int
uxctl_snapshots_words(const uxctl_usage_t *usage, uxctl_report_t *words,
    uxctl_snapshots_t *snapshots)
{
    int            letter, rc;
    const char    *value;
    apr_getopt_t  *os;

    memset(words, 0, sizeof(uxctl_report_t));

    if (apr_getopt_init(&os, usage->pool, usage->argc, usage->argv)
        != APR_SUCCESS)
    {
        fprintf(stderr, "uxctl: no memory for the options\n");
        return UXCTL_FAILED;
    }

    while ((letter = uxctl_option(os, usage->options, &value)) != 0) {

        if (letter == -1) {
            return UXCTL_USAGE;
        }

        if (letter == 'h') {
            words->help = true;
            return usage->help();
        }

        rc = uxctl_report_option(letter, value, words);

        if (rc != UXCTL_OK) {
            return rc;
        }
    }

    return uxctl_snapshots_find(usage->pool, os, words->zone, snapshots);
}


static int
uxctl_report_option(int letter, const char *value, uxctl_report_t *words)
{
    switch (letter) {

    case 'z':
        words->zone = value;
        break;

    case 'j':
        words->json = true;
        break;

    case 't':
        words->table = true;
        break;

    case 'y':
        words->history = true;
        break;

    case 'o':
        words->output = value;
        break;

    default:
        if (ux_time_parse(uxctl_str(value), &words->now_ms) != UX_OK
            || words->now_ms == 0)
        {
            return uxctl_wrong("\"%s\" is not valid: expected a time like"
                               " 2026-01-31T08:00:00Z", value);
        }
    }

    return UXCTL_OK;
}


static int
uxctl_snapshots_find(apr_pool_t *pool, apr_getopt_t *os, const char *zone,
    uxctl_snapshots_t *snapshots)
{
    int  i, rc;

    memset(snapshots, 0, sizeof(uxctl_snapshots_t));

    snapshots->pool = pool;
    snapshots->zone = zone;
    snapshots->found = apr_array_make(pool, 4, sizeof(uxctl_incarnation_t));

    if (os->ind >= os->argc) {
        return uxctl_wrong("no file: expected snapshots, ZONE.UUID.counters,"
                           " or the folder of a zone's \"snapshot=\"");
    }

    for (i = os->ind; i < os->argc; i++) {
        rc = uxctl_snapshots_add(snapshots, os->argv[i]);

        if (rc != UXCTL_OK) {
            return rc;
        }
    }

    return uxctl_snapshots_end(snapshots);
}


static int
uxctl_report_help(void)
{
    printf("usage: uxctl report [OPTION...] FILE|FOLDER...\n"
           "\n"
           "Snapshots as the JSON of /uxstats: FILE is one of the files\n"
           "ZONE.UUID.counters and ZONE.UUID.visitors that \"snapshot=\" of\n"
           "ux_zone makes (the other one is found beside it), FOLDER all of\n"
           "them in it.  Several of one zone are added up, as a server that\n"
           "starts on them would; one that another holds as of its .base\n"
           "needs that beside it.\n"
           "\n"
           "  --zone NAME   only this zone\n"
           "  --now TIME    as of then; else when it was saved\n"
           "  --json        JSON, on a terminal too\n"
           "  --table       a table, elsewhere too\n"
           "  --history     what was said of each experiment when hours and\n"
           "                days had ended, as of /uxstats/history, one JSON\n"
           "                document a line; it is in .visitors\n");

    return UXCTL_OK;
}
