
/*
 * Copyright (C) the nginx-ux authors
 *
 * A bare item of a Structured Field: its bytes alone read as the same item,
 * and are of the alphabet RFC 9651 gives to its type.
 */

#include "fuzz.h"
#include "ux_item.h"
#include "ux_json_scan.h"


static void read_alone(ux_str_t text, const ux_item_t *item);
static void check_item(ux_str_t text, const ux_item_t *item);
static void check_number(ux_str_t text, size_t whole, size_t fraction);
static void check_string(ux_str_t text);
static void check_display(ux_str_t text);
static void check_only(ux_str_t text, const char *alphabet);
static void read_key(ux_str_t line);
static ux_cursor_t cursor(ux_str_t bytes);


#define DIGITS  "0123456789"
#define LOWER   "abcdefghijklmnopqrstuvwxyz"
#define UPPER   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

const char *const  fuzz_words[] = {
    "\"", "\\\"", "\\\\", ":", ":YWJj:", "?0", "?1", "@", "@-5", "%\"", "%c3",
    "%bc", "%ed%a0%80", "%f4%90", "%22", "-", ".", "999999999999999",
    "123456789012.125", "-0.5", "*", "a/b:c", "Token", "key-1_.*", "=", "==",
    NULL
};


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ux_str_t     line, text;
    ux_item_t    item;
    ux_cursor_t  c;

    line = fuzz_copy(data, size);
    c = cursor(line);

    if (ux_item_read(&c, &item)) {
        text.data = line.data;
        text.len = (size_t) ((const char *) c.p - line.data);

        fuzz_check(text.len > 0 && fuzz_inside(text, line));
        fuzz_check(item.type == UX_ITEM_BOOLEAN
                   || fuzz_inside(item.text, text));
        read_alone(text, &item);
        check_item(text, &item);
    }

    fuzz_check(c.p <= c.end);

    c = cursor(line);

    if (ux_item_decimal(&c, &item)) {
        text.data = line.data;
        text.len = (size_t) ((const char *) c.p - line.data);
        check_number(text, size, size);
    }

    read_key(line);
    fuzz_free(line);

    return 0;
}


static void
read_alone(ux_str_t text, const ux_item_t *item)
{
    ux_str_t     copy;
    ux_item_t    again;
    ux_cursor_t  c;

    copy = fuzz_copy(text.data, text.len);
    c = cursor(copy);

    fuzz_check(ux_item_read(&c, &again) && c.p == c.end);
    fuzz_check(again.type == item->type && again.text.len == item->text.len);
    fuzz_check(memcmp(again.text.data, item->text.data, item->text.len) == 0);

    fuzz_free(copy);
}


static void
check_item(ux_str_t text, const ux_item_t *item)
{
    switch (item->type) {

    case UX_ITEM_INTEGER:
        check_number(text, 15, 0);
        break;

    case UX_ITEM_DECIMAL:
        check_number(text, 12, 3);
        fuzz_check(memchr(text.data, '.', text.len) != NULL);
        break;

    case UX_ITEM_DATE:
        fuzz_check(text.data[0] == '@');
        text.data++;
        text.len--;
        check_number(text, 15, 0);
        break;

    case UX_ITEM_STRING:
        fuzz_check(item->text.len == text.len - 2);
        check_string(item->text);
        break;

    case UX_ITEM_TOKEN:
        fuzz_check(memchr(UPPER LOWER "*", text.data[0], 53) != NULL);
        check_only(text, UPPER LOWER DIGITS "!#$%&'*+-.^_`|~:/");
        break;

    case UX_ITEM_BYTES:
        check_only(item->text, UPPER LOWER DIGITS "+/=");
        break;

    case UX_ITEM_BOOLEAN:
        fuzz_check(text.len == 2 && item->text.len == 0
                   && (memcmp(text.data, "?0", 2) == 0
                       || memcmp(text.data, "?1", 2) == 0));
        break;

    case UX_ITEM_DISPLAY:
        check_display(item->text);
        break;

    default:
        fuzz_check(!"a type of the enumeration");
    }
}


/* -?digits[.digits] with so many at most. */
static void
check_number(ux_str_t text, size_t whole, size_t fraction)
{
    size_t  i, n;

    i = (text.len > 0 && text.data[0] == '-');

    for (n = 0; i < text.len && text.data[i] != '.'; i++) {
        fuzz_check(text.data[i] >= '0' && text.data[i] <= '9');
        n++;
    }

    fuzz_check(n > 0 && n <= whole);

    if (i == text.len) {
        return;
    }

    fuzz_check(text.len - i - 1 > 0 && text.len - i - 1 <= fraction);

    for (i++; i < text.len; i++) {
        fuzz_check(text.data[i] >= '0' && text.data[i] <= '9');
    }
}


static void
check_string(ux_str_t text)
{
    size_t  i;

    for (i = 0; i < text.len; i++) {
        fuzz_check(text.data[i] >= ' ' && text.data[i] <= '~');
        fuzz_check(text.data[i] != '"');

        if (text.data[i] == '\\') {
            i++;
            fuzz_check(i < text.len
                       && (text.data[i] == '"' || text.data[i] == '\\'));
        }
    }
}


/* Decoded it is UTF-8, says the reader that JSON has. */
static void
check_display(ux_str_t text)
{
    char    *bytes;
    size_t   i, n, length;

    bytes = malloc(text.len + 1);
    fuzz_check(bytes != NULL);

    for (i = 0, n = 0; i < text.len; i++) {
        fuzz_check(text.data[i] >= ' ' && text.data[i] <= '~');

        if (text.data[i] == '%') {
            fuzz_check(i + 2 < text.len);
            bytes[n++] = (char) fuzz_hex(text.data + i + 1);
            i += 2;

        } else {
            bytes[n++] = text.data[i];
        }
    }

    for (i = 0; i < n; i += length) {
        length = bytes[i] == '\0' ? 1
                                  : ux_json_scan_utf8(bytes + i, n - i);
        fuzz_check(length > 0);
    }

    free(bytes);
}


static void
check_only(ux_str_t text, const char *alphabet)
{
    size_t  i;

    for (i = 0; i < text.len; i++) {
        fuzz_check(memchr(alphabet, text.data[i], strlen(alphabet)) != NULL);
    }
}


static void
read_key(ux_str_t line)
{
    ux_str_t     key;
    ux_cursor_t  c;

    c = cursor(line);

    if (ux_item_key(&c, &key)) {
        fuzz_check(key.len > 0 && key.data == line.data);
        fuzz_check(memchr(LOWER "*", key.data[0], 27) != NULL);
        check_only(key, LOWER DIGITS "_-.*");
        fuzz_check(key.len == line.len
                   || line.data[key.len] == '\0'
                   || strchr(LOWER DIGITS "_-.*", line.data[key.len])
                      == NULL);
    }
}


static ux_cursor_t
cursor(ux_str_t bytes)
{
    ux_cursor_t  c;

    c.p = (const unsigned char *) bytes.data;
    c.end = c.p + bytes.len;

    return c;
}
