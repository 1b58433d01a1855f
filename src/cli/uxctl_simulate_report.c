
/*
 * Copyright (C) the nginx-ux authors
 *
 * uxctl simulate: what the figures of a scenario are called, their limits, and
 * the table of it all.
 *
 * A share of false alarms, or of intervals that miss, may be above its level
 * by three Monte-Carlo errors.  It may not be 0 either, or it might be of a
 * test that never fires; a single scenario with few converters may have none,
 * so that is judged of a family together.
 */

#include "uxctl_simulate.h"
#include "../ux_json.h"

#include <stdio.h>
#include <string.h>


#define UXCTL_SIM_DEAD       0.001     /* a family's share of false alarms has
                                          to reach this, */
#define UXCTL_SIM_DEAD_RUNS  2000      /*   seen over as many runs or more */
#define UXCTL_SIM_FOUND      0.5
#define UXCTL_SIM_EDGE       0.01


typedef enum {
    UXCTL_SIM_UNUSED = 0,
    UXCTL_SIM_AT_ALPHA,                /* and three errors */
    UXCTL_SIM_AT_EXACT,                /* likewise, if it was asked */
    UXCTL_SIM_AT_END,                  /* likewise; may be 0 */
    UXCTL_SIM_AT_ALARM,                /* shares: at least, or false alarms */
    UXCTL_SIM_AT_LEAST,
    UXCTL_SIM_AT_STOP,
    UXCTL_SIM_AT_FOUND,
    UXCTL_SIM_AT_EDGE,
    UXCTL_SIM_AT_ZERO
} uxctl_sim_limit_e;

typedef struct {
    const char         *name;
    uxctl_sim_limit_e   limit;
} uxctl_sim_figure_t;

/* A line of the table. */
typedef struct {
    const char  *scenario;
    const char  *figure;
    uint64_t     runs;
    double       value;
    double       error;                /* Monte-Carlo, one standard error */
    double       limit;                /* NaN: none */
    bool         least;                /* the limit is a lower one */
    bool         ok;
} uxctl_sim_row_t;

typedef struct {
    const uxctl_sim_scenario_t *const  *scenarios;
    unsigned                            n;
    const double                       *figures;
    const uxctl_sim_options_t          *options;
    ux_json_t                          *rows;      /* NULL: a table */
    bool                                ok;
} uxctl_sim_report_t;


static int uxctl_sim_report_json(uxctl_sim_report_t *report);
static void uxctl_sim_report_rows(uxctl_sim_report_t *report);
static void uxctl_sim_report_scenario(uxctl_sim_report_t *report,
    unsigned index);
static bool uxctl_sim_report_used(const uxctl_sim_scenario_t *scenario,
    unsigned figure);
static void uxctl_sim_report_moments(const uxctl_sim_report_t *report,
    unsigned index, unsigned figure, uxctl_sim_row_t *row);
static void uxctl_sim_report_limit(const uxctl_sim_scenario_t *scenario,
    unsigned figure, uxctl_sim_row_t *row);
static double uxctl_sim_report_slack(double level, uint64_t runs);
static void uxctl_sim_report_family(uxctl_sim_report_t *report,
    unsigned last);
static void uxctl_sim_report_together(const uxctl_sim_report_t *report,
    unsigned last, unsigned figure, uxctl_sim_row_t *row);
static void uxctl_sim_report_put(uxctl_sim_report_t *report,
    uxctl_sim_row_t *row);
static void uxctl_sim_report_json_row(ux_json_t *rows,
    const uxctl_sim_row_t *row);


static const uxctl_sim_figure_t  uxctl_sim_figures[][UXCTL_SIM_FIGURES] = {

    [UXCTL_SIM_WINNER] = {
        { "false winners", UXCTL_SIM_AT_ALPHA },
        { "exact test's", UXCTL_SIM_AT_EXACT }
    },

    [UXCTL_SIM_POWER] = {
        { "winners", UXCTL_SIM_AT_LEAST },
        { "mean stop", UXCTL_SIM_AT_STOP }
    },

    [UXCTL_SIM_COVERAGE] = {
        { "difference missed", UXCTL_SIM_AT_ALPHA },
        { "lift missed", UXCTL_SIM_AT_ALPHA },
        { "exact lift missed", UXCTL_SIM_AT_EXACT },
        { "missed at the end", UXCTL_SIM_AT_END }
    },

    [UXCTL_SIM_DISCOVERIES] = {
        { "false discoveries", UXCTL_SIM_AT_ALPHA },
        { "found", UXCTL_SIM_AT_FOUND }
    },

    [UXCTL_SIM_RATIO] = {
        { "alarms", UXCTL_SIM_AT_ALARM }
    },

    [UXCTL_SIM_TABLES] = {
        { "disagreements", UXCTL_SIM_AT_ZERO },
        { "significant", UXCTL_SIM_AT_EDGE }
    }
};


