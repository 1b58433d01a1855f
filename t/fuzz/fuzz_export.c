
/*
 * Copyright (C) the nginx-ux authors
 *
 * What /uxstats says in other formats.  Any bytes may be a label's value or a
 * field, and come back from it; any JSON may be the document, and what is
 * made of it is lines of OpenMetrics, rows of as many fields as the header
 * has, and a page of whole tags.
 */

#include "fuzz.h"
#include "ux_export_private.h"


static void check_label(ux_str_t bytes);
static void check_field(ux_str_t bytes);
static void check_document(ux_str_t bytes);
static void check_format(ux_json_t *document, ux_export_e format);
static void put_document(ux_export_t *export, ux_json_t *document);
static void put_part(ux_export_t *export, ux_report_part_t *part,
    ux_report_step_e step, ux_json_t *node);
static void check_tags(const char *p, const char *end);
static void check_metrics(const char *p, const char *end);
static const char *check_sample(const char *p, const char *end);
static void check_rows(const char *p, const char *end);
static const char *label_end(const char *p, const char *end);
static bool is_name(char c);


const char *const  fuzz_words[] = {
    "{\"zones\":{\"z\":{", "\"experiments\":{\"e\":{", "\"variants\":{\"v\":{",
    "\"metrics\":{\"m\":{", "\"events\":{\"a\":1}", "\"verdict\":\"srm\"",
    "\"segments\":{\"s\":{\"a\":{", "\"http\":{\"seconds\":{\"buckets\":{",
    "\"all\":1", "\"rate_ci\":[0.1,0.2]", "\"problems\":[{\"code\":\"x\"}]",
    "\"module\":\"0\"", "\"type\":\"a\"", "\"visitors\":1", "}}}}}}", "}",
    "\"", "\\\"", "\\n", "\\\\", "\n", "\r\n", ",", "null", "true", "[]",
    "\\u000a", "\\u0022", NULL
};


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ux_str_t  bytes;

    bytes = fuzz_copy(data, size);

    check_label(bytes);
    check_field(bytes);
    check_document(bytes);

    fuzz_free(bytes);

    return 0;
}


static void
check_label(ux_str_t bytes)
{
    char       *out;
    size_t      i, k, len;
    ux_text_t   text;

    memset(&text, 0, sizeof(ux_text_t));
    ux_export_put_escaped(&text, bytes);
    ux_text_char(&text, '"');
    out = ux_text_take(&text, &len);

    fuzz_check(out != NULL);
    fuzz_check(label_end(out, out + len) == out + len - 1);

    for (i = 0, k = 0; i < len - 1; i++, k++) {

        if (out[i] == '\\') {
            i++;
            out[i] = out[i] == 'n' ? '\n' : out[i];
        }

        fuzz_check(k < bytes.len && out[i] == bytes.data[k]);
    }

    fuzz_check(k == bytes.len);
    ux_json_text_free(out);
}


static void
check_field(ux_str_t bytes)
{
    char       *out;
    size_t      i, k, len;
    ux_text_t   text;

    memset(&text, 0, sizeof(ux_text_t));
    ux_export_put_field(&text, bytes);
    out = ux_text_take(&text, &len);

    fuzz_check(out != NULL);

    if (len == 0 || out[0] != '"') {
        fuzz_check(len == bytes.len);
        fuzz_check(len == 0 || memcmp(out, bytes.data, len) == 0);

        for (i = 0; i < len; i++) {
            fuzz_check(strchr(",\"\r\n", out[i]) == NULL || out[i] == '\0');
        }

        ux_json_text_free(out);
        return;
    }

    fuzz_check(len >= 2 && out[len - 1] == '"');

    for (i = 1, k = 0; i < len - 1; i++, k++) {
        fuzz_check(k < bytes.len && out[i] == bytes.data[k]);

        if (out[i] == '"') {
            fuzz_check(out[++i] == '"');
        }
    }

    fuzz_check(i == len - 1 && k == bytes.len);
    ux_json_text_free(out);
}


static void
check_document(ux_str_t bytes)
{
    unsigned    format;
    ux_json_t  *document;

    document = ux_json_parse(bytes);

    for (format = 0; document != NULL && format < UX_EXPORT_FORMATS;
         format++)
    {
        if (format != UX_EXPORT_JSON && format != UX_EXPORT_HISTORY) {
            check_format(document, (ux_export_e) format);
        }
    }

    ux_json_delete(document);
}


