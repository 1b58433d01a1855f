
/*
 * Copyright (C) the nginx-ux authors
 *
 * A zone of our own from snapshots, as a server makes its zone when it
 * starts: names and numbers come in, then the configuration is bound.
 *
 * One incarnation that is only to be shown comes in as its newest image says,
 * which is what the server said then.  Several, or one whose visitors are to
 * be kept, are merged as a server merges what it finds: the visitors of each,
 * and what its newer counters have beyond them.
 */

#include "uxctl.h"
#include "uxctl_report.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "../ux_number.h"


/* Incarnations of the wanted zone. */
typedef struct {
    const uxctl_snapshots_t    *snapshots;
    const char                 *name;
    const uxctl_incarnation_t  *newest;
    uxctl_order_t               order;
    bool                        visitors;
    uint64_t                    now_ms;
} uxctl_loading_t;


static int uxctl_zone_count(uxctl_loading_t *loading, uxctl_zone_t *zone);
static int uxctl_zone_model(const uxctl_loading_t *loading,
    uxctl_zone_t *zone);
static ux_str_t uxctl_zone_nodes(const uxctl_loading_t *loading,
    const ux_image_model_t *newest);
static int uxctl_zone_make(const uxctl_loading_t *loading,
    uxctl_zone_t *zone);
static void uxctl_zone_params(const uxctl_loading_t *loading,
    ux_store_params_t *params, uint64_t *size, uint8_t *key);
static int uxctl_zone_merge(const uxctl_loading_t *loading,
    uxctl_zone_t *zone);
static int uxctl_zone_add(const uxctl_loading_t *loading,
    const uxctl_incarnation_t *from, ux_image_mode_e mode,
    uxctl_zone_t *zone);
static void uxctl_zone_since(const uxctl_loading_t *loading,
    const uxctl_incarnation_t *from, ux_image_merge_t *merge);
static void uxctl_zone_told(const char *path,
    const ux_image_result_t *result);
static int uxctl_zone_bind(const uxctl_loading_t *loading,
    uxctl_zone_t *zone);
static void uxctl_zone_saved(const uxctl_loading_t *loading,
    uxctl_zone_t *zone);


int
uxctl_zone_load(const uxctl_snapshots_t *snapshots, const char *name,
    const uxctl_report_t *words, bool visitors, uxctl_zone_t *zone)
{
    int              rc;
    uxctl_loading_t  loading;

    memset(&loading, 0, sizeof(loading));
    memset(zone, 0, sizeof(uxctl_zone_t));

    loading.snapshots = snapshots;
    loading.name = name;

    rc = uxctl_zone_count(&loading, zone);

    if (rc != UXCTL_OK) {
        return rc;
    }

    loading.visitors = visitors || loading.order.n > 1;
    loading.now_ms = words->now_ms > zone->written_ms ? words->now_ms
                                                      : zone->written_ms;

    rc = uxctl_zone_model(&loading, zone);

    if (rc == UXCTL_OK) {
        rc = uxctl_zone_make(&loading, zone);
    }

    if (rc == UXCTL_OK) {
        rc = uxctl_zone_merge(&loading, zone);
    }

    if (rc == UXCTL_OK) {
        uxctl_zone_saved(&loading, zone);
    }

    return rc;
}


static int
uxctl_zone_count(uxctl_loading_t *loading, uxctl_zone_t *zone)
{
    int                         rc;
    unsigned                    at;
    const char                 *slash;
    const ux_image_info_t      *info;
    const uxctl_incarnation_t  *one;

    rc = uxctl_order(loading->snapshots, loading->name, &loading->order);

    if (rc != UXCTL_OK) {
        return rc;
    }

    loading->newest = uxctl_order_at(&loading->order, 0);
    zone->sources = loading->order.n;

    for (at = 0; (one = uxctl_order_at(&loading->order, at)) != NULL; at++) {
        info = &uxctl_newest(one)->info;

        if (info->written_ms > zone->written_ms) {
            zone->written_ms = info->written_ms;
        }
    }

    zone->folder = uxctl_newest(loading->newest)->path;
    slash = strrchr(zone->folder, '/');
    zone->folder = slash == NULL ? "."
                   : apr_pstrndup(loading->snapshots->pool, zone->folder,
                                  (apr_size_t) (slash - zone->folder)
                                  + (slash == zone->folder));

    return UXCTL_OK;
}


