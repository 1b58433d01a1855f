
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
 *   experiment -> variants            by name and version
 *              -> epoch -> arm        one arm for each variant
 *                          -> cart    one for each cart funnel; also for the
 *                                     arms of older epochs, whose visitors
 *                                     go on counting
 */

#include "ux_store.h"
#include "ux_registry_private.h"

#include <stdio.h>
#include <string.h>


/*
 * Many workers bind at once when they start, and one may be scheduled out
 * with the lock held: about 0.1 s in all, then the rest stays unbound.
 */
#define UX_BIND_TRIES  80


typedef struct {
    ux_registrar_t     registrar;
    ux_store_t        *store;        /* NULL: dry run */
    ux_model_t        *bound;        /* gets the slots; NULL: dry run */
    const ux_model_t  *model;
    ux_binding_t      *bindings;
    unsigned           nexperiments;
    uint32_t           totals;
    uint64_t           now_ms;
    ux_status_t        status;

    /* ordinals given so far; UX_PARENT_NONE: none */
    uint16_t           carts[UX_FUNNELS_MAX];
    uint16_t           experiments[UX_EXPERIMENTS_MAX];

    /* what a dry run found missing */
    uint32_t           entries;
    uint64_t           cells;
    uint32_t           kinds[UX_ENTRY_KINDS];
} ux_binder_t;


static void ux_bind_walk(ux_binder_t *binder);
static void ux_bind_events(ux_binder_t *binder);
static void ux_bind_totals(ux_binder_t *binder);
static void ux_bind_funnel(ux_binder_t *binder, unsigned index);
static void ux_bind_experiment(ux_binder_t *binder, unsigned index);
static void ux_bind_carts(ux_binder_t *binder);
static void ux_bind_arm_carts(ux_binder_t *binder, uint16_t arm);
static uint16_t ux_bind_claim(ux_binder_t *binder, const ux_claim_t *claim);
static uint8_t ux_bind_slot(uint16_t ordinal);
static void ux_bind_reset(ux_model_t *model, ux_binding_t *bindings);
static uint32_t ux_bind_window(const ux_model_t *model);
static ux_status_t ux_fits_slots(const ux_binder_t *binder,
    ux_error_t *error);
static uint32_t ux_fits_used(const ux_registry_t *registry, ux_entry_e kind);


ux_status_t
ux_store_bind(ux_store_t *store, ux_model_t *model, ux_arm_t *arms,
    ux_binding_t *bindings, uint64_t now_ms)
{
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

    ux_bind_reset(model, bindings);
    ux_bind_walk(&binder);

    if (store->me != UX_PROCESS_NONE) {
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
    store->plan.arms = arms;
    store->plan.bindings = bindings;

    ux_store_refresh(store);

    return binder.status;
}


ux_status_t
ux_store_fits(const ux_store_t *store, const ux_model_t *model,
    ux_error_t *error)
{
    uint32_t              count, left, used;
    ux_binder_t           binder;
    const ux_registry_t  *registry;

    memset(&binder, 0, sizeof(binder));

    registry = store->registry;

    binder.registrar.registry = store->registry;
    binder.registrar.me = UX_PROCESS_NONE;
    binder.model = model;
    binder.totals = store->head->params.totals;

    ux_bind_walk(&binder);

    if (ux_fits_slots(&binder, error) != UX_OK) {
        return UX_FULL;
    }

    count = ux_registry_count(registry);

    if (binder.entries > registry->capacity - count) {
        (void) snprintf(error->message, sizeof(error->message),
                        "configuration needs %u registered names, zone "
                        "\"%.*s\" of size %llu has room for %u",
                        count + binder.entries, (int) model->zone.len,
                        model->zone.data,
                        (unsigned long long) store->head->size,
                        registry->capacity);
        return UX_FULL;
    }

    left = ux_registry_cells_left(registry);
    used = registry->all_cells - left;

    if (binder.cells > left) {
        (void) snprintf(error->message, sizeof(error->message),
                        "configuration needs %llu counters, zone \"%.*s\" of "
                        "size %llu has room for %u",
                        (unsigned long long) (used + binder.cells),
                        (int) model->zone.len, model->zone.data,
                        (unsigned long long) store->head->size,
                        registry->all_cells);
        return UX_FULL;
    }

    return UX_OK;
}


/* Numbers that are bits or places in a visitor's record. */
static ux_status_t
ux_fits_slots(const ux_binder_t *binder, ux_error_t *error)
{
    uint32_t           need;
    unsigned           i;
    const ux_model_t  *model;

    const struct {
        ux_entry_e     kind;
        uint32_t       max;
        const char    *what;
    } limits[] = {
        { UX_ENTRY_EVENT, UX_EVENTS_MAX, "events" },
        { UX_ENTRY_STEP, UX_STEPS_MAX, "funnel steps" },
        { UX_ENTRY_CART, UX_CARTS_MAX, "funnels with a cart" },
        { UX_ENTRY_TOTAL, binder->totals, "totals" }
    };

    model = binder->model;

    for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        need = binder->kinds[limits[i].kind]
               + ux_fits_used(binder->registrar.registry, limits[i].kind);

        if (binder->kinds[limits[i].kind] != 0 && need > limits[i].max) {
            (void) snprintf(error->message, sizeof(error->message),
                            "configuration needs %u %s, zone \"%.*s\" has "
                            "room for %u, those no longer configured "
                            "included", need, limits[i].what,
                            (int) model->zone.len, model->zone.data,
                            limits[i].max);
            return UX_FULL;
        }
    }

    return UX_OK;
}


