
/*
 * Copyright (C) the nginx-ux authors
 *
 * Snapshot files: saved whole or not at all, whatever fails or is killed in
 * between; nothing read but ordinary files of the right owner; locks that
 * live as long as any process of a tree; left-overs.
 *
 * System calls of the file layer and of APR go through the functions below,
 * so that the n-th of them can fail or be the process's last.
 */

#include "tap.h"

#include "ux_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>


#define STALE  1000


static char            directory[64];
static ux_file_zone_t  zone;
static ux_error_t      error;

/* how many calls still pass; -1: all; then what happens */
static int             passes = -1;
static int             fails_with;


/* what is written to the disk (File, Directory) and renamed, in order */
static char            noted[16];
static const char     *vanishes;


static void
note(char what)
{
    size_t  len;

    len = strlen(noted);

    if (len + 1 < sizeof(noted)) {
        noted[len] = what;
        noted[len + 1] = '\0';
    }
}


static bool
passes_on(void)
{
    if (passes < 0 || passes-- > 0) {
        return true;
    }

    if (fails_with == 0) {
        _exit(9);
    }

    passes = -1;
    errno = fails_with;

    return false;
}


int
open(const char *path, int flags, ...)
{
    mode_t   mode;
    va_list  arguments;

    va_start(arguments, flags);
    mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);

    return passes_on() ? (int) syscall(SYS_openat, AT_FDCWD, path, flags, mode)
                       : -1;
}


ssize_t
write(int fd, const void *buf, size_t len)
{
    return passes_on() ? syscall(SYS_write, fd, buf, len) : -1;
}


int
fsync(int fd)
{
    struct stat  st;

    note(fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) ? 'D' : 'F');

    return passes_on() ? (int) syscall(SYS_fsync, fd) : -1;
}


int
close(int fd)
{
    long  rc;

    rc = syscall(SYS_close, fd);

    return passes_on() ? (int) rc : -1;
}


int
rename(const char *from, const char *to)
{
    note('R');

    return passes_on() ? (int) syscall(SYS_rename, from, to) : -1;
}


/* Somebody may remove a lock between its open() and its flock(). */
int
flock(int fd, int operation)
{
    if (vanishes != NULL) {
        (void) syscall(SYS_unlink, vanishes);
    }

    return (int) syscall(SYS_flock, fd, operation);
}


int
unlink(const char *path)
{
    return passes_on() ? (int) syscall(SYS_unlink, path) : -1;
}


static ux_file_name_t
name_of(unsigned id, ux_file_kind_e kind, bool previous)
{
    ux_file_name_t  name;

    memset(&name, 0, sizeof(name));
    name.uuid[0] = (uint8_t) (id >> 8);
    name.uuid[1] = (uint8_t) id;
    name.kind = kind;
    name.previous = previous;

    return name;
}


static const char *
path_of(unsigned id, const char *suffix)
{
    static char  path[160];

    (void) snprintf(path, sizeof(path), "%s/shop.%04x%028d%s", directory, id,
                    0, suffix);

    return path;
}


/* Content: the number, some thousand times. */
static ux_status_t
save(unsigned id, uint32_t number)
{
    uint32_t        data[4096];
    unsigned        i;
    ux_file_name_t  name;

    for (i = 0; i < 4096; i++) {
        data[i] = number;
    }

    name = name_of(id, UX_FILE_COUNTERS, false);

    return ux_file_save(&zone, &name, (const uint8_t *) data, sizeof(data),
                        &error);
}


/* 0: there is none, or no whole one. */
static uint32_t
load(unsigned id, bool previous)
{
    size_t           len;
    uint8_t         *data;
    uint32_t         number, other;
    unsigned         i;
    ux_file_name_t   name;

    name = name_of(id, UX_FILE_COUNTERS, previous);

    if (ux_file_load(&zone, &name, 1 << 20, &data, &len, &error) != UX_OK) {
        return 0;
    }

    memcpy(&number, data, sizeof(number));

    for (i = 0; i < 4096 && len == 16384; i++) {
        memcpy(&other, data + 4 * i, sizeof(other));
        number = other == number ? number : 0;
    }

    free(data);

    return len == 16384 ? number : 0;
}


