package UxDisk;

# Copyright (C) the nginx-ux authors
#
# An nginx whose snapshot directory is on a disk that fails as a test says:
#
#     my $disk = UxDisk->new or plan skip_all => 'no compiler';
#     my $t = Ux::nginx(conf => $conf)->start;      # snapshot=%%DIR%%/state
#     $disk->fail(fsync => POSIX::EIO());           # until $disk->mend
#     $disk->fail(write => 'short');                # half of what is asked for
#     $disk->fail(write => 'interrupted');          # EINTR every other time
#     $disk->failures                               # how often, since fail()
#     $disk->hold;                                  # the next fsync waits ...
#     $disk->held                                   # one does
#     $disk->release;                               # ... until now
#
# Servers started while the object lives do all else as always: only what has
# "/state" in its name is looked at, and what was opened by such a name.

use strict;
use warnings;

use File::Temp ();
use UxTest;


# Places in the shared memory, and the calls in the order of the C below.
use constant { CALL => 0, FAULT => 1, FAILURES => 2, HOLD => 3, CELLS => 8 };

my @CALLS = qw(create write fsync close keep_previous rename open_directory
    fsync_directory unlink list);
my %FAULTS = (short => -1, interrupted => -2);

my $SOURCE = <<'C';
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    CREATE = 1, WRITE, FSYNC, CLOSE, KEEP, RENAME, OPEN_DIRECTORY,
    FSYNC_DIRECTORY, UNLINK, LIST
};

enum { NEITHER, FILE_OF_OURS, DIRECTORY_OF_OURS };

static volatile int64_t *said;               /* call, fault, failures, hold */
static unsigned char kinds[4096];
static DIR *(*real_opendir)(const char *);

__attribute__((constructor)) static void
init(void)
{
    int          fd;
    void        *p;
    const char  *path = getenv("UX_DISK");

    real_opendir = (DIR *(*)(const char *)) dlsym(RTLD_NEXT, "opendir");

    fd = path != NULL ? (int) syscall(SYS_openat, AT_FDCWD, path, O_RDWR) : -1;
    if (fd == -1) {
        return;
    }

    p = mmap(NULL, 64, PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);
    said = p != MAP_FAILED ? p : NULL;
    syscall(SYS_close, fd);
}

/* 0, the error, or what is below 0. */
static int
fault(int call)
{
    if (said == NULL || said[0] != call || said[1] == 0) {
        return 0;
    }

    __atomic_add_fetch(&said[2], 1, __ATOMIC_SEQ_CST);

    return (int) said[1];
}

static int
fails(int call)
{
    int  e;

    e = fault(call);
    if (e == -2) {
        e = said[2] % 2 ? EINTR : 0;
    }

    if (e <= 0) {
        return 0;
    }

    errno = e;

    return 1;
}

static int
ours(const char *path)
{
    return strstr(path, "/state") != NULL;
}

static int
ends(const char *path, const char *end)
{
    size_t  n = strlen(path), m = strlen(end);

    return n >= m && strcmp(path + n - m, end) == 0;
}

static int
opened(const char *path, int flags, int mode)
{
    int  fd, directory;

    if (!ours(path)) {
        return (int) syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    }

    directory = strstr(strstr(path, "/state") + 1, "/") == NULL;

    if ((ends(path, ".new") && fails(CREATE))
        || (directory && fails(OPEN_DIRECTORY)))
    {
        return -1;
    }

    fd = (int) syscall(SYS_openat, AT_FDCWD, path, flags, mode);

    if (fd >= 0 && fd < 4096) {
        kinds[fd] = directory ? DIRECTORY_OF_OURS
                    : ends(path, ".new") ? FILE_OF_OURS : NEITHER;
    }

    return fd;
}

#define OPEN(name)                                                           \
    int name(const char *path, int flags, ...)                               \
    {                                                                        \
        int      mode = 0;                                                   \
        va_list  args;                                                       \
                                                                             \
        if (flags & O_CREAT) {                                               \
            va_start(args, flags);                                           \
            mode = va_arg(args, int);                                        \
            va_end(args);                                                    \
        }                                                                    \
                                                                             \
        return opened(path, flags, mode);                                    \
    }

OPEN(open)
OPEN(open64)

static int
kind(int fd)
{
    return fd >= 0 && fd < 4096 ? kinds[fd] : NEITHER;
}

