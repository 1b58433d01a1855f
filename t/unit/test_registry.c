
/*
 * Copyright (C) the nginx-ux authors
 *
 * The registry: finding, appending, numbers and cells, several processes.
 */

#include "ux_registry_private.h"
#include "tap.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>


#define CAPACITY   600
#define PROCESSES  8


typedef struct {
    ux_process_t    processes[PROCESSES];
    uint64_t        given[PROCESSES];
    ux_registry_t   registry;
    ux_entry_t      entries[CAPACITY];
} shared_t;


static shared_t       *s;
static ux_registrar_t  who;


static void
repair(void *ctx, uint32_t dead)
{
    (void) ctx;
    ux_registry_repair(&s->registry, dead);
}


static void
fresh(uint32_t capacity, uint32_t all_cells)
{
    memset(s, 0, sizeof(shared_t));
    ux_registry_init(&s->registry, capacity, 100, all_cells);

    who.registry = &s->registry;
    who.tries = 1000;
    who.processes = s->processes;
    who.me = ux_process_claim(s->processes, PROCESSES, repair, NULL);
}


static ux_claim_t
claim_of(ux_entry_e kind, const char *name)
{
    ux_claim_t  claim;

    memset(&claim, 0, sizeof(claim));
    claim.kind = kind;
    claim.name.data = name;
    claim.name.len = strlen(name);
    claim.parent = UX_PARENT_NONE;

    return claim;
}


static void
test_names(void)
{
    char               name[UX_NAME_MAX + 2];
    ux_claim_t         claim;
    const ux_entry_t  *a, *b, *again;

    fresh(CAPACITY, 10000);

    claim = claim_of(UX_ENTRY_EVENT, "purchase");
    ok(ux_registry_find(&s->registry, &claim) == NULL, "nothing to find");
    ok(ux_registry_claim(&who, &claim, 77, &a) == UX_OK
       && a->ordinal == 0 && a->created_ms == 77 && a->name_len == 8
       && memcmp(a->name, "purchase", 8) == 0, "the first event is 0");

    claim = claim_of(UX_ENTRY_EVENT, "refund");
    ok(ux_registry_claim(&who, &claim, 78, &b) == UX_OK && b->ordinal == 1,
       "the next is 1");

    claim = claim_of(UX_ENTRY_EVENT, "purchase");
    ok(ux_registry_claim(&who, &claim, 79, &again) == UX_OK && again == a
       && ux_registry_count(&s->registry) == 2, "a name keeps its number");
    ok(ux_registry_find(&s->registry, &claim) == a, "and is found");

    claim = claim_of(UX_ENTRY_FUNNEL, "purchase");
    ok(ux_registry_claim(&who, &claim, 80, &b) == UX_OK && b->ordinal == 0,
       "every kind counts for itself");

    claim = claim_of(UX_ENTRY_TOTAL, "sign_up");
    claim.value = 1;
    ok(ux_registry_claim(&who, &claim, 81, &a) == UX_OK && a->ordinal == 1,
       "totals begin at 1");
    claim.value = 2;
    ok(ux_registry_claim(&who, &claim, 82, &b) == UX_OK && b->ordinal == 2,
       "and differ by their type");

    claim = claim_of(UX_ENTRY_EXPERIMENT, "layout");
    claim.value = 1;
    (void) ux_registry_claim(&who, &claim, 83, &a);
    claim.value = 2;
    ok(ux_registry_claim(&who, &claim, 84, &b) == UX_OK && a != b
       && b->ordinal == 1, "another version is another experiment");

    claim = claim_of(UX_ENTRY_VARIANT, "control");
    claim.parent = 0;
    (void) ux_registry_claim(&who, &claim, 85, &a);
    claim.parent = 1;
    ok(ux_registry_claim(&who, &claim, 86, &b) == UX_OK && a != b,
       "a variant belongs to its experiment");

    claim = claim_of(UX_ENTRY_VARIANT, "contro");
    claim.parent = 0;
    ok(ux_registry_find(&s->registry, &claim) == NULL,
       "the start of a name is another name");

    ok(ux_registry_get(&s->registry, UX_ENTRY_VARIANT, 1) == b
       && ux_registry_get(&s->registry, UX_ENTRY_VARIANT, 2) == NULL,
       "entries are got by kind and number");

    memset(name, 'a', sizeof(name));
    claim = claim_of(UX_ENTRY_EVENT, "");
    claim.name.data = name;
    claim.name.len = UX_NAME_MAX;
    ok(ux_registry_claim(&who, &claim, 87, &a) == UX_OK
       && memcmp(a->name, name, UX_NAME_MAX) == 0, "64 bytes of name fit");
    claim.name.len++;
    ok(ux_registry_claim(&who, &claim, 87, &a) == UX_ERROR,
       "65 are refused");
}


