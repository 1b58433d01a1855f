package UxProcesses;

# Copyright (C) the nginx-ux authors
#
# Processes of a server that are no children of the test: orphans of a killed
# master, new binaries.
#
#     $t->start_detached;            # takes USR2, which our children do not
#     my $new = $t->upgrade;         # the pid of the new binary's master
#     $t->quit_detached;             # instead of stop
#     Ux::stray(@pids);              # to be killed at the end of the test
#     Ux::children_of($pid); Ux::gone($pid);

use strict;
use warnings;

use File::Temp ();
use UxTest;


package Ux;

# A new binary needs what the old one was started with.
use constant INHERITED => join '', map { "env $_;\n" }
    $ENV{TEST_NGINX_PRELOAD} ? qw(LD_PRELOAD ASAN_OPTIONS UBSAN_OPTIONS) : ();

# In a file, so that children of the test can name some, too.
my $self = $$;
my $strays = File::Temp->new(UNLINK => 1);


END {
    if ($self == $$) {
        local $?;
        kill 'KILL', grep { Ux::_read("/proc/$_/cmdline") =~ /^nginx:/ }
            split /\n/, Ux::_read("$strays");
    }
}


sub stray
{
    open my $out, '>>', "$strays" or return;
    print $out map { "$_\n" } @_;
    close $out;

    return;
}


sub children_of
{
    my ($parent) = @_;

    return map { m{/proc/(\d+)/} } grep {
        Ux::_read($_) =~ /^\d+ \(.*\) \S $parent /s } glob '/proc/[0-9]*/stat';
}


package Ux::Nginx;

# As a daemon: an nginx takes the signal for an upgrade only if its parent has
# gone, and the one that stops its workers only as a daemon.
sub start_detached
{
    my ($self) = @_;

    my $path = $self->dir . '/nginx.conf';
    Ux::_write($path, $self->_configuration($self->{conf}));

    local $self->{daemon} = 1;
    my $pid = $self->_spawn($self->dir . '/stderr.log', '-c', $path);
    waitpid $pid, 0;
    die 'nginx did not start: ' . Ux::_read($self->dir . '/stderr.log')
        . $self->error_log if $? != 0;

    $self->{pid} = Ux::wait_until(sub { $self->pid_file })
        or die "nginx wrote no pid\n";
    Ux::stray($self->pid);
    $self->_await_workers;
    Ux::stray(Ux::children_of($self->pid));

    return $self;
}


sub pid_file
{
    my ($self, $suffix) = @_;

    my ($pid) = Ux::_read($self->dir . '/nginx.pid' . ($suffix || ''))
        =~ /(\d+)/;

    return $pid;
}


# No child of ours.
sub quit_detached
{
    my ($self) = @_;

    Ux::stray(Ux::children_of($self->pid));
    kill 'QUIT', $self->pid;
    Ux::gone($self->pid);
    $self->{pid} = 0;

    return;
}


# A new binary beside the old one, with all its processes.
sub upgrade
{
    my ($self) = @_;

    my $old = $self->pid;

    kill 'USR2', $old;
    my $new = Ux::wait_until(sub {
        my $pid = $self->pid_file;
        return $pid && $pid != $old && -e $self->dir . '/nginx.pid.oldbin'
            && $pid;
    }, 20);
    die "no new binary\n" unless $new;

    Ux::stray($new);
    Ux::wait_until(sub {
        Ux::children_of($new) >= $self->{workers} + 1 }, 20);
    Ux::stray(Ux::children_of($new));

    return $new;
}


1;
