
/*
 * Copyright (C) the nginx-ux authors
 *
 * Binding a changed configuration: what opens an epoch, what restarts the
 * primary result, which experiments are noted as removed.
 */

#include "store_case.h"


static void test_epochs(void);
static void test_restarts(void);
static void test_control(void);
static void test_removed(void);
static void test_returned(void);
static worker_t *worker_joined(unsigned n);
static void worker_end(worker_t *w);
static const ux_entry_t *epoch_of(const worker_t *w);
static const ux_entry_t *experiment_of(const worker_t *w, uint16_t ordinal);
static void bind_at(worker_t *w, uint64_t now_ms);


static void  *mem;


int
main(void)
{
    test_epochs();
    test_restarts();
    test_control();
    test_removed();
    test_returned();

    return done();
}


static void
test_epochs(void)
{
    worker_t          *w;
    const ux_entry_t  *first, *next;

    w = worker_joined(1);

    first = epoch_of(w);
    bind_at(w, 2000);
    ok(first->aux == 1 && epoch_of(w) == first,
       "an identical configuration opens no epoch");

    w->experiments[0].min_runtime_s = 5;
    w->experiments[0].equivalence = 0.02;
    bind_at(w, 2000);
    ok(epoch_of(w) == first, "nor does what no epoch is about");

    w->experiments[0].variants[1].weight = 25;
    bind_at(w, 2000);
    next = epoch_of(w);
    ok(next->aux == 2 && !ux_registry_restarts(first, next)
       && next->control == first->control,
       "a re-weight opens one, and restarts nothing");

    worker_end(w);
}


/* Weights stay as they are: the analysis alone opens the epoch. */
static void
test_restarts(void)
{
    unsigned           i;
    worker_t          *w;
    ux_experiment_t   *e;
    const ux_entry_t  *first, *next;

    static const char *const  names[] = {
        "alpha", "planned", "window", "cap", "goal"
    };

    w = worker_joined(1);
    e = &w->experiments[0];
    next = epoch_of(w);

    for (i = 0; i < 5; i++) {
        first = next;

        e->alpha = i == 0 ? 0.01 : e->alpha;
        e->planned += i == 1;
        e->window_ms += i == 2;
        e->cap += i == 3;
        e->metrics[0].event = i == 4 ? UX_EVENT_ADD_TO_CART
                                     : UX_EVENT_PURCHASE;

        bind_at(w, 3000 + i);
        next = epoch_of(w);
        ok(next->aux == i + 2 && next->value == first->value
           && ux_registry_restarts(first, next), "%s restarts", names[i]);
    }

    worker_end(w);
}


static void
test_control(void)
{
    worker_t          *w;
    ux_variant_t       variant;
    ux_experiment_t   *e;
    const ux_entry_t  *first, *next;

    w = worker_joined(1);
    e = &w->experiments[0];
    first = epoch_of(w);

    variant = e->variants[0];
    e->variants[0] = e->variants[1];
    e->variants[1] = variant;
    bind_at(w, 2000);
    next = epoch_of(w);
    ok(next->aux == 2 && ux_registry_restarts(first, next),
       "another control restarts");
    ok(first->control == 0 && next->control == 1, "and is known");

    worker_end(w);
}


static void
test_removed(void)
{
    worker_t  *w, *reader;

    w = worker_joined(2);

    ok(ux_registry_removed_ms(experiment_of(w, 0)) == 0
       && ux_registry_removed_ms(experiment_of(w, 1)) == 0,
       "configured experiments are not removed");

    reader = worker_make(mem, 16 * MIB, 1);
    bind_at(reader, 4000);
    ok(ux_registry_removed_ms(experiment_of(w, 1)) == 0,
       "a reader notes nothing");
    worker_free(reader);

    w->model.nexperiments = 1;
    bind_at(w, 5000);
    ok(ux_registry_removed_ms(experiment_of(w, 1)) == 5000
       && ux_registry_removed_ms(experiment_of(w, 0)) == 0,
       "one that went is noted with its time");

    bind_at(w, 9000);
    ok(ux_registry_removed_ms(experiment_of(w, 1)) == 5000,
       "which another reload leaves alone");

    w->model.nexperiments = 2;
    bind_at(w, 9500);
    ok(ux_registry_removed_ms(experiment_of(w, 1)) == 0
       && experiment_of(w, 2) == NULL,
       "one that comes back is the one it was");

    w->experiments[0].version = 2;
    bind_at(w, 9900);
    ok(ux_registry_removed_ms(experiment_of(w, 0)) == 9900
       && ux_registry_removed_ms(experiment_of(w, 2)) == 0,
       "a new version removes the one before");

    worker_end(w);
}


static void
test_returned(void)
{
    worker_t  *w;

    w = worker_joined(1);

    ux_counter_add(&w->store.counter, UX_ZONE_RETURNED, 7);
    w->experiments[0].version = 2;
    bind_at(w, 2000);

    ok((int) experiment_of(w, 0)->number == 0
       && (int) experiment_of(w, 1)->number == 7,
       "who returned before an experiment began is known");

    worker_end(w);
}


/* In a zone of its own, bound. */
static worker_t *
worker_joined(unsigned n)
{
    unsigned   i;
    worker_t  *w;

    mem = zone_make(16 * MIB);
    w = worker_make(mem, 16 * MIB, n);

    for (i = 0; i < n; i++) {
        w->experiments[i].serve = -1;
        w->experiments[i].alpha = 0.05;
        w->experiments[i].nmetrics = 1;
        w->experiments[i].metrics[0].event = UX_EVENT_PURCHASE;
    }

    (void) ux_store_join(&w->store);
    bind_at(w, 1000);

    return w;
}


static void
worker_end(worker_t *w)
{
    worker_free(w);
    (void) munmap(mem, 16 * MIB);
}


/* The newest one of the first experiment. */
static const ux_entry_t *
epoch_of(const worker_t *w)
{
    return ux_registry_epoch(w->store.registry, 0);
}


static const ux_entry_t *
experiment_of(const worker_t *w, uint16_t ordinal)
{
    return ux_registry_get(w->store.registry, UX_ENTRY_EXPERIMENT, ordinal);
}


static void
bind_at(worker_t *w, uint64_t now_ms)
{
    (void) ux_store_bind(&w->store, &w->model, w->arms, w->bindings, now_ms);
}
