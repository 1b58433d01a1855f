
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_beacon: what is read of a body, what is passed over, what refuses it.
 * Items are compared as one line each, "purchase value=12.5 id=a".
 */

#include "ux_beacon.h"
#include "ux_json.h"
#include "ux_number.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>


static void test_events(void);
static void test_values(void);
static void test_words(void);
static void test_unknown(void);
static void test_vitals(void);
static void test_refused(void);
static void test_everywhere(void);
static void test_passed_over(void);
static void test_limits(void);
static void test_bytes(void);
static void test_memory(void);
static bool reads(const char *body, const char *expected);
static bool read_as(const char *body, bool trusted, const char *expected);
static bool refuses(ux_str_t body, const char *why);
static bool refuses_text(const char *body, const char *why);
static void line_of(const ux_beacon_item_t *item, char *line);
static ux_str_t repeated(const char *before, const char *part, unsigned n,
    const char *after);
static void *test_alloc(size_t size);
static void test_release(void *p);


static ux_beacon_t  beacon;
static ux_error_t   error;

static char    text[300000];
static long    allocs;
static long    fail_at;
static size_t  held;
static size_t  most;


int
main(void)
{
    test_events();
    test_values();
    test_words();
    test_unknown();
    test_vitals();
    test_refused();
    test_everywhere();
    test_passed_over();
    test_limits();
    test_bytes();
    test_memory();

    return done();
}


static void
test_events(void)
{
    ok(reads("{\"event\":\"purchase\"}", "purchase"), "an event");
    ok(reads(" [ {\r\n\t\"event\" : \"a\" } , { \"event\" : \"b\" } ] \n",
             "a|b"), "an array of them, with blanks");
    ok(reads("[]", ""), "an array of none");
    ok(reads("{\"event\":\"add_payment_info\",\"value\":12.5,"
             "\"currency\":\"EUR\",\"id\":\"o-1\"}",
             "add_payment_info value=12.5 currency=EUR id=o-1"),
       "all members");
    ok(reads("{\"id\":\"o\",\"value\":1,\"event\":\"a\"}", "a value=1 id=o"),
       "in any order");
    ok(reads("{\"\\u0065vent\":\"p\\u0075rchase\"}", "purchase"),
       "written with escapes");
    ok(reads("{\"event\":\"a\",\"name\":\"LCP\"}", "a"),
       "an event that has a name is no metric");
    ok(reads("{\"event\":\"a\",\"visitor\":\"x\"}", "a"),
       "a visitor that anybody names is none");
    ok(reads("{\"event\":\"a\",\"visitor\":1,\"visitor\":[]}", "a"),
       "whatever it is");
    ok(read_as("{\"event\":\"a\",\"visitor\":\"x\"}", true, "a visitor=x"),
       "trusted: a visitor");
    ok(read_as("{\"event\":\"a\",\"visitor\":42}", true, "a visitor=42"),
       "trusted: a number");
    ok(read_as("{\"event\":\"a\",\"visitor\":null}", true, "a visitor=")
       && read_as("{\"event\":\"a\",\"visitor\":\"\"}", true, "a visitor="),
       "trusted: nobody is named");
    ok(read_as("{\"event\":\"a\",\"visitor\":{}}", true, "a visitor= bad")
       && read_as("{\"event\":\"a\",\"visitor\":true}", true,
                  "a visitor= bad"), "trusted: no visitor");
    ok(read_as("{\"event\":\"a\"}", true, "a"), "trusted: not named");
}


static void
test_values(void)
{
    size_t      i;
    char        body[256], expected[256];
    static const char *const  values[][2] = {
        { "0", "0" }, { "-0", "-0" }, { "-1", "-1" }, { "12.50", "12.50" },
        { "1e2", "100" }, { "1E+2", "100" }, { "125e-1", "12.5" },
        { "1.25e1", "12.5" }, { "1.25e5", "125000" },
        { "1e-7", "0.0000001" }, { "-1.5e-3", "-0.0015" },
        { "0e999", "0" }, { "0.000e5", "0" }, { "1e-308", "0" },
        { "1e-99999999999", "0" }, { "10.5e0", "10.5" },
        { "12345678901234567890", "12345678901234567890" },
        { "1e40", "10000000000000000000000000000000000000000" },
        { "\"12.5\"", "12.5" }, { "\"no\"", "no" },
        { "0.000000000000000000000000000000000000000000000000000001e54",
          "0000000000000000000000000000000000000000000000000000001" },
    };
    static const char *const  bad[] = {
        "null", "true", "false", "[]", "{}", "[1]", "{\"a\":1}", "\"\"",
        "\"123456789012345678901234567890123\"", "1e41", "1e308", "-1e100",
        "1.7976931348623157e308"
    };

    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        (void) snprintf(body, sizeof(body), "{\"event\":\"a\",\"value\":%s}",
                        values[i][0]);
        (void) snprintf(expected, sizeof(expected), "a value=%s",
                        values[i][1]);
        ok(reads(body, expected), "value %s", values[i][0]);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        (void) snprintf(body, sizeof(body), "{\"event\":\"a\",\"value\":%s}",
                        bad[i]);
        ok(ux_beacon_read(&beacon, (ux_str_t) { body, strlen(body) }, false,
                          &error) == UX_OK
           && beacon.n == 1 && beacon.items[0].bad, "bad value %s", bad[i]);
    }
}


