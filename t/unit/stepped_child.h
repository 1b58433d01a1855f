
/*
 * Copyright (C) the nginx-ux authors
 *
 * A child that goes on by one instruction at a time: what it has written then
 * to memory it shares is what SIGKILL would leave there.
 */

#ifndef STEPPED_CHILD_H
#define STEPPED_CHILD_H


#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>


/*
 * fork(), but that the child is stepped by its parent from its first SIGSTOP
 * on, which it raises itself.
 */
__attribute__((unused))
static pid_t
child_fork(void)
{
    pid_t  pid;

    fflush(stdout);
    pid = fork();

    if (pid == 0 && ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) {
        _exit(2);
    }

    return pid;
}


/* The signal at which it stands still; 0 once it is gone: no ptrace, too. */
__attribute__((unused))
static int
child_wait(pid_t pid)
{
    int  status;

    if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) {
        return 0;
    }

    return WSTOPSIG(status);
}


/* One instruction; false when there is none: it is gone or has a signal. */
__attribute__((unused))
static bool
child_step(pid_t pid)
{
    return ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == 0
           && child_wait(pid) == SIGTRAP;
}


__attribute__((unused))
static void
child_kill(pid_t pid)
{
    (void) kill(pid, SIGKILL);
    (void) waitpid(pid, NULL, 0);
}


#endif
