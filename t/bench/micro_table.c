
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


/* Confirmed visitors of one experiment each, at the load the zone allows. */
static case_table_t
filled(uint64_t visitors, uint32_t nprocesses)
{
    uint64_t            i;
    ux_turn_t           turn;
    case_table_t        c;
    ux_visitor_t        visitor;
    ux_table_effects_t  effects;

    c = case_table(nprocesses, (uint32_t) (visitors * 100 / 97 / 16) + 1);
    case_join(&c);

    for (i = 0; i < visitors; i++) {
        (void) ux_table_open(&c.table, case_key(i), NOW, &visitor, &turn);
        visitor.confirmed = true;
        visitor.cookie_hash = i + 1;
        (void) ux_table_commit(&c.table, &turn, &visitor, NOW, &effects);
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
        visitor.tracks[0].events = (visitor.tracks[0].events ^ 2) | 1;
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
micro_touch(uint64_t visitors)
{
    char        names[2][64];
    crowd_t     crowd;
    uint64_t    n;
    micro_op_t  ops[2];

    crowd.c = filled(visitors, 2);
    crowd.visitors = visitors;
    n = visitors < 300000 ? 300000 : 1000000;

    (void) snprintf(names[0], sizeof(names[0]), "visitor looked up, of %llu",
                    (unsigned long long) visitors);
    (void) snprintf(names[1], sizeof(names[1]), "visitor touched, of %llu",
                    (unsigned long long) visitors);

    ops[0] = (micro_op_t) { names[0], run_look_up, NULL, &crowd, n, 20000, 1 };
    ops[1] = (micro_op_t) { names[1], run_touch, NULL, &crowd, n, 20000, 1 };

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

    c = filled(visitors, 4);

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
