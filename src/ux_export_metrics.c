
/*
 * Copyright (C) the nginx-ux authors
 *
 * OpenMetrics 1.0, and the text format 0.0.4 it came from: the same samples,
 * with other words around them.  The older format knows no state sets and no
 * infos (they are gauges there), names a counter by its sample, and has the
 * count of a histogram beside its buckets; OpenMetrics has one only where the
 * sum is known, too, and that is kept nowhere.
 *
 * What is null in the document has no sample, a family without samples no
 * lines.
 */

#include "ux_export_private.h"

#include <string.h>


#define UX_EXPORT_PREFIX  "nginx_ux_"


/*
 * A family on its way out.  Samples that stand together differ in their last
 * labels: the others are printed once.
 */
typedef struct {
    ux_text_t                 *text;
    const ux_export_family_t  *family;
    bool                       older;
    unsigned                   nlabels;        /* those printed already, */
    ux_export_label_t          labels[UX_EXPORT_LABELS_MAX];
    size_t                     ends[UX_EXPORT_LABELS_MAX];
    ux_text_t                  printed;        /*   one after the other */
} ux_export_metric_t;


static void ux_export_heads(ux_export_t *export,
    ux_export_metric_t *metric);
static void ux_export_found(ux_export_walk_t *walk, ux_json_t *node);
static void ux_export_put_number(ux_export_walk_t *walk,
    ux_json_t *node, const char *suffix);
static void ux_export_put_states(ux_export_walk_t *walk,
    ux_json_t *node);
static void ux_export_put_info(ux_export_walk_t *walk, ux_json_t *node);
static void ux_export_put_histogram(ux_export_walk_t *walk,
    ux_json_t *node);
static void ux_export_put_head(ux_export_metric_t *metric);
static void ux_export_put_line(ux_export_metric_t *metric,
    const char *keyword, const char *value);
static void ux_export_put_sample(ux_export_walk_t *walk, const char *suffix,
    const ux_export_label_t *more, ux_str_t value);
static void ux_export_put_labels(ux_export_metric_t *metric,
    const ux_export_walk_t *walk);
static void ux_export_put_label(ux_text_t *text,
    const ux_export_label_t *label, bool first);
static const char *ux_export_suffix(const ux_export_metric_t *metric);
static const char *ux_export_type(const ux_export_metric_t *metric);
static ux_str_t ux_export_word(const char **words);


/* Of each family its head, made at the end, and its samples; and the end. */
unsigned
ux_export_metrics_texts(void)
{
    return 2 * ux_export_nfamilies + 1;
}


void
ux_export_metrics(ux_export_t *export, const ux_report_part_t *part)
{
    unsigned             i;
    ux_export_walk_t     walk;
    ux_export_metric_t   metric;

    memset(&metric, 0, sizeof(ux_export_metric_t));
    metric.older = export->format == UX_EXPORT_PROMETHEUS;
    metric.printed.one = true;

    if (part->step == UX_REPORT_END) {
        ux_export_heads(export, &metric);
        return;
    }

    walk.nlabels = 0;
    walk.found = ux_export_found;
    walk.data = &metric;

    for (i = 0; i < ux_export_nfamilies; i++) {
        metric.family = &ux_export_families[i];
        metric.text = &export->texts[2 * i + 1];

        ux_export_walk_part(&walk, part, metric.family->path);
    }

    ux_text_drop(&metric.printed);
}


/* Figures of one family may stand in several rows: it has one head. */
static void
ux_export_heads(ux_export_t *export, ux_export_metric_t *metric)
{
    bool      begun;
    unsigned  i, k;

    for (i = 0; i < ux_export_nfamilies; i = k) {
        metric->family = &ux_export_families[i];
        metric->text = &export->texts[2 * i];
        begun = false;

        for (k = i; k < ux_export_nfamilies
                    && strcmp(ux_export_families[k].name,
                              metric->family->name) == 0; k++)
        {
            begun = begun || export->texts[2 * k + 1].len > 0;
        }

        if (begun) {
            ux_export_put_head(metric);
        }
    }

    if (!metric->older) {
        ux_text_word(&export->texts[2 * i], "# EOF\n");
    }
}


