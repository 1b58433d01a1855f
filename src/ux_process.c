
/*
 * Copyright (C) the nginx-ux authors
 *
 * Entries of processes, and locks that outlive nobody.
 *
 *   lock word      [ sequence 48 | owner 16 ]    owner = entry index + 1
 *   entry          [ who | repairer | journal ]  who = start time, pid
 *
 * Nothing here sleeps in the kernel until woken, so there is no wake-up to
 * lose; a lock is taken by one compare-and-swap and released by one store.
 * A waiter that has spun and yielded in vain asks whether the owner lives.
 *
 * Who may touch what
 *   - An entry's journal is written by the process it names, while that
 *     lives; then by whoever holds its `repairer` word, and only after having
 *     seen, with the word held, that the process is dead.
 *   - `who` changes only with `repairer` held (claim), or by its own living
 *     process (release).  So a repairer that found the entry dead finds it
 *     dead, and the same, until it lets go: an entry cannot be claimed anew
 *     under the hands of a slow repairer.
 *   - A repairer is named by its `who`, not by an index: one that claims its
 *     first entry has no index yet.  If it dies, the next one swaps the dead
 *     name for its own and does everything again; two can not hold the word,
 *     as the swap expects the dead name, and names are not reused.
 *   - A lock of a dead owner is released by the repairer only.  Until then
 *     nobody can write what it guards, however slow the repairer is.
 *
 * Death is what the kernel says: no such pid, a zombie (an orphan may never
 * be reaped), or a pid whose start time is another.  When the kernel does
 * not tell (/proc hidden), an existing pid counts as alive: then a lock may
 * stay busy, which is bounded and counted, but nothing tears.
 *
 * All stores of a killed process up to some instruction are in memory and
 * none after it, so for the dead only the order of instructions matters;
 * release stores and signal fences pin that.
 */

#include "ux_process.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>


#define UX_PID_BITS      22          /* pid_max is at most 2^22 */
#define UX_PID_MASK      ((1u << UX_PID_BITS) - 1)

#define UX_LOCK_SPINS    24          /* about 1 us */
#define UX_LOCK_YIELDS   3
#define UX_LOCK_SLEEPS   9           /* about 0.11 ms each, timer slack
                                        included */
#define UX_LOCK_SLEEP_NS 50000


static ux_status_t ux_process_try(ux_process_t *processes, uint32_t index,
    ux_who_t self, ux_repair_pt repair, void *ctx);
static void ux_process_reset(ux_process_t *process);
static ux_status_t ux_repair_begin(ux_process_t *process, ux_who_t self);
static void ux_repair_end(ux_process_t *process);
static ux_status_t ux_lock_attempt(ux_lock_t *lock, uint32_t me, bool take);
static ux_status_t ux_lock_await(ux_lock_t *lock, uint32_t me, bool take,
    ux_process_t *processes, ux_repair_pt repair, void *ctx);
static void ux_lock_rescue(ux_lock_t *lock, uint32_t me,
    ux_process_t *processes, ux_repair_pt repair, void *ctx);
static void ux_lock_pause(unsigned round);
static ux_who_t ux_who_self(void);
static bool ux_who_alive(ux_who_t who);
static bool ux_who_stat(unsigned long pid, char *state, uint64_t *start);
static bool ux_who_stat_parse(const char *text, char *state,
    uint64_t *start);


bool
ux_process_alive(const ux_process_t *process)
{
    return ux_who_alive(__atomic_load_n(&process->who, __ATOMIC_ACQUIRE));
}


uint32_t
ux_process_claim(ux_process_t *processes, uint32_t n, ux_repair_pt repair,
    void *ctx)
{
    uint32_t  i;
    ux_who_t  self;

    self = ux_who_self();

    for (i = 0; i < n; i++) {
        if (__atomic_load_n(&processes[i].who, __ATOMIC_ACQUIRE) == self
            && ux_process_try(processes, i, self, repair, ctx) == UX_OK)
        {
            return i;
        }
    }

    for (i = 0; i < n; i++) {
        if (!ux_process_alive(&processes[i])
            && ux_process_try(processes, i, self, repair, ctx) == UX_OK)
        {
            return i;
        }
    }

    return UX_PROCESS_NONE;
}


