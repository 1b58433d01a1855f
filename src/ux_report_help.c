
/*
 * Copyright (C) the nginx-ux authors
 *
 * What the figures mean that others define otherwise: in the document itself.
 * RESULTS.md says the same.
 */

#include "ux_report_private.h"


static const struct {
    const char  *name;
    const char  *meaning;
}  ux_report_meanings[] = {
    { "summary", "the verdict in plain words" },
    { "days_left",
      "until the planned size is reached at this traffic and the minimum "
      "runtime is over, or it stops: what is decided at all is decided then; "
      "from the pace of the newest epoch, so an estimate; null where there "
      "is none or nothing is waited for" },
    { "http.requests",
      "of the zone: all main requests of active servers; of a variant: those "
      "of visitors exposed to it where ux_expose is in force, confirmed or "
      "not" },
    { "http.requests_per_visitor",
      "requests by assigned visitors" },
    { "http.errors",
      "answers 5xx, 408, and any other 4xx to a POST; a client that left "
      "(499) is none" },
    { "http.error_rate", "errors by requests" },
    { "http.error_visitors",
      "visitors who met an error where ux_expose is in force, each once; of "
      "the zone: of all that have a record" },
    { "http.error_visitor_rate", "error_visitors by assigned visitors" },
    { "http.timeouts", "errors that are 408 or 504" },
    { "http.post_4xx", "errors that are 4xx and no 408: a form refused" },
    { "http.retries",
      "POSTs to the path of the visitor's last POST, which was an error and "
      "sent not over 10 minutes ago; where ux_expose is in force, as "
      "error_visitors" },
    { "http.rage_repeats",
      "POSTs to the path of the visitor's last POST, sent within 2 seconds; "
      "likewise" },
    { "http.bytes", "sent to clients, headers included" },
    { "http.cache.hit_share",
      "of the requests that looked into nginx's own cache, those answered "
      "from it, stale answers included" },
    { "http.seconds",
      "from the request's first byte to the answer's last; quantiles within "
      "1.6 %, up to 70 minutes" },
    { "http.upstream_seconds",
      "upstream's answers, all tries of a request together; likewise" },
    { "http.seconds.buckets",
      "requests that took no longer, by seconds; exact" },
    { "vitals",
      "metrics that pages told by beacons, as web-vitals defines them: each "
      "page view by its last value; of a variant: while events would count "
      "for it, of confirmed visitors; of the zone: all that have a record. A "
      "replay of a beacon counts no value with an id again, but for several "
      "page views of one metric: these each time" },
    { "vitals.good",
      "values up to 2500 ms (LCP), 200 ms (INP), 0.1 (CLS), 1800 ms (FCP), "
      "800 ms (TTFB)" },
    { "vitals.poor",
      "values above 4000 ms (LCP), 500 ms (INP), 0.25 (CLS), 3000 ms (FCP), "
      "1800 ms (TTFB); needs_improvement is what is between" },
    { "vitals.p75",
      "three quarters of the values are no larger; within 1.6 % or, below "
      "3.2 ms or a score of 0.0032, within 0.05 ms or 0.00005, up to 7 "
      "minutes or 419" },
    { "vitals.rating", "what p75 is; from the counts, so it is exact" },
    { "sessions.pages",
      "navigations by confirmed visitors where the experiment is exposed, "
      "and prefetched pages of it that are seen to be shown" },
    { "sessions.sessions",
      "rows of pages that no 30 minutes of idleness part" },
    { "sessions.bounce_rate",
      "sessions with no other page by sessions; pages elsewhere than where "
      "ux_expose or ux_event is in force are not seen; null where over 10 % "
      "of visitors are confirmed_late" },
    { "sessions.bounce_ci",
      "by session, not by visitor: too narrow where visitors have many "
      "sessions" },
    { "sessions.new_visitors",
      "visitors first seen at most 30 minutes before their exposure; the "
      "others are returning_visitors" },
    { "sessions.confirmed_late",
      "visitors whose cookie came back with their second page only: of who "
      "leaves after the first nothing is known" },
    { "funnels.steps.seconds",
      "of visitors who reach the step in order: since the required step "
      "before, or the exposure; quantiles within 1.6 %, up to 70 minutes" },
    { "funnels.steps.backtracks",
      "events of the step by visitors who had reached a later one, but not "
      "the last required one: what comes after the task is no way back" },
    { "funnels.task.success_rate",
      "succeeded, visitors who reached the first required step and then the "
      "last since the exposure, by started; completed has those, too, who had "
      "begun before it" },
    { "funnels.task.seconds",
      "from the first required step, or the exposure if that came before "
      "it, to the last; of those who completed the task only" },
    { "journey.stages.visitors",
      "visitors who did an event of the stage at least once, after the "
      "exposure and within the window" },
    { "journey.stages.rate", "visitors of the stage by visitors" },
    { "journey.stages.events",
      "events of the stage, each time; a crossover's stay" },
    { "journey.stages.repeats",
      "moves from the stage to itself: an event of the stage that the visitor "
      "was in already" },
    { "journey.before_purchase",
      "moves up to and with the visitor's first purchase, from a stage (a "
      "row) to a stage: each event of a stage is one, from the stage of the "
      "visitor's event before; from start where there was none, or its stage "
      "is not configured any more; counted since the ux_stage lines changed" },
    { "journey.after_purchase", "moves after that, likewise" },
    { "contact.events",
      "events of the stage named support; contact is null without it" },
    { "contact.visitors", "visitors who did one at least" },
    { "contact.per_visitor", "contact.events by all visitors" },
    { "contact.visitor_rate", "contact.visitors by all visitors" },
    { "contact.per_order", "contact.events by money.orders" },
    { "money.revenue",
      "purchases less refunds, as metrics.revenue.sum; crossovers taken out, "
      "each visitor's cut off at cap if there is one" },
    { "money.per_visitor", "revenue by visitors" },
    { "money.orders",
      "accepted purchase events, each id once; a crossover's stay" },
    { "money.orders_with_value",
      "orders with a value in the zone's currency; others are in none of "
      "these sums, see other_currencies of the zone" },
    { "money.ordered", "values of these, before refunds" },
    { "money.order_value", "ordered by orders_with_value" },
    { "money.refunds", "accepted refund events" },
    { "money.refunded",
      "what these took off revenue: never more than the visitor's own since "
      "the exposure, cap aside" },
    { "surveys.nps.answers",
      "visitors who answered; of each the first answer after the exposure "
      "counts, a further one is discarded as duplicate; of csat and ces "
      "likewise, as all below" },
    { "surveys.nps.response_rate", "answers by visitors" },
    { "surveys.nps.score",
      "share of promoters (9, 10) less that of detractors (0 to 6), times "
      "100" },
    { "surveys.csat.score", "share of the answers 4 and 5, of 1 to 5" },
    { "surveys.ces.score",
      "mean of the answers 1 to 7; what is better is what was asked" },
    { "surveys.nps.score_ci",
      "at 95 %, of one look: Student's t of the mean, as of ces, within the "
      "scale, null with fewer than 2 answers or where all are alike; of csat "
      "Wilson's" },
    { "surveys.nps.purchased",
      "of visitors who purchased since the exposure, before or after they "
      "answered; not_purchased: of the others" },
    { "segments",
      "visitors by the value they had when they were exposed, for good; "
      "those exposed before the segment was configured are in none of its "
      "values. Times, backtracks, journey, surveys, money, http and vitals "
      "are not counted by value" },
    { "segments.vs_control",
      "exploratory: 95 % intervals for one look at one value, of all epochs "
      "together; with many values, metrics and looks some miss by chance. "
      "null where an arm has under 25 converters or 25 others; mixed_weights "
      "where the two variants' weights changed their ratio meanwhile" },
    { "segments.heterogeneity_p",
      "exploratory: Cochran's Q over the differences of the values; of "
      "twenty such p-values one is below 0.05 where no effect differs" }
};


void
ux_report_put_help(ux_json_t *root)
{
    unsigned    i;
    ux_json_t  *help;

    help = ux_json_object(root, "help");

    for (i = 0; i < sizeof(ux_report_meanings) / sizeof(ux_report_meanings[0]);
         i++)
    {
        ux_json_string(help, ux_report_meanings[i].name,
                       ux_report_text(ux_report_meanings[i].meaning));
    }
}