/* How many numbers of the kind are given; revenue is the total 0. */
static uint32_t
ux_fits_used(const ux_registry_t *registry, ux_entry_e kind)
{
    uint32_t  i;

    for (i = ux_registry_count(registry); i > 0; i--) {
        if (registry->entries[i - 1].kind == kind) {
            return registry->entries[i - 1].ordinal + 1u;
        }
    }

    return kind == UX_ENTRY_TOTAL ? 1 : 0;
}


static void
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

    for (i = 0; i < binder->nexperiments; i++) {
        ux_bind_experiment(binder, i);
    }

    ux_bind_carts(binder);
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
    if (parent == UX_PARENT_NONE) {
        return;
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
    uint16_t                parent, epoch, ordinal;
    uint16_t                variants[UX_VARIANTS_MAX];
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
    if (epoch == UX_PARENT_NONE) {
        return;
    }

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
    }
}


/* The carts of all arms, of whatever epoch, of experiments in the model. */
static void
ux_bind_carts(ux_binder_t *binder)
{
    uint32_t              i;
    unsigned              n;
    const ux_entry_t     *entry, *epoch;
    const ux_registry_t  *registry;

    registry = binder->registrar.registry;

    for (i = 0; i < ux_registry_count(registry); i++) {
        entry = &registry->entries[i];

        if (entry->kind != UX_ENTRY_ARM) {
            continue;
        }

        epoch = ux_registry_get(registry, UX_ENTRY_EPOCH, entry->parent);

        for (n = 0; epoch != NULL && n < binder->nexperiments; n++) {
            if (binder->experiments[n] == epoch->parent) {
                ux_bind_arm_carts(binder, entry->ordinal);
                break;
            }
        }
    }

    /* those that a dry run did not make */
    for (n = binder->kinds[UX_ENTRY_ARM]; n > 0; n--) {
        ux_bind_arm_carts(binder, UX_ORDINAL_NEW);
    }
}


static void
ux_bind_arm_carts(ux_binder_t *binder, uint16_t arm)
{
    unsigned    i;
    ux_claim_t  claim;

    for (i = 0; i < binder->model->nfunnels; i++) {
        if (binder->carts[i] == UX_PARENT_NONE) {
            continue;
        }

        memset(&claim, 0, sizeof(claim));
        claim.kind = UX_ENTRY_ARM_CART;
        claim.parent = arm;
        claim.aux = binder->carts[i];
        claim.value = binder->model->funnels[i].within_ms;
        claim.cells = UX_CART_CELLS;
        claim.ring_cells = UX_BUCKETS * UX_RING_CELLS;

        (void) ux_bind_claim(binder, &claim);
    }
}


/* The ordinal, or UX_PARENT_NONE; in a dry run maybe UX_ORDINAL_NEW. */
static uint16_t
ux_bind_claim(ux_binder_t *binder, const ux_claim_t *claim)
{
    ux_status_t        rc;
    const ux_entry_t  *entry;

    if (binder->store == NULL) {
        entry = ux_registry_wanted(binder->registrar.registry, claim);
        if (entry != NULL) {
            return entry->ordinal;
        }

        binder->entries++;
        binder->kinds[claim->kind]++;
        binder->cells += ux_registry_need(binder->registrar.registry, claim);

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


static uint8_t
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
        model->funnels[i].cart = UX_SLOT_NONE;

        for (k = 0; k < model->funnels[i].nsteps; k++) {
            model->funnels[i].steps[k].slot = UX_SLOT_NONE;
        }
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
