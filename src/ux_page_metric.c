
/*
 * Copyright (C) the nginx-ux authors
 *
 * Metrics of an experiment: a table of each, with two drawings in every row
 * that say the same as the figures beside them, and so say nothing to who
 * cannot see them: where the rate is, on a scale that all rows share, and how
 * far from the control it is, by the interval that holds whenever one looks.
 */

#include "ux_page_private.h"

#include <math.h>


#define UX_PAGE_PLOT_WIDTH  160.0

/* Inside of its edges, so that no line ends at one. */
#define UX_PAGE_PLOT_EDGE   4.0


/* What the drawings of a column span. */
typedef struct {
    double  lo;
    double  hi;
} ux_page_scale_t;


static void ux_page_put_metric(const ux_page_of_t *of, ux_json_t *metric);
static void ux_page_put_metric_rows(const ux_page_of_t *of, ux_str_t name,
    ux_json_t *sample, const ux_page_figure_t *figures);
static void ux_page_put_charts(const ux_page_of_t *of, ux_str_t name);
static void ux_page_put_evidence(const ux_page_of_t *of, ux_str_t name,
    ux_json_t *sample);
static ux_json_t *ux_page_value(ux_json_t *metric, ux_json_t **interval);
static ux_page_scale_t ux_page_scale(const ux_page_of_t *of, ux_str_t name,
    bool lift);
static void ux_page_widen(ux_page_scale_t *scale, ux_json_t *value);
static void ux_page_put_plot(const ux_page_of_t *of,
    const ux_page_scale_t *scale, ux_json_t *value, ux_json_t *interval,
    bool zero);
static double ux_page_place(const ux_page_scale_t *scale, double value);


void
ux_page_put_metrics(const ux_page_of_t *of)
{
    ux_json_t  *metric;

    if (of->nvariants == 0) {
        return;
    }

    ux_page_print(of->text, "<div class=\"metrics\">\n");

    for (metric = ux_json_first(ux_page_at(of->variants[0], "metrics"));
         metric != NULL;
         metric = ux_json_next(metric))
    {
        ux_page_put_metric(of, metric);
    }

    ux_page_print(of->text, "</div>\n");
}


static void
ux_page_put_metric(const ux_page_of_t *of, ux_json_t *metric)
{
    ux_str_t  name, role, better;

    name = ux_json_name(metric);
    role = ux_page_word(metric, "role");
    better = ux_page_word(metric, "better");

    ux_page_print(of->text,
                  "<details class=\"metric role-%e\" id=\"%i-metric-%e\"%w>"
                  "<summary><span class=\"name\">%e</span> "
                  "<span class=\"role\">%e, %e is better</span></summary>\n",
                  role, of, name, role.len == 4 ? " open=\"\"" : "", name,
                  ux_words(UX_WORDS_ROLE, role), better);

    ux_page_put_metric_rows(of, name, metric, ux_page_metric_figures(metric));
    ux_page_put_charts(of, name);
    ux_page_put_evidence(of, name, metric);
    ux_page_unfold(of);
}


static void
ux_page_put_metric_rows(const ux_page_of_t *of, ux_str_t name,
    ux_json_t *sample, const ux_page_figure_t *figures)
{
    unsigned          i;
    ux_json_t        *node, *value, *interval;
    ux_page_scale_t   values, lifts;

    values = ux_page_scale(of, name, false);
    lifts = ux_page_scale(of, name, true);

    ux_page_table_open(of, of->text, "metric", "Metric", name, true);
    ux_page_print(of->text,
                  "<thead><tr><th scope=\"col\">Variant</th>"
                  "<th scope=\"col\">Value, drawn</th>"
                  "<th scope=\"col\">Lift, drawn</th>");
    ux_page_put_headings(of->text, NULL, figures, sample, false);
    ux_page_print(of->text, "</tr></thead>\n<tbody>");

    for (i = 0; i < of->nvariants; i++) {
        node = ux_page_member(of->variants[i], "metrics", name);

        ux_page_print(of->text, "<tr><th scope=\"row\">%e</th>",
                      ux_json_name(of->variants[i]));

        value = ux_page_value(node, &interval);
        ux_page_put_plot(of, &values, value, interval, false);
        ux_page_put_plot(of, &lifts, ux_page_at(node, "vs_control/lift"),
                         ux_page_at(node, "vs_control/lift_ci"), true);

        ux_page_put_cells(of->text, figures, sample, node, true);
        ux_page_print(of->text, "</tr>\n");
    }

    ux_page_table_close(of->text);
}


