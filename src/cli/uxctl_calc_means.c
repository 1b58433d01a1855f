
/*
 * Copyright (C) the nginx-ux authors
 *
 * uxctl calc: means, ratios and revenue.
 */

#include "uxctl_calc.h"

#include "uxctl_decimal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <apr_hash.h>

#include "../ux_apply.h"


/* What the module counts a total in. */
typedef struct {
    int64_t  cells[UX_TOTAL_CELLS];
} uxctl_total_t;


static void uxctl_means_welch(uxctl_calc_t *calc);
static void uxctl_means_sequential(uxctl_calc_t *calc);
static void uxctl_means_ratio(uxctl_calc_t *calc);
static void uxctl_means_capped(uxctl_calc_t *calc);
static int64_t uxctl_means_cap(uxctl_calc_t *calc);
static void uxctl_means_change(uxctl_calc_t *calc, const ux_json_t *node,
    apr_hash_t *totals, int64_t cap, ux_changes_t *changes);
static int64_t *uxctl_means_visitor(uxctl_calc_t *calc, const ux_json_t *node,
    apr_hash_t *totals);
static ux_amount_t uxctl_means_counted(int64_t total, int64_t cap);
static void uxctl_means_add(uxctl_calc_t *calc, ux_changes_t *changes,
    uxctl_total_t *total);
static int64_t uxctl_means_minor(uxctl_calc_t *calc, const ux_json_t *node,
    const char *name);


const uxctl_calc_kind_t  uxctl_calc_mean_kinds[] = {

    { "welch_t", uxctl_means_welch, "a: M, b: N, alpha" },

    { "uplift_fieller_sequential_mean", uxctl_means_sequential,
      "a: M, b: N, n_star, alpha" },

    { "ratio_metric_delta", uxctl_means_ratio,
      "a and b: {n, sum_num, sum_num_sq, sum_den, sum_den_sq, sum_num_den},"
      " alpha" },

    { "capped_revenue", uxctl_means_capped,
      "cap: minor units or null, changes: [{visitor, delta}, ...]" },

    { NULL, NULL, NULL }
};


static void
uxctl_means_welch(uxctl_calc_t *calc)
{
    double             alpha;
    ux_fixed_t         fixed;
    uxctl_calc_pair_t  pair;

    pair = uxctl_calc_pair(calc);
    alpha = uxctl_calc_alpha(calc);

    if (calc->rejected) {
        return;
    }

    fixed = ux_stats_welch(pair.a.n, pair.a.estimate, pair.b.n,
                           pair.b.estimate, alpha);

    uxctl_calc_status(calc, fixed.status);
    uxctl_calc_put(calc, "mean_a", pair.a.mean);
    uxctl_calc_put(calc, "mean_b", pair.b.mean);
    uxctl_calc_put(calc, "var_a", pair.a.variance);
    uxctl_calc_put(calc, "var_b", pair.b.variance);
    uxctl_calc_put(calc, "diff", fixed.difference);
    uxctl_calc_put(calc, "se",
                   sqrt(pair.a.estimate.error + pair.b.estimate.error));
    uxctl_calc_put(calc, "df", fixed.df);
    uxctl_calc_put(calc, "t", fixed.statistic);
    uxctl_calc_put(calc, "p_two_sided", fixed.p);
    uxctl_calc_put_bounds(calc, "lo", "hi", fixed.ci);
}