static void
test_epochs(void)
{
    ux_claim_t         claim;
    const ux_entry_t  *a, *b, *c;

    fresh(CAPACITY, 10000);

    ok(ux_registry_epoch(&s->registry, 3) == NULL, "no epoch yet");

    claim = claim_of(UX_ENTRY_EPOCH, "");
    claim.parent = 3;
    claim.value = 111;
    (void) ux_registry_claim(&who, &claim, 1, &a);
    ok(a->aux == 1 && a->ordinal == 0, "the first epoch is 1");

    (void) ux_registry_claim(&who, &claim, 2, &b);
    ok(a == b, "nothing changed, the same epoch");

    claim.parent = 4;
    (void) ux_registry_claim(&who, &claim, 2, &b);
    ok(b->aux == 1 && b->ordinal == 1, "another experiment has its own");

    claim.parent = 3;
    claim.value = 222;
    (void) ux_registry_claim(&who, &claim, 3, &b);
    ok(b->aux == 2 && ux_registry_epoch(&s->registry, 3) == b,
       "a change opens the next");

    claim.value = 111;
    (void) ux_registry_claim(&who, &claim, 4, &c);
    ok(c->aux == 3 && c != a, "going back opens one more");
    ok(!ux_registry_restarts(b, c), "and restarts nothing");

    claim.analysis = 5;
    claim.control = 9;
    (void) ux_registry_claim(&who, &claim, 5, &a);
    ok(a->aux == 4 && a->analysis == 5 && a->control == 9
       && ux_registry_restarts(c, a), "another analysis does both");
    (void) ux_registry_claim(&who, &claim, 6, &b);
    ok(a == b, "once");
}


static void
test_cells(void)
{
    unsigned           i;
    ux_claim_t         claim;
    const ux_entry_t  *a, *b, *c;

    fresh(CAPACITY, 1000);

    ok(ux_registry_cells_left(&s->registry) == 900, "cells from 100 to 1000");

    claim = claim_of(UX_ENTRY_ARM, "");
    claim.cells = 300;
    (void) ux_registry_claim(&who, &claim, 1, &a);
    ok(a->base == 100 && a->ring == 0, "blocks grow up");

    claim = claim_of(UX_ENTRY_ARM_CART, "");
    claim.cells = 20;
    claim.ring_cells = 200;
    (void) ux_registry_claim(&who, &claim, 1, &b);
    ok(b->base == 400 && b->ring == 800, "rings grow down");

    claim = claim_of(UX_ENTRY_EVENT, "x");
    (void) ux_registry_claim(&who, &claim, 1, &c);
    ok(c->base == 0 && c->ring == 0
       && ux_registry_cells_left(&s->registry) == 380,
       "names without cells change nothing");

    claim = claim_of(UX_ENTRY_ARM, "");
    claim.aux = 1;
    claim.cells = 381;
    ok(ux_registry_claim(&who, &claim, 1, &c) == UX_FULL
       && ux_registry_count(&s->registry) == 3, "one cell too many: full");
    claim.cells = 180;
    claim.ring_cells = 200;
    ok(ux_registry_claim(&who, &claim, 1, &c) == UX_OK && c->base == 420
       && c->ring == 600 && ux_registry_cells_left(&s->registry) == 0,
       "they may meet");

    claim = claim_of(UX_ENTRY_STEP, "x");
    claim.limit = 2;

    for (i = 0; i < 2; i++) {
        claim.parent = (uint16_t) i;
        (void) ux_registry_claim(&who, &claim, 1, &c);
    }

    claim.parent = 2;
    ok(c->ordinal == 1 && ux_registry_claim(&who, &claim, 1, &c) == UX_FULL,
       "a kind may have a limit");

    fresh(3, 1000);

    for (i = 0; i < 3; i++) {
        claim = claim_of(UX_ENTRY_VARIANT, "x");
        claim.parent = (uint16_t) i;
        (void) ux_registry_claim(&who, &claim, 1, &c);
    }

    claim.parent = 3;
    ok(ux_registry_claim(&who, &claim, 1, &c) == UX_FULL,
       "and the registry an end");

    claim.parent = 1;
    ok(ux_registry_claim(&who, &claim, 1, &c) == UX_OK,
       "what is there is found all the same");
}


