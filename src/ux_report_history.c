
/*
 * Copyright (C) the nginx-ux authors
 *
 * The history of one experiment: what the report said of each metric of each
 * variant when an hour, or a day, had ended.
 *
 * Points are sorted into a table by how long ago they are, series by series;
 * times at which no series has one are left out.
 */

#include "ux_report_private.h"

#include <math.h>
#include <string.h>


#define UX_REPORT_HOUR_MS  3600000u


typedef struct {
    ux_result_t         *view;
    uint32_t             hour;         /* that has ended last */
    unsigned             nmetrics;
    unsigned             ring;
    unsigned             step;         /* hours between points */
    unsigned             length;       /* of the ring */
    ux_history_point_t  *points;       /* UX_HISTORY_DAYS for each series,
                                          the newest first; hour 0: none */
    uint16_t             epochs[UX_HISTORY_DAYS];      /* by age: 0, none of
                                                          any series */
} ux_report_history_t;

_Static_assert(UX_HISTORY_HOURS <= UX_HISTORY_DAYS, "room for either ring");


static ux_status_t ux_report_history_zone(const ux_report_t *report,
    ux_str_t zone, ux_str_t experiment, ux_json_t **root);
static ux_store_t *ux_report_history_store(const ux_report_t *report,
    ux_str_t zone);
static bool ux_report_history_gather(ux_result_t *view,
    ux_str_t experiment);
static void ux_report_history_document(ux_report_history_t *h,
    ux_json_t *root, ux_str_t zone);
static void ux_report_history_sort(ux_report_history_t *h);
static ux_history_point_t *ux_report_history_place(
    const ux_report_history_t *h, const ux_history_point_t *point);
static void ux_report_history_epochs(ux_report_history_t *h);
static void ux_report_history_ring(const ux_report_history_t *h,
    ux_json_t *ring);
static void ux_report_history_variant(const ux_report_history_t *h,
    ux_json_t *variants, unsigned number);
static void ux_report_history_visitors(const ux_report_history_t *h,
    ux_json_t *variant, unsigned number);
static void ux_report_history_metric(const ux_report_history_t *h,
    ux_json_t *metric, unsigned series, bool control);
static double ux_report_history_round(float value);


static const char *const  ux_report_history_names[] = {
    [UX_HISTORY_VALUE] = "value",
    [UX_HISTORY_LOW] = "low",
    [UX_HISTORY_HIGH] = "high",
    [UX_HISTORY_LIFT] = "lift",
    [UX_HISTORY_LIFT_LOW] = "lift_low",
    [UX_HISTORY_LIFT_HIGH] = "lift_high"
};


ux_status_t
ux_report_history(const ux_report_t *report, ux_str_t path, char **text,
    size_t *len)
{
    ux_str_t      zone, experiment;
    ux_json_t    *root;
    ux_status_t   rc;
    const char   *slash;

    *text = NULL;
    *len = 0;

    slash = path.len != 0 ? memchr(path.data, '/', path.len) : NULL;

    if (slash == NULL) {
        return ux_report_not_found(text, len);
    }

    zone.data = path.data;
    zone.len = (size_t) (slash - path.data);
    experiment.data = slash + 1;
    experiment.len = path.len - zone.len - 1;

    rc = ux_report_history_zone(report, zone, experiment, &root);

    if (rc == UX_DECLINED) {
        return ux_report_not_found(text, len);
    }

    if (rc == UX_OK) {
        *text = ux_json_print(root, len);
        ux_json_delete(root);
    }

    return *text != NULL ? UX_OK : UX_ERROR;
}


static ux_status_t
ux_report_history_zone(const ux_report_t *report, ux_str_t zone,
    ux_str_t experiment, ux_json_t **root)
{
    unsigned              series;
    ux_store_t           *store;
    ux_status_t           rc;
    ux_result_t          *view;
    ux_report_history_t   h;

    store = ux_report_history_store(report, zone);

    if (store == NULL) {
        return UX_DECLINED;
    }

    view = ux_json_alloc(sizeof(ux_result_t));

    if (view == NULL) {
        return UX_ERROR;
    }

    if (ux_result_init(view, store, report->now_ms) != UX_OK) {
        ux_json_free(view);
        return UX_ERROR;
    }

    rc = UX_DECLINED;

    if (ux_report_history_gather(view, experiment)) {
        memset(&h, 0, sizeof(h));
        h.view = view;
        h.hour = (uint32_t) (report->now_ms / UX_REPORT_HOUR_MS);
        h.nmetrics = view->experiment.model->nmetrics;

        series = view->experiment.nvariants * h.nmetrics;
        h.points = ux_json_alloc((series + 1) * UX_HISTORY_DAYS
                                 * sizeof(ux_history_point_t));
        rc = UX_ERROR;

        if (h.points != NULL) {
            *root = ux_json_new();
            ux_report_history_document(&h, *root, zone);
            ux_json_free(h.points);
            rc = UX_OK;
        }
    }

    ux_result_free(view);
    ux_json_free(view);

    return rc;
}


