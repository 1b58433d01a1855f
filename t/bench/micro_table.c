
/*
 * Copyright (C) the nginx-ux authors
 *
 * The visitor table alone: looked into and written at random, by one process
 * and by two.
 */

#include "micro.h"

#include "table_case.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>


#define ROUNDS  5


typedef struct {
    case_table_t  c;
    uint64_t      visitors;
} crowd_t;


/*
 * Confirmed visitors, exposed to so many experiments, at the load the zone
 * allows.
 */
static case_table_t
filled(uint64_t visitors, unsigned experiments, uint32_t nprocesses)
{
    uint64_t            i;
    unsigned            k;
    ux_turn_t           turn;
    ux_track_t         *track;
    case_table_t        c;
    ux_visitor_t        visitor;
    ux_table_effects_t  effects;

    c = case_table(nprocesses, (uint32_t) (visitors * 100 / 97 / 16) + 1);
    case_join(&c);

    for (i = 0; i < visitors; i++) {
        (void) ux_table_open(&c.table, case_key(i), NOW, &visitor, &turn);
        visitor.confirmed = true;
        visitor.cookie_hash = i + 1;
        visitor.tracks[0].events = 1;
        visitor.ntracks = (uint8_t) (experiments + 1);

        for (k = 1; k <= experiments; k++) {
            track = &visitor.tracks[k];
            memset(track, 0, sizeof(ux_track_t));
            track->arm = (uint16_t) (2 * k + micro_mix(i + k) % 2);
            track->exposed_ms = (uint64_t) NOW * 1000 + k * 37123;
        }

        if (ux_table_commit(&c.table, &turn, &visitor, NOW, &effects)
            != UX_OK)
        {
            printf("Bail out! a visitor finds no room\n");
            exit(1);
        }
    }

    return c;
}


/* One page of a known visitor: read, then written, as it is another one. */
static void
touch(case_table_t *c, uint64_t i)
{
    ux_turn_t           turn;
    ux_visitor_t        visitor;
    ux_table_effects_t  effects;

    if (ux_table_open(&c->table, case_key(i), NOW, &visitor, &turn) == UX_OK)
    {
        visitor.tracks[0].events ^= 2;
        (void) ux_table_commit(&c->table, &turn, &visitor, NOW, &effects);
    }
}


static void
run_look_up(void *data, uint64_t first, uint64_t n)
{
    uint64_t       i;
    crowd_t       *crowd = data;
    ux_visitor_t   visitor;

    for (i = first; i < first + n; i++) {
        if (ux_table_read(&crowd->c.table,
                          case_key(micro_mix(i) % crowd->visitors), NOW,
                          &visitor)
            != UX_OK)
        {
            printf("Bail out! a visitor is not there\n");
            exit(1);
        }
    }
}


static void
run_touch(void *data, uint64_t first, uint64_t n)
{
    uint64_t   i;
    crowd_t   *crowd = data;

    for (i = first; i < first + n; i++) {
        touch(&crowd->c, micro_mix(i) % crowd->visitors);
    }
}


int
micro_touch(uint64_t visitors, unsigned experiments)
{
    char      names[2][64];
    crowd_t   crowd;
    uint64_t  n;

    crowd.c = filled(visitors, experiments, 2);
    crowd.visitors = visitors;
    n = visitors < 300000 ? 300000 : 1000000;

    (void) snprintf(names[0], sizeof(names[0]),
                    "visitor of %u looked up, of %llu", experiments,
                    (unsigned long long) visitors);
    (void) snprintf(names[1], sizeof(names[1]),
                    "visitor of %u touched, of %llu", experiments,
                    (unsigned long long) visitors);

    const micro_op_t  ops[] = {
        { .name = names[0], .run = run_look_up, .data = &crowd, .n = n,
          .counted = 20000, .parts = 1 },
        { .name = names[1], .run = run_touch, .data = &crowd, .n = n,
          .counted = 20000, .parts = 1 },
    };

    micro_measure(ops, 2);
    case_free(&crowd.c);

    return 0;
}


/* Touches of n processes within a second and a half, a second. */
static double
together(case_table_t *c, unsigned n, uint64_t visitors)
{
    pid_t      pids[2];
    uint64_t   i, start, end;
    uint64_t  *done;
    unsigned   k;

    done = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (done == MAP_FAILED) {
        return 0;
    }

    start = micro_now() + 100000000;
    end = start + 1500000000;

    for (k = 0; k < n; k++) {
        pids[k] = fork();

        if (pids[k] == 0) {
            case_join(c);

            while (micro_now() < start) {
                /* all begin at once */
            }

            for (i = 0; i % 256 != 0 || micro_now() < end; i++) {
                touch(c, micro_mix(i * 2 + k) % visitors);
            }

            done[k * 8] = i;
            _exit(0);
        }
    }

    i = 0;

    for (k = 0; k < n; k++) {
        (void) waitpid(pids[k], NULL, 0);
        i += done[k * 8];
    }

    munmap(done, 4096);

    return (double) i / 1.5;
}


/*
 * One and two, in pairs, so that what else the machine does meets both.
 */
int
micro_processes(uint64_t visitors)
{
    double        one, two, ratio[ROUNDS], swap;
    unsigned      i, k;
    case_table_t  c;

    c = filled(visitors, 1, 4);

    for (i = 0; i < ROUNDS; i++) {
        one = together(&c, 1, visitors);
        two = together(&c, 2, visitors);
        ratio[i] = one > 0 ? two / one : 0;

        for (k = i; k > 0 && ratio[k] < ratio[k - 1]; k--) {
            swap = ratio[k];
            ratio[k] = ratio[k - 1];
            ratio[k - 1] = swap;
        }
    }

    printf("{\"name\":\"two processes on %llu visitors\",\"times\":%.3f,"
           "\"least\":%.3f,\"most\":%.3f}\n", (unsigned long long) visitors,
           ratio[ROUNDS / 2], ratio[0], ratio[ROUNDS - 1]);
    case_free(&c);

    return 0;
}
