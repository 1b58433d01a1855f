
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_export: what the table promises, bounds of buckets, the largest counts,
 * what has to be escaped, and want of memory.  Grammar is for
 * t/55-outputs.t.
 */

#include "export_case.h"

#include "ux_export_private.h"
#include "ux_page_private.h"


static const char *
text_of(ux_export_e format)
{
    ux_status_t  status;

    return export_copy(format, "", &status);
}


static void
test_table(void)
{
    size_t                     n, end;
    unsigned                   i, k, units, again, escapes;
    const ux_export_family_t  *family, *other;

    units = 0;
    again = 0;
    escapes = 0;

    for (i = 0; i < ux_export_nfamilies; i++) {
        family = &ux_export_families[i];
        n = strlen(family->name);
        end = strlen(family->unit);

        units += end > 0
                 && (n <= end || family->name[n - end - 1] != '_'
                     || strcmp(family->name + n - end, family->unit) != 0);
        escapes += strpbrk(family->help, "\"\\\n") != NULL
                   || family->help[strlen(family->help) - 1] != '.';
        again += n > UX_NAME_MAX;

        for (k = i + 1; k < ux_export_nfamilies; k++) {
            other = &ux_export_families[k];

            if (strcmp(family->name, other->name) == 0) {
                again += k != i + 1 || family->type != other->type
                         || strcmp(family->help, other->help) != 0;
            }
        }
    }

    ok(ux_export_nfamilies > 60, "%u rows", ux_export_nfamilies);
    ok(units == 0, "a unit is the end of its name");
    ok(again == 0, "rows of one family stand together and agree");
    ok(escapes == 0, "a help text is a sentence without escapes");
}


static bool
bucket(const char *bound, const char *expected)
{
    char  path[200];

    (void) snprintf(path, sizeof(path), V "/http/seconds/buckets/%s", bound);

    return is(path, expected);
}


/* On both sides of each edge, and the ends of the scale. */
static void
test_buckets(void)
{
    size_t       i;
    ux_change_t  change;

    static const uint64_t  values[] = {
        0, 5, 6, 50, 51, 101, 102, 251, 252, 60415, 60416, 1ull << 40
    };

    setup();
    set_counts();
    memset(memory->shared + timings, 0,
           UX_TIMINGS_REQUESTS_CELLS * sizeof(uint64_t));

    for (i = 0; i < UX_WORKERS; i++) {
        memset(memory->copies + i * OWN_CELLS, 0,
               OWN_CELLS * sizeof(uint64_t));
    }

    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        change = ux_timing_change(timings, values[i]);
        count(change.cell, change.delta);
        count(arm_base[0] + UX_ARM_HTTP + UX_HTTP_REQUESTS, 1);
    }

    ok(bucket("0.005", "2") && bucket("0.01", "3"), "5 ms and 6 ms");
    ok(bucket("0.025", "3") && bucket("0.05", "4"), "50 ms and 51 ms");
    ok(bucket("0.101", "6"), "101 ms and 102 ms");
    ok(bucket("0.251", "8") && bucket("0.503", "9"), "251 ms and 252 ms");
    ok(bucket("30.207", "9") && bucket("60.415", "10"), "about a minute");
    ok(bucket("all", "12"), "all of them");
}


static void
test_counts(void)
{
    const char  *text;

    setup();
    memory->shared[UX_ZONE_EVENTS + model.event_slots[UX_EVENT_VIEW_ITEM]] =
        9007199254740993;
    memory->shared[UX_ZONE_EVENTS + model.event_slots[UX_EVENT_PURCHASE]] =
        INT64_MAX;
    memory->shared[UX_ZONE_EVENTS + model.event_slots[UX_EVENT_REFUND]] =
        UINT64_MAX;

    text = text_of(UX_EXPORT_OPENMETRICS);

    ok(strstr(text, "\nnginx_ux_events_total{zone=\"shop\","
                    "event=\"view_item\"} 9007199254740993\n") != NULL,
       "2^53 + 1 is exact");
    ok(strstr(text, "event=\"purchase\"} 9223372036854775807\n") != NULL,
       "2^63 - 1 is, too");
    ok(strstr(text, "event=\"refund\"} 0\n") != NULL,
       "what is below 0 is shown as 0");
    ok(strstr(text, "null") == NULL && strstr(text, "nan") == NULL,
       "what is not known has no sample");
    ok(strcmp(text + strlen(text) - 6, "# EOF\n") == 0, "ends with # EOF");
    ok(strstr(text_of(UX_EXPORT_PROMETHEUS), "# EOF") == NULL,
       "the older format does not");

    ok(strstr(text_of(UX_EXPORT_CSV),
              "shop,checkout_layout,one_page,,purchase,conversion,0,0,,")
       != NULL, "an experiment without visitors has rows");
}


