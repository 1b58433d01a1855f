
/*
 * Copyright (C) the nginx-ux authors
 *
 * MODEL, the section that says how a zone was configured, so that a snapshot
 * can be reported without a server: ux_image_private.h has the format.
 *
 * One walk over a configuration serves to write and to read it, so that both
 * always agree.  What was read is then held against the rules that nginx.conf
 * is held to: ux_image_design.c.
 *
 * A snapshot without it, or with an empty one, is as good to restore: only
 * the bytes are checked there, nothing of them is used.
 */

#include "ux_image_private.h"
#include "ux_number.h"

#include <string.h>


/* Where the walk is; once failed, everything reads as 0. */
typedef struct {
    bool            writes;
    bool            failed;
    bool            newer;             /* items may end in what is unknown */
    uint8_t        *to;
    const uint8_t  *from;
    size_t          left;
} ux_model_walk_t;

/* A part with its length in front. */
typedef struct {
    uint8_t  *at;
    size_t    behind;                  /* bytes */
} ux_model_item_t;


static ux_str_t ux_model_word(ux_str_t word);
static ux_status_t ux_image_model_sense(const ux_image_view_t *view,
    ux_image_model_t *read, ux_error_t *error);
static void ux_model_head(ux_model_walk_t *w, ux_model_t *model,
    ux_image_origin_t *origin);
static void ux_model_funnel(ux_model_walk_t *w, ux_funnel_t *funnel);
static void ux_model_stages(ux_model_walk_t *w, ux_model_t *model);
static void ux_model_experiment(ux_model_walk_t *w, ux_experiment_t *e);
static void ux_model_variants(ux_model_walk_t *w, ux_experiment_t *e);
static void ux_model_metrics(ux_model_walk_t *w, ux_experiment_t *e);
static void ux_model_segment_put(ux_model_walk_t *w, const ux_model_t *model,
    const ux_segment_t *segment);
static void ux_model_segment_get(ux_model_walk_t *w, ux_model_t *model);
static void ux_model_begin(ux_model_walk_t *w, ux_model_item_t *item);
static void ux_model_end(ux_model_walk_t *w, const ux_model_item_t *item);
static uint64_t ux_model_int(ux_model_walk_t *w, uint64_t value,
    unsigned size);
static unsigned ux_model_count(ux_model_walk_t *w, unsigned n, unsigned size,
    unsigned most);
static double ux_model_number(ux_model_walk_t *w, double value);
static ux_str_t ux_model_text(ux_model_walk_t *w, ux_str_t text);


uint8_t *
ux_image_model_write(uint8_t *at, const ux_image_zone_t *zone)
{
    int                 at_fault[2];
    unsigned            i;
    ux_error_t          error;
    ux_model_t          model;
    ux_funnel_t         funnel;
    ux_experiment_t     experiment;
    ux_model_walk_t     w;
    ux_image_origin_t   origin;

    origin = zone->origin;
    origin.module = ux_model_word(origin.module);
    origin.server = ux_model_word(origin.server);
    origin.node = ux_model_word(origin.node);

    /* better none than one for which the whole image is refused */

    if (ux_image_model_wrong(zone->model, &origin) != NULL
        || ux_model_check(zone->model, &at_fault[0], &at_fault[1], &error)
           != UX_OK)
    {
        return at;
    }

    memset(&w, 0, sizeof(w));

    w.writes = true;
    w.to = at;
    w.left = UX_IMAGE_MODEL_MAX;

    model = *zone->model;

    ux_model_head(&w, &model, &origin);

    (void) ux_model_int(&w, model.nfunnels, 1);

    for (i = 0; i < model.nfunnels; i++) {
        funnel = model.funnels[i];
        ux_model_funnel(&w, &funnel);
    }

    (void) ux_model_int(&w, model.nexperiments, 2);

    for (i = 0; i < model.nexperiments; i++) {
        experiment = model.experiments[i];
        ux_model_experiment(&w, &experiment);
    }

    ux_model_stages(&w, &model);
    (void) ux_model_int(&w, model.nsegments, 1);

    for (i = 0; i < model.nsegments; i++) {
        ux_model_segment_put(&w, &model, &model.segments[i]);
    }

    return w.failed ? at : w.to;
}


