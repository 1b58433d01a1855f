
/*
 * Copyright (C) the nginx-ux authors
 *
 * The page of /uxstats: the same document as HTML, whole without script.
 *
 * It is made piece by piece, so that who has little time builds one experiment
 * after the other, prints it and forgets it:
 *
 *     ux_page_begin(&page, &place, document, false);
 *     ux_page_zone(&page, name, zone);
 *     ux_page_experiment(&page, name, experiment);       each of the zone
 *     ux_page_foot(&page, document);                     page.top, page.main
 *     ux_page_drop(&page);
 *
 * Every element that a script has to find again has an id of its own, and all
 * of it is well-formed XML, too.
 */

#ifndef UX_PAGE_H
#define UX_PAGE_H


#include "ux_report.h"
#include "ux_text.h"


/* Where the page is, and what lies below it; names of files, not paths. */
typedef struct {
    ux_str_t   location;               /* "/uxstats", as configured */
    ux_str_t   style;                  /* below LOCATION/assets/; len 0: */
    ux_str_t   script;                 /*   there is none */
    ux_str_t   icon;
} ux_page_place_t;


typedef struct {
    ux_text_t  top;                    /* up to the list of experiments */
    ux_text_t  main;
    ux_str_t   base;                   /* location without a slash behind */
    ux_str_t   home;                   /* location */
    ux_str_t   zone;                   /* name; len 0: none is open */
    bool       whole;                  /* one experiment, all of it */
} ux_page_t;


/*
 * document: members "node", "generated_at" and so on are read, its zones are
 * not.  What is passed lives until the end.  whole: a page of one experiment,
 * else segments and the version before are a link.
 */
void ux_page_begin(ux_page_t *page, const ux_page_place_t *place,
    ux_json_t *document, bool whole);

/* The zone's own figures; its experiments are not read. */
void ux_page_zone(ux_page_t *page, ux_str_t name, ux_json_t *zone);

/* One of that zone's; NULL for a node that is missing for want of memory. */
void ux_page_experiment(ux_page_t *page, ux_str_t name,
    ux_json_t *experiment);

/*
 * What is left of the page, so that it is in page->top and page->main, whose
 * memory is the page's until ux_page_drop().  Reads "help" of the document.
 */
void ux_page_foot(ux_page_t *page, ux_json_t *document);

/* Gives back what was made, whole or not. */
void ux_page_drop(ux_page_t *page);


#endif