static uint32_t
newest(unsigned id)
{
    uint32_t  number;

    number = load(id, false);

    return number != 0 ? number : load(id, true);
}


static void
touch(const char *path)
{
    int  fd;

    fd = open(path, O_WRONLY|O_CREAT, 0600);

    if (fd != -1) {
        (void) close(fd);
    }
}


/* Something, so many seconds after some day in the past. */
static void
put(unsigned id, const char *suffix, int seconds)
{
    int              fd;
    struct timespec  times[2] = { { 1000000 + seconds, 0 },
                                  { 1000000 + seconds, 0 } };

    fd = open(path_of(id, suffix), O_WRONLY|O_CREAT, 0600);

    if (fd != -1) {
        (void) !write(fd, "x", 1);
        (void) futimens(fd, times);
        (void) close(fd);
    }
}


static bool
there(const char *path)
{
    struct stat  st;

    return lstat(path, &st) == 0;
}


static void
test_save(void)
{
    uint8_t         head[10];
    size_t          len;
    struct stat     st;
    ux_file_name_t  name;

    (void) umask(0);
    ok(load(1, false) == 0 && error.message[0] == '\0', "nothing at first");
    ok(save(1, 7) == UX_OK && load(1, false) == 7 && load(1, true) == 0,
       "saved: %s", error.message);
    ok(save(1, 8) == UX_OK && load(1, false) == 8 && load(1, true) == 7,
       "saved again, the one before is kept");
    noted[0] = '\0';
    ok(save(1, 9) == UX_OK && load(1, false) == 9 && load(1, true) == 8,
       "and once more");
    ok(strcmp(noted, "FRRD") == 0,
       "on the disk before it has its name, the directory at last: %s", noted);
    ok(stat(path_of(1, ".counters"), &st) == 0 && (st.st_mode & 07777) == 0600,
       "the owner's alone");
    ok(!there(path_of(1, ".counters.new")), "no file is left half-way");

    touch(path_of(1, ".counters.new"));
    ok(save(1, 10) == UX_OK && load(1, false) == 10,
       "what a killed process left is in nobody's way");

    name = name_of(1, UX_FILE_COUNTERS, false);
    ok(ux_file_head(&zone, &name, head, sizeof(head), &len, &error) == UX_OK
       && len == sizeof(head) && head[0] == 10, "the first bytes");

    ok(symlink("/dev/null", path_of(2, ".counters.new")) == 0
       && save(2, 1) == UX_OK
       && lstat(path_of(2, ".counters"), &st) == 0 && S_ISREG(st.st_mode),
       "a link in the way is not written through");
}


/* Fails on purpose at the n-th call, for every n. */
static void
test_faults(int with)
{
    int       n, status;
    bool      good;
    pid_t     pid;
    uint32_t  before, after;

    good = true;

    for (n = 0, before = 100; n < 100; n++, before += 2) {
        (void) save(3, before);

        pid = fork();

        if (pid == 0) {
            passes = n;
            fails_with = with;
            status = save(3, before + 1) == UX_OK;
            _exit(passes >= 0 ? 2 : status);
        }

        (void) waitpid(pid, &status, 0);
        after = newest(3);

        if (after != before && after != before + 1) {
            ok(false, "call %d: %u became %u", n, before, after);
            good = false;
        }

        if (WEXITSTATUS(status) == 2) {
            break;
        }

        if (with == 0 ? WEXITSTATUS(status) != 9 : WEXITSTATUS(status) == 1
            && after != before + 1)
        {
            ok(false, "call %d: exit status %d", n, WEXITSTATUS(status));
            good = false;
        }
    }

    ok(good && n >= 7 && n < 100, "%s at each of %d calls: old or new, whole",
       with == 0 ? "killed" : strerror(with), n);
    ok(save(3, 50) == UX_OK && load(3, false) == 50
       && !there(path_of(3, ".counters.new")), "and the next save is well");
}