/* A host's name may be anything. */
static ux_str_t
ux_model_word(ux_str_t word)
{
    ux_str_t  none = ux_str("");

    return ux_image_word_ok(word) ? word : none;
}


ux_status_t
ux_image_model(const uint8_t *data, size_t len, ux_image_model_t *model,
    ux_error_t *error)
{
    ux_status_t      rc;
    ux_image_view_t  view;

    rc = ux_image_open(data, len, &view, error);

    return rc == UX_OK ? ux_image_model_read(&view, model, error) : rc;
}


ux_status_t
ux_image_model_read(const ux_image_view_t *view, ux_image_model_t *read,
    ux_error_t *error)
{
    unsigned                   i, n;
    ux_model_t                *model;
    ux_model_walk_t            w;
    const ux_image_section_t  *section;

    section = &view->sections[UX_IMAGE_MODEL];
    model = &read->model;

    if (section->len == 0) {
        ux_image_say(error, "the snapshot says nothing of the configuration");
        return UX_DECLINED;
    }

    memset(model, 0, sizeof(ux_model_t));
    memset(&w, 0, sizeof(w));

    w.newer = view->info.minor > UX_IMAGE_MINOR;
    w.from = section->data;
    w.left = section->len;

    memcpy(read->zone, view->info.name, sizeof(read->zone));

    model->zone.data = read->zone;
    model->zone.len = strlen(read->zone);
    model->experiments = read->experiments;

    ux_model_head(&w, model, &read->origin);

    model->nfunnels = ux_model_count(&w, 0, 1, UX_FUNNELS_MAX);

    for (i = 0; i < model->nfunnels; i++) {
        ux_model_funnel(&w, &model->funnels[i]);
    }

    model->nexperiments = ux_model_count(&w, 0, 2, UX_EXPERIMENTS_MAX);

    for (i = 0; i < model->nexperiments; i++) {
        memset(&read->experiments[i], 0, sizeof(ux_experiment_t));
        ux_model_experiment(&w, &read->experiments[i]);
    }

    if (view->info.minor >= UX_IMAGE_MINOR_STAGES) {
        ux_model_stages(&w, model);
    }

    n = view->info.minor < 2 ? 0 : ux_model_count(&w, 0, 1, UX_SEGMENTS_MAX);

    for (i = 0; i < n; i++) {
        ux_model_segment_get(&w, model);
    }

    if (w.failed || (w.left != 0 && !w.newer)
        || section->len > UX_IMAGE_MODEL_MAX)
    {
        ux_image_say(error, "the configuration in the snapshot is cut short "
                     "or too long");
        return UX_ERROR;
    }

    return ux_image_model_sense(view, read, error);
}


/* Sets the currency. */
static ux_status_t
ux_image_model_sense(const ux_image_view_t *view, ux_image_model_t *read,
    ux_error_t *error)
{
    int          at[2], currency;
    ux_str_t     code = { view->info.currency, 3 };
    ux_model_t  *model;
    const char  *wrong;

    model = &read->model;
    currency = ux_currency_find(code);
    wrong = ux_image_model_wrong(model, &read->origin);

    if (wrong == NULL && currency < 0) {
        wrong = "its currency";
    }

    if (wrong == NULL && ux_model_check(model, &at[0], &at[1], error) != UX_OK)
    {
        wrong = "the whole";
    }

    if (wrong != NULL) {
        ux_image_say(error, "the configuration in the snapshot makes no "
                     "sense: %s", wrong);
        return UX_ERROR;
    }

    model->currency = (unsigned) currency;

    return UX_OK;
}


/* What is not a list of items. */
static void
ux_model_head(ux_model_walk_t *w, ux_model_t *model,
    ux_image_origin_t *origin)
{
    unsigned  i;

    origin->size = ux_model_int(w, origin->size, 8);
    origin->errors = ux_model_int(w, origin->errors, 8);
    origin->module = ux_model_text(w, origin->module);
    origin->server = ux_model_text(w, origin->server);
    origin->node = ux_model_text(w, origin->node);

    model->removed_ms = ux_model_int(w, model->removed_ms, 8);
    model->nevents = ux_model_count(w, model->nevents, 1, UX_EVENTS_MAX);

    for (i = 0; i < model->nevents; i++) {
        model->events[i] = ux_model_text(w, model->events[i]);
    }

    model->ntotals = ux_model_count(w, model->ntotals, 1, UX_TOTALS_MAX);

    for (i = 0; i < model->ntotals; i++) {
        model->totals[i].event = (uint8_t)
            ux_model_int(w, model->totals[i].event, 1);
        model->totals[i].type = (ux_metric_type_e)
            ux_model_int(w, model->totals[i].type, 1);
    }
}


