
/*
 * Copyright (C) the nginx-ux authors
 *
 * Tables and lists: a declared table of figures, walked over nodes of the
 * document.  Every table has a caption, every row and column a heading.
 */

#include "ux_page_private.h"


static bool ux_page_shown(const ux_page_figure_t *figure, ux_json_t *sample);
static void ux_page_put_cell(ux_text_t *text, const ux_page_figure_t *figure,
    ux_json_t *node, bool sortable);
static unsigned ux_page_sections(const ux_page_of_t *of, const char *section,
    ux_json_t *nodes[UX_PAGE_VARIANTS_MAX]);


void
ux_page_put_facts(ux_text_t *text, const ux_page_figure_t *figures,
    ux_json_t *node)
{
    ux_json_t               *value;
    const ux_page_figure_t  *figure;

    ux_page_print(text, "<dl class=\"facts\">\n");

    for (figure = figures; figure->heading != NULL; figure++) {
        value = ux_page_at(node, figure->path);

        if (value == NULL || ux_json_type(value) == UX_JSON_NULL) {
            continue;
        }

        ux_page_print(text, "<div><dt>%w</dt><dd>", figure->heading);
        ux_page_put_figure(text, figure, value);
        ux_page_print(text, "</dd></div>\n");
    }

    ux_page_print(text, "</dl>\n");
}


void
ux_page_put_headings(ux_text_t *text, const char *first,
    const ux_page_figure_t *figures, ux_json_t *sample, bool open)
{
    const ux_page_figure_t  *figure;

    if (open) {
        ux_page_print(text, "<thead><tr><th scope=\"col\">%w</th>", first);
    }

    for (figure = figures; figure->heading != NULL; figure++) {

        if (ux_page_shown(figure, sample)) {
            ux_page_print(text, "<th scope=\"col\">%w</th>",
                          figure->heading);
        }
    }
}


void
ux_page_put_cells(ux_text_t *text, const ux_page_figure_t *figures,
    ux_json_t *sample, ux_json_t *node, bool sortable)
{
    const ux_page_figure_t  *figure;

    for (figure = figures; figure->heading != NULL; figure++) {

        if (ux_page_shown(figure, sample)) {
            ux_page_put_cell(text, figure, ux_page_at(node, figure->path),
                             sortable);
        }
    }
}


void
ux_page_put_row(ux_text_t *text, const ux_page_figure_t *figures,
    ux_json_t *sample, ux_str_t name, ux_json_t *node, bool sortable)
{
    ux_page_print(text, "<tr><th scope=\"row\">%e</th>", name);
    ux_page_put_cells(text, figures, sample, node, sortable);
    ux_page_print(text, "</tr>\n");
}


void
ux_page_put_group(ux_text_t *text, const ux_page_figure_t *figures,
    ux_json_t *sample, unsigned drawn, ux_str_t name, const char *more)
{
    unsigned                 columns;
    const ux_page_figure_t  *figure;

    columns = 1 + drawn;

    for (figure = figures; figure->heading != NULL; figure++) {
        columns += ux_page_shown(figure, sample);
    }

    ux_page_print(text,
                  "<tbody><tr><th scope=\"rowgroup\" colspan=\"%n\">%e%w"
                  "</th></tr>\n", columns, name, more);
}


static bool
ux_page_shown(const ux_page_figure_t *figure, ux_json_t *sample)
{
    return !figure->optional || ux_page_at(sample, figure->path) != NULL;
}


/* Sorted by the document's own number, of an interval by its lower end. */
static void
ux_page_put_cell(ux_text_t *text, const ux_page_figure_t *figure,
    ux_json_t *node, bool sortable)
{
    ux_json_t  *by;

    by = ux_json_type(node) == UX_JSON_ARRAY ? ux_json_first(node) : node;

    if (sortable && ux_json_type(by) == UX_JSON_NUMBER) {
        ux_page_print(text, "<td data-sort=\"%e\">", ux_json_word(by));

    } else {
        ux_text_word(text, "<td>");
    }

    ux_page_put_figure(text, figure, node);
    ux_text_word(text, "</td>");
}