static void
check_format(ux_json_t *document, ux_export_e format)
{
    char         *out;
    size_t        len;
    unsigned      n;
    ux_str_t      piece;
    ux_text_t     text;
    ux_export_t  *export;

    n = format == UX_EXPORT_PAGE ? 2 : format == UX_EXPORT_CSV
        ? UX_EXPORT_CSV_TEXTS : ux_export_metrics_texts();
    export = calloc(1, sizeof(ux_export_t) + n * sizeof(ux_text_t));
    fuzz_check(export != NULL);

    export->format = format;
    export->ntexts = n;
    put_document(export, document);

    memset(&text, 0, sizeof(ux_text_t));
    while (ux_export_text(export, &piece)) {
        ux_text_put(&text, piece.data, piece.len);
    }

    ux_export_end(export);

    out = ux_text_take(&text, &len);
    fuzz_check(out != NULL);

    if (format == UX_EXPORT_CSV) {
        check_rows(out, out + len);

    } else if (format == UX_EXPORT_PAGE) {
        check_tags(out, out + len);

    } else {
        check_metrics(out, out + len);
    }

    ux_json_text_free(out);
}


/* As a walk through a report makes its parts. */
static void
put_document(ux_export_t *export, ux_json_t *document)
{
    ux_json_t         *zone, *experiment;
    ux_report_part_t   part;

    put_part(export, &part, UX_REPORT_HEAD, document);

    zone = ux_json_first(ux_json_get(document, (ux_str_t) ux_str("zones")));

    for ( /* void */ ; zone != NULL; zone = ux_json_next(zone)) {
        part.zone = ux_json_name(zone);
        put_part(export, &part, UX_REPORT_ZONE, zone);

        experiment = ux_json_first(ux_json_get(zone,
                                       (ux_str_t) ux_str("experiments")));

        for ( /* void */ ; experiment != NULL;
             experiment = ux_json_next(experiment))
        {
            part.experiment = ux_json_name(experiment);
            part.within = zone;
            put_part(export, &part, UX_REPORT_EXPERIMENT, experiment);
        }
    }

    put_part(export, &part, UX_REPORT_FOOT, document);
    put_part(export, &part, UX_REPORT_END, NULL);
}


static void
put_part(ux_export_t *export, ux_report_part_t *part, ux_report_step_e step,
    ux_json_t *node)
{
    static const ux_page_place_t  place;

    part->step = step;
    part->node = node;

    if (export->format == UX_EXPORT_CSV) {
        ux_export_csv(export, part);

    } else if (export->format != UX_EXPORT_PAGE) {
        ux_export_metrics(export, part);

    } else if (step == UX_REPORT_HEAD) {
        ux_page_begin(&export->page, &place, node, true);

    } else if (step == UX_REPORT_ZONE) {
        ux_page_zone(&export->page, part->zone, node);

    } else if (step == UX_REPORT_EXPERIMENT) {
        ux_page_experiment(&export->page, part->experiment, node);

    } else if (step == UX_REPORT_FOOT) {
        ux_page_foot(&export->page, node);
    }
}


/* No tag is in another. */
static void
check_tags(const char *p, const char *end)
{
    bool  tag;

    for (tag = false; p < end; p++) {
        fuzz_check(*p != '<' || !tag);
        tag = *p == '<' || (tag && *p != '>');
    }

    fuzz_check(!tag);
}


/* A line is a comment without control, or a sample. */
static void
check_metrics(const char *p, const char *end)
{
    while (p < end) {

        if (*p == '#') {
            p = memchr(p, '\n', (size_t) (end - p));

        } else {
            p = check_sample(p, end);
        }

        fuzz_check(p != NULL && p < end && *p == '\n');
        p++;
    }
}


static const char *
check_sample(const char *p, const char *end)
{
    fuzz_check(strncmp(p, "nginx_ux_", 9) == 0);

    while (p < end && is_name(*p)) {
        p++;
    }

    if (p < end && *p == '{') {

        do {
            for (p++; p < end && is_name(*p); p++) { /* void */ }

            fuzz_check(end - p > 2 && p[0] == '=' && p[1] == '"');
            p = label_end(p + 2, end);
            fuzz_check(p != NULL);
            p++;
        } while (p < end && *p == ',');

        fuzz_check(p < end && *p++ == '}');
    }

    fuzz_check(p < end && *p++ == ' ');
    fuzz_check(p < end && strchr("-0123456789", *p) != NULL);

    while (p < end && strchr("+-.eE0123456789", *p) != NULL && *p != '\0') {
        p++;
    }

    return p;
}


static void
check_rows(const char *p, const char *end)
{
    bool      quoted;
    unsigned  fields, wanted;

    for (wanted = 0; p < end; wanted = fields) {
        fields = 1;
        quoted = false;

        while (p < end && (quoted || *p != '\r')) {
            quoted ^= *p == '"';
            fields += !quoted && *p == ',';
            p++;
        }

        fuzz_check(end - p >= 2 && p[1] == '\n');
        fuzz_check(wanted == 0 || fields == wanted);
        p += 2;
    }
}


/* The quote that ends a value, NULL if a line ends first. */
static const char *
label_end(const char *p, const char *end)
{
    for ( /* void */ ; p < end && *p != '\n'; p++) {

        if (*p == '"') {
            return p;
        }

        p += *p == '\\';
    }

    return NULL;
}


static bool
is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}
