
/*
 * Copyright (C) the nginx-ux authors
 *
 * What ux_export makes of a report, in one piece.
 */

#ifndef EXPORT_CASE_H
#define EXPORT_CASE_H


#include "failing_alloc.h"
#include "report_fixture.h"

#include "ux_export.h"


static const ux_page_place_t  export_place = {
    .location = ux_str("/uxstats"),
    .style = ux_str("page.css"),
    .script = ux_str("page.js")
};


/* *text is to be freed with ux_report_free(); NULL unless UX_OK. */
static ux_status_t
export_text(ux_export_e format, const char *path, char **text, size_t *len)
{
    ux_str_t             piece;
    ux_text_t            whole;
    ux_status_t          status;
    ux_export_t         *export;
    ux_export_wanted_t   wanted;

    *text = NULL;
    *len = 0;

    wanted.format = format;
    wanted.path = str(path);
    wanted.place = &export_place;

    export = ux_export_begin(&report, &wanted);

    if (export == NULL) {
        return UX_ERROR;
    }

    while (ux_export_turn(export)) { /* void */ }

    status = ux_export_status(export);

    if (status == UX_OK) {
        memset(&whole, 0, sizeof(ux_text_t));

        while (ux_export_text(export, &piece)) {
            ux_text_put(&whole, piece.data, piece.len);
        }

        *text = ux_text_take(&whole, len);
        status = *text != NULL ? UX_OK : UX_ERROR;
    }

    ux_export_end(export);

    return status;
}


/* The same where it is, ended by a NUL, until the call after the next. */
static const char *
export_copy(ux_export_e format, const char *path, ux_status_t *status)
{
    char             *text;
    size_t            len;

    static char       copies[2][400000];
    static unsigned   turn;

    turn = !turn;
    copies[turn][0] = '\0';

    *status = export_text(format, path, &text, &len);

    if (text != NULL && len < sizeof(copies[0])) {
        memcpy(copies[turn], text, len);
        copies[turn][len] = '\0';
    }

    ux_report_free(text);

    return copies[turn];
}


/* All but the last few allocations are the document's: those are tried. */
static unsigned
export_without_memory(ux_export_e format, const char *path, long last)
{
    char         *text;
    long          n, all;
    size_t        len;
    unsigned      wrong;
    ux_status_t   status;

    wrong = 0;
    all = 0;

    for (n = 0; n == 0 || n <= all; n = n == 0 ? all - last : n + 1) {
        allocs_fail_at(n);

        status = export_text(format, path, &text, &len);

        if (n == 0) {
            all = allocs;
            wrong += status != UX_OK || text == NULL || len == 0;

        } else {
            wrong += status != UX_ERROR || text != NULL || len != 0;
        }

        ux_report_free(text);
        wrong += live != 0;
    }

    return wrong + (all <= 300);
}


#endif