static void
ux_model_funnel(ux_model_walk_t *w, ux_funnel_t *funnel)
{
    unsigned         i;
    ux_step_t       *step;
    ux_model_item_t  item;

    ux_model_begin(w, &item);

    funnel->name = ux_model_text(w, funnel->name);
    funnel->cart_event = (uint8_t) ux_model_int(w, funnel->cart_event, 1);
    funnel->within_ms = ux_model_int(w, funnel->within_ms, 8);
    funnel->nsteps = ux_model_count(w, funnel->nsteps, 1,
                                    UX_FUNNEL_STEPS_MAX);

    for (i = 0; i < funnel->nsteps; i++) {
        step = &funnel->steps[i];

        step->event = (uint8_t) ux_model_int(w, step->event, 1);
        step->optional = ux_model_int(w, step->optional, 1) != 0;
    }

    ux_model_end(w, &item);
}


static void
ux_model_stages(ux_model_walk_t *w, ux_model_t *model)
{
    unsigned         i;
    ux_stage_t      *stage;
    ux_model_item_t  item;

    model->nstages = ux_model_count(w, model->nstages, 1, UX_STAGES_MAX);

    for (i = 0; i < model->nstages; i++) {
        stage = &model->stages[i];

        ux_model_begin(w, &item);

        stage->name = ux_model_text(w, stage->name);
        stage->events = ux_model_int(w, stage->events, 8);

        ux_model_end(w, &item);
    }
}


static void
ux_model_experiment(ux_model_walk_t *w, ux_experiment_t *e)
{
    ux_model_item_t  item;

    ux_model_begin(w, &item);

    e->name = ux_model_text(w, e->name);
    e->salt = ux_model_text(w, e->salt);
    e->layer = ux_model_text(w, e->layer);
    e->version = (uint32_t) ux_model_int(w, e->version, 4);
    e->traffic = ux_model_number(w, e->traffic);
    e->layer_lo = ux_model_number(w, e->layer_lo);
    e->layer_hi = ux_model_number(w, e->layer_hi);
    e->sticky = ux_model_int(w, e->sticky, 1) != 0;
    e->window_ms = ux_model_int(w, e->window_ms, 8);
    e->cap = (int64_t) ux_model_int(w, (uint64_t) e->cap, 8);
    e->alpha = ux_model_number(w, e->alpha);
    e->planned = ux_model_int(w, e->planned, 8);
    e->min_runtime_s = ux_model_int(w, e->min_runtime_s, 8);
    e->state = (ux_state_e) ux_model_int(w, e->state, 1);
    e->start_ms = ux_model_int(w, e->start_ms, 8);
    e->stop_ms = ux_model_int(w, e->stop_ms, 8);
    e->serve = (int) ux_model_int(w, (uint64_t) (e->serve + 1), 1) - 1;
    e->targeting = ux_model_int(w, e->targeting, 8);
    e->equivalence = ux_model_number(w, e->equivalence);

    ux_model_variants(w, e);
    ux_model_metrics(w, e);

    ux_model_end(w, &item);
}


static void
ux_model_variants(ux_model_walk_t *w, ux_experiment_t *e)
{
    unsigned  i;

    e->nvariants = ux_model_count(w, e->nvariants, 1, UX_VARIANTS_MAX);

    for (i = 0; i < e->nvariants; i++) {
        e->variants[i].name = ux_model_text(w, e->variants[i].name);
        e->variants[i].weight = ux_model_number(w, e->variants[i].weight);
    }
}


