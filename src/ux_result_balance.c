
/*
 * Copyright (C) the nginx-ux authors
 *
 * Are the arms as full as their weights say, and do as many of each come
 * back with their cookie?
 *
 * Both are tested epoch by epoch and the log Bayes factors added up; what is
 * kept is the largest sum there ever was.  The first is of the visitors that
 * are analysed, against the epoch's weights.  The second is of those whose
 * cookie never came back, for an hour at least, against how many of each arm
 * were assigned.
 */

#include "ux_result.h"
#include "ux_special.h"

#include <math.h>
#include <string.h>


/* One epoch's arms, and sums over epochs. */
typedef struct {
    unsigned  n;
    unsigned  df;
    uint64_t  all;
    uint64_t  visitors[UX_VARIANTS_MAX];
    uint64_t  missing[UX_VARIANTS_MAX];
    double    shares[UX_VARIANTS_MAX];
    double    assigned[UX_VARIANTS_MAX];
    double    srm;
    double    confirmation;
    double    chi_square;
} ux_result_epochs_t;


static void ux_result_balance_epoch(ux_result_t *result, uint32_t epoch,
    ux_result_epochs_t *epochs);
static void ux_result_balance_worst(ux_result_t *result, uint32_t epoch,
    const ux_result_epochs_t *epochs, double log_e);
static void ux_result_balance_arm(const ux_result_t *result, uint32_t arm,
    ux_result_epochs_t *epochs);
static double ux_result_balance_keep(ux_result_t *result, unsigned cell,
    double log_e);


void
ux_result_balance(ux_result_t *result)
{
    uint32_t                 epoch;
    ux_result_epochs_t       epochs;
    ux_result_balance_t     *balance;
    const ux_result_tree_t  *tree;

    tree = &result->tree;
    balance = &result->experiment.balance;

    balance->log_e = 0;
    balance->log_e_now = 0;
    balance->confirmation = 0;
    balance->chi_square_p = NAN;

    ux_result_balance_find(result);

    if (result->experiment.entry == UX_RESULT_END) {
        return;
    }

    memset(&epochs, 0, sizeof(epochs));

    epoch = tree->links[result->experiment.entry].first;

    for ( /* void */ ; epoch != UX_RESULT_END;
         epoch = tree->links[epoch].next)
    {
        if (tree->entries[epoch].kind == UX_ENTRY_EPOCH
            && tree->entries[epoch].aux >= result->experiment.since)
        {
            ux_result_balance_epoch(result, epoch, &epochs);
        }
    }

    balance->log_e_now = epochs.srm;
    balance->log_e = ux_result_balance_keep(result, UX_BALANCE_SRM,
                                            epochs.srm);
    balance->confirmation = ux_result_balance_keep(result,
                                                   UX_BALANCE_CONFIRMATION,
                                                   epochs.confirmation);

    balance->chi_square_p = 1;

    if (epochs.df > 0) {
        balance->chi_square_p = isinf(epochs.chi_square) ? 0
            : ux_special_chi_square_tail(epochs.chi_square, epochs.df);
    }
}


bool
ux_result_quiet(const ux_result_t *result)
{
    const ux_result_balance_t  *balance;

    balance = &result->experiment.balance;

    return !(ux_sequence_p(balance->log_e) < UX_SPLIT_SRM_P)
           && !(ux_sequence_p(balance->confirmation) < UX_SPLIT_SRM_P);
}


void
ux_result_balance_find(ux_result_t *result)
{
    uint32_t                 i;
    const ux_entry_t        *entry;
    const ux_result_tree_t  *tree;

    tree = &result->tree;
    result->experiment.balance.entry = UX_RESULT_END;

    if (result->experiment.entry == UX_RESULT_END) {
        return;
    }

    for (i = tree->links[result->experiment.entry].first; i != UX_RESULT_END;
         i = tree->links[i].next)
    {
        entry = &tree->entries[i];

        if (entry->kind == UX_ENTRY_BALANCE
            && entry->value == result->experiment.since_ordinal
            && ux_result_cells_check(result, entry->ring, UX_BALANCE_CELLS))
        {
            result->experiment.balance.entry = i;
        }
    }
}