/*
 * A writer killed at any moment, again and again: what it said was saved, or
 * something later, is there and whole.
 */
static void
test_random_kills(void)
{
    int        fd[2];
    bool       good;
    pid_t      pid;
    unsigned   i, n;
    uint32_t   saved, found, said;

    n = tap_count("TEST_UX_SAVE_KILLS", 50);
    good = true;
    saved = 1;
    (void) save(4, saved);

    for (i = 0; i < n && good && pipe(fd) == 0; i++) {
        pid = fork();

        if (pid == 0) {
            for (found = saved + 1; save(4, found) == UX_OK; found++) {
                (void) syscall(SYS_write, fd[1], &found, sizeof(found));
            }

            _exit(1);
        }

        (void) syscall(SYS_close, fd[1]);

        /* every other one has saved something before */
        said = saved;
        if (i % 2) {
            (void) !read(fd[0], &said, sizeof(said));
        }

        (void) usleep((useconds_t) (i * 7919 % 6000));
        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, NULL, 0);

        while (read(fd[0], &found, sizeof(found)) == sizeof(found)) {
            said = found;
        }

        (void) syscall(SYS_close, fd[0]);

        found = newest(4);
        good = found == said || found == said + 1;

        if (!good) {
            printf("# kill %u: %u was saved, %u is there\n", i, said, found);
        }

        saved = found;
    }

    ok(good && i == n && saved > n / 2, "killed %u times in %u saves: none "
       "older than was said, all whole", i, saved);
}


static ux_status_t
refused(unsigned id, size_t max)
{
    size_t           len;
    uint8_t         *data;
    ux_status_t      rc;
    ux_file_name_t   name;

    name = name_of(id, UX_FILE_VISITORS, false);
    error.message[0] = '\0';

    (void) alarm(5);
    rc = ux_file_load(&zone, &name, max, &data, &len, &error);
    (void) alarm(0);

    if (rc == UX_OK) {
        free(data);
    }

    return rc;
}


static void
test_refusals(void)
{
    char  target[80];

    (void) snprintf(target, sizeof(target), "%s/target", directory);
    touch(target);
    ok(truncate(target, 100) == 0, "a file to point at");

    ok(symlink(target, path_of(10, ".visitors")) == 0
       && refused(10, 1000) == UX_ERROR, "a link: %s", error.message);
    ok(link(target, path_of(11, ".visitors")) == 0
       && refused(11, 1000) == UX_ERROR
       && strstr(error.message, "another name") != NULL,
       "a second name: %s", error.message);
    ok(mkfifo(path_of(12, ".visitors"), 0600) == 0
       && refused(12, 1000) == UX_ERROR
       && strstr(error.message, "ordinary") != NULL,
       "a pipe, at once: %s", error.message);
    ok(mkdir(path_of(13, ".visitors"), 0700) == 0
       && refused(13, 1000) == UX_ERROR, "a directory: %s", error.message);

    touch(path_of(14, ".visitors"));
    ok(refused(14, 1000) == UX_OK, "an empty file is as good as any other");
    ok(truncate(path_of(14, ".visitors"), 10ll << 30) == 0
       && refused(14, 1 << 20) == UX_ERROR
       && strstr(error.message, "too large") != NULL,
       "10 GB of nothing: %s", error.message);
    ok(refused(15, 1000) == UX_DECLINED, "nothing there");

    if (geteuid() != 0) {
        ok(true, "# SKIP devices and other users need root");
        return;
    }

    touch(path_of(16, ".visitors"));
    ok(truncate(path_of(16, ".visitors"), 9) == 0
       && chown(path_of(16, ".visitors"), 4711, 4711) == 0
       && refused(16, 1000) == UX_ERROR
       && strstr(error.message, "somebody") != NULL, "%s", error.message);
    zone.owner = 4711;
    ok(refused(16, 1000) == UX_OK, "but the owner that was named");
    zone.owner = 0;

    if (mknod(path_of(17, ".visitors"), S_IFCHR|0600, (1 << 8) | 5) == 0) {
        ok(refused(17, 1000) == UX_ERROR, "a device: %s", error.message);
    }
}


