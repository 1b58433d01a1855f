
/*
 * Copyright (C) the nginx-ux authors
 *
 * What the kinds of `uxctl calc` share: one line in, one line out.
 */

#ifndef UXCTL_CALC_H
#define UXCTL_CALC_H


#include <apr_pools.h>

#include "../ux_json.h"
#include "../ux_sequence.h"
#include "../ux_stats.h"


/* One line. */
typedef struct {
    apr_pool_t  *pool;             /* lives as long as the line */
    ux_json_t   *in;
    ux_json_t   *out;
    const char  *within;           /* of the fields being read, "" on top */
    bool         rejected;
    ux_error_t   error;            /* of the first complaint */
} uxctl_calc_t;

/* Reads calc->in, writes calc->out, which is not used if rejected. */
typedef void (*uxctl_calc_pt)(uxctl_calc_t *calc);

typedef struct {
    const char     *name;
    uxctl_calc_pt   run;
    const char     *fields;        /* of the input, for the help */
} uxctl_calc_kind_t;

/* Tables of kinds, each by a name of NULL at its end. */
extern const uxctl_calc_kind_t  uxctl_calc_rate_kinds[];
extern const uxctl_calc_kind_t  uxctl_calc_mean_kinds[];
extern const uxctl_calc_kind_t  uxctl_calc_split_kinds[];
extern const uxctl_calc_kind_t  uxctl_calc_choice_kinds[];
extern const uxctl_calc_kind_t  uxctl_calc_size_kinds[];


/*
 * Only the first complaint is kept.  What a reader returns after one is of no
 * use: handlers look at calc->rejected once, when all is read.
 */
__attribute__((format(printf, 2, 3)))
void uxctl_calc_reject(uxctl_calc_t *calc, const char *format, ...);

/* Member `name`, or a complaint that it is missing and what was expected. */
ux_json_t *uxctl_calc_member(uxctl_calc_t *calc, const ux_json_t *from,
    const char *name, const char *expected);

/* Not the type, or the value, that was expected. */
void uxctl_calc_mistyped(uxctl_calc_t *calc, const ux_json_t *node,
    const char *name, const char *expected);

ux_json_t *uxctl_calc_object(uxctl_calc_t *calc, const ux_json_t *from,
    const char *name);

/* A whole number of 64 bits, as a number or a decimal string. */
uint64_t uxctl_calc_count(uxctl_calc_t *calc, const ux_json_t *from,
    const char *name);

/* A number above lo and below hi, which may be infinite. */
double uxctl_calc_number(uxctl_calc_t *calc, const ux_json_t *from,
    const char *name, double lo, double hi);

/* `alpha`, or else 1 - `confidence`. */
double uxctl_calc_alpha(uxctl_calc_t *calc);

/* The normal quantile of it, two-sided. */
double uxctl_calc_z(double alpha);

/* A list of 1 to max elements: how many, 0 if it was rejected. */
unsigned uxctl_calc_list(uxctl_calc_t *calc, const char *name, unsigned max,
    ux_json_t **list);

/* Lists of numbers; *n must be that of the other list if it is not 0. */
uint64_t *uxctl_calc_counts(uxctl_calc_t *calc, const char *name,
    unsigned max, unsigned *n);
double *uxctl_calc_numbers(uxctl_calc_t *calc, const char *name,
    unsigned max, unsigned *n);

/* Complains of shares below 0 or all 0. */
void uxctl_calc_shares(uxctl_calc_t *calc, const char *name,
    const double *shares, unsigned n);

/* A list of numbers from 0 to 1. */
double *uxctl_calc_probabilities(uxctl_calc_t *calc, const char *name,
    unsigned *n);

/* The same of a list at hand; the element is called by `name`. */
uint64_t uxctl_calc_as_count(uxctl_calc_t *calc, const ux_json_t *node,
    const char *name);
double uxctl_calc_as_number(uxctl_calc_t *calc, const ux_json_t *node,
    const char *name);


/* Conversions of visitors. */
typedef struct {
    uint64_t       x;
    uint64_t       n;
    ux_estimate_t  estimate;
} uxctl_calc_rate_t;

/* From `conversions` and `visitors`. */
uxctl_calc_rate_t uxctl_calc_rate(uxctl_calc_t *calc, const ux_json_t *from);

/* Of member `arm`, an object with these. */
uxctl_calc_rate_t uxctl_calc_arm(uxctl_calc_t *calc, const ux_json_t *from,
    const char *arm);


/* Of sums and sums of squares, in exact integers. */
typedef struct {
    uint64_t       n;
    double         mean;
    double         variance;
    ux_estimate_t  estimate;       /* mean from an origin near the data, one
                                      for both arms; variance / n */
} uxctl_calc_sample_t;

typedef struct {
    uxctl_calc_sample_t  a;
    uxctl_calc_sample_t  b;
} uxctl_calc_pair_t;

/* From `n`, `sum` and `sum_sq` of members a and b. */
uxctl_calc_pair_t uxctl_calc_pair(uxctl_calc_t *calc);

typedef struct {
    uint64_t       n;
    ux_estimate_t  estimate;
} uxctl_calc_ratio_t;

/* From `n` and `sum_num`, ..., `sum_num_den` of member `arm`. */
uxctl_calc_ratio_t uxctl_calc_ratio(uxctl_calc_t *calc, const char *arm);


/* A look at the confidence sequence. */
typedef struct {
    ux_stats_status_e  status;
    ux_estimate_t      a;
    ux_estimate_t      b;
    double             difference;
    double             total;      /* visitors of the pair */
    double             n_star;
    double             alpha;
} uxctl_calc_sequential_t;

/* With its interval of the lift. */
void uxctl_calc_put_sequential(uxctl_calc_t *calc,
    const uxctl_calc_sequential_t *look);

void uxctl_calc_status(uxctl_calc_t *calc, ux_stats_status_e status);
void uxctl_calc_put(uxctl_calc_t *calc, const char *name, double value);
void uxctl_calc_put_list(uxctl_calc_t *calc, const char *name,
    const double *values, unsigned n);
void uxctl_calc_put_bounds(uxctl_calc_t *calc, const char *lo,
    const char *hi, ux_interval_t bounds);


#endif