/* For a script to fill: there is no history of the version before. */
static void
ux_page_put_charts(const ux_page_of_t *of, ux_str_t name)
{
    if (of->previous) {
        return;
    }

    ux_page_print(of->text,
                  "<div class=\"chart\" id=\"%i-rate-%e\" data-chart=\"rate\" "
                  "data-metric=\"%e\" hidden=\"\"></div>\n"
                  "<div class=\"chart\" id=\"%i-lift-%e\" data-chart=\"lift\" "
                  "data-metric=\"%e\" hidden=\"\"></div>\n",
                  of, name, name, of, name, name);
}


static void
ux_page_put_evidence(const ux_page_of_t *of, ux_str_t name,
    ux_json_t *sample)
{
    unsigned                 i, n;
    ux_json_t               *node;
    const ux_page_figure_t  *figures;

    figures = ux_page_metric_is_share(sample) ? ux_page_evidence_share
                                              : ux_page_evidence_number;
    n = 0;

    for (i = 0; i < of->nvariants; i++) {
        node = ux_page_member(of->variants[i], "metrics", name);

        if (ux_json_type(ux_page_at(node, "vs_control")) != UX_JSON_OBJECT) {
            continue;
        }

        if (n++ == 0) {
            ux_page_fold_named(of, "evidence", "More about", name);
            ux_page_table_open(of, of->text, "evidence",
                               "Comparison with the control in", name, true);
            ux_page_put_headings(of->text, "Variant", figures, sample, true);
            ux_page_print(of->text, "</tr></thead>\n<tbody>");
        }

        ux_page_put_row(of->text, figures, sample,
                        ux_json_name(of->variants[i]), node, true);
    }

    if (n > 0) {
        ux_page_table_close(of->text);
        ux_page_unfold(of);
    }
}


ux_str_t
ux_page_goal(const ux_page_of_t *of)
{
    ux_str_t    none = ux_str(""), goal = ux_str("goal");
    ux_json_t  *metric;

    metric = of->nvariants == 0 ? NULL
             : ux_json_first(ux_page_at(of->variants[0], "metrics"));

    for ( /* void */ ; metric != NULL; metric = ux_json_next(metric)) {

        if (ux_str_equal(ux_page_word(metric, "role"), goal)) {
            return ux_json_name(metric);
        }
    }

    return none;
}


bool
ux_page_metric_is_share(ux_json_t *metric)
{
    ux_str_t  conversion = ux_str("conversion");

    return ux_str_equal(ux_page_word(metric, "type"), conversion);
}


const ux_page_figure_t *
ux_page_metric_figures(ux_json_t *metric)
{
    ux_str_t  ratio = ux_str("ratio");

    if (ux_page_metric_is_share(metric)) {
        return ux_page_conversion;
    }

    return ux_str_equal(ux_page_word(metric, "type"), ratio)
           ? ux_page_ratio : ux_page_total;
}


const ux_page_figure_t *
ux_page_value_figures(ux_json_t *metric)
{
    ux_str_t  ratio = ux_str("ratio");

    if (ux_page_metric_is_share(metric)) {
        return ux_page_value_share;
    }

    return ux_str_equal(ux_page_word(metric, "type"), ratio)
           ? ux_page_value_ratio : ux_page_value_number;
}


