
/*
 * Copyright (C) the nginx-ux authors
 *
 * Binding a configuration to a zone, and whether it fits.
 */

#include "store_case.h"

#include <sys/wait.h>
#include <unistd.h>


static void
test_bind(void)
{
    void              *mem;
    unsigned           i, bad;
    worker_t          *w;
    const ux_arm_t    *arm;
    const ux_entry_t  *entry;

    mem = zone_make(MIB);
    w = worker_make(mem, MIB, 2);

    ok(worker_bind(w) == UX_BUSY && w->model.event_slots[0] == UX_SLOT_NONE
       && w->bindings[0].arms[0] == UX_ARM_NONE && w->store.plan.narms == 0
       && ux_registry_count(w->store.registry) == 0,
       "a reader binds nothing in a new zone");

    ok(ux_store_join(&w->store) == UX_OK && worker_bind(w) == UX_OK,
       "a worker binds");

    bad = 0;

    for (i = 0; i < w->model.nevents; i++) {
        bad += w->model.event_slots[i] != i;
    }

    ok(bad == 0, "in a new zone the slot of an event is its index");
    ok(w->model.totals[0].slot == 0 && w->model.totals[1].slot == 1,
       "totals have slots, revenue the first");
    ok(w->model.funnels[0].steps[0].slot == 0
       && w->model.funnels[0].steps[1].slot == 1
       && w->model.funnels[0].cart == 0, "steps and carts have theirs");
    ok(w->store.plan.narms == 4 && w->bindings[0].arms[0] == 0
       && w->bindings[0].arms[1] == 1 && w->bindings[1].arms[1] == 3,
       "an arm for each variant");

    bad = 0;

    for (i = 0; i < 4; i++) {
        arm = &w->arms[i];
        bad += arm->experiment != (int) i / 2 || arm->variant != (int) i % 2
               || arm->base < UX_ZONE_CELLS || arm->carts[0] == 0
               || arm->rings[0] == 0 || arm->carts[1] != 0
               || arm->carts[0] + UX_CART_CELLS > arm->rings[0]
               || arm->rings[0] + UX_BUCKETS * UX_RING_WIDTH(2)
                  > w->store.head->all_cells;
    }

    ok(bad == 0, "arms know experiment, variant, cells, carts and rings");
    ok(w->store.table.max_window_s == 604800,
       "records live as long as the longest window");

    entry = ux_registry_get(w->store.registry, UX_ENTRY_EPOCH, 1);
    ok(entry != NULL && entry->aux == 1 && entry->number == 1.0
       && entry->value == ux_experiment_fingerprint(&w->experiments[1])
       && entry->created_ms == 1000, "the epoch says what opened it");

    i = ux_registry_count(w->store.registry);
    ok(worker_bind(w) == UX_OK && ux_registry_count(w->store.registry) == i,
       "binding again adds nothing");

    worker_free(w);
    w = worker_make(mem, MIB, 2);
    ok(worker_bind(w) == UX_OK && w->store.plan.narms == 4,
       "now a reader finds everything");

    worker_free(w);
    munmap(mem, MIB);
}


