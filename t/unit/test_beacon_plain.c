
/*
 * Copyright (C) the nginx-ux authors
 *
 * The short way to read a beacon against the one for any body: whatever the
 * short one takes the other reads the same, over bodies made of pieces by
 * chance, whole and damaged; and it takes what scripts send.
 */

#include "ux_beacon_private.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>


#define BODIES  200000


typedef struct {
    unsigned  taken;
    unsigned  refused;             /* by both */
    unsigned  left;                /* to the other way */
    unsigned  wrong;
} tally_t;


static void test_taken(void);
static void test_many(void);
static void test_left(void);
static void test_chance(void);
static size_t make_body(char *body);
static size_t put(char *body, size_t len, const char *piece);
static const char *pick(const char *const *pieces);
static void damage(char *body, size_t *len);
static void compare(ux_str_t body, unsigned members, tally_t *tally);
static bool same(const ux_beacon_t *a, const ux_beacon_t *b);
static bool takes(const char *body);
static unsigned chance(unsigned n);


static ux_beacon_t  plain, any;
static uint64_t     state = 1;


int
main(void)
{
    test_taken();
    test_many();
    test_left();
    test_chance();

    return done();
}


static void
test_taken(void)
{
    ok(takes("{\"event\":\"add_payment_info\",\"value\":12.5,"
             "\"currency\":\"EUR\"}"), "an event");
    ok(takes("[{\"name\":\"LCP\",\"value\":12.5,\"delta\":-0.5,"
             "\"id\":\"v4-1\",\"rating\":\"good\",\"n\":null},\n"
             " {\"name\":\"CLS\",\"value\":0}]"), "metrics");
    ok(plain.n == 2 && plain.items[0].vital.value_e4 == 125000
       && plain.items[1].kind == UX_BEACON_VITAL, "both of them");
    ok(takes(" { \"event\" : \"a\" , \"x\" : true } "), "with blanks");
}


/* An array and its events are at most UX_BEACON_NODES values. */
static void
test_many(void)
{
    char      body[1024];
    size_t    len;
    unsigned  i, n;

    for (n = 31; n <= 33; n++) {
        len = put(body, 0, "[");

        for (i = 0; i < n; i++) {
            len = put(body, len, i > 0 ? "," : "");
            len = put(body, len, "{\"event\":\"a\"}");
        }

        len = put(body, len, "]");
        body[len] = '\0';

        ok(takes(body) == (n == 31), "%u events", n);
    }
}


/* Neither wrong nor taken: the other way knows more. */
static void
test_left(void)
{
    unsigned     i;
    ux_error_t   error;

    static const char *const  bodies[] = {
        "{\"event\":\"\\u0061\"}",
        "{\"\\u0065vent\":\"a\"}",
        "{\"event\":\"\xc3\xa4\"}",
        "{\"event\":\"a\",\"value\":1e2}",
        "{\"event\":\"a\",\"x\":[1]}",
        "[]",
        NULL
    };

    for (i = 0; bodies[i] != NULL; i++) {
        ok(!takes(bodies[i])
           && ux_beacon_read(&plain, (ux_str_t) { bodies[i],
                                                  strlen(bodies[i]) },
                             false, &error) == UX_OK, "%s", bodies[i]);
    }
}


static void
test_chance(void)
{
    char      body[UX_BEACON_MAX];
    size_t    len;
    tally_t   tally = { 0, 0, 0, 0 };
    unsigned  i;

    for (i = 0; i < BODIES; i++) {
        len = make_body(body);

        if (i % 2) {
            damage(body, &len);
        }

        compare((ux_str_t) { body, len },
                i % 3 ? UX_BEACON_M_VISITOR : UX_BEACON_MEMBERS, &tally);
    }

    ok(tally.wrong == 0, "%u of %u bodies are read in two ways",
       tally.wrong, BODIES);
    ok(tally.taken > BODIES / 20 && tally.refused > BODIES / 10
       && tally.left > BODIES / 100,
       "%u are plain, %u none, %u are left", tally.taken, tally.refused,
       tally.left);
}


