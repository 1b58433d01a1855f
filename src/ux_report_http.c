
/*
 * Copyright (C) the nginx-ux authors
 *
 * Requests in the report: how they ended, how long they took.
 */

#include "ux_decimal.h"
#include "ux_report_private.h"
#include "ux_timing.h"


/*
 * Who is confirmed by a second page only is no bounce, and who leaves before
 * it is not counted at all.  More than a tenth of such visitors, and the rate
 * would say little.
 */
#define UX_REPORT_LATE_SHARE  10

#define UX_REPORT_NO_BOUNCE                                                  \
    "over 10 % of visitors are confirmed by a second page only: their "      \
    "cookie came back with no asset of the first"

#define UX_REPORT_NOBODY  "no visitors yet"


/* Requests of a variant or a zone. */
typedef struct {
    const uint64_t  *cells;            /* UX_HTTP_ */
    uint32_t         timings;          /* UX_TIMINGS_REQUESTS, 0: none */
    uint64_t         visitors;         /* who made them */
} ux_report_http_t;


static void ux_report_put_requests(ux_json_t *parent,
    const ux_result_t *view, const ux_report_http_t *of);
static void ux_report_put_status(ux_json_t *http, const uint64_t *cells);
static void ux_report_put_errors(ux_json_t *http, const ux_report_http_t *of);
static void ux_report_put_cache(ux_json_t *http, const uint64_t *cells);
static void ux_report_put_timing(ux_json_t *http, const char *name,
    const ux_result_t *view, uint32_t first);
static void ux_report_put_buckets(ux_json_t *seconds,
    const ux_timing_t *timing);


void
ux_report_put_http(ux_json_t *variant, const ux_result_t *view,
    const ux_result_variant_t *of)
{
    ux_report_http_t  http;

    http.cells = of->sum.cells + UX_ARM_HTTP;
    http.timings = ux_result_timings(view, of, UX_TIMINGS_REQUESTS, 0,
                                     UX_TIMINGS_REQUESTS_CELLS);

    /* who is not confirmed made requests, too */

    http.visitors = ux_result_count(of->sum.cells[UX_ARM_ASSIGNED]);

    ux_report_put_requests(variant, view, &http);
}


void
ux_report_put_zone_http(ux_json_t *zone, const ux_result_t *view,
    const uint64_t *cells)
{
    ux_report_http_t  http;

    http.cells = cells + UX_ZONE_HTTP;
    http.timings = ux_result_timings(view, NULL, UX_TIMINGS_REQUESTS, 0,
                                     UX_TIMINGS_REQUESTS_CELLS);
    http.visitors = 0;                 /* not all of them have a record */

    ux_report_put_requests(zone, view, &http);
}


/* Pages and sessions, and how many of these have a single page. */
void
ux_report_put_sessions(ux_json_t *variant, const ux_result_sum_t *sum)
{
    bool        bounces;
    uint64_t    pages, all, single, late, visitors, returning;
    ux_json_t  *sessions;

    pages = ux_result_count(sum->cells[UX_ARM_PAGES]);
    all = ux_result_count(sum->cells[UX_ARM_SESSIONS]);
    single = ux_result_count(sum->cells[UX_ARM_SINGLE_PAGES]);
    single = single < all ? single : all;

    late = ux_result_count(sum->cells[UX_ARM_CONFIRMED_LATE]);
    visitors = ux_result_visitors(sum->cells);
    returning = ux_result_count(sum->cells[UX_ARM_RETURNING]);
    returning = returning < visitors ? returning : visitors;
    bounces = visitors > 0 && late <= visitors / UX_REPORT_LATE_SHARE;

    sessions = ux_json_object(variant, "sessions");

    ux_report_put_count(sessions, "sessions", all);
    ux_report_put_count(sessions, "pages", pages);
    ux_report_put_count(sessions, "single_page", single);

    ux_report_put_count(sessions, "confirmed_late",
                        late < visitors ? late : visitors);
    ux_report_put_count(sessions, "new_visitors", visitors - returning);
    ux_report_put_count(sessions, "returning_visitors", returning);

    if (bounces) {
        ux_report_put_rate(sessions, "bounce_rate", single, all);
        ux_report_put_interval(sessions, "bounce_ci", single, all);
        ux_json_null(sessions, "bounce_reason");

    } else {
        ux_report_put_nulls(sessions, "bounce_rate bounce_ci");
        ux_json_string(sessions, "bounce_reason",
                       ux_report_text(visitors > 0 ? UX_REPORT_NO_BOUNCE
                                                   : UX_REPORT_NOBODY));
    }
}


