
/*
 * Copyright (C) the nginx-ux authors
 *
 * uxctl plan: the answer, for people or for programs.
 */

#include "uxctl.h"
#include "uxctl_plan.h"

#include <math.h>
#include <stdio.h>


#define UXCTL_PLAN_GROUPED  40


static int uxctl_plan_print_json(const uxctl_plan_t *plan,
    const uxctl_plan_result_t *result);
static void uxctl_plan_put_size(ux_json_t *object, const char *name,
    const uxctl_plan_size_t *size);
static void uxctl_plan_put_whole(ux_json_t *object, const char *name,
    double value);
static void uxctl_plan_print_design(const uxctl_plan_t *plan,
    const uxctl_plan_result_t *result);
static void uxctl_plan_print_sizes(const uxctl_plan_t *plan,
    const uxctl_plan_result_t *result);
static void uxctl_plan_print_effects(const uxctl_plan_t *plan,
    const uxctl_plan_result_t *result);
static const char *uxctl_plan_group(char *buf, double value);


int
uxctl_plan_print(const uxctl_plan_t *plan, const uxctl_plan_result_t *result,
    bool json)
{
    if (json) {
        return uxctl_plan_print_json(plan, result);
    }

    uxctl_plan_print_design(plan, result);

    if (!isnan(plan->effect)) {
        uxctl_plan_print_sizes(plan, result);
    }

    if (!isnan(plan->days)) {
        uxctl_plan_print_effects(plan, result);
    }

    printf("\nFixed horizon: one look, when all of them are there."
           "  Sequential: a bound, any\nnumber of looks; it often ends"
           " earlier.\n");

    return UXCTL_OK;
}


static int
uxctl_plan_print_json(const uxctl_plan_t *plan,
    const uxctl_plan_result_t *result)
{
    char       *text;
    bool        rate;
    size_t      len;
    ux_json_t  *root;

    root = ux_json_new();
    rate = isnan(plan->variance);

    if (plan->metric != NULL) {
        ux_json_string(root, "metric", uxctl_str(plan->metric));

    } else {
        ux_json_null(root, "metric");
    }

    ux_json_string(root, "type", uxctl_str(rate ? "conversion" : "mean"));
    ux_json_number(root, "baseline", plan->baseline);
    ux_json_number(root, "variance", plan->variance);
    ux_json_number(root, "effect", plan->effect);
    ux_json_number(root, "target", plan->baseline * (1 + plan->effect));
    uxctl_plan_put_whole(root, "variants", plan->variants);
    ux_json_number(root, "traffic_per_day", plan->traffic);
    ux_json_number(root, "days", plan->days);
    ux_json_number(root, "alpha", plan->alpha);
    ux_json_number(root, "alpha_per_comparison", result->alpha);
    ux_json_number(root, "power", plan->power);
    ux_json_number(root, "planned_visitors", plan->planned);

    uxctl_plan_put_size(root, "fixed_horizon", &result->fixed);
    uxctl_plan_put_size(root, "sequential", &result->sequential);

    text = ux_json_print(root, &len);

    if (text == NULL) {
        ux_json_delete(root);
        fprintf(stderr, "uxctl: no memory for the answer\n");
        return UXCTL_FAILED;
    }

    printf("%s\n", text);

    ux_json_text_free(text);
    ux_json_delete(root);

    return UXCTL_OK;
}


static void
uxctl_plan_put_size(ux_json_t *root, const char *name,
    const uxctl_plan_size_t *size)
{
    ux_json_t  *object;

    object = ux_json_object(root, name);

    uxctl_plan_put_whole(object, "visitors", size->visitors);
    uxctl_plan_put_whole(object, "visitors_per_variant", size->per_variant);
    uxctl_plan_put_whole(object, "days", size->days);
    ux_json_number(object, "minimum_effect", size->effect);
}


static void
uxctl_plan_put_whole(ux_json_t *object, const char *name, double value)
{
    if (fabs(value) < 9e15) {
        ux_json_int(object, name, (int64_t) value);

    } else {
        ux_json_number(object, name, value);
    }
}