/* One block for all windows of an arm's cart, a ring for each of these. */
static void
test_windows(void)
{
    ux_claim_t         claim;
    const ux_entry_t  *a, *b, *c;

    fresh(CAPACITY, 1000);

    claim = claim_of(UX_ENTRY_ARM_CART, "");
    claim.parent = 5;
    claim.aux = 1;
    claim.value = 60000;
    claim.variant = 1;
    claim.width = 4;
    claim.cells = 20;
    claim.ring_cells = 200;
    ok(ux_registry_need(&s->registry, &claim) == 220, "a block and a ring");
    (void) ux_registry_claim(&who, &claim, 1, &a);

    claim.value = 90000;
    ok(ux_registry_need(&s->registry, &claim) == 200, "then a ring only");
    (void) ux_registry_claim(&who, &claim, 1, &b);
    ok(b != a && b->base == a->base && b->ring == a->ring - 200
       && ux_registry_cells_left(&s->registry) == 900 - 420,
       "another window: the same block, another ring");

    claim.aux = 2;
    (void) ux_registry_claim(&who, &claim, 1, &c);
    ok(c->base == a->base + 20, "another cart: another block");
    claim.aux = 1;
    claim.parent = 6;
    claim.variant = 2;
    (void) ux_registry_claim(&who, &claim, 1, &c);
    ok(c->base == a->base + 40, "so has another arm");

    claim.parent = 5;
    claim.variant = 1;
    claim.value = 30000;
    claim.ring_cells = 41;
    ok(ux_registry_cells_left(&s->registry) == 40
       && ux_registry_claim(&who, &claim, 1, &c) == UX_FULL,
       "a ring that has no room");
    claim.ring_cells = 40;
    ok(ux_registry_claim(&who, &claim, 1, &c) == UX_OK
       && c->base == a->base, "one that just has");
}


/* One ring for all arms of a variant; a wider one for more steps. */
static void
test_rings(void)
{
    ux_claim_t         claim;
    const ux_entry_t  *a, *b, *c;

    fresh(CAPACITY, 1000);

    claim = claim_of(UX_ENTRY_ARM_CART, "");
    claim.parent = 5;
    claim.aux = 1;
    claim.value = 60000;
    claim.variant = 3;
    claim.width = 6;
    claim.cells = 20;
    claim.ring_cells = 60;
    (void) ux_registry_claim(&who, &claim, 1, &a);
    ok(a->variant == 3 && a->width == 6 && a->shares == 0,
       "the first arm has a ring");

    claim.parent = 7;
    ok(ux_registry_need(&s->registry, &claim) == 20, "the next no other");
    (void) ux_registry_claim(&who, &claim, 1, &b);
    ok(b != a && b->ring == a->ring && b->shares != 0 && b->width == 6
       && b->base == a->base + 20
       && ux_registry_cells_left(&s->registry) == 900 - 100,
       "it shares that");

    claim.width = 7;
    claim.ring_cells = 70;
    (void) ux_registry_claim(&who, &claim, 1, &c);
    ok(c != b && c->base == b->base && c->ring == a->ring - 70
       && c->width == 7 && c->shares == 0, "a wider one is another");

    claim.width = 5;
    ok(ux_registry_find(&s->registry, &claim) == c,
       "a narrower one is the widest there is");
    claim.parent = 5;
    ok(ux_registry_find(&s->registry, &claim) == a, "of this arm");

    claim.parent = 8;
    (void) ux_registry_claim(&who, &claim, 1, &b);
    ok(b->ring == c->ring && b->width == 7,
       "a new arm shares the newest, and has its width");

    claim.parent = 9;
    claim.variant = 4;
    (void) ux_registry_claim(&who, &claim, 1, &b);
    ok(b->ring != c->ring && b->shares == 0, "another variant has its own");
}


