
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_json: numbers exact to the last digit, and what happens without memory.
 */

#include "ux_json.h"
#include "failing_alloc.h"
#include "tap.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


static void test_ints(void);
static void test_money(void);
static void test_numbers(void);
static void test_number_range(void);
static void test_locale(void);
static void test_times(void);
static void test_strings(void);
static void test_escapes(void);
static void test_again(void);
static void test_trees(void);
static void test_get(void);
static void test_wide(void);
static void test_null_parent(void);
static void test_no_memory(void);
static ux_json_t *build(void);
static bool printed(ux_json_t *root, const char *wanted);
static bool prints(ux_json_t *root, const char *expected);
static void shortest(char *buf, size_t size, double value);
static unsigned digits(const char *text);
static const char *number_text(double value);
static ux_str_t str(const char *text);


int
main(void)
{
    test_ints();
    test_money();
    test_numbers();
    test_number_range();
    test_locale();
    test_times();
    test_strings();
    test_escapes();
    test_again();
    test_trees();
    test_get();
    test_wide();
    test_null_parent();
    test_no_memory();

    return done();
}


static void
test_ints(void)
{
    size_t      i;
    ux_json_t  *root;

    static const struct {
        int64_t      value;
        const char  *text;
    }  cases[] = {
        { 0, "{\"a\":0}" },
        { -1, "{\"a\":-1}" },
        { 10, "{\"a\":10}" },
        { 9007199254740993, "{\"a\":9007199254740993}" },
        { INT64_MAX, "{\"a\":9223372036854775807}" },
        { INT64_MIN, "{\"a\":-9223372036854775808}" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        root = ux_json_new();
        ux_json_int(root, "a", cases[i].value);
        ok(prints(root, cases[i].text), "int %s", cases[i].text);
    }
}


static void
test_money(void)
{
    size_t      i;
    ux_json_t  *root;

    static const struct {
        int64_t      minor;
        unsigned     exponent;
        const char  *text;
    }  cases[] = {
        { 154410, 2, "{\"a\":1544.10}" },
        { 5, 2, "{\"a\":0.05}" },
        { 50, 2, "{\"a\":0.50}" },
        { 0, 2, "{\"a\":0.00}" },
        { 0, 0, "{\"a\":0}" },
        { -5, 2, "{\"a\":-0.05}" },
        { -154410, 2, "{\"a\":-1544.10}" },
        { 1234, 0, "{\"a\":1234}" },
        { 1234, 3, "{\"a\":1.234}" },
        { 1, 4, "{\"a\":0.0001}" },
        { 12, 1, "{\"a\":1.2}" },
        { 90071992547409931, 2, "{\"a\":900719925474099.31}" },
        { INT64_MAX, 2, "{\"a\":92233720368547758.07}" },
        { INT64_MIN, 2, "{\"a\":-92233720368547758.08}" },
        { INT64_MIN, 18, "{\"a\":-9.223372036854775808}" },
        { 1, 19, "{\"a\":null}" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        root = ux_json_new();
        ux_json_money(root, "a", cases[i].minor, cases[i].exponent);
        ok(prints(root, cases[i].text), "money %s", cases[i].text);
    }
}


static void
test_numbers(void)
{
    size_t  i;

    static const struct {
        double       value;
        const char  *text;
    }  cases[] = {
        { 0, "0" },
        { -0.0, "0" },
        { 1, "1" },
        { -3, "-3" },
        { 0.05, "0.05" },
        { 0.1, "0.1" },
        { 0.3, "0.3" },
        { 0.1 + 0.2, "0.30000000000000004" },
        { -0.25, "-0.25" },
        { 2.5735, "2.5735" },
        { 100.5, "100.5" },
        { 1.0 / 3, "0.3333333333333333" },
        { 2.0 / 3, "0.6666666666666666" },
        { 5e-324, "5e-324" },
        { 1e-12, "1e-12" },
        { 1.5e-7, "1.5e-7" },
        { 1e-5, "0.00001" },
        { 1e15, "1e15" },
        { 1e300, "1e300" },
        { -2.5e20, "-2.5e20" },
        { 999999999999999, "999999999999999" },
        { 9007199254740992, "9.007199254740992e15" },
        { 0.999999999999999889, "0.9999999999999999" },
        { DBL_MAX, "1.7976931348623157e308" },
        { NAN, "null" },
        { INFINITY, "null" },
        { -INFINITY, "null" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ok(strcmp(number_text(cases[i].value), cases[i].text) == 0,
           "number %s is %s", cases[i].text, number_text(cases[i].value));
    }
}


/* Against the C library: reads back, and has no more digits than needed. */
static void
test_number_range(void)
{
    char        expected[64];
    double      value;
    uint64_t    seed, bits;
    unsigned    i, wrong, longer;
    const char  *text;

    seed = 20260131;
    wrong = 0;
    longer = 0;

    for (i = 0; i < 40000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;

        if (i % 4 == 0) {
            bits = 0x3f00000000000000u + (seed >> 5);
            memcpy(&value, &bits, sizeof(value));

        } else if (i % 4 == 1) {
            value = (double) (seed >> 44) / (double) (1 + (seed & 0xffff));

        } else if (i % 4 == 2) {
            value = ldexp(1, (int) (seed >> 58) - 30)
                    * (1 + (double) (seed & 3) * DBL_EPSILON);

        } else {
            value = (double) (seed >> 40) / 1e6;
        }

        if (!isfinite(value)) {
            continue;
        }

        text = number_text(value);
        shortest(expected, sizeof(expected), value);

        if (strtod(text, NULL) != value) {
            wrong++;
            printf("# %s is not %.17g\n", text, value);
        }

        if (strtod(expected, NULL) != value
            || strspn(text, "-0123456789.e") != strlen(text))
        {
            wrong++;
        }

        if (digits(text) != digits(expected)) {
            longer++;
            printf("# %s is longer than %s\n", text, expected);
        }
    }

    ok(wrong == 0, "40000 numbers read back");
    ok(longer == 0, "none of them longer than needed");
}


static void
test_locale(void)
{
    static const char *const  locales[] = {
        "de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE"
    };

    size_t       i;
    const char  *set;

    set = NULL;

    for (i = 0; set == NULL && i < sizeof(locales) / sizeof(locales[0]); i++) {
        set = setlocale(LC_ALL, locales[i]);
    }

    if (set == NULL) {
        printf("# no locale with a decimal comma here: C is used twice\n");
    }

    ok(strcmp(number_text(0.5), "0.5") == 0, "point in any locale");
    ok(strcmp(number_text(1.5e-9), "1.5e-9") == 0,
       "point in any locale, scientific");

    setlocale(LC_ALL, "C");
}


static void
test_times(void)
{
    size_t      i;
    ux_json_t  *root;

    static const struct {
        uint64_t     ms;
        const char  *text;
    }  cases[] = {
        { 0, "{\"a\":null}" },
        { 1, "{\"a\":\"1970-01-01T00:00:00Z\"}" },
        { 1769860800000, "{\"a\":\"2026-01-31T12:00:00Z\"}" },
        { 951782399999, "{\"a\":\"2000-02-28T23:59:59Z\"}" },
        { 951782400000, "{\"a\":\"2000-02-29T00:00:00Z\"}" },
        { 951868800000, "{\"a\":\"2000-03-01T00:00:00Z\"}" },
        { 1798761599000, "{\"a\":\"2026-12-31T23:59:59Z\"}" },
        { 4107542400000, "{\"a\":\"2100-03-01T00:00:00Z\"}" },
        { 253402300799999, "{\"a\":\"9999-12-31T23:59:59Z\"}" },
        { 253402300800000, "{\"a\":null}" },
        { UINT64_MAX, "{\"a\":null}" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        root = ux_json_new();
        ux_json_time(root, "a", cases[i].ms);
        ok(prints(root, cases[i].text), "time %s", cases[i].text);
    }
}


static void
test_strings(void)
{
    size_t      i;
    ux_json_t  *root;

    static const struct {
        ux_str_t     value;
        const char  *text;
    }  cases[] = {
        { ux_str(""), "{\"a\":\"\"}" },
        { { NULL, 0 }, "{\"a\":\"\"}" },
        { ux_str("plain"), "{\"a\":\"plain\"}" },
        { ux_str("a\"b\\c/\n\x01"), "{\"a\":\"a\\\"b\\\\c/\\n\\u0001\"}" },
        { ux_str("a\0b"), "{\"a\":\"a?b\"}" },
        { ux_str("gr\xc3\xbc\xc3\x9f"), "{\"a\":\"gr\xc3\xbc\xc3\x9f\"}" },
        { ux_str("\xe2\x82\xac"), "{\"a\":\"\xe2\x82\xac\"}" },
        { ux_str("\xf0\x9f\x9b\x92"), "{\"a\":\"\xf0\x9f\x9b\x92\"}" },
        { ux_str("gr\xfc\xdf"), "{\"a\":\"gr??\"}" },
        { ux_str("\xe2\x82"), "{\"a\":\"??\"}" },
        { ux_str("\xc0\xaf"), "{\"a\":\"??\"}" },
        { ux_str("\xed\xa0\x80"), "{\"a\":\"???\"}" },
        { ux_str("\xf4\x90\x80\x80"), "{\"a\":\"????\"}" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        root = ux_json_new();
        ux_json_string(root, "a", cases[i].value);
        ok(prints(root, cases[i].text), "string %u", (unsigned) i);
    }

    root = ux_json_new();
    ux_json_string(root, "a", (ux_str_t) { "abcdef", 3 });
    ok(prints(root, "{\"a\":\"abc\"}"), "no byte beyond the length");
}


/* At each place of strings of each length, in values and in names. */
static void
test_escapes(void)
{
    char        word[24], wanted[100];
    size_t      len, at, i, n;
    unsigned    wrong, tried;
    ux_str_t    value;
    ux_json_t  *root;

    static const struct {
        char         c;
        const char  *escaped;
    }  chars[] = {
        { '"', "\\\"" }, { '\\', "\\\\" }, { '\n', "\\n" },
        { '\x01', "\\u0001" }, { '\x1f', "\\u001f" }, { ' ', " " },
        { '!', "!" }, { '#', "#" }, { '[', "[" }, { ']', "]" },
        { '\x7f', "\x7f" }
    };

    wrong = 0;
    tried = 0;

    for (len = 1; len < sizeof(word); len++) {

        for (at = 0; at < len * (sizeof(chars) / sizeof(chars[0])); at++) {
            i = at / len;

            memset(word, 'a', len);
            word[at % len] = chars[i].c;
            word[len] = '\0';

            n = at % len;
            (void) snprintf(wanted, sizeof(wanted), "%.*s%s%s", (int) n,
                            word, chars[i].escaped, word + n + 1);

            value.data = word;
            value.len = len;

            root = ux_json_new();
            ux_json_string(root, word, value);
            wrong += !printed(root, wanted);
            ux_json_delete(root);
            tried++;
        }
    }

    ok(wrong == 0 && tried > 2000, "%u escapes, each where it belongs",
       tried);
}


/* {"wanted":"wanted"} */
static bool
printed(ux_json_t *root, const char *wanted)
{
    char     text[220], *got;
    bool     same;
    size_t   len;

    (void) snprintf(text, sizeof(text), "{\"%s\":\"%s\"}", wanted, wanted);

    got = ux_json_print(root, &len);
    same = got != NULL && len == strlen(text) && strcmp(got, text) == 0;
    ux_json_text_free(got);

    return same;
}


/* More than a chunk, a text larger than one, and all that once more. */
static void
test_again(void)
{
    char       *large, *first, *second;
    size_t      i, len[2];
    ux_str_t    value;
    ux_json_t  *root;

    large = malloc(200000);
    memset(large, 'x', 200000);
    value.data = large;
    value.len = 200000;

    root = ux_json_new();

    for (i = 0; i < 5000; i++) {
        ux_json_int(root, "number", (int64_t) i);

        if (i == 2500) {
            ux_json_string(root, "large", value);
        }
    }

    first = ux_json_print(root, &len[0]);

    root = ux_json_again(root);
    ok(ux_json_first(root) == NULL, "begun again it is empty");

    for (i = 0; i < 5000; i++) {
        ux_json_int(root, "number", (int64_t) i);

        if (i == 2500) {
            ux_json_string(root, "large", value);
        }
    }

    second = ux_json_print(root, &len[1]);

    ok(first != NULL && second != NULL && len[0] > 250000
       && len[0] == len[1] && strcmp(first, second) == 0,
       "and the same once more");
    ok(ux_json_object(NULL, "a") == NULL, "nothing in nothing");

    ux_json_text_free(first);
    ux_json_text_free(second);
    ux_json_delete(root);

    root = ux_json_parse(str("{\"a\":{}}"));
    ok(ux_json_object(ux_json_get(root, str("a")), "b") == NULL,
       "nothing is added to what was parsed");
    ux_json_delete(root);
    free(large);
}


static void
test_trees(void)
{
    ux_json_t  *root, *array;

    root = build();
    ok(!ux_json_failed(root), "a whole tree has not failed");
    ok(prints(root, "{\"o\":{\"t\":true,\"f\":false,\"n\":null},"
                    "\"a\":[{\"i\":7},\"s\",0.5],\"ci\":[0.25,0.75]}"),
       "objects, arrays, order of members");

    root = ux_json_new();
    ux_json_interval(root, "a", NAN, 1);
    ux_json_interval(root, "b", 0, NAN);
    ok(prints(root, "{\"a\":null,\"b\":null}"), "interval without an end");

    root = ux_json_new();
    array = ux_json_array(root, "a");
    (void) ux_json_object(root, "o");
    ok(array != NULL && prints(root, "{\"a\":[],\"o\":{}}"), "empty ones");
}


static void
test_get(void)
{
    ux_json_t  *root, *a;

    root = build();
    a = ux_json_get(root, str("a"));

    ok(a != NULL, "a member by name");
    ok(ux_json_get(root, str("A")) == NULL, "names are case-sensitive");
    ok(ux_json_get(root, str("")) == NULL, "no empty name");
    ok(ux_json_get(root, (ux_str_t) { "ab", 1 }) == a, "length counts");
    ok(ux_json_get(root, str("ab")) == NULL, "no prefix match");
    ok(ux_json_get(root, (ux_str_t) { "a\0", 2 }) == NULL, "no NUL trick");

    ok(ux_json_get(a, str("0")) != NULL, "first element");
    ok(ux_json_get(a, str("2")) != NULL, "last element");
    ok(ux_json_get(a, str("3")) == NULL, "one too far");
    ok(ux_json_get(a, str("00")) == NULL, "an index is written one way");
    ok(ux_json_get(a, str("-1")) == NULL, "no negative index");
    ok(ux_json_get(a, str("18446744073709551616")) == NULL, "no wrap");
    ok(ux_json_get(ux_json_get(a, str("1")), str("0")) == NULL,
       "nothing below a string");
    ok(ux_json_get(NULL, str("0")) == NULL, "nothing below nothing");

    ux_json_delete(root);
}


static void
test_wide(void)
{
    ux_json_t  *root;

    root = ux_json_new();
    ux_json_wide(root, "a", 0);
    ux_json_wide(root, "b", UINT64_MAX);
    ux_json_wide(root, "c", ~(ux_u128_t) 0);

    ok(prints(root, "{\"a\":0,\"b\":18446744073709551615,"
                    "\"c\":340282366920938463463374607431768211455}"),
       "whole numbers of 128 bits");
}


static void
test_null_parent(void)
{
    size_t  len;

    ux_json_int(NULL, "a", 1);
    ux_json_number(NULL, "a", 1);
    ux_json_number(NULL, "a", NAN);
    ux_json_money(NULL, "a", 1, 2);
    ux_json_time(NULL, "a", 1);
    ux_json_string(NULL, "a", str("b"));
    ux_json_bool(NULL, "a", true);
    ux_json_null(NULL, "a");
    ux_json_interval(NULL, "a", 0, 1);

    ok(ux_json_object(NULL, "a") == NULL, "no object in nothing");
    ok(ux_json_array(NULL, "a") == NULL, "no array in nothing");
    ok(ux_json_append(NULL) == NULL, "no element in nothing");
    ok(ux_json_failed(NULL), "nothing has failed");
    ok(ux_json_print(NULL, &len) == NULL && len == 0, "nothing to print");

    ux_json_delete(NULL);
    ux_json_text_free(NULL);
}


/* Every allocation fails once: never a crash, a leak or half a tree. */
static void
test_no_memory(void)
{
    char       *text;
    long        n, total;
    size_t      len;
    unsigned    leaks, halves;
    ux_json_t  *root;

    ux_json_set_allocator(test_alloc, test_release);

    leaks = 0;
    halves = 0;
    total = 1;

    for (n = 0; n <= total; n++) {
        allocs_fail_at(n);

        root = build();
        text = ux_json_print(root, &len);

        if (n == 0) {
            total = allocs;
        }

        halves += (text != NULL) != (n == 0);

        ux_json_text_free(text);
        ux_json_delete(root);

        leaks += live != 0;
    }

    ux_json_set_allocator(NULL, NULL);

    ok(total > 10, "%ld allocations failed, one by one", total);
    ok(halves == 0, "no text of half a tree");
    ok(leaks == 0, "no leak");
}


static ux_json_t *
build(void)
{
    ux_json_t  *root, *object, *array;

    root = ux_json_new();

    object = ux_json_object(root, "o");
    ux_json_bool(object, "t", true);
    ux_json_bool(object, "f", false);
    ux_json_null(object, "n");

    array = ux_json_array(root, "a");
    ux_json_int(ux_json_append(array), "i", 7);
    ux_json_string(array, NULL, str("s"));
    ux_json_number(array, NULL, 0.5);

    ux_json_interval(root, "ci", 0.25, 0.75);

    return root;
}


/* Takes the tree. */
static bool
prints(ux_json_t *root, const char *expected)
{
    bool    same;
    char   *text;
    size_t  len;

    text = ux_json_print(root, &len);
    same = text != NULL && strcmp(text, expected) == 0
           && len == strlen(expected);

    if (!same) {
        printf("# got %s\n", text != NULL ? text : "nothing");
    }

    ux_json_text_free(text);
    ux_json_delete(root);

    return same;
}


/* What the C library needs to read it back. */
static void
shortest(char *buf, size_t size, double value)
{
    int  precision;

    for (precision = 15; precision <= 17; precision++) {
        (void) snprintf(buf, size, "%.*g", precision, value);

        if (strtod(buf, NULL) == value) {
            break;
        }
    }
}


/* Significant ones, whatever the layout. */
static unsigned
digits(const char *text)
{
    unsigned  n, zeros;

    n = 0;
    zeros = 0;

    for ( /* void */ ; *text != '\0' && *text != 'e'; text++) {

        if (*text == '0') {
            zeros += n != 0;

        } else if (*text >= '1' && *text <= '9') {
            n += zeros + 1;
            zeros = 0;
        }
    }

    return n;
}


static const char *
number_text(double value)
{
    char        *text;
    size_t       len;
    ux_json_t   *root;

    static char  buf[64];

    root = ux_json_new();
    ux_json_number(root, "a", value);
    text = ux_json_print(ux_json_get(root, str("a")), &len);

    (void) snprintf(buf, sizeof(buf), "%s", text);

    ux_json_text_free(text);
    ux_json_delete(root);

    return buf;
}


static ux_str_t
str(const char *text)
{
    return (ux_str_t) { text, strlen(text) };
}