static void
test_words(void)
{
    ux_str_t  body;

    ok(reads("{\"event\":\"a\",\"id\":1234}", "a id=1234"),
       "an id may be a number");
    ok(reads("{\"event\":\"a\",\"id\":null,\"currency\":null}", "a")
       && reads("{\"event\":\"a\",\"id\":\"\"}", "a"), "none is no id");
    ok(reads("{\"event\":\"a\",\"id\":[]}", "a bad")
       && reads("{\"event\":\"a\",\"id\":true}", "a bad"),
       "an id of another type");
    ok(reads("{\"event\":\"a\",\"currency\":978}", "a bad")
       && reads("{\"event\":\"a\",\"currency\":{}}", "a bad"),
       "a currency of another type");
    ok(reads("{\"event\":\"a\",\"id\":\"\\u00fc\\ud83d\\ude00\\n\"}",
             "a id=\xc3\xbc\xf0\x9f\x98\x80\n"), "escapes are decoded");

    body = repeated("{\"event\":\"a\",\"id\":\"", "x", UX_BEACON_ID_MAX,
                    "\"}");
    ok(ux_beacon_read(&beacon, body, false, &error) == UX_OK
       && !beacon.items[0].bad && beacon.items[0].id.len == UX_BEACON_ID_MAX,
       "the longest id");

    body = repeated("{\"event\":\"a\",\"id\":\"", "x", UX_BEACON_ID_MAX + 1,
                    "\"}");
    ok(ux_beacon_read(&beacon, body, false, &error) == UX_OK
       && beacon.items[0].bad, "an id one byte longer is bad");
}


static void
test_unknown(void)
{
    ux_str_t  body;

    ok(reads("{\"event\":null}", "?") && reads("{\"event\":[\"a\"]}", "?")
       && reads("{\"event\":7}", "?") && reads("{\"event\":true}", "?")
       && reads("{\"event\":{\"event\":\"a\"}}", "?"),
       "a name that is no string is unknown");
    ok(reads("{\"event\":\"Purchase\"}", "Purchase"), "a name as it is");
    ok(reads("{\"event\":\"\"}", ""), "an empty one");

    body = repeated("{\"event\":\"", "x", 1024, "\"}");
    ok(ux_beacon_read(&beacon, body, false, &error) == UX_OK
       && beacon.items[0].kind == UX_BEACON_EVENT
       && beacon.items[0].name.len == 1024, "a name of 1 kB");

    ok(reads("{\"name\":\"FID\",\"value\":1}", "?")
       && reads("{\"name\":\"lcp\",\"value\":1}", "?")
       && reads("{\"name\":null}", "?") && reads("{\"name\":5}", "?"),
       "a metric nobody knows");
}


