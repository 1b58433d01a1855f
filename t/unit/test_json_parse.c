
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_json: what is read, with numbers as they were written, and what is not.
 */

#include "ux_json.h"
#include "failing_alloc.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>


static void test_texts(void);
static void test_numbers(void);
static void test_refused(void);
static void test_walk(void);
static void test_no_memory(void);
static bool reads(const char *text, const char *expected);
static bool prints(ux_json_t *root, const char *expected);
static ux_str_t str(const char *text);


int
main(void)
{
    test_texts();
    test_numbers();
    test_refused();
    test_walk();
    test_no_memory();

    return done();
}


static void
test_texts(void)
{
    ux_json_t  *root;

    ok(reads("{}", "{}") && reads("[]", "[]"), "empty ones");
    ok(reads(" { \"a\" : [ true , false , null ] }\r\n",
             "{\"a\":[true,false,null]}"), "blanks and literals");
    ok(reads("{\"a\":\"1\",\"b\":\"-2e5 3\",\"1\":[\"\"]}",
             "{\"a\":\"1\",\"b\":\"-2e5 3\",\"1\":[\"\"]}"),
       "what looks like a number in a string is none");
    ok(reads("[\"\\\"5\",6,\"\\\\\",7]", "[\"\\\"5\",6,\"\\\\\",7]"),
       "escaped quotes and backslashes");
    ok(reads("[\"\\u00fc\"]", "[\"\xc3\xbc\"]"), "an escaped letter");

    root = ux_json_parse((ux_str_t) { "[12]3", 4 });
    ok(prints(root, "[12]"), "no byte beyond the length");

    root = ux_json_parse((ux_str_t) { "123", 2 });
    ok(ux_json_type(root) == UX_JSON_NUMBER
       && strcmp(ux_json_word(root).data, "12") == 0,
       "not even of a number");
    ux_json_delete(root);
}


static void
test_numbers(void)
{
    char    text[256];
    size_t  i;

    static const char *const  numbers[] = {
        "0", "-0", "7", "-12", "0.5", "1.50", "100", "1e5", "1E+05", "-2.5e-3",
        "18446744073709551616", "0.10000000000000000000000000000000000001",
        "1e400", "9007199254740993"
    };

    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        (void) snprintf(text, sizeof(text), "{\"a\":%s,\"b\":[%s,\"%s\"]}",
                        numbers[i], numbers[i], numbers[i]);
        ok(reads(text, text), "%s stays as it was written", numbers[i]);
    }
}


static void
test_refused(void)
{
    size_t      i;
    ux_json_t  *root;

    static const ux_str_t  texts[] = {
        ux_str(""), ux_str(" "), ux_str("{"), ux_str("[1,]"),
        ux_str("[1]x"), ux_str("[1] 2"), ux_str("[01]"), ux_str("[+1]"),
        ux_str("[1.]"), ux_str("[.5]"), ux_str("[-]"), ux_str("[1e]"),
        ux_str("[1e+]"), ux_str("[0x10]"), ux_str("[1-2]"), ux_str("[--1]"),
        ux_str("[1.2.3]"), ux_str("[NaN]"), ux_str("[Infinity]"),
        ux_str("[-Infinity]"), ux_str("{\"a\" 1}"), ux_str("{a:1}"),
        ux_str("['a']"), ux_str("[\"a]"), ux_str("[\"\\x\"]"),
        ux_str("[\"a\nb\"]"), ux_str("[1]\0"), ux_str("[\0]"),
        ux_str("[\f1]"), ux_str("\"\\"), ux_str("[\"\\ud800\"]"),
        ux_str("[\"\\u00g0\"]"), ux_str("[\"\\u00\"]"),
        ux_str("[\"\\uzzzz\"]"), ux_str("{\"\\u12 4\":1}"),
        ux_str("[\"\\u-001\"]")
    };

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        root = ux_json_parse(texts[i]);
        ok(root == NULL, "no JSON, %u", (unsigned) i);
        ux_json_delete(root);
    }
}


static void
test_walk(void)
{
    size_t      i;
    unsigned    truths;
    ux_json_t  *root, *node;

    static const ux_json_type_e  types[] = {
        UX_JSON_NULL, UX_JSON_BOOL, UX_JSON_BOOL, UX_JSON_NUMBER,
        UX_JSON_STRING, UX_JSON_ARRAY, UX_JSON_OBJECT
    };

    root = ux_json_parse(str("[null,true,false,1.50,\"x\",[2],{\"k\":3}]"));
    truths = 0;
    node = ux_json_first(root);

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        ok(ux_json_type(node) == types[i], "type of element %u",
           (unsigned) i);
        truths += ux_json_true(node);
        node = ux_json_next(node);
    }

    ok(node == NULL && truths == 1, "all elements, one of them true");
    ok(strcmp(ux_json_word(ux_json_get(root, str("3"))).data, "1.50") == 0
       && strcmp(ux_json_word(ux_json_get(root, str("4"))).data, "x") == 0,
       "words of numbers and strings");
    ok(ux_json_word(root).len == 0
       && ux_json_word(ux_json_get(root, str("1"))).len == 0,
       "and of nothing else");
    ok(ux_json_first(ux_json_get(root, str("4"))) == NULL,
       "nothing below a string");

    node = ux_json_first(ux_json_get(root, str("6")));
    ok(strcmp(ux_json_word(node).data, "3") == 0 && ux_json_next(node) == NULL,
       "members of an object");

    ux_json_delete(root);

    ok(ux_json_type(NULL) == UX_JSON_NONE && ux_json_first(NULL) == NULL
       && ux_json_next(NULL) == NULL && ux_json_word(NULL).len == 0
       && !ux_json_true(NULL), "nothing of nothing");
}


/* Without memory a text is refused, never read by half. */
static void
test_no_memory(void)
{
    long        n, total;
    unsigned    leaks, read;
    ux_json_t  *root;

    ux_json_set_allocator(test_alloc, test_release);

    leaks = 0;
    read = 0;
    total = 1;

    for (n = 0; n <= total; n++) {
        allocs_fail_at(n);

        root = ux_json_parse(str("{\"a\":[1,2.5,\"x\"],\"b\":-3}"));
        read += (root != NULL) != (n == 0);

        if (n == 0) {
            total = allocs;
        }

        ux_json_delete(root);

        leaks += live != 0;
    }

    ux_json_set_allocator(NULL, NULL);

    ok(total > 8, "%ld allocations failed, one by one", total);
    ok(read == 0, "no tree of half a text");
    ok(leaks == 0, "no leak");
}


static bool
reads(const char *text, const char *expected)
{
    return prints(ux_json_parse(str(text)), expected);
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


static ux_str_t
str(const char *text)
{
    return (ux_str_t) { text, strlen(text) };
}
