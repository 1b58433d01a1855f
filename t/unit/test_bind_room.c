
/*
 * Copyright (C) the nginx-ux authors
 *
 * How long a zone lasts: what each change of a configuration takes of its
 * counters, that a dry run finds just that, and what is said in the end.
 */

#include "store_case.h"

#include "ux_timing.h"


/* More than fit into 4 MiB for their counters, and not for their names. */
#define HELD        16

/* Of a variant with a funnel of so many steps, and of one more. */
#define STEPS(n)    UX_TIMINGS_FUNNEL_CELLS(n)
#define TIMINGS(n)  (UX_TIMINGS_REQUESTS_CELLS + STEPS(n))


static void test_reweights(void);
static unsigned reweights(size_t size);
static void test_changes(void);
static void test_evidence(void);
static void change_is(worker_t *w, uint64_t cells, const char *what);
static void test_sharing(void);
static void test_held(void);
static worker_t *worker_joined(size_t size, unsigned n, unsigned steps);
static void worker_end(worker_t *w);
static void steps_set(worker_t *w, unsigned funnel, unsigned steps);


static void  *mem;


int
main(void)
{
    test_reweights();
    test_changes();
    test_evidence();
    test_sharing();
    test_held();

    return done();
}


/* Two variants, a funnel of five steps with a cart. */
static void
test_reweights(void)
{
    unsigned  i, n;

    static const struct {
        unsigned  mib, least;
    }  zones[] = { { 4, 20 }, { 8, 50 }, { 64, 470 } };

    for (i = 0; i < 3; i++) {
        n = reweights(zones[i].mib * MIB);
        ok(n >= zones[i].least, "%u MiB: room for %u re-weights",
           zones[i].mib, n);
    }
}


/* Until the dry run says no, and bind() then too. */
static unsigned
reweights(size_t size)
{
    unsigned   n;
    worker_t  *w;

    w = worker_joined(size, 1, 5);

    for (n = 0; n < 5000; n++) {
        w->experiments[0].variants[1].weight = 100 + n;

        if (ux_store_fits(&w->store, &w->model, &error) != UX_OK) {
            break;
        }

        if (worker_bind(w) != UX_OK) {
            ok(false, "what fits is bound");
            break;
        }
    }

    ok(worker_bind(w) == UX_FULL, "what does not fit is not bound");
    worker_end(w);

    return n;
}


/* Two experiments: four variants. */
static void
test_changes(void)
{
    unsigned   i;
    uint32_t   ring;
    ux_str_t   again = ux_str("again");
    ux_str_t   third = ux_str("third");
    worker_t  *w, *reader;

    w = worker_joined(16 * MIB, 2, 5);

    for (i = 0; i < 3; i++) {
        w->experiments[0].variants[1].weight = 100 + i;
        change_is(w, 2 * (UX_ARM_CELLS + UX_CART_CELLS),
                  "a re-weight takes two blocks of its arms");
    }

    change_is(w, 0, "no change takes nothing");

    ring = w->arms[0].rings[0];

    w->model.funnels[0].within_ms = 1800000;
    change_is(w, 4 * UX_BUCKETS * UX_RING_WIDTH(5),
              "another window takes a ring a variant");
    ok(w->arms[0].rings[0] != ring, "and that is used");

    w->model.funnels[0].within_ms = 3600000;
    change_is(w, 0, "the first window again takes none");
    ok(w->arms[0].rings[0] == ring, "and has its ring");

    reader = worker_make(mem, 16 * MIB, 2);
    steps_set(reader, 0, 6);
    ok(worker_bind(reader) == UX_BUSY && reader->arms[0].base != 0
       && reader->arms[0].carts[0] == 0 && reader->arms[0].rings[0] == 0,
       "a ring too narrow for the steps is none");

    steps_set(w, 0, 6);
    change_is(w, 4 * (UX_BUCKETS * UX_RING_WIDTH(6) + STEPS(6)),
              "another step takes a wider ring a variant, and its times");
    ok(w->arms[0].rings[0] != ring
       && w->arms[0].widths[0] == UX_RING_WIDTH(6), "and that is used");

    ux_store_refresh(&reader->store);
    ok(reader->arms[0].rings[0] == w->arms[0].rings[0],
       "who was waiting for it has it too");
    worker_free(reader);

    ring = w->arms[0].rings[0];
    steps_set(w, 0, 5);
    change_is(w, 0, "a step less takes nothing");
    ok(w->arms[0].rings[0] == ring
       && w->arms[0].widths[0] == UX_RING_WIDTH(6),
       "there may be carts at the step that went");

    /* ten arms by now: two of one experiment, and eight of four epochs */

    w->model.funnels[1] = w->model.funnels[0];
    w->model.funnels[1].name = again;
    w->model.nfunnels = 2;
    steps_set(w, 1, 3);
    change_is(w, 10 * UX_CART_CELLS
                 + 4 * (UX_BUCKETS * UX_RING_WIDTH(3) + STEPS(3)),
              "a new cart funnel takes blocks of all arms, rings of variants");

    w->experiments[0].variants[2].name = third;
    w->experiments[0].variants[2].weight = 1;
    w->experiments[0].nvariants = 3;
    change_is(w, 3 * (UX_ARM_CELLS + 2 * UX_CART_CELLS)
                 + UX_BUCKETS * (UX_RING_WIDTH(5) + UX_RING_WIDTH(3))
                 + TIMINGS(5) + STEPS(3),
              "a new variant has rings of its own");

    w->model.funnels[1].within_ms = 60000;
    w->experiments[1].variants[0].weight = 3;
    change_is(w, 2 * (UX_ARM_CELLS + 2 * UX_CART_CELLS)
                 + 5 * UX_BUCKETS * UX_RING_WIDTH(3),
              "a new epoch and a new window at once");

    w->experiments[1].version = 2;
    change_is(w, 2 * (UX_ARM_CELLS + 2 * UX_CART_CELLS)
                 + 2 * UX_BUCKETS * (UX_RING_WIDTH(5) + UX_RING_WIDTH(3))
                 + 2 * (TIMINGS(5) + STEPS(3)) + UX_BALANCE_CELLS,
              "a new version shares nothing");

    worker_end(w);
}


