
/*
 * Copyright (C) the nginx-ux authors
 */

#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "ux_field.h"


static void test_one(void);
static void test_list(void);
static void test_known(void);
static void test_numbers(void);
static void test_bad(void);
static void test_unchecked(void);
static void test_skipped(void);
static void test_refused(void);
static void test_limits(void);
static void test_every_cut(void);
static void test_noise(void);
static ux_status_t parse(const char *line);
static ux_status_t parse_bytes(const void *bytes, size_t len);
static bool is(ux_str_t s, const char *want);
static bool id_is(unsigned i, const char *want);
static bool inside(const ux_field_event_t *event);


static unsigned           n;
static char              *block;
static size_t             block_len;
static ux_field_event_t   events[UX_FIELD_EVENTS_MAX + 1];


int
main(void)
{
    test_one();
    test_list();
    test_known();
    test_numbers();
    test_bad();
    test_unchecked();
    test_skipped();
    test_refused();
    test_limits();
    test_every_cut();
    test_noise();

    free(block);

    return done();
}


static void
test_one(void)
{
    ok(parse("purchase;value=49.90;currency=EUR;id=\"o-1\"") == UX_OK
       && n == 1, "one event");
    ok(is(events[0].name, "purchase"), "its name");
    ok(is(events[0].value, "49.90"), "its value");
    ok(is(events[0].currency, "EUR"), "its currency");
    ok(id_is(0, "o-1"), "its id");

    ok(parse("signup") == UX_OK && n == 1 && is(events[0].name, "signup")
       && events[0].value.len == 0 && events[0].currency.len == 0
       && !events[0].has_id && events[0].id_len == 0, "nothing but a name");

    ok(parse("*we!rd/Token:1") == UX_OK && is(events[0].name,
       "*we!rd/Token:1"), "a token that is no name of ours is still one");
}


static void
test_list(void)
{
    ok(parse("") == UX_OK && n == 0, "an empty list");
    ok(parse("   ") == UX_OK && n == 0, "a list of blanks");
    ok(parse("a,b") == UX_OK && n == 2 && is(events[1].name, "b"), "a,b");
    ok(parse("  a;id=x \t,\t b  ") == UX_OK && n == 2 && id_is(0, "x")
       && !events[1].has_id, "white space around the comma");
    ok(parse("a;  id=x;   value=1") == UX_OK && id_is(0, "x")
       && is(events[0].value, "1"), "blanks before a parameter");
    ok(parse("a \t") == UX_OK && n == 1, "white space at the end");
}


static void
test_known(void)
{
    ok(parse("a;value=12") == UX_OK && is(events[0].value, "12"), "integer");
    ok(parse("a;value=-1.5") == UX_OK && is(events[0].value, "-1.5"),
       "a sign is read, whatever it is worth");
    ok(parse("a;value=\"12.50\"") == UX_OK && is(events[0].value, "12.50"),
       "a quoted number");
    ok(parse("a;currency=\"EUR\"") == UX_OK && is(events[0].currency, "EUR"),
       "a quoted currency");
    ok(parse("a;id=A-1/2:3") == UX_OK && id_is(0, "A-1/2:3"), "a token id");
    ok(parse("a;id=\"q\\\"b\\\\s\"") == UX_OK && id_is(0, "q\"b\\s"),
       "an escaped id");
    ok(parse("a;id=\"a, b;c\",d") == UX_OK && n == 2 && id_is(0, "a, b;c"),
       "separators in quotes");
    ok(parse("a;id=\"\"") == UX_OK && !events[0].has_id,
       "an empty id is none");
    ok(parse("a;value=1;value=2;id=x;id=yy") == UX_OK
       && is(events[0].value, "2") && id_is(0, "yy"), "the last one counts");
    ok(parse("a;id=xyz;id=\"\"") == UX_OK && !events[0].has_id
       && events[0].id_len == 0, "an empty last id is none");
}