static void
ux_export_found(ux_export_walk_t *walk, ux_json_t *node)
{
    ux_str_t             one = ux_str("1");
    ux_export_metric_t  *metric;

    metric = walk->data;

    switch (metric->family->type) {

    case UX_EXPORT_COUNTER:
    case UX_EXPORT_GAUGE:
        ux_export_put_number(walk, node, ux_export_suffix(metric));
        break;

    case UX_EXPORT_STATESET:
        ux_export_put_states(walk, node);
        break;

    case UX_EXPORT_INFO:
        ux_export_put_info(walk, node);
        break;

    case UX_EXPORT_HISTOGRAM:
        ux_export_put_histogram(walk, node);
        break;

    case UX_EXPORT_PRESENT:
        ux_export_put_sample(walk, "", NULL, one);
        break;
    }
}


static void
ux_export_put_number(ux_export_walk_t *walk, ux_json_t *node,
    const char *suffix)
{
    ux_str_t  no = ux_str("0"), yes = ux_str("1");

    switch (ux_json_type(node)) {

    case UX_JSON_NUMBER:
        ux_export_put_sample(walk, suffix, NULL, ux_json_word(node));
        break;

    case UX_JSON_BOOL:
        ux_export_put_sample(walk, suffix, NULL,
                             ux_json_true(node) ? yes : no);
        break;

    default:
        break;
    }
}


/* Each state, and 1 for the one it is in; its label is the family's name. */
static void
ux_export_put_states(ux_export_walk_t *walk, ux_json_t *node)
{
    char                 name[UX_NAME_MAX + sizeof(UX_EXPORT_PREFIX)];
    ux_str_t             state, no = ux_str("0"), yes = ux_str("1");
    const char          *words;
    ux_export_label_t    label;
    ux_export_metric_t  *metric;

    if (ux_json_type(node) != UX_JSON_STRING) {
        return;
    }

    metric = walk->data;
    state = ux_json_word(node);
    words = metric->family->words;

    label.name.data = name;
    label.name.len = sizeof(UX_EXPORT_PREFIX) - 1
                     + strnlen(metric->family->name, UX_NAME_MAX);

    memcpy(name, UX_EXPORT_PREFIX, sizeof(UX_EXPORT_PREFIX) - 1);
    memcpy(name + sizeof(UX_EXPORT_PREFIX) - 1, metric->family->name,
           label.name.len - (sizeof(UX_EXPORT_PREFIX) - 1));

    while (*words != '\0') {
        label.value = ux_export_word(&words);
        ux_export_put_sample(walk, "", &label,
                             ux_str_equal(label.value, state) ? yes : no);
    }
}


/* Members and, in their order, the labels they become. */
static void
ux_export_put_info(ux_export_walk_t *walk, ux_json_t *node)
{
    unsigned             n;
    ux_str_t             member, one = ux_str("1");
    const char          *words;
    ux_json_t           *child;
    ux_export_metric_t  *metric;

    metric = walk->data;
    words = metric->family->words;
    n = walk->nlabels;

    while (*words != '\0' && walk->nlabels < UX_EXPORT_LABELS_MAX) {
        member = ux_export_word(&words);

        child = ux_json_get(node, member);

        if (ux_json_type(child) == UX_JSON_STRING) {
            walk->labels[walk->nlabels].name = member;
            walk->labels[walk->nlabels].value = ux_json_word(child);
            walk->nlabels++;
        }
    }

    ux_export_put_sample(walk, "_info", NULL, one);
    walk->nlabels = n;
}


/*
 * Its members are the bounds; without one is the last, "all".  Of what has a
 * member that is no number there is nothing: a histogram with a hole in it
 * is a wrong one.
 */
static void
ux_export_put_histogram(ux_export_walk_t *walk, ux_json_t *node)
{
    ux_str_t             le = ux_str("le"), none = ux_str("+Inf");
    ux_json_t           *child, *last;
    ux_export_label_t    label;
    ux_export_metric_t  *metric;

    for (child = ux_json_first(node); child != NULL;
         child = ux_json_next(child))
    {
        if (ux_json_type(child) != UX_JSON_NUMBER) {
            return;
        }
    }

    metric = walk->data;
    label.name = le;
    last = NULL;

    for (child = ux_json_first(node); child != NULL;
         child = ux_json_next(child))
    {
        label.value = ux_json_next(child) != NULL ? ux_json_name(child) : none;
        ux_export_put_sample(walk, "_bucket", &label, ux_json_word(child));
        last = child;
    }

    if (last != NULL && metric->older) {
        ux_export_put_sample(walk, "_count", NULL, ux_json_word(last));
    }
}


static void
ux_export_put_head(ux_export_metric_t *metric)
{
    ux_export_put_line(metric, "# TYPE ", ux_export_type(metric));

    if (metric->family->unit[0] != '\0' && !metric->older) {
        ux_export_put_line(metric, "# UNIT ", metric->family->unit);
    }

    ux_export_put_line(metric, "# HELP ", metric->family->help);
}