/* The next configuration: reordered, changed, with things dropped. */
static void
test_rebind(void)
{
    void            *mem;
    uint32_t         cart, ring, left;
    worker_t        *old, *w;
    ux_str_t         added = ux_str("added");
    ux_str_t         third = ux_str("third");
    ux_str_t         first = ux_str("a_first");
    ux_variant_t     variant;

    mem = zone_make(16 * MIB);
    old = worker_make(mem, 16 * MIB, 2);
    (void) ux_store_join(&old->store);
    (void) worker_bind(old);

    w = worker_make(mem, 16 * MIB, 2);
    ok(ux_store_join(&w->store) == UX_OK && w->store.me == 0,
       "the same process has one entry");

    /* an event before the old one, a funnel before the old one */
    w->model.events[8] = w->model.events[7];
    w->model.events[7] = added;
    w->model.nevents = 9;
    w->model.totals[1].event = 8;
    w->model.funnels[1] = w->model.funnels[0];
    w->model.funnels[0].name = first;
    w->model.funnels[0].within_ms = 60000;
    w->model.nfunnels = 2;

    /* exp_1 first, its variants turned round, a third one, another weight */
    w->experiments[0] = w->experiments[1];
    w->experiments[1].name = third;
    variant = w->experiments[0].variants[0];
    w->experiments[0].variants[0] = w->experiments[0].variants[1];
    w->experiments[0].variants[1] = variant;
    w->experiments[0].variants[0].weight = 90;

    ok(worker_bind(w) == UX_OK, "another configuration binds");
    ok(w->model.event_slots[7] == 8 && w->model.event_slots[8] == 7,
       "an event keeps its slot");
    ok(w->model.totals[1].slot == 1, "so does a total");
    ok(w->model.funnels[1].steps[0].slot == 0
       && w->model.funnels[1].cart == 0
       && w->model.funnels[0].steps[0].slot == 2
       && w->model.funnels[0].cart == 1, "steps and carts too");
    ok(w->store.plan.narms == 8 && w->bindings[0].arms[0] == 4
       && w->bindings[0].arms[1] == 5, "the change opened an epoch");
    ok(w->arms[2].experiment == 0 && w->arms[2].variant == 1
       && w->arms[3].experiment == 0 && w->arms[3].variant == 0
       && w->arms[4].variant_slot == w->arms[3].variant_slot,
       "arms of the older epoch belong to the experiment");
    ok(w->arms[0].experiment == -1 && w->arms[1].variant == -1,
       "those of a dropped experiment to none");
    ok(w->arms[2].carts[1] != 0 && w->arms[2].carts[0] != 0
       && w->arms[0].carts[1] == 0 && w->arms[0].carts[0] != 0,
       "the new cart also for arms of the older epoch");

    ok(old->store.plan.narms == 4, "the old worker has not looked yet");
    ux_store_refresh(&old->store);
    ok(old->store.plan.narms == 8 && old->arms[4].experiment == 1
       && old->arms[4].base == w->arms[4].base
       && old->arms[6].experiment == -1,
       "it sees the new arms, and knows those of its experiments");
    ok(old->bindings[1].arms[0] == 2, "and goes on with its own epoch");

    cart = w->arms[2].carts[0];
    ring = w->arms[2].rings[0];
    left = ux_registry_cells_left(w->store.registry);
    w->model.funnels[1].within_ms = 7200000;
    ok(worker_bind(w) == UX_OK && w->arms[2].carts[0] == cart
       && w->arms[2].rings[0] != 0 && w->arms[2].rings[0] != ring,
       "another window counts in the same cart, with a ring of its own");
    ok(left - ux_registry_cells_left(w->store.registry)
       == 4 * UX_BUCKETS * UX_RING_WIDTH(2),
       "and takes no more than that of each of the four variants");

    w->experiments[0].nvariants = 1;
    ok(worker_bind(w) == UX_OK && w->arms[2].experiment == 0
       && w->arms[2].variant == -1, "a dropped variant is none");

    ux_store_refresh(&old->store);
    ok(old->arms[2].carts[0] == cart && old->arms[2].rings[0] == ring,
       "the old worker keeps to its window");

    w->model.funnels[1].within_ms = 3600000;
    ok(worker_bind(w) == UX_OK && w->arms[2].rings[0] == ring,
       "the first window again: its ring again");

    w->experiments[0].version = 2;
    ok(worker_bind(w) == UX_OK && w->arms[2].experiment == -1
       && w->arms[w->bindings[0].arms[0]].experiment == 0,
       "a new version leaves the old arms alone");

    worker_free(w);
    free(old->arms);
    free(old);
    munmap(mem, 16 * MIB);
}


/* What fits() promises bind() keeps, up to the last experiment. */
static void
test_fits(void)
{
    void      *mem, *copy;
    unsigned   n, fitting, bad, claimed;
    size_t     size;
    worker_t  *w;

    size = 512 * KIB;
    copy = malloc(size);
    fitting = 0;
    bad = 0;
    claimed = 0;

    for (n = 1; n <= EXPERIMENTS; n++) {
        mem = zone_make(size);
        w = worker_make(mem, size, n);
        memcpy(copy, mem, size);

        if (ux_store_fits(&w->store, &w->model, &error) == UX_OK) {
            bad += fitting != n - 1;
            fitting = n;
        }

        bad += memcmp(copy, mem, size) != 0;

        (void) ux_store_join(&w->store);
        bad += (worker_bind(w) == UX_OK) != (fitting == n);

        if (fitting == n) {
            bad += ux_store_fits(&w->store, &w->model, &error) != UX_OK;
            claimed = w->store.head->all_cells
                      - ux_registry_cells_left(w->store.registry);
        }

        worker_free(w);
        munmap(mem, size);
    }

    free(copy);

    ok(fitting > 0 && fitting < EXPERIMENTS,
       "512 KiB: %u experiments fit, %u counters", fitting, claimed);
    ok(bad == 0, "fits changes nothing and says what bind will find");

    mem = zone_make(size);
    w = worker_make(mem, size, EXPERIMENTS);
    ok(ux_store_fits(&w->store, &w->model, &error) == UX_FULL
       && strstr(error.message, "zone \"shop\"") != NULL
       && (strstr(error.message, "room for 20480") != NULL
           || strstr(error.message, "room for 512") != NULL),
       "%s", error.message);

    w->model.nexperiments = 1;
    w->model.ntotals = 4;
    w->model.totals[2].event = 1;
    w->model.totals[3].event = 2;
    ok(ux_store_fits(&w->store, &w->model, &error) == UX_FULL
       && strstr(error.message, "4 totals") != NULL
       && strstr(error.message, "room for 3") != NULL, "%s", error.message);

    worker_free(w);
    munmap(mem, size);
}