int
uxctl_sim_report(const uxctl_sim_scenario_t *const *scenarios, unsigned n,
    const double *figures, const uxctl_sim_options_t *options)
{
    uxctl_sim_report_t  report;

    report.scenarios = scenarios;
    report.n = n;
    report.figures = figures;
    report.options = options;
    report.rows = NULL;
    report.ok = true;

    if (options->json) {
        return uxctl_sim_report_json(&report);
    }

    printf("%-26s %8s  %-18s %9s %9s  %-9s\n", "scenario", "runs", "figure",
           "value", "error", "limit");

    uxctl_sim_report_rows(&report);

    return report.ok ? UXCTL_OK : UXCTL_FAILED;
}


static int
uxctl_sim_report_json(uxctl_sim_report_t *report)
{
    char       *text;
    size_t      len;
    ux_json_t  *root;

    root = ux_json_new();

    ux_json_int(root, "seed", (int64_t) report->options->seed);
    ux_json_int(root, "runs", report->options->runs);

    report->rows = ux_json_array(root, "figures");
    uxctl_sim_report_rows(report);
    ux_json_bool(root, "ok", report->ok);

    text = ux_json_print(root, &len);
    ux_json_delete(root);

    if (text == NULL) {
        fprintf(stderr, "uxctl: no memory for the JSON\n");
        return UXCTL_FAILED;
    }

    printf("%s\n", text);
    ux_json_text_free(text);

    return report->ok ? UXCTL_OK : UXCTL_FAILED;
}


static void
uxctl_sim_report_rows(uxctl_sim_report_t *report)
{
    unsigned     i;
    const char  *family;

    for (i = 0; i < report->n; i++) {
        uxctl_sim_report_scenario(report, i);

        family = report->scenarios[i]->family;

        if (i + 1 == report->n
            || strcmp(report->scenarios[i + 1]->family, family) != 0)
        {
            uxctl_sim_report_family(report, i);
        }
    }
}


static void
uxctl_sim_report_scenario(uxctl_sim_report_t *report, unsigned index)
{
    unsigned                     figure;
    uxctl_sim_row_t              row;
    const uxctl_sim_scenario_t  *scenario;

    scenario = report->scenarios[index];

    for (figure = 0; figure < UXCTL_SIM_FIGURES; figure++) {

        if (!uxctl_sim_report_used(scenario, figure)) {
            continue;
        }

        row.scenario = scenario->name;
        row.figure = uxctl_sim_figures[scenario->kind][figure].name;

        uxctl_sim_report_moments(report, index, figure, &row);
        uxctl_sim_report_limit(scenario, figure, &row);
        uxctl_sim_report_put(report, &row);
    }
}


static bool
uxctl_sim_report_used(const uxctl_sim_scenario_t *scenario, unsigned figure)
{
    uxctl_sim_limit_e  limit;

    limit = uxctl_sim_figures[scenario->kind][figure].limit;

    return limit != UXCTL_SIM_UNUSED
           && (limit != UXCTL_SIM_AT_EXACT || scenario->exact);
}


/* In the order of the runs, whoever played them: the same to the last bit. */
static void
uxctl_sim_report_moments(const uxctl_sim_report_t *report, unsigned index,
    unsigned figure, uxctl_sim_row_t *row)
{
    double         runs, sum, squares;
    uint32_t       i;
    const double  *values;

    row->runs = report->options->runs;
    runs = (double) row->runs;
    sum = 0;
    squares = 0;

    values = &report->figures[(size_t) index * row->runs * UXCTL_SIM_FIGURES
                              + figure];

    for (i = 0; i < row->runs; i++) {
        sum += values[(size_t) i * UXCTL_SIM_FIGURES];
    }

    row->value = sum / runs;

    for (i = 0; i < row->runs; i++) {
        squares += pow(values[(size_t) i * UXCTL_SIM_FIGURES] - row->value, 2);
    }

    row->error = sqrt(squares) / runs;
}


