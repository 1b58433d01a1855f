
/*
 * Copyright (C) the nginx-ux authors
 *
 * Binding: every name of a configuration gets its number from the registry.
 *
 * One walk over the model makes all claims, parents before children, and
 * serves two purposes: in a dry run what is not there yet is only summed up
 * (does the configuration fit?), else it is made.  So both always agree.
 * Several processes may bind at once, and one may die half way: each claim
 * finds or appends by itself, and whoever comes next makes what is missing,
 * an epoch's arms included.
 *
 *   event, total                      by name
 *   funnel -> steps, cart             by name
 *   segment -> values                 by name
 *   stage                             by name
 *   blocks                            the zone's
 *   experiment -> variants            by name and version
 *                 -> blocks           of all epochs: ux_bind_blocks.c
 *                 -> segment arm      of all epochs, one for each value
 *                    -> cart
 *              -> evidence            one for each variant but the control,
 *                                     metric and start of the primary result;
 *                                     one balance for the experiment:
 *                                     ux_bind_evidence.c
 *              -> epoch -> arm        one arm for each variant
 *                          -> cart    one for each cart funnel; also for the
 *                                     arms of older epochs, whose visitors
 *                                     go on counting; the ring of a variant's
 *                                     first arm serves them all:
 *                                     ux_bind_carts.c
 */

#include "ux_bind_private.h"
#include "ux_funnel.h"

#include <string.h>


/*
 * Many workers bind at once when they start, and one may be scheduled out
 * with the lock held: about 0.1 s in all, then the rest stays unbound.
 */
#define UX_BIND_TRIES  80


static bool ux_bind_newest(ux_store_t *store);
static void ux_bind_events(ux_binder_t *binder);
static void ux_bind_totals(ux_binder_t *binder);
static void ux_bind_funnel(ux_binder_t *binder, unsigned index);
static void ux_bind_experiment(ux_binder_t *binder, unsigned index);
static void ux_bind_arms(ux_binder_t *binder, unsigned index,
    const uint16_t *variants, uint16_t epoch);
static void ux_bind_reset(ux_model_t *model, ux_binding_t *bindings);
static uint32_t ux_bind_window(const ux_model_t *model);


ux_status_t
ux_store_bind(ux_store_t *store, ux_model_t *model, ux_arm_t *arms,
    ux_binding_t *bindings, uint64_t now_ms)
{
    bool         newest;
    ux_binder_t  binder;

    memset(&binder, 0, sizeof(binder));

    binder.registrar.registry = store->registry;
    binder.registrar.processes = store->processes;
    binder.registrar.me = store->me;
    binder.registrar.tries = UX_BIND_TRIES;
    binder.store = store;
    binder.bound = model;
    binder.model = model;
    binder.bindings = bindings;
    binder.totals = store->head->params.totals;
    binder.now_ms = now_ms;

    newest = ux_bind_newest(store);

    if (!newest) {
        binder.registrar.tries = 0;
    }

    ux_bind_reset(model, bindings);
    ux_bind_walk(&binder);

    if (store->me != UX_PROCESS_NONE && newest) {
        ux_registry_removed(store->registry, model, now_ms);
    }

    store->model = model;
    store->arms = arms;
    store->arms_max = store->head->registry_capacity;
    store->bindings = bindings;
    store->seen = 0;
    store->table.max_window_s = ux_bind_window(model);

    store->plan.model = model;
    store->plan.narms = 0;
    store->plan.nsegments = 0;
    store->plan.requests = 0;
    store->plan.vitals = 0;
    store->plan.arms = arms;
    store->plan.bindings = bindings;

    ux_store_refresh(store);

    return binder.status;
}


/*
 * An old worker that starts late, its configuration replaced meanwhile, would
 * open an epoch of it and so restart what the new ones are measuring.
 */
static bool
ux_bind_newest(ux_store_t *store)
{
    uint64_t  seen, *newest;

    newest = &store->head->generation;
    seen = __atomic_load_n(newest, __ATOMIC_ACQUIRE);

    while (store->me != UX_PROCESS_NONE && seen < store->generation) {

        if (__atomic_compare_exchange_n(newest, &seen, store->generation,
                                        false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE))
        {
            break;
        }
    }

    return seen <= store->generation;
}


void
ux_bind_walk(ux_binder_t *binder)
{
    unsigned  i;

    binder->nexperiments = binder->model->nexperiments < UX_EXPERIMENTS_MAX
                           ? binder->model->nexperiments
                           : UX_EXPERIMENTS_MAX;

    ux_bind_events(binder);
    ux_bind_totals(binder);

    for (i = 0; i < binder->model->nfunnels; i++) {
        ux_bind_funnel(binder, i);
    }

    ux_bind_segments(binder);
    ux_bind_stages(binder);
    ux_bind_blocks(binder, UX_PARENT_NONE);

    for (i = 0; i < binder->nexperiments; i++) {
        ux_bind_experiment(binder, i);
    }

    ux_bind_carts(binder);
    ux_bind_segment_carts(binder);
}


