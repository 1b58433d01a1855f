
/*
 * Copyright (C) the nginx-ux authors
 *
 * What the document's figures are called outside.  Counts, and what cannot be
 * worked out from them: a rate of two counts is the reader's own.  What can
 * fall while a server runs, visitors who are taken out of both variants among
 * it, is a gauge.
 *
 * A figure's labels are those of its path: configured names and words of the
 * document, never anything a client sent.  Rows of one family stand together.
 */

#include "ux_export_private.h"


#define ZONE        "zones/*zone/"
#define EXPERIMENT  ZONE "experiments/*experiment/"
#define VARIANT     EXPERIMENT "variants/*variant/"
#define METRIC      VARIANT "metrics/*metric/"
#define FUNNEL      VARIANT "funnels/*funnel/"
#define STEP        FUNNEL "steps/@step:event/"
#define MONEY       VARIANT "money/+currency:currency/"
#define STAGE       VARIANT "journey/stages/*stage/"
#define SURVEY      VARIANT "surveys/*survey/"

#define BOUNDS      "=bound:low,high"
#define QUANTILES   "=percentile:p50,p75,p90"

#define VERDICTS                                                             \
    "srm untrusted guardrail variant_better control_better no_difference "   \
    "inconclusive stopped collecting"


/* Requests: of a zone, or of a variant. */
#define REQUESTS(place, name, of)                                            \
    { UX_EXPORT_COUNTER, name "http_requests", "", place "http/requests",    \
      NULL, "Requests of " of "." },                                         \
    { UX_EXPORT_COUNTER, name "http_responses", "",                          \
      place "http/status/*status", NULL,                                     \
      "Answers by class of status, and clients that left, of " of "." },     \
    { UX_EXPORT_COUNTER, name "http_errors", "", place "http/errors", NULL,  \
      "Answers 5xx, 408, and 4xx to a POST, of " of "." },                   \
    { UX_EXPORT_COUNTER, name "http_timeouts", "", place "http/timeouts",    \
      NULL, "Errors that are 408 or 504, of " of "." },                      \
    { UX_EXPORT_COUNTER, name "http_post_refusals", "",                      \
      place "http/post_4xx", NULL, "POSTs answered 4xx but 408, of " of "." },\
    { UX_EXPORT_COUNTER, name "http_retries", "", place "http/retries",      \
      NULL, "POSTs repeated after an error, of " of "." },                   \
    { UX_EXPORT_COUNTER, name "http_rage_repeats", "",                       \
      place "http/rage_repeats", NULL,                                       \
      "POSTs repeated within 2 seconds, of " of "." },                       \
    { UX_EXPORT_COUNTER, name "http_sent_bytes", "bytes",                    \
      place "http/bytes", NULL, "Sent to clients, headers included, of "     \
      of "." },                                                              \
    { UX_EXPORT_COUNTER, name "http_cache_lookups", "",                      \
      place "http/cache/lookups", NULL,                                      \
      "Requests that looked into the cache of nginx, of " of "." },          \
    { UX_EXPORT_COUNTER, name "http_cache_hits", "",                         \
      place "http/cache/hits", NULL,                                         \
      "Requests answered from the cache of nginx, of " of "." },             \
    { UX_EXPORT_HISTOGRAM, name "http_request_duration_seconds", "seconds",  \
      place "http/seconds/buckets", NULL,                                    \
      "From first byte read to last byte sent, of " of "." },                \
    { UX_EXPORT_HISTOGRAM, name "http_upstream_duration_seconds",            \
      "seconds", place "http/upstream_seconds/buckets", NULL,                \
      "Answers of upstream servers, all tries together, of " of "." }


/* Vitals, likewise.  A value told again moves to another rating. */
#define VITALS(place, name, of)                                              \
    { UX_EXPORT_GAUGE, name "vital_values", "",                              \
      place "vitals/*vital/=rating:good,needs_improvement,poor", NULL,       \
      "Values of vitals that pages told, by rating, of " of "." },           \
    { UX_EXPORT_GAUGE, name "vital_p75", "",                                 \
      place "vitals/*vital/+unit:unit/p75", NULL,                            \
      "75th percentile of a vital, of " of "." }