static void
ux_export_put_line(ux_export_metric_t *metric, const char *keyword,
    const char *value)
{
    ux_str_t    words;
    ux_text_t  *text;

    text = metric->text;

    ux_text_word(text, keyword);
    ux_text_word(text, UX_EXPORT_PREFIX);
    ux_text_word(text, metric->family->name);

    /* of the older format's metrics these are a part of the name */

    if (metric->older) {
        ux_text_word(text, ux_export_suffix(metric));
    }

    words.data = value;
    words.len = strlen(value);

    ux_text_char(text, ' ');
    ux_export_put_escaped(text, words);
    ux_text_char(text, '\n');
}


static void
ux_export_put_sample(ux_export_walk_t *walk, const char *suffix,
    const ux_export_label_t *more, ux_str_t value)
{
    ux_text_t           *text;
    ux_export_metric_t  *metric;

    metric = walk->data;
    text = metric->text;

    ux_text_word(text, UX_EXPORT_PREFIX);
    ux_text_word(text, metric->family->name);
    ux_text_word(text, suffix);

    ux_export_put_labels(metric, walk);

    if (more != NULL) {
        ux_export_put_label(text, more, walk->nlabels == 0);
    }

    if (walk->nlabels > 0 || more != NULL) {
        ux_text_char(text, '}');
    }

    ux_text_char(text, ' ');
    ux_text_put(text, value.data, value.len);
    ux_text_char(text, '\n');
}


/* Of one part of the document the same bytes are at the same place. */
static void
ux_export_put_labels(ux_export_metric_t *metric, const ux_export_walk_t *walk)
{
    unsigned    i;
    ux_text_t  *printed;

    printed = &metric->printed;

    for (i = 0; i < walk->nlabels && i < metric->nlabels; i++) {

        if (metric->labels[i].name.data != walk->labels[i].name.data
            || metric->labels[i].value.data != walk->labels[i].value.data)
        {
            break;
        }
    }

    metric->nlabels = walk->nlabels;
    printed->len = i > 0 ? metric->ends[i - 1] : 0;

    for ( /* void */ ; i < walk->nlabels; i++) {
        metric->labels[i] = walk->labels[i];
        ux_export_put_label(printed, &walk->labels[i], i == 0);
        metric->ends[i] = printed->len;
    }

    ux_text_put(metric->text, printed->data, printed->len);
    metric->text->failed = metric->text->failed || printed->failed;
}


static void
ux_export_put_label(ux_text_t *text, const ux_export_label_t *label,
    bool first)
{
    ux_text_char(text, first ? '{' : ',');
    ux_text_put(text, label->name.data, label->name.len);
    ux_text_put(text, "=\"", 2);
    ux_export_put_escaped(text, label->value);
    ux_text_char(text, '"');
}


void
ux_export_put_escaped(ux_text_t *text, ux_str_t value)
{
    size_t  i, from;

    from = 0;

    for (i = 0; i < value.len; i++) {

        if (value.data[i] != '\\' && value.data[i] != '"'
            && value.data[i] != '\n')
        {
            continue;
        }

        ux_text_put(text, value.data + from, i - from);
        ux_text_char(text, '\\');
        ux_text_char(text, value.data[i] == '\n' ? 'n' : value.data[i]);
        from = i + 1;
    }

    ux_text_put(text, value.data + from, value.len - from);
}


static const char *
ux_export_suffix(const ux_export_metric_t *metric)
{
    switch (metric->family->type) {

    case UX_EXPORT_COUNTER:
        return "_total";

    case UX_EXPORT_INFO:
        return "_info";

    default:
        return "";
    }
}


static const char *
ux_export_type(const ux_export_metric_t *metric)
{
    switch (metric->family->type) {

    case UX_EXPORT_COUNTER:
        return "counter";

    case UX_EXPORT_HISTOGRAM:
        return "histogram";

    case UX_EXPORT_STATESET:
        return metric->older ? "gauge" : "stateset";

    case UX_EXPORT_INFO:
        return metric->older ? "gauge" : "info";

    default:
        return "gauge";
    }
}


/* Takes a word off the list. */
static ux_str_t
ux_export_word(const char **words)
{
    ux_str_t  word;

    word.data = *words;
    word.len = strcspn(*words, " ");

    *words += word.len;
    *words += strspn(*words, " ");

    return word;
}
