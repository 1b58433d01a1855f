
/*
 * Copyright (C) the nginx-ux authors
 *
 * A zone as a whole: its layout, joining, binding, what fits, applying.
 */

#include "ux_store.h"
#include "ux_registry_private.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>


#define KIB  1024ull
#define MIB  (1024 * KIB)

#define EXPERIMENTS  40


/* A process's own: what the caller of the store provides. */
typedef struct {
    ux_store_t       store;
    ux_model_t       model;
    ux_arm_t        *arms;
    ux_binding_t     bindings[EXPERIMENTS];
    ux_experiment_t  experiments[EXPERIMENTS];
    char             names[EXPERIMENTS][16];
} worker_t;


static ux_store_params_t  params = { 8, 3, 2592000 };
static uint8_t            secrets[64];
static ux_error_t         error;


static void *
zone_map(size_t size)
{
    void  *mem;

    mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
               MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (mem == MAP_FAILED) {
        printf("Bail out! no memory\n");
        exit(1);
    }

    return mem;
}


static void *
zone_make(size_t size)
{
    void  *mem;

    mem = zone_map(size);

    if (ux_store_init(mem, size, &params, secrets, 123, &error) != UX_OK) {
        printf("Bail out! %s\n", error.message);
        exit(1);
    }

    return mem;
}


/* n experiments of two variants, a funnel with a cart, a total. */
static worker_t *
worker_make(void *mem, size_t size, unsigned n)
{
    unsigned          i;
    worker_t         *w;
    ux_str_t          zone = ux_str("shop");
    ux_str_t          checkout = ux_str("checkout");
    ux_str_t          signed_up = ux_str("signed_up");
    ux_str_t          control = ux_str("control");
    ux_str_t          page = ux_str("one_page");
    ux_experiment_t  *experiment;

    w = calloc(1, sizeof(worker_t));

    if (ux_store_attach(&w->store, mem, size, &error) != UX_OK) {
        printf("Bail out! %s\n", error.message);
        exit(1);
    }

    w->arms = calloc(w->store.head->registry_capacity, sizeof(ux_arm_t));

    ux_model_init(&w->model, zone, 0);

    w->model.events[w->model.nevents++] = signed_up;

    w->model.totals[1].event = UX_EVENT_BUILTIN;
    w->model.totals[1].type = UX_METRIC_COUNT;
    w->model.ntotals = 2;

    w->model.nfunnels = 1;
    w->model.funnels[0].name = checkout;
    w->model.funnels[0].nsteps = 2;
    w->model.funnels[0].steps[0].event = UX_EVENT_BEGIN_CHECKOUT;
    w->model.funnels[0].steps[1].event = UX_EVENT_PURCHASE;
    w->model.funnels[0].cart_event = UX_EVENT_ADD_TO_CART;
    w->model.funnels[0].within_ms = 3600000;

    w->model.experiments = w->experiments;
    w->model.nexperiments = n;

    for (i = 0; i < n; i++) {
        (void) snprintf(w->names[i], sizeof(w->names[i]), "exp_%u", i);

        experiment = &w->experiments[i];
        experiment->name.data = w->names[i];
        experiment->name.len = strlen(w->names[i]);
        experiment->salt = experiment->name;
        experiment->version = 1;
        experiment->traffic = 1;
        experiment->window_ms = 604800000;
        experiment->nvariants = 2;
        experiment->variants[0].name = control;
        experiment->variants[0].weight = 50;
        experiment->variants[1].name = page;
        experiment->variants[1].weight = 50;
    }

    return w;
}


static ux_status_t
worker_bind(worker_t *w)
{
    return ux_store_bind(&w->store, &w->model, w->arms, w->bindings, 1000);
}


static void
worker_free(worker_t *w)
{
    ux_store_leave(&w->store);
    free(w->arms);
    free(w);
}


static void
test_init(void)
{
    void               *mem;
    ux_store_t          store;
    ux_store_params_t   wrong;

    mem = zone_map(MIB);

    ok(ux_store_init(mem, UX_STORE_SIZE_MIN - 1, &params, secrets, 0, &error)
       == UX_ERROR && strstr(error.message, "458752") != NULL,
       "too small: the minimum is stated (%s)", error.message);

    wrong = params;
    wrong.experiments = 17;
    ok(ux_store_init(mem, MIB, &wrong, secrets, 0, &error) == UX_ERROR
       && strstr(error.message, "17") != NULL, "%s", error.message);
    wrong = params;
    wrong.totals = 9;
    ok(ux_store_init(mem, MIB, &wrong, secrets, 0, &error) == UX_ERROR,
       "so are too many totals");

    ok(ux_store_attach(&store, mem, MIB, &error) == UX_ERROR,
       "zeroed memory is no zone");

    munmap(mem, MIB);
}


