
/*
 * Copyright (C) the nginx-ux authors
 *
 * A key becomes a variant.  Three independent questions, each a hash of its
 * own, so that changing the answer to one leaves the others alone:
 *
 *   layer      u(layer, salt = layer's name) in [lo, hi)?
 *   enrol      u(enrol) < traffic?
 *   arm:NAME   the smallest -ln(u(arm:NAME)) / weight
 *
 * The score of an arm is an exponential variable with rate `weight`: the
 * smallest of several belongs to an arm with probability weight / sum, and a
 * changed weight changes that arm's scores only, which is why nobody moves
 * between two others (Schindelhauer & Schomaker 2005).
 */

#include "ux_experiment.h"
#include "ux_hash.h"
#include "ux_number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>


static bool ux_experiment_admits(const ux_experiment_t *e, ux_str_t key);
static bool ux_experiment_before(ux_str_t a, ux_str_t b);
static ux_status_t ux_experiment_check_self(const ux_experiment_t *e,
    ux_error_t *error);
static ux_status_t ux_experiment_check_variants(const ux_experiment_t *e,
    ux_error_t *error);
static ux_status_t ux_experiment_check_variant(const ux_experiment_t *e,
    unsigned n, ux_error_t *error);


int
ux_experiment_assign(const ux_experiment_t *e, ux_str_t key)
{
    int       best;
    double    score, best_score;
    uint64_t  h;
    unsigned  i;

    const ux_variant_t     *v;
    static const ux_str_t   arm = ux_str("arm:");

    if (!ux_experiment_admits(e, key)) {
        return UX_VARIANT_NONE;
    }

    best = UX_VARIANT_NONE;
    best_score = 0;

    for (i = 0; i < e->nvariants; i++) {
        v = &e->variants[i];

        if (!(v->weight > 0)) {
            continue;
        }

        h = ux_hash_assign(e->salt, arm, v->name, key);
        score = -log(ux_hash_unit(h)) / v->weight;

        if (best == UX_VARIANT_NONE || score < best_score
            || (score == best_score
                && ux_experiment_before(v->name, e->variants[best].name)))
        {
            best = (int) i;
            best_score = score;
        }
    }

    return best;
}


ux_phase_e
ux_experiment_phase(const ux_experiment_t *e, uint64_t now_ms)
{
    if (e->serve >= 0) {
        return UX_PHASE_SERVED;
    }

    if (now_ms < e->start_ms) {
        return UX_PHASE_SCHEDULED;
    }

    if (e->state == UX_STATE_PAUSED) {
        return UX_PHASE_PAUSED;
    }

    if (e->state == UX_STATE_CLOSED
        || (e->stop_ms != 0 && now_ms >= e->stop_ms))
    {
        return UX_PHASE_CLOSED;
    }

    return UX_PHASE_RUNNING;
}


ux_status_t
ux_experiment_check(const ux_experiment_t *e, ux_error_t *error)
{
    ux_status_t  rc;

    rc = ux_experiment_check_self(e, error);
    if (rc != UX_OK) {
        return rc;
    }

    return ux_experiment_check_variants(e, error);
}


static bool
ux_experiment_admits(const ux_experiment_t *e, ux_str_t key)
{
    double  u;

    static const ux_str_t  layer = ux_str("layer");
    static const ux_str_t  enrol = ux_str("enrol");
    static const ux_str_t  none = ux_str("");

    if (e->layer.len) {
        u = ux_hash_unit(ux_hash_assign(e->layer, layer, none, key));

        if (u < e->layer_lo || u >= e->layer_hi) {
            return false;
        }
    }

    /* u is below 1, so that full traffic needs no hash. */

    if (e->traffic >= 1) {
        return true;
    }

    u = ux_hash_unit(ux_hash_assign(e->salt, enrol, none, key));

    return u < e->traffic;
}


/* Byte order; a prefix comes before what it starts. */
static bool
ux_experiment_before(ux_str_t a, ux_str_t b)
{
    int     rc;
    size_t  len;

    len = (a.len < b.len) ? a.len : b.len;
    rc = (len == 0) ? 0 : memcmp(a.data, b.data, len);

    return rc < 0 || (rc == 0 && a.len < b.len);
}


