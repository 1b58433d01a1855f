
/*
 * Copyright (C) the nginx-ux authors
 *
 * A zone in the report: its memory, its visitors, what was not counted; but
 * for its experiments.
 */

#include "ux_report_private.h"

#include <string.h>


static void ux_report_put_visitors(ux_json_t *zone,
    const ux_result_t *view, const uint64_t *cells);
static void ux_report_put_snapshot(ux_json_t *zone,
    const ux_report_zone_t *of, uint64_t now_ms);
static void ux_report_put_discarded(ux_json_t *zone, const uint64_t *cells);
static void ux_report_put_currencies(ux_json_t *zone, const uint64_t *cells);
static void ux_report_put_events(ux_json_t *zone,
    const ux_result_t *view, const uint64_t *cells);


void
ux_report_put_zone(ux_json_t *zone, const ux_report_zone_t *of,
    const ux_result_t *view)
{
    uint64_t  cells[UX_ZONE_CELLS], size;

    memset(cells, 0, sizeof(cells));

    if (view->store->counter.all_cells >= UX_ZONE_CELLS) {
        ux_counter_fold(&view->store->counter, 0, UX_ZONE_CELLS, cells);
    }

    size = of->zone_size;
    ux_report_put_count(zone, "size_bytes",
                        size != 0 ? size : view->store->head->size);
    ux_json_string(zone, "currency",
                   ux_currency_code(view->model->currency));

    ux_report_put_visitors(zone, view, cells);
    ux_report_put_snapshot(zone, of, view->now_ms);
    ux_report_put_discarded(zone, cells);

    ux_report_put_count(zone, "purchases_without_id",
                    ux_result_count(cells[UX_ZONE_PURCHASES_WITHOUT_ID]));
    ux_report_put_currencies(zone, cells);
    ux_report_put_count(zone, "returned_after_eviction",
                        ux_result_count(cells[UX_ZONE_RETURNED]));

    ux_report_put_events(zone, view, cells);
    ux_report_put_zone_http(zone, view, cells);
    ux_report_put_zone_vitals(zone, view);
}


static void
ux_report_put_visitors(ux_json_t *zone, const ux_result_t *view,
    const uint64_t *cells)
{
    uint64_t    tracked;
    ux_json_t  *visitors;

    tracked = cells[UX_ZONE_INSERTED] - cells[UX_ZONE_EVICTED]
              - cells[UX_ZONE_EXPIRED] - cells[UX_ZONE_ERASED];

    visitors = ux_json_object(zone, "visitors");

    ux_report_put_count(visitors, "capacity",
                        ux_table_capacity(view->store->head->nbuckets));
    ux_report_put_count(visitors, "tracked", ux_result_count(tracked));
    ux_report_put_count(visitors, "provisional",
                        ux_result_count(cells[UX_ZONE_PROVISIONAL]));
    ux_report_put_count(visitors, "evicted",
                        ux_result_count(cells[UX_ZONE_EVICTED]));
    ux_report_put_count(visitors, "expired",
                        ux_result_count(cells[UX_ZONE_EXPIRED]));
    ux_report_put_count(visitors, "contended_drop",
                        ux_result_count(cells[UX_ZONE_CONTENDED_DROP]));
}


static void
ux_report_put_snapshot(ux_json_t *zone, const ux_report_zone_t *of,
    uint64_t now_ms)
{
    double             age;
    uint64_t           at;
    ux_json_t         *snapshot;
    const ux_saved_t  *saved;

    saved = &of->store->head->saved;
    snapshot = ux_json_object(zone, "snapshot");

    if (of->snapshot.len != 0) {
        ux_json_string(snapshot, "path", of->snapshot);

    } else {
        ux_json_null(snapshot, "path");
    }

    at = __atomic_load_n(&saved->saved_ms, __ATOMIC_RELAXED);
    ux_json_time(snapshot, "saved_at", at);

    if (at != 0) {
        age = now_ms > at ? (double) (now_ms - at) / 1000.0 : 0.0;
        ux_json_number(snapshot, "age_seconds", age);

    } else {
        ux_json_null(snapshot, "age_seconds");
    }

    ux_json_bool(snapshot, "restored",
                 __atomic_load_n(&saved->restored, __ATOMIC_RELAXED) != 0);
    ux_report_put_count(snapshot, "errors",
                        __atomic_load_n(&saved->errors, __ATOMIC_RELAXED));
}


static void
ux_report_put_discarded(ux_json_t *zone, const uint64_t *cells)
{
    unsigned    i;
    ux_json_t  *discarded;

    discarded = ux_json_object(zone, "discarded");

    for (i = 0; i < UX_DISCARDS; i++) {
        ux_report_put_count(discarded, ux_discard_names[i],
                            ux_result_count(cells[UX_ZONE_DISCARDED + i]));
    }
}


/* Values in a currency that is not the zone's: shown apart, never added. */
static void
ux_report_put_currencies(ux_json_t *zone, const uint64_t *cells)
{
    uint64_t         events;
    unsigned         i, n;
    ux_json_t       *currencies, *currency;
    ux_report_key_t  key;

    currencies = ux_json_object(zone, "other_currencies");

    n = ux_currency_count();

    for (i = 0; i < n && i < UX_CURRENCIES_MAX; i++) {
        events = ux_result_count(cells[UX_ZONE_CURRENCY_COUNT + i]);

        if (events == 0) {
            continue;
        }

        currency = ux_json_object(currencies,
                                  ux_report_key(&key, ux_currency_code(i)));

        ux_json_money(currency, "sum",
                      (int64_t) cells[UX_ZONE_CURRENCY_SUM + i],
                      ux_currency_exponent(i));
        ux_report_put_count(currency, "events", events);
    }
}


static void
ux_report_put_events(ux_json_t *zone, const ux_result_t *view,
    const uint64_t *cells)
{
    uint8_t            slot;
    uint64_t           count;
    unsigned           i;
    ux_json_t         *events;
    ux_report_key_t    key;
    const ux_model_t  *model;

    model = view->model;
    events = ux_json_object(zone, "events");

    for (i = 0; i < model->nevents; i++) {
        slot = model->event_slots[i];
        count = 0;

        if (slot < UX_EVENTS_MAX) {
            count = ux_result_count(cells[UX_ZONE_EVENTS + slot]);
        }

        ux_report_put_count(events, ux_report_key(&key, model->events[i]),
                            count);
    }
}
