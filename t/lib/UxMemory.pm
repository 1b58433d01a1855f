package UxMemory;

# Copyright (C) the nginx-ux authors
#
# An nginx whose n-th allocation fails, when a test says so:
#
#     my $memory = UxMemory->new or plan skip_all => 'no compiler';
#     my $t = Ux::nginx(conf => $conf)->start;
#     $memory->fail(7);        # the seventh from now on, once
#     ...
#     $memory->left            # above 0: there were not so many
#
# Small pools (request_pool_size 256) make most allocations reach malloc().

use strict;
use warnings;

use File::Temp ();
use UxTest;


my $SOURCE = <<'C';
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_memalign(size_t, size_t);

static volatile int64_t *left;

__attribute__((constructor)) static void
init(void)
{
    int          fd;
    void        *p;
    const char  *path = getenv("UX_MEMORY");

    fd = path != NULL ? open(path, O_RDWR) : -1;
    if (fd == -1) {
        return;
    }

    p = mmap(NULL, sizeof(*left), PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);
    left = p != MAP_FAILED ? p : NULL;
    close(fd);
}

static int
fails(void)
{
    return left != NULL && *left > 0 && --*left == 0;
}

void *
malloc(size_t size)
{
    if (fails()) {
        errno = ENOMEM;
        return NULL;
    }

    return __libc_malloc(size);
}

int
posix_memalign(void **p, size_t alignment, size_t size)
{
    *p = fails() ? NULL : __libc_memalign(alignment, size);

    return *p != NULL ? 0 : ENOMEM;
}
C


# undef where nothing can be compiled, or another allocator is preloaded.
sub new
{
    my ($class) = @_;

    return undef if $ENV{TEST_NGINX_PRELOAD};

    my $dir = File::Temp->newdir('uxmemory-XXXXXX', TMPDIR => 1);
    my $self = bless { dir => $dir }, $class;

    Ux::_write("$dir/memory.c", $SOURCE);
    return undef if system('cc -fno-builtin -shared -fPIC -O1 -o'
        . " '$dir/memory.so' '$dir/memory.c' >/dev/null 2>&1");

    Ux::_write("$dir/left", pack 'q', 0);
    chmod 0755, "$dir";
    chmod 0666, "$dir/left";
    $ENV{UX_MEMORY} = "$dir/left";
    $ENV{TEST_NGINX_PRELOAD} = "$dir/memory.so";

    return $self;
}


# In place: the servers have mapped this very file.
sub fail
{
    my ($self, $n) = @_;

    open my $out, '+<:raw', "$self->{dir}/left" or die "left: $!";
    syswrite $out, pack 'q', $n;
    close $out;

    return;
}


sub left { return unpack 'q', Ux::_read("$_[0]{dir}/left") }


sub DESTROY
{
    delete @ENV{qw(UX_MEMORY TEST_NGINX_PRELOAD)};

    return;
}


1;
