
/*
 * Copyright (C) the nginx-ux authors
 *
 * The best of many posteriors:
 *
 *   P(i is best) = int f_i prod_j F_j,
 *   E[max - i]   = int F_i (1 - prod_j F_j) dt,   j other than i.
 *
 * All arms share one grid, so that n arms of a like width cost n incomplete
 * betas a node.  A panel is no longer than any arm, where it changes, allows:
 * an arm in the middle of a wide one gets its own short panels.
 */

#include "ux_posterior_private.h"

#include <math.h>


/* Where an arm changes: ln f within so much of its peak, 8.5 deviations. */
#define UX_POSTERIOR_ACTIVE  36.0

/*
 * A side of a window is cut at this share of it, as an integrand bends most
 * near its mode.  t(u) has poles at +-i pi, so a panel is no longer than 8,
 * but for priors so weak that it would take more than 32 of them.
 */
#define UX_POSTERIOR_INNER   0.3
#define UX_POSTERIOR_LENGTH  8.0
#define UX_POSTERIOR_PANELS  32.0

/* Panels for one, if the caller wants precision. */
#define UX_POSTERIOR_FINE    3

#define UX_POSTERIOR_NODES   16


/* All arms on one grid. */
typedef struct {
    unsigned                n;
    unsigned                parts; /* of a panel */
    ux_posterior_arm_t      arms[UX_POSTERIOR_ARMS];
    ux_posterior_window_t   windows[UX_POSTERIOR_ARMS];
    double                  lo;            /* of all of them */
    double                  hi;
    double                 *best;
    double                 *loss;
} ux_posterior_race_t;


static bool ux_posterior_race_start(ux_posterior_race_t *race,
    const ux_beta_t *arms);
static void ux_posterior_race_run(ux_posterior_race_t *race);
static double ux_posterior_race_end(const ux_posterior_race_t *race,
    double u, double length);
static double ux_posterior_panel_end(const ux_posterior_window_t *window,
    double u);
static void ux_posterior_race_panel(ux_posterior_race_t *race, double lo,
    double hi);
static void ux_posterior_race_node(ux_posterior_race_t *race, double u,
    double weight);
static double ux_posterior_race_win(const double *lower, unsigned n,
    unsigned arm);
static double ux_posterior_race_lose(const double *upper, unsigned n,
    unsigned arm);


/* Gauss-Legendre on [-1, 1]: the positive half, node and weight. */
static const double  ux_posterior_nodes[UX_POSTERIOR_NODES / 2][2] = {
    { 0.09501250983763744, 0.1894506104550685 },
    { 0.28160355077925891, 0.18260341504492359 },
    { 0.45801677765722739, 0.16915651939500254 },
    { 0.61787624440264375, 0.14959598881657673 },
    { 0.75540440835500303, 0.12462897125553387 },
    { 0.86563120238783174, 0.095158511682492785 },
    { 0.94457502307323258, 0.062253523938647893 },
    { 0.98940093499164993, 0.027152459411754095 }
};


ux_status_t
ux_posterior_many(const ux_beta_t *arms, unsigned n, bool precise,
    double *best, double *loss)
{
    unsigned             i;
    ux_posterior_race_t  race;

    if (n > UX_POSTERIOR_ARMS) {
        return UX_FULL;
    }

    race.n = n;
    race.parts = precise ? UX_POSTERIOR_FINE : 1;
    race.best = best;
    race.loss = loss;

    if (!ux_posterior_race_start(&race, arms)) {
        for (i = 0; i < n; i++) {
            best[i] = NAN;
            loss[i] = NAN;
        }

        return UX_ERROR;
    }

    ux_posterior_race_run(&race);

    return UX_OK;
}


static bool
ux_posterior_race_start(ux_posterior_race_t *race, const ux_beta_t *arms)
{
    unsigned            i;
    ux_posterior_arm_t  arm;

    race->lo = INFINITY;
    race->hi = -INFINITY;

    for (i = 0; i < race->n; i++) {
        if (!ux_posterior_valid(arms[i])) {
            return false;
        }

        arm = ux_posterior_arm(arms[i].alpha, arms[i].beta);

        if (!ux_posterior_find(&race->windows[i], &arm, UX_POSTERIOR_ACTIVE))
        {
            return false;
        }

        race->arms[i] = arm;
        race->lo = fmin(race->lo, race->windows[i].lo);
        race->hi = fmax(race->hi, race->windows[i].hi);
        race->best[i] = 0;
        race->loss[i] = 0;
    }

    return true;
}


