
/*
 * Copyright (C) the nginx-ux authors
 *
 * uxctl report --history: of each experiment the document of its history.
 */

#include "uxctl.h"
#include "uxctl_report.h"

#include <stdio.h>

#include <apr_strings.h>


static int uxctl_history_print(const ux_report_t *report, ux_str_t zone,
    ux_str_t experiment);


/* Those that the newest configuration has. */
int
uxctl_report_history(const ux_report_t *report)
{
    int                rc;
    unsigned           i, n;
    const ux_model_t  *model;

    rc = UXCTL_OK;

    for (i = 0; i < report->nzones; i++) {
        model = report->zones[i].store->model;

        for (n = 0; n < model->nexperiments && rc == UXCTL_OK; n++) {
            rc = uxctl_history_print(report, model->zone,
                                     model->experiments[n].name);
        }
    }

    return rc;
}


static int
uxctl_history_print(const ux_report_t *report, ux_str_t zone,
    ux_str_t experiment)
{
    char      *text, path[2 * UX_NAME_MAX + 2];
    size_t     len;
    ux_str_t   of;

    of.data = path;
    of.len = (size_t) apr_snprintf(path, sizeof(path), "%.*s/%.*s",
                                   ux_word(zone), ux_word(experiment));

    if (ux_report_history(report, of, &text, &len) != UX_OK) {
        ux_report_free(text);
        fprintf(stderr, "uxctl: no memory for the report\n");
        return UXCTL_FAILED;
    }

    printf("%s\n", text);
    ux_report_free(text);

    return UXCTL_OK;
}