static void
ux_result_balance_epoch(ux_result_t *result, uint32_t epoch,
    ux_result_epochs_t *epochs)
{
    double                   log_e, statistic;
    uint32_t                 arm;
    unsigned                 df;
    const ux_result_tree_t  *tree;

    tree = &result->tree;
    epochs->n = 0;
    epochs->all = 0;

    for (arm = tree->links[epoch].first; arm != UX_RESULT_END;
         arm = tree->links[arm].next)
    {
        ux_result_balance_arm(result, arm, epochs);
    }

    log_e = ux_split_log_bf(epochs->visitors, epochs->shares, epochs->n,
                            UX_SPLIT_VISITORS);

    /* An epoch that nobody came in has no degrees of freedom. */

    if (!isnan(log_e) && epochs->all > 0) {
        epochs->srm += log_e;
        ux_result_balance_worst(result, epoch, epochs, log_e);

        (void) ux_split_chi_square(epochs->visitors, epochs->shares,
                                   epochs->n, &statistic, &df);
        epochs->chi_square += statistic;
        epochs->df += df;
    }

    log_e = ux_split_log_bf(epochs->missing, epochs->assigned, epochs->n,
                            UX_SPLIT_CONVERSIONS);

    if (isfinite(log_e)) {
        epochs->confirmation += log_e;
    }
}


/* For the sentence that names a mismatch. */
static void
ux_result_balance_worst(ux_result_t *result, uint32_t epoch,
    const ux_result_epochs_t *epochs, double log_e)
{
    double                shares;
    unsigned              i;
    ux_result_balance_t  *balance;

    balance = &result->experiment.balance;

    if (balance->epoch != 0 && !(log_e > balance->worst)) {
        return;
    }

    shares = 0;

    for (i = 0; i < epochs->n; i++) {
        shares += epochs->shares[i];
    }

    for (i = 0; i < epochs->n; i++) {
        balance->arms[i] = (double) epochs->visitors[i]
                           / (double) epochs->all;
        balance->weights[i] = epochs->shares[i] / shares;
    }

    balance->worst = log_e;
    balance->epoch = result->tree.entries[epoch].aux;
    balance->narms = epochs->n;
}


static void
ux_result_balance_arm(const ux_result_t *result, uint32_t arm,
    ux_result_epochs_t *epochs)
{
    uint64_t             cells[UX_ARM_LEFT + 1], back, recent, assigned;
    unsigned             n;
    const ux_entry_t    *entry;
    const ux_counter_t  *counter;

    n = epochs->n;
    entry = &result->tree.entries[arm];
    counter = &result->store->counter;

    if (n == UX_VARIANTS_MAX
        || !ux_result_cells_check(result, entry->base, UX_ARM_CELLS))
    {
        return;
    }

    /* Cells first: who is assigned in between is recent, not missing. */

    ux_counter_fold(counter, entry->base, UX_ARM_LEFT + 1, cells);
    recent = ux_counter_recent(counter, entry->base + UX_ARM_UNCONFIRMED,
                               UX_UNCONFIRMED_WIDTH_MS,
                               UX_UNCONFIRMED_AGE_MS, result->now_ms);

    assigned = ux_result_count(cells[UX_ARM_ASSIGNED]);
    back = ux_result_visitors(cells)
           + ux_result_count(cells[UX_ARM_LEFT]) + recent;

    epochs->visitors[n] = ux_result_visitors(cells);
    epochs->all += epochs->visitors[n];
    epochs->missing[n] = assigned > back ? assigned - back : 0;
    epochs->shares[n] = entry->number;
    epochs->assigned[n] = (double) assigned;
    epochs->n++;
}


/* The larger one of what is kept and what is now; kept from now on. */
static double
ux_result_balance_keep(ux_result_t *result, unsigned cell, double log_e)
{
    double     kept;
    uint64_t  *at, word, old;
    uint32_t   entry;

    entry = result->experiment.balance.entry;

    if (entry == UX_RESULT_END) {
        return log_e > 0 ? log_e : 0;
    }

    at = &result->store->counter.shared[result->tree.entries[entry].ring
                                        + cell];
    old = __atomic_load_n(at, __ATOMIC_ACQUIRE);

    for ( ;; ) {
        memcpy(&kept, &old, sizeof(kept));

        /* Out of shared memory: what cannot be is none. */

        if (!(kept >= 0)) {
            kept = 0;
        }

        if (!(log_e > kept) || result->experiment.past
            || result->store->me == UX_PROCESS_NONE)
        {
            break;
        }

        memcpy(&word, &log_e, sizeof(word));

        if (__atomic_compare_exchange_n(at, &old, word, false,
                                        __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        {
            break;
        }
    }

    return log_e > kept ? log_e : kept;
}