static void
uxctl_means_sequential(uxctl_calc_t *calc)
{
    double                   alpha, n_star;
    uxctl_calc_pair_t        pair;
    uxctl_calc_sequential_t  look;

    pair = uxctl_calc_pair(calc);
    n_star = uxctl_calc_number(calc, calc->in, "n_star", 0, INFINITY);
    alpha = uxctl_calc_alpha(calc);

    if (calc->rejected) {
        return;
    }

    look.a.mean = pair.a.mean;
    look.a.error = pair.a.estimate.error;
    look.b.mean = pair.b.mean;
    look.b.error = pair.b.estimate.error;
    look.difference = pair.b.estimate.mean - pair.a.estimate.mean;
    look.total = (double) pair.a.n + (double) pair.b.n;
    look.n_star = n_star;
    look.alpha = alpha;

    look.status = UX_STATS_OK;

    if (pair.a.n < 2 || pair.b.n < 2
        || (pair.a.mean == 0 && pair.b.mean == 0))
    {
        look.status = UX_STATS_INSUFFICIENT;

    } else if (pair.a.mean == 0) {
        look.status = UX_STATS_BASELINE_ZERO;

    } else if (look.a.error == 0 && look.b.error == 0) {
        look.status = UX_STATS_ZERO_VARIANCE;
    }

    uxctl_calc_put_sequential(calc, &look);
}


static void
uxctl_means_ratio(uxctl_calc_t *calc)
{
    double              alpha;
    ux_fixed_t          fixed;
    uxctl_calc_ratio_t  a, b;

    a = uxctl_calc_ratio(calc, "a");
    b = uxctl_calc_ratio(calc, "b");
    alpha = uxctl_calc_alpha(calc);

    if (calc->rejected) {
        return;
    }

    fixed = ux_stats_normal(b.estimate.mean - a.estimate.mean,
                            a.estimate.error + b.estimate.error, alpha);

    uxctl_calc_status(calc, fixed.status);
    uxctl_calc_put(calc, "ratio_a", a.estimate.mean);
    uxctl_calc_put(calc, "ratio_b", b.estimate.mean);
    uxctl_calc_put(calc, "se_a", sqrt(a.estimate.error));
    uxctl_calc_put(calc, "se_b", sqrt(b.estimate.error));
    uxctl_calc_put(calc, "diff", fixed.difference);
    uxctl_calc_put(calc, "se_diff",
                   sqrt(a.estimate.error + b.estimate.error));
    uxctl_calc_put(calc, "p_z", fixed.p);
    uxctl_calc_put_bounds(calc, "diff_z_lo", "diff_z_hi", fixed.ci);
    uxctl_calc_put(calc, "uplift",
                   ux_stats_lift(a.estimate.mean, b.estimate.mean));
}


/* The changes go through the module's own counters. */
static void
uxctl_means_capped(uxctl_calc_t *calc)
{
    int64_t         cap;
    ux_json_t      *list, *node;
    ux_u128_t       squares;
    apr_hash_t     *totals;
    ux_changes_t   *changes;
    uxctl_total_t   total;

    cap = uxctl_means_cap(calc);
    list = uxctl_calc_member(calc, calc->in, "changes", "a list of changes");

    if (list != NULL && ux_json_type(list) != UX_JSON_ARRAY) {
        uxctl_calc_mistyped(calc, list, "changes", "a list of changes");
    }

    totals = apr_hash_make(calc->pool);
    changes = apr_palloc(calc->pool, sizeof(ux_changes_t));
    memset(&total, 0, sizeof(total));

    for (node = ux_json_first(list); node != NULL && !calc->rejected;
         node = ux_json_next(node))
    {
        ux_changes_clear(changes);
        uxctl_means_change(calc, node, totals, cap, changes);
        uxctl_means_add(calc, changes, &total);
    }

    if (calc->rejected) {
        return;
    }

    squares = (ux_u128_t) total.cells[UX_TOTAL_SQ_LO]
              + ((ux_u128_t) total.cells[UX_TOTAL_SQ_MID] << 32)
              + ((ux_u128_t) total.cells[UX_TOTAL_SQ_HI] << 64);

    uxctl_calc_status(calc, UX_STATS_OK);
    ux_json_int(calc->out, "n", apr_hash_count(totals));
    ux_json_int(calc->out, "sum", total.cells[UX_TOTAL_SUM]);
    ux_json_wide(calc->out, "sum_of_squares", squares);
}