static void
test_vitals(void)
{
    ok(reads("{\"name\":\"LCP\",\"value\":1234.5,\"rating\":\"good\","
             "\"delta\":1234.5,\"id\":\"v4-1700000000000-1\","
             "\"navigationType\":\"navigate\",\"entries\":[{\"a\":{\"b\":"
             "[[[[[[[[[1]]]]]]]]]}},{}],\"attribution\":{\"x\":1e300}}",
             "LCP 12345000 delta=12345000 id=v4-1700000000000-1"),
       "a metric of web-vitals as it is");
    ok(reads("[{\"name\":\"INP\",\"value\":8},{\"name\":\"CLS\",\"value\":"
             "0.00012345},{\"name\":\"FCP\",\"value\":0},{\"name\":\"TTFB\","
             "\"value\":1e2}]",
             "INP 80000|CLS 1|FCP 0|TTFB 1000000"), "all five");
    ok(reads("{\"name\":\"INP\",\"value\":40,\"delta\":-8.25}",
             "INP 400000 delta=-82500"), "one that fell");
    ok(reads("{\"name\":\"LCP\",\"value\":-1}", "LCP bad")
       && reads("{\"name\":\"LCP\"}", "LCP bad")
       && reads("{\"name\":\"LCP\",\"value\":null}", "LCP bad")
       && reads("{\"name\":\"LCP\",\"value\":\"5\"}", "LCP bad")
       && reads("{\"name\":\"LCP\",\"value\":1e9}", "LCP bad"),
       "without a value in range");
    ok(reads("{\"name\":\"LCP\",\"value\":5,\"delta\":\"1\"}", "LCP bad")
       && reads("{\"name\":\"LCP\",\"value\":5,\"id\":[]}", "LCP bad"),
       "with another member that is none");
}


static void
test_refused(void)
{
    ok(refuses_text("", "no object or array"), "nothing");
    ok(refuses_text("x", "no object or array")
       && refuses_text("1", "no object or array")
       && refuses_text("\"event\"", "no object or array")
       && refuses_text("null", "no object or array"), "no object");
    ok(refuses_text("{", "no name of a member"), "one byte");
    ok(refuses_text("[1]", "no event object")
       && refuses_text("[[]]", "no event object")
       && refuses_text("[{\"event\":\"a\"},null]", "no event object"),
       "elements that are none");
    ok(refuses_text("{}", "without \"event\"")
       && refuses_text("[{\"event\":\"a\"},{\"value\":1}]",
                       "without \"event\""), "an object without a name");
    ok(refuses_text("{\"Event\":\"a\"}", "without \"event\"")
       && refuses_text("{\"EVENT\":\"a\"}", "without \"event\""),
       "names of members with their case changed");
    ok(refuses_text("{\"event\":\"a\",\"event\":\"b\"}", "a member twice")
       && refuses_text("{\"event\":\"a\",\"\\u0065vent\":\"a\"}",
                       "a member twice")
       && refuses_text("{\"event\":\"a\",\"id\":1,\"id\":1}",
                       "a member twice"), "a member twice");
    ok(refuses_text("\xef\xbb\xbf{\"event\":\"a\"}", "no object or array"),
       "a byte-order mark");
    ok(refuses_text("{\"event\":\"a\"}x", "something behind the end")
       && refuses_text("{\"event\":\"a\"}{\"event\":\"a\"}",
                       "something behind the end")
       && refuses_text("[]]", "something behind the end")
       && refuses((ux_str_t) { "{\"event\":\"a\"}\0", 14 },
                  "something behind the end"),
       "trailing garbage, a second document, a NUL");
    ok(refuses_text("{\"event\":\"a\"", "no comma or closing")
       && refuses_text("{\"event\":\"a\"]", "no comma or closing")
       && refuses_text("[{\"event\":\"a\"}", "no comma or closing"),
       "no end");
    ok(refuses_text("{\"event\":\"a\",}", "no name of a member")
       && refuses_text("[{\"event\":\"a\"},]", "no event object")
       && refuses_text("{\"event\" \"a\"}", "no colon")
       && refuses_text("{event:\"a\"}", "no name of a member")
       && refuses_text("{'event':'a'}", "no name of a member")
       && refuses_text("{\"event\":}", "no value"), "commas and colons");
    ok(refuses_text("/**/{\"event\":\"a\"}", "no object")
       && refuses_text("{\"event\":\"a\"}//", "something behind"),
       "comments");
}


