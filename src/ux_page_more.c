
/*
 * Copyright (C) the nginx-ux authors
 *
 * What else an experiment has: its design and its epochs, all who were
 * assigned, sessions, requests, vitals, surveys, money, the journey.
 */

#include "ux_page_private.h"

#include <stdio.h>


static void ux_page_put_design(const ux_page_of_t *of);
static void ux_page_put_assigned(const ux_page_of_t *of);
static void ux_page_put_epochs(const ux_page_of_t *of);
static void ux_page_put_weights(ux_text_t *text, ux_json_t *weights);
static void ux_page_put_requests(const ux_page_of_t *of);
static void ux_page_put_surveys(const ux_page_of_t *of);
static bool ux_page_any(const ux_page_of_t *of, const char *path);
static void ux_page_put_journey(const ux_page_of_t *of);
static void ux_page_put_moves(const ux_page_of_t *of, const char *caption,
    const char *section);


void
ux_page_put_more(const ux_page_of_t *of)
{
    ux_page_fold(of, "sessions", "Sessions and money", false);
    ux_page_put_compared(of, "compared", "Sessions", ux_page_sessions,
                         "sessions");
    ux_page_put_compared(of, "compared", "Money", ux_page_money, "money");
    ux_page_unfold(of);

    ux_page_put_requests(of);

    ux_page_fold(of, "vitals", "Web vitals", false);
    ux_page_put_groups(of, "vital", "Web vitals", ux_page_vital, "vitals");
    ux_page_unfold(of);

    ux_page_put_surveys(of);
    ux_page_put_journey(of);
    ux_page_put_design(of);
    ux_page_put_epochs(of);
}


static void
ux_page_put_requests(const ux_page_of_t *of)
{
    ux_str_t  none = ux_str("");

    ux_page_fold(of, "http", "Requests and answer times", false);
    ux_page_put_compared(of, "compared", "Requests", ux_page_http, "http");

    if (of->page->whole) {
        ux_page_put_members(of, "compared",
                            "Requests that took no longer, by seconds", none,
                            "http/seconds/buckets");
    }

    ux_page_unfold(of);
}


static void
ux_page_put_surveys(const ux_page_of_t *of)
{
    size_t    i;
    char      section[48];

    static const char *const  surveys[] = { "nps", "csat", "ces" };

    ux_page_fold(of, "surveys", "Surveys", false);
    ux_page_put_groups(of, "survey", "Surveys", ux_page_survey, "surveys");

    for (i = 0; i < sizeof(surveys) / sizeof(surveys[0]); i++) {
        (void) snprintf(section, sizeof(section), "surveys/%s/answers",
                        surveys[i]);

        if (!ux_page_any(of, section)) {
            continue;
        }

        (void) snprintf(section, sizeof(section), "surveys/%s/distribution",
                        surveys[i]);
        ux_page_put_members(of, "compared", "Answers to",
                            ux_page_str(surveys[i]), section);
    }

    ux_page_unfold(of);
}


/* Has any variant a number there that is not 0? */
static bool
ux_page_any(const ux_page_of_t *of, const char *path)
{
    unsigned  i;

    for (i = 0; i < of->nvariants; i++) {

        if (ux_page_number(ux_page_at(of->variants[i], path)) > 0) {
            return true;
        }
    }

    return false;
}


/* Without stages there is none. */
static void
ux_page_put_journey(const ux_page_of_t *of)
{
    if (of->nvariants == 0
        || ux_json_first(ux_page_at(of->variants[0], "journey/stages"))
           == NULL)
    {
        return;
    }

    ux_page_fold(of, "journey", "Journey", false);
    ux_page_put_groups(of, "stage", "Stages", ux_page_stage,
                       "journey/stages");

    if (ux_json_type(ux_page_at(of->variants[0], "contact"))
        == UX_JSON_OBJECT)
    {
        ux_page_put_compared(of, "compared", "Contacts", ux_page_contact,
                             "contact");
    }

    ux_page_put_moves(of, "Moves up to the first purchase, of",
                      "journey/before_purchase");
    ux_page_put_moves(of, "Moves after it, of", "journey/after_purchase");
    ux_page_unfold(of);
}