ssize_t
write(int fd, const void *buf, size_t n)
{
    if (kind(fd) == FILE_OF_OURS) {
        if (fails(WRITE)) {
            return -1;
        }

        if (said != NULL && said[0] == WRITE && said[1] == -1 && n > 1) {
            n /= 2;
        }
    }

    return syscall(SYS_write, fd, buf, n);
}

/* Holds one caller, until told otherwise. */
static void
hold(void)
{
    int64_t          one = 1;
    struct timespec  pause = { 0, 5000000 };

    if (said != NULL
        && __atomic_compare_exchange_n(&said[3], &one, 2, 0, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST))
    {
        while (said[3] == 2) {
            nanosleep(&pause, NULL);
        }
    }
}

int
fsync(int fd)
{
    if (kind(fd) == FILE_OF_OURS) {
        hold();
        if (fails(FSYNC)) {
            return -1;
        }
    }

    if (kind(fd) == DIRECTORY_OF_OURS && fails(FSYNC_DIRECTORY)) {
        return -1;
    }

    return (int) syscall(SYS_fsync, fd);
}

int
close(int fd)
{
    int   was = kind(fd);
    long  rc;

    if (was != NEITHER) {
        kinds[fd] = NEITHER;
    }

    rc = syscall(SYS_close, fd);

    return was == FILE_OF_OURS && fails(CLOSE) ? -1 : (int) rc;
}

int
rename(const char *from, const char *to)
{
    if (ours(from)
        && ((ends(to, ".1") && fails(KEEP))
            || (ends(from, ".new") && fails(RENAME))))
    {
        return -1;
    }

    return (int) syscall(SYS_rename, from, to);
}

int
unlink(const char *path)
{
    if (ours(path) && ends(path, ".new") && fails(UNLINK)) {
        return -1;
    }

    return (int) syscall(SYS_unlink, path);
}

DIR *
opendir(const char *path)
{
    return ours(path) && fails(LIST) ? NULL : real_opendir(path);
}
C


sub calls { return @CALLS }


# undef where nothing can be compiled.
sub new
{
    my ($class) = @_;

    my $dir = File::Temp->newdir('uxdisk-XXXXXX', TMPDIR => 1);
    my $self = bless { dir => $dir, preload => $ENV{TEST_NGINX_PRELOAD} },
        $class;

    Ux::_write("$dir/disk.c", $SOURCE);
    return undef if system('cc -fno-builtin -shared -fPIC -O1 -o'
        . " '$dir/disk.so' '$dir/disk.c' -ldl >/dev/null 2>&1");

    Ux::_write("$dir/said", pack "q" . CELLS, (0) x CELLS);
    chmod 0755, "$dir";
    chmod 0666, "$dir/said";
    $ENV{UX_DISK} = "$dir/said";
    $ENV{TEST_NGINX_PRELOAD} = join ' ', grep { defined && $_ ne '' }
        $self->{preload}, "$dir/disk.so";

    return $self;
}


sub fail
{
    my ($self, $call, $fault) = @_;

    my ($number) = grep { $CALLS[$_] eq $call } 0 .. $#CALLS;
    die "no call \"$call\"\n" unless defined $number;

    $self->_put(CALL, 0);
    $self->_put(FAILURES, 0);
    $self->_put(FAULT, defined $FAULTS{$fault} ? $FAULTS{$fault} : $fault);
    $self->_put(CALL, $number + 1);

    return;
}


sub mend     { $_[0]->_put(CALL, 0) }
sub failures { return $_[0]->_get(FAILURES) }
sub hold     { $_[0]->_put(HOLD, 1) }
sub held     { return $_[0]->_get(HOLD) == 2 }
sub release  { $_[0]->_put(HOLD, 0) }


# In place: the servers have mapped this very file.
sub _put
{
    my ($self, $cell, $value) = @_;

    open my $out, '+<:raw', "$self->{dir}/said" or die "said: $!";
    sysseek $out, 8 * $cell, 0;
    syswrite $out, pack 'q', $value;
    close $out;

    return;
}


sub _get
{
    my ($self, $cell) = @_;

    return (unpack 'q*', Ux::_read("$self->{dir}/said"))[$cell];
}


sub DESTROY
{
    my ($self) = @_;

    $self->_put(CALL, 0);
    $self->release;
    delete $ENV{UX_DISK};
    $ENV{TEST_NGINX_PRELOAD} = $self->{preload};
    delete $ENV{TEST_NGINX_PRELOAD} unless defined $self->{preload};

    return;
}


1;
