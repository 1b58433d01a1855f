
/*
 * Copyright (C) the nginx-ux authors
 *
 * A pair has two places, by its hash; the first is that of the newer one.
 * What is there is compared whole.
 */

#include "ux_posterior_kept.h"
#include "ux_hash.h"


#define UX_POSTERIOR_PLACES  2u


static bool ux_posterior_same(const ux_posterior_pair_kept_t *pair,
    ux_beta_t a, ux_beta_t b);


ux_posterior_t
ux_posterior_kept(ux_posteriors_t *kept, ux_beta_t a, ux_beta_t b)
{
    unsigned                   i;
    ux_posterior_pair_kept_t  *place;

    const ux_beta_t  key[] = { a, b };

    if (kept == NULL) {
        return ux_posterior_two(a, b, false);
    }

    place = &kept->pairs[ux_hash64(key, sizeof(key))
                         % (UX_POSTERIORS_KEPT / UX_POSTERIOR_PLACES)
                         * UX_POSTERIOR_PLACES];

    for (i = 0; i < UX_POSTERIOR_PLACES; i++) {

        if (ux_posterior_same(&place[i], a, b)) {
            return place[i].posterior;
        }
    }

    place[1] = place[0];
    place[0].a = a;
    place[0].b = b;
    place[0].posterior = ux_posterior_two(a, b, false);

    return place[0].posterior;
}


/* An alpha that is not above 0 is nobody's. */
static bool
ux_posterior_same(const ux_posterior_pair_kept_t *pair, ux_beta_t a,
    ux_beta_t b)
{
    return pair->a.alpha > 0 && pair->a.alpha == a.alpha
           && pair->a.beta == a.beta && pair->b.alpha == b.alpha
           && pair->b.beta == b.beta;
}