/* At a place of E, made of these parts. */
static bool
has(unsigned parts, const char *path)
{
    bool                found;
    ux_report_part_t    part;
    ux_report_walk_t   *walk;
    ux_report_scope_t   scope;

    memset(&scope, 0, sizeof(ux_report_scope_t));
    scope.parts = parts;
    scope.experiments = true;
    scope.zone = str("shop");
    scope.experiment = str("checkout_layout");

    walk = ux_report_walk_begin(&report, &scope);
    found = false;

    while (ux_report_walk_next(walk, &part) == UX_OK
           && part.step != UX_REPORT_END)
    {
        found |= part.step == UX_REPORT_EXPERIMENT
                 && ux_page_at(part.node, path + sizeof(E)) != NULL;
    }

    ux_report_walk_end(walk);

    return found;
}


/* What is left out is not even worked out: so it is not there. */
static void
test_parts(void)
{
    setup();
    set_counts();

    ok(has(UX_REPORT_WHOLE, E "/segments")
       && has(UX_REPORT_WHOLE, V "/segments"), "all has segments");
    ok(has(UX_REPORT_SEGMENTS, E "/segments")
       && has(UX_REPORT_SEGMENTS, V "/segments"), "so has who wants them");
    ok(!has(0, E "/segments") && !has(0, V "/segments"),
       "nobody else has any");
    ok(has(UX_REPORT_CONDUCT, V "/vitals")
       && has(UX_REPORT_CONDUCT, V "/funnels"), "nor what visitors did");
    ok(!has(0, V "/vitals") && !has(0, V "/funnels") && !has(0, V "/http"),
       "but who wants it");
    ok(has(UX_REPORT_DETAIL, W "/metrics/purchase/vs_control/exact")
       && has(0, W "/metrics/purchase/vs_control/p_value")
       && !has(0, W "/metrics/purchase/vs_control/exact"),
       "nor what is good for one look");
    ok(has(0, V "/metrics") && has(0, E "/previous"),
       "metrics are always there");
}


static bool
puts_as(void (*put)(ux_text_t *, ux_str_t), const char *in, const char *out)
{
    bool       same;
    char      *bytes;
    size_t     len;
    ux_text_t  text;

    memset(&text, 0, sizeof(ux_text_t));
    put(&text, str(in));
    bytes = ux_text_take(&text, &len);

    same = bytes != NULL && len == strlen(out)
           && memcmp(bytes, out, len) == 0;

    ux_report_free(bytes);

    return same;
}


static void
test_escapes(void)
{
    ok(puts_as(ux_export_put_escaped, "", ""), "nothing");
    ok(puts_as(ux_export_put_escaped, "a\\b\"c\nd\r\te",
               "a\\\\b\\\"c\\nd\r\te"), "what a label's value escapes");
    ok(puts_as(ux_export_put_escaped, "\n\n", "\\n\\n"), "and only that");

    ok(puts_as(ux_export_put_field, "a b", "a b"), "a field as it is");
    ok(puts_as(ux_export_put_field, "a,b", "\"a,b\""), "with a comma");
    ok(puts_as(ux_export_put_field, "a\"b", "\"a\"\"b\""), "with a quote");
    ok(puts_as(ux_export_put_field, "\r", "\"\r\"")
       && puts_as(ux_export_put_field, "\n", "\"\n\""), "with a line's end");

    setup();
    report.node = str("a\"b\\c\nd\xff");
    ok(strstr(text_of(UX_EXPORT_OPENMETRICS),
              ",node=\"a\\\"b\\\\c\\nd?\"} 1\n") != NULL, "a host's name");
}


static void
test_no_memory(void)
{
    unsigned  format;

    setup();
    set_counts();

    ux_json_set_allocator(test_alloc, test_release);

    for (format = 0; format < UX_EXPORT_HISTORY; format++) {
        ok(export_without_memory((ux_export_e) format, "", 8) == 0,
           "format %u: no text and no leak", format);
    }

    ux_json_set_allocator(NULL, NULL);
}


int
main(void)
{
    if (!fixture_map()) {
        return 1;
    }

    test_table();
    test_buckets();
    test_counts();
    test_parts();
    test_escapes();
    test_no_memory();

    return done();
}