static ux_status_t
ux_process_try(ux_process_t *processes, uint32_t index, ux_who_t self,
    ux_repair_pt repair, void *ctx)
{
    ux_who_t       who;
    ux_status_t    rc;
    ux_process_t  *process;

    process = &processes[index];

    rc = ux_repair_begin(process, self);
    if (rc != UX_OK) {
        return rc;
    }

    who = __atomic_load_n(&process->who, __ATOMIC_ACQUIRE);

    if (who != self && ux_who_alive(who)) {
        rc = UX_BUSY;

    } else {
        if (who != 0 && repair != NULL) {
            repair(ctx, index);
        }

        ux_process_reset(process);
        __atomic_store_n(&process->who, self, __ATOMIC_RELEASE);
    }

    ux_repair_end(process);

    return rc;
}


static void
ux_process_reset(ux_process_t *process)
{
    unsigned  i;

    __atomic_store_n(&process->state, UX_JOURNAL_IDLE, __ATOMIC_RELEASE);

    for (i = 0; i < UX_LOCKS_MAX; i++) {
        __atomic_store_n(&process->buckets[i], UX_PROCESS_NONE,
                         __ATOMIC_RELAXED);
    }
}


void
ux_process_release(ux_process_t *processes, uint32_t index)
{
    __atomic_store_n(&processes[index].who, 0, __ATOMIC_RELEASE);
}


/*
 * Holds the entry's repairer word from here to ux_repair_end().  UX_BUSY: a
 * living process holds it, or another one was quicker.
 */