static void
ux_model_metrics(ux_model_walk_t *w, ux_experiment_t *e)
{
    unsigned      i;
    ux_metric_t  *metric;

    e->nmetrics = ux_model_count(w, e->nmetrics, 1, UX_METRICS_MAX);

    for (i = 0; i < e->nmetrics; i++) {
        metric = &e->metrics[i];

        metric->event = (uint8_t) ux_model_int(w, metric->event, 1);
        metric->total = (uint8_t) ux_model_int(w, metric->total, 1);
        metric->type = (ux_metric_type_e) ux_model_int(w, metric->type, 1);
        metric->role = (ux_role_e) ux_model_int(w, metric->role, 1);
        metric->lower_is_better =
            ux_model_int(w, metric->lower_is_better, 1) != 0;
        metric->margin = ux_model_number(w, metric->margin);
    }
}


/* "other" goes without saying. */
static void
ux_model_segment_put(ux_model_walk_t *w, const ux_model_t *model,
    const ux_segment_t *segment)
{
    unsigned         i;
    ux_model_item_t  item;

    ux_model_begin(w, &item);

    (void) ux_model_text(w, segment->name);
    (void) ux_model_int(w, segment->nvalues - 1u, 1);

    for (i = 1; i < segment->nvalues; i++) {
        (void) ux_model_text(w, model->values[segment->first + i].name);
    }

    ux_model_end(w, &item);
}


static void
ux_model_segment_get(ux_model_walk_t *w, ux_model_t *model)
{
    bool             added;
    unsigned         i, n;
    ux_str_t         name = ux_str("");
    ux_model_item_t  item;

    ux_model_begin(w, &item);

    name = ux_model_text(w, name);
    added = ux_model_segment_add(model, name) == UX_OK;
    w->failed = w->failed || !added;

    n = ux_model_count(w, 0, 1, UX_SEGMENT_VALUES);

    for (i = 0; i < n && !w->failed; i++) {
        name = ux_model_text(w, name);
        w->failed = w->failed || ux_model_value_add(model, name) != UX_OK
                    || model->segments[model->nsegments - 1].nvalues != i + 2;
    }

    ux_model_end(w, &item);
}


static void
ux_model_begin(ux_model_walk_t *w, ux_model_item_t *item)
{
    size_t  len;

    item->at = w->to;
    len = (size_t) ux_model_int(w, 0, 4);

    if (w->writes) {
        return;
    }

    if (len > w->left) {
        w->failed = true;
        len = w->left;
    }

    item->behind = w->left - len;
    w->left = len;
}


static void
ux_model_end(ux_model_walk_t *w, const ux_model_item_t *item)
{
    if (w->writes) {

        if (!w->failed) {
            ux_image_put(item->at, (uint64_t) (w->to - item->at - 4), 4);
        }

        return;
    }

    w->failed = w->failed || (w->left != 0 && !w->newer);
    w->from += w->left;
    w->left = item->behind;
}


static uint64_t
ux_model_int(ux_model_walk_t *w, uint64_t value, unsigned size)
{
    if (w->failed || w->left < size) {
        w->failed = true;
        return 0;
    }

    if (w->writes) {
        ux_image_put(w->to, value, size);
        w->to += size;

    } else {
        value = ux_image_get(w->from, size);
        w->from += size;
    }

    w->left -= size;

    return value;
}


/* Of what follows; more than there is room for is none, and a failure. */
static unsigned
ux_model_count(ux_model_walk_t *w, unsigned n, unsigned size, unsigned most)
{
    n = (unsigned) ux_model_int(w, n, size);

    if (n > most) {
        w->failed = true;
        return 0;
    }

    return n;
}


static double
ux_model_number(ux_model_walk_t *w, double value)
{
    uint64_t  bits;

    memcpy(&bits, &value, sizeof(bits));
    bits = ux_model_int(w, bits, 8);
    memcpy(&value, &bits, sizeof(bits));

    return value;
}


/* One that was read lies in the image. */
static ux_str_t
ux_model_text(ux_model_walk_t *w, ux_str_t text)
{
    if (w->writes && text.len > UINT16_MAX) {
        w->failed = true;
    }

    text.len = (size_t) ux_model_int(w, text.len, 2);

    if (w->failed || text.len > w->left) {
        w->failed = true;
        return (ux_str_t) { "", 0 };
    }

    if (w->writes) {

        if (text.len != 0) {
            memcpy(w->to, text.data, text.len);
        }

        w->to += text.len;

    } else {
        text.data = (const char *) w->from;
        w->from += text.len;
    }

    w->left -= text.len;

    return text;
}