static void
ux_report_put_requests(ux_json_t *parent, const ux_result_t *view,
    const ux_report_http_t *of)
{
    uint32_t    timings;
    uint64_t    requests;
    ux_json_t  *http;

    http = ux_json_object(parent, "http");
    requests = ux_result_count(of->cells[UX_HTTP_REQUESTS]);

    ux_report_put_count(http, "requests", requests);

    if (of->visitors != 0) {
        ux_json_number(http, "requests_per_visitor",
                       (double) requests / (double) of->visitors);

    } else {
        ux_json_null(http, "requests_per_visitor");
    }

    ux_report_put_status(http, of->cells);
    ux_report_put_errors(http, of);
    ux_report_put_count(http, "bytes",
                        ux_result_count(of->cells[UX_HTTP_BYTES]));
    ux_report_put_cache(http, of->cells);

    /* a histogram of no request is not read */

    timings = requests != 0 ? of->timings : 0;

    ux_report_put_timing(http, "seconds", view, timings);
    ux_report_put_timing(http, "upstream_seconds", view, timings == 0 ? 0
                         : timings + UX_TIMING_UPSTREAM * UX_TIMING_CELLS);
}


static void
ux_report_put_status(ux_json_t *http, const uint64_t *cells)
{
    unsigned    i;
    ux_json_t  *status;

    static const struct {
        unsigned     cell;
        const char  *name;
    }  classes[] = {
        { UX_HTTP_1XX, "1xx" },
        { UX_HTTP_2XX, "2xx" },
        { UX_HTTP_3XX, "3xx" },
        { UX_HTTP_4XX, "4xx" },
        { UX_HTTP_5XX, "5xx" },
        { UX_HTTP_CLIENT_ABORT, "client_abort" }
    };

    status = ux_json_object(http, "status");

    for (i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        ux_report_put_count(status, classes[i].name,
                            ux_result_count(cells[classes[i].cell]));
    }
}


static void
ux_report_put_errors(ux_json_t *http, const ux_report_http_t *of)
{
    uint64_t  met;

    met = ux_result_count(of->cells[UX_HTTP_ERROR_VISITORS]);

    ux_report_put_count(http, "error_visitors", met);
    ux_report_put_rate(http, "error_visitor_rate",
                       met < of->visitors ? met : of->visitors,
                       of->visitors);
    ux_report_put_count(http, "errors",
                        ux_result_count(of->cells[UX_HTTP_ERRORS]));
    ux_report_put_rate(http, "error_rate",
                       ux_result_count(of->cells[UX_HTTP_ERRORS]),
                       ux_result_count(of->cells[UX_HTTP_REQUESTS]));
    ux_report_put_count(http, "timeouts",
                        ux_result_count(of->cells[UX_HTTP_TIMEOUTS]));
    ux_report_put_count(http, "post_4xx",
                        ux_result_count(of->cells[UX_HTTP_POST_4XX]));
    ux_report_put_count(http, "retries",
                        ux_result_count(of->cells[UX_HTTP_RETRIES]));
    ux_report_put_count(http, "rage_repeats",
                        ux_result_count(of->cells[UX_HTTP_RAGE_REPEATS]));
}


static void
ux_report_put_cache(ux_json_t *http, const uint64_t *cells)
{
    uint64_t    hits, lookups;
    ux_json_t  *cache;

    hits = ux_result_count(cells[UX_HTTP_CACHE_HITS]);
    lookups = ux_result_count(cells[UX_HTTP_CACHE_LOOKUPS]);

    cache = ux_json_object(http, "cache");

    ux_report_put_count(cache, "lookups", lookups);
    ux_report_put_count(cache, "hits", hits);
    ux_report_put_rate(cache, "hit_share", hits, lookups);
}


static void
ux_report_put_timing(ux_json_t *http, const char *name,
    const ux_result_t *view, uint32_t first)
{
    unsigned      i;
    ux_json_t    *seconds;
    ux_timing_t   timing;

    static const struct {
        double       q;
        const char  *name;
    }  quantiles[] = {
        { 0.5, "p50" },
        { 0.75, "p75" },
        { 0.95, "p95" },
        { 0.99, "p99" }
    };

    ux_timing_read(&view->store->counter, first, &timing);

    seconds = ux_json_object(http, name);

    for (i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
        ux_json_number(seconds, quantiles[i].name,
                       ux_timing_seconds(&timing, quantiles[i].q));
    }

    ux_report_put_buckets(seconds, &timing);
}


/*
 * How many took no longer than each of some seconds: the ends of the buckets
 * that round figures are in, so that counts are exact.
 */
static void
ux_report_put_buckets(ux_json_t *seconds, const ux_timing_t *timing)
{
    char         bound[UX_DECIMAL_MAX];
    uint32_t     at, end;
    uint64_t     count;
    unsigned     i;
    ux_json_t   *buckets;

    static const uint64_t  round_ms[] = {
        5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000
    };

    buckets = ux_json_object(seconds, "buckets");
    count = 0;
    at = 0;

    for (i = 0; i < sizeof(round_ms) / sizeof(round_ms[0]); i++) {
        end = ux_histogram_index(UX_TIMING_BITS, round_ms[i]) + 1;

        while (at < end) {
            count += timing->buckets[at++];
        }

        ux_decimal_double(bound,
            (double) (ux_histogram_lowest(UX_TIMING_BITS, end) - 1) / 1000);
        ux_report_put_count(buckets, bound, count);
    }

    while (at < UX_TIMING_BUCKETS) {
        count += timing->buckets[at++];
    }

    ux_report_put_count(buckets, "all", count);
}
