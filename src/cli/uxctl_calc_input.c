
/*
 * Copyright (C) the nginx-ux authors
 *
 * uxctl calc: fields of a line, and how the answer's are written.
 */

#include "uxctl_calc.h"

#include "uxctl.h"
#include "uxctl_decimal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "../ux_multiple.h"
#include "../ux_special.h"


#define UXCTL_CALC_COUNT                                                     \
    "a whole number from 0 to 18446744073709551615"


static const char *uxctl_calc_path(uxctl_calc_t *calc, const char *name);
static const char *uxctl_calc_bounds(uxctl_calc_t *calc, double lo,
    double hi);
static void uxctl_calc_length(uxctl_calc_t *calc, const char *name,
    unsigned n, unsigned *other);


ux_json_t *
uxctl_calc_member(uxctl_calc_t *calc, const ux_json_t *from,
    const char *name, const char *expected)
{
    ux_json_t  *node;

    node = ux_json_get((ux_json_t *) from, uxctl_str(name));

    if (node == NULL) {
        uxctl_calc_reject(calc, "field \"%s\" is missing: expected %s",
                          uxctl_calc_path(calc, name), expected);
    }

    return node;
}


void
uxctl_calc_mistyped(uxctl_calc_t *calc, const ux_json_t *node,
    const char *name, const char *expected)
{
    ux_str_t  word;

    static const char *const  types[] = {
        [UX_JSON_NONE] = "missing",
        [UX_JSON_NULL] = "null",
        [UX_JSON_BOOL] = "true or false",
        [UX_JSON_ARRAY] = "a list",
        [UX_JSON_OBJECT] = "an object"
    };

    word = ux_json_word(node);

    switch (ux_json_type(node)) {

    case UX_JSON_NUMBER:
        uxctl_calc_reject(calc, "field \"%s\" is %.*s: expected %s",
                          uxctl_calc_path(calc, name), ux_word(word),
                          expected);
        break;

    case UX_JSON_STRING:
        uxctl_calc_reject(calc, "field \"%s\" is \"%.*s\": expected %s",
                          uxctl_calc_path(calc, name), ux_word(word),
                          expected);
        break;

    default:
        uxctl_calc_reject(calc, "field \"%s\" is %s: expected %s",
                          uxctl_calc_path(calc, name),
                          types[ux_json_type(node)], expected);
    }
}


ux_json_t *
uxctl_calc_object(uxctl_calc_t *calc, const ux_json_t *from,
    const char *name)
{
    ux_json_t  *node;

    node = uxctl_calc_member(calc, from, name, "an object");

    if (node != NULL && ux_json_type(node) != UX_JSON_OBJECT) {
        uxctl_calc_mistyped(calc, node, name, "an object");
    }

    return node;
}


uint64_t
uxctl_calc_count(uxctl_calc_t *calc, const ux_json_t *from,
    const char *name)
{
    return uxctl_calc_as_count(calc, uxctl_calc_member(calc, from, name,
                                                       UXCTL_CALC_COUNT),
                               name);
}


uint64_t
uxctl_calc_as_count(uxctl_calc_t *calc, const ux_json_t *node,
    const char *name)
{
    ux_u128_t        value;
    uxctl_decimal_t  decimal;

    /* One that is not there has been complained of. */

    if (calc->rejected) {
        return 0;
    }

    if (!uxctl_decimal_parse(ux_json_word(node), &decimal)
        || decimal.negative || decimal.scale > 0
        || !uxctl_decimal_at(&decimal, 0, &value) || value > UINT64_MAX)
    {
        uxctl_calc_mistyped(calc, node, name, UXCTL_CALC_COUNT);
        return 0;
    }

    return (uint64_t) value;
}