static void
test_locks(void)
{
    int             fd, other, status;
    char            behind[80];
    pid_t           child;
    ux_file_name_t  name;

    name = name_of(20, UX_FILE_COUNTERS, false);

    ok(ux_file_lock(&zone, name.uuid, false, &fd, &error) == UX_DECLINED,
       "no lock, none made");
    ok(ux_file_lock(&zone, name.uuid, true, &fd, &error) == UX_OK,
       "a lock is made: %s", error.message);
    ok(ux_file_lock(&zone, name.uuid, false, &other, &error) == UX_BUSY,
       "and nobody finds it dead");
    ok(ux_file_locked(&zone, name.uuid, fd), "it is where it was");
    ok(ux_file_lock(&zone, name.uuid, true, &other, &error) == UX_OK,
       "another that is the same has it, too: %s", error.message);

    ok(unlink(path_of(20, ".lock")) == 0
       && !ux_file_locked(&zone, name.uuid, fd), "it was removed");
    ux_file_unlock(fd);
    ok(ux_file_lock(&zone, name.uuid, true, &fd, &error) == UX_OK
       && ux_file_locked(&zone, name.uuid, fd)
       && !ux_file_locked(&zone, name.uuid, other), "and is made again");
    ux_file_unlock(other);

    child = fork();

    if (child == 0) {
        (void) pause();
        _exit(0);
    }

    ux_file_unlock(fd);
    ok(ux_file_lock(&zone, name.uuid, false, &other, &error) == UX_BUSY,
       "a child has it, too, after its parent has let go");
    (void) kill(child, 9);
    (void) waitpid(child, &status, 0);
    ok(ux_file_lock(&zone, name.uuid, false, &fd, &error) == UX_OK,
       "until it is killed");

    child = fork();

    if (child == 0) {
        (void) execlp("sleep", "sleep", "60", (char *) NULL);
        _exit(1);
    }

    while (waitpid(child, &status, WNOHANG) == 0) {
        char  path[64], comm[16];
        int   in;

        (void) snprintf(path, sizeof(path), "/proc/%d/comm", (int) child);
        in = open(path, O_RDONLY);
        memset(comm, 0, sizeof(comm));

        if (in != -1 && read(in, comm, 5) == 5 && strcmp(comm, "sleep") == 0) {
            (void) close(in);
            break;
        }

        (void) close(in);
    }

    ux_file_unlock(fd);
    ok(ux_file_lock(&zone, name.uuid, false, &fd, &error) == UX_OK,
       "another program that was executed has it not");
    ux_file_unlock(fd);
    (void) kill(child, 9);
    (void) waitpid(child, &status, 0);

    (void) snprintf(behind, sizeof(behind), "%s/behind", directory);
    ok(unlink(path_of(20, ".lock")) == 0
       && symlink(behind, path_of(20, ".lock")) == 0
       && ux_file_lock(&zone, name.uuid, true, &fd, &error) == UX_ERROR
       && !there(behind), "a link is no lock, and makes none: %s",
       error.message);

    ok(unlink(path_of(20, ".lock")) == 0
       && ux_file_lock(&zone, name.uuid, true, &fd, &error) == UX_OK,
       "a lock once more");
    ux_file_unlock(fd);
    vanishes = path_of(20, ".lock");
    ok(ux_file_lock(&zone, name.uuid, false, &fd, &error) == UX_BUSY,
       "one that was removed while it was taken is none");
    vanishes = NULL;
    touch(path_of(20, ".lock"));

    ok(unlink(path_of(20, ".lock")) == 0
       && symlink("/dev/null", path_of(20, ".lock")) == 0
       && ux_file_lock(&zone, name.uuid, true, &fd, &error) == UX_ERROR,
       "a link is no lock: %s", error.message);
}