/* A bare value may have any number of digits, up to 32 characters. */
static void
test_numbers(void)
{
    unsigned     i;
    const char  *good[] = {
        "0", "-0", "1", "-1.5", "1.2345", "1234567890123.5",
        "9999999999999999", "-0.00000000000000000000000000001",
        "12345678901234567890123456789012", "49.90000000000000000000000000001"
    };
    const char  *not_one[] = {
        "-", "--1", "+1", "1.", ".5", "-.5", "1.2.3", "1e3", "1,5", "0x10",
        "1_000", "1 000", "1.-5"
    };
    char         line[128];

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        snprintf(line, sizeof(line), "a;value=%s;id=z, b", good[i]);
        ok(parse(line) == UX_OK && n == 2 && !events[0].bad
           && is(events[0].value, good[i]) && id_is(0, "z"), "%s", line);
    }

    for (i = 0; i < sizeof(not_one) / sizeof(not_one[0]); i++) {
        snprintf(line, sizeof(line), "b, a;value=%s", not_one[i]);
        ok(parse(line) == UX_ERROR, "refused: %s", line);
    }

    ok(parse("a;value=123456789012345678901234567890123, b") == UX_OK
       && n == 2 && events[0].bad && !events[1].bad, "33 characters");
    ok(parse("a;value=-1.0000000000000000000000000000001, b") == UX_OK
       && n == 2 && events[0].bad && !events[1].bad,
       "33 characters, sign and point among them");
    ok(parse("a;value=\"100000000000000000000000000000000\"") == UX_OK
       && !events[0].bad && events[0].value.len == 33, "33 in quotes");

    ok(parse("a;value=@1.5") == UX_ERROR, "a date has no fraction");
    ok(parse("a;currency=1.2345") == UX_ERROR
       && parse("a;id=1234567890123456") == UX_ERROR
       && parse("a;valu=1.2345") == UX_ERROR
       && parse("a;value2=1.2345") == UX_ERROR,
       "and no other parameter has more digits than the RFC says");
}


/* A known parameter of a wrong type takes its own member with it only. */
static void
test_bad(void)
{
    unsigned     i, k;
    char         line[128];
    const char  *bad[] = {
        "value", "value=EUR", "value=\"\"", "value=@12", "value=?1",
        "value=?0", "value=:YQ==:", "value=%\"1\"", "value=*",
        "currency", "currency=12", "currency=1.5", "currency=\"\"",
        "currency=?0", "currency=@1", "currency=%\"EUR\"",
        "id", "id=12", "id=5.5", "id=-1", "id=?1", "id=:YQ==:", "id=@1",
        "id=%\"x\"",
        "value=1;value=x", "currency=EUR;currency=1", "id=x;id=1",
        "id=\"\";id", "value=x;currency=EUR;id=y",
        "value=1;currency=EUR;id", "value;value"
    };
    const char  *good[] = {
        "value=x;value=1", "value;value=1", "currency=1;currency=EUR",
        "id=1;id=x", "id;id=\"\"", "id=1;id=\"\"", "x=?0;values=x;ids=1"
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(line, sizeof(line), "a;id=p, b;%s , c;value=2", bad[i]);

        ok(parse(line) == UX_OK && n == 3 && events[1].bad
           && is(events[1].name, "b"), "bad: %s", bad[i]);
        ok(!events[0].bad && id_is(0, "p") && !events[2].bad
           && is(events[2].value, "2"), "and its neighbours are good");
    }

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        snprintf(line, sizeof(line), "b;%s", good[i]);
        ok(parse(line) == UX_OK && n == 1 && !events[0].bad,
           "the last one counts: %s", good[i]);
    }

    ok(parse("b;id=longer;id=\"\"") == UX_OK && !events[0].has_id
       && events[0].id_len == 0, "an empty last id is none");

    ok(parse("a;id=1,b;value=?0,c;currency=1") == UX_OK && n == 3,
       "all of them");

    for (k = 0; k < n; k++) {
        ok(events[k].bad, "number %u is bad", k);
    }

    ok(parse("a;value=x, b;") == UX_ERROR,
       "what is no list is refused whole");
}


/* Without ux_field_check() the good members come first, then the error. */
static void
test_unchecked(void)
{
    ux_str_t          rest = ux_str("a;id=1, b;id=\"x\", c;;, d");
    ux_str_t          none = { NULL, 0 };
    ux_field_event_t  event;

    ok(ux_field_next(&rest, &event) == UX_OK && is(event.name, "a")
       && event.bad, "the first");
    ok(ux_field_next(&rest, &event) == UX_OK && is(event.name, "b")
       && !event.bad && event.id_len == 1, "the second: nothing stayed");
    ok(ux_field_next(&rest, &event) == UX_ERROR, "the third is none");
    ok(ux_field_next(&rest, &event) == UX_ERROR, "and remains so");

    ok(ux_field_check(none) == UX_OK
       && ux_field_next(&none, &event) == UX_DECLINED, "no bytes at all");
}