/* Wherever it stands: kept, passed over, as a name. */
static void
test_everywhere(void)
{
    size_t       i, k;
    char         body[1024];
    char         many[512];
    const char  *why;
    static const char *const  places[] = {
        "{\"event\":\"a\",\"value\":%s}",
        "{\"event\":\"a\",\"id\":%s}",
        "{\"event\":%s}",
        "{\"x\":%s,\"event\":\"a\"}",
        "[{\"event\":\"a\"},{\"event\":\"a\",\"x\":[0,{\"y\":%s}]}]",
    };
    const char *const  wrong[][2] = {
        { "1e999", "beyond all bounds" }, { "-1e309", "beyond all bounds" },
        { "1.8e308", "beyond all bounds" }, { many, "beyond all bounds" },
        { "01", "no number" }, { "1.", "no number" }, { "-", "no number" },
        { ".5", "no value" }, { "+1", "no value" }, { "1e", "no number" },
        { "0x10", "no number" }, { "-01", "no number" },
        { "NaN", "no value" }, { "Infinity", "no value" },
        { "-Infinity", "no number" }, { "True", "no value" },
        { "nul", "no value" }, { "undefined", "no value" },
        { "\"\x01\"", "a control character" },
        { "\"\n\"", "a control character" },
        { "\"\x1f\"", "a control character" },
        { "\"\xff\"", "no UTF-8" }, { "\"\xc0\x80\"", "no UTF-8" },
        { "\"\xed\xa0\x80\"", "no UTF-8" }, { "\"\xc3\"", "no UTF-8" },
        { "\"\\u0000\"", "U+0000" }, { "\"ab\\u0000cde\"", "U+0000" },
        { "\"\\u12\"", "four digits" }, { "\"\\u12g4\"", "four digits" },
        { "\"\\x41\"", "no escape" }, { "\"\\", "no escape" },
        { "\"abc", "no UTF-8" },
    };

    memset(many, '9', 400);
    many[400] = '\0';

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        for (k = 0; k < sizeof(places) / sizeof(places[0]); k++) {
            (void) snprintf(body, sizeof(body), places[k], wrong[i][0]);
            why = wrong[i][1];

            /* an open string swallows the rest of the body */

            if (strcmp(wrong[i][0], "\"abc") == 0
                || strcmp(wrong[i][0], "\"\\") == 0)
            {
                why = "";
            }

            ok(refuses_text(body, why), "%s, the %zuth, in %s",
               why[0] != '\0' ? why : "an open string", i, places[k]);
        }
    }

    ok(refuses_text("{\"event\":\"a\",\"\\u0000\":1}", "U+0000")
       && refuses_text("{\"event\":\"a\",\"\xff\":1}", "no UTF-8")
       && refuses_text("{\"event\":\"a\",\"\t\":1}", "a control character"),
       "in a name that is passed over");
    ok(refuses_text("{\"event\":\"\\ud800\"}", "half of a character")
       && refuses_text("{\"event\":\"\\udc00\"}", "half of a character")
       && refuses_text("{\"event\":\"\\ud800\\u0041\"}", "half of a char")
       && refuses_text("{\"event\":\"\\ud800x\"}", "half of a character"),
       "half of a character in what is kept");
    ok(reads("{\"event\":\"a\",\"x\":\"\\ud800\"}", "a"),
       "but not in what is passed over: it is JSON");
}


static void
test_passed_over(void)
{
    ok(reads("{\"x\":null,\"event\":\"a\",\"y\":[],\"z\":{}}", "a"),
       "members that nobody knows");
    ok(reads("{\"event\":\"a\",\"x\":[1,[2,{\"event\":\"b\",\"event\":3}],"
             "\"]}\"]}", "a"), "with events in them");
    ok(reads("{\"event\":\"a\",\"timestamp\":-1,\"time\":4102444800000,"
             "\"ts\":0.5,\"now_ms\":253402300800000}", "a"),
       "the client's clock among them");
    ok(reads("{\"event\":\"a\",\"x\":1,\"x\":2}", "a"), "twice, if need be");
    ok(reads("{\"event\":\"a\",\"x\":1.7976931348623157e308,\"y\":5e-324}",
             "a"), "with the largest and the smallest number");
}


