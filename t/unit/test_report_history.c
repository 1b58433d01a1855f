
/*
 * Copyright (C) the nginx-ux authors
 *
 * The document of an experiment's history.
 */

#include "result_case.h"


static void test_document(void);
static void test_not_found(void);


int
main(void)
{
    test_document();
    test_not_found();

    return done();
}


static ux_status_t
take(uint64_t at)
{
    now = at;

    return ux_result_history(&w->store, 0, at);
}


static ux_json_t *
history_of(const char *path)
{
    char       *text;
    size_t      len;
    ux_str_t    of = str(path), whole;
    ux_json_t  *root;

    report.now_ms = now;
    report.zones = &zone;
    report.nzones = 1;

    if (ux_report_history(&report, of, &text, &len) != UX_OK) {
        ux_report_free(text);
        return NULL;
    }

    whole.data = text;
    whole.len = len;
    root = ux_json_parse(whole);
    ux_report_free(text);

    return root;
}


/* The text of a part, or "-"; path segments separated by slashes. */
static const char *
part(ux_json_t *root, const char *path)
{
    char         *text;
    size_t        len;
    ux_str_t      segment;
    static char   buf[1024];

    while (*path != '\0') {
        segment.data = path;
        segment.len = strcspn(path, "/");
        root = ux_json_get(root, segment);
        path += segment.len;
        path += *path == '/';
    }

    if (root == NULL) {
        return "-";
    }

    text = ux_json_print(root, &len);
    (void) snprintf(buf, sizeof(buf), "%s", text);
    ux_json_text_free(text);

    return buf;
}


#define reads(path, text)                                                    \
    ok(strcmp(part(root, path), text) == 0, "%s: %s", path, part(root, path))


static void
test_document(void)
{
    ux_json_t  *root;

    begin();
    metric_add(UX_METRIC_REVENUE, UX_METRIC_MEAN, UX_ROLE_SECONDARY);
    now = START;
    bind_again();
    visit(0, 1000, 100);
    (void) take(START + HOUR);
    visit(0, 1000, 50);
    visit(1, 2500, 250);
    pay(1, 0, 1000, 100);
    (void) take(START + 3 * HOUR);
    (void) take(START + 12 * HOUR + 60000);

    now = START + 13 * HOUR + 1800000;
    root = history_of("shop/exp_0");

    reads("version", "1");
    reads("zone", "\"shop\"");
    reads("experiment", "\"exp_0\"");
    reads("goal", "\"purchase\"");
    reads("rings/0/interval_seconds", "3600");
    reads("rings/0/at", "[1769778000,1769785200,1769817600]");
    reads("rings/0/epoch", "[1,1,1]");
    reads("rings/0/variants/control/visitors", "[1000,2000,2000]");
    reads("rings/0/variants/control/metrics/purchase/value",
          "[0.1,0.075,0.075]");
    reads("rings/0/variants/control/metrics/purchase/lift", "null");
    reads("rings/0/variants/control/metrics/purchase/lift_high", "null");
    reads("rings/0/variants/one_page/visitors", "[0,2500,2500]");
    reads("rings/0/variants/one_page/metrics/purchase/value",
          "[null,0.1,0.1]");
    reads("rings/0/variants/one_page/metrics/purchase/lift",
          "[null,0.3333333,0.3333333]");
    reads("rings/0/variants/one_page/metrics/revenue/value",
          "[null,0.4,0.4]");
    reads("rings/1/interval_seconds", "86400");
    reads("rings/1/at", "[1769817600]");
    reads("rings/1/variants/one_page/metrics/purchase/value", "[0.1]");
    reads("rings/2", "-");
    ux_json_delete(root);

    /* a variant that joined later has no points before */

    variant_add("long", 50);
    now = START + 13 * HOUR + 2400000;
    bind_again();
    (void) take(START + 14 * HOUR);
    root = history_of("shop/exp_0");
    reads("rings/0/variants/long/visitors", "[null,null,null,0]");
    reads("rings/0/epoch", "[1,1,1,1]");
    ux_json_delete(root);

    /* removed, it is still there */

    w->model.nexperiments = 0;
    bind_again();
    root = history_of("shop/exp_0");
    reads("rings/0/at", "[1769778000,1769785200,1769817600,1769824800]");
    reads("rings/0/variants/control/metrics/purchase/value",
          "[0.1,0.075,0.075,0.075]");
    ux_json_delete(root);

    end();
}


static void
test_not_found(void)
{
    unsigned     i;
    char        *text;
    size_t       len;
    ux_status_t  rc;

    static const char *const  paths[] = {
        "", "/", "shop", "shop/", "/exp_0", "shop/exp_1", "other/exp_0",
        "shop/exp_0/", "shop/exp_0/x", "shop//exp_0"
    };

    begin();
    report.now_ms = now;

    for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        rc = ux_report_history(&report, str(paths[i]), &text, &len);
        ok(rc == UX_DECLINED && text != NULL
           && strcmp(text, "{\"error\":\"not found\"}") == 0,
           "\"%s\" is not there", paths[i]);
        ux_report_free(text);
    }

    end();
}