static void
test_skipped(void)
{
    char         line[256];
    unsigned     i;
    const char  *good[] = {
        "", "=1", "=-1", "=0", "=-0", "=999999999999999", "=1.5",
        "=-999999999999.999", "=\"\"", "=\"a\\\\\\\" ~\"", "=tok", "=*",
        "=t!#$%&'*+-.^_`|~:/9", "=::", "=:YQ==:", "=:YWI=:", "=:YWJj:",
        "=:YQ:", "=:+/09azAZ:", "=?0", "=?1", "=@0", "=@-1", "=@1659578233",
        "=%\"\"", "=%\"f%c3%bc\"", "=%\"%f0%9f%9b%92 %22%25\"",
        "=%\"%e0%a0%80%ed%9f%bf%f4%8f%bf%bf\"", "=%\"%00\""
    };

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        snprintf(line, sizeof(line), "a;x%s;id=z,b", good[i]);
        ok(parse(line) == UX_OK && n == 2 && id_is(0, "z")
           && is(events[1].name, "b"), "skipped: %s", line);
    }

    ok(parse("a;*;x_y-z.0*=1;id=z") == UX_OK && id_is(0, "z"), "all of a key");
}


static void
test_refused(void)
{
    unsigned     i;
    const char  *bad[] = {
        ",", "a,", "a, ", "a,,b", ",a", "a b", "a;", "a;;b", "a; ", "a;=1",
        "a;x=", "a;x= 1", "a;x =1", "a ;x", "a;\tx", "\ta", "a;X=1", "a;9=1",
        "a;-x", "9a", "1", "-1", "1.5", "\"a\"", "?1", ":YQ==:", "@1",
        "%\"a\"", "(a b)", "(a)", "()", "a;x=()", "a;x=(1)", "a=b", "a=1",
        "a\x80", "\xc3\xa9", "a;x=\"\x80\"", "a;x=\"\t\"", "a;x=\"\x7f\"",
        "a;x=\"", "a;x=\"\\", "a;x=\"\\a\"", "a;x=\"\\\"", "a;x=\"a",
        "a;x=-", "a;x=--1", "a;x=+1", "a;x=1.", "a;x=.1", "a;x=1.2345",
        "a;x=1.2.3", "a;x=1234567890123.1", "a;x=1234567890123456", "a;x=1e3",
        "a;x=:", "a;x=:YQ", "a;x=:Y:", "a;x=:YQ=:", "a;x=:YQ===:",
        "a;x=:Y=Q=:", "a;x=:Y-_=:", "a;x=:=:", "a;x=?", "a;x=?2", "a;x=?11",
        "a;x=?true", "a;x=@", "a;x=@1.5", "a;x=@x", "a;x=%", "a;x=%a",
        "a;x=%\"", "a;x=%\"a", "a;x=%\"%\"", "a;x=%\"%c\"", "a;x=%\"%C3%BC\"",
        "a;x=%\"%c3\"", "a;x=%\"%c3a\"", "a;x=%\"%80\"", "a;x=%\"%c0%80\"",
        "a;x=%\"%e0%80%80\"", "a;x=%\"%ed%a0%80\"", "a;x=%\"%f4%90%80%80\"",
        "a;x=%\"%f5%80%80%80\"", "a;x=%\"%ff\"", "a;x=%\"\x80\"",
        "a;x=%\"%f0%80%80%80\"", "a;x=%\"%c1\"", "a;x=%\"%gg\"",
        "a;x=\x01", "a\r\n", "a\n"
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ok(parse(bad[i]) == UX_ERROR, "refused: number %u", i);
    }

    ok(parse_bytes("a\0", 2) == UX_ERROR, "refused: NUL in a token");
    ok(parse_bytes("a;x=\"\0\"", 7) == UX_ERROR, "refused: NUL in a string");
    ok(parse_bytes("a;\0", 3) == UX_ERROR, "refused: NUL for a key");
    ok(parse("a;id=x,b;id=1.") == UX_ERROR,
       "one member that is none refuses the line");
}


