
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_page: escapes, links, figures at their edges, parts of a page, and want
 * of memory.  What a page says is for t/57-page.t.
 */

#include "export_case.h"

#include "ux_page_private.h"


static void test_escapes(void);
static void test_links(void);
static void test_figures(void);
static void test_intervals(void);
static void test_places(void);
static void test_survival(void);
static void test_hostile_words(void);
static void test_paths(void);
static void test_parts(void);
static void test_no_memory(void);
static const char *printed(const char *format, const char *word);
static bool figure(ux_page_kind_e kind, const char *json,
    const char *expected);
static const char *page_of(const char *path, ux_status_t *status);
static bool well_formed(const char *text);


int
main(void)
{
    if (!fixture_map()) {
        return 1;
    }

    test_escapes();
    test_links();
    test_figures();
    test_intervals();
    test_places();
    test_survival();
    test_hostile_words();
    test_paths();
    test_parts();
    test_no_memory();

    return done();
}


static void
test_escapes(void)
{
    ok(strcmp(printed("%e", "a<b>&\"c'd"),
              "a&lt;b&gt;&amp;&quot;c&#39;d") == 0, "what text escapes");
    ok(strcmp(printed("%e", "a\x01\n\x7f" "b\xc3\xa9"),
              "a???b\xc3\xa9") == 0, "what XML has not at all");
    ok(strcmp(printed("%e", ""), "") == 0, "nothing");
    ok(strcmp(printed("<%e>%%", "x"), "<x>%") == 0, "and what is around it");
}


static void
test_links(void)
{
    ok(strcmp(printed("%u", "/a-b._~/C9"), "/a-b._~/C9") == 0,
       "what a path may have");
    ok(strcmp(printed("%u", "/a b?c#d%e\"<&'\xc3"),
              "/a%20b%3Fc%23d%25e%22%3C%26%27%C3") == 0, "what it may not");
    ok(strcmp(printed("%u", "//host/x"), "/%2Fhost/x") == 0,
       "a path does not begin as a host");
    ok(strcmp(printed("%u", "/a//b"), "/a//b") == 0, "later it is none");
    ok(strcmp(printed("%u", "javascript:x"), "javascript%3Ax") == 0,
       "nor a scheme");
}


static void
test_figures(void)
{
    ok(figure(UX_PAGE_COUNT, "0", "0") && figure(UX_PAGE_COUNT, "999", "999")
       && figure(UX_PAGE_COUNT, "1000", "1,000")
       && figure(UX_PAGE_COUNT, "9223372036854775807",
                 "9,223,372,036,854,775,807"), "counts are exact");
    ok(figure(UX_PAGE_COUNT, "-1234.50", "\xe2\x88\x92" "1,234.50")
       && figure(UX_PAGE_COUNT, "1544.10", "1,544.10"), "so are amounts");
    ok(figure(UX_PAGE_SHARE, "0.0517", "5.17 %")
       && figure(UX_PAGE_SHARE, "0", "0 %") && figure(UX_PAGE_SHARE, "1",
                                                      "100 %")
       && figure(UX_PAGE_SHARE, "0.5172", "51.7 %")
       && figure(UX_PAGE_SHARE, "0.00123", "0.123 %")
       && figure(UX_PAGE_SHARE, "0.09999", "10.0 %")
       && figure(UX_PAGE_SHARE, "1.2", "120.0 %"), "shares");
    ok(figure(UX_PAGE_SHARE, "0.9994", "99.9 %")
       && figure(UX_PAGE_SHARE, "0.9996", "99.96 %")
       && figure(UX_PAGE_SHARE, "0.99996", "&gt; 99.99 %")
       && figure(UX_PAGE_SHARE, "0.999999999", "&gt; 99.99 %"),
       "nearly all is not all");
    ok(figure(UX_PAGE_LOST, "0.75", "25.0 %")
       && figure(UX_PAGE_LOST, "0.9", "10.0 %")
       && figure(UX_PAGE_LOST, "1", "0 %"), "what is lost");
    ok(figure(UX_PAGE_LIFT, "0.082", "+8.2 %")
       && figure(UX_PAGE_LIFT, "-0.0042", "\xe2\x88\x92" "0.42 %")
       && figure(UX_PAGE_LIFT, "0", "0 %")
       && figure(UX_PAGE_LIFT, "-0.0000001", "0.00 %"), "lifts");
    ok(figure(UX_PAGE_POINTS, "-0.0123", "\xe2\x88\x92" "1.23 points"),
       "points");
    ok(figure(UX_PAGE_P, "0.03125", "0.0313")
       && figure(UX_PAGE_P, "1", "1.0000")
       && figure(UX_PAGE_P, "0.00009", "&lt; 0.0001")
       && figure(UX_PAGE_P, "0", "&lt; 0.0001"), "p");
    ok(figure(UX_PAGE_SECONDS, "0.0125", "12.50 ms")
       && figure(UX_PAGE_SECONDS, "0.012", "12 ms")
       && figure(UX_PAGE_SECONDS, "1.25", "1.25 s")
       && figure(UX_PAGE_SECONDS, "61", "1 min 1 s")
       && figure(UX_PAGE_SECONDS, "7500", "2 h 5 min")
       && figure(UX_PAGE_SECONDS, "604800", "7 d 0 h")
       && figure(UX_PAGE_DAYS, "1.5", "1 d 12 h"), "times");
    ok(figure(UX_PAGE_BYTES, "1023", "1,023 B")
       && figure(UX_PAGE_BYTES, "67108864", "64.0 MiB")
       && figure(UX_PAGE_BYTES, "9007199254740992", "8,192.0 TiB"), "bytes");
    ok(figure(UX_PAGE_NUMBER, "2.5735", "2.574")
       && figure(UX_PAGE_NUMBER, "50", "50")
       && figure(UX_PAGE_NUMBER, "1.5e300", "1.500e+300")
       && figure(UX_PAGE_CHANGE, "0.0123", "+0.01230"), "numbers");
    ok(figure(UX_PAGE_TIME, "\"2026-01-31T12:00:00Z\"",
              "<time datetime=\"2026-01-31T12:00:00Z\">2026-01-31 12:00:00 "
              "UTC</time>")
       && figure(UX_PAGE_TIME, "\"<\"", "&lt;"), "moments");
    ok(figure(UX_PAGE_WORD, "true", "yes")
       && figure(UX_PAGE_WORD, "false", "no")
       && figure(UX_PAGE_WORD, "\"a<b\"", "a&lt;b")
       && figure(UX_PAGE_WORD, "[\"a\",\"b\"]", "a, b"), "words");
    ok(figure(UX_PAGE_COUNT, "null", "\xe2\x80\x93")
       && figure(UX_PAGE_WORD, "null", "\xe2\x80\x93")
       && figure(UX_PAGE_COUNT, "{}", "\xe2\x80\x93"), "what is not known");
}


