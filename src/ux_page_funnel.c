
/*
 * Copyright (C) the nginx-ux authors
 *
 * Funnels on the page: steps with the variants below each other and a bar for
 * each, then what became of the carts.
 */

#include "ux_page_private.h"

#include <math.h>


static void ux_page_put_funnel(const ux_page_of_t *of, ux_str_t name);
static void ux_page_put_steps(const ux_page_of_t *of, ux_str_t name);
static void ux_page_put_step(const ux_page_of_t *of, ux_str_t name,
    ux_json_t *step, unsigned number);
static void ux_page_put_tasks(const ux_page_of_t *of, ux_str_t name);
static void ux_page_put_carts(const ux_page_of_t *of, ux_str_t name);
static void ux_page_put_survival(const ux_page_of_t *of, ux_str_t name);
static void ux_page_put_survivors(const ux_page_of_t *of, ux_str_t name,
    ux_json_t *step);
static double ux_page_left_by(ux_json_t *carts, ux_str_t step);
static ux_json_t *ux_page_funnel_of(const ux_page_of_t *of, unsigned variant,
    ux_str_t name);
static void ux_page_put_columns(const ux_page_of_t *of, ux_str_t name,
    const char *caption, const ux_page_figure_t *figures,
    const char *section);


void
ux_page_put_funnels(const ux_page_of_t *of)
{
    ux_json_t  *funnel;

    if (of->nvariants == 0) {
        return;
    }

    for (funnel = ux_json_first(ux_page_at(of->variants[0], "funnels"));
         funnel != NULL;
         funnel = ux_json_next(funnel))
    {
        ux_page_put_funnel(of, ux_json_name(funnel));
    }
}


static void
ux_page_put_funnel(const ux_page_of_t *of, ux_str_t name)
{
    ux_json_t  *carts;

    ux_page_fold_named(of, "funnel", "Funnel", name);
    ux_page_put_steps(of, name);
    ux_page_put_tasks(of, name);
    ux_page_unfold(of);

    carts = ux_page_at(ux_page_funnel_of(of, 0, name), "carts");

    if (ux_json_type(carts) == UX_JSON_OBJECT) {
        ux_page_fold_named(of, "carts", "Carts of", name);
        ux_page_put_carts(of, name);
        ux_page_put_survival(of, name);
        ux_page_unfold(of);
    }
}


static void
ux_page_put_steps(const ux_page_of_t *of, ux_str_t name)
{
    unsigned    i;
    ux_json_t  *steps, *step;

    steps = ux_page_at(ux_page_funnel_of(of, 0, name), "steps");
    step = ux_json_first(steps);

    ux_page_table_open(of, of->text, "steps", "Steps of", name, false);
    ux_page_print(of->text,
                  "<thead><tr><th scope=\"col\">Variant</th>"
                  "<th scope=\"col\">Of all, drawn</th>");
    ux_page_put_headings(of->text, NULL, ux_page_step, step, false);
    ux_page_print(of->text, "</tr></thead>\n");

    for (i = 0; step != NULL; step = ux_json_next(step), i++) {
        ux_page_put_group(of->text, ux_page_step, step, 1,
                          ux_page_word(step, "event"),
                          ux_json_true(ux_page_at(step, "optional"))
                          ? ", optional" : "");
        ux_page_put_step(of, name, step, i);
        ux_page_print(of->text, ux_json_next(step) != NULL ? "</tbody>\n"
                                                           : "");
    }

    ux_page_table_close(of->text);
}


static void
ux_page_put_step(const ux_page_of_t *of, ux_str_t name, ux_json_t *sample,
    unsigned number)
{
    unsigned    i, k;
    ux_json_t  *step;

    for (i = 0; i < of->nvariants; i++) {
        step = ux_json_first(ux_page_at(ux_page_funnel_of(of, i, name),
                                        "steps"));

        for (k = 0; k < number; k++) {
            step = ux_json_next(step);
        }

        ux_page_print(of->text, "<tr><th scope=\"row\">%e</th><td>",
                      ux_json_name(of->variants[i]));
        ux_page_put_bar(of->text, ux_page_number(ux_page_at(step, "rate")));
        ux_page_print(of->text, "</td>");
        ux_page_put_cells(of->text, ux_page_step, sample, step, false);
        ux_page_print(of->text, "</tr>\n");
    }
}


/* What it shows stands beside it in figures. */
void
ux_page_put_bar(ux_text_t *text, double share)
{
    ux_page_print(text,
                  "<svg class=\"bar\" width=\"100\" height=\"12\" "
                  "viewBox=\"0 0 100 12\" aria-hidden=\"true\" "
                  "focusable=\"false\"><rect fill=\"currentColor\" "
                  "height=\"12\" width=\"");
    ux_page_put_place(text, isnan(share) ? 0 : 100 * fmin(share, 1));
    ux_page_print(text, "\"/></svg>");
}