/* Names that went leave their numbers used. */
static void
test_fits_slots(void)
{
    void      *mem;
    char       names[UX_EVENTS_MAX][16];
    size_t     size;
    unsigned   round, i;
    worker_t  *w;

    size = MIB;
    mem = zone_make(size);

    for (round = 0; round < 3; round++) {
        w = worker_make(mem, size, 1);
        (void) ux_store_join(&w->store);

        for (i = 0; i < 24; i++) {
            (void) snprintf(names[i], sizeof(names[i]), "e_%u_%u", round, i);
            w->model.events[w->model.nevents].data = names[i];
            w->model.events[w->model.nevents++].len = strlen(names[i]);
        }

        if (round < 2) {
            ok(ux_store_fits(&w->store, &w->model, &error) == UX_OK
               && worker_bind(w) == UX_OK, "24 new events, round %u", round);

        } else {
            ok(ux_store_fits(&w->store, &w->model, &error) == UX_FULL
               && strstr(error.message, "80 events") != NULL
               && strstr(error.message, "room for 64") != NULL,
               "%s", error.message);
            ok(worker_bind(w) == UX_FULL
               && w->model.event_slots[0] == 0
               && w->model.event_slots[8] == 56
               && w->model.event_slots[15] == 63
               && w->model.event_slots[16] == UX_SLOT_NONE
               && w->bindings[0].arms[0] == 0,
               "bind gives what there is, and goes on with the rest");
        }

        worker_free(w);
    }

    munmap(mem, size);
}


static void
test_incomplete(void)
{
    void              *mem;
    worker_t          *w;
    ux_claim_t         claim;
    ux_registrar_t     registrar;
    const ux_entry_t  *entry;

    mem = zone_make(MIB);
    w = worker_make(mem, MIB, 1);
    (void) ux_store_join(&w->store);

    registrar.registry = w->store.registry;
    registrar.processes = w->store.processes;
    registrar.me = w->store.me;
    registrar.tries = 1;

    memset(&claim, 0, sizeof(claim));
    claim.kind = UX_ENTRY_EXPERIMENT;
    claim.name = w->experiments[0].name;
    claim.parent = UX_PARENT_NONE;
    claim.value = 1;
    (void) ux_registry_claim(&registrar, &claim, 1, &entry);

    memset(&claim, 0, sizeof(claim));
    claim.kind = UX_ENTRY_EPOCH;
    claim.parent = 0;
    claim.value = ux_experiment_fingerprint(&w->experiments[0]);
    claim.analysis = ux_experiment_analysis(&w->experiments[0],
                                            w->model.events);
    (void) ux_registry_claim(&registrar, &claim, 1, &entry);

    ok(worker_bind(w) == UX_OK && w->store.plan.narms == 2
       && w->bindings[0].arms[1] == 1
       && ux_registry_get(w->store.registry, UX_ENTRY_EPOCH, 1) == NULL,
       "an epoch left without arms gets them");

    worker_free(w);
    munmap(mem, MIB);
}


static void
test_processes(void)
{
    int        p, status, bad;
    void      *mem, *one;
    worker_t  *w, *single;

    one = zone_make(4 * MIB);
    single = worker_make(one, 4 * MIB, 4);
    (void) ux_store_join(&single->store);
    (void) worker_bind(single);

    mem = zone_make(4 * MIB);
    fflush(stdout);

    for (p = 0; p < 4; p++) {
        if (fork() == 0) {
            w = worker_make(mem, 4 * MIB, 4);
            status = ux_store_join(&w->store) == UX_OK
                     && worker_bind(w) == UX_OK && w->store.plan.narms == 8;
            _exit(status ? 0 : 1);
        }
    }

    bad = 0;

    while (wait(&status) > 0) {
        bad += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    }

    w = worker_make(mem, 4 * MIB, 4);
    printf("# %d failed, %u entries of %u, %u cells left of %u\n", bad,
         ux_registry_count(w->store.registry),
         ux_registry_count(single->store.registry),
         ux_registry_cells_left(w->store.registry),
         ux_registry_cells_left(single->store.registry));
    ok(bad == 0 && ux_registry_count(w->store.registry)
                   == ux_registry_count(single->store.registry)
       && ux_registry_cells_left(w->store.registry)
          == ux_registry_cells_left(single->store.registry),
       "four processes that bind at once register what one would");

    worker_free(w);
    worker_free(single);
    munmap(mem, 4 * MIB);
    munmap(one, 4 * MIB);
}


int
main(void)
{
    test_bind();
    test_rebind();
    test_fits();
    test_fits_slots();
    test_incomplete();
    test_processes();

    return done();
}