static void
test_intervals(void)
{
    ok(figure(UX_PAGE_SHARE, "[0.0366,0.0724]", "3.66 % to 7.24 %"),
       "of shares");
    ok(figure(UX_PAGE_LIFT, "[-0.01,null]",
              "from \xe2\x88\x92" "1.0 %"), "without an upper end");
    ok(figure(UX_PAGE_SHARE, "[]", "from \xe2\x80\x93"), "of nothing");
}


/* A drawing has no place outside of it. */
static void
test_places(void)
{
    unsigned  i;

    static const struct {
        double       place;
        const char  *text;
    }  cases[] = {
        { 0, "0" }, { -5, "0" }, { 79.96, "80" }, { 12.34, "12.3" },
        { 1e300, "1000" }, { NAN, "0" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char       *bytes;
        size_t      len;
        ux_text_t   text;

        memset(&text, 0, sizeof(ux_text_t));
        ux_page_put_place(&text, cases[i].place);
        ux_text_char(&text, '\0');
        bytes = ux_text_take(&text, &len);

        ok(bytes != NULL && strcmp(bytes, cases[i].text) == 0, "place %s",
           cases[i].text);
        ux_report_free(bytes);
    }
}


/* One of ten is 10.0 %: of the counts, not what 1 - 0.9 leaves of it. */
static void
test_survival(void)
{
    char          *bytes;
    size_t         len;
    ux_text_t      text;
    ux_page_of_t   of;

    memset(&text, 0, sizeof(ux_text_t));
    memset(&of, 0, sizeof(ux_page_of_t));

    of.text = &text;
    of.zone = str("shop");
    of.name = str("layout");
    of.nvariants = 1;
    of.variants[0] = ux_json_parse(str(
        "{\"funnels\":{\"checkout\":{\"carts\":{\"settled\":10,"
        "\"abandoned_after\":{\"cart\":6,\"pay\":3}}}}}"));

    ux_page_put_funnels(&of);
    ux_json_delete(of.variants[0]);
    ux_text_char(&text, '\0');
    bytes = ux_text_take(&text, &len);

    ok(bytes != NULL
       && strstr(bytes, "<th scope=\"row\">cart</th><td>6</td>"
                        "<td>40.0 %</td>") != NULL
       && strstr(bytes, "<th scope=\"row\">pay</th><td>3</td>"
                        "<td>10.0 %</td>") != NULL, "carts that went on");
    ux_report_free(bytes);
}


/* A host's name and a directory are what they are. */
static void
test_hostile_words(void)
{
    const char   *text;
    ux_status_t   status;

    setup();
    set_counts();
    report.node = str("</dd><script>x</script>\x02&\xff\"'");
    zone.snapshot = str("/tmp/<img src=x onerror=y>");

    text = page_of("", &status);

    ok(status == UX_OK && well_formed(text), "a page");
    ok(strstr(text, "<script>x") == NULL && strstr(text, "<img") == NULL,
       "no element of theirs");
    ok(strstr(text, "<dd>&lt;/dd&gt;&lt;script&gt;x&lt;/script&gt;?&amp;?"
                    "&quot;&#39;</dd>") != NULL, "but their text");
    ok(strstr(text, "/tmp/&lt;img src=x onerror=y&gt;") != NULL,
       "and that of a directory");
}


static void
test_paths(void)
{
    size_t       i;
    ux_status_t  status;

    static const char *const  wrong[] = {
        "/", "shop", "shop/", "/checkout_layout", "shop/nope",
        "nope/checkout_layout", "shop/checkout_layout/", "shop/banner/x",
        "shop//checkout_layout", "/shop/checkout_layout", "shop/check"
    };

    setup();
    set_counts();

    ok(well_formed(page_of("shop/checkout_layout", &status))
       && status == UX_OK, "a page of one");
    ok(strstr(page_of("shop/checkout_layout", &status),
              "data-experiment=\"checkout_layout\"") != NULL, "which is it");

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ok(strlen(page_of(wrong[i], &status)) == 0 && status == UX_DECLINED,
           "not there: %s", wrong[i]);
    }
}