double
uxctl_calc_number(uxctl_calc_t *calc, const ux_json_t *from,
    const char *name, double lo, double hi)
{
    double       value;
    ux_json_t   *node;
    const char  *bounds;

    bounds = uxctl_calc_bounds(calc, lo, hi);
    node = uxctl_calc_member(calc, from, name, bounds);
    value = uxctl_calc_as_number(calc, node, name);

    if (!calc->rejected && !(value > lo && value < hi)) {
        uxctl_calc_mistyped(calc, node, name, bounds);
    }

    return value;
}


double
uxctl_calc_as_number(uxctl_calc_t *calc, const ux_json_t *node,
    const char *name)
{
    double    value;
    ux_str_t  word;

    if (calc->rejected) {
        return NAN;
    }

    word = ux_json_word(node);
    value = strtod(word.data, NULL);

    if (!uxctl_decimal_check(word) || !isfinite(value)) {
        uxctl_calc_mistyped(calc, node, name, "a number");
        return NAN;
    }

    return value;
}


double
uxctl_calc_alpha(uxctl_calc_t *calc)
{
    ux_str_t  alpha = ux_str("alpha"), confidence = ux_str("confidence");

    if (ux_json_get(calc->in, alpha) == NULL
        && ux_json_get(calc->in, confidence) != NULL)
    {
        return 1 - uxctl_calc_number(calc, calc->in, "confidence", 0, 1);
    }

    return uxctl_calc_number(calc, calc->in, "alpha", 0, 1);
}


double
uxctl_calc_z(double alpha)
{
    return ux_special_normal_quantile(alpha / 2);
}


unsigned
uxctl_calc_list(uxctl_calc_t *calc, const char *name, unsigned max,
    ux_json_t **list)
{
    unsigned     n;
    ux_json_t   *node;
    const char  *expected;

    expected = apr_psprintf(calc->pool, "a list of 1 to %u elements", max);
    *list = uxctl_calc_member(calc, calc->in, name, expected);

    if (calc->rejected) {
        return 0;
    }

    n = 0;

    if (ux_json_type(*list) == UX_JSON_ARRAY) {

        for (node = ux_json_first(*list); node != NULL && n <= max;
             node = ux_json_next(node))
        {
            n++;
        }
    }

    if (n == 0 || n > max) {
        uxctl_calc_mistyped(calc, *list, name, expected);
        return 0;
    }

    return n;
}


uint64_t *
uxctl_calc_counts(uxctl_calc_t *calc, const char *name, unsigned max,
    unsigned *n)
{
    uint64_t   *values;
    unsigned    i, length;
    ux_json_t  *node;

    length = uxctl_calc_list(calc, name, max, &node);
    values = apr_palloc(calc->pool, (length + 1) * sizeof(uint64_t));
    node = ux_json_first(node);

    for (i = 0; i < length; i++) {
        values[i] = uxctl_calc_as_count(calc, node, name);
        node = ux_json_next(node);
    }

    uxctl_calc_length(calc, name, length, n);

    return values;
}


double *
uxctl_calc_numbers(uxctl_calc_t *calc, const char *name, unsigned max,
    unsigned *n)
{
    double     *values;
    unsigned    i, length;
    ux_json_t  *node;

    length = uxctl_calc_list(calc, name, max, &node);
    values = apr_palloc(calc->pool, (length + 1) * sizeof(double));
    node = ux_json_first(node);

    for (i = 0; i < length; i++) {
        values[i] = uxctl_calc_as_number(calc, node, name);
        node = ux_json_next(node);
    }

    uxctl_calc_length(calc, name, length, n);

    return values;
}


static void
uxctl_calc_length(uxctl_calc_t *calc, const char *name, unsigned n,
    unsigned *other)
{
    if (*other != 0 && n != *other) {
        uxctl_calc_reject(calc, "field \"%s\" has %u elements: expected %u,"
                          " as many as the list before", name, n, *other);
    }

    *other = n;
}


