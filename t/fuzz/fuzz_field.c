
/*
 * Copyright (C) the nginx-ux authors
 *
 * A line of X-UX-Event: what is read of it, written again, reads the same;
 * and nothing of a line counts that is refused.
 */

#include "fuzz.h"
#include "ux_field.h"


#define TEXT_MAX  8192


static unsigned read_all(ux_str_t line, bool *whole);
static void check_event(const ux_field_event_t *event, ux_str_t line);
static void check_blanks(ux_str_t line);
static void write_again(const ux_field_event_t *event);
static size_t put(char *text, size_t at, const char *bytes, size_t n);
static bool same(ux_str_t a, ux_str_t b);


const char *const  fuzz_words[] = {
    "purchase", "add_to_cart", "refund", ";value=", ";currency=", ";id=",
    ";value=49.90", ";currency=EUR", ";id=\"o-1\"", ", ", ",", ";", "; ", "=",
    "\"", "\\\"", "\\\\", "?1", "?0", ":YQ==:", ":", "@1700000000",
    "%\"f%c3%bc\"", "-1", "1.5", "999999999999999", "1234567890.123", "*", "(",
    ")", "a;b;c", "\t", "value", "currency", "id", NULL
};


static ux_field_event_t  events[UX_FIELD_EVENTS_MAX + 1];


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool      whole;
    unsigned  i, n;
    ux_str_t  line;

    line = fuzz_copy(data, size);
    n = read_all(line, &whole);

    fuzz_check((ux_field_check(line) == UX_OK)
               == (whole && n <= UX_FIELD_EVENTS_MAX));

    for (i = 0; i < n; i++) {
        check_event(&events[i], line);
        write_again(&events[i]);
    }

    check_blanks(line);
    fuzz_free(line);

    return 0;
}


/* One more than a line may have, at most. */
static unsigned
read_all(ux_str_t line, bool *whole)
{
    unsigned     n;
    ux_str_t     rest, before;
    ux_status_t  rc;

    rest = line;
    rc = UX_OK;

    for (n = 0; n <= UX_FIELD_EVENTS_MAX; n++) {
        before = rest;
        rc = ux_field_next(&rest, &events[n]);

        fuzz_check(fuzz_inside(rest, line));

        if (rc != UX_OK) {
            break;
        }

        fuzz_check(rest.len < before.len);
    }

    *whole = (rc == UX_DECLINED);

    return n;
}


static void
check_event(const ux_field_event_t *event, ux_str_t line)
{
    size_t  i;

    fuzz_check(event->name.len > 0 && fuzz_inside(event->name, line));
    fuzz_check(event->id_len <= UX_FIELD_ID_MAX);

    if (event->bad) {
        return;
    }

    fuzz_check(event->value.len == 0 || fuzz_inside(event->value, line));
    fuzz_check(event->currency.len == 0
               || fuzz_inside(event->currency, line));
    fuzz_check(event->has_id == (event->id_len > 0));

    for (i = 0; i < event->id_len; i++) {
        fuzz_check(event->id_bytes[i] >= ' ' && event->id_bytes[i] <= '~');
    }
}


/* Blanks around a line change nothing of it. */
static void
check_blanks(ux_str_t line)
{
    char      *block;
    ux_str_t   wide;

    block = malloc(line.len + 3);
    fuzz_check(block != NULL);

    block[0] = ' ';
    memcpy(block + 1, line.data, line.len);
    memcpy(block + 1 + line.len, " \t", 2);

    wide.data = block;
    wide.len = line.len + 3;

    /* before the first member only blanks may stand */

    if (line.len > 0 && line.data[0] != ' ') {
        fuzz_check(ux_field_check(wide) == ux_field_check(line));
    }

    free(block);
}


static void
write_again(const ux_field_event_t *event)
{
    size_t            i, n;
    ux_str_t          line;
    ux_field_event_t  again;
    static char       text[TEXT_MAX];

    if (event->bad
        || event->name.len + event->value.len + event->currency.len
           > TEXT_MAX - 2 * UX_FIELD_ID_MAX - 64)
    {
        return;
    }

    n = put(text, 0, event->name.data, event->name.len);

    if (event->value.len > 0) {
        n = put(text, n, ";value=\"", 8);
        n = put(text, n, event->value.data, event->value.len);
        n = put(text, n, "\"", 1);
    }

    if (event->currency.len > 0) {
        n = put(text, n, ";  currency=\"", 13);
        n = put(text, n, event->currency.data, event->currency.len);
        n = put(text, n, "\"", 1);
    }

    n = put(text, n, ";id=\"", 5);

    for (i = 0; i < event->id_len; i++) {

        if (event->id_bytes[i] == '"' || event->id_bytes[i] == '\\') {
            n = put(text, n, "\\", 1);
        }

        n = put(text, n, &event->id_bytes[i], 1);
    }

    n = put(text, n, "\"", 1);

    line = fuzz_copy(text, n);

    fuzz_check(ux_field_check(line) == UX_OK);

    fuzz_check(ux_field_next(&line, &again) == UX_OK && line.len == 0);
    fuzz_check(!again.bad && same(again.name, event->name));
    fuzz_check(same(again.value, event->value));
    fuzz_check(same(again.currency, event->currency));
    fuzz_check(again.id_len == event->id_len
               && memcmp(again.id_bytes, event->id_bytes, again.id_len) == 0);

    line.data -= n;
    fuzz_free(line);
}


static size_t
put(char *text, size_t at, const char *bytes, size_t n)
{
    memcpy(text + at, bytes, n);

    return at + n;
}


static bool
same(ux_str_t a, ux_str_t b)
{
    return a.len == b.len
           && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}