static ux_store_t *
ux_report_history_store(const ux_report_t *report, ux_str_t zone)
{
    unsigned     i;
    ux_store_t  *store;

    for (i = 0; i < report->nzones; i++) {
        store = report->zones[i].store;

        if (store->model != NULL && ux_str_equal(store->model->zone, zone)) {
            return store;
        }
    }

    return NULL;
}


/* Configured, or removed not too long ago. */
static bool
ux_report_history_gather(ux_result_t *view, ux_str_t experiment)
{
    uint32_t  entry;
    unsigned  i;

    for (i = 0; i < view->model->nexperiments; i++) {

        if (ux_str_equal(view->model->experiments[i].name, experiment)) {
            ux_result_gather(view, &view->model->experiments[i]);
            return true;
        }
    }

    entry = ux_report_removed_find(view, experiment);

    if (entry == UX_RESULT_END) {
        return false;
    }

    ux_result_gather_past(view, entry);

    return true;
}


static void
ux_report_history_document(ux_report_history_t *h, ux_json_t *root,
    ux_str_t zone)
{
    ux_json_t  *rings, *ring;

    static const unsigned  steps[] = { 1, 24 };
    static const unsigned  lengths[] = { UX_HISTORY_HOURS, UX_HISTORY_DAYS };

    ux_json_int(root, "version", 1);
    ux_json_string(root, "zone", zone);
    ux_json_string(root, "experiment", h->view->experiment.model->name);
    ux_report_put_goal(root, h->view);
    ux_json_time(root, "generated_at", h->view->now_ms);

    rings = ux_json_array(root, "rings");

    for (h->ring = 0; h->ring < UX_HISTORY_RINGS; h->ring++) {
        h->step = steps[h->ring];
        h->length = lengths[h->ring];

        ux_report_history_sort(h);
        ux_report_history_epochs(h);

        ring = ux_json_append(rings);
        ux_report_history_ring(h, ring);
    }
}


/* Each frame of the zone is read once for each ring. */
static void
ux_report_history_sort(ux_report_history_t *h)
{
    uint32_t             i;
    unsigned             n;
    const ux_history_t  *history;
    ux_history_point_t   point, *place;

    n = h->view->experiment.nvariants * h->nmetrics * UX_HISTORY_DAYS;
    history = &h->view->store->history;

    memset(h->points, 0, n * sizeof(ux_history_point_t));

    for (i = 0; i < history->nframes; i++) {

        if (!ux_history_read(history, i, &point) || point.ring != h->ring
            || !ux_history_shown(&point, h->hour))
        {
            continue;
        }

        /* of two the one that knows more: see ux_image_history.c */

        place = ux_report_history_place(h, &point);

        if (place != NULL
            && (place->hour == 0 || place->visitors < point.visitors))
        {
            *place = point;
        }
    }
}


/* Where its series has it, or NULL: it is another experiment's. */
static ux_history_point_t *
ux_report_history_place(const ux_report_history_t *h,
    const ux_history_point_t *point)
{
    unsigned                       v, m, age;
    ux_history_point_t             is;
    const ux_result_experiment_t  *experiment;

    experiment = &h->view->experiment;
    age = h->hour / h->step - point->hour / h->step;

    for (v = 0; v < experiment->nvariants; v++) {

        if (experiment->variants[v].ordinal == point->variant) {
            break;
        }
    }

    if (v == experiment->nvariants || age >= h->length) {
        return NULL;
    }

    for (m = 0; m < h->nmetrics; m++) {

        if (ux_result_history_metric(h->view, &experiment->model->metrics[m],
                                     &is)
            && is.event == point->event && is.type == point->type)
        {
            return &h->points[(v * h->nmetrics + m) * UX_HISTORY_DAYS + age];
        }
    }

    return NULL;
}


