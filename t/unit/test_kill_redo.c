
/*
 * Copyright (C) the nginx-ux authors
 *
 * SIGKILL at every instruction of a list of changes, and readers between any
 * two of them.
 */

#include "redo_case.h"
#include "stepped_child.h"


/* What a kill leaves in `left`: read, added to, finished. */
static bool
survive(const memory_t *left)
{
    bool             good, made;
    ux_redo_t        redo;
    ux_counter_t     c;
    static memory_t  copy;

    copy = *left;
    redo = redo_of(&copy);
    c = counter_of(&copy, 5);
    made = redo.memory->end != 0;

    others_add(&copy);
    good = made || as_it_should(&copy, false, true);
    ux_redo_finish(&redo, &c);

    return good && as_it_should(&copy, made, true)
           && (redo.memory->flux.turn & UX_FLUX_PHASE) == UX_FLUX_IDLE;
}


/* Each sum is the old or the new one, never one with a mark. */
static bool
read_between(memory_t *m)
{
    bool          good;
    unsigned      i;
    uint64_t      value, old, values[DELTAS];
    ux_counter_t  c;

    c = counter_of(m, 3);
    ux_counter_fold(&c, 8, DELTAS, values);
    good = true;

    for (i = 0; i < DELTAS; i++) {
        old = 1000 + i + (uint64_t) (i % 3 ? (int64_t) i << 59 : -9);
        value = ux_counter_read(&c, i + 8);
        good = good && values[i] == value
               && (value == old || value == old + (uint64_t) deltas[i]);
    }

    return good;
}


static void
test_kill(void)
{
    pid_t            pid;
    unsigned         n, bad, seen, memories;
    ux_redo_t        redo;
    ux_counter_t     c;
    static memory_t  last;

    memory_start(memory);
    c = counter_of(memory, -1);
    redo = redo_of(memory);
    pid = child_fork();

    if (pid == 0) {
        raise(SIGSTOP);
        list(&redo);
        ux_redo_commit(&redo);
        ux_redo_finish(&redo, &c);
        _exit(0);
    }

    if (child_wait(pid) == 0) {
        ok(true, "kill points # SKIP ptrace is not permitted");
        return;
    }

    memset(&last, 0xff, sizeof(last));
    n = bad = seen = memories = 0;

    do {
        n++;

        if (memcmp(&last, memory, sizeof(last)) != 0) {
            last = *memory;
            memories++;
            bad += !survive(&last);
            seen += !read_between(memory);
        }

    } while (child_step(pid));

    ok(bad == 0 && memories > 150, "killed at any of %u instructions, which "
       "leave %u memories, then others add: %u bad", n, memories, bad);
    ok(seen == 0, "a reader between any two of them sees no mark: %u do",
       seen);
    ok(as_it_should(memory, true, false), "not killed: all of it is there");
}


int
main(void)
{
    memory = map();

    test_kill();

    return tap_done();
}