/* Where looks leave what they found. */
static void
test_evidence(void)
{
    uint64_t          blocks;
    worker_t         *w;
    ux_experiment_t  *e;
    const ux_str_t    third = ux_str("third"), fourth = ux_str("fourth");

    w = worker_joined(16 * MIB, 2, 5);
    e = &w->experiments[1];
    blocks = UX_ARM_CELLS + UX_CART_CELLS;

    e->metrics[0].event = UX_EVENT_ADD_TO_CART;
    e->metrics[0].role = UX_ROLE_SECONDARY;
    e->nmetrics = 1;
    change_is(w, UX_EVIDENCE_CELLS, "a metric of one variant");

    e->metrics[1] = e->metrics[0];
    e->metrics[1].type = UX_METRIC_COUNT;
    e->nmetrics = 2;
    change_is(w, UX_EVIDENCE_CELLS, "another type is another metric");

    e->metrics[1].margin = 0.5;
    e->metrics[1].role = UX_ROLE_GUARDRAIL;
    change_is(w, 0, "another role is not");

    e->variants[2].name = third;
    e->nvariants = 3;
    change_is(w, 3 * blocks + UX_BUCKETS * UX_RING_WIDTH(5)
                 + 2 * UX_EVIDENCE_CELLS + TIMINGS(5),
              "another variant has its own");

    e->variants[2].weight = 9;
    change_is(w, 3 * blocks, "a re-weight goes on with what there is");

    e->alpha = 0.01;
    change_is(w, 3 * blocks + 4 * UX_EVIDENCE_CELLS + UX_BALANCE_CELLS,
              "another analysis begins anew");

    /* as it was: no going on with what came before */

    e->alpha = 0;
    change_is(w, 3 * blocks + 4 * UX_EVIDENCE_CELLS + UX_BALANCE_CELLS,
              "and so does the old one");

    e->alpha = 0.01;
    e->variants[3].name = fourth;
    e->nvariants = 4;
    change_is(w, 4 * blocks + UX_BUCKETS * UX_RING_WIDTH(5)
                 + 6 * UX_EVIDENCE_CELLS + UX_BALANCE_CELLS + TIMINGS(5),
              "with another variant at once");

    worker_end(w);
}


/* With just these cells it fits, with one fewer not; bind takes them. */
static void
change_is(worker_t *w, uint64_t cells, const char *what)
{
    bool             bad;
    uint32_t         left, all, own;
    uint64_t         took;
    ux_registry_t   *registry;
    ux_entry_t      *last;

    registry = w->store.registry;
    last = &registry->entries[registry->count - 1];
    left = ux_registry_cells_left(registry);
    all = last->next_ring;
    own = last->next_cell;

    bad = false;

    if (cells != 0) {
        last->next_ring = own + (uint32_t) cells - 1;
        bad = ux_store_fits(&w->store, &w->model, &error) == UX_OK;
    }

    last->next_ring = own + (uint32_t) cells;
    bad = bad || ux_store_fits(&w->store, &w->model, &error) != UX_OK;
    last->next_ring = all;

    bad = bad || worker_bind(w) != UX_OK;
    took = left - ux_registry_cells_left(registry);

    ok(!bad && took == cells, "%s: %llu counters, of %llu", what,
       (unsigned long long) took, (unsigned long long) cells);
}