static void
test_limits(void)
{
    unsigned  n;

    /* the object and the array around n of them make n + 2 */

    ok(ux_beacon_read(&beacon, repeated("{\"event\":\"a\",\"x\":", "[", 31,
                      "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}"), false, &error)
       == UX_OK, "32 levels that are passed over");
    ok(refuses(repeated("{\"event\":\"a\",\"x\":", "[", 32, "1"),
               "too many levels"), "33 of them");
    ok(ux_beacon_read(&beacon, repeated("{\"event\":\"a\",\"value\":", "[",
                      7, "]]]]]]]}"), false, &error) == UX_OK
       && beacon.items[0].bad, "8 levels that are read");
    ok(refuses(repeated("{\"event\":\"a\",\"value\":", "[", 8, "]]]]]]]]}"),
               "too many levels"), "9 of them");

    for (n = 1000; n <= 1001; n++) {
        ok(refuses(repeated("", "[", n, ""), "no event object")
           && refuses(repeated("{\"event\":\"a\",\"x\":", "[", n, ""),
                      "too many levels")
           && refuses(repeated("", "{\"event\":", n, ""), "too many levels"),
           "%u levels", n);
    }

    ok(ux_beacon_read(&beacon, repeated("[", "{\"event\":\"a\"},", 30,
                      "{\"event\":\"a\"}]"), false, &error) == UX_OK
       && beacon.n == 31, "31 events are 63 values");
    ok(refuses(repeated("[", "{\"event\":\"a\"},", 31, "{\"event\":\"a\"}]"),
               "too many values"), "32 events are too many");
    ok(refuses(repeated("[", "1,", 8000, "1]"), "no event object"),
       "16 kB of numbers");
    ok(refuses(repeated("{\"event\":\"a\",\"value\":[", "1,", 8000, "1]}"),
               "too many values"), "in a member that is read");
    ok(ux_beacon_read(&beacon, repeated("{\"event\":\"a\",\"x\":[", "1,",
                      8000, "1]}"), false, &error) == UX_OK
       && beacon.n == 1, "in one that is passed over");
    ok(ux_beacon_read(&beacon, repeated("{\"event\":\"a\"", ",\"\":0", 3000,
                      "}"), false, &error) == UX_OK, "3000 members");
    ok(refuses(repeated("{\"event\":\"a\"", ",\"a\":0", 40000, "}"),
               "more than 16384 bytes"), "40000 members");
    ok(refuses(repeated("[", "[", UX_BEACON_MAX, ""),
               "more than 16384 bytes"), "a body one byte too long");
    ok(refuses(repeated("{\"event\":\"a\",\"value\":0.", "1", 62, "}"),
               "too many digits"), "a number that is read, of 64 characters");
    ok(ux_beacon_read(&beacon, repeated("{\"event\":\"a\",\"value\":0.", "1",
                      61, "}"), false, &error) == UX_OK
       && beacon.items[0].value.len == 63, "of 63 characters");
    ok(ux_beacon_read(&beacon, repeated("{\"event\":\"a\",\"x\":0.", "1",
                      9000, "}"), false, &error) == UX_OK,
       "any number that is passed over");
}


/*
 * One byte of a body changed, or left out, in every place: what is read then
 * never is more than the body says.
 */
static void
test_bytes(void)
{
    size_t       i, len;
    unsigned     c, refused, all;
    char        *copy;
    const char  *body = "[{\"event\":\"buy\",\"value\":12.5e0,\"id\":\"\\u00e4"
                        "\"},{\"name\":\"LCP\",\"value\":1,\"e\":[{}]}]";
    bool         whole = true;

    len = strlen(body);
    copy = malloc(len);
    refused = 0;
    all = 0;

    for (i = 0; copy != NULL && i < len; i++) {
        for (c = 0; c < 256; c++) {
            memcpy(copy, body, len);
            copy[i] = (char) c;
            all++;

            if (ux_beacon_read(&beacon, (ux_str_t) { copy, len }, true,
                               &error) != UX_OK)
            {
                refused++;
                whole = whole && strlen(error.message) > 20
                        && strpbrk(error.message, "\r\n") == NULL;
                continue;
            }

            whole = whole && beacon.n == 2;
        }

        memcpy(copy, body, i);
        whole = whole && ux_beacon_read(&beacon, (ux_str_t) { copy, i },
                                        true, &error) == UX_ERROR;
    }

    ok(whole && refused > all / 2, "%u of %u changed bodies are refused",
       refused, all);

    free(copy);
}


/* The n-th allocation fails, for every n: UX_FULL, and nothing is kept. */
static void
test_memory(void)
{
    long          n;
    unsigned      full, wrong;
    ux_str_t      body;
    ux_status_t   rc;

    ux_json_set_allocator(test_alloc, test_release);

    body = repeated("[", "{\"event\":\"a\",\"value\":1.5,\"id\":\"b\"},", 14,
                    "{\"event\":\"a\",\"x\":[1,2,3]}]");
    full = 0;
    wrong = 0;

    for (n = 1; n < 10000; n++) {
        allocs = 0;
        fail_at = n;
        rc = ux_beacon_read(&beacon, body, false, &error);
        fail_at = 0;

        wrong += held != 0;

        if (rc == UX_OK) {
            break;
        }

        wrong += rc != UX_FULL;
        full++;
    }

    ok(full > 100 && wrong == 0, "%u points without memory", full);
    ok(rc == UX_OK && beacon.n == 15, "with it: all that is told");

    most = 0;
    allocs = 0;
    body = repeated("{\"event\":\"a\",\"id\":\"", "x", 16000,
                    "\",\"value\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
                    "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
                    "1,1,1,1,1,1,1,1,1]}");
    rc = ux_beacon_read(&beacon, body, false, &error);
    ok(rc == UX_OK && most <= 65536 && allocs < 200,
       "%zu bytes at most, %ld allocations", most, allocs);

    allocs = 0;
    body = repeated("[", "1,", 8000, "1]");
    rc = ux_beacon_read(&beacon, body, false, &error);
    ok(rc == UX_ERROR && allocs == 0, "none for what is refused");

    ux_json_set_allocator(NULL, NULL);
}