/* What the metric is, and its interval at one look. */
static ux_json_t *
ux_page_value(ux_json_t *metric, ux_json_t **interval)
{
    size_t      i;
    ux_json_t  *value;

    static const char *const  names[][2] = {
        { "rate", "rate_ci" },
        { "mean", "mean_ci" },
        { "ratio", "ratio_ci" }
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        value = ux_page_at(metric, names[i][0]);

        if (value != NULL) {
            *interval = ux_page_at(metric, names[i][1]);
            return value;
        }
    }

    *interval = NULL;

    return NULL;
}


/* All of the column; lifts are drawn with the control's 0. */
static ux_page_scale_t
ux_page_scale(const ux_page_of_t *of, ux_str_t name, bool lift)
{
    unsigned          i;
    ux_json_t        *node, *value, *interval;
    ux_page_scale_t   scale;

    scale.lo = lift ? 0 : INFINITY;
    scale.hi = lift ? 0 : -INFINITY;

    for (i = 0; i < of->nvariants; i++) {
        node = ux_page_member(of->variants[i], "metrics", name);

        if (lift) {
            value = ux_page_at(node, "vs_control/lift");
            interval = ux_page_at(node, "vs_control/lift_ci");

        } else {
            value = ux_page_value(node, &interval);
        }

        ux_page_widen(&scale, value);
        ux_page_widen(&scale, ux_json_first(interval));
        ux_page_widen(&scale, ux_json_next(ux_json_first(interval)));
    }

    return scale;
}


static void
ux_page_widen(ux_page_scale_t *scale, ux_json_t *value)
{
    double  number;

    number = ux_page_number(value);

    if (!isnan(number)) {
        scale->lo = fmin(scale->lo, number);
        scale->hi = fmax(scale->hi, number);
    }
}


static void
ux_page_put_plot(const ux_page_of_t *of, const ux_page_scale_t *scale,
    ux_json_t *value, ux_json_t *interval, bool zero)
{
    double      at;
    ux_json_t  *lo, *hi;
    ux_text_t  *text;

    text = of->text;
    at = ux_page_number(value);

    if (isnan(at)) {
        ux_page_print(text, "<td></td>");
        return;
    }

    ux_page_print(text,
                  "<td><svg class=\"plot\" width=\"160\" height=\"16\" "
                  "viewBox=\"0 0 160 16\" aria-hidden=\"true\" "
                  "focusable=\"false\" stroke=\"currentColor\">");

    if (zero) {
        ux_page_print(text, "<path class=\"zero\" stroke-dasharray=\"2\" "
                            "d=\"M");
        ux_page_put_place(text, ux_page_place(scale, 0));
        ux_page_print(text, " 0v16\"/>");
    }

    lo = ux_json_type(interval) == UX_JSON_ARRAY ? ux_json_first(interval)
                                                 : NULL;
    hi = ux_json_next(lo);

    if (!isnan(ux_page_number(lo)) && !isnan(ux_page_number(hi))) {
        ux_page_print(text, "<path class=\"interval\" stroke-width=\"2\" "
                            "d=\"M");
        ux_page_put_place(text, ux_page_place(scale, ux_page_number(lo)));
        ux_page_print(text, " 8H");
        ux_page_put_place(text, ux_page_place(scale, ux_page_number(hi)));
        ux_page_print(text, "\"/>");
    }

    ux_page_print(text, "<circle r=\"3\" cy=\"8\" fill=\"currentColor\" "
                        "cx=\"");
    ux_page_put_place(text, ux_page_place(scale, at));
    ux_page_print(text, "\"/></svg></td>");
}


static double
ux_page_place(const ux_page_scale_t *scale, double value)
{
    double  share;

    share = scale->hi > scale->lo
            ? (value - scale->lo) / (scale->hi - scale->lo) : 0.5;

    return UX_PAGE_PLOT_EDGE
           + share * (UX_PAGE_PLOT_WIDTH - 2 * UX_PAGE_PLOT_EDGE);
}