static void
ux_bind_events(ux_binder_t *binder)
{
    uint16_t    ordinal;
    unsigned    i;
    ux_claim_t  claim;

    for (i = 0; i < binder->model->nevents; i++) {
        memset(&claim, 0, sizeof(claim));
        claim.kind = UX_ENTRY_EVENT;
        claim.name = binder->model->events[i];
        claim.parent = UX_PARENT_NONE;
        claim.limit = UX_EVENTS_MAX;

        ordinal = ux_bind_claim(binder, &claim);

        if (binder->bound != NULL) {
            binder->bound->event_slots[i] = ux_bind_slot(ordinal);
        }
    }
}


static void
ux_bind_totals(ux_binder_t *binder)
{
    uint16_t           ordinal;
    unsigned           i;
    ux_claim_t         claim;
    const ux_total_t  *total;

    for (i = 0; i < binder->model->ntotals; i++) {
        total = &binder->model->totals[i];

        if (total->event >= binder->model->nevents) {
            continue;                /* revenue: 0 without being asked */
        }

        memset(&claim, 0, sizeof(claim));
        claim.kind = UX_ENTRY_TOTAL;
        claim.name = binder->model->events[total->event];
        claim.parent = UX_PARENT_NONE;
        claim.value = total->type;
        claim.limit = binder->totals;

        ordinal = ux_bind_claim(binder, &claim);

        if (binder->bound != NULL) {
            binder->bound->totals[i].slot = ux_bind_slot(ordinal);
        }
    }
}


static void
ux_bind_funnel(ux_binder_t *binder, unsigned index)
{
    uint16_t            parent, ordinal;
    unsigned            i;
    ux_claim_t          claim;
    const ux_funnel_t  *funnel;

    funnel = &binder->model->funnels[index];
    binder->carts[index] = UX_PARENT_NONE;

    memset(&claim, 0, sizeof(claim));
    claim.kind = UX_ENTRY_FUNNEL;
    claim.name = funnel->name;
    claim.parent = UX_PARENT_NONE;

    parent = ux_bind_claim(binder, &claim);
    binder->funnels[index] = parent;

    if (parent == UX_PARENT_NONE) {
        return;
    }

    if (binder->bound != NULL) {
        binder->bound->funnels[index].slot = ux_bind_slot(parent);
        binder->bound->funnels[index].mark =
            (uint16_t) ux_funnel_hash(binder->model, funnel);
    }

    for (i = 0; i < funnel->nsteps; i++) {
        memset(&claim, 0, sizeof(claim));
        claim.kind = UX_ENTRY_STEP;
        claim.name = binder->model->events[funnel->steps[i].event];
        claim.parent = parent;
        claim.limit = UX_STEPS_MAX;

        ordinal = ux_bind_claim(binder, &claim);

        if (binder->bound != NULL) {
            binder->bound->funnels[index].steps[i].slot =
                ux_bind_slot(ordinal);
        }
    }

    if (funnel->cart_event == UX_SLOT_NONE) {
        return;
    }

    memset(&claim, 0, sizeof(claim));
    claim.kind = UX_ENTRY_CART;
    claim.parent = parent;
    claim.limit = UX_CARTS_MAX;

    binder->carts[index] = ux_bind_claim(binder, &claim);

    if (binder->bound != NULL) {
        binder->bound->funnels[index].cart =
            ux_bind_slot(binder->carts[index]);
    }
}


static void
ux_bind_experiment(ux_binder_t *binder, unsigned index)
{
    uint16_t                parent, epoch;
    uint16_t                variants[UX_VARIANTS_MAX] = { UX_PARENT_NONE };
    unsigned                i;
    ux_claim_t              claim;
    const ux_experiment_t  *experiment;

    experiment = &binder->model->experiments[index];

    memset(&claim, 0, sizeof(claim));
    claim.kind = UX_ENTRY_EXPERIMENT;
    claim.name = experiment->name;
    claim.parent = UX_PARENT_NONE;
    claim.value = experiment->version;

    if (binder->store != NULL) {
        claim.number = (double) ux_counter_read(&binder->store->counter,
                                                UX_ZONE_RETURNED);
    }

    parent = ux_bind_claim(binder, &claim);
    binder->experiments[index] = parent;
    binder->epochs[index] = UX_PARENT_NONE;

    if (parent == UX_PARENT_NONE) {
        return;
    }

    for (i = 0; i < experiment->nvariants; i++) {
        memset(&claim, 0, sizeof(claim));
        claim.kind = UX_ENTRY_VARIANT;
        claim.name = experiment->variants[i].name;
        claim.parent = parent;

        variants[i] = ux_bind_claim(binder, &claim);
    }

    memset(&claim, 0, sizeof(claim));
    claim.kind = UX_ENTRY_EPOCH;
    claim.parent = parent;
    claim.value = ux_experiment_fingerprint(experiment);
    claim.analysis = ux_experiment_analysis(experiment,
                                            binder->model->events);
    claim.control = variants[0];
    claim.number = experiment->traffic;

    epoch = ux_bind_claim(binder, &claim);
    binder->epochs[index] = epoch;

    if (epoch == UX_PARENT_NONE) {
        return;
    }

    ux_bind_arms(binder, index, variants, epoch);

    for (i = 0; i < experiment->nvariants; i++) {
        if (variants[i] != UX_PARENT_NONE) {
            ux_bind_blocks(binder, variants[i]);
            ux_bind_segment_arms(binder, variants[i]);
        }
    }

    ux_bind_evidence(binder, experiment, parent, variants, epoch);
}


