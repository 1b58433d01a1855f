
/*
 * Copyright (C) the nginx-ux authors
 *
 * uxctl calc: which arm to take, and many comparisons at once.
 */

#include "uxctl_calc.h"

#include <math.h>
#include <string.h>

#include "../ux_multiple.h"
#include "../ux_posterior.h"


/* e / k and n k compare equal where the decimals do. */
#define UXCTL_CHOICE_ROUNDING  1e-12


static void uxctl_choice_two(uxctl_calc_t *calc);
static void uxctl_choice_many(uxctl_calc_t *calc);
static void uxctl_choice_weights(uxctl_calc_t *calc, const double *best,
    unsigned n);
static ux_beta_t uxctl_choice_prior(uxctl_calc_t *calc);
static double uxctl_choice_mean(ux_beta_t beta);
static void uxctl_choice_multiple(uxctl_calc_t *calc);
static unsigned uxctl_choice_below(const double *adjusted, unsigned n,
    double alpha);
static void uxctl_choice_e_bh(uxctl_calc_t *calc);


const uxctl_calc_kind_t  uxctl_calc_choice_kinds[] = {

    { "bayes_beta_binomial", uxctl_choice_two,
      "a: A, b: B, prior_alpha, prior_beta" },

    { "prob_best_multi", uxctl_choice_many,
      "arms: [A, B, ...], prior_alpha, prior_beta, floor" },

    { "multiple_testing", uxctl_choice_multiple, "p: [...]" },

    { "e_bh", uxctl_choice_e_bh, "e: [...], alpha" },

    { NULL, NULL, NULL }
};


static void
uxctl_choice_two(uxctl_calc_t *calc)
{
    ux_beta_t          prior, beta_a, beta_b;
    ux_posterior_t     posterior;
    uxctl_calc_rate_t  a, b;

    a = uxctl_calc_arm(calc, calc->in, "a");
    b = uxctl_calc_arm(calc, calc->in, "b");
    prior = uxctl_choice_prior(calc);

    if (calc->rejected) {
        return;
    }

    beta_a = ux_posterior_beta(a.x, a.n, prior);
    beta_b = ux_posterior_beta(b.x, b.n, prior);
    posterior = ux_posterior_two(beta_a, beta_b, true);

    uxctl_calc_status(calc, UX_STATS_OK);
    uxctl_calc_put(calc, "prob_b_gt_a", posterior.better);
    uxctl_calc_put(calc, "prob_a_gt_b", posterior.worse);
    uxctl_calc_put(calc, "loss_choose_a", posterior.loss_a);
    uxctl_calc_put(calc, "loss_choose_b", posterior.loss_b);
    uxctl_calc_put(calc, "mean_a", uxctl_choice_mean(beta_a));
    uxctl_calc_put(calc, "mean_b", uxctl_choice_mean(beta_b));
}


static void
uxctl_choice_many(uxctl_calc_t *calc)
{
    double              best[UX_POSTERIOR_ARMS], loss[UX_POSTERIOR_ARMS];
    unsigned            i, n;
    ux_beta_t           prior, arms[UX_POSTERIOR_ARMS];
    ux_json_t          *list, *node;
    uxctl_calc_rate_t   rate;

    n = uxctl_calc_list(calc, "arms", UX_POSTERIOR_ARMS, &list);
    prior = uxctl_choice_prior(calc);
    node = ux_json_first(list);

    calc->within = "arms";

    for (i = 0; i < n; i++) {
        rate = uxctl_calc_rate(calc, node);
        arms[i] = ux_posterior_beta(rate.x, rate.n, prior);
        node = ux_json_next(node);
    }

    calc->within = "";

    if (calc->rejected) {
        return;
    }

    if (ux_posterior_many(arms, n, true, best, loss) != UX_OK) {
        uxctl_calc_reject(calc, "field \"arms\" is not valid: expected"
                          " posteriors that can be compared");
        return;
    }

    uxctl_calc_status(calc, UX_STATS_OK);
    uxctl_calc_put_list(calc, "prob_best", best, n);
    uxctl_calc_put_list(calc, "expected_loss", loss, n);
    uxctl_choice_weights(calc, best, n);
}


