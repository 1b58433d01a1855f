
/*
 * Copyright (C) the nginx-ux authors
 *
 * Lists of changes: made whole or not at all, each once, whoever is killed and
 * whatever others add meanwhile; nobody reads a mark.  At each instruction:
 * test_kill_redo.c.
 */

#include "redo_case.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>


#define KILLS   150


static void
test_list(void)
{
    unsigned      i;
    ux_redo_t     redo;
    ux_counter_t  c;

    memory_start(memory);
    c = counter_of(memory, 0);
    redo = redo_of(memory);

    list(&redo);
    ux_redo_finish(&redo, &c);
    ok(as_it_should(memory, false, false), "a list that is not whole yet");

    ux_redo_commit(&redo);
    ux_redo_finish(&redo, &c);
    ok(as_it_should(memory, true, false), "and is");

    ux_redo_finish(&redo, &c);
    ok(as_it_should(memory, true, false), "is made once");

    ux_redo_begin(&redo);
    ux_redo_add(&redo, 8, 1);
    ux_redo_add(&redo, 9, 1);
    ux_redo_add(&redo, 8, -2);
    ux_redo_ring(&redo, 8, 1000, 1);
    ux_redo_add(&redo, ALL, 1);
    ok(redo.n == 4 && !redo.full, "one change of a cell, another of a ring's");

    for (i = 0; i < redo.max; i++) {
        ux_redo_add(&redo, 100 + i, 1);
    }

    ok(redo.n == redo.max && redo.full, "more than there is room for is told");

    ux_redo_begin(&redo);
    ux_redo_add(&redo, ALL, 1);
    ux_redo_add(&redo, 8, -deltas[0]);
    ux_redo_set(&redo, redo.zone + 1, 7);
    ux_redo_commit(&redo);
    ux_redo_finish(&redo, &c);
    ok(redo.n == 3 && ux_counter_read(&c, 8) == 1000 - 9
       && memory->copies[0] == 0, "nothing beyond the cells and words");
}


/* Where the mark of a ring is: nothing else may go there. */
static void
test_ring_mark(void)
{
    uint64_t      cell;
    ux_counter_t  c;

    memory_start(memory);
    c = counter_of(memory, -1);

    ux_counter_ring_mark(&memory->shared[RINGS], 1000, 1);
    ux_counter_ring_mark(&memory->shared[RINGS], 1000, 1);
    cell = memory->shared[RINGS];
    ok(cell != ring(1000, 5) && ux_counter_ring_cell(&c, RINGS)
                                == ring(1000, 5)
       && ux_counter_ring_read(&c, RINGS, 1000) == 5, "a mark is not read");

    ux_counter_ring_add(&c, RINGS, 1000, -7);
    ok(ux_counter_ring_read(&c, RINGS, 1000) == -2, "counted on");
    ux_counter_ring_add(&c, RINGS, 1064, 3);
    ok(memory->shared[RINGS] != ring(1064, 3)
       && ux_counter_ring_cell(&c, RINGS) == ring(1064, 3),
       "it stays in the next bucket");
    ux_counter_ring_unmark(&memory->shared[RINGS]);
    ux_counter_ring_unmark(&memory->shared[RINGS]);
    ok(memory->shared[RINGS] == ring(1064, 3), "and is taken off once");
}


/* Adds 1 to each of two sums and a ring's cell, again and again. */
static void
adder(unsigned who)
{
    ux_counter_t  c;

    c = counter_of(memory, -1);

    for ( ;; ) {
        __atomic_fetch_add(&memory->added[who], 1, __ATOMIC_RELAXED);
        ux_counter_add(&c, 8 + who, 1);
        ux_counter_ring_add(&c, RINGS + who, 1000, 1);
    }
}


/* Lists without end; each adds 3 to both, and says so by its number. */
static void
lister(void)
{
    ux_redo_t     redo;
    ux_counter_t  c;

    c = counter_of(memory, -1);
    redo = redo_of(memory);

    for ( ;; ) {
        ux_redo_begin(&redo);
        ux_redo_add(&redo, 8, 3);
        ux_redo_ring(&redo, RINGS, 1000, 3);
        ux_redo_add(&redo, 9, 3);
        ux_redo_ring(&redo, RINGS + 1, 1000, 3);
        ux_redo_set(&redo, redo.zone, memory->word + 1);
        ux_redo_commit(&redo);
        ux_redo_finish(&redo, &c);
    }
}


static pid_t
spawn(unsigned who)
{
    pid_t  pid;

    fflush(stdout);
    pid = fork();

    if (pid == 0) {
        if (who < 2) {
            adder(who);
        }

        lister();
    }

    return pid;
}


/* Whoever makes lists is killed; the next finishes, and makes others. */
static void
test_workers(void)
{
    pid_t         pid[2], maker;
    int64_t       off;
    unsigned      i, k, n, bad, wrong;
    uint64_t      value;
    ux_redo_t     redo;
    ux_counter_t  c;

    memset(memory, 0, sizeof(memory_t));
    c = counter_of(memory, 3);
    redo = redo_of(memory);
    pid[0] = spawn(0);
    pid[1] = spawn(1);
    bad = 0;
    n = 0;

    for (k = 0; k < KILLS; k++) {
        maker = spawn(2);
        value = memory->word;

        do {
            for (i = 0; i < 100; i++, n++) {
                bad += ux_counter_read(&c, 8 + i % 2) >> 62 != 0;
                bad += ux_counter_ring_read(&c, RINGS + i % 2, 1000) < 0;
            }

        } while (memory->word < value + 1 + k % 5);

        (void) kill(maker, SIGKILL);
        (void) waitpid(maker, NULL, 0);
        bad += ux_counter_read(&c, 8) >> 62 != 0;
        ux_redo_finish(&redo, &c);
    }

    for (i = 0; i < 2; i++) {
        (void) kill(pid[i], SIGKILL);
        (void) waitpid(pid[i], NULL, 0);
    }

    /* an adder may have been killed between its own three additions */

    wrong = 0;

    for (i = 0; i < 2; i++) {
        off = (int64_t) (memory->added[i] + memory->word * 3
                         - ux_counter_read(&c, 8 + i));
        wrong += off < 0 || off > 1;
        off = (int32_t) (uint32_t) (memory->added[i] + memory->word * 3)
              - ux_counter_ring_read(&c, RINGS + i, 1000);
        wrong += off < 0 || off > 1;
    }

    ok(bad == 0, "%u reads while lists are made and others add: %u saw a "
       "mark", n, bad);
    ok(wrong == 0 && memory->word >= KILLS, "%u kills in %llu lists beside "
       "%llu additions: %u counts off", KILLS,
       (unsigned long long) memory->word,
       (unsigned long long) (memory->added[0] + memory->added[1]), wrong);
}


int
main(void)
{
    memory = map();

    test_list();
    test_ring_mark();
    test_workers();

    return tap_done();
}