/* A table of each variant: from a row to a column. */
static void
ux_page_put_moves(const ux_page_of_t *of, const char *caption,
    const char *section)
{
    unsigned           i;
    ux_json_t         *rows, *row, *cell;
    ux_page_figure_t   count = { UX_PAGE_COUNT, "", "", false,
                                 UX_WORDS_NONE };

    for (i = 0; i < of->nvariants; i++) {
        rows = ux_page_at(of->variants[i], section);

        ux_page_table_open(of, of->text, "moves", caption,
                           ux_json_name(of->variants[i]), false);
        ux_page_print(of->text, "<thead><tr><th scope=\"col\">From, to</th>");

        for (cell = ux_json_first(ux_json_first(rows)); cell != NULL;
             cell = ux_json_next(cell))
        {
            ux_page_print(of->text, "<th scope=\"col\">%e</th>",
                          ux_json_name(cell));
        }

        ux_page_print(of->text, "</tr></thead>\n<tbody>");

        for (row = ux_json_first(rows); row != NULL; row = ux_json_next(row))
        {
            ux_page_print(of->text, "<tr><th scope=\"row\">%e</th>",
                          ux_json_name(row));

            for (cell = ux_json_first(row); cell != NULL;
                 cell = ux_json_next(cell))
            {
                ux_page_print(of->text, "<td>");
                ux_page_put_figure(of->text, &count, cell);
                ux_page_print(of->text, "</td>");
            }

            ux_page_print(of->text, "</tr>\n");
        }

        ux_page_table_close(of->text);
    }
}


static void
ux_page_put_design(const ux_page_of_t *of)
{
    ux_page_fold(of, "design", "Design and all who were assigned", false);
    ux_page_put_facts(of->text, ux_page_facts, of->node);
    ux_page_put_facts(of->text, ux_page_srm, ux_page_at(of->node, "srm"));
    ux_page_put_assigned(of);
    ux_page_unfold(of);
}


static void
ux_page_put_assigned(const ux_page_of_t *of)
{
    ux_str_t                 none = ux_str("");
    ux_json_t               *variant, *metric;
    const ux_page_figure_t  *figures;

    metric = of->nvariants == 0 ? NULL
             : ux_page_member(of->variants[0], "metrics", ux_page_goal(of));
    figures = ux_page_metric_is_share(metric) ? ux_page_assigned_share
                                              : ux_page_assigned_number;

    ux_page_table_open(of, of->text, "rows",
                       "All who were assigned, confirmed or not", none,
                       false);
    ux_page_put_headings(of->text, "Variant", figures, NULL, true);
    ux_page_print(of->text, "</tr></thead>\n<tbody>");

    for (variant = ux_json_first(ux_page_at(of->node,
                                            "intention_to_treat/variants"));
         variant != NULL;
         variant = ux_json_next(variant))
    {
        ux_page_put_row(of->text, figures, NULL, ux_json_name(variant),
                        variant, false);
    }

    ux_page_table_close(of->text);
}


static void
ux_page_put_epochs(const ux_page_of_t *of)
{
    ux_str_t    none = ux_str("");
    ux_json_t  *epoch;

    ux_page_fold(of, "epochs", "Epochs", false);
    ux_page_table_open(of, of->text, "rows",
                       "Stretches of unchanged settings", none, false);
    ux_page_put_headings(of->text, "Epoch", ux_page_epoch, NULL, true);
    ux_page_print(of->text, "<th scope=\"col\">Weights</th></tr></thead>\n"
                            "<tbody>");

    for (epoch = ux_json_first(ux_page_at(of->node, "epochs"));
         epoch != NULL;
         epoch = ux_json_next(epoch))
    {
        ux_page_print(of->text, "<tr><th scope=\"row\">%e</th>",
                      ux_json_word(ux_page_at(epoch, "epoch")));
        ux_page_put_cells(of->text, ux_page_epoch, NULL, epoch, false);
        ux_page_print(of->text, "<td>");
        ux_page_put_weights(of->text, ux_page_at(epoch, "weights"));
        ux_page_print(of->text, "</td></tr>\n");
    }

    ux_page_table_close(of->text);
    ux_page_unfold(of);
}


/* "control 50, one_page 50" */
static void
ux_page_put_weights(ux_text_t *text, ux_json_t *weights)
{
    ux_json_t  *weight;

    for (weight = ux_json_first(weights); weight != NULL;
         weight = ux_json_next(weight))
    {
        ux_page_print(text, "%e %e%w", ux_json_name(weight),
                      ux_json_word(weight),
                      ux_json_next(weight) != NULL ? ", " : "");
    }
}