static void
test_reader(void)
{
    ux_claim_t         claim;
    const ux_entry_t  *a;

    fresh(CAPACITY, 1000);

    claim = claim_of(UX_ENTRY_EVENT, "x");
    who.me = UX_PROCESS_NONE;
    ok(ux_registry_claim(&who, &claim, 1, &a) == UX_BUSY
       && ux_registry_count(&s->registry) == 0, "a reader appends nothing");

    who.me = 0;
    (void) ux_registry_claim(&who, &claim, 1, &a);
    who.me = UX_PROCESS_NONE;
    ok(ux_registry_claim(&who, &claim, 1, &a) == UX_OK, "but finds");
}


/* Four processes claim the same 500 names and kill themselves now and then. */
static void
test_processes(void)
{
    int                p, status, running, finished;
    char               name[32];
    unsigned           i, k, bad;
    ux_claim_t         claim;
    const ux_entry_t  *a, *b;

    fresh(CAPACITY, 100 + 500 * 7);
    fflush(stdout);

    running = 0;
    finished = 0;
    bad = 0;

    for (p = 0; p < 40; p++) {
        if (fork() == 0) {
            who.me = ux_process_claim(s->processes, PROCESSES, repair, NULL);

            for (i = 0; i < 500; i++) {
                (void) snprintf(name, sizeof(name), "name_%u",
                                (i * 7 + (unsigned) p) % 500);
                claim = claim_of(UX_ENTRY_EVENT, name);
                claim.cells = 7;

                if (ux_registry_claim(&who, &claim, 1, &a) != UX_OK
                    || a->name_len != claim.name.len)
                {
                    _exit(1);
                }

                if (p < 36 && i == 13u * (unsigned) (p + 1)) {
                    raise(SIGKILL);
                }
            }

            _exit(0);
        }

        if (++running == 4) {
            (void) wait(&status);
            finished += WIFEXITED(status) && WEXITSTATUS(status) == 0;
            bad += WIFEXITED(status) && WEXITSTATUS(status) != 0;
            running--;
        }
    }

    while (wait(&status) > 0) {
        finished += WIFEXITED(status) && WEXITSTATUS(status) == 0;
        bad += WIFEXITED(status) && WEXITSTATUS(status) != 0;
    }

    ok(bad == 0 && finished == 4,
       "36 killed, the other four found or made all names");
    ok(ux_registry_count(&s->registry) == 500, "no name is there twice");

    for (i = 0; i < 500; i++) {
        a = &s->registry.entries[i];
        bad += a->ordinal != i || a->base != 100 + 7 * i;

        for (k = i + 1; k < 500; k++) {
            b = &s->registry.entries[k];
            bad += a->name_len == b->name_len
                   && memcmp(a->name, b->name, a->name_len) == 0;
        }
    }

    ok(bad == 0, "every one has its own number and cells");
}


int
main(void)
{
    s = mmap(NULL, sizeof(shared_t), PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (s == MAP_FAILED) {
        printf("Bail out! no memory\n");
        return 1;
    }

    test_names();
    test_epochs();
    test_cells();
    test_windows();
    test_rings();
    test_reader();
    test_processes();

    return done();
}