static ux_status_t
ux_repair_begin(ux_process_t *process, ux_who_t self)
{
    ux_who_t  holder;

    holder = __atomic_load_n(&process->repairer, __ATOMIC_ACQUIRE);

    if (holder != 0 && holder != self && ux_who_alive(holder)) {
        return UX_BUSY;
    }

    if (!__atomic_compare_exchange_n(&process->repairer, &holder, self, false,
                                     __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
    {
        return UX_BUSY;
    }

    return UX_OK;
}


static void
ux_repair_end(ux_process_t *process)
{
    __atomic_store_n(&process->repairer, 0, __ATOMIC_RELEASE);
}


ux_status_t
ux_lock_take(ux_lock_t *lock, uint32_t me, ux_process_t *processes,
    ux_repair_pt repair, void *ctx)
{
    if (ux_lock_attempt(lock, me, true) == UX_OK) {
        return UX_OK;
    }

    return ux_lock_await(lock, me, true, processes, repair, ctx);
}


ux_status_t
ux_lock_wait(ux_lock_t *lock, uint32_t me, ux_process_t *processes,
    ux_repair_pt repair, void *ctx)
{
    return ux_lock_await(lock, me, false, processes, repair, ctx);
}


ux_status_t
ux_lock_try(ux_lock_t *lock, uint32_t me)
{
    return ux_lock_attempt(lock, me, true);
}


void
ux_lock_release(ux_lock_t *lock)
{
    uint64_t  word;

    word = __atomic_load_n(lock, __ATOMIC_RELAXED);
    word = (word | UX_LOCK_OWNER) + 1;

    __atomic_store_n(lock, word, __ATOMIC_RELEASE);
}


void
ux_lock_return(ux_lock_t *lock)
{
    uint64_t  word;

    word = __atomic_load_n(lock, __ATOMIC_RELAXED);

    __atomic_store_n(lock, word & ~(uint64_t) UX_LOCK_OWNER,
                     __ATOMIC_RELEASE);
}


static ux_status_t
ux_lock_attempt(ux_lock_t *lock, uint32_t me, bool take)
{
    uint64_t  word;

    word = __atomic_load_n(lock, __ATOMIC_RELAXED);

    if (word & UX_LOCK_OWNER) {
        return UX_BUSY;
    }

    if (take
        && !__atomic_compare_exchange_n(lock, &word, word | (me + 1), false,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
    {
        return UX_BUSY;
    }

    return UX_OK;
}


static ux_status_t
ux_lock_await(ux_lock_t *lock, uint32_t me, bool take,
    ux_process_t *processes, ux_repair_pt repair, void *ctx)
{
    unsigned  round;

    for (round = 0;
         round < UX_LOCK_SPINS + UX_LOCK_YIELDS + UX_LOCK_SLEEPS;
         round++)
    {
        if (ux_lock_attempt(lock, me, take) == UX_OK) {
            return UX_OK;
        }

        if (round >= UX_LOCK_SPINS + UX_LOCK_YIELDS) {
            ux_lock_rescue(lock, me, processes, repair, ctx);

            if (ux_lock_attempt(lock, me, take) == UX_OK) {
                return UX_OK;
            }
        }

        ux_lock_pause(round);
    }

    return ux_lock_attempt(lock, me, take);
}


/* Repairs the owner if it is dead and nobody else is at it. */
static void
ux_lock_rescue(ux_lock_t *lock, uint32_t me, ux_process_t *processes,
    ux_repair_pt repair, void *ctx)
{
    uint32_t  owner;

    owner = (uint32_t) (__atomic_load_n(lock, __ATOMIC_ACQUIRE)
                        & UX_LOCK_OWNER);

    if (owner != 0 && me != UX_PROCESS_NONE && repair != NULL) {
        ux_process_rescue(processes, owner - 1, me, repair, ctx);
    }
}


void
ux_process_rescue(ux_process_t *processes, uint32_t index, uint32_t me,
    ux_repair_pt repair, void *ctx)
{
    ux_process_t  *dead;

    dead = &processes[index];

    if (ux_process_alive(dead)
        || ux_repair_begin(dead, processes[me].who) != UX_OK)
    {
        return;
    }

    /* again: it may have been repaired and claimed before we held it */
    if (!ux_process_alive(dead)) {
        repair(ctx, index);
    }

    ux_repair_end(dead);
}


static void
ux_lock_pause(unsigned round)
{
    struct timespec  ts;

    if (round < UX_LOCK_SPINS) {
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        __asm__ volatile ("yield");
#endif

    } else if (round < UX_LOCK_SPINS + UX_LOCK_YIELDS) {
        (void) sched_yield();

    } else {
        ts.tv_sec = 0;
        ts.tv_nsec = UX_LOCK_SLEEP_NS;
        (void) nanosleep(&ts, NULL);
    }
}


static ux_who_t
ux_who_self(void)
{
    char           state;
    uint64_t       start;
    unsigned long  pid;

    pid = (unsigned long) getpid();

    if (!ux_who_stat(pid, &state, &start)) {
        start = 0;                   /* unknown: not compared */
    }

    return start << UX_PID_BITS | (pid & UX_PID_MASK);
}


static bool
ux_who_alive(ux_who_t who)
{
    char      state;
    pid_t     pid;
    uint64_t  start, now_start;

    if (who == 0) {
        return false;
    }

    pid = (pid_t) (who & UX_PID_MASK);
    start = who >> UX_PID_BITS;

    if (kill(pid, 0) != 0 && errno == ESRCH) {
        return false;
    }

    if (!ux_who_stat((unsigned long) pid, &state, &now_start)) {
        return kill(pid, 0) == 0 || errno != ESRCH;
    }

    if (state == 'Z' || state == 'X' || state == 'x') {
        return false;
    }

    return start == 0 || start == now_start;
}


/* State and start time of a pid; false if the kernel does not tell. */
static bool
ux_who_stat(unsigned long pid, char *state, uint64_t *start)
{
    int      fd;
    char     path[40], text[1024];
    ssize_t  n;

    (void) snprintf(path, sizeof(path), "/proc/%lu/stat", pid);

    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }

    n = read(fd, text, sizeof(text) - 1);
    (void) close(fd);

    if (n <= 0) {
        return false;
    }

    text[n] = '\0';

    return ux_who_stat_parse(text, state, start);
}


/* "pid (name) S ppid ...": the name may hold anything, field 22 is wanted. */
static bool
ux_who_stat_parse(const char *text, char *state, uint64_t *start)
{
    unsigned     field;
    const char  *p;

    p = strrchr(text, ')');
    if (p == NULL || p[1] != ' ' || p[2] == '\0') {
        return false;
    }

    *state = p[2];
    p += 2;

    for (field = 3; field < 22; field++) {
        p = strchr(p, ' ');
        if (p == NULL) {
            return false;
        }

        p++;
    }

    *start = 0;

    while (*p >= '0' && *p <= '9') {
        *start = *start * 10 + (uint64_t) (*p++ - '0');
    }

    /* as much of it as fits beside the pid */
    *start &= UINT64_MAX >> UX_PID_BITS;

    return true;
}