static void
ux_posterior_race_run(ux_posterior_race_t *race)
{
    double  u, end, length;

    length = fmax(UX_POSTERIOR_LENGTH,
                  (race->hi - race->lo) / UX_POSTERIOR_PANELS);

    for (u = race->lo; u < race->hi; u = end) {
        end = fmin(ux_posterior_race_end(race, u, length), race->hi);

        ux_posterior_race_panel(race, u, end);
    }
}


/* Where the panel that starts at u may end. */
static double
ux_posterior_race_end(const ux_posterior_race_t *race, double u,
    double length)
{
    double    end;
    unsigned  i;

    end = u + length;

    for (i = 0; i < race->n; i++) {
        end = fmin(end, ux_posterior_panel_end(&race->windows[i], u));
    }

    return end;
}


/*
 * The same for one arm: at the next of its cuts, or further on by as much as a
 * panel behind that cut has, whichever is more; else arms that differ little
 * would cut each other into slices.
 */
static double
ux_posterior_panel_end(const ux_posterior_window_t *window, double u)
{
    double  left, right, inner;

    left = (window->mode - window->lo) * UX_POSTERIOR_INNER;
    right = (window->hi - window->mode) * UX_POSTERIOR_INNER;
    inner = fmin(left, right);

    if (u >= window->hi) {
        return INFINITY;
    }

    if (u >= window->mode + right) {
        return window->hi;
    }

    if (u >= window->mode) {
        return fmax(window->mode + right, u + right);
    }

    if (u >= window->mode - left) {
        return fmax(window->mode, u + inner);
    }

    if (u >= window->lo) {
        return fmax(window->mode - left, u + left);
    }

    return fmax(window->lo, u + window->mode - left - window->lo);
}


/* Gauss-Legendre, in as many equal parts as precision takes. */
static void
ux_posterior_race_panel(ux_posterior_race_t *race, double lo, double hi)
{
    double    half, middle, offset, weight;
    unsigned  part, i;

    half = (hi - lo) / race->parts / 2;

    for (part = 0; part < race->parts; part++) {
        middle = lo + (2 * part + 1) * half;

        for (i = 0; i < UX_POSTERIOR_NODES / 2; i++) {
            offset = ux_posterior_nodes[i][0] * half;
            weight = ux_posterior_nodes[i][1] * half;

            ux_posterior_race_node(race, middle - offset, weight);
            ux_posterior_race_node(race, middle + offset, weight);
        }
    }
}


static void
ux_posterior_race_node(ux_posterior_race_t *race, double u, double weight)
{
    double                lower[UX_POSTERIOR_ARMS];
    double                upper[UX_POSTERIOR_ARMS];
    unsigned              i;
    ux_posterior_point_t  at;

    at = ux_posterior_point(u);

    for (i = 0; i < race->n; i++) {
        ux_posterior_tails(&race->arms[i], &at, &lower[i], &upper[i]);
    }

    for (i = 0; i < race->n; i++) {
        race->best[i] += weight * exp(ux_posterior_density(&race->arms[i], u))
                         * ux_posterior_race_win(lower, race->n, i);
        race->loss[i] += weight * at.t * at.y * lower[i]
                         * ux_posterior_race_lose(upper, race->n, i);
    }
}


/* P(all others are below). */
static double
ux_posterior_race_win(const double *lower, unsigned n, unsigned arm)
{
    double    win;
    unsigned  i;

    win = 1;

    for (i = 0; i < n; i++) {
        if (i != arm) {
            win *= lower[i];
        }
    }

    return win;
}


/* P(any other is above), small ones with their digits. */
static double
ux_posterior_race_lose(const double *upper, unsigned n, unsigned arm)
{
    double    lose;
    unsigned  i;

    lose = 0;

    for (i = 0; i < n; i++) {
        if (i != arm) {
            lose += upper[i] * (1 - lose);
        }
    }

    return lose;
}
