
/*
 * Copyright (C) the nginx-ux authors
 *
 * JSON read and written.  What is read must be JSON for a second reader that
 * follows the grammar of RFC 8259 byte by byte; any bytes may be written as a
 * string.
 */

#include "fuzz.h"
#include "ux_json.h"
#include "ux_json_scan.h"


#define DEPTH_MAX  900                 /* cJSON goes down to 1000 */


static void check_text(ux_str_t text);
static void check_tree(const ux_json_t *node);
static void check_string(ux_str_t bytes);
static bool is_json(ux_str_t text);
static bool is_value(unsigned depth);
static bool is_list(unsigned depth, char close, bool members);
static bool is_string(void);
static bool is_escape(void);
static bool is_number(void);
static bool is_literal(const char *word);
static size_t digits(void);
static int peek(void);
static void blanks(void);


const char *const  fuzz_words[] = {
    "{", "}", "[", "]", ",", ":", "\"", "\"a\":", "null", "true", "false",
    "1e999", "-0", "0.5", "1E+2", "01", "1.", "-", "\\u0000", "\\ud83d\\ude00",
    "\\ud800", "\\n", "\\\"", "\\\\", "\\x", "\xef\xbb\xbf", "\xc0\x80",
    "18446744073709551616", "[[[[[[[[", "{\"a\":{\"a\":", "\r\n", "//", NULL
};


static const char  *p, *end;
static bool         unsure;            /* JSON, but may be refused */
static bool         deep;              /* more than the second reader goes */


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ux_str_t  text;

    text = fuzz_copy(data, size);

    check_text(text);
    check_string(text);

    fuzz_free(text);

    return 0;
}


static void
check_text(ux_str_t text)
{
    bool        valid;
    char       *first, *second;
    size_t      len;
    ux_str_t    printed;
    ux_json_t  *root, *again;

    valid = is_json(text);
    root = ux_json_parse(text);

    if (root == NULL) {
        fuzz_check(!valid || unsure);
        return;
    }

    fuzz_check(valid || deep);
    check_tree(root);

    first = ux_json_print(root, &printed.len);
    fuzz_check(first != NULL);

    printed.data = first;
    again = ux_json_parse(printed);
    fuzz_check(again != NULL);

    second = ux_json_print(again, &len);
    fuzz_check(second != NULL && len == printed.len);
    fuzz_check(memcmp(first, second, len) == 0);

    ux_json_text_free(first);
    ux_json_text_free(second);
    ux_json_delete(again);
    ux_json_delete(root);
}


static void
check_tree(const ux_json_t *node)
{
    char             *stop;
    ux_str_t          word;
    const ux_json_t  *child;

    word = ux_json_word(node);

    switch (ux_json_type(node)) {

    case UX_JSON_NUMBER:
        fuzz_check(word.len > 0);
        (void) strtod(word.data, &stop);
        fuzz_check(stop == word.data + word.len);
        break;

    case UX_JSON_STRING:
        fuzz_check(word.data[word.len] == '\0');
        break;

    case UX_JSON_ARRAY:
    case UX_JSON_OBJECT:
        for (child = ux_json_first(node); child != NULL;
             child = ux_json_next(child))
        {
            check_tree(child);
        }

        break;

    default:
        fuzz_check(ux_json_type(node) != UX_JSON_NONE && word.len == 0);
    }
}