/* Comparisons are written so that a NaN fails them. */
static ux_status_t
ux_experiment_check_self(const ux_experiment_t *e, ux_error_t *error)
{
    if (!ux_name_check(e->name)) {
        snprintf(error->message, sizeof(error->message),
                 "experiment name \"%.*s\" is not valid: expected a lower-case"
                 " letter, then up to 63 of a-z, 0-9 and _", ux_word(e->name));
        return UX_ERROR;
    }

    if (e->salt.len == 0) {
        snprintf(error->message, sizeof(error->message),
                 "experiment \"%.*s\" has an empty salt: expected at least one"
                 " byte", ux_word(e->name));
        return UX_ERROR;
    }

    if (!(e->traffic >= 0 && e->traffic <= 1)) {
        snprintf(error->message, sizeof(error->message),
                 "experiment \"%.*s\" has traffic %g%%: expected 0%% to 100%%",
                 ux_word(e->name), e->traffic * 100);
        return UX_ERROR;
    }

    if (e->layer.len == 0) {
        return UX_OK;
    }

    if (!ux_name_check(e->layer)) {
        snprintf(error->message, sizeof(error->message),
                 "layer name \"%.*s\" is not valid: expected a lower-case"
                 " letter, then up to 63 of a-z, 0-9 and _",
                 ux_word(e->layer));
        return UX_ERROR;
    }

    if (!(e->layer_lo >= 0 && e->layer_lo < e->layer_hi && e->layer_hi <= 1))
    {
        snprintf(error->message, sizeof(error->message),
                 "experiment \"%.*s\" has the range %g-%g%% of layer"
                 " \"%.*s\": expected 0 <= from < to <= 100, as in 0-50%%",
                 ux_word(e->name), e->layer_lo * 100, e->layer_hi * 100,
                 ux_word(e->layer));
        return UX_ERROR;
    }

    return UX_OK;
}


static ux_status_t
ux_experiment_check_variants(const ux_experiment_t *e, ux_error_t *error)
{
    bool      weighty;
    unsigned  i;

    if (e->nvariants < 2 || e->nvariants > UX_VARIANTS_MAX) {
        snprintf(error->message, sizeof(error->message),
                 "experiment \"%.*s\" has %u variant%s: expected 2 to %d",
                 ux_word(e->name), e->nvariants, e->nvariants == 1 ? "" : "s",
                 UX_VARIANTS_MAX);
        return UX_ERROR;
    }

    weighty = false;

    for (i = 0; i < e->nvariants; i++) {
        if (ux_experiment_check_variant(e, i, error) != UX_OK) {
            return UX_ERROR;
        }

        weighty = weighty || e->variants[i].weight > 0;
    }

    if (!weighty) {
        snprintf(error->message, sizeof(error->message),
                 "all variants of experiment \"%.*s\" have weight 0: expected"
                 " at least one above 0", ux_word(e->name));
        return UX_ERROR;
    }

    return UX_OK;
}


static ux_status_t
ux_experiment_check_variant(const ux_experiment_t *e, unsigned n,
    ux_error_t *error)
{
    unsigned  i;

    const ux_variant_t  *v = &e->variants[n];

    if (!ux_variant_name_check(v->name)) {
        snprintf(error->message, sizeof(error->message),
                 "variant name \"%.*s\" is not valid: expected a letter, then"
                 " up to 63 of a-z, A-Z, 0-9, _ . and -", ux_word(v->name));
        return UX_ERROR;
    }

    if (!(v->weight >= 0 && v->weight <= UX_WEIGHT_MAX)) {
        snprintf(error->message, sizeof(error->message),
                 "variant \"%.*s\" has weight %g: expected 0 to %d",
                 ux_word(v->name), v->weight, UX_WEIGHT_MAX);
        return UX_ERROR;
    }

    for (i = 0; i < n; i++) {
        if (ux_str_equal(v->name, e->variants[i].name)) {
            snprintf(error->message, sizeof(error->message),
                     "variant \"%.*s\" is given twice in experiment"
                     " \"%.*s\": expected different names",
                     ux_word(v->name), ux_word(e->name));
            return UX_ERROR;
        }
    }

    return UX_OK;
}
