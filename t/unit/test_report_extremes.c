
/*
 * Copyright (C) the nginx-ux authors
 *
 * Counters as large as they get: whole numbers are printed exactly up to
 * 2^63 - 1.  What is above is a subtraction that was seen before its addition,
 * and shown as 0; sums of cells are modulo 2^64.  Whatever stands in the
 * cells, a report is JSON and every number in it is one.
 */

#include "report_fixture.h"

#include "ux_json.h"


#define MOST   "9223372036854775807"
#define EVENT  "/zones/shop/events/view_item"


static unsigned  numbers, odd;


/* How many numbers there are, and those that are none. */
static void
walk(const ux_json_t *node)
{
    char       *end;
    double      value;
    ux_str_t    word;
    ux_json_t  *child;

    if (ux_json_type(node) == UX_JSON_NUMBER) {
        word = ux_json_word(node);
        value = strtod(word.data, &end);
        numbers++;

        if (!isfinite(value) || *end != '\0'
            || (fabs(value) >= 9007199254740992.0
                && strpbrk(word.data, "eE") == NULL
                && strpbrk(word.data, ".") == NULL
                && word.len > 19 + (word.data[0] == '-')))
        {
            printf("# %s\n", word.data);
            odd++;
        }
    }

    for (child = ux_json_first(node); child != NULL;
         child = ux_json_next(child))
    {
        walk(child);
    }
}


/* A zone in which every cell says the same. */
static void
test_all_cells(uint64_t value)
{
    size_t      i;
    const char  *text;
    ux_json_t  *root;

    setup();
    set_counts();

    for (i = 0; i < ALL_CELLS; i++) {
        memory->shared[i] = value;
    }

    text = at("/");
    root = ux_json_parse(str(text));
    numbers = 0;
    odd = 0;
    walk(root);

    ok(root != NULL && numbers > 100 && odd == 0,
       "%llu in every cell: %u numbers", (unsigned long long) value, numbers);

    ux_json_delete(root);
}


static void
events(uint64_t value)
{
    setup();
    memory->shared[UX_ZONE_EVENTS + model.event_slots[UX_EVENT_VIEW_ITEM]] =
        value;
}


static void
test_integers(void)
{
    events(9007199254740993);
    ok(is(EVENT, "9007199254740993"), "2^53 + 1");
    events((1ull << 63) - 2);
    ok(is(EVENT, "9223372036854775806"), "2^63 - 2");
    events((1ull << 63) - 1);
    ok(is(EVENT, MOST), "2^63 - 1");
    events(1ull << 63);
    ok(is(EVENT, "0"), "2^63 is below 0: none");
    events(UINT64_MAX);
    ok(is(EVENT, "0"), "2^64 - 1 is, too");
    count(UX_ZONE_EVENTS + model.event_slots[UX_EVENT_VIEW_ITEM], 1);
    ok(is(EVENT, "0"), "with the one it lacked it is 0");
    count(UX_ZONE_EVENTS + model.event_slots[UX_EVENT_VIEW_ITEM], 1);
    ok(is(EVENT, "1"), "and 1 from there");

    setup();
    count(arm_base[3] + UX_ARM_ASSIGNED, 9007199254740993);
    count(arm_base[3] + UX_ARM_VISITORS, 9007199254740993);
    ok(is(V "/visitors", "9007199254740993"), "visitors: 2^53 + 1");
    ok(is(V "/assigned", "9007199254740993"), "and assigned");
    count(arm_base[0] + UX_ARM_VISITORS, -1);
    ok(is(V "/visitors", "9007199254740992"), "less one of another arm");

    setup();
    count(UX_ZONE_INSERTED, 9007199254740995);
    count(UX_ZONE_EXPIRED, 2);
    ok(is("/zones/shop/visitors/tracked", "9007199254740993")
       && is("/zones/shop/visitors/expired", "2"), "visitors of a zone");
    count(UX_ZONE_EVICTED, INT64_MAX);
    ok(is("/zones/shop/visitors/tracked", "0")
       && is("/zones/shop/visitors/evicted", MOST),
       "more gone than came: nobody");
}


int
main(void)
{
    if (!fixture_map()) {
        return 1;
    }

    test_integers();
    test_all_cells(0);
    test_all_cells(9007199254740993);
    test_all_cells(INT64_MAX);
    test_all_cells(1ull << 63);
    test_all_cells(UINT64_MAX);

    return done();
}