void
uxctl_calc_shares(uxctl_calc_t *calc, const char *name, const double *shares,
    unsigned n)
{
    double    sum;
    unsigned  i;

    sum = 0;

    for (i = 0; i < n && !calc->rejected; i++) {
        sum += shares[i];

        if (shares[i] < 0) {
            uxctl_calc_reject(calc, "field \"%s\" is negative at element %u:"
                              " expected a number from 0", name, i + 1);
        }
    }

    if (!(sum > 0 && isfinite(sum))) {
        uxctl_calc_reject(calc, "field \"%s\" is not valid: expected a sum"
                          " above 0", name);
    }
}


double *
uxctl_calc_probabilities(uxctl_calc_t *calc, const char *name, unsigned *n)
{
    double    *values;
    unsigned   i;

    values = uxctl_calc_numbers(calc, name, UX_MULTIPLE_MAX, n);

    for (i = 0; i < *n && !calc->rejected; i++) {

        if (values[i] < 0 || values[i] > 1) {
            uxctl_calc_reject(calc, "field \"%s\" is %g at element %u:"
                              " expected a number from 0 to 1", name,
                              values[i], i + 1);
        }
    }

    return values;
}


uxctl_calc_rate_t
uxctl_calc_rate(uxctl_calc_t *calc, const ux_json_t *from)
{
    uxctl_calc_rate_t  rate;

    rate.x = uxctl_calc_count(calc, from, "conversions");
    rate.n = uxctl_calc_count(calc, from, "visitors");

    if (rate.x > rate.n) {
        uxctl_calc_reject(calc, "field \"%s\" is %llu: expected at most the"
                          " %llu visitors",
                          uxctl_calc_path(calc, "conversions"),
                          (unsigned long long) rate.x,
                          (unsigned long long) rate.n);
    }

    rate.estimate = ux_stats_proportion(rate.x, rate.n);

    return rate;
}


uxctl_calc_rate_t
uxctl_calc_arm(uxctl_calc_t *calc, const ux_json_t *from, const char *arm)
{
    ux_json_t          *node;
    const char         *outside;
    uxctl_calc_rate_t   rate;

    node = uxctl_calc_object(calc, from, arm);

    outside = calc->within;
    calc->within = uxctl_calc_path(calc, arm);
    rate = uxctl_calc_rate(calc, node);
    calc->within = outside;

    return rate;
}


void
uxctl_calc_status(uxctl_calc_t *calc, ux_stats_status_e status)
{
    ux_json_string(calc->out, "status",
                   uxctl_str(ux_stats_status_name(status)));
}


void
uxctl_calc_put(uxctl_calc_t *calc, const char *name, double value)
{
    ux_json_number(calc->out, name, value);
}


void
uxctl_calc_put_list(uxctl_calc_t *calc, const char *name,
    const double *values, unsigned n)
{
    unsigned    i;
    ux_json_t  *list;

    list = ux_json_array(calc->out, name);

    for (i = 0; i < n; i++) {
        ux_json_number(list, NULL, values[i]);
    }
}


void
uxctl_calc_put_bounds(uxctl_calc_t *calc, const char *lo, const char *hi,
    ux_interval_t bounds)
{
    uxctl_calc_put(calc, lo, bounds.lo);
    uxctl_calc_put(calc, hi, bounds.hi);
}


static const char *
uxctl_calc_path(uxctl_calc_t *calc, const char *name)
{
    if (calc->within[0] == '\0') {
        return name;
    }

    return apr_psprintf(calc->pool, "%s.%s", calc->within, name);
}


static const char *
uxctl_calc_bounds(uxctl_calc_t *calc, double lo, double hi)
{
    const char  *text;

    text = "a number";

    if (lo > -INFINITY) {
        text = apr_psprintf(calc->pool, "%s above %g", text, lo);
    }

    if (hi < INFINITY) {
        text = apr_psprintf(calc->pool, "%s%s below %g", text,
                            lo > -INFINITY ? " and" : "", hi);
    }

    return text;
}
