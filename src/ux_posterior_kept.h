
/*
 * Copyright (C) the nginx-ux authors
 *
 * Posteriors of pairs of counts that somebody asked for before: nothing but
 * these decides them, and from one look at a report to the next most counts
 * stay as they are.
 */

#ifndef UX_POSTERIOR_KEPT_H
#define UX_POSTERIOR_KEPT_H


#include "ux_posterior.h"


/* A power of two: 50 experiments of 5 variants and 4 metrics need 800. */
#define UX_POSTERIORS_KEPT  4096u

typedef struct {
    ux_beta_t       a;                 /* alpha 0: none */
    ux_beta_t       b;
    ux_posterior_t  posterior;
} ux_posterior_pair_kept_t;

/* 256 KB of the caller's, all zero to begin with; one process, one thread. */
typedef struct {
    ux_posterior_pair_kept_t  pairs[UX_POSTERIORS_KEPT];
} ux_posteriors_t;


/*
 * As ux_posterior_two(), quick, to the last bit, and kept in place of one that
 * was asked for longer ago; kept may be NULL.
 */
ux_posterior_t ux_posterior_kept(ux_posteriors_t *kept, ux_beta_t a,
    ux_beta_t b);


#endif