static void
uxctl_plan_print_design(const uxctl_plan_t *plan,
    const uxctl_plan_result_t *result)
{
    char    buf[UXCTL_PLAN_GROUPED];
    double  to;

    to = plan->baseline * (1 + plan->effect);

    if (plan->metric != NULL) {
        printf("metric     %s\n", plan->metric);
    }

    if (isnan(plan->variance)) {
        printf("baseline   %.4g%%\n", 100 * plan->baseline);

    } else {
        printf("baseline   mean %.6g, variance %.6g\n", plan->baseline,
               plan->variance);
    }

    if (!isnan(plan->effect) && isnan(plan->variance)) {
        printf("effect     %+.4g%%, to %.4g%%\n", 100 * plan->effect,
               100 * to);

    } else if (!isnan(plan->effect)) {
        printf("effect     %+.4g%%, to %.6g\n", 100 * plan->effect, to);
    }

    printf("variants   %.0f\n", plan->variants);
    printf("alpha      %.4g", plan->alpha);

    if (plan->variants > 2) {
        printf(", %.4g for each of %.0f comparisons", result->alpha,
               plan->variants - 1);
    }

    printf("\npower      %.4g%%\n", 100 * plan->power);
    printf("planned    %s visitors of two variants\n",
           uxctl_plan_group(buf, plan->planned));

    if (!isnan(plan->traffic)) {
        printf("traffic    %s visitors a day\n",
               uxctl_plan_group(buf, round(plan->traffic)));
    }
}


static void
uxctl_plan_print_sizes(const uxctl_plan_t *plan,
    const uxctl_plan_result_t *result)
{
    char                      all[UXCTL_PLAN_GROUPED];
    char                      each[UXCTL_PLAN_GROUPED];
    char                      days[UXCTL_PLAN_GROUPED];
    unsigned                  i;
    const uxctl_plan_size_t  *size;

    printf("\n%-15s %17s %17s", "", "visitors", "per variant");
    printf(isnan(plan->traffic) ? "\n" : " %9s\n", "days");

    for (i = 0; i < 2; i++) {
        size = i == 0 ? &result->fixed : &result->sequential;

        printf("%-15s %17s %17s", i == 0 ? "fixed horizon" : "sequential",
               uxctl_plan_group(all, size->visitors),
               uxctl_plan_group(each, size->per_variant));

        if (!isnan(plan->traffic)) {
            printf(" %9s", uxctl_plan_group(days, size->days));
        }

        printf("\n");
    }
}


static void
uxctl_plan_print_effects(const uxctl_plan_t *plan,
    const uxctl_plan_result_t *result)
{
    double    effect;
    unsigned  i;

    printf("\nsmallest effect found in %.6g days\n", plan->days);

    for (i = 0; i < 2; i++) {
        effect = i == 0 ? result->fixed.effect : result->sequential.effect;

        printf("%-15s ", i == 0 ? "fixed horizon" : "sequential");

        if (isnan(effect)) {
            printf("none\n");

        } else if (isnan(plan->variance)) {
            printf("%+.3g%%, to %.4g%%\n", 100 * effect,
                   100 * plan->baseline * (1 + effect));

        } else {
            printf("%+.3g%%, to %.6g\n", 100 * effect,
                   plan->baseline * (1 + effect));
        }
    }
}


/* A whole number in groups of three digits; "-" for none. */
static const char *
uxctl_plan_group(char *buf, double value)
{
    int   i, n, to;
    char  digits[UXCTL_PLAN_GROUPED];

    if (!(value >= 0)) {
        return "-";
    }

    n = snprintf(digits, sizeof(digits), value < 1e18 ? "%.0f" : "%.3e",
                 value);
    to = 0;

    for (i = 0; i < n; i++) {

        if (i > 0 && (n - i) % 3 == 0 && value < 1e18) {
            buf[to++] = ',';
        }

        buf[to++] = digits[i];
    }

    buf[to] = '\0';

    return buf;
}