static void
layout_check(size_t size)
{
    void                   *mem;
    uint64_t                counters, visitors;
    ux_store_t              store;
    const ux_store_head_t  *h;

    mem = zone_make(size);
    h = mem;

    ok(sizeof(ux_store_head_t) <= h->processes_at
       && h->processes_at + h->nprocesses * sizeof(ux_process_t)
          <= h->registry_at
       && h->registry_at + ux_registry_size(h->registry_capacity)
          <= h->copies_at
       && h->copies_at + UX_WORKERS * 8ull * h->own_cells <= h->shared_at
       && h->shared_at + 8ull * h->all_cells <= h->buckets_at
       && h->buckets_at + ux_table_size(h->nbuckets) <= h->size
       && h->nbuckets >= 1 && h->size == size,
       "%zu KiB: parts in order, inside, %u buckets", size >> 10,
       h->nbuckets);
    ok((h->processes_at | h->registry_at | h->copies_at | h->shared_at
        | h->buckets_at) % 64 == 0 && h->own_cells % 8 == 0,
       "all aligned");

    counters = h->buckets_at - h->copies_at;
    visitors = ux_table_capacity(h->nbuckets);

    ok(h->nprocesses * sizeof(ux_process_t) <= size / 8
       && h->nprocesses >= 20 && counters <= size / 2 + 128
       && counters >= (size < 4 * MIB ? size / 2 < 256 * KIB ? size / 2 - 256
                                      : 256 * KIB - 256 : size / 16 - 256),
       "processes at most an eighth, counters their share");
    ok(h->own_cells == 0 || h->own_cells >= UX_ZONE_CELLS,
       "copies hold the zone's own cells, or there are none");
    ok(ux_store_attach(&store, mem, size, &error) == UX_OK, "it attaches");

    if (size == 64 * MIB) {
        ok(size / visitors <= 152, "64 MiB: %.1f bytes a visitor",
           (double) size / (double) visitors);
    }

    munmap(mem, size);
}


static void
test_attach(void)
{
    void             *mem;
    ux_store_t        store;
    ux_store_head_t  *h, good;

    mem = zone_make(MIB);
    h = mem;
    good = *h;

    ok(ux_store_attach(&store, mem, MIB, &error) == UX_OK
       && store.me == UX_PROCESS_NONE && store.counter.mine == NULL
       && store.plan.experiments_max == 8 && store.table.inactive_s == 2592000,
       "attaches as a reader");
    ok(memcmp(h->uuid, secrets, 16) == 0
       && memcmp(h->index_key, secrets + 16, 16) == 0
       && memcmp(h->secret, secrets + 32, 32) == 0 && h->created_ms == 123,
       "the random bytes are in their places");

    ok(ux_store_attach(&store, mem, MIB - 4096, &error) == UX_ERROR,
       "another size is refused");
    h->magic++;
    ok(ux_store_attach(&store, mem, MIB, &error) == UX_ERROR, "and a magic");
    *h = good;
    h->layout++;
    ok(ux_store_attach(&store, mem, MIB, &error) == UX_ERROR, "a layout");
    *h = good;
    h->buckets_at += 64;
    ok(ux_store_attach(&store, mem, MIB, &error) == UX_ERROR, "an offset");
    *h = good;
    h->nbuckets++;
    ok(ux_store_attach(&store, mem, MIB, &error) == UX_ERROR, "a count");
    *h = good;
    ok(ux_store_attach(&store, mem, MIB, &error) == UX_OK, "good again");

    munmap(mem, MIB);
}


static void
test_join(void)
{
    int          i, status, bad;
    void        *mem;
    ux_store_t   a;

    mem = zone_make(MIB);
    (void) ux_store_attach(&a, mem, MIB, &error);

    ok(ux_store_join(&a) == UX_OK && a.me == 0 && a.table.me == 0
       && a.counter.mine == a.counter.copies, "the first worker owns copy 0");
    ok(ux_store_join(&a) == UX_OK && a.me == 0, "joining twice is once");

    ux_counter_add(&a.counter, UX_ZONE_INSERTED, 5);
    ux_store_leave(&a);
    ok(a.me == UX_PROCESS_NONE && a.counter.mine == NULL, "it leaves");

    (void) ux_store_join(&a);
    ux_counter_add(&a.counter, UX_ZONE_INSERTED, 5);
    ok(a.counter.mine[UX_ZONE_INSERTED] == 10,
       "a copy is taken over with its values");
    ux_store_leave(&a);

    /* each child stays until all have joined */
    fflush(stdout);

    for (i = 0; i < 21; i++) {
        if (fork() == 0) {
            status = ux_store_join(&a) == UX_OK;
            ux_counter_add(&a.counter, UX_ZONE_EXPIRED, status);
            ux_counter_add(&a.counter, UX_ZONE_ERASED, 1);

            while (ux_counter_read(&a.counter, UX_ZONE_ERASED) < 21) {
                usleep(500);
            }

            _exit(status ? 0 : 1);
        }
    }

    bad = 0;

    while (wait(&status) > 0) {
        bad += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    }

    ok(bad == 1, "20 processes join, one too many is told");
    ok(ux_counter_read(&a.counter, UX_ZONE_EXPIRED) == 20,
       "all of them count");
    ok(a.counter.shared[UX_ZONE_EXPIRED] == 4,
       "those without a copy in the shared one");

    munmap(mem, MIB);
}


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
               || arm->rings[0] + UX_BUCKETS * UX_RING_CELLS
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
    uint32_t         cart;
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
    w->model.funnels[1].within_ms = 7200000;
    w->experiments[0].nvariants = 1;
    ok(worker_bind(w) == UX_OK && w->arms[2].carts[0] != cart
       && w->arms[2].carts[0] != 0, "another window is another cart");
    ok(w->arms[2].experiment == 0 && w->arms[2].variant == -1,
       "a dropped variant is none");

    ux_store_refresh(&old->store);
    ok(old->arms[2].carts[0] == cart, "the old worker keeps to its window");

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
       && strstr(error.message, "room for 16384") != NULL,
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

    one = zone_make(MIB);
    single = worker_make(one, MIB, 4);
    (void) ux_store_join(&single->store);
    (void) worker_bind(single);

    mem = zone_make(MIB);
    fflush(stdout);

    for (p = 0; p < 4; p++) {
        if (fork() == 0) {
            w = worker_make(mem, MIB, 4);
            status = ux_store_join(&w->store) == UX_OK
                     && worker_bind(w) == UX_OK && w->store.plan.narms == 8;
            _exit(status ? 0 : 1);
        }
    }

    bad = 0;

    while (wait(&status) > 0) {
        bad += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    }

    w = worker_make(mem, MIB, 4);
    ok(bad == 0 && ux_registry_count(w->store.registry)
                   == ux_registry_count(single->store.registry)
       && ux_registry_cells_left(w->store.registry)
          == ux_registry_cells_left(single->store.registry),
       "four processes that bind at once register what one would");

    worker_free(w);
    worker_free(single);
    munmap(mem, MIB);
    munmap(one, MIB);
}


