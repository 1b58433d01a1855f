
/*
 * Copyright (C) the nginx-ux authors
 *
 * Segments of an experiment: for each, its metrics and funnels by value, with
 * the variants below each other.  All of it is exploratory, and says so.
 */

#include "ux_page_private.h"


static void ux_page_put_segment(const ux_page_of_t *whole, ux_str_t segment);
static void ux_page_put_effects(const ux_page_of_t *of, ux_str_t segment);
static void ux_page_put_value_metric(const ux_page_of_t *of,
    ux_str_t segment, ux_json_t *metric);
static void ux_page_put_value_funnel(const ux_page_of_t *of,
    ux_str_t segment, ux_str_t funnel);
static void ux_page_put_value_steps(const ux_page_of_t *of, ux_str_t segment,
    ux_str_t value, ux_str_t funnel);
static void ux_page_put_values(const ux_page_of_t *of, ux_str_t segment,
    const ux_page_figure_t *figures, ux_json_t *metric);
static ux_json_t *ux_page_value_of(const ux_page_of_t *of, unsigned variant,
    ux_str_t segment, ux_str_t value);


void
ux_page_put_segments(const ux_page_of_t *of)
{
    ux_json_t  *segment;

    if (of->nvariants == 0) {
        return;
    }

    for (segment = ux_json_first(ux_page_at(of->variants[0], "segments"));
         segment != NULL;
         segment = ux_json_next(segment))
    {
        ux_page_put_segment(of, ux_json_name(segment));
    }
}


static void
ux_page_put_segment(const ux_page_of_t *whole, ux_str_t segment)
{
    ux_str_t             none = ux_str("");
    ux_json_t           *first, *node;
    ux_page_of_t         part;
    const ux_page_of_t  *of;

    part = *whole;
    part.segment = segment;
    of = &part;

    first = ux_json_first(ux_page_member(of->variants[0], "segments",
                                         segment));

    ux_page_fold_named(of, "segments", "Segment", segment);
    ux_page_print(of->text,
                  "<p>Exploratory: intervals at one look at one value. With "
                  "many values, metrics and looks some miss by chance.</p>"
                  "\n");

    ux_page_table_open(of, of->text, "segment", "Visitors", none, false);
    ux_page_put_values(of, segment, ux_page_value_counts, NULL);
    ux_page_put_effects(of, segment);

    for (node = ux_json_first(ux_page_at(first, "metrics")); node != NULL;
         node = ux_json_next(node))
    {
        ux_page_put_value_metric(of, segment, node);
    }

    for (node = ux_json_first(ux_page_at(first, "funnels")); node != NULL;
         node = ux_json_next(node))
    {
        ux_page_put_value_funnel(of, segment, ux_json_name(node));
    }

    ux_page_unfold(of);
}


/* Do the effects differ between the values? */
static void
ux_page_put_effects(const ux_page_of_t *of, ux_str_t segment)
{
    ux_str_t    none = ux_str("");
    ux_json_t  *metric, *variant;

    metric = ux_json_first(ux_page_member(of->node, "segments", segment));

    if (metric == NULL) {
        return;
    }

    ux_page_table_open(of, of->text, "segment", "Does the effect differ?",
                       none, false);
    ux_page_put_headings(of->text, "Variant", ux_page_effect, NULL, true);
    ux_page_print(of->text, "</tr></thead>\n");

    for ( /* void */ ; metric != NULL; metric = ux_json_next(metric)) {
        ux_page_put_group(of->text, ux_page_effect, NULL, 0,
                          ux_json_name(metric), "");

        for (variant = ux_json_first(metric); variant != NULL;
             variant = ux_json_next(variant))
        {
            ux_page_put_row(of->text, ux_page_effect, NULL,
                            ux_json_name(variant), variant, false);
        }

        ux_page_print(of->text, ux_json_next(metric) != NULL ? "</tbody>\n"
                                                             : "");
    }

    ux_page_table_close(of->text);
}