static unsigned
files_with(const char *part)
{
    DIR            *dir;
    unsigned        n;
    struct dirent  *entry;

    n = 0;
    dir = opendir(directory);

    for (entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        n += strstr(entry->d_name, part) != NULL;
    }

    (void) closedir(dir);

    return n;
}


static void
test_leftovers(void)
{
    int             fd;
    unsigned        i, before;
    ux_file_list_t  list;
    ux_file_name_t  name;

    ok(ux_file_list(&zone, &list, &error) == UX_OK, "listed");
    before = list.n;

    for (i = 0; i < STALE; i++) {
        touch(path_of(1000 + i, i % 2 ? ".visitors.new" : ".counters.new"));
        touch(path_of(3000 + i, ".lock"));
    }

    (void) save(2100, 1);
    touch(path_of(2100, ".counters.new"));
    touch(path_of(2100, ".base"));
    touch(path_of(2104, ".base"));
    put(2101, ".counters.1", 9000);
    touch(path_of(2100, ".junk"));
    touch(path_of(2102, ".counters.2"));

    name = name_of(2103, UX_FILE_COUNTERS, false);
    ok(ux_file_lock(&zone, name.uuid, true, &fd, &error) == UX_OK,
       "one is alive");
    touch(path_of(2103, ".visitors.new"));
    touch(path_of(2103, ".visitors"));
    touch(path_of(2100, ".visitors.1"));

    for (i = 0; i < STALE; i++) {
        touch(path_of(5000 + i, i % 2 ? ".visitors" : ".counters.1"));
    }

    ok(ux_file_list(&zone, &list, &error) == UX_OK && list.n == before + 2
       && !list.more, "%u incarnations among the left-overs", list.n);

    ok(ux_file_clean(&zone, &error) == UX_OK && files_with(".new") == 1
       && there(path_of(2103, ".visitors.new"))
       && there(path_of(2103, ".visitors")),
       "cleaned, but for what is being written");
    ok(!there(path_of(5000, ".counters.1"))
       && !there(path_of(5999, ".visitors"))
       && !there(path_of(2100, ".visitors.1")), "empty ones are gone");
    ok(there(path_of(2100, ".base")) && !there(path_of(2104, ".base")),
       "bases of nothing are gone, and no other");
    ok(there(path_of(2103, ".lock")) && files_with(".lock") == 2,
       "locks of nothing are gone");
    ok(there(path_of(2100, ".counters")) && there(path_of(2101, ".counters.1"))
       && there(path_of(2100, ".junk")), "all else is left");
    ux_file_unlock(fd);

    name = name_of(2100, UX_FILE_COUNTERS, false);
    ok(ux_file_remove(&zone, name.uuid, &error) == UX_OK
       && !there(path_of(2100, ".counters")), "removed");
    ok(there(path_of(2100, ".junk")), "and nothing that is not ours");

    for (i = 0; i < 5; i++) {
        (void) save(2110 + i, i + 1);
        name = name_of(2110 + i, UX_FILE_COUNTERS, false);
        ok(ux_file_aside(&zone, &name, &error) == UX_OK
           && !there(path_of(2110 + i, ".counters")), "set aside");
    }

    ok(files_with("corrupt") == 3, "three are kept");

}