/* Thompson sampling's, no arm below the floor: f + (1 - n f) P(best). */
static void
uxctl_choice_weights(uxctl_calc_t *calc, const double *best, unsigned n)
{
    double     least, weights[UX_POSTERIOR_ARMS];
    unsigned   i;
    ux_str_t   name = ux_str("floor");
    ux_json_t  *node;

    node = ux_json_get(calc->in, name);

    if (node == NULL) {
        return;
    }

    least = uxctl_calc_as_number(calc, node, "floor");

    if (!calc->rejected && (least < 0 || least * n > 1)) {
        uxctl_calc_mistyped(calc, node, "floor", "a number from 0 to 1 over"
                            " the number of arms");
    }

    for (i = 0; i < n; i++) {
        weights[i] = least + (1 - n * least) * best[i];
    }

    uxctl_calc_put_list(calc, "thompson_weights_floor", weights, n);
}


static ux_beta_t
uxctl_choice_prior(uxctl_calc_t *calc)
{
    ux_beta_t  prior;

    prior.alpha = uxctl_calc_number(calc, calc->in, "prior_alpha",
                                    UX_POSTERIOR_LEAST, INFINITY);
    prior.beta = uxctl_calc_number(calc, calc->in, "prior_beta",
                                   UX_POSTERIOR_LEAST, INFINITY);

    return prior;
}


static double
uxctl_choice_mean(ux_beta_t beta)
{
    return beta.alpha / (beta.alpha + beta.beta);
}


static void
uxctl_choice_multiple(uxctl_calc_t *calc)
{
    double    *p, *adjusted;
    unsigned   n;

    n = 0;
    p = uxctl_calc_probabilities(calc, "p", &n);

    if (calc->rejected) {
        return;
    }

    adjusted = apr_palloc(calc->pool, n * sizeof(double));

    uxctl_calc_status(calc, UX_STATS_OK);

    (void) ux_multiple_holm(p, n, adjusted);
    uxctl_calc_put_list(calc, "holm", adjusted, n);
    ux_json_int(calc->out, "n_reject_holm_05",
                uxctl_choice_below(adjusted, n, 0.05));

    (void) ux_multiple_bh(p, n, adjusted);
    uxctl_calc_put_list(calc, "bh", adjusted, n);
    ux_json_int(calc->out, "n_reject_bh_05",
                uxctl_choice_below(adjusted, n, 0.05));
}


static unsigned
uxctl_choice_below(const double *adjusted, unsigned n, double alpha)
{
    unsigned  i, below;

    below = 0;

    for (i = 0; i < n; i++) {
        below += adjusted[i] <= alpha * (1 + UXCTL_CHOICE_ROUNDING);
    }

    return below;
}


static void
uxctl_choice_e_bh(uxctl_calc_t *calc)
{
    double     *e, *adjusted, alpha;
    unsigned    i, n;
    ux_json_t  *rejected;

    n = 0;
    e = uxctl_calc_numbers(calc, "e", UX_MULTIPLE_MAX, &n);
    alpha = uxctl_calc_alpha(calc);

    for (i = 0; i < n; i++) {

        if (e[i] < 0) {
            uxctl_calc_reject(calc, "field \"e\" is negative at element %u:"
                              " expected a number from 0", i + 1);
        }

        e[i] = log(e[i]);
    }

    if (calc->rejected) {
        return;
    }

    adjusted = apr_palloc(calc->pool, n * sizeof(double));
    (void) ux_multiple_e_bh(e, n, adjusted);

    uxctl_calc_status(calc, UX_STATS_OK);
    ux_json_int(calc->out, "n_reject",
                uxctl_choice_below(adjusted, n, alpha));
    rejected = ux_json_array(calc->out, "rejected");

    for (i = 0; i < n; i++) {
        ux_json_int(rejected, NULL,
                    uxctl_choice_below(&adjusted[i], 1, alpha));
    }

    uxctl_calc_put_list(calc, "adjusted", adjusted, n);
}