static void
ux_page_put_value_metric(const ux_page_of_t *of, ux_str_t segment,
    ux_json_t *metric)
{
    ux_str_t  name;

    name = ux_json_name(metric);

    ux_page_print(of->text, "<h4>%e by %e</h4>\n", name, segment);
    ux_page_table_open(of, of->text, "segment", "Metric", name,
                       false);
    ux_page_put_values(of, segment, ux_page_value_figures(metric), metric);
}


/* The rest of a table: of each value the metric, or visitors if it is NULL. */
static void
ux_page_put_values(const ux_page_of_t *of, ux_str_t segment,
    const ux_page_figure_t *figures, ux_json_t *metric)
{
    unsigned    i;
    ux_json_t  *value, *node;

    ux_page_put_headings(of->text, "Variant", figures, metric, true);
    ux_page_print(of->text, "</tr></thead>\n");

    for (value = ux_json_first(ux_page_member(of->variants[0], "segments",
                                              segment));
         value != NULL;
         value = ux_json_next(value))
    {
        ux_page_put_group(of->text, figures, metric, 0,
                          ux_json_name(value), "");

        for (i = 0; i < of->nvariants; i++) {
            node = ux_page_value_of(of, i, segment, ux_json_name(value));

            if (metric != NULL) {
                node = ux_page_member(node, "metrics", ux_json_name(metric));
            }

            ux_page_put_row(of->text, figures, metric,
                            ux_json_name(of->variants[i]), node, false);
        }

        ux_page_print(of->text, ux_json_next(value) != NULL ? "</tbody>\n"
                                                            : "");
    }

    ux_page_table_close(of->text);
}


static void
ux_page_put_value_funnel(const ux_page_of_t *of, ux_str_t segment,
    ux_str_t funnel)
{
    ux_json_t  *value;

    ux_page_print(of->text, "<h4>Funnel %e by %e</h4>\n", funnel, segment);
    ux_page_table_open(of, of->text, "segment", "Steps of", funnel,
                       false);
    ux_page_put_headings(of->text, "Step, variant", ux_page_value_step, NULL,
                         true);
    ux_page_print(of->text, "</tr></thead>\n");

    for (value = ux_json_first(ux_page_member(of->variants[0], "segments",
                                              segment));
         value != NULL;
         value = ux_json_next(value))
    {
        ux_page_put_group(of->text, ux_page_value_step, NULL, 0,
                          ux_json_name(value), "");
        ux_page_put_value_steps(of, segment, ux_json_name(value), funnel);
        ux_page_print(of->text, ux_json_next(value) != NULL ? "</tbody>\n"
                                                            : "");
    }

    ux_page_table_close(of->text);
}


static void
ux_page_put_value_steps(const ux_page_of_t *of, ux_str_t segment,
    ux_str_t value, ux_str_t funnel)
{
    bool        more;
    unsigned    i, k, number;
    ux_json_t  *node, *step;

    more = true;

    for (number = 0; more; number++) {
        more = false;

        for (i = 0; i < of->nvariants; i++) {
            node = ux_page_value_of(of, i, segment, value);
            step = ux_json_first(ux_page_at(ux_page_member(node, "funnels",
                                                           funnel),
                                            "steps"));

            for (k = 0; k < number && step != NULL; k++) {
                step = ux_json_next(step);
            }

            if (step == NULL) {
                continue;
            }

            more = true;

            ux_page_print(of->text, "<tr><th scope=\"row\">%e, %e</th>",
                          ux_page_word(step, "event"),
                          ux_json_name(of->variants[i]));
            ux_page_put_cells(of->text, ux_page_value_step, NULL, step,
                              false);
            ux_page_print(of->text, "</tr>\n");
        }
    }
}


static ux_json_t *
ux_page_value_of(const ux_page_of_t *of, unsigned variant, ux_str_t segment,
    ux_str_t value)
{
    return ux_json_get(ux_page_member(of->variants[variant], "segments",
                                      segment), value);
}
