
/*
 * Copyright (C) the nginx-ux authors
 *
 * Process entries: who lives, claiming, locks and their dead owners.
 */

#include "ux_process.h"
#include "tap.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>


#define N  6


typedef struct {
    ux_process_t  processes[N];
    ux_lock_t     lock;
    uint32_t      repairs[N];
    uint32_t      claimed[N * 4];
    uint64_t      guarded;
    uint32_t      go;
} shared_t;


static shared_t  *s;


static void
repair(void *ctx, uint32_t dead)
{
    (void) ctx;

    __atomic_fetch_add(&s->repairs[dead], 1, __ATOMIC_SEQ_CST);

    if ((s->lock & UX_LOCK_OWNER) == dead + 1) {
        ux_lock_release(&s->lock);
    }
}


static void
fresh(void)
{
    memset(s, 0, sizeof(shared_t));
}


/* What this process alone has spent, and how often it went to sleep. */
static double
seconds(long *sleeps)
{
    struct rusage  usage;

    (void) getrusage(RUSAGE_SELF, &usage);
    *sleeps = usage.ru_nvcsw;

    return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
           + (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}


/* A child that claims an entry, takes the lock if asked, and waits. */
static pid_t
spawn(bool lock)
{
    pid_t     pid;
    uint32_t  me;

    s->go = 0;
    fflush(stdout);

    pid = fork();

    if (pid == 0) {
        me = ux_process_claim(s->processes, N, repair, NULL);

        if (lock) {
            (void) ux_lock_take(&s->lock, me, s->processes, repair, NULL);
        }

        __atomic_store_n(&s->go, 1, __ATOMIC_SEQ_CST);

        for ( ;; ) {
            pause();
        }
    }

    while (!__atomic_load_n(&s->go, __ATOMIC_SEQ_CST)) {
        usleep(100);
    }

    return pid;
}


static void
test_alive(void)
{
    pid_t      child;
    ux_who_t   who;
    siginfo_t  info;

    fresh();

    ok(!ux_process_alive(&s->processes[0]), "a free entry is not alive");

    child = spawn(false);
    ok(ux_process_alive(&s->processes[0]), "a running process is alive");

    kill(child, SIGSTOP);
    waitpid(child, NULL, WUNTRACED);
    ok(ux_process_alive(&s->processes[0]), "a stopped one too");

    who = s->processes[0].who;
    s->processes[0].who = who + (1ull << 22);
    ok(!ux_process_alive(&s->processes[0]),
       "the same pid with another start time is another process");
    s->processes[0].who = who & ((1u << 22) - 1);
    ok(ux_process_alive(&s->processes[0]), "an unknown start time matches");
    s->processes[0].who = who;

    kill(child, SIGKILL);
    waitid(P_PID, (id_t) child, &info, WEXITED | WNOWAIT);
    ok(!ux_process_alive(&s->processes[0]), "a zombie is dead");

    waitpid(child, NULL, 0);
    ok(!ux_process_alive(&s->processes[0]), "a reaped one is dead");
}


static void
test_claim(void)
{
    pid_t     a, b;
    uint32_t  me;

    fresh();

    a = spawn(false);
    b = spawn(false);
    me = ux_process_claim(s->processes, N, repair, NULL);

    ok(me == 2, "the lowest free entry is claimed");
    ok(ux_process_claim(s->processes, N, repair, NULL) == 2
       && s->repairs[2] == 1, "a second claim finds one's own, repaired");

    s->processes[0].state = UX_JOURNAL_COMMITTED;
    kill(a, SIGKILL);
    waitpid(a, NULL, 0);

    ux_process_release(s->processes, me);
    me = ux_process_claim(s->processes, N, repair, NULL);
    ok(me == 0 && s->repairs[0] == 1, "a dead one's entry, after repair");
    ok(s->processes[0].state == UX_JOURNAL_IDLE
       && s->processes[0].buckets[0] == UX_PROCESS_NONE,
       "its journal is empty");
    ok(s->repairs[1] == 0 && ux_process_alive(&s->processes[1]),
       "the living one is left alone");
    ok(s->processes[0].repairer == 0, "the repairer's word is given back");

    kill(b, SIGKILL);
    waitpid(b, NULL, 0);
}


static void
test_repairer(void)
{
    pid_t     a, b;
    uint32_t  me;

    fresh();

    a = spawn(false);
    b = spawn(false);
    kill(a, SIGKILL);
    waitpid(a, NULL, 0);

    s->processes[0].repairer = s->processes[1].who;
    me = ux_process_claim(s->processes, N, repair, NULL);
    ok(me == 2 && s->repairs[0] == 0,
       "an entry under repair by a living process is passed over");
    ux_process_release(s->processes, me);

    kill(b, SIGKILL);
    waitpid(b, NULL, 0);
    me = ux_process_claim(s->processes, N, repair, NULL);
    ok(me == 0 && s->repairs[0] == 1 && s->processes[0].repairer == 0,
       "a dead repairer is followed by a living one");
}


static void
test_full(void)
{
    int    i;
    pid_t  children[N];

    fresh();

    for (i = 0; i < N; i++) {
        children[i] = spawn(false);
    }

    ok(ux_process_claim(s->processes, N, repair, NULL) == UX_PROCESS_NONE,
       "no entry left: none");

    for (i = 0; i < N; i++) {
        kill(children[i], SIGKILL);
        waitpid(children[i], NULL, 0);
    }
}


/* Many claim at once, some after the death of others: never two in one. */
static void
test_race(void)
{
    int       i, round, status;
    bool      twice;
    uint32_t  me;

    fresh();
    fflush(stdout);
    twice = false;

    for (round = 0; round < 30; round++) {
        memset(s->claimed, 0, sizeof(s->claimed));
        s->go = 0;

        for (i = 0; i < N; i++) {
            if (fork() == 0) {
                me = ux_process_claim(s->processes, N, repair, NULL);

                if (me != UX_PROCESS_NONE
                    && __atomic_fetch_add(&s->claimed[me], 1,
                                          __ATOMIC_SEQ_CST) != 0)
                {
                    __atomic_fetch_add(&s->go, 1, __ATOMIC_SEQ_CST);
                    _exit(1);
                }

                /* stay until all have claimed; die without a word */
                __atomic_fetch_add(&s->go, 1, __ATOMIC_SEQ_CST);

                while (__atomic_load_n(&s->go, __ATOMIC_SEQ_CST) < N) {
                    usleep(200);
                }

                raise(SIGKILL);
            }
        }

        while (wait(&status) > 0) {
            twice = twice || (WIFEXITED(status) && WEXITSTATUS(status) == 1);
        }
    }

    ok(!twice, "180 claims at once on dead entries: never two in one");
}


static void
test_lock(void)
{
    long       before, sleeps;
    pid_t      child;
    double     t;
    uint32_t   me;
    uint64_t   word;
    siginfo_t  info;

    fresh();
    me = ux_process_claim(s->processes, N, repair, NULL);

    ok(ux_lock_take(&s->lock, me, s->processes, repair, NULL) == UX_OK
       && s->lock == me + 1, "a free lock is taken");
    ok(ux_lock_try(&s->lock, me) == UX_BUSY, "and not twice");
    ux_lock_release(&s->lock);
    ok(s->lock == 1 << 16, "the release moves the sequence on");

    child = spawn(true);
    word = s->lock;

    t = seconds(&before);
    ok(ux_lock_take(&s->lock, me, s->processes, repair, NULL) == UX_BUSY,
       "a living owner keeps it");
    t = seconds(&sleeps) - t;
    sleeps -= before;
    ok(t < 0.1 && sleeps <= 20,
       "the wait is bounded (%.2f ms of work, %ld sleeps)", t * 1000, sleeps);
    ok(s->lock == word && s->repairs[1] == 0, "nothing was stolen from it");

    kill(child, SIGSTOP);
    waitpid(child, NULL, WUNTRACED);
    ok(ux_lock_take(&s->lock, me, s->processes, repair, NULL) == UX_BUSY
       && s->lock == word, "nor from a stopped one");

    kill(child, SIGKILL);
    waitid(P_PID, (id_t) child, &info, WEXITED | WNOWAIT);
    ok(ux_lock_wait(&s->lock, UX_PROCESS_NONE, s->processes, repair, NULL)
       == UX_BUSY && s->lock == word, "a mere reader repairs nothing");
    ok(ux_lock_take(&s->lock, me, s->processes, repair, NULL) == UX_OK
       && s->repairs[1] == 1, "a zombie's lock is repaired and taken");
    ux_lock_release(&s->lock);
    waitpid(child, NULL, 0);
}


static void
test_exclusion(void)
{
    int       i, k, status;
    uint32_t  me;
    uint64_t  sum;

    fresh();
    fflush(stdout);

    for (i = 0; i < 4; i++) {
        if (fork() == 0) {
            me = ux_process_claim(s->processes, N, repair, NULL);

            for (k = 0; k < 100000; k++) {
                if (ux_lock_take(&s->lock, me, s->processes, repair, NULL)
                    == UX_OK)
                {
                    s->guarded++;
                    s->claimed[me]++;
                    ux_lock_release(&s->lock);
                }
            }

            _exit(0);
        }
    }

    while (wait(&status) > 0) {
        /* void */
    }

    sum = (uint64_t) s->claimed[0] + s->claimed[1] + s->claimed[2]
          + s->claimed[3];
    ok(sum == s->guarded, "one at a time: %llu turns of 400000 asked",
       (unsigned long long) sum);
    ok(sum > 300000, "hardly any wait ran out");
    ok(s->lock >> 16 == sum, "one sequence number each");
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

    test_alive();
    test_claim();
    test_repairer();
    test_full();
    test_race();
    test_lock();
    test_exclusion();

    return done();
}