/* The newest configuration holds for all, as that of a server would. */
static int
uxctl_zone_model(const uxctl_loading_t *loading, uxctl_zone_t *zone)
{
    int                   currency;
    ux_str_t              code;
    ux_error_t            error;
    ux_status_t           rc;
    const uxctl_image_t  *image;

    image = uxctl_newest(loading->newest);
    code.data = image->info.currency;
    code.len = 3;
    currency = ux_currency_find(code);

    if (currency < 0) {
        return uxctl_wrong("\"%s\" is in an unknown currency, \"%s\"",
                           image->path, image->info.currency);
    }

    zone->model = apr_pcalloc(loading->snapshots->pool,
                              sizeof(ux_image_model_t));

    if (zone->model == NULL) {
        return uxctl_wrong("no memory for the configuration in \"%s\"",
                           image->path);
    }

    rc = ux_image_model(image->data, image->len, zone->model, &error);

    if (rc != UX_OK) {
        uxctl_report_note("\"%s\": %s: its experiments are shown as removed",
                          image->path, error.message);
        memset(zone->model, 0, sizeof(ux_image_model_t));
        ux_model_init(&zone->model->model, uxctl_str(image->info.name),
                      (unsigned) currency);
        zone->model->model.experiments = zone->model->experiments;
    }

    zone->about.name = zone->model->model.zone =
        uxctl_str(apr_pstrdup(loading->snapshots->pool, image->info.name));
    zone->about.currency = ux_currency_code((unsigned) currency);
    zone->about.model = &zone->model->model;
    zone->about.origin = zone->model->origin;

    if (loading->order.n > 1) {
        zone->about.origin.errors = 0;
        zone->about.origin.node = uxctl_zone_nodes(loading, zone->model);
    }

    return UXCTL_OK;
}


/* Names of hosts, each once. */
static ux_str_t
uxctl_zone_nodes(const uxctl_loading_t *loading,
    const ux_image_model_t *newest)
{
    int                         i;
    char                       *node;
    unsigned                    at;
    ux_str_t                    nodes;
    ux_error_t                  error;
    apr_pool_t                 *pool;
    apr_array_header_t         *names;
    const uxctl_image_t        *image;
    const uxctl_incarnation_t  *one;

    static ux_image_model_t  model;

    pool = loading->snapshots->pool;
    names = apr_array_make(pool, 4, sizeof(const char *));

    for (at = 0; (one = uxctl_order_at(&loading->order, at)) != NULL; at++) {
        image = uxctl_newest(one);

        if (ux_image_model(image->data, image->len, &model, &error) != UX_OK) {
            continue;
        }

        node = apr_pstrmemdup(pool, model.origin.node.data,
                              model.origin.node.len);

        for (i = 0; i < names->nelts; i++) {
            if (strcmp(APR_ARRAY_IDX(names, i, const char *), node) == 0) {
                break;
            }
        }

        if (i == names->nelts) {
            APR_ARRAY_PUSH(names, const char *) = node;
        }
    }

    nodes = uxctl_str(apr_array_pstrcat(pool, names, ' '));

    return nodes.len <= UX_IMAGE_WORD_MAX ? nodes : newest->origin.node;
}