static void
ux_bind_arms(ux_binder_t *binder, unsigned index, const uint16_t *variants,
    uint16_t epoch)
{
    uint16_t                ordinal;
    unsigned                i;
    ux_claim_t              claim;
    const ux_experiment_t  *experiment;

    experiment = &binder->model->experiments[index];

    for (i = 0; i < experiment->nvariants; i++) {
        if (variants[i] == UX_PARENT_NONE) {
            continue;
        }

        memset(&claim, 0, sizeof(claim));
        claim.kind = UX_ENTRY_ARM;
        claim.parent = epoch;
        claim.aux = variants[i];
        claim.number = experiment->variants[i].weight;
        claim.cells = UX_ARM_CELLS;

        ordinal = ux_bind_claim(binder, &claim);

        if (binder->bindings != NULL) {
            binder->bindings[index].arms[i] = ordinal;
        }

        /* one that a dry run did not make: nobody else will come upon it */

        if (ordinal == UX_ORDINAL_NEW) {
            ux_bind_arm_carts(binder, ordinal, variants[i]);
        }
    }
}


uint16_t
ux_bind_claim(ux_binder_t *binder, const ux_claim_t *claim)
{
    ux_claim_t         block;
    ux_status_t        rc;
    const ux_entry_t  *entry;

    block = *claim;

    if (binder->store == NULL) {
        entry = ux_registry_wanted(binder->registrar.registry, claim);
        if (entry != NULL) {
            return entry->ordinal;
        }

        binder->entries++;
        binder->kinds[claim->kind]++;
        binder->cells += ux_registry_need(binder->registrar.registry, claim);
        block.ring_cells = 0;
        binder->blocks += ux_registry_need(binder->registrar.registry, &block);

        return UX_ORDINAL_NEW;
    }

    rc = ux_registry_claim(&binder->registrar, claim, binder->now_ms, &entry);

    if (rc == UX_OK) {
        return entry->ordinal;
    }

    /* a lock held that long is not waited for again: the rest is found only */
    if (rc == UX_BUSY) {
        binder->registrar.tries = 0;
    }

    binder->status = rc;

    return UX_PARENT_NONE;
}


uint8_t
ux_bind_slot(uint16_t ordinal)
{
    return ordinal < UX_SLOT_NONE ? (uint8_t) ordinal : UX_SLOT_NONE;
}


/* Nothing is bound. */
static void
ux_bind_reset(ux_model_t *model, ux_binding_t *bindings)
{
    unsigned  i, k;

    for (i = 0; i < model->nevents; i++) {
        model->event_slots[i] = UX_SLOT_NONE;
    }

    for (i = 0; i < model->ntotals; i++) {
        model->totals[i].slot =
            model->totals[i].event == UX_METRIC_REVENUE ? 0 : UX_SLOT_NONE;
    }

    for (i = 0; i < model->nfunnels; i++) {
        model->funnels[i].slot = UX_SLOT_NONE;
        model->funnels[i].cart = UX_SLOT_NONE;

        for (k = 0; k < model->funnels[i].nsteps; k++) {
            model->funnels[i].steps[k].slot = UX_SLOT_NONE;
        }
    }

    for (i = 0; i < model->nstages; i++) {
        model->stages[i].slot = UX_SLOT_NONE;
    }

    for (i = 0; i < model->nsegments; i++) {
        model->segments[i].slot = UX_SLOT_NONE;
    }

    for (i = 0; i < model->nvalues; i++) {
        model->values[i].ordinal = UX_SLOT_NONE;
    }

    for (i = 0; i < model->nexperiments; i++) {
        for (k = 0; k < UX_VARIANTS_MAX; k++) {
            bindings[i].arms[k] = UX_ARM_NONE;
        }
    }
}


/* Seconds, rounded up. */
static uint32_t
ux_bind_window(const ux_model_t *model)
{
    uint64_t  max_ms;
    unsigned  i;

    max_ms = 0;

    for (i = 0; i < model->nexperiments; i++) {
        if (model->experiments[i].window_ms > max_ms) {
            max_ms = model->experiments[i].window_ms;
        }
    }

    for (i = 0; i < model->nfunnels; i++) {
        if (model->funnels[i].cart_event != UX_SLOT_NONE
            && model->funnels[i].within_ms > max_ms)
        {
            max_ms = model->funnels[i].within_ms;
        }
    }

    max_ms = (max_ms + 999) / 1000;

    return max_ms > UINT32_MAX ? UINT32_MAX : (uint32_t) max_ms;
}