/* Parts that are missing, and a page that is given up. */
static void
test_parts(void)
{
    ux_page_t   page;
    ux_json_t  *document, *zone;

    document = ux_json_parse(str("{\"zones\":{\"shop\":{\"visitors\":1}}}"));
    zone = ux_page_at(document, "zones/shop");

    ux_page_begin(&page, &export_place, document, false);
    ux_page_experiment(&page, str("none"), NULL);
    ux_page_foot(&page, NULL);
    ok(page.top.data != NULL && page.main.data != NULL,
       "a node that is missing is no crash");
    ux_page_drop(&page);

    ux_page_begin(&page, &export_place, document, false);
    ux_page_zone(&page, str("shop"), zone);
    ok(page.main.data != NULL, "a zone was put");
    ux_page_drop(&page);
    ok(page.top.data == NULL && page.main.data == NULL, "given up");

    ux_json_delete(document);
}


static void
test_no_memory(void)
{
    setup();
    set_counts();

    ux_json_set_allocator(test_alloc, test_release);

    ok(export_without_memory(UX_EXPORT_PAGE, "", 12) == 0,
       "all experiments: no page, and no leak");
    ok(export_without_memory(UX_EXPORT_PAGE, "shop/checkout_layout", 12) == 0,
       "one: no page, and no leak");

    ux_json_set_allocator(NULL, NULL);
}


/* Until the next call. */
static const char *
printed(const char *format, const char *word)
{
    char         *bytes;
    size_t        len;
    ux_text_t     text;

    static char   copy[200];

    memset(&text, 0, sizeof(ux_text_t));
    ux_page_print(&text, format, str(word));
    bytes = ux_text_take(&text, &len);

    len = len < sizeof(copy) ? len : 0;
    memcpy(copy, bytes, len);
    copy[len] = '\0';
    ux_report_free(bytes);

    return copy;
}


static bool
figure(ux_page_kind_e kind, const char *json, const char *expected)
{
    bool               same;
    char              *bytes;
    size_t             len;
    ux_json_t         *node;
    ux_text_t          text;
    ux_page_figure_t   of = { UX_PAGE_COUNT, "", "", false, UX_WORDS_NONE };

    of.kind = kind;
    node = ux_json_parse(str(json));
    memset(&text, 0, sizeof(ux_text_t));
    ux_page_put_figure(&text, &of, node);
    ux_json_delete(node);

    bytes = ux_text_take(&text, &len);
    same = bytes != NULL && len == strlen(expected)
           && memcmp(bytes, expected, len) == 0;

    if (!same) {
        printf("# %s is %.*s\n", json, (int) len, bytes);
    }

    ux_report_free(bytes);

    return same;
}


static const char *
page_of(const char *path, ux_status_t *status)
{
    return export_copy(UX_EXPORT_PAGE, path, status);
}


/* As many elements end as begin: t/57-page.t is strict. */
static bool
well_formed(const char *text)
{
    int          depth;
    const char  *p;

    depth = 0;

    for (p = strstr(text, "<html"); p != NULL && *p != '\0'; p++) {
        if (p[0] == '<') {
            depth += p[1] == '/' ? -1 : 1;
        }

        if (p[0] == '/' && p[1] == '>') {
            depth--;
        }
    }

    return text[0] != '\0' && depth == 0;
}