static void
test_limits(void)
{
    char      line[512];
    size_t    len;
    unsigned  i;

    line[0] = 'a';

    for (i = 1; i <= UX_FIELD_EVENTS_MAX; i++) {
        memcpy(&line[2 * i - 1], ",a", 2);
    }

    ok(parse_bytes(line, 2 * 64 - 1) == UX_OK && n == 64, "64 members");
    ok(parse_bytes(line, 2 * 65 - 1) == UX_ERROR, "65 members");

    ok(UX_FIELD_ID_MAX == 256, "an id has at most 256 bytes");

    strcpy(line, "a;id=\"");
    len = strlen(line);
    memset(line + len, 'x', UX_FIELD_ID_MAX + 1);

    strcpy(line + len + UX_FIELD_ID_MAX, "\"");
    ok(parse(line) == UX_OK && !events[0].bad
       && events[0].id_len == UX_FIELD_ID_MAX,
       "an id of %d bytes", UX_FIELD_ID_MAX);

    strcpy(line + len + UX_FIELD_ID_MAX, "\\\\\", b;id=x");
    ok(parse(line) == UX_OK && n == 2 && events[0].bad && !events[0].has_id,
       "one more, escaped, is bad");
    ok(!events[1].bad && id_is(1, "x"), "but not the next");

    strcpy(line + len + UX_FIELD_ID_MAX - 1, "\\\\\"");
    ok(parse(line) == UX_OK && !events[0].bad
       && events[0].id_len == UX_FIELD_ID_MAX
       && events[0].id_bytes[UX_FIELD_ID_MAX - 1] == '\\',
       "backslashes do not count");
}


/* A line that ends anywhere is read to there and no further. */
static void
test_every_cut(void)
{
    bool         sound;
    size_t       len;
    const char  *line = "buy;value=1.25;x=%\"%c3%bc\";y=:YWI=:;z=@-5;b=?1;"
                        "id=\"a\\\"b\" \t, refund;id=tok;s=\"q\";value=\"3\"";

    ok(parse(line) == UX_OK && n == 2, "the whole line");

    sound = true;

    for (len = 0; len < strlen(line); len++) {
        (void) parse_bytes(line, len);

        sound = sound && n <= 2 && (n == 0 || inside(&events[n - 1]));
    }

    ok(sound, "cut at every byte");
}


/* Random bytes of the grammar's alphabet: results stay inside the line. */
static void
test_noise(void)
{
    char         line[64];
    bool         sound;
    size_t       i, len;
    uint64_t     x;
    unsigned     k, round, accepted;
    const char   alphabet[] = "aab;;,==\"\"\\ \t%:?@-.0123*ida";

    x = 42;
    sound = true;
    accepted = 0;

    for (round = 0; round < 200000; round++) {
        x = x * 6364136223846793005ull + 1442695040888963407ull;
        len = (x >> 33) % 14;

        for (i = 0; i < len; i++) {
            x = x * 6364136223846793005ull + 1442695040888963407ull;
            line[i] = alphabet[(x >> 33) % (sizeof(alphabet) - 1)];
        }

        if (parse_bytes(line, len) == UX_OK) {
            accepted++;

            for (k = 0; k < n; k++) {
                sound = sound && inside(&events[k]);
            }
        }
    }

    ok(sound, "everything points into the line");
    ok(accepted > 1000, "%u lines of noise were accepted", accepted);
}


static ux_status_t
parse(const char *line)
{
    return parse_bytes(line, strlen(line));
}


/*
 * The checked line's members.  At the end of a heap block: AddressSanitizer
 * sees a read past it.
 */
static ux_status_t
parse_bytes(const void *bytes, size_t len)
{
    ux_str_t     line;
    ux_status_t  rc;

    free(block);
    block = malloc(len ? len : 1);
    block_len = len;
    memcpy(block, bytes, len);

    line.data = block;
    line.len = len;
    n = 0;

    if (ux_field_check(line) != UX_OK) {
        return UX_ERROR;
    }

    for ( ;; ) {
        memset(&events[n], 0xff, sizeof(events[n]));
        rc = ux_field_next(&line, &events[n]);

        if (rc != UX_OK) {
            break;
        }

        n++;
    }

    return (rc == UX_DECLINED) ? UX_OK : UX_ERROR;
}


static bool
is(ux_str_t s, const char *want)
{
    return s.len == strlen(want) && memcmp(s.data, want, s.len) == 0;
}


static bool
id_is(unsigned i, const char *want)
{
    return events[i].has_id && events[i].id_len == strlen(want)
           && memcmp(events[i].id_bytes, want, events[i].id_len) == 0;
}


static bool
inside(const ux_field_event_t *event)
{
    const ux_str_t  parts[] = { event->name, event->value, event->currency };
    unsigned        i;

    for (i = 0; i < 3; i++) {
        if (parts[i].len > 0
            && (parts[i].data < block
                || parts[i].data + parts[i].len > block + block_len))
        {
            return false;
        }
    }

    return event->name.len > 0 && event->id_len <= UX_FIELD_ID_MAX;
}
