
/*
 * Copyright (C) the nginx-ux authors
 *
 * An experiment on the page: what may be concluded comes first, then how its
 * variants do, then all else, folded.
 */

#include "ux_page_private.h"

#include <string.h>


static void ux_page_open(ux_page_of_t *of, ux_page_t *page, ux_str_t name,
    ux_json_t *experiment, bool previous);
static void ux_page_put_listed(ux_page_of_t *of);
static void ux_page_put_article(ux_page_of_t *of);
static void ux_page_put_begin(const ux_page_of_t *of);
static void ux_page_put_badges(const ux_page_of_t *of);
static void ux_page_put_problems(const ux_page_of_t *of);
static void ux_page_put_waiting(const ux_page_of_t *of);
static void ux_page_put_previous(const ux_page_of_t *of);


void
ux_page_experiment(ux_page_t *page, ux_str_t name, ux_json_t *experiment)
{
    ux_page_of_t  of;

    ux_page_open(&of, page, name, experiment, false);
    ux_page_put_listed(&of);
    ux_page_put_article(&of);
}


static void
ux_page_open(ux_page_of_t *of, ux_page_t *page, ux_str_t name,
    ux_json_t *experiment, bool previous)
{
    ux_json_t  *variant;

    memset(of, 0, sizeof(ux_page_of_t));

    of->page = page;
    of->text = &page->main;
    of->zone = page->zone;
    of->name = name;
    of->node = experiment;
    of->previous = previous;

    for (variant = ux_json_first(ux_page_at(experiment, "variants"));
         variant != NULL && of->nvariants < UX_PAGE_VARIANTS_MAX;
         variant = ux_json_next(variant))
    {
        of->variants[of->nvariants++] = variant;
    }
}


/* In the list at the head of the page. */
static void
ux_page_put_listed(ux_page_of_t *of)
{
    ux_str_t  verdict;

    verdict = ux_page_word(of->node, "verdict");

    ux_page_print(&of->page->top,
                  "<li><a href=\"#%i\">%e</a> <span class=\"badge "
                  "verdict-%e\">%e</span></li>\n",
                  of, of->name, verdict, ux_words(UX_WORDS_VERDICT, verdict));
}


static void
ux_page_put_article(ux_page_of_t *of)
{
    ux_page_put_begin(of);
    ux_page_put_badges(of);

    ux_page_print(of->text, "<p class=\"summary\" id=\"%i-summary\">%e</p>\n",
                  of, ux_page_word(of->node, "summary"));

    ux_page_put_problems(of);
    ux_page_put_waiting(of);
    ux_page_put_variants(of);
    ux_page_put_metrics(of);
    ux_page_put_funnels(of);
    ux_page_put_more(of);

    if (of->page->whole) {
        ux_page_put_segments(of);
        ux_page_put_previous(of);
    }

    ux_page_print(of->text, "</article>\n");
}


/* One of the version before has no paths of its own: scripts leave it. */
static void
ux_page_put_begin(const ux_page_of_t *of)
{
    ux_text_t  *text;

    text = of->text;

    if (of->previous) {
        ux_page_print(text,
            "<article class=\"experiment\" id=\"%i\" "
            "aria-labelledby=\"%i-name\">\n"
            "<h3 id=\"%i-name\">%e, previous version</h3>\n",
            of, of, of, of->name);
        return;
    }

    ux_page_print(text,
        "<article class=\"experiment\" id=\"%i\" data-zone=\"%e\" "
        "data-experiment=\"%e\" data-verdict=\"%e\"\n"
        " data-history=\"%u/history/%u/%u\"\n"
        " data-json=\"%u/api/1/zones/%u/experiments/%u\" "
        "aria-labelledby=\"%i-name\">\n",
        of, of->zone, of->name, ux_page_word(of->node, "verdict"),
        of->page->base, of->zone, of->name,
        of->page->base, of->zone, of->name, of);

    ux_page_print(text, "<h3 id=\"%i-name\">%e</h3>\n", of, of->name);

    if (!of->page->whole) {
        ux_page_print(text,
            "<p class=\"alone\"><a id=\"%i-alone\" "
            "href=\"%u/experiment/%u/%u\">All of %e, segments and the "
            "version before it included</a></p>\n",
            of, of->page->base, of->zone, of->name, of->name);
    }
}


