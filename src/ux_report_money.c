
/*
 * Copyright (C) the nginx-ux authors
 *
 * Money of a variant in the report: what its visitors are worth, and its
 * orders.  All of it in the zone's currency; what was told in another one is
 * the zone's to show, by currency: a variant has no counters of all of them.
 */

#include "ux_report_private.h"


static void ux_report_put_mean(ux_json_t *object, const char *name,
    const ux_result_t *view, int64_t minor, uint64_t n);


void
ux_report_put_money(ux_json_t *variant, const ux_result_t *view,
    const ux_result_sum_t *sum)
{
    int64_t     revenue, ordered;
    uint64_t    valued;
    ux_json_t  *money;

    revenue = (int64_t) sum->cells[UX_ARM_TOTALS + UX_TOTAL_SUM];
    ordered = (int64_t) ux_result_count(sum->cells[UX_ARM_ORDERED]);
    valued = ux_result_count(sum->cells[UX_ARM_ORDERS]);

    money = ux_json_object(variant, "money");

    ux_json_string(money, "currency",
                   ux_currency_code(view->model->currency));
    ux_json_money(money, "revenue", revenue, view->exponent);
    ux_report_put_mean(money, "per_visitor", view, revenue,
                       ux_result_visitors(sum->cells));
    ux_report_put_count(money, "orders",
                        ux_result_event_count(view, sum->cells,
                                              UX_EVENT_PURCHASE));
    ux_report_put_count(money, "orders_with_value", valued);
    ux_json_money(money, "ordered", ordered, view->exponent);
    ux_report_put_mean(money, "order_value", view, ordered, valued);
    ux_report_put_count(money, "refunds",
                        ux_result_event_count(view, sum->cells,
                                              UX_EVENT_REFUND));
    ux_json_money(money, "refunded",
                  (int64_t) ux_result_count(sum->cells[UX_ARM_REFUNDED]),
                  view->exponent);
}


/* In major units, rounded once, as the mean of a goal is; null for n = 0. */
static void
ux_report_put_mean(ux_json_t *object, const char *name,
    const ux_result_t *view, int64_t minor, uint64_t n)
{
    n *= ux_currency_unit(view->model->currency);

    ux_json_number(object, name, ux_stats_mean(n, minor));
}