/* What is no UTF-8 becomes a question mark, all else comes back. */
static void
check_string(ux_str_t bytes)
{
    char       *text, *expected;
    size_t      i, n;
    ux_str_t    printed, word, name = ux_str("s");
    ux_json_t  *root;

    expected = malloc(bytes.len + 1);
    fuzz_check(expected != NULL);

    for (i = 0; i < bytes.len; i += n) {
        n = ux_json_scan_utf8(bytes.data + i, bytes.len - i);
        memcpy(expected + i, n > 0 ? bytes.data + i : "?", n > 0 ? n : 1);
        n += (n == 0);
    }

    root = ux_json_new();
    ux_json_string(root, "s", bytes);
    text = ux_json_print(root, &printed.len);
    fuzz_check(text != NULL);
    ux_json_delete(root);

    printed.data = text;
    fuzz_check(is_json(printed));

    for (i = 0; i < printed.len; i++) {
        fuzz_check((unsigned char) text[i] >= ' ');
    }

    root = ux_json_parse(printed);
    word = ux_json_word(ux_json_get(root, name));
    fuzz_check(word.len == bytes.len);
    fuzz_check(memcmp(word.data, expected, word.len) == 0);

    ux_json_delete(root);
    ux_json_text_free(text);
    free(expected);
}


static bool
is_json(ux_str_t text)
{
    p = text.data;
    end = p + text.len;
    unsure = false;
    deep = false;

    /* section 8.1: whether a reader passes over this mark is up to it */

    if (text.len >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
        p += 3;
        unsure = true;
    }

    blanks();

    if (!is_value(0)) {
        return false;
    }

    blanks();

    return p == end;
}


static bool
is_value(unsigned depth)
{
    if (depth > DEPTH_MAX) {
        deep = true;
        return false;
    }

    switch (peek()) {

    case '{':
        return is_list(depth, '}', true);

    case '[':
        return is_list(depth, ']', false);

    case '"':
        return is_string();

    case 't':
        return is_literal("true");

    case 'f':
        return is_literal("false");

    case 'n':
        return is_literal("null");

    default:
        return is_number();
    }
}


static bool
is_list(unsigned depth, char close, bool members)
{
    p++;
    blanks();

    if (peek() == close) {
        p++;
        return true;
    }

    for ( ;; ) {

        if (members) {

            if (!is_string()) {
                return false;
            }

            blanks();

            if (peek() != ':') {
                return false;
            }

            p++;
            blanks();
        }

        if (!is_value(depth + 1)) {
            return false;
        }

        blanks();

        if (peek() == close) {
            p++;
            return true;
        }

        if (peek() != ',') {
            return false;
        }

        p++;
        blanks();
    }
}


static bool
is_string(void)
{
    if (peek() != '"') {
        return false;
    }

    for (p++; peek() != '"'; p++) {

        if (peek() < 0x20) {
            return false;
        }

        if (peek() == '\\') {
            p++;

            if (!is_escape()) {
                return false;
            }
        }
    }

    p++;

    return true;
}


static bool
is_escape(void)
{
    unsigned  i;

    if (peek() == 'u') {
        /* half of a character, perhaps */

        unsure = unsure || (p + 1 < end && (p[1] | 0x20) == 'd');

        for (i = 0; i < 4; i++) {
            p++;

            if (peek() <= 0 || strchr("0123456789abcdefABCDEF", peek())
                               == NULL)
            {
                return false;
            }
        }

        return true;
    }

    return peek() > 0 && strchr("\"\\/bfnrt", peek()) != NULL;
}


static bool
is_number(void)
{
    p += (peek() == '-');

    if (peek() == '0') {
        p++;

    } else if (digits() == 0) {
        return false;
    }

    if (peek() == '.') {
        p++;

        if (digits() == 0) {
            return false;
        }
    }

    if (peek() == 'e' || peek() == 'E') {
        p++;
        p += (peek() == '+' || peek() == '-');

        return digits() > 0;
    }

    return true;
}


static bool
is_literal(const char *word)
{
    size_t  n = strlen(word);

    if ((size_t) (end - p) < n || memcmp(p, word, n) != 0) {
        return false;
    }

    p += n;

    return true;
}


static size_t
digits(void)
{
    size_t  n;

    n = fuzz_digits(p, end);
    p += n;

    return n;
}


static int
peek(void)
{
    return p < end ? (unsigned char) *p : -1;
}


static void
blanks(void)
{
    while (peek() == ' ' || peek() == '\t' || peek() == '\r'
           || peek() == '\n')
    {
        p++;
    }
}
