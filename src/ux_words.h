
/*
 * Copyright (C) the nginx-ux authors
 *
 * Results in plain words: what may be concluded, and what the document's codes
 * mean, for who has never met a p-value.
 */

#ifndef UX_WORDS_H
#define UX_WORDS_H


#include "ux_result.h"


/* Sets of codes that the document uses. */
typedef enum {
    UX_WORDS_NONE = 0,
    UX_WORDS_VERDICT,
    UX_WORDS_STATE,
    UX_WORDS_WAITING,
    UX_WORDS_PROBLEM,
    UX_WORDS_ROLE,
    UX_WORDS_GUARDRAIL,
    UX_WORDS_STATUS,
    UX_WORDS_RATING,
    UX_WORDS_DISCARDED,
    UX_WORDS_SETS
} ux_words_set_e;

/* A code in words; the code itself if it is none of the set. */
ux_str_t ux_words(ux_words_set_e set, ux_str_t code);


/* One variant against the control in one metric.  NaN: not known. */
typedef struct {
    ux_str_t          variant;     /* len 0: there is none */
    ux_str_t          metric;
    ux_metric_type_e  type;
    bool              lower_is_better;
    double            lift;
    ux_interval_t     lift_ci;     /* of the confidence sequence */
    double            difference;  /* in the metric's own unit */
    ux_interval_t     difference_ci;
    double            level;       /* 0.95: of these intervals */
    bool              passes;      /* the figures of now, by Holm's rule */
} ux_words_effect_t;


/* Where an experiment stands. */
typedef struct {
    ux_verdict_e       verdict;
    ux_phase_e         phase;
    bool               past;           /* not configured any more */
    bool               ended;
    bool               gate;
    bool               runtime_met;
    bool               planned;
    uint64_t           visitors;
    uint64_t           planned_visitors;
    double             runtime_left;   /* days of the minimum runtime */
    double             planned_left;   /* days up to the planned size at this
                                          traffic; NaN: not known */
    double             stop_left;      /* days up to the stop; NaN: none */
    double             crossovers;     /* shares of the visitors */
    double             returned;
    double             equivalence;    /* relative */
    double             level;          /* 0.95: of all goals together */
    unsigned           epoch;          /* whose arms are off; 0: none are */
    unsigned           narms;
    const double      *arms;           /* shares */
    const double      *weights;
    ux_words_effect_t  effect;         /* of the winner, or of the best */
    ux_words_effect_t  harm;           /* of the guardrail that is harmed */
    double             margin;         /* of that one */
} ux_words_t;

#define UX_WORDS_MAX  640

/*
 * One or two sentences, at most UX_WORDS_MAX - 1 bytes and a NUL; returns
 * their length.
 */
size_t ux_words_summary(const ux_words_t *words, char buf[UX_WORDS_MAX]);

/* The days until it is no more "collecting"; NaN: not known. */
double ux_words_days(const ux_words_t *words);


#endif
