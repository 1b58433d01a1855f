
/*
 * Copyright (C) the nginx-ux authors
 *
 * A zone on the page: its room, its snapshots, what was not counted, and what
 * was, whatever the experiment.
 */

#include "ux_page_private.h"


static void ux_page_put_counts(ux_text_t *text, const char *caption,
    ux_str_t zone, ux_words_set_e words, ux_json_t *counts);
static void ux_page_put_zone_section(ux_page_t *page, const char *caption,
    const ux_page_figure_t *figures, ux_json_t *section);
static void ux_page_put_zone_rows(ux_page_t *page, const char *caption,
    const char *first, const ux_page_figure_t *figures, ux_json_t *section);


void
ux_page_put_zone(ux_page_t *page, ux_json_t *zone)
{
    ux_text_t  *text;

    text = &page->main;

    ux_page_print(text, "<details id=\"zone-%e-more\" class=\"zone-more\">"
                        "<summary>About the zone</summary>\n", page->zone);

    ux_page_put_facts(text, ux_page_zone_facts, zone);
    ux_page_put_counts(text, "Not counted in", page->zone,
                       UX_WORDS_DISCARDED, ux_page_at(zone, "discarded"));
    ux_page_put_counts(text, "Events in", page->zone, UX_WORDS_NONE,
                       ux_page_at(zone, "events"));
    ux_page_put_zone_rows(page, "Amounts in other currencies in", "Currency",
                          ux_page_currency,
                          ux_page_at(zone, "other_currencies"));
    ux_page_put_zone_section(page, "Requests in", ux_page_http,
                             ux_page_at(zone, "http"));
    ux_page_put_zone_rows(page, "Vitals in", "Vital", ux_page_vital,
                          ux_page_at(zone, "vitals"));

    ux_page_print(text, "</details>\n");
}


static void
ux_page_put_counts(ux_text_t *text, const char *caption, ux_str_t zone,
    ux_words_set_e words, ux_json_t *counts)
{
    ux_json_t         *member;
    ux_page_figure_t   count = { UX_PAGE_COUNT, "", "", false,
                                 UX_WORDS_NONE };

    ux_page_table_open(NULL, text, "counts", caption, zone, false);
    ux_page_print(text, "<thead><tr><th scope=\"col\">What</th>"
                        "<th scope=\"col\">Count</th></tr></thead>\n"
                        "<tbody>");

    for (member = ux_json_first(counts); member != NULL;
         member = ux_json_next(member))
    {
        ux_page_print(text, "<tr><th scope=\"row\">%e</th><td>",
                      ux_words(words, ux_json_name(member)));
        ux_page_put_figure(text, &count, member);
        ux_page_print(text, "</td></tr>\n");
    }

    ux_page_table_close(text);
}


static void
ux_page_put_zone_section(ux_page_t *page, const char *caption,
    const ux_page_figure_t *figures, ux_json_t *section)
{
    ux_text_t               *text;
    const ux_page_figure_t  *figure;

    text = &page->main;

    ux_page_table_open(NULL, text, "counts", caption, page->zone, false);
    ux_page_print(text, "<thead><tr><th scope=\"col\">Figure</th>"
                        "<th scope=\"col\">All</th></tr></thead>\n<tbody>");

    for (figure = figures; figure->heading != NULL; figure++) {
        ux_page_print(text, "<tr><th scope=\"row\">%w</th><td>",
                      figure->heading);
        ux_page_put_figure(text, figure, ux_page_at(section, figure->path));
        ux_page_print(text, "</td></tr>\n");
    }

    ux_page_table_close(text);
}


static void
ux_page_put_zone_rows(ux_page_t *page, const char *caption,
    const char *first, const ux_page_figure_t *figures, ux_json_t *section)
{
    ux_json_t  *member;
    ux_text_t  *text;

    text = &page->main;
    member = ux_json_first(section);

    if (member == NULL) {
        return;
    }

    ux_page_table_open(NULL, text, "rows", caption, page->zone, false);
    ux_page_put_headings(text, first, figures, member, true);
    ux_page_print(text, "</tr></thead>\n<tbody>");

    for ( /* void */ ; member != NULL; member = ux_json_next(member)) {
        ux_page_put_row(text, figures, member, ux_json_name(member), member,
                        false);
    }

    ux_page_table_close(text);
}