static void
ux_page_put_tasks(const ux_page_of_t *of, ux_str_t name)
{
    ux_page_put_columns(of, name, "Task", ux_page_task, "task");
}


static void
ux_page_put_carts(const ux_page_of_t *of, ux_str_t name)
{
    ux_page_put_columns(of, name, "Carts of", ux_page_carts, "");
}


static void
ux_page_put_columns(const ux_page_of_t *of, ux_str_t name,
    const char *caption, const ux_page_figure_t *figures,
    const char *section)
{
    unsigned                 i;
    const ux_page_figure_t  *figure;

    ux_page_table_open(of, of->text, "compared", caption, name, false);
    ux_page_put_names(of);

    for (figure = figures; figure->heading != NULL; figure++) {
        ux_page_print(of->text, "<tr><th scope=\"row\">%w</th>",
                      figure->heading);

        for (i = 0; i < of->nvariants; i++) {
            ux_page_print(of->text, "<td>");
            ux_page_put_figure(of->text, figure,
                ux_page_at(ux_page_at(ux_page_funnel_of(of, i, name),
                                      section), figure->path));
            ux_page_print(of->text, "</td>");
        }

        ux_page_print(of->text, "</tr>\n");
    }

    ux_page_table_close(of->text);
}


/*
 * Of the settled carts, how many were given up with this step as the furthest,
 * and how many went on.
 */
static void
ux_page_put_survival(const ux_page_of_t *of, ux_str_t name)
{
    unsigned    i;
    ux_json_t  *step;

    ux_page_table_open(of, of->text, "survival",
                       "Carts by furthest step, of", name, false);
    ux_page_print(of->text, "<thead><tr><th scope=\"col\">Given up after"
                            "</th>");

    for (i = 0; i < of->nvariants; i++) {
        ux_page_print(of->text,
                      "<th scope=\"col\">%e: carts</th>"
                      "<th scope=\"col\">%e: went on</th>"
                      "<th scope=\"col\">%e: drawn</th>",
                      ux_json_name(of->variants[i]),
                      ux_json_name(of->variants[i]),
                      ux_json_name(of->variants[i]));
    }

    ux_page_print(of->text, "</tr></thead>\n<tbody>");

    for (step = ux_json_first(ux_page_at(ux_page_funnel_of(of, 0, name),
                                         "carts/abandoned_after"));
         step != NULL;
         step = ux_json_next(step))
    {
        ux_page_put_survivors(of, name, step);
    }

    ux_page_table_close(of->text);
}


static void
ux_page_put_survivors(const ux_page_of_t *of, ux_str_t name, ux_json_t *step)
{
    double             settled, share;
    unsigned           i;
    ux_json_t         *carts;
    ux_page_figure_t   count = { UX_PAGE_COUNT, "", "", false,
                                 UX_WORDS_NONE };

    ux_page_print(of->text, "<tr><th scope=\"row\">%e</th>",
                  ux_json_name(step));

    for (i = 0; i < of->nvariants; i++) {
        carts = ux_page_at(ux_page_funnel_of(of, i, name), "carts");
        settled = ux_page_number(ux_page_at(carts, "settled"));
        share = settled > 0
                ? (settled - ux_page_left_by(carts, ux_json_name(step)))
                  / settled
                : NAN;

        ux_page_print(of->text, "<td>");
        ux_page_put_figure(of->text, &count,
                           ux_page_member(carts, "abandoned_after",
                                          ux_json_name(step)));
        ux_page_print(of->text, "</td><td>");

        if (!isnan(share)) {
            ux_page_put_share(of->text, fmax(share, 0), false);
        }

        ux_page_print(of->text, "</td><td>");
        ux_page_put_bar(of->text, share);
        ux_page_print(of->text, "</td>");
    }

    ux_page_print(of->text, "</tr>\n");
}


/* Carts given up there or before. */
static double
ux_page_left_by(ux_json_t *carts, ux_str_t step)
{
    double      left;
    ux_json_t  *member;

    left = 0;

    for (member = ux_json_first(ux_page_at(carts, "abandoned_after"));
         member != NULL;
         member = ux_json_next(member))
    {
        left += ux_page_number(member);

        if (ux_str_equal(ux_json_name(member), step)) {
            break;
        }
    }

    return left;
}


static ux_json_t *
ux_page_funnel_of(const ux_page_of_t *of, unsigned variant, ux_str_t name)
{
    return ux_page_member(of->variants[variant], "funnels", name);
}