static bool
reads(const char *body, const char *expected)
{
    return read_as(body, false, expected);
}


static bool
read_as(const char *body, bool trusted, const char *expected)
{
    char       lines[2048], line[1024];
    char      *block;
    unsigned   i;
    ux_str_t   exact;

    /* a block that ends with the body */

    exact.len = strlen(body);
    block = malloc(exact.len);
    memcpy(block, body, exact.len);
    exact.data = block;

    lines[0] = '\0';

    if (ux_beacon_read(&beacon, exact, trusted, &error) != UX_OK) {
        printf("# %s: %s\n", body, error.message);
        free(block);
        return false;
    }

    free(block);

    for (i = 0; i < beacon.n; i++) {
        line_of(&beacon.items[i], line);
        strcat(lines, i > 0 ? "|" : "");
        strcat(lines, line);
    }

    if (strcmp(lines, expected) != 0) {
        printf("# %s: \"%s\", expected \"%s\"\n", body, lines, expected);
        return false;
    }

    return true;
}


static bool
refuses_text(const char *body, const char *why)
{
    return refuses((ux_str_t) { body, strlen(body) }, why);
}


static bool
refuses(ux_str_t body, const char *why)
{
    ux_status_t  rc;

    rc = ux_beacon_read(&beacon, body, false, &error);

    if (rc != UX_ERROR || strstr(error.message, why) == NULL) {
        printf("# %.60s: %s\n", body.data,
               rc == UX_ERROR ? error.message : "read");
        return false;
    }

    return true;
}


static void
line_of(const ux_beacon_item_t *item, char *line)
{
    static const char *const  metrics[] = {
        "LCP", "INP", "CLS", "FCP", "TTFB"
    };

    line[0] = '\0';

    if (item->kind == UX_BEACON_UNKNOWN) {
        (void) strcpy(line, "?");
        return;
    }

    if (item->kind == UX_BEACON_VITAL) {
        line += sprintf(line, "%s", metrics[item->vital.metric]);

        if (!item->bad) {
            line += sprintf(line, " %lld", (long long) item->vital.value_e4);
        }

        if (!item->bad && item->vital.has_delta) {
            line += sprintf(line, " delta=%lld",
                            (long long) item->vital.delta_e4);
        }

    } else {
        line += sprintf(line, "%.*s", (int) item->name.len,
                        item->name.data);
    }

    if (item->value.len > 0 && !item->bad) {
        line += sprintf(line, " value=%.*s", (int) item->value.len,
                        item->value.data);
    }

    if (item->currency.len > 0 && !item->bad) {
        line += sprintf(line, " currency=%.*s", (int) item->currency.len,
                        item->currency.data);
    }

    if (item->id.len > 0 && !item->bad) {
        line += sprintf(line, " id=%.*s", (int) item->id.len,
                        item->id.data);
    }

    if (item->named) {
        line += sprintf(line, " visitor=%.*s", (int) item->visitor.len,
                        item->visitor.data);
    }

    (void) strcpy(line, item->bad ? " bad" : "");
}


static ux_str_t
repeated(const char *before, const char *part, unsigned n, const char *after)
{
    char  *p;

    p = text + sprintf(text, "%s", before);

    while (n-- > 0) {
        p = stpcpy(p, part);
    }

    p = stpcpy(p, after);

    return (ux_str_t) { text, (size_t) (p - text) };
}


/* A block knows its size. */
static void *
test_alloc(size_t size)
{
    size_t  *block;

    if (++allocs == fail_at) {
        return NULL;
    }

    block = malloc(size + 16);

    if (block == NULL) {
        return NULL;
    }

    *block = size;
    held += size;
    most = held > most ? held : most;

    return block + 2;
}


static void
test_release(void *p)
{
    size_t  *block = p;

    if (p != NULL) {
        held -= block[-2];
        free(block - 2);
    }
}
