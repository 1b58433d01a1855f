package UxClock;

# Copyright (C) the nginx-ux authors
#
# An nginx whose clock a test sets forward, for what takes minutes or days:
#
#     my $clock = UxClock->new or plan skip_all => 'no compiler';
#     my $t = Ux::nginx(conf => $conf)->start;
#     $clock->forward(301);
#
# Servers started while the object lives see the time of day as it is, plus
# what forward() has added up.  Timers and everything else run as always.

use strict;
use warnings;

use File::Temp ();
use UxTest;


my $SOURCE = <<'C';
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *ahead;

__attribute__((constructor)) static void
init(void)
{
    int          fd;
    void        *p;
    const char  *path = getenv("UX_CLOCK");

    fd = path != NULL ? open(path, O_RDONLY) : -1;
    if (fd == -1) {
        return;
    }

    p = mmap(NULL, sizeof(*ahead), PROT_READ, MAP_SHARED, fd, 0);
    ahead = p != MAP_FAILED ? p : NULL;
    close(fd);
}

int
gettimeofday(struct timeval *tv, void *tz)
{
    struct timespec  now;

    (void) tz;
    clock_gettime(CLOCK_REALTIME, &now);
    tv->tv_sec = now.tv_sec + (ahead != NULL ? *ahead : 0);
    tv->tv_usec = now.tv_nsec / 1000;

    return 0;
}
C


# undef where nothing can be compiled.
sub new
{
    my ($class) = @_;

    my $dir = File::Temp->newdir('uxclock-XXXXXX', TMPDIR => 1);
    my $self = bless { dir => $dir, ahead => 0,
        preload => $ENV{TEST_NGINX_PRELOAD} }, $class;

    Ux::_write("$dir/clock.c", $SOURCE);
    return undef if system('cc -fno-builtin -shared -fPIC -O1 -o'
        . " '$dir/clock.so' '$dir/clock.c' >/dev/null 2>&1");

    $self->forward(0);
    chmod 0755, "$dir";
    $ENV{UX_CLOCK} = "$dir/ahead";
    $ENV{TEST_NGINX_PRELOAD} = join ' ', grep { defined && $_ ne '' }
        $self->{preload}, "$dir/clock.so";

    return $self;
}


# The map is of this very file: it must be written in place.
sub forward
{
    my ($self, $seconds) = @_;

    $self->{ahead} += $seconds;

    open my $out, -e "$self->{dir}/ahead" ? '+<' : '>',
        "$self->{dir}/ahead" or die "no clock: $!\n";
    syswrite $out, pack 'q', $self->{ahead};
    close $out;

    return;
}


sub now { return time + $_[0]{ahead} }


sub DESTROY
{
    my ($self) = @_;

    delete $ENV{UX_CLOCK};
    $ENV{TEST_NGINX_PRELOAD} = $self->{preload};
    delete $ENV{TEST_NGINX_PRELOAD} unless defined $self->{preload};

    return;
}


1;