static void
uxctl_sim_report_limit(const uxctl_sim_scenario_t *scenario, unsigned figure,
    uxctl_sim_row_t *row)
{
    row->least = false;

    switch (uxctl_sim_figures[scenario->kind][figure].limit) {

    case UXCTL_SIM_AT_ALPHA:
    case UXCTL_SIM_AT_EXACT:
    case UXCTL_SIM_AT_END:
        row->limit = uxctl_sim_report_slack(UXCTL_SIM_ALPHA, row->runs);
        break;

    case UXCTL_SIM_AT_ALARM:
        row->least = scenario->least > 0;
        row->limit = row->least
                     ? scenario->least
                     : uxctl_sim_report_slack(UX_SPLIT_SRM_P, row->runs);
        break;

    case UXCTL_SIM_AT_LEAST:
        row->least = true;
        row->limit = scenario->least;
        break;

    case UXCTL_SIM_AT_STOP:
        row->limit = scenario->stop > 0 ? scenario->stop : NAN;
        break;

    case UXCTL_SIM_AT_FOUND:
        row->least = true;
        row->limit = UXCTL_SIM_FOUND;
        break;

    case UXCTL_SIM_AT_EDGE:
        row->least = true;
        row->limit = UXCTL_SIM_EDGE;
        break;

    case UXCTL_SIM_AT_ZERO:
    case UXCTL_SIM_UNUSED:
        row->limit = 0;
        break;
    }
}


static double
uxctl_sim_report_slack(double level, uint64_t runs)
{
    return level + 3 * sqrt(level * (1 - level) / (double) runs);
}


/* All scenarios of the family up to `last`, which are next to each other. */
static void
uxctl_sim_report_family(uxctl_sim_report_t *report, unsigned last)
{
    char                       name[64];
    unsigned                   figure;
    uxctl_sim_row_t            row;
    uxctl_sim_limit_e          limit;
    const uxctl_sim_figure_t  *figures;

    figures = uxctl_sim_figures[report->scenarios[last]->kind];

    snprintf(name, sizeof(name), "%s (all)", report->scenarios[last]->family);

    for (figure = 0; figure < UXCTL_SIM_FIGURES; figure++) {
        limit = figures[figure].limit;

        if (limit != UXCTL_SIM_AT_ALPHA && limit != UXCTL_SIM_AT_EXACT) {
            continue;
        }

        row.scenario = name;
        row.figure = figures[figure].name;
        row.least = true;

        uxctl_sim_report_together(report, last, figure, &row);

        if (row.runs > 0) {
            row.limit = row.runs < UXCTL_SIM_DEAD_RUNS ? NAN : UXCTL_SIM_DEAD;
            uxctl_sim_report_put(report, &row);
        }
    }
}


static void
uxctl_sim_report_together(const uxctl_sim_report_t *report, unsigned last,
    unsigned figure, uxctl_sim_row_t *row)
{
    double                       sum, squares;
    unsigned                     i;
    uxctl_sim_row_t              one;
    const uxctl_sim_scenario_t  *scenario;

    row->runs = 0;
    sum = 0;
    squares = 0;

    for (i = 0; i <= last; i++) {
        scenario = report->scenarios[i];

        if (strcmp(scenario->family, report->scenarios[last]->family) == 0
            && uxctl_sim_report_used(scenario, figure))
        {
            uxctl_sim_report_moments(report, i, figure, &one);

            row->runs += one.runs;
            sum += one.value * (double) one.runs;
            squares += pow(one.error * (double) one.runs, 2);
        }
    }

    row->value = sum / (double) row->runs;
    row->error = sqrt(squares) / (double) row->runs;
}


static void
uxctl_sim_report_put(uxctl_sim_report_t *report, uxctl_sim_row_t *row)
{
    char  limit[32];

    row->ok = isnan(row->limit)
              || (row->least ? row->value >= row->limit
                             : row->value <= row->limit);

    report->ok = report->ok && row->ok;

    if (report->rows != NULL) {
        uxctl_sim_report_json_row(report->rows, row);
        return;
    }

    snprintf(limit, sizeof(limit), "%s %.4g", row->least ? ">=" : "<=",
             row->limit);

    printf("%-26s %8llu  %-18s %9.5g %9.2g  %-9s %s\n", row->scenario,
           (unsigned long long) row->runs, row->figure, row->value, row->error,
           isnan(row->limit) ? "" : limit, row->ok ? "ok" : "FAILED");
}


static void
uxctl_sim_report_json_row(ux_json_t *rows, const uxctl_sim_row_t *row)
{
    ux_json_t  *object;

    object = ux_json_append(rows);

    ux_json_string(object, "scenario", uxctl_str(row->scenario));
    ux_json_string(object, "figure", uxctl_str(row->figure));
    ux_json_int(object, "runs", (int64_t) row->runs);
    ux_json_number(object, "value", row->value);
    ux_json_number(object, "error", row->error);
    ux_json_number(object, row->least ? "at_least" : "at_most", row->limit);
    ux_json_bool(object, "ok", row->ok);
}