const ux_export_family_t  ux_export_families[] = {
    { UX_EXPORT_INFO, "build", "", "", "module nginx node",
      "Versions of the module and of nginx, and the host's name." },

    /* the zone */

    { UX_EXPORT_GAUGE, "zone_size_bytes", "bytes", ZONE "size_bytes", NULL,
      "Configured size of the zone." },
    { UX_EXPORT_GAUGE, "zone_visitors_capacity", "",
      ZONE "visitors/capacity", NULL, "Visitors the zone has room for." },
    { UX_EXPORT_GAUGE, "zone_visitors", "", ZONE "visitors/tracked", NULL,
      "Visitors with a record, provisional ones included." },
    { UX_EXPORT_GAUGE, "zone_visitors_provisional", "",
      ZONE "visitors/provisional", NULL,
      "Visitors whose cookie has not come back." },
    { UX_EXPORT_COUNTER, "zone_visitors_evicted", "",
      ZONE "visitors/evicted", NULL, "Records given up for want of room." },
    { UX_EXPORT_COUNTER, "zone_visitors_expired", "",
      ZONE "visitors/expired", NULL, "Records given up for their age." },
    { UX_EXPORT_COUNTER, "zone_contended_drops", "",
      ZONE "visitors/contended_drop", NULL,
      "Changes dropped because a record was held too long." },
    { UX_EXPORT_GAUGE, "snapshot_age_seconds", "seconds",
      ZONE "snapshot/age_seconds", NULL,
      "Since the zone's last snapshot, none without one." },
    { UX_EXPORT_GAUGE, "snapshot_restored", "", ZONE "snapshot/restored",
      NULL, "1 if the zone began with a snapshot." },
    { UX_EXPORT_COUNTER, "snapshot_errors", "", ZONE "snapshot/errors", NULL,
      "Snapshots that could not be written." },
    { UX_EXPORT_COUNTER, "discarded", "", ZONE "discarded/*reason", NULL,
      "Exposures and events not counted, by reason." },
    { UX_EXPORT_COUNTER, "purchases_without_id", "",
      ZONE "purchases_without_id", NULL,
      "Purchases that a reload of the page would count again." },
    { UX_EXPORT_COUNTER, "returned_after_eviction", "",
      ZONE "returned_after_eviction", NULL,
      "Visitors who came back after their record was given up." },
    { UX_EXPORT_COUNTER, "other_currency_events", "",
      ZONE "other_currencies/*currency/events", NULL,
      "Amounts in a currency that is not the zone's, in no sum." },
    { UX_EXPORT_COUNTER, "events", "", ZONE "events/*event", NULL,
      "Accepted events of visitors with a record." },

    REQUESTS(ZONE, "", "active servers"),
    VITALS(ZONE, "", "visitors with a record"),

    /* experiments */

    { UX_EXPORT_STATESET, "experiment_state", "", EXPERIMENT "state",
      "running scheduled paused closed served removed",
      "Whether the experiment takes visitors." },
    { UX_EXPORT_STATESET, "experiment_verdict", "", EXPERIMENT "verdict",
      VERDICTS, "What may be concluded." },
    { UX_EXPORT_PRESENT, "experiment_problem", "",
      EXPERIMENT "problems/@problem:code", NULL,
      "1 for each problem the experiment has." },
    { UX_EXPORT_GAUGE, "experiment_runtime_seconds", "seconds",
      EXPERIMENT "runtime_seconds", NULL, "For how long it has run." },
    { UX_EXPORT_GAUGE, "experiment_min_runtime_seconds", "seconds",
      EXPERIMENT "min_runtime_seconds", NULL,
      "How long it is to run at least." },
    { UX_EXPORT_GAUGE, "experiment_planned_visitors", "",
      EXPERIMENT "planned_visitors", NULL,
      "Planned visitors of a variant and the control together." },
    { UX_EXPORT_GAUGE, "experiment_traffic_ratio", "ratio",
      EXPERIMENT "traffic", NULL,
      "Share of eligible visitors that enter it." },
    { UX_EXPORT_GAUGE, "experiment_alpha_ratio", "ratio", EXPERIMENT "alpha",
      NULL, "False winners that are put up with." },
    { UX_EXPORT_GAUGE, "experiment_epoch", "", EXPERIMENT "epoch", NULL,
      "Stretches of unchanged settings so far." },
    { UX_EXPORT_GAUGE, "experiment_crossover_visitors", "",
      EXPERIMENT "crossover_visitors", NULL,
      "Visitors seen in two variants and taken out of both." },
    { UX_EXPORT_GAUGE, "experiment_moved_visitors", "",
      EXPERIMENT "moved_visitors", NULL,
      "Visitors moved by a change of settings." },
    { UX_EXPORT_GAUGE, "experiment_srm_ok", "", EXPERIMENT "srm/ok", NULL,
      "0 for a sample ratio mismatch: do not trust the results." },
    { UX_EXPORT_GAUGE, "experiment_srm_p_value", "",
      EXPERIMENT "srm/p_value", NULL,
      "Of the sample ratio, smallest so far, valid at any look." },
    { UX_EXPORT_GAUGE, "experiment_confirmation_p_value", "",
      EXPERIMENT "srm/confirmation_p", NULL,
      "Of an equal share of each variant's visitors coming back." },

    /* variants */

    { UX_EXPORT_GAUGE, "variant_weight", "", VARIANT "weight", NULL,
      "Configured weight." },
    { UX_EXPORT_GAUGE, "variant_share_ratio", "ratio", VARIANT "share", NULL,
      "Weight as a share of all weights." },
    { UX_EXPORT_GAUGE, "variant_assigned", "", VARIANT "assigned", NULL,
      "Visitors exposed, confirmed or not." },
    { UX_EXPORT_GAUGE, "variant_visitors", "", VARIANT "visitors", NULL,
      "Confirmed visitors." },
    { UX_EXPORT_GAUGE, "variant_sessions", "", VARIANT "sessions/sessions",
      NULL, "Sessions, parted by 30 minutes of idleness." },
    { UX_EXPORT_GAUGE, "variant_single_page_sessions", "",
      VARIANT "sessions/single_page", NULL,
      "Sessions of no more than one page so far." },
    { UX_EXPORT_GAUGE, "variant_pages", "", VARIANT "sessions/pages", NULL,
      "Navigations of confirmed visitors." },
    { UX_EXPORT_GAUGE, "variant_error_visitors", "",
      VARIANT "http/error_visitors", NULL, "Visitors who met an error." },

    REQUESTS(VARIANT, "variant_", "visitors of the variant"),
    VITALS(VARIANT, "variant_", "visitors of the variant"),

    { UX_EXPORT_GAUGE, "survey_answers", "", SURVEY "distribution/*answer",
      NULL, "Visitors by their first answer." },
    { UX_EXPORT_GAUGE, "survey_score", "", SURVEY "score", NULL,
      "Of nps -100 to 100, of csat a share, of ces a mean answer." },

    { UX_EXPORT_GAUGE, "stage_visitors", "", STAGE "visitors", NULL,
      "Visitors who were in the stage." },
    { UX_EXPORT_GAUGE, "stage_events", "", STAGE "events", NULL,
      "Events of the stage." },
    { UX_EXPORT_GAUGE, "contact_visitors", "", VARIANT "contact/visitors",
      NULL, "Visitors who had to ask, none without a stage support." },
    { UX_EXPORT_GAUGE, "contact_events", "", VARIANT "contact/events", NULL,
      "How often they asked, none without a stage support." },

    { UX_EXPORT_GAUGE, "orders", "", VARIANT "money/orders", NULL,
      "Purchases of visitors of the variant." },
    { UX_EXPORT_GAUGE, "orders_with_value", "",
      VARIANT "money/orders_with_value", NULL,
      "Purchases with an amount in the zone's currency." },
    { UX_EXPORT_GAUGE, "ordered_value", "", MONEY "ordered", NULL,
      "Sum of these amounts." },
    { UX_EXPORT_GAUGE, "refunds", "", VARIANT "money/refunds", NULL,
      "Refunds of visitors of the variant." },
    { UX_EXPORT_GAUGE, "refunded_value", "", MONEY "refunded", NULL,
      "What refunds took off the revenue." },

    /* metrics */

    { UX_EXPORT_GAUGE, "metric_visitors", "", METRIC "visitors", NULL,
      "Visitors with the metric's event." },
    { UX_EXPORT_COUNTER, "metric_events", "", METRIC "events", NULL,
      "Events of the metric." },
    { UX_EXPORT_GAUGE, "metric_conversion_ratio", "ratio", METRIC "rate",
      NULL, "Share of visitors who converted." },
    { UX_EXPORT_GAUGE, "metric_conversion_bound_ratio", "ratio",
      METRIC "rate_ci/" BOUNDS, NULL,
      "95 % interval of the conversion, of one look." },
    { UX_EXPORT_GAUGE, "metric_value", "", METRIC "sum", NULL,
      "Sum over visitors: money in the zone's currency, or events." },
    { UX_EXPORT_GAUGE, "metric_mean", "", METRIC "mean", NULL,
      "Mean per visitor; of a ratio, per event." },
    { UX_EXPORT_GAUGE, "metric_mean", "", METRIC "ratio", NULL,
      "Mean per visitor; of a ratio, per event." },
    { UX_EXPORT_GAUGE, "metric_mean_bound", "", METRIC "mean_ci/" BOUNDS,
      NULL, "95 % interval of the mean, of one look." },
    { UX_EXPORT_GAUGE, "metric_mean_bound", "", METRIC "ratio_ci/" BOUNDS,
      NULL, "95 % interval of the mean, of one look." },
    { UX_EXPORT_STATESET, "metric_guardrail", "", METRIC "guardrail",
      "ok unclear harmed", "Whether a guardrail of the variant holds." },
    { UX_EXPORT_GAUGE, "metric_lift_ratio", "ratio",
      METRIC "vs_control/lift", NULL, "Against the control, relative." },
    { UX_EXPORT_GAUGE, "metric_lift_bound_ratio", "ratio",
      METRIC "vs_control/lift_ci/" BOUNDS, NULL,
      "Interval of the lift, valid at any look." },
    { UX_EXPORT_GAUGE, "metric_p_value", "", METRIC "vs_control/p_value",
      NULL, "Against the control, valid at any look." },
    { UX_EXPORT_GAUGE, "metric_adjusted_p_value", "",
      METRIC "vs_control/p_adjusted", NULL,
      "The same, for all variants and goals together." },
    { UX_EXPORT_GAUGE, "metric_significant", "",
      METRIC "vs_control/significant", NULL,
      "1 if the difference may be relied on." },

    /* funnels */

    { UX_EXPORT_GAUGE, "step_visitors", "", STEP "visitors", NULL,
      "Visitors who did the step, in any order." },
    { UX_EXPORT_GAUGE, "step_visitors_in_order", "",
      STEP "visitors_in_order", NULL,
      "Visitors who did all required steps before, and this one." },
    { UX_EXPORT_GAUGE, "step_time_seconds", "seconds",
      STEP "seconds/" QUANTILES, NULL,
      "To the step from the required one before, or the exposure." },
    { UX_EXPORT_COUNTER, "step_backtracks", "", STEP "backtracks", NULL,
      "Returns to the step from a later one." },
    { UX_EXPORT_GAUGE, "task_started_visitors", "", FUNNEL "task/started",
      NULL, "Visitors who reached the first required step in order." },
    { UX_EXPORT_GAUGE, "task_completed_visitors", "",
      FUNNEL "task/completed", NULL,
      "Visitors who reached the last required step in order." },
    { UX_EXPORT_GAUGE, "task_time_seconds", "seconds",
      FUNNEL "task/seconds/" QUANTILES, NULL,
      "From first to last required step, of those who got there." },
    { UX_EXPORT_GAUGE, "carts", "",
      FUNNEL "carts/=state:open,purchased,abandoned", NULL,
      "Carts by state, recovered ones among the abandoned." },
    { UX_EXPORT_GAUGE, "carts_carried_in", "", FUNNEL "carts/carried_in",
      NULL, "Carts that were open at the exposure." },
    { UX_EXPORT_GAUGE, "carts_recovered", "", FUNNEL "carts/recovered", NULL,
      "Abandoned carts purchased later." },
    { UX_EXPORT_GAUGE, "carts_settled", "", FUNNEL "carts/settled", NULL,
      "Carts of which it is known: the denominator of abandonment." },
    { UX_EXPORT_GAUGE, "carts_abandoned", "",
      FUNNEL "carts/abandoned_after/*step", NULL,
      "Abandoned carts by the furthest step reached." },
    { UX_EXPORT_GAUGE, "purchases_without_cart", "",
      FUNNEL "carts/purchases_without_cart", NULL,
      "Purchases of visitors who had no cart." }
};

const unsigned  ux_export_nfamilies =
    sizeof(ux_export_families) / sizeof(ux_export_families[0]);
