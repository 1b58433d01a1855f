
/*
 * Copyright (C) the nginx-ux authors
 *
 * The page: its head, the list of its experiments, its foot.  That list comes
 * first and is known last, so there are two texts, put together in the end.
 */

#include "ux_page_private.h"

#include <string.h>


static void ux_page_put_head(ux_page_t *page, const ux_page_place_t *place);
static void ux_page_put_foot(ux_page_t *page, ux_json_t *document);
static void ux_page_close_zone(ux_page_t *page);


void
ux_page_begin(ux_page_t *page, const ux_page_place_t *place,
    ux_json_t *document, bool whole)
{
    memset(page, 0, sizeof(ux_page_t));

    page->whole = whole;
    page->home = place->location;
    page->base = place->location;

    if (page->base.len > 0 && page->base.data[page->base.len - 1] == '/') {
        page->base.len--;
    }

    ux_page_put_head(page, place);
    ux_page_put_facts(&page->top, ux_page_server, document);

    ux_page_print(&page->top,
                  "</header>\n<nav aria-label=\"Experiments\">\n"
                  "<ul class=\"experiments\">\n");
    ux_page_print(&page->main, "<main id=\"main\">\n");

    if (whole) {
        ux_page_print(&page->main,
                      "<p class=\"back\"><a href=\"%u\">All experiments</a>"
                      "</p>\n", page->home);
    }
}


static void
ux_page_put_head(ux_page_t *page, const ux_page_place_t *place)
{
    ux_text_t  *text;

    text = &page->top;

    ux_page_print(text,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
        "<meta charset=\"utf-8\"/>\n<title>Experiments</title>\n"
        "<meta name=\"viewport\" content=\"width=device-width, "
        "initial-scale=1\"/>\n"
        "<meta name=\"color-scheme\" content=\"light dark\"/>\n");

    if (place->icon.len > 0) {
        ux_page_print(text, "<link rel=\"icon\" type=\"image/svg+xml\" "
                            "href=\"%u/assets/%u\"/>\n",
                      page->base, place->icon);
    }

    if (place->style.len > 0) {
        ux_page_print(text, "<link rel=\"stylesheet\" "
                            "href=\"%u/assets/%u\"/>\n",
                      page->base, place->style);
    }

    if (place->script.len > 0) {
        ux_page_print(text, "<script src=\"%u/assets/%u\" defer=\"\">"
                            "</script>\n",
                      page->base, place->script);
    }

    ux_page_print(text,
        "</head>\n<body data-stats=\"%e\">\n"
        "<a class=\"skip\" href=\"#main\">Skip to the results</a>\n"
        "<header>\n<h1><a href=\"%u\">Experiments</a></h1>\n",
        page->base, page->home);
}


void
ux_page_zone(ux_page_t *page, ux_str_t name, ux_json_t *zone)
{
    ux_page_close_zone(page);

    page->zone = name;

    ux_page_print(&page->main,
                  "<section class=\"zone\" id=\"zone-%e\" data-zone=\"%e\" "
                  "aria-labelledby=\"zone-%e-name\">\n"
                  "<h2 id=\"zone-%e-name\">Zone %e</h2>\n",
                  name, name, name, name, name);

    ux_page_put_zone(page, zone);
}


static void
ux_page_close_zone(ux_page_t *page)
{
    if (page->zone.len > 0) {
        ux_page_print(&page->main, "</section>\n");
        page->zone.len = 0;
    }
}


void
ux_page_foot(ux_page_t *page, ux_json_t *document)
{
    ux_page_close_zone(page);
    ux_page_put_foot(page, document);
    ux_page_print(&page->top, "</ul>\n</nav>\n");
}


void
ux_page_drop(ux_page_t *page)
{
    ux_text_drop(&page->top);
    ux_text_drop(&page->main);
}


static void
ux_page_put_foot(ux_page_t *page, ux_json_t *document)
{
    ux_json_t  *member;
    ux_text_t  *text;

    text = &page->main;

    ux_page_print(text,
        "</main>\n<footer>\n<details id=\"help\"><summary>What the figures "
        "mean</summary>\n"
        "<p>Intervals and p-values called \"whenever you look\" are of a "
        "confidence sequence: they hold however often anybody looks. Those "
        "\"at one look\" describe, they decide nothing.</p>\n<dl>\n");

    for (member = ux_json_first(ux_page_at(document, "help")); member != NULL;
         member = ux_json_next(member))
    {
        ux_page_print(text, "<dt>%e</dt><dd>%e</dd>\n", ux_json_name(member),
                      ux_json_word(member));
    }

    ux_page_print(text,
        "</dl>\n</details>\n<p>The same as <a href=\"%u/api/1/\">JSON</a>, "
        "<a href=\"%u/export.csv\">CSV</a>, "
        "<a href=\"%u/metrics\">metrics</a>.</p>\n</footer>\n"
        "</body>\n</html>\n", page->base, page->base, page->base);
}