static void
ux_page_put_badges(const ux_page_of_t *of)
{
    ux_str_t     verdict, state;
    ux_json_t   *ok;
    const char  *srm;

    verdict = ux_page_word(of->node, "verdict");
    state = ux_page_word(of->node, "state");

    ux_page_print(of->text,
                  "<p class=\"badge verdict-%e\" id=\"%i-verdict\">%e</p>\n",
                  verdict, of, ux_words(UX_WORDS_VERDICT, verdict));
    ux_page_print(of->text,
                  "<p class=\"badge state-%e\" id=\"%i-state\">%e</p>\n",
                  state, of, ux_words(UX_WORDS_STATE, state));

    ok = ux_page_at(of->node, "srm/ok");
    srm = ux_json_true(ok) ? "ok" : "mismatch";

    if (ux_json_true(ok) && ux_json_true(ux_page_at(of->node, "srm/warning")))
    {
        srm = "warning";
    }

    ux_page_print(of->text,
                  "<p class=\"badge srm-%w\" id=\"%i-srm\">Sample ratio %w"
                  "</p>\n",
                  srm, of, *srm == 'o' ? "in order"
                           : *srm == 'w' ? "doubtful" : "mismatch");
}


static void
ux_page_put_problems(const ux_page_of_t *of)
{
    ux_json_t  *problem;

    problem = ux_json_first(ux_page_at(of->node, "problems"));

    if (problem == NULL) {
        return;
    }

    ux_page_print(of->text, "<ul class=\"problems\" id=\"%i-problems\">\n",
                  of);

    for ( /* void */ ; problem != NULL; problem = ux_json_next(problem)) {
        ux_page_print(of->text, "<li><strong>%e</strong> %e</li>\n",
                      ux_words(UX_WORDS_PROBLEM,
                               ux_page_word(problem, "code")),
                      ux_page_word(problem, "text"));
    }

    ux_page_print(of->text, "</ul>\n");
}


static void
ux_page_put_waiting(const ux_page_of_t *of)
{
    ux_json_t  *code;

    code = ux_json_first(ux_page_at(of->node, "waiting_for"));

    if (code == NULL) {
        return;
    }

    ux_page_print(of->text,
                  "<div class=\"waiting\" id=\"%i-waiting\"><p>A decision "
                  "waits for</p>\n<ul>\n", of);

    for ( /* void */ ; code != NULL; code = ux_json_next(code)) {
        ux_page_print(of->text, "<li>%e</li>\n",
                      ux_words(UX_WORDS_WAITING, ux_json_word(code)));
    }

    ux_page_print(of->text, "</ul></div>\n");
}


/* The goal stands beside the visitors: most look no further. */
void
ux_page_put_variants(const ux_page_of_t *of)
{
    unsigned                 i;
    ux_str_t                 goal, none = ux_str("");
    ux_json_t               *metric;
    const ux_page_figure_t  *figures;

    goal = ux_page_goal(of);
    metric = of->nvariants > 0
             ? ux_page_member(of->variants[0], "metrics", goal) : NULL;
    figures = ux_page_metric_is_share(metric) ? ux_page_goal_conversion
                                              : ux_page_goal_total;

    if (goal.len > 0) {
        ux_page_table_open(of, of->text, "variants",
                           "Variants, and the goal", goal, true);

    } else {
        ux_page_table_open(of, of->text, "variants", "Variants", none, true);
    }

    ux_page_put_headings(of->text, "Variant", ux_page_variant, NULL, true);

    if (metric != NULL) {
        ux_page_put_headings(of->text, NULL, figures, metric, false);
    }

    ux_page_put_headings(of->text, NULL, ux_page_variant_more, NULL, false);
    ux_page_print(of->text, "</tr></thead>\n<tbody>");

    for (i = 0; i < of->nvariants; i++) {
        ux_page_print(of->text, "<tr><th scope=\"row\">%e%w</th>",
                      ux_json_name(of->variants[i]),
                      ux_json_true(ux_page_at(of->variants[i], "control"))
                      ? " (control)"
                      : ux_json_true(ux_page_at(of->variants[i], "removed"))
                        ? " (removed)" : "");
        ux_page_put_cells(of->text, ux_page_variant, NULL, of->variants[i],
                          true);

        if (metric != NULL) {
            ux_page_put_cells(of->text, figures, metric,
                              ux_page_member(of->variants[i], "metrics",
                                             goal), true);
        }

        ux_page_put_cells(of->text, ux_page_variant_more, NULL,
                          of->variants[i], true);
        ux_page_print(of->text, "</tr>\n");
    }

    ux_page_table_close(of->text);

    if (i == UX_PAGE_VARIANTS_MAX
        && ux_json_next(of->variants[i - 1]) != NULL)
    {
        ux_page_print(of->text, "<p>It had more variants: they are in the "
                                "JSON.</p>\n");
    }
}


static void
ux_page_put_previous(const ux_page_of_t *of)
{
    ux_json_t     *node;
    ux_page_of_t   previous;

    node = ux_page_at(of->node, "previous");

    if (of->previous || ux_json_type(node) != UX_JSON_OBJECT) {
        return;
    }

    ux_page_fold(of, "previous", "Previous version", false);
    ux_page_open(&previous, of->page, of->name, node, true);
    ux_page_put_article(&previous);
    ux_page_unfold(of);
}