void
ux_page_put_compared(const ux_page_of_t *of, const char *class,
    const char *caption, const ux_page_figure_t *figures,
    const char *section)
{
    unsigned                 i, n;
    ux_str_t                 none = ux_str("");
    ux_json_t               *nodes[UX_PAGE_VARIANTS_MAX];
    const ux_page_figure_t  *figure;

    n = ux_page_sections(of, section, nodes);

    ux_page_table_open(of, of->text, class, caption, none, false);
    ux_page_put_names(of);

    for (figure = figures; figure->heading != NULL; figure++) {
        ux_page_print(of->text, "<tr><th scope=\"row\">%w</th>",
                      figure->heading);

        for (i = 0; i < n; i++) {
            ux_page_put_cell(of->text, figure,
                             ux_page_at(nodes[i], figure->path), false);
        }

        ux_page_print(of->text, "</tr>\n");
    }

    ux_page_table_close(of->text);
}


void
ux_page_put_members(const ux_page_of_t *of, const char *class,
    const char *caption, ux_str_t name, const char *section)
{
    unsigned           i, n;
    ux_json_t         *member, *nodes[UX_PAGE_VARIANTS_MAX];
    ux_page_figure_t   count = { UX_PAGE_COUNT, "", "", false,
                                 UX_WORDS_NONE };

    n = ux_page_sections(of, section, nodes);

    if (n == 0 || ux_json_first(nodes[0]) == NULL) {
        return;
    }

    ux_page_table_open(of, of->text, class, caption, name, false);
    ux_page_put_names(of);

    for (member = ux_json_first(nodes[0]); member != NULL;
         member = ux_json_next(member))
    {
        ux_page_print(of->text, "<tr><th scope=\"row\">%e</th>",
                      ux_json_name(member));

        for (i = 0; i < n; i++) {
            ux_page_put_cell(of->text, &count,
                             ux_json_get(nodes[i], ux_json_name(member)),
                             false);
        }

        ux_page_print(of->text, "</tr>\n");
    }

    ux_page_table_close(of->text);
}


void
ux_page_put_groups(const ux_page_of_t *of, const char *class,
    const char *caption, const ux_page_figure_t *figures,
    const char *section)
{
    unsigned    i, n;
    ux_str_t    none = ux_str("");
    ux_json_t  *member, *nodes[UX_PAGE_VARIANTS_MAX];

    n = ux_page_sections(of, section, nodes);

    if (n == 0 || ux_json_first(nodes[0]) == NULL) {
        return;
    }

    /* the first may not be as the others are: surveys */

    ux_page_table_open(of, of->text, class, caption, none, false);
    ux_page_put_headings(of->text, "Variant", figures,
                         ux_json_first(nodes[0]), true);
    ux_page_print(of->text, "</tr></thead>\n");

    for (member = ux_json_first(nodes[0]); member != NULL;
         member = ux_json_next(member))
    {
        ux_page_put_group(of->text, figures, ux_json_first(nodes[0]), 0,
                          ux_json_name(member), "");

        for (i = 0; i < n; i++) {
            ux_page_put_row(of->text, figures, ux_json_first(nodes[0]),
                            ux_json_name(of->variants[i]),
                            ux_json_get(nodes[i], ux_json_name(member)),
                            false);
        }

        ux_page_print(of->text, ux_json_next(member) != NULL ? "</tbody>\n"
                                                             : "");
    }

    ux_page_table_close(of->text);
}


void
ux_page_put_names(const ux_page_of_t *of)
{
    unsigned  i;

    ux_page_print(of->text, "<thead><tr><th scope=\"col\">Figure</th>");

    for (i = 0; i < of->nvariants; i++) {
        ux_page_print(of->text, "<th scope=\"col\">%e</th>",
                      ux_json_name(of->variants[i]));
    }

    ux_page_print(of->text, "</tr></thead>\n<tbody>");
}


/* Where each variant has it. */
static unsigned
ux_page_sections(const ux_page_of_t *of, const char *section,
    ux_json_t *nodes[UX_PAGE_VARIANTS_MAX])
{
    unsigned  i;

    for (i = 0; i < of->nvariants; i++) {
        nodes[i] = ux_page_at(of->variants[i], section);
    }

    return of->nvariants;
}
