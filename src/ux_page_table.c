
/*
 * Copyright (C) the nginx-ux authors
 *
 * What figures the page has, by table, and what they are called there: where
 * in a node of the document they are, and how they are printed.
 *
 * Intervals called "at one look" are descriptive; those "whenever you look"
 * are of the confidence sequence and hold however often somebody does.
 */

#include "ux_page_private.h"


#define FIGURE(kind, path, heading)                                          \
    { UX_PAGE_ ## kind, path, heading, false, UX_WORDS_NONE }

/* Only where there is such a member. */
#define MEMBER(kind, path, heading)                                          \
    { UX_PAGE_ ## kind, path, heading, true, UX_WORDS_NONE }

#define CODE(set, path, heading)                                             \
    { UX_PAGE_WORD, path, heading, false, UX_WORDS_ ## set }

#define END                                                                  \
    { UX_PAGE_COUNT, NULL, NULL, false, UX_WORDS_NONE }


/* Rows are variants.  Visitors are the confirmed of those assigned. */
const ux_page_figure_t  ux_page_variant[] = {
    FIGURE(COUNT, "visitors", "Visitors"),
    END
};


const ux_page_figure_t  ux_page_variant_more[] = {
    FIGURE(COUNT, "assigned", "Assigned"),
    FIGURE(SHARE, "confirmed_share", "Confirmed"),
    FIGURE(COUNT, "visitors_in_window", "In window"),
    FIGURE(NUMBER, "weight", "Weight"),
    FIGURE(SHARE, "share", "Share asked"),
    END
};


/* Of the first goal, between these. */
const ux_page_figure_t  ux_page_goal_conversion[] = {
    FIGURE(COUNT, "visitors", "Converted"),
    FIGURE(SHARE, "rate", "Rate"),
    FIGURE(LIFT, "vs_control/lift", "Lift"),
    FIGURE(LIFT, "vs_control/lift_ci", "Lift, whenever you look"),
    FIGURE(P, "vs_control/p_value", "p, whenever you look"),
    END
};


const ux_page_figure_t  ux_page_goal_total[] = {
    FIGURE(COUNT, "sum", "Sum"),
    MEMBER(NUMBER, "mean", "Mean"),
    MEMBER(NUMBER, "ratio", "Per event"),
    FIGURE(LIFT, "vs_control/lift", "Lift"),
    FIGURE(LIFT, "vs_control/lift_ci", "Lift, whenever you look"),
    FIGURE(P, "vs_control/p_value", "p, whenever you look"),
    END
};


/* Metrics: rows are variants. */
const ux_page_figure_t  ux_page_conversion[] = {
    FIGURE(SHARE, "rate", "Rate"),
    FIGURE(LIFT, "vs_control/lift", "Lift"),
    FIGURE(LIFT, "vs_control/lift_ci", "Lift, whenever you look"),
    FIGURE(P, "vs_control/p_value", "p, whenever you look"),
    FIGURE(WORD, "vs_control/significant", "Significant"),
    { UX_PAGE_WORD, "guardrail", "Guardrail", true, UX_WORDS_GUARDRAIL },
    FIGURE(COUNT, "visitors", "Converted"),
    FIGURE(COUNT, "events", "Events"),
    FIGURE(SHARE, "rate_ci", "Rate, 95 % at one look"),
    END
};


const ux_page_figure_t  ux_page_total[] = {
    FIGURE(NUMBER, "mean", "Per visitor"),
    FIGURE(LIFT, "vs_control/lift", "Lift"),
    FIGURE(LIFT, "vs_control/lift_ci", "Lift, whenever you look"),
    FIGURE(P, "vs_control/p_value", "p, whenever you look"),
    FIGURE(WORD, "vs_control/significant", "Significant"),
    { UX_PAGE_WORD, "guardrail", "Guardrail", true, UX_WORDS_GUARDRAIL },
    FIGURE(COUNT, "visitors", "Visitors with it"),
    FIGURE(COUNT, "events", "Events"),
    FIGURE(COUNT, "sum", "Sum"),
    MEMBER(WORD, "currency", "Currency"),
    MEMBER(COUNT, "cap", "Cap"),
    FIGURE(NUMBER, "mean_ci", "Per visitor, 95 % at one look"),
    FIGURE(NUMBER, "variance", "Variance"),
    END
};


const ux_page_figure_t  ux_page_ratio[] = {
    FIGURE(NUMBER, "ratio", "Per event"),
    FIGURE(LIFT, "vs_control/lift", "Lift"),
    FIGURE(LIFT, "vs_control/lift_ci", "Lift, whenever you look"),
    FIGURE(P, "vs_control/p_value", "p, whenever you look"),
    FIGURE(WORD, "vs_control/significant", "Significant"),
    { UX_PAGE_WORD, "guardrail", "Guardrail", true, UX_WORDS_GUARDRAIL },
    FIGURE(COUNT, "visitors", "Visitors with it"),
    FIGURE(COUNT, "events", "Events"),
    FIGURE(COUNT, "sum", "Sum"),
    MEMBER(WORD, "currency", "Currency"),
    FIGURE(NUMBER, "ratio_ci", "Per event, 95 % at one look"),
    END
};


/* More of the comparison; beside rates, and beside means. */
const ux_page_figure_t  ux_page_evidence_share[] = {
    CODE(STATUS, "vs_control/status", "Status"),
    FIGURE(SHARE, "vs_control/ci_level", "Level"),
    FIGURE(COUNT, "vs_control/visitors", "Visitors compared"),
    FIGURE(POINTS, "vs_control/difference", "Difference"),
    FIGURE(POINTS, "vs_control/difference_ci",
           "Difference, whenever you look"),
    FIGURE(SHARE, "vs_control/rate_adjusted", "Epochs weighted alike"),
    FIGURE(SHARE, "vs_control/control_rate_adjusted", "Control, likewise"),
    FIGURE(P, "vs_control/p_now", "p now"),
    FIGURE(P, "vs_control/p_adjusted", "p adjusted"),
    FIGURE(TIME, "vs_control/significant_at", "Significant since"),
    FIGURE(P, "vs_control/exact/p_value", "Exact test, p"),
    FIGURE(LIFT, "vs_control/exact/lift_ci", "Exact test, lift"),
    FIGURE(SHARE, "vs_control/probability_better",
           "Better, probability; not for peeking"),
    FIGURE(SHARE, "vs_control/expected_loss",
           "Expected loss; not for peeking"),
    FIGURE(P, "vs_control/fixed_horizon/p_value",
           "p at the planned size, one look"),
    FIGURE(POINTS, "vs_control/fixed_horizon/difference_ci",
           "Difference at the planned size, one look"),
    END
};


const ux_page_figure_t  ux_page_evidence_number[] = {
    CODE(STATUS, "vs_control/status", "Status"),
    FIGURE(SHARE, "vs_control/ci_level", "Level"),
    FIGURE(COUNT, "vs_control/visitors", "Visitors compared"),
    FIGURE(CHANGE, "vs_control/difference", "Difference"),
    FIGURE(CHANGE, "vs_control/difference_ci",
           "Difference, whenever you look"),
    FIGURE(NUMBER, "vs_control/rate_adjusted", "Epochs weighted alike"),
    FIGURE(NUMBER, "vs_control/control_rate_adjusted", "Control, likewise"),
    FIGURE(P, "vs_control/p_now", "p now"),
    FIGURE(P, "vs_control/p_adjusted", "p adjusted"),
    FIGURE(TIME, "vs_control/significant_at", "Significant since"),
    FIGURE(P, "vs_control/exact/p_value", "Exact test, p"),
    FIGURE(LIFT, "vs_control/exact/lift_ci", "Exact test, lift"),
    FIGURE(SHARE, "vs_control/probability_better",
           "Better, probability; not for peeking"),
    FIGURE(NUMBER, "vs_control/expected_loss",
           "Expected loss; not for peeking"),
    FIGURE(P, "vs_control/fixed_horizon/p_value",
           "p at the planned size, one look"),
    FIGURE(CHANGE, "vs_control/fixed_horizon/difference_ci",
           "Difference at the planned size, one look"),
    END
};


/* Of one value of a segment: exploratory. */
const ux_page_figure_t  ux_page_value_share[] = {
    FIGURE(COUNT, "visitors", "Converted"),
    FIGURE(SHARE, "rate", "Rate"),
    FIGURE(SHARE, "rate_ci", "Rate, 95 % at one look"),
    FIGURE(LIFT, "vs_control/lift", "Lift"),
    FIGURE(LIFT, "vs_control/lift_ci", "Lift, 95 % at one look"),
    CODE(STATUS, "vs_control/status", "Status"),
    END
};


const ux_page_figure_t  ux_page_value_number[] = {
    FIGURE(COUNT, "visitors", "Visitors with it"),
    FIGURE(COUNT, "sum", "Sum"),
    FIGURE(NUMBER, "mean", "Per visitor"),
    FIGURE(NUMBER, "mean_ci", "Per visitor, 95 % at one look"),
    FIGURE(LIFT, "vs_control/lift", "Lift"),
    FIGURE(LIFT, "vs_control/lift_ci", "Lift, 95 % at one look"),
    CODE(STATUS, "vs_control/status", "Status"),
    END
};


const ux_page_figure_t  ux_page_value_ratio[] = {
    FIGURE(COUNT, "visitors", "Visitors with it"),
    FIGURE(COUNT, "sum", "Sum"),
    FIGURE(NUMBER, "ratio", "Per event"),
    FIGURE(NUMBER, "ratio_ci", "Per event, 95 % at one look"),
    FIGURE(LIFT, "vs_control/lift", "Lift"),
    FIGURE(LIFT, "vs_control/lift_ci", "Lift, 95 % at one look"),
    CODE(STATUS, "vs_control/status", "Status"),
    END
};


/* Steps of a funnel: rows are variants. */
const ux_page_figure_t  ux_page_step[] = {
    FIGURE(COUNT, "visitors", "Visitors"),
    FIGURE(SHARE, "rate", "Of all visitors"),
    FIGURE(SHARE, "rate_ci", "95 % at one look"),
    FIGURE(COUNT, "visitors_in_order", "In order"),
    FIGURE(SHARE, "rate_from_previous", "From the step before"),
    FIGURE(LOST, "rate_from_previous", "Lost since"),
    FIGURE(LIFT, "vs_control/lift", "Lift"),
    FIGURE(LIFT, "vs_control/lift_ci", "Lift, whenever you look"),
    FIGURE(SECONDS, "seconds/p50", "Time, median"),
    FIGURE(SECONDS, "seconds/p75", "75 %"),
    FIGURE(SECONDS, "seconds/p90", "90 %"),
    FIGURE(COUNT, "backtracks", "Backtracks"),
    FIGURE(COUNT, "events", "Events"),
    FIGURE(COUNT, "visitors_before_exposure", "Done before"),
    END
};


const ux_page_figure_t  ux_page_value_step[] = {
    FIGURE(COUNT, "visitors", "Visitors"),
    FIGURE(SHARE, "rate", "Of all visitors"),
    FIGURE(SHARE, "rate_ci", "95 % at one look"),
    FIGURE(COUNT, "visitors_in_order", "In order"),
    FIGURE(SHARE, "rate_from_previous", "From the step before"),
    FIGURE(LOST, "rate_from_previous", "Lost since"),
    END
};


/* Columns are variants, here and below. */
const ux_page_figure_t  ux_page_task[] = {
    FIGURE(COUNT, "started", "Started"),
    FIGURE(COUNT, "completed", "Completed"),
    FIGURE(COUNT, "succeeded", "Started and completed since the exposure"),
    FIGURE(SHARE, "success_rate", "Success rate"),
    FIGURE(SHARE, "success_ci", "Success rate, 95 % at one look"),
    FIGURE(SECONDS, "seconds/p50", "Time, median"),
    FIGURE(SECONDS, "seconds/p75", "Time of 75 %"),
    FIGURE(SECONDS, "seconds/p90", "Time of 90 %"),
    END
};


const ux_page_figure_t  ux_page_carts[] = {
    FIGURE(COUNT, "carts/created", "Carts"),
    FIGURE(COUNT, "carts/open", "Open"),
    FIGURE(COUNT, "carts/purchased", "Purchased"),
    FIGURE(COUNT, "carts/abandoned", "Abandoned"),
    FIGURE(COUNT, "carts/recovered", "Abandoned, bought later"),
    FIGURE(COUNT, "carts/settled", "Settled"),
    FIGURE(SHARE, "carts/abandonment_rate", "Abandonment, of the settled"),
    FIGURE(SHARE, "carts/abandonment_ci", "Abandonment, 95 % at one look"),
    FIGURE(WORD, "biggest_loss/after", "Most are left after"),
    FIGURE(COUNT, "biggest_loss/carts", "Carts left there"),
    FIGURE(COUNT, "carts/carried_in", "Opened before the exposure"),
    FIGURE(COUNT, "carts/purchases_without_cart", "Purchases without a cart"),
    END
};


const ux_page_figure_t  ux_page_sessions[] = {
    FIGURE(COUNT, "sessions", "Sessions"),
    FIGURE(COUNT, "pages", "Pages"),
    FIGURE(COUNT, "single_page", "Of a single page"),
    FIGURE(SHARE, "bounce_rate", "Bounce rate"),
    FIGURE(SHARE, "bounce_ci", "Bounce rate, 95 % at one look"),
    FIGURE(WORD, "bounce_reason", "No bounce rate because"),
    FIGURE(COUNT, "confirmed_late", "Confirmed by a second page"),
    FIGURE(COUNT, "new_visitors", "New visitors"),
    FIGURE(COUNT, "returning_visitors", "Returning visitors"),
    END
};


const ux_page_figure_t  ux_page_http[] = {
    FIGURE(COUNT, "requests", "Requests"),
    FIGURE(NUMBER, "requests_per_visitor", "Requests per visitor"),
    FIGURE(COUNT, "status/1xx", "Status 1xx"),
    FIGURE(COUNT, "status/2xx", "Status 2xx"),
    FIGURE(COUNT, "status/3xx", "Status 3xx"),
    FIGURE(COUNT, "status/4xx", "Status 4xx"),
    FIGURE(COUNT, "status/5xx", "Status 5xx"),
    FIGURE(COUNT, "status/client_abort", "Client left"),
    FIGURE(COUNT, "errors", "Errors"),
    FIGURE(SHARE, "error_rate", "Error rate"),
    FIGURE(COUNT, "error_visitors", "Visitors who met an error"),
    FIGURE(SHARE, "error_visitor_rate", "Share of them"),
    FIGURE(COUNT, "timeouts", "Timeouts"),
    FIGURE(COUNT, "post_4xx", "Forms refused"),
    FIGURE(COUNT, "retries", "Retries after an error"),
    FIGURE(COUNT, "rage_repeats", "Repeated in anger"),
    FIGURE(BYTES, "bytes", "Sent"),
    FIGURE(COUNT, "cache/lookups", "Cache look-ups"),
    FIGURE(COUNT, "cache/hits", "Cache hits"),
    FIGURE(SHARE, "cache/hit_share", "Cache hit share"),
    FIGURE(SECONDS, "seconds/p50", "Answer time, median"),
    FIGURE(SECONDS, "seconds/p75", "Answer time of 75 %"),
    FIGURE(SECONDS, "seconds/p95", "Answer time of 95 %"),
    FIGURE(SECONDS, "seconds/p99", "Answer time of 99 %"),
    FIGURE(SECONDS, "upstream_seconds/p50", "Upstream, median"),
    FIGURE(SECONDS, "upstream_seconds/p75", "Upstream, 75 %"),
    FIGURE(SECONDS, "upstream_seconds/p95", "Upstream, 95 %"),
    FIGURE(SECONDS, "upstream_seconds/p99", "Upstream, 99 %"),
    END
};


/* Vitals, surveys and stages: rows are variants. */
const ux_page_figure_t  ux_page_vital[] = {
    FIGURE(COUNT, "count", "Values"),
    FIGURE(NUMBER, "p75", "75th percentile"),
    FIGURE(WORD, "unit", "Unit"),
    CODE(RATING, "rating", "Rating"),
    FIGURE(SHARE, "good_share", "Good share"),
    FIGURE(COUNT, "good", "Good"),
    FIGURE(COUNT, "needs_improvement", "Needs improvement"),
    FIGURE(COUNT, "poor", "Poor"),
    END
};


const ux_page_figure_t  ux_page_survey[] = {
    FIGURE(COUNT, "answers", "Answers"),
    FIGURE(SHARE, "response_rate", "Answered"),
    FIGURE(SHARE, "response_ci", "Answered, 95 % at one look"),
    FIGURE(NUMBER, "score", "Score"),
    FIGURE(NUMBER, "score_ci", "Score, 95 % at one look"),
    MEMBER(COUNT, "promoters", "Promoters"),
    MEMBER(COUNT, "passives", "Passives"),
    MEMBER(COUNT, "detractors", "Detractors"),
    FIGURE(COUNT, "purchased/answers", "Answers of buyers"),
    FIGURE(NUMBER, "purchased/score", "Score of buyers"),
    FIGURE(COUNT, "not_purchased/answers", "Answers of others"),
    FIGURE(NUMBER, "not_purchased/score", "Score of others"),
    END
};


/* Columns are variants. */
const ux_page_figure_t  ux_page_money[] = {
    FIGURE(COUNT, "revenue", "Revenue"),
    FIGURE(NUMBER, "per_visitor", "Revenue per visitor"),
    FIGURE(COUNT, "orders", "Orders"),
    FIGURE(COUNT, "orders_with_value", "Orders with a value"),
    FIGURE(COUNT, "ordered", "Ordered, before refunds"),
    FIGURE(NUMBER, "order_value", "Mean order value"),
    FIGURE(COUNT, "refunds", "Refunds"),
    FIGURE(COUNT, "refunded", "Refunded"),
    FIGURE(WORD, "currency", "Currency"),
    END
};


/* Rows are variants. */
const ux_page_figure_t  ux_page_stage[] = {
    FIGURE(COUNT, "visitors", "Visitors"),
    FIGURE(SHARE, "rate", "Of all visitors"),
    FIGURE(SHARE, "rate_ci", "95 % at one look"),
    FIGURE(COUNT, "events", "Events"),
    FIGURE(COUNT, "repeats", "Repeats"),
    END
};


/* Columns are variants. */
const ux_page_figure_t  ux_page_contact[] = {
    FIGURE(COUNT, "events", "Contacts"),
    FIGURE(COUNT, "visitors", "Visitors who asked"),
    FIGURE(SHARE, "visitor_rate", "Share of them"),
    FIGURE(SHARE, "visitor_rate_ci", "Share, 95 % at one look"),
    FIGURE(NUMBER, "per_visitor", "Contacts per visitor"),
    FIGURE(NUMBER, "per_order", "Contacts per order"),
    END
};


/* Rows are epochs. */
const ux_page_figure_t  ux_page_epoch[] = {
    FIGURE(TIME, "started_at", "Since"),
    FIGURE(SHARE, "traffic", "Traffic"),
    FIGURE(COUNT, "visitors", "Visitors"),
    FIGURE(WORD, "used", "In the result"),
    END
};


/* All who were assigned: rows are variants. */
const ux_page_figure_t  ux_page_assigned_share[] = {
    FIGURE(COUNT, "assigned", "Assigned"),
    FIGURE(SHARE, "rate", "Rate of the goal"),
    FIGURE(POINTS, "difference", "Difference"),
    FIGURE(P, "p_value", "p, whenever you look"),
    FIGURE(SHARE, "rate_adjusted", "Epochs weighted alike"),
    FIGURE(SHARE, "control_rate_adjusted", "Control, likewise"),
    END
};


const ux_page_figure_t  ux_page_assigned_number[] = {
    FIGURE(COUNT, "assigned", "Assigned"),
    FIGURE(NUMBER, "rate", "Mean of the goal"),
    FIGURE(CHANGE, "difference", "Difference"),
    FIGURE(P, "p_value", "p, whenever you look"),
    FIGURE(NUMBER, "rate_adjusted", "Epochs weighted alike"),
    FIGURE(NUMBER, "control_rate_adjusted", "Control, likewise"),
    END
};


/* Lists: what is null is left out. */
const ux_page_figure_t  ux_page_facts[] = {
    FIGURE(TIME, "started_at", "Started"),
    FIGURE(TIME, "ended_at", "Ended"),
    FIGURE(SECONDS, "runtime_seconds", "Runtime"),
    FIGURE(SECONDS, "min_runtime_seconds", "Minimum runtime"),
    FIGURE(DAYS, "days_left", "Decided at the latest in about"),
    FIGURE(WORD, "goal", "Goal"),
    FIGURE(SHARE, "traffic", "Traffic"),
    FIGURE(COUNT, "planned_visitors", "Planned visitors of a pair"),
    FIGURE(NUMBER, "alpha", "Chance of a false winner"),
    FIGURE(WORD, "serve", "Everybody gets"),
    FIGURE(WORD, "layer/name", "Layer"),
    FIGURE(NUMBER, "layer/lo", "From"),
    FIGURE(NUMBER, "layer/hi", "To"),
    FIGURE(COUNT, "version", "Version"),
    FIGURE(COUNT, "epoch", "Epoch"),
    FIGURE(COUNT, "analysis_since_epoch", "Result since epoch"),
    FIGURE(COUNT, "crossover_visitors", "Seen in two variants"),
    FIGURE(COUNT, "moved_visitors", "Moved by a change"),
    END
};


const ux_page_figure_t  ux_page_srm[] = {
    FIGURE(P, "p_value", "Sample ratio, p"),
    FIGURE(P, "p_now", "p now"),
    FIGURE(P, "chi_square_p", "Chi-square p, one look"),
    FIGURE(P, "confirmation_p", "Confirmation, p"),
    END
};


const ux_page_figure_t  ux_page_zone_facts[] = {
    FIGURE(COUNT, "visitors/tracked", "Visitors with a record"),
    FIGURE(COUNT, "visitors/capacity", "Room for"),
    FIGURE(COUNT, "visitors/provisional", "Not confirmed yet"),
    FIGURE(COUNT, "visitors/evicted", "Evicted for want of room"),
    FIGURE(COUNT, "visitors/expired", "Expired"),
    FIGURE(COUNT, "visitors/contended_drop", "Dropped, record held too long"),
    FIGURE(COUNT, "returned_after_eviction", "Came back after eviction"),
    FIGURE(COUNT, "purchases_without_id", "Purchases without an id"),
    FIGURE(BYTES, "size_bytes", "Size"),
    FIGURE(WORD, "currency", "Currency"),
    FIGURE(WORD, "snapshot/path", "Snapshots in"),
    FIGURE(TIME, "snapshot/saved_at", "Saved"),
    FIGURE(SECONDS, "snapshot/age_seconds", "Age"),
    FIGURE(WORD, "snapshot/restored", "Began with a snapshot"),
    FIGURE(COUNT, "snapshot/errors", "Failed snapshots"),
    END
};


/* Values of a segment: rows are variants. */
const ux_page_figure_t  ux_page_value_counts[] = {
    FIGURE(COUNT, "visitors", "Visitors"),
    FIGURE(COUNT, "assigned", "Assigned"),
    FIGURE(COUNT, "sessions/sessions", "Sessions"),
    FIGURE(SHARE, "sessions/bounce_rate", "Bounce rate"),
    END
};


const ux_page_figure_t  ux_page_effect[] = {
    FIGURE(P, "heterogeneity_p", "p that no effect differs, one look"),
    FIGURE(NUMBER, "q", "Cochran's Q"),
    FIGURE(COUNT, "values", "Values"),
    END
};


/* Rows are currencies. */
const ux_page_figure_t  ux_page_currency[] = {
    FIGURE(COUNT, "sum", "Sum"),
    FIGURE(COUNT, "events", "Amounts"),
    END
};


const ux_page_figure_t  ux_page_server[] = {
    FIGURE(TIME, "generated_at", "As of"),
    FIGURE(WORD, "node", "Server"),
    FIGURE(WORD, "module", "nginx-ux"),
    FIGURE(WORD, "nginx", "nginx"),
    END
};
