
/*
 * Copyright (C) the nginx-ux authors
 *
 * Writers of the visitor table are killed at random under load.
 */

#include "table_case.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>


#define KEYS  48


typedef struct {
    uint64_t      acknowledged[KEYS];
    uint32_t      unexpected;
} acks_t;


static acks_t  *acks;


/* Adds one in two places of a record of two parts, for ever. */
static void
hammer(case_table_t *c, uint64_t seed)
{
    unsigned            k;
    ux_turn_t           turn;
    ux_visitor_t        visitor;
    ux_table_effects_t  effects;

    case_join(c);

    for ( ;; ) {
        k = (unsigned) (case_random(&seed) % KEYS);

        if (ux_table_open(&c->table, case_key(k), NOW, &visitor, &turn)
            != UX_OK)
        {
            continue;
        }

        if (!turn.found) {
            case_parts(&visitor, 2, k);
            visitor.tracks[visitor.ntracks - 1].totals[3] = 0;
        }

        visitor.confirmed = true;
        visitor.tracks[0].totals[0]++;
        visitor.tracks[visitor.ntracks - 1].totals[3]++;

        if (ux_table_commit(&c->table, &turn, &visitor, NOW, &effects)
            == UX_OK)
        {
            __atomic_fetch_add(&acks->acknowledged[k], 1, __ATOMIC_SEQ_CST);

        } else {
            __atomic_fetch_add(&acks->unexpected, 1, __ATOMIC_SEQ_CST);
        }
    }
}


static pid_t
writer(case_table_t *c, uint64_t seed)
{
    pid_t  pid;

    pid = fork();

    if (pid == 0) {
        hammer(c, seed);
        _exit(0);
    }

    return pid;
}


static void
test_random(unsigned kills)
{
    pid_t          pids[4], dead;
    unsigned       i, k, torn, lost, over;
    int64_t        value;
    uint64_t       seed, sum;
    case_table_t   c;
    case_census_t  census;
    ux_visitor_t   visitor;

    c = case_table(12, 16);
    memset(acks, 0, sizeof(acks_t));
    seed = 4711;
    dead = 0;

    fflush(stdout);

    for (i = 0; i < 4; i++) {
        pids[i] = writer(&c, i);
    }

    for (i = 0; i < kills; i++) {
        usleep((useconds_t) (2000 + case_random(&seed) % 6000));

        k = (unsigned) (case_random(&seed) % 4);
        (void) kill(pids[k], SIGKILL);

        /* the last one stays a zombie until now */
        if (dead != 0) {
            (void) waitpid(dead, NULL, 0);
        }

        dead = pids[k];
        pids[k] = writer(&c, 100 + i);
    }

    usleep(20000);

    for (i = 0; i < 4; i++) {
        (void) kill(pids[i], SIGKILL);
        (void) waitpid(pids[i], NULL, 0);
    }

    (void) waitpid(dead, NULL, 0);

    case_join(&c);
    torn = 0;
    lost = 0;
    over = 0;
    sum = 0;

    for (k = 0; k < KEYS; k++) {
        value = 0;

        if (ux_table_read(&c.table, case_key(k), NOW, &visitor) == UX_OK) {
            value = visitor.tracks[0].totals[0];
            torn += value != visitor.tracks[visitor.ntracks - 1].totals[3];
        }

        sum += acks->acknowledged[k];

        if ((uint64_t) value < acks->acknowledged[k]) {
            lost++;

        } else {
            over += (unsigned) ((uint64_t) value - acks->acknowledged[k]);
        }
    }

    census = case_count(&c.table, NOW);

    ok(lost == 0 && torn == 0, "%u random kills, %llu updates acknowledged: "
       "%u lost, %u torn", kills + 4, (unsigned long long) sum, lost, torn);
    ok(over <= kills + 4, "%u unacknowledged kept, at most one a kill", over);
    ok(census.torn == 0 && census.locked == 0 && census.visitors == KEYS
       && acks->unexpected == 0,
       "no lock stuck, no record doubled, no room missing");
    ok(sum > kills * 100ull, "there was load");

    case_free(&c);
}


int
main(void)
{
    acks = mmap(NULL, sizeof(acks_t), PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (acks == MAP_FAILED) {
        printf("Bail out! no memory\n");
        return 1;
    }

    test_random(tap_count("TEST_UX_KILLS", 100));

    return done();
}