/* What visitors of two epochs do is in one ring. */
static void
test_sharing(void)
{
    unsigned             i;
    uint32_t             row;
    worker_t            *w;
    ux_ring_change_t     change;
    static ux_changes_t  changes;

    w = worker_joined(MIB, 1, 2);
    w->experiments[0].variants[1].weight = 7;
    (void) worker_bind(w);

    memset(&change, 0, sizeof(change));
    change.field = UX_RING_ALIVE + 1;
    change.bucket = 70;
    change.delta = 1;

    ux_changes_clear(&changes);

    for (i = 0; i < 4; i++) {
        change.arm = (uint16_t) i;
        change.delta = 1 + (int32_t) i * 10;
        ux_changes_ring(&changes, change);
    }

    ux_store_apply(&w->store, &changes);

    row = 70 % UX_BUCKETS * UX_RING_WIDTH(2) + UX_RING_ALIVE + 1;

    ok(w->arms[0].rings[0] == w->arms[2].rings[0]
       && w->arms[1].rings[0] == w->arms[3].rings[0]
       && w->arms[0].rings[0] != w->arms[1].rings[0]
       && w->arms[0].carts[0] != w->arms[2].carts[0],
       "arms of a variant share the ring, not the block");
    ok(ux_counter_ring_read(&w->store.counter, w->arms[0].rings[0] + row, 70)
       == 22
       && ux_counter_ring_read(&w->store.counter, w->arms[1].rings[0] + row,
                               70) == 42,
       "both count in it");

    worker_end(w);
}


static void
test_held(void)
{
    char       held[128];
    unsigned   n, k;
    uint64_t   block, rings;
    worker_t  *w;

    block = UX_ARM_CELLS + UX_CART_CELLS;
    rings = 2 * (UX_BUCKETS * UX_RING_WIDTH(5) + TIMINGS(5));

    /* nothing held: it is just too small */

    mem = zone_make(512 * KIB);
    w = worker_make(mem, 512 * KIB, HELD);
    ok(ux_store_fits(&w->store, &w->model, &error) == UX_FULL
       && strstr(error.message, "room for 20480: raise the size") != NULL,
       "%s", error.message);

    worker_end(w);

    /* as many epochs of one as there is room for */

    w = worker_joined(512 * KIB, 1, 5);

    for (n = 1; n < 5000; n++) {
        w->experiments[0].variants[1].weight = 100 + n;

        if (ux_store_fits(&w->store, &w->model, &error) != UX_OK) {
            break;
        }

        (void) worker_bind(w);
    }

    (void) snprintf(held, sizeof(held), "of which %llu are held by %u earlier"
                    " epochs until nginx is restarted: raise the size",
                    (unsigned long long) (n * 2 * block), n);
    ok(strstr(error.message, held) != NULL, "%s", error.message);
    worker_end(w);

    /* removed are one of three epochs and one of one; one has three more */

    w = worker_joined(4 * MIB, 3, 5);

    for (k = 0; k < 3; k++) {
        w->experiments[0].variants[1].weight = 100 + k;
        w->experiments[1].variants[1].weight = k == 0 ? 9 : 10;
        (void) worker_bind(w);
    }

    w->model.nexperiments = HELD;

    for (k = 1; k < HELD; k++) {
        (void) snprintf(w->names[k], sizeof(w->names[k]), "new_%u", k);
        w->experiments[k] = w->experiments[0];
        w->experiments[k].name.data = w->names[k];
        w->experiments[k].name.len = strlen(w->names[k]);
    }

    (void) snprintf(held, sizeof(held), "of which %llu are held by 3 earlier "
                    "epochs and 2 removed experiments",
                    (unsigned long long) (3 * 2 * block + 4 * 2 * block
                                          + 2 * rings));
    ok(ux_store_fits(&w->store, &w->model, &error) == UX_FULL
       && strstr(error.message, held) != NULL, "%s (%s)", error.message,
       held);

    /* and once that one is gone, too */

    w->model.nexperiments = HELD;
    w->experiments[0].name = w->experiments[1].name;
    w->experiments[1].version = 2;
    w->experiments[2].version = 2;

    (void) snprintf(held, sizeof(held), "of which %llu are held by 3 removed "
                    "experiments until",
                    (unsigned long long) (8 * 2 * block + 3 * rings));
    ok(ux_store_fits(&w->store, &w->model, &error) == UX_FULL
       && strstr(error.message, held) != NULL, "%s (%s)", error.message,
       held);

    worker_end(w);
}


/* In a zone of its own, bound. */
static worker_t *
worker_joined(size_t size, unsigned n, unsigned steps)
{
    worker_t  *w;

    mem = zone_make(size);
    w = worker_make(mem, size, n);
    steps_set(w, 0, steps);

    (void) ux_store_join(&w->store);
    (void) worker_bind(w);

    return w;
}


static void
worker_end(worker_t *w)
{
    size_t  size;

    size = w->store.head->size;

    worker_free(w);
    (void) munmap(mem, size);
}


static void
steps_set(worker_t *w, unsigned funnel, unsigned steps)
{
    unsigned  i;

    w->model.funnels[funnel].nsteps = (uint8_t) steps;

    for (i = 0; i < steps; i++) {
        w->model.funnels[funnel].steps[i].event = (uint8_t) i;
    }
}