static int
uxctl_zone_make(const uxctl_loading_t *loading, uxctl_zone_t *zone)
{
    void               *memory;
    uint64_t            size;
    uint8_t             random[64];
    ux_error_t          error;
    ux_store_params_t   params;

    if (apr_generate_random_bytes(random, sizeof(random)) != APR_SUCCESS) {
        return uxctl_wrong("no random numbers from the system");
    }

    uxctl_zone_params(loading, &params, &size, random + 16);

    /* pages that nothing is written to are not there */

    memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED) {
        return uxctl_wrong("\"%s\" is of a zone of %llu bytes: no memory for"
                           " it", uxctl_newest(loading->newest)->path,
                           (unsigned long long) size);
    }

    if (ux_store_init(memory, size, &params, random, zone->written_ms, &error)
            != UX_OK
        || ux_store_attach(&zone->store, memory, size, &error) != UX_OK)
    {
        return uxctl_wrong("\"%s\" cannot be loaded: %s",
                           uxctl_newest(loading->newest)->path,
                           error.message);
    }

    if (ux_store_join(&zone->store) != UX_OK) {
        return uxctl_wrong("the zone cannot be joined");
    }

    return UXCTL_OK;
}


/* Room for all of them; the index key of the newest that knows visitors. */
static void
uxctl_zone_params(const uxctl_loading_t *loading, ux_store_params_t *params,
    uint64_t *size, uint8_t *key)
{
    bool                        keyed;
    unsigned                    at;
    const ux_image_info_t      *info;
    const uxctl_incarnation_t  *one;

    *size = 0;
    *params = uxctl_newest(loading->newest)->info.params;
    keyed = false;

    for (at = 0; (one = uxctl_order_at(&loading->order, at)) != NULL; at++) {
        info = &uxctl_newest(one)->info;
        *size = *size + info->zone_size < *size ? UINT64_MAX
                                                : *size + info->zone_size;

        if (params->experiments < info->params.experiments) {
            params->experiments = info->params.experiments;
        }

        if (params->totals < info->params.totals) {
            params->totals = info->params.totals;
        }

        if (!keyed && one->images[UX_FILE_VISITORS].path != NULL) {
            memcpy(key, info->index_key, 16);
            keyed = true;
        }
    }

    if (*size < UX_STORE_SIZE_MIN) {
        *size = UX_STORE_SIZE_MIN;
    }
}


/*
 * What goes on from a base is merged into a zone that is bound, as a server
 * does: the configuration says what a cap or a window makes of a visitor.
 */
static int
uxctl_zone_merge(const uxctl_loading_t *loading, uxctl_zone_t *zone)
{
    int                    rc;
    unsigned               at;
    const uxctl_order_t   *order;

    rc = UXCTL_OK;
    order = &loading->order;

    for (at = 0; rc == UXCTL_OK && at < order->n; at++) {
        rc = uxctl_zone_add(loading, uxctl_order_at(order, at),
                            at >= order->whole ? UX_IMAGE_PREPARE
                            : loading->visitors ? UX_IMAGE_RESTORE
                                                : UX_IMAGE_SHOW, zone);
    }

    if (rc == UXCTL_OK) {
        rc = uxctl_zone_bind(loading, zone);
    }

    for (at = order->whole; rc == UXCTL_OK && at < order->n; at++) {
        rc = uxctl_zone_add(loading, uxctl_order_at(order, at),
                            UX_IMAGE_ADOPT, zone);
    }

    /* rates do not add up; who goes on from a base is the same server */

    if (order->whole > 1) {
        ux_history_clear_locked(&zone->store.history);
    }

    return rc;
}