/* Up to 40 objects: more values than there may be. */
static size_t
make_body(char *body)
{
    size_t    len;
    unsigned  objects, members, array;

    static const char *const  names[] = {
        "\"event\"", "\"event\"", "\"event\"", "\"name\"", "\"value\"",
        "\"delta\"", "\"currency\"", "\"id\"", "\"visitor\"", "\"x\"",
        "\"\"", "\"Event\"", "\"\\u0065vent\"", NULL
    };
    static const char *const  values[] = {
        "\"purchase\"", "\"LCP\"", "\"CLS\"", "\"EUR\"", "\"a b~\"", "\"\"",
        "\"12.5\"", "\"1e2\"", "12.5", "0", "-0", "-1.50", "01", "1.", ".5",
        "-", "1e2", "123456789012345678901234567890123456789012345678901",
        "null", "true", "false", "nul", "[]", "{}", "[1]", "\"\\n\"",
        "\"\xc3\xa4\"", "\"\x7f\"", "\"\xff\"", "\"\t\"", NULL
    };
    static const char *const  blanks[] = {
        "", "", "", "", "", " ", "\n", "\t\r ", NULL
    };

    array = chance(2);
    objects = array ? 1 + chance(chance(8) ? 3 : 40) : 1;
    len = array ? put(body, 0, "[") : 0;

    while (objects-- > 0) {
        len = put(body, len, "{");

        for (members = 1 + chance(4); members > 0; members--) {
            len = put(body, len, pick(blanks));
            len = put(body, len, pick(names));
            len = put(body, len, pick(blanks));
            len = put(body, len, ":");
            len = put(body, len, pick(blanks));
            len = put(body, len, chance(4) ? values[chance(13)]
                                           : pick(values));
            len = put(body, len, pick(blanks));
            len = put(body, len, members > 1 ? "," : "");
        }

        len = put(body, len, "}");
        len = put(body, len, objects > 0 ? "," : "");
    }

    len = put(body, len, array ? "]" : "");

    return put(body, len, pick(blanks));
}


static size_t
put(char *body, size_t len, const char *piece)
{
    size_t  n;

    n = strlen(piece);
    memcpy(body + len, piece, n);

    return len + n;
}


static const char *
pick(const char *const *pieces)
{
    unsigned  n;

    for (n = 0; pieces[n] != NULL; n++) {
        /* void */
    }

    return pieces[chance(n)];
}


/* A byte is another one, or gone, or the last ones are. */
static void
damage(char *body, size_t *len)
{
    size_t  at;

    static const char  bytes[] = "\"{}[]:,\\0-.e \x00\x1f\x80\xff";

    at = chance((unsigned) *len);

    switch (chance(3)) {

    case 0:
        body[at] = bytes[chance(sizeof(bytes))];
        break;

    case 1:
        memmove(body + at, body + at + 1, *len - at - 1);
        (*len)--;
        break;

    default:
        *len = at;
    }
}


/* From memory of its own, so that a byte too far is found. */
static void
compare(ux_str_t body, unsigned members, tally_t *tally)
{
    bool         taken;
    char        *copy;
    ux_error_t   error;
    ux_status_t  rc;

    copy = malloc(body.len > 0 ? body.len : 1);
    if (copy == NULL) {
        exit(1);
    }

    memcpy(copy, body.data, body.len);
    body.data = copy;

    taken = ux_beacon_plain(&plain, body, members);
    rc = ux_beacon_any(&any, body, members, &error);

    tally->taken += taken;
    tally->refused += !taken && rc == UX_ERROR;
    tally->left += !taken && rc == UX_OK;
    tally->wrong += taken && (rc != UX_OK || !same(&plain, &any));

    free(copy);
}


static bool
same(const ux_beacon_t *a, const ux_beacon_t *b)
{
    unsigned                 i;
    const ux_beacon_item_t  *x, *y;

    for (i = 0; i < a->n && i < b->n; i++) {
        x = &a->items[i];
        y = &b->items[i];

        if (x->kind != y->kind || x->named != y->named || x->bad != y->bad
            || !ux_str_equal(x->name, y->name)
            || !ux_str_equal(x->value, y->value)
            || !ux_str_equal(x->currency, y->currency)
            || !ux_str_equal(x->id, y->id)
            || !ux_str_equal(x->visitor, y->visitor)
            || memcmp(&x->vital, &y->vital, sizeof(ux_vital_t)) != 0)
        {
            return false;
        }
    }

    return a->n == b->n;
}


static bool
takes(const char *body)
{
    return ux_beacon_plain(&plain, (ux_str_t) { body, strlen(body) },
                           UX_BEACON_M_VISITOR);
}


/* Below n; splitmix64. */
static unsigned
chance(unsigned n)
{
    uint64_t  z;

    state += 0x9e3779b97f4a7c15ull;
    z = state;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;

    return n > 0 ? (unsigned) ((z ^ z >> 31) % n) : 0;
}