/* INT64_MAX: none. */
static int64_t
uxctl_means_cap(uxctl_calc_t *calc)
{
    int64_t     cap;
    ux_str_t    name = ux_str("cap");
    ux_json_t  *node;

    node = ux_json_get(calc->in, name);

    if (node == NULL || ux_json_type(node) == UX_JSON_NULL) {
        return INT64_MAX;
    }

    cap = uxctl_means_minor(calc, node, "cap");

    if (!calc->rejected && cap < 0) {
        uxctl_calc_mistyped(calc, node, "cap", "an amount from 0, or null");
    }

    return cap;
}


static void
uxctl_means_change(uxctl_calc_t *calc, const ux_json_t *node,
    apr_hash_t *totals, int64_t cap, ux_changes_t *changes)
{
    int64_t    *total, delta, from, to;
    ux_json_t  *member;

    total = uxctl_means_visitor(calc, node, totals);
    member = uxctl_calc_member(calc, node, "delta", "minor units");
    delta = uxctl_means_minor(calc, member, "delta");

    if (calc->rejected) {
        return;
    }

    from = *total;

    if (__builtin_add_overflow(from, delta, &to)) {
        uxctl_calc_mistyped(calc, member, "delta", "a visitor's total below"
                            " 2^63");
        return;
    }

    *total = to > 0 ? to : 0;

    ux_apply_total(changes, 0, uxctl_means_counted(from, cap),
                   uxctl_means_counted(*total, cap));
}


static int64_t *
uxctl_means_visitor(uxctl_calc_t *calc, const ux_json_t *node,
    apr_hash_t *totals)
{
    int64_t    *total;
    ux_str_t    key;
    ux_json_t  *member;

    member = uxctl_calc_member(calc, node, "visitor", "a name or a number");

    if (calc->rejected) {
        return NULL;
    }

    if (ux_json_type(member) != UX_JSON_STRING
        && ux_json_type(member) != UX_JSON_NUMBER)
    {
        uxctl_calc_mistyped(calc, member, "visitor", "a name or a number");
        return NULL;
    }

    key = ux_json_word(member);
    total = apr_hash_get(totals, key.data, (apr_ssize_t) key.len);

    if (total == NULL) {
        total = apr_pcalloc(calc->pool, sizeof(int64_t));
        apr_hash_set(totals, key.data, (apr_ssize_t) key.len, total);
    }

    return total;
}


/* A cap of 0 means none in a configuration, here it is one. */
static ux_amount_t
uxctl_means_counted(int64_t total, int64_t cap)
{
    ux_total_t       mean;
    ux_amount_t      amount;
    ux_experiment_t  experiment;

    memset(&amount, 0, sizeof(amount));
    memset(&mean, 0, sizeof(mean));
    memset(&experiment, 0, sizeof(experiment));

    mean.type = UX_METRIC_MEAN;
    experiment.cap = cap;

    if (cap > 0) {
        amount.sum = ux_apply_capped(NULL, &experiment, &mean, total);
    }

    return amount;
}


static void
uxctl_means_add(uxctl_calc_t *calc, ux_changes_t *changes,
    uxctl_total_t *total)
{
    int64_t   *cell;
    unsigned   i;

    for (i = 0; i < changes->n; i++) {
        cell = &total->cells[changes->items[i].cell];

        if (__builtin_add_overflow(*cell, changes->items[i].delta, cell)) {
            uxctl_calc_reject(calc, "the sums are not valid: expected a sum"
                              " below 2^63 and one of squares below 2^127");
        }
    }
}


static int64_t
uxctl_means_minor(uxctl_calc_t *calc, const ux_json_t *node,
    const char *name)
{
    ux_u128_t        magnitude;
    uxctl_decimal_t  decimal;

    if (calc->rejected) {
        return 0;
    }

    if (!uxctl_decimal_parse(ux_json_word(node), &decimal)
        || decimal.scale > 0 || !uxctl_decimal_at(&decimal, 0, &magnitude)
        || magnitude > INT64_MAX)
    {
        uxctl_calc_mistyped(calc, node, name, "a whole number of minor"
                            " units");
        return 0;
    }

    return decimal.negative ? -(int64_t) magnitude : (int64_t) magnitude;
}