static int
uxctl_zone_add(const uxctl_loading_t *loading,
    const uxctl_incarnation_t *from, ux_image_mode_e mode, uxctl_zone_t *zone)
{
    ux_error_t            error;
    ux_image_merge_t      merge;
    ux_image_bytes_t     *bytes;
    ux_image_result_t     result;
    const uxctl_image_t  *newest, *visitors;

    static ux_image_work_t  work;

    memset(&merge, 0, sizeof(merge));

    newest = uxctl_newest(from);
    visitors = &from->images[UX_FILE_VISITORS];

    merge.mode = mode;
    merge.zone = zone->about;
    merge.now_ms = loading->now_ms;
    merge.work = &work;

    bytes = newest == visitors ? &merge.visitors : &merge.counters;
    bytes->data = newest->data;
    bytes->len = newest->len;

    if (loading->visitors && visitors->path != NULL) {
        merge.visitors.data = visitors->data;
        merge.visitors.len = visitors->len;
    }

    if (mode == UX_IMAGE_ADOPT) {
        uxctl_zone_since(loading, from, &merge);
    }

    if (ux_image_merge(&zone->store, &merge, &result, &error) == UX_OK) {

        if (loading->visitors && mode != UX_IMAGE_PREPARE) {
            uxctl_zone_told(newest->path, &result);
        }

        return UXCTL_OK;
    }

    return uxctl_wrong("\"%s\" cannot be added: %s", newest->path,
                       error.message);
}


/* Images older than the base say nothing new. */
static void
uxctl_zone_since(const uxctl_loading_t *loading,
    const uxctl_incarnation_t *from, ux_image_merge_t *merge)
{
    size_t                words;
    const uxctl_image_t  *base, *visitors;

    base = &from->images[UX_FILE_BASE];
    visitors = &from->images[UX_FILE_VISITORS];

    words = ux_image_index_words(base->data, base->len);

    merge->base.data = base->data;
    merge->base.len = base->len;
    merge->index = apr_palloc(loading->snapshots->pool,
                              (words + 1) * sizeof(uint64_t));

    if (visitors->path == NULL
        || visitors->info.written_ms < base->info.written_ms)
    {
        merge->visitors = merge->base;
    }

    if (uxctl_newest(from)->info.written_ms < base->info.written_ms) {
        merge->counters.len = 0;
    }
}


/* What was not added to the last record and name. */
static void
uxctl_zone_told(const char *path, const ux_image_result_t *result)
{
    if (result->dropped != 0) {
        uxctl_report_note("\"%s\": %llu visitors are counted, but not known"
                          " again: there is no room, or the keys are another"
                          " zone's", path,
                          (unsigned long long) result->dropped);
    }

    if (result->names + result->cells + result->tracks != 0) {
        uxctl_report_note("\"%s\": left out for want of room: %llu names,"
                          " %llu counters, %llu assignments", path,
                          (unsigned long long) result->names,
                          (unsigned long long) result->cells,
                          (unsigned long long) result->tracks);
    }
}


static int
uxctl_zone_bind(const uxctl_loading_t *loading, uxctl_zone_t *zone)
{
    ux_arm_t      *arms;
    ux_status_t    rc;
    ux_binding_t  *bindings;

    arms = apr_pcalloc(loading->snapshots->pool,
                       zone->store.head->registry_capacity
                       * sizeof(ux_arm_t));
    bindings = apr_pcalloc(loading->snapshots->pool,
                           UX_EXPERIMENTS_MAX * sizeof(ux_binding_t));

    if (arms == NULL || bindings == NULL) {
        return uxctl_wrong("no memory for zone \"%s\"", loading->name);
    }

    rc = ux_store_bind(&zone->store, &zone->model->model, arms, bindings,
                       loading->now_ms);

    if (rc != UX_OK) {
        uxctl_report_note("zone \"%s\" has no room for all of its names",
                          loading->name);
    }

    return UXCTL_OK;
}


/* Restored is who has adopted somebody. */
static void
uxctl_zone_saved(const uxctl_loading_t *loading, uxctl_zone_t *zone)
{
    unsigned                    at;
    ux_saved_t                 *saved;
    const uxctl_incarnation_t  *one;

    saved = &zone->store.head->saved;
    saved->saved_ms = zone->written_ms;
    saved->errors = zone->about.origin.errors;

    for (at = 0; at < loading->order.whole; at++) {
        one = uxctl_order_at(&loading->order, at);
        saved->restored += uxctl_newest(one)->info.nadopted;
    }

    if (loading->order.n > 1 || zone->about.origin.size == 0) {
        zone->about.origin.size = zone->store.head->size;
    }
}