/* All of it, list by list; where the id is among them, -1: nowhere. */
static int
place_of(unsigned id, unsigned *all)
{
    int             at;
    bool            sorted;
    unsigned        i, n;
    ux_file_list_t  lists[2], *list, *after;

    at = -1;
    *all = 0;
    after = NULL;
    sorted = true;

    for (n = 0; n < 100; n++) {
        list = &lists[n % 2];

        if (ux_file_list_next(&zone, after, list, &error) != UX_OK) {
            break;
        }

        for (i = 0; i < list->n; i++) {
            if (memcmp(list->uuids[i], name_of(id, 0, false).uuid, 16) == 0) {
                at = (int) (*all + i);
            }

            sorted = sorted && (i == 0 || list->ranks[i - 1]
                                          >= list->ranks[i]);
        }

        *all += list->n;

        if (!list->more) {
            break;
        }

        sorted = sorted && list->n == UX_FILE_LIST_MAX;
        after = list;
    }

    ok(sorted && n < 100, "%u lists with an end, each in order", n + 1);

    return at;
}


/* One among a thousand, by age. */
static void
test_list(void)
{
    int             at, link, empty;
    unsigned        i, all, before;
    ux_file_list_t  list;

    /* not ours alone */
    (void) unlink(path_of(11, ".visitors"));
    (void) unlink(path_of(16, ".visitors"));

    (void) place_of(0, &before);

    put(6000, ".visitors.1", 10);
    put(6000, ".counters", 5000);

    for (i = 0; i < STALE; i++) {
        put(7000 + i, ".visitors", 1000 + (int) i % 300);
    }

    at = place_of(6000, &all);
    ok(at == (int) before && all == before + STALE + 1,
       "newer than a thousand: at %d of %u, behind %u", at, all, before);

    put(6000, ".counters", 500);

    at = place_of(6000, &all);
    ok(at == (int) (before + STALE) && all == before + STALE + 1,
       "older: at %d of %u", at, all);

    ok(ux_file_list(&zone, &list, &error) == UX_OK
       && list.n == UX_FILE_LIST_MAX && list.more, "a list has an end");

    (void) symlink("/dev/null", path_of(6001, ".visitors"));
    touch(path_of(6002, ".visitors"));

    link = place_of(6001, &all);
    empty = place_of(6002, &all);
    ok(link == -1 && empty == -1 && all == before + STALE + 1,
       "links and empty ones are not listed");

    if (geteuid() != 0) {
        ok(true, "# SKIP other users need root");
        return;
    }

    for (i = 0; i < STALE; i++) {
        (void) !chown(path_of(7000 + i, ".visitors"), 4711, 4711);
    }

    at = place_of(6000, &all);
    ok(at == (int) before && all == before + STALE + 1,
       "those of somebody else are behind ours, whatever their age");
}


int
main(void)
{
    ux_str_t        name = ux_str("shop");
    ux_file_name_t  long_name;

    (void) snprintf(directory, sizeof(directory), "/tmp/ux-file-XXXXXX");

    if (mkdtemp(directory) == NULL) {
        return 1;
    }

    zone.directory = directory;
    zone.zone = name;
    zone.owner = (uint32_t) geteuid();

    test_save();
    test_faults(0);
    test_random_kills();
    test_faults(ENOSPC);
    test_faults(EIO);
    test_faults(EDQUOT);
    test_refusals();
    test_locks();
    test_leftovers();
    test_list();

    zone.directory = "/no/such/directory";
    long_name = name_of(1, UX_FILE_COUNTERS, false);
    ok(save(1, 1) == UX_ERROR && strstr(error.message, "cannot create"),
       "no directory: %s", error.message);
    ok(ux_file_lock(&zone, long_name.uuid, true, &(int) { 0 }, &error)
       == UX_ERROR, "nor a lock: %s", error.message);

    if (fork() == 0) {
        (void) execlp("rm", "rm", "-rf", directory, (char *) NULL);
        _exit(1);
    }

    (void) wait(NULL);

    return done();
}
