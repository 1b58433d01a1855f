
/*
 * Copyright (C) the nginx-ux authors
 *
 * Entries of the primary result: the experiment's balance, and evidence of
 * each metric for each variant but the control.
 */

#include "ux_bind_private.h"

#include <string.h>


static uint16_t ux_bind_since(const ux_binder_t *binder, uint16_t parent,
    uint16_t epoch, uint64_t analysis);
static void ux_bind_balance(ux_binder_t *binder,
    const ux_experiment_t *experiment, const ux_claim_t *claim);


/*
 * Where looks at the experiment leave what they found.  A change of the
 * analysis starts anew with an epoch of its own; weights do not matter.
 */
void
ux_bind_evidence(ux_binder_t *binder, const ux_experiment_t *experiment,
    uint16_t parent, const uint16_t *variants, uint16_t epoch)
{
    unsigned            i, m;
    ux_claim_t          claim;
    const ux_metric_t  *metric;

    memset(&claim, 0, sizeof(claim));
    claim.analysis = ux_experiment_analysis(experiment,
                                            binder->model->events);
    claim.value = ux_bind_since(binder, parent, epoch, claim.analysis);

    if (claim.value == UX_PARENT_NONE) {
        return;
    }

    claim.kind = UX_ENTRY_BALANCE;
    claim.parent = parent;
    claim.ring_cells = UX_BALANCE_CELLS;

    ux_bind_balance(binder, experiment, &claim);

    claim.kind = UX_ENTRY_EVIDENCE;
    claim.ring_cells = UX_EVIDENCE_CELLS;

    for (i = 1; i < experiment->nvariants; i++) {

        for (m = 0; m < experiment->nmetrics; m++) {
            metric = &experiment->metrics[m];

            if (variants[i] == UX_PARENT_NONE) {
                continue;
            }

            claim.parent = variants[i];
            claim.aux = (uint16_t) metric->type;
            claim.number = metric->margin;
            claim.control = (uint64_t) metric->role
                            | (metric->lower_is_better ? UX_EVIDENCE_LOWER
                                                       : 0);
            claim.name.data = NULL;
            claim.name.len = 0;

            if (metric->event < binder->model->nevents) {
                claim.name = binder->model->events[metric->event];
            }

            (void) ux_bind_claim(binder, &claim);
        }
    }
}


/*
 * The ordinal of the epoch that the primary result starts with, UX_PARENT_NONE
 * if that result is another configuration's.
 */
static uint16_t
ux_bind_since(const ux_binder_t *binder, uint16_t parent, uint16_t epoch,
    uint64_t analysis)
{
    const ux_entry_t     *last;
    const ux_registry_t  *registry;

    registry = binder->registrar.registry;

    /* One that a dry run did not make may be a new start. */

    if (epoch == UX_ORDINAL_NEW) {
        last = ux_registry_epoch(registry, parent);

        if (last == NULL || last->analysis != analysis) {
            return UX_ORDINAL_NEW;
        }
    }

    last = ux_registry_since(registry, parent);

    if (last == NULL) {
        return UX_ORDINAL_NEW;
    }

    return last->analysis == analysis ? last->ordinal : UX_PARENT_NONE;
}


/* With it, how the experiment is analysed; every process writes the same. */
static void
ux_bind_balance(ux_binder_t *binder, const ux_experiment_t *experiment,
    const ux_claim_t *claim)
{
    double             values[2];
    uint64_t          *cells, words[2], ended;
    const ux_entry_t  *entry;

    if (ux_bind_claim(binder, claim) >= UX_ORDINAL_NEW
        || binder->store == NULL || binder->store->me == UX_PROCESS_NONE)
    {
        return;
    }

    entry = ux_registry_find(binder->registrar.registry, claim);

    if (entry == NULL || entry->ring == 0) {
        return;
    }

    values[0] = experiment->alpha;
    values[1] = experiment->equivalence;
    memcpy(words, values, sizeof(words));

    cells = &binder->store->counter.shared[entry->ring];

    __atomic_store_n(&cells[UX_BALANCE_ALPHA], words[0], __ATOMIC_RELAXED);
    __atomic_store_n(&cells[UX_BALANCE_EQUIVALENCE], words[1],
                     __ATOMIC_RELAXED);
    __atomic_store_n(&cells[UX_BALANCE_PLANNED], experiment->planned,
                     __ATOMIC_RELAXED);
    __atomic_store_n(&cells[UX_BALANCE_RUNTIME], experiment->min_runtime_s,
                     __ATOMIC_RELAXED);
    __atomic_store_n(&cells[UX_BALANCE_CAP], (uint64_t) experiment->cap,
                     __ATOMIC_RELAXED);
    __atomic_store_n(&cells[UX_BALANCE_START], experiment->start_ms,
                     __ATOMIC_RELAXED);
    __atomic_store_n(&cells[UX_BALANCE_STOP], experiment->stop_ms,
                     __ATOMIC_RELAXED);

    ended = __atomic_load_n(&cells[UX_BALANCE_ENDED], __ATOMIC_RELAXED);

    if (experiment->state != UX_STATE_CLOSED && experiment->serve < 0) {
        ended = 1;

    } else if (ended <= 1) {
        ended = binder->now_ms;
    }

    __atomic_store_n(&cells[UX_BALANCE_ENDED], ended, __ATOMIC_RELAXED);
}