/* Of each time: the number of the epoch the primary result began with. */
static void
ux_report_history_epochs(ux_report_history_t *h)
{
    uint16_t                   number, ordinal;
    unsigned                   i, n, age;
    const ux_entry_t          *epoch;
    const ux_history_point_t  *point;

    n = h->view->experiment.nvariants * h->nmetrics;
    ordinal = number = UX_PARENT_NONE;

    memset(h->epochs, 0, sizeof(h->epochs));

    for (i = 0; i < n * UX_HISTORY_DAYS; i++) {
        point = &h->points[i];
        age = i % UX_HISTORY_DAYS;

        if (point->hour == 0 || h->epochs[age] != 0) {
            continue;
        }

        if (point->epoch != ordinal) {
            ordinal = point->epoch;
            epoch = ux_registry_get(h->view->store->registry, UX_ENTRY_EPOCH,
                                    ordinal);
            number = epoch != NULL ? epoch->aux : UX_PARENT_NONE;
        }

        h->epochs[age] = number;
    }
}


static void
ux_report_history_ring(const ux_report_history_t *h, ux_json_t *ring)
{
    unsigned    age, v;
    ux_json_t  *at, *epochs, *variants;

    ux_json_int(ring, "interval_seconds", (int64_t) h->step * 3600);

    at = ux_json_array(ring, "at");
    epochs = ux_json_array(ring, "epoch");
    variants = ux_json_object(ring, "variants");

    for (age = h->length; age-- > 0; /* void */) {

        if (h->epochs[age] == 0) {
            continue;
        }

        ux_json_int(at, NULL,
                    (int64_t) (h->hour / h->step - age) * h->step * 3600);

        if (h->epochs[age] == UX_PARENT_NONE) {
            ux_json_null(epochs, NULL);

        } else {
            ux_json_int(epochs, NULL, h->epochs[age]);
        }
    }

    for (v = 0; v < h->view->experiment.nvariants; v++) {
        ux_report_history_variant(h, variants, v);
    }
}


static void
ux_report_history_variant(const ux_report_history_t *h, ux_json_t *variants,
    unsigned number)
{
    unsigned                       m;
    ux_json_t                     *variant, *metrics, *metric;
    ux_report_key_t                key;
    const ux_result_experiment_t  *experiment;

    experiment = &h->view->experiment;

    variant = ux_json_object(variants,
                             ux_report_key(&key,
                                           experiment->variants[number].name));
    ux_report_history_visitors(h, variant, number);

    metrics = ux_json_object(variant, "metrics");

    for (m = 0; m < h->nmetrics; m++) {
        metric = ux_report_metric_object(metrics, h->view->model,
                                         &experiment->model->metrics[m]);

        if (metric != NULL) {
            ux_report_history_metric(h, metric, number * h->nmetrics + m,
                                     number == 0);
        }
    }
}


/* They are the same in all metrics. */
static void
ux_report_history_visitors(const ux_report_history_t *h, ux_json_t *variant,
    unsigned number)
{
    unsigned                   age, m;
    ux_json_t                 *visitors;
    const ux_history_point_t  *point, *found;

    visitors = ux_json_array(variant, "visitors");

    for (age = h->length; age-- > 0; /* void */) {

        if (h->epochs[age] == 0) {
            continue;
        }

        found = NULL;

        for (m = 0; m < h->nmetrics && found == NULL; m++) {
            point = &h->points[(number * h->nmetrics + m) * UX_HISTORY_DAYS
                               + age];
            found = point->hour != 0 ? point : NULL;
        }

        if (found == NULL) {
            ux_json_null(visitors, NULL);

        } else {
            ux_report_put_count(visitors, NULL, found->visitors);
        }
    }
}


static void
ux_report_history_metric(const ux_report_history_t *h, ux_json_t *metric,
    unsigned series, bool control)
{
    unsigned                   age, i;
    ux_json_t                 *array;
    const ux_history_point_t  *points;

    points = &h->points[series * UX_HISTORY_DAYS];

    for (i = 0; i < UX_HISTORY_FIGURES; i++) {

        if (control && i >= UX_HISTORY_LIFT) {
            ux_json_null(metric, ux_report_history_names[i]);
            continue;
        }

        array = ux_json_array(metric, ux_report_history_names[i]);

        for (age = h->length; age-- > 0; /* void */) {

            if (h->epochs[age] != 0) {
                ux_json_number(array, NULL, points[age].hour == 0 ? NAN
                               : ux_report_history_round(
                                     points[age].figures[i]));
            }
        }
    }
}


/* To the seven digits that a float has: so many are printed. */
static double
ux_report_history_round(float value)
{
    int     places;
    double  power;

    if (value == 0 || !isfinite(value)) {
        return value;
    }

    places = 6 - (int) floor(log10(fabs((double) value)));

    if (places < 0 || places > 22) {
        return value;
    }

    power = pow(10, places);

    return round(value * power) / power;
}