static void
test_apply(void)
{
    void                 *mem;
    uint32_t              ring;
    worker_t             *w;
    ux_ring_change_t      change;
    ux_table_effects_t    effects;
    static ux_changes_t   changes;

    mem = zone_make(MIB);
    w = worker_make(mem, MIB, 2);
    (void) ux_store_join(&w->store);
    (void) worker_bind(w);

    ux_changes_clear(&changes);
    ux_changes_add(&changes, UX_ZONE_EVENTS + 5, 1);
    ux_changes_add(&changes, w->arms[3].base + UX_ARM_VISITORS, 2);

    memset(&change, 0, sizeof(change));
    change.arm = 3;
    change.field = UX_RING_ALIVE + 2;
    change.bucket = 1000;
    change.delta = 7;
    ux_changes_ring(&changes, change);

    change.field = UX_RING_CELLS;        /* wrong ones touch nothing */
    ux_changes_ring(&changes, change);
    change.field = 0;
    change.cart = 1;
    ux_changes_ring(&changes, change);
    change.cart = UX_CARTS_MAX;
    ux_changes_ring(&changes, change);
    change.cart = 0;
    change.arm = 4;
    ux_changes_ring(&changes, change);

    ux_store_apply(&w->store, &changes);

    ring = w->arms[3].rings[0] + 1000 % UX_BUCKETS * UX_RING_CELLS;

    ok(ux_counter_read(&w->store.counter, UX_ZONE_EVENTS + 5) == 1
       && ux_counter_read(&w->store.counter,
                          w->arms[3].base + UX_ARM_VISITORS) == 2,
       "changes are counted");
    ok(ux_counter_ring_read(&w->store.counter, ring + UX_RING_ALIVE + 2,
                            1000) == 7, "in the ring of arm and cart");
    ok(ux_counter_ring_read(&w->store.counter, ring, 1000) == 0
       && ux_counter_read(&w->store.counter, 0) == 0,
       "what is out of range is ignored");

    memset(&effects, 0, sizeof(effects));
    effects.inserted = 1;
    ux_store_effects(&w->store, &effects);
    ux_store_effects(&w->store, &effects);
    effects.evicted = 2;
    effects.expired = 3;
    effects.provisional_gone = 2;
    ux_store_effects(&w->store, &effects);

    ok(ux_counter_read(&w->store.counter, UX_ZONE_INSERTED) == 3
       && ux_counter_read(&w->store.counter, UX_ZONE_EVICTED) == 2
       && ux_counter_read(&w->store.counter, UX_ZONE_EXPIRED) == 3
       && ux_counter_read(&w->store.counter, UX_ZONE_PROVISIONAL) == 1,
       "so is what a commit did besides");

    worker_free(w);
    munmap(mem, MIB);
}


int
main(void)
{
    unsigned  i;

    const size_t  sizes[] = {
        UX_STORE_SIZE_MIN, 500 * KIB, 512 * KIB, 516096, MIB, 4 * MIB,
        10 * MIB, 64 * MIB, 1000 * MIB
    };

    for (i = 0; i < 64; i++) {
        secrets[i] = (uint8_t) (i + 1);
    }

    test_init();

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        layout_check(sizes[i]);
    }

    test_attach();
    test_join();
    test_bind();
    test_rebind();
    test_fits();
    test_fits_slots();
    test_incomplete();
    test_processes();
    test_apply();

    return done();
}
