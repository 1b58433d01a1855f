
/*
 * Copyright (C) the nginx-ux authors
 *
 * History: SIGKILL at every instruction of putting a point in, and one that
 * is written anew at every instruction of its reader.
 */

#include "result_case.h"
#include "stepped_child.h"


#define FRAMES  4


static void test_kill(void);
static void test_torn(void);


int
main(void)
{
    test_kill();
    test_torn();

    return done();
}


typedef struct {
    uint32_t            taken[UX_HISTORY_TAKEN];
    ux_history_frame_t  frames[FRAMES];
} small_t;


static ux_history_point_t
pattern(uint32_t hour, uint8_t with)
{
    unsigned            i;
    ux_history_point_t  point;

    memset(&point, 0, sizeof(point));
    point.hour = hour;
    point.epoch = with;
    point.visitors = with * 1000u;

    for (i = 0; i < UX_HISTORY_FIGURES; i++) {
        point.figures[i] = (float) (with + i);
    }

    return point;
}


/* Hours 100 to 103, each with its pattern; 104 takes the first one's place. */
static void
small_make(small_t *small, ux_history_t *history)
{
    uint32_t            hour;
    ux_history_point_t  point;
    ux_history_sweep_t  sweep;

    memset(small, 0, sizeof(small_t));
    history->memory = (ux_history_memory_t *) (void *) small;
    history->nframes = FRAMES;
    ux_history_begin(&sweep, history, w->store.registry, 103);

    for (hour = 100; hour < 104; hour++) {
        point = pattern(hour, (uint8_t) hour);
        (void) ux_history_put_locked(&sweep, &point);
    }
}


/* All that can be read is whole; which hours that are, a bit each. */
static unsigned
small_judge(const small_t *small, bool *whole)
{
    uint32_t            i;
    unsigned            hours;
    small_t             copy;
    ux_history_t        history;
    ux_history_point_t  point, expected;

    copy = *small;
    history.memory = (ux_history_memory_t *) (void *) &copy;
    history.nframes = FRAMES;
    hours = 0;

    for (i = 0; i < FRAMES; i++) {
        if (ux_history_read(&history, i, &point)) {
            expected = pattern(point.hour, (uint8_t) point.hour);
            *whole = *whole && point.hour >= 100 && point.hour <= 104
                     && memcmp(point.figures, expected.figures,
                               sizeof(point.figures)) == 0
                     && point.visitors == expected.visitors
                     && point.epoch == expected.epoch
                     && !(hours & 1u << (point.hour - 100));
            hours |= 1u << (point.hour - 100);
        }
    }

    return hours;
}


static void
test_kill(void)
{
    bool                 whole, known;
    pid_t                pid;
    small_t             *small;
    unsigned             n, hours, old, gone, new, other;
    ux_history_t         history;
    ux_history_point_t   point;
    ux_history_sweep_t   sweep;

    begin();
    small = mmap(NULL, sizeof(small_t), PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    small_make(small, &history);
    point = pattern(104, 104);
    ux_history_begin(&sweep, &history, w->store.registry, 104);

    pid = child_fork();

    if (pid == 0) {
        raise(SIGSTOP);
        (void) ux_history_put_locked(&sweep, &point);
        _exit(0);
    }

    if (child_wait(pid) == 0) {
        ok(true, "kill points # SKIP ptrace is not permitted");
        end();
        return;
    }

    whole = true;
    known = true;
    n = old = gone = new = other = 0;

    do {
        n++;
        hours = small_judge(small, &whole);
        old += hours == 0x0f;
        gone += hours == 0x0e;
        new += hours == 0x1e;
        known = known && (hours == 0x0f || hours == 0x0e || hours == 0x1e);

    } while (child_step(pid));

    ok(whole && known && old > 0 && gone > 0 && new > 0,
       "killed at any of %u instructions: all points that are there are "
       "whole, none but the oldest is gone", n);

    end();
    (void) munmap(small, sizeof(small_t));
}


/*
 * Reads the first frame while it is written anew after k instructions; over:
 * there are no more of them, or no ptrace.
 */
static bool
torn_at(unsigned k, bool *over)
{
    bool                  good;
    pid_t                 pid;
    unsigned              i;
    ux_history_t          history;
    ux_history_point_t    point, expected, *told;
    ux_history_sweep_t    sweep;
    struct {
        small_t             small;
        ux_history_point_t  told;
        volatile unsigned   state;     /* 1: it reads, 2: it has read */
    }                    *both;

    both = mmap(NULL, sizeof(*both), PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    told = &both->told;
    small_make(&both->small, &history);

    pid = child_fork();

    if (pid == 0) {
        raise(SIGSTOP);
        both->state = 1;
        (void) ux_history_read(&history, 0, &point);
        both->state = 2;
        *told = point;
        _exit(0);
    }

    if (child_wait(pid) == 0) {
        (void) munmap(both, sizeof(*both));
        *over = true;
        return true;
    }

    for (i = 0; i < k && !*over; i += both->state) {
        *over = !child_step(pid) || both->state == 2;
    }

    /* the same but for its figures */

    point = pattern(100, 100);
    point.figures[0] += 1000;
    point.figures[UX_HISTORY_FIGURES - 1] += 1000;
    history.nframes = 1;
    ux_history_begin(&sweep, &history, w->store.registry, 103);
    ux_history_erase_locked(&history, 0);
    (void) ux_history_put_locked(&sweep, &point);

    (void) ptrace(PTRACE_CONT, pid, NULL, NULL);
    (void) waitpid(pid, NULL, 0);

    expected = pattern(100, 100);
    good = told->figures[0] - expected.figures[0]
           == told->figures[UX_HISTORY_FIGURES - 1]
              - expected.figures[UX_HISTORY_FIGURES - 1];

    (void) munmap(both, sizeof(*both));

    return good;
}


static void
test_torn(void)
{
    bool      over;
    unsigned  k, bad;

    begin();
    over = false;
    bad = 0;

    for (k = 0; !over; k++) {
        bad += !torn_at(k, &over);
    }

    ok(bad == 0, "written anew at any of %u instructions of a reader: no "
       "half point", k);
    end();
}
